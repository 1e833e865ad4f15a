/* A plan's images: when one takes memory over, the barriers that this takes, and what nodes copy,
 * scale and clear.
 *
 * Transients of one alias set may have the same memory. The plan has proven that no two of them are
 * alive in one group, and that no barrier is missing between the uses of each; what is left is the
 * hand-over. In front of the first group that uses an image stands one barrier from layout UNDEFINED,
 * within the command that is there anyway: behind everything that any image of the set is used for, in
 * the replay before too, and in front of everything that this one is used for. A barrier of an image
 * makes available what was written through that image, and it is the others that wrote: so the same
 * scopes are in the boundary's barrier of memory, too. All this is there whether or not the device then
 * lets them share.
 *
 * All other images rest in GENERAL. Those that an application lends in another layout come from there
 * at the beginning of a replay and go where it wants them at its end; what the application does with
 * them before and after is its own to order, so those barriers are full ones on its side. */
#include "exec/exec.h"

#include <stdlib.h>

#include "driver/barrier.h"

/* ---- Taking over ----------------------------------------------------------------------------- */

static int by_group(const void *left, const void *right) {
    const rp_takeover *a = left, *b = right;
    if (a->group != b->group) return a->group < b->group ? -1 : 1;
    return a->buffer < b->buffer ? -1 : a->buffer > b->buffer;
}

/* By buffer: the first group that uses it. */
static void find_first_groups(const rp_plan *plan, uint32_t *first) {
    for (uint32_t i = rp_plan_count(plan, RP_SECTION_NODES); i-- > 0;) {
        const rp_plan_node *n = &rp_plan_nodes(plan)[i];
        for (uint32_t u = 0; u < n->use_count; u++)
            first[rp_plan_uses(plan)[n->first_use + u].buffer] = n->group;
    }
}

static void list_takeovers(rp_exec *exec, const uint32_t *first, uint32_t *set_scopes) {
    const rp_plan_buffer *buffers = rp_plan_buffers(exec->plan);
    uint32_t count = rp_plan_count(exec->plan, RP_SECTION_BUFFERS);
    for (uint32_t i = 0; i < count; i++)
        if (exec->wants[i].taken_over) set_scopes[buffers[i].offset] |= exec->scopes[i];
    for (uint32_t i = 0; i < count; i++)
        if (exec->wants[i].taken_over && first[i] != RP_UNSET)
            exec->takeovers[exec->takeovers_count++] =
                (rp_takeover){first[i], i, set_scopes[buffers[i].offset], exec->scopes[i]};
    if (exec->takeovers_count)
        qsort(exec->takeovers, exec->takeovers_count, sizeof *exec->takeovers, by_group);
}

rp_status rp_takeovers_plan(rp_exec *exec) {
    const rp_allocator *a = &exec->device->allocator;
    uint32_t count = rp_plan_count(exec->plan, RP_SECTION_BUFFERS), images = 0;
    for (uint32_t i = 0; i < count; i++)
        images += rp_plan_is_image(&rp_plan_buffers(exec->plan)[i]);
    if (images == 0) return RP_OK;
    uint32_t *first = rp_alloc(a, count, sizeof *first);
    uint32_t *set_scopes = rp_alloc_zero(a, count, sizeof *set_scopes);
    exec->takeovers = rp_alloc(a, images, sizeof *exec->takeovers);
    exec->image_barriers = rp_alloc(a, images, sizeof *exec->image_barriers);
    bool room = first && set_scopes && exec->takeovers && exec->image_barriers;
    for (uint32_t i = 0; room && i < count; i++) first[i] = RP_UNSET;
    if (room) {
        find_first_groups(exec->plan, first);
        list_takeovers(exec, first, set_scopes);
    }
    rp_release(a, first);
    rp_release(a, set_scopes);
    return room ? RP_OK : RP_ERROR_NO_MEMORY;
}

/* ---- Barriers -------------------------------------------------------------------------------- */

static rp_image_masks masks_of(const rp_exec *exec, uint32_t src, uint32_t dst) {
    VkMemoryBarrier2 lowered;
    (void)rp_barrier_lower(src, dst, exec->device->quirks, true, &lowered);
    return (rp_image_masks){.src_stages = lowered.srcStageMask,
                            .src = lowered.srcAccessMask,
                            .dst_stages = lowered.dstStageMask,
                            .dst = lowered.dstAccessMask};
}

static void take_over(const rp_exec *exec, const rp_slot *slot, const rp_takeover *t,
                      VkMemoryBarrier2 *memory, uint32_t *count) {
    const rp_image_masks masks = masks_of(exec, t->src, t->dst);
    memory->srcStageMask |= masks.src_stages;
    memory->srcAccessMask |= masks.src;
    memory->dstStageMask |= masks.dst_stages;
    memory->dstAccessMask |= masks.dst;
    exec->image_barriers[(*count)++] =
        rp_image_barrier(slot->places[t->buffer].storage, VK_IMAGE_LAYOUT_UNDEFINED,
                         VK_IMAGE_LAYOUT_GENERAL, &masks);
}

/* The application's side is all commands: what it does with its image is not known. */
static void borrow(const rp_exec *exec, const rp_storage *image, uint32_t scopes, bool back,
                   uint32_t *count) {
    const VkPipelineStageFlags2 stages = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT;
    rp_image_masks masks = masks_of(exec, scopes, scopes);
    if (back) {
        masks.dst_stages = stages;
        masks.dst = VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT;
    } else {
        masks.src_stages = stages;
        masks.src = VK_ACCESS_2_MEMORY_WRITE_BIT;
    }
    exec->image_barriers[(*count)++] =
        rp_image_barrier(image, back ? VK_IMAGE_LAYOUT_GENERAL : image->before,
                         back ? image->after : VK_IMAGE_LAYOUT_GENERAL, &masks);
}

