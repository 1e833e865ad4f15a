/* Copies that a submission brings along: uploads in front of its replay, downloads behind it.
 *
 * Both are command buffers of their own beside the recorded ones, in the same batch. Bytes pass
 * through mapped memory that belongs to the copies of one replay: the host fills it before, reads
 * it when the replay is done, and only then uses it for another one. A program that asks for the
 * same ranges in every frame has their commands recorded once, as its replays are.
 *
 * What orders them:
 *   uploads    wait for what touches their ranges: replays of the slot and copies before, and of
 *              other slots where they have the same memory. Slots whose replays overlap follow
 *              their own last replay by semaphore, so that for memory of their own no barrier is
 *              needed, which would wait for all slots.
 *              Behind them, what touches the ranges waits for the copies.
 *   downloads  wait for what writes their ranges. Behind them the host sees the bytes, and what
 *              overwrites the ranges waits; with overlapping replays a semaphore does that, too.
 *
 * Memory that the host sees can do without the GPU, if the exec knows of all who use it: allocated
 * here, never given out, and no commands either. Then uploads to an idle slot are a memcpy before
 * the submission, and downloads one when they are waited for. Whatever may overwrite those bytes in
 * between comes by here first (rp_copies_secure): if the replay is done the host reads them at
 * once, otherwise the GPU copies them aside, in front of what is submitted next. An exec to which
 * that happens lets the GPU copy all its downloads from then on. */
#include "exec/copies.h"

#include "base/scope.h"
#include "driver/barrier.h"

enum { PLACE_ALIGNMENT = 64, LEAST_BYTES = 65536 };

static bool is_pending(const rp_replay_copies *c) {
    return atomic_load_explicit(&c->downloads, memory_order_acquire) == RP_DOWNLOADS_PENDING;
}

static bool is_delivering(const rp_replay_copies *c) {
    return atomic_load_explicit(&c->downloads, memory_order_acquire) == RP_DOWNLOADS_DELIVERING;
}

static void set_downloads(rp_replay_copies *c, rp_downloads downloads) {
    atomic_store_explicit(&c->downloads, downloads, memory_order_release);
}

/* ---- What is asked for ----------------------------------------------------------------------- */

typedef struct wishes {
    rp_copy *list; /* uploads first */
    uint32_t upload_count, count;
    uint64_t up_bytes, down_bytes; /* that the GPU copies */
} wishes;

static rp_status gather(rp_exec *exec, const rp_submit_params *params, rp_diags *diags,
                        wishes *out) {
    uint64_t most = (uint64_t)params->upload_count + params->download_count;
    if (most > UINT32_MAX || !RP_RESERVE(&exec->device->allocator, exec->copies_wanted, 0,
                                         exec->copies_capacity, (uint32_t)most))
        return RP_ERROR_NO_MEMORY;
    *out = (wishes){.list = exec->copies_wanted};
    for (uint32_t i = 0; i < params->upload_count; i++) {
        const rp_upload *u = &params->uploads[i];
        const rp_copy_request r = {u->buffer, u->index, u->offset, u->size, u->data, true};
        RP_TRY(rp_exec_resolve_copy(exec, params->slot, &r, diags, &out->list[out->count]));
        if (r.size) out->count++;
    }
    out->upload_count = out->count;
    for (uint32_t i = 0; i < params->download_count; i++) {
        const rp_download *d = &params->downloads[i];
        const rp_copy_request r = {d->buffer, d->index, d->offset, d->size, d->data, false};
        RP_TRY(rp_exec_resolve_copy(exec, params->slot, &r, diags, &out->list[out->count]));
        if (r.size) out->count++;
    }
    return rp_copies_check_uploads(out->list, out->upload_count, diags);
}

/* Whether the host may copy by itself. */
static bool is_direct(rp_exec *exec, uint32_t slot, const rp_copy *copy, bool upload) {
    if (!copy->mapped || copy->storage->known || exec->commands_given) return false;
    if (!upload) return !exec->copies_downloads;
    return rp_slots_require_idle(exec, slot, copy->index, NULL) == RP_OK;
}

