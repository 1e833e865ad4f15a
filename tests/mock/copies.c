/* Copies that submissions bring along: in one submission with their replay, with the barriers that
 * their ranges need and no others, and each byte from the replay that it belongs to. */
#include <stdlib.h>
#include "copies.h"

/* A frame in and out is one submission and one wait. From the second one on nothing is allocated and
 * nothing recorded. */
static void test_frames(void) {
    for (int unified = 0; unified < 2; unified++) {
        mock_reset();
        if (unified) mock_unified();
        mock.stall = true;
        open_slots(text, 1);
        long calls = 0;
        uint32_t begins = 0, objects = 0;
        for (uint32_t f = 0; f < FRAMES; f++) {
            uint32_t submits = mock.submits, batches = mock.batches, waits = mock.waits;
            CU_ASSERT_EQUAL(submit(0, f, "y", NULL), RP_OK);
            CU_ASSERT_EQUAL(mock.submitted_count, unified ? 1 : 3);
            CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
            CU_ASSERT_EQUAL(mock.submits, submits + 1);
            CU_ASSERT_EQUAL(mock.batches, batches + 1);
            CU_ASSERT_EQUAL(mock.waits, waits + 1);
            expect_frame(f);
            if (f > 0) {
                CU_ASSERT_EQUAL(memory.calls, calls);
                CU_ASSERT_EQUAL(mock.begins, begins);
                CU_ASSERT_EQUAL((uint32_t)mock.objects, objects);
            }
            calls = memory.calls;
            begins = mock.begins;
            objects = (uint32_t)mock.objects;
        }
        CU_ASSERT_EQUAL(mock_counters(exec).bytes_up, FRAMES * BYTES);
        CU_ASSERT_EQUAL(mock_counters(exec).bytes_down, FRAMES * BYTES);
        CU_ASSERT_EQUAL(mock_counters(exec).submissions, FRAMES);
        close_all();
    }
}

/* All frames in flight at once, in one slot and in several; what is waited for last brings all. */
static void test_in_flight(void) {
    for (int unified = 0; unified < 2; unified++)
        for (uint32_t slots = 1; slots <= 3; slots += 2) {
            mock_reset();
            if (unified) mock_unified();
            mock.stall = true;
            open_slots(text, slots);
            uint64_t replays[FRAMES];
            for (uint32_t f = 0; f < FRAMES; f++)
                CU_ASSERT_EQUAL(submit(f % slots, f, "y", &replays[f]), RP_OK);
            static const unsigned char nothing[BYTES];
            CU_ASSERT_EQUAL(memcmp(got[0], nothing, BYTES), 0);
            CU_ASSERT_EQUAL(rp_exec_wait(exec, replays[1], UINT64_MAX, diags), RP_OK);
            expect_frame(0);
            expect_frame(1);
            CU_ASSERT_EQUAL(rp_exec_wait(exec, replays[5], 0, diags), RP_ERROR_TIMEOUT);
            CU_ASSERT_EQUAL(rp_exec_wait(exec, replays[5], UINT64_MAX, diags), RP_OK);
            for (uint32_t f = 2; f < FRAMES; f++) expect_frame(f);
            close_all();
        }
}

/* Uploads alone, that nobody waits for: each has memory and commands that no other one in flight
 * has, and those that are done are used again. */
static void test_uploads_alone(void) {
    mock_reset();
    open_slots(text, 1);
    for (int round = 0; round < 2; round++) {
        mock.stall = true;
        int objects = mock.objects;
        for (uint32_t f = 0; f < FRAMES; f++) {
            const rp_upload upload = {.buffer = "x", .size = BYTES, .data = sent[f]};
            const rp_submit_params params = {
                .size = sizeof params, .uploads = &upload, .upload_count = 1};
            CU_ASSERT_EQUAL(rp_exec_submit(exec, &params, diags, NULL), RP_OK);
        }
        CU_ASSERT_EQUAL(mock.objects > objects, round == 0);
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
        mock.stall = false;
        CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, got[5], BYTES, diags), RP_OK);
        expect_frame(5);
    }
    close_all();
}

