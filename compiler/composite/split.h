/* Internal: matrix products in parts of k, where tiles are too few to keep a device busy.
 *
 * In front of the graph, and not in a pass, for the reason that rows are (composite/rows.c): every
 * level of optimisation compiles the same ops, whose sums have one order. */
#ifndef RP_COMPOSITE_SPLIT_H
#define RP_COMPOSITE_SPLIT_H

#include "composite/composite.h"

/* Appends what stands for the call in `parts`. `given` are its operands in the op's
 * order, all of them made. */
typedef rp_status rp_splitting(rp_application *application, const rp_op_call *call,
                               rp_given_operand **given, uint64_t parts);

/* The products over parts of k, and their sum: matmul_partial, matmul_merge. */
rp_splitting rp_product_split;
/* A matvec as the matmul that it is, for numbers of vectors that vary. */
rp_splitting rp_product_of_many;

#endif
