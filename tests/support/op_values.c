/* Values of tensors for tests; see op_values.h. */
#include "support/op_values.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* ---- Numbers --------------------------------------------------------------------------------- */

double rp_value_of_f16(uint16_t bits) {
    uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
    double value = exponent == 31  ? (fraction ? NAN : INFINITY)
                   : exponent == 0 ? ldexp(fraction, -24)
                                   : ldexp(1024 + fraction, (int)exponent - 25);
    return bits & 0x8000 ? -value : value;
}

uint16_t rp_f16_of_value(double value) {
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    double size = fabs(value);
    if (isnan(value)) return sign | 0x7e00;
    if (size >= 65520) return sign | 0x7c00;
    if (size < ldexp(1, -14)) return sign | (uint16_t)nearbyint(ldexp(size, 24));
    int exponent;
    double fraction = frexp(size, &exponent); /* size = fraction * 2^exponent, fraction >= 0.5 */
    /* The fraction may round up to the next power of two: the sum below then carries over. */
    uint32_t whole = (uint32_t)nearbyint(ldexp(fraction, 11));
    return sign | (uint16_t)(((uint32_t)(exponent + 14) << 10) + whole - 1024);
}

double rp_value_of_bf16(uint16_t bits) {
    uint32_t exponent = bits >> 7 & 255, fraction = bits & 127;
    double value = exponent == 255 ? (fraction ? NAN : INFINITY)
                   : exponent == 0 ? ldexp(fraction, -133)
                                   : ldexp(128 + fraction, (int)exponent - 134);
    return bits & 0x8000 ? -value : value;
}

uint16_t rp_bf16_of_value(double value) {
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    double size = fabs(value);
    if (isnan(value)) return sign | 0x7fc0;
    if (size >= 0x1.ffp127) return sign | 0x7f80;
    if (size < 0x1p-126) return sign | (uint16_t)nearbyint(ldexp(size, 133));
    int exponent;
    double fraction = frexp(size, &exponent);
    uint32_t whole = (uint32_t)nearbyint(ldexp(fraction, 8));
    return sign | (uint16_t)(((uint32_t)(exponent + 126) << 7) + whole - 128);
}

static double stored_value(uint8_t dtype, const uint8_t *bytes, uint64_t i) {
    switch ((rp_dtype)dtype) {
    case RP_F32: return (double)((const float *)(const void *)bytes)[i];
    case RP_F16: return rp_value_of_f16(((const uint16_t *)(const void *)bytes)[i]);
    case RP_BF16: return rp_value_of_bf16(((const uint16_t *)(const void *)bytes)[i]);
    case RP_I8: return ((const int8_t *)bytes)[i];
    case RP_RAW:
    case RP_BOOL:
    case RP_U8: return bytes[i];
    case RP_F64: return ((const double *)(const void *)bytes)[i];
    case RP_I16: return ((const int16_t *)(const void *)bytes)[i];
    case RP_U16: return ((const uint16_t *)(const void *)bytes)[i];
    case RP_I64: return (double)((const int64_t *)(const void *)bytes)[i];
    case RP_U64: return (double)((const uint64_t *)(const void *)bytes)[i];
    case RP_I32: return ((const int32_t *)(const void *)bytes)[i];
    case RP_U32: return ((const uint32_t *)(const void *)bytes)[i];
    case RP_Q8_0: {
        const uint8_t *block = bytes + i / 32 * 34;
        uint16_t scale;
        memcpy(&scale, block, 2);
        return rp_value_of_f16(scale) * (int8_t)block[2 + i % 32];
    }
    case RP_Q4_0: {
        const uint8_t *block = bytes + i / 32 * 18;
        uint16_t scale;
        memcpy(&scale, block, 2);
        uint32_t at = i % 32, pair = block[2 + at % 16];
        return rp_value_of_f16(scale) * ((int)(at < 16 ? pair & 15 : pair >> 4) - 8);
    }
    }
    abort();
}

void rp_values_decode(const rp_tensor *tensor, const void *bytes, double *out) {
    uint64_t count = rp_tensor_elements(tensor);
    for (uint64_t i = 0; i < count; i++) out[i] = stored_value(tensor->dtype, bytes, i);
}

static void store(uint8_t dtype, void *bytes, uint64_t i, double value) {
    switch ((rp_dtype)dtype) {
    case RP_F32: ((float *)bytes)[i] = (float)value; return;
    case RP_F16: ((uint16_t *)bytes)[i] = rp_f16_of_value((double)(float)value); return;
    case RP_BF16: ((uint16_t *)bytes)[i] = rp_bf16_of_value((double)(float)value); return;
    case RP_I8: ((int8_t *)bytes)[i] = (int8_t)value; return;
    case RP_RAW:
    case RP_U8: ((uint8_t *)bytes)[i] = (uint8_t)value; return;
    case RP_BOOL: ((uint8_t *)bytes)[i] = value != 0; return;
    case RP_F64: ((double *)bytes)[i] = value; return;
    case RP_I16: ((int16_t *)bytes)[i] = (int16_t)value; return;
    case RP_U16: ((uint16_t *)bytes)[i] = (uint16_t)value; return;
    case RP_I64: ((int64_t *)bytes)[i] = value >= 0x1p63 ? INT64_MAX : (int64_t)value; return;
    case RP_U64: ((uint64_t *)bytes)[i] = value >= 0x1p64 ? UINT64_MAX : (uint64_t)value; return;
    case RP_I32: ((int32_t *)bytes)[i] = (int32_t)value; return;
    case RP_U32: ((uint32_t *)bytes)[i] = (uint32_t)value; return;
    case RP_Q8_0:
    case RP_Q4_0: abort();
    }
}

