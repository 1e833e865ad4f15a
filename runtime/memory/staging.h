/* Internal: bytes between the host and memory it cannot see. */
#ifndef RP_RUNTIME_STAGING_H
#define RP_RUNTIME_STAGING_H

#include "memory/memory.h"

enum { RP_STAGING_SLOTS = 2 };

typedef struct rp_staging {
    rp_device *device;
    rp_memory memory; /* one buffer, in RP_STAGING_SLOTS equal parts */
    uint64_t slot_bytes;
    VkCommandPool pool;
    VkCommandBuffer commands[RP_STAGING_SLOTS];
    VkSemaphore timeline;
    uint64_t submitted;                    /* value of the timeline after the last submission */
    uint64_t used_until[RP_STAGING_SLOTS]; /* timeline value at which the slot is free */
} rp_staging;

/* For buffers of at most `largest` bytes. Writing and reading take any size, in pieces. */
rp_status rp_staging_create(rp_staging *staging, rp_device *device, uint64_t largest,
                            rp_diags *diags);
rp_status rp_staging_write(rp_staging *staging, VkBuffer target, uint64_t offset, const void *data,
                           uint64_t size, rp_diags *diags);
rp_status rp_staging_read(rp_staging *staging, VkBuffer source, uint64_t offset, void *data,
                          uint64_t size, rp_diags *diags);
void rp_staging_free(rp_staging *staging);

#endif
