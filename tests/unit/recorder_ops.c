/* rp_apply: the nodes that it records, operands in all their forms, and every way to get it wrong.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "composite/composite.h"
#include "graph/graph.h"
#include "reprise/compiler.h"
#include "support/unit.h"

static rp_diags *diags;
static rp_program *program;
static rp_recorder *recorder;
static rp_buffer x, g, w, q, raw, y, t, length;

static rp_buffer make(const char *name, rp_buffer_kind kind, rp_dtype dtype, uint32_t rank,
                      uint64_t first, uint64_t second) {
    rp_buffer buffer;
    rp_buffer_params params = {.size = sizeof params,
                               .name = name,
                               .kind = kind,
                               .dtype = dtype,
                               .rank = rank,
                               .shape = {first, second}};
    if (dtype == RP_RAW)
        params = (rp_buffer_params){
            .size = sizeof(rp_buffer_params), .name = name, .kind = kind, .bytes = first};
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(program, &params, diags, &buffer), RP_OK);
    return buffer;
}

static void begin(void) {
    diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "ops", &program), RP_OK);
    x = make("x", RP_IN, RP_F32, 2, 4, 8);
    g = make("g", RP_WEIGHT, RP_F32, 1, 8, 0);
    w = make("w", RP_WEIGHT, RP_F16, 2, 6, 8);
    q = make("q", RP_WEIGHT, RP_Q8_0, 2, 6, 32);
    raw = make("raw", RP_INOUT, RP_RAW, 0, 4096, 0);
    y = make("y", RP_OUT, RP_F32, 2, 4, 8);
    t = make("t", RP_TMP, RP_F32, 2, 4, 8);
    length = make("length", RP_LIVE, RP_U32, 1, 1, 0);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(program, &recorder), RP_OK);
}

static void end(void) {
    rp_recorder_destroy(recorder);
    rp_program_destroy(program);
    rp_diags_destroy(diags);
}

static rp_range all(rp_buffer buffer) {
    return (rp_range){.buffer = buffer};
}

/* What was recorded, as text; "" and the first message in `diags` when it is wrong. */
static char *finish(void) {
    rp_graph *graph = NULL;
    char *text = NULL;
    rp_status status = rp_program_graph(program, &recorder, 1, diags, &graph);
    if (status != RP_OK) {
        CU_ASSERT_EQUAL(status, RP_ERROR_INVALID);
        CU_ASSERT_PTR_NULL(graph);
        return strdup("");
    }
    CU_ASSERT_EQUAL_FATAL(rp_graph_print(graph, RP_FORMAT_TEXT, &text, NULL), RP_OK);
    char *copy = strdup(text);
    rp_text_release(graph, text);
    rp_graph_destroy(graph);
    return copy;
}

/* Finishes, and wants `line` in the graph. */
static void holds(const char *line) {
    char *text = finish();
    if (!strstr(text, line)) {
        fprintf(stderr, "  wanted %s\n  in %s\n", line, text);
        for (uint32_t i = 0; i < rp_diags_count(diags); i++)
            fprintf(stderr, "  %s\n", rp_diags_get(diags, i).message);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
    free(text);
}

/* Finishes, and wants exactly one message that holds `words`. */
static void says(const char *words) {
    char *text = finish();
    CU_ASSERT_STRING_EQUAL(text, "");
    CU_ASSERT_EQUAL(rp_diags_count(diags), 1);
    const char *message = rp_diags_count(diags) ? rp_diags_get(diags, 0).message : "";
    if (!strstr(message, words)) fprintf(stderr, "  wanted %s\n  got %s\n", words, message);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, words));
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "(rp_apply)"));
    free(text);
    end();
    begin();
}

#define OPERANDS(...)                                                                              \
    (rp_operand[]){__VA_ARGS__}, sizeof((rp_operand[]){__VA_ARGS__}) / sizeof(rp_operand)
#define ATTRS(...)                                                                                 \
    (rp_attribute[]){__VA_ARGS__}, sizeof((rp_attribute[]){__VA_ARGS__}) / sizeof(rp_attribute)
#define NONE NULL, 0

