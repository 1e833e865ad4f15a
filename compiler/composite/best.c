/* The first k of each row when it is sorted: for k that kernels do not keep, and for integers of 64 bits, whose keys
 * are too long for them.
 *
 * Elements that are left out are told by a bit each. They are sorted like all others, and then places are sorted once
 * more, by those bits alone: what is left out comes last, everything else stays in order, and gaps take its place. */
#include <stdio.h>

#include "composite/axes.h"
#include "composite/wider.h"

typedef struct best {
    rp_lines lines; /* of all elements */
    rp_tensor rows, kept;
    uint64_t k;
} best;

static rp_status first_of(rp_expansion *x, const best *b, rp_given_operand *all,
                          rp_given_operand *out) {
    const rp_attribute columns = {.name = "columns", .number = (double)b->k};
    return rp_expand_op(x, "slice", RP_PARTS({"x", all}, {"out", out}), &columns, 1);
}

/* Whether each of some places is left out. */
static rp_status find_left_out(rp_expansion *x, const best *b, const rp_given_operand *excluded,
                               rp_given_operand *places, rp_given_operand *out) {
    const rp_tensor words = rp_axes_shape(excluded);
    const rp_tensor table = {.rank = 2, .dims = {rp_tensor_elements(&words), 1}};
    const rp_tensor line = {.rank = 1, .dims = {b->lines.front * b->lines.along}};
    const rp_tensor column = {.rank = 2, .dims = {line.dims[0], 1}};
    rp_given_operand of = rp_axes_seen(excluded, &table), numbers, found;
    RP_TRY(rp_axes_temp(x, "words", &b->rows, RP_U32, &numbers));
    RP_TRY(rp_expand_map(x, "x >> 5", RP_PARTS({"x", places}, {"out", &numbers})));
    RP_TRY(rp_axes_temp(x, "found", &b->rows, RP_U32, &found));
    rp_given_operand ids = rp_axes_seen(&numbers, &line), to = rp_axes_seen(&found, &column);
    RP_TRY(rp_expand_op(x, "gather_rows", RP_PARTS({"table", &of}, {"ids", &ids}, {"out", &to}),
                        RP_NO_ATTRS));
    RP_TRY(rp_axes_temp(x, "out", &b->rows, RP_U8, out));
    return rp_expand_map(x, "word >> (place & 31) & 1",
                         RP_PARTS({"word", &found}, {"place", places}, {"out", out}));
}

/* The places of the first k, those that are left out behind all others, and whether they are. */
static rp_status place_best(rp_expansion *x, const best *b, const rp_given_operand *excluded,
                            rp_given_operand *places, rp_given_operand *at,
                            rp_given_operand *gaps) {
    rp_given_operand out, turned, all_at, all_gaps;
    RP_TRY(find_left_out(x, b, excluded, places, &out));
    RP_TRY(rp_axes_temp(x, "turned", &b->rows, RP_U32, &turned));
    RP_TRY(rp_order_lines(x, &out, &b->lines, false, NULL, &turned));
    RP_TRY(rp_axes_temp(x, "all_at", &b->rows, RP_U32, &all_at));
    RP_TRY(rp_axes_take(x, places, &turned, &all_at));
    RP_TRY(rp_axes_temp(x, "all_gaps", &b->rows, RP_U8, &all_gaps));
    RP_TRY(rp_axes_take(x, &out, &turned, &all_gaps));
    RP_TRY(rp_axes_temp(x, "at", &b->kept, RP_U32, at));
    RP_TRY(first_of(x, b, &all_at, at));
    RP_TRY(rp_axes_temp(x, "gaps", &b->kept, RP_U8, gaps));
    return first_of(x, b, &all_gaps, gaps);
}

