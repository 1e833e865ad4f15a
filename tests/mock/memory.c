/* What of a device's memory is used: budgets, priorities, and what is said when there is too little. */
#include <stdlib.h>
#include "opened.h"

static const char text[] = "reprise 1\n"
                           "graph io scheduled placed synced arena 4096 {\n"
                           "  buf $x in 4096\n"
                           "  buf $y out 4096\n"
                           "  buf %t tmp 4096 at 0\n"
                           "  kern @k spirv - local 64 1 1 (r, w)\n"
                           "  group 0\n"
                           "    n0 = run @k grid 1 1 1 (r $x, w %t)\n"
                           "    n1 = copy (r %t, w $y)\n"
                           "}\n";

static void open_device(void) {
    mock_allocator_init(&memory);
    diags = rp_diags_create(NULL);
    plan = NULL;
    exec = NULL;
    device = mock_open(&memory.allocator, diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(device);
}

static rp_status create(uint64_t bytes, float priority, rp_storage **out) {
    const rp_storage_params params = {
        .size = sizeof params, .bytes = bytes, .name = "weights", .priority = priority};
    return rp_storage_create(device, &params, diags, out);
}

static rp_device_memory ask(void) {
    rp_device_memory found = {.size = sizeof found};
    CU_ASSERT_EQUAL(rp_device_get_memory(device, &found), RP_OK);
    return found;
}

/* With the extension what the system says, else what the runtime knows. */
static void test_known(void) {
    rp_storage *storage;
    mock_reset();
    open_device();
    CU_ASSERT_EQUAL(ask().heap_bytes, UINT64_C(1) << 34);
    CU_ASSERT_EQUAL(ask().budget_bytes, UINT64_C(1) << 34);
    CU_ASSERT_EQUAL(ask().used_bytes, 0);
    CU_ASSERT_FALSE(ask().known);
    CU_ASSERT_EQUAL(create(5000, 0, &storage), RP_OK);
    CU_ASSERT_TRUE(ask().used_bytes >= 5000);
    rp_storage_release(storage);
    rp_device_memory unset = {0};
    CU_ASSERT_EQUAL(rp_device_get_memory(device, &unset), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_device_get_memory(device, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_device_get_memory(NULL, &unset), RP_ERROR_USAGE);
    close_all();

    mock_reset();
    mock.extensions_too[0] = VK_EXT_MEMORY_BUDGET_EXTENSION_NAME;
    mock.heap_budget = 1000000;
    mock.heap_usage = 700000;
    open_device();
    CU_ASSERT_PTR_NOT_NULL(strstr(mock.extensions, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME));
    CU_ASSERT_EQUAL(ask().heap_bytes, UINT64_C(1) << 34);
    CU_ASSERT_EQUAL(ask().budget_bytes, 1000000);
    CU_ASSERT_EQUAL(ask().used_bytes, 700000);
    CU_ASSERT_TRUE(ask().known);
    close_all();
}

/* Over the budget is a warning, over the heap an error, and both name what, how much and of what. */
static void test_too_much(void) {
    rp_storage *storage;
    mock_reset();
    mock.extensions_too[0] = VK_EXT_MEMORY_BUDGET_EXTENSION_NAME;
    mock.heap_budget = 1000000;
    mock.heap_usage = 700000;
    open_device();
    CU_ASSERT_EQUAL(create(300000, 0, &storage), RP_OK);
    CU_ASSERT_EQUAL(rp_diags_count(diags), 0);
    rp_storage_release(storage);
    CU_ASSERT_EQUAL(create(300004, 0, &storage), RP_OK);
    CU_ASSERT_EQUAL(rp_diags_error_count(diags), 0);
    CU_ASSERT_TRUE(rp_test_said(diags,
                                "bytes more of heap 0 of Mock 9000 are over the budget: this "
                                "process may use 1000000 and uses 700000 (needed for weights "
                                "300016)"));
    rp_storage_release(storage);
    mock.memory.memoryHeaps[0].size = 5000; /* read when the device was created */
    mock.fail_call = "vkAllocateMemory";
    CU_ASSERT_EQUAL(create(300004, 0, &storage), RP_ERROR_DEVICE_MEMORY);
    CU_ASSERT_PTR_NULL(storage);
    CU_ASSERT_TRUE(rp_test_said(diags,
                                "out of device memory on Mock 9000: asked for 300016 bytes of "
                                "heap 0, which has 17179869184 in all, of which this process "
                                "may use 1000000 and uses 700000 (needed for weights 300016)"));
    CU_ASSERT_EQUAL(create(UINT64_C(1) << 35, 0, &storage), RP_ERROR_DEVICE_MEMORY);
    CU_ASSERT_TRUE(rp_test_said(diags, "asked for 34359738368 bytes of heap 0"));
    close_all();
}

static void test_priorities(void) {
    for (int able = 0; able < 2; able++) {
        rp_storage *storage;
        mock_reset();
        mock.extensions_too[0] = VK_EXT_MEMORY_PRIORITY_EXTENSION_NAME;
        mock.memory_priority = able;
        open_device();
        CU_ASSERT_EQUAL(create(100, 0.75f, &storage), RP_OK);
        CU_ASSERT_EQUAL(mock.priority, able ? 0.75f : -1);
        rp_storage_release(storage);
        CU_ASSERT_EQUAL(create(100, 0, &storage), RP_OK);
        CU_ASSERT_EQUAL(mock.priority, -1);
        rp_storage_release(storage);
        CU_ASSERT_EQUAL(create(100, 1.5f, &storage), RP_ERROR_USAGE);
        CU_ASSERT_TRUE(rp_test_said(diags, "weights cannot have a memory priority of 1.5"));
        CU_ASSERT_EQUAL(create(100, -1, &storage), RP_ERROR_USAGE);
        close_all();
    }
    mock_reset();
    mock.extensions_too[0] = VK_EXT_MEMORY_PRIORITY_EXTENSION_NAME;
    mock.memory_priority = true;
    rp_exec_params params = mock_params;
    params.memory_priority = 1;
    open_text(text, &params);
    CU_ASSERT_PTR_NOT_NULL(exec);
    CU_ASSERT_EQUAL(mock.priority, 1);
    params.memory_priority = 2;
    rp_exec *none;
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &params, diags, &none), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(none);
    CU_ASSERT_TRUE(rp_test_said(diags, "an exec cannot have a memory priority of 2"));
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"what is known", test_known},
                                    {"too much", test_too_much},
                                    {"priorities", test_priorities},
                                    {0}};
    return rp_run_tests("memory", tests);
}
