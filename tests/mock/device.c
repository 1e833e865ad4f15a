/* Devices on the fake driver: which is chosen, what is enabled, what is refused and how. */
#include <stdlib.h>
#include "device/device.h"
#include "support.h"

static rp_status create(const rp_device_params *params, rp_diags *diags, rp_device **out) {
    rp_device_params with_entry = params ? *params : (rp_device_params){0};
    with_entry.size = sizeof with_entry;
    with_entry.get_instance_proc_addr = mock_entry();
    return rp_device_create(NULL, &with_entry, diags, out);
}

static void expect_refusal(const rp_device_params *params, rp_status status, const char *message) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_device *device = (rp_device *)1;
    CU_ASSERT_EQUAL(create(params, diags, &device), status);
    CU_ASSERT_PTR_NULL(device);
    CU_ASSERT_TRUE(rp_test_said(diags, message));
    rp_diags_destroy(diags);
    mock_done();
}

static void test_modern(void) {
    mock_reset();
    rp_device *device = NULL;
    CU_ASSERT_EQUAL_FATAL(create(NULL, NULL, &device), RP_OK);
    rp_device_info info = {.size = sizeof info};
    CU_ASSERT_EQUAL(rp_device_get_info(device, &info), RP_OK);
    CU_ASSERT_STRING_EQUAL(info.name, "Mock 9000");
    CU_ASSERT_STRING_EQUAL(info.driver, "mock 1.0");
    CU_ASSERT_EQUAL(info.vulkan_version, VK_API_VERSION_1_3);
    CU_ASSERT_EQUAL(info.memory_bytes, UINT64_C(1) << 34);
    CU_ASSERT_EQUAL(info.subgroup_size, 32);
    CU_ASSERT_TRUE(info.suitable);
    CU_ASSERT_STRING_EQUAL(info.missing, "");
    CU_ASSERT_STRING_EQUAL(mock.extensions, ""); /* all of it is core */
    CU_ASSERT_TRUE(mock.enabled_float16);
    CU_ASSERT_EQUAL(mock.queue_family, 1);
    CU_ASSERT_EQUAL(rp_device_messages(device, NULL), 0);
    rp_device_destroy(device, NULL);
    mock_done();
}

/* Vulkan 1.2: synchronization2 by its extension, its functions by their suffix. */
static void test_vulkan_1_2(void) {
    mock_reset();
    mock.properties.apiVersion = VK_API_VERSION_1_2;
    mock.float16 = false;
    rp_device *device = NULL;
    CU_ASSERT_EQUAL_FATAL(create(NULL, NULL, &device), RP_OK);
    CU_ASSERT_STRING_EQUAL(mock.extensions, "VK_KHR_synchronization2");
    CU_ASSERT_FALSE(mock.enabled_float16);
    rp_device_destroy(device, NULL);
    mock_done();
}

static void test_missing(void) {
    mock_reset();
    mock.properties.apiVersion = VK_API_VERSION_1_2;
    mock.sync2_extension = false;
    expect_refusal(NULL, RP_ERROR_NO_DEVICE, "lacks VK_KHR_synchronization2");
    mock_reset();
    mock.sync2 = mock.timeline = false;
    expect_refusal(NULL, RP_ERROR_NO_DEVICE,
                   "the feature synchronization2, the feature timelineSemaphore");
    mock_reset();
    mock.properties.apiVersion = VK_API_VERSION_1_1;
    expect_refusal(&(rp_device_params){.select = "mock"}, RP_ERROR_UNSUPPORTED,
                   "Vulkan 1.2 (it has 1.1)");
    mock_reset();
    mock.family_count = 1; /* transfers alone */
    expect_refusal(NULL, RP_ERROR_NO_DEVICE, "a queue family that computes");
}

