/* Submitting: vkQueueSubmit2 with recorded commands. Arrays are filled in, nothing is decided that
 * could have been before. They lie in the call's own memory unless the caller names more semaphores
 * than fit there, or the recording has many pieces. */
#include "exec/exec.h"

#include "base/sized.h"
#include "exec/copies.h"
#include "exec/links.h"

/* ---- Filling in ------------------------------------------------------------------------------ */

enum { NEAR_PIECES = 4, NEAR_SEMAPHORES = 12 }; /* that lie in the call's own memory */
enum { BESIDE_PIECES = 3 };                     /* command buffers: a link, and copies */

/* Some pieces of one replay, each a VkSubmitInfo2 of its own: drivers join command buffers of one
 * into one piece of work, and the pieces' timeline is signalled behind each. */
typedef struct batch {
    rp_exec *exec;
    rp_slot *slot;
    rp_submit_params params;
    uint64_t replay;
    uint64_t wait_for; /* an earlier replay, by semaphore; 0: none */
    uint32_t first_piece, end_piece;
    VkCommandBuffer link;     /* in front; null without */
    rp_replay_copies *copies; /* NULL: none */

    /* What the slot and the exec had before, to take the replay back. */
    uint64_t slot_replay, slot_wait_for, exec_wait_for;
    uint32_t slot_left_off;
    bool slot_reserved;

    VkSubmitInfo2 *infos, near_infos[NEAR_PIECES];
    VkCommandBufferSubmitInfo *commands, near_commands[NEAR_PIECES + BESIDE_PIECES];
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

uint64_t rp_exec_piece_value(const rp_exec *exec, uint64_t replay, uint32_t pieces) {
    return exec->pieces_value + (replay - exec->pieces_replay - 1) * exec->pieces + pieces;
}

static uint32_t piece_count(const batch *b) {
    return b->end_piece - b->first_piece;
}

static rp_status reserve(batch *b) {
    const rp_allocator *a = &b->exec->device->allocator;
    uint32_t pieces = piece_count(b);
    /* Beside what the caller names: the earlier replay, the timeline, and that of the pieces. */
    uint64_t semaphores = (uint64_t)b->params.wait_count + b->params.signal_count + 2 + pieces;
    b->infos = b->near_infos;
    b->commands = b->near_commands;
    b->semaphores = b->near_semaphores;
    if (pieces > NEAR_PIECES) {
        b->infos = rp_alloc(a, pieces, sizeof *b->infos);
        b->commands = rp_alloc(a, (size_t)pieces + BESIDE_PIECES, sizeof *b->commands);
    }
    if (semaphores > NEAR_SEMAPHORES)
        b->semaphores = rp_alloc(a, semaphores, sizeof *b->semaphores);
    return b->infos && b->commands && b->semaphores ? RP_OK : RP_ERROR_NO_MEMORY;
}

static void release(batch *b) {
    if (!b->exec) return;
    const rp_allocator *a = &b->exec->device->allocator;
    if (b->infos != b->near_infos) rp_release(a, b->infos);
    if (b->commands != b->near_commands) rp_release(a, b->commands);
    if (b->semaphores != b->near_semaphores) rp_release(a, b->semaphores);
}

static VkCommandBufferSubmitInfo command_info(VkCommandBuffer commands) {
    return (VkCommandBufferSubmitInfo){.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
                                       .commandBuffer = commands};
}

/* Adds the semaphores to wait for; says how many. */
static uint32_t add_waits(const batch *b, VkSemaphoreSubmitInfo *out) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < b->params.wait_count; i++) {
        const rp_semaphore *s = &b->params.waits[i];
        out[count++] = semaphore_info(s->handle, s->value, s->stages);
    }
    if (b->wait_for) out[count++] = semaphore_info(b->exec->timeline, b->wait_for, 0);
    return count;
}

/* Adds the semaphores to signal behind so many pieces; says how many. The exec's own come first: a
 * driver that signals one after the other has told the exec when the application hears of it. */
static uint32_t add_signals(const batch *b, uint32_t pieces, VkSemaphoreSubmitInfo *out) {
    const rp_exec *exec = b->exec;
    uint32_t count = 0;
    bool last = pieces == exec->pieces;
    if (exec->pieces_timeline)
        out[count++] =
            semaphore_info(exec->pieces_timeline, rp_exec_piece_value(exec, b->replay, pieces), 0);
    if (last) out[count++] = semaphore_info(exec->timeline, b->replay, 0);
    for (uint32_t i = 0; last && i < b->params.signal_count; i++) {
        const rp_semaphore *s = &b->params.signals[i];
        out[count++] = semaphore_info(s->handle, s->value, s->stages);
    }
    return count;
}

