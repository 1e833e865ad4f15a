/* The hash table against a list that is searched one by one: random keys, keys that collide, and
 * failing allocations. */
#include "support/unit.h"
#include "support/failing_alloc.h"

#include "base/table.h"

enum { PAIRS = 4000 };

typedef struct pairs {
    uint32_t keys[PAIRS], values[PAIRS], count;
} pairs;

/* All values of a key, in the order in which they were added. */
static void check_key(const rp_table *table, const pairs *all, uint32_t key) {
    uint32_t at = 0, found = 0, first = 0;
    bool any = false, same = true;
    for (uint32_t i = 0; i < all->count; i++) {
        if (all->keys[i] != key) continue;
        same &= rp_table_next(table, key, &at, &found) && found == all->values[i];
        if (!any) same &= rp_table_find(table, key, &first) && first == all->values[i];
        any = true;
    }
    same &= !rp_table_next(table, key, &at, &found);
    same &= any || !rp_table_find(table, key, &first);
    CU_ASSERT(same);
}

/* Adds random pairs with keys below `range`, times `step`. */
static void try_keys(uint32_t count, uint32_t range, uint32_t step) {
    static pairs all;
    failing_alloc f = {0};
    rp_allocator a = failing_allocator(&f);
    rp_table table = {0}, copy = {0};
    uint64_t state = range + step;
    all.count = 0;
    for (uint32_t i = 0; i < count; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        uint32_t key = (uint32_t)(state >> 33) % range * step, value = (uint32_t)(state >> 7) / 2;
        CU_ASSERT(rp_table_add(&a, &table, key, value));
        all.keys[all.count] = key;
        all.values[all.count++] = value;
    }
    CU_ASSERT_EQUAL(table.count, count);
    CU_ASSERT(rp_table_copy(&a, &table, &copy));
    for (uint32_t i = 0; i < 2 * range && i < 600; i++) {
        check_key(&table, &all, i * step);
        check_key(&copy, &all, i * step);
    }
    rp_table_free(&a, &table);
    check_key(&copy, &all, 0);
    rp_table_free(&a, &copy);
    CU_ASSERT_EQUAL(f.live, 0);
}

static void against_a_list(void) {
    try_keys(0, 1, 1);
    try_keys(PAIRS, 1 << 20, 1);
    try_keys(PAIRS, 300, 1);            /* many values of each key */
    try_keys(PAIRS, 2000, 0x10000);     /* keys that differ in high bits alone */
    try_keys(700, 1, 1);                /* one key */
    try_keys(PAIRS, 4, UINT32_MAX / 4); /* up to the largest key */
}

/* Sequences that wrap around the end keep their order when the table grows. */
static void order_over_the_end(void) {
    rp_allocator a = rp_allocator_or_default(NULL);
    for (uint32_t key = 0; key < 200; key++) {
        rp_table table = {0};
        for (uint32_t value = 0; value < 40; value++)
            CU_ASSERT(rp_table_add(&a, &table, value % 5 ? key : key + value, value));
        uint32_t at = 0, found, last = 0;
        while (rp_table_next(&table, key, &at, &found)) {
            CU_ASSERT(found >= last);
            last = found;
        }
        CU_ASSERT_EQUAL(last, 39);
        rp_table_free(&a, &table);
    }
}

/* A key that is set again keeps one value. */
static void one_value(void) {
    rp_allocator a = rp_allocator_or_default(NULL);
    rp_table table = {0};
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t key = 0; key < 500; key++)
            CU_ASSERT(rp_table_set(&a, &table, key * 0x1001, key + round));
    CU_ASSERT_EQUAL(table.count, 500);
    for (uint32_t key = 0; key < 500; key++) {
        uint32_t at = 0, out = 0;
        CU_ASSERT(rp_table_next(&table, key * 0x1001, &at, &out) && out == key + 2);
        CU_ASSERT(!rp_table_next(&table, key * 0x1001, &at, &out));
    }
    rp_table_free(&a, &table);
}

static void without_memory(void) {
    failing_alloc f = {.fail_at = 1, .stay = true};
    rp_allocator a = failing_allocator(&f);
    rp_table table = {0}, copy = {0};
    uint32_t out;
    CU_ASSERT(!rp_table_add(&a, &table, 5, 6) && !rp_table_find(&table, 5, &out));
    CU_ASSERT(!rp_table_reserve(&a, &table, 100));
    f.fail_at = 0;
    CU_ASSERT(rp_table_reserve(&a, &table, 100));
    f.fail_at = f.requests + 1;
    f.stay = true;
    for (uint32_t i = 0; i < 100; i++) CU_ASSERT(rp_table_add(&a, &table, i, i));
    uint32_t added = 100;
    while (rp_table_add(&a, &table, added, added)) added++; /* to the failing request */
    CU_ASSERT_EQUAL(table.count, added);
    for (uint32_t i = 0; i < added; i++) CU_ASSERT(rp_table_find(&table, i, &out) && out == i);
    CU_ASSERT(!rp_table_copy(&a, &table, &copy) && copy.slots == NULL);
    rp_table_free(&a, &table);
    CU_ASSERT_EQUAL(f.live, 0);
}

static void keys_of_bytes(void) {
    CU_ASSERT_EQUAL(rp_table_key("abc", 3), rp_table_key("abcd", 3));
    CU_ASSERT_NOT_EQUAL(rp_table_key("abc", 3), rp_table_key("abd", 3));
}

int main(void) {
    static const rp_test tests[] = {
        {"against a list", against_a_list}, {"order over the end", order_over_the_end},
        {"one value", one_value},           {"without memory", without_memory},
        {"keys of bytes", keys_of_bytes},   {NULL, NULL}};
    return rp_run_tests("table", tests);
}
