/* Recorders: each call becomes data, which goes where the recorder sends it: for a graph it is
 * appended to arrays, nothing else; direct mode (direct.c) encodes it.
 *
 * Recording for a graph takes no lock and looks at nothing that other threads may change: handles and ranges
 * are kept as given and judged when the recorders are joined (join.c). Only what cannot
 * be kept, a NULL text or more data than the graph can hold, closes the recorder on the spot. A
 * call costs 32 bytes and its data, amortised O(1). */
#include "recorder/recorder.h"

const char *rp_call_name(rp_call_kind kind) {
    switch (kind) {
#define RP_X(symbol, name)                                                                         \
    case symbol: return name;
        RP_CALL_LIST(RP_X)
#undef RP_X
    }
    return "";
}

rp_status rp_recorder_create(rp_program *program, rp_recorder **out_recorder) {
    if (!out_recorder) return RP_ERROR_USAGE;
    *out_recorder = NULL;
    if (!program) return RP_ERROR_USAGE;
    rp_recorder *r = rp_alloc_zero(&program->allocator, 1, sizeof *r);
    if (!r) return RP_ERROR_NO_MEMORY;
    r->sink = &rp_recorder_list;
    r->allocator = program->allocator;
    r->program = program;
    *out_recorder = r;
    return RP_OK;
}

void rp_recorder_destroy(rp_recorder *recorder) {
    if (!recorder || recorder->sink != &rp_recorder_list) return; /* others are part of something */
    rp_allocator a = recorder->allocator;
    rp_release(&a, recorder->calls);
    rp_release(&a, recorder->ranges);
    rp_release(&a, recorder->bytes);
    rp_release(&a, recorder->places);
    rp_release(&a, recorder);
}

/* ---- Appending ------------------------------------------------------------------------------- */

void rp_recorder_fail(rp_recorder *r, rp_call_kind kind, const char *mistake) {
    r->closed = true;
    r->sink->fail(r, kind, mistake);
}

static void note_failure(rp_recorder *r, rp_call_kind kind, const char *mistake) {
    r->mistake_kind = kind;
    r->mistake = mistake;
    r->no_memory = mistake == NULL;
}

static void append(rp_recorder *r, const rp_call *call, const rp_range *ranges,
                   uint32_t range_count, const void *bytes, uint32_t size) {
    const rp_allocator *a = &r->allocator;
    if (!RP_RESERVE(a, r->calls, r->calls_count, r->calls_capacity, 1) ||
        !RP_RESERVE(a, r->ranges, r->ranges_count, r->ranges_capacity, range_count) ||
        !RP_RESERVE(a, r->bytes, r->bytes_count, r->bytes_capacity, size)) {
        rp_recorder_fail(r, (rp_call_kind)call->kind, NULL);
        return;
    }
    rp_call *taken = &r->calls[r->calls_count++];
    *taken = *call;
    taken->first_range = r->ranges_count;
    taken->first_byte = r->bytes_count;
    taken->size = size;
    for (uint32_t i = 0; i < range_count; i++) r->ranges[r->ranges_count++] = ranges[i];
    if (size) memcpy(r->bytes + r->bytes_count, bytes, size);
    r->bytes_count += size;
}

static void append_kernel(rp_recorder *r, uint32_t handle) {
    append(r, &(rp_call){.kind = RP_CALL_BIND_KERNEL, .x = handle}, NULL, 0, NULL, 0);
}

static void append_bind(rp_recorder *r, rp_call_kind kind, uint32_t set, uint32_t binding,
                        const rp_range *range) {
    append(r, &(rp_call){.kind = kind, .y = set, .z = binding}, range, 1, NULL, 0);
}

static void append_push(rp_recorder *r, uint32_t offset, const void *data, uint32_t size) {
    append(r, &(rp_call){.kind = RP_CALL_PUSH, .x = offset}, NULL, 0, data, size);
}

static void append_dispatch(rp_recorder *r, uint32_t x, uint32_t y, uint32_t z) {
    append(r, &(rp_call){.kind = RP_CALL_DISPATCH, .x = x, .y = y, .z = z}, NULL, 0, NULL, 0);
}

const rp_recorder_sink rp_recorder_list = {append_kernel,   append_bind, append_push,
                                           append_dispatch, append,      note_failure};

