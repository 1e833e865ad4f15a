/* Every limit of a device, to the last one: what just fits is accepted, one more is refused with
 * its number, and each axis and kind of buffer is held against its own. The device of this test has
 * another number for each. */
#include <stdio.h>
#include "support.h"

static const uint32_t counts[3] = {100, 200, 300}, sizes[3] = {16, 32, 64};
enum {
    UNIFORM_RANGE = 65536,
    STORAGE_RANGE = 131072,
    SHARED = 5000,
    PUSH = 64,
    INVOCATIONS = 4096
};

static void set_limits(void) {
    VkPhysicalDeviceLimits *limits = &mock.properties.limits;
    memcpy(limits->maxComputeWorkGroupCount, counts, sizeof counts);
    memcpy(limits->maxComputeWorkGroupSize, sizes, sizeof sizes);
    limits->maxComputeWorkGroupInvocations = INVOCATIONS;
    limits->maxUniformBufferRange = UNIFORM_RANGE;
    limits->maxStorageBufferRange = STORAGE_RANGE;
    limits->maxComputeSharedMemorySize = SHARED;
    limits->maxPushConstantsSize = PUSH;
}

#define HEAD "reprise 1\ngraph g scheduled placed synced arena 0 {\n"

/* Whether an exec can be made of the text; if not, the reason must be `wanted`. */
static void expect(const char *text, const char *wanted) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_exec *exec = NULL;
    mock_reset();
    set_limits();
    rp_plan *plan = mock_plan(text);
    rp_device *device = mock_open(NULL, diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    rp_status status = rp_exec_create(device, plan, &mock_params, diags, &exec);
    CU_ASSERT_EQUAL(status, wanted ? RP_ERROR_UNSUPPORTED : RP_OK);
    CU_ASSERT_EQUAL(rp_diags_error_count(diags), wanted ? 1 : 0);
    CU_ASSERT_TRUE(!wanted || rp_test_said(diags, wanted));
    rp_exec_destroy(exec);
    rp_device_destroy(device, NULL);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    mock_done();
}

static void test_axes(void) {
    char text[512], wanted[128];
    for (uint32_t axis = 0; axis < 3; axis++)
        for (uint32_t more = 0; more <= 1; more++) {
            uint32_t n[3] = {1, 1, 1};
            n[axis] = counts[axis] + more;
            snprintf(text, sizeof text,
                     HEAD "  buf $y out 64\n  kern @k spirv - local 1 1 1 (rw)\n  group 0\n"
                          "    n0 = run @k grid %u %u %u (rw $y)\n}\n",
                     n[0], n[1], n[2]);
            snprintf(wanted, sizeof wanted, "n0 has a grid of %u in %c, at most %u fit", n[axis],
                     "xyz"[axis], counts[axis]);
            expect(text, more ? wanted : NULL);
        }
}

static void test_live_axes(void) {
    static const char text[] =
        HEAD "  buf $y out 64\n  buf $n live u32[3] = 01000000 01000000 01000000\n"
             "  kern @k spirv - local 1 1 1 (rw)\n  group 0\n"
             "    n0 = run @k grid {$n} {$n[1]} {$n[2]} (rw $y)\n}\n";
    rp_diags *diags = rp_diags_create(NULL);
    rp_exec *exec = NULL;
    mock_reset();
    set_limits();
    rp_plan *plan = mock_plan(text);
    rp_device *device = mock_open(NULL, diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, plan, &mock_params, diags, &exec), RP_OK);
    for (uint32_t axis = 0; axis < 3; axis++) {
        uint32_t most = counts[axis], more = most + 1, one = 1;
        char wanted[128];
        CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", axis, &most, 1, diags), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", axis, &more, 1, diags), RP_ERROR_INVALID);
        snprintf(wanted, sizeof wanted, "the grid of n0 %u in %c; 0 to %u is possible", more,
                 "xyz"[axis], most);
        CU_ASSERT_TRUE(rp_test_said(diags, wanted));
        CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", axis, &one, 1, diags), RP_OK);
    }
    rp_exec_destroy(exec);
    rp_device_destroy(device, NULL);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    mock_done();
}

static void test_ranges(void) {
    char text[512], wanted[128];
    static const struct {
        const char *access, *kind;
        uint32_t most;
    } kinds[] = {{"u", "uniform", UNIFORM_RANGE}, {"r", "storage", STORAGE_RANGE}};
    for (uint32_t i = 0; i < 2; i++)
        for (uint32_t more = 0; more <= 4; more += 4) {
            snprintf(text, sizeof text,
                     HEAD "  buf $x in 1048576\n  buf $y out 64\n"
                          "  kern @k spirv - local 1 1 1 (%s, rw)\n  group 0\n"
                          "    n0 = run @k grid 1 1 1 (%s $x[256+%u], rw $y)\n}\n",
                     kinds[i].access, kinds[i].access, kinds[i].most + more);
            snprintf(wanted, sizeof wanted, "n0 binds %u bytes of x as one %s buffer, at most %u",
                     kinds[i].most + more, kinds[i].kind, kinds[i].most);
            expect(text, more ? wanted : NULL);
        }
}

int main(void) {
    static const rp_test tests[] = {{"axes of a grid", test_axes},
                                    {"axes of a live grid", test_live_axes},
                                    {"ranges by kind", test_ranges},
                                    {0}};
    return rp_run_tests("limits", tests);
}
