/* The interval map; see interval_map.h.
 *
 * update() works in three steps: find the entries that touch [lo, hi) and those that end or start
 * exactly there (they may have to be joined), build the new entries for that stretch in a scratch
 * array, and splice it in. Splicing within one leaf is the common case; otherwise the leaves of the
 * stretch are rebuilt. Cost: O(log n + pieces + leaves moved). */
#include "base/interval_map.h"

enum { LEAF_MAX = 64 };

struct rp_interval_leaf {
    uint32_t count, capacity;
    rp_interval items[];
};

void rp_interval_map_free(const rp_allocator *a, rp_interval_map *map) {
    for (uint32_t i = 0; i < map->leaf_count; i++) rp_release(a, map->leaves[i].leaf);
    rp_release(a, map->leaves);
    *map = (rp_interval_map){0};
}

/* A place in the map: entry `item` of leaf `leaf`; the end is {leaf_count, 0}. */
typedef struct place {
    uint32_t leaf, item;
} place;

static rp_interval_leaf *leaf_at(const rp_interval_map *map, uint32_t leaf) {
    return map->leaves[leaf].leaf;
}

/* The first entry with hi >= key (so that an entry ending exactly at key is found). The searches
 * halve a range without branches that depend on what is found: those are never predicted well. */
static place find(const rp_interval_map *map, uint64_t key) {
    if (map->leaf_count == 0 || map->leaves[map->leaf_count - 1].end < key)
        return (place){map->leaf_count, 0};
    const rp_interval_slot *slot = map->leaves;
    for (uint32_t n = map->leaf_count, half; n > 1; n -= half) {
        half = n / 2;
        slot += half * (size_t)(slot[half - 1].end < key);
    }
    const rp_interval *item = slot->leaf->items;
    for (uint32_t n = slot->leaf->count, half; n > 1; n -= half) {
        half = n / 2;
        item += half * (size_t)(item[half - 1].hi < key);
    }
    return (place){(uint32_t)(slot - map->leaves), (uint32_t)(item - slot->leaf->items)};
}

static const rp_interval *at(const rp_interval_map *map, place p) {
    return p.leaf < map->leaf_count ? &leaf_at(map, p.leaf)->items[p.item] : NULL;
}

static place next(const rp_interval_map *map, place p) {
    if (++p.item == leaf_at(map, p.leaf)->count) p = (place){p.leaf + 1, 0};
    return p;
}

/* The new entries of a stretch, joined as they are added. */
typedef struct run {
    const rp_allocator *a;
    rp_interval *items;
    uint32_t count, capacity;
    bool failed;
    rp_interval small[8];
} run;

static void push(run *r, uint64_t lo, uint64_t hi, uint32_t value) {
    if (value == RP_ABSENT || lo >= hi) return;
    rp_interval *last = r->count ? &r->items[r->count - 1] : NULL;
    if (last && last->hi == lo && last->value == value) {
        last->hi = hi;
        return;
    }
    if (r->count == r->capacity) {
        bool on_stack = r->items == r->small;
        rp_interval *block = on_stack ? NULL : r->items;
        uint32_t capacity = r->capacity;
        if (!rp_grow(r->a, (void **)&block, &capacity, r->count, 1, sizeof *block)) {
            r->failed = true;
            return;
        }
        if (on_stack) memcpy(block, r->small, sizeof r->small);
        r->items = block;
        r->capacity = capacity;
    }
    r->items[r->count++] = (rp_interval){lo, hi, value};
}

static rp_interval_leaf *new_leaf(const rp_allocator *a, uint32_t capacity) {
    rp_interval_leaf *leaf =
        rp_alloc(a, 1, sizeof(rp_interval_leaf) + capacity * sizeof(rp_interval));
    if (leaf) *leaf = (rp_interval_leaf){0, capacity};
    return leaf;
}

/* Most maps never have a second leaf: room for one, then doubling. */
static bool reserve_leaves(const rp_allocator *a, rp_interval_map *map, uint32_t extra) {
    if (map->leaf_capacity == 0 && extra == 1) {
        map->leaves = rp_alloc(a, 1, sizeof *map->leaves);
        map->leaf_capacity = map->leaves != NULL;
        return map->leaves != NULL;
    }
    return RP_RESERVE(a, map->leaves, map->leaf_count, map->leaf_capacity, extra);
}

