/* The tracker of accesses against a table with every access to every byte; and the barriers that
 * are placed by what it reports. */
#include "support/failing_alloc.h"
#include "support/random_graph.h"
#include "support/unit.h"

#include "hazard/cover.h"
#include "hazard/touch.h"

enum { SPACES = 2, BYTES = 96, STEPS = 60, ROUNDS = 400, MOST_REPORTS = 4096 };

static const uint32_t reads[RP_READ_KINDS] = {RP_SCOPE_COMPUTE_R, RP_SCOPE_COMPUTE_U,
                                              RP_SCOPE_TRANSFER_R, RP_SCOPE_INDIRECT_R,
                                              RP_SCOPE_COMPUTE_S};
static const uint32_t writes[RP_WRITE_KINDS] = {RP_SCOPE_COMPUTE_W, RP_SCOPE_TRANSFER_W};

/* Of each byte: its last write, and the latest read of each kind since; step 0: none. */
typedef struct byte {
    uint32_t write, write_scope, read[RP_SCOPE_BITS];
} byte;

/* A conflict, as reported. */
typedef struct report {
    rp_hazard_kind kind;
    uint32_t from, src, dst;
    uint64_t lo, hi;
} report;

typedef struct model {
    byte bytes[SPACES][BYTES];
    rp_tracker_hint hints[SPACES][BYTES]; /* of two bytes from here on; they outlive the accesses */
    report reports[MOST_REPORTS];
    uint32_t count;
} model;

static void note(void *context, const rp_touch *touch, rp_hazard_kind kind,
                 const rp_touched *earlier, uint32_t dst, uint64_t lo, uint64_t hi) {
    model *m = context;
    CU_ASSERT_FATAL(m->count < MOST_REPORTS);
    CU_ASSERT(lo < hi && earlier->tag == touch->tag);
    m->reports[m->count++] = (report){kind, earlier->step, earlier->scope, dst, lo, hi};
}

/* Whether a report says that an access of this kind, so late or later, is to be waited for. */
static bool reported(const model *m, rp_hazard_kind kind, uint32_t src, uint32_t from) {
    for (uint32_t i = 0; i < m->count; i++)
        if (m->reports[i].kind == kind && m->reports[i].src == src && m->reports[i].from >= from)
            return true;
    return false;
}

/* Everything that conflicts is reported. */
static bool complete(const model *m, const rp_touch *t, uint32_t step) {
    bool ok = true;
    for (uint64_t at = t->lo; at < t->hi; at++) {
        const byte *b = &m->bytes[t->space][at];
        bool written = b->write && b->write != step;
        if (t->read && written) ok &= reported(m, RP_RAW_HAZARD, b->write_scope, b->write);
        if (!t->write) continue;
        if (written) ok &= reported(m, RP_WAW_HAZARD, b->write_scope, b->write);
        for (uint32_t k = 0; k < RP_SCOPE_BITS; k++)
            if (b->read[k] && b->read[k] != step)
                ok &= reported(m, RP_WAR_HAZARD, 1u << k, b->read[k]);
    }
    return ok;
}

/* Nothing else is: each report names an access that its bytes still know, or that one of the same
 * kind in a fold with them stands for. */
static bool true_report(const model *m, const rp_touch *t, const report *c) {
    const byte *bytes = m->bytes[t->space];
    for (uint64_t at = c->lo; at < c->hi; at++) {
        const byte *b = &bytes[at];
        bool war = c->kind == RP_WAR_HAZARD;
        if (war ? b->read[rp_scope_index(c->src)] >= c->from : b->write == c->from) return true;
    }
    return false;
}

static bool sound(const model *m, const rp_touch *t, uint32_t step) {
    bool ok = true;
    for (uint32_t i = 0; i < m->count; i++) {
        const report *c = &m->reports[i];
        ok &= c->from < step && c->dst == (c->kind == RP_RAW_HAZARD ? t->read : t->write);
        ok &= true_report(m, t, c);
    }
    return ok;
}

static void apply(model *m, const rp_touch *t, uint32_t step) {
    for (uint64_t at = t->lo; at < t->hi; at++) {
        byte *b = &m->bytes[t->space][at];
        if (t->write)
            *b = (byte){.write = step, .write_scope = t->write};
        else
            b->read[rp_scope_index(t->read)] = step;
    }
}

/* Narrow pieces, wide ranges of many pieces (which are folded), and the same again. */
static rp_touch random_touch(rp_random *r, bool writing) {
    rp_touch t = {.space = rp_random_below(r, SPACES), .tag = 7};
    uint32_t width = rp_random_percent(r, 60) ? 2 : 1 + rp_random_below(r, BYTES);
    t.lo = rp_random_below(r, BYTES - width + 1) / 2 * 2;
    t.hi = t.lo + width;
    if (writing) t.write = writes[rp_random_below(r, RP_WRITE_KINDS)];
    if (!writing || rp_random_percent(r, 30)) t.read = reads[rp_random_below(r, RP_READ_KINDS)];
    return t;
}

