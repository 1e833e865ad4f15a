/* Internal: ops over few long rows, as several ops over parts of them. */
#ifndef RP_COMPOSITE_ROWS_H
#define RP_COMPOSITE_ROWS_H

#include "composite/composite.h"

/* Into how many parts the target wants the rows of a checked call cut; 1: left whole. A question of
 * the op, shape, dtype and target alone. */
uint64_t rp_rows_parts(const rp_op_call *call, const rp_target *target);

/* Appends what stands for the call, whose rows are cut into `parts`, more than one. `given` are its
 * operands in the op's order, all of them made; NULL for those that are absent. */
rp_status rp_rows_split(rp_application *application, const rp_op_call *call,
                        rp_given_operand **given, uint64_t parts);

#endif
