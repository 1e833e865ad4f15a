/* Formulas: evaluation in double precision, the reference for what kernels compute.
 *
 * Beside each value goes a bound on its error in units of f32's precision (first-order running
 * error analysis): a sum adds the bounds of its terms, a function multiplies by its derivative and
 * adds its own size. So a test can tell rounding from a wrong result for any formula, also where
 * terms cancel. The bound says nothing about an error that moves a comparison or a floor(). */
#include <math.h>

#include "reference/reference.h"

typedef struct value {
    double v, bound; /* bool is 0 or 1 */
    uint64_t bits;   /* of i64 and u64, which a double does not hold: the number itself */
} value;

/* ---- Types ----------------------------------------------------------------------------------- */

static double wrap(int64_t bits, uint8_t type) {
    return type == RP_TYPE_I32 ? (double)(int32_t)(uint32_t)bits : (double)(uint32_t)bits;
}

/* A number of 64 bits as a value. */
static value of_bits(uint64_t bits, uint8_t type) {
    double v = type == RP_TYPE_I64 ? (double)(int64_t)bits : (double)bits;
    return (value){v, fabs(v), bits};
}

static uint64_t saturated(double v, uint8_t type) {
    if (isnan(v)) return 0;
    if (type == RP_TYPE_U64) return v <= 0 ? 0 : v >= 0x1p64 ? UINT64_MAX : (uint64_t)v;
    if (v <= -0x1p63) return (uint64_t)INT64_MIN;
    return v >= 0x1p63 ? INT64_MAX : (uint64_t)(int64_t)v;
}

static value convert(value a, uint8_t from, uint8_t to) {
    bool integers = rp_formula_is_integer(from) && rp_formula_is_integer(to);
    if (from == to || from == RP_TYPE_BOOL) return a;
    if (rp_formula_is_wide(from) && to == RP_TYPE_BOOL) a.v = a.bits != 0;
    if (to == RP_TYPE_BOOL || to == RP_TYPE_F32) return a;
    uint64_t bits = rp_formula_is_wide(from) ? a.bits
                    : integers               ? (uint64_t)(int64_t)a.v
                                             : saturated(a.v, to);
    if (rp_formula_is_wide(to)) return of_bits(bits, to);
    if (integers) return (value){wrap((int64_t)bits, to), a.bound, 0};
    return (value){rp_reference_store(to == RP_TYPE_I32 ? RP_I32 : RP_U32, a.v), a.bound, 0};
}

/* ---- Integers -------------------------------------------------------------------------------- */

static double divide(int64_t a, int64_t b) {
    return b == 0 ? 0 : (double)(a / b);
}

static double sign_of(double v) {
    return v > 0 ? 1 : v < 0 ? -1 : v;
}

static uint32_t count_bits(uint32_t bits) {
    uint32_t count = 0;
    for (; bits; bits &= bits - 1) count++;
    return count;
}

/* What integers and conditions compute; arguments are already of the type they meet in. */
static double on_integers(const rp_formula_node *node, const int64_t a[3]) {
    uint8_t type = node->type;
    /* As unsigned, sums, products and shifts have the same low 32 bits and cannot overflow. */
    uint64_t x = (uint64_t)a[0], y = (uint64_t)a[1];
    switch ((rp_formula_code)node->code) {
    case RP_FORMULA_NEGATE: return wrap((int64_t)(0 - x), type);
    case RP_FORMULA_INVERT: return wrap((int64_t)~x, type);
    case RP_FORMULA_ADD: return wrap((int64_t)(x + y), type);
    case RP_FORMULA_SUB: return wrap((int64_t)(x - y), type);
    case RP_FORMULA_MUL: return wrap((int64_t)(x * y), type);
    case RP_FORMULA_DIV: return wrap((int64_t)divide(a[0], a[1]), type);
    case RP_FORMULA_MOD: return a[1] == 0 ? 0 : (double)(a[0] % a[1]);
    case RP_FORMULA_AND: return wrap((int64_t)(x & y), type);
    case RP_FORMULA_OR: return wrap((int64_t)(x | y), type);
    case RP_FORMULA_XOR: return wrap((int64_t)(x ^ y), type);
    case RP_FORMULA_LEFT: return wrap((int64_t)(x << (y & 31)), type);
    case RP_FORMULA_RIGHT: return floor((double)a[0] / (double)(UINT64_C(1) << (y & 31)));
    case RP_FORMULA_min: return (double)(a[1] < a[0] ? a[1] : a[0]);
    case RP_FORMULA_max: return (double)(a[0] < a[1] ? a[1] : a[0]);
    case RP_FORMULA_clamp: {
        int64_t low = a[0] < a[1] ? a[1] : a[0];
        return (double)(a[2] < low ? a[2] : low);
    }
    case RP_FORMULA_abs: return wrap(a[0] < 0 ? -a[0] : a[0], type);
    case RP_FORMULA_sign: return sign_of((double)a[0]);
    case RP_FORMULA_relu: return (double)(a[0] < 0 ? 0 : a[0]);
    default: return 0; /* rp_formula_check lets no other code have integers */
    }
}

