/* What formats are good for, of random plans on devices of random formats: a plan is refused exactly
 * where a use asks what a format does not have, and each of these is said once, with the buffer. The
 * kernels are real shaders, since code says which image meets which sampler, and what is done to texels
 * of a format that is not declared. What is expected is kept while a plan is drawn: no rule is shared. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "reprise/passes.h"
#include "support.h"
#include "support/cases.h"
#include "support/glsl_body.h"
#include "support/random_graph.h"

#define READ_OPEN VK_FORMAT_FEATURE_2_STORAGE_READ_WITHOUT_FORMAT_BIT
#define WRITE_OPEN VK_FORMAT_FEATURE_2_STORAGE_WRITE_WITHOUT_FORMAT_BIT
#define STORAGE VK_FORMAT_FEATURE_2_STORAGE_IMAGE_BIT
#define SAMPLED VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_BIT
#define LINEAR VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_FILTER_LINEAR_BIT
#define COMPARE VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_DEPTH_COMPARISON_BIT
#define FROM VK_FORMAT_FEATURE_2_TRANSFER_SRC_BIT
#define TO VK_FORMAT_FEATURE_2_TRANSFER_DST_BIT
#define BLIT_FROM VK_FORMAT_FEATURE_2_BLIT_SRC_BIT
#define BLIT_TO VK_FORMAT_FEATURE_2_BLIT_DST_BIT
#define TEXELS_IN VK_FORMAT_FEATURE_2_UNIFORM_TEXEL_BUFFER_BIT
#define TEXELS_OUT VK_FORMAT_FEATURE_2_STORAGE_TEXEL_BUFFER_BIT

static const struct {
    VkFormatFeatureFlags2 feature;
    const char *said;
} words[] = {{STORAGE, "storage images"},
             {SAMPLED, "sampled images"},
             {READ_OPEN, "being read where the shader declares no format"},
             {WRITE_OPEN, "being written where the shader declares no format"},
             {LINEAR, "linear filters"},
             {COMPARE, "samplers that compare"},
             {BLIT_FROM, "being blitted from"},
             {BLIT_TO, "being blitted to"},
             {FROM, "being copied from"},
             {TO, "being copied to"},
             {TEXELS_IN, "uniform texel buffers"},
             {TEXELS_OUT, "storage texel buffers"}};

static const struct {
    VkFormat vulkan;
    const char *name;
    bool glsl; /* it can be declared */
} formats[] = {{VK_FORMAT_R8G8B8A8_UNORM, "rgba8", true},
               {VK_FORMAT_R32_SFLOAT, "r32f", true},
               {VK_FORMAT_R16G16B16A16_SFLOAT, "rgba16f", true},
               {VK_FORMAT_B8G8R8A8_UNORM, "bgra8", false},
               {VK_FORMAT_R8G8B8A8_SRGB, "rgba8_srgb", false}};
enum { FORMATS = 5, BUFFERS = 64, RUNS = 3, TRANSFERS = 8 };

static VkFormatFeatureFlags2 has[FORMATS][2]; /* of images, of texels */

static VkFormatFeatureFlags2 features_of(VkFormat format, bool texels) {
    for (uint32_t i = 0; i < FORMATS; i++)
        if (formats[i].vulkan == format) return has[i][texels];
    return UINT64_MAX;
}

/* A plan that is being drawn. */
typedef struct drawing {
    rp_random random;
    char buffers[4096], kernels[4096], nodes[4096];
    char glsl[RUNS][4096];
    uint32_t format[BUFFERS];
    bool texels[BUFFERS];
    VkFormatFeatureFlags2 wanted[BUFFERS];
    uint32_t buffer_count, kernel_count;
} drawing;

RP_PRINTF(2, 3) static void add(char *text, const char *format, ...) {
    size_t length = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + length, 4096 - length, format, args);
    va_end(args);
    CU_ASSERT_TRUE_FATAL(strlen(text) < 4095);
}

static uint32_t below(drawing *d, uint32_t limit) {
    return rp_random_below(&d->random, limit);
}

/* The host writes and reads each: it is `inout`. */
static uint32_t make_image(drawing *d, uint32_t format, uint32_t edge) {
    uint32_t b = d->buffer_count++;
    d->format[b] = format;
    d->wanted[b] = FROM | TO;
    add(d->buffers, "  buf $b%u inout image 2d %s[%u,%u]\n", b, formats[format].name, edge, edge);
    return b;
}

