/* What the stages of a graph promise (groups, arena offsets, barriers), and the warnings for bytes
 * that are read before anything wrote them and for bytes of results that nothing writes.
 *
 * The warnings follow the meaning of the graph, not its schedule: nodes are walked in source order,
 * and an interval map for each transient and output tells which of its bytes were written. Most
 * buffers are written as a whole first; for those one flag replaces the map. */
#include "graph/verify.h"

#include "base/checked.h"
#include "base/interval_map.h"
#include "graph/deps.h"

static const rp_source_pos nowhere = {0, 0};

static void verify_groups(rp_verifier *v) {
    const rp_graph *g = v->graph;
    uint32_t next = 0; /* groups that have begun */
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        const rp_graph_node *n = &g->nodes[i];
        if (n->group >= g->group_count) {
            rp_verify_error(v, n->pos, "n%u is in group %u of %u", n->id, n->group, g->group_count);
            return;
        }
        if (next > 0 && n->group < next - 1)
            rp_verify_error(v, n->pos, "n%u of group %u stands behind group %u", n->id, n->group,
                            next - 1);
        if (n->group > next) rp_verify_error(v, n->pos, "group %u has no nodes", next);
        if (n->group >= next) next = n->group + 1;
    }
    if (next < g->group_count) rp_verify_error(v, nowhere, "group %u has no nodes", next);
}

static void verify_placement(rp_verifier *v) {
    const rp_graph *g = v->graph;
    bool placed = g->stages & RP_STAGE_PLACED;
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        const rp_graph_buffer *b = &g->buffers[i];
        const char *name = rp_graph_string(g, b->name);
        if (b->removed || b->kind != RP_TMP) continue;
        if (!placed) {
            if (b->offset != RP_NOT_PLACED)
                rp_verify_error(v, b->pos, "%%%.60s has an offset in a graph that is not placed",
                                name);
        } else if (b->offset == RP_NOT_PLACED) {
            rp_verify_error(v, b->pos, "%%%.60s has no offset in a placed graph", name);
        } else if (rp_buffer_is_image(b)) {
            if (b->offset >= g->buffers_count)
                rp_verify_error(v, b->pos,
                                "%%%.60s is in alias set %llu, more than there are buffers", name,
                                (unsigned long long)b->offset);
        } else if (b->offset % RP_ARENA_ALIGNMENT) {
            rp_verify_error(v, b->pos, "%%%.60s at %llu; offsets are multiples of %d", name,
                            (unsigned long long)b->offset, RP_ARENA_ALIGNMENT);
        } else if (!rp_range_inside(b->offset, rp_buffer_footprint(b), g->arena_bytes)) {
            rp_verify_error(v, b->pos, "%%%.60s ends behind the arena of %llu bytes", name,
                            (unsigned long long)g->arena_bytes);
        }
    }
}

static void verify_barriers(rp_verifier *v) {
    const rp_graph *g = v->graph;
    uint32_t wanted = g->stages & RP_STAGE_SYNCED ? g->group_count + 1 : 0;
    if (g->barriers_count != wanted) {
        rp_verify_error(v, nowhere, "%u barriers are stored where %u belong", g->barriers_count,
                        wanted);
        return;
    }
    uint32_t tagged = rp_graph_has_tags(g) ? wanted : 0;
    if (g->tagged_barriers_count != tagged) {
        rp_verify_error(v, nowhere, "%u barriers of the tagged form are stored where %u belong",
                        g->tagged_barriers_count, tagged);
        return;
    }
    for (uint32_t i = 0; i < wanted; i++) {
        uint32_t scopes = g->barriers[i].src | g->barriers[i].dst;
        if (tagged) scopes |= g->tagged_barriers[i].src | g->tagged_barriers[i].dst;
        if (scopes & ~(uint32_t)RP_SCOPE_ALL)
            rp_verify_error(v, nowhere, "the barrier before group %u has an unknown scope", i);
    }
}

void rp_verify_stages(rp_verifier *v) {
    const rp_graph *g = v->graph;
    bool scheduled = g->stages & RP_STAGE_SCHEDULED;
    if (!scheduled && g->stages)
        rp_verify_error(v, nowhere, "a graph that is placed or synced is also scheduled");
    if (scheduled)
        verify_groups(v);
    else if (g->group_count)
        rp_verify_error(v, nowhere, "a graph with groups is scheduled");
    verify_placement(v);
    verify_barriers(v);
}

/* ---- Bytes that nothing wrote ---------------------------------------------------------------- */

/* What is known about one buffer. */
typedef struct written {
    bool whole, warned;
    rp_interval_map map; /* written bytes, while not the whole */
} written;

typedef struct gap {
    bool found;
    uint64_t lo, hi;
} gap;