static void test_nodes(void) {
    begin();
    rp_label_begin(recorder, "layer");
    rp_op_tag(recorder, "norm");
    rp_apply(recorder, "rms_norm",
             OPERANDS({.name = "out", .range = all(t)}, {.name = "x", .range = all(x)},
                      {.name = "weight", .range = all(g)}),
             ATTRS({.name = "eps", .number = 1e-5}));
    rp_label_end(recorder);
    rp_apply(recorder, "map",
             OPERANDS({.name = "up", .range = all(t)}, {.name = "gate", .range = all(x)},
                      {.name = "out", .range = all(y)}),
             ATTRS({.name = "expr", .text = "silu(gate) * up"}));
    holds("  n0 = op rms_norm {eps=1e-05} (r $x:f32[4,8], r $g:f32[8], w %t:f32[4,8]) label "
          "\"layer\" op norm\n"
          "  n1 = op map {expr=\"silu(a) * b\"} (r $x:f32[4,8], r %t:f32[4,8], w $y:f32[4,8])\n");
    end();
}

static void test_views(void) {
    begin();
    rp_apply(recorder, "silu",
             OPERANDS({.name = "x", .range = {x, 32, 64}}, {.name = "out", .range = {t, 64, 0}}),
             NONE);
    holds("n0 = op silu (r $x[32+64]:f32[16], w %t[64+64]:f32[16])");
    end();
    begin();
    rp_apply(
        recorder, "matvec",
        OPERANDS(
            {.name = "x", .range = {raw, 128, 0}, .dtype = RP_F32, .rank = 2, .shape = {1, 32}},
            {.name = "weight", .range = {q, 68, 34}},
            {.name = "out", .range = {y, 0, 0}, .dtype = RP_F32, .rank = 2, .shape = {1, 1}}),
        NONE);
    says("weight is q8_0[32]");
    rp_apply(
        recorder, "matvec",
        OPERANDS(
            {.name = "x", .range = {raw, 128, 0}, .dtype = RP_F32, .rank = 2, .shape = {1, 32}},
            {.name = "weight", .range = {q, 68, 34}, .dtype = RP_Q8_0, .rank = 2, .shape = {1, 32}},
            {.name = "out", .range = {y, 0, 0}, .dtype = RP_F32, .rank = 2, .shape = {1, 1}}),
        NONE);
    holds("n0 = op matvec (r $raw[128+128]:f32[1,32], r $q[68+34]:q8_0[1,32], w "
          "$y[0+4]:f32[1,1])");
    end();
}

/* Lists of integers are texts, or a number alone. */
static void test_list(void) {
    static const struct {
        rp_attribute axes;
        const char *error; /* NULL: one op for each of two axes, or for the last */
        bool both;
    } tries[] = {
        {{.text = "1"}, NULL, false},
        {{.number = -1}, NULL, false},
        {{.text = "0, -1"}, NULL, true},
        {{.text = "[0,1]"}, NULL, true},
        {{.text = ""}, "expected a list of 1 to 16 integers", false},
        {{.text = "[]"}, "expected a list of 1 to 16 integers", false},
        {{.text = "[0, 1"}, "expected a list of 1 to 16 integers", false},
        {{.text = "0 x"}, "expected a list of 1 to 16 integers", false},
        {{.text = "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"},
         "expected a list of 1 to 16 integers",
         false},
        {{.text = "99999999999999999999"}, "expected a list of 1 to 16 integers", false},
        {{.number = 0.5}, "expected a list of 1 to 16 integers", false},
        {{.number = NAN}, "expected a list of 1 to 16 integers", false},
        {{.number = 1e300}, "expected a list of 1 to 16 integers", false},
        {{.text = "8"}, "has 8: expected -8 to 7", false},
        {{.text = "2"}, "2 is none of 2: expected -2 to 1", false},
        {{.text = "1, -1"}, "an axis is given twice", false},
    };
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        rp_attribute axes = tries[i].axes;
        axes.name = "axes";
        begin();
        rp_apply(recorder, "flip",
                 OPERANDS({.name = "x", .range = all(x)}, {.name = "out", .range = all(y)}), &axes,
                 1);
        if (tries[i].error)
            says(tries[i].error);
        else
            holds(tries[i].both
                      ? "n1 = op take_range {axis=0, start=-1, step=-1, count=4} (r %flip0-axis1:f"
                      : "n0 = op take_range {axis=1, start=-1, step=-1, count=8} (r $x:f32[4,8], w "
                        "$y");
        end();
    }
}

