/* Internal: what the runtime uses of VK_KHR_shader_subgroup_rotate, for Vulkan headers older than it
 * (1.3.274): by the names and numbers of the specification. */
#ifndef RP_RUNTIME_SUBGROUP_ROTATE_H
#define RP_RUNTIME_SUBGROUP_ROTATE_H

#include <vulkan/vulkan_core.h>

#ifndef VK_KHR_shader_subgroup_rotate
#define VK_KHR_shader_subgroup_rotate 1
#define VK_KHR_SHADER_SUBGROUP_ROTATE_EXTENSION_NAME "VK_KHR_shader_subgroup_rotate"

#define VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SUBGROUP_ROTATE_FEATURES_KHR                      \
    ((VkStructureType)1000416000)

typedef struct VkPhysicalDeviceShaderSubgroupRotateFeaturesKHR {
    VkStructureType sType;
    void *pNext;
    VkBool32 shaderSubgroupRotate;
    VkBool32 shaderSubgroupRotateClustered;
} VkPhysicalDeviceShaderSubgroupRotateFeaturesKHR;
#endif

#endif
