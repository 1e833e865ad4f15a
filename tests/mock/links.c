/* Execs of one submission that share storage: random ones, bound at random.
 *
 * Each pair of execs is compared buffer by buffer, use by use; a barrier has to stand in front of an
 * exec exactly where one before it conflicts with it, with exactly the scopes of the accesses that
 * meet. That this is also enough is the fake driver's to say, which sees bytes and masks alone. */
#include "shared.h"

#include "driver/barrier.h"
#include "driver/quirks.h"

enum { EXECS = 3, ENTRIES = 5 };

/* The scopes by which `after` has to wait for `before`. */
static void meet(const shared_exec *before, const shared_exec *after, uint32_t *src,
                 uint32_t *dst) {
    const uint32_t writes = RP_SCOPE_COMPUTE_W | RP_SCOPE_TRANSFER_W;
    for (uint32_t i = 0; i < before->count; i++)
        for (uint32_t k = 0; k < after->count; k++) {
            const shared_place *a = &before->places[i], *b = &after->places[k];
            if (!shared_overlap(a, b)) continue;
            for (uint32_t x = 1; x; x <<= 1)
                for (uint32_t y = 1; y; y <<= 1)
                    if ((a->scopes & x) && (b->scopes & y) && ((x | y) & writes)) {
                        *src |= x;
                        *dst |= y;
                    }
        }
}

static bool same_barrier(const VkMemoryBarrier2 *a, const VkMemoryBarrier2 *b) {
    return a->srcStageMask == b->srcStageMask && a->srcAccessMask == b->srcAccessMask &&
           a->dstStageMask == b->dstStageMask && a->dstAccessMask == b->dstAccessMask;
}

static uint32_t links, without;

static void check_batch(const shared_exec *execs, const uint32_t *order, uint32_t index,
                        const mock_batch *batch) {
    VkMemoryBarrier2 wanted, got = {0};
    uint32_t src = 0, dst = 0;
    for (uint32_t i = 0; i < index; i++)
        if (order[i] != order[index]) meet(&execs[order[i]], &execs[order[index]], &src, &dst);
    bool linked = mock_only_barrier(batch->commands[0], &got) && batch->command_count == 2;
    CU_ASSERT_EQUAL(linked, src != 0);
    CU_ASSERT_EQUAL(batch->command_count, 1u + (src != 0));
    if (src) {
        CU_ASSERT_TRUE(rp_barrier_lower(src, dst, rp_quirks_of(mock.driver), false, &wanted));
        CU_ASSERT_TRUE(same_barrier(&wanted, &got));
        links++;
    } else if (index) {
        without++;
    }
}

static void test_scopes(void) {
    uint64_t seed = rp_environment("RP_SEED", 1), cases = rp_cases(60, 12);
    for (uint64_t end = seed + cases; seed < end; seed++) {
        rp_random r = {seed};
        shared_device d;
        shared_exec execs[EXECS];
        uint32_t order[ENTRIES], count = 2 + rp_random_below(&r, ENTRIES - 1), logged;
        bool visible = rp_random_percent(&r, 50);
        shared_open(&d, visible);
        for (uint32_t i = 0; i < EXECS; i++)
            shared_create(&d, &execs[i], seed * EXECS + i, &r, (rp_exec_params){0}, visible);
        rp_submission submissions[ENTRIES] = {{0}};
        for (uint32_t i = 0; i < count; i++) {
            order[i] = rp_random_below(&r, EXECS);
            submissions[i].exec = execs[order[i]].exec;
        }
        mock.races = true;
        mock_log(&logged);
        uint64_t replays[ENTRIES] = {0};
        uint32_t submits = mock.submits;
        CU_ASSERT_EQUAL(rp_device_submit(d.device, submissions, count, d.diags, replays), RP_OK);
        CU_ASSERT_EQUAL(mock.submits, submits + 1);
        uint32_t first = logged;
        const mock_batch *log = mock_log(&logged);
        CU_ASSERT_EQUAL_FATAL(logged, first + count);
        for (uint32_t i = 0; i < count; i++) {
            uint64_t number = 1;
            for (uint32_t k = 0; k < i; k++) number += order[k] == order[i];
            CU_ASSERT_EQUAL(replays[i], number);
            check_batch(execs, order, i, &log[first + i]);
        }
        if (mock.mistake) printf("\n seed %llu", (unsigned long long)seed);
        for (uint32_t i = 0; i < EXECS; i++) shared_destroy(&execs[i]);
        shared_close(&d);
    }
    CU_ASSERT(links > cases / 4);
    CU_ASSERT(without > 0);
}

