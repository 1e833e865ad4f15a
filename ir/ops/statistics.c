/* Family statistics: histograms, and what sums of powers and products tell about rows.
 *
 * Moments are taken about the mean, in steps over the row that each use the result of the one
 * before: sums of plain powers would need one step and lose all digits when the mean is large. */
#include <float.h>

#include "ops/op_formula.h"
#include "ops/tables.h"

/* ---- Histograms ------------------------------------------------------------------------------ */

/* The kernel works with the limits as f32, but for those like integers. */
static bool rule_histogram(rp_op_call *call) {
    const double *ends = call->attrs, *rests = call->rests;
    char from[RP_ATTR_SHOWN], to[RP_ATTR_SHOWN];
    if (rp_op_attr_type(call, 0) != RP_TYPE_F32) {
        if (ends[0] < ends[1] || (ends[0] == ends[1] && rests[0] < rests[1])) return true;
        return rp_op_fail(call, "low is %s and high is %s; low must be the smaller one",
                          rp_op_attr_text(from, ends[0], rests[0]),
                          rp_op_attr_text(to, ends[1], rests[1]));
    }
    float low = (float)call->attrs[0], high = (float)call->attrs[1], span = high - low;
    float bins = (float)rp_sym(call, 'B');
    if (!(low < high))
        return rp_op_fail(call, "low is %.9g and high is %.9g; low must be the smaller one", low,
                          high);
    if (span >= 1e-30f && span * bins <= FLT_MAX) return true;
    return rp_op_fail(call, "high - low is %.9g, expected 1e-30 to %.9g for %.0f bins", span,
                      FLT_MAX / bins, bins);
}

/* ---- Moments --------------------------------------------------------------------------------- */

/* ---- The ops --------------------------------------------------------------------------------- */

#define ROWS_OF(NAME, BRIEF)                                                                       \
    {                                                                                              \
        .name = NAME, .brief = BRIEF, .shape = "*R C", .dtypes = RP_DT_FLOAT,                      \
        .taken = RP_DT_INTEGER, .at = RP_AT_ROW                                                    \
    }

#define PER_ROW(NAME, BRIEF, OPTIONAL, EXPRESSION)                                                 \
    {                                                                                              \
        .name = NAME, .brief = BRIEF, .shape = "*R", .dtypes = RP_DT_FLOAT, .access = RP_WRITE,    \
        .optional = OPTIONAL, .expression = EXPRESSION                                             \
    }

/* Of equal numbers the mean is rounded, and what is left of them is noise. */
#define CONSTANT(SQUARES, TOTAL) "sqrt(" SQUARES " / n) <= abs(" TOTAL " / n) * 1e-6"

#define IEEE "Infinities and NaN in a row follow IEEE 754. "

static const rp_op_variant histogram_variants[] = {
    {
        .name = "bins",
        .sized = "N",
        .when = "always",
        .why = "counts 4096 elements in shared memory where the bins fit, then adds them to memory",
        .text = 200,
        .sites = {2},
    },
    {0},
};

