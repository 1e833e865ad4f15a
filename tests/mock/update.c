/* Another plan for an exec that is there: random pairs of plans that are updates of each other, and
 * what is kept, refused and left alone. */
#include "exec/exec.h"
#include "shared.h"

#include "opened.h"

/* ---- Random pairs ---------------------------------------------------------------------------- */

/* The same source compiled otherwise: equal buffers for the application, other groups, barriers and
 * arena. */
static const char *const pipelines[] = {NULL, "schedule=source,place=separate,sync=full",
                                        "dce,rename,schedule,place,sync",
                                        "schedule=source,place,sync"};
enum { PIPELINES = sizeof pipelines / sizeof *pipelines };

/* What is read may overlap, so each byte has a value of its own. */
static unsigned char pattern(const rp_range_info *range, uint64_t at) {
    return (unsigned char)((uintptr_t)range->storage / 64 + (range->offset + at) * 11);
}

/* Writes all that the host may, or says whether it is there still. */
static bool visit(const shared_exec *e, bool write) {
    unsigned char bytes[1024];
    for (uint32_t i = 0; i < e->plan->external_count; i++) {
        const rp_plan_buffer *b = &rp_plan_buffers(e->plan)[i];
        const char *name = rp_plan_string(e->plan, b->name);
        if (b->kind != RP_IN && b->kind != RP_WEIGHT) continue;
        for (uint32_t s = 0; s < e->exec->slots_count; s++) {
            rp_range_info range = {.size = sizeof range};
            CU_ASSERT_EQUAL(rp_exec_get_range(e->exec, s, name, NULL, &range), RP_OK);
            CU_ASSERT_EQUAL_FATAL(range.bytes, b->size);
            for (uint64_t k = 0; k < range.bytes; k++) bytes[k] = pattern(&range, k);
            if (write)
                CU_ASSERT_EQUAL(rp_exec_write(e->exec, s, name, 0, bytes, range.bytes, NULL),
                                RP_OK);
            CU_ASSERT_EQUAL(rp_storage_read(range.storage, range.offset, bytes, range.bytes, NULL),
                            RP_OK);
            for (uint64_t k = 0; k < range.bytes; k++)
                if (bytes[k] != pattern(&range, k)) return false;
        }
    }
    return true;
}

static uint32_t live_buffers(const rp_plan *p) {
    uint32_t live = 0;
    for (uint32_t i = 0; i < p->external_count; i++) live += rp_plan_buffers(p)[i].kind == RP_LIVE;
    return live;
}

static void replay_some(shared_exec *e, rp_random *r, uint64_t *numbers) {
    for (uint32_t i = 1 + rp_random_below(r, 3); i > 0; i--) {
        const rp_submit_params params = {
            .size = sizeof params,
            .slot = rp_random_below(r, e->exec->slots_count),
            .pieces = rp_random_below(r, 3),
        };
        uint64_t replay = 0;
        CU_ASSERT_EQUAL(rp_exec_submit(e->exec, &params, NULL, &replay), RP_OK);
        CU_ASSERT_EQUAL(replay, ++*numbers);
        if (!e->exec->begun.replay) continue;
        bool cancel = rp_random_percent(r, 50);
        rp_status status =
            cancel ? rp_exec_cancel(e->exec, NULL) : rp_exec_continue(e->exec, 0, NULL);
        CU_ASSERT_EQUAL(status, RP_OK);
    }
    CU_ASSERT_EQUAL(rp_exec_wait(e->exec, 0, UINT64_MAX, NULL), RP_OK);
}

