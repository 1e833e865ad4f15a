/* Where a recording is cut into pieces: at group boundaries, so that each piece weighs about the
 * same. The weight of a node is the bytes that it uses, which is what most nodes cost; a grid that
 * is known only later is taken at its uses too. */
#include "exec/exec.h"

#include "base/checked.h"

/* Bytes that stand for launching a node, so that a thousand small ones weigh something. */
enum { NODE_BYTES = 4096 };

static uint64_t group_weight(const rp_plan *plan, const rp_plan_group *group) {
    uint64_t weight = 0;
    for (uint32_t i = 0; i < group->node_count; i++) {
        const rp_plan_node *node = &rp_plan_nodes(plan)[group->first_node + i];
        const rp_plan_use *uses = rp_plan_uses(plan) + node->first_use;
        weight += NODE_BYTES;
        /* Uses lie inside buffers, whose sizes add up to less than 2^63; many uses may not. */
        for (uint32_t j = 0; j < node->use_count; j++)
            if (!rp_add_u64(weight, uses[j].size, &weight)) weight = UINT64_MAX / 2;
    }
    return weight;
}

static void add_cut(rp_exec *exec, uint32_t group) {
    if (exec->cuts[exec->pieces] != group) exec->cuts[++exec->pieces] = group;
}

rp_status rp_pieces_plan(rp_exec *exec) {
    const rp_plan *plan = exec->plan;
    const rp_plan_group *groups = rp_plan_records(plan, RP_SECTION_GROUPS);
    uint32_t count = rp_plan_count(plan, RP_SECTION_GROUPS);
    uint32_t wanted = exec->params.pieces ? exec->params.pieces : 1;
    uint64_t most = exec->params.piece_bytes ? exec->params.piece_bytes : UINT64_MAX, total = 0;
    exec->cuts = rp_alloc_zero(&exec->device->allocator, (size_t)count + 2, sizeof *exec->cuts);
    if (!exec->cuts) return RP_ERROR_NO_MEMORY;
    for (uint32_t g = 0; g < count; g++)
        if (!rp_add_u64(total, group_weight(plan, &groups[g]), &total)) total = UINT64_MAX;
    uint64_t share = total / wanted + 1, in_piece = 0;
    if (share > most) share = most;
    for (uint32_t g = 0; g < count; g++) {
        uint64_t weight = group_weight(plan, &groups[g]);
        /* A group goes where more of it would lie, but never takes a piece over the limit. */
        bool over = in_piece > share || weight / 2 > share - in_piece ||
                    weight > most - (in_piece < most ? in_piece : most);
        if (over && in_piece > 0) {
            add_cut(exec, g);
            in_piece = 0;
        }
        in_piece = weight > UINT64_MAX - in_piece ? UINT64_MAX : in_piece + weight;
    }
    exec->cuts[++exec->pieces] = count; /* a plan without groups is one piece */
    return RP_OK;
}
