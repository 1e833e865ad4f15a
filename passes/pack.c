/* Packing lifetimes into the fewest bytes (see place.h): dynamic storage allocation, NP-hard.
 *
 * Two heuristics compete, and whatever needs the fewest bytes wins; the bound (most bytes alive at
 * once) ends the search as soon as it is met.
 *
 * Sweep: groups in order, like an allocator that knows the future only as far as the current group:
 * largest first into the smallest gap that is large enough, or longest first into the lowest one.
 * Each also backwards in time. O(n (log n + gaps)).
 *
 * By rank: a fixed order of placement, each lifetime at the lowest-waste gap that its groups have
 * in common: largest first (Pisarchyk and Lee, arXiv 2001.03288), largest area first, longest
 * first. After a try, what sits above the bound is moved to the front and the order is tried again:
 * the hard lifetimes rise until they fit (the priority idea of TelaMalloc, ASPLOS 2023). What is
 * taken is kept for each group, joined, so that a try costs the blocks in the groups of each
 * lifetime and not all pairs that overlap. A work limit keeps compiling near-linear.
 */
#include "place.h"

#include "base/checked.h"
#include "base/sort.h"

enum { TRIES = 200, MANY = 2000 };
static const uint64_t WORK_LIMIT = 4000000; /* steps of placing by rank, about 10 ms */

typedef struct gap {
    uint64_t lo, hi;
} gap;

/* What is taken of the arena in one group: ascending, neighbours joined. */
typedef struct column {
    gap *taken;
    uint32_t count, capacity;
} column;

typedef struct packer {
    const rp_allocator *a;
    rp_lifetime *items;
    uint32_t count;
    uint64_t bound;
    uint64_t best;             /* bytes of the best packing so far */
    uint64_t *best_offset;     /* per item */
    uint64_t *offset;          /* of the packing being tried */
    uint32_t *order, *scratch; /* the items, sorted by whatever is needed */
    rp_sort_item *keys;
    gap *gaps; /* sweep: free gaps below the top, ascending */
    uint32_t gap_count, gap_capacity;
    column *columns; /* by rank: per group */
    uint32_t column_count;
    gap *merged;
    uint32_t merged_capacity;
    uint64_t work; /* steps of placing by rank so far */
} packer;

/* ---- Order of items -------------------------------------------------------------------------- */

/* What to sort by. Sizes, areas, lengths and ends fall. */
typedef enum order_by { BY_START, BY_END, BY_SIZE, BY_AREA, BY_LENGTH } order_by;

static uint64_t key_of(const rp_lifetime *t, order_by by) {
    uint64_t length = (uint64_t)t->last - t->first + 1;
    switch (by) {
    case BY_START: return t->first;
    case BY_END: return ~(uint64_t)t->last;
    case BY_SIZE: return ~t->size;
    case BY_AREA: return ~(t->size / RP_ARENA_ALIGNMENT * length);
    case BY_LENGTH: break;
    }
    return ~length;
}

/* Sorts what is in `order` already; equals stay as they are, in the order sorted by before. */
static bool sort_again(packer *p, order_by by, uint32_t *order) {
    for (uint32_t i = 0; i < p->count; i++)
        p->keys[i] = (rp_sort_item){key_of(&p->items[order[i]], by), order[i]};
    if (!rp_sort(p->a, p->keys, p->count)) return false;
    for (uint32_t i = 0; i < p->count; i++) order[i] = p->keys[i].value;
    return true;
}

/* Sorts by `major`, then by `minor`, then by number. */
static bool sort_order(packer *p, order_by major, order_by minor, uint32_t *order) {
    for (uint32_t i = 0; i < p->count; i++) order[i] = i;
    return sort_again(p, minor, order) && sort_again(p, major, order);
}

/* Starts and ends, for a sweep. Of the same one the largest comes first, or the longest. */
static bool sort_ends(packer *p, bool longest) {
    for (uint32_t i = 0; i < p->count; i++) p->order[i] = i;
    if (!sort_again(p, BY_SIZE, p->order)) return false;
    if (longest && !sort_again(p, BY_LENGTH, p->order)) return false;
    memcpy(p->scratch, p->order, p->count * sizeof *p->order);
    return sort_again(p, BY_START, p->order) && sort_again(p, BY_END, p->scratch);
}

