/* Op nodes: how members are built and resolved, what equality, differences and copies see of them,
 * and the rules that no text can break. tests/golden/ir/ops.rpir has the text form, bad-ops.rpir
 * its errors. */
#include "support/unit.h"
#include "support/failing_alloc.h"

#include <math.h>

#include "base/number.h"
#include "graph/deps.h"
#include "graph/graph.h"
#include "reprise/plan_build.h"

/* Every form of operand and attribute; a fused node, one before it in id order that stands behind
 * it, and a kernel made of ops. */
static const char base_text[] =
    "reprise 1\n"
    "graph base {\n"
    "  buf $x in f32[2,64]\n"
    "  buf $g weight f32[64]\n"
    "  buf $row in u32[2]\n"
    "  buf $kept inout f32[8,64]\n"
    "  buf $y out f32[2,64]\n"
    "  buf %n tmp f32[2,64]\n"
    "  buf %p tmp f32[64,2]\n"
    "  buf %m tmp f32[2,64]\n"
    "  kern @k spirv - local 64 1 1 (r, r, rw)\n"
    "  n0 = op rms_norm {eps=0.5} (r $x:f32[2,64], r $g:f32[64], w %n:f32[2,64]) label \"a\"\n"
    "  n1 = op permute {order=abdc} (r %n:f32[1,1,2,64], w %p:f32[1,1,64,2])\n"
    "  n2 = op map {expr=\"a * b + c\"} (r $x:f32[2,64], r $g[0+4]:f32[], r $x:f32[2,64], "
    "w %m:f32[2,64])\n"
    "  n5 = fused {\n"
    "    n3 = silu (r %m:f32[2,64], w ^s:f32[2,64])\n"
    "    n4 = mul (r ^s:f32[128], r %p:f32[128], w $y:f32[128])\n"
    "    n5 = add (r ^s:f32[128], r $y:f32[128], w %n:f32[128])\n"
    "  }\n"
    "  n6 = op add (r %n:f32[128], r %n:f32[128], w %n:f32[128]) op tag\n"
    "  n7 = run @k grid 2 1 1 (r %n, r $row, rw $kept) for {\n"
    "    n7 = scatter_rows (r %n:f32[2,64], r $row:u32[2], rw $kept:f32[8,64])\n"
    "  }\n"
    "}\n";

static rp_graph *parse_with(const rp_allocator *allocator, const char *text) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *graph = NULL;
    rp_graph_parse(allocator, text, strlen(text), "test", diags, &graph);
    for (uint32_t i = 0; !graph && i < rp_diags_count(diags); i++) {
        rp_diag diag = rp_diags_get(diags, i);
        printf("%u:%u: %s\n", diag.line, diag.column, diag.message);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(graph);
    rp_diags_destroy(diags);
    return graph;
}

static rp_graph *parse(const char *text) {
    return parse_with(NULL, text);
}

static const rp_graph_operand *operand(const rp_graph *g, uint32_t node, uint32_t member,
                                       uint32_t index) {
    return &rp_member_operands(g, &rp_node_members(g, &g->nodes[node])[member])[index];
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static void number_forms(void) {
    static const struct {
        double number;
        const char *text;
    } forms[] = {{0, "0"},
                 {-0.0, "-0"},
                 {1, "1"},
                 {-7, "-7"},
                 {0.5, "0.5"},
                 {1e-6, "1e-06"},
                 {0.0001, "0.0001"},
                 {0.00001, "1e-05"},
                 {123456.75, "123456.75"},
                 {1e16, "10000000000000000"},
                 {1e17, "1e17"},
                 {1.5e300, "1.5e300"},
                 {5e-324, "5e-324"},
                 {0.1, "0.1"},
                 {1.0 / 3, "0.3333333333333333"},
                 {INFINITY, "inf"},
                 {-INFINITY, "-inf"}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        rp_text text;
        double again = 99;
        rp_text_init(&text, NULL);
        rp_number_print(&text, forms[i].number);
        CU_ASSERT_STRING_EQUAL(text.data, forms[i].text);
        CU_ASSERT(rp_number_parse(text.data, text.size, &again));
        CU_ASSERT(again == forms[i].number && signbit(again) == signbit(forms[i].number));
        rp_text_free(&text);
    }
    static const char *const wrong[] = {"",      "-",    ".",     "e5",   "1e",   "1e-",   "--1",
                                        "1.2.3", "0x10", "1e5.0", "infx", "-nan", "1e999", "1 "};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        double untouched = 7;
        CU_ASSERT(!rp_number_parse(wrong[i], strlen(wrong[i]), &untouched));
        CU_ASSERT_EQUAL(untouched, 7);
    }
    double number;
    CU_ASSERT(rp_number_parse("nan", 3, &number) && isnan(number));
    CU_ASSERT(rp_number_parse(".5", 2, &number) && number == 0.5);
    CU_ASSERT(rp_number_parse("2.E+3", 5, &number) && number == 2000);
    CU_ASSERT(rp_number_parse("1e-999", 6, &number) && number == 0);
}

