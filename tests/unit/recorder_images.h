/* What the tests of images in recorders share: a program with an image of each kind, and a kernel that
 * binds arrays of everything. */
#ifndef RP_TESTS_RECORDER_IMAGES_H
#define RP_TESTS_RECORDER_IMAGES_H

#include <string.h>
#include "reprise/compiler.h"
#include "support/unit.h"

static struct {
    rp_program *program;
    rp_recorder *r;
    rp_diags *diags;
} s;

static inline void report(void) {
    for (uint32_t i = 0; i < rp_diags_count(s.diags); i++)
        fprintf(stderr, "  %s\n", rp_diags_get(s.diags, i).message);
    rp_diags_clear(s.diags);
}

static inline void ok(rp_status status) {
    if (status != RP_OK) report();
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
}

static inline void begin(const char *name) {
    s.diags = rp_diags_create(NULL);
    ok(rp_program_create(NULL, name, &s.program));
    ok(rp_recorder_create(s.program, &s.r));
}

static inline void finish(void) {
    rp_recorder_destroy(s.r);
    rp_program_destroy(s.program);
    rp_diags_destroy(s.diags);
}

static inline rp_buffer buffer(const char *name, rp_buffer_kind kind, uint64_t bytes) {
    rp_buffer b;
    const rp_buffer_params params = {
        .size = sizeof params, .name = name, .kind = kind, .bytes = bytes};
    ok(rp_program_buffer(s.program, &params, s.diags, &b));
    return b;
}

static inline rp_buffer image(const char *name, rp_buffer_kind kind, rp_image_shape shape) {
    rp_buffer b;
    const rp_buffer_params params = {
        .size = sizeof params, .name = name, .kind = kind, .image = shape};
    ok(rp_program_buffer(s.program, &params, s.diags, &b));
    return b;
}

static inline rp_sampler sampler(const char *name, const rp_sampler_info *info) {
    rp_sampler made;
    const rp_sampler_params params = {.size = sizeof params, .name = name, .info = info};
    ok(rp_program_sampler(s.program, &params, s.diags, &made));
    return made;
}

static inline rp_kernel kernel(const char *name, const char *glsl, const char *file) {
    rp_kernel k;
    const rp_kernel_params params = {
        .size = sizeof params, .name = name, .glsl = glsl, .glsl_file = file};
    ok(rp_program_kernel(s.program, &params, s.diags, &k));
    return k;
}

static inline rp_image_shape flat(rp_image_format format, uint32_t layers, uint32_t mips) {
    return (rp_image_shape){(uint8_t)format, RP_IMAGE_2D, (uint16_t)mips, 64, 32, 1, layers};
}

/* Arrays of everything, texels that are written, and a buffer's array of which a part is bound. */
static const char all_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 4) in;\n"
    "layout(binding = 0) readonly buffer X { uint v[]; } x[3];\n"
    "layout(binding = 1, r32ui) uniform writeonly uimageBuffer t[2];\n"
    "layout(binding = 2) uniform usamplerBuffer u;\n"
    "layout(binding = 3) uniform sampler2D c[2];\n"
    "layout(set = 1, binding = 0) uniform texture2D i;\n"
    "layout(set = 1, binding = 1) uniform sampler m[2];\n"
    "layout(set = 1, binding = 2, r32f) uniform image2D o[2];\n"
    "void main() {\n"
    "    int p = int(gl_GlobalInvocationID.x);\n"
    "    uint n = x[0].v[p] + x[1].v[p] + texelFetch(u, p).r;\n"
    "    imageStore(t[0], p, uvec4(n));\n"
    "    imageStore(t[1], p, uvec4(n + x[2].v[0]));\n"
    "    vec4 f = textureLod(c[0], vec2(0.5), 0.0) + textureLod(c[1], vec2(0.5), 0.0);\n"
    "    f += textureLod(sampler2D(i, m[0]), vec2(0), 0.0) +\n"
    "         textureLod(sampler2D(i, m[1]), vec2(0), 0.0);\n"
    "    imageStore(o[0], ivec2(p, 0), f);\n"
    "    imageStore(o[1], ivec2(p, 0), imageLoad(o[1], ivec2(p, 1)) + f);\n"
    "}\n";

typedef struct everything {
    rp_kernel kernel;
    rp_buffer words, texels, x, y, live;
    rp_sampler near, far;
} everything;

static inline everything declare(void) {
    rp_sampler_info info = rp_sampler_default;
    everything e;
    info.mag = info.min = RP_FILTER_NEAREST;
    e.words = buffer("words", RP_IN, 1024);
    e.texels = buffer("texels", RP_OUT, 1024);
    e.x = image("x", RP_IN, flat(RP_IMAGE_R32F, 4, 3));
    e.y = image("y", RP_INOUT, flat(RP_IMAGE_R32F, 2, 2));
    e.near = sampler("near", &info);
    e.far = sampler("far", NULL);
    e.kernel = kernel("all", all_glsl, NULL);
    const rp_buffer_params live = {.size = sizeof live,
                                   .name = "n",
                                   .kind = RP_LIVE,
                                   .dtype = RP_U32,
                                   .rank = 1,
                                   .shape = {4}};
    ok(rp_program_buffer(s.program, &live, s.diags, &e.live));
    return e;
}

static inline void bind_all(const everything *e) {
    const rp_image_part part = {e->x, .mips = 2, .first_layer = 1, .layers = 1};
    rp_bind_kernel(s.r, e->kernel);
    for (uint32_t i = 0; i < 3; i++)
        rp_bind_element(s.r, 0, 0, i, (rp_range){e->words, 256 * i, 64});
    for (uint32_t i = 0; i < 2; i++) {
        rp_bind_texels(s.r, 0, 1, i, (rp_range){e->texels, 256 * i, 64}, RP_IMAGE_NONE);
        rp_bind_combined(s.r, 0, 3, i, part, i ? e->near : e->far);
        rp_bind_sampler(s.r, 1, 1, i, i ? e->far : e->near);
        rp_bind_image(s.r, 1, 2, i, (rp_image_part){e->y, 1, 1, i, 1});
    }
    rp_bind_texels(s.r, 0, 2, 0, (rp_range){e->words, 768}, RP_IMAGE_RG16UI);
    rp_bind_image(s.r, 1, 0, 0, (rp_image_part){e->x, .first_mip = 2, .first_layer = 3});
    rp_bind_access(s.r, 0, 1, RP_READ_WRITE);
}

#endif
