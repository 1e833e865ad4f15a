/* The fake driver's images, views and samplers. An image lies in memory as its packed bytes, so that
 * what is copied can be looked at; its layout is watched when commands run. */
#include "mock_objects.h"

#include <stdlib.h>
#include <string.h>
#include "base/image.h"

static uint32_t texel_bytes(VkFormat format) {
    switch ((int)format) {
#define RP_X(symbol, code, name, vulkan, bytes, ...)                                               \
    case VK_FORMAT_##vulkan: return bytes;
        RP_IMAGE_FORMAT_LIST(RP_X)
#undef RP_X
    }
    return 0;
}

static uint32_t extent_of(uint32_t whole, uint32_t mip) {
    return whole >> mip ? whole >> mip : 1;
}

/* Bytes of a layer of a mip. */
static uint64_t layer_bytes(const mock_image *image, uint32_t mip) {
    return (uint64_t)image->texel * extent_of(image->extent.width, mip) *
           extent_of(image->extent.height, mip) * extent_of(image->extent.depth, mip);
}

uint64_t mock_image_offset(const mock_image *image, uint32_t mip, uint32_t layer) {
    uint64_t offset = 0;
    for (uint32_t m = 0; m < mip; m++) offset += layer_bytes(image, m) * image->layers;
    return offset + layer * (mip < image->mips ? layer_bytes(image, mip) : 0);
}

/* ---- Physical device ------------------------------------------------------------------------- */

void VKAPI_CALL mock_GetPhysicalDeviceFormatProperties2(VkPhysicalDevice device, VkFormat format,
                                                        VkFormatProperties2 *out) {
    (void)device;
    VkFormatFeatureFlags2 images = texel_bytes(format) ? mock.image_features : 0;
    VkFormatFeatureFlags2 texels = texel_bytes(format) ? mock.texel_features : 0;
    if (mock.format_features) {
        images &= mock.format_features(format, false);
        texels &= mock.format_features(format, true);
    }
    out->formatProperties =
        (VkFormatProperties){.optimalTilingFeatures = (VkFormatFeatureFlags)images & INT32_MAX,
                             .bufferFeatures = (VkFormatFeatureFlags)texels & INT32_MAX};
    VkFormatProperties3 *wide = out->pNext;
    if (!wide) return;
    if (wide->sType != VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_3)
        mock_wrong("no properties of formats");
    wide->optimalTilingFeatures = images;
    wide->bufferFeatures = texels;
}

VkResult VKAPI_CALL mock_GetPhysicalDeviceImageFormatProperties(
    VkPhysicalDevice device, VkFormat format, VkImageType type, VkImageTiling tiling,
    VkImageUsageFlags usage, VkImageCreateFlags flags, VkImageFormatProperties *out) {
    (void)device, (void)flags;
    if (mock_fails("vkGetPhysicalDeviceImageFormatProperties")) return mock.fail_with;
    if (tiling != VK_IMAGE_TILING_OPTIMAL || usage == 0) mock_wrong("an image without a usage");
    if (!texel_bytes(format)) return VK_ERROR_FORMAT_NOT_SUPPORTED;
    *out = (VkImageFormatProperties){.maxExtent = {4096, type == VK_IMAGE_TYPE_1D ? 1 : 4096,
                                                   type == VK_IMAGE_TYPE_3D ? 512 : 1},
                                     .maxMipLevels = 13,
                                     .maxArrayLayers = type == VK_IMAGE_TYPE_3D ? 1 : 256,
                                     .sampleCounts = 1,
                                     .maxResourceSize = UINT64_C(1) << 32};
    return VK_SUCCESS;
}

/* ---- Images ---------------------------------------------------------------------------------- */

VkResult VKAPI_CALL mock_CreateImage(VkDevice device, const VkImageCreateInfo *info,
                                     const VkAllocationCallbacks *a, VkImage *out) {
    (void)device, (void)a;
    if (mock_fails("vkCreateImage")) return mock.fail_with;
    mock_image *image = mock_new(MOCK_IMAGE, sizeof *image);
    image->memory.number = mock_count(&mock_numbers.images);
    image->extent = info->extent;
    image->format = info->format;
    image->mips = info->mipLevels;
    image->layers = info->arrayLayers;
    image->texel = texel_bytes(info->format);
    image->memory.usage = info->usage;
    image->memory.size = mock_image_offset(image, image->mips, 0);
    if (image->memory.size == 0 || info->usage == 0) mock_wrong("an image of no bytes or usage");
    mock.image_usage = info->usage;
    *out = (VkImage)image;
    return VK_SUCCESS;
}

