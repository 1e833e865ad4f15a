/* Storage: device memory with a VkBuffer, an object beside execs.
 *
 * A buffer of a plan lies in a range of a storage. An exec makes storage for what it is not told
 * about; what the application binds (rp_exec_params.bindings, rp_exec_bind) it shares: weights that
 * all execs of all plans read, the result of one plan that is the input of the next, or a VkBuffer
 * that the application draws from. An image is a storage of its own, with a VkImage; its bytes are
 * those of the packed form (reprise/image.h), for all functions here.
 *
 * Storage is counted: whoever creates it or retains it releases it once, and an exec holds on to
 * what is bound to it. The memory goes when the last of them is gone. The device outlives it.
 *
 * Threads: all calls may be made from any thread at once.
 */
#ifndef REPRISE_STORAGE_H
#define REPRISE_STORAGE_H

#include "reprise/device.h"
#include "reprise/image.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_storage rp_storage;

/* Zero is the default everywhere but in `size`, and in `bytes` of a buffer.
 *
 * With a shape it is an image: `bytes` is 0 or those of its packed form, `usage` are VkImageUsageFlags
 * beside those of plans (STORAGE, SAMPLED, TRANSFER_SRC and TRANSFER_DST, as far as its format has them
 * on the device): INPUT_ATTACHMENT, and COLOR_ATTACHMENT or of depth DEPTH_STENCIL_ATTACHMENT. It begins
 * as zeros, in layout GENERAL, and is neither host_visible nor exportable nor uninitialised.
 * RP_ERROR_UNSUPPORTED where the device has no such image. */
typedef struct rp_storage_params {
    size_t size;      /* sizeof(rp_storage_params) */
    uint64_t bytes;   /* of the buffer, more than 0 */
    const char *name; /* in messages and debug tools; NULL: "storage" */
    uint32_t
        usage; /* of a buffer VkBufferUsageFlags beside those that plans need (storage, uniform and
                         * indirect buffer, transfer in both directions): vertex, index, ... Those of
                         * Vulkan 1.2; RP_ERROR_USAGE for others, by name */
    int host_visible;     /* mapped: rp_storage_info.mapped. RP_ERROR_UNSUPPORTED where a device has
                         * no such memory */
    int uninitialised;    /* leave the bytes as they are; else they begin as zeros: a submission
                          * that creation waits for, and with it for all that is in the queue */
    float priority;       /* of staying in device memory when that runs short, above 0 and up to 1;
                        * 0: 0.5. Where the device has VK_EXT_memory_priority */
    uint32_t exportable;  /* rp_fd_type bits: for rp_storage_export_fd. RP_ERROR_UNSUPPORTED where
                          * the device cannot, or has not enabled it */
    rp_image_shape image; /* an image; format RP_IMAGE_NONE (0): a buffer */
} rp_storage_params;

/* The caller holds the storage, and releases it. RP_ERROR_DEVICE_MEMORY when there is no room for
 * it. */
RP_API rp_status rp_storage_create(rp_device *device, const rp_storage_params *params,
                                   rp_diags *diags, rp_storage **out_storage);

/* A range of the application's own VkBuffer. The buffer was created with the usage flags
 * STORAGE_BUFFER, UNIFORM_BUFFER, INDIRECT_BUFFER, TRANSFER_SRC and TRANSFER_DST as far as plans
 * and copies use it so (Vulkan cannot be asked; with all five nothing is missing), its memory is
 * bound, and both outlive the storage. */
typedef struct rp_storage_import {
    size_t size;      /* sizeof(rp_storage_import) */
    void *buffer;     /* VkBuffer */
    uint64_t offset;  /* of the storage in it, a multiple of the device's storage alignment */
    uint64_t bytes;   /* of the storage */
    void *mapped;     /* where the host sees byte `offset`, in coherent memory; NULL: it does not */
    const char *name; /* NULL: "imported storage" */
} rp_storage_import;

/* The same of memory that is there already: nothing is allocated, and its bytes stay as they are. */
RP_API rp_status rp_storage_import_buffer(rp_device *device, const rp_storage_import *params,
                                          rp_diags *diags, rp_storage **out_storage);

