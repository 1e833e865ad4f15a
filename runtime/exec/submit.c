/* Submitting one replay, whole or piece by piece, and leaving the submitting to the application. */
#include "exec/batch.h"

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
    rp_batch b;
    rp_batch_zero(&b);
    rp_exec_lock(exec);
    rp_status status = rp_batch_begin(&b, exec, params, diags);
    if (status == RP_OK) {
        rp_batch_fill(&b);
        if (b.copies) rp_copies_write(b.copies);
        VkResult result = rp_queue_submit(exec->device, rp_batch_pieces(&b), b.infos);
        if (result == VK_SUCCESS) {
            count_submission(exec);
            rp_batch_settle(&b);
            if (out_replay) *out_replay = b.replay;
        } else {
            rp_batch_take_back(&b);
            status = failed(exec, result, diags);
        }
    }
    rp_exec_unlock(exec);
    rp_batch_release(&b);
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
    rp_batch b = {
        .exec = exec,
        .slot = &exec->slots[begun->slot],
        .params = {.signals = begun->signals, .signal_count = begun->signals_count},
        .replay = begun->replay,
        .first_piece = begun->next_piece,
        .end_piece = end,
        .copies = begun->copies,
    };
    rp_status status = rp_batch_reserve(&b);
    if (status == RP_OK) {
        rp_batch_fill(&b);
        VkResult result = rp_queue_submit(exec->device, rp_batch_pieces(&b), b.infos);
        if (result == VK_SUCCESS)
            count_submission(exec);
        else
            status = failed(exec, result, diags);
    }
    if (status == RP_OK) {
        begun->next_piece = end;
        if (end == exec->pieces) {
            begun->replay = 0;
            if (b.copies) rp_copies_seal(exec, b.copies);
        }
    }
    rp_batch_release(&b);
    return status;
}

/* In place of the pieces that are left a barrier against everything: what orders the pieces before
 * with the next replay may have been in those left off. */
static rp_status leave_off(rp_exec *exec, rp_diags *diags) {
    rp_begun *begun = &exec->begun;
    rp_batch b = {
        .exec = exec,
        .slot = &exec->slots[begun->slot],
        .params = {.signals = begun->signals, .signal_count = begun->signals_count},
        .replay = begun->replay,
        .first_piece = exec->pieces - 1,
        .end_piece = exec->pieces,
    };
    rp_status status = rp_batch_reserve(&b);
    if (status == RP_OK) {
        rp_batch_fill(&b);
        b.commands[0] = rp_command_info(begun->barrier);
        VkResult result = rp_queue_submit(exec->device, 1, b.infos);
        if (result == VK_SUCCESS)
            count_submission(exec);
        else
            status = failed(exec, result, diags);
    }
    if (status == RP_OK) {
        rp_exec_count_barrier(exec, (rp_barrier){RP_SCOPE_ANY, RP_SCOPE_ALL});
        b.slot->left_off = begun->next_piece;
        b.slot->settled = false;
        begun->replay = 0;
        if (begun->copies) rp_copies_drop_downloads(begun->copies);
    }
    rp_batch_release(&b);
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

rp_status rp_exec_reserve(rp_exec *exec, uint32_t slot, rp_diags *diags, uint64_t *out_replay) {
    if (!out_replay) return RP_ERROR_USAGE;
    *out_replay = 0;
    if (!exec) return RP_ERROR_USAGE;
    const rp_submit_params params = {.size = sizeof params, .slot = slot};
    rp_batch b;
    rp_batch_zero(&b);
    rp_exec_lock(exec);
    rp_status status = rp_batch_begin(&b, exec, &params, diags);
    if (status == RP_OK) {
        b.slot->recording = RP_RECORD_BARRIERS; /* the one that it is given */
        b.slot->settled = false;                /* and may submit or not */
        rp_exec_count_replay(exec, b.slot);
        *out_replay = b.replay;
        b.slot->reserved = true;
        exec->last_form = RP_UNSET;
        /* It may run in any queue, so whatever follows waits for it by semaphore. */
        if (rp_exec_overlaps(exec))
            b.slot->wait_for = b.replay;
        else
            exec->wait_for = b.replay;
    }
    rp_exec_unlock(exec);
    rp_batch_release(&b);
    return status;
}
