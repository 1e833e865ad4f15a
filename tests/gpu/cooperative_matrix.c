/* Cooperative matrices on the device at hand: a kernel of one's own multiplies halves into floats,
 * against sums in double precision. A device that has none, or not these, refuses the plan by name,
 * and nothing else is tested. */
#include "gpu.h"
#include "support/op_values.h"

enum { ROWS = 32, COLUMNS = 48, DEPTH = 80 };

static const char text[] =
    "#version 450\n"
    "#pragma use_vulkan_memory_model\n"
    "#extension GL_KHR_memory_scope_semantics : require\n"
    "#extension GL_NV_cooperative_matrix : require\n"
    "#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require\n"
    "#extension GL_EXT_shader_16bit_storage : require\n"
    "#extension GL_KHR_shader_subgroup_basic : require\n"
    "layout(local_size_x_id = 4) in;\n"
    "layout(constant_id = 0) const uint M = 16;\n"
    "layout(constant_id = 1) const uint N = 16;\n"
    "layout(constant_id = 2) const uint K = 16;\n"
    "layout(constant_id = 3) const uint KB = 16;\n"
    "layout(binding = 0) readonly buffer A { float16_t a[]; };\n"
    "layout(binding = 1) readonly buffer B { float16_t b[]; };\n"
    "layout(binding = 2) buffer C { float c[]; };\n"
    "const uint ROWS = 32, COLUMNS = 48, DEPTH = 80;\n"
    "void main() {\n"
    "  uint row = gl_WorkGroupID.y * M, column = gl_WorkGroupID.x * N;\n"
    "  fcoopmatNV<32, gl_ScopeSubgroup, M, N> sums = fcoopmatNV<32, gl_ScopeSubgroup, M, N>(0.0);\n"
    "  for (uint k = 0; k < DEPTH; k += K) {\n"
    "    fcoopmatNV<16, gl_ScopeSubgroup, M, K> left;\n"
    "    fcoopmatNV<16, gl_ScopeSubgroup, KB, N> right;\n"
    "    coopMatLoadNV(left, a, row * DEPTH + k, DEPTH, false);\n"
    "    coopMatLoadNV(right, b, column * DEPTH + k, DEPTH, true);\n"
    "    sums = coopMatMulAddNV(left, right, sums);\n"
    "  }\n"
    "  sums += fcoopmatNV<32, gl_ScopeSubgroup, M, N>(1.0);\n"
    "  for (uint i = 0; i < M * N / gl_SubgroupSize; i++) sums[i] *= 2.0;\n"
    "  coopMatStoreNV(sums, c, row * COLUMNS + column, COLUMNS, false);\n"
    "}\n";

static rp_plan *compile(uint32_t subgroup) {
    const rp_spec_constant specs[] = {{4, subgroup}};
    const rp_kernel_params kernel_params = {.size = sizeof kernel_params,
                                            .name = "multiply",
                                            .glsl = text,
                                            .spec = specs,
                                            .spec_count = 1};
    const rp_buffer_params params[3] = {{.size = sizeof *params,
                                         .name = "a",
                                         .kind = RP_IN,
                                         .dtype = RP_F16,
                                         .rank = 2,
                                         .shape = {ROWS, DEPTH}},
                                        {.size = sizeof *params,
                                         .name = "b",
                                         .kind = RP_IN,
                                         .dtype = RP_F16,
                                         .rank = 2,
                                         .shape = {COLUMNS, DEPTH}},
                                        {.size = sizeof *params,
                                         .name = "c",
                                         .kind = RP_OUT,
                                         .dtype = RP_F32,
                                         .rank = 2,
                                         .shape = {ROWS, COLUMNS}}};
    rp_diags *diags = rp_diags_create(NULL);
    rp_program *program = NULL;
    rp_recorder *r = NULL;
    rp_graph *graph = NULL;
    rp_plan *plan = NULL;
    rp_kernel kernel;
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "product", &program), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(program, &r), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_program_kernel(program, &kernel_params, diags, &kernel), RP_OK);
    rp_bind_kernel(r, kernel);
    for (uint32_t i = 0; i < 3; i++) {
        rp_buffer buffer;
        CU_ASSERT_EQUAL_FATAL(rp_program_buffer(program, &params[i], diags, &buffer), RP_OK);
        rp_bind(r, i, (rp_range){.buffer = buffer});
    }
    rp_dispatch(r, COLUMNS / 16, ROWS / 16, 1);
    CU_ASSERT_EQUAL_FATAL(rp_program_graph(program, &r, 1, diags, &graph), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_compile(graph, NULL, diags, &plan, NULL), RP_OK);
    rp_graph_destroy(graph);
    rp_recorder_destroy(r);
    rp_program_destroy(program);
    rp_diags_destroy(diags);
    return plan;
}

static double a_at(uint32_t row, uint32_t k) {
    return (int32_t)(row * 31 + k * 17) % 23 / 8.0 - 1;
}

static double b_at(uint32_t column, uint32_t k) {
    return (int32_t)(column * 29 + k * 13) % 19 / 16.0 - 0.5;
}

/* All values and sums are exact in f32: not a bit may differ. */
static void check(rp_exec *exec) {
    static uint16_t a[ROWS * DEPTH], b[COLUMNS * DEPTH];
    static float c[ROWS * COLUMNS];
    for (uint32_t i = 0; i < ROWS * DEPTH; i++) a[i] = rp_f16_of_value(a_at(i / DEPTH, i % DEPTH));
    for (uint32_t i = 0; i < COLUMNS * DEPTH; i++)
        b[i] = rp_f16_of_value(b_at(i / DEPTH, i % DEPTH));
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "a", 0, a, sizeof a, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "b", 0, b, sizeof b, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "c", 0, c, sizeof c, NULL), RP_OK);
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < ROWS * COLUMNS; i++) {
        double sum = 1;
        for (uint32_t k = 0; k < DEPTH; k++) sum += a_at(i / COLUMNS, k) * b_at(i % COLUMNS, k);
        if (c[i] == (float)(sum * 2)) continue;
        if (wrong++ == 0) fprintf(stderr, "\n  element %u is %g, expected %g", i, c[i], sum * 2);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_product(void) {
    rp_device *device = gpu_open(0);
    rp_device_info info = {.size = sizeof info};
    CU_ASSERT_EQUAL(rp_device_get_info(device, &info), RP_OK);
    bool able = strstr(info.matrix_products, "16x16x16 f16 f32") != NULL;
    rp_plan *plan = compile(info.subgroup_size);
    rp_diags *diags = rp_diags_create(NULL);
    const rp_exec_params params = {.size = sizeof params};
    rp_exec *exec = NULL;
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &params, diags, &exec),
                    able ? RP_OK : RP_ERROR_UNSUPPORTED);
    if (able) {
        check(exec);
    } else {
        bool said = false;
        for (uint32_t i = 0; i < rp_diags_count(diags); i++)
            said |= strstr(rp_diags_get(diags, i).message, "cooperative matrices") != NULL;
        CU_ASSERT_TRUE(said);
        fprintf(stderr, "\n  left out: %s has no cooperative matrices of 16x16x16 f16 f32",
                info.name);
    }
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    rp_device_destroy(device, NULL);
    rp_diags_destroy(diags);
}

int main(void) {
    static const rp_test tests[] = {{"a product of halves", test_product}, {0}};
    return rp_run_tests("cooperative matrices on the device", tests);
}
