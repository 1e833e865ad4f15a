/* What a physical device can do: properties, features, extensions and the queue family, read once.
 * Of an imported device all that is read here stays true but for features and extensions: those are
 * then what the application says that it enabled (rp_adapter_limit). */
#include "device/device.h"

#include <stdio.h>
#include "plan/format.h"

static const struct {
    VkSubgroupFeatureFlagBits operation;
    uint32_t need;
} subgroup_needs[] = {
    {VK_SUBGROUP_FEATURE_BASIC_BIT, RP_NEED_SUBGROUP_BASIC},
    {VK_SUBGROUP_FEATURE_VOTE_BIT, RP_NEED_SUBGROUP_VOTE},
    {VK_SUBGROUP_FEATURE_ARITHMETIC_BIT, RP_NEED_SUBGROUP_ARITHMETIC},
    {VK_SUBGROUP_FEATURE_BALLOT_BIT, RP_NEED_SUBGROUP_BALLOT},
    {VK_SUBGROUP_FEATURE_SHUFFLE_BIT, RP_NEED_SUBGROUP_SHUFFLE},
    {VK_SUBGROUP_FEATURE_SHUFFLE_RELATIVE_BIT, RP_NEED_SUBGROUP_SHUFFLE_RELATIVE},
    {VK_SUBGROUP_FEATURE_CLUSTERED_BIT, RP_NEED_SUBGROUP_CLUSTERED},
    {VK_SUBGROUP_FEATURE_QUAD_BIT, RP_NEED_SUBGROUP_QUAD},
};

/* Float controls are properties of a device, not features to be enabled. */
#define FLOAT_LIST(X)                                                                              \
    X(RP_NEED_EXACT16, shaderSignedZeroInfNanPreserveFloat16)                                      \
    X(RP_NEED_EXACT32, shaderSignedZeroInfNanPreserveFloat32)                                      \
    X(RP_NEED_EXACT64, shaderSignedZeroInfNanPreserveFloat64)                                      \
    X(RP_NEED_DENORM16, shaderDenormPreserveFloat16)                                               \
    X(RP_NEED_DENORM32, shaderDenormPreserveFloat32)                                               \
    X(RP_NEED_DENORM64, shaderDenormPreserveFloat64)                                               \
    X(RP_NEED_FLUSH16, shaderDenormFlushToZeroFloat16)                                             \
    X(RP_NEED_FLUSH32, shaderDenormFlushToZeroFloat32)                                             \
    X(RP_NEED_FLUSH64, shaderDenormFlushToZeroFloat64)                                             \
    X(RP_NEED_EVEN16, shaderRoundingModeRTEFloat16)                                                \
    X(RP_NEED_EVEN32, shaderRoundingModeRTEFloat32)                                                \
    X(RP_NEED_EVEN64, shaderRoundingModeRTEFloat64)                                                \
    X(RP_NEED_TOWARD_ZERO16, shaderRoundingModeRTZFloat16)                                         \
    X(RP_NEED_TOWARD_ZERO32, shaderRoundingModeRTZFloat32)                                         \
    X(RP_NEED_TOWARD_ZERO64, shaderRoundingModeRTZFloat64)

static rp_status read_extensions(const rp_instance *instance, const rp_allocator *a,
                                 rp_diags *diags, rp_adapter *adapter) {
    const rp_vk *vk = &instance->vk;
    uint32_t count = 0;
    RP_TRY(
        RP_VK(diags, vk->EnumerateDeviceExtensionProperties(adapter->handle, NULL, &count, NULL)));
    VkExtensionProperties *extensions = rp_alloc_zero(a, count, sizeof *extensions);
    if (!extensions) return RP_ERROR_NO_MEMORY;
    rp_status status = RP_VK(
        diags, vk->EnumerateDeviceExtensionProperties(adapter->handle, NULL, &count, extensions));
    for (uint32_t i = 0; status == RP_OK && i < count; i++)
        adapter->extensions |= rp_extension_find(extensions[i].extensionName);
    rp_release(a, extensions);
    adapter->extensions &= rp_extensions_known(instance->registry);
    adapter->extensions |= rp_extensions_core(adapter->version);
    return status;
}

