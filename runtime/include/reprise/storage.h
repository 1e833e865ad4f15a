/* Storage: device memory with a VkBuffer, an object beside execs.
 *
 * A buffer of a plan lies in a range of a storage. An exec makes storage for what it is not told
 * about; what the application binds (rp_exec_params.bindings, rp_exec_bind) it shares: weights that
 * all execs of all plans read, the result of one plan that is the input of the next, or a VkBuffer
 * that the application draws from.
 *
 * Storage is counted: whoever creates it or retains it releases it once, and an exec holds on to
 * what is bound to it. The memory goes when the last of them is gone. The device outlives it.
 *
 * Threads: all calls may be made from any thread at once.
 */
#ifndef REPRISE_STORAGE_H
#define REPRISE_STORAGE_H

#include "reprise/device.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_storage rp_storage;

/* Zero is the default everywhere but in `size` and `bytes`. */
typedef struct rp_storage_params {
    size_t size;       /* sizeof(rp_storage_params) */
    uint64_t bytes;    /* of the buffer, more than 0 */
    const char *name;  /* in messages and debug tools; NULL: "storage" */
    uint32_t usage;    /* VkBufferUsageFlags beside those that plans need (storage, uniform and
                         * indirect buffer, transfer in both directions): vertex, index, ... Those of
                         * Vulkan 1.2; RP_ERROR_USAGE for others, by name */
    int host_visible;  /* mapped: rp_storage_info.mapped. RP_ERROR_UNSUPPORTED where a device has
                         * no such memory */
    int uninitialised; /* leave the bytes as they are; else they begin as zeros */
    float priority;    /* of staying in device memory when that runs short, above 0 and up to 1;
                        * 0: 0.5. Where the device has VK_EXT_memory_priority */
} rp_storage_params;

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

RP_API rp_status rp_storage_import_buffer(rp_device *device, const rp_storage_import *params,
                                          rp_diags *diags, rp_storage **out_storage);

/* One more holder; returns `storage`. NULL is passed through. */
RP_API rp_storage *rp_storage_retain(rp_storage *storage);
/* One holder less. */
RP_API void rp_storage_release(rp_storage *storage);

typedef struct rp_storage_info {
    size_t size;     /* sizeof(rp_storage_info) of the caller */
    void *buffer;    /* VkBuffer, valid as long as the storage */
    uint64_t offset; /* where the storage begins in it */
    uint64_t bytes;
    void *mapped; /* where the host sees its first byte, coherent; NULL: nowhere */
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

/* The same for one range. */
RP_API rp_status rp_storage_write(rp_storage *storage, uint64_t offset, const void *data,
                                  uint64_t size, rp_diags *diags);
RP_API rp_status rp_storage_read(rp_storage *storage, uint64_t offset, void *data, uint64_t size,
                                 rp_diags *diags);

#ifdef __cplusplus
}
#endif

#endif
