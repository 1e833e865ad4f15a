/* Kernels that are right: what reflection finds in GLSL and in SPIR-V that others assembled. */
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "kernel/kernel.h"
#include "support/shader_words.h"
#include "support/unit.h"

static rp_diags *diags;

static void print_diags(void) {
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        char text[512];
        rp_diag d = rp_diags_get(diags, i);
        rp_diag_format(&d, text, sizeof text);
        fprintf(stderr, "  %s\n", text);
    }
}

static rp_kernel_module build(const rp_kernel_params *params) {
    rp_kernel_module m;
    rp_diags_destroy(diags);
    diags = rp_diags_create(NULL);
    rp_status status = rp_kernel_build(NULL, params, diags, "p.yaml", 7, 3, &m);
    if (status != RP_OK) print_diags();
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    return m;
}

static rp_kernel_module build_glsl(const char *glsl) {
    return build(&(rp_kernel_params){.name = "k", .glsl = glsl, .glsl_file = "k.comp"});
}

static const rp_kernel_binding *binding(const rp_kernel_module *m, uint32_t set, uint32_t number) {
    for (uint32_t i = 0; i < m->binding_count; i++)
        if (m->bindings[i].set == set && m->bindings[i].binding == number) return &m->bindings[i];
    CU_FAIL_FATAL("no such binding");
    return NULL;
}

/* ---- GLSL ------------------------------------------------------------------------------------ */

static const char *const everything =
    "#version 450\n"
    "layout(local_size_x_id = 0, local_size_y = 2) in;\n"
    "layout(constant_id = 3) const int N = 5;\n"
    "layout(constant_id = 4) const float F = 1.5;\n"
    "layout(constant_id = 9) const bool B = true;\n"
    "shared float tile[N * 4];\n"
    "shared vec3 corner[3];\n"
    "layout(set = 1, binding = 0) writeonly buffer C { uint n; vec4 v; float c[]; } result;\n"
    "layout(set = 0, binding = 2) readonly buffer A { float a[]; } left;\n"
    "layout(set = 0, binding = 1) buffer D { float d[16]; };\n"
    "layout(set = 0, binding = 3) uniform E { float e; vec4 f; } block;\n"
    "layout(set = 0, binding = 5) buffer Unused { uint u; };\n"
    "layout(push_constant) uniform P { uint x; float y; vec2 z; int w; } push;\n"
    "void main() {\n"
    "    uint i = gl_GlobalInvocationID.x;\n"
    "    tile[gl_LocalInvocationIndex] = left.a[i] * F; corner[0] = vec3(1);\n"
    "    barrier();\n"
    "    if (B) result.c[i] = tile[0] + push.y + block.e + d[1] + corner[0].x;\n"
    "}\n";

static void test_bindings(void) {
    rp_kernel_module m = build_glsl(everything);
    CU_ASSERT_EQUAL_FATAL(m.binding_count, 5);
    for (uint32_t i = 1; i < m.binding_count; i++)
        CU_ASSERT(m.bindings[i - 1].set * 256 + m.bindings[i - 1].binding <
                  m.bindings[i].set * 256 + m.bindings[i].binding);
    const rp_kernel_binding *a = binding(&m, 0, 2), *d = binding(&m, 0, 1), *e = binding(&m, 0, 3),
                            *c = binding(&m, 1, 0), *unused = binding(&m, 0, 5);
    CU_ASSERT_STRING_EQUAL(a->name, "left"); /* the instance's name */
    CU_ASSERT_STRING_EQUAL(d->name, "D");    /* no instance: the block's */
    CU_ASSERT_STRING_EQUAL(c->name, "result");
    CU_ASSERT_EQUAL(a->access, RP_READ);
    CU_ASSERT_EQUAL(d->access, RP_READ); /* says nothing, but is never written */
    CU_ASSERT_EQUAL(c->access, RP_WRITE);
    CU_ASSERT_EQUAL(e->access, RP_UNIFORM);
    CU_ASSERT_EQUAL(unused->access, RP_READ); /* kept, though the optimiser removes it */
    CU_ASSERT(c->used && !unused->used && !unused->reads && !unused->writes);
    CU_ASSERT_EQUAL(a->min_size, 4);
    CU_ASSERT_EQUAL(d->min_size, 64);
    CU_ASSERT_EQUAL(e->min_size, 32);
    CU_ASSERT_EQUAL(c->min_size, 36); /* n, padding, v, one element of c */
    CU_ASSERT_EQUAL(m.hash, rp_hash(m.words, (size_t)m.word_count * 4));
    rp_kernel_free(&m);
}

