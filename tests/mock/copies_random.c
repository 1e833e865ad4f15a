/* Copies of submissions under the fake driver's eye for races: random plans, bound at random, with
 * random copies before and behind their replays, in any number of slots, one exec at a time and
 * several in one call, waited for or not, with transfers of the host in between. Nothing may race; and
 * a barrier that is left out must be missed. */
#include "shared.h"

enum { EXECS = 2, STEPS = 12, COPIES = 3, MAX_BYTES = 4096 };

typedef struct world {
    rp_random random;
    shared_device device;
    shared_exec execs[EXECS];
    uint32_t slots[EXECS];
    uint32_t copied; /* uploads and downloads so far */
} world;

static unsigned char host[2][MAX_BYTES]; /* what goes up, and what comes down */

static const char *name_of(const rp_plan *plan, uint32_t i) {
    return rp_plan_string(plan, rp_plan_buffers(plan)[i].name);
}

static bool overlaps_upload(const world *w, uint32_t e, const rp_upload *uploads, uint32_t count,
                            uint32_t place, uint64_t offset, uint64_t size) {
    const shared_place *a = &w->execs[e].places[place];
    for (uint32_t i = 0; i < count; i++) {
        const shared_place *b = &w->execs[e].places[uploads[i].index];
        shared_place x = *a, y = *b;
        x.offset += offset;
        x.bytes = size;
        y.offset += uploads[i].offset;
        y.bytes = uploads[i].size;
        if (shared_overlap(&x, &y)) return true;
        if (uploads[i].index == place && offset < uploads[i].offset + uploads[i].size &&
            uploads[i].offset < offset + size)
            return true;
    }
    return false;
}

/* Some ranges of some buffers that can be copied that way. */
static void choose(world *w, uint32_t e, rp_upload *uploads, uint32_t *upload_count,
                   rp_download *downloads, uint32_t *download_count) {
    rp_random *r = &w->random;
    const rp_plan *plan = w->execs[e].plan;
    *upload_count = *download_count = 0;
    for (uint32_t tries = rp_random_below(r, 3 * COPIES); tries > 0; tries--) {
        uint32_t i = rp_random_below(r, plan->external_count);
        const rp_plan_buffer *buffer = &rp_plan_buffers(plan)[i];
        uint64_t most = buffer->size < MAX_BYTES ? buffer->size : MAX_BYTES;
        uint64_t offset = rp_random_below(r, (uint32_t)most);
        uint64_t size = 1 + rp_random_below(r, (uint32_t)(most - offset));
        bool up = buffer->kind == RP_IN || buffer->kind == RP_WEIGHT || buffer->kind == RP_INOUT;
        bool down = buffer->kind == RP_OUT || buffer->kind == RP_INOUT;
        if (up && *upload_count < COPIES && (!down || rp_random_percent(r, 50)) &&
            !overlaps_upload(w, e, uploads, *upload_count, i, offset, size))
            uploads[(*upload_count)++] = (rp_upload){.buffer = name_of(plan, i),
                                                     .index = i,
                                                     .offset = offset,
                                                     .size = size,
                                                     .data = host[0]};
        else if (down && *download_count < COPIES)
            downloads[(*download_count)++] =
                (rp_download){.index = i, .offset = offset, .size = size, .data = host[1]};
    }
    w->copied += *upload_count + *download_count;
}

typedef struct chosen {
    rp_upload uploads[COPIES];
    rp_download downloads[COPIES];
    rp_semaphore waits[EXECS];
    rp_submit_params params;
} chosen;

static rp_submission submission_of(world *w, chosen *c) {
    uint32_t e = rp_random_below(&w->random, EXECS);
    c->params = (rp_submit_params){.size = sizeof c->params,
                                   .slot = rp_random_below(&w->random, w->slots[e]),
                                   .uploads = c->uploads,
                                   .downloads = c->downloads};
    /* Across calls the application orders execs that share memory. */
    for (uint32_t i = 0; i < EXECS; i++) {
        rp_exec *other = w->execs[i].exec;
        if (i == e || !mock_counters(other).replays) continue;
        c->params.waits = c->waits;
        c->waits[c->params.wait_count++] = (rp_semaphore){.handle = rp_exec_timeline(other),
                                                          .value = mock_counters(other).replays};
    }
    choose(w, e, c->uploads, &c->params.upload_count, c->downloads, &c->params.download_count);
    return (rp_submission){w->execs[e].exec, &c->params, rp_random_percent(&w->random, 50)};
}

static void wait_all(world *w) {
    for (uint32_t e = 0; e < EXECS; e++)
        CU_ASSERT_EQUAL(rp_exec_wait(w->execs[e].exec, 0, UINT64_MAX, w->device.diags), RP_OK);
}

