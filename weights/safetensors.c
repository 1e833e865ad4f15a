/* .safetensors files: 8 bytes with the header's length, the header, the arrays back to back.
 *
 * The header is a JSON object: a name, and its type, shape and place. Jansson reads it, with its
 * limits on depth and its checks of escapes and UTF-8; names given twice are refused. Jansson
 * allocates for itself. Its tree is kept, since it holds the names.
 *
 * Nothing of the arrays is touched here: opening a file of many gigabytes costs its header. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include "base/checked.h"
#include "file.h"

enum { MAX_HEADER = 100000000 }; /* bytes: the format's own limit */

/* The types of the format: name, bits, and the dtype whose buffers take them as they are. */
static const struct {
    const char *name;
    uint32_t bits;
    rp_dtype dtype;
} types[] = {
    {"F32", 32, RP_F32},  {"F16", 16, RP_F16},    {"I8", 8, RP_I8},       {"U8", 8, RP_U8},
    {"I32", 32, RP_I32},  {"U32", 32, RP_U32},    {"BF16", 16, RP_BF16},  {"F64", 64, RP_F64},
    {"I64", 64, RP_I64},  {"U64", 64, RP_U64},    {"I16", 16, RP_I16},    {"U16", 16, RP_U16},
    {"BOOL", 8, RP_BOOL}, {"F8_E4M3", 8, RP_RAW}, {"F8_E5M2", 8, RP_RAW}, {"F8_E8M0", 8, RP_RAW}};

static rp_status parse_header(rp_weights *w) {
    const uint8_t *bytes = w->block;
    uint64_t length = 0;
    if (w->block_size < 8)
        return rp_weights_fail(w, "has %zu bytes: no .safetensors file", w->block_size);
    for (int i = 7; i >= 0; i--) length = length << 8 | bytes[i];
    if (length < 2 || length > w->block_size - 8)
        return rp_weights_fail(w,
                               "no .safetensors file: its header would have %" PRIu64
                               " bytes, the file "
                               "has %zu",
                               length, w->block_size);
    const char *text = (const char *)bytes + 8;
    if (text[0] != '{')
        return rp_weights_fail(w, "no .safetensors file: its header does not begin with '{'");
    if (length > MAX_HEADER)
        return rp_weights_fail(w, "its header has %" PRIu64 " bytes: %d are the most", length,
                               MAX_HEADER);
    w->data_at = 8 + length;
    w->data_size = w->block_size - w->data_at;
    json_error_t error;
    w->header = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &error);
    if (w->header) return RP_OK;
    if (json_error_code(&error) == json_error_out_of_memory) return RP_ERROR_NO_MEMORY;
    return rp_weights_fail(w, "its header is damaged at byte %d: %s", error.position, error.text);
}

/* ---- The arrays ------------------------------------------------------------------------------ */

static bool read_number(const json_t *node, uint64_t *out) {
    json_int_t value = json_integer_value(node); /* 0 for anything else */
    *out = (uint64_t)value;
    return json_is_integer(node) && value >= 0;
}

static rp_status read_shape(const rp_weights *w, const json_t *node, rp_weight *out,
                            uint64_t *elements) {
    *elements = 1;
    if (!json_is_array(node))
        return rp_weights_fail(w, "tensor '%.60s': 'shape' is no list", out->name);
    out->rank = (uint32_t)json_array_size(node);
    bool empty = false, large = false;
    for (uint32_t i = 0; i < out->rank; i++) {
        uint64_t dim;
        if (!read_number(json_array_get(node, i), &dim))
            return rp_weights_fail(
                w, "tensor '%.60s': 'shape' holds something else than whole numbers", out->name);
        if (i < RP_MAX_RANK) out->shape[i] = dim;
        empty |= dim == 0;
        large |= !empty && !rp_mul_u64(*elements, dim, elements);
    }
    if (empty) *elements = 0;
    if (large && !empty)
        return rp_weights_fail(w, "tensor '%.60s': its shape is too large", out->name);
    return RP_OK;
}

