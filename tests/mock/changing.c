/* What changes between replays without recording again, on the fake driver: push data that follows
 * live values, and nodes that are left out. */
#include "exec/exec.h"

#include <stdio.h>
#include "opened.h"
#include "reprise/compiler.h"

static const char follow_text[] =
    "reprise 1\n"
    "graph follow scheduled placed synced arena 0 {\n"
    "  buf $y inout 16\n"
    "  buf $n live u32[3] = 01000000 02000000 03000000 max 9\n"
    "  buf $g live f32[1] = 0000803f\n"
    "  buf $p live 16 = 07000000 00000000 00000000 00000000 follows $n[4+8] at 4, $g at 12\n"
    "  buf $q live 8 = 00000000 08000000 follows $n[8+4] at 0\n"
    "  kern @k spirv - local 64 1 1 (rw, r, r)\n"
    "  group 0\n"
    "    n0 = run @k grid {$n} 1 1 (rw $y, r $p, r $q)\n"
    "}\n";

/* What the GPU reads of a live buffer. */
static const uint32_t *live_words(uint32_t slot, const char *name) {
    uint32_t index = 0;
    CU_ASSERT_EQUAL_FATAL(rp_exec_find(exec, name, &index), RP_OK);
    return (const uint32_t *)exec->slots[slot].live.mapped[index];
}

static void expect_blocks(uint32_t slot, uint32_t p0, uint32_t n1, uint32_t n2, uint32_t g) {
    const uint32_t p[4] = {p0, n1, n2, g}, q[2] = {n2, 8};
    CU_ASSERT_EQUAL(memcmp(live_words(slot, "p"), p, sizeof p), 0);
    CU_ASSERT_EQUAL(memcmp(live_words(slot, "q"), q, sizeof q), 0);
}

static rp_status set(uint32_t slot, const char *name, uint32_t first, const void *values,
                     uint32_t count) {
    rp_diags_clear(diags);
    return rp_exec_set_live(exec, slot, name, first, values, count, diags);
}

static void test_follows(void) {
    enum { ONE = 0x3f800000, TWO = 0x40000000 };
    const rp_exec_params params = {.size = sizeof params, .cache_path = "", .slots = 2};
    mock_reset();
    open_text(follow_text, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    expect_blocks(0, 7, 2, 3, ONE);
    expect_blocks(1, 7, 2, 3, ONE);
    uint32_t calls = mock_calls();
    CU_ASSERT_EQUAL(set(0, "n", 2, (uint32_t[]){9}, 1), RP_OK);
    expect_blocks(0, 7, 2, 9, ONE);
    CU_ASSERT_EQUAL(set(0, "n", 0, (uint32_t[]){4, 5}, 2), RP_OK);
    expect_blocks(0, 7, 5, 9, ONE);
    CU_ASSERT_EQUAL(set(0, "g", 0, (float[]){2}, 1), RP_OK);
    CU_ASSERT_EQUAL(set(0, "n", 0, (uint32_t[]){1, 6, 8}, 3), RP_OK);
    expect_blocks(0, 7, 6, 8, TWO);
    expect_blocks(1, 7, 2, 3, ONE); /* another slot */
    CU_ASSERT_EQUAL(mock_calls(), calls);

    CU_ASSERT_EQUAL(set(0, "n", 0, (uint32_t[]){1, 7, 10}, 3), RP_ERROR_INVALID);
    expect_blocks(0, 7, 6, 8, TWO); /* what is refused is not followed */
    CU_ASSERT_EQUAL(set(0, "p", 0, (uint32_t[]){1}, 1), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "p follows other live values and is not set itself: set n"));
    expect_blocks(0, 7, 6, 8, TWO);
    close_all();
}

/* An update keeps live values; constants among push data are the new plan's, and so is what
 * follows what. */
