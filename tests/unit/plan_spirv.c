/* A plan whose kernels' records do not match their SPIR-V is refused, and the message names the
 * kernel, what the record says and what the module says; a record may say more than the code does.
 * The records are those of a compiled plan, changed one by one with the hash made right. */
#include <stdlib.h>
#include <string.h>
#include "plan/format.h"
#include "reprise/compiler.h"
#include "support/plan_walk.h"
#include "support/unit.h"

static const char *const glsl = "#version 450\nlayout(local_size_x_id = 3) in;\n"
                                "layout(constant_id = 5) const float scale = 1;\n"
                                "layout(constant_id = 6) const bool doubled = false;\n"
                                "layout(constant_id = 8) const double wide = 3;\n"
                                "layout(constant_id = 9) const uint side = 8;\n"
                                "shared float tile[side * side];\n"
                                "layout(binding = 0) readonly buffer R { float r[]; };\n"
                                "layout(binding = 1) buffer RW { float rw[]; };\n"
                                "layout(binding = 2) writeonly buffer W { float w[]; };\n"
                                "layout(set = 1, binding = 0) uniform U { float u; };\n"
                                "layout(push_constant) uniform P { uint n; float f; };\n"
                                "void main() {\n"
                                "    uint i = gl_GlobalInvocationID.x;\n"
                                "    tile[gl_LocalInvocationIndex] = r[i];\n    barrier();\n"
                                "    rw[i] += tile[63 - gl_LocalInvocationIndex] * u * f * scale;\n"
                                "    w[i] = doubled ? r[i] * 2 : r[i] + float(n) + float(wide);\n"
                                "}\n";

static rp_buffer buffer(rp_program *p, const char *name, rp_buffer_kind kind) {
    rp_buffer b;
    rp_buffer_params params = {.size = sizeof params,
                               .name = name,
                               .kind = kind,
                               .dtype = RP_F32,
                               .rank = 1,
                               .shape = {64}};
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(p, &params, NULL, &b), RP_OK);
    return b;
}

static rp_plan *compile(void) {
    rp_program *p;
    rp_recorder *r;
    rp_graph *g = NULL;
    rp_kernel k;
    rp_plan *plan = NULL;
    const rp_spec_constant specs[] = {{3, 64}, {5, 0x40000000}, {9, 8}};
    rp_kernel_params params = {
        .size = sizeof params, .name = "mix", .glsl = glsl, .spec = specs, .spec_count = 3};
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "p", &p), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_program_kernel(p, &params, NULL, &k), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(p, &r), RP_OK);
    rp_bind_kernel(r, k);
    rp_bind(r, 0, (rp_range){buffer(p, "r", RP_IN)});
    rp_bind(r, 1, (rp_range){buffer(p, "rw", RP_INOUT)});
    rp_bind(r, 2, (rp_range){buffer(p, "w", RP_OUT)});
    rp_bind_in_set(r, 1, 0, (rp_range){buffer(p, "u", RP_WEIGHT)});
    rp_push(r, 0, (uint32_t[2]){1, 2}, 8);
    rp_dispatch(r, 1, 1, 1);
    CU_ASSERT_EQUAL_FATAL(rp_program_graph(p, &r, 1, NULL, &g), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_compile(g, NULL, NULL, &plan, NULL), RP_OK);
    rp_graph_destroy(g);
    rp_recorder_destroy(r);
    rp_program_destroy(p);
    return plan;
}

#define KERNEL(field) RP_SECTION_KERNELS, offsetof(rp_plan_kernel, field)
#define PARAM(index, field)                                                                        \
    RP_SECTION_PARAMS, (index) * sizeof(rp_plan_param) + offsetof(rp_plan_param, field)
#define SPEC(index, field)                                                                         \
    RP_SECTION_SPECS, (index) * sizeof(rp_plan_spec) + offsetof(rp_plan_spec, field)
#define SAYS "kernel 'mix': its record says "

