/* A Vulkan implementation without a GPU, for tests of the runtime.
 *
 * It is one device whose properties tests may change, memory that is malloc, and command buffers
 * that are kept as text. Submitting runs transfers (copy, fill, update) and nothing else, at once.
 * Every object is counted, so that a leak shows as a number, and every call that can fail can be
 * made to. One thread at a time, except for pipelines and their caches, which are created on many:
 * what they count is counted under a lock. */
#ifndef RP_MOCK_VULKAN_H
#define RP_MOCK_VULKAN_H

#ifndef VK_NO_PROTOTYPES
#define VK_NO_PROTOTYPES
#endif
#include <stdbool.h>
#include <vulkan/vulkan_core.h>

typedef struct mock_state {
    /* The machine. mock_reset sets a discrete GPU that can do everything. */
    uint32_t device_count;
    VkPhysicalDeviceProperties properties;
    VkPhysicalDeviceMemoryProperties memory;
    VkDriverId driver;
    VkSubgroupFeatureFlags subgroup_operations;
    uint64_t max_allocation_size, max_buffer_size;
    VkQueueFamilyProperties families[4];
    uint32_t family_count;
    bool sync2_extension, sync2, timeline, float16, int64; /* and all other features */
    bool exact_floats;                                     /* 32-bit float controls */
    bool validation_layer, cache_hits;
    bool debug_utils; /* the loader has VK_EXT_debug_utils */
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
    bool stall; /* submissions stay in flight: waits time out, or finish them if endless */

    /* What happened. */
    int objects; /* alive, of all kinds */
    uint32_t submits, memory_allocations;
    uint32_t waits, batches;   /* vkWaitSemaphores; VkSubmitInfo2 */
    const void *submitted[32]; /* command buffers of the latest vkQueueSubmit2 */
    uint32_t submitted_count;
    uint32_t set_layouts, layouts, pipelines, caches; /* ever created */
    const void *pipeline_cache;                       /* of the latest pipeline */
    size_t initial_cache_bytes;                       /* of the latest vkCreatePipelineCache */
    uint32_t queue_family;                            /* of the latest vkCreateDevice */
    uint32_t transfer_family;                         /* of its second queue; UINT32_MAX without */
    const void *queue;                                /* of the latest vkQueueSubmit2 */
    bool names;             /* VK_EXT_debug_utils was enabled, here or by the test's instance */
    uint32_t named;         /* objects that got a name */
    char extensions[256];   /* of the latest vkCreateDevice */
    bool enabled_float16;   /* by the latest vkCreateDevice */
    char descriptors[4096]; /* text of all descriptor writes */
    const char *mistake;    /* the first rule of Vulkan that was broken, NULL = none */
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

/* The bytes of the n-th buffer created, while it lives. */
const unsigned char *mock_buffer_bytes(uint32_t number);

#endif
