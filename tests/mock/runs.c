/* Joined kernels: which dispatches are of one, what its table says, and when it is done without. */
#include "exec/runs.h"
#include "mock_objects.h"
#include "opened.h"

static const char text[] =
    "reprise 1\n"
    "graph g scheduled placed synced arena 512 {\n"
    "  buf $x in f32[64]\n"
    "  buf $w weight q8_0[32,64]\n"
    "  buf $y out f32[32]\n"
    "  buf %a tmp f32[64] tagged at 0\n"
    "  kern @late_w spirv - local 64 1 1 push 4 (r, w)\n"
    "  kern @late_r spirv - local 64 1 1 push 4 (r, r, w, rw stall)\n"
    "  barrier compute:w -> compute:w\n"
    "  group 0\n"
    "    n0 = run @late_w grid 2 1 1 push 00000000 (r $x, w %a) for {\n"
    "      n0 = silu (r $x:f32[64], w %a:f32[64])\n"
    "    }\n"
    "  barrier compute:w -> compute:r tagged none -> none\n"
    "  group 1\n"
    "    n1 = run @late_r grid 3 2 1 push 00000000 (r %a, r $w, w $y) for {\n"
    "      n1 = matvec (r %a:f32[1,64], r $w:q8_0[32,64], w $y:f32[1,32])\n"
    "    }\n"
    "  barrier compute:w -> host:r\n"
    "}\n";

static void open_way(rp_joining joining) {
    mock_reset();
    mock.device_address = true;
    rp_exec_params params = mock_params;
    params.tags = RP_TAGS_ON;
    params.joining = joining;
    open_text(text, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
}

static const rp_run *run_at(rp_recording recording, uint32_t node) {
    return rp_run_at(exec, &exec->slots[0], recording, node);
}

/* Each that reads blocks, and nobody else, in every form: by its own table. */
static void test_auto(void) {
    open_way(RP_JOINING_AUTO);
    CU_ASSERT_EQUAL_FATAL(exec->runs.count, 1);
    CU_ASSERT_EQUAL(exec->runs.items[0].first_node, 1);
    CU_ASSERT_EQUAL(exec->runs.items[0].phases, 1);
    for (rp_recording r = RP_RECORD_BARRIERS; r < RP_RECORDINGS; r++) {
        CU_ASSERT_PTR_NULL(run_at(r, 0));
        CU_ASSERT_PTR_EQUAL(run_at(r, 1), &exec->runs.items[0]);
    }
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

static void bind(rp_storage *storage) {
    const rp_binding binding = {.buffer = "w", .storage = storage};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_OK);
    rp_storage_release(storage);
}

static rp_storage *create(uint32_t quirks) {
    const rp_storage_params params = {.size = sizeof params, .bytes = 4096};
    uint32_t all = device->quirks;
    rp_storage *storage = NULL;
    device->quirks = quirks; /* of which one gives storages addresses */
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &storage), RP_OK);
    device->quirks = all;
    return storage;
}

/* As long as something is bound that has no address, or of which nobody knows. */
static void test_lent(void) {
    open_way(RP_JOINING_AUTO);
    CU_ASSERT_PTR_NOT_NULL(run_at(RP_RECORD_BARRIERS, 1));
    rp_storage *lender = create(0);
    const rp_storage_import params = {
        .size = sizeof params, .buffer = lender->handle, .bytes = lender->size};
    bind(create(0));
    CU_ASSERT_PTR_NULL(run_at(RP_RECORD_BARRIERS, 1));
    bind(create(device->quirks));
    CU_ASSERT_PTR_NOT_NULL(run_at(RP_RECORD_BARRIERS, 1));
    rp_storage *imported = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_storage_import_buffer(device, &params, diags, &imported), RP_OK);
    bind(imported);
    CU_ASSERT_PTR_NULL(run_at(RP_RECORD_BARRIERS, 1));
    bind(create(0));
    rp_storage_release(lender);
    expect_none();
}

/* The fake device runs nothing, so nobody comes to the probe: the run is dispatched one by one. */
static void test_not_resident(void) {
    open_way(RP_JOINING_PERSISTENT);
    CU_ASSERT_EQUAL_FATAL(exec->runs.count, 1);
    CU_ASSERT_EQUAL(exec->runs.items[0].phases, 2);
    CU_ASSERT_EQUAL(exec->runs.items[0].end_group, 2);
    CU_ASSERT_PTR_NULL(run_at(RP_RECORD_ODD, 0));
    expect_none();
}

