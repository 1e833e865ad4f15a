/* Internal: the forms of a plan, for whoever knows live values. */
#ifndef RP_PLAN_FORMS_H
#define RP_PLAN_FORMS_H

#include "plan/format.h"

/* Whether no live value is above the largest that a form is for. */
bool rp_plan_fits_form(const rp_plan *form, rp_expr_live *live, void *context);

#endif
