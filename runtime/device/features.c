/* Features and extensions: one table of places says in which structs of Vulkan a feature may be
 * switched on, the collective ones and the single ones. With it any chain is read and written: the
 * one that a physical device fills in, the one that a device is created with here, and the one of
 * an application, whichever structs that is made of. */
#include "device/features.h"

#include <stdio.h>
#include "reprise/device.h"
#include "reprise/needs.h"

/* Feature, struct, the end of its sType, the member. */
#define PLACES(X)                                                                                  \
    X(SYNC2, VkPhysicalDeviceVulkan13Features, VULKAN_1_3_FEATURES, synchronization2)              \
    X(SYNC2, VkPhysicalDeviceSynchronization2Features, SYNCHRONIZATION_2_FEATURES,                 \
      synchronization2)                                                                            \
    X(TIMELINE, VkPhysicalDeviceVulkan12Features, VULKAN_1_2_FEATURES, timelineSemaphore)          \
    X(TIMELINE, VkPhysicalDeviceTimelineSemaphoreFeatures, TIMELINE_SEMAPHORE_FEATURES,            \
      timelineSemaphore)                                                                           \
    X(FLOAT16, VkPhysicalDeviceVulkan12Features, VULKAN_1_2_FEATURES, shaderFloat16)               \
    X(FLOAT16, VkPhysicalDeviceShaderFloat16Int8Features, SHADER_FLOAT16_INT8_FEATURES,            \
      shaderFloat16)                                                                               \
    X(INT8, VkPhysicalDeviceVulkan12Features, VULKAN_1_2_FEATURES, shaderInt8)                     \
    X(INT8, VkPhysicalDeviceShaderFloat16Int8Features, SHADER_FLOAT16_INT8_FEATURES, shaderInt8)   \
    X(INT16, VkPhysicalDeviceFeatures2, FEATURES_2, features.shaderInt16)                          \
    X(INT64, VkPhysicalDeviceFeatures2, FEATURES_2, features.shaderInt64)                          \
    X(FLOAT64, VkPhysicalDeviceFeatures2, FEATURES_2, features.shaderFloat64)                      \
    X(STORAGE16, VkPhysicalDeviceVulkan11Features, VULKAN_1_1_FEATURES, storageBuffer16BitAccess)  \
    X(STORAGE16, VkPhysicalDevice16BitStorageFeatures, 16BIT_STORAGE_FEATURES,                     \
      storageBuffer16BitAccess)                                                                    \
    X(STORAGE8, VkPhysicalDeviceVulkan12Features, VULKAN_1_2_FEATURES, storageBuffer8BitAccess)    \
    X(STORAGE8, VkPhysicalDevice8BitStorageFeatures, 8BIT_STORAGE_FEATURES,                        \
      storageBuffer8BitAccess)                                                                     \
    X(UNIFORM16, VkPhysicalDeviceVulkan11Features, VULKAN_1_1_FEATURES,                            \
      uniformAndStorageBuffer16BitAccess)                                                          \
    X(UNIFORM16, VkPhysicalDevice16BitStorageFeatures, 16BIT_STORAGE_FEATURES,                     \
      uniformAndStorageBuffer16BitAccess)                                                          \
    X(UNIFORM8, VkPhysicalDeviceVulkan12Features, VULKAN_1_2_FEATURES,                             \
      uniformAndStorageBuffer8BitAccess)                                                           \
    X(UNIFORM8, VkPhysicalDevice8BitStorageFeatures, 8BIT_STORAGE_FEATURES,                        \
      uniformAndStorageBuffer8BitAccess)                                                           \
    X(MEMORY_MODEL, VkPhysicalDeviceVulkan12Features, VULKAN_1_2_FEATURES, vulkanMemoryModel)      \
    X(MEMORY_MODEL, VkPhysicalDeviceVulkanMemoryModelFeatures, VULKAN_MEMORY_MODEL_FEATURES,       \
      vulkanMemoryModel)                                                                           \
    X(INT64_ATOMICS, VkPhysicalDeviceVulkan12Features, VULKAN_1_2_FEATURES,                        \
      shaderBufferInt64Atomics)                                                                    \
    X(INT64_ATOMICS, VkPhysicalDeviceShaderAtomicInt64Features, SHADER_ATOMIC_INT64_FEATURES,      \
      shaderBufferInt64Atomics)                                                                    \
    X(SCALAR_LAYOUT, VkPhysicalDeviceVulkan12Features, VULKAN_1_2_FEATURES, scalarBlockLayout)     \
    X(SCALAR_LAYOUT, VkPhysicalDeviceScalarBlockLayoutFeatures, SCALAR_BLOCK_LAYOUT_FEATURES,      \
      scalarBlockLayout)                                                                           \
    X(UNIFORM_STD430, VkPhysicalDeviceVulkan12Features, VULKAN_1_2_FEATURES,                       \
      uniformBufferStandardLayout)                                                                 \
    X(UNIFORM_STD430, VkPhysicalDeviceUniformBufferStandardLayoutFeatures,                         \
      UNIFORM_BUFFER_STANDARD_LAYOUT_FEATURES, uniformBufferStandardLayout)                        \
    X(DEVICE_ADDRESS, VkPhysicalDeviceVulkan12Features, VULKAN_1_2_FEATURES, bufferDeviceAddress)  \
    X(DEVICE_ADDRESS, VkPhysicalDeviceBufferDeviceAddressFeatures, BUFFER_DEVICE_ADDRESS_FEATURES, \
      bufferDeviceAddress)                                                                         \
    X(INT_DOT, VkPhysicalDeviceVulkan13Features, VULKAN_1_3_FEATURES, shaderIntegerDotProduct)     \
    X(INT_DOT, VkPhysicalDeviceShaderIntegerDotProductFeatures,                                    \
      SHADER_INTEGER_DOT_PRODUCT_FEATURES, shaderIntegerDotProduct)                                \
    X(SUBGROUP_TYPES, VkPhysicalDeviceVulkan12Features, VULKAN_1_2_FEATURES,                       \
      shaderSubgroupExtendedTypes)                                                                 \
    X(SUBGROUP_TYPES, VkPhysicalDeviceShaderSubgroupExtendedTypesFeatures,                         \
      SHADER_SUBGROUP_EXTENDED_TYPES_FEATURES, shaderSubgroupExtendedTypes)                        \
    X(DEVICE_FAULT, VkPhysicalDeviceFaultFeaturesEXT, FAULT_FEATURES_EXT, deviceFault)             \
    X(MEMORY_PRIORITY, VkPhysicalDeviceMemoryPriorityFeaturesEXT, MEMORY_PRIORITY_FEATURES_EXT,    \
      memoryPriority)                                                                              \
    X(COOPERATIVE_MATRIX, VkPhysicalDeviceCooperativeMatrixFeaturesKHR,                            \
      COOPERATIVE_MATRIX_FEATURES_KHR, cooperativeMatrix)                                          \
    X(SUBGROUP_SIZE, VkPhysicalDeviceVulkan13Features, VULKAN_1_3_FEATURES, subgroupSizeControl)   \
    X(SUBGROUP_SIZE, VkPhysicalDeviceSubgroupSizeControlFeatures, SUBGROUP_SIZE_CONTROL_FEATURES,  \
      subgroupSizeControl)                                                                         \
    X(SHARED_INT64_ATOMICS, VkPhysicalDeviceVulkan12Features, VULKAN_1_2_FEATURES,                 \
      shaderSharedInt64Atomics)                                                                    \
    X(SHARED_INT64_ATOMICS, VkPhysicalDeviceShaderAtomicInt64Features,                             \
      SHADER_ATOMIC_INT64_FEATURES, shaderSharedInt64Atomics)                                      \
    X(FLOAT32_ATOMICS, VkPhysicalDeviceShaderAtomicFloatFeaturesEXT,                               \
      SHADER_ATOMIC_FLOAT_FEATURES_EXT, shaderBufferFloat32Atomics)                                \
    X(FLOAT32_ADD, VkPhysicalDeviceShaderAtomicFloatFeaturesEXT, SHADER_ATOMIC_FLOAT_FEATURES_EXT, \
      shaderBufferFloat32AtomicAdd)                                                                \
    X(SHARED_FLOAT32_ATOMICS, VkPhysicalDeviceShaderAtomicFloatFeaturesEXT,                        \
      SHADER_ATOMIC_FLOAT_FEATURES_EXT, shaderSharedFloat32Atomics)                                \
    X(SHARED_FLOAT32_ADD, VkPhysicalDeviceShaderAtomicFloatFeaturesEXT,                            \
      SHADER_ATOMIC_FLOAT_FEATURES_EXT, shaderSharedFloat32AtomicAdd)                              \
    X(FLOAT64_ATOMICS, VkPhysicalDeviceShaderAtomicFloatFeaturesEXT,                               \
      SHADER_ATOMIC_FLOAT_FEATURES_EXT, shaderBufferFloat64Atomics)                                \
    X(FLOAT64_ADD, VkPhysicalDeviceShaderAtomicFloatFeaturesEXT, SHADER_ATOMIC_FLOAT_FEATURES_EXT, \
      shaderBufferFloat64AtomicAdd)                                                                \
    X(SHARED_FLOAT64_ATOMICS, VkPhysicalDeviceShaderAtomicFloatFeaturesEXT,                        \
      SHADER_ATOMIC_FLOAT_FEATURES_EXT, shaderSharedFloat64Atomics)                                \
    X(SHARED_FLOAT64_ADD, VkPhysicalDeviceShaderAtomicFloatFeaturesEXT,                            \
      SHADER_ATOMIC_FLOAT_FEATURES_EXT, shaderSharedFloat64AtomicAdd)                              \
    X(FLOAT16_ATOMICS, VkPhysicalDeviceShaderAtomicFloat2FeaturesEXT,                              \
      SHADER_ATOMIC_FLOAT_2_FEATURES_EXT, shaderBufferFloat16Atomics)                              \
    X(FLOAT16_MIN_MAX, VkPhysicalDeviceShaderAtomicFloat2FeaturesEXT,                              \
      SHADER_ATOMIC_FLOAT_2_FEATURES_EXT, shaderBufferFloat16AtomicMinMax)                         \
    X(SHARED_FLOAT16_ATOMICS, VkPhysicalDeviceShaderAtomicFloat2FeaturesEXT,                       \
      SHADER_ATOMIC_FLOAT_2_FEATURES_EXT, shaderSharedFloat16Atomics)                              \
    X(SHARED_FLOAT16_MIN_MAX, VkPhysicalDeviceShaderAtomicFloat2FeaturesEXT,                       \
      SHADER_ATOMIC_FLOAT_2_FEATURES_EXT, shaderSharedFloat16AtomicMinMax)                         \
    X(FLOAT16_ADD, VkPhysicalDeviceShaderAtomicFloat2FeaturesEXT,                                  \
      SHADER_ATOMIC_FLOAT_2_FEATURES_EXT, shaderBufferFloat16AtomicAdd)                            \
    X(SHARED_FLOAT16_ADD, VkPhysicalDeviceShaderAtomicFloat2FeaturesEXT,                           \
      SHADER_ATOMIC_FLOAT_2_FEATURES_EXT, shaderSharedFloat16AtomicAdd)                            \
    X(FLOAT32_MIN_MAX, VkPhysicalDeviceShaderAtomicFloat2FeaturesEXT,                              \
      SHADER_ATOMIC_FLOAT_2_FEATURES_EXT, shaderBufferFloat32AtomicMinMax)                         \
    X(SHARED_FLOAT32_MIN_MAX, VkPhysicalDeviceShaderAtomicFloat2FeaturesEXT,                       \
      SHADER_ATOMIC_FLOAT_2_FEATURES_EXT, shaderSharedFloat32AtomicMinMax)                         \
    X(FLOAT64_MIN_MAX, VkPhysicalDeviceShaderAtomicFloat2FeaturesEXT,                              \
      SHADER_ATOMIC_FLOAT_2_FEATURES_EXT, shaderBufferFloat64AtomicMinMax)                         \
    X(SHARED_FLOAT64_MIN_MAX, VkPhysicalDeviceShaderAtomicFloat2FeaturesEXT,                       \
      SHADER_ATOMIC_FLOAT_2_FEATURES_EXT, shaderSharedFloat64AtomicMinMax)                         \
    X(SUBGROUP_ROTATE, VkPhysicalDeviceShaderSubgroupRotateFeaturesKHR,                            \
      SHADER_SUBGROUP_ROTATE_FEATURES_KHR, shaderSubgroupRotate)                                   \
    X(CLUSTER_ROTATE, VkPhysicalDeviceShaderSubgroupRotateFeaturesKHR,                             \
      SHADER_SUBGROUP_ROTATE_FEATURES_KHR, shaderSubgroupRotateClustered)                          \
    X(SUBGROUP_CLOCK, VkPhysicalDeviceShaderClockFeaturesKHR, SHADER_CLOCK_FEATURES_KHR,           \
      shaderSubgroupClock)                                                                         \
    X(DEVICE_CLOCK, VkPhysicalDeviceShaderClockFeaturesKHR, SHADER_CLOCK_FEATURES_KHR,             \
      shaderDeviceClock)                                                                           \
    X(PUSH16, VkPhysicalDeviceVulkan11Features, VULKAN_1_1_FEATURES, storagePushConstant16)        \
    X(PUSH16, VkPhysicalDevice16BitStorageFeatures, 16BIT_STORAGE_FEATURES, storagePushConstant16) \
    X(PUSH8, VkPhysicalDeviceVulkan12Features, VULKAN_1_2_FEATURES, storagePushConstant8)          \
    X(PUSH8, VkPhysicalDevice8BitStorageFeatures, 8BIT_STORAGE_FEATURES, storagePushConstant8)     \
    X(VARIABLE_POINTERS, VkPhysicalDeviceVulkan11Features, VULKAN_1_1_FEATURES, variablePointers)  \
    X(VARIABLE_POINTERS, VkPhysicalDeviceVariablePointersFeatures, VARIABLE_POINTERS_FEATURES,     \
      variablePointers)                                                                            \
    X(BUFFER_POINTERS, VkPhysicalDeviceVulkan11Features, VULKAN_1_1_FEATURES,                      \
      variablePointersStorageBuffer)                                                               \
    X(BUFFER_POINTERS, VkPhysicalDeviceVariablePointersFeatures, VARIABLE_POINTERS_FEATURES,       \
      variablePointersStorageBuffer)                                                               \
    X(DEVICE_SCOPE, VkPhysicalDeviceVulkan12Features, VULKAN_1_2_FEATURES,                         \
      vulkanMemoryModelDeviceScope)                                                                \
    X(DEVICE_SCOPE, VkPhysicalDeviceVulkanMemoryModelFeatures, VULKAN_MEMORY_MODEL_FEATURES,       \
      vulkanMemoryModelDeviceScope)                                                                \
    X(IMAGE_READ_UNFORMATTED, VkPhysicalDeviceFeatures2, FEATURES_2,                               \
      features.shaderStorageImageReadWithoutFormat)                                                \
    X(IMAGE_WRITE_UNFORMATTED, VkPhysicalDeviceFeatures2, FEATURES_2,                              \
      features.shaderStorageImageWriteWithoutFormat)                                               \
    X(IMAGE_FORMATS, VkPhysicalDeviceFeatures2, FEATURES_2,                                        \
      features.shaderStorageImageExtendedFormats)                                                  \
    X(CUBE_ARRAYS, VkPhysicalDeviceFeatures2, FEATURES_2, features.imageCubeArray)                 \
    X(GATHER, VkPhysicalDeviceFeatures2, FEATURES_2, features.shaderImageGatherExtended)           \
    X(SAMPLED_INDEXING, VkPhysicalDeviceFeatures2, FEATURES_2,                                     \
      features.shaderSampledImageArrayDynamicIndexing)                                             \
    X(IMAGE_INDEXING, VkPhysicalDeviceFeatures2, FEATURES_2,                                       \
      features.shaderStorageImageArrayDynamicIndexing)                                             \
    X(BUFFER_INDEXING, VkPhysicalDeviceFeatures2, FEATURES_2,                                      \
      features.shaderStorageBufferArrayDynamicIndexing)                                            \
    X(UNIFORM_INDEXING, VkPhysicalDeviceFeatures2, FEATURES_2,                                     \
      features.shaderUniformBufferArrayDynamicIndexing)                                            \
    X(ANISOTROPY, VkPhysicalDeviceFeatures2, FEATURES_2, features.samplerAnisotropy)               \
    X(SAMPLED_NON_UNIFORM, VkPhysicalDeviceVulkan12Features, VULKAN_1_2_FEATURES,                  \
      shaderSampledImageArrayNonUniformIndexing)                                                   \
    X(SAMPLED_NON_UNIFORM, VkPhysicalDeviceDescriptorIndexingFeatures,                             \
      DESCRIPTOR_INDEXING_FEATURES, shaderSampledImageArrayNonUniformIndexing)                     \
    X(IMAGE_NON_UNIFORM, VkPhysicalDeviceVulkan12Features, VULKAN_1_2_FEATURES,                    \
      shaderStorageImageArrayNonUniformIndexing)                                                   \
    X(IMAGE_NON_UNIFORM, VkPhysicalDeviceDescriptorIndexingFeatures, DESCRIPTOR_INDEXING_FEATURES, \
      shaderStorageImageArrayNonUniformIndexing)                                                   \
    X(BUFFER_NON_UNIFORM, VkPhysicalDeviceVulkan12Features, VULKAN_1_2_FEATURES,                   \
      shaderStorageBufferArrayNonUniformIndexing)                                                  \
    X(BUFFER_NON_UNIFORM, VkPhysicalDeviceDescriptorIndexingFeatures,                              \
      DESCRIPTOR_INDEXING_FEATURES, shaderStorageBufferArrayNonUniformIndexing)                    \
    X(PARTIALLY_BOUND, VkPhysicalDeviceVulkan12Features, VULKAN_1_2_FEATURES,                      \
      descriptorBindingPartiallyBound)                                                             \
    X(PARTIALLY_BOUND, VkPhysicalDeviceDescriptorIndexingFeatures, DESCRIPTOR_INDEXING_FEATURES,   \
      descriptorBindingPartiallyBound)

