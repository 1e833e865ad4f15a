/* What the handles of the fake driver point to. */
#ifndef RP_MOCK_OBJECTS_H
#define RP_MOCK_OBJECTS_H

#include <stddef.h>
#include "mock_vulkan.h"
#include "reprise/types.h"

typedef enum mock_kind {
    MOCK_DEAD,
    MOCK_INSTANCE,
    MOCK_DEVICE,
    MOCK_MEMORY,
    MOCK_BUFFER,
    MOCK_DESCRIPTOR_POOL,
    MOCK_DESCRIPTOR_SET,
    MOCK_SET_LAYOUT,
    MOCK_LAYOUT,
    MOCK_MODULE,
    MOCK_PIPELINE,
    MOCK_CACHE,
    MOCK_QUERY_POOL,
    MOCK_SEMAPHORE,
    MOCK_COMMAND_POOL,
    MOCK_COMMAND_BUFFER,
    MOCK_MESSENGER,
    MOCK_IMAGE,
    MOCK_VIEW,
    MOCK_SAMPLER,
} mock_kind;

typedef struct mock_object {
    mock_kind kind;
    uint32_t number; /* in the order of creation, by kind where tests print it */
} mock_object;

typedef struct mock_memory {
    mock_kind kind;
    uint64_t size;
    unsigned char *data;
    bool visible, addressed;
    bool foreign; /* data is not ours to free */
    uint32_t type;
    uint32_t handle_types; /* exported or imported as */
    const void *dedicated; /* the only buffer for it; NULL: any */
    int fd;                /* with handle_types: the file that the data is */
    uint64_t file_bytes;
} mock_memory;

/* Memory that file descriptors are of: mock_external.c. */
VkResult mock_external_allocate(mock_memory *memory, const VkMemoryAllocateInfo *info);
void mock_external_free(mock_memory *memory);
bool mock_has_extension(const char *name);
/* A structure of that type in a chain, or NULL. */
const void *mock_find(const void *chain, VkStructureType type);

/* The last batch that uses something: until it is done, that is in flight. 0: none. */
typedef uint64_t mock_use;

typedef struct mock_buffer {
    mock_kind kind;
    uint32_t number;
    uint64_t size, offset;
    mock_memory *memory;
    mock_use use;
    VkBufferUsageFlags usage;
    uint32_t handle_types; /* of external memory that it may lie in */
    bool staging; /* for copies alone: the host writes it anew when the GPU is done with it */
    bool concurrent;
    uint32_t family; /* that used it, and one; 0: none yet */
} mock_buffer;

/* Memory of an image is its packed bytes. */
typedef struct mock_image {
    mock_buffer memory; /* first: an access of it is one of these bytes */
    VkExtent3D extent;
    VkFormat format;
    uint32_t mips, layers, texel; /* bytes */
    uint32_t views;               /* that there are */
    VkImageLayout layout;         /* of all of it, behind what was submitted */
} mock_image;

typedef struct mock_view {
    mock_kind kind;
    uint32_t number;
    mock_use use;
    mock_buffer *of;
    mock_image *image; /* NULL: of a buffer */
    uint64_t lo, hi;   /* bytes */
} mock_view;

uint64_t mock_image_offset(const mock_image *image, uint32_t mip, uint32_t layer);
void mock_image_know(mock_image *image);
void mock_image_forget(const mock_image *image);
const mock_image *mock_image_of(uint32_t number);
/* While commands run. */
void mock_image_transition(mock_image *image, VkImageLayout from, VkImageLayout to);
void mock_image_use(const mock_image *image);

enum { MOCK_TYPES = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER + 1 }; /* of descriptors */

typedef struct mock_set_layout {
    mock_kind kind;
    uint32_t of[MOCK_TYPES]; /* descriptors */
} mock_set_layout;

enum { MOCK_PAGE = 4096 }; /* of host memory that is imported */

enum { MOCK_BINDINGS = 16 }; /* of a set, that races are looked for in */

typedef struct mock_set {
    mock_kind kind;
    uint32_t number;
    mock_use use;
    VkDescriptorBufferInfo bindings[MOCK_BINDINGS];
    mock_view *views[MOCK_BINDINGS]; /* instead of those */
} mock_set;

