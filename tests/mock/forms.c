/* Plans of several forms: which command buffer a replay is, that nothing is recorded or allocated for it, what
 * stands between forms, and that all else an exec does is done of the form at hand. */
#include <stdarg.h>
#include <stdio.h>

#include "exec/exec.h"
#include "mock_objects.h"
#include "opened.h"
#include "reprise/plan_build.h"

RP_PRINTF(2, 3)
static void add(char text[4096], const char *format, ...) {
    size_t at = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + at, 4096 - at, format, args);
    va_end(args);
}

/* A form of `groups` nodes: the first has a grid that follows n, the others change $s. */
static rp_plan *form(uint32_t most, uint32_t groups, uint32_t arena) {
    char text[4096] = "";
    add(text,
        "reprise 1\n"
        "graph g scheduled placed synced arena %u {\n"
        "  buf $n live u32[1] = 01000000 max %u\n"
        "  buf $wide live u32[1]\n"
        "  buf $x in f32[{$n},16]\n"
        "  buf $s inout f32[64]\n"
        "  buf %%t tmp f32[%u] at 0\n"
        "  kern @k%u spirv - local 64 1 1 (r, rw)\n"
        "  kern @s%u spirv - local 64 1 1 (rw)\n",
        arena, most, arena / 4, most, most);
    for (uint32_t i = 0; i < groups; i++) {
        add(text, "  barrier compute:rw -> compute:rw\n  group %u\n", i);
        if (i == 0)
            add(text, "    n0 = run @k%u grid {$n} 1 1 (r $x, rw %%t) label \"first\"\n", most);
        else
            add(text, "    n%u = run @s%u grid {1 + $wide} 1 1 (rw $s) label \"rest/%u\"\n", i,
                most, i);
    }
    add(text, "  barrier compute:rw -> host:r\n}\n");
    return mock_plan(text);
}

static void open_plan(const rp_exec_params *params) {
    device = mock_open(&memory.allocator, diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(device);
    exec = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, plan, params, diags, &exec), RP_OK);
}

enum { FORMS = 3 };
static const uint32_t most[FORMS] = {4, 8, 16};

static rp_plan *three_forms(void) {
    rp_plan *forms[FORMS] = {form(4, 2, 256), form(8, 5, 1024), form(16, 3, 512)}, *joined = NULL;
    for (uint32_t i = 0; i < FORMS; i++) CU_ASSERT_PTR_NOT_NULL_FATAL(forms[i]);
    CU_ASSERT_EQUAL(rp_plan_join(NULL, (const rp_plan *const *)forms, FORMS, diags, &joined),
                    RP_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(joined);
    for (uint32_t i = 0; i < FORMS; i++) rp_plan_destroy(forms[i]);
    return joined;
}

static void open_three(const rp_exec_params *params) {
    mock_reset();
    mock_allocator_init(&memory);
    diags = rp_diags_create(NULL);
    plan = three_forms();
    open_plan(params);
}

static uint32_t form_of(uint32_t value) {
    return value <= 4 ? 0 : value <= 8 ? 1 : 2;
}

static void set(uint32_t slot, uint32_t value) {
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, slot, "n", 0, &value, 1, diags), RP_OK);
}

static const void *recorded(uint32_t slot, uint32_t of, uint32_t piece) {
    return rp_form_slot(exec, &exec->slots[slot], of)->commands[piece];
}

/* Submits one replay; whether a full barrier stood in front of the form's commands. */
static bool replay(uint32_t slot, uint32_t of) {
    const rp_submit_params params = {.size = sizeof params, .slot = slot};
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &params, diags, NULL), RP_OK);
    uint32_t count = mock.submitted_count;
    CU_ASSERT_FATAL(count == 1 || count == 2);
    CU_ASSERT_PTR_EQUAL(mock.submitted[count - 1], recorded(slot, of, 0));
    if (count == 1) return false;
    VkMemoryBarrier2 barrier;
    CU_ASSERT_TRUE(mock_only_barrier(mock.submitted[0], &barrier));
    CU_ASSERT_EQUAL(barrier.srcAccessMask & VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT,
                    VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT);
    CU_ASSERT_EQUAL(barrier.dstAccessMask & VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT,
                    VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT);
    return true;
}