/* Back and forth, with replays between: bytes, live values and numbers go on, nothing races. */
static void test_random_pairs(void) {
    uint64_t seed = rp_environment("RP_SEED", 1), cases = rp_cases(60, 12), kept = 0, grown = 0;
    for (uint64_t end = seed + cases; seed < end; seed++) {
        rp_random r = {seed};
        shared_device d;
        shared_exec e;
        uint64_t numbers = 0;
        shared_open(&d, false);
        const rp_exec_params params = {.slots = 1 + rp_random_below(&r, 3),
                                       .pieces = 1 + rp_random_below(&r, 3)};
        shared_create(&d, &e, seed, &r, params, false);
        mock.races = true;
        CU_ASSERT_TRUE(visit(&e, true));
        for (uint32_t step = 0; step < 4; step++) {
            replay_some(&e, &r, &numbers);
            uint64_t room = e.exec->slots->arena.bytes;
            rp_plan *next = mock_random_plan(seed, pipelines[rp_random_below(&r, PIPELINES)]);
            const rp_plan_graph *graph = rp_plan_records(next, RP_SECTION_GRAPH);
            bool fits = graph->arena_bytes <= room;
            rp_update_report report = {.size = sizeof report};
            CU_ASSERT_EQUAL(rp_exec_update(e.exec, next, &report, d.diags), RP_OK);
            CU_ASSERT_EQUAL(report.result, RP_UPDATE_DONE);
            uint32_t made = 0; /* blocks of push constants are not the application's */
            for (uint32_t i = 0; i < e.plan->external_count; i++)
                made += rp_plan_buffers(e.plan)[i].follow_count == 0;
            CU_ASSERT_EQUAL(report.buffers, made);
            /* The live block grows with the grids in it. */
            CU_ASSERT_TRUE(report.buffers_kept + live_buffers(next) >= report.buffers);
            CU_ASSERT_EQUAL(report.arena_kept != 0, fits && (graph->arena_bytes > 0 || room == 0));
            kept += report.arena_kept;
            grown += !fits;
            rp_plan_destroy(e.plan); /* the exec keeps it as long as it needs it */
            e.plan = next;
            CU_ASSERT_TRUE(visit(&e, false));
        }
        replay_some(&e, &r, &numbers);
        if (mock.mistake) printf("\n seed %llu", (unsigned long long)seed);
        shared_destroy(&e);
        shared_close(&d);
    }
    CU_ASSERT(kept > cases / 2 && grown > cases / 4);
}

