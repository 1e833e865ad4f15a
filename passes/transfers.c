/* transfers: makes ops of small copies and fills. On an NVIDIA H200 a vkCmdCopyBuffer of a few
 * hundred bytes takes as long as eight dispatches, and a barrier toward another stage is dearer
 * than one between dispatches. Up to the target's transfer_bytes a copy of 32-bit words becomes the
 * op `copy`, and a fill `fill_words`.
 *
 * Ranges that do not begin at a word stay transfers, as do those that do not end there. The node
 * keeps its id, its place and its uses, so nothing changes for who waits for whom. Without a
 * lowering, ops would have nowhere to go; beside a node whose uses are unknown everything stays
 * what it is. */
#include "pass.h"

/* The sizes that what is written follows: no more than there is has to be moved. */
static rp_powers written(const rp_graph *graph, const rp_graph_node *node) {
    const rp_graph_use *to = rp_node_uses(graph, node) + node->use_count - 1;
    return rp_buffer_powers(graph, &graph->buffers[to->buffer]);
}

static bool is_small(const rp_graph *graph, const rp_graph_node *node) {
    const rp_graph_use *uses = rp_node_uses(graph, node);
    uint64_t most = rp_graph_target(graph)->transfer_bytes;
    if (node->kind != RP_COPY && node->kind != RP_FILL) return false;
    rp_powers powers = written(graph, node);
    for (uint32_t i = 0; i < node->use_count; i++)
        if (rp_extent_each(&graph->sizes, (rp_extent){uses[i].size, powers}) % 4 != 0) return false;
    for (uint32_t i = 0; i < node->use_count; i++)
        if (rp_buffer_is_image(&graph->buffers[uses[i].buffer]) || uses[i].size > most ||
            uses[i].size % 4 != 0 || uses[i].offset % 4 != 0)
            return false;
    return true;
}

static rp_op_argument words_of(const rp_graph_use *use, rp_powers powers) {
    rp_tensor words = {.dtype = RP_U32, .rank = 1, .dims = {use->size / 4}, .powers = {powers}};
    return (rp_op_argument){.tensor = words, .buffer = use->buffer, .offset = use->offset};
}

/* The op node is appended, and then takes the other's place. */
static rp_status replace(rp_graph *graph, uint32_t index, const rp_op *op) {
    rp_graph_node node = graph->nodes[index];
    rp_op_argument arguments[2];
    rp_graph_attr pattern = {.name = RP_NONE, .text = RP_NONE, .number = node.pattern};
    uint32_t count = node.use_count < 2 ? node.use_count : 2;
    uint32_t attrs = node.kind == RP_FILL && node.pattern != 0;
    rp_powers powers = written(graph, &node);
    for (uint32_t i = 0; i < count; i++)
        arguments[i] = words_of(&rp_node_uses(graph, &node)[i], powers);
    if (attrs) {
        pattern.name = rp_graph_intern(graph, "pattern", 7);
        if (pattern.name == RP_NONE) return RP_ERROR_NO_MEMORY;
    }
    node.pattern = 0;
    uint32_t added = rp_graph_add_op(graph, &node, op, arguments, count, &pattern, attrs);
    if (added == RP_NONE) return RP_ERROR_NO_MEMORY;
    graph->nodes[index] = graph->nodes[added];
    graph->nodes_count--;
    return RP_OK;
}

rp_status rp_pass_transfers(rp_graph *graph, rp_pass_context *context, bool *out_changed) {
    if (graph->stages) {
        rp_diags_add(context->diags, RP_ERROR, NULL, 0, 0,
                     "pass transfers needs nodes in source order: run it before schedule");
        return RP_ERROR_INVALID;
    }
    if (!context->options->lowering) {
        rp_text_string(context->summary, "left alone: there is no lowering for ops");
        return RP_OK;
    }
    const rp_op *copy = rp_op_find("copy", 4), *fill = rp_op_find("fill_words", 10);
    uint32_t count = 0, small = 0;
    for (uint32_t i = 0; i < graph->nodes_count; i++) {
        const rp_graph_node *n = &graph->nodes[i];
        if (n->unknown) {
            rp_text_format(context->summary, "left alone: n%u may address any buffer", n->id);
            return RP_OK;
        }
        count += n->kind == RP_COPY || n->kind == RP_FILL;
    }
    for (uint32_t i = 0; i < graph->nodes_count && copy && fill; i++) {
        if (!is_small(graph, &graph->nodes[i])) continue;
        RP_TRY(replace(graph, i, graph->nodes[i].kind == RP_COPY ? copy : fill));
        small++;
    }
    *out_changed = small > 0;
    rp_text_format(context->summary, "%u of %u copies and fills became ops", small, count);
    if (count)
        rp_text_format(context->summary, ", those of up to %llu bytes",
                       (unsigned long long)rp_graph_target(graph)->transfer_bytes);
    return RP_OK;
}
