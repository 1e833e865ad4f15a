/* The host's access to an exec's buffers: by copy, by pointer, and live values. Each call first
 * makes sure that the slot is idle and that the buffer is of a kind that the call is for. */
#include "exec/exec.h"

#include "base/checked.h"
#include "memory/staging.h"

rp_status rp_exec_find(const rp_exec *exec, const char *buffer, uint32_t *out_index) {
    if (!out_index) return RP_ERROR_USAGE;
    *out_index = 0;
    if (!exec || !buffer) return RP_ERROR_USAGE;
    for (uint32_t i = 0; i < exec->plan->external_count; i++) {
        const rp_plan_buffer *record = &rp_plan_buffers(exec->plan)[i];
        if (strcmp(rp_plan_string(exec->plan, record->name), buffer) != 0) continue;
        *out_index = i;
        return RP_OK;
    }
    return RP_ERROR_NOT_FOUND;
}

static rp_status check_slot(const rp_exec *exec, uint32_t slot, rp_diags *diags) {
    if (slot < exec->slots_count) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "the exec has %u slots, there is no slot %u",
                 exec->slots_count, slot);
    return RP_ERROR_USAGE;
}

static rp_status find(const rp_exec *exec, const char *buffer, rp_diags *diags, uint32_t *out) {
    rp_status status = rp_exec_find(exec, buffer, out);
    if (status == RP_ERROR_NOT_FOUND)
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "the plan has no buffer named %s that the host can reach", buffer);
    return status;
}

/* Finds a buffer's place for a copy of bytes; `kinds` has a bit per rp_buffer_kind allowed. */
static rp_status reach(rp_exec *exec, uint32_t slot, const char *buffer, uint32_t kinds,
                       const char *verb, uint64_t offset, uint64_t size, rp_diags *diags,
                       const rp_place **out) {
    uint32_t index;
    RP_TRY(check_slot(exec, slot, diags));
    RP_TRY(find(exec, buffer, diags, &index));
    const rp_plan_buffer *record = &rp_plan_buffers(exec->plan)[index];
    if (!(kinds >> record->kind & 1)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s is of kind %s, the host cannot %s it%s",
                     buffer, rp_buffer_kind_name((rp_buffer_kind)record->kind), verb,
                     record->kind == RP_LIVE ? ": use rp_exec_set_live" : "");
        return RP_ERROR_USAGE;
    }
    if (!rp_range_inside(offset, size, record->size)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "bytes %llu + %llu are outside %s, which has %llu", (unsigned long long)offset,
                     (unsigned long long)size, buffer, (unsigned long long)record->size);
        return RP_ERROR_USAGE;
    }
    uint32_t whose = rp_slots_share(exec, record) ? RP_ALL_SLOTS : slot;
    RP_TRY(rp_exec_require_idle(exec, whose, diags));
    *out = &exec->slots[slot].places[index];
    return RP_OK;
}

static rp_status write(rp_exec *exec, uint32_t slot, const char *buffer, uint64_t offset,
                       const void *data, uint64_t size, rp_diags *diags) {
    const uint32_t kinds = 1u << RP_IN | 1u << RP_INOUT | 1u << RP_WEIGHT;
    const rp_place *target;
    RP_TRY(reach(exec, slot, buffer, kinds, "write", offset, size, diags, &target));
    if (size == 0) return RP_OK;
    rp_exec_count(exec, RP_COUNT_bytes_up, size);
    if (!target->mapped)
        return rp_staging_write(exec->device, target->handle, target->offset + offset, data, size,
                                diags);
    memcpy(target->mapped + offset, data, size);
    return RP_OK;
}

rp_status rp_exec_write(rp_exec *exec, uint32_t slot, const char *buffer, uint64_t offset,
                        const void *data, uint64_t size, rp_diags *diags) {
    if (!exec || !buffer || (!data && size)) return RP_ERROR_USAGE;
    rp_exec_lock(exec);
    rp_status status = write(exec, slot, buffer, offset, data, size, diags);
    rp_exec_unlock(exec);
    return status;
}