/* What an updated exec records is what one that is made of the plan records, at the same memory. */
static void test_same_as_new(void) {
    uint64_t seed = rp_environment("RP_SEED", 1), cases = rp_cases(40, 8);
    for (uint64_t end = seed + cases; seed < end; seed++) {
        char *texts[2] = {NULL, NULL};
        for (uint32_t updated = 0; updated < 2; updated++) {
            shared_device d;
            shared_open(&d, true);
            rp_plan *plans[] = {mock_random_plan(seed, pipelines[updated ? 1 + seed % 3 : 0]),
                                mock_random_plan(seed, NULL)};
            /* All that the application sees, and an arena large enough for both. */
            uint32_t count = 0;
            uint64_t at = 0;
            rp_binding bindings[SHARED_BUFFERS];
            for (uint32_t i = 0; i < plans[0]->external_count; i++) {
                const rp_plan_buffer *b = &rp_plan_buffers(plans[1])[i];
                bindings[count++] =
                    (rp_binding){rp_plan_string(plans[1], b->name), d.storages[0], at, 0, 0};
                at += (b->size + SHARED_CELL - 1) / SHARED_CELL * SHARED_CELL;
            }
            const rp_exec_params params = {.size = sizeof params,
                                           .cache_path = "",
                                           .pieces = 2,
                                           .bindings = bindings,
                                           .binding_count = count};
            rp_exec *e = NULL;
            CU_ASSERT_EQUAL_FATAL(rp_exec_create(d.device, plans[0], &params, d.diags, &e), RP_OK);
            if (updated) CU_ASSERT_EQUAL(rp_exec_update(e, plans[1], NULL, d.diags), RP_OK);
            const rp_plan_graph *graph = rp_plan_records(plans[1], RP_SECTION_GRAPH);
            const rp_binding arena = {NULL, d.storages[1], 0, 0, 0};
            if (graph->arena_bytes && graph->arena_bytes <= SHARED_BYTES)
                CU_ASSERT_EQUAL(rp_exec_bind(e, &arena, 1, d.diags), RP_OK);
            size_t size = 1;
            for (uint32_t p = 0; p < rp_exec_piece_count(e); p++)
                size += strlen(mock_effects(rp_exec_command_buffer(e, 0, p)));
            texts[updated] = calloc(size, 1);
            for (uint32_t p = 0; p < rp_exec_piece_count(e); p++)
                strcat(texts[updated], mock_effects(rp_exec_command_buffer(e, 0, p)));
            bool small = graph->arena_bytes <= SHARED_BYTES && e->live.grids_count == 0;
            if (!small) *texts[updated] = '\0'; /* other buffers have other numbers */
            rp_exec_destroy(e);
            for (uint32_t i = 0; i < 2; i++) rp_plan_destroy(plans[i]);
            shared_close(&d);
        }
        /* Pipelines are numbered as they are made. */
        for (uint32_t i = 0; i < 2; i++)
            for (char *c = texts[i]; (c = strchr(c, 'p')); c++)
                if (c == texts[i] || c[-1] == '\n')
                    for (char *n = c + 1; *n >= '0' && *n <= '9'; n++) *n = '.';
        char *a = texts[0], *b = texts[1];
        while (*a || *b) { /* with any number of digits */
            while (*a == '.') a++;
            while (*b == '.') b++;
            if (*a != *b) break;
            if (*a) a++, b++;
        }
        CU_ASSERT_TRUE(*a == 0 && *b == 0);
        if (*a || *b)
            printf("\n seed %llu:\n%s---\n%s", (unsigned long long)seed, texts[0], texts[1]);
        for (uint32_t i = 0; i < 2; i++) free(texts[i]);
    }
}

/* ---- No updates ------------------------------------------------------------------------------ */

#define PLAN(buffers, nodes)                                                                       \
    "reprise 1\n"                                                                                  \
    "graph it scheduled placed synced arena 256 {\n" buffers "  buf %a tmp 256 at 0\n"             \
    "  kern @k spirv - local 64 1 1 (r, w)\n"                                                      \
    "  kern @u spirv - local 64 1 1 (u, w)\n"                                                      \
    "  group 0\n" nodes "}\n"
#define X "  buf $x in f32[64]\n"
#define Y "  buf $y out f32[64]\n"
#define N "  buf $n live u32[2] = 03000000 02000000 max 100\n"
#define RUN "    n0 = run @k grid {$n} 1 1 (r $x, w $y)\n"

static const char base[] = PLAN(X Y N, RUN);

