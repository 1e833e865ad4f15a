/* The host's access to an exec's buffers: by pointer, and live values; copies are in transfer.c.
 * Each call first makes sure that the slot is idle and that the buffer is of a kind that the call is
 * for. */
#include "exec/copies.h"

#include "base/given.h"
#include "base/sized.h"

rp_status rp_exec_look_up(const rp_exec *exec, const char *buffer, uint32_t *out_index) {
    for (uint32_t i = 0; i < exec->plan->external_count; i++) {
        const rp_plan_buffer *record = &rp_plan_buffers(exec->plan)[i];
        if (strcmp(rp_plan_string(exec->plan, record->name), buffer) != 0) continue;
        *out_index = i;
        return RP_OK;
    }
    return RP_ERROR_NOT_FOUND;
}

rp_status rp_exec_find(const rp_exec *exec, const char *buffer, uint32_t *out_index) {
    if (!out_index) return RP_ERROR_USAGE;
    *out_index = 0;
    if (!exec || !buffer) return RP_ERROR_USAGE;
    rp_exec_lock(exec);
    rp_status status = rp_exec_look_up(exec, buffer, out_index);
    rp_exec_unlock(exec);
    return status;
}

rp_status rp_exec_check_slot(const rp_exec *exec, uint32_t slot, rp_diags *diags) {
    if (slot < exec->slots_count) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "the exec has %u slots, there is no slot %u",
                 exec->slots_count, slot);
    return RP_ERROR_USAGE;
}

rp_status rp_exec_find_reachable(const rp_exec *exec, const char *buffer, rp_diags *diags,
                                 uint32_t *out) {
    *out = 0;
    rp_status status = rp_exec_look_up(exec, buffer, out);
    if (status == RP_ERROR_NOT_FOUND)
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "the plan has no buffer named %s that the host can reach", buffer);
    return status;
}

rp_status rp_exec_map(rp_exec *exec, uint32_t slot, const char *buffer, rp_diags *diags,
                      void **out_data, uint64_t *out_size) {
    if (out_size) *out_size = 0;
    if (!out_data) return RP_ERROR_USAGE;
    *out_data = NULL;
    if (!exec || !buffer) return RP_ERROR_USAGE;
    uint32_t index;
    rp_exec_lock(exec);
    rp_status status = rp_exec_check_slot(exec, slot, diags);
    if (status == RP_OK) status = rp_exec_find_reachable(exec, buffer, diags, &index);
    if (status == RP_OK) {
        const rp_plan_buffer *record = &rp_plan_buffers(exec->plan)[index];
        uint8_t *mapped = exec->slots[slot].places[index].mapped;
        if (record->kind == RP_LIVE) {
            rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                         "%s is a live buffer: rp_exec_set_live also computes the grids", buffer);
            status = RP_ERROR_USAGE;
        } else if (!mapped) {
            rp_diags_add(
                diags, RP_ERROR, NULL, 0, 0,
                rp_plan_is_image(record)
                    ? "%s is an image, whose bytes the device lays out: copy it"
                    : "%s lies in memory that the host cannot see: copy it, or bind it to a "
                      "host-visible storage",
                buffer);
            status = RP_ERROR_UNSUPPORTED;
        } else {
            *out_data = mapped;
            if (out_size) *out_size = record->size;
        }
    }
    rp_exec_unlock(exec);
    return status;
}

static rp_status set_live(rp_exec *exec, uint32_t slot, uint32_t index, uint32_t first,
                          const void *values, uint32_t count, rp_diags *diags) {
    RP_TRY(rp_exec_check_slot(exec, slot, diags));
    if (index >= exec->plan->external_count) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "there is no buffer %u: the plan has %u that the host can reach", index,
                     exec->plan->external_count);
        return RP_ERROR_USAGE;
    }
    const rp_plan_buffer *record = &rp_plan_buffers(exec->plan)[index];
    if (record->kind != RP_LIVE) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s is of kind %s, only live buffers have live values",
                     rp_plan_string(exec->plan, record->name),
                     rp_buffer_kind_name((rp_buffer_kind)record->kind));
        return RP_ERROR_USAGE;
    }
    RP_TRY(rp_exec_require_idle(exec, slot, diags));
    if (count == 0) return RP_OK;
    return rp_forms_set(exec, &exec->slots[slot], index, first, values, count, diags);
}