static void test_update(void) {
    enum { ONE = 0x3f800000 };
    static const char next_text[] = "reprise 1\n"
                                    "graph follow scheduled placed synced arena 0 {\n"
                                    "  buf $y inout 16\n"
                                    "  buf $n live u32[3] = 01000000 02000000 03000000 max 9\n"
                                    "  buf $g live f32[1] = 0000803f\n"
                                    "  buf $p live 8 = 00000000 0a000000 follows $n[4+4] at 0\n"
                                    "  buf $r live 4 follows $n[0+4] at 0\n"
                                    "  kern @k spirv - local 64 1 1 (rw, r, r)\n"
                                    "  group 0\n"
                                    "    n0 = run @k grid {$n} 1 1 (rw $y, r $p, r $r)\n"
                                    "}\n";
    mock_reset();
    open_text(follow_text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    CU_ASSERT_EQUAL(set(0, "n", 0, (uint32_t[]){4, 5, 6}, 3), RP_OK);
    rp_plan *next = mock_plan(next_text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(next);
    CU_ASSERT_EQUAL(rp_exec_update(exec, next, NULL, diags), RP_OK);
    CU_ASSERT_EQUAL(live_words(0, "n")[1], 5);
    CU_ASSERT_EQUAL(live_words(0, "p")[0], 5);
    CU_ASSERT_EQUAL(live_words(0, "p")[1], 10);
    CU_ASSERT_EQUAL(live_words(0, "r")[0], 4);
    CU_ASSERT_EQUAL(set(0, "n", 0, (uint32_t[]){7, 8}, 2), RP_OK);
    CU_ASSERT_EQUAL(live_words(0, "p")[0], 8);
    CU_ASSERT_EQUAL(live_words(0, "r")[0], 7);
    rp_update_report report = {.size = sizeof report};
    CU_ASSERT_EQUAL(rp_exec_update(exec, plan, &report, diags), RP_OK); /* and back */
    CU_ASSERT_EQUAL(report.buffers, 3); /* y, n, g: nobody made p and q */
    CU_ASSERT_EQUAL(report.buffers_kept, 3);
    expect_blocks(0, 7, 8, 6, ONE);
    rp_plan_destroy(next);
    close_all();
}

/* ---- Nodes that are left out ----------------------------------------------------------------- */

/* n0 overwrites for ever, n1 may be left out, n2 writes in part, n3 and n4 have a live grid. */
static const char switch_text[] = "reprise 1\n"
                                  "graph switches scheduled placed synced arena 0 {\n"
                                  "  buf $y inout 16\n"
                                  "  buf $z inout 16\n"
                                  "  buf $n live u32[1] = 04000000\n"
                                  "  kern @w spirv - local 64 1 1 (w)\n"
                                  "  kern @rw spirv - local 64 1 1 (rw)\n"
                                  "  group 0\n"
                                  "    n0 = run @w grid 9 1 1 (w $y) label \"base\"\n"
                                  "  barrier compute:w -> compute:rw\n"
                                  "  group 1\n"
                                  "    n1 = run @w grid 3 2 1 (w $y) optional label \"a/x\"\n"
                                  "  barrier compute:w -> compute:rw\n"
                                  "  group 2\n"
                                  "    n2 = run @rw grid 3 2 1 (rw $y) label \"a/y\"\n"
                                  "  barrier compute:w -> compute:rw\n"
                                  "  group 3\n"
                                  "    n3 = run @w grid {$n} 1 1 (w $y) label \"ab\"\n"
                                  "    n4 = run @w grid {$n} 1 1 (w $z)\n"
                                  "  barrier compute:w -> compute:rw\n"
                                  "  group 4\n"
                                  "    n5 = run @rw grid 3 2 1 (rw $y) label \"a/y\"\n"
                                  "    n6 = copy (r $y[0+4], w $z[0+4]) label \"c/copy\"\n"
                                  "}\n";

static const char *const switch_names[] = {"a", "ab", "n2"};

static void open_switches(uint32_t slots) {
    const rp_exec_params params = {.size = sizeof params,
                                   .cache_path = "",
                                   .slots = slots,
                                   .switches = switch_names,
                                   .switch_count = 3};
    mock_reset();
    open_text(switch_text, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
}

static rp_status enable(uint32_t slot, const char *name, int on) {
    rp_diags_clear(diags);
    return rp_exec_enable(exec, slot, name, on, diags);
}

/* The first number of the grid that the GPU reads for node `index`. */
static uint32_t grid(uint32_t slot, uint32_t index) {
    uint32_t words[3], which = exec->live.of_node[index];
    CU_ASSERT_NOT_EQUAL_FATAL(which, RP_UNSET);
    memcpy(words, exec->slots[slot].live.grids + exec->live.grids[which].offset, sizeof words);
    if (words[0] == 0) CU_ASSERT_EQUAL(words[1] + words[2], 0);
    return words[0];
}

static void expect_grids(uint32_t slot, uint32_t n1, uint32_t n2, uint32_t n3, uint32_t n4,
                         uint32_t n5) {
    CU_ASSERT_EQUAL(grid(slot, 1), n1);
    CU_ASSERT_EQUAL(grid(slot, 2), n2);
    CU_ASSERT_EQUAL(grid(slot, 3), n3);
    CU_ASSERT_EQUAL(grid(slot, 4), n4);
    CU_ASSERT_EQUAL(grid(slot, 5), n5);
}

static void test_switches(void) {
    open_switches(2);
    /* n1 and n5 share a slot, as they are switched together; all in the recording from the start */
    CU_ASSERT_EQUAL(exec->live.grids_count, 4);
    CU_ASSERT_EQUAL(exec->live.of_node[1], exec->live.of_node[5]);
    CU_ASSERT_EQUAL(exec->live.of_node[0], RP_UNSET);
    const char *recorded = mock_commands(rp_exec_command_buffer(exec, 0, 0));
    uint32_t direct = 0, indirect = 0;
    for (const char *at = recorded; (at = strstr(at, "dispatch ")); at++) direct++;
    for (const char *at = recorded; (at = strstr(at, "indirect b")); at++) indirect++;
    CU_ASSERT_EQUAL(direct, 1);
    CU_ASSERT_EQUAL(indirect, 5);
    expect_grids(0, 3, 3, 4, 4, 3);
    expect_grids(1, 3, 3, 4, 4, 3);

    uint32_t calls = mock_calls();
    CU_ASSERT_EQUAL(enable(0, "a", 0), RP_OK);
    expect_grids(0, 0, 0, 4, 4, 0);
    expect_grids(1, 3, 3, 4, 4, 3); /* another slot */
    CU_ASSERT_EQUAL(enable(0, "n2", 0), RP_OK);
    CU_ASSERT_EQUAL(enable(0, "a", 1), RP_OK);
    expect_grids(0, 3, 0, 4, 4, 3); /* n2 is one of two switches */
    CU_ASSERT_EQUAL(enable(0, "n2", 1), RP_OK);
    CU_ASSERT_EQUAL(enable(0, "n2", 1), RP_OK);
    expect_grids(0, 3, 3, 4, 4, 3);

    /* Out stays out whatever the values, which are checked all the same. */
    CU_ASSERT_EQUAL(enable(0, "ab", 0), RP_OK);
    expect_grids(0, 3, 3, 0, 4, 3);
    CU_ASSERT_EQUAL(set(0, "n", 0, (uint32_t[]){7}, 1), RP_OK);
    expect_grids(0, 3, 3, 0, 7, 3);
    CU_ASSERT_EQUAL(set(0, "n", 0, (uint32_t[]){1u << 30}, 1), RP_ERROR_INVALID);
    expect_grids(0, 3, 3, 0, 7, 3);
    CU_ASSERT_EQUAL(enable(0, "ab", 1), RP_OK);
    expect_grids(0, 3, 3, 7, 7, 3);
    CU_ASSERT_EQUAL(mock_calls(), calls);
    close_all();
}

static void test_switches_wrong(void) {
    open_switches(2);
    CU_ASSERT_EQUAL(enable(0, "base", 0), RP_ERROR_NOT_FOUND);
    CU_ASSERT_TRUE(rp_test_said(diags, "the exec has no switch base: name it in rp_exec_params"));
    CU_ASSERT_EQUAL(enable(0, "a/x", 0), RP_ERROR_NOT_FOUND); /* below one is none itself */
    CU_ASSERT_EQUAL(enable(2, "a", 0), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_enable(NULL, 0, "a", 0, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_enable(exec, 0, NULL, 0, NULL), RP_ERROR_USAGE);
    mock.stall = true;
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(enable(0, "a", 0), RP_ERROR_BUSY);
    CU_ASSERT_TRUE(rp_test_said(diags, "replay 1 is still in flight in this slot"));
    CU_ASSERT_EQUAL(enable(1, "a", 0), RP_OK); /* that slot is idle */
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    expect_grids(0, 3, 3, 4, 4, 3);
    expect_grids(1, 0, 0, 4, 4, 0);
    close_all();
}

/* Another plan and other memory find everything as it is switched. */
static void test_switches_stay(void) {
    open_switches(2);
    CU_ASSERT_EQUAL(enable(1, "a", 0), RP_OK);
    rp_storage *storage = NULL;
    const rp_storage_params bytes = {.size = sizeof bytes, .bytes = 256};
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &bytes, diags, &storage), RP_OK);
    const rp_binding binding = {.buffer = "z", .storage = storage, .slot = RP_ALL_SLOTS};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_OK);
    rp_storage_release(storage);
    expect_grids(0, 3, 3, 4, 4, 3);
    expect_grids(1, 0, 0, 4, 4, 0);

    char text[sizeof switch_text];
    strcpy(text, switch_text);
    memcpy(strstr(text, "3 2 1 (rw"), "5", 1); /* n2, which does not share any more */
    rp_plan *next = mock_plan(text);
    CU_ASSERT_EQUAL(rp_exec_update(exec, next, NULL, diags), RP_OK);
    rp_plan_destroy(next);
    expect_grids(0, 3, 5, 4, 4, 3);
    expect_grids(1, 0, 0, 4, 4, 0);
    CU_ASSERT_EQUAL(enable(1, "a", 1), RP_OK);
    expect_grids(1, 3, 5, 4, 4, 3);

    memcpy(strstr(text, "\"ab\""), "\"AB\"", 4); /* no update: a switch would do nothing */
    next = mock_plan(text);
    CU_ASSERT_EQUAL(rp_exec_update(exec, next, NULL, diags), RP_ERROR_NOT_FOUND);
    CU_ASSERT_TRUE(rp_test_said(diags, "the plan has no node with the label ab, or one below it"));
    rp_plan_destroy(next);
    CU_ASSERT_EQUAL(enable(0, "ab", 0), RP_OK);
    expect_grids(0, 3, 5, 0, 4, 3);
    close_all();
}

/* What cannot be left out is refused when the exec is created, by name. */
static void expect_refused(const rp_plan *of, const char *const *names, uint32_t count,
                           rp_status status, const char *message) {
    const rp_exec_params params = {
        .size = sizeof params, .cache_path = "", .switches = names, .switch_count = count};
    rp_exec *refused = NULL;
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_exec_create(device, of, &params, diags, &refused), status);
    CU_ASSERT_PTR_NULL(refused);
    if (message) CU_ASSERT_TRUE(rp_test_said(diags, message));
}

