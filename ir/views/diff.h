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

extern const rp_diff_category rp_diff_graph, rp_diff_kernels, rp_diff_samplers, rp_diff_buffers,
    rp_diff_nodes;

static inline bool rp_graph_has(const rp_graph *g, rp_stage stage) {
    return (g->stages & stage) != 0;
}

#endif
