/* A Vulkan implementation without a GPU, for tests of the runtime.
 *
 * It is one device whose properties tests may change, memory that is malloc, and command buffers
 * that are kept as text. Submitting runs transfers (copy, fill, update) and nothing else, at once;
 * when a batch counts as done is another matter: behind what it waits for, and the batches before.
 * Every object is counted, so that a leak shows as a number, and every call that can fail can be
 * made to.
 *
 * Threads: as Vulkan has it, what is not externally synchronised may be called at once. What the
 * fake driver counts on the way is atomic and orders nothing, so that a tool that looks for races
 * between threads sees those of the runtime. Tests read the state when their threads are done. */
#ifndef RP_MOCK_VULKAN_H
#define RP_MOCK_VULKAN_H

#ifndef VK_NO_PROTOTYPES
#define VK_NO_PROTOTYPES
#endif
#include <stdbool.h>
#include <vulkan/vulkan_core.h>
#include "driver/cooperative_matrix.h"

enum { MOCK_EXTENSIONS = 8, MOCK_PRODUCTS = 4 };

typedef struct mock_state {
    /* The machine. mock_reset sets a discrete GPU that can do everything. */
    uint32_t device_count;
    VkPhysicalDeviceProperties properties;
    VkPhysicalDeviceMemoryProperties memory;
    VkDriverId driver;
    VkSubgroupFeatureFlags subgroup_operations;
    bool subgroup_control; /* the feature */
    uint32_t subgroup_least, subgroup_most;
    VkShaderStageFlags subgroup_stages; /* where a size may be asked for */
    uint64_t max_allocation_size, max_buffer_size;
    VkQueueFamilyProperties families[4];
    uint32_t family_count;
    bool undeclared_formats; /* of storage images, in shaders */
    bool cube_arrays, gathers;
    bool sync2_extension, sync2, timeline, float16, int64; /* and all other features */
    bool device_address;
    bool exact_floats; /* 32-bit float controls */
    bool validation_layer, cache_hits;
    uint32_t layer_version; /* of the registry that the validation layer knows */
    bool debug_utils;       /* the loader has VK_EXT_debug_utils */
    const char
        *extensions_too[MOCK_EXTENSIONS]; /* device extensions beside VK_KHR_synchronization2 */
    bool device_fault;                    /* the feature of VK_EXT_device_fault */
    bool memory_priority;                 /* that of VK_EXT_memory_priority */
    bool matrices;                        /* that of VK_KHR_cooperative_matrix */
    VkCooperativeMatrixPropertiesKHR products[MOCK_PRODUCTS]; /* with k until the first of 0 */
    bool prefers_dedicated; /* of every buffer, as vkGetBufferMemoryRequirements2 says */
    VkExternalMemoryFeatureFlags fd_features; /* of file descriptors of memory */
    uint32_t fd_compatible;                   /* handle types that go together */
    uint32_t fd_types;                        /* memory types of a dma-buf */
    uint8_t uuid;                             /* each byte of deviceUUID and driverUUID */
    VkFormatFeatureFlags2 image_features, texel_features; /* of every format that plans know, */
    VkFormatFeatureFlags2 (*format_features)(VkFormat format,
                                             bool texels); /* and of each; or NULL */
    uint32_t (*image_types)(uint32_t image); /* memory types of the n-th image; NULL: all */
    bool images_dedicated;                   /* each wants memory of its own */
    bool anisotropy, partially_bound; /* samplerAnisotropy, descriptorBindingPartiallyBound */
    uint64_t heap_budget, heap_usage; /* of every heap, as VK_EXT_memory_budget says */
    uint32_t loader_version;
    uint32_t instance_version; /* of the latest vkCreateInstance, or of the test's own instance */

    /* Faults: call number `fail_at`, counted from 1 over all calls that return a VkResult, returns
     * `fail_with`. 0 = none. Or the next call of the name `fail_call`; NULL = none. */
    uint32_t calls, fail_at;
    const char *fail_call;
    VkResult fail_with;
    const char *failed;                   /* the call that did */
    void (*on_pipeline)(uint32_t kernel); /* while one is created, on that thread; NULL: nothing.
                                           * Kernels are told apart by their last word */
    /* What timestamp `query` of a pool of `count` reads as; NULL: 1000, 1500, 2000 ... */
    uint64_t (*ticks)(uint32_t count, uint32_t query);
    uint32_t lose_after; /* so many transfers and markers later the device is lost, in the middle of
                          * a submission; 0: never */
    bool stall;          /* submissions stay in flight: waits time out, or finish them if endless */
    bool races;          /* what is submitted is looked through for races */
    uint32_t wait_ms;    /* how long each wait for a semaphore takes */
    bool quiet;          /* for threads: nothing is noted, and what is submitted is done at once */

    /* What happened. */
    int objects;         /* alive, of all kinds */
    uint32_t idle_waits; /* calls of vkQueueWaitIdle */
    uint32_t submits, memory_allocations;
    uint32_t buffer_usage;   /* of the latest vkCreateBuffer */
    uint32_t image_usage;    /* of the latest vkCreateImage */
    uint32_t waits, batches; /* vkWaitSemaphores; VkSubmitInfo2 */
    uint32_t begins;         /* vkBeginCommandBuffer */
    uint32_t handed_over,
        taken_over; /* ownership of external memory; the family on the other side */
    uint32_t other_family;
    uint32_t host_imports;     /* allocations of the host's own memory */
    float priority;            /* of the latest vkAllocateMemory; below 0: nothing was said */
    const void *submitted[32]; /* command buffers of the latest vkQueueSubmit2 */
    uint32_t submitted_count;
    uint32_t set_layouts, layouts, pipelines, caches; /* ever created */
    const void *pipeline_cache;                       /* of the latest pipeline */
    uint32_t pipeline_subgroup;                       /* size that it asks for; 0: none */
    size_t initial_cache_bytes;                       /* of the latest vkCreatePipelineCache */
    uint32_t queue_family;                            /* of the latest vkCreateDevice */
    uint32_t transfer_family;                         /* of its second queue; UINT32_MAX without */
    const void *queue;                                /* of the latest vkQueueSubmit2 */
    bool lost;
    const void *checkpoints[2]; /* the last one at the top and at the bottom of the pipe */
    bool names;                 /* VK_EXT_debug_utils was enabled, here or by the test's instance */
    uint32_t named;             /* objects that got a name */
    char extensions[256];       /* of the latest vkCreateDevice */
    bool enabled_float16;       /* by the latest vkCreateDevice */
    bool enabled_matrices;
    char descriptors[32768]; /* text of all descriptor writes */
    const char *mistake;     /* the first rule of Vulkan that was broken, NULL = none */
} mock_state;

