/* Recordings cut into pieces: random plans, every number of pieces.
 *
 * What the pieces do one after the other is what the uncut recording does; they are as many and as
 * heavy as was asked for; submitted in parts, continued, left off and begun again, no two accesses
 * race. That the barriers matter is shown by passing over each. */
#include "exec/exec.h"
#include "random_plan.h"

#include "opened.h"

static void open_random(uint64_t seed, const rp_exec_params *params) {
    mock_reset();
    mock_fine_offsets();
    mock_allocator_init(&memory);
    diags = rp_diags_create(NULL);
    plan = mock_random_plan(seed, NULL);
    device = mock_open(&memory.allocator, diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(device);
    exec = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, plan, params, diags, &exec), RP_OK);
}

static rp_exec_params cut(uint32_t pieces) {
    return (rp_exec_params){.size = sizeof(rp_exec_params), .cache_path = "", .pieces = pieces};
}

/* The effects of all pieces of slot 0, to be freed. */
static char *effects(void) {
    size_t size = 0;
    for (uint32_t p = 0; p < rp_exec_piece_count(exec); p++)
        size += strlen(mock_effects(rp_exec_command_buffer(exec, 0, p)));
    char *all = malloc(size + 1);
    if (!all) abort();
    *all = '\0';
    for (uint32_t p = 0; p < rp_exec_piece_count(exec); p++)
        strcat(all, mock_effects(rp_exec_command_buffer(exec, 0, p)));
    return all;
}

static const uint32_t wanted[] = {1, 2, 3, 4, 7, 64};

static void test_same_effects(void) {
    uint64_t seed = rp_environment("RP_SEED", 1), cases = rp_cases(100, 20), cuts = 0;
    for (uint64_t end = seed + cases; seed < end; seed++) {
        char *whole = NULL;
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
            rp_exec_params params = cut(wanted[i]);
            params.slots = 1 + seed % 2; /* two: the first barrier is missing */
            params.state_per_slot = 1;
            open_random(seed, &params);
            char *now = effects();
            if (!whole) whole = now;
            CU_ASSERT_STRING_EQUAL(now, whole);
            if (strcmp(now, whole) != 0)
                printf("\n seed %llu, %u pieces:\n%s--- whole\n%s", (unsigned long long)seed,
                       wanted[i], now, whole);
            cuts += rp_exec_piece_count(exec) - 1;
            if (now != whole) free(now);
            close_all();
        }
        free(whole);
    }
    CU_ASSERT(cuts > cases); /* most plans have groups to cut between */
}

/* ---- Weights --------------------------------------------------------------------------------- */

static uint64_t weight_of(const rp_plan *p, uint32_t group) {
    const rp_plan_group *g = (const rp_plan_group *)rp_plan_records(p, RP_SECTION_GROUPS) + group;
    uint64_t weight = 0;
    for (uint32_t i = 0; i < g->node_count; i++) {
        const rp_plan_node *node = &rp_plan_nodes(p)[g->first_node + i];
        weight += 4096;
        for (uint32_t j = 0; j < node->use_count; j++)
            weight += rp_plan_uses(p)[node->first_use + j].size;
    }
    return weight;
}

static void check_weights(uint64_t seed, uint32_t pieces, uint64_t limit) {
    uint32_t groups = rp_plan_count(plan, RP_SECTION_GROUPS), group = 0;
    uint64_t total = 0, heaviest = 0;
    for (uint32_t g = 0; g < groups; g++) {
        uint64_t weight = weight_of(plan, g);
        total += weight;
        if (weight > heaviest) heaviest = weight;
    }
    bool fine = limit || exec->pieces <= pieces;
    for (uint32_t p = 0; p < exec->pieces; p++) {
        uint64_t weight = 0;
        fine &= exec->cuts[p] == group && (exec->cuts[p + 1] > group || groups == 0);
        for (; group < exec->cuts[p + 1]; group++) weight += weight_of(plan, group);
        if (limit)
            fine &= exec->cuts[p + 1] - exec->cuts[p] <= 1 || weight <= limit;
        else
            fine &= weight <= total / pieces + heaviest + 1;
    }
    fine &= group == groups;
    CU_ASSERT_TRUE(fine);
    if (!fine)
        printf("\n seed %llu: %u pieces wanted, limit %llu: %u made\n", (unsigned long long)seed,
               pieces, (unsigned long long)limit, exec->pieces);
}

static void test_weights(void) {
    uint64_t seed = rp_environment("RP_SEED", 1), cases = rp_cases(100, 20);
    for (uint64_t end = seed + cases; seed < end; seed++) {
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
            const rp_exec_params params = cut(wanted[i]);
            open_random(seed, &params);
            check_weights(seed, wanted[i], 0);
            close_all();
        }
        for (uint64_t limit = 1; limit < 100000; limit *= 8) {
            rp_exec_params params = cut((uint32_t)(seed % 4));
            params.piece_bytes = limit;
            open_random(seed, &params);
            check_weights(seed, 1, limit);
            close_all();
        }
    }
}

