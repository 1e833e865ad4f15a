/* Run nodes: bindings, grid and push data, checked against the kernel's reflected interface.
 *
 * The uses of a node follow the kernel's bindings in order, whatever the order in the file; each
 * binding that the code uses must be given once, others may be given and are no uses. A grid that
 * reads no live value is a number here; others go into the graph as expressions, after a trial with
 * the default values. */
#include "yaml/pipeline.h"

#include <stdio.h>

/* ---- bind ------------------------------------------------------------------------------------ */

/* "0", "1.3" or a name; -1 when there is no such binding. */
int rp_find_binding(const rp_kernel_module *module, const char *text) {
    bool number = *text && !text[strspn(text, "0123456789.")];
    unsigned set = 0, binding = 0;
    char rest;
    if (number && sscanf(text, "%3u.%3u%c", &set, &binding, &rest) != 2) {
        set = 0;
        if (sscanf(text, "%3u%c", &binding, &rest) != 1) return -1;
    }
    for (uint32_t i = 0; i < module->binding_count; i++) {
        const rp_kernel_binding *b = &module->bindings[i];
        if (number ? b->set == set && b->binding == binding : strcmp(b->name, text) == 0)
            return (int)i;
    }
    return -1;
}

/* "x", or "0.1" for a binding without a name. */
static void binding_name(const rp_kernel_binding *b, char *text, size_t size) {
    if (b->name[0])
        snprintf(text, size, "%.60s", b->name);
    else if (b->set)
        snprintf(text, size, "%u.%u", b->set, b->binding);
    else
        snprintf(text, size, "%u", b->binding);
}

void rp_list_bindings(const rp_kernel_module *module, rp_name_list *list) {
    for (uint32_t i = 0; i < module->binding_count; i++) {
        char name[64];
        binding_name(&module->bindings[i], name, sizeof name);
        rp_list_add(list, "%s", name);
    }
}

static const char *access_keyword(uint32_t code) {
    return rp_access_name((rp_access)code);
}

static bool read_access(rp_reader *r, const rp_yaml_node *node, const rp_kernel_binding *binding,
                        uint8_t *out) {
    *out = binding->access;
    const rp_yaml_node *access = rp_yaml_find(node, "access");
    if (!access) return true;
    int code = rp_read_keyword(r, access, "access", access_keyword, RP_SAMPLED + 1);
    if (code < 0) return false;
    if (!binding->used) return true;
    char name[64];
    binding_name(binding, name, sizeof name);
    const char *why = rp_kernel_access_error(binding, (rp_access)code);
    if (why)
        return rp_read_error(r, access, "binding '%s' cannot be '%s': %s", name,
                             rp_access_name((rp_access)code), why);
    *out = (uint8_t)code;
    return true;
}

/* Whether a binding is given values: a list of them, or a map that is no range. `values` says so where
 * a member is called 'buffer'. */
static const rp_yaml_node *find_values(const rp_yaml_node *node) {
    if (node->kind == RP_YAML_LIST) return node;
    if (node->kind != RP_YAML_MAP || rp_yaml_find(node, "buffer")) return NULL;
    const rp_yaml_node *values = node->count == 1 ? rp_yaml_find(node, "values") : NULL;
    return values ? values : node;
}

/* Values of which some are addresses become the node's push data. */
static bool push_block(rp_reader *r, const rp_yaml_node *node, const rp_kernel_binding *binding,
                       const rp_block_values *values, rp_use_list *list) {
    char name[64];
    binding_name(binding, name, sizeof name);
    if (list->pushed)
        return rp_read_error(r, node,
                             "block '%s' holds an address, and so does one at line %u: one of a "
                             "node's blocks may",
                             name, list->pushed->line);
    if (values->follows_count)
        return rp_read_error(r, node,
                             "block '%s' holds an address, and cannot follow live values: they "
                             "would have to be recorded",
                             name);
    if (values->size > RP_MAX_PUSH_BYTES)
        return rp_read_error(r, node,
                             "block '%s' holds an address and has %llu bytes: at most %d become "
                             "push data, which alone hold addresses",
                             name, (unsigned long long)values->size, RP_MAX_PUSH_BYTES);
    list->pushed = node;
    list->addresses = *values->addresses;
    list->block = (rp_block_push){binding->set, binding->binding, (uint32_t)values->size};
    memcpy(list->bytes, values->bytes, values->size);
    return true;
}

