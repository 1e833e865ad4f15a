/* Descriptor sets that an exec keeps when it gets another plan or other memory: those that bind the
 * same are not written again, and pools go when nothing of them is in use. */
#include <stdio.h>
#include "opened.h"

/* Three dispatches; the last reads `last`. */
static rp_plan *plan_with(const char *last) {
    char text[1024];
    snprintf(text, sizeof text,
             "reprise 1\n"
             "graph all scheduled placed synced arena 1024 {\n"
             "  buf $x in 1024\n"
             "  buf $y out 256\n"
             "  buf %%a tmp 512 at 0\n"
             "  buf %%b tmp 256 at 512\n"
             "  kern @k spirv - local 64 1 1 (r, w)\n"
             "  barrier compute:rw -> compute:w\n"
             "  group 0\n"
             "    n0 = run @k grid 1 1 1 (r $x[0+256], w %%a[0+256])\n"
             "    n1 = run @k grid 1 1 1 (r $x[256+256], w %%a[256+256])\n"
             "    n2 = run @k grid 1 1 1 (r $x[512+256], w %%b)\n"
             "  barrier compute:w -> compute:r\n"
             "  group 1\n"
             "    n3 = run @k grid 1 1 1 (r %s, w $y)\n"
             "  barrier compute:w -> host:r\n"
             "}\n",
             last);
    return mock_plan(text);
}

static rp_update_report update(const rp_plan *to) {
    rp_update_report report = {.size = sizeof report};
    CU_ASSERT_EQUAL(rp_exec_update(exec, to, &report, diags), RP_OK);
    CU_ASSERT_EQUAL(report.result, RP_UPDATE_DONE);
    return report;
}

static void open_exec(const rp_plan *of) {
    mock_reset();
    mock_allocator_init(&memory);
    diags = rp_diags_create(NULL);
    device = mock_open(&memory.allocator, diags);
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, of, &mock_params, diags, &exec), RP_OK);
    plan = NULL;
}

static void test_update(void) {
    rp_plan *one = plan_with("%a[0+256]"), *other = plan_with("%b");
    open_exec(one);
    CU_ASSERT_EQUAL(mock_counters(exec).descriptor_sets, 4);
    rp_update_report report = update(other);
    CU_ASSERT_EQUAL(report.descriptor_sets, 4);
    CU_ASSERT_EQUAL(report.descriptor_sets_kept, 3);
    CU_ASSERT_EQUAL(mock_counters(exec).descriptor_sets, 5);
    report = update(other); /* the same again: nothing is written */
    CU_ASSERT_EQUAL(report.descriptor_sets_kept, 4);
    CU_ASSERT_EQUAL(mock_counters(exec).descriptor_sets, 5);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    close_all();
    rp_plan_destroy(one);
    rp_plan_destroy(other);
}

/* However often: the first pool stays with the sets that every plan has, and one more. */
static void test_pools(void) {
    rp_plan *one = plan_with("%a[0+256]"), *other = plan_with("%b");
    open_exec(one);
    update(other);
    int objects = mock.objects;
    for (int i = 0; i < 20; i++) {
        update(i % 2 ? other : one);
        CU_ASSERT_TRUE(mock.objects <= objects);
    }
    close_all();
    rp_plan_destroy(one);
    rp_plan_destroy(other);
}

/* Of other memory only those that bind it are new. */
static void test_bind(void) {
    rp_plan *one = plan_with("%a[0+256]");
    open_exec(one);
    const rp_storage_params params = {.size = sizeof params, .bytes = 256};
    rp_storage *storage = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &storage), RP_OK);
    const rp_binding binding = {.buffer = "y", .storage = storage};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_OK);
    CU_ASSERT_EQUAL(mock_counters(exec).descriptor_sets, 5);
    rp_storage_release(storage);
    close_all();
    rp_plan_destroy(one);
}

int main(void) {
    static const rp_test tests[] = {
        {"update", test_update}, {"pools", test_pools}, {"bind", test_bind}, {0}};
    return rp_run_tests("descriptor sets", tests);
}