/* The grid that the first node of a form reads in a slot. */
static uint32_t grid_of(uint32_t slot, uint32_t of) {
    const rp_exec *part = rp_form_exec(exec, of);
    const rp_slot *own = rp_form_slot(exec, &exec->slots[slot], of);
    uint32_t grid;
    memcpy(&grid, own->live.grids + part->live.grids[part->live.of_node[0]].offset, sizeof grid);
    return grid;
}

/* Every value behind every other. */
static void test_every_value(void) {
    open_three(&mock_params);
    uint32_t last = FORMS, begins = mock.begins;
    long allocated = 0;
    for (uint32_t a = 0; a <= 16; a++)
        for (uint32_t b = 0; b <= 16; b++) {
            set(0, b % 2 ? b : a);
            uint32_t of = form_of(b % 2 ? b : a);
            CU_ASSERT_EQUAL(rp_exec_get_form(exec, 0), of);
            CU_ASSERT_EQUAL(grid_of(0, of), b % 2 ? b : a);
            if (a == 1 && b == 0) allocated = memory.calls;
            CU_ASSERT_EQUAL(replay(0, of), last != FORMS && last != of);
            last = of;
        }
    CU_ASSERT_EQUAL(mock.begins, begins);
    CU_ASSERT_EQUAL(memory.calls, allocated);
    close_all();
}

static void test_refused(void) {
    open_three(&mock_params);
    uint32_t value = 17, huge = 1u << 31;
    set(0, 3);
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", 0, &value, 1, diags), RP_ERROR_INVALID);
    CU_ASSERT_TRUE(rp_test_said(diags, "its declared maximum is 16"));
    CU_ASSERT_EQUAL(rp_exec_get_form(exec, 0), 0);
    CU_ASSERT_EQUAL(grid_of(0, 0), 3);
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", 1, &value, 1, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "wide", 0, &huge, 1, diags), RP_ERROR_INVALID);
    (void)replay(0, 0);
    /* What was set while another form ran is there when a form comes back. */
    value = 6;
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "wide", 0, &value, 1, diags), RP_OK);
    set(0, 7);
    set(0, 16);
    for (uint32_t f = 1; f < FORMS; f++) {
        const rp_exec *part = rp_form_exec(exec, f);
        const rp_slot *own = rp_form_slot(exec, &exec->slots[0], f);
        uint32_t grid;
        memcpy(&grid, own->live.grids + part->live.grids[part->live.of_node[1]].offset, 4);
        CU_ASSERT_EQUAL(grid, 7);
    }
    CU_ASSERT_EQUAL(rp_exec_get_form(exec, 1), 0); /* no such slot */
    CU_ASSERT_EQUAL(rp_exec_get_form(NULL, 0), 0);
    close_all();
}

/* Slots that share state follow each other in the queue, so the barrier goes by whatever ran before; slots of
 * their own are ordered by semaphores, and need none. */
static void test_slots(void) {
    for (int own = 0; own < 2; own++) {
        rp_exec_params params = mock_params;
        params.slots = 3;
        params.state_per_slot = own;
        open_three(&params);
        static const uint32_t values[] = {1, 1, 7, 16, 16, 2, 7, 7, 7, 16, 1, 7};
        uint32_t last = FORMS;
        for (uint32_t i = 0; i < sizeof values / sizeof *values; i++) {
            uint32_t of = form_of(values[i]);
            set(i % 3, values[i]);
            CU_ASSERT_EQUAL(replay(i % 3, of), !own && last != FORMS && last != of);
            last = of;
        }
        close_all();
    }
}

/* Forms have as many pieces, the last ones of a short form with nothing in them; a begun replay stays the form
 * that it began as. */
