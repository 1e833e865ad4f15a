/* Internal: equations of einsum, "bhqd,bhkd->bhqk", read with the shapes of their operands. */
#ifndef RP_COMPOSITE_EQUATION_H
#define RP_COMPOSITE_EQUATION_H

#include "composite/composite.h"

/* Labels are letters, A to Z and a to z, then dimensions of an ellipsis, counted from the last. */
enum {
    RP_EQUATION_TERMS = 8,
    RP_EQUATION_LETTERS = 52,
    RP_EQUATION_LABELS = RP_EQUATION_LETTERS + RP_MAX_RANK,
};

/* What the dimensions of an operand, or of the result, are called. */
typedef struct rp_labels {
    uint32_t count;
    uint8_t at[RP_MAX_RANK];
} rp_labels;

typedef struct rp_equation {
    uint32_t term_count;
    rp_labels terms[RP_EQUATION_TERMS]; /* as many labels as the operand has dimensions, or none, of
                                         * a single element; one may stand there several times */
    rp_labels out;                      /* each at most once */
    uint64_t sizes[RP_EQUATION_LABELS]; /* an operand's own dimension may be 1 in place of it */
} rp_equation;

/* Reads text attribute `attr` for as many operands. NumPy's rules; mistakes are blamed on the letter. */
rp_status rp_equation_read(rp_expansion *x, uint32_t attr, rp_given_operand *const *operands,
                           uint32_t count, rp_equation *out);

#endif
