/* Internal: packing lifetimes into an arena, shared by the place pass and by schedule's memory
 * limit. */
#ifndef RP_PASSES_PLACE_H
#define RP_PASSES_PLACE_H

#include "graph/graph.h"

typedef struct rp_lifetime {
    uint32_t first, last; /* groups, inclusive */
    uint64_t size;        /* > 0, multiple of RP_ARENA_ALIGNMENT */
    uint64_t offset;      /* result */
    uint32_t buffer;
} rp_lifetime;

/* Chooses offsets so that lifetimes that overlap in groups do not overlap in bytes. Writes the
 * bytes needed, and the most bytes alive in one group. Deterministic. */
rp_status rp_place_lifetimes(const rp_allocator *a, rp_lifetime *items, uint32_t count,
                             uint64_t *out_arena, uint64_t *out_bound);

/* The lifetimes of a scheduled graph's transients, of its images or of all others, to be released by
 * the caller. */
rp_status rp_place_gather(const rp_graph *graph, bool images, rp_lifetime **out_items,
                          uint32_t *out_count);

#endif
