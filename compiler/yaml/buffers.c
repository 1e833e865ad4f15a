/* The sections `live` and `buffers`.
 *
 * A buffer that is wrong is still entered in the table of names, with RP_NONE for its index: nodes
 * that use it stay silent, so that one mistake gives one message. */
#include "yaml/pipeline.h"

#include <stdio.h>

#include "base/shape.h"

/* A dimension: an integer, or an expression that grows with live values. */
static bool read_dimension(rp_reader *r, const rp_yaml_node *node, rp_extent *out) {
    rp_value value;
    rp_expr code;
    char error[RP_SIZE_ERROR];
    *out = rp_extent_fixed(1);
    if (!rp_read_expr(r, node, "dimension", RP_PARAMS_AND_LIVE, &value, &code)) return false;
    if (value.kind != RP_VALUE_LIVE) {
        int64_t dim = value.integer;
        rp_expr_free(&r->a, &code);
        bool good = value.kind == RP_VALUE_INTEGER && dim >= 0;
        if (!good && !rp_read_integer(r, node, "dimension", 0, INT64_MAX, &dim)) return false;
        out->most = (uint64_t)dim;
        return true;
    }
    rp_status status = rp_graph_size(r->graph, code.ops, code.count, out, error);
    rp_expr_free(&r->a, &code);
    if (status == RP_ERROR_NO_MEMORY) return rp_read_no_memory(r);
    return status == RP_OK || rp_read_error(r, node, "dimension: %s", error);
}

bool rp_read_shape(rp_reader *r, const rp_yaml_node *node, rp_shape *out) {
    const rp_yaml_node *const *items = node->kind == RP_YAML_LIST ? node->items : &node;
    uint32_t count = node->kind == RP_YAML_LIST ? node->count : 1;
    if (count < 1)
        return rp_read_error(r, node, "a shape without dimensions: a single element is [1]");
    if (count > RP_MAX_RANK)
        return rp_read_error(r, node, "a shape has 1 to %d dimensions, not %u", RP_MAX_RANK, count);
    *out = (rp_shape){.tensor = {.rank = (uint8_t)count}, .elements = 1};
    bool good = true;
    for (uint32_t i = 0; i < count; i++) {
        rp_extent dim;
        good &= read_dimension(r, items[i], &dim);
        out->tensor.dims[i] = dim.most;
        out->tensor.powers[i] = dim.powers;
        if (good && !rp_mul_u64(out->elements, dim.most, &out->elements))
            good = rp_read_error(r, node, "the shape overflows: more than 2^64 elements");
    }
    return good;
}

bool rp_read_extent(rp_reader *r, const rp_yaml_node *node, rp_dtype dtype, const rp_shape *shape,
                    uint64_t *out_bytes) {
    const rp_tensor *t = &shape->tensor;
    uint64_t block = rp_dtype_block(dtype), last = t->dims[t->rank - 1];
    if (t->powers[t->rank - 1])
        last = rp_extent_each(&r->graph->sizes, (rp_extent){last, t->powers[t->rank - 1]});
    if (last % block != 0)
        return rp_read_error(r, node,
                             "%s has blocks of %llu values: the last dimension, %llu, is no "
                             "multiple of it",
                             rp_dtype_name(dtype), (unsigned long long)block,
                             (unsigned long long)last);
    if (rp_mul_u64(shape->elements / block, rp_dtype_size(dtype), out_bytes) &&
        *out_bytes <= INT64_MAX) {
        if (shape->elements == 0) *out_bytes = RP_EMPTY_BYTES;
        return true;
    }
    return rp_read_error(r, node, "the shape overflows: more than 2^63 bytes");
}

/* Enters a name; `buffer` is RP_NONE for one that is wrong. */
bool rp_enter_buffer(rp_reader *r, const rp_yaml_node *key, const rp_graph_buffer *item,
                     const rp_tensor *shape) {
    uint32_t index = RP_NONE;
    if (item) {
        rp_graph_buffer buffer = *item;
        buffer.name = rp_graph_intern(r->graph, key->text, key->length);
        buffer.pos = rp_read_pos(key);
        if (buffer.name == RP_NONE) return rp_read_no_memory(r);
        index = shape ? rp_graph_add_shaped(r->graph, &buffer, shape)
                      : rp_graph_add_buffer(r->graph, &buffer, NULL);
        if (index == RP_NONE) return rp_read_no_memory(r);
    }
    rp_name name = {key->text, key, index};
    return rp_names_add(&r->a, &r->buffer_names, &name) ? true : rp_read_no_memory(r);
}