static void test_push_and_sizes(void) {
    rp_kernel_module m = build_glsl(everything);
    CU_ASSERT_EQUAL(m.push_bytes, 20);
    static const struct {
        const char *name, *type;
        uint32_t offset, size;
    } want[] = {
        {"x", "u32", 0, 4}, {"y", "f32", 4, 4}, {"z", "2 x f32", 8, 8}, {"w", "i32", 16, 4}};
    const rp_block_layout *push = &m.layouts.items[m.push_layout];
    CU_ASSERT_EQUAL_FATAL(push->parts, 4);
    CU_ASSERT_EQUAL(m.push_words, 0x1f);
    for (uint32_t i = 0; i < 4; i++) {
        const rp_block_layout *member = &m.layouts.items[push->first + i];
        char type[RP_BLOCK_TEXT];
        rp_block_layout_print(&m.layouts, push->first + i, type);
        CU_ASSERT_STRING_EQUAL(member->name, want[i].name);
        CU_ASSERT_STRING_EQUAL(type, want[i].type);
        CU_ASSERT_EQUAL(member->offset, want[i].offset);
        CU_ASSERT_EQUAL(member->size, want[i].size);
    }
    CU_ASSERT_EQUAL(m.local[0], 1);
    CU_ASSERT_EQUAL(m.local[1], 2);
    CU_ASSERT_EQUAL(m.local[2], 1);
    CU_ASSERT_EQUAL(m.shared_bytes, 5 * 4 * 4 + 3 * 16);
    rp_kernel_free(&m);
}

static void test_specialisation(void) {
    rp_kernel_module m = build_glsl(everything);
    CU_ASSERT_EQUAL_FATAL(m.constant_count, 4);
    CU_ASSERT_EQUAL(m.constants[0].id, 0);
    CU_ASSERT_EQUAL(m.constants[1].id, 3);
    CU_ASSERT_STRING_EQUAL(m.constants[1].name, "N");
    CU_ASSERT_EQUAL(m.constants[1].scalar, RP_SCALAR_I32);
    CU_ASSERT_EQUAL(m.constants[1].value, 5);
    CU_ASSERT_EQUAL(m.constants[2].scalar, RP_SCALAR_F32);
    CU_ASSERT_EQUAL(m.constants[2].value, 0x3fc00000);
    CU_ASSERT_EQUAL(m.constants[3].scalar, RP_SCALAR_BOOL);
    uint64_t hash = m.hash;
    const rp_wide_constant specs[] = {{0, 4, 64}, {3, 4, 10}};
    CU_ASSERT_EQUAL(rp_kernel_specialise(&m, specs, 2, diags, NULL, 0, 0), RP_OK);
    CU_ASSERT_EQUAL(m.local[0], 64);
    CU_ASSERT_EQUAL(m.shared_bytes, 10 * 4 * 4 + 3 * 16);
    CU_ASSERT(m.constants[0].specialised && m.constants[1].specialised);
    CU_ASSERT(!m.constants[2].specialised);
    CU_ASSERT_EQUAL(m.hash, hash); /* the driver specialises, the words stay */
    /* One more constant later keeps those that were set before. */
    CU_ASSERT_EQUAL(rp_kernel_specialise(&m, &(rp_wide_constant){9, 4, 7}, 1, diags, NULL, 0, 0),
                    RP_OK);
    CU_ASSERT_EQUAL(m.local[0], 64);
    CU_ASSERT_EQUAL(m.constants[3].value, 1); /* a boolean is 0 or 1 */
    rp_graph *g = rp_graph_create(NULL, "g");
    uint32_t index = rp_kernel_add(g, &m, (rp_source_pos){1, 2});
    CU_ASSERT_EQUAL_FATAL(index, 0);
    CU_ASSERT_EQUAL(g->kernels[0].spec_count, 3);
    CU_ASSERT_EQUAL(g->specs[1].id, 3);
    CU_ASSERT_EQUAL(g->specs[1].value, 10);
    CU_ASSERT_EQUAL(g->kernels[0].param_count, 4); /* Unused is none */
    CU_ASSERT_EQUAL(g->params[0].binding, 1);
    CU_ASSERT_EQUAL(g->params[3].set, 1);
    CU_ASSERT_STRING_EQUAL(rp_graph_string(g, g->kernels[0].entry), "main");
    rp_graph_destroy(g);
    rp_kernel_free(&m);
}

