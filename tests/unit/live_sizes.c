/* Live sizes in graphs: dimensions from C and from text, what is equal, what is refused, and shapes of
 * plans at given values. On devices they are tried by tests/gpu/sizes.c. */
#include <string.h>

#include "graph/graph.h"
#include "ops/ask.h"
#include "reprise/compiler.h"
#include "reprise/plan_build.h"
#include "support/unit.h"
#include "support/abstract_lowering.h"

static rp_diags *diags;

static const char *message(void) {
    static char text[600];
    text[0] = '\0';
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        rp_diag d = rp_diags_get(diags, i);
        snprintf(text, sizeof text, "%s", d.message);
    }
    return text;
}

static bool says(const char *words) {
    if (strstr(message(), words)) return true;
    fprintf(stderr, "\n  expected \"%s\"\n  got \"%s\"", words, message());
    return false;
}

static rp_graph *parse(const char *text) {
    rp_graph *g = NULL;
    rp_diags_destroy(diags);
    diags = rp_diags_create(NULL);
    rp_graph_parse(NULL, text, strlen(text), "t", diags, &g);
    return g;
}

#define HEAD                                                                                       \
    "reprise 1\ngraph g {\n  buf $n live u32[1] = 05000000 max 9\n"                                \
    "  buf $past live u32[2] max 4\n"

static const char good[] =
    HEAD "  buf $x in f32[{$n},{8 * $past[1]}]\n  buf $z in f32[{$n + $past[1]},2]\n"
         "  buf $y out f32[{$n},{8 * $past[1]}]\n  buf $w out f32[{$n + $past[1]},2]\n"
         "  n0 = op silu (r $x:f32[{8 * $n * $past[1]}], w $y:f32[{8 * $n * $past[1]}])\n"
         "  n1 = op silu (r $z:f32[{$n + $past[1]},2], w $w:f32[{$n + $past[1]},2])\n}\n";

/* The same with other live values first, so that sizes have other numbers. */
static const char turned[] =
    "reprise 1\ngraph g {\n  buf $past live u32[2] max 4\n"
    "  buf $n live u32[1] = 05000000 max 9\n"
    "  buf $z in f32[{$n + $past[1]},2]\n  buf $x in f32[{$n},{$past[1] * 8}]\n"
    "  buf $y out f32[{$n},{8 * $past[1]}]\n  buf $w out f32[{$n + $past[1]},2]\n"
    "  n0 = op silu (r $x:f32[{8 * $past[1] * $n}], w $y:f32[{$n * 8 * $past[1]}])\n"
    "  n1 = op silu (r $z:f32[{$n + $past[1]},2], w $w:f32[{$n + $past[1]},2])\n}\n";

static void test_text(void) {
    rp_graph *g = parse(good), *again = NULL;
    char *text = NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(g);
    CU_ASSERT_EQUAL(rp_graph_print(g, RP_FORMAT_TEXT, &text, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_graph_parse(NULL, text, strlen(text), NULL, NULL, &again), RP_OK);
    CU_ASSERT(rp_graph_equal(g, again) && rp_graph_hash(g) == rp_graph_hash(again));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "$x in f32[{$n},{8 * $past[1]}]"));
    rp_text_release(g, text);
    rp_graph_destroy(again);
    /* Another order of buffers is another graph; its dimensions are the same. */
    again = parse(turned);
    CU_ASSERT_PTR_NOT_NULL_FATAL(again);
    uint32_t x = rp_graph_find_buffer(g, "x"), y = rp_graph_find_buffer(again, "x");
    uint32_t w = rp_graph_find_buffer(again, "w");
    CU_ASSERT(
        rp_graph_same_dims(g, g->buffers[x].first_dim, again, again->buffers[y].first_dim, 2));
    CU_ASSERT(
        !rp_graph_same_dims(g, g->buffers[x].first_dim, again, again->buffers[w].first_dim, 2));
    rp_graph_destroy(again);
    rp_graph_destroy(g);
}

