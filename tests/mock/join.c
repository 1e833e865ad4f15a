/* Submissions that are joined: what vkQueueSubmit2 gets for them, and when they are not. */
#include "support.h"

static const char a_text[] = "reprise 1\n"
                             "graph a scheduled placed synced arena 0 {\n"
                             "  buf $x in 64\n"
                             "  buf $y out 64\n"
                             "  barrier transfer:w -> transfer:w\n"
                             "  group 0\n"
                             "    n0 = copy (r $x, w $y)\n"
                             "}\n";
static const char two_text[] = "reprise 1\n"
                               "graph two scheduled placed synced arena 0 {\n"
                               "  buf $y out 64\n"
                               "  barrier transfer:w -> transfer:w\n"
                               "  group 0\n"
                               "    n0 = fill 00000001 (w $y)\n"
                               "  barrier transfer:w -> transfer:w\n"
                               "  group 1\n"
                               "    n1 = fill 00000002 (w $y)\n"
                               "}\n";

enum { EXECS = 3 };

static rp_device *device;
static rp_diags *diags;
static rp_storage *storage;
static rp_exec *execs[EXECS]; /* each copies what the one before has made */
static rp_exec *pieces;       /* two of them */

static rp_exec *create(const char *text, const rp_exec_params *params) {
    rp_plan *plan = mock_plan(text);
    rp_exec *exec = NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, plan, params, diags, &exec), RP_OK);
    rp_plan_destroy(plan);
    return exec;
}

static void open_execs(void) {
    mock_reset();
    diags = rp_diags_create(NULL);
    device = mock_open(NULL, diags);
    const rp_storage_params params = {.size = sizeof params, .bytes = 4096, .host_visible = 1};
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &storage), RP_OK);
    for (uint32_t i = 0; i < EXECS; i++) {
        const rp_binding bindings[] = {{"x", storage, i * 256, 0, 0},
                                       {"y", storage, i * 256 + 256, 0, 0}};
        execs[i] = create(a_text, &(rp_exec_params){.size = sizeof(rp_exec_params),
                                                    .cache_path = "",
                                                    .bindings = bindings,
                                                    .binding_count = 2});
    }
    pieces = create(
        two_text, &(rp_exec_params){.size = sizeof(rp_exec_params), .cache_path = "", .pieces = 2});
    mock.races = true;
}

static void close_execs(void) {
    for (uint32_t i = 0; i < EXECS; i++) rp_exec_destroy(execs[i]);
    rp_exec_destroy(pieces);
    rp_storage_release(storage);
    CU_ASSERT_EQUAL(rp_device_destroy(device, diags), RP_OK);
    rp_diags_destroy(diags);
    mock_done();
}

static char *mapped(void) {
    rp_storage_info info = {.size = sizeof info};
    CU_ASSERT_EQUAL(rp_storage_get_info(storage, &info), RP_OK);
    return info.mapped;
}

