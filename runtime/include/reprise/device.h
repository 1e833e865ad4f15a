/* Devices: a Vulkan 1.2 device with synchronization2 and timeline semaphores, created here or
 * wrapped around the application's own.
 *
 * Threads: a device may be used by several threads; submissions are serialised by a lock, since a
 * VkQueue must be.
 */
#ifndef REPRISE_DEVICE_H
#define REPRISE_DEVICE_H

#include "reprise/counters.h"
#include "reprise/memory.h"
#include "reprise/needs.h"
#include "reprise/target.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_device rp_device;

typedef struct rp_device_info {
    size_t
        size; /* sizeof(rp_device_info) of the caller, before any use: later versions add fields */
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
    uint32_t subgroup_size;    /* where a kernel asks for none */
    char float_controls[192];  /* what shaders may ask of floats, and for how many bits: "signed
                               * zero, inf and NaN 16 32 64; denormals 32"; "" for nothing */
    uint64_t needs;            /* of plans that it can serve, as rp_plan_need bits; of an imported
                               * device those that are enabled */
    char matrix_products[512]; /* of cooperative matrices, M x N x K with the types of the factors
                                * and of the sums: "16x16x16 f16 f32, 16x8x16 f16 f16"; "" for
                                * none */
    uint32_t subgroup_least, subgroup_most; /* sizes that a kernel may ask for */
    uint32_t queue_family;                  /* that of a device without other wishes (rp_queues) */
    int queue_draws;                        /* it draws, too */
    uint32_t timestamp_bits;                /* of its counter; 0: nodes cannot be timed */
    uint32_t max_storage_buffers, max_uniform_buffers; /* that a kernel may bind */
    uint32_t max_resources;                            /* of all kinds together */
    uint32_t max_descriptor_sets;
} rp_device_info;

/* Lists the devices of the system, suitable or not, into infos[0..capacity); *out_count is how many
 * there are; `infos` may be NULL for 0. The caller has set infos[0].size, the call sets that of the
 * others. RP_ERROR_NO_DEVICE when there is no Vulkan loader or no driver. */
RP_API rp_status rp_devices(rp_device_info *infos, uint32_t capacity, uint32_t *out_count,
                            rp_diags *diags);

/* An application's own Vulkan objects, as void* and integers so that this header needs no Vulkan
 * header; in all headers a handle is void*, dispatchable or not, on systems of 64 bits. All must
 * outlive the rp_device; the queue family must support compute. Each submission is made between
 * `lock` and `unlock` when given: an application that uses a queue from other threads passes its
 * own. They are called from any thread that uses the rp_device, with the VkQueue.
 *
 * Vulkan cannot be asked what an instance and a device were created with, so the import says it,
 * and what it does not say is taken as not enabled. rp_device_create refuses a device without
 * synchronization2 or timelineSemaphore, rp_exec_create a plan that needs more than is enabled,
 * both by name; rp_device_target then gives what is enabled. What is said is read during the call.
 */
typedef struct rp_device_import {
    size_t size;                   /* sizeof(rp_device_import) */
    void *get_instance_proc_addr;  /* PFN_vkGetInstanceProcAddr */
    void *instance;                /* VkInstance */
    uint32_t api_version;          /* VkApplicationInfo.apiVersion of the instance; 0: Vulkan 1.2.
                                   * The lesser of it and the device's is the version in use */
    void *physical_device;         /* VkPhysicalDevice */
    void *device;                  /* VkDevice */
    const void *features;          /* what VkDeviceCreateInfo.pNext was: VkPhysicalDeviceFeatures2,
                                   * VkPhysicalDeviceVulkan11Features to 13Features and structs of
                                   * single features, in any order; others are passed over. An
                                   * application that used pEnabledFeatures puts a
                                   * VkPhysicalDeviceFeatures2 with them in front */
    const char *const *extensions; /* VkDeviceCreateInfo.ppEnabledExtensionNames */
    uint32_t extension_count;
    int debug_utils; /* the instance has VK_EXT_debug_utils enabled: objects get names and command
                      * buffers labels */
    void *queue;     /* VkQueue */
    uint32_t queue_family;
    void *transfer_queue; /* another VkQueue, for uploads beside replays; NULL: `queue` */
    uint32_t transfer_family;
    void (*lock)(void *user, void *queue);
    void (*unlock)(void *user, void *queue);
    void *user;
    rp_memory_allocate allocate; /* the application's allocator of device memory, see memory.h */
    rp_memory_release release;   /* both of them, or neither: vkAllocateMemory */
    void *allocator;             /* their first argument: a VmaAllocator */
} rp_device_import;

/* The queues of a device that is created here, as bits. Without any it has one, of the first family
 * that both draws and computes, or else of the first that computes. */
typedef enum rp_queues {
    RP_QUEUES_COMPUTE_ONLY = 1, /* of a family that computes and does not draw, where there is one:
                                 * beside what another program draws. Drivers may run it at a lower
                                 * priority */
    RP_QUEUES_TRANSFER = 2,     /* a second one of a family that only copies, where there is one:
                                 * uploads then go beside replays */
} rp_queues;

