/* The interval map against an array with one value for each byte. */
#include "support/unit.h"
#include "support/failing_alloc.h"

#include "base/interval_map.h"

enum { BYTES = 2048, VALUES = 4 };

typedef struct model {
    uint32_t value[BYTES];
} model;

static uint64_t seed;

static uint32_t random_below(uint32_t limit) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % limit);
}

static void model_init(model *m) {
    for (int i = 0; i < BYTES; i++) m->value[i] = RP_ABSENT;
}

static uint32_t model_count(const model *m) {
    uint32_t count = 0;
    for (int i = 0; i < BYTES; i++)
        count += m->value[i] != RP_ABSENT && (i == 0 || m->value[i] != m->value[i - 1]);
    return count;
}

/* What an update does to a value: depends on the value, so that pieces differ. */
static uint32_t changed(uint32_t value, uint32_t by) {
    if (by == 0) return value;
    if (value == RP_ABSENT) return by % VALUES;
    uint32_t next = value + by;
    return next % 5 == 0 ? RP_ABSENT : next % VALUES;
}

/* Checks that pieces come in order, without holes, maximal, and with the model's values. */
typedef struct visitor {
    const model *m;
    uint64_t at, end;
    uint32_t last, by;
    bool first, ok;
} visitor;

static uint32_t visit(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    visitor *v = context;
    v->ok &= lo == v->at && hi > lo && hi <= v->end;
    v->ok &= v->first || value != v->last;
    for (uint64_t i = lo; v->ok && i < hi; i++) v->ok &= v->m->value[i] == value;
    v->at = hi;
    v->last = value;
    v->first = false;
    return changed(value, v->by);
}

static visitor start(const model *m, uint64_t lo, uint64_t hi, uint32_t by) {
    return (visitor){.m = m, .at = lo, .end = hi, .by = by, .first = true, .ok = true};
}

static bool same(const rp_interval_map *map, const model *m) {
    visitor v = start(m, 0, BYTES, 0);
    rp_interval_map_each(map, 0, BYTES, visit, &v);
    return v.ok && v.at == BYTES && rp_interval_map_count(map) == model_count(m);
}

static uint32_t put; /* by exact searches */

/* An exact search finds an interval from end to end, and may put one where nothing is. */
static void search(rp_interval_map *map, model *m, uint64_t lo, uint64_t hi, uint32_t value) {
    bool even = true;
    for (uint64_t i = lo; i < hi; i++) even &= m->value[i] == m->value[lo];
    uint32_t there = m->value[lo];
    bool whole = even && there != RP_ABSENT && (lo == 0 || m->value[lo - 1] != there) &&
                 (hi == BYTES || m->value[hi] != there);
    uint32_t *found = rp_interval_map_exact(map, lo, hi, value);
    CU_ASSERT_EQUAL(found != NULL && *found == there, whole);
    if (!found || whole) return;
    CU_ASSERT(even && there == RP_ABSENT && value != RP_ABSENT && *found == value);
    for (uint64_t i = lo; i < hi; i++) m->value[i] = value;
    put++;
}

static bool step(const rp_allocator *a, rp_interval_map *map, model *m, uint32_t longest) {
    uint64_t lo = random_below(BYTES), hi = lo + 1 + random_below(longest);
    if (hi > BYTES) hi = BYTES;
    uint32_t value = random_below(VALUES + 1);
    if (random_below(3) == 0) {
        search(map, m, lo, hi, value == VALUES ? RP_ABSENT : value);
        return true;
    }
    if (random_below(2)) {
        if (value == VALUES) value = RP_ABSENT;
        if (!rp_interval_map_set(a, map, lo, hi, value)) return false;
        for (uint64_t i = lo; i < hi; i++) m->value[i] = value;
        return true;
    }
    visitor v = start(m, lo, hi, value);
    bool ok = rp_interval_map_update(a, map, lo, hi, visit, &v);
    if (ok) CU_ASSERT(v.ok && v.at == hi);
    for (uint64_t i = lo; ok && i < hi; i++) m->value[i] = changed(m->value[i], value);
    return ok;
}

/* Short pieces make many leaves, long ones empty them again. */
static void against_brute_force(void) {
    static const uint32_t longest[] = {1, 3, 20, 300, BYTES};
    failing_alloc f = {0};
    rp_allocator a = failing_allocator(&f);
    for (uint64_t round = 0; round < 20; round++) {
        seed = round;
        rp_interval_map map = {0};
        model m;
        model_init(&m);
        bool ok = true;
        for (int i = 0; ok && i < 1500; i++) {
            ok = step(&a, &map, &m, longest[round < 5 ? round : random_below(5)]);
            if (ok && i % 10 == 0) ok = same(&map, &m);
        }
        CU_ASSERT(ok && same(&map, &m));
        if (!ok) printf("seed %llu\n", (unsigned long long)round);
        rp_interval_map_free(&a, &map);
        CU_ASSERT_EQUAL(f.live, 0);
    }
    CU_ASSERT(put > 1000);
}

