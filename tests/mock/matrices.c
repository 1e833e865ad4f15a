/* Cooperative matrices on the fake driver: which devices have them, what is enabled, and which plans
 * are refused for a product that the device does not list. */
#include "device/device.h"
#include "reprise/compiler.h"
#include "support.h"

static const char text[] =
    "#version 450\n"
    "#pragma use_vulkan_memory_model\n"
    "#extension GL_KHR_memory_scope_semantics : require\n"
    "#extension GL_NV_cooperative_matrix : require\n"
    "#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require\n"
    "#extension GL_EXT_shader_16bit_storage : require\n"
    "layout(local_size_x = 32) in;\n"
    "layout(constant_id = 0) const uint M = 16;\n"
    "layout(constant_id = 1) const uint N = 16;\n"
    "layout(constant_id = 2) const uint K = 16;\n"
    "layout(constant_id = 3) const uint KB = 16;\n"
    "layout(binding = 0) buffer A { float16_t a[512]; };\n"
    "layout(binding = 1) buffer C { float c[256]; };\n"
    "void main() {\n"
    "  fcoopmatNV<16, gl_ScopeSubgroup, M, K> left;\n"
    "  fcoopmatNV<16, gl_ScopeSubgroup, KB, N> right;\n"
    "  coopMatLoadNV(left, a, 0, 16, false);\n"
    "  coopMatLoadNV(right, a, 256, 16, true);\n"
    "  fcoopmatNV<32, gl_ScopeSubgroup, M, N> sums = fcoopmatNV<32, gl_ScopeSubgroup, M, N>(0.0);\n"
    "  sums = coopMatMulAddNV(left, right, sums);\n"
    "  coopMatStoreNV(sums, c, 0, N, false);\n"
    "}\n";

static const VkCooperativeMatrixPropertiesKHR list[MOCK_PRODUCTS] = {
    {.MSize = 16, .NSize = 16, .KSize = 16, .CType = 1, .ResultType = 1, .scope = 3},
    {.MSize = 16,
     .NSize = 8,
     .KSize = 32,
     .AType = 3,
     .BType = 7,
     .CType = 5,
     .ResultType = 5,
     .scope = 3},
    {.MSize = 64, .NSize = 64, .KSize = 16, .CType = 1, .ResultType = 1, .scope = 2},
    {.MSize = 16,
     .NSize = 16,
     .KSize = 16,
     .AType = 1000141000,
     .BType = 1000141000,
     .CType = 1,
     .ResultType = 1,
     .scope = 3},
};

/* A device that has everything for them. */
static void begin(void) {
    mock_reset();
    mock.extensions_too[0] = VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME;
    mock.matrices = true;
    memcpy(mock.products, list, sizeof list);
}

/* A plan with one product, M rows at a time. */
static rp_plan *compile(uint32_t rows) {
    const rp_spec_constant specs[] = {{0, rows}};
    const rp_kernel_params kernel_params = {.size = sizeof kernel_params,
                                            .name = "multiply",
                                            .glsl = text,
                                            .spec = specs,
                                            .spec_count = 1};
    const rp_buffer_params a_params = {.size = sizeof a_params,
                                       .name = "a",
                                       .kind = RP_IN,
                                       .dtype = RP_RAW,
                                       .bytes = 1024},
                           c_params = {.size = sizeof c_params,
                                       .name = "c",
                                       .kind = RP_OUT,
                                       .dtype = RP_RAW,
                                       .bytes = 1024};
    rp_diags *diags = rp_diags_create(NULL);
    rp_program *program = NULL;
    rp_recorder *r = NULL;
    rp_graph *graph = NULL;
    rp_plan *plan = NULL;
    rp_buffer a, c;
    rp_kernel kernel;
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "product", &program), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(program, &r), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(program, &a_params, diags, &a), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(program, &c_params, diags, &c), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_program_kernel(program, &kernel_params, diags, &kernel), RP_OK);
    rp_bind_kernel(r, kernel);
    rp_bind(r, 0, (rp_range){.buffer = a});
    rp_bind(r, 1, (rp_range){.buffer = c});
    rp_dispatch(r, 1, 1, 1);
    CU_ASSERT_EQUAL_FATAL(rp_program_graph(program, &r, 1, diags, &graph), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_compile(graph, NULL, diags, &plan, NULL), RP_OK);
    rp_graph_destroy(graph);
    rp_recorder_destroy(r);
    rp_program_destroy(program);
    rp_diags_destroy(diags);
    return plan;
}

