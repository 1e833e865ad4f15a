/* Ranges of a program's live sizes, and of a pipeline's: each form is the graph of a program without ranges that
 * has the form's largest values. And what is wrong with ranges. */
#include "graph/graph.h"
#include "reprise/compiler.h"
#include "support/said.h"
#include "support/unit.h"

static rp_diags *diags;

/* Whether a message has this part; all are gone then. */
static bool said(const char *part) {
    bool found = rp_test_said(diags, part);
    rp_diags_clear(diags);
    return found;
}

/* A live size, with ranges or without. */
typedef struct size_of {
    const char *name;
    uint32_t most, first, range_count, ranges[8];
} size_of;

static rp_status add_live(rp_program *program, const size_of *s) {
    rp_buffer buffer;
    const rp_buffer_params params = {.size = sizeof params,
                                     .name = s->name,
                                     .kind = RP_LIVE,
                                     .dtype = RP_U32,
                                     .rank = 1,
                                     .shape = {1},
                                     .initial = &s->first,
                                     .max_value = s->most,
                                     .ranges = s->ranges,
                                     .range_count = s->range_count};
    return rp_program_buffer(program, &params, diags, &buffer);
}

static uint64_t extent(rp_program *program, const char *text) {
    uint64_t number = 0;
    CU_ASSERT_EQUAL(rp_program_extent(program, text, diags, &number), RP_OK);
    return number;
}

typedef struct recorded {
    rp_program *program;
    rp_recorder *recorder;
} recorded;

static rp_buffer add(recorded *r, const char *name, rp_buffer_kind kind, uint64_t rows) {
    rp_buffer buffer = {0};
    const rp_buffer_params params = {.size = sizeof params,
                                     .name = name,
                                     .kind = kind,
                                     .dtype = RP_F32,
                                     .rank = 2,
                                     .shape = {rows, 16}};
    CU_ASSERT_EQUAL(rp_program_buffer(r->program, &params, diags, &buffer), RP_OK);
    return buffer;
}

/* Ops, views, sums of sizes and copies over sizes n and m. */
static recorded record(size_of n, size_of m) {
    recorded r = {0};
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "g", &r.program), RP_OK);
    n.name = "n";
    m.name = "m";
    CU_ASSERT_EQUAL(add_live(r.program, &n), RP_OK);
    CU_ASSERT_EQUAL(add_live(r.program, &m), RP_OK);
    uint64_t rows = extent(r.program, "2 * n * m"), sum = extent(r.program, "n + m");
    uint64_t flat = extent(r.program, "32 * m * n");
    rp_buffer x = add(&r, "x", RP_IN, rows), y = add(&r, "y", RP_OUT, rows);
    rp_buffer z = add(&r, "z", RP_INOUT, sum), w = add(&r, "w", RP_OUT, sum);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(r.program, &r.recorder), RP_OK);
    const rp_operand flattened[] = {
        {.name = "x", .range = {.buffer = x}, .dtype = RP_F32, .rank = 1, .shape = {flat}},
        {.name = "out", .range = {.buffer = y}, .dtype = RP_F32, .rank = 1, .shape = {flat}}};
    const rp_operand rows_of[] = {{.name = "x", .range = {.buffer = z}},
                                  {.name = "out", .range = {.buffer = w}}};
    rp_apply(r.recorder, "silu", flattened, 2, NULL, 0);
    rp_apply(r.recorder, "softmax", rows_of, 2, NULL, 0);
    rp_copy(r.recorder, (rp_range){.buffer = w}, (rp_range){.buffer = z});
    return r;
}

static void release(recorded *r) {
    rp_recorder_destroy(r->recorder);
    rp_program_destroy(r->program);
}

