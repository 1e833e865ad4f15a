/* Images in encoders: copies, blits and clears, and the layouts of those that the application lends.
 *
 * A lent image is brought into GENERAL in front of the first call of an encoding that uses it, and goes
 * where the application wants it when the encoding ends. What the calls between will do with it is not
 * known in advance, and what the application does around is its own: both barriers are full ones, and
 * they are commands of their own. All other images are in GENERAL, and have no barriers but those of
 * memory. */
#include "direct/encoder.h"

#include "device/images.h"

typedef rp_encoder_use use;

/* ---- Lending --------------------------------------------------------------------------------- */

uint32_t rp_encoder_denied(const rp_storage *storage) {
    uint32_t denied = 0;
    if (!(storage->usage & VK_IMAGE_USAGE_STORAGE_BIT))
        denied |= RP_SCOPE_COMPUTE_R | RP_SCOPE_COMPUTE_W;
    if (!(storage->usage & VK_IMAGE_USAGE_SAMPLED_BIT)) denied |= RP_SCOPE_COMPUTE_S;
    if (!(storage->usage & VK_IMAGE_USAGE_TRANSFER_SRC_BIT)) denied |= RP_SCOPE_TRANSFER_R;
    if (!(storage->usage & VK_IMAGE_USAGE_TRANSFER_DST_BIT)) denied |= RP_SCOPE_TRANSFER_W;
    return denied;
}

static void move(const rp_encoder *e, const rp_storage *image, VkImageLayout from,
                 VkImageLayout to) {
    const rp_image_masks all = {
        .src_stages = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
        .src = VK_ACCESS_2_MEMORY_WRITE_BIT,
        .dst_stages = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
        .dst = VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT,
    };
    const VkImageMemoryBarrier2 barrier = rp_image_barrier(image, from, to, &all);
    const VkDependencyInfo info = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                   .imageMemoryBarrierCount = 1,
                                   .pImageMemoryBarriers = &barrier};
    e->bound.vk->CmdPipelineBarrier2(e->bound.commands, &info);
}

static bool is_lent_already(const rp_encoder *e, const rp_storage *storage) {
    for (uint32_t i = 0; i < e->lent_count; i++)
        if (e->lent[i]->image == storage->image) return true;
    return false;
}

rp_status rp_encoder_borrow(rp_encoder *e, const use *uses, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const rp_encoder_place *p = &e->places[uses[i].buffer];
        if (!p->lent || is_lent_already(e, p->storage)) continue;
        if (!RP_RESERVE(&e->allocator, e->lent, e->lent_count, e->lent_capacity, 1))
            return e->status = RP_ERROR_NO_MEMORY;
        e->lent[e->lent_count++] = rp_storage_hold(p->storage);
        if (p->storage->before != VK_IMAGE_LAYOUT_GENERAL)
            move(e, p->storage, p->storage->before, VK_IMAGE_LAYOUT_GENERAL);
    }
    return RP_OK;
}

void rp_encoder_give_back(rp_encoder *e) {
    for (uint32_t i = 0; i < e->lent_count; i++)
        if (e->lent[i]->after != VK_IMAGE_LAYOUT_GENERAL)
            move(e, e->lent[i], VK_IMAGE_LAYOUT_GENERAL, e->lent[i]->after);
}

void rp_encoder_forget_lent(rp_encoder *e) {
    while (e->lent_count) rp_storage_drop(e->lent[--e->lent_count]);
}

/* ---- Parts ----------------------------------------------------------------------------------- */

bool rp_encoder_find_part(rp_encoder *e, const char *what, const rp_encoder_part *part,
                          bool one_mip, rp_subresources *out) {
    const char *wrong = NULL;
    *out = (rp_subresources){0};
    if (!part) {
        (void)rp_encoder_refuse(e, RP_ERROR_INVALID, "%s: a part of an image is needed", what);
        return false;
    }
    const rp_subresources given = {part->first_mip, part->mips, part->first_layer, part->layers};
    if (part->buffer >= e->place_count) {
        (void)rp_encoder_refuse_range(e, what, part->buffer, 0, 0);
        return false;
    }
    const rp_encoder_place *p = &e->places[part->buffer];
    wrong = rp_image_find_part(&p->shape, &given, one_mip, out);
    if (!wrong && !p->storage) wrong = "it is not bound to a storage";
    if (wrong)
        (void)rp_encoder_refuse(e, RP_ERROR_INVALID,
                                "%s: mips %u+%u, layers %u+%u of %s, which has %u and %u: %s", what,
                                part->first_mip, part->mips, part->first_layer, part->layers,
                                p->name, p->shape.mips, p->shape.layers, wrong);
    return !wrong;
}