static uint64_t pass_through(rp_copy *copy, uint64_t at) {
    copy->mapped = NULL;
    copy->at = (at + PLACE_ALIGNMENT - 1) / PLACE_ALIGNMENT * PLACE_ALIGNMENT;
    return copy->at + copy->size;
}

/* Downloads all go one way, so that the commands behind a replay are there to copy aside what the
 * host was to read. */
static void lay_out(rp_exec *exec, uint32_t slot, wishes *w) {
    bool down_direct = true;
    for (uint32_t i = w->upload_count; i < w->count; i++)
        down_direct &= is_direct(exec, slot, &w->list[i], false);
    for (uint32_t i = 0; i < w->count; i++) {
        rp_copy *copy = &w->list[i];
        bool upload = i < w->upload_count;
        copy->at = 0;
        if (upload ? is_direct(exec, slot, copy, true) : down_direct) continue;
        uint64_t *bytes = upload ? &w->up_bytes : &w->down_bytes;
        *bytes = pass_through(copy, *bytes);
    }
}

/* ---- Those that are there -------------------------------------------------------------------- */

static bool is_free(const rp_exec *exec, const rp_replay_copies *c) {
    return !c->replay ||
           (c->sealed && c->replay <= exec->completed && !is_pending(c) && !is_delivering(c));
}

/* Whether a list asks for the same commands. */
static bool same_commands(const rp_copy *a, const rp_copy *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (a[i].buffer != b[i].buffer || a[i].offset != b[i].offset || a[i].size != b[i].size ||
            a[i].at != b[i].at || !a[i].mapped != !b[i].mapped)
            return false;
    return true;
}

/* Says which of the recordings are good for what is wanted. */
static void compare(const rp_exec *exec, uint32_t slot, const rp_replay_copies *c, const wishes *w,
                    bool out_good[2]) {
    uint32_t ups = w->upload_count, downs = w->count - ups;
    bool same = c->round == exec->round && c->slot == slot;
    out_good[RP_BEFORE] = same && c->recorded[RP_BEFORE] && c->upload_count == ups &&
                          same_commands(c->list, w->list, ups);
    out_good[RP_AFTER] = same && c->recorded[RP_AFTER] && c->count - c->upload_count == downs &&
                         same_commands(c->list + c->upload_count, w->list + ups, downs);
}

static rp_status create(rp_exec *exec, rp_diags *diags, rp_replay_copies **out) {
    rp_device *device = exec->device;
    const rp_vk *vk = &device->vk;
    rp_replay_copies *c = rp_alloc_zero(&device->allocator, 1, sizeof *c);
    if (!c) return RP_ERROR_NO_MEMORY;
    rp_status status = rp_commands_create(device, device->adapter.queue_family,
                                          VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT, 2, diags,
                                          &c->pool, c->commands);
    if (status != RP_OK) {
        vk->DestroyCommandPool(device->handle, c->pool, NULL);
        rp_release(&device->allocator, c);
        return status;
    }
    c->next = exec->copies;
    exec->copies = *out = c;
    return RP_OK;
}

/* A free one, of which as much as possible is recorded. */
static rp_status acquire(rp_exec *exec, uint32_t slot, const wishes *w, rp_diags *diags,
                         rp_replay_copies **out, bool out_good[2]) {
    rp_replay_copies *best = NULL;
    uint32_t best_score = 0;
    for (int round = 0; round < 2 && !best; round++) {
        if (round) (void)rp_exec_refresh(exec); /* if that fails another one is created */
        for (rp_replay_copies *c = exec->copies; c; c = c->next) {
            bool good[2];
            if (!is_free(exec, c)) continue;
            compare(exec, slot, c, w, good);
            uint32_t score = 1 + good[0] + good[1];
            if (score <= best_score) continue;
            best = c;
            best_score = score;
        }
    }
    if (!best) RP_TRY(create(exec, diags, &best));
    compare(exec, slot, best, w, out_good);
    *out = best;
    return RP_OK;
}

static rp_status provide(rp_device *device, rp_storage **storage, uint64_t bytes, rp_diags *diags) {
    uint64_t size = LEAST_BYTES;
    if (bytes == 0 || (*storage && (*storage)->size >= bytes)) return RP_OK;
    while (size < bytes) size *= 2;
    const rp_storage_wish wish = {.purpose = RP_PURPOSE_STAGING, .size = size, .name = "copies"};
    rp_storage *new;
    RP_TRY(rp_storage_allocate(device, &wish, 1, diags, &new));
    rp_storage_drop(*storage);
    *storage = new;
    return RP_OK;
}