/* Any bit pattern reads back to itself, and to what strtod makes of the text. */
static void numbers_round_trip(void) {
    uint64_t seed = 11;
    for (int i = 0; i < 20000; i++) {
        double number, again = 0;
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint64_t bits = seed ^ seed >> 29;
        memcpy(&number, &bits, sizeof number);
        if (i % 2) number = (double)(float)(bits % 100000) / 1024; /* the likely ones */
        if (isnan(number)) continue;
        rp_text text;
        rp_text_init(&text, NULL);
        rp_number_print(&text, number);
        CU_ASSERT_FATAL(rp_number_parse(text.data, text.size, &again));
        CU_ASSERT_FATAL(memcmp(&number, &again, sizeof number) == 0);
        CU_ASSERT_FATAL(strtod(text.data, NULL) == number);
        rp_text_free(&text);
    }
}

/* Integers of 64 bits, all digits of them, near every power of two and anywhere. */
static void integers_round_trip(void) {
    uint64_t seed = 7;
    for (uint32_t i = 0; i < 4000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint64_t bits = i < 640 ? (UINT64_C(1) << i / 10) + i % 10 - 5 : seed >> seed % 64, again;
        bool negative = i % 2 && bits <= (uint64_t)INT64_MAX + 1;
        char digits[32];
        double number, rest, number_again, rest_again;
        snprintf(digits, sizeof digits, negative ? "-%llu" : "%llu", (unsigned long long)bits);
        CU_ASSERT_FATAL(rp_number_parse_exact(digits, strlen(digits), &number, &rest));
        CU_ASSERT_FATAL(rp_number_within(number, rest, INT64_MIN, UINT64_MAX, &again));
        CU_ASSERT_FATAL(again == (negative ? 0 - bits : bits));
        rp_text text;
        rp_text_init(&text, NULL);
        rp_number_print_exact(&text, number, rest);
        CU_ASSERT_FATAL(rp_number_parse_exact(text.data, text.size, &number_again, &rest_again));
        CU_ASSERT_FATAL(number == number_again && rest == rest_again);
        rp_text_free(&text);
    }
}

