/* The fake driver's instance and physical device: what is there, as the tests want it. */
#include "mock_objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mock_numbers mock_numbers;

static int physical_devices[8]; /* only their addresses matter */
static int queues[4];           /* one for each family */

void mock_reset(void) {
    mock_queue_reset();
    memset(&mock, 0, sizeof mock);
    memset(&mock_numbers, 0, sizeof mock_numbers);
    mock.device_count = 1;
    mock.loader_version = mock.instance_version = VK_API_VERSION_1_3;
    mock.driver = VK_DRIVER_ID_NVIDIA_PROPRIETARY;
    mock.fail_with = VK_ERROR_OUT_OF_DEVICE_MEMORY;
    mock.layer_version = VK_MAKE_API_VERSION(0, 1, 3, 239);
    mock.sync2 = mock.timeline = mock.float16 = mock.int64 = mock.validation_layer = true;
    mock.sync2_extension = mock.exact_floats = true;
    mock.subgroup_operations = 0xff;
    mock.fd_features =
        VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT | VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
    mock.fd_compatible = VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT |
                         VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
    mock.fd_types = UINT32_MAX;
    mock.uuid = 0xd0;
    mock.image_features = mock.texel_features = UINT64_MAX;
    mock.anisotropy = mock.partially_bound = true;
    mock.subgroup_control = true;
    mock.subgroup_least = mock.subgroup_most = 32;
    mock.subgroup_stages = VK_SHADER_STAGE_COMPUTE_BIT;
    mock.max_allocation_size = mock.max_buffer_size = UINT64_C(1) << 40;

    VkPhysicalDeviceProperties *p = &mock.properties;
    p->apiVersion = VK_API_VERSION_1_3;
    p->driverVersion = 7;
    p->vendorID = 0x1234;
    p->deviceID = 0x5678;
    p->deviceType = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
    strcpy(p->deviceName, "Mock 9000");
    memset(p->pipelineCacheUUID, 0xab, VK_UUID_SIZE);
    VkPhysicalDeviceLimits *limits = &p->limits;
    limits->maxStorageBufferRange = 1u << 30;
    limits->maxUniformBufferRange = 65536;
    limits->maxPushConstantsSize = 256;
    limits->maxBoundDescriptorSets = 8;
    limits->maxPerStageDescriptorStorageBuffers = limits->maxDescriptorSetStorageBuffers = 64;
    limits->maxPerStageDescriptorUniformBuffers = limits->maxDescriptorSetUniformBuffers = 64;
    limits->maxComputeSharedMemorySize = 49152;
    limits->maxComputeWorkGroupInvocations = 1024;
    limits->minStorageBufferOffsetAlignment = 16;
    limits->minUniformBufferOffsetAlignment = 64;
    limits->minTexelBufferOffsetAlignment = 64;
    limits->maxTexelBufferElements = 1u << 20;
    limits->maxPerStageDescriptorStorageImages = limits->maxPerStageDescriptorSampledImages = 16;
    limits->maxPerStageDescriptorSamplers = 16;
    limits->maxPerStageResources = 128;
    limits->maxSamplerAnisotropy = 16;
    limits->maxSamplerLodBias = 15;
    limits->timestampPeriod = 1.0f;
    for (int i = 0; i < 3; i++) {
        limits->maxComputeWorkGroupCount[i] = 65535;
        limits->maxComputeWorkGroupSize[i] = 1024;
    }

    const VkMemoryPropertyFlags visible =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    mock.memory.memoryHeapCount = 2;
    mock.memory.memoryHeaps[0] = (VkMemoryHeap){UINT64_C(1) << 34, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT};
    mock.memory.memoryHeaps[1] = (VkMemoryHeap){UINT64_C(1) << 34, 0};
    mock.memory.memoryTypeCount = 4;
    mock.memory.memoryTypes[0] = (VkMemoryType){VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0};
    mock.memory.memoryTypes[1] = (VkMemoryType){visible, 1};
    mock.memory.memoryTypes[2] = (VkMemoryType){visible | VK_MEMORY_PROPERTY_HOST_CACHED_BIT, 1};
    mock.memory.memoryTypes[3] = (VkMemoryType){VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | visible, 0};

    mock.family_count = 2;
    mock.families[0] = (VkQueueFamilyProperties){.queueFlags = VK_QUEUE_TRANSFER_BIT};
    mock.families[1] = (VkQueueFamilyProperties){
        .queueFlags = VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT, .timestampValidBits = 64};
}

