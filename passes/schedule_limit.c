/* Trading groups for memory: list scheduling under a byte budget.
 *
 * Groups are filled one after another with nodes that are ready, as long as what is alive in the
 * group stays within the budget; a node that does not fit waits for a later group, which costs
 * barriers. Which ready node comes first decides how it ends, and no one rule wins: several rules
 * compete, the result with the fewest groups that fits is taken. The budget counts bytes alive, the
 * arena may need a little more because of gaps, so smaller budgets are tried as well until the
 * placed arena fits. Optimal scheduling under a memory limit is NP-hard (register allocation of a
 * DAG); what is found is a bound from above, and the message says so.
 *
 * Where no budget near the limit leads to anything, budgets are tried that do not depend on it. The
 * smallest arena among those is what the message names: asked for, it is found again.
 */
#include "schedule.h"

enum {
    SCAN = 64,  /* ready nodes looked at before a group is closed */
    CUTS = 6,   /* budgets near the limit: 100 %, 94 %, ... 69 % of it */
    STEPS = 16, /* from the packed schedule's peak to what the largest node needs */
};

typedef enum rule { RULE_URGENT, RULE_SOURCE, RULE_FRUGAL, RULE_COUNT } rule;

typedef struct ready {
    uint64_t key;
    uint32_t vertex;
} ready;

typedef struct lister {
    rp_schedule *s;
    rule rule;
    uint64_t budget;
    const uint32_t *alap;
    uint32_t *waits;      /* per vertex: predecessors to come */
    uint32_t *users_left; /* per buffer */
    bool *alive;          /* per buffer */
    uint32_t *group;
    RP_ARRAY(ready, heap);
    RP_ARRAY(uint32_t, members); /* of the group being filled */
    RP_ARRAY(uint32_t, released);
    uint64_t live;
    bool failed;
} lister;

static void sift(lister *l, uint32_t at) {
    for (;;) {
        uint32_t least = at, left = 2 * at + 1;
        for (uint32_t c = left; c < left + 2 && c < l->heap_count; c++)
            if (l->heap[c].key < l->heap[least].key) least = c;
        if (least == at) return;
        ready swap = l->heap[at];
        l->heap[at] = l->heap[least];
        l->heap[least] = swap;
        at = least;
    }
}

static void push_ready(lister *l, uint32_t v) {
    if (!RP_RESERVE(l->s->a, l->heap, l->heap_count, l->heap_capacity, 1)) {
        l->failed = true;
        return;
    }
    uint64_t key = l->rule == RULE_URGENT ? (uint64_t)l->alap[v] << 32 | v : v;
    uint32_t at = l->heap_count++;
    for (; at > 0 && l->heap[(at - 1) / 2].key > key; at = (at - 1) / 2)
        l->heap[at] = l->heap[(at - 1) / 2];
    l->heap[at] = (ready){key, v};
}

static uint32_t pop_ready(lister *l) {
    uint32_t v = l->heap[0].vertex;
    l->heap[0] = l->heap[--l->heap_count];
    sift(l, 0);
    return v;
}

/* A vertex is done: whoever waited for it alone is ready. Fences and joins pass on at once. */
static void release_succs(lister *l, uint32_t v) {
    const rp_deps *d = &l->s->deps;
    l->released_count = 0;
    for (;;) {
        for (uint32_t e = d->first_succ[v]; e < d->first_succ[v + 1]; e++) {
            uint32_t to = d->succ[e];
            if (--l->waits[to]) continue;
            if (d->weight[to]) {
                push_ready(l, to);
            } else if (RP_RESERVE(l->s->a, l->released, l->released_count, l->released_capacity,
                                  1)) {
                l->released[l->released_count++] = to;
            } else {
                l->failed = true;
            }
        }
        if (l->failed || l->released_count == 0) return;
        v = l->released[--l->released_count];
    }
}

/* Bytes that come alive with v, and bytes that could die behind it. */
static uint64_t births(const lister *l, uint32_t v, uint64_t *out_deaths) {
    uint64_t extra = 0, deaths = 0;
    const rp_schedule *s = l->s;
    for (uint32_t i = s->first_used[v]; i < s->first_used[v + 1]; i++) {
        uint32_t b = s->used[i];
        if (!l->alive[b]) extra += s->bytes[b];
        if (l->users_left[b] == 1) deaths += s->bytes[b];
    }
    *out_deaths = deaths;
    return extra;
}

