/* Submitting and waiting.
 *
 * A submission is vkQueueSubmit2 with recorded commands: arrays are filled in, nothing is decided
 * that could have been before. They lie in the call's own memory unless the caller names more
 * semaphores than fit there. A timeline semaphore counts finished replays, so that "is it idle" and
 * "how many are done" are one read of a counter; the queue signals in the order of submissions, so
 * it only grows, though replays of different slots may overlap. */
#include "exec/exec.h"

#include <stdio.h>
#include "base/sized.h"
#include "exec/links.h"

/* ---- What is known --------------------------------------------------------------------------- */

/* Keeps what is known about a loss. Vulkan tells that the device is gone, not where it was. */
rp_status rp_exec_note_loss(rp_exec *exec, rp_status status) {
    if (status != RP_ERROR_DEVICE_LOST || exec->lost) return status;
    exec->lost = true;
    const rp_plan_graph *graph = rp_plan_records(exec->plan, RP_SECTION_GRAPH);
    const char *name = rp_plan_string(exec->plan, graph->name);
    if (exec->submitted == exec->completed)
        snprintf(exec->lost_text, sizeof exec->lost_text,
                 "the device was lost with no replay of %.100s in flight", name);
    else
        snprintf(
            exec->lost_text, sizeof exec->lost_text,
            "the device was lost with replay %llu of %.100s in flight, %llu replays were known "
            "to be done; the driver does not say at which node",
            (unsigned long long)exec->submitted, name, (unsigned long long)exec->completed);
    return status;
}

static rp_status report_loss(const rp_exec *exec, rp_diags *diags) {
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s", exec->lost_text);
    return RP_ERROR_DEVICE_LOST;
}

rp_status rp_exec_refresh(rp_exec *exec) {
    if (exec->lost) return RP_ERROR_DEVICE_LOST;
    if (exec->completed == exec->submitted) return RP_OK;
    rp_device *device = exec->device;
    uint64_t value = 0;
    VkResult result = device->vk.GetSemaphoreCounterValue(device->handle, exec->timeline, &value);
    if (result != VK_SUCCESS) return rp_exec_note_loss(exec, rp_vk_status(result));
    /* A lost device may report any value. */
    if (value > exec->completed && value <= exec->submitted) exec->completed = value;
    return RP_OK;
}

rp_status rp_exec_require_idle(rp_exec *exec, uint32_t slot, rp_diags *diags) {
    rp_status status = rp_exec_refresh(exec);
    if (exec->lost) return report_loss(exec, diags);
    RP_TRY(status);
    uint64_t last = slot == RP_ALL_SLOTS ? exec->submitted : exec->slots[slot].replay;
    if (last <= exec->completed) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "replay %llu is still in flight%s: wait for it first",
                 (unsigned long long)last, slot == RP_ALL_SLOTS ? "" : " in this slot");
    return RP_ERROR_BUSY;
}

/* ---- Filling in ------------------------------------------------------------------------------ */

enum { NEAR_COMMANDS = 4, NEAR_SEMAPHORES = 8 }; /* that lie in the call's own memory */

/* One batch of a submission: some pieces of one replay. */
typedef struct batch {
    rp_exec *exec;
    rp_slot *slot;
    rp_submit_params params;
    uint64_t replay;
    uint32_t first_piece, end_piece;
    VkCommandBuffer link; /* in front; null without */
    uint64_t slot_replay; /* what the slot had before, to take the replay back */
    bool slot_cancelled;

    VkCommandBufferSubmitInfo *commands, near_commands[NEAR_COMMANDS];
    VkSemaphoreSubmitInfo *semaphores, near_semaphores[NEAR_SEMAPHORES];
} batch;

static VkSemaphoreSubmitInfo semaphore_info(void *handle, uint64_t value, uint64_t stages) {
    return (VkSemaphoreSubmitInfo){
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
        .semaphore = handle,
        .value = value,
        .stageMask = stages ? stages : VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
    };
}

/* Of the pieces' timeline when so many pieces of a replay are done. */
static uint64_t piece_value(const rp_exec *exec, uint64_t replay, uint32_t pieces) {
    return (replay - exec->pieces_base - 1) * exec->pieces + pieces;
}

