/* Execs and storages used by several threads at once, for ThreadSanitizer (./dev tsan); without it
 * the results are still compared.
 *
 * The fake driver's counting is atomic without any order, and what Vulkan wants synchronised from
 * outside (a queue, a command pool, a descriptor set) it writes plainly: so what the runtime forgets
 * to lock shows. */
#include <pthread.h>
#include <sched.h>

#include "opened.h"
#include "support/cases.h"

enum { THREADS = 4, MOST_THREADS = 16, ROUNDS = 300 / RP_PART };

static const char text[] = "reprise 1\n"
                           "graph threads scheduled placed synced arena 256 {\n"
                           "  buf $x in 256\n"
                           "  buf $w weight 256\n"
                           "  buf $y out 256\n"
                           "  buf $n live u32[2] = 03000000 02000000 max 1000\n"
                           "  buf %a tmp 256 at 0\n"
                           "  kern @k spirv - local 64 1 1 push 4 (r, r, w)\n"
                           "  barrier compute:rw,transfer:rw -> compute:w,transfer:w\n"
                           "  group 0\n"
                           "    n0 = run @k grid {$n} 1 1 push 01000000 (r $x, r $w, w %a)\n"
                           "    n1 = copy (r $x[0+128], w $y[0+128])\n"
                           "  barrier transfer:w,compute:w -> transfer:rw\n"
                           "  group 1\n"
                           "    n2 = copy (r $n, w $y[128+8])\n"
                           "  barrier transfer:w -> host:r\n"
                           "}\n";

static uint32_t wrong; /* CUnit is not for threads */
static pthread_barrier_t start;

static void expect(bool fine) {
    if (!fine) __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}

static void run(void *(*work)(void *), uint32_t count) {
    pthread_t threads[MOST_THREADS];
    CU_ASSERT_FATAL(count <= MOST_THREADS);
    wrong = 0;
    CU_ASSERT_EQUAL_FATAL(pthread_barrier_init(&start, NULL, count), 0);
    for (uintptr_t i = 0; i < count; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, work, (void *)i), 0);
    for (uint32_t i = 0; i < count; i++) pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&start);
    CU_ASSERT_EQUAL(wrong, 0);
}

static void open_quiet(const rp_exec_params *params, bool unified) {
    mock_reset();
    if (unified) mock_unified();
    mock.quiet = true;
    diags = rp_diags_create(NULL);
    plan = mock_plan(text);
    device = mock_open(NULL, diags); /* an allocator that counts is for one thread */
    exec = NULL;
    memory.alive = 0;
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, plan, params, diags, &exec), RP_OK);
}

/* ---- Slots ----------------------------------------------------------------------------------- */

static void *fill_and_submit(void *user) {
    uint32_t slot = (uint32_t)(uintptr_t)user;
    const rp_submit_params params = {.size = sizeof params, .slot = slot};
    pthread_barrier_wait(&start);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint32_t x[32], y[34] = {0};
        const uint32_t n[2] = {i % 1000, slot};
        uint64_t replay = 0;
        for (uint32_t k = 0; k < 32; k++) x[k] = i * 1000 + slot * 100 + k;
        expect(rp_exec_write(exec, slot, "x", 0, x, sizeof x, NULL) == RP_OK);
        expect(rp_exec_set_live(exec, slot, "n", 0, n, 2, NULL) == RP_OK);
        expect(rp_exec_submit(exec, &params, NULL, &replay) == RP_OK);
        expect(rp_exec_wait(exec, replay, UINT64_MAX, NULL) == RP_OK);
        expect(rp_exec_read(exec, slot, "y", 0, y, sizeof y, NULL) == RP_OK);
        expect(memcmp(x, y, sizeof x) == 0 && memcmp(y + 32, n, sizeof n) == 0);
    }
    return NULL;
}

static void test_slots(void) {
    for (uint32_t unified = 0; unified < 2; unified++) {
        const rp_exec_params params = {
            .size = sizeof params, .cache_path = "", .slots = THREADS, .pieces = 1 + unified};
        open_quiet(&params, unified);
        run(fill_and_submit, THREADS);
        CU_ASSERT_EQUAL(rp_exec_completed(exec), THREADS * ROUNDS);
        close_all();
    }
}

