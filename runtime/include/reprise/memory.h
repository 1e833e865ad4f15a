/* Device memory of an application's own allocator, such as VMA.
 *
 * An imported device takes its memory with vkAllocateMemory, or from the application where
 * rp_device_import has `allocate` and `release`. One call is the memory of one VkBuffer or VkImage of
 * the runtime: storages, what execs hold, pieces for copies, live blocks. The runtime binds it,
 * and destroys it before it gives the memory back. Not asked for are memory that other devices are
 * to see (rp_storage_params.exportable), which Vulkan wants told so when it is allocated, and what is
 * imported: memory of a file descriptor, and on software drivers the host's own pages for the time of
 * a transfer.
 *
 * Threads: both are called from any thread that is in a call of the runtime, from several at once,
 * and `release` from whoever lets go last. They are never called between `lock` and `unlock` of a
 * queue, and may use the VkDevice, but the runtime's own locks may be held: they call nothing of
 * Reprise.
 */
#ifndef REPRISE_MEMORY_H
#define REPRISE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What memory is for: symbol, its name in messages. */
#define RP_MEMORY_PURPOSE_LIST(X)                                                                  \
    X(RP_PURPOSE_ARENA, "the arena") /* transients: the GPU alone */                               \
    X(RP_PURPOSE_BUFFERS, "buffers") /* in, out, inout, weight, and the application's own */       \
    X(RP_PURPOSE_VISIBLE, "host-visible buffers") /* the same, mapped */                           \
    X(RP_PURPOSE_LIVE, "live block")              /* mapped, written between replays */            \
    X(RP_PURPOSE_STAGING, "staging")              /* mapped, copied from and to */                 \
    X(RP_PURPOSE_IMAGES, "images")                /* of any kind: the GPU alone */

typedef enum rp_memory_purpose {
#define RP_X(symbol, name) symbol,
    RP_MEMORY_PURPOSE_LIST(RP_X)
#undef RP_X
} rp_memory_purpose;

/* What is asked for; valid during the call. */
typedef struct rp_memory_request {
    size_t size;      /* sizeof(rp_memory_request) of the library: later versions add fields */
    const char *name; /* of the buffer or image, as in messages */
    rp_memory_purpose purpose;
    void *buffer;       /* VkBuffer, not yet bound: for memory of its own; NULL: see `image` */
    uint64_t bytes;     /* at least */
    uint64_t alignment; /* of the offset in the VkDeviceMemory */
    uint32_t type_bits; /* the memory types that will do, as in VkMemoryRequirements.memoryTypeBits;
                         * all of them have required_flags */
    uint32_t required_flags; /* VkMemoryPropertyFlags */
    uint32_t wanted_flags;   /* what is better beside them, where there is such memory */
    float priority;          /* as in rp_storage_params.priority; 0: nothing was said */
    int device_address;      /* allocated with VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT */
    int prefers_dedicated, requires_dedicated; /* as in VkMemoryDedicatedRequirements */
    void *image;                               /* VkImage, not yet bound; NULL: it is a buffer's */
} rp_memory_request;

/* What is given. All but `size` is zero before the call. */
typedef struct rp_memory {
    size_t size;     /* sizeof(rp_memory) of the library; stays */
    void *memory;    /* VkDeviceMemory, not NULL */
    uint64_t offset; /* in it, a multiple of the alignment; 0 where dedicated memory is required */
    uint32_t type;   /* index of the memory type, one of type_bits */
    void *mapped;    /* where the host sees byte `offset`, as long as the memory is held. Must be
                      * there where required_flags have HOST_VISIBLE. Else NULL will do; a pointer
                      * into host-coherent memory spares copies */
    void *token;     /* the application's own: a VmaAllocation */
} rp_memory;

/* Members of rp_device_import. allocate returns a VkResult: VK_SUCCESS, or why not.
 * VK_ERROR_OUT_OF_HOST_MEMORY becomes RP_ERROR_NO_MEMORY, VK_ERROR_DEVICE_LOST RP_ERROR_DEVICE_LOST
 * and anything else RP_ERROR_DEVICE_MEMORY, with a message that says for what and how much. An
 * answer that cannot be right is RP_ERROR_USAGE. What was given with VK_SUCCESS is released exactly
 * once, refused or not. */
typedef int32_t (*rp_memory_allocate)(void *allocator, const rp_memory_request *request,
                                      rp_memory *memory);
typedef void (*rp_memory_release)(void *allocator, const rp_memory *memory);

#ifdef __cplusplus
}
#endif

#endif
