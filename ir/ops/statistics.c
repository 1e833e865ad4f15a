/* Family statistics: histograms, and what sums of powers and products tell about rows.
 *
 * Moments are taken about the mean, in steps over the row that each use the result of the one
 * before: sums of plain powers would need one step and lose all digits when the mean is large. */
#include <float.h>
#include <math.h>

#include "ops/tables.h"

/* ---- Histograms ------------------------------------------------------------------------------ */

/* The kernel works with the limits as f32. */
static bool rule_histogram(rp_op_call *call) {
    float low = (float)call->attrs[0], high = (float)call->attrs[1], span = high - low;
    float bins = (float)rp_sym(call, 'B');
    if (!(low < high))
        return rp_op_fail(call, "low is %.9g and high is %.9g; low must be the smaller one", low,
                          high);
    if (span >= 1e-30f && span * bins <= FLT_MAX) return true;
    return rp_op_fail(call, "high - low is %.9g, expected 1e-30 to %.9g for %.0f bins", span,
                      FLT_MAX / bins, bins);
}

/* The last bin b with f32(f32(x - low) * bins) >= f32(b * f32(high - low)). */
static uint64_t bin_of(float x, float low, float high, uint64_t bins) {
    float place = (x - low) * (float)bins, span = high - low;
    uint64_t first = 0, count = bins; /* the answer is one of these */
    while (count > 1) {
        uint64_t half = count / 2;
        if (place >= (float)(first + half) * span)
            first += half, count -= half;
        else
            count = half;
    }
    return first;
}

static void reference_histogram(const rp_op_call *call, rp_op_data *data) {
    float low = (float)call->attrs[0], high = (float)call->attrs[1];
    bool clamps = call->attrs[3] != 0;
    uint64_t n = rp_sym(call, 'N'), bins = rp_sym(call, 'B');
    for (uint64_t i = 0; i < n; i++) {
        float x = (float)data->operands[0][i];
        bool below = x<low, above = x> high;
        if (isnan(x) || ((below || above) && !clamps)) continue;
        double *count = &data->operands[1][below   ? 0
                                           : above ? bins - 1
                                                   : bin_of(x, low, high, bins)];
        *count = *count == UINT32_MAX ? 0 : *count + 1;
    }
}

/* ---- Moments --------------------------------------------------------------------------------- */

/* Whether the deviation of n numbers is below a millionth of their mean. */
static bool is_constant(double squares, double mean, uint64_t n) {
    return sqrt(squares / (double)n) <= fabs(mean) * 1e-6;
}

/* x, mean, variance, skewness, kurtosis. */
static void reference_moments(const rp_op_call *call, rp_op_data *data) {
    uint64_t rows = rp_sym(call, 'R'), n = rp_sym(call, 'C');
    for (uint64_t r = 0; r < rows; r++) {
        const double *x = data->operands[0] + r * n;
        double total = 0, size = 0, m2 = 0, m3 = 0, m4 = 0;
        for (uint64_t i = 0; i < n; i++) {
            total += x[i];
            size += fabs(x[i]);
        }
        double mean = total / (double)n;
        for (uint64_t i = 0; i < n; i++) {
            double d = x[i] - mean;
            m2 += d * d;
            m3 += d * d * d;
            m4 += d * d * d * d;
        }
        data->operands[1][r] = mean;
        if (data->scale) data->scale[r] = size / (double)n;
        if (data->operands[2]) data->operands[2][r] = m2 / (double)n;
        if (data->operands[3])
            data->operands[3][r] = is_constant(m2, mean, n) ? 0 : m3 / m2 * sqrt((double)n / m2);
        if (data->operands[4])
            data->operands[4][r] = is_constant(m2, mean, n) ? 0 : m4 / m2 * ((double)n / m2) - 3;
    }
}

/* The sums of products of the deviations of two rows; whether both vary. */
static bool deviations(const double *x, const double *y, uint64_t n, double *xx, double *xy,
                       double *yy, double *size) {
    double x_mean = 0, y_mean = 0;
    for (uint64_t i = 0; i < n; i++) {
        x_mean += x[i] / (double)n;
        y_mean += y[i] / (double)n;
    }
    *xx = *xy = *yy = *size = 0;
    for (uint64_t i = 0; i < n; i++) {
        double dx = x[i] - x_mean, dy = y[i] - y_mean;
        *xx += dx * dx;
        *xy += dx * dy;
        *yy += dy * dy;
        /* The means are rounded, which the differences keep. */
        *size += fabs(dx * dy) + fabs(x_mean * dy) + fabs(y_mean * dx);
    }
    return !is_constant(*xx, x_mean, n) && !is_constant(*yy, y_mean, n);
}

