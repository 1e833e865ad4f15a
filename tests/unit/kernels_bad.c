/* Kernels that are wrong: each is refused with a message that says what and where, and leaves
 * nothing. */
#include <stdlib.h>
#include <string.h>
#include "kernel/kernel.h"
#include "support/shader_words.h"
#include "support/unit.h"

/* Builds a kernel that must fail with a diagnostic that contains `wanted`; `line` 0 = any. */
static void refuse(const rp_kernel_params *params, const char *file, uint32_t line,
                   const char *wanted) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_kernel_module m;
    memset(&m, 0xee, sizeof m);
    CU_ASSERT_EQUAL(rp_kernel_build(NULL, params, diags, "p.yaml", 7, 3, &m), RP_ERROR_INVALID);
    CU_ASSERT_PTR_NULL(m.words);
    CU_ASSERT_EQUAL(m.binding_count, 0);
    bool found = false;
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        rp_diag d = rp_diags_get(diags, i);
        found |= d.severity == RP_ERROR && strstr(d.message, wanted) && d.file &&
                 strcmp(d.file, file) == 0 && d.line == line;
    }
    CU_ASSERT(found);
    for (uint32_t i = 0; !found && i < rp_diags_count(diags); i++) {
        char text[600];
        rp_diag d = rp_diags_get(diags, i);
        rp_diag_format(&d, text, sizeof text);
        fprintf(stderr, "  wanted %s:%u '%s', got %s\n", file, line, wanted, text);
    }
    rp_diags_destroy(diags);
    rp_kernel_free(&m);
}

static void refuse_glsl(const char *glsl, const char *wanted) {
    refuse(&(rp_kernel_params){.name = "k", .glsl = glsl, .glsl_file = "k.comp"}, "p.yaml", 7,
           wanted);
}

static void refuse_assembly(const char *text, const char *entry, const char *wanted) {
    size_t size = 0;
    uint32_t *words = rp_assemble(text, 0x00010500, &size);
    refuse(&(rp_kernel_params){.name = "k", .spirv = words, .spirv_size = size, .entry = entry},
           "p.yaml", 7, wanted);
    free(words);
}

/* ---- GLSL ------------------------------------------------------------------------------------ */

static void test_syntax(void) {
    rp_kernel_params params = {.name = "k", .glsl = "#version 450\nvoid main() {\n  x = 1;\n}\n"};
    refuse(&params, "k", 3, "'x' : undeclared identifier");
    params.glsl_file = "some/where.comp";
    refuse(&params, "some/where.comp", 3, "'x' : undeclared identifier");
    params.glsl = "#version 450\nvoid f() {}\n";
    refuse(&params, "some/where.comp", 0, "Missing entry point");
    params.glsl = "#version 450\n#line 100\nvoid main() { y = 2; }\n";
    refuse(&params, "some/where.comp", 100, "'y' : undeclared identifier");
    params.glsl = "";
    refuse(&params, "some/where.comp", 1, "expected '#version 450'");
    params.glsl = "\n// #version 450\nvoid main() {}\n";
    refuse(&params, "some/where.comp", 3, "expected '#version 450'");
    params.glsl = "/* a\n b */ #version 330 core\nvoid main() {}\n";
    refuse(&params, "some/where.comp", 2, "'#version 330 core' has no compute shaders");
    params.glsl = "#version 310\nvoid main() {}\n";
    refuse(&params, "some/where.comp", 1, "310 es");
}

static void test_several_errors(void) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_kernel_module m;
    rp_kernel_params params = {
        .name = "k",
        .glsl = "#version 450\nvoid main() {\n  x = 1;\n  y = 1;\n}\n",
        .glsl_file = "k.comp",
    };
    CU_ASSERT_EQUAL(rp_kernel_build(NULL, &params, diags, NULL, 0, 0, &m), RP_ERROR_INVALID);
    CU_ASSERT(rp_diags_error_count(diags) >= 2);
    CU_ASSERT_EQUAL(rp_diags_get(diags, 0).line, 3);
    CU_ASSERT_EQUAL(rp_diags_get(diags, 1).line, 4);
    rp_diags_destroy(diags);
}

