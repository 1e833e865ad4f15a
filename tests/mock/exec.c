/* Execs on the fake driver: the replay path, host access, live values, limits. */
#include <stdio.h>
#include <stdlib.h>
#include "opened.h"

static const char io_text[] = "reprise 1\n"
                              "graph io scheduled placed synced arena 0 {\n"
                              "  buf $x in 12000000\n"
                              "  buf $w weight 64\n"
                              "  buf $s inout 64\n"
                              "  buf $y out 12000000\n"
                              "  buf $n live u32[3] = 40000000 02000000 01000000 max 1000\n"
                              "  buf $f live f32[1]\n"
                              "  kern @k spirv - local 64 1 1 (rw)\n"
                              "  barrier transfer:rw,compute:rw -> transfer:rw\n"
                              "  group 0\n"
                              "    n0 = copy (r $x, w $y)\n"
                              "    n1 = run @k grid {ceil_div($n, 32)} {$n[1] - 1} 3 (rw $s)\n"
                              "    n2 = run @k grid 1 1 {1000 / $n[2]} (rw $s)\n"
                              "  barrier transfer:w,compute:w -> host:r\n"
                              "}\n";

static void open_io(void) {
    open_text(io_text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
}

/* One submission per replay, and nothing allocated on the way: not by us, not from Vulkan. */
static void test_replay_allocates_nothing(void) {
    mock_reset();
    open_io();
    long calls = memory.calls;
    uint32_t allocations = mock.memory_allocations, n = 33;
    int objects = mock.objects;
    uint32_t submits = mock.submits, index = 0;
    CU_ASSERT_EQUAL(rp_exec_find(exec, "n", &index), RP_OK);
    for (int i = 0; i < 100; i++) {
        CU_ASSERT_EQUAL(rp_exec_set_live_at(exec, 0, index, 0, &n, 1, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    }
    CU_ASSERT_EQUAL(mock.submits, submits + 100);
    CU_ASSERT_EQUAL(memory.calls, calls);
    CU_ASSERT_EQUAL(mock.objects, objects);
    CU_ASSERT_EQUAL(mock.memory_allocations, allocations);
    CU_ASSERT_EQUAL(rp_exec_completed(exec), 100);
    close_all();
}

static void test_busy(void) {
    mock_reset();
    open_io();
    mock.stall = true;
    char byte = 0;
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, 0, NULL), RP_OK); /* nothing is in flight */
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK); /* a second one may queue up */
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, 1000, NULL), RP_ERROR_TIMEOUT);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, &byte, 1, diags), RP_ERROR_BUSY);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, &byte, 1, NULL), RP_ERROR_BUSY);
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", 0, &(uint32_t){1}, 1, NULL), RP_ERROR_BUSY);
    CU_ASSERT_TRUE(rp_test_said(diags, "replay 2 is still in flight in this slot"));
    CU_ASSERT_EQUAL(rp_exec_completed(exec), 0);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_completed(exec), 2);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL),
                    RP_OK); /* destroying waits for this one */
    close_all();
}

/* Twelve megabytes through a staging buffer of less, and back. */
static void test_staging(void) {
    mock_reset();
    open_io();
    const size_t size = 12000000;
    unsigned char *sent = malloc(size), *got = calloc(1, size);
    CU_ASSERT_FATAL(sent && got);
    for (size_t i = 0; i < size; i++) sent[i] = (unsigned char)(i * 31 + i / 65536);
    void *mapped = sent;
    CU_ASSERT_EQUAL(rp_exec_map(exec, 0, "x", diags, &mapped, NULL), RP_ERROR_UNSUPPORTED);
    CU_ASSERT_PTR_NULL(mapped);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, sent, size, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 5000001, "changed", 7, diags), RP_OK);
    memcpy(sent + 5000001, "changed", 7);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, got, size, diags), RP_OK);
    CU_ASSERT_EQUAL(memcmp(sent, got, size), 0);
    memset(got, 0, 16);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", size - 9, got, 9, diags), RP_OK);
    CU_ASSERT_EQUAL(memcmp(sent + size - 9, got, 9), 0);
    free(sent);
    free(got);
    close_all();
}

