/* What a plan says of itself, by value: for tests and benchmarks, which ask in passing. */
#ifndef RP_TESTS_PLAN_INFO_H
#define RP_TESTS_PLAN_INFO_H

#include "reprise/plan.h"

static inline rp_plan_info plan_info(const rp_plan *plan) {
    rp_plan_info info = {.size = sizeof info};
    rp_plan_get_info(plan, &info);
    return info;
}

static inline rp_plan_buffer_info plan_buffer(const rp_plan *plan, uint32_t index) {
    rp_plan_buffer_info info = {.size = sizeof info};
    rp_plan_get_buffer(plan, index, &info);
    return info;
}

static inline rp_plan_kernel_info plan_kernel(const rp_plan *plan, uint32_t index) {
    rp_plan_kernel_info info = {.size = sizeof info};
    rp_plan_get_kernel(plan, index, &info);
    return info;
}

#endif
