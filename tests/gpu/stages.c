/* Conformance of replays as stages: submitted one behind the other, waited for once, given up in
 * any state. The cases S1 to S6, C5 and C6 of systems that run a computation in stages with fences
 * between, told in terms of execs: a stage is a submit, a fence is what rp_exec_wait waits for. */
#include "gpu.h"

static rp_device *device;
static rp_plan *plan;

static rp_exec *open_stage(void) {
    static uint32_t zero[GPU_COUNT];
    rp_exec *exec = gpu_exec(device, plan, NULL);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, zero, sizeof zero, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "w", 0, zero, sizeof zero, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "s", 0, zero, sizeof zero, NULL), RP_OK);
    return exec;
}

/* Whether s holds what `replays` replays leave there. */
static void check_sum(rp_exec *exec, uint32_t replays) {
    static uint32_t s[GPU_COUNT];
    uint32_t wrong = 0;
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "s", 0, s, sizeof s, NULL), RP_OK);
    for (uint32_t i = 0; i < GPU_COUNT; i++)
        wrong += s[i] != gpu_expected_y(GPU_COUNT, 0, 0, 0, 0, 0, replays);
    CU_ASSERT_EQUAL(wrong, 0);
}

/* S1, S2, C6: five stages, a wait behind the last, or behind each; every replay is counted. */
static void test_five_stages(void) {
    rp_exec *once = open_stage(), *each = open_stage();
    for (uint32_t i = 1; i <= 5; i++) {
        CU_ASSERT_EQUAL(rp_exec_submit(once, NULL, NULL, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_submit(each, NULL, NULL, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_wait(each, 0, UINT64_MAX, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_completed(each), i);
    }
    CU_ASSERT_EQUAL(rp_exec_wait(once, 0, UINT64_MAX, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_completed(once), 5);
    check_sum(once, 5);
    check_sum(each, 5);
    rp_exec_destroy(once);
    rp_exec_destroy(each);
}

/* S3, S4: waiting again, or for nothing, changes nothing and does not block. */
static void test_waiting_again(void) {
    rp_exec *exec = open_stage();
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_completed(exec), 0);
    for (int i = 0; i < 3; i++) CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    for (int i = 0; i < 3; i++) CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_completed(exec), 3);
    check_sum(exec, 3);
    rp_exec_destroy(exec);
}

/* S5: a stage is given up, memory and all, right behind its submit; the next one is right. */
static void test_given_up_in_flight(void) {
    for (int round = 0; round < 3; round++) {
        rp_exec *first = open_stage(), *second = open_stage();
        CU_ASSERT_EQUAL(rp_exec_submit(first, NULL, NULL, NULL), RP_OK);
        rp_exec_destroy(first);
        CU_ASSERT_EQUAL(rp_exec_submit(second, NULL, NULL, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_wait(second, 0, UINT64_MAX, NULL), RP_OK);
        check_sum(second, 1);
        rp_exec_destroy(second);
    }
}

/* S6, C5: dropped before the first submit, and behind a wait that timed out; the device goes on. */
static void test_dropped(void) {
    rp_exec_destroy(open_stage());
    rp_exec *exec = open_stage();
    for (int i = 0; i < 20; i++) CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    rp_status status = rp_exec_wait(exec, 0, 0, NULL);
    CU_ASSERT(status == RP_OK || status == RP_ERROR_TIMEOUT);
    rp_exec_destroy(exec);
    exec = open_stage();
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    check_sum(exec, 1);
    rp_exec_destroy(exec);
}

/* First and last: what the tests between share. */
static void set_up(void) {
    rp_graph *graph = gpu_everything();
    device = gpu_open(0);
    plan = gpu_compile(graph, 1);
    rp_graph_destroy(graph);
}

static void tear_down(void) {
    rp_plan_destroy(plan);
    rp_device_destroy(device, NULL);
}

int main(void) {
    static const rp_test tests[] = {{"set up", set_up},
                                    {"five stages", test_five_stages},
                                    {"waiting again", test_waiting_again},
                                    {"given up in flight", test_given_up_in_flight},
                                    {"dropped", test_dropped},
                                    {"tear down", tear_down},
                                    {NULL, NULL}};
    return rp_run_tests("stages", tests);
}
