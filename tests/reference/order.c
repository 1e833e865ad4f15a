/* References of family order: one element after the other. */
#include "reference/reference.h"

#include <math.h>
#include <stdlib.h>

/* An unsigned number in the order of the values; NaN is the last in either order. */
static uint32_t key_of(uint8_t dtype, double value, bool descending) {
    uint32_t key;
    if (RP_DT(dtype) & RP_DT_FLOAT) {
        float number = (float)value;
        if (isnan(value)) return 0xfffffffeu;
        if (number == 0) number = 0; /* of either sign */
        memcpy(&key, &number, sizeof key);
        if (number == 0) key = 0;
        key = key >> 31 ? ~key : key | 0x80000000u;
    } else {
        key = (uint32_t)(int64_t)value;
        if (dtype == RP_I8 || dtype == RP_I16 || dtype == RP_I32) key += 0x80000000u;
    }
    return descending ? ~key : key;
}

/* The elements of a block are multiples of 2048. */
static uint64_t block_of(uint64_t i, uint64_t n, uint64_t blocks) {
    uint64_t each = (n + blocks - 1) / blocks;
    return i / ((each + 2047) / 2048 * 2048);
}

static uint32_t digit(const rp_op_call *call, const rp_op_data *data, uint64_t i) {
    uint32_t key = key_of(call->operands[0].dtype, data->operands[0][i], call->attrs[1] > 0);
    return key >> (uint32_t)call->attrs[0] & 255;
}

static void reference_count(const rp_op_call *call, rp_op_data *data) {
    const rp_tensor *t = &call->operands[0];
    uint64_t n = t->dims[t->rank - 1], rows = rp_tensor_elements(t) / n;
    uint64_t blocks = (uint64_t)call->attrs[2];
    for (uint64_t i = 0; i < rows * 256 * blocks; i++) data->operands[1][i] = 0;
    for (uint64_t i = 0; i < rows * n; i++)
        data->operands[1][(i / n * 256 + digit(call, data, i)) * blocks +
                          block_of(i % n, n, blocks)]++;
}

static double value_of(uint32_t key, uint8_t dtype, bool descending) {
    if (RP_DT(dtype) & RP_DT_FLOAT) {
        if (key == 0xfffffffeu) return NAN;
        if (descending) key = ~key;
        uint32_t word = key >> 31 ? key & 0x7fffffffu : ~key;
        float number;
        memcpy(&number, &word, sizeof number);
        return number;
    }
    if (descending) key = ~key;
    if (dtype == RP_I8 || dtype == RP_I16 || dtype == RP_I32)
        return rp_reference_store(dtype, (double)(int32_t)(key - 0x80000000u));
    return rp_reference_store(dtype, key);
}

static void reference_place(const rp_op_call *call, rp_op_data *data) {
    enum { X, PLACES, OFFSETS, KEYS, INDICES, VALUES };
    const rp_tensor *t = &call->operands[X];
    uint64_t n = t->dims[t->rank - 1], rows = rp_tensor_elements(t) / n;
    uint64_t blocks = (uint64_t)call->attrs[3];
    uint64_t *next = calloc(rows * 256 * blocks, sizeof *next);
    if (!next) abort();
    for (uint64_t i = 0; i < rows * n; i++) {
        uint64_t at = (i / n * 256 + digit(call, data, i)) * blocks + block_of(i % n, n, blocks);
        uint64_t to = (uint64_t)data->operands[OFFSETS][at] + next[at]++;
        uint32_t key = key_of(t->dtype, data->operands[X][i], call->attrs[1] > 0);
        if (to >= n) continue;
        to += i / n * n;
        if (data->operands[KEYS]) data->operands[KEYS][to] = key;
        if (data->operands[INDICES])
            data->operands[INDICES][to] =
                data->operands[PLACES] ? data->operands[PLACES][i] : (double)(i % n);
        if (data->operands[VALUES])
            data->operands[VALUES][to] =
                value_of(key, call->operands[VALUES].dtype, call->attrs[2] > 0);
    }
    free(next);
}

static double wrapped(uint8_t dtype, double a, double b, uint32_t by) {
    if (RP_DT(dtype) & RP_DT_LONG) return by == 0 ? a + b : a * b; /* small enough in cases */
    uint32_t x = (uint32_t)(int64_t)a, y = (uint32_t)(int64_t)b, z = by == 0 ? x + y : x * y;
    if (RP_DT(dtype) & RP_DT_FLOAT) return by == 0 ? a + b : a * b;
    bool sign = dtype == RP_I8 || dtype == RP_I16 || dtype == RP_I32;
    return sign ? (double)(int32_t)z : (double)z;
}

static double joined(uint8_t dtype, double a, double b, uint32_t by) {
    if (by < 2) return wrapped(dtype, a, b, by);
    if (isnan(a) || isnan(b)) return isnan(a) ? b : a;
    return (by == 2 ? b < a : b > a) ? b : a;
}

static void reference_fold_at(const rp_op_call *call, rp_op_data *data) {
    enum { DATA, PLACES, ORDER, UPDATES, OUT };
    const rp_tensor *t = &call->operands[DATA];
    uint64_t c = t->dims[t->rank - 1], n = rp_tensor_elements(t),
             count = call->operands[PLACES].dims[0];
    uint32_t by = (uint32_t)call->attrs[0];
    for (uint64_t i = 0; i < n; i++) {
        double result = data->operands[DATA][i], size = fabs(result);
        for (uint64_t j = 0; j < count; j++) {
            if (data->operands[PLACES][j] != (double)(i / c)) continue;
            double which = data->operands[ORDER][j];
            if (which >= (double)count) continue;
            double v = data->operands[UPDATES][(uint64_t)which * c + i % c];
            result = joined(t->dtype, result, v, by);
            size += fabs(v);
        }
        data->operands[OUT][i] = rp_reference_store(call->operands[OUT].dtype, result);
        if (by == 0) data->scale[i] = rp_reference_scale(result, size);
    }
}

static const rp_reference_entry entries[] = {
    {"fold_at", reference_fold_at},
    {"radix_count", reference_count},
    {"radix_place", reference_place},
};

rp_reference *rp_reference_of_order(const char *name) {
    return rp_reference_among(entries, sizeof entries / sizeof *entries, name);
}
