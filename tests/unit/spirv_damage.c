/* Damaged SPIR-V: thousands of modules, each made from a good one by changing a few words, are
 * handed to a program as kernels and to the plan reader as a plan's. Each is refused with a reason
 * or taken; none ends the process, under sanitizers none reads outside.
 *
 * RP_CASES=100000 for a long run. */
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "kernel/kernel.h"
#include "reprise/compiler.h"
#include "support/cases.h"
#include "support/plan_walk.h"
#include "support/shader_words.h"
#include "support/unit.h"

enum { CASES = 4000, SEEDS = 5, MOST = 4096 /* words of a module */ };

typedef struct seed {
    const char *entry;
    uint32_t *words;
    uint32_t count;
} seed;

static seed seeds[SEEDS];

static uint32_t cases(void) {
    return (uint32_t)rp_cases(CASES, 100);
}

static uint32_t state = 1;

static uint32_t draw(uint32_t below) {
    state = state * 1664525 + 1013904223;
    return below ? (uint32_t)(((uint64_t)state * below) >> 32) : 0;
}

/* ---- Good modules ---------------------------------------------------------------------------- */

/* Everything that the reader looks at, as shaderc writes it: with names, and optimised. */
static const char *const glsl =
    "#version 450\n#extension GL_KHR_shader_subgroup_arithmetic : require\n"
    "layout(local_size_x_id = 0, local_size_y = 2) in;\n"
    "layout(constant_id = 3) const int N = 5;\nlayout(constant_id = 9) const bool B = true;\n"
    "struct S { vec3 a; mat3 m; float s[4]; };\nshared float tile[N * 4];\nshared S corner[3];\n"
    "layout(set = 1, binding = 0) writeonly buffer C { uint n; vec4 v; S s[]; } result;\n"
    "layout(binding = 2) readonly buffer A { float a[]; } left;\n"
    "layout(binding = 1) buffer D { uint d[16]; };\n"
    "layout(binding = 3, row_major) uniform E { float e; mat4 f[2]; } block;\n"
    "layout(binding = 5) buffer Unused { uint u; };\n"
    "layout(push_constant) uniform P { uint x; float y; vec2 z; int w; } push;\n"
    "float twice(float v) { return v * 2 + block.f[1][0].x; }\n"
    "void main() {\n    uint i = gl_GlobalInvocationID.x;\n"
    "    tile[gl_LocalInvocationIndex] = twice(left.a[i]); corner[0].a = vec3(1);\n    barrier();\n"
    "    for (uint k = 0; k < push.x; k++) d[k & 15] += atomicAdd(d[0], 1);\n"
    "    if (B) result.s[i].m[1] = vec3(subgroupAdd(tile[0]) + push.y + block.e, corner[0].a.xy);\n"
    "    result.n = left.a.length();\n}\n";

/* Decorations through groups, BufferBlock, two entry points of one function, a composite size. */
static const char *const assembly =
    "OpCapability Shader\nOpMemoryModel Logical GLSL450\n"
    "OpEntryPoint GLCompute %main \"main\"\nOpEntryPoint GLCompute %main \"again\"\n"
    "OpExecutionMode %main LocalSize 1 1 1\nOpName %var \"var\"\nOpMemberName %block 0 \"member\"\n"
    "OpDecorate %group DescriptorSet 2\nOpDecorate %group Binding 4\n"
    "%group = OpDecorationGroup\nOpGroupDecorate %group %var\n"
    "OpDecorate %block BufferBlock\nOpMemberDecorate %block 0 Offset 0\n"
    "OpDecorate %array ArrayStride 4\nOpDecorate %x SpecId 11\n"
    "OpDecorate %size BuiltIn WorkgroupSize\n"
    "%void = OpTypeVoid\n%fn = OpTypeFunction %void\n%uint = OpTypeInt 32 0\n"
    "%v3 = OpTypeVector %uint 3\n%zero = OpConstant %uint 0\n%two = OpConstant %uint 2\n"
    "%one = OpConstant %uint 1\n%x = OpSpecConstant %uint 8\n"
    "%y = OpSpecConstantOp %uint UDiv %x %two\n"
    "%size = OpSpecConstantComposite %v3 %x %y %one\n%array = OpTypeRuntimeArray %uint\n"
    "%block = OpTypeStruct %array\n%pblock = OpTypePointer Uniform %block\n"
    "%puint = OpTypePointer Uniform %uint\n%var = OpVariable %pblock Uniform\n"
    "%leaf = OpFunction %void None %fn\n%l1 = OpLabel\nOpReturn\nOpFunctionEnd\n"
    "%main = OpFunction %void None %fn\n%l2 = OpLabel\n%r = OpFunctionCall %void %leaf\n"
    "%p = OpAccessChain %puint %var %zero %zero\n%q = OpCopyObject %puint %p\n"
    "%s = OpAtomicIAdd %uint %q %one %zero %two\nOpReturn\nOpFunctionEnd\n";