uint32_t rp_boundary_images(const rp_exec *exec, const rp_slot *slot, uint32_t boundary,
                            VkMemoryBarrier2 *memory) {
    uint32_t count = 0, groups = rp_plan_count(exec->plan, RP_SECTION_GROUPS);
    for (uint32_t i = 0; i < exec->takeovers_count; i++)
        if (exec->takeovers[i].group == boundary)
            take_over(exec, slot, &exec->takeovers[i], memory, &count);
    if (!exec->image_barriers || groups == 0 || (boundary != 0 && boundary != groups)) return count;
    for (uint32_t i = 0; i < exec->plan->external_count; i++) {
        const rp_storage *storage = slot->places[i].storage;
        bool back = boundary != 0;
        if (storage && storage->image && exec->scopes[i] &&
            (back ? storage->after : storage->before) != VK_IMAGE_LAYOUT_GENERAL)
            borrow(exec, storage, exec->scopes[i], back, &count);
    }
    return count;
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

static rp_image_side side_of(const rp_slot *slot, const rp_plan_use *use) {
    const rp_storage *image = slot->places[use->buffer].storage;
    return (rp_image_side){image, rp_image_part_of(image, use->offset, use->size)};
}

/* Between the packed bytes of an image and a buffer. */
static void copy_bytes(const rp_exec *exec, const rp_slot *slot, const rp_plan_use *image,
                       const rp_plan_use *buffer, bool upload, VkCommandBuffer commands) {
    const rp_place *place = &slot->places[buffer->buffer];
    const rp_packed_bytes bytes = {.image = slot->places[image->buffer].storage,
                                   .offset = image->offset,
                                   .size = image->size,
                                   .buffer = place->handle,
                                   .at = place->offset + buffer->offset};
    if (upload)
        rp_image_upload(&exec->device->vk, commands, &bytes);
    else
        rp_image_download(&exec->device->vk, commands, &bytes);
}

void rp_record_image_node(const rp_exec *exec, const rp_slot *slot, const rp_plan_node *node,
                          VkCommandBuffer commands) {
    const rp_vk *vk = &exec->device->vk;
    const rp_plan_buffer *buffers = rp_plan_buffers(exec->plan);
    const rp_plan_use *uses = rp_plan_uses(exec->plan) + node->first_use;
    const rp_plan_use *last = &uses[node->use_count - 1];
    bool from = rp_plan_is_image(&buffers[uses->buffer]);
    bool to = rp_plan_is_image(&buffers[last->buffer]);
    if (from != to) {
        copy_bytes(exec, slot, from ? uses : last, from ? last : uses, to, commands);
        return;
    }
    const rp_image_side a = side_of(slot, uses), b = side_of(slot, last);
    const uint8_t *bytes = rp_plan_records(exec->plan, RP_SECTION_BYTES);
    if (node->kind == RP_CLEAR)
        rp_image_clear(vk, commands, &b, bytes + node->first_byte);
    else if (node->kind == RP_BLIT)
        rp_image_blit(vk, commands, &a, &b, node->pattern);
    else
        rp_image_copy(vk, commands, &a, &b);
}

/* ---- Storages of the application ------------------------------------------------------------- */

static bool has_usage(const rp_exec *exec, uint32_t buffer, const rp_storage *storage) {
    VkFlags wanted = exec->wants[buffer].usage;
    bool known = storage->image || !storage->imported; /* nobody says what a VkBuffer is good for */
    /* Nothing here clears what is the application's, and copies only what it asks for. */
    if (storage->image && storage->imported)
        wanted &=
            ~(VkFlags)(VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT) |
            (exec->scopes[buffer] & RP_SCOPE_TRANSFER_R ? VK_IMAGE_USAGE_TRANSFER_SRC_BIT : 0) |
            (exec->scopes[buffer] & RP_SCOPE_TRANSFER_W ? VK_IMAGE_USAGE_TRANSFER_DST_BIT : 0);
    return !known || (storage->usage & wanted) == wanted;
}

static const char *what_is_wrong(const rp_exec *exec, uint32_t buffer, const rp_storage *storage) {
    const rp_plan_buffer *b = &rp_plan_buffers(exec->plan)[buffer];
    const rp_image_shape shape = rp_plan_image(b);
    if (!rp_plan_is_image(b)) {
        if (storage->image) return "it is a buffer, and the storage is an image";
        if (rp_storage_lacks_usage(storage, exec->wants[buffer].usage &
                                                VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT))
            return RP_WITHOUT_ADDRESS;
        return has_usage(exec, buffer, storage)
                   ? NULL
                   : "the plan sees it as texels, and the storage was created without that usage";
    }
    if (!storage->image) return "it is an image, and the storage is a buffer";
    if (!rp_image_same(&shape, &storage->shape))
        return "the storage is an image of another format, dimension, extent, or number of mips or "
               "layers";
    if (!has_usage(exec, buffer, storage))
        return "the storage was created without a usage that the plan has for it (storage, "
               "sampled, "
               "transfer source or destination)";
    return NULL;
}

rp_status rp_image_check_storage(const rp_exec *exec, uint32_t buffer, const rp_storage *storage,
                                 rp_diags *diags) {
    const char *wrong = what_is_wrong(exec, buffer, storage);
    if (!wrong) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s cannot lie in %s: %s",
                 rp_plan_string(exec->plan, rp_plan_buffers(exec->plan)[buffer].name),
                 storage->name, wrong);
    return RP_ERROR_USAGE;
}