void VKAPI_CALL mock_DestroyImage(VkDevice device, VkImage handle, const VkAllocationCallbacks *a) {
    (void)device, (void)a;
    mock_image *image = (mock_image *)handle;
    if (image && mock_in_flight(image->memory.use))
        mock_wrong("an image is destroyed while a submission uses it");
    if (image && image->views) mock_wrong("an image is destroyed before its views");
    mock_image_forget(image);
    mock_delete(image, MOCK_IMAGE);
}

void VKAPI_CALL mock_GetImageMemoryRequirements2(VkDevice device,
                                                 const VkImageMemoryRequirementsInfo2 *info,
                                                 VkMemoryRequirements2 *out) {
    (void)device;
    const mock_image *image = (const mock_image *)info->image;
    out->memoryRequirements = (VkMemoryRequirements){
        .size = (image->memory.size + 255) / 256 * 256,
        .alignment = 256,
        .memoryTypeBits = mock.image_types ? mock.image_types(image->memory.number)
                                           : (1u << mock.memory.memoryTypeCount) - 1};
    VkMemoryDedicatedRequirements *dedicated = out->pNext;
    if (!dedicated) return;
    dedicated->requiresDedicatedAllocation = mock.images_dedicated;
    dedicated->prefersDedicatedAllocation = mock.images_dedicated || mock.prefers_dedicated;
}

VkResult VKAPI_CALL mock_BindImageMemory(VkDevice device, VkImage handle, VkDeviceMemory memory,
                                         VkDeviceSize offset) {
    (void)device;
    if (mock_fails("vkBindImageMemory")) return mock.fail_with;
    mock_image *image = (mock_image *)handle;
    image->memory.memory = (mock_memory *)memory;
    image->memory.offset = offset;
    const mock_memory *m = image->memory.memory;
    if (offset % 256 || offset + image->memory.size > m->size)
        mock_wrong("an image is bound misaligned or outside its memory");
    if (m->dedicated ? m->dedicated != image || offset : mock.images_dedicated)
        mock_wrong("an image is bound to memory that is dedicated to another, or should be to it");
    mock_image_know(image);
    return VK_SUCCESS;
}

/* ---- Layouts --------------------------------------------------------------------------------- */

enum { MAX_IMAGES = 256 };
static mock_image *known[MAX_IMAGES]; /* that have memory */

void mock_image_know(mock_image *image) {
    for (uint32_t i = 0; i < MAX_IMAGES; i++)
        if (!known[i]) {
            known[i] = image;
            return;
        }
    abort();
}

void mock_image_forget(const mock_image *image) {
    for (uint32_t i = 0; i < MAX_IMAGES; i++)
        if (known[i] == image) known[i] = NULL;
}

const mock_image *mock_image_of(uint32_t number) {
    for (uint32_t i = 0; i < MAX_IMAGES; i++)
        if (known[i] && known[i]->memory.number == number) return known[i];
    return NULL;
}

static bool overlap(const mock_image *a, const mock_image *b) {
    const mock_buffer *x = &a->memory, *y = &b->memory;
    return x->memory == y->memory && x->offset < y->offset + y->size &&
           y->offset < x->offset + x->size;
}

/* Whoever is in the same memory has lost what it held, and its layout. */
void mock_image_transition(mock_image *image, VkImageLayout from, VkImageLayout to) {
    if (from != VK_IMAGE_LAYOUT_UNDEFINED && from != image->layout)
        mock_wrong("an image comes from a layout that it is not in");
    image->layout = to;
    if (from != VK_IMAGE_LAYOUT_UNDEFINED) return;
    if (image->memory.memory)
        memset(image->memory.memory->data + image->memory.offset, 0xee, image->memory.size);
    for (uint32_t i = 0; i < MAX_IMAGES; i++)
        if (known[i] && known[i] != image && overlap(known[i], image))
            known[i]->layout = VK_IMAGE_LAYOUT_UNDEFINED;
}

