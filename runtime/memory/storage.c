/* Storages that the application makes, imports, and looks into. */
#include "memory/storage.h"

#include "base/checked.h"
#include "base/given.h"
#include "base/sized.h"
#include "device/images.h"
#include "driver/quirks.h"
#include "memory/image.h"
#include "memory/transfer.h"
#include "reprise/needs.h"

/* What Vulkan 1.2 knows; whether a device address is possible is asked of the device. */
static const VkBufferUsageFlags known_usage =
    VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
    VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT | VK_BUFFER_USAGE_STORAGE_TEXEL_BUFFER_BIT |
    VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT | VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
    VK_BUFFER_USAGE_INDEX_BUFFER_BIT | VK_BUFFER_USAGE_VERTEX_BUFFER_BIT |
    VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;

/* Those of extensions, which want more than the flag: the extension enabled, structs in the chain of
 * the buffer's creation. */
static const struct {
    VkBufferUsageFlags flag;
    const char *name;
} extension_usage[] = {
    {0x200, "CONDITIONAL_RENDERING_BIT_EXT"},
    {0x400, "SHADER_BINDING_TABLE_BIT_KHR"},
    {0x800, "TRANSFORM_FEEDBACK_BUFFER_BIT_EXT"},
    {0x1000, "TRANSFORM_FEEDBACK_COUNTER_BUFFER_BIT_EXT"},
    {0x2000, "VIDEO_DECODE_SRC_BIT_KHR"},
    {0x4000, "VIDEO_DECODE_DST_BIT_KHR"},
    {0x8000, "VIDEO_ENCODE_DST_BIT_KHR"},
    {0x10000, "VIDEO_ENCODE_SRC_BIT_KHR"},
    {0x80000, "ACCELERATION_STRUCTURE_BUILD_INPUT_READ_ONLY_BIT_KHR"},
    {0x100000, "ACCELERATION_STRUCTURE_STORAGE_BIT_KHR"},
    {0x200000, "SAMPLER_DESCRIPTOR_BUFFER_BIT_EXT"},
    {0x400000, "RESOURCE_DESCRIPTOR_BUFFER_BIT_EXT"},
    {0x800000, "MICROMAP_BUILD_INPUT_READ_ONLY_BIT_EXT"},
    {0x1000000, "MICROMAP_STORAGE_BIT_EXT"},
    {0x4000000, "PUSH_DESCRIPTORS_DESCRIPTOR_BUFFER_BIT_EXT"},
};

/* Each flag that cannot be had is said. */
rp_status rp_storage_check_usage(VkBufferUsageFlags usage, const char *name, rp_diags *diags) {
    VkBufferUsageFlags left = usage & ~known_usage;
    for (size_t i = 0; i < sizeof extension_usage / sizeof *extension_usage; i++) {
        if (!(left & extension_usage[i].flag)) continue;
        left &= ~extension_usage[i].flag;
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s cannot have the usage VK_BUFFER_USAGE_%s, which is an extension's: create "
                     "the VkBuffer and import it (rp_storage_import_buffer)",
                     name, extension_usage[i].name);
    }
    if (left)
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s cannot have the usage 0x%x: no such flags",
                     name, left);
    return usage & ~known_usage ? RP_ERROR_USAGE : RP_OK;
}

/* With an address wherever kernels may want one (exec/runs.c): whoever creates a storage does not know what for. */
static rp_status wish_for_buffer(const rp_device *device, const rp_storage_params *params,
                                 rp_diags *diags, rp_storage_wish *wish) {
    bool by_address = (device->quirks & RP_QUIRK_CHECKED_LOADS) && !params->exportable &&
                      (device->adapter.needs & RP_NEED_DEVICE_ADDRESS);
    if (by_address) wish->usage |= VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;
    wish->purpose = params->host_visible ? RP_PURPOSE_VISIBLE : RP_PURPOSE_BUFFERS;
    RP_TRY(rp_storage_check_usage(params->usage, wish->name, diags));
    if (params->bytes != 0 && params->bytes <= RP_MAX_BUFFER_BYTES) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s cannot have %llu bytes: 1 to %llu are possible",
                 wish->name, (unsigned long long)params->bytes,
                 (unsigned long long)RP_MAX_BUFFER_BYTES);
    return RP_ERROR_USAGE;
}

/* What an application may draw into, beside what plans do. */
static VkImageUsageFlags attachments_of(uint32_t format) {
    return VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT |
           (rp_image_is_depth(format) ? VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT
                                      : VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT);
}

