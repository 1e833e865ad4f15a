/* Internal: what a program and its recorders hold, shared by program.c, recorder.c and
 * join.c.
 *
 * A handle is ((serial & 1023) << 22 | index) + 1, so that a handle of another program is noticed.
 */
#ifndef RP_RECORDER_RECORDER_H
#define RP_RECORDER_RECORDER_H

#include <pthread.h>
#include "base/text.h"
#include "graph/graph.h"
#include "base/table.h"
#include "forms.h"
#include "kernel/kernel.h"

enum {
    RP_HANDLE_INDEX_BITS = 22,
    RP_MAX_HANDLES = (1 << RP_HANDLE_INDEX_BITS) - 1,
};

struct rp_program {
    rp_allocator allocator;
    pthread_mutex_t mutex; /* guards everything below */
    uint32_t serial;
    rp_graph *base; /* the buffers, kernels and samplers; no nodes */
    rp_table buffer_names, kernel_names, sampler_names; /* string of `base` -> index in its list */
    RP_ARRAY(rp_kernel_module, modules); /* one for each kernel of `base`, in order */
    RP_ARRAY(rp_extent, extents);        /* that rp_program_extent gave, by their numbers */
    RP_ARRAY(rp_size_ranges, ranges);    /* of live buffers */
};

/* What a dimension of the application's is: a number, or one that rp_program_extent gave; false for one
 * that it did not. The mutex is held where the number is marked: no shape has so large ones. */
#define RP_EXTENT_MARK (UINT64_C(0xb5e5) << 48)
static inline bool rp_program_marks(uint64_t number) {
    return number >> 48 == RP_EXTENT_MARK >> 48;
}
bool rp_program_take_extent(const rp_program *program, uint64_t number, rp_extent *out);
/* And back: the same number for the same extent. RP_ERROR_NO_MEMORY. */
rp_status rp_program_give_extent(rp_program *program, rp_extent extent, uint64_t *out);
/* The same of a shape, for who does not hold the mutex. */
bool rp_program_take_shape(rp_program *program, const uint64_t *shape, uint32_t rank,
                           rp_tensor *out);

/* The calls of a recorder: symbol, name in messages. */
#define RP_CALL_LIST(X)                                                                            \
    X(RP_CALL_BIND_KERNEL, "rp_bind_kernel")                                                       \
    X(RP_CALL_BIND, "rp_bind")                                                                     \
    X(RP_CALL_BIND_IN_SET, "rp_bind_in_set")                                                       \
    X(RP_CALL_BIND_ELEMENT, "rp_bind_element")                                                     \
    X(RP_CALL_BIND_TEXELS, "rp_bind_texels")                                                       \
    X(RP_CALL_BIND_IMAGE, "rp_bind_image")                                                         \
    X(RP_CALL_BIND_COMBINED, "rp_bind_combined")                                                   \
    X(RP_CALL_BIND_SAMPLER, "rp_bind_sampler")                                                     \
    X(RP_CALL_BIND_ACCESS, "rp_bind_access")                                                       \
    X(RP_CALL_PUSH, "rp_push")                                                                     \
    X(RP_CALL_PUSH_LIVE, "rp_push_live")                                                           \
    X(RP_CALL_PUSH_ADDRESS, "rp_push_address")                                                     \
    X(RP_CALL_USE_ADDRESS, "rp_use_address")                                                       \
    X(RP_CALL_DISPATCH, "rp_dispatch")                                                             \
    X(RP_CALL_DISPATCH_INDIRECT, "rp_dispatch_indirect")                                           \
    X(RP_CALL_DISPATCH_LIVE, "rp_dispatch_live")                                                   \
    X(RP_CALL_APPLY, "rp_apply")                                                                   \
    X(RP_CALL_COPY, "rp_copy")                                                                     \
    X(RP_CALL_COPY_IMAGE, "rp_copy_image")                                                         \
    X(RP_CALL_COPY_TO_IMAGE, "rp_copy_to_image")                                                   \
    X(RP_CALL_COPY_FROM_IMAGE, "rp_copy_from_image")                                               \
    X(RP_CALL_BLIT, "rp_blit")                                                                     \
    X(RP_CALL_MAKE_MIPS, "rp_make_mips")                                                           \
    X(RP_CALL_CLEAR, "rp_clear")                                                                   \
    X(RP_CALL_FILL, "rp_fill")                                                                     \
    X(RP_CALL_UPDATE, "rp_update")                                                                 \
    X(RP_CALL_FENCE, "rp_fence")                                                                   \
    X(RP_CALL_LABEL_BEGIN, "rp_label_begin")                                                       \
    X(RP_CALL_LABEL_END, "rp_label_end")                                                           \
    X(RP_CALL_OP_TAG, "rp_op_tag")                                                                 \
    X(RP_CALL_OPTIONAL_BEGIN, "rp_optional_begin")                                                 \
    X(RP_CALL_OPTIONAL_END, "rp_optional_end")

typedef enum rp_call_kind {
#define RP_X(symbol, name) symbol,
    RP_CALL_LIST(RP_X)
#undef RP_X
} rp_call_kind;

const char *rp_call_name(rp_call_kind kind);

