/* References of family data: elements moved one after the other. */
#include "reference/reference.h"

static void reference_gather(const rp_op_call *call, rp_op_data *data) {
    uint64_t rows = rp_sym(call, 'R'), n = rp_sym(call, 'N'), c = rp_sym(call, 'C');
    for (uint64_t r = 0; r < rows; r++) {
        double id = data->operands[1][r];
        bool inside = id >= 0 && id < (double)n;
        for (uint64_t j = 0; j < c; j++)
            data->operands[2][r * c + j] = inside ? data->operands[0][(uint64_t)id * c + j] : 0;
    }
}

static void reference_scatter(const rp_op_call *call, rp_op_data *data) {
    uint64_t rows = rp_sym(call, 'R'), n = rp_sym(call, 'N'), c = rp_sym(call, 'C');
    for (uint64_t r = 0; r < rows; r++) {
        double id = data->operands[1][r];
        if (!(id >= 0 && id < (double)n)) continue;
        for (uint64_t j = 0; j < c; j++)
            data->operands[2][(uint64_t)id * c + j] = data->operands[0][r * c + j];
    }
}

static void reference_transpose(const rp_op_call *call, rp_op_data *data) {
    uint64_t b = rp_sym(call, 'B'), r = rp_sym(call, 'R'), c = rp_sym(call, 'C');
    for (uint64_t i = 0; i < b; i++)
        for (uint64_t j = 0; j < r; j++)
            for (uint64_t k = 0; k < c; k++)
                data->operands[1][(i * c + k) * r + j] = data->operands[0][(i * r + j) * c + k];
}

/* The input's dimension, 0 to 3, that is number `place` in the output: by the choice's own text. */
static uint32_t permuted(const rp_op_call *call, uint32_t place) {
    return (uint32_t)(call->op->attrs[0].choices[5 * (uint32_t)call->attrs[0] + place] - 'a');
}

static void reference_permute(const rp_op_call *call, rp_op_data *data) {
    uint64_t dims[4] = {rp_sym(call, 'A'), rp_sym(call, 'B'), rp_sym(call, 'C'), rp_sym(call, 'D')};
    uint64_t at[4];
    const double *from = data->operands[0];
    for (at[0] = 0; at[0] < dims[0]; at[0]++)
        for (at[1] = 0; at[1] < dims[1]; at[1]++)
            for (at[2] = 0; at[2] < dims[2]; at[2]++)
                for (at[3] = 0; at[3] < dims[3]; at[3]++) {
                    uint64_t to = 0;
                    for (uint32_t i = 0; i < 4; i++)
                        to = to * dims[permuted(call, i)] + at[permuted(call, i)];
                    data->operands[1][to] = *from++;
                }
}

static void reference_slice(const rp_op_call *call, rp_op_data *data) {
    uint64_t b = rp_sym(call, 'B'), r = rp_sym(call, 'R'), c = rp_sym(call, 'C');
    uint64_t row = (uint64_t)call->attrs[0], rows = rp_sym(call, 'U');
    uint64_t column = (uint64_t)call->attrs[2], columns = rp_sym(call, 'V');
    double *to = data->operands[1];
    for (uint64_t i = 0; i < b; i++)
        for (uint64_t j = row; j < row + rows; j++)
            for (uint64_t k = column; k < column + columns; k++)
                *to++ = data->operands[0][(i * r + j) * c + k];
}

static void reference_concat(const rp_op_call *call, rp_op_data *data) {
    uint64_t rows = rp_sym(call, 'R'), a = rp_sym(call, 'A'), b = rp_sym(call, 'B');
    const double *from_a = data->operands[0], *from_b = data->operands[1];
    double *to = data->operands[2];
    for (uint64_t r = 0; r < rows; r++) {
        for (uint64_t j = 0; j < a; j++) *to++ = *from_a++;
        for (uint64_t j = 0; j < b; j++) *to++ = *from_b++;
    }
}

static void reference_repeat(const rp_op_call *call, rp_op_data *data) {
    uint64_t rows = rp_sym(call, 'R'), times = rp_sym(call, 'T'), c = rp_sym(call, 'C');
    double *to = data->operands[1];
    for (uint64_t r = 0; r < rows; r++)
        for (uint64_t t = 0; t < times; t++)
            for (uint64_t j = 0; j < c; j++) *to++ = data->operands[0][r * c + j];
}

static void reference_copy(const rp_op_call *call, rp_op_data *data) {
    uint64_t n = rp_tensor_elements(&call->operands[0]);
    for (uint64_t i = 0; i < n; i++) data->operands[1][i] = data->operands[0][i];
}

static void reference_fill(const rp_op_call *call, rp_op_data *data) {
    uint64_t n = rp_tensor_elements(&call->operands[0]);
    double value = rp_reference_number(call->operands[0].dtype, call->attrs[0]);
    for (uint64_t i = 0; i < n; i++) data->operands[0][i] = value;
}

static void reference_fill_words(const rp_op_call *call, rp_op_data *data) {
    uint64_t n = rp_tensor_elements(&call->operands[0]);
    for (uint64_t i = 0; i < n; i++) data->operands[0][i] = call->attrs[0];
}

/* Wrapping in the bits that it is computed with. */
static double counted(const rp_op_call *call, uint64_t i) {
    uint8_t dtype = call->operands[0].dtype;
    uint64_t bits = (uint64_t)(int64_t)call->attrs[0] + i;
    switch (rp_op_formula_type(dtype)) {
    case RP_TYPE_I32: return rp_reference_store(dtype, (int32_t)(uint32_t)bits);
    case RP_TYPE_U32: return rp_reference_store(dtype, (uint32_t)bits);
    case RP_TYPE_I64: return (double)(int64_t)bits;
    case RP_TYPE_U64: return (double)bits;
    }
    return rp_reference_store(dtype, call->attrs[0] + (double)i);
}

static void reference_iota(const rp_op_call *call, rp_op_data *data) {
    uint64_t n = rp_tensor_elements(&call->operands[0]);
    for (uint64_t i = 0; i < n; i++) data->operands[0][i] = counted(call, i);
}

/* ---- The table ------------------------------------------------------------------------------- */

static const rp_reference_entry entries[] = {
    {"gather_rows", reference_gather},  {"scatter_rows", reference_scatter},
    {"transpose", reference_transpose}, {"permute", reference_permute},
    {"slice", reference_slice},         {"concat", reference_concat},
    {"repeat_rows", reference_repeat},  {"copy", reference_copy},
    {"fill", reference_fill},           {"fill_words", reference_fill_words},
    {"iota", reference_iota},
};

rp_reference *rp_reference_of_data(const char *name) {
    return rp_reference_among(entries, sizeof entries / sizeof *entries, name);
}