/* With a hint, or by the bytes alone. */
static bool touch(rp_tracker *tracker, model *m, const rp_touch *t, bool hinted) {
    return hinted && t->hi - t->lo == 2
               ? rp_tracker_touch_hinted(tracker, note, t, &m->hints[t->space][t->lo])
               : rp_tracker_touch(tracker, t);
}

static bool random_steps(rp_tracker *tracker, model *m, uint64_t seed) {
    rp_random r = {seed};
    memset(m->bytes, 0, sizeof m->bytes);
    uint32_t percent = rp_random_below(&r, 100);
    bool ok = true;
    for (uint32_t step = 1; step <= STEPS && ok; step++) {
        uint32_t read_count = rp_random_below(&r, 4);
        uint32_t write_count = rp_random_percent(&r, percent) ? 1 + rp_random_below(&r, 2) : 0;
        rp_tracker_step(tracker, step);
        for (uint32_t i = 0; i < read_count + write_count && ok; i++) {
            rp_touch t = random_touch(&r, i >= read_count);
            m->count = 0;
            ok = touch(tracker, m, &t, rp_random_percent(&r, 50)) && complete(m, &t, step) &&
                 sound(m, &t, step);
            apply(m, &t, step);
        }
    }
    return ok;
}

static void test_against_table(void) {
    static model m;
    uint32_t kept = 0; /* rounds whose pieces the next one found */
    rp_allocator a = rp_allocator_or_default(NULL);
    for (uint32_t named = 0; named <= 8; named += 8) {
        rp_tracker tracker;
        memset(m.hints, 0, sizeof m.hints);
        rp_tracker_init(&tracker, &a, named, note, &m);
        CU_ASSERT_FATAL(rp_tracker_spaces(&tracker, SPACES));
        for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
            bool ok = random_steps(&tracker, &m, seed);
            if (!ok) printf("\n  seed %llu", (unsigned long long)seed);
            CU_ASSERT(ok);
            rp_tracker_clear(&tracker);
            kept += rp_interval_map_count(&tracker.spaces[0].map) > 0;
        }
        rp_tracker_free(&tracker);
    }
    CU_ASSERT(kept > ROUNDS / 10);
    CU_ASSERT(kept < 2 * ROUNDS);
}

/* A piece that is half folded is two pieces: what is done to the other half is not done to the fold. */
static void test_half_folded(void) {
    enum { HALF = 2 * RP_FOLD_WIDTH + 2 };
    static model m;
    rp_allocator a = rp_allocator_or_default(NULL);
    rp_tracker tracker;
    rp_touch t = {.tag = 7, .write = RP_SCOPE_COMPUTE_W};
    rp_tracker_init(&tracker, &a, 0, note, &m);
    CU_ASSERT_FATAL(rp_tracker_spaces(&tracker, 1));
    for (uint32_t i = 0; i <= RP_FOLD_WIDTH; i++) {
        rp_tracker_step(&tracker, i + 1);
        t.lo = 2 * i;
        t.hi = i < RP_FOLD_WIDTH ? t.lo + 2 : HALF + 2;
        CU_ASSERT(rp_tracker_touch(&tracker, &t));
    }
    t.write = RP_SCOPE_NONE; /* t: the last piece */
    t.read = RP_SCOPE_TRANSFER_R;
    rp_tracker_step(&tracker, 50);
    CU_ASSERT(rp_tracker_touch(&tracker, &t));
    rp_tracker_step(&tracker, 51);
    CU_ASSERT(rp_tracker_touch(
        &tracker, &(rp_touch){.tag = 7, .lo = 0, .hi = HALF, .read = RP_SCOPE_COMPUTE_R}));
    rp_tracker_step(&tracker, 52);
    t = (rp_touch){.tag = 7, .lo = HALF, .hi = HALF + 2, .write = RP_SCOPE_COMPUTE_W};
    CU_ASSERT(rp_tracker_touch(&tracker, &t));
    rp_tracker_step(&tracker, 53);
    t = (rp_touch){.tag = 7, .lo = HALF - 2, .hi = HALF, .write = RP_SCOPE_COMPUTE_W};
    m.count = 0;
    CU_ASSERT(rp_tracker_touch(&tracker, &t));
    CU_ASSERT(reported(&m, RP_WAR_HAZARD, RP_SCOPE_TRANSFER_R, 50));
    CU_ASSERT(reported(&m, RP_WAR_HAZARD, RP_SCOPE_COMPUTE_R, 51));
    CU_ASSERT_FALSE(reported(&m, RP_WAW_HAZARD, RP_SCOPE_COMPUTE_W, 52));
    rp_tracker_free(&tracker);
}

