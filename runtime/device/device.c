/* Devices: created here, or wrapped around the application's own.
 *
 * Vulkan cannot be asked what a VkDevice was created with, so the application says it, and what it
 * does not say counts as not enabled: a kernel that runs without its feature is undefined behaviour
 * that no driver reports. Submissions are serialised by a
 * mutex, or by the application's own lock when it shares its queue. */
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
    const char *extensions[RP_EXTENSION_COUNT];
    uint32_t count = rp_extension_names(adapter->extensions, adapter->version, extensions);
    const float priority = 1.0f;
    const VkDeviceQueueCreateInfo queue = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
        .queueFamilyIndex = adapter->queue_family,
        .queueCount = 1,
        .pQueuePriorities = &priority,
    };
    const VkDeviceCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
        .pNext = &features.core,
        .queueCreateInfoCount = 1,
        .pQueueCreateInfos = &queue,
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
    RP_TRY(create_handle(device, diags));
    RP_TRY(rp_vk_load_device(&device->vk, device->handle, device->adapter.vulkan_1_3, diags));
    device->vk.GetDeviceQueue(device->handle, device->adapter.queue_family, 0, &device->queue);
    return RP_OK;
}

static rp_status check_import(const rp_device_params *params, rp_diags *diags) {
    const rp_device_import *import = params->import;
    bool complete = import->get_instance_proc_addr && import->instance && import->physical_device &&
                    import->device && import->queue && !import->lock == !import->unlock &&
                    (import->extensions || !import->extension_count);
    for (uint32_t i = 0; complete && i < import->extension_count; i++)
        complete = import->extensions[i] != NULL;
    if (!complete) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "an imported device needs its loader entry, instance, physical device, device "
                     "and queue, as many names of extensions as it says, and both of lock and "
                     "unlock or neither");
        return RP_ERROR_USAGE;
    }
    if (params->validation) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "validation cannot be added to an imported device; enable the layer in the "
                     "application's own instance");
        return RP_ERROR_USAGE;
    }
    return RP_OK;
}

/* Makes the adapter that of the device that the application created, and says what it lacks. */
static rp_status limit(rp_adapter *adapter, const rp_device_import *import, rp_diags *diags) {
    bool able = adapter->info.suitable != 0;
    uint32_t extensions = 0;
    for (uint32_t i = 0; i < import->extension_count; i++)
        extensions |= rp_extension_find(import->extensions[i]);
    rp_adapter_limit(adapter, extensions, rp_features_read(import->features));
    if (adapter->info.suitable) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "the imported device %s lacks %s", adapter->info.name,
                 adapter->info.missing);
    if (able)
        rp_diags_add(diags, RP_NOTE, NULL, 0, 0,
                     "it could have that: enabled is what the api_version, features and extensions "
                     "of rp_device_import say; rp_needs_enable and rp_needs_extensions say what "
                     "to enable");
    return RP_ERROR_UNSUPPORTED;
}

/* Loads the functions of the application's instance and reads its physical device. */
static rp_status read_import(const rp_device_import *import, const rp_allocator *a, rp_diags *diags,
                             rp_instance *instance, rp_adapter *adapter) {
    RP_TRY(rp_vk_open(&instance->vk, import->get_instance_proc_addr, diags, &instance->library));
    instance->handle = import->instance;
    instance->version = import->api_version ? import->api_version : VK_API_VERSION_1_2;
    instance->debug_utils = import->debug_utils != 0;
    RP_TRY(rp_vk_load_instance(&instance->vk, import->instance, diags));
    return rp_adapter_read(instance, a, import->physical_device, diags, adapter);
}

static rp_status wrap(rp_device *device, const rp_device_params *params, rp_diags *diags) {
    const rp_device_import *import = params->import;
    rp_adapter *adapter = &device->adapter;
    RP_TRY(check_import(params, diags));
    device->pipeline_cache = (VkPipelineCache)params->pipeline_cache;
    device->lock = import->lock;
    device->unlock = import->unlock;
    device->user = import->user;
    RP_TRY(read_import(import, &device->allocator, diags, &device->instance, adapter));
    device->vk = device->instance.vk;
    RP_TRY(limit(adapter, import, diags));
    if (!rp_adapter_set_family(&device->vk, adapter, import->queue_family)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "queue family %u of the imported device cannot compute", import->queue_family);
        return RP_ERROR_USAGE;
    }
    device->handle = import->device;
    device->queue = import->queue;
    return rp_vk_load_device(&device->vk, device->handle, adapter->vulkan_1_3, diags);
}

/* The device's mutexes, all or none. */
static bool init_mutexes(rp_device *device) {
    pthread_mutex_t *all[] = {&device->mutex, &device->ring_mutex, &device->links_mutex};
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
    pthread_mutex_destroy(&device->ring_mutex);
    pthread_mutex_destroy(&device->links_mutex);
    rp_allocator a = device->allocator;
    rp_release(&a, device);
}

rp_status rp_device_create(const rp_allocator *allocator, const rp_device_params *params,
                           rp_diags *diags, rp_device **out_device) {
    if (!out_device) return RP_ERROR_USAGE;
    *out_device = NULL;
    const rp_device_params defaults = {0};
    if (!params) params = &defaults;
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
        status = params->import ? wrap(device, params, diags) : create_own(device, params, diags);
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

rp_status rp_device_get_counters(rp_device *device, rp_counters *counters) {
    if (!device || !counters) return RP_ERROR_USAGE;
    const rp_counters own = rp_counts_read(&device->counts);
    return rp_sized_give(&own, sizeof own, counters) ? RP_OK : RP_ERROR_USAGE;
}

rp_status rp_device_get_info(const rp_device *device, rp_device_info *info) {
    if (!device || !info) return RP_ERROR_USAGE;
    return rp_sized_give(&device->adapter.info, sizeof *info, info) ? RP_OK : RP_ERROR_USAGE;
}

rp_status rp_device_probe(const rp_device_import *import, rp_diags *diags, rp_device_info *info) {
    if (!import || !info || !import->get_instance_proc_addr || !import->instance ||
        !import->physical_device)
        return RP_ERROR_USAGE;
    rp_allocator a = rp_allocator_or_default(NULL);
    rp_instance instance = {0};
    rp_adapter adapter;
    rp_status status = read_import(import, &a, diags, &instance, &adapter);
    rp_instance_close(&instance);
    if (status != RP_OK) return status;
    return rp_sized_give(&adapter.info, sizeof *info, info) ? RP_OK : RP_ERROR_USAGE;
}

VkResult rp_queue_submit(rp_device *device, uint32_t count, const VkSubmitInfo2 *submits) {
    if (device->lock)
        device->lock(device->user);
    else
        pthread_mutex_lock(&device->mutex);
    VkResult result = device->vk.QueueSubmit2(device->queue, count, submits, VK_NULL_HANDLE);
    if (device->unlock)
        device->unlock(device->user);
    else
        pthread_mutex_unlock(&device->mutex);
    return result;
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
