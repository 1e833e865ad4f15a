/* Internal: which accesses barriers order, as barriers are placed one behind the other.
 *
 * A hazard from position `from` to the position at hand is ordered when a barrier stands between
 * them whose source scope holds its source bit and whose destination scope holds its destination
 * bit. So of each pair of bits the latest barrier is all there is to know. Barriers in a row mostly
 * have the same scopes: the latest one is kept apart until another comes. What a position is, a
 * group of a plan (pass `sync`) or a call (direct mode), is the caller's affair; a barrier at position
 * p stands before what is at p, and p > 0.
 */
#ifndef RP_HAZARD_COVER_H
#define RP_HAZARD_COVER_H

#include "base/scope.h"

typedef struct rp_cover {
    uint32_t src, dst, at; /* the latest barrier: what it covers, where it stands */
    /* The latest one before it that covers source bit, destination bit; 0: none. */
    uint32_t last[RP_SCOPE_BITS][RP_SCOPE_BITS];
    uint32_t last_full; /* the latest that orders everything */
} rp_cover;

/* What a barrier covers: every source bit with every destination bit, or everything. */
typedef struct rp_covered {
    uint32_t src, dst;
    bool full;
} rp_covered;

static inline uint32_t rp_scope_index(uint32_t bit) {
    return (uint32_t)__builtin_ctz(bit);
}

static inline bool rp_barrier_covers(rp_barrier b, uint32_t src, uint32_t dst) {
    return (src & ~rp_scope_covered_by_src(b.src)) == 0 && (dst & ~b.dst) == 0;
}

/* Makes the barrier cover a hazard, with no bit more than that needs. */
static inline void rp_barrier_widen(rp_barrier *b, uint32_t src, uint32_t dst) {
    if (src & ~rp_scope_covered_by_src(b->src)) b->src = rp_scope_normalise_src(b->src | src);
    b->dst |= dst;
}

static inline rp_covered rp_covered_by(rp_barrier b) {
    return (rp_covered){rp_scope_covered_by_src(b.src), b.dst & RP_SCOPE_ALL,
                        rp_barrier_is_full(b)};
}

/* Notes what the barrier at position `at` covers, now or in addition. Positions do not go back. */
static inline void rp_cover_note(rp_cover *cover, uint32_t at, rp_covered b) {
    if (b.src != cover->src || b.dst != cover->dst) {
        for (uint32_t src = cover->src; src; src &= src - 1)
            for (uint32_t dst = cover->dst; dst; dst &= dst - 1)
                cover->last[rp_scope_index(src)][rp_scope_index(dst)] = cover->at;
        cover->src = b.src;
        cover->dst = b.dst;
    }
    cover->at = at;
    if (b.full) cover->last_full = at;
}

/* Whether a barrier behind position `from` orders a hazard; one bit each, or for RP_ORDER all. */
static inline bool rp_cover_orders(const rp_cover *cover, rp_hazard_kind kind, uint32_t src,
                                   uint32_t dst, uint32_t from) {
    if (kind == RP_ORDER) return cover->last_full > from;
    return ((src & cover->src) && (dst & cover->dst) && cover->at > from) ||
           cover->last[rp_scope_index(src)][rp_scope_index(dst)] > from;
}

/* What a barrier is for, of the kinds of hazard that it orders (bit rp_hazard_kind): the first of
 * raw, waw and war. RP_ORDER, forced by no bytes, for none of them. */
static inline rp_hazard_kind rp_barrier_reason(uint32_t kinds) {
    return kinds & 1u << RP_RAW_HAZARD   ? RP_RAW_HAZARD
           : kinds & 1u << RP_WAW_HAZARD ? RP_WAW_HAZARD
           : kinds & 1u << RP_WAR_HAZARD ? RP_WAR_HAZARD
                                         : RP_ORDER;
}

#endif
