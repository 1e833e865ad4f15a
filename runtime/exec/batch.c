/* What becomes a part of a vkQueueSubmit2: arrays are filled in, nothing is decided that could have
 * been before. They lie in the call's own memory unless the caller names more semaphores than fit
 * there, or the recording has many pieces. */
#include "exec/batch.h"

#include "base/given.h"
#include "base/sized.h"
#include "exec/links.h"

/* ---- Counting in ----------------------------------------------------------------------------- */

static rp_status wrong_semaphore(uint32_t index, const char *verb, const char *what,
                                 rp_diags *diags) {
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "semaphore %u to %s is %s", index, verb, what);
    return RP_ERROR_USAGE;
}

static rp_status check_semaphores(const rp_exec *exec, const rp_submit_params *params,
                                  rp_diags *diags) {
    const rp_semaphore *waits = params->waits, *signals = params->signals;
    for (uint32_t i = 0; i < params->wait_count; i++) {
        if (!waits[i].handle) return wrong_semaphore(i, "wait for", "no VkSemaphore", diags);
        if (waits[i].handle == exec->timeline && waits[i].value > exec->submitted)
            return wrong_semaphore(i, "wait for",
                                   "the exec's own timeline, at a replay that comes later", diags);
    }
    for (uint32_t i = 0; i < params->signal_count; i++) {
        if (!signals[i].handle) return wrong_semaphore(i, "signal", "no VkSemaphore", diags);
        if (signals[i].handle == exec->timeline)
            return wrong_semaphore(i, "signal",
                                   "the exec's own timeline, which is signalled anyway", diags);
    }
    return RP_OK;
}

static rp_status take_params(rp_exec *exec, const rp_submit_params *given, rp_diags *diags,
                             rp_submit_params *out) {
    const rp_submit_params defaults = {.size = sizeof defaults};
    if (!rp_sized_take(given ? given : &defaults, out, sizeof *out))
        return rp_sized_refuse(diags, "rp_submit_params");
    if (out->slot >= exec->slots_count) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "the exec has %u slots, there is no slot %u",
                     exec->slots_count, out->slot);
        return RP_ERROR_USAGE;
    }
    if (!rp_array_given(out->waits, out->wait_count, "rp_submit_params.waits", diags) ||
        !rp_array_given(out->signals, out->signal_count, "rp_submit_params.signals", diags) ||
        !rp_array_given(out->uploads, out->upload_count, "rp_submit_params.uploads", diags) ||
        !rp_array_given(out->downloads, out->download_count, "rp_submit_params.downloads", diags))
        return RP_ERROR_USAGE;
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
static void count_in(rp_batch *b, uint64_t replay) {
    rp_exec *exec = b->exec;
    rp_slot *slot = b->slot;
    b->slot_replay = slot->replay;
    b->slot_reserved = slot->reserved;
    b->slot_left_off = slot->left_off;
    b->slot_recording = slot->recording;
    b->slot_settled = slot->settled;
    b->slot_ran = slot->ran;
    b->exec_last_form = exec->last_form;
    b->slot_wait_for = slot->wait_for;
    b->exec_wait_for = exec->wait_for;
    b->wait_for = slot->wait_for > exec->wait_for ? slot->wait_for : exec->wait_for;
    b->replay = slot->replay = replay;
    slot->reserved = false;
    slot->left_off = 0;
    /* Forms lay out the arena each in its own way, and know nothing of another's tags. */
    if (slot->ran != slot->form) slot->settled = false;
    slot->ran = exec->last_form = slot->form;
    rp_slot_choose(exec, slot);
    /* Recordings without the barrier toward the replay before leave that order to a semaphore, also
     * when the host knows that it is done: what it wrote is yet to become visible. Behind a wait
     * everything in the queue is ordered. */
    slot->wait_for = rp_exec_overlaps(exec) ? replay : 0;
    exec->wait_for = 0;
}

/* Whether a full barrier has to stand in front of a replay: a plan's first barrier knows of replays of the same form
 * alone. Replays that a semaphore orders need none. */
static bool takes_turn(const rp_exec *exec, uint32_t form) {
    return exec->part_count && exec->submitted && !rp_exec_overlaps(exec) &&
           (exec->last_form != form || exec->commands_given);
}

rp_status rp_batch_begin(rp_batch *b, rp_exec *exec, const rp_submit_params *given,
                         rp_diags *diags) {
    if (exec->lost) return rp_exec_report_loss(exec, diags);
    RP_TRY(take_params(exec, given, diags, &b->params));
    RP_TRY(rp_copies_secure(exec, exec->ordered ? RP_ALL_SLOTS : b->params.slot, diags));
    RP_TRY(rp_exec_require_whole(exec, diags));
    b->exec = exec;
    b->slot = &exec->slots[b->params.slot];
    RP_TRY(rp_exec_require_told(exec, b->slot, diags));
    uint32_t form = b->slot->form;
    RP_TRY(rp_slot_record((rp_exec *)rp_form_exec(exec, form), rp_form_slot(exec, b->slot, form),
                          diags));
    if (takes_turn(exec, form))
        RP_TRY(rp_links_get(exec->device, RP_SCOPE_ANY, RP_SCOPE_ALL, diags, &b->turn));
    uint32_t pieces = b->params.pieces;
    b->end_piece = pieces && pieces < exec->pieces ? pieces : exec->pieces;
    if (b->end_piece < exec->pieces) RP_TRY(keep_for_later(exec, &b->params, diags));
    RP_TRY(rp_batch_reserve(b));
    RP_TRY(rp_copies_prepare(exec, &b->params, diags, &b->copies));
    count_in(b, ++exec->submitted);
    return RP_OK;
}

