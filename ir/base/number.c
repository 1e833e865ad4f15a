/* Numbers as text and back; see number.h.
 *
 * printf and strtod follow the locale's decimal point, which a library must neither trust nor
 * change. Both are therefore called with integers and exponents alone: 0.5 is read as 5e-1, and of
 * what printf writes only the digits are taken. strtod rounds correctly, so the first precision
 * that reads back to the same number is the shortest. */
#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"

enum { LONGEST = 60, MAX_DIGITS = 17, MAX_EXPONENT = 9999 };

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool same(const char *text, size_t length, const char *word) {
    return length == strlen(word) && memcmp(text, word, length) == 0;
}

/* "-06" behind an 'e'; false unless it ends there. */
static bool parse_exponent(const char *at, const char *end, long *out) {
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    if (at == end) return false;
    long value = 0;
    for (; at < end; at++) {
        if (!is_digit(*at)) return false;
        if (value <= MAX_EXPONENT) value = value * 10 + (*at - '0');
    }
    *out = negative ? -value : value;
    return true;
}

bool rp_number_parse(const char *text, size_t length, double *out) {
    bool negative = length > 0 && *text == '-';
    const char *at = text + negative, *end = text + length;
    if (length > LONGEST) return false;
    if (same(at, (size_t)(end - at), "inf") || same(text, length, "nan")) {
        *out = *at == 'n' ? (double)NAN : negative ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    char plain[LONGEST + 16];
    size_t size = 0, digits = 0;
    long exponent = 0, behind_point = 0;
    bool point = false;
    if (negative) plain[size++] = '-';
    for (; at < end && (is_digit(*at) || (*at == '.' && !point)); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        plain[size++] = *at;
        digits++;
        behind_point += point;
    }
    if (digits == 0) return false;
    if (at < end && *at != 'e' && *at != 'E') return false;
    if (at < end && !parse_exponent(at + 1, end, &exponent)) return false;
    snprintf(plain + size, sizeof plain - size, "e%ld", exponent - behind_point);
    double value = strtod(plain, NULL);
    if (isinf(value)) return false;
    *out = value;
    return true;
}

/* The value of decimal digits; false for other text and for more than 64 bits. */
static bool parse_digits(const char *at, size_t length, uint64_t *out) {
    *out = 0;
    for (size_t i = 0; i < length; i++)
        if (!is_digit(at[i]) || !rp_mul_u64(*out, 10, out) ||
            !rp_add_u64(*out, (uint64_t)(at[i] - '0'), out))
            return false;
    return length > 0;
}

/* An integer from -2^64 to 2^64, as it is modulo that. */
static uint64_t bits_of(double number, double rest) {
    uint64_t bits = fabs(number) < 0x1p64 ? (uint64_t)fabs(number) : 0;
    return (number < 0 ? 0 - bits : bits) + (uint64_t)(int64_t)rest;
}

bool rp_number_parse_exact(const char *text, size_t length, double *number, double *rest) {
    uint64_t digits;
    bool negative = length > 0 && *text == '-';
    *rest = 0;
    if (!rp_number_parse(text, length, number)) return false;
    if (!parse_digits(text + negative, length - negative, &digits)) return true;
    *rest = (double)(int64_t)((negative ? 0 - digits : digits) - bits_of(*number, 0));
    return true;
}

void rp_number_print_exact(rp_text *text, double number, double rest) {
    /* The shortest digits are those of another integer where they have no exponent. */
    bool shortened = fabs(number) > 0x1p53 && fabs(number) < 1e17;
    if (rest == 0 && !shortened) {
        rp_number_print(text, number);
        return;
    }
    uint64_t bits = bits_of(number, rest);
    if (number < 0) rp_text_char(text, '-');
    rp_text_u64(text, number < 0 ? 0 - bits : bits);
}

bool rp_number_within(double number, double rest, int64_t low, uint64_t high, uint64_t *bits) {
    if (number != trunc(number) || number < -0x1p63 || number > 0x1p64) return false;
    *bits = bits_of(number, rest);
    if (number == 0x1p64 && rest >= 0) return false;
    if (number == -0x1p63 && rest < 0) return false;
    return number < 0 ? (int64_t)*bits >= low
                      : (low <= 0 || *bits >= (uint64_t)low) && *bits <= high;
}

/* The digits of `number` > 0 at a precision, and the exponent of the first one. */
static int digits_of(double number, int precision, char digits[MAX_DIGITS + 1]) {
    char text[64];
    int count = 0;
    snprintf(text, sizeof text, "%.*e", precision - 1, number);
    const char *e = strchr(text, 'e');
    for (const char *c = text; c < e && count < MAX_DIGITS; c++)
        if (is_digit(*c)) digits[count++] = *c;
    digits[count] = '\0';
    return (int)strtol(e + 1, NULL, 10);
}

/* Fewest digits that read back to `number`. */
static int shortest(double number, char digits[MAX_DIGITS + 1]) {
    int exponent = 0;
    for (int precision = 1; precision <= MAX_DIGITS; precision++) {
        char text[MAX_DIGITS + 24];
        double again;
        exponent = digits_of(number, precision, digits);
        int length = snprintf(text, sizeof text, "%se%d", digits, exponent - precision + 1);
        if (rp_number_parse(text, (size_t)length, &again) && again == number) break;
    }
    return exponent;
}

void rp_number_print(rp_text *text, double number) {
    if (isnan(number)) {
        rp_text_string(text, "nan");
        return;
    }
    if (signbit(number)) rp_text_char(text, '-');
    number = fabs(number);
    if (number == 0 || isinf(number)) {
        rp_text_string(text, number == 0 ? "0" : "inf");
        return;
    }
    char digits[MAX_DIGITS + 1];
    int exponent = shortest(number, digits), count = (int)strlen(digits);
    if (exponent < -4 || exponent >= MAX_DIGITS) {
        rp_text_char(text, digits[0]);
        if (count > 1) rp_text_format(text, ".%s", digits + 1);
        rp_text_format(text, exponent < 0 ? "e-%02d" : "e%02d", abs(exponent));
        return;
    }
    if (exponent < 0) {
        rp_text_string(text, "0.");
        for (int i = -1; i > exponent; i--) rp_text_char(text, '0');
        rp_text_string(text, digits);
        return;
    }
    for (int i = 0; i < count || i <= exponent; i++) {
        if (i == exponent + 1) rp_text_char(text, '.');
        rp_text_char(text, i < count ? digits[i] : '0');
    }
}
