/* Internal: what depends on what, in source order, on the bytes that the graph names.
 *
 * A vertex is a node (in source order) or a join. A join stands for "all of these": when many
 * nodes read the same bytes and many nodes then overwrite parts of them, the pairs are quadratic,
 * but readers -> join -> writers is linear; likewise slices with a writer each that many nodes read
 * as a whole. Fences and joins weigh nothing: they do no work.
 */
#ifndef RP_GRAPH_DEPS_H
#define RP_GRAPH_DEPS_H

#include "graph/graph.h"

typedef struct rp_deps {
    uint32_t node_count;   /* vertices [0, node_count) are nodes in source order */
    uint32_t vertex_count; /* the rest are joins */
    uint32_t *node;        /* vertex < node_count -> index in nodes[] */
    uint32_t *order;       /* all vertices, topologically sorted; nodes in source order */
    uint32_t *first_pred,
        *pred; /* edges of v: pred[first_pred[v]] .. pred[first_pred[v + 1] - 1] */
    uint32_t *first_succ, *succ;
    uint8_t *weight; /* 1: needs a group of its own behind its predecessors; 0: fence, join */
    uint32_t edge_count;
} rp_deps;

rp_status rp_deps_build(const rp_graph *graph, rp_deps *out);
void rp_deps_free(const rp_graph *graph, rp_deps *deps);

/* The order in which the graph means its nodes, that of the ids, as indices of nodes[]. `order` has
 * nodes_count elements; false without memory. */
bool rp_source_order(const rp_graph *graph, uint32_t *order);

/* For each vertex how many weighing vertices end at it on the longest path: for a node of weight 1
 * the 1-based earliest group. `depth` has vertex_count elements. Returns the largest, the fewest
 * groups any schedule needs. */
uint32_t rp_deps_depth(const rp_deps *deps, uint32_t *depth);
/* The same largest, of dependences that nobody needs otherwise. */
rp_status rp_deps_deepest(const rp_graph *graph, uint32_t *out_depth);

#endif
