/* Internal: the forms of a plan, for whoever knows live values. */
#ifndef RP_PLAN_FORMS_H
#define RP_PLAN_FORMS_H

#include "plan/format.h"

/* Whether the forms of a plan differ in the largest value of a buffer that all have. */
bool rp_plan_is_ranged(const rp_plan *plan, uint32_t buffer);
/* Whether a form is for one value of a buffer alone, 1: that of a size whose largest value in it is 1. */
static inline bool rp_plan_is_exact(const rp_plan *plan, const rp_plan *form, uint32_t buffer) {
    const rp_plan_buffer *last = rp_plan_records(plan, RP_SECTION_BUFFERS);
    const rp_plan_buffer *own = rp_plan_records(form, RP_SECTION_BUFFERS);
    return own[buffer].max_value == 1 && last[buffer].max_value != 1;
}
/* Whether a form is for a value of a live buffer, and for all live values. */
bool rp_plan_takes_value(const rp_plan *plan, const rp_plan *form, uint32_t buffer, uint32_t value);
bool rp_plan_fits_form(const rp_plan *plan, uint32_t form, rp_expr_live *live, void *context);

#endif
