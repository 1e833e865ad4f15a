/* References of family statistics. */
#include <math.h>

#include "reference/reference.h"

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

/* Of integers, whose ends are such: the quotient rounded down. */
static uint64_t whole_bin(double x, double low, double high, uint64_t bins) {
    uint64_t bin = (uint64_t)((x - low) * (double)bins / (high - low));
    return bin < bins ? bin : bins - 1;
}

static void reference_histogram(const rp_op_call *call, rp_op_data *data) {
    bool whole = rp_op_attr_type(call, 0) != RP_TYPE_F32;
    float low = (float)call->attrs[0], high = (float)call->attrs[1];
    bool clamps = call->attrs[3] != 0;
    uint64_t n = rp_sym(call, 'N'), bins = rp_sym(call, 'B');
    for (uint64_t i = 0; i < n; i++) {
        double own = data->operands[0][i];
        float x = (float)own;
        bool below = whole ? own < call->attrs[0] : x < low;
        bool above = whole ? own > call->attrs[1] : x > high;
        if (isnan(x) || ((below || above) && !clamps)) continue;
        double *count =
            &data->operands[1][below   ? 0
                               : above ? bins - 1
                               : whole ? whole_bin(own, call->attrs[0], call->attrs[1], bins)
                                       : bin_of(x, low, high, bins)];
        *count = *count == UINT32_MAX ? 0 : *count + 1;
    }
}

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

/* ---- The table ------------------------------------------------------------------------------- */

static const rp_reference_entry entries[] = {
    {"histogram", reference_histogram},
    {"moments", reference_moments},
    {"covariance", reference_covariance},
    {"correlation", reference_correlation},
};

rp_reference *rp_reference_of_statistics(const char *name) {
    return rp_reference_among(entries, sizeof entries / sizeof *entries, name);
}
