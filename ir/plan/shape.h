/* Internal: shapes that follow live values, for whoever knows the values. */
#ifndef RP_PLAN_SHAPE_H
#define RP_PLAN_SHAPE_H

#include "plan/format.h"

/* The extents of a buffer, which is no image, and the bytes that there are of it. False where a value
 * is not known. */
bool rp_plan_eval_shape(const rp_plan *plan, uint32_t buffer, rp_expr_live *live, void *context,
                        uint64_t shape[RP_MAX_RANK], uint64_t *out_bytes);

#endif