/* What is not waited for never arrives, and the memory may be gone. */
static void test_not_waited(void) {
    for (int unified = 0; unified < 2; unified++) {
        mock_reset();
        if (unified) mock_unified();
        mock.stall = true;
        open_slots(text, 1);
        for (uint32_t f = 0; f < 2; f++) CU_ASSERT_EQUAL(submit(0, f, "y", NULL), RP_OK);
        close_all();
        CU_ASSERT_EQUAL(got[1][0], 0);
    }
}

/* ---- Barriers -------------------------------------------------------------------------------- */

static void expect_commands(const char *before, const char *after) {
    CU_ASSERT_EQUAL_FATAL(mock.submitted_count, 3);
    const char *said[] = {mock_commands(mock.submitted[0]), mock_commands(mock.submitted[2])};
    const char *wanted[] = {before, after};
    for (int i = 0; i < 2; i++) {
        if (strcmp(said[i], wanted[i]) != 0)
            printf("\n  said:\n%s  wanted:\n%s", said[i], wanted[i]);
        CU_ASSERT_STRING_EQUAL(said[i], wanted[i]);
    }
}

/* Up: behind what reads x and earlier copies, ahead of what reads x. Down: behind what writes y, and
 * ahead of it. Reads of a source carry a write of their stage, as everywhere (widen-war). */
static void test_one_slot(void) {
    mock_reset();
    open_slots(text, 1);
    CU_ASSERT_EQUAL(submit(0, 0, "y", NULL), RP_OK);
    expect_commands("barrier transfer:TW -> transfer:TW\n"
                    "copy b4+0 b0+0 4096\n"
                    "barrier transfer:TW -> transfer:TR\n",
                    "barrier transfer:TW -> transfer:TR:TW\n"
                    "copy b2+0 b5+0 4096\n"
                    "barrier transfer:TW -> transfer|host:TW:HR\n");
    const rp_upload upload = {.buffer = "w", .offset = 16, .size = 32, .data = sent[0]};
    const rp_download download = {.buffer = "z", .offset = 4, .size = 8, .data = got[0]};
    const rp_submit_params params = {.size = sizeof params,
                                     .uploads = &upload,
                                     .upload_count = 1,
                                     .downloads = &download,
                                     .download_count = 1};
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &params, diags, NULL), RP_OK);
    expect_commands("barrier compute|transfer:TW:SW -> transfer:TW\n"
                    "copy b4+0 b1+16 32\n"
                    "barrier transfer:TW -> compute:SR\n",
                    "barrier compute|transfer:TW:SW -> transfer:TR:TW\n"
                    "copy b3+4 b5+0 8\n"
                    "barrier transfer:TW -> compute|host:HR:SW\n");
    close_all();
}

/* Slots that overlap follow their own last replay by semaphore: no barrier waits for the others, but
 * for what they share. */
static void test_overlapping_slots(void) {
    mock_reset();
    open_slots(text, 2);
    CU_ASSERT_EQUAL(submit(1, 0, "y", NULL), RP_OK);
    expect_commands("copy b7+0 b4+0 4096\n"
                    "barrier transfer:TW -> transfer:TR\n",
                    "barrier transfer:TW -> transfer:TR:TW\n"
                    "copy b5+0 b8+0 4096\n"
                    "barrier transfer:TW -> host:HR\n");
    const rp_upload upload = {.buffer = "w", .size = 32, .data = sent[0]};
    const rp_submit_params params = {.size = sizeof params, .uploads = &upload, .upload_count = 1};
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &params, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL_FATAL(mock.submitted_count, 2);
    CU_ASSERT_STRING_EQUAL(mock_commands(mock.submitted[0]),
                           "barrier compute|transfer:TW:SW -> transfer:TW\n"
                           "copy b9+0 b1+0 32\n"
                           "barrier transfer:TW -> compute:SR\n");
    close_all();
}

