/* Weights of plans into device memory.
 *
 * What the weight buffers ask for is found and checked first. Then the arrays get their places, each
 * once, in the order in which they lie in the files, so that these are read from front to back; and
 * they go up in one transfer, which is as fast as the device's ring. BF16 that becomes f32 does not
 * lie in the file as the device wants it: it goes up in slices from a block of host memory.
 *
 * Places are in few storages: an allocation of a driver is dear, and every buffer of its own wastes
 * the rest of a page. */
#include <inttypes.h>
#include <stdlib.h>
#include "base/checked.h"
#include "base/sized.h"
#include "file.h"

enum {
    ALIGNMENT = 256,        /* fits every device's limits */
    SLICE_VALUES = 1 << 20, /* converted at once */
};
/* Every device of Vulkan 1.1 allocates that much at once. */
#define STORAGE_BYTES (UINT64_C(1) << 30)

/* What one weight buffer of one plan asks for. */
typedef struct entry {
    char *name; /* of the buffer */
    rp_dtype dtype;
    uint32_t rank;
    uint64_t shape[RP_MAX_RANK];
    uint64_t bytes;
    rp_weight array; /* while loading */
    bool converted;
    bool first; /* of those that take the array so */
    uint32_t storage;
    uint64_t offset;
} entry;

struct rp_loaded_weights {
    rp_allocator allocator;
    entry *entries; /* by name, once loaded */
    uint32_t count;
    rp_storage **storages;
    uint64_t *storage_bytes;
    uint32_t storage_count;
};

typedef struct loading {
    rp_device *device;
    const rp_weights_load_params *params;
    rp_diags *diags;
    rp_loaded_weights *out;
    bool cancelled;
    uint64_t done, total; /* bytes that were up before the transfer at hand, and of all */
} loading;

/* ---- What is asked for ----------------------------------------------------------------------- */

static bool weight_buffer(const rp_plan *plan, uint32_t index, rp_plan_buffer_info *out) {
    *out = (rp_plan_buffer_info){.size = sizeof *out};
    return rp_plan_get_buffer(plan, index, out) == RP_OK && out->kind == RP_WEIGHT;
}

static const char *array_name(const rp_weights_load_params *params, const char *buffer) {
    for (uint32_t i = 0; i < params->name_count; i++)
        if (strcmp(params->names[i].buffer, buffer) == 0) return params->names[i].array;
    return buffer;
}

static rp_status find(loading *l, const rp_plan_buffer_info *buffer) {
    const rp_weights_load_params *params = l->params;
    const char *name = array_name(params, buffer->name);
    for (uint32_t f = 0; f < params->file_count; f++) {
        uint32_t index = rp_weights_find(params->files[f], name);
        if (index == UINT32_MAX) continue;
        RP_TRY(rp_weights_check(params->files[f], index, buffer, l->diags));
        entry *e = &l->out->entries[l->out->count];
        *e = (entry){.name = rp_dup(&l->out->allocator, buffer->name, strlen(buffer->name) + 1),
                     .dtype = buffer->dtype,
                     .rank = buffer->rank,
                     .bytes = buffer->bytes,
                     .array = *rp_weights_get(params->files[f], index)};
        if (!e->name) return RP_ERROR_NO_MEMORY;
        for (uint32_t d = 0; d < e->rank; d++) e->shape[d] = buffer->shape[d];
        e->converted = rp_weight_converts(&e->array, (rp_dtype)e->dtype);
        l->out->count++;
        return RP_OK;
    }
    rp_diags_add(l->diags, RP_ERROR, NULL, 0, 0,
                 "weight buffer '%s' has no data: none of %" PRIu32 " files has an array '%s'",
                 buffer->name, params->file_count, name);
    return RP_ERROR_NOT_FOUND;
}

/* All of them, so that all that is wrong is told; the first status. */
static rp_status find_all(loading *l) {
    const rp_weights_load_params *params = l->params;
    rp_plan_buffer_info buffer;
    uint64_t count = 0;
    for (uint32_t p = 0; p < params->plan_count; p++)
        for (uint32_t i = 0; i < rp_plan_buffer_count(params->plans[p]); i++)
            count += weight_buffer(params->plans[p], i, &buffer);
    if (count > UINT32_MAX) return RP_ERROR_NO_MEMORY;
    l->out->entries = rp_alloc_zero(&l->out->allocator, count, sizeof *l->out->entries);
    if (!l->out->entries) return RP_ERROR_NO_MEMORY;
    rp_status first = RP_OK;
    for (uint32_t p = 0; p < params->plan_count; p++)
        for (uint32_t i = 0; i < rp_plan_buffer_count(params->plans[p]); i++) {
            if (!weight_buffer(params->plans[p], i, &buffer)) continue;
            rp_status status = find(l, &buffer);
            if (status == RP_ERROR_NO_MEMORY) return status;
            if (first == RP_OK) first = status;
        }
    return first;
}

/* ---- Places ---------------------------------------------------------------------------------- */

