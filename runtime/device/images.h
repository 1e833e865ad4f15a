/* Internal: what a plan asks of the images and buffers that it is replayed with, and whether a device
 * has such. */
#ifndef RP_RUNTIME_DEVICE_IMAGES_H
#define RP_RUNTIME_DEVICE_IMAGES_H

#include "base/image.h"
#include "device/device.h"
#include "plan_records.h"

/* What the uses of a plan's buffer ask for. */
typedef struct rp_want {
    VkFlags usage;      /* VkImageUsageFlags; VkBufferUsageFlags that buffers have not always */
    uint32_t alignment; /* of where a buffer begins in its VkBuffer, where all have less; a power
                         * of 2 */
    bool taken_over;    /* an image whose memory others of its alias set may have: its contents
                         * begin anew in each replay */
} rp_want;

/* By plan buffer; to be released by the caller. `limits` are the device's. */
rp_status rp_wants_create(const rp_allocator *a, const rp_plan *plan,
                          const VkPhysicalDeviceLimits *limits, rp_want **out);

/* The type of a parameter's descriptors. */
VkDescriptorType rp_param_descriptor_type(const rp_plan_param *param);

/* Whether the formats of a plan's images and texels are good on a device for all that is done with them:
 * part of rp_images_check. Buffers of which that is said are 1 in out_wrong. */
rp_status rp_formats_check(const rp_device *device, const rp_plan *plan, const rp_want *wants,
                           rp_diags *diags, uint8_t *out_wrong, uint32_t *errors);

/* Whether all images, texels, samplers and arrays of a plan are possible on a device: part of
 * rp_limits_check. Counts what is not in *errors. */
rp_status rp_images_check(const rp_device *device, const rp_plan *plan, rp_diags *diags,
                          uint32_t *errors);

#endif
