/* Internal: integer expressions, as grids over live values and as shapes and sizes over parameters.
 *
 *   expr    := term (('+' | '-') term)*
 *   term    := factor (('*' | '/' | '%') factor)*
 *   factor  := INTEGER | NAME | NAME '[' INTEGER ']' | '-' factor | '(' expr ')'
 *            | ('min' | 'max' | 'ceil_div') '(' expr ',' expr ')'
 *
 * '-' in front of an INTEGER belongs to it. Names are letters, digits, '_' and '.', and may start
 * with '$'; a name with '-' cannot be used in an expression, where '-' subtracts.
 *
 * Values are int64_t; division truncates toward zero; overflow and division by zero are errors when
 * evaluated. Expressions are stored as postfix code, which is also what a plan holds, so the
 * runtime evaluates them without a parser. Depth is bounded by RP_EXPR_STACK, checked when built.
 */
#ifndef RP_BASE_EXPR_H
#define RP_BASE_EXPR_H

#include "base/text.h"

enum {
    RP_EXPR_STACK = 32,
    RP_EXPR_MAX_OPS = 1024, /* steps of one expression */
};

#define RP_EXPR_LIST(X)                                                                            \
    X(RP_EXPR_CONST, 0, "")                                                                        \
    X(RP_EXPR_LIVE, 1, "")                                                                         \
    X(RP_EXPR_ADD, 2, "+")                                                                         \
    X(RP_EXPR_SUB, 3, "-")                                                                         \
    X(RP_EXPR_MUL, 4, "*")                                                                         \
    X(RP_EXPR_DIV, 5, "/")                                                                         \
    X(RP_EXPR_MOD, 6, "%")                                                                         \
    X(RP_EXPR_MIN, 7, "min")                                                                       \
    X(RP_EXPR_MAX, 8, "max")                                                                       \
    X(RP_EXPR_CEIL_DIV, 9, "ceil_div")                                                             \
    X(RP_EXPR_NEG, 10, "-")

typedef enum rp_expr_code {
#define RP_X(symbol, value, name) symbol = value,
    RP_EXPR_LIST(RP_X)
#undef RP_X
} rp_expr_code;

/* One step of postfix code; 16 bytes, the same in memory and in a plan. */
typedef struct rp_expr_op {
    uint16_t code;    /* rp_expr_code */
    uint16_t element; /* LIVE: which element of the live buffer */
    uint32_t buffer;  /* LIVE: the live buffer's id */
    int64_t value;    /* CONST */
} rp_expr_op;

typedef struct rp_expr {
    rp_expr_op *ops;
    uint32_t count, capacity;
} rp_expr;

/* Resolves a name (not terminated: `length` bytes) with the element index given in brackets (0
 * without) to a constant or a live value, by filling in *out; returns false when the name is
 * unknown. */
typedef bool rp_expr_resolve(void *context, const char *name, size_t length, uint32_t element,
                             rp_expr_op *out);

/* Parses text[0..size). On failure returns RP_ERROR_INVALID, and `error` holds what is wrong and
 * `*error_at` the byte offset where. `resolve` gets names as they are written, with the '$' that
 * live buffers have in .rpir text. */
rp_status rp_expr_parse(const rp_allocator *a, const char *text, size_t size,
                        rp_expr_resolve *resolve, void *context, rp_expr *out, char error[128],
                        size_t *error_at);
void rp_expr_free(const rp_allocator *a, rp_expr *expr);

/* Whether postfix code is well formed: known codes, stack never empty nor deeper than
 * RP_EXPR_STACK, exactly one result, LIVE operands accepted by nothing but `buffer_count`. */
bool rp_expr_valid(const rp_expr_op *ops, uint32_t count, uint32_t buffer_count);

/* Reads one live value; returns false when it does not exist. */
typedef bool rp_expr_live(void *context, uint32_t buffer, uint32_t element, int64_t *out);

/* Evaluates valid code. Returns false on overflow, division by zero or a missing live value, with a
 * short reason in *why (static text). */
bool rp_expr_eval(const rp_expr_op *ops, uint32_t count, rp_expr_live *live, void *context,
                  int64_t *out, const char **why);

/* Prints infix text that parses back to the same code; `name` gives a live buffer's name, in front
 * of which a '$' is printed. The code must be valid. */
void rp_expr_print(rp_text *text, const rp_expr_op *ops, uint32_t count,
                   const char *(*name)(void *context, uint32_t buffer), void *context);

#endif