static void test_switches_refused(void) {
    static const char text[] =
        "reprise 1\n"
        "graph refused scheduled placed synced arena 0 {\n"
        "  buf $y inout 512\n"
        "  buf $g inout 16\n"
        "  kern @w spirv - local 64 1 1 (rw, w)\n"
        "  kern @u spirv - local 64 1 1 ()\n"
        "  group 0\n"
        "    n0 = run @w grid 9 1 1 (rw $y[0+4], w $y[256+8]) label \"a/b\"\n"
        "  barrier compute:rw,transfer:rw,indirect:r -> compute:rw,transfer:rw,indirect:r\n"
        "  group 1\n"
        "    n3 = run @u grid 9 1 1 label \"u\"\n"
        "  barrier compute:rw,transfer:rw,indirect:r -> compute:rw,transfer:rw,indirect:r\n"
        "  group 2\n"
        "    n4 = run @u grid indirect $g[4+12] () label \"i\"\n"
        "    n5 = fill 00000000 (w $y) label \"f/fill\"\n"
        "    n6 = run @w grid 1 1 1 (rw $y[0+4], w $y[256+8]) optional label \"n0\"\n"
        "}\n";
    static const struct {
        const char *names[2];
        uint32_t count;
        rp_status status;
        const char *message;
    } cases[] = {
        {{"a"},
         1,
         RP_ERROR_INVALID,
         "the switch a names n0, which overwrites bytes 256 to 263 of y (use 1 is w): the plan "
         "counts "
         "on it. Make the node optional, or the use rw"},
        {{"n0"}, 1, RP_ERROR_INVALID, "the switch n0 names n0, which overwrites"},
        {{"a/b"}, 1, RP_ERROR_INVALID, "the switch a/b names n0, which overwrites"},
        {{"u"}, 1, RP_ERROR_INVALID, "names n3, which does not say what it writes: make it"},
        {{"i"},
         1,
         RP_ERROR_INVALID,
         "which has an indirect grid: who writes the grid can write "
         "zeros, to g"},
        {{"n6", "f"},
         2,
         RP_ERROR_INVALID,
         "the switch f names n5, which is no kernel and cannot "
         "be left out: it is a fill"},
        {{"b"}, 1, RP_ERROR_NOT_FOUND, "no node with the label b, or one below it"},
        {{"a/"}, 1, RP_ERROR_NOT_FOUND, "no node with the label a/"},
        {{"n1"}, 1, RP_ERROR_NOT_FOUND, "the plan has no node n1 to leave out"},
        {{"n6", "n6"}, 2, RP_ERROR_USAGE, "the switch n6 is given twice"},
        {{"n6", ""}, 2, RP_ERROR_USAGE, "a switch has no name"},
        {{NULL}, 1, RP_ERROR_USAGE, "a switch has no name"}};
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused(plan, cases[i].names, cases[i].count, cases[i].status, cases[i].message);
    expect_refused(plan, NULL, 1, RP_ERROR_USAGE, NULL);
    close_all();
}