/* Replaces the leaves [first, last) by ones that hold `items`. */
static bool replace_leaves(const rp_allocator *a, rp_interval_map *map, uint32_t first,
                           uint32_t last, const rp_interval *items, uint32_t count) {
    /* Half-full leaves leave room for neighbours; a single small leaf is kept small, because most
     * buffers never hold more than a few intervals. */
    uint32_t per_leaf = count <= LEAF_MAX ? LEAF_MAX : LEAF_MAX / 2;
    uint32_t fresh = (count + per_leaf - 1) / per_leaf;
    uint32_t removed = last - first;
    if (fresh > removed && !reserve_leaves(a, map, fresh - removed)) return false;

    rp_interval_slot *made = rp_alloc(a, fresh, sizeof *made);
    if (!made) return false;
    for (uint32_t i = 0; i < fresh; i++) {
        uint32_t n = count - i * per_leaf < per_leaf ? count - i * per_leaf : per_leaf;
        uint32_t capacity = n <= 3 ? 4 : n <= 12 ? 16 : LEAF_MAX;
        rp_interval_leaf *leaf = new_leaf(a, capacity);
        if (!leaf) {
            while (i--) rp_release(a, made[i].leaf);
            rp_release(a, made);
            return false;
        }
        leaf->count = n;
        memcpy(leaf->items, items + (size_t)i * per_leaf, n * sizeof *items);
        made[i] = (rp_interval_slot){leaf->items[n - 1].hi, leaf};
    }
    for (uint32_t i = first; i < last; i++) rp_release(a, map->leaves[i].leaf);
    memmove(map->leaves + first + fresh, map->leaves + last,
            (map->leaf_count - last) * sizeof *map->leaves);
    if (fresh) memcpy(map->leaves + first, made, fresh * sizeof *made);
    map->leaf_count += fresh - removed;
    rp_release(a, made);
    return true;
}

/* Replaces the entries [begin, end) by `items`. */
static bool splice(const rp_allocator *a, rp_interval_map *map, place begin, place end,
                   const rp_interval *items, uint32_t count) {
    if (map->leaf_count == 0) return count == 0 || replace_leaves(a, map, 0, 0, items, count);
    if (begin.leaf == map->leaf_count) { /* behind the last entry */
        begin = (place){map->leaf_count - 1, leaf_at(map, map->leaf_count - 1)->count};
        end = begin;
    } else if (end.leaf == begin.leaf + 1 && end.item == 0) {
        end = (place){begin.leaf, leaf_at(map, begin.leaf)->count};
    }

    rp_interval_leaf *leaf = leaf_at(map, begin.leaf);
    if (end.leaf == begin.leaf) {
        uint32_t rest = leaf->count - end.item, total = begin.item + count + rest;
        if (total > 0 && total <= leaf->capacity) {
            memmove(leaf->items + begin.item + count, leaf->items + end.item, rest * sizeof *items);
            if (count) memcpy(leaf->items + begin.item, items, count * sizeof *items);
            leaf->count = total;
            map->leaves[begin.leaf].end = leaf->items[total - 1].hi;
            return true;
        }
    }

    /* Several leaves, or one that is too full: rebuild what they hold together. */
    bool ends_inside = end.leaf < map->leaf_count && end.item > 0;
    const rp_interval_leaf *tail = ends_inside ? leaf_at(map, end.leaf) : NULL;
    uint32_t rest = tail ? tail->count - end.item : 0;
    uint32_t total = begin.item + count + rest;
    rp_interval *all = rp_alloc(a, total, sizeof *all);
    if (!all) return false;
    memcpy(all, leaf->items, begin.item * sizeof *all);
    if (count) memcpy(all + begin.item, items, count * sizeof *all);
    if (rest) memcpy(all + begin.item + count, tail->items + end.item, rest * sizeof *all);
    bool ok = replace_leaves(a, map, begin.leaf, ends_inside ? end.leaf + 1 : end.leaf, all, total);
    rp_release(a, all);
    return ok;
}

