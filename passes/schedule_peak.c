/* Lowering the peak of a schedule without adding groups.
 *
 * Sweeps that move one node at a time cannot take a chain along: to let a value be born after the
 * fullest group, everything between its writer and whoever needs it may have to move too. Here a
 * transient that is alive in the fullest group is chosen, all its users are pushed behind that
 * group (or pulled before it), and whatever stands in the way is pushed on, as far as the latest
 * (earliest) groups allow. The move stays when the peak falls, or when fewer groups reach it;
 * otherwise it is undone. Largest transients first. Bounded by a work budget, so that large graphs
 * stay near-linear.
 */
#include "schedule.h"

#include <stdlib.h>

static const uint64_t WORK_LIMIT = 20000000; /* elementary steps for one graph, about 0.1 s */

typedef struct change {
    uint32_t vertex, from;
} change;

typedef struct peak {
    rp_schedule *s;
    const uint32_t *asap, *alap;
    uint32_t *first, *last; /* per buffer: groups of its first and last user; first > last: none */
    uint64_t *live;         /* per group */
    uint32_t *touched, *mark; /* buffers whose users moved */
    uint32_t touched_count, stamp;
    RP_ARRAY(change, log);
    RP_ARRAY(uint32_t, stack);
    uint64_t work;
    bool failed;
} peak;

static void set_group(peak *p, uint32_t v, uint32_t group) {
    if (!RP_RESERVE(p->s->a, p->log, p->log_count, p->log_capacity, 1) ||
        !RP_RESERVE(p->s->a, p->stack, p->stack_count, p->stack_capacity, 1)) {
        p->failed = true;
        return;
    }
    p->log[p->log_count++] = (change){v, p->s->group[v]};
    p->stack[p->stack_count++] = v;
    p->s->group[v] = group;
}

/* Moves v to `group` or later, and what follows it out of the way. False when somebody cannot move.
 */
static bool push_later(peak *p, uint32_t v, uint32_t group) {
    const rp_deps *d = &p->s->deps;
    uint32_t *at = p->s->group;
    if (at[v] >= group) return true;
    if (group > p->alap[v]) return false;
    set_group(p, v, group);
    while (p->stack_count && !p->failed) {
        uint32_t from = p->stack[--p->stack_count], end = at[from] + d->weight[from];
        p->work += d->first_succ[from + 1] - d->first_succ[from] + 1;
        for (uint32_t e = d->first_succ[from]; e < d->first_succ[from + 1]; e++) {
            uint32_t to = d->succ[e];
            if (at[to] >= end) continue;
            if (end > p->alap[to]) return false;
            set_group(p, to, end);
            if (p->failed) return false;
        }
    }
    return !p->failed;
}

static bool pull_earlier(peak *p, uint32_t v, uint32_t group) {
    const rp_deps *d = &p->s->deps;
    uint32_t *at = p->s->group;
    if (at[v] <= group) return true;
    if (group < p->asap[v]) return false;
    set_group(p, v, group);
    while (p->stack_count && !p->failed) {
        uint32_t from = p->stack[--p->stack_count];
        p->work += d->first_pred[from + 1] - d->first_pred[from] + 1;
        for (uint32_t e = d->first_pred[from]; e < d->first_pred[from + 1]; e++) {
            uint32_t to = d->pred[e];
            if (at[to] + d->weight[to] <= at[from]) continue;
            uint32_t limit = at[from] - d->weight[to];
            if (at[from] < d->weight[to] || limit < p->asap[to]) return false;
            set_group(p, to, limit);
            if (p->failed) return false;
        }
    }
    return !p->failed;
}

/* Adds `sign` times the bytes of buffer b to the groups it is alive in. */
static void add_live(peak *p, uint32_t b, bool add) {
    if (p->first[b] > p->last[b]) return;
    for (uint32_t g = p->first[b]; g <= p->last[b]; g++)
        p->live[g] += add ? p->s->bytes[b] : -p->s->bytes[b];
    p->work += p->last[b] - p->first[b] + 1;
}

static void find_span(peak *p, uint32_t b) {
    const rp_schedule *s = p->s;
    p->first[b] = RP_NONE;
    p->last[b] = 0;
    for (uint32_t i = s->first_user[b]; i < s->first_user[b + 1]; i++) {
        uint32_t g = s->group[s->user[i]];
        if (g < p->first[b]) p->first[b] = g;
        if (g > p->last[b]) p->last[b] = g;
    }
    p->work += s->first_user[b + 1] - s->first_user[b];
}

/* Brings spans and live bytes up to date with the moves in the log. */
static void refresh(peak *p) {
    const rp_schedule *s = p->s;
    p->stamp++;
    p->touched_count = 0;
    for (uint32_t i = 0; i < p->log_count; i++) {
        uint32_t v = p->log[i].vertex;
        if (v >= s->deps.node_count) continue;
        for (uint32_t k = s->first_used[v]; k < s->first_used[v + 1]; k++) {
            uint32_t b = s->used[k];
            if (p->mark[b] == p->stamp) continue;
            p->mark[b] = p->stamp;
            p->touched[p->touched_count++] = b;
        }
    }
    for (uint32_t i = 0; i < p->touched_count; i++) {
        add_live(p, p->touched[i], false);
        find_span(p, p->touched[i]);
        add_live(p, p->touched[i], true);
    }
}

