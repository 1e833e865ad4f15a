/* Copies between the host and the buffers of an idle slot.
 *
 * Under the exec's lock names become places; the bytes move without it, so that other slots go on.
 * Storages are held meanwhile, in case a buffer is moved elsewhere. */
#include "exec/exec.h"

#include "base/checked.h"
#include "base/given.h"
#include "memory/transfer.h"

enum { NEAR_COPIES = 4 }; /* that lie in the call's own memory */

/* Finds the buffer, of a kind that can be copied this way. */
static rp_status find(const rp_exec *exec, const rp_copy_request *r, rp_diags *diags,
                      uint32_t *out) {
    const uint32_t kinds =
        r->upload ? 1u << RP_IN | 1u << RP_INOUT | 1u << RP_WEIGHT : 1u << RP_OUT | 1u << RP_INOUT;
    *out = r->index;
    if (r->buffer) RP_TRY(rp_exec_find_reachable(exec, r->buffer, diags, out));
    if (*out >= exec->plan->external_count) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "the plan has no buffer %u that the host can reach", *out);
        return RP_ERROR_NOT_FOUND;
    }
    const rp_plan_buffer *record = &rp_plan_buffers(exec->plan)[*out];
    if (kinds >> record->kind & 1) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s is of kind %s, the host cannot %s it%s",
                 rp_plan_string(exec->plan, record->name),
                 rp_buffer_kind_name((rp_buffer_kind)record->kind), r->upload ? "write" : "read",
                 record->kind == RP_LIVE ? ": use rp_exec_set_live" : "");
    return RP_ERROR_USAGE;
}

rp_status rp_exec_resolve_copy(const rp_exec *exec, uint32_t slot, const rp_copy_request *r,
                               rp_diags *diags, rp_copy *out) {
    uint32_t index;
    RP_TRY(find(exec, r, diags, &index));
    const rp_plan_buffer *record = &rp_plan_buffers(exec->plan)[index];
    const char *name = rp_plan_string(exec->plan, record->name);
    if (!r->host && r->size) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "a copy of %s has no host memory", name);
        return RP_ERROR_USAGE;
    }
    if (!rp_range_inside(r->offset, r->size, record->size)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "bytes %llu + %llu are outside %s, which has %llu",
                     (unsigned long long)r->offset, (unsigned long long)r->size, name,
                     (unsigned long long)record->size);
        return RP_ERROR_USAGE;
    }
    const rp_place *place = &exec->slots[slot].places[index];
    *out = (rp_copy){
        .name = name,
        .storage = place->storage,
        .buffer = place->handle,
        .offset = place->offset + r->offset,
        .size = r->size,
        .mapped = place->mapped ? place->mapped + r->offset : NULL,
        .host = (uint8_t *)r->host,
        .index = index,
    };
    return rp_copy_check_image(out, diags);
}

static rp_status resolve(rp_exec *exec, uint32_t slot, const rp_copy_request *r, rp_diags *diags,
                         rp_copy *out) {
    RP_TRY(rp_exec_resolve_copy(exec, slot, r, diags, out));
    return rp_slots_require_idle(exec, slot, out->index, diags);
}

static rp_status gather(rp_exec *exec, uint32_t slot, const rp_upload *uploads,
                        uint32_t upload_count, const rp_download *downloads,
                        uint32_t download_count, rp_diags *diags, rp_copies *copies) {
    RP_TRY(rp_exec_check_slot(exec, slot, diags));
    for (uint32_t i = 0; i < upload_count; i++) {
        const rp_upload *u = &uploads[i];
        const rp_copy_request r = {u->buffer, u->index, u->offset, u->size, u->data, true};
        RP_TRY(resolve(exec, slot, &r, diags, &copies->uploads[copies->upload_count]));
        if (r.size) copies->upload_count++;
    }
    for (uint32_t i = 0; i < download_count; i++) {
        const rp_download *d = &downloads[i];
        const rp_copy_request r = {d->buffer, d->index, d->offset, d->size, d->data, false};
        rp_copy *copy = &copies->downloads[copies->download_count];
        RP_TRY(resolve(exec, slot, &r, diags, copy));
        RP_TRY(rp_slots_require_results(exec, slot, copy->index, diags));
        if (r.size) copies->download_count++;
    }
    return rp_copies_check_uploads(copies->uploads, copies->upload_count, diags);
}