static rp_status read_place(const rp_weights *w, const json_t *node, rp_weight *out) {
    uint64_t begin, end;
    if (json_array_size(node) != 2 || !read_number(json_array_get(node, 0), &begin) ||
        !read_number(json_array_get(node, 1), &end))
        return rp_weights_fail(w, "tensor '%.60s': 'data_offsets' is no pair of whole numbers",
                               out->name);
    if (begin > end || end > w->data_size)
        return rp_weights_fail(w,
                               "tensor '%.60s': bytes %" PRIu64 " to %" PRIu64
                               " lie outside the data, "
                               "which has %" PRIu64,
                               out->name, begin, end, w->data_size);
    out->data = (const char *)w->block + w->data_at + begin;
    out->size = end - begin;
    return RP_OK;
}

static rp_status read_tensor(const rp_weights *w, const char *name, const json_t *map,
                             rp_weight *out) {
    *out = (rp_weight){.name = name, .dtype = RP_RAW};
    if (json_object_size(map) != 3)
        return rp_weights_fail(w, "'%.60s' is no tensor with dtype, shape and data_offsets", name);
    const char *type = json_string_value(json_object_get(map, "dtype"));
    if (!type) return rp_weights_fail(w, "tensor '%.60s': 'dtype' is no text", name);
    uint64_t elements, bytes;
    RP_TRY(read_shape(w, json_object_get(map, "shape"), out, &elements));
    RP_TRY(read_place(w, json_object_get(map, "data_offsets"), out));
    for (uint32_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(type, types[i].name) != 0) continue;
        out->type = types[i].name;
        out->dtype = types[i].dtype;
        if (rp_mul_u64(elements, types[i].bits / 8, &bytes) && bytes == out->size) return RP_OK;
        return rp_weights_fail(
            w, "tensor '%.60s': %" PRIu64 " values of %s are not its %" PRIu64 " bytes", name,
            elements, out->type, out->size);
    }
    return rp_weights_fail(w, "tensor '%.60s' has the unknown type '%.60s'", name, type);
}

static int compare_places(const void *left, const void *right) {
    const rp_weight *a = left, *b = right;
    if (a->data != b->data) return (const char *)a->data < (const char *)b->data ? -1 : 1;
    return (a->size > b->size) - (a->size < b->size); /* empty ones come first */
}

/* The arrays are the data, all of it, once. */
static rp_status check_places(rp_weights *w) {
    qsort(w->items, w->count, sizeof *w->items, compare_places);
    const char *next = (const char *)w->block + w->data_at;
    for (uint32_t i = 0; i < w->count; i++) {
        const char *begin = w->items[i].data;
        if (begin < next)
            return rp_weights_fail(w, "tensor '%.60s' overlaps '%.60s'", w->items[i].name,
                                   w->items[i - 1].name);
        if (begin > next)
            return rp_weights_fail(w, "%zu bytes before tensor '%.60s' belong to none",
                                   (size_t)(begin - next), w->items[i].name);
        next = begin + w->items[i].size;
    }
    size_t rest = (size_t)((const char *)w->block + w->block_size - next);
    return rest == 0 ? RP_OK : rp_weights_fail(w, "%zu bytes at the end belong to no tensor", rest);
}

rp_status rp_safetensors_read(rp_weights *w) {
    RP_TRY(parse_header(w));
    size_t count = json_object_size(w->header);
    w->items = rp_alloc_zero(&w->allocator, count, sizeof *w->items);
    if (!w->items) return RP_ERROR_NO_MEMORY;
    const char *name;
    json_t *value;
    json_object_foreach(w->header, name, value) {
        if (strcmp(name, "__metadata__") == 0) continue;
        RP_TRY(read_tensor(w, name, value, &w->items[w->count]));
        w->count++;
    }
    return check_places(w);
}

void rp_safetensors_release(rp_weights *w) {
    json_decref(w->header);
}
