/* Stages and memory as systems have them that run a computation in stages with fences between, told in
 * terms of execs and counted on the queue: S1 to S6, P1 and P2. A stage is an exec that reads what
 * the one before wrote, a fence is a value that it signals of the application's timeline, and to
 * begin the next stage is to wait for that value on the device. */
#include "mock_objects.h"
#include "opened.h"

enum { STAGES = 6, BYTES = 256 };

static const char stage_text[] = "reprise 1\n"
                                 "graph stage scheduled placed synced arena 0 {\n"
                                 "  buf $x in 256\n"
                                 "  buf $y out 256\n"
                                 "  barrier transfer:rw -> transfer:rw\n"
                                 "  group 0\n"
                                 "    n0 = copy (r $x, w $y)\n"
                                 "  barrier transfer:w -> transfer:w\n"
                                 "  group 1\n"
                                 "    n1 = fill 00000000 (w $y[128+64])\n"
                                 "}\n";

static rp_storage *between[STAGES + 1]; /* what a stage reads, and the next one wrote */
static rp_exec *stages[STAGES];
static VkSemaphore timeline;

static void open_stages(uint32_t pieces) {
    mock_reset();
    open_text(stage_text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    const VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                            .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                        .pNext = &type};
    CU_ASSERT_EQUAL(mock_CreateSemaphore(NULL, &info, NULL, &timeline), VK_SUCCESS);
    const rp_storage_params params = {.size = sizeof params, .bytes = BYTES, .host_visible = 1};
    for (uint32_t i = 0; i <= STAGES; i++)
        CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &between[i]), RP_OK);
    for (uint32_t i = 0; i < STAGES; i++) {
        const rp_binding bindings[] = {{"x", between[i], 0, 0, 0}, {"y", between[i + 1], 0, 0, 0}};
        const rp_exec_params wanted = {.size = sizeof wanted,
                                       .cache_path = "",
                                       .pieces = pieces,
                                       .bindings = bindings,
                                       .binding_count = 2};
        CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, plan, &wanted, diags, &stages[i]), RP_OK);
    }
    CU_ASSERT_EQUAL(rp_storage_write(between[0], 0, "through all stages", 19, diags), RP_OK);
    mock.races = true;
}

static void close_stages(void) {
    for (uint32_t i = 0; i < STAGES; i++) rp_exec_destroy(stages[i]);
    for (uint32_t i = 0; i <= STAGES; i++) rp_storage_release(between[i]);
    mock_DestroySemaphore(NULL, timeline, NULL);
    close_all();
}

/* Runs a stage that begins behind value `wait` and ends with `fence`; 0: none. */
static void run(uint32_t stage, uint64_t wait, uint64_t fence) {
    const rp_semaphore before = {timeline, wait, 0}, behind = {timeline, fence, 0};
    const rp_submit_params params = {.size = sizeof params,
                                     .waits = &before,
                                     .wait_count = wait != 0,
                                     .signals = &behind,
                                     .signal_count = fence != 0};
    CU_ASSERT_EQUAL(rp_exec_submit(stages[stage], &params, diags, NULL), RP_OK);
}

typedef struct counts {
    uint32_t fences, waits, commands;
    uint64_t last_fence, last_wait;
} counts;

/* What stands in the queue from batch number `from` on. */
static counts count_from(uint32_t from) {
    counts c = {0};
    uint32_t batches;
    const mock_batch *log = mock_log(&batches);
    for (uint32_t i = from; i < batches; i++) {
        c.commands += log[i].command_count;
        for (uint32_t j = 0; j < log[i].wait_count; j++)
            if (log[i].waits[j].semaphore == timeline) {
                c.waits++;
                c.last_wait = log[i].waits[j].value;
            }
        for (uint32_t j = 0; j < log[i].signal_count; j++)
            if (log[i].signals[j].semaphore == timeline) {
                c.fences++;
                c.last_fence = log[i].signals[j].value;
            }
    }
    return c;
}

static uint32_t logged(void) {
    uint32_t batches;
    (void)mock_log(&batches);
    return batches;
}

static bool came_through(uint32_t stage) {
    char bytes[19];
    CU_ASSERT_EQUAL(rp_storage_read(between[stage + 1], 0, bytes, 19, diags), RP_OK);
    return strcmp(bytes, "through all stages") == 0;
}

