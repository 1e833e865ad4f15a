/* Targets and graphs: what is built in is read back from its own text, a graph says what it is for
 * in every form, and two graphs for different targets are different graphs. */
#include "support/unit.h"

#include <stdlib.h>

#include "graph/graph.h"
#include "reprise/compiler.h"
#include "reprise/needs.h"

#define HEAD "reprise 1\ngraph g {\n"
#define BODY                                                                                       \
    "  buf $x in f32[64]\n  buf $y out f32[64]\n"                                                  \
    "  n0 = op relu (r $x:f32[64], w $y:f32[64])\n}\n"

static rp_graph *parse(const char *text) {
    rp_graph *graph = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, strlen(text), "t", NULL, &graph), RP_OK);
    return graph;
}

static char *print(const rp_graph *graph, rp_format format) {
    char *text = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_graph_print(graph, format, &text, NULL), RP_OK);
    return text;
}

/* ---- What is built in ------------------------------------------------------------------------ */

static void test_builtins(void) {
    static const char *const names[] = {"portable", "lavapipe", "h200"};
    for (uint32_t i = 0; i < 3; i++) {
        char text[4096];
        rp_target read = RP_TARGET_INIT;
        const rp_target *t = rp_target_list(i);
        CU_ASSERT_PTR_NOT_NULL_FATAL(t);
        CU_ASSERT_STRING_EQUAL(t->name, names[i]);
        CU_ASSERT_PTR_EQUAL(rp_target_builtin(names[i]), t);
        CU_ASSERT_EQUAL(t->size, sizeof *t);
        size_t length = rp_target_print(t, text, sizeof text);
        CU_ASSERT_TRUE_FATAL(length < sizeof text);
        CU_ASSERT_EQUAL(rp_target_parse(text, length, names[i], NULL, &read), RP_OK);
        CU_ASSERT_EQUAL(memcmp(&read, t, sizeof read), 0);
    }
    CU_ASSERT_PTR_NULL(rp_target_list(3));
    CU_ASSERT_PTR_NULL(rp_target_builtin("h100"));
    CU_ASSERT_PTR_NULL(rp_target_builtin(""));
    CU_ASSERT_PTR_NULL(rp_target_builtin(NULL));
}

/* By what passes divide is known of every target. */
static void test_nothing_is_zero(void) {
    static const char *const may_be_unknown[] = {
        "uniform_buffers", "storage_range", "uniform_range", "subgroup",        "needs",
        "subgroup_least",  "subgroup_most", "matrix_shapes", "matrix_f16_rate", "matrix_i8_rate",
        "matrix_quads",    "loop_turns",    "resources",     "ordered_starts"};
    rp_target given = RP_TARGET_INIT, filled;
    rp_target_fill(&given, &filled);
    for (uint32_t i = 0; rp_target_figure_at(i); i++) {
        const rp_target_figure *figure = rp_target_figure_at(i);
        bool unknown = false;
        for (size_t k = 0; k < sizeof may_be_unknown / sizeof *may_be_unknown; k++)
            unknown |= strcmp(may_be_unknown[k], figure->name) == 0;
        CU_ASSERT_TRUE(strlen(figure->brief) > 3);
        CU_ASSERT_EQUAL(*rp_target_figure_of(&filled, i) == 0, unknown);
    }
    CU_ASSERT_STRING_EQUAL(rp_target_figure_at(0)->name, "storage_buffers");
    CU_ASSERT_PTR_NULL(rp_target_figure_at(RP_TARGET_KEYS));
}

/* What is given stays, the rest is that of `portable`; a caller of an older version gives less. */
static void test_fill(void) {
    rp_target given = RP_TARGET_INIT, filled;
    strcpy(given.name, "mine");
    given.barrier_ns = 5;
    rp_target_fill(&given, &filled);
    CU_ASSERT_STRING_EQUAL(filled.name, "mine");
    CU_ASSERT_EQUAL(filled.barrier_ns, 5);
    CU_ASSERT_EQUAL(filled.dispatch_ns, rp_target_builtin("portable")->dispatch_ns);
    given.size = offsetof(rp_target, barrier_ns);
    rp_target_fill(&given, &filled);
    CU_ASSERT_EQUAL(filled.size, sizeof filled);
    CU_ASSERT_EQUAL(filled.barrier_ns, rp_target_builtin("portable")->barrier_ns);
    rp_target_fill(NULL, &filled);
    CU_ASSERT_TRUE(rp_target_same(&filled, rp_target_portable));
}