extern mock_state mock;

void mock_reset(void);
/* mock.calls, while other threads are at it. */
uint32_t mock_calls(void);
/* A device whose memory the host sees, such as a software driver's. */
void mock_unified(void);
PFN_vkVoidFunction VKAPI_CALL mock_get_instance_proc_addr(VkInstance instance, const char *name);
/* The queue of a family, as vkGetDeviceQueue gives it. */
void *mock_queue(uint32_t family);
void *mock_entry(void); /* the same as a void* */

/* The commands recorded in a VkCommandBuffer, one a line. */
const char *mock_commands(const void *command_buffer);

/* What these commands do, one a line, whatever was bound before: each dispatch with its pipeline, the
 * ranges that it binds, and all that is pushed. */
const char *mock_effects(const void *command_buffer);
/* The only command, a barrier; false when there is another. */
bool mock_only_barrier(const void *command_buffer, VkMemoryBarrier2 *out);

/* The bytes of the n-th buffer created, while it lives. */
const unsigned char *mock_buffer_bytes(uint32_t number);

/* The packed bytes of the n-th image, while it lives, and where in its memory they begin; NULL without.
 */
const unsigned char *mock_image_bytes(uint32_t number, uint64_t *out_offset);
/* The layout that it is in behind what was submitted. */
VkImageLayout mock_image_layout(uint32_t number);

/* ---- What was submitted ---------------------------------------------------------------------- */

typedef struct mock_semaphore_use {
    const void *semaphore;
    uint32_t number; /* of it: when it is gone, another one may lie there */
    uint64_t value, stages;
} mock_semaphore_use;

/* One VkSubmitInfo2. */
typedef struct mock_batch {
    uint32_t call; /* of vkQueueSubmit2, from 1 */
    const void *queue;
    mock_semaphore_use *waits, *signals;
    const void **commands;
    uint32_t wait_count, signal_count, command_count;
} mock_batch;

/* Those since mock_reset. */
const mock_batch *mock_log(uint32_t *count);
/* Signals a semaphore from the host, as vkSignalSemaphore. */
void mock_signal(const void *semaphore, uint64_t value);
/* Finishes what is in flight, as far as it waits for nothing else. */
void mock_finish(void);

/* ---- Races ----------------------------------------------------------------------------------- */

/* With mock.races every access of what is submitted is compared with every access before it: two to
 * the same byte of memory, one of them a write, need a barrier between them, or a semaphore, whose
 * scopes cover both; else it is a mistake. That the host has seen a batch end is enough to overwrite
 * what it used, but what it wrote becomes visible on the device alone. Whether kernels read or write
 * is in the modules that mock_plan makes. */

/* Whether the host may read memory: what wrote it is behind a barrier toward the host. */
bool mock_host_may_read(const void *bytes, uint64_t size);
/* Barriers submitted since mock_reset. The one of number mock_skip_barrier, from 1, is passed over:
 * for tests of the tests. */
extern uint32_t mock_barriers, mock_skip_barrier;

#endif