static rp_status reserve(batch *b) {
    const rp_allocator *a = &b->exec->device->allocator;
    uint64_t commands = (uint64_t)b->end_piece - b->first_piece + 1;
    uint64_t semaphores = (uint64_t)b->params.wait_count + b->params.signal_count + 3;
    b->commands = b->near_commands;
    b->semaphores = b->near_semaphores;
    if (commands > NEAR_COMMANDS) b->commands = rp_alloc(a, commands, sizeof *b->commands);
    if (semaphores > NEAR_SEMAPHORES)
        b->semaphores = rp_alloc(a, semaphores, sizeof *b->semaphores);
    return b->commands && b->semaphores ? RP_OK : RP_ERROR_NO_MEMORY;
}

static void release(batch *b) {
    if (!b->exec) return;
    const rp_allocator *a = &b->exec->device->allocator;
    if (b->commands != b->near_commands) rp_release(a, b->commands);
    if (b->semaphores != b->near_semaphores) rp_release(a, b->semaphores);
}

/* Whether the GPU has to wait for the slot's last replay: recordings without the barrier toward the
 * replay before leave that to a semaphore. */
static bool waits_for_slot(const batch *b) {
    const rp_exec *exec = b->exec;
    return b->first_piece == 0 && rp_exec_overlaps(exec) && b->slot_replay > exec->completed;
}

static VkSubmitInfo2 fill(const batch *b) {
    const rp_exec *exec = b->exec;
    uint32_t commands = 0, waits = 0, signals = 0;
    if (b->link)
        b->commands[commands++] = (VkCommandBufferSubmitInfo){
            .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, .commandBuffer = b->link};
    for (uint32_t p = b->first_piece; p < b->end_piece; p++)
        b->commands[commands++] =
            (VkCommandBufferSubmitInfo){.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
                                        .commandBuffer = b->slot->commands[p]};
    VkSemaphoreSubmitInfo *wait = b->semaphores;
    for (uint32_t i = 0; b->first_piece == 0 && i < b->params.wait_count; i++) {
        const rp_semaphore *s = &b->params.waits[i];
        wait[waits++] = semaphore_info(s->handle, s->value, s->stages);
    }
    if (waits_for_slot(b)) wait[waits++] = semaphore_info(exec->timeline, b->slot_replay, 0);
    VkSemaphoreSubmitInfo *signal = wait + waits;
    bool last = b->end_piece == exec->pieces;
    for (uint32_t i = 0; last && i < b->params.signal_count; i++) {
        const rp_semaphore *s = &b->params.signals[i];
        signal[signals++] = semaphore_info(s->handle, s->value, s->stages);
    }
    if (last) signal[signals++] = semaphore_info(exec->timeline, b->replay, 0);
    if (exec->pieces_timeline)
        signal[signals++] =
            semaphore_info(exec->pieces_timeline, piece_value(exec, b->replay, b->end_piece), 0);
    return (VkSubmitInfo2){
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
        .waitSemaphoreInfoCount = waits,
        .pWaitSemaphoreInfos = wait,
        .commandBufferInfoCount = commands,
        .pCommandBufferInfos = b->commands,
        .signalSemaphoreInfoCount = signals,
        .pSignalSemaphoreInfos = signal,
    };
}

/* ---- Submitting ------------------------------------------------------------------------------ */

static rp_status take_params(rp_exec *exec, const rp_submit_params *given, rp_diags *diags,
                             rp_submit_params *out) {
    const rp_submit_params defaults = {.size = sizeof defaults};
    if (!rp_sized_take(given ? given : &defaults, out, sizeof *out)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "set the member size to sizeof(rp_submit_params)");
        return RP_ERROR_USAGE;
    }
    if (out->slot < exec->slots_count && (out->waits || !out->wait_count) &&
        (out->signals || !out->signal_count))
        return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "a submission names one of the exec's %u slots, and its semaphores",
                 exec->slots_count);
    return RP_ERROR_USAGE;
}

