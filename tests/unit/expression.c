/* Expressions of pipelines: a table of what they are worth, and random ones against the compiler's
 * own arithmetic in 128 bits. */
#include "support/unit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "yaml/expression.h"

static bool resolve(void *context, const char *name, size_t length, uint32_t element,
                    rp_value *out) {
    (void)context;
    bool known = true;
    if (length == 1 && *name == 'n')
        *out = rp_value_integer(6);
    else if (length == 1 && *name == 'h')
        *out = rp_value_real(0.5);
    else if (length == 1 && *name == 'v')
        *out = (rp_value){.kind = RP_VALUE_LIVE, .buffer = 3, .element = element};
    else
        known = false;
    return known;
}

static const char *live_name(void *context, uint32_t buffer) {
    (void)context;
    return buffer == 3 ? "v" : "?";
}

/* The value as text, a live one as its steps, or what is wrong. */
static void compute(const char *expression, char *out, size_t size) {
    rp_value value;
    rp_expr code;
    rp_expression_error error;
    rp_text text;
    rp_text_init(&text, NULL);
    rp_status status = rp_expression_read(&(rp_allocator){0}, "", 0, resolve, NULL, &value, &code,
                                          &error); /* nothing is allocated for a number */
    CU_ASSERT_EQUAL(status, RP_ERROR_INVALID);
    rp_allocator a = rp_allocator_or_default(NULL);
    status = rp_expression_read(&a, expression, strlen(expression), resolve, NULL, &value, &code,
                                &error);
    if (status != RP_OK)
        rp_text_format(&text, "%zu: %s", error.at, error.text);
    else if (value.kind == RP_VALUE_LIVE)
        rp_expr_print(&text, code.ops, code.count, live_name, NULL);
    else
        rp_value_print(&text, &value);
    snprintf(out, size, "%s", text.data);
    rp_text_free(&text);
    rp_expr_free(&a, &code);
}

static void test_table(void) {
    static const char *const table[][2] = {
        {"1 + 2 * 3", "7"},
        {"(1 + 2) * 3", "9"},
        {"-7 / 2", "-3"},
        {"-7 % 2", "-1"},
        {"ceil_div(7, 2)", "4"},
        {"7 / 2.0", "3.5"},
        {"n / 4", "1"},
        {"n * h", "3.0"},
        {"1e3", "1000.0"},
        {".5 + 1.", "1.5"},
        {"1e20 * 10", "1e21"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"9223372036854775807 + 1", "0: overflow"},
        {"-9223372036854775808 / -1", "0: overflow"},
        {"9223372036854775808", "0: the number is larger than 9223372036854775807"},
        {"1 < 2 == 1", "6: comparisons do not chain: use && or parentheses"},
        {"(1 < 2) == 1", "1"},
        {"1 | 2 == 2", "1"},
        {"6 & 3 ^ 1", "3"},
        {"1 << 3 + 1", "16"},
        {"-16 >> 2", "-4"},
        {"-1 >> 100", "-1"},
        {"1 << 62", "4611686018427387904"},
        {"1 << 63", "0: overflow"},
        {"0 << 99", "0"},
        {"1 << -1", "0: a shift by less than 0"},
        {"!0 + !5 + !h", "1"},
        {"~5", "-6"},
        {"~h", "0: '~' of a float"},
        {"h % 2", "0: a float where only integers can be computed with"},
        {"h && 0.0 || n", "1"},
        {"0 && 1 / 0", "0"},
        {"1 || 1 / 0", "1"},
        {"0 ? 1 / 0 : 1 ? 2 : 3", "2"},
        {"1 ? 2 : 1 / 0 + x", "16: unknown name 'x'"},
        {"1 ? 1 / 0 : 2", "0: division by zero"},
        {"1.0 / 0", "0: division by zero"},
        {"floor(-0.5)", "-1"},
        {"ceil(-0.5)", "0"},
        {"round(2.5) + round(3.5)", "6"},
        {"trunc(-2.9)", "-2"},
        {"floor(7)", "7"},
        {"floor(1e19)", "0: a float that no integer can hold"},
        {"abs(-3) + abs(-0.5)", "3.5"},
        {"abs(-9223372036854775807 - 1)", "0: overflow"},
        {"min(2, 3) + max(0.5, 2)", "4.0"},
        {"pow(3, 4)", "81"},
        {"pow(-2, 63)", "-9223372036854775808"},
        {"pow(2, 63)", "0: overflow"},
        {"pow(2, -1)", "0.5"},
        {"pow(0, 0) + pow(0, 1)", "1"},
        {"sqrt(16)", "4.0"},
        {"sqrt(-1)", "0: no finite result"},
        {"log2(1024) + log(1) + exp(0) + exp2(3)", "19.0"},
        {"sin(0) + cos(0) + tan(0)", "1.0"},
        {"exp(1000)", "0: no finite result"},
        {"v", "$v"},
        {"v[2] * (n - 2)", "$v[2] * 4"},
        {"(n - 2) / v", "4 / $v"},
        {"n - (1 - v)", "6 - (1 - $v)"},
        {"ceil_div(v, 64) * min(v[1], n * 2)", "ceil_div($v, 64) * min($v[1], 12)"},
        {"0 ? v : 3", "3"},
        {"1 ? v : v[1] + v", "$v"},
        {"-v % 3", "-$v % 3"},
        {"v + h", "5: computing with live values takes integers, not floats"},
        {"v > 1", "5: live values are computed with + - * / %, min, max and ceil_div alone"},
        {"v ? 1 : 2",
         "2: a condition is fixed when the pipeline is compiled: it cannot depend on a live value"},
        {"1 +", "3: the expression ends where a value is expected"},
        {"1 2", "2: expected an operator"},
        {"(1", "2: expected ')' before the end of the expression"},
        {"n[", "2: expected a number"},
        {"min(1)", "0: min takes 2 arguments, not 1"},
        {"1x", "0: a number is written like 12, 0.5 or 1e-6"},
        {"1e", "0: a number is written like 12, 0.5 or 1e-6"},
        {"1 ? 2", "5: expected ':' before the end of the expression"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char got[256];
        compute(table[i][0], got, sizeof got);
        if (strcmp(got, table[i][1]) != 0)
            printf("%s: expected '%s', got '%s'\n", table[i][0], table[i][1], got);
        CU_ASSERT_STRING_EQUAL(got, table[i][1]);
    }
}

static void test_nesting(void) {
    static const char *const parts[] = {"(", "-", "1 ? 1 : ", "min(1,", "!(0,"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char text[2048] = "", got[256];
        for (int k = 0; k < 200; k++) strcat(text, parts[i]);
        compute(text, got, sizeof got);
        CU_ASSERT_PTR_NOT_NULL(strchr(got, ':'));
    }
}

/* ---- Random expressions ---------------------------------------------------------------------- */

static uint64_t state = 88172645463325252u;

static uint32_t next(uint32_t limit) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state % limit);
}

