/* Profiles: where the GPU's time goes in the replays of an exec.
 *
 * A timestamp behind each dispatch would change what it measures: on a large GPU it costs more than
 * most dispatches, and it keeps neighbours from overlapping. So an exec is measured four times, in
 * command buffers beside its own, which stay as they are:
 *   whole     its own recording, between two timestamps
 *   groups    the same commands with a timestamp at each group's end. Nodes of a group overlap as
 *             they do in a replay, the drain that its barrier asks for counts with it
 *   barriers  the same with a timestamp on both sides of the barrier behind each group. The first is
 *             written when the last of the work before it is done, so what is between is what the
 *             barrier itself takes, for caches above all; waiting for the slowest node is the group's
 *   nodes     each node alone between full barriers and two timestamps: what it would take if nothing
 *             ran beside it
 * The sum of the groups is about the whole, where timestamps are cheap. The sum of the nodes may be
 * more (nodes of a group overlap in a replay) or less (a barrier's price is no node's).
 *
 * Rounds run as replays do, one behind the other without a wait of the host, so that the queue stays
 * full: an idle GPU lowers its clock. Times are medians and the least of all rounds. Live values,
 * grids and what rp_exec_enable has left out are those that the slot has. What a node costs by its
 * definition, and what was expected of it, is in reprise/cost.h of the compiler; `reprise profile`
 * sets the two against each other.
 */
#ifndef REPRISE_PROFILE_H
#define REPRISE_PROFILE_H

#include "reprise/exec.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_profile rp_profile;

enum { RP_PROFILE_MOST_ROUNDS = 10000 };

/* Zero is the default everywhere but in `size`. */
typedef struct rp_profile_params {
    size_t size; /* sizeof(rp_profile_params) */
    uint32_t slot;
    uint32_t rounds;  /* of each of the four, to RP_PROFILE_MOST_ROUNDS; 0: 20 */
    uint32_t warm_up; /* replays before them, of each of the four, that are not looked at, as many
                       * at most; 0: as many as begin in 100 ms, and at least 3 */
    int leave_state; /* out and inout buffers are left as the last round has written them. Else what
                       * they held is copied into device memory of the same size, and back before
                       * each of the four and at the end: rounds begin with it, go on from one to
                       * the next as replays do, and leave no trace */
} rp_profile_params;

/* Measures; returns when it is done. params NULL: the defaults. The exec is locked for so long, and
 * all of its slots are idle before: RP_ERROR_BUSY otherwise, also with pieces that were not
 * submitted. Rounds are replays with numbers of their own, which rp_exec_completed and the counters
 * count; rp_exec_gpu_seconds knows nothing until the next replay. Buffers that are bound to imported
 * storage need the usage TRANSFER_SRC and TRANSFER_DST, unless `leave_state` says otherwise.
 *
 * RP_ERROR_UNSUPPORTED for a device whose queue has no timestamps, with its name. On an error that
 * is no loss of the device, buffers are what they were before. */
RP_API rp_status rp_exec_profile(rp_exec *exec, const rp_profile_params *params, rp_diags *diags,
                                 rp_profile **out_profile);
/* A profile outlives exec and device, and holds on to the plan. NULL is fine. */
RP_API void rp_profile_destroy(rp_profile *profile);

/* ---- Reading one ----------------------------------------------------------------------------- */

/* The structs below are filled in by the calls behind them; the caller has set their `size`.
 * RP_ERROR_USAGE otherwise, for NULL, and for an index out of range. Strings live as long as the
 * profile. */

/* Of all rounds, in nanoseconds. */
typedef struct rp_profile_time {
    double median, least;
} rp_profile_time;

typedef struct rp_profile_info {
    size_t size;
    uint32_t rounds;
    uint32_t groups, nodes;       /* as many as the plan has, in its order */
    rp_profile_time whole;        /* a replay as it is submitted */
    double groups_sum, nodes_sum; /* of the medians, nanoseconds */
    double
        stamp; /* between two timestamps with nothing between: such a time is taken off each node,
                   * and off each group and barrier */
    double barriers_sum; /* of the medians of the barriers behind the groups */
} rp_profile_info;
RP_API rp_status rp_profile_get_info(const rp_profile *profile, rp_profile_info *info);

typedef struct rp_profile_group {
    size_t size;
    uint32_t first_node, node_count; /* in the plan's order */
    rp_profile_time time; /* from the end of the barrier before to the end of the one behind it */
    rp_profile_time
        barrier;        /* of that the barrier behind it, from the end of the last of the work */
    int barrier_stands; /* 0: there is none, and `barrier` is about nothing */
} rp_profile_group;
RP_API rp_status rp_profile_get_group(const rp_profile *profile, uint32_t index,
                                      rp_profile_group *group);

typedef struct rp_profile_node {
    size_t size;
    uint32_t id; /* n7: of the source graph */
    rp_node_kind kind;
    uint32_t group;
    const char *kernel; /* NULL unless it is a run node */
    const char *label;  /* NULL: none */
    uint32_t grid[3];   /* workgroups that ran; zeros for a node that is left out, for other kinds,
                         * and for a grid that the GPU computes */
    int grid_known;     /* 0: the GPU computes it */
    rp_profile_time time;
} rp_profile_node;
RP_API rp_status rp_profile_get_node(const rp_profile *profile, uint32_t index,
                                     rp_profile_node *node);

#ifdef __cplusplus
}
#endif

#endif
