/* Internal: bytes between the host and ranges of storages, many ranges at a time. */
#ifndef RP_RUNTIME_TRANSFER_H
#define RP_RUNTIME_TRANSFER_H

#include "memory/storage.h"

/* One range and where its bytes are on the host. */
typedef struct rp_copy {
    const char *name;    /* of the range, in messages */
    rp_storage *storage; /* that it lies in; whoever fills this in holds on to it */
    VkBuffer buffer;
    uint64_t offset, size; /* in the VkBuffer; size > 0 */
    uint8_t *mapped;       /* where the host sees byte `offset`; NULL: it does not */
    uint8_t *host;         /* of an upload it is only read */
    uint32_t index;        /* of the buffer in a plan; the caller's own business */
    uint64_t at;           /* where the bytes pass through; the same */
} rp_copy;

/* The arrays are the call's own: they are reordered. */
typedef struct rp_copies {
    rp_copy *uploads, *downloads;
    uint32_t upload_count, download_count;
    int (*progress)(void *user, uint64_t done, uint64_t total); /* NULL: nobody asks */
    void *user;
} rp_copies;

/* Sorts uploads by place, and refuses two that write to the same bytes. */
rp_status rp_copies_check_uploads(rp_copy *uploads, uint32_t count, rp_diags *diags);

/* Copies uploads, then downloads, and waits until that is done. Nothing that is in flight uses the
 * ranges. Up to RP_PIECE_BYTES are one submission, with one wait. */
rp_status rp_transfer(rp_device *device, const rp_copies *copies, rp_diags *diags);

#endif
