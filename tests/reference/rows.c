/* References of family rows: plain loops over one row after the other.
 *
 * Doubles hold what overflows in f32, and there results are defined (an infinite norm gives 0). So
 * sums pass through rp_reference_in_f32(), which makes infinite what f32 cannot hold. The scale of a result is
 * what an error of one f32 rounding in each term can amount to; see rp_op_data. */
#include <math.h>

#include "reference/reference.h"

typedef struct row {
    const double *x, *weight, *bias; /* NULL: left out */
    const rp_op_call *call;
    const rp_op_data *data;
    uint64_t number, length;
    double *out, *scale, *norm; /* of this row, or of its elements; norm may be NULL */
} row;

/* What small numbers may become: denormals may count as 0, before or after squaring. Large enough
 * that one rounding error of it covers the difference. */
static double denormal_scale(double smallest) {
    return smallest / FLT_EPSILON;
}

static double sum(const row *r) {
    double total = 0;
    for (uint64_t i = 0; i < r->length; i++) total += r->x[i];
    return rp_reference_in_f32(total);
}

static double sum_of_magnitudes(const row *r) {
    double total = 0;
    for (uint64_t i = 0; i < r->length; i++) total += fabs(r->x[i]);
    return total;
}

static double sum_of_squares(const row *r) {
    double total = 0;
    for (uint64_t i = 0; i < r->length; i++) total += r->x[i] * r->x[i];
    return rp_reference_in_f32(total);
}

/* ---- A number per row ------------------------------------------------------------------------ */

static void of_row_sum(const row *r) {
    *r->out = sum(r);
    *r->scale = sum_of_magnitudes(r);
}

static void of_row_mean(const row *r) {
    *r->out = sum(r) / (double)r->length;
    *r->scale = sum_of_magnitudes(r) / (double)r->length;
}

static void of_row_min(const row *r) {
    double least = INFINITY;
    for (uint64_t i = 0; i < r->length; i++)
        if (r->x[i] < least) least = r->x[i];
    *r->out = least;
    *r->scale = fabs(least);
}

static void of_row_max(const row *r) {
    double largest = -INFINITY;
    for (uint64_t i = 0; i < r->length; i++)
        if (r->x[i] > largest) largest = r->x[i];
    *r->out = largest;
    *r->scale = fabs(largest);
}

/* The first number, then every strictly better one. */
static void find_place(const row *r, double sign) {
    uint64_t place = r->length;
    for (uint64_t i = 0; i < r->length; i++)
        if (!isnan(r->x[i]) && (place == r->length || sign * r->x[i] > sign * r->x[place]))
            place = i;
    *r->out = place == r->length ? 0 : (double)place;
}

static void of_argmin(const row *r) {
    find_place(r, -1);
}

static void of_argmax(const row *r) {
    find_place(r, 1);
}

static double spread(const row *r, double mean) {
    double total = 0;
    for (uint64_t i = 0; i < r->length; i++) total += (r->x[i] - mean) * (r->x[i] - mean);
    return rp_reference_in_f32(total);
}

/* Each distance from the mean is as uncertain as the element and the mean are; and where all are
 * equal, the mean's own rounding is all there is. */
static void of_variance(const row *r) {
    double n = (double)r->length, mean = sum(r) / n, size = sum_of_magnitudes(r) / n;
    *r->out = spread(r, mean) / n;
    double total = 0;
    for (uint64_t i = 0; i < r->length; i++) total += fabs(r->x[i] - mean) * (fabs(r->x[i]) + size);
    *r->scale = total / n + size * size * 8 * FLT_EPSILON * n;
}

static void of_l2_norm(const row *r) {
    *r->out = sqrt(sum_of_squares(r));
    *r->scale = *r->out;
    if (*r->out < 1e-15 * (double)r->length) *r->scale += denormal_scale(1e-18);
}

static void of_logsumexp(const row *r) {
    of_row_max(r);
    double top = *r->out, total = 0;
    for (uint64_t i = 0; i < r->length; i++) total += r->x[i] == top ? 1 : exp(r->x[i] - top);
    *r->out = top + log(total);
    *r->scale = 2 * fabs(top) + log(total) + 1;
}

/* ---- A number per element -------------------------------------------------------------------- */

static double at(const double *values, uint64_t index, double absent) {
    return values ? values[index] : absent;
}

static void of_rms_norm(const row *r) {
    double factor = 1 / sqrt(sum_of_squares(r) / (double)r->length + r->call->attrs[0]);
    for (uint64_t i = 0; i < r->length; i++) {
        double weight = at(r->weight, i, 1);
        r->out[i] = r->x[i] * factor * weight;
        r->scale[i] = fabs(r->out[i]);
        if (fabs(r->x[i]) < 1e-15) r->scale[i] += denormal_scale(FLT_MIN) * fabs(factor * weight);
    }
}