void mock_unified(void) {
    mock.properties.deviceType = VK_PHYSICAL_DEVICE_TYPE_CPU;
    mock.memory.memoryHeapCount = mock.memory.memoryTypeCount = 1;
    mock.memory.memoryTypes[0] = (VkMemoryType){
        VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
            VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
        0};
}

uint32_t mock_version(void) {
    uint32_t device = mock.properties.apiVersion;
    return device < mock.instance_version ? device : mock.instance_version;
}

/* ---- Instance -------------------------------------------------------------------------------- */

VkResult VKAPI_CALL mock_EnumerateInstanceVersion(uint32_t *out) {
    *out = mock.loader_version;
    return VK_SUCCESS;
}

VkResult VKAPI_CALL mock_EnumerateInstanceExtensionProperties(const char *layer, uint32_t *count,
                                                              VkExtensionProperties *out) {
    (void)layer;
    if (mock_fails("vkEnumerateInstanceExtensionProperties")) return mock.fail_with;
    uint32_t have = mock.debug_utils;
    if (out && *count >= 1 && have) {
        memset(out, 0, sizeof *out);
        strcpy(out->extensionName, VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
    }
    *count = have;
    return VK_SUCCESS;
}

VkResult VKAPI_CALL mock_EnumerateInstanceLayerProperties(uint32_t *count, VkLayerProperties *out) {
    if (mock_fails("vkEnumerateInstanceLayerProperties")) return mock.fail_with;
    uint32_t have = mock.validation_layer;
    if (out && *count >= 1 && have) {
        memset(out, 0, sizeof *out);
        strcpy(out->layerName, "VK_LAYER_KHRONOS_validation");
        out->specVersion = mock.layer_version;
    }
    *count = have;
    return VK_SUCCESS;
}

VkResult VKAPI_CALL mock_CreateInstance(const VkInstanceCreateInfo *info,
                                        const VkAllocationCallbacks *a, VkInstance *out) {
    (void)a;
    if (mock_fails("vkCreateInstance")) return mock.fail_with;
    mock.instance_version = info->pApplicationInfo->apiVersion;
    mock.names = false;
    for (uint32_t i = 0; i < info->enabledExtensionCount; i++)
        mock.names |= strcmp(info->ppEnabledExtensionNames[i], "VK_EXT_debug_utils") == 0;
    if (mock.names && !mock.debug_utils && info->enabledLayerCount == 0)
        mock_wrong("an extension is enabled that nobody has");
    *out = mock_new(MOCK_INSTANCE, sizeof(mock_object));
    return VK_SUCCESS;
}

void VKAPI_CALL mock_DestroyInstance(VkInstance instance, const VkAllocationCallbacks *a) {
    (void)a;
    mock_delete(instance, MOCK_INSTANCE);
}

VkResult VKAPI_CALL mock_CreateDebugUtilsMessengerEXT(
    VkInstance instance, const VkDebugUtilsMessengerCreateInfoEXT *info,
    const VkAllocationCallbacks *a, VkDebugUtilsMessengerEXT *out) {
    (void)instance, (void)a;
    if (mock_fails("vkCreateDebugUtilsMessengerEXT")) return mock.fail_with;
    *out = (VkDebugUtilsMessengerEXT)mock_new(MOCK_MESSENGER, sizeof(mock_object));
    const VkDebugUtilsMessengerCallbackDataEXT data = {.pMessage = "a word from the layer"};
    info->pfnUserCallback(VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT,
                          VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT, &data, info->pUserData);
    return VK_SUCCESS;
}

void VKAPI_CALL mock_DestroyDebugUtilsMessengerEXT(VkInstance instance,
                                                   VkDebugUtilsMessengerEXT handle,
                                                   const VkAllocationCallbacks *a) {
    (void)instance, (void)a;
    mock_delete((void *)handle, MOCK_MESSENGER);
}

VkResult VKAPI_CALL mock_EnumeratePhysicalDevices(VkInstance instance, uint32_t *count,
                                                  VkPhysicalDevice *out) {
    (void)instance;
    if (mock_fails("vkEnumeratePhysicalDevices")) return mock.fail_with;
    for (uint32_t i = 0; out && i < mock.device_count && i < *count; i++)
        out[i] = (VkPhysicalDevice)&physical_devices[i];
    *count = mock.device_count;
    return VK_SUCCESS;
}

/* ---- Physical device ------------------------------------------------------------------------- */

void VKAPI_CALL mock_GetPhysicalDeviceProperties2(VkPhysicalDevice device,
                                                  VkPhysicalDeviceProperties2 *out) {
    out->properties = mock.properties;
    if ((int *)device != physical_devices) { /* every other one is a software driver */
        out->properties.deviceType = VK_PHYSICAL_DEVICE_TYPE_CPU;
        strcpy(out->properties.deviceName, "Soft Mock");
    }
    for (VkBaseOutStructure *s = out->pNext; s; s = s->pNext) {
        if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES) {
            VkPhysicalDeviceSubgroupProperties *p = (void *)s;
            p->subgroupSize = 32;
            p->supportedStages = VK_SHADER_STAGE_COMPUTE_BIT;
            p->supportedOperations = mock.subgroup_operations;
        } else if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES) {
            VkPhysicalDeviceIDProperties *p = (void *)s;
            memset(p->deviceUUID, mock.uuid, VK_UUID_SIZE);
            memset(p->driverUUID, mock.uuid, VK_UUID_SIZE);
        } else if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES) {
            VkPhysicalDeviceSubgroupSizeControlProperties *p = (void *)s;
            p->minSubgroupSize = mock.subgroup_least;
            p->maxSubgroupSize = mock.subgroup_most;
            p->requiredSubgroupSizeStages = mock.subgroup_stages;
        } else if (s->sType ==
                   VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT) {
            ((VkPhysicalDeviceExternalMemoryHostPropertiesEXT *)s)
                ->minImportedHostPointerAlignment = MOCK_PAGE;
        } else if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES) {
            ((VkPhysicalDeviceMaintenance3Properties *)s)->maxMemoryAllocationSize =
                mock.max_allocation_size;
        } else if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES) {
            if (mock_version() < VK_API_VERSION_1_3)
                mock_wrong("a structure of Vulkan 1.3 is chained");
            ((VkPhysicalDeviceMaintenance4Properties *)s)->maxBufferSize = mock.max_buffer_size;
        } else if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES) {
            VkPhysicalDeviceDriverProperties *p = (void *)s;
            p->driverID = mock.driver;
            strcpy(p->driverName, "mock");
            strcpy(p->driverInfo, "1.0");
        } else if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FLOAT_CONTROLS_PROPERTIES) {
            VkPhysicalDeviceFloatControlsProperties *p = (void *)s;
            p->shaderSignedZeroInfNanPreserveFloat32 = mock.exact_floats;
            p->shaderDenormPreserveFloat32 = p->shaderDenormPreserveFloat16 = mock.exact_floats;
        }
    }
}

