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
 * change.
 *
 * An image comes into the layout that it rests in on the way. */
#include "driver/barrier.h"
#include "memory/image.h"

typedef struct clearing {
    rp_storage *const *storages;
    uint32_t count;
} clearing;

static void clear_image(const rp_vk *vk, VkCommandBuffer commands, const rp_storage *storage) {
    const rp_image_masks masks = {.dst_stages = VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,
                                  .dst = VK_ACCESS_2_TRANSFER_WRITE_BIT};
    const VkImageMemoryBarrier2 barrier =
        rp_image_barrier(storage, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL, &masks);
    const VkDependencyInfo dependency = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                         .imageMemoryBarrierCount = 1,
                                         .pImageMemoryBarriers = &barrier};
    static const uint8_t zeros[16];
    const rp_image_side all = {storage, {0, storage->shape.mips, 0, storage->shape.layers}};
    vk->CmdPipelineBarrier2(commands, &dependency);
    rp_image_clear(vk, commands, &all, zeros);
}

static void record(rp_device *device, VkCommandBuffer commands, const void *user) {
    const clearing *c = user;
    const rp_vk *vk = &device->vk;
    for (uint32_t i = 0; i < c->count; i++)
        if (c->storages[i] && c->storages[i]->image)
            clear_image(vk, commands, c->storages[i]);
        else if (c->storages[i])
            vk->CmdFillBuffer(commands, c->storages[i]->handle, 0,
                              rp_storage_fill_bytes(c->storages[i]->size), 0);
    const VkMemoryBarrier2 barrier = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
        .srcStageMask = VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,
        .srcAccessMask = VK_ACCESS_2_TRANSFER_WRITE_BIT,
        .dstStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_2_HOST_BIT,
        .dstAccessMask = VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT,
    };
    rp_barrier_record(vk, commands, &barrier);
}

rp_status rp_storage_clear(rp_device *device, rp_storage *const *storages, uint32_t count,
                           rp_diags *diags) {
    const clearing c = {storages, count};
    bool any = false;
    for (uint32_t i = 0; i < count; i++) any |= storages[i] != NULL;
    return any ? rp_submit_once(device, record, &c, diags) : RP_OK;
}
