/* Images in recorders, called wrongly: each message names the call and what was expected. */
#include "recorder_images.h"

static everything e;

static void start(void) {
    begin("p");
    e = declare();
    bind_all(&e);
}

/* Ends a case: joining fails with one message, which has these words. */
static void expect(const char *what) {
    rp_graph *g = NULL;
    CU_ASSERT_EQUAL(rp_program_graph(s.program, &s.r, 1, s.diags, &g), RP_ERROR_INVALID);
    CU_ASSERT_PTR_NULL(g);
    if (rp_diags_error_count(s.diags) != 1) fprintf(stderr, "  wanted only '%s'\n", what), report();
    CU_ASSERT_EQUAL_FATAL(rp_diags_error_count(s.diags), 1);
    for (uint32_t i = 0; i < rp_diags_count(s.diags); i++) {
        rp_diag d = rp_diags_get(s.diags, i);
        if (d.severity != RP_ERROR) continue;
        if (!strstr(d.message, what)) fprintf(stderr, "  wanted '%s', got: %s\n", what, d.message);
        CU_ASSERT_PTR_NOT_NULL(strstr(d.message, what));
        CU_ASSERT_PTR_NOT_NULL(strstr(d.message, "recorder 1, call "));
    }
    finish();
}

#define WRONG(what, ...)                                                                           \
    do {                                                                                           \
        start();                                                                                   \
        __VA_ARGS__;                                                                               \
        rp_dispatch(s.r, 1, 1, 1);                                                                 \
        expect(what);                                                                              \
    } while (0)

static void test_bad_binds(void) {
    const rp_image_part x = {.image = {0}};
    WRONG("(rp_bind_image): image: the handle is 0", rp_bind_image(s.r, 1, 0, 0, x));
    WRONG("(rp_bind_sampler): sampler: the handle is 0",
          rp_bind_sampler(s.r, 1, 1, 0, (rp_sampler){0}));
    WRONG("(rp_bind_combined): sampler: the handle was never handed out",
          rp_bind_combined(s.r, 0, 3, 0, (rp_image_part){e.x}, (rp_sampler){e.far.id + 1}));
    WRONG("(rp_bind_element): buffer: the handle is 0",
          rp_bind_element(s.r, 0, 0, 0, (rp_range){{0}}));
    WRONG("(rp_bind_texels): buffer 'words' has 1024 bytes; the range starts at 1024",
          rp_bind_texels(s.r, 0, 2, 0, (rp_range){e.words, 1024}, RP_IMAGE_R8UI));
    WRONG("(rp_bind_image): kernel 'all' has no binding 9 in set 1",
          rp_bind_image(s.r, 1, 9, 0, (rp_image_part){e.x}));
    WRONG("binding 2 in set 1 ('o') of kernel 'all' has no element 2; it has 2",
          rp_bind_image(s.r, 1, 2, 2, (rp_image_part){e.x}));
    WRONG("binding 0 in set 1 ('i') of kernel 'all' has no element 1; it has 1",
          rp_bind_image(s.r, 1, 0, 1, (rp_image_part){e.x}));
    WRONG("(rp_bind): binding 3 in set 0 ('c') of kernel 'all' is an image with its sampler; "
          "expected "
          "rp_bind_combined",
          rp_bind(s.r, 3, (rp_range){e.words}));
    WRONG("is a texel buffer; expected rp_bind_texels", rp_bind(s.r, 1, (rp_range){e.words}));
    WRONG("is an image; expected rp_bind_image", rp_bind_sampler(s.r, 1, 0, 0, e.far));
    WRONG("is a sampler; expected rp_bind_sampler",
          rp_bind_image(s.r, 1, 1, 0, (rp_image_part){e.x}));
    WRONG("is a buffer; expected rp_bind or rp_bind_element",
          rp_bind_texels(s.r, 0, 0, 0, (rp_range){e.words}, RP_IMAGE_R8UI));
    WRONG("takes a buffer; 'x' is an image", rp_bind(s.r, 0, (rp_range){e.x}));
    WRONG("takes a buffer; 'x' is an image",
          rp_bind_texels(s.r, 0, 2, 0, (rp_range){e.x}, RP_IMAGE_R8UI));
    WRONG("the shader declares no format of its texels; give one",
          rp_bind_texels(s.r, 0, 2, 0, (rp_range){e.words}, RP_IMAGE_NONE));
    WRONG("there is no format 77",
          rp_bind_texels(s.r, 0, 2, 0, (rp_range){e.words}, (rp_image_format)77));
    WRONG("there is no format 301",
          rp_bind_texels(s.r, 0, 2, 0, (rp_range){e.words}, (rp_image_format)301));
    WRONG("the kernel declares format r32ui there, and it is bound as r32f",
          rp_bind_texels(s.r, 0, 1, 0, (rp_range){e.texels, 0, 64}, RP_IMAGE_R32F));
    WRONG("the range is no whole number of texels",
          rp_bind_texels(s.r, 0, 2, 0, (rp_range){e.words, 2, 4}, RP_IMAGE_R32UI));
}