static void integers_within(void) {
    const struct {
        const char *digits;
        bool in_i64, in_u64;
    } cases[] = {{"-9223372036854775809", false, false},
                 {"-9223372036854775808", true, false},
                 {"-9223372036854775807", true, false},
                 {"-1", true, false},
                 {"-0", true, true},
                 {"9223372036854775807", true, true},
                 {"9223372036854775808", false, true},
                 {"18446744073709551615", false, true},
                 {"18446744073709551616", false, false},
                 {"18446744073709551617", false, false},
                 {"0.5", false, false},
                 {"1e19", false, true},
                 {"inf", false, false},
                 {"nan", false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double number, rest;
        uint64_t bits;
        const char *digits = cases[i].digits;
        CU_ASSERT_FATAL(rp_number_parse_exact(digits, strlen(digits), &number, &rest));
        CU_ASSERT(rp_number_within(number, rest, INT64_MIN, INT64_MAX, &bits) == cases[i].in_i64);
        CU_ASSERT(rp_number_within(number, rest, 0, UINT64_MAX, &bits) == cases[i].in_u64);
    }
}

/* ---- Resolution ------------------------------------------------------------------------------ */

static void uses_and_values(void) {
    rp_graph *g = parse(base_text);
    CU_ASSERT_EQUAL_FATAL(g->nodes_count, 6);
    /* Two reads of one range are one use; a part of a buffer is another. */
    CU_ASSERT_EQUAL(g->nodes[2].use_count, 3);
    CU_ASSERT_EQUAL(operand(g, 2, 0, 0)->use, 0);
    CU_ASSERT_EQUAL(operand(g, 2, 0, 1)->use, 1);
    CU_ASSERT_EQUAL(operand(g, 2, 0, 2)->use, 0);
    CU_ASSERT_EQUAL(operand(g, 2, 0, 3)->use, 2);
    CU_ASSERT_EQUAL(operand(g, 2, 0, 2)->value, RP_NONE);
    /* A value without memory, and one that is in memory as well. */
    const rp_graph_node *n = &g->nodes[3];
    CU_ASSERT_EQUAL(n->use_count, 4);
    CU_ASSERT_EQUAL(rp_node_uses(g, n)[3].access, RP_WRITE);
    CU_ASSERT_EQUAL(operand(g, 3, 0, 1)->use, RP_NONE);
    CU_ASSERT_EQUAL(operand(g, 3, 0, 1)->value, 0);
    CU_ASSERT_STRING_EQUAL(rp_graph_string(g, operand(g, 3, 0, 1)->name), "s");
    CU_ASSERT_EQUAL(operand(g, 3, 1, 0)->value, 0);
    CU_ASSERT_EQUAL(operand(g, 3, 1, 1)->value, RP_NONE);
    CU_ASSERT_EQUAL(operand(g, 3, 1, 2)->use, 2);
    CU_ASSERT_EQUAL(operand(g, 3, 1, 2)->value, 1);
    CU_ASSERT_EQUAL(operand(g, 3, 2, 1)->value, 1);
    CU_ASSERT_EQUAL(operand(g, 3, 2, 1)->use, RP_NONE);
    /* In place: what the member itself writes is not what it reads. */
    CU_ASSERT_EQUAL(g->nodes[4].use_count, 2);
    CU_ASSERT_EQUAL(operand(g, 4, 0, 0)->use, 0);
    CU_ASSERT_EQUAL(operand(g, 4, 0, 2)->use, 1);
    CU_ASSERT_EQUAL(operand(g, 4, 0, 0)->value, RP_NONE);
    rp_graph_stats stats = {.size = sizeof stats};
    CU_ASSERT_EQUAL(rp_graph_get_stats(g, &stats), RP_OK);
    CU_ASSERT_EQUAL(stats.dispatches, 6);
    rp_graph_destroy(g);
}

static void calls(void) {
    rp_graph *g = parse(base_text);
    rp_op_call call;
    rp_member_call(g, rp_node_members(g, &g->nodes[0]), &call);
    CU_ASSERT_STRING_EQUAL(rp_op_name(call.op), "rms_norm");
    CU_ASSERT_EQUAL(call.attrs[rp_op_attr_index(call.op, "eps", 3)], 0.5);
    CU_ASSERT(call.operand_count == 3 && call.operands[1].rank == 1);
    CU_ASSERT_EQUAL(call.operands[1].dims[0], 64);
    CU_ASSERT_PTR_NULL(call.formula);
    CU_ASSERT(rp_op_check(&call));
    rp_member_call(g, rp_node_members(g, &g->nodes[1]), &call);
    CU_ASSERT_EQUAL(call.attrs[rp_op_attr_index(call.op, "order", 5)], 1); /* the second choice */
    rp_member_call(g, rp_node_members(g, &g->nodes[2]), &call);
    CU_ASSERT_STRING_EQUAL(call.formula, "a * b + c");
    CU_ASSERT(rp_op_check(&call));
    rp_graph_destroy(g);
}

/* ---- Building -------------------------------------------------------------------------------- */

static uint32_t intern(rp_graph *g, const char *text) {
    return rp_graph_intern(g, text, strlen(text));
}

/* A graph of four buffers and `rms_norm` on them, built by hand. */
static rp_graph *build(const rp_allocator *a, uint32_t *out_node) {
    rp_graph *g = rp_graph_create(a, "built");
    *out_node = RP_NONE;
    if (!g) return NULL;
    static const struct {
        const char *name;
        uint8_t kind;
        uint64_t rows, columns;
    } buffers[] = {{"x", RP_IN, 2, 64}, {"g", RP_WEIGHT, 1, 64}, {"y", RP_OUT, 2, 64}};
    rp_op_argument arguments[3];
    for (uint32_t i = 0; i < 3; i++) {
        rp_graph_buffer b = {.name = intern(g, buffers[i].name),
                             .kind = buffers[i].kind,
                             .dtype = RP_F32,
                             .rank = 2,
                             .size = buffers[i].rows * buffers[i].columns * 4,
                             .offset = RP_NOT_PLACED,
                             .first_default = RP_NONE,
                             .max_value = UINT32_MAX};
        uint64_t dims[] = {buffers[i].rows, buffers[i].columns};
        if (b.name == RP_NONE || rp_graph_add_buffer(g, &b, dims) == RP_NONE) return g;
        arguments[i] = (rp_op_argument){.tensor = {.dtype = RP_F32, .rank = 2}, .buffer = i};
        memcpy(arguments[i].tensor.dims, dims, sizeof dims);
    }
    arguments[1].tensor.rank = 1;
    arguments[1].tensor.dims[0] = 64;
    rp_graph_attr eps = {.name = intern(g, "eps"), .text = RP_NONE, .number = 0.25};
    rp_graph_node node = {.id = 3, .label = intern(g, "l"), .op = RP_NONE, .use_count = 77};
    if (eps.name == RP_NONE || node.label == RP_NONE) return g;
    *out_node = rp_graph_add_op(g, &node, rp_op_find("rms_norm", 8), arguments, 3, &eps, 1);
    return g;
}

static void built_by_hand(void) {
    uint32_t node;
    rp_graph *g = build(NULL, &node);
    char *text;
    CU_ASSERT_EQUAL_FATAL(node, 0);
    CU_ASSERT_EQUAL(rp_graph_verify(g, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_graph_print(g, RP_FORMAT_TEXT, &text, NULL), RP_OK);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "  n3 = op rms_norm {eps=0.25} (r $x:f32[2,64], r $g:f32[64], w $y:f32[2,64]) "
                     "label \"l\"\n"));
    rp_graph *again = parse(text);
    CU_ASSERT(rp_graph_equal(g, again));
    rp_graph_destroy(again);
    rp_text_release(g, text);

    /* A copy of the member's own attribute, often enough for the array to move; and the default,
     * which is not kept. */
    const rp_op *op = rp_op_find("rms_norm", 8);
    double fallback = op->attrs[rp_op_attr_index(op, "eps", 3)].fallback;
    rp_op_argument arguments[3] = {
        {.tensor = {.dtype = RP_F32, .rank = 2, .dims = {2, 64}}},
        {.tensor = {.absent = true}},
        {.tensor = {.dtype = RP_F32, .rank = 2, .dims = {2, 64}}, .buffer = 2}};
    for (uint32_t i = 0; i < 100; i++) {
        rp_graph_node n = {.id = 4 + i, .label = RP_NONE, .op = RP_NONE};
        CU_ASSERT_EQUAL_FATAL(rp_graph_add_op(g, &n, op, arguments, 3, g->attrs, 1), i + 1);
        CU_ASSERT_EQUAL(g->attrs[rp_node_members(g, &g->nodes[i + 1])->first_attr].number, 0.25);
    }
    rp_graph_attr eps = {.name = intern(g, "eps"), .text = RP_NONE, .number = fallback};
    rp_graph_node n = {.id = 999, .label = RP_NONE, .op = RP_NONE};
    CU_ASSERT_EQUAL_FATAL(rp_graph_add_op(g, &n, op, arguments, 3, &eps, 1), 101);
    CU_ASSERT_EQUAL(rp_node_members(g, &g->nodes[101])->attr_count, 0);
    CU_ASSERT(operand(g, 101, 0, 1)->absent && operand(g, 101, 0, 1)->use == RP_NONE);
    CU_ASSERT_EQUAL(g->nodes[101].use_count, 2);
    rp_graph_destroy(g);
}

