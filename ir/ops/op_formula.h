/* Internal: formulas of ops, parsed without an allocator: how their names are numbered, and the
 * types in which they take operands. */
#ifndef RP_OPS_OP_FORMULA_H
#define RP_OPS_OP_FORMULA_H

#include "ops/formula.h"
#include "ops/op.h"

/* How the names in an op's formulas are numbered. */
enum {
    RP_OP_NAME_ATTR = RP_OP_MAX_OPERANDS, /* below: operands */
    RP_OP_NAME_STEP = RP_OP_NAME_ATTR + RP_OP_MAX_ATTRS,
    RP_OP_NAME_LENGTH = RP_OP_NAME_STEP + RP_OP_MAX_STEPS, /* `n` of rows ops */
    RP_OP_NAME_PLACE, /* of the element, for pointwise ops: rp_formula_place() */
    RP_OP_NAME_COUNT = RP_OP_NAME_PLACE + RP_FORMULA_PLACES,
};

/* Memory for one parsed formula: 16 KiB, meant for the stack. */
typedef struct rp_formula_block {
    rp_formula_node nodes[RP_FORMULA_MAX_NODES];
} rp_formula_block;

/* Parses and checks a formula of the call's op; `out` lives in `block` and is not to be freed.
 * False with a message in `error` (160 bytes) and the byte offset where known. */
bool rp_op_parse_formula(const rp_op_call *call, const char *text, rp_formula_block *block,
                         rp_formula *out, char *error, size_t *error_at);

/* Type in which formulas take elements of a dtype (rp_formula_type). */
uint8_t rp_op_formula_type(uint8_t dtype);

#endif
