/* Devices of an application on the fake driver: what it must say of them, what is refused by name,
 * and the chain of features that it is helped to fill in. */
#include <stdlib.h>
#include "device/device.h"
#include "support.h"

static const char fill_text[] = "reprise 1\n"
                                "graph g scheduled placed synced arena 0 {\n"
                                "  buf $y out 64\n"
                                "  group 0\n"
                                "    n0 = fill 00000000 (w $y)\n"
                                "}\n";
static const char run_text[] = "reprise 1\n"
                               "graph g scheduled placed synced arena 0 {\n"
                               "  buf $y out 64\n"
                               "  kern @k spirv - local 1 1 1 (rw)\n"
                               "  group 0\n"
                               "    n0 = run @k grid 1 1 1 (rw $y) label \"shade\"\n"
                               "}\n";
static const char half_text[] = "reprise 1\n"
                                "graph g scheduled placed synced arena 0 {\n"
                                "  buf $y out 64\n"
                                "  kern @half spirv - local 1 1 1 (rw)\n"
                                "  group 0\n"
                                "    n0 = run @half grid 1 1 1 (rw $y)\n"
                                "}\n";

/* An application: its chain, and the import that tells of it. The objects are any addresses. */
typedef struct application {
    VkPhysicalDeviceFeatures2 core;
    VkPhysicalDeviceVulkan11Features v11;
    VkPhysicalDeviceVulkan12Features v12;
    VkPhysicalDeviceVulkan13Features v13;
    rp_device_import import;
    rp_device_params params;
} application;

static application app;

static void begin(void) {
    static int object;
    mock_reset();
    app = (application){
        .core = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &app.v11, {0}},
        .v11 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, .pNext = &app.v12},
        .v12 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, .pNext = &app.v13},
        .v13 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES},
        .import = {.size = sizeof app.import,
                   .get_instance_proc_addr = mock_entry(),
                   .instance = &object,
                   .api_version = VK_API_VERSION_1_3,
                   .physical_device = &object,
                   .device = &object,
                   .features = &app.core,
                   .queue = &object,
                   .queue_family = 1},
        .params = {.size = sizeof app.params, .import = &app.import},
    };
    CU_ASSERT_EQUAL(rp_needs_enable(0, VK_API_VERSION_1_3, &app.core, NULL), RP_OK);
}

static void expect_refusal(rp_status status, const char *message) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_device *device = (rp_device *)1;
    CU_ASSERT_EQUAL(rp_device_create(NULL, &app.params, diags, &device), status);
    CU_ASSERT_PTR_NULL(device);
    CU_ASSERT_TRUE(mock_said(diags, message));
    rp_diags_destroy(diags);
    mock_done();
}

/* An exec of the text on the application's device; `message` when it must be refused. */
static void expect_exec(const char *text, const char *message) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_device *device = NULL;
    rp_exec *exec = NULL;
    rp_plan *plan = mock_plan(text);
    CU_ASSERT_EQUAL_FATAL(rp_device_create(NULL, &app.params, diags, &device), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &mock_params, diags, &exec),
                    message ? RP_ERROR_UNSUPPORTED : RP_OK);
    CU_ASSERT_EQUAL(rp_diags_error_count(diags), message ? 1 : 0);
    if (message) CU_ASSERT_TRUE(mock_said(diags, message));
    rp_exec_destroy(exec);
    CU_ASSERT_EQUAL(rp_device_destroy(device, diags), RP_OK);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    mock_done();
}

/* ---- Wrapping -------------------------------------------------------------------------------- */

static int locks, unlocks;
static const void *locked;
static void on_lock(void *user, void *queue) {
    locked = queue;
    *(int *)user += 1, locks++;
}
static void on_unlock(void *user, void *queue) {
    CU_ASSERT_PTR_EQUAL(queue, locked);
    *(int *)user -= 1, unlocks++;
}

/* Nothing of the application's is destroyed, its lock is used. */
static void test_lock(void) {
    begin();
    int depth = 0;
    app.import.lock = on_lock;
    app.import.unlock = on_unlock;
    app.import.user = &depth;
    rp_device *device = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_device_create(NULL, &app.params, NULL, &device), RP_OK);
    rp_plan *plan = mock_plan(fill_text);
    rp_exec *exec = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, plan, &mock_params, NULL, &exec), RP_OK);
    CU_ASSERT_EQUAL(locks, 1); /* memory is cleared */
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(locks, 2);
    CU_ASSERT_EQUAL(unlocks, 2);
    CU_ASSERT_EQUAL(depth, 0);
    rp_exec_destroy(exec);
    CU_ASSERT_EQUAL(rp_device_destroy(device, NULL), RP_OK);
    rp_plan_destroy(plan);
    mock_done(); /* the mock counts objects: none was made or destroyed that is not its own */
}