static void test_stage(void) {
    rp_kernel_params params = {
        .name = "k",
        .glsl = "#version 450\nvoid main() { gl_Position = vec4(0); }\n",
        .glsl_file = "k.comp",
    };
    refuse(&params, "k.comp", 2, "gl_Position");
}

static void test_includes(void) {
    const char *head = "#version 450\n#extension GL_GOOGLE_include_directive : enable\n";
    char glsl[300];
    rp_kernel_params params = {
        .name = "k", .glsl = glsl, .glsl_file = RP_TEST_DATA "/data/including.comp"};
    snprintf(glsl, sizeof glsl, "%s#include \"nowhere.glsl\"\nvoid main() {}\n", head);
    refuse(&params, params.glsl_file, 3, "No such file or directory");
    snprintf(glsl, sizeof glsl, "%s#include \"common/broken.glsl\"\nvoid main() {}\n", head);
    refuse(&params, RP_TEST_DATA "/data/common/broken.glsl", 1, "syntax error");
    snprintf(glsl, sizeof glsl, "%s#include \"common/endless.glsl\"\nvoid main() {}\n", head);
    refuse(&params, RP_TEST_DATA "/data/common/endless.glsl", 1, "it includes itself without end");
}

static void test_params(void) {
    const char *good = "#version 450\nvoid main() {}\n";
    const char *defines[] = {"1X=2", "=3", "A B", "OK=1", "F(a=1", "F(a,)=1", "OK(a, b)=a"};
    uint32_t words[5] = {0x07230203, 0x10500, 0, 1, 0};
    refuse(&(rp_kernel_params){.name = "k"}, "p.yaml", 7, "expected either GLSL");
    refuse(&(rp_kernel_params){.name = "k", .glsl = good, .spirv = words, .spirv_size = 20},
           "p.yaml", 7, "not both");
    refuse(&(rp_kernel_params){.name = "k", .glsl = good, .entry = "f"}, "p.yaml", 7,
           "the entry point of GLSL is 'main'");
    rp_kernel_params params = {.name = "k", .glsl = good, .defines = defines, .define_count = 7};
    refuse(&params, "p.yaml", 7, "'1X=2' is not a define");
    refuse(&params, "p.yaml", 7, "'=3' is not a define");
    refuse(&params, "p.yaml", 7, "'A B' is not a define");
    refuse(&params, "p.yaml", 7, "'F(a=1' is not a define");
    refuse(&params, "p.yaml", 7, "'F(a,)=1' is not a define");
    refuse(&(rp_kernel_params){.name = "k", .glsl = good, .include_folder_count = 1}, "p.yaml", 7,
           "1 include folders are announced, but the list is NULL");
    const char *const folders[] = {"a", "", NULL};
    params = (rp_kernel_params){
        .name = "k", .glsl = good, .include_folders = folders, .include_folder_count = 2};
    refuse(&params, "p.yaml", 7, "include folder 1 is empty");
    params.include_folders = folders + 2, params.include_folder_count = 1;
    refuse(&params, "p.yaml", 7, "include folder 0 is NULL");
    refuse(&(rp_kernel_params){.name = "k", .spirv = words, .spirv_size = 20, .prelude = good},
           "p.yaml", 7, "a prelude is for GLSL");
    refuse(&(rp_kernel_params){.name = "k", .glsl = good, .define_count = 1}, "p.yaml", 7, "NULL");
    refuse(&(rp_kernel_params){.name = "k", .glsl = good, .spec_count = 1}, "p.yaml", 7, "NULL");
    refuse(
        &(rp_kernel_params){
            .name = "k", .spirv = words, .spirv_size = 20, .defines = defines, .define_count = 1},
        "p.yaml", 7, "defines are for GLSL");
}

