/* The chain of features that an application is helped to fill in: each need of a plan, in the structs
 * of Vulkan that know it. */
#include "application.h"

/* Where each need is switched on: in the collective struct, and in one of its own. */
#define NEED_PLACES(X)                                                                             \
    X(RP_NEED_FLOAT16, v12.shaderFloat16, VkPhysicalDeviceShaderFloat16Int8Features,               \
      SHADER_FLOAT16_INT8, shaderFloat16)                                                          \
    X(RP_NEED_INT8, v12.shaderInt8, VkPhysicalDeviceShaderFloat16Int8Features,                     \
      SHADER_FLOAT16_INT8, shaderInt8)                                                             \
    X(RP_NEED_STORAGE16, v11.storageBuffer16BitAccess, VkPhysicalDevice16BitStorageFeatures,       \
      16BIT_STORAGE, storageBuffer16BitAccess)                                                     \
    X(RP_NEED_UNIFORM16, v11.uniformAndStorageBuffer16BitAccess,                                   \
      VkPhysicalDevice16BitStorageFeatures, 16BIT_STORAGE, uniformAndStorageBuffer16BitAccess)     \
    X(RP_NEED_STORAGE8, v12.storageBuffer8BitAccess, VkPhysicalDevice8BitStorageFeatures,          \
      8BIT_STORAGE, storageBuffer8BitAccess)                                                       \
    X(RP_NEED_UNIFORM8, v12.uniformAndStorageBuffer8BitAccess,                                     \
      VkPhysicalDevice8BitStorageFeatures, 8BIT_STORAGE, uniformAndStorageBuffer8BitAccess)        \
    X(RP_NEED_MEMORY_MODEL, v12.vulkanMemoryModel, VkPhysicalDeviceVulkanMemoryModelFeatures,      \
      VULKAN_MEMORY_MODEL, vulkanMemoryModel)                                                      \
    X(RP_NEED_SUBGROUP_SIZE, v13.subgroupSizeControl, VkPhysicalDeviceSubgroupSizeControlFeatures, \
      SUBGROUP_SIZE_CONTROL, subgroupSizeControl)                                                  \
    X(RP_NEED_SUBGROUP_TYPES, v12.shaderSubgroupExtendedTypes,                                     \
      VkPhysicalDeviceShaderSubgroupExtendedTypesFeatures, SHADER_SUBGROUP_EXTENDED_TYPES,         \
      shaderSubgroupExtendedTypes)                                                                 \
    X(RP_NEED_INT64_ATOMICS, v12.shaderBufferInt64Atomics,                                         \
      VkPhysicalDeviceShaderAtomicInt64Features, SHADER_ATOMIC_INT64, shaderBufferInt64Atomics)    \
    X(RP_NEED_SCALAR_LAYOUT, v12.scalarBlockLayout, VkPhysicalDeviceScalarBlockLayoutFeatures,     \
      SCALAR_BLOCK_LAYOUT, scalarBlockLayout)                                                      \
    X(RP_NEED_UNIFORM_STD430, v12.uniformBufferStandardLayout,                                     \
      VkPhysicalDeviceUniformBufferStandardLayoutFeatures, UNIFORM_BUFFER_STANDARD_LAYOUT,         \
      uniformBufferStandardLayout)                                                                 \
    X(RP_NEED_DEVICE_ADDRESS, v12.bufferDeviceAddress,                                             \
      VkPhysicalDeviceBufferDeviceAddressFeatures, BUFFER_DEVICE_ADDRESS, bufferDeviceAddress)     \
    X(RP_NEED_INT_DOT, v13.shaderIntegerDotProduct,                                                \
      VkPhysicalDeviceShaderIntegerDotProductFeatures, SHADER_INTEGER_DOT_PRODUCT,                 \
      shaderIntegerDotProduct)                                                                     \
    X(RP_NEED_SHARED_INT64_ATOMICS, v12.shaderSharedInt64Atomics,                                  \
      VkPhysicalDeviceShaderAtomicInt64Features, SHADER_ATOMIC_INT64, shaderSharedInt64Atomics)    \
    X(RP_NEED_PUSH16, v11.storagePushConstant16, VkPhysicalDevice16BitStorageFeatures,             \
      16BIT_STORAGE, storagePushConstant16)                                                        \
    X(RP_NEED_PUSH8, v12.storagePushConstant8, VkPhysicalDevice8BitStorageFeatures, 8BIT_STORAGE,  \
      storagePushConstant8)                                                                        \
    X(RP_NEED_DEVICE_SCOPE, v12.vulkanMemoryModelDeviceScope,                                      \
      VkPhysicalDeviceVulkanMemoryModelFeatures, VULKAN_MEMORY_MODEL,                              \
      vulkanMemoryModelDeviceScope)

