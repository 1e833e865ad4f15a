/* Elements of buffers as numbers and as text. Halves are converted by hand: C17 has no such type.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "values.h"

static double half_to_double(uint16_t bits) {
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double value = exponent == 31  ? (fraction ? NAN : INFINITY)
                   : exponent == 0 ? ldexp(fraction, -24)
                                   : ldexp(fraction + 1024, exponent - 25);
    return bits >> 15 ? -value : value;
}

static double bf16_to_double(uint16_t half) {
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

/* Rounds to nearest, ties to even, as the current rounding mode does. */
static bool double_to_half(double value, uint16_t *out) {
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    double size = fabs(value);
    if (isnan(value) || isinf(value)) {
        *out = (uint16_t)(sign | 0x7c00 | (isnan(value) ? 0x200 : 0));
        return true;
    }
    int exponent = 0;
    if (size > 0) frexp(size, &exponent);
    if (exponent < -13) exponent = -13; /* subnormal: steps of 2^-24 */
    double steps = nearbyint(ldexp(size, 11 - exponent));
    double rounded = ldexp(steps, exponent - 11);
    if (rounded > 65504) return false;
    if (steps >= 2048) { /* rounded up to the next power of two */
        exponent++;
        steps = ldexp(rounded, 11 - exponent);
    }
    unsigned bits = (unsigned)steps;
    if (bits >= 1024) bits = (unsigned)(exponent + 14) << 10 | (bits - 1024);
    *out = (uint16_t)(sign | bits);
    return true;
}

static bool double_to_bf16(double value, uint16_t *out) {
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    double size = fabs(value);
    if (isnan(value) || isinf(value)) {
        *out = (uint16_t)(sign | 0x7f80 | (isnan(value) ? 0x40 : 0));
        return true;
    }
    int exponent = 0;
    if (size > 0) frexp(size, &exponent);
    if (exponent < -125) exponent = -125; /* subnormal: steps of 2^-133 */
    float rounded = (float)ldexp(nearbyint(ldexp(size, 8 - exponent)), exponent - 8);
    if (isinf(rounded)) return false;
    uint32_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    *out = (uint16_t)(sign | bits >> 16);
    return true;
}

rp_plan_buffer_info cli_shown_buffer(const rp_plan_buffer_info *buffer) {
    rp_plan_buffer_info shown = *buffer;
    if (rp_dtype_block(buffer->dtype) == 1) return shown;
    shown.dtype = RP_RAW;
    shown.rank = 0;
    return shown;
}

#define READ(type)                                                                                 \
    do {                                                                                           \
        type element;                                                                              \
        memcpy(&element, (const char *)data + index * sizeof element, sizeof element);             \
        return (double)element;                                                                    \
    } while (0)

double cli_element(rp_dtype dtype, const void *data, uint64_t index) {
    uint16_t half;
    switch (dtype) {
    case RP_F32: READ(float);
    case RP_F64: READ(double);
    case RP_F16:
        memcpy(&half, (const char *)data + index * sizeof half, sizeof half);
        return half_to_double(half);
    case RP_BF16:
        memcpy(&half, (const char *)data + index * sizeof half, sizeof half);
        return bf16_to_double(half);
    case RP_I8: READ(int8_t);
    case RP_RAW:
    case RP_Q8_0: /* bytes of blocks */
    case RP_Q4_0:
    case RP_BOOL:
    case RP_U8: READ(uint8_t);
    case RP_I16: READ(int16_t);
    case RP_U16: READ(uint16_t);
    case RP_I64: READ(int64_t);
    case RP_U64: READ(uint64_t);
    case RP_I32: READ(int32_t);
    case RP_U32: READ(uint32_t);
    }
    return 0;
}

bool cli_same_element(rp_dtype dtype, const void *a, const void *b, uint64_t index) {
    uint64_t width = rp_dtype_size(dtype);
    if (!memcmp((const char *)a + index * width, (const char *)b + index * width, width))
        return true;
    return isnan(cli_element(dtype, a, index)) && isnan(cli_element(dtype, b, index));
}

int cli_digits(rp_dtype dtype) {
    if (rp_dtype_size(dtype) == 8) return 17;
    return dtype == RP_I32 || dtype == RP_U32 ? 10 : 9;
}

static bool parse_integer(const char *text, int64_t least, int64_t most, size_t bytes, void *out) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 0);
    if (errno || end == text || *end || value < least || value > most) return false;
    memcpy(out, &value, bytes); /* little-endian */
    return true;
}

static bool parse_large(const char *text, void *out) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 0);
    if (errno || end == text || *end || strchr(text, '-')) return false;
    memcpy(out, &value, sizeof value);
    return true;
}

static bool parse_bool(const char *text, void *out) {
    bool value = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    if (!value && strcmp(text, "false") != 0 && strcmp(text, "0") != 0) return false;
    memcpy(out, &value, sizeof value);
    return true;
}