/* ---- Interfaces that plans cannot serve ------------------------------------------------------ */

static void test_resources(void) {
    refuse_glsl("#version 450\nlayout(binding = 0, r32f) uniform image2DMS picture;\n"
                "void main() { imageStore(picture, ivec2(0), 1, vec4(1)); }\n",
                "'picture' is an image of several samples");
    refuse_glsl("#version 450\nlayout(binding = 0) uniform sampler2DMS texels;\n"
                "layout(binding = 1) buffer B { vec4 b; };\n"
                "void main() { b = texelFetch(texels, ivec2(0), 1); }\n",
                "'texels' is an image of several samples");
    refuse_glsl("#version 450\nlayout(binding = 0) buffer B { float b[]; } many[9999];\n"
                "void main() { many[1].b[0] = 1; }\n",
                "is an array of bindings of a size that no plan has");
    refuse_glsl("#version 450\nlayout(set = 4, binding = 0) buffer B { float b[]; };\n"
                "void main() { b[0] = 1; }\n",
                "is in set 4");
    refuse_glsl("#version 450\nlayout(binding = 256) buffer B { float b[]; };\n"
                "void main() { b[0] = 1; }\n",
                "has binding 256");
    refuse_glsl("#version 450\nlayout(binding = 0) buffer B { float b[]; };\n"
                "layout(binding = 0) uniform C { float c; };\n"
                "void main() { b[0] = c; }\n",
                "one is a uniform");
}

static void test_shared(void) {
    refuse_glsl(
        "#version 450\nshared float s[1073741825];\nlayout(binding = 0) buffer B { float b[]; };\n"
        "void main() { s[0] = 1; barrier(); b[0] = s[0]; }\n",
        "larger than 4 GiB");
    /* 2^64 - 12 bytes, which rounding up to the alignment of a vec4 must not turn into 0. */
    refuse_glsl("#version 450\nstruct S { vec4 v[1073741823][1073741825]; uint u; };\nshared S s;\n"
                "layout(binding = 0) buffer B { uint b[]; };\n"
                "void main() { s.u = 1; barrier(); b[0] = s.u; }\n",
                "larger than 4 GiB");
}

static void test_push(void) {
    refuse_glsl("#version 450\nlayout(push_constant) uniform P { float a[65]; };\n"
                "layout(binding = 0) buffer B { float b[]; };\nvoid main() { b[0] = a[64]; }\n",
                "needs 260 bytes");
}

static void test_specs(void) {
    const char *glsl = "#version 450\nlayout(local_size_x_id = 2) in;\n"
                       "layout(constant_id = 5) const int N = 4;\n"
                       "layout(constant_id = 6) const double D = 4;\n"
                       "shared float s[N];\n"
                       "layout(binding = 0) buffer B { float b[]; };\n"
                       "void main() { s[0] = 1; b[0] = s[0] + float(D); }\n";
    rp_spec_constant specs[2] = {{7, 1}};
    rp_kernel_params params = {.name = "k", .glsl = glsl, .spec = specs, .spec_count = 1};
    refuse(&params, "p.yaml", 7, "there is no specialisation constant 7; it has 2, 5, 6");
    specs[0] = (rp_spec_constant){6, 1};
    refuse(&params, "p.yaml", 7, "constant 6 is f64, and its value has 4 bytes: expected 8");
    specs[0] = (rp_spec_constant){2, 0};
    refuse(&params, "p.yaml", 7, "kernel 'k':");
    specs[0] = (rp_spec_constant){5, 0}; /* an array without elements */
    refuse(&params, "p.yaml", 7, "kernel 'k': not valid SPIR-V");
    specs[0] = specs[1] = (rp_spec_constant){5, 3};
    params.spec_count = 2;
    refuse(&params, "p.yaml", 7, "is given twice");
}

