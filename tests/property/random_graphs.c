/* Properties that every source graph has, tried on random ones:
 *
 *   same        each pipeline's result is proven and computes what the source means, by a symbolic
 *               memory that knows nothing of analysis, in any order that its barriers allow, one
 *               replay and two
 *   limit       the same within a limit of the arena; a limit that is named as possible is
 *   bound       -O1 needs as many barriers as its longest path of dependences, found by comparing
 *               all pairs; and as much arena as its schedule has alive at once, or a little more
 *   round trip  the text form gives the same graph back, after every pass
 *   unwritten   a plan, and the warnings about its source, name the bytes that no node writes,
 *               found by marking each byte */
#include "reprise/passes.h"
#include "reprise/plan_build.h"
#include "support/cases.h"
#include "support/conflict.h"
#include "support/random_graph.h"
#include "support/simulate.h"
#include "support/unit.h"
#include "support/plan_info.h"

#include <stdlib.h>

static rp_graph *compile(const rp_graph *source, const rp_pass_options *options, char why[RP_WHY]) {
    rp_graph *compiled = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    rp_status status = rp_passes_run(source, options, diags, &compiled, NULL, NULL);
    if (status != RP_OK) {
        char prefix[160];
        snprintf(prefix, sizeof prefix, "pipeline %s: %s",
                 options->pipeline ? options->pipeline : rp_pass_level(1), rp_status_name(status));
        rp_why_diags(why, prefix, diags);
    }
    rp_diags_destroy(diags);
    return compiled;
}

/* ---- The same results ------------------------------------------------------------------------ */

static const char *const pipelines[] = {
    "schedule=source,place=separate,sync=full",
    "dce,rename,schedule,place,sync",
    "schedule=source,place,sync",
    "rename,schedule=source,place,sync",
    "schedule,place=separate,sync",
    "dce,schedule,place,sync=full",
};

static bool same_results(void *context, uint64_t seed, const rp_graph *source, char why[RP_WHY]) {
    (void)context;
    for (uint32_t i = 0; i < sizeof pipelines / sizeof *pipelines; i++) {
        rp_pass_options options = {
            .size = sizeof options, .pipeline = pipelines[i], .verify_each = 1};
        rp_graph *compiled = compile(source, &options, why);
        if (!compiled) return false;
        bool same = rp_simulate_some(source, compiled, seed * 64 + i * 8, why);
        rp_graph_destroy(compiled);
        if (!same) {
            size_t end = strlen(why);
            snprintf(why + end, RP_WHY - end, " (pipeline %s)", pipelines[i]);
            return false;
        }
    }
    return true;
}

static void test_same_results(void) {
    CU_ASSERT_EQUAL(rp_random_suite("same results", 300, same_results, NULL), 0);
}

/* With a limit on the arena the compiler may spend barriers, and may fail with a reason, but a
 * graph that it returns keeps the limit and computes the same. */
static bool same_within_limit(void *context, uint64_t seed, const rp_graph *source,
                              char why[RP_WHY]) {
    (void)context;
    rp_pass_options free_options = {.size = sizeof free_options},
                    tight = {.size = sizeof tight, .verify_each = 1};
    rp_graph *compiled = compile(source, &free_options, why);
    if (!compiled) return false;
    rp_graph_stats stats = {.size = sizeof stats};
    rp_graph_get_stats(compiled, &stats);
    rp_graph_destroy(compiled);
    if (stats.arena_bytes < 2 * RP_ARENA_ALIGNMENT) return true;
    tight.arena_limit = stats.arena_bytes * (60 + seed % 40) / 100;
    compiled = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    rp_status status = rp_passes_run(source, &tight, diags, &compiled, NULL, NULL);
    bool ok = status == RP_ERROR_INVALID ? rp_diags_error_count(diags) > 0 : status == RP_OK;
    if (!ok) rp_why_diags(why, rp_status_name(status), diags);
    if (compiled) {
        rp_graph_get_stats(compiled, &stats);
        ok = stats.arena_bytes <= tight.arena_limit &&
             rp_simulate_same(source, compiled, 2, seed, seed, why);
        if (stats.arena_bytes > tight.arena_limit) snprintf(why, RP_WHY, "limit not kept");
    }
    rp_diags_destroy(diags);
    rp_graph_destroy(compiled);
    return ok;
}