static uint32_t find_gap(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    gap *first = context;
    if (value == RP_ABSENT && !first->found) *first = (gap){true, lo, hi};
    return value;
}

static void warn_read(rp_verifier *v, const rp_graph_node *n, const rp_graph_use *u, written *w) {
    gap first = {0};
    rp_interval_map_each(&w->map, u->offset, u->offset + u->size, find_gap, &first);
    if (!first.found) return;
    w->warned = true;
    rp_diags_add(v->diags, RP_WARNING, v->file, n->pos.line, n->pos.column,
                 "n%u: %s: no node before it wrote the bytes %llu to %llu", n->id,
                 rp_show_use(v->graph, u).text, (unsigned long long)first.lo,
                 (unsigned long long)first.hi);
}

typedef struct bytes_walk {
    rp_verifier *v;
    written *state; /* per buffer */
} bytes_walk;

static bool walk_use(void *context, const rp_graph_node *n, uint32_t use) {
    bytes_walk *b = context;
    const rp_graph *g = b->v->graph;
    const rp_graph_use *u = &g->uses[use];
    uint8_t kind = g->buffers[u->buffer].kind;
    written *w = &b->state[u->buffer];
    if (w->whole || (kind != RP_TMP && kind != RP_OUT)) return true;
    if (rp_buffer_is_empty(g, &g->buffers[u->buffer])) return true;
    if (!w->warned && rp_access_reads(u->access)) warn_read(b->v, n, u, w);
    if (!rp_access_writes(u->access)) return true;
    w->whole = u->size == g->buffers[u->buffer].size;
    return w->whole ||
           rp_interval_map_set(&g->allocator, &w->map, u->offset, u->offset + u->size, 0);
}

enum { GAPS_NAMED = 4 };

typedef struct unwritten {
    uint64_t lo[GAPS_NAMED], hi[GAPS_NAMED], bytes;
    uint32_t count;
} unwritten;

static uint32_t add_gap(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    unwritten *u = context;
    if (value != RP_ABSENT) return value;
    if (u->count < GAPS_NAMED) u->lo[u->count] = lo, u->hi[u->count] = hi;
    u->bytes += hi - lo;
    u->count++;
    return value;
}

/* A result with bytes that no node writes. Those of an inout buffer are the host's. Said of the
 * source: a compiled graph writes the same. */
static void warn_result(rp_verifier *v, const rp_graph_buffer *b, const written *w) {
    unwritten u = {.count = 0};
    if (w->whole || b->removed || b->kind != RP_OUT || rp_buffer_is_empty(v->graph, b)) return;
    rp_interval_map_each(&w->map, 0, b->size, add_gap, &u);
    if (u.count == 0) return;
    rp_text text;
    rp_text_init(&text, &v->graph->allocator);
    rp_text_format(&text, "$%s is a result, and no node writes ",
                   rp_graph_string(v->graph, b->name));
    if (u.bytes == b->size)
        rp_text_string(&text, "it");
    else
        rp_text_format(&text, "%llu of its %llu bytes:", (unsigned long long)u.bytes,
                       (unsigned long long)b->size);
    for (uint32_t i = 0; u.bytes < b->size && i < u.count && i < GAPS_NAMED; i++)
        rp_text_format(&text, "%s %llu to %llu", i ? "," : "", (unsigned long long)u.lo[i],
                       (unsigned long long)u.hi[i]);
    if (u.count > GAPS_NAMED) rp_text_string(&text, ", ...");
    if (text.failed)
        v->status = RP_ERROR_NO_MEMORY;
    else
        rp_diags_add(v->diags, RP_WARNING, v->file, b->pos.line, b->pos.column, "%s", text.data);
    rp_text_free(&text);
}

void rp_verify_reads(rp_verifier *v) {
    const rp_graph *g = v->graph;
    if (!v->diags) return;
    for (uint32_t i = 0; i < g->nodes_count; i++)
        if (g->nodes[i].unknown) return; /* it may have written anything */
    uint32_t *order = rp_alloc(&g->allocator, g->nodes_count, sizeof *order);
    written *state = rp_alloc_zero(&g->allocator, g->buffers_count, sizeof *state);
    bool room = order && state && rp_source_order(g, order);
    bytes_walk walk = {v, state};
    for (uint32_t i = 0; room && i < g->nodes_count; i++)
        room = rp_node_visit_uses(g, &g->nodes[order[i]], walk_use, &walk);
    for (uint32_t i = 0; room && g->stages == 0 && i < g->buffers_count; i++)
        warn_result(v, &g->buffers[i], &state[i]);
    for (uint32_t i = 0; state && i < g->buffers_count; i++)
        rp_interval_map_free(&g->allocator, &state[i].map);
    rp_release(&g->allocator, state);
    rp_release(&g->allocator, order);
    if (!room) v->status = RP_ERROR_NO_MEMORY;
}
