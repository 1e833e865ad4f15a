/* .safetensors files: 8 bytes with the header's length, the header, the arrays back to back.
 *
 * The header is a JSON object: a name, and its type, shape and place. JSON is YAML, so the reader
 * of pipelines reads it: one parser for text from strangers instead of two, with its limits on size
 * and depth. What YAML allows beyond JSON (words without quotes) is refused where it would matter.
 *
 * Nothing of the arrays is touched here: opening a file of many gigabytes costs its header. */
#include "reprise/weights.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/checked.h"
#include "yaml/tree.h"

struct rp_weights {
    rp_allocator allocator;
    const char *path; /* while opening */
    rp_diags *diags;
    const void *block;
    size_t block_size;
    bool mapped;
    uint64_t data_at, data_size; /* of the arrays, in the block */
    rp_yaml *header;             /* holds all names */
    rp_weight *items;            /* in the order of their data */
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
    int descriptor = open(w->path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (descriptor < 0 || fstat(descriptor, &info) != 0) {
        fail(w, "cannot be read: %s", strerror(errno));
        if (descriptor >= 0) close(descriptor);
        return RP_ERROR_IO;
    }
    rp_status status = RP_OK;
    if (!S_ISREG(info.st_mode)) {
        status = fail(w, "is no regular file; .safetensors files are mapped");
    } else if (info.st_size > 0) {
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
    if (length > RP_YAML_MAX_BYTES)
        return fail(w, "its header has %" PRIu64 " bytes: %d are the most", length,
                    RP_YAML_MAX_BYTES);
    w->data_at = 8 + length;
    w->data_size = w->block_size - w->data_at;
    rp_diags *found = rp_diags_create(&w->allocator);
    if (!found) return RP_ERROR_NO_MEMORY;
    rp_status status = rp_yaml_parse(&w->allocator, text, (size_t)length, NULL, found, &w->header);
    if (status == RP_ERROR_INVALID) {
        rp_diag first = rp_diags_get(found, 0);
        fail(w, "its header is damaged at character %u: %s", first.column,
             first.message ? first.message : "");
    }
    rp_diags_destroy(found);
    return status;
}

/* ---- The arrays ------------------------------------------------------------------------------ */

static bool read_number(const rp_yaml_node *node, uint64_t *out) {
    *out = 0;
    if (node->kind != RP_YAML_SCALAR || node->quoted || !node->length) return false;
    for (const char *c = node->text; *c; c++) {
        if (*c < '0' || *c > '9' || *out > (UINT64_MAX - 9) / 10) return false;
        *out = *out * 10 + (uint64_t)(*c - '0');
    }
    return true;
}

static rp_status read_shape(const rp_weights *w, const rp_yaml_node *node, rp_weight *out,
                            uint64_t *elements) {
    *elements = 1;
    if (!node || node->kind != RP_YAML_LIST)
        return fail(w, "tensor '%.60s': 'shape' is no list", out->name);
    out->rank = node->count;
    bool empty = false, large = false;
    for (uint32_t i = 0; i < node->count; i++) {
        uint64_t dim;
        if (!read_number(node->items[i], &dim))
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

static rp_status read_place(const rp_weights *w, const rp_yaml_node *node, rp_weight *out) {
    uint64_t begin, end;
    if (!node || node->kind != RP_YAML_LIST || node->count != 2 ||
        !read_number(node->items[0], &begin) || !read_number(node->items[1], &end))
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

static rp_status read_tensor(const rp_weights *w, const rp_yaml_node *key, const rp_yaml_node *map,
                             rp_weight *out) {
    *out = (rp_weight){.name = key->text, .dtype = RP_RAW};
    if (!key->quoted || map->kind != RP_YAML_MAP || map->count != 3)
        return fail(w, "'%.60s' is no tensor with dtype, shape and data_offsets", key->text);
    const rp_yaml_node *type = rp_yaml_find(map, "dtype");
    if (!type || type->kind != RP_YAML_SCALAR || !type->quoted)
        return fail(w, "tensor '%.60s': 'dtype' is no text", key->text);
    uint64_t elements, bytes;
    RP_TRY(read_shape(w, rp_yaml_find(map, "shape"), out, &elements));
    RP_TRY(read_place(w, rp_yaml_find(map, "data_offsets"), out));
    for (uint32_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!rp_yaml_is(type, types[i].name)) continue;
        out->type = types[i].name;
        out->dtype = types[i].dtype;
        if (rp_mul_u64(elements, types[i].bits / 8, &bytes) && bytes == out->size) return RP_OK;
        return fail(w, "tensor '%.60s': %" PRIu64 " values of %s are not its %" PRIu64 " bytes",
                    key->text, elements, out->type, out->size);
    }
    return fail(w, "tensor '%.60s' has the unknown type '%.60s'", key->text, type->text);
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

static rp_status read_tensors(rp_weights *w) {
    const rp_yaml_node *root = rp_yaml_root(w->header);
    if (root->kind != RP_YAML_MAP) return fail(w, "its header is no object");
    w->items = rp_alloc_zero(&w->allocator, root->count, sizeof *w->items);
    if (!w->items) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < root->count; i++) {
        const rp_yaml_node *key = rp_yaml_key(root, i);
        if (rp_yaml_is(key, "__metadata__")) continue;
        RP_TRY(read_tensor(w, key, rp_yaml_value(root, i), &w->items[w->count]));
        w->count++;
    }
    return check_places(w);
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
    rp_yaml_destroy(w->header);
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
    for (uint32_t i = 0; w && name && i < w->count; i++)
        if (strcmp(w->items[i].name, name) == 0) return i;
    return UINT32_MAX;
}
