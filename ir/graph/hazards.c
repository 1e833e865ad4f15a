/* A scheduled graph as the walk over hazards sees it; see hazards.h. */
#include "graph/hazards.h"

static rp_step_kind kind(const void *program, uint32_t node) {
    const rp_graph_node *n = &((const rp_graph *)program)->nodes[node];
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
    const rp_graph *g = program;
    uses u = {visit, context, g};
    return rp_node_visit_uses(g, &g->nodes[node], on_use, &u);
}

/* One space per buffer, and one for the arena behind them. */
static rp_walk_buffer place(const void *program, uint32_t buffer) {
    const rp_graph *g = program;
    const rp_graph_buffer *b = &g->buffers[buffer];
    bool in_arena = b->kind == RP_TMP && b->offset != RP_NOT_PLACED;
    return (rp_walk_buffer){.space = in_arena ? g->buffers_count : buffer,
                            .base = in_arena ? b->offset : 0,
                            .size = b->size,
                            .result = !b->removed && rp_buffer_has_result(b)};
}

rp_status rp_hazards_walk(const rp_graph *graph, rp_hazard_visit *visit, void *context) {
    const rp_walk_source source = {.allocator = &graph->allocator,
                                   .program = graph,
                                   .node_count = graph->nodes_count,
                                   .buffer_count = graph->buffers_count,
                                   .space_count = graph->buffers_count + 1,
                                   .kind = kind,
                                   .uses = visit_uses,
                                   .buffer = place};
    return rp_walk_hazards(&source, visit, context);
}
