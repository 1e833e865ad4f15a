/* Internal: what references have in common: the conversions that storing does, and formulas parsed
 * without an allocator.
 *
 * References are plain loops in double precision and share nothing with the kernels or with the
 * formulas of the ops they check: a mistake in a formula must not hide itself. */
#ifndef RP_OPS_REFERENCE_H
#define RP_OPS_REFERENCE_H

#include "ops/formula.h"
#include "ops/op.h"

/* The nearest f16 (ties to even), inf beyond its range. */
double rp_reference_f16(double value);

/* What an element of an output is: integers truncated and saturated, NaN 0; f16 beyond its range
 * infinite. Floats are otherwise left as they are: rounding is the tolerance's business. */
double rp_reference_store(uint8_t dtype, double value);

/* `scale`, or the result's own size where it is not a finite number: what an infinity or a NaN
 * among the inputs leaves finite is exact. */
double rp_reference_scale(double result, double scale);

/* Type in which formulas take elements of a dtype (rp_formula_type). */
uint8_t rp_reference_type(uint8_t dtype);

/* Maps a flat index of the call's output `to` to that of an input that broadcasts to it. */
uint64_t rp_reference_broadcast(const rp_op_call *call, uint32_t input, uint32_t to,
                                uint64_t index);

/* The references of families map and rows: they look at the call's op. */
void rp_map_reference(const rp_op_call *call, rp_op_data *data);
void rp_rows_reference(const rp_op_call *call, rp_op_data *data);

/* ---- Formulas of ops --------------------------------------------------------------------------
 */

/* How the names in an op's formulas are numbered. */
enum {
    RP_OP_NAME_ATTR = RP_OP_MAX_OPERANDS, /* below: operands */
    RP_OP_NAME_STEP = RP_OP_NAME_ATTR + RP_OP_MAX_ATTRS,
    RP_OP_NAME_LENGTH = RP_OP_NAME_STEP + RP_OP_MAX_STEPS, /* `n` of rows ops */
    RP_OP_NAME_COUNT,
};

/* Memory for one parsed formula: 16 KiB, meant for the stack. */
typedef struct rp_formula_block {
    rp_formula_node nodes[RP_FORMULA_MAX_NODES];
} rp_formula_block;

/* Parses and checks a formula of the call's op; `out` lives in `block` and is not to be freed.
 * False with a message in `error` (160 bytes) and the byte offset where known. */
bool rp_op_parse_formula(const rp_op_call *call, const char *text, rp_formula_block *block,
                         rp_formula *out, char *error, size_t *error_at);

#endif
