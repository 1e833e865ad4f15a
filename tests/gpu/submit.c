/* Execs beside each other and beside the application's own commands, on the device at hand with the
 * validation layer and its synchronisation checks: chained, in slots, changed, recorded and left off.
 * Results are compared with the same steps done by the host; at the end the layer must have been
 * silent. That it objects to what is wrong, tests/gpu/validation.c shows. */
#include "device/device.h"
#include "gpu.h"

static rp_device *device;
static rp_plan *plain, *packed; /* one node a group, and as compiled usually */
static rp_diags *diags;

/* What a slot of the plan reads and keeps, as the host steps through it. */
typedef struct mirror {
    uint32_t x[GPU_COUNT], w[GPU_COUNT], s[GPU_COUNT], y[GPU_COUNT];
    uint32_t n, factor;
} mirror;

static void step(mirror *m) {
    for (uint32_t i = 0; i < GPU_COUNT; i++) {
        m->y[i] = gpu_expected_y(i, m->x[i], m->w[i], m->s[i], m->n, m->factor, 1);
        m->s[i] = gpu_expected_y(GPU_COUNT, m->x[i], m->w[i], m->s[i], i < m->n ? GPU_COUNT + 1 : 0,
                                 m->factor, 1);
    }
}

static mirror begin_mirror(uint32_t seed) {
    mirror m = {.n = GPU_COUNT - 10 * seed, .factor = 2 + seed};
    for (uint32_t i = 0; i < GPU_COUNT; i++) {
        m.x[i] = i * 2654435761u + seed;
        m.w[i] = i ^ 0x5555;
        m.s[i] = i * 3 + seed;
    }
    return m;
}

static void expect(rp_status status, rp_status wanted) {
    CU_ASSERT_EQUAL(status, wanted);
    if (status != wanted) gpu_report(diags);
    rp_diags_clear(diags);
}

static void fill(rp_exec *exec, uint32_t slot, const mirror *m) {
    const uint32_t n[2] = {m->n, m->factor};
    expect(rp_exec_write(exec, slot, "x", 0, m->x, sizeof m->x, diags), RP_OK);
    expect(rp_exec_write(exec, slot, "w", 0, m->w, sizeof m->w, diags), RP_OK);
    expect(rp_exec_write(exec, slot, "s", 0, m->s, sizeof m->s, diags), RP_OK);
    expect(rp_exec_set_live(exec, slot, "n", 0, n, 2, diags), RP_OK);
}

static void compare(rp_exec *exec, uint32_t slot, const mirror *m) {
    static uint32_t y[GPU_COUNT], s[GPU_COUNT];
    expect(rp_exec_read(exec, slot, "y", 0, y, sizeof y, diags), RP_OK);
    expect(rp_exec_read(exec, slot, "s", 0, s, sizeof s, diags), RP_OK);
    CU_ASSERT_EQUAL(memcmp(y, m->y, sizeof y), 0);
    CU_ASSERT_EQUAL(memcmp(s, m->s, sizeof s), 0);
}

static rp_storage *storage(uint64_t bytes) {
    const rp_storage_params params = {.size = sizeof params, .bytes = bytes};
    rp_storage *made = NULL;
    expect(rp_storage_create(device, &params, diags, &made), RP_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    return made;
}

static rp_exec *bound_exec(const rp_binding *bindings, uint32_t count) {
    const rp_exec_params params = {
        .size = sizeof params, .cache_path = "", .bindings = bindings, .binding_count = count};
    return gpu_exec(device, packed, &params);
}

static VkSemaphore timeline(void) {
    const VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                            .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                        .pNext = &type};
    VkSemaphore made = VK_NULL_HANDLE;
    CU_ASSERT_EQUAL(device->vk.CreateSemaphore(device->handle, &info, NULL, &made), VK_SUCCESS);
    return made;
}

/* ---- Chains ---------------------------------------------------------------------------------- */

enum { FRAMES = 5, BYTES = GPU_COUNT * 4 };

/* The second reads what the first writes; both share the weights, and an arena, since they never run
 * at once. */
