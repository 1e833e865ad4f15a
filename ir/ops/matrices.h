/* Internal: variants of ops that are made of cooperative matrices. */
#ifndef RP_OPS_MATRICES_H
#define RP_OPS_MATRICES_H

#include "ops/op.h"
#include "reprise/needs.h"

/* What their kernels need of a device. */
#define RP_OP_MATRIX_NEEDS                                                                         \
    (RP_NEED_COOPERATIVE_MATRIX | RP_NEED_MEMORY_MODEL | RP_NEED_FLOAT16 | RP_NEED_STORAGE16 |     \
     RP_NEED_EXACT16 | RP_NEED_SUBGROUP_BASIC | RP_NEED_SUBGROUP_SIZE)

/* The same of those that multiply i8. */
#define RP_OP_BYTE_MATRIX_NEEDS                                                                    \
    (RP_NEED_COOPERATIVE_MATRIX | RP_NEED_MEMORY_MODEL | RP_NEED_INT8 | RP_NEED_STORAGE8 |         \
     RP_NEED_SUBGROUP_BASIC | RP_NEED_SUBGROUP_SIZE)

/* Invocations of a subgroup of such kernels; 0 where that is not known. */
uint32_t rp_op_matrix_subgroup(const rp_target *target);

/* attention_prefill/matrices: rp_op_variant's three. */
bool rp_op_prefill_matrices_fit(const rp_op_call *call, const rp_target *target);
void rp_op_prefill_matrices_bind(rp_op_call *call, const rp_target *target);
void rp_op_prefill_matrices_explain(const rp_op_call *call, const rp_target *target, rp_text *text);

/* matmul/matrices: the same. */
bool rp_op_matmul_matrices_fit(const rp_op_call *call, const rp_target *target);
void rp_op_matmul_matrices_bind(rp_op_call *call, const rp_target *target);
void rp_op_matmul_matrices_explain(const rp_op_call *call, const rp_target *target, rp_text *text);

/* In how many parts of k a checked call of matmul is computed on the target; 1: as one, or another
 * op. A question of shapes, dtypes and the target alone. */
uint64_t rp_op_matmul_parts(const rp_op_call *call, const rp_target *target);

/* matmul/matrices_i8: the same. */
bool rp_op_matmul_bytes_fit(const rp_op_call *call, const rp_target *target);
void rp_op_matmul_bytes_bind(rp_op_call *call, const rp_target *target);
void rp_op_matmul_bytes_explain(const rp_op_call *call, const rp_target *target, rp_text *text);

#endif