static void test_no_device(void) {
    mock_reset();
    mock.device_count = 0;
    expect_refusal(NULL, RP_ERROR_NO_DEVICE, "no Vulkan device");
    mock_reset();
    mock.fail_call = "vkCreateInstance";
    mock.fail_with = VK_ERROR_INCOMPATIBLE_DRIVER;
    expect_refusal(NULL, RP_ERROR_NO_DEVICE, "no Vulkan driver is installed");
    mock_reset();
    mock.loader_version = VK_API_VERSION_1_0;
    expect_refusal(NULL, RP_ERROR_NO_DEVICE, "older than Vulkan 1.1");
    mock_reset();
    CU_ASSERT_EQUAL(rp_device_create(NULL, NULL, NULL, NULL), RP_ERROR_USAGE);
}

static void expect_name(const char *select, const char *environment, const char *name) {
    if (environment)
        setenv("REPRISE_DEVICE", environment, 1);
    else
        unsetenv("REPRISE_DEVICE");
    rp_device *device = NULL;
    CU_ASSERT_EQUAL(create(&(rp_device_params){.select = select}, NULL, &device), RP_OK);
    rp_device_info info = {.size = sizeof info};
    CU_ASSERT_EQUAL(rp_device_get_info(device, &info), RP_OK);
    CU_ASSERT_STRING_EQUAL(info.name, name);
    rp_device_destroy(device, NULL);
    unsetenv("REPRISE_DEVICE");
    mock_done();
}

static void test_choice(void) {
    mock_reset();
    mock.device_count = 3; /* a GPU and two software drivers */
    expect_name(NULL, NULL, "Mock 9000");
    expect_name("1", NULL, "Soft Mock");
    expect_name("soft", NULL, "Soft Mock");
    expect_name("mock", NULL, "Mock 9000");
    expect_name(NULL, "2", "Soft Mock");
    expect_name("", "9000", "Mock 9000");
    expect_name("9000", "soft", "Mock 9000"); /* the parameter before the environment */
    expect_refusal(&(rp_device_params){.select = "3"}, RP_ERROR_NO_DEVICE,
                   "no Vulkan device matches \"3\"");
    expect_refusal(&(rp_device_params){.select = "99999999999999999999"}, RP_ERROR_NO_DEVICE,
                   "device 1: Soft Mock");
    setenv("REPRISE_DEVICE", "teapot", 1);
    expect_refusal(NULL, RP_ERROR_NO_DEVICE, "matches \"teapot\" (from REPRISE_DEVICE)");
    unsetenv("REPRISE_DEVICE");
}

/* Compute alone is taken only where nothing else computes. */
static void test_queue_family(void) {
    mock_reset();
    mock.families[0].queueFlags = VK_QUEUE_COMPUTE_BIT;
    expect_name(NULL, NULL, "Mock 9000");
    CU_ASSERT_EQUAL(mock.queue_family, 1);
    mock.families[1].queueFlags = VK_QUEUE_TRANSFER_BIT;
    expect_name(NULL, NULL, "Mock 9000");
    CU_ASSERT_EQUAL(mock.queue_family, 0);
}

