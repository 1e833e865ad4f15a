/* Recipes: replays, and what stands before and behind them. */
#include "recipes.h"

/* ---- Submitting ------------------------------------------------------------------------------ */

void test_slots(void) {
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

void test_bytes_in_a_submission(void) {
    rp_exec *exec = create(NULL);
    write_inputs(exec, 0, 0);
    uint32_t x[COUNT], y[COUNT] = {0};
    for (uint32_t i = 0; i < COUNT; i++) x[i] = i + 5;

    const rp_upload in = {.buffer = "x", .size = sizeof x, .data = x};
    const rp_download out = {.buffer = "y", .size = sizeof y, .data = y};
    const rp_submit_params params = {.size = sizeof params,
                                     .uploads = &in,
                                     .upload_count = 1,
                                     .downloads = &out,
                                     .download_count = 1};
    uint64_t replay;
    check(rp_exec_submit(exec, &params, diags, &replay)); /* x may go */
    check(rp_exec_wait(exec, replay, UINT64_MAX, diags)); /* y is there */

    expect_values(y, 2, 5, 0);
    rp_exec_destroy(exec);
}

void test_timeline(void) {
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

void test_chain(void) {
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

    rp_scopes scopes = {.size = sizeof scopes};
    check(rp_exec_get_scopes(exec, &scopes));
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

void test_record(void) {
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

void test_pieces(void) {
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

void test_cancel(void) {
    wants_to_stop = 1;
    test_pieces();
    wants_to_stop = 0;
}
