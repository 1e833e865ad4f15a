/* Plans with tagged buffers: what is recorded in each form, which form a replay takes, with which tag, and
 * what becomes of one that gave up. */
#include <stdlib.h>

#include "exec/exec.h"
#include "mock_objects.h"
#include "opened.h"

static const char text[] = "reprise 1\n"
                           "graph g scheduled placed synced arena 512 {\n"
                           "  buf $x in f32[64]\n"
                           "  buf $y out f32[64]\n"
                           "  buf %a tmp f32[64] tagged at 0\n"
                           "  kern @w spirv - local 64 1 1 push 4 (r, w)\n"
                           "  kern @r spirv - local 64 1 1 push 4 (r, w, rw stall)\n"
                           "  barrier compute:w -> compute:w\n"
                           "  group 0\n"
                           "    n0 = run @w grid 1 1 1 push 00000000 (r $x, w %a) for {\n"
                           "      n0 = silu (r $x:f32[64], w %a:f32[64])\n"
                           "    }\n"
                           "  barrier compute:w -> compute:r tagged none -> none\n"
                           "  group 1\n"
                           "    n1 = run @r grid 1 1 1 push 00000000 (r %a, w $y) for {\n"
                           "      n1 = silu (r %a:f32[64], w $y:f32[64])\n"
                           "    }\n"
                           "  barrier compute:w -> host:r\n"
                           "}\n";

static void open_tagged(rp_tags tags, uint32_t pieces) {
    rp_exec_params params = mock_params;
    params.tags = tags;
    params.pieces = pieces;
    open_text(text, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
}

static uint32_t count(const char *text_, const char *what) {
    uint32_t found = 0;
    for (const char *at = text_; (at = strstr(at, what)); at++) found++;
    return found;
}

/* The tag that a recording pushes, the same wherever it does. */
static uint32_t tag_in(const char *commands) {
    const char *push = strstr(commands, "push 0 ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(push);
    uint32_t tag = (uint32_t)strtoul((char[]){push[7], push[8], 0}, NULL, 16);
    for (; push; push = strstr(push + 1, "push 0 ")) {
        char wanted[16];
        snprintf(wanted, sizeof wanted, "push 0 %02x000000", tag);
        CU_ASSERT_NSTRING_EQUAL(push, wanted, strlen(wanted));
    }
    return tag;
}

/* Submits one replay; the text of its commands. */
static const char *replay(void) {
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL_FATAL(mock.submitted_count, 1);
    return mock_commands(mock.submitted[0]);
}

/* All barriers first, then those of the tagged form with one tag and another in turn. */
static void test_turns(void) {
    mock_reset();
    mock_unified(); /* the host reads results as it reads the word of stalls: both have that barrier */
    open_tagged(RP_TAGS_ON, 0);
    const char *first = replay();
    uint32_t all = count(first, "barrier"), tag = tag_in(first), before = tag;
    for (uint32_t i = 0; i < 6; i++) {
        const char *next = replay();
        uint32_t now = tag_in(next);
        CU_ASSERT_EQUAL(count(next, "barrier"), all - 1);
        CU_ASSERT_NOT_EQUAL(now, tag);
        CU_ASSERT_NOT_EQUAL(now, before);
        CU_ASSERT_NOT_EQUAL(now, 0); /* what cleared memory holds */
        before = now;
    }
    close_all();
}

/* Where nobody knows of the driver that it starts in order, and where the application says no. */
static void test_all_barriers(void) {
    static const struct {
        VkDriverId driver;
        rp_tags tags;
        bool tagged;
    } cases[] = {
        {VK_DRIVER_ID_NVIDIA_PROPRIETARY, RP_TAGS_AUTO, true},
        {VK_DRIVER_ID_NVIDIA_PROPRIETARY, RP_TAGS_OFF, false},
        {VK_DRIVER_ID_MESA_RADV, RP_TAGS_AUTO, false},
        {VK_DRIVER_ID_MESA_RADV, RP_TAGS_ON, true},
        {VK_DRIVER_ID_MESA_RADV, RP_TAGS_OFF, false},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mock_reset();
        mock.driver = cases[i].driver;
        open_tagged(cases[i].tags, 0);
        (void)replay();
        uint32_t all = tag_in(replay());
        CU_ASSERT_EQUAL(all == tag_in(replay()), !cases[i].tagged);
        close_all();
    }
}

/* What the application is given has all barriers, whatever the exec submits itself. */
static void test_given(void) {
    mock_reset();
    open_tagged(RP_TAGS_ON, 0);
    const char *first = replay();
    (void)replay();
    CU_ASSERT_STRING_EQUAL(mock_commands(rp_exec_command_buffer(exec, 0, 0)), first);
    uint64_t reserved = 0;
    CU_ASSERT_EQUAL(rp_exec_reserve(exec, 0, diags, &reserved), RP_OK);
    mock_signal(rp_exec_timeline(exec), reserved);
    CU_ASSERT_STRING_EQUAL(replay(), first); /* the application may have run it, or not */
    CU_ASSERT_NOT_EQUAL(tag_in(replay()), tag_in(first));
    close_all();
}

/* A replay that is broken off leaves words of two; one that could not be submitted leaves nothing. */
static void test_broken_off(void) {
    mock_reset();
    open_tagged(RP_TAGS_ON, 2);
    CU_ASSERT_EQUAL_FATAL(rp_exec_piece_count(exec), 2);
    const rp_submit_params one = {.size = sizeof one, .pieces = 1};
    rp_slot *slot = &exec->slots[0];
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(slot->recording, RP_RECORD_BARRIERS);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &one, diags, NULL), RP_OK);
    CU_ASSERT_NOT_EQUAL(slot->recording, RP_RECORD_BARRIERS);
    rp_recording begun = slot->recording;
    CU_ASSERT_EQUAL(rp_exec_continue(exec, 1, diags), RP_OK); /* of the same recording */
    CU_ASSERT_PTR_EQUAL(mock.submitted[0], slot->commands[begun * 2 + 1]);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &one, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_cancel(exec, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(slot->recording, RP_RECORD_BARRIERS);
    rp_recording last = slot->recording;
    mock.fail_call = "vkQueueSubmit2";
    mock.fail_with = VK_ERROR_OUT_OF_DEVICE_MEMORY;
    CU_ASSERT_NOT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(slot->recording, last);
    close_all();
}

/* The word of stalls, as a kernel would set it. */
static void test_stall(void) {
    mock_reset();
    open_tagged(RP_TAGS_ON, 0);
    const char *first = replay();
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 1, 0, diags), RP_OK);
    (void)replay();
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 2, 0, diags), RP_OK);
    uint32_t one = 1;
    (void)replay();
    memcpy(exec->slots[0].live_block.mapped + exec->live.stall_offset, &one, sizeof one);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 3, 0, diags), RP_ERROR_STALLED);
    CU_ASSERT_TRUE(rp_test_said(diags, "replay 3 gave up waiting"));
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 2, 0, diags), RP_OK); /* known to be right before */
    CU_ASSERT_STRING_EQUAL(replay(), first);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 4, 0, diags), RP_OK);
    CU_ASSERT_STRING_EQUAL(replay(), first);
    rp_counters c = {.size = sizeof c};
    CU_ASSERT_EQUAL(rp_exec_get_counters(exec, &c), RP_OK);
    CU_ASSERT_EQUAL(c.stalls, 1);
    CU_ASSERT_EQUAL(c.replays_tagged, 2);
    close_all();
}