static rp_status keep_signals(rp_exec *exec, const rp_submit_params *params) {
    rp_begun *begun = &exec->begun;
    if (!RP_RESERVE(&exec->device->allocator, begun->signals, 0, begun->signals_capacity,
                    params->signal_count))
        return RP_ERROR_NO_MEMORY;
    if (params->signal_count)
        memcpy(begun->signals, params->signals, params->signal_count * sizeof *begun->signals);
    begun->signals_count = params->signal_count;
    return RP_OK;
}

/* Takes the next number for a replay of the exec, and prepares its batch. */
static rp_status begin(batch *b, rp_exec *exec, const rp_submit_params *given, rp_diags *diags) {
    if (exec->lost) return report_loss(exec, diags);
    RP_TRY(take_params(exec, given, diags, &b->params));
    if (exec->begun.replay) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "replay %llu has pieces that are not submitted: rp_exec_continue or "
                     "rp_exec_cancel comes first",
                     (unsigned long long)exec->begun.replay);
        return RP_ERROR_BUSY;
    }
    b->exec = exec;
    b->slot = &exec->slots[b->params.slot];
    RP_TRY(rp_slot_record(exec, b->slot, diags));
    uint32_t pieces = b->params.pieces;
    b->end_piece = pieces && pieces < exec->pieces ? pieces : exec->pieces;
    if (b->end_piece < exec->pieces) RP_TRY(keep_signals(exec, &b->params));
    RP_TRY(reserve(b));
    b->slot_replay = b->slot->replay;
    b->slot_cancelled = b->slot->cancelled;
    b->replay = ++exec->submitted;
    b->slot->replay = b->replay;
    b->slot->cancelled = false;
    return RP_OK;
}

/* Undoes what begin() has counted, of batches from the last to the first. */
static void take_back(batch *b) {
    if (!b->replay) return;
    b->exec->submitted--;
    b->slot->replay = b->slot_replay;
    b->slot->cancelled = b->slot_cancelled;
}

static void settle(const batch *b) {
    rp_exec_count_replay(b->exec, b->slot);
    if (b->end_piece == b->exec->pieces) return;
    b->exec->begun.replay = b->replay;
    b->exec->begun.slot = b->params.slot;
    b->exec->begun.next_piece = b->end_piece;
}

static void count_submission(rp_exec *exec) {
    rp_exec_count(exec, RP_COUNT_submissions, 1);
}

static rp_status failed(rp_exec *exec, VkResult result, rp_diags *diags) {
    rp_status status = rp_vk_result(result, "vk->QueueSubmit2", diags);
    return rp_exec_note_loss(exec, status);
}

rp_status rp_exec_submit(rp_exec *exec, const rp_submit_params *params, rp_diags *diags,
                         uint64_t *out_replay) {
    if (out_replay) *out_replay = 0;
    if (!exec) return RP_ERROR_USAGE;
    batch b = {0};
    rp_exec_lock(exec);
    rp_status status = begin(&b, exec, params, diags);
    if (status == RP_OK) {
        const VkSubmitInfo2 submit = fill(&b);
        VkResult result = rp_queue_submit(exec->device, 1, &submit);
        if (result == VK_SUCCESS) {
            count_submission(exec);
            settle(&b);
            if (out_replay) *out_replay = b.replay;
        } else {
            take_back(&b);
            status = failed(exec, result, diags);
        }
    }
    rp_exec_unlock(exec);
    release(&b);
    return status;
}

/* ---- Several at once ------------------------------------------------------------------------- */

/* Locks every exec of a submission once, in the order of their addresses, so that two submissions
 * of the same ones cannot wait for each other. */
static void lock_all(const rp_submission *submissions, uint32_t count, bool lock) {
    const rp_exec *last = NULL;
    for (;;) {
        const rp_exec *next = NULL;
        for (uint32_t i = 0; i < count; i++) {
            const rp_exec *exec = submissions[i].exec;
            if ((uintptr_t)exec > (uintptr_t)last && (!next || (uintptr_t)exec < (uintptr_t)next))
                next = exec;
        }
        if (!next) return;
        if (lock)
            rp_exec_lock(next);
        else
            rp_exec_unlock(next);
        last = next;
    }
}