/* A family that computes and does not draw, and one that only copies, are taken on request. */
static void test_queues(void) {
    static const VkQueueFlags video = 0x20 /* decoding */, copies = VK_QUEUE_TRANSFER_BIT;
    static const struct {
        VkQueueFlags families[4];
        uint32_t count, queues, compute, transfer;
    } cases[] = {
        /* copies, all, computes, copies and decodes */
        {{copies | video, 7, 6, copies}, 4, 0, 1, UINT32_MAX},
        {{copies | video, 7, 6, copies}, 4, RP_QUEUES_COMPUTE_ONLY, 2, UINT32_MAX},
        {{copies | video, 7, 6, copies}, 4, RP_QUEUES_TRANSFER, 1, 3},
        {{copies | video, 7, 6, copies}, 4, RP_QUEUES_COMPUTE_ONLY | RP_QUEUES_TRANSFER, 2, 3},
        {{copies | video, 7}, 2, RP_QUEUES_TRANSFER, 1, 0},
        {{copies | VK_QUEUE_SPARSE_BINDING_BIT, 7}, 2, RP_QUEUES_TRANSFER, 1, 0},
        {{7}, 1, RP_QUEUES_COMPUTE_ONLY | RP_QUEUES_TRANSFER, 0, UINT32_MAX},
        {{copies, 6}, 2, RP_QUEUES_COMPUTE_ONLY, 1, UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mock_reset();
        mock.family_count = cases[i].count;
        for (uint32_t f = 0; f < cases[i].count; f++)
            mock.families[f] = (VkQueueFamilyProperties){.queueFlags = cases[i].families[f],
                                                         .timestampValidBits = 10 + f};
        rp_device *device = NULL;
        CU_ASSERT_EQUAL_FATAL(create(&(rp_device_params){.queues = cases[i].queues}, NULL, &device),
                              RP_OK);
        CU_ASSERT_EQUAL(mock.queue_family, cases[i].compute);
        CU_ASSERT_EQUAL(mock.transfer_family, cases[i].transfer);
        CU_ASSERT_EQUAL(device->adapter.timestamp_bits, 10 + cases[i].compute);
        /* What others build on: the two queues, and who shares buffers. */
        bool second = cases[i].transfer != UINT32_MAX;
        uint32_t families[2], other = second ? cases[i].transfer : cases[i].compute;
        CU_ASSERT_EQUAL(rp_device_families(device, families), second ? 2 : 1);
        CU_ASSERT_EQUAL(families[0], cases[i].compute);
        CU_ASSERT_EQUAL(device->transfer_family, other);
        const VkSubmitInfo2 nothing = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2};
        CU_ASSERT_EQUAL(rp_queue_submit(device, 1, &nothing), VK_SUCCESS);
        CU_ASSERT_PTR_EQUAL(mock.queue, mock_queue(cases[i].compute));
        CU_ASSERT_EQUAL(rp_transfer_queue_submit(device, 1, &nothing), VK_SUCCESS);
        CU_ASSERT_PTR_EQUAL(mock.queue, mock_queue(other));
        rp_device_destroy(device, NULL);
        mock_done();
    }
    mock_reset();
    expect_refusal(&(rp_device_params){.queues = 4}, RP_ERROR_USAGE, "bits of rp_queues");
}

static void test_params_size(void) {
    mock_reset();
    rp_diags *diags = rp_diags_create(NULL);
    rp_device *device = NULL;
    rp_device_params params = {.get_instance_proc_addr = mock_entry()};
    CU_ASSERT_EQUAL(rp_device_create(NULL, &params, diags, &device), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "set the member size to sizeof(rp_device_params)"));
    params.size = sizeof params;
    params.import = &(rp_device_import){0};
    CU_ASSERT_EQUAL(rp_device_create(NULL, &params, diags, &device), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "set the member size to sizeof(rp_device_import)"));
    rp_diags_destroy(diags);
    mock_done();
}

/* Names and labels are there wherever the loader knows them, with validation or not. */
static void test_debug_utils(void) {
    rp_plan *plan = mock_plan("reprise 1\n"
                              "graph g scheduled placed synced arena 0 {\n"
                              "  buf $y out 64\n"
                              "  kern @k spirv - local 1 1 1 (rw)\n"
                              "  group 0\n"
                              "    n0 = run @k grid 1 1 1 (rw $y) label \"shade\"\n"
                              "}\n");
    for (int there = 0; there < 2; there++)
        for (int validation = 0; validation < 2; validation++) {
            mock_reset();
            mock.debug_utils = there;
            rp_device *device = NULL;
            rp_exec *exec = NULL;
            CU_ASSERT_EQUAL_FATAL(
                create(&(rp_device_params){.validation = validation}, NULL, &device), RP_OK);
            CU_ASSERT_EQUAL(mock.names, there || validation);
            CU_ASSERT_EQUAL(rp_exec_create(device, plan, &mock_params, NULL, &exec), RP_OK);
            CU_ASSERT_EQUAL(mock.named > 0, there || validation);
            const char *commands = mock_commands(rp_exec_command_buffer(exec, 0, 0));
            CU_ASSERT_EQUAL(strstr(commands, "label shade") != NULL, there || validation);
            rp_exec_destroy(exec);
            rp_device_destroy(device, NULL);
            mock_done();
        }
    rp_plan_destroy(plan);
}

