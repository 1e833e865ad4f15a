/* What a plan says a device must be able to do, from kernels that shaderc compiled. The layout
 * needs are held against SPIRV-Tools: a block needs scalar (or std430 uniform) layout when its
 * validator refuses the module without that option and accepts it with it. */
#include "base/alloc.h"
#include "plan/format.h"
#include "kernel/spirv.h"
#include "spirv/spirv.h"
#include "support/shader_words.h"
#include "support/unit.h"

#include <spirv-tools/libspirv.h>
#include <stdlib.h>

/* Compiles the body of a shader; the words are to be freed. */
static uint32_t *compile(const char *head, const char *body, uint32_t *count) {
    char text[2048];
    snprintf(text, sizeof text,
             "#version 460\n%s\nlayout(local_size_x = 64) in;\n"
             "layout(set = 0, binding = 0) buffer Out { uint o[]; };\n%s\n",
             head, body);
    return rp_shader_words(text, "test.comp", count);
}

static const struct {
    const char *head, *body;
    uint64_t needs;
} capabilities[] = {
    {"", "void main() { o[0] = 1; }", 0},
    {"#extension GL_EXT_shader_explicit_arithmetic_types : require",
     "void main() { float16_t h = float16_t(o[1]); o[0] = uint(h * h); }", RP_NEED_FLOAT16},
    {"#extension GL_EXT_shader_explicit_arithmetic_types : require",
     "void main() { int64_t h = int64_t(o[1]); o[0] = uint(h * h); }", RP_NEED_INT64},
    {"#extension GL_EXT_shader_explicit_arithmetic_types : require",
     "void main() { int16_t h = int16_t(o[1]); int8_t b = int8_t(o[2]); o[0] = uint(h * h + b); }",
     RP_NEED_INT16 | RP_NEED_INT8},
    {"", "void main() { double d = double(o[1]); o[0] = uint(d * d); }", RP_NEED_FLOAT64},
    {"#extension GL_EXT_shader_16bit_storage : require\n"
     "#extension GL_EXT_shader_8bit_storage : require",
     "layout(binding = 1) buffer A { float16_t h[]; }; layout(binding = 2) buffer B { uint8_t b[]; "
     "};\n"
     "void main() { o[0] = uint(float(h[0])) + uint(b[0]); }",
     RP_NEED_STORAGE16 | RP_NEED_STORAGE8},
    {"#extension GL_EXT_shader_16bit_storage : require",
     "layout(binding = 1) uniform A { float16_t h; };\n"
     "void main() { o[0] = uint(float(h)); }",
     RP_NEED_UNIFORM16},
    {"#extension GL_KHR_shader_subgroup_basic : require", "void main() { o[0] = gl_SubgroupSize; }",
     RP_NEED_SUBGROUP_BASIC},
    {"#extension GL_KHR_shader_subgroup_arithmetic : require",
     "void main() { o[0] = subgroupAdd(o[1]); }",
     RP_NEED_SUBGROUP_BASIC | RP_NEED_SUBGROUP_ARITHMETIC},
    {"#extension GL_KHR_shader_subgroup_vote : require\n"
     "#extension GL_KHR_shader_subgroup_ballot : require",
     "void main() { o[0] = subgroupAll(o[1] > 2) ? subgroupBallot(true).x : 0; }",
     RP_NEED_SUBGROUP_BASIC | RP_NEED_SUBGROUP_VOTE | RP_NEED_SUBGROUP_BALLOT},
    {"#extension GL_KHR_shader_subgroup_shuffle : require\n"
     "#extension GL_KHR_shader_subgroup_shuffle_relative : require",
     "void main() { o[0] = subgroupShuffle(o[1], 3) + subgroupShuffleUp(o[2], 1); }",
     RP_NEED_SUBGROUP_BASIC | RP_NEED_SUBGROUP_SHUFFLE | RP_NEED_SUBGROUP_SHUFFLE_RELATIVE},
    {"#extension GL_KHR_shader_subgroup_clustered : require\n"
     "#extension GL_KHR_shader_subgroup_quad : require",
     "void main() { o[0] = subgroupClusteredAdd(o[1], 4) + subgroupQuadBroadcast(o[2], 1); }",
     RP_NEED_SUBGROUP_BASIC | RP_NEED_SUBGROUP_CLUSTERED | RP_NEED_SUBGROUP_QUAD},
    {"#extension GL_KHR_shader_subgroup_arithmetic : require\n"
     "#extension GL_EXT_shader_subgroup_extended_types_float16 : require",
     "void main() { o[0] = uint(subgroupAdd(float16_t(o[1]))); }",
     RP_NEED_SUBGROUP_BASIC | RP_NEED_SUBGROUP_ARITHMETIC | RP_NEED_FLOAT16 |
         RP_NEED_SUBGROUP_TYPES},
    {"#extension GL_KHR_shader_subgroup_shuffle : require\n"
     "#extension GL_EXT_shader_subgroup_extended_types_int64 : require",
     "void main() { o[0] = uint(subgroupShuffle(u64vec2(o[1], 2), 3).x); }",
     RP_NEED_SUBGROUP_BASIC | RP_NEED_SUBGROUP_SHUFFLE | RP_NEED_INT64 | RP_NEED_SUBGROUP_TYPES},
    {"#extension GL_KHR_shader_subgroup_vote : require\n"
     "#extension GL_EXT_shader_subgroup_extended_types_int8 : require",
     "void main() { o[0] = subgroupAllEqual(uint8_t(o[1])) ? 1 : 0; }",
     RP_NEED_SUBGROUP_BASIC | RP_NEED_SUBGROUP_VOTE | RP_NEED_INT8 | RP_NEED_SUBGROUP_TYPES},
    /* Beside such types it is no need, and never for doubles. */
    {"#extension GL_KHR_shader_subgroup_arithmetic : require\n"
     "#extension GL_EXT_shader_explicit_arithmetic_types : require",
     "void main() { o[0] = subgroupAdd(uint(float16_t(o[1]) * float16_t(o[2]))); }",
     RP_NEED_SUBGROUP_BASIC | RP_NEED_SUBGROUP_ARITHMETIC | RP_NEED_FLOAT16},
    {"#extension GL_KHR_shader_subgroup_arithmetic : require",
     "void main() { o[0] = uint(subgroupAdd(double(o[1]))); }",
     RP_NEED_SUBGROUP_BASIC | RP_NEED_SUBGROUP_ARITHMETIC | RP_NEED_FLOAT64},
    {"#extension GL_EXT_shader_atomic_int64 : require\n"
     "#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require",
     "layout(binding = 1) buffer A { uint64_t a; };\n"
     "void main() { atomicAdd(a, uint64_t(o[0])); }",
     RP_NEED_INT64 | RP_NEED_INT64_ATOMICS},
    {"#extension GL_EXT_shader_atomic_int64 : require\n"
     "#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require",
     "shared uint64_t s;\nvoid main() { atomicMax(s, uint64_t(o[0])); o[1] = uint(s); }",
     RP_NEED_INT64 | RP_NEED_SHARED_INT64_ATOMICS},
    {"#extension GL_EXT_shader_atomic_int64 : require\n"
     "#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require",
     "layout(binding = 1) buffer A { uint64_t a; };\nshared uint64_t s;\n"
     "void main() { atomicMax(s, uint64_t(o[0])); atomicAdd(a, s); }",
     RP_NEED_INT64 | RP_NEED_INT64_ATOMICS | RP_NEED_SHARED_INT64_ATOMICS},
    {"#extension GL_EXT_shader_atomic_float : require",
     "layout(binding = 1) buffer A { float a[]; };\nvoid main() { atomicAdd(a[o[0]], 1.0); }",
     RP_NEED_FLOAT32_ADD},
    {"#extension GL_EXT_shader_atomic_float : require",
     "layout(binding = 1) buffer A { float a[]; };\n"
     "void main() { a[1] = atomicExchange(a[o[0]], 1.0); }",
     RP_NEED_FLOAT32_ATOMICS},
    {"#extension GL_EXT_shader_atomic_float : require",
     "shared float s[4];\n"
     "void main() { atomicAdd(s[o[0]], 1.0); o[1] = uint(atomicExchange(s[o[0]], 2.0)); }",
     RP_NEED_SHARED_FLOAT32_ADD | RP_NEED_SHARED_FLOAT32_ATOMICS},
    {"#extension GL_EXT_shader_atomic_float : require",
     "layout(binding = 1) buffer A { double a[]; };\nshared double s;\n"
     "void main() { atomicAdd(a[o[0]], 1.0LF); atomicAdd(s, 1.0LF); }",
     RP_NEED_FLOAT64 | RP_NEED_FLOAT64_ATOMICS | RP_NEED_SHARED_FLOAT64_ATOMICS},
    {"#extension GL_EXT_shader_atomic_float2 : require",
     "layout(binding = 1) buffer A { float a[]; };\nvoid main() { atomicMin(a[o[0]], 1.0); }",
     RP_NEED_FLOAT32_MIN_MAX},
    {"#extension GL_EXT_shader_atomic_float2 : require",
     "layout(binding = 1) buffer A { double a[]; };\nvoid main() { atomicMax(a[o[0]], 1.0LF); }",
     RP_NEED_FLOAT64 | RP_NEED_FLOAT64_MIN_MAX},
    {"#extension GL_EXT_shader_atomic_float2 : require\n"
     "#extension GL_EXT_shader_explicit_arithmetic_types : require",
     "layout(binding = 1) buffer A { float16_t a[]; };\n"
     "void main() { atomicMax(a[o[0]], 1.0hf); atomicAdd(a[1], 1.0hf); }",
     RP_NEED_FLOAT16 | RP_NEED_STORAGE16 | RP_NEED_FLOAT16_ATOMICS | RP_NEED_FLOAT16_ADD},
    {"#extension GL_ARB_shader_clock : require\n"
     "#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require",
     "void main() { o[0] = uint(clockARB()); }", RP_NEED_INT64 | RP_NEED_SUBGROUP_CLOCK},
    {"#extension GL_EXT_shader_realtime_clock : require",
     "void main() { o[0] = clockRealtime2x32EXT().x; }", RP_NEED_DEVICE_CLOCK},
    {"#extension GL_EXT_shader_16bit_storage : require\n"
     "#extension GL_EXT_shader_8bit_storage : require",
     "layout(push_constant) uniform P { float16_t h; uint8_t b; };\n"
     "void main() { o[0] = uint(float(h)) + uint(b); }",
     RP_NEED_PUSH16 | RP_NEED_PUSH8},
    {"#pragma use_vulkan_memory_model\n#extension GL_KHR_memory_scope_semantics : require",
     "void main() { atomicAdd(o[0], 1, gl_ScopeDevice, gl_StorageSemanticsBuffer, "
     "gl_SemanticsAcquireRelease); }",
     RP_NEED_MEMORY_MODEL | RP_NEED_DEVICE_SCOPE},
    {"#extension GL_EXT_buffer_reference : require",
     "layout(buffer_reference) buffer P { uint v; };\nlayout(push_constant) uniform C { P p; };\n"
     "void main() { o[0] = p.v; }",
     RP_NEED_DEVICE_ADDRESS},
    {"#pragma use_vulkan_memory_model", "void main() { o[0] = 1; }", RP_NEED_MEMORY_MODEL},
};