bool mock_has_extension(const char *name) {
    for (int i = 0; i < MOCK_EXTENSIONS; i++)
        if (mock.extensions_too[i] && strcmp(mock.extensions_too[i], name) == 0) return true;
    return false;
}

VkResult VKAPI_CALL mock_GetPhysicalDeviceCooperativeMatrixPropertiesKHR(
    VkPhysicalDevice device, uint32_t *count, VkCooperativeMatrixPropertiesKHR *out) {
    (void)device;
    if (mock_fails("vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR")) return mock.fail_with;
    if (!mock_has_extension(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME))
        mock_wrong("cooperative matrices are asked about without their extension");
    uint32_t have = 0;
    for (; have < MOCK_PRODUCTS && mock.products[have].KSize; have++) {
        if (!out || have >= *count) continue;
        if (out[have].sType != VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR)
            mock_wrong("a structure for a product of matrices has no type");
        out[have] = mock.products[have];
    }
    *count = have;
    return VK_SUCCESS;
}

void VKAPI_CALL mock_GetPhysicalDeviceFeatures2(VkPhysicalDevice device,
                                                VkPhysicalDeviceFeatures2 *out) {
    (void)device;
    out->features.shaderInt16 = out->features.shaderFloat64 = VK_TRUE;
    out->features.shaderInt64 = mock.int64;
    out->features.samplerAnisotropy = mock.anisotropy;
    out->features.imageCubeArray = mock.cube_arrays;
    out->features.shaderImageGatherExtended = mock.gathers;
    out->features.shaderStorageImageReadWithoutFormat = mock.undeclared_formats;
    out->features.shaderStorageImageWriteWithoutFormat = mock.undeclared_formats;
    for (VkBaseOutStructure *s = out->pNext; s; s = s->pNext) {
        if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES) {
            VkPhysicalDeviceVulkan12Features *f = (void *)s;
            f->timelineSemaphore = mock.timeline;
            f->shaderFloat16 = mock.float16;
            f->bufferDeviceAddress = mock.device_address;
            f->shaderInt8 = VK_TRUE;
            f->descriptorBindingPartiallyBound = mock.partially_bound;
            f->vulkanMemoryModel = mock.matrices; /* what their kernels need besides */
        } else if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES) {
            ((VkPhysicalDeviceVulkan11Features *)s)->storageBuffer16BitAccess = mock.matrices;
        } else if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES) {
            ((VkPhysicalDeviceSynchronization2Features *)s)->synchronization2 = mock.sync2;
        } else if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES) {
            ((VkPhysicalDeviceSubgroupSizeControlFeatures *)s)->subgroupSizeControl =
                mock.subgroup_control;
        } else if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FAULT_FEATURES_EXT) {
            ((VkPhysicalDeviceFaultFeaturesEXT *)s)->deviceFault = mock.device_fault;
        } else if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PRIORITY_FEATURES_EXT) {
            ((VkPhysicalDeviceMemoryPriorityFeaturesEXT *)s)->memoryPriority = mock.memory_priority;
        } else if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR) {
            ((VkPhysicalDeviceCooperativeMatrixFeaturesKHR *)s)->cooperativeMatrix = mock.matrices;
        }
    }
}

