/* Staging: host bytes to and from memory that the host cannot see.
 *
 * A mapped buffer of two slots; while the GPU copies from one, the host fills the other. Each piece
 * is a submission of its own with a barrier against everything before and after it, so writes and
 * reads need to know nothing about the plan. This is not the replay path: a replay neither waits
 * for staging nor allocates. */
#include "memory/staging.h"

enum { RP_STAGING_SLOTS = 2, SLOT_BYTES = 4 << 20 };

typedef struct rp_staging {
    rp_device *device;
    rp_storage *buffer; /* in RP_STAGING_SLOTS equal parts */
    uint64_t slot_bytes;
    VkCommandPool pool;
    VkCommandBuffer commands[RP_STAGING_SLOTS];
    VkSemaphore timeline;
    uint64_t submitted;                    /* value of the timeline after the last submission */
    uint64_t used_until[RP_STAGING_SLOTS]; /* timeline value at which the slot is free */
} rp_staging;

static rp_status create(rp_staging *staging, rp_device *device, rp_diags *diags) {
    const rp_vk *vk = &device->vk;
    staging->device = device;
    staging->slot_bytes = SLOT_BYTES;
    const rp_storage_wish wish = {.purpose = RP_PURPOSE_STAGING,
                                  .size = staging->slot_bytes * RP_STAGING_SLOTS,
                                  .name = "staging"};
    RP_TRY(rp_storage_allocate(device, &wish, 1, diags, &staging->buffer));

    const VkCommandPoolCreateInfo pool = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
        .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
        .queueFamilyIndex = device->adapter.queue_family,
    };
    RP_TRY(RP_VK(diags, vk->CreateCommandPool(device->handle, &pool, NULL, &staging->pool)));
    const VkCommandBufferAllocateInfo commands = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = staging->pool,
        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = RP_STAGING_SLOTS,
    };
    RP_TRY(RP_VK(diags, vk->AllocateCommandBuffers(device->handle, &commands, staging->commands)));
    const VkSemaphoreTypeCreateInfo type = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
        .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
    };
    const VkSemaphoreCreateInfo semaphore = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                             .pNext = &type};
    return RP_VK(diags, vk->CreateSemaphore(device->handle, &semaphore, NULL, &staging->timeline));
}

static rp_status wait_until(const rp_staging *staging, uint64_t value, rp_diags *diags) {
    if (value == 0) return RP_OK;
    const VkSemaphoreWaitInfo info = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
        .semaphoreCount = 1,
        .pSemaphores = &staging->timeline,
        .pValues = &value,
    };
    rp_device *device = staging->device;
    rp_count(&device->counts, RP_COUNT_waits, 1);
    return RP_VK(diags, device->vk.WaitSemaphores(device->handle, &info, UINT64_MAX));
}

static void record_piece(const rp_staging *staging, VkCommandBuffer commands, VkBuffer from,
                         VkBuffer to, const VkBufferCopy *region) {
    const rp_vk *vk = &staging->device->vk;
    const VkMemoryBarrier2 before = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
        .srcStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
        .srcAccessMask = VK_ACCESS_2_MEMORY_WRITE_BIT,
        .dstStageMask = VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,
        .dstAccessMask = VK_ACCESS_2_TRANSFER_READ_BIT | VK_ACCESS_2_TRANSFER_WRITE_BIT,
    };
    const VkMemoryBarrier2 after = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
        .srcStageMask = VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,
        .srcAccessMask = VK_ACCESS_2_TRANSFER_WRITE_BIT,
        .dstStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_2_HOST_BIT,
        .dstAccessMask = VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT,
    };
    VkDependencyInfo dependency = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                   .memoryBarrierCount = 1,
                                   .pMemoryBarriers = &before};
    vk->CmdPipelineBarrier2(commands, &dependency);
    vk->CmdCopyBuffer(commands, from, to, 1, region);
    dependency.pMemoryBarriers = &after;
    vk->CmdPipelineBarrier2(commands, &dependency);
}

/* Submits one copy in a slot that is free. */
static rp_status submit_piece(rp_staging *staging, uint32_t slot, VkBuffer from, VkBuffer to,
                              const VkBufferCopy *region, rp_diags *diags) {
    rp_device *device = staging->device;
    const rp_vk *vk = &device->vk;
    VkCommandBuffer commands = staging->commands[slot];
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    RP_TRY(RP_VK(diags, vk->BeginCommandBuffer(commands, &begin)));
    record_piece(staging, commands, from, to, region);
    RP_TRY(RP_VK(diags, vk->EndCommandBuffer(commands)));
    const VkCommandBufferSubmitInfo command_info = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, .commandBuffer = commands};
    const VkSemaphoreSubmitInfo signal = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
        .semaphore = staging->timeline,
        .value = staging->submitted + 1,
        .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
    };
    const VkSubmitInfo2 submit = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
        .commandBufferInfoCount = 1,
        .pCommandBufferInfos = &command_info,
        .signalSemaphoreInfoCount = 1,
        .pSignalSemaphoreInfos = &signal,
    };
    RP_TRY(rp_vk_result(rp_queue_submit(device, 1, &submit), "vk->QueueSubmit2", diags));
    rp_count(&device->counts, RP_COUNT_submissions, 1);
    staging->used_until[slot] = ++staging->submitted;
    return RP_OK;
}

