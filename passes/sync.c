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
 * With tagged buffers there are two forms. In the form `tagged` the hazards are left out whose later
 * access waits for the earlier one, word by word; the other form has barriers for all, for whoever
 * cannot count on what was started first to end (docs/checker.md). In the form `tagged` many boundaries
 * would be empty, so there a hazard is given to the latest barrier that it can use, and to its last
 * boundary only where there is none: the fewest barriers, with a bit more in some. A replay of either form
 * may follow one of the other, which orders less behind some nodes, or elsewhere: the boundary between two
 * replays, the later one's, gets what the boundaries of some form in front and its own behind do not cover.
 *
 * Boundaries that end up without scopes in every form order nothing: their groups become one, unless an
 * image of the second takes the memory over that one of the first has.
 */
#include "pass.h"

#include "graph/hazards.h"
#include "hazard/cover.h"

/* One form, as its barriers are found. */
typedef struct form_state {
    rp_graph_barrier *barriers; /* group_count + 1; NULL for a form that there is not */
    rp_cover cover;             /* what the latest boundaries cover */
    /* The first boundary that covers source bit, destination bit; RP_NONE: none; and the first that
     * orders everything. Valid once `inner_done`. */
    uint32_t first[RP_SCOPE_BITS][RP_SCOPE_BITS], first_full;
} form_state;

typedef struct state {
    rp_graph *graph;
    form_state forms[RP_FORMS];
    bool inner_done;
} state;

/* From here on the inner boundaries are final: find the first cover of each pair of bits. */
static void close_inner(const rp_graph *g, form_state *f) {
    f->first_full = RP_NONE;
    for (uint32_t i = 0; i < RP_SCOPE_BITS; i++)
        for (uint32_t j = 0; j < RP_SCOPE_BITS; j++) f->first[i][j] = RP_NONE;
    for (uint32_t at = g->group_count - 1; at >= 1 && at != RP_NONE; at--) {
        rp_barrier b = f->barriers[at];
        for (uint32_t src = rp_scope_covered_by_src(b.src); src; src &= src - 1)
            for (uint32_t dst = b.dst; dst; dst &= dst - 1)
                f->first[rp_scope_index(src)][rp_scope_index(dst)] = at;
        if (rp_barrier_is_full(b)) f->first_full = at;
    }
}

/* Whether a replay of the form, behind one of any form, finds the hazard ordered: by its own boundaries
 * up to `to`, or by those that each form has behind `from`. */
static bool covered_across_replays(const state *s, const form_state *f, const rp_hazard *h,
                                   uint32_t from, uint32_t to) {
    bool order = h->kind == RP_ORDER, behind = true;
    uint32_t first =
        order ? f->first_full : f->first[rp_scope_index(h->src)][rp_scope_index(h->dst)];
    for (uint32_t i = 0; i < RP_FORMS; i++)
        behind &= !s->forms[i].barriers ||
                  rp_cover_orders(&s->forms[i].cover, h->kind, h->src, h->dst, from);
    return behind || rp_barrier_covers(f->barriers[0], h->src, h->dst) ||
           (first != RP_NONE && first <= to);
}

static void visit_across(state *s, const rp_hazard *h) {
    uint32_t from = s->graph->nodes[h->from].group, to = s->graph->nodes[h->to].group;
    for (uint32_t i = 0; i < RP_FORMS && !s->inner_done; i++)
        if (s->forms[i].barriers) close_inner(s->graph, &s->forms[i]);
    s->inner_done = true;
    for (uint32_t i = 0; i < RP_FORMS; i++) {
        form_state *f = &s->forms[i];
        if (f->barriers && !covered_across_replays(s, f, h, from, to))
            rp_barrier_widen(&f->barriers[0], h->src, h->dst);
    }
}

static void visit_inner(const rp_graph *g, rp_form form, form_state *f, const rp_hazard *h) {
    uint32_t from = g->nodes[h->from].group;
    if (form == RP_FORM_TAGGED && rp_hazard_waits(g, h)) return;
    if (h->to == RP_HAZARD_HOST) { /* always the last boundary: only it has host scopes */
        rp_barrier_widen(&f->barriers[g->group_count], h->src, h->dst);
        return;
    }
    uint32_t to = g->nodes[h->to].group;
    if (to == 0 || rp_cover_orders(&f->cover, h->kind, h->src, h->dst, from)) return;
    uint32_t at = form == RP_FORM_TAGGED && f->cover.at > from ? f->cover.at : to;
    rp_barrier_widen(&f->barriers[at], h->src, h->dst);
    rp_cover_note(&f->cover, at, rp_covered_by(f->barriers[at]));
}