static void of_layer_norm(const row *r) {
    double n = (double)r->length, mean = sum(r) / n, size = sum_of_magnitudes(r) / n;
    double factor = 1 / sqrt(spread(r, mean) / n + r->call->attrs[0]);
    for (uint64_t i = 0; i < r->length; i++) {
        double weight = at(r->weight, i, 1), bias = at(r->bias, i, 0);
        r->out[i] = (r->x[i] - mean) * factor * weight + bias;
        r->scale[i] = (fabs(r->x[i]) + size) * factor * fabs(weight) + fabs(bias);
        if (fabs(r->x[i]) < 1e-15) r->scale[i] += denormal_scale(FLT_MIN) * fabs(factor * weight);
    }
}

static void of_l2_normalize(const row *r) {
    double norm = sqrt(sum_of_squares(r)), eps = r->call->attrs[0];
    double divisor = norm < eps ? eps : norm;
    for (uint64_t i = 0; i < r->length; i++) {
        r->out[i] = r->x[i] / divisor;
        r->scale[i] = fabs(r->out[i]);
        if (fabs(r->x[i]) < 1e-15) r->scale[i] += denormal_scale(FLT_MIN) / divisor;
        /* Where the squares are too small for f32, the norm may be lost. */
        if (norm < 1e-15 * (double)r->length) r->scale[i] += denormal_scale(fabs(r->x[i]) / eps);
    }
    if (r->norm) *r->norm = norm;
}

/* Element i before exp: the mask is found by its own shape, over the whole of the output. */
static double masked(const row *r, uint64_t i) {
    double value = rp_reference_in_f32(r->x[i] * r->call->attrs[0]);
    if (!r->data->operands[1]) return value;
    uint64_t index = rp_reference_broadcast(r->call, 1, 2, r->number * r->length + i);
    return rp_reference_in_f32(value + rp_reference_mask(r->call, 1, r->data->operands[1][index]));
}

static void of_softmax(const row *r) {
    double top = -INFINITY, total = 0;
    for (uint64_t i = 0; i < r->length; i++)
        if (masked(r, i) > top) top = masked(r, i);
    for (uint64_t i = 0; i < r->length; i++) {
        double value = masked(r, i);
        r->out[i] = value == top ? 1 : exp(value - top);
        total += r->out[i];
    }
    for (uint64_t i = 0; i < r->length; i++) {
        double value = masked(r, i), sizes = fabs(value) + fabs(top);
        bool nothing = isinf(top) && top < 0;
        r->out[i] = (nothing ? 0 : r->out[i]) / total;
        r->scale[i] = r->out[i] * (2 + (isfinite(sizes) ? sizes : 0));
    }
}

/* ---- Calls ----------------------------------------------------------------------------------- */

typedef struct rows_op {
    const char *name;
    void (*of)(const row *r);
    uint8_t out; /* the operand */
    bool per_row;
} rows_op;

static const rows_op ops[] = {
    {"row_sum", of_row_sum, 1, true},        {"row_mean", of_row_mean, 1, true},
    {"row_min", of_row_min, 1, true},        {"row_max", of_row_max, 1, true},
    {"argmin", of_argmin, 1, true},          {"argmax", of_argmax, 1, true},
    {"variance", of_variance, 1, true},      {"l2_norm", of_l2_norm, 1, true},
    {"logsumexp", of_logsumexp, 1, true},    {"rms_norm", of_rms_norm, 2, false},
    {"layer_norm", of_layer_norm, 3, false}, {"l2_normalize", of_l2_normalize, 1, false},
    {"softmax", of_softmax, 2, false},
};

static const rows_op *find_op(const char *name) {
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (strcmp(ops[i].name, name) == 0) return ops + i;
    return NULL;
}

static void reference_of_rows(const rp_op_call *call, rp_op_data *data) {
    const rows_op *op = find_op(call->op->name);
    uint64_t rows = rp_sym(call, 'R'), length = rp_sym(call, 'C');
    const double *weight = NULL, *bias = NULL;
    if (op->of == of_rms_norm || op->of == of_layer_norm) weight = data->operands[1];
    if (op->of == of_layer_norm) bias = data->operands[2];
    double *norms = op->of == of_l2_normalize ? data->operands[2] : NULL;
    double *out = data->operands[op->out];
    for (uint64_t i = 0; i < rows; i++) {
        uint64_t first = op->per_row ? i : i * length;
        row r = {.x = data->operands[0] + i * length,
                 .weight = weight,
                 .bias = bias,
                 .call = call,
                 .data = data,
                 .number = i,
                 .length = length,
                 .out = out + first,
                 .scale = data->scale + first,
                 .norm = norms ? norms + i : NULL};
        op->of(&r);
        for (uint64_t k = first; k < first + (op->per_row ? 1 : length); k++) {
            out[k] = rp_reference_store(call->operands[op->out].dtype, out[k]);
            data->scale[k] = rp_reference_scale(out[k], data->scale[k]);
        }
        if (r.norm) *r.norm = rp_reference_store(call->operands[2].dtype, *r.norm);
    }
}

rp_reference *rp_reference_of_rows(const char *name) {
    return find_op(name) ? reference_of_rows : NULL;
}
