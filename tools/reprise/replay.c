/* Replays an exec and measures it: CPU time of the submitting call, wall time from submission to
 * completion, GPU time between two timestamps. One replay at a time: figures of overlapping replays
 * would say nothing about one. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "message.h"
#include "replay.h"
#include "trace.h"

typedef struct samples {
    double *values;
    uint32_t count;
} samples;

static double now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_samples(const char *what, samples *s) {
    if (s->count == 0) {
        printf("%-12s not available on this device\n", what);
        return;
    }
    double sum = 0;
    for (uint32_t i = 0; i < s->count; i++) sum += s->values[i];
    qsort(s->values, s->count, sizeof *s->values, by_value);
    printf("%-12s median %.2f us  min %.2f us  mean %.2f us\n", what, s->values[s->count / 2] * 1e6,
           s->values[0] * 1e6, sum / s->count * 1e6);
}

static int explain(rp_exec *exec, const char *file, rp_status status) {
    if (status == RP_ERROR_DEVICE_LOST && rp_exec_lost_node(exec))
        cli_error(file, "%s: %s; %s", rp_status_name(status), rp_exec_lost_node(exec),
                  rp_status_advice(status));
    else
        cli_error(file, "%s; %s", rp_status_name(status), rp_status_advice(status));
    return cli_exit_status(status);
}

int cli_replay(rp_exec *exec, const char *file, uint32_t count, int print_figures) {
    samples submit = {cli_alloc(count, sizeof(double)), 0},
            wall = {cli_alloc(count, sizeof(double)), 0};
    samples gpu = {cli_alloc(count, sizeof(double)), 0};
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < count && status == RP_OK; i++) {
        if (i % 256 == 255) cli_progress("replay %u of %u", i + 1, count);
        double traced = cli_trace_now();
        double wall_start = now(CLOCK_MONOTONIC), cpu_start = now(CLOCK_THREAD_CPUTIME_ID);
        status = rp_exec_submit(exec, NULL, NULL, NULL);
        double cpu_end = now(CLOCK_THREAD_CPUTIME_ID), submitted = cli_trace_now();
        if (status == RP_OK) status = rp_exec_wait(exec, 0, UINT64_MAX, NULL);
        if (status != RP_OK) break;
        wall.values[wall.count++] = now(CLOCK_MONOTONIC) - wall_start;
        submit.values[submit.count++] = cpu_end - cpu_start;
        cli_trace_replay(exec, 0, i, traced, submitted);
        double seconds = rp_exec_gpu_seconds(exec, 0);
        if (seconds >= 0) gpu.values[gpu.count++] = seconds;
    }
    cli_progress(NULL);
    if (status == RP_OK && print_figures) {
        printf("%-12s %u\n", "replays", count);
        print_samples("submit, CPU", &submit);
        print_samples("replay, wall", &wall);
        print_samples("replay, GPU", &gpu);
    }
    free(submit.values);
    free(wall.values);
    free(gpu.values);
    return status == RP_OK ? CLI_OK : explain(exec, file, status);
}
