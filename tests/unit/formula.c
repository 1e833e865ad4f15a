/* Formulas against the C compiler: the same text is compiled as C and parsed as a formula, and a
 * random tree is printed with as few parentheses as the grammar allows. */
#include "support/unit.h"
#include "support/failing_alloc.h"

#include <float.h>
#include <math.h>

#include "reference/reference.h"

enum {
    F = RP_TYPE_F32,
    I = RP_TYPE_I32,
    U = RP_TYPE_U32,
    L = RP_TYPE_I64,
    M = RP_TYPE_U64,
    B = RP_TYPE_BOOL
};

static bool look_up(void *context, const char *name, size_t length, uint32_t *out) {
    (void)context;
    if (length != 1 || *name < 'a' || *name > 'h') return false;
    *out = (uint32_t)(*name - 'a');
    return true;
}

static const rp_allocator *heap(void) {
    static rp_allocator allocator;
    allocator = rp_allocator_or_default(NULL);
    return &allocator;
}

/* Names a to d have type `first`, e to h are f32, i32, u32 and bool. */
static void types_with(uint8_t first, uint8_t types[8]) {
    static const uint8_t others[] = {F, I, U, B};
    memset(types, first, 4);
    memcpy(types + 4, others, 4);
}

static bool parse(const char *text, uint8_t first, rp_formula *out, char *error, size_t *at) {
    uint8_t types[8];
    types_with(first, types);
    if (rp_formula_parse(heap(), text, strlen(text), look_up, NULL, out, error, at) != RP_OK)
        return false;
    if (rp_formula_check(out, types, error)) return true;
    rp_formula_free(heap(), out);
    return false;
}

static double evaluate(const char *text, uint8_t first, const double *values) {
    rp_formula formula;
    char error[160];
    size_t at = 0;
    if (!parse(text, first, &formula, error, &at)) {
        printf("\n    %s: byte %zu: %s", text, at, error);
        CU_FAIL("a formula was refused");
        return NAN;
    }
    double value = rp_formula_eval(&formula, values);
    rp_formula_free(heap(), &formula);
    return value;
}

static void same(const char *text, uint8_t first, const double *values, double expected) {
    double found = evaluate(text, first, values);
    bool equal = found == expected || (isnan(found) && isnan(expected));
    if (!equal && fabs(found - expected) <= 1e-14 * fabs(expected)) equal = true;
    if (!equal) printf("\n    %s is %.17g, expected %.17g", text, found, expected);
    CU_ASSERT(equal);
}

/* The text of `formula` as a formula and as C. */
#define SAME(type, formula) same(#formula, type, values, (double)(formula))

/* ---- Against C ------------------------------------------------------------------------------- */

static void test_floats(void) {
    const double values[8] = {1.5, -2.25, 3, 0.125, 7.75, -3, 5, 1};
    double a = values[0], b = values[1], c = values[2], d = values[3];
    SAME(F, a + b * c - d / a);
    SAME(F, a - b - c - d);
    SAME(F, a / b / c * d);
    SAME(F, -a * -b + - -c);
    SAME(F, (a + b) * (c - d));
    SAME(F, a < b ? c : d);
    SAME(F, a > b ? c < d ? 1.0 : 2.0 : 3.0);
    SAME(F, a < b ? 1.0 : c < d ? 2.0 : 3.0);
    SAME(F, a + b < c * d ? a : b);
    same("a < b || c > d && a != b ? 1.0 : 2.0", F, values, 1);
    same("a > b || c > d && a == b ? 1.0 : 2.0", F, values, 1);
    SAME(F, (a < b || c > d) && a == b ? 1.0 : 2.0);
    SAME(F, !(a < b) ? 1.0 : 2.0);
    SAME(F, a >= 1.5 && b <= -2.25 ? 5e-1 : 1e2);
    SAME(F, 1 / 2 * 0.0 + 0.25 * a);
    SAME(F, sqrt(c) + exp(a) + log(c) + tanh(d) + erf(b) + floor(b) + ceil(b) + trunc(b));
    SAME(F, exp2(a) - log2(c) + sin(a) * cos(b) + pow(c, b) + round(c));
    same("1 / 2 * a", F, values, 0.75); /* the literals become floats */
    same("(1 + 2) * a", F, values, 4.5);
    same("abs(b) + sign(b) + relu(b) + relu(a)", F, values, 2.25 - 1 + 1.5);
    same("min(a, b) + max(a, b) * 10", F, values, -2.25 + 15);
    same("clamp(e, a, c) + clamp(b, a, c) + clamp(2.5, a, c)", F, values, 3 + 1.5 + 2.5);
    same("rsqrt(4.0) + sigmoid(0.0)", F, values, 1);
    same("silu(a)", F, values, 1.5 / (1 + exp(-1.5)));
    same("gelu(a)", F, values, 0.75 * (1 + erf(1.5 / sqrt(2))));
    same("gelu_tanh(a)", F, values,
         0.75 * (1 + tanh(sqrt(2 / acos(-1)) * (1.5 + 0.044715 * 3.375))));
    same("softcap(a, c)", F, values, 3 * tanh(0.5));
    same("round(0.5) + round(1.5) * 10 + round(-2.5) * 100", F, values, 0 + 20 - 200);
    same("f16(0.1)", F, values, 0.0999755859375);
    same("f16(65519.0) + f16(-0.00000003)", F, values, 65504 - 0x1p-24);
    same("f16(65520.0)", F, values, INFINITY);
    same("bf16(0.1)", F, values, 0.10009765625);
    same("bf16(1.00390625) - bf16(1.01171875)", F, values, -0x1p-6);
    same("pi", F, values, acos(-1));
    same("-inf", F, values, -INFINITY);
    same(" .5\t+ 2.\n", F, values, 2.5);
}