static bool check_new_name(rp_reader *r, const rp_yaml_node *key, const char *what) {
    const rp_name *other = rp_names_find(&r->buffer_names, key->text, key->length);
    if (!rp_read_name(r, key, what)) {
        r->buffer_names.odd = true;
        if (!other) rp_enter_buffer(r, key, NULL, NULL);
        return false;
    }
    if (!other) return true;
    r->buffer_names.items[other - r->buffer_names.items].value = RP_NONE; /* which of the two? */
    return rp_read_error(r, key, "'%s' is defined at line %u already", key->text,
                         other->node->line);
}

/* ---- live ------------------------------------------------------------------------------------ */

/* The initial bytes: `count` elements, or one for all of them. Zeros are stored as RP_NONE. */
static bool read_default(rp_reader *r, const rp_yaml_node *node, rp_dtype dtype, uint64_t count,
                         rp_graph_buffer *buffer) {
    uint8_t *values;
    uint32_t size, width = rp_dtype_size(dtype);
    if (!rp_read_numbers(r, node, dtype, &values, &size)) return false;
    bool good = true, zero = true;
    for (uint32_t i = 0; i < size; i++) zero &= values[i] == 0;
    for (uint32_t i = 0; buffer->max_value != UINT32_MAX && i < size && good; i += width) {
        uint32_t value;
        memcpy(&value, values + i, sizeof value);
        bool negative = dtype == RP_I32 && value > INT32_MAX;
        if (!negative && value > buffer->max_value)
            good = rp_read_error(r, node, "default %u is larger than max %u", value,
                                 buffer->max_value);
    }
    if (good && node->kind == RP_YAML_LIST && size / width != count)
        good = rp_read_error(r, node, "%u defaults for %llu elements", size / width,
                             (unsigned long long)count);
    rp_graph *g = r->graph;
    if (good && !zero) {
        uint32_t total = (uint32_t)count * width;
        if (!RP_RESERVE(&g->allocator, g->bytes, g->bytes_count, g->bytes_capacity, total)) {
            good = rp_read_no_memory(r);
        } else {
            buffer->first_default = g->bytes_count;
            for (uint32_t i = 0; i < total; i++) g->bytes[g->bytes_count++] = values[i % size];
        }
    }
    rp_release(&r->a, values);
    return good;
}

static bool read_live_value(rp_reader *r, const rp_yaml_node *key, const rp_yaml_node *node) {
    static const char *const keys[] = {"dtype", "shape", "default", "max", "ranges", "block", NULL};
    bool is_map = node->kind == RP_YAML_MAP;
    if (is_map && !rp_read_map(r, node, "a live value", keys)) return false;
    const rp_yaml_node *dtype_node = is_map ? rp_yaml_find(node, "dtype") : NULL;
    const rp_yaml_node *shape_node = is_map ? rp_yaml_find(node, "shape") : NULL;
    const rp_yaml_node *initial = is_map ? rp_yaml_find(node, "default") : node;
    const rp_yaml_node *max = is_map ? rp_yaml_find(node, "max") : NULL;

    int dtype = dtype_node ? rp_read_dtype(r, dtype_node) : RP_U32;
    rp_shape s = {.tensor = {.dims = {1}, .rank = 1}, .elements = 1};
    if (shape_node) {
        if (!rp_read_shape(r, shape_node, &s)) return false;
        for (uint32_t i = 0; i < s.tensor.rank; i++)
            if (s.tensor.powers[i])
                return rp_read_error(r, shape_node, "the shape of a live value follows no other");
    } else if (initial && initial->kind == RP_YAML_LIST) {
        s.tensor.dims[0] = s.elements = initial->count;
        if (!initial->count) return rp_read_error(r, initial, "a list of defaults is empty");
    }
    if (dtype < 0) return false;
    if (rp_dtype_block((rp_dtype)dtype) > 1)
        return rp_read_error(r, dtype_node, "a live value is no block-quantised %s",
                             rp_dtype_name((rp_dtype)dtype));
    uint32_t width = rp_dtype_size((rp_dtype)dtype);
    if (s.elements == 0)
        return rp_read_error(r, shape_node, "live value '%s' has no elements", key->text);
    if (s.elements > RP_MAX_LIVE_BYTES / width)
        return rp_read_error(r, shape_node ? shape_node : node,
                             "live value '%s' has %llu elements of %s: %d bytes are the most",
                             key->text, (unsigned long long)s.elements,
                             rp_dtype_name((rp_dtype)dtype), RP_MAX_LIVE_BYTES);
    int64_t max_value = UINT32_MAX;
    if (max && dtype != RP_U32 && dtype != RP_I32)
        return rp_read_error(r, max, "'max' is for u32 and i32, not for %s",
                             rp_dtype_name((rp_dtype)dtype));
    if (max &&
        !rp_read_integer(r, max, "max", 0, dtype == RP_I32 ? INT32_MAX : UINT32_MAX, &max_value))
        return false;
    rp_graph_buffer buffer = {.kind = RP_LIVE,
                              .dtype = (uint8_t)dtype,
                              .rank = s.tensor.rank,
                              .size = s.elements * width,
                              .offset = RP_NOT_PLACED,
                              .first_default = RP_NONE,
                              .max_value = (uint32_t)max_value};
    if (initial && !rp_yaml_is_null(initial) &&
        !read_default(r, initial, (rp_dtype)dtype, s.elements, &buffer))
        return false;
    const rp_yaml_node *ranges = is_map ? rp_yaml_find(node, "ranges") : NULL;
    if (ranges && !rp_read_ranges(r, ranges, &buffer)) return false;
    return rp_enter_buffer(r, key, &buffer, &s.tensor);
}

