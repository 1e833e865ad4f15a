/* The references of families map and rows, which kernels are judged by, are judged here: each
 * against the op's formula, which was written separately, on numbers of all dtypes; and where
 * the definition is subtle, against results worked out by hand. */
#include "support/unit.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "reference/reference.h"
#include "ops/tables.h"

enum { MAX_ELEMENTS = 64 };

static uint64_t seed = 20;

static uint32_t random_below(uint32_t limit) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % limit);
}

/* A number that the dtype holds; floats are sometimes special. */
static double random_value(uint8_t dtype) {
    static const double special[] = {0, -0.0, INFINITY, -INFINITY, NAN, 1, -1, 0.5};
    int64_t bits = (int64_t)random_below(65536) << 16 | random_below(65536);
    if (random_below(3) == 0) bits = random_below(4);
    switch (dtype) {
    case RP_I8: return (int8_t)bits;
    case RP_U8: return (uint8_t)bits;
    case RP_I32: return (int32_t)bits;
    case RP_I16: return (int16_t)bits;
    case RP_U16: return (uint16_t)bits;
    case RP_BOOL: return bits & 1;
    case RP_I64: return (double)bits;
    case RP_U64: return (double)(uint32_t)bits;
    case RP_U32: return (uint32_t)bits;
    default: break;
    }
    if (random_below(12) == 0) return special[random_below(8)];
    return ((double)random_below(20001) - 10000) / 2048;
}

static uint8_t random_dtype(uint32_t dtypes) {
    for (;;) {
        uint8_t dtype = (uint8_t)random_below(16);
        if (dtypes >> dtype & 1) return dtype;
    }
}

typedef struct workspace {
    double operands[RP_OP_MAX_OPERANDS][MAX_ELEMENTS], scale[MAX_ELEMENTS];
    rp_op_data data;
} workspace;

/* Fills the inputs and runs the reference. */
static void run(const rp_op_call *call, workspace *w) {
    memset(w->scale, 0, sizeof w->scale);
    w->data.scale = w->scale;
    for (uint32_t k = 0; k < call->operand_count; k++) {
        uint64_t count = rp_tensor_elements(call->operands + k);
        w->data.operands[k] = call->operands[k].absent ? NULL : w->operands[k];
        if (rp_op_operand_of(call, k)->access != RP_READ) continue;
        for (uint64_t i = 0; i < count; i++)
            w->operands[k][i] = random_value(call->operands[k].dtype);
    }
    rp_reference_of(call->op)(call, &w->data);
}

static bool agree(double found, double expected, double scale) {
    if (isnan(expected)) return isnan(found);
    if (isinf(expected) || found == expected) return found == expected;
    return fabs(found - expected) <= 1e-12 * fabs(scale) + 1e-300;
}

static void random_attrs(rp_op_call *call) {
    for (uint32_t i = 0; i < call->op->attr_count; i++)
        if (call->op->attrs[i].required || random_below(2)) {
            bool whole = rp_op_attr_type(call, i) != RP_TYPE_F32;
            call->attrs[i] = (double)(1 + i) / (whole ? 1 : 4); /* within the range of all */
        }
}

static bool parse(const rp_op_call *call, const char *text, rp_formula_block *block,
                  rp_formula *out) {
    char error[160];
    size_t at;
    bool good = rp_op_parse_formula(call, text, block, out, error, &at);
    if (!good) printf("\n    %s: '%s': %s", call->op->name, text, error);
    CU_ASSERT_FATAL(good);
    return good;
}

/* The result of a formula, as an output of that dtype has it. Conditions and integers that the
 * output cannot hold saturate. */
static double result_of(const rp_formula *formula, const double *names, uint8_t dtype) {
    return rp_reference_store(dtype, rp_formula_eval(formula, names));
}

/* ---- Map ------------------------------------------------------------------------------------- */