static uint32_t make_texels(drawing *d, uint32_t format) {
    uint32_t b = d->buffer_count++;
    d->format[b] = format;
    d->texels[b] = true;
    add(d->buffers, "  buf $b%u inout 256\n", b);
    return b;
}

/* The samplers of every plan, and what they ask. */
static const VkFormatFeatureFlags2 samplers[] = {LINEAR, LINEAR, 0, COMPARE, LINEAR};
static const char sampler_text[] = "  samp @s0 ()\n"
                                   "  samp @s1 (mag=nearest, min=nearest)\n" /* mips are mixed */
                                   "  samp @s2 (mag=nearest, min=nearest, mip=nearest)\n"
                                   "  samp @s3 (compare=less)\n"
                                   "  samp @s4 (mag=nearest, mip=nearest)\n";
enum { SAMPLERS = 5, NEAREST = 2, COMPARES = 3 };

/* What is bound to a kernel: text for its declaration, the uses and the samplers of its node. */
typedef struct binding_lists {
    char *glsl, params[1024], uses[1024], samplers[256], code[2048];
    uint32_t count;
} binding_lists;

static void bind(binding_lists *l, const char *access, const char *resource, uint32_t buffer,
                 const char *as) {
    const char *comma = *l->params ? ", " : "";
    add(l->params, "%s%s%s%s", comma, access, *resource ? " " : "", resource);
    if (buffer != RP_NONE)
        add(l->uses, "%s%s $b%u%s%s", *l->uses ? ", " : "", access, buffer, *as ? " as " : "", as);
    l->count++;
}

static void draw_storage(drawing *d, binding_lists *l, bool texels) {
    uint32_t f = below(d, FORMATS), how = below(d, 3), place = l->count;
    bool declared = formats[f].glsl && below(d, 2), reads = how != 1, writes = how != 0;
    static const char *const qualifiers[] = {"readonly ", "writeonly ", ""}, *const access[] = {
                                                                                 "r", "rw", "rw"};
    char resource[64];
    uint32_t b = texels ? make_texels(d, f) : make_image(d, f, 8);
    d->wanted[b] |= texels ? TEXELS_OUT : STORAGE;
    if (!declared && reads) d->wanted[b] |= READ_OPEN;
    if (!declared && writes) d->wanted[b] |= WRITE_OPEN;
    add(l->glsl, "layout(binding = %u%s%s) uniform %s%s v%u;\n", place, declared ? ", " : "",
        declared ? formats[f].name : "", qualifiers[how], texels ? "imageBuffer" : "image2D",
        place);
    const char *at = texels ? "p.x" : "p";
    if (reads) add(l->code, "    sum += imageLoad(v%u, %s);\n", place, at);
    if (writes) add(l->code, "    imageStore(v%u, %s, sum);\n", place, at);
    snprintf(resource, sizeof resource, "%s%s", texels ? "texels " : "image 2d ",
             declared ? formats[f].name : "float");
    bind(l, access[how], resource, b, texels ? formats[f].name : "");
}

static void draw_combined(drawing *d, binding_lists *l) {
    uint32_t f = below(d, FORMATS), s = below(d, SAMPLERS), place = l->count;
    uint32_t b = make_image(d, f, 8);
    bool compares = s == COMPARES;
    d->wanted[b] |= SAMPLED | samplers[s];
    add(l->glsl, "layout(binding = %u) uniform sampler2D%s v%u;\n", place, compares ? "Shadow" : "",
        place);
    add(l->code, "    sum += textureLod(v%u, vec%s(0.5), 0);\n", place, compares ? "3" : "2");
    bind(l, "s", "combined 2d float", b, "");
    add(l->samplers, "%s@s%u", *l->samplers ? ", " : "", s);
}

