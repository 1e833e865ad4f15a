/* Plans of several forms, each compiled by other passes from one random graph: replays of whatever forms, one
 * behind the other, in one slot and in several, whole, in parts and broken off. No two accesses race. */
#include "exec/exec.h"
#include "random_plan.h"
#include "reprise/plan_build.h"

#include "opened.h"

enum { FORMS = 3 };
static const uint32_t most[FORMS] = {1, 8, 16};

static void open_forms(uint64_t seed, const rp_exec_params *params) {
    mock_reset();
    mock_fine_offsets();
    mock_allocator_init(&memory);
    diags = rp_diags_create(NULL);
    rp_plan *forms[FORMS];
    for (uint32_t i = 0; i < FORMS; i++)
        forms[i] = mock_random_form(seed, rp_pass_level((int)((seed + i) % 3)), most[i]);
    plan = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_plan_join(NULL, (const rp_plan *const *)forms, FORMS, diags, &plan),
                          RP_OK);
    for (uint32_t i = 0; i < FORMS; i++) rp_plan_destroy(forms[i]);
    device = mock_open(&memory.allocator, diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(device);
    exec = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, plan, params, diags, &exec), RP_OK);
}

/* Every sequence of three forms is in it, as 0 0 0 1 0 0 2 ... of a de Bruijn sequence. */
static const uint8_t sequence[] = {0, 0, 0, 1, 0, 0, 2, 0, 1, 1, 0, 1, 2, 0, 2,
                                   1, 0, 2, 2, 1, 1, 1, 2, 1, 2, 2, 2, 0, 0};
enum { LENGTH = sizeof sequence };

static void take_form(uint32_t slot, uint32_t form) {
    uint32_t value = form == 1 ? slot % 2 * most[1] : most[form]; /* the second is for 0, too */
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, slot, "form.size", 0, &value, 1, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_get_form(exec, slot), form);
}

/* Submits in parts, and leaves some off now and then. */
static void submit(rp_random *r, uint32_t slot) {
    rp_submit_params params = {.size = sizeof params, .slot = slot};
    uint32_t pieces = rp_exec_piece_count(exec);
    params.pieces = 1 + rp_random_below(r, pieces);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &params, diags, NULL), RP_OK);
    if (params.pieces == pieces) return;
    bool leave = rp_random_percent(r, 30);
    rp_status status = leave ? rp_exec_cancel(exec, diags) : rp_exec_continue(exec, 0, diags);
    CU_ASSERT_EQUAL(status, RP_OK);
}

static void run(rp_random *r) {
    uint32_t slots = exec->slots_count;
    for (uint32_t i = 0; i < LENGTH; i++) {
        uint32_t slot = i % slots;
        take_form(slot, sequence[i]);
        submit(r, slot);
    }
}

static rp_exec_params params_of(uint64_t seed) {
    return (rp_exec_params){.size = sizeof(rp_exec_params),
                            .cache_path = "",
                            .slots = 1 + (uint32_t)(seed % 3),
                            .state_per_slot = seed % 2 == 0,
                            .separate_buffers = seed % 7 == 0,
                            .pieces = (uint32_t)(seed % 5)};
}

static void test_no_races(void) {
    uint64_t seed = rp_environment("RP_SEED", 1), cases = rp_cases(60, 12), turns = 0;
    for (uint64_t end = seed + cases; seed < end; seed++) {
        rp_random r = {seed};
        const rp_exec_params params = params_of(seed);
        open_forms(seed, &params);
        mock.races = true;
        uint32_t begins = mock.begins;
        run(&r);
        CU_ASSERT_EQUAL(mock.begins, begins); /* nothing is recorded any more */
        turns += mock_counters(exec).barriers_forced;
        if (mock.mistake) printf("\n seed %llu", (unsigned long long)seed);
        close_all();
    }
    CU_ASSERT(turns > cases);
}

int main(void) {
    static const rp_test tests[] = {{"no races", test_no_races}, {NULL, NULL}};
    return rp_run_tests("random forms", tests);
}
