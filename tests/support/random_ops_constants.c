/* Motifs of random graphs of ops with numbers in them, as filled buffers, attributes and literals. */
#include <stdio.h>

#include "support/random_ops_parts.h"

/* The numbers that an optimiser has its own ideas about, and for which a device has rules. */
static const char *number(rops_maker *m) {
    static const char *const numbers[] = {"0",
                                          "-0",
                                          "1",
                                          "-1",
                                          "inf",
                                          "-inf",
                                          "nan",
                                          "1e-40",
                                          "-3e-45",
                                          "1e-45",
                                          "1.17549435e-38",
                                          "-1.17549435e-38",
                                          "3.4028234663852886e38",
                                          "2",
                                          "0.5",
                                          "-3e38",
                                          "7",
                                          "1e-30",
                                          "1e30",
                                          "3"};
    return numbers[rops_below(m, sizeof numbers / sizeof *numbers)];
}

/* Integers whose digits f32, or f64, has not. */
static const char *whole(rops_maker *m, uint8_t dtype) {
    static const char *const i64[] = {"-9223372036854775808", "9007199254740993", "-4294967297",
                                      "9"};
    static const char *const u64[] = {"18446744073709551615", "9223372036854775809", "4294967297",
                                      "9"};
    static const char *const i32[] = {"-2147483648", "16777217", "2147483647", "-9"};
    static const char *const u32[] = {"4294967295", "16777217", "2147483649", "9"};
    uint32_t which = rops_below(m, 4);
    if (dtype == RP_I64) return i64[which];
    if (dtype == RP_U64) return u64[which];
    return dtype == RP_I32 ? i32[which] : dtype == RP_U32 ? u32[which] : "9";
}

/* Integers that an op makes of a number: the same everywhere, or counted from it on. */
bool rops_whole(rops_maker *m, uint8_t dtype, rops_value *out) {
    char attrs[48];
    bool same = rops_percent(m, 50);
    rops_value v = {.tensor = rops_shape((rp_dtype)dtype, 2, ROPS_DIMS(m->rows, m->columns))};
    if (rops_percent(m, 50)) v.tensor = rops_shape((rp_dtype)dtype, 1, ROPS_DIMS(m->columns));
    v.buffer = rops_new_buffer(m, &v.tensor, NULL);
    if (v.buffer == RP_NONE) return false;
    snprintf(attrs, sizeof attrs, "%s=%s", same ? "value" : "start", whole(m, dtype));
    const rops_call call = {
        .op = same ? "fill" : "iota", .attrs = attrs, .into = v, .has_into = true};
    return rops_add(m, &call, out, 1);
}

/* Bounds integers, or multiplies them, by numbers of their own dtype. */
bool rops_bounded(rops_maker *m, rops_value *x) {
    char attrs[96];
    uint8_t dtype = x->tensor.dtype;
    bool scales = rops_percent(m, 50);
    const char *first = whole(m, dtype), *second = whole(m, dtype);
    if (scales)
        snprintf(attrs, sizeof attrs, "factor=%s offset=%s", first, second);
    else
        snprintf(attrs, sizeof attrs, "low=-inf high=%s", first);
    const rops_call call = {.op = scales ? "scale" : "clamp",
                            .attrs = attrs,
                            .inputs = {*x},
                            .input_count = 1,
                            .dtype = (rp_dtype)dtype};
    return rops_add(m, &call, x, 1);
}

/* A fill of the usual shape, of a row, of a column or of one element. */
static bool constant(rops_maker *m, rops_value *out) {
    char attrs[48];
    rops_value v = {.tensor = rops_shape(RP_F32, 2, ROPS_DIMS(m->rows, m->columns))};
    switch (rops_below(m, 4)) {
    case 0: v.tensor = rops_shape(RP_F32, 1, ROPS_DIMS(m->columns)); break;
    case 1: v.tensor = rops_shape(RP_F32, 2, ROPS_DIMS(m->rows, 1)); break;
    case 2: v.tensor = rops_shape(RP_F32, 1, ROPS_DIMS(1)); break;
    default: break;
    }
    v.buffer = rops_new_buffer(m, &v.tensor, NULL);
    if (v.buffer == RP_NONE) return false;
    snprintf(attrs, sizeof attrs, "value=%s", number(m));
    const rops_call call = {.op = "fill", .attrs = attrs, .into = v, .has_into = true};
    return rops_add(m, &call, out, 1);
}