static void test_mapped(void) {
    mock_reset();
    mock_unified();
    open_io();
    uint64_t size = 0;
    void *x, *y, *none;
    CU_ASSERT_EQUAL_FATAL(rp_exec_map(exec, 0, "x", NULL, &x, &size), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_exec_map(exec, 0, "y", NULL, &y, NULL), RP_OK);
    CU_ASSERT_EQUAL(size, 12000000);
    strcpy(x, "hello");
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 5, " there", 7, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    CU_ASSERT_STRING_EQUAL(y, "hello there");
    CU_ASSERT_EQUAL(rp_exec_map(exec, 0, "n", NULL, &none, &size), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_map(exec, 0, "nobody", NULL, &none, &size), RP_ERROR_NOT_FOUND);
    CU_ASSERT_EQUAL(rp_exec_map(exec, 1, "x", NULL, &none, &size), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(size, 0);
    close_all();
}

static void test_wrong_use(void) {
    mock_reset();
    open_io();
    char bytes[64] = {0};
    uint32_t index = 7, one = 1;
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "y", 0, bytes, 1, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "y is of kind out, the host cannot write it"));
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "x", 0, bytes, 1, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "n", 0, bytes, 1, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "use rp_exec_set_live"));
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "s", 60, bytes, 5, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "bytes 60 + 5 are outside s, which has 64"));
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "s", UINT64_MAX, bytes, 2, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "zzz", 0, bytes, 1, diags), RP_ERROR_NOT_FOUND);
    CU_ASSERT_TRUE(rp_test_said(diags, "no buffer named zzz"));
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "s", 64, NULL, 0, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "s", 0, NULL, 1, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_find(exec, "zzz", &index), RP_ERROR_NOT_FOUND);
    CU_ASSERT_EQUAL(index, 0);
    CU_ASSERT_EQUAL(rp_exec_find(NULL, "x", &index), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "x", 0, &one, 1, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "x is of kind in, only live buffers have live values"));
    CU_ASSERT_EQUAL(rp_exec_set_live_at(exec, 0, 99, 0, &one, 1, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "there is no buffer 99"));
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", 3, &one, 1, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "elements 3 + 1 are outside live buffer n"));
    CU_ASSERT_EQUAL(rp_exec_submit(NULL, NULL, NULL, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_wait(NULL, 0, 0, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_completed(NULL), 0);
    CU_ASSERT_TRUE(rp_exec_gpu_seconds(exec, 0) < 0);
    CU_ASSERT_PTR_NULL(rp_exec_lost_node(exec));
    CU_ASSERT_PTR_NULL(rp_exec_command_buffer(NULL, 0, 0));
    rp_exec *none = exec;
    CU_ASSERT_EQUAL(rp_exec_create(NULL, plan, NULL, NULL, &none), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(none);
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, NULL, NULL, NULL), RP_ERROR_USAGE);
    rp_exec_destroy(NULL);
    close_all();
}

/* What the live block holds, read where the GPU would: the replay copies it out. */
static const char live_text[] = "reprise 1\n"
                                "graph live scheduled placed synced arena 0 {\n"
                                "  buf $y out 16\n"
                                "  buf $n live u32[3] = 40000000 02000000 01000000 max 1000\n"
                                "  buf $f live f32[1]\n"
                                "  buf $b live i32[2]\n"
                                "  kern @k spirv - local 64 1 1 (rw)\n"
                                "  group 0\n"
                                "    n0 = run @k grid {ceil_div($n, 32)} {$n[1] - 1} 3 (rw $y)\n"
                                "    n1 = run @k grid 1 1 {1000 / $n[2]} (rw $y)\n"
                                "    n2 = run @k grid 1 1 {$b + 1} (rw $y)\n"
                                "}\n";

static const uint32_t *grid_slots; /* of n0, n1, n2, in the mapped block, found by the test */

static void expect_grids(uint32_t x, uint32_t y, uint32_t z1, uint32_t z2) {
    CU_ASSERT_EQUAL(grid_slots[0], x);
    CU_ASSERT_EQUAL(grid_slots[1], y);
    CU_ASSERT_EQUAL(grid_slots[2], 3);
    CU_ASSERT_EQUAL(grid_slots[4 + 2], z1);
    CU_ASSERT_EQUAL(grid_slots[8 + 2], z2);
}

static rp_status set(const char *name, uint32_t first, const void *values, uint32_t count) {
    rp_diags_clear(diags);
    return rp_exec_set_live(exec, 0, name, first, values, count, diags);
}

