/* Submitting several execs in one vkQueueSubmit2. */
#include "exec/batch.h"

#include "base/given.h"
#include "base/sized.h"
#include "exec/links.h"

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
static rp_touch_list touches_of(const rp_batch *b, bool copies) {
    if (!copies) return (rp_touch_list){b->slot->touches, b->slot->touches_count};
    if (!b->copies) return (rp_touch_list){0};
    return (rp_touch_list){b->copies->touches, b->copies->touches_count};
}

/* The barrier between a batch and those before it that touch the same memory. */
static rp_status link_batch(rp_batch *batches, uint32_t index, rp_diags *diags) {
    uint32_t src = 0, dst = 0;
    rp_batch *b = &batches[index];
    for (uint32_t i = 0; i < index; i++)
        for (uint32_t k = 0; k < 4 && batches[i].exec != b->exec; k++)
            rp_links_scopes(touches_of(&batches[i], k & 1), touches_of(b, k >> 1), &src, &dst);
    if (src == 0) return RP_OK;
    b->link_barrier = (rp_barrier){src, dst};
    return rp_links_get(b->exec->device, src, dst, diags, &b->link);
}

/* Whether what a batch waits for comes later in the queue: then nobody would go on. Of execs that
 * are counted in up to the batch; one alone has checked its own timeline. */
static rp_status check_waits(const rp_batch *b, uint32_t index, const rp_submission *submissions,
                             uint32_t count, rp_diags *diags) {
    for (uint32_t w = 0; w < b->params.wait_count; w++) {
        const rp_semaphore *wait = &b->params.waits[w];
        for (uint32_t i = 0; i < count; i++) {
            const rp_exec *exec = submissions[i].exec;
            if (exec == b->exec || wait->handle != exec->timeline || wait->value <= exec->submitted)
                continue;
            rp_diags_add(
                diags, RP_ERROR, NULL, 0, 0,
                "submission %u waits for replay %llu of the exec of submission %u, of which "
                "%llu are submitted by then: put the one that is waited for in front",
                index, (unsigned long long)wait->value, i, (unsigned long long)exec->submitted);
            return RP_ERROR_USAGE;
        }
    }
    return RP_OK;
}

/* One submission, which each of its execs counts as its own. */
static void settle_all(const rp_batch *batches, uint32_t count) {
    rp_count(&batches[0].exec->device->counts, RP_COUNT_submissions, 1);
    for (uint32_t i = 0; i < count; i++) {
        rp_count(&batches[i].exec->counts, RP_COUNT_submissions, 1);
        rp_batch_settle(&batches[i]);
    }
}

/* Whether a batch becomes part of the one before it: no semaphore of the application's and no piece
 * stands between, and what it waits for by itself is no part of this submission. */
static bool joins(const rp_batch *batches, uint32_t index) {
    const rp_batch *b = &batches[index], *before = b - 1;
    if (!b->join || !index || rp_batch_pieces(b) != 1 || rp_batch_pieces(before) != 1 ||
        b->params.wait_count || before->params.signal_count)
        return false;
    for (uint32_t i = 0; i < index; i++)
        if (batches[i].exec == b->exec && batches[i].replay == b->wait_for) return false;
    return true;
}

/* What vkQueueSubmit2 is given for several replays. The rows lie behind each other, so that what is
 * joined is one longer row. */
typedef struct together {
    VkSubmitInfo2 *infos;
    VkCommandBufferSubmitInfo *commands, *commands_end;
    VkSemaphoreSubmitInfo *waits, *waits_end, *signals, *signals_end;
    uint32_t count;
} together;

static bool allocate_together(const rp_allocator *a, const rp_batch *batches, uint32_t count,
                              together *t) {
    uint64_t infos = 0, commands = 0, waits = 0, signals = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < rp_batch_pieces(&batches[i]); k++) {
            infos++;
            commands += batches[i].infos[k].commandBufferInfoCount;
            waits += batches[i].infos[k].waitSemaphoreInfoCount;
            signals += batches[i].infos[k].signalSemaphoreInfoCount;
        }
    t->infos = rp_alloc(a, infos, sizeof *t->infos);
    t->commands = t->commands_end = rp_alloc(a, commands, sizeof *t->commands);
    t->waits = t->waits_end = rp_alloc(a, waits + 1, sizeof *t->waits);
    t->signals = t->signals_end = rp_alloc(a, signals, sizeof *t->signals);
    return t->infos && t->commands && t->waits && t->signals;
}