/* Values for a block become a live buffer. */
static bool read_values(rp_reader *r, const rp_yaml_node *node, const rp_kernel_module *module,
                        const rp_kernel_binding *binding, rp_use_list *list) {
    char name[64], owner[160];
    binding_name(binding, name, sizeof name);
    if (!binding->used) return true; /* whatever it is, nobody touches it */
    if (binding->access != RP_READ && binding->access != RP_UNIFORM)
        return rp_read_error(
            r, node, "the shader writes block '%s': it takes a buffer, and no values", name);
    if (binding->layout == RP_NONE)
        return rp_read_error(r, node, "no values can be given for block '%s', as %s: bind a buffer",
                             name, binding->no_layout);
    snprintf(owner, sizeof owner, "block '%s' of kernel '%.60s'", name, module->name);
    rp_push_addresses addresses = {.count = 0};
    rp_block_values values = {.what = "member", .owner = owner, .addresses = &addresses};
    bool good =
        rp_read_new_block(r, node, &module->layouts, binding->layout, binding->min_size, &values);
    if (addresses.count) {
        good = good && push_block(r, node, binding, &values, list);
        rp_release(&r->a, values.bytes);
        rp_release(&r->a, values.follows);
        return good;
    }
    const rp_block_bytes block = {.name = "block",
                                  .bytes = values.bytes,
                                  .pieces = values.follows,
                                  .size = (uint32_t)values.size,
                                  .piece_count = values.follows_count};
    rp_graph_use use = {.access = binding->access, .size = values.size};
    if (good &&
        rp_block_buffer(r->graph, &r->push_blocks, &block, rp_read_pos(node), &use.buffer) != RP_OK)
        good = rp_read_no_memory(r);
    if (good && !RP_RESERVE(&r->a, list->uses, list->uses_count, list->uses_capacity, 1))
        good = rp_read_no_memory(r);
    if (good) list->uses[list->uses_count++] = use;
    rp_release(&r->a, values.bytes);
    rp_release(&r->a, values.follows);
    return good;
}

/* ---- One descriptor ------------------------------------------------------------------------ */

/* A buffer's range, seen as texels where the kernel does. */
static bool read_buffer(rp_reader *r, const rp_yaml_node *node, const rp_kernel_binding *binding,
                        uint8_t step, rp_use_list *list) {
    char name[64];
    rp_graph_use use;
    bool sized, texels = binding->resource == RP_RESOURCE_TEXELS;
    binding_name(binding, name, sizeof name);
    if (!rp_read_range(r, node, texels ? RP_RANGE_TEXELS : RP_RANGE_WITH_ACCESS,
                       texels ? 1 : RP_BIND_ALIGNMENT, &use, &sized) ||
        !read_access(r, node, binding, &use.access))
        return false;
    use.step = step;
    if (!binding->used) return true; /* whatever it is, nobody touches it */
    if (rp_buffer_is_image(&r->graph->buffers[use.buffer]))
        return rp_read_error(r, node, "binding '%s' takes a buffer, not an image", name);
    if (rp_access_writes(use.access) && !rp_read_writable(r, node, use.buffer)) return false;
    if (texels) {
        const rp_yaml_node *format = rp_yaml_find(node, "format");
        int code = format ? rp_read_format(r, format) : binding->format;
        if (code == RP_IMAGE_NONE)
            return rp_read_error(
                r, node,
                "binding '%s' is a texel buffer: write it as {buffer: NAME, format: FORMAT}", name);
        if (code < 0) return false;
        use.format = (uint8_t)code;
    }
    if (use.size < binding->min_size)
        return rp_read_error(r, node, "binding '%s' needs at least %llu bytes, the range has %llu",
                             name, (unsigned long long)binding->min_size,
                             (unsigned long long)use.size);
    if (!RP_RESERVE(&r->a, list->uses, list->uses_count, list->uses_capacity, 1))
        return rp_read_no_memory(r);
    list->uses[list->uses_count++] = use;
    return true;
}