static const struct {
    rp_section section;
    size_t offset, size;
    uint32_t value;
    const char *message; /* NULL: such a plan opens */
} rules[] = {
    {KERNEL(push_bytes), 4, 0, SAYS "0 bytes of push constants, the block of its SPIR-V has 8"},
    {KERNEL(push_bytes), 4, 4, SAYS "4 bytes of push constants, the block of its SPIR-V has 8"},
    {KERNEL(local), 4, 32, SAYS "workgroups of 32 x 1 x 1, its SPIR-V 64 x 1 x 1"},
    {KERNEL(local) + 8, 4, 2, SAYS "workgroups of 64 x 1 x 2, its SPIR-V 64 x 1 x 1"},
    {KERNEL(shared_bytes), 4, 252, SAYS "252 bytes of workgroup memory, its SPIR-V has 256"},
    {KERNEL(shared_bytes), 4, 1024, NULL},
    {PARAM(0, access), 1, RP_WRITE, SAYS "'w' for binding 0 of set 0, its SPIR-V reads it"},
    {PARAM(0, access), 1, RP_UNIFORM, SAYS "'u' for binding 0 of set 0, its SPIR-V has a storage"},
    {PARAM(1, access), 1, RP_READ, SAYS "'r' for binding 1 of set 0, its SPIR-V writes it"},
    {PARAM(1, access), 1, RP_WRITE, SAYS "'w' for binding 1 of set 0, its SPIR-V reads it"},
    {PARAM(2, access), 1, RP_READ, SAYS "'r' for binding 2 of set 0, its SPIR-V writes it"},
    {PARAM(3, access), 1, RP_READ, SAYS "'r' for binding 0 of set 1, its SPIR-V has a uniform"},
    {PARAM(1, binding), 1, 9, "kernel 'mix': its SPIR-V uses binding 1 of set 0, which its record"},
    {PARAM(3, set), 1, 2, "kernel 'mix': its SPIR-V uses binding 0 of set 1, which its record"},
    {SPEC(0, id), 4, 2, SAYS "workgroups of 64 x 1 x 1, its SPIR-V 1 x 1 x 1"},
    {SPEC(1, id), 4, 8, "sets specialisation constant 8 to 32 bits, in its SPIR-V it has another"},
    {SPEC(1, id), 4, 7, NULL},
    {SPEC(0, value), 4, 16, SAYS "workgroups of 64 x 1 x 1, its SPIR-V 16 x 1 x 1"},
    {SPEC(1, id), 4, 6, NULL},
    {SPEC(2, value), 4, 65536, "kernel 'mix': with its specialisation constants an array of its"},
    {SPEC(2, value), 4, 9, SAYS "256 bytes of workgroup memory, its SPIR-V has 324"},
};

static void test_records(void) {
    rp_plan *plan = compile();
    size_t size;
    const uint8_t *good = rp_plan_data(plan, &size);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        uint8_t *data = malloc(size);
        rp_diags *diags = rp_diags_create(NULL);
        rp_plan *opened = NULL;
        memcpy(data, good, size);
        size_t section = (size_t)((const uint8_t *)rp_plan_records(plan, rules[i].section) - good);
        memcpy(data + section + rules[i].offset, &rules[i].value, rules[i].size);
        walk_repair(data, size);
        rp_status status = rp_plan_from_memory(NULL, data, size, "p.rplan", diags, &opened);
        const char *said = rp_diags_count(diags) ? rp_diags_get(diags, 0).message : "";
        bool right = rules[i].message ? status == RP_ERROR_DAMAGED && strstr(said, rules[i].message)
                                      : !strstr(said, "SPIR-V");
        CU_ASSERT_TRUE(right);
        if (!right) fprintf(stderr, "  rule %zu: '%s'\n", i, said);
        rp_plan_destroy(opened);
        rp_diags_destroy(diags);
        free(data);
    }
    rp_plan_destroy(plan);
}

/* More than the code does: what it only reads may be `rw`. The node's use must say the same. */
static void test_wider(void) {
    rp_plan *plan = compile(), *opened = NULL;
    size_t size;
    const uint8_t *good = rp_plan_data(plan, &size);
    uint8_t *data = malloc(size);
    memcpy(data, good, size);
    rp_plan_use *uses =
        (rp_plan_use *)(data + ((const uint8_t *)rp_plan_records(plan, RP_SECTION_USES) - good));
    rp_plan_param *params =
        (rp_plan_param *)(data +
                          ((const uint8_t *)rp_plan_records(plan, RP_SECTION_PARAMS) - good));
    rp_plan_buffer *buffers =
        (rp_plan_buffer *)(data +
                           ((const uint8_t *)rp_plan_records(plan, RP_SECTION_BUFFERS) - good));
    uses[2].access = params[2].access = RP_READ_WRITE;
    buffers[uses[2].buffer].kind = RP_INOUT;
    walk_repair(data, size);
    CU_ASSERT_EQUAL(rp_plan_from_memory(NULL, data, size, "p.rplan", NULL, &opened), RP_OK);
    rp_plan_destroy(opened);
    free(data);
    rp_plan_destroy(plan);
}

int main(void) {
    const rp_test tests[] = {
        {"records and modules", test_records}, {"wider access", test_wider}, {NULL, NULL}};
    return rp_run_tests("plan SPIR-V", tests);
}
