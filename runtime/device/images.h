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

/* What a device says of a format: of images, or of texels in buffers. */
VkFormatFeatureFlags2 rp_format_features(const rp_device *device, uint32_t format, bool texels);
/* Whether a format is for all that is wanted of it. How many messages it said: 0, it is. */
typedef struct rp_format_asked {
    const char *place, *name; /* "n3: ", or ""; what is of that format */
    uint32_t format;
    bool texels;
    VkFormatFeatureFlags2 wanted;
    const char *sampler; /* that wants it; NULL: none, or one without a name */
} rp_format_asked;
uint32_t rp_format_check(const rp_device *device, const rp_format_asked *asked, rp_diags *diags);

/* What a sampler wants of the formats that are read through it. */
VkFormatFeatureFlags2 rp_sampler_wants(const rp_sampler_info *info);
/* What a shader wants of a storage image or of texels whose format it leaves open. */
VkFormatFeatureFlags2 rp_undeclared_wants(bool reads, bool writes);

/* What an image of a format can be used as by plans and encoders: VkImageUsageFlags of storage, sampled,
 * and transfers both ways. */
VkFlags rp_image_usage(const rp_device *device, uint32_t format);
/* The same question of an image of a shape for a usage, and of a sampler. */
uint32_t rp_image_check(const rp_device *device, const char *name, const rp_image_shape *shape,
                        VkFlags usage, rp_diags *diags);
/* The same of a kernel's parameters: how many descriptors of each type it has. Plain kernels, of single
 * buffers, are no business of this. */
uint32_t rp_bindings_check(const rp_device *device, const char *name, const rp_plan_param *params,
                           uint32_t count, rp_diags *diags);
/* The same of bytes of a VkBuffer, from `offset` on, seen as texels of a format that is for that; `what`
 * and `name` begin the messages. */
typedef struct rp_texels_asked {
    const char *what, *name; /* "n3 sees", "t" */
    uint32_t format;
    uint64_t offset, size;
} rp_texels_asked;
uint32_t rp_texels_check(const rp_device *device, const rp_texels_asked *asked, rp_diags *diags);
uint32_t rp_sampler_check(const rp_device *device, const char *name, const rp_sampler_info *info,
                          rp_diags *diags);

/* Whether all images, texels, samplers and arrays of a plan are possible on a device: part of
 * rp_limits_check. Counts what is not in *errors. */
rp_status rp_images_check(const rp_device *device, const rp_plan *plan, rp_diags *diags,
                          uint32_t *errors);

/* Whether a device has the features behind RP_NEED_IMAGE_EXTRAS that a plan's kernels use: part of
 * rp_limits_check. Counts what is not in *errors. */
void rp_extras_check(const rp_device *device, const rp_plan *plan, rp_diags *diags,
                     uint32_t *errors);

#endif
