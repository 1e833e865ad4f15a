/* Submitting: what goes to the queue, what is refused, and what a failure leaves behind. */
#include "exec/exec.h"
#include "mock_objects.h"
#include "opened.h"

static const char text[] = "reprise 1\n"
                           "graph one scheduled placed synced arena 0 {\n"
                           "  buf $x in 256\n"
                           "  buf $y out 256\n"
                           "  barrier transfer:rw -> transfer:rw\n"
                           "  group 0\n"
                           "    n0 = copy (r $x, w $y)\n"
                           "  barrier transfer:w -> transfer:w\n"
                           "  group 1\n"
                           "    n1 = fill 00000000 (w $y[0+16])\n"
                           "}\n";

static const mock_batch *latest(uint32_t from_end) {
    uint32_t count;
    const mock_batch *log = mock_log(&count);
    return &log[count - 1 - from_end];
}

static VkSemaphore semaphore(bool timeline) {
    const VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                            .semaphoreType = timeline ? VK_SEMAPHORE_TYPE_TIMELINE
                                                                      : VK_SEMAPHORE_TYPE_BINARY};
    const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                        .pNext = &type};
    VkSemaphore made = VK_NULL_HANDLE;
    CU_ASSERT_EQUAL(device->vk.CreateSemaphore(device->handle, &info, NULL, &made), VK_SUCCESS);
    return made;
}

static void destroy(VkSemaphore made) {
    device->vk.DestroySemaphore(device->handle, made, NULL);
}

/* ---- Semaphores ------------------------------------------------------------------------------ */

/* As many as wanted, in their order, with their values and stages, before and behind the exec's. */
static void test_semaphores(void) {
    enum { MOST = 40 };
    static const uint32_t counts[] = {0, 1, 2, 8, 9, 10, 11, 12, 13, MOST};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (uint32_t pieces = 1; pieces <= 2; pieces++) {
            mock_reset();
            const rp_exec_params params = {
                .size = sizeof params, .cache_path = "", .pieces = pieces};
            open_text(text, &params);
            CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
            VkSemaphore timeline = semaphore(true), others[MOST];
            rp_semaphore waits[MOST], signals[MOST];
            uint32_t count = counts[c];
            for (uint32_t i = 0; i < count; i++) {
                others[i] = semaphore(i % 2);
                waits[i] = (rp_semaphore){timeline, i + 1, i % 3 ? 1u << i % 5 : 0};
                signals[i] = (rp_semaphore){others[i], 100 + i, i % 2 ? 2 : 0};
            }
            if (count) mock_signal(timeline, count);
            const rp_submit_params submit = {.size = sizeof submit,
                                             .waits = waits,
                                             .wait_count = count,
                                             .signals = signals,
                                             .signal_count = count};
            uint64_t replay = 0;
            uint32_t before;
            (void)mock_log(&before);
            CU_ASSERT_EQUAL(rp_exec_submit(exec, &submit, diags, &replay), RP_OK);
            CU_ASSERT_EQUAL(replay, 1);
            const mock_batch *first = latest(pieces - 1), *last = latest(0);
            CU_ASSERT_EQUAL_FATAL(first->wait_count, count);
            CU_ASSERT_EQUAL_FATAL(last->signal_count, count + pieces);
            const mock_semaphore_use *theirs = last->signals + pieces; /* behind the exec's own */
            if (pieces > 1) {
                CU_ASSERT_EQUAL(first->signal_count, 1);
                CU_ASSERT_EQUAL(last->wait_count, 0);
            }
            for (uint32_t i = 0; i < count; i++) {
                CU_ASSERT_PTR_EQUAL(first->waits[i].semaphore, timeline);
                CU_ASSERT_EQUAL(first->waits[i].value, i + 1);
                CU_ASSERT_EQUAL(first->waits[i].stages, waits[i].stages
                                                            ? waits[i].stages
                                                            : VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT);
                CU_ASSERT_PTR_EQUAL(theirs[i].semaphore, others[i]);
                CU_ASSERT_EQUAL(theirs[i].value, 100 + i);
                CU_ASSERT_EQUAL(theirs[i].stages, i % 2 ? 2 : VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT);
            }
            CU_ASSERT_PTR_EQUAL(theirs[-1].semaphore, rp_exec_timeline(exec));
            CU_ASSERT_EQUAL(rp_exec_wait(exec, 1, UINT64_MAX, diags), RP_OK);
            for (uint32_t i = 0; i < count; i++) destroy(others[i]);
            destroy(timeline);
            close_all();
        }
}

