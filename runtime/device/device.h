/* Internal: devices, and the facts about one that the rest of the runtime asks for. */
#ifndef RP_RUNTIME_DEVICE_H
#define RP_RUNTIME_DEVICE_H

#include <pthread.h>
#include <stdatomic.h>
#include "reprise/runtime.h"
#include "device/counts.h"
#include "device/features.h"
#include "spirv/spirv.h"

/* A Vulkan instance, ours or the application's. */
typedef struct rp_instance {
    rp_vk vk;
    void *library;
    VkInstance handle;
    uint32_t version;  /* of Vulkan that it was created for: VkApplicationInfo.apiVersion */
    uint32_t registry; /* of Vulkan: no younger extension is used; what its layer knows */
    bool owned;
    bool debug_utils; /* VK_EXT_debug_utils is on: labels, names and messages */
} rp_instance;

/* `entry` NULL opens libvulkan.so.1. On failure the instance is closed again. */
rp_status rp_instance_open(rp_instance *instance, void *entry, bool validation, rp_diags *diags);
void rp_instance_close(rp_instance *instance);

#define RP_NO_FAMILY UINT32_MAX

enum { RP_MAX_PRODUCTS = 64 };

/* A physical device with all that is asked of it later. */
typedef struct rp_adapter {
    VkPhysicalDevice handle;
    VkPhysicalDeviceProperties properties;
    VkPhysicalDeviceMemoryProperties memory;
    VkDriverId driver;
    uint64_t max_buffer_size, max_allocation_size;
    uint64_t host_alignment; /* of host memory that it takes as its own; 0: none */
    uint8_t device_uuid[VK_UUID_SIZE], driver_uuid[VK_UUID_SIZE];
    uint32_t extensions;      /* rp_extension bits: present, or core in the version in use */
    uint64_t features;        /* rp_feature bits: of an imported device those that are enabled */
    uint64_t needs;           /* rp_plan_need bits that these serve */
    uint64_t needs_able;      /* those that all of the physical device's could serve */
    uint64_t property_needs;  /* those that are not features: subgroups and floats */
    bool mirror_clamp;        /* samplerMirrorClampToEdge, of a device that is created here */
    bool computes;            /* some queue family does */
    uint32_t queue_family;    /* the one that the runtime submits to */
    uint32_t transfer_family; /* of a second queue, for uploads; RP_NO_FAMILY: there is none */
    uint32_t timestamp_bits;  /* of that family; 0 = no timestamps */
    uint32_t version;         /* of Vulkan in use: the lesser of the instance's and the device's */
    bool vulkan_1_3;          /* of that version: the one predicate for what is core in 1.3 */
    rp_spirv_product products[RP_MAX_PRODUCTS]; /* of cooperative matrices in subgroups */
    uint32_t product_count;
    rp_device_info info;
} rp_adapter;

/* Reads the products of cooperative matrices that a physical device can do, if it has any: where it
 * has none, it has no such feature. matrices.c. */
rp_status rp_adapter_read_products(const rp_vk *vk, const rp_allocator *a, rp_diags *diags,
                                   rp_adapter *adapter);
/* Whether a kernel can have subgroups of that size; of 0: of any. */
static inline bool rp_adapter_has_subgroup(const rp_adapter *adapter, uint32_t size) {
    return size == 0 ||
           (adapter->info.subgroup_least <= size && size <= adapter->info.subgroup_most);
}
/* A product that the module's code has and the device cannot do; NULL for none. */
const rp_spirv_product *rp_adapter_missing_product(const rp_adapter *adapter,
                                                   const rp_spirv_reader *module);
/* Reads one physical device of an instance. It being unsuitable is not an error: see info.missing.
 */
rp_status rp_adapter_read(const rp_instance *instance, const rp_allocator *a,
                          VkPhysicalDevice handle, rp_diags *diags, rp_adapter *out);
/* Makes the adapter that of a device which was created with these extensions and features alone. */
void rp_adapter_limit(rp_adapter *adapter, uint32_t extensions, uint64_t features);
/* Takes the facts of another queue family; false when it cannot compute. */
bool rp_adapter_set_family(const rp_vk *vk, rp_adapter *adapter, uint32_t family);
/* The same for that of the transfer queue; false when it cannot copy. */
bool rp_adapter_set_transfer_family(const rp_vk *vk, rp_adapter *adapter, uint32_t family);
/* Chooses families for a device with some queue family that computes: bits of rp_queues. */
void rp_adapter_choose_families(const rp_vk *vk, rp_adapter *adapter, uint32_t queues);

/* All physical devices, in the system's order; to be released by the caller. */
rp_status rp_adapters_list(const rp_instance *instance, const rp_allocator *a, rp_diags *diags,
                           rp_adapter **out_adapters, uint32_t *out_count);
/* The index of the device to use. `select` as in rp_device_params. */
rp_status rp_adapters_choose(const rp_adapter *adapters, uint32_t count, const char *select,
                             rp_diags *diags, uint32_t *out_index);

/* What validation layers said, from any thread. */
typedef struct rp_messages {
    VkDebugUtilsMessengerEXT messenger;
    pthread_mutex_t mutex;
    rp_diags *kept;
    uint32_t count;
} rp_messages;

rp_status rp_messages_open(rp_messages *messages, const rp_instance *instance,
                           const rp_allocator *a, rp_diags *diags);
