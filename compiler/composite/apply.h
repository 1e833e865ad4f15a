/* Internal: one op onto the graph: puts operands in the op's order, checks them by the op's own
 * rules, makes the transients that were only named, and appends the node. */
#ifndef RP_COMPOSITE_APPLY_H
#define RP_COMPOSITE_APPLY_H

#include "composite/application.h"

/* RP_ERROR_INVALID with error and blame filled in, RP_ERROR_NO_MEMORY. */
rp_status rp_apply_op(rp_application *application, const rp_op *op);

#endif