static uint64_t quotient_of(uint64_t a, uint64_t b, bool negative) {
    if (b == 0) return 0;
    if (!negative) return a / b;
    return (int64_t)b == -1 ? 0 - a : (uint64_t)((int64_t)a / (int64_t)b);
}

/* The same of 64 bits, where `negative` says which order they have. */
static uint64_t on_wide(const rp_formula_node *node, const uint64_t a[3]) {
    bool negative = node->type == RP_TYPE_I64;
    uint64_t flip = negative ? UINT64_C(1) << 63 : 0, x = a[0], y = a[1];
    bool below = negative && (int64_t)x < 0, less = (x ^ flip) < (y ^ flip);
    switch ((rp_formula_code)node->code) {
    case RP_FORMULA_NEGATE: return 0 - x;
    case RP_FORMULA_INVERT: return ~x;
    case RP_FORMULA_ADD: return x + y;
    case RP_FORMULA_SUB: return x - y;
    case RP_FORMULA_MUL: return x * y;
    case RP_FORMULA_DIV: return quotient_of(x, y, negative);
    case RP_FORMULA_MOD: return y == 0 ? 0 : x - quotient_of(x, y, negative) * y;
    case RP_FORMULA_AND: return x & y;
    case RP_FORMULA_OR: return x | y;
    case RP_FORMULA_XOR: return x ^ y;
    case RP_FORMULA_LEFT: return x << (y & 63);
    case RP_FORMULA_RIGHT: return below ? ~(~x >> (y & 63)) : x >> (y & 63);
    case RP_FORMULA_min: return less ? x : y;
    case RP_FORMULA_max: return less ? y : x;
    case RP_FORMULA_clamp: {
        uint64_t low = less ? y : x;
        return (a[2] ^ flip) < (low ^ flip) ? a[2] : low;
    }
    case RP_FORMULA_abs: return below ? 0 - x : x;
    case RP_FORMULA_sign: return below ? UINT64_MAX : x != 0;
    case RP_FORMULA_relu: return below ? 0 : x;
    default: return 0; /* as above */
    }
}

/* ---- Floats ---------------------------------------------------------------------------------- */

static value sum(value a, value b, double sign) {
    return (value){.v = a.v + sign * b.v, .bound = a.bound + b.bound};
}

static value product(value a, value b) {
    return (value){a.v * b.v, fabs(a.v) * b.bound + fabs(b.v) * a.bound + fabs(a.v * b.v)};
}

static value quotient(value a, value b) {
    double v = a.v / b.v;
    return (value){v, (a.bound + fabs(v) * b.bound) / fabs(b.v) + fabs(v)};
}

/* f(a), where f has that slope at a; `own` is the size its own error is relative to. */
static value apply(value a, double v, double slope, double own) {
    return (value){v, fabs(slope) * a.bound + own};
}

static value power(value x, value y) {
    double v = y.v == 0 ? 1 : x.v < 0 ? NAN : pow(x.v, y.v);
    double log_x = x.v > 0 ? fabs(log(x.v)) : 0;
    double rest = x.v > 0 ? fabs(y.v) * x.bound / x.v : 0;
    return (value){v, fabs(v) * (1 + fabs(y.v) * (1 + log_x) + rest + log_x * y.bound)};
}

/* Of two candidates either may win once both are rounded. */
static value pick(value winner, value other) {
    return (value){winner.v, fmax(winner.bound, other.bound)};
}

static value larger(value a, value b) {
    return a.v < b.v ? pick(b, a) : pick(a, b);
}

static value smaller(value a, value b) {
    return b.v < a.v ? pick(b, a) : pick(a, b);
}

static value tanh_of(value a) {
    double v = tanh(a.v);
    return apply(a, v, 1 - v * v, fabs(v));
}

