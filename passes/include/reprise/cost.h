/* Costs: what the nodes of a compiled graph do by their definition, what the target could do it in,
 * and what the compiler had expected. Beside measured times (reprise/profile.h) they say which nodes
 * are slow for what they do, and why; `reprise profile` does so.
 *
 * Bytes and operations are those that the definition asks for: each byte of memory once, each result
 * computed once. What a kernel reads again, pads or computes twice is not in them. They belong to the
 * grid that the graph was compiled for: of a grid made of live values they are the most.
 */
#ifndef REPRISE_COST_H
#define REPRISE_COST_H

#include "reprise/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_costs rp_costs;

/* Of all nodes of a compiled graph. `source` is what it was compiled from, by which the passes'
 * estimates are found again; NULL: nothing was expected. `target` NULL: that of the graph. The costs
 * need neither graph any more. RP_ERROR_USAGE for a target without its size. */
RP_API rp_status rp_costs_create(const rp_graph *compiled, const rp_graph *source,
                                 const rp_target *target, rp_diags *diags, rp_costs **out_costs);
/* NULL is fine. */
RP_API void rp_costs_destroy(rp_costs *costs);

/* The structs below are filled in by the calls behind them; the caller has set their `size`.
 * RP_ERROR_USAGE otherwise, for NULL, and for an index out of range. Strings live as long as the
 * costs. */

typedef struct rp_costs_info {
    size_t size;
    uint32_t count;          /* of nodes */
    const rp_target *target; /* all of its figures known; lives as long as the costs */
    uint64_t plan_bytes;     /* of all buffers: the arena once, or its transients */
    int cached;              /* they fit into the target's caches together: replays in a row find
                               * them there, and memory_ns goes by cache_rate */
} rp_costs_info;
RP_API rp_status rp_costs_get_info(const rp_costs *costs, rp_costs_info *info);

/* A negative number is one that is not known. */
typedef struct rp_node_cost {
    size_t size;
    uint32_t id;     /* n7 */
    const char *ops; /* that it computes, in their order: "rms_norm matvec*2 map"; NULL: a kernel
                          * of the application's, a transfer, a fence */
    const char *variant; /* of those ops that have several: "tiles"; NULL: none */
    const char *decided; /* by what the variant was chosen: "96 tiles of 64 x 64"; NULL */
    double bytes_read, bytes_written;
    double operations;   /* arithmetic, an fma being two; not known of the application's kernels */
    const char *ceiling; /* the target's figure by which they go: "f32_rate"; NULL: no operations */
    double memory_ns;    /* the bytes at the target's rate */
    double arithmetic_ns; /* the operations at the target's rate */
    double expected_ns; /* by the estimate that fusion is decided with: a kernel behind a barrier */
} rp_node_cost;
RP_API rp_status rp_costs_get(const rp_costs *costs, uint32_t index, rp_node_cost *cost);

#ifdef __cplusplus
}
#endif

#endif
