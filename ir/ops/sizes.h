/* Internal: numbers that follow live sizes.
 *
 * A live size is a number that the host sets for each replay: 0 to `most`. A dimension that follows
 * sizes is a constant times a product of them, `8 * batch * tokens`, and so is everything that
 * products of dimensions make: elements, strides, bytes. Such a number is an rp_extent: what it is
 * where all sizes are as large as they get, and to which power it has each size. Where two are the
 * same in both they are the same for all sizes.
 *
 * A sum of live values, `past + tokens`, is a size of its own, computed of two others. */
#ifndef RP_OPS_SIZES_H
#define RP_OPS_SIZES_H

#include "base/expr.h"

enum {
    RP_SIZES = 16,      /* of one graph */
    RP_SIZE_BITS = 4,   /* of a power */
    RP_SIZE_TEXT = 48,  /* bytes of a size's name */
    RP_SIZE_LEAST = 2,  /* a dimension that is at most 1 cannot be told from a constant */
    RP_SIZE_STEPS = 15, /* of one that is computed of others */
};

typedef struct rp_sizes {
    uint32_t count;
    uint64_t most[RP_SIZES];           /* >= RP_SIZE_LEAST, or in no power: a part of others */
    char text[RP_SIZES][RP_SIZE_TEXT]; /* as a person wrote it, for messages */
    /* Steps over sizes before it, which RP_EXPR_LIVE names; none: it is a live value. */
    rp_expr_op steps[RP_SIZES][RP_SIZE_STEPS];
    uint8_t step_count[RP_SIZES];
} rp_sizes;

/* Fills in those of at[0 .. count) that are computed of the others. */
void rp_sizes_compute(const rp_sizes *sizes, uint64_t *at);
/* The live values among sizes, and behind those that are computed: a bit each. */
uint32_t rp_sizes_values(const rp_sizes *sizes, uint32_t of);

/* The powers of a number: RP_SIZE_BITS bits of each size. 0: it follows none. */
typedef uint64_t rp_powers;
/* Of a number that is no product of sizes: of tiles, of what is rounded up. It has no rp_extent. */
#define RP_POWERS_NONE UINT64_MAX
/* Of a number that is 0 in every replay: a dimension without elements, as a kernel sees it. It counts as a
 * size that is up to RP_EMPTY_MOST, whole blocks of every dtype, so that nothing is divided by 0 where tiles and
 * parts are chosen, and what is made for sizes down to 0 is made for it. */
#define RP_POWERS_EMPTY (UINT64_MAX - 1)
enum { RP_EMPTY_MOST = 32 };

typedef struct rp_extent {
    uint64_t most;
    rp_powers powers;
} rp_extent;

static inline uint32_t rp_power_of(rp_powers powers, uint32_t size) {
    return powers >> (RP_SIZE_BITS * size) & ((1u << RP_SIZE_BITS) - 1);
}

static inline rp_powers rp_powers_of(uint32_t size, uint32_t power) {
    return (rp_powers)power << (RP_SIZE_BITS * size);
}

/* The sizes that a number follows, a bit each. */
static inline uint32_t rp_powers_sizes(rp_powers powers) {
    uint32_t all = 0;
    if (powers == RP_POWERS_EMPTY) return 0;
    for (uint32_t i = 0; powers && i < RP_SIZES; i++)
        all |= (uint32_t)(rp_power_of(powers, i) != 0) << i;
    return all;
}

/* Powers of a product. A shape has at most RP_MAX_RANK dimensions with each size once, so no sum of
 * those of one tensor overflows; others saturate to RP_POWERS_NONE. */
rp_powers rp_powers_sum(rp_powers a, rp_powers b);

/* Products saturate at UINT64_MAX. */
rp_extent rp_extent_product(rp_extent a, rp_extent b);

static inline rp_extent rp_extent_fixed(uint64_t value) {
    return (rp_extent){value, 0};
}

static inline bool rp_extent_same(rp_extent a, rp_extent b) {
    return a.most == b.most && a.powers == b.powers;
}

/* The constant in front of the sizes: what divides the number, whatever they are. 1 where it is no product. */
uint64_t rp_extent_each(const rp_sizes *sizes, rp_extent extent);
/* The number at other sizes, at[0 .. count). */
uint64_t rp_extent_at(const rp_sizes *sizes, rp_extent extent, const uint64_t *at);

#endif
