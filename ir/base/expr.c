/* Integer expressions: parser, checks, evaluation and printing; see expr.h for the language.
 *
 * Parsing is recursive descent that emits postfix code; nesting is counted, so that "((((..." ends
 * in a message instead of a stack overflow, and so is the depth of the stack that evaluation will
 * need. Printing keeps a stack of finished operands: postfix order means that they lie next to each
 * other in the text, so an operator is inserted between the last two, with parentheses where the
 * parser would otherwise read another tree. Inserting moves text, which is quadratic in the worst
 * case and does not matter below RP_EXPR_MAX_OPS. */
#include "base/expr.h"

#include <stdio.h>

enum { MAX_NESTING = 64 };

typedef struct parser {
    const rp_allocator *a;
    const char *text;
    size_t size, at;
    rp_expr_resolve *resolve;
    void *context;
    rp_expr code;
    uint32_t depth; /* operands on the stack after the code so far */
    uint32_t nesting;
    rp_status status; /* what went wrong first */
    char *error;
    size_t error_at;
} parser;

RP_PRINTF(3, 4) static bool fail(parser *p, size_t at, const char *format, ...) {
    if (p->status != RP_OK) return false;
    va_list args;
    va_start(args, format);
    vsnprintf(p->error, 128, format, args);
    va_end(args);
    p->error_at = at;
    p->status = RP_ERROR_INVALID;
    return false;
}

/* Appends a step that takes `takes` operands and leaves one. */
static bool emit(parser *p, rp_expr_op op, uint32_t takes) {
    if (p->code.count == RP_EXPR_MAX_OPS)
        return fail(p, p->at, "the expression is longer than %d steps", RP_EXPR_MAX_OPS);
    if (p->depth + 1 - takes > RP_EXPR_STACK)
        return fail(p, p->at, "the expression needs more than %d operands at once", RP_EXPR_STACK);
    if (!RP_RESERVE(p->a, p->code.ops, p->code.count, p->code.capacity, 1)) {
        p->status = RP_ERROR_NO_MEMORY;
        return false;
    }
    p->code.ops[p->code.count++] = op;
    p->depth = p->depth + 1 - takes;
    return true;
}

static void skip_space(parser *p) {
    while (p->at < p->size && (p->text[p->at] == ' ' || p->text[p->at] == '\t' ||
                               p->text[p->at] == '\n' || p->text[p->at] == '\r'))
        p->at++;
}

/* The next character that is not a space, '\0' at the end. */
static char peek(parser *p) {
    skip_space(p);
    return p->at < p->size ? p->text[p->at] : '\0';
}

