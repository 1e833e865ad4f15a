/* Packing lifetimes into the fewest bytes (see place.h): dynamic storage allocation, NP-hard.
 *
 * Two heuristics compete, and whichever needs fewer bytes wins; the bound (most bytes alive at
 * once) ends the search as soon as it is met: sweep    groups in order, like an allocator that
 * knows the future only as far as the current group: best fit among the free gaps, largest first.
 * Also run backwards in time. O(n (log n + gaps)). by rank  a fixed order of placement, each
 * lifetime at the lowest-waste gap between those it overlaps in time: largest first (Pisarchyk and
 * Lee, arXiv 2001.03288), longest area first. After a try, what sits above the bound is moved to
 * the front and the order is tried again: the hard lifetimes rise until they fit (the priority idea
 * of TelaMalloc, ASPLOS 2023). O(overlapping pairs) a try. A work limit, and one on the pairs per
 *            lifetime, keep compiling near-linear.
 */
#include "place.h"

#include <stdlib.h>

#include "base/checked.h"

enum { TRIES = 200, MANY = 2000, PAIRS_PER_ITEM = 120 };
static const uint64_t WORK_LIMIT = 4000000; /* steps of ranked placing; one try is always made */

typedef struct gap {
    uint64_t lo, hi;
} gap;

typedef struct packer {
    const rp_allocator *a;
    rp_lifetime *items;
    uint32_t count;
    uint64_t bound;
    uint64_t best;         /* bytes of the best packing so far */
    uint64_t *best_offset; /* per item */
    uint64_t *offset;      /* of the packing being tried */
    uint32_t *order, *scratch;
    gap *gaps; /* sweep: free gaps below the top, ascending */
    uint32_t gap_count, gap_capacity;
} packer;

/* ---- Order of items -------------------------------------------------------------------------- */

typedef struct key {
    uint64_t major, minor;
    uint32_t item;
} key;

static int compare_keys(const void *left, const void *right) {
    const key *a = left, *b = right;
    if (a->major != b->major) return a->major < b->major ? -1 : 1;
    if (a->minor != b->minor) return a->minor < b->minor ? -1 : 1;
    return (a->item > b->item) - (a->item < b->item);
}

typedef enum order_by { BY_START, BY_END, BY_SIZE, BY_AREA, BY_LENGTH } order_by;

