/* Few long rows: an op over them becomes several, so that the whole device works on it.
 *
 * One kernel gives each row a workgroup (compiler/lower/rows.c). A row of logits then keeps one
 * multiprocessor busy, which reads it at a hundredth of the memory's rate. So, where the target says
 * that it pays, a row is cut into parts that are reduced side by side (ops/parts.c), the parts are
 * joined, and what is left is a map over all elements: two dispatches, as each workgroup of the map
 * joins the parts for itself where they are few. A reduction behind another one (the sum of a softmax, a variance) does not take one more
 * pass over the row: parts are reduced relative to their own maximum or mean, which joining mends.
 *
 * Here, in front of the graph, and not in a pass: what the levels of optimisation compile, and what
 * the checker holds a plan against, is then the same ops, whose sums have one order. */
#include "composite/rows.h"

#include <math.h>
#include <stdio.h>

/* ---- Whether --------------------------------------------------------------------------------- */

enum {
    FLIGHT = 4096,    /* bytes that a workgroup has on their way: four elements a thread */
    TURN = 1024,      /* elements that a workgroup has at once; a part has a number of turns */
    MOST_PARTS = 256, /* that are joined, */
    JOINED = 4,       /* so many at once */
    WORTH = 4,        /* times the barriers that are added, before it is thought of */
};

typedef struct splitter splitter;

typedef struct row_op {
    const char *name;
    uint8_t passes;   /* over a row, the outputs' included */
    uint8_t barriers; /* between the dispatches that it becomes */
    rp_status (*split)(splitter *s);
} row_op;

static const row_op *find_row_op(const rp_op *op);

static uint64_t at_least_one(uint64_t n) {
    return n ? n : 1;
}