/* Arguments that do not fit the op are kept, for verify to tell. */
static void built_wrongly(void) {
    rp_op_argument out = {.tensor = {.dtype = RP_F32, .rank = 1, .dims = {4}}};
    rp_op_argument arguments[8] = {out, out, out, out, out, out, out, out};
    const rp_op *op = rp_op_find("rms_norm", 8);
    for (uint32_t count = 0; count <= 8; count++) {
        rp_graph *g = rp_graph_create(NULL, "wrong");
        rp_graph_node n = {.id = 0, .label = RP_NONE, .op = RP_NONE};
        rp_graph_attr attr = {.name = intern(g, "nope"), .text = RP_NONE};
        CU_ASSERT_EQUAL(rp_graph_add_op(g, &n, op, arguments, count, &attr, 1), 0);
        CU_ASSERT_EQUAL(rp_graph_verify(g, NULL, NULL), RP_ERROR_INVALID);
        rp_graph_destroy(g);
    }
}

static void built_without_memory(void) {
    uint64_t total = 0;
    for (uint64_t n = 0; n <= total; n++) {
        failing_alloc f = {.fail_at = n};
        rp_allocator a = failing_allocator(&f);
        uint32_t node;
        rp_graph *g = build(&a, &node);
        CU_ASSERT_EQUAL(node, n ? RP_NONE : 0);
        if (g) CU_ASSERT(g->members_count == (node != RP_NONE) && g->nodes_count <= 1);
        rp_graph_destroy(g);
        CU_ASSERT_EQUAL(f.live, 0);
        if (n == 0) total = f.requests;
    }
    CU_ASSERT(total > 10);
}