typedef struct mock_pool { /* of descriptors or of commands */
    mock_kind kind;
    void **children;
    uint32_t count;
    uint32_t sets_left, left[MOCK_TYPES];
    uint32_t family; /* of commands */
} mock_pool;

/* What a kernel does with a binding: plan.c writes it into the module. */
typedef struct mock_param {
    uint8_t set, binding, access; /* rp_access */
} mock_param;

enum { MOCK_PARAMS = 32, MOCK_PARAMS_OPCODE = 7 };

typedef struct mock_module {
    mock_kind kind;
    uint32_t number;
    uint32_t param_count;
    mock_param params[MOCK_PARAMS];
} mock_module;

typedef mock_module mock_pipeline;

typedef struct mock_semaphore {
    mock_kind kind;
    uint32_t number;
    bool binary;
    uint64_t value, pending; /* binary: 1 signalled */
} mock_semaphore;

/* ---- Accesses and barriers, as far as they matter for races: mock_races.c -------------------- */

/* A bit for each access of a stage. */
enum {
    MOCK_INDIRECT_R = 1,
    MOCK_COMPUTE_U = 2,
    MOCK_COMPUTE_R = 4,
    MOCK_COMPUTE_W = 8,
    MOCK_TRANSFER_R = 16,
    MOCK_TRANSFER_W = 32,
    MOCK_HOST_R = 64,
    MOCK_COMPUTE_S = 128,
};

typedef struct mock_op {
    mock_buffer *buffer; /* NULL: a barrier */
    mock_set *set;       /* through which it is bound; NULL: directly */
    mock_view *view;     /* the same */
    uint64_t lo, hi;
    uint32_t scopes;  /* of the access */
    uint32_t command; /* its number in the command buffer */
    VkMemoryBarrier2 barrier;
    bool transition; /* `barrier` is that of a change of layout, which writes to the bytes */
} mock_op;

/* `command`: counted over all that is submitted. */
void mock_race_op(const mock_op *op, uint64_t batch, uint64_t command, const void *queue);
/* A wait for what a batch has signalled behind those stages. */
typedef struct mock_race_signal {
    uint64_t batch, stages;
    const void *queue;
} mock_race_signal;
void mock_race_wait(const mock_race_signal *signal, uint64_t wait_stages, const void *wait_queue);
/* The host knows that a batch is done, and all before it in the queue. */
void mock_race_done(uint64_t batch, const void *queue);
void mock_race_forget(const mock_memory *memory); /* NULL: everything */

/* Next numbers; mock_reset sets them to zero. */
extern struct mock_numbers {
    uint32_t buffers, sets, pipelines, other, semaphores, images, views, samplers;
} mock_numbers;

void mock_wrong(const char *rule);
/* Counts one up, from any thread; returns what it was. */
uint32_t mock_count(uint32_t *counter);
/* The version of Vulkan in use: the lesser of the instance's and the device's. */
uint32_t mock_version(void);
/* Counts a call; true when it is the one to fail. */
bool mock_fails(const char *call);
void *mock_new(mock_kind kind, size_t size);
void mock_delete(void *handle, mock_kind kind);
/* Runs the transfers of a command buffer, which is in flight for the time of `use`. */
void mock_execute(VkCommandBuffer commands, VkQueue queue, mock_use use);
bool mock_in_flight(mock_use use);
void mock_queue_reset(void);

/* Every function that the runtime knows. */
#define MOCK_DECLARE(name) extern __typeof__(*(PFN_vk##name)0) mock_##name;
#define RP_VK_GLOBAL MOCK_DECLARE
#define RP_VK_INSTANCE MOCK_DECLARE
#define RP_VK_INSTANCE_OPTIONAL MOCK_DECLARE
#define RP_VK_DEVICE MOCK_DECLARE
#define RP_VK_DEVICE_KHR MOCK_DECLARE
#define RP_VK_DEVICE_OPTIONAL MOCK_DECLARE
#include "driver/functions.def"

#endif
