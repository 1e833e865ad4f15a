/* Views of storages, and samplers: what descriptors name. Both are counted, found again by what they
 * are, and gone with the last descriptors that name them. Lists are short, and are gone through when
 * an exec is made, not when it is submitted.
 *
 * Encoders keep descriptor sets in the hope that they come back, and must not keep storages alive with
 * them. Views that they name are kept by the storage: a set whose storage is gone is never used. */
#include "memory/image.h"

rp_view_key rp_view_key_image(const rp_storage *storage, uint32_t view,
                              const rp_subresources *part) {
    static const VkImageViewType types[] = {
        [RP_VIEW_1D] = VK_IMAGE_VIEW_TYPE_1D,
        [RP_VIEW_2D] = VK_IMAGE_VIEW_TYPE_2D,
        [RP_VIEW_3D] = VK_IMAGE_VIEW_TYPE_3D,
        [RP_VIEW_CUBE] = VK_IMAGE_VIEW_TYPE_CUBE,
        [RP_VIEW_1D_ARRAY] = VK_IMAGE_VIEW_TYPE_1D_ARRAY,
        [RP_VIEW_2D_ARRAY] = VK_IMAGE_VIEW_TYPE_2D_ARRAY,
        [RP_VIEW_CUBE_ARRAY] = VK_IMAGE_VIEW_TYPE_CUBE_ARRAY,
    };
    return (rp_view_key){.format = rp_image_vulkan_format(storage->shape.format),
                         .type = types[view],
                         .part = *part};
}

rp_view_key rp_view_key_texels(uint32_t format, uint64_t offset, uint64_t bytes) {
    return (rp_view_key){
        .format = rp_image_vulkan_format(format), .offset = offset, .bytes = bytes};
}

static bool same_key(const rp_view_key *a, const rp_view_key *b) {
    return a->format == b->format && a->type == b->type && a->offset == b->offset &&
           a->bytes == b->bytes && a->part.first_mip == b->part.first_mip &&
           a->part.mips == b->part.mips && a->part.first_layer == b->part.first_layer &&
           a->part.layers == b->part.layers;
}

static rp_status create_view(rp_view_object *view, rp_diags *diags) {
    rp_device *device = view->storage->device;
    const rp_view_key *k = &view->key;
    if (!view->storage->image) {
        const VkBufferViewCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
                                             .buffer = view->storage->handle,
                                             .format = k->format,
                                             .offset = k->offset,
                                             .range = k->bytes};
        return RP_VK(diags,
                     device->vk.CreateBufferView(device->handle, &info, NULL, &view->texels));
    }
    const VkImageViewCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
        .image = view->storage->image,
        .viewType = (VkImageViewType)k->type,
        .format = k->format,
        .subresourceRange = {rp_image_aspect(view->storage->shape.format), k->part.first_mip,
                             k->part.mips, k->part.first_layer, k->part.layers},
    };
    return RP_VK(diags, device->vk.CreateImageView(device->handle, &info, NULL, &view->image));
}

/* The view of a storage, made when there is none. */
static rp_status find_view(rp_storage *storage, const rp_view_key *key, rp_diags *diags,
                           rp_view_object **out) {
    for (*out = storage->views; *out; *out = (*out)->next)
        if (same_key(&(*out)->key, key)) return RP_OK;
    const rp_allocator *a = &storage->device->allocator;
    rp_view_object *view = rp_alloc_zero(a, 1, sizeof *view);
    if (!view) return RP_ERROR_NO_MEMORY;
    *view = (rp_view_object){.storage = storage, .key = *key};
    rp_status status = create_view(view, diags);
    if (status != RP_OK) {
        rp_release(a, view);
        return status;
    }
    view->next = storage->views;
    storage->views = *out = view;
    return RP_OK;
}

rp_status rp_view_open(rp_storage *storage, const rp_view_key *key, rp_diags *diags,
                       rp_view_object **out) {
    *out = NULL;
    pthread_mutex_lock(&storage->device->views_mutex);
    rp_status status = find_view(storage, key, diags, out);
    if (status == RP_OK && (*out)->holders++ == 0) rp_storage_hold(storage);
    pthread_mutex_unlock(&storage->device->views_mutex);
    return status;
}