static void read_features(const rp_vk *vk, rp_adapter *adapter) {
    rp_feature_chain chain;
    rp_feature_chain_link(&chain, adapter->extensions, adapter->version);
    vk->GetPhysicalDeviceFeatures2(adapter->handle, &chain.core);
    adapter->features = rp_features_read(&chain);
    adapter->mirror_clamp = chain.v12.samplerMirrorClampToEdge != 0;
}

/* "signed zero, inf and NaN 16 32 64; denormals 32; ...": what of FLOAT_LIST there is. */
static void describe_floats(rp_adapter *adapter) {
    static const struct {
        const char *name;
        uint64_t needs[3];
    } controls[] = {
        {"signed zero, inf and NaN", {RP_NEED_EXACT16, RP_NEED_EXACT32, RP_NEED_EXACT64}},
        {"denormals", {RP_NEED_DENORM16, RP_NEED_DENORM32, RP_NEED_DENORM64}},
        {"denormals flushed", {RP_NEED_FLUSH16, RP_NEED_FLUSH32, RP_NEED_FLUSH64}},
        {"rounding to even", {RP_NEED_EVEN16, RP_NEED_EVEN32, RP_NEED_EVEN64}},
        {"rounding toward zero",
         {RP_NEED_TOWARD_ZERO16, RP_NEED_TOWARD_ZERO32, RP_NEED_TOWARD_ZERO64}},
    };
    char *text = adapter->info.float_controls;
    size_t size = sizeof adapter->info.float_controls, at = 0;
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++)
        for (uint32_t w = 0, any = 0; w < 3; w++) {
            if (!(adapter->property_needs & controls[i].needs[w])) continue;
            if (!any++)
                at += (size_t)snprintf(text + at, size - at, "%s%s", at ? "; " : "",
                                       controls[i].name);
            at += (size_t)snprintf(text + at, size - at, " %u", 16u << w);
        }
}

/* Which sizes of subgroups there are. Where there is one alone, any kernel may rely on it. */
static void read_subgroup_sizes(const rp_vk *vk, rp_adapter *adapter, uint32_t size) {
    adapter->info.subgroup_least = adapter->info.subgroup_most = size;
    if (adapter->features & RP_FEATURE_SUBGROUP_SIZE) {
        VkPhysicalDeviceSubgroupSizeControlProperties sizes = {
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES};
        VkPhysicalDeviceProperties2 properties = {
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &sizes};
        vk->GetPhysicalDeviceProperties2(adapter->handle, &properties);
        adapter->info.subgroup_least = sizes.minSubgroupSize;
        adapter->info.subgroup_most = sizes.maxSubgroupSize;
        if (!(sizes.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT))
            adapter->features &= ~(uint64_t)RP_FEATURE_SUBGROUP_SIZE;
    }
    if (adapter->info.subgroup_least == adapter->info.subgroup_most)
        adapter->property_needs |= RP_NEED_SUBGROUP_SIZE;
}

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static void read_properties(const rp_vk *vk, rp_adapter *adapter) {
    VkPhysicalDeviceMaintenance4Properties maintenance4 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES,
        .maxBufferSize = UINT64_MAX};
    VkPhysicalDeviceDriverProperties driver = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES,
        .pNext = adapter->vulkan_1_3 ? &maintenance4 : NULL};
    VkPhysicalDeviceFloatControlsProperties floats = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FLOAT_CONTROLS_PROPERTIES, .pNext = &driver};
    VkPhysicalDeviceMaintenance3Properties maintenance3 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES,
        .pNext = adapter->version >= VK_API_VERSION_1_2 ? &floats : NULL,
        .maxMemoryAllocationSize = UINT64_MAX};
    VkPhysicalDeviceIDProperties id = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES,
                                       .pNext = &maintenance3};
    VkPhysicalDeviceSubgroupProperties subgroup = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES, .pNext = &id};
    VkPhysicalDeviceProperties2 properties = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &subgroup};
    vk->GetPhysicalDeviceProperties2(adapter->handle, &properties);
    adapter->driver = driver.driverID;
    memcpy(adapter->device_uuid, id.deviceUUID, VK_UUID_SIZE);
    memcpy(adapter->driver_uuid, id.driverUUID, VK_UUID_SIZE);
    adapter->max_buffer_size = maintenance4.maxBufferSize;
    adapter->max_allocation_size = maintenance3.maxMemoryAllocationSize;
    read_subgroup_sizes(vk, adapter, subgroup.subgroupSize);
    if (adapter->vulkan_1_3) adapter->property_needs |= RP_NEED_SPIRV_1_6;
    if (subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT)
        for (size_t i = 0; i < sizeof subgroup_needs / sizeof *subgroup_needs; i++)
            if (subgroup.supportedOperations & subgroup_needs[i].operation)
                adapter->property_needs |= subgroup_needs[i].need;