void mock_image_use(const mock_image *image) {
    if (image->layout != VK_IMAGE_LAYOUT_GENERAL)
        mock_wrong("an image is used that is not in layout GENERAL, or whose memory another has");
}

/* ---- Views and samplers ---------------------------------------------------------------------- */

VkResult VKAPI_CALL mock_CreateImageView(VkDevice device, const VkImageViewCreateInfo *info,
                                         const VkAllocationCallbacks *a, VkImageView *out) {
    (void)device, (void)a;
    if (mock_fails("vkCreateImageView")) return mock.fail_with;
    mock_image *image = (mock_image *)info->image;
    const VkImageSubresourceRange *r = &info->subresourceRange;
    if (r->levelCount == 0 || r->baseMipLevel + r->levelCount > image->mips || r->layerCount == 0 ||
        r->baseArrayLayer + r->layerCount > image->layers)
        mock_wrong("a view is outside its image");
    mock_view *view = mock_new(MOCK_VIEW, sizeof *view);
    view->number = mock_count(&mock_numbers.views);
    view->of = &image->memory;
    view->image = image;
    view->lo = mock_image_offset(image, r->baseMipLevel, r->baseArrayLayer);
    uint32_t last = r->baseMipLevel + r->levelCount - 1;
    view->hi = mock_image_offset(image, last, r->baseArrayLayer) +
               r->layerCount * layer_bytes(image, last);
    image->views++;
    *out = (VkImageView)view;
    return VK_SUCCESS;
}

void VKAPI_CALL mock_DestroyImageView(VkDevice device, VkImageView handle,
                                      const VkAllocationCallbacks *a) {
    (void)device, (void)a;
    mock_view *view = (mock_view *)handle;
    if (view) view->image->views--;
    if (view && mock_in_flight(view->use)) mock_wrong("a view is destroyed while it is in flight");
    mock_delete(view, MOCK_VIEW);
}

VkResult VKAPI_CALL mock_CreateBufferView(VkDevice device, const VkBufferViewCreateInfo *info,
                                          const VkAllocationCallbacks *a, VkBufferView *out) {
    (void)device, (void)a;
    if (mock_fails("vkCreateBufferView")) return mock.fail_with;
    mock_buffer *buffer = (mock_buffer *)info->buffer;
    uint64_t alignment = mock.properties.limits.minTexelBufferOffsetAlignment;
    if (!(buffer->usage &
          (VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT | VK_BUFFER_USAGE_STORAGE_TEXEL_BUFFER_BIT)))
        mock_wrong("texels of a buffer without that usage");
    if (info->offset + info->range > buffer->size || info->range % texel_bytes(info->format) ||
        (alignment && info->offset % alignment))
        mock_wrong("texels are outside their buffer, or begin where they may not");
    mock_view *view = mock_new(MOCK_VIEW, sizeof *view);
    view->number = mock_count(&mock_numbers.views);
    view->of = buffer;
    view->lo = info->offset;
    view->hi = info->offset + info->range;
    *out = (VkBufferView)view;
    return VK_SUCCESS;
}

void VKAPI_CALL mock_DestroyBufferView(VkDevice device, VkBufferView handle,
                                       const VkAllocationCallbacks *a) {
    (void)device, (void)a;
    mock_view *view = (mock_view *)handle;
    if (view && mock_in_flight(view->use)) mock_wrong("a view is destroyed while it is in flight");
    mock_delete(view, MOCK_VIEW);
}

VkResult VKAPI_CALL mock_CreateSampler(VkDevice device, const VkSamplerCreateInfo *info,
                                       const VkAllocationCallbacks *a, VkSampler *out) {
    (void)device, (void)a;
    if (mock_fails("vkCreateSampler")) return mock.fail_with;
    if (info->anisotropyEnable && !mock.anisotropy)
        mock_wrong("a sampler is anisotropic without the feature");
    mock_object *sampler = mock_new(MOCK_SAMPLER, sizeof *sampler);
    sampler->number = mock_count(&mock_numbers.samplers);
    *out = (VkSampler)sampler;
    return VK_SUCCESS;
}

void VKAPI_CALL mock_DestroySampler(VkDevice device, VkSampler handle,
                                    const VkAllocationCallbacks *a) {
    (void)device, (void)a;
    mock_delete((void *)handle, MOCK_SAMPLER);
}
