/* Recorded images on a real device: what calls mean as a graph, plain and compiled, and in direct mode.
 * Expected texels are computed here; random calls are compared with each other. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "images.h"
#include "memory/storage.h"
#include "recorded.h"
#include "support/own_commands.h"
#include "support/random_images.h"

static recorded r;

static rp_image_shape flat(rp_image_format format, uint32_t width, uint32_t height, uint32_t layers,
                           uint32_t mips) {
    return (rp_image_shape){(uint8_t)format, RP_IMAGE_2D, (uint16_t)mips, width, height, 1, layers};
}

/* Numbers from -8 to 8, exact in every float format. */
static void fill_floats(float *x, uint32_t count, uint32_t seed) {
    for (uint32_t i = 0; i < count; i++)
        x[i] = (float)((i * 2654435761u + seed * 40503u) >> 20 & 255) / 16 - 8;
}

/* ---- A blur in two passes -------------------------------------------------------------------- */

enum { W = 40, H = 24, TEXELS = W * H };

static const char blur_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 8, local_size_y = 8) in;\n"
    "layout(binding = 0) uniform sampler2D from;\n"
    "layout(binding = 1, rgba32f) writeonly uniform image2D to;\n"
    "layout(push_constant) uniform Push { vec2 by; };\n"
    "void main() {\n"
    "    ivec2 p = ivec2(gl_GlobalInvocationID.xy), size = imageSize(to);\n"
    "    if (any(greaterThanEqual(p, size))) return;\n"
    "    vec4 sum = vec4(0);\n"
    "    for (int i = -3; i <= 3; i++)\n"
    "        sum += textureLod(from, (vec2(p) + 0.5 + by * float(i)) / vec2(size), 0.0);\n"
    "    imageStore(to, p, sum / 7.0);\n"
    "}\n";

static struct {
    rp_kernel blur;
    rp_sampler near;
    rp_buffer x, across, y;
} blurs;

static void blur(rp_recorder *rec, rp_buffer from, rp_buffer to, float by_x, float by_y) {
    rp_bind_kernel(rec, blurs.blur);
    rp_bind_combined(rec, 0, 0, 0, (rp_image_part){from}, blurs.near);
    rp_bind_image(rec, 0, 1, 0, (rp_image_part){to});
    rp_push(rec, 0, (float[2]){by_x, by_y}, 8);
    rp_dispatch(rec, W / 8, H / 8, 1);
}

static void blur_calls(rp_recorder *rec, void *user) {
    (void)user;
    blur(rec, blurs.x, blurs.across, 1, 0);
    blur(rec, blurs.across, blurs.y, 0, 1);
}

static double clamped(const double *x, int px, int py) {
    px = px < 0 ? 0 : px >= W ? W - 1 : px;
    py = py < 0 ? 0 : py >= H ? H - 1 : py;
    return x[py * W + px];
}