/* ---- Execs that share storage ---------------------------------------------------------------- */

static rp_exec *others[2];

/* Both in one call, in one order or the other, and one alone. */
static void *submit_both(void *user) {
    uintptr_t me = (uintptr_t)user;
    pthread_barrier_wait(&start);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        const rp_submission both[] = {{others[me & 1], NULL}, {others[~me & 1], NULL}};
        uint64_t replays[2];
        if (me < 2)
            expect(rp_device_submit(device, both, 2, NULL, replays) == RP_OK && replays[1]);
        else
            expect(rp_exec_submit(others[me & 1], NULL, NULL, NULL) == RP_OK);
        if (i % 16 == 0) expect(rp_exec_wait(others[me & 1], 0, UINT64_MAX, NULL) == RP_OK);
    }
    return NULL;
}

static void test_sharing(void) {
    open_quiet(&mock_params, false);
    const rp_storage_params wanted = {.size = sizeof wanted, .bytes = 1024};
    rp_storage *storage = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &wanted, diags, &storage), RP_OK);
    for (uint32_t i = 0; i < 2; i++) {
        const rp_binding bindings[] = {{"x", storage, i * 256, 0, 0},
                                       {"y", storage, (1 - i) * 256, 0, 0},
                                       {"w", storage, 512, 0, 0},
                                       {NULL, storage, 768, 0, 0}};
        const rp_exec_params params = {
            .size = sizeof params, .cache_path = "", .bindings = bindings, .binding_count = 4};
        CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, plan, &params, diags, &others[i]), RP_OK);
    }
    run(submit_both, THREADS);
    for (uint32_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(rp_exec_wait(others[i], 0, UINT64_MAX, diags), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_completed(others[i]), 3 * ROUNDS);
        rp_exec_destroy(others[i]);
    }
    rp_storage_release(storage);
    close_all();
}

/* ---- Storages -------------------------------------------------------------------------------- */

static rp_storage *common;

/* Held and let go by everybody, by hand and by execs that come and go. */
static void *hold(void *user) {
    uint32_t me = (uint32_t)(uintptr_t)user;
    pthread_barrier_wait(&start);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        rp_storage *held = rp_storage_retain(common), *mine = NULL;
        rp_storage_info info = {.size = sizeof info};
        expect(rp_storage_get_info(held, &info) == RP_OK && info.bytes == 4096);
        char bytes[64] = {0};
        expect(rp_storage_write(held, 1024 + me * 64, bytes, 64, NULL) == RP_OK);
        const rp_storage_params params = {
            .size = sizeof params, .bytes = 256 + i, .host_visible = i & 1};
        expect(rp_storage_create(device, &params, NULL, &mine) == RP_OK);
        rp_storage_release(held);
        if (i % 8 == 0) {
            const rp_binding bindings[] = {{"w", common, 0, 0, 0}, {"x", mine, 0, 0, 0}};
            const rp_exec_params wanted = {
                .size = sizeof wanted, .cache_path = "", .bindings = bindings, .binding_count = 2};
            rp_exec *e = NULL;
            expect(rp_exec_create(device, plan, &wanted, NULL, &e) == RP_OK);
            rp_storage_release(mine);
            expect(rp_exec_submit(e, NULL, NULL, NULL) == RP_OK);
            rp_exec_destroy(e);
        } else {
            rp_storage_release(mine);
        }
    }
    return NULL;
}

static rp_storage *passing[ROUNDS];

/* Who comes last frees what all have used. */
static void *let_go(void *user) {
    (void)user;
    pthread_barrier_wait(&start);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        rp_storage_info info = {.size = sizeof info};
        expect(rp_storage_get_info(passing[i], &info) == RP_OK && info.bytes == 64);
        rp_storage_release(passing[i]);
        if (i % 16 == 0) sched_yield();
    }
    return NULL;
}