static void test_live(void) {
    mock_reset();
    open_text(live_text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    grid_slots = (const uint32_t *)(mock_buffer_bytes(0) + 3 * 256);
    const uint32_t *n = (const uint32_t *)mock_buffer_bytes(0);
    CU_ASSERT_EQUAL(n[0], 64);
    expect_grids(2, 1, 1000, 1);
    CU_ASSERT_EQUAL(set("n", 0, (uint32_t[]){65, 8}, 2), RP_OK);
    expect_grids(3, 7, 1000, 1);
    CU_ASSERT_EQUAL(n[0], 65);
    CU_ASSERT_EQUAL(set("b", 0, (int32_t[]){-1}, 1), RP_OK); /* an empty grid is possible */
    expect_grids(3, 7, 1000, 0);

    CU_ASSERT_EQUAL(set("n", 0, (uint32_t[]){64, 1001}, 2), RP_ERROR_INVALID);
    CU_ASSERT_TRUE(rp_test_said(diags, "n[1] cannot be set to 1001: its declared maximum is 1000"));
    CU_ASSERT_EQUAL(set("n", 0, (uint32_t[]){1, 0}, 2), RP_ERROR_INVALID);
    CU_ASSERT_TRUE(rp_test_said(diags, "the grid of n0 -1 in y; 0 to 65535 is possible"));
    CU_ASSERT_EQUAL(set("n", 2, (uint32_t[]){0}, 1), RP_ERROR_INVALID);
    CU_ASSERT_TRUE(rp_test_said(diags, "the grid of n1 in z cannot be computed"));
    CU_ASSERT_EQUAL(set("b", 0, (int32_t[]){-2}, 1), RP_ERROR_INVALID);
    CU_ASSERT_EQUAL(set("f", 0, (float[]){10.5f}, 1), RP_OK);
    CU_ASSERT_EQUAL(n[0], 65); /* what was refused changed nothing */
    CU_ASSERT_EQUAL(n[2], 1);
    expect_grids(3, 7, 1000, 0);
    close_all();
}

/* Only the grids that follow from the elements set are computed and written: what is scribbled over
 * the others stays. */
static void test_live_reads(void) {
    static const char text[] = "reprise 1\n"
                               "graph live scheduled placed synced arena 0 {\n"
                               "  buf $y out 16\n"
                               "  buf $n live u32[4] = 01000000 02000000 03000000 04000000\n"
                               "  buf $m live u32[1] = 05000000\n"
                               "  kern @k spirv - local 64 1 1 (rw)\n"
                               "  group 0\n"
                               "    n0 = run @k grid {$n[3] + $n[1]} 1 1 (rw $y)\n"
                               "    n1 = run @k grid {$n} {$n * $n} 1 (rw $y)\n"
                               "    n2 = run @k grid {$m} 1 {$n[1]} (rw $y)\n"
                               "    n3 = run @k grid {$n[3] + $n[1]} 1 1 (rw $y)\n"
                               "}\n";
    enum { SCRIBBLE = 77 };
    /* Elements set, and whether n0 and n3, n1 and n2 follow from them. */
    static const struct {
        const char *name;
        uint32_t first, count;
        bool follows[3];
    } cases[] = {
        {"n", 0, 1, {false, true, false}},  {"n", 1, 1, {true, false, true}},
        {"n", 2, 1, {false, false, false}}, {"n", 3, 1, {true, false, false}},
        {"m", 0, 1, {false, false, true}},  {"n", 0, 4, {true, true, true}},
        {"n", 2, 2, {true, false, false}},  {"n", 4, 0, {false, false, false}},
    };
    static const uint32_t values[] = {1, 2, 3, 4};
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    uint32_t *slots = (uint32_t *)(mock_buffer_bytes(0) + 2 * 256);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const uint32_t *from = *cases[c].name == 'm' ? &(uint32_t){5} : values + cases[c].first;
        for (uint32_t i = 0; i < 3; i++) slots[i * 4] = SCRIBBLE;
        CU_ASSERT_EQUAL(set(cases[c].name, cases[c].first, from, cases[c].count), RP_OK);
        static const uint32_t x[] = {6, 1, 5}; /* of each grid, from the values above */
        for (uint32_t i = 0; i < 3; i++)
            CU_ASSERT_EQUAL(slots[i * 4], cases[c].follows[i] ? x[i] : SCRIBBLE);
    }
    close_all();
}

/* ---- Limits ---------------------------------------------------------------------------------- */