static void test_incomplete(void) {
    begin();
    app.import.queue_family = 0; /* cannot compute */
    expect_refusal(RP_ERROR_USAGE, "queue family 0");
    app.import.queue_family = 77;
    expect_refusal(RP_ERROR_USAGE, "queue family 77");
    begin();
    app.import.lock = on_lock;
    expect_refusal(RP_ERROR_USAGE, "rp_device_import.unlock is NULL: expected both");
    begin();
    app.import.unlock = on_lock;
    expect_refusal(RP_ERROR_USAGE, "rp_device_import.lock is NULL: expected both");
    begin();
    app.import.extension_count = 2;
    expect_refusal(RP_ERROR_USAGE, "rp_device_import.extensions is NULL: expected as many names");
    app.import.extensions = (const char *const[]){"VK_KHR_swapchain", NULL};
    expect_refusal(RP_ERROR_USAGE, "rp_device_import.extensions[1] is NULL: expected a name");
#define RP_X(member, what)                                                                         \
    begin();                                                                                       \
    app.import.member = NULL;                                                                      \
    expect_refusal(RP_ERROR_USAGE, "rp_device_import." #member " is NULL: expected " what);
    RP_X(get_instance_proc_addr, "vkGetInstanceProcAddr")
    RP_X(instance, "a VkInstance")
    RP_X(physical_device, "a VkPhysicalDevice")
    RP_X(device, "a VkDevice")
    RP_X(queue, "a VkQueue")
#undef RP_X
    begin();
    app.params.validation = 1;
    expect_refusal(RP_ERROR_USAGE, "validation cannot be added");
}

/* A second queue for uploads, whose family must be able to copy; a lock names the one it is for. */
static void test_transfer_queue(void) {
    static int other;
    begin();
    mock.families[0].queueFlags = VK_QUEUE_TRANSFER_BIT;
    int depth = 0;
    app.import.lock = on_lock;
    app.import.unlock = on_unlock;
    app.import.user = &depth;
    app.import.transfer_queue = &other;
    app.import.transfer_family = 0;
    rp_device *device = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_device_create(NULL, &app.params, NULL, &device), RP_OK);
    const VkSubmitInfo2 nothing = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2};
    uint32_t families[2];
    CU_ASSERT_EQUAL(rp_transfer_queue_submit(device, 1, &nothing), VK_SUCCESS);
    CU_ASSERT_PTR_EQUAL(mock.queue, &other);
    CU_ASSERT_PTR_EQUAL(locked, &other);
    CU_ASSERT_EQUAL(rp_queue_submit(device, 1, &nothing), VK_SUCCESS);
    CU_ASSERT_PTR_EQUAL(mock.queue, app.import.queue);
    CU_ASSERT_PTR_EQUAL(locked, app.import.queue);
    CU_ASSERT_EQUAL(depth, 0);
    CU_ASSERT_EQUAL(rp_device_families(device, families), 2);
    CU_ASSERT_EQUAL(families[1], 0);
    rp_device_destroy(device, NULL);
    app.import.transfer_family = 1; /* two queues of one family: nothing is shared */
    CU_ASSERT_EQUAL_FATAL(rp_device_create(NULL, &app.params, NULL, &device), RP_OK);
    CU_ASSERT_EQUAL(rp_device_families(device, families), 1);
    rp_device_destroy(device, NULL);
    app.import.transfer_queue = app.import.queue; /* no second one */
    app.import.transfer_family = 77;
    CU_ASSERT_EQUAL_FATAL(rp_device_create(NULL, &app.params, NULL, &device), RP_OK);
    rp_device_destroy(device, NULL);
    app.import.transfer_queue = &other;
    expect_refusal(RP_ERROR_USAGE, "queue family 77 of the imported device cannot copy");
    mock.families[0].queueFlags = VK_QUEUE_SPARSE_BINDING_BIT;
    app.import.transfer_family = 0;
    expect_refusal(RP_ERROR_USAGE, "queue family 0 of the imported device cannot copy");
    app.import.transfer_queue = NULL;
    app.params.queues = RP_QUEUES_TRANSFER;
    expect_refusal(RP_ERROR_USAGE, "none where the device is imported");
}

/* An application says whether names and labels may be given. */
static void test_names(void) {
    for (int on = 0; on < 2; on++) {
        begin();
        mock.names = on;
        app.import.debug_utils = on;
        expect_exec(run_text, NULL);
        CU_ASSERT_EQUAL(mock.named > 0, on);
    }
}

/* ---- What is enabled ------------------------------------------------------------------------- */