static void open_chain(rp_storage *shared, rp_exec *execs[2], mirror mirrors[2]) {
    rp_plan_info info = {.size = sizeof info};
    CU_ASSERT_EQUAL(rp_plan_get_info(packed, &info), RP_OK);
    CU_ASSERT_TRUE_FATAL(info.arena_bytes <= 6 * BYTES);
    for (uint32_t i = 0; i < 2; i++) {
        const rp_binding bindings[] = {{i ? "x" : "y", shared, 0, 0, 0},
                                       {"w", shared, BYTES, 0, 0},
                                       {NULL, shared, 2 * BYTES, 0, 0}};
        execs[i] = bound_exec(bindings, 3);
        mirrors[i] = begin_mirror(i + 1);
        fill(execs[i], 0, &mirrors[i]);
    }
}

static void close_chain(rp_storage *shared, rp_exec *execs[2], mirror mirrors[2]) {
    for (uint32_t k = 0; k < FRAMES; k++) {
        step(&mirrors[0]);
        memcpy(mirrors[1].x, mirrors[0].y, sizeof mirrors[1].x);
        step(&mirrors[1]);
    }
    expect(rp_exec_wait(execs[1], FRAMES, UINT64_MAX, diags), RP_OK);
    expect(rp_exec_wait(execs[0], FRAMES, UINT64_MAX, diags), RP_OK);
    for (uint32_t i = 0; i < 2; i++) {
        compare(execs[i], 0, &mirrors[i]);
        rp_exec_destroy(execs[i]);
    }
    rp_storage_release(shared);
}

/* All frames in one call, and nobody waits: barriers order the two and the frames. */
static void test_one_call(void) {
    rp_storage *shared = storage(8 * BYTES);
    static mirror mirrors[2];
    rp_exec *execs[2];
    open_chain(shared, execs, mirrors);
    rp_submission all[2 * FRAMES] = {{0}};
    uint64_t replays[2 * FRAMES];
    for (uint32_t i = 0; i < 2 * FRAMES; i++) all[i].exec = execs[i % 2];
    expect(rp_device_submit(device, all, 2 * FRAMES, diags, replays), RP_OK);
    CU_ASSERT_EQUAL(replays[2 * FRAMES - 1], FRAMES);
    close_chain(shared, execs, mirrors);
}

/* Each replay in a call of its own: semaphores order what reads behind what writes, and what writes
 * the next frame behind what read the last one. */
static void test_semaphores(void) {
    rp_storage *shared = storage(8 * BYTES);
    static mirror mirrors[2];
    rp_exec *execs[2];
    open_chain(shared, execs, mirrors);
    VkSemaphore turns = timeline();
    for (uint64_t turn = 0; turn < 2 * FRAMES; turn++) {
        const rp_semaphore before = {turns, turn, 0}, behind = {turns, turn + 1, 0};
        const rp_submit_params params = {.size = sizeof params,
                                         .waits = &before,
                                         .wait_count = turn > 0,
                                         .signals = &behind,
                                         .signal_count = 1};
        expect(rp_exec_submit(execs[turn % 2], &params, diags, NULL), RP_OK);
    }
    close_chain(shared, execs, mirrors);
    device->vk.DestroySemaphore(device->handle, turns, NULL);
}

/* ---- Slots ----------------------------------------------------------------------------------- */

/* Three in flight, each with inputs, live values and state of its own; the host fills a slot while the
 * device is at the others. */
static void test_ring(void) {
    enum { SLOTS = 3, ROUNDS = 4 };
    const rp_exec_params params = {
        .size = sizeof params, .cache_path = "", .slots = SLOTS, .state_per_slot = 1};
    rp_exec *exec = gpu_exec(device, packed, &params);
    static mirror mirrors[SLOTS];
    uint64_t last[SLOTS] = {0};
    for (uint32_t s = 0; s < SLOTS; s++) {
        mirrors[s] = begin_mirror(s + 1);
        fill(exec, s, &mirrors[s]);
    }
    for (uint32_t i = 0; i < SLOTS * ROUNDS; i++) {
        uint32_t s = i % SLOTS;
        const rp_submit_params submit = {.size = sizeof submit, .slot = s};
        if (last[s]) {
            expect(rp_exec_wait(exec, last[s], UINT64_MAX, diags), RP_OK);
            compare(exec, s, &mirrors[s]);
        }
        for (uint32_t k = 0; k < GPU_COUNT; k++) mirrors[s].x[k] = mirrors[s].x[k] * 5 + i;
        expect(rp_exec_write(exec, s, "x", 0, mirrors[s].x, BYTES, diags), RP_OK);
        expect(rp_exec_submit(exec, &submit, diags, &last[s]), RP_OK);
        step(&mirrors[s]);
    }
    /* Twice in a row, with nobody waiting between. */
    for (uint32_t k = 0; k < 2; k++)
        for (uint32_t s = 0; s < SLOTS; s++) {
            const rp_submit_params submit = {.size = sizeof submit, .slot = s};
            expect(rp_exec_submit(exec, &submit, diags, NULL), RP_OK);
            step(&mirrors[s]);
        }
    expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    for (uint32_t s = 0; s < SLOTS; s++) compare(exec, s, &mirrors[s]);
    rp_exec_destroy(exec);
}