/* Fills in infos[], one for each piece. */
static void fill(const batch *b) {
    VkCommandBufferSubmitInfo *commands = b->commands;
    VkSemaphoreSubmitInfo *semaphores = b->semaphores;
    for (uint32_t i = 0; i < piece_count(b); i++) {
        VkSubmitInfo2 *info = &b->infos[i];
        *info = (VkSubmitInfo2){.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                .pWaitSemaphoreInfos = semaphores,
                                .pCommandBufferInfos = commands};
        if (i == 0) info->waitSemaphoreInfoCount = add_waits(b, semaphores);
        semaphores += info->waitSemaphoreInfoCount;
        uint32_t piece = b->first_piece + i;
        if (i == 0 && b->link) *commands++ = command_info(b->link);
        if (piece == 0 && b->copies && b->copies->used[RP_BEFORE])
            *commands++ = command_info(b->copies->commands[RP_BEFORE]);
        *commands++ = command_info(b->slot->commands[piece]);
        if (piece + 1 == b->exec->pieces && b->copies && b->copies->used[RP_AFTER])
            *commands++ = command_info(b->copies->commands[RP_AFTER]);
        info->commandBufferInfoCount = (uint32_t)(commands - info->pCommandBufferInfos);
        info->pSignalSemaphoreInfos = semaphores;
        info->signalSemaphoreInfoCount = add_signals(b, piece + 1, semaphores);
        semaphores += info->signalSemaphoreInfoCount;
    }
}

/* ---- Submitting ------------------------------------------------------------------------------ */

static rp_status wrong_semaphore(uint32_t index, const char *verb, const char *what,
                                 rp_diags *diags) {
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "semaphore %u to %s is %s", index, verb, what);
    return RP_ERROR_USAGE;
}

static rp_status check_semaphores(const rp_exec *exec, const rp_submit_params *params,
                                  rp_diags *diags) {
    const rp_semaphore *waits = params->waits, *signals = params->signals;
    for (uint32_t i = 0; i < params->wait_count; i++) {
        if (!waits || !waits[i].handle)
            return wrong_semaphore(i, "wait for", "no VkSemaphore", diags);
        if (waits[i].handle == exec->timeline && waits[i].value > exec->submitted)
            return wrong_semaphore(i, "wait for",
                                   "the exec's own timeline, at a replay that comes later", diags);
    }
    for (uint32_t i = 0; i < params->signal_count; i++) {
        if (!signals || !signals[i].handle)
            return wrong_semaphore(i, "signal", "no VkSemaphore", diags);
        if (signals[i].handle == exec->timeline)
            return wrong_semaphore(i, "signal",
                                   "the exec's own timeline, which is signalled anyway", diags);
    }
    return RP_OK;
}

static rp_status take_params(rp_exec *exec, const rp_submit_params *given, rp_diags *diags,
                             rp_submit_params *out) {
    const rp_submit_params defaults = {.size = sizeof defaults};
    if (!rp_sized_take(given ? given : &defaults, out, sizeof *out)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "set the member size to sizeof(rp_submit_params)");
        return RP_ERROR_USAGE;
    }
    if (out->slot >= exec->slots_count) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "the exec has %u slots, there is no slot %u",
                     exec->slots_count, out->slot);
        return RP_ERROR_USAGE;
    }
    if ((!out->uploads && out->upload_count) || (!out->downloads && out->download_count)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "a submission names as many copies as it says");
        return RP_ERROR_USAGE;
    }
    return check_semaphores(exec, out, diags);
}

/* What the later pieces of a replay need, so that leaving them off cannot fail for want of it. */
static rp_status keep_for_later(rp_exec *exec, const rp_submit_params *params, rp_diags *diags) {
    rp_begun *begun = &exec->begun;
    RP_TRY(rp_links_get(exec->device, RP_SCOPE_ANY, RP_SCOPE_ALL, diags, &begun->barrier));
    if (!RP_RESERVE(&exec->device->allocator, begun->signals, 0, begun->signals_capacity,
                    params->signal_count))
        return RP_ERROR_NO_MEMORY;
    if (params->signal_count)
        memcpy(begun->signals, params->signals, params->signal_count * sizeof *begun->signals);
    begun->signals_count = params->signal_count;
    return RP_OK;
}

/* Counts a replay in: of the slot, and of those who wait for it. */
static void count_in(batch *b, uint64_t replay) {
    rp_exec *exec = b->exec;
    rp_slot *slot = b->slot;
    b->slot_replay = slot->replay;
    b->slot_reserved = slot->reserved;
    b->slot_left_off = slot->left_off;
    b->slot_wait_for = slot->wait_for;
    b->exec_wait_for = exec->wait_for;
    b->wait_for = slot->wait_for > exec->wait_for ? slot->wait_for : exec->wait_for;
    b->replay = slot->replay = replay;
    slot->reserved = false;
    slot->left_off = 0;
    /* Recordings without the barrier toward the replay before leave that order to a semaphore, also
     * when the host knows that it is done: what it wrote is yet to become visible. Behind a wait
     * everything in the queue is ordered. */
    slot->wait_for = rp_exec_overlaps(exec) ? replay : 0;
    exec->wait_for = 0;
}