/* A value that is none: an overflow, a division by zero. */
typedef struct number {
    __int128 value;
    bool bad;
} number;

static bool fits(__int128 value) {
    return value >= INT64_MIN && value <= INT64_MAX;
}

static number combine(uint32_t code, number a, number b) {
    number out = {.bad = a.bad || b.bad};
    if (out.bad) return out;
    switch (code) {
    case 0: out.value = a.value + b.value; break;
    case 1: out.value = a.value - b.value; break;
    case 2: out.value = a.value * b.value; break;
    case 3: out.bad = b.value == 0; break;
    case 4: out.value = a.value < b.value; break;
    case 5: out.value = a.value == b.value; break;
    case 6: out.value = a.value & b.value; break;
    case 7: out.value = a.value ^ b.value; break;
    }
    if (code == 3 && !out.bad) out.value = a.value / b.value;
    out.bad |= !fits(out.value);
    return out;
}

static number write_random(rp_text *text, uint32_t depth) {
    static const char *const signs[] = {"+", "-", "*", "/", "<", "==", "&", "^"};
    if (depth == 0 || next(5) == 0) {
        int64_t value = next(4) ? (int64_t)next(9) : (int64_t)(state >> (1 + next(60)));
        rp_text_format(text, "%" PRId64, value);
        return (number){value, false};
    }
    if (next(5) == 0) {
        rp_text_string(text, "(");
        number condition = write_random(text, depth - 1);
        rp_text_string(text, " ? ");
        number then = write_random(text, depth - 1);
        rp_text_string(text, " : ");
        number other = write_random(text, depth - 1);
        rp_text_string(text, ")");
        return condition.bad ? condition : condition.value ? then : other;
    }
    uint32_t code = next(8);
    rp_text_string(text, "(");
    number a = write_random(text, depth - 1);
    rp_text_format(text, " %s ", signs[code]);
    number b = write_random(text, depth - 1);
    rp_text_string(text, ")");
    return combine(code, a, b);
}

static void test_random(void) {
    uint32_t good = 0;
    for (int i = 0; i < 20000; i++) {
        char got[256], expected[64];
        rp_text text;
        rp_text_init(&text, NULL);
        number value = write_random(&text, 5);
        compute(text.data, got, sizeof got);
        snprintf(expected, sizeof expected, "%" PRId64, (int64_t)value.value);
        bool same = value.bad ? strncmp(got, "0: ", 3) == 0 : strcmp(got, expected) == 0;
        if (!same) printf("%s: got %s\n", text.data, got);
        CU_ASSERT_TRUE(same);
        good += !value.bad;
        rp_text_free(&text);
    }
    CU_ASSERT_TRUE(good > 5000 && good < 20000);
}

int main(void) {
    static const rp_test tests[] = {
        {"table", test_table}, {"nesting", test_nesting}, {"random", test_random}, {0}};
    return rp_run_tests("expressions of pipelines", tests);
}