/* The signals of a replay in parts come with its last piece, or with what stands for the rest; by
 * then the application's list is gone. */
static void test_signals_of_parts(void) {
    for (uint32_t cancel = 0; cancel < 2; cancel++) {
        mock_reset();
        const rp_exec_params params = {.size = sizeof params, .cache_path = "", .pieces = 2};
        open_text(text, &params);
        CU_ASSERT_EQUAL_FATAL(rp_exec_piece_count(exec), 2);
        VkSemaphore binary = semaphore(false), timeline = semaphore(true);
        rp_semaphore signals[] = {{binary, 0, 0}, {timeline, 5, 0}};
        const rp_submit_params submit = {
            .size = sizeof submit, .signals = signals, .signal_count = 2, .pieces = 1};
        CU_ASSERT_EQUAL(rp_exec_submit(exec, &submit, diags, NULL), RP_OK);
        memset(signals, 0, sizeof signals);
        CU_ASSERT_EQUAL(latest(0)->signal_count, 1);
        CU_ASSERT_EQUAL(cancel ? rp_exec_cancel(exec, diags) : rp_exec_continue(exec, 0, diags),
                        RP_OK);
        CU_ASSERT_EQUAL_FATAL(latest(0)->signal_count, 4);
        CU_ASSERT_PTR_EQUAL(latest(0)->signals[2].semaphore, binary);
        CU_ASSERT_PTR_EQUAL(latest(0)->signals[3].semaphore, timeline);
        CU_ASSERT_EQUAL(latest(0)->signals[3].value, 5);
        destroy(binary);
        destroy(timeline);
        close_all();
    }
}

static void expect_refused(const rp_submit_params *params, const char *said) {
    uint64_t replay = 7;
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, params, diags, &replay), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(replay, 0);
    CU_ASSERT_TRUE(rp_test_said(diags, said));
    const rp_submission submission = {exec, params};
    replay = 7;
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_device_submit(device, &submission, 1, diags, &replay), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(replay, 0);
    CU_ASSERT_TRUE(rp_test_said(diags, said));
}

static void test_refused(void) {
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    void *own = rp_exec_timeline(exec);
    VkSemaphore other = semaphore(true);
    const rp_semaphore none[] = {{other, 1, 0}, {NULL, 1, 0}}, self[] = {{own, 1, 0}};
    const size_t size = sizeof(rp_submit_params);
    uint32_t submits = mock.submits;
    expect_refused(&(rp_submit_params){0}, "sizeof(rp_submit_params)");
    expect_refused(&(rp_submit_params){.size = size, .slot = 1}, "there is no slot 1");
    expect_refused(&(rp_submit_params){.size = size, .wait_count = 1},
                   "rp_submit_params.waits is NULL: expected as many as its count says, 1");
    expect_refused(&(rp_submit_params){.size = size, .signal_count = 2},
                   "rp_submit_params.signals is NULL: expected as many as its count says, 2");
    expect_refused(&(rp_submit_params){.size = size, .waits = none, .wait_count = 2},
                   "semaphore 1 to wait for is no VkSemaphore");
    expect_refused(&(rp_submit_params){.size = size, .signals = none, .signal_count = 2},
                   "semaphore 1 to signal is no VkSemaphore");
    expect_refused(&(rp_submit_params){.size = size, .signals = self, .signal_count = 1},
                   "semaphore 0 to signal is the exec's own timeline");
    expect_refused(&(rp_submit_params){.size = size, .waits = self, .wait_count = 1},
                   "the exec's own timeline, at a replay that comes later");
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 1, 0, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "replay 1 cannot be waited for: 0 were submitted"));
    CU_ASSERT_EQUAL(mock.submits, submits);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    const rp_submit_params behind = {.size = size, .waits = self, .wait_count = 1};
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &behind, diags, NULL), RP_OK);
    destroy(other);
    close_all();
}