/* Lengths that only their evaluation shows to be 0 or less, wherever the array is. */
static void test_empty_arrays(void) {
    static const struct {
        const char *type, *declaration, *use;
        uint32_t good, bad;
    } cases[] = {
        {"uint", "shared float s[N * N];", "s[0] = b[0]; b[1] = s[0];", 4, 65536},
        {"int", "shared float s[N + N];", "s[0] = b[0]; b[1] = s[0];", 4, 0},
        {"int", "shared float s[N + N];", "s[0] = b[0]; b[1] = s[0];", 4, (uint32_t)-3},
        {"uint", "struct S { vec4 v; float f[3][N - 2]; }; shared S s;",
         "s.f[0][0] = b[0]; b[1] = s.f[0][0];", 4, 2},
        {"uint", "layout(binding = 1) buffer Y { float s[N * N]; };", "s[0] = b[0];", 4, 65536},
        {"uint", "layout(binding = 1) uniform Y { vec4 s[N / 2]; };", "b[0] = s[0].x;", 4, 1},
        {"int", "float s[N * 2];", "s[int(b[0])] = 1; b[1] = s[int(b[2])];", 4, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char glsl[512];
        snprintf(glsl, sizeof glsl,
                 "#version 450\nlayout(constant_id = 5) const %s N = 4;\n%s\n"
                 "layout(binding = 0) buffer B { float b[]; };\nvoid main() { %s }\n",
                 cases[i].type, cases[i].declaration, cases[i].use);
        rp_spec_constant spec = {5, cases[i].bad};
        rp_kernel_params params = {.name = "k", .glsl = glsl, .spec = &spec, .spec_count = 1};
        refuse(&params, "p.yaml", 7, "an array has a length below 1; expected at least 1");
        spec.value = cases[i].good;
        rp_kernel_module m;
        CU_ASSERT_EQUAL(rp_kernel_build(NULL, &params, NULL, NULL, 0, 0, &m), RP_OK);
        rp_kernel_free(&m);
    }
}

/* ---- SPIR-V ---------------------------------------------------------------------------------- */

/* Each constant takes the bits that its type has. */
static void test_widths(void) {
    static const char glsl[] =
        "#version 460\n#extension GL_EXT_shader_explicit_arithmetic_types : require\n"
        "layout(local_size_x = 1) in;\nlayout(constant_id = 1) const int64_t a = 1l;\n"
        "layout(constant_id = 2) const uint16_t b = 1us;\n"
        "layout(constant_id = 3) const uint c = 1;\n"
        "layout(binding = 0) buffer B { double o[]; };\n"
        "void main() { o[0] = double(a) + double(uint(b)) + double(c); }\n";
    rp_spec_constant narrow = {1, 1};
    rp_wide_constant wide[2] = {{2, 4, 1}};
    rp_kernel_params params = {.name = "k", .glsl = glsl, .spec = &narrow, .spec_count = 1};
    refuse(&params, "p.yaml", 7,
           "specialisation constant 1 is i64, and its value has 4 bytes: expected 8, in the list "
           "`wide`");
    params = (rp_kernel_params){.name = "k", .glsl = glsl, .wide = wide, .wide_count = 1};
    refuse(&params, "p.yaml", 7, "constant 2 is u16, and its value has 4 bytes: expected 2");
    wide[0] = (rp_wide_constant){2, 2, 65536};
    refuse(&params, "p.yaml", 7, "constant 2 is u16: 0x10000 has more bits");
    wide[0] = (rp_wide_constant){3, 8, 1};
    refuse(&params, "p.yaml", 7, "constant 3 is u32, and its value has 8 bytes: expected 4");
    wide[0] = wide[1] = (rp_wide_constant){1, 8, 1};
    params.wide_count = 2;
    refuse(&params, "p.yaml", 7, "constant 1 is given twice");
    params.wide = NULL;
    refuse(&params, "p.yaml", 7, "NULL");
}

static void test_damaged(void) {
    size_t size = 0;
    uint32_t *words = rp_assemble("OpCapability Shader\nOpMemoryModel Logical GLSL450\n"
                                  "OpEntryPoint GLCompute %m \"main\"\n"
                                  "OpExecutionMode %m LocalSize 1 1 1\n"
                                  "%v = OpTypeVoid\n%f = OpTypeFunction %v\n"
                                  "%m = OpFunction %v None %f\n%l = OpLabel\n"
                                  "OpReturn\nOpFunctionEnd\n",
                                  0x00010500, &size);
    rp_kernel_params params = {.name = "k", .spirv = words, .spirv_size = size};
    rp_kernel_module m;
    CU_ASSERT_EQUAL(rp_kernel_build(NULL, &params, NULL, NULL, 0, 0, &m), RP_OK);
    rp_kernel_free(&m);
    params.spirv_size = size - 1;
    refuse(&params, "p.yaml", 7, "not a whole number");
    params.spirv_size = 16;
    refuse(&params, "p.yaml", 7, "too few");
    for (size_t cut = 20; cut < size; cut += 4) {
        params.spirv_size = cut;
        refuse(&params, "p.yaml", 7, "kernel 'k': ");
    }
    params.spirv_size = size;
    /* Any one bit: refused, or still a valid kernel, but never a crash. */
    uint32_t accepted = 0;
    for (size_t bit = 0; bit < size * 8; bit++) {
        words[bit / 32] ^= UINT32_C(1) << bit % 32;
        if (rp_kernel_build(NULL, &params, NULL, NULL, 0, 0, &m) == RP_OK) accepted++;
        rp_kernel_free(&m);
        words[bit / 32] ^= UINT32_C(1) << bit % 32;
    }
    CU_ASSERT(accepted < size * 8 / 2);
    for (size_t i = 0; i < size / 4; i++) words[i] = __builtin_bswap32(words[i]);
    refuse(&params, "p.yaml", 7, "big-endian");
    free(words);
}

#define HEAD                                                                                       \
    "OpCapability Shader\nOpMemoryModel Logical GLSL450\n"                                         \
    "OpEntryPoint GLCompute %m \"main\" %var\nOpExecutionMode %m LocalSize 1 1 1\n"
#define BODY                                                                                       \
    "OpDecorate %block Block\nOpMemberDecorate %block 0 Offset 0\n"                                \
    "OpDecorate %array ArrayStride 4\nOpDecorate %var DescriptorSet 0\n"                           \
    "OpDecorate %var Binding 0\n"                                                                  \
    "%v = OpTypeVoid\n%f = OpTypeFunction %v\n%u = OpTypeInt 32 0\n%zero = OpConstant %u 0\n%one " \
    "= OpConstant %u 1\n"                                                                          \
    "%array = OpTypeRuntimeArray %u\n%block = OpTypeStruct %array\n"                               \
    "%pb = OpTypePointer StorageBuffer %block\n%pu = OpTypePointer StorageBuffer %u\n"             \
    "%var = OpVariable %pb StorageBuffer\n%m = OpFunction %v None %f\n%l = OpLabel\n"              \
    "%p = OpAccessChain %pu %var %zero %zero\n"
#define TAIL "OpReturn\nOpFunctionEnd\n"

/* What the code does wins: one warning, then rw. */
static void warn_of(const char *text, const char *wanted) {
    size_t size = 0;
    uint32_t *words = rp_assemble(text, 0x00010500, &size);
    rp_diags *diags = rp_diags_create(NULL);
    rp_kernel_module m;
    rp_kernel_params params = {.name = "k", .spirv = words, .spirv_size = size};
    CU_ASSERT_EQUAL_FATAL(rp_kernel_build(NULL, &params, diags, "p.yaml", 7, 3, &m), RP_OK);
    CU_ASSERT_EQUAL(m.bindings[0].access, RP_READ_WRITE);
    CU_ASSERT_PTR_NULL(rp_kernel_access_error(&m.bindings[0], RP_READ_WRITE));
    CU_ASSERT_EQUAL_FATAL(rp_diags_count(diags), 1);
    rp_diag d = rp_diags_get(diags, 0);
    CU_ASSERT_EQUAL(d.severity, RP_WARNING);
    CU_ASSERT_EQUAL(d.line, 7);
    CU_ASSERT_PTR_NOT_NULL(strstr(d.message, wanted));
    rp_diags_destroy(diags);
    rp_kernel_free(&m);
    free(words);
}

static void test_contradictions(void) {
    warn_of(HEAD "OpDecorate %var NonWritable\n" BODY "OpStore %p %zero\n" TAIL,
            "declared readonly (NonWritable), but the code writes it: taken as rw");
    warn_of(HEAD "OpMemberDecorate %block 0 NonWritable\n" BODY
                 "%x = OpAtomicIAdd %u %p %one %zero %zero\n" TAIL,
            "but the code writes it");
    warn_of(HEAD "OpDecorate %var NonReadable\n" BODY "%x = OpLoad %u %p\n" TAIL,
            "declared writeonly (NonReadable), but the code reads it: taken as rw");
    warn_of(HEAD "OpDecorate %var NonReadable\n" BODY
                 "%x = OpAtomicIAdd %u %p %one %zero %zero\n" TAIL,
            "declared writeonly (NonReadable), but the code reads it");
}

static void test_entries(void) {
    refuse_assembly(HEAD BODY TAIL, "other", "'main' (compute)");
    refuse_assembly("OpCapability Shader\nOpMemoryModel Logical GLSL450\n"
                    "OpEntryPoint Vertex %m \"main\"\n%v = OpTypeVoid\n%f = OpTypeFunction %v\n"
                    "%m = OpFunction %v None %f\n%l = OpLabel\n" TAIL,
                    NULL, "'main' (vertex)");
}

static void test_validator(void) {
    /* A store of the wrong type; memory that is not in the language; an OpenCL kernel, which is
     * refused by what it states. */
    refuse_assembly(HEAD BODY "OpStore %p %p\n" TAIL, NULL, "not valid SPIR-V for Vulkan 1.2");
    refuse_assembly("OpCapability Kernel\nOpCapability Addresses\nOpMemoryModel Physical64 OpenCL\n"
                    "OpEntryPoint Kernel %m \"main\"\n%v = OpTypeVoid\n%f = OpTypeFunction %v\n"
                    "%m = OpFunction %v None %f\n%l = OpLabel\n" TAIL,
                    NULL, "needs SPIR-V capability 6 (OpenCL kernels)");
    /* What no compute device is asked for. */
    refuse_assembly("OpCapability Shader\nOpCapability Geometry\n"
                    "OpMemoryModel Logical GLSL450\nOpEntryPoint GLCompute %m \"main\" %var\n"
                    "OpExecutionMode %m LocalSize 1 1 1\n" BODY TAIL,
                    NULL, "needs SPIR-V capability 2 ");
}

int main(void) {
    const rp_test tests[] = {{"syntax", test_syntax},
                             {"several errors", test_several_errors},
                             {"another stage", test_stage},
                             {"includes", test_includes},
                             {"parameters", test_params},
                             {"resources", test_resources},
                             {"shared memory", test_shared},
                             {"empty arrays", test_empty_arrays},
                             {"push constants", test_push},
                             {"specialisation", test_specs},
                             {"widths", test_widths},
                             {"damaged SPIR-V", test_damaged},
                             {"contradictions", test_contradictions},
                             {"entry points", test_entries},
                             {"the validator", test_validator},
                             {NULL, NULL}};
    return rp_run_tests("bad kernels", tests);
}
