/* Rounds of replays on request, so that a script can time something else in between (bench/peers).
 *
 *   replay_rounds PLAN.rplan [MILLISECONDS]
 *
 * Says which device it is, then for each line on stdin replays for about MILLISECONDS (300): half of
 * them one by one, the host waiting for each, half with a full queue (busy.h). Answers each with a
 * line: the median time from submission to completion and the median of the GPU's own, in
 * microseconds, and the lowest clock in MHz, 0 where it is not known. The first round warms up for
 * longer, until the clock is high. Buffers hold random numbers (fill.h): what they are does not
 * matter to the time of a plan without live values. */
#include <stdio.h>

#include "reprise/runtime.h"
#include "busy.h"
#include "fill.h"

enum { MOST_WAITED = 4096 };

static int complain(const char *what, const rp_diags *diags) {
    fprintf(stderr, "replay_rounds: %s\n", what);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        fprintf(stderr, "  %s\n", rp_diags_get(diags, i).message);
    return 1;
}

static rp_status replay_waiting(rp_exec *exec, double period, double *out_seconds) {
    static double wall[MOST_WAITED];
    double begin = wall_seconds();
    uint32_t count = 0;
    do {
        double start = wall_seconds();
        rp_status status = rp_exec_submit(exec, NULL, NULL, NULL);
        if (status == RP_OK) status = rp_exec_wait(exec, 0, UINT64_MAX, NULL);
        if (status != RP_OK) return status;
        wall[count++] = wall_seconds() - start;
    } while (wall_seconds() - begin < period && count < MOST_WAITED);
    *out_seconds = median(wall, count);
    return RP_OK;
}

static rp_status serve(rp_exec *exec, double period, gpu_clock *clock) {
    static double gpu[BUSY_SAMPLES];
    double wall = 0, unused;
    char line[64];
    uint32_t count = 0;
    bool warm = false;
    while (fgets(line, sizeof line, stdin)) {
        rp_status status = RP_OK;
        if (!warm) status = busy_seconds(exec, period, clock, &unused, NULL);
        warm = true;
        if (status == RP_OK) status = replay_waiting(exec, period / 2, &wall);
        clock_least(clock);
        if (status == RP_OK) status = busy_replays(exec, period / 2, gpu, &count);
        if (status != RP_OK) return status;
        printf("%.3f %.3f %u\n", wall * 1e6, median(gpu, count) * 1e6, clock_least(clock));
        fflush(stdout);
    }
    return RP_OK;
}

int main(int argc, char **argv) {
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: replay_rounds PLAN.rplan [MILLISECONDS]\n");
        return 2;
    }
    double period = argc > 2 ? atof(argv[2]) * 1e-3 : 0.3;
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = NULL;
    rp_device *device = NULL;
    rp_exec *exec = NULL;
    rp_device_info info = {.size = sizeof info};
    const rp_exec_params params = {.size = sizeof params, .timestamps = 1};
    rp_status status = rp_plan_open(NULL, argv[1], diags, &plan);
    if (status == RP_OK) status = rp_device_create(NULL, NULL, diags, &device);
    if (status == RP_OK) status = rp_exec_create(device, plan, &params, diags, &exec);
    if (status == RP_OK) status = fill_buffers(exec, plan);
    if (status == RP_OK) {
        gpu_clock clock;
        rp_device_get_info(device, &info);
        printf("%s\n", info.name);
        fflush(stdout);
        clock_open(&clock, info.name);
        status = serve(exec, period, &clock);
        clock_close(&clock);
    }
    int failed = status == RP_OK ? 0 : complain(rp_status_name(status), diags);
    rp_exec_destroy(exec);
    rp_device_destroy(device, NULL);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    return failed;
}