/* ---- Recording ------------------------------------------------------------------------------- */

/* The scopes of barriers around copies. */
typedef struct around {
    uint32_t wait;   /* in front: who is waited for */
    uint32_t behind; /* who waits */
} around;

static uint32_t scopes_of(const rp_exec *exec, const rp_replay_copies *c, uint32_t i,
                          bool *out_shared) {
    const rp_copy *copy = &c->list[i];
    return rp_slots_scopes_at(exec, c->slot, copy->buffer, copy->offset, copy->offset + copy->size,
                              out_shared);
}

static around around_uploads(const rp_exec *exec, const rp_replay_copies *c) {
    around a = {0};
    for (uint32_t i = 0; i < c->upload_count; i++) {
        bool shared;
        if (c->list[i].mapped) continue;
        uint32_t scopes = scopes_of(exec, c, i, &shared);
        if (shared || !rp_exec_overlaps(exec)) a.wait |= scopes | RP_SCOPE_TRANSFER_W;
        a.behind |= scopes;
    }
    return a;
}

/* Copies that are late are in no replay that others wait for: uploads, too, wait here. */
static around around_downloads(const rp_exec *exec, const rp_replay_copies *c, bool late) {
    around a = {.wait = RP_SCOPE_TRANSFER_W, .behind = RP_SCOPE_HOST_R};
    if (late) a.behind |= RP_SCOPE_TRANSFER_W;
    for (uint32_t i = c->upload_count; i < c->count; i++) {
        bool shared;
        if (c->list[i].mapped) continue;
        uint32_t writes = scopes_of(exec, c, i, &shared) & rp_scope_writes();
        a.wait |= writes;
        if (late || !rp_exec_overlaps(exec)) a.behind |= writes;
    }
    return a;
}

/* Says in *out what was recorded. */
static void record_barrier(const rp_exec *exec, VkCommandBuffer commands, uint32_t src,
                           uint32_t dst, rp_barrier *out) {
    VkMemoryBarrier2 barrier;
    *out = (rp_barrier){0};
    if (!rp_barrier_lower(src, dst, exec->device->quirks, true, &barrier)) return;
    *out = (rp_barrier){src, dst};
    rp_barrier_record(&exec->device->vk, commands, &barrier);
}

static void record_copies(const rp_exec *exec, const rp_replay_copies *c, int which) {
    VkCommandBuffer commands = c->commands[which];
    uint32_t first = which == RP_BEFORE ? 0 : c->upload_count;
    uint32_t end = which == RP_BEFORE ? c->upload_count : c->count;
    for (uint32_t i = first; i < end; i++) {
        const rp_copy *copy = &c->list[i];
        if (copy->mapped) continue;
        const rp_copy_part part = {
            .copy = copy,
            .size = copy->size,
            .buffer = which == RP_BEFORE ? c->up->handle : c->down->handle,
            .at = copy->at,
            .upload = which == RP_BEFORE,
        };
        rp_copy_record(&exec->device->vk, commands, &part);
    }
}

/* `late`: behind everything that is submitted so far. */
static rp_status record(const rp_exec *exec, rp_replay_copies *c, int which, bool late,
                        rp_diags *diags) {
    const rp_vk *vk = &exec->device->vk;
    VkCommandBuffer commands = c->commands[which];
    rp_barrier *barriers = c->barriers[which];
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    c->recorded[which] = false;
    RP_TRY(RP_VK(diags, vk->BeginCommandBuffer(commands, &begin)));
    if (which == RP_BEFORE) {
        around a = around_uploads(exec, c);
        record_barrier(exec, commands, a.wait, RP_SCOPE_TRANSFER_W, &barriers[0]);
        record_copies(exec, c, which);
        record_barrier(exec, commands, RP_SCOPE_TRANSFER_W, a.behind, &barriers[1]);
    } else {
        around a = around_downloads(exec, c, late);
        const uint32_t both = RP_SCOPE_TRANSFER_R | RP_SCOPE_TRANSFER_W;
        record_barrier(exec, commands, a.wait, both, &barriers[0]);
        record_copies(exec, c, which);
        record_barrier(exec, commands, both, a.behind, &barriers[1]);
    }
    RP_TRY(RP_VK(diags, vk->EndCommandBuffer(commands)));
    c->recorded[which] = !late;
    return RP_OK;
}