/* A barrier of the same scopes is recorded once for the device. */
static void test_once(void) {
    shared_device d;
    shared_exec execs[2];
    shared_open(&d, false);
    for (uint32_t i = 0; i < 2; i++) {
        rp_random r = {11}; /* at the same places */
        shared_create(&d, &execs[i], 7, &r, (rp_exec_params){0}, false);
    }
    const rp_submission submissions[] = {
        {.exec = execs[0].exec}, {.exec = execs[1].exec}, {.exec = execs[0].exec}};
    CU_ASSERT_EQUAL(rp_device_submit(d.device, submissions, 3, d.diags, NULL), RP_OK);
    uint32_t logged;
    const mock_batch *log = mock_log(&logged);
    CU_ASSERT_EQUAL_FATAL(log[logged - 1].command_count, 2);
    int objects = mock.objects;
    for (uint32_t i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(rp_device_submit(d.device, submissions, 3, d.diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(mock.objects, objects);
    for (uint32_t i = 0; i < 2; i++) shared_destroy(&execs[i]);
    shared_close(&d);
}

/* Only what meets counts: a short range in a long one may end before. */
static void test_what_meets(void) {
    static const char reads[] = "reprise 1\n"
                                "graph reads scheduled placed synced arena 0 {\n"
                                "  buf $w weight 1024\n"
                                "  buf $x in 64\n"
                                "  buf $y out 64\n"
                                "  buf $z out 64\n"
                                "  kern @k spirv - local 64 1 1 (r, w)\n"
                                "  group 0\n"
                                "    n0 = copy (r $x, w $z)\n"
                                "    n1 = run @k grid 1 1 1 (r $w, w $y)\n"
                                "}\n";
    static const char writes[] = "reprise 1\n"
                                 "graph writes scheduled placed synced arena 0 {\n"
                                 "  buf $y out 64\n"
                                 "  group 0\n"
                                 "    n0 = fill 00000000 (w $y)\n"
                                 "}\n";
    shared_device d;
    shared_open(&d, false);
    const rp_binding at_start[] = {{"w", d.storages[0], 0, 0, 0}, {"x", d.storages[0], 256, 0, 0}};
    rp_exec *execs[2] = {NULL, NULL};
    rp_plan *plans[] = {mock_plan(reads), mock_plan(writes)};
    for (uint32_t offset = 256; offset <= 1024; offset *= 2) {
        const rp_binding behind = {"y", d.storages[0], offset, 0, 0};
        rp_exec_params params = {
            .size = sizeof params, .cache_path = "", .bindings = at_start, .binding_count = 2};
        CU_ASSERT_EQUAL(rp_exec_create(d.device, plans[0], &params, d.diags, &execs[0]), RP_OK);
        params.bindings = &behind;
        params.binding_count = 1;
        CU_ASSERT_EQUAL(rp_exec_create(d.device, plans[1], &params, d.diags, &execs[1]), RP_OK);
        const rp_submission submissions[] = {{.exec = execs[0]}, {.exec = execs[1]}};
        CU_ASSERT_EQUAL(rp_device_submit(d.device, submissions, 2, d.diags, NULL), RP_OK);
        uint32_t logged,
            src = offset > 256 ? RP_SCOPE_COMPUTE_R : RP_SCOPE_COMPUTE_R | RP_SCOPE_TRANSFER_R;
        const mock_batch *batch = &mock_log(&logged)[0] + logged - 1;
        CU_ASSERT_EQUAL(batch->command_count, offset < 1024 ? 2 : 1);
        VkMemoryBarrier2 wanted, got;
        CU_ASSERT_TRUE(
            rp_barrier_lower(src, RP_SCOPE_TRANSFER_W, rp_quirks_of(mock.driver), false, &wanted));
        if (batch->command_count == 2)
            CU_ASSERT_TRUE(mock_only_barrier(batch->commands[0], &got) &&
                           same_barrier(&wanted, &got));
        for (uint32_t i = 0; i < 2; i++) rp_exec_destroy(execs[i]);
    }
    for (uint32_t i = 0; i < 2; i++) rp_plan_destroy(plans[i]);
    shared_close(&d);
}

int main(void) {
    static const rp_test tests[] = {{"scopes between execs", test_scopes},
                                    {"recorded once", test_once},
                                    {"what meets", test_what_meets},
                                    {0}};
    return rp_run_tests("links", tests);
}
