/* Folds; see fold.h. Pieces of dead folds stay in the array until the end: together they are not
 * more than the pieces that somebody looked at. */
#include "base/fold.h"

void rp_folds_free(const rp_allocator *a, rp_folds *folds) {
    rp_release(a, folds->all);
    rp_release(a, folds->pieces);
    rp_release(a, folds->scratch);
    *folds = (rp_folds){0};
}

void rp_folds_clear(rp_folds *folds) {
    folds->count = folds->piece_count = folds->scratch_count = 0;
    folds->failed = false;
}

typedef struct gathering {
    const rp_allocator *a;
    rp_folds *folds;
} gathering;

static uint32_t gather(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    gathering *g = context;
    rp_folds *f = g->folds;
    if (RP_RESERVE(g->a, f->scratch, f->scratch_count, f->scratch_capacity, 1))
        f->scratch[f->scratch_count++] = (rp_interval){lo, hi, value};
    else
        f->failed = true;
    return value;
}

static uint32_t depth_of(const rp_folds *folds, uint32_t value) {
    return rp_is_fold(value) ? folds->all[value & ~RP_FOLDED].depth : 0;
}

/* Makes one fold of some pieces; its value, or RP_ABSENT without memory. */
static uint32_t make(const rp_allocator *a, rp_folds *f, const rp_interval *pieces, uint32_t count,
                     const rp_fold_owner *owner) {
    if (f->count >= RP_FOLDED - 1 || !RP_RESERVE(a, f->all, f->count, f->capacity, 1) ||
        !RP_RESERVE(a, f->pieces, f->piece_count, f->piece_capacity, count))
        return RP_ABSENT;
    rp_fold fold = {f->piece_count, count, 0};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t depth = depth_of(f, pieces[i].value) + 1;
        if (depth > fold.depth) fold.depth = depth;
    }
    memcpy(f->pieces + f->piece_count, pieces, count * sizeof *pieces);
    f->piece_count += count;
    f->all[f->count++] = fold;
    return owner->made(owner->context, pieces, count) ? RP_FOLDED | (f->count - 1) : RP_ABSENT;
}

/* Folds runs of pieces that are no deeper than `depth`, evenly. Returns how many pieces are left, 0
 * without memory. Going from shallow to deep puts an opened path together as it was; folding
 * whatever stands next to each other would make trees that get deeper each time. */
static uint32_t fold_runs(const rp_allocator *a, rp_folds *f, rp_interval *level, uint32_t count,
                          uint32_t depth, const rp_fold_owner *owner) {
    uint32_t left = 0;
    for (uint32_t i = 0, end = 0; i < count; i = end) {
        while (end < count && depth_of(f, level[end].value) <= depth) end++;
        uint32_t chunks = (end - i + RP_FOLD_WIDTH - 1) / RP_FOLD_WIDTH;
        for (uint32_t k = chunks; k > 0; k--) {
            uint32_t n = (end - i) / k;
            rp_interval whole = {level[i].lo, level[i + n - 1].hi, level[i].value};
            if (n > 1 && (whole.value = make(a, f, level + i, n, owner)) == RP_ABSENT) return 0;
            level[left++] = whole;
            i += n;
        }
        if (end < count) level[left++] = level[end++];
    }
    return left;
}

bool rp_fold_range(const rp_allocator *a, rp_folds *folds, rp_interval_map *map, uint64_t lo,
                   uint64_t hi, const rp_fold_owner *owner) {
    gathering g = {a, folds};
    folds->scratch_count = 0;
    folds->failed = false;
    rp_interval_map_each(map, lo, hi, gather, &g);
    if (folds->failed) return false;
    rp_interval *level = folds->scratch;
    uint32_t count = folds->scratch_count;
    for (uint32_t i = 0; i < count; i++)
        if (depth_of(folds, level[i].value) >= RP_FOLD_DEPTH) return true;
    for (uint32_t depth = 0; count > 1; depth++) {
        count = fold_runs(a, folds, level, count, depth, owner);
        if (count == 0) return false;
    }
    return count == 0 || rp_interval_map_set(a, map, lo, hi, level[0].value);
}

static bool open(const rp_allocator *a, rp_folds *folds, rp_interval_map *map, uint32_t value,
                 const rp_fold_owner *owner) {
    const rp_interval *pieces = rp_fold_pieces(folds, value);
    for (uint32_t i = 0; i < rp_fold_count(folds, value); i++) {
        uint32_t child = pieces[i].value;
        if (!owner->opened(owner->context, value, &child) ||
            !rp_interval_map_set(a, map, pieces[i].lo, pieces[i].hi, child))
            return false;
    }
    return true;
}

bool rp_fold_cut_some(const rp_allocator *a, rp_folds *folds, rp_interval_map *map, uint64_t lo,
                      uint64_t hi, const rp_fold_owner *owner) {
    for (int side = 0; side < 2; side++) {
        rp_interval e;
        while (rp_interval_map_find(map, side ? hi - 1 : lo, &e) && rp_is_fold(e.value) &&
               (e.lo < lo || e.hi > hi))
            if (!open(a, folds, map, e.value, owner)) return false;
    }
    return true;
}