static bool add_sampler(rp_reader *r, const rp_yaml_node *node, rp_use_list *list) {
    uint32_t sampler = rp_read_sampler(r, node);
    if (sampler == RP_NONE) return false;
    if (!RP_RESERVE(&r->a, list->samplers, list->samplers_count, list->samplers_capacity, 1))
        return rp_read_no_memory(r);
    list->samplers[list->samplers_count++] = sampler;
    return true;
}

static bool read_image(rp_reader *r, const rp_yaml_node *node, const rp_kernel_binding *binding,
                       uint8_t step, rp_use_list *list) {
    char name[64];
    const rp_yaml_node *sampler = NULL;
    uint8_t access;
    uint32_t first = list->uses_count;
    bool combined = binding->resource == RP_RESOURCE_COMBINED;
    binding_name(binding, name, sizeof name);
    if (!read_access(r, node, binding, &access) ||
        !rp_read_part(r, node, list, access, step, access != RP_SAMPLED, &sampler))
        return false;
    if (sampler && !combined)
        return rp_read_error(r, sampler,
                             "binding '%s' is an image alone: it takes no sampler, the shader has "
                             "that in a binding of its own, or reads single texels",
                             name);
    if (combined && !sampler)
        return rp_read_error(
            r, node, "binding '%s' is sampled: write it as {buffer: NAME, sampler: NAME}", name);
    if (!binding->used) {
        list->uses_count = first;
        return true;
    }
    if (rp_access_writes(access) && !rp_read_writable(r, node, list->uses[first].buffer))
        return false;
    return !combined || add_sampler(r, sampler, list);
}

static bool read_element(rp_reader *r, const rp_yaml_node *node, const rp_kernel_module *module,
                         const rp_kernel_binding *binding, uint8_t step, rp_use_list *list) {
    const rp_yaml_node *values = binding->elements ? NULL : find_values(node);
    switch ((rp_resource)binding->resource) {
    case RP_RESOURCE_BUFFER:
        if (values) return read_values(r, values, module, binding, list);
        return read_buffer(r, node, binding, step, list);
    case RP_RESOURCE_TEXELS: return read_buffer(r, node, binding, step, list);
    case RP_RESOURCE_IMAGE:
    case RP_RESOURCE_COMBINED: return read_image(r, node, binding, step, list);
    case RP_RESOURCE_SAMPLER: return !binding->used || add_sampler(r, node, list);
    case RP_RESOURCE_STALL: break; /* no module says so of itself */
    }
    return false;
}

/* What is bound to a binding: a list for an array, of samplers all of it. */
static bool read_binding(rp_reader *r, const rp_yaml_node *node, const rp_kernel_module *module,
                         const rp_kernel_binding *binding, rp_use_list *list) {
    char name[64];
    binding_name(binding, name, sizeof name);
    if (!binding->elements) return read_element(r, node, module, binding, RP_USE_PARAM, list);
    if (node->kind != RP_YAML_LIST || node->count == 0)
        return rp_read_error(r, node, "binding '%s' is an array: a list of up to %u is bound to it",
                             name, binding->elements);
    bool all = binding->resource == RP_RESOURCE_SAMPLER && node->count != binding->elements;
    if (node->count > binding->elements || all)
        return rp_read_error(r, node, "binding '%s' has %u elements, not %u", name,
                             binding->elements, node->count);
    bool good = true;
    for (uint32_t i = 0; i < node->count; i++)
        good &= read_element(r, node->items[i], module, binding, i ? RP_USE_ELEMENT : RP_USE_PARAM,
                             list);
    return good;
}

/* ---- All of them ----------------------------------------------------------------------------- */

