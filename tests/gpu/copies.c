/* Copies that submissions bring along, against a model: random frames through one slot and several,
 * over memory that the host sees and memory that it does not, waited for early, late and out of
 * order. The validation layer listens, with its synchronisation checks.
 *
 * The plan: s[i] += x[i]; y[i] = s[i] * 3 + w[i]. */
#include <pthread.h>
#include <stdlib.h>
#include "gpu.h"
#include "memory/storage.h"

enum { COUNT = 1024, BYTES = COUNT * 4, MAX_SLOTS = 3, FRAMES = 60, COPIES = 4 };

static rp_device *device;
static rp_plan *plan;

/* ---- The plan -------------------------------------------------------------------------------- */

static const char add_glsl[] = "#version 450\n"
                               "layout(local_size_x = 64) in;\n"
                               "layout(binding = 0) readonly buffer X { uint v[]; } x;\n"
                               "layout(binding = 1) buffer S { uint v[]; } s;\n"
                               "void main() { uint i = gl_GlobalInvocationID.x;\n"
                               "  s.v[i] += x.v[i]; }\n";

static const char result_glsl[] = "#version 450\n"
                                  "layout(local_size_x = 64) in;\n"
                                  "layout(binding = 0) readonly buffer S { uint v[]; } s;\n"
                                  "layout(binding = 1) readonly buffer W { uint v[]; } w;\n"
                                  "layout(binding = 2) writeonly buffer Y { uint v[]; } y;\n"
                                  "void main() { uint i = gl_GlobalInvocationID.x;\n"
                                  "  y.v[i] = s.v[i] * 3 + w.v[i]; }\n";

static const struct {
    const char *name;
    rp_buffer_kind kind;
} kinds[] = {{"x", RP_IN}, {"w", RP_WEIGHT}, {"s", RP_INOUT}, {"y", RP_OUT}};
enum { X, W, S, Y, BUFFERS };

static rp_plan *compile(void) {
    rp_program *program;
    rp_recorder *r;
    rp_buffer buffers[BUFFERS];
    rp_kernel add, result;
    rp_graph *graph;
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "copies", &program), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(program, &r), RP_OK);
    for (int i = 0; i < BUFFERS; i++) {
        const rp_buffer_params params = {
            .size = sizeof params, .name = kinds[i].name, .kind = kinds[i].kind, .bytes = BYTES};
        CU_ASSERT_EQUAL_FATAL(rp_program_buffer(program, &params, NULL, &buffers[i]), RP_OK);
    }
    rp_kernel_params params = {.size = sizeof params, .name = "add", .glsl = add_glsl};
    CU_ASSERT_EQUAL_FATAL(rp_program_kernel(program, &params, NULL, &add), RP_OK);
    params =
        (rp_kernel_params){.size = sizeof(rp_kernel_params), .name = "result", .glsl = result_glsl};
    CU_ASSERT_EQUAL_FATAL(rp_program_kernel(program, &params, NULL, &result), RP_OK);
    rp_bind_kernel(r, add);
    rp_bind(r, 0, (rp_range){buffers[X]});
    rp_bind(r, 1, (rp_range){buffers[S]});
    rp_dispatch(r, COUNT / 64, 1, 1);
    rp_bind_kernel(r, result);
    rp_bind(r, 0, (rp_range){buffers[S]});
    rp_bind(r, 1, (rp_range){buffers[W]});
    rp_bind(r, 2, (rp_range){buffers[Y]});
    rp_dispatch(r, COUNT / 64, 1, 1);
    CU_ASSERT_EQUAL_FATAL(rp_program_graph(program, &r, 1, NULL, &graph), RP_OK);
    rp_recorder_destroy(r);
    rp_program_destroy(program);
    rp_plan *out = gpu_compile(graph, 1);
    rp_graph_destroy(graph);
    return out;
}

/* ---- The model ------------------------------------------------------------------------------- */

typedef struct expectation {
    uint64_t replay;
    uint32_t size;
    unsigned char wanted[BYTES], got[BYTES];
} expectation;

typedef struct model {
    rp_exec *exec;
    uint32_t slots;
    bool state_per_slot;
    uint32_t memory[MAX_SLOTS][BUFFERS][COUNT];
    expectation *expected; /* in the order of replays */
    uint32_t expected_count, fetched;
    unsigned char *sent; /* of all uploads: read when they are submitted */
    uint32_t seed;
} model;