static void test_usage(void) {
    rp_kernel_module m = build_glsl("#version 450\n"
                                    "layout(binding = 0) buffer A { uint a[]; };\n"
                                    "layout(binding = 1) buffer B { uint b[]; };\n"
                                    "layout(binding = 2) buffer C { uint c[]; };\n"
                                    "layout(binding = 3) buffer D { uint d[]; };\n"
                                    "layout(binding = 4) buffer E { uint e[]; };\n"
                                    "void main() {\n"
                                    "    uint i = gl_GlobalInvocationID.x;\n"
                                    "    b[i] = a[i];\n"
                                    "    atomicAdd(c[0], 1);\n"
                                    "    d[i] += uint(e.length());\n"
                                    "}\n");
    const bool want[5][2] = {{true, false}, {false, true}, {true, true}, {true, true}, {false}};
    const uint8_t access[5] = {RP_READ, RP_READ_WRITE, RP_READ_WRITE, RP_READ_WRITE, RP_READ};
    for (uint32_t i = 0; i < 5; i++) {
        const rp_kernel_binding *b = binding(&m, 0, i);
        CU_ASSERT_EQUAL(b->reads, want[i][0]);
        CU_ASSERT_EQUAL(b->writes, want[i][1]);
        CU_ASSERT_EQUAL(b->access, access[i]);
    }
    const rp_kernel_binding *a = binding(&m, 0, 0), *b = binding(&m, 0, 1), *d = binding(&m, 0, 3);
    CU_ASSERT_PTR_NULL(rp_kernel_access_error(a, RP_READ));
    CU_ASSERT_PTR_NOT_NULL(rp_kernel_access_error(a, RP_READ_WRITE));
    CU_ASSERT_PTR_NOT_NULL(rp_kernel_access_error(a, RP_WRITE));
    CU_ASSERT_PTR_NOT_NULL(rp_kernel_access_error(a, RP_UNIFORM));
    CU_ASSERT_PTR_NULL(rp_kernel_access_error(b, RP_WRITE));
    CU_ASSERT_PTR_NOT_NULL(rp_kernel_access_error(b, RP_READ));
    CU_ASSERT_PTR_NOT_NULL(rp_kernel_access_error(d, RP_WRITE));
    CU_ASSERT_PTR_NOT_NULL(rp_kernel_access_error(d, (rp_access)9));
    rp_kernel_free(&m);
}

static void test_aliased_blocks(void) {
    rp_kernel_module m =
        build_glsl("#version 450\n"
                   "layout(binding = 0) readonly buffer A { uint a[]; };\n"
                   "layout(binding = 0) readonly buffer A4 { uvec4 a4[]; };\n"
                   "layout(binding = 1) writeonly buffer B { uint b[]; };\n"
                   "void main() { b[gl_GlobalInvocationID.x] = a[0] + a4[0].x; }\n");
    CU_ASSERT_EQUAL_FATAL(m.binding_count, 2);
    CU_ASSERT_EQUAL(m.bindings[0].access, RP_READ);
    CU_ASSERT_EQUAL(m.bindings[0].min_size, 16);
    rp_kernel_free(&m);
}

static void test_no_bindings(void) {
    rp_kernel_module m =
        build_glsl("#version 450\nlayout(local_size_x = 32) in;\nvoid main() {}\n");
    CU_ASSERT_EQUAL(m.binding_count, 0);
    CU_ASSERT_EQUAL(m.push_bytes, 0);
    CU_ASSERT_EQUAL(m.local[0], 32);
    CU_ASSERT_EQUAL(m.shared_bytes, 0);
    rp_kernel_free(&m);
}

static void test_defines_and_includes(void) {
    const char *defines[] = {"SIZE=48", "FLAG"};
    rp_kernel_params params = {
        .name = "k",
        .glsl = "#version 450\n#extension GL_GOOGLE_include_directive : enable\n"
                "#include \"common/local.glsl\"\n#ifndef FLAG\n#error no flag\n#endif\n"
                "void main() {}\n",
        .glsl_file = RP_TEST_DATA "/data/including.comp",
        .defines = defines,
        .define_count = 2,
    };
    rp_kernel_module m = build(&params), again = build(&params);
    CU_ASSERT_EQUAL(m.local[0], 48);
    CU_ASSERT_EQUAL(m.hash, again.hash); /* deterministic */
    CU_ASSERT_EQUAL(m.word_count, again.word_count);
    rp_kernel_free(&m);
    rp_kernel_free(&again);
}