static void test_validation(void) {
    mock_reset();
    rp_device *device = NULL;
    CU_ASSERT_EQUAL_FATAL(create(&(rp_device_params){.validation = 1}, NULL, &device), RP_OK);
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(rp_device_messages(device, diags), 1);
    CU_ASSERT_TRUE(rp_test_said(diags, "a word from the layer"));
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_device_messages(device, diags), 1); /* the count stays, the text is gone */
    CU_ASSERT_EQUAL(rp_diags_count(diags), 0);
    rp_diags_destroy(diags);
    rp_device_destroy(device, NULL);
    mock_done();
    mock.validation_layer = false;
    expect_refusal(&(rp_device_params){.validation = 1}, RP_ERROR_UNSUPPORTED,
                   "install the package vulkan-validationlayers");
}

/* A device goes after all that was made on it, and not a moment earlier. */
static void test_destroyed_too_early(void) {
    mock_reset();
    rp_diags *diags = rp_diags_create(NULL);
    rp_device *device = mock_open(NULL, NULL);
    rp_plan *plan = mock_plan("reprise 1\n"
                              "graph g scheduled placed synced arena 0 {\n"
                              "  buf $y out 64\n"
                              "  group 0\n"
                              "    n0 = fill 00000000 (w $y)\n"
                              "}\n");
    rp_exec *execs[2] = {0};
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, plan, &mock_params, NULL, &execs[i]), RP_OK);
    int alive = mock.objects;
    CU_ASSERT_EQUAL(rp_device_destroy(device, diags), RP_ERROR_BUSY);
    CU_ASSERT_TRUE(
        rp_test_said(diags, "Mock 9000 is still in use by 2 execs: destroy those first"));
    rp_exec_destroy(execs[0]);
    CU_ASSERT_TRUE(mock.objects < alive);
    CU_ASSERT_EQUAL(rp_device_destroy(device, diags), RP_ERROR_BUSY);
    CU_ASSERT_TRUE(rp_test_said(diags, "in use by 1 exec:"));
    CU_ASSERT_EQUAL(rp_exec_submit(execs[1], NULL, NULL, NULL),
                    RP_OK); /* nothing of it was destroyed */
    CU_ASSERT_EQUAL(rp_exec_wait(execs[1], 0, UINT64_MAX, NULL), RP_OK);
    rp_exec_destroy(execs[1]);
    CU_ASSERT_EQUAL(rp_device_destroy(device, diags), RP_OK);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    mock_done();
}

static void test_info_sizes(void) {
    mock_reset();
    rp_device *device = mock_open(NULL, NULL);
    rp_device_info info = {.size = offsetof(rp_device_info, driver), .driver = "untouched"};
    CU_ASSERT_EQUAL(rp_device_get_info(device, &info), RP_OK);
    CU_ASSERT_EQUAL(info.size, offsetof(rp_device_info, driver));
    CU_ASSERT_STRING_EQUAL(info.name, "Mock 9000");
    CU_ASSERT_STRING_EQUAL(info.driver, "untouched");
    info.size = 0;
    CU_ASSERT_EQUAL(rp_device_get_info(device, &info), RP_ERROR_USAGE);
    info.size = sizeof info;
    CU_ASSERT_EQUAL(rp_device_get_info(NULL, &info), RP_ERROR_USAGE);
    rp_device_destroy(device, NULL);
    mock_done();
}

int main(void) {
    unsetenv("REPRISE_DEVICE");
    static const rp_test tests[] = {{"Vulkan 1.3", test_modern},
                                    {"Vulkan 1.2", test_vulkan_1_2},
                                    {"missing features", test_missing},
                                    {"no device", test_no_device},
                                    {"choice", test_choice},
                                    {"queue family", test_queue_family},
                                    {"queues", test_queues},
                                    {"size of params", test_params_size},
                                    {"names and labels", test_debug_utils},
                                    {"validation", test_validation},
                                    {"destroyed too early", test_destroyed_too_early},
                                    {"sizes of infos", test_info_sizes},
                                    {0}};
    return rp_run_tests("device", tests);
}
