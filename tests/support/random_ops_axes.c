/* Motifs of families axes and along: any axis of values seen in three dimensions, forwards and backwards, in front
 * of and behind what is computed. */
#include <stdio.h>
#include <string.h>

#include "support/random_ops_parts.h"

/* Some value in three dimensions, now and then with one of them split. */
static rops_value pick_three(rops_maker *m) {
    uint64_t split = m->columns % 4 == 0 && rops_percent(m, 70) ? m->columns / 4 : m->columns;
    return rops_pick(m, 3, ROPS_DIMS(m->rows, m->columns / split, split));
}

static rops_value places(rops_maker *m, uint32_t rank, const uint64_t *dims, uint64_t below) {
    static const rp_dtype numbers[] = {RP_U32, RP_I32, RP_I64, RP_I16,
                                       RP_U16, RP_U64, RP_I8,  RP_U8};
    uint32_t fitting = below <= INT8_MAX ? 8 : 6;
    char fill[24];
    snprintf(fill, sizeof fill, "%s=%u", rops_percent(m, 50) ? "below" : "int", (uint32_t)below);
    return rops_new_input(m, numbers[rops_below(m, fitting)], rank, dims, fill);
}

static void take_range(rops_maker *m) {
    rops_value x = pick_three(m);
    char attrs[96];
    uint32_t axis = rops_below(m, 3);
    int start = (int)rops_below(m, 40) - 20, step = (int)rops_below(m, 7) - 3;
    uint32_t count = rops_percent(m, 70) ? (uint32_t)x.tensor.dims[axis] : 1 + rops_below(m, 9);
    snprintf(attrs, sizeof attrs, "axis=%u start=%d step=%d count=%u", axis, start, step ? step : 1,
             count);
    rops_apply(m, "take_range", attrs, x, ROPS_NOTHING, ROPS_NOTHING, 1, NULL);
}

static void diagonals(rops_maker *m) {
    static const char *const ops[] = {"triu", "tril", "diagonal", "diag"};
    static const char *const ks[] = {"k=0", "k=-1", "k=3"};
    uint32_t op = rops_below(m, 4);
    rops_value x =
        op == 3 ? rops_pick(m, 2, ROPS_DIMS(m->rows * m->columns / 8, 8)) : pick_three(m);
    uint32_t k = rops_below(m, 3);
    if (op == 2 && (x.tensor.dims[1] < 4 || x.tensor.dims[2] < 4)) k = 0;
    rops_apply(m, ops[op], ks[k], x, ROPS_NOTHING, ROPS_NOTHING, 1, NULL);
}

static void by_places(rops_maker *m) {
    rops_value x = pick_three(m), out;
    uint32_t axis = rops_below(m, 3);
    uint64_t dims[3] = {x.tensor.dims[0], x.tensor.dims[1], x.tensor.dims[2]};
    uint64_t along = dims[axis];
    char attrs[16];
    snprintf(attrs, sizeof attrs, "axis=%u", axis);
    switch (rops_below(m, 3)) {
    case 0:
        if (!rops_apply(m, "take", attrs, x, places(m, 1, ROPS_DIMS(1 + rops_below(m, 9)), along),
                        ROPS_NOTHING, 2, &out))
            return;
        break;
    case 1:
        dims[axis] = rops_percent(m, 60) ? along : 1 + rops_below(m, 9);
        if (!rops_apply(m, "take_along_axis", attrs, x, places(m, 3, dims, along), ROPS_NOTHING, 2,
                        &out))
            return;
        break;
    default:
        if (!rops_apply(m, "gather_nd", NULL, x,
                        places(m, 2, ROPS_DIMS(7, 1 + rops_below(m, 3)), m->rows), ROPS_NOTHING, 2,
                        &out))
            return;
    }
    if (rops_percent(m, 50)) rops_apply1(m, "neg", out, NULL);
}

