/* Questions at several sizes, and what they say of a number; see ask.h. */
#include "ops/ask.h"

#include <stdio.h>

/* Questions at sizes that differ from each other; and small ones, where what is computed of them may be something else
 * than at large ones: min(n, 4), n / 2. */
enum { SPREAD = 3, SMALL = 6 };

/* ---- Sizes to ask at ------------------------------------------------------------------------- */

bool rp_ask(const rp_sizes *sizes, uint32_t values, uint32_t *next, rp_question *out) {
    uint32_t last = RP_SIZES + SPREAD;
    for (uint32_t i = 0; i < sizes->count && last == RP_SIZES + SPREAD; i++)
        if (sizes->step_count[i]) last += SMALL;
    while (*next < RP_SIZES && !(values >> *next & 1)) ++*next;
    if (*next == last) return false;
    uint32_t turn = (*next)++;
    out->alone = turn < RP_SIZES ? turn : RP_SIZES;
    for (uint32_t i = 0; i < sizes->count; i++) {
        uint64_t most = sizes->most[i];
        if (turn < RP_SIZES)
            out->at[i] = i == turn ? 1 : most;
        else if (turn == RP_SIZES)
            out->at[i] = 1;
        else if (most < RP_SIZE_LEAST)
            out->at[i] = most;
        else if (turn >= RP_SIZES + SPREAD)
            out->at[i] = 2 + (turn + i) % (most <= SMALL ? most - 1 : SMALL);
        else
            out->at[i] = 2 + (UINT64_C(0x9e3779b9) * (i + 1) + 7 * turn) % (most - 1);
    }
    rp_sizes_compute(sizes, out->at);
    return true;
}

void rp_question_print(const rp_sizes *sizes, uint32_t values, const rp_question *q, char *text,
                       size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < sizes->count && used < size; i++) {
        if (!(values >> i & 1)) continue;
        int n = snprintf(text + used, size - used, "%s%s is %llu", used ? ", " : "", sizes->text[i],
                         (unsigned long long)q->at[i]);
        used += n > 0 ? (size_t)n : 0;
    }
}

/* ---- Powers ---------------------------------------------------------------------------------- */

/* A product of sizes at some; 1 of none. */
static uint64_t product_at(const rp_sizes *sizes, rp_powers powers, const uint64_t *at) {
    uint64_t product = 1;
    for (uint32_t i = 0; powers && i < sizes->count; i++)
        for (uint32_t k = rp_power_of(powers, i); k > 0; k--) product *= at[i];
    return product;
}

rp_guess rp_guess_begin(const rp_sizes *sizes, uint64_t most, rp_powers shown) {
    rp_guess g = {.shown = shown};
    uint32_t computed[RP_COMPUTED], count = 0, tried = 1;
    for (uint32_t i = 0; i < sizes->count && count < RP_COMPUTED; i++)
        if (sizes->step_count[i]) computed[count++] = i;
    for (uint32_t i = 0; i < count; i++) g.tried[tried++] = rp_powers_of(computed[i], 1);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = i; k < count; k++)
            g.tried[tried++] =
                rp_powers_sum(rp_powers_of(computed[i], 1), rp_powers_of(computed[k], 1));
    for (uint32_t t = tried; t < RP_TRIED; t++) g.tried[t] = RP_POWERS_NONE;
    for (uint32_t t = 1; t < tried; t++) {
        uint64_t of = product_at(sizes, g.tried[t], sizes->most);
        if (of == 0 || most % of != 0) g.tried[t] = RP_POWERS_NONE;
    }
    return g;
}

/* The power of the one value that is 1. */
static void learn_power(const rp_sizes *sizes, uint32_t alone, uint64_t most, uint64_t there,
                        rp_powers *powers) {
    uint64_t left = most;
    uint32_t power = 0;
    while (left != there && left % sizes->most[alone] == 0 && left &&
           power + 1 < 1u << RP_SIZE_BITS) {
        left /= sizes->most[alone];
        power++;
    }
    *powers = left == there ? *powers | rp_powers_of(alone, power) : RP_POWERS_NONE;
}

static bool agrees(const rp_sizes *sizes, const rp_question *q, uint64_t most, uint64_t there,
                   rp_powers powers) {
    return rp_extent_at(sizes, (rp_extent){most, powers}, q->at) == there;
}

void rp_guess_learn(rp_guess *g, const rp_sizes *sizes, const rp_question *q, uint64_t most,
                    uint64_t there) {
    if (g->shown != RP_POWERS_NONE && !agrees(sizes, q, most, there, g->shown))
        g->shown = RP_POWERS_NONE;
    for (uint32_t t = 0; t < RP_TRIED; t++) {
        if (g->tried[t] == RP_POWERS_NONE) continue;
        uint64_t of = product_at(sizes, g->tried[t], sizes->most);
        uint64_t here = product_at(sizes, g->tried[t], q->at);
        rp_powers *found = &g->found[t];
        if (here == 0 && there == 0) continue; /* which tells nothing of the rest */
        if (here == 0 || there % here != 0)
            *found = RP_POWERS_NONE;
        else if (q->alone < RP_SIZES)
            learn_power(sizes, q->alone, most / of, there / here, found);
        else if (!agrees(sizes, q, most / of, there / here, *found))
            *found = RP_POWERS_NONE;
        if (*found == RP_POWERS_NONE) g->tried[t] = RP_POWERS_NONE;
    }
}

rp_powers rp_guess_conclude(const rp_guess *g) {
    if (g->shown != RP_POWERS_NONE) return g->shown;
    for (uint32_t t = 0; t < RP_TRIED; t++)
        if (g->tried[t] != RP_POWERS_NONE) return rp_powers_sum(g->tried[t], g->found[t]);
    return RP_POWERS_NONE;
}