/* ---- Preparing ------------------------------------------------------------------------------- */

static rp_status list_touches(const rp_exec *exec, rp_replay_copies *c) {
    c->touches_count = 0;
    if (!RP_RESERVE(&exec->device->allocator, c->touches, 0, c->touches_capacity, c->count))
        return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < c->count; i++) {
        const rp_copy *copy = &c->list[i];
        if (copy->mapped) continue;
        c->touches[c->touches_count++] = (rp_touch){
            .handle = copy->buffer,
            .lo = copy->offset,
            .hi = copy->offset + copy->size,
            .scopes = i < c->upload_count ? RP_SCOPE_TRANSFER_W : RP_SCOPE_TRANSFER_R,
        };
    }
    if (c->touches_count) rp_touches_sort(c->touches, c->touches_count);
    return RP_OK;
}

static rp_status take(rp_exec *exec, const wishes *w, const bool good[2], rp_diags *diags,
                      rp_replay_copies *c) {
    rp_device *device = exec->device;
    for (int which = 0; which < 2; which++) c->recorded[which] = good[which];
    if (!RP_RESERVE(&device->allocator, c->list, 0, c->capacity, w->count))
        return RP_ERROR_NO_MEMORY;
    memcpy(c->list, w->list, w->count * sizeof *c->list);
    c->upload_count = w->upload_count;
    c->count = w->count;
    c->round = exec->round;
    RP_TRY(list_touches(exec, c));
    RP_TRY(provide(device, &c->up, w->up_bytes, diags));
    RP_TRY(provide(device, &c->down, w->down_bytes, diags));
    if (w->up_bytes && !good[RP_BEFORE]) RP_TRY(record(exec, c, RP_BEFORE, false, diags));
    if (w->down_bytes && !good[RP_AFTER]) RP_TRY(record(exec, c, RP_AFTER, false, diags));
    for (uint32_t i = 0; i < c->upload_count; i++)
        if (!c->list[i].mapped)
            memcpy(c->up->mapped + c->list[i].at, c->list[i].host, c->list[i].size);
    return RP_OK;
}

rp_status rp_copies_prepare(rp_exec *exec, const rp_submit_params *params, rp_diags *diags,
                            rp_replay_copies **out) {
    wishes w;
    bool good[2];
    *out = NULL;
    if (!params->upload_count && !params->download_count) return RP_OK;
    RP_TRY(gather(exec, params, diags, &w));
    if (w.count == 0) return RP_OK;
    lay_out(exec, params->slot, &w);
    rp_replay_copies *c;
    RP_TRY(acquire(exec, params->slot, &w, diags, &c, good));
    c->replay = 0;
    c->slot = params->slot;
    RP_TRY(take(exec, &w, good, diags, c));
    if (exec->lost) return rp_exec_report_loss(exec, diags); /* asking what is done has shown it */
    c->used[RP_BEFORE] = w.up_bytes > 0;
    c->used[RP_AFTER] = w.down_bytes > 0;
    c->sealed = false;
    set_downloads(c, c->count > c->upload_count ? RP_DOWNLOADS_PENDING : RP_DOWNLOADS_DONE);
    c->late_value = 0;
    c->replay = exec->submitted + 1;
    *out = c;
    return RP_OK;
}

void rp_copies_forget(rp_replay_copies *c) {
    c->replay = 0;
    set_downloads(c, RP_DOWNLOADS_DONE);
}

void rp_copies_write(const rp_replay_copies *c) {
    for (uint32_t i = 0; i < c->upload_count; i++)
        if (c->list[i].mapped) memcpy(c->list[i].mapped, c->list[i].host, c->list[i].size);
}

static void count_barriers(rp_exec *exec, const rp_replay_copies *c, int which) {
    for (uint32_t i = 0; i < 2; i++) rp_exec_count_barrier(exec, c->barriers[which][i]);
}