#define RP_X(need, member)                                                                         \
    if (floats.member) adapter->property_needs |= (need);
    FLOAT_LIST(RP_X)
#undef RP_X
    describe_floats(adapter);

    const VkPhysicalDeviceLimits *limits = &adapter->properties.limits;
    rp_device_info *info = &adapter->info;
    snprintf(info->name, sizeof info->name, "%s", adapter->properties.deviceName);
    snprintf(info->driver, sizeof info->driver, "%.120s%s%.120s", driver.driverName,
             *driver.driverInfo ? " " : "", driver.driverInfo);
    info->vulkan_version = adapter->properties.apiVersion;
    info->is_cpu = adapter->properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
    info->max_storage_range = limits->maxStorageBufferRange;
    memcpy(info->max_workgroup_size, limits->maxComputeWorkGroupSize,
           sizeof info->max_workgroup_size);
    info->max_workgroup_invocations = limits->maxComputeWorkGroupInvocations;
    info->max_shared_bytes = limits->maxComputeSharedMemorySize;
    info->max_push_bytes = limits->maxPushConstantsSize;
    memcpy(info->max_groups, limits->maxComputeWorkGroupCount, sizeof info->max_groups);
    info->subgroup_size = subgroup.subgroupSize;
    info->max_storage_buffers =
        least(limits->maxPerStageDescriptorStorageBuffers, limits->maxDescriptorSetStorageBuffers);
    info->max_uniform_buffers =
        least(limits->maxPerStageDescriptorUniformBuffers, limits->maxDescriptorSetUniformBuffers);
    info->max_resources = limits->maxPerStageResources;
    info->max_descriptor_sets = limits->maxBoundDescriptorSets;
}

/* Whether buffers may lie in the host's own memory, and where that may begin. */
static void read_host_memory(const rp_vk *vk, rp_adapter *adapter) {
    if (!(adapter->extensions & RP_EXTENSION_HOST_MEMORY) || adapter->version < VK_API_VERSION_1_2)
        return;
    VkPhysicalDeviceExternalMemoryHostPropertiesEXT host = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT};
    VkPhysicalDeviceProperties2 properties = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &host};
    vk->GetPhysicalDeviceProperties2(adapter->handle, &properties);
    const VkPhysicalDeviceExternalBufferInfo asked = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
        .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
        .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT};
    VkExternalBufferProperties able = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
    vk->GetPhysicalDeviceExternalBufferProperties(adapter->handle, &asked, &able);
    if (able.externalMemoryProperties.externalMemoryFeatures &
        VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT)
        adapter->host_alignment = host.minImportedHostPointerAlignment;
}