/* ---- Who hears of a stall --------------------------------------------------------------------- */

static rp_status hear_wait(void) {
    return rp_exec_wait(exec, 3, 0, diags);
}
static rp_status hear_wait_all(void) {
    return rp_exec_wait(exec, 0, 0, diags);
}
static rp_status hear_pieces(void) {
    return rp_exec_wait_pieces(exec, 3, 2, 0, diags);
}
static rp_status hear_some_pieces(void) {
    return rp_exec_wait_pieces(exec, 3, 1, 0, diags);
}
static rp_status hear_read(void) {
    float y[64];
    return rp_exec_read(exec, 0, "y", 0, y, sizeof y, diags);
}
static rp_status hear_transfer(void) {
    float x[64] = {0}, y = -7;
    const rp_upload upload = {.buffer = "x", .size = sizeof x, .data = x};
    const rp_download download = {.buffer = "y", .offset = 8, .size = sizeof y, .data = &y};
    rp_status status = rp_exec_transfer(exec, 0, &upload, 1, &download, 1, diags);
    CU_ASSERT_EQUAL(y, -7); /* nothing was copied */
    return status;
}
static rp_status hear_submit(void) {
    uint64_t number = 9;
    rp_status status = rp_exec_submit(exec, NULL, diags, &number);
    CU_ASSERT_EQUAL(number, 0);
    return status;
}
static rp_status hear_submit_together(void) {
    const rp_submission submission = {.exec = exec};
    uint64_t number = 9;
    rp_status status = rp_device_submit(device, &submission, 1, diags, &number);
    CU_ASSERT_EQUAL(number, 0);
    return status;
}
static rp_status hear_reserve(void) {
    uint64_t number = 9;
    rp_status status = rp_exec_reserve(exec, 0, diags, &number);
    CU_ASSERT_EQUAL(number, 0);
    return status;
}