/* ---- SPIR-V that SPIRV-Tools assembled ------------------------------------------------------- */

/* Two entry points, the old BufferBlock style, decorations through a group, WorkgroupSize of
 * constants with an expression. */
static const char *const old_style = "OpCapability Shader\n"
                                     "OpMemoryModel Logical GLSL450\n"
                                     "OpEntryPoint GLCompute %other \"other\"\n"
                                     "OpEntryPoint GLCompute %main \"second\"\n"
                                     "OpExecutionMode %other LocalSize 7 1 1\n"
                                     "OpExecutionMode %main LocalSize 1 1 1\n"
                                     "OpDecorate %group DescriptorSet 2\n"
                                     "OpDecorate %group Binding 4\n"
                                     "%group = OpDecorationGroup\n"
                                     "OpGroupDecorate %group %var\n"
                                     "OpDecorate %block BufferBlock\n"
                                     "OpMemberDecorate %block 0 Offset 0\n"
                                     "OpDecorate %array ArrayStride 4\n"
                                     "OpDecorate %x SpecId 11\n"
                                     "OpDecorate %size BuiltIn WorkgroupSize\n"
                                     "%void = OpTypeVoid\n"
                                     "%fn = OpTypeFunction %void\n"
                                     "%uint = OpTypeInt 32 0\n"
                                     "%v3 = OpTypeVector %uint 3\n"
                                     "%zero = OpConstant %uint 0\n"
                                     "%two = OpConstant %uint 2\n"
                                     "%one = OpConstant %uint 1\n"
                                     "%x = OpSpecConstant %uint 8\n"
                                     "%y = OpSpecConstantOp %uint UDiv %x %two\n"
                                     "%size = OpSpecConstantComposite %v3 %x %y %one\n"
                                     "%array = OpTypeRuntimeArray %uint\n"
                                     "%block = OpTypeStruct %array\n"
                                     "%pblock = OpTypePointer Uniform %block\n"
                                     "%puint = OpTypePointer Uniform %uint\n"
                                     "%var = OpVariable %pblock Uniform\n"
                                     "%other = OpFunction %void None %fn\n"
                                     "%l1 = OpLabel\nOpReturn\nOpFunctionEnd\n"
                                     "%main = OpFunction %void None %fn\n"
                                     "%l2 = OpLabel\n"
                                     "%p = OpAccessChain %puint %var %zero %zero\n"
                                     "OpStore %p %two\n"
                                     "OpReturn\nOpFunctionEnd\n";

static void test_spirv(void) {
    size_t size = 0;
    uint32_t *words = rp_assemble(old_style, 0x00010300, &size);
    const rp_spec_constant spec = {11, 32};
    rp_kernel_params params = {.name = "k", .spirv = words, .spirv_size = size, .entry = "second"};
    rp_kernel_module m = build(&params);
    CU_ASSERT_EQUAL_FATAL(m.binding_count, 1);
    CU_ASSERT_EQUAL(m.bindings[0].set, 2);
    CU_ASSERT_EQUAL(m.bindings[0].binding, 4);
    CU_ASSERT_EQUAL(m.bindings[0].access, RP_READ_WRITE);
    CU_ASSERT(m.bindings[0].writes && !m.bindings[0].reads);
    CU_ASSERT_EQUAL(m.local[0], 8);
    CU_ASSERT_EQUAL(m.local[1], 4);
    CU_ASSERT_STRING_EQUAL(m.entry, "second");
    CU_ASSERT_EQUAL(m.hash, rp_hash(words, size));
    rp_kernel_free(&m);
    params.spec = &spec;
    params.spec_count = 1;
    m = build(&params);
    CU_ASSERT_EQUAL(m.local[0], 32);
    CU_ASSERT_EQUAL(m.local[1], 16);
    rp_kernel_free(&m);
    free(words);
}

