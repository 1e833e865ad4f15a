/* Questions at several sizes, and what they say of a number; see ask.h. */
#include "ops/ask.h"

#include <stdio.h>

enum { SPREAD = 3 }; /* questions at sizes that differ from each other */

/* ---- Sizes to ask at ------------------------------------------------------------------------- */

bool rp_ask(const rp_sizes *sizes, uint32_t values, uint32_t *next, rp_question *out) {
    while (*next < RP_SIZES && !(values >> *next & 1)) ++*next;
    if (*next == RP_SIZES + SPREAD) return false;
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

rp_guess rp_guess_begin(const rp_sizes *sizes, uint64_t most, rp_powers shown) {
    rp_guess g = {.shown = shown};
    for (uint32_t i = 0; i < sizes->count; i++)
        if (sizes->step_count[i] && most % sizes->most[i] == 0) g.computed |= 1u << i;
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
    if (g->found != RP_POWERS_NONE && q->alone < RP_SIZES)
        learn_power(sizes, q->alone, most, there, &g->found);
    else if (g->found != RP_POWERS_NONE && !agrees(sizes, q, most, there, g->found))
        g->found = RP_POWERS_NONE;
    for (uint32_t i = 0; i < sizes->count; i++)
        if (g->computed >> i & 1 && most / sizes->most[i] * q->at[i] != there)
            g->computed &= ~(1u << i);
}

rp_powers rp_guess_conclude(const rp_guess *g) {
    if (g->shown != RP_POWERS_NONE) return g->shown;
    if (g->found != RP_POWERS_NONE) return g->found;
    for (uint32_t i = 0; i < RP_SIZES; i++)
        if (g->computed >> i & 1) return rp_powers_of(i, 1);
    return RP_POWERS_NONE;
}
