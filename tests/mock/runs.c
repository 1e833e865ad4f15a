/* Joined kernels: which dispatches are of one, what its table says, and when it is done without. */
#include "exec/runs.h"
#include "mock_objects.h"
#include "opened.h"

static const char text[] =
    "reprise 1\n"
    "graph g scheduled placed synced arena 512 {\n"
    "  buf $x in f32[64]\n"
    "  buf $w weight q8_0[32,64]\n"
    "  buf $v weight q8_0[64]\n"
    "  buf $y out f32[64]\n"
    "  buf %a tmp f32[64] tagged at 0\n"
    "  kern @late_w spirv - local 64 1 1 push 4 (r, w)\n"
    "  kern @late_r spirv - local 64 1 1 push 4 (r, r, w, rw stall)\n"
    "  kern @late_s spirv - local 64 1 1 (r, w)\n"
    "  barrier compute:w -> compute:w\n"
    "  group 0\n"
    "    n0 = run @late_w grid 2 1 1 push 00000000 (r $x, w %a) for {\n"
    "      n0 = silu (r $x:f32[64], w %a:f32[64])\n"
    "    }\n"
    "  barrier compute:w -> compute:r tagged none -> none\n"
    "  group 1\n"
    "    n1 = run @late_r grid 3 2 1 push 00000000 (r %a, r $w, w $y[0+128]) for {\n"
    "      n1 = matvec (r %a:f32[1,64], r $w:q8_0[32,64], w $y[0+128]:f32[1,32])\n"
    "    }\n"
    "    n2 = run @late_s grid 1 1 1 (r $v, w $y[128+128])\n"
    "  barrier compute:w -> host:r\n"
    "}\n";
enum { X, W, V, Y };

static void open_way(rp_joining joining) {
    mock_reset();
    mock.device_address = true;
    rp_exec_params params = mock_params;
    params.tags = RP_TAGS_ON;
    params.joining = joining;
    open_text(text, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
}

/* Each that reads blocks, and nobody else, in every form: by its own table. */
static void test_auto(void) {
    open_way(RP_JOINING_AUTO);
    CU_ASSERT_EQUAL_FATAL(exec->runs.count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(exec->runs.items[i].first_node, i + 1);
        CU_ASSERT_EQUAL(exec->runs.items[i].phases, 1);
        for (rp_recording r = RP_RECORD_BARRIERS; r < RP_RECORDINGS; r++)
            CU_ASSERT_PTR_EQUAL(rp_run_at(exec, r, i + 1), &exec->runs.items[i]);
    }
    CU_ASSERT_PTR_NULL(rp_run_at(exec, RP_RECORD_BARRIERS, 0));
    CU_ASSERT_EQUAL(exec->runs.items[0].workgroups, 6);
    const uint32_t *rows = (const void *)exec->slots[0].run_sets.tables->mapped;
    CU_ASSERT_EQUAL(rows[0], 6);
    CU_ASSERT_EQUAL(rows[1], 3);
    CU_ASSERT_EQUAL(rows[2], 2);
    CU_ASSERT_EQUAL(rows[3], 1);
    /* The fake kernels name no buffers, so a row has no room for addresses, and none are written there. */
    CU_ASSERT_EQUAL(exec->runs.items[0].rows, 2);
    const char *commands = mock_commands(rp_exec_command_buffer(exec, 0, 0));
    CU_ASSERT_PTR_NOT_NULL(strstr(commands, "dispatch 2 1 1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(commands, "dispatch 6 1 1"));
    CU_ASSERT_PTR_NULL(strstr(commands, "dispatch 3 2 1"));
    close_all();
}

static void expect_none(void) {
    const char *commands = mock_commands(rp_exec_command_buffer(exec, 0, 0));
    CU_ASSERT_PTR_NOT_NULL(strstr(commands, "dispatch 3 2 1"));
    CU_ASSERT_PTR_NULL(strstr(commands, "dispatch 6 1 1"));
    close_all();
}

/* None when they are not wanted, on a driver that checks no loads, on a device without addresses, or of SPIR-V that has no
 * list of what an entry point uses. */
static void test_none(void) {
    open_way(RP_JOINING_OFF);
    CU_ASSERT_EQUAL(exec->runs.count, 0);
    expect_none();
    mock_reset();
    mock.device_address = true;
    mock.driver = VK_DRIVER_ID_AMD_PROPRIETARY;
    open_text(text, &mock_params);
    CU_ASSERT_EQUAL(exec->runs.count, 0);
    expect_none();
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_EQUAL(exec->runs.count, 0);
    expect_none();
}

/* What is lent without an address, in one slot of two or when it is bound anew. */
static void test_lent(void) {
    mock_reset();
    mock.device_address = true;
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL(rp_run_at(exec, RP_RECORD_BARRIERS, 1));
    const rp_storage_params params = {.size = sizeof params, .bytes = 4096};
    rp_storage *lent = NULL;
    uint32_t quirks = device->quirks;
    device->quirks = 0; /* so that it is created without */
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &lent), RP_OK);
    device->quirks = quirks;
    const rp_binding binding = {.buffer = "w", .storage = lent};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_OK);
    CU_ASSERT_PTR_NULL(rp_run_at(exec, RP_RECORD_BARRIERS, 1));
    CU_ASSERT_PTR_NOT_NULL(rp_run_at(exec, RP_RECORD_BARRIERS, 2));
    rp_storage_release(lent);
    const rp_storage_import import = {.size = sizeof import,
                                      .buffer = exec->slots[0].places[V].handle,
                                      .bytes = exec->slots[0].places[V].bytes};
    rp_storage *imported = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_storage_import_buffer(device, &import, diags, &imported), RP_OK);
    const rp_binding other = {.buffer = "v", .storage = imported};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &other, 1, diags), RP_OK);
    CU_ASSERT_PTR_NULL(rp_run_at(exec, RP_RECORD_BARRIERS, 2));
    rp_storage_release(imported);
    expect_none();
}

/* The fake device runs nothing, so nobody comes to the probe: the run is dispatched one by one. */
static void test_not_resident(void) {
    open_way(RP_JOINING_PERSISTENT);
    CU_ASSERT_EQUAL_FATAL(exec->runs.count, 1);
    CU_ASSERT_EQUAL(exec->runs.items[0].phases, 3);
    CU_ASSERT_EQUAL(exec->runs.items[0].end_group, 2);
    CU_ASSERT_PTR_NULL(rp_run_at(exec, RP_RECORD_ODD, 0));
    expect_none();
}

int main(void) {
    static const rp_test tests[] = {{"blocks by address", test_auto},
                                    {"none", test_none},
                                    {"lent without an address", test_lent},
                                    {"workgroups that are not there", test_not_resident},
                                    {0}};
    return rp_run_tests("joined kernels", tests);
}
