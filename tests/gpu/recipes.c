/* The recipes of docs/embedding.md: the page shows parts of this file, word by word, which a test of
 * the documentation compares. Each runs on an application's own device, with the validation layer and
 * its synchronisation checks listening, and its results are looked at.
 *
 * The plans: t[i] = x[i] * w[i], y[i] = t[i] + add, in u32; "later" multiplies by 3 in between. */
#include "../../examples/embed/vulkan_setup.h"

#include <stdio.h>
#include <string.h>
#include "reprise/compiler.h"
#include "reprise/runtime.h"
#include "support/unit.h"

enum { COUNT = 256, BYTES = COUNT * sizeof(uint32_t), SLOTS = 3 };

static vulkan vk;
static rp_diags *diags;
static rp_device *device;
static rp_plan *plan, *later_plan;

static void check(rp_status status) {
    for (uint32_t i = 0; status != RP_OK && i < rp_diags_count(diags); i++)
        printf("\n  %s", rp_diags_get(diags, i).message);
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
}

/* ---- The plans ------------------------------------------------------------------------------- */

static const char multiply_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 64) in;\n"
    "layout(binding = 0) readonly buffer A { uint v[]; } a;\n"
    "layout(binding = 1) readonly buffer B { uint v[]; } b;\n"
    "layout(binding = 2) writeonly buffer C { uint v[]; } c;\n"
    "layout(push_constant) uniform Push { uint factor; };\n"
    "void main() { uint i = gl_GlobalInvocationID.x; c.v[i] = a.v[i] * b.v[i] * factor; }\n";

static const char add_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 64) in;\n"
    "layout(binding = 0) readonly buffer A { uint v[]; } a;\n"
    "layout(binding = 1) readonly buffer Add { uint v; } add;\n"
    "layout(binding = 2) writeonly buffer C { uint v[]; } c;\n"
    "void main() { uint i = gl_GlobalInvocationID.x; c.v[i] = a.v[i] + add.v; }\n";

static rp_buffer buffer_of(rp_program *program, const char *name, rp_buffer_kind kind,
                           uint64_t count) {
    const rp_buffer_params params = {
        .name = name, .kind = kind, .dtype = RP_U32, .rank = 1, .shape = {count}};
    rp_buffer handle;
    check(rp_program_buffer(program, &params, diags, &handle));
    return handle;
}

static rp_plan *compile(uint32_t factor) {
    rp_program *program;
    rp_recorder *r;
    rp_kernel multiply, add;
    rp_graph *graph;
    rp_plan *out;
    check(rp_program_create(NULL, "recipe", &program));
    check(rp_recorder_create(program, &r));
    rp_buffer x = buffer_of(program, "x", RP_IN, COUNT);
    rp_buffer w = buffer_of(program, "w", RP_WEIGHT, COUNT);
    rp_buffer t = buffer_of(program, "t", RP_TMP, COUNT);
    rp_buffer y = buffer_of(program, "y", RP_OUT, COUNT);
    rp_buffer more = buffer_of(program, "add", RP_LIVE, 1);
    check(rp_program_kernel(program, &(rp_kernel_params){.name = "multiply", .glsl = multiply_glsl},
                            diags, &multiply));
    check(rp_program_kernel(program, &(rp_kernel_params){.name = "add", .glsl = add_glsl}, diags,
                            &add));
    rp_bind_kernel(r, multiply);
    rp_bind(r, 0, (rp_range){x});
    rp_bind(r, 1, (rp_range){w});
    rp_bind(r, 2, (rp_range){t});
    rp_push(r, 0, &factor, sizeof factor);
    rp_dispatch(r, COUNT / 64, 1, 1);
    rp_bind_kernel(r, add);
    rp_bind(r, 0, (rp_range){t});
    rp_bind(r, 1, (rp_range){more});
    rp_bind(r, 2, (rp_range){y});
    rp_dispatch(r, COUNT / 64, 1, 1);
    check(rp_program_graph(program, &r, 1, diags, &graph));
    check(rp_compile(graph, NULL, diags, &out, NULL));
    rp_graph_destroy(graph);
    rp_recorder_destroy(r);
    rp_program_destroy(program);
    return out;
}