static void admit(lister *l, uint32_t v, uint32_t group) {
    const rp_schedule *s = l->s;
    for (uint32_t i = s->first_used[v]; i < s->first_used[v + 1]; i++) {
        uint32_t b = s->used[i];
        if (!l->alive[b]) l->live += s->bytes[b];
        l->alive[b] = true;
        l->users_left[b]--;
    }
    l->group[v] = group;
    if (!RP_RESERVE(s->a, l->members, l->members_count, l->members_capacity, 1))
        l->failed = true;
    else
        l->members[l->members_count++] = v;
}

/* The ready nodes to consider for this group, in the rule's order. */
static uint32_t draw(lister *l, uint32_t *window) {
    uint32_t count = 0;
    while (count < SCAN && l->heap_count) window[count++] = pop_ready(l);
    if (l->rule != RULE_FRUGAL) return count;
    for (uint32_t i = 1; i < count; i++) /* insertion sort by what remains alive; stable */
        for (uint32_t k = i; k > 0; k--) {
            uint64_t da, db, a = births(l, window[k], &da), b = births(l, window[k - 1], &db);
            if (a + db >= b + da) break;
            uint32_t swap = window[k];
            window[k] = window[k - 1];
            window[k - 1] = swap;
        }
    return count;
}

static void fill_group(lister *l, uint32_t group) {
    uint32_t window[SCAN], count = draw(l, window), cheapest = 0;
    uint64_t least = UINT64_MAX, deaths;
    l->members_count = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t extra = births(l, window[i], &deaths);
        if (l->live + extra <= l->budget) {
            admit(l, window[i], group);
            continue;
        }
        if (extra < least) least = extra, cheapest = kept;
        window[kept++] = window[i];
    }
    /* Nothing fits: go over the budget by as little as possible, to get on. */
    if (l->members_count == 0 && kept) {
        admit(l, window[cheapest], group);
        memmove(window + cheapest, window + cheapest + 1, (--kept - cheapest) * sizeof *window);
    }
    for (uint32_t i = 0; i < kept; i++) push_ready(l, window[i]);
}

static void close_group(lister *l) {
    const rp_schedule *s = l->s;
    for (uint32_t m = 0; m < l->members_count && !l->failed; m++) {
        uint32_t v = l->members[m];
        for (uint32_t i = s->first_used[v]; i < s->first_used[v + 1]; i++) {
            uint32_t b = s->used[i];
            if (l->users_left[b] || !l->alive[b]) continue;
            l->alive[b] = false;
            l->live -= s->bytes[b];
        }
        release_succs(l, v);
    }
}

/* Fills l->group by one rule and one budget; returns the number of groups, RP_NONE without memory.
 */
static uint32_t list_schedule(lister *l) {
    const rp_deps *d = &l->s->deps;
    uint32_t groups = 0;
    l->heap_count = 0;
    l->live = 0;
    for (uint32_t b = 0; b < l->s->graph->buffers_count; b++) {
        l->users_left[b] = l->s->first_user[b + 1] - l->s->first_user[b];
        l->alive[b] = false;
    }
    for (uint32_t v = 0; v < d->vertex_count; v++)
        l->waits[v] = d->first_pred[v + 1] - d->first_pred[v];
    for (uint32_t i = 0; i < d->vertex_count; i++) {
        uint32_t v = d->order[i];
        if (d->first_pred[v + 1] != d->first_pred[v]) continue;
        if (d->weight[v])
            push_ready(l, v);
        else
            release_succs(l, v);
    }
    while (l->heap_count && !l->failed) {
        fill_group(l, groups++);
        close_group(l);
    }
    for (uint32_t i = 0; i < d->vertex_count;
         i++) { /* fences and joins follow their predecessors */
        uint32_t v = d->order[i];
        if (d->weight[v]) continue;
        l->group[v] = 0;
        for (uint32_t e = d->first_pred[v]; e < d->first_pred[v + 1]; e++) {
            uint32_t end = l->group[d->pred[e]] + d->weight[d->pred[e]];
            if (end > l->group[v]) l->group[v] = end;
        }
    }
    return l->failed ? RP_NONE : groups;
}

/* The feasible result with the fewest groups so far. */
typedef struct chosen {
    uint32_t *group;
    uint32_t groups;   /* RP_NONE: there is none */
    uint64_t smallest; /* arena, of what was looked at, feasible or not */
} chosen;