/* ---- Graphs ---------------------------------------------------------------------------------- */

static void test_graph(void) {
    rp_graph *plain = parse(HEAD BODY), *copy = NULL;
    CU_ASSERT_STRING_EQUAL(rp_graph_target(plain)->name, "portable");
    CU_ASSERT_STRING_EQUAL(rp_graph_target(NULL)->name, "portable");
    char *text = print(plain, RP_FORMAT_TEXT), *json = print(plain, RP_FORMAT_JSON);
    CU_ASSERT_PTR_NULL(strstr(text, "target"));
    CU_ASSERT_PTR_NULL(strstr(json, "target"));
    rp_text_release(plain, text);
    rp_text_release(plain, json);

    rp_graph *other = parse(HEAD "  target \"odd \\\"name\\\"\" barrier_ns 5 groups_x 7\n" BODY);
    CU_ASSERT_STRING_EQUAL(rp_graph_target(other)->name, "odd \"name\"");
    CU_ASSERT_EQUAL(rp_graph_target(other)->groups_x, 7);
    CU_ASSERT_EQUAL(rp_graph_target(other)->groups_y, 65535);
    CU_ASSERT_EQUAL_FATAL(rp_graph_clone(other, &copy), RP_OK);
    CU_ASSERT_TRUE(rp_graph_equal(other, copy));
    CU_ASSERT_FALSE(rp_graph_equal(other, plain) || rp_graph_equal(plain, other));
    rp_graph_destroy(other);
    text = print(copy, RP_FORMAT_TEXT);
    json = print(copy, RP_FORMAT_JSON);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n  target \"odd \\\"name\\\"\" storage_buffers 24 "));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " barrier_ns 5 "));
    CU_ASSERT_PTR_NOT_NULL(strstr(json, "\"target\":{\"name\":\"odd \\\"name\\\"\",\"storage"));
    CU_ASSERT_PTR_NOT_NULL(strstr(json, ",\"barrier_ns\":5,"));
    other = parse(text);
    CU_ASSERT_TRUE(rp_graph_equal(other, copy));
    CU_ASSERT_EQUAL(rp_graph_hash(other), rp_graph_hash(copy));
    rp_text_release(copy, text);
    rp_text_release(copy, json);
    rp_graph_destroy(copy);

    /* Portable under its own name goes without saying. */
    copy = parse(HEAD "  target \"portable\"\n" BODY);
    CU_ASSERT_TRUE(rp_graph_equal(copy, plain));
    CU_ASSERT_EQUAL(rp_graph_hash(copy), rp_graph_hash(plain));
    rp_graph_destroy(copy);
    rp_graph_destroy(other);
    rp_graph_destroy(plain);
}

/* One figure, or the name, makes another graph: the hash, equality and the difference see it. */
static void test_every_figure_counts(void) {
    rp_graph *base = parse(HEAD "  target \"a\"\n" BODY);
    for (uint32_t key = 0; key <= RP_TARGET_KEYS; key++) {
        rp_graph *other = NULL;
        char *text = NULL, wanted[96];
        CU_ASSERT_EQUAL_FATAL(rp_graph_clone(base, &other), RP_OK);
        rp_target target = *rp_graph_target(base);
        if (key < RP_TARGET_KEYS)
            *rp_target_figure_of(&target, key) += 1;
        else
            target.name[0] = 'b';
        rp_graph_set_target(other, &target);
        CU_ASSERT_FALSE(rp_graph_equal(base, other) || rp_graph_equal(other, base));
        CU_ASSERT_NOT_EQUAL(rp_graph_hash(base), rp_graph_hash(other));
        CU_ASSERT_EQUAL_FATAL(rp_graph_diff(base, other, &text, NULL), RP_OK);
        if (key < RP_TARGET_KEYS)
            snprintf(wanted, sizeof wanted, "graph: 1 changed\n~ graph target.%s ",
                     rp_target_keys[key]);
        else
            snprintf(wanted, sizeof wanted, "graph: 1 changed\n~ graph target \"a\" -> \"b\"\n");
        CU_ASSERT_PTR_EQUAL(strstr(text, wanted), text);
        rp_text_release(base, text);
        rp_graph_destroy(other);
    }
    rp_graph_destroy(base);
}