static const struct {
    uint64_t feature;
    VkStructureType stype;
    size_t offset; /* of the VkBool32 */
    const char *type;
} places[] = {
#define RP_X(feature, type, stype, member)                                                         \
    {RP_FEATURE_##feature, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_##stype, offsetof(type, member),      \
     #type},
    PLACES(RP_X)
#undef RP_X
};
enum { PLACE_COUNT = sizeof places / sizeof *places };

static const struct {
    uint64_t feature, need;
    uint32_t extension;
    const char *name;
} features[] = {
#define RP_X(symbol, bit, need, extension, name) {symbol, need, extension, name},
    RP_FEATURE_LIST(RP_X)
#undef RP_X
};
enum { FEATURE_COUNT = sizeof features / sizeof *features };

static const struct {
    uint32_t extension, core, since;
    const char *name;
} extensions[RP_EXTENSION_COUNT] = {
#define RP_X(symbol, bit, name, core, since) {symbol, core, since, name},
    RP_EXTENSION_LIST(RP_X)
#undef RP_X
};

/* ---- Extensions ------------------------------------------------------------------------------ */

uint32_t rp_extension_find(const char *name) {
    for (size_t i = 0; i < RP_EXTENSION_COUNT; i++)
        if (strcmp(extensions[i].name, name) == 0) return extensions[i].extension;
    return 0;
}

uint32_t rp_extensions_core(uint32_t version) {
    uint32_t found = 0;
    for (size_t i = 0; i < RP_EXTENSION_COUNT; i++)
        if (version >= extensions[i].core) found |= extensions[i].extension;
    return found;
}

uint32_t rp_extensions_known(uint32_t registry) {
    uint32_t known = 0;
    for (size_t i = 0; i < RP_EXTENSION_COUNT; i++)
        if (registry >= extensions[i].since) known |= extensions[i].extension;
    return known;
}

uint32_t rp_extension_names(uint32_t wanted, uint32_t version,
                            const char *names[RP_EXTENSION_COUNT]) {
    uint32_t count = 0;
    wanted &= ~rp_extensions_core(version);
    for (size_t i = 0; i < RP_EXTENSION_COUNT; i++)
        if (wanted & extensions[i].extension) names[count++] = extensions[i].name;
    return count;
}

/* ---- Features -------------------------------------------------------------------------------- */

void rp_feature_chain_link(rp_feature_chain *chain, uint32_t known, uint32_t version) {
    memset(chain, 0, sizeof *chain);
    void **tail = NULL;
#define RP_X(member, type, stype, extension)                                                       \
    chain->member.sType = stype;                                                                   \
    if (!tail || (version >= VK_API_VERSION_1_2 && (known & (extension)) == (extension))) {        \
        if (tail) *tail = &chain->member;                                                          \
        tail = &chain->member.pNext;                                                               \
    }
    RP_FEATURE_STRUCTS(RP_X)
#undef RP_X
}

uint64_t rp_features_read(const void *chain) {
    uint64_t found = 0;
    for (const VkBaseInStructure *s = chain; s; s = s->pNext)
        for (size_t i = 0; i < PLACE_COUNT; i++) {
            if (s->sType != places[i].stype) continue;
            VkBool32 on;
            memcpy(&on, (const char *)s + places[i].offset, sizeof on);
            if (on) found |= places[i].feature;
        }
    return found;
}

uint64_t rp_features_set(void *chain, uint64_t wanted) {
    const VkBool32 on = VK_TRUE;
    for (VkBaseOutStructure *s = chain; s; s = s->pNext)
        for (size_t i = 0; i < PLACE_COUNT; i++)
            if (s->sType == places[i].stype && (wanted & places[i].feature)) {
                memcpy((char *)s + places[i].offset, &on, sizeof on);
                wanted &= ~places[i].feature;
            }
    return wanted;
}

const char *rp_feature_name(uint64_t feature) {
    size_t i = 0;
    while (i + 1 < FEATURE_COUNT && features[i].feature != feature) i++;
    return features[i].name;
}

uint64_t rp_features_of(uint64_t needs) {
    uint64_t found = RP_FEATURES_BASE;
    for (size_t i = 0; i < FEATURE_COUNT; i++)
        if (needs & features[i].need) found |= features[i].feature;
    return found;
}

uint64_t rp_features_needs(uint64_t on) {
    uint64_t needs = 0, missing = 0;
    for (size_t i = 0; i < FEATURE_COUNT; i++) {
        if (on & features[i].feature)
            needs |= features[i].need;
        else
            missing |= features[i].need;
    }
    return needs & ~missing;
}

/* ---- For applications ------------------------------------------------------------------------ */

static bool has_place(const void *chain, uint64_t feature) {
    for (const VkBaseInStructure *s = chain; s; s = s->pNext)
        for (size_t i = 0; i < PLACE_COUNT; i++)
            if (s->sType == places[i].stype && (places[i].feature & feature)) return true;
    return false;
}

/* The version of Vulkan that brought a struct: the collective one of 1.3, where it is not one that
 * Vulkan 1.2 and its extensions have. */
static uint32_t struct_version(VkStructureType stype) {
    return stype == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES ? VK_API_VERSION_1_3
                                                                          : VK_API_VERSION_1_2;
}

static bool check_api_version(uint32_t version, rp_diags *diags) {
    if (version >= VK_API_VERSION_1_2) return true;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "the runtime needs Vulkan 1.2, and the version in use is said to be %u.%u",
                 VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version));
    return false;
}

