/* Lowering of barriers: scopes to stage and access masks.
 *
 * One global VkMemoryBarrier2 each: drivers merge buffer barriers into one flush and ignore their
 * ranges, so ranges decide whether a barrier is needed, not what it says. The masks are as narrow
 * as the scopes: a barrier that also covers indirect and uniform reads was measured at twice the
 * price of one that covers storage accesses. */
#include "driver/barrier.h"

#include "base/scope.h"

typedef struct scope_flags {
    uint32_t bit;
    VkPipelineStageFlags2 stage;
    VkAccessFlags2 access;
} scope_flags;

/* The scopes of `scope`, and a write of the same stage for each: an indirect read has none of its
 * own, but the dispatch that it belongs to has. */
static uint32_t widened(uint32_t scope) {
    uint32_t with = scope;
    for (uint32_t left = scope; left; left &= left - 1) {
        uint32_t bit = left & (0 - left);
        uint32_t stage = bit == RP_SCOPE_INDIRECT_R ? RP_SCOPE_COMPUTE_W : rp_scope_stage(bit);
        with |= stage & rp_scope_writes();
    }
    return with;
}

bool rp_barrier_lower(uint32_t src, uint32_t dst, uint32_t quirks, bool host,
                      VkMemoryBarrier2 *out) {
    static const scope_flags flags[RP_SCOPE_BITS] = {
#define RP_X(symbol, bit, stage, access, ...) {symbol, __VA_ARGS__},
        RP_SCOPE_LIST(RP_X)
#undef RP_X
    };
    if (!host) dst &= ~(uint32_t)RP_SCOPE_HOST_R;
    *out = (VkMemoryBarrier2){.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2};
    if (src == 0 || dst == 0) return false;
    if (quirks & RP_QUIRK_WIDEN_WAR) src = widened(src);
    for (uint32_t i = 0; i < RP_SCOPE_BITS; i++) {
        if (src & flags[i].bit) {
            out->srcStageMask |= flags[i].stage;
            /* Reads have nothing to make available: in a source scope they only name the stage. */
            if (flags[i].bit & rp_scope_writes()) out->srcAccessMask |= flags[i].access;
        }
        if (dst & flags[i].bit) {
            out->dstStageMask |= flags[i].stage;
            out->dstAccessMask |= flags[i].access;
        }
    }
    return true;
}

void rp_barrier_record(const rp_vk *vk, VkCommandBuffer commands, const VkMemoryBarrier2 *barrier) {
    const VkDependencyInfo info = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                   .memoryBarrierCount = 1,
                                   .pMemoryBarriers = barrier};
    vk->CmdPipelineBarrier2(commands, &info);
}

void rp_barrier_full(const rp_vk *vk, VkCommandBuffer commands) {
    const VkMemoryBarrier2 barrier = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
        .srcStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
        .srcAccessMask = VK_ACCESS_2_MEMORY_WRITE_BIT,
        .dstStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_2_HOST_BIT,
        .dstAccessMask = VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT,
    };
    rp_barrier_record(vk, commands, &barrier);
}
