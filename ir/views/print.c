/* A graph in the form that is asked for. */
#include "views/views.h"

#include "text/print.h"

rp_status rp_graph_print(const rp_graph *graph, rp_format format, char **out_text,
                         size_t *out_size) {
    rp_text text;
    rp_status status = RP_ERROR_USAGE;
    if (!out_text) return RP_ERROR_USAGE;
    *out_text = NULL;
    if (out_size) *out_size = 0;
    if (!graph) return RP_ERROR_USAGE;
    rp_text_init(&text, &graph->allocator);
    switch (format) {
    case RP_FORMAT_TEXT: status = rp_graph_print_text(graph, NULL, &text); break;
    case RP_FORMAT_JSON: status = rp_graph_print_json(graph, &text); break;
    case RP_FORMAT_DOT: status = rp_graph_print_dot(graph, &text); break;
    }
    if (status == RP_OK) return rp_text_take(&text, out_text, out_size);
    rp_text_free(&text);
    return status;
}