/* A device is not to be created with a struct that its version does not know. */
static bool check_structs(const void *chain, uint32_t version, rp_diags *diags) {
    bool known = true;
    for (const VkBaseInStructure *s = chain; s; s = s->pNext) {
        if (struct_version(s->sType) <= version) continue;
        size_t i = 0;
        while (places[i].stype != s->sType) i++;
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s is in the chain, which Vulkan %u.%u does not know: put the structs of its "
                     "single features there",
                     places[i].type, VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version));
        known = false;
    }
    return known;
}

/* "shaderInt8 ...: add VkPhysicalDeviceVulkan12Features or ...". */
static void say_no_place(size_t feature, uint32_t version, rp_diags *diags) {
    char structs[256] = "";
    for (size_t i = 0, at = 0; i < PLACE_COUNT; i++)
        if (places[i].feature == features[feature].feature &&
            struct_version(places[i].stype) <= version && at < sizeof structs)
            at += (size_t)snprintf(structs + at, sizeof structs - at, "%s%s", at ? " or " : "",
                                   places[i].type);
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "the chain has no struct to switch %s on in: add %s",
                 features[feature].name, structs);
}

static uint64_t known_needs(void) {
    uint64_t known = 0;
#define RP_X(symbol, bit, name) known |= symbol;
    RP_PLAN_NEED_LIST(RP_X)
#undef RP_X
    return known;
}