/* Tries all rules with one budget. */
static rp_status try_budget(lister *l, uint64_t budget, uint64_t limit, chosen *best) {
    rp_schedule *s = l->s;
    l->budget = budget;
    for (uint32_t r = 0; r < RULE_COUNT; r++) {
        l->rule = (rule)r;
        uint32_t groups = list_schedule(l);
        if (groups == RP_NONE) return RP_ERROR_NO_MEMORY;
        if (groups >= best->groups) continue;
        uint64_t arena;
        memcpy(s->group, l->group, s->deps.vertex_count * sizeof *l->group);
        s->group_count = groups;
        RP_TRY(rp_schedule_arena(s, &arena));
        if (arena < best->smallest) best->smallest = arena;
        if (arena > limit) continue;
        best->groups = groups;
        memcpy(best->group, l->group, s->deps.vertex_count * sizeof *l->group);
    }
    return RP_OK;
}

/* The most that one node uses: no budget below it is kept. */
static uint64_t largest_node(const rp_schedule *s) {
    uint64_t largest = 0;
    for (uint32_t v = 0; v < s->deps.node_count; v++) {
        uint64_t bytes = 0;
        for (uint32_t i = s->first_used[v]; i < s->first_used[v + 1]; i++)
            bytes += s->bytes[s->used[i]];
        if (bytes > largest) largest = bytes;
    }
    return largest;
}

/* `peak` and `arena` are those of the packed schedule, which does not fit. */
static rp_status search(lister *l, uint64_t limit, uint64_t peak, uint64_t arena, chosen *best) {
    for (uint32_t cut = 0; cut < CUTS; cut++)
        RP_TRY(try_budget(l, limit - limit / 16 * cut, limit, best));
    if (best->groups != RP_NONE) return RP_OK;
    best->smallest = arena; /* what the limit led to may be found with this limit alone */
    uint64_t least = largest_node(l->s);
    for (uint32_t step = 0; step <= STEPS; step++)
        RP_TRY(try_budget(l, peak - (peak - least) / STEPS * step, limit, best));
    RP_TRY(try_budget(l, 0, limit, best)); /* one node after the other, the least of them first */
    return best->groups == RP_NONE ? RP_ERROR_INVALID : RP_OK;
}

static void find_latest(const rp_schedule *s, uint32_t *alap) {
    const rp_deps *d = &s->deps;
    for (uint32_t i = d->vertex_count; i--;) {
        uint32_t v = d->order[i], at = s->group_count;
        for (uint32_t e = d->first_succ[v]; e < d->first_succ[v + 1]; e++)
            if (alap[d->succ[e]] < at) at = alap[d->succ[e]];
        alap[v] = at - d->weight[v];
    }
}

rp_status rp_schedule_limited(rp_schedule *s, uint64_t limit, uint64_t *out_smallest) {
    rp_footprint packed;
    RP_TRY(rp_schedule_arena(s, out_smallest));
    if (*out_smallest <= limit) return RP_OK;
    for (uint32_t b = 0; b < s->graph->buffers_count; b++) /* the arena alone is limited */
        if (rp_buffer_is_image(&s->graph->buffers[b])) s->bytes[b] = 0;
    RP_TRY(rp_schedule_measure(s, s->group, s->group_count, &packed));
    uint32_t n = s->deps.vertex_count, buffers = s->graph->buffers_count;
    uint32_t *alap = rp_alloc(s->a, n, sizeof *alap);
    chosen best = {.groups = RP_NONE, .smallest = UINT64_MAX};
    best.group = rp_alloc(s->a, n, sizeof *best.group);
    lister l = {.s = s, .alap = alap};
    l.waits = rp_alloc(s->a, n, sizeof *l.waits);
    l.group = rp_alloc_zero(s->a, n, sizeof *l.group);
    l.users_left = rp_alloc(s->a, buffers, sizeof *l.users_left);
    l.alive = rp_alloc(s->a, buffers, sizeof *l.alive);
    rp_status status = alap && best.group && l.waits && l.group && l.users_left && l.alive
                           ? RP_OK
                           : RP_ERROR_NO_MEMORY;
    if (status == RP_OK) {
        find_latest(s, alap);
        status = search(&l, limit, packed.peak, *out_smallest, &best);
        *out_smallest = best.smallest;
    }
    if (status == RP_OK) {
        memcpy(s->group, best.group, n * sizeof *best.group);
        s->group_count = best.groups;
    }
    rp_release(s->a, alap);
    rp_release(s->a, best.group);
    rp_release(s->a, l.waits);
    rp_release(s->a, l.group);
    rp_release(s->a, l.users_left);
    rp_release(s->a, l.alive);
    rp_release(s->a, l.heap);
    rp_release(s->a, l.members);
    rp_release(s->a, l.released);
    return status;
}
