/* Family rows: reductions along the last dimension, and ops made of them.
 *
 * Each is a few steps, every one a sum, minimum or maximum over the row of a formula that may name
 * the results of earlier steps; numbers made of those once for each row; and then a formula for each
 * output. That is all the generator needs
 * to know: it loads rows once, shares them between ops, and evaluates what comes before and after
 * in the same kernel.
 *
 * Inputs are floats and bytes: reductions are made in f32, which would round larger integers. Of those front ends make
 * other reductions, or floats where it is floats that are computed. */
#include "ops/tables.h"

enum { SMALL = RP_DT_FLOAT | RP_DT_BYTE | RP_DT_SHORT };

#define ROWS(name_, brief_, notes_)                                                                \
    .name = name_, .family = "rows", .brief = brief_, .notes = notes_, .form = RP_OP_ROWS,         \
    .length = "C"
#define ROWS_IN                                                                                    \
    {                                                                                              \
        .name = "x", .brief = "the rows", .shape = "*R C", .dtypes = SMALL,                        \
        .taken = RP_DT_INDEX | RP_DT_LONG, .access = RP_READ, .at = RP_AT_ROW                      \
    }
#define PER_ROW(formula_)                                                                          \
    {                                                                                              \
        .name = "out", .brief = "a number for each row", .shape = "*R", .dtypes = RP_DT_FLOAT,     \
        .access = RP_WRITE, .like = "x", .expression = formula_                                    \
    }
#define PER_ELEMENT(formula_)                                                                      \
    {                                                                                              \
        .name = "out", .brief = "the result", .shape = "*R C", .dtypes = RP_DT_FLOAT,              \
        .access = RP_WRITE, .like = "x", .expression = formula_                                    \
    }
#define FACTOR(name_, brief_, absent_)                                                             \
    {                                                                                              \
        .name = name_, .brief = brief_, .shape = "C", .dtypes = RP_DT_FLOAT, .access = RP_READ,    \
        .optional = true, .absent = absent_                                                        \
    }
#define EPS(fallback_, low_)                                                                       \
    {                                                                                              \
        .name = "eps", .brief = "keeps the divisor away from 0", .kind = RP_ATTR_NUMBER,           \
        .fallback = fallback_, .low = low_, .high = 1                                              \
    }

/* The distance from the mean, whose own error is the mean of the distances from it. */
#define FROM_MEAN "(x - mean - more)"
#define SPREAD_STEPS                                                                               \
    {"total", RP_REDUCE_SUM, "x"}, {"mean", RP_REDUCE_NONE, "total / n"},                          \
        {"rest", RP_REDUCE_SUM, "x - mean"}, {"more", RP_REDUCE_NONE, "rest / n"}, {               \
        "spread", RP_REDUCE_SUM, FROM_MEAN " * " FROM_MEAN                                         \
    }

static const char sum_notes[] =
    "Added up in f32 in an order that depends on the number and length of rows and on the target "
    "alone: the same bits on every run; within n / 256 + 10 units of the sum of the magnitudes, "
    "which must stay in f32, or n where one thread adds up a row. "
    "Infinities and NaN as in any sum.";
static const char extreme_notes[] =
    "Exact. NaN is skipped; a row of NaN alone gives inf for the minimum, -inf for the maximum.";
static const char arg_notes[] =
    "The lowest index among equals; -0 equals 0. NaN is skipped; a row of NaN alone gives 0.";
static const char norm_notes[] =
    "Squares are added up in f32: rows with numbers beyond about 1e19 have an infinite norm and "
    "give 0, and numbers below about 1e-19 count as 0. An infinity gives NaN in its place and 0 "
    "elsewhere; a NaN makes its row NaN.";

