/* What execs of a device share: layouts and pipelines, one of each content; and whose pipeline cache
 * they are created with. */
#include <stdio.h>
#include "many_kernels.h"
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

static rp_exec *create_exec(const rp_plan *of) {
    rp_exec *made = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, of, &mock_params, diags, &made), RP_OK);
    return made;
}

static void expect_stats(rp_exec *of, uint32_t pipelines, uint32_t created) {
    rp_counters counters = mock_counters(of);
    CU_ASSERT_EQUAL(counters.pipelines, pipelines);
    CU_ASSERT_EQUAL(counters.pipelines_created, created);
    CU_ASSERT_EQUAL(counters.pipelines_cached, 0);
}

/* Sixty kernels, execs of two plans: each kernel is compiled once, also after the first execs are
 * gone; until the device is trimmed, which leaves what is in use. */
static void test_sharing(void) {
    mock_reset();
    open_text(two_kernels, &mock_params); /* its kernels are others */
    uint32_t before = mock.pipelines;
    rp_plan *sixty = many_kernels(60), *forty = many_kernels(40);
    rp_exec *a = create_exec(sixty), *b = create_exec(sixty), *c = create_exec(forty);
    CU_ASSERT_EQUAL(mock.pipelines, before + 60);
    expect_stats(a, 60, 60);
    expect_stats(b, 60, 0);
    expect_stats(c, 40, 0);
    rp_exec_destroy(a);
    rp_exec_destroy(b);
    int objects = mock.objects;
    rp_device_trim(device);
    CU_ASSERT_EQUAL(mock.objects, objects - 20);
    rp_exec_destroy(c);
    a = create_exec(forty);
    CU_ASSERT_EQUAL(mock.pipelines, before + 60);
    b = create_exec(sixty);
    CU_ASSERT_EQUAL(mock.pipelines, before + 80);
    expect_stats(b, 60, 20);
    rp_exec_destroy(a);
    rp_exec_destroy(b);
    objects = mock.objects;
    rp_device_trim(device);
    CU_ASSERT_EQUAL(mock.objects, objects - 60 - 1);                /* and their layout */
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK); /* others are as they were */
    rp_device_trim(NULL);
    rp_plan_destroy(sixty);
    rp_plan_destroy(forty);
    close_all();
}

/* The execs of one kernel each; equal ones have one pipeline. */
static void test_identity(void) {
    static const struct {
        const char *kernel, *push;
        uint32_t pipelines; /* created so far */
    } kernels[] = {
        {"kern @k spirv - local 64 1 1 (r, w)", "", 1},
        {"kern @other spirv - local 64 1 1 (r, w)", "", 1}, /* a name is no content */
        {"kern @k spirv - local 64 1 1 push 4 (r, w)", "push 00000000", 1}, /* nor what is pushed */
        {"kern @k spirv - local 32 1 1 (r, w)", "", 2},                     /* other SPIR-V */
        {"kern @k spirv - local 64 1 1 spec 3=00000001 (r, w)", "", 3},
        {"kern @k spirv - local 64 1 1 spec 3=00000002 (r, w)", "", 4},
        {"kern @k spirv - local 64 1 1 spec 3=00000001 (r, w)", "", 4},
        {"kern @k spirv - local 64 1 1 (r, w 0.2)", "", 5}, /* other bindings */
        {"kern @k spirv - local 64 1 1 (r, w 1.1)", "", 6},
        {"kern @k spirv - local 64 1 1 (r, w)", "", 6},
    };
    mock_reset();
    open_text(two_kernels, &mock_params);
    uint32_t before = mock.pipelines - 1; /* @k is the first of them */
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        char text[512];
        snprintf(
            text, sizeof text,
            "reprise 1\ngraph g scheduled placed synced arena 0 {\n  buf $x in 64\n"
            "  buf $y out 64\n  %s\n  group 0\n    n0 = run @%s grid 1 1 1 %s (r $x, w $y)\n}\n",
            kernels[i].kernel, i == 1 ? "other" : "k", kernels[i].push);
        rp_plan *one = mock_plan(text);
        CU_ASSERT_PTR_NOT_NULL_FATAL(one);
        rp_exec_destroy(create_exec(one));
        if (mock.pipelines != before + kernels[i].pipelines)
            printf("\n  %s: %u pipelines", kernels[i].kernel, mock.pipelines - before);
        CU_ASSERT_EQUAL(mock.pipelines, before + kernels[i].pipelines);
        rp_plan_destroy(one);
    }
    close_all();
}

/* The driver refuses a kernel: the exec says which, and the next one tries again. */
static void test_failure(void) {
    mock_reset();
    open_text(two_kernels, &mock_params);
    rp_exec_destroy(exec);
    rp_device_trim(device);
    mock.fail_with = VK_ERROR_UNKNOWN;
    mock.fail_call = "vkCreateComputePipelines";
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &mock_params, diags, &exec), RP_ERROR_DRIVER);
    CU_ASSERT_PTR_NULL(exec);
    CU_ASSERT_TRUE(rp_test_said(diags, "vkCreateComputePipelines failed: VK_ERROR_UNKNOWN"));
    CU_ASSERT_TRUE(rp_test_said(diags, "this was for kernel @k"));
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &mock_params, diags, &exec), RP_OK);
    close_all();
}

/* The application's own cache is used for all, and neither saved nor destroyed. */
static void test_own_cache(void) {
    mock_reset();
    static int object;
    const rp_device_import import = {.size = sizeof import,
                                     .get_instance_proc_addr = mock_entry(),
                                     .api_version = VK_API_VERSION_1_3,
                                     .features = mock_base_features(),
                                     .instance = &object,
                                     .physical_device = &object,
                                     .device = &object,
                                     .queue = &object,
                                     .queue_family = 1};
    const rp_device_params params = {
        .size = sizeof params, .import = &import, .pipeline_cache = &object};
    rp_plan *three = many_kernels(3);
    mock_allocator_init(&memory);
    CU_ASSERT_EQUAL_FATAL(rp_device_create(&memory.allocator, &params, NULL, &device), RP_OK);
    const rp_exec_params exec_params = {.size = sizeof exec_params, .cache_path = "/proc/nowhere"};
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, three, &exec_params, NULL, &exec), RP_OK);
    CU_ASSERT_EQUAL(mock.pipelines, 3);
    CU_ASSERT_EQUAL(mock.caches, 0);
    CU_ASSERT_PTR_EQUAL(mock.pipeline_cache, &object);
    rp_exec_destroy(exec);
    CU_ASSERT_EQUAL(rp_device_destroy(device, NULL), RP_OK);
    rp_plan_destroy(three);
    CU_ASSERT_EQUAL(memory.alive, 0);
    mock_done();

    diags = rp_diags_create(NULL);
    const rp_device_params wrong = {
        .size = sizeof wrong, .get_instance_proc_addr = mock_entry(), .pipeline_cache = &object};
    CU_ASSERT_EQUAL(rp_device_create(NULL, &wrong, diags, &device), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "it can be given with `import` only"));
    rp_diags_destroy(diags);
    mock_done();
}

int main(void) {
    static const rp_test tests[] = {{"layouts", test_layouts},
                                    {"sharing", test_sharing},
                                    {"identity", test_identity},
                                    {"failure", test_failure},
                                    {"the application's cache", test_own_cache},
                                    {0}};
    return rp_run_tests("pipelines", tests);
}
