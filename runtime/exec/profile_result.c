/* What a profile holds once it is made. It needs neither exec nor device: names are the plan's. */
#include "exec/profile.h"

#include <stdlib.h>

#include "base/sized.h"

/* The grids that the slot's replays run with. Those in the live block are read there, where the GPU
 * reads them: zeros where a switch leaves the node out. */
static void take_grids(const rp_exec *exec, const rp_slot *slot, uint32_t (*grids)[3]) {
    const rp_plan_node *nodes = rp_plan_nodes(exec->plan);
    for (uint32_t i = 0; i < rp_plan_count(exec->plan, RP_SECTION_NODES); i++) {
        uint32_t grid = exec->live.of_node[i];
        if (nodes[i].kind != RP_RUN) continue;
        if (grid != RP_UNSET)
            memcpy(grids[i], slot->live.grids + exec->live.grids[grid].offset, sizeof grids[i]);
        else if (nodes[i].grid_kind != RP_GRID_INDIRECT)
            memcpy(grids[i], nodes[i].grid, sizeof grids[i]);
    }
}

rp_profile *rp_profile_create(const rp_exec *exec, const rp_slot *slot, uint32_t rounds) {
    const rp_allocator *a = &exec->device->allocator;
    rp_profile *profile = rp_alloc_zero(a, 1, sizeof *profile);
    if (!profile) return NULL;
    profile->allocator = *a;
    profile->plan = rp_plan_retain(exec->plan);
    profile->rounds = rounds;
    profile->groups_count = rp_plan_count(exec->plan, RP_SECTION_GROUPS);
    profile->nodes_count = rp_plan_count(exec->plan, RP_SECTION_NODES);
    profile->groups = rp_alloc_zero(a, profile->groups_count, sizeof *profile->groups);
    profile->barriers = rp_alloc_zero(a, profile->groups_count, sizeof *profile->barriers);
    profile->nodes = rp_alloc_zero(a, profile->nodes_count, sizeof *profile->nodes);
    profile->grids = rp_alloc_zero(a, profile->nodes_count, sizeof *profile->grids);
    if (!profile->groups || !profile->barriers || !profile->nodes || !profile->grids) {
        rp_profile_destroy(profile);
        return NULL;
    }
    take_grids(exec, slot, profile->grids);
    return profile;
}

void rp_profile_destroy(rp_profile *profile) {
    if (!profile) return;
    const rp_allocator a = profile->allocator;
    rp_release(&a, profile->groups);
    rp_release(&a, profile->barriers);
    rp_release(&a, profile->nodes);
    rp_release(&a, profile->grids);
    rp_plan_destroy((rp_plan *)profile->plan);
    rp_release(&a, profile);
}

static int by_value(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

rp_profile_time rp_profile_summary(const double *values, uint32_t count, size_t stride, double less,
                                   double *sorted) {
    for (uint32_t i = 0; i < count; i++) sorted[i] = values[i * stride];
    qsort(sorted, count, sizeof *sorted, by_value);
    double median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2 - less;
    double least = sorted[0] - less;
    return (rp_profile_time){median > 0 ? median : 0, least > 0 ? least : 0};
}

/* ---- Reading --------------------------------------------------------------------------------- */

static double sum(const rp_profile_time *times, uint32_t count) {
    double all = 0;
    for (uint32_t i = 0; i < count; i++) all += times[i].median;
    return all;
}

rp_status rp_profile_get_info(const rp_profile *profile, rp_profile_info *info) {
    if (!profile || !info) return RP_ERROR_USAGE;
    const rp_profile_info own = {
        .rounds = profile->rounds,
        .groups = profile->groups_count,
        .nodes = profile->nodes_count,
        .whole = profile->whole,
        .groups_sum = sum(profile->groups, profile->groups_count),
        .nodes_sum = sum(profile->nodes, profile->nodes_count),
        .stamp = profile->stamp,
        .barriers_sum = sum(profile->barriers, profile->groups_count),
    };
    return rp_sized_give(&own, sizeof own, info) ? RP_OK : RP_ERROR_USAGE;
}

static int barrier_stands(const rp_profile *profile, uint32_t before_group) {
    const rp_plan_barrier *barriers = rp_plan_records(profile->plan, RP_SECTION_BARRIERS);
    return (barriers[before_group].src | barriers[before_group].dst) != 0;
}

rp_status rp_profile_get_group(const rp_profile *profile, uint32_t index, rp_profile_group *group) {
    if (!profile || !group || index >= profile->groups_count) return RP_ERROR_USAGE;
    const rp_plan_group *record = rp_plan_records(profile->plan, RP_SECTION_GROUPS);
    const rp_profile_group own = {
        .first_node = record[index].first_node,
        .node_count = record[index].node_count,
        .time = profile->groups[index],
        .barrier = profile->barriers[index],
        .barrier_stands = barrier_stands(profile, index + 1),
    };
    return rp_sized_give(&own, sizeof own, group) ? RP_OK : RP_ERROR_USAGE;
}

rp_status rp_profile_get_node(const rp_profile *profile, uint32_t index, rp_profile_node *node) {
    if (!profile || !node || index >= profile->nodes_count) return RP_ERROR_USAGE;
    const rp_plan_node *record = &rp_plan_nodes(profile->plan)[index];
    rp_profile_node own = {
        .id = record->id,
        .kind = (rp_node_kind)record->kind,
        .group = record->group,
        .label = rp_plan_string(profile->plan, record->label),
        .grid_known = record->kind == RP_RUN && record->grid_kind != RP_GRID_INDIRECT,
        .time = profile->nodes[index],
    };
    if (record->kind == RP_RUN)
        own.kernel =
            rp_plan_string(profile->plan, rp_plan_kernels(profile->plan)[record->kernel].name);
    memcpy(own.grid, profile->grids[index], sizeof own.grid);
    return rp_sized_give(&own, sizeof own, node) ? RP_OK : RP_ERROR_USAGE;
}