/* Two uses of one node on the same bytes, one of them writing: only in place, or not at all. */
static bool check_overlap(rp_reader *r, const rp_kernel_module *module, const rp_graph_use *a,
                          const rp_graph_use *b, const rp_yaml_node *const *nodes, uint32_t i,
                          uint32_t j) {
    if (a->buffer != b->buffer || a->offset >= b->offset + b->size ||
        b->offset >= a->offset + a->size)
        return true;
    bool writes_a = rp_access_writes(a->access), writes_b = rp_access_writes(b->access);
    bool storage = a->access != RP_UNIFORM && b->access != RP_UNIFORM && a->access != RP_SAMPLED &&
                   b->access != RP_SAMPLED; /* other caches see no writes */
    bool same = storage && a->offset == b->offset && a->size == b->size;
    if ((!writes_a && !writes_b) || (same && writes_a != writes_b)) return true;
    char name_a[64], name_b[64];
    binding_name(&module->bindings[i], name_a, sizeof name_a);
    binding_name(&module->bindings[j], name_b, sizeof name_b);
    const rp_yaml_node *at =
        nodes[j]->line > nodes[i]->line ||
                (nodes[j]->line == nodes[i]->line && nodes[j]->column > nodes[i]->column)
            ? nodes[j]
            : nodes[i];
    return rp_read_error(r, at, "bindings '%s' and '%s' overlap in '%s', and %s", name_a, name_b,
                         rp_graph_string(r->graph, r->graph->buffers[a->buffer].name),
                         writes_a && writes_b ? "both are written" : "one is written");
}

static bool check_all_bound(rp_reader *r, const rp_yaml_node *at, const rp_kernel_module *module,
                            const rp_yaml_node *const *nodes) {
    rp_name_list list = {0};
    for (uint32_t i = 0; i < module->binding_count; i++) {
        char name[64];
        if (nodes[i] || !module->bindings[i].used) continue;
        binding_name(&module->bindings[i], name, sizeof name);
        rp_list_add(&list, "'%s'", name);
    }
    if (!list.length) return true;
    return rp_read_error(r, at, "kernel '%s' has nothing bound to %s", module->name, list.text);
}

/* What stands at each binding: nodes[0 .. module->binding_count). */
static bool find_bound(rp_reader *r, const rp_yaml_node *bind, const rp_kernel_module *module,
                       const rp_yaml_node **nodes) {
    bool good = true;
    for (uint32_t i = 0; bind && i < bind->count; i++) {
        const rp_yaml_node *key = rp_yaml_key(bind, i), *value = rp_yaml_value(bind, i);
        int index = rp_find_binding(module, key->text);
        if (index < 0) {
            rp_name_list list = {0};
            rp_list_bindings(module, &list);
            good = rp_read_error(r, key, "kernel '%s' has no binding '%.*s' (%s%s)", module->name,
                                 RP_CLIP(key), list.length ? "it has " : "it has none", list.text);
        } else if (nodes[index]) {
            good = rp_read_error(r, key, "binding '%.*s' is bound twice, at line %u already",
                                 RP_CLIP(key), nodes[index]->line);
        } else {
            nodes[index] = value;
        }
    }
    return good;
}

/* Appends the uses and samplers of all bindings, in their order. */
static bool read_bind(rp_reader *r, const rp_yaml_node *run, const rp_kernel_module *module,
                      rp_use_list *list) {
    const rp_yaml_node *nodes[RP_MAX_PARAMS] = {0}, *bind = rp_yaml_find(run, "bind");
    uint32_t ends[RP_MAX_PARAMS] = {0}; /* of the uses of each binding */
    if (bind && !rp_read_map(r, bind, "'bind'", NULL)) return false;
    bool good = find_bound(r, bind, module, nodes);
    for (uint32_t i = 0; i < module->binding_count; i++) {
        if (nodes[i]) good &= read_binding(r, nodes[i], module, &module->bindings[i], list);
        ends[i] = list->uses_count;
    }
    good &= check_all_bound(r, bind ? bind : run, module, nodes);
    for (uint32_t j = 0, b = 0; good && j < list->uses_count; j++) {
        while (ends[b] <= j) b++;
        for (uint32_t i = 0, a = 0; good && i < j; i++) {
            while (ends[a] <= i) a++;
            good = check_overlap(r, module, &list->uses[i], &list->uses[j], nodes, a, b);
        }
    }
    return good;
}