static bool expect(parser *p, char c) {
    char found = peek(p);
    if (found == c) {
        p->at++;
        return true;
    }
    if (p->at == p->size)
        return fail(p, p->at, "expected '%c' before the end of the expression", c);
    return fail(p, p->at, "expected '%c'", c);
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Reads digits up to `limit`. */
static bool read_digits(parser *p, uint64_t limit, uint64_t *out) {
    size_t begin = p->at;
    uint64_t value = 0;
    for (; p->at < p->size && is_digit(p->text[p->at]); p->at++) {
        uint64_t digit = (uint64_t)(p->text[p->at] - '0');
        if (value > (limit - digit) / 10)
            return fail(p, begin, "the number is larger than %llu", (unsigned long long)limit);
        value = value * 10 + digit;
    }
    if (p->at == begin) return fail(p, begin, "expected a number");
    if (p->at < p->size && is_name_start(p->text[p->at]))
        return fail(p, begin, "a number must be decimal digits");
    *out = value;
    return true;
}

static bool parse_expr(parser *p);

static bool parse_number(parser *p, bool negative) {
    uint64_t value = 0;
    uint64_t limit = (uint64_t)INT64_MAX + negative;
    if (!read_digits(p, limit, &value)) return false;
    int64_t number = negative ? (value == limit ? INT64_MIN : -(int64_t)value) : (int64_t)value;
    return emit(p, (rp_expr_op){.code = RP_EXPR_CONST, .value = number}, 0);
}

static bool parse_call(parser *p, const char *name, size_t length, size_t at) {
    rp_expr_code code = RP_EXPR_CONST;
    if (length == 3 && memcmp(name, "min", 3) == 0) code = RP_EXPR_MIN;
    if (length == 3 && memcmp(name, "max", 3) == 0) code = RP_EXPR_MAX;
    if (length == 8 && memcmp(name, "ceil_div", 8) == 0) code = RP_EXPR_CEIL_DIV;
    if (code == RP_EXPR_CONST)
        return fail(p, at, "unknown function '%.*s'; there are min, max and ceil_div",
                    (int)(length < 40 ? length : 40), name);
    return expect(p, '(') && parse_expr(p) && expect(p, ',') && parse_expr(p) && expect(p, ')') &&
           emit(p, (rp_expr_op){.code = (uint16_t)code}, 2);
}

static bool parse_name(parser *p) {
    size_t at = p->at;
    const char *name = p->text + at;
    if (*name == '$') p->at++;
    size_t start = p->at;
    while (p->at < p->size && (is_name_start(p->text[p->at]) || p->text[p->at] == '.' ||
                               (p->at > start && is_digit(p->text[p->at]))))
        p->at++;
    size_t length = p->at - at;
    if (p->at == start) return fail(p, at, "expected a name behind '$'");
    char next = peek(p);
    if (next == '(') return parse_call(p, name, length, at);
    uint64_t element = 0;
    if (next == '[') {
        p->at++;
        skip_space(p);
        if (!read_digits(p, UINT16_MAX, &element) || !expect(p, ']')) return false;
    }
    rp_expr_op op = {0};
    if (!p->resolve || !p->resolve(p->context, name, length, (uint32_t)element, &op))
        return fail(p, at, "unknown name '%.*s'", (int)(length < 60 ? length : 60), name);
    return emit(p, op, 0);
}

static bool parse_factor(parser *p) {
    char c = peek(p);
    if (is_digit(c)) return parse_number(p, false);
    if (c == '$' || c == '.' || is_name_start(c)) return parse_name(p);
    if (c == '(') {
        p->at++;
        return parse_expr(p) && expect(p, ')');
    }
    if (c == '-') {
        p->at++;
        if (is_digit(peek(p))) return parse_number(p, true);
        if (p->nesting == MAX_NESTING) return fail(p, p->at, "the expression is nested too deeply");
        p->nesting++;
        bool ok = parse_factor(p) && emit(p, (rp_expr_op){.code = RP_EXPR_NEG}, 1);
        p->nesting--;
        return ok;
    }
    if (p->at == p->size) return fail(p, p->at, "the expression ends where a value is expected");
    return fail(p, p->at, "expected a number, a name or '('");
}

static bool parse_term(parser *p) {
    if (!parse_factor(p)) return false;
    for (char c; (c = peek(p)) == '*' || c == '/' || c == '%';) {
        p->at++;
        uint16_t code = c == '*' ? RP_EXPR_MUL : c == '/' ? RP_EXPR_DIV : RP_EXPR_MOD;
        if (!parse_factor(p) || !emit(p, (rp_expr_op){.code = code}, 2)) return false;
    }
    return true;
}

static bool parse_expr(parser *p) {
    if (p->nesting == MAX_NESTING) return fail(p, p->at, "the expression is nested too deeply");
    p->nesting++;
    bool ok = parse_term(p);
    for (char c; ok && ((c = peek(p)) == '+' || c == '-');) {
        p->at++;
        uint16_t code = c == '+' ? RP_EXPR_ADD : RP_EXPR_SUB;
        ok = parse_term(p) && emit(p, (rp_expr_op){.code = code}, 2);
    }
    p->nesting--;
    return ok;
}

rp_status rp_expr_parse(const rp_allocator *a, const char *text, size_t size,
                        rp_expr_resolve *resolve, void *context, rp_expr *out, char error[128],
                        size_t *error_at) {
    parser p = {
        .a = a, .text = text, .size = size, .resolve = resolve, .context = context, .error = error};
    *out = (rp_expr){0};
    error[0] = '\0';
    if (parse_expr(&p) && (peek(&p), p.at < p.size)) fail(&p, p.at, "expected an operator");
    *error_at = p.error_at;
    if (p.status == RP_OK)
        *out = p.code;
    else
        rp_expr_free(a, &p.code);
    return p.status;
}

void rp_expr_free(const rp_allocator *a, rp_expr *expr) {
    rp_release(a, expr->ops);
    *expr = (rp_expr){0};
}

/* How many operands a step takes; UINT32_MAX for an unknown code. */
static uint32_t operands(uint16_t code) {
    switch ((rp_expr_code)code) {
    case RP_EXPR_CONST:
    case RP_EXPR_LIVE: return 0;
    case RP_EXPR_NEG: return 1;
    case RP_EXPR_ADD:
    case RP_EXPR_SUB:
    case RP_EXPR_MUL:
    case RP_EXPR_DIV:
    case RP_EXPR_MOD:
    case RP_EXPR_MIN:
    case RP_EXPR_MAX:
    case RP_EXPR_CEIL_DIV: return 2;
    }
    return UINT32_MAX;
}

bool rp_expr_valid(const rp_expr_op *ops, uint32_t count, uint32_t buffer_count) {
    uint32_t depth = 0;
    if (count > RP_EXPR_MAX_OPS) return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t takes = operands(ops[i].code);
        if (takes > depth) return false;
        if (ops[i].code == RP_EXPR_LIVE && ops[i].buffer >= buffer_count) return false;
        depth += 1 - takes;
        if (depth > RP_EXPR_STACK) return false;
    }
    return depth == 1;
}