/* Numbers that C would not let stand: NaN, division by zero. */
static void test_edges(void) {
    const double values[8] = {NAN, 2, -1, 0, 0, 0, 0, 0};
    same("min(a, b)", F, values, NAN);
    same("min(b, a)", F, values, 2);
    same("max(a, b)", F, values, NAN);
    same("max(b, a)", F, values, 2);
    same("clamp(a, c, b)", F, values, NAN);
    same("a == a ? 1 : 0", F, values, 0);
    same("a != a ? 1 : 0", F, values, 1);
    same("isnan(a) && !isnan(b) && isinf(b / d) ? 1 : 0", F, values, 1);
    same("d / d", F, values, NAN);
    same("sqrt(c)", F, values, NAN);
    same("pow(c, b)", F, values, NAN);
    same("pow(a, d) + pow(d, d)", F, values, 2);
    same("pow(d, c)", F, values, INFINITY);
    same("i32(a) + i32(1e20) + i32(-1e20)", F, values, -1);
    same("i32(-2.9) * 10 + i32(2.9)", F, values, -18);
    same("u32(-5.0)", F, values, 0);
    same("u32(1e20)", F, values, UINT32_MAX);
    same("relu(a)", F, values, NAN);
}

static void test_integers(void) {
    static const uint32_t samples[][4] = {{7, 3, 0, 31},
                                          {0x80000000u, 0xffffffffu, 5, 1},
                                          {123456789, 987654321, 0x7fffffff, 33},
                                          {0xfffffff9u, 4, 0xdeadbeef, 7}};
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t a = samples[i][0], b = samples[i][1], c = samples[i][2], d = samples[i][3];
        const double values[8] = {a, b, c, d, 1.5, -3, 5, 1};
        SAME(U, a + b * c - d);
        SAME(U, a - b - c);
        same("a & b | c ^ d", U, values, ((a & b) | c) ^ d); /* one level, from the left */
        same("a | b & c + d", U, values, (a | b) & (c + d));
        same("(a ^ b) << 1 == c ? a : b", U, values, (a ^ b) << 1 == c ? a : b);
        SAME(U, ~a + c);
        SAME(U, a / b + a % b);
        SAME(U, a << 4 >> 2);
        SAME(U, a << (d & 31));
        SAME(U, a > b ? c : d);
        same("-a", U, values, (double)(0u - a));
        same("a / 0 + a % 0", U, values, 0);
        same("a << d", U, values, (double)(a << (d & 31)));
        same("bits(a) + bits(b)", U, values, __builtin_popcount(a) + __builtin_popcount(b));
        same("a == b ? 0 : 1", U, values, a != b);
        same("i32(a)", U, values, (int32_t)a);
        same("f32(a) * 0.5", U, values, a * 0.5);
        const double signs[8] = {(int32_t)a, (int32_t)b, (int32_t)c, (int32_t)d, 1.5, -3, 5, 1};
        same("a + b * c - d", I, signs, (int32_t)(a + b * c - d));
        same("-a", I, signs, (int32_t)(0u - a));
        same("a >> 3", I, signs, (int32_t)a >> 3);
        same("a * b", I, signs, (int32_t)(a * b));
        same("a < b ? 1 : 0", I, signs, (int32_t)a < (int32_t)b);
        same("u32(a)", I, signs, a);
        same("abs(a)", I, signs, (int32_t)((int32_t)a < 0 ? 0u - a : a));
        same("min(a, b)", I, signs, (int32_t)a < (int32_t)b ? (int32_t)a : (int32_t)b);
        same("clamp(a, -5, 5)", I, signs, (int32_t)a < -5 ? -5 : (int32_t)a > 5 ? 5 : (int32_t)a);
        same("max(a, b) + sign(c)", I, signs,
             (int32_t)((uint32_t)((int32_t)a < (int32_t)b ? (int32_t)b : (int32_t)a) +
                       (uint32_t)(((int32_t)c > 0) - ((int32_t)c < 0))));
    }
    const double values[8] = {-7, 2, INT32_MIN, -1, 1.5, -3, 4294967295.0, 1};
    same("a / b * 10 + a % b", I, values, -31); /* toward zero; the sign of the left side */
    same("c / d", I, values, INT32_MIN);
    same("c % d", I, values, 0);
    same("f + g", I, values, -4); /* i32 and u32 meet as i32 */
    same("g - 4294967295", I, values, 0);
    same("4294967295", I, values, 4294967295.0);
    same("h ? f : 2", I, values, -3);
    same("i32(h) + 1", I, values, 2);
    same("1 << b", I, values, 4);
    same("(1 << b) * 0.5", I, values, 2);
    same("7 / 2", I, values, 3);
    same("7 / 2 * e", I, values, 5.25); /* the literals meet a float */
}

