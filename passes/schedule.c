/* schedule: packs nodes into groups, with the fewest groups possible and low peak memory.
 *
 * The fewest groups are the longest dependency path, and any node may sit anywhere between its
 * earliest (ASAP) and its latest (ALAP) group. Greedy look-ahead over source order, as in ggml's
 * and MLX's reordering, does not reach that bound in general; levels do, at O(nodes + edges).
 *
 * ASAP alone is not good enough: it starts everything as soon as it can and keeps the results alive
 * until somebody needs them. Moving a node one group later saves the bytes it writes for one group
 * and costs the bytes it is the last to read. Sweeps over all nodes move each to its cheapest group
 * between its neighbours, from ASAP and from ALAP as starting points, since either alone gets
 * stuck: from ASAP a chain whose middle shrinks its data stays early as a whole. schedule_peak.c
 * then works on the groups with the most bytes. The best of the candidates by (peak, area) is
 * taken. O(edges) a sweep.
 *
 * Modes: pack; inorder (source order, a new group where a node depends on the running one: what a
 * careful programmer writes by hand); source (one node a group: the oracle).
 * With an arena limit, schedule_limit.c trades groups for memory.
 */
#include "schedule.h"

#include "base/checked.h"
#include "place.h"

enum { MODE_PACK, MODE_INORDER, MODE_SOURCE, SWEEPS = 3, MAX_USERS = 16 };

/* ---- Tables ---------------------------------------------------------------------------------- */

/* Lists each transient once per node, both ways round. */
static bool index_uses(rp_schedule *s) {
    const rp_graph *g = s->graph;
    uint32_t n = s->deps.node_count, buffers = g->buffers_count;
    s->first_used = rp_alloc_zero(s->a, (size_t)n + 1, sizeof *s->first_used);
    s->first_user = rp_alloc_zero(s->a, (size_t)buffers + 1, sizeof *s->first_user);
    s->used = rp_alloc(s->a, g->uses_count, sizeof *s->used);
    uint32_t *mark = rp_alloc_zero(s->a, buffers, sizeof *mark);
    bool ok = s->first_used && s->first_user && s->used && mark;
    uint32_t total = 0;
    for (uint32_t v = 0; ok && v < n; v++) {
        const rp_graph_node *node = &g->nodes[s->deps.node[v]];
        s->first_used[v] = total;
        for (uint32_t u = 0; u < node->use_count; u++) {
            uint32_t b = rp_node_uses(g, node)[u].buffer;
            if (s->bytes[b] == 0 || mark[b] == v + 1) continue;
            mark[b] = v + 1;
            s->used[total++] = b;
            s->first_user[b + 1]++;
        }
    }
    rp_release(s->a, mark);
    if (!ok) return false;
    s->first_used[n] = total;
    s->user = rp_alloc(s->a, total, sizeof *s->user);
    if (!s->user) return false;
    for (uint32_t b = 0; b < buffers; b++) s->first_user[b + 1] += s->first_user[b];
    for (uint32_t v = n; v--;)
        for (uint32_t i = s->first_used[v]; i < s->first_used[v + 1]; i++)
            s->user[--s->first_user[s->used[i] + 1]] = v;
    for (uint32_t b = 0; b < buffers; b++) s->first_user[b] = s->first_user[b + 1];
    s->first_user[buffers] = total;
    return true;
}

rp_status rp_schedule_open(rp_schedule *s, rp_graph *graph) {
    *s = (rp_schedule){.a = &graph->allocator, .graph = graph};
    RP_TRY(rp_deps_build(graph, &s->deps));
    s->group = rp_alloc_zero(s->a, s->deps.vertex_count, sizeof *s->group);
    s->bytes = rp_alloc_zero(s->a, graph->buffers_count, sizeof *s->bytes);
    bool ok = s->group && s->bytes;
    for (uint32_t i = 0; ok && i < graph->buffers_count; i++) {
        const rp_graph_buffer *b = &graph->buffers[i];
        if (b->kind == RP_TMP && !b->removed &&
            !rp_align_u64(rp_buffer_footprint(b), RP_ARENA_ALIGNMENT, &s->bytes[i]))
            s->bytes[i] = rp_buffer_footprint(b);
    }
    if (ok && index_uses(s)) return RP_OK;
    rp_schedule_close(s);
    return RP_ERROR_NO_MEMORY;
}

void rp_schedule_close(rp_schedule *s) {
    rp_release(s->a, s->group);
    rp_release(s->a, s->bytes);
    rp_release(s->a, s->first_user);
    rp_release(s->a, s->user);
    rp_release(s->a, s->first_used);
    rp_release(s->a, s->used);
    rp_deps_free(s->graph, &s->deps);
}

