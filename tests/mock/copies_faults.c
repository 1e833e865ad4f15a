/* Copies that submissions bring along, of which each call of Vulkan, or each allocation, fails once:
 * nothing is lost but the frame, and the exec goes on. */
#include "copies.h"

/* Frames of which each call, or each allocation, fails once. */
static rp_status live_frames(void) {
    rp_status status = RP_OK;
    for (uint32_t f = 0; f < 3 && status == RP_OK; f++) status = submit(0, f, "s", NULL);
    if (status == RP_OK) status = rp_exec_wait(exec, 0, UINT64_MAX, diags);
    if (status == RP_OK) status = rp_exec_write(exec, 0, "s", 0, sent[4], BYTES, diags);
    if (status == RP_OK) status = submit(0, 3, "s", NULL);
    if (status == RP_OK) status = rp_exec_wait(exec, 0, UINT64_MAX, diags);
    return status;
}

static void fail_one(int unified, uint32_t call, long allocation, VkResult result) {
    mock_reset();
    if (unified) mock_unified();
    mock.stall = true;
    open_slots(state_text, 1);
    if (call) mock.fail_at = mock.calls + call;
    if (allocation) memory.fail_at = memory.calls + allocation;
    mock.fail_with = result;
    rp_status status = live_frames();
    memory.fail_at = 0;
    if (status == RP_OK) {
        for (uint32_t f = 0; f < 4; f++) expect_frame(f);
    } else if (result != VK_ERROR_DEVICE_LOST) {
        CU_ASSERT_EQUAL(status, RP_ERROR_NO_MEMORY);
        if (rp_exec_wait(exec, 0, UINT64_MAX, diags) == RP_OK) {
            memset(got, 0, sizeof got);
            CU_ASSERT_EQUAL(live_frames(), RP_OK);
            for (uint32_t f = 0; f < 4; f++) expect_frame(f);
        }
    } else {
        CU_ASSERT_EQUAL(status, RP_ERROR_DEVICE_LOST);
    }
    close_all();
}

static void test_faults(void) {
    for (int unified = 0; unified < 2; unified++) {
        uint32_t call = 1;
        for (; call == 1 || mock.failed; call++)
            fail_one(unified, call, 0, VK_ERROR_OUT_OF_HOST_MEMORY);
        CU_ASSERT_TRUE(call > 20);
        for (call = 1; call == 1 || mock.failed; call++)
            fail_one(unified, call, 0, VK_ERROR_DEVICE_LOST);
        for (long allocation = 1; allocation < 40; allocation++)
            fail_one(unified, 0, allocation, VK_ERROR_OUT_OF_HOST_MEMORY);
    }
}

int main(void) {
    static const rp_test tests[] = {{"faults", test_faults}, {0}};
    return rp_run_tests("faults of copies", tests);
}
