/* Internal: the hazards of a scheduled graph, on physical bytes.
 *
 * Used by the sync pass (which boundary must order what), by the printers (the reason of each
 * barrier) and by the statistics. The checker does not use it.
 *
 * The nodes are walked in plan order, twice in a row (two replays). Each access is compared with
 * the last write of its bytes and with the reads since then; earlier accesses are ordered
 * transitively. Physical bytes are those of external buffers and of the arena; a transient without
 * offset is memory of its own.
 */
#ifndef RP_GRAPH_HAZARDS_H
#define RP_GRAPH_HAZARDS_H

#include "graph/graph.h"

enum { RP_HAZARD_HOST = UINT32_MAX };

/* Two conflicting accesses with nothing between them. `from` and `to` are indices into nodes[];
 * `to` is RP_HAZARD_HOST when the host reads results at the plan's end. */
typedef struct rp_hazard {
    rp_hazard_kind kind;
    bool next_replay; /* `to` belongs to the following replay */
    uint32_t from, to;
    uint32_t from_buffer,
        to_buffer;         /* different when two transients share bytes; RP_NONE for order */
    uint64_t offset, size; /* of the shared bytes, relative to to_buffer */
    uint32_t src, dst;     /* rp_scope bit of either access; RP_SCOPE_ANY for order */
} rp_hazard;

/* Calls `visit` for each hazard, ordered by `to` in plan order (those with next_replay last, then
 * the host's). At most one call per (kind, from, to, to_buffer) for neighbouring bytes. To bound
 * the work, of many readers of the same bytes the latest few per scope bit are reported, and of
 * many pieces that are used as a whole again the latest writer per scope bit; whoever orders those
 * orders all. Stops early when `visit` returns other than RP_OK. */
typedef rp_status rp_hazard_visit(void *context, const rp_hazard *hazard);
rp_status rp_hazards_walk(const rp_graph *graph, rp_hazard_visit *visit, void *context);

#endif
