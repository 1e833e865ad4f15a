/* The application's bindings: which of them are possible, and the places that they are. */
#include "exec/exec.h"

#include "base/checked.h"

/* ---- Binding --------------------------------------------------------------------------------- */

static const char *binding_name(const rp_binding *binding) {
    return binding->buffer ? binding->buffer : "the arena";
}

/* The plan's buffer of that name, of any kind. */
static rp_status find_any(const rp_exec *exec, const char *name, rp_diags *diags, uint32_t *out) {
    const rp_plan_buffer *buffers = rp_plan_buffers(exec->plan);
    uint32_t count = rp_plan_count(exec->plan, RP_SECTION_BUFFERS);
    for (*out = 0; *out < count; (*out)++)
        if (strcmp(rp_plan_string(exec->plan, buffers[*out].name), name) == 0) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "the plan has no buffer named %s to bind", name);
    return RP_ERROR_NOT_FOUND;
}

static rp_status wrong_binding(const rp_binding *binding, rp_diags *diags, const char *why) {
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s cannot be bound: %s", binding_name(binding), why);
    return RP_ERROR_USAGE;
}

/* What is done with what is bound. */
typedef struct demand {
    uint32_t scopes, alignment;
} demand;

static demand demand_of(const rp_exec *exec, uint32_t buffer) {
    return (demand){exec->scopes[buffer], exec->wants[buffer].alignment};
}

/* Whether what is used so may begin at that byte of a VkBuffer. */
static rp_status check_alignment(const rp_exec *exec, const char *name, uint64_t at, demand wanted,
                                 rp_diags *diags) {
    const VkPhysicalDeviceLimits *limits = &exec->device->adapter.properties.limits;
    uint64_t alignment = 4; /* of fills and indirect grids */
    if (wanted.alignment > alignment) alignment = wanted.alignment;
    if (limits->minStorageBufferOffsetAlignment > alignment)
        alignment = limits->minStorageBufferOffsetAlignment;
    if ((wanted.scopes & RP_SCOPE_COMPUTE_U) && limits->minUniformBufferOffsetAlignment > alignment)
        alignment = limits->minUniformBufferOffsetAlignment;
    if (at % alignment == 0) return RP_OK;
    rp_diags_add(
        diags, RP_ERROR, NULL, 0, 0,
        "%s cannot be bound at byte %llu of a VkBuffer: device %s binds it at multiples of "
        "%llu",
        name, (unsigned long long)at, exec->device->adapter.info.name,
        (unsigned long long)alignment);
    return RP_ERROR_USAGE;
}

/* Where a binding puts the buffer of a slot. */
static uint64_t offset_in_slot(const rp_binding *binding, uint32_t slot) {
    return binding->offset + slot * binding->slot_stride;
}

/* Whether a range of so many bytes may be bound at a byte of the binding's storage. */
static rp_status check_range(const rp_exec *exec, const rp_binding *binding, uint64_t offset,
                             uint64_t bytes, demand wanted, rp_diags *diags) {
    const rp_storage *storage = binding->storage;
    if (!rp_range_inside(offset, bytes, storage->size)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s has %llu bytes and cannot be bound at byte %llu of %s, which has %llu",
                     binding_name(binding), (unsigned long long)bytes, (unsigned long long)offset,
                     storage->name, (unsigned long long)storage->size);
        return RP_ERROR_USAGE;
    }
    return check_alignment(exec, binding_name(binding), storage->offset + offset, wanted, diags);
}

/* Whether a buffer of so many bytes may be bound so. */
static rp_status check_binding(const rp_exec *exec, const rp_binding *binding, uint64_t bytes,
                               demand wanted, bool shared, rp_diags *diags) {
    const rp_storage *storage = binding->storage;
    uint32_t last = exec->slots_count - 1;
    if (!storage) return wrong_binding(binding, diags, "it has no storage");
    if (storage->device != exec->device)
        return wrong_binding(binding, diags, "the storage is another device's");
    if (binding->slot >= exec->slots_count && binding->slot != RP_ALL_SLOTS) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s cannot be bound for slot %u: the exec has %u (from 0), or RP_ALL_SLOTS",
                     binding_name(binding), binding->slot, exec->slots_count);
        return RP_ERROR_USAGE;
    }
    if (binding->slot_stride && (shared || binding->slot != RP_ALL_SLOTS))
        return wrong_binding(binding, diags,
                             shared ? "slots share it, slot_stride is 0"
                                    : "slot_stride goes with RP_ALL_SLOTS");
    if (binding->slot_stride > (UINT64_MAX - binding->offset) / (last ? last : 1))
        return wrong_binding(binding, diags, "slot_stride leads past any storage");
    RP_TRY(check_range(exec, binding, binding->offset, bytes, wanted, diags));
    if (!binding->slot_stride) return RP_OK;
    for (uint32_t s = 1; s <= last; s++)
        RP_TRY(check_range(exec, binding, offset_in_slot(binding, s), bytes, wanted, diags));
    return RP_OK;
}

