/* Integer expressions against a tree that is evaluated in 128 bits and written with parentheses
 * everywhere. */
#include "support/unit.h"
#include "support/failing_alloc.h"

#include <inttypes.h>

#include "base/expr.h"

static uint64_t seed;

static uint32_t random_below(uint32_t limit) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % limit);
}

/* ---- The reference --------------------------------------------------------------------------- */

enum { LIVE_BUFFERS = 3, LIVE_ELEMENTS = 4 };
static const char *const live_names[LIVE_BUFFERS] = {"pos", "a.b", "_n2"};

static int64_t live_value(uint32_t buffer, uint32_t element) {
    return (int64_t)buffer * 1000 - (int64_t)element * 7;
}

/* A value and whether it exists: no overflow, no division by zero on the way. */
typedef struct outcome {
    bool ok;
    int64_t value;
} outcome;

static outcome narrow(__int128 value) {
    return (outcome){value >= INT64_MIN && value <= INT64_MAX, (int64_t)value};
}

static __int128 ceiling(__int128 a, __int128 b) {
    __int128 quotient = a / b;
    while (quotient * b != a && (a < 0) == (b < 0)) return quotient + 1;
    return quotient;
}

static outcome combine(const char *op, outcome a, outcome b) {
    if (!a.ok || !b.ok) return (outcome){false, 0};
    __int128 x = a.value, y = b.value;
    switch (*op) {
    case '+': return narrow(x + y);
    case '-': return narrow(x - y);
    case '*': return narrow(x * y);
    case '/': return y ? narrow(x / y) : (outcome){false, 0};
    case '%': return y ? narrow(x % y) : (outcome){false, 0};
    case 'c': return y ? narrow(ceiling(x, y)) : (outcome){false, 0};
    default: return op[1] == 'i' ? narrow(x < y ? x : y) : narrow(x > y ? x : y);
    }
}

static int64_t random_constant(void) {
    static const int64_t odd[] = {0, 1, 2, 64, 1000, INT64_MAX, INT64_MAX - 1, INT32_MAX};
    return odd[random_below(8)];
}

/* Writes a random expression and returns what it is worth. */
static outcome generate(rp_text *text, uint32_t depth) {
    static const char *const ops[] = {"+", "-", "*", "/", "%", "min", "max", "ceil_div"};
    uint32_t kind = depth == 0 ? random_below(3) : random_below(12);
    if (kind == 0) {
        int64_t value = random_constant();
        bool negative = random_below(3) == 0;
        rp_text_format(text, "%s%" PRId64, negative ? "-" : "", value);
        return (outcome){true, negative ? -value : value};
    }
    if (kind <= 2) {
        uint32_t buffer = random_below(LIVE_BUFFERS), element = random_below(LIVE_ELEMENTS);
        rp_text_format(text, element || random_below(2) ? "$%s [ %u ]" : "$%s", live_names[buffer],
                       element);
        return (outcome){true, live_value(buffer, element)};
    }
    if (kind == 3) {
        rp_text_string(text, "-(");
        outcome a = generate(text, depth - 1);
        rp_text_char(text, ')');
        return a.ok ? narrow(-(__int128)a.value) : a;
    }
    const char *op = ops[kind - 4];
    bool call = kind - 4 >= 5;
    rp_text_format(text, "%s(", call ? op : "");
    outcome a = generate(text, depth - 1);
    rp_text_format(text, call ? ", " : ") %s (", op);
    outcome b = generate(text, depth - 1);
    rp_text_char(text, ')');
    return combine(op, a, b);
}

/* ---- Callbacks ------------------------------------------------------------------------------- */

static bool resolve(void *context, const char *name, size_t length, uint32_t element,
                    rp_expr_op *out) {
    (void)context;
    if (length == 1 && *name == 'n') {
        *out = (rp_expr_op){.code = RP_EXPR_CONST, .value = -12};
        return true;
    }
    for (uint32_t i = 0; i < LIVE_BUFFERS; i++)
        if (*name == '$' && strlen(live_names[i]) == length - 1 &&
            memcmp(live_names[i], name + 1, length - 1) == 0) {
            *out = (rp_expr_op){.code = RP_EXPR_LIVE, .element = (uint16_t)element, .buffer = i};
            return true;
        }
    return false;
}

