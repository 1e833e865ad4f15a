/* References of family map: each op as a C function of a few numbers. `map` itself has no fixed
 * meaning, and is evaluated (formula.c here, which the formula tests compare with C).
 *
 * Integers are doubles here, which hold 53 bits exactly, and so are inputs of 64; sums and products of
 * them are made as int64_t and wrapped to the type in which the inputs meet. All bits of 64 are held
 * against NumPy (python/tests/test_integers.py). */
#include <math.h>

#include "reference/reference.h"

enum { MAX_INPUTS = 3 };

typedef struct sample {
    double a, b, c;      /* the inputs, already in the type they meet in */
    const double *attrs; /* of the call */
    uint8_t type;        /* rp_formula_type of the inputs from which the result is made */
    double scale;        /* the magnitudes added up; < 0: the result's */
} sample;

/* The low 32 bits of an exact result, or 64. */
static double whole(const sample *s, int64_t value) {
    if (s->type == RP_TYPE_I64) return (double)value;
    if (s->type == RP_TYPE_U64) return (double)(uint64_t)value;
    return s->type == RP_TYPE_I32 ? (double)(int32_t)(uint32_t)value : (double)(uint32_t)value;
}

static bool is_float(const sample *s) {
    return s->type == RP_TYPE_F32;
}

/* ---- Arithmetic ------------------------------------------------------------------------------ */

static double multiply(const sample *s, double a, double b) {
    if (is_float(s)) return a * b;
    return whole(s, (int64_t)((uint64_t)(int64_t)a * (uint64_t)(int64_t)b));
}

static double of_add(sample *s) {
    s->scale = fabs(s->a) + fabs(s->b);
    return is_float(s) ? s->a + s->b : whole(s, (int64_t)s->a + (int64_t)s->b);
}

static double of_sub(sample *s) {
    s->scale = fabs(s->a) + fabs(s->b);
    return is_float(s) ? s->a - s->b : whole(s, (int64_t)s->a - (int64_t)s->b);
}

static double of_mul(sample *s) {
    return multiply(s, s->a, s->b);
}

static double of_div(sample *s) {
    if (is_float(s)) return s->a / s->b;
    return s->b == 0 ? 0 : whole(s, (int64_t)s->a / (int64_t)s->b);
}

static double of_min(sample *s) {
    return s->b < s->a ? s->b : s->a;
}

static double of_max(sample *s) {
    return s->a < s->b ? s->b : s->a;
}

static double of_pow(sample *s) {
    double result;
    if (s->b == 0)
        result = 1;
    else if (s->a < 0)
        result = NAN;
    else
        result = pow(s->a, s->b);
    /* pow is exp2(b * log2(a)): the error of the exponent is multiplied by its size. */
    double exponent = s->a > 0 ? fabs(s->b) * (1 + fabs(log2(s->a))) : 0;
    s->scale = fabs(result) * (1 + exponent);
    return result;
}

static double of_scale(sample *s) {
    s->scale = fabs(s->a * s->attrs[0]) + fabs(s->attrs[1]);
    if (is_float(s)) return s->a * s->attrs[0] + s->attrs[1];
    return whole(s, (int64_t)multiply(s, s->a, s->attrs[0]) + (int64_t)s->attrs[1]);
}

static double of_add_scaled(sample *s) {
    s->scale = fabs(s->a) + fabs(s->b * s->attrs[0]);
    return s->a + s->b * s->attrs[0];
}

static double of_abs(sample *s) {
    return is_float(s) ? fabs(s->a) : whole(s, s->a < 0 ? -(int64_t)s->a : (int64_t)s->a);
}

static double of_neg(sample *s) {
    return is_float(s) ? -s->a : whole(s, -(int64_t)s->a);
}

static double of_square(sample *s) {
    return multiply(s, s->a, s->a);
}

/* ---- Functions ------------------------------------------------------------------------------- */

static double of_reciprocal(sample *s) {
    return 1 / s->a;
}

static double of_sqrt(sample *s) {
    return sqrt(s->a);
}

static double of_rsqrt(sample *s) {
    return 1 / sqrt(s->a);
}

static double of_exp(sample *s) {
    s->scale = exp(s->a) * (1 + fabs(s->a));
    return exp(s->a);
}

static double of_log(sample *s) {
    s->scale = fmax(1, fabs(log(s->a)));
    return log(s->a);
}

static double of_tanh(sample *s) {
    return tanh(s->a);
}

static double logistic(double x) {
    return 1 / (1 + exp(-x));
}

static double of_sigmoid(sample *s) {
    s->scale = logistic(s->a) * (1 + fabs(s->a));
    return logistic(s->a);
}

/* For the gated ones the scale is |x|, not the result: 1 + erf(x) and the like lose in relative
 * precision what the result loses in size. */
static double of_silu(sample *s) {
    s->scale = fabs(s->a);
    return s->a * logistic(s->a);
}

static double normal(double x) {
    return 0.5 * (1 + erf(x / sqrt(2.0)));
}

static double of_gelu(sample *s) {
    s->scale = fabs(s->a);
    return s->a * normal(s->a);
}

static double normal_tanh(double x) {
    return 0.5 * (1 + tanh(sqrt(8 / acos(-1.0)) / 2 * (x + 0.044715 * x * x * x)));
}

static double of_gelu_tanh(sample *s) {
    s->scale = fabs(s->a);
    return s->a * normal_tanh(s->a);
}

static double of_relu(sample *s) {
    return s->a < 0 ? 0 : s->a;
}

static double of_clamp(sample *s) {
    if (s->a < s->attrs[0]) return s->attrs[0];
    return s->a > s->attrs[1] ? s->attrs[1] : s->a;
}