static void expect_refusal(const char *text, rp_status status, const char *first,
                           const char *second) {
    diags = rp_diags_create(NULL);
    plan = mock_plan(text);
    device = mock_open(NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    exec = (rp_exec *)1;
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &mock_params, diags, &exec), status);
    CU_ASSERT_PTR_NULL(exec);
    CU_ASSERT_TRUE(rp_test_said(diags, first));
    CU_ASSERT_TRUE(!second || rp_test_said(diags, second));
    memory.alive = 0;
    close_all();
}

static void test_limits(void) {
    mock_reset();
    expect_refusal("reprise 1\n"
                   "graph g scheduled placed synced arena 0 {\n"
                   "  buf $y out 2147483648\n"
                   "  kern @big spirv - local 2048 1 1 shared 50000 push 4 (rw 0.1, u 9.0)\n"
                   "  kern @wide spirv - local 64 64 1 (rw)\n"
                   "  group 0\n"
                   "    n0 = run @big grid 70000 1 1 push 00000000 (rw $y[0+64], u $y[64+64])\n"
                   "    n1 = run @wide grid 1 1 1 (rw $y)\n"
                   "    n2 = run @wide grid 1 1 1 (rw $y[8+64])\n"
                   "}\n",
                   RP_ERROR_UNSUPPORTED, "workgroup of 2048 in x, at most 1024",
                   "n0 has a grid of 70000 in x");
    mock_reset();
    expect_refusal("reprise 1\n"
                   "graph g scheduled placed synced arena 0 {\n"
                   "  buf $y out 2147483648\n"
                   "  kern @k spirv - local 64 64 1 shared 50000 (rw, u 9.0)\n"
                   "  group 0\n"
                   "    n1 = run @k grid 1 1 1 (rw $y[8+2147483640], u $y[0+4])\n"
                   "}\n",
                   RP_ERROR_UNSUPPORTED, "n1 binds 2147483640 bytes of y as one storage buffer",
                   "n1 binds y at offset 8, which must be a multiple of 16");
}

static void test_more_limits(void) {
    static const char text[] =
        "reprise 1\n"
        "graph g scheduled placed synced arena 0 {\n"
        "  buf $y out 256\n"
        "  kern @k spirv - local 64 16 2 shared 50000 push 128 (rw, u 9.0)\n"
        "  group 0\n"
        "    n1 = run @k grid 1 1 1 push 00000000*32 (rw $y[0+4], u $y[8+4])\n"
        "}\n";
    char full[2048], push[32 * 9 + 1] = "";
    for (int i = 0; i < 32; i++) strcat(push, i ? " 00000000" : "00000000");
    const char *mark = strstr(text, "00000000*32");
    snprintf(full, sizeof full, "%.*s%s%s", (int)(mark - text), text, push, mark + 11);
    static const char *const wanted[] = {
        "2048 invocations, at most 1024", "50000 bytes of shared memory",
        "128 bytes of push constants, at most 100", "descriptor set 9, sets 0 to 7",
        "must be a multiple of 64 for a uniform buffer"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        mock_reset();
        mock.properties.limits.maxPushConstantsSize = 100;
        expect_refusal(full, RP_ERROR_UNSUPPORTED, wanted[i], "device Mock 9000");
    }
}

/* Views of ops are bound from the aligned offset before them to their end, also on a device that
 * takes multiples of 256 alone; the exact range counts against the largest one. */
