/* Internal: an ordered map from disjoint byte intervals to 32-bit values.
 *
 * A container without any knowledge of hazards: the passes and the checker both use it, each with
 * its own analysis on top. Neighbouring intervals with equal values are joined, so a map that is
 * overwritten as a whole becomes one interval again; without that, memory that is reused all the
 * time would be cut into ever smaller pieces.
 *
 * Entries are kept in leaves of at most 64, the leaves in one sorted array together with where each
 * ends: finding is two binary searches that touch one leaf, inserting moves at most one leaf. Most
 * maps never hold more than one interval: a map's only one lies in the map itself. */
#ifndef RP_BASE_INTERVAL_MAP_H
#define RP_BASE_INTERVAL_MAP_H

#include "base/alloc.h"

#define RP_ABSENT UINT32_MAX

typedef struct rp_interval {
    uint64_t lo, hi; /* [lo, hi), lo < hi */
    uint32_t value;  /* never RP_ABSENT */
} rp_interval;

typedef struct rp_interval_leaf rp_interval_leaf;

typedef struct rp_interval_slot {
    uint64_t end; /* hi of the leaf's last entry */
    rp_interval_leaf *leaf;
} rp_interval_slot;

enum { RP_INTERVAL_LEAVES = 3 }; /* sizes of leaves */

/* Leaves that maps have left over, for maps that are cleared and filled again and must not allocate
 * then. Zero-initialised is an empty pool; freed after its maps. */
typedef struct rp_interval_pool {
    rp_interval_leaf *spare[RP_INTERVAL_LEAVES];
    rp_interval *scratch; /* of updates */
    uint32_t scratch_capacity;
} rp_interval_pool;

void rp_interval_pool_free(const rp_allocator *a, rp_interval_pool *pool);

/* Zero-initialised is an empty map. */
typedef struct rp_interval_map {
    rp_interval only; /* of a map without leaves; empty: none */
    rp_interval_slot *leaves;
    uint32_t leaf_count, leaf_capacity;
    rp_interval_pool *pool; /* where its leaves come from and go to; NULL: the allocator alone */
} rp_interval_map;

void rp_interval_map_free_leaves(const rp_allocator *a, rp_interval_map *map);

static inline void rp_interval_map_free(const rp_allocator *a, rp_interval_map *map) {
    map->only = (rp_interval){0};
    if (map->leaves) rp_interval_map_free_leaves(a, map);
}

/* Makes the map empty; with a pool, nothing is given back to the allocator. */
void rp_interval_map_clear(const rp_allocator *a, rp_interval_map *map);

/* Calls `visit` for each maximal piece of [lo, hi) that lies in one interval or in one gap, in
 * ascending order, with the piece's value (RP_ABSENT for a gap), and gives the piece the value that
 * `visit` returns (RP_ABSENT removes it). `visit` must not touch the map. Returns false without
 * memory; the map is then valid, but may hold only part of the update. */
typedef uint32_t rp_interval_visit(void *context, uint64_t lo, uint64_t hi, uint32_t value);
bool rp_interval_map_update(const rp_allocator *a, rp_interval_map *map, uint64_t lo, uint64_t hi,
                            rp_interval_visit *visit, void *context);

/* Gives all of [lo, hi) one value. */
bool rp_interval_map_set(const rp_allocator *a, rp_interval_map *map, uint64_t lo, uint64_t hi,
                         uint32_t value);

/* Calls `visit` as above without changing anything; its result is ignored. */
void rp_interval_map_each(const rp_interval_map *map, uint64_t lo, uint64_t hi,
                          rp_interval_visit *visit, void *context);

/* The value of the interval that is [lo, hi) exactly. The caller may change it, to one that neither
 * neighbour has and that is not RP_ABSENT. Where nothing is, an interval is put that has `value`, if
 * that takes no more than moving others; not with RP_ABSENT. NULL when there is none. */
uint32_t *rp_interval_map_exact(rp_interval_map *map, uint64_t lo, uint64_t hi, uint32_t value);

/* The interval that holds byte `at`; false in a gap. */
bool rp_interval_map_find(const rp_interval_map *map, uint64_t at, rp_interval *out);

/* How many intervals the map holds. */
uint32_t rp_interval_map_count(const rp_interval_map *map);

#endif