static void keep_if_better(packer *p, uint64_t arena) {
    if (arena >= p->best) return;
    p->best = arena;
    memcpy(p->best_offset, p->offset, p->count * sizeof *p->offset);
}

/* ---- Sweep ----------------------------------------------------------------------------------- */

static bool give_back(packer *p, uint64_t lo, uint64_t hi, uint64_t *top) {
    uint32_t at = 0, end = p->gap_count;
    while (at < end) {
        uint32_t mid = (at + end) / 2;
        if (p->gaps[mid].lo < lo)
            at = mid + 1;
        else
            end = mid;
    }
    bool below = at > 0 && p->gaps[at - 1].hi == lo;
    bool above = at < p->gap_count && p->gaps[at].lo == hi;
    if (below && above) {
        p->gaps[at - 1].hi = p->gaps[at].hi;
        memmove(p->gaps + at, p->gaps + at + 1, (--p->gap_count - at) * sizeof *p->gaps);
    } else if (below) {
        p->gaps[at - 1].hi = hi;
    } else if (above) {
        p->gaps[at].lo = lo;
    } else {
        if (!RP_RESERVE(p->a, p->gaps, p->gap_count, p->gap_capacity, 1)) return false;
        memmove(p->gaps + at + 1, p->gaps + at, (p->gap_count - at) * sizeof *p->gaps);
        p->gaps[at] = (gap){lo, hi};
        p->gap_count++;
    }
    if (p->gap_count && p->gaps[p->gap_count - 1].hi == *top) *top = p->gaps[--p->gap_count].lo;
    return true;
}

/* The lowest byte of the smallest gap that is large enough, or of the lowest; else the top. */
static uint64_t take(packer *p, uint64_t size, bool lowest, uint64_t *top) {
    uint32_t best = RP_NONE;
    uint64_t least = UINT64_MAX; /* room of the best */
    for (uint32_t i = 0; i < p->gap_count && least > size; i++) {
        uint64_t room = p->gaps[i].hi - p->gaps[i].lo;
        if (room < size || room >= least) continue;
        best = i;
        least = lowest ? size : room;
    }
    if (best == RP_NONE) {
        uint64_t at = *top;
        *top += size;
        return at;
    }
    uint64_t at = p->gaps[best].lo;
    p->gaps[best].lo += size;
    if (p->gaps[best].lo == p->gaps[best].hi)
        memmove(p->gaps + best, p->gaps + best + 1, (--p->gap_count - best) * sizeof *p->gaps);
    return at;
}

/* `order` is sorted by starts, `scratch` by ends, the last first. Read from its other end it says
 * who dies first. Backwards, time is mirrored and the two change places. */
static bool sweep(packer *p, bool backwards, bool lowest, uint64_t *out_arena) {
    const uint32_t *births = backwards ? p->scratch : p->order;
    const uint32_t *deaths = backwards ? p->order : p->scratch;
    uint64_t top = 0, arena = 0;
    uint32_t dead = p->count;
    p->gap_count = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        const rp_lifetime *t = &p->items[births[i]];
        while (dead > 0) {
            const rp_lifetime *d = &p->items[deaths[dead - 1]];
            bool over = backwards ? d->first > t->last : d->last < t->first;
            if (!over) break;
            uint64_t lo = p->offset[deaths[--dead]];
            if (!give_back(p, lo, lo + d->size, &top)) return false;
        }
        p->offset[births[i]] = take(p, t->size, lowest, &top);
        if (top > arena) arena = top;
    }
    *out_arena = arena;
    return true;
}

/* ---- Placing by rank ------------------------------------------------------------------------- */

/* Appends to the bytes taken, in ascending order of lo. */
static void append(gap *list, uint32_t *count, gap g) {
    if (*count && list[*count - 1].hi >= g.lo) {
        if (list[*count - 1].hi < g.hi) list[*count - 1].hi = g.hi;
    } else {
        list[(*count)++] = g;
    }
}

