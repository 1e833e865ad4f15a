/* How many turns the loops of one invocation make.
 *
 * Mesa's software drivers count the turns of all loops of an invocation together, and past 65535 of
 * them end each loop after one (LP_MAX_TGSI_LOOP_ITERATIONS of llvmpipe): a long row is then summed up
 * in part, in silence. So what works through a long operand is given to more invocations there, or is
 * refused (passes/target.c). Loops that compilers unroll are not counted; estimates may count them. */
#include "ops/op.h"

enum { REDUCE = 40 }; /* to join the partial results of a workgroup, include/reduce.glsl */

double rp_op_element_turns(const rp_op_call *call) {
    const rp_op *op = call->op;
    if (rp_op_formula(call) || !op->length) return 0;
    return rp_op_product(call, op->length) * (op->turns > 0 ? op->turns : 1);
}

/* Each step is a pass at the most, and so are the outputs of a whole row's elements. */
double rp_op_row_turns(const rp_op_call *call, uint32_t threads) {
    double each = (double)(rp_op_part(call) + threads - 1) / threads, passes = 0;
    if (call->op->parts) each = each / 4 * 7 + 7; /* in fours, each a loop with its end */
    for (uint32_t i = 0; i < call->op->step_count; i++)
        passes += call->op->steps[i].reduce != RP_REDUCE_NONE;
    double turns = passes * (threads == 1 ? each : each + REDUCE + RP_OP_ROW_THREADS / threads);
    return call->op->parts ? turns : turns + each;
}

double rp_op_turns(const rp_op_call *call, const rp_target *target) {
    switch ((rp_op_form)call->op->form) {
    case RP_OP_POINTWISE: return rp_op_element_turns(call);
    case RP_OP_ROWS: return rp_op_row_turns(call, rp_op_row_threads(call, target));
    case RP_OP_KERNEL:
        return call->variant && call->variant->turns ? call->variant->turns(call) : 0;
    case RP_OP_SCATTER: break;
    }
    return 0;
}
