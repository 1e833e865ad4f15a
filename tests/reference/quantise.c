/* References of family quantise.
 *
 * Codes are compared exactly, so here they are found by the same comparisons in f32 that define
 * them, but by trying one code after the other. */
#include <math.h>

#include "reference/reference.h"

/* ---- Scalar ---------------------------------------------------------------------------------- */

/* The largest code with (code - 1/2) * span / parts <= offset * steps / parts, both sides in f32:
 * what the formulas below compute. Found from far off, one code at a time. */
static double code_of(float offset, float span, int steps, int parts) {
    int code = -steps;
    float place = offset * ((float)steps / (float)parts);
    if (isnan(place) || isinf(span)) return 0;
    while (code < steps && ((float)code + 0.5f) * (1.0f / (float)parts) * span <= place) code++;
    return code;
}

static void reference_quantize_i8(const rp_op_call *call, rp_op_data *data) {
    uint64_t rows = rp_sym(call, 'R'), c = rp_sym(call, 'C');
    for (uint64_t r = 0; r < rows; r++) {
        const double *x = data->operands[0] + r * c;
        double most = 0;
        for (uint64_t i = 0; i < c; i++)
            if (fabs(x[i]) > most) most = fabs(x[i]);
        bool small = most < 1e-35;
        for (uint64_t i = 0; i < c; i++)
            data->operands[1][r * c + i] = small ? 0 : code_of((float)x[i], (float)most, 127, 256);
        data->operands[2][r] = small ? 0 : most / 127;
    }
}

static void reference_quantize_u8(const rp_op_call *call, rp_op_data *data) {
    uint64_t rows = rp_sym(call, 'R'), c = rp_sym(call, 'C');
    for (uint64_t r = 0; r < rows; r++) {
        const double *x = data->operands[0] + r * c;
        double least = INFINITY, most = -INFINITY;
        for (uint64_t i = 0; i < c; i++) {
            if (x[i] < least) least = x[i];
            if (x[i] > most) most = x[i];
        }
        float span = least <= most ? (float)most - (float)least : 0;
        bool small = !(span >= 2e-35f);
        for (uint64_t i = 0; i < c; i++)
            data->operands[1][r * c + i] =
                small ? 0 : code_of((float)x[i] - (float)least, span, 255, 512);
        data->operands[2][r] = small ? 0 : (double)span / 255;
        data->operands[3][r] = least <= most ? least : 0;
    }
}

static void reference_dequantize(const rp_op_call *call, rp_op_data *data) {
    uint64_t c = rp_sym(call, 'C'), count = rp_sym(call, 'R') * c;
    bool has_zero = call->operand_count == 4;
    double *out = data->operands[call->operand_count - 1];
    for (uint64_t i = 0; i < count; i++) {
        double part = data->operands[0][i] * data->operands[1][i / c];
        double zero = has_zero ? data->operands[2][i / c] : 0;
        out[i] = part + zero;
        if (data->scale) data->scale[i] = fabs(part) + fabs(zero);
    }
}

/* Sums over a query and what a row of i8 codes stands for. */
static void each_i8(const rp_op_call *call, rp_op_data *data, bool dot) {
    uint64_t queries = rp_sym(call, 'Q'), rows = rp_sym(call, 'N'), length = rp_sym(call, 'D');
    for (uint64_t at = 0; at < queries * rows; at++) {
        const double *query = data->operands[0] + at / rows * length;
        const double *codes = data->operands[1] + at % rows * length;
        double unit = data->operands[2][at % rows], sum = 0, size = 0, own = 0;
        for (uint64_t d = 0; d < length; d++) {
            double number = codes[d] * unit, delta = query[d] - number;
            sum += dot ? query[d] * number : delta * delta;
            /* The number is rounded before it is taken off, which may cancel. */
            size += dot ? fabs(query[d] * number) : delta * delta + 2 * fabs(delta * number);
            own += number * number;
        }
        bool root = !dot && call->attrs[0] == 0;
        data->operands[3][at] = root ? sqrt(sum) : sum;
        if (data->scale) data->scale[at] = root ? sqrt(sum) + sqrt(own) : size;
    }
}

static void reference_l2_i8(const rp_op_call *call, rp_op_data *data) {
    each_i8(call, data, false);
}