/* Undoes what rp_batch_begin() has counted, of batches from the last to the first. */
void rp_batch_take_back(rp_batch *b) {
    if (!b->replay) return;
    b->exec->submitted--;
    b->exec->wait_for = b->exec_wait_for;
    b->slot->replay = b->slot_replay;
    b->slot->reserved = b->slot_reserved;
    b->slot->left_off = b->slot_left_off;
    b->slot->recording = b->slot_recording;
    b->slot->settled = b->slot_settled;
    b->slot->ran = b->slot_ran;
    b->exec->last_form = b->exec_last_form;
    b->slot->wait_for = b->slot_wait_for;
    if (b->copies) rp_copies_forget(b->copies);
}

void rp_batch_settle(const rp_batch *b) {
    rp_exec_count_replay(b->exec, b->slot);
    rp_exec_count_barrier(b->exec, b->link_barrier);
    if (b->turn) rp_exec_count_barrier(b->exec, (rp_barrier){RP_SCOPE_ANY, RP_SCOPE_ALL});
    b->exec->own = b->replay;
    bool whole = b->end_piece == b->exec->pieces;
    if (b->copies) rp_copies_settle(b->exec, b->copies);
    if (b->copies && whole) rp_copies_seal(b->exec, b->copies);
    if (whole) return;
    b->exec->begun.replay = b->replay;
    b->exec->begun.slot = b->params.slot;
    b->exec->begun.next_piece = b->end_piece;
    b->exec->begun.copies = b->copies;
}

/* ---- Filling in ------------------------------------------------------------------------------ */

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

rp_status rp_batch_reserve(rp_batch *b) {
    const rp_allocator *a = &b->exec->device->allocator;
    uint32_t pieces = rp_batch_pieces(b);
    /* Beside what the caller names: the earlier replay, the timeline, and that of the pieces. */
    uint64_t semaphores = (uint64_t)b->params.wait_count + b->params.signal_count + 2 + pieces;
    b->infos = b->near_infos;
    b->commands = b->near_commands;
    b->semaphores = b->near_semaphores;
    if (pieces > RP_NEAR_PIECES) {
        b->infos = rp_alloc(a, pieces, sizeof *b->infos);
        b->commands = rp_alloc(a, (size_t)pieces + RP_BESIDE_PIECES, sizeof *b->commands);
    }
    if (semaphores > RP_NEAR_SEMAPHORES)
        b->semaphores = rp_alloc(a, semaphores, sizeof *b->semaphores);
    return b->infos && b->commands && b->semaphores ? RP_OK : RP_ERROR_NO_MEMORY;
}

void rp_batch_release(rp_batch *b) {
    if (!b->exec) return;
    const rp_allocator *a = &b->exec->device->allocator;
    if (b->infos != b->near_infos) rp_release(a, b->infos);
    if (b->commands != b->near_commands) rp_release(a, b->commands);
    if (b->semaphores != b->near_semaphores) rp_release(a, b->semaphores);
}

/* Adds the semaphores to wait for; says how many. */
static uint32_t add_waits(const rp_batch *b, VkSemaphoreSubmitInfo *out) {
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
static uint32_t add_signals(const rp_batch *b, uint32_t pieces, VkSemaphoreSubmitInfo *out) {
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

void rp_batch_fill(const rp_batch *b) {
    VkCommandBufferSubmitInfo *commands = b->commands;
    VkSemaphoreSubmitInfo *semaphores = b->semaphores;
    const rp_slot *recorded = rp_form_slot(b->exec, b->slot, b->slot->ran);
    for (uint32_t i = 0; i < rp_batch_pieces(b); i++) {
        VkSubmitInfo2 *info = &b->infos[i];
        *info = (VkSubmitInfo2){.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                .pWaitSemaphoreInfos = semaphores,
                                .pCommandBufferInfos = commands};
        if (i == 0) info->waitSemaphoreInfoCount = add_waits(b, semaphores);
        semaphores += info->waitSemaphoreInfoCount;
        uint32_t piece = b->first_piece + i;
        if (i == 0 && b->turn) *commands++ = rp_command_info(b->turn);
        if (i == 0 && b->link) *commands++ = rp_command_info(b->link);
        if (piece == 0 && b->copies && b->copies->used[RP_BEFORE])
            *commands++ = rp_command_info(b->copies->commands[RP_BEFORE]);
        if (!b->twin)
            *commands++ =
                rp_command_info(recorded->commands[b->slot->recording * b->exec->pieces + piece]);
        else if (piece == 0)
            *commands++ = rp_command_info(b->twin);
        if (piece + 1 == b->exec->pieces && b->behind) *commands++ = rp_command_info(b->behind);
        if (piece + 1 == b->exec->pieces && b->copies && b->copies->used[RP_AFTER])
            *commands++ = rp_command_info(b->copies->commands[RP_AFTER]);
        info->commandBufferInfoCount = (uint32_t)(commands - info->pCommandBufferInfos);
        info->pSignalSemaphoreInfos = semaphores;
        info->signalSemaphoreInfoCount = add_signals(b, piece + 1, semaphores);
        semaphores += info->signalSemaphoreInfoCount;
    }
}