static void test_capabilities(void) {
    rp_spirv_reader reader;
    rp_spirv_reader_init(&reader, NULL);
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++) {
        uint32_t count;
        uint32_t *words = compile(capabilities[i].head, capabilities[i].body, &count);
        char why[128] = "";
        CU_ASSERT_EQUAL(rp_spirv_read(&reader, words, count, "main", NULL, 0, why), RP_OK);
        CU_ASSERT_STRING_EQUAL(reader.unsupported, "");
        CU_ASSERT_EQUAL(reader.needs, capabilities[i].needs);
        if (reader.needs != capabilities[i].needs)
            fprintf(stderr, "\n%s: %#llx\n", capabilities[i].body,
                    (unsigned long long)reader.needs);
        CU_ASSERT_EQUAL(rp_spirv_read(&reader, words, count, "other", NULL, 0, why),
                        RP_ERROR_DAMAGED);
        CU_ASSERT_STRING_EQUAL(why, "there is no compute entry point 'other'");
        free(words);
    }
    rp_spirv_reader_free(&reader);
}

/* Float controls: the mode states the width, and with it the need. */
static void test_float_controls(void) {
    static const struct {
        const char *mode;
        uint64_t needs[3];
    } modes[] = {
        {"DenormPreserve", {RP_NEED_DENORM16, RP_NEED_DENORM32, RP_NEED_DENORM64}},
        {"DenormFlushToZero", {RP_NEED_FLUSH16, RP_NEED_FLUSH32, RP_NEED_FLUSH64}},
        {"SignedZeroInfNanPreserve", {RP_NEED_EXACT16, RP_NEED_EXACT32, RP_NEED_EXACT64}},
        {"RoundingModeRTE", {RP_NEED_EVEN16, RP_NEED_EVEN32, RP_NEED_EVEN64}},
        {"RoundingModeRTZ", {RP_NEED_TOWARD_ZERO16, RP_NEED_TOWARD_ZERO32, RP_NEED_TOWARD_ZERO64}},
    };
    rp_spirv_reader reader;
    rp_spirv_reader_init(&reader, NULL);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        for (uint32_t w = 0; w < 3; w++) {
            char text[512];
            size_t size = 0;
            snprintf(text, sizeof text,
                     "OpCapability Shader\nOpCapability %s\nOpMemoryModel Logical GLSL450\n"
                     "OpEntryPoint GLCompute %%main \"main\"\n"
                     "OpExecutionMode %%main LocalSize 1 1 1\nOpExecutionMode %%main %s %u\n"
                     "%%void = OpTypeVoid\n%%f = OpTypeFunction %%void\n"
                     "%%main = OpFunction %%void None %%f\n%%l = OpLabel\nOpReturn\n"
                     "OpFunctionEnd\n",
                     modes[i].mode, modes[i].mode, 16u << w);
            uint32_t *words = rp_assemble(text, 0x00010500, &size);
            char why[128] = "";
            CU_ASSERT_EQUAL(
                rp_spirv_read(&reader, words, (uint32_t)(size / 4), "main", NULL, 0, why), RP_OK);
            CU_ASSERT_STRING_EQUAL(reader.unsupported, "");
            CU_ASSERT_EQUAL(reader.needs, modes[i].needs[w]);
            free(words);
        }
    rp_spirv_reader_free(&reader);
}