/* The barrier between a batch and those before it that touch the same memory. */
static rp_status link_batch(batch *batches, uint32_t index, rp_diags *diags) {
    uint32_t src = 0, dst = 0;
    batch *b = &batches[index];
    for (uint32_t i = 0; i < index; i++)
        if (batches[i].exec != b->exec) rp_links_scopes(batches[i].slot, b->slot, &src, &dst);
    if (src == 0) return RP_OK;
    return rp_links_get(b->exec->device, src, dst, diags, &b->link);
}

/* One submission, which each of its execs counts as its own. */
static void settle_all(const batch *batches, uint32_t count) {
    rp_count(&batches[0].exec->device->counts, RP_COUNT_submissions, 1);
    for (uint32_t i = 0; i < count; i++) {
        rp_count(&batches[i].exec->counts, RP_COUNT_submissions, 1);
        settle(&batches[i]);
    }
}

static rp_status submit_all(rp_device *device, const rp_submission *submissions, uint32_t count,
                            batch *batches, VkSubmitInfo2 *infos, rp_diags *diags) {
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < count && status == RP_OK; i++) {
        status = begin(&batches[i], submissions[i].exec, submissions[i].params, diags);
        if (status == RP_OK) status = link_batch(batches, i, diags);
        if (status == RP_OK) infos[i] = fill(&batches[i]);
    }
    if (status == RP_OK) {
        VkResult result = rp_queue_submit(device, count, infos);
        if (result == VK_SUCCESS) {
            settle_all(batches, count);
            return RP_OK;
        }
        status = rp_vk_result(result, "vk->QueueSubmit2", diags);
    }
    for (uint32_t i = count; i-- > 0;) take_back(&batches[i]);
    for (uint32_t i = 0; i < count; i++) (void)rp_exec_note_loss(submissions[i].exec, status);
    return status;
}

static rp_status check_submissions(const rp_device *device, const rp_submission *submissions,
                                   uint32_t count, rp_diags *diags) {
    for (uint32_t i = 0; i < count; i++) {
        const rp_submission *s = &submissions[i];
        rp_submit_params params = {0};
        const char *wrong = NULL;
        if (!s->exec)
            wrong = "has no exec";
        else if (s->exec->device != device)
            wrong = "is for another device";
        else if (s->params && rp_sized_take(s->params, &params, sizeof params) && params.pieces)
            wrong = "asks for some pieces: rp_exec_submit does that";
        if (!wrong) continue;
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "submission %u %s", i, wrong);
        return RP_ERROR_USAGE;
    }
    return RP_OK;
}

rp_status rp_device_submit(rp_device *device, const rp_submission *submissions, uint32_t count,
                           rp_diags *diags, uint64_t *out_replays) {
    for (uint32_t i = 0; out_replays && i < count; i++) out_replays[i] = 0;
    if (!device || (!submissions && count)) return RP_ERROR_USAGE;
    RP_TRY(check_submissions(device, submissions, count, diags));
    if (count == 0) return RP_OK;
    const rp_allocator *a = &device->allocator;
    batch *batches = rp_alloc_zero(a, count, sizeof *batches);
    VkSubmitInfo2 *infos = rp_alloc(a, count, sizeof *infos);
    rp_status status = RP_ERROR_NO_MEMORY;
    if (batches && infos) {
        lock_all(submissions, count, true);
        status = submit_all(device, submissions, count, batches, infos, diags);
        lock_all(submissions, count, false);
    }
    for (uint32_t i = 0; batches && i < count; i++) {
        if (status == RP_OK && out_replays) out_replays[i] = batches[i].replay;
        release(&batches[i]);
    }
    rp_release(a, batches);
    rp_release(a, infos);
    return status;
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

uint32_t rp_exec_piece_count(const rp_exec *exec) {
    return exec ? exec->pieces : 0;
}

static rp_status require_begun(const rp_exec *exec, rp_diags *diags) {
    if (exec->lost) return report_loss(exec, diags);
    if (exec->begun.replay) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "no replay is begun: rp_submit_params.pieces submits the first pieces of one");
    return RP_ERROR_USAGE;
}

