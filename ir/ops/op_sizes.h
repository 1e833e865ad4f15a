/* Internal: checking of calls whose shapes follow live sizes. */
#ifndef RP_OPS_OP_SIZES_H
#define RP_OPS_OP_SIZES_H

#include "ops/op.h"

/* rp_op_check() and rp_op_infer() of a call of which nothing follows sizes: op_check.c. */
bool rp_op_check_fixed(rp_op_call *call, bool infer);

/* Behind a check at the largest sizes: checks `call`, which was `given`, at others, and finds the
 * powers of its symbols and of the shapes that were inferred. False with call->error. */
bool rp_op_check_sizes(rp_op_call *call, const rp_op_call *given, bool infer);

/* Behind variant->bind(), which alone has bound what is bound: that is counted, or a choice that follows no
 * size, even where it is as large as one now and then. */
void rp_op_bind_sizes(rp_op_call *call);

#endif
