/* Typed numbers: defaults of live values, push data, the data of fill and update.
 *
 * Numbers may be expressions over parameters everywhere; where a float is meant an integer is
 * converted, never the other way round. Values that the type cannot hold are errors; a float only
 * loses digits. Halves are rounded from the double at once: going through float rounds twice.
 */
#include "yaml/pipeline.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bfloat.h"
#include "base/checked.h"
#include "base/number.h"
#include "text/lex.h"

/* Round to nearest, ties to even. Too large values become infinity. */
static uint16_t half_of_double(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 48 & 0x8000);
    int exponent = (int)(bits >> 52 & 0x7ff) - 1023;
    uint64_t mantissa = bits & ((UINT64_C(1) << 52) - 1);
    if (exponent == 1024) return sign | (mantissa ? 0x7e00 : 0x7c00);
    if (exponent > 15) return sign | 0x7c00;
    if (exponent < -25) return sign;
    mantissa |= UINT64_C(1) << 52;
    int shift = exponent >= -14 ? 42 : 28 - exponent; /* leaves 11 bits, fewer when subnormal */
    uint64_t rest = mantissa & ((UINT64_C(1) << shift) - 1), tie = UINT64_C(1) << (shift - 1);
    uint32_t kept = (uint32_t)(mantissa >> shift);
    if (rest > tie || (rest == tie && (kept & 1))) kept++; /* may carry into the exponent: right */
    if (exponent >= -14) kept += (uint32_t)(exponent + 14) << 10;
    return sign | (uint16_t)kept;
}

bool rp_read_infinite(const char *text, double *out) {
    const char *digits = text + (*text == '-' || *text == '+');
    if (strcmp(digits, ".inf") == 0 || strcmp(digits, "inf") == 0) {
        *out = *text == '-' ? -INFINITY : INFINITY;
        return true;
    }
    *out = NAN;
    return strcmp(digits, ".nan") == 0 || strcmp(digits, "nan") == 0;
}

/* A decimal number in the C locale, whatever the application has set. */
static bool parse_decimal(const char *text, double *out) {
    const char *digits = text + (*text == '-' || *text == '+');
    if (!*digits || digits[strspn(digits, "0123456789.eE+-")]) return false;
    locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!locale) return false;
    locale_t before = uselocale(locale); /* of this thread */
    char *end;
    *out = strtod(text, &end);
    uselocale(before);
    freelocale(locale);
    return end != text && !*end;
}

bool rp_read_double(rp_reader *r, const rp_yaml_node *node, const char *what, double *out) {
    rp_value value;
    if (node->kind == RP_YAML_SCALAR && parse_decimal(node->text, out)) {
        if (!isinf(*out)) return true;
        return rp_read_error(r, node, "%s: '%.*s' is too large", what, RP_CLIP(node));
    }
    if (!rp_read_expr(r, node, what, RP_PARAMS_ONLY, &value, NULL)) return false;
    *out = rp_value_number(&value);
    return true;
}

bool rp_read_exact(rp_reader *r, const rp_yaml_node *node, const char *what, double *out,
                   const char **digits) {
    enum { DIGITS = 24 };
    rp_value value;
    double rest;
    uint64_t whole;
    *digits = NULL;
    if (node->kind == RP_YAML_SCALAR &&
        rp_number_parse_exact(node->text, node->length, out, &rest)) {
        if (rest != 0) *digits = node->text;
        return true;
    }
    bool hex = rp_read_hex(node, 16, &whole), negative = false;
    if (!hex) {
        if (node->kind == RP_YAML_SCALAR && parse_decimal(node->text, out))
            return rp_read_double(r, node, what, out);
        if (!rp_read_expr(r, node, what, RP_PARAMS_ONLY, &value, NULL)) return false;
        *out = rp_value_number(&value);
        negative = value.integer < 0;
        whole = negative ? 0 - (uint64_t)value.integer : (uint64_t)value.integer;
        if (value.kind != RP_VALUE_INTEGER || whole <= UINT64_C(1) << 53) return true;
    }
    char *text = rp_read_kept(r, DIGITS);
    if (!text) return rp_read_no_memory(r);
    snprintf(text, DIGITS, negative ? "-%llu" : "%llu", (unsigned long long)whole);
    *digits = text;
    return true;
}

static bool read_float(rp_reader *r, const rp_yaml_node *node, rp_dtype dtype, uint8_t *out) {
    const char *type = rp_dtype_name(dtype);
    char what[16];
    snprintf(what, sizeof what, "%s value", type);
    double value;
    uint64_t hex;
    if (rp_read_hex(node, 16, &hex))
        return rp_read_error(r, node, "'%.*s' for a value of type %s: write it in decimal",
                             RP_CLIP(node), type);
    if (!rp_read_double(r, node, what, &value)) return false;
    if (dtype == RP_F64) {
        memcpy(out, &value, sizeof value);
        return true;
    }
    float single = (float)value;
    uint16_t half = dtype == RP_F16 ? half_of_double(value) : rp_bf16_of_double(value);
    bool lost =
        dtype == RP_F32 ? isinf(single) : (half & 0x7fff) == (dtype == RP_F16 ? 0x7c00 : 0x7f80);
    if (isfinite(value) && lost)
        return rp_read_error(r, node, "'%.*s' is too large for %s", RP_CLIP(node), type);
    if (dtype == RP_F32)
        memcpy(out, &single, sizeof single);
    else
        memcpy(out, &half, sizeof half);
    return true;
}

