#include "support/random_images.h"

#include <string.h>

#define HEAD                                                                                       \
    "#version 450\n"                                                                               \
    "layout(local_size_x = 8, local_size_y = 4) in;\n"                                             \
    "layout(push_constant) uniform Push { uint p; };\n"
/* Invocations that have a texel of image y. */
#define BODY(statement)                                                                            \
    "void main() {\n"                                                                              \
    "    ivec2 at = ivec2(gl_GlobalInvocationID.xy), size = imageSize(y);\n"                       \
    "    if (any(greaterThanEqual(at, size))) return;\n" statement "}\n"

const rp_shots_kernel rp_shots_kernels[RP_SHOTS_KERNELS] = {
    {"step",
     HEAD "layout(binding = 0, r32ui) readonly uniform uimage2D x;\n"
          "layout(binding = 1, r32ui) writeonly uniform uimage2D y;\n" BODY(
              "    uint v = imageLoad(x, min(at, imageSize(x) - 1)).r;\n"
              "    imageStore(y, at, uvec4(v * 1664525u + p + uint(at.x)));\n"),
     {{0, 0, RP_READ}, {1, 0, RP_WRITE}},
     2},
    {"sum",
     HEAD "layout(binding = 0) uniform usampler2DArray x;\n"
          "layout(binding = 1, r32ui) uniform uimage2D y;\n" BODY(
              "    uint v = p;\n"
              "    for (int mip = 0; mip < textureQueryLevels(x); mip++) {\n"
              "        ivec3 all = textureSize(x, mip);\n"
              "        for (int layer = 0; layer < all.z; layer++)\n"
              "            v = v * 5u + texelFetch(x, ivec3(at % all.xy, layer), mip).r;\n"
              "    }\n"
              "    imageStore(y, at, imageLoad(y, at) * 3u + v);\n"),
     {{0, 0, RP_SAMPLED}, {1, 0, RP_READ_WRITE}},
     2},
    {"both",
     HEAD
     "layout(binding = 0) uniform utexture2D x[2];\n"
     "layout(binding = 1) uniform sampler how;\n"
     "layout(binding = 2) buffer W { uint w[]; };\n"
     "layout(binding = 3, r32ui) writeonly uniform uimage2D y;\n" BODY(
         "    uint v = textureLod(usampler2D(x[0], how), vec2(0.5), 0.0).r ^\n"
         "             textureLod(usampler2D(x[1], how), (vec2(at) + 0.5) / vec2(size), 0.0).r;\n"
         "    uint i = uint(at.y * size.x + at.x) % uint(w.length());\n"
         "    if (at.y == 0) w[i] = w[i] * 7u + v;\n"
         "    imageStore(y, at, uvec4(v + p));\n"),
     {{0, 0, RP_SAMPLED}, {0, 1, RP_SAMPLED}, {2, 0, RP_READ_WRITE}, {3, 0, RP_WRITE}},
     4},
    {"texels",
     HEAD "layout(binding = 0) uniform usamplerBuffer x;\n"
          "layout(binding = 1, r32ui) writeonly uniform uimage2D y;\n" BODY(
              "    uint v = texelFetch(x, (at.y * size.x + at.x) % textureSize(x)).g;\n"
              "    imageStore(y, at, uvec4(v * 2654435761u + p));\n"),
     {{0, 0, RP_SAMPLED}, {1, 0, RP_WRITE}},
     2},
};

const rp_image_shape rp_shots_shape = {RP_IMAGE_R32UI, RP_IMAGE_2D, RP_SHOTS_MIPS, 8, 4, 1,
                                       RP_SHOTS_LAYERS};

rp_buffer_kind rp_shots_image_kind(uint32_t image) {
    static const rp_buffer_kind kinds[RP_SHOTS_IMAGES] = {RP_IN, RP_INOUT, RP_INOUT, RP_TMP};
    return kinds[image];
}

rp_buffer_kind rp_shots_buffer_kind(uint32_t buffer) {
    return buffer == 0 ? RP_INOUT : RP_TMP;
}

rp_status rp_shots_create(rp_shots *s, rp_program *program, rp_diags *diags) {
    rp_sampler_info info = rp_sampler_default;
    info.mag = info.min = info.mip = RP_FILTER_NEAREST;
    const rp_sampler_params sampler = {.size = sizeof sampler, .name = "near", .info = &info};
    s->program = program;
    rp_status status = rp_program_sampler(program, &sampler, diags, &s->near);
    for (uint32_t i = 0; status == RP_OK && i < RP_SHOTS_KERNELS; i++) {
        const rp_kernel_params kernel = {.size = sizeof kernel,
                                         .name = rp_shots_kernels[i].name,
                                         .glsl = rp_shots_kernels[i].glsl};
        status = rp_program_kernel(program, &kernel, diags, &s->kernels[i]);
    }
    return status;
}

/* ---- Parts ----------------------------------------------------------------------------------- */

/* Which image, mips and layers. */
typedef struct shot {
    uint32_t image, first_mip, mips, first_layer, layers;
} shot;

static rp_image_part part_of(const rp_shots *s, const shot *p) {
    return (rp_image_part){s->images[p->image], p->first_mip, p->mips, p->first_layer, p->layers};
}

static shot random_layer(rp_random *r, bool write) {
    return (shot){write ? 1 + rp_random_below(r, RP_SHOTS_IMAGES - 1)
                        : rp_random_below(r, RP_SHOTS_IMAGES),
                  rp_random_below(r, RP_SHOTS_MIPS), 1, rp_random_below(r, RP_SHOTS_LAYERS), 1};
}