rp_status rp_exec_set_live_at(rp_exec *exec, uint32_t slot, uint32_t index, uint32_t first_element,
                              const void *values, uint32_t count, rp_diags *diags) {
    if (!exec || !rp_array_given(values, count, "values", diags)) return RP_ERROR_USAGE;
    rp_exec_lock(exec);
    rp_status status = set_live(exec, slot, index, first_element, values, count, diags);
    rp_exec_unlock(exec);
    return status;
}

rp_status rp_exec_set_live(rp_exec *exec, uint32_t slot, const char *buffer, uint32_t first_element,
                           const void *values, uint32_t count, rp_diags *diags) {
    if (!exec || !buffer || !rp_array_given(values, count, "values", diags)) return RP_ERROR_USAGE;
    uint32_t index;
    rp_exec_lock(exec);
    rp_status status = rp_exec_find_reachable(exec, buffer, diags, &index);
    if (status == RP_OK) status = set_live(exec, slot, index, first_element, values, count, diags);
    rp_exec_unlock(exec);
    return status;
}

rp_status rp_exec_get_range(rp_exec *exec, uint32_t slot, const char *buffer, rp_diags *diags,
                            rp_range_info *out_range) {
    rp_range_info range = {0};
    if (!out_range) return RP_ERROR_USAGE;
    if (!rp_sized_give(&range, sizeof range, out_range))
        return rp_sized_refuse(diags, "rp_range_info");
    if (!exec) return RP_ERROR_USAGE;
    uint32_t index = RP_UNSET;
    rp_exec_lock(exec);
    rp_status status = rp_exec_check_slot(exec, slot, diags);
    if (status == RP_OK && buffer) status = rp_exec_find_reachable(exec, buffer, diags, &index);
    /* From now on others may use the storage. */
    if (status == RP_OK) status = rp_copies_secure(exec, RP_ALL_SLOTS, diags);
    if (status == RP_OK) {
        const rp_slot *s = &exec->slots[slot];
        const rp_place *place = buffer ? &s->places[index] : &s->arena;
        if (place->storage) place->storage->known = true;
        range.storage = place->storage;
        if (place->storage) range.offset = place->offset - place->storage->offset;
        range.bytes = buffer ? rp_plan_buffers(exec->plan)[index].size
                             : (place->storage ? exec->arena_bytes : 0);
        (void)rp_sized_give(&range, sizeof range, out_range);
    }
    rp_exec_unlock(exec);
    return status;
}

static rp_status get_shape(rp_exec *exec, uint32_t slot, const char *buffer, uint64_t *shape,
                           uint64_t *out_bytes, rp_diags *diags) {
    uint32_t index;
    uint64_t bytes;
    RP_TRY(rp_exec_check_slot(exec, slot, diags));
    RP_TRY(rp_exec_find_reachable(exec, buffer, diags, &index));
    rp_plan_buffer_info info = {.size = sizeof info};
    RP_TRY(rp_plan_get_buffer(exec->plan, index, &info));
    bytes = info.bytes;
    if (info.rank) memcpy(shape, info.shape, info.rank * sizeof *shape);
    if (info.sized && !rp_live_shape(&exec->live, &exec->slots[slot].live, index, shape, &bytes))
        return RP_ERROR_INVALID; /* no value that may be set makes it so */
    if (out_bytes) *out_bytes = bytes;
    return RP_OK;
}

rp_status rp_exec_get_shape(rp_exec *exec, uint32_t slot, const char *buffer, uint64_t *shape,
                            uint64_t *out_bytes, rp_diags *diags) {
    if (!exec || !buffer || !shape) return RP_ERROR_USAGE;
    rp_exec_lock(exec);
    rp_status status = get_shape(exec, slot, buffer, shape, out_bytes, diags);
    rp_exec_unlock(exec);
    return status;
}
