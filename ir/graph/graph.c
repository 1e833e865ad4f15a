/* The graph's storage: creation, copies, interned strings, and the functions that append to it.
 *
 * Everything lives in arrays of plain values that refer to each other by index, so a clone is one
 * block copy per array, and growth never invalidates a reference. The arrays are listed once, in
 * GRAPH_ARRAYS. Strings are interned through a hash table, because a recorded graph repeats its
 * labels and op tags in every node. */
#include "graph/graph.h"

#include "graph/hazards.h"

#define GRAPH_ARRAYS(X)                                                                            \
    X(strings)                                                                                     \
    X(buffers)                                                                                     \
    X(dims)                                                                                        \
    X(dim_powers)                                                                                  \
    X(follows)                                                                                     \
    X(kernels)                                                                                     \
    X(params)                                                                                      \
    X(specs)                                                                                       \
    X(words)                                                                                       \
    X(nodes)                                                                                       \
    X(uses)                                                                                        \
    X(samplers)                                                                                    \
    X(sampler_refs)                                                                                \
    X(addresses)                                                                                   \
    X(bytes)                                                                                       \
    X(members)                                                                                     \
    X(operands)                                                                                    \
    X(attrs)                                                                                       \
    X(exprs)                                                                                       \
    X(expr_ops)                                                                                    \
    X(barriers)                                                                                    \
    X(tagged_barriers)

rp_graph *rp_graph_create(const rp_allocator *allocator, const char *name) {
    rp_allocator a = rp_allocator_or_default(allocator);
    rp_graph *graph = rp_alloc_zero(&a, 1, sizeof *graph);
    if (!graph) return NULL;
    graph->allocator = a;
    graph->target = *rp_target_portable;
    graph->name = rp_graph_intern(graph, name, strlen(name));
    if (graph->name == RP_NONE) {
        rp_graph_destroy(graph);
        return NULL;
    }
    return graph;
}

rp_status rp_graph_set_target(rp_graph *graph, const rp_target *target) {
    rp_target filled;
    if (!rp_target_fill(target, &filled)) return RP_ERROR_USAGE;
    graph->target = filled;
    return RP_OK;
}

rp_status rp_graph_node_place(const rp_graph *graph, uint32_t id, uint32_t *out_line,
                              uint32_t *out_column) {
    if (!graph || !out_line || !out_column) return RP_ERROR_USAGE;
    for (uint32_t i = 0; i < graph->nodes_count; i++) {
        const rp_graph_node *n = &graph->nodes[i];
        if (n->id != id || n->pos.line == 0) continue;
        *out_line = n->pos.line;
        *out_column = n->pos.column;
        return RP_OK;
    }
    return RP_ERROR_NOT_FOUND;
}

const rp_target *rp_graph_target(const rp_graph *graph) {
    return graph ? &graph->target : rp_target_portable;
}

void rp_graph_destroy(rp_graph *graph) {
    if (!graph) return;
    rp_allocator a = graph->allocator;
#define RP_X(array) rp_release(&a, graph->array);
    GRAPH_ARRAYS(RP_X)
#undef RP_X
    rp_table_free(&a, &graph->string_table);
    rp_hazards_forget(graph);
    rp_release(&a, graph);
}

/* Copies one array; an empty one stays NULL. */
static bool clone_array(const rp_allocator *a, void **block, uint32_t count, uint32_t *capacity,
                        size_t element_size) {
    const void *from = *block;
    *block = NULL;
    *capacity = 0;
    if (count == 0) return true;
    if (count > SIZE_MAX / element_size) return false;
    *block = rp_dup(a, from, count * element_size);
    if (*block) *capacity = count;
    return *block != NULL;
}