/* Another plan has runs of its own, at other nodes and of other kernels. */
static void test_updated(void) {
    static const char other[] =
        "reprise 1\n"
        "graph g scheduled placed synced arena 768 {\n"
        "  buf $x in f32[64]\n"
        "  buf $w weight q8_0[32,64]\n"
        "  buf $y out f32[32]\n"
        "  buf %a tmp f32[64] tagged at 0\n"
        "  buf %b tmp f32[32] at 512\n"
        "  kern @late_w spirv - local 64 1 1 push 4 (r, w)\n"
        "  kern @late_o spirv - local 128 1 1 push 4 (r, r, w, rw stall)\n"
        "  kern @late_c spirv - local 64 1 1 (r, w)\n"
        "  barrier compute:w -> compute:w\n"
        "  group 0\n"
        "    n0 = run @late_c grid 1 1 1 (r $x[0+128], w %b)\n"
        "    n1 = run @late_w grid 4 1 1 push 00000000 (r $x, w %a) for {\n"
        "      n1 = silu (r $x:f32[64], w %a:f32[64])\n"
        "    }\n"
        "  barrier compute:w -> compute:r tagged none -> none\n"
        "  group 1\n"
        "    n2 = run @late_o grid 5 2 1 push 00000000 (r %a, r $w, w $y) for {\n"
        "      n2 = matvec (r %a:f32[1,64], r $w:q8_0[32,64], w $y:f32[1,32])\n"
        "    }\n"
        "  barrier compute:w -> host:r\n"
        "}\n";
    open_way(RP_JOINING_AUTO);
    rp_plan *next = mock_plan(other);
    CU_ASSERT_PTR_NOT_NULL_FATAL(next);
    CU_ASSERT_EQUAL(rp_exec_update(exec, next, NULL, diags), RP_OK);
    rp_plan_destroy(next);
    CU_ASSERT_EQUAL_FATAL(exec->runs.count, 1);
    CU_ASSERT_EQUAL(exec->runs.items[0].first_node, 2);
    for (uint32_t i = 0; i < 2; i++) { /* and when something is bound anew */
        CU_ASSERT_PTR_NOT_NULL(
            strstr(mock_commands(rp_exec_command_buffer(exec, 0, 0)), "dispatch 10 1 1"));
        bind(create(device->quirks));
    }
    rp_device_trim(device);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    close_all();
}

/* A submission that records a slot and fails half way, for want of memory or by the driver: the next one has it all. */
static void test_again(void) {
    for (uint32_t kind = 0; kind < 2; kind++)
        for (uint32_t at = 1, failed = 1; failed; at++) {
            mock_reset();
            mock.device_address = true;
            mock_allocator_init(&memory);
            diags = rp_diags_create(NULL);
            plan = mock_plan(text);
            const rp_device_params lazy = {.size = sizeof lazy,
                                           .get_instance_proc_addr = mock_entry(),
                                           .pipeline_threads = -1};
            CU_ASSERT_EQUAL_FATAL(rp_device_create(&memory.allocator, &lazy, diags, &device),
                                  RP_OK);
            rp_exec_params params = mock_params;
            params.priority = RP_PIPELINE_RARE;
            params.tags = RP_TAGS_ON;
            CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, plan, &params, diags, &exec), RP_OK);
            rp_preparation *all = NULL; /* a pipeline that fails is tried again for somebody else */
            const rp_prepare_params prepare = {.size = sizeof prepare, .cache_path = ""};
            CU_ASSERT_EQUAL(rp_device_prepare(device, plan, &prepare, diags, &all), RP_OK);
            CU_ASSERT_EQUAL(rp_preparation_wait(all, NULL, UINT64_MAX, diags), RP_OK);
            if (kind == 0) memory.fail_at = atomic_load(&memory.calls) + (long)at;
            if (kind == 1) mock.fail_at = mock.calls + at;
            failed = rp_exec_submit(exec, NULL, diags, NULL) != RP_OK;
            memory.fail_at = mock.fail_at = 0;
            CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
            CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
            const char *commands = mock_commands(rp_exec_command_buffer(exec, 0, 0));
            CU_ASSERT_PTR_NOT_NULL(strstr(commands, "dispatch 6 1 1"));
            rp_preparation_destroy(all);
            close_all();
        }
}

int main(void) {
    static const rp_test tests[] = {{"another plan", test_updated},
                                    {"failed half way", test_again},
                                    {"blocks by address", test_auto},
                                    {"none", test_none},
                                    {"lent without an address", test_lent},
                                    {"workgroups that are not there", test_not_resident},
                                    {0}};
    return rp_run_tests("joined kernels", tests);
}