/* ---- Precedence ------------------------------------------------------------------------------ */

static uint64_t seed;

static uint32_t random_below(uint32_t limit) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % limit);
}

/* Of i64; else of i32. */
static bool long_numbers;

static int64_t narrowed(uint64_t value) {
    return long_numbers ? (int64_t)value : (int32_t)(uint32_t)value;
}

/* Writes a random formula over integers and returns its value. What is written binds at least as
 * tightly as `level`: 0 '?', 1 '&|^', 3 shift, 4 sum, 5 product, 6 unary. */
static int64_t generate(rp_text *text, uint32_t depth, uint32_t level) {
    static const char *const signs[] = {"&", "|", "^", "<<", "+", "-", "*", "%"};
    static const uint8_t levels[] = {1, 1, 1, 3, 4, 4, 5, 5};
    uint32_t kind = depth == 0 ? 0 : random_below(12);
    if (kind < 2) {
        int32_t value = (int32_t)random_below(1000);
        const char *before = random_below(2) ? "" : " ";
        rp_text_format(text, long_numbers ? "%si64(%d)%s" : "%s%d%s", before, value, before);
        return value;
    }
    uint32_t own = kind < 10 ? levels[kind - 2] : kind == 10 ? 6 : 0;
    bool brackets = own < level || random_below(6) == 0;
    if (brackets) rp_text_char(text, '(');
    int64_t result;
    if (kind == 10) {
        rp_text_char(text, '-');
        result = narrowed(0 - (uint64_t)generate(text, depth - 1, 6));
    } else if (kind == 11) {
        int64_t a = generate(text, depth - 1, 3);
        rp_text_string(text, "<");
        int64_t b = generate(text, depth - 1, 3);
        rp_text_string(text, " ? ");
        int64_t x = generate(text, depth - 1, 0);
        rp_text_string(text, ":");
        int64_t y = generate(text, depth - 1, 0);
        result = a < b ? x : y;
    } else {
        uint64_t x = (uint64_t)generate(text, depth - 1, own);
        rp_text_string(text, signs[kind - 2]);
        uint64_t y = (uint64_t)generate(text, depth - 1, own == 1 ? 3 : own + 1);
        uint64_t shifted = x << (y & (long_numbers ? 63 : 31));
        uint64_t values[] = {x & y, x | y, x ^ y, shifted, x + y, x - y, x * y, 0};
        result = narrowed(values[kind - 2]);
        if (kind == 9) result = y == 0 || ~y == 0 ? 0 : (int64_t)x % (int64_t)y;
    }
    if (brackets) rp_text_char(text, ')');
    return result;
}

