/* Formulas: the parser; see formula.h for the language.
 *
 * Binary operators are parsed by precedence climbing, one loop for all seven levels, and nodes are
 * appended when their operands are complete: the array is in evaluation order, so nobody who reads
 * it needs a stack or recursion. What recurses is the parser alone, once for each parenthesis,
 * sign, function or '?', and that is counted: "((((..." ends in a message.
 *
 * Numbers are read here and not by strtod, which would expect a comma in some locales. */
#include "ops/formula.h"

#include <math.h>
#include <stdio.h>

typedef struct parser {
    const rp_allocator *a;
    const char *text;
    size_t size, at;
    rp_formula_lookup *lookup;
    void *context;
    rp_formula formula;
    uint32_t nesting;
    rp_status status; /* what went wrong first */
    char *error;
    size_t error_at;
} parser;

enum { ERROR_SIZE = 160, NAME_SHOWN = 40 };

RP_PRINTF(3, 4) static bool fail(parser *p, size_t at, const char *format, ...) {
    if (p->status != RP_OK) return false;
    va_list args;
    va_start(args, format);
    vsnprintf(p->error, ERROR_SIZE, format, args);
    va_end(args);
    p->error_at = at;
    p->status = RP_ERROR_INVALID;
    return false;
}

static bool emit(parser *p, rp_formula_node node, uint32_t *out) {
    rp_formula *f = &p->formula;
    if (f->count == RP_FORMULA_MAX_NODES)
        return fail(p, p->at, "the formula has more than %d parts", RP_FORMULA_MAX_NODES);
    if (!RP_RESERVE(p->a, f->nodes, f->count, f->capacity, 1)) {
        p->status = RP_ERROR_NO_MEMORY;
        return false;
    }
    node.type = RP_TYPE_NUMBER; /* until rp_formula_check */
    f->nodes[f->count] = node;
    *out = f->count++;
    return true;
}

static bool enter(parser *p) {
    if (p->nesting == RP_FORMULA_MAX_DEPTH)
        return fail(p, p->at, "the formula is nested deeper than %d", RP_FORMULA_MAX_DEPTH);
    p->nesting++;
    return true;
}

/* ---- Characters ------------------------------------------------------------------------------ */