static void test_bad_parts(void) {
    WRONG("of 'words', which has 0 and 0: it is a buffer; expected an image",
          rp_bind_image(s.r, 1, 0, 0, (rp_image_part){e.words}));
    WRONG("mips 3+0, layers 0+0 of 'x', which has 3 and 4: it does not have these mips",
          rp_bind_image(s.r, 1, 0, 0, (rp_image_part){e.x, .first_mip = 3}));
    WRONG("it does not have these mips",
          rp_bind_image(s.r, 1, 0, 0, (rp_image_part){e.x, .first_mip = 1, .mips = UINT32_MAX}));
    WRONG("it does not have these layers",
          rp_bind_image(s.r, 1, 0, 0, (rp_image_part){e.x, .first_layer = 4}));
    WRONG(
        "it does not have these layers",
        rp_bind_image(s.r, 1, 0, 0, (rp_image_part){e.x, .first_layer = 1, .layers = UINT32_MAX}));
    WRONG("one mip can be there", rp_bind_image(s.r, 1, 2, 0, (rp_image_part){e.y, .mips = 2}));
    WRONG("the kernel sees a 2d image there, and this has 4 layers",
          rp_bind_image(s.r, 1, 0, 0, (rp_image_part){e.x}));
    WRONG("the shader only samples it: expected s", rp_bind_access(s.r, 0, 3, RP_READ));
}

static void test_unbound(void) {
    const rp_image_part part = {.first_layer = 1, .layers = 1};
    start();
    rp_bind_kernel(s.r, e.kernel);
    rp_bind(s.r, 0, (rp_range){e.words});
    rp_bind_element(s.r, 0, 0, 2, (rp_range){e.words});
    rp_dispatch(s.r, 1, 1, 1);
    expect("element 1 of binding 0 in set 0 ('x') of kernel 'all' is not bound, but element 2 is: "
           "elements are bound from 0 on");
    start();
    rp_bind_kernel(s.r, e.kernel);
    rp_dispatch(s.r, 1, 1, 1);
    expect("binding 0 in set 0 ('x') of kernel 'all' is not bound");
    begin("p");
    e = declare();
    rp_kernel k = kernel("m",
                         "#version 450\n"
                         "layout(binding = 0) uniform texture2D i;\n"
                         "layout(binding = 1) uniform sampler m[2];\n"
                         "layout(binding = 2) writeonly buffer Y { vec4 y; };\n"
                         "void main() {\n"
                         "    y = textureLod(sampler2D(i, m[0]), vec2(0), 0.0) +\n"
                         "        textureLod(sampler2D(i, m[1]), vec2(0), 0.0);\n"
                         "}\n",
                         NULL);
    rp_image_part x = part;
    x.image = e.x;
    rp_bind_kernel(s.r, k);
    rp_bind_image(s.r, 0, 0, 0, x);
    rp_bind_sampler(s.r, 0, 1, 0, e.far);
    rp_bind(s.r, 2, (rp_range){e.texels, 0, 16});
    rp_dispatch(s.r, 1, 1, 1);
    expect("element 1 of binding 1 in set 0 ('m') of kernel 'm' is not bound; expected all 2 "
           "samplers");
}

