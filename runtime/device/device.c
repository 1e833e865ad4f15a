/* Devices: created here (import.c wraps an application's own), counted, destroyed, submitted to.
 *
 * Submissions to a queue are serialised by a mutex, or by the application's own lock when it shares
 * its queues. */
#include "device/device.h"

#include <stdio.h>
#include "base/sized.h"
#include "driver/quirks.h"
#include "exec/links.h"
#include "memory/ring.h"
#include "pipeline/pipeline.h"

static rp_status create_handle(rp_device *device, rp_diags *diags) {
    const rp_adapter *adapter = &device->adapter;
    rp_feature_chain features;
    rp_feature_chain_link(&features, adapter->extensions, adapter->version);
    rp_features_set(&features, adapter->features);
    features.v12.samplerMirrorClampToEdge = adapter->mirror_clamp;
    const char *extensions[RP_EXTENSION_COUNT];
    uint32_t count = rp_extension_names(adapter->extensions, adapter->version, extensions);
    const float priority = 1.0f;
    uint32_t families[2];
    const uint32_t family_count = rp_device_families(device, families);
    VkDeviceQueueCreateInfo queues[2];
    for (uint32_t i = 0; i < family_count; i++)
        queues[i] = (VkDeviceQueueCreateInfo){
            .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
            .queueFamilyIndex = families[i],
            .queueCount = 1,
            .pQueuePriorities = &priority,
        };
    const VkDeviceCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
        .pNext = &features.core,
        .queueCreateInfoCount = family_count,
        .pQueueCreateInfos = queues,
        .enabledExtensionCount = count,
        .ppEnabledExtensionNames = extensions,
    };
    const rp_vk *vk = &device->vk;
    RP_TRY(RP_VK(diags, vk->CreateDevice(adapter->handle, &info, NULL, &device->handle)));
    device->owned = true;
    return RP_OK;
}

static rp_status create_own(rp_device *device, const rp_device_params *params, rp_diags *diags) {
    const rp_allocator *a = &device->allocator;
    if (params->pipeline_cache) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "a pipeline cache belongs to a VkDevice: it can be given with `import` only");
        return RP_ERROR_USAGE;
    }
    RP_TRY(rp_instance_open(&device->instance, params->get_instance_proc_addr,
                            params->validation != 0, diags));
    device->vk = device->instance.vk;
    if (params->validation) {
        RP_TRY(rp_messages_open(&device->messages, &device->instance, a, diags));
        device->validation = true;
    }
    rp_adapter *adapters;
    uint32_t count, index = 0;
    RP_TRY(rp_adapters_list(&device->instance, a, diags, &adapters, &count));
    rp_status status = rp_adapters_choose(adapters, count, params->select, diags, &index);
    if (status == RP_OK) device->adapter = adapters[index];
    rp_release(a, adapters);
    RP_TRY(status);
    rp_adapter *adapter = &device->adapter;
    rp_adapter_choose_families(&device->vk, adapter, params->queues);
    RP_TRY(create_handle(device, diags));
    RP_TRY(rp_vk_load_device(&device->vk, device->handle, adapter->vulkan_1_3, diags));
    device->vk.GetDeviceQueue(device->handle, adapter->queue_family, 0, &device->queue);
    VkQueue transfer = VK_NULL_HANDLE;
    if (adapter->transfer_family != RP_NO_FAMILY)
        device->vk.GetDeviceQueue(device->handle, adapter->transfer_family, 0, &transfer);
    rp_device_set_transfer_queue(device, transfer);
    return RP_OK;
}

/* The device's mutexes, all or none. */
static bool init_mutexes(rp_device *device) {
    pthread_mutex_t *all[] = {&device->mutex,       &device->transfer_mutex, &device->ring_mutex,
                              &device->links_mutex, &device->views_mutex,    &device->execs_mutex};
    for (uint32_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (pthread_mutex_init(all[i], NULL) == 0) continue;
        while (i-- > 0) pthread_mutex_destroy(all[i]);
        return false;
    }
    return true;
}

