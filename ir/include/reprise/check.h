/* The checker: proves that a compiled graph computes what its source graph means.
 *
 * A compiled graph is correct when
 *
 *   rule 0  every node is one of the source graph, with the same kernel, grid, data and accesses;
 *   rule 1  every byte a node reads was last written, in plan order, by the node that last wrote it
 *           in source order (the end of the plan counts as a node that reads every output);
 *   rule 2  between any two conflicting accesses to a byte (at least one a write) stands a barrier
 *           whose scopes cover both.
 *
 * The plan is replayed twice in a row, so that the barrier against the previous replay is
 * proven too. Physical bytes count: transients that share arena bytes conflict. A node without
 * declared uses, and a fence, conflicts with everything.
 *
 * The checker shares no analysis with the passes; it runs at every compile, in every build type.
 */
#ifndef REPRISE_CHECK_H
#define REPRISE_CHECK_H

#include "reprise/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What was proven, and for which graphs. Stored in plans as their certificate. */
typedef struct rp_certificate {
    uint32_t checker_version;  /* RP_CHECKER_VERSION of the checker that ran */
    uint32_t verdict;          /* 1 = all rules hold, 2 = rule 2 alone was checked (no source) */
    uint64_t source_hash;      /* rp_graph_hash of the source; 0 without source */
    uint64_t compiled_hash;    /* rp_graph_hash of the compiled graph */
    uint64_t reads_proven;     /* pieces of reads whose writer was compared (rule 1) */
    uint64_t conflicts_proven; /* conflicts found covered (rule 2), of many alike one */
} rp_certificate;

enum { RP_CHECKER_VERSION = 3 };

/* Checks `compiled` against `source`. With source NULL only rule 2 is checked. Returns RP_OK and
 * fills *out_certificate (may be NULL), or RP_ERROR_UNPROVEN with up to 100 diagnostics that each
 * name the rule, both nodes, the buffer and the bytes. `file` (may be NULL) names the compiled
 * graph in diagnostics. The compiled graph must have passed at least schedule and sync; transients
 * without arena offsets are taken as separate memory. */
RP_API rp_status rp_check(const rp_graph *compiled, const rp_graph *source, const char *file,
                          rp_diags *diags, rp_certificate *out_certificate);

#ifdef __cplusplus
}
#endif

#endif
