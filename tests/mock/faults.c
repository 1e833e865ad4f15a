/* Every call that can fail, made to fail, one at a time: each of our allocations, each Vulkan call.
 * Nothing may leak, nothing may break a rule of Vulkan, and the caller gets a status. */
#include <stdio.h>
#include <stdlib.h>
#include "support.h"

static const char text[] = "reprise 1\n"
                           "graph all scheduled placed synced arena 512 {\n"
                           "  buf $x in 256\n"
                           "  buf $w weight 256\n"
                           "  buf $y out 256\n"
                           "  buf $n live u32[2] = 40000000 02000000\n"
                           "  buf %a tmp 256 at 0\n"
                           "  buf %b tmp 256 at 256\n"
                           "  kern @k spirv - local 64 1 1 push 4 spec 3=00000007 (r, w)\n"
                           "  kern @l spirv - local 64 1 1 (u, r 1.0, w 1.1)\n"
                           "  barrier compute:rw -> compute:w\n"
                           "  group 0\n"
                           "    n0 = run @k grid {$n} 1 1 push 01000000 (r $x, rw %a) label "
                           "\"part/a\"\n"
                           "  barrier compute:w -> compute:r\n"
                           "  group 1\n"
                           "    n1 = run @l grid 1 1 1 (u $n, r %a, w %b)\n"
                           "  barrier compute:w -> transfer:r\n"
                           "  group 2\n"
                           "    n2 = copy (r %b, w $y)\n"
                           "}\n";

/* What can be joined kernels: by address, and persistent where all workgroups are there, which they are not here. */
static const char joined[] =
    "reprise 1\n"
    "graph all scheduled placed synced arena 512 {\n"
    "  buf $x in f32[64]\n"
    "  buf $w weight q8_0[32,64]\n"
    "  buf $y out f32[32]\n"
    "  buf $n live u32[1] = 01000000\n"
    "  buf %a tmp f32[64] tagged at 0\n"
    "  kern @late_k spirv - local 64 1 1 push 4 (r, w)\n"
    "  kern @late_r spirv - local 64 1 1 push 4 (r, r, w, rw stall)\n"
    "  barrier compute:w -> compute:w\n"
    "  group 0\n"
    "    n0 = run @late_k grid 2 1 1 push 00000000 (r $x, w %a) for {\n"
    "      n0 = silu (r $x:f32[64], w %a:f32[64])\n"
    "    }\n"
    "  barrier compute:w -> compute:r tagged none -> none\n"
    "  group 1\n"
    "    n1 = run @late_r grid 2 1 1 push 00000000 (r %a, r $w, w $y) for {\n"
    "      n1 = matvec (r %a:f32[1,64], r $w:q8_0[32,64], w $y:f32[1,32])\n"
    "    }\n"
    "  barrier compute:w -> host:r\n"
    "}\n";

/* The life that is lived. */
static const struct life {
    const char *text, *kernel, *with_switch;
    rp_joining joining;
} lives[] = {{text, "k", "part", RP_JOINING_AUTO},
             {joined, "late_k", NULL, RP_JOINING_AUTO},
             {joined, "late_k", NULL, RP_JOINING_PERSISTENT}},
  *life = lives;

static void begin(void) {
    mock_reset();
    mock.device_address = life->text == joined;
}

static uint32_t calls_before_destroy;
static int32_t threads; /* rp_device_params.pipeline_threads */
static char folder[] = "/tmp/reprise-faults-XXXXXX";

