/* What changes between replays without recording again, on the fake driver: push data that follows
 * live values. */
#include "exec/exec.h"
#include "opened.h"

static const char follow_text[] =
    "reprise 1\n"
    "graph follow scheduled placed synced arena 0 {\n"
    "  buf $y inout 16\n"
    "  buf $n live u32[3] = 01000000 02000000 03000000 max 9\n"
    "  buf $g live f32[1] = 0000803f\n"
    "  buf $p live 16 = 07000000 00000000 00000000 00000000 follows $n[4+8] at 4, $g at 12\n"
    "  buf $q live 8 = 00000000 08000000 follows $n[8+4] at 0\n"
    "  kern @k spirv - local 64 1 1 (rw, r, r)\n"
    "  group 0\n"
    "    n0 = run @k grid {$n} 1 1 (rw $y, r $p, r $q)\n"
    "}\n";

/* What the GPU reads of a live buffer. */
static const uint32_t *live_words(uint32_t slot, const char *name) {
    uint32_t index = 0;
    CU_ASSERT_EQUAL_FATAL(rp_exec_find(exec, name, &index), RP_OK);
    return (const uint32_t *)exec->slots[slot].live.mapped[index];
}

static void expect_blocks(uint32_t slot, uint32_t p0, uint32_t n1, uint32_t n2, uint32_t g) {
    const uint32_t p[4] = {p0, n1, n2, g}, q[2] = {n2, 8};
    CU_ASSERT_EQUAL(memcmp(live_words(slot, "p"), p, sizeof p), 0);
    CU_ASSERT_EQUAL(memcmp(live_words(slot, "q"), q, sizeof q), 0);
}

static rp_status set(uint32_t slot, const char *name, uint32_t first, const void *values,
                     uint32_t count) {
    rp_diags_clear(diags);
    return rp_exec_set_live(exec, slot, name, first, values, count, diags);
}

static void test_follows(void) {
    enum { ONE = 0x3f800000, TWO = 0x40000000 };
    const rp_exec_params params = {.size = sizeof params, .cache_path = "", .slots = 2};
    mock_reset();
    open_text(follow_text, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    expect_blocks(0, 7, 2, 3, ONE);
    expect_blocks(1, 7, 2, 3, ONE);
    uint32_t calls = mock_calls();
    CU_ASSERT_EQUAL(set(0, "n", 2, (uint32_t[]){9}, 1), RP_OK);
    expect_blocks(0, 7, 2, 9, ONE);
    CU_ASSERT_EQUAL(set(0, "n", 0, (uint32_t[]){4, 5}, 2), RP_OK);
    expect_blocks(0, 7, 5, 9, ONE);
    CU_ASSERT_EQUAL(set(0, "g", 0, (float[]){2}, 1), RP_OK);
    CU_ASSERT_EQUAL(set(0, "n", 0, (uint32_t[]){1, 6, 8}, 3), RP_OK);
    expect_blocks(0, 7, 6, 8, TWO);
    expect_blocks(1, 7, 2, 3, ONE); /* another slot */
    CU_ASSERT_EQUAL(mock_calls(), calls);

    CU_ASSERT_EQUAL(set(0, "n", 0, (uint32_t[]){1, 7, 10}, 3), RP_ERROR_INVALID);
    expect_blocks(0, 7, 6, 8, TWO); /* what is refused is not followed */
    CU_ASSERT_EQUAL(set(0, "p", 0, (uint32_t[]){1}, 1), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(mock_said(diags, "p follows other live values and is not set itself: set n"));
    expect_blocks(0, 7, 6, 8, TWO);
    close_all();
}

/* An update keeps live values; constants among push data are the new plan's, and so is what
 * follows what. */
static void test_update(void) {
    enum { ONE = 0x3f800000 };
    static const char next_text[] = "reprise 1\n"
                                    "graph follow scheduled placed synced arena 0 {\n"
                                    "  buf $y inout 16\n"
                                    "  buf $n live u32[3] = 01000000 02000000 03000000 max 9\n"
                                    "  buf $g live f32[1] = 0000803f\n"
                                    "  buf $p live 8 = 00000000 0a000000 follows $n[4+4] at 0\n"
                                    "  buf $r live 4 follows $n[0+4] at 0\n"
                                    "  kern @k spirv - local 64 1 1 (rw, r, r)\n"
                                    "  group 0\n"
                                    "    n0 = run @k grid {$n} 1 1 (rw $y, r $p, r $r)\n"
                                    "}\n";
    mock_reset();
    open_text(follow_text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    CU_ASSERT_EQUAL(set(0, "n", 0, (uint32_t[]){4, 5, 6}, 3), RP_OK);
    rp_plan *next = mock_plan(next_text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(next);
    CU_ASSERT_EQUAL(rp_exec_update(exec, next, NULL, diags), RP_OK);
    CU_ASSERT_EQUAL(live_words(0, "n")[1], 5);
    CU_ASSERT_EQUAL(live_words(0, "p")[0], 5);
    CU_ASSERT_EQUAL(live_words(0, "p")[1], 10);
    CU_ASSERT_EQUAL(live_words(0, "r")[0], 4);
    CU_ASSERT_EQUAL(set(0, "n", 0, (uint32_t[]){7, 8}, 2), RP_OK);
    CU_ASSERT_EQUAL(live_words(0, "p")[0], 8);
    CU_ASSERT_EQUAL(live_words(0, "r")[0], 7);
    CU_ASSERT_EQUAL(rp_exec_update(exec, plan, NULL, diags), RP_OK); /* and back */
    expect_blocks(0, 7, 8, 6, ONE);
    rp_plan_destroy(next);
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"push data that follows live values", test_follows},
                                    {"push data and updates", test_update},
                                    {NULL, NULL}};
    return rp_run_tests("changing", tests);
}