/* Three replays of which the last gives up, with nobody looking or somebody polling. */
static void stall_third(bool polled) {
    mock_reset();
    open_tagged(RP_TAGS_ON, 2);
    for (uint32_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_NOT_EQUAL(exec->slots[0].recording, RP_RECORD_BARRIERS);
    uint32_t one = 1;
    memcpy(exec->slots[0].live_block.mapped + exec->live.stall_offset, &one, sizeof one);
    if (polled) CU_ASSERT_EQUAL(rp_exec_completed(exec), 3);
}

/* Each call that takes results, or goes on from them, says it; then submissions go on, the numbers with
 * them, and the replay is still known for what it is. */
static void test_heard(void) {
    static rp_status (*const ways[])(void) = {
        hear_wait,     hear_wait_all, hear_pieces,          hear_some_pieces, hear_read,
        hear_transfer, hear_submit,   hear_submit_together, hear_reserve};
    for (uint32_t i = 0; i < 2 * sizeof ways / sizeof *ways; i++) {
        stall_third(i % 2);
        CU_ASSERT_EQUAL(ways[i / 2](), RP_ERROR_STALLED);
        CU_ASSERT_TRUE(rp_test_said(diags, "replay 3 gave up waiting"));
        float x[64] = {0};
        CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, x, sizeof x, diags), RP_OK);
        CU_ASSERT_EQUAL(hear_read(), RP_ERROR_STALLED); /* no replay since */
        uint64_t number = 0;
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, &number), RP_OK);
        CU_ASSERT_EQUAL(number, 4);
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 4, 0, diags), RP_OK);
        CU_ASSERT_EQUAL(hear_read(), RP_OK);
        CU_ASSERT_EQUAL(hear_wait(), RP_ERROR_STALLED);
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
        rp_counters c = {.size = sizeof c};
        CU_ASSERT_EQUAL(rp_exec_get_counters(exec, &c), RP_OK);
        CU_ASSERT_EQUAL(c.stalls, 1);
        close_all();
    }
}

/* What other calls found out stays to be said: across another plan, too, and of one slot to the other. */
static void test_heard_later(void) {
    stall_third(false);
    rp_exec_params params = mock_params;
    CU_ASSERT_EQUAL(rp_exec_update(exec, plan, NULL, diags), RP_OK);
    CU_ASSERT_EQUAL(hear_submit(), RP_ERROR_STALLED);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    close_all();

    mock_reset();
    params.tags = RP_TAGS_ON;
    params.slots = 2;
    open_text(text, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    for (uint32_t i = 0; i < 4; i++) {
        const rp_submit_params submit = {.size = sizeof submit, .slot = i % 2};
        CU_ASSERT_EQUAL(rp_exec_submit(exec, &submit, diags, NULL), RP_OK);
    }
    uint32_t one = 1;
    memcpy(exec->slots[0].live_block.mapped + exec->live.stall_offset, &one, sizeof one);
    CU_ASSERT_EQUAL(rp_exec_completed(exec), 4);
    const rp_submit_params other = {.size = sizeof other, .slot = 1};
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &other, diags, NULL), RP_ERROR_STALLED);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &other, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 5, 0, diags), RP_OK);
    float y[64];
    CU_ASSERT_EQUAL(rp_exec_read(exec, 1, "y", 0, y, sizeof y, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, y, sizeof y, diags), RP_ERROR_STALLED);
    close_all();
}

/* Memory of the application's for one transient, whether or not the others have the exec's own. */
static void test_bound(void) {
    rp_storage *storage = NULL;
    mock_reset();
    open_tagged(RP_TAGS_ON, 0);
    const rp_storage_params memory_params = {
        .size = sizeof memory_params, .bytes = 512, .name = "lent"};
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &memory_params, diags, &storage), RP_OK);
    rp_binding binding = {.buffer = "a", .storage = storage, .offset = 256, .slot = RP_ALL_SLOTS};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_ERROR_USAGE); /* tags take half */
    CU_ASSERT_TRUE(rp_test_said(diags, "a has 512 bytes and cannot be bound at byte 256"));
    binding.offset = 0;
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_OK);
    uint32_t tag = tag_in(replay()); /* who knows what lies there before a replay? */
    for (uint32_t i = 0; i < 4; i++) CU_ASSERT_EQUAL(tag_in(replay()), tag);
    rp_storage_release(storage);
    close_all();
}