/* State that slots share goes from replay to replay, in the order of their numbers. */
static void test_shared_state(void) {
    const rp_exec_params params = {.size = sizeof params, .cache_path = "", .slots = 2};
    rp_exec *exec = gpu_exec(device, packed, &params);
    static mirror m;
    m = begin_mirror(1);
    for (uint32_t s = 0; s < 2; s++) fill(exec, s, &m);
    for (uint32_t i = 0; i < 6; i++) {
        const rp_submit_params submit = {.size = sizeof submit, .slot = i % 2};
        expect(rp_exec_submit(exec, &submit, diags, NULL), RP_OK);
        step(&m);
    }
    expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    compare(exec, 1, &m);
    rp_exec_destroy(exec);
}

/* ---- Changing -------------------------------------------------------------------------------- */

/* Back and forth between two plans of one source: inputs, weights, state and live values stay. */
static void test_update(void) {
    rp_exec *exec = gpu_exec(device, plain, NULL);
    static mirror m;
    m = begin_mirror(2);
    fill(exec, 0, &m);
    for (uint32_t i = 0; i < 4; i++) {
        rp_update_report report = {.size = sizeof report};
        for (uint32_t k = 0; k < 2; k++) {
            expect(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
            step(&m);
        }
        expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
        expect(rp_exec_update(exec, i % 2 ? plain : packed, &report, diags), RP_OK);
        CU_ASSERT_EQUAL(report.result, RP_UPDATE_DONE);
        compare(exec, 0, &m);
    }
    expect(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    step(&m);
    expect(rp_exec_wait(exec, 9, UINT64_MAX, diags), RP_OK);
    compare(exec, 0, &m);
    rp_exec_destroy(exec);
}

/* What one replay wrote the next one reads, by binding the two the other way round. */
static void test_double_buffers(void) {
    rp_storage *both = storage(2 * BYTES);
    const rp_binding first[] = {{"x", both, 0, 0, 0}, {"y", both, BYTES, 0, 0}};
    rp_exec *exec = bound_exec(first, 2);
    static mirror m;
    m = begin_mirror(3);
    fill(exec, 0, &m);
    for (uint32_t i = 0; i < 4; i++) {
        const rp_binding swap[] = {{"x", both, i % 2 * BYTES, 0, 0},
                                   {"y", both, (1 - i % 2) * BYTES, 0, 0}};
        expect(rp_exec_bind(exec, swap, 2, diags), RP_OK);
        expect(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
        if (i) memcpy(m.x, m.y, sizeof m.x);
        step(&m);
        expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
        compare(exec, 0, &m);
    }
    rp_exec_destroy(exec);
    rp_storage_release(both);
}

/* ---- The application's own commands ---------------------------------------------------------- */

typedef struct own_commands {
    VkCommandPool pool;
    VkCommandBuffer primary, secondary;
} own_commands;

static own_commands allocate_own(void) {
    own_commands own = {0};
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .queueFamilyIndex = device->adapter.queue_family};
    CU_ASSERT_EQUAL(device->vk.CreateCommandPool(device->handle, &pool, NULL, &own.pool),
                    VK_SUCCESS);
    VkCommandBufferAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                        .commandPool = own.pool,
                                        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                        .commandBufferCount = 1};
    CU_ASSERT_EQUAL(device->vk.AllocateCommandBuffers(device->handle, &info, &own.primary),
                    VK_SUCCESS);
    info.level = VK_COMMAND_BUFFER_LEVEL_SECONDARY;
    CU_ASSERT_EQUAL(device->vk.AllocateCommandBuffers(device->handle, &info, &own.secondary),
                    VK_SUCCESS);
    return own;
}

static void begin_own(VkCommandBuffer commands, bool secondary) {
    const VkCommandBufferInheritanceInfo inherits = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO};
    const VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                           .pInheritanceInfo = secondary ? &inherits : NULL};
    CU_ASSERT_EQUAL(device->vk.BeginCommandBuffer(commands, &info), VK_SUCCESS);
}

