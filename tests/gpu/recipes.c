/* What the recipes share: the device, the plans, and how results are judged. */
#include "recipes.h"

vulkan vk;
rp_diags *diags;
rp_device *device;
rp_plan *plan, *later_plan, *adapted_plan;
VkCommandPool pool;
bool shares_fd, shares_dma_buf;

void check(rp_status status) {
    for (uint32_t i = 0; status != RP_OK && i < rp_diags_count(diags); i++)
        printf("\n  %s", rp_diags_get(diags, i).message);
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
}

/* ---- The plans ------------------------------------------------------------------------------- */

static const char multiply_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 64) in;\n"
    "layout(binding = 0) readonly buffer A { uint v[]; } a;\n"
    "layout(binding = 1) readonly buffer B { uint v[]; } b;\n"
    "layout(binding = 2) writeonly buffer C { uint v[]; } c;\n"
    "layout(push_constant) uniform Push { uint factor; };\n"
    "void main() { uint i = gl_GlobalInvocationID.x; c.v[i] = a.v[i] * b.v[i] * factor; }\n";

static const char add_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 64) in;\n"
    "layout(binding = 0) readonly buffer A { uint v[]; } a;\n"
    "layout(binding = 1) writeonly buffer C { uint v[]; } c;\n"
    "layout(push_constant) uniform Push { uint add; };\n"
    "void main() { uint i = gl_GlobalInvocationID.x; c.v[i] = a.v[i] + add; }\n";

static rp_buffer buffer_of(rp_program *program, const char *name, rp_buffer_kind kind,
                           uint64_t count) {
    const rp_buffer_params params = {.size = sizeof params,
                                     .name = name,
                                     .kind = kind,
                                     .dtype = RP_U32,
                                     .rank = 1,
                                     .shape = {count}};
    rp_buffer handle;
    check(rp_program_buffer(program, &params, diags, &handle));
    return handle;
}

/* Records another product in the place of the one before. */
static void record_adapter(rp_recorder *r) {
    const uint32_t factor = 5;
    rp_push(r, 0, &factor, sizeof factor);
    rp_label_begin(r, "adapter");
    rp_optional_begin(r);
    rp_dispatch(r, COUNT / 64, 1, 1);
    rp_optional_end(r);
    rp_label_end(r);
}

static rp_plan *compile(uint32_t factor, int adapted) {
    rp_program *program;
    rp_recorder *r;
    rp_kernel multiply, add;
    rp_graph *graph;
    rp_plan *out;
    check(rp_program_create(NULL, "recipe", &program));
    check(rp_recorder_create(program, &r));
    rp_buffer x = buffer_of(program, "x", RP_IN, COUNT);
    rp_buffer w = buffer_of(program, "w", RP_WEIGHT, COUNT);
    rp_buffer t = buffer_of(program, "t", RP_TMP, COUNT);
    rp_buffer y = buffer_of(program, "y", RP_OUT, COUNT);
    rp_buffer more = buffer_of(program, "add", RP_LIVE, 1);
    check(rp_program_kernel(program,
                            &(rp_kernel_params){.size = sizeof(rp_kernel_params),
                                                .name = "multiply",
                                                .glsl = multiply_glsl},
                            diags, &multiply));
    check(rp_program_kernel(
        program,
        &(rp_kernel_params){.size = sizeof(rp_kernel_params), .name = "add", .glsl = add_glsl},
        diags, &add));
    rp_bind_kernel(r, multiply);
    rp_bind(r, 0, (rp_range){x});
    rp_bind(r, 1, (rp_range){w});
    rp_bind(r, 2, (rp_range){t});
    rp_push(r, 0, &factor, sizeof factor);
    rp_dispatch(r, COUNT / 64, 1, 1);
    if (adapted) record_adapter(r);
    rp_bind_kernel(r, add);
    rp_bind(r, 0, (rp_range){t});
    rp_bind(r, 1, (rp_range){y});
    rp_push_live(r, 0, (rp_range){more}); /* follows what is set */
    rp_dispatch(r, COUNT / 64, 1, 1);
    check(rp_program_graph(program, &r, 1, diags, &graph));
    check(rp_compile(graph, NULL, diags, &out, NULL));
    rp_graph_destroy(graph);
    rp_recorder_destroy(r);
    rp_program_destroy(program);
    return out;
}

/* ---- What the recipes stand on --------------------------------------------------------------- */

