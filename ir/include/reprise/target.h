/* Targets: the limits of a device, so that a compile can be told of them (rp_pass_options.target).
 *
 * Without a target a compile keeps to figures that every GPU with Vulkan 1.2 of the last years and
 * the software drivers meet: 24 storage buffers in a generated kernel, 65535 workgroups in a
 * dimension, 32 KiB of shared memory, views bound at multiples of 256. Whether a plan fits is then
 * found when an exec is created. With a target, fusion stops at its number of storage buffers, and
 * what does not fit is an error at the node's line.
 *
 * A target is filled in by rp_device_target() of reprise/runtime.h, from a file (`reprise devices
 * --limits` prints one), or by hand. Zero = not known: nothing is held against it; files leave such
 * a line out. */
#ifndef REPRISE_TARGET_H
#define REPRISE_TARGET_H

#include "reprise/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Field and key of files, what it limits. */
#define RP_TARGET_LIST(X)                                                                          \
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
    X(workgroup_y, "in y")                                                                         \
    X(workgroup_z, "in z")                                                                         \
    X(invocations, "of a workgroup in all")                                                        \
    X(groups_x, "workgroups of a grid in x")                                                       \
    X(groups_y, "in y")                                                                            \
    X(groups_z, "in z")                                                                            \
    X(subgroup, "invocations of a subgroup; for information")                                      \
    X(needs, "features, as bits of a plan's needs (docs/plan-format.md)")

typedef struct rp_target {
    size_t size;    /* sizeof(rp_target) of the caller, before any use: later versions add fields */
    char name[256]; /* for messages */
#define RP_X(field, what) uint64_t field;
    RP_TARGET_LIST(RP_X)
#undef RP_X
} rp_target;

#define RP_TARGET_INIT                                                                             \
    { sizeof(rp_target) }

/* Reads the text of a file: lines `key: number` and `name: text`, empty ones, and comments from '#'
 * on. Numbers are not 0; alignments and subgroup are powers of two. Every mistake is reported with
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