/* Submits pieces up to `end` of the begun replay; or none, and it is done. */
static rp_status go_on(rp_exec *exec, uint32_t end, bool cancel, rp_diags *diags) {
    rp_begun *begun = &exec->begun;
    batch b = {
        .exec = exec,
        .slot = &exec->slots[begun->slot],
        .params = {.slot = begun->slot,
                   .signals = begun->signals,
                   .signal_count = begun->signals_count},
        .replay = begun->replay,
        .first_piece = begun->next_piece,
        .end_piece = end,
    };
    rp_status status = reserve(&b);
    if (status == RP_OK) {
        VkSubmitInfo2 submit = fill(&b);
        if (cancel) submit.commandBufferInfoCount = 0;
        VkResult result = rp_queue_submit(exec->device, 1, &submit);
        if (result == VK_SUCCESS)
            count_submission(exec);
        else
            status = failed(exec, result, diags);
    }
    if (status == RP_OK) {
        begun->next_piece = end;
        if (end == exec->pieces) begun->replay = 0;
        b.slot->cancelled = cancel;
    }
    release(&b);
    return status;
}

rp_status rp_exec_continue(rp_exec *exec, uint32_t count, rp_diags *diags) {
    if (!exec) return RP_ERROR_USAGE;
    rp_exec_lock(exec);
    rp_status status = require_begun(exec, diags);
    uint32_t left = exec->pieces - exec->begun.next_piece;
    uint32_t end = exec->begun.next_piece + (count && count < left ? count : left);
    if (status == RP_OK) status = go_on(exec, end, false, diags);
    rp_exec_unlock(exec);
    return status;
}

rp_status rp_exec_cancel(rp_exec *exec, rp_diags *diags) {
    if (!exec) return RP_ERROR_USAGE;
    rp_exec_lock(exec);
    rp_status status = require_begun(exec, diags);
    if (status == RP_OK) status = go_on(exec, exec->pieces, true, diags);
    rp_exec_unlock(exec);
    return status;
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
        (void)report_loss(exec, diags);
    else
        (void)rp_vk_result(result, "vk->WaitSemaphores", diags);
    rp_exec_unlock(exec);
    return status;
}

/* Resolves the number of a replay to wait for, with the exec's lock held. A replay with pieces that
 * nobody has submitted is not waited for by "all": it would not end. */
static rp_status resolve(rp_exec *exec, uint64_t *replay, rp_diags *diags) {
    if (exec->lost) return report_loss(exec, diags);
    if (*replay == 0) *replay = exec->begun.replay ? exec->begun.replay - 1 : exec->submitted;
    if (*replay <= exec->submitted) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "replay %llu cannot be waited for: %llu were submitted",
                 (unsigned long long)*replay, (unsigned long long)exec->submitted);
    return RP_ERROR_USAGE;
}

static bool was_cancelled(const rp_exec *exec, uint64_t replay) {
    for (uint32_t s = 0; s < exec->slots_count; s++)
        if (exec->slots[s].replay == replay && exec->slots[s].cancelled) return true;
    return false;
}

rp_status rp_exec_wait(rp_exec *exec, uint64_t replay, uint64_t timeout_ns, rp_diags *diags) {
    if (!exec) return RP_ERROR_USAGE;
    bool all = replay == 0;
    rp_exec_lock(exec);
    rp_status status = resolve(exec, &replay, diags);
    bool done = exec->completed >= replay;
    rp_exec_unlock(exec);
    RP_TRY(status);
    if (!done) RP_TRY(wait_for(exec, exec->timeline, replay, timeout_ns, diags));
    rp_exec_lock(exec);
    if (exec->completed < replay) exec->completed = replay;
    bool cancelled = !all && was_cancelled(exec, replay);
    rp_exec_unlock(exec);
    return cancelled ? RP_ERROR_CANCELLED : RP_OK;
}

