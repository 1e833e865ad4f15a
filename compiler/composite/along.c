/* Composites that go along axes: reductions over any of them, sums and products up to each element.
 *
 * Axes that are next to each other are one; others are reduced one after the other, the last first, for
 * what joins elements may be joined in any order. What is done to elements first (squares) and to the
 * result (a root) are maps, which fuse.
 *
 * What `where` leaves out is replaced by what changes nothing.
 *
 * Rows of floats become ops over rows, which are cut into parts on their own (rows.c). Everything else
 * becomes reduce_axis; where its lines are few and long, of parts, and again of what these come to. A
 * scan of few long lines is three steps for the same reason: what parts come to, a scan of that, and
 * one of each part that starts there. So elements are read twice; a single pass in which parts wait for
 * those in front of them needs workgroups to run in order, which Vulkan does not promise. */
#include <stdio.h>

#include "composite/axes.h"

/* ---- Parts ----------------------------------------------------------------------------------- */

/* Threads of a workgroup; lines that it has at most (ir/ops/along.c); elements that a thread has at
 * least where lines are cut; workgroups for each multiprocessor that keep memory busy; and a tensor
 * that is not worth cutting. */
enum { THREADS = 256, MOST_LINES = 64, LEAST_EACH = 16, ENOUGH = 8, SMALL = 1 << 16 };
enum { MOST_PARTS = 4096 };

static uint64_t parts_of(const rp_expansion *x, const rp_lines *l) {
    const rp_target *target = rp_expand_target(x);
    uint64_t width = 1, least = 1;
    while (width < MOST_LINES && width < l->behind) width *= 2;
    uint64_t each = THREADS / width; /* threads of a line */
    if (target->loop_turns) least = 2 * l->along / each / target->loop_turns + 1;
    uint64_t groups = l->front * ((l->behind + width - 1) / width);
    uint64_t wanted = ENOUGH * (uint64_t)target->multiprocessors / (groups ? groups : 1);
    uint64_t most = l->along / (each * LEAST_EACH);
    if (most > MOST_PARTS) most = MOST_PARTS;
    if (l->front * l->along * l->behind <= SMALL) wanted = 1;
    if (wanted > most) wanted = most;
    return (uint64_t)rp_choose(x->application, (double)(wanted > least ? wanted : least));
}

/* Whether a number that may vary is no more than 1. */
static bool is_one(const rp_expansion *x, uint64_t dim) {
    return rp_choose(x->application, dim == 1) != 0;
}

static rp_given_operand around(const rp_given_operand *operand, const rp_lines *l, uint64_t along) {
    const rp_tensor shape = {.rank = 3, .dims = {l->front, along, l->behind}};
    return rp_axes_seen(operand, &shape);
}

/* ---- Reductions of one axis ------------------------------------------------------------------ */

static rp_status reduce(rp_expansion *x, const char *by, rp_given_operand *in,
                        rp_given_operand *out, rp_given_operand *places, uint64_t splits) {
    const rp_attribute attrs[] = {{.name = "by", .text = by},
                                  {.name = "splits", .number = (double)splits}};
    return rp_expand_op(x, "reduce_axis", RP_PARTS({"x", in}, {"out", out}, {"places", places}),
                        attrs, 2);
}