static void test_forms(void) {
    static const uint32_t ns[] = {2, 5, 9}, ms[] = {3, 4};
    recorded all = record((size_of){.most = 9, .first = 4, .range_count = 2, .ranges = {2, 5}},
                          (size_of){.most = 4, .range_count = 1, .ranges = {3}});
    CU_ASSERT_EQUAL_FATAL(rp_program_form_count(all.program), 6);
    const rp_graph *graphs[6];
    rp_graph *last = NULL;
    for (uint32_t f = 0; f < 6; f++) {
        uint32_t n = ns[f / 2], m = ms[f % 2];
        recorded one = record((size_of){.most = n, .first = n < 4 ? n : 4}, (size_of){.most = m});
        rp_graph *form = NULL, *alone = NULL;
        CU_ASSERT_EQUAL(rp_program_form_count(one.program), 1);
        CU_ASSERT_EQUAL_FATAL(rp_program_form(all.program, &all.recorder, 1, f, diags, &form),
                              RP_OK);
        CU_ASSERT_EQUAL_FATAL(rp_program_graph(one.program, &one.recorder, 1, diags, &alone),
                              RP_OK);
        CU_ASSERT_TRUE(rp_graph_equal(form, alone));
        CU_ASSERT_EQUAL(rp_graph_hash(form), rp_graph_hash(alone));
        graphs[f] = form;
        rp_graph_destroy(alone);
        release(&one);
    }
    CU_ASSERT_EQUAL(rp_program_graph(all.program, &all.recorder, 1, diags, &last), RP_OK);
    CU_ASSERT_TRUE(rp_graph_equal(last, graphs[5]));
    rp_plan *plan = NULL;
    rp_pass_reports *reports[6];
    CU_ASSERT_EQUAL(rp_compile_forms(graphs, 6, NULL, diags, &plan, reports), RP_OK);
    CU_ASSERT_EQUAL(rp_plan_form_count(plan), 6);
    char title[64];
    CU_ASSERT_EQUAL(rp_plan_form_title(plan, 2, title, sizeof title), RP_OK);
    CU_ASSERT_STRING_EQUAL(title, "n <= 5, m <= 3");
    CU_ASSERT_EQUAL(rp_plan_check(plan, NULL, diags, NULL), RP_OK);
    rp_plan_destroy(plan);
    for (uint32_t f = 0; f < 6; f++) rp_pass_reports_destroy(reports[f]);
    for (uint32_t f = 0; f < 6; f++) rp_graph_destroy((rp_graph *)graphs[f]);
    rp_graph_destroy(last);
    CU_ASSERT_EQUAL(rp_program_form(all.program, &all.recorder, 1, 6, diags, &last),
                    RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_form_count(NULL), 0);
    release(&all);
}

static bool form_says(const recorded *r, uint32_t form, const char *words) {
    rp_graph *g = NULL;
    char *text = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_program_form(r->program, &r->recorder, 1, form, diags, &g), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_graph_print(g, RP_FORMAT_TEXT, &text, NULL), RP_OK);
    bool says = strstr(text, words) != NULL;
    rp_text_release(g, text);
    rp_graph_destroy(g);
    return says;
}

static uint32_t form_of(const rp_plan *plan, uint32_t n) {
    const rp_plan_live_value value = {"n", 0, n};
    uint32_t form = UINT32_MAX;
    CU_ASSERT_EQUAL(rp_plan_choose_form(plan, &value, 1, &form), RP_OK);
    return form;
}

