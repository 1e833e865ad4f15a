/* Images on a real device, under the validation layer and its synchronisation checks: every format in
 * every dimension through copies, what kernels read and write, samplers and texels, arrays, memory that
 * images share, and images of the application. Expected texels are computed here. */
#include "images.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static rp_device *device;

/* ---- Copies ---------------------------------------------------------------------------------- */

/* A shape of each dimension whose mips are odd and whose last ones are single texels. */
static const struct {
    const char *text;
    rp_image_shape shape;
} shapes[] = {
    {"1d %s[37] layers 3 mips 6", {0, RP_IMAGE_1D, 6, 37, 1, 1, 3}},
    {"2d %s[19,11] layers 3 mips 5", {0, RP_IMAGE_2D, 5, 19, 11, 1, 3}},
    {"3d %s[9,6,5] mips 4", {0, RP_IMAGE_3D, 4, 9, 6, 5, 1}},
    {"cube %s[12,12] layers 12 mips 4", {0, RP_IMAGE_CUBE, 4, 12, 12, 1, 12}},
};

/* Host to image, image to image and to a buffer, buffer to image, image to host: packed bytes all the
 * way. Some formats' bytes have values that drivers may write otherwise (NaN, two's -1.0): copies keep
 * every bit of them. */
static void check_format(rp_image_format format, size_t which) {
    char type[128], text[1024];
    rp_image_shape shape = shapes[which].shape;
    shape.format = (uint8_t)format;
    uint64_t bytes = rp_image_bytes(&shape);
    snprintf(type, sizeof type, shapes[which].text, rp_image_format_name(format));
    snprintf(text, sizeof text,
             "reprise 1\ngraph copies {\n"
             "  buf $x in image %s\n"
             "  buf $y out image %s\n"
             "  buf $z out %llu\n"
             "  buf %%t tmp image %s\n"
             "  buf %%u tmp image %s\n"
             "  n0 = copy (r $x, w %%t)\n"
             "  n1 = copy (r %%t, w $z)\n"
             "  n2 = copy (r $z, w %%u)\n"
             "  n3 = copy (r %%u, w $y)\n}\n",
             type, type, (unsigned long long)bytes, type, type);
    rp_plan *plan = images_plan(text, NULL, 1);
    rp_exec *exec = gpu_exec(device, plan, NULL);
    uint8_t *in = malloc(bytes), *out = malloc(bytes), *raw = malloc(bytes);
    images_fill(in, bytes, format);
    for (uint64_t i = 0; format == RP_IMAGE_D32F && i < bytes; i += 4) { /* depths */
        const float depth = (float)(i % 1021) / 1021;
        memcpy(in + i, &depth, sizeof depth);
    }
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, in, bytes, NULL), RP_OK);
    for (int round = 0; round < 2; round++) {
        images_replay(exec);
        CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, out, bytes, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "z", 0, raw, bytes, NULL), RP_OK);
        CU_ASSERT_EQUAL(memcmp(in, out, bytes), 0);
        CU_ASSERT_EQUAL(memcmp(in, raw, bytes), 0);
        if (memcmp(in, out, bytes) != 0 || memcmp(in, raw, bytes) != 0)
            fprintf(stderr, "\n  wrong: %s", type);
    }
    free(in);
    free(out);
    free(raw);
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
}

static void test_formats(void) {
    device = images_open();
#define RP_X(symbol, ...) symbol,
    static const rp_image_format formats[] = {RP_IMAGE_FORMAT_LIST(RP_X)};
#undef RP_X
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
            if (gpu_has_seconds(60) &&
                (formats[f] != RP_IMAGE_D32F || shapes[s].shape.dim == RP_IMAGE_2D))
                check_format(formats[f], s);
    images_close(device);
}

/* ---- Kernels --------------------------------------------------------------------------------- */

static const char next_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 8, local_size_y = 8) in;\n"
    "layout(binding = 0, rgba8ui) readonly uniform uimage2D x;\n"
    "layout(binding = 1, rgba8ui) writeonly uniform uimage2D y;\n"
    "void main() {\n"
    "    ivec2 p = ivec2(gl_GlobalInvocationID.xy);\n"
    "    imageStore(y, p, (imageLoad(x, p) + uvec4(1, 2, 3, p.x)) & 255u);\n"
    "}\n";

/* A chain of transients that share memory, each from the one before, and one beside it that is alive all
 * the while: it, and what stands around, keep their bytes. */
