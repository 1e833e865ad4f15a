/* Operands of ops: a range of a buffer, seen as a tensor.
 *
 * A whole buffer is a tensor as it was declared, and `rows` of one keep the other dimensions.
 * Anything else that cuts or reinterprets bytes without saying a shape is a list of elements. An
 * output whose name is new is a transient, which takes its shape from the op. */
#include "yaml/pipeline.h"

#include "base/shape.h"
#include "composite/view.h"

bool rp_read_made(rp_reader *r, const rp_yaml_node *node, uint32_t buffer) {
    if (node->kind == RP_YAML_MAP) node = rp_yaml_find(node, "name");
    if (!node || node->kind != RP_YAML_SCALAR || !node->length) return true;
    if (rp_names_find(&r->buffer_names, node->text, node->length)) return true;
    rp_name name = {node->text, node, buffer};
    return rp_names_add(&r->a, &r->buffer_names, &name) ? true : rp_read_no_memory(r);
}

/* A transient to be made, of the name in `name`; `map` (may be NULL) has its dtype and shape. */
static bool read_fresh(rp_reader *r, const rp_yaml_node *name, const rp_yaml_node *map,
                       rp_given_operand *out) {
    static const char *const keys[] = {"name", "dtype", "shape", NULL};
    if (map && !rp_read_map(r, map, "a new transient", keys)) return false;
    if (!rp_read_name(r, name, "output")) return false;
    const rp_name *other = rp_names_find(&r->buffer_names, name->text, name->length);
    if (other && other->value != RP_NONE)
        rp_read_error(r, name, "'%.*s' exists already, from line %u: name it as 'buffer'",
                      RP_CLIP(name), other->node->line);
    if (other) return false;
    const rp_name *index = rp_names_find(&r->index_names, name->text, name->length);
    if (index)
        return rp_read_error(r, name,
                             "'%s' is an index, from line %u: give the output another name",
                             index->text, index->node->line);
    rp_tensor *tensor = &out->argument.tensor;
    *tensor = (rp_tensor){.dtype = RP_RAW, .rank = RP_OP_INFER};
    const rp_yaml_node *dtype = map ? rp_yaml_find(map, "dtype") : NULL;
    const rp_yaml_node *shape_node = map ? rp_yaml_find(map, "shape") : NULL;
    int code = dtype ? rp_read_dtype(r, dtype) : RP_RAW;
    if (code < 0) return false;
    tensor->dtype = (uint8_t)code;
    rp_shape shape;
    if (shape_node) {
        if (!rp_read_shape(r, shape_node, &shape)) return false;
        uint64_t bytes;
        rp_dtype as = code == RP_RAW ? RP_F32 : (rp_dtype)code; /* only to see that it fits */
        if (!rp_read_extent(r, shape_node, as, &shape, &bytes)) return false;
        rp_tensor_reshape(tensor, &shape.tensor);
    }
    out->argument.buffer = RP_NONE;
    out->fresh = rp_graph_intern(r->graph, name->text, name->length);
    return out->fresh == RP_NONE ? rp_read_no_memory(r) : true;
}

/* Whether a range says which part of its buffer it is. */
static bool part_of(const rp_yaml_node *node) {
    static const char *const keys[] = {"offset", "size", "elements", "rows"};
    for (uint32_t i = 0; node->kind == RP_YAML_MAP && i < 4; i++)
        if (rp_yaml_find(node, keys[i])) return true;
    return false;
}

/* The tensor's shape where no `shape` gives it. */
static bool shape_of_range(rp_reader *r, const rp_yaml_node *node, const rp_graph_use *use,
                           rp_tensor *tensor) {
    char error[RP_VIEW_ERROR];
    const rp_yaml_node *rows = node->kind == RP_YAML_MAP ? rp_yaml_find(node, "rows") : NULL;
    const rp_graph_buffer *b = &r->graph->buffers[use->buffer];
    bool whole = use->size == b->size || (rp_buffer_is_empty(r->graph, b) && !part_of(node));
    rp_view_part part = rows ? RP_VIEW_ROWS : whole ? RP_VIEW_WHOLE : RP_VIEW_BYTES;
    if (!rp_view_infer(r->graph, use, part, tensor, error))
        return rp_read_error(r, node, "%s", error);
    int64_t count; /* of rows without elements, of which no number of bytes says it */
    if (rows && tensor->rank > 1 &&
        rp_read_integer(r, rows->items[1], "count", 0, INT64_MAX, &count))
        tensor->dims[0] = (uint64_t)count;
    return true;
}