static void read_memory(const rp_vk *vk, rp_adapter *adapter) {
    vk->GetPhysicalDeviceMemoryProperties(adapter->handle, &adapter->memory);
    for (uint32_t i = 0; i < adapter->memory.memoryHeapCount; i++) {
        const VkMemoryHeap *heap = &adapter->memory.memoryHeaps[i];
        if ((heap->flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) &&
            heap->size > adapter->info.memory_bytes)
            adapter->info.memory_bytes = heap->size;
    }
}

enum { MAX_FAMILIES = 32 };

static uint32_t read_families(const rp_vk *vk, const rp_adapter *adapter,
                              VkQueueFamilyProperties families[MAX_FAMILIES]) {
    uint32_t count = MAX_FAMILIES;
    vk->GetPhysicalDeviceQueueFamilyProperties(adapter->handle, &count, families);
    return count;
}

bool rp_adapter_set_family(const rp_vk *vk, rp_adapter *adapter, uint32_t family) {
    VkQueueFamilyProperties families[MAX_FAMILIES];
    if (family >= read_families(vk, adapter, families) ||
        !(families[family].queueFlags & VK_QUEUE_COMPUTE_BIT))
        return false;
    adapter->queue_family = family;
    adapter->timestamp_bits = families[family].timestampValidBits;
    adapter->info.queue_family = family;
    adapter->info.timestamp_bits = adapter->timestamp_bits;
    adapter->info.queue_draws = (families[family].queueFlags & VK_QUEUE_GRAPHICS_BIT) != 0;
    return true;
}

bool rp_adapter_set_transfer_family(const rp_vk *vk, rp_adapter *adapter, uint32_t family) {
    /* A family that draws or computes copies too, whether it says so or not. */
    const VkQueueFlags copies =
        VK_QUEUE_TRANSFER_BIT | VK_QUEUE_COMPUTE_BIT | VK_QUEUE_GRAPHICS_BIT;
    VkQueueFamilyProperties families[MAX_FAMILIES];
    if (family >= read_families(vk, adapter, families) || !(families[family].queueFlags & copies))
        return false;
    adapter->transfer_family = family;
    return true;
}

/* What a family is wanted for, and what it had better not be for. */
typedef struct family_wish {
    VkQueueFlags with, without;
} family_wish;

/* The first family that fits the first wish that some family fits; RP_NO_FAMILY. */
static uint32_t find_family(const rp_vk *vk, const rp_adapter *adapter, const family_wish *wishes,
                            uint32_t wish_count) {
    VkQueueFamilyProperties families[MAX_FAMILIES];
    uint32_t count = read_families(vk, adapter, families);
    for (uint32_t w = 0; w < wish_count; w++)
        for (uint32_t i = 0; i < count; i++)
            if ((families[i].queueFlags & wishes[w].with) == wishes[w].with &&
                !(families[i].queueFlags & wishes[w].without))
                return i;
    return RP_NO_FAMILY;
}

/* Without a wish of the application's: the first all-purpose family, or else the first that
 * computes. A family for compute alone is made for work beside graphics, and some drivers run it at
 * a lower priority. */
static uint32_t find_compute(const rp_vk *vk, const rp_adapter *adapter, bool alone) {
    const VkQueueFlags graphics = VK_QUEUE_GRAPHICS_BIT, compute = VK_QUEUE_COMPUTE_BIT;
    const family_wish wishes[] = {{compute, graphics}, {compute | graphics, 0}, {compute, 0}};
    return alone ? find_family(vk, adapter, wishes, 2) : find_family(vk, adapter, wishes + 1, 2);
}

void rp_adapter_choose_families(const rp_vk *vk, rp_adapter *adapter, uint32_t queues) {
    rp_adapter_set_family(vk, adapter,
                          find_compute(vk, adapter, (queues & RP_QUEUES_COMPUTE_ONLY) != 0));
    if (!(queues & RP_QUEUES_TRANSFER)) return;
    /* Copies alone: the engines that move bytes while others compute. Engines for video copy too. */
    const VkQueueFlags work = VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT;
    const VkQueueFlags plain =
        VK_QUEUE_TRANSFER_BIT | VK_QUEUE_SPARSE_BINDING_BIT | VK_QUEUE_PROTECTED_BIT;
    const family_wish wishes[] = {{VK_QUEUE_TRANSFER_BIT, ~plain}, {VK_QUEUE_TRANSFER_BIT, work}};
    adapter->transfer_family = find_family(vk, adapter, wishes, 2);
}