static void append_text(rp_recorder *r, rp_call_kind kind, const char *text) {
    if (!text)
        rp_recorder_fail(r, kind, "the text is NULL");
    else if (strlen(text) > UINT16_MAX)
        rp_recorder_fail(r, kind, "the text is longer than 65535 bytes");
    else
        rp_recorder_append(r, (rp_call){.kind = kind}, NULL, 0, text, (uint32_t)strlen(text) + 1);
}

/* ---- Places ---------------------------------------------------------------------------------- */

/* The text's offset in bytes[], in *out: that of the place before where it is the same. A name that is
 * longer than any path is none. */
static bool keep_file(rp_recorder *r, const char *file, uint32_t *out) {
    uint32_t last = r->places_count ? r->places[r->places_count - 1].file : RP_NONE;
    size_t size = file ? strlen(file) + 1 : 0;
    *out = RP_NONE;
    if (size == 0 || size > UINT16_MAX) return true;
    *out = last;
    if (last != RP_NONE && strcmp((const char *)r->bytes + last, file) == 0) return true;
    *out = r->bytes_count;
    if (!RP_RESERVE(&r->allocator, r->bytes, r->bytes_count, r->bytes_capacity, (uint32_t)size))
        return false;
    memcpy(r->bytes + r->bytes_count, file, size);
    r->bytes_count += (uint32_t)size;
    return true;
}

void rp_source_line(rp_recorder *r, const char *file, uint32_t line, uint32_t column) {
    if (!rp_recorder_is_open(r) || r->sink != &rp_recorder_list) return;
    rp_call_place place = {
        .first_call = r->calls_count, .file = RP_NONE, .pos = {line, line ? column : 0}};
    if ((line && !keep_file(r, file, &place.file)) ||
        !RP_RESERVE(&r->allocator, r->places, r->places_count, r->places_capacity, 1)) {
        r->closed = r->no_memory = true;
        return;
    }
    /* What no call came behind is forgotten. */
    if (r->places_count && r->places[r->places_count - 1].first_call == place.first_call)
        r->places_count--;
    r->places[r->places_count++] = place;
}