/* A limit that is too small is answered with one that is not: the compiler keeps its word, and
 * whatever smaller limit was asked for before. */
static bool named_limit_works(void *context, uint64_t seed, const rp_graph *source,
                              char why[RP_WHY]) {
    (void)context;
    static const char *const words[] = {"the smallest limit that is known to work is ",
                                        "transients need "}; /* pass place: nothing is shared */
    uint64_t limits[] = {1, 0, 0};
    for (uint32_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        rp_pass_options tight = {.size = sizeof tight, .arena_limit = limits[i]};
        rp_graph *compiled = NULL;
        rp_diags *diags = rp_diags_create(NULL);
        rp_status status = rp_passes_run(source, &tight, diags, &compiled, NULL, NULL);
        const char *said = rp_diags_count(diags) ? rp_diags_get(diags, 0).message : "";
        uint64_t named = 0;
        for (uint32_t k = 0; k < 2 && !named; k++) {
            const char *at = strstr(said, words[k]);
            if (at) named = strtoull(at + strlen(words[k]), NULL, 10);
        }
        rp_diags_destroy(diags);
        rp_graph_destroy(compiled);
        if (status == RP_OK) continue; /* nothing to place, or it fits */
        tight.arena_limit = named;
        compiled = named > limits[i] ? compile(source, &tight, why) : NULL;
        if (!compiled) {
            size_t end = strlen(why);
            snprintf(why + end, RP_WHY - end, " (limit %llu led to %llu)",
                     (unsigned long long)limits[i], (unsigned long long)named);
            return false;
        }
        rp_graph_destroy(compiled);
        if (i == 0)
            limits[1] = named - RP_ARENA_ALIGNMENT, limits[2] = named / 2 + seed % named / 2;
        if (limits[1] == 0) limits[1] = 1;
    }
    return true;
}

static void test_named_limit_works(void) {
    CU_ASSERT_EQUAL(rp_random_suite("named limits work", 300, named_limit_works, NULL), 0);
}

static void test_same_within_limit(void) {
    CU_ASSERT_EQUAL(rp_random_suite("same within an arena limit", 150, same_within_limit, NULL), 0);
}

/* ---- The bounds ------------------------------------------------------------------------------ */

static const rp_graph_node *node_with_rank(const rp_graph *g, uint32_t after, bool first) {
    const rp_graph_node *best = NULL;
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        const rp_graph_node *n = &g->nodes[i];
        if ((first || n->id > after) && (!best || n->id < best->id)) best = n;
    }
    return best;
}

/* Groups that any schedule of these nodes needs: the longest chain of conflicts in id order, where
 * a fence lifts all that follows above all before it. */
static uint32_t brute_bound(const rp_graph *g) {
    const rp_graph_node *order[512];
    uint32_t depth[512], count = 0, deepest = 0, floor = 0;
    const rp_graph_node *n = node_with_rank(g, 0, true);
    for (; n && count < 512; n = node_with_rank(g, n->id, false)) order[count++] = n;
    for (uint32_t i = 0; i < count; i++) {
        depth[i] = 0;
        if (order[i]->kind == RP_FENCE) {
            floor = deepest;
            continue;
        }
        depth[i] = floor + 1;
        for (uint32_t k = 0; k < i; k++)
            if (depth[k] >= depth[i] && conflict(g, order[k], order[i])) depth[i] = depth[k] + 1;
        if (depth[i] > deepest) deepest = depth[i];
    }
    return deepest;
}