static void test_bad_transfers(void) {
    WRONG("(rp_copy_image): image: the handle is 0",
          rp_copy_image(s.r, (rp_image_part){{0}}, (rp_image_part){e.y}));
    WRONG("(rp_copy_image): image: the handle is 0",
          rp_copy_image(s.r, (rp_image_part){e.x}, (rp_image_part){{0}}));
    WRONG(
        "(rp_copy_image): layers 1+1 of 4 of several mips of 'x'; expected one mip, or all layers "
        "of some",
        rp_copy_image(s.r, (rp_image_part){e.x, 0, 2, 1, 1}, (rp_image_part){e.y, 0, 2, 0, 1}));
    WRONG("are not texels of one size in the same extents",
          rp_copy_image(s.r, (rp_image_part){e.x, 0, 1, 0, 2}, (rp_image_part){e.y, 1, 1}));
    WRONG("(rp_copy_to_image): the part of the image has 2048 bytes, the range 1024; expected the "
          "same",
          rp_copy_to_image(s.r, (rp_range){e.words, 0, 1024}, (rp_image_part){e.y, 1, 1, 0, 1}));
    WRONG("(rp_copy_to_image): buffer 'words' has 1024 bytes; the range [0+2048] ends behind them",
          rp_copy_to_image(s.r, (rp_range){e.words}, (rp_image_part){e.y, 1, 1, 0, 1}));
    WRONG(
        "(rp_copy_from_image): mips 0+0, layers 0+0 of 'texels', which has 0 and 0: it is a buffer",
        rp_copy_from_image(s.r, (rp_image_part){e.texels}, (rp_range){e.texels}));
    WRONG("(rp_copy_from_image): buffer: the handle is 0",
          rp_copy_from_image(s.r, (rp_image_part){e.x, 2, 1, 0, 1}, (rp_range){{0}}));
    WRONG("its offset is a multiple of 4",
          rp_copy_from_image(s.r, (rp_image_part){e.x, 2, 1, 0, 1}, (rp_range){e.texels, 2, 512}));
    WRONG("(rp_copy): ", rp_copy(s.r, (rp_range){e.x, 4, 64}, (rp_range){e.texels, 0, 64}));
    WRONG("(rp_blit): mips 0+2, layers 0+0 of 'x', which has 3 and 4: one mip can be there",
          rp_blit(s.r, (rp_image_part){e.x, 0, 2}, (rp_image_part){e.y}, RP_FILTER_LINEAR));
    WRONG("both sides have as many layers",
          rp_blit(s.r, (rp_image_part){e.x}, (rp_image_part){e.y}, RP_FILTER_LINEAR));
    WRONG("the filter does not exist",
          rp_blit(s.r, (rp_image_part){e.y}, (rp_image_part){e.y, 1}, (rp_filter)7));
    WRONG("(rp_make_mips): mip 1 of 'y' has none behind it that could be made",
          rp_make_mips(s.r, (rp_image_part){e.y, 1}, RP_FILTER_LINEAR));
    WRONG("(rp_make_mips): mips 0+0, layers 0+0 of 'words'",
          rp_make_mips(s.r, (rp_image_part){e.words}, RP_FILTER_LINEAR));
    WRONG("(rp_clear): image: the handle was never handed out",
          rp_clear(s.r, (rp_image_part){{e.live.id + 1}}, (rp_texel_value){{0}}));
    WRONG("(rp_clear): layers 0+1 of 2 of several mips of 'y'",
          rp_clear(s.r, (rp_image_part){e.y, .layers = 1}, (rp_texel_value){{0}}));
    WRONG("(rp_clear): ", rp_clear(s.r, (rp_image_part){e.x}, (rp_texel_value){{0}})); /* kind in */
    WRONG("(rp_fill): ", rp_fill(s.r, (rp_range){e.y}, 0));
    WRONG("(rp_update): ", rp_update(s.r, (rp_range){e.y}, &(uint32_t){0}, 4));
    WRONG("(rp_dispatch_indirect): ", rp_dispatch_indirect(s.r, (rp_range){e.x}));
    start();
    const rp_operand operands[] = {
        {.name = "x", .range = {e.x}, .dtype = RP_U32, .rank = 1, .shape = {4}},
        {.name = "out", .range = {e.texels}, .dtype = RP_U32, .rank = 1, .shape = {4}}};
    rp_apply(s.r, "copy", operands, 2, NULL, 0);
    expect("(rp_apply): ");
}

/* ---- Declarations ---------------------------------------------------------------------------- */

/* Of a call that was refused at once. */
static void expect_message(const char *wanted) {
    CU_ASSERT_EQUAL_FATAL(rp_diags_error_count(s.diags), 1);
    const char *message = rp_diags_get(s.diags, 0).message;
    if (!strstr(message, wanted)) fprintf(stderr, "  wanted '%s', got: %s\n", wanted, message);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, wanted));
    rp_diags_clear(s.diags);
}

static void refuse(rp_buffer_params params, const char *wanted) {
    rp_buffer b = {9};
    params.size = sizeof params;
    if (!params.name) params.name = "a";
    CU_ASSERT_EQUAL(rp_program_buffer(s.program, &params, s.diags, &b), RP_ERROR_INVALID);
    CU_ASSERT_EQUAL(b.id, 0);
    expect_message(wanted);
}