static void test_bad_text(void) {
    static const struct {
        const char *lines, *wanted;
    } cases[] = {
        {"  target h200\n", "3:10: error: expected the target's name as a string"},
        {"  target \"a\" barier_ns 5\n", "3:14: error: 'barier_ns' is no figure of a target"},
        {"  target \"a\" barrier_ns\n", "3:24: error: expected barrier_ns"},
        {"  target \"a\" barrier_ns 0\n", "3:25: error: barrier_ns is 0: leave it out"},
        {"  target \"a\" subgroup 7\n", "3:23: error: subgroup is 7, expected a power of two"},
        {"  target \"a\" push_bytes 4 push_bytes 5\n", "3:27: error: push_bytes is given twice"},
        {"  target \"a\"\n  target \"a\"\n", "4:3: error: the graph has another target already"},
        {"  buf $z in 4\n  target \"a\"\n", "4:3: error: the target stands before buffers"},
        {"  target \"a\" 5\n", "3:14: error: '5' is no figure of a target"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024], line[512];
        bool found = false;
        rp_diags *diags = rp_diags_create(NULL);
        rp_graph *graph = NULL;
        snprintf(text, sizeof text, HEAD "%s" BODY, cases[i].lines);
        CU_ASSERT_EQUAL(rp_graph_parse(NULL, text, strlen(text), NULL, diags, &graph),
                        RP_ERROR_INVALID);
        for (uint32_t k = 0; k < rp_diags_count(diags); k++) {
            rp_diag d = rp_diags_get(diags, k);
            rp_diag_format(&d, line, sizeof line);
            found |= strstr(line, cases[i].wanted) != NULL;
        }
        if (!found) printf("\n  missing: %s\n  found: %s\n", cases[i].wanted, line);
        CU_ASSERT_TRUE(found);
        rp_diags_destroy(diags);
    }
}

/* ---- Front ends ------------------------------------------------------------------------------ */

/* One query over a long base: as many parts as the target has use for, so that YAML and recorders
 * expand the composite by it. */
static const char search[] = "reprise: 1\n"
                             "name: s\n"
                             "buffers:\n"
                             "  q: {kind: in, dtype: f32, shape: [1, 16]}\n"
                             "  base: {kind: weight, dtype: f32, shape: [100000, 16]}\n"
                             "  found: {kind: out, dtype: u32, shape: [1, 10]}\n"
                             "nodes:\n"
                             "  - {op: knn, queries: q, base: base, indices: found, k: 10}\n";

static char *read_yaml(const char *yaml, const rp_target *target) {
    rp_pipeline *pipeline = NULL;
    const rp_pipeline_source source = {.size = sizeof source,
                                       .path = "s.yaml",
                                       .text = yaml,
                                       .text_size = strlen(yaml),
                                       .target = target};
    rp_diags *diags = rp_diags_create(NULL);
    rp_status status = rp_pipeline_read(NULL, &source, diags, &pipeline);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) puts(rp_diags_get(diags, i).message);
    rp_diags_destroy(diags);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    char *text = print(rp_pipeline_graph(pipeline), RP_FORMAT_TEXT), *copy = strdup(text);
    rp_text_release(rp_pipeline_graph(pipeline), text);
    rp_pipeline_destroy(pipeline);
    return copy;
}

