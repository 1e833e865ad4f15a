/* What execs of a device share: layouts and pipelines, one of each content. */
#include <stdio.h>
#include "opened.h"

static const char two_kernels[] = "reprise 1\n"
                                  "graph two scheduled placed synced arena 0 {\n"
                                  "  buf $x in 64\n"
                                  "  buf $y out 64\n"
                                  "  kern @k spirv - local 64 1 1 push 4 (r, w)\n"
                                  "  kern @l spirv - local 64 1 1 push 4 (r, w 2.7)\n"
                                  "  group 0\n"
                                  "    n0 = run @k grid 1 1 1 push 00000000 (r $x, w $y)\n"
                                  "    n1 = run @l grid 1 1 1 push 00000000 (r $x, w $y)\n"
                                  "}\n";

/* Two execs at once, and one after both are gone, with the layouts of one. A layout without sets
 * between others counts as one, whatever its number. */
static void test_layouts(void) {
    mock_reset();
    open_text(two_kernels, &mock_params);
    CU_ASSERT_PTR_NOT_NULL(exec);
    CU_ASSERT_EQUAL(mock.set_layouts, 4); /* {0, 1}; {0}; {}; {7} */
    CU_ASSERT_EQUAL(mock.layouts, 2);
    rp_exec *other = NULL;
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &mock_params, diags, &other), RP_OK);
    rp_exec_destroy(other);
    rp_exec_destroy(exec);
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &mock_params, diags, &exec), RP_OK);
    CU_ASSERT_EQUAL(mock.set_layouts, 4);
    CU_ASSERT_EQUAL(mock.layouts, 2);
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"layouts", test_layouts}, {0}};
    return rp_run_tests("pipelines", tests);
}
