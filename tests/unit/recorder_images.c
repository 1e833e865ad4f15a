/* Images, samplers, texels and arrays of bindings in recorders: the graph is that of the same YAML and of
 * the same text. */
#include "recorder_images.h"

#include <stdlib.h>
#include "support/read_file.h"

#define GOLDEN RP_SOURCE_ROOT "/tests/golden/yaml/"

/* ---- The same as YAML ------------------------------------------------------------------------ */

static rp_kernel kernel_of_file(const char *name, const char *file) {
    size_t size;
    char *glsl = read_file(file, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(glsl);
    rp_kernel k = kernel(name, glsl, file);
    free(glsl);
    return k;
}

static void blur(rp_kernel k, rp_buffer from, rp_sampler with, rp_image_part to, float x, float y) {
    rp_bind_kernel(s.r, k);
    rp_bind_combined(s.r, 0, 0, 0, (rp_image_part){from}, with);
    rp_bind_image(s.r, 0, 1, 0, to);
    rp_push(s.r, 0, (float[2]){x, y}, 8);
    rp_dispatch(s.r, 8, 4, 1);
}

/* tests/golden/yaml/good/images.yaml, call by call. */
static rp_graph *record_golden(void) {
    rp_buffer photo = image("photo", RP_IN, flat(RP_IMAGE_RGBA8_SRGB, 1, 1)), table;
    const rp_buffer_params rows = {.size = sizeof rows,
                                   .name = "table",
                                   .kind = RP_WEIGHT,
                                   .dtype = RP_F32,
                                   .rank = 2,
                                   .shape = {16, 4}};
    ok(rp_program_buffer(s.program, &rows, s.diags, &table));
    rp_buffer across = image("across", RP_TMP, flat(RP_IMAGE_RGBA16F, 1, 1));
    rp_buffer pyramid = image("pyramid", RP_TMP, flat(RP_IMAGE_RGBA16F, 1, 7));
    rp_buffer layers = image("layers", RP_TMP, flat(RP_IMAGE_RGBA16F, 2, 2)), packed;
    const rp_buffer_params bytes = {.size = sizeof bytes,
                                    .name = "packed",
                                    .kind = RP_OUT,
                                    .dtype = RP_U8,
                                    .rank = 3,
                                    .shape = {32, 64, 4}};
    ok(rp_program_buffer(s.program, &bytes, s.diags, &packed));
    rp_buffer out = image("out", RP_OUT, flat(RP_IMAGE_RGBA8, 1, 1));
    rp_sampler_info info = rp_sampler_default;
    info.mag = info.min = info.mip = RP_FILTER_NEAREST;
    info.max_level = 2;
    info.border = RP_BORDER_FLOAT_BLACK;
    rp_sampler smooth = sampler("smooth", NULL), sharp = sampler("sharp", &info);
    rp_kernel k = kernel_of_file("blur", GOLDEN "shaders/blur.comp");
    rp_kernel mix = kernel_of_file("mix", GOLDEN "shaders/mix.comp");

    blur(k, photo, smooth, (rp_image_part){across}, 1.0f / 64, 0);
    blur(k, across, smooth, (rp_image_part){pyramid}, 0, 1.0f / 32);
    rp_make_mips(s.r, (rp_image_part){pyramid}, RP_FILTER_LINEAR);
    for (uint32_t l = 0; l < 2; l++)
        blur(k, across, sharp, (rp_image_part){layers, .first_layer = l, .layers = 1}, 0, 0);
    rp_blit(s.r, (rp_image_part){layers}, (rp_image_part){layers, .first_mip = 1},
            RP_FILTER_LINEAR);
    rp_clear(s.r, (rp_image_part){out}, (rp_texel_value){.f = {0, 0, 0, 1}});
    rp_bind_kernel(s.r, mix);
    rp_bind_image(s.r, 0, 0, 1, (rp_image_part){layers, .mips = 2, .first_layer = 1});
    rp_bind_image(s.r, 0, 0, 0, (rp_image_part){pyramid});
    rp_bind_sampler(s.r, 0, 1, 0, smooth);
    rp_bind_texels(s.r, 0, 2, 0, (rp_range){table, 0, 64}, RP_IMAGE_RGBA32F);
    rp_bind_image(s.r, 0, 3, 0, (rp_image_part){out});
    rp_dispatch(s.r, 8, 4, 1);
    rp_copy_from_image(s.r, (rp_image_part){out}, (rp_range){packed});
    rp_graph *g = NULL;
    ok(rp_program_graph(s.program, &s.r, 1, s.diags, &g));
    return g;
}

static void test_as_yaml(void) {
    rp_pipeline *pipeline = NULL;
    char *difference = NULL;
    begin("images");
    rp_graph *g = record_golden();
    ok(rp_pipeline_load(NULL, GOLDEN "good/images.yaml", NULL, 0, s.diags, &pipeline));
    ok(rp_graph_diff(rp_pipeline_graph(pipeline), g, &difference, NULL));
    CU_ASSERT_STRING_EQUAL(difference, "");
    CU_ASSERT(rp_graph_equal(rp_pipeline_graph(pipeline), g));
    CU_ASSERT_EQUAL(rp_graph_hash(rp_pipeline_graph(pipeline)), rp_graph_hash(g));
    rp_text_release(g, difference);
    rp_plan *plan = NULL;
    ok(rp_compile(g, NULL, s.diags, &plan, NULL));
    rp_plan_destroy(plan);
    rp_pipeline_destroy(pipeline);
    rp_graph_destroy(g);
    finish();
}

/* ---- The same as text ------------------------------------------------------------------------ */

static void expect_text(const char *const *wanted) {
    rp_graph *g = NULL, *again = NULL;
    char *text = NULL;
    size_t size;
    ok(rp_program_graph(s.program, &s.r, 1, s.diags, &g));
    ok(rp_graph_print(g, RP_FORMAT_TEXT, &text, &size));
    for (; *wanted; wanted++) {
        if (!strstr(text, *wanted)) fprintf(stderr, "  wanted '%s' in\n%s", *wanted, text);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, *wanted));
    }
    ok(rp_graph_parse(NULL, text, size, NULL, s.diags, &again));
    CU_ASSERT(rp_graph_equal(g, again));
    rp_text_release(g, text);
    rp_graph_destroy(g);
    rp_graph_destroy(again);
    finish();
}

