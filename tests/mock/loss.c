/* Lost devices on the fake driver, which stops in the middle of a replay: what is said of where, by
 * each source that can tell, and that nobody is blamed who did not run. */
#include <stdio.h>
#include "opened.h"

static const char text[] = "reprise 1\n"
                           "graph g scheduled placed synced arena 0 {\n"
                           "  buf $x out 64\n"
                           "  buf $y out 64\n"
                           "  kern @k spirv - local 1 1 1 (rw)\n"
                           "  group 0\n"
                           "    n0 = fill 00000007 (w $x)\n"
                           "  barrier transfer:w -> compute:rw\n"
                           "  group 1\n"
                           "    n1 = run @k grid 1 1 1 (rw $x) label \"a/b\"\n"
                           "    n2 = run @k grid 1 1 1 (rw $y)\n"
                           "  barrier compute:w -> transfer:rw\n"
                           "  group 2\n"
                           "    n3 = copy (r $x, w $y)\n"
                           "}\n";

static const rp_exec_params marked = {.size = sizeof marked, .cache_path = "", .markers = 1};

/* What the device has: what lets the plan be told where it is. */
typedef enum source { TRANSFERS, CHECKPOINTS, MARKERS } source;

static void begin(source from, const rp_exec_params *params) {
    static const char *const names[] = {NULL, VK_NV_DEVICE_DIAGNOSTIC_CHECKPOINTS_EXTENSION_NAME,
                                        VK_AMD_BUFFER_MARKER_EXTENSION_NAME};
    mock_reset();
    mock.extensions_too[0] = names[from];
    open_text(text, params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
}

static void expect_said(const rp_exec *of, const char *part) {
    const char *said = rp_exec_lost_node(of);
    CU_ASSERT_PTR_NOT_NULL_FATAL(said);
    if (!strstr(said, part)) printf("\n  said: %s\n  wanted: %s\n", said, part);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, part));
}

static void expect_lost(const char *part) {
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_ERROR_DEVICE_LOST);
    CU_ASSERT_TRUE(rp_test_said(diags, part));
    expect_said(exec, part);
}

/* Lost after each step of a replay, the first one and one that finds what the first has left. */
static void test_each_step(void) {
    static const char n0[] = "; n0 (fill) had begun and not ended";
    static const char n1[] = "; n1 (run @k, label a/b) had begun and not ended";
    static const char n2[] = "; n2 (run @k) had begun and not ended";
    static const char n3[] = "; n3 (copy) had begun and not ended";
    static const char all[] = "; none of its nodes had begun, or all had ended";
    static const struct {
        source from;
        const char *steps[12];
    } cases[] = {
        /* The write in front of a node, and the transfer that a node may be. */
        {TRANSFERS, {n0, n0, n1, n2, n3, n3, all}},
        /* A checkpoint at the bottom says what ended before it, and nothing of the node behind. */
        {CHECKPOINTS,
         {n0, n0, "; n0 (fill) to n1 (run @k, label a/b) had begun",
          "; n1 (run @k, label a/b) to n2 (run @k) had begun",
          "; n2 (run @k) to n3 (copy) had begun", n3, n3}},
        /* The words are cleared; then one marker in front and one behind. */
        {MARKERS,
         {all, n0, n0, "; n0 (fill) had ended, the next had not begun", n1,
          "; n1 (run @k, label a/b) had ended, the next", n2, "; n2 (run @k) had ended, the next",
          n3, n3, all}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (uint32_t step = 0; cases[c].steps[step]; step++)
            for (uint32_t replays = 0; replays < 2; replays++) {
                begin(cases[c].from, &marked);
                for (uint32_t i = 0; i < replays; i++) {
                    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
                    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
                }
                mock.lose_after = step + 1;
                expect_lost(cases[c].steps[step]);
                char number[80];
                snprintf(number, sizeof number, "replay %u of g in flight, %u replays were",
                         replays + 1, replays);
                expect_said(exec, number);
                close_all();
            }
}

/* Transfers have full barriers around them; the driver's own markers need none, but their words are
 * cleared at the start. */
static void test_commands(void) {
    static const char barrier[] = "barrier all:MW -> host|all:MR:MW\n";
    for (source from = TRANSFERS; from <= MARKERS; from++) {
        begin(from, &marked);
        const char *commands = mock_commands(rp_exec_command_buffer(exec, 0, 0));
        uint32_t barriers = 0;
        for (const char *at = commands; (at = strstr(at, barrier)); at++) barriers++;
        const uint32_t expected[] = {[TRANSFERS] = 10, [MARKERS] = 2}; /* four nodes, the end */
        CU_ASSERT_EQUAL(barriers, expected[from]);
        close_all();
    }
    begin(MARKERS, &mock_params); /* nothing of it without the parameter */
    CU_ASSERT_PTR_NULL(strstr(mock_commands(rp_exec_command_buffer(exec, 0, 0)), "marker"));
    close_all();
}

static void test_without_markers(void) {
    begin(TRANSFERS, &mock_params);
    CU_ASSERT_PTR_NULL(rp_exec_lost_node(exec));
    mock.lose_after = 1;
    expect_lost("replay 1 of g in flight, 0 replays were known to be done; rp_exec_params.markers");
    close_all();
}

/* Of several slots in flight, each with its own. */
static void test_slots(void) {
    const rp_exec_params params = {
        .size = sizeof params, .cache_path = "", .markers = 1, .slots = 3};
    begin(TRANSFERS, &params);
    mock.stall = true;
    const rp_submit_params second = {.size = sizeof second, .slot = 1};
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    mock.lose_after = 3;
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &second, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 2, UINT64_MAX, NULL), RP_ERROR_DEVICE_LOST);
    expect_said(exec, "; slot 0: none of its nodes had begun, or all had ended; slot 1: n1 (run");
    CU_ASSERT_PTR_NULL(strstr(rp_exec_lost_node(exec), "slot 2")); /* not in flight */
    close_all();
}