/* Barriers that the execs have counted. */
static uint64_t counted(const world *w) {
    uint64_t sum = 0;
    for (uint32_t e = 0; e < EXECS; e++) {
        const rp_counters c = mock_counters(w->execs[e].exec);
        CU_ASSERT_EQUAL(c.barriers,
                        c.barriers_raw + c.barriers_war + c.barriers_waw + c.barriers_forced);
        sum += c.barriers;
    }
    return sum;
}

static void step(world *w) {
    uint64_t counted_before = counted(w), barriers_before = mock_barriers;
    chosen all[EXECS + 1];
    rp_submission submissions[EXECS + 1];
    uint32_t count = 1 + rp_random_below(&w->random, EXECS + 1);
    if (rp_random_percent(&w->random, 30)) { /* one exec, again and again */
        submissions[0] = submission_of(w, &all[0]);
        for (uint32_t i = 0; i < count; i++)
            CU_ASSERT_EQUAL(
                rp_exec_submit(submissions[0].exec, &all[0].params, w->device.diags, NULL), RP_OK);
        if (rp_random_percent(&w->random, 50))
            CU_ASSERT_EQUAL(rp_exec_wait(submissions[0].exec, 1, UINT64_MAX, NULL), RP_OK);
    } else {
        for (uint32_t i = 0; i < count; i++) submissions[i] = submission_of(w, &all[i]);
        CU_ASSERT_EQUAL(
            rp_device_submit(w->device.device, submissions, count, w->device.diags, NULL), RP_OK);
    }
    wait_all(w);
    CU_ASSERT_EQUAL(counted(w) - counted_before, mock_barriers - barriers_before);
    if (!rp_random_percent(&w->random, 40)) return;
    chosen c;
    rp_submission between = submission_of(w, &c);
    CU_ASSERT_EQUAL(rp_exec_transfer(between.exec, c.params.slot, c.uploads, c.params.upload_count,
                                     c.downloads, c.params.download_count, w->device.diags),
                    RP_OK);
}

/* Lives through one seed; whether there was a race. `skip`: the barrier to leave out, counted from
 * where races are looked for; 0: none. Says how many there were. */
static bool run(uint64_t seed, uint32_t skip, uint32_t *out_barriers, uint32_t *out_copied) {
    world w = {.random = {seed}};
    mock_reset();
    if (rp_random_percent(&w.random, 40)) mock_unified();
    shared_open_on(&w.device, rp_random_percent(&w.random, 50));
    for (uint32_t e = 0; e < EXECS; e++) {
        w.slots[e] = 1 + rp_random_below(&w.random, 3);
        const rp_exec_params params = {.slots = w.slots[e],
                                       .state_per_slot = rp_random_percent(&w.random, 50),
                                       .pieces = 1 + rp_random_below(&w.random, 2)};
        shared_create(&w.device, &w.execs[e], seed * EXECS + e, &w.random, params, false);
    }
    mock.stall = rp_random_percent(&w.random, 50);
    mock.races = true;
    uint32_t before = mock_barriers;
    mock_skip_barrier = skip ? before + skip : 0;
    for (uint32_t i = 0; i < STEPS; i++) step(&w);
    *out_barriers = mock_barriers - before;
    *out_copied += w.copied;
    bool found = mock.mistake != NULL;
    if (found && !skip) printf("\n  seed %llu: %s", (unsigned long long)seed, mock.mistake);
    if (skip) mock.mistake = NULL;
    mock.races = false;
    for (uint32_t e = 0; e < EXECS; e++) shared_destroy(&w.execs[e]);
    shared_close(&w.device);
    return found;
}

static void test_no_races(void) {
    uint64_t seed = rp_environment("RP_SEED", 1), cases = rp_cases(150, 20);
    uint32_t barriers, copied = 0;
    for (uint64_t end = seed + cases; seed < end; seed++)
        CU_ASSERT_FALSE(run(seed, 0, &barriers, &copied));
    CU_ASSERT_TRUE(copied > cases * STEPS);
}

/* Many barriers stand for several reasons, or for a race that the case at hand does not have. */
static void test_missed(void) {
    uint32_t barriers = 0, missed = 0, all = 0, copied = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        (void)run(seed, 0, &barriers, &copied);
        for (uint32_t skip = 1; skip <= barriers; skip++, all++) {
            uint32_t unused;
            missed += run(seed, skip, &unused, &copied);
        }
    }
    printf("(%u of %u barriers missed) ", missed, all);
    CU_ASSERT_TRUE(missed * 3 > all);
}

int main(void) {
    static const rp_test tests[] = {
        {"no races", test_no_races}, {"barriers are missed", test_missed}, {0}};
    return rp_run_tests("random copies of submissions", tests);
}