/* ---- grid ------------------------------------------------------------------------------------ */

static bool default_value(void *context, uint32_t buffer, uint32_t element, int64_t *out) {
    const rp_graph *graph = context;
    const rp_graph_buffer *b = &graph->buffers[buffer];
    uint32_t word = 0;
    if (b->first_default != RP_NONE)
        memcpy(&word, graph->bytes + b->first_default + 4 * (size_t)element, sizeof word);
    *out = b->dtype == RP_I32 ? (int32_t)word : (int64_t)word;
    return true;
}

/* Turns threads into workgroups. */
static bool divide(rp_reader *r, rp_expr *expr, uint32_t local) {
    if (!RP_RESERVE(&r->a, expr->ops, expr->count, expr->capacity, 2)) return rp_read_no_memory(r);
    expr->ops[expr->count++] = (rp_expr_op){.code = RP_EXPR_CONST, .value = local};
    expr->ops[expr->count++] = (rp_expr_op){.code = RP_EXPR_CEIL_DIV};
    return true;
}

/* The value of a live dimension at first: a division by zero that every first replay would meet is
 * better found now. */
static bool try_default(rp_reader *r, const rp_yaml_node *node, const char *what,
                        const rp_expr *expr, int64_t *out) {
    const char *why = NULL;
    if (rp_expr_eval(expr->ops, expr->count, default_value, r->graph, out, &why)) return true;
    return rp_read_error(r, node, "%s: %s in '%.*s' with the default live values", what, why,
                         RP_CLIP(node));
}

/* `local` is the number of invocations that the expression counts in one workgroup: 1 for a grid.
 */
static bool store_dimension(rp_reader *r, const rp_yaml_node *node, const char *what,
                            const rp_value *given, rp_expr *expr, uint32_t local, uint32_t axis,
                            rp_graph_node *out) {
    uint64_t most = (uint64_t)UINT32_MAX * local;
    if (most > INT64_MAX) most = INT64_MAX;
    if (given->kind == RP_VALUE_REAL) return rp_read_not_integer(r, node, what);
    bool live = given->kind == RP_VALUE_LIVE;
    int64_t least = live ? 1 - (int64_t)local : 1; /* rounds up to 0, as in every replay */
    int64_t value = given->integer;
    if (live && !try_default(r, node, what, expr, &value)) return false;
    if (value < least || value > (int64_t)most)
        return rp_read_error(r, node, "%s is %lld%s: expected %d to %llu", what, (long long)value,
                             live ? " with the default live values" : "", live ? 0 : 1,
                             (unsigned long long)most);
    if (!live) {
        out->grid[axis] = (uint32_t)((uint64_t)(value - 1) / local + 1);
        return true;
    }
    if (local > 1 && !divide(r, expr, local)) return false;
    if (!rp_expr_valid(expr->ops, expr->count, r->graph->buffers_count))
        return rp_read_error(r, node, "%s: the expression is too long", what);
    out->grid_kind = RP_GRID_LIVE;
    out->live_mask |= (uint8_t)(1 << axis);
    out->grid[axis] = rp_graph_add_expr(r->graph, expr->ops, expr->count);
    return out->grid[axis] == RP_NONE ? rp_read_no_memory(r) : true;
}

static bool read_indirect(rp_reader *r, const rp_yaml_node *node, rp_use_list *list,
                          rp_graph_node *out) {
    static const char *const keys[] = {"indirect", "offset", NULL};
    if (!rp_read_map(r, node, "an indirect grid", keys)) return false;
    const rp_yaml_node *name_node = rp_yaml_find(node, "indirect");
    const rp_yaml_node *offset = rp_yaml_find(node, "offset");
    if (!name_node) return rp_read_error(r, node, "'indirect' of this grid is missing");
    const rp_name *name = rp_read_find(r, &r->buffer_names, name_node, "buffer");
    if (!name || name->value == RP_NONE) return false;
    uint64_t size = r->graph->buffers[name->value].size;
    int64_t begin = 0;
    if (offset && !rp_read_integer(r, offset, "offset", 0, INT64_MAX, &begin)) return false;
    if (begin % 4)
        return rp_read_error(r, offset, "the grid begins at byte %lld: expected a multiple of 4",
                             (long long)begin);
    if (size < 12 || (uint64_t)begin > size - 12)
        return rp_read_error(r, offset ? offset : name_node,
                             "an indirect grid is 12 bytes: [%lld+12] lies outside '%s', which has "
                             "%llu bytes",
                             (long long)begin, name->text, (unsigned long long)size);
    out->grid_kind = RP_GRID_INDIRECT;
    if (!RP_RESERVE(&r->a, list->uses, list->uses_count, list->uses_capacity, 1))
        return rp_read_no_memory(r);
    list->uses[list->uses_count++] = (rp_graph_use){.buffer = name->value,
                                                    .access = RP_READ,
                                                    .indirect = true,
                                                    .offset = (uint64_t)begin,
                                                    .size = 12};
    return true;
}

