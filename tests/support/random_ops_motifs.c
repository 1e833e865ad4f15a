/* What random graphs of ops are made of: small patterns from real pipelines, each applied to
 * whatever values are there, so that they chain, share inputs and overlap in unforeseen ways. */
#include <stdio.h>

#include "support/random_ops_parts.h"

/* ---- Picking --------------------------------------------------------------------------------- */

static uint64_t elements_of(uint32_t rank, const uint64_t *dims) {
    uint64_t n = 1;
    for (uint32_t i = 0; i < rank; i++) n *= dims[i];
    return n;
}

/* Contents of an input: now and then some special numbers among them. */
static const char *salt(rops_maker *m) {
    return rops_percent(m, 25) ? "salted" : NULL;
}

rp_dtype rops_half(rops_maker *m) {
    return rops_percent(m, 50) ? RP_F16 : RP_BF16;
}

rops_value rops_pick(rops_maker *m, uint32_t rank, const uint64_t *dims) {
    uint64_t n = elements_of(rank, dims);
    for (uint32_t tries = 0; tries < 6 && m->value_count > 0; tries++) {
        uint32_t span = rops_percent(m, 60) && m->value_count > 4 ? 4 : m->value_count;
        const rops_value *v = &m->values[m->value_count - 1 - rops_below(m, span)];
        if (rp_tensor_elements(&v->tensor) != n) continue;
        rops_value seen = *v;
        seen.tensor = rops_shape((rp_dtype)v->tensor.dtype, rank, dims);
        return seen;
    }
    return rops_new_input(m, rops_percent(m, 80) ? RP_F32 : rops_half(m), rank, dims, salt(m));
}

rops_value rops_pick_f32(rops_maker *m, uint32_t rank, const uint64_t *dims) {
    rops_value v = rops_pick(m, rank, dims), out;
    if (v.buffer == RP_NONE || v.tensor.dtype == RP_F32) return v;
    const rops_call cast = {.op = "cast", .inputs = {v}, .input_count = 1, .dtype = RP_F32};
    return rops_add(m, &cast, &out, 1) ? out : rops_new_input(m, RP_F32, rank, dims, NULL);
}

static rops_value pick_usual(rops_maker *m) {
    return rops_pick(m, 2, ROPS_DIMS(m->rows, m->columns));
}

static rops_value weight(rops_maker *m, rp_dtype dtype, uint64_t rows, uint64_t columns) {
    return rops_new_input(m, dtype, 2, ROPS_DIMS(rows, columns), "finite=0.5");
}

bool rops_apply(rops_maker *m, const char *op, const char *attrs, rops_value a, rops_value b,
                rops_value c, uint32_t count, rops_value *out) {
    const rops_call call = {.op = op, .attrs = attrs, .inputs = {a, b, c}, .input_count = count};
    return rops_add(m, &call, out, out ? 1 : 0);
}

bool rops_apply1(rops_maker *m, const char *op, rops_value a, rops_value *out) {
    return rops_apply(m, op, NULL, a, ROPS_NOTHING, ROPS_NOTHING, 1, out);
}

/* ---- Maps ------------------------------------------------------------------------------------ */

static void unary(rops_maker *m) {
    static const char *const ops[] = {"neg",   "abs",  "sigmoid",   "silu",      "gelu",
                                      "relu",  "tanh", "square",    "exp",       "sqrt",
                                      "rsqrt", "log",  "gelu_tanh", "reciprocal"};
    rops_apply1(m, ops[rops_below(m, sizeof ops / sizeof *ops)], pick_usual(m), NULL);
}

/* A second operand that broadcasts: the same shape, a row, a column, a single element. */
rops_value rops_partner(rops_maker *m) {
    switch (rops_below(m, 5)) {
    case 0: return rops_pick_f32(m, 1, ROPS_DIMS(m->columns));
    case 1: return rops_pick_f32(m, 2, ROPS_DIMS(m->rows, 1));
    case 2: return rops_pick_f32(m, 1, ROPS_DIMS(1));
    default: return rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns));
    }
}

