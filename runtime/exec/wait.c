/* Waiting, and what is known of replays.
 *
 * A timeline semaphore counts finished replays, so that "is it idle" and "how many are done" are one
 * read of a counter; the queue signals in the order of submissions, so it only grows, though replays
 * of different slots may overlap. A second one counts pieces. Both live as long as the exec, since a
 * thread waits for them without its lock. */
#include "exec/copies.h"

/* ---- What is known --------------------------------------------------------------------------- */

rp_status rp_exec_refresh(rp_exec *exec) {
    if (exec->lost) return RP_ERROR_DEVICE_LOST;
    if (exec->completed == exec->submitted) return RP_OK;
    rp_device *device = exec->device;
    uint64_t value = 0;
    VkResult result = device->vk.GetSemaphoreCounterValue(device->handle, exec->timeline, &value);
    if (result != VK_SUCCESS) return rp_exec_note_loss(exec, rp_vk_status(result));
    /* A lost device may report any value. */
    if (value > exec->completed && value <= exec->submitted) exec->completed = value;
    rp_exec_look_for_stalls(exec);
    return RP_OK;
}

rp_status rp_exec_require_idle(rp_exec *exec, uint32_t slot, rp_diags *diags) {
    rp_status status = rp_exec_refresh(exec);
    if (exec->lost) return rp_exec_report_loss(exec, diags);
    RP_TRY(status);
    uint64_t last = slot == RP_ALL_SLOTS ? exec->submitted : exec->slots[slot].replay;
    if (last <= exec->completed) return rp_copies_fetch(exec, slot, diags);
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "replay %llu is still in flight%s: wait for it first",
                 (unsigned long long)last, slot == RP_ALL_SLOTS ? "" : " in this slot");
    return RP_ERROR_BUSY;
}

rp_status rp_exec_require_whole(const rp_exec *exec, rp_diags *diags) {
    if (!exec->begun.replay) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "replay %llu has pieces that are not submitted: rp_exec_continue or "
                 "rp_exec_cancel comes first",
                 (unsigned long long)exec->begun.replay);
    return RP_ERROR_BUSY;
}

/* ---- Waiting --------------------------------------------------------------------------------- */

static rp_status wait_for(rp_exec *exec, VkSemaphore timeline, uint64_t value, uint64_t timeout_ns,
                          rp_diags *diags) {
    const VkSemaphoreWaitInfo info = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
        .semaphoreCount = 1,
        .pSemaphores = &timeline,
        .pValues = &value,
    };
    rp_device *device = exec->device;
    rp_exec_count(exec, RP_COUNT_waits, 1);
    VkResult result = device->vk.WaitSemaphores(device->handle, &info, timeout_ns);
    if (result == VK_TIMEOUT) return RP_ERROR_TIMEOUT;
    if (result == VK_SUCCESS) return RP_OK;
    rp_status status = rp_vk_status(result);
    rp_exec_lock(exec);
    (void)rp_exec_note_loss(exec, status);
    if (exec->lost)
        (void)rp_exec_report_loss(exec, diags);
    else
        (void)rp_vk_result(result, "vk->WaitSemaphores", diags);
    rp_exec_unlock(exec);
    return status;
}

/* Resolves the number of a replay to wait for, with the exec's lock held. A replay with pieces that
 * nobody has submitted is not waited for by "all": it would not end. */
static rp_status resolve(rp_exec *exec, uint64_t *replay, rp_diags *diags) {
    if (exec->lost) return rp_exec_report_loss(exec, diags);
    if (*replay == 0) *replay = exec->begun.replay ? exec->begun.replay - 1 : exec->submitted;
    if (*replay <= exec->submitted) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "replay %llu cannot be waited for: %llu were submitted",
                 (unsigned long long)*replay, (unsigned long long)exec->submitted);
    return RP_ERROR_USAGE;
}

/* Whether some of a replay's first pieces were left off. */
static bool was_cancelled(const rp_exec *exec, uint64_t replay, uint32_t pieces) {
    for (uint32_t s = 0; s < exec->slots_count; s++) {
        const rp_slot *slot = &exec->slots[s];
        if (slot->replay == replay && slot->left_off && slot->left_off < pieces) return true;
    }
    return false;
}

rp_status rp_exec_wait_done(rp_exec *exec, uint64_t *replay, uint64_t timeout_ns, rp_diags *diags) {
    rp_exec_lock(exec);
    rp_status status = resolve(exec, replay, diags);
    bool done = exec->completed >= *replay;
    rp_exec_unlock(exec);
    RP_TRY(status);
    if (!done) RP_TRY(wait_for(exec, exec->timeline, *replay, timeout_ns, diags));
    rp_exec_lock(exec);
    if (exec->completed < *replay) exec->completed = *replay;
    rp_exec_look_for_stalls(exec);
    rp_exec_unlock(exec);
    return RP_OK;
}

