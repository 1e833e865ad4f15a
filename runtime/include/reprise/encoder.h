/* Encoders: dispatches, copies and fills written into a command buffer as they are called, without a
 * graph, for work that differs each time. The meaning is that of a graph: one call after the other,
 * fully synchronised. Hazards are tracked by bytes, and a barrier stands where one is needed and
 * nowhere else, with no scope more than it needs; all of it by the code that places a plan's
 * barriers.
 *
 * An encoder knows kernels and buffers by number. A program whose kernels are in GLSL, and whose
 * calls are those of a recorder, has reprise/direct.h, which stands on this.
 *
 *     rp_encoder_create(device, &params, diags, &encoder);      once
 *     rp_encoder_bind(encoder, X, storage, 0, diags);           where a buffer lies; at any time
 *     rp_encoder_begin(encoder, command_buffer, NULL, diags);   each frame
 *     rp_encoder_set_kernel(encoder, SCALE);
 *     rp_encoder_set_range(encoder, 0, X, 0, 0);
 *     rp_encoder_set_range(encoder, 1, Y, 0, 0);
 *     rp_encoder_push(encoder, 0, &count, sizeof count);
 *     rp_encoder_dispatch(encoder, 16, 1, 1);
 *     rp_encoder_end(encoder, &report);                         then submit
 *
 * Taking down: wait for the GPU, destroy the encoder, release the storages, destroy the device. The
 * encoder holds on to its storages and keeps its device from being destroyed.
 *
 * Once it has seen the same work before, encoding allocates nothing. What a call costs is in
 * docs/benchmarks.md.
 *
 * Threads: an encoder is used by one thread at a time; several encoders of a device, by several
 * threads at once, into command buffers of several pools.
 */
#ifndef REPRISE_ENCODER_H
#define REPRISE_ENCODER_H

#include "reprise/storage.h"
#include "reprise/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_encoder rp_encoder;

/* ---- Creating -------------------------------------------------------------------------------- */

enum { RP_MAX_ENCODER_PARAMS = 64 };

/* What a kernel binds, and what dispatches do to it unless they say otherwise. RP_UNIFORM is a uniform
 * buffer, everything else a storage buffer. */
typedef struct rp_encoder_param {
    uint32_t set, binding;
    rp_access access;
} rp_encoder_param;

typedef struct rp_encoder_constant {
    uint32_t id;    /* layout(constant_id = id) */
    uint32_t value; /* its 32 bits */
} rp_encoder_constant;

/* SPIR-V that works on storage and uniform buffers. Its module is read: it may do no more to a binding
 * than its parameter says, and its needs, workgroup size and workgroup memory are held against the
 * device. */
typedef struct rp_encoder_kernel {
    size_t size;      /* sizeof(rp_encoder_kernel) */
    const char *name; /* in messages and debug tools */
    const uint32_t *spirv;
    size_t spirv_size;                    /* bytes */
    const char *entry;                    /* NULL: "main" */
    const rp_encoder_param *params;       /* in the order in which dispatches give ranges */
    uint32_t param_count;                 /* at most RP_MAX_ENCODER_PARAMS */
    const rp_encoder_constant *constants; /* ascending ids */
    uint32_t constant_count;
    uint32_t push_bytes;          /* that a dispatch pushes: those of its block, a multiple of 4 */
    const rp_wide_constant *wide; /* more constants, of any width: ascending ids, none of them in
                                   * `constants` */
    uint32_t wide_count;
} rp_encoder_kernel;

typedef struct rp_encoder_buffer {
    size_t size;      /* sizeof(rp_encoder_buffer) */
    const char *name; /* in messages */
    uint64_t bytes;
    int read_only; /* a call that writes it is a mistake */
} rp_encoder_buffer;

/* Everything is copied. Zero is the default everywhere but in `size`. */
typedef struct rp_encoder_params {
    size_t size;                      /* sizeof(rp_encoder_params) */
    const rp_encoder_kernel *kernels; /* each with its size */
    uint32_t kernel_count;
    const rp_encoder_buffer *buffers; /* each with its size */
    uint32_t buffer_count;
    const char *cache_path; /* folder of the pipeline cache, as in rp_exec_params */
} rp_encoder_params;

/* Asks for the pipelines of all kernels and does not wait for them where the device has threads for
 * that: the first dispatch of a kernel does. RP_ERROR_UNSUPPORTED, with a message for each kernel
 * that does not fit the device. The encoder keeps the device alive. */
RP_API rp_status rp_encoder_create(rp_device *device, const rp_encoder_params *params,
                                   rp_diags *diags, rp_encoder **out_encoder);
/* The GPU is done with all that was encoded. NULL is fine. */
RP_API void rp_encoder_destroy(rp_encoder *encoder);

/* Says where a buffer lies from now on: as many bytes of `storage` as the buffer has, from `offset`.
 * NULL: nowhere. May be called while encoding, for the calls that follow. Two buffers may share
 * bytes: hazards are those of the bytes. The encoder holds on to the storage while it is bound, and
 * the caller until the GPU is done with what was encoded. */
RP_API rp_status rp_encoder_bind(rp_encoder *encoder, uint32_t buffer, rp_storage *storage,
                                 uint64_t offset, rp_diags *diags);

/* ---- Encoding -------------------------------------------------------------------------------- */

