/* A buffer, or a part of one: bytes by `offset` and `size`, typed elements by `elements`, slices of
 * the first dimension by `rows`. All end up as bytes, inside the buffer. */
#include "yaml/pipeline.h"

#include "base/checked.h"

/* What `elements` or `rows` count in: of `total`, `unit` bytes for each `block` of them. */
typedef struct counted {
    const char *what;
    uint64_t unit, block, total;
    int64_t least; /* that there may be */
} counted;

static counted count_elements(const rp_graph *g, const rp_graph_buffer *b, const char *what) {
    uint64_t unit = rp_dtype_size((rp_dtype)b->dtype), block = rp_dtype_block((rp_dtype)b->dtype);
    return (counted){what, unit, block, rp_buffer_is_empty(g, b) ? 0 : b->size / unit * block, 1};
}

static counted count_rows(const rp_graph *g, const rp_graph_buffer *b) {
    uint64_t rows = g->dims[b->first_dim];
    return (counted){"rows", rp_buffer_is_empty(g, b) ? 0 : b->size / rows, 1, rows, 1};
}

/* [begin, count] */
static bool read_slice(rp_reader *r, const rp_yaml_node *node, const counted *c,
                       const rp_graph_buffer *buffer, rp_graph_use *out) {
    const char *what = c->what;
    uint64_t total = c->total, block = c->block;
    if (!rp_read_list(r, node, what)) return false;
    if (node->count != 2)
        return rp_read_error(r, node, "%s is [begin, count], not %u values", what, node->count);
    int64_t begin, count;
    bool good = rp_read_integer(r, node->items[0], "begin", 0, INT64_MAX, &begin);
    good &= rp_read_integer(r, node->items[1], "count", c->least, INT64_MAX, &count);
    if (!good) return false;
    if (!rp_range_inside((uint64_t)begin, (uint64_t)count, total))
        return rp_read_error(r, node, "%s [%lld, %lld] reach outside '%s', which has %llu", what,
                             (long long)begin, (long long)count,
                             rp_graph_string(r->graph, buffer->name), (unsigned long long)total);
    if ((uint64_t)begin % block || (uint64_t)count % block)
        return rp_read_error(r, node, "'%s' has blocks of %llu: %s are multiples of it",
                             rp_graph_string(r->graph, buffer->name), (unsigned long long)block,
                             what);
    out->offset = (uint64_t)begin / block * c->unit;
    out->size = (uint64_t)count / block * c->unit;
    return true;
}

static bool read_bytes(rp_reader *r, const rp_yaml_node *at, const rp_yaml_node *offset,
                       const rp_yaml_node *size, const rp_graph_buffer *buffer, rp_graph_use *out) {
    int64_t begin = 0, length;
    const char *name = rp_graph_string(r->graph, buffer->name);
    if (offset && !rp_read_integer(r, offset, "offset", 0, INT64_MAX, &begin)) return false;
    if ((uint64_t)begin >= buffer->size)
        return rp_read_error(r, offset, "offset %lld lies outside '%s', which has %llu bytes",
                             (long long)begin, name, (unsigned long long)buffer->size);
    length = (int64_t)(buffer->size - (uint64_t)begin);
    if (size && !rp_read_integer(r, size, "size", 1, INT64_MAX, &length)) return false;
    if (!rp_range_inside((uint64_t)begin, (uint64_t)length, buffer->size))
        return rp_read_error(
            r, size ? size : at, "range [%lld+%lld] lies outside '%s', which has %llu bytes",
            (long long)begin, (long long)length, name, (unsigned long long)buffer->size);
    out->offset = (uint64_t)begin;
    out->size = (uint64_t)length;
    return true;
}