/* ---- Equality and views ---------------------------------------------------------------------- */

static bool differs(const rp_graph *a, const rp_graph *b) {
    char *there = NULL, *back = NULL;
    CU_ASSERT_EQUAL(rp_graph_diff(a, b, &there, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_graph_diff(b, a, &back, NULL), RP_OK);
    bool told = there && back && strlen(there) > 10 && strlen(back) > 10;
    bool result = told && !rp_graph_equal(a, b) && !rp_graph_equal(b, a) &&
                  rp_graph_hash(a) != rp_graph_hash(b);
    rp_text_release(a, there);
    rp_text_release(b, back);
    return result;
}

/* Each edit makes a graph that differs in one thing. */
static void every_difference_counts(void) {
    static const char *const edits[][2] = {
        {"eps=0.5", "eps=0.25"},
        {" {eps=0.5}", ""},
        {"r $g:f32[64], w %n", "-, w %n"},
        {"order=abdc", "order=badc"},
        {"a * b + c", "a * b - c"},
        {"r $g[0+4]:f32[]", "r $g[4+4]:f32[]"},
        {"r $g[0+4]:f32[]", "r $g[0+4]:f32[1]"},
        {"r $x:f32[2,64], w %m", "r $x[0+256]:f32[64], w %m"},
        {"r $x:f32[2,64], w %m", "r $x:i32[2,64], w %m"},
        {"n3 = silu", "n8 = silu"},
        {"n3 = silu", "n3 = relu"},
        {"r %m:f32[2,64], w ^s:f32[2,64])", "r %m:f32[128], w ^s:f32[128])"},
        {"w ^s:f32[2,64])\n    n4 = mul (r ^s:f32[128], r %p:f32[128], w $y:f32[128])\n"
         "    n5 = add (r ^s:",
         "w ^t:f32[2,64])\n    n4 = mul (r ^t:f32[128], r %p:f32[128], w $y:f32[128])\n"
         "    n5 = add (r ^t:"},
        {"r $y:f32[128], w %n", "r %p:f32[128], w %n"},
        {"    n5 = add (r ^s:f32[128], r $y:f32[128], w %n:f32[128])\n",
         "    n5 = add (r $y:f32[128], r ^s:f32[128], w %n:f32[128])\n"},
        {"n7 = scatter_rows (r %n:f32[2,64], r $row:u32[2], rw $kept:f32[8,64])",
         "n7 = scatter_rows (r %n:f32[1,2,64], r $row:u32[2], rw $kept:f32[8,64])"},
    };
    rp_graph *base = parse(base_text), *again = parse(base_text);
    CU_ASSERT(rp_graph_equal(base, again) && rp_graph_hash(base) == rp_graph_hash(again));
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        char text[4096];
        const char *at = strstr(base_text, edits[i][0]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - base_text), base_text, edits[i][1],
                 at + strlen(edits[i][0]));
        rp_graph *other = parse(text);
        bool noticed = differs(base, other);
        CU_ASSERT(noticed);
        if (!noticed) printf("not noticed: %s -> %s\n", edits[i][0], edits[i][1]);
        rp_graph_destroy(other);
    }
    /* What has a default is the same with and without it. */
    rp_graph *left = parse("reprise 1\ngraph g {\n  buf $y out f32[4]\n"
                           "  n0 = op fill {value=0} (w $y:f32[4])\n}\n");
    rp_graph *right = parse("reprise 1\ngraph g {\n  buf $y out f32[4]\n"
                            "  n0 = op fill (w $y:f32[4])\n}\n");
    CU_ASSERT(rp_graph_equal(left, right));
    rp_graph_destroy(left);
    rp_graph_destroy(right);
    rp_graph_destroy(base);
    rp_graph_destroy(again);
}