/* One mip of some layers, or all layers of all mips, or some layers of all mips. */
static shot random_part(rp_random *r, bool write, bool one_range) {
    shot p = random_layer(r, write);
    if (rp_random_percent(r, 40)) p.layers += rp_random_below(r, RP_SHOTS_LAYERS - p.first_layer);
    if (rp_random_percent(r, 30)) {
        p.first_mip = 0;
        p.mips = RP_SHOTS_MIPS;
        if (one_range || rp_random_percent(r, 50)) p.first_layer = 0, p.layers = RP_SHOTS_LAYERS;
    }
    return p;
}

static bool between(uint32_t a, uint32_t count, uint32_t b, uint32_t other) {
    return a < b + other && b < a + count;
}

static bool overlap(const shot *a, const shot *b) {
    return a->image == b->image && between(a->first_mip, a->mips, b->first_mip, b->mips) &&
           between(a->first_layer, a->layers, b->first_layer, b->layers);
}

static rp_range random_words(const rp_shots *s, rp_random *r, uint32_t size) {
    uint32_t places = (RP_SHOTS_BYTES - size) / RP_SHOTS_ALIGNMENT + 1;
    return (rp_range){s->buffers[rp_random_below(r, RP_SHOTS_BUFFERS)],
                      RP_SHOTS_ALIGNMENT * rp_random_below(r, places), size};
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static void dispatch(const rp_shots *s, rp_recorder *rec, rp_random *r, uint32_t kernel) {
    shot y = random_layer(r, true), x[2];
    uint32_t push = (uint32_t)rp_random_next(r);
    for (uint32_t i = 0; i < 2; i++) do
            x[i] = kernel == 1 ? random_part(r, false, s->whole) : random_layer(r, false);
        while (overlap(&x[i], &y));
    rp_bind_kernel(rec, s->kernels[kernel]);
    rp_push(rec, 0, &push, sizeof push);
    if (kernel == 0) {
        rp_bind_image(rec, 0, 0, 0, part_of(s, &x[0]));
    } else if (kernel == 1) {
        rp_bind_combined(rec, 0, 0, 0, part_of(s, &x[0]), s->near);
    } else if (kernel == 2) {
        for (uint32_t i = 0; i < 2; i++) rp_bind_image(rec, 0, 0, i, part_of(s, &x[i]));
        rp_bind_sampler(rec, 0, 1, 0, s->near);
        rp_bind(rec, 2, random_words(s, r, 256));
    } else {
        rp_bind_texels(rec, 0, 0, 0, random_words(s, r, 512), RP_IMAGE_RG32UI);
    }
    rp_bind_image(rec, 0, kernel == 2 ? 3 : 1, 0, part_of(s, &y));
    rp_dispatch(rec, 1, 1, 1);
}

static uint32_t bytes_of(const shot *p) {
    uint64_t offset, size;
    (void)rp_image_range(&rp_shots_shape, p->first_mip, p->mips, p->first_layer, p->layers, &offset,
                         &size);
    return (uint32_t)size;
}

static void transfer(const rp_shots *s, rp_recorder *rec, rp_random *r) {
    shot to = random_part(r, true, true), from = to;
    const uint32_t texel[4] = {(uint32_t)rp_random_next(r)};
    rp_texel_value value;
    memcpy(&value, texel, sizeof value);
    switch (rp_random_below(r, 6)) {
    case 0: /* the same mips of other layers, or of another image */
        do {
            from.image = rp_random_below(r, RP_SHOTS_IMAGES);
            from.first_layer = rp_random_below(r, RP_SHOTS_LAYERS - to.layers + 1);
        } while (overlap(&from, &to));
        rp_copy_image(rec, part_of(s, &from), part_of(s, &to));
        return;
    case 1: rp_copy_to_image(rec, random_words(s, r, bytes_of(&to)), part_of(s, &to)); return;
    case 2: rp_copy_from_image(rec, part_of(s, &to), random_words(s, r, bytes_of(&to))); return;
    case 3: rp_clear(rec, part_of(s, &to), value); return;
    case 4: /* any mip to any */
        to.mips = from.mips = 1;
        do {
            from.image = rp_random_below(r, RP_SHOTS_IMAGES);
            from.first_mip = rp_random_below(r, RP_SHOTS_MIPS);
        } while (overlap(&from, &to));
        rp_blit(rec, part_of(s, &from), part_of(s, &to), RP_FILTER_NEAREST);
        return;
    default:
        to.first_mip = 0;
        to.mips = RP_SHOTS_MIPS;
        rp_make_mips(rec, part_of(s, &to), RP_FILTER_NEAREST);
        return;
    }
}

void rp_shots_make(const rp_shots *s, rp_recorder *rec, uint64_t seed, uint32_t count) {
    rp_random r = {seed};
    for (uint32_t i = 0; i < RP_SHOTS_IMAGES; i++)
        if (rp_shots_image_kind(i) == RP_TMP)
            rp_clear(rec, (rp_image_part){s->images[i]}, (rp_texel_value){.u = {(uint32_t)seed}});
    for (uint32_t i = 0; i < RP_SHOTS_BUFFERS; i++)
        if (rp_shots_buffer_kind(i) == RP_TMP)
            rp_fill(rec, (rp_range){s->buffers[i]}, (uint32_t)seed);
    for (uint32_t i = 0; i < RP_SHOTS_KERNELS; i++) dispatch(s, rec, &r, i);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t what = rp_random_below(&r, 100);
        if (what < 60)
            dispatch(s, rec, &r, rp_random_below(&r, RP_SHOTS_KERNELS));
        else if (what < 95)
            transfer(s, rec, &r);
        else
            rp_fill(rec, random_words(s, &r, 256), (uint32_t)rp_random_next(&r));
    }
}