/* A module that the front end compiled itself is one it accepts, and says the same about it. */
static void test_round_trip(void) {
    rp_kernel_module m = build_glsl(everything);
    rp_kernel_module n = build(
        &(rp_kernel_params){.name = "k", .spirv = m.words, .spirv_size = (size_t)m.word_count * 4});
    CU_ASSERT_EQUAL(m.hash, n.hash);
    CU_ASSERT_EQUAL(n.binding_count, 4); /* the unused one is gone for good */
    CU_ASSERT_EQUAL(n.push_bytes, m.push_bytes);
    CU_ASSERT_EQUAL(n.shared_bytes, m.shared_bytes);
    for (uint32_t i = 0; i < n.binding_count; i++) {
        const rp_kernel_binding *b = binding(&m, n.bindings[i].set, n.bindings[i].binding);
        CU_ASSERT_EQUAL(b->access, n.bindings[i].access);
        CU_ASSERT_EQUAL(b->min_size, n.bindings[i].min_size);
    }
    rp_kernel_free(&m);
    rp_kernel_free(&n);
}

/* An array of bindings without a size, with text in front of its type and behind it. */
#define OPEN_ARRAY(before, behind)                                                                 \
    "OpCapability Shader\nOpCapability RuntimeDescriptorArray\n"                                   \
    "OpExtension \"SPV_EXT_descriptor_indexing\"\nOpMemoryModel Logical GLSL450\n"                 \
    "OpEntryPoint GLCompute %main \"main\" %images\nOpExecutionMode %main LocalSize 1 1 1\n"       \
    "OpDecorate %images DescriptorSet 0\nOpDecorate %images Binding 4\n"                           \
    "%void = OpTypeVoid\n%function = OpTypeFunction %void\n%float = OpTypeFloat 32\n" before       \
    "%image = OpTypeImage %float 2D 0 0 0 1 Unknown\n%array = OpTypeRuntimeArray %image\n"         \
    "%pointer = OpTypePointer UniformConstant %array\n"                                            \
    "%images = OpVariable %pointer UniformConstant\n" behind                                       \
    "%main = OpFunction %void None %function\n%label = OpLabel\nOpReturn\nOpFunctionEnd\n"

/* Whether the words that a driver gets state a capability. */
static bool states(const rp_kernel_module *m, uint32_t capability) {
    for (uint32_t at = 5; at < m->word_count && (m->words[at] & 0xffff) == 17; at += 2)
        if (m->words[at + 1] == capability) return true;
    return false;
}

/* The size that a kernel is given: wherever the integers are that it is written with. */
static void test_sized_arrays(void) {
    static const char *const texts[] = {
        OPEN_ARRAY("", ""), OPEN_ARRAY("%uint = OpTypeInt 32 0\n%one = OpConstant %uint 1\n", ""),
        OPEN_ARRAY("", "%int = OpTypeInt 32 1\n%one = OpConstant %int 1\n"),
        OPEN_ARRAY("%small = OpTypeInt 32 0\n", "%int = OpTypeInt 32 1\n")};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t size = 0;
        uint32_t *words = rp_assemble(texts[i], 0x00010500, &size);
        rp_kernel_module m = build(&(rp_kernel_params){
            .name = "k", .spirv = words, .spirv_size = size, .array_elements = 7});
        CU_ASSERT_EQUAL(binding(&m, 0, 4)->elements, 7);
        CU_ASSERT_EQUAL(binding(&m, 0, 4)->resource, RP_RESOURCE_IMAGE);
        rp_kernel_free(&m);
        free(words);
    }
    rp_kernel_module m = build(&(rp_kernel_params){
        .name = "k",
        .glsl = "#version 450\n#extension GL_EXT_nonuniform_qualifier : require\n"
                "layout(binding = 1) buffer B { uint v[]; } b[];\n"
                "layout(binding = 2) readonly buffer C { uint v[]; } c[3];\n"
                "void main() { b[gl_WorkGroupID.x].v[0] = c[gl_WorkGroupID.y].v[0]; }\n",
        .glsl_file = "k.comp",
        .array_elements = 9});
    CU_ASSERT_EQUAL(binding(&m, 0, 1)->elements, 9);
    CU_ASSERT_EQUAL(binding(&m, 0, 2)->elements, 3);
    CU_ASSERT_TRUE(binding(&m, 0, 1)->used);
    CU_ASSERT_TRUE(states(&m, 30)); /* StorageBufferArrayDynamicIndexing, for both */
    CU_ASSERT_FALSE(states(&m, 5302));
    CU_ASSERT_FALSE(states(&m, 5308));
    rp_kernel_free(&m);
    static const char *const images[] = {
        "imageStore(x[gl_WorkGroupID.x], ivec2(0), vec4(1))",
        "imageStore(x[nonuniformEXT(gl_GlobalInvocationID.x)], ivec2(0), vec4(1))"};
    for (int i = 0; i < 2; i++) {
        char glsl[512];
        snprintf(glsl, sizeof glsl,
                 "#version 450\n#extension GL_EXT_nonuniform_qualifier : require\n"
                 "layout(binding = 1, r32f) writeonly uniform image2D x[];\n"
                 "void main() { %s; }\n",
                 images[i]);
        m = build(&(rp_kernel_params){
            .name = "k", .glsl = glsl, .glsl_file = "k.comp", .array_elements = 2});
        CU_ASSERT_TRUE(states(&m, 31));
        CU_ASSERT_EQUAL(states(&m, 5309), i == 1);
        CU_ASSERT_FALSE(states(&m, 29) || states(&m, 30));
        if (i == 0) rp_kernel_free(&m);
    }
    rp_kernel_free(&m);
}

