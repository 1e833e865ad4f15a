/* Internal: keywords of the text form back to values. Each returns false for an unknown word and
 * then leaves *out alone. The way from values to keywords is in reprise/types.h. */
#ifndef RP_GRAPH_KEYWORDS_H
#define RP_GRAPH_KEYWORDS_H

#include "graph/graph.h"

bool rp_dtype_parse(const char *text, size_t length, uint8_t *out);
bool rp_buffer_kind_parse(const char *text, size_t length, uint8_t *out);
bool rp_access_parse(const char *text, size_t length, uint8_t *out);
bool rp_node_kind_parse(const char *text, size_t length, uint8_t *out);

/* Whether text can name a graph, a buffer or a kernel: letters, digits, '_', '.' and '-', not
 * starting with a digit or '-'. */
bool rp_name_valid(const char *text, size_t length);

#endif
