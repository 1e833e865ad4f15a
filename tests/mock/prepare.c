/* Pipelines that are created before anyone needs them: by whoever waits, by threads, in the order of
 * their priorities, and not at all when they are called off. */
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include "many_kernels.h"
#include "support.h"

static rp_device *device;
static rp_plan *plan;
static rp_diags *diags;
static mock_allocator memory;

/* A gate in vkCreateComputePipelines, and the kernels in the order in which they came to it. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool open;
    uint32_t count, kernels[64];
} gate = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void at_gate(uint32_t kernel) {
    pthread_mutex_lock(&gate.mutex);
    if (gate.count < 64) gate.kernels[gate.count++] = kernel - MANY_FIRST;
    pthread_cond_broadcast(&gate.changed);
    while (!gate.open) pthread_cond_wait(&gate.changed, &gate.mutex);
    pthread_mutex_unlock(&gate.mutex);
}

static void set_gate(bool open) {
    pthread_mutex_lock(&gate.mutex);
    gate.open = open;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.mutex);
}

/* Until so many have come to the gate. */
static void await_at_gate(uint32_t count) {
    pthread_mutex_lock(&gate.mutex);
    while (gate.count < count) pthread_cond_wait(&gate.changed, &gate.mutex);
    pthread_mutex_unlock(&gate.mutex);
}

static void open_device(int32_t threads, uint32_t kernels) {
    mock_reset();
    gate.count = 0;
    gate.open = true;
    mock.on_pipeline = at_gate;
    mock_allocator_init(&memory);
    diags = rp_diags_create(NULL);
    plan = many_kernels(kernels);
    const rp_device_params params = {
        .size = sizeof params, .get_instance_proc_addr = mock_entry(), .pipeline_threads = threads};
    CU_ASSERT_EQUAL_FATAL(rp_device_create(&memory.allocator, &params, diags, &device), RP_OK);
}

static void close_device(void) {
    CU_ASSERT_EQUAL(rp_device_destroy(device, NULL), RP_OK);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    CU_ASSERT_EQUAL(memory.alive, 0);
    mock_done();
}

static rp_preparation *prepare(rp_pipeline_priority priority, const rp_kernel_priority *kernels,
                               uint32_t count) {
    const rp_prepare_params params = {.size = sizeof params,
                                      .cache_path = "",
                                      .priority = priority,
                                      .kernels = kernels,
                                      .kernel_count = count};
    rp_preparation *preparation = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_device_prepare(device, plan, &params, diags, &preparation), RP_OK);
    return preparation;
}

static rp_preparation_progress progress_of(const rp_preparation *preparation) {
    rp_preparation_progress progress = {sizeof progress};
    CU_ASSERT_EQUAL(rp_preparation_get_progress(preparation, &progress), RP_OK);
    return progress;
}

static void expect_order(const uint32_t *kernels, uint32_t count) {
    CU_ASSERT_EQUAL(gate.count, count);
    CU_ASSERT_EQUAL(memcmp(gate.kernels, kernels, count * sizeof *kernels), 0);
    for (uint32_t i = 0; i < gate.count; i++)
        if (gate.kernels[i] != kernels[i])
            printf("\n  %u. is kernel %u, not %u", i, gate.kernels[i], kernels[i]);
}

/* ---- Without threads ------------------------------------------------------------------------- */

static const rp_kernel_priority some[] = {
    {"k1", RP_PIPELINE_RARE}, {"k4", RP_PIPELINE_CRITICAL}, {"k3", RP_PIPELINE_CRITICAL}};

