/* Plans: compiled graphs as one relocatable, validated block of bytes.
 *
 * A plan holds all that a replay needs (SPIR-V, nodes, uses, groups, barriers, live table, device
 * needs) and all that an engineer needs to look at it again (the compiled graph and its source as
 * text, the checker's certificate). docs/plan-format.md is its byte table. The same input compiles
 * to the same bytes.
 *
 * A plan is immutable after it was opened: any number of threads may read it, and any number of
 * execs may use it at once. Execs hold on to their plan: it may be destroyed before them.
 */
#ifndef REPRISE_PLAN_H
#define REPRISE_PLAN_H

#include "reprise/image.h"
#include "reprise/check.h"
#include "reprise/needs.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_plan rp_plan;

/* The versions that this library writes, and the only ones it reads: of plans, and of files that hold
 * several forms of one. */
enum { RP_PLAN_VERSION = 6, RP_PLAN_FORMS_VERSION = 8 };

/* Maps and validates a file once: magic, version, size, content hash, every offset, index and
 * range. A plan that opens can be trusted. RP_ERROR_IO, RP_ERROR_DAMAGED or RP_ERROR_VERSION with a
 * reason otherwise. */
RP_API rp_status rp_plan_open(const rp_allocator *allocator, const char *path, rp_diags *diags,
                              rp_plan **out_plan);

/* The same from memory. The bytes are copied, they need not outlive the call. */
RP_API rp_status rp_plan_from_memory(const rp_allocator *allocator, const void *data, size_t size,
                                     const char *name, rp_diags *diags, rp_plan **out_plan);

RP_API void rp_plan_destroy(rp_plan *plan);

/* The plan's bytes, valid as long as the plan. */
RP_API const void *rp_plan_data(const rp_plan *plan, size_t *out_size);

/* Writes the plan to `path` through a temporary file beside it, so that a failure leaves nothing
 * half-written. */
RP_API rp_status rp_plan_save(const rp_plan *plan, const char *path, rp_diags *diags);

/* ---- Looking at a plan ----------------------------------------------------------------------- */

/* The structs below are filled in by the calls behind them. The caller has set their `size` to the
 * sizeof that it was compiled with: later versions add fields. RP_ERROR_USAGE otherwise, for NULL,
 * and for an index out of range. Strings and arrays live as long as the plan. */

typedef struct rp_plan_info {
    size_t size;
    const char *name;
    uint64_t content_hash;
    uint32_t nodes, dispatches, groups, barriers, barrier_bound;
    uint32_t buffers, kernels;
    uint64_t arena_bytes, arena_bound_bytes;
    rp_certificate certificate;
    uint32_t tagged;          /* transients whose readers wait for each element by its tag */
    uint32_t tagged_barriers; /* between groups where they do; as `barriers` in a plan without */
    uint32_t forms;           /* rp_plan_form_count */
} rp_plan_info;
RP_API rp_status rp_plan_get_info(const rp_plan *plan, rp_plan_info *info);

/* ---- Forms ----------------------------------------------------------------------------------- */

/* A plan may hold several forms: the same graph compiled for several largest values of its live sizes
 * (rp_compile_forms). Buffers that the application sees are the same in all of them, and a replay runs the
 * first form whose largest values its live values do not exceed; one in which a largest value is 1, and not in the
 * last, is for exactly 1, and in it the size is a number. The last one has the largest. All that is
 * said of such a plan is said of that form, but for its hash, its needs, and arena_bytes, which is what the form with
 * the largest arena asks. */
enum { RP_MAX_FORMS = 32 };
/* 1 for a plan of one form; 0 for NULL. */
RP_API uint32_t rp_plan_form_count(const rp_plan *plan);
/* A form as a plan by itself, whose buffers have the sizes and its live values the largest ones of that form.
 * It lives as long as `plan`, and what is made of it holds that; rp_plan_destroy is not called. Of a plan of one form
 * the plan itself. NULL for an index out of range. */
RP_API const rp_plan *rp_plan_form(const rp_plan *plan, uint32_t index);
/* What a form is for: "tokens <= 8, batch = 1", cut off at `size`; "" for a plan of one form. */
RP_API rp_status rp_plan_form_title(const rp_plan *plan, uint32_t index, char *text, size_t size);