rp_status rp_graph_clone(const rp_graph *graph, rp_graph **out_graph) {
    if (!out_graph) return RP_ERROR_USAGE;
    *out_graph = NULL;
    if (!graph) return RP_ERROR_USAGE;
    rp_graph *copy = rp_dup(&graph->allocator, graph, sizeof *graph);
    if (!copy) return RP_ERROR_NO_MEMORY;
    bool ok = true;
    /* Every array is visited even after a failure: until then the copy points into the original. */
#define RP_X(array)                                                                                \
    if (!clone_array(&copy->allocator, (void **)&copy->array, ok ? copy->array##_count : 0,        \
                     &copy->array##_capacity, sizeof *copy->array))                                \
        ok = false;
    GRAPH_ARRAYS(RP_X)
#undef RP_X
    copy->string_table = (rp_table){0};
    copy->known = NULL;
    if (!ok || !rp_table_copy(&copy->allocator, &graph->string_table, &copy->string_table)) {
        rp_graph_destroy(copy);
        return RP_ERROR_NO_MEMORY;
    }
    *out_graph = copy;
    return RP_OK;
}

void rp_text_release(const rp_graph *graph, char *text) {
    if (graph) rp_release(&graph->allocator, text);
}

/* ---- Strings --------------------------------------------------------------------------------- */

static uint32_t find_string(const rp_graph *g, uint32_t key, const char *text, size_t length) {
    for (uint32_t probe = 0, at; rp_table_next(&g->string_table, key, &probe, &at);)
        /* strncmp stops at a terminator, so this never reads past the last string. */
        if (strncmp(g->strings + at, text, length) == 0 && g->strings[at + length] == '\0')
            return at;
    return RP_NONE;
}

uint32_t rp_graph_find_string(const rp_graph *g, const char *text, size_t length) {
    return find_string(g, rp_table_key(text, length), text, length);
}

uint32_t rp_graph_intern(rp_graph *g, const char *text, size_t length) {
    if (length >= UINT32_MAX - 1) return RP_NONE;
    uint32_t key = rp_table_key(text, length);
    uint32_t found = find_string(g, key, text, length);
    if (found != RP_NONE) return found;
    /* The text may itself be part of the table (a prefix of another name), which can move. */
    bool inside = g->strings && (uintptr_t)text >= (uintptr_t)g->strings &&
                  (uintptr_t)text < (uintptr_t)g->strings + g->strings_count;
    size_t offset = inside ? (size_t)(text - g->strings) : 0;
    if (!RP_RESERVE(&g->allocator, g->strings, g->strings_count, g->strings_capacity,
                    (uint32_t)length + 1))
        return RP_NONE;
    uint32_t at = g->strings_count;
    if (!rp_table_add(&g->allocator, &g->string_table, key, at)) return RP_NONE;
    if (length) memcpy(g->strings + at, inside ? g->strings + offset : text, length);
    g->strings[at + length] = '\0';
    g->strings_count += (uint32_t)length + 1;
    return at;
}

/* ---- Building -------------------------------------------------------------------------------- */

/* Appends `count` elements and stores the index of the first. `items` NULL: they are there already
 * and *first stays. The items may be a part of the array itself. */
static bool append(const rp_allocator *a, void **block, uint32_t *block_count, uint32_t *capacity,
                   const void *items, uint32_t count, size_t element_size, uint32_t *first) {
    if (!items) return true;
    uintptr_t begin = (uintptr_t)*block, from = (uintptr_t)items;
    bool inside = *block && from >= begin && from < begin + *block_count * element_size;
    if ((uint64_t)*block_count + count > *capacity &&
        !rp_grow(a, block, capacity, *block_count, count, element_size))
        return false;
    if (inside) items = (const char *)*block + (from - begin);
    if (count) memcpy((char *)*block + *block_count * element_size, items, count * element_size);
    *first = *block_count;
    *block_count += count;
    return true;
}

#define APPEND(g, array, items, count, first)                                                      \
    append(&(g)->allocator, (void **)&(g)->array, &(g)->array##_count, &(g)->array##_capacity,     \
           (items), (count), sizeof *(g)->array, (first))

uint32_t rp_graph_add_dims(rp_graph *g, const uint64_t *dims, const rp_powers *powers,
                           uint32_t count) {
    uint32_t first = g->dims_count, other;
    static const rp_powers none[RP_MAX_RANK];
    if (count > RP_MAX_RANK || !APPEND(g, dims, dims, count, &first)) return RP_NONE;
    if (!APPEND(g, dim_powers, powers ? powers : none, count, &other)) {
        g->dims_count = first;
        return RP_NONE;
    }
    return first;
}

static uint32_t add_buffer(rp_graph *g, const rp_graph_buffer *buffer, const uint64_t *dims,
                           const rp_powers *powers) {
    rp_graph_buffer item = *buffer; /* may be one of g->buffers */
    uint32_t index = RP_NONE, before = g->dims_count;
    if (dims && (item.first_dim = rp_graph_add_dims(g, dims, powers, item.rank)) == RP_NONE)
        return RP_NONE;
    if (!APPEND(g, buffers, &item, 1, &index)) g->dims_count = g->dim_powers_count = before;
    return index;
}

uint32_t rp_graph_add_buffer(rp_graph *g, const rp_graph_buffer *buffer, const uint64_t *dims) {
    return add_buffer(g, buffer, dims, NULL);
}

uint32_t rp_graph_add_shaped(rp_graph *g, const rp_graph_buffer *buffer, const rp_tensor *shape) {
    return add_buffer(g, buffer, shape->dims, shape->powers);
}

uint32_t rp_graph_add_kernel(rp_graph *g, const rp_graph_kernel *kernel,
                             const rp_graph_param *params, const rp_graph_spec *specs,
                             const uint32_t *words) {
    rp_graph_kernel item = *kernel;
    uint32_t index = RP_NONE;
    uint32_t counts[3] = {g->params_count, g->specs_count, g->words_count};
    bool ok = APPEND(g, params, params, item.param_count, &item.first_param) &&
              APPEND(g, specs, specs, item.spec_count, &item.first_spec) &&
              APPEND(g, words, words, item.word_count, &item.first_word) &&
              APPEND(g, kernels, &item, 1, &index);
    if (!ok) {
        g->params_count = counts[0];
        g->specs_count = counts[1];
        g->words_count = counts[2];
        return RP_NONE;
    }
    return index;
}

uint32_t rp_graph_add_node(rp_graph *g, const rp_graph_node *node, const rp_graph_use *uses,
                           const uint8_t *bytes) {
    rp_graph_node item = *node;
    uint32_t index = RP_NONE, uses_before = g->uses_count, bytes_before = g->bytes_count;
    bool ok = APPEND(g, uses, uses, item.use_count, &item.first_use) &&
              APPEND(g, bytes, bytes, item.byte_count, &item.first_byte) &&
              APPEND(g, nodes, &item, 1, &index);
    if (!ok) {
        g->uses_count = uses_before;
        g->bytes_count = bytes_before;
        return RP_NONE;
    }
    return index;
}

uint32_t rp_graph_add_expr(rp_graph *g, const rp_expr_op *ops, uint32_t count) {
    rp_graph_expr item = {.op_count = count};
    uint32_t index = RP_NONE, before = g->expr_ops_count;
    if (!APPEND(g, expr_ops, ops, count, &item.first_op)) return RP_NONE;
    if (!APPEND(g, exprs, &item, 1, &index)) g->expr_ops_count = before;
    return index;
}

uint32_t rp_graph_add_sampler(rp_graph *g, const rp_graph_sampler *sampler) {
    uint32_t index = RP_NONE;
    return APPEND(g, samplers, sampler, 1, &index) ? index : RP_NONE;
}

/* ---- Reading --------------------------------------------------------------------------------- */

uint32_t rp_graph_find_buffer(const rp_graph *graph, const char *name) {
    for (uint32_t i = 0; i < graph->buffers_count; i++)
        if (!graph->buffers[i].removed &&
            strcmp(rp_graph_string(graph, graph->buffers[i].name), name) == 0)
            return i;
    return RP_NONE;
}

uint32_t rp_graph_find_kernel(const rp_graph *graph, const char *name) {
    for (uint32_t i = 0; i < graph->kernels_count; i++)
        if (!graph->kernels[i].removed &&
            strcmp(rp_graph_string(graph, graph->kernels[i].name), name) == 0)
            return i;
    return RP_NONE;
}

uint32_t rp_graph_find_sampler(const rp_graph *graph, const char *name) {
    for (uint32_t i = 0; i < graph->samplers_count; i++)
        if (strcmp(rp_graph_string(graph, graph->samplers[i].name), name) == 0) return i;
    return RP_NONE;
}

rp_descriptor_source rp_node_descriptors(const rp_graph *g, const rp_graph_node *n) {
    const rp_graph_kernel *k = &g->kernels[n->kernel];
    uint32_t count = rp_node_bound(g, n);
    return (rp_descriptor_source){.params = (const uint8_t *)(g->params + k->first_param),
                                  .param_stride = sizeof *g->params,
                                  .resource_at = offsetof(rp_graph_param, resource),
                                  .elements_at = offsetof(rp_graph_param, elements),
                                  .uses = (const uint8_t *)(g->uses + n->first_use),
                                  .use_stride = sizeof *g->uses,
                                  .step_at = offsetof(rp_graph_use, step),
                                  .param_count = n->unknown && count == 0 ? 0 : k->param_count,
                                  .use_count = count};
}

rp_status rp_graph_reorder(rp_graph *g, const uint32_t *order) {
    rp_graph_node *nodes = rp_alloc(&g->allocator, g->nodes_count, sizeof *nodes);
    if (!nodes) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < g->nodes_count; i++) nodes[i] = g->nodes[order[i]];
    rp_release(&g->allocator, g->nodes);
    g->nodes = nodes;
    g->nodes_capacity = g->nodes_count;
    return RP_OK;
}
