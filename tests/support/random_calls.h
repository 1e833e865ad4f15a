/* Random calls of a recorder: the same ones for a graph and for direct mode.
 *
 * Five kernels on u32 words read and write ranges of six buffers, whole and in pieces that overlap in
 * every way, with copies, fills, updates, indirect grids, fences and labels in between. Every word is
 * a number that depends on all that was read for it, so that any wrong order shows in the results.
 * Grids do not matter to them: kernels go over their range in steps. */
#ifndef RP_TESTS_RANDOM_CALLS_H
#define RP_TESTS_RANDOM_CALLS_H

#include "reprise/compiler.h"
#include "support/random_graph.h"

enum {
    RP_CALLS_BUFFERS = 6,
    RP_CALLS_KERNELS = 5,
    RP_CALLS_BYTES = 4096,   /* of each buffer */
    RP_CALLS_ALIGNMENT = 256 /* of what kernels bind */
};

/* What a kernel binds: set, binding, access. */
typedef struct rp_calls_binding {
    uint32_t set, binding;
    rp_access access;
} rp_calls_binding;

typedef struct rp_calls_kernel {
    const char *name, *glsl;
    rp_calls_binding bindings[3];
    uint32_t binding_count;
} rp_calls_kernel;

extern const rp_calls_kernel rp_calls_kernels[RP_CALLS_KERNELS];

typedef struct rp_calls {
    rp_program *program;
    rp_buffer buffers[RP_CALLS_BUFFERS]; /* in, inout, inout, inout, tmp, tmp */
    rp_kernel kernels[RP_CALLS_KERNELS];
} rp_calls;

rp_status rp_calls_create(rp_calls *calls, const rp_allocator *allocator, rp_diags *diags);
void rp_calls_destroy(rp_calls *calls);
/* Whether the buffer is a transient, which the calls write before they read it. */
bool rp_calls_is_transient(uint32_t buffer);

/* Fills the transients, and makes `count` calls, fences among them or not. The same seed, the same
 * calls. */
void rp_calls_make(const rp_calls *calls, rp_recorder *recorder, uint64_t seed, uint32_t count,
                   bool fences);

#endif
