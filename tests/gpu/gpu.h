/* What the tests of the runtime on a real device share: a pipeline that uses everything the runtime
 * does, and the plans made from it. */
#ifndef RP_TESTS_GPU_H
#define RP_TESTS_GPU_H

#include <string.h>
#include "composite/application.h"
#include "graph/graph.h"
#include "reprise/compiler.h"
#include "reprise/runtime.h"
#include "support/unit.h"

enum { GPU_COUNT = 1024 }; /* elements of x, w, y, s */

/* Prints what was said, so that a failure on a far machine can be read. */
static inline void gpu_report(const rp_diags *diags) {
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        rp_diag diag = rp_diags_get(diags, i);
        char line[2048];
        rp_diag_format(&diag, line, sizeof line);
        fprintf(stderr, "\n  %s", line);
    }
}

/* The source graph of "everything": u32 buffers of GPU_COUNT elements.
 *   in x, weight w, inout s (starts as what the host wrote), out y, out z (16 words),
 *   live n = {elements, factor}
 *   a = fill 7                                        (transfer)
 *   t[i] = x[i] * factor + w[i], i < n                 (live grid, live scalar as uniform)
 *   u[i] = t[i] + a[i] + push                          (grid computed by the GPU)
 *   s[i] = s[i] + u[i]                                 (in place; counts replays)
 *   y = copy of s, then y[0..4) = 1 2 3 4 by update
 *   z[0..3) = the indirect grid */
rp_graph *gpu_everything(void);
/* What y[i] is after `replays` replays with these live values. */
uint32_t gpu_expected_y(uint32_t i, uint32_t x, uint32_t w, uint32_t s, uint32_t n, uint32_t factor,
                        uint32_t replays);

/* Whether this one of cases that are much alike is tried: a processor, for which a driver compiles a kernel for up to
 * seconds, tries every so-many-th, other devices all, and every device with RP_ALL=1 (`./dev test-all`). */
bool gpu_tries(rp_device *device, uint32_t number, uint32_t every);
/* The same of a list whose neighbours are alike: of four in a row a processor tries those in the middle. */
bool gpu_tries_middle(rp_device *device, uint32_t number);

/* Whether a test may still begin something: a software device takes a second for each pipeline that
 * its caches do not hold, and on a fresh machine they hold none. True for RP_SECONDS (60) from the
 * first call; what is left out then is said. */
bool gpu_has_time(void);
/* The same with another number of seconds in place of 60. */
bool gpu_has_seconds(long most);

rp_device *gpu_open(int validation);
/* A built-in target as far as the device can pass for it. Returns `own`. */
const rp_target *gpu_target_like(rp_device *device, const rp_target *from, rp_target *own);
rp_plan *gpu_compile(const rp_graph *graph, int level);
/* A buffer of that name, as the operand of an op that is named apart. */
rp_given_operand gpu_operand(rp_graph *graph, const char *operand, const char *buffer,
                             rp_buffer_kind kind, const rp_tensor *tensor);
/* A graph from its text, with no target of its own. */
rp_graph *gpu_parse(const char *text);
/* In place of a level: as -O2, with all that can be tagged and is of use. */
enum { GPU_ALL_TAGGED = 3 };
/* A plan of a graph of ops, as a program compiles them; without a target for that of the graph. The
 * second leaves it to the caller to judge that there is none. */
rp_plan *gpu_compile_ops(const rp_graph *graph, int level, const rp_target *target);
rp_plan *gpu_try_compile_ops(const rp_graph *graph, int level, const rp_target *target,
                             rp_diags *diags);
/* A plan of a graph as it is now, barriers and all, proven or not. */
rp_plan *gpu_pack(const rp_graph *compiled);
rp_exec *gpu_exec(rp_device *device, const rp_plan *plan, const rp_exec_params *params);
/* Replays once with values of x, w and s, and compares every word of the results. */
void gpu_check_everything(rp_exec *exec);

#endif