/* The gated units are x * g(x) with g between 0 and 1 and a slope of at most 1.2 in all. */
static value gated(value a, double v) {
    return apply(a, v, 1.2, fabs(a.v));
}

static value on_floats(const rp_formula_node *node, const value a[3]) {
    static const double root_half = 0.70710678118654752440, root_2_pi = 0.79788456080286535588;
    double x = a[0].v;
    switch ((rp_formula_code)node->code) {
    case RP_FORMULA_NEGATE: return (value){-x, a[0].bound};
    case RP_FORMULA_ADD: return sum(a[0], a[1], 1);
    case RP_FORMULA_SUB: return sum(a[0], a[1], -1);
    case RP_FORMULA_MUL: return product(a[0], a[1]);
    case RP_FORMULA_DIV: return quotient(a[0], a[1]);
    case RP_FORMULA_min: return smaller(a[0], a[1]);
    case RP_FORMULA_max: return larger(a[0], a[1]);
    case RP_FORMULA_clamp: return smaller(larger(a[0], a[1]), a[2]);
    case RP_FORMULA_abs: return (value){fabs(x), a[0].bound};
    case RP_FORMULA_sign: return (value){sign_of(x), 0};
    case RP_FORMULA_relu: return x < 0 ? (value){0, a[0].bound} : a[0];
    case RP_FORMULA_sqrt: return apply(a[0], sqrt(x), x > 0 ? 0.5 / sqrt(x) : 0, sqrt(fabs(x)));
    case RP_FORMULA_rsqrt: {
        double v = 1 / sqrt(x);
        return apply(a[0], v, x > 0 ? 0.5 * v / x : 0, fabs(v));
    }
    case RP_FORMULA_exp: return apply(a[0], exp(x), exp(x), exp(x) * (1 + fabs(x)));
    case RP_FORMULA_exp2: return apply(a[0], exp2(x), exp2(x), exp2(x) * (1 + fabs(x)));
    case RP_FORMULA_log: return apply(a[0], log(x), 1 / x, 1 + fabs(log(x)));
    case RP_FORMULA_log2: return apply(a[0], log2(x), 1.5 / x, 1 + fabs(log2(x)));
    case RP_FORMULA_pow: return power(a[0], a[1]);
    case RP_FORMULA_sin: return apply(a[0], sin(x), 1, 1 + fabs(x));
    case RP_FORMULA_cos: return apply(a[0], cos(x), 1, 1 + fabs(x));
    case RP_FORMULA_tanh: return tanh_of(a[0]);
    case RP_FORMULA_erf: return apply(a[0], erf(x), 1.2 * exp(-x * x), fabs(erf(x)));
    case RP_FORMULA_sigmoid: {
        double v = 1 / (1 + exp(-x));
        return apply(a[0], v, v * (1 - v), v * (1 + fabs(x)));
    }
    case RP_FORMULA_silu: return gated(a[0], x / (1 + exp(-x)));
    case RP_FORMULA_gelu: return gated(a[0], 0.5 * x * (1 + erf(x * root_half)));
    case RP_FORMULA_gelu_tanh:
        return gated(a[0], 0.5 * x * (1 + tanh(root_2_pi * (x + 0.044715 * x * x * x))));
    case RP_FORMULA_softcap: return product(a[1], tanh_of(quotient(a[0], a[1])));
    case RP_FORMULA_floor: return (value){floor(x), a[0].bound};
    case RP_FORMULA_ceil: return (value){ceil(x), a[0].bound};
    case RP_FORMULA_round: return (value){rint(x), a[0].bound};
    case RP_FORMULA_trunc: return (value){trunc(x), a[0].bound};
    case RP_FORMULA_f16: return (value){rp_reference_f16(x), a[0].bound + 8192 * fabs(x)};
    case RP_FORMULA_bf16: return (value){rp_reference_bf16(x), a[0].bound + 65536 * fabs(x)};
    default: return (value){NAN, NAN}; /* rp_formula_check lets no other code have floats */
    }
}

/* ---- Everything ------------------------------------------------------------------------------ */

static double compare(uint8_t code, double a, double b) {
    switch ((rp_formula_code)code) {
    case RP_FORMULA_LT: return a < b;
    case RP_FORMULA_LE: return a <= b;
    case RP_FORMULA_GT: return a > b;
    case RP_FORMULA_GE: return a >= b;
    case RP_FORMULA_EQ: return a == b;
    default: return a != b;
    }
}