static void open_base(uint32_t slots) {
    mock_reset();
    const rp_exec_params params = {.size = sizeof params, .cache_path = "", .slots = slots};
    open_text(base, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
}

/* Updates to a plan given as text; an exec that was not updated is as it was. */
static rp_status update_to(const char *text, rp_update_report *report) {
    rp_plan *next = mock_plan(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(next);
    const void *commands = rp_exec_command_buffer(exec, 0, 0);
    rp_range_info before = {.size = sizeof before}, after = before;
    CU_ASSERT_EQUAL(rp_exec_get_range(exec, 0, NULL, diags, &before), RP_OK);
    int objects = mock.objects;
    long alive = memory.alive;
    *report = (rp_update_report){.size = sizeof *report};
    rp_diags_clear(diags);
    rp_status status = rp_exec_update(exec, next, report, diags);
    if (status != RP_OK) {
        CU_ASSERT_PTR_EQUAL(rp_exec_command_buffer(exec, 0, 0), commands);
        CU_ASSERT_EQUAL(rp_exec_get_range(exec, 0, NULL, diags, &after), RP_OK);
        CU_ASSERT_PTR_EQUAL(before.storage, after.storage);
        CU_ASSERT_EQUAL(memory.alive, alive);
        CU_ASSERT_TRUE(mock.objects >= objects); /* pipelines may stay for the next to ask */
    }
    rp_plan_destroy(next);
    return status;
}

static void test_no_updates(void) {
    static const struct {
        const char *text;
        rp_update_result result;
        const char *said;
    } cases[] = {
        {PLAN(X Y N "  buf $z in f32[64]\n", RUN), RP_UPDATE_BUFFER_ADDED,
         "z is not a buffer of the plan before"},
        {PLAN(X Y, "    n0 = run @k grid 1 1 1 (r $x, w $y)\n"), RP_UPDATE_BUFFER_REMOVED,
         "n is no buffer of the plan any more"},
        {PLAN("  buf $x weight f32[64]\n" Y N, RUN), RP_UPDATE_BUFFER_KIND, "x is of another kind"},
        {PLAN("  buf $x in f32[65]\n" Y N, RUN), RP_UPDATE_BUFFER_SIZE,
         "x has another size or type"},
        {PLAN("  buf $x in u32[64]\n" Y N, RUN), RP_UPDATE_BUFFER_SIZE,
         "x has another size or type"},
        {PLAN(X Y N, "    n0 = run @k grid 70000 1 1 (r $x, w $y)\n"), RP_UPDATE_FAILED,
         "n0 has a grid of 70000 in x"},
    };
    open_base(1);
    rp_update_report report;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_status status = update_to(cases[i].text, &report);
        CU_ASSERT_EQUAL(status, cases[i].result == RP_UPDATE_FAILED ? RP_ERROR_UNSUPPORTED
                                                                    : RP_ERROR_INVALID);
        CU_ASSERT_EQUAL(report.result, cases[i].result);
        CU_ASSERT_TRUE(rp_test_said(diags, cases[i].said));
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    }
    CU_ASSERT_EQUAL(update_to(base, &report), RP_OK);
    CU_ASSERT_STRING_EQUAL(rp_update_result_name(RP_UPDATE_DONE), "is updated");
    CU_ASSERT_STRING_EQUAL(rp_update_result_name((rp_update_result)99), "unknown");
    CU_ASSERT_EQUAL(rp_exec_update(NULL, plan, NULL, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_update(exec, NULL, NULL, diags), RP_ERROR_USAGE);
    report.size = 0;
    CU_ASSERT_EQUAL(rp_exec_update(exec, plan, &report, diags), RP_ERROR_USAGE);
    close_all();
}

static void test_busy(void) {
    open_base(2);
    rp_update_report report;
    mock.stall = true;
    const rp_submit_params second = {.size = sizeof second, .slot = 1};
    CU_ASSERT_EQUAL(rp_exec_submit(exec, &second, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(update_to(base, &report), RP_ERROR_BUSY);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    mock.stall = false;
    CU_ASSERT_EQUAL(update_to(base, &report), RP_OK);
    close_all();
}

/* ---- Live values ----------------------------------------------------------------------------- */

static uint32_t live_word(uint32_t slot, const char *name, uint32_t element) {
    uint32_t index = 0;
    CU_ASSERT_EQUAL_FATAL(rp_exec_find(exec, name, &index), RP_OK);
    return ((const uint32_t *)exec->slots[slot].live.mapped[index])[element];
}

static uint32_t first_grid(uint32_t slot) {
    return *(const uint32_t *)(exec->slots[slot].live.grids + exec->live.grids->offset);
}

/* Values stay where the plan allows them; where it does not in one slot, none of any is touched. */
static void test_live(void) {
    static const char lower[] = PLAN(X Y "  buf $n live u32[2] = 01000000 01000000 max 50\n", RUN);
    static const char square[] =
        PLAN(X Y N, "    n0 = run @k grid {$n * 1000} {$n[1]} 1 (r $x, w $y)\n"
                    "    n1 = run @k grid {$n[1] + 1} 1 1 (r $x, w %a)\n");
    rp_update_report report;
    open_base(3);
    for (uint32_t s = 0; s < 3; s++)
        CU_ASSERT_EQUAL(
            rp_exec_set_live(exec, s, "n", 0, &(uint32_t){s == 2 ? 80 : 40 + s}, 1, diags), RP_OK);
    CU_ASSERT_EQUAL(update_to(lower, &report), RP_ERROR_INVALID);
    CU_ASSERT_EQUAL(report.result, RP_UPDATE_FAILED);
    CU_ASSERT_TRUE(rp_test_said(diags, "n[0] cannot be set to 80: its declared maximum is 50"));
    CU_ASSERT_EQUAL(update_to(square, &report), RP_ERROR_INVALID);
    CU_ASSERT_TRUE(rp_test_said(diags, "the live values make the grid of n0 80000 in x"));
    for (uint32_t s = 0; s < 3; s++) {
        uint32_t n = s == 2 ? 80 : 40 + s;
        CU_ASSERT_EQUAL(live_word(s, "n", 0), n);
        CU_ASSERT_EQUAL(live_word(s, "n", 1), 2);
        CU_ASSERT_EQUAL(first_grid(s), n);
    }
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 2, "n", 0, &(uint32_t){5}, 1, diags), RP_OK);
    CU_ASSERT_EQUAL(update_to(square, &report), RP_OK);
    CU_ASSERT_EQUAL(first_grid(0), 40000);
    CU_ASSERT_EQUAL(first_grid(2), 5000);
    CU_ASSERT_EQUAL(update_to(lower, &report), RP_OK);
    for (uint32_t s = 0; s < 3; s++) {
        CU_ASSERT_EQUAL(live_word(s, "n", 0), s == 2 ? 5 : 40 + s); /* not the defaults */
        CU_ASSERT_EQUAL(live_word(s, "n", 1), 2);
        CU_ASSERT_EQUAL(first_grid(s), s == 2 ? 5 : 40 + s);
    }
    close_all();
}

/* Live buffers in another order lie elsewhere in the block, each with its values. */
static void test_live_order(void) {
    static const char before[] = PLAN("  buf $m live u32[1] = 07000000\n" X Y N, RUN);
    static const char after[] = PLAN(N X Y "  buf $m live u32[1] = 09000000\n", RUN);
    mock_reset();
    open_text(before, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    rp_update_report report;
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", 1, &(uint32_t){11}, 1, diags), RP_OK);
    for (uint32_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(update_to(i ? before : after, &report), RP_OK);
        CU_ASSERT_EQUAL(live_word(0, "m", 0), 7);
        CU_ASSERT_EQUAL(live_word(0, "n", 0), 3);
        CU_ASSERT_EQUAL(live_word(0, "n", 1), 11);
        CU_ASSERT_EQUAL(first_grid(0), 3);
    }
    close_all();
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* A buffer that lies where only a storage buffer may begin does not become a uniform one. */
static void test_alignment(void) {
    static const char uniform[] = PLAN(X Y N, "    n0 = run @u grid {$n} 1 1 (u $x, w $y)\n");
    open_base(1);
    const rp_storage_params wanted = {.size = sizeof wanted, .bytes = 1024};
    rp_storage *mine = NULL;
    rp_update_report report;
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &wanted, diags, &mine), RP_OK);
    rp_binding binding = {"x", mine, 16, 0, 0};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_OK);
    CU_ASSERT_EQUAL(update_to(uniform, &report), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(report.result, RP_UPDATE_FAILED);
    CU_ASSERT_TRUE(rp_test_said(diags, "x cannot be bound at byte 16 of a VkBuffer"));
    binding.offset = 64;
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_OK);
    CU_ASSERT_EQUAL(update_to(uniform, &report), RP_OK);
    binding.offset = 16;
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_ERROR_USAGE);
    rp_storage_release(mine);
    close_all();
}