void VKAPI_CALL mock_GetPhysicalDeviceMemoryProperties(VkPhysicalDevice device,
                                                       VkPhysicalDeviceMemoryProperties *out) {
    (void)device;
    *out = mock.memory;
}

void VKAPI_CALL mock_GetPhysicalDeviceMemoryProperties2(VkPhysicalDevice device,
                                                        VkPhysicalDeviceMemoryProperties2 *out) {
    (void)device;
    out->memoryProperties = mock.memory;
    VkPhysicalDeviceMemoryBudgetPropertiesEXT *budget = out->pNext;
    if (!mock_has_extension(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME))
        mock_wrong("a budget is asked for without its extension");
    for (uint32_t i = 0; budget && i < mock.memory.memoryHeapCount; i++) {
        budget->heapBudget[i] = mock.heap_budget;
        budget->heapUsage[i] = mock.heap_usage;
    }
}

void VKAPI_CALL mock_GetPhysicalDeviceQueueFamilyProperties(VkPhysicalDevice device,
                                                            uint32_t *count,
                                                            VkQueueFamilyProperties *out) {
    (void)device;
    if (out) memcpy(out, mock.families, mock.family_count * sizeof *out);
    *count = mock.family_count;
}

VkResult VKAPI_CALL mock_EnumerateDeviceExtensionProperties(VkPhysicalDevice device,
                                                            const char *layer, uint32_t *count,
                                                            VkExtensionProperties *out) {
    (void)device, (void)layer;
    if (mock_fails("vkEnumerateDeviceExtensionProperties")) return mock.fail_with;
    uint32_t have = 0;
    for (int i = -1; i < MOCK_EXTENSIONS; i++) {
        const char *name = i < 0 ? VK_KHR_SYNCHRONIZATION_2_EXTENSION_NAME : mock.extensions_too[i];
        if (!name || (i < 0 && !mock.sync2_extension)) continue;
        if (out && have < *count) {
            memset(&out[have], 0, sizeof *out);
            strcpy(out[have].extensionName, name);
        }
        have++;
    }
    *count = have;
    return VK_SUCCESS;
}

/* ---- Device ---------------------------------------------------------------------------------- */

