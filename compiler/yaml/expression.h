/* Internal: expressions of pipelines, with the operators of formulas (ops/formula.h) but computed
 * here, when the pipeline is read.
 *
 *   expr    := or ('?' expr ':' expr)?
 *   or      := and ('||' and)*            and   := bits ('&&' bits)*
 *   bits    := compare (('&' | '|' | '^') compare)*
 *   compare := shift (('<' | '<=' | '>' | '>=' | '==' | '!=') shift)?
 *   shift   := sum (('<<' | '>>') sum)*
 *   sum     := product (('+' | '-') product)*
 *   product := unary (('*' | '/' | '%') unary)*
 *   unary   := ('-' | '!' | '~') unary | INTEGER | DECIMAL | NAME | NAME '[' INTEGER ']'
 *            | FUNCTION '(' expr (',' expr)* ')' | '(' expr ')'
 *
 * A value is an integer of 64 bits or a float of 64. Integers stay integers, exact: overflow is an
 * error, '/' truncates toward zero. What meets a float becomes one. A condition is 1 or 0; what '?',
 * '&&' and '||' do not choose is read but not computed, so "n ? m / n : 0" is no division by zero.
 *
 * A name may be a live value, known only at a replay. What is computed with one becomes a step of
 * rp_expr, the smaller language of grids; what is computed without one is a number before. */
#ifndef RP_YAML_EXPRESSION_H
#define RP_YAML_EXPRESSION_H

#include "base/expr.h"
#include "yaml/arithmetic.h"

/* What a name means; false when it means nothing, or nothing that can stand here. */
typedef bool rp_value_resolve(void *context, const char *name, size_t length, uint32_t element,
                              rp_value *out);

typedef struct rp_expression_error {
    char text[160];
    size_t at;     /* byte of the text */
    bool of_value; /* no mistake in the text: what it says cannot be computed */
} rp_expression_error;

/* Reads and computes text[0..size). `code` (may be NULL: live values are errors of the resolver's)
 * gets the steps of a live result. RP_ERROR_INVALID with `error`. */
rp_status rp_expression_read(const rp_allocator *a, const char *text, size_t size,
                             rp_value_resolve *resolve, void *context, rp_value *out, rp_expr *code,
                             rp_expression_error *error);

#endif
