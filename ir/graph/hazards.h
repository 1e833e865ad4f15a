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

/* rp_walk_hazards of a graph's nodes; nodes and buffers of a hazard are indices in it. */
rp_status rp_hazards_walk(const rp_graph *graph, rp_hazard_visit *visit, void *context);

#endif
