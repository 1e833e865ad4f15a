/* References of ops: what each op computes, in double precision.
 *
 * Plain loops that share nothing with the kernels or with the formulas of the ops they check: a
 * mistake in a formula must not hide itself. Only tests need them, so they are no part of the
 * libraries. Every family has a file of its own here, as in ir/ops, and every op a reference: a
 * test goes through the vocabulary and fails for an op without one. */
#ifndef RP_TESTS_REFERENCE_H
#define RP_TESTS_REFERENCE_H

#include <float.h>
#include <math.h>

#include "ops/op_formula.h"
#include "ops/tables.h"

/* What a reference gets: every operand as dense doubles (block-quantised ones dequantised,
 * integers exact); it fills in the outputs and, for the first output, `scale`: for each element the
 * sum of the magnitudes that were added up, which the tolerance is relative to. NULL data for
 * absent operands. */
typedef struct rp_op_data {
    double *operands[RP_OP_MAX_OPERANDS];
    double *scale; /* starts as zeros */
} rp_op_data;

typedef void rp_reference(const rp_op_call *call, rp_op_data *data);

/* The reference of an op; NULL when there is none. */
rp_reference *rp_reference_of(const rp_op *op);

/* ---- Families -------------------------------------------------------------------------------- */

/* The reference of family F's op of that name: rp_reference_of_F. */
#define RP_X(family) rp_reference *rp_reference_of_##family(const char *name);
RP_OP_FAMILIES(RP_X)
#undef RP_X

/* A family's table, and the search in it. */
typedef struct rp_reference_entry {
    const char *name;
    rp_reference *reference;
} rp_reference_entry;
rp_reference *rp_reference_among(const rp_reference_entry *entries, size_t count, const char *name);

/* ---- What references share ------------------------------------------------------------------- */

/* The nearest f16 or bf16 (ties to even), inf beyond its range. */
double rp_reference_f16(double value);
double rp_reference_bf16(double value);

/* A number on the way to a result: one that f32 cannot hold is infinite there, and in doubles would not be. */
static inline double rp_reference_in_f32(double value) {
    return fabs(value) > FLT_MAX ? copysign(INFINITY, value) : value;
}

/* A number of an attribute as kernels have it where it becomes an element of a dtype: integers as a double holds
 * them, else an f32. */
static inline double rp_reference_number(uint8_t dtype, double number) {
    bool whole = rp_op_is_in(dtype, RP_DT_INTEGER);
    return whole ? number : (double)(float)number;
}

/* What an element of an output is: integers truncated and saturated, NaN 0; f16 and bf16 beyond
 * their range infinite. Floats are otherwise left as they are: rounding is the tolerance's business. */
double rp_reference_store(uint8_t dtype, double value);

/* What an element of a mask adds: of bool 0, and -inf where it is 0. */
double rp_reference_mask(const rp_op_call *call, uint32_t operand, double value);
/* 32 numbers as a block of q8_0 holds them. */
void rp_reference_pack_q8_0(const double *x, double *out);

/* `scale`, or the result's own size where it is not a finite number: what an infinity or a NaN
 * among the inputs leaves finite is exact. */
double rp_reference_scale(double result, double scale);

/* Maps a flat index of the call's output `to` to that of an input that broadcasts to it. */
uint64_t rp_reference_broadcast(const rp_op_call *call, uint32_t input, uint32_t to,
                                uint64_t index);

/* ---- Formulas -------------------------------------------------------------------------------- */

/* The value of a formula in double precision (integers exact, wrapping as i32 or u32). */
double rp_formula_eval(const rp_formula *formula, const double *names);

/* The same, and how large an error of rounding may be: `*scale` is the sum of the magnitudes that
 * were added up on the way to the result, with what functions make of errors in their arguments.
 * Computed in f32, the result is within a few ulps of `scale`, while no error moves a comparison.
 */
double rp_formula_eval_scaled(const rp_formula *formula, const double *names, double *scale);

#endif