static void test_views(void) {
    static const char text[] =
        "reprise 1\n"
        "graph g scheduled placed synced arena 512 {\n"
        "  buf $x in f32[200]\n"
        "  buf $y out f32[64]\n"
        "  buf %t tmp f32[65] at 0\n"
        "  kern @sub spirv - local 64 1 1 (r, r skip 36, w skip 4)\n"
        "  kern @neg spirv - local 64 1 1 (r skip 4, w)\n"
        "  group 0\n"
        "    n0 = run @sub grid 1 1 1 (r $x[256+256], r $x[292+256], w %t[4+256]) for {\n"
        "      n0 = sub (r $x[256+256]:f32[64], r $x[292+256]:f32[64], w %t[4+256]:f32[64])\n"
        "    }\n"
        "  barrier compute:w -> compute:r\n"
        "  group 1\n"
        "    n1 = run @neg grid 1 1 1 (r %t[4+256], w $y) for {\n"
        "      n1 = neg (r %t[4+256]:f32[64], w $y:f32[64])\n"
        "    }\n"
        "}\n";
    mock_reset();
    mock.properties.limits.minStorageBufferOffsetAlignment = 256;
    mock.properties.limits.maxStorageBufferRange = 292;
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    CU_ASSERT_PTR_NOT_NULL(strstr(mock.descriptors, "s0.0 storage b1+256 256\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(mock.descriptors, "s0.1 storage b1+256 292\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(mock.descriptors, "s0.2 storage b0+0 260\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(mock.descriptors, "s1.0 storage b0+0 260\n"));
    close_all();
    mock_reset();
    mock.properties.limits.maxStorageBufferRange = 291;
    expect_refusal(text, RP_ERROR_UNSUPPORTED, "n0 binds 292 bytes of x as one storage buffer",
                   NULL);
}

static void test_features(void) {
    static const char text[] = "reprise 1\n"
                               "graph g scheduled placed synced arena 0 {\n"
                               "  buf $y out 256\n"
                               "  kern @half spirv - local 64 1 1 (rw)\n"
                               "  group 0\n"
                               "    n0 = run @half grid 1 1 1 (rw $y)\n"
                               "}\n";
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL(exec);
    close_all();
    mock_reset();
    mock.float16 = false;
    expect_refusal(text, RP_ERROR_UNSUPPORTED, "16-bit floats in shaders (shaderFloat16)",
                   "or choose another device");
}

/* What pass lower asks for on its own account comes with the way out of it. */
static void test_float_controls(void) {
    static const char text[] = "reprise 1\n"
                               "graph g scheduled placed synced arena 0 {\n"
                               "  buf $y out 256\n"
                               "  kern @exact spirv - local 64 1 1 (rw)\n"
                               "  group 0\n"
                               "    n0 = run @exact grid 1 1 1 (rw $y)\n"
                               "}\n";
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL(exec);
    close_all();
    mock_reset();
    mock.exact_floats = false;
    expect_refusal(text, RP_ERROR_UNSUPPORTED, "shaderSignedZeroInfNanPreserveFloat32",
                   "compile with the pass lower=fast, or choose another device");
}

static void test_nothing_to_run(void) {
    mock_reset();
    expect_refusal(
        "reprise 1\n"
        "graph g scheduled placed synced arena 0 {\n"
        "  buf $y out 256\n"
        "  kern @abstract spirv - local 64 1 1 (rw)\n"
        "  kern @k spirv - local 64 1 1 (rw)\n"
        "  group 0\n"
        "    n3 = run @abstract grid 1 1 1 (rw $y)\n"
        "  barrier compute:rw,transfer:rw,indirect:r -> compute:rw,transfer:rw,indirect:r\n"
        "  group 1\n"
        "    n4 = run @k grid 1 1 1\n"
        "}\n",
        RP_ERROR_UNSUPPORTED, "n3 runs kernel @abstract, which is abstract",
        "n4 runs @k without declared uses");
}

static void test_memory(void) {
    static const char text[] = "reprise 1\n"
                               "graph g scheduled placed synced arena 1048576 {\n"
                               "  buf $x in 4096\n"
                               "  buf $y out 4096\n"
                               "  buf %a tmp 1048576 at 0\n"
                               "  group 0\n"
                               "    n0 = fill 00000000 (w %a)\n"
                               "    n1 = copy (r $x, w $y)\n"
                               "}\n";
    mock_reset();
    mock.memory.memoryHeaps[0].size = 1000000;
    expect_refusal(text, RP_ERROR_DEVICE_MEMORY,
                   "asked for 1056768 bytes of heap 0, which has 1000000",
                   "arena 1048576, buffers 8192");
    mock_reset();
    mock.max_buffer_size = 1000000;
    expect_refusal(text, RP_ERROR_UNSUPPORTED, "the arena has 1048576 bytes, more than the 1000000",
                   NULL);
    /* A block larger than one allocation may be is split between buffers. */
    mock_reset();
    mock.max_allocation_size = 1048576;
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL(exec);
    CU_ASSERT_EQUAL(mock.memory_allocations, 2);
    close_all();
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_EQUAL(mock.memory_allocations, 1); /* staging comes when it is needed */
    rp_counters counters = mock_counters(exec);
    CU_ASSERT_EQUAL(counters.memory_bytes, 1048576 + 8192);
    close_all();
}

/* ---- Loss, time ------------------------------------------------------------------------------ */

static void test_device_lost(void) {
    mock_reset();
    open_io();
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    mock.fail_at = mock.calls + 1;
    mock.fail_with = VK_ERROR_DEVICE_LOST;
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_ERROR_DEVICE_LOST);
    const char *text = rp_exec_lost_node(exec);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "replay 2 of io in flight, 1 replays were known"));
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_ERROR_DEVICE_LOST);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, 0, NULL), RP_ERROR_DEVICE_LOST);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "s", 0, &(char){0}, 1, diags), RP_ERROR_DEVICE_LOST);
    CU_ASSERT_TRUE(rp_test_said(diags, "the device was lost"));
    close_all();

    mock_reset();
    open_io();
    mock.fail_at = mock.calls + 1;
    mock.fail_with = VK_ERROR_DEVICE_LOST;
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_ERROR_DEVICE_LOST);
    CU_ASSERT_PTR_NOT_NULL(rp_exec_lost_node(exec));
    close_all();
}