static void test_chain(void) {
    enum { W = 24, H = 16, LENGTH = 6, BYTES = W * H * 4 };
    static const images_kernel kernels[] = {{"next", next_glsl}, {0}};
    device = images_open();
    for (int level = 0; level < 2; level++) {
        char text[4096];
        int at = snprintf(text, sizeof text,
                          "reprise 1\ngraph chain {\n"
                          "  buf $x in image 2d rgba8ui[%d,%d]\n"
                          "  buf $y out image 2d rgba8ui[%d,%d]\n"
                          "  buf $z out image 2d rgba8ui[%d,%d]\n"
                          "  buf %%keep tmp image 2d rgba8ui[%d,%d]\n",
                          W, H, W, H, W, H, W, H);
        for (int i = 0; i < LENGTH; i++)
            at += snprintf(text + at, sizeof text - (size_t)at,
                           "  buf %%t%d tmp image 2d rgba8ui[%d,%d]\n", i, W, H);
        at += snprintf(text + at, sizeof text - (size_t)at,
                       "  kern @next spirv - local 8 8 1 (r image 2d rgba8ui, w image 2d rgba8ui)\n"
                       "  n0 = run @next grid 3 2 1 (r $x, w %%keep)\n"
                       "  n1 = run @next grid 3 2 1 (r $x, w %%t0)\n");
        for (int i = 1; i < LENGTH; i++)
            at += snprintf(text + at, sizeof text - (size_t)at,
                           "  n%d = run @next grid 3 2 1 (r %%t%d, w %%t%d)\n", i + 1, i - 1, i);
        snprintf(text + at, sizeof text - (size_t)at,
                 "  n%d = run @next grid 3 2 1 (r %%t%d, w $y)\n"
                 "  n%d = copy (r %%keep, w $z)\n}\n",
                 LENGTH + 1, LENGTH - 1, LENGTH + 2);
        rp_plan *plan = images_plan(text, kernels, level);
        rp_exec *exec = gpu_exec(device, plan, NULL);
        static uint8_t x[BYTES], y[BYTES], z[BYTES];
        images_fill(x, BYTES, 5);
        CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, x, BYTES, NULL), RP_OK);
        for (int round = 0; round < 3; round++) {
            images_replay(exec);
            CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, y, BYTES, NULL), RP_OK);
            CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "z", 0, z, BYTES, NULL), RP_OK);
            uint32_t wrong = 0;
            for (uint32_t i = 0; i < BYTES; i++) {
                uint32_t by = i % 4 == 3 ? i / 4 % W : i % 4 + 1;
                wrong += z[i] != (uint8_t)(x[i] + by);
                wrong += y[i] != (uint8_t)(x[i] + (LENGTH + 1) * by);
            }
            CU_ASSERT_EQUAL(wrong, 0);
        }
        rp_exec_destroy(exec);
        rp_plan_destroy(plan);
    }
    images_close(device);
}

/* ---- Samplers, views, texels ----------------------------------------------------------------- */

static float at_f32(const float *texels, int w, int h, int x, int y, int channel) {
    x = x < 0 ? 0 : x >= w ? w - 1 : x; /* clamped to the edge */
    y = y < 0 ? 0 : y >= h ? h - 1 : y;
    return texels[(y * w + x) * 4 + channel];
}

/* Between texels by a linear sampler, of a layer of an array; the same by the nearest one, with the image
 * and the sampler apart. */
static const char sample_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 8, local_size_y = 8) in;\n"
    "layout(binding = 0) uniform sampler2DArray x;\n"
    "layout(binding = 1) uniform texture2DArray t;\n"
    "layout(binding = 2) uniform sampler s;\n"
    "layout(binding = 3, rgba32f) writeonly uniform image2D linear;\n"
    "layout(binding = 4, rgba32f) writeonly uniform image2D nearest;\n"
    "void main() {\n"
    "    ivec2 p = ivec2(gl_GlobalInvocationID.xy);\n"
    "    vec2 at = (vec2(p) + 0.75) / vec2(16, 8);\n"
    "    imageStore(linear, p, textureLod(x, vec3(at, 1), 0.0));\n"
    "    imageStore(nearest, p, textureLod(sampler2DArray(t, s), vec3(at, 1), 0.0));\n"
    "}\n";

