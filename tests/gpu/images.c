/* Images on a real device, under the validation layer and its synchronisation checks: every format in
 * every dimension through copies, clears and blits. Expected texels are computed here. */
#include "images.h"

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
            if (gpu_has_seconds(60)) check_format(formats[f], s);
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
    static const rp_test tests[] = {
        {"every format, in every dimension", test_formats}, {"clears and blits", test_blits}, {0}};
    return rp_run_tests("images", tests);
}