rp_exec *create(const rp_exec_params *params) {
    rp_exec *exec;
    check(rp_exec_create(device, plan, params, diags, &exec));
    return exec;
}

void write_inputs(rp_exec *exec, uint32_t slot, uint32_t first) {
    uint32_t x[COUNT], w[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) x[i] = i + first, w[i] = 2;
    check(rp_exec_write(exec, slot, "x", 0, x, sizeof x, diags));
    if (slot == 0) check(rp_exec_write(exec, slot, "w", 0, w, sizeof w, diags));
}

void expect_values(const uint32_t *y, uint32_t factor, uint32_t first, uint32_t add) {
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < COUNT; i++) wrong += y[i] != factor * (i + first) + add;
    CU_ASSERT_EQUAL(wrong, 0);
}

void expect_results(rp_exec *exec, uint32_t slot, uint32_t factor, uint32_t first, uint32_t add) {
    uint32_t y[COUNT];
    check(rp_exec_read(exec, slot, "y", 0, y, sizeof y, diags));
    expect_values(y, factor, first, add);
}

rp_storage *create_storage(uint64_t bytes) {
    const rp_storage_params params = {.size = sizeof params, .bytes = bytes};
    rp_storage *storage;
    check(rp_storage_create(device, &params, diags, &storage));
    return storage;
}

void replay_once(rp_exec *exec) {
    check(rp_exec_submit(exec, NULL, diags, NULL));
    check(rp_exec_wait(exec, 0, UINT64_MAX, diags));
}

/* ---- All of them ----------------------------------------------------------------------------- */

static void set_up(void) {
    diags = rp_diags_create(NULL);
    vulkan_open(&vk);
    plan = compile(1, 0);
    later_plan = compile(3, 0);
    adapted_plan = compile(1, 1);
    check(rp_needs_enable(rp_plan_needs(plan) | rp_plan_needs(later_plan), VK_API_VERSION_1_3,
                          &vk.features, diags));
    shares_fd = vulkan_enable(&vk, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME);
    shares_dma_buf = shares_fd && vulkan_enable(&vk, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME);
    vulkan_create_device(&vk);
    const VkCommandPoolCreateInfo pool_info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                               .queueFamilyIndex = vk.family};
    VK(vkCreateCommandPool(vk.device, &pool_info, NULL, &pool));
    const rp_device_import import = {.size = sizeof import,
                                     .get_instance_proc_addr = (void *)vkGetInstanceProcAddr,
                                     .instance = vk.instance,
                                     .api_version = VK_API_VERSION_1_3,
                                     .physical_device = vk.physical,
                                     .device = vk.device,
                                     .features = &vk.features,
                                     .extensions = vk.extensions,
                                     .extension_count = vk.extension_count,
                                     .debug_utils = 1,
                                     .queue = vk.queue,
                                     .queue_family = vk.family};
    check(rp_device_create(NULL,
                           &(rp_device_params){.size = sizeof(rp_device_params), .import = &import},
                           diags, &device));
}

static void tear_down(void) {
    rp_plan_destroy(plan);
    rp_plan_destroy(later_plan);
    rp_plan_destroy(adapted_plan);
    check(rp_device_destroy(device, diags));
    rp_diags_destroy(diags);
    vkDestroyCommandPool(vk.device, pool, NULL);
    vulkan_close(&vk);
    CU_ASSERT_EQUAL(vk.messages, 0);
}

int main(void) {
    static const rp_test tests[] = {{"own device", set_up},
                                    {"weights once", test_weights_once},
                                    {"one arena", test_arena},
                                    {"host-visible storage", test_host_visible},
                                    {"own allocator", test_allocator},
                                    {"shared memory", test_shared},
                                    {"uploads", test_uploads},
                                    {"bytes of an exec", test_bytes_of_an_exec},
                                    {"frames", test_frames},
                                    {"slots", test_slots},
                                    {"bytes in a submission", test_bytes_in_a_submission},
                                    {"timeline", test_timeline},
                                    {"plan to plan", test_chain},
                                    {"own command buffer", test_record},
                                    {"pieces", test_pieces},
                                    {"cancelling", test_cancel},
                                    {"live values", test_live},
                                    {"switches", test_switches},
                                    {"binding", test_bind},
                                    {"another plan", test_update},
                                    {"pipelines ahead", test_prepare},
                                    {"counters", test_counters},
                                    {"nothing left, nothing said", tear_down},
                                    {0}};
    return rp_run_tests("recipes", tests);
}