static rp_op_call random_map(const rp_op *op) {
    rp_op_call call;
    rp_op_call_init(&call, op, op->operand_count);
    for (uint32_t k = 0; k < call.operand_count; k++) {
        rp_tensor *t = call.operands + k;
        t->dtype = random_dtype(op->operands[k].dtypes);
        t->rank = 2;
        t->dims[0] = 3;
        t->dims[1] = 7;
        if (k > 0 && k + 1 < call.operand_count) t->dims[random_below(2)] = 1;
    }
    random_attrs(&call);
    return call;
}

static void test_map(void) {
    for (uint32_t n = 1; n < rp_ops_map_count; n++) {
        for (uint32_t round = 0; round < 60; round++) {
            rp_op_call call = random_map(rp_ops_map + n);
            if (!rp_op_check(&call)) printf("\n    %s", call.error);
            CU_ASSERT_FATAL(rp_op_check(&call));
            static workspace w;
            run(&call, &w);
            rp_formula_block block;
            rp_formula formula;
            uint32_t out = call.operand_count - 1;
            parse(&call, rp_op_formula(&call), &block, &formula);
            for (uint32_t i = 0; i < 21; i++) {
                double names[RP_OP_NAME_COUNT] = {0};
                for (uint32_t k = 0; k < out; k++) {
                    const rp_tensor *t = call.operands + k; /* broadcast, spelt out */
                    uint64_t row = i / 7 * (t->dims[0] == 3), column = i % 7 * (t->dims[1] == 7);
                    names[k] = w.operands[k][row * t->dims[1] + column];
                }
                for (uint32_t k = 0; k < call.op->attr_count; k++)
                    names[RP_OP_NAME_ATTR + k] = call.attrs[k];
                double expected = result_of(&formula, names, call.operands[out].dtype);
                bool right = agree(w.operands[out][i], expected, w.scale[i] + fabs(expected));
                if (!right)
                    printf("\n    %s(%g, %g, %g) is %g, by its formula %g", call.op->name, names[0],
                           names[1], names[2], w.operands[out][i], expected);
                CU_ASSERT(right);
                CU_ASSERT(!isfinite(expected) || w.scale[i] >= 0);
            }
        }
    }
}

/* One element of a map op with f32 operands. */
static double value_of(const char *name, double a, double b, double first_attr) {
    rp_op_call call;
    const rp_op *op = rp_op_find(name, strlen(name));
    CU_ASSERT_FATAL(op != NULL);
    rp_op_call_init(&call, op, op->operand_count);
    for (uint32_t i = 0; i < op->attr_count; i++)
        if (op->attrs[i].required) call.attrs[i] = first_attr;
    for (uint32_t k = 0; k < op->operand_count; k++)
        call.operands[k].dtype = op->operands[k].dtypes & RP_DT(RP_F32) ? RP_F32 : RP_U8;
    CU_ASSERT_FATAL(rp_op_check(&call));
    double inputs[3] = {a, b, 0}, out = 77, scale = 0;
    rp_op_data data = {.scale = &scale};
    for (uint32_t k = 0; k + 1 < op->operand_count; k++) data.operands[k] = inputs + k;
    data.operands[op->operand_count - 1] = &out;
    rp_reference_of(op)(&call, &data);
    return out;
}