/* A kernel that several ops became has the labels of all. */
static void test_switches_of_fused(void) {
    static const char text[] = "reprise 1\ngraph fused {\n  buf $x in f32[64]\n"
                               "  buf %%a tmp f32[64]\n  buf $y out f32[64]\n"
                               "  n0 = op silu (r $x:f32[64], w %%a:f32[64])%s\n"
                               "  n1 = op sigmoid (r %%a:f32[64], w $y:f32[64])%s\n}\n";
    static const struct {
        const char *first, *second, *message;
    } cases[] = {{" label \"a/x\"", " label \"b\"",
                  "names a part of n1, which is one kernel for nodes "
                  "labelled b too: make the nodes of the switch optional"},
                 {" label \"ab\"", " label \"a\"", "which is one kernel for nodes labelled ab too"},
                 {" label \"a/x\"", "", "which is one kernel for nodes without a label too"},
                 {" label \"a/x\"", " label \"a/y\"",
                  "the switch a names n1, which overwrites bytes 0 to 255"},
                 {" optional label \"a/x\"", " optional label \"a/x\"", NULL}};
    mock_reset();
    open_text(switch_text, &mock_params);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char of[512];
        rp_graph *graph = NULL;
        rp_plan *fused = NULL;
        snprintf(of, sizeof of, text, cases[i].first, cases[i].second);
        CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, of, strlen(of), "t", diags, &graph), RP_OK);
        CU_ASSERT_EQUAL_FATAL(rp_compile(graph, NULL, diags, &fused, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_plan_count(fused, RP_SECTION_NODES), 1);
        if (cases[i].message) {
            expect_refused(fused, (const char *[]){"a"}, 1, RP_ERROR_INVALID, cases[i].message);
        } else {
            const rp_exec_params params = {.size = sizeof params,
                                           .cache_path = "",
                                           .switches = (const char *[]){"a"},
                                           .switch_count = 1};
            rp_exec *made = NULL;
            CU_ASSERT_EQUAL(rp_exec_create(device, fused, &params, diags, &made), RP_OK);
            CU_ASSERT_EQUAL(rp_exec_enable(made, 0, "a", 0, diags), RP_OK);
            rp_exec_destroy(made);
        }
        rp_plan_destroy(fused);
        rp_graph_destroy(graph);
    }
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"push data that follows live values", test_follows},
                                    {"push data and updates", test_update},
                                    {"switches", test_switches},
                                    {"wrong use of switches", test_switches_wrong},
                                    {"switches stay", test_switches_stay},
                                    {"refused switches", test_switches_refused},
                                    {"switches of fused nodes", test_switches_of_fused},
                                    {NULL, NULL}};
    return rp_run_tests("changing", tests);
}
