/* Counts, and the two bounds that tell how good a schedule and a placement are.
 *
 * The barrier bound is the longest dependency path: with global barriers on one queue every
 * dependency crosses a barrier, so no order of the nodes needs fewer. The arena bound is the most
 * bytes alive in one group: nodes of a group run at the same time, so what they use is alive
 * together. */
#include "graph/graph.h"

#include "base/checked.h"
#include "base/sized.h"
#include "graph/deps.h"

static void count_nodes(const rp_graph *g, rp_graph_stats *s) {
    s->nodes = g->nodes_count;
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        const rp_graph_node *n = &g->nodes[i];
        s->unknown += n->unknown;
        switch ((rp_node_kind)n->kind) {
        case RP_RUN:
        case RP_OP: s->dispatches++; break;
        case RP_COPY:
        case RP_FILL:
        case RP_UPDATE:
        case RP_BLIT:
        case RP_CLEAR: s->transfers++; break;
        case RP_FENCE: break;
        }
    }
    const rp_graph_barrier *tagged = rp_graph_form(g, RP_FORM_TAGGED);
    for (uint32_t i = 1; i < g->group_count && i < g->barriers_count; i++) {
        s->barriers += g->barriers[i].src != 0 || g->barriers[i].dst != 0;
        s->tagged_barriers += tagged[i].src != 0 || tagged[i].dst != 0;
    }
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        if (g->buffers[i].tagged && !g->buffers[i].removed) {
            s->tagged++;
            s->tagged_bytes += rp_buffer_footprint(&g->buffers[i]);
        }
    }
}

static uint64_t rounded(const rp_graph_buffer *b) {
    uint64_t size = rp_buffer_footprint(b);
    return rp_align_u64(size, RP_ARENA_ALIGNMENT, &size) ? size : rp_buffer_footprint(b);
}

static rp_status bound_arena(const rp_graph *g, rp_graph_stats *s) {
    const rp_allocator *a = &g->allocator;
    uint32_t *first = rp_alloc(a, g->buffers_count, sizeof *first);
    uint32_t *last = rp_alloc_zero(a, g->buffers_count, sizeof *last);
    uint64_t *delta = rp_alloc_zero(a, (size_t)g->group_count + 1, sizeof *delta);
    rp_status status = first && last && delta ? RP_OK : RP_ERROR_NO_MEMORY;
    if (status == RP_OK) {
        for (uint32_t i = 0; i < g->buffers_count; i++) first[i] = RP_NONE;
        for (uint32_t i = 0; i < g->nodes_count; i++) {
            const rp_graph_node *n = &g->nodes[i];
            for (uint32_t u = 0; u < n->use_count; u++) {
                uint32_t b = rp_node_uses(g, n)[u].buffer;
                if (n->group < first[b]) first[b] = n->group;
                if (n->group > last[b]) last[b] = n->group;
            }
        }
        for (uint32_t i = 0; i < g->buffers_count; i++) {
            if (first[i] == RP_NONE || !rp_buffer_in_arena(&g->buffers[i])) continue;
            if (g->buffers[i].tagged) first[i] = 0, last[i] = g->group_count - 1;
            delta[first[i]] += rounded(&g->buffers[i]); /* wraps around, sums come out right */
            delta[last[i] + 1] -= rounded(&g->buffers[i]);
        }
        uint64_t live = 0;
        for (uint32_t i = 0; i < g->group_count; i++) {
            live += delta[i];
            if (live > s->arena_bound_bytes) s->arena_bound_bytes = live;
        }
    }
    rp_release(a, first);
    rp_release(a, last);
    rp_release(a, delta);
    return status;
}

static rp_status bound_barriers(const rp_graph *g, rp_graph_stats *s) {
    uint32_t deepest;
    RP_TRY(rp_deps_deepest(g, &deepest));
    s->barrier_bound = deepest ? deepest - 1 : 0;
    return RP_OK;
}

rp_status rp_graph_get_stats(const rp_graph *g, rp_graph_stats *out_stats) {
    rp_graph_stats s = {0};
    if (!out_stats || !rp_sized_give(&s, sizeof s, out_stats) || !g) return RP_ERROR_USAGE;
    s.stages = g->stages;
    count_nodes(g, &s);
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        const rp_graph_buffer *b = &g->buffers[i];
        if (b->removed) continue;
        if (rp_buffer_in_arena(b))
            s.transient_bytes += rounded(b);
        else if (b->kind == RP_TMP)
            s.image_bytes += b->size;
        else
            s.external_bytes += b->size;
    }
    if (g->stages & RP_STAGE_SCHEDULED) {
        s.groups = g->group_count;
        RP_TRY(bound_arena(g, &s));
    }
    if (g->stages & RP_STAGE_PLACED) s.arena_bytes = g->arena_bytes;
    RP_TRY(bound_barriers(g, &s));
    return rp_sized_give(&s, sizeof s, out_stats) ? RP_OK : RP_ERROR_USAGE;
}
