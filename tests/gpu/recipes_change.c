/* Recipes: changing an exec, creating its pipelines ahead of need, counting what it does. */
#include "recipes.h"

/* ---- Changing -------------------------------------------------------------------------------- */

void test_live(void) {
    rp_exec *exec = create(NULL);
    write_inputs(exec, 0, 0);

    uint32_t index, add = 7;
    check(rp_exec_find(exec, "add", &index)); /* once */
    check(rp_exec_set_live_at(exec, 0, index, 0, &add, 1, diags));

    replay_once(exec);
    expect_results(exec, 0, 2, 0, 7);
    rp_exec_destroy(exec);
}

void test_switches(void) {
    rp_exec *exec;
    const char *const switches[] = {"adapter"};
    const rp_exec_params params = {.size = sizeof params, .switches = switches, .switch_count = 1};
    check(rp_exec_create(device, adapted_plan, &params, diags, &exec));

    write_inputs(exec, 0, 0);
    replay_once(exec);
    expect_results(exec, 0, 10, 0, 0);

    check(rp_exec_enable(exec, 0, "adapter", 0, diags)); /* while the slot is idle */

    replay_once(exec);
    expect_results(exec, 0, 2, 0, 0);
    check(rp_exec_enable(exec, 0, "adapter", 1, diags));
    replay_once(exec);
    expect_results(exec, 0, 10, 0, 0);
    rp_exec_destroy(exec);
}

void test_bind(void) {
    rp_exec *exec = create(NULL), *producer = create(NULL);
    write_inputs(exec, 0, 0);
    write_inputs(producer, 0, 0);
    replay_once(producer);

    rp_range_info y = {.size = sizeof y}; /* where another exec has its results */
    check(rp_exec_get_range(producer, 0, "y", diags, &y));
    const rp_binding x = {.buffer = "x", .storage = y.storage, .offset = y.offset};
    check(rp_exec_bind(exec, &x, 1, diags));

    replay_once(exec);
    expect_results(exec, 0, 4, 0, 0);
    rp_exec_destroy(producer);
    replay_once(exec); /* which holds on to the memory */
    expect_results(exec, 0, 4, 0, 0);
    rp_exec_destroy(exec);
}

void test_update(void) {
    rp_exec *exec = create(NULL);
    write_inputs(exec, 0, 0);
    replay_once(exec);

    rp_update_report report = {.size = sizeof report};
    check(rp_exec_update(exec, later_plan, &report, diags));
    printf("%u of %u buffers stayed, %u pipelines, %.2f ms\n", report.buffers_kept, report.buffers,
           report.pipelines, (double)(report.record_ns + report.pipeline_ns) / 1e6);

    CU_ASSERT_EQUAL(report.buffers_kept, report.buffers);
    replay_once(exec);
    expect_results(exec, 0, 6, 0, 0);
    rp_exec_destroy(exec);
}

/* ---- Pipelines ------------------------------------------------------------------------------- */

void test_prepare(void) {
    rp_preparation *preparation;
    const rp_kernel_priority first = {"multiply", RP_PIPELINE_CRITICAL};
    const rp_prepare_params params = {.size = sizeof params, .kernels = &first, .kernel_count = 1};
    check(rp_device_prepare(device, later_plan, &params, diags, &preparation));

    rp_preparation_progress progress = {.size = sizeof progress};
    check(rp_preparation_get_progress(preparation, &progress)); /* at each frame, say */
    printf("%u of %u pipelines\n", progress.ready, progress.total);

    check(rp_preparation_wait(preparation, NULL, UINT64_MAX, diags));
    rp_exec *exec;
    check(rp_exec_create(device, later_plan, NULL, diags, &exec)); /* compiles nothing */
    rp_preparation_destroy(preparation);

    CU_ASSERT_EQUAL(progress.total, 2);
    write_inputs(exec, 0, 0);
    replay_once(exec);
    expect_results(exec, 0, 6, 0, 0);
    rp_exec_destroy(exec);
}

/* ---- Counters -------------------------------------------------------------------------------- */

void test_counters(void) {
    rp_exec *exec = create(NULL);
    write_inputs(exec, 0, 0);
    for (uint32_t i = 0; i < 5; i++) replay_once(exec);

    rp_counters counters = {.size = sizeof counters};
    check(rp_exec_get_counters(exec, &counters));
    printf("%llu replays, %llu waits, %llu of %llu barriers for a read after a write\n",
           (unsigned long long)counters.replays, (unsigned long long)counters.waits,
           (unsigned long long)counters.barriers_raw, (unsigned long long)counters.barriers);

    CU_ASSERT_EQUAL(counters.replays, 5);
    CU_ASSERT_EQUAL(counters.dispatches, 10);
    CU_ASSERT_TRUE(counters.barriers_raw >= 5 && counters.barriers >= counters.barriers_raw);
    rp_exec_destroy(exec);
}