typedef struct ratios {
    double sum, worst;
    uint32_t count;
} ratios;

static bool meets_bounds(void *context, uint64_t seed, const rp_graph *source, char why[RP_WHY]) {
    ratios *all = context;
    (void)seed;
    rp_pass_options options = {.size = sizeof options};
    rp_graph *compiled = compile(source, &options, why);
    if (!compiled) return false;
    rp_graph_stats stats = {.size = sizeof stats};
    rp_graph_get_stats(compiled, &stats);
    uint32_t groups = brute_bound(compiled), bound = groups ? groups - 1 : 0;
    bool ok = stats.barriers == bound && stats.barrier_bound == bound;
    if (!ok)
        snprintf(why, RP_WHY, "%u barriers, bound %u, counted by hand %u", stats.barriers,
                 stats.barrier_bound, bound);
    /* Beside a node without declared uses nothing may share bytes, whatever is alive. */
    if (stats.arena_bound_bytes > 0 && stats.unknown == 0) {
        double ratio = (double)stats.arena_bytes / (double)stats.arena_bound_bytes;
        all->sum += ratio;
        all->count++;
        if (ratio > all->worst) all->worst = ratio;
        if (ratio < 1.0) ok = false, snprintf(why, RP_WHY, "the arena is below its bound");
    }
    rp_graph_destroy(compiled);
    return ok;
}

static void test_bounds(void) {
    ratios all = {0};
    CU_ASSERT_EQUAL(rp_random_suite("barriers meet the bound", 1000, meets_bounds, &all), 0);
    double mean = all.count ? all.sum / all.count : 1.0;
    printf("arena / bound over %u graphs: mean %.4f, worst %.3f ... ", all.count, mean, all.worst);
    CU_ASSERT(mean <= 1.10);
}

/* ---- Round trip ------------------------------------------------------------------------------ */

static rp_status print_parse_compare(void *user, int index, const rp_pass_report *report,
                                     const rp_graph *graph) {
    char *why = user, *text = NULL;
    size_t size = 0;
    rp_graph *again = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    const char *after = report ? report->pass : "nothing";
    rp_status status = rp_graph_print(graph, RP_FORMAT_TEXT, &text, &size);
    if (status == RP_OK) status = rp_graph_parse(NULL, text, size, "text", diags, &again);
    if (status != RP_OK)
        rp_why_diags(why, "the text of a graph does not parse", diags);
    else if (!rp_graph_equal(graph, again) || rp_graph_hash(graph) != rp_graph_hash(again)) {
        snprintf(why, RP_WHY, "pass %d (%s): the text gives another graph", index, after);
        status = RP_ERROR_DAMAGED;
    }
    rp_text_release(graph, text);
    rp_graph_destroy(again);
    rp_diags_destroy(diags);
    return status;
}

static bool round_trip(void *context, uint64_t seed, const rp_graph *source, char why[RP_WHY]) {
    (void)context, (void)seed;
    for (int level = 0; level < 2; level++) {
        char said[RP_WHY] = "";
        rp_pass_options options = {.size = sizeof options,
                                   .pipeline = rp_pass_level(level),
                                   .observer = print_parse_compare,
                                   .observer_user = said};
        rp_graph *compiled = compile(source, &options, why);
        if (*said) snprintf(why, RP_WHY, "%s", said);
        if (!compiled) return false;
        rp_graph_destroy(compiled);
    }
    return true;
}

static void test_round_trip(void) {
    CU_ASSERT_EQUAL(rp_random_suite("round trip", 300, round_trip, NULL), 0);
}

/* ---- Bytes that no node writes --------------------------------------------------------------- */

