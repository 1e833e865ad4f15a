/* Internal: storages, and how several are allocated at once. */
#ifndef RP_RUNTIME_STORAGE_H
#define RP_RUNTIME_STORAGE_H

#include <stdatomic.h>

#include "device/device.h"
#include "reprise/image.h"
#include "reprise/storage.h"

/* What a storage is for decides the memory type and the usage. */
enum {
#define RP_X(symbol, name) +1
    RP_PURPOSE_COUNT = RP_MEMORY_PURPOSE_LIST(RP_X)
#undef RP_X
};

/* Device memory that several storages lie in, or one alone: memory of the application's allocator, or
 * that other devices see. */
typedef struct rp_block {
    atomic_uint holders;
    VkDeviceMemory handle;
    uint64_t offset; /* of its first byte in it */
    uint8_t *mapped; /* of its first byte */
    uint64_t size;
    uint32_t type;
    float priority;
    bool addressed;          /* shaders reach a buffer in it by device address */
    bool alone;              /* for one storage */
    bool counted;            /* among what the device allocated */
    VkBuffer dedicated;      /* the only buffer that may be bound; null: any */
    VkImage dedicated_image; /* the same of an image */
    bool images;             /* for images: a buffer beside one would have to keep its distance */
    uint32_t exportable;     /* rp_fd_type bits */
    const rp_storage_fd *fd; /* imported from there; valid while it is being allocated */
    rp_memory given;         /* by the application's allocator; given.size 0: it is not */
} rp_block;

struct rp_storage {
    atomic_uint holders;
    uint64_t serial; /* its own for ever: handles and addresses of dead ones come back */
    rp_device *device;
    char *name;
    VkBuffer handle;
    VkBufferUsageFlags usage; /* 0 when imported; of an image VkImageUsageFlags */
    uint64_t offset, size;    /* in the VkBuffer, as asked */
    uint64_t memory_bytes;    /* of the block; 0 when imported */
    rp_memory_purpose purpose;
    uint8_t *mapped;   /* of the first byte; NULL when the host cannot see it */
    rp_block *block;   /* NULL when imported */
    bool imported;     /* the VkBuffer is the application's */
    uint32_t external; /* rp_fd_type bits that others see the memory by; 0: nobody else does */
    bool known;        /* the application has the storage: not an exec alone knows who uses it */
    VkImage image;     /* null: it is a buffer. See RP_IMAGE_ORIGIN */
    rp_image_shape shape;
    VkImageLayout before, after;  /* of an image, around replays: GENERAL but where imported */
    bool shares;                  /* its memory is that of other images of its alias set, too */
    struct rp_view_object *views; /* that are in use; views.c */
};

/* What lies where is compared by VkBuffer and byte. An image has no VkBuffer: its own handle stands
 * there, and its packed bytes are counted from here on, where no VkBuffer has any. */
#define RP_IMAGE_ORIGIN (UINT64_C(1) << 62)

/* What is asked for. */
typedef struct rp_storage_wish {
    rp_memory_purpose purpose;
    VkBufferUsageFlags usage; /* beside that of the purpose; of an image all VkImageUsageFlags */
    uint64_t size;
    const char *name;
    float priority;          /* 0: the usual one */
    uint32_t exportable;     /* rp_fd_type bits: memory of its own that can be exported so */
    const rp_storage_fd *fd; /* memory to be imported; NULL: new memory */
    rp_image_shape shape;    /* of an image; format RP_IMAGE_NONE: a buffer */
    uint64_t alias;          /* images of one number may share memory; 0: with nobody */
} rp_storage_wish;

/* Which memory of a device purposes want. types.c. */
bool rp_memory_choose_type(const rp_adapter *adapter, rp_memory_purpose purpose, uint32_t allowed,
                           uint32_t *out);
/* The flags that any memory for a purpose must have, and those of the best; and which memory types
 * have the former and need no feature that the runtime does not know of. */
void rp_memory_flags(const rp_adapter *adapter, rp_memory_purpose purpose,
                     VkMemoryPropertyFlags *out_required, VkMemoryPropertyFlags *out_wanted);
uint32_t rp_memory_types(const rp_adapter *adapter, VkMemoryPropertyFlags required);
/* 0 stands for the usual priority; RP_ERROR_USAGE outside of 0 to 1. */
rp_status rp_memory_check_priority(float priority, const char *name, rp_diags *diags);

/* RP_ERROR_USAGE for flags that the runtime cannot ask for. storage.c. */
rp_status rp_storage_check_usage(VkBufferUsageFlags usage, const char *name, rp_diags *diags);

/* What the system lets this process use of a heap, and what it uses; false where nobody says. */
bool rp_memory_budget(const rp_device *device, uint32_t heap, uint64_t *out_budget,
                      uint64_t *out_used);

/* Fills are whole words: a buffer is created with so many bytes for `size`, which the plan knows.
 */
static inline uint64_t rp_storage_fill_bytes(uint64_t size) {
    return (size + 3) / 4 * 4;
}

/* A storage of that name with a serial number of its own and one holder, without memory yet: the caller
 * says what it stands for. */
rp_status rp_storage_new(rp_device *device, const char *name, rp_storage **out);

/* A holder more and one less within the library: of an exec, which keeps the device alive itself. The
 * application's holds (rp_storage_retain) are counted by the device. */
rp_storage *rp_storage_hold(rp_storage *storage);
void rp_storage_drop(rp_storage *storage);

/* Allocates out[0..count), all or none, one block of memory for each memory type that is needed,
 * and maps what the host can see. */
rp_status rp_storage_allocate(rp_device *device, const rp_storage_wish *wishes, uint32_t count,
                              rp_diags *diags, rp_storage **out);

/* What Vulkan says of the memory that a buffer or an image wants. */
typedef struct rp_buffer_needs {
    VkMemoryRequirements memory;
    bool prefers_dedicated, requires_dedicated;
} rp_buffer_needs;

/* Asks the application's allocator for a block that is one storage's. hook.c. */
rp_status rp_hook_allocate(rp_device *device, const rp_storage *storage,
                           const rp_storage_wish *wish, const rp_buffer_needs *needs,
                           rp_diags *diags, rp_block *block);

/* Memory that several devices see; external.c. Whether the device can do with a buffer of that usage
 * what the wish asks for: export it, or import it. */
rp_status rp_external_check(const rp_device *device, const rp_storage_wish *wish,
                            VkBufferUsageFlags usage, rp_diags *diags);
/* The memory type, size and buffer of a block that is imported. */
rp_status rp_external_lay_out(rp_device *device, const rp_storage *storage,
                              const rp_buffer_needs *needs, rp_diags *diags, rp_block *block);

/* Records a command buffer, submits it, and waits. once.c. */
rp_status rp_submit_once(rp_device *device,
                         void (*record)(rp_device *, VkCommandBuffer, const void *user),
                         const void *user, rp_diags *diags);

/* Fills storages with zeros, and waits for that; NULL ones are passed over. clear.c. */
rp_status rp_storage_clear(rp_device *device, rp_storage *const *storages, uint32_t count,
                           rp_diags *diags);

#endif