static void test_pieces(void) {
    rp_exec_params params = mock_params;
    params.pieces = 4;
    open_three(&params);
    uint32_t pieces = rp_exec_piece_count(exec), value = 16;
    CU_ASSERT_EQUAL_FATAL(pieces, 4);
    for (uint32_t f = 0; f < FORMS; f++) {
        rp_submit_params first = {.size = sizeof first, .pieces = 1};
        set(0, most[f]);
        mock.stall = true;
        CU_ASSERT_EQUAL(rp_exec_submit(exec, &first, diags, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", 0, &value, 1, diags), RP_ERROR_BUSY);
        for (uint32_t p = 1; p < pieces; p++) {
            CU_ASSERT_EQUAL(rp_exec_continue(exec, 1, diags), RP_OK);
            CU_ASSERT_PTR_EQUAL(mock.submitted[0], recorded(0, f, p));
        }
        mock.stall = false;
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_completed(exec), f + 1);
    }
    CU_ASSERT_STRING_EQUAL(mock_commands(recorded(0, 0, 3)), "simultaneous\n");
    close_all();
}

/* What the application submits waits for whatever ran before it, and what comes behind for that. */
static void test_given(void) {
    open_three(&mock_params);
    uint64_t reserved = 0;
    set(0, 7);
    const char *given = mock_commands(rp_exec_command_buffer(exec, 0, 0));
    const char *own = mock_commands(recorded(0, 1, 0));
    static const char begin[] = "simultaneous\n", full[] = "barrier all:MW -> host|all:MR:MW\n";
    CU_ASSERT_PTR_NOT_NULL_FATAL(strstr(given, begin));
    CU_ASSERT_NSTRING_EQUAL(given + strlen(begin), full, strlen(full));
    CU_ASSERT_STRING_EQUAL(given + strlen(begin) + strlen(full), own + strlen(begin));
    (void)replay(0, 1);
    CU_ASSERT_EQUAL(rp_exec_reserve(exec, 0, diags, &reserved), RP_OK);
    mock_signal(rp_exec_timeline(exec), reserved);
    CU_ASSERT_TRUE(replay(0, 1)); /* it may have run another form */
    CU_ASSERT_PTR_NULL(rp_exec_command_buffer(exec, 0, 1));
    close_all();
}

/* What each form's own barriers know nothing of: one fills what the other reads, and overwrites what it read. */
static rp_plan *one_of_two(uint32_t size, const char *node, const char *first, const char *last) {
    char text[4096] = "";
    add(text,
        "reprise 1\n"
        "graph g scheduled placed synced arena 0 {\n"
        "  buf $n live u32[1] max %u\n"
        "  buf $x in f32[{$n},16]\n"
        "  buf $s inout 256\n"
        "  buf $y out 256\n"
        "  kern @k spirv - local 64 1 1 (r, w)\n"
        "  barrier %s\n"
        "  group 0\n"
        "    n0 = %s\n"
        "  barrier %s\n"
        "}\n",
        size, first, node, last);
    return mock_plan(text);
}

static void test_barrier_matters(void) {
    for (uint32_t way = 0; way < 4; way++) {
        bool skip = way % 2, turned = way / 2;
        mock_reset();
        mock_allocator_init(&memory);
        diags = rp_diags_create(NULL);
        rp_plan *forms[] = {one_of_two(4, "fill 00000000 (w $s)", "transfer:w -> transfer:w",
                                       "transfer:w -> host:r"),
                            one_of_two(8, "run @k grid 1 1 1 (r $s, w $y)",
                                       "compute:w -> compute:w", "compute:w -> host:r")};
        plan = NULL;
        CU_ASSERT_EQUAL_FATAL(rp_plan_join(NULL, (const rp_plan *const *)forms, 2, diags, &plan),
                              RP_OK);
        rp_exec_params params = mock_params;
        params.slots = 2; /* of one state; the host sees no end in between */
        open_plan(&params);
        mock.races = true;
        for (uint32_t i = 0; i < 2; i++) set(i, (i == 0) == turned ? 8 : 4);
        for (uint32_t i = 0; i < 2; i++) {
            const rp_submit_params submit = {.size = sizeof submit, .slot = i};
            mock_barriers = 0;
            mock_skip_barrier = skip && i == 1;
            CU_ASSERT_EQUAL(rp_exec_submit(exec, &submit, diags, NULL), RP_OK);
        }
        mock_skip_barrier = 0;
        CU_ASSERT_EQUAL(mock.mistake != NULL, skip);
        mock.mistake = NULL;
        for (uint32_t i = 0; i < 2; i++) rp_plan_destroy(forms[i]);
        close_all();
    }
}

static void test_bind(void) {
    open_three(&mock_params);
    const rp_storage_params wanted = {.size = sizeof wanted, .bytes = 4096};
    rp_storage *storage = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &wanted, diags, &storage), RP_OK);
    set(0, 7);
    (void)replay(0, 1);
    rp_binding binding = {.buffer = "s", .storage = storage, .slot = RP_ALL_SLOTS};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_get_form(exec, 0), 1);
    CU_ASSERT_EQUAL(grid_of(0, 1), 7);
    for (uint32_t f = 0; f < FORMS; f++) {
        set(0, most[f]);
        (void)replay(0, f);
        CU_ASSERT_PTR_EQUAL(rp_form_slot(exec, &exec->slots[0], f)->places[3].storage, storage);
    }
    /* The arena is that of the largest, whichever form has it. */
    rp_range_info arena = {.size = sizeof arena};
    CU_ASSERT_EQUAL(rp_exec_get_range(exec, 0, NULL, diags, &arena), RP_OK);
    CU_ASSERT_EQUAL(arena.bytes, 1024);
    rp_plan_info info = {.size = sizeof info};
    CU_ASSERT_EQUAL(rp_plan_get_info(plan, &info), RP_OK);
    CU_ASSERT_EQUAL(info.arena_bytes, 1024);
    CU_ASSERT_EQUAL(info.forms, FORMS);
    binding.buffer = NULL;
    binding.offset = 3584; /* 512 bytes are left */
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_ERROR_USAGE);
    binding.offset = 2048;
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_OK);
    binding.buffer = "t";
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "several forms, each with transients of its own"));
    (void)replay(0, 2);
    rp_storage_release(storage);
    close_all();
}