static void binary(rops_maker *m) {
    static const char *const ops[] = {"add", "sub", "mul", "div", "min", "max"};
    rops_value a = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)), b = rops_partner(m);
    rops_apply(m, ops[rops_below(m, 6)], NULL, a, b, ROPS_NOTHING, 2, NULL);
}

static void formula(rops_maker *m) {
    static const char *const formulas[] = {
        "expr=a * b + c",
        "expr=silu(a) * b - c",
        "expr=a > b ? a * 0.5 : c",
        "expr=(a - b) * (a - b) + c * c",
        "expr=f16(a * 1.1) + b / (abs(c) + 1.0)",
        "expr=bf16(a * b) - bf16(c)",
        "expr=clamp(a, -1.0, b) * tanh(c)",
        "expr=i0 < i1 ? a * f32(i1 - 3) : b + c",
        "expr=index % 3 == 0 ? a : b * cos(pi * i0 / (i1 + 1)) - c",
    };
    rops_value a = pick_usual(m), b = rops_partner(m), c = rops_partner(m);
    const rops_call call = {.op = "map",
                            .attrs = formulas[rops_below(m, 9)],
                            .inputs = {a, b, c},
                            .input_count = 3,
                            .dtype = rops_percent(m, 30) ? rops_half(m) : RP_F32};
    rops_add(m, &call, NULL, 0);
}

static void in_place(rops_maker *m) {
    rops_value a = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns));
    rops_value b = rops_new_input(m, RP_F32, 1, ROPS_DIMS(m->columns), NULL);
    const rops_call call = {.op = rops_percent(m, 50) ? "add" : "mul",
                            .inputs = {a, b},
                            .input_count = 2,
                            .into = a,
                            .has_into = true};
    rops_add(m, &call, NULL, 0);
}

static void cast(rops_maker *m) {
    rops_value a = pick_usual(m);
    const rops_call call = {.op = "cast",
                            .inputs = {a},
                            .input_count = 1,
                            .dtype = a.tensor.dtype == RP_F32 || rops_percent(m, 30) ? rops_half(m)
                                                                                     : RP_F32};
    rops_add(m, &call, NULL, 0);
}

static void chain(rops_maker *m) {
    rops_value v = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns));
    for (uint32_t i = 2 + rops_below(m, 4); i > 0; i--) {
        static const char *const ops[] = {"neg", "sigmoid", "silu", "abs"};
        if (rops_percent(m, 50)) {
            if (!rops_apply1(m, ops[rops_below(m, 4)], v, &v)) return;
        } else if (!rops_apply(m, "add", NULL, v, rops_partner(m), ROPS_NOTHING, 2, &v)) {
            return;
        }
    }
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static bool norm(rops_maker *m, rops_value x, rops_value *out) {
    uint64_t c = x.tensor.dims[x.tensor.rank - 1];
    rops_value weights = rops_new_input(m, RP_F32, 1, ROPS_DIMS(c), NULL);
    if (rops_percent(m, 60))
        return rops_apply(m, "rms_norm", NULL, x, weights, ROPS_NOTHING, 2, out);
    return rops_apply(m, "layer_norm", NULL, x, weights,
                      rops_percent(m, 50) ? rops_new_input(m, RP_F32, 1, ROPS_DIMS(c), NULL)
                                          : ROPS_NOTHING,
                      3, out);
}

static void rows(rops_maker *m) {
    static const char *const whole[] = {"softmax", "l2_normalize"};
    rops_value x = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)), out;
    if (rops_percent(m, 40))
        norm(m, x, NULL);
    else if (rops_apply(m, whole[rops_below(m, 2)], NULL, x, ROPS_NOTHING, ROPS_NOTHING, 1, &out) &&
             rops_percent(m, 30))
        rops_apply(m, "mul", NULL, out, rops_partner(m), ROPS_NOTHING, 2, NULL);
}