/* ---- Measuring ------------------------------------------------------------------------------- */

rp_status rp_schedule_measure(const rp_schedule *s, const uint32_t *group, uint32_t group_count,
                              rp_footprint *out) {
    *out = (rp_footprint){0};
    uint64_t *delta = rp_alloc_zero(s->a, (size_t)group_count + 1, sizeof *delta);
    if (!delta) return RP_ERROR_NO_MEMORY;
    for (uint32_t b = 0; b < s->graph->buffers_count; b++) {
        uint32_t first = RP_NONE, last = 0;
        for (uint32_t i = s->first_user[b]; i < s->first_user[b + 1]; i++) {
            uint32_t g = group[s->user[i]];
            if (g < first) first = g;
            if (g > last) last = g;
        }
        if (first == RP_NONE) continue;
        delta[first] += s->bytes[b];
        delta[last + 1] -= s->bytes[b];
        out->area += (double)s->bytes[b] * (last - first + 1);
    }
    uint64_t live = 0;
    for (uint32_t g = 0; g < group_count; g++) {
        live += delta[g];
        if (live > out->peak) out->peak = live;
    }
    rp_release(s->a, delta);
    return RP_OK;
}

rp_status rp_schedule_arena(const rp_schedule *s, uint64_t *out_arena) {
    rp_lifetime *items = rp_alloc(s->a, s->graph->buffers_count, sizeof *items);
    if (!items) return RP_ERROR_NO_MEMORY;
    uint32_t count = 0;
    bool unknown = false; /* then everything is alive all the time, as for rp_place_gather() */
    for (uint32_t i = 0; i < s->graph->nodes_count; i++) unknown |= s->graph->nodes[i].unknown;
    for (uint32_t b = 0; b < s->graph->buffers_count; b++) {
        rp_lifetime t = {.first = RP_NONE, .size = s->bytes[b], .buffer = b};
        if (s->bytes[b] == 0 || rp_buffer_is_image(&s->graph->buffers[b])) continue;
        for (uint32_t i = s->first_user[b]; i < s->first_user[b + 1]; i++) {
            uint32_t g = s->group[s->user[i]];
            if (g < t.first) t.first = g;
            if (g > t.last) t.last = g;
        }
        if (unknown) t.first = 0, t.last = s->group_count ? s->group_count - 1 : 0;
        if (t.first == RP_NONE) t.first = t.last = 0;
        items[count++] = t;
    }
    uint64_t bound;
    rp_status status = rp_place_lifetimes(s->a, items, count, out_arena, &bound);
    rp_release(s->a, items);
    return status;
}

/* ---- Levels ---------------------------------------------------------------------------------- */

/* Where a vertex may start at the earliest, from its predecessors. */
static uint32_t earliest(const rp_schedule *s, const uint32_t *group, uint32_t v) {
    uint32_t at = 0;
    for (uint32_t e = s->deps.first_pred[v]; e < s->deps.first_pred[v + 1]; e++) {
        uint32_t p = s->deps.pred[e], end = group[p] + s->deps.weight[p];
        if (end > at) at = end;
    }
    return at;
}

/* Where it may start at the latest, from its successors; `ends` is the number of groups. `late`
 * holds groups for nodes, and for fences and joins the latest start of what follows. */
static uint32_t latest(const rp_schedule *s, const uint32_t *late, uint32_t v, uint32_t ends) {
    uint32_t at = ends;
    for (uint32_t e = s->deps.first_succ[v]; e < s->deps.first_succ[v + 1]; e++)
        if (late[s->deps.succ[e]] < at) at = late[s->deps.succ[e]];
    return at - s->deps.weight[v];
}

/* ---- Sweeps ---------------------------------------------------------------------------------- */

/* Bytes * groups that the transients of `v` span with v in group `at`, apart from a constant. */
static double span_cost(const rp_schedule *s, const uint32_t *group, uint32_t v, uint32_t at) {
    double cost = 0;
    for (uint32_t i = s->first_used[v]; i < s->first_used[v + 1]; i++) {
        uint32_t b = s->used[i], first = at, last = at;
        uint32_t from = s->first_user[b], to = s->first_user[b + 1];
        if (to - from > MAX_USERS) continue; /* widely shared: moving one user changes little */
        for (uint32_t k = from; k < to; k++) {
            uint32_t other = s->user[k];
            if (other == v) continue;
            if (group[other] < first) first = group[other];
            if (group[other] > last) last = group[other];
        }
        cost += (double)s->bytes[b] * (last - first);
    }
    return cost;
}