static rp_status with_gaps(rp_expansion *x, const best *b, const rp_given_operand *in,
                           const rp_given_operand *excluded, bool largest,
                           rp_given_operand *const results[2]) {
    uint8_t dtype = in->argument.tensor.dtype;
    rp_given_operand places, at, gaps, found, from = rp_axes_seen(in, &b->rows);
    char formula[64];
    RP_TRY(rp_axes_temp(x, "places", &b->rows, RP_U32, &places));
    RP_TRY(rp_order_lines(x, in, &b->lines, largest, NULL, &places));
    RP_TRY(place_best(x, b, excluded, &places, &at, &gaps));
    if (results[1]) {
        rp_given_operand to = rp_axes_seen(results[1], &b->kept);
        RP_TRY(rp_expand_map(x, "gap ? 4294967295 : at",
                             RP_PARTS({"gap", &gaps}, {"at", &at}, {"out", &to})));
    }
    if (!results[0]) return RP_OK;
    rp_given_operand to = rp_axes_seen(results[0], &b->kept);
    RP_TRY(rp_axes_temp(x, "best", &b->kept, dtype, &found));
    RP_TRY(rp_axes_take(x, &from, &at, &found));
    /* Zeros have no sign, as of kernels that select. */
    bool floats = rp_op_is_in(dtype, RP_DT_FLOAT);
    snprintf(formula, sizeof formula, "gap ? %s : x%s",
             rp_axes_end(rp_axes_joined(dtype), !largest), floats ? " + 0.0" : "");
    return rp_expand_map(x, formula, RP_PARTS({"gap", &gaps}, {"x", &found}, {"out", &to}));
}

static rp_status check_words(rp_expansion *x, const rp_given_operand *excluded, uint64_t length) {
    const rp_tensor shape = rp_axes_shape(excluded);
    uint64_t words = rp_tensor_elements(&shape);
    if (words >= length / 32 + (length % 32 != 0)) return RP_OK;
    return rp_apply_error(
        x->application, RP_BLAME_OP, 0,
        "%s: excluded has %llu words of 32 bits, but rows of x have %llu elements",
        x->composite->info.name, (unsigned long long)words, (unsigned long long)length);
}

rp_status rp_order_best(rp_expansion *x, const rp_given_operand *in, rp_given_operand *excluded,
                        bool largest, double k, rp_given_operand *values,
                        rp_given_operand *indices) {
    rp_tensor shape = rp_axes_shape(in);
    uint64_t length = shape.dims[shape.rank - 1];
    uint64_t rows = length ? rp_tensor_elements(&shape) / length : 0;
    const best b = {.lines = {rows, length, 1},
                    .rows = {.rank = 2, .dims = {rows, length}},
                    .kept = {.rank = 2, .dims = {rows, (uint64_t)k}},
                    .k = (uint64_t)k};
    rp_given_operand *results[2] = {values, indices}, sorted[2];
    static const char *const names[] = {"sorted", "places"};
    const uint8_t dtypes[2] = {shape.dtype, RP_U32};
    if (k > (double)length)
        return rp_apply_error(x->application, RP_BLAME_OP, 0,
                              "%s: k is %.0f, but rows have %llu elements", x->composite->info.name,
                              k, (unsigned long long)length);
    rp_given_operand words;
    if (excluded) RP_TRY(rp_wider_words(x, excluded, &words));
    if (excluded) RP_TRY(check_words(x, &words, length));
    shape.dims[shape.rank - 1] = b.k;
    for (uint32_t i = 0; i < 2; i++)
        if (results[i]) RP_TRY(rp_axes_make(x, results[i], &shape, dtypes[i]));
    if (excluded) return with_gaps(x, &b, in, &words, largest, results);
    for (uint32_t i = 0; i < 2; i++)
        if (results[i]) RP_TRY(rp_axes_temp(x, names[i], &b.rows, dtypes[i], &sorted[i]));
    RP_TRY(rp_order_lines(x, in, &b.lines, largest, values ? &sorted[0] : NULL,
                          indices ? &sorted[1] : NULL));
    for (uint32_t i = 0; i < 2; i++) {
        if (!results[i]) continue;
        rp_given_operand to = rp_axes_seen(results[i], &b.kept);
        RP_TRY(first_of(x, &b, &sorted[i], &to));
    }
    return RP_OK;
}
