/* The host's access to an exec's buffers: by copy, by pointer, and live values. Each call first
 * makes sure that the exec is idle and that the buffer is of a kind that the call is for. */
#include "exec/exec.h"

#include "base/checked.h"

static rp_status require_idle(rp_exec *exec, rp_diags *diags) {
    uint64_t completed = rp_exec_completed(exec);
    if (exec->lost) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s", exec->lost_text);
        return RP_ERROR_DEVICE_LOST;
    }
    if (completed == exec->submitted) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "%llu replays are still in flight: wait for the exec first",
                 (unsigned long long)(exec->submitted - completed));
    return RP_ERROR_BUSY;
}

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

static rp_status find(const rp_exec *exec, const char *buffer, rp_diags *diags, uint32_t *out) {
    rp_status status = rp_exec_find(exec, buffer, out);
    if (status == RP_ERROR_NOT_FOUND)
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "the plan has no buffer named %s that the host can reach", buffer);
    return status;
}

/* Finds a buffer and its memory for a copy of bytes; `kinds` has a bit per rp_buffer_kind allowed.
 */
static rp_status reach(rp_exec *exec, const char *buffer, uint32_t kinds, const char *verb,
                       uint64_t offset, uint64_t size, rp_diags *diags,
                       const rp_memory_buffer **out) {
    uint32_t index;
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
    RP_TRY(require_idle(exec, diags));
    *out = &exec->memory.buffers[exec->places[index].memory];
    return RP_OK;
}

rp_status rp_exec_write(rp_exec *exec, const char *buffer, uint64_t offset, const void *data,
                        uint64_t size, rp_diags *diags) {
    if (!exec || !buffer || (!data && size)) return RP_ERROR_USAGE;
    const uint32_t kinds = 1u << RP_IN | 1u << RP_INOUT | 1u << RP_WEIGHT;
    const rp_memory_buffer *target;
    RP_TRY(reach(exec, buffer, kinds, "write", offset, size, diags, &target));
    if (size == 0) return RP_OK;
    if (!target->mapped)
        return rp_staging_write(&exec->staging, target->handle, offset, data, size, diags);
    memcpy(target->mapped + offset, data, size);
    return RP_OK;
}

rp_status rp_exec_read(rp_exec *exec, const char *buffer, uint64_t offset, void *data,
                       uint64_t size, rp_diags *diags) {
    if (!exec || !buffer || (!data && size)) return RP_ERROR_USAGE;
    const uint32_t kinds = 1u << RP_OUT | 1u << RP_INOUT;
    const rp_memory_buffer *source;
    RP_TRY(reach(exec, buffer, kinds, "read", offset, size, diags, &source));
    if (size == 0) return RP_OK;
    if (!source->mapped)
        return rp_staging_read(&exec->staging, source->handle, offset, data, size, diags);
    memcpy(data, source->mapped + offset, size);
    return RP_OK;
}

void *rp_exec_map(rp_exec *exec, const char *buffer, uint64_t *out_size) {
    if (out_size) *out_size = 0;
    uint32_t index;
    if (rp_exec_find(exec, buffer, &index) != RP_OK) return NULL;
    const rp_memory_buffer *where = &exec->memory.buffers[exec->places[index].memory];
    /* Live values go through rp_exec_set_live, which also computes the grids. */
    if (where->purpose != RP_PURPOSE_EXTERNAL || !where->mapped) return NULL;
    if (out_size) *out_size = where->size;
    return where->mapped;
}

rp_status rp_exec_set_live(rp_exec *exec, const char *buffer, uint32_t first_element,
                           const void *values, uint32_t count, rp_diags *diags) {
    if (!exec || !buffer) return RP_ERROR_USAGE;
    uint32_t index;
    RP_TRY(find(exec, buffer, diags, &index));
    return rp_exec_set_live_at(exec, index, first_element, values, count, diags);
}

rp_status rp_exec_set_live_at(rp_exec *exec, uint32_t index, uint32_t first_element,
                              const void *values, uint32_t count, rp_diags *diags) {
    if (!exec || (!values && count)) return RP_ERROR_USAGE;
    if (index >= exec->plan->external_count || rp_plan_buffers(exec->plan)[index].kind != RP_LIVE) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "buffer %u of the plan is not a live buffer",
                     index);
        return RP_ERROR_USAGE;
    }
    RP_TRY(require_idle(exec, diags));
    if (count == 0) return RP_OK;
    return rp_live_set(&exec->live, exec->memory.buffers[exec->live.buffer].mapped, index,
                       first_element, values, count, diags);
}
