/* Slots: what keeps replays of one exec apart, and what orders them where they are not. */
#include "exec/exec.h"
#include "opened.h"

static const char text[] = "reprise 1\n"
                           "graph slots scheduled placed synced arena 256 {\n"
                           "  buf $x in 256\n"
                           "  buf $w weight 256\n"
                           "  buf $y out 256\n"
                           "  buf $n live u32[1] = 03000000 max 100\n"
                           "  buf %a tmp 256 at 0\n"
                           "  kern @k spirv - local 64 1 1 (r, r, w)\n"
                           "  barrier compute:rw,transfer:rw -> compute:w,transfer:w\n"
                           "  group 0\n"
                           "    n0 = run @k grid {$n} 1 1 (r $x, r $w, w %a)\n"
                           "  barrier compute:w -> transfer:r\n"
                           "  group 1\n"
                           "    n1 = copy (r %a, w $y)\n"
                           "  barrier transfer:w -> host:r\n"
                           "}\n";

/* The same with state that is carried from replay to replay. */
static const char state_text[] = "reprise 1\n"
                                 "graph state scheduled placed synced arena 0 {\n"
                                 "  buf $x in 256\n"
                                 "  buf $s inout 256\n"
                                 "  kern @k spirv - local 64 1 1 (r, rw)\n"
                                 "  barrier compute:rw -> compute:rw\n"
                                 "  group 0\n"
                                 "    n0 = run @k grid 1 1 1 (r $x, rw $s)\n"
                                 "  barrier compute:w -> host:r\n"
                                 "}\n";

static void open_slots(const char *plan_text, uint32_t slots, int state_per_slot) {
    mock_reset();
    const rp_exec_params params = {
        .size = sizeof params, .cache_path = "", .slots = slots, .state_per_slot = state_per_slot};
    open_text(plan_text, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    mock.races = true;
}

static rp_status submit(uint32_t slot) {
    const rp_submit_params params = {.size = sizeof params, .slot = slot};
    return rp_exec_submit(exec, &params, diags, NULL);
}

static bool begins_with_barrier(uint32_t slot) {
    const char *text_of_slot = mock_effects(rp_exec_command_buffer(exec, slot, 0));
    return strncmp(text_of_slot, "barrier", 7) == 0;
}

static const mock_batch *latest(void) {
    uint32_t count;
    const mock_batch *log = mock_log(&count);
    return &log[count - 1];
}

/* ---- Apart ----------------------------------------------------------------------------------- */

/* Nothing stands between replays of different slots; each slot waits for its own last one, which is
 * what keeps the accesses apart that no barrier does. */
static void test_overlapping(void) {
    open_slots(text, 3, 0);
    for (uint32_t s = 0; s < 3; s++) CU_ASSERT_FALSE(begins_with_barrier(s));
    mock.stall = true;
    for (uint64_t replay = 1; replay <= 9; replay++) {
        CU_ASSERT_EQUAL(submit((replay - 1) % 3), RP_OK);
        const mock_batch *batch = latest();
        CU_ASSERT_EQUAL(batch->wait_count, replay > 3 ? 1 : 0);
        if (batch->wait_count) {
            CU_ASSERT_PTR_EQUAL(batch->waits[0].semaphore, rp_exec_timeline(exec));
            CU_ASSERT_EQUAL(batch->waits[0].value, replay - 3);
            CU_ASSERT_EQUAL(batch->waits[0].stages, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT);
        }
        CU_ASSERT_EQUAL(batch->command_count, 1);
        CU_ASSERT_EQUAL(batch->signal_count, 1);
        CU_ASSERT_PTR_EQUAL(batch->signals[0].semaphore, rp_exec_timeline(exec));
        CU_ASSERT_EQUAL(batch->signals[0].value, replay);
        if (replay == 4) CU_ASSERT_EQUAL(rp_exec_wait(exec, 2, UINT64_MAX, diags), RP_OK);
    }
    CU_ASSERT_EQUAL(rp_exec_completed(exec), 2);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_completed(exec), 9);
    close_all();
}