/* An exec of such a plan on the device as it is; `message` when it must be refused. */
static void expect_exec(uint32_t rows, const char *message) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_exec *exec = NULL;
    rp_plan *plan = compile(rows);
    rp_device *device = mock_open(NULL, diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(device);
    CU_ASSERT_TRUE((rp_plan_needs(plan) & RP_NEED_COOPERATIVE_MATRIX) != 0);
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &mock_params, diags, &exec),
                    message ? RP_ERROR_UNSUPPORTED : RP_OK);
    if (message) CU_ASSERT_TRUE(rp_test_said(diags, message));
    rp_exec_destroy(exec);
    rp_device_destroy(device, NULL);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    mock_done();
}

static void expect_matrices(bool validation, bool some) {
    const rp_device_params params = {
        .size = sizeof params, .validation = validation, .get_instance_proc_addr = mock_entry()};
    rp_device *device = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_device_create(NULL, &params, NULL, &device), RP_OK);
    rp_device_info info = {.size = sizeof info};
    CU_ASSERT_EQUAL(rp_device_get_info(device, &info), RP_OK);
    CU_ASSERT_EQUAL((info.needs & RP_NEED_COOPERATIVE_MATRIX) != 0, some);
    /* Not those of other scopes or of types that no kernel has. */
    CU_ASSERT_STRING_EQUAL(info.matrix_products,
                           some ? "16x16x16 f16 f32, 16x8x32 i8 u8 i32 i32" : "");
    CU_ASSERT_EQUAL(mock.enabled_matrices, some);
    if (some) CU_ASSERT_STRING_EQUAL(mock.extensions, "VK_KHR_cooperative_matrix");
    rp_device_destroy(device, NULL);
    mock_done();
}

static void expect_none(void) {
    expect_matrices(false, false);
}

static void test_device(void) {
    begin();
    expect_matrices(false, true);
}

/* A layer that is older than the extension takes its structs for mistakes. */
static void test_validated(void) {
    begin();
    mock.layer_version = VK_MAKE_API_VERSION(0, 1, 3, 254);
    expect_matrices(true, false);
    begin();
    mock.layer_version = VK_MAKE_API_VERSION(0, 1, 3, 255);
    expect_matrices(true, true);
}

static void test_without(void) {
    begin();
    mock.extensions_too[0] = NULL;
    expect_none();
    begin();
    mock.matrices = false;
    expect_none();
    begin();
    mock.products[0].KSize = 0;
    expect_none();
    begin();
    mock.products[0] = mock.products[2];
    mock.products[1] = mock.products[3];
    expect_none();
}

static void test_plans(void) {
    begin();
    expect_exec(16, NULL);
    begin();
    expect_exec(8, "kernel @multiply multiplies cooperative matrices of 8x16x16 f16 f32, which is "
                   "none of: 16x16x16 f16 f32, 16x8x32 i8 u8 i32 i32");
    begin();
    mock.matrices = false;
    expect_exec(16,
                "need cooperative matrices (cooperativeMatrix), which the device does not have");
}

/* Each call and each allocation fails once. */
static void test_faults(void) {
    mock_allocator allocator;
    uint32_t calls = 0;
    begin();
    mock_allocator_init(&allocator);
    rp_device_destroy(mock_open(&allocator.allocator, NULL), NULL);
    calls = mock.calls;
    long allocations = allocator.calls;
    CU_ASSERT(calls > 5 && allocations > 3);
    bool asked[2] = {false, false};
    for (uint32_t i = 1; i <= calls; i++) {
        begin();
        mock.fail_at = i;
        mock_allocator_init(&allocator);
        rp_device *device = mock_open(&allocator.allocator, NULL);
        if (strstr(mock.failed, "CooperativeMatrix")) asked[asked[0]] = true;
        CU_ASSERT_PTR_NULL(device);
        CU_ASSERT_EQUAL(allocator.alive, 0);
        mock_done();
    }
    CU_ASSERT(asked[0] && asked[1]);
    for (long i = 1; i <= allocations; i++) {
        begin();
        mock_allocator_init(&allocator);
        allocator.fail_at = i;
        CU_ASSERT_PTR_NULL(mock_open(&allocator.allocator, NULL));
        CU_ASSERT_EQUAL(allocator.alive, 0);
        mock_done();
    }
}

int main(void) {
    static const rp_test tests[] = {{"device", test_device},       {"without", test_without},
                                    {"validated", test_validated}, {"plans", test_plans},
                                    {"faults", test_faults},       {0}};
    return rp_run_tests("cooperative matrices on a device", tests);
}
