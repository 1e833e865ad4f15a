/* Memory begins as zeros: all that is allocated for buffers, once, when it is created.
 *
 * A driver may hand out memory with the bytes of another process in it. A result that no node
 * writes, in whole or in part, would carry them into a file; so would a kernel that reads a
 * transient before anything wrote it, which is why the arena is cleared like the rest. The live
 * block is not: its first values are written into all of it. Nor is staging, where nothing is read
 * that was not copied there before.
 *
 * The GPU fills everything in one submission, and creation waits for it. That goes at the speed at
 * which the device writes its memory, a small part of what uploading the same bytes takes, so
 * memory that will be overwritten is not told from the rest. What is recorded for a replay does not
 * change. */
#include "memory/storage.h"

typedef struct clearing {
    rp_device *device;
    VkCommandPool pool;
    VkCommandBuffer commands;
    VkSemaphore done;
} clearing;

static rp_status create_objects(clearing *c, rp_diags *diags) {
    rp_device *device = c->device;
    RP_TRY(rp_commands_create(device, device->adapter.queue_family,
                              VK_COMMAND_POOL_CREATE_TRANSIENT_BIT, 1, diags, &c->pool,
                              &c->commands));
    return rp_timeline_create(device, diags, &c->done);
}

static rp_status record(const clearing *c, rp_storage *const *storages, uint32_t count,
                        rp_diags *diags) {
    const rp_vk *vk = &c->device->vk;
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    RP_TRY(RP_VK(diags, vk->BeginCommandBuffer(c->commands, &begin)));
    for (uint32_t i = 0; i < count; i++)
        if (storages[i])
            vk->CmdFillBuffer(c->commands, storages[i]->handle, 0,
                              rp_storage_fill_bytes(storages[i]->size), 0);
    const VkMemoryBarrier2 barrier = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
        .srcStageMask = VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,
        .srcAccessMask = VK_ACCESS_2_TRANSFER_WRITE_BIT,
        .dstStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_2_HOST_BIT,
        .dstAccessMask = VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT,
    };
    const VkDependencyInfo dependency = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                         .memoryBarrierCount = 1,
                                         .pMemoryBarriers = &barrier};
    vk->CmdPipelineBarrier2(c->commands, &dependency);
    return RP_VK(diags, vk->EndCommandBuffer(c->commands));
}

static rp_status submit_and_wait(const clearing *c, rp_diags *diags) {
    rp_device *device = c->device;
    const rp_vk *vk = &device->vk;
    const VkCommandBufferSubmitInfo commands = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, .commandBuffer = c->commands};
    const VkSemaphoreSubmitInfo signal = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
        .semaphore = c->done,
        .value = 1,
        .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
    };
    const VkSubmitInfo2 submit = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
        .commandBufferInfoCount = 1,
        .pCommandBufferInfos = &commands,
        .signalSemaphoreInfoCount = 1,
        .pSignalSemaphoreInfos = &signal,
    };
    RP_TRY(rp_vk_result(rp_queue_submit(device, 1, &submit), "vk->QueueSubmit2", diags));
    const VkSemaphoreWaitInfo wait = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
        .semaphoreCount = 1,
        .pSemaphores = &c->done,
        .pValues = &signal.value,
    };
    return RP_VK(diags, vk->WaitSemaphores(device->handle, &wait, UINT64_MAX));
}

rp_status rp_storage_clear(rp_device *device, rp_storage *const *storages, uint32_t count,
                           rp_diags *diags) {
    clearing c = {.device = device};
    const rp_vk *vk = &device->vk;
    bool any = false;
    for (uint32_t i = 0; i < count; i++) any |= storages[i] != NULL;
    if (!any) return RP_OK;
    rp_status status = create_objects(&c, diags);
    if (status == RP_OK) status = record(&c, storages, count, diags);
    if (status == RP_OK) status = submit_and_wait(&c, diags);
    vk->DestroySemaphore(device->handle, c.done, NULL);
    vk->DestroyCommandPool(device->handle, c.pool, NULL);
    return status;
}