/* A queue is at one exec's checkpoints, and another exec is not blamed for them. */
static void test_others(void) {
    begin(CHECKPOINTS, &marked);
    rp_exec *other = NULL;
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &marked, diags, &other), RP_OK);
    mock.stall = true;
    CU_ASSERT_EQUAL(rp_exec_submit(other, NULL, NULL, NULL), RP_OK);
    mock.lose_after = 3;
    expect_lost("n0 (fill) to n1 (run @k, label a/b) had begun");
    CU_ASSERT_EQUAL(rp_exec_wait(other, 0, UINT64_MAX, NULL), RP_ERROR_DEVICE_LOST);
    expect_said(other, "the markers do not say at which node");
    rp_exec_destroy(other);
    close_all();
}

/* What was not submitted is not blamed: a submission that fails, and one that is the application's. */
static void test_not_submitted(void) {
    begin(TRANSFERS, &marked);
    mock.lost = true;
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_ERROR_DEVICE_LOST);
    expect_said(exec, "the device was lost with no replay of g in flight");
    CU_ASSERT_PTR_NULL(strstr(rp_exec_lost_node(exec), "n0"));
    close_all();

    begin(TRANSFERS, &marked);
    uint64_t replay = 0;
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_reserve(exec, 0, NULL, &replay), RP_OK);
    mock.lost = true;
    CU_ASSERT_EQUAL(rp_exec_completed(exec), 1);
    expect_said(exec, "no replay of g in flight; replay 2 was the application's to submit");
    close_all();
}

/* What the driver says where it can, and no word where it cannot. */
static void test_device_fault(void) {
    for (int able = 0; able < 4; able++) {
        mock_reset();
        mock.extensions_too[1] = able & 1 ? VK_EXT_DEVICE_FAULT_EXTENSION_NAME : NULL;
        mock.device_fault = able & 2;
        open_text(text, &mock_params);
        CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
        mock.lose_after = 1;
        expect_lost(able == 3 ? "; the driver says: page fault, write at 0xdead000, write at "
                                "0xdead000, write at 0xdead000, write at 0xdead000, MMU (code "
                                "0x17, 0x2a)"
                              : "replay 1 of g in flight");
        CU_ASSERT_EQUAL(strstr(rp_exec_lost_node(exec), "the driver says") != NULL, able == 3);
        close_all();
    }
    mock_reset();
    mock.extensions_too[1] = VK_EXT_DEVICE_FAULT_EXTENSION_NAME;
    mock.device_fault = true;
    open_text(text, &mock_params);
    mock.lose_after = 1;
    mock.fail_call = "vkGetDeviceFaultInfoEXT";
    expect_lost("replay 1 of g in flight");
    CU_ASSERT_PTR_NULL(strstr(rp_exec_lost_node(exec), "the driver says"));
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"each step", test_each_step},
                                    {"commands", test_commands},
                                    {"without markers", test_without_markers},
                                    {"slots", test_slots},
                                    {"other execs", test_others},
                                    {"not submitted", test_not_submitted},
                                    {"device fault", test_device_fault},
                                    {0}};
    return rp_run_tests("lost devices", tests);
}
