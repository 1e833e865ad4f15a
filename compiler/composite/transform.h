/* Internal: one Fourier transform of all signals of an operand, for the composites of family signal. */
#ifndef RP_COMPOSITE_TRANSFORM_H
#define RP_COMPOSITE_TRANSFORM_H

#include "composite/composite.h"

/* The longest transform of one pass, and of two. */
enum { RP_TRANSFORM_AT_ONCE = 4096, RP_TRANSFORM_MOST = 1 << 24 };

/* What the signals are, or the result is: pairs, real numbers, or the first half of a spectrum. */
typedef enum rp_transform_source {
    RP_TRANSFORM_COMPLEX,
    RP_TRANSFORM_REAL,
    RP_TRANSFORM_HALF
} rp_transform_source;

typedef struct rp_transform {
    rp_given_operand *x, *out;
    uint64_t samples, stride, length;
    uint64_t kept; /* elements of each result, the first ones */
    rp_transform_source from;
    bool to_real, backward;
    const char *temp; /* the name of what is between two passes */
} rp_transform;

/* The least length from `least` on that is a product of 2, 3 and 5 and can be transformed; 0 for none. */
uint64_t rp_transform_length(uint64_t least);
/* Appends the ops that make it, of any length that can be transformed. */
rp_status rp_transform_apply(rp_expansion *x, const rp_transform *t);

#endif
