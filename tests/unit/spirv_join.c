/* Joined kernels: that they are valid, judged by SPIRV-Tools; what they take and bind; which modules are refused, and why;
 * and that damaged ones harm nobody. What they compute is seen by running them (gpu.tags). */
#include <spirv-tools/libspirv.h>
#include <stdlib.h>
#include <string.h>

#include "reprise/needs.h"
#include "spirv/join.h"
#include "support/cases.h"
#include "support/shader_words.h"
#include "support/unit.h"

#define HEAD                                                                                       \
    "#version 450\n#extension GL_EXT_shader_explicit_arithmetic_types : require\n"                 \
    "#extension GL_KHR_shader_subgroup_arithmetic : require\n"                                     \
    "#extension GL_EXT_shader_16bit_storage : require\n"                                           \
    "#extension GL_EXT_shader_atomic_int64 : require\n"                                            \
    "layout(local_size_x = 64) in;\n"                                                              \
    "layout(push_constant) uniform Replay { uint tag; };\n"

/* Everything that generated kernels are made of: shared arrays and numbers, vectors and their components, words
 * of 64 bits and atomics, halves, specialisation constants, positions of every kind, loops and choices. */
static const char *const shaders[] = {
    HEAD "layout(constant_id = 0) const uint N = 4;\nlayout(constant_id = 1) const bool B = true;\n"
         "layout(constant_id = 2) const float F = 0.5;\n"
         "layout(binding = 0) readonly buffer A { vec4 a[]; };\n"
         "layout(binding = 0) readonly buffer A_word { uint a_word[]; };\n"
         "layout(binding = 3) coherent buffer C { uint64_t c[]; };\n"
         "shared float tile[N * 16];\nshared vec4 four[8];\nshared uint flag;\n"
         "void main() {\n"
         "    uint i = gl_GlobalInvocationID.x, s = gl_LocalInvocationIndex;\n"
         "    if (s == 0) flag = a_word[gl_WorkGroupID.y];\n"
         "    tile[s] = a[i].x * F;\n    four[s % 8] = a[i + 1];\n    four[s % 8].y += 1.0;\n"
         "    barrier();\n    float sum = 0.0;\n"
         "    for (uint k = 0; k < N; k++) sum += tile[k] * four[k][k % 4];\n"
         "    if (B && flag != 0u) sum = subgroupAdd(sum);\n"
         "    atomicMax(c[i], uint64_t(floatBitsToUint(sum)) | uint64_t(tag) << 32);\n}\n",
    HEAD
    "layout(binding = 1) buffer D { uint d[]; };\n"
    "layout(binding = 2) readonly buffer E { float16_t e[]; };\n"
    "shared uvec4 words[4];\nshared float sums[16];\n"
    "void main() {\n"
    "    uint s = gl_SubgroupInvocationID + gl_SubgroupID * 4u + gl_LocalInvocationID.x;\n"
    "    sums[s % 16u] = float(e[s]);\n    words[s % 4u] = uvec4(s);\n    barrier();\n"
    "    switch (gl_WorkGroupID.x % 3u) {\n    case 0: atomicAdd(d[s], words[1].z); break;\n"
    "    case 1: d[s] = uint(sums[3]); break;\n    default: d[s] = gl_NumWorkGroups.z;\n    }\n"
    "}\n",
    HEAD "layout(binding = 4) buffer G { uvec2 g[]; };\n"
         "void main() { g[gl_GlobalInvocationID.y * 7u + gl_NumSubgroups].y = tag; }\n"};
enum { SHADERS = sizeof shaders / sizeof *shaders };

static uint32_t *words[SHADERS], counts[SHADERS];

static rp_allocator allocator(void) {
    return rp_allocator_or_default(NULL);
}

static rp_spirv_part part_of(uint32_t i) {
    static const rp_spirv_spec specs[] = {{.id = 0, .value = 6}, {.id = 1, .value = 0}};
    return (rp_spirv_part){.words = words[i],
                           .word_count = counts[i],
                           .entry = "main",
                           .specs = i == 0 ? specs : NULL,
                           .spec_count = i == 0 ? 2 : 0};
}

static bool validates(const uint32_t *module, uint32_t count) {
    spv_context context = spvContextCreate(SPV_ENV_VULKAN_1_2);
    spv_const_binary_t binary = {module, count};
    spv_diagnostic diagnostic = NULL;
    spv_result_t result = spvValidate(context, &binary, &diagnostic);
    if (result != SPV_SUCCESS && diagnostic) printf("\n%s\n", diagnostic->error);
    spvDiagnosticDestroy(diagnostic);
    spvContextDestroy(context);
    return result == SPV_SUCCESS;
}

static void test_open(void) {
    for (uint32_t i = 0; i < SHADERS; i++)
        words[i] = rp_shader_words(shaders[i], "part", &counts[i]);
}

/* ---- Valid modules --------------------------------------------------------------------------- */