/* A number per row, used again for every element of the row. */
static void row_number(rops_maker *m) {
    static const char *const ops[] = {"row_sum",  "row_mean", "row_max",  "row_min",
                                      "variance", "l2_norm",  "logsumexp"};
    rops_value x = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)), r;
    if (!rops_apply1(m, ops[rops_below(m, 7)], x, &r) || rops_percent(m, 40)) return;
    r.tensor = rops_shape((rp_dtype)r.tensor.dtype, 2, ROPS_DIMS(m->rows, 1));
    rops_apply(m, rops_percent(m, 50) ? "sub" : "mul", NULL, x, r, ROPS_NOTHING, 2, NULL);
}

/* Rows in parts, with something in front and behind. */
static void parts(rops_maker *m) {
    static const char *const ops[][2] = {{"softmax_partial", "softmax_merge"},
                                         {"argmax_partial", "argmax_merge"},
                                         {"argmin_partial", "argmin_merge"}};
    if (m->columns < 3) return;
    rops_value x = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)), out[2];
    if (rops_percent(m, 40)) rops_apply1(m, "square", x, &x);
    if (rops_percent(m, 30)) {
        if (rops_apply(m, "row_sum_partial", "splits=3", x, ROPS_NOTHING, ROPS_NOTHING, 1, out))
            rops_apply1(m, "row_sum", out[0], NULL);
        return;
    }
    uint32_t which = rops_below(m, 3);
    const rops_call call = {
        .op = ops[which][0], .attrs = "splits=3", .inputs = {x}, .input_count = 1};
    if (rops_add(m, &call, out, 2))
        rops_apply(m, ops[which][1], NULL, out[0], out[1], ROPS_NOTHING, 2, NULL);
}

/* ---- Matrices -------------------------------------------------------------------------------- */

static rops_value matvec_weight(rops_maker *m, uint64_t rows, uint64_t columns) {
    static const rp_dtype dtypes[] = {RP_F32, RP_F16, RP_BF16, RP_Q8_0, RP_Q4_0};
    return weight(m, dtypes[rops_below(m, columns % 32 ? 3 : 5)], rows, columns);
}

/* Sibling products of one input, each with or without something behind it. */
static void matvecs(rops_maker *m) {
    uint64_t b = m->rows, k = m->columns;
    rops_value x = rops_pick_f32(m, 2, ROPS_DIMS(b, k)), out;
    if (rops_percent(m, 50) && !norm(m, x, &x)) return;
    for (uint32_t i = 1 + rops_below(m, 3); i > 0; i--) {
        uint64_t rows = rops_percent(m, 50) ? k : 8 + rops_below(m, 3) * 13;
        if (!rops_apply(m, "matvec", NULL, x, matvec_weight(m, rows, k), ROPS_NOTHING, 2, &out))
            return;
        switch (rops_below(m, 4)) {
        case 0: rops_apply1(m, "silu", out, NULL); break;
        case 1:
            rops_apply(m, "add", NULL, out, rops_pick_f32(m, 2, ROPS_DIMS(b, rows)), ROPS_NOTHING,
                       2, NULL);
            break;
        case 2:
            rops_apply(m, "add", NULL, out, rops_new_input(m, RP_F32, 1, ROPS_DIMS(rows), NULL),
                       ROPS_NOTHING, 2, NULL);
            break;
        default: break;
        }
    }
}

static void gated(rops_maker *m) {
    uint64_t b = m->rows, k = m->columns, hidden = 24 + rops_below(m, 2) * 40;
    rp_dtype dtype = rops_percent(m, 50) ? RP_F32 : rops_half(m);
    rops_value x = rops_pick_f32(m, 2, ROPS_DIMS(b, k)), n = x, gate, up, both;
    if (rops_percent(m, 60) && !norm(m, x, &n)) return;
    if (!rops_apply(m, "matvec", NULL, n, weight(m, dtype, hidden, k), ROPS_NOTHING, 2, &gate))
        return;
    if (!rops_apply(m, "matvec", NULL, n, weight(m, dtype, hidden, k), ROPS_NOTHING, 2, &up))
        return;
    const rops_call call = {
        .op = "map", .attrs = "expr=silu(a) * b", .inputs = {gate, up}, .input_count = 2};
    if (!rops_add(m, &call, &both, 1) || rops_percent(m, 30)) return;
    if (!rops_apply(m, "matvec", NULL, both, weight(m, dtype, k, hidden), ROPS_NOTHING, 2, &both))
        return;
    rops_apply(m, "add", NULL, both, x, ROPS_NOTHING, 2, NULL);
}