/* The same buffers for the application; $n has a grid at which the word of stalls of the other lies. */
static const char untagged[] = "reprise 1\n"
                               "graph g scheduled placed synced arena 512 {\n"
                               "  buf $x in f32[64]\n"
                               "  buf $y out f32[64]\n"
                               "  buf $n live u32[1] = 07000000 max 9\n"
                               "  buf %a tmp f32[64] at 0\n"
                               "  kern @k spirv - local 64 1 1 (r, w)\n"
                               "  barrier compute:w -> compute:rw\n"
                               "  group 0\n"
                               "    n0 = run @k grid {$n} 1 1 (r $x, w %a)\n"
                               "  barrier compute:w -> compute:r\n"
                               "  group 1\n"
                               "    n1 = run @k grid {$n} 1 1 (r %a, w $y)\n"
                               "  barrier compute:w -> host:r\n"
                               "}\n";

/* Whether a replay took the tagged form, and all of it came about. */
static bool is_tagged(void) {
    uint64_t number = 0;
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, &number), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, number, 0, diags), RP_OK);
    return exec->slots[0].recording != RP_RECORD_BARRIERS;
}

/* From a plan without tags to one with, and back; what lies in memory was something else before. */
static void test_update(void) {
    static const char live[] = "  buf $y out f32[64]\n",
                      with[] = "  buf $n live u32[1] = 07000000 max 9\n";
    char tagged[2 * sizeof text];
    const char *at = strstr(text, live) + sizeof live - 1;
    snprintf(tagged, sizeof tagged, "%.*s%s%s", (int)(at - text), text, with, at);
    rp_exec_params params = mock_params;
    params.tags = RP_TAGS_ON;
    mock_reset();
    open_text(untagged, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    rp_storage *storage = NULL;
    const rp_storage_params memory_params = {
        .size = sizeof memory_params, .bytes = 256, .name = "lent"};
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &memory_params, diags, &storage), RP_OK);
    const rp_binding binding = {.buffer = "a", .storage = storage, .slot = RP_ALL_SLOTS};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_OK);
    rp_plan *other = mock_plan(tagged);
    CU_ASSERT_PTR_NOT_NULL_FATAL(other);
    CU_ASSERT_FALSE(is_tagged());
    for (uint32_t round = 0; round < 2; round++) {
        CU_ASSERT_EQUAL(rp_exec_update(exec, other, NULL, diags), RP_OK);
        CU_ASSERT_TRUE(exec->slots[0].places[other->external_count].bytes >= 512); /* %a's */
        CU_ASSERT_FALSE(is_tagged()); /* the first in this memory */
        CU_ASSERT_TRUE(is_tagged());
        CU_ASSERT_TRUE(is_tagged());
        CU_ASSERT_EQUAL(rp_exec_update(exec, plan, NULL, diags), RP_OK);
        CU_ASSERT_FALSE(is_tagged());
        CU_ASSERT_FALSE(is_tagged());
    }
    /* What has stalled once takes all barriers with any plan, though none waits for the old word. */
    CU_ASSERT_EQUAL(rp_exec_update(exec, other, NULL, diags), RP_OK);
    CU_ASSERT_FALSE(is_tagged());
    uint32_t one = 1;
    memcpy(exec->slots[0].live_block.mapped + exec->live.stall_offset, &one, sizeof one);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, 0, diags), RP_ERROR_STALLED);
    CU_ASSERT_EQUAL(rp_exec_update(exec, other, NULL, diags), RP_OK);
    CU_ASSERT_FALSE(is_tagged());
    CU_ASSERT_FALSE(is_tagged());
    rp_plan_destroy(other);
    rp_storage_release(storage);
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"tags in turn", test_turns},
                                    {"all barriers", test_all_barriers},
                                    {"given to the application", test_given},
                                    {"broken off", test_broken_off},
                                    {"stalls", test_stall},
                                    {"who hears of a stall", test_heard},
                                    {"who hears of it later", test_heard_later},
                                    {"memory of the application's", test_bound},
                                    {"another plan", test_update},
                                    {NULL, NULL}};
    return rp_run_tests("tagged buffers", tests);
}