static void copies(void) {
    rp_graph *g = parse(base_text), *copy;
    uint64_t hash = rp_graph_hash(g);
    CU_ASSERT_EQUAL_FATAL(rp_graph_clone(g, &copy), RP_OK);
    CU_ASSERT(rp_graph_equal(g, copy));
    rp_graph_destroy(g); /* the copy holds nothing of it */
    CU_ASSERT_EQUAL(rp_graph_hash(copy), hash);
    CU_ASSERT_EQUAL(rp_graph_verify(copy, NULL, NULL), RP_OK);
    rp_graph_destroy(copy);
}

/* ---- Order ----------------------------------------------------------------------------------- */

/* Ids are the order, whatever stands in the nodes. */
static void order_of_ids(void) {
    rp_graph *g = parse(base_text);
    rp_deps deps;
    uint32_t order[8];
    CU_ASSERT(rp_source_order(g, order));
    for (uint32_t i = 0; i < g->nodes_count; i++) CU_ASSERT_EQUAL(order[i], i);
    CU_ASSERT_EQUAL_FATAL(rp_deps_build(g, &deps), RP_OK);
    bool found = false;
    for (uint32_t e = deps.first_succ[3]; e < deps.first_succ[4]; e++) found |= deps.succ[e] == 4;
    CU_ASSERT(found);
    rp_deps_free(g, &deps);
    rp_graph_node last = g->nodes[4];
    g->nodes[4] = g->nodes[3];
    g->nodes[3] = last;
    CU_ASSERT(rp_source_order(g, order));
    CU_ASSERT_EQUAL(order[3], 4);
    CU_ASSERT_EQUAL(rp_graph_verify(g, NULL, NULL), RP_ERROR_INVALID);
    rp_graph_destroy(g);
}

