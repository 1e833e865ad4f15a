/* Internal: the Vulkan functions as a table, and results as statuses. */
#ifndef RP_RUNTIME_VULKAN_H
#define RP_RUNTIME_VULKAN_H

#ifndef VK_NO_PROTOTYPES
#define VK_NO_PROTOTYPES
#endif
#include <vulkan/vulkan_core.h>
#include "base/alloc.h"
#include "driver/cooperative_matrix.h"
#include "driver/subgroup_rotate.h"

/* One table per device: functions of the loader, of its instance, and of the device itself. */
typedef struct rp_vk {
    PFN_vkGetInstanceProcAddr GetInstanceProcAddr;
#define RP_X(name) PFN_vk##name name;
#define RP_VK_GLOBAL RP_X
#define RP_VK_INSTANCE RP_X
#define RP_VK_INSTANCE_OPTIONAL RP_X
#define RP_VK_DEVICE RP_X
#define RP_VK_DEVICE_OPTIONAL RP_X
#define RP_VK_DEVICE_KHR(name) PFN_vk##name name;
#include "driver/functions.def"
#undef RP_X
} rp_vk;

/* Opens libvulkan.so.1 (`*out_library`, to be closed with rp_vk_close), or uses `entry` when it is
 * not NULL, and loads the global functions. RP_ERROR_NO_DEVICE when there is no usable loader. */
rp_status rp_vk_open(rp_vk *vk, void *entry, rp_diags *diags, void **out_library);
void rp_vk_close(void *library);

/* Load the functions of an instance and of a device. `vulkan_1_3` chooses which of the two names
 * of a function that became core in 1.3 is asked for first. */
rp_status rp_vk_load_instance(rp_vk *vk, VkInstance instance, rp_diags *diags);
rp_status rp_vk_load_device(rp_vk *vk, VkDevice device, bool vulkan_1_3, rp_diags *diags);

/* "VK_ERROR_DEVICE_LOST" and the like. */
const char *rp_vk_result_name(VkResult result);
/* What a failed result means to our callers. */
rp_status rp_vk_status(VkResult result);
/* RP_OK, or adds "`call` failed: VK_..." and returns the status. */
rp_status rp_vk_result(VkResult result, const char *call, rp_diags *diags);

/* RP_VK(diags, vk->CreateBuffer(...)): evaluates to a status, the message carries the call. */
#define RP_VK(diags, call) rp_vk_result((call), #call, (diags))

#endif
