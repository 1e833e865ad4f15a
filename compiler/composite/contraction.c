/* The order of a contraction, by trying all: the best way to make a set of factors one tensor is the best
 * two halves of it. With up to 8 factors these are 3^8 pairs at most, and no rule of thumb is needed. */
#include "composite/contraction.h"

#include <math.h>

enum { SETS = 1 << RP_CONTRACTION_MOST };

typedef struct search {
    uint64_t labels[SETS]; /* that what a set becomes has */
    double cost[SETS];
    uint8_t half[SETS]; /* the best one, with the set's lowest factor in it */
    rp_contraction_step *steps;
    uint32_t count, made;
} search;

static double elements(uint64_t labels, const uint64_t *sizes) {
    double product = 1;
    for (uint32_t i = 0; labels; i++, labels >>= 1)
        if (labels & 1) product *= (double)sizes[i];
    return product;
}

static uint32_t count_bits(uint64_t bits) {
    uint32_t count = 0;
    for (; bits; bits &= bits - 1) count++;
    return count;
}

/* Appends the steps of a set; which factor it becomes. */
static uint8_t take_steps(search *s, uint32_t set) {
    uint8_t single = 0;
    while (!(set >> single & 1)) single++;
    if (set == 1u << single) return single;
    uint32_t half = s->half[set], other = set & ~half;
    uint8_t left = take_steps(s, half), right = take_steps(s, other);
    uint64_t summed = (s->labels[half] | s->labels[other]) & ~s->labels[set];
    s->steps[s->made] = (rp_contraction_step){left, right, summed};
    return (uint8_t)(s->count + s->made++);
}

static void find_halves(search *s, uint32_t set, const uint64_t *sizes) {
    uint32_t lowest = set & -set;
    s->cost[set] = INFINITY;
    for (uint32_t half = (set - 1) & set; half; half = (half - 1) & set) {
        if (!(half & lowest)) continue;
        uint32_t other = set & ~half;
        double cost = s->cost[half] + s->cost[other] +
                      elements(s->labels[half] | s->labels[other], sizes) +
                      elements(s->labels[set], sizes);
        if (!(cost < s->cost[set])) continue;
        s->cost[set] = cost;
        s->half[set] = (uint8_t)half;
    }
}

bool rp_contraction_order(const uint64_t *labels, uint32_t count, uint64_t kept,
                          const uint64_t *sizes, uint32_t most, rp_contraction_step *steps) {
    search s = {.steps = steps, .count = count};
    uint32_t all = (1u << count) - 1;
    for (uint32_t set = 1; set <= all; set++) {
        uint64_t inside = 0, outside = kept;
        for (uint32_t i = 0; i < count; i++) *(set >> i & 1 ? &inside : &outside) |= labels[i];
        s.labels[set] = inside & outside;
        if (set & (set - 1))
            find_halves(&s, set, sizes);
        else
            s.labels[set] = inside;
        if (set != all && count_bits(s.labels[set]) > most) s.cost[set] = INFINITY;
    }
    if (!isfinite(s.cost[all])) return false;
    take_steps(&s, all);
    return true;
}
