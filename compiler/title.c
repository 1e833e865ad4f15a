/* What a node is called in messages and in names of files. */
#include "graph/graph.h"
#include "reprise/compiler.h"

#include <stdio.h>

rp_status rp_node_title(const rp_graph *graph, uint32_t node, char *text, size_t size) {
    if (!text || !size) return RP_ERROR_USAGE;
    text[0] = '\0';
    if (!graph || node >= graph->nodes_count) return RP_ERROR_USAGE;
    const rp_graph_node *n = &graph->nodes[node];
    size_t used = (size_t)snprintf(text, size, "n%u", n->id);
    if (n->kind == RP_RUN && n->kernel != RP_NONE && used < size) {
        const char *name = rp_graph_string(graph, graph->kernels[n->kernel].name);
        snprintf(text + used, size - used, " %s", name);
        return RP_OK;
    }
    for (uint32_t i = 0; i < n->member_count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%c%s", i ? '.' : ' ',
                                 rp_op_name(rp_node_members(graph, n)[i].op));
    return RP_OK;
}
