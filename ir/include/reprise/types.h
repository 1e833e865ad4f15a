/* The closed sets that graphs, plans and the runtime share. Each set is one X-macro table: enum,
 * keyword, parser, printer and the plan format's codes come from the same line. Codes are stable:
 * they are stored in plans. */
#ifndef REPRISE_TYPES_H
#define REPRISE_TYPES_H

#include <stdint.h>
#include "reprise/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Element types: symbol, code, keyword, bytes of one block, elements of one block, NumPy's
 * descriptor without byte order. RP_RAW is "bytes without a type"; q8_0 and q4_0 are
 * block-quantised weights (reprise/ops.h), whose last dimension is a multiple of the block. bf16 is
 * the upper half of an f32; NumPy has none, so its files hold f32, from which one is rounded. A bool
 * is a byte, 0 or 1. */
#define RP_DTYPE_LIST(X)                                                                           \
    X(RP_RAW, 0, "raw", 1, 1, "u1")                                                                \
    X(RP_F32, 1, "f32", 4, 1, "f4")                                                                \
    X(RP_F16, 2, "f16", 2, 1, "f2")                                                                \
    X(RP_I8, 3, "i8", 1, 1, "i1")                                                                  \
    X(RP_U8, 4, "u8", 1, 1, "u1")                                                                  \
    X(RP_I32, 5, "i32", 4, 1, "i4")                                                                \
    X(RP_U32, 6, "u32", 4, 1, "u4")                                                                \
    X(RP_Q8_0, 7, "q8_0", 34, 32, "u1")                                                            \
    X(RP_Q4_0, 8, "q4_0", 18, 32, "u1")                                                            \
    X(RP_BF16, 9, "bf16", 2, 1, "f4")                                                              \
    X(RP_F64, 10, "f64", 8, 1, "f8")                                                               \
    X(RP_I16, 11, "i16", 2, 1, "i2")                                                               \
    X(RP_U16, 12, "u16", 2, 1, "u2")                                                               \
    X(RP_I64, 13, "i64", 8, 1, "i8")                                                               \
    X(RP_U64, 14, "u64", 8, 1, "u8")                                                               \
    X(RP_BOOL, 15, "bool", 1, 1, "b1")

/* What a buffer is for: symbol, code, keyword.
 *  in      read only, its bytes come from the host before a replay
 *  out     its last written bytes are results; undefined to nodes before the first write. Bytes
 *          that no node writes stay zero, or what the host wrote
 *  inout   read and written, keeps its bytes from one replay to the next
 *  weight  read only; what the host writes stays there for all replays, so once is enough
 *  tmp     lives inside one replay; undefined at its start; shares memory with others
 *  live    small values in the exec's live block, changed between replays by a memcpy */
#define RP_BUFFER_KIND_LIST(X)                                                                     \
    X(RP_IN, 0, "in")                                                                              \
    X(RP_OUT, 1, "out")                                                                            \
    X(RP_INOUT, 2, "inout")                                                                        \
    X(RP_WEIGHT, 3, "weight")                                                                      \
    X(RP_TMP, 4, "tmp")                                                                            \
    X(RP_LIVE, 5, "live")

/* What a use does to its range: symbol, code, keyword.
 *  r   reads some or all of it through a storage buffer, a copy or an indirect grid
 *  w   writes every byte of it and reads none: what was there before is gone
 *  rw  reads it, or writes only part of it: bytes it does not write keep their value
 *  u   reads it through a uniform buffer
 *  s   reads it as a sampled image or a uniform texel buffer
 * A kernel that writes only some bytes of a range must say rw. A `w` by a node whose grid is not
 * known at compile time, or that is optional, is treated as rw. */
#define RP_ACCESS_LIST(X)                                                                          \
    X(RP_READ, 0, "r")                                                                             \
    X(RP_WRITE, 1, "w")                                                                            \
    X(RP_READ_WRITE, 2, "rw")                                                                      \
    X(RP_UNIFORM, 3, "u")                                                                          \
    X(RP_SAMPLED, 4, "s")

/* What a node does: symbol, code, keyword.
 *  run     one dispatch of a kernel
 *  copy    copies a range to a range of the same size; of images whole subresources, in their packed
 *          form (reprise/image.h)
 *  fill    repeats a 32-bit word over a range; offset and size are multiples of 4
 *  update  writes up to 65536 bytes that are stored in the graph; multiples of 4
 *  fence   does nothing itself; orders everything before it against everything after it
 *  op      one or more ops (reprise/ops.h), not yet a kernel: pass `lower` makes it a run node
 *  blit    scales a mip of an image to one of an image, with a filter
 *  clear   gives all texels of subresources one value */
#define RP_NODE_KIND_LIST(X)                                                                       \
    X(RP_RUN, 0, "run")                                                                            \
    X(RP_COPY, 1, "copy")                                                                          \
    X(RP_FILL, 2, "fill")                                                                          \
    X(RP_UPDATE, 3, "update")                                                                      \
    X(RP_FENCE, 4, "fence")                                                                        \
    X(RP_OP, 5, "op")                                                                              \
    X(RP_BLIT, 6, "blit")                                                                          \
    X(RP_CLEAR, 7, "clear")

/* Why two nodes are ordered: symbol, code, keyword. RP_ORDER is a fence, or a node whose uses are
 * unknown. */