static void add_seed(uint32_t i, const uint32_t *words, uint32_t count, const char *entry) {
    seeds[i] = (seed){entry, malloc((size_t)count * 4), count};
    CU_ASSERT_TRUE_FATAL(seeds[i].words && count <= MOST);
    memcpy(seeds[i].words, words, (size_t)count * 4);
}

static void make_seeds(void) {
    static const char *const small =
        "#version 450\nlayout(binding = 0) buffer B { uint b; };\nvoid main() { b = 1; }\n";
    rp_kernel_module m;
    rp_kernel_params params = {.size = sizeof params, .name = "k", .glsl = glsl};
    CU_ASSERT_EQUAL_FATAL(rp_kernel_build(NULL, &params, NULL, NULL, 0, 0, &m), RP_OK);
    add_seed(0, m.words, m.word_count, "main");
    add_seed(1, m.interface, m.interface_count, "main");
    rp_kernel_free(&m);
    params.glsl = small;
    CU_ASSERT_EQUAL_FATAL(rp_kernel_build(NULL, &params, NULL, NULL, 0, 0, &m), RP_OK);
    add_seed(2, m.words, m.word_count, "main");
    rp_kernel_free(&m);
    for (uint32_t i = 3; i < SEEDS; i++) {
        size_t size = 0;
        uint32_t *words = rp_assemble(assembly, 0x00010300, &size);
        add_seed(i, words, (uint32_t)(size / 4), i == 3 ? "main" : "again");
        free(words);
    }
}

/* ---- Damage ---------------------------------------------------------------------------------- */

/* The word at which some instruction starts. */
static uint32_t any_instruction(const uint32_t *words, uint32_t count) {
    uint32_t wanted = draw(count), at = 5;
    while (at < count && at + (words[at] >> 16) <= wanted && words[at] >> 16) at += words[at] >> 16;
    return at < count ? at : 5;
}

/* Makes room for, or takes away, words; returns the new count. */
static uint32_t repeat_or_drop(uint32_t *words, uint32_t count) {
    uint32_t at = any_instruction(words, count), length = words[at] >> 16;
    if (length == 0 || at + length > count) return count;
    uint32_t rest = count - at - length;
    if (draw(2) && count + length <= MOST) {
        memmove(words + at + length, words + at, (size_t)(length + rest) * 4);
        return count + length;
    }
    memmove(words + at, words + at + length, (size_t)rest * 4);
    return count - length;
}

static uint32_t damage(uint32_t *words, uint32_t count) {
    static const uint32_t special[] = {0, 1, UINT32_MAX, 0x80000000, 0xffff, 0x10000, 0x7fffffff};
    for (uint32_t changes = 1 + draw(3); changes; changes--) {
        uint32_t i = draw(16) ? 5 + draw(count - 5) : draw(5);
        switch (draw(8)) {
        case 0: words[i] ^= UINT32_C(1) << draw(32); break;
        case 1: words[i] = special[draw(sizeof special / sizeof *special)]; break;
        case 2: words[i] = draw(words[3] < 4096 ? words[3] + 2 : 4096); break; /* an id */
        case 3: words[i] = draw(80); break;
        case 4: words[i] = words[5 + draw(count - 5)]; break;
        case 5: { /* another instruction of the same length */
            uint32_t at = any_instruction(words, count);
            words[at] = (words[at] & 0xffff0000) | draw(draw(4) ? 260 : 6100);
            break;
        }
        case 6: { /* an operand of an instruction becomes another id */
            uint32_t at = any_instruction(words, count), length = words[at] >> 16;
            if (length > 1 && at + length <= count)
                words[at + 1 + draw(length - 1)] = 1 + draw(words[3] < 4096 ? words[3] : 4096);
            break;
        }
        case 7: count = repeat_or_drop(words, count); break;
        }
    }
    return count;
}

/* ---- Trying ---------------------------------------------------------------------------------- */

static rp_status try_kernel(const seed *from, const uint32_t *words, uint32_t count) {
    rp_program *program;
    rp_kernel kernel;
    rp_diags *diags = rp_diags_create(NULL);
    rp_kernel_params params = {.size = sizeof params,
                               .name = "k",
                               .spirv = words,
                               .spirv_size = (size_t)count * 4,
                               .entry = from->entry};
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "p", &program), RP_OK);
    rp_status status = rp_program_kernel(program, &params, diags, &kernel);
    CU_ASSERT_TRUE(status == RP_OK || (status == RP_ERROR_INVALID && rp_diags_error_count(diags)));
    rp_program_destroy(program);
    rp_diags_destroy(diags);
    return status;
}