/* Five stages with a fence each and four beginnings behind one: a command buffer for each. */
static void test_s1(void) {
    open_stages(1);
    uint32_t from = logged(), waits = mock.waits;
    for (uint32_t i = 0; i < 5; i++) run(i, i, i + 1);
    const counts c = count_from(from);
    CU_ASSERT_TRUE(c.fences == 5 && c.last_fence == 5);
    CU_ASSERT_TRUE(c.waits == 4 && c.last_wait == 4);
    CU_ASSERT_EQUAL(c.commands, 5);
    CU_ASSERT_EQUAL(mock.waits, waits); /* the host waits for none */
    CU_ASSERT_EQUAL(rp_exec_wait(stages[4], 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_TRUE(came_through(4));
    close_stages();
    /* In one call they need no fences: barriers of just what meets. */
    open_stages(1);
    from = logged();
    rp_submission all[5] = {{0}};
    for (uint32_t i = 0; i < 5; i++) all[i].exec = stages[i];
    uint32_t submits = mock.submits;
    CU_ASSERT_EQUAL(rp_device_submit(device, all, 5, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(mock.submits, submits + 1);
    CU_ASSERT_EQUAL(count_from(from).commands, 5 + 4);
    CU_ASSERT_EQUAL(rp_exec_wait(stages[4], 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_TRUE(came_through(4));
    close_stages();
}

/* A beginning behind every fence: as many waits as fences. */
static void test_s2(void) {
    open_stages(1);
    uint32_t from = logged();
    for (uint32_t i = 0; i < 5; i++) run(i, i, i + 1);
    run(5, 5, 0);
    const counts c = count_from(from);
    CU_ASSERT_TRUE(c.fences == 5 && c.waits == 5);
    CU_ASSERT_EQUAL(rp_exec_wait(stages[5], 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_TRUE(came_through(5));
    close_stages();
}

/* Three fences, then a stage that the host waits for: the value stays what the fences made it. */
static void test_s3(void) {
    open_stages(1);
    for (uint32_t i = 0; i < 3; i++) {
        run(i, i, i + 1);
        uint64_t value = 0;
        CU_ASSERT_EQUAL(mock_GetSemaphoreCounterValue(NULL, timeline, &value), VK_SUCCESS);
        CU_ASSERT_EQUAL(value, i + 1);
    }
    run(3, 3, 0);
    CU_ASSERT_EQUAL(rp_exec_wait(stages[3], 1, UINT64_MAX, diags), RP_OK);
    uint64_t value = 0;
    CU_ASSERT_EQUAL(mock_GetSemaphoreCounterValue(NULL, timeline, &value), VK_SUCCESS);
    CU_ASSERT_EQUAL(value, 3);
    for (uint32_t i = 0; i < 4; i++) CU_ASSERT_TRUE(came_through(i));
    close_stages();
}

/* A stage without a fence: the next one waits for nothing; to submit what is submitted is refused, and
 * nothing reaches the queue. */
static void test_s4(void) {
    open_stages(1);
    uint32_t from = logged();
    run(0, 0, 0);
    CU_ASSERT_EQUAL(rp_exec_wait(stages[0], 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_continue(stages[0], 0, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_device_submit(device, NULL, 0, diags, NULL), RP_OK);
    run(2, 0, 0);
    const counts c = count_from(from);
    CU_ASSERT_TRUE(c.fences == 0 && c.waits == 0 && c.commands == 2);
    CU_ASSERT_EQUAL(logged(), from + 2);
    close_stages();
}

/* What a stage wrote is given up behind its fence, before the next stage is submitted, which holds it;
 * the stage itself is given up, too. In the end all memory is back. */
static void test_s5(void) {
    open_stages(1);
    int objects = mock.objects;
    rp_storage *extra = NULL;
    const rp_storage_params params = {.size = sizeof params, .bytes = BYTES};
    CU_ASSERT_EQUAL(rp_storage_create(device, &params, diags, &extra), RP_OK);
    const rp_binding out = {"y", extra, 0, 0, 0}, in = {"x", extra, 0, 0, 0};
    CU_ASSERT_EQUAL(rp_exec_bind(stages[0], &out, 1, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_bind(stages[1], &in, 1, diags), RP_OK);
    mock.stall = true;
    run(0, 0, 1);
    rp_storage_release(extra);
    run(1, 1, 2);
    rp_exec_destroy(stages[0]); /* waits for its own end alone */
    stages[0] = NULL;
    CU_ASSERT_EQUAL(rp_exec_completed(stages[1]), 0);
    CU_ASSERT_EQUAL(rp_exec_wait(stages[1], 0, UINT64_MAX, diags), RP_OK);
    mock.stall = false;
    CU_ASSERT_TRUE(came_through(1));
    const rp_binding back = {"x", between[1], 0, 0, 0};
    CU_ASSERT_EQUAL(rp_exec_bind(stages[1], &back, 1, diags), RP_OK); /* the last to hold it */
    CU_ASSERT_TRUE(mock.objects < objects);
    CU_ASSERT_EQUAL(rp_exec_submit(stages[2], NULL, diags, NULL), RP_OK);
    close_stages();
}

/* Given up in every state: not submitted, begun, in flight, in flight behind another stage. */
static void test_s6(void) {
    for (uint32_t state = 0; state < 4; state++) {
        open_stages(2);
        const rp_semaphore fence = {timeline, 1, 0};
        const rp_submit_params params = {.size = sizeof params,
                                         .signals = &fence,
                                         .signal_count = 1,
                                         .pieces = state == 1 ? 1 : 2};
        mock.stall = true;
        if (state == 1 || state == 2)
            CU_ASSERT_EQUAL(rp_exec_submit(stages[0], &params, diags, NULL), RP_OK);
        if (state == 3) {
            run(0, 0, 1);
            run(1, 1, 2);
        }
        rp_exec_destroy(stages[1]);
        rp_exec_destroy(stages[0]);
        stages[0] = stages[1] = NULL;
        mock.stall = false;
        mock_finish();
        CU_ASSERT_EQUAL(rp_storage_write(between[2], 0, "through all stages", 19, diags), RP_OK);
        run(2, 0, 0);
        CU_ASSERT_EQUAL(rp_exec_wait(stages[2], 0, UINT64_MAX, diags), RP_OK);
        CU_ASSERT_TRUE(came_through(2));
        close_stages();
    }
}

/* A hundred buffers made and given up at once: the device's memory is asked for once, cleared by one
 * submission, and given back once. */
static void test_p1(void) {
    char text[8192] = "reprise 1\ngraph many scheduled placed synced arena 0 {\n";
    for (uint32_t i = 0; i < 100; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "  buf $b%u inout %u\n", i,
                 64 + i * 4);
    strcat(text, "  group 0\n    n0 = fill 00000000 (w $b0)\n}\n");
    mock_reset();
    open_text(stage_text, &mock_params);
    rp_plan *many = mock_plan(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(many);
    int objects = mock.objects;
    uint32_t allocations = mock.memory_allocations, submits = mock.submits;
    rp_exec *e = NULL;
    CU_ASSERT_EQUAL(rp_exec_create(device, many, &mock_params, diags, &e), RP_OK);
    CU_ASSERT_EQUAL(mock.memory_allocations, allocations + 1);
    CU_ASSERT_EQUAL(mock.submits, submits + 1);
    CU_ASSERT_TRUE(mock.objects >= objects + 101);
    rp_exec_destroy(e);
    CU_ASSERT_EQUAL(mock.objects, objects);
    rp_plan_destroy(many);
    close_all();
}

/* Scratch of 1024, 2048 and 1024 bytes, then of 1024 and 2048: the same memory, with room left. */
static void test_p2(void) {
    static const char three[] = "reprise 1\n"
                                "graph three scheduled placed synced arena 4096 {\n"
                                "  buf $y out 256\n"
                                "  buf %a tmp 1024 at 0\n"
                                "  buf %b tmp 2048 at 1024\n"
                                "  buf %c tmp 1024 at 3072\n"
                                "  group 0\n"
                                "    n0 = fill 01010101 (w %a)\n"
                                "    n1 = fill 02020202 (w %b)\n"
                                "    n2 = fill 03030303 (w %c)\n"
                                "  barrier transfer:w -> transfer:rw\n"
                                "  group 1\n"
                                "    n3 = copy (r %c[0+256], w $y)\n"
                                "}\n";
    static const char two[] = "reprise 1\n"
                              "graph two scheduled placed synced arena 3072 {\n"
                              "  buf $y out 256\n"
                              "  buf %d tmp 1024 at 0\n"
                              "  buf %e tmp 2048 at 1024\n"
                              "  group 0\n"
                              "    n0 = fill 04040404 (w %d)\n"
                              "    n1 = fill 05050505 (w %e)\n"
                              "  barrier transfer:w -> transfer:rw\n"
                              "  group 1\n"
                              "    n2 = copy (r %e[0+256], w $y)\n"
                              "}\n";
    mock_reset();
    open_text(three, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    mock.races = true;
    rp_plan *less = mock_plan(two);
    rp_range_info before = {.size = sizeof before}, after = before;
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_get_range(exec, 0, NULL, diags, &before), RP_OK);
    uint32_t allocations = mock.memory_allocations;
    rp_update_report report = {.size = sizeof report};
    CU_ASSERT_EQUAL(rp_exec_update(exec, less, &report, diags), RP_OK);
    CU_ASSERT_TRUE(report.arena_kept && report.buffers_kept == 1);
    CU_ASSERT_EQUAL(mock.memory_allocations, allocations);
    CU_ASSERT_EQUAL(rp_exec_get_range(exec, 0, NULL, diags, &after), RP_OK);
    CU_ASSERT_PTR_EQUAL(after.storage, before.storage);
    CU_ASSERT_TRUE(before.bytes == 4096 && after.bytes == 3072); /* 2 in use, and room for 1 */
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    unsigned char byte = 0;
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 255, &byte, 1, diags), RP_OK);
    CU_ASSERT_EQUAL(byte, 5);
    rp_plan_destroy(less);
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"S1", test_s1}, {"S2", test_s2}, {"S3", test_s3},
                                    {"S4", test_s4}, {"S5", test_s5}, {"S6", test_s6},
                                    {"P1", test_p1}, {"P2", test_p2}, {0}};
    return rp_run_tests("stages", tests);
}