/* Rows of halved keys into a cache, one place each. */
static bool append(rops_maker *m, rops_value keys, uint64_t heads_by_dim) {
    rops_value halves, positions;
    rp_dtype dtype = rops_half(m);
    const rops_call call = {.op = "cast", .inputs = {keys}, .input_count = 1, .dtype = dtype};
    if (!rops_add(m, &call, &halves, 1)) return false;
    halves.tensor = rops_shape(dtype, 2, ROPS_DIMS(m->rows, heads_by_dim));
    positions = rops_new_input(m, RP_U32, 1, ROPS_DIMS(m->rows), "each=16");
    rops_value cache = rops_new_input(m, dtype, 2, ROPS_DIMS(16, heads_by_dim), NULL);
    if (cache.buffer == RP_NONE) return false;
    const rops_call scatter = {.op = "scatter_rows",
                               .inputs = {halves, positions},
                               .input_count = 2,
                               .into = cache,
                               .has_into = true};
    return rops_add(m, &scatter, NULL, 0);
}

static void rope_and_append(rops_maker *m) {
    uint64_t heads = 1 + rops_below(m, 2), dim = rops_percent(m, 50) ? 8 : 16, hd = heads * dim;
    rops_value x = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)), keys;
    if (rops_percent(m, 40) && !norm(m, x, &x)) return;
    if (!rops_apply(m, "matvec", NULL, x, matvec_weight(m, hd, m->columns), ROPS_NOTHING, 2, &keys))
        return;
    keys.tensor = rops_shape((rp_dtype)keys.tensor.dtype, 3, ROPS_DIMS(m->rows, heads, dim));
    rops_value positions = rops_new_input(m, RP_U32, 1, ROPS_DIMS(m->rows), "below=50");
    const char *layout = rops_percent(m, 50) ? "layout=neox" : "layout=interleaved";
    if (!rops_apply(m, "rope", layout, keys, positions, ROPS_NOTHING, 2, &keys)) return;
    if (rops_percent(m, 70)) append(m, keys, hd);
}

/* Heads of eight on products of twelve rows: pairs reach from one row into the next. */
static void rope_across(rops_maker *m) {
    uint64_t tokens = m->rows * 12 / 8;
    rops_value x = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)), keys;
    if (m->rows % 2) return;
    if (!rops_apply(m, "matvec", NULL, x, matvec_weight(m, 12, m->columns), ROPS_NOTHING, 2, &keys))
        return;
    keys.tensor = rops_shape((rp_dtype)keys.tensor.dtype, 3, ROPS_DIMS(tokens, 1, 8));
    rops_value positions = rops_new_input(m, RP_U32, 1, ROPS_DIMS(tokens), "below=50");
    const char *layout = rops_percent(m, 50) ? "layout=neox" : "layout=interleaved";
    rops_apply(m, "rope", layout, keys, positions, ROPS_NOTHING, 2, NULL);
}

static void matmul(rops_maker *m) {
    uint64_t n = 5 + rops_below(m, 3) * 14;
    rops_value a = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)), out;
    rops_value b = weight(m, rops_percent(m, 70) ? RP_F32 : rops_half(m), m->columns, n);
    if (!rops_apply(m, "matmul", NULL, a, b, ROPS_NOTHING, 2, &out) || rops_percent(m, 30)) return;
    if (!rops_apply(m, "add", NULL, out, rops_new_input(m, RP_F32, 1, ROPS_DIMS(n), NULL),
                    ROPS_NOTHING, 2, &out))
        return;
    if (rops_percent(m, 50)) rops_apply1(m, "gelu", out, NULL);
}