static void test_base(void) {
    begin();
    app.v13.synchronization2 = VK_FALSE;
    expect_refusal(RP_ERROR_UNSUPPORTED, "device Soft Mock lacks the feature synchronization2");
    begin();
    app.v12.timelineSemaphore = VK_FALSE;
    expect_refusal(RP_ERROR_UNSUPPORTED, "device Soft Mock lacks the feature timelineSemaphore");
    expect_refusal(RP_ERROR_UNSUPPORTED, "it could have that: enabled is what");
    begin();
    app.import.features = NULL; /* nothing said is nothing enabled */
    expect_refusal(RP_ERROR_UNSUPPORTED,
                   "lacks the feature synchronization2, the feature timelineSemaphore");
    begin();
    mock.timeline = false; /* what the device never had comes with no advice to enable it */
    app.v12.timelineSemaphore = VK_FALSE;
    rp_diags *diags = rp_diags_create(NULL);
    rp_device *device = NULL;
    CU_ASSERT_EQUAL(rp_device_create(NULL, &app.params, diags, &device), RP_ERROR_UNSUPPORTED);
    CU_ASSERT_EQUAL(rp_diags_count(diags), 1);
    rp_diags_destroy(diags);
}

/* An instance for Vulkan 1.2 keeps a newer device at 1.2: no structure and no function of 1.3. */
static void test_old_instance(void) {
    static const char *const names[] = {"VK_KHR_swapchain",
                                        VK_KHR_SYNCHRONIZATION_2_EXTENSION_NAME};
    for (int said = 0; said < 2; said++) {
        begin();
        VkPhysicalDeviceSynchronization2Features sync2 = {
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES};
        app.v12.pNext = &sync2;
        CU_ASSERT_EQUAL(rp_needs_enable(0, VK_API_VERSION_1_2, &app.core, NULL), RP_OK);
        mock.instance_version = VK_API_VERSION_1_2;
        app.import.api_version = said ? VK_API_VERSION_1_2 : 0;
        app.import.extensions = names;
        app.import.extension_count = 1;
        expect_refusal(RP_ERROR_UNSUPPORTED, "lacks VK_KHR_synchronization2");
        app.import.extension_count = 2;
        expect_exec(run_text, NULL);
        sync2.synchronization2 = VK_FALSE;
        expect_refusal(RP_ERROR_UNSUPPORTED, "lacks the feature synchronization2");
    }
    begin();
    mock.instance_version = app.import.api_version = VK_API_VERSION_1_1;
    expect_refusal(RP_ERROR_UNSUPPORTED, "Vulkan 1.2 (its instance was created for 1.1)");
}

/* Before there is a VkDevice: what the physical device could do, at the version in use. */
static void test_probe(void) {
    begin();
    rp_device_info info = {.size = sizeof info};
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(rp_device_probe(&app.import, diags, &info), RP_OK);
    CU_ASSERT_TRUE(info.suitable);
    CU_ASSERT_STRING_EQUAL(info.name, "Soft Mock");
    CU_ASSERT_TRUE(info.needs & RP_NEED_FLOAT16);
    mock.float16 = mock.timeline = false;
    CU_ASSERT_EQUAL(rp_device_probe(&app.import, diags, &info), RP_OK);
    CU_ASSERT_FALSE(info.needs & RP_NEED_FLOAT16);
    CU_ASSERT_FALSE(info.suitable);
    CU_ASSERT_STRING_EQUAL(info.missing, "the feature timelineSemaphore");
    CU_ASSERT_EQUAL(rp_diags_count(diags), 0);
    info.size = 0;
    CU_ASSERT_EQUAL(rp_device_probe(&app.import, diags, &info), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_device_probe(NULL, diags, &info), RP_ERROR_USAGE);
    mock.fail_at = mock.calls + 1;
    info.size = sizeof info;
    CU_ASSERT_EQUAL(rp_device_probe(&app.import, diags, &info), RP_ERROR_DEVICE_MEMORY);
    app.import.physical_device = NULL;
    CU_ASSERT_EQUAL(rp_device_probe(&app.import, diags, &info), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(mock_said(diags, "rp_device_import.physical_device is NULL"));
    rp_diags_destroy(diags);
    mock_done();
}

/* What a plan needs must be enabled, not only there. */
static void test_needs(void) {
    begin();
    rp_plan *plan = mock_plan(half_text);
    CU_ASSERT_EQUAL(rp_plan_needs(plan), RP_NEED_FLOAT16);
    CU_ASSERT_EQUAL(rp_plan_needs(NULL), 0);
    rp_plan_destroy(plan);
    expect_exec(run_text, NULL);
    expect_exec(half_text,
                "the plan's kernels need 16-bit floats in shaders (shaderFloat16), which "
                "the device has but is not enabled: see rp_needs_enable");
    rp_device *device = NULL;
    rp_device_info info = {.size = sizeof info};
    rp_target target = RP_TARGET_INIT;
    CU_ASSERT_EQUAL_FATAL(rp_device_create(NULL, &app.params, NULL, &device), RP_OK);
    CU_ASSERT_EQUAL(rp_device_get_info(device, &info), RP_OK);
    CU_ASSERT_EQUAL(rp_device_target(device, &target), RP_OK);
    CU_ASSERT_EQUAL(info.needs & RP_NEED_FLOAT16, 0);
    CU_ASSERT_EQUAL(info.needs, target.needs);
    CU_ASSERT_TRUE(info.needs & RP_NEED_SUBGROUP_BASIC); /* a property */
    rp_device_destroy(device, NULL);
    CU_ASSERT_EQUAL(rp_needs_enable(RP_NEED_FLOAT16, VK_API_VERSION_1_3, &app.core, NULL), RP_OK);
    expect_exec(half_text, NULL);
    begin();
    mock.float16 = false;
    expect_exec(half_text, "(shaderFloat16), which the device does not have");
}

/* ---- The chain ------------------------------------------------------------------------------- */

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
      shaderIntegerDotProduct)

