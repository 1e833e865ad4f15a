/* The part of the kernel cache that is in memory: what it forgets, and when. Nothing is on disk. */
#include "kernel/cache.h"

#include <stdlib.h>
#include "support/unit.h"

/* What is kept in memory, at most, in words. */
enum { MOST = 1 << 23 };

static rp_allocator allocator;

static rp_kernel_key key_of(uint32_t number) {
    return (rp_kernel_key){{number, ~(uint64_t)number}};
}

static void keep(uint32_t number, uint32_t count) {
    uint32_t *words = calloc(count, 4);
    CU_ASSERT_PTR_NOT_NULL_FATAL(words);
    words[0] = number;
    rp_kernel_cache_keep(key_of(number), words, count);
    free(words);
}

static bool knows(uint32_t number) {
    uint32_t *words, count;
    CU_ASSERT_EQUAL(rp_kernel_cache_find(&allocator, key_of(number), &words, &count), RP_OK);
    bool found = words && words[0] == number;
    rp_release(&allocator, words);
    return found;
}

static void test_forgets(void) {
    keep(1, 1000);
    keep(2, MOST - 1000); /* full to the last word */
    CU_ASSERT_TRUE(knows(1) && knows(2));
    keep(2, MOST - 1000); /* known already: nothing grows */
    CU_ASSERT_TRUE(knows(1) && knows(2));
    keep(3, 1); /* one more than fits: everything older goes */
    CU_ASSERT_TRUE(knows(3) && !knows(1) && !knows(2));
    keep(4, MOST - 2); /* and what went no longer counts */
    CU_ASSERT_TRUE(knows(3) && knows(4));
}

int main(void) {
    static const rp_test tests[] = {{"forgets", test_forgets}, {0}};
    allocator = rp_allocator_or_default(NULL);
    unsetenv("HOME");
    setenv("XDG_CACHE_HOME", "nowhere", 1); /* not absolute, so not used */
    return rp_run_tests("kernel cache", tests);
}
