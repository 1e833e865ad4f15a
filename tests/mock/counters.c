/* What execs and devices count: the figures of a small life, against the commands that the fake
 * driver got. */
#include <stdlib.h>
#include "opened.h"

static const char text[] = "reprise 1\n"
                           "graph all scheduled placed synced arena 512 {\n"
                           "  buf $x in 256\n"
                           "  buf $y out 256\n"
                           "  buf %a tmp 256 at 0\n"
                           "  buf %b tmp 256 at 256\n"
                           "  kern @k spirv - local 64 1 1 (r, w)\n"
                           "  barrier transfer:r -> compute:w\n"
                           "  group 0\n"
                           "    n0 = run @k grid 1 1 1 (r $x, w %a)\n"
                           "    n1 = fill 00000000 (w %b)\n"
                           "  barrier compute:w,transfer:w -> compute:rw\n"
                           "  group 1\n"
                           "    n2 = run @k grid 1 1 1 (r %a, w %b)\n"
                           "  barrier compute:w -> transfer:rw\n"
                           "  group 2\n"
                           "    n3 = copy (r %b, w $y)\n"
                           "  barrier transfer:w -> host:r\n"
                           "}\n";

static rp_counters of_exec(void) {
    return mock_counters(exec);
}

static rp_counters of_device(void) {
    rp_counters counters = {.size = sizeof counters};
    CU_ASSERT_EQUAL(rp_device_get_counters(device, &counters), RP_OK);
    return counters;
}

static uint32_t count_lines(const char *commands, const char *word) {
    uint32_t found = 0;
    for (const char *at = commands; (at = strstr(at, word)); at++) found++;
    return found;
}

static void test_replays(void) {
    unsigned char bytes[256] = {0};
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_EQUAL(of_exec().replays, 0);
    CU_ASSERT_EQUAL(of_exec().recordings, 1);
    CU_ASSERT_EQUAL(of_exec().pipelines, 1);
    CU_ASSERT_TRUE(of_exec().memory_bytes >= 1024);
    CU_ASSERT_EQUAL(of_exec().memory_bytes, of_exec().memory_peak_bytes);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, bytes, 256, NULL), RP_OK);
    for (int i = 0; i < 3; i++) CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK); /* nothing to wait for */
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, bytes, 100, NULL), RP_OK);

    const char *commands = mock_commands(rp_exec_command_buffer(exec, 0, 0));
    rp_counters c = of_exec();
    CU_ASSERT_EQUAL(c.replays, 3);
    CU_ASSERT_EQUAL(c.submissions, 3);
    CU_ASSERT_EQUAL(c.waits, 1);
    CU_ASSERT_EQUAL(c.dispatches, 3 * count_lines(commands, "dispatch"));
    CU_ASSERT_EQUAL(c.dispatches, 6);
    CU_ASSERT_EQUAL(c.transfers, 6);
    CU_ASSERT_EQUAL(c.barriers, 3 * count_lines(commands, "barrier"));
    CU_ASSERT_EQUAL(c.barriers, 9); /* nobody maps the result: no barrier toward the host */
    CU_ASSERT_EQUAL(c.barriers_raw, 6);
    CU_ASSERT_EQUAL(c.barriers_war, 3);
    CU_ASSERT_EQUAL(c.barriers_waw + c.barriers_forced, 0);
    CU_ASSERT_EQUAL(c.bytes_up, 256);
    CU_ASSERT_EQUAL(c.bytes_down, 100);
    CU_ASSERT_EQUAL(of_device().replays, 3);
    CU_ASSERT_EQUAL(of_device().barriers, 9);
    CU_ASSERT_TRUE(of_device().submissions >= 3);
    CU_ASSERT_TRUE(of_device().memory_bytes >= c.memory_bytes);
    close_all();
}

/* A refused submission counts for nothing. */
static void test_refused(void) {
    mock_reset();
    open_text(text, &mock_params);
    mock.fail_at = mock.calls + 1;
    mock.fail_with = VK_ERROR_OUT_OF_HOST_MEMORY;
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_ERROR_NO_MEMORY);
    CU_ASSERT_EQUAL(of_exec().replays, 0);
    CU_ASSERT_EQUAL(of_exec().submissions, 0);
    CU_ASSERT_EQUAL(of_device().replays, 0);
    close_all();
}

/* The device's memory comes and goes, and the most of it stays known. */
static void test_memory(void) {
    mock_reset();
    open_text(text, &mock_params);
    uint64_t with = of_device().memory_bytes;
    CU_ASSERT_TRUE(with > 0);
    rp_exec_destroy(exec);
    exec = NULL;
    CU_ASSERT_EQUAL(of_device().memory_bytes, 0);
    CU_ASSERT_EQUAL(of_device().memory_peak_bytes, with);
    close_all();
}

/* A caller with a shorter struct gets what it knows, and one that did not set its size nothing. */
static void test_size(void) {
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    rp_counters counters = {.size = offsetof(rp_counters, submissions), .submissions = 77};
    CU_ASSERT_EQUAL(rp_exec_get_counters(exec, &counters), RP_OK);
    CU_ASSERT_EQUAL(counters.replays, 1);
    CU_ASSERT_EQUAL(counters.submissions, 77);
    counters.size = 0;
    CU_ASSERT_EQUAL(rp_exec_get_counters(exec, &counters), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_device_get_counters(device, &counters), RP_ERROR_USAGE);
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"replays", test_replays},
                                    {"refused", test_refused},
                                    {"memory", test_memory},
                                    {"size", test_size},
                                    {0}};
    return rp_run_tests("counters", tests);
}