#define RP_HAZARD_LIST(X)                                                                          \
    X(RP_RAW_HAZARD, 0, "raw")                                                                     \
    X(RP_WAR_HAZARD, 1, "war")                                                                     \
    X(RP_WAW_HAZARD, 2, "waw")                                                                     \
    X(RP_ORDER, 3, "order")

/* One bit of a barrier's scope: a pipeline stage with one way of access. symbol, bit, stage,
 * access, and the flags of Vulkan. The bits of a stage stand together. A barrier has a source and a
 * destination scope, each a set of these bits. In a source scope only writes need to be made
 * available, so `stage:r` there stands for the execution dependency alone and is implied by
 * `stage:w` of the same stage. */
#define RP_SCOPE_LIST(X)                                                                           \
    X(RP_SCOPE_COMPUTE_R, 0, "compute", "r", VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT,               \
      VK_ACCESS_2_SHADER_STORAGE_READ_BIT)                                                         \
    X(RP_SCOPE_COMPUTE_W, 1, "compute", "w", VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT,               \
      VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT)                                                        \
    X(RP_SCOPE_COMPUTE_U, 2, "compute", "u", VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT,               \
      VK_ACCESS_2_UNIFORM_READ_BIT)                                                                \
    X(RP_SCOPE_COMPUTE_S, 7, "compute", "s", VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT,               \
      VK_ACCESS_2_SHADER_SAMPLED_READ_BIT)                                                         \
    X(RP_SCOPE_TRANSFER_R, 3, "transfer", "r", VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,               \
      VK_ACCESS_2_TRANSFER_READ_BIT)                                                               \
    X(RP_SCOPE_TRANSFER_W, 4, "transfer", "w", VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,               \
      VK_ACCESS_2_TRANSFER_WRITE_BIT)                                                              \
    X(RP_SCOPE_INDIRECT_R, 5, "indirect", "r", VK_PIPELINE_STAGE_2_DRAW_INDIRECT_BIT,              \
      VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT)                                                       \
    X(RP_SCOPE_HOST_R, 6, "host", "r", VK_PIPELINE_STAGE_2_HOST_BIT, VK_ACCESS_2_HOST_READ_BIT)

#define RP_X2(symbol, value, ...) symbol = value,
typedef enum rp_dtype { RP_DTYPE_LIST(RP_X2) } rp_dtype;
typedef enum rp_buffer_kind { RP_BUFFER_KIND_LIST(RP_X2) } rp_buffer_kind;
typedef enum rp_access { RP_ACCESS_LIST(RP_X2) } rp_access;
typedef enum rp_node_kind { RP_NODE_KIND_LIST(RP_X2) } rp_node_kind;
typedef enum rp_hazard_kind { RP_HAZARD_LIST(RP_X2) } rp_hazard_kind;
#undef RP_X2
#define RP_X2(symbol, bit, ...) symbol = 1 << bit,
typedef enum rp_scope { RP_SCOPE_LIST(RP_X2) RP_SCOPE_NONE = 0 } rp_scope;
#undef RP_X2

#define RP_X2(...) +1
enum { RP_HAZARD_KINDS = RP_ORDER + 1, RP_DTYPES = 0 RP_DTYPE_LIST(RP_X2) };
#undef RP_X2

/* How a node's grid is known: at compile time; from integer expressions over live values, evaluated
 * by the runtime when a live value is set; or from three u32 in a buffer, read by the GPU. */
typedef enum rp_grid_kind {
    RP_GRID_DIRECT = 0,
    RP_GRID_LIVE = 1,
    RP_GRID_INDIRECT = 2
} rp_grid_kind;

enum {
    RP_MAX_RANK = 8,             /* dimensions of a shape */
    RP_MAX_PUSH_BYTES = 256,     /* push data of one node; the device may allow less */
    RP_MAX_UPDATE_BYTES = 65536, /* vkCmdUpdateBuffer's limit */
    RP_ARENA_ALIGNMENT = 256,    /* offsets in the arena: the most that a device may ask for as
                                * minStorage- or minUniformBufferOffsetAlignment */
    RP_MAX_LIVE_BYTES = 65536,   /* one live buffer */
};

/* Bytes of one buffer: more than any device has, and few enough that sizes can be added up. */
#define RP_MAX_BUFFER_BYTES (UINT64_C(1) << 40)

/* A specialisation constant of any width. */
typedef struct rp_wide_constant {
    uint32_t id;    /* layout(constant_id = id) */
    uint32_t bytes; /* of its type: 1, 2, 4 or 8; 4 for bool */
    uint64_t value; /* its bits, as many as it has bytes for; floats by their bits, bool 0 or 1 */
} rp_wide_constant;

/* Keywords of the sets above; NULL for a value outside the set. */
RP_API const char *rp_dtype_name(rp_dtype dtype);
RP_API uint32_t rp_dtype_size(rp_dtype dtype);  /* bytes of one block; 0 outside the set */
RP_API uint32_t rp_dtype_block(rp_dtype dtype); /* elements of one block: 1, but 32
                                                 * for q8_0 and q4_0; 0 outside the set */
RP_API const char *rp_buffer_kind_name(rp_buffer_kind kind);
RP_API const char *rp_access_name(rp_access access);
RP_API const char *rp_node_kind_name(rp_node_kind kind);
RP_API const char *rp_hazard_name(rp_hazard_kind kind);

#ifdef __cplusplus
}
#endif

#endif