/* One range of a place's packed bytes; what calls do to it is possible there. */
static bool find_bytes(rp_encoder *e, const char *what, uint32_t buffer, uint64_t offset,
                       uint64_t size, bool write, use *out) {
    const rp_encoder_place *p = &e->places[buffer];
    *out = (use){.serial = p->serial,
                 .lo = p->offset + offset,
                 .hi = p->offset + offset + size,
                 .space = p->space,
                 .buffer = buffer,
                 .read = write ? RP_SCOPE_NONE : RP_SCOPE_TRANSFER_R,
                 .write = write ? RP_SCOPE_TRANSFER_W : RP_SCOPE_NONE};
    uint32_t denied = (out->read | out->write) & p->denied;
    if (denied) (void)rp_encoder_refuse_use(e, what, buffer, denied);
    return !denied;
}

/* A side of a transfer that is given as a part, which must be one range. */
static bool find_side(rp_encoder *e, const char *what, const rp_encoder_part *part, bool one_mip,
                      bool write, rp_image_side *out, use *out_use) {
    uint64_t offset, size;
    if (!rp_encoder_find_part(e, what, part, one_mip, &out->part)) return false;
    const rp_encoder_place *p = &e->places[part->buffer];
    out->image = p->storage;
    if (rp_image_pieces(&p->shape, &out->part) > 1) {
        (void)rp_encoder_refuse(
            e, RP_ERROR_INVALID,
            "%s: layers %u+%u of %u of several mips of %s; expected one mip, or "
            "all layers of some",
            what, out->part.first_layer, out->part.layers, p->shape.layers, p->name);
        return false;
    }
    rp_image_piece(&p->shape, &out->part, 0, &offset, &size);
    return find_bytes(e, what, part->buffer, offset, size, write, out_use);
}

/* The barriers before a transfer with images. */
static rp_status order(rp_encoder *e, const char *what, const use *uses, uint32_t count) {
    RP_TRY(rp_encoder_check_overlaps(e, what, uses, count));
    RP_TRY(rp_encoder_borrow(e, uses, count));
    RP_TRY(rp_encoder_order_transfer(e, uses, count));
    e->report.transfers++;
    return RP_OK;
}

/* ---- Transfers ------------------------------------------------------------------------------- */

/* A side of a copy: a range of a buffer, or of an image's packed bytes. */
static bool find_range(rp_encoder *e, const rp_encoder_range *r, bool write, rp_image_side *side,
                       use *out) {
    *side = (rp_image_side){0};
    if (r->buffer >= e->place_count || !e->places[r->buffer].shape.format) {
        bool found = rp_encoder_find(e, r, write ? RP_SCOPE_NONE : RP_SCOPE_TRANSFER_R,
                                     write ? RP_SCOPE_TRANSFER_W : RP_SCOPE_NONE, out);
        if (!found) (void)rp_encoder_refuse_range(e, "copy", r->buffer, r->offset, r->size);
        return found;
    }
    const rp_encoder_place *p = &e->places[r->buffer];
    uint64_t size = r->size ? r->size : r->offset < p->size ? p->size - r->offset : 0;
    const char *wrong = !p->storage ? "it is not bound to a storage"
                        : rp_image_subresources(&p->shape, r->offset, size, &side->part)
                            ? NULL
                            : "they are no whole subresources of its packed bytes";
    if (wrong) {
        (void)rp_encoder_refuse(e, RP_ERROR_INVALID, "copy: bytes [%llu+%llu] of %s: %s",
                                (unsigned long long)r->offset, (unsigned long long)size, p->name,
                                wrong);
        return false;
    }
    side->image = p->storage;
    return find_bytes(e, "copy", r->buffer, r->offset, size, write, out);
}

/* Between packed bytes and a buffer, in which they begin at a texel. */
static rp_status copy_bytes(rp_encoder *e, const rp_image_side *side, const use *image,
                            const use *buffer, const use *uses, bool upload) {
    const rp_encoder_place *p = &e->places[image->buffer];
    uint32_t texel = rp_image_format_get((rp_image_format)p->shape.format).bytes;
    if (buffer->lo % 4 || buffer->lo % texel)
        return rp_encoder_refuse(e, RP_ERROR_INVALID,
                                 "copy: in %s texels of %s begin at byte %llu of the VkBuffer; "
                                 "expected a multiple of 4 and of %u",
                                 e->places[buffer->buffer].name, p->name,
                                 (unsigned long long)buffer->lo, texel);
    RP_TRY(order(e, "copy", uses, 2));
    const rp_packed_bytes bytes = {.image = side->image,
                                   .offset = image->lo - RP_IMAGE_ORIGIN,
                                   .size = image->hi - image->lo,
                                   .buffer = e->places[buffer->buffer].handle,
                                   .at = buffer->lo};
    if (upload)
        rp_image_upload(e->bound.vk, e->bound.commands, &bytes);
    else
        rp_image_download(e->bound.vk, e->bound.commands, &bytes);
    return RP_OK;
}

