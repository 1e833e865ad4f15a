/* Direct mode on a real device: random calls give the bytes that they give as a graph, at -O0 and at
 * -O1. They are encoded between copies of the application's own, which wait for no more than what is
 * open, with the validation layer's synchronisation checks listening; and it hears when they wait for
 * less. */
#include "gpu.h"
#include "support/own_commands.h"
#include "support/random_calls.h"

#include "reprise/direct.h"

enum { SEQUENCES = 30, CALLS = 50, RESULTS = 4 }; /* the buffers that are no transients */

static const char *const names[RESULTS] = {"x", "s", "t", "u"};

static rp_diags *diags;
static rp_device *device;
static rp_calls calls;
static rp_direct *direct;
static rp_storage *storages[RESULTS],
    *host; /* host: what they begin with, and what they end with */
static own_commands commands;
static VkSemaphore timeline;
static uint64_t submitted;

static void check(rp_status status) {
    if (status != RP_OK) gpu_report(diags);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
}

static void open_all(void) {
    const VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                            .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                        .pNext = &type};
    diags = rp_diags_create(NULL);
    device = gpu_open(1);
    submitted = 0;
    CU_ASSERT_EQUAL_FATAL(own_commands_create(device, &commands), VK_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(device->vk.CreateSemaphore(device->handle, &info, NULL, &timeline),
                          VK_SUCCESS);
    check(rp_calls_create(&calls, NULL, diags));
    check(rp_direct_create(calls.program, device, NULL, diags, &direct));
    for (uint32_t i = 0; i < RESULTS; i++) {
        const rp_storage_params params = {
            .size = sizeof params, .bytes = RP_CALLS_BYTES, .name = names[i]};
        check(rp_storage_create(device, &params, diags, &storages[i]));
        check(rp_direct_bind(direct, calls.buffers[i], storages[i], 0, diags));
    }
    const rp_storage_params params = {
        .size = sizeof params, .bytes = 2 * RESULTS * RP_CALLS_BYTES, .name = "host"};
    check(rp_storage_create(device, &params, diags, &host));
}

/* Returns how much the validation layer had to say, and prints it unless it is expected. */
static uint32_t close_all(bool expected) {
    rp_direct_destroy(direct);
    rp_calls_destroy(&calls);
    for (uint32_t i = 0; i < RESULTS; i++) rp_storage_release(storages[i]);
    rp_storage_release(host);
    device->vk.DestroySemaphore(device->handle, timeline, NULL);
    own_commands_destroy(device, &commands);
    rp_diags_clear(diags);
    uint32_t count = rp_device_messages(device, diags);
    if (!expected) gpu_report(diags);
    check(rp_device_destroy(device, NULL));
    rp_diags_destroy(diags);
    return count;
}

/* ---- The application's own work -------------------------------------------------------------- */

static void copy(rp_storage *from, uint64_t from_at, rp_storage *to, uint64_t to_at) {
    const VkBufferCopy region = {.srcOffset = from_at, .dstOffset = to_at, .size = RP_CALLS_BYTES};
    device->vk.CmdCopyBuffer(commands.handle, from->handle, to->handle, 1, &region);
}

static void wait_for(uint64_t stages, uint64_t access) {
    const VkMemoryBarrier2 memory = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
                                     .srcStageMask = stages,
                                     .srcAccessMask = access,
                                     .dstStageMask = VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,
                                     .dstAccessMask = VK_ACCESS_2_TRANSFER_READ_BIT};
    const VkDependencyInfo info = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                   .memoryBarrierCount = 1,
                                   .pMemoryBarriers = &memory};
    device->vk.CmdPipelineBarrier2(commands.handle, &info);
}

static void submit_and_wait(void) {
    const VkCommandBufferSubmitInfo buffer = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
                                              .commandBuffer = commands.handle};
    const VkSemaphoreSubmitInfo signal = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
                                          .semaphore = timeline,
                                          .value = ++submitted,
                                          .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
    const VkSubmitInfo2 submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                  .commandBufferInfoCount = 1,
                                  .pCommandBufferInfos = &buffer,
                                  .signalSemaphoreInfoCount = 1,
                                  .pSignalSemaphoreInfos = &signal};
    const VkSemaphoreWaitInfo wait = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                      .semaphoreCount = 1,
                                      .pSemaphores = &timeline,
                                      .pValues = &submitted};
    CU_ASSERT_EQUAL_FATAL(rp_queue_submit(device, 1, &submit), VK_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(device->vk.WaitSemaphores(device->handle, &wait, UINT64_MAX), VK_SUCCESS);
}

