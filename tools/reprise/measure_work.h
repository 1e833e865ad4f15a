/* One thing to measure: a plan of equal dispatches, and the GPU time of its replay. */
#ifndef CLI_MEASURE_WORK_H
#define CLI_MEASURE_WORK_H

#include <stdbool.h>
#include "reprise/runtime.h"

typedef struct measure_work {
    const char *glsl;       /* of measure_kernels.h; NULL: copies by the driver */
    uint32_t local, chains; /* LOCAL, CHAINS; 0: 256, 8 */
    uint32_t groups;        /* workgroups of a dispatch; 0: one */
    uint32_t count;         /* dispatches, or copies; 0: one */
    bool chained;           /* each waits for the one before; else they are independent */
    bool copies;            /* each has `part` bytes of data to itself, and of out */
    uint64_t bytes, part;   /* of data: a power of two; 0: 4096 */
} measure_work;

typedef struct measure {
    rp_device *device;
    rp_diags *diags;
    double deadline; /* by CLOCK_MONOTONIC: what is not measured by then is left out */
    bool late;       /* something was */
    rp_exec *exec;
    measure_work work;
} measure;

double measure_now(void);

/* Makes the plan and its exec in place of the one before. */
rp_status measure_open(measure *m, const measure_work *work);
void measure_close(measure *m);

/* Seconds of one replay, the least of some, with `turns` repetitions in each invocation; with the
 * queue kept full for about 20 milliseconds before. Negative when there is no time left. */
rp_status measure_replay(measure *m, uint32_t turns, double *out_seconds);

/* The same with as many turns as take about `period` seconds, at least: seconds of one turn. */
rp_status measure_turn(measure *m, double period, double *out_seconds);

#endif
