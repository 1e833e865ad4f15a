/* Devices of an application on the fake driver: what it must say of them, what is refused by name,
 * and what it may do then. */
#include <stdlib.h>
#include "application.h"

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

static void expect_refusal(rp_status status, const char *message) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_device *device = (rp_device *)1;
    CU_ASSERT_EQUAL(rp_device_create(NULL, &app.params, diags, &device), status);
    CU_ASSERT_PTR_NULL(device);
    CU_ASSERT_TRUE(rp_test_said(diags, message));
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
    if (message) CU_ASSERT_TRUE(rp_test_said(diags, message));
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
    CU_ASSERT_TRUE(rp_test_said(diags, "rp_device_import.physical_device is NULL"));
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
    CU_ASSERT_EQUAL(info.needs | RP_NEED_IMAGE_EXTRAS, target.needs);
    CU_ASSERT_TRUE(info.needs & RP_NEED_SUBGROUP_BASIC); /* a property */
    rp_device_destroy(device, NULL);
    CU_ASSERT_EQUAL(rp_needs_enable(RP_NEED_FLOAT16, VK_API_VERSION_1_3, &app.core, NULL), RP_OK);
    expect_exec(half_text, NULL);
    begin();
    mock.float16 = false;
    expect_exec(half_text, "(shaderFloat16), which the device does not have");
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
                                    {0}};
    return rp_run_tests("imported devices", tests);
}