static void tear_down(rp_device *device) {
    rp_ring_free(device);
    rp_links_free(device);
    rp_store_destroy(device->store);
    /* A device whose functions could not be loaded still has this one from the loader. */
    if (device->owned && device->handle) {
        PFN_vkDestroyDevice destroy =
            (PFN_vkDestroyDevice)device->vk.GetDeviceProcAddr(device->handle, "vkDestroyDevice");
        if (destroy) destroy(device->handle, NULL);
    }
    rp_messages_close(&device->messages, &device->instance);
    rp_instance_close(&device->instance);
    pthread_mutex_destroy(&device->mutex);
    pthread_mutex_destroy(&device->transfer_mutex);
    pthread_mutex_destroy(&device->ring_mutex);
    pthread_mutex_destroy(&device->links_mutex);
    pthread_mutex_destroy(&device->views_mutex);
    pthread_mutex_destroy(&device->execs_mutex);
    rp_allocator a = device->allocator;
    rp_release(&a, device);
}

static rp_status take_params(const rp_device_params *given, rp_device_params *out,
                             rp_diags *diags) {
    if (given && !rp_sized_take(given, out, sizeof *out))
        return rp_sized_refuse(diags, "rp_device_params");
    uint32_t known = RP_QUEUES_COMPUTE_ONLY | RP_QUEUES_TRANSFER;
    if (!(out->queues & ~known) && !(out->import && out->queues)) return RP_OK;
    rp_diags_add(
        diags, RP_ERROR, NULL, 0, 0,
        "queues %#x: bits of rp_queues, and none where the device is imported with its own",
        out->queues);
    return RP_ERROR_USAGE;
}

rp_status rp_device_create(const rp_allocator *allocator, const rp_device_params *given,
                           rp_diags *diags, rp_device **out_device) {
    if (!out_device) return RP_ERROR_USAGE;
    *out_device = NULL;
    rp_device_params own = {.size = sizeof own}, *params = &own;
    RP_TRY(take_params(given, params, diags));
    rp_allocator a = rp_allocator_or_default(allocator);
    rp_device *device = rp_alloc_zero(&a, 1, sizeof *device);
    if (!device) return RP_ERROR_NO_MEMORY;
    device->allocator = a;
    if (!init_mutexes(device)) {
        rp_release(&a, device);
        return RP_ERROR_NO_MEMORY;
    }
    device->store = rp_store_create(device, params->pipeline_threads);
    rp_status status = RP_ERROR_NO_MEMORY;
    if (device->store)
        status = params->import ? rp_device_wrap(device, params, diags)
                                : create_own(device, params, diags);
    if (status != RP_OK) {
        tear_down(device);
        return status;
    }
    device->quirks = rp_quirks_of(device->adapter.driver);
    *out_device = device;
    return RP_OK;
}

void rp_device_retain(rp_device *device, rp_object kind) {
    atomic_fetch_add_explicit(&device->alive[kind], 1, memory_order_relaxed);
}

void rp_device_release(rp_device *device, rp_object kind) {
    atomic_fetch_sub_explicit(&device->alive[kind], 1, memory_order_release);
}

rp_status rp_device_destroy(rp_device *device, rp_diags *diags) {
    if (!device) return RP_OK;
    static const char *const names[RP_OBJECT_COUNT][2] = {
#define RP_X(symbol, one, several) {one, several},
        RP_OBJECT_LIST(RP_X)
#undef RP_X
    };
    char text[128] = "";
    size_t at = 0;
    for (uint32_t i = 0; i < RP_OBJECT_COUNT; i++) {
        uint32_t count = atomic_load_explicit(&device->alive[i], memory_order_acquire);
        if (count && at < sizeof text)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%u %s", at ? ", " : "", count,
                                   names[i][count > 1]);
    }
    if (at) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "the device %s is still in use by %s: destroy those first",
                     device->adapter.info.name, text);
        return RP_ERROR_BUSY;
    }
    tear_down(device);
    return RP_OK;
}

rp_status rp_device_get_info(const rp_device *device, rp_device_info *info) {
    if (!device || !info) return RP_ERROR_USAGE;
    return rp_sized_give(&device->adapter.info, sizeof *info, info) ? RP_OK : RP_ERROR_USAGE;
}

/* The queue for uploads has a mutex of its own where it is one. */
static pthread_mutex_t *mutex_of(rp_device *device, VkQueue queue) {
    return queue == device->queue ? &device->mutex : &device->transfer_mutex;
}

static void lock_queue(rp_device *device, VkQueue queue) {
    if (device->lock)
        device->lock(device->user, queue);
    else
        pthread_mutex_lock(mutex_of(device, queue));
}

