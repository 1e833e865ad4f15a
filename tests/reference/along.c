/* References of family along: loops over lines. */
#include "reference/reference.h"

#include <math.h>

enum { SUM, PROD, MIN, MAX, ARGMIN, ARGMAX };

/* A x B x C of an operand with three dimensions or more. */
static void split(const rp_tensor *t, uint64_t dims[3]) {
    dims[2] = t->dims[t->rank - 1];
    dims[1] = t->dims[t->rank - 2];
    dims[0] = rp_tensor_elements(t) / (dims[1] * dims[2]);
}

/* Sums and products of integers wrap at 32 bits, or at 64: of those a double has 53, which are exact here as long
 * as the results are; all bits are held against NumPy (python/tests/test_integers.py). */
static double wrap(const rp_op_call *call, double value) {
    switch ((rp_dtype)call->operands[0].dtype) {
    case RP_I8:
    case RP_I16:
    case RP_I32: return (double)(int32_t)(uint32_t)(int64_t)fmod(value, 0x1p32);
    case RP_U8:
    case RP_U16:
    case RP_BOOL:
    case RP_U32: return (double)(uint32_t)(int64_t)fmod(value, 0x1p32);
    default: return value;
    }
}

/* Exact products of two 32-bit integers need more than a double has. */
static double multiply(const rp_op_call *call, double a, double b) {
    if (RP_DT(call->operands[0].dtype) & (RP_DT_FLOAT | RP_DT_LONG)) return a * b;
    uint32_t product = (uint32_t)(int64_t)a * (uint32_t)(int64_t)b;
    return wrap(call, (double)product);
}

static double join(const rp_op_call *call, uint32_t by, double a, double b) {
    switch (by) {
    case SUM: return wrap(call, a + b);
    case PROD: return multiply(call, a, b);
    case MIN: return isnan(a) ? b : isnan(b) ? a : b < a ? b : a;
    default: return isnan(a) ? b : isnan(b) ? a : b > a ? b : a;
    }
}

static double nothing(const rp_op_call *call, uint32_t by) {
    uint8_t dtype = call->operands[0].dtype;
    bool floats = RP_DT(dtype) & RP_DT_FLOAT,
         sign = dtype == RP_I8 || dtype == RP_I16 || dtype == RP_I32;
    if (dtype == RP_I64 && by >= MIN) return by == MIN ? 0x1p63 : by == MAX ? -0x1p63 : NAN;
    if (dtype == RP_U64 && by >= MIN) return by == MIN ? 0x1p64 : by == MAX ? 0 : NAN;
    switch (by) {
    case SUM: return 0;
    case PROD: return 1;
    case MIN: return floats ? INFINITY : sign ? INT32_MAX : UINT32_MAX;
    case MAX: return floats ? -INFINITY : sign ? INT32_MIN : 0;
    default: return NAN;
    }
}

/* Where a part of a line ends, the parts being multiples of four. */
static uint64_t part_end(uint64_t part, uint64_t parts, uint64_t along) {
    uint64_t each = (along + parts - 1) / parts;
    each = (each + 3) / 4 * 4;
    return part * each < along ? part * each : along;
}

static void reference_reduce(const rp_op_call *call, rp_op_data *data) {
    uint64_t dims[3], parts = (uint64_t)call->attrs[1];
    uint32_t by = (uint32_t)call->attrs[0];
    const double *x = data->operands[0];
    split(&call->operands[0], dims);
    for (uint64_t i = 0; i < dims[0] * parts * dims[2]; i++) {
        uint64_t c = i % dims[2], part = i / dims[2] % parts, a = i / (dims[2] * parts);
        uint64_t end = part_end(part + 1, parts, dims[1]);
        double result = nothing(call, by), size = 0, place = 0xffffffffu;
        for (uint64_t b = part_end(part, parts, dims[1]); b < end; b++) {
            double v = x[(a * dims[1] + b) * dims[2] + c];
            size += fabs(v);
            if (by < ARGMIN) {
                result = join(call, by, result, v);
            } else if (!isnan(v) && (isnan(result) || (by == ARGMIN ? v < result : v > result))) {
                result = v;
                place = (double)b;
            }
        }
        if (data->operands[1])
            data->operands[1][i] = rp_reference_store(call->operands[1].dtype, result);
        if (data->operands[1] && by == SUM) data->scale[i] = rp_reference_scale(result, size);
        if (data->operands[2]) data->operands[2][i] = place;
    }
}

static void reference_scan(const rp_op_call *call, rp_op_data *data) {
    uint64_t dims[3], parts = (uint64_t)call->attrs[3];
    uint32_t by = (uint32_t)call->attrs[0];
    bool exclusive = call->attrs[1] > 0, reverse = call->attrs[2] > 0;
    split(&call->operands[0], dims);
    for (uint64_t i = 0; i < dims[0] * parts * dims[2]; i++) {
        uint64_t c = i % dims[2], part = i / dims[2] % parts, a = i / (dims[2] * parts);
        uint64_t begin = part_end(part, parts, dims[1]), end = part_end(part + 1, parts, dims[1]);
        double sum = data->operands[1] ? data->operands[1][i] : nothing(call, by), size = fabs(sum);
        for (uint64_t j = 0; j < end - begin; j++) {
            uint64_t at = (a * dims[1] + (reverse ? end - 1 - j : begin + j)) * dims[2] + c;
            double v = data->operands[0][at], next = join(call, by, sum, v);
            data->operands[2][at] =
                rp_reference_store(call->operands[2].dtype, exclusive ? sum : next);
            if (!exclusive) size += fabs(v);
            if (by == SUM) data->scale[at] = rp_reference_scale(exclusive ? sum : next, size);
            if (exclusive) size += fabs(v);
            sum = next;
        }
    }
}

static const rp_reference_entry entries[] = {
    {"reduce_axis", reference_reduce},
    {"scan", reference_scan},
};

rp_reference *rp_reference_of_along(const char *name) {
    return rp_reference_among(entries, sizeof entries / sizeof *entries, name);
}