static uint32_t next(model *m, uint32_t below) {
    m->seed = m->seed * 1664525 + 1013904223;
    return (uint32_t)(((uint64_t)(m->seed >> 8) * below) >> 24);
}

/* What slots share is in the memory of slot 0. */
static unsigned char *bytes_of(model *m, uint32_t slot, uint32_t buffer) {
    bool shared = buffer == W || (buffer == S && !m->state_per_slot);
    return (unsigned char *)m->memory[shared ? 0 : slot][buffer];
}

static void replay(model *m, uint32_t slot) {
    uint32_t *x = (uint32_t *)bytes_of(m, slot, X), *w = (uint32_t *)bytes_of(m, slot, W);
    uint32_t *s = (uint32_t *)bytes_of(m, slot, S), *y = (uint32_t *)bytes_of(m, slot, Y);
    for (uint32_t i = 0; i < COUNT; i++) {
        s[i] += x[i];
        y[i] = s[i] * 3 + w[i];
    }
}

/* Uploads go to strips of what may be written, which do not overlap. */
static uint32_t make_uploads(model *m, uint32_t slot, rp_upload *uploads) {
    uint32_t count = next(m, COPIES + 1), strip = BYTES / COPIES;
    for (uint32_t i = 0; i < count; i++) {
        static const uint32_t targets[] = {X, X, X, X, S, S, W};
        uint32_t buffer = targets[next(m, 7)], skip = next(m, strip), size = next(m, strip - skip);
        uint32_t at = i * strip + skip;
        unsigned char *data = m->sent + i * strip;
        for (uint32_t j = 0; j < size; j++) data[j] = (unsigned char)next(m, 256);
        memcpy(bytes_of(m, slot, buffer) + at, data, size);
        uploads[i] =
            (rp_upload){.buffer = kinds[buffer].name, .offset = at, .size = size, .data = data};
    }
    return count;
}

static uint32_t make_downloads(model *m, uint32_t slot, uint64_t number, rp_download *downloads) {
    uint32_t count = next(m, COPIES + 1);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t buffer = next(m, 2) ? Y : S, at = next(m, BYTES), size = next(m, BYTES - at + 1);
        expectation *e = &m->expected[m->expected_count++];
        *e = (expectation){.replay = number, .size = size};
        memcpy(e->wanted, bytes_of(m, slot, buffer) + at, size);
        downloads[i] =
            (rp_download){.buffer = kinds[buffer].name, .offset = at, .size = size, .data = e->got};
    }
    return count;
}

static void submit(model *m) {
    rp_upload uploads[COPIES];
    rp_download downloads[COPIES];
    rp_submit_params params = {.size = sizeof params, .slot = next(m, m->slots)};
    params.uploads = uploads;
    params.upload_count = make_uploads(m, params.slot, uploads);
    replay(m, params.slot);
    uint64_t number = 0, before = m->expected_count;
    params.downloads = downloads;
    params.download_count = make_downloads(m, params.slot, 0, downloads);
    if (next(m, 4) == 0) params.pieces = 1;
    CU_ASSERT_EQUAL(rp_exec_submit(m->exec, &params, NULL, &number), RP_OK);
    memset(m->sent, 0xee, BYTES); /* they were read */
    if (params.pieces && rp_exec_piece_count(m->exec) > 1)
        CU_ASSERT_EQUAL(rp_exec_continue(m->exec, 0, NULL), RP_OK);
    for (uint64_t i = before; i < m->expected_count; i++) m->expected[i].replay = number;
}

static void wait(model *m, uint64_t number) {
    CU_ASSERT_EQUAL(rp_exec_wait(m->exec, number, UINT64_MAX, NULL), RP_OK);
    for (; m->fetched < m->expected_count; m->fetched++) {
        expectation *e = &m->expected[m->fetched];
        if (number && e->replay > number) break;
        CU_ASSERT_EQUAL(memcmp(e->wanted, e->got, e->size), 0);
    }
}

