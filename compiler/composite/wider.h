/* Internal: operands of dtypes that an op's kernels do not have, as front ends take them. */
#ifndef RP_COMPOSITE_WIDER_H
#define RP_COMPOSITE_WIDER_H

#include "composite/application.h"

/* Whether an operand of the application has a dtype that only front ends take (rp_op_operand.taken). */
bool rp_wider_takes(const rp_application *application, const rp_op *op);
/* Appends what stands for it. */
rp_status rp_wider_apply(rp_application *application, const rp_op *op);

#endif