/* ---- What the recipes stand on --------------------------------------------------------------- */

static rp_exec *create(const rp_exec_params *params) {
    rp_exec *exec;
    check(rp_exec_create(device, plan, params, diags, &exec));
    return exec;
}

/* x[i] = i + first in one slot, and w[i] = 2. */
static void write_inputs(rp_exec *exec, uint32_t slot, uint32_t first) {
    uint32_t x[COUNT], w[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) x[i] = i + first, w[i] = 2;
    check(rp_exec_write(exec, slot, "x", 0, x, sizeof x, diags));
    if (slot == 0) check(rp_exec_write(exec, slot, "w", 0, w, sizeof w, diags));
}

/* y[i] = factor * (i + first) + add. */
static void expect_values(const uint32_t *y, uint32_t factor, uint32_t first, uint32_t add) {
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < COUNT; i++) wrong += y[i] != factor * (i + first) + add;
    CU_ASSERT_EQUAL(wrong, 0);
}

static void expect_results(rp_exec *exec, uint32_t slot, uint32_t factor, uint32_t first,
                           uint32_t add) {
    uint32_t y[COUNT];
    check(rp_exec_read(exec, slot, "y", 0, y, sizeof y, diags));
    expect_values(y, factor, first, add);
}

static rp_storage *create_storage(uint64_t bytes) {
    const rp_storage_params params = {.size = sizeof params, .bytes = bytes};
    rp_storage *storage;
    check(rp_storage_create(device, &params, diags, &storage));
    return storage;
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static void test_weights_once(void) {
    uint32_t weights[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) weights[i] = 2;

    const rp_storage_params params = {
        .size = sizeof params, .bytes = sizeof weights, .name = "weights"};
    rp_storage *storage;
    check(rp_storage_create(device, &params, diags, &storage));
    check(rp_storage_write(storage, 0, weights, sizeof weights, diags));

    const rp_binding w = {.buffer = "w", .storage = storage, .slot = RP_ALL_SLOTS};
    const rp_exec_params shared = {.size = sizeof shared, .bindings = &w, .binding_count = 1};
    rp_exec *first, *second;
    check(rp_exec_create(device, plan, &shared, diags, &first));
    check(rp_exec_create(device, later_plan, &shared, diags, &second));
    rp_storage_release(storage); /* the execs hold it */

    uint32_t x[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) x[i] = i;
    rp_exec *const execs[] = {first, second};
    for (uint32_t e = 0; e < 2; e++) {
        check(rp_exec_write(execs[e], 0, "x", 0, x, sizeof x, diags));
        check(rp_exec_submit(execs[e], NULL, diags, NULL));
        check(rp_exec_wait(execs[e], 0, UINT64_MAX, diags));
        expect_results(execs[e], 0, e ? 6 : 2, 0, 0);
        rp_exec_destroy(execs[e]);
    }
}

static void test_arena(void) {
    rp_plan_info first = {.size = sizeof first}, second = {.size = sizeof second};
    check(rp_plan_get_info(plan, &first));
    check(rp_plan_get_info(later_plan, &second));
    uint64_t bytes =
        first.arena_bytes > second.arena_bytes ? first.arena_bytes : second.arena_bytes;

    rp_storage *arena = create_storage(bytes);
    const rp_binding binding = {.buffer = NULL, .storage = arena, .slot = RP_ALL_SLOTS};
    const rp_exec_params params = {.size = sizeof params, .bindings = &binding, .binding_count = 1};
    rp_exec *a, *b;
    check(rp_exec_create(device, plan, &params, diags, &a));
    check(rp_exec_create(device, later_plan, &params, diags, &b));
    rp_storage_release(arena);

    write_inputs(a, 0, 0);
    write_inputs(b, 0, 0);
    const rp_submission both[] = {{a, NULL}, {b, NULL}};
    check(rp_device_submit(device, both, 2, diags, NULL));
    check(rp_exec_wait(b, 0, UINT64_MAX, diags));
    check(rp_exec_wait(a, 0, UINT64_MAX, diags));
    expect_results(a, 0, 2, 0, 0);
    expect_results(b, 0, 6, 0, 0);
    rp_exec_destroy(a);
    rp_exec_destroy(b);
}

static void test_host_visible(void) {
    const rp_storage_params params = {
        .size = sizeof params, .bytes = 2 * BYTES, .host_visible = 1, .name = "results"};
    rp_storage *storage;
    check(rp_storage_create(device, &params, diags, &storage));
    const rp_binding bindings[] = {{"x", storage, 0, RP_ALL_SLOTS, 0},
                                   {"y", storage, BYTES, RP_ALL_SLOTS, 0}};
    const rp_exec_params bound = {.size = sizeof bound, .bindings = bindings, .binding_count = 2};
    rp_exec *exec = create(&bound);
    write_inputs(exec, 0, 0);

    void *x, *y;
    check(rp_exec_map(exec, 0, "x", diags, &x, NULL));
    check(rp_exec_map(exec, 0, "y", diags, &y, NULL));
    ((uint32_t *)x)[0] = 0; /* while the slot is idle */
    check(rp_exec_submit(exec, NULL, diags, NULL));
    check(rp_exec_wait(exec, 0, UINT64_MAX, diags));
    expect_values(y, 2, 0, 0);

    rp_exec_destroy(exec);
    rp_storage_release(storage);
}

/* ---- Submitting ------------------------------------------------------------------------------ */

static void test_slots(void) {
    const rp_exec_params params = {.size = sizeof params, .slots = SLOTS};
    rp_exec *exec = create(&params);
    write_inputs(exec, 0, 0);

    uint64_t in_flight[SLOTS] = {0};
    for (uint32_t step = 0; step < 10; step++) {
        uint32_t slot = step % SLOTS;
        if (in_flight[slot]) {
            check(rp_exec_wait(exec, in_flight[slot], UINT64_MAX, diags));
            expect_results(exec, slot, 2, step - SLOTS, 0);
        }
        uint32_t x[COUNT];
        for (uint32_t i = 0; i < COUNT; i++) x[i] = i + step;
        check(rp_exec_write(exec, slot, "x", 0, x, sizeof x, diags));
        const rp_submit_params submit = {.size = sizeof submit, .slot = slot};
        check(rp_exec_submit(exec, &submit, diags, &in_flight[slot]));
    }
    check(rp_exec_wait(exec, 0, UINT64_MAX, diags));
    for (uint32_t step = 7; step < 10; step++) expect_results(exec, step % SLOTS, 2, step, 0);
    rp_exec_destroy(exec);
}

static void test_timeline(void) {
    rp_exec *exec = create(NULL);
    VkSemaphore done = vulkan_timeline(&vk);
    write_inputs(exec, 0, 0);

    uint64_t replay;
    const rp_semaphore signal = {.handle = done, .value = 1};
    const rp_submit_params params = {.size = sizeof params, .signals = &signal, .signal_count = 1};
    check(rp_exec_submit(exec, &params, diags, &replay));
    vulkan_wait(&vk, done, 1);                            /* a semaphore of the application's */
    vulkan_wait(&vk, rp_exec_timeline(exec), replay);     /* or the exec's own, at the number */
    check(rp_exec_wait(exec, replay, UINT64_MAX, diags)); /* or a call */

    expect_results(exec, 0, 2, 0, 0);
    rp_exec_destroy(exec);
    vkDestroySemaphore(vk.device, done, NULL);
}

static void test_chain(void) {
    rp_storage *between = create_storage(BYTES);
    const rp_binding out = {"y", between, 0, RP_ALL_SLOTS, 0};
    const rp_binding in = {"x", between, 0, RP_ALL_SLOTS, 0};
    rp_exec *a = create(
        &(rp_exec_params){.size = sizeof(rp_exec_params), .bindings = &out, .binding_count = 1});
    rp_exec *b = create(
        &(rp_exec_params){.size = sizeof(rp_exec_params), .bindings = &in, .binding_count = 1});
    rp_storage_release(between);
    write_inputs(a, 0, 0);
    write_inputs(b, 0, 99); /* x is what a writes */

    const rp_submission submissions[] = {{.exec = a}, {.exec = b}};
    uint64_t replays[2];
    check(rp_device_submit(device, submissions, 2, diags, replays));
    check(rp_exec_wait(b, replays[1], UINT64_MAX, diags));

    expect_results(b, 0, 4, 0, 0);
    rp_exec_destroy(a);
    rp_exec_destroy(b);
}

/* ---- The application's own command buffers --------------------------------------------------- */

static VkCommandPool pool;

static VkCommandBuffer begin_commands(void) {
    const VkCommandBufferAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = pool,
        .commandBufferCount = 1};
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    VkCommandBuffer commands;
    VK(vkAllocateCommandBuffers(vk.device, &allocate, &commands));
    VK(vkBeginCommandBuffer(commands, &begin));
    return commands;
}

