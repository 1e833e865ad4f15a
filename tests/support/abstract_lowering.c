/* A lowering without shaders; see abstract_lowering.h. */
#include "support/abstract_lowering.h"

#include <stdio.h>

#include "../../passes/pass.h"

static rp_status lower_node(rp_graph *graph, uint32_t index) {
    rp_graph_node *n = &graph->nodes[index];
    RP_TRY(rp_node_add_size_uses(graph, n));
    rp_graph_param params[RP_MAX_PARAMS];
    char name[48];
    bool tagged = rp_node_has_tags(graph, n), waits = rp_node_waits(graph, n);
    if (n->use_count + waits > RP_MAX_PARAMS) return RP_ERROR_INVALID;
    for (uint32_t i = 0; i < n->use_count; i++)
        params[i] = (rp_graph_param){.access = graph->uses[n->first_use + i].access,
                                     .binding = (uint8_t)i,
                                     .skip = rp_use_skip(&graph->uses[n->first_use + i]),
                                     .name = RP_NONE};
    if (waits) params[n->use_count] = rp_stall_param(n);
    snprintf(name, sizeof name, "k%u", n->id);
    for (uint32_t i = 2; rp_graph_find_kernel(graph, name) != RP_NONE; i++)
        snprintf(name, sizeof name, "k%u.v%u", n->id, i);
    rp_graph_kernel kernel = {.name = rp_graph_intern(graph, name, strlen(name)),
                              .entry = rp_graph_intern(graph, "main", 4),
                              .local = {64, 1, 1},
                              .push_bytes = tagged ? RP_TAG_BYTES : 0,
                              .param_count = n->use_count + waits};
    if (kernel.name == RP_NONE || kernel.entry == RP_NONE) return RP_ERROR_NO_MEMORY;
    uint32_t k = rp_graph_add_kernel(graph, &kernel, params, NULL, NULL);
    if (k == RP_NONE) return RP_ERROR_NO_MEMORY;
    n->kind = RP_RUN;
    n->grid_kind = RP_GRID_DIRECT;
    n->kernel = k;
    for (int i = 0; i < 3; i++) n->grid[i] = 1;
    return tagged ? rp_node_add_tag(graph, n) : RP_OK;
}

static rp_status lower(void *user, rp_graph *graph, bool fast, const rp_pass_options *options,
                       rp_diags *diags, rp_text *summary) {
    (void)options;
    (void)user;
    (void)fast;
    (void)diags;
    rp_text_string(summary, "abstract kernels");
    for (uint32_t i = 0; i < graph->nodes_count; i++)
        if (graph->nodes[i].kind == RP_OP) RP_TRY(lower_node(graph, i));
    return RP_OK;
}

const rp_lowering *abstract_lowering(void) {
    static const rp_lowering lowering = {lower, NULL};
    return &lowering;
}
