/* Values of expressions; see arithmetic.h. Integers go through checked operations, floats through
 * libm; a finite computation without a finite result is an error, like overflow of integers. */
#include "yaml/arithmetic.h"

#include <math.h>

#include "base/expr.h"
#include "base/number.h"

static const char *of_real(double value, bool finite, rp_value *out) {
    *out = rp_value_real(value);
    return finite && !isfinite(value) ? "no finite result" : NULL;
}

static const char *compare_reals(uint8_t code, double a, double b, rp_value *out) {
    bool truth = code == RP_FORMULA_LE   ? a <= b
                 : code == RP_FORMULA_GE ? a >= b
                 : code == RP_FORMULA_EQ ? a == b
                 : code == RP_FORMULA_NE ? a != b
                 : code == RP_FORMULA_LT ? a < b
                                         : a > b;
    *out = rp_value_integer(truth);
    return NULL;
}

static const char *compute_reals(uint8_t code, double a, double b, rp_value *out) {
    double value = 0;
    switch (code) {
    case RP_FORMULA_ADD: value = a + b; break;
    case RP_FORMULA_SUB: value = a - b; break;
    case RP_FORMULA_MUL: value = a * b; break;
    case RP_FORMULA_DIV:
        if (b == 0) return "division by zero";
        value = a / b;
        break;
    case RP_FORMULA_min: value = b < a ? b : a; break;
    case RP_FORMULA_max: value = a < b ? b : a; break;
    case RP_FORMULA_pow: value = pow(a, b); break;
    default: return "a float where only integers can be computed with";
    }
    return of_real(value, isfinite(a) && isfinite(b), out);
}

/* As the runtime does for grids. */
static const char *divide(uint8_t code, int64_t a, int64_t b, int64_t *out) {
    uint16_t step = code == RP_FORMULA_DIV   ? RP_EXPR_DIV
                    : code == RP_FORMULA_MOD ? RP_EXPR_MOD
                                             : RP_EXPR_CEIL_DIV;
    const rp_expr_op ops[] = {
        {.code = RP_EXPR_CONST, .value = a}, {.code = RP_EXPR_CONST, .value = b}, {.code = step}};
    const char *why = NULL;
    rp_expr_eval(ops, 3, NULL, NULL, out, &why);
    return why;
}

/* By squaring. */
static bool power(int64_t base, int64_t exponent, int64_t *out) {
    *out = 1;
    for (; exponent > 0; exponent >>= 1) {
        if ((exponent & 1) && __builtin_mul_overflow(*out, base, out)) return false;
        if (exponent > 1 && __builtin_mul_overflow(base, base, &base)) return false;
    }
    return true;
}

static bool shift_left(int64_t a, int64_t count, int64_t *out) {
    *out = 0;
    if (count > 62) return a == 0;
    return !__builtin_mul_overflow(a, INT64_C(1) << count, out);
}

static const char *compute_integers(uint8_t code, int64_t a, int64_t b, rp_value *out) {
    int64_t value = 0;
    bool good = true;
    if ((code == RP_FORMULA_LEFT || code == RP_FORMULA_RIGHT) && b < 0)
        return "a shift by less than 0";
    switch (code) {
    case RP_FORMULA_EITHER: value = a || b; break;
    case RP_FORMULA_BOTH: value = a && b; break;
    case RP_FORMULA_LE: value = a <= b; break;
    case RP_FORMULA_GE: value = a >= b; break;
    case RP_FORMULA_EQ: value = a == b; break;
    case RP_FORMULA_NE: value = a != b; break;
    case RP_FORMULA_LT: value = a < b; break;
    case RP_FORMULA_GT: value = a > b; break;
    case RP_FORMULA_AND: value = a & b; break;
    case RP_FORMULA_OR: value = a | b; break;
    case RP_FORMULA_XOR: value = a ^ b; break;
    case RP_FORMULA_LEFT: good = shift_left(a, b, &value); break;
    case RP_FORMULA_RIGHT: value = a >> (b < 63 ? b : 63); break;
    case RP_FORMULA_ADD: good = !__builtin_add_overflow(a, b, &value); break;
    case RP_FORMULA_SUB: good = !__builtin_sub_overflow(a, b, &value); break;
    case RP_FORMULA_MUL: good = !__builtin_mul_overflow(a, b, &value); break;
    case RP_FORMULA_min: value = a < b ? a : b; break;
    case RP_FORMULA_max: value = a > b ? a : b; break;
    case RP_FORMULA_pow: good = power(a, b, &value); break;
    case RP_FORMULA_DIV:
    case RP_FORMULA_MOD:
    case RP_VALUE_CEIL_DIV: {
        const char *why = divide(code, a, b, &value);
        if (why) return why;
    }
    }
    *out = rp_value_integer(value);
    return good ? NULL : "overflow";
}

