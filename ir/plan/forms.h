/* Internal: the forms of a plan, for whoever knows live values. */
#ifndef RP_PLAN_FORMS_H
#define RP_PLAN_FORMS_H

#include "plan/format.h"

/* Whether the forms of a plan differ in the largest value of a buffer that all have. */
bool rp_plan_is_ranged(const rp_plan *plan, uint32_t buffer);
/* Whether no live value is above the largest that a form is for. */
bool rp_plan_fits_form(const rp_plan *form, rp_expr_live *live, void *context);

#endif
