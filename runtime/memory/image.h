/* Internal: images as storages, the commands around their layouts, and their packed bytes; views and
 * samplers. See reprise/image.h for what packed bytes are. */
#ifndef RP_RUNTIME_IMAGE_H
#define RP_RUNTIME_IMAGE_H

#include "base/image.h"
#include "memory/storage.h"

VkFormat rp_image_vulkan_format(uint32_t format);
VkImageAspectFlags rp_image_aspect(uint32_t format);

/* The VkImage of a storage that has none yet, unbound: usage and shape are those of the storage. */
rp_status rp_image_create(rp_device *device, rp_storage *storage, rp_diags *diags);
/* The same as Vulkan asks about before anything is made. */
VkImageCreateFlags rp_image_flags(const rp_image_shape *shape);
VkImageType rp_image_type(const rp_image_shape *shape);

/* Stages and accesses on both sides of a barrier. */
typedef struct rp_image_masks {
    VkPipelineStageFlags2 src_stages, dst_stages;
    VkAccessFlags2 src, dst;
} rp_image_masks;

/* A barrier that moves all of an image from one layout to another. */
VkImageMemoryBarrier2 rp_image_barrier(const rp_storage *image, VkImageLayout from,
                                       VkImageLayout to, const rp_image_masks *masks);

/* The subresources of a range of an image's packed bytes, of which a plan or a check before has said
 * that it is some. */
rp_subresources rp_image_part_of(const rp_storage *image, uint64_t offset, uint64_t size);

/* How many of `most` packed bytes from `offset` on are whole rows; `offset` is the start of one. */
uint64_t rp_image_rows(const rp_image_shape *shape, uint64_t offset, uint64_t most);

/* Records the copy of whole rows of packed bytes from a VkBuffer, or to one. */
typedef struct rp_packed_bytes {
    const rp_storage *image;
    uint64_t offset, size; /* of the image's packed bytes */
    VkBuffer buffer;
    uint64_t at; /* in it */
} rp_packed_bytes;
void rp_image_upload(const rp_vk *vk, VkCommandBuffer commands, const rp_packed_bytes *bytes);
void rp_image_download(const rp_vk *vk, VkCommandBuffer commands, const rp_packed_bytes *bytes);

/* Records copies between images mip by mip, a blit of one mip, a clear; all are in GENERAL. */
typedef struct rp_image_side {
    const rp_storage *image;
    rp_subresources part;
} rp_image_side;
void rp_image_copy(const rp_vk *vk, VkCommandBuffer commands, const rp_image_side *from,
                   const rp_image_side *to);
void rp_image_blit(const rp_vk *vk, VkCommandBuffer commands, const rp_image_side *from,
                   const rp_image_side *to, uint32_t filter);
void rp_image_clear(const rp_vk *vk, VkCommandBuffer commands, const rp_image_side *to,
                    const void *texel);

/* ---- views.c --------------------------------------------------------------------------------- */

/* As what a descriptor shows a storage: some of an image, or bytes of a buffer as texels. */
typedef struct rp_view_key {
    VkFormat format;
    uint32_t type; /* VkImageViewType */
    rp_subresources part;
    uint64_t offset, bytes; /* of a buffer: in its VkBuffer */
} rp_view_key;

/* Some of an image through an rp_view, and bytes of a VkBuffer as texels of an rp_image_format. */
rp_view_key rp_view_key_image(const rp_storage *storage, uint32_t view,
                              const rp_subresources *part);
rp_view_key rp_view_key_texels(uint32_t format, uint64_t offset, uint64_t bytes);

/* Equal ones of a storage are one object, which holds the storage while somebody holds it. */
typedef struct rp_view_object {
    struct rp_view_object *next; /* of the storage */
    rp_storage *storage;
    uint32_t holders;
    bool kept; /* it stays as long as the storage, with holders or without */
    rp_view_key key;
    VkImageView image;   /* null of a buffer */
    VkBufferView texels; /* null of an image */
} rp_view_object;

rp_status rp_view_open(rp_storage *storage, const rp_view_key *key, rp_diags *diags,
                       rp_view_object **out);
void rp_view_close(rp_view_object *view);
/* One that nobody closes: it lives as long as the storage, which it does not hold. */
rp_status rp_view_keep(rp_storage *storage, const rp_view_key *key, rp_diags *diags,
                       rp_view_object **out);
/* Those that were kept, with the storage, which nobody holds. */
void rp_views_free(rp_storage *storage);

/* Equal ones of a device are one object. */
typedef struct rp_sampler_object {
    struct rp_sampler_object *next; /* of the device */
    uint32_t holders;
    rp_sampler_info info;
    VkSampler handle;
} rp_sampler_object;

rp_status rp_sampler_open(rp_device *device, const rp_sampler_info *info, rp_diags *diags,
                          rp_sampler_object **out);
void rp_sampler_close(rp_device *device, rp_sampler_object *sampler);

#endif