static rp_status visit(void *context, const rp_hazard *h) {
    state *s = context;
    if (h->to != RP_HAZARD_HOST && h->next_replay) {
        visit_across(s, h);
        return RP_OK;
    }
    for (uint32_t i = 0; i < RP_FORMS; i++)
        if (s->forms[i].barriers) visit_inner(s->graph, (rp_form)i, &s->forms[i], h);
    return RP_OK;
}

/* -O0: everything waits for everything. */
static void full_barriers(const rp_graph *g, rp_graph_barrier *barriers) {
    for (uint32_t i = 0; i < g->group_count; i++)
        barriers[i] = (rp_graph_barrier){rp_scope_normalise_src(RP_SCOPE_ANY), RP_SCOPE_ANY};
    for (uint32_t i = 0; i < g->buffers_count; i++)
        if (rp_buffer_has_result(&g->buffers[i]))
            barriers[g->group_count] = (rp_graph_barrier){rp_scope_writes(), RP_SCOPE_HOST_R};
}

/* The barriers of each form, as they are made. */
typedef struct form_barriers {
    rp_graph_barrier *of[RP_FORMS]; /* NULL for a form that there is not */
    uint32_t count;
} form_barriers;

static rp_status find_barriers(rp_graph *graph, bool full, const form_barriers *b) {
    state s = {.graph = graph};
    for (uint32_t f = 0; f < RP_FORMS; f++) {
        s.forms[f].barriers = b->of[f];
        if (full && b->of[f]) full_barriers(graph, b->of[f]);
    }
    return full ? RP_OK : rp_hazards_keep(graph, visit, &s);
}

static bool is_absent(const form_barriers *b, uint32_t at) {
    for (uint32_t f = 0; f < RP_FORMS; f++)
        if (b->of[f] && (b->of[f][at].src || b->of[f][at].dst)) return false;
    return true;
}

/* Of an alias set: the image that was used last, and in which group. */
typedef struct owner {
    uint32_t image, group;
} owner;

/* The set of a placed image that a node uses, NULL for other uses. Sets are fewer than buffers. */
static owner *owner_of(owner *owners, const rp_graph *g, const rp_graph_use *u) {
    const rp_graph_buffer *b = &g->buffers[u->buffer];
    bool placed = b->kind == RP_TMP && rp_buffer_is_image(b) && b->offset != RP_NOT_PLACED;
    return placed ? &owners[b->offset] : NULL;
}

/* Whether the nodes from `node` on, of one group, use an image whose memory another one has in `group`. */
static bool takes_over(const rp_graph *g, owner *owners, uint32_t node, uint32_t group) {
    for (uint32_t of = g->nodes[node].group; node < g->nodes_count; node++) {
        const rp_graph_node *n = &g->nodes[node];
        if (n->group != of) return false;
        for (uint32_t u = 0; u < n->use_count; u++) {
            const rp_graph_use *use = &rp_node_uses(g, n)[u];
            const owner *o = owner_of(owners, g, use);
            if (o && o->group == group && o->image != use->buffer) return true;
        }
    }
    return false;
}

/* Joins groups that no barrier separates, nor memory that an image of the second takes over from one
 * of the first. Returns how many went. */
static uint32_t merge_groups(rp_graph *g, form_barriers *b, owner *owners) {
    uint32_t kept = 0, node = 0;
    for (uint32_t i = 0; i < g->buffers_count; i++) owners[i] = (owner){RP_NONE, RP_NONE};
    for (uint32_t group = 0; group < g->group_count; group++) {
        bool absent = group > 0 && is_absent(b, group) && !takes_over(g, owners, node, kept - 1);
        for (uint32_t f = 0; !absent && f < RP_FORMS; f++)
            if (b->of[f]) b->of[f][kept] = b->of[f][group];
        kept += !absent;
        for (; node < g->nodes_count && g->nodes[node].group == group; node++) {
            g->nodes[node].group = kept - 1;
            for (uint32_t u = 0; u < g->nodes[node].use_count; u++) {
                const rp_graph_use *use = &rp_node_uses(g, &g->nodes[node])[u];
                owner *o = owner_of(owners, g, use);
                if (o) *o = (owner){use->buffer, kept - 1};
            }
        }
    }
    for (uint32_t f = 0; f < RP_FORMS; f++)
        if (b->of[f]) b->of[f][kept] = b->of[f][g->group_count];
    uint32_t gone = g->group_count - kept;
    g->group_count = kept;
    b->count = kept + 1;
    return gone;
}

