/* Direct mode: a recorder whose calls are encoded at once into a command buffer of the application,
 * without a graph, for work that differs each time. One function serves both:
 *
 *     void encode(rp_recorder *recorder, const work *w);
 *
 * with a recorder of rp_recorder_create its calls become a graph, which is compiled and replayed; with
 * that of rp_direct_begin they are commands when it returns.
 *
 *     rp_direct_create(program, device, NULL, diags, &direct);                once
 *     rp_direct_bind(direct, x, storage, 0, diags);
 *     rp_direct_begin(direct, command_buffer, NULL, diags, &recorder);        each frame
 *     encode(recorder, &work);
 *     rp_direct_end(direct, &report);                                         then submit
 *
 * The meaning is that of the graph: one call after the other, fully synchronised. What a graph is
 * compiled for is not done: nothing is reordered, renamed, fused or dropped. Calls that only a
 * compiled graph can serve are mistakes here: rp_apply, rp_dispatch_live, rp_push_live, rp_push_address
 * and rp_use_address. rp_optional_begin and rp_optional_end say nothing here, and come in pairs as there.
 *
 * Taking down: wait for the GPU, destroy the rp_direct, then its program and the storages, and last
 * the device.
 *
 * Everything else is as reprise/encoder.h says, on which this stands.
 */
#ifndef REPRISE_DIRECT_H
#define REPRISE_DIRECT_H

#include "reprise/compiler.h"
#include "reprise/encoder.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_direct rp_direct;

/* Zero is the default everywhere but in `size`. */
typedef struct rp_direct_params {
    size_t size;            /* sizeof(rp_direct_params) */
    const char *cache_path; /* folder of the pipeline cache, as in rp_exec_params */
} rp_direct_params;

/* The kernels, samplers and buffers that the program has by now, on a device: both outlive it. `params` may be
 * NULL. RP_ERROR_UNSUPPORTED, with a message for each kernel that does not fit the device. */
RP_API rp_status rp_direct_create(rp_program *program, rp_device *device,
                                  const rp_direct_params *params, rp_diags *diags,
                                  rp_direct **out_direct);
/* The GPU is done with all that was encoded. NULL is fine. */
RP_API void rp_direct_destroy(rp_direct *direct);

/* Says where a buffer of the program lies, from the next call on: as rp_encoder_bind. A transient
 * that is bound nowhere gets a storage of its own when an encoding begins, an image one that is cleared,
 * for which the device's queue is waited for once; every other buffer that calls use is bound by the
 * application, which also writes what it begins with, live values among it. */
RP_API rp_status rp_direct_bind(rp_direct *direct, rp_buffer buffer, rp_storage *storage,
                                uint64_t offset, rp_diags *diags);

/* Begins to encode, as rp_encoder_begin. *out_recorder takes the calls until rp_direct_end; it belongs
 * to `direct`, and begins without a kernel or bindings each time. Transients are undefined then, and
 * their bytes are ordered against earlier encodings like all others: by what is given as open.
 *
 * The first mistake is kept, with the number of the call, in `diags`; later calls are ignored. */
RP_API rp_status rp_direct_begin(rp_direct *direct, void *command_buffer,
                                 const rp_encoder_begin_params *params, rp_diags *diags,
                                 rp_recorder **out_recorder);
/* Ends the encoding, as rp_encoder_end: RP_ERROR_INVALID after a mistake. */
RP_API rp_status rp_direct_end(rp_direct *direct, rp_encoder_report *report);
/* Says that the GPU is done with all encodings up to this number, as rp_encoder_done. */
RP_API void rp_direct_done(rp_direct *direct, uint64_t number);

#ifdef __cplusplus
}
#endif

#endif
