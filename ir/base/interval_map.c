/* The interval map; see interval_map.h.
 *
 * update() works in three steps: find the entries that touch [lo, hi) and those that end or start
 * exactly there (they may have to be joined), build the new entries for that stretch in a scratch
 * array, and splice it in. Splicing within one leaf is the common case; otherwise the leaves of the
 * stretch are rebuilt. A map without leaves is looked at as if its only interval were the one entry
 * of one leaf. Cost: O(log n + pieces + leaves moved). */
#include "base/interval_map.h"

/* Stretches of a few pieces, and of a few leaves, are built without allocating. */
enum { LEAF_MAX = 64, SMALL = 24, STRETCH_MAX = 3 * LEAF_MAX };

static const uint32_t leaf_sizes[RP_INTERVAL_LEAVES] = {4, 16, LEAF_MAX};

struct rp_interval_leaf {
    rp_interval_leaf *next; /* in a pool */
    uint32_t count, size;   /* leaf_sizes[size] fit */
    rp_interval items[];
};

/* ---- Leaves ---------------------------------------------------------------------------------- */

/* The size of a leaf that holds `count` entries and has room for neighbours; a single small leaf is
 * kept small, because most buffers never hold more than a few intervals. */
static uint32_t size_for(uint32_t count) {
    return count <= 3 ? 0 : count <= 12 ? 1 : 2;
}

static rp_interval_leaf *new_leaf(const rp_allocator *a, rp_interval_map *map, uint32_t size) {
    rp_interval_leaf *leaf = map->pool ? map->pool->spare[size] : NULL;
    if (leaf)
        map->pool->spare[size] = leaf->next;
    else
        leaf = rp_alloc(a, 1, sizeof *leaf + leaf_sizes[size] * sizeof(rp_interval));
    if (leaf) *leaf = (rp_interval_leaf){.size = size};
    return leaf;
}

static void release_leaf(const rp_allocator *a, rp_interval_map *map, rp_interval_leaf *leaf) {
    if (!map->pool) {
        rp_release(a, leaf);
        return;
    }
    leaf->next = map->pool->spare[leaf->size];
    map->pool->spare[leaf->size] = leaf;
}

void rp_interval_pool_free(const rp_allocator *a, rp_interval_pool *pool) {
    for (uint32_t i = 0; i < RP_INTERVAL_LEAVES; i++)
        for (rp_interval_leaf *leaf = pool->spare[i], *next; leaf; leaf = next) {
            next = leaf->next;
            rp_release(a, leaf);
        }
    rp_release(a, pool->scratch);
    *pool = (rp_interval_pool){0};
}

void rp_interval_map_clear(const rp_allocator *a, rp_interval_map *map) {
    for (uint32_t i = 0; i < map->leaf_count; i++) release_leaf(a, map, map->leaves[i].leaf);
    map->leaf_count = 0;
    map->only = (rp_interval){0};
}

void rp_interval_map_free_leaves(const rp_allocator *a, rp_interval_map *map) {
    rp_interval_map_clear(a, map);
    rp_release(a, map->leaves);
    *map = (rp_interval_map){.pool = map->pool};
}

/* ---- Finding --------------------------------------------------------------------------------- */

/* A place in the map: entry `item` of leaf `leaf`; the end is {leaf_count, 0}, behind an only
 * interval {1, 0}. */
typedef struct place {
    uint32_t leaf, item;
} place;

static bool has_only(const rp_interval_map *map) {
    return map->only.lo < map->only.hi;
}

static rp_interval_leaf *leaf_at(const rp_interval_map *map, uint32_t leaf) {
    return map->leaves[leaf].leaf;
}

/* The first entry with hi >= key (so that an entry ending exactly at key is found). The searches
 * halve a range without branches that depend on what is found: those are never predicted well. */
static place find(const rp_interval_map *map, uint64_t key) {
    if (map->leaf_count == 0) return (place){map->only.hi < key, 0};
    if (map->leaves[map->leaf_count - 1].end < key) return (place){map->leaf_count, 0};
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
    if (map->leaf_count == 0) return p.leaf == 0 && has_only(map) ? &map->only : NULL;
    return p.leaf < map->leaf_count ? &leaf_at(map, p.leaf)->items[p.item] : NULL;
}

static place next(const rp_interval_map *map, place p) {
    if (map->leaf_count == 0) return (place){1, 0};
    if (++p.item == leaf_at(map, p.leaf)->count) p = (place){p.leaf + 1, 0};
    return p;
}

/* ---- Changing -------------------------------------------------------------------------------- */