/* Images and samplers of their own: some meet, and some images are fetched from alone. */
static void draw_separate(drawing *d, binding_lists *l) {
    uint32_t images[3], places[3], count = 1 + below(d, 3), kinds[2], sampler_places[2];
    for (uint32_t i = 0; i < count; i++) {
        images[i] = make_image(d, below(d, FORMATS), 8);
        places[i] = l->count;
        d->wanted[images[i]] |= SAMPLED;
        add(l->glsl, "layout(binding = %u) uniform texture2D v%u;\n", places[i], places[i]);
        add(l->code, "    sum += texelFetch(v%u, p, 0);\n", places[i]);
        bind(l, "s", "image 2d float", images[i], "");
    }
    for (uint32_t k = 0; k < 2; k++) {
        kinds[k] = below(d, SAMPLERS);
        sampler_places[k] = l->count;
        bool compares = kinds[k] == COMPARES;
        add(l->glsl, "layout(binding = %u) uniform sampler%s v%u;\n", sampler_places[k],
            compares ? "Shadow" : "", sampler_places[k]);
        bind(l, "s", "sampler", RP_NONE, "");
        add(l->samplers, "%s@s%u", *l->samplers ? ", " : "", kinds[k]);
        for (uint32_t i = 0; i < count; i++) {
            if (below(d, 2)) continue;
            d->wanted[images[i]] |= samplers[kinds[k]];
            add(l->code, "    sum += textureLod(sampler2D%s(v%u, v%u), vec%s(0.5), 0);\n",
                compares ? "Shadow" : "", places[i], sampler_places[k], compares ? "3" : "2");
        }
    }
}

static void draw_uniform_texels(drawing *d, binding_lists *l) {
    uint32_t f = below(d, FORMATS), place = l->count;
    uint32_t b = make_texels(d, f);
    d->wanted[b] |= TEXELS_IN;
    add(l->glsl, "layout(binding = %u) uniform samplerBuffer v%u;\n", place, place);
    add(l->code, "    sum += texelFetch(v%u, p.x);\n", place);
    bind(l, "s", "texels float", b, formats[f].name);
}

static void draw_run(drawing *d, uint32_t node) {
    uint32_t k = d->kernel_count++;
    binding_lists l = {.glsl = d->glsl[k]};
    add(l.glsl, "#version 450\n#extension GL_EXT_shader_image_load_formatted : require\n"
                "#extension GL_EXT_samplerless_texture_functions : require\n"
                "layout(local_size_x = 8, local_size_y = 8) in;\n");
    for (uint32_t i = 1 + below(d, 2); i > 0; i--) switch (below(d, 5)) {
        case 0: draw_storage(d, &l, false); break;
        case 1: draw_storage(d, &l, true); break;
        case 2: draw_combined(d, &l); break;
        case 3: draw_separate(d, &l); break;
        case 4: draw_uniform_texels(d, &l); break;
        }
    uint32_t sink = d->buffer_count++; /* what is read must lead somewhere */
    add(d->buffers, "  buf $b%u inout 1024\n", sink);
    add(l.glsl,
        "layout(binding = %u) buffer Sink { vec4 v[]; } sink;\nvoid main() {\n"
        "    ivec2 p = ivec2(gl_GlobalInvocationID.xy);\n    vec4 sum = vec4(1);\n%s"
        "    sink.v[p.x] += sum;\n}\n",
        l.count, l.code);
    bind(&l, "rw", "", sink, "");
    add(d->kernels, "  kern @abstract%u spirv - local 8 8 1 (%s)\n", k, l.params);
    add(d->nodes, "  n%u = run @abstract%u grid 1 1 1 (%s)", node, k, l.uses);
    if (*l.samplers) add(d->nodes, " samplers (%s)", l.samplers);
    add(d->nodes, " label \"part %u\"\n", node);
}

static void draw_transfer(drawing *d, uint32_t node) {
    uint32_t f = below(d, FORMATS), linear = below(d, 2), kind = below(d, 3);
    uint32_t a = make_image(d, f, 8), b = make_image(d, f, kind == 1 ? 4 : 8);
    if (kind == 1) {
        d->wanted[a] |= BLIT_FROM | (linear ? LINEAR : 0);
        d->wanted[b] |= BLIT_TO;
        add(d->nodes, "  n%u = blit %s (r $b%u, w $b%u)\n", node, linear ? "linear" : "nearest", a,
            b);
    } else if (kind == 2) {
        add(d->nodes, "  n%u = clear 00000000 00000000 00000000 00000000 (w $b%u)\n", node, b);
    } else {
        add(d->nodes, "  n%u = copy (r $b%u, w $b%u)\n", node, a, b);
    }
}

