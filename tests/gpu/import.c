/* An application's own device, made through plain Vulkan with the validation layer on it, and a plan
 * of 16-bit floats on it. The device has exactly the features that rp_needs_enable switched on and
 * the extensions that rp_needs_extensions named: the layer's silence then says that they suffice.
 * That the layer would speak is shown by a device that has less than its import says. */
#include "device/device.h"
#include "gpu.h"

static const char half_glsl[] =
    "#version 450\n"
    "#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require\n"
    "#extension GL_EXT_shader_16bit_storage : require\n"
    "layout(local_size_x = 64) in;\n"
    "layout(set = 0, binding = 0) readonly buffer X { float16_t v[]; } x;\n"
    "layout(set = 0, binding = 1) writeonly buffer Y { float16_t v[]; } y;\n"
    "void main() { uint i = gl_GlobalInvocationID.x; y.v[i] = x.v[i] + x.v[i]; }\n";

enum { COUNT = 256 };

static rp_plan *plan;

static void make_plan(void) {
    rp_program *program;
    rp_recorder *r;
    rp_buffer x, y;
    rp_kernel kernel;
    rp_graph *graph;
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "halves", &program), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(program, &r), RP_OK);
    rp_buffer_params params = {.size = sizeof params,
                               .name = "x",
                               .kind = RP_IN,
                               .dtype = RP_F16,
                               .rank = 1,
                               .shape = {COUNT}};
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(program, &params, diags, &x), RP_OK);
    params.name = "y", params.kind = RP_OUT;
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(program, &params, diags, &y), RP_OK);
    const rp_kernel_params kernel_params = {
        .size = sizeof kernel_params, .name = "twice", .glsl = half_glsl};
    CU_ASSERT_EQUAL_FATAL(rp_program_kernel(program, &kernel_params, diags, &kernel), RP_OK);
    rp_label_begin(r, "halves");
    rp_bind_kernel(r, kernel);
    rp_bind(r, 0, (rp_range){x});
    rp_bind(r, 1, (rp_range){y});
    rp_dispatch(r, COUNT / 64, 1, 1);
    rp_label_end(r);
    CU_ASSERT_EQUAL_FATAL(rp_program_graph(program, &r, 1, diags, &graph), RP_OK);
    plan = gpu_compile(graph, 1);
    CU_ASSERT_EQUAL(rp_plan_needs(plan), RP_NEED_FLOAT16 | RP_NEED_STORAGE16);
    rp_graph_destroy(graph);
    rp_recorder_destroy(r);
    rp_program_destroy(program);
    rp_diags_destroy(diags);
}

/* ---- The application ------------------------------------------------------------------------- */

typedef struct application {
    rp_vk vk;
    void *library;
    uint32_t version, messages, family;
    VkInstance instance;
    VkDebugUtilsMessengerEXT messenger;
    VkPhysicalDevice physical;
    VkDevice device;
    VkQueue queue;
    VkPhysicalDeviceFeatures2 core;
    VkPhysicalDeviceVulkan11Features v11;
    VkPhysicalDeviceVulkan12Features v12;
    VkPhysicalDeviceVulkan13Features v13;
    VkPhysicalDeviceSynchronization2Features sync2; /* instead of v13 under Vulkan 1.2 */
    const char *extensions[8];
    uint32_t extension_count;
} application;

static int expected; /* messages are, and not printed */

static VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                                 VkDebugUtilsMessageTypeFlagsEXT types,
                                                 const VkDebugUtilsMessengerCallbackDataEXT *data,
                                                 void *user) {
    (void)severity, (void)types;
    application *app = user;
    app->messages++;
    if (!expected) fprintf(stderr, "\n  %s", data->pMessage);
    return VK_FALSE;
}

static void create_instance(application *app) {
    static const char *const layers[] = {"VK_LAYER_KHRONOS_validation"};
    static const char *const extensions[] = {VK_EXT_DEBUG_UTILS_EXTENSION_NAME};
    const VkApplicationInfo application_info = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                                .apiVersion = app->version};
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                       .pApplicationInfo = &application_info,
                                       .enabledLayerCount = 1,
                                       .ppEnabledLayerNames = layers,
                                       .enabledExtensionCount = 1,
                                       .ppEnabledExtensionNames = extensions};
    CU_ASSERT_EQUAL_FATAL(rp_vk_open(&app->vk, NULL, NULL, &app->library), RP_OK);
    CU_ASSERT_EQUAL_FATAL(app->vk.CreateInstance(&info, NULL, &app->instance), VK_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(rp_vk_load_instance(&app->vk, app->instance, NULL), RP_OK);
    const VkDebugUtilsMessengerCreateInfoEXT messenger = {
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
        .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                           VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
        .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
        .pfnUserCallback = on_message,
        .pUserData = app};
    CU_ASSERT_EQUAL_FATAL(
        app->vk.CreateDebugUtilsMessengerEXT(app->instance, &messenger, NULL, &app->messenger),
        VK_SUCCESS);
}

/* Chooses as the runtime does, by REPRISE_DEVICE among others. */
static void choose(application *app) {
    const rp_instance instance = {.vk = app->vk, .handle = app->instance, .version = app->version};
    rp_allocator a = rp_allocator_or_default(NULL);
    rp_adapter *adapters;
    uint32_t count, index;
    CU_ASSERT_EQUAL_FATAL(rp_adapters_list(&instance, &a, NULL, &adapters, &count), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_adapters_choose(adapters, count, NULL, NULL, &index), RP_OK);
    app->physical = adapters[index].handle;
    app->family = adapters[index].queue_family;
    rp_release(&a, adapters);
}