/* A plan that runs the seed's kernel. */
static rp_plan *make_plan(const seed *from) {
    rp_kernel_module m;
    rp_program *p;
    rp_recorder *r;
    rp_kernel k;
    rp_graph *g = NULL;
    rp_plan *plan = NULL;
    const uint8_t push[RP_MAX_PUSH_BYTES] = {0};
    rp_kernel_params params = {.size = sizeof params,
                               .name = "k",
                               .spirv = from->words,
                               .spirv_size = (size_t)from->count * 4,
                               .entry = from->entry};
    CU_ASSERT_EQUAL_FATAL(rp_kernel_build(NULL, &params, NULL, NULL, 0, 0, &m), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "p", &p), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_program_kernel(p, &params, NULL, &k), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(p, &r), RP_OK);
    rp_bind_kernel(r, k);
    for (uint32_t i = 0; i < m.binding_count; i++) {
        char name[16];
        rp_buffer b;
        snprintf(name, sizeof name, "b%u", i);
        rp_buffer_params buffer = {
            .size = sizeof buffer, .name = name, .kind = RP_INOUT, .dtype = RP_RAW, .bytes = 65536};
        CU_ASSERT_EQUAL_FATAL(rp_program_buffer(p, &buffer, NULL, &b), RP_OK);
        rp_bind_in_set(r, m.bindings[i].set, m.bindings[i].binding, (rp_range){b});
    }
    if (m.push_bytes) rp_push(r, 0, push, m.push_bytes);
    rp_dispatch(r, 1, 1, 1);
    CU_ASSERT_EQUAL_FATAL(rp_program_graph(p, &r, 1, NULL, &g), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_compile(g, NULL, NULL, &plan, NULL), RP_OK);
    rp_graph_destroy(g);
    rp_recorder_destroy(r);
    rp_program_destroy(p);
    rp_kernel_free(&m);
    return plan;
}

/* The plan with other words, as many, and all hashes right. */
static rp_status try_plan(const rp_plan *plan, const uint32_t *words, uint32_t count) {
    size_t size;
    const uint8_t *good = rp_plan_data(plan, &size);
    uint8_t *data = malloc(size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(data);
    memcpy(data, good, size);
    memcpy(data + ((const uint8_t *)rp_plan_records(plan, RP_SECTION_WORDS) - good), words,
           (size_t)count * 4);
    uint64_t hash = rp_hash(words, (size_t)count * 4);
    memcpy(data + ((const uint8_t *)rp_plan_records(plan, RP_SECTION_KERNELS) - good) +
               offsetof(rp_plan_kernel, hash),
           &hash, sizeof hash);
    walk_repair(data, size);
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *opened = NULL;
    rp_status status = rp_plan_from_memory(NULL, data, size, "p.rplan", diags, &opened);
    CU_ASSERT_TRUE(status == RP_OK || (status == RP_ERROR_DAMAGED && rp_diags_count(diags) == 1));
    rp_plan_destroy(opened);
    rp_diags_destroy(diags);
    free(data);
    return status;
}

/* ---- The tests ------------------------------------------------------------------------------- */

/* A case depends on its number alone, so that one can be repeated. */
static uint32_t make_case(uint32_t number, const seed **from, uint32_t words[MOST]) {
    state = number * 7919 + 17;
    *from = &seeds[draw(SEEDS)];
    memcpy(words, (*from)->words, (size_t)(*from)->count * 4);
    return damage(words, (*from)->count);
}

static void test_kernels(void) {
    uint32_t words[MOST], taken = 0, all = cases();
    const seed *from;
    for (uint32_t i = 0; i < SEEDS; i++)
        CU_ASSERT_EQUAL(try_kernel(&seeds[i], seeds[i].words, seeds[i].count), RP_OK);
    for (uint32_t i = 0; i < all; i++) {
        uint32_t count = make_case(i, &from, words);
        taken += try_kernel(from, words, count) == RP_OK;
    }
    printf(" %u of %u taken", taken, all);
    CU_ASSERT_TRUE(taken > 0 && taken < all / 4);
}

static void test_plans(void) {
    uint32_t words[MOST], taken = 0, tried = 0, all = cases();
    rp_plan *plans[SEEDS];
    const seed *from;
    for (uint32_t i = 0; i < SEEDS; i++) plans[i] = make_plan(&seeds[i]);
    for (uint32_t i = 0; i < SEEDS; i++)
        CU_ASSERT_EQUAL(try_plan(plans[i], seeds[i].words, seeds[i].count), RP_OK);
    for (uint32_t i = 0; i < all; i++) {
        uint32_t count = make_case(i, &from, words);
        if (count != from->count) continue;
        tried++;
        taken += try_plan(plans[from - seeds], words, count) == RP_OK;
    }
    printf(" %u of %u taken", taken, tried);
    CU_ASSERT_TRUE(taken > 0 && taken < tried);
    for (uint32_t i = 0; i < SEEDS; i++) rp_plan_destroy(plans[i]);
}

int main(void) {
    const rp_test tests[] = {{"good modules", make_seeds},
                             {"kernels", test_kernels},
                             {"plans", test_plans},
                             {NULL, NULL}};
    int failures = rp_run_tests("damaged SPIR-V", tests);
    for (uint32_t i = 0; i < SEEDS; i++) free(seeds[i].words);
    return failures;
}
