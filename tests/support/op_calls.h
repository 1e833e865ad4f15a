/* Calls of ops written down in one line, and graphs made of them.
 *
 *   op        rms_norm
 *   attrs     "eps=1e-5 layout=interleaved"; "expr=..." comes last and takes the rest of the line
 *   operands  in the op's order: "f32[3,5]:special f32[5] -"
 *
 * An operand is a dtype and a shape (none: a single element), then what is in it (rp_values_fill).
 * `-` is an operand left out. Operands may be missing at the end: outputs are inferred, inputs left
 * out. "f16?" asks for an inferred shape with that dtype. */
#ifndef RP_TESTS_OP_CALLS_H
#define RP_TESTS_OP_CALLS_H

#include "graph/graph.h"
#include "support/op_values.h"

typedef struct rp_op_line {
    rp_op_call call; /* checked: symbols are bound */
    char fill[RP_OP_MAX_OPERANDS][32];
    char expr[512];                           /* what call.formula points to */
    rp_graph_attr attrs[RP_OP_MAX_ATTRS + 1]; /* not default; strings in the graph of the build */
    uint32_t attr_count;
} rp_op_line;

/* False when the line is not well formed or the op refuses it: call.error says why. */
bool rp_op_line_parse(rp_op_line *line, const char *op, const char *attrs, const char *operands);

/* Appends the node `id` with this call, with operand i at arguments[i]; the attributes are interned
 * first. Aborts without memory. */
void rp_op_line_add(rp_graph *graph, rp_op_line *line, uint32_t id,
                    const rp_op_argument *arguments);

/* Whether an operand of the call is an output. */
bool rp_op_line_writes(const rp_op_call *call, uint32_t operand);

/* Appends a buffer that holds a tensor; aborts without memory. */
uint32_t rp_add_tensor_buffer(rp_graph *graph, const char *name, rp_buffer_kind kind,
                              const rp_tensor *tensor);

#endif
