/* Expressions of pipelines: the parser computes as it reads; see expression.h for the language.
 *
 * Operators and their levels are those of ops/formula.h. What is not chosen is read with `unused`
 * counted up: names must exist there too, but nothing can overflow. Steps over live values are
 * appended in postfix order, so those of a left operand lie in front of those of the right one; a
 * number on the left of a live value is inserted in front of the latter's first step. */
#include "yaml/expression.h"

#include <stdio.h>

#include "base/number.h"

enum { MAX_NESTING = 64, NAME_SHOWN = 60 };

typedef struct parser {
    const rp_allocator *a;
    const char *text;
    size_t size, at;
    rp_value_resolve *resolve;
    void *context;
    rp_expr code;
    uint32_t nesting, unused;
    rp_status status; /* what went wrong first */
    rp_expression_error *error;
} parser;

RP_PRINTF(3, 4) static bool fail(parser *p, size_t at, const char *format, ...) {
    if (p->status != RP_OK) return false;
    va_list args;
    va_start(args, format);
    vsnprintf(p->error->text, sizeof p->error->text, format, args);
    va_end(args);
    p->error->at = at;
    p->status = RP_ERROR_INVALID;
    return false;
}

/* What was computed; `why` there is none does not matter where it is not used. */
static bool take(parser *p, const char *why, rp_value *out) {
    if (!why) return true;
    *out = rp_value_integer(0);
    if (p->unused) return true;
    p->error->of_value = p->status == RP_OK;
    return fail(p, 0, "%s", why);
}

static bool enter(parser *p) {
    if (p->nesting == MAX_NESTING) return fail(p, p->at, "the expression is nested too deeply");
    p->nesting++;
    return true;
}

/* ---- Characters ------------------------------------------------------------------------------ */

/* The next character that is not a space, '\0' at the end. */
static char peek(parser *p) {
    while (p->at < p->size && strchr(" \t\n\r", p->text[p->at])) p->at++;
    return p->at < p->size ? p->text[p->at] : '\0';
}