/* Host access between replays, to an exec that is idle. */
static void touch(model *m) {
    uint32_t slot = next(m, m->slots), at = next(m, BYTES), size = next(m, BYTES - at + 1);
    static unsigned char bytes[BYTES];
    wait(m, 0);
    memset(bytes, (int)next(m, 256), size);
    memcpy(bytes_of(m, slot, S) + at, bytes, size);
    CU_ASSERT_EQUAL(rp_exec_write(m->exec, slot, "s", at, bytes, size, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_read(m->exec, slot, "y", 0, bytes, BYTES, NULL), RP_OK);
    CU_ASSERT_EQUAL(memcmp(bytes, bytes_of(m, slot, Y), BYTES), 0);
}

static void run_frames(model *m) {
    m->expected = malloc(FRAMES * COPIES * sizeof *m->expected);
    m->sent = malloc(BYTES);
    CU_ASSERT_FATAL(m->expected && m->sent);
    for (uint32_t f = 1; f <= FRAMES; f++) {
        submit(m);
        if (next(m, 3) == 0) wait(m, f - next(m, f < 4 ? f : 4));
        if (next(m, 15) == 0) touch(m);
    }
    wait(m, 0);
    CU_ASSERT_EQUAL(m->fetched, m->expected_count);
    free(m->expected);
    free(m->sent);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

typedef enum memory_kind {
    OWN,    /* of the exec, which the host sees on some devices */
    KNOWN,  /* the application's, mapped */
    UNSEEN, /* mapped nowhere */
    MEMORY_KINDS
} memory_kind;

/* One storage for all buffers of all slots, in which they are bound. */
static rp_storage *bind_all(memory_kind kind, uint32_t slots, bool state_per_slot,
                            rp_binding *bindings) {
    rp_storage *storage = NULL;
    uint64_t each = BYTES * slots;
    if (kind == OWN) return NULL;
    if (kind == KNOWN) {
        const rp_storage_params params = {
            .size = sizeof params, .bytes = BUFFERS * each, .host_visible = 1};
        CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, NULL, &storage), RP_OK);
    } else {
        const rp_storage_wish wish = {
            .purpose = RP_PURPOSE_ARENA, .size = BUFFERS * each, .name = "unseen"};
        CU_ASSERT_EQUAL_FATAL(rp_storage_allocate(device, &wish, 1, NULL, &storage), RP_OK);
        rp_device_retain(device, RP_OBJECT_STORAGE);
        CU_ASSERT_EQUAL_FATAL(rp_storage_clear(device, &storage, 1, NULL), RP_OK);
    }
    for (uint32_t i = 0; i < BUFFERS; i++) {
        bool shared = i == W || (i == S && !state_per_slot);
        bindings[i] = (rp_binding){.buffer = kinds[i].name,
                                   .storage = storage,
                                   .offset = i * each,
                                   .slot = RP_ALL_SLOTS,
                                   .slot_stride = shared ? 0 : BYTES};
    }
    return storage;
}

static rp_exec *make_exec(memory_kind kind, uint32_t slots, bool state_per_slot, uint32_t pieces,
                          rp_storage **out_storage) {
    rp_binding bindings[BUFFERS];
    *out_storage = bind_all(kind, slots, state_per_slot, bindings);
    const rp_exec_params params = {.size = sizeof params,
                                   .cache_path = "",
                                   .slots = slots,
                                   .state_per_slot = state_per_slot,
                                   .bindings = bindings,
                                   .binding_count = *out_storage ? BUFFERS : 0,
                                   .pieces = pieces};
    return gpu_exec(device, plan, &params);
}

static void test_frames(void) {
    for (memory_kind kind = OWN; kind < MEMORY_KINDS; kind++)
        for (uint32_t slots = 1; slots <= MAX_SLOTS; slots += 2)
            for (int state_per_slot = 0; state_per_slot < 2; state_per_slot++)
                for (uint32_t pieces = 1; pieces <= 2; pieces++) {
                    rp_storage *storage;
                    model *m = calloc(1, sizeof *m);
                    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
                    *m = (model){.slots = slots, .state_per_slot = state_per_slot};
                    m->seed = kind * 100 + slots * 10 + pieces;
                    m->exec = make_exec(kind, slots, state_per_slot, pieces, &storage);
                    run_frames(m);
                    rp_exec_destroy(m->exec);
                    rp_storage_release(storage);
                    free(m);
                }
}

/* ---- Threads --------------------------------------------------------------------------------- */

enum { ROUNDS = 40 };

typedef struct runner {
    pthread_t thread;
    rp_exec *exec;
    uint32_t slot;
    uint32_t wrong;
} runner;