static void test_random(void) {
    const double values[8] = {0};
    for (uint32_t round = 0; round < 3000; round++) {
        rp_text text;
        rp_text_init(&text, heap());
        seed = 977 + round;
        long_numbers = round % 2;
        int64_t expected = generate(&text, 1 + round % 5, 0);
        rp_formula formula;
        char error[160];
        size_t at;
        bool parsed = parse(text.data, I, &formula, error, &at);
        CU_ASSERT(parsed || strstr(error, "more than 512 parts"));
        if (parsed) {
            double found = rp_formula_eval(&formula, values);
            if (found != (double)expected)
                printf("\n    seed %u: %s is %g", 977 + round, text.data, found);
            CU_ASSERT(found == (double)expected);
            rp_formula_free(heap(), &formula);
        }
        rp_text_free(&text);
    }
}

/* ---- Types and errors ------------------------------------------------------------------------ */

static void test_types(void) {
    static const struct {
        const char *text;
        uint8_t first, type;
    } cases[] = {
        {"a + b", F, F},
        {"a + b", I, I},
        {"a + b", U, U},
        {"a + e", I, F},
        {"a + f", U, I},
        {"1", F, I},
        {"1.0", I, F},
        {"a + 1", U, U},
        {"a + 1", F, F},
        {"a < b", F, B},
        {"a < 1 ? 2 : 3", F, I},
        {"h ? a : 1", U, U},
        {"h == (a < b)", F, B},
        {"sqrt(a)", I, F},
        {"bits(a)", U, I},
        {"isnan(a)", F, B},
        {"u32(h)", F, U},
        {"a << f", U, U},
        {"min(a, 3)", U, U},
        {"4294967295", F, U},
        {"~1 + a", U, U},
        {"f16(a)", I, F},
        {"1 & 3", F, I},
        {"1e0", U, F},
        {"a + f", L, L},
        {"a + g", L, L},
        {"a + g", M, M},
        {"a + f", M, L},
        {"a + e", M, F},
        {"a << 1", M, M},
        {"1 << a", L, I},
        {"a % 3", L, L},
        {"4294967296", F, L},
        {"i64(g)", F, L},
        {"u64(1)", F, M},
        {"bits(a)", M, I},
        {"a < b", L, B},
        {"a ? f : g", L, I},
        {"9223372036854775808", I, M},
        {"a + 9223372036854775807", U, L},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_formula formula;
        char error[160];
        size_t at;
        bool parsed = parse(cases[i].text, cases[i].first, &formula, error, &at);
        if (!parsed) printf("\n    %s: %s", cases[i].text, error);
        CU_ASSERT_FATAL(parsed);
        CU_ASSERT(formula.nodes[formula.count - 1].type == cases[i].type);
        for (uint32_t k = 0; k < formula.count; k++) /* every literal met something */
            CU_ASSERT(formula.nodes[k].type < RP_TYPE_NUMBER);
        rp_formula_free(heap(), &formula);
    }
}

static void test_errors(void) {
    static const struct {
        const char *text;
        uint32_t at;
        const char *error;
    } cases[] = {
        {"", 0, "expected a number, a name or '(' before the end"},
        {"   ", 3, "before the end"},
        {"a +", 3, "before the end"},
        {"a + * b", 4, "expected a number, a name or '(', found '*'"},
        {"(a + b", 6, "expected ')' or an operator before the end"},
        {"a + b)", 5, "expected an operator, found ')'"},
        {"a b", 2, "expected an operator, found 'b'"},
        {"a + q", 4, "unknown name 'q'"},
        {"a + foo(b)", 4, "unknown function 'foo'"},
        {"1 + min(a)", 4, "min takes 2 arguments, not 1"},
        {"sqrt(a, b)", 0, "sqrt takes 1 argument, not 2"},
        {"sqrt()", 5, "expected a number"},
        {"max(a b)", 6, "expected ')' or ','"},
        {"a < b < c", 6, "comparisons do not chain"},
        {"a == b != c", 7, "comparisons do not chain"},
        {"a ? b", 5, "expected ':'"},
        {"2x", 0, "a number is written like"},
        {"0x10", 0, "a number is written like"},
        {"1.2.3", 0, "a number is written like"},
        {"1e", 1, "expected digits in the exponent"},
        {"a + .", 4, "expected a number"},
        {"a + 18446744073709551616", 4, "larger than 18446744073709551615"},
        {"1e39", 0, "larger than f32 can hold"},
        {"1e999999999999", 0, "larger than f32 can hold"},
        {"a = b", 2, "expected an operator, found '='"},
        {"a \xc3\xa4 b", 2, "expected an operator"},
        {"min", 0, "unknown name 'min'"},
        {"a_very_long_name_that_nobody_would_ever_want_to_see_in_full", 0,
         "unknown name 'a_very_long_name_that_nobody_would_ever_'"},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_formula formula;
        char error[160];
        size_t at = 999;
        rp_status status = rp_formula_parse(heap(), cases[i].text, strlen(cases[i].text), look_up,
                                            NULL, &formula, error, &at);
        bool as_expected = status == RP_ERROR_INVALID && strstr(error, cases[i].error);
        if (!as_expected || at != cases[i].at)
            printf("\n    '%s': %zu: %s", cases[i].text, at, error);
        CU_ASSERT(as_expected && at == cases[i].at && !formula.nodes);
    }
}