static rp_status read(rp_exec *exec, uint32_t slot, const char *buffer, uint64_t offset, void *data,
                      uint64_t size, rp_diags *diags) {
    const uint32_t kinds = 1u << RP_OUT | 1u << RP_INOUT;
    const rp_place *source;
    RP_TRY(reach(exec, slot, buffer, kinds, "read", offset, size, diags, &source));
    if (size == 0) return RP_OK;
    rp_exec_count(exec, RP_COUNT_bytes_down, size);
    if (!source->mapped)
        return rp_staging_read(exec->device, source->handle, source->offset + offset, data, size,
                               diags);
    memcpy(data, source->mapped + offset, size);
    return RP_OK;
}

rp_status rp_exec_read(rp_exec *exec, uint32_t slot, const char *buffer, uint64_t offset,
                       void *data, uint64_t size, rp_diags *diags) {
    if (!exec || !buffer || (!data && size)) return RP_ERROR_USAGE;
    rp_exec_lock(exec);
    rp_status status = read(exec, slot, buffer, offset, data, size, diags);
    rp_exec_unlock(exec);
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
    rp_status status = check_slot(exec, slot, diags);
    if (status == RP_OK) status = find(exec, buffer, diags, &index);
    if (status == RP_OK) {
        const rp_plan_buffer *record = &rp_plan_buffers(exec->plan)[index];
        uint8_t *mapped = exec->slots[slot].places[index].mapped;
        if (record->kind == RP_LIVE) {
            rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                         "%s is a live buffer: rp_exec_set_live also computes the grids", buffer);
            status = RP_ERROR_USAGE;
        } else if (!mapped) {
            rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                         "%s lies in memory that the host cannot see: copy it, or bind it to a "
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
    RP_TRY(check_slot(exec, slot, diags));
    if (index >= exec->plan->external_count || rp_plan_buffers(exec->plan)[index].kind != RP_LIVE) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "buffer %u of the plan is not a live buffer",
                     index);
        return RP_ERROR_USAGE;
    }
    RP_TRY(rp_exec_require_idle(exec, slot, diags));
    if (count == 0) return RP_OK;
    return rp_live_set(&exec->live, &exec->slots[slot].live, index, first, values, count, diags);
}

rp_status rp_exec_set_live_at(rp_exec *exec, uint32_t slot, uint32_t index, uint32_t first_element,
                              const void *values, uint32_t count, rp_diags *diags) {
    if (!exec || (!values && count)) return RP_ERROR_USAGE;
    rp_exec_lock(exec);
    rp_status status = set_live(exec, slot, index, first_element, values, count, diags);
    rp_exec_unlock(exec);
    return status;
}

rp_status rp_exec_set_live(rp_exec *exec, uint32_t slot, const char *buffer, uint32_t first_element,
                           const void *values, uint32_t count, rp_diags *diags) {
    if (!exec || !buffer || (!values && count)) return RP_ERROR_USAGE;
    uint32_t index;
    rp_exec_lock(exec);
    rp_status status = find(exec, buffer, diags, &index);
    if (status == RP_OK) status = set_live(exec, slot, index, first_element, values, count, diags);
    rp_exec_unlock(exec);
    return status;
}

rp_status rp_exec_get_range(rp_exec *exec, uint32_t slot, const char *buffer, rp_diags *diags,
                            rp_range_info *out_range) {
    if (!out_range) return RP_ERROR_USAGE;
    *out_range = (rp_range_info){0};
    if (!exec) return RP_ERROR_USAGE;
    const rp_plan_graph *graph = rp_plan_records(exec->plan, RP_SECTION_GRAPH);
    uint32_t index = RP_UNSET;
    rp_exec_lock(exec);
    rp_status status = check_slot(exec, slot, diags);
    if (status == RP_OK && buffer) status = find(exec, buffer, diags, &index);
    if (status == RP_OK) {
        const rp_slot *s = &exec->slots[slot];
        const rp_place *place = buffer ? &s->places[index] : &s->arena;
        out_range->storage = place->storage;
        if (place->storage) out_range->offset = place->offset - place->storage->offset;
        out_range->bytes = buffer ? rp_plan_buffers(exec->plan)[index].size
                                  : (place->storage ? graph->arena_bytes : 0);
    }
    rp_exec_unlock(exec);
    return status;
}