static void test_composites(void) {
    begin();
    rp_apply(
        recorder, "linear",
        OPERANDS({.name = "x", .range = all(x)}, {.name = "weight", .range = all(w)},
                 {.name = "bias", .range = {g, 0, 24}},
                 {.name = "out", .range = {y, 0, 96}, .dtype = RP_F32, .rank = 2, .shape = {4, 6}}),
        NONE);
    rp_fence(recorder);
    holds("  n0 = op matvec (r $x:f32[4,8], r $w:f16[6,8], w %linear0-product:f32[4,6]) label "
          "\"linear\"\n"
          "  n1 = op map {expr=\"a + b\"} (r %linear0-product:f32[4,6], r $g[0+24]:f32[6], w "
          "$y[0+96]:f32[4,6]) label \"linear\"\n"
          "  n2 = fence\n");
    end();
    test_list();
    const rp_composite_info *info;
    uint32_t count = 0;
    while ((info = rp_composite_at(count))) {
        CU_ASSERT_PTR_NOT_NULL(info->brief);
        CU_ASSERT_PTR_NULL(rp_op_find(info->name, strlen(info->name)));
        count++;
    }
    CU_ASSERT(count > rp_composites_count + rp_composites_axes_count);
    for (uint32_t i = 0; i < count; i++) { /* the counts in the table are right */
        const rp_composite *c = rp_composite_get(i);
        CU_ASSERT_PTR_NOT_NULL(c->operands[c->operand_count - 1].name);
        CU_ASSERT_PTR_NULL(c->operands[c->operand_count].name);
        CU_ASSERT_PTR_NULL(c->attrs[c->attr_count].name);
        CU_ASSERT_TRUE(c->attr_count == 0 || c->attrs[c->attr_count - 1].name != NULL);
    }
}

static void test_documentation(void) {
    char *text = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_kernel_doc(NULL, "knn", &text), RP_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "| `metric` | `l2`, `cosine`"));
    rp_op_doc_release(NULL, text);
    CU_ASSERT_EQUAL_FATAL(rp_kernel_doc(NULL, "rms_norm", &text), RP_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "`eps`"));
    rp_op_doc_release(NULL, text);
    CU_ASSERT_EQUAL(rp_kernel_doc(NULL, "nothing", &text), RP_ERROR_NOT_FOUND);
    CU_ASSERT_PTR_NULL(text);
    CU_ASSERT_EQUAL(rp_kernel_doc(NULL, NULL, &text), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_kernel_doc(NULL, "knn", NULL), RP_ERROR_USAGE);
}

/* What computes a call is what is compiled for it; tests/cli/test_kernels.py reads more of it. */
static void test_choice(void) {
    const rp_kernel_given given[] = {{"a", "f32[16,384]"}, {"b", "f32[384,384]"}, {NULL, "f32"}};
    rp_target unset = {0};
    char *text = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_kernel_choice(NULL, "matmul", given, 2, NULL, NULL, &text), RP_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "w %out:f32[16,384])\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "    tiles        taken: 48 tiles of 16 x 8"));
    rp_op_doc_release(NULL, text);
    CU_ASSERT_EQUAL(rp_kernel_choice(NULL, "matmul", given, 1, NULL, NULL, &text),
                    RP_ERROR_INVALID);
    CU_ASSERT_PTR_NULL(text);
    CU_ASSERT_EQUAL(rp_kernel_choice(NULL, "nothing", given, 2, NULL, NULL, &text),
                    RP_ERROR_NOT_FOUND);
    CU_ASSERT_EQUAL(rp_kernel_choice(NULL, "matmul", given, 3, NULL, NULL, &text), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_kernel_choice(NULL, "matmul", NULL, 2, NULL, NULL, &text), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_kernel_choice(NULL, NULL, given, 2, NULL, NULL, &text), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_kernel_choice(NULL, "matmul", given, 2, &unset, NULL, &text),
                    RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_kernel_choice(NULL, "matmul", given, 2, NULL, NULL, NULL), RP_ERROR_USAGE);
}

static void one(const char *op, rp_operand first) {
    rp_apply(recorder, op, OPERANDS(first, {.name = "out", .range = all(y)}), NONE);
}

