/* Whether two nodes must be ordered, said once more in the shortest way. */
#ifndef RP_TESTS_CONFLICT_H
#define RP_TESTS_CONFLICT_H

#include "graph/graph.h"

static inline bool conflict(const rp_graph *g, const rp_graph_node *a, const rp_graph_node *b) {
    if (a->unknown || b->unknown) return true;
    for (uint32_t i = 0; i < a->use_count; i++)
        for (uint32_t k = 0; k < b->use_count; k++) {
            const rp_graph_use *u = &rp_node_uses(g, a)[i], *v = &rp_node_uses(g, b)[k];
            if (u->buffer == v->buffer && u->offset < v->offset + v->size &&
                v->offset < u->offset + u->size &&
                (rp_access_writes(u->access) || rp_access_writes(v->access)))
                return true;
        }
    return false;
}

#endif
