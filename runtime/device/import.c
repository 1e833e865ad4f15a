/* Devices of an application: wrapped, not owned.
 *
 * Vulkan cannot be asked what a VkDevice was created with, so the application says it, and what it
 * does not say counts as not enabled: a kernel that runs without its feature is undefined behaviour
 * that no driver reports. */
#include "device/device.h"

#include <stdio.h>
#include "base/sized.h"

static rp_status missing(const char *member, const char *what, rp_diags *diags) {
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "rp_device_import.%s is NULL: %s", member, what);
    return RP_ERROR_USAGE;
}

static rp_status check_instance(const rp_device_import *import, rp_diags *diags) {
    if (!import->get_instance_proc_addr)
        return missing("get_instance_proc_addr", "expected vkGetInstanceProcAddr", diags);
    if (!import->instance) return missing("instance", "expected a VkInstance", diags);
    if (!import->physical_device)
        return missing("physical_device", "expected a VkPhysicalDevice", diags);
    return RP_OK;
}

static rp_status check(const rp_device_import *import, const rp_device_params *params,
                       rp_diags *diags) {
    RP_TRY(check_instance(import, diags));
    if (!import->device) return missing("device", "expected a VkDevice", diags);
    if (!import->queue) return missing("queue", "expected a VkQueue", diags);
    if (!import->lock != !import->unlock)
        return missing(import->lock ? "unlock" : "lock",
                       "expected both of lock and unlock, or neither", diags);
    if (!import->allocate != !import->release)
        return missing(import->allocate ? "release" : "allocate",
                       "expected both of allocate and release, or neither", diags);
    if (!import->extensions && import->extension_count)
        return missing("extensions", "expected as many names as extension_count says", diags);
    for (uint32_t i = 0; i < import->extension_count; i++) {
        char member[32];
        snprintf(member, sizeof member, "extensions[%u]", i);
        if (!import->extensions[i]) return missing(member, "expected a name", diags);
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
    instance->registry = UINT32_MAX; /* the application says which extensions there are */
    instance->version = import->api_version ? import->api_version : VK_API_VERSION_1_2;
    instance->debug_utils = import->debug_utils != 0;
    RP_TRY(rp_vk_load_instance(&instance->vk, import->instance, diags));
    return rp_adapter_read(instance, a, import->physical_device, diags, adapter);
}

/* Takes the queues, after the families that they are said to be of. */
static rp_status take_queues(rp_device *device, const rp_device_import *import, rp_diags *diags) {
    rp_adapter *adapter = &device->adapter;
    if (!rp_adapter_set_family(&device->vk, adapter, import->queue_family)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "queue family %u of the imported device cannot compute", import->queue_family);
        return RP_ERROR_USAGE;
    }
    device->queue = import->queue;
    bool other = import->transfer_queue && import->transfer_queue != import->queue;
    if (other && !rp_adapter_set_transfer_family(&device->vk, adapter, import->transfer_family)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "queue family %u of the imported device cannot copy", import->transfer_family);
        return RP_ERROR_USAGE;
    }
    rp_device_set_transfer_queue(device, other ? import->transfer_queue : NULL);
    return RP_OK;
}

rp_status rp_device_wrap(rp_device *device, const rp_device_params *params, rp_diags *diags) {
    rp_adapter *adapter = &device->adapter;
    rp_device_import own;
    const rp_device_import *import = &own;
    if (!rp_sized_take(params->import, &own, sizeof own))
        return rp_sized_refuse(diags, "rp_device_import");
    RP_TRY(check(import, params, diags));
    device->pipeline_cache = (VkPipelineCache)params->pipeline_cache;
    device->lock = import->lock;
    device->unlock = import->unlock;
    device->user = import->user;
    device->allocate_memory = import->allocate;
    device->release_memory = import->release;
    device->memory_allocator = import->allocator;
    RP_TRY(read_import(import, &device->allocator, diags, &device->instance, adapter));
    device->vk = device->instance.vk;
    RP_TRY(limit(adapter, import, diags));
    RP_TRY(take_queues(device, import, diags));
    device->handle = import->device;
    return rp_vk_load_device(&device->vk, device->handle, adapter->vulkan_1_3, diags);
}

rp_status rp_device_probe(const rp_device_import *import, rp_diags *diags, rp_device_info *info) {
    rp_device_import own;
    if (!import || !info) return RP_ERROR_USAGE;
    if (!rp_sized_give(&(rp_device_info){0}, sizeof *info, info))
        return rp_sized_refuse(diags, "rp_device_info");
    if (!rp_sized_take(import, &own, sizeof own)) return rp_sized_refuse(diags, "rp_device_import");
    RP_TRY(check_instance(&own, diags));
    rp_allocator a = rp_allocator_or_default(NULL);
    rp_instance instance = {0};
    rp_adapter adapter;
    rp_status status = read_import(&own, &a, diags, &instance, &adapter);
    rp_instance_close(&instance);
    if (status != RP_OK) return status;
    return rp_sized_give(&adapter.info, sizeof *info, info) ? RP_OK : RP_ERROR_USAGE;
}
