/* Internal: one op onto the graph: puts operands in the op's order, checks them by the op's own
 * rules, makes the transients that were only named, and appends the node. */
#ifndef RP_COMPOSITE_APPLY_H
#define RP_COMPOSITE_APPLY_H

#include "composite/application.h"

/* RP_ERROR_INVALID with error and blame filled in, RP_ERROR_NO_MEMORY. */
rp_status rp_apply_op(rp_application *application, const rp_op *op);
/* Makes the transient that an output was only named as, of its tensor, all of which is known. `op`
 * is for the message. */
rp_status rp_apply_fresh(rp_application *application, const char *op, rp_given_operand *given);

#endif
