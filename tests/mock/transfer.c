/* Copies between the host and storages or buffers of an exec: how many submissions and waits they
 * are, which barriers they come with, and what is refused. */
#include <stdlib.h>
#include "memory/ring.h"
#include "opened.h"

static const char text[] = "reprise 1\n"
                           "graph io scheduled placed synced arena 0 {\n"
                           "  buf $x in 4096\n"
                           "  buf $w weight 256\n"
                           "  buf $s inout 4096\n"
                           "  buf $y out 4096\n"
                           "  buf $n live u32[1]\n"
                           "  kern @k spirv - local 64 1 1 (r, r, u, rw)\n"
                           "  barrier transfer:rw,compute:rw -> transfer:rw\n"
                           "  group 0\n"
                           "    n0 = copy (r $x, w $y)\n"
                           "    n1 = run @k grid 1 1 1 (r $x, r $w, u $n, rw $s)\n"
                           "}\n";

static void open_device_with(uint32_t queues) {
    const rp_device_params params = {
        .size = sizeof params, .get_instance_proc_addr = mock_entry(), .queues = queues};
    mock_allocator_init(&memory);
    diags = rp_diags_create(NULL);
    plan = NULL;
    exec = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_device_create(&memory.allocator, &params, diags, &device), RP_OK);
}

static void open_device(void) {
    open_device_with(0);
}

static rp_storage *make(uint64_t bytes, int visible) {
    const rp_storage_params params = {.size = sizeof params,
                                      .bytes = bytes,
                                      .host_visible = visible,
                                      .uninitialised = 1,
                                      .name = "store"};
    rp_storage *storage = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &storage), RP_OK);
    return storage;
}

typedef struct tally {
    uint32_t submits, waits;
} tally;

static tally count(void) {
    return (tally){mock.submits, mock.waits};
}

/* How many submissions and waits there were since. */
static void expect(tally before, uint32_t submits, uint32_t waits) {
    CU_ASSERT_EQUAL(mock.submits - before.submits, submits);
    CU_ASSERT_EQUAL(mock.waits - before.waits, waits);
}

static unsigned char value(uint32_t i) {
    return (unsigned char)(i * 31 + i / 256);
}

/* Two hundred ranges there and back, of all sizes: one submission and one wait. */
static void test_many_ranges(void) {
    enum { RANGES = 200, EACH = 1000 };
    mock_reset();
    open_device();
    rp_storage *storages[2] = {make(RANGES * EACH, 0), make(RANGES * EACH, 0)};
    static unsigned char sent[RANGES][EACH], got[RANGES][EACH];
    static rp_storage_upload uploads[RANGES];
    static rp_storage_download downloads[RANGES];
    for (uint32_t i = 0; i < RANGES; i++) {
        uint64_t size = i == 7 ? 0 : i * 5 % EACH + 1;
        for (uint32_t j = 0; j < size; j++) sent[i][j] = value(i * EACH + j);
        uint64_t at = (RANGES - 1 - i) * EACH + i % 3;
        if (at + size > RANGES * EACH) at = 0;
        uploads[i] = (rp_storage_upload){storages[i % 2], at, size, sent[i]};
        downloads[i] = (rp_storage_download){storages[i % 2], at, size, got[i]};
    }
    const rp_transfer_params params = {.size = sizeof params,
                                       .uploads = uploads,
                                       .upload_count = RANGES,
                                       .downloads = downloads,
                                       .download_count = RANGES};
    for (int round = 0; round < 2; round++) {
        memset(got, 0, sizeof got);
        tally before = count();
        CU_ASSERT_EQUAL(rp_device_transfer(device, &params, diags), RP_OK);
        expect(before, 1, 1);
        for (uint32_t i = 0; i < RANGES; i++)
            CU_ASSERT_EQUAL(memcmp(sent[i], got[i], uploads[i].size), 0);
    }
    for (int i = 0; i < 2; i++) rp_storage_release(storages[i]);
    close_all();
}

