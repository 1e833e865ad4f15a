/* The application's own images as storages. */
#include "base/sized.h"
#include "memory/image.h"

static const char *what_is_wrong(const rp_storage_image *p) {
    if (!p->image) return "rp_storage_image.image is NULL: expected a VkImage";
    const char *wrong = rp_image_wrong(&p->shape);
    if (wrong) return wrong;
    if (p->after == VK_IMAGE_LAYOUT_UNDEFINED || p->after == VK_IMAGE_LAYOUT_PREINITIALIZED)
        return "nothing is left in layout UNDEFINED or PREINITIALIZED";
    if (p->before == VK_IMAGE_LAYOUT_PREINITIALIZED)
        return "an image of tiling OPTIMAL is not PREINITIALIZED";
    return NULL;
}

rp_status rp_storage_import_image(rp_device *device, const rp_storage_image *given, rp_diags *diags,
                                  rp_storage **out_storage) {
    if (!out_storage) return RP_ERROR_USAGE;
    *out_storage = NULL;
    rp_storage_image params;
    if (!device || !given) return RP_ERROR_USAGE;
    if (!rp_sized_take(given, &params, sizeof params))
        return rp_sized_refuse(diags, "rp_storage_image");
    const char *name = params.name ? params.name : "imported image";
    const char *wrong = what_is_wrong(&params);
    if (wrong) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s cannot be imported: %s", name, wrong);
        return RP_ERROR_USAGE;
    }
    rp_storage *storage;
    RP_TRY(rp_storage_new(device, name, &storage));
    storage->handle = (VkBuffer)params.image; /* see RP_IMAGE_ORIGIN */
    storage->usage = params.usage;
    storage->offset = RP_IMAGE_ORIGIN;
    storage->size = rp_image_bytes(&params.shape);
    storage->purpose = RP_PURPOSE_IMAGES;
    storage->imported = true;
    storage->known = true;
    storage->image = (VkImage)params.image;
    storage->shape = params.shape;
    storage->before = (VkImageLayout)params.before;
    storage->after = (VkImageLayout)params.after;
    rp_device_retain(device, RP_OBJECT_STORAGE);
    *out_storage = storage;
    return RP_OK;
}
