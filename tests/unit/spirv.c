/* Kernels as the chosen entry point has them: its bindings, its access, its sizes, from modules
 * that SPIRV-Tools assembled; and that a damaged module is refused or built, never more. */
#include <stdlib.h>
#include <string.h>
#include "graph/graph.h"
#include "kernel/kernel.h"
#include "support/shader_words.h"
#include "support/unit.h"

/* Builds a kernel of assembly text; the diagnostics are left in *out_diags, to be destroyed. */
static rp_kernel_module build(const char *text, uint32_t version, const char *entry,
                              rp_diags **out_diags) {
    size_t size = 0;
    uint32_t *words = rp_assemble(text, version, &size);
    rp_kernel_params params = {
        .size = sizeof params, .name = "k", .spirv = words, .spirv_size = size, .entry = entry};
    rp_kernel_module m;
    *out_diags = rp_diags_create(NULL);
    rp_kernel_build(NULL, &params, *out_diags, NULL, 0, 0, &m);
    free(words);
    return m;
}

static rp_kernel_module build_well(const char *text, uint32_t version, const char *entry) {
    rp_diags *diags;
    rp_kernel_module m = build(text, version, entry, &diags);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        fprintf(stderr, "  %s\n", rp_diags_get(diags, i).message);
    CU_ASSERT_EQUAL_FATAL(rp_diags_count(diags), 0);
    rp_diags_destroy(diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(m.words);
    return m;
}

static void refuse(const char *text, const char *wanted) {
    rp_diags *diags;
    rp_kernel_module m = build(text, 0x00010500, NULL, &diags);
    CU_ASSERT_PTR_NULL(m.words);
    CU_ASSERT_EQUAL_FATAL(rp_diags_count(diags), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(rp_diags_get(diags, 0).message, wanted));
    if (!strstr(rp_diags_get(diags, 0).message, wanted))
        fprintf(stderr, "  %s\n", rp_diags_get(diags, 0).message);
    rp_diags_destroy(diags);
    rp_kernel_free(&m);
}

/* ---- Entry points ---------------------------------------------------------------------------- */

/* Three entry points. `first` writes %a through a function it calls, `second` reads the uniform %c,
 * which is at the place of %a, and adds to %b; `image` uses an image. Each has a push-constant
 * block or none. */
static const char *const several =
    "OpCapability Shader\nOpMemoryModel Logical GLSL450\n"
    "OpEntryPoint GLCompute %first \"first\"\nOpEntryPoint GLCompute %second \"second\"\n"
    "OpEntryPoint GLCompute %image \"image\"\n"
    "OpExecutionMode %first LocalSize 4 1 1\nOpExecutionMode %second LocalSize 8 2 1\n"
    "OpExecutionMode %image LocalSize 1 1 1\n"
    "OpName %a \"a\"\nOpName %b \"b\"\nOpName %c \"c\"\n"
    "OpDecorate %ta Block\nOpMemberDecorate %ta 0 Offset 0\nOpDecorate %words ArrayStride 4\n"
    "OpDecorate %tc Block\nOpMemberDecorate %tc 0 Offset 0\n"
    "OpDecorate %tp Block\nOpMemberDecorate %tp 0 Offset 0\nOpMemberDecorate %tp 1 Offset 4\n"
    "OpDecorate %a DescriptorSet 0\nOpDecorate %a Binding 0\n"
    "OpDecorate %b DescriptorSet 0\nOpDecorate %b Binding 1\n"
    "OpDecorate %c DescriptorSet 0\nOpDecorate %c Binding 0\n"
    "OpDecorate %i DescriptorSet 0\nOpDecorate %i Binding 7\n"
    "%void = OpTypeVoid\n%fn = OpTypeFunction %void\n%u = OpTypeInt 32 0\n"
    "%zero = OpConstant %u 0\n%one = OpConstant %u 1\n"
    "%words = OpTypeRuntimeArray %u\n%ta = OpTypeStruct %words\n%tc = OpTypeStruct %u\n"
    "%tp = OpTypeStruct %u %u\n%f = OpTypeFloat 32\n%v2 = OpTypeVector %u 2\n"
    "%v4 = OpTypeVector %f 4\n%at = OpConstantComposite %v2 %zero %zero\n%ti = OpTypeImage %f 2D 0 "
    "0 0 2 Rgba32f\n"
    "%pa = OpTypePointer StorageBuffer %ta\n%pu = OpTypePointer StorageBuffer %u\n"
    "%pc = OpTypePointer Uniform %tc\n%pcu = OpTypePointer Uniform %u\n"
    "%pp = OpTypePointer PushConstant %tp\n%ppu = OpTypePointer PushConstant %u\n"
    "%pi = OpTypePointer UniformConstant %ti\n"
    "%a = OpVariable %pa StorageBuffer\n%b = OpVariable %pa StorageBuffer\n"
    "%c = OpVariable %pc Uniform\n%p = OpVariable %pp PushConstant\n"
    "%i = OpVariable %pi UniformConstant\n"
    "%helper = OpFunction %void None %fn\n%l0 = OpLabel\n"
    "%a0 = OpAccessChain %pu %a %zero %zero\nOpStore %a0 %one\nOpReturn\nOpFunctionEnd\n"
    "%unreached = OpFunction %void None %fn\n%l4 = OpLabel\n"
    "%a1 = OpAccessChain %pu %a %zero %zero\n%x4 = OpLoad %u %a1\nOpReturn\nOpFunctionEnd\n"
    "%first = OpFunction %void None %fn\n%l1 = OpLabel\n%r = OpFunctionCall %void %helper\n"
    "OpReturn\nOpFunctionEnd\n"
    "%second = OpFunction %void None %fn\n%l2 = OpLabel\n"
    "%c0 = OpAccessChain %pcu %c %zero\n%x2 = OpLoad %u %c0\n"
    "%p1 = OpAccessChain %ppu %p %one\n%y2 = OpLoad %u %p1\n%z2 = OpIAdd %u %x2 %y2\n"
    "%b0 = OpAccessChain %pu %b %zero %zero\n%w2 = OpAtomicIAdd %u %b0 %one %zero %z2\n"
    "OpReturn\nOpFunctionEnd\n"
    "%image = OpFunction %void None %fn\n%l3 = OpLabel\n%x3 = OpLoad %ti %i\n"
    "%y3 = OpImageRead %v4 %x3 %at\nOpReturn\nOpFunctionEnd\n";

static const rp_kernel_binding *at(const rp_kernel_module *m, uint32_t binding) {
    for (uint32_t i = 0; i < m->binding_count; i++)
        if (m->bindings[i].binding == binding) return &m->bindings[i];
    CU_FAIL_FATAL("no such binding");
    return NULL;
}

static void test_chosen_entry(void) {
    rp_kernel_module m = build_well(several, 0x00010300, "first");
    const rp_kernel_binding *a = at(&m, 0), *b = at(&m, 1);
    CU_ASSERT_STRING_EQUAL(a->name, "a");
    CU_ASSERT(a->used && a->writes && !a->reads && a->access == RP_READ_WRITE);
    CU_ASSERT(!b->used && !b->writes && !b->reads);
    CU_ASSERT_EQUAL(m.local[0], 4);
    CU_ASSERT_EQUAL(rp_kernel_push_bytes(&m), 0);
    rp_graph *g = rp_graph_create(NULL, "g");
    CU_ASSERT_EQUAL_FATAL(rp_kernel_add(g, &m, (rp_source_pos){0}), 0);
    CU_ASSERT_EQUAL(g->kernels[0].param_count, 1);
    CU_ASSERT_EQUAL(g->kernels[0].push_bytes, 0);
    rp_graph_destroy(g);
    rp_kernel_free(&m);

    m = build_well(several, 0x00010300, "second");
    a = at(&m, 0), b = at(&m, 1);
    CU_ASSERT_STRING_EQUAL(a->name, "c");
    CU_ASSERT(a->used && a->access == RP_UNIFORM);
    CU_ASSERT(b->used && b->reads && b->writes && b->access == RP_READ_WRITE);
    CU_ASSERT(m.local[0] == 8 && m.local[1] == 2);
    CU_ASSERT_EQUAL(rp_kernel_push_bytes(&m), 8);
    rp_kernel_free(&m);

    m = build_well(several, 0x00010300, "image");
    const rp_kernel_binding *image = NULL;
    for (uint32_t i = 0; i < m.binding_count; i++)
        if (m.bindings[i].resource == RP_RESOURCE_IMAGE) image = &m.bindings[i];
    CU_ASSERT_PTR_NOT_NULL_FATAL(image);
    CU_ASSERT(image->used && image->reads && !image->writes && image->access == RP_READ);
    CU_ASSERT(image->view == RP_VIEW_2D && image->texel == RP_TEXEL_FLOAT);
    rp_kernel_free(&m);
}

#define HEAD(extra)                                                                                \
    "OpCapability Shader\n" extra "OpMemoryModel Logical GLSL450\n"                                \
    "OpEntryPoint GLCompute %m \"main\" %var\nOpExecutionMode %m LocalSize 1 1 1\n"                \
    "OpDecorate %block Block\nOpMemberDecorate %block 0 Offset 0\n"                                \
    "OpDecorate %var DescriptorSet 0\nOpDecorate %var Binding 0\n"
#define TYPES                                                                                      \
    "%v = OpTypeVoid\n%f = OpTypeFunction %v\n%u = OpTypeInt 32 0\n%zero = OpConstant %u 0\n"
#define CODE "%m = OpFunction %v None %f\n%l = OpLabel\n"
#define TAIL "OpReturn\nOpFunctionEnd\n"
#define WORDS                                                                                      \
    "OpDecorate %array ArrayStride 4\n" TYPES "%array = OpTypeRuntimeArray %u\n"                   \
    "%block = OpTypeStruct %array\n%pb = OpTypePointer StorageBuffer %block\n"                     \
    "%pu = OpTypePointer StorageBuffer %u\n%var = OpVariable %pb StorageBuffer\n" CODE

/* Two entry points, one function. */
static void test_shared_function(void) {
    const char *text = "OpCapability Shader\nOpMemoryModel Logical GLSL450\n"
                       "OpEntryPoint GLCompute %m \"main\" %var\n"
                       "OpEntryPoint GLCompute %m \"again\" %var\n"
                       "OpExecutionMode %m LocalSize 3 1 1\n"
                       "OpDecorate %block Block\nOpMemberDecorate %block 0 Offset 0\n"
                       "OpDecorate %var DescriptorSet 0\nOpDecorate %var Binding 0\n" WORDS
                       "%p = OpAccessChain %pu %var %zero %zero\nOpStore %p %zero\n" TAIL;
    for (int i = 0; i < 2; i++) {
        rp_kernel_module m = build_well(text, 0x00010500, i ? "again" : "main");
        CU_ASSERT_EQUAL(m.local[0], 3);
        CU_ASSERT(m.binding_count == 1 && m.bindings[0].writes);
        rp_kernel_free(&m);
    }
}

/* ---- Use ------------------------------------------------------------------------------------- */

static void test_use(void) {
    static const struct {
        const char *code;
        bool used, reads, writes;
    } cases[] = {
        {"", false, false, false},
        {"%n = OpArrayLength %u %var 0\n", true, false, false},
        {"%p = OpAccessChain %pu %var %zero %zero\n", true, false, false},
        {"%p = OpAccessChain %pu %var %zero %zero\n%x = OpLoad %u %p\n", true, true, false},
        {"%p = OpAccessChain %pu %var %zero %zero\n%q = OpCopyObject %pu %p\nOpStore %q %zero\n",
         true, false, true},
        {"%p = OpInBoundsAccessChain %pu %var %zero %zero\nOpCopyMemory %p %p\n", true, true, true},
        {"%p = OpAccessChain %pu %var %zero %zero\n%x = OpAtomicLoad %u %p %one %zero\n", true,
         true, false},
        {"%p = OpAccessChain %pu %var %zero %zero\nOpAtomicStore %p %one %zero %zero\n", true,
         false, true},
        {"%p = OpAccessChain %pu %var %zero %zero\n%x = OpAtomicIIncrement %u %p %one %zero\n",
         true, true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[4096];
        snprintf(text, sizeof text, "%s%s%s%s", HEAD("") "OpDecorate %array ArrayStride 4\n" TYPES,
                 "%one = OpConstant %u 1\n%array = OpTypeRuntimeArray %u\n"
                 "%block = OpTypeStruct %array\n%pb = OpTypePointer StorageBuffer %block\n"
                 "%pu = OpTypePointer StorageBuffer %u\n%var = OpVariable %pb StorageBuffer\n" CODE,
                 cases[i].code, TAIL);
        rp_kernel_module m = build_well(text, 0x00010500, NULL);
        const rp_kernel_binding *b = at(&m, 0);
        CU_ASSERT(b->used == cases[i].used && b->reads == cases[i].reads &&
                  b->writes == cases[i].writes);
        rp_kernel_free(&m);
    }
}

/* Whatever else is wrong with it. */
static void test_device_address(void) {
    refuse("OpCapability Shader\nOpCapability PhysicalStorageBufferAddresses\n"
           "OpExtension \"SPV_KHR_physical_storage_buffer\"\n"
           "OpMemoryModel PhysicalStorageBuffer64 GLSL450\n"
           "OpEntryPoint GLCompute %m \"main\" %var\nOpExecutionMode %m LocalSize 1 1 1\n"
           "OpDecorate %block Block\nOpMemberDecorate %block 0 Offset 0\n"
           "OpMemberDecorate %block 0 NonWritable\nOpDecorate %var DescriptorSet 9\n"
           "OpDecorate %var Binding 0\nOpDecorate %array ArrayStride 4\n"
           "OpDecorate %there Block\nOpMemberDecorate %there 0 Offset 0\n" TYPES
           "%array = OpTypeRuntimeArray %u\n%there = OpTypeStruct %u\n"
           "%pt = OpTypePointer PhysicalStorageBuffer %there\n"
           "%block = OpTypeStruct %pt\n%pb = OpTypePointer StorageBuffer %block\n"
           "%ppt = OpTypePointer StorageBuffer %pt\n%ptu = OpTypePointer PhysicalStorageBuffer %u\n"
           "%var = OpVariable %pb StorageBuffer\n" CODE
           "%p = OpAccessChain %ppt %var %zero\n%q = OpLoad %pt %p\n"
           "%w = OpAccessChain %ptu %q %zero\nOpStore %w %zero Aligned 4\n" TAIL,
           "is in set 9");
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

static void test_sizes(void) {
    static const struct {
        const char *stride, *length;
        uint64_t size;
    } cases[] = {{"4", "1073741825", UINT64_C(4294967300)},
                 {"4294967292", "2147483647", UINT64_C(4294967292) * 2147483647},
                 {"4294967292", "4294967295", UINT64_C(4294967292) * 4294967295}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[4096];
        snprintf(text, sizeof text,
                 "%sOpDecorate %%array ArrayStride %s\n%s%%n = OpConstant %%u %s\n%s", HEAD(""),
                 cases[i].stride, TYPES, cases[i].length,
                 "%array = OpTypeArray %u %n\n%block = OpTypeStruct %array\n"
                 "%pb = OpTypePointer StorageBuffer %block\n"
                 "%pu = OpTypePointer StorageBuffer %u\n%var = OpVariable %pb StorageBuffer\n" CODE
                 "%p = OpAccessChain %pu %var %zero %zero\nOpStore %p %zero\n" TAIL);
        rp_kernel_module m = build_well(text, 0x00010500, NULL);
        CU_ASSERT_EQUAL(at(&m, 0)->min_size, cases[i].size);
        rp_kernel_free(&m);
    }
}

/* Makes LocalSize 0 0 0 name the last three constants, in a way that the assembler does not know.
 */
static void name_local_size(uint32_t *words, uint32_t count) {
    uint32_t *mode = NULL;
    for (uint32_t i = 5; i < count; i += words[i] >> 16) {
        uint32_t op = words[i] & 0xffff;
        if (op == 16) mode = &words[i]; /* OpExecutionMode */
        if (!mode || (op != 43 && op != 50 && op != 52)) continue;
        memmove(mode + 3, mode + 4, 8);
        mode[5] = words[i + 2];
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(mode);
    mode[0] = 6 << 16 | 331; /* OpExecutionModeId */
    mode[2] = 38;            /* LocalSizeId */
}

/* A workgroup size of constants that the entry point names, read with and without specialisation.
 * The front end refuses it, as Vulkan 1.2 does; the reader knows it. */
static void test_local_size_id(void) {
    size_t size = 0;
    char why[128];
    rp_spirv_reader r;
    uint32_t *words =
        rp_assemble("OpCapability Shader\nOpMemoryModel Logical GLSL450\n"
                    "OpEntryPoint GLCompute %m \"main\"\n"
                    "OpExecutionMode %m LocalSize 0 0 0\nOpDecorate %a SpecId 4\n" TYPES
                    "%a = OpSpecConstant %u 6\n%b = OpConstant %u 3\n"
                    "%c = OpSpecConstantOp %u IAdd %a %b\n" CODE TAIL,
                    0x00010500, &size);
    name_local_size(words, (uint32_t)(size / 4));
    rp_spirv_reader_init(&r, NULL);
    CU_ASSERT_EQUAL(rp_spirv_read(&r, words, (uint32_t)(size / 4), "main", NULL, 0, why), RP_OK);
    CU_ASSERT(r.local_known && r.local[0] == 6 && r.local[1] == 3 && r.local[2] == 9);
    const rp_spirv_spec spec = {4, 4, 10};
    CU_ASSERT_EQUAL(rp_spirv_read(&r, words, (uint32_t)(size / 4), "main", &spec, 1, why), RP_OK);
    CU_ASSERT(r.local_known && r.local[0] == 10 && r.local[1] == 3 && r.local[2] == 13);
    rp_spirv_reader_free(&r);
    free(words);
}

/* ---- Unused bindings ------------------------------------------------------------------------- */

/* A block that the code does not use need not be bound; what is bound there is no use. */
static void test_unused_binding(void) {
    static const char *const glsl = "#version 450\nlayout(local_size_x = 64) in;\n"
                                    "layout(binding = 0) readonly buffer X { float x[]; };\n"
                                    "layout(binding = 1) buffer Never { float never[100]; };\n"
                                    "layout(binding = 2) writeonly buffer Y { float y[]; };\n"
                                    "layout(push_constant) uniform P { uint n; };\n"
                                    "void main() { if (never.length() == 3) never[0] = 1; "
                                    "y[gl_GlobalInvocationID.x] = x[0]; }\n";
    for (int bound = 0; bound < 2; bound++) {
        rp_program *p;
        rp_recorder *r;
        rp_graph *g = NULL;
        rp_kernel k;
        rp_buffer x, y;
        rp_diags *diags = rp_diags_create(NULL);
        rp_buffer_params in = {.size = sizeof in,
                               .name = "x",
                               .kind = RP_IN,
                               .dtype = RP_F32,
                               .rank = 1,
                               .shape = {64}};
        rp_buffer_params out = in;
        out.name = "y", out.kind = RP_OUT;
        CU_ASSERT_EQUAL(rp_program_create(NULL, "p", &p), RP_OK);
        CU_ASSERT_EQUAL(rp_program_buffer(p, &in, diags, &x), RP_OK);
        CU_ASSERT_EQUAL(rp_program_buffer(p, &out, diags, &y), RP_OK);
        rp_kernel_params params = {.size = sizeof params, .name = "k", .glsl = glsl};
        CU_ASSERT_EQUAL(rp_program_kernel(p, &params, diags, &k), RP_OK);
        CU_ASSERT_EQUAL(rp_recorder_create(p, &r), RP_OK);
        rp_bind_kernel(r, k);
        rp_bind(r, 0, (rp_range){x});
        if (bound) {
            rp_bind(r, 1, (rp_range){x, 4, 4}); /* too small, and of an input */
            rp_bind_access(r, 0, 1, RP_READ_WRITE);
        }
        rp_bind(r, 2, (rp_range){y});
        rp_dispatch(r, 1, 1, 1);
        CU_ASSERT_EQUAL(rp_program_graph(p, &r, 1, diags, &g), RP_OK);
        CU_ASSERT_EQUAL(rp_diags_count(diags), 0);
        CU_ASSERT_EQUAL_FATAL(g->nodes_count, 1);
        CU_ASSERT_EQUAL(g->nodes[0].use_count, 2);
        CU_ASSERT_EQUAL(g->nodes[0].byte_count, 0);
        CU_ASSERT(g->params[1].binding == 2 && g->params[1].access == RP_WRITE);
        rp_graph_destroy(g);
        rp_recorder_destroy(r);
        rp_program_destroy(p);
        rp_diags_destroy(diags);
    }
}

int main(void) {
    const rp_test tests[] = {{"the chosen entry point", test_chosen_entry},
                             {"two entry points, one function", test_shared_function},
                             {"what counts as use", test_use},
                             {"device addresses", test_device_address},
                             {"sizes of blocks", test_sizes},
                             {"a workgroup size of ids", test_local_size_id},
                             {"unused bindings", test_unused_binding},
                             {NULL, NULL}};
    return rp_run_tests("spirv", tests);
}