/* Lines with one number that is not 0, times what is there. */
static void one_hot(rops_maker *m) {
    rops_value hot, ids = places(m, 1, ROPS_DIMS(m->rows), m->columns);
    char attrs[64];
    snprintf(attrs, sizeof attrs, "depth=%u axis=%d on=%s", (uint32_t)m->columns,
             rops_percent(m, 50) ? -1 : 0, rops_percent(m, 50) ? "1" : "0.7");
    if (!rops_apply(m, "one_hot", attrs, ids, ROPS_NOTHING, ROPS_NOTHING, 1, &hot)) return;
    hot.tensor = rops_shape(RP_F32, 2, ROPS_DIMS(m->rows, m->columns));
    if (rops_percent(m, 60))
        rops_apply(m, "mul", NULL, hot, rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)),
                   ROPS_NOTHING, 2, NULL);
}

/* Reductions and scans of any axis, what is computed in front and behind fused with them. */
void rops_along(rops_maker *m) {
    static const char *const joins[] = {"sum", "prod", "min", "max", "argmin", "argmax"};
    static const char *const before[] = {"neg", "sigmoid", "square", "abs"};
    rops_value x = pick_three(m), out[2];
    bool scans = rops_percent(m, 50), start = false;
    if (rops_percent(m, 40) && !rops_apply1(m, before[rops_below(m, 4)], x, &x)) return;
    x.tensor = rops_percent(m, 30)
                   ? rops_shape((rp_dtype)x.tensor.dtype, 3, ROPS_DIMS(1, m->rows * m->columns, 1))
                   : rops_shape((rp_dtype)x.tensor.dtype, 3, ROPS_DIMS(m->rows, m->columns / 2, 2));
    uint64_t *dims = x.tensor.dims;
    uint32_t splits = dims[1] < 8 || m->sized ? 1 : 1 + rops_below(m, 3);
    char attrs[96];
    snprintf(attrs, sizeof attrs, "by=%s splits=%u", joins[rops_below(m, scans ? 4 : 6)], splits);
    size_t at = strlen(attrs);
    if (scans) {
        snprintf(attrs + at, sizeof attrs - at, " reverse=%u exclusive=%u", rops_below(m, 2),
                 rops_below(m, 2));
        start = rops_percent(m, 50);
    }
    const rops_call call = {
        .op = scans ? "scan" : "reduce_axis",
        .attrs = attrs,
        .inputs = {x, start
                          ? rops_new_input(m, RP_F32, 3, ROPS_DIMS(dims[0], splits, dims[2]), NULL)
                          : ROPS_NOTHING},
        .input_count = scans ? 2 : 1};
    if (!rops_add(m, &call, out, scans ? 1 : 2)) return;
    if (rops_percent(m, 50)) rops_apply1(m, rops_percent(m, 50) ? "neg" : "tanh", out[0], NULL);
}

/* Integers, mostly of 64 bits: made of floats or read, computed with, joined along an axis, and floats again. */
void rops_integers(rops_maker *m) {
    static const rp_dtype dtypes[] = {RP_I64, RP_U64, RP_I64, RP_I32, RP_U32, RP_I16, RP_U8};
    static const char *const formulas[] = {
        "expr=a * 3 + b",       "expr=(a ^ b) >> 3",     "expr=a / (b | 1) % 1000",
        "expr=a < b ? a : -b",  "expr=abs(a) + bits(b)", "expr=max(a, b) - min(a, b) << 2",
        "expr=i64(a) * i64(b)", "expr=f32(a) + 0.5 * b", "expr=clamp(a, -9007199254740993, b)"};
    const uint64_t *usual = ROPS_DIMS(m->rows, m->columns);
    rp_dtype first = dtypes[rops_below(m, 7)], second = dtypes[rops_below(m, 7)];
    rops_value a, b, out;
    if (!rops_percent(m, 40))
        b = rops_new_input(m, second, 2, ROPS_DIMS(1, m->columns), "special");
    else if (!rops_whole(m, second, &b))
        return;
    const rops_call cast = {
        .op = "cast", .inputs = {rops_pick(m, 2, usual)}, .input_count = 1, .dtype = first};
    if (rops_percent(m, 60))
        a = rops_new_input(m, first, 2, usual, "special");
    else if (!rops_add(m, &cast, &a, 1))
        return;
    if (!rops_apply(m, "map", formulas[rops_below(m, 9)], a, b, ROPS_NOTHING, 2, &out)) return;
    const uint32_t scaled = RP_DT_INDEX | RP_DT_LONG;
    if ((scaled >> out.tensor.dtype & 1) && rops_percent(m, 40) && !rops_bounded(m, &out)) return;
    if (rops_percent(m, 40)) {
        static const char *const joins[] = {"by=sum", "by=prod", "by=min", "by=max"};
        bool scans = rops_percent(m, 50);
        out.tensor =
            rops_shape((rp_dtype)out.tensor.dtype, 3, ROPS_DIMS(m->rows, m->columns / 2, 2));
        const rops_call join = {.op = scans ? "scan" : "reduce_axis",
                                .attrs = joins[rops_below(m, 4)],
                                .inputs = {out, ROPS_NOTHING},
                                .input_count = scans ? 2 : 1};
        if (!rops_add(m, &join, &out, 1)) return;
    }
    const rops_call back = {.op = "cast",
                            .inputs = {out},
                            .input_count = 1,
                            .dtype = rops_percent(m, 70) ? RP_F32 : RP_F16};
    rops_add(m, &back, NULL, 0);
}

