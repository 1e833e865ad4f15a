/* References of family random: Philox by 64-bit products, the numbers in double precision. */
#include <math.h>
#include <stdlib.h>

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

/* ---- Drawing from candidates ----------------------------------------------------------------- */

typedef struct candidate {
    double value;
    uint32_t index;
} candidate;

static int by_score(const void *left, const void *right) {
    const candidate *a = left, *b = right;
    if (isnan(a->value) != isnan(b->value)) return isnan(a->value) ? 1 : -1;
    if (a->value != b->value && !isnan(a->value)) return a->value > b->value ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static double weight_of(double value, double best, double heat) {
    double w = value == best ? 1 : exp((value - best) / heat);
    return isnan(w) ? 0 : w;
}

/* temperature, top_p and min_p. */
static void reference_row(const candidate *sorted, uint64_t k, const double set[3], bool last,
                          double u, double *index, double *probability) {
    double heat = set[0] > 0 ? set[0] : 1, all = 0, before = 0, left = 0, sum = 0;
    double best = sorted[0].value;
    double *drawn = calloc(k, sizeof *drawn);
    if (!drawn) abort();
    for (uint64_t j = 0; j < k; j++) all += weight_of(sorted[j].value, best, last ? 1 : heat);
    for (uint64_t j = 0; j < k; j++) {
        double seen = weight_of(sorted[j].value, best, last ? 1 : heat);
        bool stays = (set[1] >= 1 || before < set[1] * all) && seen >= set[2] && set[0] > 0;
        if (stays || j == 0) drawn[j] = weight_of(sorted[j].value, best, heat);
        before += seen;
    }
    if (drawn[0] == 0) drawn[0] = 1;
    for (uint64_t j = 0; j < k; j++) left += drawn[j];
    uint64_t j = 0;
    for (; j + 1 < k; j++)
        if ((sum += drawn[j]) > u * left && drawn[j] > 0) break;
    *index = sorted[j].index;
    *probability = drawn[j] / left;
    free(drawn);
}

static void reference_sample(const rp_op_call *call, rp_op_data *data) {
    uint64_t rows = rp_sym(call, 'R'), k = rp_sym(call, 'K'), all = rp_sym(call, 'L') * k;
    candidate *list = calloc(all, sizeof *list);
    if (!list) abort();
    for (uint64_t r = 0; r < rows; r++) {
        uint64_t count = 0;
        for (uint64_t i = 0; i < all; i++)
            if (data->operands[1][r * all + i] != 4294967295.0)
                list[count++] = (candidate){data->operands[0][r * all + i],
                                            (uint32_t)data->operands[1][r * all + i]};
        qsort(list, count, sizeof *list, by_score);
        const double own[3] = {(float)call->attrs[1], (float)call->attrs[2], (float)call->attrs[3]};
        const double *set = own;
        if (data->operands[4]) set = data->operands[4] + (rp_sym(call, 'Y') > 3 ? 3 * r : 0);
        double index = 4294967295.0, probability = 1;
        if (count)
            reference_row(list, count < k ? count : k, set, call->attrs[4] == 1,
                          unit_at(call, data, r, 24), &index, &probability);
        data->operands[5][r] = index;
        if (data->operands[6]) data->operands[6][r] = probability;
    }
    free(list);
}

/* ---- The table ------------------------------------------------------------------------------- */

static const rp_reference_entry entries[] = {
    {"random_bits", reference_bits},     {"random_uniform", reference_uniform},
    {"random_normal", reference_normal}, {"sample_merge", reference_sample},
    {"bernoulli", reference_bernoulli},  {"dropout", reference_dropout},
};

rp_reference *rp_reference_of_random(const char *name) {
    return rp_reference_among(entries, sizeof entries / sizeof *entries, name);
}