/* The cheapest group in [lo, hi]. The cost is convex in the group, with kinks where other users
 * sit: it is enough to look at both ends and at those groups. Ties keep the present group. */
static uint32_t cheapest(const rp_schedule *s, const uint32_t *group, uint32_t v, uint32_t lo,
                         uint32_t hi) {
    uint32_t best = group[v];
    double best_cost = span_cost(s, group, v, best);
    uint32_t ends[2] = {lo, hi};
    for (uint32_t i = 0; i < 2; i++) {
        double cost = span_cost(s, group, v, ends[i]);
        if (cost < best_cost) best_cost = cost, best = ends[i];
    }
    for (uint32_t i = s->first_used[v]; i < s->first_used[v + 1]; i++) {
        uint32_t b = s->used[i];
        if (s->first_user[b + 1] - s->first_user[b] > MAX_USERS) continue;
        for (uint32_t k = s->first_user[b]; k < s->first_user[b + 1]; k++) {
            uint32_t at = group[s->user[k]];
            if (at <= lo || at >= hi || at == best) continue;
            double cost = span_cost(s, group, v, at);
            if (cost < best_cost) best_cost = cost, best = at;
        }
    }
    return best;
}

/* One sweep in topological order, forwards or backwards. `late` is scratch, vertex_count elements.
 */
static bool sweep(const rp_schedule *s, uint32_t *group, uint32_t *late, bool forwards) {
    const rp_deps *d = &s->deps;
    bool moved = false;
    /* What fences and joins impose must be known on the far side of the sweep. */
    for (uint32_t i = d->vertex_count; i--;) {
        uint32_t v = d->order[i];
        late[v] = d->weight[v] ? group[v] : latest(s, late, v, s->group_count);
    }
    if (!forwards)
        for (uint32_t i = 0; i < d->vertex_count; i++) {
            uint32_t v = d->order[i];
            if (!d->weight[v]) group[v] = earliest(s, group, v);
        }
    for (uint32_t i = 0; i < d->vertex_count; i++) {
        uint32_t v = d->order[forwards ? i : d->vertex_count - 1 - i];
        if (!d->weight[v]) {
            if (forwards)
                group[v] = earliest(s, group, v);
            else
                late[v] = latest(s, late, v, s->group_count);
            continue;
        }
        uint32_t lo = earliest(s, group, v), hi = latest(s, late, v, s->group_count);
        if (lo >= hi) continue;
        uint32_t to = cheapest(s, group, v, lo, hi);
        moved |= to != group[v];
        group[v] = late[v] = to;
    }
    /* A backward sweep leaves the starts of fences and joins behind: bring them up to date. */
    for (uint32_t i = 0; i < d->vertex_count; i++) {
        uint32_t v = d->order[i];
        if (!d->weight[v]) group[v] = earliest(s, group, v);
    }
    return moved;
}

/* Keeps `candidate` in s->group when it is better than what is there. */
static rp_status offer(rp_schedule *s, const uint32_t *candidate, rp_footprint *best) {
    rp_footprint f;
    RP_TRY(rp_schedule_measure(s, candidate, s->group_count, &f));
    if (f.peak < best->peak || (f.peak == best->peak && f.area < best->area)) {
        *best = f;
        memcpy(s->group, candidate, s->deps.vertex_count * sizeof *candidate);
    }
    return RP_OK;
}

static rp_status descend(rp_schedule *s, const uint32_t *start, uint32_t *work, uint32_t *late,
                         bool forwards, rp_footprint *best) {
    memcpy(work, start, s->deps.vertex_count * sizeof *work);
    RP_TRY(offer(s, work, best));
    for (uint32_t i = 0; i < SWEEPS; i++, forwards = !forwards)
        if (!sweep(s, work, late, forwards) && i > 0) break;
    return offer(s, work, best);
}

rp_status rp_schedule_pack(rp_schedule *s) {
    const rp_deps *d = &s->deps;
    uint32_t n = d->vertex_count;
    uint32_t *asap = rp_alloc(s->a, n, sizeof *asap), *alap = rp_alloc(s->a, n, sizeof *alap);
    uint32_t *work = rp_alloc(s->a, n, sizeof *work), *late = rp_alloc(s->a, n, sizeof *late);
    rp_status status = asap && alap && work && late ? RP_OK : RP_ERROR_NO_MEMORY;
    if (status == RP_OK) {
        s->group_count = rp_deps_depth(d, asap);
        for (uint32_t v = 0; v < n; v++) asap[v] -= d->weight[v];
        for (uint32_t i = n; i--;) alap[d->order[i]] = latest(s, alap, d->order[i], s->group_count);
        rp_footprint best = {.peak = UINT64_MAX};
        status = descend(s, asap, work, late, false, &best);
        if (status == RP_OK) status = descend(s, alap, work, late, true, &best);
        if (status == RP_OK) status = rp_schedule_lower_peak(s, asap, alap);
    }
    rp_release(s->a, asap);
    rp_release(s->a, alap);
    rp_release(s->a, work);
    rp_release(s->a, late);
    return status;
}