/* Rows with rows, and what they come to: where these vary so do both sides of the product, and its depth. */
static void scores(rops_maker *m) {
    rops_value q = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)), s, shares;
    rops_value k = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns));
    if (!rops_apply(m, "matmul", "transpose_b=1", q, k, ROPS_NOTHING, 2, &s)) return;
    if (!rops_apply(m, "softmax", "scale=0.2", s, ROPS_NOTHING, ROPS_NOTHING, 1, &shares)) return;
    if (rops_percent(m, 40)) return;
    if (rops_percent(m, 50))
        rops_apply(m, "matmul", NULL, shares, k, ROPS_NOTHING, 2, NULL);
    else
        rops_apply(m, "matmul", "transpose_a=1", k, shares, ROPS_NOTHING, 2, NULL);
}

/* Of bytes, exact, and what a model makes of the sums. */
static void matmul_bytes(rops_maker *m) {
    uint64_t n = 5 + rops_below(m, 3) * 14;
    bool turned = rops_percent(m, 50);
    rops_value a = rops_new_input(m, RP_I8, 2, ROPS_DIMS(m->rows, m->columns), NULL), out;
    rops_value b = rops_new_input(
        m, RP_I8, 2, turned ? ROPS_DIMS(n, m->columns) : ROPS_DIMS(m->columns, n), NULL);
    if (a.buffer == RP_NONE || b.buffer == RP_NONE) return;
    if (!rops_apply(m, "matmul", turned ? "transpose_b=1" : NULL, a, b, ROPS_NOTHING, 2, &out))
        return;
    rops_value scale = rops_new_input(m, RP_F32, 1, ROPS_DIMS(n), NULL);
    const rops_call call = {.op = "map",
                            .attrs = "expr=f32(a) * b * 0.001",
                            .inputs = {out, scale},
                            .input_count = 2,
                            .dtype = rops_percent(m, 30) ? rops_half(m) : RP_F32};
    rops_add(m, &call, NULL, 0);
}

static void transpose(rops_maker *m) {
    rops_value x = pick_usual(m), out;
    if (!rops_apply1(m, "transpose", x, &out) || rops_percent(m, 50)) return;
    rops_apply1(m, "neg", out, NULL);
}

/* ---- Data and search ------------------------------------------------------------------------- */

static void gather(rops_maker *m) {
    static const rp_dtype dtypes[] = {RP_F32, RP_F16, RP_BF16, RP_Q8_0};
    rops_value table = weight(m, dtypes[rops_below(m, m->columns % 32 ? 3 : 4)], 11, m->columns);
    static const rp_dtype numbers[] = {RP_U32, RP_I32, RP_I64, RP_U64,
                                       RP_I16, RP_U16, RP_I8,  RP_U8};
    rp_dtype number = numbers[rops_percent(m, 50) ? 0 : rops_below(m, 8)];
    rops_value ids = rops_new_input(m, number, 1, ROPS_DIMS(m->rows), "below=11"), out;
    const rops_call call = {.op = "gather_rows",
                            .inputs = {table, ids},
                            .input_count = 2,
                            .dtype = rops_percent(m, 70) ? RP_F32 : RP_RAW};
    if (!rops_add(m, &call, &out, 1)) return;
    if (rops_percent(m, 50)) rops_apply(m, "add", NULL, out, pick_usual(m), ROPS_NOTHING, 2, NULL);
}

static const char *metric(rops_maker *m) {
    static const char *const ops[] = {"l2_distance", "dot_product", "cosine_distance", "manhattan"};
    return ops[rops_below(m, 4)];
}

/* Ordered by distance: the values may meet, the order may not depend on how they were computed. */
static void nearest(rops_maker *m) {
    uint64_t base = 40 + rops_below(m, 3) * 90;
    rops_value q = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)), d;
    if (!rops_apply(m, metric(m), NULL, q, weight(m, RP_F32, base, m->columns), ROPS_NOTHING, 2,
                    &d))
        return;
    if (rops_percent(m, 20)) rops_apply1(m, "neg", d, &d);
    if (rops_percent(m, 30))
        rops_apply1(m, "argmin", d, NULL);
    else
        rops_apply(m, "top_k", "k=5", d, ROPS_NOTHING, ROPS_NOTHING, 1, NULL);
}