/* ---- Evaluation ------------------------------------------------------------------------------ */

static const char *divide(rp_expr_code code, int64_t a, int64_t b, int64_t *out) {
    if (b == 0) return "division by zero";
    if (b == -1) { /* the one quotient that overflows is INT64_MIN / -1 */
        if (code == RP_EXPR_MOD)
            *out = 0;
        else if (__builtin_sub_overflow((int64_t)0, a, out))
            return "overflow";
        return NULL;
    }
    if (code == RP_EXPR_MOD)
        *out = a % b;
    else
        *out = a / b;
    /* Truncation rounds a positive quotient down: one more where something is left. */
    if (code == RP_EXPR_CEIL_DIV && a % b != 0 && (a < 0) == (b < 0)) *out += 1;
    return NULL;
}

/* Applies a step to its operands; the reason when that is not possible. */
static const char *apply(rp_expr_code code, int64_t a, int64_t b, int64_t *out) {
    bool overflow = false;
    switch (code) {
    case RP_EXPR_CONST:
    case RP_EXPR_LIVE: break;
    case RP_EXPR_ADD: overflow = __builtin_add_overflow(a, b, out); break;
    case RP_EXPR_SUB: overflow = __builtin_sub_overflow(a, b, out); break;
    case RP_EXPR_MUL: overflow = __builtin_mul_overflow(a, b, out); break;
    case RP_EXPR_NEG: overflow = __builtin_sub_overflow((int64_t)0, a, out); break;
    case RP_EXPR_DIV:
    case RP_EXPR_MOD:
    case RP_EXPR_CEIL_DIV: return divide(code, a, b, out);
    case RP_EXPR_MIN: *out = a < b ? a : b; break;
    case RP_EXPR_MAX: *out = a > b ? a : b; break;
    }
    return overflow ? "overflow" : NULL;
}

bool rp_expr_eval(const rp_expr_op *ops, uint32_t count, rp_expr_live *live, void *context,
                  int64_t *out, const char **why) {
    int64_t stack[RP_EXPR_STACK];
    uint32_t depth = 0;
    *why = NULL;
    for (uint32_t i = 0; i < count && !*why; i++) {
        const rp_expr_op *op = &ops[i];
        if (op->code == RP_EXPR_CONST) {
            stack[depth++] = op->value;
        } else if (op->code == RP_EXPR_LIVE) {
            if (!live || !live(context, op->buffer, op->element, &stack[depth++]))
                *why = "a live value does not exist";
        } else {
            uint32_t takes = operands(op->code);
            int64_t b = stack[depth - 1], a = stack[depth - takes];
            depth -= takes;
            *why = apply((rp_expr_code)op->code, a, b, &stack[depth++]);
        }
    }
    if (*why) return false;
    *out = stack[0];
    return true;
}