static rp_plan *finish(const drawing *d) {
    char text[16384];
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *source = NULL, *compiled = NULL;
    snprintf(text, sizeof text, "reprise 1\ngraph g {\n%s%s%s%s}\n", d->buffers, d->kernels,
             sampler_text, d->nodes);
    rp_status status = rp_graph_parse(NULL, text, strlen(text), "t", diags, &source);
    for (uint32_t i = 0; status != RP_OK && i < rp_diags_count(diags); i++)
        printf("\n%s\n%s", text, rp_diags_get(diags, i).message);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(source, NULL, NULL, &compiled, NULL, NULL), RP_OK);
    for (uint32_t k = 0; k < d->kernel_count; k++) {
        char name[32];
        snprintf(name, sizeof name, "abstract%u", k);
        rp_give_glsl(compiled, name, d->glsl[k]);
    }
    rp_plan *plan = mock_plan_of(compiled);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
    rp_diags_destroy(diags);
    return plan;
}

/* What the device has by the rules of its version: before 1.3, what it says of all listed formats. */
static VkFormatFeatureFlags2 there(const drawing *d, uint32_t buffer, bool younger) {
    uint32_t f = d->format[buffer];
    VkFormatFeatureFlags2 all = has[f][d->texels[buffer]];
    if (younger) return all;
    all &= ~(READ_OPEN | WRITE_OPEN | COMPARE);
    return formats[f].glsl ? all | READ_OPEN | WRITE_OPEN : all;
}

static uint32_t expect_words(const drawing *d, rp_diags *diags, uint32_t buffer,
                             VkFormatFeatureFlags2 missing) {
    uint32_t expected = 0;
    if (missing & (STORAGE | TEXELS_OUT)) missing &= ~(READ_OPEN | WRITE_OPEN);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char sentence[160];
        uint32_t found = 0;
        snprintf(sentence, sizeof sentence, "b%u%s is of format %s, which is not for %s", buffer,
                 d->texels[buffer] ? " there" : "", formats[d->format[buffer]].name, words[i].said);
        for (uint32_t k = 0; k < rp_diags_count(diags); k++)
            found += strstr(rp_diags_get(diags, k).message, sentence) != NULL;
        CU_ASSERT_EQUAL(found, (missing & words[i].feature) != 0);
        if (found != ((missing & words[i].feature) != 0)) printf("\n  %s: %u\n", sentence, found);
        expected += (missing & words[i].feature) != 0;
    }
    return expected;
}

static bool try_one(uint64_t seed) {
    static drawing d;
    d = (drawing){.random = {seed}};
    mock_reset();
    mock.families[0].queueFlags |= VK_QUEUE_GRAPHICS_BIT;
    bool younger = below(&d, 2);
    uint32_t lacks = below(&d, 5); /* in 16 */
    if (!younger) mock.properties.apiVersion = VK_API_VERSION_1_2;
    for (uint32_t f = 0; f < FORMATS; f++)
        for (uint32_t texels = 0; texels < 2; texels++) {
            has[f][texels] = UINT64_MAX;
            for (size_t i = 0; i < sizeof words / sizeof *words; i++)
                if (below(&d, 16) < lacks) has[f][texels] &= ~words[i].feature;
        }
    mock.format_features = features_of;
    mock.undeclared_formats = true;
    for (uint32_t i = 0; i < RUNS; i++) draw_run(&d, i);
    for (uint32_t i = 0; i < TRANSFERS; i++) draw_transfer(&d, RUNS + i);
    rp_plan *plan = finish(&d);
    rp_diags *diags = rp_diags_create(NULL);
    rp_device *device = mock_open(NULL, diags);
    rp_exec *exec = NULL;
    rp_status status = rp_exec_create(device, plan, &mock_params, diags, &exec);
    uint32_t expected = 0;
    for (uint32_t b = 0; b < d.buffer_count; b++)
        expected += expect_words(&d, diags, b, d.wanted[b] & ~there(&d, b, younger));
    CU_ASSERT_EQUAL(status, expected ? RP_ERROR_UNSUPPORTED : RP_OK);
    CU_ASSERT_EQUAL(rp_diags_error_count(diags), expected);
    bool good = rp_diags_error_count(diags) == expected;
    for (uint32_t i = 0; !good && i < rp_diags_count(diags); i++)
        printf("\n  %s", rp_diags_get(diags, i).message);
    rp_exec_destroy(exec);
    rp_device_destroy(device, NULL);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    mock_done();
    return expected > 0;
}