/* Images and samplers that functions are called with, as no optimiser has come by: nobody can write them. */
static void test_handed_on(void) {
    static const char text[] =
        "OpCapability Shader\nOpMemoryModel Logical GLSL450\n"
        "OpEntryPoint GLCompute %main \"main\" %images\nOpExecutionMode %main LocalSize 1 1 1\n"
        "OpDecorate %images DescriptorSet 0\nOpDecorate %images Binding 4\n"
        "%void = OpTypeVoid\n%function = OpTypeFunction %void\n%float = OpTypeFloat 32\n"
        "%int = OpTypeInt 32 1\n%zero = OpConstant %int 0\n%two = OpConstant %int 2\n"
        "%v2 = OpTypeVector %int 2\n%v4 = OpTypeVector %float 4\n%at = OpConstantComposite %v2 "
        "%zero %zero\n"
        "%image = OpTypeImage %float 2D 0 0 0 1 Unknown\n%both = OpTypeSampledImage %image\n"
        "%array = OpTypeArray %both %two\n%pointers = OpTypePointer UniformConstant %array\n"
        "%pointer = OpTypePointer UniformConstant %both\n%taking = OpTypeFunction %v4 %pointer\n"
        "%images = OpVariable %pointers UniformConstant\n"
        "%main = OpFunction %void None %function\n%label = OpLabel\n"
        "%one = OpAccessChain %pointer %images %zero\n%got = OpFunctionCall %v4 %read %one\n"
        "OpReturn\nOpFunctionEnd\n"
        "%read = OpFunction %v4 None %taking\n%given = OpFunctionParameter %pointer\n%l = OpLabel\n"
        "%b = OpLoad %both %given\n%i = OpImage %image %b\n%t = OpImageFetch %v4 %i %at Lod %zero\n"
        "OpReturnValue %t\nOpFunctionEnd\n";
    size_t size = 0;
    uint32_t *words = rp_assemble(text, 0x00010500, &size);
    rp_kernel_module m =
        build(&(rp_kernel_params){.name = "k", .spirv = words, .spirv_size = size});
    CU_ASSERT_EQUAL(binding(&m, 0, 4)->access, RP_SAMPLED);
    CU_ASSERT_TRUE(binding(&m, 0, 4)->used && binding(&m, 0, 4)->reads);
    CU_ASSERT_FALSE(binding(&m, 0, 4)->writes);
    rp_kernel_free(&m);
    free(words);
}

int main(void) {
    const rp_test tests[] = {{"bindings", test_bindings},
                             {"push constants and sizes", test_push_and_sizes},
                             {"specialisation", test_specialisation},
                             {"what the code does", test_usage},
                             {"aliased blocks", test_aliased_blocks},
                             {"no bindings", test_no_bindings},
                             {"defines and includes", test_defines_and_includes},
                             {"assembled SPIR-V", test_spirv},
                             {"arrays without a size", test_sized_arrays},
                             {"what is handed on", test_handed_on},
                             {"round trip", test_round_trip},
                             {NULL, NULL}};
    int failures = rp_run_tests("kernels", tests);
    rp_diags_destroy(diags);
    return failures;
}
