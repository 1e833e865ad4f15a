/* Targets: a compile that is told of a device's limits makes plans that the device takes, and says
 * at the line what cannot fit; a compile that is not told of them finds out when an exec is made.
 */
#include <stdio.h>
#include "reprise/compiler.h"
#include "support.h"
#include "support/plan_info.h"

/* Everything that fits one kernel: five inputs, a chain behind them, views that begin anywhere. */
static const char chain[] =
    "reprise 1\n"
    "graph g {\n"
    "  buf $x in f32[999]\n  buf $a in f32[64]\n  buf $b in f32[64]\n  buf $c in f32[64]\n"
    "  buf %t tmp f32[64]\n  buf %u tmp f32[64]\n  buf %v tmp f32[64]\n  buf $y out f32[70]\n"
    "  n0 = op sub (r $x[4+256]:f32[64], r $x[8+256]:f32[64], w %t:f32[64])\n"
    "  n1 = op add (r %t:f32[64], r $a:f32[64], w %u:f32[64])\n"
    "  n2 = op mul (r %u:f32[64], r $b:f32[64], w %v:f32[64])\n"
    "  n3 = op add (r %v:f32[64], r $c:f32[64], w $y[12+256]:f32[64])\n"
    "}\n";

static rp_plan *compile(const char *text, const rp_target *target, rp_diags *diags, char *details,
                        size_t size) {
    rp_graph *graph = NULL;
    rp_plan *plan = NULL;
    rp_pass_reports *reports = NULL;
    const rp_pass_options options = {.size = sizeof options, .target = target};
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, strlen(text), "t", diags, &graph), RP_OK);
    rp_compile(graph, &options, diags, &plan, &reports);
    for (uint32_t i = 0; details && i < rp_pass_reports_count(reports); i++)
        if (strcmp(rp_pass_reports_get(reports, i)->pass, "fuse") == 0)
            snprintf(details, size, "%s", rp_pass_reports_get(reports, i)->details);
    rp_pass_reports_destroy(reports);
    rp_graph_destroy(graph);
    return plan;
}

static rp_status try_on_device(const rp_plan *plan, rp_diags *diags) {
    rp_device *device = mock_open(NULL, diags);
    rp_exec *exec = NULL;
    const rp_exec_params params = {.size = sizeof params, .cache_path = ""};
    rp_status status = rp_exec_create(device, plan, &params, diags, &exec);
    rp_exec_destroy(exec);
    rp_device_destroy(device, NULL);
    return status;
}

static void small_device(void) {
    mock_reset();
    mock.properties.limits.minStorageBufferOffsetAlignment = 256;
    mock.properties.limits.maxPerStageDescriptorStorageBuffers = 4;
}

static void get_target(rp_target *out) {
    rp_device *device = mock_open(NULL, NULL);
    *out = (rp_target)RP_TARGET_INIT;
    CU_ASSERT_EQUAL(rp_device_target(device, out), RP_OK);
    rp_device_destroy(device, NULL);
}

