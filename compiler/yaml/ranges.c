/* Ranges of live sizes: `tokens: {max: 512, ranges: [8, 64]}`, or `ranges: auto` for those of the target.
 *
 * A pipeline with ranges is read once for each form of the plan, with other largest values: what blocks, composites and
 * views make of shapes is then that of a pipeline which has no ranges and these values. A live value is
 * told by its number, which is the same each time. */
#include "yaml/pipeline.h"

/* In a smaller form. */
static void limit(const rp_reader *r, rp_graph_buffer *buffer) {
    const rp_form_limits *l = r->limits;
    uint32_t most[RP_MAX_FORMS];
    rp_forms_most(l->ranges, l->count, l->form, most);
    for (uint32_t i = 0; i < l->count; i++)
        if (l->ranges[i].buffer == r->graph->buffers_count)
            rp_graph_limit_live(r->graph, buffer, most[i]);
}

static bool read_limits(rp_reader *r, const rp_yaml_node *node, uint32_t most,
                        rp_size_ranges *out) {
    uint32_t at;
    if (!rp_read_list(r, node, "'ranges'")) return false;
    if (node->count == 0) return rp_read_error(r, node, "'ranges' is empty: leave it out");
    if (node->count >= RP_MAX_FORMS)
        return rp_read_error(r, node,
                             "%u ranges and the last one are too many forms: %d are the most",
                             node->count, RP_MAX_FORMS);
    for (uint32_t i = 0; i < node->count; i++) {
        int64_t value;
        if (!rp_read_integer(r, node->items[i], "range", 0, UINT32_MAX, &value)) return false;
        out->most[out->count++] = (uint32_t)value;
        const char *wrong = rp_ranges_wrong(out->most, out->count, most, &at);
        if (wrong) return rp_read_error(r, node->items[i], "range %u: %s", out->most[at], wrong);
    }
    out->most[out->count++] = most;
    return true;
}

bool rp_read_ranges(rp_reader *r, const rp_yaml_node *node, rp_graph_buffer *buffer) {
    rp_size_ranges ranges = {.buffer = r->graph->buffers_count};
    if (buffer->dtype != RP_U32 || buffer->size != sizeof(uint32_t))
        return rp_read_error(r, node, "'ranges' are for a size, which is one u32");
    if (buffer->max_value == UINT32_MAX)
        return rp_read_error(r, node,
                             "'ranges' need a 'max', which is the largest of the last one");
    if (rp_yaml_is(node, "auto")) {
        if (!rp_ranges_of_target(rp_graph_target(r->graph), buffer->max_value, &ranges))
            return true;
    } else if (node->kind == RP_YAML_SCALAR) {
        return rp_read_error(r, node, "'ranges' is a list of numbers, or auto");
    } else if (!read_limits(r, node, buffer->max_value, &ranges)) {
        return false;
    }
    if (r->limits) {
        limit(r, buffer);
        return true;
    }
    if (!RP_RESERVE(&r->a, r->ranges, r->ranges_count, r->ranges_capacity, 1) ||
        !RP_RESERVE(&r->a, r->range_nodes, r->range_nodes_count, r->range_nodes_capacity, 1))
        return rp_read_no_memory(r);
    r->ranges[r->ranges_count++] = ranges;
    r->range_nodes[r->range_nodes_count++] = node;
    return true;
}

bool rp_check_ranges(rp_reader *r) {
    bool good = true;
    for (uint32_t i = 0; i < r->ranges_count; i++)
        if (!rp_graph_sizes_follow(r->graph, r->ranges[i].buffer))
            good = rp_read_error(r, r->range_nodes[i],
                                 "no dimension follows this live value: ranges are for sizes");
    uint32_t count = rp_forms_count(r->ranges, r->ranges_count);
    if (good && count > RP_MAX_FORMS)
        good = rp_read_error(r, r->range_nodes[r->ranges_count - 1],
                             "the ranges of all sizes make %u forms, one for each combination: %d "
                             "are the most",
                             count, RP_MAX_FORMS);
    return good;
}
