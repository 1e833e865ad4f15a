/* .safetensors files: 8 bytes with the header's length, the header, the arrays back to back.
 *
 * The header is a JSON object: a name, and its type, shape and place. Jansson reads it, with its
 * limits on depth and its checks of escapes and UTF-8; names given twice are refused. Jansson
 * allocates for itself. Its tree is kept, since it holds the names.
 *
 * Nothing of the arrays is touched here: opening a file of many gigabytes costs its header. */
#include "reprise/weights.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/checked.h"
#include "base/path.h"

enum { MAX_HEADER = 100000000 }; /* bytes: the format's own limit */

struct rp_weights {
    rp_allocator allocator;
    const char *path; /* while opening */
    rp_diags *diags;
    const void *block;
    size_t block_size;
    bool mapped;
    uint64_t data_at, data_size; /* of the arrays, in the block */
    json_t *header;              /* holds all names */
    rp_weight *items;            /* in the order of their data */
    uint32_t *by_name;           /* their indices in the order of their names */
    uint32_t count;
};

/* The types of the format: name, bits, and the dtype whose buffers take them as they are. */
static const struct {
    const char *name;
    uint32_t bits;
    rp_dtype dtype;
} types[] = {
    {"F32", 32, RP_F32}, {"F16", 16, RP_F16},    {"I8", 8, RP_I8},       {"U8", 8, RP_U8},
    {"I32", 32, RP_I32}, {"U32", 32, RP_U32},    {"BF16", 16, RP_RAW},   {"F64", 64, RP_RAW},
    {"I64", 64, RP_RAW}, {"U64", 64, RP_RAW},    {"I16", 16, RP_RAW},    {"U16", 16, RP_RAW},
    {"BOOL", 8, RP_RAW}, {"F8_E4M3", 8, RP_RAW}, {"F8_E5M2", 8, RP_RAW}, {"F8_E8M0", 8, RP_RAW}};

static rp_status fail(const rp_weights *w, const char *format, ...) RP_PRINTF(2, 3);
static rp_status fail(const rp_weights *w, const char *format, ...) {
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    for (char *c = message; *c; c++) /* names come from strangers, messages go to terminals */
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    rp_diags_add(w->diags, RP_ERROR, w->path, 0, 0, "%s", message);
    return RP_ERROR_INVALID;
}

/* ---- The file -------------------------------------------------------------------------------- */

static rp_status map_file(rp_weights *w) {
    const char *no_file = rp_path_is_no_file(w->path, false);
    if (no_file) {
        fail(w, "%s; expected a .safetensors file", no_file);
        return RP_ERROR_IO;
    }
    int descriptor = open(w->path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (descriptor < 0 || fstat(descriptor, &info) != 0) {
        fail(w, "cannot be read: %s", strerror(errno));
        if (descriptor >= 0) close(descriptor);
        return RP_ERROR_IO;
    }
    rp_status status = RP_OK;
    if (info.st_size > 0) {
        void *block = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        w->mapped = block != MAP_FAILED;
        w->block = w->mapped ? block : NULL;
        w->block_size = w->mapped ? (size_t)info.st_size : 0;
        if (!w->mapped) {
            fail(w, "cannot be mapped: %s", strerror(errno));
            status = RP_ERROR_IO;
        }
    }
    close(descriptor);
    return status;
}

static rp_status parse_header(rp_weights *w) {
    const uint8_t *bytes = w->block;
    uint64_t length = 0;
    if (w->block_size < 8) return fail(w, "has %zu bytes: no .safetensors file", w->block_size);
    for (int i = 7; i >= 0; i--) length = length << 8 | bytes[i];
    if (length < 2 || length > w->block_size - 8)
        return fail(w,
                    "no .safetensors file: its header would have %" PRIu64 " bytes, the file "
                    "has %zu",
                    length, w->block_size);
    const char *text = (const char *)bytes + 8;
    if (text[0] != '{') return fail(w, "no .safetensors file: its header does not begin with '{'");
    if (length > MAX_HEADER)
        return fail(w, "its header has %" PRIu64 " bytes: %d are the most", length, MAX_HEADER);
    w->data_at = 8 + length;
    w->data_size = w->block_size - w->data_at;
    json_error_t error;
    w->header = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &error);
    if (w->header) return RP_OK;
    if (json_error_code(&error) == json_error_out_of_memory) return RP_ERROR_NO_MEMORY;
    return fail(w, "its header is damaged at byte %d: %s", error.position, error.text);
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
    if (!json_is_array(node)) return fail(w, "tensor '%.60s': 'shape' is no list", out->name);
    out->rank = (uint32_t)json_array_size(node);
    bool empty = false, large = false;
    for (uint32_t i = 0; i < out->rank; i++) {
        uint64_t dim;
        if (!read_number(json_array_get(node, i), &dim))
            return fail(w, "tensor '%.60s': 'shape' holds something else than whole numbers",
                        out->name);
        if (i < RP_MAX_RANK) out->shape[i] = dim;
        empty |= dim == 0;
        large |= !empty && !rp_mul_u64(*elements, dim, elements);
    }
    if (empty) *elements = 0;
    if (large && !empty) return fail(w, "tensor '%.60s': its shape is too large", out->name);
    return RP_OK;
}

