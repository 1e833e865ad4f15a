/* Internal: bytes between the host and ranges of storages, many ranges at a time. */
#ifndef RP_RUNTIME_TRANSFER_H
#define RP_RUNTIME_TRANSFER_H

#include "memory/image.h"

/* Host memory as a VkBuffer, for a driver that copies as fast from there as the host could. */
typedef struct rp_host_memory {
    VkBuffer buffer; /* null: it is not one */
    uint64_t offset; /* of its first byte */
    VkDeviceMemory memory;
} rp_host_memory;

/* Makes one of it, or null where that is of no use or not possible. host.c. */
rp_host_memory rp_host_memory_open(rp_device *device, const void *host, uint64_t size);
void rp_host_memory_close(rp_device *device, rp_host_memory *memory);

/* One range and where its bytes are on the host. */
typedef struct rp_copy {
    const char *name;    /* of the range, in messages */
    rp_storage *storage; /* that it lies in; whoever fills this in holds on to it */
    VkBuffer buffer;
    uint64_t offset, size; /* in the VkBuffer, or behind RP_IMAGE_ORIGIN; size > 0 */
    uint8_t *mapped;       /* where the host sees byte `offset`; NULL: it does not */
    uint8_t *host;         /* of an upload it is only read */
    uint32_t index;        /* of the buffer in a plan; the caller's own business */
    uint64_t at;           /* where the bytes pass through; the same */
    rp_host_memory seen;   /* the host's bytes, as the GPU sees them; rp_transfer's own business */
} rp_copy;

/* The arrays are the call's own: they are reordered. */
typedef struct rp_copies {
    rp_copy *uploads, *downloads;
    uint32_t upload_count, download_count;
    int (*progress)(void *user, uint64_t done, uint64_t total); /* NULL: nobody asks */
    void *user;
} rp_copies;

/* Whether the host can copy what a copy says of an image: whole subresources of one that rests in
 * GENERAL. Anything is fine of a buffer. */
rp_status rp_copy_check_image(const rp_copy *copy, rp_diags *diags);

/* Records a part of a copy, from byte `offset` of it on: from a VkBuffer, or with `upload` unset to it.
 * Of an image the part is whole rows. */
typedef struct rp_copy_part {
    const rp_copy *copy;
    uint64_t offset, size;
    VkBuffer buffer;
    uint64_t at; /* in it */
    bool upload;
} rp_copy_part;
void rp_copy_record(const rp_vk *vk, VkCommandBuffer commands, const rp_copy_part *part);

/* Sorts uploads by place, and refuses two that write to the same bytes. */
rp_status rp_copies_check_uploads(rp_copy *uploads, uint32_t count, rp_diags *diags);

/* Copies uploads, then downloads, and waits until that is done. Nothing that is in flight uses the
 * ranges. Up to RP_PIECE_BYTES are one submission, with one wait. */
rp_status rp_transfer(rp_device *device, const rp_copies *copies, rp_diags *diags);

#endif