/* Needs of a struct that stands for no version: the members behind each. */
#define OWN_PLACES(X)                                                                              \
    X(RP_NEED_FLOAT32_ATOMICS, atomics.shaderBufferFloat32Atomics)                                 \
    X(RP_NEED_FLOAT32_ADD, atomics.shaderBufferFloat32AtomicAdd)                                   \
    X(RP_NEED_SHARED_FLOAT32_ATOMICS, atomics.shaderSharedFloat32Atomics)                          \
    X(RP_NEED_SHARED_FLOAT32_ADD, atomics.shaderSharedFloat32AtomicAdd)                            \
    X(RP_NEED_FLOAT64_ATOMICS, atomics.shaderBufferFloat64Atomics)                                 \
    X(RP_NEED_FLOAT64_ATOMICS, atomics.shaderBufferFloat64AtomicAdd)                               \
    X(RP_NEED_SHARED_FLOAT64_ATOMICS, atomics.shaderSharedFloat64Atomics)                          \
    X(RP_NEED_SHARED_FLOAT64_ATOMICS, atomics.shaderSharedFloat64AtomicAdd)                        \
    X(RP_NEED_FLOAT16_ATOMICS, atomics2.shaderBufferFloat16Atomics)                                \
    X(RP_NEED_FLOAT16_ATOMICS, atomics2.shaderBufferFloat16AtomicMinMax)                           \
    X(RP_NEED_FLOAT16_ATOMICS, atomics2.shaderSharedFloat16Atomics)                                \
    X(RP_NEED_FLOAT16_ATOMICS, atomics2.shaderSharedFloat16AtomicMinMax)                           \
    X(RP_NEED_FLOAT16_ADD, atomics2.shaderBufferFloat16AtomicAdd)                                  \
    X(RP_NEED_FLOAT16_ADD, atomics2.shaderSharedFloat16AtomicAdd)                                  \
    X(RP_NEED_FLOAT32_MIN_MAX, atomics2.shaderBufferFloat32AtomicMinMax)                           \
    X(RP_NEED_FLOAT32_MIN_MAX, atomics2.shaderSharedFloat32AtomicMinMax)                           \
    X(RP_NEED_FLOAT64_MIN_MAX, atomics2.shaderBufferFloat64AtomicMinMax)                           \
    X(RP_NEED_FLOAT64_MIN_MAX, atomics2.shaderSharedFloat64AtomicMinMax)                           \
    X(RP_NEED_SUBGROUP_ROTATE, rotate.shaderSubgroupRotate)                                        \
    X(RP_NEED_SUBGROUP_ROTATE, rotate.shaderSubgroupRotateClustered)                               \
    X(RP_NEED_SUBGROUP_CLOCK, clock.shaderSubgroupClock)                                           \
    X(RP_NEED_DEVICE_CLOCK, clock.shaderDeviceClock)                                               \
    X(RP_NEED_VARIABLE_POINTERS, pointers.variablePointers)                                        \
    X(RP_NEED_VARIABLE_POINTERS, pointers.variablePointersStorageBuffer)                           \
    X(RP_NEED_IMAGE_READ_UNFORMATTED, core.features.shaderStorageImageReadWithoutFormat)           \
    X(RP_NEED_IMAGE_WRITE_UNFORMATTED, core.features.shaderStorageImageWriteWithoutFormat)         \
    X(RP_NEED_IMAGE_FORMATS, core.features.shaderStorageImageExtendedFormats)