/* The layout of a block is that of a kernel. */
static void wait(rp_reader *r, const rp_yaml_node *key, const rp_yaml_node *value) {
    if (!RP_RESERVE(&r->a, r->waiting, r->waiting_count, r->waiting_capacity, 2)) {
        rp_read_no_memory(r);
        return;
    }
    r->waiting[r->waiting_count++] = key;
    r->waiting[r->waiting_count++] = value;
}

bool rp_read_live(rp_reader *r, const rp_yaml_node *node) {
    if (!rp_read_map(r, node, "'live'", NULL)) {
        r->buffer_names.broken = true;
        return false;
    }
    for (uint32_t i = 0; i < node->count && !r->no_memory; i++) {
        const rp_yaml_node *key = rp_yaml_key(node, i);
        if (!check_new_name(r, key, "live value")) continue;
        const rp_name *param = rp_names_find(&r->param_names, key->text, key->length);
        const rp_yaml_node *value = rp_yaml_value(node, i);
        if (!param && value->kind == RP_YAML_MAP && rp_yaml_find(value, "block")) {
            wait(r, key, value);
            continue;
        }
        if (param)
            rp_read_error(r, key, "'%s' is a parameter already, at line %u", key->text,
                          param->node->line);
        if (param || !read_live_value(r, key, rp_yaml_value(node, i)))
            rp_enter_buffer(r, key, NULL, NULL);
    }
    return !r->failed;
}

/* ---- buffers --------------------------------------------------------------------------------- */

static const char *kind_keyword(uint32_t code) {
    return rp_buffer_kind_name((rp_buffer_kind)code);
}

static bool read_size(rp_reader *r, const rp_yaml_node *node, rp_graph_buffer *buffer,
                      rp_shape *s) {
    const rp_yaml_node *dtype = rp_yaml_find(node, "dtype"), *size = rp_yaml_find(node, "size");
    const rp_yaml_node *shape_node = rp_yaml_find(node, "shape");
    if (rp_yaml_find(node, "image")) return rp_read_image(r, node, buffer);
    if (size) {
        int64_t bytes;
        if (dtype || shape_node)
            return rp_read_error(r, size,
                                 "'size' is for raw buffers: give 'dtype' and 'shape', or "
                                 "'size' alone");
        if (!rp_read_integer(r, size, "size", 1, INT64_MAX, &bytes)) return false;
        buffer->dtype = RP_RAW;
        buffer->size = (uint64_t)bytes;
        return true;
    }
    if (!dtype || !shape_node)
        return rp_read_error(r, node, "%s: a buffer has 'dtype' and 'shape', or 'size'",
                             dtype        ? "'shape' is missing"
                             : shape_node ? "'dtype' is missing"
                                          : "the size is missing");
    int code = rp_read_dtype(r, dtype);
    if (!rp_read_shape(r, shape_node, s) || code < 0) return false;
    buffer->dtype = (uint8_t)code;
    buffer->rank = s->tensor.rank;
    return rp_read_extent(r, shape_node, (rp_dtype)code, s, &buffer->size);
}