/* Collects in p->gaps the bytes that are taken in some group of a lifetime. */
static bool collect(packer *p, const rp_lifetime *t) {
    p->gap_count = 0;
    for (uint32_t g = t->first; g <= t->last; g++) {
        const column *c = &p->columns[g];
        uint32_t total = p->gap_count + c->count, n = 0, i = 0, k = 0;
        p->work += total + 1;
        if (!RP_RESERVE(p->a, p->merged, 0, p->merged_capacity, total) ||
            !RP_RESERVE(p->a, p->gaps, p->gap_count, p->gap_capacity, c->count))
            return false;
        while (i < p->gap_count || k < c->count) {
            bool mine = k == c->count || (i < p->gap_count && p->gaps[i].lo <= c->taken[k].lo);
            append(p->merged, &n, mine ? p->gaps[i++] : c->taken[k++]);
        }
        if (n) memcpy(p->gaps, p->merged, n * sizeof *p->gaps);
        p->gap_count = n;
    }
    return true;
}

/* The gap that wastes least, among those between the bytes taken. */
static uint64_t fit(const packer *p, uint64_t size) {
    uint64_t end = 0, waste = UINT64_MAX, at = UINT64_MAX;
    for (uint32_t i = 0; i < p->gap_count; i++) {
        uint64_t room = p->gaps[i].lo - end;
        if (room >= size && room < waste) {
            waste = room;
            at = end;
        }
        end = p->gaps[i].hi;
    }
    return at == UINT64_MAX ? end : at;
}

/* Takes bytes in one group. */
static bool occupy(packer *p, column *c, gap g) {
    uint32_t at = 0, end = c->count;
    while (at < end) {
        uint32_t mid = (at + end) / 2;
        if (c->taken[mid].lo < g.lo)
            at = mid + 1;
        else
            end = mid;
    }
    bool below = at > 0 && c->taken[at - 1].hi == g.lo;
    bool above = at < c->count && c->taken[at].lo == g.hi;
    if (below && above) {
        c->taken[at - 1].hi = c->taken[at].hi;
        memmove(c->taken + at, c->taken + at + 1, (--c->count - at) * sizeof *c->taken);
    } else if (below) {
        c->taken[at - 1].hi = g.hi;
    } else if (above) {
        c->taken[at].lo = g.lo;
    } else {
        if (!RP_RESERVE(p->a, c->taken, c->count, c->capacity, 1)) return false;
        memmove(c->taken + at + 1, c->taken + at, (c->count++ - at) * sizeof *c->taken);
        c->taken[at] = g;
    }
    return true;
}

/* RP_ERROR_BUSY: it would be more work than the limit allows, or more than `most` bytes. */
static rp_status place_ranked(packer *p, uint64_t most, uint64_t *out_arena) {
    uint64_t arena = 0;
    for (uint32_t g = 0; g < p->column_count; g++) p->columns[g].count = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        const rp_lifetime *t = &p->items[p->order[i]];
        if (!collect(p, t)) return RP_ERROR_NO_MEMORY;
        if (p->work > WORK_LIMIT) return RP_ERROR_BUSY;
        uint64_t at = p->offset[p->order[i]] = fit(p, t->size);
        for (uint32_t g = t->first; g <= t->last; g++)
            if (!occupy(p, &p->columns[g], (gap){at, at + t->size})) return RP_ERROR_NO_MEMORY;
        if (at + t->size > arena) arena = at + t->size;
        if (arena > most) return RP_ERROR_BUSY;
    }
    *out_arena = arena;
    return RP_OK;
}

/* Moves the items that reach above the bound to the front, the rest keeps its order. */
static void promote(packer *p) {
    uint32_t front = 0, rest = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        uint32_t item = p->order[i];
        if (p->offset[item] + p->items[item].size > p->bound)
            p->order[front++] = item;
        else
            p->scratch[rest++] = item;
    }
    memcpy(p->order + front, p->scratch, rest * sizeof *p->order);
}

