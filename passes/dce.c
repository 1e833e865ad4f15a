/* dce: drops nodes whose writes reach no output.
 *
 * Works backwards over bytes, not over buffers: a map says which bytes of each buffer are still
 * wanted. All bytes of out and inout buffers are wanted at the end. A node is kept when it writes a
 * wanted byte; what it overwrites is then wanted no longer, what it reads is. Working on whole
 * buffers would keep a producer of the first half because somebody reads the second.
 *
 * A node without declared uses may read anything: it is kept, and everything before it is wanted.
 * Fences are kept: they order what the graph does not show. Transients, kernels and
 * samplers that no node is left to use go as well. Cost: O(uses log pieces).
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

/* What the nodes that are left use: by index. */
typedef struct used {
    bool *buffer, *kernel;
    uint32_t
        *sampler; /* 1 of one that is used; later the index that it has then. One more than there
                        * are: nodes that are gone may still name the first of none */
} used;

/* False where a node may use any of them. */
static bool mark_used(const rp_graph *g, used *u) {
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        const rp_graph_node *n = &g->nodes[i];
        if (n->unknown) return false;
        if (n->kind == RP_RUN) u->kernel[n->kernel] = true;
        for (uint32_t k = 0; k < n->use_count; k++) u->buffer[rp_node_uses(g, n)[k].buffer] = true;
        for (uint32_t k = 0; k < n->sampler_count; k++)
            u->sampler[g->sampler_refs[n->first_sampler + k]] = 1;
    }
    return true;
}

/* Samplers are no memory whose place would mean something: those that are left move up. */
static uint32_t drop_samplers(rp_graph *g, uint32_t *marks) {
    uint32_t kept = 0, count = g->samplers_count;
    for (uint32_t i = 0; i < count; i++) {
        bool stays = marks[i] != 0;
        marks[i] = stays ? kept : 0;
        if (stays) g->samplers[kept++] = g->samplers[i];
    }
    for (uint32_t i = 0; i < g->sampler_refs_count; i++)
        g->sampler_refs[i] = marks[g->sampler_refs[i]];
    g->samplers_count = kept;
    return count - kept;
}

/* Drops what nothing uses any more; returns how many. */
static uint32_t drop_unused(rp_graph *g, used *u) {
    uint32_t dropped = 0;
    if (!mark_used(g, u)) return 0;
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        rp_graph_buffer *b = &g->buffers[i];
        if (b->kind != RP_TMP || b->removed || u->buffer[i]) continue;
        b->removed = true;
        dropped++;
    }
    for (uint32_t i = 0; i < g->kernels_count; i++) {
        if (g->kernels[i].removed || u->kernel[i]) continue;
        g->kernels[i].removed = true;
        dropped++;
    }
    return dropped + drop_samplers(g, u->sampler);
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
    used u = {.buffer = rp_alloc_zero(a, buffers, sizeof *u.buffer),
              .kernel = rp_alloc_zero(a, graph->kernels_count, sizeof *u.kernel),
              .sampler = rp_alloc_zero(a, graph->samplers_count + 1, sizeof *u.sampler)};
    bool room = s.wanted && keep && u.buffer && u.kernel && u.sampler;
    rp_status status = room ? RP_OK : RP_ERROR_NO_MEMORY;
    uint32_t nodes = 0, others = 0;
    if (status == RP_OK) status = sweep(&s, keep, &nodes);
    if (status == RP_OK) others = drop_unused(graph, &u);
    for (uint32_t i = 0; s.wanted && i < buffers; i++) rp_interval_map_free(a, &s.wanted[i]);
    rp_release(a, s.wanted);
    rp_release(a, keep);
    rp_release(a, u.buffer);
    rp_release(a, u.kernel);
    rp_release(a, u.sampler);
    if (status != RP_OK) return status;

    *out_changed = nodes || others;
    rp_text_format(context->summary,
                   "%u nodes reach no output, %u transients, kernels and samplers unused", nodes,
                   others);
    return RP_OK;
}