const rp_op rp_ops_statistics[] = {
    {
        .name = "histogram",
        .family = "statistics",
        .brief = "adds the number of elements in each of several bins of equal width to counts",
        .notes =
            "Exact. Element x belongs to the last bin b with (x - low) * bins >= b * (high - "
            "low), each operation rounded to f32, so every device agrees at the edges; high "
            "itself belongs to the last bin. NaN is skipped. Integers of 32 and 64 bits are such "
            "where low and high are, and nothing is rounded; others are taken as f32. "
            "Counts start from what is there "
            "(fill them with 0 before) and wrap at 2^32.",
        .form = RP_OP_KERNEL,
        .operand_count = 2,
        .operands = {{.name = "x",
                      .brief = "what to count",
                      .shape = "*N",
                      .dtypes = RP_DT_NUMBER,
                      .hook = true},
                     {.name = "counts",
                      .brief = "a number for each bin",
                      .shape = "B",
                      .dtypes = RP_DT(RP_U32),
                      .access = RP_READ_WRITE}},
        .attr_count = 4,
        .attrs = {{.name = "low",
                   .brief = "where the first bin begins",
                   .kind = RP_ATTR_NUMBER,
                   .required = true,
                   .low = -FLT_MAX,
                   .high = FLT_MAX,
                   .like = "x",
                   .fractions = true},
                  {.name = "high",
                   .brief = "where the last bin ends",
                   .kind = RP_ATTR_NUMBER,
                   .required = true,
                   .low = -FLT_MAX,
                   .high = FLT_MAX,
                   .like = "x",
                   .fractions = true},
                  {.name = "bins",
                   .brief = "how many",
                   .kind = RP_ATTR_INTEGER,
                   .symbol = 'B',
                   .required = true,
                   .low = 1,
                   .high = 1 << 20},
                  {.name = "outside",
                   .brief = "skip what is not between low and high, or put it into the nearest bin",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "skip|clamp"}},
        .variants = histogram_variants,
        .flops = 6,
        .rule = rule_histogram,
    },
    {
        .name = "moments",
        .family = "statistics",
        .brief = "mean, variance, skewness and excess kurtosis of each row",
        .notes = "Of the row itself, not estimates from a sample: variance is divided by C, "
                 "skewness is m3 / m2^1.5, kurtosis m4 / m2^2 - 3. Deviations are from the rounded "
                 "mean, sums are f32. A row whose deviation is below a millionth of its mean has "
                 "skewness "
                 "and kurtosis 0. " IEEE,
        .form = RP_OP_ROWS,
        .operand_count = 5,
        .operands = {ROWS_OF("x", "the rows"), PER_ROW("mean", "of each row", false, "total / n"),
                     PER_ROW("variance", "of each row", true, "m2 / n"),
                     PER_ROW("skewness", "of each row; 0 where symmetric", true,
                             CONSTANT("m2", "total") " ? 0.0 : m3 / m2 * sqrt(n / m2)"),
                     PER_ROW("kurtosis", "of each row; 0 for a normal distribution", true,
                             CONSTANT("m2", "total") " ? 0.0 : m4 / m2 * (n / m2) - 3.0")},
        .step_count = 5,
        .steps = {{"total", RP_REDUCE_SUM, "x"},
                  {"center", RP_REDUCE_NONE, "total / n"},
                  {"m2", RP_REDUCE_SUM, "(x - center) * (x - center)"},
                  {"m3", RP_REDUCE_SUM, "(x - center) * (x - center) * (x - center)"},
                  {"m4", RP_REDUCE_SUM,
                   "(x - center) * (x - center) * ((x - center) * (x - center))"}},
        .length = "C",
    },
    {
        .name = "covariance",
        .family = "statistics",
        .brief = "covariance of each pair of rows",
        .notes = "Divided by C. Deviations are from the rounded means, sums are f32. " IEEE,
        .form = RP_OP_ROWS,
        .operand_count = 3,
        .operands = {ROWS_OF("x", "the rows"), ROWS_OF("y", "as many rows, of the same length"),
                     PER_ROW("out", "of row r of x and row r of y", false, "xy / n")},
        .step_count = 5,
        .steps = {{"x_total", RP_REDUCE_SUM, "x"},
                  {"y_total", RP_REDUCE_SUM, "y"},
                  {"x_mean", RP_REDUCE_NONE, "x_total / n"},
                  {"y_mean", RP_REDUCE_NONE, "y_total / n"},
                  {"xy", RP_REDUCE_SUM, "(x - x_mean) * (y - y_mean)"}},
        .length = "C",
    },
    {
        .name = "correlation",
        .family = "statistics",
        .brief = "Pearson's correlation of each pair of rows",
        .notes =
            "From -1 to 1, a rounding more or less; 0 where the deviation of a row is below a "
            "millionth of its mean. Deviations are from the rounded means, sums are f32. " IEEE,
        .form = RP_OP_ROWS,
        .operand_count = 3,
        .operands = {ROWS_OF("x", "the rows"), ROWS_OF("y", "as many rows, of the same length"),
                     PER_ROW("out", "of row r of x and row r of y", false,
                             CONSTANT("xx", "x_total") " || " CONSTANT(
                                 "yy", "y_total") " ? 0.0 : xy / (sqrt(xx) * sqrt(yy))")},
        .step_count = 7,
        .steps = {{"x_total", RP_REDUCE_SUM, "x"},
                  {"y_total", RP_REDUCE_SUM, "y"},
                  {"x_mean", RP_REDUCE_NONE, "x_total / n"},
                  {"y_mean", RP_REDUCE_NONE, "y_total / n"},
                  {"xx", RP_REDUCE_SUM, "(x - x_mean) * (x - x_mean)"},
                  {"xy", RP_REDUCE_SUM, "(x - x_mean) * (y - y_mean)"},
                  {"yy", RP_REDUCE_SUM, "(y - y_mean) * (y - y_mean)"}},
        .length = "C",
    },
};

const uint32_t rp_ops_statistics_count = sizeof rp_ops_statistics / sizeof *rp_ops_statistics;
