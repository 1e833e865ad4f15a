/* References of family parts: plain loops over one part after the other, and over candidates. */
#include <math.h>

#include "reference/reference.h"

typedef struct part {
    const double *x; /* of the whole row */
    uint64_t begin, end, number;
} part;

typedef void part_loop(const rp_op_call *call, rp_op_data *data, const part *p);

static void each_part(const rp_op_call *call, rp_op_data *data, part_loop *loop) {
    uint64_t rows = rp_sym(call, 'R'), length = rp_sym(call, 'C'), parts = rp_sym(call, 'P');
    uint64_t size = ((length + parts - 1) / parts + 3) / 4 * 4;
    for (uint64_t i = 0; i < rows * parts; i++) {
        part p = {.x = data->operands[0] + i / parts * length, .number = i};
        p.begin = i % parts * size < length ? i % parts * size : length;
        p.end = p.begin + size < length ? p.begin + size : length;
        loop(call, data, &p);
    }
}

static void put(rp_op_data *data, uint32_t operand, const part *p, double value) {
    if (data->operands[operand]) data->operands[operand][p->number] = value;
}

static void put_scaled(rp_op_data *data, const part *p, double value, double scale) {
    put(data, 1, p, value);
    data->scale[p->number] = rp_reference_scale(value, scale);
}

static void sum_part(const rp_op_call *call, rp_op_data *data, const part *p) {
    (void)call;
    double total = 0, size = 0;
    for (uint64_t c = p->begin; c < p->end; c++) total += p->x[c], size += fabs(p->x[c]);
    put_scaled(data, p, rp_reference_in_f32(total), size);
}

static void reference_sum(const rp_op_call *call, rp_op_data *data) {
    each_part(call, data, sum_part);
}

/* The best of the part, times `sign` the largest, and where the first of them is. */
static double best_of(const part *p, double sign, double *place) {
    double best = sign * -INFINITY;
    *place = UINT32_MAX;
    for (uint64_t c = p->begin; c < p->end; c++) {
        bool first = *place == UINT32_MAX && !isnan(p->x[c]);
        if (!first && !(sign * p->x[c] > sign * best)) continue;
        best = p->x[c];
        *place = (double)c;
    }
    return best;
}

static void best_part(const rp_op_call *call, rp_op_data *data, const part *p) {
    double place, best = best_of(p, call->op->name[4] == 'a' ? 1 : -1, &place); /* argm*a*x */
    put_scaled(data, p, best, fabs(best));
    put(data, 2, p, place);
}

static void reference_best(const rp_op_call *call, rp_op_data *data) {
    each_part(call, data, best_part);
}

static void softmax_part(const rp_op_call *call, rp_op_data *data, const part *p) {
    (void)call;
    double place, top = best_of(p, 1, &place), total = 0;
    for (uint64_t c = p->begin; c < p->end; c++) total += p->x[c] == top ? 1 : exp(p->x[c] - top);
    put_scaled(data, p, top, fabs(top));
    put(data, 2, p, total);
}

static void reference_softmax(const rp_op_call *call, rp_op_data *data) {
    each_part(call, data, softmax_part);
}

/* What rounding takes of a mean depends on the order of the sum: beside it stands the exact one's
 * own, nothing. */
static void variance_part(const rp_op_call *call, rp_op_data *data, const part *p) {
    (void)call;
    double n = (double)(p->end - p->begin), total = 0, spread = 0;
    for (uint64_t c = p->begin; c < p->end; c++) total += p->x[c];
    double mean = n > 0 ? rp_reference_in_f32(total) / n : 0;
    for (uint64_t c = p->begin; c < p->end; c++) spread += (p->x[c] - mean) * (p->x[c] - mean);
    put_scaled(data, p, n, n);
    put(data, 2, p, mean);
    put(data, 3, p, 0);
    put(data, 4, p, rp_reference_in_f32(spread));
}

static void reference_variance(const rp_op_call *call, rp_op_data *data) {
    each_part(call, data, variance_part);
}

static void reference_merge(const rp_op_call *call, rp_op_data *data) {
    uint64_t rows = rp_sym(call, 'R'), length = rp_sym(call, 'C');
    double sign = call->op->name[4] == 'a' ? 1 : -1;
    for (uint64_t row = 0; row < rows; row++) {
        const double *values = data->operands[0] + row * length;
        const double *places = data->operands[1] + row * length;
        double best = NAN, place = UINT32_MAX;
        for (uint64_t c = 0; c < length; c++) {
            if (isnan(values[c])) continue;
            bool better = isnan(best) || sign * values[c] > sign * best;
            if (!better && !(values[c] == best && places[c] < place)) continue;
            best = values[c], place = places[c];
        }
        data->operands[2][row] = place == UINT32_MAX ? 0 : place;
    }
}

static void put_row(rp_op_data *data, uint32_t operand, uint64_t row, double value, double scale) {
    if (data->operands[operand]) data->operands[operand][row] = value;
    if (operand == 2 || operand == 4) data->scale[row] = rp_reference_scale(value, scale);
}

static void reference_softmax_merge(const rp_op_call *call, rp_op_data *data) {
    uint64_t rows = rp_sym(call, 'R'), length = rp_sym(call, 'C');
    for (uint64_t row = 0; row < rows; row++) {
        const double *tops = data->operands[0] + row * length;
        const double *totals = data->operands[1] + row * length;
        double top = -INFINITY, total = 0;
        for (uint64_t c = 0; c < length; c++)
            if (tops[c] > top) top = tops[c];
        for (uint64_t c = 0; c < length; c++)
            total += totals[c] * (tops[c] == top ? 1 : exp(tops[c] - top));
        put_row(data, 2, row, top, fabs(top));
        put_row(data, 3, row, rp_reference_in_f32(total), 0);
    }
}

static void reference_variance_merge(const rp_op_call *call, rp_op_data *data) {
    uint64_t rows = rp_sym(call, 'R'), length = rp_sym(call, 'C');
    double n = call->attrs[0];
    for (uint64_t row = 0; row < rows; row++) {
        const double *counts = data->operands[0] + row * length;
        const double *means = data->operands[1] + row * length;
        const double *rests = data->operands[2] + row * length;
        const double *spreads = data->operands[3] + row * length;
        double sum = 0, size = 0, mean, spread = 0;
        for (uint64_t c = 0; c < length; c++) {
            sum += counts[c] * (means[c] + rests[c]);
            size += fabs(counts[c] * means[c]) + fabs(counts[c] * rests[c]);
        }
        mean = sum / n;
        for (uint64_t c = 0; c < length; c++) {
            double distance = means[c] + rests[c] - mean;
            spread += spreads[c] + counts[c] * distance * distance;
        }
        /* How a mean is told as two numbers is rounding's affair; cases have rests of 0. */
        put_row(data, 4, row, mean, size / n);
        put_row(data, 5, row, 0, 0);
        put_row(data, 6, row, spread / n, 0);
    }
}

static const rp_reference_entry entries[] = {
    {"row_sum_partial", reference_sum},
    {"argmin_partial", reference_best},
    {"argmax_partial", reference_best},
    {"softmax_partial", reference_softmax},
    {"variance_partial", reference_variance},
    {"argmin_merge", reference_merge},
    {"argmax_merge", reference_merge},
    {"softmax_merge", reference_softmax_merge},
    {"variance_merge", reference_variance_merge},
};

rp_reference *rp_reference_of_parts(const char *name) {
    return rp_reference_among(entries, sizeof entries / sizeof *entries, name);
}