static void test_map_by_hand(void) {
    static const struct {
        const char *op;
        double a, b, attr, expected;
    } cases[] = {
        {"add", 1.5, 2, 0, 3.5},
        {"sub", 1.5, 2, 0, -0.5},
        {"div", 1, 0, 0, INFINITY},
        {"min", NAN, 1, 0, NAN},
        {"min", 1, NAN, 0, 1},
        {"max", NAN, 1, 0, NAN},
        {"max", 1, NAN, 0, 1},
        {"pow", 2, 10, 0, 1024},
        {"pow", -2, 2, 0, NAN},
        {"pow", -2, 0, 0, 1},
        {"rsqrt", 0, 0, 0, INFINITY},
        {"sqrt", -1, 0, 0, NAN},
        {"log", 0, 0, 0, -INFINITY},
        {"tanh", INFINITY, 0, 0, 1},
        {"sigmoid", -INFINITY, 0, 0, 0},
        {"silu", -INFINITY, 0, 0, NAN},
        {"silu", 0, 0, 0, 0},
        {"gelu", 1, 0, 0, 0.84134474606854293},
        {"gelu_tanh", 1, 0, 0, 0.84119199060827673},
        {"relu", -3, 0, 0, 0},
        {"relu", NAN, 0, 0, NAN},
        {"clamp", NAN, 0, 2, NAN},
        {"clamp", 5, 0, 2, 2},
        {"softcap", INFINITY, 0, 30, 30},
        {"swiglu", 2, 3, 0, 6 / (1 + 0.1353352832366127)},
        {"select", 0, 5, 0, 0},
        {"select", NAN, 5, 0, 5},
        {"equal", NAN, NAN, 0, 0},
        {"not_equal", NAN, NAN, 0, 1},
        {"less", -0.0, 0, 0, 0},
        {"exp", 200, 0, 0, INFINITY}, /* beyond f32, though not beyond a double */
        {"square", 1e30, 0, 0, INFINITY},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double found = value_of(cases[i].op, cases[i].a, cases[i].b, cases[i].attr);
        bool right = agree(found, cases[i].expected, fabs(cases[i].expected));
        if (!right) printf("\n    %s %g %g: %.17g", cases[i].op, cases[i].a, cases[i].b, found);
        CU_ASSERT(right);
    }
}

