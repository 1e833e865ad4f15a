/* Internal: the hazards of a scheduled graph, on physical bytes.
 *
 * Used by the sync pass (which boundary must order what), by the printers (the reason of each
 * barrier) and by the statistics. The checker does not use it. Physical bytes are those of external
 * buffers and of the arena; a transient without offset is memory of its own.
 */
#ifndef RP_GRAPH_HAZARDS_H
#define RP_GRAPH_HAZARDS_H

#include "graph/graph.h"
#include "hazard/walk.h"

/* Whether the later access waits for the earlier one, word by word: no barrier need stand between. */
static inline bool rp_hazard_waits(const rp_graph *g, const rp_hazard *h) {
    return h->kind == RP_RAW_HAZARD && !h->next_replay && h->to != RP_HAZARD_HOST &&
           g->buffers[h->to_buffer].tagged;
}

/* rp_walk_hazards of a graph's nodes; nodes and buffers of a hazard are indices in it. */
rp_status rp_hazards_walk(const rp_graph *graph, rp_hazard_visit *visit, void *context);

/* The same, and the graph keeps what was found: walking it again costs a look at its uses, which
 * tells whether they are still what was walked. A copy of the graph keeps nothing. */
rp_status rp_hazards_keep(rp_graph *graph, rp_hazard_visit *visit, void *context);
/* All hazards as a list. *out_made is NULL where the graph keeps it, else to be released. */
rp_status rp_hazards_list(const rp_graph *graph, const rp_hazard **out_list, uint32_t *out_count,
                          rp_hazard **out_made);
void rp_hazards_forget(rp_graph *graph);

#endif
