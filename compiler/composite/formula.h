/* Internal: formulas with the user's names in them. */
#ifndef RP_COMPOSITE_FORMULA_H
#define RP_COMPOSITE_FORMULA_H

#include "composite/application.h"

/* The next name in a formula at or after *at, in *begin and *length; false at the end. Names of
 * functions (a '(' follows) are left out. Names may hold '.'. */
bool rp_formula_next_name(const char *text, size_t *at, size_t *begin, size_t *length);
/* The end of a number that begins at `at`: "1e-5" has a minus that is no operator. */
size_t rp_formula_number_end(const char *text, size_t at);
/* `inf`, `nan`, `pi`, or an element's place: what these mean where nothing has the name. */
bool rp_formula_is_constant(const char *name, size_t length);

/* A map's formula as the op has it: inputs are a, b, c ... */
typedef struct rp_map_formula {
    char text[RP_APPLY_MAX_FORMULA];
    uint32_t inputs[26]; /* in the application's operands, in the order of the letters */
    uint32_t input_count;
    uint32_t output;
    uint8_t dtype; /* that the result has by itself: f32, f16, bf16, i32, u32, u8 for conditions */
} rp_map_formula;

/* Rewrites the attribute "expr" of an application of `map`. Its output is the last operand called
 * `out`; all others are inputs, and each must be used. Parses the result, so that mistakes in the
 * formula are blamed on the byte of the formula as it was given. */
rp_status rp_map_rewrite(rp_application *application, rp_map_formula *out);

#endif