void rp_place_hold(rp_place *place, rp_storage *storage, uint64_t offset, uint64_t bytes) {
    place->storage = rp_storage_hold(storage);
    place->handle = storage->handle;
    place->offset = storage->offset + offset;
    place->bytes = bytes;
    place->mapped = storage->mapped ? storage->mapped + offset : NULL;
}

/* Of the arena as a whole, in whichever form. */
VkFlags rp_arena_usage(const rp_exec *exec) {
    VkFlags usage = 0;
    for (uint32_t i = 0; i < exec->part_count; i++) usage |= rp_arena_usage(exec->parts[i]);
    for (uint32_t i = 0; i < rp_plan_count(exec->plan, RP_SECTION_BUFFERS); i++)
        if (rp_plan_in_arena(&rp_plan_buffers(exec->plan)[i])) usage |= exec->wants[i].usage;
    return usage;
}

uint32_t rp_arena_scopes(const rp_exec *exec) {
    uint32_t scopes = RP_SCOPE_NONE;
    for (uint32_t i = 0; i < exec->part_count; i++) scopes |= rp_arena_scopes(exec->parts[i]);
    for (uint32_t i = 0; i < rp_plan_count(exec->plan, RP_SECTION_BUFFERS); i++)
        if (rp_plan_in_arena(&rp_plan_buffers(exec->plan)[i])) scopes |= exec->scopes[i];
    return scopes;
}

/* A transient may be uniform. */
static demand arena_demand(const rp_exec *exec) {
    demand sum = {RP_SCOPE_COMPUTE_U, 0};
    for (uint32_t i = 0; i < exec->part_count; i++) {
        demand part = arena_demand(exec->parts[i]);
        if (part.alignment > sum.alignment) sum.alignment = part.alignment;
    }
    for (uint32_t i = 0; i < rp_plan_count(exec->plan, RP_SECTION_BUFFERS); i++)
        if (rp_plan_in_arena(&rp_plan_buffers(exec->plan)[i]) &&
            exec->wants[i].alignment > sum.alignment)
            sum.alignment = exec->wants[i].alignment;
    return sum;
}

/* Nobody says what an imported VkBuffer is good for. */
bool rp_storage_lacks_usage(const rp_storage *storage, VkFlags usage) {
    return !storage || storage->image || (!storage->imported && (storage->usage & usage) != usage);
}

rp_status rp_place_check_alignment(const rp_exec *exec, uint32_t buffer, const rp_place *place,
                                   rp_diags *diags) {
    const char *name = rp_plan_string(exec->plan, rp_plan_buffers(exec->plan)[buffer].name);
    return check_alignment(exec, name, place->offset, demand_of(exec, buffer), diags);
}

static rp_status check_image(const rp_exec *exec, const rp_binding *binding, uint32_t index,
                             rp_diags *diags) {
    const rp_storage *storage = binding->storage;
    const rp_plan_buffer *buffer = &rp_plan_buffers(exec->plan)[index];
    bool rests = storage->before == VK_IMAGE_LAYOUT_GENERAL && storage->after == storage->before;
    if (rp_plan_is_image(buffer) && buffer->kind == RP_TMP)
        return wrong_binding(binding, diags, "a transient image is the exec's own");
    if (storage->image && binding->slot_stride)
        return wrong_binding(binding, diags,
                             "an image has no range for each slot: bind each its own");
    RP_TRY(rp_image_check_storage(exec, index, storage, diags));
    if (storage->image && !rests && exec->slots_count > 1 &&
        (binding->slot == RP_ALL_SLOTS || rp_slots_share(exec, buffer)))
        return wrong_binding(binding, diags,
                             "replays of several slots change its layout at the same time: give it "
                             "layout GENERAL");
    return RP_OK;
}