/* What is written in another way: quotients that leave nothing, and 0 more. */
static void test_same(void) {
    static const char *const ways[] = {"8 * $n", "16 * $n / 2", "ceil_div(8 * $n, 1)", "0 + $n * 8",
                                       "$n * 8 + 0"};
    for (uint32_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        char text[300];
        snprintf(text, sizeof text,
                 HEAD "  buf $x in f32[{%s}]\n  buf $y out f32[{8 * $n}]\n"
                      "  n0 = op silu (r $x:f32[{%s}], w $y:f32[{8 * $n}])\n}\n",
                 ways[i], ways[i]);
        rp_graph *g = parse(text);
        CU_ASSERT_FATAL(g && rp_graph_verify(g, "t", diags) == RP_OK);
        CU_ASSERT_EQUAL(g->sizes.count, 1);
        rp_graph_destroy(g);
    }
}

static void test_refused(void) {
    static const char *const cases[][2] = {
        {"  buf $x in f32[{$n - 1}]\n", "a dimension grows with the live values in it"},
        {"  buf $x in f32[{-$n}]\n", "a dimension is not negative"},
        {"  buf $x in f32[{$n * 0}]\n", "a dimension is 1 at least"},
        {"  buf $x in f32[{$past[2]}]\n", "past has 2 elements, and no [2]"},
        {"  buf $x in f32[{$n / ($n - $n)}]\n", "a dimension grows"},
        {"  buf $x in f32[{$n / 0}]\n", "division by zero"},
        {"  buf $x in f32[{min($n, 1)}]\n", "is at most 1"},
        {"  buf $x in f32[{$n * 500000000 / 300000000}]\n", "there are 32 bits for it"},
        {"  buf $x in f32[{min($n * 500000000, 9)}]\n", "up to 4500000000 on its way"},
        {"  buf $x in f32[{min($n, 4294967296)}]\n", "there are 32 bits for it"},
        {"  buf $x in f32[{$m}]\n", "unknown name"},
        {"  buf $x in q8_0[{31 * $n}]\n", "multiple of 32"},
        {"  buf $x in f32[{$n}]\n  buf $y out f32[9]\n  n0 = op silu (r $x:f32[{$n}], w "
         "$y:f32[9])\n",
         "where n is 1"},
        {"  buf $x in f32[{$n}]\n  buf $y out f32[9]\n"
         "  n0 = op silu (r $x:f32[{$n}], w $y:f32[{$n}])\n",
         "n0: w $y is written up to n"},
        {"  buf $x in f32[{$n}]\n  buf $y out f32[9]\n  n0 = op silu (r $x:f32[9], w $y:f32[9])\n",
         "n0: r $x is seen as elements that follow nothing"},
        {"  buf $x in f32[{$n},2]\n  buf $y out f32[{$n}]\n"
         "  n0 = op silu (r $x[0+36]:f32[{$n}], w $y:f32[{$n}])\n",
         "n0: r $x[0+36] is a part of a buffer that follows n"},
        {"  buf $x in f32[{$n}]\n  buf $y out f32[9]\n  n0 = copy (r $x, w $y)\n",
         "n0: r $x follows n"},
        {"  buf $y out f32[{$n}]\n  n0 = fill 00000000 (w $y[0+8])\n", "n0: w $y[0+8] is a part"},
        {"  buf $t live u32[1] max 2\n  buf $y out f32[{$t * $t * $t * $t * $t * $t * $t * $t},{$t "
         "* $t * $t * $t * $t * $t * $t * $t}]\n  n0 = fill 00000000 (w $y)\n",
         "n0: w $y is of a shape in which a live value stands more than 15 times"},
        {"  buf $t live u32[1] max 2\n  buf $y out f32[{$t * $t * $t * $t * $t * $t * $t * $t * $t "
         "* $t * $t * $t * $t * $t * $t * $t * $t}]\n  n0 = fill 00000000 (w $y)\n",
         "a live value stands in one dimension more than 15 times"},
        {"  buf $y out f32[{$n}]\n  n0 = update 00000000 (w $y[0+4])\n", "n0: w $y[0+4] is a part"},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[600];
        snprintf(text, sizeof text, HEAD "%s}\n", cases[i][0]);
        rp_graph *g = parse(text);
        bool refused = !g || rp_graph_verify(g, "t", diags) != RP_OK;
        CU_ASSERT(refused && says(cases[i][1]));
        rp_graph_destroy(g);
    }
}

/* ---- From C ---------------------------------------------------------------------------------- */

