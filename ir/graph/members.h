/* Internal: building the members of a node, operand by operand, so that the node's uses are what
 * its members need of memory: reads of one range share a use, and what an earlier member wrote is
 * read as its value.
 *
 *     rp_node_builder b = rp_node_build(g, &node);
 *     rp_node_begin_member(&b, id, op, pos);
 *     rp_node_add_operand(&b, operand, &shape, &use);  ...
 *     rp_node_end_member(&b, attrs, count);          ... further members
 *     rp_graph_add_node(g, &node, NULL, NULL);
 *
 * Uses, operands and members go to the ends of the graph's arrays: nothing else may be appended to
 * these before the node is complete. All functions return false without memory. */
#ifndef RP_GRAPH_MEMBERS_H
#define RP_GRAPH_MEMBERS_H

#include "graph/graph.h"

enum { RP_MAX_MEMBERS = 256 }; /* of one node; its uses are at most RP_MAX_PARAMS */

typedef struct rp_node_builder {
    rp_graph *graph;
    rp_graph_node *node;
    rp_graph_member member; /* the one being built */
    uint32_t value_count;
    /* Of each use: the value that was written there, RP_NONE for a range that cannot be read as a
     * value; and the member that wrote it. */
    uint32_t value[RP_MAX_PARAMS];
    uint32_t writer[RP_MAX_PARAMS];
} rp_node_builder;

/* `node` has no members; its uses, if any, stay in front of those that are added. */
rp_node_builder rp_node_build(rp_graph *graph, rp_graph_node *node);
void rp_node_begin_member(rp_node_builder *b, uint32_t id, const rp_op *op, rp_source_pos pos);

/* Appends an operand of which `access`, `dtype`, `rank` and `absent` are given. `dims` NULL: they
 * are in the graph at first_dim. `use` says where it is in memory; NULL: absent, an output that is
 * a value alone (`name` is given), or an input that is one (`value` is given). A use beyond
 * RP_MAX_PARAMS is counted and not stored: the caller looks at node->use_count. */
bool rp_node_add_operand(rp_node_builder *b, rp_graph_operand operand, const rp_tensor *shape,
                         const rp_graph_use *use);

/* Stores the attributes in the op's order, without those that have their default value. */
bool rp_node_end_member(rp_node_builder *b, const rp_graph_attr *attrs, uint32_t count);

/* The place of a choice ("neox|interleaved") by its text, RP_NONE when there is none. */
uint32_t rp_choice_find(const char *choices, const char *text);

#endif