static void add_missing(rp_device_info *info, const char *what) {
    size_t length = strlen(info->missing);
    snprintf(info->missing + length, sizeof info->missing - length, "%s%s", length ? ", " : "",
             what);
    info->suitable = 0;
}

/* Whether the runtime can use the device: what of its base is not there goes into info.missing. */
static void judge(rp_adapter *adapter) {
    static const struct {
        uint64_t feature;
        const char *text;
    } base[] = {
#define RP_X(symbol, bit, need, extension, name) {symbol, "the feature " name},
        RP_FEATURE_LIST(RP_X)
#undef RP_X
    };
    rp_device_info *info = &adapter->info;
    info->suitable = 1;
    *info->missing = '\0';
    if (adapter->version < VK_API_VERSION_1_2) {
        char text[64];
        bool device = adapter->properties.apiVersion < VK_API_VERSION_1_2;
        snprintf(text, sizeof text, "Vulkan 1.2 (%s %u.%u)",
                 device ? "it has" : "its instance was created for",
                 VK_API_VERSION_MAJOR(adapter->version), VK_API_VERSION_MINOR(adapter->version));
        add_missing(info, text);
    }
    uint64_t missing = RP_FEATURES_BASE & ~adapter->features;
    if (!(adapter->extensions & RP_EXTENSION_SYNC2)) {
        add_missing(info, VK_KHR_SYNCHRONIZATION_2_EXTENSION_NAME);
        missing &= ~(uint64_t)RP_FEATURE_SYNC2; /* goes without saying */
    }
    for (size_t i = 0; i < sizeof base / sizeof *base; i++)
        if (missing & base[i].feature) add_missing(info, base[i].text);
    if (!adapter->computes) add_missing(info, "a queue family that computes");
    if (!(adapter->features & RP_FEATURE_COOPERATIVE_MATRIX)) *info->matrix_products = '\0';
    adapter->needs = adapter->property_needs | rp_features_needs(adapter->features);
    info->needs = adapter->needs;
}

void rp_adapter_limit(rp_adapter *adapter, uint32_t extensions, uint64_t features) {
    adapter->extensions = extensions | rp_extensions_core(adapter->version);
    adapter->features = features;
    adapter->mirror_clamp = false; /* nobody says so */
    judge(adapter);
}

rp_status rp_adapter_read(const rp_instance *instance, const rp_allocator *a,
                          VkPhysicalDevice handle, rp_diags *diags, rp_adapter *out) {
    const rp_vk *vk = &instance->vk;
    memset(out, 0, sizeof *out);
    out->handle = handle;
    VkPhysicalDeviceProperties2 properties = {.sType =
                                                  VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
    vk->GetPhysicalDeviceProperties2(handle, &properties);
    out->properties = properties.properties;
    /* A device is used at no higher version than its instance was created for. */
    uint32_t version = out->properties.apiVersion;
    out->version = version < instance->version ? version : instance->version;
    out->vulkan_1_3 = out->version >= VK_API_VERSION_1_3;
    RP_TRY(read_extensions(instance, a, diags, out));
    read_features(vk, out);
    read_properties(vk, out);
    read_memory(vk, out);
    read_host_memory(vk, out);
    RP_TRY(rp_adapter_read_products(vk, a, diags, out));
    out->transfer_family = RP_NO_FAMILY;
    out->computes = rp_adapter_set_family(vk, out, find_compute(vk, out, false));
    judge(out);
    out->needs_able = out->needs;
    return RP_OK;
}