/* To one form and back. */
static void test_update(void) {
    open_three(&mock_params);
    rp_plan *one = form(16, 2, 256);
    rp_update_report report = {.size = sizeof report};
    set(0, 7);
    (void)replay(0, 1);
    CU_ASSERT_EQUAL(rp_exec_update(exec, one, &report, diags), RP_OK);
    CU_ASSERT_EQUAL(exec->part_count, 0);
    CU_ASSERT_EQUAL(rp_exec_get_form(exec, 0), 0);
    CU_ASSERT_FALSE(replay(0, 0));
    CU_ASSERT_EQUAL(rp_exec_update(exec, plan, &report, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_get_form(exec, 0), 1); /* the value is kept */
    (void)replay(0, 1);
    set(0, 16);
    CU_ASSERT_TRUE(replay(0, 2));
    rp_plan_destroy(one);
    close_all();
}

static void test_switches(void) {
    static const char *const names[] = {"rest", "first"};
    rp_exec_params params = mock_params;
    params.switches = names;
    params.switch_count = 2;
    mock_reset();
    mock_allocator_init(&memory);
    diags = rp_diags_create(NULL);
    plan = three_forms();
    open_plan(&params);
    set(0, 3);
    CU_ASSERT_EQUAL(rp_exec_enable(exec, 0, "first", 0, diags), RP_OK);
    for (uint32_t f = 0; f < FORMS; f++) {
        set(0, most[f]);
        CU_ASSERT_EQUAL(grid_of(0, f), 0);
        CU_ASSERT_EQUAL(rp_exec_enable(exec, 0, "first", 1, diags), RP_OK);
        CU_ASSERT_EQUAL(grid_of(0, f), most[f]);
        CU_ASSERT_EQUAL(rp_exec_enable(exec, 0, "first", 0, diags), RP_OK);
    }
    rp_exec_destroy(exec);
    static const char *const number[] = {"n1"};
    params.switches = number;
    params.switch_count = 1;
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &params, diags, &exec), RP_ERROR_NOT_FOUND);
    CU_ASSERT_TRUE(rp_test_said(diags, "n1 may be another node in each form of the plan"));
    close_all();
}