/* Nothing happens until somebody waits, who creates what he waits for. */
static void test_by_waiting(void) {
    open_device(-1, 6);
    rp_preparation *preparation = prepare(RP_PIPELINE_NORMAL, some, 3);
    rp_preparation_progress progress = progress_of(preparation);
    CU_ASSERT_TRUE(progress.total == 6 && progress.ready == 0 && progress.created == 0);
    CU_ASSERT_EQUAL(rp_preparation_wait(preparation, NULL, 0, diags), RP_ERROR_TIMEOUT);
    CU_ASSERT_EQUAL(rp_preparation_wait(preparation, "k5", UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_preparation_wait(preparation, "k5", 0, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_preparation_wait(preparation, "k3", 0, diags), RP_ERROR_TIMEOUT);
    CU_ASSERT_EQUAL(progress_of(preparation).ready, 1);
    CU_ASSERT_EQUAL(rp_preparation_wait(preparation, NULL, UINT64_MAX, diags), RP_OK);
    expect_order((const uint32_t[]){5, 3, 4, 0, 2, 1}, 6);
    progress = progress_of(preparation);
    CU_ASSERT_TRUE(progress.ready == 6 && progress.created == 6 && progress.failed == 0);

    /* An exec finds them; so does it when the preparation is gone. */
    rp_exec *exec = NULL;
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &mock_params, diags, &exec), RP_OK);
    CU_ASSERT_EQUAL(mock_counters(exec).pipelines_created, 0);
    rp_exec_destroy(exec);
    rp_preparation_destroy(preparation);
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &mock_params, diags, &exec), RP_OK);
    rp_exec_destroy(exec);
    CU_ASSERT_EQUAL(mock.pipelines, 6);

    /* A timeout is looked at between two pipelines: this one is over before the first is done. */
    rp_device_trim(device);
    preparation = prepare(RP_PIPELINE_NORMAL, NULL, 0);
    CU_ASSERT_EQUAL(rp_preparation_wait(preparation, NULL, 1, diags), RP_ERROR_TIMEOUT);
    CU_ASSERT_EQUAL(progress_of(preparation).ready, 1);
    rp_preparation_destroy(preparation);
    close_device();
}