static uint32_t count_barriers(const rp_graph *g, const rp_graph_barrier *barriers) {
    uint32_t count = 0;
    for (uint32_t i = 1; i < g->group_count; i++) count += barriers[i].src || barriers[i].dst;
    return count;
}

static bool same_barriers(const rp_graph_barrier *a, uint32_t a_count, const rp_graph_barrier *b,
                          uint32_t b_count) {
    if (a_count != b_count) return false;
    for (uint32_t i = 0; i < a_count; i++)
        if (a[i].src != b[i].src || a[i].dst != b[i].dst) return false;
    return true;
}

/* Gives the graph its barriers. */
static rp_status keep(rp_graph *g, const form_barriers *b, bool *out_changed) {
    const rp_allocator *a = &g->allocator;
    const rp_graph_barrier *tagged = b->of[RP_FORM_TAGGED];
    uint32_t tagged_count = tagged ? b->count : 0;
    if (!(g->stages & RP_STAGE_SYNCED) ||
        !same_barriers(g->barriers, g->barriers_count, b->of[RP_FORM_BARRIERS], b->count) ||
        !same_barriers(g->tagged_barriers, g->tagged_barriers_count, tagged, tagged_count))
        *out_changed = true;
    if (!RP_RESERVE(a, g->barriers, 0, g->barriers_capacity, b->count) ||
        !RP_RESERVE(a, g->tagged_barriers, 0, g->tagged_barriers_capacity, tagged_count))
        return RP_ERROR_NO_MEMORY;
    memcpy(g->barriers, b->of[RP_FORM_BARRIERS], b->count * sizeof *g->barriers);
    if (tagged) memcpy(g->tagged_barriers, tagged, b->count * sizeof *g->barriers);
    g->barriers_count = b->count;
    g->tagged_barriers_count = tagged_count;
    g->stages |= RP_STAGE_SYNCED;
    return RP_OK;
}

static void summarise(const rp_graph *g, uint32_t merged, rp_text *summary) {
    rp_text_format(summary, "%u barriers between %u groups", count_barriers(g, g->barriers),
                   g->group_count);
    if (g->tagged_barriers_count)
        rp_text_format(summary, ", %u where readers of tags wait",
                       count_barriers(g, g->tagged_barriers));
    if (merged) rp_text_format(summary, ", %u boundaries ordered nothing", merged);
}

rp_status rp_pass_sync(rp_graph *graph, rp_pass_context *context, bool *out_changed) {
    const rp_allocator *a = &graph->allocator;
    bool full = context->mode == 1;
    form_barriers b = {.count = graph->group_count + 1};
    owner *owners = rp_alloc(a, graph->buffers_count, sizeof *owners);
    rp_status status = owners ? RP_OK : RP_ERROR_NO_MEMORY;
    uint32_t merged = 0, forms = rp_graph_has_tags(graph) ? RP_FORMS : 1;
    for (uint32_t f = 0; f < forms && status == RP_OK; f++) {
        b.of[f] = rp_alloc_zero(a, b.count, sizeof *b.of[f]);
        if (!b.of[f]) status = RP_ERROR_NO_MEMORY;
    }
    if (status == RP_OK) status = find_barriers(graph, full, &b);
    if (status == RP_OK && !full) merged = merge_groups(graph, &b, owners);
    *out_changed = merged != 0;
    if (status == RP_OK) status = keep(graph, &b, out_changed);
    if (status == RP_OK) summarise(graph, merged, context->summary);
    for (uint32_t f = 0; f < RP_FORMS; f++) rp_release(a, b.of[f]);
    rp_release(a, owners);
    return status;
}