static void release_together(const rp_allocator *a, together *t) {
    rp_release(a, t->infos);
    rp_release(a, t->commands);
    rp_release(a, t->waits);
    rp_release(a, t->signals);
}

/* Adds a semaphore to a row that ends at *end. A timeline that is joined with an earlier number of
 * its own is there once, with the later number and the stages of both. */
static void add_semaphore(VkSemaphoreSubmitInfo **end, uint32_t *count,
                          const VkSemaphoreSubmitInfo *semaphore, bool join) {
    for (VkSemaphoreSubmitInfo *same = *end - (join ? *count : 0); same < *end; same++)
        if (same->semaphore == semaphore->semaphore) {
            if (same->value < semaphore->value) same->value = semaphore->value;
            same->stageMask |= semaphore->stageMask;
            return;
        }
    *(*end)++ = *semaphore;
    ++*count;
}

static void add_info(together *t, const VkSubmitInfo2 *from, bool join) {
    if (!join)
        t->infos[t->count++] = (VkSubmitInfo2){.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                               .pWaitSemaphoreInfos = t->waits_end,
                                               .pCommandBufferInfos = t->commands_end,
                                               .pSignalSemaphoreInfos = t->signals_end};
    VkSubmitInfo2 *info = &t->infos[t->count - 1];
    for (uint32_t i = 0; i < from->waitSemaphoreInfoCount; i++)
        add_semaphore(&t->waits_end, &info->waitSemaphoreInfoCount, &from->pWaitSemaphoreInfos[i],
                      join);
    for (uint32_t i = 0; i < from->commandBufferInfoCount; i++)
        *t->commands_end++ = from->pCommandBufferInfos[i];
    info->commandBufferInfoCount += from->commandBufferInfoCount;
    for (uint32_t i = 0; i < from->signalSemaphoreInfoCount; i++)
        add_semaphore(&t->signals_end, &info->signalSemaphoreInfoCount,
                      &from->pSignalSemaphoreInfos[i], join);
}

/* One call for all batches, in their order. */
static rp_status submit_batches(rp_device *device, const rp_batch *batches, uint32_t count,
                                rp_diags *diags) {
    together t = {0};
    for (uint32_t i = 0; i < count; i++) rp_batch_fill(&batches[i]);
    rp_status status = RP_ERROR_NO_MEMORY;
    if (allocate_together(&device->allocator, batches, count, &t)) {
        for (uint32_t i = 0; i < count; i++)
            if (batches[i].copies) rp_copies_write(batches[i].copies);
        for (uint32_t i = 0; i < count; i++)
            for (uint32_t k = 0; k < rp_batch_pieces(&batches[i]); k++)
                add_info(&t, &batches[i].infos[k], k == 0 && joins(batches, i));
        VkResult result = rp_queue_submit(device, t.count, t.infos);
        if (result == VK_SUCCESS) settle_all(batches, count);
        status = rp_vk_result(result, "vk->QueueSubmit2", diags);
    }
    release_together(&device->allocator, &t);
    return status;
}

static rp_status submit_all(rp_device *device, const rp_submission *submissions, uint32_t count,
                            rp_batch *batches, rp_diags *diags) {
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < count && status == RP_OK; i++) {
        status = rp_batch_begin(&batches[i], submissions[i].exec, submissions[i].params, diags);
        batches[i].join = submissions[i].join;
        if (status == RP_OK) status = check_waits(&batches[i], i, submissions, count, diags);
        if (status == RP_OK) status = link_batch(batches, i, diags);
    }
    if (status == RP_OK) status = submit_batches(device, batches, count, diags);
    if (status == RP_OK) return RP_OK;
    for (uint32_t i = count; i-- > 0;) rp_batch_take_back(&batches[i]);
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
    if (!device || !rp_array_given(submissions, count, "submissions", diags)) return RP_ERROR_USAGE;
    RP_TRY(check_submissions(device, submissions, count, diags));
    if (count == 0) return RP_OK;
    const rp_allocator *a = &device->allocator;
    rp_batch *batches = rp_alloc(a, count, sizeof *batches);
    for (uint32_t i = 0; batches && i < count; i++) rp_batch_zero(&batches[i]);
    rp_status status = RP_ERROR_NO_MEMORY;
    if (batches) {
        lock_all(submissions, count, true);
        status = submit_all(device, submissions, count, batches, diags);
        lock_all(submissions, count, false);
    }
    for (uint32_t i = 0; batches && i < count; i++) {
        if (status == RP_OK && out_replays) out_replays[i] = batches[i].replay;
        rp_batch_release(&batches[i]);
    }
    rp_release(a, batches);
    return status;
}