/* The new entries of a stretch, joined as they are added. */
typedef struct run {
    const rp_allocator *a;
    rp_interval *items;
    uint32_t count, capacity;
    bool failed;
    rp_interval small[SMALL];
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

/* What a run had to allocate stays in the pool for the next one. */
static void begin_run(run *r, const rp_allocator *a, const rp_interval_pool *pool) {
    bool have = pool && pool->scratch;
    r->a = a;
    r->items = have ? pool->scratch : r->small;
    r->capacity = have ? pool->scratch_capacity : SMALL;
    r->count = 0;
    r->failed = false;
}

static void end_run(run *r, rp_interval_pool *pool) {
    if (r->items == r->small) return;
    if (!pool) {
        rp_release(r->a, r->items);
        return;
    }
    pool->scratch = r->items;
    pool->scratch_capacity = r->capacity;
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
    /* Half-full leaves leave room for neighbours. */
    uint32_t per_leaf = count <= LEAF_MAX ? LEAF_MAX : LEAF_MAX / 2;
    uint32_t fresh = (count + per_leaf - 1) / per_leaf;
    uint32_t removed = last - first;
    if (fresh > removed && !reserve_leaves(a, map, fresh - removed)) return false;

    rp_interval_slot few[8], *made = few;
    if (fresh > sizeof few / sizeof *few && !(made = rp_alloc(a, fresh, sizeof *made)))
        return false;
    for (uint32_t i = 0; i < fresh; i++) {
        uint32_t n = count - i * per_leaf < per_leaf ? count - i * per_leaf : per_leaf;
        rp_interval_leaf *leaf = new_leaf(a, map, size_for(n));
        if (!leaf) {
            while (i--) release_leaf(a, map, made[i].leaf);
            if (made != few) rp_release(a, made);
            return false;
        }
        leaf->count = n;
        memcpy(leaf->items, items + (size_t)i * per_leaf, n * sizeof *items);
        made[i] = (rp_interval_slot){leaf->items[n - 1].hi, leaf};
    }
    for (uint32_t i = first; i < last; i++) release_leaf(a, map, map->leaves[i].leaf);
    memmove(map->leaves + first + fresh, map->leaves + last,
            (map->leaf_count - last) * sizeof *map->leaves);
    if (fresh) memcpy(map->leaves + first, made, fresh * sizeof *made);
    map->leaf_count += fresh - removed;
    if (made != few) rp_release(a, made);
    return true;
}

/* Splices a map without leaves. */
static bool splice_only(const rp_allocator *a, rp_interval_map *map, place begin, place end,
                        const rp_interval *items, uint32_t count) {
    bool only = has_only(map), before = only && begin.leaf > 0, after = only && end.leaf == 0;
    uint32_t total = before + count + after;
    if (total <= 1) {
        if (count || !(before || after)) map->only = count ? *items : (rp_interval){0};
        return true;
    }
    rp_interval some[STRETCH_MAX], *all = some;
    if (total > STRETCH_MAX && !(all = rp_alloc(a, total, sizeof *all))) return false;
    if (before) all[0] = map->only;
    memcpy(all + before, items, count * sizeof *all);
    if (after) all[total - 1] = map->only;
    bool ok = replace_leaves(a, map, 0, 0, all, total);
    if (ok) map->only = (rp_interval){0};
    if (all != some) rp_release(a, all);
    return ok;
}

/* Replaces the entries [begin, end) by `items`. */
static bool splice(const rp_allocator *a, rp_interval_map *map, place begin, place end,
                   const rp_interval *items, uint32_t count) {
    if (map->leaf_count == 0) return splice_only(a, map, begin, end, items, count);
    if (begin.leaf == map->leaf_count) { /* behind the last entry */
        begin = (place){map->leaf_count - 1, leaf_at(map, map->leaf_count - 1)->count};
        end = begin;
    } else if (end.leaf == begin.leaf + 1 && end.item == 0) {
        end = (place){begin.leaf, leaf_at(map, begin.leaf)->count};
    }

    rp_interval_leaf *leaf = leaf_at(map, begin.leaf);
    if (end.leaf == begin.leaf) {
        uint32_t rest = leaf->count - end.item, total = begin.item + count + rest;
        if (total > 0 && total <= leaf_sizes[leaf->size]) {
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
    rp_interval some[STRETCH_MAX], *all = some;
    if (total > STRETCH_MAX && !(all = rp_alloc(a, total, sizeof *all))) return false;
    memcpy(all, leaf->items, begin.item * sizeof *all);
    if (count) memcpy(all + begin.item, items, count * sizeof *all);
    if (rest) memcpy(all + begin.item + count, tail->items + end.item, rest * sizeof *all);
    bool ok = replace_leaves(a, map, begin.leaf, ends_inside ? end.leaf + 1 : end.leaf, all, total);
    if (all != some) rp_release(a, all);
    return ok;
}

/* Whether giving entry `p` this value would let it join a neighbour. */
static bool joins_neighbour(const rp_interval_map *map, place p, uint32_t value) {
    if (map->leaf_count == 0) return false;
    const rp_interval *e = at(map, p), *after = at(map, next(map, p)), *before = NULL;
    if (p.item > 0)
        before = e - 1;
    else if (p.leaf > 0)
        before = &leaf_at(map, p.leaf - 1)->items[leaf_at(map, p.leaf - 1)->count - 1];
    return (before && before->hi == e->lo && before->value == value) ||
           (after && after->lo == e->hi && after->value == value);
}

/* The general case: rebuilds the stretch that the update touches; `begin` is its first entry. */
static bool rebuild(const rp_allocator *a, rp_interval_map *map, place begin, uint64_t lo,
                    uint64_t hi, rp_interval_visit *visit, void *context) {
    run r; /* not initialised as a whole: small[] is large */
    begin_run(&r, a, map->pool);
    place p = begin;
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
    end_run(&r, map->pool);
    return ok;
}

static uint32_t set_visit(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    (void)lo, (void)hi, (void)value;
    return *(uint32_t *)context;
}

/* Puts an entry into the gap before place `p`, where its leaf has room and it joins no neighbour; else
 * NULL. */
static rp_interval *insert(rp_interval_map *map, place p, rp_interval entry) {
    if (map->leaf_count == 0) {
        if (has_only(map)) return NULL;
        map->only = entry;
        return &map->only;
    }
    if (p.leaf == map->leaf_count)
        p = (place){map->leaf_count - 1, leaf_at(map, map->leaf_count - 1)->count};
    rp_interval_leaf *leaf = leaf_at(map, p.leaf);
    if (leaf->count == leaf_sizes[leaf->size] || (p.item == 0 && p.leaf > 0)) return NULL;
    rp_interval *at = leaf->items + p.item;
    if (p.item > 0 && at[-1].hi == entry.lo && at[-1].value == entry.value) return NULL;
    if (p.item < leaf->count && at->lo == entry.hi && at->value == entry.value) return NULL;
    memmove(at + 1, at, (leaf->count - p.item) * sizeof *at);
    *at = entry;
    map->leaves[p.leaf].end = leaf->items[leaf->count++].hi;
    return at;
}

bool rp_interval_map_update(const rp_allocator *a, rp_interval_map *map, uint64_t lo, uint64_t hi,
                            rp_interval_visit *visit, void *context) {
    if (lo >= hi) return true;
    if (map->leaf_count == 0) {
        bool none = !has_only(map);
        if (none || (map->only.lo == lo && map->only.hi == hi)) {
            uint32_t value = visit(context, lo, hi, none ? RP_ABSENT : map->only.value);
            map->only = value == RP_ABSENT ? (rp_interval){0} : (rp_interval){lo, hi, value};
            return true;
        }
    }
    /* Memory is mostly used in the same pieces again: one entry, hit exactly, or inside one, or one
     * that is new. */
    place begin = find(map, lo), p = begin;
    const rp_interval *e = at(map, p);
    if (e && e->hi == lo) e = at(map, p = next(map, p));
    if (!e || e->lo >= hi) {
        uint32_t value = visit(context, lo, hi, RP_ABSENT);
        return value == RP_ABSENT || insert(map, p, (rp_interval){lo, hi, value}) ||
               rebuild(a, map, begin, lo, hi, set_visit, &value);
    }
    if (e->lo > lo || e->hi < hi) return rebuild(a, map, begin, lo, hi, visit, context);
    uint32_t value = visit(context, lo, hi, e->value);
    if (value == e->value) return true;
    if (value == RP_ABSENT || e->lo != lo || e->hi != hi || joins_neighbour(map, p, value))
        return rebuild(a, map, begin, lo, hi, set_visit, &value);
    if (map->leaf_count == 0)
        map->only.value = value;
    else
        leaf_at(map, p.leaf)->items[p.item].value = value;
    return true;
}

bool rp_interval_map_set(const rp_allocator *a, rp_interval_map *map, uint64_t lo, uint64_t hi,
                         uint32_t value) {
    return rp_interval_map_update(a, map, lo, hi, set_visit, &value);
}

void rp_interval_map_each(const rp_interval_map *map, uint64_t lo, uint64_t hi,
                          rp_interval_visit *visit, void *context) {
    if (map->leaf_count == 0 && map->only.lo == lo && map->only.hi == hi && lo < hi) {
        visit(context, lo, hi, map->only.value);
        return;
    }
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

uint32_t *rp_interval_map_exact(rp_interval_map *map, uint64_t lo, uint64_t hi, uint32_t value) {
    place p = find(map, lo + 1);
    rp_interval *e = (rp_interval *)at(map, p);
    if (e && e->lo == lo && e->hi == hi) return &e->value;
    if ((e && e->lo < hi) || value == RP_ABSENT) return NULL;
    e = insert(map, p, (rp_interval){lo, hi, value});
    return e ? &e->value : NULL;
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
    uint32_t count = map->leaf_count == 0 && has_only(map);
    for (uint32_t i = 0; i < map->leaf_count; i++) count += leaf_at(map, i)->count;
    return count;
}