static void reference_covariance(const rp_op_call *call, rp_op_data *data) {
    uint64_t rows = rp_sym(call, 'R'), n = rp_sym(call, 'C');
    for (uint64_t r = 0; r < rows; r++) {
        double xx, xy, yy, size;
        deviations(data->operands[0] + r * n, data->operands[1] + r * n, n, &xx, &xy, &yy, &size);
        data->operands[2][r] = xy / (double)n;
        if (data->scale) data->scale[r] = size / (double)n;
    }
}

static void reference_correlation(const rp_op_call *call, rp_op_data *data) {
    uint64_t rows = rp_sym(call, 'R'), n = rp_sym(call, 'C');
    for (uint64_t r = 0; r < rows; r++) {
        double xx, xy, yy, size;
        bool both = deviations(data->operands[0] + r * n, data->operands[1] + r * n, n, &xx, &xy,
                               &yy, &size);
        data->operands[2][r] = both ? xy / (sqrt(xx) * sqrt(yy)) : 0;
        if (data->scale) data->scale[r] = both ? 1 + size / (sqrt(xx) * sqrt(yy)) : 0;
    }
}

/* ---- The ops --------------------------------------------------------------------------------- */

#define ROWS_OF(NAME, BRIEF)                                                                       \
    { .name = NAME, .brief = BRIEF, .shape = "*R C", .dtypes = RP_DT_FLOAT, .at = RP_AT_ROW }

#define PER_ROW(NAME, BRIEF, OPTIONAL, EXPRESSION)                                                 \
    {                                                                                              \
        .name = NAME, .brief = BRIEF, .shape = "*R", .dtypes = RP_DT_FLOAT, .access = RP_WRITE,    \
        .optional = OPTIONAL, .expression = EXPRESSION                                             \
    }

/* Of equal numbers the mean is rounded, and what is left of them is noise. */
#define CONSTANT(SQUARES, TOTAL) "sqrt(" SQUARES " / n) <= abs(" TOTAL " / n) * 1e-6"

#define IEEE "Infinities and NaN in a row follow IEEE 754. "

const rp_op rp_ops_statistics[] = {
    {
        .name = "histogram",
        .family = "statistics",
        .brief = "adds the number of elements in each of several bins of equal width to counts",
        .notes = "Exact. Element x belongs to the last bin b with (x - low) * bins >= b * (high - "
                 "low), each operation rounded to f32, so every device agrees at the edges; high "
                 "itself belongs to the last bin. NaN is skipped. Counts start from what is there "
                 "(fill them with 0 before) and wrap at 2^32.",
        .form = RP_OP_KERNEL,
        .operand_count = 2,
        .operands = {{.name = "x",
                      .brief = "what to count",
                      .shape = "*N",
                      .dtypes = RP_DT_FLOAT,
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
                   .high = FLT_MAX},
                  {.name = "high",
                   .brief = "where the last bin ends",
                   .kind = RP_ATTR_NUMBER,
                   .required = true,
                   .low = -FLT_MAX,
                   .high = FLT_MAX},
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
        .flops = 6,
        .rule = rule_histogram,
        .reference = reference_histogram,
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
        .step_count = 4,
        .steps = {{"total", RP_REDUCE_SUM, "x"},
                  {"m2", RP_REDUCE_SUM, "(x - total / n) * (x - total / n)"},
                  {"m3", RP_REDUCE_SUM, "(x - total / n) * (x - total / n) * (x - total / n)"},
                  {"m4", RP_REDUCE_SUM,
                   "(x - total / n) * (x - total / n) * ((x - total / n) * (x - total / n))"}},
        .length = "C",
        .reference = reference_moments,
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
        .step_count = 3,
        .steps = {{"x_total", RP_REDUCE_SUM, "x"},
                  {"y_total", RP_REDUCE_SUM, "y"},
                  {"xy", RP_REDUCE_SUM, "(x - x_total / n) * (y - y_total / n)"}},
        .length = "C",
        .reference = reference_covariance,
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
        .step_count = 5,
        .steps = {{"x_total", RP_REDUCE_SUM, "x"},
                  {"y_total", RP_REDUCE_SUM, "y"},
                  {"xx", RP_REDUCE_SUM, "(x - x_total / n) * (x - x_total / n)"},
                  {"xy", RP_REDUCE_SUM, "(x - x_total / n) * (y - y_total / n)"},
                  {"yy", RP_REDUCE_SUM, "(y - y_total / n) * (y - y_total / n)"}},
        .length = "C",
        .reference = reference_correlation,
    },
};

const uint32_t rp_ops_statistics_count = sizeof rp_ops_statistics / sizeof *rp_ops_statistics;