static int note(void *user, uint64_t done, uint64_t total) {
    uint64_t *told = user; /* calls, last, total, the call to stop at */
    CU_ASSERT_TRUE(done > told[1] && done <= total);
    told[1] = done;
    told[2] = total;
    return ++told[0] == told[3];
}

/* More than the pieces of one thread hold: several submissions, progress, a stop in the middle. */
static void test_large(void) {
    enum { BLOCKS = 6, SIZE = (BLOCKS - 1) * RP_PIECE_BYTES + 12345, AT = 77 };
    mock_reset();
    open_device();
    rp_storage *storage = make(SIZE + 2 * AT, 0);
    unsigned char *sent = malloc(SIZE), *got = calloc(1, SIZE);
    CU_ASSERT_FATAL(sent && got);
    for (uint32_t i = 0; i < SIZE; i++) sent[i] = value(i);
    uint64_t told[4] = {0};
    const rp_storage_upload upload = {storage, AT, SIZE, sent};
    const rp_storage_download download = {storage, AT, SIZE, got};
    rp_transfer_params params = {.size = sizeof params,
                                 .uploads = &upload,
                                 .upload_count = 1,
                                 .downloads = &download,
                                 .download_count = 1,
                                 .progress = note,
                                 .user = told};
    tally before = count();
    CU_ASSERT_EQUAL(rp_device_transfer(device, &params, diags), RP_OK);
    CU_ASSERT_EQUAL(mock.submits - before.submits, 2 * BLOCKS);
    CU_ASSERT_EQUAL(memcmp(sent, got, SIZE), 0);
    CU_ASSERT_EQUAL(told[1], 2 * (uint64_t)SIZE);
    CU_ASSERT_EQUAL(told[2], 2 * (uint64_t)SIZE);
    CU_ASSERT_TRUE(told[0] >= 2 * BLOCKS);
    for (uint64_t stop = 1; stop < told[0]; stop += 3) {
        uint64_t again[4] = {0, 0, 0, stop};
        rp_storage *other = make(SIZE + AT, 0);
        const rp_storage_upload some = {other, 0, SIZE, sent};
        const rp_storage_download more = {other, 0, SIZE, got};
        mock.stall = true;
        params.uploads = &some;
        params.downloads = &more;
        params.user = again;
        CU_ASSERT_EQUAL(rp_device_transfer(device, &params, diags), RP_ERROR_CANCELLED);
        CU_ASSERT_EQUAL(again[0], stop);
        rp_storage_release(other); /* nothing uses it any more */
    }
    rp_storage_release(storage);
    free(sent);
    free(got);
    close_all();
}

/* What the host sees moves without the GPU; beside it, what it does not see. */
static void test_mapped(void) {
    mock_reset();
    open_device();
    rp_storage *seen = make(100, 1), *unseen = make(100, 0);
    const char words[] = "as it was", more[] = "and more";
    char a[sizeof words], b[sizeof more];
    const rp_storage_upload uploads[] = {{unseen, 3, sizeof more, more},
                                         {seen, 5, sizeof words, words}};
    const rp_storage_download downloads[] = {{unseen, 3, sizeof b, b}, {seen, 5, sizeof a, a}};
    rp_transfer_params params = {.size = sizeof params,
                                 .uploads = uploads + 1,
                                 .upload_count = 1,
                                 .downloads = downloads + 1,
                                 .download_count = 1};
    tally before = count();
    CU_ASSERT_EQUAL(rp_device_transfer(device, &params, diags), RP_OK);
    expect(before, 0, 0);
    CU_ASSERT_STRING_EQUAL(a, words);
    params.uploads = uploads;
    params.downloads = downloads;
    params.upload_count = params.download_count = 2;
    memset(a, 0, sizeof a);
    CU_ASSERT_EQUAL(rp_device_transfer(device, &params, diags), RP_OK);
    expect(before, 1, 1);
    CU_ASSERT_STRING_EQUAL(a, words);
    CU_ASSERT_STRING_EQUAL(b, more);
    rp_storage_info info = {.size = sizeof info};
    CU_ASSERT_EQUAL(rp_storage_get_info(seen, &info), RP_OK);
    CU_ASSERT_STRING_EQUAL((char *)info.mapped + 5, words);
    rp_storage_release(seen);
    rp_storage_release(unseen);
    close_all();
}