static bool read_view(rp_reader *r, const rp_yaml_node *node, const rp_graph_use *use, bool sized,
                      rp_tensor *tensor) {
    rp_shape shape;
    uint64_t bytes;
    if (!rp_read_shape(r, node, &shape) ||
        !rp_read_extent(r, node, (rp_dtype)tensor->dtype, &shape, &bytes))
        return false;
    char error[RP_VIEW_ERROR];
    rp_tensor_reshape(tensor, &shape.tensor);
    return rp_view_check(use, sized, tensor, error) || rp_read_error(r, node, "%s", error);
}

/* Bytes seen as another type begin where an element of it may. */
static bool check_begin(rp_reader *r, const rp_yaml_node *node, const rp_graph_use *use,
                        rp_dtype dtype) {
    static const char *const keys[] = {"offset", "elements", "rows"};
    uint32_t alignment = rp_dtype_alignment(dtype);
    if (use->offset % alignment == 0) return true;
    const rp_yaml_node *at = NULL;
    for (uint32_t i = 0; !at && i < 3; i++) at = rp_yaml_find(node, keys[i]);
    return rp_read_error(
        r, at ? at : node,
        "the view begins at byte %llu: an element of %s begins at a multiple of %u",
        (unsigned long long)use->offset, rp_dtype_name(dtype), alignment);
}

static bool read_range_operand(rp_reader *r, const rp_yaml_node *node, uint8_t access,
                               rp_given_operand *out) {
    rp_graph_use use;
    bool sized;
    if (!rp_read_range(r, node, RP_RANGE_OPERAND, 1, &use, &sized)) return false;
    if (access != RP_READ && !rp_read_writable(r, node, use.buffer)) return false;
    const rp_graph_buffer *buffer = &r->graph->buffers[use.buffer];
    if (rp_buffer_is_empty(r->graph, buffer)) use.size = 0;
    const rp_yaml_node *dtype = rp_yaml_find(node, "dtype"), *shape = rp_yaml_find(node, "shape");
    int code = dtype ? rp_read_dtype(r, dtype) : buffer->dtype;
    if (code < 0) return false;
    if (code == RP_RAW)
        return rp_read_error(
            r, node, "'%s' is raw bytes: write {buffer: %s, dtype: ..., shape: [...]}",
            rp_graph_string(r->graph, buffer->name), rp_graph_string(r->graph, buffer->name));
    if (!check_begin(r, node, &use, (rp_dtype)code)) return false;
    rp_tensor *tensor = &out->argument.tensor;
    *tensor = (rp_tensor){.dtype = (uint8_t)code};
    if (shape ? !read_view(r, shape, &use, sized, tensor) : !shape_of_range(r, node, &use, tensor))
        return false;
    out->argument.buffer = use.buffer;
    out->argument.offset = use.offset;
    return true;
}

bool rp_read_operand(rp_reader *r, const rp_yaml_node *node, const char *what, uint8_t access,
                     rp_given_operand *out) {
    *out = (rp_given_operand){.name = what, .fresh = RP_NONE};
    if (rp_yaml_is_null(node) || node->kind == RP_YAML_LIST)
        return rp_read_error(r, node, "operand '%.60s' is a buffer's name or a map, not %s", what,
                             node->kind == RP_YAML_LIST ? "a list" : "nothing");
    const rp_yaml_node *name = rp_yaml_find(node, "name");
    if (access == RP_WRITE && name) return read_fresh(r, name, node, out);
    if (access == RP_WRITE && node->kind == RP_YAML_SCALAR && !r->buffer_names.broken &&
        !rp_names_find(&r->buffer_names, node->text, node->length))
        return read_fresh(r, node, NULL, out);
    return read_range_operand(r, node, access, out);
}