static void test_bad_images(void) {
    const rp_image_shape good = flat(RP_IMAGE_R32F, 1, 1);
    rp_image_shape bad = good;
    begin("p");
    refuse((rp_buffer_params){.kind = RP_LIVE, .image = good}, "an image is not live");
    refuse((rp_buffer_params){.dtype = RP_F32, .image = good}, "expected no dtype or rank");
    refuse((rp_buffer_params){.rank = 1, .shape = {4}, .image = good}, "expected no dtype or rank");
    refuse((rp_buffer_params){.bytes = 4, .image = good}, "size and image disagree");
    refuse((rp_buffer_params){.image = good, .initial = &good}, "only live buffers");
    refuse((rp_buffer_params){.image = good, .kind = (rp_buffer_kind)9}, "unknown kind");
    bad.format = 200;
    refuse((rp_buffer_params){.image = bad}, "there is no such image: its format does not exist");
    bad = good;
    bad.mips = 8;
    refuse((rp_buffer_params){.image = bad}, "there is no such image: it has no mips, or more");
    bad = good;
    bad.depth = 0;
    refuse((rp_buffer_params){.image = bad}, "there is no such image: an extent is 0");
    bad = good;
    bad.width = bad.height = UINT32_MAX;
    refuse((rp_buffer_params){.image = bad}, "2^40 bytes or more");
    rp_buffer made = image("a", RP_IN, good);
    CU_ASSERT_NOT_EQUAL(made.id, 0);
    refuse((rp_buffer_params){.image = good}, "another of this name");
    finish();
}

static void refuse_sampler(rp_sampler_params params, const char *wanted) {
    rp_sampler made = {9};
    params.size = sizeof params;
    CU_ASSERT_EQUAL(rp_program_sampler(s.program, &params, s.diags, &made), RP_ERROR_INVALID);
    CU_ASSERT_EQUAL(made.id, 0);
    expect_message(wanted);
}

static void test_bad_samplers(void) {
    const rp_sampler_info zeros = {0};
    rp_sampler_info info = rp_sampler_default;
    rp_sampler made = {9};
    begin("p");
    info.bias = __builtin_nanf("");
    refuse_sampler((rp_sampler_params){.name = "s", .info = &info}, "its bias is not between");
    info = rp_sampler_default;
    info.u = 77;
    refuse_sampler((rp_sampler_params){.name = "s", .info = &info},
                   "an address mode does not exist");
    refuse_sampler((rp_sampler_params){0}, "NULL is not a name");
    refuse_sampler((rp_sampler_params){.name = "a-b"}, "'a-b' is not a name");
    CU_ASSERT_NOT_EQUAL(sampler("s", &zeros).id, 0); /* compares NEVER, which is a sampler */
    refuse_sampler((rp_sampler_params){.name = "s"}, "another of this name");
    const rp_sampler_params params = {.size = sizeof params, .name = "t"}, unsized = {.name = "t"};
    CU_ASSERT_EQUAL(rp_program_sampler(NULL, &params, NULL, &made), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(made.id, 0);
    CU_ASSERT_EQUAL(rp_program_sampler(s.program, NULL, NULL, &made), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_sampler(s.program, &params, NULL, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_sampler(s.program, &unsized, NULL, &made), RP_ERROR_USAGE);
    finish();
}

/* Recorders that are not there, and those that are closed, take any call. */
static void test_null(void) {
    for (int round = 0; round < 2; round++) {
        start();
        rp_recorder *r = round ? s.r : NULL;
        rp_label_end(r); /* closes it */
        rp_bind_element(r, 0, 0, 0, (rp_range){{0}});
        rp_bind_texels(r, 0, 0, 0, (rp_range){{0}}, RP_IMAGE_NONE);
        rp_bind_image(r, 0, 0, 0, (rp_image_part){{0}});
        rp_bind_combined(r, 0, 0, 0, (rp_image_part){{0}}, (rp_sampler){0});
        rp_bind_sampler(r, 0, 0, 0, (rp_sampler){0});
        rp_copy_image(r, (rp_image_part){{0}}, (rp_image_part){{0}});
        rp_copy_to_image(r, (rp_range){{0}}, (rp_image_part){{0}});
        rp_copy_from_image(r, (rp_image_part){{0}}, (rp_range){{0}});
        rp_blit(r, (rp_image_part){{0}}, (rp_image_part){{0}}, RP_FILTER_LINEAR);
        rp_make_mips(r, (rp_image_part){{0}}, RP_FILTER_LINEAR);
        rp_clear(r, (rp_image_part){{0}}, (rp_texel_value){{0}});
        if (round) {
            expect("(rp_label_end): no label is open");
        } else {
            rp_graph *g = NULL;
            ok(rp_program_graph(s.program, &s.r, 1, s.diags, &g));
            rp_graph_destroy(g);
            finish();
        }
    }
}

int main(void) {
    const rp_test tests[] = {
        {"wrong binds", test_bad_binds},   {"wrong parts", test_bad_parts},
        {"unbound", test_unbound},         {"wrong transfers", test_bad_transfers},
        {"wrong images", test_bad_images}, {"wrong samplers", test_bad_samplers},
        {"no recorder", test_null},        {NULL, NULL}};
    return rp_run_tests("recorders with images, called wrongly", tests);
}
