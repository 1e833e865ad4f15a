/* dce: drops nodes whose writes reach no output.
 *
 * Works backwards over bytes, not over buffers: a map says which bytes of each buffer are still
 * wanted. All bytes of out and inout buffers are wanted at the end. A node is kept when it writes a
 * wanted byte; what it overwrites is then wanted no longer, what it reads is. Working on whole
 * buffers would keep a producer of the first half because somebody reads the second.
 *
 * A node without declared uses may read anything: it is kept, and everything before it is wanted.
 * Fences are kept: they order what the graph does not show. Transients and kernels that no node is
 * left to use go as well. Cost: O(uses log pieces).
 */
#include "pass.h"

#include "base/interval_map.h"

enum { WANTED = 1 };

typedef struct state {
    rp_graph *graph;
    rp_interval_map *wanted; /* per buffer */
    bool found;
} state;

static uint32_t look(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    state *s = context;
    (void)lo, (void)hi;
    if (value == WANTED) s->found = true;
    return value;
}

static bool want(state *s, uint32_t buffer, uint64_t lo, uint64_t hi, uint32_t value) {
    return rp_interval_map_set(&s->graph->allocator, &s->wanted[buffer], lo, hi, value);
}

static bool want_everything(state *s) {
    for (uint32_t i = 0; i < s->graph->buffers_count; i++)
        if (!want(s, i, 0, s->graph->buffers[i].size, WANTED)) return false;
    return true;
}

static bool is_wanted(state *s, const rp_graph_node *node) {
    if (rp_node_orders_all(node)) return true;
    s->found = false;
    for (uint32_t i = 0; i < node->use_count && !s->found; i++) {
        const rp_graph_use *u = &rp_node_uses(s->graph, node)[i];
        if (rp_access_writes(u->access))
            rp_interval_map_each(&s->wanted[u->buffer], u->offset, u->offset + u->size, look, s);
    }
    return s->found;
}

/* Moves the wanted bytes to before a node that is kept. */
static bool step_over(state *s, const rp_graph_node *node) {
    if (node->unknown) return want_everything(s);
    const rp_graph_use *uses = rp_node_uses(s->graph, node);
    for (uint32_t i = 0; i < node->use_count; i++)
        if (rp_use_overwrites(node, &uses[i]) &&
            !want(s, uses[i].buffer, uses[i].offset, uses[i].offset + uses[i].size, RP_ABSENT))
            return false;
    for (uint32_t i = 0; i < node->use_count; i++)
        if (!rp_use_overwrites(node, &uses[i]) &&
            !want(s, uses[i].buffer, uses[i].offset, uses[i].offset + uses[i].size, WANTED))
            return false;
    return true;
}

/* Marks transients and kernels that nothing uses any more; returns how many. */
static uint32_t drop_unused(rp_graph *g, bool *used_buffer, bool *used_kernel) {
    uint32_t dropped = 0;
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        const rp_graph_node *n = &g->nodes[i];
        if (n->kind == RP_RUN) used_kernel[n->kernel] = true;
        for (uint32_t u = 0; u < n->use_count; u++)
            used_buffer[rp_node_uses(g, n)[u].buffer] = true;
        if (n->unknown) return 0; /* it may use any of them */
    }
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        rp_graph_buffer *b = &g->buffers[i];
        if (b->kind != RP_TMP || b->removed || used_buffer[i]) continue;
        b->removed = true;
        dropped++;
    }
    for (uint32_t i = 0; i < g->kernels_count; i++) {
        if (g->kernels[i].removed || used_kernel[i]) continue;
        g->kernels[i].removed = true;
        dropped++;
    }
    return dropped;
}

static rp_status sweep(state *s, uint8_t *keep, uint32_t *out_dropped) {
    rp_graph *g = s->graph;
    for (uint32_t i = 0; i < g->buffers_count; i++)
        if (rp_buffer_has_result(&g->buffers[i]) && !want(s, i, 0, g->buffers[i].size, WANTED))
            return RP_ERROR_NO_MEMORY;
    for (uint32_t i = g->nodes_count; i--;) {
        keep[i] = is_wanted(s, &g->nodes[i]);
        if (keep[i] && !step_over(s, &g->nodes[i])) return RP_ERROR_NO_MEMORY;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < g->nodes_count; i++)
        if (keep[i]) g->nodes[kept++] = g->nodes[i];
    *out_dropped = g->nodes_count - kept;
    g->nodes_count = kept;
    return RP_OK;
}

rp_status rp_pass_dce(rp_graph *graph, rp_pass_context *context, bool *out_changed) {
    const rp_allocator *a = &graph->allocator;
    if (graph->stages) {
        rp_diags_add(context->diags, RP_ERROR, NULL, 0, 0,
                     "pass dce needs nodes in source order: run it before schedule");
        return RP_ERROR_INVALID;
    }
    uint32_t buffers = graph->buffers_count;
    state s = {.graph = graph, .wanted = rp_alloc_zero(a, buffers, sizeof *s.wanted)};
    uint8_t *keep = rp_alloc(a, graph->nodes_count, 1);
    bool *used_buffer = rp_alloc_zero(a, buffers, sizeof *used_buffer);
    bool *used_kernel = rp_alloc_zero(a, graph->kernels_count, sizeof *used_kernel);
    rp_status status = s.wanted && keep && used_buffer && used_kernel ? RP_OK : RP_ERROR_NO_MEMORY;
    uint32_t nodes = 0, others = 0;
    if (status == RP_OK) status = sweep(&s, keep, &nodes);
    if (status == RP_OK) others = drop_unused(graph, used_buffer, used_kernel);
    for (uint32_t i = 0; s.wanted && i < buffers; i++) rp_interval_map_free(a, &s.wanted[i]);
    rp_release(a, s.wanted);
    rp_release(a, keep);
    rp_release(a, used_buffer);
    rp_release(a, used_kernel);
    if (status != RP_OK) return status;

    *out_changed = nodes || others;
    rp_text_format(context->summary, "%u nodes reach no output, %u transients and kernels unused",
                   nodes, others);
    return RP_OK;
}
