/* Internal: a graph against the target that it is compiled for. */
#ifndef RP_PASSES_TARGET_H
#define RP_PASSES_TARGET_H

#include "graph/graph.h"
#include "reprise/target.h"

/* RP_ERROR_UNSUPPORTED, with every limit that a node exceeds at the node's line. */
rp_status rp_target_check(const rp_graph *graph, const rp_target *target, rp_diags *diags);

#endif
