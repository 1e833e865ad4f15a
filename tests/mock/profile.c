/* Profiles: what is submitted to measure an exec, what is made of the timestamps, and that nothing is
 * left of it, not even when it fails halfway. */
#include <stdlib.h>
#include "opened.h"

/* Two groups, of two nodes and of one; y counts replays by what is added to it, s is all state. */
static const char text[] = "reprise 1\n"
                           "graph all scheduled placed synced arena 256 {\n"
                           "  buf $x in 256\n"
                           "  buf $y out 256\n"
                           "  buf $s inout 20\n"
                           "  buf $n live u32[2] = 03000000 02000000\n"
                           "  buf %a tmp 256 at 0\n"
                           "  kern @k spirv - local 64 1 1 (r, w)\n"
                           "  kern @l spirv - local 64 1 1 (r, rw)\n"
                           "  barrier compute:rw,transfer:rw -> compute:rw,transfer:rw\n"
                           "  group 0\n"
                           "    n0 = run @k grid {$n} 2 1 (r $x, w %a) label \"part\"\n"
                           "    n2 = fill 07070707 (w $s)\n"
                           "  barrier compute:w,transfer:w -> compute:rw,transfer:rw\n"
                           "  group 1\n"
                           "    n1 = run @l grid 4 1 1 (r %a, rw $y)\n"
                           "  barrier compute:w -> host:r\n"
                           "}\n";
enum {
    NODES = 3,
    GROUPS = 2,
    GROUP_STAMPS = GROUPS + 2,
    BARRIER_STAMPS = 2 * (GROUPS + 1),
    NODE_STAMPS = 2 * (NODES + 1)
};

static const rp_profile_params few = {.size = sizeof few, .rounds = 3, .warm_up = 2};

static rp_profile *measure(const rp_profile_params *params, rp_status wanted) {
    rp_profile *profile = (rp_profile *)text;
    rp_status status = rp_exec_profile(exec, params, diags, &profile);
    CU_ASSERT_EQUAL(status, wanted);
    CU_ASSERT_EQUAL(profile != NULL, wanted == RP_OK);
    return profile;
}

static rp_profile_info info_of(const rp_profile *profile) {
    rp_profile_info info = {.size = sizeof info};
    CU_ASSERT_EQUAL(rp_profile_get_info(profile, &info), RP_OK);
    return info;
}

static rp_profile_group group_of(const rp_profile *profile, uint32_t index) {
    rp_profile_group group = {.size = sizeof group};
    CU_ASSERT_EQUAL(rp_profile_get_group(profile, index, &group), RP_OK);
    return group;
}

static rp_profile_node node_of(const rp_profile *profile, uint32_t index) {
    rp_profile_node node = {.size = sizeof node};
    CU_ASSERT_EQUAL(rp_profile_get_node(profile, index, &node), RP_OK);
    return node;
}

/* ---- Times ----------------------------------------------------------------------------------- */

/* Ticks of a counter that wraps around while the whole is measured. A round takes longer than the one
 * before but for the second, which is quick. */
static uint32_t rounds_read;

static uint64_t ticks(uint32_t count, uint32_t query) {
    static const uint64_t groups[GROUP_STAMPS] = {0, 10, 110, 310};
    static const uint64_t barriers[BARRIER_STAMPS] = {0, 5, 80, 95, 200, 203};
    static const uint64_t nodes[NODE_STAMPS] = {0, 20, 100, 150, 200, 240, 300, 305};
    uint64_t round = rounds_read / 3, slow = round % 3 == 1 ? 0 : round % 3 == 0 ? 1 : 2;
    uint64_t begin = (UINT64_C(1) << 36) - 100 + round * 7, at = 0;
    if (query + 1 == count) rounds_read++;
    if (count == 2) at = query * (400 + 40 * slow);
    if (count == GROUP_STAMPS) at = groups[query];
    if (count == BARRIER_STAMPS) at = barriers[query];
    if (count == NODE_STAMPS) at = nodes[query];
    return (begin + at) & ((UINT64_C(1) << 36) - 1);
}

