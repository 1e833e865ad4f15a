/* Images: their VkImage, their layouts, and their packed bytes as regions of copies.
 *
 * Every image rests in layout GENERAL: a plan's barriers are global ones, and with one layout they are
 * all that stands between two uses. On current hardware GENERAL costs compute nothing that a layout of
 * its own for each use would save.
 *
 * Packed bytes are in Vulkan's own order: a region of a copy with no row length of its own has texels,
 * rows, slices and layers behind each other in the buffer, with nothing in between. A range of packed
 * bytes is so a few regions, the largest boxes that lie in it: whole layers of a mip, slices, or rows. */
#include "memory/image.h"

VkFormat rp_image_vulkan_format(uint32_t format) {
    switch ((int)format) {
#define RP_X(symbol, code, name, vulkan, ...)                                                      \
    case symbol: return VK_FORMAT_##vulkan;
        RP_IMAGE_FORMAT_LIST(RP_X)
#undef RP_X
    }
    return VK_FORMAT_UNDEFINED;
}

VkImageAspectFlags rp_image_aspect(uint32_t format) {
    return rp_image_is_depth(format) ? VK_IMAGE_ASPECT_DEPTH_BIT : VK_IMAGE_ASPECT_COLOR_BIT;
}

VkImageCreateFlags rp_image_flags(const rp_image_shape *shape) {
    return shape->dim == RP_IMAGE_CUBE ? VK_IMAGE_CREATE_CUBE_COMPATIBLE_BIT : 0;
}

VkImageType rp_image_type(const rp_image_shape *shape) {
    return shape->dim == RP_IMAGE_1D   ? VK_IMAGE_TYPE_1D
           : shape->dim == RP_IMAGE_3D ? VK_IMAGE_TYPE_3D
                                       : VK_IMAGE_TYPE_2D;
}

/* Images are used in the queue of replays alone: packed bytes do not go beside it. */
rp_status rp_image_create(rp_device *device, rp_storage *storage, rp_diags *diags) {
    const rp_image_shape *s = &storage->shape;
    const VkImageCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
        .flags = rp_image_flags(s),
        .imageType = rp_image_type(s),
        .format = rp_image_vulkan_format(s->format),
        .extent = {s->width, s->height, s->depth},
        .mipLevels = s->mips,
        .arrayLayers = s->layers,
        .samples = VK_SAMPLE_COUNT_1_BIT,
        .tiling = VK_IMAGE_TILING_OPTIMAL,
        .usage = storage->usage,
        .sharingMode = VK_SHARING_MODE_EXCLUSIVE,
        .initialLayout = VK_IMAGE_LAYOUT_UNDEFINED,
    };
    RP_TRY(RP_VK(diags, device->vk.CreateImage(device->handle, &info, NULL, &storage->image)));
    rp_device_name(device, VK_OBJECT_TYPE_IMAGE, (uint64_t)storage->image, storage->name);
    return RP_OK;
}

VkImageMemoryBarrier2 rp_image_barrier(const rp_storage *image, VkImageLayout from,
                                       VkImageLayout to, const rp_image_masks *masks) {
    return (VkImageMemoryBarrier2){
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER_2,
        .srcStageMask = masks->src_stages,
        .srcAccessMask = masks->src,
        .dstStageMask = masks->dst_stages,
        .dstAccessMask = masks->dst,
        .oldLayout = from,
        .newLayout = to,
        .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .image = image->image,
        .subresourceRange = {.aspectMask = rp_image_aspect(image->shape.format),
                             .levelCount = VK_REMAINING_MIP_LEVELS,
                             .layerCount = VK_REMAINING_ARRAY_LAYERS},
    };
}

rp_subresources rp_image_part_of(const rp_storage *image, uint64_t offset, uint64_t size) {
    rp_subresources part = {0, image->shape.mips, 0, image->shape.layers};
    (void)rp_image_subresources(&image->shape, offset, size, &part);
    return part;
}

/* ---- Packed bytes ---------------------------------------------------------------------------- */

/* Moves over the largest box of texels that begins at `*offset` and has no more than `most` bytes;
 * false where not even a row of them fits, and behind the last mip. */
static bool next_region(const rp_image_shape *shape, uint64_t *offset, uint64_t most,
                        VkBufferImageCopy *out) {
    uint32_t mip = 0, extent[3];
    uint64_t start = 0, bytes = 0;
    for (; mip < shape->mips; mip++, start += bytes)
        if (!rp_mip_bytes(shape, mip, 1, &bytes) || *offset < start + bytes) break;
    if (mip == shape->mips || bytes == 0) return false;
    rp_image_extent(shape, mip, extent);
    uint64_t layer = rp_layer_bytes(shape, mip), slice = layer / extent[2], row = slice / extent[1];
    uint64_t in = *offset - start, in_layer = in % layer, in_slice = in_layer % slice;
    uint64_t first = in / layer, z = in_layer / slice, y = in_slice / row, taken;
    uint64_t layers = 1, slices = 1, rows = extent[1] - y;
    if (in_layer == 0 && most >= layer) {
        layers = most / layer < shape->layers - first ? most / layer : shape->layers - first;
        slices = extent[2];
        taken = layers * layer;
    } else if (in_slice == 0 && most >= slice) {
        slices = most / slice < extent[2] - z ? most / slice : extent[2] - z;
        taken = slices * slice;
    } else {
        if (most / row < rows) rows = most / row;
        taken = rows * row;
    }
    *offset += taken;
    *out = (VkBufferImageCopy){
        .imageSubresource = {rp_image_aspect(shape->format), mip, (uint32_t)first,
                             (uint32_t)layers},
        .imageOffset = {0, (int32_t)y, (int32_t)z},
        .imageExtent = {extent[0], (uint32_t)rows, (uint32_t)slices},
    };
    return taken > 0;
}