void rp_values_encode(const rp_tensor *tensor, const double *values, void *bytes) {
    uint64_t count = rp_tensor_elements(tensor);
    for (uint64_t i = 0; i < count; i++) store(tensor->dtype, bytes, i, values[i]);
}

/* ---- Contents -------------------------------------------------------------------------------- */

static double uniform(rp_random *r) { /* [0, 1) */
    return ldexp((double)(rp_random_next(r) >> 11), -53);
}

static bool is_float(uint8_t dtype) {
    return dtype == RP_F32 || dtype == RP_F16 || dtype == RP_BF16 || dtype == RP_F64;
}

static double least_of(uint8_t dtype) {
    switch (dtype) {
    case RP_I8: return -128;
    case RP_I16: return -32768;
    case RP_I32: return -2147483648.0;
    case RP_I64: return -0x1p53; /* what a double holds exactly */
    }
    return 0;
}

static double most_of(uint8_t dtype) {
    switch (dtype) {
    case RP_BOOL: return 1;
    case RP_I8: return 127;
    case RP_U8: return 255;
    case RP_I16: return 32767;
    case RP_U16: return 65535;
    case RP_I32: return 2147483647;
    case RP_I64:
    case RP_U64: return 0x1p53;
    }
    return 4294967295.0;
}

static double ordinary(rp_random *r, uint8_t dtype) {
    if (is_float(dtype)) return uniform(r) * 6 - 3;
    return least_of(dtype) + floor(uniform(r) * (most_of(dtype) - least_of(dtype) + 1));
}

/* Infinities and NaN come last, where `extreme` stops; `tame` begins after the first ones. */
enum { WILD = 5, EXTREMES = 14, SPECIALS = 17 };
static double special(uint8_t dtype, uint32_t i) {
    static const double f32[SPECIALS] = {
        -FLT_MIN / 3, FLT_TRUE_MIN, FLT_MIN / 2, FLT_MAX, -FLT_MAX, 0,         -0.0, 1e-30, 1e30, 1,
        -1,           0.5,          88.5,        -104,    INFINITY, -INFINITY, NAN};
    static const double f16[SPECIALS] = {-0x1p-15, 0x1p-24,    0x1p-16,  65504,     -65504, 0,
                                         -0.0,     0x1.004p-9, 30000,    1,         -1,     0.5,
                                         11.5,     -17,        INFINITY, -INFINITY, NAN};
    static const double bf16[SPECIALS] = {
        -0x1.54p-128, 0x1p-133,    0x1p-127, 0x1.fep127, -0x1.fep127, 0,
        -0.0,         0x1.02p-100, 1e30,     1,          -1,          0.5,
        88.5,         -104,        INFINITY, -INFINITY,  NAN};
    static const double whole[SPECIALS] = {-128, 255, 1e9, 127, -77, 0, 1, -1, 2,
                                           7,    3,   31,  32,  33,  5, 6, 8};
    if (dtype == RP_F32 || dtype == RP_F64) return f32[i];
    if (dtype == RP_F16) return f16[i];
    if (dtype == RP_BF16) return bf16[i];
    double least = least_of(dtype), most = most_of(dtype);
    if (i == 4) return least;
    return whole[i] < least || whole[i] > most ? most : whole[i];
}

static void fill_blocks(rp_random *r, const rp_tensor *tensor, uint8_t *bytes) {
    uint64_t blocks = rp_tensor_elements(tensor) / 32, size = tensor->dtype == RP_Q8_0 ? 34 : 18;
    for (uint64_t b = 0; b < blocks; b++) {
        uint16_t scale = rp_f16_of_value((uniform(r) - 0.3) / (size == 34 ? 64 : 4));
        memcpy(bytes + b * size, &scale, 2);
        for (uint64_t i = 2; i < size; i++) bytes[b * size + i] = (uint8_t)rp_random_next(r);
    }
}

static double of_row(rp_random *r, uint64_t row, uint64_t column, uint64_t columns,
                     bool denormals) {
    double other = uniform(r) * 6 - 3;
    switch (row % 9) {
    case 0: return 0;
    case 1: return -INFINITY;
    case 2: return column == columns / 2 ? INFINITY : other;
    case 3: return column == 0 || column == columns - 1 ? INFINITY : other;
    case 4: return denormals ? ldexp(other, -140) : other;
    case 5: return other * 1e4;
    case 6: return 1.25;
    case 7: return column == columns / 3 ? NAN : other;
    default: return other;
    }
}