static rp_buffer make(rp_program *p, const char *name, rp_buffer_kind kind, uint32_t rank,
                      uint64_t rows, uint64_t columns, uint32_t max) {
    rp_buffer buffer;
    const rp_buffer_params params = {.size = sizeof params,
                                     .name = name,
                                     .kind = kind,
                                     .dtype = kind == RP_LIVE ? RP_U32 : RP_F32,
                                     .rank = rank,
                                     .shape = {rows, columns},
                                     .max_value = max};
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(p, &params, diags, &buffer), RP_OK);
    return buffer;
}

/* What numbers follow, by what they are at several sizes: products of values and of what is computed of these. */
static void test_guesses(void) {
    enum { N, M, SUM, HALF, LEAST, SIZES };
    static const uint8_t products[][SIZES] = {
        {0},       {1},       {0, 2},       {1, 1},       {0, 0, 1},       {1, 0, 1},
        {0, 0, 2}, {2, 1, 1}, {0, 0, 0, 1}, {0, 1, 1, 1}, {0, 0, 0, 1, 1},
    };
    rp_sizes sizes = {.count = SIZES,
                      .most = {7, 4, 11, 3, 4},
                      .step_count = {[SUM] = 3, [HALF] = 3, [LEAST] = 3},
                      .steps = {[SUM] = {{.code = RP_EXPR_LIVE, .buffer = N},
                                         {.code = RP_EXPR_LIVE, .buffer = M},
                                         {.code = RP_EXPR_ADD}},
                                [HALF] = {{.code = RP_EXPR_LIVE, .buffer = N},
                                          {.code = RP_EXPR_CONST, .value = 2},
                                          {.code = RP_EXPR_DIV}},
                                [LEAST] = {{.code = RP_EXPR_LIVE, .buffer = N},
                                           {.code = RP_EXPR_CONST, .value = 4},
                                           {.code = RP_EXPR_MIN}}}};
    for (uint32_t i = 0; i <= sizeof products / sizeof *products; i++) {
        bool last = i == sizeof products / sizeof *products; /* no product */
        rp_extent number = {last ? 12 : 3, 0};
        for (uint32_t k = 0; !last && k < SIZES; k++)
            for (uint32_t power = products[i][k]; power > 0; power--)
                number = rp_extent_product(number, (rp_extent){sizes.most[k], rp_powers_of(k, 1)});
        rp_guess guess = rp_guess_begin(&sizes, number.most, RP_POWERS_NONE);
        rp_question q;
        for (uint32_t next = 0; rp_ask(&sizes, 1u << N | 1u << M, &next, &q);)
            rp_guess_learn(&guess, &sizes, &q, number.most,
                           last ? q.at[N] + 5 : rp_extent_at(&sizes, number, q.at));
        CU_ASSERT_EQUAL(rp_guess_conclude(&guess), last ? RP_POWERS_NONE : number.powers);
    }
}

static void test_recorder(void) {
    rp_program *p = NULL, *other = NULL;
    rp_recorder *r = NULL;
    rp_graph *g = NULL;
    uint64_t n = 0, sum = 0, wide = 0, any = 0;
    rp_diags_destroy(diags);
    diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "p", &p), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "q", &other), RP_OK);
    make(p, "n", RP_LIVE, 1, 1, 0, 9);
    make(p, "past", RP_LIVE, 1, 2, 0, 4);
    make(p, "free", RP_LIVE, 1, 1, 0, 0);
    CU_ASSERT_EQUAL(rp_program_extent(p, "n", diags, &n), RP_OK);
    CU_ASSERT_EQUAL(rp_program_extent(p, "$n + past[1]", diags, &sum), RP_OK);
    CU_ASSERT_EQUAL(rp_program_extent(p, "8 * n", diags, &wide), RP_OK);
    CU_ASSERT_EQUAL(rp_program_extent(NULL, "n", diags, &any), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_extent(p, NULL, diags, &any), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_extent(p, "n", diags, NULL), RP_ERROR_USAGE);
    CU_ASSERT(rp_program_extent(p, "n +", diags, &any) == RP_ERROR_INVALID && says("character 4"));
    CU_ASSERT(rp_program_extent(p, "m", diags, &any) == RP_ERROR_INVALID && says("unknown name"));
    CU_ASSERT(rp_program_extent(p, "free", diags, &any) == RP_ERROR_INVALID && says("has no max"));
    rp_buffer x = make(p, "x", RP_IN, 2, n, 8, 0), y = make(p, "y", RP_OUT, 1, wide, 0, 0);
    make(p, "z", RP_TMP, 2, sum, 3, 0);
    const rp_buffer_params wrong = {
        .size = sizeof wrong, .name = "w", .kind = RP_IN, .dtype = RP_F32, .rank = 1, .shape = {n}};
    rp_buffer w;
    CU_ASSERT(rp_program_buffer(other, &wrong, diags, &w) == RP_ERROR_INVALID &&
              says("no extent of this program"));
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(p, &r), RP_OK);
    const rp_operand operands[] = {
        {.name = "x", .range = {.buffer = x}},
        {.name = "out", .range = {.buffer = y}, .dtype = RP_F32, .rank = 2, .shape = {n, 8}}};
    rp_apply(r, "silu", operands, 2, NULL, 0);
    CU_ASSERT_EQUAL_FATAL(rp_program_graph(p, &r, 1, diags, &g), RP_OK);
    CU_ASSERT_EQUAL(rp_graph_verify(g, NULL, diags), RP_OK);
    char *text = NULL;
    CU_ASSERT_EQUAL(rp_graph_print(g, RP_FORMAT_TEXT, &text, NULL), RP_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "buf %z tmp f32[{$n + $past[1]},3]"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "n0 = op silu (r $x:f32[{$n},8], w $y:f32[{$n},8])"));
    rp_text_release(g, text);
    rp_graph_destroy(g);
    rp_recorder_destroy(r);
    rp_program_destroy(p);
    rp_program_destroy(other);
}

