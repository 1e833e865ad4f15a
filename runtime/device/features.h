/* Internal: the features and extensions of Vulkan that the runtime knows, as bits. */
#ifndef RP_RUNTIME_FEATURES_H
#define RP_RUNTIME_FEATURES_H

#include "driver/vulkan.h"

/* Device extensions: symbol, bit, Vulkan's name, the version that they became core in (UINT32_MAX:
 * none), the version of Vulkan's registry that brought them (0: an older one than any validation
 * layer that is asked for). A device created here enables each that there is. */
#define RP_EXTENSION_LIST(X)                                                                       \
    X(RP_EXTENSION_SYNC2, 0, VK_KHR_SYNCHRONIZATION_2_EXTENSION_NAME, VK_API_VERSION_1_3, 0)       \
    X(RP_EXTENSION_INT_DOT, 1, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME,                   \
      VK_API_VERSION_1_3, 0)                                                                       \
    X(RP_EXTENSION_DEVICE_FAULT, 2, VK_EXT_DEVICE_FAULT_EXTENSION_NAME, UINT32_MAX, 0)             \
    X(RP_EXTENSION_CHECKPOINTS, 3, VK_NV_DEVICE_DIAGNOSTIC_CHECKPOINTS_EXTENSION_NAME, UINT32_MAX, \
      0)                                                                                           \
    X(RP_EXTENSION_BUFFER_MARKER, 4, VK_AMD_BUFFER_MARKER_EXTENSION_NAME, UINT32_MAX, 0)           \
    X(RP_EXTENSION_HOST_MEMORY, 5, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME, UINT32_MAX, 0)      \
    X(RP_EXTENSION_MEMORY_BUDGET, 6, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME, UINT32_MAX, 0)           \
    X(RP_EXTENSION_MEMORY_PRIORITY, 7, VK_EXT_MEMORY_PRIORITY_EXTENSION_NAME, UINT32_MAX, 0)       \
    X(RP_EXTENSION_COOPERATIVE_MATRIX, 8, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME, UINT32_MAX,    \
      VK_MAKE_API_VERSION(0, 1, 3, 255))                                                           \
    X(RP_EXTENSION_MEMORY_FD, 9, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME, UINT32_MAX, 0)          \
    X(RP_EXTENSION_DMA_BUF, 10, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME, UINT32_MAX, 0)      \
    X(RP_EXTENSION_FOREIGN, 11, VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME, UINT32_MAX, 0)         \
    X(RP_EXTENSION_SUBGROUP_SIZE, 12, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME,                 \
      VK_API_VERSION_1_3, 0)                                                                       \
    X(RP_EXTENSION_FLOAT_ATOMICS, 13, VK_EXT_SHADER_ATOMIC_FLOAT_EXTENSION_NAME, UINT32_MAX, 0)    \
    X(RP_EXTENSION_FLOAT_ATOMICS_2, 14, VK_EXT_SHADER_ATOMIC_FLOAT_2_EXTENSION_NAME, UINT32_MAX,   \
      0)                                                                                           \
    X(RP_EXTENSION_CLOCK, 15, VK_KHR_SHADER_CLOCK_EXTENSION_NAME, UINT32_MAX, 0)                   \
    X(RP_EXTENSION_SUBGROUP_ROTATE, 16, VK_KHR_SHADER_SUBGROUP_ROTATE_EXTENSION_NAME, UINT32_MAX,  \
      VK_MAKE_API_VERSION(0, 1, 3, 274))                                                           \
    X(RP_EXTENSION_FORMAT_FEATURES, 17, VK_KHR_FORMAT_FEATURE_FLAGS_2_EXTENSION_NAME,              \
      VK_API_VERSION_1_3, 0)                                                                       \
    X(RP_EXTENSION_CALIBRATED, 18, VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME, UINT32_MAX, 0)

typedef enum rp_extension {
#define RP_X(symbol, bit, name, core, since) symbol = 1 << bit,
    RP_EXTENSION_LIST(RP_X)
#undef RP_X
} rp_extension;
enum {
#define RP_X(symbol, bit, name, core, since) +1
    RP_EXTENSION_COUNT = RP_EXTENSION_LIST(RP_X)
#undef RP_X
};

/* The bit of an extension by its name; 0 for one that the runtime has no use for. */
uint32_t rp_extension_find(const char *name);
/* Those that are core in a version. */
uint32_t rp_extensions_core(uint32_t version);
/* Those that a registry of this version knows: a validation layer takes structs of younger ones for
 * mistakes. */