static rp_status write_pieces(rp_staging *staging, VkBuffer target, uint64_t offset,
                              const void *data, uint64_t size, rp_diags *diags) {
    const rp_storage *buffer = staging->buffer;
    uint32_t slot = 0;
    for (uint64_t done = 0, piece; done < size; done += piece, slot ^= 1) {
        piece = size - done < staging->slot_bytes ? size - done : staging->slot_bytes;
        uint64_t at = slot * staging->slot_bytes;
        RP_TRY(wait_until(staging, staging->used_until[slot], diags));
        memcpy(buffer->mapped + at, (const uint8_t *)data + done, piece);
        const VkBufferCopy region = {.srcOffset = at, .dstOffset = offset + done, .size = piece};
        RP_TRY(submit_piece(staging, slot, buffer->handle, target, &region, diags));
    }
    return wait_until(staging, staging->submitted, diags);
}

static rp_status read_pieces(rp_staging *staging, VkBuffer source, uint64_t offset, void *data,
                             uint64_t size, rp_diags *diags) {
    const rp_storage *buffer = staging->buffer;
    uint64_t slot_bytes = staging->slot_bytes;
    uint64_t pieces = (size + slot_bytes - 1) / slot_bytes;
    /* In step i piece i is started, and piece i - 1 is fetched while the GPU is at it. */
    for (uint64_t i = 0; i <= pieces; i++) {
        if (i < pieces) {
            uint32_t slot = (uint32_t)(i % RP_STAGING_SLOTS);
            uint64_t done = i * slot_bytes;
            const VkBufferCopy region = {
                .srcOffset = offset + done,
                .dstOffset = slot * slot_bytes,
                .size = size - done < slot_bytes ? size - done : slot_bytes,
            };
            RP_TRY(wait_until(staging, staging->used_until[slot], diags));
            RP_TRY(submit_piece(staging, slot, source, buffer->handle, &region, diags));
        }
        if (i > 0) {
            uint32_t slot = (uint32_t)((i - 1) % RP_STAGING_SLOTS);
            uint64_t done = (i - 1) * slot_bytes;
            RP_TRY(wait_until(staging, staging->used_until[slot], diags));
            memcpy((uint8_t *)data + done, buffer->mapped + slot * slot_bytes,
                   size - done < slot_bytes ? size - done : slot_bytes);
        }
    }
    return RP_OK;
}

static void destroy(rp_staging *staging) {
    rp_device *device = staging->device;
    const rp_vk *vk = &device->vk;
    /* A failed write may have left a piece in flight; on a lost device this returns at once. */
    if (staging->timeline) (void)wait_until(staging, staging->submitted, NULL);
    vk->DestroySemaphore(device->handle, staging->timeline, NULL);
    vk->DestroyCommandPool(device->handle, staging->pool, NULL);
    rp_storage_drop(staging->buffer);
    rp_release(&device->allocator, staging);
}

/* The device's staging buffer, with its lock held; made on first use. */
static rp_status acquire(rp_device *device, rp_diags *diags, rp_staging **out) {
    pthread_mutex_lock(&device->staging_mutex);
    *out = device->staging;
    if (*out) return RP_OK;
    rp_staging *staging = rp_alloc_zero(&device->allocator, 1, sizeof *staging);
    rp_status status = staging ? create(staging, device, diags) : RP_ERROR_NO_MEMORY;
    if (status == RP_OK) {
        *out = device->staging = staging;
        return RP_OK;
    }
    if (staging) destroy(staging);
    pthread_mutex_unlock(&device->staging_mutex);
    return status;
}

rp_status rp_staging_write(rp_device *device, VkBuffer target, uint64_t offset, const void *data,
                           uint64_t size, rp_diags *diags) {
    rp_staging *staging;
    RP_TRY(acquire(device, diags, &staging));
    rp_status status = write_pieces(staging, target, offset, data, size, diags);
    pthread_mutex_unlock(&device->staging_mutex);
    return status;
}

rp_status rp_staging_read(rp_device *device, VkBuffer source, uint64_t offset, void *data,
                          uint64_t size, rp_diags *diags) {
    rp_staging *staging;
    RP_TRY(acquire(device, diags, &staging));
    rp_status status = read_pieces(staging, source, offset, data, size, diags);
    pthread_mutex_unlock(&device->staging_mutex);
    return status;
}

void rp_staging_free(rp_device *device) {
    if (device->staging) destroy(device->staging);
    device->staging = NULL;
}
