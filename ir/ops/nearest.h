/* Internal: what nearest_partial is made of, for its entry in ops/search.c and for composites. */
#ifndef RP_OPS_NEAREST_H
#define RP_OPS_NEAREST_H

#include "ops/op.h"

/* The metrics, in the order of the attribute's choices. */
#define RP_NEAREST_METRICS "l2|cosine|dot|manhattan|chebyshev|hamming"
enum { RP_NEAREST_L2, RP_NEAREST_COSINE, RP_NEAREST_DOT, RP_NEAREST_HAMMING = 5 };

bool rp_nearest_rule(rp_op_call *call);
extern const rp_op_variant rp_nearest_variants[];

/* Into how many parts a base is best split on the target. */
uint64_t rp_nearest_parts(uint64_t queries, uint64_t rows, uint64_t length, uint64_t k,
                          uint32_t metric, const rp_target *target);

#endif
