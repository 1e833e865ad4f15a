/* Execs: a plan on a device, with its arena, buffers, descriptors, pipelines, live block, and one
 * command buffer, recorded once.
 *
 * Submitting is one queue submission of prebuilt structures: no allocation, no decision. An exec
 * runs one replay at a time on the GPU; replays submitted in a row are ordered by the plan's first
 * barrier. For replays that overlap, create several execs of one plan.
 *
 * Threads: an exec is used by one thread at a time.
 */
#ifndef REPRISE_EXEC_H
#define REPRISE_EXEC_H

#include "reprise/device.h"
#include "reprise/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_exec rp_exec;

/* Zero is the default everywhere. */
typedef struct rp_exec_params {
    const char *cache_path; /* folder of the pipeline cache; NULL: $XDG_CACHE_HOME/reprise or
                             * ~/.cache/reprise; "" disables the disk cache. Files are keyed by
                             * the plan's kernels and the driver, so plans of the same kernels
                             * share one; a damaged file is ignored and replaced. Files are
                             * never deleted: the folder may be emptied at any time */
    int timestamps;         /* record two timestamps around the replay (rp_exec_gpu_seconds) */
    int separate_buffers;   /* debugging: every transient gets a VkBuffer of its own at its own
                             * memory, so that validation layers see each one; costs memory */
} rp_exec_params;

/* Checks the plan's needs against the device (workgroup size, shared memory, push bytes, binding
 * ranges, grids, SPIR-V capabilities) and names the kernel or node that does not fit; then
 * allocates and records. All buffers begin as zeros, live ones with their defaults. params may be
 * NULL. */
RP_API rp_status rp_exec_create(rp_device *device, const rp_plan *plan,
                                const rp_exec_params *params, rp_diags *diags, rp_exec **out_exec);
/* Waits for what is in flight, then frees everything. */
RP_API void rp_exec_destroy(rp_exec *exec);

/* Copies host bytes into a buffer of kind in, inout or weight, or from one of kind out or inout, by
 * name. The exec must be idle (RP_ERROR_BUSY otherwise). Ranges are checked. Device-local memory is
 * reached through a staging buffer, in pieces. */
RP_API rp_status rp_exec_write(rp_exec *exec, const char *buffer, uint64_t offset, const void *data,
                               uint64_t size, rp_diags *diags);
RP_API rp_status rp_exec_read(rp_exec *exec, const char *buffer, uint64_t offset, void *data,
                              uint64_t size, rp_diags *diags);

/* A pointer into a buffer's memory for hosts that want to avoid the copy; NULL when the buffer is
 * not host-visible. Reading and writing through it follows the same rule: only while the exec is
 * idle. */
RP_API void *rp_exec_map(rp_exec *exec, const char *buffer, uint64_t *out_size);

/* Sets elements of a live buffer and recomputes the grids that depend on them, no others: a memcpy
 * into mapped memory, nothing is re-recorded. A value above the buffer's declared maximum, and a grid that is
 * negative or larger than the device allows, is refused and changes nothing. */
RP_API rp_status rp_exec_set_live(rp_exec *exec, const char *buffer, uint32_t first_element,
                                  const void *values, uint32_t count, rp_diags *diags);

/* The index of a buffer for the calls below, which find it without comparing names. */
RP_API rp_status rp_exec_find(const rp_exec *exec, const char *buffer, uint32_t *out_index);
RP_API rp_status rp_exec_set_live_at(rp_exec *exec, uint32_t index, uint32_t first_element,
                                     const void *values, uint32_t count, rp_diags *diags);

/* Submits one replay. Returns without waiting. */
RP_API rp_status rp_exec_submit(rp_exec *exec);
/* Waits until every replay submitted so far is done. UINT64_MAX waits for ever. On
 * RP_ERROR_DEVICE_LOST, rp_exec_lost_node names the node where that is known. */
RP_API rp_status rp_exec_wait(rp_exec *exec, uint64_t timeout_ns);

/* Replays completed since creation. */
RP_API uint64_t rp_exec_completed(rp_exec *exec);
/* GPU time of the last completed replay, from the two timestamps; negative without them. */
RP_API double rp_exec_gpu_seconds(rp_exec *exec);
/* Text about where the device was lost, or NULL. */
RP_API const char *rp_exec_lost_node(const rp_exec *exec);

/* The recorded VkCommandBuffer, to be submitted by an application on its own; the caller then
 * orders replays and waits. The queue it will run on must be of the device's queue family. */
RP_API void *rp_exec_command_buffer(const rp_exec *exec);

typedef struct rp_exec_stats {
    uint64_t arena_bytes, external_bytes, staging_bytes; /* device memory by purpose */
    uint32_t pipelines, pipelines_from_cache;            /* created, and found in the disk cache */
    uint32_t descriptor_sets;
    double record_seconds, pipeline_seconds;
} rp_exec_stats;
RP_API rp_exec_stats rp_exec_get_stats(const rp_exec *exec);

#ifdef __cplusplus
}
#endif

#endif