static char char_at(const parser *p, size_t at) {
    return at < p->size ? p->text[at] : '\0';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool expect(parser *p, char c) {
    if (peek(p) == c) {
        p->at++;
        return true;
    }
    if (p->at == p->size)
        return fail(p, p->at, "expected '%c' before the end of the expression", c);
    return fail(p, p->at, "expected '%c'", c);
}

/* ---- Steps over live values ------------------------------------------------------------------ */

static bool insert_step(parser *p, uint32_t at, rp_expr_op op) {
    rp_expr *code = &p->code;
    if (code->count == RP_EXPR_MAX_OPS)
        return fail(p, p->at, "the expression is longer than %d steps", RP_EXPR_MAX_OPS);
    if (!RP_RESERVE(p->a, code->ops, code->count, code->capacity, 1)) {
        p->status = RP_ERROR_NO_MEMORY;
        return false;
    }
    memmove(code->ops + at + 1, code->ops + at, (code->count - at) * sizeof *code->ops);
    code->ops[at] = op;
    code->count++;
    return true;
}

static bool insert_number(parser *p, uint32_t at, const rp_value *value) {
    if (value->kind == RP_VALUE_REAL)
        return fail(p, p->at, "computing with live values takes integers, not floats");
    return insert_step(p, at, (rp_expr_op){.code = RP_EXPR_CONST, .value = value->integer});
}

static bool compute_live(parser *p, rp_expr_code code, const rp_value *a, const rp_value *b,
                         rp_value *out) {
    bool left = a->kind == RP_VALUE_LIVE, right = b->kind == RP_VALUE_LIVE;
    uint32_t first = left ? a->first : b->first;
    if (!left && !insert_number(p, b->first, a)) return false;
    if (!right && !insert_number(p, p->code.count, b)) return false;
    *out = (rp_value){.kind = RP_VALUE_LIVE, .first = first};
    return insert_step(p, p->code.count, (rp_expr_op){.code = (uint16_t)code});
}

static rp_expr_code step_of(uint8_t code) {
    switch (code) {
    case RP_FORMULA_ADD: return RP_EXPR_ADD;
    case RP_FORMULA_SUB: return RP_EXPR_SUB;
    case RP_FORMULA_MUL: return RP_EXPR_MUL;
    case RP_FORMULA_DIV: return RP_EXPR_DIV;
    case RP_FORMULA_MOD: return RP_EXPR_MOD;
    case RP_FORMULA_min: return RP_EXPR_MIN;
    case RP_FORMULA_max: return RP_EXPR_MAX;
    case RP_VALUE_CEIL_DIV: return RP_EXPR_CEIL_DIV;
    default: return RP_EXPR_CONST;
    }
}

static bool only_some(parser *p, size_t at) {
    return fail(p, at, "live values are computed with + - * / %%, min, max and ceil_div alone");
}

static bool compute(parser *p, uint8_t code, const rp_value *a, const rp_value *b, rp_value *out) {
    if (a->kind != RP_VALUE_LIVE && b->kind != RP_VALUE_LIVE)
        return take(p, rp_value_compute(code, a, b, out), out);
    rp_expr_code step = step_of(code);
    return step == RP_EXPR_CONST ? only_some(p, p->at) : compute_live(p, step, a, b, out);
}

/* ---- Numbers --------------------------------------------------------------------------------- */

/* Where the digits, the point and the exponent that begin at `at` end. */
static size_t number_end(const parser *p, size_t at, bool *integer) {
    *integer = true;
    while (is_digit(char_at(p, at))) at++;
    if (char_at(p, at) == '.') {
        *integer = false;
        for (at++; is_digit(char_at(p, at));) at++;
    }
    if (char_at(p, at) != 'e' && char_at(p, at) != 'E') return at;
    size_t digits = at + 1;
    if (char_at(p, digits) == '-' || char_at(p, digits) == '+') digits++;
    if (!is_digit(char_at(p, digits))) return at;
    *integer = false;
    while (is_digit(char_at(p, digits))) digits++;
    return digits;
}

static bool parse_decimal(parser *p, size_t begin, size_t end, bool negative, rp_value *out) {
    double value = 0;
    if (!rp_number_parse(p->text + begin, end - begin, &value))
        return fail(p, begin, "the number is too large, or has more than 60 digits");
    *out = rp_value_real(negative ? -value : value);
    return true;
}

static bool parse_digits(parser *p, uint64_t limit, uint64_t *out) {
    size_t begin = p->at;
    *out = 0;
    for (; is_digit(char_at(p, p->at)); p->at++) {
        uint64_t digit = (uint64_t)(p->text[p->at] - '0');
        if (*out > (limit - digit) / 10)
            return fail(p, begin, "the number is larger than %llu", (unsigned long long)limit);
        *out = *out * 10 + digit;
    }
    return p->at > begin || fail(p, begin, "expected a number");
}

/* `negative`: a '-' stands in front, so that the least integer can be written. */
static bool parse_number(parser *p, bool negative, rp_value *out) {
    size_t begin = p->at;
    bool integer;
    size_t end = number_end(p, begin, &integer);
    if (is_letter(char_at(p, end)) || char_at(p, end) == '.')
        return fail(p, begin, "a number is written like 12, 0.5 or 1e-6");
    if (!integer) {
        p->at = end;
        return parse_decimal(p, begin, end, negative, out);
    }
    uint64_t value, limit = (uint64_t)INT64_MAX + negative;
    if (!parse_digits(p, limit, &value)) return false;
    *out = rp_value_integer(!negative        ? (int64_t)value
                            : value == limit ? INT64_MIN
                                             : -(int64_t)value);
    return true;
}

/* ---- Functions ------------------------------------------------------------------------------- */

static bool parse_expr(parser *p, rp_value *out);

/* The arguments, of which two are kept. */
static bool parse_arguments(parser *p, rp_value args[2], uint32_t *count) {
    for (bool more = true; more; more = peek(p) == ',', ++*count) {
        rp_value value;
        p->at++; /* the parenthesis or the comma */
        if (!parse_expr(p, &value)) return false;
        if (*count < 2) args[*count] = value;
    }
    return expect(p, ')');
}

static bool unknown_function(parser *p, size_t at, size_t length) {
    char list[128] = "";
    for (const rp_value_function *f = rp_value_function_find(NULL, 0); f->name; f++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", *list ? ", " : "",
                 f->name);
    return fail(p, at, "unknown function '%.*s'; there are %s", (int)(length < 20 ? length : 20),
                p->text + at, list);
}

static bool parse_call(parser *p, size_t at, size_t length, rp_value *out) {
    const rp_value_function *f = rp_value_function_find(p->text + at, length);
    if (!f) return unknown_function(p, at, length);
    rp_value args[2] = {{0}};
    uint32_t count = 0;
    if (!parse_arguments(p, args, &count)) return false;
    if (count != f->arity)
        return fail(p, at, "%s takes %u argument%s, not %u", f->name, f->arity,
                    f->arity == 1 ? "" : "s", count);
    if (f->arity == 2) return compute(p, f->code, &args[0], &args[1], out);
    if (args[0].kind == RP_VALUE_LIVE) return only_some(p, at);
    return take(p, rp_value_call(f, &args[0], out), out);
}

/* ---- Names and operators --------------------------------------------------------------------- */

static bool parse_name(parser *p, rp_value *out) {
    size_t at = p->at;
    const char *name = p->text + at;
    while (is_letter(char_at(p, p->at)) || is_digit(char_at(p, p->at)) || char_at(p, p->at) == '.')
        p->at++;
    size_t length = p->at - at;
    char next = peek(p);
    if (next == '(') return parse_call(p, at, length, out);
    uint64_t element = 0;
    if (next == '[') {
        p->at++;
        peek(p);
        if (!parse_digits(p, UINT16_MAX, &element) || !expect(p, ']')) return false;
    }
    *out = rp_value_integer(0);
    if (!p->resolve(p->context, name, length, (uint32_t)element, out))
        return fail(p, at, "unknown name '%.*s'", (int)(length < NAME_SHOWN ? length : NAME_SHOWN),
                    name);
    if (out->kind != RP_VALUE_LIVE) return true;
    out->first = p->code.count;
    return insert_step(p, p->code.count,
                       (rp_expr_op){.code = RP_EXPR_LIVE,
                                    .element = (uint16_t)out->element,
                                    .buffer = out->buffer});
}

static bool apply_sign(parser *p, char sign, rp_value *x) {
    if (x->kind != RP_VALUE_LIVE) return take(p, rp_value_sign(sign, x, x), x);
    if (sign != '-') return only_some(p, p->at);
    return insert_step(p, p->code.count, (rp_expr_op){.code = RP_EXPR_NEG});
}

static bool parse_unary(parser *p, rp_value *out) {
    char c = peek(p);
    if (is_digit(c) || (c == '.' && is_digit(char_at(p, p->at + 1))))
        return parse_number(p, false, out);
    if (is_letter(c)) return parse_name(p, out);
    if (c != '(' && c != '-' && c != '!' && c != '~') {
        if (p->at == p->size)
            return fail(p, p->at, "the expression ends where a value is expected");
        return fail(p, p->at, "expected a number, a name or '('");
    }
    p->at++;
    if (c == '-' && is_digit(peek(p))) return parse_number(p, true, out);
    if (c == '(') return parse_expr(p, out) && expect(p, ')');
    if (!enter(p) || !parse_unary(p, out)) return false;
    p->nesting--;
    return apply_sign(p, c, out);
}

static const rp_formula_operator *peek_operator(parser *p) {
    peek(p);
    return rp_formula_operator_at(p->text + p->at, p->size - p->at);
}

/* Whether the left side decides: the right one is not used. */
static bool decides(const rp_formula_operator *found, const rp_value *left) {
    if (left->kind == RP_VALUE_LIVE) return false;
    return (found->code == RP_FORMULA_BOTH && !rp_value_truth(left)) ||
           (found->code == RP_FORMULA_EITHER && rp_value_truth(left));
}

/* Operators of `level` and those that bind tighter. */
static bool parse_binary(parser *p, uint8_t level, rp_value *out) {
    const rp_formula_operator *found;
    bool compared = false;
    if (!parse_unary(p, out)) return false;
    while ((found = peek_operator(p)) && found->level >= level) {
        if (found->level == RP_LEVEL_COMPARE && compared)
            return fail(p, p->at, "comparisons do not chain: use && or parentheses");
        compared = found->level == RP_LEVEL_COMPARE;
        rp_value left = *out, right;
        bool unused = decides(found, &left);
        p->at += strlen(found->text);
        p->unused += unused;
        bool good = parse_binary(p, (uint8_t)(found->level + 1), &right);
        p->unused -= unused;
        if (!good || !compute(p, found->code, &left, &right, out)) return false;
    }
    return true;
}

/* One side of a choice; the steps of what is not chosen go. */
static bool parse_choice(parser *p, bool chosen, rp_value *out) {
    uint32_t steps = p->code.count;
    rp_value value;
    p->unused += !chosen;
    bool good = parse_expr(p, &value);
    p->unused -= !chosen;
    if (!good) return false;
    if (chosen)
        *out = value;
    else
        p->code.count = steps;
    return true;
}

static bool parse_expr(parser *p, rp_value *out) {
    if (!enter(p) || !parse_binary(p, RP_LEVEL_EITHER, out)) return false;
    if (peek(p) == '?') {
        rp_value condition = *out;
        if (condition.kind == RP_VALUE_LIVE)
            return fail(p, p->at,
                        "a condition is fixed when the pipeline is compiled: it cannot "
                        "depend on a live value");
        bool truth = rp_value_truth(&condition);
        p->at++;
        if (!parse_choice(p, truth, out) || !expect(p, ':') || !parse_choice(p, !truth, out))
            return false;
    }
    p->nesting--;
    return true;
}

rp_status rp_expression_read(const rp_allocator *a, const char *text, size_t size,
                             rp_value_resolve *resolve, void *context, rp_value *out, rp_expr *code,
                             rp_expression_error *error) {
    parser p = {
        .a = a, .text = text, .size = size, .resolve = resolve, .context = context, .error = error};
    *error = (rp_expression_error){.text = ""};
    *out = rp_value_integer(0);
    if (code) *code = (rp_expr){0};
    if (parse_expr(&p, out) && (peek(&p), p.at < p.size)) fail(&p, p.at, "expected an operator");
    if (p.status == RP_OK && out->kind == RP_VALUE_LIVE &&
        !rp_expr_valid(p.code.ops, p.code.count, UINT32_MAX))
        fail(&p, 0, "the expression needs more than %d operands at once", RP_EXPR_STACK);
    if (p.status == RP_OK && code)
        *code = p.code;
    else
        rp_expr_free(a, &p.code);
    return p.status;
}