static void test_random(void) {
    uint64_t cases = rp_cases(24, 24), refused = 0;
    for (uint64_t seed = 1; seed <= cases && CU_get_number_of_failures() == 0; seed++) {
        refused += try_one(seed);
        if (CU_get_number_of_failures()) printf("\n  seed %llu\n", (unsigned long long)seed);
    }
    CU_ASSERT_TRUE(refused > cases / 5 && refused < cases);
}

/* Of the features that one need stands for, a device is asked those that a kernel uses. */
static void test_extras(void) {
    static const char text[] =
        "reprise 1\ngraph g scheduled placed synced arena 0 {\n"
        "  buf $x in image cube r32f[4,4] layers 12\n"
        "  buf $z in image 2d r32f[4,4]\n"
        "  buf $y inout image 2d r32f[4,4]\n"
        "  kern @abstractcube spirv - local 1 1 1 (s combined cube_array float, "
        "rw image 2d r32f)\n"
        "  kern @abstractgather spirv - local 1 1 1 (s combined 2d float, "
        "rw image 2d r32f)\n"
        "  samp @s (mag=nearest, min=nearest, mip=nearest)\n"
        "  barrier transfer:rw,compute:rws -> compute:rws\n"
        "  group 0\n"
        "    n0 = run @abstractcube grid 1 1 1 (s $x, rw $y) samplers (@s)\n"
        "  barrier compute:rw -> compute:rw\n"
        "  group 1\n"
        "    n1 = run @abstractgather grid 1 1 1 (s $z, rw $y) samplers (@s)\n"
        "  barrier compute:w -> host:r\n}\n";
    static const char head[] = "#version 450\nlayout(binding = 1, r32f) uniform image2D y;\n"
                               "layout(binding = 0) uniform ";
    static const char *const bodies[] = {
        "samplerCubeArray x;\nvoid main() { imageStore(y, ivec2(0), "
        "textureLod(x, vec4(1, 0, 0, 1), 0)); }\n",
        "sampler2D x;\nvoid main() { imageStore(y, ivec2(0), textureGatherOffsets(x, vec2(0.5), "
        "ivec2[4](ivec2(0), ivec2(1), ivec2(2), ivec2(-1)))); }\n"};
    for (int bits = 0; bits < 4; bits++) {
        char glsl[1024];
        mock_reset();
        mock.cube_arrays = bits & 1;
        mock.gathers = bits & 2;
        rp_graph *graph = NULL;
        CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, strlen(text), "t", NULL, &graph), RP_OK);
        for (int i = 0; i < 2; i++) {
            snprintf(glsl, sizeof glsl, "%s%s", head, bodies[i]);
            rp_give_glsl(graph, i ? "abstractgather" : "abstractcube", glsl);
        }
        rp_plan *plan = mock_plan_of(graph);
        rp_diags *diags = rp_diags_create(NULL);
        rp_device *device = mock_open(NULL, diags);
        rp_exec *exec = NULL;
        CU_ASSERT_EQUAL(rp_exec_create(device, plan, &mock_params, diags, &exec),
                        bits == 3 ? RP_OK : RP_ERROR_UNSUPPORTED);
        CU_ASSERT_EQUAL(rp_diags_error_count(diags), (uint32_t)(!(bits & 1) + !(bits & 2)));
        if (!(bits & 1))
            CU_ASSERT_TRUE(rp_test_said(
                diags, "kernel @abstractcube needs the feature imageCubeArray, which"));
        if (!(bits & 2))
            CU_ASSERT_TRUE(rp_test_said(
                diags, "kernel @abstractgather needs the feature shaderImageGatherExtended, "));
        rp_exec_destroy(exec);
        rp_device_destroy(device, NULL);
        rp_plan_destroy(plan);
        rp_graph_destroy(graph);
        rp_diags_destroy(diags);
        mock_done();
    }
}

int main(void) {
    static const rp_test tests[] = {
        {"random plans and formats", test_random}, {"a need of many features", test_extras}, {0}};
    return rp_run_tests("formats", tests);
}
