/* The pass manager: runs a pipeline of passes over a graph.
 *
 * A pipeline is a string: pass names with commas between, each with an optional mode after '=':
 * "dce,rename,schedule=inorder,place,sync". The menu (rp_pass_list) is passes/passes.def, and
 * docs/passes.md says what each pass does. The levels are pipelines too (rp_pass_level):
 *   -O0       "lower,schedule=source,place=separate,sync=full", the oracle: no fusion, source
 *             order, one node a group, no memory shared, everything waits
 *   -O1       "dce,rename,transfers,fuse,lower,schedule,place,sync"
 *   -O2       "dce,rename,transfers,fuse=tags,schedule,flow,lower,place,sync": values that are waited for
 *             by themselves, where the target says that this pays
 */
#ifndef REPRISE_PASSES_H
#define REPRISE_PASSES_H

#include "reprise/check.h"
#include "reprise/graph.h"
#include "reprise/target.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What one pass did. It is the library's and lives, strings and all, until the reports are
 * destroyed. */
typedef struct rp_pass_report {
    const char *pass; /* as written in the pipeline, "place=separate" */
    int changed;      /* whether the graph is another one now */
    uint32_t nodes_before, nodes_after;
    uint32_t groups_after, barriers_after;
    uint64_t transient_bytes_before, transient_bytes_after; /* arena bytes once placed */
    double seconds;      /* wall time of the pass itself, without verification */
    const char *summary; /* one line: what it did and why, "renamed 12 of 30 transients ..." */
    const char *details; /* "" or a line for each decision, each ending in '\n': what was fused and
                          * what not, and why */
} rp_pass_report;

/* What pass `lower` needs to make kernels of ops: the passes know no shader language. Given by
 * rp_lowering_default() of reprise/compiler.h. */
typedef struct rp_lowering rp_lowering;

/* Called after every pass with the graph as it then is; index counts from 0. Index -1 with report
 * NULL is the source graph before the first pass. Return anything but RP_OK to stop. */
typedef rp_status rp_pass_observer(void *user, int index, const rp_pass_report *report,
                                   const rp_graph *graph);

/* Called while a pass does something that may take long: `done` of `total`, `what` ("kernels
 * compiled") being static text. Always on the thread that runs the passes. */
typedef void rp_pass_progress(void *user, const char *what, uint32_t done, uint32_t total);

/* Zero is the default everywhere but in `size`. */
typedef struct rp_pass_options {
    size_t size;                 /* sizeof(rp_pass_options) */
    const char *pipeline;        /* NULL: that of -O1; rp_pass_level(0) for -O0 */
    uint64_t arena_limit;        /* most arena bytes allowed; 0 = no limit. schedule then spends
                                  * barriers to meet it, and says how many */
    int verify_each;             /* after every pass: verify, compare print/parse, hash against the
                                  * reported change (always on in the tests) */
    const rp_target *target;     /* becomes the graph's, and by it passes decide; its limits are
                                  * kept to: what does not fit is an error at its line,
                                  * RP_ERROR_UNSUPPORTED. NULL: the graph keeps the target that it
                                  * has, and nothing is held against its limits */
    const rp_lowering *lowering; /* NULL: pass `lower` fails on a graph with op nodes; rp_compile:
                                  * that of rp_lowering_default() */
    rp_pass_observer *observer;  /* may be NULL */
    void *observer_user;
    rp_pass_progress *progress; /* may be NULL */
    void *progress_user;
    /* Ids of nodes that pass `fuse` merges where it can, whatever its estimate says: to see what would come of it.
     * NULL: none. */
    const uint32_t *fused;
    uint32_t fused_count;
} rp_pass_options;

typedef struct rp_pass_reports rp_pass_reports;

/* Runs the pipeline over a copy of `source`; *out_graph is the compiled graph. The result is
 * checked against the source (rp_check) when the pipeline leaves it scheduled and synced; a graph
 * that is not proven is never returned. `out_certificate` and `out_reports` may be NULL. A pass
 * that needs a stage the graph has not reached (place before schedule) is an error that names both.
 */
RP_API rp_status rp_passes_run(const rp_graph *source, const rp_pass_options *options,
                               rp_diags *diags, rp_graph **out_graph,
                               rp_certificate *out_certificate, rp_pass_reports **out_reports);

RP_API uint32_t rp_pass_reports_count(const rp_pass_reports *reports);
RP_API const rp_pass_report *rp_pass_reports_get(const rp_pass_reports *reports, uint32_t index);
RP_API void rp_pass_reports_destroy(rp_pass_reports *reports);

/* The pipeline string of a level 0, 1 or 2; NULL for another. */
RP_API const char *rp_pass_level(int level);

/* The menu: name, modes ("" or "a|b") and one line of what it does. Static; NULL past the end. */
typedef struct rp_pass_info {
    const char *name, *modes, *brief;
} rp_pass_info;
RP_API const rp_pass_info *rp_pass_list(uint32_t index);

#ifdef __cplusplus
}
#endif

#endif