/* Slots that share state follow each other, and so do their copies. */
static void test_ordered_slots(void) {
    mock_reset();
    open_slots(state_text, 2);
    CU_ASSERT_EQUAL(submit(0, 0, "s", NULL), RP_OK);
    expect_commands("barrier transfer:TW -> transfer:TW\n"
                    "copy b3+0 b0+0 4096\n"
                    "barrier transfer:TW -> transfer:TR\n",
                    "barrier transfer:TW -> transfer:TR:TW\n"
                    "copy b1+0 b4+0 4096\n"
                    "barrier transfer:TW -> transfer|host:TW:HR\n");
    close_all();
}

/* Another plan touches the same bytes otherwise: what was recorded for the old one is not used. */
static void test_updated(void) {
    mock_reset();
    open_slots(text, 1);
    CU_ASSERT_EQUAL(submit(0, 0, "y", NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    rp_plan *next = mock_plan("reprise 1\n"
                              "graph io scheduled placed synced arena 0 {\n"
                              "  buf $x in 4096\n"
                              "  buf $w weight 256\n"
                              "  buf $y out 4096\n"
                              "  buf $z out 256\n"
                              "  kern @k spirv - local 64 1 1 (r, w)\n"
                              "  group 0\n"
                              "    n0 = run @k grid 1 1 1 (r $x, w $y)\n"
                              "}\n");
    CU_ASSERT_EQUAL_FATAL(rp_exec_update(exec, next, NULL, diags), RP_OK);
    CU_ASSERT_EQUAL(submit(0, 1, "y", NULL), RP_OK);
    expect_commands("barrier compute|transfer:TW:SW -> transfer:TW\n"
                    "copy b4+0 b0+0 4096\n"
                    "barrier transfer:TW -> compute:SR\n",
                    "barrier compute|transfer:TW:SW -> transfer:TR:TW\n"
                    "copy b2+0 b5+0 4096\n"
                    "barrier transfer:TW -> compute|host:HR:SW\n");
    rp_plan_destroy(next);
    close_all();
}

/* ---- Memory that the host sees --------------------------------------------------------------- */

/* Not cleared: clearing waits for the queue. */
static rp_storage *make_storage(uint64_t bytes) {
    const rp_storage_params params = {.size = sizeof params,
                                      .bytes = bytes,
                                      .host_visible = 1,
                                      .uninitialised = 1,
                                      .name = "mine"};
    rp_storage *storage = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &storage), RP_OK);
    return storage;
}

/* Others may use a storage that the application has: its bytes move in the queue. */
static void test_known_storage(void) {
    mock_reset();
    mock_unified();
    mock.stall = true;
    open_slots(text, 1);
    rp_storage *storage = make_storage(2 * BYTES);
    const rp_binding bindings[] = {{.buffer = "x", .storage = storage},
                                   {.buffer = "y", .storage = storage, .offset = BYTES}};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, bindings, 2, diags), RP_OK);
    CU_ASSERT_EQUAL(submit(0, 0, "y", NULL), RP_OK);
    CU_ASSERT_EQUAL(mock.submitted_count, 3);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    expect_frame(0);
    rp_storage_release(storage);
    close_all();

    mock_reset();
    mock_unified();
    open_slots(text, 1);
    rp_range_info range = {.size = sizeof range};
    CU_ASSERT_EQUAL(rp_exec_get_range(exec, 0, "x", diags, &range), RP_OK);
    CU_ASSERT_EQUAL(submit(0, 0, "y", NULL), RP_OK);
    CU_ASSERT_EQUAL(mock.submitted_count, 2); /* the upload alone */
    CU_ASSERT_PTR_NOT_NULL(rp_exec_command_buffer(exec, 0, 0));
    CU_ASSERT_EQUAL(submit(0, 1, "y", NULL), RP_OK);
    CU_ASSERT_EQUAL(mock.submitted_count, 3);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    expect_frame(0);
    expect_frame(1);
    close_all();
}

typedef rp_status change(void);

