/* Barriers between execs of one submission that share memory.
 *
 * An exec's recording orders what its plan knows, and not what lies beside it. Where two execs of
 * one rp_device_submit touch the same bytes, a command buffer with one barrier goes between them:
 * pipeline barriers order everything earlier in submission order, across command buffers and
 * batches. Its scopes are those of the accesses that meet, nothing wider. A program has few
 * different ones, so they are recorded once and looked up in a list. */
#include "exec/links.h"

#include "base/scope.h"
#include "driver/barrier.h"

static void add_scopes(const rp_touch *before, const rp_touch *after, uint32_t *src,
                       uint32_t *dst) {
    uint32_t writes = rp_scope_writes();
    if (before->scopes & writes) { /* what was written is read or written again */
        *src |= before->scopes & writes;
        *dst |= after->scopes;
    }
    if (after->scopes & writes) { /* what was read is overwritten */
        *src |= before->scopes;
        *dst |= after->scopes & writes;
    }
}

void rp_links_scopes(const rp_slot *before, const rp_slot *after, uint32_t *src, uint32_t *dst) {
    /* Both lists go by VkBuffer and first byte. Touches of one list overlap only where all are
     * read; a window of the first list is what may still reach into what comes. */
    uint32_t from = 0;
    for (uint32_t j = 0; j < after->touches_count; j++) {
        const rp_touch *b = &after->touches[j];
        while (from < before->touches_count &&
               (uintptr_t)before->touches[from].handle < (uintptr_t)b->handle)
            from++;
        for (uint32_t i = from; i < before->touches_count; i++) {
            const rp_touch *a = &before->touches[i];
            if (a->handle != b->handle || a->lo >= b->hi) break;
            if (a->hi > b->lo) add_scopes(a, b, src, dst);
        }
    }
}

typedef struct link_commands {
    uint32_t src, dst;
    VkCommandBuffer commands;
} link_commands;

struct rp_links {
    VkCommandPool pool;
    link_commands *links;
    uint32_t count, capacity;
};

static rp_status create(rp_device *device, rp_diags *diags) {
    struct rp_links *links = rp_alloc_zero(&device->allocator, 1, sizeof *links);
    if (!links) return RP_ERROR_NO_MEMORY;
    const VkCommandPoolCreateInfo pool = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
        .queueFamilyIndex = device->adapter.queue_family,
    };
    rp_status status =
        RP_VK(diags, device->vk.CreateCommandPool(device->handle, &pool, NULL, &links->pool));
    if (status == RP_OK)
        device->links = links;
    else
        rp_release(&device->allocator, links);
    return status;
}

static rp_status record(rp_device *device, link_commands *link, rp_diags *diags) {
    const rp_vk *vk = &device->vk;
    const VkCommandBufferAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = device->links->pool,
        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = 1,
    };
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT};
    VkMemoryBarrier2 barrier;
    (void)rp_barrier_lower(link->src, link->dst, device->quirks, false, &barrier);
    const VkDependencyInfo info = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                   .memoryBarrierCount = 1,
                                   .pMemoryBarriers = &barrier};
    RP_TRY(RP_VK(diags, vk->AllocateCommandBuffers(device->handle, &allocate, &link->commands)));
    RP_TRY(RP_VK(diags, vk->BeginCommandBuffer(link->commands, &begin)));
    vk->CmdPipelineBarrier2(link->commands, &info);
    return RP_VK(diags, vk->EndCommandBuffer(link->commands));
}

static rp_status find(rp_device *device, uint32_t src, uint32_t dst, rp_diags *diags,
                      VkCommandBuffer *out) {
    if (!device->links) RP_TRY(create(device, diags));
    struct rp_links *links = device->links;
    for (uint32_t i = 0; i < links->count; i++) {
        if (links->links[i].src != src || links->links[i].dst != dst) continue;
        *out = links->links[i].commands;
        return RP_OK;
    }
    if (!RP_RESERVE(&device->allocator, links->links, links->count, links->capacity, 1))
        return RP_ERROR_NO_MEMORY;
    link_commands link = {.src = src, .dst = dst};
    RP_TRY(record(device, &link, diags));
    links->links[links->count++] = link;
    *out = link.commands;
    return RP_OK;
}

rp_status rp_links_get(rp_device *device, uint32_t src, uint32_t dst, rp_diags *diags,
                       VkCommandBuffer *out) {
    *out = VK_NULL_HANDLE;
    pthread_mutex_lock(&device->links_mutex);
    rp_status status = find(device, src, dst, diags, out);
    pthread_mutex_unlock(&device->links_mutex);
    return status;
}

void rp_links_free(rp_device *device) {
    if (!device->links) return;
    device->vk.DestroyCommandPool(device->handle, device->links->pool, NULL);
    rp_release(&device->allocator, device->links->links);
    rp_release(&device->allocator, device->links);
    device->links = NULL;
}