/* The op over rows that computes it of floats; NULL: none. */
static const char *row_op(const char *by) {
    static const char *const ops[][2] = {
        {"sum", "row_sum"}, {"min", "row_min"}, {"max", "row_max"}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (strcmp(ops[i][0], by) == 0) return ops[i][1];
    return NULL;
}

/* Into `out`, which is made, or a transient. */
static rp_status reduce_one(rp_expansion *x, const char *by, const rp_given_operand *in,
                            const rp_lines *l, rp_given_operand *out) {
    rp_given_operand from = around(in, l, l->along), to = *out, part;
    const rp_tensor rows = {.rank = 2, .dims = {l->front, l->along}};
    const rp_tensor each = {.rank = 1, .dims = {l->front}};
    bool made = out->fresh == RP_NONE;
    bool floats = rp_op_is_in(in->argument.tensor.dtype, RP_DT_FLOAT);
    uint64_t parts = parts_of(x, l);
    if (is_one(x, l->behind) && floats && row_op(by)) {
        from = rp_axes_seen(in, &rows);
        if (made) to = rp_axes_seen(out, &each);
        RP_TRY(rp_expand_op(x, row_op(by), RP_PARTS({"x", &from}, {"out", &to}), RP_NO_ATTRS));
    } else {
        if (made) to = around(out, l, 1);
        if (parts > 1) {
            RP_TRY(rp_expand_temp(x, "parts", &part));
            part.argument.tensor.dtype = rp_axes_joined(in->argument.tensor.dtype);
            RP_TRY(reduce(x, by, &from, &part, NULL, parts));
            from = part;
        }
        RP_TRY(reduce(x, by, &from, &to, NULL, 1));
    }
    if (!made) *out = to;
    return RP_OK;
}

/* ---- Reductions of several axes -------------------------------------------------------------- */

/* What is reduced of a tensor, and what is left: dimensions of 1 where it was. */
typedef struct reduced {
    rp_tensor shape, kept;
    bool axes[RP_MAX_RANK];
    uint64_t count; /* elements that come together */
} reduced;

/* The last run of axes to be reduced of a shape, as one; false: there is none. */
static bool last_run(const rp_expansion *x, const reduced *r, const rp_tensor *shape, rp_lines *out,
                     bool *only) {
    *out = (rp_lines){1, 1, 1};
    *only = true;
    int i = shape->rank - 1;
    for (; i >= 0 && (!r->axes[i] || is_one(x, shape->dims[i])); i--) out->behind *= shape->dims[i];
    if (i < 0) return false;
    for (; i >= 0 && (r->axes[i] || is_one(x, shape->dims[i])); i--) out->along *= shape->dims[i];
    for (; i >= 0; i--) {
        out->front *= shape->dims[i];
        if (r->axes[i] && !is_one(x, shape->dims[i])) *only = false;
    }
    return true;
}

/* Into `out`: made, or a transient of f32 or integers of 32 or 64 bits; seen with all dimensions. */
static rp_status reduce_axes(rp_expansion *x, const char *by, const rp_given_operand *in,
                             const reduced *r, rp_given_operand *out) {
    rp_given_operand from = *in, next;
    rp_tensor shape = r->shape;
    uint8_t dtype = rp_axes_joined(in->argument.tensor.dtype);
    bool only = false;
    rp_lines l;
    if (!last_run(x, r, &shape, &l, &only)) { /* each element alone */
        l = (rp_lines){rp_tensor_elements(&shape), 1, 1};
        only = true;
    }
    for (uint32_t turn = 0;; turn++) {
        char name[16];
        snprintf(name, sizeof name, "%s%u", by, turn);
        if (only) break;
        RP_TRY(rp_expand_temp(x, name, &next));
        next.argument.tensor.dtype = dtype;
        RP_TRY(reduce_one(x, by, &from, &l, &next));
        for (int i = shape.rank - 1, run = 0; i >= 0 && run < 2;
             i--) { /* the run is 1 from now on */
            bool part = r->axes[i] || is_one(x, shape.dims[i]);
            if (r->axes[i] && !is_one(x, shape.dims[i])) run = 1;
            if (run && !part) run = 2;
            if (run == 1) shape.dims[i] = 1;
        }
        from = next;
        last_run(x, r, &shape, &l, &only);
    }
    if (out->fresh != RP_NONE && out->argument.tensor.dtype == RP_RAW)
        out->argument.tensor.dtype = dtype;
    RP_TRY(reduce_one(x, by, &from, &l, out));
    *out = rp_axes_seen(out, &r->kept);
    return RP_OK;
}

rp_status rp_along_reduce(rp_expansion *x, const char *by, const rp_given_operand *in,
                          const bool axes[RP_MAX_RANK], rp_given_operand *out) {
    reduced r = {.shape = rp_axes_shape(in), .count = 1};
    memcpy(r.axes, axes, sizeof r.axes);
    r.kept = r.shape;
    for (uint32_t i = 0; i < r.shape.rank; i++)
        if (axes[i]) r.kept.dims[i] = 1;
    return reduce_axes(x, by, in, &r, out);
}

/* A transient by a formula over x. */
static rp_status map_to(rp_expansion *x, const char *name, uint8_t dtype, const char *formula,
                        rp_given_operand *in, rp_given_operand *out) {
    RP_TRY(rp_expand_temp(x, name, out));
    out->argument.tensor.dtype = dtype;
    return rp_expand_map(x, formula, RP_PARTS({"x", in}, {"out", out}));
}

/* ---- The reductions -------------------------------------------------------------------------- */

enum { X, OUT };
enum { AXES, KEEPDIMS, CORRECTION };

static rp_status read_reduced(rp_expansion *x, reduced *r, rp_tensor *result) {
    rp_int_list axes;
    *r = (reduced){.shape = rp_axes_shape(x->operands[X]), .count = 1};
    RP_TRY(rp_axes_read(x, AXES, r->shape.rank, &axes));
    for (uint32_t i = 0; i < axes.count; i++) r->axes[axes.values[i]] = true;
    r->kept = r->shape;
    *result = (rp_tensor){0};
    for (uint32_t i = 0; i < r->shape.rank; i++) {
        if (r->axes[i]) r->count *= r->shape.dims[i];
        if (r->axes[i]) r->kept.dims[i] = 1;
        if (!r->axes[i] || x->attrs[KEEPDIMS] > 0) result->dims[result->rank++] = r->kept.dims[i];
    }
    return RP_OK;
}

/* How a reduction is made: before, by and after are formulas over x, NULL: none; where the result is
 * a float for all, or a flag, or is divided by how many elements came together. */
typedef struct recipe {
    const char *name, *before_float, *before_int, *by, *after;
    bool floats, flags, by_count;
} recipe;

static const recipe recipes[] = {
    {"reduce_sum", NULL, NULL, "sum", NULL, false, false, false},
    {"reduce_prod", NULL, NULL, "prod", NULL, false, false, false},
    {"reduce_min", NULL, NULL, "min", NULL, false, false, false},
    {"reduce_max", NULL, NULL, "max", NULL, false, false, false},
    {"reduce_mean", NULL, "f32(x)", "sum", "", true, false, true},
    {"reduce_l1", "abs(x)", "abs(f32(x))", "sum", NULL, true, false, false},
    {"reduce_l2", "f32(x) * f32(x)", "f32(x) * f32(x)", "sum", "sqrt(x)", true, false, false},
    {"reduce_sum_square", "f32(x) * f32(x)", "x * x", "sum", NULL, false, false, false},
    {"reduce_log_sum", NULL, "f32(x)", "sum", "log(x)", true, false, false},
    {"reduce_any", "x != 0.0", "x != 0", "max", NULL, false, true, false},
    {"reduce_all", "x != 0.0", "x != 0", "prod", NULL, false, true, false}, /* of nothing 1 */
};

/* Sums of small integers have 32 bits, as NumPy's have more than their elements. */
static uint8_t result_dtype(const recipe *how, uint8_t dtype) {
    bool floats = rp_op_is_in(dtype, RP_DT_FLOAT);
    if (how->flags) return RP_BOOL;
    if (floats || how->by[0] == 'm') return dtype;
    return how->floats ? RP_F32 : rp_axes_joined(dtype);
}

/* What changes nothing of what it joins, as a formula of the type of the elements. */
static const char *neutral(const recipe *how, uint8_t as) {
    bool least = strcmp(how->by, "min") == 0;
    if (how->flags) return strcmp(how->by, "prod") == 0 ? "0 == 0" : "0 == 1";
    if (strcmp(how->by, "sum") == 0) return "0";
    if (strcmp(how->by, "prod") == 0) return "1";
    return rp_axes_end(as, least);
}

/* `where` with as many dimensions as x has, to which it must broadcast. */
static rp_status read_where(rp_expansion *x, const rp_given_operand *where, const reduced *r,
                            reduced *out) {
    rp_tensor own = rp_axes_shape(where);
    uint32_t rank = r->shape.rank, missing = own.rank < rank ? rank - own.rank : 0;
    const char *name = x->composite->info.name;
    *out = *r;
    out->count = 1;
    if (own.rank > rank)
        return rp_apply_error(x->application, RP_BLAME_OP, 0,
                              "%s: where has %u dimensions, expected up to %u, as x has", name,
                              own.rank, rank);
    for (uint32_t i = 0; i < rank; i++) {
        uint64_t dim = i < missing ? 1 : own.dims[i - missing], of = r->shape.dims[i];
        if (dim != 1 && dim != of)
            return rp_apply_error(x->application, RP_BLAME_OP, 0,
                                  "%s: where has %llu elements along axis %u of x, expected %llu "
                                  "or 1",
                                  name, (unsigned long long)dim, i, (unsigned long long)of);
        out->shape.dims[i] = dim;
        out->kept.dims[i] = r->axes[i] ? 1 : dim;
        if (r->axes[i] && dim == 1) out->count *= of; /* as often is each looked at */
    }
    return RP_OK;
}

/* How many elements each mean is of. */
static rp_status count_where(rp_expansion *x, const rp_given_operand *where, const reduced *r,
                             rp_given_operand *out) {
    rp_given_operand seen = rp_axes_seen(where, &r->shape), ones;
    RP_TRY(rp_expand_temp(x, "ones", &ones));
    ones.argument.tensor.dtype = RP_F32;
    RP_TRY(rp_expand_map(x, "where ? 1.0 : 0.0", RP_PARTS({"where", &seen}, {"out", &ones})));
    RP_TRY(rp_expand_temp(x, "count", out));
    return reduce_axes(x, "sum", &ones, r, out);
}

/* What is joined: elements of x as `before` has them, and where they are left out something neutral. */
static rp_status prepare(rp_expansion *x, const recipe *how, const rp_given_operand *where,
                         const reduced *r, rp_given_operand *in, const char *before, uint8_t result,
                         rp_given_operand *out) {
    uint8_t dtype = in->argument.tensor.dtype;
    uint8_t whole = rp_axes_widens(dtype, result) ? result : rp_axes_joined(dtype);
    uint8_t as = how->flags ? RP_BOOL : how->floats ? RP_F32 : whole;
    char formula[96];
    if (!where) return map_to(x, "x", as, before ? before : "x", in, out);
    rp_given_operand seen = rp_axes_seen(where, &r->shape);
    snprintf(formula, sizeof formula, "where ? %s : %s", before ? before : "x", neutral(how, as));
    RP_TRY(rp_expand_temp(x, "x", out));
    out->argument.tensor.dtype = as;
    return rp_expand_map(x, formula, RP_PARTS({"where", &seen}, {"x", in}, {"out", out}));
}

static rp_status expand_reduction(rp_expansion *x) {
    enum { WHERE = 1, RESULT };
    const recipe *how = recipes;
    while (strcmp(how->name, x->composite->info.name) != 0) how++;
    rp_given_operand *in = x->operands[X], *where = x->operands[WHERE], *out = x->operands[RESULT];
    rp_given_operand first, sum, count;
    uint8_t dtype = in->argument.tensor.dtype;
    reduced r, chosen;
    rp_tensor result;
    RP_TRY(read_reduced(x, &r, &result));
    if (where) RP_TRY(read_where(x, where, &r, &chosen));
    RP_TRY(rp_axes_make(x, out, &result, result_dtype(how, dtype)));
    rp_given_operand from = rp_axes_seen(in, &r.shape), to = rp_axes_seen(out, &r.kept);
    const char *before = rp_op_is_in(dtype, RP_DT_FLOAT) ? how->before_float : how->before_int;
    uint8_t made = out->argument.tensor.dtype;
    bool widened = !how->flags && !how->floats && rp_axes_widens(dtype, made);
    if (widened && before) before = made == RP_I64 ? "i64(x) * i64(x)" : "u64(x) * u64(x)";
    if (before || where || widened) {
        RP_TRY(prepare(x, how, where, &chosen, &from, before, made, &first));
        from = first;
    }
    if (!how->after) return reduce_axes(x, how->by, &from, &r, &to);
    RP_TRY(rp_expand_temp(x, "sum", &sum));
    RP_TRY(reduce_axes(x, how->by, &from, &r, &sum));
    if (!how->by_count) return rp_expand_map(x, how->after, RP_PARTS({"x", &sum}, {"out", &to}));
    char after[48];
    if (!where) {
        snprintf(after, sizeof after, "x / %.1f", (double)r.count);
        return rp_expand_map(x, after, RP_PARTS({"x", &sum}, {"out", &to}));
    }
    RP_TRY(count_where(x, where, &chosen, &count));
    snprintf(after, sizeof after, "x / (n * %.1f)", (double)chosen.count);
    return rp_expand_map(x, after, RP_PARTS({"x", &sum}, {"n", &count}, {"out", &to}));
}

/* Rows of floats that have an op of their own; false: it is not one. */
static bool are_rows(const rp_expansion *x, const reduced *r, uint8_t dtype, rp_lines *l) {
    bool only;
    if (!rp_op_is_in(dtype, RP_DT_FLOAT) || !last_run(x, r, &r->shape, l, &only)) return false;
    return is_one(x, l->behind) && only;
}

static rp_status rows_alone(rp_expansion *x, const char *op, const rp_lines *l) {
    const rp_tensor rows = {.rank = 2, .dims = {l->front, l->along}};
    const rp_tensor each = {.rank = 1, .dims = {l->front}};
    rp_given_operand from = rp_axes_seen(x->operands[X], &rows);
    rp_given_operand to = rp_axes_seen(x->operands[OUT], &each);
    return rp_expand_op(x, op, RP_PARTS({"x", &from}, {"out", &to}), RP_NO_ATTRS);
}

static rp_status expand_log_sum_exp(rp_expansion *x) {
    rp_given_operand *in = x->operands[X], *out = x->operands[OUT], top, shifted, total;
    uint8_t dtype = in->argument.tensor.dtype;
    reduced r;
    rp_tensor result;
    rp_lines l;
    RP_TRY(read_reduced(x, &r, &result));
    RP_TRY(rp_axes_make(x, out, &result, rp_axes_floats(dtype)));
    if (are_rows(x, &r, dtype, &l)) return rows_alone(x, "logsumexp", &l);
    rp_given_operand from = rp_axes_seen(in, &r.shape), to = rp_axes_seen(out, &r.kept), floats;
    RP_TRY(map_to(x, "x", RP_F32, "f32(x)", &from, &floats));
    RP_TRY(rp_expand_temp(x, "top", &top));
    RP_TRY(rp_expand_temp(x, "shifted", &shifted));
    RP_TRY(rp_expand_temp(x, "total", &total));
    RP_TRY(reduce_axes(x, "max", &floats, &r, &top));
    RP_TRY(rp_expand_map(x, "x == top ? 1.0 : exp(x - top)",
                         RP_PARTS({"x", &floats}, {"top", &top}, {"out", &shifted})));
    RP_TRY(reduce_axes(x, "sum", &shifted, &r, &total));
    return rp_expand_map(x, "top + log(total)",
                         RP_PARTS({"top", &top}, {"total", &total}, {"out", &to}));
}

/* Square distances from the mean, which is corrected by what rounding took of it. */
static rp_status expand_variance(rp_expansion *x) {
    rp_given_operand *in = x->operands[X], *out = x->operands[OUT];
    rp_given_operand floats, sum, apart, rest, squares, spread;
    uint8_t dtype = in->argument.tensor.dtype;
    double correction = x->attrs[CORRECTION];
    char formula[96];
    reduced r;
    rp_tensor result;
    rp_lines l;
    RP_TRY(read_reduced(x, &r, &result));
    if (correction >= (double)r.count && (correction > 0 || r.count)) /* of nothing it is NaN */
        return rp_axes_wrong(x, CORRECTION, "as many as elements come together, or more");
    RP_TRY(rp_axes_make(x, out, &result, rp_axes_floats(dtype)));
    if (are_rows(x, &r, dtype, &l) && correction == 0) return rows_alone(x, "variance", &l);
    rp_given_operand from = rp_axes_seen(in, &r.shape), to = rp_axes_seen(out, &r.kept);
    RP_TRY(map_to(x, "x", RP_F32, "f32(x)", &from, &floats));
    RP_TRY(rp_expand_temp(x, "sum", &sum));
    RP_TRY(rp_expand_temp(x, "apart", &apart));
    RP_TRY(rp_expand_temp(x, "rest", &rest));
    RP_TRY(rp_expand_temp(x, "squares", &squares));
    RP_TRY(rp_expand_temp(x, "spread", &spread));
    RP_TRY(reduce_axes(x, "sum", &floats, &r, &sum));
    snprintf(formula, sizeof formula, "x - sum / %.1f", (double)r.count);
    RP_TRY(rp_expand_map(x, formula, RP_PARTS({"x", &floats}, {"sum", &sum}, {"out", &apart})));
    RP_TRY(reduce_axes(x, "sum", &apart, &r, &rest));
    snprintf(formula, sizeof formula, "(apart - rest / %.1f) * (apart - rest / %.1f)",
             (double)r.count, (double)r.count);
    RP_TRY(
        rp_expand_map(x, formula, RP_PARTS({"apart", &apart}, {"rest", &rest}, {"out", &squares})));
    RP_TRY(reduce_axes(x, "sum", &squares, &r, &spread));
    snprintf(formula, sizeof formula, "spread / %.1f", (double)r.count - correction);
    return rp_expand_map(x, formula, RP_PARTS({"spread", &spread}, {"out", &to}));
}

/* ---- Places ---------------------------------------------------------------------------------- */

/* The place in a line: of parts first, then that in the best of them. */
static rp_status expand_place(rp_expansion *x) {
    const char *by = strcmp(x->composite->info.name, "reduce_argmin") == 0 ? "argmin" : "argmax";
    rp_given_operand *in = x->operands[X], *out = x->operands[OUT], values, places, best;
    uint8_t dtype = in->argument.tensor.dtype;
    static const rp_attribute axis = {.name = "axis", .number = 1};
    static const uint32_t rows = RP_DT_FLOAT | RP_DT_BYTE | RP_DT_SHORT;
    reduced r;
    rp_tensor result;
    rp_lines l;
    bool only;
    if (x->lists[AXES].count > 1) return rp_axes_wrong(x, AXES, "expected one axis");
    RP_TRY(read_reduced(x, &r, &result));
    RP_TRY(rp_axes_make(x, out, &result, RP_U32));
    if (!last_run(x, &r, &r.shape, &l, &only)) l = (rp_lines){rp_tensor_elements(&r.shape), 1, 1};
    if (is_one(x, l.behind) && rp_op_is_in(dtype, rows)) return rows_alone(x, by, &l);
    rp_given_operand from = around(in, &l, l.along), to = around(out, &l, 1);
    uint64_t parts = parts_of(x, &l);
    RP_TRY(rp_expand_temp(x, "places", &places));
    if (parts <= 1) {
        RP_TRY(reduce(x, by, &from, NULL, &places, 1));
        return rp_expand_map(x, "x == 4294967295 ? 0 : x", RP_PARTS({"x", &places}, {"out", &to}));
    }
    RP_TRY(rp_expand_temp(x, "values", &values));
    values.argument.tensor.dtype = rp_axes_joined(dtype);
    RP_TRY(reduce(x, by, &from, &values, &places, parts));
    RP_TRY(rp_expand_temp(x, "best", &best));
    RP_TRY(reduce(x, by, &values, NULL, &best, 1));
    return rp_expand_op(x, "take_along_axis",
                        RP_PARTS({"x", &places}, {"indices", &best}, {"out", &to}), &axis, 1);
}

/* ---- Scans ----------------------------------------------------------------------------------- */

static rp_status scan(rp_expansion *x, const rp_along *how, rp_given_operand *in,
                      rp_given_operand *start, rp_given_operand *out, bool exclusive,
                      uint64_t splits) {
    const rp_attribute attrs[] = {{.name = "by", .text = how->by},
                                  {.name = "exclusive", .number = exclusive},
                                  {.name = "reverse", .number = how->reverse},
                                  {.name = "splits", .number = (double)splits}};
    return rp_expand_op(x, "scan", RP_PARTS({"x", in}, {"start", start}, {"out", out}), attrs, 4);
}

rp_status rp_along_scan(rp_expansion *x, const rp_along *how, const rp_lines *l,
                        const rp_given_operand *in, const rp_given_operand *out) {
    rp_given_operand from = around(in, l, l->along), to = around(out, l, l->along), totals, starts;
    uint64_t parts = parts_of(x, l);
    if (parts <= 1) return scan(x, how, &from, NULL, &to, how->exclusive, 1);
    RP_TRY(rp_expand_temp(x, "totals", &totals));
    RP_TRY(rp_expand_temp(x, "starts", &starts));
    totals.argument.tensor.dtype = rp_axes_joined(in->argument.tensor.dtype);
    starts.argument.tensor.dtype = totals.argument.tensor.dtype;
    RP_TRY(reduce(x, how->by, &from, &totals, NULL, parts));
    RP_TRY(scan(x, how, &totals, NULL, &starts, true, 1));
    return scan(x, how, &from, &starts, &to, how->exclusive, parts);
}

static rp_status expand_scan(rp_expansion *x) {
    enum { AXIS, EXCLUSIVE, REVERSE };
    const rp_along how = {.by = x->composite->info.name + strlen("cum"),
                          .exclusive = x->attrs[EXCLUSIVE] > 0,
                          .reverse = x->attrs[REVERSE] > 0};
    rp_given_operand *in = x->operands[X], *out = x->operands[OUT];
    rp_tensor shape = rp_axes_shape(in);
    uint8_t dtype = shape.dtype;
    bool same = rp_op_is_in(dtype, RP_DT_FLOAT) || how.by[0] == 'm';
    rp_lines l;
    RP_TRY(rp_axes_around(x, AXIS, &shape, &l));
    RP_TRY(rp_axes_make(x, out, &shape, same ? dtype : rp_axes_joined(dtype)));
    if (!rp_axes_widens(dtype, out->argument.tensor.dtype))
        return rp_along_scan(x, &how, &l, in, out);
    rp_given_operand first;
    RP_TRY(map_to(x, "x", out->argument.tensor.dtype, "x", in, &first));
    return rp_along_scan(x, &how, &l, &first, out);
}

/* ---- The table ------------------------------------------------------------------------------- */

#define R .access = RP_READ
#define W .access = RP_WRITE
#define FLAG(name_, brief_)                                                                        \
    { .name = name_, .brief = brief_, .kind = RP_ATTR_INTEGER, .low = 0, .high = 1 }
#define KEEP FLAG("keepdims", "1: reduced axes stay, of length 1")
#define REDUCTION(name_, brief_, notes_)                                                           \
    {                                                                                              \
        .info.name = name_, .info.family = "along", .info.brief = brief_, .notes = notes_,         \
        .operand_count = 3, .attr_count = 2,                                                       \
        .operands = {{"x", "any numbers", "*N", R},                                                \
                     {"where", "integers; 0 leaves an element out. Broadcasts to x", "*K", R,      \
                      .optional = true},                                                           \
                     {"out", "x without the axes", "*M", W}},                                      \
        .attrs = {RP_AXES("axes", "all"), KEEP}, .expand = expand_reduction                        \
    }
#define PLACE(name_, brief_, numpy_)                                                               \
    {                                                                                              \
        .info.name = name_, .info.family = "along", .info.brief = brief_,                          \
        .notes =                                                                                   \
            "an op over rows, or `reduce_axis`. The first of equal ones, NaN skipped; of NaN "     \
            "alone 0. As " numpy_ " but for NaN.",                                                 \
        .operand_count = 2, .attr_count = 2,                                                       \
        .operands = {{"x", "any numbers", "*N", R},                                                \
                     {"out", "x without the axis", "*M", W, .counts = true}},                      \
        .attrs = {RP_AXES("axis", "all elements as one line"), KEEP}, .expand = expand_place       \
    }
#define SCAN(name_, brief_, notes_)                                                                \
    {                                                                                              \
        .info.name = name_, .info.family = "along", .info.brief = brief_, .notes = notes_,         \
        .operand_count = 2, .attr_count = 3,                                                       \
        .operands = {{"x", "any numbers", "*N", R}, {"out", "of x's shape", "*N", W}},             \
        .attrs = {{.name = "axis",                                                                 \
                   .brief = "along which; negative ones count from the last",                      \
                   .kind = RP_ATTR_INTEGER,                                                        \
                   .fallback = -1,                                                                 \
                   .low = -RP_MAX_RANK,                                                            \
                   .high = RP_MAX_RANK - 1},                                                       \
                  FLAG("exclusive", "1: up to each element, without itself"),                      \
                  FLAG("reverse", "1: from the end")},                                             \
        .expand = expand_scan                                                                      \
    }
#define BY_ROWS                                                                                    \
    "Rows of floats are an op over rows, everything else is `reduce_axis`, twice where lines are " \
    "few and long; both add up in f32. "
#define WIDER                                                                                      \
    "Of integers it has 32 bits, of i64 and u64 64, unless `dtype` says otherwise, and wraps; "    \
    "with "                                                                                        \
    "`dtype: i64` smaller ones are joined as such. "
#define SCANS                                                                                      \
    "`scan`; where lines are few and long `reduce_axis` of their parts, a `scan` of that, and "    \
    "one "                                                                                         \
    "of each part. " WIDER

const rp_composite rp_composites_along[] = {
    REDUCTION("reduce_sum", "sum over axes", BY_ROWS WIDER "As ONNX ReduceSum, numpy.sum."),
    REDUCTION("reduce_mean", "mean over axes",
              BY_ROWS "Of integers it is f32. As ONNX ReduceMean, numpy.mean."),
    REDUCTION("reduce_prod", "product over axes",
              "`reduce_axis`. " WIDER "As ONNX ReduceProd, numpy.prod."),
    REDUCTION("reduce_min", "minimum over axes",
              BY_ROWS "NaN is skipped; of NaN alone inf. As ONNX ReduceMin, numpy.nanmin."),
    REDUCTION("reduce_max", "maximum over axes",
              BY_ROWS "NaN is skipped; of NaN alone -inf. As ONNX ReduceMax, numpy.nanmax."),
    REDUCTION("reduce_l1", "sum of magnitudes over axes",
              "A map, and `reduce_sum`. Of integers it is f32. As ONNX ReduceL1."),
    REDUCTION("reduce_l2", "square root of the sum of squares over axes",
              "Maps around `reduce_sum`. Of integers it is f32. As ONNX ReduceL2."),
    REDUCTION("reduce_sum_square", "sum of squares over axes",
              "A map, and `reduce_sum`. " WIDER "As ONNX ReduceSumSquare."),
    REDUCTION("reduce_log_sum", "logarithm of the sum over axes",
              "`reduce_sum`, and a map. Of integers it is f32. As ONNX ReduceLogSum."),
    REDUCTION("reduce_any", "whether any element over axes is not 0",
              "A map, and a maximum; bool, and NaN is not 0. As numpy.any."),
    REDUCTION("reduce_all", "whether no element over axes is 0",
              "A map, and a minimum; bool, and NaN is not 0. As numpy.all."),
    {.info.name = "reduce_log_sum_exp",
     .info.family = "along",
     .info.brief = "logarithm of the sum of exp(x) over axes",
     .notes = "`logsumexp` of rows of floats; else the maximum, and the sum of what is shifted by "
              "it. Of integers it is f32. As ONNX ReduceLogSumExp.",
     .operand_count = 2,
     .attr_count = 2,
     .operands = {{"x", "any numbers", "*N", R}, {"out", "x without the axes", "*M", W}},
     .attrs = {RP_AXES("axes", "all"), KEEP},
     .expand = expand_log_sum_exp},
    {.info.name = "reduce_variance",
     .info.family = "along",
     .info.brief = "mean square distance from the mean, over axes",
     .notes =
         "`variance` of rows of floats, where there is no correction; else the mean, what "
         "rounding took of it, and the sum of squares, by `reduce_sum`. Of integers it is f32. "
         "As numpy.var, whose ddof is `correction`; torch.var has 1.",
     .operand_count = 2,
     .attr_count = 3,
     .operands = {{"x", "any numbers", "*N", R}, {"out", "x without the axes", "*M", W}},
     .attrs = {RP_AXES("axes", "all"),
               KEEP,
               {.name = "correction",
                .brief = "is taken from the number of elements that the sum is divided by",
                .kind = RP_ATTR_INTEGER,
                .low = 0,
                .high = UINT32_MAX}},
     .expand = expand_variance},
    PLACE("reduce_argmin", "index of the minimum along an axis", "ONNX ArgMin, numpy.argmin"),
    PLACE("reduce_argmax", "index of the maximum along an axis", "ONNX ArgMax, numpy.argmax"),
    SCAN("cumsum", "sum up to each element along an axis", SCANS "As ONNX CumSum, numpy.cumsum."),
    SCAN("cumprod", "product up to each element along an axis", SCANS "As numpy.cumprod."),
    SCAN("cummin", "minimum up to each element along an axis",
         SCANS "NaN is skipped. As numpy.fmin.accumulate."),
    SCAN("cummax", "maximum up to each element along an axis",
         SCANS "NaN is skipped. As numpy.fmax.accumulate."),
};

const uint32_t rp_composites_along_count = sizeof rp_composites_along / sizeof *rp_composites_along;