static bool live(void *context, uint32_t buffer, uint32_t element, int64_t *out) {
    (void)context;
    *out = live_value(buffer, element);
    return buffer < LIVE_BUFFERS && element < LIVE_ELEMENTS;
}

static const char *name(void *context, uint32_t buffer) {
    (void)context;
    return live_names[buffer];
}

static rp_status parse(const char *text, rp_expr *out, char *error, size_t *at) {
    rp_allocator a = rp_allocator_or_default(NULL);
    return rp_expr_parse(&a, text, strlen(text), resolve, NULL, out, error, at);
}

static void release(rp_expr *expr) {
    rp_allocator a = rp_allocator_or_default(NULL);
    rp_expr_free(&a, expr);
}

static bool same_code(const rp_expr *x, const rp_expr *y) {
    bool same = x->count == y->count;
    for (uint32_t i = 0; same && i < x->count; i++)
        same = x->ops[i].code == y->ops[i].code && x->ops[i].value == y->ops[i].value &&
               x->ops[i].buffer == y->ops[i].buffer && x->ops[i].element == y->ops[i].element;
    return same;
}

/* Prints to text and expects that to parse to the same code. */
static void round_trip(const rp_expr *expr, char **out_text) {
    rp_text text;
    rp_expr again;
    char error[128];
    size_t at;
    rp_text_init(&text, NULL);
    rp_expr_print(&text, expr->ops, expr->count, name, NULL);
    CU_ASSERT_EQUAL_FATAL(rp_text_take(&text, out_text, NULL), RP_OK);
    CU_ASSERT_EQUAL(parse(*out_text, &again, error, &at), RP_OK);
    CU_ASSERT(same_code(expr, &again));
    release(&again);
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static void against_reference(void) {
    uint32_t failed = 0, valued = 0;
    for (seed = 1; seed < 4000;) {
        uint64_t own = seed;
        rp_text text;
        rp_expr expr;
        char error[128], *source, *printed;
        const char *why;
        size_t at;
        rp_text_init(&text, NULL);
        outcome want = generate(&text, 6);
        seed = own + 1;
        CU_ASSERT_EQUAL_FATAL(rp_text_take(&text, &source, NULL), RP_OK);
        rp_status status = parse(source, &expr, error, &at);
        CU_ASSERT_EQUAL(status, RP_OK);
        int64_t got = 0;
        bool ok = rp_expr_eval(expr.ops, expr.count, live, NULL, &got, &why);
        CU_ASSERT(rp_expr_valid(expr.ops, expr.count, LIVE_BUFFERS));
        CU_ASSERT(ok == want.ok && (!ok || got == want.value) && ok == (why == NULL));
        round_trip(&expr, &printed);
        if (status != RP_OK || ok != want.ok || (ok && got != want.value))
            printf("seed %" PRIu64 ": %s\n", own, source);
        valued += ok;
        failed += !ok;
        free(source);
        free(printed);
        release(&expr);
    }
    CU_ASSERT(valued > 1000 && failed > 100); /* the generator reaches both */
}

static void spelling(void) {
    static const char *const forms[][2] = {
        {"1+2*3", "1 + 2 * 3"},
        {"(1+2)*3", "(1 + 2) * 3"},
        {"1-(2-3)", "1 - (2 - 3)"},
        {"(1-2)-3", "1 - 2 - 3"},
        {"8/(4/2)%3", "8 / (4 / 2) % 3"},
        {"-5", "-5"},
        {"- 5", "-5"},
        {"-(5)", "-(5)"},
        {"--$pos", "--$pos"},
        {"-(-5)", "-(-5)"},
        {"1- -5", "1 - -5"},
        {"-($pos+1)", "-($pos + 1)"},
        {"-$pos*2", "-$pos * 2"},
        {"ceil_div( $pos[0],64 )", "ceil_div($pos, 64)"},
        {"min(1,max($a.b[3],2))", "min(1, max($a.b[3], 2))"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"n", "-12"},
        {"3-n", "3 - -12"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        rp_expr expr;
        char error[128], *printed;
        size_t at;
        CU_ASSERT_EQUAL_FATAL(parse(forms[i][0], &expr, error, &at), RP_OK);
        round_trip(&expr, &printed);
        CU_ASSERT_STRING_EQUAL(printed, forms[i][1]);
        free(printed);
        release(&expr);
    }
}

static void rounding(void) {
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {{"ceil_div(7, 2)", 4},   {"ceil_div(8, 2)", 4},
                 {"ceil_div(-7, 2)", -3}, {"ceil_div(7, -2)", -3},
                 {"ceil_div(-7, -2)", 4}, {"ceil_div(0, 5)", 0},
                 {"-7 / 2", -3},          {"-7 % 2", -1},
                 {"7 % -1", 0},           {"(-9223372036854775808) % -1", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_expr expr;
        char error[128];
        const char *why;
        size_t at;
        int64_t got = 0;
        CU_ASSERT_EQUAL_FATAL(parse(cases[i].text, &expr, error, &at), RP_OK);
        CU_ASSERT(rp_expr_eval(expr.ops, expr.count, NULL, NULL, &got, &why));
        CU_ASSERT_EQUAL(got, cases[i].value);
        release(&expr);
    }
}

static void no_value(void) {
    static const char *const cases[][2] = {
        {"1 / 0", "division by zero"},           {"1 % (3 - 3)", "division by zero"},
        {"ceil_div(1, 0)", "division by zero"},  {"9223372036854775807 + 1", "overflow"},
        {"-(-9223372036854775808)", "overflow"}, {"-9223372036854775808 / -1", "overflow"},
        {"4294967296 * 4294967296", "overflow"}, {"$pos[9]", "a live value does not exist"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_expr expr;
        char error[128];
        const char *why;
        size_t at;
        int64_t got = 7;
        CU_ASSERT_EQUAL_FATAL(parse(cases[i][0], &expr, error, &at), RP_OK);
        CU_ASSERT(!rp_expr_eval(expr.ops, expr.count, live, NULL, &got, &why));
        CU_ASSERT_STRING_EQUAL(why, cases[i][1]);
        CU_ASSERT_EQUAL(got, 7);
        release(&expr);
    }
}

static void wrong_text(void) {
    static const struct {
        const char *text;
        size_t at;
        const char *message;
    } cases[] = {
        {"", 0, "the expression ends where a value is expected"},
        {"1 +", 3, "the expression ends where a value is expected"},
        {"1 2", 2, "expected an operator"},
        {"(1", 2, "expected ')' before the end of the expression"},
        {"(1]", 2, "expected ')'"},
        {"1)", 1, "expected an operator"},
        {"&", 0, "expected a number, a name or '('"},
        {"1 + x", 4, "unknown name 'x'"},
        {"$", 0, "expected a name behind '$'"},
        {"$9", 0, "expected a name behind '$'"},
        {"$pos[", 5, "expected a number"},
        {"$pos[1", 6, "expected ']' before the end of the expression"},
        {"$pos[65536]", 5, "the number is larger than 65535"},
        {"9223372036854775808", 0, "the number is larger than 9223372036854775807"},
        {"99999999999999999999999", 0, "the number is larger than 9223372036854775807"},
        {"12px", 0, "a number must be decimal digits"},
        {"0x10", 0, "a number must be decimal digits"},
        {"min(1)", 5, "expected ','"},
        {"min(1, 2, 3)", 8, "expected ')'"},
        {"pow(1, 2)", 0, "unknown function 'pow'; there are min, max and ceil_div"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_expr expr = {.count = 7};
        char error[128];
        size_t at = 99;
        CU_ASSERT_EQUAL(parse(cases[i].text, &expr, error, &at), RP_ERROR_INVALID);
        CU_ASSERT_STRING_EQUAL(error, cases[i].message);
        CU_ASSERT_EQUAL(at, cases[i].at);
        CU_ASSERT(expr.ops == NULL && expr.count == 0);
    }
}

/* Nothing that is deep or long reaches the machine's stack. */
static void bounds(void) {
    enum { LONG = 100000 };
    static const char *const units[][2] = {{"(", "nested too deeply"},
                                           {"-", "nested too deeply"},
                                           {"min(", "nested too deeply"},
                                           {"1+", "longer than 1024 steps"},
                                           {"1+(", "needs more than 32 operands"}};
    for (size_t i = 0; i < 5; i++) {
        rp_text text;
        rp_expr expr;
        char *source, error[128];
        size_t at;
        rp_text_init(&text, NULL);
        for (int k = 0; k < LONG; k++) rp_text_string(&text, units[i][0]);
        rp_text_string(&text, "$pos");
        CU_ASSERT_EQUAL_FATAL(rp_text_take(&text, &source, NULL), RP_OK);
        CU_ASSERT_EQUAL(parse(source, &expr, error, &at), RP_ERROR_INVALID);
        CU_ASSERT_PTR_NOT_NULL(strstr(error, units[i][1]));
        if (!strstr(error, units[i][1])) printf("%s: %s\n", units[i][0], error);
        free(source);
    }
}

static void validity(void) {
    const rp_expr_op one = {.code = RP_EXPR_CONST, .value = 1}, add = {.code = RP_EXPR_ADD},
                     neg = {.code = RP_EXPR_NEG}, unknown = {.code = 99},
                     l = {.code = RP_EXPR_LIVE, .buffer = 2};
    CU_ASSERT(!rp_expr_valid(NULL, 0, 0));
    CU_ASSERT(rp_expr_valid((rp_expr_op[]){one}, 1, 0));
    CU_ASSERT(!rp_expr_valid((rp_expr_op[]){one, one}, 2, 0));
    CU_ASSERT(!rp_expr_valid((rp_expr_op[]){one, add}, 2, 0));
    CU_ASSERT(!rp_expr_valid((rp_expr_op[]){neg}, 1, 0));
    CU_ASSERT(rp_expr_valid((rp_expr_op[]){one, neg}, 2, 0));
    CU_ASSERT(!rp_expr_valid((rp_expr_op[]){one, unknown}, 2, 0));
    CU_ASSERT(rp_expr_valid(&l, 1, 3) && !rp_expr_valid(&l, 1, 2));
    rp_expr_op deep[2 * RP_EXPR_STACK + 1];
    for (uint32_t i = 0; i <= RP_EXPR_STACK; i++) deep[i] = one;
    for (uint32_t i = 0; i < RP_EXPR_STACK; i++) deep[RP_EXPR_STACK + 1 + i] = add;
    CU_ASSERT(rp_expr_valid(deep + 1, 2 * RP_EXPR_STACK - 1, 0));
    CU_ASSERT(!rp_expr_valid(deep, 2 * RP_EXPR_STACK + 1, 0));
}

static void without_memory(void) {
    const char *source = "1+2+3+4+5+6+7+8+9+10+11+12";
    for (uint64_t n = 1; n < 6; n++) {
        failing_alloc f = {.fail_at = n, .stay = true};
        rp_allocator a = failing_allocator(&f);
        rp_expr expr;
        char error[128];
        size_t at;
        rp_status status = rp_expr_parse(&a, source, strlen(source), NULL, NULL, &expr, error, &at);
        CU_ASSERT_EQUAL(status, f.requests >= n ? RP_ERROR_NO_MEMORY : RP_OK);
        rp_expr_free(&a, &expr);
        CU_ASSERT_EQUAL(f.live, 0);
    }
}

int main(void) {
    static const rp_test tests[] = {{"against a reference", against_reference},
                                    {"spelling", spelling},
                                    {"rounding", rounding},
                                    {"no value", no_value},
                                    {"wrong text", wrong_text},
                                    {"bounds", bounds},
                                    {"validity", validity},
                                    {"without memory", without_memory},
                                    {NULL, NULL}};
    return rp_run_tests("expressions", tests);
}