/* What all kernels of the plan need of a device, as rp_plan_need bits; 0 for NULL. */
RP_API uint64_t rp_plan_needs(const rp_plan *plan);

/* A buffer that the application sees (everything but transients). */
typedef struct rp_plan_buffer_info {
    size_t size;
    const char *name;
    rp_buffer_kind kind;
    rp_dtype dtype;
    uint32_t rank;         /* 0 for raw bytes */
    const uint64_t *shape; /* `rank` extents */
    uint64_t bytes;        /* of all of it; 16 of a shape with an extent of 0, which mean nothing */
    int follows;           /* live: 1 when some of its bytes follow other live buffers and nobody
                            * can set it: the block of a kernel that takes live push constants */
    rp_image_shape
        image;          /* of an image (reprise/image.h), whose bytes are its packed texels; format
                            * RP_IMAGE_NONE for any other. One with a single mip has the dtype and the
                            * shape that NumPy would give it: layers where there are several, depth,
                            * height, width, channels where there are several; the texels of packed
                            * formats are u32. With several mips it is raw bytes */
    int sized;          /* 1 when its shape follows live values: `shape` and `bytes` are the largest
                            * that they get, rp_plan_get_shape says what they are */
    uint32_t max_value; /* live: the largest value that may be set; UINT32_MAX: any */
} rp_plan_buffer_info;
RP_API uint32_t rp_plan_buffer_count(const rp_plan *plan);
RP_API rp_status rp_plan_get_buffer(const rp_plan *plan, uint32_t index, rp_plan_buffer_info *info);

/* A live value for rp_plan_get_shape: element `element` of the live buffer of that name. */
typedef struct rp_plan_live_value {
    const char *buffer;
    uint32_t element, value;
} rp_plan_live_value;

/* Which form a replay with these live values runs; what is not given is as it begins. Values above the
 * largest form's are RP_ERROR_USAGE. */
RP_API rp_status rp_plan_choose_form(const rp_plan *plan, const rp_plan_live_value *values,
                                     uint32_t value_count, uint32_t *out_form);

/* The shape of a buffer where live values are as given, and what is not given as it begins: `rank`
 * extents into `shape` (room for RP_MAX_RANK), and the bytes, which are the first ones of its memory;
 * what lies behind them is of no meaning. An extent may be 0. Values above a live buffer's largest are
 * RP_ERROR_USAGE. out_bytes may be NULL, and values where there are none. Of a buffer that is not `sized` it is the
 * shape, and 0 bytes where that has an extent of 0. */
RP_API rp_status rp_plan_get_shape(const rp_plan *plan, uint32_t buffer,
                                   const rp_plan_live_value *values, uint32_t value_count,
                                   uint64_t *shape, uint64_t *out_bytes);

/* Bytes [offset, offset + size) of a buffer. */
typedef struct rp_plan_bytes {
    uint64_t offset, size;
} rp_plan_bytes;
/* The bytes of a buffer that no node writes, as ranges in ascending order: fills in the first
 * `capacity` and says how many there are. Such bytes of a result are what the exec began with:
 * zeros, or for an inout buffer what the host wrote. What a node may write counts as written. */
RP_API rp_status rp_plan_get_unwritten(const rp_plan *plan, uint32_t buffer, rp_plan_bytes *out,
                                       uint32_t capacity, uint32_t *out_count);

/* A kernel: its SPIR-V, NULL when the graph left it abstract, and what it asks of the device. */
typedef struct rp_plan_kernel_info {
    size_t size;
    const char *name, *entry;
    const uint32_t *spirv;
    size_t spirv_bytes;
    uint32_t local_size[3]; /* workgroup size, after specialisation */
    uint32_t shared_bytes, push_bytes;
} rp_plan_kernel_info;
RP_API uint32_t rp_plan_kernel_count(const rp_plan *plan);
RP_API rp_status rp_plan_get_kernel(const rp_plan *plan, uint32_t index, rp_plan_kernel_info *info);

/* The compiled graph and its source as .rpir text, terminated, valid as long as the plan. */
RP_API const char *rp_plan_text(const rp_plan *plan, size_t *out_size);
RP_API const char *rp_plan_source_text(const rp_plan *plan, size_t *out_size);

#ifdef __cplusplus
}
#endif

#endif