/* The order of two numbers of 64 bits as that of two others. */
static double compare_wide(uint8_t code, uint8_t type, uint64_t a, uint64_t b) {
    uint64_t flip = type == RP_TYPE_I64 ? UINT64_C(1) << 63 : 0;
    return compare(code, a == b ? 0 : (a ^ flip) < (b ^ flip) ? -1 : 1, 0);
}

static value eval_node(const rp_formula *formula, const rp_formula_node *node, const value *values,
                       const double *names) {
    const rp_formula_node *nodes = formula->nodes;
    uint8_t type = rp_formula_operand_type(formula, node);
    value a[3] = {{0, 0, 0}, {0, 0, 0}, {0, 0, 0}};
    int64_t integers[3] = {0, 0, 0};
    uint64_t words[3] = {0, 0, 0};
    for (uint32_t i = 0; i < rp_formula_arity(node->code); i++) {
        uint8_t from = nodes[node->args[i]].type;
        uint8_t to = node->code == RP_FORMULA_SELECT && i == 0 ? RP_TYPE_BOOL : type;
        bool counts = (node->code == RP_FORMULA_LEFT || node->code == RP_FORMULA_RIGHT) && i == 1;
        a[i] = convert(values[node->args[i]], from, counts ? RP_TYPE_U32 : to);
        words[i] = counts ? (uint64_t)a[i].v : a[i].bits;
        if (type == RP_TYPE_I32 || type == RP_TYPE_U32) integers[i] = (int64_t)a[i].v;
    }
    switch ((rp_formula_code)node->code) {
    case RP_FORMULA_NUMBER:
        if (node->type == RP_TYPE_F32) return (value){node->number, fabs(node->number), 0};
        if (rp_formula_is_wide(node->type)) return of_bits(node->whole, node->type);
        return (value){wrap((int64_t)node->whole, node->type), 0, 0};
    case RP_FORMULA_NAME:
        if (rp_formula_is_wide(node->type))
            return of_bits(saturated(names[node->name], node->type), node->type);
        return (value){names[node->name], fabs(names[node->name]), 0};
    case RP_FORMULA_LT:
    case RP_FORMULA_LE:
    case RP_FORMULA_GT:
    case RP_FORMULA_GE:
    case RP_FORMULA_EQ:
    case RP_FORMULA_NE:
        return (value){rp_formula_is_wide(type) ? compare_wide(node->code, type, words[0], words[1])
                                                : compare(node->code, a[0].v, a[1].v),
                       0, 0};
    case RP_FORMULA_NOT: return (value){a[0].v == 0, 0, 0};
    case RP_FORMULA_BOTH: return (value){a[0].v != 0 && a[1].v != 0, 0, 0};
    case RP_FORMULA_EITHER: return (value){a[0].v != 0 || a[1].v != 0, 0, 0};
    case RP_FORMULA_SELECT: return a[0].v != 0 ? a[1] : a[2];
    case RP_FORMULA_isnan: return (value){isnan(a[0].v) != 0, 0, 0};
    case RP_FORMULA_isinf: return (value){isinf(a[0].v) != 0, 0, 0};
    case RP_FORMULA_f32:
    case RP_FORMULA_i32:
    case RP_FORMULA_u32:
    case RP_FORMULA_i64:
    case RP_FORMULA_u64: {
        value made = convert(a[0], type, node->type);
        made.bound = fabs(a[0].v);
        return made;
    }
    case RP_FORMULA_bits: {
        uint64_t bits = rp_formula_is_wide(type) ? words[0] : (uint32_t)integers[0];
        return (value){count_bits((uint32_t)bits) + count_bits((uint32_t)(bits >> 32)), 0, 0};
    }
    default: break;
    }
    if (type == RP_TYPE_F32) return on_floats(node, a);
    if (rp_formula_is_wide(type)) return of_bits(on_wide(node, words), type);
    double v = on_integers(node, integers);
    return (value){v, fabs(v), 0};
}

double rp_formula_eval_scaled(const rp_formula *formula, const double *names, double *scale) {
    value values[RP_FORMULA_MAX_NODES];
    uint32_t count = formula->count;
    *scale = 0;
    if (count == 0 || count > RP_FORMULA_MAX_NODES) return 0;
    for (uint32_t i = 0; i < count; i++)
        values[i] = eval_node(formula, formula->nodes + i, values, names);
    *scale = values[count - 1].bound;
    return values[count - 1].v;
}

double rp_formula_eval(const rp_formula *formula, const double *names) {
    double scale;
    return rp_formula_eval_scaled(formula, names, &scale);
}