void rp_copies_settle(rp_exec *exec, rp_replay_copies *c) {
    for (uint32_t i = 0; i < c->upload_count; i++)
        rp_exec_count(exec, RP_COUNT_bytes_up, c->list[i].size);
    if (c->used[RP_BEFORE]) count_barriers(exec, c, RP_BEFORE);
}

void rp_copies_seal(rp_exec *exec, rp_replay_copies *c) {
    c->sealed = true;
    if (c->used[RP_AFTER]) count_barriers(exec, c, RP_AFTER);
}

void rp_copies_drop_downloads(rp_replay_copies *c) {
    c->sealed = true;
    set_downloads(c, RP_DOWNLOADS_DONE);
}

/* ---- Delivering ------------------------------------------------------------------------------ */

/* Waits until downloads that were submitted behind their replay are done. */
static rp_status wait_late(const rp_exec *exec, const rp_replay_copies *c, rp_diags *diags) {
    if (!c->late_value) return RP_OK;
    const VkSemaphoreWaitInfo info = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
        .semaphoreCount = 1,
        .pSemaphores = &c->late,
        .pValues = &c->late_value,
    };
    const rp_device *device = exec->device;
    return RP_VK(diags, device->vk.WaitSemaphores(device->handle, &info, UINT64_MAX));
}

/* Gives the bytes of one replay to the host. It is marked as delivering, which keeps others off, so
 * that the exec need not be locked. */
static rp_status deliver(rp_exec *exec, rp_replay_copies *c, rp_diags *diags) {
    rp_status status = wait_late(exec, c, diags);
    for (uint32_t i = c->upload_count; i < c->count && status == RP_OK; i++) {
        const rp_copy *copy = &c->list[i];
        memcpy(copy->host, copy->mapped ? copy->mapped : c->down->mapped + copy->at, copy->size);
        rp_exec_count(exec, RP_COUNT_bytes_down, copy->size);
    }
    pthread_mutex_lock(&exec->delivery);
    set_downloads(c, status == RP_OK ? RP_DOWNLOADS_DONE : RP_DOWNLOADS_PENDING);
    pthread_cond_broadcast(&exec->delivered);
    pthread_mutex_unlock(&exec->delivery);
    return status;
}

/* Waits until another thread has delivered, which takes no lock to finish but this one. */
static void await_delivery(rp_exec *exec, const rp_replay_copies *c) {
    pthread_mutex_lock(&exec->delivery);
    while (is_delivering(c)) pthread_cond_wait(&exec->delivered, &exec->delivery);
    pthread_mutex_unlock(&exec->delivery);
}

/* Of the earliest replay. */
static rp_replay_copies *first_to_deliver(const rp_exec *exec, uint64_t replay) {
    rp_replay_copies *first = NULL;
    for (rp_replay_copies *c = exec->copies; c; c = c->next)
        if ((is_pending(c) || is_delivering(c)) && c->sealed && c->replay <= replay &&
            (!first || c->replay < first->replay))
            first = c;
    return first;
}

rp_status rp_copies_deliver(rp_exec *exec, uint64_t replay, rp_diags *diags) {
    rp_status status = RP_OK;
    rp_replay_copies *c = first_to_deliver(exec, replay);
    for (; c && status == RP_OK; c = first_to_deliver(exec, replay)) {
        bool ours = is_pending(c);
        if (ours) set_downloads(c, RP_DOWNLOADS_DELIVERING);
        rp_exec_unlock(exec);
        if (ours)
            status = deliver(exec, c, diags);
        else
            await_delivery(exec, c);
        rp_exec_lock(exec);
    }
    return rp_exec_note_loss(exec, status);
}

/* ---- Securing -------------------------------------------------------------------------------- */

/* Whether the host is still to read downloads from the buffers. */
static bool reads_buffers(const rp_replay_copies *c) {
    return (is_pending(c) || is_delivering(c)) && c->list[c->upload_count].mapped;
}

static rp_status create_late(rp_device *device, rp_replay_copies *c, rp_diags *diags) {
    if (c->late) return RP_OK;
    return rp_timeline_create(device, diags, &c->late);
}