/* In a form for exactly 1 a size is a number, but for sums of it and others. */
static void test_exactly_one(void) {
    recorded all = record((size_of){.most = 9, .first = 4, .range_count = 2, .ranges = {1, 5}},
                          (size_of){.most = 4});
    const rp_graph *graphs[3];
    rp_plan *plan = NULL;
    char title[64];
    CU_ASSERT_EQUAL_FATAL(rp_program_form_count(all.program), 3);
    CU_ASSERT_TRUE(form_says(&all, 0, "buf $n live u32[1] = 01000000 max 1"));
    CU_ASSERT_TRUE(form_says(&all, 0, "buf $x in f32[{2 * $m},16]"));
    CU_ASSERT_TRUE(form_says(&all, 0, "buf $z inout f32[{$n + $m},16]"));
    CU_ASSERT_TRUE(form_says(&all, 0, "op silu (r $x:f32[{32 * $m}], w $y:f32[{32 * $m}])"));
    CU_ASSERT_TRUE(form_says(&all, 1, "buf $x in f32[{2 * $n * $m},16]"));
    for (uint32_t f = 0; f < 3; f++)
        CU_ASSERT_EQUAL_FATAL(
            rp_program_form(all.program, &all.recorder, 1, f, diags, (rp_graph **)&graphs[f]),
            RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_compile_forms(graphs, 3, NULL, diags, &plan, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_plan_check(plan, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_plan_form_title(plan, 0, title, sizeof title), RP_OK);
    CU_ASSERT_STRING_EQUAL(title, "n = 1");
    CU_ASSERT_TRUE(form_of(plan, 0) == 1 && form_of(plan, 1) == 0 && form_of(plan, 2) == 1);
    CU_ASSERT_TRUE(form_of(plan, 5) == 1 && form_of(plan, 9) == 2);
    rp_plan_destroy(plan);
    for (uint32_t f = 0; f < 3; f++) rp_graph_destroy((rp_graph *)graphs[f]);
    release(&all);
}

/* Those that the program's target names, as far as they are below the largest value. */
static void test_of_target(void) {
    rp_target target = RP_TARGET_INIT;
    static const uint32_t counts[][2] = {{60, 3}, {16, 2}, {4, 1}};
    target.size_ranges = 4 | 16;
    for (uint32_t i = 0; i < 3; i++) {
        rp_program *program = NULL;
        const size_of n = {"n", counts[i][0], 0, RP_RANGES_AUTO, {0}};
        CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "g", &program), RP_OK);
        CU_ASSERT_EQUAL(rp_program_set_target(program, &target), RP_OK);
        CU_ASSERT_EQUAL(add_live(program, &n), RP_OK);
        CU_ASSERT_EQUAL(rp_program_form_count(program), counts[i][1]);
        rp_program_destroy(program);
    }
}

/* Each form of a pipeline is the pipeline with that max and no ranges. */
static void test_pipelines(void) {
    static const char text[] =
        "reprise: 1\n"
        "params: {width: 16}\n"
        "live: {n: {max: %u%s, default: %u}, gain: {dtype: f32, default: 2}}\n"
        "buffers:\n"
        "  x: {kind: in, dtype: f32, shape: [n, width]}\n"
        "  y: {kind: out, dtype: f32, shape: [n * width]}\n"
        "nodes:\n"
        "  - {op: softmax, x: x, out: t}\n"
        "  - {map: 'a * b', bind: {a: {buffer: t, shape: [n * width]}, b: gain}, out: y}\n";
    char own[1024];
    rp_pipeline *all = NULL, *one = NULL;
    static const uint32_t most[] = {2, 7, 40};
    snprintf(own, sizeof own, text, 40, ", ranges: [2, 7]", 6);
    CU_ASSERT_EQUAL_FATAL(rp_pipeline_parse(NULL, own, strlen(own), "p.yaml", NULL, 0, diags, &all),
                          RP_OK);
    CU_ASSERT_EQUAL(rp_pipeline_form_count(all), 3);
    for (uint32_t f = 0; f < 3; f++) {
        snprintf(own, sizeof own, text, most[f], "", most[f] < 6 ? most[f] : 6);
        CU_ASSERT_EQUAL_FATAL(
            rp_pipeline_parse(NULL, own, strlen(own), "p.yaml", NULL, 0, diags, &one), RP_OK);
        CU_ASSERT_TRUE(rp_graph_equal(rp_pipeline_form(all, f), rp_pipeline_graph(one)));
        rp_pipeline_destroy(one);
    }
    CU_ASSERT_PTR_EQUAL(rp_pipeline_form(all, 2), rp_pipeline_graph(all));
    CU_ASSERT_PTR_NULL(rp_pipeline_form(all, 3));
    CU_ASSERT_PTR_NULL(rp_pipeline_form(NULL, 0));
    CU_ASSERT_EQUAL(rp_pipeline_form_count(NULL), 0);
    char title[16];
    CU_ASSERT_EQUAL(rp_pipeline_form_title(all, 1, title, sizeof title), RP_OK);
    CU_ASSERT_STRING_EQUAL(title, "n <= 7");
    CU_ASSERT_EQUAL(rp_pipeline_form_title(all, 3, title, sizeof title), RP_ERROR_USAGE);
    rp_pipeline_destroy(all);
}