static void test_fits(void) {
    rp_diags *diags = rp_diags_create(NULL);
    char details[4096] = "";
    small_device();
    rp_plan *plan = compile(chain, NULL, diags, NULL, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL(plan_info(plan).dispatches, 1);
    CU_ASSERT_EQUAL(try_on_device(plan, diags), RP_ERROR_UNSUPPORTED);
    CU_ASSERT_TRUE(rp_test_said(diags, "binds 6 storage buffers, at most 4 can be bound"));
    rp_plan_destroy(plan);
    mock_done();

    rp_target target;
    small_device();
    get_target(&target);
    CU_ASSERT_EQUAL(target.storage_buffers, 4);
    CU_ASSERT_EQUAL(target.storage_alignment, 256);
    plan = compile(chain, &target, diags, details, sizeof details);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL(plan_info(plan).dispatches, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(details, "more than 4 buffers would be bound"));
    CU_ASSERT_EQUAL(try_on_device(plan, diags), RP_OK);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    mock_done();
}

/* Every limit, of own kernels and of ops, at the line of the node. */
static void test_lines(void) {
    static const char text[] =
        "reprise 1\n"
        "graph g {\n"
        "  buf $x inout 4096\n"
        "  buf $f in f32[64]\n  buf $g in f32[64]\n  buf $h in f32[64]\n  buf $y out f32[64]\n"
        "  kern @big spirv - local 2048 2 1 shared 50000 push 8 (rw)\n"
        "  kern @own spirv - local 64 1 1 (rw, u 9.0)\n"
        "  n0 = run @big grid 70000 1 1 push 00000000 00000000 (rw $x)\n"
        "  n1 = run @own grid 1 1 1 (rw $x[200+64], u $x[600+64])\n"
        "  n2 = op map {expr=\"a + b + c\"} (r $f:f32[64], r $g:f32[64], r $h:f32[64], "
        "w $y:f32[64])\n"
        "}\n";
    static const char *const wanted[] = {
        "t:10:3: error: kernel @big has a workgroup of 2048 in x, at most 1024 fit",
        "t:10:3: error: kernel @big has workgroups of 4096 invocations, at most 1024 fit",
        "t:10:3: error: kernel @big uses 50000 bytes of shared memory, at most 49152 fit",
        "t:10:3: error: kernel @big has 8 bytes of push constants, at most 4 fit",
        "t:10:3: error: n0 has a grid of 70000 in x, at most 65535 fit",
        "t:11:3: error: kernel @own uses descriptor set 9, sets 0 to 7 can be bound",
        "t:11:3: error: n1 binds x at offset 200, which must be a multiple of 16 for a storage "
        "buffer: begin the part there, or bind from offset 192 on and push the 8 bytes between",
        "t:11:3: error: n1 binds x at offset 600, which must be a multiple of 64 for a uniform",
        "t:11:3: error: n1 binds 64 bytes of x as one uniform buffer, at most 32 fit",
        "t:12:3: error: n2 (map) binds 4 storage buffers, at most 3 can be bound: split it",
        "; target Mock 9000",
    };
    rp_diags *diags = rp_diags_create(NULL);
    rp_target target;
    mock_reset();
    mock.properties.limits.maxPushConstantsSize = 4;
    mock.properties.limits.maxUniformBufferRange = 32;
    mock.properties.limits.maxDescriptorSetStorageBuffers = 3;
    get_target(&target);
    rp_plan *plan = compile(text, &target, diags, NULL, 0);
    CU_ASSERT_PTR_NULL(plan);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        bool found = false;
        for (uint32_t k = 0; k < rp_diags_count(diags); k++) {
            char line[512], place[600];
            rp_diag d = rp_diags_get(diags, k);
            rp_diag_format(&d, line, sizeof line);
            snprintf(place, sizeof place, "%s%s", d.file ? "" : "t:", line);
            found |= strstr(place, wanted[i]) != NULL;
        }
        if (!found) printf("\n  missing: %s\n", wanted[i]);
        CU_ASSERT_TRUE(found);
    }
    rp_diags_destroy(diags);
    mock_done();
}

/* What a kernel binds is counted as the device counts it: elements of arrays one by one, samplers without
 * memory, images not as buffers. Both say the same of the same graph. */