VkResult VKAPI_CALL mock_CreateDevice(VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
                                      const VkAllocationCallbacks *a, VkDevice *out) {
    (void)physical, (void)a;
    if (mock_fails("vkCreateDevice")) return mock.fail_with;
    mock.queue_family = info->pQueueCreateInfos[0].queueFamilyIndex;
    mock.transfer_family =
        info->queueCreateInfoCount > 1 ? info->pQueueCreateInfos[1].queueFamilyIndex : UINT32_MAX;
    if (mock.queue_family == mock.transfer_family) mock_wrong("a family is asked for twice");
    *mock.extensions = '\0';
    for (uint32_t i = 0; i < info->enabledExtensionCount; i++)
        strcat(strcat(mock.extensions, i ? " " : ""), info->ppEnabledExtensionNames[i]);
    bool sync2 = false;
    mock.enabled_matrices = false;
    for (const VkBaseInStructure *s = info->pNext; s; s = s->pNext) {
        if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR)
            mock.enabled_matrices =
                ((const VkPhysicalDeviceCooperativeMatrixFeaturesKHR *)s)->cooperativeMatrix != 0;
        if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES)
            mock.enabled_float16 =
                ((const VkPhysicalDeviceVulkan12Features *)s)->shaderFloat16 != 0;
        if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES)
            sync2 = ((const VkPhysicalDeviceSynchronization2Features *)s)->synchronization2;
    }
    if (!sync2) mock_wrong("synchronization2 is not enabled");
    *out = mock_new(MOCK_DEVICE, sizeof(mock_object));
    return VK_SUCCESS;
}

void VKAPI_CALL mock_DestroyDevice(VkDevice device, const VkAllocationCallbacks *a) {
    (void)a;
    mock_delete(device, MOCK_DEVICE);
}

void *mock_queue(uint32_t family) {
    return &queues[family];
}

void VKAPI_CALL mock_GetDeviceQueue(VkDevice device, uint32_t family, uint32_t index,
                                    VkQueue *out) {
    (void)device, (void)index;
    if (family != mock.queue_family && family != mock.transfer_family)
        mock_wrong("a queue that the device was created without");
    *out = mock_queue(family);
}

VkResult VKAPI_CALL mock_SetDebugUtilsObjectNameEXT(VkDevice device,
                                                    const VkDebugUtilsObjectNameInfoEXT *info) {
    (void)device, (void)info;
    if (!mock.names) mock_wrong("a name without VK_EXT_debug_utils");
    mock_count(&mock.named);
    return VK_SUCCESS;
}

/* ---- Finding functions ----------------------------------------------------------------------- */

static const struct {
    const char *name;
    PFN_vkVoidFunction function;
    bool core_1_3;
} functions[] = {
#define RP_X(name) {"vk" #name, (PFN_vkVoidFunction)mock_##name, false},
#define RP_VK_GLOBAL RP_X
#define RP_VK_INSTANCE RP_X
#define RP_VK_INSTANCE_OPTIONAL RP_X
#define RP_VK_DEVICE RP_X
#define RP_VK_DEVICE_OPTIONAL RP_X
#define RP_VK_DEVICE_KHR(name) {"vk" #name, (PFN_vkVoidFunction)mock_##name, true},
#include "driver/functions.def"
#undef RP_X
};

static PFN_vkVoidFunction find(const char *name) {
    bool new_device = mock_version() >= VK_API_VERSION_1_3;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        size_t length = strlen(functions[i].name);
        bool suffix = functions[i].core_1_3 && !new_device;
        if (strncmp(name, functions[i].name, length) == 0 &&
            strcmp(name + length, suffix ? "KHR" : "") == 0)
            return functions[i].function;
    }
    return NULL;
}

PFN_vkVoidFunction VKAPI_CALL mock_get_instance_proc_addr(VkInstance instance, const char *name) {
    (void)instance;
    if (mock.loader_version < VK_API_VERSION_1_1 && strcmp(name, "vkEnumerateInstanceVersion") == 0)
        return NULL;
    return find(name);
}

PFN_vkVoidFunction VKAPI_CALL mock_GetDeviceProcAddr(VkDevice device, const char *name) {
    (void)device;
    return find(name);
}

void *mock_entry(void) {
    PFN_vkGetInstanceProcAddr entry = mock_get_instance_proc_addr;
    void *pointer;
    memcpy(&pointer, &entry, sizeof pointer);
    return pointer;
}