/* Takes the next number for a replay of the exec, and prepares its batch. */
static rp_status begin(batch *b, rp_exec *exec, const rp_submit_params *given, rp_diags *diags) {
    if (exec->lost) return rp_exec_report_loss(exec, diags);
    RP_TRY(take_params(exec, given, diags, &b->params));
    RP_TRY(rp_copies_secure(exec, exec->ordered ? RP_ALL_SLOTS : b->params.slot, diags));
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
    if (b->end_piece < exec->pieces) RP_TRY(keep_for_later(exec, &b->params, diags));
    RP_TRY(reserve(b));
    RP_TRY(rp_copies_prepare(exec, &b->params, diags, &b->copies));
    count_in(b, ++exec->submitted);
    return RP_OK;
}

/* Undoes what begin() has counted, of batches from the last to the first. */
static void take_back(batch *b) {
    if (!b->replay) return;
    b->exec->submitted--;
    b->exec->wait_for = b->exec_wait_for;
    b->slot->replay = b->slot_replay;
    b->slot->reserved = b->slot_reserved;
    b->slot->left_off = b->slot_left_off;
    b->slot->wait_for = b->slot_wait_for;
    if (b->copies) rp_copies_forget(b->copies);
}

static void settle(const batch *b) {
    rp_exec_count_replay(b->exec, b->slot);
    b->exec->own = b->replay;
    bool whole = b->end_piece == b->exec->pieces;
    if (b->copies) rp_copies_settle(b->exec, b->copies, whole);
    if (whole) return;
    b->exec->begun.replay = b->replay;
    b->exec->begun.slot = b->params.slot;
    b->exec->begun.next_piece = b->end_piece;
    b->exec->begun.copies = b->copies;
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
        fill(&b);
        if (b.copies) rp_copies_write(b.copies);
        VkResult result = rp_queue_submit(exec->device, piece_count(&b), b.infos);
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

/* What a batch touches: its replay, or the copies beside it. */
static rp_touch_list touches_of(const batch *b, bool copies) {
    if (!copies) return (rp_touch_list){b->slot->touches, b->slot->touches_count};
    if (!b->copies) return (rp_touch_list){0};
    return (rp_touch_list){b->copies->touches, b->copies->touches_count};
}

/* The barrier between a batch and those before it that touch the same memory. */
static rp_status link_batch(batch *batches, uint32_t index, rp_diags *diags) {
    uint32_t src = 0, dst = 0;
    batch *b = &batches[index];
    for (uint32_t i = 0; i < index; i++)
        for (uint32_t k = 0; k < 4 && batches[i].exec != b->exec; k++)
            rp_links_scopes(touches_of(&batches[i], k & 1), touches_of(b, k >> 1), &src, &dst);
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

/* One call for all batches, in their order. */
static rp_status submit_batches(rp_device *device, const batch *batches, uint32_t count,
                                rp_diags *diags) {
    uint32_t infos_count = 0;
    for (uint32_t i = 0; i < count; i++) infos_count += piece_count(&batches[i]);
    VkSubmitInfo2 *infos = rp_alloc(&device->allocator, infos_count, sizeof *infos);
    if (!infos) return RP_ERROR_NO_MEMORY;
    VkSubmitInfo2 *end = infos;
    for (uint32_t i = 0; i < count; i++) {
        fill(&batches[i]);
        if (batches[i].copies) rp_copies_write(batches[i].copies);
        memcpy(end, batches[i].infos, piece_count(&batches[i]) * sizeof *infos);
        end += piece_count(&batches[i]);
    }
    VkResult result = rp_queue_submit(device, infos_count, infos);
    rp_release(&device->allocator, infos);
    if (result == VK_SUCCESS) settle_all(batches, count);
    return rp_vk_result(result, "vk->QueueSubmit2", diags);
}

static rp_status submit_all(rp_device *device, const rp_submission *submissions, uint32_t count,
                            batch *batches, rp_diags *diags) {
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < count && status == RP_OK; i++) {
        status = begin(&batches[i], submissions[i].exec, submissions[i].params, diags);
        if (status == RP_OK) status = link_batch(batches, i, diags);
    }
    if (status == RP_OK) status = submit_batches(device, batches, count, diags);
    if (status == RP_OK) return RP_OK;
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
    rp_status status = RP_ERROR_NO_MEMORY;
    if (batches) {
        lock_all(submissions, count, true);
        status = submit_all(device, submissions, count, batches, diags);
        lock_all(submissions, count, false);
    }
    for (uint32_t i = 0; batches && i < count; i++) {
        if (status == RP_OK && out_replays) out_replays[i] = batches[i].replay;
        release(&batches[i]);
    }
    rp_release(a, batches);
    return status;
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

uint32_t rp_exec_piece_count(const rp_exec *exec) {
    if (!exec) return 0;
    rp_exec_lock(exec);
    uint32_t pieces = exec->pieces;
    rp_exec_unlock(exec);
    return pieces;
}

static rp_status require_begun(const rp_exec *exec, rp_diags *diags) {
    if (exec->lost) return rp_exec_report_loss(exec, diags);
    if (exec->begun.replay) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "no replay is begun: rp_submit_params.pieces submits the first pieces of one");
    return RP_ERROR_USAGE;
}

/* Submits pieces up to `end` of the begun replay. */
static rp_status go_on(rp_exec *exec, uint32_t end, rp_diags *diags) {
    rp_begun *begun = &exec->begun;
    batch b = {
        .exec = exec,
        .slot = &exec->slots[begun->slot],
        .params = {.signals = begun->signals, .signal_count = begun->signals_count},
        .replay = begun->replay,
        .first_piece = begun->next_piece,
        .end_piece = end,
        .copies = begun->copies,
    };
    rp_status status = reserve(&b);
    if (status == RP_OK) {
        fill(&b);
        VkResult result = rp_queue_submit(exec->device, piece_count(&b), b.infos);
        if (result == VK_SUCCESS)
            count_submission(exec);
        else
            status = failed(exec, result, diags);
    }
    if (status == RP_OK) {
        begun->next_piece = end;
        if (end == exec->pieces) {
            begun->replay = 0;
            if (b.copies) b.copies->sealed = true;
        }
    }
    release(&b);
    return status;
}

/* In place of the pieces that are left a barrier against everything: what orders the pieces before
 * with the next replay may have been in those left off. */
static rp_status leave_off(rp_exec *exec, rp_diags *diags) {
    rp_begun *begun = &exec->begun;
    batch b = {
        .exec = exec,
        .slot = &exec->slots[begun->slot],
        .params = {.signals = begun->signals, .signal_count = begun->signals_count},
        .replay = begun->replay,
        .first_piece = exec->pieces - 1,
        .end_piece = exec->pieces,
    };
    rp_status status = reserve(&b);
    if (status == RP_OK) {
        fill(&b);
        b.commands[0] = command_info(begun->barrier);
        VkResult result = rp_queue_submit(exec->device, 1, b.infos);
        if (result == VK_SUCCESS)
            count_submission(exec);
        else
            status = failed(exec, result, diags);
    }
    if (status == RP_OK) {
        b.slot->left_off = begun->next_piece;
        begun->replay = 0;
        if (begun->copies) rp_copies_drop_downloads(begun->copies);
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
    if (status == RP_OK) status = go_on(exec, end, diags);
    rp_exec_unlock(exec);
    return status;
}

rp_status rp_exec_cancel(rp_exec *exec, rp_diags *diags) {
    if (!exec) return RP_ERROR_USAGE;
    rp_exec_lock(exec);
    rp_status status = require_begun(exec, diags);
    if (status == RP_OK) status = leave_off(exec, diags);
    rp_exec_unlock(exec);
    return status;
}

/* ---- The application's own submissions ------------------------------------------------------- */

/* From now on there may be replays that only the application knows of: what moves between the host
 * and the buffers goes through the queue. */
static rp_status give_commands(rp_exec *exec, rp_diags *diags) {
    RP_TRY(rp_copies_secure(exec, RP_ALL_SLOTS, diags));
    exec->commands_given = true;
    return RP_OK;
}

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
    if (status == RP_OK) status = give_commands(exec, diags);
    if (status == RP_OK)
        rp_record(exec, &exec->slots[slot], 0, exec->cuts[exec->pieces], true, VK_NULL_HANDLE,
                  command_buffer);
    rp_exec_unlock(exec);
    return status;
}

void *rp_exec_command_buffer(rp_exec *exec, uint32_t slot, uint32_t piece) {
    if (!exec) return NULL;
    rp_exec_lock(exec);
    bool inside = slot < exec->slots_count && piece < exec->pieces;
    bool recorded = inside && rp_slot_record(exec, &exec->slots[slot], NULL) == RP_OK &&
                    give_commands(exec, NULL) == RP_OK;
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
        b.slot->reserved = true;
        /* It may run in any queue, so whatever follows waits for it by semaphore. */
        if (rp_exec_overlaps(exec))
            b.slot->wait_for = b.replay;
        else
            exec->wait_for = b.replay;
    }
    rp_exec_unlock(exec);
    release(&b);
    return status;
}