static bool sort_order(packer *p, order_by by) {
    key *keys = rp_alloc(p->a, p->count, sizeof *keys);
    if (!keys) return false;
    for (uint32_t i = 0; i < p->count; i++) {
        const rp_lifetime *t = &p->items[i];
        uint64_t length = (uint64_t)t->last - t->first + 1;
        keys[i].item = i;
        keys[i].minor = ~t->size;
        switch (by) {
        case BY_START: keys[i].major = t->first; break;
        case BY_END: keys[i].major = ~(uint64_t)t->last; break;
        case BY_SIZE: keys[i].major = ~t->size, keys[i].minor = ~length; break;
        case BY_AREA: keys[i].major = ~(t->size / RP_ARENA_ALIGNMENT * length); break;
        case BY_LENGTH: keys[i].major = ~length; break;
        }
    }
    qsort(keys, p->count, sizeof *keys, compare_keys);
    for (uint32_t i = 0; i < p->count; i++) p->order[i] = keys[i].item;
    rp_release(p->a, keys);
    return true;
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

/* The lowest byte of the smallest gap that is large enough, else the top. */
static uint64_t take(packer *p, uint64_t size, uint64_t *top) {
    uint32_t best = RP_NONE;
    for (uint32_t i = 0; i < p->gap_count; i++) {
        uint64_t room = p->gaps[i].hi - p->gaps[i].lo;
        if (room >= size && (best == RP_NONE || room < p->gaps[best].hi - p->gaps[best].lo))
            best = i;
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

/* Births come in the order of `order`, deaths in that of `scratch`; backwards, time is mirrored. */
static bool sweep(packer *p, bool backwards, uint64_t *out_arena) {
    if (!sort_order(p, backwards ? BY_START : BY_END)) return false;
    /* Deaths: those that end first come first, so the order is read from its other end. */
    memcpy(p->scratch, p->order, p->count * sizeof *p->order);
    if (!sort_order(p, backwards ? BY_END : BY_START)) return false;
    uint64_t top = 0, arena = 0;
    uint32_t dead = p->count;
    p->gap_count = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        const rp_lifetime *t = &p->items[p->order[i]];
        while (dead > 0) {
            const rp_lifetime *d = &p->items[p->scratch[dead - 1]];
            bool over = backwards ? d->first > t->last : d->last < t->first;
            if (!over) break;
            uint64_t lo = p->offset[p->scratch[--dead]];
            if (!give_back(p, lo, lo + d->size, &top)) return false;
        }
        p->offset[p->order[i]] = take(p, t->size, &top);
        if (top > arena) arena = top;
    }
    *out_arena = arena;
    return true;
}

/* ---- Placing by rank ------------------------------------------------------------------------- */

/* The pairs of lifetimes that overlap in time, as rows. */
typedef struct overlaps {
    uint32_t *first, *other;
} overlaps;

/* Visits every overlapping pair once, by a sweep over starts with the list of those alive. With
 * o->other NULL it counts per item into o->first[item + 1]. */
static uint64_t visit_pairs(packer *p, overlaps *o, uint64_t limit) {
    uint32_t alive = 0;
    uint64_t pairs = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        uint32_t item = p->order[i], kept = 0;
        for (uint32_t k = 0; k < alive; k++) {
            uint32_t other = p->scratch[k];
            if (p->items[other].last < p->items[item].first) continue;
            p->scratch[kept++] = other;
            if (o->other) {
                o->other[--o->first[item + 1]] = other;
                o->other[--o->first[other + 1]] = item;
            } else {
                o->first[item + 1]++;
                o->first[other + 1]++;
            }
        }
        pairs += kept;
        if (pairs > limit) return pairs;
        alive = kept;
        p->scratch[alive++] = item;
    }
    return pairs;
}

static void free_overlaps(packer *p, overlaps *o) {
    rp_release(p->a, o->first);
    rp_release(p->a, o->other);
}

/* RP_ERROR_BUSY: more pairs than the budget allows. */
static rp_status find_overlaps(packer *p, uint64_t limit, overlaps *o, uint64_t *out_pairs) {
    *o = (overlaps){.first = rp_alloc_zero(p->a, (size_t)p->count + 2, sizeof *o->first)};
    if (!o->first || !sort_order(p, BY_START)) return RP_ERROR_NO_MEMORY;
    *out_pairs = visit_pairs(p, o, limit);
    if (*out_pairs > limit || *out_pairs * 2 > UINT32_MAX) return RP_ERROR_BUSY;
    for (uint32_t i = 0; i < p->count; i++) o->first[i + 1] += o->first[i];
    o->other = rp_alloc(p->a, *out_pairs * 2, sizeof *o->other);
    if (!o->other) return RP_ERROR_NO_MEMORY;
    visit_pairs(p, o, limit);
    for (uint32_t i = 0; i < p->count; i++) o->first[i] = o->first[i + 1];
    o->first[p->count] = (uint32_t)(*out_pairs * 2);
    return RP_OK;
}

static int compare_gaps(const void *left, const void *right) {
    const gap *a = left, *b = right;
    return (a->lo > b->lo) - (a->lo < b->lo);
}

/* The best gap for an item between the placed ones it overlaps. */
static bool fit(packer *p, const overlaps *o, uint32_t item, uint64_t *out) {
    uint32_t from = o->first[item], to = o->first[item + 1];
    p->gap_count = 0;
    if (!RP_RESERVE(p->a, p->gaps, 0, p->gap_capacity, to - from)) return false;
    for (uint32_t e = from; e < to; e++) {
        uint64_t lo = p->offset[o->other[e]];
        if (lo != RP_NOT_PLACED)
            p->gaps[p->gap_count++] = (gap){lo, lo + p->items[o->other[e]].size};
    }
    if (p->gap_count > 1) qsort(p->gaps, p->gap_count, sizeof *p->gaps, compare_gaps);
    uint64_t size = p->items[item].size, end = 0, waste = UINT64_MAX, at = UINT64_MAX;
    for (uint32_t i = 0; i < p->gap_count; i++) {
        if (p->gaps[i].lo > end && p->gaps[i].lo - end >= size && p->gaps[i].lo - end < waste) {
            waste = p->gaps[i].lo - end;
            at = end;
        }
        if (p->gaps[i].hi > end) end = p->gaps[i].hi;
    }
    *out = at == UINT64_MAX ? end : at;
    return true;
}

static bool place_ranked(packer *p, const overlaps *o, uint64_t *out_arena) {
    uint64_t arena = 0;
    for (uint32_t i = 0; i < p->count; i++) p->offset[i] = RP_NOT_PLACED;
    for (uint32_t i = 0; i < p->count; i++) {
        uint32_t item = p->order[i];
        uint64_t at;
        if (!fit(p, o, item, &at)) return false;
        p->offset[item] = at;
        if (at + p->items[item].size > arena) arena = at + p->items[item].size;
    }
    *out_arena = arena;
    return true;
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
    static const order_by orders[] = {BY_SIZE, BY_AREA, BY_LENGTH};
    overlaps o;
    uint64_t pairs, work = 0;
    rp_status status = find_overlaps(p, PAIRS_PER_ITEM * (uint64_t)p->count + 100000, &o, &pairs);
    uint64_t cost = 16ull * p->count + 8 * pairs; /* of one try, with its sorting */
    /* Promotion helps where few lifetimes are in each other's way; among many it only stirs. */
    uint32_t tries = p->count > MANY ? 1 : TRIES;
    for (uint32_t k = 0; status == RP_OK && k < 3 && p->best > p->bound; k++) {
        if (!sort_order(p, orders[k])) status = RP_ERROR_NO_MEMORY;
        for (uint32_t t = 0; status == RP_OK && t < tries; t++) {
            uint64_t arena;
            if (work && work + cost > WORK_LIMIT) break;
            if (!place_ranked(p, &o, &arena))
                status = RP_ERROR_NO_MEMORY;
            else
                keep_if_better(p, arena);
            work += cost;
            if (status != RP_OK || p->best == p->bound) break;
            promote(p);
        }
    }
    free_overlaps(p, &o);
    return status != RP_ERROR_NO_MEMORY;
}

/* ---- Entry ----------------------------------------------------------------------------------- */

/* Most bytes alive in one group. */
static rp_status find_bound(packer *p) {
    uint64_t total = 0, live = 0;
    uint32_t dead = p->count;
    for (uint32_t i = 0; i < p->count; i++)
        if (!rp_add_u64(total, p->items[i].size, &total)) return RP_ERROR_INVALID;
    if (!sort_order(p, BY_END)) return RP_ERROR_NO_MEMORY;
    memcpy(p->scratch, p->order, p->count * sizeof *p->order);
    if (!sort_order(p, BY_START)) return RP_ERROR_NO_MEMORY;
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
    rp_status status =
        p.best_offset && p.offset && p.order && p.scratch ? find_bound(&p) : RP_ERROR_NO_MEMORY;
    for (int backwards = 0; backwards < 2 && status == RP_OK && p.best > p.bound; backwards++) {
        uint64_t arena;
        if (!sweep(&p, backwards, &arena))
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
    rp_release(a, p.gaps);
    return status;
}
