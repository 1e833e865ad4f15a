/* A command buffer that is recorded, submitted and waited for once: what happens when memory is made
 * or handed over, not in frames. Nothing of it is kept. */
#include "memory/storage.h"

typedef struct once {
    rp_device *device;
    VkCommandPool pool;
    VkCommandBuffer commands;
    VkSemaphore done;
} once;

static rp_status create_objects(once *o, rp_diags *diags) {
    rp_device *device = o->device;
    RP_TRY(rp_commands_create(device, device->adapter.queue_family,
                              VK_COMMAND_POOL_CREATE_TRANSIENT_BIT, 1, diags, &o->pool,
                              &o->commands));
    return rp_timeline_create(device, diags, &o->done);
}

static rp_status submit_and_wait(const once *o, rp_diags *diags) {
    rp_device *device = o->device;
    const rp_vk *vk = &device->vk;
    const uint64_t value = 1;
    VkResult result = rp_commands_submit(device, false, o->commands, o->done, value);
    RP_TRY(rp_vk_result(result, "vk->QueueSubmit2", diags));
    const VkSemaphoreWaitInfo wait = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
        .semaphoreCount = 1,
        .pSemaphores = &o->done,
        .pValues = &value,
    };
    return RP_VK(diags, vk->WaitSemaphores(device->handle, &wait, UINT64_MAX));
}

rp_status rp_submit_once(rp_device *device,
                         void (*record)(rp_device *, VkCommandBuffer, const void *user),
                         const void *user, rp_diags *diags) {
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    once o = {.device = device};
    const rp_vk *vk = &device->vk;
    rp_status status = create_objects(&o, diags);
    if (status == RP_OK) status = RP_VK(diags, vk->BeginCommandBuffer(o.commands, &begin));
    if (status == RP_OK) {
        record(device, o.commands, user);
        status = RP_VK(diags, vk->EndCommandBuffer(o.commands));
    }
    if (status == RP_OK) status = submit_and_wait(&o, diags);
    vk->DestroySemaphore(device->handle, o.done, NULL);
    vk->DestroyCommandPool(device->handle, o.pool, NULL);
    return status;
}