/* ---- Several at once ------------------------------------------------------------------------- */

static void test_wrong_submissions(void) {
    mock_reset();
    open_text(text, &mock_params);
    rp_device *foreign = mock_open(NULL, NULL);
    rp_exec *theirs = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(foreign, plan, &mock_params, NULL, &theirs), RP_OK);
    const rp_submit_params parts = {.size = sizeof parts, .pieces = 1};
    const rp_submission cases[][2] = {{{exec, NULL}, {NULL, NULL}},
                                      {{exec, NULL}, {theirs, NULL}},
                                      {{exec, NULL}, {exec, &parts}}};
    static const char *const said[] = {"submission 1 has no exec",
                                       "submission 1 is for another device",
                                       "submission 1 asks for some pieces"};
    uint64_t replays[2];
    uint32_t submits = mock.submits;
    for (size_t i = 0; i < 3; i++) {
        memset(replays, 7, sizeof replays);
        CU_ASSERT_EQUAL(rp_device_submit(device, cases[i], 2, diags, replays), RP_ERROR_USAGE);
        CU_ASSERT_TRUE(rp_test_said(diags, said[i]));
        CU_ASSERT_TRUE(replays[0] == 0 && replays[1] == 0);
    }
    CU_ASSERT_EQUAL(rp_device_submit(NULL, cases[0], 1, diags, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_device_submit(device, NULL, 1, diags, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_device_submit(device, NULL, 0, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(mock.submits, submits);
    rp_exec_destroy(theirs);
    rp_device_destroy(foreign, NULL);
    close_all();
}

/* What a submission waits for must not come behind it in the queue: all would stand. */
static void test_waiting_for_later(void) {
    mock_reset();
    open_text(text, &mock_params);
    rp_exec *other = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, plan, &mock_params, diags, &other), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(other, NULL, diags, NULL), RP_OK);
    rp_semaphore wait = {.handle = rp_exec_timeline(other), .value = 2};
    const rp_submit_params waiting = {.size = sizeof waiting, .waits = &wait, .wait_count = 1};
    const rp_submission behind[] = {{exec, NULL}, {exec, &waiting}, {other, NULL}};
    const rp_submission before[] = {{other, NULL}, {exec, &waiting}, {other, NULL}};
    uint64_t replays[3] = {1, 1, 1};
    uint32_t submits = mock.submits;
    CU_ASSERT_EQUAL(rp_device_submit(device, behind, 3, diags, replays), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags,
                                "submission 1 waits for replay 2 of the exec of submission 2, of "
                                "which 1 are submitted by then: put the one that is waited for "
                                "in front"));
    CU_ASSERT_TRUE(replays[0] == 0 && replays[1] == 0 && replays[2] == 0);
    CU_ASSERT_EQUAL(mock.submits, submits);
    CU_ASSERT_EQUAL(rp_device_submit(device, before, 3, diags, replays), RP_OK);
    CU_ASSERT_TRUE(replays[0] == 2 && replays[1] == 1 && replays[2] == 3);
    wait.value = 5; /* 4 is submitted in front, 5 behind */
    CU_ASSERT_EQUAL(rp_device_submit(device, before, 3, diags, replays), RP_ERROR_USAGE);
    wait.value = 1; /* done long ago */
    CU_ASSERT_EQUAL(rp_device_submit(device, behind, 3, diags, replays), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(other, 0, UINT64_MAX, diags), RP_OK);
    rp_exec_destroy(other);
    close_all();
}

