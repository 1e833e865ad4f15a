/* Clocks, rounds and medians for the benchmarks. */
#ifndef REPRISE_BENCH_STATISTICS_H
#define REPRISE_BENCH_STATISTICS_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static inline double clock_seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline double wall_seconds(void) {
    return clock_seconds(CLOCK_MONOTONIC);
}

/* CPU time of the calling thread: what a submission costs the application, whatever a driver's own
 * threads do meanwhile. */
static inline double thread_seconds(void) {
    return clock_seconds(CLOCK_THREAD_CPUTIME_ID);
}

static inline int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Sorts the values in place. */
static inline double median(double *values, size_t count) {
    qsort(values, count, sizeof *values, compare_doubles);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* The same of the ratios to `base`, pair by pair; both stay as they are. NaN without memory. */
static inline double median_ratio(const double *values, const double *base, size_t count) {
    double *ratios = malloc(count * sizeof *ratios), middle = NAN;
    for (size_t i = 0; ratios && i < count; i++) ratios[i] = values[i] / base[i];
    if (ratios) middle = median(ratios, count);
    free(ratios);
    return middle;
}

/* Runs rounds, the first few of which warm up. Each times every way once, one after the other, so that
 * whatever else the machine does meets all of them; `round` puts the seconds of way w into
 * seconds[w]. Gives the times of way w in round r, at [w * rounds + r], to be freed; NULL when a round
 * has failed. */
static inline double *time_rounds(uint32_t ways, uint32_t rounds,
                                  int (*round)(void *state, double *seconds), void *state) {
    enum { WARM_ROUNDS = 3 };
    double *times = malloc((size_t)ways * rounds * sizeof *times);
    double *seconds = malloc(ways * sizeof *seconds);
    int failed = times && seconds ? 0 : -1;
    for (uint32_t r = 0; !failed && r < rounds + WARM_ROUNDS; r++) {
        failed = round(state, seconds);
        for (uint32_t w = 0; r >= WARM_ROUNDS && w < ways; w++)
            times[(size_t)w * rounds + r - WARM_ROUNDS] = seconds[w];
    }
    free(seconds);
    if (!failed) return times;
    free(times);
    return NULL;
}

#endif