/* Each of them is served by all its members and by nothing less, and switches on them alone. */
static void test_own_structs(void) {
    uint64_t own = 0;
#define RP_X(need, place) own |= need;
    OWN_PLACES(RP_X)
#undef RP_X
    for (uint64_t left = own; left; left &= left - 1) {
        uint64_t one = left & (0 - left), wanted = 0;
        struct {
            VkPhysicalDeviceFeatures2 core;
            VkPhysicalDeviceTimelineSemaphoreFeatures timeline;
            VkPhysicalDeviceSynchronization2Features sync2;
            VkPhysicalDeviceShaderAtomicFloatFeaturesEXT atomics;
            VkPhysicalDeviceShaderAtomicFloat2FeaturesEXT atomics2;
            VkPhysicalDeviceShaderClockFeaturesKHR clock;
            VkPhysicalDeviceShaderSubgroupRotateFeaturesKHR rotate;
            VkPhysicalDeviceVariablePointersFeatures pointers;
        } f = {
            .core = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &f.timeline, {0}},
            .timeline = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
                         .pNext = &f.sync2},
            .sync2 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES,
                      .pNext = &f.atomics},
            .atomics = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_ATOMIC_FLOAT_FEATURES_EXT,
                        .pNext = &f.atomics2},
            .atomics2 = {.sType =
                             VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_ATOMIC_FLOAT_2_FEATURES_EXT,
                         .pNext = &f.clock},
            .clock = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CLOCK_FEATURES_KHR,
                      .pNext = &f.rotate},
            .rotate = {.sType =
                           VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SUBGROUP_ROTATE_FEATURES_KHR,
                       .pNext = &f.pointers},
            .pointers = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VARIABLE_POINTERS_FEATURES},
        };
        CU_ASSERT_EQUAL(rp_needs_enable(one, VK_API_VERSION_1_2, &f.core, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_features_needs(rp_features_read(&f.core)), one);
#define RP_X(need, place)                                                                          \
    CU_ASSERT_EQUAL(f.place, (need & one) != 0);                                                   \
    if (need & one) {                                                                              \
        f.place = VK_FALSE;                                                                        \
        CU_ASSERT_EQUAL(rp_features_needs(rp_features_read(&f.core)), 0);                          \
        f.place = VK_TRUE;                                                                         \
        wanted++;                                                                                  \
    }
        OWN_PLACES(RP_X)
#undef RP_X
        CU_ASSERT_TRUE(wanted > 0);
    }
    const char *names[16];
    uint32_t count = 0;
    CU_ASSERT_EQUAL(rp_needs_extensions(own, VK_API_VERSION_1_3, names, 16, &count), RP_OK);
    CU_ASSERT_EQUAL(count, 4);
}

/* That of cooperative matrices has a struct of its own alone, and no collective one. */
static void test_matrices(void) {
    begin();
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(
        rp_needs_enable(RP_NEED_COOPERATIVE_MATRIX, VK_API_VERSION_1_3, &app.core, diags),
        RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "cooperativeMatrix on in: add "
                                       "VkPhysicalDeviceCooperativeMatrixFeaturesKHR"));
    VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrices = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR};
    app.v13.pNext = &matrices;
    CU_ASSERT_EQUAL(
        rp_needs_enable(RP_NEED_COOPERATIVE_MATRIX, VK_API_VERSION_1_3, &app.core, diags), RP_OK);
    CU_ASSERT_TRUE(matrices.cooperativeMatrix);
    CU_ASSERT_FALSE(matrices.cooperativeMatrixRobustBufferAccess);
    CU_ASSERT_EQUAL(rp_features_needs(rp_features_read(&app.core)), RP_NEED_COOPERATIVE_MATRIX);
    const char *names[9];
    uint32_t count = 0;
    CU_ASSERT_EQUAL(
        rp_needs_extensions(RP_NEED_COOPERATIVE_MATRIX, VK_API_VERSION_1_3, names, 9, &count),
        RP_OK);
    CU_ASSERT_EQUAL_FATAL(count, 1);
    CU_ASSERT_STRING_EQUAL(names[0], "VK_KHR_cooperative_matrix");
    rp_diags_destroy(diags);
}