static void edges(void) {
    rp_allocator a = rp_allocator_or_default(NULL);
    rp_interval_map map = {0};
    model m;
    model_init(&m);
    CU_ASSERT(rp_interval_map_set(&a, &map, 5, 5, 1)); /* empty range: nothing */
    CU_ASSERT_EQUAL(rp_interval_map_count(&map), 0);
    CU_ASSERT(rp_interval_map_set(&a, &map, 5, 9, RP_ABSENT));
    CU_ASSERT_EQUAL(rp_interval_map_count(&map), 0);
    CU_ASSERT(rp_interval_map_set(&a, &map, UINT64_MAX - 4, UINT64_MAX, 1));
    CU_ASSERT(rp_interval_map_set(&a, &map, 0, 1, 1));
    CU_ASSERT_EQUAL(rp_interval_map_count(&map), 2);
    CU_ASSERT(rp_interval_map_set(&a, &map, 1, UINT64_MAX - 4, 1)); /* joins all three */
    CU_ASSERT_EQUAL(rp_interval_map_count(&map), 1);
    CU_ASSERT(rp_interval_map_set(&a, &map, 0, UINT64_MAX, RP_ABSENT));
    CU_ASSERT(same(&map, &m));
    rp_interval_map_free(&a, &map);
    rp_interval_map_free(&a, &map);
}

/* Each allocation fails in turn: the update reports it, and the map can still be read and freed.
 * The table of hints is the one allocation that the map can do without. */
static void without_memory(void) {
    uint64_t total = 0, unnoticed = 0;
    for (uint64_t n = 0; n <= total; n++) {
        failing_alloc f = {.fail_at = n};
        rp_allocator a = failing_allocator(&f);
        rp_interval_map map = {0};
        model m;
        model_init(&m);
        seed = 42;
        bool ok = true;
        for (int i = 0; ok && i < 300; i++) ok = step(&a, &map, &m, 5);
        if (ok && n > 0) unnoticed++;
        CU_ASSERT(ok ? same(&map, &m) : n > 0);
        if (n == 0) total = f.requests;
        CU_ASSERT(rp_interval_map_count(&map) <= BYTES);
        rp_interval_map_free(&a, &map);
        CU_ASSERT_EQUAL(f.live, 0);
    }
    CU_ASSERT(total > 10);
    CU_ASSERT(unnoticed <= 1);
}

/* Maps that share a pool: what is cleared and filled again as before allocates nothing. */
static void pool(void) {
    failing_alloc f = {0};
    rp_allocator a = failing_allocator(&f);
    rp_interval_pool leaves = {0};
    rp_interval_map maps[2] = {{.pool = &leaves}, {.pool = &leaves}};
    uint64_t first = 0;
    for (int round = 0; round < 4; round++) {
        uint64_t before = f.requests;
        for (int i = 0; i < 2; i++) {
            model m;
            model_init(&m);
            seed = 7;
            bool ok = true;
            for (int k = 0; ok && k < 400; k++) ok = step(&a, &maps[i], &m, 40);
            CU_ASSERT(ok && same(&maps[i], &m));
        }
        if (round == 0) first = f.requests - before;
        if (round > 0) CU_ASSERT_EQUAL(f.requests, before);
        for (int i = 0; i < 2; i++) {
            rp_interval_map_clear(&a, &maps[i]);
            CU_ASSERT_EQUAL(rp_interval_map_count(&maps[i]), 0);
        }
    }
    CU_ASSERT(first > 4);
    for (int i = 0; i < 2; i++) rp_interval_map_free(&a, &maps[i]);
    rp_interval_pool_free(&a, &leaves);
    CU_ASSERT_EQUAL(f.live, 0);
}

static void exact(void) {
    rp_allocator a = rp_allocator_or_default(NULL);
    rp_interval_map map = {0};
    CU_ASSERT_PTR_NULL(rp_interval_map_exact(&map, 0, 4, RP_ABSENT));
    CU_ASSERT_EQUAL(rp_interval_map_count(&map), 0);
    for (uint32_t i = 0; i < 300; i++)
        CU_ASSERT(rp_interval_map_set(&a, &map, i * 10, i * 10 + 4 + i % 7, i));
    for (uint32_t i = 0; i < 300; i++) {
        uint64_t lo = i * 10, hi = lo + 4 + i % 7;
        uint32_t *value = rp_interval_map_exact(&map, lo, hi, 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(value);
        CU_ASSERT_EQUAL(*value, i);
        CU_ASSERT_PTR_NULL(rp_interval_map_exact(&map, lo, hi + 1, 0));
        CU_ASSERT_PTR_NULL(rp_interval_map_exact(&map, lo, hi - 1, 0));
        CU_ASSERT_PTR_NULL(rp_interval_map_exact(&map, lo + 1, hi, 0));
    }
    rp_interval_map_free(&a, &map);
}

int main(void) {
    static const rp_test tests[] = {{"against brute force", against_brute_force},
                                    {"edges", edges},
                                    {"without memory", without_memory},
                                    {"pool", pool},
                                    {"exact", exact},
                                    {NULL, NULL}};
    return rp_run_tests("interval map", tests);
}