void rp_messages_close(rp_messages *messages, const rp_instance *instance);

/* Layouts and pipelines that all execs share: pipeline/pipeline.h. */
typedef struct rp_store rp_store;

/* What is made on a device and keeps it alive: symbol, one and several of it in messages. */
#define RP_OBJECT_LIST(X)                                                                          \
    X(RP_OBJECT_EXEC, "exec", "execs")                                                             \
    X(RP_OBJECT_STORAGE, "storage", "storages")                                                    \
    X(RP_OBJECT_ENCODER, "encoder (or rp_direct)", "encoders (or rp_direct)")                      \
    X(RP_OBJECT_PREPARATION, "preparation", "preparations")

typedef enum rp_object {
#define RP_X(symbol, one, several) symbol,
    RP_OBJECT_LIST(RP_X)
#undef RP_X
        RP_OBJECT_COUNT
} rp_object;

struct rp_device {
    rp_allocator allocator;
    rp_instance instance;
    rp_adapter adapter;
    rp_vk vk; /* the instance's table and the device's functions */
    VkDevice handle;
    VkQueue queue;
    VkQueue transfer_queue; /* for uploads beside replays; `queue` itself where there is no other */
    uint32_t transfer_family;
    bool owned;                            /* the VkDevice is ours */
    uint32_t quirks;                       /* rp_quirk bits */
    void (*lock)(void *user, void *queue); /* the application's; NULL: the mutexes */
    void (*unlock)(void *user, void *queue);
    void *user;
    rp_memory_allocate allocate_memory; /* the application's; NULL: vkAllocateMemory */
    rp_memory_release release_memory;
    void *memory_allocator;
    pthread_mutex_t mutex, transfer_mutex; /* around submissions to each queue */
    bool validation;
    rp_messages messages;
    struct rp_ring
        *rings[2]; /* of replays, of uploads; NULL until bytes go through; memory/ring.c */
    pthread_mutex_t ring_mutex;
    struct rp_links *links; /* NULL until execs of one submission share memory; exec/links.c */
    pthread_mutex_t links_mutex;
    struct rp_sampler_object *samplers; /* that are in use; memory/views.c */
    pthread_mutex_t views_mutex;        /* around them, and around the views of all storages */
    struct rp_exec *execs;              /* all that there are; exec/counters.c */
    pthread_mutex_t execs_mutex;
    rp_counts counts;
    rp_store *store;
    atomic_uint alive[RP_OBJECT_COUNT]; /* objects made on the device, by kind */
    VkPipelineCache pipeline_cache;     /* the application's; null: none */
};

/* Count an object of the device in and out, from any thread. Counted out, it no longer touches the
 * device, which may then be gone. */
void rp_device_retain(rp_device *device, rp_object kind);
void rp_device_release(rp_device *device, rp_object kind);

/* Wraps an application's device, which `params` has. import.c. */
rp_status rp_device_wrap(rp_device *device, const rp_device_params *params, rp_diags *diags);
/* VK_NULL_HANDLE: there is one queue for all. */
void rp_device_set_transfer_queue(rp_device *device, VkQueue queue);

/* One call of vkQueueSubmit2 under the queue's lock: to the queue of replays, or to the one for
 * uploads. */
VkResult rp_queue_submit(rp_device *device, uint32_t count, const VkSubmitInfo2 *submits);
VkResult rp_transfer_queue_submit(rp_device *device, uint32_t count, const VkSubmitInfo2 *submits);
/* The same for one command buffer, in the queue for uploads if it goes beside replays, and a timeline
 * that it brings to a value when it is done. */
VkResult rp_commands_submit(rp_device *device, bool beside, VkCommandBuffer commands,
                            VkSemaphore timeline, uint64_t value);

/* Called before a timeline semaphore is destroyed that batches waited for and all have signalled: what
 * the driver's quirks ask for. */
void rp_queues_settle(rp_device *device);

/* The queue families that a buffer is shared between when both queues reach it, and how many: with 1
 * it is exclusive, with 2 it is created with VK_SHARING_MODE_CONCURRENT. */
uint32_t rp_device_families(const rp_device *device, uint32_t out[2]);

/* A timeline semaphore that begins at 0. */
rp_status rp_timeline_create(rp_device *device, rp_diags *diags, VkSemaphore *out);

/* A command pool of a queue family, and `count` primary command buffers of it. On failure the pool
 * may be there, to be destroyed by the caller. */
rp_status rp_commands_create(rp_device *device, uint32_t family, VkCommandPoolCreateFlags flags,
                             uint32_t count, rp_diags *diags, VkCommandPool *out_pool,
                             VkCommandBuffer *out_commands);

/* Names an object for validation messages and debug tools; does nothing without VK_EXT_debug_utils.
 */
void rp_device_name(rp_device *device, VkObjectType type, uint64_t handle, const char *name);

/* Whether a plan fits the device: names every kernel, node or buffer that does not. limits.c. */
rp_status rp_limits_check(const rp_device *device, const rp_plan *plan, rp_diags *diags);

/* The bits of a timestamp that count. */
static inline uint64_t rp_device_ticks(const rp_device *device, uint64_t ticks) {
    uint32_t bits = device->adapter.timestamp_bits;
    return bits >= 64 ? ticks : ticks & ((UINT64_C(1) << bits) - 1);
}

#endif