static rp_status write_state(void) {
    return rp_exec_write(exec, 0, "s", 0, sent[5], BYTES, diags);
}

static rp_status bind_state(void) {
    rp_storage *storage = make_storage(BYTES);
    const rp_binding binding = {.buffer = "s", .storage = storage};
    rp_status status = rp_exec_bind(exec, &binding, 1, diags);
    rp_storage_release(storage);
    return status;
}

static rp_status update_plan(void) {
    rp_plan *same = mock_plan(state_text);
    rp_status status = rp_exec_update(exec, same, NULL, diags);
    rp_plan_destroy(same);
    return status;
}

static rp_status give_range(void) {
    rp_range_info range = {.size = sizeof range};
    return rp_exec_get_range(exec, 0, "s", diags, &range);
}

static rp_status give_commands(void) {
    return rp_exec_command_buffer(exec, 0, 0) ? RP_OK : RP_ERROR_DRIVER;
}

static rp_status submit_next(void) {
    return submit(0, 1, "s", NULL);
}

static uint64_t reserved;

static rp_status reserve_next(void) {
    return rp_exec_reserve(exec, 0, diags, &reserved);
}

/* A replay is done and not waited for, or still in flight: whatever may come between it and its
 * download does not change what arrives. */
static void test_between(void) {
    static const struct {
        change *change;
        bool busy; /* refused in flight */
    } cases[] = {{write_state, true},  {bind_state, true},     {update_plan, true},
                 {give_range, false},  {give_commands, false}, {submit_next, false},
                 {reserve_next, false}};
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int in_flight = 0; in_flight < 2; in_flight++) {
            mock_reset();
            mock_unified();
            mock.stall = in_flight;
            open_slots(state_text, 1);
            uint64_t replay;
            CU_ASSERT_EQUAL(submit(0, 0, "s", &replay), RP_OK);
            CU_ASSERT_EQUAL(mock.submitted_count, 1); /* the host is to read it */
            rp_status status = cases[i].change();
            CU_ASSERT_EQUAL(status, in_flight && cases[i].busy ? RP_ERROR_BUSY : RP_OK);
            CU_ASSERT_EQUAL(rp_exec_wait(exec, replay, UINT64_MAX, diags), RP_OK);
            expect_frame(0);
            if (reserved) mock_signal(rp_exec_timeline(exec), reserved);
            reserved = 0;
            CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
            if (cases[i].change == submit_next) expect_frame(1);
            close_all();
        }
}