static void test_samplers(void) {
    enum { W = 16, H = 8, LAYERS = 3, FLOATS = W * H * 4 };
    static const images_kernel kernels[] = {{"sample", sample_glsl}, {0}};
    static float x[LAYERS * FLOATS], linear[FLOATS], nearest[FLOATS];
    device = images_open();
    rp_plan *plan = images_plan(
        "reprise 1\ngraph samples {\n"
        "  buf $x in image 2d rgba32f[16,8] layers 3\n"
        "  buf $l out image 2d rgba32f[16,8]\n"
        "  buf $n out image 2d rgba32f[16,8]\n"
        "  kern @sample spirv - local 8 8 1 (s combined 2d_array float, s image 2d_array float, "
        "s sampler, w image 2d rgba32f, w image 2d rgba32f)\n"
        "  samp @linear ()\n"
        "  samp @near (mag=nearest, min=nearest, mip=nearest)\n"
        "  n0 = run @sample grid 2 1 1 (s $x, s $x, w $l, w $n) samplers (@linear, @near)\n}\n",
        kernels, 1);
    rp_exec *exec = gpu_exec(device, plan, NULL);
    for (int i = 0; i < LAYERS * FLOATS; i++) x[i] = (float)((i * 37) % 101) - 50;
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, x, sizeof x, NULL), RP_OK);
    images_replay(exec);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "l", 0, linear, sizeof linear, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "n", 0, nearest, sizeof nearest, NULL), RP_OK);
    uint32_t wrong = 0;
    for (int i = 0; i < FLOATS; i++) {
        int px = i / 4 % W, py = i / 4 / W, c = i % 4;
        const float *layer = x + FLOATS;
        /* 0.75 is a quarter of a texel behind the middle of texel p. */
        float mean = 0.5625f * at_f32(layer, W, H, px, py, c) +
                     0.1875f * at_f32(layer, W, H, px + 1, py, c) +
                     0.1875f * at_f32(layer, W, H, px, py + 1, c) +
                     0.0625f * at_f32(layer, W, H, px + 1, py + 1, c);
        wrong += fabsf(linear[i] - mean) > 0.5f; /* weights have 8 bits or more */
        wrong += nearest[i] != at_f32(layer, W, H, px, py, c);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    images_close(device);
}

static const char shadow_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 8, local_size_y = 8) in;\n"
    "layout(binding = 0) uniform sampler2DShadow apart;\n"
    "layout(binding = 1) uniform texture2D depth;\n"
    "layout(binding = 2) uniform samplerShadow how;\n"
    "layout(binding = 3) uniform sampler plain;\n"
    "layout(binding = 4, rgba32f) writeonly uniform image2D y;\n"
    "void main() {\n"
    "    ivec2 p = ivec2(gl_GlobalInvocationID.xy);\n"
    "    vec2 at = (vec2(p) + 0.5) / vec2(16, 8);\n"
    "    float limit = float(p.x) / 16;\n"
    "    imageStore(y, p, vec4(textureLod(apart, vec3(at, limit), 0),\n"
    "        textureLod(sampler2DShadow(depth, how), vec3(at, limit), 0),\n"
    "        textureLod(sampler2D(depth, plain), at, 0).r, limit));\n"
    "}\n";

/* Depth of the host, of a clear and of a blit, compared by samplers and read as it is. */
static void test_depth(void) {
    enum { W = 16, H = 8, TEXELS = W * H };
    static const images_kernel kernels[] = {{"shadow", shadow_glsl}, {0}};
    static float x[TEXELS], y[3][4 * TEXELS];
    device = images_open();
    rp_plan *plan = images_plan(
        "reprise 1\ngraph shadows {\n"
        "  buf $x in image 2d d32f[16,8]\n"
        "  buf %cleared tmp image 2d d32f[16,8]\n"
        "  buf %scaled tmp image 2d d32f[16,8]\n"
        "  buf $y0 out image 2d rgba32f[16,8]\n"
        "  buf $y1 out image 2d rgba32f[16,8]\n"
        "  buf $y2 out image 2d rgba32f[16,8]\n"
        "  kern @shadow spirv - local 8 8 1 (s combined 2d float, s image 2d float, s sampler, "
        "s sampler, w image 2d rgba32f)\n"
        "  samp @less (compare=less, mag=nearest, min=nearest, mip=nearest)\n"
        "  samp @atleast (compare=greater_or_equal, mag=nearest, min=nearest, mip=nearest)\n"
        "  samp @plain (mag=nearest, min=nearest, mip=nearest)\n"
        "  n0 = clear 0000003f 00000000 00000000 00000000 (w %cleared)\n"
        "  n1 = blit nearest (r $x, w %scaled)\n"
        "  n2 = run @shadow grid 2 1 1 (s $x, s $x, w $y0) samplers (@less, @atleast, @plain)\n"
        "  n3 = run @shadow grid 2 1 1 (s %cleared, s %cleared, w $y1) samplers (@less, @atleast, "
        "@plain)\n"
        "  n4 = run @shadow grid 2 1 1 (s %scaled, s %scaled, w $y2) samplers (@less, @atleast, "
        "@plain)\n}\n",
        kernels, 1);
    rp_exec *exec = gpu_exec(device, plan, NULL);
    for (int i = 0; i < TEXELS; i++) x[i] = (float)((i * 37) % 101) / 101;
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, x, sizeof x, NULL), RP_OK);
    images_replay(exec);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y0", 0, y[0], sizeof y[0], NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y1", 0, y[1], sizeof y[1], NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y2", 0, y[2], sizeof y[2], NULL), RP_OK);
    uint32_t wrong = 0;
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < TEXELS; i++) {
            const float *got = y[k] + (size_t)4 * i, limit = (float)(i % W) / W;
            float depth = k == 1 ? 0.5f : x[i];
            wrong += got[0] != (limit < depth ? 1 : 0) || got[1] != (limit >= depth ? 1 : 0);
            wrong += got[2] != depth || got[3] != limit;
        }
    CU_ASSERT_EQUAL(wrong, 0);
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    images_close(device);
}

