/* The command stream of small plans, line by line, as the fake driver got it. */
#include <stdio.h>
#include "support.h"
#include "driver/barrier.h"

/* Records a plan and compares the commands with `expected`; `descriptors` too, unless NULL. */
static void expect_with(const rp_exec_params *params, const char *text, const char *descriptors,
                        const char *expected) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = mock_plan(text);
    rp_device *device = mock_open(NULL, diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_PTR_NOT_NULL_FATAL(device);
    rp_exec *exec = NULL;
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, params, diags, &exec), RP_OK);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        printf("\n  said: %s", rp_diags_get(diags, i).message);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    const char *got = mock_commands(rp_exec_command_buffer(exec, 0, 0));
    CU_ASSERT_STRING_EQUAL(got, expected);
    if (strcmp(got, expected) != 0) printf("\n--- got\n%s--- expected\n%s", got, expected);
    if (descriptors) {
        CU_ASSERT_STRING_EQUAL(mock.descriptors, descriptors);
        if (strcmp(mock.descriptors, descriptors) != 0)
            printf("\n--- got\n%s--- expected\n%s", mock.descriptors, descriptors);
    }
    rp_exec_destroy(exec);
    rp_device_destroy(device, NULL);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    mock_done();
}

static void expect(const char *text, const char *descriptors, const char *expected) {
    expect_with(&mock_params, text, descriptors, expected);
}

static const char chain[] =
    "reprise 1\n"
    "graph chain scheduled placed synced arena 512 {\n"
    "  buf $x in f32[64]\n"
    "  buf $y out f32[64]\n"
    "  buf %a tmp 256 at 0\n"
    "  buf %b tmp 256 at 256\n"
    "  kern @k spirv - local 64 1 1 push 8 (r, w)\n"
    "  kern @l spirv - local 64 1 1 push 8 (r, w)\n"
    "  barrier compute:rw -> compute:w\n"
    "  group 0\n"
    "    n0 = run @k grid 1 1 1 push 01000000 02000000 (r $x, w %a)\n"
    "  barrier compute:w -> compute:r\n"
    "  group 1\n"
    "    n1 = run @l grid 2 3 4 push 01000000 02000000 (r %a, w %b)\n"
    "    n2 = run @l grid 1 1 1 push 01000000 03000000 (r %a, w %b)\n"
    "    n3 = run @k grid 1 1 1 push 01000000 03000000 (r $x, w %a)\n"
    "  barrier compute:w -> compute:r\n"
    "  group 2\n"
    "    n4 = run @k grid 1 1 1 push 01000000 03000000 (r %b[0+128], w $y[0+128])\n"
    "  barrier compute:w -> host:r\n"
    "}\n";

/* Pipelines, sets and push constants only where they change; one set for n1 and n2, and for n0 and
 * n3; no host part, since the results are fetched through staging. */
static void test_chain(void) {
    mock_reset();
    expect(chain,
           "s0.0 storage b1+0 256\ns0.1 storage b0+0 256\n"
           "s1.0 storage b0+0 256\ns1.1 storage b0+256 256\n"
           "s2.0 storage b0+256 128\ns2.1 storage b2+0 128\n",
           "simultaneous\n"
           "barrier compute:SW -> compute:SW\n"
           "pipeline p0\nset 0 s0\npush 0 0100000002000000\ndispatch 1 1 1\n"
           "barrier compute:SW -> compute:SR\n"
           "pipeline p1\nset 0 s1\ndispatch 2 3 4\n"
           "push 0 0100000003000000\ndispatch 1 1 1\n"
           "pipeline p0\nset 0 s0\ndispatch 1 1 1\n"
           "barrier compute:SW -> compute:SR\n"
           "set 0 s2\ndispatch 1 1 1\n");
}

/* The same on a device whose memory the host reads: the last barrier reaches the host. */
static void test_host_barrier(void) {
    mock_reset();
    mock_unified();
    expect("reprise 1\n"
           "graph host scheduled placed synced arena 0 {\n"
           "  buf $x in f32[64]\n"
           "  buf $y out f32[64]\n"
           "  kern @k spirv - local 64 1 1 (r, w)\n"
           "  group 0\n"
           "    n0 = run @k grid 1 1 1 (r $x, w $y)\n"
           "  barrier compute:w -> host:r\n"
           "}\n",
           NULL,
           "simultaneous\n"
           "pipeline p0\nset 0 s0\ndispatch 1 1 1\n"
           "barrier compute:SW -> host:HR\n");
}