/* The barrier that the application writes in front of a replay, or behind it. */
static void own_barrier(VkCommandBuffer commands, const rp_exec *exec, bool behind) {
    rp_scopes scopes = {.size = sizeof scopes};
    CU_ASSERT_EQUAL(rp_exec_get_scopes(exec, &scopes), RP_OK);
    const VkPipelineStageFlags2 transfer = VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT;
    const VkAccessFlags2 read = VK_ACCESS_2_TRANSFER_READ_BIT,
                         write = VK_ACCESS_2_TRANSFER_WRITE_BIT;
    const VkMemoryBarrier2 barrier = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
                                      .srcStageMask = behind ? scopes.stages : transfer,
                                      .srcAccessMask = behind ? scopes.writes : write,
                                      .dstStageMask = behind ? transfer : scopes.stages,
                                      .dstAccessMask =
                                          behind ? read | write : scopes.reads | scopes.writes};
    const VkDependencyInfo info = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                   .memoryBarrierCount = 1,
                                   .pMemoryBarriers = &barrier};
    device->vk.CmdPipelineBarrier2(commands, &info);
}

static void own_copy(VkCommandBuffer commands, rp_exec *exec, const char *from, const char *to) {
    rp_range_info a = {.size = sizeof a}, b = a;
    rp_storage_info in_a = {.size = sizeof in_a}, in_b = {.size = sizeof in_b};
    expect(rp_exec_get_range(exec, 0, from, diags, &a), RP_OK);
    expect(rp_exec_get_range(exec, 0, to, diags, &b), RP_OK);
    expect(rp_storage_get_info(a.storage, &in_a), RP_OK);
    expect(rp_storage_get_info(b.storage, &in_b), RP_OK);
    const VkBufferCopy region = {in_a.offset + a.offset, in_b.offset + b.offset, a.bytes};
    device->vk.CmdCopyBuffer(commands, in_a.buffer, in_b.buffer, 1, &region);
}

static void submit_own(VkCommandBuffer commands, rp_exec *exec, uint64_t replay) {
    const VkCommandBufferSubmitInfo buffer = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
                                              .commandBuffer = commands};
    const VkSemaphoreSubmitInfo signal = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
                                          .semaphore = rp_exec_timeline(exec),
                                          .value = replay,
                                          .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
    const VkSubmitInfo2 info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                .commandBufferInfoCount = 1,
                                .pCommandBufferInfos = &buffer,
                                .signalSemaphoreInfoCount = 1,
                                .pSignalSemaphoreInfos = &signal};
    CU_ASSERT_EQUAL(rp_queue_submit(device, 1, &info), VK_SUCCESS);
}

/* A replay, a copy of the application from its result to its input, and a replay again: in the
 * application's primary command buffer, or in a secondary one that the primary calls. */