/* Of a storage that the arena is bound in the exec has the bytes that were bound, and no more. */
static void test_bound_arena(void) {
    static const char small[] =
        "reprise 1\n"
        "graph it scheduled placed synced arena 256 {\n" X Y "  buf %a tmp 256 at 0\n"
        "  group 0\n"
        "    n0 = fill 01010101 (w %a)\n"
        "}\n";
    static const char large[] =
        "reprise 1\n"
        "graph it scheduled placed synced arena 1024 {\n" X Y "  buf %a tmp 1024 at 0\n"
        "  group 0\n"
        "    n0 = fill 02020202 (w %a)\n"
        "}\n";
    const rp_storage_params wanted = {.size = sizeof wanted, .bytes = 4096};
    unsigned char bytes[4096];
    for (uint32_t first = 0; first < 2; first++) { /* small, or large first */
        mock_reset();
        open_text(first ? large : small, &mock_params);
        CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
        rp_storage *mine = NULL;
        CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &wanted, diags, &mine), RP_OK);
        const rp_binding binding = {NULL, mine, 512, 0, 0};
        CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_OK);
        rp_update_report report;
        for (uint32_t i = 0; i < 4; i++) {
            CU_ASSERT_EQUAL(update_to(i % 2 ? small : large, &report), RP_OK);
            CU_ASSERT_EQUAL(report.arena_kept, first || i > 0);
            CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
            CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
            rp_range_info range = {.size = sizeof range};
            CU_ASSERT_EQUAL(rp_exec_get_range(exec, 0, NULL, diags, &range), RP_OK);
            CU_ASSERT_EQUAL(range.storage == mine, first == 1);
            CU_ASSERT_EQUAL(range.bytes, i % 2 ? 256 : 1024);
        }
        CU_ASSERT_EQUAL(rp_storage_read(mine, 0, bytes, sizeof bytes, diags), RP_OK);
        for (uint32_t i = 0; i < sizeof bytes; i++)
            if (i < 512 || i >= (first ? 512 + 1024 : 512)) CU_ASSERT_EQUAL(bytes[i], 0);
        rp_storage_release(mine);
        close_all();
    }
}

