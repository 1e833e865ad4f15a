/* sync: the fewest barriers, one global memory barrier per group boundary, each with the narrowest
 * scopes.
 *
 * Every hazard from group i to group j must find a boundary b with i < b <= j whose source scope
 * holds its source bit and whose destination scope holds its destination bit. Hazards arrive in the
 * order of j. One that no boundary covers yet is given to boundary j, the last it can use.
 *
 * Why no bit is superfluous: when a bit is added to boundary j for some hazard, no earlier boundary
 * covers that hazard, earlier boundaries are not touched again, and later ones lie behind j. So
 * the hazard depends on j, and on both of its bits there, for good. (This is interval stabbing by
 * right end, with several colours of points.) The same holds for the boundary between two replays,
 * which is treated last: it gets only what the boundaries on both of its sides do not cover.
 *
 * Boundaries that end up without scopes order nothing: their groups become one.
 */
#include "pass.h"

#include "graph/hazards.h"

typedef struct state {
    rp_graph *graph;
    rp_graph_barrier *barriers; /* group_count + 1 */
    /* The latest boundary that covers source bit, destination bit; 0: none. */
    uint32_t last[RP_SCOPE_BITS][RP_SCOPE_BITS];
    /* The first, RP_NONE: none; valid once `inner_done`. */
    uint32_t first[RP_SCOPE_BITS][RP_SCOPE_BITS];
    uint32_t last_full, first_full; /* the same for boundaries that order everything */
    bool inner_done;
} state;

static uint32_t bit_index(uint32_t bit) {
    return (uint32_t)__builtin_ctz(bit);
}

/* Whether a source scope covers an access: writes must be made available, for reads the execution
 * dependency on their stage is enough. */
static bool covers_src(uint32_t src, uint32_t bit) {
    bool one_read = (bit & (bit - 1)) == 0 && !(bit & rp_scope_writes());
    return one_read ? src & rp_scope_stage(bit) : (src & bit) == bit;
}

static bool is_full(const rp_graph_barrier *b) {
    const uint32_t src = rp_scope_normalise_src(RP_SCOPE_ANY);
    return (b->dst & RP_SCOPE_ANY) == RP_SCOPE_ANY && (b->src & src) == src;
}

/* Records what boundary `at` covers now. */
static void note_cover(state *s, uint32_t at) {
    const rp_graph_barrier *b = &s->barriers[at];
    for (uint32_t i = 0; i < RP_SCOPE_BITS; i++) {
        if (!covers_src(b->src, 1u << i)) continue;
        for (uint32_t j = 0; j < RP_SCOPE_BITS; j++)
            if (b->dst & 1u << j) s->last[i][j] = at;
    }
    if (is_full(b)) s->last_full = at;
}

static void widen(rp_graph_barrier *b, const rp_hazard *h) {
    if (!covers_src(b->src, h->src)) b->src = rp_scope_normalise_src(b->src | h->src);
    b->dst |= h->dst;
}

/* From here on the inner boundaries are final: find the first cover of each pair of bits. */
static void close_inner(state *s) {
    s->inner_done = true;
    s->first_full = RP_NONE;
    for (uint32_t i = 0; i < RP_SCOPE_BITS; i++)
        for (uint32_t j = 0; j < RP_SCOPE_BITS; j++) s->first[i][j] = RP_NONE;
    for (uint32_t at = s->graph->group_count - 1; at >= 1 && at != RP_NONE; at--) {
        const rp_graph_barrier *b = &s->barriers[at];
        for (uint32_t i = 0; i < RP_SCOPE_BITS; i++)
            for (uint32_t j = 0; j < RP_SCOPE_BITS; j++)
                if (covers_src(b->src, 1u << i) && (b->dst & 1u << j)) s->first[i][j] = at;
        if (is_full(b)) s->first_full = at;
    }
}

static bool covered_across_replays(const state *s, const rp_hazard *h, uint32_t from, uint32_t to) {
    const rp_graph_barrier *between = &s->barriers[0];
    if (h->kind == RP_ORDER)
        return is_full(between) || s->last_full > from ||
               (s->first_full != RP_NONE && s->first_full <= to);
    uint32_t i = bit_index(h->src), j = bit_index(h->dst);
    return (covers_src(between->src, h->src) && (between->dst & h->dst)) || s->last[i][j] > from ||
           (s->first[i][j] != RP_NONE && s->first[i][j] <= to);
}

