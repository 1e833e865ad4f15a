/* Properties of graphs of ops, tried on random ones, without a device.
 *
 *   meaning     each pipeline's result is proven, and computes bit for bit what the source
 *               computes, by the ops' references, in either order within a group, with its optional
 *               nodes and without
 *   text        every stage of it prints to text that parses back to the same graph
 *   no worse    -O1 has no more dispatches, barriers or bytes of arena than -O0 has
 *
 * RP_SEED and RP_CASES choose others, and more. */
#include <stdlib.h>

#include "support/cases.h"
#include "support/abstract_lowering.h"
#include "support/interpret.h"
#include "support/random_ops.h"
#include "support/unit.h"

enum { MAX_FAILURES = 3 };

static const char *const pipelines[] = {
    "lower,schedule=source,place=separate,sync=full",
    "dce,rename,fuse,lower,schedule,place,sync",
    "fuse,lower,schedule=source,place,sync",
    "fuse,dce,lower,schedule=inorder,place,sync",
    "dce,rename,fuse,schedule,flow=all,lower,place,sync",
    "schedule=inorder,flow=all,lower,place=separate,sync",
    "dce,rename,transfers,fuse=tags,schedule,flow,lower,place,sync",
};
enum { PIPELINES = sizeof pipelines / sizeof *pipelines };

/* "g0.b12": filled by the description. */
static void fill(void *context, const char *name, uint64_t size, uint8_t *bytes) {
    const rp_random_ops *ops = context;
    const char *at = strstr(name, ".b");
    if (!at || size != rp_tensor_bytes(rp_random_ops_tensor(ops, (uint32_t)atoi(at + 2)))) abort();
    rp_random_ops_fill(ops, (uint32_t)atoi(at + 2), bytes);
}

static rp_graph *compile(const rp_graph *source, const char *pipeline, char why[RP_WHY]) {
    rp_graph *compiled = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    const rp_pass_options options = {
        .size = sizeof options,
        .pipeline = pipeline,
        .verify_each = 1,
        .target = rp_target_builtin(strstr(pipeline, "fuse=tags") ? "h200" : "portable"),
        .lowering = abstract_lowering()};
    rp_status status = rp_passes_run(source, &options, diags, &compiled, NULL, NULL);
    if (status != RP_OK) rp_why_diags(why, pipeline, diags);
    rp_diags_destroy(diags);
    return compiled;
}

typedef bool ops_property(rp_random_ops *ops, const rp_graph *source, char why[RP_WHY]);

static ops_property *current;
static char said[RP_WHY];

static bool fails(void *context, rp_random_ops *ops) {
    (void)context;
    rp_graph *g = rp_random_ops_build(&ops, 1);
    rp_diags *diags = rp_diags_create(NULL);
    said[0] = '\0';
    bool ok = rp_graph_verify(g, NULL, diags) == RP_OK;
    if (!ok) rp_why_diags(said, "the random graph is not well formed", diags);
    ok = ok && current(ops, g, said);
    rp_diags_destroy(diags);
    rp_graph_destroy(g);
    return !ok;
}

static void print_failure(const char *name, rp_random_ops *ops) {
    char *text = NULL;
    rp_graph *g = rp_random_ops_build(&ops, 1);
    fprintf(stderr, "\n%s fails: RP_SEED=%llu RP_CASES=1\n  %s\n  smallest graph:\n", name,
            (unsigned long long)rp_random_ops_seed(ops), said);
    if (rp_graph_print(g, RP_FORMAT_TEXT, &text, NULL) == RP_OK) fputs(text, stderr);
    rp_text_release(g, text);
    rp_graph_destroy(g);
}

static uint32_t suite(const char *name, uint32_t cases, ops_property *property) {
    uint64_t seed = rp_environment("RP_SEED", 1), count = rp_cases(cases, 10);
    uint32_t failures = 0, refused = 0;
    current = property;
    for (uint64_t i = 0; i < count && failures < MAX_FAILURES; i++) {
        rp_random_ops *ops = rp_random_ops_create(seed + i);
        refused += rp_random_ops_refused(ops);
        if (fails(NULL, ops)) {
            failures++;
            rp_random_ops_shrink(ops, fails, NULL);
            fails(NULL, ops);
            print_failure(name, ops);
        }
        rp_random_ops_destroy(ops);
    }
    return failures + refused;
}

/* ---- The same meaning ------------------------------------------------------------------------ */

enum { SUBSETS = 5 };

/* Optional nodes left out: none, all, some. */
static uint32_t subset_of(uint64_t seed, uint32_t i) {
    rp_random random = {seed * SUBSETS + i};
    return i == 0 ? 0 : i == 1 ? UINT32_MAX : (uint32_t)rp_random_next(&random);
}

static uint32_t subsets_of(const rp_graph *source) {
    for (uint32_t i = 0; i < source->nodes_count; i++)
        if (source->nodes[i].optional) return SUBSETS;
    return 1;
}