/* One slot is ordered by the plan's own barrier, and so are slots that share state. */
static void test_ordered(void) {
    open_slots(text, 1, 0);
    CU_ASSERT_TRUE(begins_with_barrier(0));
    for (uint32_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(submit(0), RP_OK);
        CU_ASSERT_EQUAL(latest()->wait_count, 0);
    }
    close_all();
    open_slots(state_text, 3, 0);
    for (uint32_t s = 0; s < 3; s++) CU_ASSERT_TRUE(begins_with_barrier(s));
    for (uint32_t i = 0; i < 6; i++) {
        CU_ASSERT_EQUAL(submit(i % 3), RP_OK);
        CU_ASSERT_EQUAL(latest()->wait_count, 0);
    }
    close_all();
    open_slots(state_text, 3, 1);
    for (uint32_t s = 0; s < 3; s++) CU_ASSERT_FALSE(begins_with_barrier(s));
    for (uint32_t i = 0; i < 6; i++) {
        CU_ASSERT_EQUAL(submit(i % 3), RP_OK);
        CU_ASSERT_EQUAL(latest()->wait_count, i / 3);
    }
    close_all();
}

/* What belongs to a slot and what to the exec, by the memory. */
static void test_memory(void) {
    open_slots(text, 2, 0);
    static const struct {
        const char *buffer;
        bool shared;
    } buffers[] = {{"x", false}, {"w", true}, {"y", false}, {"n", false}, {NULL, false}};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) {
        rp_range_info a = {.size = sizeof a}, b = a;
        CU_ASSERT_EQUAL(rp_exec_get_range(exec, 0, buffers[i].buffer, diags, &a), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_get_range(exec, 1, buffers[i].buffer, diags, &b), RP_OK);
        CU_ASSERT_EQUAL(a.storage == b.storage && a.offset == b.offset, buffers[i].shared);
        CU_ASSERT_EQUAL(a.bytes, i == 3 ? 4 : 256);
    }
    rp_range_info none = {sizeof none, (rp_storage *)1, 1, 1};
    CU_ASSERT_EQUAL(rp_exec_get_range(exec, 2, "x", diags, &none), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(none.storage);
    CU_ASSERT_EQUAL(rp_exec_get_range(exec, 0, "zzz", diags, &none), RP_ERROR_NOT_FOUND);
    close_all();
    for (int per_slot = 0; per_slot < 2; per_slot++) {
        open_slots(state_text, 2, per_slot);
        rp_range_info a = {.size = sizeof a}, b = a;
        CU_ASSERT_EQUAL(rp_exec_get_range(exec, 0, "s", diags, &a), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_get_range(exec, 1, "s", diags, &b), RP_OK);
        CU_ASSERT_EQUAL(a.storage == b.storage, per_slot == 0);
        CU_ASSERT_EQUAL(rp_exec_get_range(exec, 1, NULL, diags, &b), RP_OK);
        CU_ASSERT_PTR_NULL(b.storage); /* no arena */
        CU_ASSERT_EQUAL(b.bytes, 0);
        close_all();
    }
}

/* ---- The host -------------------------------------------------------------------------------- */

/* A free slot is never busy; what slots share is, while any of them is in flight. */
static void test_busy(void) {
    open_slots(text, 2, 0);
    mock.stall = true;
    char bytes[256] = {0};
    CU_ASSERT_EQUAL(submit(0), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, bytes, 256, diags), RP_ERROR_BUSY);
    CU_ASSERT_TRUE(rp_test_said(diags, "replay 1 is still in flight in this slot"));
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", 0, &(uint32_t){1}, 1, diags), RP_ERROR_BUSY);
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 1, "n", 0, &(uint32_t){1}, 1, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 1, "w", 0, bytes, 256, diags), RP_ERROR_BUSY);
    CU_ASSERT_EQUAL(submit(1), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 1, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", 0, &(uint32_t){1}, 1, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "w", 0, bytes, 256, diags), RP_ERROR_BUSY);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 2, UINT64_MAX, diags), RP_OK);
    mock.stall = false;
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "w", 0, bytes, 256, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 2, "x", 0, bytes, 256, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "the exec has 2 slots, there is no slot 2"));
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 2, "n", 0, &(uint32_t){1}, 1, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(submit(2), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(rp_exec_command_buffer(exec, 2, 0));
    close_all();
}