static void hold_all(const rp_copies *copies) {
    for (uint32_t i = 0; i < copies->upload_count; i++) rp_storage_hold(copies->uploads[i].storage);
    for (uint32_t i = 0; i < copies->download_count; i++)
        rp_storage_hold(copies->downloads[i].storage);
}

static void drop_all(const rp_copies *copies) {
    for (uint32_t i = 0; i < copies->upload_count; i++) rp_storage_drop(copies->uploads[i].storage);
    for (uint32_t i = 0; i < copies->download_count; i++)
        rp_storage_drop(copies->downloads[i].storage);
}

/* For the exec: the device has counted the bytes as they moved. */
static void count_copies(rp_exec *exec, const rp_copies *copies) {
    for (uint32_t i = 0; i < copies->upload_count; i++)
        rp_count(&exec->counts, RP_COUNT_bytes_up, copies->uploads[i].size);
    for (uint32_t i = 0; i < copies->download_count; i++)
        rp_count(&exec->counts, RP_COUNT_bytes_down, copies->downloads[i].size);
}

rp_status rp_exec_transfer(rp_exec *exec, uint32_t slot, const rp_upload *uploads,
                           uint32_t upload_count, const rp_download *downloads,
                           uint32_t download_count, rp_diags *diags) {
    if (!exec || !rp_array_given(uploads, upload_count, "uploads", diags) ||
        !rp_array_given(downloads, download_count, "downloads", diags))
        return RP_ERROR_USAGE;
    rp_device *device = exec->device;
    rp_copy near[NEAR_COPIES], *all = near;
    uint64_t count = (uint64_t)upload_count + download_count;
    if (count > NEAR_COPIES) all = rp_alloc(&device->allocator, count, sizeof *all);
    if (!all) return RP_ERROR_NO_MEMORY;
    rp_copies copies = {.uploads = all, .downloads = all + upload_count};
    rp_exec_lock(exec);
    rp_status status =
        gather(exec, slot, uploads, upload_count, downloads, download_count, diags, &copies);
    if (status == RP_OK) hold_all(&copies);
    rp_exec_unlock(exec);
    if (status == RP_OK) {
        status = rp_transfer(device, &copies, diags);
        drop_all(&copies);
        if (status == RP_OK) count_copies(exec, &copies);
        rp_exec_lock(exec);
        (void)rp_exec_note_loss(exec, status);
        rp_exec_unlock(exec);
    }
    if (all != near) rp_release(&device->allocator, all);
    return status;
}

rp_status rp_exec_write(rp_exec *exec, uint32_t slot, const char *buffer, uint64_t offset,
                        const void *data, uint64_t size, rp_diags *diags) {
    if (!exec || !buffer || (!data && size)) return RP_ERROR_USAGE;
    const rp_upload upload = {.buffer = buffer, .offset = offset, .size = size, .data = data};
    return rp_exec_transfer(exec, slot, &upload, 1, NULL, 0, diags);
}

rp_status rp_exec_read(rp_exec *exec, uint32_t slot, const char *buffer, uint64_t offset,
                       void *data, uint64_t size, rp_diags *diags) {
    if (!exec || !buffer || (!data && size)) return RP_ERROR_USAGE;
    const rp_download download = {.buffer = buffer, .offset = offset, .size = size, .data = data};
    return rp_exec_transfer(exec, slot, NULL, 0, &download, 1, diags);
}