/* A light start and a heavy middle: cuts go where shares end, so there are never more than shares. */
static void test_at_most(void) {
    char text[2048] = "reprise 1\n"
                      "graph uneven scheduled placed synced arena 0 {\n"
                      "  buf $y out 65536\n";
    static const uint32_t sizes[] = {28, 48, 4};
    for (uint32_t g = 0; g < 3; g++)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "  group %u\n    n%u = fill 00000000 (w $y[0+%u])\n"
                 "  barrier transfer:w -> transfer:w\n",
                 g, g, sizes[g] * 1024);
    strcat(text, "}\n");
    mock_reset();
    static const uint32_t asked[][2] = {{2, 2}, {1000000000, 3}, {UINT32_MAX, 3}}; /* and got */
    for (uint32_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        const rp_exec_params params = cut(asked[i][0]);
        open_text(text, &params);
        CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
        CU_ASSERT_EQUAL(rp_exec_piece_count(exec), asked[i][1]);
        close_all();
    }
}

/* ---- Submitted in parts ---------------------------------------------------------------------- */

static rp_status submit_first(uint32_t pieces, uint64_t *replay) {
    const rp_submit_params params = {.size = sizeof params, .pieces = pieces};
    return rp_exec_submit(exec, &params, diags, replay);
}

/* Whole, in parts, and left off, in any order, with other replays between; each piece a batch. */
static void test_no_races(void) {
    uint64_t seed = rp_environment("RP_SEED", 1), cases = rp_cases(60, 12), cancelled = 0;
    for (uint64_t end = seed + cases; seed < end; seed++) {
        rp_random r = {seed};
        const rp_exec_params params = cut(2 + rp_random_below(&r, 5));
        open_random(seed, &params);
        mock.races = true;
        uint32_t count = rp_exec_piece_count(exec);
        for (uint32_t replay = 1; replay <= 5; replay++) {
            uint64_t number = 0;
            uint32_t first = 1 + rp_random_below(&r, count), before = mock.batches;
            CU_ASSERT_EQUAL(submit_first(first, &number), RP_OK);
            CU_ASSERT_EQUAL(number, replay);
            CU_ASSERT_EQUAL(mock.batches, before + first);
            bool cancel = first < count && rp_random_percent(&r, 40);
            if (cancel) {
                CU_ASSERT_EQUAL(submit_first(1, &number), RP_ERROR_BUSY);
                CU_ASSERT_EQUAL(rp_exec_cancel(exec, diags), RP_OK);
                CU_ASSERT_EQUAL(mock.batches, before + first + 1);
                cancelled++;
            }
            while (!cancel && first < count) {
                uint32_t some = rp_random_below(&r, count - first + 1); /* 0: all */
                CU_ASSERT_EQUAL(rp_exec_continue(exec, some, diags), RP_OK);
                first = some ? first + some : count;
            }
            CU_ASSERT_EQUAL(rp_exec_wait(exec, replay, UINT64_MAX, diags),
                            cancel ? RP_ERROR_CANCELLED : RP_OK);
        }
        if (mock.mistake) printf("\n seed %llu", (unsigned long long)seed);
        close_all();
    }
    CU_ASSERT(cancelled > cases / 4);
}

/* Without any one of the barriers of two replays there is a race, or it was no barrier of a hazard: a
 * fence's, and that toward the host. */
static void test_barriers_matter(void) {
    uint64_t seed = rp_environment("RP_SEED", 1), cases = rp_cases(30, 6), raced = 0, all = 0;
    for (uint64_t end = seed + cases; seed < end; seed++) {
        const rp_exec_params params = cut(3);
        uint32_t barriers = 1;
        for (uint32_t skip = 0; skip <= barriers; skip++) {
            open_random(seed, &params);
            mock.races = true;
            mock_barriers = 0;
            mock_skip_barrier = skip;
            for (uint32_t i = 0; i < 2; i++)
                CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
            if (skip == 0) {
                barriers = mock_barriers;
                CU_ASSERT_PTR_NULL(mock.mistake);
            } else {
                raced += mock.mistake != NULL;
                all++;
            }
            mock.mistake = NULL;
            close_all();
        }
    }
    CU_ASSERT(raced * 10 > all * 8); /* the first of the first replay orders nothing */
}

/* ---- By hand --------------------------------------------------------------------------------- */

/* The plan's first barrier counts on the second: a replay that was left off before that one is no
 * longer ordered with the next by the plan. */