/* Records fill -> plan -> copy: a barrier on each side, with the scopes that the exec gives. */
static void record(VkCommandBuffer commands, rp_exec *exec, VkBuffer x, VkBuffer y, VkBuffer copy) {
    vkCmdFillBuffer(commands, x, 0, BYTES, 5);

    const rp_scopes scopes = rp_exec_get_scopes(exec);
    const VkMemoryBarrier2 before = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
                                     .srcStageMask = VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,
                                     .srcAccessMask = VK_ACCESS_2_TRANSFER_WRITE_BIT,
                                     .dstStageMask = scopes.stages,
                                     .dstAccessMask = scopes.reads | scopes.writes};
    const VkMemoryBarrier2 after = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
                                    .srcStageMask = scopes.stages,
                                    .srcAccessMask = scopes.writes,
                                    .dstStageMask = VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,
                                    .dstAccessMask = VK_ACCESS_2_TRANSFER_READ_BIT};
    VkDependencyInfo dependency = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                   .memoryBarrierCount = 1,
                                   .pMemoryBarriers = &before};
    vkCmdPipelineBarrier2(commands, &dependency);
    check(rp_exec_record(exec, 0, commands, diags));
    dependency.pMemoryBarriers = &after;
    vkCmdPipelineBarrier2(commands, &dependency);

    const VkBufferCopy region = {.size = BYTES};
    vkCmdCopyBuffer(commands, y, copy, 1, &region);
}

