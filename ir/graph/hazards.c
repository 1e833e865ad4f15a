/* A scheduled graph as the walk over hazards sees it; see hazards.h.
 *
 * Pass sync places barriers by the hazards, and the text of the result names them: the second
 * asker gets what the first one found. That it is still true is not a promise of whoever changes
 * graphs, but told by a hash of all that the walk looks at. */
#include "graph/hazards.h"

#include "base/hash.h"

/* ---- The walk -------------------------------------------------------------------------------- */

/* A graph with the space of each buffer. The arena is space 0. Spaces are large, and transients may
 * be many: one that lies in the arena has none of its own, nor has a buffer that never changes. */
typedef struct spaced {
    const rp_graph *graph;
    uint32_t *space;
    uint32_t count;
} spaced;

static bool in_arena(const rp_graph_buffer *b) {
    return rp_buffer_in_arena(b) && b->offset != RP_NOT_PLACED;
}

static bool number_spaces(spaced *s) {
    const rp_graph *g = s->graph;
    s->count = 1;
    s->space = rp_alloc(&g->allocator, g->buffers_count, sizeof *s->space);
    for (uint32_t i = 0; s->space && i < g->buffers_count; i++) {
        bool own = rp_buffer_can_change(&g->buffers[i]) && !in_arena(&g->buffers[i]);
        s->space[i] = own ? s->count++ : 0;
    }
    return s->space != NULL;
}

static rp_step_kind kind(const void *program, uint32_t node) {
    const rp_graph_node *n = &((const spaced *)program)->graph->nodes[node];
    return n->kind == RP_FENCE ? RP_STEP_FENCE : n->unknown ? RP_STEP_UNKNOWN : RP_STEP_WORK;
}

typedef struct uses {
    rp_walk_visit *visit;
    void *context;
    const rp_graph *graph;
} uses;

static bool on_use(void *context, const rp_graph_node *node, uint32_t use) {
    const uses *u = context;
    const rp_graph_use *g = &u->graph->uses[use];
    if (!rp_buffer_can_change(&u->graph->buffers[g->buffer])) return true;
    const rp_walk_use walked = {g->buffer, g->offset, g->size, rp_use_read_scope(node, g),
                                rp_use_write_scope(node, g)};
    return u->visit(u->context, &walked);
}

static bool visit_uses(const void *program, uint32_t node, rp_walk_visit *visit, void *context) {
    const rp_graph *g = ((const spaced *)program)->graph;
    uses u = {visit, context, g};
    return rp_node_visit_uses(g, &g->nodes[node], on_use, &u);
}

static rp_walk_buffer place(const void *program, uint32_t buffer) {
    const spaced *s = program;
    const rp_graph_buffer *b = &s->graph->buffers[buffer];
    return (rp_walk_buffer){.space = s->space[buffer],
                            .base = in_arena(b) ? b->offset : 0,
                            .size = b->size,
                            .result = !b->removed && rp_buffer_has_result(b)};
}

static rp_status walk(const rp_graph *graph, rp_hazard_visit *visit, void *context) {
    spaced s = {.graph = graph};
    if (!number_spaces(&s)) return RP_ERROR_NO_MEMORY;
    const rp_walk_source source = {.allocator = &graph->allocator,
                                   .program = &s,
                                   .node_count = graph->nodes_count,
                                   .buffer_count = graph->buffers_count,
                                   .space_count = s.count,
                                   .kind = kind,
                                   .uses = visit_uses,
                                   .buffer = place};
    rp_status status = rp_walk_hazards(&source, visit, context);
    rp_release(&graph->allocator, s.space);
    return status;
}

/* ---- What is known already ------------------------------------------------------------------- */

typedef struct list {
    const rp_allocator *a;
    RP_ARRAY(rp_hazard, items);
    rp_hazard_visit *visit; /* who else wants them; NULL: nobody */
    void *context;
} list;

struct rp_known_hazards {
    uint64_t key; /* of the graph that was walked */
    list list;
};