/* Nothing waits for what is earlier in the queue. What is written is made visible to all that comes
 * later, what is read is made visible first, and the host sees what arrived. */
static void test_barriers(void) {
    mock_reset();
    open_device();
    rp_storage *storage = make(100, 0);
    char bytes[8] = "1234567";
    CU_ASSERT_EQUAL(rp_storage_write(storage, 8, bytes, 8, diags), RP_OK);
    CU_ASSERT_EQUAL_FATAL(mock.submitted_count, 1);
    CU_ASSERT_STRING_EQUAL(mock_commands(mock.submitted[0]), "barrier  -> transfer:TR:TW\n"
                                                             "copy b1+0 b0+8 8\n"
                                                             "barrier transfer:TW -> all:MR:MW\n");
    CU_ASSERT_EQUAL(rp_storage_read(storage, 8, bytes, 8, diags), RP_OK);
    CU_ASSERT_STRING_EQUAL(mock_commands(mock.submitted[0]), "barrier  -> transfer:TR:TW\n"
                                                             "copy b0+8 b1+0 8\n"
                                                             "barrier transfer:TW -> host:HR\n");
    rp_storage_release(storage);
    close_all();
}

/* A driver on the host's cores copies from the host's pages; on failure through pieces, as others. */
static void test_host_memory(void) {
    enum { SIZE = 5 * RP_PIECE_BYTES, AT = 5000 };
    static const char *const failing[] = {NULL, "vkGetMemoryHostPointerPropertiesEXT",
                                          "vkAllocateMemory", "vkBindBufferMemory",
                                          "vkCreateBuffer"};
    unsigned char *sent = malloc(SIZE + 1), *got = malloc(SIZE + 1);
    CU_ASSERT_FATAL(sent && got);
    for (uint32_t i = 0; i < SIZE; i++) sent[i + 1] = value(i);
    for (uint32_t f = 0; f < sizeof failing / sizeof *failing; f++) {
        mock_reset();
        mock_unified();
        mock.stall = true;
        mock.extensions_too[0] = VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME;
        open_device();
        const rp_storage_wish wish = {
            .purpose = RP_PURPOSE_ARENA, .size = SIZE + 2 * AT, .name = "unseen"};
        rp_storage *storage;
        CU_ASSERT_EQUAL_FATAL(rp_storage_allocate(device, &wish, 1, diags, &storage), RP_OK);
        char small[] = "small";
        const rp_storage_upload uploads[] = {{storage, AT, SIZE, sent + 1},
                                             {storage, 3, sizeof small, small}};
        const rp_storage_download downloads[] = {{storage, AT, SIZE, got + 1}};
        rp_transfer_params params = {.size = sizeof params, .uploads = uploads, .upload_count = 2};
        memset(got, 0, SIZE + 1);
        mock.fail_call = failing[f];
        tally before = count();
        CU_ASSERT_EQUAL(rp_device_transfer(device, &params, diags), RP_OK);
        CU_ASSERT_EQUAL(mock.host_imports, f == 0 || f == 3);
        if (!failing[f]) expect(before, 1, 1); /* with the small one */
        params = (rp_transfer_params){
            .size = sizeof params, .downloads = downloads, .download_count = 1};
        CU_ASSERT_EQUAL(rp_device_transfer(device, &params, diags), RP_OK);
        if (!failing[f]) expect(before, 2, 2);
        CU_ASSERT_EQUAL(memcmp(sent + 1, got + 1, SIZE), 0);
        CU_ASSERT_EQUAL(got[0], 0);
        rp_storage_drop(storage);
        close_all();
    }
    free(sent);
    free(got);
}

