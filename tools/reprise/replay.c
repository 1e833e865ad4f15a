/* Replays an exec and measures it: CPU time of the submitting call, wall time from submission to
 * completion, GPU time between two timestamps. With one slot one replay at a time, whose figures are its own; with
 * several they overlap where they may, and what counts is how many are done in a time. */
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

typedef struct replays {
    rp_exec *exec;
    uint32_t slots, submitted, done;
    samples submit, wall, gpu;
    double begun[RP_MAX_SLOTS], traced[RP_MAX_SLOTS]; /* by slot, of the replay in flight */
    uint64_t numbers[RP_MAX_SLOTS];
} replays;

static rp_status submit(replays *r) {
    uint32_t slot = r->submitted % r->slots;
    const rp_submit_params params = {.size = sizeof params, .slot = slot};
    r->traced[slot] = cli_trace_now();
    r->begun[slot] = now(CLOCK_MONOTONIC);
    double cpu = now(CLOCK_THREAD_CPUTIME_ID);
    rp_status status = rp_exec_submit(r->exec, &params, NULL, &r->numbers[slot]);
    if (status != RP_OK) return status;
    r->submit.values[r->submit.count++] = now(CLOCK_THREAD_CPUTIME_ID) - cpu;
    cli_trace_submit(slot, r->submitted++, r->traced[slot]);
    return RP_OK;
}

/* Waits for the oldest in flight. */
static rp_status finish(replays *r) {
    uint32_t slot = r->done % r->slots;
    double start = cli_trace_now();
    rp_status status = rp_exec_wait(r->exec, r->numbers[slot], UINT64_MAX, NULL);
    if (status != RP_OK) return status;
    r->wall.values[r->wall.count++] = now(CLOCK_MONOTONIC) - r->begun[slot];
    cli_trace_wait(r->exec, slot, r->done++, r->traced[slot], start);
    double seconds = rp_exec_gpu_seconds(r->exec, slot);
    if (seconds >= 0) r->gpu.values[r->gpu.count++] = seconds;
    return RP_OK;
}

static rp_status replay(replays *r, uint32_t count) {
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < count && status == RP_OK; i++) {
        if (i % 256 == 255) cli_progress("replay %u of %u", i + 1, count);
        if (i >= r->slots) status = finish(r);
        if (status == RP_OK) status = submit(r);
    }
    while (status == RP_OK && r->done < count) status = finish(r);
    cli_progress(NULL);
    return status;
}

int cli_replay(rp_exec *exec, const char *file, uint32_t count, uint32_t slots, int print_figures) {
    replays r = {.exec = exec,
                 .slots = slots,
                 .submit.values = cli_alloc(count, sizeof(double)),
                 .wall.values = cli_alloc(count, sizeof(double)),
                 .gpu.values = cli_alloc(count, sizeof(double))};
    double start = now(CLOCK_MONOTONIC);
    rp_status status = replay(&r, count);
    double all = now(CLOCK_MONOTONIC) - start;
    if (status == RP_OK && print_figures) {
        printf("%-12s %u\n", "replays", count);
        print_samples("submit, CPU", &r.submit);
        print_samples("replay, wall", &r.wall);
        print_samples("replay, GPU", &r.gpu);
        if (slots > 1)
            printf("%-12s %u, a replay every %.2f us\n", "slots", slots, all / count * 1e6);
    }
    free(r.submit.values);
    free(r.wall.values);
    free(r.gpu.values);
    return status == RP_OK ? CLI_OK : explain(exec, file, status);
}
