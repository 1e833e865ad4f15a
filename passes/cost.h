/* Internal: the costs of a graph's nodes, and how they are counted. */
#ifndef RP_PASSES_COST_H
#define RP_PASSES_COST_H

#include "base/text.h"
#include "graph/graph.h"
#include "reprise/cost.h"

/* rp_node_cost, with strings as places in the text. */
typedef struct rp_cost_record {
    uint32_t id, ops, variant, decided;
    double bytes_read, bytes_written, operations;
    const char *ceiling;
    double memory_ns, arithmetic_ns, expected_ns;
} rp_cost_record;

struct rp_costs {
    rp_allocator allocator;
    rp_target target;
    uint64_t plan_bytes;
    bool cached;
    rp_cost_record *records;
    uint32_t count;
    rp_text text; /* strings, terminated */
};

/* A member of the node that is being counted. */
typedef struct rp_cost_call {
    rp_op_call call;
    rp_op_cost cost;
} rp_cost_call;

typedef struct rp_cost_counter {
    const rp_graph *graph;
    const rp_target *target;
    rp_text *text;
    rp_cost_call *calls;
    uint32_t calls_capacity;
} rp_cost_counter;

/* Fills in what was expected of nodes that are made of ops. cost_expected.c. */
rp_status rp_cost_expect(const rp_graph *compiled, const rp_graph *source, rp_diags *diags,
                         rp_cost_record *records);

#endif
