/* Live values that are a block of a kernel: a live buffer with the layout of the block, which the host
 * sets with one copy of a struct, or member by member. Their members are known while the pipeline is. */
#include "yaml/pipeline.h"

#include <stdio.h>

#include "base/sized.h"

/* The block that {kernel: k, binding: b} names. */
static bool find_block(rp_reader *r, const rp_yaml_node *node, const rp_kernel_module **out_module,
                       const rp_kernel_binding **out) {
    static const char *const keys[] = {"kernel", "binding", NULL};
    if (!rp_read_map(r, node, "'block'", keys)) return false;
    const rp_yaml_node *kernel = rp_yaml_find(node, "kernel"),
                       *binding = rp_yaml_find(node, "binding");
    if (!kernel || !binding)
        return rp_read_error(r, node, "'%s' of this block is missing",
                             kernel ? "binding" : "kernel");
    if (!rp_read_text(r, binding, "binding")) return false;
    const rp_name *name = rp_read_find(r, &r->kernel_names, kernel, "kernel");
    if (!name || name->value == RP_NONE) return false;
    const rp_kernel_module *m = &r->modules[name->value];
    int index = rp_find_binding(m, binding->text);
    if (index < 0) {
        rp_name_list list = {0};
        rp_list_bindings(m, &list);
        return rp_read_error(r, binding, "kernel '%s' has no binding '%.*s' (%s%s)", m->name,
                             RP_CLIP(binding), list.length ? "it has " : "it has none", list.text);
    }
    const rp_kernel_binding *b = &m->bindings[index];
    *out_module = m;
    *out = b;
    if (b->layout != RP_NONE) return true;
    return rp_read_error(r, binding, "block '%s' of kernel '%s' has no members to set, as %s",
                         b->name, m->name, b->no_layout);
}

/* The bytes that it begins with; zeros without a default. */
static bool read_values(rp_reader *r, const rp_yaml_node *at, const rp_yaml_node *initial,
                        const rp_kernel_module *m, const rp_kernel_binding *b,
                        rp_block_values *values) {
    const rp_block_layout *l = &m->layouts.items[b->layout];
    bool open = l->parts && m->layouts.items[l->first + l->parts - 1].open;
    values->size = (b->min_size + 3) & ~UINT64_C(3);
    if (initial && !rp_read_new_block(r, initial, &m->layouts, b->layout, b->min_size, values))
        return false;
    if (!initial && open)
        return rp_read_error(r, at,
                             "the array at the end of block '%s' has no length: its default says "
                             "how many elements there are",
                             b->name);
    if (values->size > RP_MAX_LIVE_BYTES)
        return rp_read_error(r, at, "block '%s' has %llu bytes: live values have at most %d",
                             b->name, (unsigned long long)values->size, RP_MAX_LIVE_BYTES);
    if (values->follows_count)
        return rp_read_error(
            r, initial, "a default is made of numbers: live block '%s' is set as it is", b->name);
    return true;
}

/* Keeps how the members lie. */
static bool keep_layout(rp_reader *r, const rp_kernel_module *m, const rp_kernel_binding *b) {
    rp_pipeline *p = r->pipeline;
    uint32_t layout = rp_block_layout_copy(&r->a, &m->layouts, b->layout, &p->layouts);
    if (layout == RP_NONE ||
        !RP_RESERVE(&r->a, p->live_blocks, p->live_blocks_count, p->live_blocks_capacity, 1))
        return rp_read_no_memory(r);
    p->live_blocks[p->live_blocks_count++] = (rp_live_block){r->graph->buffers_count - 1, layout};
    return true;
}

static bool add_buffer(rp_reader *r, const rp_yaml_node *key, const rp_block_values *values) {
    rp_graph *g = r->graph;
    rp_graph_buffer buffer = {.kind = RP_LIVE,
                              .dtype = RP_RAW,
                              .size = values->size,
                              .offset = RP_NOT_PLACED,
                              .first_default = RP_NONE,
                              .max_value = UINT32_MAX};
    bool zero = true;
    for (uint64_t i = 0; values->bytes && i < values->size; i++) zero &= values->bytes[i] == 0;
    if (!zero) {
        uint32_t size = (uint32_t)values->size;
        if (!RP_RESERVE(&g->allocator, g->bytes, g->bytes_count, g->bytes_capacity, size))
            return rp_read_no_memory(r);
        buffer.first_default = g->bytes_count;
        memcpy(g->bytes + g->bytes_count, values->bytes, size);
        g->bytes_count += size;
    }
    return rp_enter_buffer(r, key, &buffer, NULL);
}

