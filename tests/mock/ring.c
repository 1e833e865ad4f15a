/* A ring of slots in one storage: one binding puts a buffer of every slot at its place; and what a
 * submission of one of them signals, until an exec is gone. */
#include "support.h"

static const char ring_text[] = "reprise 1\n"
                                "graph ring scheduled placed synced arena 0 {\n"
                                "  buf $x in 64\n"
                                "  buf $w weight 64\n"
                                "  buf $y out 64\n"
                                "  kern @k spirv - local 64 1 1 (r, r, w)\n"
                                "  group 0\n"
                                "    n0 = run @k grid 1 1 1 (r $x, r $w, w $y)\n"
                                "  barrier compute:w -> host:r\n"
                                "}\n";

enum { SLOTS = 3, BYTES = 4096 };

static rp_storage *storage;
static rp_device *device;
static rp_plan *plan;
static rp_diags *diags;

static void open_on(VkDriverId driver) {
    mock_reset();
    mock.driver = driver;
    diags = rp_diags_create(NULL);
    device = mock_open(NULL, diags);
    plan = mock_plan(ring_text);
    const rp_storage_params params = {.size = sizeof params, .bytes = BYTES};
    CU_ASSERT_PTR_NOT_NULL_FATAL(device);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &storage), RP_OK);
}

static void open_ring(void) {
    open_on(VK_DRIVER_ID_NVIDIA_PROPRIETARY);
}

static void close_ring(void) {
    rp_storage_release(storage);
    rp_plan_destroy(plan);
    CU_ASSERT_EQUAL(rp_device_destroy(device, diags), RP_OK);
    rp_diags_destroy(diags);
    mock_done();
}

static rp_status create(const rp_binding *binding, rp_exec **exec) {
    const rp_exec_params params = {.size = sizeof params,
                                   .cache_path = "",
                                   .slots = SLOTS,
                                   .bindings = binding,
                                   .binding_count = 1};
    rp_diags_clear(diags);
    return rp_exec_create(device, plan, &params, diags, exec);
}

static void expect_at(rp_exec *exec, const char *buffer, uint64_t offset, uint64_t stride) {
    for (uint32_t s = 0; s < SLOTS; s++) {
        rp_range_info range = {.size = sizeof range};
        CU_ASSERT_EQUAL(rp_exec_get_range(exec, s, buffer, diags, &range), RP_OK);
        CU_ASSERT_PTR_EQUAL(range.storage, storage);
        CU_ASSERT_EQUAL(range.offset, offset + s * stride);
    }
}

static void test_places(void) {
    rp_exec *exec = NULL;
    open_ring();
    const rp_binding x = {"x", storage, 256, RP_ALL_SLOTS, 1024};
    CU_ASSERT_EQUAL_FATAL(create(&x, &exec), RP_OK);
    expect_at(exec, "x", 256, 1024);
    const rp_binding moved[] = {{"y", storage, 512, RP_ALL_SLOTS, 1024},
                                {"x", storage, 0, RP_ALL_SLOTS, 0}};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, moved, 2, diags), RP_OK);
    expect_at(exec, "y", 512, 1024);
    expect_at(exec, "x", 0, 0);
    rp_exec_destroy(exec);
    close_ring();
}

static void test_refused(void) {
    open_ring();
    const struct {
        rp_binding binding;
        const char *said;
    } cases[] = {
        {{"x", storage, 0, 1, 256}, "x cannot be bound: slot_stride goes with RP_ALL_SLOTS"},
        {{"w", storage, 0, RP_ALL_SLOTS, 256}, "w cannot be bound: slots share it"},
        {{"x", storage, 0, RP_ALL_SLOTS, 2048}, "at byte 4096 of storage, which has 4096"},
        {{"x", storage, 0, RP_ALL_SLOTS, 1000}, "at byte 1000 of a VkBuffer"},
        {{"x", storage, 256, RP_ALL_SLOTS, UINT64_MAX}, "leads past any storage"},
        {{"y", storage, 0, RP_ALL_SLOTS, 32}, "y and y of another slot lie on the same memory"},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_exec *exec = NULL;
        CU_ASSERT_EQUAL(create(&cases[i].binding, &exec), RP_ERROR_USAGE);
        CU_ASSERT_PTR_NULL(exec);
        CU_ASSERT_TRUE(rp_test_said(diags, cases[i].said));
    }
    close_ring();
}

/* Who hears of a replay by a semaphore of its own finds the slot idle where a driver signals in
 * order. */
static void test_own_timeline_first(void) {
    rp_exec *exec = NULL, *other = NULL;
    uint64_t number;
    uint32_t count;
    open_ring();
    const rp_binding x = {"x", storage, 256, RP_ALL_SLOTS, 1024};
    CU_ASSERT_EQUAL_FATAL(create(&x, &exec), RP_OK);
    CU_ASSERT_EQUAL_FATAL(create(&x, &other), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_reserve(other, 0, diags, &number), RP_OK);
    const rp_semaphore signal = {rp_exec_timeline(other), number, 0};
    const rp_submit_params params = {
        .size = sizeof params, .slot = 1, .signals = &signal, .signal_count = 1};
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &params, diags, NULL), RP_OK);
    const mock_batch *last = mock_log(&count);
    last += count - 1;
    CU_ASSERT_EQUAL_FATAL(last->signal_count, 2);
    CU_ASSERT_PTR_EQUAL(last->signals[0].semaphore, rp_exec_timeline(exec));
    CU_ASSERT_PTR_EQUAL(last->signals[1].semaphore, rp_exec_timeline(other));
    rp_exec_destroy(exec);
    rp_exec_destroy(other);
    close_ring();
}

/* A queue's thread may go on using a timeline that is signalled and waited for. */
static void test_late_release(void) {
    const VkDriverId drivers[] = {VK_DRIVER_ID_NVIDIA_PROPRIETARY, VK_DRIVER_ID_MESA_LLVMPIPE};
    for (uint32_t d = 0; d < 2; d++)
        for (uint32_t replays = 0; replays < 3; replays++) {
            rp_exec *exec = NULL;
            open_on(drivers[d]);
            const rp_binding x = {"x", storage, 256, RP_ALL_SLOTS, 1024};
            CU_ASSERT_EQUAL_FATAL(create(&x, &exec), RP_OK);
            for (uint32_t i = 0; i < replays; i++)
                CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
            CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
            CU_ASSERT_EQUAL(mock.idle_waits, 0);
            rp_exec_destroy(exec);
            CU_ASSERT_EQUAL(mock.idle_waits, d == 1 && replays > 0);
            close_ring();
        }
}

int main(void) {
    static const rp_test tests[] = {{"places", test_places},
                                    {"refused", test_refused},
                                    {"own timeline first", test_own_timeline_first},
                                    {"late release", test_late_release},
                                    {0}};
    return rp_run_tests("ring of slots", tests);
}
