/* The memory that a driver hands out holds what somebody left there (here 0xa5): nothing of it may
 * be found in an exec. */
#include <stdio.h>
#include <stdlib.h>
#include "support.h"

enum { SIZES = 9, KINDS = 4, EXTERNAL = SIZES * KINDS, PLAN_BYTES = 1 << 14 };

static const uint64_t sizes[SIZES] = {1, 2, 3, 4, 5, 255, 256, 1022, 5000001};
static const char *const kinds[KINDS] = {"in", "weight", "inout", "out"};

/* One buffer of each kind and size, a live one with and one without default, two transients. */
static void write_plan(char text[PLAN_BYTES]) {
    size_t at = (size_t)snprintf(text, PLAN_BYTES,
                                 "reprise 1\n"
                                 "graph clear scheduled placed synced arena 768 {\n");
    for (uint32_t k = 0; k < KINDS; k++)
        for (uint32_t i = 0; i < SIZES; i++)
            at += (size_t)snprintf(text + at, PLAN_BYTES - at, "  buf $%s%u %s %llu\n", kinds[k], i,
                                   kinds[k], (unsigned long long)sizes[i]);
    snprintf(text + at, PLAN_BYTES - at,
             "  buf $n live u32[2] = 40000000 02000000\n"
             "  buf $m live f32[3]\n"
             "  buf %%a tmp 256 at 0\n"
             "  buf %%b tmp 500 at 256\n"
             "  kern @k spirv - local 64 1 1 (rw, rw)\n"
             "  group 0\n"
             "    n0 = run @k grid 1 1 1 (rw %%a, rw %%b)\n"
             "}\n");
}

static bool all_zero(const unsigned char *bytes, uint64_t size) {
    for (uint64_t i = 0; i < size; i++)
        if (bytes[i]) return false;
    return true;
}

/* What the host gets when it reads a result that nothing wrote. */
static void read_results(rp_exec *exec, rp_diags *diags) {
    for (uint32_t k = 2; k < KINDS; k++)
        for (uint32_t i = 0; i < SIZES; i++) {
            char name[16];
            snprintf(name, sizeof name, "%s%u", kinds[k], i);
            unsigned char *bytes = malloc(sizes[i]);
            memset(bytes, 0x11, sizes[i]);
            CU_ASSERT_EQUAL(rp_exec_read(exec, 0, name, 0, bytes, sizes[i], diags), RP_OK);
            CU_ASSERT_TRUE(all_zero(bytes, sizes[i]));
            free(bytes);
        }
}

static void try_with(bool unified, int separate) {
    char text[PLAN_BYTES];
    write_plan(text);
    mock_reset();
    if (unified) mock_unified();
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = mock_plan(text);
    rp_device *device = mock_open(NULL, diags);
    const rp_exec_params params = {
        .size = sizeof params, .cache_path = "", .separate_buffers = separate};
    rp_exec *exec = NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_PTR_NOT_NULL_FATAL(device);
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, plan, &params, diags, &exec), RP_OK);
    CU_ASSERT_EQUAL(mock.submits, 1);
    /* In the order in which they are created: the arena, the live block, and the rest. */
    uint32_t number = 0;
    if (!separate) CU_ASSERT_TRUE(all_zero(mock_buffer_bytes(number++), 768));
    static const uint32_t live[2] = {0x40, 2};
    const unsigned char *block = mock_buffer_bytes(number++);
    CU_ASSERT_EQUAL(memcmp(block, live, sizeof live), 0);
    CU_ASSERT_TRUE(all_zero(block + sizeof live, 512 - sizeof live));
    for (uint32_t i = 0; i < EXTERNAL; i++)
        CU_ASSERT_TRUE(all_zero(mock_buffer_bytes(number++), sizes[i % SIZES]));
    if (separate) CU_ASSERT_TRUE(all_zero(mock_buffer_bytes(number++), 256));
    if (separate) CU_ASSERT_TRUE(all_zero(mock_buffer_bytes(number++), 500));
    read_results(exec, diags);
    rp_exec_destroy(exec);
    rp_device_destroy(device, NULL);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    mock_done();
}

static void test_all_kinds(void) {
    for (int unified = 0; unified < 2; unified++)
        for (int separate = 0; separate < 2; separate++) try_with(unified, separate);
}

/* Nothing to clear, nothing submitted. */
static void test_no_buffers(void) {
    mock_reset();
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = mock_plan("reprise 1\n"
                              "graph live scheduled placed synced arena 0 {\n"
                              "  buf $n live u32[2]\n"
                              "  kern @k spirv - local 64 1 1 (u)\n"
                              "  group 0\n"
                              "    n0 = run @k grid 1 1 1 (u $n)\n"
                              "}\n");
    rp_device *device = mock_open(NULL, diags);
    rp_exec *exec = NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &mock_params, diags, &exec), RP_OK);
    CU_ASSERT_EQUAL(mock.submits, 0);
    rp_exec_destroy(exec);
    rp_device_destroy(device, NULL);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    mock_done();
}

int main(void) {
    static const rp_test tests[] = {
        {"every kind and size begins as zeros", test_all_kinds},
        {"no buffers to clear", test_no_buffers},
        {0},
    };
    return rp_run_tests("cleared memory", tests);
}
