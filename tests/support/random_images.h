/* Random calls of a recorder with images: the same ones for a graph and for direct mode.
 *
 * Four kernels read and write texels of u32 in mips and layers of four images, and words of two buffers:
 * storage images, images with samplers and without, arrays of them, texels. Copies, blits, clears and
 * chains of mips come in between. Every texel is a number that depends on all that was read for it, so
 * that any wrong order shows in the results. */
#ifndef RP_TESTS_RANDOM_IMAGES_H
#define RP_TESTS_RANDOM_IMAGES_H

#include "reprise/compiler.h"
#include "support/random_graph.h"

enum {
    RP_SHOTS_IMAGES = 4,  /* in, inout, inout, tmp */
    RP_SHOTS_BUFFERS = 2, /* inout, tmp */
    RP_SHOTS_KERNELS = 4,
    RP_SHOTS_BYTES = 2048,    /* of each buffer */
    RP_SHOTS_ALIGNMENT = 256, /* of what kernels bind of them */
    RP_SHOTS_LAYERS = 3,
    RP_SHOTS_MIPS = 2
};

/* What a kernel binds: binding and element, access. */
typedef struct rp_shots_binding {
    uint32_t binding, element;
    rp_access access;
} rp_shots_binding;

typedef struct rp_shots_kernel {
    const char *name, *glsl;
    rp_shots_binding bindings[4]; /* that have memory */
    uint32_t binding_count;
} rp_shots_kernel;

extern const rp_shots_kernel rp_shots_kernels[RP_SHOTS_KERNELS];
extern const rp_image_shape rp_shots_shape; /* of all images */

typedef struct rp_shots {
    rp_program *program;
    rp_buffer images[RP_SHOTS_IMAGES], buffers[RP_SHOTS_BUFFERS];
    rp_kernel kernels[RP_SHOTS_KERNELS];
    rp_sampler near;
    bool whole; /* of several mips all layers are used: every descriptor is one range */
} rp_shots;

/* The kernels and the sampler, of a program that has or gets the images and buffers. */
rp_status rp_shots_create(rp_shots *shots, rp_program *program, rp_diags *diags);
rp_buffer_kind rp_shots_image_kind(uint32_t image);
rp_buffer_kind rp_shots_buffer_kind(uint32_t buffer);

/* Gives the transients values, uses each kernel once in their order, and makes `count` calls. The same
 * seed, the same calls. */
void rp_shots_make(const rp_shots *shots, rp_recorder *recorder, uint64_t seed, uint32_t count);

#endif
