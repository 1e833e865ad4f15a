/* One exec of a plan given as text, on the fake driver, with all that it stands on; and its end, at
 * which no memory and no object of Vulkan may be left. */
#ifndef RP_MOCK_OPENED_H
#define RP_MOCK_OPENED_H

#include "support.h"

static rp_device *device;
static rp_plan *plan;
static rp_exec *exec;
static rp_diags *diags;
static mock_allocator memory;

static inline void open_text(const char *text, const rp_exec_params *params) {
    mock_allocator_init(&memory);
    diags = rp_diags_create(NULL);
    plan = mock_plan(text);
    device = mock_open(&memory.allocator, diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_PTR_NOT_NULL_FATAL(device);
    exec = NULL;
    rp_exec_create(device, plan, params, diags, &exec);
}

static inline void close_all(void) {
    rp_exec_destroy(exec);
    CU_ASSERT_EQUAL(rp_device_destroy(device, diags), RP_OK);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    CU_ASSERT_EQUAL(memory.alive, 0);
    mock_done();
}

#endif