static void test_record(void) {
    const VkBufferUsageFlags usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
                                     VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                     VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    buffer x = vulkan_buffer(&vk, BYTES, usage, false), y = vulkan_buffer(&vk, BYTES, usage, false);
    buffer copy = vulkan_buffer(&vk, BYTES, VK_BUFFER_USAGE_TRANSFER_DST_BIT, true);
    rp_storage *storages[2];
    rp_binding bindings[2];
    for (uint32_t i = 0; i < 2; i++) {
        const rp_storage_import import = {
            .size = sizeof import, .buffer = i ? y.handle : x.handle, .bytes = BYTES};
        check(rp_storage_import_buffer(device, &import, diags, &storages[i]));
        bindings[i] = (rp_binding){i ? "y" : "x", storages[i], 0, RP_ALL_SLOTS, 0};
    }
    const rp_exec_params params = {.size = sizeof params, .bindings = bindings, .binding_count = 2};
    rp_exec *exec = create(&params);
    write_inputs(exec, 0, 0);
    VkCommandBuffer commands = begin_commands();
    record(commands, exec, x.handle, y.handle, copy.handle);
    const VkMemoryBarrier2 to_host = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
                                      .srcStageMask = VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,
                                      .srcAccessMask = VK_ACCESS_2_TRANSFER_WRITE_BIT,
                                      .dstStageMask = VK_PIPELINE_STAGE_2_HOST_BIT,
                                      .dstAccessMask = VK_ACCESS_2_HOST_READ_BIT};
    vkCmdPipelineBarrier2(commands, &(VkDependencyInfo){.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                                        .memoryBarrierCount = 1,
                                                        .pMemoryBarriers = &to_host});
    VK(vkEndCommandBuffer(commands));

    /* Counted: the exec knows of the replay, and its slot is busy until the timeline gets there. */
    uint64_t replay;
    check(rp_exec_reserve(exec, 0, diags, &replay));
    const moment signal = {rp_exec_timeline(exec), replay, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
    vulkan_submit(&vk, commands, NULL, &signal);
    check(rp_exec_wait(exec, replay, UINT64_MAX, diags));

    CU_ASSERT_EQUAL(rp_exec_completed(exec), 1);
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < COUNT; i++) wrong += ((uint32_t *)copy.mapped)[i] != 10;
    CU_ASSERT_EQUAL(wrong, 0);
    rp_exec_destroy(exec);
    for (uint32_t i = 0; i < 2; i++) rp_storage_release(storages[i]);
    vulkan_buffer_destroy(&vk, &x);
    vulkan_buffer_destroy(&vk, &y);
    vulkan_buffer_destroy(&vk, &copy);
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