static void test_type_errors(void) {
    static const struct {
        const char *text;
        const char *error;
    } cases[] = {
        {"e & 1", "'&' takes integers, not f32"},
        {"e % f", "'%' takes integers, not f32"},
        {"1 << e", "'<<' takes integers, not f32"},
        {"~e", "'~' takes integers, not f32"},
        {"bits(e)", "'bits' takes integers, not f32"},
        {"h + 1", "'+' takes numbers, not a condition"},
        {"sqrt(h)", "'sqrt' takes numbers, not a condition"},
        {"h < h", "'<' takes numbers, not a condition"},
        {"e && h", "'&&' takes conditions and integers (compare with != 0), not f32"},
        {"!e", "'!' takes conditions and integers (compare with != 0), not f32"},
        {"e ? 1 : 2", "'?' takes conditions and integers (compare with != 0), not f32"},
        {"0.5 ? 1 : 2", "'?' takes conditions and integers (compare with != 0), not f32"},
        {"h ? h : 1", "'?' has a number on one side"},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_formula formula;
        char error[160];
        size_t at;
        bool parsed = parse(cases[i].text, F, &formula, error, &at);
        if (parsed || !strstr(error, cases[i].error)) printf("\n    %s: %s", cases[i].text, error);
        CU_ASSERT(!parsed && strstr(error, cases[i].error));
    }
}

/* ---- Limits, memory, cost -------------------------------------------------------------------- */

static rp_status parse_repeated(const char *before, const char *middle, const char *after,
                                uint32_t count, rp_formula *out, char *error) {
    rp_text text;
    size_t at;
    rp_text_init(&text, heap());
    for (uint32_t i = 0; i < count; i++) rp_text_string(&text, before);
    rp_text_string(&text, middle);
    for (uint32_t i = 0; i < count; i++) rp_text_string(&text, after);
    rp_status status =
        rp_formula_parse(heap(), text.data, text.size, look_up, NULL, out, error, &at);
    rp_text_free(&text);
    return status;
}

static void test_limits(void) {
    static const char *const nests[][3] = {
        {"(", "a", ")"}, {"-", "a", ""}, {"abs(", "a", ")"}, {"h ? ", "a", ": a"}};
    rp_formula formula;
    char error[160];
    for (uint32_t i = 0; i < 4; i++) {
        const char *const *n = nests[i];
        CU_ASSERT(parse_repeated(n[0], n[1], n[2], 64, &formula, error) == RP_OK);
        rp_formula_free(heap(), &formula);
        CU_ASSERT(parse_repeated(n[0], n[1], n[2], 65, &formula, error) == RP_ERROR_INVALID);
        CU_ASSERT(strstr(error, "nested deeper than 64") != NULL);
        CU_ASSERT(parse_repeated(n[0], n[1], n[2], 100000, &formula, error) == RP_ERROR_INVALID);
    }
    CU_ASSERT(parse_repeated("", "1", "+1", 255, &formula, error) == RP_OK);
    CU_ASSERT(formula.count == 511);
    uint8_t types[8] = {0};
    const double values[8] = {0};
    CU_ASSERT(rp_formula_check(&formula, types, error));
    CU_ASSERT(rp_formula_eval(&formula, values) == 256);
    rp_formula_free(heap(), &formula);
    CU_ASSERT(parse_repeated("", "1", "+1", 256, &formula, error) == RP_ERROR_INVALID);
    CU_ASSERT(strstr(error, "more than 512 parts") != NULL);
}