const rp_call_place *rp_recorder_place(const rp_recorder *r, uint32_t number) {
    uint32_t low = 0, high = r->places_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (r->places[middle].first_call < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && r->places[low - 1].pos.line ? &r->places[low - 1] : NULL;
}

/* ---- The calls ------------------------------------------------------------------------------- */

void rp_bind_kernel(rp_recorder *r, rp_kernel kernel) {
    if (!rp_recorder_is_open(r)) return;
    r->sink->kernel(r, kernel.id);
}

void rp_bind(rp_recorder *r, uint32_t binding, rp_range range) {
    if (!rp_recorder_is_open(r)) return;
    r->sink->bind(r, RP_CALL_BIND, 0, binding, &range);
}

void rp_bind_in_set(rp_recorder *r, uint32_t set, uint32_t binding, rp_range range) {
    if (!rp_recorder_is_open(r)) return;
    r->sink->bind(r, RP_CALL_BIND_IN_SET, set, binding, &range);
}

void rp_bind_access(rp_recorder *r, uint32_t set, uint32_t binding, rp_access access) {
    if (!rp_recorder_is_open(r)) return;
    rp_call call = {.kind = RP_CALL_BIND_ACCESS, .x = (uint32_t)access, .y = set, .z = binding};
    rp_recorder_append(r, call, NULL, 0, NULL, 0);
}

void rp_push(rp_recorder *r, uint32_t offset, const void *data, uint32_t size) {
    if (!rp_recorder_is_open(r)) return;
    if (size > RP_MAX_PUSH_BYTES)
        rp_recorder_fail(r, RP_CALL_PUSH, "more than 256 bytes of push data");
    else if (size > 0 && !data)
        rp_recorder_fail(r, RP_CALL_PUSH, "the data is NULL");
    else
        r->sink->push(r, offset, data, size);
}

void rp_push_live(rp_recorder *r, uint32_t offset, rp_range live) {
    if (!rp_recorder_is_open(r)) return;
    rp_recorder_append(r, (rp_call){.kind = RP_CALL_PUSH_LIVE, .x = offset}, &live, 1, NULL, 0);
}

void rp_push_address(rp_recorder *r, uint32_t offset, rp_range range) {
    if (!rp_recorder_is_open(r)) return;
    rp_recorder_append(r, (rp_call){.kind = RP_CALL_PUSH_ADDRESS, .x = offset}, &range, 1, NULL, 0);
}

void rp_use_address(rp_recorder *r, rp_range range, rp_access access) {
    if (!rp_recorder_is_open(r)) return;
    rp_call call = {.kind = RP_CALL_USE_ADDRESS, .x = (uint32_t)access};
    rp_recorder_append(r, call, &range, 1, NULL, 0);
}

void rp_dispatch(rp_recorder *r, uint32_t x, uint32_t y, uint32_t z) {
    if (!rp_recorder_is_open(r)) return;
    r->sink->dispatch(r, x, y, z);
}

void rp_dispatch_indirect(rp_recorder *r, rp_range grid) {
    if (!rp_recorder_is_open(r)) return;
    rp_recorder_append(r, (rp_call){.kind = RP_CALL_DISPATCH_INDIRECT}, &grid, 1, NULL, 0);
}

void rp_dispatch_live(rp_recorder *r, const char *x, const char *y, const char *z) {
    const char *axes[3] = {x, y, z};
    if (!rp_recorder_is_open(r)) return;
    rp_text text;
    rp_text_init(&text, &r->allocator);
    for (int i = 0; i < 3; i++) {
        if (!axes[i] || strlen(axes[i]) > UINT16_MAX) {
            rp_recorder_fail(r, RP_CALL_DISPATCH_LIVE,
                             axes[i] ? "an expression is longer than 65535 bytes"
                                     : "an expression is NULL");
            rp_text_free(&text);
            return;
        }
        rp_text_append(&text, axes[i], strlen(axes[i]) + 1);
    }
    if (text.failed)
        rp_recorder_fail(r, RP_CALL_DISPATCH_LIVE, NULL);
    else
        rp_recorder_append(r, (rp_call){.kind = RP_CALL_DISPATCH_LIVE}, NULL, 0, text.data,
                           text.size);
    rp_text_free(&text);
}

void rp_copy(rp_recorder *r, rp_range source, rp_range destination) {
    if (!rp_recorder_is_open(r)) return;
    rp_range ranges[2] = {source, destination};
    rp_recorder_append(r, (rp_call){.kind = RP_CALL_COPY}, ranges, 2, NULL, 0);
}

void rp_fill(rp_recorder *r, rp_range destination, uint32_t pattern) {
    if (!rp_recorder_is_open(r)) return;
    rp_recorder_append(r, (rp_call){.kind = RP_CALL_FILL, .x = pattern}, &destination, 1, NULL, 0);
}

void rp_update(rp_recorder *r, rp_range destination, const void *data, uint32_t size) {
    if (!rp_recorder_is_open(r)) return;
    if (size > RP_MAX_UPDATE_BYTES)
        rp_recorder_fail(r, RP_CALL_UPDATE, "more than 65536 bytes of data; split the update");
    else if (size == 0)
        rp_recorder_fail(r, RP_CALL_UPDATE, "no data: the size is 0");
    else if (!data)
        rp_recorder_fail(r, RP_CALL_UPDATE, "the data is NULL");
    else
        rp_recorder_append(r, (rp_call){.kind = RP_CALL_UPDATE}, &destination, 1, data, size);
}

void rp_fence(rp_recorder *r) {
    if (!rp_recorder_is_open(r)) return;
    rp_recorder_append(r, (rp_call){.kind = RP_CALL_FENCE}, NULL, 0, NULL, 0);
}

void rp_label_begin(rp_recorder *r, const char *label) {
    if (rp_recorder_is_open(r)) append_text(r, RP_CALL_LABEL_BEGIN, label);
}

void rp_label_end(rp_recorder *r) {
    if (!rp_recorder_is_open(r)) return;
    rp_recorder_append(r, (rp_call){.kind = RP_CALL_LABEL_END}, NULL, 0, NULL, 0);
}

void rp_optional_begin(rp_recorder *r) {
    if (!rp_recorder_is_open(r)) return;
    rp_recorder_append(r, (rp_call){.kind = RP_CALL_OPTIONAL_BEGIN}, NULL, 0, NULL, 0);
}

void rp_optional_end(rp_recorder *r) {
    if (!rp_recorder_is_open(r)) return;
    rp_recorder_append(r, (rp_call){.kind = RP_CALL_OPTIONAL_END}, NULL, 0, NULL, 0);
}

void rp_op_tag(rp_recorder *r, const char *op) {
    if (rp_recorder_is_open(r)) append_text(r, RP_CALL_OP_TAG, op);
}
