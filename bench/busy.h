/* GPU time of replays while the queue is full: a GPU that waits for the host after each replay keeps
 * its clock low, so replays come in bursts of about ten milliseconds, and the last of each counts. */
#ifndef REPRISE_BENCH_BUSY_H
#define REPRISE_BENCH_BUSY_H

#include "clock.h"
#include "reprise/runtime.h"
#include "statistics.h"

enum { BUSY_SAMPLES = 512, BUSY_PATIENCE = 4 /* seconds, for the clock */ };

/* For at least `period` seconds; gpu[] takes BUSY_SAMPLES. The exec has
 * timestamps. */
static inline rp_status busy_replays(rp_exec *exec, double period, double *gpu,
                                     uint32_t *out_count) {
    double begin = wall_seconds(), least = 0;
    uint32_t burst = 1;
    *out_count = 0;
    do {
        double start = wall_seconds();
        rp_status status = RP_OK;
        for (uint32_t i = 0; i < burst && status == RP_OK; i++)
            status = rp_exec_submit(exec, NULL, NULL, NULL);
        if (status == RP_OK) status = rp_exec_wait(exec, 0, UINT64_MAX, NULL);
        if (status != RP_OK) return status;
        double took = (wall_seconds() - start) / burst;
        if (least <= 0 || took < least) least = took;
        burst = least < 0.01 / 64 ? 64 : least > 0.01 ? 1 : (uint32_t)(0.01 / least);
        gpu[(*out_count)++] = rp_exec_gpu_seconds(exec, 0);
    } while (wall_seconds() - begin < period && *out_count < BUSY_SAMPLES);
    return RP_OK;
}

/* Median GPU time of one replay over `period`, after warming up for as long, or until the clock is
 * high. `out_mhz` (may be NULL) becomes the lowest clock meanwhile, 0 where it is not known. */
static inline rp_status busy_seconds(rp_exec *exec, double period, gpu_clock *clock,
                                     double *out_seconds, unsigned *out_mhz) {
    static double gpu[BUSY_SAMPLES];
    double begin = wall_seconds();
    uint32_t count = 0;
    rp_status status;
    clock_least(clock);
    do {
        status = busy_replays(exec, period, gpu, &count);
    } while (status == RP_OK && !clock_is_high(clock) && wall_seconds() - begin < BUSY_PATIENCE);
    clock_least(clock);
    if (status == RP_OK) status = busy_replays(exec, period, gpu, &count);
    if (out_mhz) *out_mhz = clock_least(clock);
    *out_seconds = status == RP_OK ? median(gpu, count) : -1;
    return status;
}

#endif
