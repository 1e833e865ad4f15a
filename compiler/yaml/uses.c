/* What a kernel reaches through buffer device addresses: `uses` of a run node, as {x: r, y: rw} for
 * whole buffers or as a list of ranges with their access. Without it nobody knows, and the node is
 * ordered against all others. */
#include "yaml/pipeline.h"

static const char *access_keyword(uint32_t code) {
    return rp_access_name((rp_access)code);
}

/* r, w or rw: no memory is uniform that has an address. */
static bool read_access(rp_reader *r, const rp_yaml_node *node, rp_graph_use *use) {
    int code = rp_read_keyword(r, node, "access", access_keyword, RP_READ_WRITE + 1);
    if (code < 0) return false;
    use->access = (uint8_t)code;
    use->addressed = true;
    return !rp_access_writes(use->access) || rp_read_writable(r, node, use->buffer);
}

static bool read_range(rp_reader *r, const rp_yaml_node *node, rp_graph_use *use) {
    bool sized;
    if (node->kind != RP_YAML_MAP)
        return rp_read_error(r, node,
                             "a use is {buffer: name, access: r}, with a range or without");
    if (!rp_read_range(r, node, RP_RANGE_WITH_ACCESS, RP_BIND_ALIGNMENT, use, &sized)) return false;
    const rp_yaml_node *access = rp_yaml_find(node, "access");
    if (!access) return rp_read_error(r, node, "'access' of this use is missing: r, w or rw");
    return read_access(r, access, use);
}

static bool read_whole(rp_reader *r, const rp_yaml_node *key, const rp_yaml_node *value,
                       rp_graph_use *use) {
    const rp_name *name = rp_read_find(r, &r->buffer_names, key, "buffer");
    if (!name || name->value == RP_NONE) return false;
    *use = (rp_graph_use){.buffer = name->value, .size = r->graph->buffers[name->value].size};
    return read_access(r, value, use);
}

static bool read_declared(rp_reader *r, const rp_yaml_node *node, rp_graph_use *uses,
                          rp_graph_node *out) {
    bool good = true;
    if (node->kind == RP_YAML_SCALAR || node->count == 0)
        return rp_read_error(r, node, "'uses' is {buffer: access} or a list of ranges");
    if (node->count > RP_MAX_PARAMS)
        return rp_read_error(r, node, "more than %d uses", RP_MAX_PARAMS);
    for (uint32_t i = 0; i < node->count; i++) {
        rp_graph_use *use = &uses[out->use_count];
        bool read = node->kind == RP_YAML_LIST
                        ? read_range(r, node->items[i], use)
                        : read_whole(r, rp_yaml_key(node, i), rp_yaml_value(node, i), use);
        out->use_count += read;
        good &= read;
    }
    return good;
}

bool rp_read_uses(rp_reader *r, const rp_yaml_node *run, const rp_kernel_module *module,
                  rp_push_addresses *addresses, rp_graph_use *uses, rp_graph_node *out) {
    const rp_yaml_node *node = rp_yaml_find(run, "uses");
    uint32_t bound = out->use_count, lost = 0;
    if (!module->addresses && node)
        return rp_read_error(
            r, node,
            "kernel '%s' reaches no memory but what is bound: 'uses' is for buffer "
            "device addresses",
            module->name);
    if (!module->addresses && addresses->count)
        return rp_read_error(r, addresses->items[0].node,
                             "kernel '%s' does not use buffer device addresses", module->name);
    if (!module->addresses) return true;
    if (node && !read_declared(r, node, uses, out)) return false;
    rp_status status =
        rp_addresses_apply(r->graph, addresses, node != NULL, out, uses, bound, &lost);
    if (status == RP_ERROR_NO_MEMORY) return rp_read_no_memory(r);
    if (status == RP_OK) return true;
    const rp_pushed_address *a = &addresses->items[lost];
    return rp_read_error(
        r, a->node,
        "this is the address of byte %llu of '%s', and 'uses' does not say what is "
        "done there",
        (unsigned long long)a->offset,
        rp_graph_string(r->graph, r->graph->buffers[a->buffer].name));
}