/* Zero is the default everywhere but in `size`. */
typedef struct rp_device_params {
    size_t size;        /* sizeof(rp_device_params) */
    const char *select; /* an index of rp_devices, or part of a device's name; NULL: the
                         * environment variable REPRISE_DEVICE, or else the first suitable
                         * device, GPUs before software drivers */
    int validation;     /* load VK_LAYER_KHRONOS_validation with synchronisation checks; its
                         * messages arrive as diagnostics through rp_device_messages. The device has
                         * no extension that is younger than the layer */
    const rp_device_import *import; /* wrap instead of create */
    uint32_t queues;                /* rp_queues bits; 0 with `import`, which has its own */
    void *get_instance_proc_addr;   /* use this loader entry instead of opening libvulkan.so.1 */
    void *pipeline_cache; /* with `import`: a VkPipelineCache of that device, which pipelines are
                              * created with instead of caches on the disk. It is not created with
                              * the flag EXTERNALLY_SYNCHRONIZED, is not saved, and outlives the
                              * rp_device */
    int32_t pipeline_threads; /* how many threads may create pipelines, 16 at most; they are started
                               * when there is something to do, and end with the device. 0: one for
                               * each core but one; with an allocator of the application's own,
                               * which would be called from them, none. Below 0: none. Without
                               * threads, pipelines are created by those who wait for them */
} rp_device_params;

/* One moment on two clocks, read as near to each other as the driver can. */
typedef struct rp_calibration {
    size_t size;           /* sizeof(rp_calibration) of the caller */
    uint64_t host_ns;      /* of CLOCK_MONOTONIC */
    double gpu_ns;         /* of the device's clock, as rp_exec_gpu_span has it */
    uint64_t deviation_ns; /* the two are at most so far apart */
} rp_calibration;

/* Reads both clocks. RP_ERROR_UNSUPPORTED for a device without VK_EXT_calibrated_timestamps, or whose driver knows
 * no CLOCK_MONOTONIC; of an imported device the application enables it. Any thread. */
RP_API rp_status rp_device_calibrate(rp_device *device, rp_calibration *out);

/* ---- For a VkDevice of the application's ------------------------------------------------------ */

/* What a physical device of the application's instance could do: info->suitable, or what is missing;
 * a plan's needs are all in info->needs, or it cannot run there. The caller has set info->size.
 * get_instance_proc_addr, instance, api_version and physical_device of `import` are read. */
RP_API rp_status rp_device_probe(const rp_device_import *import, rp_diags *diags,
                                 rp_device_info *info);

/* Before vkCreateDevice: switches on, in a chain of Vulkan's feature structs, what the runtime and
 * plans with `needs` (rp_plan_needs, those of several plans or-ed together) want: in
 * VkPhysicalDeviceFeatures2, VkPhysicalDeviceVulkan11Features to 13Features or the structs of single
 * features, whichever are in the chain. `api_version` is the version in use, the lesser of the
 * instance's and the physical device's; 0: Vulkan 1.2. What is on stays on; other structs are passed
 * over. RP_ERROR_USAGE, with a message for each and the chain as it was, when a feature has no struct
 * in the chain, when a struct is of a later version, for a version before 1.2 and for bits that are
 * no needs. Needs that are properties want nothing enabled. */
RP_API rp_status rp_needs_enable(uint64_t needs, uint32_t api_version, void *features,
                                 rp_diags *diags);

/* The device extensions wanted for the same at the same version: static names into
 * names[0..capacity), *out_count is how many there are, at most 14. RP_ERROR_USAGE for a version
 * before 1.2, and for bits that are no needs. */
RP_API rp_status rp_needs_extensions(uint64_t needs, uint32_t api_version, const char **names,
                                     uint32_t capacity, uint32_t *out_count);

/* ---- Devices ---------------------------------------------------------------------------------- */

/* Finds or wraps a device. `params` is read during the call, strings and all; NULL: the defaults.
 * `allocator` (NULL: malloc and free) serves all that is made on the device. RP_ERROR_NO_DEVICE
 * without a Vulkan loader, without a device, and for a `select` that names none;
 * RP_ERROR_UNSUPPORTED, with what is missing, for one that the runtime cannot work on. Any thread, and
 * several devices beside each other. */
RP_API rp_status rp_device_create(const rp_allocator *allocator, const rp_device_params *params,
                                  rp_diags *diags, rp_device **out_device);
/* Refuses with RP_ERROR_BUSY while anything made on the device is alive: the message counts what is
 * left, and nothing is destroyed. No other thread may use the device meanwhile. NULL is fine. */
RP_API rp_status rp_device_destroy(rp_device *device, rp_diags *diags);
/* The caller has set info->size; RP_ERROR_USAGE otherwise, and for NULL. */
RP_API rp_status rp_device_get_info(const rp_device *device, rp_device_info *info);
/* The device's limits, to compile for, and what things cost there: as built in for one of its kind
 * (software drivers: `lavapipe`; an NVIDIA H200: `h200`), else not known. The caller has set
 * target->size; RP_ERROR_USAGE otherwise, and for NULL. */
RP_API rp_status rp_device_target(const rp_device *device, rp_target *target);

/* What the device did since it was created. Its memory is all that it allocated and has not freed.
 * counters->size is set by the caller; any thread. */
RP_API rp_status rp_device_get_counters(rp_device *device, rp_counters *counters);

/* The memory that buffers lie in. */
typedef struct rp_device_memory {
    size_t size;           /* sizeof(rp_device_memory) of the caller */
    uint64_t heap_bytes;   /* of the heap */
    uint64_t budget_bytes; /* how much of it this process may use, as the system says now, before
                            * allocations fail or slow down; heap_bytes where that is not known */
    uint64_t used_bytes;   /* how much of it this process uses; without a budget, what the runtime
                            * has allocated on the device */
    int known;             /* the system says so (VK_EXT_memory_budget) */
} rp_device_memory;
/* memory->size is set by the caller; RP_ERROR_USAGE otherwise, and for NULL. */
RP_API rp_status rp_device_get_memory(rp_device *device, rp_device_memory *memory);

/* How many validation warnings and errors arrived since the device was created; those kept are
 * appended to `diags` (may be NULL) and forgotten. 0 for a device without validation. */
RP_API uint32_t rp_device_messages(rp_device *device, rp_diags *diags);

#ifdef __cplusplus
}
#endif

#endif