static void test_timestamps(void) {
    mock_reset();
    open_text(live_text,
              &(rp_exec_params){.size = sizeof(rp_exec_params), .cache_path = "", .timestamps = 1});
    CU_ASSERT_TRUE(rp_exec_gpu_seconds(exec, 0) < 0); /* nothing was replayed */
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    CU_ASSERT_DOUBLE_EQUAL(rp_exec_gpu_seconds(exec, 0), 500e-9, 1e-12);
    double begin = 0, end = 0;
    CU_ASSERT_EQUAL(rp_exec_gpu_span(exec, 0, &begin, &end), RP_OK);
    CU_ASSERT_DOUBLE_EQUAL(end - begin, 500, 1e-6);
    CU_ASSERT_EQUAL(rp_exec_gpu_span(exec, 1, &begin, &end), RP_ERROR_USAGE);
    close_all();
    mock_reset();
    mock.families[1].timestampValidBits = 0;
    open_text(live_text,
              &(rp_exec_params){.size = sizeof(rp_exec_params), .cache_path = "", .timestamps = 1});
    CU_ASSERT_PTR_NOT_NULL(exec);
    CU_ASSERT_TRUE(rp_test_said(diags, "has no timestamps"));
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_TRUE(rp_exec_gpu_seconds(exec, 0) < 0);
    close_all();
}

/* Two clocks are set against each other where the driver can, and nowhere else. */
static void test_calibration(void) {
    rp_calibration moment = {.size = sizeof moment}, unset = {0};
    mock_reset();
    open_text(live_text, &(rp_exec_params){.size = sizeof(rp_exec_params), .cache_path = ""});
    CU_ASSERT_EQUAL(rp_device_calibrate(device, &moment), RP_ERROR_UNSUPPORTED);
    close_all();
    mock_reset();
    mock.extensions_too[0] = VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME;
    open_text(live_text, &(rp_exec_params){.size = sizeof(rp_exec_params), .cache_path = ""});
    CU_ASSERT_PTR_NOT_NULL(strstr(mock.extensions, VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME));
    CU_ASSERT_EQUAL(rp_device_calibrate(device, &moment), RP_OK);
    CU_ASSERT_EQUAL(moment.host_ns, 5000000);
    CU_ASSERT_TRUE(moment.gpu_ns > 0);
    CU_ASSERT_EQUAL(moment.deviation_ns, 40);
    CU_ASSERT_EQUAL(rp_device_calibrate(device, &unset), RP_ERROR_USAGE);
    mock.fail_call = "vkGetCalibratedTimestampsEXT";
    mock.fail_with = VK_ERROR_OUT_OF_HOST_MEMORY;
    CU_ASSERT_EQUAL(rp_device_calibrate(device, &moment), RP_ERROR_NO_MEMORY);
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"calibration", test_calibration},
                                    {"replay allocates nothing", test_replay_allocates_nothing},
                                    {"busy", test_busy},
                                    {"staging", test_staging},
                                    {"mapped", test_mapped},
                                    {"wrong use", test_wrong_use},
                                    {"live values", test_live},
                                    {"grids that follow from live values", test_live_reads},
                                    {"limits", test_limits},
                                    {"more limits", test_more_limits},
                                    {"views", test_views},
                                    {"features", test_features},
                                    {"float controls", test_float_controls},
                                    {"nothing to run", test_nothing_to_run},
                                    {"memory", test_memory},
                                    {"device lost", test_device_lost},
                                    {"timestamps", test_timestamps},
                                    {0}};
    return rp_run_tests("exec", tests);
}
