/* References of family experts: one sum after the other. */
#include <math.h>

#include "reference/reference.h"

static void reference_matvec(const rp_op_call *call, rp_op_data *data) {
    uint64_t choices = rp_sym(call, 'T'), each = choices / rp_sym(call, 'X');
    uint64_t experts = rp_sym(call, 'E'), rows = rp_sym(call, 'M'), length = rp_sym(call, 'K');
    for (uint64_t t = 0; t < choices; t++)
        for (uint64_t m = 0; m < rows; m++) {
            double id = data->operands[2][t], sum = 0, size = 0;
            for (uint64_t k = 0; k < length && id >= 0 && id < (double)experts; k++) {
                double product = data->operands[0][t / each * length + k] *
                                 data->operands[1][((uint64_t)id * rows + m) * length + k];
                sum += product;
                size += fabs(product);
            }
            data->operands[3][t * rows + m] = sum;
            data->scale[t * rows + m] = size;
        }
}

static void reference_combine(const rp_op_call *call, rp_op_data *data) {
    uint64_t vectors = rp_sym(call, 'N'), experts = rp_sym(call, 'P'), rows = rp_sym(call, 'M');
    for (uint64_t i = 0; i < vectors * rows; i++) {
        double sum = 0, size = 0;
        for (uint64_t p = 0; p < experts; p++) {
            uint64_t from = i / rows * experts + p;
            double product = data->operands[1][from] * data->operands[0][from * rows + i % rows];
            sum += product;
            size += fabs(product);
        }
        data->operands[2][i] = sum;
        data->scale[i] = size;
    }
}

/* ---- The table ------------------------------------------------------------------------------- */

static const rp_reference_entry entries[] = {
    {"matvec_experts", reference_matvec},
    {"combine_experts", reference_combine},
};

rp_reference *rp_reference_of_experts(const char *name) {
    return rp_reference_among(entries, sizeof entries / sizeof *entries, name);
}
