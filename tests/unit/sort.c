/* Sorting numbers against sorting them by comparison: keys that differ in any of their bytes, equal
 * keys, few and many. */
#include "support/unit.h"
#include "support/failing_alloc.h"

#include "base/sort.h"

enum { MOST = 3000 };

/* Whether `items` are ascending, and those of a key in the order of their values. */
static bool sorted(const rp_sort_item *items, uint32_t count) {
    for (uint32_t i = 1; i < count; i++)
        if (items[i - 1].key > items[i].key ||
            (items[i - 1].key == items[i].key && items[i - 1].value >= items[i].value))
            return false;
    return true;
}

/* Values number the items, so the keys of all are known by them: none is lost, none comes twice. */
static void sort_keys(uint32_t count, uint64_t mask, uint64_t base) {
    static rp_sort_item items[MOST];
    static uint64_t keys[MOST];
    static bool seen[MOST];
    failing_alloc f = {0};
    rp_allocator a = failing_allocator(&f);
    uint64_t state = count + mask;
    for (uint32_t i = 0; i < count; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        keys[i] = (base & ~mask) | ((state ^ state >> 29) & mask);
        items[i] = (rp_sort_item){keys[i], i};
        seen[i] = false;
    }
    CU_ASSERT(rp_sort(&a, items, count));
    CU_ASSERT(sorted(items, count));
    bool same = true;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t value = items[i].value;
        same = same && value < count && !seen[value] && keys[value] == items[i].key;
        if (value < count) seen[value] = true;
    }
    CU_ASSERT(same);
    CU_ASSERT_EQUAL(f.live, 0);
}

static void all_kinds(void) {
    static const uint32_t counts[] = {0, 1, 2, 24, 25, 300, MOST};
    static const uint64_t masks[] = {
        0, 7, 0xff, 0xff00, UINT64_C(0xff00000000000000), UINT64_C(0x00ff0000ff0000ff), UINT64_MAX};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (size_t m = 0; m < sizeof masks / sizeof *masks; m++) {
            sort_keys(counts[c], masks[m], 0);
            sort_keys(counts[c], masks[m], UINT64_MAX);
        }
}

/* Without memory nothing moves. */
static void without_memory(void) {
    rp_sort_item items[100];
    failing_alloc f = {.fail_at = 1};
    rp_allocator a = failing_allocator(&f);
    for (uint32_t i = 0; i < 100; i++) items[i] = (rp_sort_item){100 - i, i};
    CU_ASSERT_FALSE(rp_sort(&a, items, 100));
    bool same = true;
    for (uint32_t i = 0; i < 100; i++) same &= items[i].key == 100 - i && items[i].value == i;
    CU_ASSERT(same);
    CU_ASSERT_EQUAL(f.live, 0);
}

int main(void) {
    static const rp_test tests[] = {
        {"all kinds of keys", all_kinds}, {"without memory", without_memory}, {NULL, NULL}};
    return rp_run_tests("sort", tests);
}