/* Zero is the default everywhere but in `size`. */
typedef struct rp_encoder_begin_params {
    size_t size; /* sizeof(rp_encoder_begin_params) */
    /* What the application's work before has open: VkPipelineStageFlags2 and VkAccessFlags2 of a
     * barrier's source. The first call in each stage waits for it. 0: the application has waited
     * for what is needed. */
    uint64_t open_stages, open_access;
} rp_encoder_begin_params;

/* Begins to encode into a VkCommandBuffer that is being recorded, outside of a render pass, for a
 * queue that computes. `params` may be NULL. `diags` (may be NULL) gets the messages of all calls
 * until rp_encoder_end. The pipeline, descriptor sets and push constants of compute that the
 * application has bound are lost. RP_ERROR_BUSY while it encodes already. */
RP_API rp_status rp_encoder_begin(rp_encoder *encoder, void *command_buffer,
                                  const rp_encoder_begin_params *params, rp_diags *diags);

/* The calls. The first that fails closes the encoding: it encodes nothing, later ones neither, all
 * return its status, and so does rp_encoder_end; what was encoded is not to be submitted.
 *
 * Kernel, ranges and push constants stay set from one dispatch to the next, until another kernel is
 * set: then nothing is. */
RP_API rp_status rp_encoder_set_kernel(rp_encoder *encoder, uint32_t kernel);
/* Bytes of a buffer for a parameter of the kernel; size 0: to the buffer's end. The ranges of a
 * dispatch may overlap where none is written, and one that is read may be the very range that is
 * written. Where they begin keeps to the device's alignment of storage and uniform buffers. */
RP_API rp_status rp_encoder_set_range(rp_encoder *encoder, uint32_t param, uint32_t buffer,
                                      uint64_t offset, uint64_t size);
/* What is done to the range of a parameter, where that is more or less than rp_encoder_param says:
 * RP_WRITE writes it whole. */
RP_API rp_status rp_encoder_set_access(rp_encoder *encoder, uint32_t param, rp_access access);
/* Bytes of the kernel's push constants; offset and size are multiples of 4. */
RP_API rp_status rp_encoder_push(rp_encoder *encoder, uint32_t offset, const void *data,
                                 uint32_t size);

/* A range of a buffer; size 0: to its end. */
typedef struct rp_encoder_range {
    uint32_t buffer;
    uint64_t offset, size; /* bytes */
} rp_encoder_range;

/* Runs the kernel with all that it has. */
RP_API rp_status rp_encoder_dispatch(rp_encoder *encoder, uint32_t x, uint32_t y, uint32_t z);
/* The grid is three u32 at the beginning of `grid` (12 bytes, at a multiple of 4), read by the GPU. */
RP_API rp_status rp_encoder_dispatch_indirect(rp_encoder *encoder, const rp_encoder_range *grid);
/* Two ranges of the same size that do not overlap. */
RP_API rp_status rp_encoder_copy(rp_encoder *encoder, const rp_encoder_range *from,
                                 const rp_encoder_range *to);
/* Offset and size are multiples of 4. */
RP_API rp_status rp_encoder_fill(rp_encoder *encoder, const rp_encoder_range *to, uint32_t pattern);
/* The same, with `size` bytes of data, at most RP_MAX_UPDATE_BYTES, which are copied. */
RP_API rp_status rp_encoder_update(rp_encoder *encoder, uint32_t buffer, uint64_t offset,
                                   const void *data, uint32_t size);
/* Orders every call before with every call behind it. At the end of an encoding it orders nothing: what
 * is open is told. */
RP_API rp_status rp_encoder_fence(rp_encoder *encoder);
/* A label in debug tools, where the device has them. They nest. */
RP_API rp_status rp_encoder_label_begin(rp_encoder *encoder, const char *label);
RP_API rp_status rp_encoder_label_end(rp_encoder *encoder);

/* Closes the encoding as a failed call does, for layers above that find a mistake of their own.
 * `message` is an error; or a note, when a call has failed already. */
RP_API void rp_encoder_fail(rp_encoder *encoder, rp_status status, const char *message);

typedef struct rp_encoder_report {
    size_t size;     /* sizeof(rp_encoder_report) of the caller, before any use */
    uint64_t number; /* of the encoding, counted from 1: for rp_encoder_done */
    uint32_t dispatches, transfers;
    /* Every call that works is counted once. By rp_hazard_kind: with a barrier before it, and in
     * conflict with calls before but ordered by a barrier that stood there anyway. A call with
     * several kinds of hazard counts as the first of raw, waw and war; RP_ORDER: after a fence, or
     * for what the application had open. */
    uint32_t emitted[RP_HAZARD_KINDS], elided[RP_HAZARD_KINDS];
    uint32_t independent; /* in conflict with none */
    /* What is still open: VkPipelineStageFlags2 and VkAccessFlags2, for the source of the barrier
     * or the stages of the semaphore with which the application's work behind waits. */
    uint64_t open_stages, open_access;
    uint32_t sets_written; /* descriptor sets; 0 when all were there from earlier encodings */
} rp_encoder_report;

/* Ends the encoding; the command buffer stays as it is, being recorded. Returns the status of the
 * first call that failed. `report` may be NULL; the caller has set report->size. */
RP_API rp_status rp_encoder_end(rp_encoder *encoder, rp_encoder_report *report);

/* Says that the GPU is done with all encodings up to this number: descriptor sets that only they
 * used may be written anew. Without it every new combination of ranges takes a new set. */
RP_API void rp_encoder_done(rp_encoder *encoder, uint64_t number);

#ifdef __cplusplus
}
#endif

#endif
