/* Encoders: dispatches, copies, blits and fills written into a command buffer as they are called, without a
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

/* What a kernel binds, and what dispatches do to it unless they say otherwise: RP_UNIFORM to a uniform
 * buffer, RP_SAMPLED to what is sampled, texel buffers and samplers among it, the others to storage. What
 * it is, its module says: a buffer, an image of which view, texels, or an array of such. */
typedef struct rp_encoder_param {
    uint32_t set, binding;
    rp_access access;
} rp_encoder_param;

typedef struct rp_encoder_constant {
    uint32_t id;    /* layout(constant_id = id) */
    uint32_t value; /* its 32 bits */
} rp_encoder_constant;

/* SPIR-V that works on buffers, images, texel buffers and arrays of known size. Its module is read: it
 * may do no more to a binding than its parameter says, and its needs, workgroup size and workgroup memory
 * are held against the device. */
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
    size_t size;          /* sizeof(rp_encoder_buffer) */
    const char *name;     /* in messages */
    uint64_t bytes;       /* of an image: 0, or those of its packed form */
    int read_only;        /* a call that writes it is a mistake */
    rp_image_shape image; /* of an image, all of it; format RP_IMAGE_NONE (0): a buffer */
} rp_encoder_buffer;

/* Everything is copied. Zero is the default everywhere but in `size`. */
typedef struct rp_encoder_params {
    size_t size;                      /* sizeof(rp_encoder_params) */
    const rp_encoder_kernel *kernels; /* each with its size */
    uint32_t kernel_count;
    const rp_encoder_buffer *buffers; /* each with its size */
    uint32_t buffer_count;
    const char *cache_path; /* folder of the pipeline cache, as in rp_exec_params */
    const rp_sampler_info *samplers;
    uint32_t sampler_count;
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
 * the caller until the GPU is done with what was encoded.
 *
 * An image lies in a storage that is one of the same shape, at offset 0. One that the application has
 * imported comes from its layout `before` in front of the first call of an encoding that uses it, and
 * goes to `after` when the encoding ends, by barriers that are full on its side; in between it is in
 * GENERAL, as all others always are. */
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
/* The same of an element of an array of buffers. Elements of any array are set from 0 on without gaps, of
 * samplers all; without descriptorBindingPartiallyBound all of every array. */
RP_API rp_status rp_encoder_set_element(rp_encoder *encoder, uint32_t param, uint32_t element,
                                        uint32_t buffer, uint64_t offset, uint64_t size);
/* Bytes of a buffer, whole texels, seen as texels of a format; RP_IMAGE_NONE: that which the module
 * declares. Where they begin keeps to the device's minTexelBufferOffsetAlignment, and the storage has the
 * usage flag UNIFORM_TEXEL_BUFFER or STORAGE_TEXEL_BUFFER. `element` is 0 where there is no array. */
RP_API rp_status rp_encoder_set_texels(rp_encoder *encoder, uint32_t param, uint32_t element,
                                       uint32_t buffer, uint64_t offset, uint64_t size,
                                       rp_image_format format);

/* Mips and layers of an image. A count of 0 means "all from the first on"; but where only one mip can be,
 * which is in a storage image and in rp_encoder_blit, 0 mips are the first alone. */
typedef struct rp_encoder_part {
    uint32_t buffer;
    uint32_t first_mip, mips, first_layer, layers;
} rp_encoder_part;

/* A storage image, or one that is sampled and has no sampler of its own. */
RP_API rp_status rp_encoder_set_image(rp_encoder *encoder, uint32_t param, uint32_t element,
                                      const rp_encoder_part *part);
/* An image with its sampler. */
RP_API rp_status rp_encoder_set_combined(rp_encoder *encoder, uint32_t param, uint32_t element,
                                         const rp_encoder_part *part, uint32_t sampler);
RP_API rp_status rp_encoder_set_sampler(rp_encoder *encoder, uint32_t param, uint32_t element,
                                        uint32_t sampler);
/* What is done to the range of a parameter, to all elements of an array, where that is more or less than
 * rp_encoder_param says: RP_WRITE writes it whole. */
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
/* Two ranges of the same size that do not overlap. Of an image a range is whole subresources of its packed
 * bytes (rp_image_range): between images texels of one size in mips of the same extents, between an image
 * and a buffer packed texels, which begin in the VkBuffer at a multiple of 4 and of a texel's bytes. */
RP_API rp_status rp_encoder_copy(rp_encoder *encoder, const rp_encoder_range *from,
                                 const rp_encoder_range *to);
/* Scales one mip of an image to another, layer by layer (vkCmdBlitImage): between floats, or signed, or
 * unsigned integers, the latter two by RP_FILTER_NEAREST. The device's queue draws. */
RP_API rp_status rp_encoder_blit(rp_encoder *encoder, const rp_encoder_part *from,
                                 const rp_encoder_part *to, rp_filter filter);
/* Gives all texels of one mip, or of all layers of some, one value: the 16 bytes of four channels, f32,
 * i32 or u32 by what shaders read the format as; of depth the first, from 0 to 1. */
RP_API rp_status rp_encoder_clear(rp_encoder *encoder, const rp_encoder_part *to,
                                  const void *texel);
/* Of a buffer. Offset and size are multiples of 4. */
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
