/* Internal: what the parts of a profile share. */
#ifndef RP_RUNTIME_PROFILE_H
#define RP_RUNTIME_PROFILE_H

#include "exec/exec.h"
#include "reprise/profile.h"

struct rp_profile {
    rp_allocator allocator;
    const rp_plan *plan; /* held */
    uint32_t rounds, groups_count, nodes_count;
    rp_profile_time whole, *groups, *barriers, *nodes; /* barriers: behind each group */
    double stamp;
    uint32_t (*grids)[3]; /* by node */
};

/* profile_result.c. An empty one, that knows the grids of a slot; NULL without memory. */
rp_profile *rp_profile_create(const rp_exec *exec, const rp_slot *slot, uint32_t rounds);
/* Median and least of values[0], values[stride], ..., `count` of them, of which `less` is taken off;
 * `sorted` has room for as many. */
rp_profile_time rp_profile_summary(const double *values, uint32_t count, size_t stride, double less,
                                   double *sorted);

/* profile_state.c. A copy of what replays of a slot leave for later ones or for the host. */
typedef struct rp_kept_state {
    rp_exec *exec;
    const rp_slot *slot;
    rp_storage *copy; /* NULL: there is nothing, or nothing was kept */
} rp_kept_state;

rp_status rp_state_keep(rp_kept_state *state, rp_exec *exec, const rp_slot *slot, rp_diags *diags);
/* Puts it back, and waits for that. */
rp_status rp_state_restore(const rp_kept_state *state, rp_diags *diags);
void rp_state_free(rp_kept_state *state);

#endif