static void test_descriptors(void) {
    static const char text[] =
        "reprise 1\n"
        "graph g {\n"
        "  buf $i in image 2d rgba8[8,8]\n  buf $x in 1024\n  buf $y inout 1024\n"
        "  samp @s ()\n"
        "  kern @k spirv - local 64 1 1 (s combined 2d float, s image 2d float x 3, s sampler x 2, "
        "s texels float, u x 3, rw)\n"
        "  n0 = run @k grid 1 1 1 (s $i, s $i, next s $i, s $x[256+300] as r32f, "
        "u $x[0+16], next u $x[100+16], next u $x[128+80], rw $y[8+1016]) samplers (@s, @s, @s)\n"
        "}\n";
    static const char *const wanted[] = {
        "kernel @k binds 3 uniform buffers, at most 2 can be bound",
        "n0 binds x at offset 100, which must be a multiple of 64 for a uniform",
        "n0 binds 80 bytes of x as one uniform buffer, at most 64 fit",
        "n0 binds y at offset 8, which must be a multiple of 16 for a storage",
    };
    rp_diags *diags = rp_diags_create(NULL);
    rp_target target;
    mock_reset();
    mock.properties.limits.maxUniformBufferRange = 64;
    mock.properties.limits.maxDescriptorSetUniformBuffers = 2;
    get_target(&target);
    CU_ASSERT_PTR_NULL(compile(text, &target, diags, NULL, 0));
    CU_ASSERT_EQUAL(rp_diags_count(diags), sizeof wanted / sizeof *wanted);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        CU_ASSERT_TRUE(rp_test_said(diags, wanted[i]));
    rp_diags_destroy(diags);
    diags = rp_diags_create(NULL);
    rp_graph *graph = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, strlen(text), "t", NULL, &graph), RP_OK);
    rp_graph *compiled = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(graph, NULL, NULL, &compiled, NULL, NULL), RP_OK);
    rp_plan *plan = mock_plan_of(compiled);
    CU_ASSERT_EQUAL(try_on_device(plan, diags), RP_ERROR_UNSUPPORTED);
    CU_ASSERT_EQUAL(rp_diags_count(diags), sizeof wanted / sizeof *wanted);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        CU_ASSERT_TRUE(rp_test_said(diags, wanted[i]));
    rp_plan_destroy(plan);
    rp_graph_destroy(compiled);
    rp_graph_destroy(graph);
    rp_diags_destroy(diags);
    mock_done();
}

/* Costs are known of software drivers and of what is built in; of others they are not. */
static void test_costs(void) {
    static const struct {
        const char *name, *like;
        VkPhysicalDeviceType type;
    } cases[] = {{"Mock 9000", NULL, VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU},
                 {"NVIDIA H200", "h200", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU},
                 {"NVIDIA H200 NVL", "h200", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU},
                 {"llvmpipe", "lavapipe", VK_PHYSICAL_DEVICE_TYPE_CPU}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_target target;
        mock_reset();
        snprintf(mock.properties.deviceName, sizeof mock.properties.deviceName, "%s",
                 cases[i].name);
        mock.properties.deviceType = cases[i].type;
        get_target(&target);
        mock_done();
        const rp_target *known = cases[i].like ? rp_target_builtin(cases[i].like) : NULL;
        CU_ASSERT_STRING_EQUAL(target.name, cases[i].name);
        CU_ASSERT_EQUAL(target.groups_x, 65535);
        CU_ASSERT_EQUAL(target.multiprocessors, known ? known->multiprocessors : 0);
        CU_ASSERT_EQUAL(target.barrier_ns, known ? known->barrier_ns : 0);
        CU_ASSERT_EQUAL(target.matrix_i8_rate, known ? known->matrix_i8_rate : 0);
    }
}

/* ---- Text ------------------------------------------------------------------------------------ */

static void test_text(void) {
    char text[2048], again[2048];
    rp_target target, read = RP_TARGET_INIT;
    mock_reset();
    get_target(&target);
    mock_done();
    size_t length = rp_target_print(&target, text, sizeof text);
    CU_ASSERT_EQUAL(length, strlen(text));
    CU_ASSERT_EQUAL(rp_target_print(&target, NULL, 0), length);
    CU_ASSERT_EQUAL(rp_target_parse(text, length, "t", NULL, &read), RP_OK);
    CU_ASSERT_EQUAL(rp_target_print(&read, again, sizeof again), length);
    CU_ASSERT_STRING_EQUAL(text, again);
    CU_ASSERT_EQUAL(memcmp(&target, &read, sizeof read), 0);
}

static void test_bad_text(void) {
    static const char text[] = "# a comment\n"
                               "storage_buffers: 8 # few\n"
                               "storage_bufers: 8\n"
                               "push_bytes: 1x\n"
                               "shared_bytes\n"
                               "storage_buffers: 9\n"
                               "groups_x: 99999999999999999999\n"
                               "needs: 0xg\n"
                               "groups_y: -1\n"
                               "groups_z:";
    rp_diags *diags = rp_diags_create(NULL);
    rp_target target = RP_TARGET_INIT;
    CU_ASSERT_EQUAL(rp_target_parse(text, strlen(text), "f", diags, &target), RP_ERROR_INVALID);
    CU_ASSERT_EQUAL(rp_diags_error_count(diags), 8);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        CU_ASSERT_EQUAL(rp_diags_get(diags, i).line, i + 3);
    CU_ASSERT_EQUAL(target.storage_buffers, 0);
    CU_ASSERT_EQUAL(rp_target_parse("", 0, NULL, NULL, &target), RP_OK);
    CU_ASSERT_EQUAL(rp_target_parse(NULL, 0, NULL, NULL, &target), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_target_parse("", 0, NULL, NULL, NULL), RP_ERROR_USAGE);
    rp_diags_destroy(diags);
}