/* One mark for each byte of a buffer that a node of the source may write. */
static uint8_t *mark_written(const rp_graph *g, uint32_t buffer) {
    uint8_t *marks = calloc(g->buffers[buffer].size, 1);
    if (!marks) abort();
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        const rp_graph_node *n = &g->nodes[i];
        if (n->unknown) memset(marks, 1, g->buffers[buffer].size);
        for (uint32_t k = 0; k < n->use_count; k++) {
            const rp_graph_use *u = &rp_node_uses(g, n)[k];
            if (u->buffer == buffer && rp_access_writes(u->access))
                memset(marks + u->offset, 1, u->size);
        }
    }
    return marks;
}

/* Whether the ranges are the stretches of bytes without mark. */
static bool are_gaps(const rp_plan_bytes *ranges, uint32_t count, const uint8_t *marks,
                     uint64_t size) {
    uint32_t i = 0;
    for (uint64_t lo = 0, hi; lo < size; lo = hi) {
        for (hi = lo; hi < size && marks[hi] == marks[lo];) hi++;
        if (marks[lo]) continue;
        if (i == count || ranges[i].offset != lo || ranges[i].size != hi - lo) return false;
        i++;
    }
    return i == count;
}

static bool is_warned(const rp_diags *diags, const char *name) {
    char start[64];
    int length = snprintf(start, sizeof start, "$%s is a result", name);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        if (!strncmp(rp_diags_get(diags, i).message, start, (size_t)length)) return true;
    return false;
}

static bool names_unwritten(void *context, uint64_t seed, const rp_graph *source,
                            char why[RP_WHY]) {
    uint64_t *gaps = context;
    rp_pass_options options = {.size = sizeof options, .pipeline = rp_pass_level((int)(seed % 2))};
    rp_graph *compiled = NULL;
    rp_plan *plan = NULL;
    rp_certificate certificate;
    rp_diags *diags = rp_diags_create(NULL);
    bool ok = rp_passes_run(source, &options, NULL, &compiled, &certificate, NULL) == RP_OK &&
              rp_plan_build(compiled, source, &certificate, NULL, &plan) == RP_OK &&
              rp_graph_verify(source, NULL, diags) == RP_OK;
    for (uint32_t i = 0; ok && i < rp_plan_buffer_count(plan); i++) {
        rp_plan_buffer_info b = plan_buffer(plan, i);
        uint32_t buffer = rp_graph_find_buffer(source, b.name), count = 0, again = 0;
        uint8_t *marks = mark_written(source, buffer);
        ok = rp_plan_get_unwritten(plan, i, NULL, 0, &count) == RP_OK;
        rp_plan_bytes *ranges = calloc(count + 1, sizeof *ranges);
        ok = ok && ranges && rp_plan_get_unwritten(plan, i, ranges, count, &again) == RP_OK &&
             count == again && are_gaps(ranges, count, marks, b.bytes);
        ok = ok && is_warned(diags, b.name) == (b.kind == RP_OUT && count > 0);
        if (!ok) snprintf(why, RP_WHY, "$%s: %u ranges, or no warning", b.name, count);
        *gaps += count;
        free(ranges);
        free(marks);
    }
    rp_diags_destroy(diags);
    rp_plan_destroy(plan);
    rp_graph_destroy(compiled);
    return ok;
}

static void test_unwritten(void) {
    uint64_t gaps = 0;
    CU_ASSERT_EQUAL(rp_random_suite("unwritten bytes", 300, names_unwritten, &gaps), 0);
    printf("%llu stretches that no node writes ... ", (unsigned long long)gaps);
    CU_ASSERT(gaps > 300 / RP_PART || getenv("RP_CASES"));
}

int main(void) {
    static const rp_test tests[] = {
        {"all pipelines compute the same", test_same_results},
        {"an arena limit changes no result", test_same_within_limit},
        {"named limits work", test_named_limit_works},
        {"barriers and arena meet their bounds", test_bounds},
        {"text round trip after every pass", test_round_trip},
        {"bytes that no node writes are named", test_unwritten},
        {NULL, NULL},
    };
    return rp_run_tests("random graphs", tests);
}