/* Notes the array of a buffer, whose index will be the next one. The name is set at the end, when
 * the graph's strings no longer move. */
static bool read_data(rp_reader *r, const rp_yaml_node *node, rp_buffer_kind kind) {
    static const char *const keys[] = {"file", "tensor", NULL};
    rp_pipeline *p = r->pipeline;
    const rp_yaml_node *file = node, *tensor = NULL;
    if (node->kind == RP_YAML_MAP) {
        if (!rp_read_map(r, node, "'data'", keys)) return false;
        file = rp_yaml_find(node, "file");
        tensor = rp_yaml_find(node, "tensor");
        if (!file) return rp_read_error(r, node, "'file' of 'data' is missing");
        if (tensor && !rp_read_text(r, tensor, "tensor")) return false;
    }
    if (!rp_read_text(r, file, "data")) return false;
    if (kind == RP_OUT || kind == RP_TMP)
        return rp_read_error(r, node, "'data' is for in, inout and weight buffers, not for %s",
                             rp_buffer_kind_name(kind));
    if (!RP_RESERVE(&r->a, p->data, p->data_count, p->data_capacity, 1))
        return rp_read_no_memory(r);
    rp_pipeline_data *data = &p->data[p->data_count];
    rp_source_pos at = rp_read_pos(file);
    *data = (rp_pipeline_data){.line = at.line, .column = at.column};
    data->path = rp_read_path(r, file);
    if (!data->path) return false;
    p->data_count++; /* from here on it is released with the pipeline */
    if (!tensor) return true;
    data->tensor = rp_dup(&r->a, tensor->text, (size_t)tensor->length + 1);
    return data->tensor ? true : rp_read_no_memory(r);
}

static bool read_buffer(rp_reader *r, const rp_yaml_node *key, const rp_yaml_node *node) {
    static const char *const keys[] = {"kind",   "dtype", "shape",  "size", "data", "image",
                                       "extent", "dim",   "layers", "mips", NULL};
    if (!rp_read_map(r, node, "a buffer", keys)) return false;
    const rp_yaml_node *kind_node = rp_yaml_find(node, "kind"), *data = rp_yaml_find(node, "data");
    if (kind_node && rp_yaml_is(kind_node, "live"))
        return rp_read_error(r, kind_node, "live values have a section of their own: 'live'");
    int kind = kind_node ? rp_read_keyword(r, kind_node, "kind", kind_keyword, RP_LIVE) : -1;
    if (!kind_node)
        rp_read_error(r, key, "'kind' of buffer '%s' is missing: in, out, inout, weight or tmp",
                      key->text);
    rp_shape s = {0};
    rp_graph_buffer buffer = {
        .offset = RP_NOT_PLACED, .first_default = RP_NONE, .max_value = UINT32_MAX};
    bool good = read_size(r, node, &buffer, &s);
    if (!good || kind < 0) return false;
    buffer.kind = (uint8_t)kind;
    if (data && !read_data(r, data, (rp_buffer_kind)kind)) return false;
    if (!rp_enter_buffer(r, key, &buffer, &s.tensor)) return false;
    if (data)
        r->pipeline->data[r->pipeline->data_count - 1].buffer = key->text; /* copied at the end */
    return true;
}

bool rp_read_buffers(rp_reader *r, const rp_yaml_node *node) {
    if (!rp_read_map(r, node, "'buffers'", NULL)) {
        r->buffer_names.broken = true;
        return false;
    }
    for (uint32_t i = 0; i < node->count && !r->no_memory; i++) {
        const rp_yaml_node *key = rp_yaml_key(node, i);
        if (!check_new_name(r, key, "buffer")) continue;
        if (!read_buffer(r, key, rp_yaml_value(node, i))) rp_enter_buffer(r, key, NULL, NULL);
    }
    return !r->failed;
}