static void undo(peak *p) {
    for (uint32_t i = p->log_count; i--;) p->s->group[p->log[i].vertex] = p->log[i].from;
    refresh(p);
}

typedef struct height {
    uint64_t bytes;
    uint32_t group, times; /* the first group that reaches it, and how many do */
} height;

static height find_height(peak *p) {
    height h = {0, 0, 0};
    for (uint32_t g = 0; g < p->s->group_count; g++) {
        if (p->live[g] > h.bytes) h = (height){p->live[g], g, 0};
        h.times += p->live[g] == h.bytes;
    }
    p->work += p->s->group_count;
    return h;
}

static bool lower(height a, height b) {
    return a.bytes < b.bytes || (a.bytes == b.bytes && a.times < b.times);
}

/* Tries to have buffer b dead in the fullest group. */
static bool try_buffer(peak *p, uint32_t b, height *now, bool later) {
    const rp_schedule *s = p->s;
    uint32_t g = now->group;
    if (later ? g + 1 >= s->group_count : g == 0) return false;
    p->log_count = p->stack_count = 0;
    bool possible = true;
    for (uint32_t i = s->first_user[b]; possible && i < s->first_user[b + 1]; i++)
        possible = later ? push_later(p, s->user[i], g + 1) : pull_earlier(p, s->user[i], g - 1);
    if (!possible) {
        p->stack_count = 0;
        for (uint32_t i = p->log_count; i--;) p->s->group[p->log[i].vertex] = p->log[i].from;
        return false;
    }
    refresh(p);
    height then = find_height(p);
    if (lower(then, *now)) {
        *now = then;
        return true;
    }
    undo(p);
    return false;
}

typedef struct candidate {
    uint64_t bytes;
    uint32_t buffer;
} candidate;

static int larger_first(const void *left, const void *right) {
    const candidate *a = left, *b = right;
    if (a->bytes != b->bytes) return a->bytes > b->bytes ? -1 : 1;
    return (a->buffer > b->buffer) - (a->buffer < b->buffer);
}

/* One step: some move that lowers the peak. */
static bool improve(peak *p, height *now, candidate *list) {
    uint32_t count = 0;
    for (uint32_t b = 0; b < p->s->graph->buffers_count; b++)
        if (p->first[b] <= now->group && p->last[b] >= now->group && p->s->bytes[b])
            list[count++] = (candidate){p->s->bytes[b], b};
    p->work += p->s->graph->buffers_count;
    qsort(list, count, sizeof *list, larger_first);
    for (uint32_t i = 0; i < count && p->work < WORK_LIMIT && !p->failed; i++)
        if (try_buffer(p, list[i].buffer, now, true) || try_buffer(p, list[i].buffer, now, false))
            return true;
    return false;
}

/* No schedule needs less than the node that uses the most at once. */
static uint64_t widest_node(const rp_schedule *s) {
    uint64_t widest = 0;
    for (uint32_t v = 0; v < s->deps.node_count; v++) {
        uint64_t sum = 0;
        for (uint32_t i = s->first_used[v]; i < s->first_used[v + 1]; i++)
            sum += s->bytes[s->used[i]];
        if (sum > widest) widest = sum;
    }
    return widest;
}

rp_status rp_schedule_lower_peak(rp_schedule *s, const uint32_t *asap, const uint32_t *alap) {
    uint32_t buffers = s->graph->buffers_count;
    peak p = {.s = s, .asap = asap, .alap = alap};
    p.first = rp_alloc(s->a, buffers, sizeof *p.first);
    p.last = rp_alloc(s->a, buffers, sizeof *p.last);
    p.live = rp_alloc_zero(s->a, (size_t)s->group_count + 1, sizeof *p.live);
    p.touched = rp_alloc(s->a, buffers, sizeof *p.touched);
    p.mark = rp_alloc_zero(s->a, buffers, sizeof *p.mark);
    candidate *list = rp_alloc(s->a, buffers, sizeof *list);
    p.failed = !p.first || !p.last || !p.live || !p.touched || !p.mark || !list;
    if (!p.failed) {
        /* Joins and fences of the chosen assignment may start later than their predecessors end;
         * moves only need the order to hold, and it does. */
        for (uint32_t b = 0; b < buffers; b++) {
            find_span(&p, b);
            add_live(&p, b, true);
        }
        height now = find_height(&p);
        uint64_t least = widest_node(s);
        while (now.bytes > least && p.work < WORK_LIMIT && !p.failed && improve(&p, &now, list)) {
        }
    }
    bool failed = p.failed;
    rp_release(s->a, p.first);
    rp_release(s->a, p.last);
    rp_release(s->a, p.live);
    rp_release(s->a, p.touched);
    rp_release(s->a, p.mark);
    rp_release(s->a, list);
    rp_release(s->a, p.log);
    rp_release(s->a, p.stack);
    return failed ? RP_ERROR_NO_MEMORY : RP_OK;
}