/* One range bound for several slots is busy with any of them, whatever its kind. */
static void test_busy_ranges(void) {
    mock_reset();
    mock_unified();
    const rp_exec_params params = {.size = sizeof params, .cache_path = "", .slots = 3};
    open_text(text, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    const rp_storage_params wanted = {.size = sizeof wanted, .bytes = 1024, .host_visible = 1};
    rp_storage *mine = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &wanted, diags, &mine), RP_OK);
    const rp_binding bindings[] = {{"y", mine, 768, 2, 0}, {"x", mine, 0, 0, 0},
                                   {"x", mine, 0, 1, 0},   {"x", mine, 128, 2, 0},
                                   {"y", mine, 512, 0, 0}, {"y", mine, 512, 1, 0}};
    CU_ASSERT_EQUAL_FATAL(rp_exec_bind(exec, bindings, 6, diags), RP_OK);
    mock.stall = true;
    char bytes[256] = {0};
    CU_ASSERT_EQUAL(submit(0), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 1, "x", 0, bytes, 256, diags), RP_ERROR_BUSY);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 2, "x", 0, bytes, 256, diags), RP_ERROR_BUSY);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 1, "y", 0, bytes, 256, diags), RP_ERROR_BUSY);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 2, "y", 0, bytes, 256, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 1, "x", 0, bytes, 256, diags), RP_OK);
    rp_storage_release(mine);
    close_all();
}

/* Each slot has values and grids of its own. */
static void test_live(void) {
    open_slots(text, 3, 0);
    for (uint32_t s = 0; s < 3; s++)
        CU_ASSERT_EQUAL(rp_exec_set_live(exec, s, "n", 0, &(uint32_t){10 + s}, 1, diags), RP_OK);
    for (uint32_t s = 0; s < 3; s++) {
        const rp_slot *slot = &exec->slots[s];
        CU_ASSERT_EQUAL(*(const uint32_t *)slot->live.mapped[3], 10 + s);
        CU_ASSERT_EQUAL(*(const uint32_t *)(slot->live.grids + exec->live.grids->offset), 10 + s);
    }
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 1, "n", 0, &(uint32_t){101}, 1, diags),
                    RP_ERROR_INVALID);
    CU_ASSERT_EQUAL(*(const uint32_t *)exec->slots[1].live.mapped[3], 11);
    close_all();
}

/* ---- In the application's own command buffers ------------------------------------------------ */

typedef struct own_commands {
    VkCommandPool pool;
    VkCommandBuffer commands;
} own_commands;

static rp_scopes get_scopes(void) {
    rp_scopes scopes = {.size = sizeof scopes};
    CU_ASSERT_EQUAL(rp_exec_get_scopes(exec, &scopes), RP_OK);
    return scopes;
}

static own_commands begin_own(void) {
    own_commands own = {0};
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .queueFamilyIndex = device->adapter.queue_family};
    CU_ASSERT_EQUAL(device->vk.CreateCommandPool(device->handle, &pool, NULL, &own.pool),
                    VK_SUCCESS);
    const VkCommandBufferAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                              .commandPool = own.pool,
                                              .commandBufferCount = 1};
    CU_ASSERT_EQUAL(device->vk.AllocateCommandBuffers(device->handle, &info, &own.commands),
                    VK_SUCCESS);
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    CU_ASSERT_EQUAL(device->vk.BeginCommandBuffer(own.commands, &begin), VK_SUCCESS);
    return own;
}

static void submit_own(const own_commands *own, uint64_t replay) {
    const VkCommandBufferSubmitInfo commands = {.commandBuffer = own->commands};
    const VkSemaphoreSubmitInfo signal = {.semaphore = rp_exec_timeline(exec),
                                          .value = replay,
                                          .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
    const VkSubmitInfo2 info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                .commandBufferInfoCount = 1,
                                .pCommandBufferInfos = &commands,
                                .signalSemaphoreInfoCount = 1,
                                .pSignalSemaphoreInfos = &signal};
    CU_ASSERT_EQUAL(device->vk.EndCommandBuffer(own->commands), VK_SUCCESS);
    CU_ASSERT_EQUAL(rp_queue_submit(device, 1, &info), VK_SUCCESS);
}

static void destroy_own(const own_commands *own) {
    device->vk.DestroyCommandPool(device->handle, own->pool, NULL);
}

/* A recording begins with the barrier toward the replay before, also where slots overlap: two of one
 * slot may follow each other. Before and behind it the exec's own replays are ordered by semaphore. */