static rp_status keep(void *context, const rp_hazard *hazard) {
    list *l = context;
    if (!RP_RESERVE(l->a, l->items, l->items_count, l->items_capacity, 1))
        return RP_ERROR_NO_MEMORY;
    l->items[l->items_count++] = *hazard;
    return l->visit ? l->visit(l->context, hazard) : RP_OK;
}

/* Most uses have one hazard or two: what grows is copied again and again. */
static rp_status make_list(const rp_graph *graph, list *l) {
    l->a = &graph->allocator;
    if (!RP_RESERVE(l->a, l->items, 0, l->items_capacity, graph->uses_count))
        return RP_ERROR_NO_MEMORY;
    return walk(graph, keep, l);
}

typedef struct hasher {
    uint64_t hash;
    uint32_t count;
    uint64_t row[256];
} hasher;

static void fold(hasher *h) {
    h->hash = rp_hash_mix(h->hash, h->row, h->count * sizeof *h->row);
    h->count = 0;
}

static void number(hasher *h, uint64_t value) {
    h->row[h->count++] = value;
    if (h->count == sizeof h->row / sizeof *h->row) fold(h);
}

/* Of everything that the walk asks of a graph. */
static uint64_t key_of(const rp_graph *g) {
    hasher h;
    h.hash = h.count = 0;
    number(&h, (uint64_t)g->nodes_count << 32 | g->buffers_count);
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        const rp_graph_buffer *b = &g->buffers[i];
        number(&h, (uint64_t)b->kind << 2 | (uint32_t)b->tagged << 1 | b->removed);
        number(&h, b->size);
        number(&h, b->offset);
    }
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        const rp_graph_node *n = &g->nodes[i];
        number(&h, (uint64_t)n->use_count << 32 | (uint32_t)n->kind << 1 | n->unknown);
        for (uint32_t k = 0; k < n->use_count; k++) {
            const rp_graph_use *u = &rp_node_uses(g, n)[k];
            number(&h, (uint64_t)u->buffer << 32 | (uint32_t)u->access << 1 | u->indirect);
            number(&h, u->offset);
            number(&h, u->size);
        }
    }
    fold(&h);
    return h.hash;
}

void rp_hazards_forget(rp_graph *graph) {
    if (graph->known) rp_release(&graph->allocator, graph->known->list.items);
    rp_release(&graph->allocator, graph->known);
    graph->known = NULL;
}

rp_status rp_hazards_keep(rp_graph *graph, rp_hazard_visit *visit, void *context) {
    rp_hazards_forget(graph);
    graph->known = rp_alloc_zero(&graph->allocator, 1, sizeof *graph->known);
    if (!graph->known) return RP_ERROR_NO_MEMORY;
    graph->known->key = key_of(graph);
    graph->known->list.visit = visit;
    graph->known->list.context = context;
    rp_status status = make_list(graph, &graph->known->list);
    if (status != RP_OK) rp_hazards_forget(graph);
    return status;
}

static const list *known_list(const rp_graph *graph) {
    return graph->known && graph->known->key == key_of(graph) ? &graph->known->list : NULL;
}

rp_status rp_hazards_list(const rp_graph *graph, const rp_hazard **out_list, uint32_t *out_count,
                          rp_hazard **out_made) {
    const list *known = known_list(graph);
    list own = {0};
    rp_status status = known ? RP_OK : make_list(graph, &own);
    if (status != RP_OK) {
        rp_release(&graph->allocator, own.items);
        own = (list){0};
    }
    *out_made = own.items;
    *out_list = known ? known->items : own.items;
    *out_count = known ? known->items_count : own.items_count;
    return status;
}

rp_status rp_hazards_walk(const rp_graph *graph, rp_hazard_visit *visit, void *context) {
    const list *known = known_list(graph);
    if (!known) return walk(graph, visit, context);
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < known->items_count && status == RP_OK; i++)
        status = visit(context, &known->items[i]);
    return status;
}