/* ---- Both ways ------------------------------------------------------------------------------- */

typedef uint32_t words[RESULTS][RP_CALLS_BYTES / 4];

static void make_input(words out, uint64_t seed) {
    rp_random r = {seed + 1000};
    for (uint32_t i = 0; i < RESULTS; i++)
        for (uint32_t j = 0; j < RP_CALLS_BYTES / 4; j++) out[i][j] = (uint32_t)rp_random_next(&r);
}

static void run_graph(uint64_t seed, int level, words bytes) {
    rp_recorder *r;
    rp_graph *graph = NULL;
    check(rp_recorder_create(calls.program, &r));
    rp_calls_make(&calls, r, seed, CALLS, true);
    check(rp_program_graph(calls.program, &r, 1, diags, &graph));
    rp_plan *plan = gpu_compile(graph, level);
    rp_exec *exec = gpu_exec(device, plan, NULL);
    for (uint32_t i = 0; i < RESULTS; i++)
        check(rp_exec_write(exec, 0, names[i], 0, bytes[i], RP_CALLS_BYTES, diags));
    check(rp_exec_submit(exec, NULL, diags, NULL));
    check(rp_exec_wait(exec, 0, UINT64_MAX, diags));
    for (uint32_t i = 1; i < RESULTS; i++)
        check(rp_exec_read(exec, 0, names[i], 0, bytes[i], RP_CALLS_BYTES, diags));
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    rp_graph_destroy(graph);
    rp_recorder_destroy(r);
}

/* The application's copies before and behind; `careless` in what it waits for. */
static void run_direct(uint64_t seed, words bytes, bool careless) {
    const rp_encoder_begin_params params = {
        .size = sizeof params,
        .open_stages = careless ? 0 : VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,
        .open_access = careless ? 0 : VK_ACCESS_2_TRANSFER_WRITE_BIT};
    rp_encoder_report report = {.size = sizeof report};
    rp_recorder *r;
    check(rp_storage_write(host, 0, bytes, sizeof(words), diags));
    CU_ASSERT_EQUAL_FATAL(own_commands_begin(device, &commands), VK_SUCCESS);
    for (uint32_t i = 0; i < RESULTS; i++) copy(host, i * RP_CALLS_BYTES, storages[i], 0);
    check(rp_direct_begin(direct, commands.handle, &params, diags, &r));
    rp_calls_make(&calls, r, seed, CALLS, true);
    check(rp_direct_end(direct, &report));
    if (!careless) wait_for(report.open_stages, report.open_access);
    for (uint32_t i = 0; i < RESULTS; i++)
        copy(storages[i], 0, host, (RESULTS + i) * RP_CALLS_BYTES);
    CU_ASSERT_EQUAL_FATAL(own_commands_end(device, &commands), VK_SUCCESS);
    submit_and_wait();
    rp_direct_done(direct, report.number);
    check(rp_storage_read(host, sizeof(words), bytes, sizeof(words), diags));
}

static void test_same_bytes(void) {
    static words input, graph[2], encoded;
    open_all();
    for (uint64_t seed = 1; seed <= SEQUENCES && gpu_has_time(); seed++) {
        make_input(input, seed);
        for (int level = 0; level < 2; level++) {
            memcpy(graph[level], input, sizeof input);
            run_graph(seed, level, graph[level]);
        }
        memcpy(encoded, input, sizeof input);
        run_direct(seed, encoded, false);
        CU_ASSERT(memcmp(graph[0], input, sizeof input) != 0);
        for (int level = 0; level < 2; level++) {
            bool same = memcmp(encoded, graph[level], sizeof encoded) == 0;
            if (!same) printf("\n  seed %llu, -O%d\n", (unsigned long long)seed, level);
            CU_ASSERT(same);
        }
    }
    CU_ASSERT_EQUAL(close_all(false), 0);
}

/* An application that waits for nothing is heard: so the silence above means something. */
static void test_careless(void) {
    static words bytes;
    open_all();
    make_input(bytes, 1);
    run_direct(1, bytes, true);
    CU_ASSERT(close_all(true) > 0);
}

int main(void) {
    static const rp_test tests[] = {
        {"same bytes", test_same_bytes}, {"careless", test_careless}, {0}};
    return rp_run_tests("direct mode on a device", tests);
}
