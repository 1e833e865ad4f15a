/* Internal: what each barrier of a plan is for. */
#ifndef RP_PLAN_REASONS_H
#define RP_PLAN_REASONS_H

#include "plan/format.h"

enum { RP_NO_BARRIER = UINT8_MAX };

/* reasons[i], for each of the plan's groups and one more, gets the reason of barrier i: an
 * rp_hazard_kind, or RP_NO_BARRIER where none stands. Of several kinds of hazard that a barrier
 * orders the first of raw, waw and war is its reason, and hazards from one replay to the next count
 * where there is none within a replay, as in the text of a graph. RP_ORDER: a fence or a node
 * without declared uses asks for it, or nothing does (-O0).
 * RP_ERROR_NO_MEMORY otherwise. Cost: that of a walk over the plan's uses. */
rp_status rp_plan_barrier_reasons(const rp_plan *plan, uint8_t *reasons);

#endif