/* Each alone, all pairs, and all of them in every order, some twice. */
static void test_valid(void) {
    static const uint32_t orders[][5] = {{0, 1, 2, 0, 1}, {2, 1, 0, 1, 2}, {1, 1, 1, 0, 2}};
    const rp_allocator a = allocator();
    rp_spirv_part parts[SHADERS];
    rp_spirv_joined joined;
    char why[128];
    for (uint32_t i = 0; i < SHADERS; i++) parts[i] = part_of(i);
    for (uint32_t i = 0; i < SHADERS; i++) {
        const uint32_t only = 0;
        CU_ASSERT_EQUAL_FATAL(rp_spirv_join(&a, &parts[i], 1, &only, 1, &joined, why), RP_OK);
        CU_ASSERT_TRUE(validates(joined.words, joined.word_count));
        rp_release(&a, joined.words);
    }
    for (uint32_t i = 0; i < sizeof orders / sizeof *orders; i++)
        for (uint32_t phases = 1; phases <= 5; phases++) {
            CU_ASSERT_EQUAL_FATAL(
                rp_spirv_join(&a, parts, SHADERS, orders[i], phases, &joined, why), RP_OK);
            CU_ASSERT_TRUE(validates(joined.words, joined.word_count));
            rp_release(&a, joined.words);
        }
}

/* Shared memory is the most of each type: 96 floats of the first, 8 vec4, 4 uvec4, a word. Addresses are as many as the
 * largest binding asks for, two in a row. */
static void test_figures(void) {
    const rp_allocator a = allocator();
    const rp_spirv_part parts[] = {part_of(0), part_of(1), part_of(2)};
    const uint32_t of[] = {0, 1, 2}, one = 0;
    rp_spirv_joined joined;
    char why[128];
    CU_ASSERT_EQUAL_FATAL(rp_spirv_join(&a, parts, 3, of, 3, &joined, why), RP_OK);
    CU_ASSERT_EQUAL(joined.rows, 2 + 3);
    CU_ASSERT_EQUAL(joined.shared_bytes, 4 * 6 * 16 + 16 * 8 + 16 + 16 * 4);
    rp_spirv_reader reader;
    rp_spirv_reader_init(&reader, NULL);
    CU_ASSERT_EQUAL_FATAL(
        rp_spirv_read(&reader, joined.words, joined.word_count, "main", NULL, 0, why), RP_OK);
    CU_ASSERT_EQUAL(reader.local[0], 64);
    CU_ASSERT_TRUE(reader.shared_bytes <= joined.shared_bytes);
    CU_ASSERT_TRUE(reader.needs & RP_NEED_DEVICE_ADDRESS);
    CU_ASSERT_EQUAL(reader.constant_count, 0); /* specialised for good */
    CU_ASSERT_EQUAL(reader.resource_count, 3); /* the tag, the table, the probe */
    rp_spirv_reader_free(&reader);
    rp_release(&a, joined.words);
    CU_ASSERT_EQUAL_FATAL(rp_spirv_join(&a, &parts[2], 1, &one, 1, &joined, why), RP_OK);
    CU_ASSERT_EQUAL(joined.shared_bytes, 0);
    rp_release(&a, joined.words);
    uint32_t rows[8] = {0};
    rp_spirv_join_grid((const uint32_t[]){5, 3, 2}, rows);
    CU_ASSERT_EQUAL(rows[0], 30);
    CU_ASSERT_EQUAL(memcmp(rows + 1, (const uint32_t[]){5, 3, 2}, 12), 0);
    CU_ASSERT_EQUAL(memcmp(rows + 4, (const uint32_t[]){5, 3, 2}, 12), 0);
}

/* ---- What is refused ------------------------------------------------------------------------- */