static void test_record(void) {
    PFN_vkCmdExecuteCommands call = (PFN_vkCmdExecuteCommands)device->vk.GetDeviceProcAddr(
        device->handle, "vkCmdExecuteCommands");
    for (uint32_t secondary = 0; secondary < 2; secondary++) {
        rp_exec *exec = gpu_exec(device, packed, NULL);
        static mirror m;
        m = begin_mirror(1 + secondary);
        fill(exec, 0, &m);
        expect(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
        step(&m);
        own_commands own = allocate_own();
        VkCommandBuffer commands = secondary ? own.secondary : own.primary;
        begin_own(commands, secondary);
        expect(rp_exec_record(exec, 0, commands, diags), RP_OK);
        own_barrier(commands, exec, true);
        own_copy(commands, exec, "y", "x");
        own_barrier(commands, exec, false);
        expect(rp_exec_record(exec, 0, commands, diags), RP_OK);
        CU_ASSERT_EQUAL(device->vk.EndCommandBuffer(commands), VK_SUCCESS);
        if (secondary) {
            begin_own(own.primary, false);
            call(own.primary, 1, &own.secondary);
            CU_ASSERT_EQUAL(device->vk.EndCommandBuffer(own.primary), VK_SUCCESS);
        }
        step(&m);
        memcpy(m.x, m.y, sizeof m.x);
        step(&m);
        uint64_t replay = 0;
        for (uint32_t i = 0; i < 2; i++) expect(rp_exec_reserve(exec, 0, diags, &replay), RP_OK);
        CU_ASSERT_EQUAL(replay, 3);
        submit_own(own.primary, exec, replay);
        expect(rp_exec_submit(exec, NULL, diags, &replay), RP_OK);
        step(&m);
        expect(rp_exec_wait(exec, replay, UINT64_MAX, diags), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_completed(exec), 4);
        compare(exec, 0, &m);
        rp_exec_destroy(exec);
        device->vk.DestroyCommandPool(device->handle, own.pool, NULL);
    }
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

/* Whole, in parts, and left off at every point; what comes behind is right each time. */
static void test_pieces(void) {
    const rp_exec_params params = {.size = sizeof params, .cache_path = "", .pieces = 4};
    rp_exec *exec = gpu_exec(device, plain, &params);
    uint32_t pieces = rp_exec_piece_count(exec);
    CU_ASSERT_EQUAL(pieces, 4);
    static mirror m;
    m = begin_mirror(1);
    fill(exec, 0, &m);
    uint64_t replay = 0;
    for (uint32_t first = 1; first < pieces; first++) {
        const rp_submit_params parts = {.size = sizeof parts, .pieces = first};
        expect(rp_exec_submit(exec, &parts, diags, &replay), RP_OK);
        expect(rp_exec_wait_pieces(exec, replay, first, UINT64_MAX, diags), RP_OK);
        expect(rp_exec_continue(exec, 1, diags), RP_OK);
        expect(rp_exec_wait_pieces(exec, replay, first + 1, UINT64_MAX, diags), RP_OK);
        if (first + 1 < pieces) expect(rp_exec_continue(exec, 0, diags), RP_OK);
        step(&m);
        expect(rp_exec_wait(exec, replay, UINT64_MAX, diags), RP_OK);
        compare(exec, 0, &m);
    }
    for (uint32_t first = 1; first < pieces; first++) {
        const rp_submit_params parts = {.size = sizeof parts, .pieces = first};
        expect(rp_exec_submit(exec, &parts, diags, &replay), RP_OK);
        expect(rp_exec_cancel(exec, diags), RP_OK);
        expect(rp_exec_submit(exec, NULL, diags, NULL), RP_OK); /* behind it, at once */
        expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
        m = begin_mirror(1); /* whether s was added to is left open */
        fill(exec, 0, &m);
        expect(rp_exec_submit(exec, &parts, diags, &replay), RP_OK);
        expect(rp_exec_cancel(exec, diags), RP_OK);
        expect(rp_exec_wait(exec, replay, UINT64_MAX, diags), RP_ERROR_CANCELLED);
        fill(exec, 0, &m);
        expect(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
        step(&m);
        expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
        compare(exec, 0, &m);
    }
    rp_exec_destroy(exec);
}

/* ---- All ------------------------------------------------------------------------------------- */

static void set_up(void) {
    rp_graph *graph = gpu_everything();
    diags = rp_diags_create(NULL);
    device = gpu_open(1);
    plain = gpu_compile(graph, 0);
    packed = gpu_compile(graph, 1);
    rp_graph_destroy(graph);
}

static void tear_down(void) {
    CU_ASSERT_EQUAL(rp_device_messages(device, diags), 0);
    gpu_report(diags);
    rp_plan_destroy(plain);
    rp_plan_destroy(packed);
    expect(rp_device_destroy(device, diags), RP_OK);
    rp_diags_destroy(diags);
}

int main(void) {
    static const rp_test tests[] = {{"set up", set_up},
                                    {"one call", test_one_call},
                                    {"semaphores", test_semaphores},
                                    {"ring", test_ring},
                                    {"shared state", test_shared_state},
                                    {"update", test_update},
                                    {"double buffers", test_double_buffers},
                                    {"the application's command buffers", test_record},
                                    {"pieces", test_pieces},
                                    {"silence", tear_down},
                                    {0}};
    return rp_run_tests("submit", tests);
}
