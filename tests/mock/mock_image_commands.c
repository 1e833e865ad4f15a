/* The fake driver's commands on images. */
#include "mock_recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mock_change_layout(VkCommandBuffer commands, const VkImageMemoryBarrier2 *b) {
    mock_image *image = (mock_image *)b->image;
    char src[160], dst[160];
    const VkImageSubresourceRange *r = &b->subresourceRange;
    if (r->baseMipLevel || r->baseArrayLayer || r->levelCount != VK_REMAINING_MIP_LEVELS ||
        r->layerCount != VK_REMAINING_ARRAY_LAYERS)
        mock_wrong("a whole image is expected to change its layout");
    mock_append_effect(commands, "image i%u %d -> %d %s -> %s\n", image->memory.number,
                       b->oldLayout, b->newLayout,
                       mock_mask_text(b->srcStageMask, b->srcAccessMask, src),
                       mock_mask_text(b->dstStageMask, b->dstAccessMask, dst));
    mock_add_op(commands, (mock_op){.buffer = &image->memory,
                                    .hi = image->memory.size,
                                    .barrier = {.srcStageMask = b->srcStageMask,
                                                .srcAccessMask = b->srcAccessMask,
                                                .dstStageMask = b->dstStageMask,
                                                .dstAccessMask = b->dstAccessMask},
                                    .transition = true});
    mock_transfer *t = mock_add_transfer(commands);
    t->image = image;
    t->transition = true;
    t->before = b->oldLayout;
    t->after = b->newLayout;
}

static uint64_t row_bytes(const mock_image *image, uint32_t mip) {
    uint32_t width = image->extent.width >> mip;
    return (uint64_t)image->texel * (width ? width : 1);
}

static uint32_t height_of(const mock_image *image, uint32_t mip) {
    uint32_t height = image->extent.height >> mip;
    return height ? height : 1;
}

/* An aspect is that of the format. */
static void check_aspect(const mock_image *image, VkImageAspectFlags aspect) {
    bool depth = image->format == VK_FORMAT_D32_SFLOAT;
    if (aspect != (depth ? VK_IMAGE_ASPECT_DEPTH_BIT : VK_IMAGE_ASPECT_COLOR_BIT))
        mock_wrong("an aspect that the image does not have");
}

/* Packed bytes of an image to or from a buffer, region by region: whole rows are expected. */
static void copy_packed(VkCommandBuffer commands, VkImage handle, VkBuffer buffer, bool upload,
                        VkImageLayout layout, uint32_t count, const VkBufferImageCopy *regions) {
    mock_image *image = (mock_image *)handle;
    ((mock_command_buffer *)commands)->commands++;
    if (layout != VK_IMAGE_LAYOUT_GENERAL) mock_wrong("an image is copied in another layout");
    for (uint32_t i = 0; i < count; i++) {
        const VkBufferImageCopy *r = &regions[i];
        const VkImageSubresourceLayers *s = &r->imageSubresource;
        uint64_t row = row_bytes(image, s->mipLevel);
        check_aspect(image, s->aspectMask);
        uint64_t offset = mock_image_offset(image, s->mipLevel, s->baseArrayLayer) +
                          ((uint64_t)r->imageOffset.z * height_of(image, s->mipLevel) +
                           (uint64_t)r->imageOffset.y) *
                              row;
        uint64_t size = row * r->imageExtent.height * r->imageExtent.depth * s->layerCount;
        if (r->imageOffset.x || r->imageExtent.width * image->texel != row || r->bufferRowLength ||
            r->bufferImageHeight || r->bufferOffset % image->texel)
            mock_wrong("a copy of an image that is no rows, or misplaced");
        mock_append_effect(commands, "%s i%u+%llu b%u+%llu %llu\n", upload ? "upload" : "download",
                           image->memory.number, (unsigned long long)offset,
                           ((mock_buffer *)buffer)->number, (unsigned long long)r->bufferOffset,
                           (unsigned long long)size);
        mock_add_range(commands, upload ? buffer : (VkBuffer)handle,
                       upload ? r->bufferOffset : offset, size, MOCK_TRANSFER_R);
        mock_add_range(commands, upload ? (VkBuffer)handle : buffer,
                       upload ? offset : r->bufferOffset, size, MOCK_TRANSFER_W);
        mock_transfer *t = mock_add_transfer(commands);
        t->from = upload ? (mock_buffer *)buffer : &image->memory;
        t->to = upload ? &image->memory : (mock_buffer *)buffer;
        t->from_offset = upload ? r->bufferOffset : offset;
        t->to_offset = upload ? offset : r->bufferOffset;
        t->size = size;
        t->image = image;
    }
}

void VKAPI_CALL mock_CmdCopyBufferToImage(VkCommandBuffer commands, VkBuffer from, VkImage to,
                                          VkImageLayout layout, uint32_t count,
                                          const VkBufferImageCopy *regions) {
    copy_packed(commands, to, from, true, layout, count, regions);
}

void VKAPI_CALL mock_CmdCopyImageToBuffer(VkCommandBuffer commands, VkImage from,
                                          VkImageLayout layout, VkBuffer to, uint32_t count,
                                          const VkBufferImageCopy *regions) {
    copy_packed(commands, from, to, false, layout, count, regions);
}

/* Bytes of the layers that a region names, in all of a mip. */
static uint64_t layers_bytes(const mock_image *image, const VkImageSubresourceLayers *s) {
    return mock_image_offset(image, s->mipLevel, s->baseArrayLayer + s->layerCount) -
           mock_image_offset(image, s->mipLevel, s->baseArrayLayer);
}