static const struct {
    const char *glsl, *why;
} refused[] = {
    {"#version 450\nlayout(local_size_x = 32) in;\nlayout(binding = 0) buffer B { uint b; };\n"
     "void main() { b = 1; }\n",
     "workgroups of different sizes"},
    {HEAD "layout(binding = 0) uniform U { uint u; };\nlayout(binding = 1) buffer B { uint b; };\n"
          "void main() { b = u; }\n",
     "a variable of class 2"},
    {HEAD "layout(binding = 0, r32ui) uniform uimage2D i;\n"
          "void main() { imageStore(i, ivec2(0), uvec4(1)); }\n",
     "instruction 25"},
    {"#version 450\nlayout(local_size_x = 64) in;\n"
     "layout(push_constant) uniform P { uint a, b; };\nlayout(binding = 0) buffer B { uint c; };\n"
     "void main() { c = a + b; }\n",
     "push constants beside the tag"},
    {HEAD "layout(binding = 0) buffer B { uint n; uint b[]; };\nvoid main() { n = b.length(); }\n",
     "the length of a buffer"},
    {HEAD "layout(set = 1, binding = 0) buffer B { uint b; };\nvoid main() { b = 1; }\n",
     "descriptor set 1"},
    {HEAD "layout(binding = 0) buffer B { uint b; } all[2];\nvoid main() { all[1].b = 1; }\n",
     "an array of buffers"},
    {HEAD "struct S { uint a; float b; };\nshared S s[4];\n"
          "layout(binding = 0) buffer B { uint b; };\n"
          "void main() { s[gl_LocalInvocationIndex % 4].a = 2; barrier(); b = s[1].a; }\n",
     "shared memory of structs, or of a size that is not known"},
    {"#version 450\nlayout(local_size_x = 64) in;\nlayout(push_constant) uniform P { int tag; };\n"
     "layout(binding = 0) buffer B { int b; };\nvoid main() { b = tag; }\n",
     "push constants beside the tag"},
    {"#version 450\n#extension GL_EXT_null_initializer : require\nlayout(local_size_x = 64) in;\n"
     "shared uint s = {};\nlayout(binding = 0) buffer B { uint b; };\n"
     "void main() { atomicAdd(s, 1u); barrier(); b = s; }\n",
     "a variable with a value to begin with"},
    {HEAD "layout(binding = 0) buffer B { uint b; };\nlayout(binding = 300) buffer C { uint c; };\n"
          "void main() { b = c; }\n",
     "binding 300"},
};

static void test_refused(void) {
    const rp_allocator a = allocator();
    for (uint32_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        uint32_t count;
        uint32_t *made = rp_shader_words(refused[i].glsl, "refused", &count);
        const rp_spirv_part parts[] = {part_of(1),
                                       {.words = made, .word_count = count, .entry = "main"}};
        const uint32_t of[] = {0, 1};
        rp_spirv_joined joined;
        char why[128] = "";
        CU_ASSERT_EQUAL(rp_spirv_join(&a, parts, 2, of, 2, &joined, why), RP_ERROR_UNSUPPORTED);
        CU_ASSERT_STRING_EQUAL(why, refused[i].why);
        CU_ASSERT_PTR_NULL(joined.words);
        free(made);
    }
    rp_spirv_joined joined;
    char why[128];
    const rp_spirv_part part = part_of(0);
    CU_ASSERT_EQUAL(rp_spirv_join(&a, &part, 1, NULL, 0, &joined, why), RP_ERROR_UNSUPPORTED);
    const rp_spirv_part nothing = {.words = words[0], .word_count = 3, .entry = "main"};
    CU_ASSERT_EQUAL(rp_spirv_join(&a, &nothing, 1, &(uint32_t){0}, 1, &joined, why),
                    RP_ERROR_DAMAGED);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static uint32_t state = 1;

static uint32_t draw(uint32_t below) {
    state = state * 1664525 + 1013904223;
    return (uint32_t)(((uint64_t)state * below) >> 32);
}

/* Words changed at random, beside a good module: taken or refused, and under sanitizers nothing is read that is not there. */
static void test_damage(void) {
    const rp_allocator a = allocator();
    uint32_t all = (uint32_t)rp_cases(3000, 100), taken = 0;
    for (uint32_t c = 0; c < all; c++) {
        state = c * 7919 + 17;
        uint32_t which = draw(SHADERS), count = counts[which], *bad = malloc(count * 4u);
        CU_ASSERT_PTR_NOT_NULL_FATAL(bad);
        memcpy(bad, words[which], count * 4u);
        for (uint32_t changes = 1 + draw(3); changes; changes--) {
            uint32_t at = 5 + draw(count - 5);
            switch (draw(4)) {
            case 0: bad[at] ^= UINT32_C(1) << draw(32); break;
            case 1: bad[at] = draw(bad[3] + 2); break;
            case 2: bad[at] = bad[5 + draw(count - 5)]; break;
            case 3: bad[at] = (bad[at] & 0xffff0000) | draw(460); break;
            }
        }
        rp_spirv_part parts[] = {part_of(0), part_of(which)};
        parts[1].words = bad;
        rp_spirv_joined joined;
        char why[128];
        rp_status status =
            rp_spirv_join(&a, parts, 2, (const uint32_t[]){0, 1, 0}, 3, &joined, why);
        CU_ASSERT_TRUE(status == RP_OK || status == RP_ERROR_UNSUPPORTED ||
                       status == RP_ERROR_DAMAGED);
        taken += status == RP_OK;
        rp_release(&a, joined.words);
        free(bad);
    }
    printf(" %u of %u taken", taken, all);
    CU_ASSERT_TRUE(taken > 0 && taken < all);
}

int main(void) {
    static const rp_test tests[] = {{"parts", test_open},      {"valid modules", test_valid},
                                    {"figures", test_figures}, {"refused", test_refused},
                                    {"damaged", test_damage},  {NULL, NULL}};
    int status = rp_run_tests("joined kernels", tests);
    for (uint32_t i = 0; i < SHADERS; i++) free(words[i]);
    return status;
}