static bool check_keys(rp_reader *r, const rp_yaml_node *node, const rp_graph_buffer *buffer) {
    const rp_yaml_node *elements = rp_yaml_find(node, "elements");
    const rp_yaml_node *rows = rp_yaml_find(node, "rows");
    const rp_yaml_node *bytes = rp_yaml_find(node, "offset");
    if (!bytes) bytes = rp_yaml_find(node, "size");
    const rp_yaml_node *slice = elements ? elements : rows;
    if ((slice && bytes) || (elements && rows))
        return rp_read_error(r, slice,
                             "a range is given by 'offset' and 'size', by 'elements' or "
                             "by 'rows': one of the three");
    if (slice && buffer->dtype == RP_RAW)
        return rp_read_error(r, slice, "'%s' is raw bytes: use 'offset' and 'size'",
                             rp_graph_string(r->graph, buffer->name));
    return true;
}

bool rp_read_range(rp_reader *r, const rp_yaml_node *node, rp_range_keys keys, uint32_t alignment,
                   rp_graph_use *out, bool *sized) {
    static const char *const plain[] = {"buffer", "offset", "size", "elements", "rows", NULL};
    static const char *const with_access[] = {"buffer", "offset", "size", "elements",
                                              "rows",   "access", NULL};
    static const char *const operand[] = {"buffer", "offset", "size",  "elements",
                                          "rows",   "dtype",  "shape", NULL};
    static const char *const texels[] = {"buffer", "offset", "size",   "elements",
                                         "rows",   "access", "format", NULL};
    static const char *const *const tables[] = {plain, with_access, operand, texels};
    *out = (rp_graph_use){.buffer = RP_NONE};
    *sized = false;
    const rp_yaml_node *name_node = node;
    bool is_map = node->kind == RP_YAML_MAP;
    if (is_map) {
        bool good = rp_read_map(r, node, "a range", tables[keys]);
        name_node = rp_yaml_find(node, "buffer");
        if (!name_node) return rp_read_error(r, node, "'buffer' of this range is missing");
        if (!good) return false;
    } else if (node->kind == RP_YAML_LIST) {
        return rp_read_error(r, node, "a range is a buffer's name or a map, not a list");
    }
    const rp_name *name = rp_read_find(r, &r->buffer_names, name_node, "buffer");
    if (!name || name->value == RP_NONE) return false;
    const rp_graph_buffer *buffer = &r->graph->buffers[name->value];
    out->buffer = name->value;
    out->size = buffer->size;
    if (!is_map) return true;

    const rp_yaml_node *elements = rp_yaml_find(node, "elements"),
                       *rows = rp_yaml_find(node, "rows");
    const rp_yaml_node *offset = rp_yaml_find(node, "offset"), *size = rp_yaml_find(node, "size");
    *sized = elements || rows || size;
    if (!check_keys(r, node, buffer)) return false;
    if (rows && buffer->rank == 1) elements = rows;
    if (elements || rows) {
        counted c = elements ? count_elements(r->graph, buffer, rows ? "rows" : "elements")
                             : count_rows(r->graph, buffer);
        if (keys == RP_RANGE_OPERAND) c.least = 0;
        if (!read_slice(r, elements ? elements : rows, &c, buffer, out)) return false;
    } else if (!read_bytes(r, node, offset, size, buffer, out)) {
        return false;
    }
    if (out->offset % alignment) {
        const rp_yaml_node *at = offset ? offset : elements ? elements : rows;
        return rp_read_error(r, at, "the range begins at byte %llu: expected a multiple of %u",
                             (unsigned long long)out->offset, alignment);
    }
    return true;
}

bool rp_read_writable(rp_reader *r, const rp_yaml_node *at, uint32_t buffer) {
    const rp_graph_buffer *b = &r->graph->buffers[buffer];
    if (b->kind != RP_IN && b->kind != RP_WEIGHT && b->kind != RP_LIVE) return true;
    if (b->kind == RP_LIVE)
        return rp_read_error(r, at, "'%s' is written, but only the host sets live values",
                             rp_graph_string(r->graph, b->name));
    return rp_read_error(r, at,
                         "'%s' is written, but it is %s %s buffer: make it inout, out or tmp",
                         rp_graph_string(r->graph, b->name), b->kind == RP_IN ? "an" : "a",
                         rp_buffer_kind_name((rp_buffer_kind)b->kind));
}