static void test_times(void) {
    mock_reset();
    mock.families[1].timestampValidBits = 36;
    mock.properties.limits.timestampPeriod = 2.0f;
    mock.ticks = ticks;
    rounds_read = 0;
    open_text(text, &mock_params);
    rp_profile *profile = measure(&few, RP_OK);
    CU_ASSERT_EQUAL(rounds_read, 12);
    rp_profile_info info = info_of(profile);
    CU_ASSERT_EQUAL(info.rounds, 3);
    CU_ASSERT_EQUAL(info.groups, GROUPS);
    CU_ASSERT_EQUAL(info.nodes, NODES);
    /* Rounds 0 to 2 were those of the whole, of which none was slow. */
    CU_ASSERT_DOUBLE_EQUAL(info.whole.median, 2 * 440, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(info.whole.least, 2 * 440, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(info.stamp, 2 * 20, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(group_of(profile, 0).time.median, 2 * (100 - 10), 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(group_of(profile, 1).time.median, 2 * (200 - 10), 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(info.groups_sum, 2 * 280, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(group_of(profile, 0).barrier.median, 2 * (15 - 5), 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(group_of(profile, 0).barrier.least, 2 * (15 - 5), 1e-9);
    CU_ASSERT_EQUAL(group_of(profile, 1).barrier.median, 0);
    CU_ASSERT_DOUBLE_EQUAL(info.barriers_sum, 2 * 10, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(node_of(profile, 0).time.median, 2 * (50 - 20), 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(node_of(profile, 1).time.median, 2 * (40 - 20), 1e-9);
    CU_ASSERT_EQUAL(node_of(profile, 2).time.median, 0); /* less than two timestamps take */
    CU_ASSERT_DOUBLE_EQUAL(info.nodes_sum, 2 * 50, 1e-9);
    rp_profile_destroy(profile);
    close_all();
}

/* Every round of the whole takes another time. */
static uint64_t scattered(uint32_t count, uint32_t query) {
    static const uint64_t times[] = {900, 100, 500, 700, 300};
    uint64_t at = count == 2 ? query * times[rounds_read % 5] : 1000 * query;
    if (count == 2 && query == 1) rounds_read++;
    return at;
}

static void test_medians(void) {
    mock_reset();
    mock.ticks = scattered;
    open_text(text, &mock_params);
    for (uint32_t rounds = 3; rounds <= 5; rounds++) {
        static const double median[] = {500, 600, 500}, least[] = {100, 100, 100};
        const rp_profile_params params = {.size = sizeof params, .rounds = rounds, .warm_up = 1};
        rounds_read = 0;
        rp_profile *profile = measure(&params, RP_OK);
        CU_ASSERT_DOUBLE_EQUAL(info_of(profile).whole.median, median[rounds - 3], 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(info_of(profile).whole.least, least[rounds - 3], 1e-9);
        rp_profile_destroy(profile);
    }
    close_all();
}

/* The defaults: twenty rounds behind a warm-up of a tenth of a second. */
static void test_defaults(void) {
    mock_reset();
    open_text(text, &mock_params);
    rp_profile *profile = measure(NULL, RP_OK);
    CU_ASSERT_EQUAL(info_of(profile).rounds, 20);
    CU_ASSERT_TRUE(mock_counters(exec).replays >= 4 * (20 + 3));
    rp_profile_destroy(profile);
    close_all();
}

/* The same of replays that take long: no more of them warm up than are wanted, though more are in flight later. */
static void test_slow_replays(void) {
    const rp_profile_params one = {.size = sizeof one, .rounds = 1};
    mock_reset();
    open_text(text, &mock_params);
    mock.wait_ms = 35; /* three take a tenth of a second */
    rp_profile *profile = measure(&one, RP_OK);
    CU_ASSERT_TRUE(mock_counters(exec).replays >= 4 * (3 + 1));
    CU_ASSERT_TRUE(mock_counters(exec).replays <= 4 * (3 + 3 + 1));
    mock.wait_ms = 0;
    rp_profile_destroy(profile);
    close_all();
}

/* ---- What is submitted ----------------------------------------------------------------------- */

static char said[4][4096]; /* the last twin of each kind; of the whole what surrounds it */
static const void *inside; /* the command buffer between */

static uint64_t listen(uint32_t count, uint32_t query) {
    uint32_t way = count == 2 ? 0 : count == GROUP_STAMPS ? 1 : count == NODE_STAMPS ? 2 : 3;
    if (way == 0 && mock.submitted_count == 3) {
        inside = mock.submitted[1];
        snprintf(said[0], sizeof said[0], "%s...\n%s", mock_commands(mock.submitted[0]),
                 mock_commands(mock.submitted[2]));
    } else if (way > 0 && mock.submitted_count == 1) {
        snprintf(said[way], sizeof said[way], "%s", mock_commands(mock.submitted[0]));
    }
    return 100 * query;
}

#define FULL "barrier all:MW -> host|all:MR:MW\n"

static void test_commands(void) {
    mock_reset();
    mock.ticks = listen;
    mock.races = true;
    memset(said, 0, sizeof said);
    open_text(text, &mock_params);
    const void *own = rp_exec_command_buffer(exec, 0, 0);
    char *before = strdup(mock_commands(own));
    rp_profile *profile = measure(&few, RP_OK);
    CU_ASSERT_EQUAL(inside, own);
    CU_ASSERT_EQUAL(rp_exec_command_buffer(exec, 0, 0), own);
    CU_ASSERT_STRING_EQUAL(mock_commands(own), before);
    free(before);
    CU_ASSERT_STRING_EQUAL(said[0],
                           FULL "reset_queries 0 2\ntimestamp 0 all\n...\ntimestamp 1 all\n");
    CU_ASSERT_STRING_EQUAL(said[1],
                           FULL "reset_queries 0 4\ntimestamp 0 all\ntimestamp 1 all\n"
                                "pipeline p0\nset 0 s0\nindirect b1+256\nfill b4+0 20 07070707\n"
                                "barrier compute|transfer:TW:SW -> compute|transfer:TR:TW:SR:SW\n"
                                "timestamp 2 all\n"
                                "pipeline p1\nset 0 s1\ndispatch 4 1 1\ntimestamp 3 all\n" FULL);
    CU_ASSERT_STRING_EQUAL(said[2],
                           FULL "reset_queries 0 8\ntimestamp 0 all\ntimestamp 1 all\n" FULL
                                "timestamp 2 all\npipeline p0\nset 0 s0\nindirect b1+256\n"
                                "timestamp 3 all\n" FULL
                                "timestamp 4 all\nfill b4+0 20 07070707\ntimestamp 5 all\n" FULL
                                "timestamp 6 all\npipeline p1\nset 0 s1\ndispatch 4 1 1\n"
                                "timestamp 7 all\n" FULL);
    CU_ASSERT_STRING_EQUAL(said[3],
                           FULL "reset_queries 0 6\ntimestamp 0 all\ntimestamp 1 all\n"
                                "pipeline p0\nset 0 s0\nindirect b1+256\nfill b4+0 20 07070707\n"
                                "timestamp 2 all\n"
                                "barrier compute|transfer:TW:SW -> compute|transfer:TR:TW:SR:SW\n"
                                "timestamp 3 all\n"
                                "pipeline p1\nset 0 s1\ndispatch 4 1 1\n"
                                "timestamp 4 all\ntimestamp 5 all\n" FULL);
    rp_profile_destroy(profile);
    close_all();
}

/* Several pieces, several slots that overlap, markers, timestamps of the exec's own: all orders hold,
 * and rounds are replays like others. */
static void test_execs(void) {
    for (uint32_t pieces = 1; pieces <= 2; pieces++)
        for (uint32_t slots = 1; slots <= 2; slots++) {
            mock_reset();
            mock.races = true;
            const rp_exec_params params = {.size = sizeof params,
                                           .cache_path = "",
                                           .pieces = pieces,
                                           .slots = slots,
                                           .state_per_slot = 1,
                                           .markers = pieces == 2,
                                           .timestamps = 1};
            const rp_profile_params profiled = {
                .size = sizeof profiled, .rounds = 9, .warm_up = 4, .slot = slots - 1};
            const rp_submit_params submit = {.size = sizeof submit, .slot = slots - 1};
            open_text(text, &params);
            CU_ASSERT_EQUAL(rp_exec_submit(exec, &submit, diags, NULL), RP_OK);
            CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
            CU_ASSERT_TRUE(rp_exec_gpu_seconds(exec, slots - 1) > 0);
            rp_profile_destroy(measure(&profiled, RP_OK));
            CU_ASSERT_EQUAL(rp_exec_completed(exec), 1 + 4 * 13);
            CU_ASSERT_EQUAL(mock_counters(exec).replays, 1 + 4 * 13);
            CU_ASSERT_TRUE(rp_exec_gpu_seconds(exec, slots - 1) < 0);
            CU_ASSERT_EQUAL(rp_exec_submit(exec, &submit, diags, NULL), RP_OK);
            CU_ASSERT_EQUAL(rp_exec_wait_pieces(exec, 1 + 4 * 13, 1, UINT64_MAX, diags), RP_OK);
            CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
            CU_ASSERT_TRUE(rp_exec_gpu_seconds(exec, slots - 1) > 0);
            close_all();
        }
}

/* ---- State ----------------------------------------------------------------------------------- */

static const unsigned char state[20] = "what was there first";

static bool state_is(const char *bytes) {
    unsigned char now[20];
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "s", 0, now, sizeof now, diags), RP_OK);
    return memcmp(now, bytes, sizeof now) == 0;
}

static void test_state(void) {
    for (int leave = 0; leave < 2; leave++) {
        mock_reset();
        open_text(text, &mock_params);
        rp_profile_params params = few;
        params.leave_state = leave;
        uint64_t bytes = mock_counters(exec).memory_bytes;
        CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "s", 0, state, sizeof state, diags), RP_OK);
        rp_profile_destroy(measure(&params, RP_OK));
        CU_ASSERT_TRUE(
            state_is(leave ? "\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7" : (const char *)state));
        CU_ASSERT_EQUAL(mock_counters(exec).memory_bytes, bytes);
        close_all();
    }
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

static void test_nodes(void) {
    static const char *const names[] = {"part"};
    const rp_exec_params switched = {
        .size = sizeof switched, .cache_path = "", .switches = names, .switch_count = 1};
    mock_reset();
    open_text(text, &switched);
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", 0, &(uint32_t){5}, 1, diags), RP_OK);
    rp_profile *profile = measure(&few, RP_OK);
    rp_profile_node node = node_of(profile, 0);
    CU_ASSERT_EQUAL(node.id, 0);
    CU_ASSERT_EQUAL(node.kind, RP_RUN);
    CU_ASSERT_STRING_EQUAL(node.kernel, "k");
    CU_ASSERT_STRING_EQUAL(node.label, "part");
    CU_ASSERT_TRUE(node.grid_known);
    CU_ASSERT_EQUAL(node.grid[0], 5);
    CU_ASSERT_EQUAL(node.grid[1], 2);
    node = node_of(profile, 1);
    CU_ASSERT_EQUAL(node.id, 2);
    CU_ASSERT_EQUAL(node.kind, RP_FILL);
    CU_ASSERT_PTR_NULL(node.kernel);
    CU_ASSERT_PTR_NULL(node.label);
    CU_ASSERT_FALSE(node.grid_known);
    node = node_of(profile, 2);
    CU_ASSERT_EQUAL(node.id, 1);
    CU_ASSERT_EQUAL(node.group, 1);
    CU_ASSERT_EQUAL(node.grid[0], 4);
    CU_ASSERT_EQUAL(group_of(profile, 0).node_count, 2);
    CU_ASSERT_EQUAL(group_of(profile, 1).first_node, 2);

    /* A caller with a shorter struct gets what it knows. */
    rp_profile_node shorter = {.size = offsetof(rp_profile_node, kind), .kind = RP_FENCE};
    CU_ASSERT_EQUAL(rp_profile_get_node(profile, 1, &shorter), RP_OK);
    CU_ASSERT_EQUAL(shorter.id, 2);
    CU_ASSERT_EQUAL(shorter.kind, RP_FENCE);
    shorter.size = 0;
    CU_ASSERT_EQUAL(rp_profile_get_node(profile, 1, &shorter), RP_ERROR_USAGE);
    node.size = sizeof node;
    CU_ASSERT_EQUAL(rp_profile_get_node(profile, NODES, &node), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_profile_get_node(NULL, 0, &node), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(
        rp_profile_get_group(profile, GROUPS, &(rp_profile_group){sizeof(rp_profile_group)}),
        RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_profile_get_info(profile, &(rp_profile_info){0}), RP_ERROR_USAGE);
    rp_profile_destroy(profile);

    /* What is left out runs no workgroups. The profile outlives all it was made of. */
    CU_ASSERT_EQUAL(rp_exec_enable(exec, 0, "part", 0, diags), RP_OK);
    profile = measure(&few, RP_OK);
    rp_exec_destroy(exec);
    exec = NULL;
    CU_ASSERT_EQUAL(rp_device_destroy(device, diags), RP_OK);
    rp_plan_destroy(plan);
    node = node_of(profile, 0);
    CU_ASSERT_STRING_EQUAL(node.kernel, "k");
    CU_ASSERT_TRUE(node.grid_known);
    CU_ASSERT_EQUAL(node.grid[0] + node.grid[1] + node.grid[2], 0);
    rp_profile_destroy(profile);
    rp_diags_destroy(diags);
    CU_ASSERT_EQUAL(memory.alive, 0);
    mock_done();
}

/* ---- Refused --------------------------------------------------------------------------------- */

static void test_refused(void) {
    mock_reset();
    open_text(text,
              &(rp_exec_params){.size = sizeof(rp_exec_params), .cache_path = "", .pieces = 2});
    rp_profile *profile = NULL;
    CU_ASSERT_EQUAL(rp_exec_profile(exec, NULL, diags, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_profile(NULL, NULL, diags, &profile), RP_ERROR_USAGE);
    rp_profile_destroy(NULL);
    rp_profile_params params = few;
    params.size = 0;
    measure(&params, RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "sizeof(rp_profile_params)"));
    params = few;
    params.slot = 1;
    measure(&params, RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "there is no slot 1"));
    params = few;
    params.rounds = RP_PROFILE_MOST_ROUNDS + 1;
    measure(&params, RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "at most 10000 rounds, and as many to warm up, not 10001"));
    params = few;
    params.warm_up = RP_PROFILE_MOST_ROUNDS + 1;
    measure(&params, RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, " and 10001"));
    mock.stall = true;
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    measure(&few, RP_ERROR_BUSY);
    CU_ASSERT_TRUE(rp_test_said(diags, "replay 1 is still in flight"));
    mock.stall = false;
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    const rp_submit_params first = {.size = sizeof first, .pieces = 1};
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &first, diags, NULL), RP_OK);
    measure(&few, RP_ERROR_BUSY);
    CU_ASSERT_TRUE(rp_test_said(diags, "has pieces that are not submitted"));
    CU_ASSERT_EQUAL(rp_exec_continue(exec, 0, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    rp_profile_destroy(measure(&few, RP_OK));
    close_all();

    mock_reset();
    mock.families[1].timestampValidBits = 0;
    open_text(text, &mock_params);
    measure(&few, RP_ERROR_UNSUPPORTED);
    CU_ASSERT_TRUE(rp_test_said(diags, "Mock 9000 has no timestamps in queue family 1"));
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    close_all();
}

/* ---- Faults ---------------------------------------------------------------------------------- */

/* Makes call `at` of a profile fail; false when it has no such call. */
static bool fail_call(uint32_t at, VkResult result, rp_status expected) {
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "s", 0, state, sizeof state, diags), RP_OK);
    uint32_t before = mock.calls;
    mock.fail_at = before + at;
    mock.fail_with = result;
    rp_profile *profile = NULL;
    rp_status status = rp_exec_profile(exec, &few, diags, &profile);
    bool failed = mock.failed != NULL;
    CU_ASSERT_EQUAL(status, failed ? expected : RP_OK);
    CU_ASSERT_EQUAL(profile != NULL, status == RP_OK);
    if (failed) CU_ASSERT_TRUE(rp_diags_error_count(diags) > 0);
    if (failed && status != expected)
        printf("\n  call %u, %s: status %d\n", at, mock.failed, status);
    mock.fail_at = 0;
    if (expected == RP_ERROR_DEVICE_LOST && failed) {
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_ERROR_DEVICE_LOST);
        CU_ASSERT_PTR_NOT_NULL(rp_exec_lost_node(exec));
    } else {
        /* But where it was the putting back that failed. */
        bool there = state_is((const char *)state);
        if (!there) CU_ASSERT_TRUE(failed);
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    }
    rp_profile_destroy(profile);
    close_all();
    return failed;
}

static void test_calls(void) {
    uint32_t calls = 1;
    while (fail_call(calls, VK_ERROR_OUT_OF_DEVICE_MEMORY, RP_ERROR_DEVICE_MEMORY)) calls++;
    CU_ASSERT_TRUE(calls > 100);
    calls = 1;
    while (fail_call(calls, VK_ERROR_UNKNOWN, RP_ERROR_DRIVER)) calls++;
    calls = 1;
    while (fail_call(calls, VK_ERROR_DEVICE_LOST, RP_ERROR_DEVICE_LOST)) calls++;
    CU_ASSERT_TRUE(calls > 100);
}

static void test_allocations(void) {
    long at = 1;
    for (bool failed = true; failed; at++) {
        mock_reset();
        open_text(text, &mock_params);
        CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "s", 0, state, sizeof state, diags), RP_OK);
        memory.fail_at = memory.calls + at;
        rp_profile *profile = NULL;
        rp_status status = rp_exec_profile(exec, &few, NULL, &profile);
        failed = memory.calls >= memory.fail_at;
        memory.fail_at = 0;
        CU_ASSERT_EQUAL(status, failed ? RP_ERROR_NO_MEMORY : RP_OK);
        CU_ASSERT_EQUAL(profile != NULL, status == RP_OK);
        CU_ASSERT_TRUE(state_is((const char *)state));
        rp_profile_destroy(profile);
        close_all();
    }
    CU_ASSERT_TRUE(at > 10);
}

int main(void) {
    static const rp_test tests[] = {{"times", test_times},
                                    {"medians", test_medians},
                                    {"defaults", test_defaults},
                                    {"slow replays", test_slow_replays},
                                    {"commands", test_commands},
                                    {"execs", test_execs},
                                    {"state", test_state},
                                    {"nodes", test_nodes},
                                    {"refused", test_refused},
                                    {"calls", test_calls},
                                    {"allocations", test_allocations},
                                    {0}};
    return rp_run_tests("profile", tests);
}
