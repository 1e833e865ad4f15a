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

/* matmul/matrices and matmul/matrices_i8, and those of matmul_partial: rp_op_variant's functions. */
bool rp_op_matmul_matrices_fit(const rp_op_call *call, const rp_target *target);
bool rp_op_matmul_bytes_fit(const rp_op_call *call, const rp_target *target);
void rp_op_matmul_matrices_bind(rp_op_call *call, const rp_target *target);
double rp_op_matmul_matrices_time(const rp_op_call *call, const rp_target *target);
void rp_op_matmul_matrices_explain(const rp_op_call *call, const rp_target *target, rp_text *text);

#endif
