/* Internal: in which order several tensors are multiplied, of which dimensions have names. */
#ifndef RP_COMPOSITE_CONTRACTION_H
#define RP_COMPOSITE_CONTRACTION_H

#include <stdbool.h>
#include <stdint.h>

enum { RP_CONTRACTION_MOST = 8 };

/* Two factors that become one, without the dimensions that are summed. Those that are given come first; what
 * step i makes follows as factor count + i. */
typedef struct rp_contraction_step {
    uint8_t left, right;
    uint64_t summed;
} rp_contraction_step;

/* The cheapest count - 1 steps, by multiplications and by elements made. `labels` are the dimensions of
 * each factor and `kept` those of the result, as bits, 64 at most; a dimension is summed as soon as nothing
 * else needs it. False: on any way more than `most` dimensions would come together in one tensor. */
bool rp_contraction_order(const uint64_t *labels, uint32_t count, uint64_t kept,
                          const uint64_t *sizes, uint32_t most, rp_contraction_step *steps);

#endif