static void between(VkCommandBuffer commands, const char *what, VkImage from, VkImage to,
                    const VkImageSubresourceLayers *a, const VkImageSubresourceLayers *b) {
    mock_image *x = (mock_image *)from, *y = (mock_image *)to;
    uint64_t at = mock_image_offset(x, a->mipLevel, a->baseArrayLayer), size = layers_bytes(x, a);
    uint64_t to_at = mock_image_offset(y, b->mipLevel, b->baseArrayLayer);
    uint64_t to_size = layers_bytes(y, b);
    check_aspect(x, a->aspectMask);
    check_aspect(y, b->aspectMask);
    char scaled[32] = "";
    if (size != to_size) snprintf(scaled, sizeof scaled, " from %llu", (unsigned long long)size);
    mock_append_effect(commands, "%s i%u+%llu i%u+%llu %llu%s\n", what, x->memory.number,
                       (unsigned long long)at, y->memory.number, (unsigned long long)to_at,
                       (unsigned long long)to_size, scaled);
    mock_add_range(commands, (VkBuffer)from, at, size, MOCK_TRANSFER_R);
    mock_add_range(commands, (VkBuffer)to, to_at, to_size, MOCK_TRANSFER_W);
    mock_add_transfer(commands)->image = x;
    mock_transfer *t = mock_add_transfer(commands); /* scaled to the same size, that is a copy */
    t->from = &x->memory;
    t->to = &y->memory;
    t->from_offset = at;
    t->to_offset = to_at;
    t->size = size < to_size ? size : to_size;
    t->image = y;
}

void VKAPI_CALL mock_CmdCopyImage(VkCommandBuffer commands, VkImage from, VkImageLayout from_layout,
                                  VkImage to, VkImageLayout to_layout, uint32_t count,
                                  const VkImageCopy *regions) {
    (void)from_layout, (void)to_layout;
    ((mock_command_buffer *)commands)->commands++;
    for (uint32_t i = 0; i < count; i++)
        between(commands, "copy", from, to, &regions[i].srcSubresource, &regions[i].dstSubresource);
}

void VKAPI_CALL mock_CmdBlitImage(VkCommandBuffer commands, VkImage from, VkImageLayout from_layout,
                                  VkImage to, VkImageLayout to_layout, uint32_t count,
                                  const VkImageBlit *regions, VkFilter filter) {
    (void)from_layout, (void)to_layout;
    ((mock_command_buffer *)commands)->commands++;
    for (uint32_t i = 0; i < count; i++)
        between(commands, filter == VK_FILTER_LINEAR ? "blit linear" : "blit nearest", from, to,
                &regions[i].srcSubresource, &regions[i].dstSubresource);
}

static void clear(VkCommandBuffer commands, VkImage handle, const uint32_t value[4], uint32_t count,
                  const VkImageSubresourceRange *ranges) {
    mock_image *image = (mock_image *)handle;
    ((mock_command_buffer *)commands)->commands++;
    for (uint32_t i = 0; i < count; i++) {
        const VkImageSubresourceRange *r = &ranges[i];
        check_aspect(image, r->aspectMask);
        uint32_t mips = r->levelCount == VK_REMAINING_MIP_LEVELS ? image->mips - r->baseMipLevel
                                                                 : r->levelCount;
        uint32_t layers = r->layerCount == VK_REMAINING_ARRAY_LAYERS
                              ? image->layers - r->baseArrayLayer
                              : r->layerCount;
        for (uint32_t m = r->baseMipLevel; m < r->baseMipLevel + mips; m++) {
            uint64_t at = mock_image_offset(image, m, r->baseArrayLayer);
            uint64_t size = mock_image_offset(image, m, r->baseArrayLayer + layers) - at;
            mock_append_effect(commands, "clear i%u+%llu %llu %08x\n", image->memory.number,
                               (unsigned long long)at, (unsigned long long)size, value[0]);
            mock_add_range(commands, (VkBuffer)handle, at, size, MOCK_TRANSFER_W);
            mock_transfer *t = mock_add_transfer(commands);
            t->to = &image->memory;
            t->to_offset = at;
            t->size = size;
            t->data = calloc(1, size);
            for (uint64_t k = 0; t->data && k < size; k++)
                t->data[k] = ((const unsigned char *)value)[k % image->texel];
            t->image = image;
        }
    }
}

void VKAPI_CALL mock_CmdClearColorImage(VkCommandBuffer commands, VkImage image,
                                        VkImageLayout layout, const VkClearColorValue *value,
                                        uint32_t count, const VkImageSubresourceRange *ranges) {
    (void)layout;
    if (((mock_image *)image)->format == VK_FORMAT_D32_SFLOAT)
        mock_wrong("depth cleared as colour");
    clear(commands, image, value->uint32, count, ranges);
}

void VKAPI_CALL mock_CmdClearDepthStencilImage(VkCommandBuffer commands, VkImage image,
                                               VkImageLayout layout,
                                               const VkClearDepthStencilValue *value,
                                               uint32_t count,
                                               const VkImageSubresourceRange *ranges) {
    uint32_t words[4] = {0};
    (void)layout;
    if (((mock_image *)image)->format != VK_FORMAT_D32_SFLOAT)
        mock_wrong("colour cleared as depth");
    if (!(value->depth >= 0 && value->depth <= 1)) mock_wrong("a depth beyond 0 to 1");
    memcpy(words, &value->depth, sizeof value->depth);
    clear(commands, image, words, count, ranges);
}