/* What would hold nothing, or what no device has; what is printed is read again, zeros too. */
static void test_bad_values(void) {
    const rp_target nothing = {.size = sizeof nothing, .name = "none", .groups_x = 7};
    char text[2048], wanted[128];
    rp_target target = RP_TARGET_INIT;
    rp_diags *diags = rp_diags_create(NULL);
#define RP_X(field, what) #field,
    static const char *const keys[] = {RP_TARGET_LIST(RP_X)};
#undef RP_X
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        bool power = strstr(keys[i], "alignment") || strncmp(keys[i], "subgroup", 8) == 0;
        for (int hex = 0; hex < 2; hex++) {
            snprintf(text, sizeof text, "%s: %s\n", keys[i], hex ? "0x0" : "0");
            snprintf(wanted, sizeof wanted, "%s is 0: leave it out", keys[i]);
            CU_ASSERT_EQUAL(rp_target_parse(text, strlen(text), "f", diags, &target),
                            RP_ERROR_INVALID);
            CU_ASSERT_TRUE(rp_test_said(diags, wanted));
            rp_diags_clear(diags);
        }
        snprintf(text, sizeof text, "%s: 48\n", keys[i]);
        CU_ASSERT_EQUAL(rp_target_parse(text, strlen(text), "f", diags, &target),
                        power ? RP_ERROR_INVALID : RP_OK);
        CU_ASSERT_EQUAL(rp_test_said(diags, "is 48, expected a power of two"), power);
        rp_diags_clear(diags);
        snprintf(text, sizeof text, "%s: 64\n", keys[i]);
        CU_ASSERT_EQUAL(rp_target_parse(text, strlen(text), "f", diags, &target), RP_OK);
        snprintf(text, sizeof text, "%ss: 64\n", keys[i]);
        snprintf(wanted, sizeof wanted, "no such figure as '%ss'", keys[i]);
        CU_ASSERT_EQUAL(rp_target_parse(text, strlen(text), "f", diags, &target), RP_ERROR_INVALID);
        CU_ASSERT_TRUE(rp_test_said(diags, wanted));
        rp_diags_clear(diags);
    }
    rp_target_print(&nothing, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "name: none\ngroups_x: 7\n");
    CU_ASSERT_EQUAL(rp_target_parse(text, strlen(text), "f", diags, &target), RP_OK);
    CU_ASSERT_EQUAL(memcmp(&target, &nothing, sizeof target), 0);
    rp_diags_destroy(diags);
}

/* A caller whose header knew fewer limits: nothing behind them is touched. */
static void test_older_caller(void) {
    rp_target target = {.size = offsetof(rp_target, storage_alignment), .storage_alignment = 77};
    mock_reset();
    rp_device *device = mock_open(NULL, NULL);
    CU_ASSERT_EQUAL(rp_device_target(device, &target), RP_OK);
    CU_ASSERT_EQUAL(target.storage_buffers, 64);
    CU_ASSERT_EQUAL(target.storage_alignment, 77);
    CU_ASSERT_EQUAL(target.size, offsetof(rp_target, storage_alignment));
    target.size = 0;
    CU_ASSERT_EQUAL(rp_device_target(device, &target), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_device_target(device, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_device_target(NULL, &target), RP_ERROR_USAGE);
    rp_device_destroy(device, NULL);
    mock_done();
}

int main(void) {
    static const rp_test tests[] = {{"fits a small device", test_fits},
                                    {"lines", test_lines},
                                    {"descriptors", test_descriptors},
                                    {"costs", test_costs},
                                    {"text", test_text},
                                    {"bad text", test_bad_text},
                                    {"bad values", test_bad_values},
                                    {"an older caller", test_older_caller},
                                    {0}};
    return rp_run_tests("targets", tests);
}
