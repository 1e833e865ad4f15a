/* References of family random: Philox by 64-bit products, the numbers in double precision. */
#include <math.h>

#include "reference/reference.h"

static void philox(uint32_t counter[4], uint64_t key) {
    uint32_t low = (uint32_t)key, high = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t a = UINT64_C(0xd2511f53) * counter[0], b = UINT64_C(0xcd9e8d57) * counter[2];
        uint32_t next[4] = {(uint32_t)(b >> 32) ^ counter[1] ^ low, (uint32_t)b,
                            (uint32_t)(a >> 32) ^ counter[3] ^ high, (uint32_t)a};
        for (int i = 0; i < 4; i++) counter[i] = next[i];
        low += 0x9e3779b9u;
        high += 0xbb67ae85u;
    }
}

/* One or two words of an operand as a number. */
static uint64_t number(const rp_op_call *call, const rp_op_data *data, const char *name) {
    uint32_t index = rp_op_operand_index(call->op, name, strlen(name));
    const double *words = data->operands[index];
    if (!words) return 0;
    uint64_t low = (uint32_t)(int64_t)words[0];
    if (rp_tensor_elements(&call->operands[index]) == 1) return low;
    return low | (uint64_t)(uint32_t)(int64_t)words[1] << 32;
}

static uint32_t word_at(const rp_op_call *call, const rp_op_data *data, uint64_t i) {
    uint64_t block = number(call, data, "offset") + i / 4;
    uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)call->attrs[0], 0};
    philox(counter, number(call, data, "seed"));
    return counter[i % 4];
}

static double unit_at(const rp_op_call *call, const rp_op_data *data, uint64_t i, int bits) {
    return floor(ldexp(word_at(call, data, i), bits - 32)) / ldexp(1, bits);
}

static void reference_bits(const rp_op_call *call, rp_op_data *data) {
    for (uint64_t i = 0, n = rp_sym(call, 'N'); i < n; i++)
        data->operands[2][i] = word_at(call, data, i);
}

static void reference_uniform(const rp_op_call *call, rp_op_data *data) {
    uint8_t dtype = call->operands[2].dtype;
    int bits = dtype == RP_F16 ? 11 : dtype == RP_BF16 ? 8 : 24;
    double low = (float)call->attrs[1], high = (float)call->attrs[2];
    for (uint64_t i = 0, n = rp_sym(call, 'N'); i < n; i++) {
        data->operands[2][i] = low + unit_at(call, data, i, bits) * (high - low);
        data->scale[i] = fabs(low) + fabs(high);
    }
}

static void reference_normal(const rp_op_call *call, rp_op_data *data) {
    double mean = (float)call->attrs[1], scale = (float)call->attrs[2];
    for (uint64_t i = 0, n = rp_sym(call, 'N'); i < n; i++) {
        double a = word_at(call, data, i & ~UINT64_C(1)), b = word_at(call, data, i | 1);
        double radius = sqrt(-2 * log((a + 1) / 0x1p32)), turn = 2 * acos(-1) * b / 0x1p32;
        data->operands[2][i] = mean + scale * radius * (i % 2 ? sin(turn) : cos(turn));
        data->scale[i] = fabs(mean) + fabs(scale) * (radius + 1);
    }
}

static void reference_bernoulli(const rp_op_call *call, rp_op_data *data) {
    const double *p = data->operands[0];
    double all = (float)call->attrs[1];
    for (uint64_t i = 0, n = rp_sym(call, 'N'); i < n; i++)
        data->operands[3][i] = unit_at(call, data, i, 24) < (p ? p[i] : all);
}

static void reference_dropout(const rp_op_call *call, rp_op_data *data) {
    float ratio = (float)call->attrs[1];
    double rest = 1.0f - ratio;
    for (uint64_t i = 0, n = rp_sym(call, 'N'); i < n; i++)
        data->operands[3][i] =
            unit_at(call, data, i, 24) < (double)ratio ? 0 : data->operands[0][i] / rest;
}

/* ---- The table ------------------------------------------------------------------------------- */

static const rp_reference_entry entries[] = {
    {"random_bits", reference_bits},     {"random_uniform", reference_uniform},
    {"random_normal", reference_normal}, {"bernoulli", reference_bernoulli},
    {"dropout", reference_dropout},
};

rp_reference *rp_reference_of_random(const char *name) {
    return rp_reference_among(entries, sizeof entries / sizeof *entries, name);
}