static void test_wrong_calls(void) {
    begin();
    rp_apply(NULL, "silu", NONE, NONE); /* ignored */
    rp_apply(recorder, NULL, NONE, NONE);
    says("the op's name is NULL");
    rp_apply(recorder, "silu", NULL, 1, NONE);
    says("operands or attributes are NULL");
    rp_apply(recorder, "silu", NULL, 1000, NONE);
    says("more operands or attributes than any op has");
    one("silu", (rp_operand){.range = all(x)});
    says("an operand's name is NULL");
    one("silu", (rp_operand){.name = "x", .range = all(x), .dtype = RP_F32, .rank = 9});
    says("more than 8 dimensions");
    rp_apply(recorder, "silu", OPERANDS({.name = "x", .range = all(x)}), ATTRS({.number = 1}));
    says("an attribute's name is NULL");
    one("silo", (rp_operand){.name = "x", .range = all(x)});
    says("there is no op 'silo'");
    one("silu", (rp_operand){.name = "z", .range = all(x)});
    says("silu has no operand 'z' (it has x, out)");
    one("silu", (rp_operand){.name = "out", .range = all(t)});
    says("given twice");
    one("rms_norm", (rp_operand){.name = "weight", .range = all(g)});
    says("operand 'x' of rms_norm is missing");
    one("silu", (rp_operand){.name = "x"});
    says("buffer: the handle is 0");
    one("silu", (rp_operand){.name = "x", .range = all(raw)});
    says("buffer 'raw' is raw bytes; give dtype and shape");
    one("silu", (rp_operand){.name = "x", .range = {x, 0, 10}});
    says("are no whole number of f32");
    one("silu", (rp_operand){.name = "x", .range = all(x), .dtype = (rp_dtype)99});
    says("unknown dtype");
    one("silu",
        (rp_operand){
            .name = "x", .range = all(x), .dtype = RP_F32, .rank = 2, .shape = {UINT64_MAX, 2}});
    says("the shape needs more bytes than 64 bits can count");
    one("silu",
        (rp_operand){.name = "x", .range = {x, 0, 64}, .dtype = RP_F32, .rank = 1, .shape = {8}});
    says("bytes, the range has 64");
    one("silu",
        (rp_operand){.name = "x", .range = all(raw), .dtype = RP_Q4_0, .rank = 1, .shape = {33}});
    says("multiple of 32");
    one("silu", (rp_operand){.name = "x", .range = all(g)});
    says("silu: out is f32[4,8]");
    rp_apply(recorder, "silu",
             OPERANDS({.name = "x", .range = all(t)}, {.name = "out", .range = all(x)}), NONE);
    says("w $x: in buffers are read only");
    end();
}

static void attribute(rp_attribute attr) {
    rp_apply(
        recorder, "rope",
        OPERANDS({.name = "x", .range = all(x), .dtype = RP_F32, .rank = 3, .shape = {1, 4, 8}},
                 {.name = "positions", .range = all(length)},
                 {.name = "out", .range = all(y), .dtype = RP_F32, .rank = 3, .shape = {1, 4, 8}}),
        &attr, 1);
}

/* A grid of one channel under windows of `attr`. */
static void pooled(rp_attribute attr) {
    rp_apply(
        recorder, "max_pool2d",
        OPERANDS({.name = "x", .range = all(x), .dtype = RP_F32, .rank = 3, .shape = {1, 4, 8}},
                 {.name = "out", .range = all(y), .dtype = RP_F32, .rank = 3, .shape = {1, 4, 8}}),
        &attr, 1);
}

static void enlarged(rp_attribute attr) {
    rp_apply(
        recorder, "resize",
        OPERANDS({.name = "x", .range = {x, 0, 64}, .dtype = RP_F32, .rank = 2, .shape = {2, 8}},
                 {.name = "out", .range = all(y)}),
        &attr, 1);
}

/* Lists of attributes: text, or one number. */
static void test_lists(void) {
    begin();
    pooled((rp_attribute){.name = "kernel", .text = "1,1"});
    pooled((rp_attribute){.name = "kernel", .text = "[1, 1]"});
    pooled((rp_attribute){.name = "kernel", .number = 1});
    enlarged((rp_attribute){.name = "scales", .text = "[2.0, 1]"});
    enlarged((rp_attribute){.name = "scales", .text = "2,1e0"});
    enlarged((rp_attribute){.name = "sizes", .text = "4,8"});
    char *text = finish();
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "resize_axis {size=4, scale=2"));
    CU_ASSERT_EQUAL(rp_diags_count(diags), 0);
    free(text);
    end();
    begin();
    static const char *const bad[] = {
        "", "1;1", "a", "[1,1", "1]", ",1", "1.5", "nan", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"};
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        pooled((rp_attribute){.name = "kernel", .text = bad[i]});
        says("expected a list of 1 to 16 integers");
    }
    pooled((rp_attribute){.name = "kernel", .number = 1.5});
    says("expected a list of 1 to 16 integers");
    pooled((rp_attribute){.name = "kernel", .text = "1,1,1"});
    says("attribute 'kernel' of max_pool2d has 3 numbers, expected 1 or 2");
    pooled((rp_attribute){.name = "kernel", .text = "0"});
    says("has 0: expected 1 to");
    enlarged((rp_attribute){.name = "scales", .text = "2,a"});
    says("expected a list of 1 to 16 numbers");
    enlarged((rp_attribute){.name = "scales", .text = "2,0"});
    says("has 0: expected 1e-09 to");
    end();
}