static void test_arrays(void) {
    begin("arrays");
    const everything e = declare();
    bind_all(&e);
    rp_dispatch(s.r, 1, 1, 1);
    rp_bind_access(s.r, 0, 1, RP_WRITE);
    rp_dispatch_indirect(s.r, (rp_range){e.words, 512});
    const char *const wanted[] = {
        "(r x 3, w texels r32ui x 2, s texels uint, s combined 2d float x 2, "
        "s 1.0 image 2d float, s 1.1 sampler x 2, rw 1.2 image 2d r32f x 2)",
        "(r $words[0+64], next r $words[256+64], next r $words[512+64], "
        "rw $texels[0+64] as r32ui, next rw $texels[256+64] as r32ui, s $words[768+256] as rg16ui, "
        "s $x[mip 0+1 layer 1+1], also s $x[mip 1+1 layer 1+1], "
        "next s $x[mip 0+1 layer 1+1], also s $x[mip 1+1 layer 1+1], s $x[mip 2+1 layer 3+1], "
        "rw $y[mip 1+1 layer 0+1], next rw $y[mip 1+1 layer 1+1]) "
        "samplers (@far, @near, @near, @far)",
        "rw $y[mip 1+1 layer 0+1], next rw $y[mip 1+1 layer 1+1]) samplers (@far, @near, @near, "
        "@far)",
        NULL};
    expect_text(wanted);
}

/* Packed bytes are ranges like others. */
static void test_transfers(void) {
    begin("transfers");
    const everything e = declare();
    const uint64_t mip = 64 * 32 * 4, layer_1_of_mip_1 = 4 * mip + 32 * 16 * 4;
    rp_buffer raw = buffer("raw", RP_INOUT, 2 * mip);
    rp_copy_from_image(s.r, (rp_image_part){e.x, 1, 1, 1, 1}, (rp_range){raw, 16});
    rp_copy(s.r, (rp_range){e.x, layer_1_of_mip_1, 32 * 16 * 4}, (rp_range){raw, 16, 32 * 16 * 4});
    rp_copy_to_image(s.r, (rp_range){raw}, (rp_image_part){e.y, 0, 1});
    rp_copy_image(s.r, (rp_image_part){e.x, 1, 2, 2, 1}, (rp_image_part){e.y, 0, 1, 0, 1});
    rp_graph *g = NULL;
    CU_ASSERT_EQUAL(rp_program_graph(s.program, &s.r, 1, s.diags, &g), RP_ERROR_INVALID);
    rp_diags_clear(s.diags);
    rp_recorder_destroy(s.r);
    ok(rp_recorder_create(s.program, &s.r));
    rp_copy_from_image(s.r, (rp_image_part){e.x, 1, 1, 1, 1}, (rp_range){raw, 16});
    rp_copy(s.r, (rp_range){e.x, layer_1_of_mip_1, 32 * 16 * 4}, (rp_range){raw, 16, 32 * 16 * 4});
    rp_copy_to_image(s.r, (rp_range){raw}, (rp_image_part){e.y, 0, 1});
    rp_copy_image(s.r, (rp_image_part){e.x, 1, 1, 2, 1}, (rp_image_part){e.y, 1, 1, 0, 1});
    rp_clear(s.r, (rp_image_part){e.y, 1}, (rp_texel_value){.u = {1, 2, 3, 4}});
    rp_make_mips(s.r, (rp_image_part){e.y, .first_layer = 1}, RP_FILTER_NEAREST);
    rp_blit(s.r, (rp_image_part){e.x, 2, 0, 0, 2}, (rp_image_part){e.y}, RP_FILTER_LINEAR);
    const char *const wanted[] = {
        "n0 = copy (r $x[mip 1+1 layer 1+1], w $raw[16+2048])",
        "n1 = copy (r $x[mip 1+1 layer 1+1], w $raw[16+2048])",
        "n2 = copy (r $raw, w $y[mip 0+1])",
        "n3 = copy (r $x[mip 1+1 layer 2+1], w $y[mip 1+1 layer 0+1])",
        "n4 = clear 01000000 02000000 03000000 04000000 (w $y[mip 1+1])",
        "n5 = blit nearest (r $y[mip 0+1 layer 1+1], w $y[mip 1+1 layer 1+1])",
        "n6 = blit linear (r $x[mip 2+1 layer 0+2], w $y[mip 0+1])",
        NULL};
    expect_text(wanted);
}

