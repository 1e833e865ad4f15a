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

static uint64_t sum(uint64_t a, uint64_t b) {
    uint64_t out;
    return rp_add_u64(a, b, &out) ? out : UINT64_MAX;
}

/* A cut goes to the group boundary that is nearest to where an even share ends, and to where a piece
 * would grow over the limit. A share ends behind a share's weight of groups, wherever the cuts
 * before came to lie: so without a limit there are never more pieces than shares. */
rp_status rp_pieces_plan(rp_exec *exec) {
    const rp_plan *plan = exec->plan;
    const rp_plan_group *groups = rp_plan_records(plan, RP_SECTION_GROUPS);
    uint32_t count = rp_plan_count(plan, RP_SECTION_GROUPS);
    uint32_t wanted = exec->params.pieces ? exec->params.pieces : 1;
    uint64_t most = exec->params.piece_bytes ? exec->params.piece_bytes : UINT64_MAX, total = 0;
    exec->cuts = rp_alloc_zero(&exec->device->allocator, (size_t)count + 2, sizeof *exec->cuts);
    if (!exec->cuts) return RP_ERROR_NO_MEMORY;
    for (uint32_t g = 0; g < count; g++) total = sum(total, group_weight(plan, &groups[g]));
    uint64_t share = total / wanted + (total % wanted != 0), share_end = share;
    uint64_t before = 0, in_piece = 0; /* weights of what lies before the group */
    for (uint32_t g = 0; g < count; g++) {
        uint64_t weight = group_weight(plan, &groups[g]), middle = sum(before, weight / 2);
        bool over = weight > most - (in_piece < most ? in_piece : most);
        if (middle >= share_end && share_end < total) {
            over = true;
            share_end = sum(middle - middle % share, share);
        }
        if (over && in_piece > 0) {
            exec->cuts[++exec->pieces] = g;
            in_piece = 0;
        }
        before = sum(before, weight);
        in_piece = sum(in_piece, weight);
    }
    exec->cuts[++exec->pieces] = count; /* a plan without groups is one piece */
    return RP_OK;
}
