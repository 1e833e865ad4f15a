/* References of family matrix: a sum for each element of the result. */
#include <math.h>

#include "reference/reference.h"

static void reference_matvec(const rp_op_call *call, rp_op_data *data) {
    uint64_t b = rp_sym(call, 'B'), m = rp_sym(call, 'M'), k = rp_sym(call, 'K');
    for (uint64_t v = 0; v < b; v++)
        for (uint64_t row = 0; row < m; row++) {
            double sum = 0, scale = 0;
            for (uint64_t i = 0; i < k; i++) {
                double term = data->operands[0][v * k + i] * data->operands[1][row * k + i];
                sum += term;
                scale += fabs(term);
            }
            data->operands[2][v * m + row] = sum;
            data->scale[v * m + row] = scale;
        }
}

/* A sum of i32, modulo 2^32; exact before that, below 2^53. */
static double wrapped(double sum) {
    return sum - 0x1p32 * floor((sum + 0x1p31) * 0x1p-32);
}

static void reference_matmul(const rp_op_call *call, rp_op_data *data) {
    bool turn_a = call->attrs[0] != 0, turn_b = call->attrs[1] != 0;
    uint64_t m = rp_sym(call, 'M'), k = rp_sym(call, 'K'), n = rp_sym(call, 'N');
    bool bytes = call->operands[0].dtype == RP_I8;
    for (uint64_t batch = 0; batch < rp_sym(call, 'B'); batch++) {
        const double *a = data->operands[0] + batch * m * k;
        const double *b = data->operands[1] + (rp_sym(call, 'E') == 1 ? 0 : batch * k * n);
        for (uint64_t row = 0; row < m; row++)
            for (uint64_t column = 0; column < n; column++) {
                double sum = 0, scale = 0;
                for (uint64_t i = 0; i < k; i++) {
                    double term = (turn_a ? a[i * m + row] : a[row * k + i]) *
                                  (turn_b ? b[column * k + i] : b[i * n + column]);
                    sum += term;
                    scale += fabs(term);
                }
                uint64_t at = (batch * m + row) * n + column;
                data->operands[2][at] = bytes ? wrapped(sum) : sum;
                data->scale[at] = scale;
            }
    }
}

/* Sums over steps first to end of k of one element. */
static double partial_sum(const rp_op_call *call, const rp_op_data *data, uint64_t batch,
                          uint64_t row, uint64_t column, uint64_t first, uint64_t end,
                          double *scale) {
    uint64_t m = rp_sym(call, 'M'), k = rp_sym(call, 'K'), n = rp_sym(call, 'N');
    const double *a = data->operands[0] + batch * m * k;
    const double *b = data->operands[1] + (rp_sym(call, 'E') == 1 ? 0 : batch * k * n);
    double sum = 0;
    for (uint64_t i = first; i < end && i < k; i++) {
        double term = (call->attrs[0] != 0 ? a[i * m + row] : a[row * k + i]) *
                      (call->attrs[1] != 0 ? b[column * k + i] : b[i * n + column]);
        sum += term;
        *scale += fabs(term);
    }
    return sum;
}

static void reference_matmul_partial(const rp_op_call *call, rp_op_data *data) {
    uint64_t m = rp_sym(call, 'M'), n = rp_sym(call, 'N'), batches = rp_sym(call, 'B');
    uint64_t parts = (uint64_t)call->attrs[2], k = rp_sym(call, 'K');
    uint64_t steps = ((k + parts - 1) / parts + 31) / 32 * 32, at = 0;
    for (uint64_t part = 0; part < parts; part++)
        for (uint64_t batch = 0; batch < batches; batch++)
            for (uint64_t row = 0; row < m; row++)
                for (uint64_t column = 0; column < n; column++, at++) {
                    double sum = partial_sum(call, data, batch, row, column, part * steps,
                                             (part + 1) * steps, &data->scale[at]);
                    data->operands[2][at] = call->operands[0].dtype == RP_I8 ? wrapped(sum) : sum;
                }
}

static void reference_matmul_merge(const rp_op_call *call, rp_op_data *data) {
    uint64_t count = rp_sym(call, 'B') * rp_sym(call, 'M') * rp_sym(call, 'N');
    for (uint64_t i = 0; i < count; i++) {
        double sum = 0;
        for (uint64_t part = 0; part < rp_sym(call, 'A'); part++) {
            double term = data->operands[0][part * count + i];
            sum += term;
            data->scale[i] += fabs(term);
        }
        data->operands[1][i] = call->operands[0].dtype == RP_I32 ? wrapped(sum) : sum;
    }
}

/* ---- The table ------------------------------------------------------------------------------- */

static const rp_reference_entry entries[] = {
    {"matvec", reference_matvec},
    {"matmul", reference_matmul},
    {"matmul_partial", reference_matmul_partial},
    {"matmul_merge", reference_matmul_merge},
};

rp_reference *rp_reference_of_matrix(const char *name) {
    return rp_reference_among(entries, sizeof entries / sizeof *entries, name);
}
