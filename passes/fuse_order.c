/* fuse, source order: where a merged node can stand.
 *
 * Every node has a place, an id: its own, or that of the node it was merged into. Whatever is
 * merged stands behind everything that any part of it waits for, and before everything that waits
 * for any part: then ids stay an order in which the graph can run, and no cycle can arise.
 *
 * Joins (graph/deps.h) have no place. What they need of the places around them, the largest before
 * and the smallest behind, is kept with them and follows when nodes move. It only ever gets
 * stricter. Joins that nobody waits for, as those of weights' readers, are left alone. */
#include <stdio.h>

#include "fuse.h"

static bool is_join(const rp_deps *d, uint32_t vertex) {
    return vertex >= d->node_count;
}

/* Raises `low` of the joins behind a vertex, and of those behind them. */
static void raise_behind(rp_fuse_order *o, uint32_t vertex, uint32_t low) {
    const rp_deps *d = &o->deps;
    uint32_t count = 0;
    for (uint32_t v = vertex;; v = o->stack[--count]) {
        for (uint32_t e = d->first_succ[v]; e < d->first_succ[v + 1]; e++) {
            uint32_t join = d->succ[e];
            if (!is_join(d, join) || o->high[join] == RP_NONE || o->low[join] >= low) continue;
            o->low[join] = low;
            o->stack[count++] = join; /* at most once: it is not below `low` any more */
        }
        if (count == 0) return;
    }
}

static void lower_before(rp_fuse_order *o, uint32_t vertex, uint32_t high) {
    const rp_deps *d = &o->deps;
    uint32_t count = 0;
    for (uint32_t v = vertex;; v = o->stack[--count]) {
        for (uint32_t e = d->first_pred[v]; e < d->first_pred[v + 1]; e++) {
            uint32_t join = d->pred[e];
            if (!is_join(d, join) || o->low[join] == 0 || o->high[join] <= high) continue;
            o->high[join] = high;
            o->stack[count++] = join;
        }
        if (count == 0) return;
    }
}

void rp_fuse_order_move(rp_fuse_order *o, uint32_t node, uint32_t position) {
    uint32_t before = o->position[node];
    o->position[node] = position;
    if (position > before) raise_behind(o, o->vertex[node], position + 1);
    if (position < before) lower_before(o, o->vertex[node], position);
}

static void bound_joins(const rp_graph *g, rp_fuse_order *o) {
    const rp_deps *d = &o->deps;
    for (uint32_t i = 0; i < d->vertex_count; i++) {
        uint32_t v = d->order[i], bound = 0;
        for (uint32_t e = d->first_pred[v]; e < d->first_pred[v + 1]; e++) {
            uint32_t p = d->pred[e], id = is_join(d, p) ? o->low[p] : g->nodes[d->node[p]].id + 1;
            if (id > bound) bound = id;
        }
        o->low[v] = bound;
    }
    for (uint32_t i = d->vertex_count; i--;) {
        uint32_t v = d->order[i], bound = RP_NONE;
        for (uint32_t e = d->first_succ[v]; e < d->first_succ[v + 1]; e++) {
            uint32_t p = d->succ[e], id = is_join(d, p) ? o->high[p] : g->nodes[d->node[p]].id;
            if (id < bound) bound = id;
        }
        o->high[v] = bound;
    }
}

rp_status rp_fuse_order_build(const rp_graph *g, rp_fuse_order *o) {
    const rp_allocator *a = &g->allocator;
    RP_TRY(rp_deps_build(g, &o->deps));
    uint32_t vertices = o->deps.vertex_count;
    o->vertex = rp_alloc(a, g->nodes_count, sizeof *o->vertex);
    o->position = rp_alloc(a, g->nodes_count, sizeof *o->position);
    o->low = rp_alloc(a, vertices, sizeof *o->low);
    o->high = rp_alloc(a, vertices, sizeof *o->high);
    o->stack = rp_alloc(a, vertices, sizeof *o->stack);
    if (!o->vertex || !o->position || !o->low || !o->high || !o->stack) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < g->nodes_count; i++) o->position[i] = g->nodes[i].id;
    for (uint32_t v = 0; v < o->deps.node_count; v++) o->vertex[o->deps.node[v]] = v;
    bound_joins(g, o);
    return RP_OK;
}

void rp_fuse_order_free(const rp_graph *g, rp_fuse_order *o) {
    const rp_allocator *a = &g->allocator;
    rp_release(a, o->vertex);
    rp_release(a, o->position);
    rp_release(a, o->low);
    rp_release(a, o->high);
    rp_release(a, o->stack);
    rp_deps_free(g, &o->deps);
}

uint32_t rp_fuse_order_find(const rp_fuse_order *o, rp_fuse_set *set) {
    const rp_deps *d = &o->deps;
    const rp_graph_node *nodes = set->graph->nodes;
    uint32_t low = 0, high = RP_NONE; /* low <= id < high */
    uint32_t before = RP_NONE, behind = RP_NONE;
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t v = o->vertex[set->nodes[i]];
        for (uint32_t e = d->first_pred[v]; e < d->first_pred[v + 1]; e++) {
            uint32_t p = d->pred[e];
            bool join = is_join(d, p);
            if (!join && rp_fuse_place(set, d->node[p]) != RP_NONE) continue;
            uint32_t id = join ? o->low[p] : o->position[d->node[p]] + 1;
            if (id > low) low = id, before = join ? RP_NONE : d->node[p];
        }
        for (uint32_t e = d->first_succ[v]; e < d->first_succ[v + 1]; e++) {
            uint32_t p = d->succ[e];
            bool join = is_join(d, p);
            if (!join && rp_fuse_place(set, d->node[p]) != RP_NONE) continue;
            uint32_t id = join ? o->high[p] : o->position[d->node[p]];
            if (id < high) high = id, behind = join ? RP_NONE : d->node[p];
        }
    }
    for (uint32_t i = set->count; i--;) {
        uint32_t id = nodes[set->nodes[i]].id;
        if (id >= low && id < high) return id;
    }
    if (before != RP_NONE && behind != RP_NONE)
        snprintf(set->reason, sizeof set->reason,
                 "some of it must wait for n%u, and n%u must wait for some of it", nodes[before].id,
                 nodes[behind].id);
    else
        snprintf(set->reason, sizeof set->reason, "other nodes stand between");
    return RP_NONE;
}
