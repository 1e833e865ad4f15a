/* Internal: the sections of a plan that the runtime reads, typed. */
#ifndef RP_RUNTIME_PLAN_RECORDS_H
#define RP_RUNTIME_PLAN_RECORDS_H

#include "plan/format.h"

#define RP_UNSET UINT32_MAX /* no index */

static inline const rp_plan_buffer *rp_plan_buffers(const rp_plan *plan) {
    return rp_plan_records(plan, RP_SECTION_BUFFERS);
}
static inline const rp_plan_kernel *rp_plan_kernels(const rp_plan *plan) {
    return rp_plan_records(plan, RP_SECTION_KERNELS);
}
static inline const rp_plan_param *rp_plan_params(const rp_plan *plan) {
    return rp_plan_records(plan, RP_SECTION_PARAMS);
}
static inline const rp_plan_node *rp_plan_nodes(const rp_plan *plan) {
    return rp_plan_records(plan, RP_SECTION_NODES);
}
static inline const rp_plan_use *rp_plan_uses(const rp_plan *plan) {
    return rp_plan_records(plan, RP_SECTION_USES);
}

#endif