static int compare_arrays(const void *left, const void *right) {
    const entry *a = left, *b = right;
    uintptr_t first = (uintptr_t)a->array.data, second = (uintptr_t)b->array.data;
    if (first != second) return first < second ? -1 : 1;
    return a->converted - b->converted;
}

static int compare_names(const void *left, const void *right) {
    const entry *a = left, *b = right;
    return strcmp(a->name, b->name);
}

/* Which storage and where; how large the storages are. */
static rp_status place(loading *l) {
    rp_loaded_weights *out = l->out;
    qsort(out->entries, out->count, sizeof *out->entries, compare_arrays);
    out->storages = rp_alloc_zero(&out->allocator, out->count, sizeof *out->storages);
    out->storage_bytes = rp_alloc_zero(&out->allocator, out->count, sizeof *out->storage_bytes);
    if (!out->storages || !out->storage_bytes) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < out->count; i++) {
        entry *e = &out->entries[i];
        e->first = i == 0 || compare_arrays(e - 1, e) != 0;
        if (!e->first) {
            e->storage = e[-1].storage;
            e->offset = e[-1].offset;
            continue;
        }
        uint64_t used = out->storage_count ? out->storage_bytes[out->storage_count - 1] : 0;
        uint64_t offset = (used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (!out->storage_count || offset + e->bytes > STORAGE_BYTES) {
            out->storage_count++;
            offset = 0;
        }
        e->storage = out->storage_count - 1;
        e->offset = offset;
        out->storage_bytes[e->storage] = offset + e->bytes;
        l->total += e->array.size ? e->bytes : 0;
    }
    return RP_OK;
}

static rp_status allocate(loading *l) {
    rp_loaded_weights *out = l->out;
    for (uint32_t s = 0; s < out->storage_count; s++) {
        const rp_storage_params params = {.size = sizeof params,
                                          .bytes = out->storage_bytes[s],
                                          .name = "weights",
                                          .uninitialised = 1};
        RP_TRY(rp_storage_create(l->device, &params, l->diags, &out->storages[s]));
    }
    return RP_OK;
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

/* Of a transfer, whose own bytes come after those of the ones before. A transfer does not mind what
 * it is told at its end, but there may be others to come. */
static int report(void *user, uint64_t done, uint64_t total) {
    loading *l = user;
    (void)total;
    if (!l->params->progress) return 0;
    l->cancelled |= l->params->progress(l->params->user, l->done + done, l->total) != 0;
    return l->cancelled;
}

static rp_status transfer(loading *l, const rp_storage_upload *uploads, uint32_t count) {
    const rp_transfer_params params = {.size = sizeof params,
                                       .uploads = uploads,
                                       .upload_count = count,
                                       .progress = report,
                                       .user = l};
    RP_TRY(rp_device_transfer(l->device, &params, l->diags));
    if (l->cancelled) return RP_ERROR_CANCELLED;
    for (uint32_t i = 0; i < count; i++) l->done += uploads[i].size;
    return RP_OK;
}

static rp_status upload_as_they_are(loading *l) {
    rp_loaded_weights *out = l->out;
    rp_storage_upload *uploads = rp_alloc(&out->allocator, out->count, sizeof *uploads);
    if (!uploads) return RP_ERROR_NO_MEMORY;
    uint32_t count = 0;
    for (uint32_t i = 0; i < out->count; i++) {
        const entry *e = &out->entries[i];
        if (!e->first || e->converted || e->array.size == 0) continue;
        uploads[count++] =
            (rp_storage_upload){out->storages[e->storage], e->offset, e->bytes, e->array.data};
    }
    rp_status status = count ? transfer(l, uploads, count) : RP_OK;
    rp_release(&out->allocator, uploads);
    return status;
}

static rp_status upload_slice(loading *l, const entry *e, uint64_t at, void *values) {
    uint64_t width = rp_dtype_size((rp_dtype)e->dtype), left = e->bytes / width - at;
    uint64_t here = left < SLICE_VALUES ? left : SLICE_VALUES;
    RP_TRY(rp_weight_convert(&e->array, (rp_dtype)e->dtype, at, here, values));
    const rp_storage_upload upload = {l->out->storages[e->storage], e->offset + at * width,
                                      here * width, values};
    return transfer(l, &upload, 1);
}

static rp_status upload_converted(loading *l) {
    if (l->done == l->total) return RP_OK;
    const rp_loaded_weights *out = l->out;
    void *values = rp_alloc(&out->allocator, SLICE_VALUES, sizeof(float));
    rp_status status = values ? RP_OK : RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < out->count; i++) {
        const entry *e = &out->entries[i];
        if (!e->first || !e->converted || e->array.size == 0) continue;
        uint64_t count = e->bytes / rp_dtype_size((rp_dtype)e->dtype);
        for (uint64_t at = 0; at < count && status == RP_OK; at += SLICE_VALUES)
            status = upload_slice(l, e, at, values);
    }
    rp_release(&out->allocator, values);
    return status;
}

/* ---- The calls ------------------------------------------------------------------------------- */