rp_status rp_encoder_copy_image(rp_encoder *e, const rp_encoder_range *from,
                                const rp_encoder_range *to) {
    rp_image_side a, b;
    use uses[2];
    if (!find_range(e, from, false, &a, &uses[0]) || !find_range(e, to, true, &b, &uses[1]))
        return e->status;
    if (a.image && b.image && !rp_image_copies(&a.image->shape, &a.part, &b.image->shape, &b.part))
        return rp_encoder_refuse(
            e, RP_ERROR_INVALID,
            "copy: parts of %s and %s are not texels of one size in the same extents: blit scales",
            e->places[from->buffer].name, e->places[to->buffer].name);
    if (uses[0].hi - uses[0].lo != uses[1].hi - uses[1].lo)
        return rp_encoder_refuse(e, RP_ERROR_INVALID,
                                 "copy: the source has %llu bytes, the destination %llu",
                                 (unsigned long long)(uses[0].hi - uses[0].lo),
                                 (unsigned long long)(uses[1].hi - uses[1].lo));
    if (!a.image) return copy_bytes(e, &b, &uses[1], &uses[0], uses, true);
    if (!b.image) return copy_bytes(e, &a, &uses[0], &uses[1], uses, false);
    RP_TRY(order(e, "copy", uses, 2));
    rp_image_copy(e->bound.vk, e->bound.commands, &a, &b);
    return RP_OK;
}

/* Whether the formats of both sides are for blits; says what is not. */
static bool can_blit(rp_encoder *e, const use *uses, rp_filter filter) {
    const VkFormatFeatureFlags2 linear =
        filter == RP_FILTER_LINEAR ? VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_FILTER_LINEAR_BIT : 0;
    const VkFormatFeatureFlags2 wanted[2] = {VK_FORMAT_FEATURE_2_BLIT_SRC_BIT | linear,
                                             VK_FORMAT_FEATURE_2_BLIT_DST_BIT};
    uint32_t lacking = 0;
    for (int i = 0; i < 2; i++) {
        const rp_encoder_place *p = &e->places[uses[i].buffer];
        const rp_format_asked asked = {
            .place = "blit: ", .name = p->name, .format = p->shape.format, .wanted = wanted[i]};
        if (wanted[i] & ~p->features) lacking += rp_format_check(e->device, &asked, e->diags);
    }
    if (lacking) e->status = RP_ERROR_UNSUPPORTED;
    return !lacking;
}

rp_status rp_encoder_blit(rp_encoder *e, const rp_encoder_part *from, const rp_encoder_part *to,
                          rp_filter filter) {
    rp_image_side a, b;
    use uses[2];
    if (!e) return RP_ERROR_USAGE;
    RP_TRY(e->status);
    if (!find_side(e, "blit", from, true, false, &a, &uses[0]) ||
        !find_side(e, "blit", to, true, true, &b, &uses[1]))
        return e->status;
    const char *wrong =
        rp_image_blit_wrong(&a.image->shape, &a.part, &b.image->shape, &b.part, (uint32_t)filter);
    if (wrong)
        return rp_encoder_refuse(e, RP_ERROR_INVALID, "blit: %s to %s: %s",
                                 e->places[from->buffer].name, e->places[to->buffer].name, wrong);
    if (!e->device->adapter.info.queue_draws)
        return rp_encoder_refuse(e, RP_ERROR_UNSUPPORTED,
                                 "blit: the queue of family %u cannot: it only computes",
                                 e->device->adapter.queue_family);
    if (!can_blit(e, uses, filter)) return e->status;
    RP_TRY(order(e, "blit", uses, 2));
    rp_image_blit(e->bound.vk, e->bound.commands, &a, &b, (uint32_t)filter);
    return RP_OK;
}

rp_status rp_encoder_clear(rp_encoder *e, const rp_encoder_part *to, const void *texel) {
    rp_image_side side;
    use found;
    if (!e) return RP_ERROR_USAGE;
    RP_TRY(e->status);
    if (!texel) return rp_encoder_refuse(e, RP_ERROR_INVALID, "clear: a texel is needed");
    if (!find_side(e, "clear", to, false, true, &side, &found)) return e->status;
    RP_TRY(order(e, "clear", &found, 1));
    rp_image_clear(e->bound.vk, e->bound.commands, &side, texel);
    return RP_OK;
}