static void test_refused(void) {
    mock_reset();
    open_device();
    rp_diags *other_diags = rp_diags_create(NULL);
    rp_device *other = mock_open(NULL, other_diags);
    rp_storage *storage = make(100, 0);
    char bytes[200] = {0};
    rp_storage_upload uploads[2] = {{storage, 0, 8, bytes}, {storage, 8, 8, bytes}};
    rp_transfer_params params = {.size = sizeof params, .uploads = uploads, .upload_count = 2};
    tally before = count();
    CU_ASSERT_EQUAL(rp_device_transfer(NULL, &params, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_device_transfer(device, NULL, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_device_transfer(other, &params, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "names a storage of the device"));
    params.size = 0;
    CU_ASSERT_EQUAL(rp_device_transfer(device, &params, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "sizeof(rp_transfer_params)"));
    params.size = sizeof params;
    uploads[1] = (rp_storage_upload){storage, 99, 2, bytes};
    CU_ASSERT_EQUAL(rp_device_transfer(device, &params, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "bytes 99 + 2 are outside store, which has 100"));
    uploads[1] = (rp_storage_upload){storage, 7, 2, bytes};
    CU_ASSERT_EQUAL(rp_device_transfer(device, &params, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "two uploads, to store and to store, write to the same "
                                       "memory, from byte 7"));
    uploads[1] = (rp_storage_upload){storage, 8, 2, NULL};
    CU_ASSERT_EQUAL(rp_device_transfer(device, &params, diags), RP_ERROR_USAGE);
    uploads[1] = (rp_storage_upload){NULL, 8, 2, bytes};
    CU_ASSERT_EQUAL(rp_device_transfer(device, &params, diags), RP_ERROR_USAGE);
    params.uploads = NULL;
    CU_ASSERT_EQUAL(rp_device_transfer(device, &params, diags), RP_ERROR_USAGE);
    params.upload_count = 0;
    CU_ASSERT_EQUAL(rp_device_transfer(device, &params, diags), RP_OK); /* nothing to do */
    params.download_count = 1;
    CU_ASSERT_EQUAL(rp_device_transfer(device, &params, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_storage_write(NULL, 0, bytes, 1, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_storage_read(storage, 0, NULL, 1, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_storage_read(storage, 100, NULL, 0, diags), RP_OK);
    expect(before, 0, 0);
    rp_storage_release(storage);
    rp_device_destroy(other, NULL);
    rp_diags_destroy(other_diags);
    close_all();
}

/* ---- Execs ----------------------------------------------------------------------------------- */

static void test_exec(void) {
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    unsigned char x[4096], w[256], s[100], got[100];
    for (uint32_t i = 0; i < sizeof x; i++) x[i] = value(i);
    memset(w, 3, sizeof w);
    memset(s, 4, sizeof s);
    uint32_t index = 9;
    CU_ASSERT_EQUAL(rp_exec_find(exec, "w", &index), RP_OK);
    const rp_upload uploads[] = {{.buffer = "x", .size = sizeof x, .data = x},
                                 {.index = index, .size = sizeof w, .data = w},
                                 {.buffer = "s", .offset = 50, .size = sizeof s, .data = s}};
    const rp_download downloads[] = {
        {.buffer = "s", .offset = 49, .size = sizeof got, .data = got}};
    tally before = count();
    CU_ASSERT_EQUAL(rp_exec_transfer(exec, 0, uploads, 3, downloads, 1, diags), RP_OK);
    expect(before, 1, 1);
    CU_ASSERT_TRUE(got[0] == 0 && got[1] == 4 && got[99] == 4);
    CU_ASSERT_EQUAL(mock_counters(exec).bytes_up, sizeof x + sizeof w + sizeof s);
    CU_ASSERT_EQUAL(mock_counters(exec).bytes_down, sizeof got);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    unsigned char y[4096];
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, y, sizeof y, diags), RP_OK);
    CU_ASSERT_EQUAL(memcmp(x, y, sizeof x), 0);
    close_all();
}

/* One bad range, and nothing is copied. */
static void test_exec_refused(void) {
    mock_reset();
    open_text(text, &mock_params);
    char bytes[64] = "bytes";
    rp_upload uploads[2] = {{.buffer = "x", .size = 64, .data = bytes}};
    rp_download download = {.buffer = "y", .size = 64, .data = bytes};
    const struct {
        rp_upload upload;
        rp_status status;
        const char *said;
    } cases[] = {
        {{.buffer = "q", .size = 1, .data = bytes}, RP_ERROR_NOT_FOUND, "no buffer named q"},
        {{.index = 5, .size = 1, .data = bytes}, RP_ERROR_NOT_FOUND, "no buffer 5"},
        {{.buffer = "y", .size = 1, .data = bytes}, RP_ERROR_USAGE, "y is of kind out, the host"},
        {{.buffer = "n", .size = 1, .data = bytes}, RP_ERROR_USAGE, "use rp_exec_set_live"},
        {{.buffer = "w", .offset = 250, .size = 7, .data = bytes}, RP_ERROR_USAGE, "250 + 7"},
        {{.buffer = "w", .size = 7}, RP_ERROR_USAGE, "has no host memory"},
        {{.buffer = "x", .offset = 63, .size = 7, .data = bytes}, RP_ERROR_USAGE, "to x and to x"},
    };
    tally before = count();
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uploads[1] = cases[i].upload;
        CU_ASSERT_EQUAL(rp_exec_transfer(exec, 0, uploads, 2, NULL, 0, diags), cases[i].status);
        CU_ASSERT_TRUE(rp_test_said(diags, cases[i].said));
    }
    CU_ASSERT_EQUAL(rp_exec_transfer(exec, 1, uploads, 1, NULL, 0, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_transfer(NULL, 0, uploads, 1, NULL, 0, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_transfer(exec, 0, NULL, 1, NULL, 0, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_transfer(exec, 0, NULL, 0, NULL, 1, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_transfer(exec, 0, NULL, 0, NULL, 0, diags), RP_OK);
    download.buffer = "x";
    CU_ASSERT_EQUAL(rp_exec_transfer(exec, 0, uploads, 1, &download, 1, diags), RP_ERROR_USAGE);
    download.buffer = "y";
    expect(before, 0, 0);
    mock.stall = true;
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_transfer(exec, 0, uploads, 1, &download, 1, diags), RP_ERROR_BUSY);
    close_all();
}

/* ---- Faults ---------------------------------------------------------------------------------- */

/* Each call of a transfer of several pieces fails: nothing is left in flight, nothing leaks, and the
 * next transfer works. */
static void test_faults(void) {
    enum { SIZE = RP_PIECE_BYTES + 4096 };
    unsigned char *bytes = calloc(2, SIZE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    static const VkResult results[] = {VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_DEVICE_LOST};
    bool again = false;
    for (uint32_t r = 0; r < 4; r++)
        for (uint32_t fail = 1;;) {
            mock_reset();
            mock.stall = true;
            open_device_with(r / 2 ? RP_QUEUES_TRANSFER : 0);
            rp_storage *storage = make(SIZE, 0);
            const rp_storage_upload upload = {storage, 0, SIZE, bytes};
            const rp_storage_download download = {storage, 0, SIZE, bytes + SIZE};
            const rp_transfer_params params = {.size = sizeof params,
                                               .uploads = &upload,
                                               .upload_count = 1,
                                               .downloads = &download,
                                               .download_count = 1};
            mock.fail_at = mock.calls + fail;
            mock.fail_with = results[r % 2];
            rp_status status = rp_device_transfer(device, &params, diags);
            if (mock.failed) {
                CU_ASSERT_EQUAL(status, r % 2 ? RP_ERROR_DEVICE_LOST : RP_ERROR_NO_MEMORY);
                CU_ASSERT_TRUE(rp_test_said(diags, "failed: VK_ERROR_"));
                if (again) CU_ASSERT_EQUAL(rp_device_transfer(device, &params, diags), RP_OK);
            }
            rp_storage_release(storage);
            close_all();
            if (mock.failed) {
                again = !again;
                fail += !again;
            } else {
                CU_ASSERT_EQUAL(status, RP_OK);
                CU_ASSERT_TRUE(fail > 20);
                break;
            }
        }
    free(bytes);
}

/* A queue for uploads is used for them, and replays then see what it wrote; but not for a VkBuffer of
 * the application's, which need not be shared between two families. */
static void test_beside(void) {
    enum { SIZE = 3 * RP_PIECE_BYTES };
    mock_reset();
    open_device_with(RP_QUEUES_TRANSFER);
    const void *uploads = mock_queue(0), *replays = mock_queue(1);
    rp_storage *own = make(SIZE, 0), *source = make(SIZE, 0), *imported = NULL;
    rp_storage_info info = {.size = sizeof info};
    CU_ASSERT_EQUAL(rp_storage_get_info(source, &info), RP_OK);
    const rp_storage_import import = {.size = sizeof import, .buffer = info.buffer, .bytes = SIZE};
    CU_ASSERT_EQUAL_FATAL(rp_storage_import_buffer(device, &import, diags, &imported), RP_OK);
    unsigned char *sent = malloc(SIZE), *got = calloc(1, SIZE);
    CU_ASSERT_FATAL(sent && got);
    for (uint32_t i = 0; i < SIZE; i++) sent[i] = value(i);

    tally before = count();
    CU_ASSERT_EQUAL(rp_storage_write(own, 0, sent, SIZE, diags), RP_OK);
    expect(before, 3 + 1, 1); /* pieces, and the other queue is told */
    uint32_t batches;
    const mock_batch *log = mock_log(&batches);
    for (uint32_t i = 2; i <= 4; i++) CU_ASSERT_PTR_EQUAL(log[batches - i].queue, uploads);
    const mock_batch *join = &log[batches - 1];
    CU_ASSERT_PTR_EQUAL(join->queue, replays);
    CU_ASSERT_EQUAL(join->command_count, 0);
    CU_ASSERT_EQUAL_FATAL(join->wait_count, 1);
    CU_ASSERT_PTR_EQUAL(join->waits[0].semaphore, log[batches - 2].signals[0].semaphore);
    CU_ASSERT_EQUAL(join->waits[0].value, log[batches - 2].signals[0].value);
    CU_ASSERT_EQUAL(join->waits[0].stages, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT);

    /* There and back in one call: it comes back through the queue of replays, behind the join. */
    const rp_storage_upload upload = {own, 0, SIZE, sent};
    const rp_storage_download download = {own, 0, SIZE, got};
    const rp_transfer_params params = {.size = sizeof params,
                                       .uploads = &upload,
                                       .upload_count = 1,
                                       .downloads = &download,
                                       .download_count = 1};
    before = count();
    CU_ASSERT_EQUAL(rp_device_transfer(device, &params, diags), RP_OK);
    CU_ASSERT_EQUAL(mock.submits - before.submits, 3 + 1 + 3);
    CU_ASSERT_PTR_EQUAL(mock.queue, replays);
    CU_ASSERT_EQUAL(memcmp(sent, got, SIZE), 0);

    before = count();
    CU_ASSERT_EQUAL(rp_storage_write(imported, 0, sent, 64, diags), RP_OK);
    expect(before, 1, 1);
    CU_ASSERT_PTR_EQUAL(mock.queue, replays);
    free(sent);
    free(got);
    rp_storage_release(own);
    rp_storage_release(imported);
    rp_storage_release(source);
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"many ranges", test_many_ranges},
                                    {"large", test_large},
                                    {"mapped", test_mapped},
                                    {"barriers", test_barriers},
                                    {"host memory", test_host_memory},
                                    {"refused", test_refused},
                                    {"of an exec", test_exec},
                                    {"of an exec, refused", test_exec_refused},
                                    {"beside replays", test_beside},
                                    {"faults", test_faults},
                                    {0}};
    return rp_run_tests("transfers", tests);
}