static void test_record(void) {
    for (uint32_t slots = 1; slots <= 2; slots++) {
        open_slots(text, slots, 0);
        CU_ASSERT_EQUAL(submit(0), RP_OK);
        own_commands own = begin_own();
        const rp_scopes scopes = get_scopes();
        CU_ASSERT_EQUAL(scopes.stages, VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT |
                                           VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT);
        CU_ASSERT_EQUAL(scopes.reads, VK_ACCESS_2_SHADER_STORAGE_READ_BIT);
        CU_ASSERT_EQUAL(scopes.writes, VK_ACCESS_2_TRANSFER_WRITE_BIT);
        for (uint32_t i = 0; i < 2; i++)
            CU_ASSERT_EQUAL(rp_exec_record(exec, 0, own.commands, diags), RP_OK);
        const char *effects = mock_effects(own.commands);
        CU_ASSERT_EQUAL(strncmp(effects, "barrier", 7), 0);
        uint64_t replay = 0;
        CU_ASSERT_EQUAL(rp_exec_reserve(exec, 0, diags, &replay), RP_OK);
        CU_ASSERT_EQUAL(replay, 2);
        mock.stall = true;
        submit_own(&own, replay);
        CU_ASSERT_EQUAL(rp_exec_completed(exec), 1);
        CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", 0, &(uint32_t){1}, 1, diags), RP_ERROR_BUSY);
        CU_ASSERT_EQUAL(submit(0), RP_OK);
        CU_ASSERT_EQUAL(latest()->wait_count, 1); /* it may have run in another queue */
        CU_ASSERT_EQUAL(latest()->waits[0].value, 2);
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 3, UINT64_MAX, diags), RP_OK);
        CU_ASSERT_EQUAL(submit(0), RP_OK);
        CU_ASSERT_EQUAL(latest()->wait_count, slots - 1); /* once */
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
        destroy_own(&own);
        close_all();
    }
    open_slots(text, 1, 0);
    uint64_t replay = 7;
    CU_ASSERT_EQUAL(rp_exec_record(exec, 1, (void *)1, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_reserve(exec, 1, diags, &replay), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(replay, 0);
    close_all();
}

/* What is bound of the arena is the application's to order, too. */
static void test_scopes(void) {
    static const char uses[] = "reprise 1\n"
                               "graph uses scheduled placed synced arena 512 {\n"
                               "  buf $y out 256\n"
                               "  buf %a tmp 256 at 0\n"
                               "  buf %b tmp 256 at 256\n"
                               "  kern @k spirv - local 64 1 1 (u, w)\n"
                               "  group 0\n"
                               "    n0 = fill 00000000 (w %a)\n"
                               "    n1 = fill 00000000 (w %b)\n"
                               "  barrier transfer:w -> compute:u,indirect:r\n"
                               "  group 1\n"
                               "    n2 = run @k grid indirect %b[0+12] (u %a, w $y)\n"
                               "}\n";
    mock_reset();
    open_text(uses, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    const rp_storage_params wanted = {.size = sizeof wanted, .bytes = 1024};
    rp_storage *mine = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &wanted, diags, &mine), RP_OK);
    rp_scopes scopes = get_scopes();
    CU_ASSERT_EQUAL(scopes.stages, VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT);
    CU_ASSERT_EQUAL(scopes.reads, 0);
    CU_ASSERT_EQUAL(scopes.writes, VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT);
    rp_binding binding = {"b", mine, 0, 0, 0};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_OK);
    scopes = get_scopes();
    CU_ASSERT_EQUAL(scopes.stages, VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT |
                                       VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT |
                                       VK_PIPELINE_STAGE_2_DRAW_INDIRECT_BIT);
    CU_ASSERT_EQUAL(scopes.reads, VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT);
    binding = (rp_binding){NULL, mine, 512, 0, 0};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_OK);
    scopes = get_scopes();
    CU_ASSERT_EQUAL(scopes.reads,
                    VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT | VK_ACCESS_2_UNIFORM_READ_BIT);
    rp_storage_release(mine);
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"overlapping", test_overlapping},
                                    {"ordered", test_ordered},
                                    {"memory", test_memory},
                                    {"busy", test_busy},
                                    {"busy ranges", test_busy_ranges},
                                    {"live values", test_live},
                                    {"the application's command buffers", test_record},
                                    {"scopes", test_scopes},
                                    {0}};
    return rp_run_tests("slots", tests);
}