rp_status rp_exec_wait_pieces(rp_exec *exec, uint64_t replay, uint32_t count, uint64_t timeout_ns,
                              rp_diags *diags) {
    if (!exec || replay == 0) return RP_ERROR_USAGE;
    if (count >= exec->pieces) return rp_exec_wait(exec, replay, timeout_ns, diags);
    rp_exec_lock(exec);
    rp_status status = resolve(exec, &replay, diags);
    rp_exec_unlock(exec);
    RP_TRY(status);
    if (replay <= exec->pieces_base) return RP_OK; /* an update waits for idle */
    return wait_for(exec, exec->pieces_timeline, piece_value(exec, replay, count), timeout_ns,
                    diags);
}

/* ---- The application's own submissions ------------------------------------------------------- */

rp_status rp_exec_record(rp_exec *exec, uint32_t slot, void *command_buffer, rp_diags *diags) {
    if (!exec || !command_buffer) return RP_ERROR_USAGE;
    if (slot >= exec->slots_count) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "the exec has %u slots, there is no slot %u",
                     exec->slots_count, slot);
        return RP_ERROR_USAGE;
    }
    rp_exec_lock(exec);
    rp_status status =
        rp_prepared_wait(exec->pipelines, RP_UNSET, RP_PIPELINE_RARE, UINT64_MAX, diags);
    if (status == RP_OK)
        rp_record(exec, &exec->slots[slot], 0, exec->cuts[exec->pieces], VK_NULL_HANDLE,
                  command_buffer);
    rp_exec_unlock(exec);
    return status;
}

void *rp_exec_command_buffer(rp_exec *exec, uint32_t slot, uint32_t piece) {
    if (!exec) return NULL;
    rp_exec_lock(exec);
    bool inside = slot < exec->slots_count && piece < exec->pieces;
    bool recorded = inside && rp_slot_record(exec, &exec->slots[slot], NULL) == RP_OK;
    void *commands = recorded ? exec->slots[slot].commands[piece] : NULL;
    rp_exec_unlock(exec);
    return commands;
}

rp_status rp_exec_reserve(rp_exec *exec, uint32_t slot, rp_diags *diags, uint64_t *out_replay) {
    if (!out_replay) return RP_ERROR_USAGE;
    *out_replay = 0;
    if (!exec) return RP_ERROR_USAGE;
    const rp_submit_params params = {.size = sizeof params, .slot = slot};
    batch b = {0};
    rp_exec_lock(exec);
    rp_status status = begin(&b, exec, &params, diags);
    if (status == RP_OK) {
        rp_exec_count_replay(exec, b.slot);
        *out_replay = b.replay;
    }
    rp_exec_unlock(exec);
    release(&b);
    return status;
}

void *rp_exec_timeline(const rp_exec *exec) {
    return exec ? exec->timeline : NULL;
}

/* ---- Figures --------------------------------------------------------------------------------- */

uint64_t rp_exec_completed(rp_exec *exec) {
    if (!exec) return 0;
    rp_exec_lock(exec);
    (void)rp_exec_refresh(exec);
    uint64_t completed = exec->completed;
    rp_exec_unlock(exec);
    return completed;
}

double rp_exec_gpu_seconds(rp_exec *exec, uint32_t slot) {
    if (!exec || slot >= exec->slots_count) return -1;
    rp_device *device = exec->device;
    uint64_t ticks[2];
    double seconds = -1;
    rp_exec_lock(exec);
    const rp_slot *s = &exec->slots[slot];
    (void)rp_exec_refresh(exec);
    bool done = s->queries && s->replay && s->replay <= exec->completed && !s->cancelled;
    if (done &&
        device->vk.GetQueryPoolResults(device->handle, s->queries, 0, 2, sizeof ticks, ticks,
                                       sizeof *ticks, VK_QUERY_RESULT_64_BIT) == VK_SUCCESS) {
        uint32_t bits = device->adapter.timestamp_bits;
        uint64_t mask = bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
        seconds = (double)((ticks[1] - ticks[0]) & mask) *
                  (double)device->adapter.properties.limits.timestampPeriod * 1e-9;
    }
    rp_exec_unlock(exec);
    return seconds;
}

const char *rp_exec_lost_node(const rp_exec *exec) {
    return exec && exec->lost ? exec->lost_text : NULL;
}