/* What the code does not use takes anything, as long as it is there. */
static void test_unused(void) {
    begin("unused");
    const everything e = declare();
    rp_kernel k = kernel("none",
                         "#version 450\n"
                         "layout(binding = 0) uniform sampler2D c;\n"
                         "layout(binding = 1, r32f) uniform image2D o[2];\n"
                         "layout(binding = 2) writeonly buffer Y { uint y; };\n"
                         "void main() { y = 1; }\n",
                         NULL);
    rp_bind_kernel(s.r, k);
    rp_bind(s.r, 0, (rp_range){e.words});
    rp_bind_image(s.r, 0, 1, 1, (rp_image_part){e.x});
    rp_bind(s.r, 2, (rp_range){e.texels, 0, 4});
    rp_dispatch(s.r, 1, 1, 1);
    const char *const wanted[] = {"n0 = run @none grid 1 1 1 (w $texels[0+4])", NULL};
    expect_text(wanted);
}

/* Push data that follows a live value comes through one more buffer, beside images and samplers; so does an
 * optional node keep them. */
static void test_live(void) {
    begin("live");
    const everything e = declare();
    rp_kernel k =
        kernel("add",
               "#version 450\n"
               "layout(binding = 0) uniform sampler2D x[2];\n"
               "layout(binding = 1, r32f) uniform image2D y;\n"
               "layout(push_constant) uniform Push { float by; float too; };\n"
               "void main() {\n"
               "    ivec2 p = ivec2(gl_GlobalInvocationID.xy);\n"
               "    vec4 v = textureLod(x[0], vec2(0), 0.0) + textureLod(x[1], vec2(0), 0.0);\n"
               "    imageStore(y, p, imageLoad(y, p) + v + by * too);\n"
               "}\n",
               NULL);
    rp_bind_kernel(s.r, k);
    for (uint32_t i = 0; i < 2; i++)
        rp_bind_combined(s.r, 0, 0, i, (rp_image_part){e.x, 0, 2, i, 1}, i ? e.near : e.far);
    rp_bind_image(s.r, 0, 1, 0, (rp_image_part){e.y, 1, 1, 1, 1});
    rp_push(s.r, 0, &(float){2}, 4);
    rp_push_live(s.r, 4, (rp_range){e.live, 4, 4});
    rp_optional_begin(s.r);
    rp_dispatch_live(s.r, "n", "1", "1");
    rp_optional_end(s.r);
    const char *const wanted[] = {
        "kern @add-live spirv ", "(s combined 2d float x 2, rw image 2d r32f, r 1.0)",
        "(s $x[mip 0+1 layer 0+1], also s $x[mip 1+1 layer 0+1], next s $x[mip 0+1 layer 1+1], "
        "also s $x[mip 1+1 layer 1+1], rw $y[mip 1+1 layer 1+1], r $",
        ") samplers (@far, @near)", NULL};
    expect_text(wanted);
}

int main(void) {
    const rp_test tests[] = {{"as YAML", test_as_yaml},     {"arrays", test_arrays},
                             {"transfers", test_transfers}, {"unused", test_unused},
                             {"live push data", test_live}, {NULL, NULL}};
    return rp_run_tests("recorders with images", tests);
}