/* Called off: what nobody else wants is not created, and can be asked for again. */
static void test_cancel(void) {
    open_device(-1, 5);
    rp_preparation *first = prepare(RP_PIPELINE_NORMAL, NULL, 0);
    CU_ASSERT_EQUAL(rp_preparation_wait(first, "k2", UINT64_MAX, diags), RP_OK);
    rp_preparation *second = prepare(RP_PIPELINE_NORMAL, NULL, 0);
    rp_preparation_cancel(first);
    rp_preparation_cancel(first);
    CU_ASSERT_TRUE(progress_of(first).cancelled);
    CU_ASSERT_EQUAL(rp_preparation_wait(first, "k2", UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_preparation_wait(first, "k1", UINT64_MAX, diags), RP_ERROR_CANCELLED);
    CU_ASSERT_EQUAL(rp_preparation_wait(first, NULL, 0, diags), RP_ERROR_CANCELLED);
    rp_preparation_destroy(first); /* and with it not what the second still wants */
    CU_ASSERT_EQUAL(rp_preparation_wait(second, "k1", UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(mock.pipelines, 2);
    CU_ASSERT_EQUAL(progress_of(second).created, 0); /* the first had asked for them */
    rp_preparation_destroy(second);
    CU_ASSERT_EQUAL(mock.pipelines, 2);
    second = prepare(RP_PIPELINE_RARE, NULL, 0);
    CU_ASSERT_EQUAL(progress_of(second).ready, 2);
    CU_ASSERT_EQUAL(rp_preparation_wait(second, NULL, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(progress_of(second).created, 3);
    rp_preparation_destroy(second);
    close_device();
}

static void test_usage(void) {
    open_device(-1, 2);
    rp_preparation *preparation = (rp_preparation *)1;
    rp_prepare_params params = {.kernels = some, .kernel_count = 1};
    CU_ASSERT_EQUAL(rp_device_prepare(device, plan, &params, diags, &preparation), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(preparation); /* no size */
    CU_ASSERT_TRUE(rp_test_said(diags, "sizeof(rp_prepare_params)"));
    params.size = sizeof params;
    params.kernels = NULL;
    CU_ASSERT_EQUAL(rp_device_prepare(device, plan, &params, diags, &preparation), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "rp_prepare_params.kernels is NULL"));
    params.kernels = some + 1;
    CU_ASSERT_EQUAL(rp_device_prepare(device, plan, &params, diags, &preparation),
                    RP_ERROR_NOT_FOUND);
    CU_ASSERT_TRUE(
        rp_test_said(diags, "a priority is given for @k4, but the plan has no such kernel"));
    params.kernels = NULL;
    params.kernel_count = 0;
    params.priority = (rp_pipeline_priority)2;
    CU_ASSERT_EQUAL(rp_device_prepare(device, plan, &params, diags, &preparation), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "kernel @k0 has priority 2"));
    CU_ASSERT_EQUAL(rp_device_prepare(device, plan, NULL, diags, &preparation), RP_OK);
    CU_ASSERT_EQUAL(rp_preparation_wait(preparation, "k2", 0, diags), RP_ERROR_NOT_FOUND);
    CU_ASSERT_TRUE(rp_test_said(diags, "the plan has no kernel @k2"));
    CU_ASSERT_EQUAL(rp_device_destroy(device, diags), RP_ERROR_BUSY);
    CU_ASSERT_TRUE(rp_test_said(diags, "still in use by 1 preparation"));
    rp_preparation_progress progress = {0};
    CU_ASSERT_EQUAL(rp_preparation_get_progress(preparation, &progress), RP_ERROR_USAGE);
    rp_preparation_destroy(preparation);
    rp_preparation_destroy(NULL);
    rp_preparation_cancel(NULL);

    /* What does not fit the device is not even tried. */
    rp_plan *abstract = mock_plan("reprise 1\ngraph g scheduled placed synced arena 0 {\n"
                                  "  buf $y out 64\n  kern @abstract spirv - local 1 1 1 (rw)\n"
                                  "  group 0\n    n0 = run @abstract grid 1 1 1 (rw $y)\n}\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(abstract);
    CU_ASSERT_EQUAL(rp_device_prepare(device, abstract, NULL, diags, &preparation),
                    RP_ERROR_UNSUPPORTED);
    rp_plan_destroy(abstract);
    CU_ASSERT_EQUAL(mock.pipelines, 0);
    close_device();
}

/* ---- With threads ---------------------------------------------------------------------------- */

/* One thread is held up at its first pipeline while others are asked for. */
static void test_order(void) {
    open_device(1, 8);
    set_gate(false);
    static const rp_kernel_priority rare[] = {{"k0", RP_PIPELINE_CRITICAL}};
    static const rp_kernel_priority urgent[] = {{"k5", RP_PIPELINE_CRITICAL},
                                                {"k2", RP_PIPELINE_NORMAL}};
    rp_preparation *first = prepare(RP_PIPELINE_RARE, rare, 1);
    await_at_gate(1);
    rp_preparation *second = prepare(RP_PIPELINE_RARE, urgent, 2);                  /* raises two */
    CU_ASSERT_EQUAL(rp_preparation_wait(second, "k7", 1, diags), RP_ERROR_TIMEOUT); /* one more */
    CU_ASSERT_EQUAL(rp_preparation_wait(first, "k0", 1, diags), RP_ERROR_TIMEOUT);
    set_gate(true);
    CU_ASSERT_EQUAL(rp_preparation_wait(second, NULL, UINT64_C(60000000000), diags), RP_OK);
    expect_order((const uint32_t[]){0, 5, 7, 2, 1, 3, 4, 6}, 8);
    rp_preparation_destroy(first);
    rp_preparation_destroy(second);
    close_device();
}

typedef struct waiter {
    pthread_t thread;
    const rp_preparation *preparation;
    const char *kernel;
    rp_status status;
} waiter;

static void *wait_thread(void *data) {
    waiter *w = data;
    w->status = rp_preparation_wait(w->preparation, w->kernel, UINT64_MAX, NULL);
    return NULL;
}

static void start_waiter(waiter *w, const rp_preparation *preparation, const char *kernel) {
    *w = (waiter){.preparation = preparation, .kernel = kernel};
    CU_ASSERT_EQUAL_FATAL(pthread_create(&w->thread, NULL, wait_thread, w), 0);
}

static void join_waiter(waiter *w, rp_status status) {
    pthread_join(w->thread, NULL);
    CU_ASSERT_EQUAL(w->status, status);
}

/* Who waits for ever does not queue behind what a thread is busy with. */
static void test_help(void) {
    open_device(1, 4);
    set_gate(false);
    rp_preparation *preparation = prepare(RP_PIPELINE_NORMAL, NULL, 0);
    await_at_gate(1);
    waiter w;
    start_waiter(&w, preparation, "k3");
    await_at_gate(2);
    expect_order((const uint32_t[]){0, 3}, 2);
    set_gate(true);
    join_waiter(&w, RP_OK);
    CU_ASSERT_EQUAL(rp_preparation_wait(preparation, NULL, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(mock.pipelines, 4);
    rp_preparation_destroy(preparation);
    close_device();
}

/* Called off while one is being created, which goes on; a thread that waits is told; the plan may go
 * at once, the preparation too. */
static void test_cancel_running(void) {
    for (int again = 0; again < 2; again++) {
        open_device(1, 4);
        set_gate(false);
        rp_preparation *first = prepare(RP_PIPELINE_NORMAL, NULL, 0), *second = NULL;
        await_at_gate(1);
        waiter w;
        start_waiter(&w, first, "k0");
        rp_preparation_cancel(first);
        join_waiter(&w, RP_ERROR_CANCELLED);
        if (again) second = prepare(RP_PIPELINE_NORMAL, NULL, 0);
        rp_preparation_destroy(first);
        rp_device_trim(device); /* leaves what is being created */
        rp_plan_destroy(plan);
        plan = NULL;
        set_gate(true);
        if (again) {
            CU_ASSERT_EQUAL(rp_preparation_wait(second, NULL, UINT64_MAX, diags), RP_OK);
            rp_preparation_progress progress = progress_of(second);
            CU_ASSERT_TRUE(progress.ready == 4 && progress.created == 3);
        }
        rp_preparation_destroy(second);
        close_device(); /* which waits for what is being created */
        CU_ASSERT_EQUAL(mock.pipelines, again ? 4 : 1);
    }
}

/* The driver fails in the background: who waits is told, who asks again has it tried again. */
static void test_failure(void) {
    open_device(2, 3);
    mock.fail_with = VK_ERROR_OUT_OF_DEVICE_MEMORY;
    mock.fail_call = "vkCreateShaderModule";
    rp_preparation *first = prepare(RP_PIPELINE_NORMAL, NULL, 0);
    CU_ASSERT_EQUAL(rp_preparation_wait(first, NULL, UINT64_MAX, diags), RP_ERROR_DEVICE_MEMORY);
    CU_ASSERT_TRUE(rp_test_said(diags, "vkCreateShaderModule failed"));
    CU_ASSERT_TRUE(rp_test_said(diags, "this was for kernel @k"));
    CU_ASSERT_EQUAL(progress_of(first).failed, 1);
    rp_preparation *second = prepare(RP_PIPELINE_NORMAL, NULL, 0);
    CU_ASSERT_EQUAL(rp_preparation_wait(second, NULL, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_preparation_wait(first, NULL, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(progress_of(first).failed, 0);
    rp_preparation_destroy(first);
    rp_preparation_destroy(second);
    close_device();
}

/* Threads that prepare, wait, call off and trim, all at once. */
static void *user_thread(void *data) {
    uint32_t seed = (uint32_t)(uintptr_t)data;
    uintptr_t wrong = 0;
    for (uint32_t i = seed; i < seed + 40; i++) {
        rp_preparation *preparation = NULL;
        const rp_prepare_params params = {.size = sizeof params,
                                          .cache_path = "",
                                          .priority = (rp_pipeline_priority)((int)(i % 3) - 1)};
        wrong += rp_device_prepare(device, plan, &params, NULL, &preparation) != RP_OK;
        if (i % 4 == 0) rp_preparation_cancel(preparation);
        if (i % 4 == 1) wrong += rp_preparation_wait(preparation, "k7", UINT64_MAX, NULL) != RP_OK;
        if (i % 4 == 2) wrong += rp_preparation_wait(preparation, NULL, UINT64_MAX, NULL) != RP_OK;
        rp_preparation_progress progress = {sizeof progress};
        wrong += rp_preparation_get_progress(preparation, &progress) != RP_OK;
        wrong += i % 4 == 2 && progress.ready != progress.total;
        rp_preparation_destroy(preparation);
        if (i % 3 == 0) rp_device_trim(device);
    }
    return (void *)wrong;
}

static void test_many_threads(void) {
    enum { USERS = 4 };
    open_device(3, 10);
    mock.on_pipeline = NULL;
    pthread_t threads[USERS];
    for (uintptr_t i = 0; i < USERS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, user_thread, (void *)i), 0);
    for (int i = 0; i < USERS; i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        CU_ASSERT_PTR_NULL(wrong);
    }
    close_device();
}

/* ---- Execs before their rare pipelines ------------------------------------------------------- */

static rp_exec *create_rare(rp_pipeline_priority priority, const rp_kernel_priority *kernels,
                            uint32_t count, uint32_t slots) {
    const rp_exec_params params = {.size = sizeof params,
                                   .cache_path = "",
                                   .slots = slots,
                                   .priority = priority,
                                   .kernels = kernels,
                                   .kernel_count = count};
    rp_exec *exec = NULL;
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &params, diags, &exec), RP_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    return exec;
}

/* Created without two of four; written to; the first submission creates them and records, for its
 * slot; all that need commands do so. */
static void test_rare(void) {
    static const rp_kernel_priority rare[] = {{"k0", RP_PIPELINE_RARE}, {"k2", RP_PIPELINE_RARE}};
    for (int by = 0; by < 4; by++) {
        open_device(-1, 4);
        rp_exec *exec = create_rare(RP_PIPELINE_NORMAL, rare, 2, 2);
        CU_ASSERT_EQUAL(mock.pipelines, 2);
        CU_ASSERT_EQUAL(mock_counters(exec).pipelines, 4);
        CU_ASSERT_EQUAL(mock_counters(exec).pipelines_created, 2);
        const rp_preparation *own = rp_exec_get_preparation(exec);
        CU_ASSERT_EQUAL(rp_preparation_wait(own, "k1", 0, diags), RP_OK);
        CU_ASSERT_EQUAL(rp_preparation_wait(own, "k2", 0, diags), RP_ERROR_TIMEOUT);
        CU_ASSERT_EQUAL(rp_exec_write(exec, 1, "y", 0, "1234", 4, diags), RP_OK);
        CU_ASSERT_EQUAL(mock.pipelines, 2);
        const rp_submission submission = {exec, NULL};
        void *commands = NULL;
        switch (by) {
        case 0: CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK); break;
        case 1:
            CU_ASSERT_EQUAL(rp_device_submit(device, &submission, 1, diags, NULL), RP_OK);
            break;
        case 2:
            commands = rp_exec_command_buffer(exec, 0, 0);
            CU_ASSERT_PTR_NOT_NULL_FATAL(commands);
            CU_ASSERT_PTR_NOT_NULL(strstr(mock_commands(commands), "dispatch"));
            break;
        case 3: CU_ASSERT_EQUAL(rp_preparation_wait(own, NULL, UINT64_MAX, diags), RP_OK); break;
        }
        expect_order((const uint32_t[]){1, 3, 0, 2}, 4);
        CU_ASSERT_EQUAL(mock_counters(exec).pipelines_created, 4);
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
        rp_exec_destroy(exec);
        close_device();
    }
}

/* A rare pipeline that cannot be created is an error of the submission, until somebody else has it
 * tried again. So are commands that cannot be recorded. */
static void test_rare_failure(void) {
    open_device(-1, 2);
    rp_exec *exec = create_rare(RP_PIPELINE_RARE, NULL, 0, 1);
    CU_ASSERT_EQUAL(mock.pipelines, 0);
    mock.fail_with = VK_ERROR_UNKNOWN;
    mock.fail_call = "vkCreateComputePipelines";
    for (int i = 0; i < 2; i++) {
        rp_diags_clear(diags);
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_ERROR_DRIVER);
        CU_ASSERT_TRUE(rp_test_said(diags, "this was for kernel @k0"));
    }
    CU_ASSERT_PTR_NULL(rp_exec_command_buffer(exec, 0, 0));
    rp_preparation *again = prepare(RP_PIPELINE_NORMAL, NULL, 0);
    const char *const calls[] = {"vkCreateCommandPool", "vkAllocateCommandBuffers",
                                 "vkBeginCommandBuffer", "vkEndCommandBuffer"};
    for (int i = 0; i < 4; i++) {
        mock.fail_call = calls[i];
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_ERROR_DRIVER);
    }
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    rp_preparation_destroy(again);
    rp_exec_destroy(exec);
    exec = create_rare(RP_PIPELINE_RARE, NULL, 0, 1); /* all are there: recorded at once */
    mock.fail_call = "vkBeginCommandBuffer";
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    mock.fail_call = NULL;
    rp_exec_destroy(exec);
    static const rp_kernel_priority wrong[] = {{"kk", RP_PIPELINE_RARE}};
    const rp_exec_params params = {.size = sizeof params, .kernels = wrong, .kernel_count = 1};
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &params, diags, &exec), RP_ERROR_NOT_FOUND);
    CU_ASSERT_PTR_NULL(exec);
    close_device();
}

/* A thread creates rare ones while the exec is written to; the submission waits for what is left. */
static void test_rare_on_threads(void) {
    open_device(1, 3);
    set_gate(false);
    rp_exec *exec = create_rare(RP_PIPELINE_RARE, NULL, 0, 1);
    await_at_gate(1);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "y", 0, "1234", 4, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_preparation_wait(rp_exec_get_preparation(exec), NULL, 1000, diags),
                    RP_ERROR_TIMEOUT);
    set_gate(true);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(mock.pipelines, 3);
    rp_exec_destroy(exec);
    rp_device_trim(device);
    set_gate(false);
    exec = create_rare(RP_PIPELINE_RARE, NULL, 0, 1);
    await_at_gate(4);
    set_gate(true);
    rp_exec_destroy(exec); /* before they are there */
    close_device();
}

int main(void) {
    static const rp_test tests[] = {{"by waiting", test_by_waiting},
                                    {"cancel", test_cancel},
                                    {"usage", test_usage},
                                    {"order", test_order},
                                    {"help", test_help},
                                    {"cancel what is begun", test_cancel_running},
                                    {"failure", test_failure},
                                    {"many threads", test_many_threads},
                                    {"rare", test_rare},
                                    {"rare: failures", test_rare_failure},
                                    {"rare: on threads", test_rare_on_threads},
                                    {0}};
    return rp_run_tests("prepare", tests);
}
