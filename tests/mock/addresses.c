/* Addresses in push data: filled in for each slot where its buffers lie, anew when they move; and the
 * memory that has them. */
#include "exec/exec.h"
#include "mock_objects.h"
#include "opened.h"

static const char text[] = "reprise 1\n"
                           "graph g scheduled placed synced arena 512 {\n"
                           "  buf $w weight 64\n"
                           "  buf $y out 64\n"
                           "  buf %a tmp 64 at 0\n"
                           "  buf %t tmp 256 at 256\n"
                           "  kern @k spirv - local 1 1 1 push 28 (rw)\n"
                           "  kern @l spirv - local 1 1 1 (rw)\n"
                           "  group 0\n"
                           "    n0 = run @l grid 1 1 1 (rw %a)\n"
                           "    n1 = run @k grid 1 1 1 push 01000000 00000000 00000000 02000000 "
                           "00000000 00000000 03000000 "
                           "address 4=1+16 16=2 (rw $y, rw address %t[32+64], r address $w)\n"
                           "}\n";
/* The same without addresses. */
static const char plain[] = "reprise 1\n"
                            "graph g scheduled placed synced arena 0 {\n"
                            "  buf $w weight 64\n"
                            "  buf $y out 64\n"
                            "  kern @k spirv - local 1 1 1 (rw, r)\n"
                            "  group 0\n"
                            "    n0 = run @k grid 1 1 1 (rw $y, r $w)\n"
                            "}\n";
enum { W, Y, A, T, BUFFERS };

static uint64_t where(uint32_t slot, uint32_t buffer) {
    const rp_place *place = &exec->slots[slot].places[buffer];
    return (uint64_t)(uintptr_t)place->handle + place->offset;
}

/* What a slot's recording pushes. */
static void expect_pushed(uint32_t slot) {
    const void *commands = rp_exec_command_buffer(exec, slot, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(commands);
    const char *push = strstr(mock_commands(commands), "push 0 ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(push);
    const uint64_t t = where(slot, T) + 32 + 16, w = where(slot, W);
    uint32_t words[7] = {1, 0, 0, 2, 0, 0, 3};
    uint8_t bytes[sizeof words];
    char wanted[8 + 2 * sizeof words] = "push 0 ";
    memcpy(words + 1, &t, sizeof t);
    memcpy(words + 4, &w, sizeof w);
    memcpy(bytes, words, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) snprintf(wanted + 7 + 2 * i, 3, "%02x", bytes[i]);
    CU_ASSERT_NSTRING_EQUAL(push, wanted, strlen(wanted));
}

static void test_slots(void) {
    mock_reset();
    mock.device_address = true;
    rp_exec_params params = mock_params;
    params.slots = 2;
    open_text(text, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    expect_pushed(0);
    expect_pushed(1);
    CU_ASSERT_NOT_EQUAL(where(0, T), where(1, T));
    CU_ASSERT_EQUAL(where(0, W), where(1, W));
    close_all();
}

static rp_storage *create(uint64_t bytes, uint32_t usage) {
    rp_storage_params params = {.size = sizeof params, .bytes = bytes, .usage = usage};
    rp_storage *storage = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &storage), RP_OK);
    return storage;
}

static void test_bound(void) {
    mock_reset();
    mock.device_address = true;
    mock.driver =
        VK_DRIVER_ID_AMD_PROPRIETARY; /* one whose storages have addresses when they are asked for */
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    expect_pushed(0);
    uint64_t before = where(0, W);
    rp_storage *good = create(256, VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT),
               *bad = create(256, 0);
    rp_binding binding = {.buffer = "w", .storage = bad};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags,
                                "nodes reach it through its address: create the storage with "
                                "VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT"));
    binding.buffer = "y"; /* bound, and nobody asks for its address */
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_OK);
    expect_pushed(0);
    binding = (rp_binding){.buffer = "w", .storage = good, .offset = 64};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_OK);
    CU_ASSERT_NOT_EQUAL(where(0, W), before);
    expect_pushed(0);
    binding = (rp_binding){.storage = bad};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_ERROR_USAGE);
    rp_storage_release(good);
    rp_storage_release(bad);
    close_all();
}

/* What an exec keeps when it gets another plan may have no address. */
static void test_update(void) {
    mock_reset();
    mock.device_address = true;
    open_text(plain, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    rp_plan *next = mock_plan(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(next);
    CU_ASSERT_EQUAL(rp_exec_update(exec, next, NULL, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "w cannot lie in"));
    rp_plan_destroy(next);
    close_all();
}

static void test_without(void) {
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NULL(exec);
    CU_ASSERT_TRUE(rp_test_said(diags, "has none (bufferDeviceAddress)"));
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"slots", test_slots},
                                    {"bound", test_bound},
                                    {"update", test_update},
                                    {"a device without", test_without},
                                    {0}};
    return rp_run_tests("addresses", tests);
}