/* The application's own VkImage, for an image of a plan of kind in, out, inout or weight: bound as a
 * buffer is (rp_exec_params.bindings, rp_exec_bind), with offset 0. Its bytes are those of the packed
 * form (reprise/image.h). The image has one sample, tiling OPTIMAL and sharing mode EXCLUSIVE, and
 * belongs to the device's queue family; for a cube it was created with CUBE_COMPATIBLE. It was created
 * with the usage flags STORAGE and SAMPLED as far as kernels use it so, and TRANSFER_SRC and TRANSFER_DST
 * as far as nodes and the host copy it; its memory is bound, and it outlives the storage.
 *
 * A replay finds it in `before`, uses it in GENERAL and leaves it in `after`; with GENERAL for both it
 * records nothing for that, and the host may copy it. `before` may be UNDEFINED: what it holds is then
 * lost. What the application does with it before a replay and after it is ordered by the application, by
 * semaphores or barriers; a transition counts as an access by all commands. */
typedef struct rp_storage_image {
    size_t size;          /* sizeof(rp_storage_image) */
    void *image;          /* VkImage */
    rp_image_shape shape; /* all of it: format, dimension, extents, mips, layers */
    uint32_t usage;       /* VkImageUsageFlags that it was created with */
    int32_t before;       /* VkImageLayout; 0 is UNDEFINED, 1 GENERAL */
    int32_t after;        /* VkImageLayout, not UNDEFINED and not PREINITIALIZED */
    const char *name;     /* NULL: "imported image" */
} rp_storage_image;
RP_API rp_status rp_storage_import_image(rp_device *device, const rp_storage_image *params,
                                         rp_diags *diags, rp_storage **out_storage);

/* ---- Memory that other devices, processes and APIs see --------------------------------------- */

/* Kinds of file descriptors of memory, with Vulkan's numbers (VkExternalMemoryHandleTypeFlagBits):
 * symbol, number, name, the device extension that is wanted. */
#define RP_FD_TYPE_LIST(X)                                                                         \
    X(RP_FD_OPAQUE, 0x1, "an opaque file descriptor",                                              \
      "VK_KHR_external_memory_fd") /* for the same device and driver, in any process */            \
    X(RP_FD_DMA_BUF, 0x200, "a dma-buf",                                                           \
      "VK_EXT_external_memory_dma_buf") /* for other devices and the rest of the system, too */

typedef enum rp_fd_type {
#define RP_X(symbol, number, name, extension) symbol = number,
    RP_FD_TYPE_LIST(RP_X)
#undef RP_X
} rp_fd_type;

/* A file descriptor of memory and what an importer must know of it. rp_storage_export_fd fills it in,
 * rp_storage_import_fd takes it, in the same process or, when the descriptor was sent over a socket,
 * in another. Of memory from elsewhere the application fills it in; zero is the default of what says
 * so. */
typedef struct rp_storage_fd {
    size_t size;           /* sizeof(rp_storage_fd) */
    int32_t fd;            /* the caller's: export gives a new one, to be closed or imported */
    uint32_t type;         /* one rp_fd_type */
    uint64_t bytes;        /* of the storage, more than 0 */
    uint64_t offset;       /* where its VkBuffer begins in the memory */
    uint64_t memory_bytes; /* of the memory, as it was allocated; 0 for a dma-buf: the file's */
    uint32_t memory_type;  /* index of the memory type it was allocated from; not for a dma-buf */
    uint32_t usage;        /* of the VkBuffer, beside what plans need */
    int32_t dedicated;     /* the memory was allocated for this buffer alone (0: any) */
    int32_t host_visible;  /* to be mapped: rp_storage_info.mapped */
    uint8_t device[16], driver[16]; /* VkPhysicalDeviceIDProperties.deviceUUID and driverUUID, which
                                     * must be the importer's for an opaque one. Zeros: not said */
    const char *name;               /* NULL: "imported memory". Export leaves NULL */
} rp_storage_fd;

/* A new file descriptor of an exportable storage, with close-on-exec; the storage may go before it.
 * On failure out_fd->fd is -1. RP_ERROR_USAGE for a type that it was not created for. */
RP_API rp_status rp_storage_export_fd(rp_storage *storage, rp_fd_type type, rp_diags *diags,
                                      rp_storage_fd *out_fd);