static int wants_to_stop;

static void test_pieces(void) {
    const rp_exec_params params = {.size = sizeof params, .pieces = 16};
    rp_exec *exec = create(&params);
    write_inputs(exec, 0, 0);
    CU_ASSERT_EQUAL(rp_exec_piece_count(exec), 2); /* a plan of two groups has no more */

    uint64_t replay;
    const rp_submit_params first = {.size = sizeof first, .pieces = 1};
    check(rp_exec_submit(exec, &first, diags, &replay));
    for (uint32_t done = 1; done < rp_exec_piece_count(exec); done++) {
        check(rp_exec_wait_pieces(exec, replay, done, UINT64_MAX, diags));
        if (wants_to_stop)
            check(rp_exec_cancel(exec, diags)); /* and the replay is over */
        else
            check(rp_exec_continue(exec, 1, diags));
    }
    rp_status status = rp_exec_wait(exec, replay, UINT64_MAX, diags);

    CU_ASSERT_EQUAL(status, wants_to_stop ? RP_ERROR_CANCELLED : RP_OK);
    if (!wants_to_stop) expect_results(exec, 0, 2, 0, 0);
    rp_exec_destroy(exec);
}

static void test_cancel(void) {
    wants_to_stop = 1;
    test_pieces();
    wants_to_stop = 0;
}

/* ---- Changing -------------------------------------------------------------------------------- */

static void replay_once(rp_exec *exec) {
    check(rp_exec_submit(exec, NULL, diags, NULL));
    check(rp_exec_wait(exec, 0, UINT64_MAX, diags));
}

static void test_live(void) {
    rp_exec *exec = create(NULL);
    write_inputs(exec, 0, 0);

    uint32_t index, add = 7;
    check(rp_exec_find(exec, "add", &index)); /* once */
    check(rp_exec_set_live_at(exec, 0, index, 0, &add, 1, diags));

    replay_once(exec);
    expect_results(exec, 0, 2, 0, 7);
    rp_exec_destroy(exec);
}

static void test_bind(void) {
    rp_exec *exec = create(NULL), *producer = create(NULL);
    write_inputs(exec, 0, 0);
    write_inputs(producer, 0, 0);
    replay_once(producer);

    rp_range_info y; /* where another exec has its results */
    check(rp_exec_get_range(producer, 0, "y", diags, &y));
    const rp_binding x = {.buffer = "x", .storage = y.storage, .offset = y.offset};
    check(rp_exec_bind(exec, &x, 1, diags));

    replay_once(exec);
    expect_results(exec, 0, 4, 0, 0);
    rp_exec_destroy(producer);
    replay_once(exec); /* which holds on to the memory */
    expect_results(exec, 0, 4, 0, 0);
    rp_exec_destroy(exec);
}

static void test_update(void) {
    rp_exec *exec = create(NULL);
    write_inputs(exec, 0, 0);
    replay_once(exec);

    rp_update_report report = {.size = sizeof report};
    check(rp_exec_update(exec, later_plan, &report, diags));
    printf("%u of %u buffers stayed, %u pipelines, %.2f ms\n", report.buffers_kept, report.buffers,
           report.pipelines, (double)(report.record_ns + report.pipeline_ns) / 1e6);

    CU_ASSERT_EQUAL(report.buffers_kept, report.buffers);
    replay_once(exec);
    expect_results(exec, 0, 6, 0, 0);
    rp_exec_destroy(exec);
}

/* ---- Pipelines ------------------------------------------------------------------------------- */