/* That of cooperative matrices has a struct of its own alone, and no collective one. */
static void test_matrices(void) {
    begin();
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(
        rp_needs_enable(RP_NEED_COOPERATIVE_MATRIX, VK_API_VERSION_1_3, &app.core, diags),
        RP_ERROR_USAGE);
    CU_ASSERT_TRUE(mock_said(diags, "cooperativeMatrix on in: add "
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
    /* The others are properties: nothing is switched on for them. */
    uint64_t all = 0;
#define RP_X(symbol, bit, name) all |= symbol;
    RP_PLAN_NEED_LIST(RP_X)
#undef RP_X
    begin();
    off = app;
    seen |= RP_NEED_COOPERATIVE_MATRIX; /* test_matrices */
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
    CU_ASSERT_TRUE(mock_said(diags, "no struct to switch synchronization2 on in: add "
                                    "VkPhysicalDeviceVulkan13Features or "
                                    "VkPhysicalDeviceSynchronization2Features"));
    CU_ASSERT_TRUE(mock_said(diags, "timelineSemaphore"));
    CU_ASSERT_TRUE(mock_said(diags, "storageBuffer16BitAccess on in: add "
                                    "VkPhysicalDeviceVulkan11Features or "
                                    "VkPhysicalDevice16BitStorageFeatures"));
    CU_ASSERT_FALSE(alone.features.shaderInt64);
    CU_ASSERT_EQUAL(rp_needs_enable(UINT64_C(1) << 63, VK_API_VERSION_1_3, &app.core, diags),
                    RP_ERROR_USAGE);
    CU_ASSERT_TRUE(mock_said(diags, "0x8000000000000000 are no needs of plans"));
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
        CU_ASSERT_TRUE(mock_said(
            diags, "VkPhysicalDeviceVulkan13Features is in the chain, which Vulkan 1.2 does not"));
        CU_ASSERT_EQUAL(memcmp(&app, &off, sizeof app), 0);
    }
    app.v12.pNext = NULL;
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_needs_enable(0, VK_API_VERSION_1_2, &app.core, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_diags_count(diags), 1);
    CU_ASSERT_TRUE(mock_said(diags, "no struct to switch synchronization2 on in: add "
                                    "VkPhysicalDeviceSynchronization2Features"));
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_needs_enable(0, VK_API_VERSION_1_1, &app.core, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(mock_said(diags, "needs Vulkan 1.2, and the version in use is said to be 1.1"));
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
    CU_ASSERT_EQUAL(rp_needs_extensions(UINT64_C(1) << 63, 0, names, 8, &count), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_needs_extensions(0, 0, NULL, 1, &count), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_needs_extensions(0, 0, NULL, 0, &count), RP_OK);
    CU_ASSERT_EQUAL(count, 1);
    CU_ASSERT_EQUAL(rp_needs_extensions(0, VK_API_VERSION_1_1, names, 8, &count), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(count, 0);
}

int main(void) {
    static const rp_test tests[] = {{"the application's lock", test_lock},
                                    {"incomplete imports", test_incomplete},
                                    {"transfer queue", test_transfer_queue},
                                    {"names", test_names},
                                    {"base", test_base},
                                    {"old instance", test_old_instance},
                                    {"probe", test_probe},
                                    {"needs", test_needs},
                                    {"cooperative matrices", test_matrices},
                                    {"each need in a chain", test_each_need},
                                    {"structs of single features", test_single_structs},
                                    {"no struct", test_no_struct},
                                    {"version", test_version},
                                    {"extensions", test_extensions},
                                    {0}};
    return rp_run_tests("imported devices", tests);
}
