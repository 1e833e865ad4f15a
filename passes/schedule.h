/* Internal: what the schedulers share: dependences, and the memory that a choice of groups keeps
 * alive. A vertex is one of rp_deps; only nodes have a group, but the arrays have room for all. */
#ifndef RP_PASSES_SCHEDULE_H
#define RP_PASSES_SCHEDULE_H

#include "graph/deps.h"
#include "pass.h"

typedef struct rp_schedule {
    const rp_allocator *a;
    rp_graph *graph;
    rp_deps deps;
    uint32_t *group; /* per vertex: its group, from 0; for fences and joins the first group
                      * that may hold what depends on them */
    uint32_t group_count;
    /* Transients: bytes, rounded up to the arena's alignment (0 for other buffers), of images the
     * packed ones; and the nodes (vertices) that use them, each once: user[first_user[b]] .. */
    uint64_t *bytes;
    uint32_t *first_user, *user;
    /* The transients a node uses, each once: used[first_used[v]] .. for v < node_count. */
    uint32_t *first_used, *used;
} rp_schedule;

rp_status rp_schedule_open(rp_schedule *s, rp_graph *graph);
void rp_schedule_close(rp_schedule *s);

/* Memory of an assignment of groups. */
typedef struct rp_footprint {
    uint64_t peak; /* most transient bytes alive in one group */
    double area;   /* sum of bytes * groups alive: how far values travel */
} rp_footprint;
rp_status rp_schedule_measure(const rp_schedule *s, const uint32_t *group, uint32_t group_count,
                              rp_footprint *out);

/* The fewest groups, then low memory: fills s->group and s->group_count. */
rp_status rp_schedule_pack(rp_schedule *s);

/* Further reduces the peak of an assignment without more groups (schedule_peak.c). */
rp_status rp_schedule_lower_peak(rp_schedule *s, const uint32_t *asap, const uint32_t *alap);

/* As few groups as found whose arena fits into `limit` bytes, starting from the packed assignment.
 * RP_ERROR_INVALID when none was found; *out_smallest is then an arena that is found when it is the
 * limit. */
rp_status rp_schedule_limited(rp_schedule *s, uint64_t limit, uint64_t *out_smallest);

/* The arena that placing would need for the assignment in s->group. */
rp_status rp_schedule_arena(const rp_schedule *s, uint64_t *out_arena);

#endif