/* Slots of one exec in one call: those that overlap wait for their own last replay, also when that is
 * in the same call. */
static void test_one_exec_often(void) {
    mock_reset();
    const rp_exec_params params = {.size = sizeof params, .cache_path = "", .slots = 2};
    open_text(text, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    mock.races = true;
    const rp_submit_params second = {.size = sizeof second, .slot = 1};
    const rp_submission all[] = {{exec, NULL}, {exec, &second}, {exec, NULL}, {exec, NULL}};
    static const uint64_t waits[] = {0, 0, 1, 3};
    uint64_t replays[4] = {0};
    CU_ASSERT_EQUAL(rp_device_submit(device, all, 4, diags, replays), RP_OK);
    for (uint32_t i = 0; i < 4; i++) {
        const mock_batch *batch = latest(3 - i);
        CU_ASSERT_EQUAL(replays[i], i + 1);
        CU_ASSERT_EQUAL(batch->wait_count, waits[i] != 0);
        if (waits[i]) CU_ASSERT_EQUAL(batch->waits[0].value, waits[i]);
        CU_ASSERT_EQUAL(batch->command_count, 1);
    }
    close_all();
}

/* All or none: a failure at any point counts nothing, and what comes next goes on as if it had not
 * been tried. */
static void test_all_or_none(void) {
    mock_reset();
    const rp_exec_params params = {
        .size = sizeof params, .cache_path = "", .slots = 2, .pieces = 2};
    open_text(text, &params);
    rp_exec *other = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, plan, &params, diags, &other), RP_OK);
    const rp_submit_params second = {.size = sizeof second, .slot = 1},
                           parts = {.size = sizeof parts, .pieces = 1};
    const rp_submission all[] = {{exec, NULL}, {exec, &second}, {exec, NULL}, {other, NULL}};
    CU_ASSERT_EQUAL(rp_device_submit(device, all, 3, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(other, &parts, diags, NULL), RP_OK);
    uint64_t replays[4] = {1, 1, 1, 1};
    uint32_t submits = mock.submits;
    CU_ASSERT_EQUAL(rp_device_submit(device, all, 4, diags, replays), RP_ERROR_BUSY);
    CU_ASSERT_TRUE(rp_test_said(diags, "replay 1 has pieces that are not submitted"));
    CU_ASSERT_TRUE(replays[0] == 0 && replays[3] == 0);
    CU_ASSERT_EQUAL(mock.submits, submits);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 4, 0, diags), RP_ERROR_USAGE); /* there is none */
    CU_ASSERT_EQUAL(rp_exec_continue(other, 0, diags), RP_OK);
    mock.fail_call = "vkQueueSubmit2";
    CU_ASSERT_EQUAL(rp_device_submit(device, all, 4, diags, replays), RP_ERROR_DEVICE_MEMORY);
    mock.fail_call = "vkQueueSubmit2";
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &second, diags, replays), RP_ERROR_DEVICE_MEMORY);
    CU_ASSERT_TRUE(rp_test_said(diags, "vkQueueSubmit2 failed"));
    CU_ASSERT_EQUAL(replays[0], 0);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, "", 1, diags), RP_OK); /* nothing is in flight */
    CU_ASSERT_EQUAL(rp_exec_write(exec, 1, "x", 0, "", 1, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_device_submit(device, all, 4, diags, replays), RP_OK);
    CU_ASSERT_TRUE(replays[0] == 4 && replays[1] == 5 && replays[2] == 6 && replays[3] == 2);
    /* Batches of two pieces each: the first waits for the slot's replay 3, the second for 2. */
    CU_ASSERT_EQUAL(latest(7)->waits[0].value, 3);
    CU_ASSERT_EQUAL(latest(5)->waits[0].value, 2);
    rp_exec_destroy(other);
    close_all();
}

/* ---- Waiting --------------------------------------------------------------------------------- */