/* ---- The other modes ------------------------------------------------------------------------- */

static void keep_order(rp_schedule *s, bool one_each) {
    const rp_deps *d = &s->deps;
    uint32_t now = 0;
    for (uint32_t i = 0; i < d->vertex_count; i++) {
        uint32_t v = d->order[i], at = earliest(s, s->group, v);
        s->group[v] = at;
        if (!d->weight[v]) continue;
        if (one_each)
            at = s->group_count;
        else if (at < now)
            at = now;
        s->group[v] = now = at;
        s->group_count = at + 1;
    }
}

/* ---- Writing back ---------------------------------------------------------------------------- */

/* Sorts nodes by (group, id) and stores their groups. A fence goes where what follows it begins. */
static rp_status apply(rp_schedule *s, bool *out_changed) {
    rp_graph *g = s->graph;
    uint32_t n = s->deps.node_count, groups = s->group_count ? s->group_count : n > 0;
    uint32_t *start = rp_alloc_zero(s->a, (size_t)groups + 1, sizeof *start);
    uint32_t *order = rp_alloc(s->a, n, sizeof *order);
    rp_status status = start && order ? RP_OK : RP_ERROR_NO_MEMORY;
    if (status == RP_OK) {
        for (uint32_t v = 0; v < n; v++) {
            if (s->group[v] >= groups) s->group[v] = groups - 1;
            start[s->group[v] + 1]++;
        }
        for (uint32_t i = 0; i < groups; i++) start[i + 1] += start[i];
        for (uint32_t v = 0; v < n; v++) order[start[s->group[v]]++] = s->deps.node[v];
        bool scheduled = g->stages & RP_STAGE_SCHEDULED;
        *out_changed = !scheduled || g->group_count != groups;
        for (uint32_t v = 0; v < n; v++) {
            rp_graph_node *node = &g->nodes[s->deps.node[v]];
            *out_changed |= node->group != s->group[v];
            node->group = s->group[v];
        }
        for (uint32_t i = 0; i < n; i++) *out_changed |= order[i] != i;
        g->group_count = groups;
        status = rp_graph_reorder(g, order);
    }
    if (status == RP_OK && *out_changed) {
        /* What was derived from the old groups holds no longer. */
        g->stages = RP_STAGE_SCHEDULED;
        g->arena_bytes = 0;
        g->barriers_count = g->tagged_barriers_count = 0;
        for (uint32_t i = 0; i < g->buffers_count; i++) g->buffers[i].offset = RP_NOT_PLACED;
    }
    rp_release(s->a, start);
    rp_release(s->a, order);
    return status;
}

static rp_status obey_limit(rp_schedule *s, rp_pass_context *context) {
    uint64_t limit = context->options->arena_limit, smallest;
    uint32_t fewest = s->group_count;
    rp_status status = rp_schedule_limited(s, limit, &smallest);
    if (status == RP_ERROR_INVALID)
        rp_diags_add(context->diags, RP_ERROR, NULL, 0, 0,
                     "no order of the nodes was found whose transients fit into %llu bytes: the "
                     "smallest limit that is known to work is %llu",
                     (unsigned long long)limit, (unsigned long long)smallest);
    if (status == RP_OK)
        rp_text_format(context->summary,
                       "arena limit of %llu bytes cost %u barriers: ", (unsigned long long)limit,
                       s->group_count - fewest);
    return status;
}

rp_status rp_pass_schedule(rp_graph *graph, rp_pass_context *context, bool *out_changed) {
    rp_schedule s;
    RP_TRY(rp_schedule_open(&s, graph));
    rp_status status = RP_OK;
    if (context->mode == MODE_PACK) {
        status = rp_schedule_pack(&s);
        if (status == RP_OK && context->options->arena_limit) status = obey_limit(&s, context);
    } else {
        keep_order(&s, context->mode == MODE_SOURCE);
    }
    rp_footprint f = {0};
    if (status == RP_OK) status = rp_schedule_measure(&s, s.group, s.group_count, &f);
    if (status == RP_OK) status = apply(&s, out_changed);
    if (status == RP_OK)
        rp_text_format(context->summary, "%u nodes in %u groups, at most %llu bytes alive",
                       graph->nodes_count, graph->group_count, (unsigned long long)f.peak);
    rp_schedule_close(&s);
    return status;
}