static char *record(const rp_target *target) {
    rp_program *program = NULL;
    rp_recorder *recorder = NULL;
    rp_graph *graph = NULL;
    rp_buffer q, base, found;
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "s", &program), RP_OK);
    CU_ASSERT_EQUAL(rp_program_set_target(program, target), RP_OK);
    CU_ASSERT_EQUAL(rp_program_set_target(NULL, target), RP_ERROR_USAGE);
    const rp_target no_size = {.barrier_ns = 1};
    CU_ASSERT_EQUAL(rp_program_set_target(program, &no_size), RP_ERROR_USAGE);
    const rp_buffer_params params[] = {{.size = sizeof *params,
                                        .name = "q",
                                        .kind = RP_IN,
                                        .dtype = RP_F32,
                                        .rank = 2,
                                        .shape = {1, 16}},
                                       {.size = sizeof *params,
                                        .name = "base",
                                        .kind = RP_WEIGHT,
                                        .dtype = RP_F32,
                                        .rank = 2,
                                        .shape = {100000, 16}},
                                       {.size = sizeof *params,
                                        .name = "found",
                                        .kind = RP_OUT,
                                        .dtype = RP_U32,
                                        .rank = 2,
                                        .shape = {1, 10}}};
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(program, &params[0], NULL, &q), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(program, &params[1], NULL, &base), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(program, &params[2], NULL, &found), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(program, &recorder), RP_OK);
    const rp_operand operands[] = {{.name = "queries", .range = {.buffer = q}},
                                   {.name = "base", .range = {.buffer = base}},
                                   {.name = "indices", .range = {.buffer = found}}};
    const rp_attribute k = {.name = "k", .number = 10};
    rp_apply(recorder, "knn", operands, 3, &k, 1);
    CU_ASSERT_EQUAL_FATAL(rp_program_graph(program, &recorder, 1, NULL, &graph), RP_OK);
    char *text = print(graph, RP_FORMAT_TEXT), *copy = strdup(text);
    rp_text_release(graph, text);
    rp_graph_destroy(graph);
    rp_recorder_destroy(recorder);
    rp_program_destroy(program);
    return copy;
}

