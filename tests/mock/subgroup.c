/* Kernels that rely on a size of subgroups: asked for where a device has several, refused by name where
 * it has none such or cannot be asked. */
#include "device/device.h"
#include "support.h"

static const char text[] = "reprise 1\n"
                           "graph g scheduled placed synced arena 0 {\n"
                           "  buf $y out 64\n"
                           "  kern @sized spirv - local 16 1 1 (rw)\n"
                           "  group 0\n"
                           "    n0 = run @sized grid 1 1 1 (rw $y)\n"
                           "}\n";

/* A plan that relies on 16. `message` when the device as it is must refuse it. */
static void expect_exec(const char *message) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_exec *exec = NULL;
    rp_plan *plan = mock_plan(text);
    rp_device *device = mock_open(NULL, diags);
    CU_ASSERT_TRUE_FATAL(plan && device);
    CU_ASSERT_TRUE(rp_plan_needs(plan) == RP_NEED_SUBGROUP_SIZE);
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &mock_params, diags, &exec),
                    message ? RP_ERROR_UNSUPPORTED : RP_OK);
    CU_ASSERT_EQUAL(rp_diags_error_count(diags), message ? 1 : 0);
    if (message) CU_ASSERT_TRUE(rp_test_said(diags, message));
    rp_exec_destroy(exec);
    rp_device_destroy(device, NULL);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    mock_done();
}

static void test_one_size(void) {
    mock_reset();
    mock.subgroup_least = mock.subgroup_most = 16;
    expect_exec(NULL);
    CU_ASSERT_EQUAL(mock.pipeline_subgroup, 0); /* there is no other */
    mock_reset();
    expect_exec("kernel @sized is made for subgroups of 16 invocations, 32 to 32 are possible");
}

static void test_range(void) {
    mock_reset();
    mock.subgroup_least = 8;
    expect_exec(NULL);
    CU_ASSERT_EQUAL(mock.pipeline_subgroup, 16);
    mock_reset();
    mock.subgroup_most = 64;
    expect_exec("kernel @sized is made for subgroups of 16 invocations, 32 to 64 are possible");
    mock_reset();
    mock.subgroup_least = 8;
    mock.subgroup_stages = VK_SHADER_STAGE_FRAGMENT_BIT;
    expect_exec("subgroups of a size that kernels ask for (subgroupSizeControl)");
}

/* Without the feature nothing is known of other sizes: there may be some. */
static void test_no_control(void) {
    mock_reset();
    mock.subgroup_control = false;
    expect_exec("kernel @sized is made for subgroups of 16 invocations, 32 to 32 are possible");
    rp_device *device = mock_open(NULL, NULL);
    rp_device_info info = {.size = sizeof info};
    CU_ASSERT_EQUAL(rp_device_get_info(device, &info), RP_OK);
    CU_ASSERT_EQUAL(info.subgroup_least, 32);
    CU_ASSERT_EQUAL(info.subgroup_most, 32);
    rp_device_destroy(device, NULL);
}

int main(void) {
    static const rp_test tests[] = {
        {"one size", test_one_size}, {"several", test_range}, {"no control", test_no_control}, {0}};
    return rp_run_tests("sizes of subgroups", tests);
}