/* What is added to scores: -inf for the rows that do not count. */
static double of_mask(rp_random *r, uint64_t row, uint64_t column, uint64_t columns) {
    double value = uniform(r) * 2 - 1;
    bool out[] = {column >= columns - columns / 3, column < columns / 2, true, (bool)(column % 3),
                  column < columns / 4 || column >= columns / 2};
    return out[row % (sizeof out / sizeof *out)] ? -INFINITY : value;
}

static bool starts(const char *how, const char *word, double *number) {
    size_t length = strlen(word);
    if (strncmp(how, word, length) != 0) return false;
    *number = how[length] == '=' ? strtod(how + length + 1, NULL) : 0;
    return how[length] == '=' || how[length] == '\0';
}

static void fill_each(rp_random *r, const rp_tensor *tensor, uint64_t limit, uint8_t *bytes) {
    uint64_t count = rp_tensor_elements(tensor);
    uint32_t *order = malloc((limit + 1) * sizeof *order);
    if (!order || limit == 0) abort();
    for (uint64_t i = 0; i < limit; i++) {
        uint32_t k = rp_random_below(r, (uint32_t)i + 1);
        order[i] = order[k];
        order[k] = (uint32_t)i;
    }
    for (uint64_t i = 0; i < count; i++) store(tensor->dtype, bytes, i, order[i % limit]);
    free(order);
}

static void fill_rising(rp_random *r, const rp_tensor *tensor, uint64_t most, uint8_t *bytes) {
    uint64_t count = rp_tensor_elements(tensor), now = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (i) now += rp_random_below(r, (uint32_t)(2 * most / count + 2));
        if (now > most) now = most;
        store(tensor->dtype, bytes, i, (double)now);
    }
}

void rp_values_fill(rp_random *random, const rp_tensor *tensor, const char *how, void *bytes) {
    uint64_t count = rp_tensor_elements(tensor);
    uint64_t columns = tensor->rank ? tensor->dims[tensor->rank - 1] : 1;
    uint8_t dtype = tensor->dtype;
    double n = 0;
    if (!how) how = "";
    if (dtype == RP_Q8_0 || dtype == RP_Q4_0) {
        fill_blocks(random, tensor, bytes);
        return;
    }
    if (starts(how, "each", &n)) {
        fill_each(random, tensor, (uint64_t)n, bytes);
        return;
    }
    if (starts(how, "rising", &n)) {
        fill_rising(random, tensor, (uint64_t)n, bytes);
        return;
    }
    /* Decided once: which of the ways it is. */
    double v[9] = {0};
    bool specials = starts(how, "special", v), extremes = starts(how, "extreme", v);
    bool finite = starts(how, "finite", &v[0]), positive = starts(how, "positive", &v[1]);
    bool whole = starts(how, "int", &v[2]), below = starts(how, "below", &v[3]);
    bool constant = starts(how, "value", &v[4]), rows = starts(how, "rows", v + 5);
    bool tame = starts(how, "tame", v + 6), salted = starts(how, "salted", v + 6);
    bool spread = starts(how, "spread", v + 7), shift = starts(how, "shift", v + 7);
    bool masks = starts(how, "masks", v + 8);
    if (*how && !(masks || specials || extremes || finite || positive || whole || below ||
                  constant || rows || tame || salted || spread || shift))
        abort(); /* a misspelt word in a table of cases */
    for (uint64_t i = 0; i < count; i++) {
        double value = ordinary(random, dtype);
        if ((specials || extremes || tame) && rp_random_percent(random, count < 100 ? 70 : 20)) {
            uint32_t first = tame ? WILD : 0, end = extremes ? EXTREMES : SPECIALS;
            value = special(dtype, first + rp_random_below(random, end - first));
        }
        if (salted && rp_random_percent(random, count < 100 ? 12 : 2))
            value = special(dtype, rp_random_below(random, SPECIALS));
        if (spread) value = copysign(exp2((uniform(random) * 2 - 1) * v[7]), value);
        if (shift) value += v[7];
        if (finite) value = (uniform(random) * 2 - 1) * v[0];
        if (positive) value = v[1] / 1000 + uniform(random) * v[1] * 0.999;
        if (whole && (is_float(dtype) || least_of(dtype) < 0))
            value = rp_random_below(random, (uint32_t)v[2] * 2 + 1) - v[2];
        else if (whole)
            value = rp_random_below(random, (uint32_t)v[2] + 1);
        if (below) value = rp_random_below(random, (uint32_t)v[3]);
        if (constant) value = v[4];
        if (rows) value = of_row(random, i / columns, i % columns, columns, v[5] == 0);
        if (masks) value = of_mask(random, i / columns, i % columns, columns);
        store(dtype, bytes, i, value);
    }
}