uint64_t rp_image_rows(const rp_image_shape *shape, uint64_t offset, uint64_t most) {
    VkBufferImageCopy region;
    uint64_t at = offset;
    while (next_region(shape, &at, most - (at - offset), &region)) {
    }
    return at - offset;
}

enum { REGIONS = 16 }; /* of one command */

static void record(const rp_vk *vk, VkCommandBuffer commands, const rp_packed_bytes *b,
                   bool upload) {
    const VkImageLayout layout = VK_IMAGE_LAYOUT_GENERAL;
    VkBufferImageCopy regions[REGIONS];
    uint64_t at = b->offset, end = b->offset + b->size;
    for (bool more = true; more;) {
        uint32_t count = 0;
        for (uint64_t from = at; count < REGIONS; count++, from = at) {
            more = at < end && next_region(&b->image->shape, &at, end - at, &regions[count]);
            if (!more) break;
            regions[count].bufferOffset = b->at + (from - b->offset);
        }
        if (count && upload)
            vk->CmdCopyBufferToImage(commands, b->buffer, b->image->image, layout, count, regions);
        else if (count)
            vk->CmdCopyImageToBuffer(commands, b->image->image, layout, b->buffer, count, regions);
    }
}

void rp_image_upload(const rp_vk *vk, VkCommandBuffer commands, const rp_packed_bytes *bytes) {
    record(vk, commands, bytes, true);
}

void rp_image_download(const rp_vk *vk, VkCommandBuffer commands, const rp_packed_bytes *bytes) {
    record(vk, commands, bytes, false);
}

/* ---- Texels ---------------------------------------------------------------------------------- */

/* One mip of a part, all its layers. */
static VkImageSubresourceLayers layers_of(const rp_image_side *s, uint32_t mip) {
    return (VkImageSubresourceLayers){rp_image_aspect(s->image->shape.format),
                                      s->part.first_mip + mip, s->part.first_layer, s->part.layers};
}

void rp_image_copy(const rp_vk *vk, VkCommandBuffer commands, const rp_image_side *from,
                   const rp_image_side *to) {
    for (uint32_t m = 0; m < from->part.mips; m++) {
        uint32_t extent[3];
        rp_image_extent(&from->image->shape, from->part.first_mip + m, extent);
        const VkImageCopy region = {.srcSubresource = layers_of(from, m),
                                    .dstSubresource = layers_of(to, m),
                                    .extent = {extent[0], extent[1], extent[2]}};
        vk->CmdCopyImage(commands, from->image->image, VK_IMAGE_LAYOUT_GENERAL, to->image->image,
                         VK_IMAGE_LAYOUT_GENERAL, 1, &region);
    }
}

void rp_image_blit(const rp_vk *vk, VkCommandBuffer commands, const rp_image_side *from,
                   const rp_image_side *to, uint32_t filter) {
    uint32_t a[3], b[3];
    rp_image_extent(&from->image->shape, from->part.first_mip, a);
    rp_image_extent(&to->image->shape, to->part.first_mip, b);
    const VkImageBlit region = {
        .srcSubresource = layers_of(from, 0),
        .srcOffsets = {{0, 0, 0}, {(int32_t)a[0], (int32_t)a[1], (int32_t)a[2]}},
        .dstSubresource = layers_of(to, 0),
        .dstOffsets = {{0, 0, 0}, {(int32_t)b[0], (int32_t)b[1], (int32_t)b[2]}},
    };
    vk->CmdBlitImage(commands, from->image->image, VK_IMAGE_LAYOUT_GENERAL, to->image->image,
                     VK_IMAGE_LAYOUT_GENERAL, 1, &region, (VkFilter)filter);
}

void rp_image_clear(const rp_vk *vk, VkCommandBuffer commands, const rp_image_side *to,
                    const void *texel) {
    const VkImageLayout layout = VK_IMAGE_LAYOUT_GENERAL;
    const VkImageSubresourceRange range = {rp_image_aspect(to->image->shape.format),
                                           to->part.first_mip, to->part.mips, to->part.first_layer,
                                           to->part.layers};
    VkClearColorValue value;
    memcpy(&value, texel, sizeof value);
    if (!rp_image_is_depth(to->image->shape.format)) {
        vk->CmdClearColorImage(commands, to->image->image, layout, &value, 1, &range);
        return;
    }
    const float asked = value.float32[0]; /* NaN is 0 */
    const VkClearDepthStencilValue depth = {.depth = asked > 1 ? 1 : asked > 0 ? asked : 0};
    vk->CmdClearDepthStencilImage(commands, to->image->image, layout, &depth, 1, &range);
}
