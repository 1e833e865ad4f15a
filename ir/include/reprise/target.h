/* Targets: what a compile knows of the device that a plan is for.
 *
 * A target has limits, which a plan must keep to, and figures of what things cost there. Whatever
 * depends on the device is decided by them and by nothing else: what is fused, which kernels
 * compute an op, into how many parts a long row is split. A graph carries its target
 * (rp_graph_target), and a plan says what it was compiled for; it runs on every device that meets
 * its needs and limits.
 *
 * Built in are three (rp_target_builtin):
 *   portable   what a compile assumes when it is told nothing: limits that every GPU with Vulkan
 *              1.2 of the last years and the software drivers meet (24 storage buffers in a
 *              generated kernel, 65535 workgroups in a dimension, 32 KiB of shared memory, views
 *              bound at multiples of 256), and the costs of a large GPU. How often loops may turn
 *              (loop_turns), which Mesa's software drivers alone limit, it does not keep to
 *   lavapipe   Mesa's software driver on a processor of few cores
 *   h200       one NVIDIA H200
 * Others come from rp_device_target() of reprise/runtime.h, from a file (`reprise devices --measure`
 * makes one), or are filled in by hand. Zero = not known: where something is decided by it,
 * `portable` stands in, and nothing is held against it; files leave such a line out. */
#ifndef REPRISE_TARGET_H
#define REPRISE_TARGET_H

#include "reprise/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Field and key of files, what it says. New figures are added at the end. */
#define RP_TARGET_LIST(X)                                                                          \
    /* Limits. */                                                                                  \
    X(storage_buffers, "storage buffers that a kernel binds")                                      \
    X(uniform_buffers, "uniform buffers that a kernel binds")                                      \
    X(descriptor_sets, "descriptor sets")                                                          \
    X(storage_alignment, "storage buffers begin at its multiples")                                 \
    X(uniform_alignment, "uniform buffers begin at its multiples")                                 \
    X(storage_range, "bytes of one storage buffer")                                                \
    X(uniform_range, "bytes of one uniform buffer")                                                \
    X(push_bytes, "bytes of push constants")                                                       \
    X(shared_bytes, "bytes of workgroup memory")                                                   \
    X(workgroup_x, "invocations of a workgroup in x")                                              \
    X(workgroup_y, "invocations of a workgroup in y")                                              \
    X(workgroup_z, "invocations of a workgroup in z")                                              \
    X(invocations, "invocations of a workgroup in all")                                            \
    X(groups_x, "workgroups of a grid in x")                                                       \
    X(groups_y, "workgroups of a grid in y")                                                       \
    X(groups_z, "workgroups of a grid in z")                                                       \
    X(subgroup, "invocations of a subgroup, when nothing asks for another size")                   \
    X(needs, "features, as bits of a plan's needs (docs/plan-format.md)")                          \
    X(subgroup_least, "the smallest subgroup that a kernel may ask for")                           \
    X(subgroup_most, "the largest subgroup that a kernel may ask for")                             \
    X(matrix_shapes, "products of cooperative matrices, as bits of RP_MATRIX_SHAPE_LIST")          \
    /* What it is made of. */                                                                      \
    X(multiprocessors, "units that run workgroups side by side")                                   \
    X(resident_groups, "workgroups that one of them holds at a time; 1: it is a core")             \
    X(resident_invocations, "invocations that one of them holds")                                  \
    X(resident_shared, "bytes of workgroup memory that one of them has for all it holds")          \
    X(busy_invocations, "invocations that keep one of them busy")                                  \
    X(register_words, "32-bit values that an invocation keeps in registers")                       \
    X(cache_bytes, "bytes of the largest cache that all of them share")                            \
    /* Costs: of the whole device, when it is busy. */                                             \
    X(dispatch_ns, "from one dispatch to the next without a barrier between, nanoseconds")         \
    X(barrier_ns, "the same with a barrier between: drain, wait, launch")                          \
    X(group_ns, "a workgroup that does nothing, on one multiprocessor, nanoseconds")               \
    X(sync_ns, "a barrier() inside a workgroup of 256 invocations, nanoseconds")                   \
    X(transfer_bytes, "up to so many bytes a dispatch copies faster than vkCmdCopyBuffer")         \
    X(memory_rate, "bytes a microsecond that are read from memory")                                \
    X(flight_bytes, "bytes that must be on their way to read memory at that rate")                 \
    X(cache_rate, "bytes a microsecond that are read from caches")                                 \
    X(shared_rate, "bytes a microsecond that are read from workgroup memory, filling it included") \
    X(f32_rate, "f32 operations a microsecond, an fma being two")                                  \
    X(f16_rate, "f16 operations a microsecond, an fma being two")                                  \
    X(i8_rate, "operations a microsecond of dot products of four i8, each being eight")            \
    X(matrix_f16_rate, "f16 operations a microsecond in cooperative matrices, sums in f32")        \
    X(matrix_i8_rate, "i8 operations a microsecond in cooperative matrices, sums in i32")          \
    X(matrix_quads,                                                                                \
      "1: of 16 x 16 sums in f32, invocation i of a subgroup of 32 has rows i / 4 and "            \
      "i / 4 + 8, of each columns 2 * (i % 4), the next, and both plus 8; sums of 16 x 8 lie as "  \
      "its left half, right factors of 16 x 8 as its upper half with rows and columns exchanged")  \
    X(loop_turns,                                                                                  \
      "turns of all its loops together after which an invocation's loops end, done or not")        \
    X(resources, "buffers of all kinds that a kernel binds") /* a limit */                         \
    X(ordered_starts,                                                                              \
      "1: dispatches of a queue and the workgroups of each are started in order, so that a "       \
      "workgroup may wait for earlier ones")                                                       \
    X(size_ranges,                                                                                 \
      "where `ranges: auto` of a live size ends ranges, bit n for 2^n: sizes up to which other "   \
      "kernels pay off")

