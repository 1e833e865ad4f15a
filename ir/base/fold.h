/* Internal: folding many intervals of a map into one.
 *
 * When a range of thousands of intervals is looked at as a whole, again and again, every look costs
 * thousands of steps. A fold takes the place of the intervals it was made from, as one interval
 * whose value stands for them all; what that means (the latest of them, all of them) is its owner's
 * affair. The intervals come back when somebody touches only a part of the range.
 *
 * Folds are trees with up to RP_FOLD_WIDTH children, so that touching a small part opens a path and
 * not everything. Each fold lies in one place, in the map or in another fold, and is opened at most
 * once: opening is paid for by folding, and folding by the look that went over the intervals
 * anyway.
 *
 * Knows nothing of hazards: the passes and the checker use it, each with its own meaning. */
#ifndef RP_BASE_FOLD_H
#define RP_BASE_FOLD_H

#include "base/interval_map.h"

enum {
    RP_FOLD_WIDTH = 16, /* ranges of more intervals are worth folding */
    RP_FOLD_DEPTH = 24  /* of trees: what would become deeper is left as it is */
};

/* Values with this bit are folds: RP_FOLDED | index. Others, and RP_ABSENT, are the owner's. */
#define RP_FOLDED UINT32_C(0x80000000)

static inline bool rp_is_fold(uint32_t value) {
    return (value & RP_FOLDED) && value != RP_ABSENT;
}

typedef struct rp_fold {
    uint32_t first, count; /* in pieces */
    uint32_t depth;
} rp_fold;

/* The folds of any number of maps. Zero-initialised is empty. */
typedef struct rp_folds {
    rp_fold *all;
    uint32_t count, capacity;
    rp_interval *pieces; /* of all folds; gaps are pieces of value RP_ABSENT */
    uint32_t piece_count, piece_capacity;
    rp_interval *scratch;
    uint32_t scratch_count, scratch_capacity;
    bool failed;
} rp_folds;

void rp_folds_free(const rp_allocator *a, rp_folds *folds);
/* Forgets all folds, and keeps the memory; no map may hold one. */
void rp_folds_clear(rp_folds *folds);

static inline const rp_interval *rp_fold_pieces(const rp_folds *folds, uint32_t value) {
    return folds->pieces + folds->all[value & ~RP_FOLDED].first;
}

static inline uint32_t rp_fold_count(const rp_folds *folds, uint32_t value) {
    return folds->all[value & ~RP_FOLDED].count;
}

/* How an owner gives folds a meaning. Both return false without memory. */
typedef struct rp_fold_owner {
    void *context;
    /* Fold number `folds->count - 1` was made from these pieces. */
    bool (*made)(void *context, const rp_interval *pieces, uint32_t count);
    /* `parent` is opened: *child, the value of one of its pieces, goes back into the map, and has
     * to learn what happened to the parent since. */
    bool (*opened)(void *context, uint32_t parent, uint32_t *child);
} rp_fold_owner;

/* Folds the intervals and gaps of [lo, hi), which no fold may reach out of. */
bool rp_fold_range(const rp_allocator *a, rp_folds *folds, rp_interval_map *map, uint64_t lo,
                   uint64_t hi, const rp_fold_owner *owner);

bool rp_fold_cut_some(const rp_allocator *a, rp_folds *folds, rp_interval_map *map, uint64_t lo,
                      uint64_t hi, const rp_fold_owner *owner);

/* Opens the folds that [lo, hi) cuts, until none reaches out of the range. Most maps have none. */
static inline bool rp_fold_cut(const rp_allocator *a, rp_folds *folds, rp_interval_map *map,
                               uint64_t lo, uint64_t hi, const rp_fold_owner *owner) {
    return folds->count == 0 || rp_fold_cut_some(a, folds, map, lo, hi, owner);
}

#endif