static void test_waiting(void) {
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    mock.stall = true;
    for (uint32_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 2, 0, diags), RP_ERROR_TIMEOUT);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 2, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_completed(exec), 2);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 1, 0, diags), RP_OK);
    uint32_t waits = mock.waits;
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 2, 0, diags), RP_OK); /* is known */
    CU_ASSERT_EQUAL(mock.waits, waits);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 3, 1000, diags), RP_ERROR_TIMEOUT);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 5, 0, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, 0, diags), RP_ERROR_TIMEOUT);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_completed(exec), 4);
    close_all();
}

/* A replay behind a semaphore that the host signals later; destroying waits for what can end. */
static void test_behind_the_host(void) {
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    VkSemaphore host = semaphore(true);
    const rp_semaphore wait = {host, 1, 0};
    const rp_submit_params params = {.size = sizeof params, .waits = &wait, .wait_count = 1};
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &params, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_completed(exec), 0);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, 0, diags), RP_ERROR_TIMEOUT);
    mock_signal(host, 1);
    CU_ASSERT_EQUAL(rp_exec_completed(exec), 1);
    destroy(host);
    close_all();
}

/* A number that the application reserved and then did not use. */
static void test_reserved_and_given_up(void) {
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    uint64_t replay = 0;
    CU_ASSERT_EQUAL(rp_exec_reserve(exec, 0, diags, &replay), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_reserve(exec, 0, diags, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, 0, diags), RP_ERROR_TIMEOUT);
    CU_ASSERT_TRUE(rp_exec_gpu_seconds(exec, 0) < 0);
    mock_signal(rp_exec_timeline(exec), replay);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, 0, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, &replay), RP_OK);
    CU_ASSERT_EQUAL(replay, 2);
    close_all();
}

/* The time of a replay is that of these recordings, and of the exec's own submissions. */
static void test_times(void) {
    mock_reset();
    const rp_exec_params params = {
        .size = sizeof params, .cache_path = "", .timestamps = 1, .pieces = 2};
    const rp_submit_params parts = {.size = sizeof parts, .pieces = 1};
    open_text(text, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_TRUE(rp_exec_gpu_seconds(exec, 0) > 0);
    CU_ASSERT_EQUAL(rp_exec_update(exec, plan, NULL, diags), RP_OK);
    uint32_t calls = mock.calls;
    CU_ASSERT_TRUE(rp_exec_gpu_seconds(exec, 0) < 0);
    CU_ASSERT_EQUAL(mock.calls, calls); /* nothing is read that was never written */
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_TRUE(rp_exec_gpu_seconds(exec, 0) > 0);
    const rp_storage_params wanted = {.size = sizeof wanted, .bytes = 256};
    rp_storage *mine = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &wanted, diags, &mine), RP_OK);
    const rp_binding binding = {"x", mine, 0, 0, 0};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_OK);
    CU_ASSERT_TRUE(rp_exec_gpu_seconds(exec, 0) < 0);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &parts, diags, NULL), RP_OK);
    CU_ASSERT_TRUE(rp_exec_gpu_seconds(exec, 0) < 0);
    CU_ASSERT_EQUAL(rp_exec_cancel(exec, diags), RP_OK);
    CU_ASSERT_TRUE(rp_exec_gpu_seconds(exec, 0) < 0);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_TRUE(rp_exec_gpu_seconds(exec, 0) > 0);
    CU_ASSERT_TRUE(rp_exec_gpu_seconds(exec, 1) < 0);
    rp_storage_release(mine);
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"semaphores", test_semaphores},
                                    {"signals of parts", test_signals_of_parts},
                                    {"refused", test_refused},
                                    {"wrong submissions", test_wrong_submissions},
                                    {"waiting for what comes later", test_waiting_for_later},
                                    {"one exec often", test_one_exec_often},
                                    {"all or none", test_all_or_none},
                                    {"waiting", test_waiting},
                                    {"behind the host", test_behind_the_host},
                                    {"reserved and given up", test_reserved_and_given_up},
                                    {"times", test_times},
                                    {0}};
    return rp_run_tests("submit", tests);
}