static void test_general_map(void) {
    rp_op_call call;
    rp_op_call_init(&call, rp_op_map, 3);
    call.formula = "a * 10 + b";
    call.operands[0] = (rp_tensor){.dtype = RP_F32, .rank = 2, .dims = {2, 1}};
    call.operands[1] = (rp_tensor){.dtype = RP_I8, .rank = 1, .dims = {3}};
    call.operands[2] = (rp_tensor){.dtype = RP_I8, .rank = 2, .dims = {2, 3}};
    CU_ASSERT_FATAL(rp_op_check(&call));
    double a[] = {1.25, -20}, b[] = {0, 1, -2}, out[6], scale[6] = {0};
    static const double expected[] = {12, 13, 10, -128, -128, -128};
    rp_op_data data = {.operands = {a, b, out}, .scale = scale};
    rp_reference_of(call.op)(&call, &data);
    for (uint32_t i = 0; i < 6; i++) CU_ASSERT(out[i] == expected[i]);
    CU_ASSERT(scale[2] >= 12.5 + 2);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* The steps over one row, by the definition. */
static void eval_steps(const rp_op_call *call, double names[][RP_OP_NAME_COUNT], uint64_t length) {
    for (uint32_t s = 0; s < call->op->step_count; s++) {
        rp_formula_block block;
        rp_formula formula;
        parse(call, call->op->steps[s].expression, &block, &formula);
        double best = 0, place = UINT32_MAX, total = 0;
        uint8_t reduce = call->op->steps[s].reduce;
        bool least = reduce == RP_REDUCE_MIN || reduce == RP_REDUCE_ARGMIN;
        best = least ? INFINITY : -INFINITY;
        for (uint64_t c = 0; c < length; c++) {
            double value = rp_formula_eval(&formula, names[c]);
            total += value;
            bool better = least ? value < best : value > best;
            if (better || (value == best && place == UINT32_MAX)) place = (double)c;
            if (better) best = value;
        }
        double result = reduce == RP_REDUCE_NONE  ? rp_formula_eval(&formula, names[0])
                        : reduce == RP_REDUCE_SUM ? total
                        : reduce == RP_REDUCE_MIN || reduce == RP_REDUCE_MAX ? best
                                                                             : place;
        for (uint64_t c = 0; c < length; c++) names[c][RP_OP_NAME_STEP + s] = result;
    }
}

static rp_op_call random_rows(const rp_op *op) {
    rp_op_call call;
    rp_op_call_init(&call, op, op->operand_count);
    random_attrs(&call);
    uint64_t rows = 1 + random_below(4), length = 1 + random_below(11);
    for (uint32_t k = 0; k < call.operand_count; k++) {
        rp_tensor *t = call.operands + k;
        const char *shape = op->operands[k].shape;
        t->dtype = random_dtype(op->operands[k].dtypes);
        t->absent = op->operands[k].optional && random_below(2);
        if (!shape || *shape == '*') t->dims[t->rank++] = rows;
        if (!shape || strchr(shape, 'C')) t->dims[t->rank++] = length;
        if (!shape) t->dims[random_below(2)] = 1;
    }
    return call;
}

static void compare_row(const rp_op_call *call, workspace *w, uint64_t row, uint64_t length) {
    static double names[MAX_ELEMENTS][RP_OP_NAME_COUNT];
    for (uint64_t c = 0; c < length; c++) {
        names[c][RP_OP_NAME_LENGTH] = (double)length;
        for (uint32_t i = 0; i < call->op->attr_count; i++)
            names[c][RP_OP_NAME_ATTR + i] = call->attrs[i];
        for (uint32_t k = 0; k < call->operand_count; k++) {
            const rp_tensor *t = call->operands + k;
            const char *absent = call->op->operands[k].absent;
            uint64_t index = t->rank == 1 ? c : row * length + c;
            if (!call->op->operands[k].shape) /* a mask */
                index = (t->dims[0] == 1 ? 0 : row) * t->dims[1] + (t->dims[1] == 1 ? 0 : c);
            if (call->op->operands[k].access != RP_READ) continue;
            names[c][k] = t->absent ? (absent ? strtod(absent, NULL) : 0) : w->operands[k][index];
            if (rp_op_is_bool_mask(call, k)) names[c][k] = names[c][k] != 0 ? 0 : -INFINITY;
        }
    }
    eval_steps(call, names, length);
    for (uint32_t k = 0; k < call->operand_count; k++) {
        const rp_op_operand *o = call->op->operands + k;
        rp_formula_block block;
        rp_formula formula;
        if (!o->expression || call->operands[k].absent) continue;
        parse(call, o->expression, &block, &formula);
        bool per_row = !strchr(o->shape, 'C');
        for (uint64_t c = 0; c < (per_row ? 1 : length); c++) {
            uint64_t index = per_row ? row : row * length + c;
            double expected = result_of(&formula, names[c], call->operands[k].dtype);
            double found = w->operands[k][index];
            double scale = strcmp(o->name, "out") == 0 ? w->scale[index] : fabs(expected);
            bool right = agree(found, expected, scale + fabs(expected));
            if (!right)
                printf("\n    %s, row of %u: %s is %.17g, by its formula %.17g", call->op->name,
                       (unsigned)length, o->name, found, expected);
            CU_ASSERT(right);
        }
    }
}

static void test_rows(void) {
    for (uint32_t n = 0; n < rp_ops_rows_count; n++) {
        for (uint32_t round = 0; round < 300; round++) {
            rp_op_call call = random_rows(rp_ops_rows + n);
            bool good = rp_op_check(&call);
            if (!good) printf("\n    %s", call.error);
            CU_ASSERT_FATAL(good);
            static workspace w;
            run(&call, &w);
            for (uint64_t row = 0; row < rp_sym(&call, 'R'); row++)
                compare_row(&call, &w, row, rp_sym(&call, 'C'));
        }
    }
}

/* Runs a rows op on one row of four f32. */
static void row_of(const char *name, const double x[4], double out[4]) {
    rp_op_call call;
    const rp_op *op = rp_op_find(name, strlen(name));
    CU_ASSERT_FATAL(op != NULL);
    CU_ASSERT_FATAL(op->operand_count > 1 && op->operand_count <= RP_OP_MAX_OPERANDS);
    rp_op_call_init(&call, op, op->operand_count);
    for (uint32_t k = 0; k < op->operand_count && k < RP_OP_MAX_OPERANDS; k++)
        call.operands[k] = (rp_tensor){.dtype = RP_F32, .rank = 1, .dims = {4}};
    uint32_t result = 1;
    while (op->operands[result].access == RP_READ) call.operands[result++].absent = true;
    for (uint32_t k = result; k < op->operand_count; k++) {
        call.operands[k] = (rp_tensor){.dtype = RP_RAW, .rank = RP_OP_INFER, .absent = k > result};
    }
    CU_ASSERT_FATAL(rp_op_infer(&call));
    double inputs[4], scale[4] = {0};
    memcpy(inputs, x, sizeof inputs);
    rp_op_data data = {.operands = {inputs}, .scale = scale};
    data.operands[result] = out;
    rp_reference_of(op)(&call, &data);
}

static void test_rows_by_hand(void) {
    static const double inf = INFINITY;
    static const struct {
        const char *op;
        double x[4], out[4];
        uint32_t count;
    } cases[] = {
        {"row_sum", {1, 2, 3, -4}, {2}, 1},
        {"row_sum", {inf, 1, -inf, 1}, {NAN}, 1},
        {"row_mean", {1, 2, 3, 4}, {2.5}, 1},
        {"row_min", {3, NAN, -1, 2}, {-1}, 1},
        {"row_min", {NAN, NAN, NAN, NAN}, {INFINITY}, 1},
        {"row_max", {3, NAN, -1, 2}, {3}, 1},
        {"row_max", {NAN, NAN, NAN, NAN}, {-INFINITY}, 1},
        {"argmin", {2, 1, 1, 3}, {1}, 1},
        {"argmin", {NAN, 5, 5, NAN}, {1}, 1},
        {"argmin", {NAN, inf, inf, NAN}, {1}, 1},
        {"argmin", {NAN, NAN, NAN, NAN}, {0}, 1},
        {"argmax", {-inf, NAN, -inf, NAN}, {0}, 1},
        {"argmax", {-0.0, 0, -1, 0}, {0}, 1},
        {"variance", {1, 2, 3, 4}, {1.25}, 1},
        {"l2_norm", {1, -1, 1, -1}, {2}, 1},
        {"l2_norm", {1e30, 0, 0, 0}, {INFINITY}, 1},
        {"logsumexp", {0, 0, 0, 0}, {1.3862943611198906}, 1},
        {"logsumexp", {-inf, -inf, -inf, -inf}, {-INFINITY}, 1},
        {"logsumexp", {inf, 0, inf, 0}, {INFINITY}, 1},
        {"logsumexp", {NAN, 0, 0, 0}, {NAN}, 1},
        {"logsumexp", {1000, 1000, -inf, -inf}, {1000.6931471805599}, 1},
        {"softmax", {0, 0, -inf, -inf}, {0.5, 0.5, 0, 0}, 4},
        {"softmax", {-inf, -inf, -inf, -inf}, {0, 0, 0, 0}, 4},
        {"softmax", {inf, 5, inf, -inf}, {0.5, 0, 0.5, 0}, 4},
        {"softmax", {1, NAN, 1, 1}, {NAN, NAN, NAN, NAN}, 4},
        {"softmax", {NAN, NAN, NAN, NAN}, {NAN, NAN, NAN, NAN}, 4},
        {"softmax", {-inf, NAN, -inf, -inf}, {NAN, NAN, NAN, NAN}, 4},
        {"rms_norm", {0, 0, 0, 0}, {0, 0, 0, 0}, 4},
        {"rms_norm", {1e30, 1, 0, 0}, {0, 0, 0, 0}, 4},
        {"rms_norm", {inf, 1, 0, -1}, {NAN, 0, 0, 0}, 4},
        {"layer_norm", {7, 7, 7, 7}, {0, 0, 0, 0}, 4},
        {"l2_normalize", {3, 0, -4, 0}, {0.6, 0, -0.8, 0}, 4},
        {"l2_normalize", {0, 0, 0, 0}, {0, 0, 0, 0}, 4},
        {"l2_normalize", {1e30, 0, 0, 0}, {0, 0, 0, 0}, 4},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double out[4] = {77, 77, 77, 77};
        row_of(cases[i].op, cases[i].x, out);
        for (uint32_t k = 0; k < cases[i].count; k++) {
            bool right = agree(out[k], cases[i].out[k], fabs(cases[i].out[k]));
            if (!right) printf("\n    %s, case %u: [%u] is %.17g", cases[i].op, i, k, out[k]);
            CU_ASSERT(right);
        }
    }
}

static void test_conversions(void) {
    static const struct {
        uint8_t dtype;
        double value, stored;
    } cases[] = {
        {RP_I8, 127.9, 127},
        {RP_I8, 128, 127},
        {RP_I8, -1e9, -128},
        {RP_U8, -0.5, 0},
        {RP_U8, 255.5, 255},
        {RP_U8, NAN, 0},
        {RP_I32, 1e10, INT32_MAX},
        {RP_I32, -1e10, INT32_MIN},
        {RP_U32, -5, 0},
        {RP_U32, INFINITY, UINT32_MAX},
        {RP_F16, 65519, 65519},
        {RP_F16, -65520, -INFINITY},
        {RP_BF16, 0x1.fefp127, 0x1.fefp127},
        {RP_BF16, -0x1.ffp127, -INFINITY},
        {RP_F32, FLT_MAX, FLT_MAX},
        {RP_F32, 1e39, INFINITY},
        {RP_F32, 0.1, 0.1},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CU_ASSERT(rp_reference_store(cases[i].dtype, cases[i].value) == cases[i].stored);
    CU_ASSERT(isnan(rp_reference_store(RP_F16, NAN)));
    /* Every f16 is its own rounding, and halves go to the even neighbour. */
    for (uint32_t bits = 0; bits < 0x7c00; bits++) {
        uint32_t exponent = bits >> 10, fraction = bits & 1023;
        double unit = ldexp(1, (int)(exponent ? exponent : 1) - 25);
        double value = (fraction + (exponent ? 1024 : 0)) * unit;
        CU_ASSERT(rp_reference_f16(value) == value && rp_reference_f16(-value) == -value);
        double next = bits == 0x7bff ? INFINITY : value + unit;
        CU_ASSERT(rp_reference_f16(value + unit / 2) == (bits & 1 ? next : value));
        CU_ASSERT(rp_reference_f16(value + unit * 0.51) == next);
    }
    for (uint32_t bits = 0; bits < 0x7f80; bits++) {
        uint32_t exponent = bits >> 7, fraction = bits & 127;
        double unit = ldexp(1, (int)(exponent ? exponent : 1) - 134);
        double value = (fraction + (exponent ? 128 : 0)) * unit;
        double next = bits == 0x7f7f ? INFINITY : value + unit;
        CU_ASSERT(rp_reference_bf16(value) == value && rp_reference_bf16(-value) == -value);
        CU_ASSERT(rp_reference_bf16(value + unit / 2) == (bits & 1 ? next : value));
        CU_ASSERT(rp_reference_bf16(value + unit * 0.51) == next);
    }
    CU_ASSERT(isnan(rp_reference_store(RP_BF16, NAN)));
}

int main(void) {
    static const rp_test tests[] = {{"map ops by their formulas", test_map},
                                    {"map ops by hand", test_map_by_hand},
                                    {"map", test_general_map},
                                    {"rows ops by their formulas", test_rows},
                                    {"rows ops by hand", test_rows_by_hand},
                                    {"conversions", test_conversions},
                                    {NULL, NULL}};
    return rp_run_tests("op_references", tests);
}