static bool same_without(rp_random_ops *ops, const rp_graph *source, const rp_graph *compiled,
                         uint32_t subset, char why[RP_WHY]) {
    uint32_t absent = subset_of(rp_random_ops_seed(ops), subset);
    interpreted expected = {0};
    bool same = interpret_run(source, false, absent, fill, ops, &expected, why);
    for (uint32_t backwards = 0; backwards < 2 && same; backwards++) {
        interpreted got = {0};
        same = interpret_run(compiled, backwards == 1, absent, fill, ops, &got, why) &&
               interpret_same(source, &expected, compiled, &got, why);
        interpret_free(&got);
    }
    interpret_free(&expected);
    size_t end = strlen(why);
    if (!same) snprintf(why + end, RP_WHY - end, " (left out: %#x)", absent);
    return same;
}

static bool same_meaning(rp_random_ops *ops, const rp_graph *source, char why[RP_WHY]) {
    bool same = true;
    for (uint32_t i = 0; i < PIPELINES && same; i++) {
        rp_graph *compiled = compile(source, pipelines[i], why);
        same = compiled != NULL;
        for (uint32_t k = 0; k < subsets_of(source) && same; k++)
            same = same_without(ops, source, compiled, k, why);
        if (!same && compiled) {
            size_t end = strlen(why);
            snprintf(why + end, RP_WHY - end, " (pipeline %s)", pipelines[i]);
        }
        rp_graph_destroy(compiled);
    }
    return same;
}

static void test_same_meaning(void) {
    CU_ASSERT_EQUAL(suite("same meaning", 400, same_meaning), 0);
}

/* ---- The text of every stage ----------------------------------------------------------------- */

static rp_status parse_back(void *user, int index, const rp_pass_report *report,
                            const rp_graph *graph) {
    char *text = NULL, *why = user;
    size_t size;
    rp_graph *again = NULL;
    (void)index;
    rp_diags *diags = rp_diags_create(NULL);
    rp_status status = rp_graph_print(graph, RP_FORMAT_TEXT, &text, &size);
    if (status == RP_OK) status = rp_graph_parse(NULL, text, size, "printed", diags, &again);
    if (status != RP_OK || !rp_graph_equal(graph, again) ||
        rp_graph_hash(graph) != rp_graph_hash(again)) {
        rp_why_diags(why, report ? report->pass : "source", diags);
        status = RP_ERROR_INVALID;
    }
    rp_diags_destroy(diags);
    rp_graph_destroy(again);
    rp_text_release(graph, text);
    return status;
}

static bool same_text(rp_random_ops *ops, const rp_graph *source, char why[RP_WHY]) {
    (void)ops;
    rp_graph *compiled = NULL;
    const rp_pass_options options = {.size = sizeof options,
                                     .pipeline = pipelines[1],
                                     .lowering = abstract_lowering(),
                                     .observer = parse_back,
                                     .observer_user = why};
    rp_status status = rp_passes_run(source, &options, NULL, &compiled, NULL, NULL);
    rp_graph_destroy(compiled);
    return status == RP_OK;
}

static void test_same_text(void) {
    CU_ASSERT_EQUAL(suite("the text of every stage", 400, same_text), 0);
}

/* ---- Never worse ----------------------------------------------------------------------------- */

static uint64_t plain_nodes, fused_nodes;

static bool no_worse(rp_random_ops *ops, const rp_graph *source, char why[RP_WHY]) {
    (void)ops;
    rp_graph_stats a = {.size = sizeof a}, b = a;
    rp_graph *plain = compile(source, pipelines[0], why),
             *fused = compile(source, pipelines[1], why);
    bool ok = plain && fused && rp_graph_get_stats(plain, &a) == RP_OK &&
              rp_graph_get_stats(fused, &b) == RP_OK;
    if (ok) {
        plain_nodes += a.dispatches;
        fused_nodes += b.dispatches;
        ok = b.dispatches <= a.dispatches && b.barriers <= a.barriers &&
             b.barriers == b.barrier_bound;
        snprintf(why, RP_WHY, "dispatches %u -> %u, barriers %u -> %u (bound %u)", a.dispatches,
                 b.dispatches, a.barriers, b.barriers, b.barrier_bound);
    }
    rp_graph_destroy(plain);
    rp_graph_destroy(fused);
    return ok;
}

static void test_no_worse(void) {
    CU_ASSERT_EQUAL(suite("never worse", 400, no_worse), 0);
    printf("%llu dispatches -> %llu ... ", (unsigned long long)plain_nodes,
           (unsigned long long)fused_nodes);
    CU_ASSERT(fused_nodes * 4 <= plain_nodes * 3);
}

int main(void) {
    static const rp_test tests[] = {
        {"same meaning", test_same_meaning},
        {"the text of every stage", test_same_text},
        {"never worse", test_no_worse},
        {NULL, NULL},
    };
    return rp_run_tests("random graphs of ops", tests);
}