static void test_front_ends(void) {
    const rp_target no_size = {.barrier_ns = 1};
    const rp_pipeline_source wrong = {.size = sizeof wrong, .text = search, .target = &no_size};
    rp_pipeline *none = NULL;
    CU_ASSERT_EQUAL(rp_pipeline_read(NULL, &wrong, NULL, &none), RP_ERROR_USAGE);
    rp_target few = *rp_target_builtin("portable");
    strcpy(few.name, "few");
    few.multiprocessors = 3;
    const struct {
        const rp_target *target;
        const char *wanted;
    } cases[] = {{NULL, "splits=97"}, {&few, "splits=3"}, {rp_target_list(0), "splits=97"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *yaml = read_yaml(search, cases[i].target), *recorded = record(cases[i].target);
        CU_ASSERT_PTR_NOT_NULL(strstr(yaml, cases[i].wanted));
        CU_ASSERT_EQUAL(strstr(yaml, "  target \"few\" ") != NULL, i == 1);
        CU_ASSERT_STRING_EQUAL(yaml, recorded);
        if (!strstr(yaml, cases[i].wanted) || strcmp(yaml, recorded)) puts(yaml), puts(recorded);
        free(yaml);
        free(recorded);
    }
}

/* Parts of a cache: a workgroup for each multiprocessor, and as many as keep them busy where the cache
 * is long. */
static void test_attention_parts(void) {
    rp_target idle = *rp_target_builtin("h200");
    idle.busy_invocations = 64;
    const rp_target *h200 = rp_target_builtin("h200");
    const struct {
        const rp_target *target;
        uint32_t rows, heads;
        uint32_t wanted;
    } cases[] = {{h200, 100, 8, 4},    {h200, 2048, 8, 16},   {h200, 4352, 8, 17},
                 {h200, 32768, 8, 33}, {h200, 32768, 200, 1}, {h200, 131072, 1, 256},
                 {&idle, 32768, 8, 16}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char yaml[512];
        uint32_t rows = cases[i].rows, heads = cases[i].heads;
        snprintf(yaml, sizeof yaml,
                 "reprise: 1\nname: a\nbuffers:\n"
                 "  q: {kind: in, dtype: f32, shape: [%u, 16]}\n"
                 "  k: {kind: in, dtype: f16, shape: [%u, %u, 16]}\n"
                 "  v: {kind: in, dtype: f16, shape: [%u, %u, 16]}\n"
                 "  n: {kind: in, dtype: u32, shape: [1]}\n"
                 "  out: {kind: out, dtype: f32, shape: [%u, 16]}\n"
                 "nodes:\n  - {op: attention, q: q, k: k, v: v, length: n, out: out}\n",
                 heads, rows, heads, rows, heads, heads);
        char *text = read_yaml(yaml, cases[i].target);
        const char *splits = strstr(text, "splits=");
        CU_ASSERT_PTR_NOT_NULL_FATAL(splits);
        CU_ASSERT_EQUAL(strtoul(splits + strlen("splits="), NULL, 10), cases[i].wanted);
        free(text);
    }
}

/* ---- Compiling ------------------------------------------------------------------------------- */

/* The target of the options is the plan's; without one the graph keeps its own. */
/* Plans for a target whose devices convert halves need them to, with or without halves of their own. */
static void test_halves(void) {
    static const uint64_t modes = RP_NEED_DENORM16 | RP_NEED_EVEN16;
    rp_target without = *rp_target_builtin("h200");
    without.needs &= ~RP_NEED_DENORM16;
    const struct {
        const rp_target *target;
        bool wanted;
    } cases[] = {{rp_target_builtin("h200"), true},
                 {&without, false},
                 {rp_target_builtin("portable"), false},
                 {rp_target_builtin("lavapipe"), false}};
    static const char *const types[] = {"f16", "f32"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t k = 0; k < 2; k++) {
            char text[256];
            snprintf(text, sizeof text,
                     "reprise 1\ngraph halves {\n  buf $x in %s[8]\n  buf $y out %s[8]\n"
                     "  n0 = op relu (r $x:%s[8], w $y:%s[8])\n}\n",
                     types[k], types[k], types[k], types[k]);
            rp_graph *graph = parse(text);
            rp_graph_set_target(graph, cases[i].target);
            rp_plan *plan = NULL;
            CU_ASSERT_EQUAL_FATAL(rp_compile(graph, NULL, NULL, &plan, NULL), RP_OK);
            CU_ASSERT_EQUAL(rp_plan_needs(plan) & modes, cases[i].wanted ? modes : 0);
            rp_plan_destroy(plan);
            rp_graph_destroy(graph);
        }
}

static void test_compile(void) {
    rp_graph *plain = parse(HEAD BODY), *own = parse(HEAD "  target \"own\" barrier_ns 5\n" BODY);
    const rp_pass_options h200 = {.size = sizeof h200, .target = rp_target_builtin("h200")},
                          none = {.size = sizeof none};
    const struct {
        const rp_graph *source;
        const rp_pass_options *options;
        const char *wanted, *wanted_source;
    } cases[] = {{plain, &h200, "  target \"h200\" ", NULL},
                 {own, &none, "  target \"own\" ", "  target \"own\" "},
                 {own, &h200, "  target \"h200\" ", "  target \"own\" "},
                 {plain, &none, NULL, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_plan *plan = NULL;
        rp_graph *compiled = NULL;
        size_t size;
        CU_ASSERT_EQUAL_FATAL(rp_compile(cases[i].source, cases[i].options, NULL, &plan, NULL),
                              RP_OK);
        const char *text = rp_plan_text(plan, &size);
        const char *source = rp_plan_source_text(plan, &size);
        if (cases[i].wanted) CU_ASSERT_PTR_NOT_NULL(strstr(text, cases[i].wanted));
        if (!cases[i].wanted) CU_ASSERT_PTR_NULL(strstr(text, "  target "));
        if (cases[i].wanted_source) CU_ASSERT_PTR_NOT_NULL(strstr(source, cases[i].wanted_source));
        if (!cases[i].wanted_source) CU_ASSERT_PTR_NULL(strstr(source, "  target "));
        CU_ASSERT_EQUAL_FATAL(rp_plan_graphs(plan, NULL, &compiled, NULL), RP_OK);
        if (cases[i].options->target)
            CU_ASSERT_EQUAL(rp_graph_target(compiled)->multiprocessors, 132);
        rp_graph_destroy(compiled);
        rp_plan_destroy(plan);
    }
    const rp_target no_size = {.barrier_ns = 1};
    const rp_pass_options wrong = {.size = sizeof wrong, .target = &no_size};
    rp_plan *no_plan = NULL;
    CU_ASSERT_EQUAL(rp_compile(plain, &wrong, NULL, &no_plan, NULL), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(no_plan);
    rp_graph_destroy(plain);
    rp_graph_destroy(own);
}

int main(void) {
    static const rp_test tests[] = {{"what is built in", test_builtins},
                                    {"nothing is zero", test_nothing_is_zero},
                                    {"what is not known", test_fill},
                                    {"a graph's target", test_graph},
                                    {"every figure counts", test_every_figure_counts},
                                    {"bad text", test_bad_text},
                                    {"front ends", test_front_ends},
                                    {"parts of an attention", test_attention_parts},
                                    {"conversions of halves", test_halves},
                                    {"compiling", test_compile},
                                    {0}};
    return rp_run_tests("targets", tests);
}