/* The next character that is not a space, '\0' at the end. */
static char peek(parser *p) {
    while (p->at < p->size && (p->text[p->at] == ' ' || p->text[p->at] == '\t' ||
                               p->text[p->at] == '\n' || p->text[p->at] == '\r'))
        p->at++;
    return p->at < p->size ? p->text[p->at] : '\0';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static char char_at(const parser *p, size_t at) {
    return at < p->size ? p->text[at] : '\0';
}

/* What stands where something else was expected. */
static bool unexpected(parser *p, const char *expected) {
    char c = peek(p);
    if (p->at == p->size) return fail(p, p->at, "expected %s before the end", expected);
    if (c < ' ' || c > '~') return fail(p, p->at, "expected %s", expected);
    return fail(p, p->at, "expected %s, found '%c'", expected, c);
}

static bool expect(parser *p, char c, const char *named) {
    if (peek(p) != c) return unexpected(p, named);
    p->at++;
    return true;
}

bool rp_formula_place(const char *name, size_t length, uint32_t *out) {
    *out = RP_FORMULA_INDEX;
    if (length == 5 && memcmp(name, "index", 5) == 0) return true;
    if (length != 2 || name[0] != 'i' || !is_digit(name[1])) return false;
    *out = (uint32_t)(name[1] - '0');
    return *out < RP_MAX_RANK;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

/* Reads digits into a mantissa that is exact up to 18 digits; later ones only count. */
static void read_digits(parser *p, uint64_t *mantissa, int64_t *dropped, int64_t *count) {
    for (; is_digit(char_at(p, p->at)); p->at++, (*count)++) {
        if (*mantissa < UINT64_C(100000000000000000))
            *mantissa = *mantissa * 10 + (uint64_t)(p->text[p->at] - '0');
        else
            (*dropped)++;
    }
}

/* mantissa * 10^exponent. The powers are made in extended precision, so that what is lost there
 * does not reach the double. */
static double scale_decimal(uint64_t mantissa, int64_t exponent) {
    if (mantissa == 0 || exponent < -400) return 0;
    if (exponent > 400) return INFINITY;
    long double value = mantissa, power = 1, base = 10;
    for (uint64_t left = (uint64_t)(exponent < 0 ? -exponent : exponent); left; left >>= 1) {
        if (left & 1) power *= base;
        base *= base;
    }
    return (double)(exponent < 0 ? value / power : value * power);
}

static bool read_exponent(parser *p, int64_t *exponent) {
    size_t begin = p->at++;
    bool negative = char_at(p, p->at) == '-';
    if (negative || char_at(p, p->at) == '+') p->at++;
    int64_t value = 0, digits = 0;
    for (; is_digit(char_at(p, p->at)); p->at++, digits++)
        if (value < 100000) value = value * 10 + (p->text[p->at] - '0');
    if (digits == 0) return fail(p, begin, "expected digits in the exponent");
    *exponent += negative ? -value : value;
    return true;
}

/* The digits from `begin` on as an integer of 64 bits. */
static bool read_whole(parser *p, size_t begin, uint64_t *out) {
    for (*out = 0; begin < p->at; begin++) {
        uint64_t digit = (uint64_t)(p->text[begin] - '0');
        if (*out > (UINT64_MAX - digit) / 10) return false;
        *out = *out * 10 + digit;
    }
    return true;
}

static bool parse_number(parser *p, uint32_t *out) {
    size_t begin = p->at;
    uint64_t mantissa = 0, value = 0;
    int64_t dropped = 0, whole = 0, fraction = 0;
    bool integer = true;
    read_digits(p, &mantissa, &dropped, &whole);
    int64_t exponent = dropped;
    if (char_at(p, p->at) == '.') {
        integer = false;
        p->at++;
        dropped = 0;
        read_digits(p, &mantissa, &dropped, &fraction);
        exponent -= fraction - dropped;
    }
    if (whole + fraction == 0) return fail(p, begin, "expected a number");
    if (char_at(p, p->at) == 'e' || char_at(p, p->at) == 'E') {
        integer = false;
        if (!read_exponent(p, &exponent)) return false;
    }
    if (is_letter(char_at(p, p->at)) || char_at(p, p->at) == '.')
        return fail(p, begin, "a number is written like 12, 0.5 or 1e-6");
    double number = scale_decimal(mantissa, exponent);
    if (integer && !read_whole(p, begin, &value))
        return fail(p, begin, "the integer is larger than %llu: write it with a '.'",
                    (unsigned long long)UINT64_MAX);
    if (isinf((float)number)) return fail(p, begin, "the number is larger than f32 can hold");
    return emit(p,
                (rp_formula_node){.code = RP_FORMULA_NUMBER,
                                  .integer = integer,
                                  .number = integer ? (double)value : number,
                                  .whole = value},
                out);
}

/* ---- Names and functions --------------------------------------------------------------------- */

typedef struct function {
    const char *name;
    uint8_t code, arity;
} function;

static const function functions[] = {
#define RP_X(name, arity, floats) {#name, RP_FORMULA_##name, arity},
    RP_FORMULA_FUNCTIONS(RP_X)
#undef RP_X
};

enum { FUNCTION_COUNT = sizeof functions / sizeof *functions };

static bool is_word(const char *word, const char *text, size_t length) {
    return strncmp(word, text, length) == 0 && word[length] == '\0';
}

static bool parse_formula(parser *p, uint32_t *out);

static bool parse_call(parser *p, size_t begin, size_t length, uint32_t *out) {
    const char *name = p->text + begin;
    const function *f = NULL;
    for (uint32_t i = 0; i < FUNCTION_COUNT && !f; i++)
        if (is_word(functions[i].name, name, length)) f = functions + i;
    int shown = length < NAME_SHOWN ? (int)length : NAME_SHOWN;
    if (!f) return fail(p, begin, "unknown function '%.*s'", shown, name);
    rp_formula_node node = {.code = f->code};
    uint32_t count = 0;
    for (bool more = true; more; more = peek(p) == ',', count++) {
        uint32_t arg;
        p->at++; /* the parenthesis or the comma */
        if (!parse_formula(p, &arg)) return false;
        if (count < f->arity) node.args[count] = arg;
    }
    if (!expect(p, ')', "')' or ','")) return false;
    if (count != f->arity)
        return fail(p, begin, "%s takes %u argument%s, not %u", f->name, f->arity,
                    f->arity == 1 ? "" : "s", count);
    return emit(p, node, out);
}

static bool parse_name(parser *p, uint32_t *out) {
    size_t begin = p->at;
    const char *name = p->text + begin;
    while (is_letter(char_at(p, p->at)) || is_digit(char_at(p, p->at))) p->at++;
    size_t length = p->at - begin;
    if (peek(p) == '(') {
        if (!enter(p) || !parse_call(p, begin, length, out)) return false;
        p->nesting--;
        return true;
    }
    rp_formula_node node = {.code = RP_FORMULA_NUMBER};
    if (is_word("inf", name, length)) {
        node.number = INFINITY;
    } else if (is_word("nan", name, length)) {
        node.number = NAN;
    } else if (is_word("pi", name, length)) {
        node.number = 3.14159265358979323846;
    } else {
        node.code = RP_FORMULA_NAME;
        if (!p->lookup || !p->lookup(p->context, name, length, &node.name))
            return fail(p, begin, "unknown name '%.*s'",
                        length < NAME_SHOWN ? (int)length : NAME_SHOWN, name);
    }
    return emit(p, node, out);
}

/* ---- Operators ------------------------------------------------------------------------------- */

static bool parse_unary(parser *p, uint32_t *out) {
    char c = peek(p);
    if (is_digit(c) || c == '.') return parse_number(p, out);
    if (is_letter(c)) return parse_name(p, out);
    rp_formula_node node = {0};
    if (c == '-') node.code = RP_FORMULA_NEGATE;
    if (c == '!') node.code = RP_FORMULA_NOT;
    if (c == '~') node.code = RP_FORMULA_INVERT;
    if (c != '(' && node.code == 0) return unexpected(p, "a number, a name or '('");
    if (!enter(p)) return false;
    p->at++;
    if (c == '(') {
        if (!parse_formula(p, out) || !expect(p, ')', "')' or an operator")) return false;
    } else if (!parse_unary(p, node.args) || !emit(p, node, out)) {
        return false;
    }
    p->nesting--;
    return true;
}

/* Longer ones first: "<<" is not "<". */
static const rp_formula_operator operators[] = {
    {"||", RP_FORMULA_EITHER, RP_LEVEL_EITHER}, {"&&", RP_FORMULA_BOTH, RP_LEVEL_BOTH},
    {"<<", RP_FORMULA_LEFT, RP_LEVEL_SHIFT},    {">>", RP_FORMULA_RIGHT, RP_LEVEL_SHIFT},
    {"<=", RP_FORMULA_LE, RP_LEVEL_COMPARE},    {">=", RP_FORMULA_GE, RP_LEVEL_COMPARE},
    {"==", RP_FORMULA_EQ, RP_LEVEL_COMPARE},    {"!=", RP_FORMULA_NE, RP_LEVEL_COMPARE},
    {"<", RP_FORMULA_LT, RP_LEVEL_COMPARE},     {">", RP_FORMULA_GT, RP_LEVEL_COMPARE},
    {"&", RP_FORMULA_AND, RP_LEVEL_BITS},       {"|", RP_FORMULA_OR, RP_LEVEL_BITS},
    {"^", RP_FORMULA_XOR, RP_LEVEL_BITS},       {"+", RP_FORMULA_ADD, RP_LEVEL_SUM},
    {"-", RP_FORMULA_SUB, RP_LEVEL_SUM},        {"*", RP_FORMULA_MUL, RP_LEVEL_PRODUCT},
    {"/", RP_FORMULA_DIV, RP_LEVEL_PRODUCT},    {"%", RP_FORMULA_MOD, RP_LEVEL_PRODUCT},
};

const rp_formula_operator *rp_formula_operator_at(const char *text, size_t size) {
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        size_t length = strlen(operators[i].text);
        if (size >= length && memcmp(operators[i].text, text, length) == 0) return operators + i;
    }
    return NULL;
}

static const rp_formula_operator *peek_operator(parser *p) {
    peek(p);
    return rp_formula_operator_at(p->text + p->at, p->size - p->at);
}

/* Operators of `level` and those that bind tighter. */
static bool parse_binary(parser *p, uint8_t level, uint32_t *out) {
    const rp_formula_operator *found;
    bool compared = false;
    if (!parse_unary(p, out)) return false;
    while ((found = peek_operator(p)) && found->level >= level) {
        if (found->level == RP_LEVEL_COMPARE && compared)
            return fail(p, p->at, "comparisons do not chain: use && or parentheses");
        compared = found->level == RP_LEVEL_COMPARE;
        rp_formula_node node = {.code = found->code, .args = {*out}};
        p->at += strlen(found->text);
        if (!parse_binary(p, (uint8_t)(found->level + 1), node.args + 1) || !emit(p, node, out))
            return false;
    }
    return true;
}

static bool parse_formula(parser *p, uint32_t *out) {
    if (!parse_binary(p, RP_LEVEL_EITHER, out)) return false;
    if (peek(p) != '?') return true;
    rp_formula_node node = {.code = RP_FORMULA_SELECT, .args = {*out}};
    if (!enter(p)) return false;
    p->at++;
    if (!parse_formula(p, node.args + 1) || !expect(p, ':', "':' or an operator") ||
        !parse_formula(p, node.args + 2) || !emit(p, node, out))
        return false;
    p->nesting--;
    return true;
}

rp_status rp_formula_parse(const rp_allocator *a, const char *text, size_t size,
                           rp_formula_lookup *lookup, void *context, rp_formula *out, char *error,
                           size_t *error_at) {
    parser p = {
        .a = a, .text = text, .size = size, .lookup = lookup, .context = context, .error = error};
    uint32_t root;
    *out = (rp_formula){0};
    *error = '\0';
    if (parse_formula(&p, &root) && p.at < p.size) unexpected(&p, "an operator");
    if (p.status == RP_OK) {
        *out = p.formula;
        return RP_OK;
    }
    rp_formula_free(a, &p.formula);
    *error_at = p.error_at;
    return p.status;
}

void rp_formula_free(const rp_allocator *a, rp_formula *formula) {
    rp_release(a, formula->nodes);
    *formula = (rp_formula){0};
}