static void test_counters(void) {
    open_three(&mock_params);
    uint64_t dispatches = 0;
    static const uint32_t nodes[FORMS] = {2, 5, 3};
    for (uint32_t i = 0; i < 9; i++) {
        set(0, most[i % 3]);
        (void)replay(0, i % 3);
        dispatches += nodes[i % 3];
        CU_ASSERT_EQUAL(mock_counters(exec).dispatches, dispatches);
        CU_ASSERT_EQUAL(mock_counters(exec).replays, i + 1);
    }
    CU_ASSERT_EQUAL(mock_counters(exec).recordings, FORMS);
    CU_ASSERT_EQUAL(mock_counters(exec).pipelines, 2 * FORMS);
    rp_profile *profile = NULL;
    rp_profile_params params = {.size = sizeof params, .rounds = 2, .warm_up = 1};
    for (uint32_t f = 0; f < FORMS; f++) {
        set(0, most[f]);
        CU_ASSERT_EQUAL_FATAL(rp_exec_profile(exec, &params, diags, &profile), RP_OK);
        rp_profile_info info = {.size = sizeof info};
        CU_ASSERT_EQUAL(rp_profile_get_info(profile, &info), RP_OK);
        CU_ASSERT_EQUAL(info.nodes, nodes[f]);
        rp_profile_node node = {.size = sizeof node};
        CU_ASSERT_EQUAL(rp_profile_get_node(profile, 0, &node), RP_OK);
        CU_ASSERT_EQUAL(node.grid[0], most[f]);
        rp_profile_destroy(profile);
    }
    close_all();
}

/* The form in flight when the device is lost. */
static void test_lost(void) {
    rp_exec_params params = mock_params;
    params.markers = 1;
    open_three(&params);
    set(0, 7);
    mock.lose_after = 5;
    (void)rp_exec_submit(exec, NULL, diags, NULL);
    CU_ASSERT_NOT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    const char *text = rp_exec_lost_node(exec);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "@s8"));
    rp_exec_destroy(exec);
    exec = NULL;
    rp_device_destroy(device, diags);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    CU_ASSERT_EQUAL(memory.alive, 0);
}

/* Every allocation and every call of the driver fails once while an exec is made, bound and updated. */
static void test_failures(void) {
    for (int which = 0; which < 2; which++) {
        rp_status status = RP_ERROR_DRIVER;
        for (uint32_t at = 1; status != RP_OK && at < 2000; at++) {
            mock_reset();
            mock_allocator_init(&memory);
            diags = rp_diags_create(NULL);
            plan = three_forms();
            rp_plan *one = form(16, 2, 256);
            device = mock_open(&memory.allocator, diags);
            rp_exec_params params = mock_params;
            params.slots = 2;
            exec = NULL;
            if (which) {
                mock.fail_at = mock.calls + at;
                mock.fail_with = VK_ERROR_OUT_OF_HOST_MEMORY;
            } else {
                memory.fail_at = memory.calls + (long)at;
            }
            status = rp_exec_create(device, plan, &params, diags, &exec);
            if (status == RP_OK) status = rp_exec_update(exec, one, NULL, diags);
            if (status == RP_OK) status = rp_exec_update(exec, plan, NULL, diags);
            if (status == RP_OK) status = rp_exec_bind(exec, NULL, 0, diags);
            mock.fail_at = 0;
            memory.fail_at = 0;
            rp_plan_destroy(one);
            close_all();
        }
        CU_ASSERT_EQUAL(status, RP_OK);
    }
}

int main(void) {
    static const rp_test tests[] = {{"every value behind every other", test_every_value},
                                    {"refused values", test_refused},
                                    {"slots", test_slots},
                                    {"pieces", test_pieces},
                                    {"given to the application", test_given},
                                    {"the barrier between forms matters", test_barrier_matters},
                                    {"bound memory", test_bind},
                                    {"another plan", test_update},
                                    {"switches", test_switches},
                                    {"counters and profiles", test_counters},
                                    {"a lost device", test_lost},
                                    {"failures", test_failures},
                                    {NULL, NULL}};
    return rp_run_tests("forms", tests);
}