static rp_status visit(void *context, const rp_hazard *h) {
    state *s = context;
    const rp_graph *g = s->graph;
    uint32_t from = g->nodes[h->from].group;
    if (h->to == RP_HAZARD_HOST) { /* always the last boundary: only it has host scopes */
        widen(&s->barriers[g->group_count], h);
        return RP_OK;
    }
    uint32_t to = g->nodes[h->to].group;
    if (h->next_replay) {
        if (!s->inner_done) close_inner(s);
        if (!covered_across_replays(s, h, from, to)) widen(&s->barriers[0], h);
        return RP_OK;
    }
    bool covered = h->kind == RP_ORDER ? s->last_full > from
                                       : s->last[bit_index(h->src)][bit_index(h->dst)] > from;
    if (covered || to == 0) return RP_OK;
    widen(&s->barriers[to], h);
    note_cover(s, to);
    return RP_OK;
}

/* -O0: everything waits for everything. */
static void full_barriers(state *s) {
    const rp_graph *g = s->graph;
    for (uint32_t i = 0; i < g->group_count; i++)
        s->barriers[i] = (rp_graph_barrier){rp_scope_normalise_src(RP_SCOPE_ANY), RP_SCOPE_ANY};
    for (uint32_t i = 0; i < g->buffers_count; i++)
        if (rp_buffer_has_result(&g->buffers[i]))
            s->barriers[g->group_count] = (rp_graph_barrier){rp_scope_writes(), RP_SCOPE_HOST_R};
}

/* Joins groups that no barrier separates. Returns how many went. */
static uint32_t merge_groups(state *s) {
    rp_graph *g = s->graph;
    uint32_t kept = 0, node = 0;
    for (uint32_t group = 0; group < g->group_count; group++) {
        bool absent = group > 0 && s->barriers[group].src == 0 && s->barriers[group].dst == 0;
        if (!absent) s->barriers[kept++] = s->barriers[group];
        for (; node < g->nodes_count && g->nodes[node].group == group; node++)
            g->nodes[node].group = kept - 1;
    }
    s->barriers[kept] = s->barriers[g->group_count];
    uint32_t gone = g->group_count - kept;
    g->group_count = kept;
    return gone;
}

static bool same_barriers(const rp_graph *g, const rp_graph_barrier *barriers, uint32_t count) {
    if (!(g->stages & RP_STAGE_SYNCED) || g->barriers_count != count) return false;
    for (uint32_t i = 0; i < count; i++)
        if (g->barriers[i].src != barriers[i].src || g->barriers[i].dst != barriers[i].dst)
            return false;
    return true;
}

rp_status rp_pass_sync(rp_graph *graph, rp_pass_context *context, bool *out_changed) {
    const rp_allocator *a = &graph->allocator;
    uint32_t count = graph->group_count + 1;
    state s = {.graph = graph, .barriers = rp_alloc_zero(a, count, sizeof *s.barriers)};
    if (!s.barriers) return RP_ERROR_NO_MEMORY;
    uint32_t merged = 0;
    rp_status status = RP_OK;
    if (context->mode == 1)
        full_barriers(&s);
    else
        status = rp_hazards_walk(graph, visit, &s);
    if (status == RP_OK && context->mode == 0) merged = merge_groups(&s);
    count = graph->group_count + 1;
    if (status == RP_OK) *out_changed = merged || !same_barriers(graph, s.barriers, count);
    if (status == RP_OK && !RP_RESERVE(a, graph->barriers, 0, graph->barriers_capacity, count))
        status = RP_ERROR_NO_MEMORY;
    if (status == RP_OK) {
        memcpy(graph->barriers, s.barriers, count * sizeof *s.barriers);
        graph->barriers_count = count;
        graph->stages |= RP_STAGE_SYNCED;
        rp_text_format(context->summary, "%u barriers between %u groups",
                       graph->group_count ? graph->group_count - 1 : 0, graph->group_count);
        if (merged) rp_text_format(context->summary, ", %u boundaries ordered nothing", merged);
    }
    rp_release(a, s.barriers);
    return status;
}