/* A pass of a sort: counts, their sums, and what they say. */
static void radix(rops_maker *m) {
    rops_value x = rops_pick(m, 2, ROPS_DIMS(m->rows, m->columns)), counts, line, offsets;
    char attrs[64];
    snprintf(attrs, sizeof attrs, "shift=%u order=%s blocks=1", 8 * rops_below(m, 4),
             rops_percent(m, 50) ? "ascending" : "descending");
    if (!rops_apply(m, "radix_count", attrs, x, ROPS_NOTHING, ROPS_NOTHING, 1, &counts)) return;
    line = counts;
    line.tensor = rops_shape(RP_U32, 3, ROPS_DIMS(m->rows, 256, 1));
    if (!rops_apply(m, "scan", "exclusive=1", line, ROPS_NOTHING, ROPS_NOTHING, 1, &offsets))
        return;
    const rops_call call = {.op = "radix_place",
                            .attrs = attrs,
                            .inputs = {x, ROPS_NOTHING, offsets},
                            .input_count = 3};
    rops_add(m, &call, NULL, 0);
}

/* Updates in order: positions are a sort's. */
static void fold_at(rops_maker *m) {
    static const char *const joins[] = {"by=sum", "by=prod", "by=min", "by=max"};
    uint64_t count = 1 + rops_below(m, 60);
    rops_value x = rops_pick(m, 2, ROPS_DIMS(m->rows * m->columns / 4, 4)), at, sorted[2];
    rops_value ids = places(m, 2, ROPS_DIMS(count, 1), m->rows * m->columns / 4);
    char attrs[32];
    snprintf(attrs, sizeof attrs, "d0=%u", (uint32_t)(m->rows * m->columns / 4));
    if (!rops_apply(m, "places_nd", attrs, ids, ROPS_NOTHING, ROPS_NOTHING, 1, &at)) return;
    at.tensor = rops_shape(RP_U32, 2, ROPS_DIMS(1, count));
    snprintf(attrs, sizeof attrs, "k=%u order=smallest", (uint32_t)count);
    const rops_call sort = {.op = "top_k", .attrs = attrs, .inputs = {at}, .input_count = 1};
    if (!rops_add(m, &sort, sorted, 2)) return;
    for (uint32_t i = 0; i < 2; i++) sorted[i].tensor = rops_shape(RP_U32, 1, ROPS_DIMS(count));
    const rops_call fold = {.op = "fold_at",
                            .attrs = joins[rops_below(m, 4)],
                            .inputs = {x, sorted[0], sorted[1],
                                       rops_new_input(m, RP_F32, 2, ROPS_DIMS(count, 4), NULL)},
                            .input_count = 4};
    rops_add(m, &fold, NULL, 0);
}

void rops_axes(rops_maker *m) {
    switch (rops_below(m, 8)) {
    case 7: fold_at(m); break;
    case 0: radix(m); break;
    case 6: take_range(m); break;
    case 1: diagonals(m); break;
    case 2: by_places(m); break;
    case 3:
    case 4: rops_along(m); break;
    default: one_hot(m); break;
    }
}