/* Each thread has a slot of one exec, and waits for its own replays alone. */
static void *run_slot(void *user) {
    runner *r = user;
    uint32_t x[COUNT], y[COUNT], s = 0;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        for (uint32_t i = 0; i < COUNT; i++) x[i] = i * round + r->slot;
        const rp_upload upload = {.buffer = "x", .size = BYTES, .data = x};
        const rp_download download = {.buffer = "y", .size = BYTES, .data = y};
        const rp_submit_params params = {.size = sizeof params,
                                         .slot = r->slot,
                                         .uploads = &upload,
                                         .upload_count = 1,
                                         .downloads = &download,
                                         .download_count = 1};
        uint64_t number;
        r->wrong += rp_exec_submit(r->exec, &params, NULL, &number) != RP_OK;
        r->wrong += rp_exec_wait(r->exec, number, UINT64_MAX, NULL) != RP_OK;
        s += round;
        for (uint32_t i = 0; i < COUNT; i++) r->wrong += y[i] != 3 * (i * s + r->slot * round);
    }
    return NULL;
}

static void test_threads(void) {
    for (memory_kind kind = OWN; kind < MEMORY_KINDS; kind++) {
        rp_storage *storage;
        rp_exec *exec = make_exec(kind, MAX_SLOTS, true, 1, &storage);
        runner runners[MAX_SLOTS] = {0};
        for (uint32_t i = 0; i < MAX_SLOTS; i++) {
            runners[i] = (runner){.exec = exec, .slot = i};
            CU_ASSERT_EQUAL_FATAL(pthread_create(&runners[i].thread, NULL, run_slot, &runners[i]),
                                  0);
        }
        for (uint32_t i = 0; i < MAX_SLOTS; i++) {
            pthread_join(runners[i].thread, NULL);
            CU_ASSERT_EQUAL(runners[i].wrong, 0);
        }
        rp_exec_destroy(exec);
        rp_storage_release(storage);
    }
}

/* ---- Chains ---------------------------------------------------------------------------------- */

/* The result of one exec is the input of the next in the same submission, with copies on all sides:
 * up to the first, down from between, down from the end. */
static void test_chain(void) {
    rp_storage *between;
    const rp_storage_params storage_params = {.size = sizeof storage_params, .bytes = BYTES};
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &storage_params, NULL, &between), RP_OK);
    const rp_binding out = {.buffer = "y", .storage = between};
    const rp_binding in = {.buffer = "x", .storage = between};
    rp_exec_params params = {
        .size = sizeof params, .cache_path = "", .bindings = &out, .binding_count = 1};
    rp_exec *first = gpu_exec(device, plan, &params);
    params.bindings = &in;
    rp_exec *second = gpu_exec(device, plan, &params);
    uint32_t x[COUNT], middle[COUNT], y[COUNT], s1 = 0, s2 = 0;
    for (uint32_t round = 1; round <= 5; round++) {
        for (uint32_t i = 0; i < COUNT; i++) x[i] = i * round;
        const rp_upload upload = {.buffer = "x", .size = BYTES, .data = x};
        const rp_download down_middle = {.buffer = "y", .size = BYTES, .data = middle};
        const rp_download down = {.buffer = "y", .size = BYTES, .data = y};
        const rp_submit_params a = {.size = sizeof a,
                                    .uploads = &upload,
                                    .upload_count = 1,
                                    .downloads = &down_middle,
                                    .download_count = 1};
        const rp_submit_params b = {.size = sizeof b, .downloads = &down, .download_count = 1};
        const rp_submission submissions[] = {{first, &a}, {second, &b}};
        CU_ASSERT_EQUAL(rp_device_submit(device, submissions, 2, NULL, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_wait(second, 0, UINT64_MAX, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_wait(first, 0, UINT64_MAX, NULL), RP_OK);
        s1 += round;
        s2 += 3 * s1;
        uint32_t wrong = 0;
        for (uint32_t i = 0; i < COUNT; i++) wrong += middle[i] != 3 * i * s1 || y[i] != 3 * i * s2;
        CU_ASSERT_EQUAL(wrong, 0);
    }
    rp_exec_destroy(first);
    rp_exec_destroy(second);
    rp_storage_release(between);
}

static void test_open(void) {
    device = gpu_open(1);
    plan = compile();
}

static void test_silence(void) {
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(rp_device_messages(device, diags), 0);
    gpu_report(diags);
    rp_diags_destroy(diags);
    rp_plan_destroy(plan);
    CU_ASSERT_EQUAL(rp_device_destroy(device, NULL), RP_OK);
}

int main(void) {
    static const rp_test tests[] = {{"open", test_open},       {"random frames", test_frames},
                                    {"threads", test_threads}, {"chain", test_chain},
                                    {"silence", test_silence}, {0}};
    return rp_run_tests("copies of submissions", tests);
}