/* Whether giving entry `p` this value would let it join a neighbour. */
static bool joins_neighbour(const rp_interval_map *map, place p, uint32_t value) {
    const rp_interval *e = at(map, p), *after = at(map, next(map, p)), *before = NULL;
    if (p.item > 0)
        before = e - 1;
    else if (p.leaf > 0)
        before = &leaf_at(map, p.leaf - 1)->items[leaf_at(map, p.leaf - 1)->count - 1];
    return (before && before->hi == e->lo && before->value == value) ||
           (after && after->lo == e->hi && after->value == value);
}

/* The general case: rebuilds the stretch that the update touches. */
static bool rebuild(const rp_allocator *a, rp_interval_map *map, uint64_t lo, uint64_t hi,
                    rp_interval_visit *visit, void *context) {
    run r = {.a = a, .items = r.small, .capacity = 8};
    place begin = find(map, lo), p = begin;
    uint64_t done = lo;
    for (const rp_interval *e; (e = at(map, p)) && e->lo <= hi; p = next(map, p)) {
        if (e->hi <= lo || e->lo >= hi) { /* a neighbour, taken along to be joined */
            if (e->lo >= hi && done < hi) {
                push(&r, done, hi, visit(context, done, hi, RP_ABSENT));
                done = hi;
            }
            push(&r, e->lo, e->hi, e->value);
            continue;
        }
        if (e->lo < lo) push(&r, e->lo, lo, e->value);
        if (e->lo > done) push(&r, done, e->lo, visit(context, done, e->lo, RP_ABSENT));
        uint64_t from = e->lo > lo ? e->lo : lo, to = e->hi < hi ? e->hi : hi;
        push(&r, from, to, visit(context, from, to, e->value));
        if (e->hi > hi) push(&r, hi, e->hi, e->value);
        done = to;
    }
    if (done < hi) push(&r, done, hi, visit(context, done, hi, RP_ABSENT));
    bool ok = !r.failed && splice(a, map, begin, p, r.items, r.count);
    if (r.items != r.small) rp_release(a, r.items);
    return ok;
}

static uint32_t set_visit(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    (void)lo, (void)hi, (void)value;
    return *(uint32_t *)context;
}

bool rp_interval_map_update(const rp_allocator *a, rp_interval_map *map, uint64_t lo, uint64_t hi,
                            rp_interval_visit *visit, void *context) {
    if (lo >= hi) return true;
    /* Memory is mostly used in the same pieces again: one entry, hit exactly, or inside one. */
    place p = find(map, lo);
    const rp_interval *e = at(map, p);
    if (e && e->hi == lo) e = at(map, p = next(map, p));
    if (!e || e->lo > lo || e->hi < hi) return rebuild(a, map, lo, hi, visit, context);
    uint32_t value = visit(context, lo, hi, e->value);
    if (value == e->value) return true;
    if (value == RP_ABSENT || e->lo != lo || e->hi != hi || joins_neighbour(map, p, value))
        return rebuild(a, map, lo, hi, set_visit, &value);
    leaf_at(map, p.leaf)->items[p.item].value = value;
    return true;
}

bool rp_interval_map_set(const rp_allocator *a, rp_interval_map *map, uint64_t lo, uint64_t hi,
                         uint32_t value) {
    return rp_interval_map_update(a, map, lo, hi, set_visit, &value);
}

void rp_interval_map_each(const rp_interval_map *map, uint64_t lo, uint64_t hi,
                          rp_interval_visit *visit, void *context) {
    uint64_t done = lo;
    place p = find(map, lo);
    for (const rp_interval *e; (e = at(map, p)) && e->lo < hi; p = next(map, p)) {
        if (e->hi <= lo) continue;
        if (e->lo > done) visit(context, done, e->lo, RP_ABSENT);
        uint64_t from = e->lo > lo ? e->lo : lo, to = e->hi < hi ? e->hi : hi;
        visit(context, from, to, e->value);
        done = to;
    }
    if (done < hi) visit(context, done, hi, RP_ABSENT);
}

bool rp_interval_map_find(const rp_interval_map *map, uint64_t byte, rp_interval *out) {
    place p = find(map, byte);
    const rp_interval *e = at(map, p);
    if (e && e->hi == byte) e = at(map, next(map, p));
    if (!e || e->lo > byte) return false;
    *out = *e;
    return true;
}

uint32_t rp_interval_map_count(const rp_interval_map *map) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < map->leaf_count; i++) count += leaf_at(map, i)->count;
    return count;
}
