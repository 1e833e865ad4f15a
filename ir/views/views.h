/* Internal: the forms that rp_graph_print (print.c) dispatches to, beside the text form. Each
 * appends to `text`; check text->failed, or let rp_text_take do it, for what the appends themselves
 * could not hold. */
#ifndef RP_VIEWS_VIEWS_H
#define RP_VIEWS_VIEWS_H

#include "base/text.h"
#include "graph/graph.h"

/* RP_FORMAT_JSON: one object with the stable field names of docs/json.md. Strings that are not
 * UTF-8 come out with U+FFFD in place of the bad bytes, so that every JSON reader accepts the
 * result. */
rp_status rp_graph_print_json(const rp_graph *graph, rp_text *text);

/* Its `stats`, an object. */
void rp_stats_print_json(rp_text *text, const rp_graph_stats *stats);

/* RP_FORMAT_DOT: Graphviz; groups as clusters from top to bottom, hazards as edges. */
rp_status rp_graph_print_dot(const rp_graph *graph, rp_text *text);

#endif