/* The GPU copies aside once, and then with each replay. */
static void test_aside(void) {
    mock_reset();
    mock_unified();
    mock.stall = true;
    open_slots(text, 1);
    uint32_t submits = mock.submits;
    CU_ASSERT_EQUAL(submit(0, 0, "y", NULL), RP_OK);
    CU_ASSERT_EQUAL(mock.submitted_count, 1);
    CU_ASSERT_EQUAL(submit(0, 1, "y", NULL), RP_OK);
    CU_ASSERT_EQUAL(mock.submits, submits + 3);
    CU_ASSERT_EQUAL(mock.submitted_count, 3);
    CU_ASSERT_EQUAL(submit(0, 2, "y", NULL), RP_OK);
    CU_ASSERT_EQUAL(mock.submits, submits + 4);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    for (uint32_t f = 0; f < 3; f++) expect_frame(f);
    close_all();
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

static void test_pieces(void) {
    for (int unified = 0; unified < 2; unified++)
        for (int cancel = 0; cancel < 2; cancel++) {
            mock_reset();
            if (unified) mock_unified();
            rp_exec_params exec_params = mock_params;
            exec_params.pieces = 2;
            open_text(state_text, &exec_params);
            CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
            CU_ASSERT_EQUAL_FATAL(rp_exec_piece_count(exec), 2);
            fill_sent();
            const rp_upload upload = {.buffer = "x", .size = BYTES, .data = sent[0]};
            const rp_download download = {.buffer = "s", .size = BYTES, .data = got[0]};
            const rp_submit_params params = {.size = sizeof params,
                                             .pieces = 1,
                                             .uploads = &upload,
                                             .upload_count = 1,
                                             .downloads = &download,
                                             .download_count = 1};
            uint64_t replay;
            CU_ASSERT_EQUAL(rp_exec_submit(exec, &params, diags, &replay), RP_OK);
            CU_ASSERT_EQUAL(mock.submitted_count, unified ? 1 : 2);
            CU_ASSERT_EQUAL(rp_exec_wait_pieces(exec, replay, 1, UINT64_MAX, diags), RP_OK);
            CU_ASSERT_EQUAL(got[0][0], 0);
            if (cancel) {
                CU_ASSERT_EQUAL(rp_exec_cancel(exec, diags), RP_OK);
                CU_ASSERT_EQUAL(rp_exec_wait(exec, replay, UINT64_MAX, diags), RP_ERROR_CANCELLED);
                CU_ASSERT_EQUAL(got[0][0], 0);
            } else {
                CU_ASSERT_EQUAL(rp_exec_continue(exec, 0, diags), RP_OK);
                CU_ASSERT_EQUAL(mock.submitted_count, unified ? 1 : 2);
                CU_ASSERT_EQUAL(rp_exec_wait(exec, replay, UINT64_MAX, diags), RP_OK);
                expect_frame(0);
            }
            CU_ASSERT_EQUAL(submit(0, 1, "s", NULL), RP_OK);
            CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
            expect_frame(1);
            close_all();
        }
}

/* ---- Several execs --------------------------------------------------------------------------- */

/* An upload to weights that another exec has read, and reads again, and a download of what another
 * exec overwrites: barriers between them, with the scopes of the copies. */
static void test_together(void) {
    mock_reset();
    open_slots(text, 1);
    rp_storage *storage = make_storage(4 * BYTES);
    rp_exec *other = NULL;
    const rp_binding bindings[] = {{.buffer = "w", .storage = storage},
                                   {.buffer = "z", .storage = storage, .offset = BYTES}};
    rp_exec_params params = mock_params;
    params.bindings = bindings;
    params.binding_count = 2;
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, plan, &params, diags, &other), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_bind(exec, bindings, 1, diags), RP_OK);
    const rp_binding y = {.buffer = "y", .storage = storage, .offset = BYTES};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &y, 1, diags), RP_OK);
    const rp_upload upload = {.buffer = "w", .size = 256, .data = sent[0]};
    const rp_download download = {.buffer = "z", .size = 256, .data = got[0]};
    const rp_submit_params with_upload = {
        .size = sizeof with_upload, .uploads = &upload, .upload_count = 1};
    const rp_submit_params with_download = {
        .size = sizeof with_download, .downloads = &download, .download_count = 1};
    const rp_submission submissions[] = {{other, &with_download}, {exec, &with_upload}};
    uint32_t submits = mock.submits;
    CU_ASSERT_EQUAL(rp_device_submit(device, submissions, 2, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(mock.submits, submits + 1);
    /* other, its download, a link, the upload, exec. The link: w is read by compute and written by
     * the copy; z is written by compute and read by the copy, and y written in its place. */
    CU_ASSERT_EQUAL_FATAL(mock.submitted_count, 5);
    CU_ASSERT_STRING_EQUAL(mock_commands(mock.submitted[2]),
                           "simultaneous\n"
                           "barrier compute|transfer:TW:SW -> transfer:TW\n");
    /* The other way round: what is uploaded is read by the other exec. */
    const rp_submission turned[] = {{exec, &with_upload}, {other, NULL}};
    CU_ASSERT_EQUAL(rp_exec_wait(other, 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_device_submit(device, turned, 2, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL_FATAL(mock.submitted_count, 4);
    CU_ASSERT_STRING_EQUAL(mock_commands(mock.submitted[2]),
                           "simultaneous\n"
                           "barrier transfer:TW -> compute:SR:SW\n");
    rp_exec_destroy(other);
    rp_storage_release(storage);
    close_all();
}

/* One exec twice in a call: the second replay overwrites what the first one's download reads. */
static void test_twice(void) {
    for (int unified = 0; unified < 2; unified++) {
        mock_reset();
        if (unified) mock_unified();
        mock.stall = true;
        open_slots(text, 1);
        rp_upload uploads[2];
        rp_download downloads[2];
        rp_submit_params params[2];
        rp_submission submissions[2];
        for (uint32_t i = 0; i < 2; i++) {
            uploads[i] = (rp_upload){.buffer = "x", .size = BYTES, .data = sent[i]};
            downloads[i] = (rp_download){.buffer = "y", .size = BYTES, .data = got[i]};
            params[i] = (rp_submit_params){.size = sizeof *params,
                                           .uploads = &uploads[i],
                                           .upload_count = 1,
                                           .downloads = &downloads[i],
                                           .download_count = 1};
            submissions[i] = (rp_submission){exec, &params[i]};
        }
        uint32_t submits = mock.submits;
        CU_ASSERT_EQUAL(rp_device_submit(device, submissions, 2, diags, NULL), RP_OK);
        CU_ASSERT_EQUAL(mock.submits, submits + 1);
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
        expect_frame(0);
        expect_frame(1);
        close_all();
    }
}

/* ---- Refused --------------------------------------------------------------------------------- */

static void test_refused(void) {
    mock_reset();
    open_slots(text, 1);
    rp_upload uploads[2] = {{.buffer = "x", .size = 8, .data = sent}};
    rp_download download = {.buffer = "y", .size = 8, .data = got};
    rp_submit_params params = {.size = sizeof params, .uploads = uploads, .upload_count = 2};
    const struct {
        rp_upload upload;
        rp_status status;
        const char *said;
    } cases[] = {
        {{.buffer = "q", .size = 1, .data = sent}, RP_ERROR_NOT_FOUND, "no buffer named q"},
        {{.buffer = "y", .size = 1, .data = sent}, RP_ERROR_USAGE, "y is of kind out"},
        {{.buffer = "x", .offset = 4095, .size = 2, .data = sent}, RP_ERROR_USAGE, "4095 + 2"},
        {{.buffer = "x", .size = 2}, RP_ERROR_USAGE, "has no host memory"},
        {{.buffer = "x", .offset = 7, .size = 2, .data = sent}, RP_ERROR_USAGE, "to x and to x"},
    };
    uint32_t submits = mock.submits;
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uploads[1] = cases[i].upload;
        CU_ASSERT_EQUAL(rp_exec_submit(exec, &params, diags, NULL), cases[i].status);
        CU_ASSERT_TRUE(rp_test_said(diags, cases[i].said));
    }
    params.uploads = NULL;
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &params, diags, NULL), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "is NULL: expected as many as its count says"));
    params = (rp_submit_params){.size = sizeof params, .download_count = 1};
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &params, diags, NULL), RP_ERROR_USAGE);
    params.downloads = &download;
    download.buffer = "x";
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &params, diags, NULL), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "the host cannot read it"));
    download = (rp_download){.buffer = "y"};
    CU_ASSERT_EQUAL(mock.submits, submits);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &params, diags, NULL), RP_OK); /* of no bytes */
    CU_ASSERT_EQUAL(mock.submitted_count, 1);
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"frames", test_frames},
                                    {"in flight", test_in_flight},
                                    {"uploads alone", test_uploads_alone},
                                    {"not waited for", test_not_waited},
                                    {"barriers of one slot", test_one_slot},
                                    {"barriers of overlapping slots", test_overlapping_slots},
                                    {"barriers of ordered slots", test_ordered_slots},
                                    {"another plan", test_updated},
                                    {"storage of the application", test_known_storage},
                                    {"between a replay and its download", test_between},
                                    {"copied aside", test_aside},
                                    {"pieces", test_pieces},
                                    {"several execs", test_together},
                                    {"one exec twice", test_twice},
                                    {"refused", test_refused},
                                    {0}};
    return rp_run_tests("copies of submissions", tests);
}
