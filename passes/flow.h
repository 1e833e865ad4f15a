/* Internal: what tags cost, for pass `flow`, which tags, and pass `fuse`, which reckons with it. */
#ifndef RP_PASSES_FLOW_H
#define RP_PASSES_FLOW_H

#include "graph/graph.h"

/* Why nothing is tagged for this target; NULL for no reason. */
const char *rp_flow_against(const rp_target *target);

/* What one barrier between dispatches takes, in nanoseconds. */
double rp_flow_barrier_ns(const rp_target *target);

/* Whether kernels ask for the operand's elements, or hand them on, one or four at a time. */
bool rp_flow_is_by_element(const rp_op_call *call, uint32_t operand);

/* What loading the words of an input takes more than loading its elements, in nanoseconds, by all
 * workgroups together. In a kernel with a product each workgroup stages all of it. */
double rp_flow_words_ns(const rp_target *target, const rp_op_call *call, uint32_t operand,
                        bool product);

#endif
