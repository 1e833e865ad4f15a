/* What the stages of a graph promise (groups, arena offsets, barriers), and the warning for bytes
 * that are read before anything wrote them.
 *
 * The warning follows the meaning of the graph, not its schedule: nodes are walked in source order,
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
        } else if (b->offset % RP_ARENA_ALIGNMENT) {
            rp_verify_error(v, b->pos, "%%%.60s at %llu; offsets are multiples of %d", name,
                            (unsigned long long)b->offset, RP_ARENA_ALIGNMENT);
        } else if (!rp_range_inside(b->offset, b->size, g->arena_bytes)) {
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
    for (uint32_t i = 0; i < wanted; i++)
        if ((g->barriers[i].src | g->barriers[i].dst) & ~(uint32_t)RP_SCOPE_ALL)
            rp_verify_error(v, nowhere, "the barrier before group %u has an unknown scope", i);
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

/* ---- Reads of bytes that nothing wrote ------------------------------------------------------- */

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

static bool walk_node(rp_verifier *v, const rp_graph_node *n, written *state) {
    const rp_graph *g = v->graph;
    for (uint32_t i = 0; i < n->use_count; i++) {
        const rp_graph_use *u = &rp_node_uses(g, n)[i];
        uint8_t kind = g->buffers[u->buffer].kind;
        written *w = &state[u->buffer];
        if (w->whole || w->warned || (kind != RP_TMP && kind != RP_OUT)) continue;
        if (rp_access_reads(u->access)) warn_read(v, n, u, w);
    }
    for (uint32_t i = 0; i < n->use_count; i++) {
        const rp_graph_use *u = &rp_node_uses(g, n)[i];
        written *w = &state[u->buffer];
        if (w->whole || w->warned || !rp_access_writes(u->access)) continue;
        if (u->size == g->buffers[u->buffer].size)
            w->whole = true;
        else if (!rp_interval_map_set(&g->allocator, &w->map, u->offset, u->offset + u->size, 0))
            return false;
    }
    return true;
}

void rp_verify_reads(rp_verifier *v) {
    const rp_graph *g = v->graph;
    if (!v->diags) return;
    for (uint32_t i = 0; i < g->nodes_count; i++)
        if (g->nodes[i].unknown) return; /* it may have written anything */
    uint32_t *order = rp_alloc(&g->allocator, g->nodes_count, sizeof *order);
    written *state = rp_alloc_zero(&g->allocator, g->buffers_count, sizeof *state);
    bool room = order && state && rp_source_order(g, order);
    for (uint32_t i = 0; room && i < g->nodes_count; i++)
        room = walk_node(v, &g->nodes[order[i]], state);
    for (uint32_t i = 0; state && i < g->buffers_count; i++)
        rp_interval_map_free(&g->allocator, &state[i].map);
    rp_release(&g->allocator, state);
    rp_release(&g->allocator, order);
    if (!room) v->status = RP_ERROR_NO_MEMORY;
}