/* One face of a cube for each direction, all mips of some layers as pieces, and a 3D image. */
static const char views_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 6) in;\n"
    "layout(binding = 0) uniform samplerCube cube;\n"
    "layout(binding = 1) uniform sampler2DArray layers;\n"
    "layout(binding = 2, r32f) readonly uniform image3D volume;\n"
    "layout(binding = 3) writeonly buffer Y { float v[]; } y;\n"
    "void main() {\n"
    "    uint i = gl_GlobalInvocationID.x;\n"
    "    const vec3 to[6] = vec3[](vec3(1, 0, 0), vec3(-1, 0, 0), vec3(0, 1, 0), vec3(0, -1, 0),\n"
    "                              vec3(0, 0, 1), vec3(0, 0, -1));\n"
    "    y.v[i] = textureLod(cube, to[i], 0.0).r;\n"
    "    y.v[6 + i] = textureLod(layers, vec3(0.5, 0.5, i % 2), float(i / 2)).r;\n"
    "    y.v[12 + i] = imageLoad(volume, ivec3(i % 2, i / 2, 1)).r;\n"
    "}\n";

static void test_views(void) {
    static const images_kernel kernels[] = {{"views", views_glsl}, {0}};
    float cube[6], layers[4 * (16 + 4 + 1)], volume[2 * 3 * 2], y[18];
    device = images_open();
    rp_plan *plan = images_plan(
        "reprise 1\ngraph views {\n"
        "  buf $cube in image cube r32f[1,1] layers 6\n"
        "  buf $layers in image 2d r32f[4,4] layers 4 mips 3\n"
        "  buf $volume in image 3d r32f[2,3,2]\n"
        "  buf $y out f32[18]\n"
        "  kern @views spirv - local 6 1 1 (s combined cube float, s combined 2d_array float, "
        "r image 3d r32f, w)\n"
        "  samp @near (mag=nearest, min=nearest, mip=nearest)\n"
        "  n0 = run @views grid 1 1 1 (s $cube, s $layers[mip 0+1 layer 1+2], "
        "also s $layers[mip 1+1 layer 1+2], also s $layers[mip 2+1 layer 1+2], r $volume, w $y) "
        "samplers (@near, @near)\n}\n",
        kernels, 1);
    rp_exec *exec = gpu_exec(device, plan, NULL);
    for (int i = 0; i < 6; i++) cube[i] = (float)(10 + i);
    for (int i = 0, m = 0, at = 0; m < 3; m++)
        for (int l = 0; l < 4; l++)
            for (i = 0; i < 16 >> 2 * m; i++) layers[at++] = (float)(100 + 10 * m + l);
    for (int i = 0; i < 12; i++) volume[i] = (float)(200 + i);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "cube", 0, cube, sizeof cube, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "layers", 0, layers, sizeof layers, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "volume", 0, volume, sizeof volume, NULL), RP_OK);
    images_replay(exec);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, y, sizeof y, NULL), RP_OK);
    for (int i = 0; i < 6; i++) {
        CU_ASSERT_EQUAL(y[i], cube[i]);
        CU_ASSERT_EQUAL(y[6 + i], (float)(100 + 10 * (i / 2) + 1 + i % 2));
        CU_ASSERT_EQUAL(y[12 + i], volume[6 + i]);
    }
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    images_close(device);
}

/* Buffers as texels. */
static const char texels_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 8) in;\n"
    "layout(binding = 0) uniform textureBuffer x;\n"
    "layout(binding = 1, r32ui) uniform uimageBuffer y;\n"
    "void main() {\n"
    "    int i = int(gl_GlobalInvocationID.x);\n"
    "    imageStore(y, i, uvec4(uint(texelFetch(x, i).g * 255.0 + 0.5) + 1000));\n"
    "}\n";