static void no_plan_of_ops(void) {
    static const char text[] =
        "reprise 1\ngraph g scheduled placed synced arena 0 {\n  buf $y out f32[4]\n"
        "  group 0\n    n0 = op fill (w $y:f32[4])\n  barrier compute:w -> host:r\n}\n";
    rp_graph *g = parse(text);
    rp_certificate certificate = {.compiled_hash = rp_graph_hash(g),
                                  .source_hash = rp_graph_hash(g)};
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = NULL;
    CU_ASSERT_EQUAL(rp_plan_build(g, g, &certificate, diags, &plan), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(plan);
    CU_ASSERT_EQUAL_FATAL(rp_diags_count(diags), 1);
    CU_ASSERT_STRING_EQUAL(rp_diags_get(diags, 0).message,
                           "a plan cannot be built: n0 is an op, not a kernel: pass lower has not "
                           "run");
    rp_diags_destroy(diags);
    rp_graph_destroy(g);
}

/* ---- Verification of what only C can build --------------------------------------------------- */

static bool rejected(rp_graph *g) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_status status = rp_graph_verify(g, "file", diags);
    bool said = rp_diags_error_count(diags) > 0;
    rp_diags_destroy(diags);
    return status == RP_ERROR_INVALID && said;
}

static void wrong_data(void) {
    rp_graph *base = parse(base_text), *g;
#define MEMBER(node, member) (g->members[g->nodes[node].first_member + (member)])
#define OPERAND(node, member, index) (g->operands[MEMBER(node, member).first_operand + (index)])
#define WRONG(change)                                                                              \
    CU_ASSERT_EQUAL_FATAL(rp_graph_clone(base, &g), RP_OK);                                        \
    change;                                                                                        \
    CU_ASSERT(rejected(g));                                                                        \
    rp_graph_destroy(g)
    WRONG(g->nodes[0].member_count = 0);
    WRONG(g->nodes[0].member_count = 99);
    WRONG(g->nodes[0].first_member = UINT32_MAX);
    WRONG(g->nodes[0].use_count = 2);
    WRONG(g->nodes[0].byte_count = 4);
    WRONG(g->nodes[0].unknown = true);
    WRONG(g->nodes[0].grid_kind = RP_GRID_LIVE);
    WRONG(g->nodes[0].kind = RP_FILL);
    WRONG(g->nodes[0].id = 1);
    WRONG(g->nodes[3].id = 9);
    WRONG(g->nodes[5].unknown = true);
    WRONG(g->nodes[5].grid_kind = RP_GRID_INDIRECT);
    WRONG(g->nodes[5].use_count = 2);
    WRONG(MEMBER(0, 0).op = NULL);
    WRONG(MEMBER(0, 0).op = rp_op_find("silu", 4));
    WRONG(MEMBER(0, 0).id = 77);
    WRONG(MEMBER(3, 0).id = RP_NONE);
    WRONG(MEMBER(3, 0).id = 5);
    WRONG(MEMBER(3, 0).id = 4); /* another node's */
    WRONG(MEMBER(0, 0).operand_count = 2);
    WRONG(MEMBER(0, 0).operand_count = 29);
    WRONG(MEMBER(0, 0).first_operand = g->operands_count - 1);
    WRONG(MEMBER(0, 0).first_attr = g->attrs_count);
    WRONG(MEMBER(2, 0).attr_count = 0); /* a map without its formula */
    WRONG(g->attrs[0].name = intern(g, "nope"));
    WRONG(g->attrs[0].text = intern(g, "0.5"));
    WRONG(g->attrs[0].number = (double)NAN);
    WRONG(g->attrs[0].number = -1e9);
    WRONG(g->attrs[1].text = intern(g, "dddd"));
    WRONG(g->attrs[1].text = RP_NONE);
    WRONG(g->attrs[2].text = RP_NONE);
    WRONG(g->attrs[2].text = intern(g, "a +"));
    WRONG(g->attrs[2].text = intern(g, "q"));
    WRONG(OPERAND(0, 0, 0).access = RP_WRITE);
    WRONG(OPERAND(0, 0, 0).access = 9);
    WRONG(OPERAND(0, 0, 0).dtype = RP_RAW);
    WRONG(OPERAND(0, 0, 0).dtype = 99);
    WRONG(OPERAND(0, 0, 0).dtype = RP_F16);
    WRONG(OPERAND(0, 0, 0).dtype = RP_U32);
    WRONG(OPERAND(0, 0, 0).rank = 9);
    WRONG(OPERAND(0, 0, 0).first_dim = g->dims_count);
    WRONG(OPERAND(0, 0, 0).absent = true);
    WRONG(OPERAND(0, 0, 0).use = 1);
    WRONG(OPERAND(0, 0, 0).use = 3);
    WRONG(OPERAND(0, 0, 0).use = RP_NONE);
    WRONG(OPERAND(0, 0, 0).value = 0);
    WRONG(g->dims[OPERAND(0, 0, 0).first_dim] = 3);
    WRONG(g->dims[OPERAND(0, 0, 0).first_dim] = UINT64_MAX);
    WRONG(g->dims[OPERAND(0, 0, 0).first_dim] = 0);
    WRONG(OPERAND(0, 0, 2).value = 1);
    WRONG(OPERAND(0, 0, 2).name = intern(g, "both"));
    WRONG(OPERAND(2, 0, 2).use = 1);
    WRONG(OPERAND(3, 0, 1).name = intern(g, "a b"));
    WRONG(OPERAND(3, 0, 1).name = RP_NONE);
    WRONG(OPERAND(3, 1, 0).value = 1); /* its own */
    WRONG(OPERAND(3, 1, 0).value = 2); /* a later one */
    WRONG(OPERAND(3, 1, 0).use = 0);
    WRONG(OPERAND(3, 1, 0).dtype = RP_I32);
    WRONG(OPERAND(3, 1, 0).name = OPERAND(3, 0, 1).name);
    WRONG(g->dims[OPERAND(3, 1, 0).first_dim] = 64);
    WRONG(g->uses[g->nodes[0].first_use].buffer = 99);
    WRONG(g->uses[g->nodes[0].first_use].size = 256);
    WRONG(g->uses[g->nodes[0].first_use].access = RP_UNIFORM);
    WRONG(g->uses[g->nodes[5].first_use + 2].access = RP_WRITE);
#undef WRONG
    rp_graph_destroy(base);
}