static void test_prepare(void) {
    rp_preparation *preparation;
    const rp_kernel_priority first = {"multiply", RP_PIPELINE_CRITICAL};
    const rp_prepare_params params = {.size = sizeof params, .kernels = &first, .kernel_count = 1};
    check(rp_device_prepare(device, later_plan, &params, diags, &preparation));

    rp_preparation_progress progress = {.size = sizeof progress};
    check(rp_preparation_get_progress(preparation, &progress)); /* at each frame, say */
    printf("%u of %u pipelines\n", progress.ready, progress.total);

    check(rp_preparation_wait(preparation, NULL, UINT64_MAX, diags));
    rp_exec *exec;
    check(rp_exec_create(device, later_plan, NULL, diags, &exec)); /* compiles nothing */
    rp_preparation_destroy(preparation);

    CU_ASSERT_EQUAL(progress.total, 2);
    write_inputs(exec, 0, 0);
    replay_once(exec);
    expect_results(exec, 0, 6, 0, 0);
    rp_exec_destroy(exec);
}

/* ---- Counters -------------------------------------------------------------------------------- */

static void test_counters(void) {
    rp_exec *exec = create(NULL);
    write_inputs(exec, 0, 0);
    for (uint32_t i = 0; i < 5; i++) replay_once(exec);

    rp_counters counters = {.size = sizeof counters};
    check(rp_exec_get_counters(exec, &counters));
    printf("%llu replays, %llu waits, %llu of %llu barriers for a read after a write\n",
           (unsigned long long)counters.replays, (unsigned long long)counters.waits,
           (unsigned long long)counters.barriers_raw, (unsigned long long)counters.barriers);

    CU_ASSERT_EQUAL(counters.replays, 5);
    CU_ASSERT_EQUAL(counters.dispatches, 10);
    CU_ASSERT_TRUE(counters.barriers_raw >= 5 && counters.barriers >= counters.barriers_raw);
    rp_exec_destroy(exec);
}

/* ---- All of them ----------------------------------------------------------------------------- */

static void set_up(void) {
    diags = rp_diags_create(NULL);
    vulkan_open(&vk);
    plan = compile(1);
    later_plan = compile(3);
    check(rp_needs_enable(rp_plan_needs(plan) | rp_plan_needs(later_plan), &vk.features, diags));
    vulkan_create_device(&vk);
    const VkCommandPoolCreateInfo pool_info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                               .queueFamilyIndex = vk.family};
    VK(vkCreateCommandPool(vk.device, &pool_info, NULL, &pool));
    const rp_device_import import = {.size = sizeof import,
                                     .get_instance_proc_addr = (void *)vkGetInstanceProcAddr,
                                     .instance = vk.instance,
                                     .api_version = VK_API_VERSION_1_3,
                                     .physical_device = vk.physical,
                                     .device = vk.device,
                                     .features = &vk.features,
                                     .debug_utils = 1,
                                     .queue = vk.queue,
                                     .queue_family = vk.family};
    check(rp_device_create(NULL,
                           &(rp_device_params){.size = sizeof(rp_device_params), .import = &import},
                           diags, &device));
}

static void tear_down(void) {
    rp_plan_destroy(plan);
    rp_plan_destroy(later_plan);
    check(rp_device_destroy(device, diags));
    rp_diags_destroy(diags);
    vkDestroyCommandPool(vk.device, pool, NULL);
    vulkan_close(&vk);
    CU_ASSERT_EQUAL(vk.messages, 0);
}

int main(void) {
    static const rp_test tests[] = {{"own device", set_up},
                                    {"weights once", test_weights_once},
                                    {"one arena", test_arena},
                                    {"host-visible storage", test_host_visible},
                                    {"slots", test_slots},
                                    {"timeline", test_timeline},
                                    {"plan to plan", test_chain},
                                    {"own command buffer", test_record},
                                    {"pieces", test_pieces},
                                    {"cancelling", test_cancel},
                                    {"live values", test_live},
                                    {"binding", test_bind},
                                    {"another plan", test_update},
                                    {"pipelines ahead", test_prepare},
                                    {"counters", test_counters},
                                    {"nothing left, nothing said", tear_down},
                                    {0}};
    return rp_run_tests("recipes", tests);
}