/* A condition in bytes. */
static void choose(rops_maker *m) {
    rops_value a = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)), b = rops_partner(m), mask;
    if (!rops_apply(m, rops_percent(m, 50) ? "less" : "greater", NULL, a, b, ROPS_NOTHING, 2,
                    &mask))
        return;
    rops_apply(m, "select", NULL, mask, a, rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)), 3,
               NULL);
}

static void masked_softmax(rops_maker *m) {
    rops_value x = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns));
    rops_apply(m, "softmax", "scale=0.25", x, rops_partner(m), ROPS_NOTHING, 2, NULL);
}

static void rearrange(rops_maker *m) {
    rops_value x = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)), out;
    switch (rops_below(m, 3)) {
    case 0:
        rops_apply(m, "concat", NULL, x, rops_pick_f32(m, 2, ROPS_DIMS(m->rows, 3)), ROPS_NOTHING,
                   2, NULL);
        break;
    case 1: rops_apply(m, "slice", "column=1", x, ROPS_NOTHING, ROPS_NOTHING, 1, &out); break;
    default: rops_apply(m, "repeat_rows", "times=2", x, ROPS_NOTHING, ROPS_NOTHING, 1, &out); break;
    }
}

/* Bytes and a scale for each row, and back. */
static void bytes(rops_maker *m) {
    rops_value x = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)), out[2], back;
    const rops_call call = {.op = "quantize_i8", .inputs = {x}, .input_count = 1};
    if (!rops_add(m, &call, out, 2) || rops_percent(m, 30)) return;
    if (!rops_apply(m, "dequantize_i8", NULL, out[0], out[1], ROPS_NOTHING, 2, &back)) return;
    if (rops_percent(m, 50)) rops_apply(m, "sub", NULL, x, back, ROPS_NOTHING, 2, NULL);
}

/* Two halves written one by one, then read as one. */
static void halves(rops_maker *m) {
    rops_value whole = {.tensor = rops_shape(RP_F32, 2, ROPS_DIMS(2 * m->rows, m->columns))};
    uint64_t half = m->rows * m->columns * 4;
    whole.buffer = rops_new_buffer(m, &whole.tensor, NULL);
    if (whole.buffer == RP_NONE) return;
    for (uint32_t i = 0; i < 2; i++) {
        rops_value part = whole, a = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns));
        part.offset = i * half;
        part.tensor = rops_shape(RP_F32, 2, ROPS_DIMS(m->rows, m->columns));
        const rops_call call = {.op = i ? "neg" : "silu",
                                .inputs = {a},
                                .input_count = 1,
                                .into = part,
                                .has_into = true};
        if (!rops_add(m, &call, NULL, 0)) return;
    }
    rops_apply1(m, rops_percent(m, 50) ? "tanh" : "row_sum", whole, NULL);
}

/* Parts of one larger buffer that begin anywhere and may overlap. */
static void windows(rops_maker *m) {
    static const rp_dtype dtypes[] = {RP_F32, RP_F16,  RP_I8,  RP_U8,  RP_I32,
                                      RP_U32, RP_BF16, RP_I16, RP_U16, RP_BOOL};
    static const char *const formulas[] = {"expr=b - a", "expr=a * c + b", "expr=max(a, b) - c"};
    rp_dtype dtype = dtypes[rops_percent(m, 60) ? 0 : rops_below(m, 10)];
    uint64_t n = m->rows * m->columns, all = 3 * n + 2;
    rops_value x = rops_new_input(m, dtype, 1, &all, NULL);
    if (x.buffer == RP_NONE) return;
    rops_call call = {.op = "map", .attrs = formulas[rops_below(m, 3)], .dtype = RP_F32};
    call.input_count = call.attrs[5] == 'b' ? 2 : 3;
    for (uint32_t i = 0; i < call.input_count; i++) {
        uint64_t begin = rops_percent(m, 50) ? i : rops_below(m, (uint32_t)(all - n + 1));
        call.inputs[i] = x;
        call.inputs[i].offset += begin * rp_dtype_size(dtype);
        call.inputs[i].tensor = rops_shape(dtype, 2, ROPS_DIMS(m->rows, m->columns));
    }
    rops_add(m, &call, NULL, 0);
}