/* What GLSL has no word for, or states only where it is used. */
static void test_stated(void) {
    static const struct {
        const char *capabilities, *code;
        uint64_t needs;
    } cases[] = {
        {"OpCapability GroupNonUniformRotateKHR\n"
         "OpExtension \"SPV_KHR_subgroup_rotate\"\n",
         "%r = OpGroupNonUniformRotateKHR %uint %sub %one %one\n", RP_NEED_SUBGROUP_ROTATE},
        {"OpCapability Int64\nOpCapability Int64Atomics\n", "",
         RP_NEED_INT64 | RP_NEED_INT64_ATOMICS},
        {"OpCapability AtomicFloat32AddEXT\nOpExtension \"SPV_EXT_shader_atomic_float_add\"\n", "",
         RP_NEED_FLOAT32_ADD},
        {"OpCapability VariablePointers\n",
         "%l = OpAccessChain %ptr %s %one\n%k = OpAccessChain %ptr %s %zero\n"
         "%which = OpSelect %ptr %true %l %k\nOpAtomicStore %which %sub %zero %one\n",
         RP_NEED_VARIABLE_POINTERS},
        {"OpCapability ShaderClockKHR\nOpCapability Int64\nOpExtension \"SPV_KHR_shader_clock\"\n",
         "", RP_NEED_INT64 | RP_NEED_SUBGROUP_CLOCK},
    };
    rp_spirv_reader reader;
    rp_spirv_reader_init(&reader, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[2048], why[512] = "";
        size_t size = 0;
        snprintf(
            text, sizeof text,
            "OpCapability Shader\n%sOpMemoryModel Logical GLSL450\n"
            "OpEntryPoint GLCompute %%main \"main\" %%s\nOpExecutionMode %%main LocalSize 1 1 1\n"
            "%%void = OpTypeVoid\n%%f = OpTypeFunction %%void\n%%bool = OpTypeBool\n"
            "%%uint = OpTypeInt 32 0\n%%zero = OpConstant %%uint 0\n"
            "%%one = OpConstant %%uint 1\n%%sub = OpConstant %%uint 3\n"
            "%%two = OpConstant %%uint 2\n%%true = OpConstantTrue %%bool\n"
            "%%array = OpTypeArray %%uint %%two\n%%all = OpTypePointer Workgroup %%array\n"
            "%%ptr = OpTypePointer Workgroup %%uint\n%%s = OpVariable %%all Workgroup\n"
            "%%main = OpFunction %%void None %%f\n%%label = OpLabel\n%sOpReturn\n"
            "OpFunctionEnd\n",
            cases[i].capabilities, cases[i].code);
        uint32_t *words = rp_assemble(text, 0x00010500, &size);
        CU_ASSERT_PTR_NOT_NULL_FATAL(words);
        rp_allocator a = rp_allocator_or_default(NULL);
        CU_ASSERT_EQUAL(rp_spirv_check(&a, words, (uint32_t)(size / 4), why), RP_OK);
        CU_ASSERT_EQUAL(rp_spirv_read(&reader, words, (uint32_t)(size / 4), "main", NULL, 0, why),
                        RP_OK);
        CU_ASSERT_STRING_EQUAL(reader.unsupported, "");
        CU_ASSERT_EQUAL(reader.needs, cases[i].needs);
        if (reader.needs != cases[i].needs)
            fprintf(stderr, "\n%s: %#llx\n", cases[i].capabilities,
                    (unsigned long long)reader.needs);
        free(words);
    }
    rp_spirv_reader_free(&reader);
}

