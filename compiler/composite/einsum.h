/* Internal: what einsum works on (einsum.c), and what becomes of two operands (einsum_pair.c). */
#ifndef RP_COMPOSITE_EINSUM_H
#define RP_COMPOSITE_EINSUM_H

#include "composite/axes.h"
#include "composite/equation.h"

/* A tensor on its way, and what its dimensions are called: none of them is 1. */
typedef struct rp_factor {
    rp_given_operand operand;
    rp_labels labels;
} rp_factor;

typedef struct rp_einsum {
    rp_expansion *x;
    uint64_t sizes[RP_EQUATION_LABELS];
    uint64_t most[RP_EQUATION_LABELS]; /* for what is chosen: where sizes vary the largest */
    rp_factor factors[2 * RP_EQUATION_TERMS - 1]; /* operands, then what pairs of them become */
    uint32_t count;                               /* of operands */
    rp_labels out;                                /* of the result */
    rp_given_operand result;                      /* it is made */
    uint8_t sums;                                 /* dtype of sums on the way: f32, i32 or u32 */
    bool done;                                    /* the last op writes the result */
} rp_einsum;

/* ---- Labels ---------------------------------------------------------------------------------- */

bool rp_labels_same(const rp_labels *a, const rp_labels *b);
uint64_t rp_labels_set(const rp_labels *l);
/* Those of `l` that are in a set, in its order. */
rp_labels rp_labels_of(const rp_labels *l, uint64_t set);
/* Elements of a tensor with them: within an operand's size, or the product of two. */
uint64_t rp_einsum_elements(const rp_einsum *e, const rp_labels *l);
/* The same for what is chosen. */
double rp_einsum_cost(const rp_einsum *e, const rp_labels *l);
/* A dimension for each; a single element has one of 1. */
rp_tensor rp_einsum_shape(const rp_einsum *e, const rp_labels *l);

/* ---- Steps ----------------------------------------------------------------------------------- */

/* Where a step's result goes: where `last`, the result itself, seen in a shape; else a transient. */
rp_status rp_einsum_target(rp_einsum *e, const char *name, uint8_t dtype, bool last,
                           const rp_tensor *shape, rp_given_operand *out);
/* Puts so many dimensions, from `from` on, in front of those from `at` on. */
rp_status rp_einsum_bring(rp_einsum *e, rp_factor *f, uint32_t at, uint32_t from, uint32_t length);
/* Puts the dimensions into another order, by `permute`. */
rp_status rp_einsum_move(rp_einsum *e, rp_factor *f, const rp_labels *to, bool last);
/* Sums a factor over some of its dimensions. */
rp_status rp_einsum_sum(rp_einsum *e, rp_factor *f, uint64_t summed, bool last);
/* What two factors become, summed over some of the dimensions of both. */
rp_status rp_einsum_multiply(rp_einsum *e, const rp_factor *left, const rp_factor *right,
                             uint64_t summed, bool last, rp_factor *out);

#endif