/* One need alone switches on its own member and nothing else. */
static void test_each_need(void) {
    uint64_t seen = 0;
    application off, on;
#define RP_X(need, place, ...)                                                                     \
    begin();                                                                                       \
    off = app;                                                                                     \
    CU_ASSERT_EQUAL(off.place, VK_FALSE);                                                          \
    CU_ASSERT_EQUAL(rp_needs_enable(need, VK_API_VERSION_1_3, &app.core, NULL), RP_OK);            \
    CU_ASSERT_EQUAL(app.place, VK_TRUE);                                                           \
    on = app;                                                                                      \
    on.place = VK_FALSE;                                                                           \
    CU_ASSERT_EQUAL(memcmp(&on, &off, sizeof on), 0);                                              \
    seen |= need;
    NEED_PLACES(RP_X)
    RP_X(RP_NEED_INT16, core.features.shaderInt16)
    RP_X(RP_NEED_INT64, core.features.shaderInt64)
    RP_X(RP_NEED_FLOAT64, core.features.shaderFloat64)
#undef RP_X
    /* One that stands for several. */
    begin();
    off = app;
    seen |= RP_NEED_IMAGE_EXTRAS;
    CU_ASSERT_EQUAL(rp_needs_enable(RP_NEED_IMAGE_EXTRAS, VK_API_VERSION_1_3, &app.core, NULL),
                    RP_OK);
    on = app;
#define RP_X(place)                                                                                \
    CU_ASSERT_EQUAL(on.place, VK_TRUE);                                                            \
    on.place = VK_FALSE;
    RP_X(core.features.imageCubeArray)
    RP_X(core.features.shaderImageGatherExtended)
    RP_X(core.features.shaderSampledImageArrayDynamicIndexing)
    RP_X(core.features.shaderStorageImageArrayDynamicIndexing)
    RP_X(core.features.shaderStorageBufferArrayDynamicIndexing)
    RP_X(core.features.shaderUniformBufferArrayDynamicIndexing)
    RP_X(v12.shaderSampledImageArrayNonUniformIndexing)
    RP_X(v12.shaderStorageImageArrayNonUniformIndexing)
    RP_X(v12.shaderStorageBufferArrayNonUniformIndexing)
#undef RP_X
    CU_ASSERT_EQUAL(memcmp(&on, &off, sizeof on), 0);
    /* The others are properties: nothing is switched on for them. */
    uint64_t all = 0;
#define RP_X(symbol, bit, name) all |= symbol;
    RP_PLAN_NEED_LIST(RP_X)
#undef RP_X
    begin();
    off = app;
    seen |= RP_NEED_COOPERATIVE_MATRIX; /* test_matrices */
#define RP_X(need, place) seen |= need; /* test_own_structs */
    OWN_PLACES(RP_X)
#undef RP_X
    CU_ASSERT_EQUAL(rp_needs_enable(all & ~seen, VK_API_VERSION_1_3, &app.core, NULL), RP_OK);
    CU_ASSERT_EQUAL(memcmp(&app, &off, sizeof app), 0);
    CU_ASSERT_EQUAL(rp_features_needs(rp_features_of(all)), seen);
}

/* The same through structs of single features, and what the import then understands. */
static void test_single_structs(void) {
    const VkPhysicalDeviceTimelineSemaphoreFeatures timeline_off = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES};
    const VkPhysicalDeviceSynchronization2Features sync2_off = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES};
    /* A struct that is none of ours stands in the middle. */
    const VkPhysicalDeviceHostQueryResetFeatures other_off = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_HOST_QUERY_RESET_FEATURES};
    for (int i = 0; i < 2; i++) {
#define RP_X(need, place, type, stype, member)                                                     \
    {                                                                                              \
        type single = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_##stype##_FEATURES};             \
        VkPhysicalDeviceTimelineSemaphoreFeatures timeline = timeline_off;                         \
        VkPhysicalDeviceSynchronization2Features sync2 = sync2_off;                                \
        VkPhysicalDeviceHostQueryResetFeatures other = other_off;                                  \
        timeline.pNext = &sync2, sync2.pNext = &other, other.pNext = &single;                      \
        CU_ASSERT_EQUAL(rp_needs_enable(i ? need : 0, VK_API_VERSION_1_3, &timeline, NULL),        \
                        RP_OK);                                                                    \
        CU_ASSERT_EQUAL(single.member, i ? VK_TRUE : VK_FALSE);                                    \
        CU_ASSERT_TRUE(timeline.timelineSemaphore &&sync2.synchronization2);                       \
        CU_ASSERT_FALSE(other.hostQueryReset);                                                     \
        CU_ASSERT_EQUAL(rp_features_needs(rp_features_read(&timeline)), i ? need : 0);             \
    }
        NEED_PLACES(RP_X)
#undef RP_X
    }
}