/* A pointer of which it is not known where it goes touches all that it may point into. */
static void test_variable_pointers(void) {
    static const char text[] =
        "OpCapability Shader\nOpCapability VariablePointersStorageBuffer\n"
        "OpMemoryModel Logical GLSL450\nOpEntryPoint GLCompute %main \"main\" %a %b %c\n"
        "OpExecutionMode %main LocalSize 1 1 1\n"
        "OpDecorate %block Block\nOpMemberDecorate %block 0 Offset 0\n"
        "OpDecorate %a DescriptorSet 0\nOpDecorate %a Binding 0\n"
        "OpDecorate %b DescriptorSet 0\nOpDecorate %b Binding 1\n"
        "OpDecorate %c DescriptorSet 0\nOpDecorate %c Binding 2\n"
        "%void = OpTypeVoid\n%f = OpTypeFunction %void\n%bool = OpTypeBool\n"
        "%uint = OpTypeInt 32 0\n%zero = OpConstant %uint 0\n%true = OpConstantTrue %bool\n"
        "%block = OpTypeStruct %uint\n%blocks = OpTypePointer StorageBuffer %block\n"
        "%ptr = OpTypePointer StorageBuffer %uint\n%a = OpVariable %blocks StorageBuffer\n"
        "%b = OpVariable %blocks StorageBuffer\n%c = OpVariable %blocks StorageBuffer\n"
        "%main = OpFunction %void None %f\n%label = OpLabel\n"
        "%pa = OpAccessChain %ptr %a %zero\n%pb = OpAccessChain %ptr %b %zero\n"
        "%pc = OpAccessChain %ptr %c %zero\n%which = OpSelect %ptr %true %pa %pb\n"
        "%v = OpLoad %uint %pc\nOpStore %which %v\nOpReturn\nOpFunctionEnd\n";
    rp_spirv_reader reader;
    rp_spirv_reader_init(&reader, NULL);
    char why[128] = "";
    size_t size = 0;
    uint32_t *words = rp_assemble(text, 0x00010500, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(words);
    CU_ASSERT_EQUAL(rp_spirv_read(&reader, words, (uint32_t)(size / 4), "main", NULL, 0, why),
                    RP_OK);
    CU_ASSERT_EQUAL_FATAL(reader.resource_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        CU_ASSERT_TRUE(reader.resources[i].reads);
        CU_ASSERT_EQUAL(reader.resources[i].writes, i < 2);
    }
    free(words);
    rp_spirv_reader_free(&reader);
}

static void test_unsupported(void) {
    rp_spirv_reader reader;
    rp_spirv_reader_init(&reader, NULL);
    static const struct {
        const char *head, *body, *message;
    } cases[] = {
        {"",
         "layout(binding = 1, rgba32f) uniform image2DMS i; void main() { o[0] = uint(imageLoad(i, "
         "ivec2(0), 1).x); }",
         "images of several samples"},
        {"",
         "layout(binding = 1) uniform sampler2DMS s; void main() { o[0] = uint(texelFetch(s, "
         "ivec2(0), 1).x); }",
         "an image of several samples"},
        {"#extension GL_EXT_ray_query : require",
         "layout(binding = 1) uniform accelerationStructureEXT t; void main() { rayQueryEXT q;\n"
         "rayQueryInitializeEXT(q, t, 0, 255, vec3(0), 0.0, vec3(1), 1.0); }",
         "ray queries"},
        {"#extension GL_EXT_nonuniform_qualifier : require",
         "layout(binding = 1) buffer B { uint b; } many[]; void main() { o[0] = "
         "many[nonuniformEXT(o[1])].b; }",
         "arrays of bindings without a size"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t count;
        uint32_t *words = compile(cases[i].head, cases[i].body, &count);
        char why[128];
        CU_ASSERT_EQUAL(rp_spirv_read(&reader, words, count, "main", NULL, 0, why), RP_OK);
        CU_ASSERT_PTR_NOT_NULL(strstr(reader.unsupported, cases[i].message));
        if (!strstr(reader.unsupported, cases[i].message))
            fprintf(stderr, "\n%s: %s\n", cases[i].message, reader.unsupported);
        free(words);
    }
    rp_spirv_reader_free(&reader);
}

/* ---- Layout ---------------------------------------------------------------------------------- */

static const char scalar[] = "#extension GL_EXT_scalar_block_layout : require";

static const struct {
    const char *head, *body;
    uint64_t needs;
} layouts[] = {
    {"", "layout(binding = 1, std430) buffer A { vec3 a; float b; vec4 c[]; };", 0},
    {"", "layout(binding = 1, std430) buffer A { vec3 a[]; };", 0},
    {"", "struct S { vec3 a; float b; mat3 m; }; layout(binding = 1, std430) buffer A { S s[]; };",
     0},
    {"",
     "struct S { float a; vec2 b; }; layout(binding = 1, std140) uniform A { S s[4]; float x[3]; "
     "};",
     0},
    {"", "layout(binding = 1) uniform A { float x[4]; mat2 m; };", 0},
    {"", "layout(push_constant) uniform A { float x[4]; vec3 v; };", 0},
    {scalar, "layout(binding = 1, scalar) buffer A { float a; vec3 b; };", 0}, /* fits as it is */
    {scalar, "layout(binding = 1, scalar) buffer A { vec3 a[]; };", RP_NEED_SCALAR_LAYOUT},
    {scalar, "layout(binding = 1, scalar) buffer A { vec2 a; vec4 b; };", RP_NEED_SCALAR_LAYOUT},
    {scalar,
     "struct S { vec3 a; float b; float c; }; layout(binding = 1, scalar) buffer A { S s[]; };",
     RP_NEED_SCALAR_LAYOUT},
    {scalar, "layout(binding = 1, scalar) buffer A { float a; mat3 m; };", RP_NEED_SCALAR_LAYOUT},
    {scalar, "layout(push_constant, scalar) uniform A { vec3 a[2]; };", RP_NEED_SCALAR_LAYOUT},
    {scalar, "layout(binding = 1, scalar) uniform A { vec3 a[2]; };", RP_NEED_SCALAR_LAYOUT},
    {scalar, "layout(binding = 1, std430) uniform A { float a[4]; };", RP_NEED_UNIFORM_STD430},
    {scalar,
     "struct S { float a; float b; }; layout(binding = 1, std430) uniform A { float x; S s; };",
     RP_NEED_UNIFORM_STD430},
    {scalar, "layout(binding = 1, std430) uniform A { float a; vec4 b; };", 0},
};

static bool validates(const uint32_t *words, uint32_t count, bool scalar_layout, bool std430) {
    spv_context context = spvContextCreate(SPV_ENV_VULKAN_1_2);
    spv_validator_options options = spvValidatorOptionsCreate();
    spvValidatorOptionsSetScalarBlockLayout(options, scalar_layout);
    spvValidatorOptionsSetUniformBufferStandardLayout(options, std430);
    spv_const_binary_t binary = {words, count};
    spv_result_t result = spvValidateWithOptions(context, options, &binary, NULL);
    spvValidatorOptionsDestroy(options);
    spvContextDestroy(context);
    return result == SPV_SUCCESS;
}

static void test_layouts(void) {
    rp_spirv_reader reader;
    rp_spirv_reader_init(&reader, NULL);
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        char body[1024];
        uint32_t count;
        snprintf(body, sizeof body, "%s\nvoid main() { o[0] = 1; }", layouts[i].body);
        uint32_t *words = compile(layouts[i].head, body, &count);
        char why[128];
        CU_ASSERT_EQUAL(rp_spirv_read(&reader, words, count, "main", NULL, 0, why), RP_OK);
        uint64_t needs = reader.needs;
        CU_ASSERT_EQUAL(needs, layouts[i].needs);
        bool plain = validates(words, count, false, false);
        bool std430 = validates(words, count, false, true);
        CU_ASSERT_TRUE(validates(words, count, true, true));
        CU_ASSERT_EQUAL(plain, needs == 0);
        CU_ASSERT_EQUAL(std430, !(needs & RP_NEED_SCALAR_LAYOUT));
        if (plain != (needs == 0) || needs != layouts[i].needs)
            fprintf(stderr, "\n%s: %#llx, plain %d std430 %d\n", layouts[i].body,
                    (unsigned long long)needs, plain, std430);
        free(words);
    }
    rp_spirv_reader_free(&reader);
}

int main(void) {
    static const rp_test tests[] = {{"capabilities", test_capabilities},
                                    {"float controls", test_float_controls},
                                    {"stated", test_stated},
                                    {"variable pointers", test_variable_pointers},
                                    {"unsupported", test_unsupported},
                                    {"layouts", test_layouts},
                                    {0}};
    return rp_run_tests("plan needs", tests);
}
