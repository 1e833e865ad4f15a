/* Internal: formulas, the language of element-wise computations.
 *
 *   formula := or ('?' formula ':' formula)?
 *   or      := and ('||' and)*            and   := bits ('&&' bits)*
 *   bits    := compare (('&' | '|' | '^') compare)*
 *   compare := shift (('<' | '<=' | '>' | '>=' | '==' | '!=') shift)?
 *   shift   := sum (('<<' | '>>') sum)*
 *   sum     := product (('+' | '-') product)*
 *   product := unary (('*' | '/' | '%') unary)*
 *   unary   := ('-' | '!' | '~') unary | NUMBER | NAME | FUNCTION '(' formula (',' formula)* ')'
 *            | '(' formula ')'
 *
 * NUMBER is an integer or a decimal with optional exponent, or `inf`, `nan`, `pi`. NAMEs are given
 * by the caller: inputs, attributes, results of steps, an element's place. FUNCTIONs are
 * RP_FORMULA_FUNCTIONS.
 *
 * Types: f32, i32, u32, i64, u64 and bool. f16, bf16 and f32 inputs are f32; i8, i16 and i32 are i32;
 * u8, u16, bool and u32 are u32; i64 and u64 are themselves. A NUMBER without '.' or exponent takes the
 * type of what it meets; one above 2^32 - 1 is i64, one above 2^63 - 1 u64. Where f32 meets an integer the
 * integer is converted. Where integers meet, both become as wide as the wider one, and signed where either
 * is: to the wider by their value, of one width bits unchanged. '/' on integers truncates, '%' has the
 * sign of its left side; division by zero gives 0 for both, and the least number by -1 wraps to itself.
 * '%', '&', '|', '^', '<<', '>>' and '~' are for integers alone; a shift has the type of its left side,
 * counts modulo its bits, 32 or 64, and is arithmetic on what is signed. Arithmetic on integers wraps.
 * Conditions ('?', '!', '&&', '||') are bool, the result of comparisons, isnan and isinf; bool is a number
 * only after f32(), i32(), u32(), i64() or u64(), or as the result. f32 follows IEEE 754 with the
 * precision Vulkan guarantees; nothing is contracted or reordered.
 *
 * Results are converted to the output's dtype: to f16 and bf16 rounded to nearest even; f32 to an
 * integer truncates toward zero and saturates, NaN gives 0; integers saturate too, so a negative
 * i32 stored as u32 is 0; bool is 0 or 1. Integers become f32, f16 and bf16 by rounding to nearest even,
 * once.
 *
 * min(a, b) is b < a ? b : a, and max(a, b) is a < b ? b : a, so a NaN in `a` stays and a NaN in
 * `b` is dropped; clamp(x, lo, hi) is min(max(x, lo), hi). Comparisons with NaN are false but for
 * '!='.
 */
#ifndef RP_OPS_FORMULA_H
#define RP_OPS_FORMULA_H

#include "base/text.h"
#include "reprise/types.h"

/* name, arguments, floats only (arguments are converted to f32). gelu is the form with erf,
 * gelu_tanh the approximation; softcap(x, c) is c * tanh(x / c); f32(), i32(), u32(), i64() and u64()
 * convert: f32 to integers toward zero and saturating, integers to wider ones by their value, to others
 * their low bits;
 * f16() and bf16() round to these; bits(x) is the number of set bits of an integer, an i32; sign,
 * floor, ceil, round (half to even), trunc as in GLSL. sin and cos are good to 2^-22 for every
 * finite x. pow(x, y) is NaN for x < 0, 1 for y = 0, and for x = 0 otherwise 0 or inf. */
#define RP_FORMULA_FUNCTIONS(X)                                                                    \
    X(min, 2, 0)                                                                                   \
    X(max, 2, 0)                                                                                   \
    X(clamp, 3, 0)                                                                                 \
    X(abs, 1, 0)                                                                                   \
    X(sign, 1, 0)                                                                                  \
    X(sqrt, 1, 1)                                                                                  \
    X(rsqrt, 1, 1)                                                                                 \
    X(exp, 1, 1)                                                                                   \
    X(exp2, 1, 1)                                                                                  \
    X(log, 1, 1)                                                                                   \
    X(log2, 1, 1)                                                                                  \
    X(pow, 2, 1)                                                                                   \
    X(sin, 1, 1)                                                                                   \
    X(cos, 1, 1)                                                                                   \
    X(tanh, 1, 1)                                                                                  \
    X(erf, 1, 1)                                                                                   \
    X(sigmoid, 1, 1)                                                                               \
    X(silu, 1, 1)                                                                                  \
    X(gelu, 1, 1)                                                                                  \
    X(gelu_tanh, 1, 1)                                                                             \
    X(relu, 1, 0)                                                                                  \
    X(softcap, 2, 1)                                                                               \
    X(floor, 1, 1)                                                                                 \
    X(ceil, 1, 1)                                                                                  \
    X(round, 1, 1)                                                                                 \
    X(trunc, 1, 1)                                                                                 \
    X(isnan, 1, 1)                                                                                 \
    X(isinf, 1, 1)                                                                                 \
    X(f32, 1, 0)                                                                                   \
    X(i32, 1, 0)                                                                                   \
    X(u32, 1, 0)                                                                                   \
    X(i64, 1, 0)                                                                                   \
    X(u64, 1, 0)                                                                                   \
    X(f16, 1, 1)                                                                                   \
    X(bits, 1, 0)                                                                                  \
    X(bf16, 1, 1)

