/* The fake driver's eye for races, tried on pairs of accesses: each with no barrier between them, with
 * one that covers both, and with ones that miss one side. Other tests rely on it. */
#include <stdio.h>
#include "opened.h"

/* Whether a replay of two groups, with that barrier between them, has a race. */
static bool races(const char *first, const char *second, const char *barrier) {
    char text[1024];
    snprintf(text, sizeof text,
             "reprise 1\n"
             "graph pair scheduled placed synced arena 0 {\n"
             "  buf $x in 256\n"
             "  buf $y out 256\n"
             "  buf $z out 256\n"
             "  kern @read spirv - local 64 1 1 (r, w)\n"
             "  kern @uniform spirv - local 64 1 1 (u, w)\n"
             "  kern @write spirv - local 64 1 1 (w)\n"
             "  group 0\n"
             "    n0 = %s\n"
             "%s"
             "  group 1\n"
             "    n1 = %s\n"
             "}\n",
             first, barrier, second);
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    mock.races = true;
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    bool found = mock.mistake != NULL;
    if (found) CU_ASSERT_PTR_NOT_NULL(strstr(mock.mistake, "a race"));
    mock.mistake = NULL;
    close_all();
    return found;
}

static const char write_y[] = "run @write grid 1 1 1 (w $y)";
static const char read_y[] = "run @read grid 1 1 1 (r $y, w $z)";
static const char read_part[] = "run @read grid 1 1 1 (r $y[64+64], w $z)";
static const char uniform_y[] = "run @uniform grid 1 1 1 (u $y, w $z)";
static const char indirect_y[] = "run @write grid indirect $y[16+12] (w $z)";
static const char fill_y[] = "fill 00000000 (w $y)";
static const char fill_part[] = "fill 00000000 (w $y[128+64])";
static const char copy_y[] = "copy (r $y, w $z)";
static const char read_x[] = "run @read grid 1 1 1 (r $x, w $z[0+128])";
static const char read_x_too[] = "run @read grid 1 1 1 (r $x, w $z[128+128])";

static void test_pairs(void) {
    static const struct {
        const char *first, *second, *right, *src_short, *dst_short;
    } cases[] = {
        {write_y, read_y, "compute:w -> compute:r", "transfer:w -> compute:r",
         "compute:w -> compute:w"},
        {write_y, read_part, "compute:w -> compute:r", "transfer:w -> compute:r",
         "compute:w -> transfer:r"},
        {write_y, uniform_y, "compute:w -> compute:u", "transfer:w -> compute:u",
         "compute:w -> compute:r"},
        {write_y, indirect_y, "compute:w -> indirect:r", "transfer:w -> indirect:r",
         "compute:w -> compute:rw"},
        {write_y, fill_y, "compute:w -> transfer:w", "transfer:w -> transfer:w",
         "compute:w -> compute:w"},
        {fill_y, read_y, "transfer:w -> compute:r", "compute:w -> compute:r",
         "transfer:w -> transfer:r"},
        {fill_y, fill_part, "transfer:w -> transfer:w", "compute:w -> transfer:w",
         "transfer:w -> compute:w"},
        {copy_y, write_y, "transfer:r -> compute:w", "compute:r -> compute:w",
         "transfer:r -> transfer:w"},
        {indirect_y, fill_part, NULL, NULL, NULL},
        {indirect_y, fill_y, "indirect:r -> transfer:w", "transfer:r -> transfer:w",
         "indirect:r -> compute:w"},
        {read_x, read_x_too, NULL, NULL, NULL},
    };
    char barrier[96];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CU_ASSERT_EQUAL(races(cases[i].first, cases[i].second, ""), cases[i].right != NULL);
        if (!cases[i].right) continue;
        snprintf(barrier, sizeof barrier, "  barrier %s\n", cases[i].right);
        CU_ASSERT_FALSE(races(cases[i].first, cases[i].second, barrier));
        snprintf(barrier, sizeof barrier, "  barrier %s\n", cases[i].src_short);
        CU_ASSERT_TRUE(races(cases[i].first, cases[i].second, barrier));
        snprintf(barrier, sizeof barrier, "  barrier %s\n", cases[i].dst_short);
        CU_ASSERT_TRUE(races(cases[i].first, cases[i].second, barrier));
    }
}

/* Submissions are in order, which alone orders nothing. When the host has waited, what was used may be
 * overwritten; it takes a semaphore on the device to read what was written. */
static void test_semaphores(void) {
    static const char text[] = "reprise 1\n"
                               "graph one scheduled placed synced arena 0 {\n"
                               "  buf $x in 256\n"
                               "  buf $y inout 256\n"
                               "  kern @write spirv - local 64 1 1 (r, w)\n"
                               "  kern @change spirv - local 64 1 1 (r, rw)\n"
                               "  group 0\n"
                               "    n0 = run @%s grid 1 1 1 (r $x, %s $y)\n"
                               "}\n";
    char full[512];
    for (uint32_t waited = 0; waited < 2; waited++) {
        snprintf(full, sizeof full, text, "write", "w");
        mock_reset();
        open_text(full, &mock_params);
        CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
        mock.races = true;
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
        if (waited) CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
        CU_ASSERT_EQUAL(mock.mistake == NULL, waited == 1);
        mock.mistake = NULL;
        close_all();
    }
    snprintf(full, sizeof full, text, "change", "rw");
    for (uint32_t use = 0; use < 3; use++) {
        mock_reset();
        open_text(full, &mock_params);
        CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
        mock.races = true;
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
        CU_ASSERT_PTR_NULL(mock.mistake);
        const rp_semaphore wait = {rp_exec_timeline(exec), 1,
                                   use == 1 ? VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT : 0};
        const rp_submit_params params = {
            .size = sizeof params, .waits = &wait, .wait_count = use > 0};
        CU_ASSERT_EQUAL(rp_exec_submit(exec, &params, diags, NULL), RP_OK);
        CU_ASSERT_EQUAL(mock.mistake == NULL, use == 2);
        mock.mistake = NULL;
        close_all();
    }
}

int main(void) {
    static const rp_test tests[] = {
        {"pairs of accesses", test_pairs}, {"semaphores", test_semaphores}, {0}};
    return rp_run_tests("races", tests);
}