/* Cleared and filled again, a tracker allocates nothing. */
static void test_steady(void) {
    static model m;
    failing_alloc memory = {0};
    rp_allocator a = failing_allocator(&memory);
    rp_tracker tracker;
    rp_tracker_init(&tracker, &a, 0, note, &m);
    CU_ASSERT_FATAL(rp_tracker_spaces(&tracker, SPACES));
    for (int round = 0; round < 3; round++) { /* pieces that are kept are met in other ways */
        CU_ASSERT(random_steps(&tracker, &m, 3));
        rp_tracker_clear(&tracker);
    }
    for (int round = 0; round < 5; round++) {
        rp_tracker_clear(&tracker);
        uint64_t before = memory.requests;
        CU_ASSERT(random_steps(&tracker, &m, 3));
        CU_ASSERT_EQUAL(memory.requests, before);
    }
    rp_tracker_free(&tracker);
    CU_ASSERT_EQUAL(memory.live, 0);
}

/* Each allocation fails in turn. */
static void test_no_memory(void) {
    static model m;
    uint64_t requests = 0;
    for (uint64_t n = 0; n <= requests; n++) {
        failing_alloc memory = {.fail_at = n};
        rp_allocator a = failing_allocator(&memory);
        rp_tracker tracker;
        memset(m.hints, 0, sizeof m.hints); /* those of another tracker */
        rp_tracker_init(&tracker, &a, 8, note, &m);
        bool ok = rp_tracker_spaces(&tracker, SPACES) && random_steps(&tracker, &m, 5);
        CU_ASSERT_EQUAL(ok, n == 0);
        if (n == 0) requests = memory.requests;
        rp_tracker_free(&tracker);
        CU_ASSERT_EQUAL(memory.live, 0);
    }
    CU_ASSERT(requests > 10);
}

/* What a source scope covers: writes that it names, and the reads of every stage it names. */
static void test_scopes(void) {
    for (uint32_t src = 0; src <= RP_SCOPE_ALL; src++)
        for (uint32_t i = 0; i < RP_SCOPE_BITS; i++) {
            uint32_t bit = 1u << i, write = bit & rp_scope_writes();
            bool covers = write ? (src & bit) != 0 : (src & rp_scope_stage(bit)) != 0;
            CU_ASSERT_EQUAL((rp_scope_covered_by_src(src) & bit) != 0, covers);
        }
    rp_barrier b = {0};
    rp_cover cover = {0};
    rp_barrier_widen(&b, RP_SCOPE_COMPUTE_R, RP_SCOPE_COMPUTE_W);
    rp_barrier_widen(&b, RP_SCOPE_COMPUTE_W, RP_SCOPE_COMPUTE_R);
    CU_ASSERT_EQUAL(b.src, RP_SCOPE_COMPUTE_W); /* implies the reads of its stage */
    CU_ASSERT_EQUAL(b.dst, RP_SCOPE_COMPUTE_W | RP_SCOPE_COMPUTE_R);
    rp_cover_note(&cover, 5, rp_covered_by(b));
    CU_ASSERT(rp_cover_orders(&cover, RP_WAR_HAZARD, RP_SCOPE_COMPUTE_U, RP_SCOPE_COMPUTE_W, 4));
    CU_ASSERT_FALSE(
        rp_cover_orders(&cover, RP_WAR_HAZARD, RP_SCOPE_COMPUTE_U, RP_SCOPE_COMPUTE_W, 5));
    CU_ASSERT_FALSE(
        rp_cover_orders(&cover, RP_RAW_HAZARD, RP_SCOPE_COMPUTE_W, RP_SCOPE_TRANSFER_R, 4));
    CU_ASSERT_FALSE(rp_cover_orders(&cover, RP_ORDER, RP_SCOPE_ANY, RP_SCOPE_ANY, 4));
    b = (rp_barrier){rp_scope_normalise_src(RP_SCOPE_ANY), RP_SCOPE_ANY};
    rp_cover_note(&cover, 6, rp_covered_by(b));
    CU_ASSERT(rp_cover_orders(&cover, RP_ORDER, RP_SCOPE_ANY, RP_SCOPE_ANY, 5));
}

int main(void) {
    static const rp_test tests[] = {{"against a table", test_against_table},
                                    {"half folded", test_half_folded},
                                    {"steady", test_steady},
                                    {"no memory", test_no_memory},
                                    {"scopes", test_scopes},
                                    {0}};
    return rp_run_tests("tracker", tests);
}