static bool read_live_block(rp_reader *r, const rp_yaml_node *key, const rp_yaml_node *node) {
    static const char *const keys[] = {"block", "default", NULL};
    const rp_kernel_module *m = NULL;
    const rp_kernel_binding *b = NULL;
    if (!rp_read_map(r, node, "a live block", keys) ||
        !find_block(r, rp_yaml_find(node, "block"), &m, &b))
        return false;
    const rp_yaml_node *initial = rp_yaml_find(node, "default");
    char owner[160];
    snprintf(owner, sizeof owner, "block '%.60s' of kernel '%.60s'", b->name, m->name);
    rp_block_values values = {.what = "member", .owner = owner};
    bool good = read_values(r, node, initial, m, b, &values) && add_buffer(r, key, &values) &&
                keep_layout(r, m, b);
    rp_release(&r->a, values.bytes);
    rp_release(&r->a, values.follows);
    return good;
}

bool rp_read_live_blocks(rp_reader *r) {
    for (uint32_t i = 0; i < r->waiting_count && !r->no_memory; i += 2) {
        const rp_yaml_node *key = r->waiting[i];
        const rp_name *other = rp_names_find(&r->buffer_names, key->text, key->length);
        if (other)
            rp_read_error(r, key, "'%s' is defined at line %u already", key->text,
                          other->node->line);
        else if (!read_live_block(r, key, r->waiting[i + 1]) &&
                 !rp_names_find(&r->buffer_names, key->text, key->length))
            rp_enter_buffer(r, key, NULL, NULL);
    }
    return !r->failed;
}

/* ---- Members --------------------------------------------------------------------------------- */

/* The block that a path begins with, and the rest of the path. */
static const rp_live_block *find_live_block(const rp_pipeline *p, const char *path,
                                            const char **rest) {
    const rp_live_block *best = NULL;
    size_t longest = 0;
    for (uint32_t i = 0; i < p->live_blocks_count; i++) {
        const rp_live_block *block = &p->live_blocks[i];
        const char *name = rp_graph_string(p->graph, p->graph->buffers[block->buffer].name);
        size_t length = strlen(name);
        if (strncmp(path, name, length) != 0 || !strchr(".[", path[length])) continue;
        if (length < longest) continue;
        best = block;
        longest = length;
    }
    *rest = path + longest + (path[longest] == '.');
    return best;
}

static rp_status no_block(const char *path, rp_diags *diags) {
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "'%.100s' is no live block, and no member of one",
                 path);
    return RP_ERROR_NOT_FOUND;
}

rp_status rp_pipeline_member(const rp_pipeline *pipeline, const char *path, rp_diags *diags,
                             rp_block_member *out_member) {
    const char *rest;
    if (!pipeline || !path || !out_member) return RP_ERROR_USAGE;
    const rp_block_member none = {0};
    if (!rp_sized_give(&none, sizeof none, out_member))
        return rp_sized_refuse(diags, "rp_block_member");
    const rp_live_block *block = find_live_block(pipeline, path, &rest);
    if (!block) return no_block(path, diags);
    return rp_block_layout_member(&pipeline->layouts, block->layout, "live block", rest, diags,
                                  out_member);
}

rp_status rp_pipeline_pack(const rp_pipeline *pipeline, const char *path, const void *numbers,
                           size_t size, void *block_bytes, size_t block_size, rp_diags *diags) {
    const char *rest;
    if (!pipeline || !path || !numbers || !block_bytes) return RP_ERROR_USAGE;
    const rp_live_block *block = find_live_block(pipeline, path, &rest);
    if (!block) return no_block(path, diags);
    return rp_block_layout_pack(&pipeline->layouts, block->layout, "live block", rest, numbers,
                                size, block_bytes, block_size, diags);
}