rp_status rp_exec_wait(rp_exec *exec, uint64_t replay, uint64_t timeout_ns, rp_diags *diags) {
    if (!exec) return RP_ERROR_USAGE;
    bool all = replay == 0;
    RP_TRY(rp_exec_wait_done(exec, &replay, timeout_ns, diags));
    rp_exec_lock(exec);
    rp_status status = rp_copies_deliver(exec, replay, diags);
    bool cancelled = !all && was_cancelled(exec, replay, UINT32_MAX);
    if (status == RP_OK) status = rp_exec_report_stall(exec, replay, diags);
    rp_exec_unlock(exec);
    RP_TRY(status);
    return cancelled ? RP_ERROR_CANCELLED : RP_OK;
}

/* Whether pieces of a replay are signalled on their own. */
static bool has_pieces(const rp_exec *exec, uint64_t replay) {
    for (uint32_t s = 0; s < exec->slots_count; s++)
        if (exec->slots[s].replay == replay && exec->slots[s].reserved) return false;
    return exec->pieces_timeline && replay > exec->pieces_replay;
}

rp_status rp_exec_wait_pieces(rp_exec *exec, uint64_t replay, uint32_t count, uint64_t timeout_ns,
                              rp_diags *diags) {
    if (!exec || replay == 0) return RP_ERROR_USAGE;
    rp_exec_lock(exec);
    rp_status status = resolve(exec, &replay, diags);
    bool whole = count >= exec->pieces || !has_pieces(exec, replay);
    VkSemaphore timeline = whole ? exec->timeline : exec->pieces_timeline;
    uint64_t value = whole ? replay : rp_exec_piece_value(exec, replay, count);
    rp_exec_unlock(exec);
    RP_TRY(status);
    RP_TRY(wait_for(exec, timeline, value, timeout_ns, diags));
    rp_exec_lock(exec);
    if (whole && exec->completed < replay) exec->completed = replay;
    rp_exec_look_for_stalls(exec);
    bool cancelled = was_cancelled(exec, replay, count);
    status = rp_exec_report_stall(exec, replay, diags);
    rp_exec_unlock(exec);
    RP_TRY(status);
    return cancelled ? RP_ERROR_CANCELLED : RP_OK;
}

/* ---- Figures --------------------------------------------------------------------------------- */

void *rp_exec_timeline(const rp_exec *exec) {
    return exec ? exec->timeline : NULL;
}

uint64_t rp_exec_completed(rp_exec *exec) {
    if (!exec) return 0;
    rp_exec_lock(exec);
    (void)rp_exec_refresh(exec);
    uint64_t completed = exec->completed;
    rp_exec_unlock(exec);
    return completed;
}

/* The two timestamps of the slot's last replay. */
static bool read_ticks(rp_exec *exec, uint32_t slot, uint64_t ticks[2]) {
    rp_device *device = exec->device;
    rp_exec_lock(exec);
    const rp_slot *s = &exec->slots[slot];
    (void)rp_exec_refresh(exec);
    VkQueryPool queries = rp_form_slot(exec, s, s->ran)->queries;
    bool done = queries && s->replay > s->recorded && s->replay <= exec->completed &&
                !s->left_off && !s->reserved;
    done = done &&
           device->vk.GetQueryPoolResults(device->handle, queries, 0, 2, 2 * sizeof *ticks, ticks,
                                          sizeof *ticks, VK_QUERY_RESULT_64_BIT) == VK_SUCCESS;
    rp_exec_unlock(exec);
    return done;
}

double rp_exec_gpu_seconds(rp_exec *exec, uint32_t slot) {
    uint64_t ticks[2];
    if (!exec || slot >= exec->slots_count || !read_ticks(exec, slot, ticks)) return -1;
    return (double)rp_device_ticks(exec->device, ticks[1] - ticks[0]) *
           (double)exec->device->adapter.properties.limits.timestampPeriod * 1e-9;
}

rp_status rp_exec_gpu_span(rp_exec *exec, uint32_t slot, double *out_begin_ns, double *out_end_ns) {
    uint64_t ticks[2];
    if (!exec || slot >= exec->slots_count || !out_begin_ns || !out_end_ns) return RP_ERROR_USAGE;
    if (!read_ticks(exec, slot, ticks)) return RP_ERROR_NOT_FOUND;
    double period = (double)exec->device->adapter.properties.limits.timestampPeriod;
    *out_begin_ns = (double)rp_device_ticks(exec->device, ticks[0]) * period;
    *out_end_ns =
        *out_begin_ns + (double)rp_device_ticks(exec->device, ticks[1] - ticks[0]) * period;
    return RP_OK;
}

const char *rp_exec_lost_node(const rp_exec *exec) {
    if (!exec) return NULL;
    rp_exec_lock(exec);
    bool lost = exec->lost;
    rp_exec_unlock(exec);
    return lost ? exec->lost_text : NULL; /* written once */
}
