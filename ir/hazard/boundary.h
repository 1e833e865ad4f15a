/* Internal: which barrier of a schedule orders a hazard.
 *
 * A hazard is attributed to the first boundary behind the group of its `from` node whose barrier
 * covers both of its scopes; for a hazard of the next replay the boundaries are counted on from the
 * plan's end to its start. Trying each boundary between two far nodes would make long-lived buffers
 * quadratic, so for each pair of scopes that occurs (there are few) a table holds the next covering
 * boundary from any position: 4 bytes a boundary for each pair.
 */
#ifndef RP_HAZARD_BOUNDARY_H
#define RP_HAZARD_BOUNDARY_H

#include "hazard/cover.h"
#include "hazard/walk.h"

#define RP_NO_BOUNDARY UINT32_MAX

typedef struct rp_boundary_table {
    uint32_t src, dst;
    uint32_t *next; /* [i]: the first boundary at i or behind that covers the two, RP_NO_BOUNDARY */
} rp_boundary_table;

typedef struct rp_boundaries {
    const rp_allocator *a;
    const rp_barrier *barriers; /* barrier i stands before group i, the last before the host */
    uint32_t count;             /* groups + 1 */
    rp_boundary_table *tables;
    uint32_t table_count, table_capacity;
} rp_boundaries;

/* The boundary that orders the hazard, or RP_NO_BOUNDARY when none does; `to_group` is ignored for
 * the host's. False without memory. */
bool rp_boundary_of(rp_boundaries *boundaries, const rp_hazard *hazard, uint32_t from_group,
                    uint32_t to_group, uint32_t *out);
void rp_boundaries_free(rp_boundaries *boundaries);

#endif