/* Every scope; what only reads in a source names a write of its stage, by the driver table. */
static void test_scopes(void) {
    mock_reset();
    expect("reprise 1\n"
           "graph scopes scheduled placed synced arena 1024 {\n"
           "  buf $y out 256\n"
           "  buf %a tmp 256 at 0\n"
           "  buf %b tmp 256 at 256\n"
           "  buf %i tmp 256 at 512\n"
           "  kern @k spirv - local 64 1 1 (u, w)\n"
           "  barrier compute:ru,transfer:r,indirect:r -> transfer:w\n"
           "  group 0\n"
           "    n0 = fill deadbeef (w %a)\n"
           "    n1 = update 01000000 01000000 01000000 (w %i[16+12])\n"
           "  barrier transfer:w -> compute:u,indirect:r\n"
           "  group 1\n"
           "    n2 = run @k grid indirect %i[16+12] (u %a, rw %b)\n"
           "  barrier compute:w -> transfer:r\n"
           "  group 2\n"
           "    n3 = fence\n"
           "    n4 = copy (r %b[64+64], w $y[0+64])\n"
           "}\n",
           "s0.0 uniform b0+0 256\ns0.1 storage b0+256 256\n",
           "simultaneous\n"
           "barrier indirect|compute|transfer:TW:SW -> transfer:TW\n"
           "fill b0+0 256 deadbeef\n"
           "update b0+528 12 010000000100000001000000\n"
           "barrier transfer:TW -> indirect|compute:IR:UR\n"
           "pipeline p0\nset 0 s0\nindirect b0+528\n"
           "barrier compute:SW -> transfer:TR\n"
           "copy b0+320 b1+0 64\n");
}

static void test_lowering(void) {
    VkMemoryBarrier2 barrier;
    CU_ASSERT_FALSE(rp_barrier_lower(0, 0, RP_QUIRK_WIDEN_WAR, true, &barrier));
    CU_ASSERT_FALSE(rp_barrier_lower(RP_SCOPE_COMPUTE_W, RP_SCOPE_HOST_R, 0, false, &barrier));
    /* To the letter of the specification: an execution dependency. */
    CU_ASSERT_TRUE(rp_barrier_lower(RP_SCOPE_COMPUTE_R, RP_SCOPE_COMPUTE_W, 0, true, &barrier));
    CU_ASSERT_EQUAL(barrier.srcStageMask, VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT);
    CU_ASSERT_EQUAL(barrier.srcAccessMask, 0);
    CU_ASSERT_EQUAL(barrier.dstAccessMask, VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT);
    /* For drivers that drop those. */
    CU_ASSERT_TRUE(rp_barrier_lower(RP_SCOPE_COMPUTE_R, RP_SCOPE_COMPUTE_W, RP_QUIRK_WIDEN_WAR,
                                    true, &barrier));
    CU_ASSERT_EQUAL(barrier.srcAccessMask, VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT);
    /* Nothing to write at the indirect stage: the dispatch's own stage stands in. */
    CU_ASSERT_TRUE(rp_barrier_lower(RP_SCOPE_INDIRECT_R, RP_SCOPE_TRANSFER_W, RP_QUIRK_WIDEN_WAR,
                                    true, &barrier));
    CU_ASSERT_EQUAL(barrier.srcStageMask,
                    VK_PIPELINE_STAGE_2_DRAW_INDIRECT_BIT | VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT);
    CU_ASSERT_EQUAL(barrier.srcAccessMask, VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT);
    /* Every driver, known or not. */
    CU_ASSERT_TRUE(rp_quirks_of(VK_DRIVER_ID_MESA_NVK) & RP_QUIRK_WIDEN_WAR);
    CU_ASSERT_TRUE(rp_quirks_of((VkDriverId)4711) & RP_QUIRK_WIDEN_WAR);
}

/* Sets survive a change of kernel up to the first set whose layout differs, push constants survive
 * as they are, and equal live grids share a slot. */
static void test_sets_and_live(void) {
    mock_reset();
    expect("reprise 1\n"
           "graph sets scheduled placed synced arena 0 {\n"
           "  buf $x in 1024\n"
           "  buf $y out 1024\n"
           "  buf $n live u32[2] = 40000000 02000000\n"
           "  kern @k spirv - local 64 1 1 push 8 (r 0.0, w 1.0)\n"
           "  kern @l spirv - local 64 1 1 push 4 (r 0.0, u 1.0, w 1.3)\n"
           "  kern @m spirv - local 64 1 1 (w 2.1)\n"
           "  group 0\n"
           "    n0 = run @k grid {ceil_div($n, 32)} 1 1 push 01000000 02000000"
           " (r $x, w $y[0+256])\n"
           "    n1 = run @l grid {ceil_div($n, 32)} 1 1 push 01000000"
           " (r $x, u $n, w $y[256+256])\n"
           "    n2 = run @k grid 1 {$n[1]} 1 push 01000000 00000000 (r $x, w $y[512+256])\n"
           "    n3 = run @m grid 1 1 1 (w $y[768+256])\n"
           "}\n",
           NULL,
           "simultaneous\n"
           "pipeline p0\nset 0 s0\nset 1 s1\npush 0 0100000002000000\nindirect b0+256\n"
           "pipeline p1\nset 1 s2\nindirect b0+256\n"
           "pipeline p0\nset 1 s3\npush 0 0100000000000000\nindirect b0+272\n"
           "pipeline p2\nset 2 s4\ndispatch 1 1 1\n");
}

