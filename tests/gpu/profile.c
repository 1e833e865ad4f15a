/* Profiles on the device at hand, with the validation layer listening: that twins are valid, and that
 * rounds compute what replays do and leave no trace. Times are looked at as far as they must hold on
 * any device. */
#include "gpu.h"

static rp_device *device;
static rp_diags *diags;

static void check_times(const rp_profile *profile, const rp_plan *plan) {
    rp_profile_info info = {.size = sizeof info};
    rp_plan_info of_plan = {.size = sizeof of_plan};
    CU_ASSERT_EQUAL(rp_profile_get_info(profile, &info), RP_OK);
    CU_ASSERT_EQUAL(rp_plan_get_info(plan, &of_plan), RP_OK);
    CU_ASSERT_EQUAL(info.nodes, of_plan.nodes);
    CU_ASSERT_EQUAL(info.groups, of_plan.groups);
    CU_ASSERT_TRUE(info.whole.least > 0);
    CU_ASSERT_TRUE(info.whole.median >= info.whole.least);
    double nodes = 0, groups = 0, barriers = 0;
    uint32_t in_groups = 0, unknown = 0;
    for (uint32_t i = 0; i < info.nodes; i++) {
        rp_profile_node node = {.size = sizeof node};
        CU_ASSERT_EQUAL(rp_profile_get_node(profile, i, &node), RP_OK);
        CU_ASSERT_TRUE(node.time.median >= node.time.least && node.time.least >= 0);
        CU_ASSERT_TRUE(node.time.median < 1e9);
        CU_ASSERT_EQUAL(node.kernel != NULL, node.kind == RP_RUN);
        unknown += node.kind == RP_RUN && !node.grid_known;
        nodes += node.time.median;
    }
    for (uint32_t i = 0; i < info.groups; i++) {
        rp_profile_group group = {.size = sizeof group};
        CU_ASSERT_EQUAL(rp_profile_get_group(profile, i, &group), RP_OK);
        CU_ASSERT_EQUAL(group.first_node, in_groups);
        in_groups += group.node_count;
        groups += group.time.median;
        barriers += group.barrier.median;
        CU_ASSERT_TRUE(group.barrier.median >= group.barrier.least && group.barrier.least >= 0);
    }
    CU_ASSERT_EQUAL(in_groups, info.nodes);
    CU_ASSERT_EQUAL(unknown, 1); /* the grid that the GPU computes */
    CU_ASSERT_DOUBLE_EQUAL(nodes, info.nodes_sum, 1e-6 * nodes);
    CU_ASSERT_DOUBLE_EQUAL(groups, info.groups_sum, 1e-6 * groups);
    CU_ASSERT_DOUBLE_EQUAL(barriers, info.barriers_sum, 1e-6 * barriers);
    /* A timestamp's own time is taken off: of nodes as small as these nothing may be left. */
    CU_ASSERT_TRUE(nodes >= 0 && groups >= 0);
}

/* The inout buffer counts replays, and y shows its count: profiled in between, it goes on as if
 * nothing had been. */
static void check_exec(const rp_plan *plan, uint32_t pieces, bool leave) {
    static uint32_t x[GPU_COUNT], w[GPU_COUNT], s[GPU_COUNT], y[GPU_COUNT];
    const rp_exec_params params = {
        .size = sizeof params, .cache_path = "", .pieces = pieces, .slots = pieces};
    rp_exec *exec = gpu_exec(device, plan, &params);
    for (uint32_t i = 0; i < GPU_COUNT; i++) {
        x[i] = i * 7;
        w[i] = i ^ 0x33;
        s[i] = i * 5;
    }
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, x, sizeof x, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "w", 0, w, sizeof w, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "s", 0, s, sizeof s, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    const rp_profile_params profiled = {
        .size = sizeof profiled, .rounds = 5, .warm_up = 2, .leave_state = leave};
    rp_profile *profile = NULL;
    rp_status status = rp_exec_profile(exec, &profiled, diags, &profile);
    if (status == RP_ERROR_UNSUPPORTED) { /* a queue without timestamps */
        rp_exec_destroy(exec);
        return;
    }
    CU_ASSERT_EQUAL(status, RP_OK);
    gpu_report(diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(profile);
    check_times(profile, plan);
    rp_profile_destroy(profile);
    uint32_t replays = leave ? 1 + 4 * 7 : 1, wrong = 0;
    for (int more = 0; more < 2; more++, replays++) {
        CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, y, sizeof y, diags), RP_OK);
        for (uint32_t i = 0; i < GPU_COUNT; i++)
            wrong += y[i] != gpu_expected_y(i, x[i], w[i], s[i], GPU_COUNT, 2, replays);
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    rp_exec_destroy(exec);
}

static void test_levels(void) {
    rp_graph *graph = gpu_everything();
    for (int level = 0; level < 2; level++) {
        rp_plan *plan = gpu_compile(graph, level);
        check_exec(plan, 1 + (uint32_t)level, false);
        check_exec(plan, 2 - (uint32_t)level, true);
        rp_plan_destroy(plan);
    }
    rp_graph_destroy(graph);
}

/* First and last. */
static void set_up(void) {
    device = gpu_open(1);
    diags = rp_diags_create(NULL);
}

static void test_silence(void) {
    CU_ASSERT_EQUAL(rp_device_messages(device, diags), 0);
    gpu_report(diags);
}

static void tear_down(void) {
    rp_diags_destroy(diags);
    CU_ASSERT_EQUAL(rp_device_destroy(device, NULL), RP_OK);
}

int main(void) {
    static const rp_test tests[] = {{"set up", set_up},
                                    {"levels", test_levels},
                                    {"the validation layer is silent", test_silence},
                                    {"tear down", tear_down},
                                    {0}};
    return rp_run_tests("profiles on a device", tests);
}