static double of_softcap(sample *s) {
    return s->attrs[0] * tanh(s->a / s->attrs[0]);
}

static double of_swiglu(sample *s) {
    s->scale = fabs(s->a * s->b);
    return s->a * logistic(s->a) * s->b;
}

static double of_geglu(sample *s) {
    s->scale = fabs(s->a * s->b);
    return s->a * normal(s->a) * s->b;
}

static double of_geglu_tanh(sample *s) {
    s->scale = fabs(s->a * s->b);
    return s->a * normal_tanh(s->a) * s->b;
}

/* ---- Choices --------------------------------------------------------------------------------- */

static double of_cast(sample *s) {
    return s->a;
}

static double of_select(sample *s) {
    return s->a != 0 ? s->b : s->c;
}

static double of_equal(sample *s) {
    return s->a == s->b;
}

static double of_not_equal(sample *s) {
    return s->a != s->b;
}

static double of_less(sample *s) {
    return s->a < s->b;
}

static double of_less_equal(sample *s) {
    return s->a <= s->b;
}

static double of_greater(sample *s) {
    return s->a > s->b;
}

static double of_greater_equal(sample *s) {
    return s->a >= s->b;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

typedef struct element {
    const char *name;
    double (*of)(sample *s);
} element;

#define E(name)                                                                                    \
    { #name, of_##name }
static const element elements[] = {
    E(add),     E(sub),       E(mul),        E(div),        E(min),           E(max),
    E(pow),     E(scale),     E(abs),        E(neg),        E(square),        E(reciprocal),
    E(sqrt),    E(rsqrt),     E(exp),        E(log),        E(tanh),          E(sigmoid),
    E(silu),    E(gelu),      E(gelu_tanh),  E(relu),       E(clamp),         E(cast),
    E(softcap), E(swiglu),    E(geglu),      E(geglu_tanh), E(select),        E(equal),
    E(less),    E(not_equal), E(less_equal), E(greater),    E(greater_equal), E(add_scaled)};
#undef E

static double (*find_element(const char *name))(sample *) {
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++)
        if (strcmp(elements[i].name, name) == 0) return elements[i].of;
    return NULL;
}

static bool is_signed(uint8_t dtype) {
    return dtype == RP_I8 || dtype == RP_I16 || dtype == RP_I32 || dtype == RP_I64;
}

/* The type in which inputs from `first` on meet. */
static uint8_t meeting_type(const rp_op_call *call, uint32_t first, uint32_t count) {
    bool with_sign = false, wide = false;
    for (uint32_t i = first; i < count; i++) {
        if (RP_DT_FLOAT >> call->operands[i].dtype & 1) return RP_TYPE_F32;
        with_sign |= is_signed(call->operands[i].dtype);
        wide |= rp_op_is_wide(call->operands[i].dtype);
    }
    if (wide) return with_sign ? RP_TYPE_I64 : RP_TYPE_U64;
    return with_sign ? RP_TYPE_I32 : RP_TYPE_U32;
}

static void reference_of_map(const rp_op_call *call, rp_op_data *data) {
    uint32_t out = call->operand_count - 1;
    rp_formula_block block;
    rp_formula formula;
    char error[160];
    size_t at;
    uint64_t count = rp_tensor_elements(call->operands + out);
    bool parsed = rp_op_parse_formula(call, call->formula, &block, &formula, error, &at);
    for (uint64_t i = 0; i < count; i++) {
        double names[RP_OP_NAME_COUNT] = {0}, result = NAN, scale = 0;
        for (uint32_t k = 0; k < out; k++)
            names[k] = data->operands[k][rp_reference_broadcast(call, k, out, i)];
        uint64_t rest = i;
        names[RP_OP_NAME_PLACE + RP_FORMULA_INDEX] = (double)i;
        for (uint32_t d = call->operands[out].rank; d-- > 0; rest /= call->operands[out].dims[d])
            names[RP_OP_NAME_PLACE + d] = (double)(rest % call->operands[out].dims[d]);
        if (parsed) result = rp_formula_eval_scaled(&formula, names, &scale);
        result = rp_reference_store(call->operands[out].dtype, result);
        data->operands[out][i] = result;
        data->scale[i] = rp_reference_scale(result, scale);
    }
}

static void reference_of_element(const rp_op_call *call, rp_op_data *data) {
    double (*of)(sample *) = find_element(call->op->name);
    uint32_t out = call->operand_count - 1;
    /* A condition does not meet what it chooses from. */
    uint32_t first = of == of_select ? 1 : 0;
    uint64_t count = rp_tensor_elements(call->operands + out);
    sample s = {.attrs = call->attrs, .type = meeting_type(call, first, out)};
    /* The numbers of a scale are of out's type where that is one of integers, else f32. */
    if (of == of_scale) s.type = meeting_type(call, 0, out + 1);
    for (uint64_t i = 0; i < count; i++) {
        double *const inputs[MAX_INPUTS] = {&s.a, &s.b, &s.c};
        for (uint32_t k = 0; k < out && k < MAX_INPUTS; k++) {
            double value = data->operands[k][rp_reference_broadcast(call, k, out, i)];
            bool reinterpreted = k >= first && s.type == RP_TYPE_I32;
            *inputs[k] = reinterpreted ? whole(&s, (int64_t)value) : value;
        }
        s.scale = -1;
        double result = rp_reference_store(call->operands[out].dtype, of ? of(&s) : NAN);
        data->operands[out][i] = result;
        data->scale[i] = rp_reference_scale(result, s.scale);
    }
}

rp_reference *rp_reference_of_map(const char *name) {
    if (strcmp(name, rp_op_map->name) == 0) return reference_of_map;
    return find_element(name) ? reference_of_element : NULL;
}