/* Numbers that no expression holds: above INT64_MAX. */
static bool read_large(const rp_yaml_node *node, int64_t *out) {
    enum { DIGITS = 20 }; /* of UINT64_MAX */
    uint64_t hex;
    if (rp_read_hex(node, 16, &hex)) {
        memcpy(out, &hex, sizeof *out);
        return true;
    }
    if (node->kind != RP_YAML_SCALAR || node->length != strspn(node->text, "0123456789") ||
        node->length + 1 < DIGITS || node->length > DIGITS)
        return false;
    uint64_t value = 0;
    for (uint32_t i = 0; i < node->length; i++)
        if (!rp_mul_u64(value, 10, &value) ||
            !rp_add_u64(value, (uint64_t)(node->text[i] - '0'), &value))
            return false;
    memcpy(out, &value, sizeof *out);
    return true;
}

bool rp_read_number(rp_reader *r, const rp_yaml_node *node, rp_dtype dtype, uint8_t out[8]) {
    int64_t min = 0, max = 0, value = rp_read_bool(node);
    char what[32];
    switch (dtype) {
    case RP_F32:
    case RP_F64:
    case RP_F16:
    case RP_BF16: return read_float(r, node, dtype, out);
    case RP_I8: min = INT8_MIN, max = INT8_MAX; break;
    case RP_RAW:
    case RP_U8: max = UINT8_MAX; break;
    case RP_I16: min = INT16_MIN, max = INT16_MAX; break;
    case RP_U16: max = UINT16_MAX; break;
    case RP_I32: min = INT32_MIN, max = INT32_MAX; break;
    case RP_U32: max = UINT32_MAX; break;
    case RP_I64: min = INT64_MIN, max = INT64_MAX; break;
    case RP_U64: max = INT64_MAX; break;
    case RP_BOOL: max = 1; break;
    case RP_Q8_0:
    case RP_Q4_0:
        return rp_read_error(r, node, "values of type %s are blocks, not single numbers",
                             rp_dtype_name(dtype));
    }
    snprintf(what, sizeof what, "%s value", rp_dtype_name(dtype));
    bool known = (dtype == RP_BOOL && value >= 0) || (dtype == RP_U64 && read_large(node, &value));
    if (!known && !rp_read_integer(r, node, what, min, max, &value)) return false;
    for (uint32_t i = 0; i < rp_dtype_size(dtype); i++)
        out[i] = (uint8_t)((uint64_t)value >> 8 * i); /* little-endian, as all files */
    return true;
}

bool rp_read_numbers(rp_reader *r, const rp_yaml_node *node, rp_dtype dtype, uint8_t **out,
                     uint32_t *out_size) {
    *out = NULL;
    const rp_yaml_node *const *items = node->kind == RP_YAML_LIST ? node->items : &node;
    uint32_t count = node->kind == RP_YAML_LIST ? node->count : 1, size = rp_dtype_size(dtype);
    uint8_t *bytes = rp_alloc(&r->a, count, size);
    if (!bytes) return rp_read_no_memory(r);
    bool good = true;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t value[8];
        if (rp_read_number(r, items[i], dtype, value))
            memcpy(bytes + i * size, value, size);
        else
            good = false;
    }
    if (!good) {
        rp_release(&r->a, bytes);
        return false;
    }
    *out = bytes;
    *out_size = count * size;
    return true;
}

bool rp_read_bytes(rp_reader *r, const rp_yaml_node *node, uint8_t **out, uint32_t *out_size) {
    *out = NULL;
    uint8_t *bytes = rp_alloc(&r->a, node->length / 2 + 1, 1);
    if (!bytes) return rp_read_no_memory(r);
    uint32_t size = 0;
    for (uint32_t i = 0; i < node->length;) {
        if (strchr(" \t\n", node->text[i])) {
            i++;
            continue;
        }
        uint32_t high = rp_lex_hex_digit(node->text[i]);
        uint32_t low = rp_lex_hex_digit(node->text[i + 1]); /* terminated */
        if (high > 15 || low > 15) {
            rp_release(&r->a, bytes);
            return rp_read_error(r, node, "'%.*s' is not bytes as pairs of hexadecimal digits",
                                 RP_CLIP(node));
        }
        bytes[size++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    *out = bytes;
    *out_size = size;
    return true;
}