/* Submits, and gives the batches that came of it. */
static const mock_batch *submit(const rp_submission *submissions, uint32_t count,
                                uint32_t *out_batches) {
    uint32_t before, after, submits = mock.submits;
    mock_log(&before);
    CU_ASSERT_EQUAL(rp_device_submit(device, submissions, count, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(mock.submits, submits + 1);
    const mock_batch *log = mock_log(&after);
    *out_batches = after - before;
    return log + before;
}

static void expect_signal(const mock_batch *batch, uint32_t index, rp_exec *exec, uint64_t value) {
    CU_ASSERT_PTR_EQUAL(batch->signals[index].semaphore, rp_exec_timeline(exec));
    CU_ASSERT_EQUAL(batch->signals[index].value, value);
}

/* One batch: the commands in order with a barrier between, all timelines at the end. */
static void test_one_batch(void) {
    uint32_t batches;
    open_execs();
    memcpy(mapped(), "from the first one", 19);
    const rp_submission all[] = {{execs[0], NULL, 0}, {execs[1], NULL, 1}, {execs[2], NULL, 1}};
    const mock_batch *batch = submit(all, 3, &batches);
    CU_ASSERT_EQUAL_FATAL(batches, 1);
    CU_ASSERT_EQUAL(batch->command_count, 5);
    CU_ASSERT_EQUAL_FATAL(batch->signal_count, 3);
    for (uint32_t i = 0; i < EXECS; i++) {
        expect_signal(batch, i, execs[i], 1);
        CU_ASSERT_EQUAL(rp_exec_wait(execs[i], 0, UINT64_MAX, diags), RP_OK);
    }
    CU_ASSERT_STRING_EQUAL(mapped() + EXECS * 256, "from the first one");
    close_execs();
}

/* An exec that comes twice signals its last number: a timeline has one value behind a batch. */
static void test_twice(void) {
    uint32_t batches;
    open_execs();
    const rp_submission all[] = {{execs[0], NULL, 0}, {execs[1], NULL, 1}, {execs[0], NULL, 1}};
    const mock_batch *batch = submit(all, 3, &batches);
    CU_ASSERT_EQUAL_FATAL(batches, 1);
    CU_ASSERT_EQUAL_FATAL(batch->signal_count, 2);
    expect_signal(batch, 0, execs[0], 2);
    expect_signal(batch, 1, execs[1], 1);
    CU_ASSERT_EQUAL(rp_exec_wait(execs[0], 1, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_completed(execs[0]), 2);
    close_execs();
}

/* Slots that overlap wait for their own last replay: in front of the batch, unless it is part of it. */
static void test_slots(void) {
    uint32_t batches;
    open_execs();
    rp_exec *ring = create(
        two_text, &(rp_exec_params){.size = sizeof(rp_exec_params), .cache_path = "", .slots = 2});
    const rp_submit_params second = {.size = sizeof second, .slot = 1};
    const rp_submission all[] = {{execs[0], NULL, 0}, {ring, NULL, 1}, {ring, &second, 1}};
    const mock_batch *batch = submit(all, 3, &batches);
    CU_ASSERT_EQUAL(batches, 1);
    CU_ASSERT_EQUAL(batch->wait_count, 0);
    batch = submit(all, 3, &batches);
    CU_ASSERT_EQUAL_FATAL(batches, 1);
    CU_ASSERT_EQUAL_FATAL(batch->wait_count, 1);
    CU_ASSERT_PTR_EQUAL(batch->waits[0].semaphore, rp_exec_timeline(ring));
    CU_ASSERT_EQUAL(batch->waits[0].value, 2);
    CU_ASSERT_EQUAL_FATAL(batch->signal_count, 2);
    expect_signal(batch, 0, execs[0], 2);
    expect_signal(batch, 1, ring, 4);
    const rp_submission again[] = {{ring, NULL, 0}, {ring, NULL, 1}};
    (void)submit(again, 2, &batches);
    CU_ASSERT_EQUAL(batches, 2);
    rp_exec_destroy(ring);
    close_execs();
}

/* Not over a semaphore, nor over pieces, and nothing is before the first. */
static void test_apart(void) {
    open_execs();
    uint64_t number;
    CU_ASSERT_EQUAL(rp_exec_submit(execs[2], NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_reserve(pieces, 0, diags, &number), RP_OK);
    const rp_semaphore wait = {rp_exec_timeline(execs[2]), 1, 0};
    const rp_semaphore signal = {rp_exec_timeline(pieces), number, 0};
    const rp_submit_params waits = {.size = sizeof waits, .waits = &wait, .wait_count = 1};
    const rp_submit_params signals = {
        .size = sizeof signals, .signals = &signal, .signal_count = 1};
    uint32_t batches;
    const rp_submission after_signal[] = {{execs[0], &signals, 0}, {execs[1], NULL, 1}};
    (void)submit(after_signal, 2, &batches);
    CU_ASSERT_EQUAL(batches, 2);
    const rp_submission before_wait[] = {{execs[0], NULL, 1}, {execs[1], &waits, 1}};
    (void)submit(before_wait, 2, &batches);
    CU_ASSERT_EQUAL(batches, 2);
    const rp_submission both[] = {{execs[0], &waits, 0}, {execs[1], NULL, 1}, {execs[2], NULL, 1}};
    const mock_batch *batch = submit(both, 3, &batches);
    CU_ASSERT_EQUAL_FATAL(batches, 1);
    CU_ASSERT_EQUAL(batch->wait_count, 1); /* the first may wait, for all of them */
    const rp_submission cut[] = {{execs[0], NULL, 0}, {pieces, NULL, 1}, {execs[1], NULL, 1}};
    (void)submit(cut, 3, &batches);
    CU_ASSERT_EQUAL(batches, 4);
    close_execs();
}

int main(void) {
    static const rp_test tests[] = {{"one batch", test_one_batch},
                                    {"an exec twice", test_twice},
                                    {"slots", test_slots},
                                    {"apart", test_apart},
                                    {0}};
    return rp_run_tests("joined submissions", tests);
}