static void reference_dot_i8(const rp_op_call *call, rp_op_data *data) {
    each_i8(call, data, true);
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

/* As ggml's quantize_row_q8_0_ref and quantize_row_q4_0_ref, and back. */
void rp_reference_pack_q8_0(const double *x, double *out) {
    float most = 0;
    for (int i = 0; i < 32; i++)
        if ((float)fabs(x[i]) > most) most = (float)fabs(x[i]);
    float unit = most / 127.0f, inverse = unit > 1e-30f && unit < 1e30f ? 1.0f / unit : 0;
    double stored = rp_reference_f16(unit);
    for (int i = 0; i < 32; i++) {
        float code = (float)x[i] * inverse;
        out[i] = stored * (isnan(code) ? 0 : (double)roundf(code));
    }
}

static void pack_q4_0(const double *x, double *out) {
    float most = 0;
    for (int i = 0; i < 32; i++)
        if (fabsf((float)x[i]) > fabsf(most)) most = (float)x[i];
    float unit = most / -8.0f, size = fabsf(unit);
    float inverse = size > 1e-30f && size < 1e30f ? 1.0f / unit : 0;
    double stored = rp_reference_f16(unit);
    for (int i = 0; i < 32; i++) {
        float code = (float)x[i] * inverse + 8.5f;
        int whole = isnan(code) ? 8 : (int)code;
        out[i] = stored * ((whole > 15 ? 15 : whole) - 8);
    }
}

static void reference_pack(const rp_op_call *call, rp_op_data *data) {
    uint64_t blocks = rp_sym(call, 'R') * rp_sym(call, 'C') / 32;
    bool wide = call->operands[1].dtype == RP_Q8_0;
    for (uint64_t b = 0; b < blocks; b++)
        (wide ? rp_reference_pack_q8_0 : pack_q4_0)(data->operands[0] + b * 32,
                                                    data->operands[1] + b * 32);
}

static void reference_scatter_blocks(const rp_op_call *call, rp_op_data *data) {
    uint64_t size = rp_sym(call, 'C');
    for (uint64_t r = 0; r < rp_sym(call, 'R'); r++) {
        double row = data->operands[1][r];
        if (row < 0 || row >= (double)rp_sym(call, 'N')) continue;
        for (uint64_t c = 0; c < size; c += 32)
            rp_reference_pack_q8_0(data->operands[0] + r * size + c,
                                   data->operands[2] + (uint64_t)row * size + c);
    }
}

static void reference_unpack(const rp_op_call *call, rp_op_data *data) {
    uint64_t count = rp_tensor_elements(call->operands);
    for (uint64_t i = 0; i < count; i++) data->operands[1][i] = data->operands[0][i];
}

/* ---- Binary and product ---------------------------------------------------------------------- */

static void reference_binary(const rp_op_call *call, rp_op_data *data) {
    uint64_t rows = rp_sym(call, 'R'), c = rp_sym(call, 'C'), words = rp_sym(call, 'W');
    float threshold = (float)call->attrs[0];
    for (uint64_t i = 0; i < rows * words; i++) data->operands[1][i] = 0;
    for (uint64_t r = 0; r < rows; r++)
        for (uint64_t i = 0; i < c; i++)
            if (data->operands[0][r * c + i] >= threshold)
                data->operands[1][r * words + i / 32] += (double)(1u << (i % 32));
}

static void reference_pq_encode(const rp_op_call *call, rp_op_data *data) {
    uint64_t rows = rp_sym(call, 'N'), parts = rp_sym(call, 'M'), k = rp_sym(call, 'K');
    uint64_t s = rp_sym(call, 'S');
    for (uint64_t i = 0; i < rows * parts; i++) {
        const double *x = data->operands[0] + i * s, *book = data->operands[1] + i % parts * k * s;
        double least = INFINITY;
        data->operands[2][i] = 0;
        for (uint64_t e = 0; e < k; e++) {
            double sum = 0;
            for (uint64_t j = 0; j < s; j++)
                sum += (x[j] - book[e * s + j]) * (x[j] - book[e * s + j]);
            if (sum >= least || isnan(sum)) continue;
            least = sum;
            data->operands[2][i] = (double)e;
        }
    }
}

static void reference_pq_tables(const rp_op_call *call, rp_op_data *data) {
    uint64_t queries = rp_sym(call, 'Q'), parts = rp_sym(call, 'M'), k = rp_sym(call, 'K');
    uint64_t s = rp_sym(call, 'S');
    for (uint64_t i = 0; i < queries * parts * k; i++) {
        const double *query = data->operands[0] + i / k * s;
        const double *entry = data->operands[1] + i % (parts * k) * s;
        double sum = 0, size = 0;
        for (uint64_t j = 0; j < s; j++) {
            double delta = query[j] - entry[j];
            double term = call->attrs[0] == 0 ? delta * delta : query[j] * entry[j];
            sum += term;
            size += fabs(term);
        }
        data->operands[2][i] = sum;
        if (data->scale) data->scale[i] = size;
    }
}

static void reference_pq_distance(const rp_op_call *call, rp_op_data *data) {
    uint64_t queries = rp_sym(call, 'Q'), rows = rp_sym(call, 'N'), parts = rp_sym(call, 'M');
    uint64_t k = rp_sym(call, 'K');
    for (uint64_t i = 0; i < queries * rows; i++) {
        double sum = 0, size = 0;
        for (uint64_t m = 0; m < parts; m++) {
            double code = data->operands[0][i % rows * parts + m];
            uint64_t entry = code < (double)k ? (uint64_t)code : k - 1;
            double term = data->operands[1][(i / rows * parts + m) * k + entry];
            sum += term;
            size += fabs(term);
        }
        data->operands[2][i] = sum;
        if (data->scale) data->scale[i] = size;
    }
}

/* ---- The table ------------------------------------------------------------------------------- */

static const rp_reference_entry entries[] = {
    {"quantize_q8_0", reference_pack},
    {"quantize_q4_0", reference_pack},
    {"quantize_i8", reference_quantize_i8},
    {"quantize_u8", reference_quantize_u8},
    {"dequantize_i8", reference_dequantize},
    {"dequantize_u8", reference_dequantize},
    {"scatter_rows_q8_0", reference_scatter_blocks},
    {"dequantize", reference_unpack},
    {"binary_quantize", reference_binary},
    {"l2_distance_i8", reference_l2_i8},
    {"dot_product_i8", reference_dot_i8},
    {"pq_encode", reference_pq_encode},
    {"pq_tables", reference_pq_tables},
    {"pq_distance", reference_pq_distance},
};

rp_reference *rp_reference_of_quantise(const char *name) {
    return rp_reference_among(entries, sizeof entries / sizeof *entries, name);
}