rp_status rp_view_keep(rp_storage *storage, const rp_view_key *key, rp_diags *diags,
                       rp_view_object **out) {
    *out = NULL;
    pthread_mutex_lock(&storage->device->views_mutex);
    rp_status status = find_view(storage, key, diags, out);
    if (status == RP_OK) (*out)->kept = true;
    pthread_mutex_unlock(&storage->device->views_mutex);
    return status;
}

static void destroy_view(rp_view_object *view) {
    rp_device *device = view->storage->device;
    device->vk.DestroyImageView(device->handle, view->image, NULL);
    device->vk.DestroyBufferView(device->handle, view->texels, NULL);
    rp_release(&device->allocator, view);
}

void rp_view_close(rp_view_object *view) {
    rp_storage *storage = view->storage;
    rp_device *device = storage->device;
    pthread_mutex_lock(&device->views_mutex);
    bool last = --view->holders == 0, gone = last && !view->kept;
    for (rp_view_object **at = &storage->views; gone && *at;) {
        if (*at == view)
            *at = view->next;
        else
            at = &(*at)->next;
    }
    pthread_mutex_unlock(&device->views_mutex);
    if (gone) destroy_view(view);
    if (last) rp_storage_drop(storage);
}

void rp_views_free(rp_storage *storage) {
    while (storage->views) {
        rp_view_object *view = storage->views;
        storage->views = view->next;
        destroy_view(view);
    }
}

/* ---- Samplers -------------------------------------------------------------------------------- */

static rp_status create_sampler(rp_device *device, const rp_sampler_info *i, rp_diags *diags,
                                VkSampler *out) {
    bool compares = i->compare != RP_COMPARE_OFF;
    const VkSamplerCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO,
        .magFilter = (VkFilter)i->mag,
        .minFilter = (VkFilter)i->min,
        .mipmapMode = (VkSamplerMipmapMode)i->mip,
        .addressModeU = (VkSamplerAddressMode)i->u,
        .addressModeV = (VkSamplerAddressMode)i->v,
        .addressModeW = (VkSamplerAddressMode)i->w,
        .mipLodBias = i->bias,
        .anisotropyEnable = i->anisotropy >= 1,
        .maxAnisotropy = i->anisotropy >= 1 ? i->anisotropy : 1,
        .compareEnable = compares,
        .compareOp = compares ? (VkCompareOp)i->compare : VK_COMPARE_OP_NEVER,
        .minLod = i->min_level,
        .maxLod = i->max_level,
        .borderColor = (VkBorderColor)i->border,
        .unnormalizedCoordinates = i->unnormalised,
    };
    return RP_VK(diags, device->vk.CreateSampler(device->handle, &info, NULL, out));
}

static rp_status open_sampler(rp_device *device, const rp_sampler_info *info, rp_diags *diags,
                              rp_sampler_object **out) {
    for (*out = device->samplers; *out; *out = (*out)->next)
        if (memcmp(&(*out)->info, info, sizeof *info) == 0) {
            (*out)->holders++;
            return RP_OK;
        }
    rp_sampler_object *sampler = rp_alloc_zero(&device->allocator, 1, sizeof *sampler);
    if (!sampler) return RP_ERROR_NO_MEMORY;
    *sampler = (rp_sampler_object){.holders = 1, .info = *info};
    rp_status status = create_sampler(device, info, diags, &sampler->handle);
    if (status != RP_OK) {
        rp_release(&device->allocator, sampler);
        return status;
    }
    sampler->next = device->samplers;
    device->samplers = *out = sampler;
    return RP_OK;
}

rp_status rp_sampler_open(rp_device *device, const rp_sampler_info *info, rp_diags *diags,
                          rp_sampler_object **out) {
    *out = NULL;
    pthread_mutex_lock(&device->views_mutex);
    rp_status status = open_sampler(device, info, diags, out);
    pthread_mutex_unlock(&device->views_mutex);
    return status;
}

void rp_sampler_close(rp_device *device, rp_sampler_object *sampler) {
    pthread_mutex_lock(&device->views_mutex);
    bool last = --sampler->holders == 0;
    for (rp_sampler_object **at = &device->samplers; last && *at;) {
        if (*at == sampler)
            *at = sampler->next;
        else
            at = &(*at)->next;
    }
    pthread_mutex_unlock(&device->views_mutex);
    if (!last) return;
    device->vk.DestroySampler(device->handle, sampler->handle, NULL);
    rp_release(&device->allocator, sampler);
}
