/* Packing lifetimes: no two that are alive together share a byte, the bound is the most that is
 * alive, and how close random problems come to it does not get worse. */
#include "place.h"
#include "support/random_graph.h"
#include "support/unit.h"

enum { MOST = 40, GROUPS = 12, CASES = 600 };

static uint32_t make(uint64_t seed, rp_lifetime items[MOST]) {
    rp_random r = {seed};
    uint32_t count = 2 + rp_random_below(&r, MOST - 1);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t first = rp_random_below(&r, GROUPS);
        uint32_t length = 1 + rp_random_below(&r, rp_random_percent(&r, 20) ? GROUPS : 4);
        items[i] = (rp_lifetime){.first = first,
                                 .last = first + length - 1,
                                 .size = 256u * (1 + rp_random_below(&r, 16)),
                                 .buffer = i};
    }
    return count;
}

static uint64_t alive_in(const rp_lifetime *items, uint32_t count, uint32_t group) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        if (items[i].first <= group && group <= items[i].last) sum += items[i].size;
    return sum;
}

static bool is_sound(const rp_lifetime *items, uint32_t count, uint64_t arena) {
    for (uint32_t i = 0; i < count; i++) {
        const rp_lifetime *a = &items[i];
        if (a->offset + a->size > arena || a->offset % 256) return false;
        for (uint32_t k = 0; k < i; k++) {
            const rp_lifetime *b = &items[k];
            bool together = a->first <= b->last && b->first <= a->last;
            if (together && a->offset < b->offset + b->size && b->offset < a->offset + a->size)
                return false;
        }
    }
    return true;
}

static void test_pack(void) {
    rp_allocator allocator = rp_allocator_or_default(NULL);
    rp_lifetime items[MOST];
    uint64_t arenas = 0, bounds = 0;
    uint32_t reached = 0;
    for (uint64_t seed = 1; seed <= CASES; seed++) {
        uint32_t count = make(seed, items);
        uint64_t arena, bound, most = 0;
        CU_ASSERT_EQUAL(rp_place_lifetimes(&allocator, items, count, &arena, &bound), RP_OK);
        CU_ASSERT_TRUE(is_sound(items, count, arena));
        for (uint32_t g = 0; g < 2 * GROUPS; g++)
            if (alive_in(items, count, g) > most) most = alive_in(items, count, g);
        CU_ASSERT_EQUAL(bound, most);
        CU_ASSERT_TRUE(arena >= bound);
        arenas += arena;
        bounds += bound;
        reached += arena == bound;
    }
    printf("%u of %d at the bound, %.4f times the bounds in all ... ", reached, CASES,
           (double)arenas / (double)bounds);
    CU_ASSERT_TRUE(reached >= 560);
}

int main(void) {
    static const rp_test tests[] = {{"random lifetimes", test_pack}, {0}};
    return rp_run_tests("pack", tests);
}