static rp_status read_place(const rp_weights *w, const json_t *node, rp_weight *out) {
    uint64_t begin, end;
    if (json_array_size(node) != 2 || !read_number(json_array_get(node, 0), &begin) ||
        !read_number(json_array_get(node, 1), &end))
        return fail(w, "tensor '%.60s': 'data_offsets' is no pair of whole numbers", out->name);
    if (begin > end || end > w->data_size)
        return fail(w,
                    "tensor '%.60s': bytes %" PRIu64 " to %" PRIu64 " lie outside the data, "
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
        return fail(w, "'%.60s' is no tensor with dtype, shape and data_offsets", name);
    const char *type = json_string_value(json_object_get(map, "dtype"));
    if (!type) return fail(w, "tensor '%.60s': 'dtype' is no text", name);
    uint64_t elements, bytes;
    RP_TRY(read_shape(w, json_object_get(map, "shape"), out, &elements));
    RP_TRY(read_place(w, json_object_get(map, "data_offsets"), out));
    for (uint32_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(type, types[i].name) != 0) continue;
        out->type = types[i].name;
        out->dtype = types[i].dtype;
        if (rp_mul_u64(elements, types[i].bits / 8, &bytes) && bytes == out->size) return RP_OK;
        return fail(w, "tensor '%.60s': %" PRIu64 " values of %s are not its %" PRIu64 " bytes",
                    name, elements, out->type, out->size);
    }
    return fail(w, "tensor '%.60s' has the unknown type '%.60s'", name, type);
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
            return fail(w, "tensor '%.60s' overlaps '%.60s'", w->items[i].name,
                        w->items[i - 1].name);
        if (begin > next)
            return fail(w, "%zu bytes before tensor '%.60s' belong to none", (size_t)(begin - next),
                        w->items[i].name);
        next = begin + w->items[i].size;
    }
    size_t rest = (size_t)((const char *)w->block + w->block_size - next);
    return rest == 0 ? RP_OK : fail(w, "%zu bytes at the end belong to no tensor", rest);
}

static int compare_names(const void *left, const void *right, void *user) {
    const rp_weight *items = user;
    return strcmp(items[*(const uint32_t *)left].name, items[*(const uint32_t *)right].name);
}

static rp_status read_tensors(rp_weights *w) {
    size_t count = json_object_size(w->header);
    w->items = rp_alloc_zero(&w->allocator, count, sizeof *w->items);
    w->by_name = rp_alloc(&w->allocator, count, sizeof *w->by_name);
    if (!w->items || !w->by_name) return RP_ERROR_NO_MEMORY;
    const char *name;
    json_t *value;
    json_object_foreach(w->header, name, value) {
        if (strcmp(name, "__metadata__") == 0) continue;
        RP_TRY(read_tensor(w, name, value, &w->items[w->count]));
        w->count++;
    }
    RP_TRY(check_places(w));
    for (uint32_t i = 0; i < w->count; i++) w->by_name[i] = i;
    qsort_r(w->by_name, w->count, sizeof *w->by_name, compare_names, w->items);
    return RP_OK;
}

/* From a file, or with `data` from memory. */
static rp_status open_weights(const rp_allocator *allocator, const char *path, const void *data,
                              size_t size, rp_diags *diags, rp_weights **out) {
    rp_allocator a = rp_allocator_or_default(allocator);
    rp_weights *w = rp_alloc_zero(&a, 1, sizeof *w);
    if (!w) return RP_ERROR_NO_MEMORY;
    *w = (rp_weights){
        .allocator = a, .path = path, .diags = diags, .block = data, .block_size = size};
    rp_status status = data ? RP_OK : map_file(w);
    if (status == RP_OK) status = parse_header(w);
    if (status == RP_OK) status = read_tensors(w);
    w->path = NULL;
    w->diags = NULL;
    if (status == RP_OK)
        *out = w;
    else
        rp_weights_close(w);
    return status;
}

rp_status rp_weights_open(const rp_allocator *allocator, const char *path, rp_diags *diags,
                          rp_weights **out_weights) {
    if (!out_weights) return RP_ERROR_USAGE;
    *out_weights = NULL;
    if (!path) return RP_ERROR_USAGE;
    return open_weights(allocator, path, NULL, 0, diags, out_weights);
}

rp_status rp_weights_from_memory(const rp_allocator *allocator, const void *data, size_t size,
                                 const char *path, rp_diags *diags, rp_weights **out_weights) {
    if (!out_weights) return RP_ERROR_USAGE;
    *out_weights = NULL;
    if (!data) return RP_ERROR_USAGE;
    return open_weights(allocator, path, data, size, diags, out_weights);
}

void rp_weights_close(rp_weights *w) {
    if (!w) return;
    rp_allocator a = w->allocator;
    if (w->mapped) munmap((void *)w->block, w->block_size);
    json_decref(w->header);
    rp_release(&a, w->by_name);
    rp_release(&a, w->items);
    rp_release(&a, w);
}

uint32_t rp_weights_count(const rp_weights *w) {
    return w ? w->count : 0;
}

rp_weight rp_weights_get(const rp_weights *w, uint32_t index) {
    return w && index < w->count ? w->items[index] : (rp_weight){0};
}

uint32_t rp_weights_find(const rp_weights *w, const char *name) {
    uint32_t begin = 0, end = w && name ? w->count : 0;
    while (begin < end) {
        uint32_t middle = begin + (end - begin) / 2;
        int order = strcmp(name, w->items[w->by_name[middle]].name);
        if (order == 0) return w->by_name[middle];
        if (order < 0)
            end = middle;
        else
            begin = middle + 1;
    }
    return UINT32_MAX;
}
