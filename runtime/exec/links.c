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
    if (!before->scopes || !after->scopes) return; /* the plan has a buffer that no node uses */
    if (before->scopes & writes) {                 /* what was written is read or written again */
        *src |= before->scopes & writes;
        *dst |= after->scopes;
    }
    if (after->scopes & writes) { /* what was read is overwritten */
        *src |= before->scopes;
        *dst |= after->scopes & writes;
    }
}

void rp_links_scopes(rp_touch_list before, rp_touch_list after, uint32_t *src, uint32_t *dst) {
    /* Both lists go by VkBuffer and first byte, so what ended before a touch has ended before all
     * that follow it. */
    const rp_touch *from = before.touches, *end = from + before.count;
    for (uint32_t j = 0; j < after.count; j++) {
        const rp_touch *b = &after.touches[j];
        while (from < end && ((uintptr_t)from->handle < (uintptr_t)b->handle ||
                              (from->handle == b->handle && from->hi <= b->lo)))
            from++;
        for (const rp_touch *a = from; a < end && a->handle == b->handle && a->lo < b->hi; a++)
            if (a->hi > b->lo) add_scopes(a, b, src, dst);
    }
}

/* Each has a pool of its own, which goes with it when it could not be recorded. */
typedef struct link_commands {
    uint32_t src, dst;
    VkCommandPool pool;
    VkCommandBuffer commands;
} link_commands;

struct rp_links {
    link_commands *links;
    uint32_t count, capacity;
};

static rp_status record(rp_device *device, link_commands *link, rp_diags *diags) {
    const rp_vk *vk = &device->vk;
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT};
    VkMemoryBarrier2 barrier;
    (void)rp_barrier_lower(link->src, link->dst, device->quirks, true, &barrier);
    RP_TRY(rp_commands_create(device, device->adapter.queue_family, 0, 1, diags, &link->pool,
                              &link->commands));
    RP_TRY(RP_VK(diags, vk->BeginCommandBuffer(link->commands, &begin)));
    rp_barrier_record(vk, link->commands, &barrier);
    return RP_VK(diags, vk->EndCommandBuffer(link->commands));
}

static rp_status find(rp_device *device, uint32_t src, uint32_t dst, rp_diags *diags,
                      VkCommandBuffer *out) {
    const rp_allocator *a = &device->allocator;
    if (!device->links) device->links = rp_alloc_zero(a, 1, sizeof *device->links);
    struct rp_links *links = device->links;
    if (!links) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < links->count; i++) {
        if (links->links[i].src != src || links->links[i].dst != dst) continue;
        *out = links->links[i].commands;
        return RP_OK;
    }
    if (!RP_RESERVE(a, links->links, links->count, links->capacity, 1)) return RP_ERROR_NO_MEMORY;
    link_commands link = {.src = src, .dst = dst};
    rp_status status = record(device, &link, diags);
    if (status != RP_OK) {
        device->vk.DestroyCommandPool(device->handle, link.pool, NULL);
        return status;
    }
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
    for (uint32_t i = 0; i < device->links->count; i++)
        device->vk.DestroyCommandPool(device->handle, device->links->links[i].pool, NULL);
    rp_release(&device->allocator, device->links->links);
    rp_release(&device->allocator, device->links);
    device->links = NULL;
}
