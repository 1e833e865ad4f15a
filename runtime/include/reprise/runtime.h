/* The runtime: instantiates a plan on a Vulkan device and replays it.
 *
 *   rp_device  a Vulkan 1.2 device with synchronization2 and timeline semaphores, created here or
 *              wrapped around the application's own.
 *   rp_exec    a plan on a device: its arena, buffers, descriptors, pipelines, live block, and one
 *              command buffer, recorded once.
 *
 * Submitting is one queue submission of prebuilt structures: no allocation, no decision. An exec
 * runs one replay at a time on the GPU; replays submitted in a row are ordered by the plan's first
 * barrier. For replays that overlap, create several execs of one plan.
 *
 * Threads: a device may be used by several threads (submissions are serialised by a lock, since a
 * VkQueue must be); an exec by one at a time.
 */
#ifndef REPRISE_RUNTIME_H
#define REPRISE_RUNTIME_H

#include "reprise/plan.h"
#include "reprise/target.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_device rp_device;
typedef struct rp_exec rp_exec;

/* ---- Devices --------------------------------------------------------------------------------- */

typedef struct rp_device_info {
    char name[256];
    char driver[256];           /* driver name and version text */
    uint32_t vulkan_version;    /* VK_API_VERSION of the device */
    int is_cpu;                 /* a software driver */
    int suitable;               /* everything the runtime needs is there */
    char missing[256];          /* what is not, when unsuitable */
    uint64_t max_storage_range; /* bytes one binding may span */
    uint64_t memory_bytes;      /* largest device-local heap */
    uint32_t max_workgroup_size[3], max_workgroup_invocations, max_shared_bytes, max_push_bytes;
    uint32_t max_groups[3];
    uint32_t subgroup_size;
    char float_controls[192]; /* what shaders may ask of floats, and for how many bits: "signed
                               * zero, inf and NaN 16 32 64; denormals 32"; "" for nothing */
} rp_device_info;

/* Lists the devices of the system, suitable or not, into infos[0..capacity); *out_count is how many
 * there are. RP_ERROR_NO_DEVICE when there is no Vulkan loader or no driver. */
RP_API rp_status rp_devices(rp_device_info *infos, uint32_t capacity, uint32_t *out_count,
                            rp_diags *diags);

/* An application's own Vulkan objects, as void* and integers so that this header needs no Vulkan
 * header. All must outlive the rp_device. The VkDevice must have been created with the features
 * synchronization2 and timelineSemaphore and the features that the plans' kernels need; the queue
 * family must support compute. Submissions go through `lock`/`unlock` when given: an application
 * that uses the queue from other threads passes its own. */
typedef struct rp_device_import {
    void *get_instance_proc_addr; /* PFN_vkGetInstanceProcAddr */
    void *instance;               /* VkInstance */
    void *physical_device;        /* VkPhysicalDevice */
    void *device;                 /* VkDevice */
    void *queue;                  /* VkQueue */
    uint32_t queue_family;
    void (*lock)(void *user);
    void (*unlock)(void *user);
    void *user;
} rp_device_import;

/* Zero is the default everywhere. */
typedef struct rp_device_params {
    const char *select; /* an index of rp_devices, or part of a device's name; NULL: the
                         * environment variable REPRISE_DEVICE, or else the first suitable
                         * device, GPUs before software drivers */
    int validation;     /* load VK_LAYER_KHRONOS_validation with synchronisation checks; its
                         * messages arrive as diagnostics through rp_device_messages */
    const rp_device_import *import; /* wrap instead of create */
    void *get_instance_proc_addr;   /* use this loader entry instead of opening libvulkan.so.1 */
} rp_device_params;

RP_API rp_status rp_device_create(const rp_allocator *allocator, const rp_device_params *params,
                                  rp_diags *diags, rp_device **out_device);
/* Every exec of the device must have been destroyed before. */
RP_API void rp_device_destroy(rp_device *device);
RP_API rp_device_info rp_device_get_info(const rp_device *device);
/* The device's limits, to compile for; the caller has set target->size. RP_ERROR_USAGE otherwise,
 * and for NULL. */
RP_API rp_status rp_device_target(const rp_device *device, rp_target *target);

/* How many validation warnings and errors arrived since the device was created; those kept are
 * appended to `diags` (may be NULL) and forgotten. 0 for a device without validation. */
RP_API uint32_t rp_device_messages(rp_device *device, rp_diags *diags);

/* ---- Execs ----------------------------------------------------------------------------------- */

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

/* Sets elements of a live buffer and recomputes the grids that depend on it: a memcpy into mapped
 * memory, nothing is re-recorded. A value above the buffer's declared maximum, and a grid that is
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