uint32_t rp_extensions_known(uint32_t registry);
/* The names of those in `extensions` that are not core in the version. */
uint32_t rp_extension_names(uint32_t extensions, uint32_t version,
                            const char *names[RP_EXTENSION_COUNT]);

/* Features: symbol, bit, the need of a plan behind it (0: the runtime's own), the extension behind
 * it before it is core (0: core in Vulkan 1.2), Vulkan's name. A need may have several, and is
 * served by all of them. A device created here enables each that there is, because it is created
 * before its plans are known. */
#define RP_FEATURE_LIST(X)                                                                         \
    X(RP_FEATURE_SYNC2, 0, 0, RP_EXTENSION_SYNC2, "synchronization2")                              \
    X(RP_FEATURE_TIMELINE, 1, 0, 0, "timelineSemaphore")                                           \
    X(RP_FEATURE_FLOAT16, 2, RP_NEED_FLOAT16, 0, "shaderFloat16")                                  \
    X(RP_FEATURE_INT8, 3, RP_NEED_INT8, 0, "shaderInt8")                                           \
    X(RP_FEATURE_INT16, 4, RP_NEED_INT16, 0, "shaderInt16")                                        \
    X(RP_FEATURE_INT64, 5, RP_NEED_INT64, 0, "shaderInt64")                                        \
    X(RP_FEATURE_FLOAT64, 6, RP_NEED_FLOAT64, 0, "shaderFloat64")                                  \
    X(RP_FEATURE_STORAGE16, 7, RP_NEED_STORAGE16, 0, "storageBuffer16BitAccess")                   \
    X(RP_FEATURE_STORAGE8, 8, RP_NEED_STORAGE8, 0, "storageBuffer8BitAccess")                      \
    X(RP_FEATURE_UNIFORM16, 9, RP_NEED_UNIFORM16, 0, "uniformAndStorageBuffer16BitAccess")         \
    X(RP_FEATURE_UNIFORM8, 10, RP_NEED_UNIFORM8, 0, "uniformAndStorageBuffer8BitAccess")           \
    X(RP_FEATURE_MEMORY_MODEL, 11, RP_NEED_MEMORY_MODEL, 0, "vulkanMemoryModel")                   \
    X(RP_FEATURE_INT64_ATOMICS, 12, RP_NEED_INT64_ATOMICS, 0, "shaderBufferInt64Atomics")          \
    X(RP_FEATURE_SCALAR_LAYOUT, 13, RP_NEED_SCALAR_LAYOUT, 0, "scalarBlockLayout")                 \
    X(RP_FEATURE_UNIFORM_STD430, 14, RP_NEED_UNIFORM_STD430, 0, "uniformBufferStandardLayout")     \
    X(RP_FEATURE_DEVICE_ADDRESS, 15, RP_NEED_DEVICE_ADDRESS, 0, "bufferDeviceAddress")             \
    X(RP_FEATURE_INT_DOT, 16, RP_NEED_INT_DOT, RP_EXTENSION_INT_DOT, "shaderIntegerDotProduct")    \
    X(RP_FEATURE_SUBGROUP_TYPES, 17, RP_NEED_SUBGROUP_TYPES, 0, "shaderSubgroupExtendedTypes")     \
    X(RP_FEATURE_DEVICE_FAULT, 18, 0, RP_EXTENSION_DEVICE_FAULT, "deviceFault")                    \
    X(RP_FEATURE_MEMORY_PRIORITY, 19, 0, RP_EXTENSION_MEMORY_PRIORITY, "memoryPriority")           \
    X(RP_FEATURE_COOPERATIVE_MATRIX, 20, RP_NEED_COOPERATIVE_MATRIX,                               \
      RP_EXTENSION_COOPERATIVE_MATRIX, "cooperativeMatrix")                                        \
    X(RP_FEATURE_SUBGROUP_SIZE, 21, RP_NEED_SUBGROUP_SIZE, RP_EXTENSION_SUBGROUP_SIZE,             \
      "subgroupSizeControl")                                                                       \
    X(RP_FEATURE_SHARED_INT64_ATOMICS, 22, RP_NEED_SHARED_INT64_ATOMICS, 0,                        \
      "shaderSharedInt64Atomics")                                                                  \
    X(RP_FEATURE_FLOAT32_ATOMICS, 23, RP_NEED_FLOAT32_ATOMICS, RP_EXTENSION_FLOAT_ATOMICS,         \
      "shaderBufferFloat32Atomics")                                                                \
    X(RP_FEATURE_FLOAT32_ADD, 24, RP_NEED_FLOAT32_ADD, RP_EXTENSION_FLOAT_ATOMICS,                 \
      "shaderBufferFloat32AtomicAdd")                                                              \
    X(RP_FEATURE_SHARED_FLOAT32_ATOMICS, 25, RP_NEED_SHARED_FLOAT32_ATOMICS,                       \
      RP_EXTENSION_FLOAT_ATOMICS, "shaderSharedFloat32Atomics")                                    \
    X(RP_FEATURE_SHARED_FLOAT32_ADD, 26, RP_NEED_SHARED_FLOAT32_ADD, RP_EXTENSION_FLOAT_ATOMICS,   \
      "shaderSharedFloat32AtomicAdd")                                                              \
    X(RP_FEATURE_FLOAT64_ATOMICS, 27, RP_NEED_FLOAT64_ATOMICS, RP_EXTENSION_FLOAT_ATOMICS,         \
      "shaderBufferFloat64Atomics")                                                                \
    X(RP_FEATURE_FLOAT64_ADD, 28, RP_NEED_FLOAT64_ATOMICS, RP_EXTENSION_FLOAT_ATOMICS,             \
      "shaderBufferFloat64AtomicAdd")                                                              \
    X(RP_FEATURE_SHARED_FLOAT64_ATOMICS, 29, RP_NEED_SHARED_FLOAT64_ATOMICS,                       \
      RP_EXTENSION_FLOAT_ATOMICS, "shaderSharedFloat64Atomics")                                    \
    X(RP_FEATURE_SHARED_FLOAT64_ADD, 30, RP_NEED_SHARED_FLOAT64_ATOMICS,                           \
      RP_EXTENSION_FLOAT_ATOMICS, "shaderSharedFloat64AtomicAdd")                                  \
    X(RP_FEATURE_FLOAT16_ATOMICS, 31, RP_NEED_FLOAT16_ATOMICS, RP_EXTENSION_FLOAT_ATOMICS_2,       \
      "shaderBufferFloat16Atomics")                                                                \
    X(RP_FEATURE_FLOAT16_MIN_MAX, 32, RP_NEED_FLOAT16_ATOMICS, RP_EXTENSION_FLOAT_ATOMICS_2,       \
      "shaderBufferFloat16AtomicMinMax")                                                           \
    X(RP_FEATURE_SHARED_FLOAT16_ATOMICS, 33, RP_NEED_FLOAT16_ATOMICS,                              \
      RP_EXTENSION_FLOAT_ATOMICS_2, "shaderSharedFloat16Atomics")                                  \
    X(RP_FEATURE_SHARED_FLOAT16_MIN_MAX, 34, RP_NEED_FLOAT16_ATOMICS,                              \
      RP_EXTENSION_FLOAT_ATOMICS_2, "shaderSharedFloat16AtomicMinMax")                             \
    X(RP_FEATURE_FLOAT16_ADD, 35, RP_NEED_FLOAT16_ADD, RP_EXTENSION_FLOAT_ATOMICS_2,               \
      "shaderBufferFloat16AtomicAdd")                                                              \
    X(RP_FEATURE_SHARED_FLOAT16_ADD, 36, RP_NEED_FLOAT16_ADD, RP_EXTENSION_FLOAT_ATOMICS_2,        \
      "shaderSharedFloat16AtomicAdd")                                                              \
    X(RP_FEATURE_FLOAT32_MIN_MAX, 37, RP_NEED_FLOAT32_MIN_MAX, RP_EXTENSION_FLOAT_ATOMICS_2,       \
      "shaderBufferFloat32AtomicMinMax")                                                           \
    X(RP_FEATURE_SHARED_FLOAT32_MIN_MAX, 38, RP_NEED_FLOAT32_MIN_MAX,                              \
      RP_EXTENSION_FLOAT_ATOMICS_2, "shaderSharedFloat32AtomicMinMax")                             \
    X(RP_FEATURE_FLOAT64_MIN_MAX, 39, RP_NEED_FLOAT64_MIN_MAX, RP_EXTENSION_FLOAT_ATOMICS_2,       \
      "shaderBufferFloat64AtomicMinMax")                                                           \
    X(RP_FEATURE_SHARED_FLOAT64_MIN_MAX, 40, RP_NEED_FLOAT64_MIN_MAX,                              \
      RP_EXTENSION_FLOAT_ATOMICS_2, "shaderSharedFloat64AtomicMinMax")                             \
    X(RP_FEATURE_SUBGROUP_ROTATE, 41, RP_NEED_SUBGROUP_ROTATE, RP_EXTENSION_SUBGROUP_ROTATE,       \
      "shaderSubgroupRotate")                                                                      \
    X(RP_FEATURE_CLUSTER_ROTATE, 42, RP_NEED_SUBGROUP_ROTATE, RP_EXTENSION_SUBGROUP_ROTATE,        \
      "shaderSubgroupRotateClustered")                                                             \
    X(RP_FEATURE_SUBGROUP_CLOCK, 43, RP_NEED_SUBGROUP_CLOCK, RP_EXTENSION_CLOCK,                   \
      "shaderSubgroupClock")                                                                       \
    X(RP_FEATURE_DEVICE_CLOCK, 44, RP_NEED_DEVICE_CLOCK, RP_EXTENSION_CLOCK, "shaderDeviceClock")  \
    X(RP_FEATURE_PUSH16, 45, RP_NEED_PUSH16, 0, "storagePushConstant16")                           \
    X(RP_FEATURE_PUSH8, 46, RP_NEED_PUSH8, 0, "storagePushConstant8")                              \
    X(RP_FEATURE_VARIABLE_POINTERS, 47, RP_NEED_VARIABLE_POINTERS, 0, "variablePointers")          \
    X(RP_FEATURE_BUFFER_POINTERS, 48, RP_NEED_VARIABLE_POINTERS, 0,                                \
      "variablePointersStorageBuffer")                                                             \
    X(RP_FEATURE_DEVICE_SCOPE, 49, RP_NEED_DEVICE_SCOPE, 0, "vulkanMemoryModelDeviceScope")        \
    X(RP_FEATURE_IMAGE_READ_UNFORMATTED, 50, RP_NEED_IMAGE_READ_UNFORMATTED, 0,                    \
      "shaderStorageImageReadWithoutFormat")                                                       \
    X(RP_FEATURE_IMAGE_WRITE_UNFORMATTED, 51, RP_NEED_IMAGE_WRITE_UNFORMATTED, 0,                  \
      "shaderStorageImageWriteWithoutFormat")                                                      \
    X(RP_FEATURE_IMAGE_FORMATS, 52, RP_NEED_IMAGE_FORMATS, 0, "shaderStorageImageExtendedFormats") \
    X(RP_FEATURE_CUBE_ARRAYS, 53, RP_NEED_IMAGE_EXTRAS, 0, "imageCubeArray")                       \
    X(RP_FEATURE_GATHER, 54, RP_NEED_IMAGE_EXTRAS, 0, "shaderImageGatherExtended")                 \
    X(RP_FEATURE_SAMPLED_INDEXING, 55, RP_NEED_IMAGE_EXTRAS, 0,                                    \
      "shaderSampledImageArrayDynamicIndexing")                                                    \
    X(RP_FEATURE_IMAGE_INDEXING, 56, RP_NEED_IMAGE_EXTRAS, 0,                                      \
      "shaderStorageImageArrayDynamicIndexing")                                                    \
    X(RP_FEATURE_BUFFER_INDEXING, 57, RP_NEED_IMAGE_EXTRAS, 0,                                     \
      "shaderStorageBufferArrayDynamicIndexing")                                                   \
    X(RP_FEATURE_UNIFORM_INDEXING, 58, RP_NEED_IMAGE_EXTRAS, 0,                                    \
      "shaderUniformBufferArrayDynamicIndexing")                                                   \
    X(RP_FEATURE_ANISOTROPY, 59, 0, 0, "samplerAnisotropy")                                        \
    X(RP_FEATURE_SAMPLED_NON_UNIFORM, 60, RP_NEED_IMAGE_EXTRAS, 0,                                 \
      "shaderSampledImageArrayNonUniformIndexing")                                                 \
    X(RP_FEATURE_IMAGE_NON_UNIFORM, 61, RP_NEED_IMAGE_EXTRAS, 0,                                   \
      "shaderStorageImageArrayNonUniformIndexing")                                                 \
    X(RP_FEATURE_BUFFER_NON_UNIFORM, 62, RP_NEED_IMAGE_EXTRAS, 0,                                  \
      "shaderStorageBufferArrayNonUniformIndexing")                                                \
    X(RP_FEATURE_PARTIALLY_BOUND, 63, 0, 0, "descriptorBindingPartiallyBound")

