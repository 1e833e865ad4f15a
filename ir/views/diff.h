/* Internal: what rp_graph_diff compares, item by item: tables of fields, each printed as text. */
#ifndef RP_VIEWS_DIFF_H
#define RP_VIEWS_DIFF_H

#include "base/text.h"
#include "graph/graph.h"

typedef void rp_diff_print(rp_text *text, const rp_graph *graph, uint32_t index);

/* A property of an item: its name in the output, and how its value is written. */
typedef struct rp_diff_field {
    const char *name;
    rp_diff_print *print;
} rp_diff_field;

/* What is compared. The graph itself is a category of one item, without count, key and name. */
typedef struct rp_diff_category {
    const char *plural;
    uint32_t (*count)(const rp_graph *graph);
    bool (*present)(const rp_graph *graph, uint32_t index);
    uint64_t (*key)(const rp_graph *graph, uint32_t index);
    const char *(*name)(const rp_graph *graph, uint32_t index);
    rp_diff_print *subject; /* "n3" */
    rp_diff_print *brief;   /* "n3 run @gate" */
    const rp_diff_field *fields;
    uint32_t field_count;
} rp_diff_category;

/* One thing that differs. */
typedef struct rp_diff_line {
    char sign;        /* '-' dropped, '+' added, '~' changed, '>' moved to another group */
    const char *what; /* "graph", "kernels", "samplers", "buffers", "nodes", "groups", "barriers" */
    uint32_t
        id; /* of a node its id, of a group or barrier its number; of a buffer its index in the later
                       * graph, of a dropped one in the earlier; RP_NONE for the rest */
    const char *text; /* the line, without its end */
} rp_diff_line;
typedef void rp_diff_visit(void *context, const rp_diff_line *line);

/* Calls `visit` for each difference, in the order of rp_graph_diff's lines. Appends its first line, which counts
 * them, to `summary`; nothing where the graphs are equal. */
rp_status rp_diff_each(const rp_graph *a, const rp_graph *b, rp_diff_visit *visit, void *context,
                       rp_text *summary);

extern const rp_diff_category rp_diff_graph, rp_diff_kernels, rp_diff_samplers, rp_diff_buffers,
    rp_diff_nodes;

static inline bool rp_graph_has(const rp_graph *g, rp_stage stage) {
    return (g->stages & stage) != 0;
}

#endif