static void test_texels(void) {
    static const images_kernel kernels[] = {{"texels", texels_glsl}, {0}};
    uint8_t x[32];
    uint32_t y[8];
    device = images_open();
    rp_plan *plan =
        images_plan("reprise 1\ngraph texels {\n"
                    "  buf $x in 32\n"
                    "  buf $y out u32[8]\n"
                    "  buf %t tmp 32\n"
                    "  kern @texels spirv - local 8 1 1 (s texels float, rw texels r32ui)\n"
                    "  n0 = copy (r $x, w %t)\n"
                    "  n1 = run @texels grid 1 1 1 (s %t as rgba8, rw $y as r32ui)\n}\n",
                    kernels, 0);
    rp_exec *exec = gpu_exec(device, plan, NULL);
    images_fill(x, sizeof x, 3);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, x, sizeof x, NULL), RP_OK);
    images_replay(exec);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, y, sizeof y, NULL), RP_OK);
    for (uint32_t i = 0; i < 8; i++) CU_ASSERT_EQUAL(y[i], x[4 * i + 1] + 1000u);
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    images_close(device);
}

/* ---- Clears and blits ------------------------------------------------------------------------ */

/* A mip chain by blits, of an image that is cleared but for a layer, and read back by layers. */
static void test_blits(void) {
    enum { W = 8, LAYERS = 2 };
    float texel[4] = {1, 2, 3, 4}, x[W * W * 4], out[LAYERS * (64 + 16 + 4 + 1) * 4];
    char hex[40] = "";
    for (int i = 0; i < 16; i++)
        sprintf(hex + strlen(hex), "%s%02x", i && i % 4 == 0 ? " " : "", ((uint8_t *)texel)[i]);
    char text[2048];
    snprintf(text, sizeof text,
             "reprise 1\ngraph blits {\n"
             "  buf $x in image 2d rgba32f[8,8]\n"
             "  buf $y inout image 2d rgba32f[8,8] layers 2 mips 4\n"
             "  n0 = clear %s (w $y)\n"
             "  n1 = copy (r $x, w $y[mip 0+1 layer 1+1])\n"
             "  n2 = blit linear (r $y[mip 0+1], w $y[mip 1+1])\n"
             "  n3 = blit linear (r $y[mip 1+1], w $y[mip 2+1])\n"
             "  n4 = blit nearest (r $y[mip 2+1], w $y[mip 3+1])\n}\n",
             hex);
    device = images_open();
    rp_plan *plan = images_plan(text, NULL, 1);
    rp_exec *exec = gpu_exec(device, plan, NULL);
    for (int i = 0; i < W * W * 4; i++) x[i] = (float)(i % 4 + i / 32 / 4 * 8); /* rows of four */
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, x, sizeof x, NULL), RP_OK);
    images_replay(exec);
    images_replay(exec);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, out, sizeof out, NULL), RP_OK);
    const float *at = out;
    for (int mip = 0; mip < 4; mip++) {
        int width = W >> mip;
        for (int i = 0; i < width * width * 4; i++) CU_ASSERT_EQUAL(at[i], texel[i % 4]);
        at += width * width * 4;
        for (int i = 0; i < width * width * 4; i++)
            if (mip < 2) CU_ASSERT_EQUAL(at[i], (float)(i % 4 + (i / 4 / width >= width / 2) * 8));
        at += width * width * 4;
    }
    /* A layer of a mip alone, and one that is none. */
    const rp_image_shape shape = {RP_IMAGE_RGBA32F, RP_IMAGE_2D, 4, W, W, 1, LAYERS};
    uint64_t offset, size;
    CU_ASSERT_EQUAL(rp_image_range(&shape, 1, 1, 1, 1, &offset, &size), RP_OK);
    float part[64];
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", offset, part, size, NULL), RP_OK);
    CU_ASSERT_EQUAL(memcmp(part, (uint8_t *)out + offset, size), 0);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", offset + 4, part, 16, NULL), RP_ERROR_USAGE);
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    images_close(device);
}

int main(void) {
    static const rp_test tests[] = {{"every format, in every dimension", test_formats},
                                    {"a chain of transients", test_chain},
                                    {"samplers", test_samplers},
                                    {"depth", test_depth},
                                    {"views", test_views},
                                    {"texels", test_texels},
                                    {"clears and blits", test_blits},
                                    {0}};
    return rp_run_tests("images", tests);
}