static rp_status enter(const rp_exec *exec, rp_slot *slots, const rp_binding *binding,
                       rp_diags *diags) {
    uint32_t index = RP_UNSET;
    demand wanted = arena_demand(exec);
    uint64_t bytes = exec->arena_bytes;
    bool shared = false;
    if (binding->buffer) {
        RP_TRY(find_any(exec, binding->buffer, diags, &index));
        const rp_plan_buffer *buffer = &rp_plan_buffers(exec->plan)[index];
        bytes = rp_plan_footprint(buffer, buffer->size);
        wanted = demand_of(exec, index);
        shared = rp_slots_share(exec, buffer);
        if (buffer->kind == RP_TMP && exec->part_count)
            return wrong_binding(
                binding, diags,
                "the plan has several forms, each with transients of its own: bind "
                "the arena");
        if (buffer->kind == RP_LIVE && binding->storage && !binding->storage->mapped)
            return wrong_binding(binding, diags,
                                 "live values are set by the host, which cannot see the storage");
    } else if (bytes == 0) {
        return wrong_binding(binding, diags, "the plan has no transients");
    } else if (exec->params.separate_buffers) {
        return wrong_binding(binding, diags,
                             "separate_buffers puts each transient in memory of its own");
    }
    RP_TRY(check_binding(exec, binding, bytes, wanted, shared, diags));
    if (index != RP_UNSET)
        RP_TRY(check_image(exec, binding, index, diags));
    else if (rp_storage_lacks_usage(binding->storage,
                                    rp_arena_usage(exec) &
                                        VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT))
        return wrong_binding(binding, diags, RP_WITHOUT_ADDRESS);
    else if (rp_storage_lacks_usage(binding->storage, rp_arena_usage(exec)))
        return wrong_binding(binding, diags,
                             "transients are seen as texels, and the storage has not that usage");
    for (uint32_t s = 0; s < exec->slots_count; s++) {
        if (!shared && binding->slot != RP_ALL_SLOTS && binding->slot != s) continue;
        rp_place *place = binding->buffer ? &slots[s].places[index] : &slots[s].arena;
        if (place->storage) return wrong_binding(binding, diags, "it is bound twice");
        rp_place_hold(place, binding->storage, offset_in_slot(binding, s), bytes);
    }
    return RP_OK;
}

rp_status rp_slots_bind(const rp_exec *exec, rp_slot *slots, const rp_binding *bindings,
                        uint32_t count, rp_diags *diags) {
    for (uint32_t i = 0; i < count; i++) RP_TRY(enter(exec, slots, &bindings[i], diags));
    return RP_OK;
}

/* Whether the application has bound a buffer, or the arena for RP_UNSET, in all slots or in none. One
 * that it forgot would silently get memory of its own. */
static rp_status check_whole(const rp_exec *exec, const rp_slot *slots, uint32_t buffer,
                             rp_diags *diags) {
    uint32_t bound = 0, without = 0;
    for (uint32_t s = 0; s < exec->slots_count; s++) {
        const rp_place *place = buffer == RP_UNSET ? &slots[s].arena : &slots[s].places[buffer];
        if (place->storage && !place->own)
            bound++;
        else
            without = s;
    }
    if (bound == 0 || bound == exec->slots_count) return RP_OK;
    const char *name = "the arena";
    if (buffer != RP_UNSET)
        name = rp_plan_string(exec->plan, rp_plan_buffers(exec->plan)[buffer].name);
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "%s is bound in %u of %u slots, and not in slot %u: bind it in every slot (slot = "
                 "RP_ALL_SLOTS, with slot_stride for ranges of their own) or in none",
                 name, bound, exec->slots_count, without);
    return RP_ERROR_USAGE;
}

rp_status rp_slots_check_whole(const rp_exec *exec, const rp_slot *slots, rp_diags *diags) {
    const rp_plan_buffer *buffers = rp_plan_buffers(exec->plan);
    for (uint32_t i = 0; i < rp_plan_count(exec->plan, RP_SECTION_BUFFERS); i++)
        if (!rp_slots_share(exec, &buffers[i])) RP_TRY(check_whole(exec, slots, i, diags));
    return check_whole(exec, slots, RP_UNSET, diags);
}