/* Everything a program does with the runtime, once. Stops at the first failure. */
static rp_status live_a_life(const rp_allocator *allocator, const rp_plan *plan, int validation,
                             rp_diags *diags) {
    const rp_device_params device_params = {.size = sizeof device_params,
                                            .get_instance_proc_addr = mock_entry(),
                                            .validation = validation,
                                            .pipeline_threads = threads};
    const rp_prepare_params prepare_params = {
        .size = sizeof prepare_params, .cache_path = folder, .priority = RP_PIPELINE_RARE};
    static const char *const switches[] = {"n0", "part"};
    const rp_exec_params exec_params = {.size = sizeof exec_params,
                                        .cache_path = folder,
                                        .timestamps = 1,
                                        .markers = life->with_switch != NULL,
                                        .switches = life->with_switch ? switches : NULL,
                                        .switch_count = life->with_switch ? 2 : 0,
                                        .tags = RP_TAGS_ON,
                                        .joining = life->joining};
    rp_device *device = NULL;
    rp_preparation *preparation = NULL;
    rp_exec *exec = NULL;
    unsigned char bytes[256] = {0};
    rp_status status = rp_device_create(allocator, &device_params, diags, &device);
    if (status == RP_OK)
        status = rp_device_prepare(device, plan, &prepare_params, diags, &preparation);
    if (status == RP_OK) status = rp_preparation_wait(preparation, life->kernel, UINT64_MAX, diags);
    rp_preparation_cancel(preparation);
    if (status == RP_OK) status = rp_exec_create(device, plan, &exec_params, diags, &exec);
    if (status == RP_OK) status = rp_exec_write(exec, 0, "x", 0, bytes, 256, diags);
    if (status == RP_OK) status = rp_exec_set_live(exec, 0, "n", 0, &(uint32_t){3}, 1, diags);
    if (status == RP_OK && life->with_switch)
        status = rp_exec_enable(exec, 0, life->with_switch, 0, diags);
    for (int i = 0; i < 2 && status == RP_OK; i++) status = rp_exec_submit(exec, NULL, NULL, NULL);
    if (status == RP_OK) status = rp_exec_wait(exec, 0, UINT64_MAX, NULL);
    if (status == RP_OK) status = rp_exec_read(exec, 0, "y", 0, bytes, 128, diags);
    if (status == RP_OK) (void)rp_exec_gpu_seconds(exec, 0);
    calls_before_destroy = mock_calls();
    rp_exec_destroy(exec);
    rp_preparation_destroy(preparation);
    if (device) rp_device_trim(device);
    rp_device_destroy(device, NULL);
    return status;
}

/* Calls whose failure is not the caller's: the cache is an optimisation, the GPU time a number, and
 * destroying cannot fail. */
static int may_fail(const char *call, uint32_t number) {
    return number > calls_before_destroy || strcmp(call, "vkGetPipelineCacheData") == 0 ||
           strcmp(call, "vkCreatePipelineCache") == 0 || strcmp(call, "vkGetQueryPoolResults") == 0;
}

/* What fails on a thread while nobody waits for it is tried again when somebody does. */
static int may_be_tried_again(const char *call) {
    return threads > 0 && (strcmp(call, "vkCreateShaderModule") == 0 ||
                           strcmp(call, "vkCreateComputePipelines") == 0);
}

static void fail_each_call(VkResult result, rp_status expected) {
    begin();
    rp_plan *plan = mock_plan(life->text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL_FATAL(live_a_life(NULL, plan, 1, NULL), RP_OK);
    uint32_t calls = mock.calls;
    CU_ASSERT_TRUE(calls > 40);
    for (uint32_t i = 1; i <= calls; i++) {
        begin();
        mock.fail_at = i;
        mock.fail_with = result;
        rp_diags *diags = rp_diags_create(NULL);
        rp_status status = live_a_life(NULL, plan, 1, diags);
        if (!mock.failed && threads > 0) { /* threads make some calls needless, now and then */
            CU_ASSERT_EQUAL(status, RP_OK);
            rp_diags_destroy(diags);
            mock_done();
            continue;
        }
        CU_ASSERT_PTR_NOT_NULL_FATAL(mock.failed);
        bool fine = may_fail(mock.failed, i) ? status == RP_OK : status == expected;
        fine = fine || (may_be_tried_again(mock.failed) && status == RP_OK);
        /* Submitting and waiting have no diagnostics; everything else explains itself. */
        bool silent = strcmp(mock.failed, "vkQueueSubmit2") == 0 ||
                      strcmp(mock.failed, "vkWaitSemaphores") == 0 || may_fail(mock.failed, i) ||
                      status == RP_OK;
        if (!silent && rp_diags_error_count(diags) == 0) fine = false;
        /* Want of memory is told with what was asked for, by whom. */
        if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY && strcmp(mock.failed, "vkAllocateMemory") == 0)
            CU_ASSERT_TRUE(rp_test_said(diags, "out of device memory on Mock 9000: asked for"));
        if (!fine || mock.objects || mock.mistake)
            printf("\n  call %u, %s: status %d, %u errors, %d objects left, mistake %s\n", i,
                   mock.failed, status, rp_diags_error_count(diags), mock.objects,
                   mock.mistake ? mock.mistake : "none");
        CU_ASSERT_TRUE(fine);
        rp_diags_destroy(diags);
        mock_done();
    }
    rp_plan_destroy(plan);
}