static void test_wrong(void) {
    static const struct {
        size_of size;
        const char *message;
    } cases[] = {
        {{"a", 9, 0, 2, {5, 2}}, "buffer 'a': ranges ascend"},
        {{"a", 9, 0, 2, {5, 5}}, "ranges ascend"},
        {{"a", 9, 0, 1, {0}}, "the largest size of a range is 1 at least"},
        {{"a", 9, 0, 1, {9}}, "ranges end below max"},
        {{"a", 0, 0, 1, {4}}, "ranges need a largest value"},
    };
    rp_program *program = NULL;
    rp_recorder *recorder = NULL;
    rp_graph *graph = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "g", &program), RP_OK);
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CU_ASSERT_EQUAL(add_live(program, &cases[i].size), RP_ERROR_INVALID);
        CU_ASSERT_TRUE(said(cases[i].message));
    }
    rp_buffer buffer;
    static const uint32_t ranges[] = {4};
    rp_buffer_params params = {.size = sizeof params,
                               .name = "i",
                               .kind = RP_LIVE,
                               .dtype = RP_I32,
                               .rank = 1,
                               .shape = {1},
                               .max_value = 9,
                               .ranges = ranges,
                               .range_count = 1};
    CU_ASSERT_EQUAL(rp_program_buffer(program, &params, diags, &buffer), RP_ERROR_INVALID);
    CU_ASSERT_TRUE(said("ranges are for a size, which is one u32"));
    params.dtype = RP_U32;
    params.shape[0] = 2;
    CU_ASSERT_EQUAL(rp_program_buffer(program, &params, diags, &buffer), RP_ERROR_INVALID);
    params.kind = RP_IN;
    params.max_value = 0;
    CU_ASSERT_EQUAL(rp_program_buffer(program, &params, diags, &buffer), RP_ERROR_INVALID);
    rp_diags_clear(diags);
    /* What no dimension follows has no ranges. */
    CU_ASSERT_EQUAL(add_live(program, &(size_of){"n", 90, 0, 2, {4, 8}}), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(program, &recorder), RP_OK);
    CU_ASSERT_EQUAL(rp_program_graph(program, &recorder, 1, diags, &graph), RP_ERROR_INVALID);
    CU_ASSERT_TRUE(said("buffer 'n': no dimension follows it: ranges are for sizes"));
    /* A size that cannot vary any more in a smaller form. */
    recorded r = {program, recorder};
    rp_buffer x = add(&r, "x", RP_IN, extent(program, "n / 8")),
              y = add(&r, "y", RP_OUT, extent(program, "n / 8"));
    rp_copy(recorder, (rp_range){.buffer = x}, (rp_range){.buffer = y});
    CU_ASSERT_EQUAL(rp_program_form(program, &recorder, 1, 2, diags, &graph), RP_OK);
    rp_graph_destroy(graph);
    CU_ASSERT_EQUAL(rp_program_form(program, &recorder, 1, 1, diags, &graph), RP_ERROR_INVALID);
    CU_ASSERT_TRUE(said("in the form for n <= 8: n / 8 is at most 1"));
    /* More forms than a plan has. */
    CU_ASSERT_EQUAL(add_live(program, &(size_of){"m", 90, 0, 6, {2, 3, 4, 5, 6, 7}}), RP_OK);
    CU_ASSERT_EQUAL(add_live(program, &(size_of){"k", 90, 0, 1, {2}}), RP_OK);
    (void)extent(program, "m * k");
    CU_ASSERT_EQUAL(rp_program_form_count(program), 42);
    CU_ASSERT_EQUAL(rp_program_graph(program, &recorder, 1, diags, &graph), RP_ERROR_INVALID);
    CU_ASSERT_TRUE(said("the ranges of all sizes make 42 forms"));
    release(&r);
}

int main(void) {
    static const rp_test tests[] = {
        {"forms", test_forms},           {"exactly one", test_exactly_one},
        {"of a target", test_of_target}, {"pipelines", test_pipelines},
        {"wrong ranges", test_wrong},    {0}};
    diags = rp_diags_create(NULL);
    int result = rp_run_tests("forms of programs", tests);
    rp_diags_destroy(diags);
    return result;
}
