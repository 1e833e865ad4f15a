/* The cases of the op tests, and how exact each op has to be. */
#ifndef RP_TESTS_OPS_H
#define RP_TESTS_OPS_H

#include <stdbool.h>
#include <stdint.h>

/* One call of an op, or several: `T` and `U` in operands and attributes stand for each of `types`
 * and `more` ("f32 f16"). The language is that of support/op_calls.h. */
typedef struct op_case {
    const char *op, *operands, *attrs, *types, *more;
} op_case;

extern const op_case op_cases[];
extern const uint32_t op_case_count;
extern const op_case op_attention_cases[];
extern const uint32_t op_attention_case_count;
extern const op_case op_type_cases[]; /* of elements of 16 and 64 bits, and of bool */
extern const uint32_t op_type_case_count;
extern const op_case op_spatial_cases[];
extern const uint32_t op_spatial_case_count;
extern const op_case op_axes_cases[]; /* of family axes */
extern const uint32_t op_axes_case_count;
extern const op_case op_byte_cases[]; /* products of i8, and in parts */
extern const uint32_t op_byte_case_count;
extern const op_case op_random_cases[];
extern const uint32_t op_random_case_count;
extern const op_case op_experts_cases[];
extern const uint32_t op_experts_case_count;
extern const op_case op_signal_cases[];
extern const uint32_t op_signal_case_count;

/* What a result may be off by beyond the rounding of its own sums: `ulps` units of 2^-23 relative
 * to the sum of magnitudes, and `absolute`. `op` may name one variant ("matmul/matrices"), and
 * what an operand of blocks costs it; the first line that says no more than the call is its bound.
 * `why` is a reason, not a measurement. */
typedef struct op_bound {
    const char *op;
    double ulps, absolute;
    const char *why;
    bool blocks; /* of calls with an operand of blocks alone */
} op_bound;

extern const op_bound op_bounds[];
extern const uint32_t op_bound_count;

#endif