/* Slots that shared an arena get their own, and overlap from then on. */
static void test_order(void) {
    static const char large[] =
        "reprise 1\n"
        "graph it scheduled placed synced arena 1024 {\n" X Y N "  buf %a tmp 1024 at 0\n"
        "  barrier transfer:w -> transfer:w\n"
        "  group 0\n"
        "    n0 = fill 02020202 (w %a)\n"
        "}\n";
    open_base(2);
    const rp_storage_params wanted = {.size = sizeof wanted, .bytes = 256};
    rp_storage *mine = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &wanted, diags, &mine), RP_OK);
    const rp_binding binding = {NULL, mine, 0, RP_ALL_SLOTS, 0};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, diags), RP_OK);
    CU_ASSERT_TRUE(exec->ordered);
    mock.races = true;
    rp_update_report report;
    CU_ASSERT_EQUAL(update_to(large, &report), RP_OK);
    CU_ASSERT_FALSE(exec->ordered);
    for (uint32_t i = 0; i < 4; i++) {
        const rp_submit_params params = {.size = sizeof params, .slot = i % 2};
        CU_ASSERT_EQUAL(rp_exec_submit(exec, &params, diags, NULL), RP_OK);
    }
    rp_storage_release(mine);
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"random pairs", test_random_pairs},
                                    {"same as new", test_same_as_new},
                                    {"no updates", test_no_updates},
                                    {"busy", test_busy},
                                    {"live values", test_live},
                                    {"live buffers in another order", test_live_order},
                                    {"alignment", test_alignment},
                                    {"bound arena", test_bound_arena},
                                    {"order", test_order},
                                    {0}};
    return rp_run_tests("update", tests);
}