static rp_status load(loading *l) {
    RP_TRY(find_all(l));
    RP_TRY(place(l));
    RP_TRY(allocate(l));
    RP_TRY(upload_as_they_are(l));
    RP_TRY(upload_converted(l));
    qsort(l->out->entries, l->out->count, sizeof *l->out->entries, compare_names);
    return RP_OK;
}

static bool complete(const rp_weights_load_params *p) {
    if ((p->plan_count && !p->plans) || (p->file_count && !p->files) ||
        (p->name_count && !p->names))
        return false;
    for (uint32_t i = 0; i < p->plan_count; i++)
        if (!p->plans[i]) return false;
    for (uint32_t i = 0; i < p->file_count; i++)
        if (!p->files[i]) return false;
    for (uint32_t i = 0; i < p->name_count; i++)
        if (!p->names[i].buffer || !p->names[i].array) return false;
    return true;
}

rp_status rp_weights_load(rp_device *device, const rp_weights_load_params *given, rp_diags *diags,
                          rp_loaded_weights **out_loaded) {
    if (!out_loaded) return RP_ERROR_USAGE;
    *out_loaded = NULL;
    rp_weights_load_params params;
    if (!device || !given) return RP_ERROR_USAGE;
    if (!rp_sized_take(given, &params, sizeof params))
        return rp_sized_refuse(diags, "rp_weights_load_params");
    if (!complete(&params)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "loading weights takes as many plans, files and names as are counted, and "
                     "none of them NULL");
        return RP_ERROR_USAGE;
    }
    rp_allocator a = rp_allocator_or_default(params.allocator);
    rp_loaded_weights *out = rp_alloc_zero(&a, 1, sizeof *out);
    if (!out) return RP_ERROR_NO_MEMORY;
    out->allocator = a;
    loading l = {.device = device, .params = &params, .diags = diags, .out = out};
    rp_status status = load(&l);
    if (status == RP_OK)
        *out_loaded = out;
    else
        rp_loaded_weights_destroy(out);
    return status;
}

void rp_loaded_weights_destroy(rp_loaded_weights *loaded) {
    if (!loaded) return;
    rp_allocator a = loaded->allocator;
    for (uint32_t s = 0; s < loaded->storage_count; s++) rp_storage_release(loaded->storages[s]);
    for (uint32_t i = 0; i < loaded->count; i++) rp_release(&a, loaded->entries[i].name);
    rp_release(&a, loaded->storage_bytes);
    rp_release(&a, loaded->storages);
    rp_release(&a, loaded->entries);
    rp_release(&a, loaded);
}

uint64_t rp_loaded_weights_bytes(const rp_loaded_weights *loaded) {
    uint64_t bytes = 0;
    for (uint32_t s = 0; loaded && s < loaded->storage_count; s++)
        bytes += loaded->storage_bytes[s];
    return bytes;
}

/* The entry that a buffer can be bound to, and whether there is any of its name. */
static const entry *entry_of(const rp_loaded_weights *loaded, const rp_plan_buffer_info *buffer,
                             bool *out_named) {
    uint32_t begin = 0, end = loaded->count;
    while (begin < end) { /* the first of the name */
        uint32_t middle = begin + (end - begin) / 2;
        if (strcmp(loaded->entries[middle].name, buffer->name) < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    *out_named = false;
    for (; begin < loaded->count; begin++) {
        const entry *e = &loaded->entries[begin];
        if (strcmp(e->name, buffer->name) != 0) break;
        *out_named = true;
        if (e->dtype == buffer->dtype && e->bytes == buffer->bytes && e->rank == buffer->rank &&
            memcmp(e->shape, buffer->rank ? buffer->shape : e->shape, e->rank * sizeof *e->shape) ==
                0)
            return e;
    }
    return NULL;
}

rp_status rp_loaded_weights_bindings(const rp_loaded_weights *loaded, const rp_plan *plan,
                                     rp_diags *diags, rp_binding *out, uint32_t capacity,
                                     uint32_t *out_count) {
    if (!out_count) return RP_ERROR_USAGE;
    *out_count = 0;
    if (!loaded || !plan || (!out && capacity)) return RP_ERROR_USAGE;
    uint32_t count = 0;
    for (uint32_t i = 0; i < rp_plan_buffer_count(plan); i++) {
        rp_plan_buffer_info buffer;
        bool named;
        if (!weight_buffer(plan, i, &buffer)) continue;
        const entry *e = entry_of(loaded, &buffer, &named);
        if (!e) {
            rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                         "weight buffer '%s' %s: give its plan to rp_weights_load too", buffer.name,
                         named ? "was loaded with another dtype or shape" : "was not loaded");
            return RP_ERROR_NOT_FOUND;
        }
        if (count < capacity)
            out[count] = (rp_binding){.buffer = buffer.name,
                                      .storage = loaded->storages[e->storage],
                                      .offset = e->offset,
                                      .slot = RP_ALL_SLOTS};
        count++;
    }
    *out_count = count;
    return RP_OK;
}