/* A buffer each for transients, with the same barriers; timestamps around the replay. */
static void test_debug_options(void) {
    mock_reset();
    const rp_exec_params params = {
        .size = sizeof params, .cache_path = "", .separate_buffers = 1, .timestamps = 1};
    expect_with(&params, chain,
                "s0.0 storage b0+0 256\ns0.1 storage b2+0 256\n"
                "s1.0 storage b2+0 256\ns1.1 storage b3+0 256\n"
                "s2.0 storage b3+0 128\ns2.1 storage b1+0 128\n",
                "simultaneous\n"
                "reset_queries 0 2\ntimestamp 0 all\n"
                "barrier compute:SW -> compute:SW\n"
                "pipeline p0\nset 0 s0\npush 0 0100000002000000\ndispatch 1 1 1\n"
                "barrier compute:SW -> compute:SR\n"
                "pipeline p1\nset 0 s1\ndispatch 2 3 4\n"
                "push 0 0100000003000000\ndispatch 1 1 1\n"
                "pipeline p0\nset 0 s0\ndispatch 1 1 1\n"
                "barrier compute:SW -> compute:SR\n"
                "set 0 s2\ndispatch 1 1 1\n"
                "timestamp 1 all\n");
}

/* Where replays of slots may overlap, nothing waits for the one before: not the first timestamp, either. */
static void test_timestamps_of_slots(void) {
    for (int state = 0; state < 2; state++) {
        char text[512], expected[512];
        const rp_exec_params params = {
            .size = sizeof params, .cache_path = "", .slots = 2, .timestamps = 1};
        mock_reset();
        snprintf(text, sizeof text,
                 "reprise 1\n"
                 "graph slots scheduled placed synced arena 0 {\n"
                 "  buf $y %s 256\n"
                 "%s"
                 "  group 0\n"
                 "    n0 = fill 00000000 (w $y)\n"
                 "}\n",
                 state ? "inout" : "out", state ? "  barrier transfer:w -> transfer:w\n" : "");
        snprintf(expected, sizeof expected,
                 "simultaneous\nreset_queries 0 2\ntimestamp 0 %s\n%sfill b0+0 256 00000000\n"
                 "timestamp 1 all\n",
                 state ? "all" : "top", state ? "barrier transfer:TW -> transfer:TW\n" : "");
        expect_with(&params, text, NULL, expected);
    }
}

/* Labels appear where somebody can see them: with validation. */
static void test_labels(void) {
    mock_reset();
    rp_plan *plan = mock_plan("reprise 1\n"
                              "graph labels scheduled placed synced arena 0 {\n"
                              "  buf $y out 256\n"
                              "  group 0\n"
                              "    n0 = fill 00000000 (w $y[0+64]) label \"a/b\"\n"
                              "    n1 = fill 00000000 (w $y[64+64]) label \"a/b\"\n"
                              "    n2 = fill 00000000 (w $y[128+64])\n"
                              "    n3 = fill 00000000 (w $y[192+64]) label \"c\"\n"
                              "}\n");
    const rp_device_params params = {
        .size = sizeof params, .get_instance_proc_addr = mock_entry(), .validation = 1};
    rp_device *device = NULL;
    rp_exec *exec = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_device_create(NULL, &params, NULL, &device), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, plan, &mock_params, NULL, &exec), RP_OK);
    CU_ASSERT_STRING_EQUAL(mock_commands(rp_exec_command_buffer(exec, 0, 0)),
                           "simultaneous\n"
                           "label a/b\nfill b0+0 64 00000000\nfill b0+64 64 00000000\nend_label\n"
                           "fill b0+128 64 00000000\n"
                           "label c\nfill b0+192 64 00000000\nend_label\n");
    rp_exec_destroy(exec);
    rp_device_destroy(device, NULL);
    rp_plan_destroy(plan);
    mock_done();
}

int main(void) {
    static const rp_test tests[] = {{"chain", test_chain},
                                    {"host barrier", test_host_barrier},
                                    {"scopes", test_scopes},
                                    {"lowering", test_lowering},
                                    {"sets and live grids", test_sets_and_live},
                                    {"debug options", test_debug_options},
                                    {"timestamps of slots", test_timestamps_of_slots},
                                    {"labels", test_labels},
                                    {0}};
    return rp_run_tests("command stream", tests);
}
