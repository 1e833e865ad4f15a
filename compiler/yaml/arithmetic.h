/* Internal: the values of expressions, and what operators and functions make of them. */
#ifndef RP_YAML_ARITHMETIC_H
#define RP_YAML_ARITHMETIC_H

#include "base/text.h"
#include "ops/formula.h"

typedef enum rp_value_kind { RP_VALUE_INTEGER, RP_VALUE_REAL, RP_VALUE_LIVE } rp_value_kind;

typedef struct rp_value {
    uint8_t kind;   /* rp_value_kind */
    uint32_t first; /* LIVE: its first step */
    int64_t integer;
    double real;
    uint32_t buffer, element; /* LIVE, as a name resolves to it */
} rp_value;

static inline rp_value rp_value_integer(int64_t value) {
    return (rp_value){.kind = RP_VALUE_INTEGER, .integer = value};
}
static inline rp_value rp_value_real(double value) {
    return (rp_value){.kind = RP_VALUE_REAL, .real = value};
}
static inline double rp_value_number(const rp_value *value) {
    return value->kind == RP_VALUE_REAL ? value->real : (double)value->integer;
}
/* Not of a live value. NaN is true, as anything but 0. */
static inline bool rp_value_truth(const rp_value *value) {
    return value->kind == RP_VALUE_REAL ? value->real != 0 : value->integer != 0;
}
/* Appends what reads back as the same value: a float has a point or an exponent. */
void rp_value_print(rp_text *text, const rp_value *value);

/* Beside the rp_formula_code of operators, of min, max and pow: the function that formulas have not. */
enum { RP_VALUE_CEIL_DIV = UINT8_MAX };

/* Computes, of values that are not live. NULL, or why there is no result (static text). */
const char *rp_value_compute(uint8_t code, const rp_value *a, const rp_value *b, rp_value *out);
/* sign: '-', '!' or '~'. */
const char *rp_value_sign(char sign, const rp_value *x, rp_value *out);

typedef struct rp_value_function {
    const char *name;
    uint8_t arity;
    uint8_t code;              /* as for rp_value_compute: of those with two arguments */
    bool rounds;               /* one argument: the result is an integer */
    double (*compute)(double); /* NULL: abs */
} rp_value_function;

/* NULL when there is none; with `name` NULL all of them, ended by one without a name. */
const rp_value_function *rp_value_function_find(const char *name, size_t length);
const char *rp_value_call(const rp_value_function *function, const rp_value *x, rp_value *out);

#endif
