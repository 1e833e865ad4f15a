/* Text -> passes -> check -> plan. Every graph that parses compiles at -O0, at -O1 and under a
 * tight arena limit, with every pass verified; or it is refused with an error about the input. What
 * it must never be is unproven: the checker objecting to a pass is the bug this target looks for.
 * What compiles becomes a plan, and the plan gives the graphs back, proves them again, and builds
 * to the same bytes.
 *
 * Ops get abstract kernels, since compiling shaders would take all the time. A graph of ops also
 * goes through the passes with its ops left as they are, and each of them has GLSL, or is refused;
 * what fusion made has GLSL whenever what it was made of had.
 *
 * The first line may be a comment "; arena-limit BYTES". */
#include "fuzz.h"
#include "reprise/compiler.h"
#include "reprise/passes.h"
#include "reprise/plan_build.h"
#include "support/abstract_lowering.h"

enum { MAX_NODES = 400 }; /* keeps one input in the range of milliseconds */

static void through_plan(const rp_graph *compiled, const rp_graph *source,
                         const rp_certificate *certificate, rp_diags *diags) {
    rp_plan *plan = NULL, *again = NULL;
    rp_graph *a = NULL, *b = NULL;
    rp_certificate proven;
    rp_status status = rp_plan_build(compiled, source, certificate, diags, &plan);
    HOLDS(status == RP_OK, diags);
    status = rp_plan_graphs(plan, diags, &a, &b);
    HOLDS(status == RP_OK && rp_graph_equal(a, compiled) && rp_graph_equal(b, source), diags);
    status = rp_check(a, b, "plan", diags, &proven);
    HOLDS(status == RP_OK && memcmp(&proven, certificate, sizeof proven) == 0, diags);
    status = rp_plan_build(a, b, &proven, diags, &again);
    size_t size, other;
    const void *x = rp_plan_data(plan, &size), *y = rp_plan_data(again, &other);
    HOLDS(status == RP_OK && size == other && memcmp(x, y, size) == 0, diags);
    rp_plan_destroy(plan);
    rp_plan_destroy(again);
    rp_graph_destroy(a);
    rp_graph_destroy(b);
}

/* Returns the arena's bytes, 0 when the graph was refused. */
static uint64_t compile(const rp_graph *source, int level, uint64_t arena_limit) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *compiled = NULL;
    rp_certificate certificate;
    rp_pass_options options = {.size = sizeof options,
                               .pipeline = rp_pass_level(level),
                               .arena_limit = arena_limit,
                               .verify_each = 1,
                               .lowering = abstract_lowering()};
    rp_status status = rp_passes_run(source, &options, diags, &compiled, &certificate, NULL);
    rp_graph_stats stats = {.size = sizeof stats};
    if (status == RP_OK) {
        HOLDS(rp_graph_get_stats(compiled, &stats) == RP_OK, diags);
        HOLDS(!arena_limit || stats.arena_bytes <= arena_limit, diags);
        HOLDS(level == 0 || arena_limit || stats.barriers == stats.barrier_bound, diags);
        fuzz_round_trip(compiled, diags);
        through_plan(compiled, source, &certificate, diags);
    } else {
        HOLDS(status == RP_ERROR_INVALID && !compiled && rp_diags_error_count(diags) > 0, diags);
    }
    rp_graph_destroy(compiled);
    rp_diags_destroy(diags);
    return stats.arena_bytes;
}

/* ---- Ops ------------------------------------------------------------------------------------- */

/* Whether every op node has GLSL; `ops` counts them. With `must` none may be refused. */
static bool has_glsl(const rp_graph *graph, int fast, bool must, uint32_t *ops) {
    rp_graph_stats stats = {.size = sizeof stats};
    rp_diags *diags = rp_diags_create(NULL);
    bool all = true;
    *ops = 0;
    HOLDS(rp_graph_get_stats(graph, &stats) == RP_OK, diags);
    for (uint32_t i = 0; i < stats.nodes; i++) {
        char *text = NULL;
        rp_status status = rp_node_glsl(graph, i, fast, diags, &text);
        HOLDS(status == RP_OK || !must, diags);
        if (status == RP_OK) {
            *ops += *text != '\0';
            HOLDS(!*text || strstr(text, "void main()"), diags);
        } else {
            HOLDS(status == RP_ERROR_INVALID && !text && rp_diags_error_count(diags) > 0, diags);
            ++*ops;
            all = false;
        }
        rp_text_release(graph, text);
    }
    rp_diags_destroy(diags);
    return all;
}

/* Without `lower`: proven just as well, but no plan can be built of it. */
static void keep_ops(const rp_graph *source, const char *pipeline, bool lowers) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *compiled = NULL;
    rp_certificate certificate;
    rp_pass_reports *reports = NULL;
    rp_pass_options options = {.size = sizeof options, .pipeline = pipeline, .verify_each = 1};
    rp_status status = rp_passes_run(source, &options, diags, &compiled, &certificate, &reports);
    if (status == RP_OK) {
        uint32_t ops = 0;
        fuzz_round_trip(compiled, diags);
        bool all = has_glsl(compiled, 0, lowers, &ops);
        HOLDS(has_glsl(compiled, 1, lowers, &ops) == all, diags);
        rp_plan *plan = NULL;
        status = rp_plan_build(compiled, source, &certificate, diags, &plan);
        HOLDS((status == RP_OK) == (ops == 0), diags);
        rp_plan_destroy(plan);
    } else {
        HOLDS(status == RP_ERROR_INVALID && !compiled && rp_diags_error_count(diags) > 0, diags);
    }
    rp_pass_reports_destroy(reports);
    rp_graph_destroy(compiled);
    rp_diags_destroy(diags);
}

static void try_ops(const rp_graph *source) {
    static const char *const pipelines[] = {
        "schedule=source,place=separate,sync=full",
        "dce,rename,fuse,schedule,place,sync",
        "fuse,dce,schedule=inorder,place,sync",
    };
    uint32_t ops = 0;
    bool lowers = has_glsl(source, 0, false, &ops);
    if (ops == 0) return;
    for (size_t i = 0; i < sizeof pipelines / sizeof *pipelines; i++)
        keep_ops(source, pipelines[i], lowers);
}

/* ---- One input ------------------------------------------------------------------------------- */

static uint64_t limit_in(const uint8_t *data, size_t size) {
    static const char key[] = "; arena-limit ";
    uint64_t limit = 0;
    if (size < sizeof key || memcmp(data, key, sizeof key - 1) != 0) return 0;
    for (size_t i = sizeof key - 1; i < size && data[i] >= '0' && data[i] <= '9' && limit < 1 << 30;
         i++)
        limit = limit * 10 + (uint64_t)(data[i] - '0');
    return limit;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > FUZZ_MAX_BYTES) return 0;
    rp_graph *graph = NULL;
    rp_graph_stats stats = {.size = sizeof stats};
    if (rp_graph_parse(NULL, (const char *)data, size, "fuzz.rpir", NULL, &graph) != RP_OK)
        return 0;
    bool small = rp_graph_get_stats(graph, &stats) == RP_OK && stats.nodes <= MAX_NODES;
    if (small && stats.stages == 0) {
        compile(graph, 0, 0);
        uint64_t arena = compile(graph, 1, 0);
        uint64_t limit = limit_in(data, size);
        if (limit || arena > 1) compile(graph, 1, limit ? limit : arena - 1);
        try_ops(graph);
    }
    rp_graph_destroy(graph);
    return 0;
}