/* ---- Without memory -------------------------------------------------------------------------- */

static rp_status life(const rp_allocator *a) {
    rp_graph *graph = NULL, *copy = NULL;
    char *text[4] = {0};
    rp_status status = rp_graph_parse(a, base_text, strlen(base_text), "f", NULL, &graph);
    if (status == RP_OK) status = rp_graph_clone(graph, &copy);
    for (int i = 0; i < 3 && status == RP_OK; i++)
        status = rp_graph_print(copy, (rp_format)i, &text[i], NULL);
    if (status == RP_OK) copy->attrs[0].number = 3;
    if (status == RP_OK) status = rp_graph_diff(graph, copy, &text[3], NULL);
    for (int i = 0; i < 4; i++) rp_text_release(graph, text[i]);
    rp_graph_destroy(copy);
    rp_graph_destroy(graph);
    return status;
}

static void without_memory(void) {
    uint64_t total = 0;
    for (uint64_t n = 0; n <= total; n++) {
        failing_alloc f = {.fail_at = n};
        rp_allocator a = failing_allocator(&f);
        rp_status status = life(&a);
        CU_ASSERT_EQUAL(status, n ? RP_ERROR_NO_MEMORY : RP_OK);
        if (status == RP_OK && n) printf("request %llu went unnoticed\n", (unsigned long long)n);
        CU_ASSERT_EQUAL(f.live, 0);
        if (n == 0) total = f.requests;
    }
    CU_ASSERT(total > 60);
}

int main(void) {
    static const rp_test tests[] = {{"number forms", number_forms},
                                    {"numbers round trip", numbers_round_trip},
                                    {"integers of 64 bits as text", integers_round_trip},
                                    {"integers that 64 bits hold", integers_within},
                                    {"uses and values", uses_and_values},
                                    {"calls", calls},
                                    {"built by hand", built_by_hand},
                                    {"built wrongly", built_wrongly},
                                    {"built without memory", built_without_memory},
                                    {"every difference counts", every_difference_counts},
                                    {"copies", copies},
                                    {"order of ids", order_of_ids},
                                    {"no plan of ops", no_plan_of_ops},
                                    {"wrong data", wrong_data},
                                    {"without memory", without_memory},
                                    {NULL, NULL}};
    return rp_run_tests("members", tests);
}