static void test_memory(void) {
    static const char text[] = "a + b * c - d < 3 ? min(a, b) : max(c, clamp(d, 1, 2)) + a + b";
    for (uint64_t fail_at = 1;; fail_at++) {
        failing_alloc f = {.fail_at = fail_at};
        rp_allocator a = failing_allocator(&f);
        rp_formula formula;
        char error[160];
        size_t at;
        rp_status status =
            rp_formula_parse(&a, text, sizeof text - 1, look_up, NULL, &formula, error, &at);
        if (status == RP_OK) rp_formula_free(&a, &formula);
        CU_ASSERT(f.live == 0);
        if (status == RP_OK) {
            CU_ASSERT(fail_at > 2);
            break;
        }
        CU_ASSERT(status == RP_ERROR_NO_MEMORY && !formula.nodes);
    }
    /* The text need not be terminated, and a NUL in it is no end. */
    rp_formula formula;
    char error[160];
    size_t at;
    CU_ASSERT(rp_formula_parse(heap(), "a+b", 1, look_up, NULL, &formula, error, &at) == RP_OK);
    CU_ASSERT(formula.count == 1);
    rp_formula_free(heap(), &formula);
    CU_ASSERT(rp_formula_parse(heap(), "a\0b", 3, look_up, NULL, &formula, error, &at) ==
              RP_ERROR_INVALID);
    CU_ASSERT(at == 1);
}

static void test_cost(void) {
    static const struct {
        const char *text;
        double flops;
    } cases[] = {{"a", 0},           {"a * b + c", 2}, {"exp(a)", 8},
                 {"silu(a) * b", 9}, {"round(a)", 1},  {"a < b ? a : b", 2}};
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_formula formula;
        char error[160];
        size_t at;
        CU_ASSERT_FATAL(parse(cases[i].text, F, &formula, error, &at));
        CU_ASSERT(rp_formula_flops(&formula) == cases[i].flops);
        rp_formula_free(heap(), &formula);
    }
}

/* ---- The scale of errors --------------------------------------------------------------------- */

/* The same in f32, as a kernel would. */
static float single_of(uint32_t index, float a, float b, float c) {
    switch (index) {
    case 0: return a - b;
    case 1: return (a + b) * (a - c);
    case 2: return a * b - b * c;
    case 3: return a / (b - c);
    case 4: return expf(a * b);
    case 5: return sqrtf(a * a + b * b) - c;
    case 6: return a / (1 + expf(-a)) * b;
    case 7: return (a + b + c) * (a + b + c);
    default: return tanhf(a - b) * c;
    }
}

static void test_scale(void) {
    static const char *const texts[] = {
        "a - b",          "(a + b) * (a - c)",       "a * b - b * c", "a / (b - c)",
        "exp(a * b)",     "sqrt(a * a + b * b) - c", "silu(a) * b",   "(a + b + c) * (a + b + c)",
        "tanh(a - b) * c"};
    for (uint32_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        rp_formula formula;
        char error[160];
        size_t at;
        CU_ASSERT_FATAL(parse(texts[i], F, &formula, error, &at));
        double largest = 0;
        seed = 31 * i;
        for (uint32_t round = 0; round < 2000; round++) {
            float v[3];
            for (uint32_t k = 0; k < 3; k++) v[k] = (float)random_below(2000000) / 3e5f - 3;
            /* Cancellation: the numbers nearly agree. */
            if (round % 2) v[1] = v[0] * (1 + (float)random_below(9) * 1e-6f);
            if (round % 4 == 1) v[2] = v[1] * (1 - (float)(1 + random_below(9)) * 1e-6f);
            const double values[8] = {v[0], v[1], v[2]};
            double scale, exact = rp_formula_eval_scaled(&formula, values, &scale);
            double found = single_of(i, v[0], v[1], v[2]);
            if (!isfinite(exact) || !isfinite(found)) continue;
            double units = fabs(found - exact) / (scale * FLT_EPSILON);
            if (units > largest) largest = units;
        }
        /* Never more than a few roundings, and not so loose that it says nothing. */
        if (largest > 3 || largest < 0.02) printf("\n    %s: %g", texts[i], largest);
        CU_ASSERT(largest <= 3 && largest >= 0.02);
        rp_formula_free(heap(), &formula);
    }
}

int main(void) {
    static const rp_test tests[] = {{"floats like C", test_floats},
                                    {"NaN, zeros, conversions", test_edges},
                                    {"integers like C", test_integers},
                                    {"random formulas", test_random},
                                    {"types", test_types},
                                    {"errors and where they are", test_errors},
                                    {"operands of a wrong type", test_type_errors},
                                    {"limits", test_limits},
                                    {"memory", test_memory},
                                    {"cost", test_cost},
                                    {"scale of errors", test_scale},
                                    {NULL, NULL}};
    return rp_run_tests("formula", tests);
}
