/* Internal: operands of dtypes that an op's kernels do not have, as front ends take them. */
#ifndef RP_COMPOSITE_WIDER_H
#define RP_COMPOSITE_WIDER_H

#include "composite/composite.h"
#include "composite/signature.h"

/* Whether an operand of the application has a dtype that only front ends take (rp_op_operand.taken). */
bool rp_wider_takes(const rp_application *application, const rp_op *op);
/* Appends what stands for it. */
rp_status rp_wider_apply(rp_application *application, const rp_op *op);

/* Integers as the words of 32 bits that they lie in. */
rp_status rp_wider_view(rp_expansion *expansion, const rp_given_operand *given,
                        rp_given_operand *out);
/* Words of bits, as they are or of bool: a bit for each element. */
rp_status rp_wider_words(rp_expansion *expansion, rp_given_operand *mask, rp_given_operand *out);

/* Whether an output that is u32 is asked for as another integer, and the same for that. */
bool rp_wider_gives(const rp_application *application, const rp_signature *signature);
rp_status rp_wider_give(rp_application *application, const rp_signature *signature);

#endif