/* What has no struct in the chain is said by name, all of it, and the chain stays as it was. */
static void test_no_struct(void) {
    begin();
    rp_diags *diags = rp_diags_create(NULL);
    VkPhysicalDeviceFeatures2 alone = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
    CU_ASSERT_EQUAL(
        rp_needs_enable(RP_NEED_INT64 | RP_NEED_STORAGE16, VK_API_VERSION_1_3, &alone, diags),
        RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_diags_error_count(diags), 3);
    CU_ASSERT_TRUE(rp_test_said(diags, "no struct to switch synchronization2 on in: add "
                                       "VkPhysicalDeviceVulkan13Features or "
                                       "VkPhysicalDeviceSynchronization2Features"));
    CU_ASSERT_TRUE(rp_test_said(diags, "timelineSemaphore"));
    CU_ASSERT_TRUE(rp_test_said(diags, "storageBuffer16BitAccess on in: add "
                                       "VkPhysicalDeviceVulkan11Features or "
                                       "VkPhysicalDevice16BitStorageFeatures"));
    CU_ASSERT_FALSE(alone.features.shaderInt64);
    CU_ASSERT_EQUAL(rp_needs_enable(0, VK_API_VERSION_1_3, NULL, diags), RP_ERROR_USAGE);
    rp_diags_destroy(diags);
}

/* The version in use says which structs there may be, and which are named as missing. */
static void test_version(void) {
    begin();
    rp_diags *diags = rp_diags_create(NULL);
    app.v12.timelineSemaphore = VK_FALSE;
    application off = app;
    for (uint32_t version = 0; version <= VK_API_VERSION_1_2; version += VK_API_VERSION_1_2) {
        rp_diags_clear(diags);
        CU_ASSERT_EQUAL(rp_needs_enable(0, version, &app.core, diags), RP_ERROR_USAGE);
        CU_ASSERT_TRUE(rp_test_said(
            diags, "VkPhysicalDeviceVulkan13Features is in the chain, which Vulkan 1.2 does not"));
        CU_ASSERT_EQUAL(memcmp(&app, &off, sizeof app), 0);
    }
    app.v12.pNext = NULL;
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_needs_enable(0, VK_API_VERSION_1_2, &app.core, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_diags_count(diags), 1);
    CU_ASSERT_TRUE(rp_test_said(diags, "no struct to switch synchronization2 on in: add "
                                       "VkPhysicalDeviceSynchronization2Features"));
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_needs_enable(0, VK_API_VERSION_1_1, &app.core, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(
        rp_test_said(diags, "needs Vulkan 1.2, and the version in use is said to be 1.1"));
    rp_diags_destroy(diags);
}

static void test_extensions(void) {
    const char *names[8] = {0};
    uint32_t count = 7;
    CU_ASSERT_EQUAL(rp_needs_extensions(0, VK_API_VERSION_1_2, names, 8, &count), RP_OK);
    CU_ASSERT_EQUAL(count, 1);
    CU_ASSERT_STRING_EQUAL(names[0], "VK_KHR_synchronization2");
    uint64_t needs = RP_NEED_INT_DOT | RP_NEED_FLOAT16;
    CU_ASSERT_EQUAL(rp_needs_extensions(needs, VK_API_VERSION_1_2, names, 1, &count), RP_OK);
    CU_ASSERT_EQUAL(count, 2);
    CU_ASSERT_PTR_NULL(names[1]); /* there was no room */
    CU_ASSERT_EQUAL(rp_needs_extensions(needs, VK_API_VERSION_1_2, names, 8, &count), RP_OK);
    CU_ASSERT_STRING_EQUAL(names[1], "VK_KHR_shader_integer_dot_product");
    CU_ASSERT_EQUAL(rp_needs_extensions(needs, VK_API_VERSION_1_3, names, 8, &count), RP_OK);
    CU_ASSERT_EQUAL(count, 0);
    CU_ASSERT_EQUAL(rp_needs_extensions(0, 0, NULL, 1, &count), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_needs_extensions(0, 0, NULL, 0, &count), RP_OK);
    CU_ASSERT_EQUAL(count, 1);
    CU_ASSERT_EQUAL(rp_needs_extensions(0, VK_API_VERSION_1_1, names, 8, &count), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(count, 0);
}

int main(void) {
    static const rp_test tests[] = {{"cooperative matrices", test_matrices},
                                    {"each need in a chain", test_each_need},
                                    {"structs of their own", test_own_structs},
                                    {"structs of single features", test_single_structs},
                                    {"no struct", test_no_struct},
                                    {"version", test_version},
                                    {"extensions", test_extensions},
                                    {0}};
    return rp_run_tests("needs of plans", tests);
}