/* ---- Plans ----------------------------------------------------------------------------------- */

static void test_plan(void) {
    rp_graph *g = parse(good);
    const rp_pass_options options = {.size = sizeof options, .lowering = abstract_lowering()};
    rp_plan *plan = NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(g);
    CU_ASSERT_EQUAL_FATAL(rp_compile(g, &options, diags, &plan, NULL), RP_OK);
    uint64_t shape[RP_MAX_RANK], bytes = 0;
    uint32_t count = rp_plan_buffer_count(plan), seen = 0;
    const rp_plan_live_value values[] = {{"n", 0, 3}, {"past", 1, 2}}, large[] = {{"n", 0, 10}};
    for (uint32_t i = 0; i < count; i++) {
        rp_plan_buffer_info info = {.size = sizeof info};
        CU_ASSERT_EQUAL(rp_plan_get_buffer(plan, i, &info), RP_OK);
        CU_ASSERT_EQUAL(rp_plan_get_shape(plan, i, values, 2, shape, &bytes), RP_OK);
        if (!strcmp(info.name, "x")) {
            CU_ASSERT(info.sized && info.shape[0] == 9 && info.shape[1] == 32);
            CU_ASSERT_EQUAL(info.max_value, UINT32_MAX);
            CU_ASSERT(shape[0] == 3 && shape[1] == 16 && bytes == 3 * 16 * 4);
            CU_ASSERT_EQUAL(rp_plan_get_shape(plan, i, NULL, 0, shape, NULL), RP_OK);
            CU_ASSERT(shape[0] == 5 && shape[1] == 0);
            CU_ASSERT_EQUAL(rp_plan_get_shape(plan, i, large, 1, shape, NULL), RP_ERROR_USAGE);
            seen++;
        } else if (!strcmp(info.name, "w")) {
            CU_ASSERT(shape[0] == 5 && shape[1] == 2 && info.shape[0] == 13);
            seen++;
        } else if (!strcmp(info.name, "past")) {
            CU_ASSERT(!info.sized && shape[0] == 2 && bytes == 8 && info.max_value == 4);
            seen++;
        }
    }
    CU_ASSERT_EQUAL(seen, 3);
    CU_ASSERT_EQUAL(rp_plan_get_shape(plan, count, NULL, 0, shape, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_plan_get_shape(plan, 0, NULL, 0, NULL, NULL), RP_ERROR_USAGE);
    rp_plan_destroy(plan);
    rp_graph_destroy(g);
}

int main(void) {
    static const rp_test tests[] = {
        {"text", test_text}, {"refused", test_refused},   {"guesses", test_guesses},
        {"same", test_same}, {"recorder", test_recorder}, {"shapes of plans", test_plan},
        {NULL, NULL}};
    int result = rp_run_tests("live sizes", tests);
    rp_diags_destroy(diags);
    return result;
}