static void unlock_queue(rp_device *device, VkQueue queue) {
    if (device->unlock)
        device->unlock(device->user, queue);
    else
        pthread_mutex_unlock(mutex_of(device, queue));
}

static VkResult submit_to(rp_device *device, VkQueue queue, uint32_t count,
                          const VkSubmitInfo2 *submits) {
    lock_queue(device, queue);
    VkResult result = device->vk.QueueSubmit2(queue, count, submits, VK_NULL_HANDLE);
    unlock_queue(device, queue);
    return result;
}

VkResult rp_queue_submit(rp_device *device, uint32_t count, const VkSubmitInfo2 *submits) {
    return submit_to(device, device->queue, count, submits);
}

VkResult rp_transfer_queue_submit(rp_device *device, uint32_t count, const VkSubmitInfo2 *submits) {
    return submit_to(device, device->transfer_queue, count, submits);
}

VkResult rp_commands_submit(rp_device *device, bool beside, VkCommandBuffer commands,
                            VkSemaphore timeline, uint64_t value) {
    const VkCommandBufferSubmitInfo what = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
                                            .commandBuffer = commands};
    const VkSemaphoreSubmitInfo signal = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
        .semaphore = timeline,
        .value = value,
        .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
    };
    const VkSubmitInfo2 submit = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
        .commandBufferInfoCount = 1,
        .pCommandBufferInfos = &what,
        .signalSemaphoreInfoCount = 1,
        .pSignalSemaphoreInfos = &signal,
    };
    return beside ? rp_transfer_queue_submit(device, 1, &submit)
                  : rp_queue_submit(device, 1, &submit);
}

/* On a lost device a queue is idle. */
static void wait_for_queue(rp_device *device, VkQueue queue) {
    lock_queue(device, queue);
    (void)device->vk.QueueWaitIdle(queue);
    unlock_queue(device, queue);
}

void rp_queues_settle(rp_device *device) {
    if (!(device->quirks & RP_QUIRK_LATE_RELEASE)) return;
    wait_for_queue(device, device->queue);
    if (device->transfer_queue != device->queue) wait_for_queue(device, device->transfer_queue);
}

void rp_device_set_transfer_queue(rp_device *device, VkQueue queue) {
    device->transfer_queue = queue ? queue : device->queue;
    device->transfer_family =
        queue ? device->adapter.transfer_family : device->adapter.queue_family;
}

uint32_t rp_device_families(const rp_device *device, uint32_t out[2]) {
    const rp_adapter *adapter = &device->adapter;
    out[0] = adapter->queue_family;
    out[1] = adapter->transfer_family;
    return out[1] == RP_NO_FAMILY || out[1] == out[0] ? 1 : 2;
}

void rp_device_name(rp_device *device, VkObjectType type, uint64_t handle, const char *name) {
    if (!device->instance.debug_utils || !device->vk.SetDebugUtilsObjectNameEXT) return;
    const VkDebugUtilsObjectNameInfoEXT info = {
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
        .objectType = type,
        .objectHandle = handle,
        .pObjectName = name,
    };
    device->vk.SetDebugUtilsObjectNameEXT(device->handle, &info);
}

rp_status rp_timeline_create(rp_device *device, rp_diags *diags, VkSemaphore *out) {
    const VkSemaphoreTypeCreateInfo type = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
        .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
    };
    const VkSemaphoreCreateInfo semaphore = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                             .pNext = &type};
    return RP_VK(diags, device->vk.CreateSemaphore(device->handle, &semaphore, NULL, out));
}

rp_status rp_commands_create(rp_device *device, uint32_t family, VkCommandPoolCreateFlags flags,
                             uint32_t count, rp_diags *diags, VkCommandPool *out_pool,
                             VkCommandBuffer *out_commands) {
    const rp_vk *vk = &device->vk;
    const VkCommandPoolCreateInfo pool = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
        .flags = flags,
        .queueFamilyIndex = family,
    };
    RP_TRY(RP_VK(diags, vk->CreateCommandPool(device->handle, &pool, NULL, out_pool)));
    const VkCommandBufferAllocateInfo commands = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = *out_pool,
        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = count,
    };
    return RP_VK(diags, vk->AllocateCommandBuffers(device->handle, &commands, out_commands));
}