/* An operator with a filled buffer on one side, and a function of what comes out. */
void rops_filled(rops_maker *m) {
    static const char *const ops[] = {"add", "sub", "mul", "div", "min", "max"};
    static const char *const then[] = {"sqrt", "rsqrt", "exp", "log", "tanh", "gelu", "reciprocal"};
    rops_value x = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)), k, out;
    if (!constant(m, &k)) return;
    bool left = rops_percent(m, 50);
    if (!rops_apply(m, ops[rops_below(m, 6)], NULL, left ? k : x, left ? x : k, ROPS_NOTHING, 2,
                    &out))
        return;
    if (rops_percent(m, 40)) rops_apply1(m, then[rops_below(m, 7)], out, NULL);
}

/* Constants among themselves: what a compiler could work out whole. */
void rops_folded(rops_maker *m) {
    static const char *const ops[] = {"add", "sub", "mul", "div", "pow", "max"};
    static const char *const then[] = {"sqrt", "rsqrt", "exp", "log", "softmax", "row_sum"};
    rops_value a, b, out;
    if (!constant(m, &a) || !constant(m, &b)) return;
    if (!rops_apply(m, ops[rops_below(m, 6)], NULL, a, b, ROPS_NOTHING, 2, &out)) return;
    if (rops_percent(m, 60) && !rops_apply1(m, then[rops_below(m, 6)], out, &out)) return;
    rops_value x = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns));
    if (rp_tensor_elements(&out.tensor) == m->rows * m->columns)
        rops_apply(m, rops_percent(m, 50) ? "mul" : "add", NULL, x, out, ROPS_NOTHING, 2, NULL);
}

/* Numbers as attributes. */
void rops_scalars(rops_maker *m) {
    char attrs[96];
    rops_value x = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns));
    if (rops_percent(m, 60)) {
        const char *factor = number(m), *offset = number(m);
        snprintf(attrs, sizeof attrs, "factor=%s offset=%s", factor, offset);
        rops_apply(m, "scale", attrs, x, ROPS_NOTHING, ROPS_NOTHING, 1, NULL);
        return;
    }
    snprintf(attrs, sizeof attrs, "factor=%s", number(m));
    rops_apply(m, "add_scaled", attrs, x, rops_partner(m), ROPS_NOTHING, 2, NULL);
}

/* Numbers as literals of a formula. */
void rops_literals(rops_maker *m) {
    static const char *const formulas[] = {"expr=a * (%s) + b * (%s)",
                                           "expr=a / (%s) - (%s)",
                                           "expr=(%s) - a * (%s)",
                                           "expr=(%s) / a + (%s)",
                                           "expr=a > (%s) ? b : (%s)",
                                           "expr=min(a, %s) * max(b, %s)",
                                           "expr=pow(abs(a), %s) + (%s)",
                                           "expr=sqrt(a * (%s)) - (%s)",
                                           "expr=rsqrt(relu(a)) * (%s) + (%s)",
                                           "expr=sin(a * (%s)) + cos(%s)",
                                           "expr=f16(a + (%s)) * (%s)",
                                           "expr=exp(a * (%s)) / (%s)"};
    char attrs[128];
    const char *first = number(m), *second = number(m);
    snprintf(attrs, sizeof attrs, formulas[rops_below(m, 12)], first, second);
    const rops_call call = {
        .op = "map",
        .attrs = attrs,
        .inputs = {rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)), rops_partner(m)},
        .input_count = 2,
        .dtype = rops_percent(m, 20) ? rops_half(m) : RP_F32};
    rops_add(m, &call, NULL, 0);
}