/* An indirect grid appends its use. */
static bool read_grid(rp_reader *r, const rp_yaml_node *run, const rp_kernel_module *module,
                      rp_use_list *list, rp_graph_node *out) {
    const rp_yaml_node *grid = rp_yaml_find(run, "grid"), *threads = rp_yaml_find(run, "threads");
    if (!grid == !threads)
        return rp_read_error(r, grid ? threads : run,
                             "a run node has 'grid' (workgroups) or 'threads', one of the two");
    if (grid && grid->kind == RP_YAML_MAP) return read_indirect(r, grid, list, out);
    const rp_yaml_node *node = grid ? grid : threads;
    const rp_yaml_node *const *items = node->kind == RP_YAML_LIST ? node->items : &node;
    uint32_t count = node->kind == RP_YAML_LIST ? node->count : 1;
    const char *what = grid ? "grid" : "threads";
    if (node->kind == RP_YAML_MAP || count < 1 || count > 3)
        return rp_read_error(r, node, "%s is a list of 1 to 3 integers or expressions", what);
    bool good = true;
    out->grid[0] = out->grid[1] = out->grid[2] = 1;
    for (uint32_t i = 0; i < count; i++) {
        rp_expr expr;
        rp_value value;
        if (!rp_read_expr(r, items[i], what, RP_PARAMS_AND_LIVE, &value, &expr)) {
            good = false;
            continue;
        }
        good &=
            store_dimension(r, items[i], what, &value, &expr, grid ? 1 : module->local[i], i, out);
        rp_expr_free(&r->a, &expr);
    }
    return good;
}

/* ---- run ------------------------------------------------------------------------------------- */

static const char *const run_keys[] = {"run",   "bind", "grid",     "threads", "push",
                                       "label", "tag",  "optional", "uses",    NULL};

/* Push data that follows live values comes through a buffer. */
static bool follow_live(rp_reader *r, const rp_yaml_node *run, const rp_kernel_module *module,
                        const rp_live_push *live, const uint8_t *push, rp_graph_node *node,
                        rp_graph_use *uses) {
    char why[512];
    if (!live->words && !live->always) return true;
    rp_status status =
        rp_live_push_apply(r->graph, &r->push_blocks, module, live, push, node, uses, why);
    if (status == RP_OK) return true;
    if (status == RP_ERROR_NO_MEMORY) return rp_read_no_memory(r);
    return rp_read_error(r, rp_yaml_find(run, "push"),
                         "the push data of kernel '%s' cannot follow live values: %s", module->name,
                         why);
}

/* The block with addresses, in the place of push data: the kernel is a copy that takes it there. */
static bool take_block(rp_reader *r, const rp_kernel_module *module, rp_graph_node *node,
                       const rp_use_list *list, uint8_t *push) {
    char why[512];
    if (!list->pushed) return true;
    rp_status status =
        rp_block_push_kernel(r->graph, node->kernel, &list->block, why, &node->kernel);
    if (status == RP_ERROR_NO_MEMORY) return rp_read_no_memory(r);
    if (status != RP_OK)
        return rp_read_error(r, list->pushed,
                             "a block of kernel '%s' that holds an address becomes push data, and "
                             "this one cannot: %s",
                             module->name, why);
    node->byte_count = list->block.size;
    memcpy(push, list->bytes, list->block.size);
    return true;
}