uint64_t rp_rows_parts(const rp_op_call *call, const rp_target *target) {
    const row_op *op = find_row_op(call->op);
    /* Of a device of which not even the subgroup is known, one kernel is right everywhere. */
    if (!op || !target->subgroup) return 1;
    uint64_t rows = rp_sym(call, 'R'), length = rp_sym(call, 'C');
    if (rows == 0) return 1;
    /* As few as a workgroup can go through, where its loops would end too early. */
    double turns = rp_op_row_turns(call, RP_OP_ROW_THREADS);
    if (rp_op_row_threads(call, target) > 1 && !rp_target_turns(target, turns)) {
        double least = ceil(turns / (double)target->loop_turns * 2);
        return least < MOST_PARTS ? (uint64_t)least : MOST_PARTS;
    }
    uint64_t groups = target->flight_bytes / FLIGHT; /* that read memory at its rate */
    if (groups < target->multiprocessors) groups = target->multiprocessors;
    if (groups <= rows || length < 2 * TURN) return 1;
    double bytes = (double)length * rp_dtype_size((rp_dtype)call->operands[0].dtype) * op->passes;
    double alone = bytes * (double)groups / (double)at_least_one(target->memory_rate) * 1e3;
    if (alone < (double)(WORTH * op->barriers * target->barrier_ns)) return 1;
    uint64_t parts = groups / rows < MOST_PARTS ? groups / rows : MOST_PARTS;
    uint64_t each = (length + parts * TURN - 1) / (parts * TURN);
    parts = (length + each * TURN - 1) / (each * TURN);
    return parts <= JOINED ? parts : parts + (JOINED - parts % JOINED) % JOINED;
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

enum { FORMULA = 256, NUMBER = 40 };

struct splitter {
    rp_expansion x;
    const rp_op_call *call;
    rp_given_operand **given; /* in the op's order; NULL: absent */
    rp_attribute splits;
    char n[NUMBER]; /* C, as a formula has it */
};

static rp_status temp(splitter *s, const char *name, rp_given_operand *out) {
    return rp_expand_temp(&s->x, name, out);
}

static rp_status map(splitter *s, const char *formula, const rp_part *parts, uint32_t count) {
    const rp_attribute expr = {.name = "expr", .text = formula};
    return rp_expand_op(&s->x, "map", parts, count, &expr, 1);
}

/* An operand as numbers of rows, whatever the shape that it was given. */
static rp_given_operand per_row(const splitter *s, const rp_given_operand *operand) {
    rp_given_operand out = *operand;
    const rp_tensor *x = &s->call->operands[0];
    rp_tensor *t = &out.argument.tensor;
    t->rank = x->rank - 1;
    memcpy(t->dims, x->dims, sizeof t->dims);
    return out;
}

/* The same, to stand beside the row's elements. */
static rp_given_operand column(const splitter *s, const rp_given_operand *operand) {
    rp_given_operand out = per_row(s, operand);
    out.argument.tensor.dims[out.argument.tensor.rank++] = 1;
    return out;
}

/* An operand as elements of the rows. */
static rp_given_operand elements(const splitter *s, const rp_given_operand *operand) {
    rp_given_operand out = *operand;
    const rp_tensor *x = &s->call->operands[0];
    out.argument.tensor.rank = x->rank;
    memcpy(out.argument.tensor.dims, x->dims, sizeof x->dims);
    return out;
}

static rp_status sum_rows(splitter *s, rp_given_operand *in, rp_given_operand *out) {
    return rp_expand_op(&s->x, "row_sum", RP_PARTS({"x", in}, {"out", out}), RP_NO_ATTRS);
}

/* Sums of rows of `in`, part by part, into a transient or an operand. */
static rp_status sum_long_rows(splitter *s, rp_given_operand *in, rp_given_operand *out) {
    rp_given_operand totals;
    RP_TRY(temp(s, "totals", &totals));
    RP_TRY(rp_expand_op(&s->x, "row_sum_partial", RP_PARTS({"x", in}, {"totals", &totals}),
                        &s->splits, 1));
    return sum_rows(s, &totals, out);
}

static rp_status sum_squares(splitter *s, rp_given_operand *out) {
    rp_given_operand squares;
    RP_TRY(temp(s, "squares", &squares));
    squares.argument.tensor.dtype = RP_F32;
    RP_TRY(map(s, "f32(x) * f32(x)", RP_PARTS({"x", s->given[0]}, {"out", &squares})));
    RP_TRY(temp(s, "sum", out));
    return sum_long_rows(s, &squares, out);
}

/* ---- Reductions ------------------------------------------------------------------------------ */

static rp_status split_sum(splitter *s) {
    rp_given_operand out = per_row(s, s->given[1]);
    return sum_long_rows(s, s->given[0], &out);
}

static rp_status split_mean(splitter *s) {
    rp_given_operand sum, out = per_row(s, s->given[1]);
    char formula[FORMULA];
    RP_TRY(temp(s, "sum", &sum));
    RP_TRY(sum_long_rows(s, s->given[0], &sum));
    snprintf(formula, sizeof formula, "sum / %s", s->n);
    return map(s, formula, RP_PARTS({"sum", &sum}, {"out", &out}));
}

static rp_status split_l2_norm(splitter *s) {
    rp_given_operand sum, out = per_row(s, s->given[1]);
    RP_TRY(sum_squares(s, &sum));
    return map(s, "sqrt(sum)", RP_PARTS({"sum", &sum}, {"out", &out}));
}

/* `best` is NULL, or the op that joins the values alone. */
static rp_status split_best(splitter *s, const char *partial, const char *best, const char *merge) {
    rp_given_operand values, places, out = per_row(s, s->given[1]);
    RP_TRY(temp(s, "values", &values));
    RP_TRY(temp(s, "places", &places));
    RP_TRY(rp_expand_op(
        &s->x, partial,
        RP_PARTS({"x", s->given[0]}, {"values", &values}, {"places", best ? NULL : &places}),
        &s->splits, 1));
    if (best)
        return rp_expand_op(&s->x, best, RP_PARTS({"x", &values}, {"out", &out}), RP_NO_ATTRS);
    return rp_expand_op(&s->x, merge,
                        RP_PARTS({"values", &values}, {"places", &places}, {"out", &out}),
                        RP_NO_ATTRS);
}

static rp_status split_min(splitter *s) {
    return split_best(s, "argmin_partial", "row_min", NULL);
}

static rp_status split_max(splitter *s) {
    return split_best(s, "argmax_partial", "row_max", NULL);
}

static rp_status split_argmin(splitter *s) {
    return split_best(s, "argmin_partial", NULL, "argmin_merge");
}

static rp_status split_argmax(splitter *s) {
    return split_best(s, "argmax_partial", NULL, "argmax_merge");
}

/* ---- Norms by squares ------------------------------------------------------------------------ */

static rp_status split_rms_norm(splitter *s) {
    enum { X, WEIGHT, OUT };
    rp_given_operand sum, out = elements(s, s->given[OUT]);
    char formula[FORMULA];
    RP_TRY(sum_squares(s, &sum));
    sum = column(s, &sum);
    snprintf(formula, sizeof formula, "x * rsqrt(sum / %s + %.9g)%s", s->n, s->call->attrs[0],
             s->given[WEIGHT] ? " * weight" : "");
    return map(
        s, formula,
        RP_PARTS({"x", s->given[X]}, {"sum", &sum}, {"weight", s->given[WEIGHT]}, {"out", &out}));
}

static rp_status split_l2_normalize(splitter *s) {
    enum { X, OUT, NORMS };
    rp_given_operand sum, beside, out = elements(s, s->given[OUT]);
    char formula[FORMULA];
    RP_TRY(sum_squares(s, &sum));
    beside = column(s, &sum);
    snprintf(formula, sizeof formula, "x / max(sqrt(sum), %.9g)", s->call->attrs[0]);
    RP_TRY(map(s, formula, RP_PARTS({"x", s->given[X]}, {"sum", &beside}, {"out", &out})));
    if (!s->given[NORMS]) return RP_OK;
    rp_given_operand norms = per_row(s, s->given[NORMS]);
    return map(s, "sqrt(sum)", RP_PARTS({"sum", &sum}, {"out", &norms}));
}

/* ---- Exponentials ---------------------------------------------------------------------------- */

/* The maximum of each row, and the sum of exp(x - top): parts' sums are relative to their own. */
static rp_status sum_exponentials(splitter *s, rp_given_operand *in, rp_given_operand *top,
                                  rp_given_operand *total) {
    rp_given_operand tops, totals;
    RP_TRY(temp(s, "tops", &tops));
    RP_TRY(temp(s, "totals", &totals));
    RP_TRY(temp(s, "top", top));
    RP_TRY(temp(s, "total", total));
    RP_TRY(rp_expand_op(&s->x, "softmax_partial",
                        RP_PARTS({"x", in}, {"tops", &tops}, {"totals", &totals}), &s->splits, 1));
    return rp_expand_op(
        &s->x, "softmax_merge",
        RP_PARTS({"tops", &tops}, {"totals", &totals}, {"top", top}, {"total", total}),
        RP_NO_ATTRS);
}

static rp_status split_logsumexp(splitter *s) {
    rp_given_operand top, total, out = per_row(s, s->given[1]);
    RP_TRY(sum_exponentials(s, s->given[0], &top, &total));
    return map(s, "top + log(total)", RP_PARTS({"top", &top}, {"total", &total}, {"out", &out}));
}

static rp_status split_softmax(splitter *s) {
    enum { X, MASK, OUT };
    rp_given_operand score, top, total, *in = s->given[X], *mask = s->given[MASK];
    rp_given_operand out = elements(s, s->given[OUT]);
    char z[FORMULA / 4] = "f32(x)", formula[FORMULA];
    if (mask || s->call->attrs[0] != 1) {
        snprintf(z, sizeof z, "(x * %.9g%s)", s->call->attrs[0], mask ? " + mask" : "");
        RP_TRY(temp(s, "score", &score));
        score.argument.tensor.dtype = RP_F32;
        RP_TRY(map(s, z, RP_PARTS({"x", in}, {"mask", mask}, {"out", &score})));
        in = &score;
    }
    RP_TRY(sum_exponentials(s, in, &top, &total));
    top = column(s, &top), total = column(s, &total);
    snprintf(formula, sizeof formula,
             "(top == -inf ? 0.0 : %s == top ? 1.0 : exp(%s - top)) / total", z, z);
    return map(s, formula,
               RP_PARTS({"x", s->given[X]}, {"mask", mask}, {"top", &top}, {"total", &total},
                        {"out", &out}));
}

/* ---- Variances ------------------------------------------------------------------------------- */

/* Mean, what rounding took of it, and variance of each row; NULL: not wanted. */
static rp_status spread_rows(splitter *s, rp_given_operand *mean, rp_given_operand *rest,
                             rp_given_operand *variance) {
    rp_given_operand counts, means, rests, spreads;
    const rp_attribute length = {.name = "length", .number = (double)rp_sym(s->call, 'C')};
    RP_TRY(temp(s, "counts", &counts));
    RP_TRY(temp(s, "means", &means));
    RP_TRY(temp(s, "rests", &rests));
    RP_TRY(temp(s, "spreads", &spreads));
    RP_TRY(rp_expand_op(&s->x, "variance_partial",
                        RP_PARTS({"x", s->given[0]}, {"counts", &counts}, {"means", &means},
                                 {"rests", &rests}, {"spreads", &spreads}),
                        &s->splits, 1));
    return rp_expand_op(&s->x, "variance_merge",
                        RP_PARTS({"counts", &counts}, {"means", &means}, {"rests", &rests},
                                 {"spreads", &spreads}, {"mean", mean}, {"rest", rest},
                                 {"variance", variance}),
                        &length, 1);
}

/* In the dtype that is asked for: the parts' are f32. */
static rp_status split_variance(splitter *s) {
    rp_given_operand variance, out = per_row(s, s->given[1]);
    RP_TRY(temp(s, "variance", &variance));
    RP_TRY(spread_rows(s, NULL, NULL, &variance));
    return map(s, "variance", RP_PARTS({"variance", &variance}, {"out", &out}));
}

static rp_status split_layer_norm(splitter *s) {
    enum { X, WEIGHT, BIAS, OUT };
    rp_given_operand mean, rest, variance, out = elements(s, s->given[OUT]);
    char formula[FORMULA];
    RP_TRY(temp(s, "mean", &mean));
    RP_TRY(temp(s, "rest", &rest));
    RP_TRY(temp(s, "variance", &variance));
    RP_TRY(spread_rows(s, &mean, &rest, &variance));
    mean = column(s, &mean), rest = column(s, &rest), variance = column(s, &variance);
    snprintf(formula, sizeof formula, "(x - mean - rest) * rsqrt(variance + %.9g)%s%s",
             s->call->attrs[0], s->given[WEIGHT] ? " * weight" : "",
             s->given[BIAS] ? " + bias" : "");
    return map(s, formula,
               RP_PARTS({"x", s->given[X]}, {"mean", &mean}, {"rest", &rest},
                        {"variance", &variance}, {"weight", s->given[WEIGHT]},
                        {"bias", s->given[BIAS]}, {"out", &out}));
}

/* ---- The table ------------------------------------------------------------------------------- */

static const row_op row_ops[] = {
    {"row_sum", 1, 1, split_sum},           {"row_mean", 1, 1, split_mean},
    {"row_min", 1, 1, split_min},           {"row_max", 1, 1, split_max},
    {"argmin", 1, 1, split_argmin},         {"argmax", 1, 1, split_argmax},
    {"l2_norm", 1, 1, split_l2_norm},       {"logsumexp", 2, 1, split_logsumexp},
    {"variance", 3, 1, split_variance},     {"rms_norm", 2, 2, split_rms_norm},
    {"softmax", 3, 2, split_softmax},       {"l2_normalize", 2, 2, split_l2_normalize},
    {"layer_norm", 4, 2, split_layer_norm},
};

static const row_op *find_row_op(const rp_op *op) {
    for (uint32_t i = 0; i < sizeof row_ops / sizeof *row_ops; i++)
        if (strcmp(row_ops[i].name, op->name) == 0) return &row_ops[i];
    return NULL;
}

rp_status rp_rows_split(rp_application *application, const rp_op_call *call,
                        rp_given_operand **given, uint64_t parts) {
    const rp_composite as = {.info.name = call->op->name};
    splitter s = {.x = {.application = application,
                        .composite = &as,
                        .first_id = application->graph->nodes_count},
                  .call = call,
                  .given = given,
                  .splits = {.name = "splits", .number = (double)parts}};
    snprintf(s.n, sizeof s.n, "%.1f", (double)rp_sym(call, 'C'));
    RP_TRY(rp_expand_label(&s.x));
    return find_row_op(call->op)->split(&s);
}