static rp_status submit_late(rp_exec *exec, rp_replay_copies *c, rp_diags *diags) {
    rp_device *device = exec->device;
    /* The value only grows: replays do. */
    VkResult result = rp_commands_submit(device, false, c->commands[RP_AFTER], c->late, c->replay);
    RP_TRY(rp_vk_result(result, "vk->QueueSubmit2", diags));
    rp_exec_count(exec, RP_COUNT_submissions, 1);
    count_barriers(exec, c, RP_AFTER);
    c->late_value = c->replay;
    return RP_OK;
}

/* The other way round: nothing passes through. */
static void read_buffers(rp_replay_copies *c) {
    for (uint32_t i = c->upload_count; i < c->count; i++) {
        rp_copy *copy = &c->list[i];
        copy->mapped = copy->storage->mapped + (copy->offset - copy->storage->offset);
    }
}

/* Lets the GPU copy aside what the host would have read from the buffers: with the last piece of the
 * replay, or behind everything so far when that is submitted. */
static rp_status copy_aside(rp_exec *exec, rp_replay_copies *c, rp_diags *diags) {
    uint64_t bytes = 0;
    bool late = c->sealed;
    for (uint32_t i = c->upload_count; i < c->count; i++)
        bytes += c->list[i].size + PLACE_ALIGNMENT;
    RP_TRY(provide(exec->device, &c->down, bytes, diags));
    if (late) RP_TRY(create_late(exec->device, c, diags));
    uint64_t end = 0;
    for (uint32_t i = c->upload_count; i < c->count; i++) end = pass_through(&c->list[i], end);
    rp_status status = record(exec, c, RP_AFTER, late, diags);
    if (status == RP_OK && late) status = submit_late(exec, c, diags);
    if (status != RP_OK) {
        read_buffers(c);
        c->recorded[RP_AFTER] = false;
        return rp_exec_note_loss(exec, status);
    }
    c->used[RP_AFTER] = !late;
    exec->copies_downloads = true;
    return RP_OK;
}

static bool is_of(const rp_replay_copies *c, uint32_t slot) {
    return slot == RP_ALL_SLOTS || c->slot == slot;
}

rp_status rp_copies_secure(rp_exec *exec, uint32_t slot, rp_diags *diags) {
    for (rp_replay_copies *c = exec->copies; c; c = c->next) {
        if (!is_of(c, slot) || !reads_buffers(c)) continue;
        if (c->sealed && c->replay > exec->completed) (void)rp_exec_refresh(exec);
        if (exec->lost) return rp_exec_report_loss(exec, diags);
        if (is_delivering(c)) {
            await_delivery(exec, c);
        } else if (c->sealed && c->replay <= exec->completed) {
            set_downloads(c, RP_DOWNLOADS_DELIVERING);
            RP_TRY(deliver(exec, c, diags));
        } else {
            RP_TRY(copy_aside(exec, c, diags));
        }
    }
    return RP_OK;
}

rp_status rp_copies_fetch(rp_exec *exec, uint32_t slot, rp_diags *diags) {
    for (rp_replay_copies *c = exec->copies; c; c = c->next) {
        if (!is_of(c, slot)) continue;
        if (is_delivering(c)) await_delivery(exec, c);
        if (!is_pending(c) || (!reads_buffers(c) && !c->late_value)) continue;
        set_downloads(c, RP_DOWNLOADS_DELIVERING);
        RP_TRY(deliver(exec, c, diags));
    }
    return RP_OK;
}

void rp_copies_free(rp_exec *exec) {
    rp_device *device = exec->device;
    const rp_allocator *a = &device->allocator;
    for (rp_replay_copies *c = exec->copies, *next; c; c = next) {
        next = c->next;
        (void)wait_late(exec, c, NULL);
        device->vk.DestroySemaphore(device->handle, c->late, NULL);
        device->vk.DestroyCommandPool(device->handle, c->pool, NULL);
        rp_storage_drop(c->up);
        rp_storage_drop(c->down);
        rp_release(a, c->list);
        rp_release(a, c->touches);
        rp_release(a, c);
    }
    rp_release(a, exec->copies_wanted);
    exec->copies = NULL;
}