static void expect_blur(const float *x, const float *y) {
    static double in[TEXELS], across[TEXELS];
    uint32_t wrong = 0;
    for (int c = 0; c < 4; c++) {
        for (int i = 0; i < TEXELS; i++) in[i] = x[4 * i + c];
        for (int i = 0; i < TEXELS; i++) {
            across[i] = 0;
            for (int k = -3; k <= 3; k++) across[i] += clamped(in, i % W + k, i / W) / 7;
        }
        for (int i = 0; i < TEXELS; i++) {
            double sum = 0;
            for (int k = -3; k <= 3; k++) sum += clamped(across, i % W, i / W + k) / 7;
            wrong += fabs(sum - y[4 * i + c]) > 1e-5;
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_blur(void) {
    recorded_open(&r);
    const rp_image_shape shape = flat(RP_IMAGE_RGBA32F, W, H, 1, 1);
    blurs.x = recorded_image(&r, "x", RP_IN, shape);
    blurs.across = recorded_image(&r, "across", RP_TMP, shape);
    blurs.y = recorded_image(&r, "y", RP_OUT, shape);
    blurs.near = recorded_sampler(&r, "near", RP_FILTER_NEAREST);
    blurs.blur = recorded_kernel(&r, "blur", blur_glsl);
    fill_floats(recorded_before(&r, blurs.x), 4 * TEXELS, 1);
    for (uint32_t way = 0; way < RECORDED_WAYS; way++) {
        recorded_run(&r, way, blur_calls, NULL);
        expect_blur(recorded_before(&r, blurs.x), recorded_after(&r, blurs.y));
    }
    recorded_close(&r);
}

/* ---- Mips, layers, conversions --------------------------------------------------------------- */

/* Reads a mip of a layer, of a view that begins behind the first of both. */
static const char pick_glsl[] = "#version 450\n"
                                "layout(local_size_x = 4, local_size_y = 4) in;\n"
                                "layout(binding = 0) uniform sampler2DArray from;\n"
                                "layout(binding = 1) writeonly buffer Y { float y[]; };\n"
                                "void main() {\n"
                                "    ivec2 p = ivec2(gl_GlobalInvocationID.xy);\n"
                                "    y[p.y * 4 + p.x] = texelFetch(from, ivec3(p, 1), 1).r;\n"
                                "}\n";

/* Writes `add` more than is there. */
static const char cascade_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 8, local_size_y = 8) in;\n"
    "layout(binding = 0) uniform texture2D from;\n"
    "layout(binding = 1) uniform sampler how;\n"
    "layout(binding = 2, r32f) writeonly uniform image2D to;\n"
    "layout(push_constant) uniform Push { float add; };\n"
    "void main() {\n"
    "    ivec2 p = ivec2(gl_GlobalInvocationID.xy);\n"
    "    vec2 at = (vec2(p) + 0.5) / vec2(imageSize(to));\n"
    "    imageStore(to, p, textureLod(sampler2D(from, how), at, 0.0) + add);\n"
    "}\n";

static struct {
    rp_kernel pick, cascade;
    rp_sampler near;
    rp_buffer x, pyramid, y, small, bytes;
} mips;

/* Two layers are written apart, each gets its mips, and a view of some layers and mips is read. The first
 * layer stays as it is cleared. */
static void mip_calls(rp_recorder *rec, void *user) {
    (void)user;
    rp_clear(rec, (rp_image_part){mips.pyramid}, (rp_texel_value){.f = {-1}});
    rp_bind_kernel(rec, mips.cascade);
    rp_bind_image(rec, 0, 0, 0, (rp_image_part){mips.x});
    rp_bind_sampler(rec, 0, 1, 0, mips.near);
    for (uint32_t layer = 1; layer < 3; layer++) {
        rp_bind_image(rec, 0, 2, 0, (rp_image_part){mips.pyramid, 0, 1, layer, 1});
        rp_push(rec, 0, &(float){100.0f * (float)layer}, 4);
        rp_dispatch(rec, 2, 2, 1);
    }
    rp_make_mips(rec, (rp_image_part){mips.pyramid, 0, 0, 1, 2}, RP_FILTER_LINEAR);
    rp_bind_kernel(rec, mips.pick);
    rp_bind_combined(rec, 0, 0, 0, (rp_image_part){mips.pyramid, 1, 3, 1, 2}, mips.near);
    rp_bind(rec, 1, (rp_range){mips.y});
    rp_dispatch(rec, 1, 1, 1);
    /* Of the smallest two mips: bytes, and an image of another format. */
    rp_copy_from_image(rec, (rp_image_part){mips.pyramid, 3}, (rp_range){mips.bytes, 64, 60});
    rp_blit(rec, (rp_image_part){mips.pyramid, 2, 1, 2, 1}, (rp_image_part){mips.small},
            RP_FILTER_NEAREST);
    rp_copy_to_image(rec, (rp_range){mips.bytes, 0, 64}, (rp_image_part){mips.small, 2, 1});
}

/* The mean of a square of texels of x, whose side is 2^mip. */
static float mean(const float *x, uint32_t mip, uint32_t px, uint32_t py) {
    double sum = 0;
    uint32_t side = 1u << mip;
    for (uint32_t i = 0; i < side * side; i++)
        sum += x[(py * side + i / side) * 16 + px * side + i % side];
    return (float)(sum / (side * side));
}

static uint32_t differ(float got, float wanted) {
    return !(fabsf(got - wanted) <= 1e-4f * fabsf(wanted) + 1e-5f);
}

static void expect_mips(const float *x) {
    const float *y = recorded_after(&r, mips.y), *pyramid = recorded_after(&r, mips.pyramid);
    const float *small = recorded_after(&r, mips.small);
    const float *bytes = (const float *)recorded_after(&r, mips.bytes) + 16;
    uint32_t wrong = 0;
    for (uint32_t mip = 0; mip < 5; mip++) {
        uint32_t side = 16u >> mip;
        for (uint32_t layer = 0; layer < 3; layer++)
            for (uint32_t i = 0; i < side * side; i++, pyramid++)
                wrong += layer == 0 ? *pyramid != -1
                                    : differ(*pyramid, 100.0f * (float)layer +
                                                           mean(x, mip, i % side, i / side));
    }
    for (uint32_t i = 0; i < 16; i++) wrong += differ(y[i], 200 + mean(x, 2, i % 4, i / 4));
    for (uint32_t i = 0; i < 15; i++) {
        uint32_t mip = i < 12 ? 3 : 4, layer = i < 12 ? i / 4 : i - 12, at = i < 12 ? i % 4 : 0;
        wrong +=
            differ(bytes[i], layer ? 100.0f * (float)layer + mean(x, mip, at % 2, at / 2) : -1);
    }
    for (uint32_t i = 0; i < 64; i++) /* each of 4 x 4 texels twice in each direction */
        wrong += differ(small[4 * i], 200 + mean(x, 2, i % 8 / 2, i / 8 / 2));
    const uint8_t *before = recorded_before(&r, mips.bytes);
    wrong += memcmp(small + 320, before, 64) != 0;
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_mips(void) {
    recorded_open(&r);
    mips.x = recorded_image(&r, "x", RP_IN, flat(RP_IMAGE_R32F, 16, 16, 1, 1));
    mips.pyramid = recorded_image(&r, "pyramid", RP_OUT, flat(RP_IMAGE_R32F, 16, 16, 3, 5));
    mips.y = recorded_buffer(&r, "y", RP_OUT, 64);
    mips.small = recorded_image(&r, "small", RP_INOUT, flat(RP_IMAGE_RGBA32F, 8, 8, 1, 4));
    mips.bytes = recorded_buffer(&r, "bytes", RP_INOUT, 128);
    mips.near = recorded_sampler(&r, "near", RP_FILTER_NEAREST);
    mips.pick = recorded_kernel(&r, "pick", pick_glsl);
    mips.cascade = recorded_kernel(&r, "cascade", cascade_glsl);
    fill_floats(recorded_before(&r, mips.x), 256, 2);
    fill_floats(recorded_before(&r, mips.bytes), 32, 3);
    for (uint32_t way = 0; way < RECORDED_WAYS; way++) {
        recorded_run(&r, way, mip_calls, NULL);
        expect_mips(recorded_before(&r, mips.x));
    }
    recorded_close(&r);
}

/* ---- Depth in two layers --------------------------------------------------------------------- */

/* What is nearer than `at` in each cascade, by a sampler that compares. */
static const char shadow_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 8, local_size_y = 8) in;\n"
    "layout(binding = 0) uniform sampler2DArrayShadow cascades;\n"
    "layout(binding = 1) writeonly buffer Y { float y[]; };\n"
    "layout(push_constant) uniform Push { float at; };\n"
    "void main() {\n"
    "    uvec3 p = gl_GlobalInvocationID;\n"
    "    vec2 uv = (vec2(p.xy) + 0.5) / 8.0;\n"
    "    y[(p.z * 8 + p.y) * 8 + p.x] = texture(cascades, vec4(uv, float(p.z), at));\n"
    "}\n";

static struct {
    rp_kernel shadow;
    rp_sampler less;
    rp_buffer x, cascades, y;
} depth;

static void depth_calls(rp_recorder *rec, void *user) {
    (void)user;
    rp_copy_to_image(rec, (rp_range){depth.x}, (rp_image_part){depth.cascades, .layers = 1});
    rp_clear(rec, (rp_image_part){depth.cascades, .first_layer = 1},
             (rp_texel_value){.f = {0.25f}});
    rp_bind_kernel(rec, depth.shadow);
    rp_bind_combined(rec, 0, 0, 0, (rp_image_part){depth.cascades}, depth.less);
    rp_bind(rec, 1, (rp_range){depth.y});
    rp_push(rec, 0, &(float){0.5f}, 4);
    rp_dispatch(rec, 1, 1, 2);
}

static void test_depth(void) {
    recorded_open(&r);
    rp_sampler_info info = rp_sampler_default;
    info.mag = info.min = info.mip = RP_FILTER_NEAREST;
    info.compare = RP_COMPARE_LESS;
    const rp_sampler_params params = {.size = sizeof params, .name = "less", .info = &info};
    CU_ASSERT_EQUAL_FATAL(rp_program_sampler(r.program, &params, r.diags, &depth.less), RP_OK);
    depth.x = recorded_buffer(&r, "x", RP_IN, 256);
    depth.cascades = recorded_image(&r, "cascades", RP_TMP, flat(RP_IMAGE_D32F, 8, 8, 2, 1));
    depth.y = recorded_buffer(&r, "y", RP_OUT, 512);
    depth.shadow = recorded_kernel(&r, "shadow", shadow_glsl);
    float *x = recorded_before(&r, depth.x);
    for (uint32_t i = 0; i < 64; i++) x[i] = (float)(i * 37 % 64) / 64;
    for (uint32_t way = 0; way < RECORDED_WAYS; way++) {
        recorded_run(&r, way, depth_calls, NULL);
        const float *y = recorded_after(&r, depth.y);
        uint32_t wrong = 0;
        for (uint32_t i = 0; i < 64; i++) wrong += y[i] != (0.5f < x[i]) || y[64 + i] != 0;
        CU_ASSERT_EQUAL(wrong, 0);
    }
    recorded_close(&r);
}

/* ---- Texels and arrays ----------------------------------------------------------------------- */

static const char arrays_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 16) in;\n"
    "layout(binding = 0) readonly buffer X { uint v[]; } x[3];\n"
    "layout(binding = 1) uniform usamplerBuffer bytes;\n"
    "layout(binding = 2, r32ui) uniform writeonly uimageBuffer sums;\n"
    "layout(binding = 3) uniform sampler2D c[2];\n"
    "layout(set = 1, binding = 0) uniform texture2D i;\n"
    "layout(set = 1, binding = 1) uniform sampler how[2];\n"
    "layout(set = 1, binding = 2, r32f) uniform image2D o[2];\n"
    "void main() {\n"
    "    int p = int(gl_GlobalInvocationID.x);\n"
    "    vec2 at = vec2((float(p) + 0.75) / 16.0, 0.5);\n"
    "    uvec4 b = texelFetch(bytes, p);\n"
    "    imageStore(sums, p, uvec4(x[0].v[p] + 2 * x[1].v[p] + 3 * x[2].v[p] + 10 * b.r + b.a));\n"
    "    float f = textureLod(c[0], at, 0.0).r + 2 * textureLod(c[1], at, 0.0).r;\n"
    "    imageStore(o[0], ivec2(p, 0), vec4(f));\n"
    "    float g = textureLod(sampler2D(i, how[0]), at, 0.0).r +\n"
    "              100 * textureLod(sampler2D(i, how[1]), at, 0.0).r;\n"
    "    imageStore(o[1], ivec2(p, 0), imageLoad(o[1], ivec2(p, 0)) + g);\n"
    "}\n";

static struct {
    rp_kernel kernel;
    rp_sampler near, linear;
    rp_buffer words, texels, row, t, out;
} arrays;

static void array_calls(rp_recorder *rec, void *user) {
    (void)user;
    rp_copy_image(rec, (rp_image_part){arrays.row}, (rp_image_part){arrays.t, 0, 1, 1, 1});
    rp_clear(rec, (rp_image_part){arrays.t, 0, 1, 0, 1}, (rp_texel_value){.f = {0.5f}});
    rp_bind_kernel(rec, arrays.kernel);
    for (uint32_t i = 0; i < 3; i++)
        rp_bind_element(rec, 0, 0, i, (rp_range){arrays.words, 256 * i, 64});
    rp_bind_texels(rec, 0, 1, 0, (rp_range){arrays.words, 768, 64}, RP_IMAGE_RGBA8UI);
    rp_bind_texels(rec, 0, 2, 0, (rp_range){arrays.texels, 256, 64}, RP_IMAGE_NONE);
    for (uint32_t i = 0; i < 2; i++) {
        rp_bind_combined(rec, 0, 3, i, (rp_image_part){arrays.t, 0, 1, i, 1}, arrays.near);
        rp_bind_sampler(rec, 1, 1, i, i ? arrays.linear : arrays.near);
        rp_bind_image(rec, 1, 2, i, (rp_image_part){arrays.out, 0, 1, i, 1});
    }
    rp_bind_image(rec, 1, 0, 0, (rp_image_part){arrays.row});
    rp_dispatch(rec, 1, 1, 1);
}

static void expect_arrays(void) {
    const uint32_t *words = recorded_before(&r, arrays.words);
    const uint8_t *bytes = (const uint8_t *)words + 768;
    const uint32_t *sums = (const uint32_t *)recorded_after(&r, arrays.texels) + 64;
    const float *row = recorded_before(&r, arrays.row), *out = recorded_after(&r, arrays.out);
    const float *old = recorded_before(&r, arrays.out);
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < 16; i++) {
        float next = row[i < 15 ? i + 1 : 15], between = 0.75f * row[i] + 0.25f * next;
        wrong += sums[i] != words[i] + 2 * words[64 + i] + 3 * words[128 + i] + 10 * bytes[4 * i] +
                                bytes[4 * i + 3];
        wrong += differ(out[i], 0.5f + 2 * row[i]);
        /* Weights have 8 bits or more. */
        wrong += fabsf(out[16 + i] - (old[16 + i] + row[i] + 100 * between)) > 10;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_arrays(void) {
    recorded_open(&r);
    arrays.words = recorded_buffer(&r, "words", RP_IN, 1024);
    arrays.texels = recorded_buffer(&r, "texels", RP_OUT, 512);
    arrays.row = recorded_image(&r, "row", RP_IN, flat(RP_IMAGE_R32F, 16, 1, 1, 1));
    arrays.t = recorded_image(&r, "t", RP_TMP, flat(RP_IMAGE_R32F, 16, 1, 2, 1));
    arrays.out = recorded_image(&r, "out", RP_INOUT, flat(RP_IMAGE_R32F, 16, 1, 2, 1));
    arrays.near = recorded_sampler(&r, "near", RP_FILTER_NEAREST);
    arrays.linear = recorded_sampler(&r, "linear", RP_FILTER_LINEAR);
    arrays.kernel = recorded_kernel(&r, "arrays", arrays_glsl);
    uint32_t *words = recorded_before(&r, arrays.words);
    for (uint32_t i = 0; i < 256; i++) words[i] = i * 2654435761u;
    fill_floats(recorded_before(&r, arrays.row), 16, 4);
    fill_floats(recorded_before(&r, arrays.out), 32, 5);
    for (uint32_t way = 0; way < RECORDED_WAYS; way++) {
        recorded_run(&r, way, array_calls, NULL);
        expect_arrays();
    }
    recorded_close(&r);
}

/* ---- Images of the application, at once ------------------------------------------------------ */

enum { LENT_W = 16, LENT_H = 8, LENT_BYTES = LENT_W * LENT_H * 4 };

static const char add_glsl[] = "#version 450\n"
                               "layout(local_size_x = 8, local_size_y = 8) in;\n"
                               "layout(binding = 0) uniform utexture2D x;\n"
                               "layout(binding = 1) uniform sampler how;\n"
                               "layout(binding = 2, r32ui) uniform uimage2D y;\n"
                               "void main() {\n"
                               "    ivec2 p = ivec2(gl_GlobalInvocationID.xy);\n"
                               "    uint v = texelFetch(usampler2D(x, how), p, 0).r;\n"
                               "    imageStore(y, p, imageLoad(y, p) + v);\n"
                               "}\n";

static void change_layout(VkCommandBuffer commands, VkImage image, VkImageLayout from,
                          VkImageLayout to) {
    const VkImageMemoryBarrier2 barrier = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER_2,
        .srcStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
        .srcAccessMask = VK_ACCESS_2_MEMORY_WRITE_BIT,
        .dstStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
        .dstAccessMask = VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT,
        .oldLayout = from,
        .newLayout = to,
        .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .image = image,
        .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
    const VkDependencyInfo info = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                   .imageMemoryBarrierCount = 1,
                                   .pImageMemoryBarriers = &barrier};
    r.device->vk.CmdPipelineBarrier2(commands, &info);
}

/* x comes from the application's copy and stays for its shaders, y begins anew in each encoding and is left
 * to be copied from: the copies are the application's, in the layouts that it said. */
static void encode_lent(const own_commands *commands, rp_direct *direct, VkBuffer words,
                        const images_own *x, const images_own *y, rp_buffer handles[2],
                        rp_kernel kernel, rp_sampler near) {
    const rp_vk *vk = &r.device->vk;
    VkBufferImageCopy region = {.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                                .imageExtent = {LENT_W, LENT_H, 1}};
    rp_recorder *rec;
    change_layout(commands->handle, x->image, VK_IMAGE_LAYOUT_UNDEFINED,
                  VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    vk->CmdCopyBufferToImage(commands->handle, words, x->image,
                             VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &region);
    change_layout(commands->handle, x->image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                  VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL);
    CU_ASSERT_EQUAL(rp_direct_begin(direct, commands->handle, NULL, r.diags, &rec), RP_OK);
    rp_clear(rec, (rp_image_part){handles[1]}, (rp_texel_value){.u = {1000}});
    rp_bind_kernel(rec, kernel);
    rp_bind_image(rec, 0, 0, 0, (rp_image_part){handles[0]});
    rp_bind_sampler(rec, 0, 1, 0, near);
    rp_bind_image(rec, 0, 2, 0, (rp_image_part){handles[1]});
    for (int i = 0; i < 3; i++) rp_dispatch(rec, LENT_W / 8, LENT_H / 8, 1);
    CU_ASSERT_EQUAL(rp_direct_end(direct, NULL), RP_OK);
    region.bufferOffset = LENT_BYTES;
    vk->CmdCopyImageToBuffer(commands->handle, y->image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
                             words, 1, &region);
}

static void test_lent(void) {
    static uint32_t words[2 * LENT_W * LENT_H];
    recorded_open(&r);
    rp_device *device = r.device;
    const rp_image_shape shape = flat(RP_IMAGE_R32UI, LENT_W, LENT_H, 1, 1);
    rp_buffer handles[2] = {recorded_image(&r, "x", RP_IN, shape),
                            recorded_image(&r, "y", RP_OUT, shape)};
    rp_kernel kernel = recorded_kernel(&r, "add", add_glsl);
    rp_sampler near = recorded_sampler(&r, "near", RP_FILTER_NEAREST);
    const VkImageUsageFlags read = VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    const VkImageUsageFlags written = VK_IMAGE_USAGE_STORAGE_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
                                      VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    images_own x = images_make_own(device, LENT_W, LENT_H, read);
    images_own y = images_make_own(device, LENT_W, LENT_H, written);
    rp_storage *lent[2] = {images_lend(device, &x, read, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL,
                                       VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL),
                           images_lend(device, &y, written, VK_IMAGE_LAYOUT_UNDEFINED,
                                       VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL)};
    const rp_storage_params params = {.size = sizeof params, .bytes = sizeof words};
    rp_storage *storage = NULL;
    rp_direct *direct = NULL;
    own_commands commands;
    CU_ASSERT_EQUAL_FATAL(own_commands_create(device, &commands), VK_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, r.diags, &storage), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_direct_create(r.program, device, NULL, r.diags, &direct), RP_OK);
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(rp_direct_bind(direct, handles[i], lent[i], 0, r.diags), RP_OK);
    for (uint32_t i = 0; i < LENT_W * LENT_H; i++) words[i] = i * 2654435761u;
    for (int round = 0; round < 2; round++) {
        memset(words + LENT_W * LENT_H, 0, LENT_BYTES);
        CU_ASSERT_EQUAL(rp_storage_write(storage, 0, words, sizeof words, r.diags), RP_OK);
        CU_ASSERT_EQUAL_FATAL(own_commands_begin(device, &commands), VK_SUCCESS);
        encode_lent(&commands, direct, storage->handle, &x, &y, handles, kernel, near);
        CU_ASSERT_EQUAL_FATAL(own_commands_end(device, &commands), VK_SUCCESS);
        recorded_submit(&r, commands.handle);
        CU_ASSERT_EQUAL(rp_storage_read(storage, 0, words, sizeof words, r.diags), RP_OK);
        uint32_t wrong = 0;
        for (uint32_t i = 0; i < LENT_W * LENT_H; i++)
            wrong += words[LENT_W * LENT_H + i] != 1000 + 3 * words[i];
        CU_ASSERT_EQUAL(wrong, 0);
    }
    rp_direct_destroy(direct);
    rp_storage_release(storage);
    for (int i = 0; i < 2; i++) rp_storage_release(lent[i]);
    images_drop_own(device, &x);
    images_drop_own(device, &y);
    own_commands_destroy(device, &commands);
    recorded_close(&r);
}

/* ---- Random calls ---------------------------------------------------------------------------- */

enum { SEQUENCES = 30, CALLS = 40 };

static rp_shots shots;
static uint64_t shots_seed;

static void random_calls(rp_recorder *rec, void *user) {
    (void)user;
    rp_shots_make(&shots, rec, shots_seed, CALLS);
}

static void declare_shots(void) {
    static const char *const image_names[RP_SHOTS_IMAGES] = {"x", "s", "t", "a"};
    static const char *const buffer_names[RP_SHOTS_BUFFERS] = {"w", "v"};
    for (uint32_t i = 0; i < RP_SHOTS_IMAGES; i++)
        shots.images[i] =
            recorded_image(&r, image_names[i], rp_shots_image_kind(i), rp_shots_shape);
    for (uint32_t i = 0; i < RP_SHOTS_BUFFERS; i++)
        shots.buffers[i] =
            recorded_buffer(&r, buffer_names[i], rp_shots_buffer_kind(i), RP_SHOTS_BYTES);
    CU_ASSERT_EQUAL_FATAL(rp_shots_create(&shots, r.program, r.diags), RP_OK);
}

/* All three ways give the same bytes, and not those that there were. */
static void test_random(void) {
    uint8_t *first[RECORDED_BUFFERS] = {0};
    recorded_open(&r);
    declare_shots();
    for (uint32_t i = 0; i < r.count; i++) first[i] = malloc(r.buffers[i].size);
    for (shots_seed = 1; shots_seed <= SEQUENCES && gpu_has_time(); shots_seed++) {
        rp_random random = {shots_seed + 1000};
        for (uint32_t i = 0; i < r.count; i++)
            for (uint64_t k = 0; k < r.buffers[i].size; k++)
                r.buffers[i].before[k] = (uint8_t)rp_random_next(&random);
        for (uint32_t way = 0; way < RECORDED_WAYS; way++) {
            bool same = true, changed = false;
            recorded_run(&r, way, random_calls, NULL);
            for (uint32_t i = 0; i < r.count; i++) {
                const uint8_t *after = r.buffers[i].after;
                changed |= memcmp(after, r.buffers[i].before, r.buffers[i].size) != 0;
                same &= way == 0 || memcmp(after, first[i], r.buffers[i].size) == 0;
                if (way == 0) memcpy(first[i], after, r.buffers[i].size);
            }
            if (!same) printf("\n  seed %llu, way %u\n", (unsigned long long)shots_seed, way);
            CU_ASSERT(same && changed);
        }
    }
    for (uint32_t i = 0; i < r.count; i++) free(first[i]);
    recorded_close(&r);
}

int main(void) {
    static const rp_test tests[] = {{"a blur in two passes", test_blur},
                                    {"mips and layers", test_mips},
                                    {"texels and arrays", test_arrays},
                                    {"depth in two layers", test_depth},
                                    {"lent, at once", test_lent},
                                    {"random calls", test_random},
                                    {0}};
    return rp_run_tests("recorded images", tests);
}