static bool parse_float(const char *text, rp_dtype dtype, void *out) {
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || *end || (errno && isinf(value))) return false;
    float single = (float)value;
    uint16_t half;
    if (dtype == RP_F16 || dtype == RP_BF16) {
        if (!(dtype == RP_F16 ? double_to_half : double_to_bf16)(value, &half)) return false;
        memcpy(out, &half, sizeof half);
        return true;
    }
    if (dtype == RP_F64) {
        memcpy(out, &value, sizeof value);
        return true;
    }
    if (isinf(single) && !isinf(value)) return false;
    memcpy(out, &single, sizeof single);
    return true;
}

bool cli_parse_element(rp_dtype dtype, const char *text, size_t length, void *out) {
    char number[64];
    if (length == 0 || length >= sizeof number) return false;
    memcpy(number, text, length);
    number[length] = '\0';
    switch (dtype) {
    case RP_F32:
    case RP_F64:
    case RP_F16:
    case RP_BF16: return parse_float(number, dtype, out);
    case RP_BOOL: return parse_bool(number, out);
    case RP_I16: return parse_integer(number, INT16_MIN, INT16_MAX, 2, out);
    case RP_U16: return parse_integer(number, 0, UINT16_MAX, 2, out);
    case RP_I64: return parse_integer(number, INT64_MIN, INT64_MAX, 8, out);
    case RP_U64: return parse_large(number, out);
    case RP_I8: return parse_integer(number, INT8_MIN, INT8_MAX, 1, out);
    case RP_RAW:
    case RP_U8: return parse_integer(number, 0, UINT8_MAX, 1, out);
    case RP_I32: return parse_integer(number, INT32_MIN, INT32_MAX, 4, out);
    case RP_U32: return parse_integer(number, 0, UINT32_MAX, 4, out);
    case RP_Q8_0:
    case RP_Q4_0: return false; /* no live value is */
    }
    return false;
}

void cli_buffer_text(const rp_plan_buffer_info *buffer, char *text, size_t size) {
    size_t length = 0;
    int wrote = snprintf(text, size, "$%s %s", buffer->name, rp_dtype_name(buffer->dtype));
    if (wrote > 0) length = (size_t)wrote;
    if (buffer->dtype == RP_RAW && length < size)
        snprintf(text + length, size - length, "[%" PRIu64 "]", buffer->bytes);
    for (uint32_t d = 0; d < buffer->rank && length < size; d++) {
        wrote = snprintf(text + length, size - length, "%s%" PRIu64 "%s", d ? ", " : "[",
                         buffer->shape[d], d + 1 == buffer->rank ? "]" : "");
        if (wrote > 0) length += (size_t)wrote;
    }
}

/* One of 64 bits, with a sign or none. */
static uint64_t word_at(const void *data, uint64_t i) {
    uint64_t word;
    memcpy(&word, (const char *)data + i * sizeof word, sizeof word);
    return word;
}

/* Whether element i is less than element k, to the last bit. */
static bool is_less(rp_dtype dtype, const void *data, uint64_t i, uint64_t k) {
    if (dtype == RP_I64) return (int64_t)word_at(data, i) < (int64_t)word_at(data, k);
    if (dtype == RP_U64) return word_at(data, i) < word_at(data, k);
    return cli_element(dtype, data, i) < cli_element(dtype, data, k);
}

/* With all digits, where a double has not those of 64 bits. */
static void print_element(const char *before, rp_dtype dtype, const void *data, uint64_t i) {
    if (dtype == RP_I64)
        printf("%s %" PRId64, before, (int64_t)word_at(data, i));
    else if (dtype == RP_U64)
        printf("%s %" PRIu64, before, word_at(data, i));
    else
        printf("%s %.*g", before, cli_digits(dtype), cli_element(dtype, data, i));
}

void cli_print_summary(const rp_plan_buffer_info *given, const void *data) {
    enum { FIRST = 8 };
    rp_plan_buffer_info shown = cli_shown_buffer(given), *buffer = &shown;
    char name[512];
    cli_buffer_text(given, name, sizeof name);
    uint64_t count = buffer->bytes / rp_dtype_size(buffer->dtype), odd = 0;
    printf("%s", name);
    if (buffer->dtype != RP_RAW) {
        uint64_t least = count, most = count;
        double sum = 0;
        for (uint64_t i = 0; i < count; i++) {
            double value = cli_element(buffer->dtype, data, i);
            if (!isfinite(value)) {
                odd++;
                continue;
            }
            if (least == count || is_less(buffer->dtype, data, i, least)) least = i;
            if (most == count || is_less(buffer->dtype, data, most, i)) most = i;
            sum += value;
        }
        if (count == 0) printf("  empty");
        if (odd < count) {
            print_element("  min", buffer->dtype, data, least);
            print_element(" max", buffer->dtype, data, most);
            printf(" mean %.9g", sum / (double)(count - odd));
        }
        if (odd) printf("  not finite: %" PRIu64, odd);
    }
    if (count) printf("  first");
    for (uint64_t i = 0; i < count && i < FIRST; i++) print_element("", buffer->dtype, data, i);
    printf("%s\n", count > FIRST ? " ..." : "");
}