/* Wider than int, as rp_plan_need is. */
__extension__ typedef enum rp_feature {
#define RP_X(symbol, bit, need, extension, name) symbol = UINT64_C(1) << bit,
    RP_FEATURE_LIST(RP_X)
#undef RP_X
} rp_feature;

/* What no device can be used without. */
enum { RP_FEATURES_BASE = RP_FEATURE_SYNC2 | RP_FEATURE_TIMELINE };

/* The structs that the runtime asks a physical device with and creates its own devices with:
 * member, type, sType, the extension or later version that knows it (0: Vulkan 1.2 does). */
#define RP_FEATURE_STRUCTS(X)                                                                      \
    X(core, VkPhysicalDeviceFeatures2, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, 0)            \
    X(v11, VkPhysicalDeviceVulkan11Features,                                                       \
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, 0)                                    \
    X(v12, VkPhysicalDeviceVulkan12Features,                                                       \
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, 0)                                    \
    X(sync2, VkPhysicalDeviceSynchronization2Features,                                             \
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES, RP_EXTENSION_SYNC2)            \
    X(int_dot, VkPhysicalDeviceShaderIntegerDotProductFeatures,                                    \
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES, RP_EXTENSION_INT_DOT) \
    X(fault, VkPhysicalDeviceFaultFeaturesEXT,                                                     \
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FAULT_FEATURES_EXT, RP_EXTENSION_DEVICE_FAULT)             \
    X(priority, VkPhysicalDeviceMemoryPriorityFeaturesEXT,                                         \
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PRIORITY_FEATURES_EXT,                              \
      RP_EXTENSION_MEMORY_PRIORITY)                                                                \
    X(matrix, VkPhysicalDeviceCooperativeMatrixFeaturesKHR,                                        \
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR,                           \
      RP_EXTENSION_COOPERATIVE_MATRIX)                                                             \
    X(subgroup, VkPhysicalDeviceSubgroupSizeControlFeatures,                                       \
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES,                            \
      RP_EXTENSION_SUBGROUP_SIZE)                                                                  \
    X(atomics, VkPhysicalDeviceShaderAtomicFloatFeaturesEXT,                                       \
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_ATOMIC_FLOAT_FEATURES_EXT,                          \
      RP_EXTENSION_FLOAT_ATOMICS)                                                                  \
    X(atomics2, VkPhysicalDeviceShaderAtomicFloat2FeaturesEXT,                                     \
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_ATOMIC_FLOAT_2_FEATURES_EXT,                        \
      RP_EXTENSION_FLOAT_ATOMICS_2)                                                                \
    X(clock, VkPhysicalDeviceShaderClockFeaturesKHR,                                               \
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CLOCK_FEATURES_KHR, RP_EXTENSION_CLOCK)             \
    X(rotate, VkPhysicalDeviceShaderSubgroupRotateFeaturesKHR,                                     \
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SUBGROUP_ROTATE_FEATURES_KHR,                       \
      RP_EXTENSION_SUBGROUP_ROTATE)

typedef struct rp_feature_chain {
#define RP_X(member, type, stype, extension) type member;
    RP_FEATURE_STRUCTS(RP_X)
#undef RP_X
} rp_feature_chain;

/* Links the structs that a device with these extensions knows, all features off. The chain begins
 * with `core` and stays where it is; before Vulkan 1.2 there is nothing behind `core`. */
void rp_feature_chain_link(rp_feature_chain *chain, uint32_t extensions, uint32_t version);

/* The features that are on in any chain of Vulkan's structs, ours or an application's. Structs that
 * are not known are passed over. */
uint64_t rp_features_read(const void *chain);
/* Switches features on in a chain, each in the first struct that has it; returns those that no
 * struct has. */
uint64_t rp_features_set(void *chain, uint64_t features);

/* Vulkan's name of one. */
const char *rp_feature_name(uint64_t feature);

/* The features behind a plan's needs, the base among them, and the needs that features serve. */
uint64_t rp_features_of(uint64_t needs);
uint64_t rp_features_needs(uint64_t features);

#endif
