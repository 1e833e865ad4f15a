/* Internal: two plans side by side. */
#ifndef RP_PLAN_COMPARE_H
#define RP_PLAN_COMPARE_H

#include "plan/format.h"

/* Compares a plan with the one that its own texts make. RP_ERROR_DAMAGED, with one message that
 * names the section, the record and the field, for the first difference. */
rp_status rp_plan_compare(const rp_plan *plan, const rp_plan *made, rp_diags *diags);

#endif