/* Shapes of cooperative matrices: symbol, bit, name, M, N, K, the type of the factors, and that of
 * the sums. */
#define RP_MATRIX_SHAPE_LIST(X)                                                                    \
    X(RP_MATRIX_16_16_16_F16_F32, 0, "16x16x16 f16 f32", 16, 16, 16, RP_F16, RP_F32)               \
    X(RP_MATRIX_16_16_16_F16_F16, 1, "16x16x16 f16 f16", 16, 16, 16, RP_F16, RP_F16)               \
    X(RP_MATRIX_16_8_16_F16_F32, 2, "16x8x16 f16 f32", 16, 8, 16, RP_F16, RP_F32)                  \
    X(RP_MATRIX_16_8_16_F16_F16, 3, "16x8x16 f16 f16", 16, 8, 16, RP_F16, RP_F16)                  \
    X(RP_MATRIX_16_8_8_F16_F32, 4, "16x8x8 f16 f32", 16, 8, 8, RP_F16, RP_F32)                     \
    X(RP_MATRIX_16_8_8_F16_F16, 5, "16x8x8 f16 f16", 16, 8, 8, RP_F16, RP_F16)                     \
    X(RP_MATRIX_8_16_16_F16_F32, 6, "8x16x16 f16 f32", 8, 16, 16, RP_F16, RP_F32)                  \
    X(RP_MATRIX_8_8_16_F16_F32, 7, "8x8x16 f16 f32", 8, 8, 16, RP_F16, RP_F32)                     \
    X(RP_MATRIX_16_16_32_I8_I32, 8, "16x16x32 i8 i32", 16, 16, 32, RP_I8, RP_I32)                  \
    X(RP_MATRIX_16_8_32_I8_I32, 9, "16x8x32 i8 i32", 16, 8, 32, RP_I8, RP_I32)                     \
    X(RP_MATRIX_16_16_16_I8_I32, 10, "16x16x16 i8 i32", 16, 16, 16, RP_I8, RP_I32)                 \
    X(RP_MATRIX_8_16_32_I8_I32, 11, "8x16x32 i8 i32", 8, 16, 32, RP_I8, RP_I32)                    \
    X(RP_MATRIX_8_8_32_I8_I32, 12, "8x8x32 i8 i32", 8, 8, 32, RP_I8, RP_I32)                       \
    X(RP_MATRIX_16_16_32_U8_U32, 13, "16x16x32 u8 u32", 16, 16, 32, RP_U8, RP_U32)                 \
    X(RP_MATRIX_16_8_32_U8_U32, 14, "16x8x32 u8 u32", 16, 8, 32, RP_U8, RP_U32)

typedef enum rp_matrix_shape {
#define RP_X(symbol, bit, name, m, n, k, factor, sum) symbol = 1 << bit,
    RP_MATRIX_SHAPE_LIST(RP_X)
#undef RP_X
} rp_matrix_shape;

typedef struct rp_target {
    size_t size;    /* sizeof(rp_target) of the caller, before any use: later versions add fields */
    char name[256]; /* for messages, dumps and plans */
#define RP_X(field, what) uint64_t field;
    RP_TARGET_LIST(RP_X)
#undef RP_X
} rp_target;

#define RP_TARGET_INIT                                                                             \
    { sizeof(rp_target) }

/* A target that is built in, by its name; NULL for another. Static, of the library's version: its
 * `size` says how far it reaches. */
RP_API const rp_target *rp_target_builtin(const char *name);
/* All of them: NULL past the end. The first is `portable`. */
RP_API const rp_target *rp_target_list(uint32_t index);

/* What a figure is called in files and what it says, in the order of the fields. Static; NULL past
 * the end. */
typedef struct rp_target_figure {
    const char *name, *brief;
} rp_target_figure;
RP_API const rp_target_figure *rp_target_figure_at(uint32_t index);

/* Reads the text of a file: lines `key: number` and `name: text`, empty ones, and comments from '#'
 * on. Numbers are not 0; alignments and subgroups are powers of two. Every mistake is reported with
 * its line. target->size is set by the caller. */
RP_API rp_status rp_target_parse(const char *text, size_t size, const char *file, rp_diags *diags,
                                 rp_target *target);

/* Writes such text, terminated when size > 0; returns the length that all of it needs.
 * `text` may be NULL. */
RP_API size_t rp_target_print(const rp_target *target, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