static void create_device(application *app, uint64_t needs) {
    app->core =
        (VkPhysicalDeviceFeatures2){VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &app->v11, {0}};
    app->v11 = (VkPhysicalDeviceVulkan11Features){
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, .pNext = &app->v12};
    app->v12 = (VkPhysicalDeviceVulkan12Features){
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
        .pNext = app->version < VK_API_VERSION_1_3 ? (void *)&app->sync2 : &app->v13};
    app->v13 = (VkPhysicalDeviceVulkan13Features){
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES};
    app->sync2 = (VkPhysicalDeviceSynchronization2Features){
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES};
    CU_ASSERT_EQUAL(rp_needs_enable(needs, app->version, &app->core, NULL), RP_OK);
    CU_ASSERT_EQUAL(
        rp_needs_extensions(needs, app->version, app->extensions, 8, &app->extension_count), RP_OK);
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueFamilyIndex = app->family,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    const VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                     .pNext = &app->core,
                                     .queueCreateInfoCount = 1,
                                     .pQueueCreateInfos = &queue,
                                     .enabledExtensionCount = app->extension_count,
                                     .ppEnabledExtensionNames = app->extensions};
    CU_ASSERT_EQUAL_FATAL(app->vk.CreateDevice(app->physical, &info, NULL, &app->device),
                          VK_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(
        rp_vk_load_device(&app->vk, app->device, app->version >= VK_API_VERSION_1_3, NULL), RP_OK);
    app->vk.GetDeviceQueue(app->device, app->family, 0, &app->queue);
}

static void open_application(application *app, uint32_t version, uint64_t needs) {
    *app = (application){.version = version};
    create_instance(app);
    choose(app);
    create_device(app, needs);
}

static void close_application(application *app) {
    app->vk.DestroyDevice(app->device, NULL); /* still there, and still the application's */
    app->vk.DestroyDebugUtilsMessengerEXT(app->instance, app->messenger, NULL);
    app->vk.DestroyInstance(app->instance, NULL);
    rp_vk_close(app->library);
}

static rp_device *wrap(const application *app) {
    void *entry;
    memcpy(&entry, &app->vk.GetInstanceProcAddr, sizeof entry);
    const rp_device_import import = {.size = sizeof import,
                                     .get_instance_proc_addr = entry,
                                     .instance = app->instance,
                                     .api_version = app->version,
                                     .physical_device = app->physical,
                                     .device = app->device,
                                     .features = &app->core,
                                     .extensions = app->extensions,
                                     .extension_count = app->extension_count,
                                     .debug_utils = 1,
                                     .queue = app->queue,
                                     .queue_family = app->family};
    const rp_device_params params = {.size = sizeof params, .import = &import};
    rp_device *device = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(rp_device_create(NULL, &params, diags, &device), RP_OK);
    gpu_report(diags);
    rp_diags_destroy(diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(device);
    return device;
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static void check_replay(rp_device *device) {
    const rp_exec_params params = {.size = sizeof params, .cache_path = "", .timestamps = 1};
    rp_exec *exec = gpu_exec(device, plan, &params);
    uint16_t x[COUNT], y[COUNT];
    for (int i = 0; i < COUNT; i++) x[i] = (uint16_t)(0x3c00 + i); /* 1 and upwards */
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, x, sizeof x, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, y, sizeof y, NULL), RP_OK);
    int wrong = 0;
    for (int i = 0; i < COUNT; i++) wrong += y[i] != x[i] + 0x400; /* twice: one more exponent */
    CU_ASSERT_EQUAL(wrong, 0);
    rp_exec_destroy(exec);
}

static void check_version(uint32_t version) {
    application app;
    open_application(&app, version, rp_plan_needs(plan));
    rp_device *device = wrap(&app);
    check_replay(device);
    CU_ASSERT_EQUAL(rp_device_destroy(device, NULL), RP_OK);
    close_application(&app);
    CU_ASSERT_EQUAL(app.messages, 0);
}

static void test_exactly_enabled(void) {
    check_version(VK_API_VERSION_1_2);
    check_version(VK_API_VERSION_1_3);
}

static void test_refused(void) {
    application app;
    open_application(&app, VK_API_VERSION_1_3, 0);
    rp_device *device = wrap(&app);
    rp_exec *exec = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, NULL, diags, &exec), RP_ERROR_UNSUPPORTED);
    CU_ASSERT_EQUAL_FATAL(rp_diags_count(diags), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(rp_diags_get(diags, 0).message, "(shaderFloat16)"));
    CU_ASSERT_PTR_NOT_NULL(strstr(rp_diags_get(diags, 1).message, "(storageBuffer16BitAccess)"));
    rp_diags_destroy(diags);
    CU_ASSERT_EQUAL(rp_device_destroy(device, NULL), RP_OK);
    close_application(&app);
    CU_ASSERT_EQUAL(app.messages, 0);
}

/* An import that says more than is true: the runtime believes it, the layer does not. */
static void test_canary(void) {
    application app;
    expected = 1;
    open_application(&app, VK_API_VERSION_1_3, 0);
    CU_ASSERT_EQUAL(rp_needs_enable(rp_plan_needs(plan), app.version, &app.core, NULL), RP_OK);
    rp_device *device = wrap(&app);
    check_replay(device);
    CU_ASSERT_EQUAL(rp_device_destroy(device, NULL), RP_OK);
    close_application(&app);
    CU_ASSERT_TRUE(app.messages > 0);
    expected = 0;
}

static void tear_down(void) {
    rp_plan_destroy(plan);
}

int main(void) {
    static const rp_test tests[] = {{"set up", make_plan},
                                    {"exactly what is needed", test_exactly_enabled},
                                    {"refused by name", test_refused},
                                    {"canary", test_canary},
                                    {"tear down", tear_down},
                                    {0}};
    return rp_run_tests("import on a device", tests);
}