const char *rp_value_compute(uint8_t code, const rp_value *a, const rp_value *b, rp_value *out) {
    bool real = a->kind == RP_VALUE_REAL || b->kind == RP_VALUE_REAL;
    double x = rp_value_number(a), y = rp_value_number(b);
    if (code == RP_FORMULA_EITHER || code == RP_FORMULA_BOTH)
        return compute_integers(code, rp_value_truth(a), rp_value_truth(b), out);
    if (real && code >= RP_FORMULA_LT && code <= RP_FORMULA_NE)
        return compare_reals(code, x, y, out);
    if (real || (code == RP_FORMULA_pow && b->integer < 0)) return compute_reals(code, x, y, out);
    return compute_integers(code, a->integer, b->integer, out);
}

const char *rp_value_sign(char sign, const rp_value *x, rp_value *out) {
    rp_value value = *x;
    if (sign == '!') {
        *out = rp_value_integer(!rp_value_truth(&value));
        return NULL;
    }
    if (sign == '-' && value.kind == RP_VALUE_INTEGER)
        return compute_integers(RP_FORMULA_SUB, 0, value.integer, out);
    value.integer = ~value.integer;
    value.real = -value.real;
    *out = value;
    return sign == '~' && value.kind == RP_VALUE_REAL ? "'~' of a float" : NULL;
}

const rp_value_function *rp_value_function_find(const char *name, size_t length) {
    static const rp_value_function functions[] = {{"min", 2, RP_FORMULA_min},
                                                  {"max", 2, RP_FORMULA_max},
                                                  {"abs", 1},
                                                  {"ceil_div", 2, RP_VALUE_CEIL_DIV},
                                                  {"floor", 1, 0, true, floor},
                                                  {"ceil", 1, 0, true, ceil},
                                                  {"round", 1, 0, true, rint}, /* half to even */
                                                  {"trunc", 1, 0, true, trunc},
                                                  {"sqrt", 1, 0, false, sqrt},
                                                  {"exp", 1, 0, false, exp},
                                                  {"exp2", 1, 0, false, exp2},
                                                  {"log", 1, 0, false, log},
                                                  {"log2", 1, 0, false, log2},
                                                  {"pow", 2, RP_FORMULA_pow},
                                                  {"sin", 1, 0, false, sin},
                                                  {"cos", 1, 0, false, cos},
                                                  {"tan", 1, 0, false, tan},
                                                  {0}};
    if (!name) return functions;
    for (const rp_value_function *f = functions; f->name; f++)
        if (strncmp(f->name, name, length) == 0 && !f->name[length]) return f;
    return NULL;
}

static const char *absolute(const rp_value *x, rp_value *out) {
    bool negative = x->kind == RP_VALUE_REAL ? signbit(x->real) != 0 : x->integer < 0;
    *out = *x;
    return negative ? rp_value_sign('-', x, out) : NULL;
}

const char *rp_value_call(const rp_value_function *function, const rp_value *x, rp_value *out) {
    if (!function->compute) return absolute(x, out);
    *out = *x;
    if (function->rounds && x->kind == RP_VALUE_INTEGER) return NULL;
    double given = rp_value_number(x), value = function->compute(given);
    if (!function->rounds) return of_real(value, isfinite(given), out);
    if (!(value >= -0x1p63 && value < 0x1p63)) return "a float that no integer can hold";
    *out = rp_value_integer((int64_t)value);
    return NULL;
}

void rp_value_print(rp_text *text, const rp_value *value) {
    if (value->kind == RP_VALUE_INTEGER) {
        rp_text_format(text, "%lld", (long long)value->integer);
        return;
    }
    rp_text number;
    rp_text_init(&number, &text->allocator);
    rp_number_print(&number, value->real);
    const char *digits = number.failed ? "" : number.data;
    rp_text_string(text, digits);
    if (isfinite(value->real) && !strpbrk(digits, ".e")) rp_text_string(text, ".0");
    text->failed |= number.failed;
    rp_text_free(&number);
}