static rp_status check_needs(uint64_t needs, rp_diags *diags) {
    uint64_t unknown = needs & ~known_needs();
    if (!unknown) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%#llx are no needs of plans",
                 (unsigned long long)unknown);
    return RP_ERROR_USAGE;
}

rp_status rp_needs_enable(uint64_t needs, uint32_t api_version, void *chain, rp_diags *diags) {
    if (!chain) return RP_ERROR_USAGE;
    uint32_t version = api_version ? api_version : VK_API_VERSION_1_2;
    RP_TRY(check_needs(needs, diags));
    if (!check_api_version(version, diags)) return RP_ERROR_USAGE;
    uint64_t wanted = rp_features_of(needs);
    bool complete = check_structs(chain, version, diags);
    for (size_t i = 0; i < FEATURE_COUNT; i++)
        if ((wanted & features[i].feature) && !has_place(chain, features[i].feature)) {
            say_no_place(i, version, diags);
            complete = false;
        }
    if (!complete) return RP_ERROR_USAGE;
    rp_features_set(chain, wanted);
    return RP_OK;
}

rp_status rp_needs_extensions(uint64_t needs, uint32_t api_version, const char **names,
                              uint32_t capacity, uint32_t *out_count) {
    if (!out_count) return RP_ERROR_USAGE;
    *out_count = 0;
    if (!names && capacity) return RP_ERROR_USAGE;
    RP_TRY(check_needs(needs, NULL));
    uint32_t version = api_version ? api_version : VK_API_VERSION_1_2;
    if (!check_api_version(version, NULL)) return RP_ERROR_USAGE;
    uint64_t on = rp_features_of(needs);
    uint32_t wanted = 0;
    for (size_t i = 0; i < FEATURE_COUNT; i++)
        if (on & features[i].feature) wanted |= features[i].extension;
    const char *found[RP_EXTENSION_COUNT];
    uint32_t count = rp_extension_names(wanted, version, found);
    for (uint32_t i = 0; i < count && i < capacity; i++) names[i] = found[i];
    *out_count = count;
    return RP_OK;
}