static void test_storages(void) {
    open_quiet(&mock_params, false);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        const rp_storage_params small = {.size = sizeof small, .bytes = 64};
        CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &small, diags, &passing[i]), RP_OK);
        for (uint32_t k = 1; k < THREADS; k++) rp_storage_retain(passing[i]);
    }
    run(let_go, THREADS);
    const rp_storage_params wanted = {.size = sizeof wanted, .bytes = 4096};
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &wanted, diags, &common), RP_OK);
    run(hold, THREADS);
    rp_storage_release(common);
    close_all();
}

/* ---- Changing -------------------------------------------------------------------------------- */

static uint32_t over;

static void look_for_a_buffer(void) {
    uint32_t index = 9;
    expect(rp_exec_find(exec, "y", &index) == RP_OK && index == 2);
}

static void look_at_a_range(void) {
    rp_range_info range = {.size = sizeof range};
    expect(rp_exec_get_range(exec, 0, "y", NULL, &range) == RP_OK && range.bytes == 256);
}

static void look_at_pieces(void) {
    expect(rp_exec_piece_count(exec) == 2);
}

static void look_at_scopes(void) {
    rp_scopes scopes = {.size = sizeof scopes};
    expect(rp_exec_get_scopes(exec, &scopes) == RP_OK && scopes.stages != 0);
}

static void look_at_losses(void) {
    expect(rp_exec_timeline(exec) != NULL && rp_exec_lost_node(exec) == NULL);
}

static void look_at_counters(void) {
    rp_counters counters = {.size = sizeof counters};
    expect(rp_exec_get_counters(exec, &counters) == RP_OK);
}

static void look_at_times(void) {
    (void)rp_exec_gpu_seconds(exec, 0);
}

static void wait_for_pieces(void) {
    uint64_t replay = rp_exec_completed(exec);
    if (replay) expect(rp_exec_wait_pieces(exec, replay, 1, UINT64_MAX, NULL) == RP_OK);
}

/* Each by a thread that does nothing else: what it locks would cover for others. */
static void (*const looks[])(void) = {look_for_a_buffer, look_at_a_range, look_at_pieces,
                                      look_at_scopes,    look_at_losses,  look_at_counters,
                                      look_at_times,     wait_for_pieces};
enum { LOOKS = sizeof looks / sizeof *looks };

static void change(uint32_t i) {
    const rp_submit_params parts = {.size = sizeof parts, .pieces = 1};
    const rp_binding binding = {"x", common, i % 2 * 256, 0, 0};
    uint64_t replay = 0;
    expect(rp_exec_submit(exec, &parts, NULL, &replay) == RP_OK);
    expect((i % 3 ? rp_exec_continue(exec, 0, NULL) : rp_exec_cancel(exec, NULL)) == RP_OK);
    expect(rp_exec_wait(exec, replay, UINT64_MAX, NULL) == (i % 3 ? RP_OK : RP_ERROR_CANCELLED));
    if (i % 2)
        expect(rp_exec_update(exec, plan, NULL, NULL) == RP_OK);
    else
        expect(rp_exec_bind(exec, &binding, 1, NULL) == RP_OK);
}

/* The first thread replays and changes, each other one looks. */
static void *change_or_look(void *user) {
    uint32_t me = (uint32_t)(uintptr_t)user;
    pthread_barrier_wait(&start);
    for (uint32_t i = 0; me == 0 && i < ROUNDS; i++) change(i);
    if (me == 0) __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    while (me && !__atomic_load_n(&over, __ATOMIC_RELAXED)) {
        looks[me - 1]();
        sched_yield();
    }
    return NULL;
}

static void test_changing(void) {
    const rp_exec_params params = {
        .size = sizeof params, .cache_path = "", .pieces = 2, .timestamps = 1};
    open_quiet(&params, false);
    const rp_storage_params wanted = {.size = sizeof wanted, .bytes = 1024};
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &wanted, diags, &common), RP_OK);
    over = 0;
    run(change_or_look, 1 + LOOKS);
    rp_storage_release(common);
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"slots", test_slots},
                                    {"execs that share storage", test_sharing},
                                    {"storages", test_storages},
                                    {"changing", test_changing},
                                    {0}};
    return rp_run_tests("threads", tests);
}
