/* One copy between the host and a storage: what of an image it may be, the commands for a part of it, and
 * that uploads are apart. */
#include "memory/transfer.h"

#include <stdlib.h>

rp_status rp_copy_check_image(const rp_copy *copy, rp_diags *diags) {
    const rp_storage *s = copy->storage;
    rp_subresources whole;
    if (!s->image || copy->size == 0) return RP_OK;
    uint64_t offset = copy->offset - RP_IMAGE_ORIGIN;
    if (!rp_image_subresources(&s->shape, offset, copy->size, &whole)) {
        rp_diags_add(
            diags, RP_ERROR, NULL, 0, 0,
            "bytes %llu + %llu of %s, an image, are no layers of one mip and no whole mips: "
            "see rp_image_range",
            (unsigned long long)offset, (unsigned long long)copy->size, copy->name);
        return RP_ERROR_USAGE;
    }
    if (s->before == VK_IMAGE_LAYOUT_GENERAL && s->after == VK_IMAGE_LAYOUT_GENERAL) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "%s was imported in another layout than GENERAL: the host cannot copy it",
                 copy->name);
    return RP_ERROR_USAGE;
}

void rp_copy_record(const rp_vk *vk, VkCommandBuffer commands, const rp_copy_part *p) {
    uint64_t there = p->copy->offset + p->offset;
    const rp_storage *storage = p->copy->storage;
    const rp_packed_bytes bytes = {.image = storage,
                                   .offset = there - RP_IMAGE_ORIGIN,
                                   .size = p->size,
                                   .buffer = p->buffer,
                                   .at = p->at};
    const VkBufferCopy region = {.srcOffset = p->upload ? p->at : there,
                                 .dstOffset = p->upload ? there : p->at,
                                 .size = p->size};
    if (storage->image && p->upload)
        rp_image_upload(vk, commands, &bytes);
    else if (storage->image)
        rp_image_download(vk, commands, &bytes);
    else
        vk->CmdCopyBuffer(commands, p->upload ? p->buffer : p->copy->buffer,
                          p->upload ? p->copy->buffer : p->buffer, 1, &region);
}

static int by_place(const void *left, const void *right) {
    const rp_copy *a = left, *b = right;
    if (a->buffer != b->buffer) return (uintptr_t)a->buffer < (uintptr_t)b->buffer ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

rp_status rp_copies_check_uploads(rp_copy *uploads, uint32_t count, rp_diags *diags) {
    if (count > 1) qsort(uploads, count, sizeof *uploads, by_place);
    for (uint32_t i = 1; i < count; i++) {
        const rp_copy *a = &uploads[i - 1], *b = &uploads[i];
        if (a->buffer != b->buffer || a->offset + a->size <= b->offset) continue;
        bool image = b->offset >= RP_IMAGE_ORIGIN;
        rp_diags_add(
            diags, RP_ERROR, NULL, 0, 0,
            "two uploads, to %s and to %s, write to the same memory, from byte %llu of one "
            "%s on: which one is to win?",
            a->name, b->name, (unsigned long long)(b->offset - (image ? RP_IMAGE_ORIGIN : 0)),
            image ? "VkImage" : "VkBuffer");
        return RP_ERROR_USAGE;
    }
    return RP_OK;
}