static rp_status wish_for_image(const rp_device *device, const rp_storage_params *params,
                                rp_diags *diags, rp_storage_wish *wish) {
    const char *wrong = rp_image_wrong(&params->image);
    if (!wrong && params->bytes && params->bytes != rp_image_bytes(&params->image))
        wrong = "its packed form has another number of bytes: leave it 0";
    if (!wrong && params->host_visible) wrong = "the host maps no image: rp_storage_write copies";
    if (!wrong && params->exportable) wrong = "images are not exported";
    if (!wrong && params->uninitialised) wrong = "images begin as zeros";
    const VkFlags plain = VK_IMAGE_USAGE_STORAGE_BIT | VK_IMAGE_USAGE_SAMPLED_BIT |
                          VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    if (!wrong && params->usage & ~(plain | attachments_of(params->image.format)))
        wrong =
            "its usage can be STORAGE, SAMPLED, TRANSFER_SRC, TRANSFER_DST, INPUT_ATTACHMENT and "
            "COLOR_ATTACHMENT, of depth DEPTH_STENCIL_ATTACHMENT: create the VkImage and import it "
            "(rp_storage_import_image)";
    if (wrong) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s: there is no such image: %s", wish->name,
                     wrong);
        return RP_ERROR_USAGE;
    }
    wish->purpose = RP_PURPOSE_IMAGES;
    wish->usage |= rp_image_usage(device, params->image.format);
    wish->size = rp_image_bytes(&params->image);
    wish->shape = params->image;
    const rp_format_asked cleared = {.place = "",
                                     .name = wish->name,
                                     .format = params->image.format,
                                     .wanted = VK_FORMAT_FEATURE_2_TRANSFER_DST_BIT};
    if (rp_format_check(device, &cleared, diags) ||
        rp_image_check(device, wish->name, &params->image, wish->usage, diags))
        return RP_ERROR_UNSUPPORTED;
    return RP_OK;
}

rp_status rp_storage_create(rp_device *device, const rp_storage_params *given, rp_diags *diags,
                            rp_storage **out_storage) {
    if (!out_storage) return RP_ERROR_USAGE;
    *out_storage = NULL;
    rp_storage_params params;
    if (!device || !given) return RP_ERROR_USAGE;
    if (!rp_sized_take(given, &params, sizeof params))
        return rp_sized_refuse(diags, "rp_storage_params");
    rp_storage_wish wish = {
        .usage = params.usage,
        .size = params.bytes,
        .name = params.name ? params.name : "storage",
        .priority = params.priority,
        .exportable = params.exportable,
    };
    RP_TRY(rp_memory_check_priority(params.priority, wish.name, diags));
    RP_TRY(params.image.format ? wish_for_image(device, &params, diags, &wish)
                               : wish_for_buffer(device, &params, diags, &wish));
    rp_storage *storage;
    RP_TRY(rp_storage_allocate(device, &wish, 1, diags, &storage));
    rp_status status = params.uninitialised ? RP_OK : rp_storage_clear(device, &storage, 1, diags);
    if (status != RP_OK) {
        rp_storage_drop(storage);
        return status;
    }
    storage->external = params.exportable;
    storage->known = true;
    rp_device_retain(device, RP_OBJECT_STORAGE);
    *out_storage = storage;
    return RP_OK;
}

rp_status rp_storage_import_buffer(rp_device *device, const rp_storage_import *given,
                                   rp_diags *diags, rp_storage **out_storage) {
    if (!out_storage) return RP_ERROR_USAGE;
    *out_storage = NULL;
    rp_storage_import params;
    if (!device || !given) return RP_ERROR_USAGE;
    if (!rp_sized_take(given, &params, sizeof params))
        return rp_sized_refuse(diags, "rp_storage_import");
    const char *name = params.name ? params.name : "imported storage";
    const VkPhysicalDeviceLimits *limits = &device->adapter.properties.limits;
    uint64_t alignment = limits->minStorageBufferOffsetAlignment, end;
    if (!params.buffer) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s: rp_storage_import.buffer is NULL: expected a VkBuffer", name);
        return RP_ERROR_USAGE;
    }
    if (params.bytes == 0 || !rp_add_u64(params.offset, params.bytes, &end) ||
        end > RP_MAX_BUFFER_BYTES) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s cannot be bytes %llu + %llu of a VkBuffer: 1 to %llu are possible", name,
                     (unsigned long long)params.offset, (unsigned long long)params.bytes,
                     (unsigned long long)RP_MAX_BUFFER_BYTES);
        return RP_ERROR_USAGE;
    }
    if (alignment && params.offset % alignment) {
        rp_diags_add(
            diags, RP_ERROR, NULL, 0, 0,
            "%s begins at byte %llu of its VkBuffer; %s binds storage buffers at multiples "
            "of %llu",
            name, (unsigned long long)params.offset, device->adapter.info.name,
            (unsigned long long)alignment);
        return RP_ERROR_USAGE;
    }
    VkMemoryRequirements needs; /* at least as large as the buffer */
    device->vk.GetBufferMemoryRequirements(device->handle, params.buffer, &needs);
    if (end > needs.size) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s is bytes %llu to %llu of a VkBuffer that has no more than %llu", name,
                     (unsigned long long)params.offset, (unsigned long long)end - 1,
                     (unsigned long long)needs.size);
        return RP_ERROR_USAGE;
    }
    rp_storage *storage;
    RP_TRY(rp_storage_new(device, name, &storage));
    storage->handle = params.buffer;
    storage->offset = params.offset;
    storage->size = params.bytes;
    storage->purpose = params.mapped ? RP_PURPOSE_VISIBLE : RP_PURPOSE_BUFFERS;
    storage->mapped = params.mapped;
    storage->imported = true;
    storage->known = true;
    rp_device_retain(device, RP_OBJECT_STORAGE);
    *out_storage = storage;
    return RP_OK;
}

