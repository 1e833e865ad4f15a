/* Internal: bytes between the host and memory it cannot see. One staging buffer for each device,
 * made when it is first needed; any thread. */
#ifndef RP_RUNTIME_STAGING_H
#define RP_RUNTIME_STAGING_H

#include "memory/storage.h"

/* Write and read any size, in pieces, and wait until that is done. */
rp_status rp_staging_write(rp_device *device, VkBuffer target, uint64_t offset, const void *data,
                           uint64_t size, rp_diags *diags);
rp_status rp_staging_read(rp_device *device, VkBuffer source, uint64_t offset, void *data,
                          uint64_t size, rp_diags *diags);
/* Frees the device's staging buffer, if it has one. */
void rp_staging_free(rp_device *device);

#endif