/* One recorded call. What the fields mean depends on the kind:
 *   bind_kernel            x = handle
 *   bind, bind_in_set      y = set, z = binding, first_range
 *   bind_element           x = element, y = set, z = binding, first_range
 *   bind_texels            the same; w = format
 *   bind_image, _combined  x = element, y = set, z = binding, w = handle of the sampler; first_byte,
 *                          size: the part, as a rp_image_part
 *   bind_sampler           x = element, y = set, z = binding, w = handle
 *   bind_access            x = access, y = set, z = binding
 *   push_live              x = offset, first_range
 *   push_address           x = offset, first_range
 *   use_address            x = access, first_range
 *   push, update           x = offset (push), first_byte, size; first_range (update)
 *   dispatch               x, y, z
 *   dispatch_live          first_byte: three terminated texts, size in all
 *   dispatch_indirect      first_range
 *   apply                  x operands, y attributes; first_byte, size: the op's name, the operands'
 *                          rp_tensor and name each, the attributes' number, kind, name and text
 *                          (apply.c); first_range: of each operand
 *   copy, fill             first_range: source and destination; x = pattern (fill)
 *   copy_image, blit       first_byte, size: source and destination, as rp_image_part; x = filter
 *   copy_to_, _from_image  first_range: of the buffer; first_byte, size: the part
 *   make_mips              first_byte, size: the part; x = filter
 *   clear                  first_byte, size: the part, and behind it the texel
 *   label_begin, op_tag    first_byte, size: the text with its terminator */
typedef struct rp_call {
    uint8_t kind;
    uint32_t x, y, z, w;
    uint32_t first_range;
    uint32_t first_byte, size;
} rp_call;

/* Where calls stand in the application's source, from one call on (rp_source_line). */
typedef struct rp_call_place {
    uint32_t first_call; /* counted from 0 */
    uint32_t file;       /* text in bytes[]; RP_NONE: not said */
    rp_source_pos pos;
} rp_call_place;

/* Where the calls of a recorder go: into a list, for a graph (recorder.c), or at once into a command
 * buffer (direct.c). Those that come most often have functions of their own; `kind` is that of the
 * call that the application made. */
typedef struct rp_recorder_sink {
    void (*kernel)(rp_recorder *r, uint32_t handle);
    void (*bind)(rp_recorder *r, rp_call_kind kind, uint32_t set, uint32_t binding,
                 const rp_range *range);
    void (*push)(rp_recorder *r, uint32_t offset, const void *data, uint32_t size);
    void (*dispatch)(rp_recorder *r, uint32_t x, uint32_t y, uint32_t z);
    /* All others; first_range, first_byte and size of `call` are not set. */
    void (*take)(rp_recorder *r, const rp_call *call, const rp_range *ranges, uint32_t range_count,
                 const void *bytes, uint32_t size);
    /* Hears that a call cannot be taken; see rp_recorder_fail. The recorder is closed already. */
    void (*fail)(rp_recorder *r, rp_call_kind kind, const char *mistake);
} rp_recorder_sink;

extern const rp_recorder_sink rp_recorder_list;

struct rp_recorder {
    const rp_recorder_sink *sink;
    rp_program *program;
    rp_allocator allocator;
    bool closed; /* a mistake or lack of memory: later calls are ignored */

    /* Of rp_recorder_list alone: */
    RP_ARRAY(rp_call, calls);
    RP_ARRAY(rp_range, ranges);
    RP_ARRAY(uint8_t, bytes);
    RP_ARRAY(rp_call_place, places); /* ascending first_call */
    bool no_memory;
    rp_call_kind mistake_kind; /* of call number calls_count + 1 */
    const char *mistake;       /* static text; NULL = none that was seen on the spot */
};

/* Whether a call is to be recorded; NULL recorders and closed ones ignore it. */
static inline bool rp_recorder_is_open(const rp_recorder *recorder) {
    return recorder && !recorder->closed;
}
/* Hands a call with its ranges and bytes to where they go. */
static inline void rp_recorder_append(rp_recorder *recorder, rp_call call, const rp_range *ranges,
                                      uint32_t range_count, const void *bytes, uint32_t size) {
    recorder->sink->take(recorder, &call, ranges, range_count, bytes, size);
}
/* Closes the recorder with a mistake (static text), or with NULL for lack of memory. */
void rp_recorder_fail(rp_recorder *recorder, rp_call_kind kind, const char *mistake);

/* The place of call `number`, counted from 1; NULL where nothing was said of it. */
const rp_call_place *rp_recorder_place(const rp_recorder *recorder, uint32_t number);

/* Handle of an index, and back: RP_NONE, with the reason in *why (static text), for a handle that
 * is not one of the `count` of this program. */
uint32_t rp_handle_make(const rp_program *program, uint32_t index);
uint32_t rp_handle_index(const rp_program *program, uint32_t handle, uint32_t count,
                         const char **why);
/* The same without a reason: not below any count for a handle that is none of this program's. */
static inline uint32_t rp_handle_quick(const rp_program *program, uint32_t handle) {
    return (handle - 1) ^ program->serial << RP_HANDLE_INDEX_BITS;
}

#endif
