/* Internal: which numbers follow which sizes, found by asking.
 *
 * What a rule of an op or a composite makes of shapes is C: it compares, divides and chooses as it
 * likes, and knows numbers alone. So it is asked at several sizes, and what it says is held against
 * each other. Of a number that is a constant times a product of sizes, the power of each size shows
 * where that size alone is 1. That it is such a number shows at sizes that nobody has thought of. */
#ifndef RP_OPS_ASK_H
#define RP_OPS_ASK_H

#include "ops/sizes.h"

/* Sizes to ask at. */
typedef struct rp_question {
    uint64_t at[RP_SIZES];
    uint32_t
        alone; /* the size that is 1, where the others are as large as they get; RP_SIZES: none */
} rp_question;

/* The next question about live values, a bit each; `*next` counts from 0. False when there is none. The
 * first ones have one of them at 1; then all are, then they are as different as they can be. */
bool rp_ask(const rp_sizes *sizes, uint32_t values, uint32_t *next, rp_question *out);
/* "tokens is 1, batch is 4": what the values are. */
void rp_question_print(const rp_sizes *sizes, uint32_t values, const rp_question *q, char *text,
                       size_t size);

/* What is known so far of a number's powers. Each guess is held against every answer. What is computed of others never
 * changes alone, so it is tried: none of it in the number, each of the first few, and each two of them. */
enum { RP_COMPUTED = 4, RP_TRIED = 1 + RP_COMPUTED + RP_COMPUTED * (RP_COMPUTED + 1) / 2 };
typedef struct rp_guess {
    rp_powers shown; /* those of the dimensions that it was bound by; RP_POWERS_NONE: wrong */
    rp_powers tried
        [RP_TRIED]; /* of what is computed of others; RP_POWERS_NONE: it cannot be in the number */
    rp_powers found[RP_TRIED]; /* beside that of live values, by what each does alone */
} rp_guess;

/* Of a number that is `most` where sizes are largest; `shown` may be RP_POWERS_NONE. */
rp_guess rp_guess_begin(const rp_sizes *sizes, uint64_t most, rp_powers shown);
/* What it is at the sizes of a question. */
void rp_guess_learn(rp_guess *guess, const rp_sizes *sizes, const rp_question *q, uint64_t most,
                    uint64_t there);
/* Its powers, RP_POWERS_NONE where it is no product of sizes. */
rp_powers rp_guess_conclude(const rp_guess *guess);

#endif