/* Functions that devices compute to a few units, one of another: compilers know which two make one,
 * as they know what a number and its root make. */
static void inexact(rops_maker *m) {
    static const char *const functions[] = {"reciprocal", "sqrt", "rsqrt", "sigmoid",
                                            "silu",       "exp",  "log",   "tanh"};
    rops_value x = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)), y;
    for (uint32_t n = rops_below(m, 3); n > 0; n--)
        if (!rops_apply1(m, functions[rops_below(m, 8)], x, &x)) return;
    if (!rops_apply1(m, functions[rops_below(m, 8)], x, &y)) return;
    if (rops_percent(m, 40)) rops_apply1(m, functions[rops_below(m, 4)], y, NULL);
    if (rops_percent(m, 50))
        rops_apply(m, rops_percent(m, 50) ? "mul" : "div", NULL, x, y, ROPS_NOTHING, 2, NULL);
    if (rops_percent(m, 25)) rops_apply(m, "mul", NULL, y, y, ROPS_NOTHING, 2, NULL);
}

/* ---- All of them ----------------------------------------------------------------------------- */

void rops_motif(rops_maker *m) {
    /* SIZED: of ops that follow live sizes, rows and columns alike; ROWS: rows alone; LONG: the same, of kernels
     * that a processor's driver compiles for seconds, so where sizes vary not in the first graphs, which every
     * test run has. */
    enum { FIXED, LONG, ROWS, SIZED };
    enum { FIRST_GRAPHS = 100 };
    static const struct {
        void (*make)(rops_maker *m);
        uint8_t weight, sized;
    } motifs[] = {
        {unary, 10, SIZED},
        {binary, 12, SIZED},
        {formula, 14, SIZED},
        {in_place, 5, SIZED},
        {cast, 5, SIZED},
        {chain, 8, SIZED},
        {rows, 10, SIZED},
        {row_number, 8, SIZED},
        {matvecs, 10, FIXED},
        {gated, 5, FIXED},
        {rope_and_append, 6, FIXED},
        {matmul, 5, SIZED},
        {transpose, 3, SIZED},
        {gather, 6, SIZED},
        {nearest, 6, SIZED},
        {halves, 4, FIXED},
        {rops_attention, 4, LONG},
        {rops_prefill, 5, LONG},
        {choose, 4, SIZED},
        {masked_softmax, 3, SIZED},
        {rearrange, 4, ROWS},
        {bytes, 4, ROWS},
        {windows, 6, SIZED},
        {rops_filled, 8, SIZED},
        {rops_folded, 4, ROWS},
        {rops_scalars, 5, SIZED},
        {rops_literals, 10, SIZED},
        {rope_across, 2, FIXED},
        {inexact, 10, SIZED},
        {parts, 4, ROWS},
        {matmul_bytes, 4, SIZED},
        {scores, 5, SIZED},
        {rops_along, 6, ROWS},
        {rops_integers, 6, ROWS},
        {rops_spatial, 5, ROWS},
        {rops_resample, 3, ROWS},
        {rops_made, 8, FIXED},
        {rops_axes, 10, FIXED},
        {rops_products, 6, SIZED},
        {rops_repeated, 4, SIZED},
        {rops_composites, 6, SIZED},
    };
    enum { MOTIFS = sizeof motifs / sizeof *motifs };
    uint8_t rows = m->ops->seed > FIRST_GRAPHS ? LONG : ROWS;
    uint8_t least = !m->sized ? FIXED : m->ops->sized[1] ? SIZED : rows;
    uint32_t total = 0, i = 0;
    for (uint32_t k = 0; k < MOTIFS; k++) total += motifs[k].sized >= least ? motifs[k].weight : 0;
    uint32_t at = rops_below(m, total);
    for (;; i++) {
        uint32_t weight = motifs[i].sized >= least ? motifs[i].weight : 0;
        if (at < weight) break;
        at -= weight;
    }
    motifs[i].make(m);
}