/* What is pushed is the node's own push data, or a block with addresses, and then that data lies in a
 * buffer. */
static bool read_pushed(rp_reader *r, const rp_yaml_node *node, const rp_kernel_module *module,
                        const rp_use_list *list, uint8_t *push, rp_live_push *live,
                        rp_push_addresses *addresses) {
    if (!rp_read_push(r, node, module, push, live, addresses)) return false;
    if (live->words && addresses->count)
        return rp_read_error(r, rp_yaml_find(node, "push"),
                             "the push data of kernel '%s' cannot follow live values and hold "
                             "addresses: give one of them through a block that is bound",
                             module->name);
    if (!list->pushed) return true;
    if (addresses->count)
        return rp_read_error(r, list->pushed,
                             "a block of kernel '%s' holds an address, and so does its push data: "
                             "one of them may",
                             module->name);
    live->always = rp_kernel_push_bytes(module) > 0;
    *addresses = list->addresses;
    return true;
}

/* The node, with room for a use more. */
static bool make_node(rp_reader *r, const rp_yaml_node *node, const rp_kernel_module *module,
                      rp_graph_node *out, rp_use_list *list) {
    rp_graph *g = r->graph;
    uint8_t push[RP_MAX_PUSH_BYTES] = {0};
    rp_live_push live = {0};
    rp_push_addresses addresses = {.count = 0};
    bool good = read_bind(r, node, module, list);
    good = read_pushed(r, node, module, list, push, &live, &addresses) && good;
    if (!RP_RESERVE(&r->a, list->uses, list->uses_count, list->uses_capacity,
                    RP_MAX_PARAMS + RP_MAX_PUSH_ADDRESSES))
        return rp_read_no_memory(r);
    out->use_count = list->uses_count; /* what is bound, then what is reached through addresses */
    good = good && rp_read_uses(r, node, module, &addresses, list->uses, out);
    list->uses_count = out->use_count;
    good &= read_grid(r, node, module, list, out);
    if (!good) return false;
    out->byte_count = rp_kernel_push_bytes(module);
    out->use_count = list->uses_count;
    if (!RP_RESERVE(&r->a, list->uses, list->uses_count, list->uses_capacity, 1) ||
        !RP_RESERVE(&g->allocator, g->sampler_refs, g->sampler_refs_count, g->sampler_refs_capacity,
                    list->samplers_count))
        return rp_read_no_memory(r);
    if (!follow_live(r, node, module, &live, push, out, list->uses) ||
        !take_block(r, module, out, list, push))
        return false;
    bool indirect = out->use_count && list->uses[out->use_count - 1].indirect;
    out->kernel = rp_kernel_for_uses(g, out->kernel, list->uses, out->use_count - indirect);
    if (out->kernel == RP_NONE) return rp_read_no_memory(r);
    out->first_sampler = g->sampler_refs_count;
    out->sampler_count = list->samplers_count;
    for (uint32_t i = 0; i < list->samplers_count; i++)
        g->sampler_refs[g->sampler_refs_count++] = list->samplers[i];
    return rp_graph_add_node(g, out, list->uses, push) == RP_NONE ? rp_read_no_memory(r) : true;
}

bool rp_read_run(rp_reader *r, const rp_yaml_node *node, const rp_yaml_node *kernel,
                 const rp_graph_node *base) {
    bool good = rp_read_map(r, node, "a run node", run_keys);
    const rp_name *name = rp_read_find(r, &r->kernel_names, kernel, "kernel");
    if (!name || name->value == RP_NONE) return false;
    const rp_kernel_module *module = &r->modules[name->value];
    if (module->binding_count > RP_MAX_PARAMS)
        return rp_read_error(r, kernel, "kernel '%s' has more than %d bindings", module->name,
                             RP_MAX_PARAMS);
    rp_graph_node out = *base;
    rp_use_list list = {0};
    out.kernel = name->value;
    good = make_node(r, node, module, &out, &list) && good;
    rp_release(&r->a, list.uses);
    rp_release(&r->a, list.samplers);
    return good;
}