rp_storage *rp_storage_retain(rp_storage *storage) {
    if (storage) rp_device_retain(storage->device, RP_OBJECT_STORAGE);
    return rp_storage_hold(storage);
}

void rp_storage_release(rp_storage *storage) {
    if (!storage) return;
    rp_device *device = storage->device;
    rp_storage_drop(storage);
    rp_device_release(device, RP_OBJECT_STORAGE);
}

rp_status rp_storage_get_info(const rp_storage *storage, rp_storage_info *info) {
    if (!storage || !info) return RP_ERROR_USAGE;
    const rp_storage_info own = {
        .buffer = storage->image ? VK_NULL_HANDLE : storage->handle,
        .offset = storage->image ? 0 : storage->offset,
        .bytes = storage->size,
        .mapped = storage->mapped,
        .image = storage->image,
    };
    return rp_sized_give(&own, sizeof own, info) ? RP_OK : RP_ERROR_USAGE;
}

/* ---- The host's bytes ------------------------------------------------------------------------ */

enum { NEAR_COPIES = 4 }; /* that lie in the call's own memory */

static rp_status fill(rp_device *device, rp_storage *storage, uint64_t offset, uint64_t size,
                      const void *host, rp_diags *diags, rp_copy *out) {
    if (!storage || storage->device != device || (!host && size)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "a transfer names a storage of the device, and host memory");
        return RP_ERROR_USAGE;
    }
    if (!rp_range_inside(offset, size, storage->size)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "bytes %llu + %llu are outside %s, which has %llu", (unsigned long long)offset,
                     (unsigned long long)size, storage->name, (unsigned long long)storage->size);
        return RP_ERROR_USAGE;
    }
    *out = (rp_copy){
        .name = storage->name,
        .storage = storage,
        .buffer = storage->handle,
        .offset = storage->offset + offset,
        .size = size,
        .mapped = storage->mapped ? storage->mapped + offset : NULL,
        .host = (uint8_t *)host,
    };
    return rp_copy_check_image(out, diags);
}

static rp_status gather(rp_device *device, const rp_transfer_params *params, rp_diags *diags,
                        rp_copies *copies) {
    for (uint32_t i = 0; i < params->upload_count; i++) {
        const rp_storage_upload *u = &params->uploads[i];
        RP_TRY(fill(device, u->storage, u->offset, u->size, u->data, diags,
                    &copies->uploads[copies->upload_count]));
        if (u->size) copies->upload_count++;
    }
    for (uint32_t i = 0; i < params->download_count; i++) {
        const rp_storage_download *d = &params->downloads[i];
        RP_TRY(fill(device, d->storage, d->offset, d->size, d->data, diags,
                    &copies->downloads[copies->download_count]));
        if (d->size) copies->download_count++;
    }
    return rp_copies_check_uploads(copies->uploads, copies->upload_count, diags);
}

rp_status rp_device_transfer(rp_device *device, const rp_transfer_params *given, rp_diags *diags) {
    rp_transfer_params params;
    if (!device || !given) return RP_ERROR_USAGE;
    if (!rp_sized_take(given, &params, sizeof params))
        return rp_sized_refuse(diags, "rp_transfer_params");
    if (!rp_array_given(params.uploads, params.upload_count, "rp_transfer_params.uploads", diags) ||
        !rp_array_given(params.downloads, params.download_count, "rp_transfer_params.downloads",
                        diags))
        return RP_ERROR_USAGE;
    rp_copy near[NEAR_COPIES], *all = near;
    uint64_t count = (uint64_t)params.upload_count + params.download_count;
    if (count > NEAR_COPIES) all = rp_alloc(&device->allocator, count, sizeof *all);
    if (!all) return RP_ERROR_NO_MEMORY;
    rp_copies copies = {.uploads = all,
                        .downloads = all + params.upload_count,
                        .progress = params.progress,
                        .user = params.user};
    rp_status status = gather(device, &params, diags, &copies);
    if (status == RP_OK) status = rp_transfer(device, &copies, diags);
    if (all != near) rp_release(&device->allocator, all);
    return status;
}

rp_status rp_storage_write(rp_storage *storage, uint64_t offset, const void *data, uint64_t size,
                           rp_diags *diags) {
    if (!storage) return RP_ERROR_USAGE;
    const rp_storage_upload upload = {storage, offset, size, data};
    const rp_transfer_params params = {
        .size = sizeof params, .uploads = &upload, .upload_count = 1};
    return rp_device_transfer(storage->device, &params, diags);
}

rp_status rp_storage_read(rp_storage *storage, uint64_t offset, void *data, uint64_t size,
                          rp_diags *diags) {
    if (!storage) return RP_ERROR_USAGE;
    const rp_storage_download download = {storage, offset, size, data};
    const rp_transfer_params params = {
        .size = sizeof params, .downloads = &download, .download_count = 1};
    return rp_device_transfer(storage->device, &params, diags);
}
