/* Internal: what rules of ops that move elements, or join them, share (data.c). */
#ifndef RP_OPS_MOVES_H
#define RP_OPS_MOVES_H

#include "ops/op.h"

/* Elements move as they are: operands `from` and `to` have one dtype, or are both floats. False with
 * call->error. What is about to be inferred, or no dtype of any op, is dealt with after the rule. */
bool rp_op_same_class(rp_op_call *call, uint32_t from, uint32_t to);
/* Elements are joined: operands `from` and `to` are computed as one type, f32, or integers of one width, 32 or 64
 * bits, and sign. The rest as above. */
bool rp_op_joins(rp_op_call *call, uint32_t from, uint32_t to);
uint64_t rp_common_divisor(uint64_t a, uint64_t b);

#endif