static void test_device_memory(void) {
    fail_each_call(VK_ERROR_OUT_OF_DEVICE_MEMORY, RP_ERROR_DEVICE_MEMORY);
}

static void test_host_memory(void) {
    fail_each_call(VK_ERROR_OUT_OF_HOST_MEMORY, RP_ERROR_NO_MEMORY);
}

static void test_device_lost(void) {
    fail_each_call(VK_ERROR_DEVICE_LOST, RP_ERROR_DEVICE_LOST);
}

static void test_unknown(void) {
    fail_each_call(VK_ERROR_UNKNOWN, RP_ERROR_DRIVER);
}

static void test_on_threads(void) {
    threads = 2;
    fail_each_call(VK_ERROR_UNKNOWN, RP_ERROR_DRIVER);
    fail_each_call(VK_ERROR_DEVICE_LOST, RP_ERROR_DEVICE_LOST);
    threads = -1;
}

/* Each of our own allocations. Reading and saving the cache, twice, are what goes on without memory. */
static void test_allocations(void) {
    begin();
    rp_plan *plan = mock_plan(life->text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    mock_allocator memory;
    mock_allocator_init(&memory);
    CU_ASSERT_EQUAL_FATAL(live_a_life(&memory.allocator, plan, 0, NULL), RP_OK);
    CU_ASSERT_EQUAL(memory.alive, 0);
    long calls = memory.calls, survived = 0;
    CU_ASSERT_TRUE(calls > 20);
    for (long i = 1; i <= calls; i++) {
        begin();
        mock_allocator_init(&memory);
        memory.fail_at = i;
        rp_status status = live_a_life(&memory.allocator, plan, 0, NULL);
        CU_ASSERT_TRUE(status == RP_ERROR_NO_MEMORY || status == RP_OK);
        survived += status == RP_OK && memory.calls >= i;
        CU_ASSERT_EQUAL(memory.alive, 0);
        mock_done();
    }
    /* Without memory these go on, of joined kernels once more; on threads one may come under another number in the next
     * life. */
    CU_ASSERT_TRUE(survived <= (threads > 0 ? 8 : life->text == joined ? 6 : 4));
    rp_plan_destroy(plan);
}

static void test_allocations_on_threads(void) {
    threads = 2;
    test_allocations();
    threads = -1;
}

static void test_joined(void) {
    for (life = lives + 1; life < lives + sizeof lives / sizeof *lives; life++) {
        test_device_memory();
        test_device_lost();
        test_allocations();
    }
    life = lives;
}

int main(void) {
    if (!mkdtemp(folder)) return 99;
    threads = -1;
    static const rp_test tests[] = {{"out of device memory", test_device_memory},
                                    {"out of host memory", test_host_memory},
                                    {"device lost", test_device_lost},
                                    {"unknown error", test_unknown},
                                    {"on threads", test_on_threads},
                                    {"our allocations", test_allocations},
                                    {"our allocations, on threads", test_allocations_on_threads},
                                    {"joined kernels", test_joined},
                                    {0}};
    int failures = rp_run_tests("faults", tests);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) == 0 ? failures : 99;
}