static void scale_by(double factor) {
    rp_apply(recorder, "scale",
             OPERANDS({.name = "x", .range = all(x)}, {.name = "out", .range = all(y)}),
             &(rp_attribute){.name = "factor", .number = factor}, 1);
}

static void test_wrong_attributes(void) {
    begin();
    scale_by(-INFINITY);
    holds("n0 = op scale {factor=-inf}");
    end();
    begin();
    scale_by(1e39);
    says("attribute 'factor' of scale is 1e+39: too large for f32");
    end();
    begin();
    attribute((rp_attribute){.name = "layout", .text = "interleaved"});
    holds("n0 = op rope {layout=interleaved}");
    end();
    begin();
    attribute((rp_attribute){.name = "layout", .text = "inter"});
    says("'inter' is none of neox|interleaved");
    attribute((rp_attribute){.name = "layout", .number = 1});
    says("is one of neox|interleaved");
    attribute((rp_attribute){.name = "base", .text = "ten"});
    says("is a number, not text");
    attribute((rp_attribute){.name = "dims", .number = 1.5});
    says("expected an integer");
    attribute((rp_attribute){.name = "base", .number = -1});
    says("attribute 'base' of rope is -1: expected 1 to");
    attribute((rp_attribute){.name = "sideways", .number = -1});
    says("rope has no attribute 'sideways'");
    end();
}

static void formula(const char *text) {
    rp_apply(recorder, "map",
             OPERANDS({.name = "in", .range = all(x)}, {.name = "out", .range = all(y)}),
             ATTRS({.name = "expr", .text = text}));
}

static void equation(rp_attribute attr) {
    attr.name = "equation";
    rp_apply(
        recorder, "einsum",
        OPERANDS({.name = "a", .range = all(x)}, {.name = "b", .range = all(w)},
                 {.name = "out", .range = {y, 0, 96}, .dtype = RP_F32, .rank = 2, .shape = {4, 6}}),
        ATTRS(attr));
}

static void test_equations(void) {
    begin();
    equation((rp_attribute){.text = "ij,kj->ik"});
    holds(
        "  n0 = op matvec (r $x:f32[4,8], r $w:f16[6,8], w $y[0+96]:f32[4,6]) label \"einsum\"\n");
    end();
    begin();
    equation((rp_attribute){.text = "ij,kj->iq"});
    says("equation, character 9: attribute 'equation' of einsum has 'q' in its result");
    equation((rp_attribute){.text = "1j,kj"});
    says("equation, character 1: attribute 'equation' of einsum has '1' there");
    equation((rp_attribute){.text = "ij"});
    says("attribute 'equation' of einsum has 1 terms for 2 operands");
    equation((rp_attribute){.number = 1});
    says("attribute 'equation' of einsum is a text, not a number");
    equation((rp_attribute){.text = ""});
    says("has 1 terms for 2 operands");
    end();
}

static void test_wrong_formulas(void) {
    begin();
    formula("in * out");
    says("formula, character 6: 'out' is no operand of this map");
    formula("in +");
    says("formula, character 5");
    formula("2 * 3");
    says("operand 'in' is not in the formula");
    rp_apply(recorder, "map", OPERANDS({.name = "out", .range = all(y)}),
             ATTRS({.name = "expr", .text = "2 * 3"}));
    says("a formula without an input");
    rp_apply(recorder, "map", OPERANDS({.name = "in", .range = all(x)}),
             ATTRS({.name = "expr", .text = "in"}));
    says("operand 'out' of map is missing");
    rp_apply(recorder, "map",
             OPERANDS({.name = "in", .range = all(x)}, {.name = "other", .range = all(x)},
                      {.name = "out", .range = all(y)}),
             ATTRS({.name = "expr", .text = "in"}));
    says("operand 'other' is not in the formula");
    rp_apply(recorder, "map",
             OPERANDS({.name = "in", .range = all(x)}, {.name = "out", .range = all(y)}), NONE);
    says("a map has one attribute, 'expr'");
    char long_text[6000];
    memset(long_text, '-', sizeof long_text);
    strcpy(long_text + sizeof long_text - 3, "in");
    formula(long_text);
    says("the formula is longer than");
    end();
}

int main(void) {
    static const rp_test tests[] = {{"nodes", test_nodes},
                                    {"views", test_views},
                                    {"composites", test_composites},
                                    {"documentation", test_documentation},
                                    {"the choice of kernels", test_choice},
                                    {"wrong calls", test_wrong_calls},
                                    {"lists", test_lists},
                                    {"wrong attributes", test_wrong_attributes},
                                    {"equations", test_equations},
                                    {"wrong formulas", test_wrong_formulas},
                                    {0}};
    return rp_run_tests("ops from C", tests);
}