static const char counting[] = "reprise 1\n"
                               "graph counting scheduled placed synced arena 0 {\n"
                               "  buf $x in 256\n"
                               "  buf $y out 256\n"
                               "  buf $z out 256\n"
                               "  kern @k spirv - local 64 1 1 (r, w)\n"
                               "  group 0\n"
                               "    n0 = fill 00000000 (w $y)\n"
                               "  barrier transfer:w,compute:r -> compute:rw,transfer:w\n"
                               "  group 1\n"
                               "    n1 = run @k grid 1 1 1 (r $x, w $z)\n"
                               "  barrier compute:rw,transfer:w -> host:r,transfer:w,compute:w\n"
                               "}\n";

static void test_left_off(void) {
    mock_reset();
    mock_unified();
    const rp_exec_params params = cut(2);
    open_text(counting, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    CU_ASSERT_EQUAL_FATAL(rp_exec_piece_count(exec), 2);
    mock.races = true;
    void *y = NULL;
    CU_ASSERT_EQUAL(rp_exec_map(exec, 0, "y", diags, &y, NULL), RP_OK);
    uint64_t replay = 0;
    CU_ASSERT_EQUAL(submit_first(1, &replay), RP_OK);
    CU_ASSERT_FALSE(mock_host_may_read(y, 256));
    CU_ASSERT_EQUAL(rp_exec_wait_pieces(exec, replay, 1, 0, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK); /* not for what is begun */
    CU_ASSERT_EQUAL(rp_exec_wait(exec, replay, 0, diags), RP_ERROR_TIMEOUT);
    CU_ASSERT_EQUAL(rp_exec_cancel(exec, diags), RP_OK);
    CU_ASSERT_TRUE(mock_host_may_read(y, 256));
    CU_ASSERT_EQUAL(rp_exec_wait(exec, replay, UINT64_MAX, diags), RP_ERROR_CANCELLED);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait_pieces(exec, replay, 1, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait_pieces(exec, replay, 2, UINT64_MAX, diags), RP_ERROR_CANCELLED);
    CU_ASSERT_EQUAL(rp_exec_cancel(exec, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "no replay is begun"));
    CU_ASSERT_EQUAL(rp_exec_continue(exec, 0, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, replay, UINT64_MAX, diags), RP_OK); /* no longer the last */
    close_all();
}

/* Waiting for pieces of what was submitted whole, in part, by the application, and before an update. */
static void test_wait_pieces(void) {
    mock_reset();
    const rp_exec_params params = cut(2);
    open_text(counting, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    mock.stall = true;
    uint64_t replay = 0;
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, &replay), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait_pieces(exec, 1, 1, 0, diags), RP_ERROR_TIMEOUT);
    CU_ASSERT_EQUAL(rp_exec_wait_pieces(exec, 2, 1, 0, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_wait_pieces(exec, 0, 1, 0, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_wait_pieces(exec, 1, 1, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 1, 0, diags), RP_ERROR_TIMEOUT); /* the second goes on */
    CU_ASSERT_EQUAL(rp_exec_wait_pieces(exec, 1, 5, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 1, 0, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_reserve(exec, 0, diags, &replay), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait_pieces(exec, replay, 1, 0, diags), RP_ERROR_TIMEOUT);
    mock_signal(rp_exec_timeline(exec), replay);
    CU_ASSERT_EQUAL(rp_exec_wait_pieces(exec, replay, 1, 0, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_update(exec, plan, NULL, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait_pieces(exec, 1, 1, 0, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, &replay), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait_pieces(exec, replay, 1, 0, diags), RP_ERROR_TIMEOUT);
    CU_ASSERT_EQUAL(rp_exec_wait_pieces(exec, replay, 1, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, replay, UINT64_MAX, diags), RP_OK);
    close_all();
}

/* Destroying leaves off what was begun; when even that fails, it waits for the pieces under way. */
static void test_destroy_begun(void) {
    for (uint32_t fails = 0; fails < 2; fails++) {
        mock_reset();
        const rp_exec_params params = cut(2);
        open_text(counting, &params);
        CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
        mock.stall = true;
        CU_ASSERT_EQUAL(submit_first(1, NULL), RP_OK);
        if (fails) mock.fail_call = "vkQueueSubmit2";
        rp_exec_destroy(exec);
        exec = NULL;
        close_all();
    }
}

int main(void) {
    static const rp_test tests[] = {{"same effects", test_same_effects},
                                    {"weights", test_weights},
                                    {"at most so many", test_at_most},
                                    {"no races", test_no_races},
                                    {"barriers matter", test_barriers_matter},
                                    {"left off", test_left_off},
                                    {"waiting for pieces", test_wait_pieces},
                                    {"destroyed when begun", test_destroy_begun},
                                    {0}};
    return rp_run_tests("pieces", tests);
}