static bool search_ranked(packer *p) {
    static const struct {
        order_by major, minor;
    } orders[] = {{BY_SIZE, BY_LENGTH}, {BY_AREA, BY_SIZE}, {BY_LENGTH, BY_SIZE}};
    for (uint32_t i = 0; i < p->count; i++)
        if (p->items[i].last >= p->column_count) p->column_count = p->items[i].last + 1;
    p->columns = rp_alloc_zero(p->a, p->column_count, sizeof *p->columns);
    rp_status status = p->columns ? RP_OK : RP_ERROR_NO_MEMORY;
    /* Promotion helps where few lifetimes are in each other's way; among many it only stirs, and a
     * try that gets worse than the best so far can be given up. */
    bool many = p->count > MANY;
    for (uint32_t k = 0; k < 3 && p->best > p->bound; k++) {
        if (status == RP_OK && !sort_order(p, orders[k].major, orders[k].minor, p->order))
            status = RP_ERROR_NO_MEMORY;
        if (status == RP_ERROR_NO_MEMORY || p->work > WORK_LIMIT) break;
        for (uint32_t t = 0; t < (many ? 1 : TRIES); t++) {
            uint64_t arena;
            status = place_ranked(p, many ? p->best : UINT64_MAX, &arena);
            if (status != RP_OK) break;
            keep_if_better(p, arena);
            if (p->best == p->bound) break;
            promote(p);
        }
        if (status == RP_ERROR_BUSY) status = RP_OK;
    }
    for (uint32_t g = 0; p->columns && g < p->column_count; g++)
        rp_release(p->a, p->columns[g].taken);
    rp_release(p->a, p->columns);
    rp_release(p->a, p->merged);
    return status != RP_ERROR_NO_MEMORY;
}

/* ---- Entry ----------------------------------------------------------------------------------- */

/* Most bytes alive in one group. */
static rp_status find_bound(packer *p) {
    uint64_t total = 0, live = 0;
    uint32_t dead = p->count;
    for (uint32_t i = 0; i < p->count; i++)
        if (!rp_add_u64(total, p->items[i].size, &total)) return RP_ERROR_INVALID;
    if (!sort_ends(p, false)) return RP_ERROR_NO_MEMORY;
    p->bound = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        const rp_lifetime *t = &p->items[p->order[i]];
        while (dead > 0 && p->items[p->scratch[dead - 1]].last < t->first)
            live -= p->items[p->scratch[--dead]].size;
        live += t->size;
        if (live > p->bound) p->bound = live;
    }
    return RP_OK;
}

rp_status rp_place_lifetimes(const rp_allocator *a, rp_lifetime *items, uint32_t count,
                             uint64_t *out_arena, uint64_t *out_bound) {
    *out_arena = *out_bound = 0;
    if (count == 0) return RP_OK;
    packer p = {.a = a, .items = items, .count = count, .best = UINT64_MAX};
    p.best_offset = rp_alloc(a, count, sizeof *p.best_offset);
    p.offset = rp_alloc(a, count, sizeof *p.offset);
    p.order = rp_alloc(a, count, sizeof *p.order);
    p.scratch = rp_alloc(a, count, sizeof *p.scratch);
    p.keys = rp_alloc(a, count, sizeof *p.keys);
    bool ready = p.best_offset && p.offset && p.order && p.scratch && p.keys;
    rp_status status = ready ? find_bound(&p) : RP_ERROR_NO_MEMORY;
    for (int k = 0; k < 4 && status == RP_OK && p.best > p.bound; k++) {
        uint64_t arena;
        bool lowest = k >= 2;
        if (k == 2 && !sort_ends(&p, true))
            status = RP_ERROR_NO_MEMORY;
        else if (!sweep(&p, k % 2, lowest, &arena))
            status = RP_ERROR_NO_MEMORY;
        else
            keep_if_better(&p, arena);
    }
    if (status == RP_OK && p.best > p.bound && !search_ranked(&p)) status = RP_ERROR_NO_MEMORY;
    if (status == RP_OK) {
        for (uint32_t i = 0; i < count; i++) items[i].offset = p.best_offset[i];
        *out_arena = p.best;
        *out_bound = p.bound;
    }
    rp_release(a, p.best_offset);
    rp_release(a, p.offset);
    rp_release(a, p.order);
    rp_release(a, p.scratch);
    rp_release(a, p.keys);
    rp_release(a, p.gaps);
    return status;
}