/* A storage on the memory of a file descriptor, with the bytes that are there. On RP_OK the
 * descriptor is the storage's, which closes it; on failure it stays the caller's. What is no memory
 * (a socket, an eventfd, an empty file), or does not agree with what the memory was allocated as, is
 * refused by name as far as it can be seen, with RP_ERROR_USAGE; RP_ERROR_UNSUPPORTED is for what the
 * device cannot import. Two storages of the same memory are not known to be that: bind one of them. */
RP_API rp_status rp_storage_import_fd(rp_device *device, const rp_storage_fd *fd, rp_diags *diags,
                                      rp_storage **out_storage);

/* Who uses such memory takes turns, and Vulkan wants each turn to begin and end with a transfer of
 * ownership. Hand over: what this device wrote becomes visible to the others, which may then use
 * the memory. Take over: the same the other way round; the first one of an imported storage comes
 * before its first use. Each is one submission, and waits for it; what the device's queues do with
 * the storage has been waited for. An application with a VkDevice of its own can do it without a
 * wait, by a VkBufferMemoryBarrier2 to or from VK_QUEUE_FAMILY_EXTERNAL in a command buffer of its
 * own (the VkBuffer is of rp_storage_info), and external semaphores. RP_ERROR_USAGE for a storage
 * that is neither exportable nor imported from a file descriptor. */
RP_API rp_status rp_storage_hand_over(rp_storage *storage, rp_diags *diags);
RP_API rp_status rp_storage_take_over(rp_storage *storage, rp_diags *diags);

/* ---- Holding and asking ---------------------------------------------------------------------- */

/* One more holder; returns `storage`. NULL is passed through. */
RP_API rp_storage *rp_storage_retain(rp_storage *storage);
/* One holder less. NULL is fine. */
RP_API void rp_storage_release(rp_storage *storage);

typedef struct rp_storage_info {
    size_t size;     /* sizeof(rp_storage_info) of the caller */
    void *buffer;    /* VkBuffer, valid as long as the storage */
    uint64_t offset; /* where the storage begins in it */
    uint64_t bytes;
    void *mapped; /* where the host sees its first byte, coherent; NULL: nowhere */
    void *image;  /* VkImage of one that is an image; buffer is then NULL, bytes are packed */
} rp_storage_info;

/* info->size is set by the caller. RP_ERROR_USAGE otherwise, and for NULL. */
RP_API rp_status rp_storage_get_info(const rp_storage *storage, rp_storage_info *info);

/* ---- The host's bytes ------------------------------------------------------------------------ */

typedef struct rp_storage_upload {
    rp_storage *storage;
    uint64_t offset, size; /* in the storage */
    const void *data;
} rp_storage_upload;

typedef struct rp_storage_download {
    rp_storage *storage;
    uint64_t offset, size; /* in the storage */
    void *data;
} rp_storage_download;

/* Zero is the default everywhere but in `size`. */
typedef struct rp_transfer_params {
    size_t size; /* sizeof(rp_transfer_params) */
    const rp_storage_upload *uploads;
    uint32_t upload_count;
    const rp_storage_download *downloads;
    uint32_t download_count;
    /* Is told several times a second how many bytes of how many are on their way, and at the end
     * that all have arrived, on the calling thread. Anything but 0 stops the transfer with
     * RP_ERROR_CANCELLED, and leaves what was copied. NULL: nobody is asked. */
    int (*progress)(void *user, uint64_t done, uint64_t total);
    void *user;
} rp_transfer_params;

/* Copies host bytes into storages, then others out of storages, and waits until that is done. They
 * are not ordered against replays: the caller has waited for those that use the ranges. Ranges are
 * checked; two uploads do not overlap. Memory that the host sees is copied by the host. The rest
 * goes through mapped pieces of 4 MiB: as much as fits into one is one submission and one wait,
 * more is several that overlap, from several host threads where the device was created with an
 * allocator of NULL; they are gone when the call returns. On failure some of the bytes may have
 * been copied. */
RP_API rp_status rp_device_transfer(rp_device *device, const rp_transfer_params *params,
                                    rp_diags *diags);

/* The same for one range: RP_ERROR_USAGE where it does not lie in the storage. */
RP_API rp_status rp_storage_write(rp_storage *storage, uint64_t offset, const void *data,
                                  uint64_t size, rp_diags *diags);
RP_API rp_status rp_storage_read(rp_storage *storage, uint64_t offset, void *data, uint64_t size,
                                 rp_diags *diags);

#ifdef __cplusplus
}
#endif

#endif
