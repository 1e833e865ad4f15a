/* Clocks and medians for the benchmarks. */
#ifndef REPRISE_BENCH_STATISTICS_H
#define REPRISE_BENCH_STATISTICS_H

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

#endif