const rp_op rp_ops_rows[] = {
    {ROWS("row_sum", "sum", sum_notes), .taken_as = "reduce_sum", .operand_count = 2,
     .step_count = 1, .operands = {ROWS_IN, PER_ROW("total")},
     .steps = {{"total", RP_REDUCE_SUM, "x"}}},
    {ROWS("row_mean", "mean", sum_notes), .operand_count = 2, .step_count = 1,
     .operands = {ROWS_IN, PER_ROW("total / n")}, .steps = {{"total", RP_REDUCE_SUM, "x"}}},
    {ROWS("row_min", "minimum", extreme_notes), .taken_as = "reduce_min", .operand_count = 2,
     .step_count = 1, .operands = {ROWS_IN, PER_ROW("least")},
     .steps = {{"least", RP_REDUCE_MIN, "x"}}},
    {ROWS("row_max", "maximum", extreme_notes), .taken_as = "reduce_max", .operand_count = 2,
     .step_count = 1, .operands = {ROWS_IN, PER_ROW("largest")},
     .steps = {{"largest", RP_REDUCE_MAX, "x"}}},
    {ROWS("argmin", "index of the minimum", arg_notes), .taken_as = "reduce_argmin",
     .operand_count = 2, .step_count = 1,
     .operands = {ROWS_IN,
                  {.name = "out",
                   .brief = "an index for each row",
                   .shape = "*R",
                   .dtypes = RP_DT(RP_U32),
                   .taken = RP_DT_GIVEN,
                   .access = RP_WRITE,
                   .expression = "place == 4294967295 ? 0 : place"}},
     .steps = {{"place", RP_REDUCE_ARGMIN, "x"}}},
    {ROWS("argmax", "index of the maximum", arg_notes), .taken_as = "reduce_argmax",
     .operand_count = 2, .step_count = 1,
     .operands = {ROWS_IN,
                  {.name = "out",
                   .brief = "an index for each row",
                   .shape = "*R",
                   .dtypes = RP_DT(RP_U32),
                   .taken = RP_DT_GIVEN,
                   .access = RP_WRITE,
                   .expression = "place == 4294967295 ? 0 : place"}},
     .steps = {{"place", RP_REDUCE_ARGMAX, "x"}}},
    {ROWS("variance", "population variance: the mean square distance from the mean",
          "The mean is corrected by what rounding took of it, so that rows far from 0 do not "
          "cancel. "
          "For rows within about 1e18: a sum, or a square, that leaves f32 gives inf or NaN, and "
          "squares below 1e-38 count as 0. An infinity or a NaN gives NaN."),
     .operand_count = 2, .step_count = 5, .operands = {ROWS_IN, PER_ROW("spread / n")},
     .steps = {SPREAD_STEPS}},
    {ROWS("l2_norm", "square root of the sum of squares",
          "Squares are added up in f32: numbers beyond about 1e19 give inf, numbers below about "
          "1e-19 count as 0."),
     .operand_count = 2, .step_count = 1, .operands = {ROWS_IN, PER_ROW("sqrt(squares)")},
     .steps = {{"squares", RP_REDUCE_SUM, "x * x"}}},

    {ROWS("rms_norm", "divides by the root of the mean square", norm_notes), .operand_count = 3,
     .attr_count = 1, .step_count = 2,
     .operands = {ROWS_IN, FACTOR("weight", "multiplies each column", "1.0"),
                  PER_ELEMENT("x * factor * weight")},
     .attrs = {EPS(1e-6, 0)},
     .steps = {{"squares", RP_REDUCE_SUM, "x * x"},
               {"factor", RP_REDUCE_NONE, "rsqrt(squares / n + eps)"}}},
    {ROWS("layer_norm", "subtracts the mean and divides by the standard deviation",
          "The mean is corrected by what rounding took of it, and the variance takes a pass of its "
          "own, so that rows far from 0 do not cancel. For rows within about 1e18: where a sum or "
          "a square leaves f32, the row is 0 or NaN. An infinity or a NaN makes its row NaN."),
     .operand_count = 4, .attr_count = 1, .step_count = 6,
     .operands = {ROWS_IN, FACTOR("weight", "multiplies each column", "1.0"),
                  FACTOR("bias", "is added to each column", "0.0"),
                  PER_ELEMENT(FROM_MEAN " * factor * weight + bias")},
     .attrs = {EPS(1e-5, 0)},
     .steps = {SPREAD_STEPS, {"factor", RP_REDUCE_NONE, "rsqrt(spread / n + eps)"}}},
    {ROWS("l2_normalize", "divides by the norm, or by eps where that is larger", norm_notes),
     .operand_count = 3, .attr_count = 1, .step_count = 3,
     .operands = {ROWS_IN,
                  PER_ELEMENT("x / divisor"),
                  {.name = "norms",
                   .brief = "the norm of each row",
                   .shape = "*R",
                   .dtypes = RP_DT_FLOAT,
                   .access = RP_WRITE,
                   .optional = true,
                   .expression = "norm"}},
     .attrs = {EPS(1e-8, 1e-30)},
     .steps = {{"squares", RP_REDUCE_SUM, "x * x"},
               {"norm", RP_REDUCE_NONE, "sqrt(squares)"},
               {"divisor", RP_REDUCE_NONE, "max(norm, eps)"}}},

    {ROWS("softmax", "exp(x * scale + mask), divided by its sum over the row",
          "Shifted by the largest element, so exp does not overflow. A row of -inf alone gives 0; "
          "where there are +inf, they share 1 equally. A NaN makes its row NaN."),
     .operand_count = 3, .attr_count = 1, .step_count = 2,
     .operands = {ROWS_IN,
                  {.name = "mask",
                   .brief = "is added, -inf to leave out; of bool, 0 leaves out; broadcasts to "
                            "the rows",
                   .dtypes = RP_DT_FLOAT | RP_DT(RP_BOOL),
                   .mask = true,
                   .access = RP_READ,
                   .at = RP_AT_ROW,
                   .optional = true,
                   .absent = "0.0"},
                  PER_ELEMENT("(top == -inf ? 0.0 : x * scale + mask == top ? 1.0 : "
                              "exp(x * scale + mask - top)) / total")},
     .attrs = {{.name = "scale",
                .brief = "multiplies x",
                .kind = RP_ATTR_NUMBER,
                .fallback = 1,
                .low = -1e30,
                .high = 1e30}},
     .steps = {{"top", RP_REDUCE_MAX, "x * scale + mask"},
               {"total", RP_REDUCE_SUM,
                "x * scale + mask == top ? 1.0 : exp(x * scale + mask - top)"}}},
    {ROWS("logsumexp", "logarithm of the sum of exp(x)",
          "Shifted by the largest element, so exp does not overflow. A row of -inf alone gives "
          "-inf, +inf gives inf, a NaN gives NaN."),
     .operand_count = 2, .step_count = 2, .operands = {ROWS_IN, PER_ROW("top + log(total)")},
     .steps = {{"top", RP_REDUCE_MAX, "x"},
               {"total", RP_REDUCE_SUM, "x == top ? 1.0 : exp(x - top)"}}},
};

const uint32_t rp_ops_rows_count = sizeof rp_ops_rows / sizeof *rp_ops_rows;