/* ---- Printing -------------------------------------------------------------------------------- */

/* An operand in the text: where it starts and how tightly it binds. */
typedef struct piece {
    uint32_t at;
    uint8_t binds; /* 1 sum, 2 product, 3 factor, 4 number, which a '-' in front would swallow */
} piece;

static void insert(rp_text *text, uint32_t at, const char *string) {
    uint32_t length = (uint32_t)strlen(string), behind = text->size - at;
    rp_text_append(text, string, length);
    if (text->failed) return;
    memmove(text->data + at + length, text->data + at, behind);
    memcpy(text->data + at, string, length);
}

static void print_leaf(rp_text *text, const rp_expr_op *op,
                       const char *(*name)(void *context, uint32_t buffer), void *context) {
    if (op->code == RP_EXPR_LIVE) {
        rp_text_char(text, '$');
        rp_text_string(text, name(context, op->buffer));
        if (op->element) rp_text_format(text, "[%u]", op->element);
        return;
    }
    if (op->value < 0) rp_text_char(text, '-');
    rp_text_u64(text, op->value < 0 ? -(uint64_t)op->value : (uint64_t)op->value);
}

static void print_infix(rp_text *text, piece *left, piece *right, const char *sign, uint8_t binds) {
    if (right->binds <= binds) { /* a - (b - c): operators group to the left */
        insert(text, right->at, "(");
        rp_text_char(text, ')');
    }
    if (left->binds < binds) {
        insert(text, right->at, ")");
        insert(text, left->at, "(");
        right->at += 2;
    }
    insert(text, right->at, " ");
    insert(text, right->at, sign);
    insert(text, right->at, " ");
    left->binds = binds;
}

static void print_call(rp_text *text, piece *left, const piece *right, const char *function) {
    insert(text, right->at, ", ");
    insert(text, left->at, "(");
    insert(text, left->at, function);
    rp_text_char(text, ')');
    left->binds = 3;
}

static void print_negation(rp_text *text, piece *operand) {
    if (operand->binds != 3) {
        insert(text, operand->at, "(");
        rp_text_char(text, ')');
    }
    insert(text, operand->at, "-");
    operand->binds = 3;
}

void rp_expr_print(rp_text *text, const rp_expr_op *ops, uint32_t count,
                   const char *(*name)(void *context, uint32_t buffer), void *context) {
    piece stack[RP_EXPR_STACK];
    uint32_t depth = 0;
    for (uint32_t i = 0; i < count && !text->failed; i++) {
        piece *left = depth > 1 ? &stack[depth - 2] : NULL,
              *right = depth ? &stack[depth - 1] : NULL;
        switch ((rp_expr_code)ops[i].code) {
        case RP_EXPR_CONST:
        case RP_EXPR_LIVE:
            stack[depth++] = (piece){text->size, ops[i].code == RP_EXPR_CONST ? 4 : 3};
            print_leaf(text, &ops[i], name, context);
            continue;
        case RP_EXPR_NEG: print_negation(text, right); continue;
        case RP_EXPR_ADD: print_infix(text, left, right, "+", 1); break;
        case RP_EXPR_SUB: print_infix(text, left, right, "-", 1); break;
        case RP_EXPR_MUL: print_infix(text, left, right, "*", 2); break;
        case RP_EXPR_DIV: print_infix(text, left, right, "/", 2); break;
        case RP_EXPR_MOD: print_infix(text, left, right, "%", 2); break;
        case RP_EXPR_MIN: print_call(text, left, right, "min"); break;
        case RP_EXPR_MAX: print_call(text, left, right, "max"); break;
        case RP_EXPR_CEIL_DIV: print_call(text, left, right, "ceil_div"); break;
        }
        depth--;
    }
}