typedef enum rp_formula_code {
    RP_FORMULA_NUMBER, /* `number`; `integer`: written without '.' or exponent */
    RP_FORMULA_NAME,   /* `name` */
    RP_FORMULA_NEGATE,
    RP_FORMULA_NOT,
    RP_FORMULA_INVERT,
    RP_FORMULA_ADD,
    RP_FORMULA_SUB,
    RP_FORMULA_MUL,
    RP_FORMULA_DIV,
    RP_FORMULA_MOD,
    RP_FORMULA_AND,
    RP_FORMULA_OR,
    RP_FORMULA_XOR,
    RP_FORMULA_LEFT,
    RP_FORMULA_RIGHT,
    RP_FORMULA_LT,
    RP_FORMULA_LE,
    RP_FORMULA_GT,
    RP_FORMULA_GE,
    RP_FORMULA_EQ,
    RP_FORMULA_NE,
    RP_FORMULA_BOTH,
    RP_FORMULA_EITHER, /* && || */
    RP_FORMULA_SELECT, /* condition, then, else */
#define RP_X(name, arity, floats) RP_FORMULA_##name,
    RP_FORMULA_FUNCTIONS(RP_X)
#undef RP_X
} rp_formula_code;

typedef enum rp_formula_type {
    RP_TYPE_F32,
    RP_TYPE_I32,
    RP_TYPE_U32,
    RP_TYPE_I64,
    RP_TYPE_U64,
    RP_TYPE_BOOL,
    RP_TYPE_NUMBER /* an integer literal that met nothing yet */
} rp_formula_type;

typedef struct rp_formula_node {
    uint8_t code; /* rp_formula_code */
    uint8_t type; /* rp_formula_type, of the result: set by rp_formula_check */
    bool integer;
    double number;
    uint64_t whole;   /* of an integer: the number itself */
    uint32_t name;    /* as the caller's lookup numbered it */
    uint32_t args[3]; /* nodes, each before this one */
} rp_formula_node;

/* Nodes in evaluation order; the last one is the result. */
typedef struct rp_formula {
    rp_formula_node *nodes;
    uint32_t count, capacity;
} rp_formula;

enum { RP_FORMULA_MAX_NODES = 512, RP_FORMULA_MAX_DEPTH = 64 };

/* Names for where an element of the result is, i32: `i0`, `i1` ... its place along each dimension
 * from the first one on, and `index`, among all elements in row-major order. The name's number in
 * *out, RP_FORMULA_INDEX for the latter; false for other names. */
enum { RP_FORMULA_INDEX = RP_MAX_RANK, RP_FORMULA_PLACES };
bool rp_formula_place(const char *name, size_t length, uint32_t *out);

/* Gives a name its number, or returns false when it is unknown. */
typedef bool rp_formula_lookup(void *context, const char *name, size_t length, uint32_t *out);

/* Parses. RP_ERROR_INVALID with a message in `error` (at least 160 bytes) and the byte offset where
 * it went wrong. */
rp_status rp_formula_parse(const rp_allocator *a, const char *text, size_t size,
                           rp_formula_lookup *lookup, void *context, rp_formula *out, char *error,
                           size_t *error_at);
void rp_formula_free(const rp_allocator *a, rp_formula *formula);

/* Whether a type is of integers, and of 64 bits. */
static inline bool rp_formula_is_integer(uint8_t type) {
    return type >= RP_TYPE_I32 && type <= RP_TYPE_U64;
}
static inline bool rp_formula_is_wide(uint8_t type) {
    return type == RP_TYPE_I64 || type == RP_TYPE_U64;
}

/* Infers the types from those of the names. False with a message when an operator does not take
 * what it is given. */
bool rp_formula_check(rp_formula *formula, const uint8_t *name_types, char *error);

/* An operator of two operands, and how tight it binds: the levels in ascending order. */
typedef enum rp_formula_level {
    RP_LEVEL_EITHER,
    RP_LEVEL_BOTH,
    RP_LEVEL_BITS,
    RP_LEVEL_COMPARE, /* does not chain */
    RP_LEVEL_SHIFT,
    RP_LEVEL_SUM,
    RP_LEVEL_PRODUCT
} rp_formula_level;
typedef struct rp_formula_operator {
    char text[3];
    uint8_t code, level; /* rp_formula_code, rp_formula_level */
} rp_formula_operator;

/* The one that a text begins with, NULL for none. Expressions of pipelines have the same operators. */
const rp_formula_operator *rp_formula_operator_at(const char *text, size_t size);

/* Operands of a code: 0 to 3 of a node's `args` count. */
uint32_t rp_formula_arity(uint8_t code);

/* After the check: the type in which a node computes, to which its operands are converted first;
 * those of '?' but for the condition, of shifts but for the count. */
uint8_t rp_formula_operand_type(const rp_formula *formula, const rp_formula_node *node);

/* Arithmetic operations of one evaluation; exp, tanh and the like count 8. */
double rp_formula_flops(const rp_formula *formula);
/* Instructions of its code, about. */
double rp_formula_size(const rp_formula *formula);

#endif
