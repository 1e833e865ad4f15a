/* Lowering of barriers: scopes to stage and access masks.
 *
 * One global VkMemoryBarrier2 each: drivers merge buffer barriers into one flush and ignore their
 * ranges, so ranges decide whether a barrier is needed, not what it says. The masks are as narrow
 * as the scopes: a barrier that also covers indirect and uniform reads was measured at twice the
 * price of one that covers storage accesses. */
#include "barrier.h"

#include "reprise/types.h"

typedef struct scope_masks {
    VkPipelineStageFlags2 stage;
    VkAccessFlags2 access; /* what the scope names */
    VkAccessFlags2 write;  /* a write of the same stage, for widening */
    VkPipelineStageFlags2 write_stage;
} scope_masks;

static scope_masks masks_of(rp_scope scope) {
    const VkPipelineStageFlags2 compute = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT;
    const VkPipelineStageFlags2 transfer = VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT;
    const VkAccessFlags2 storage_write = VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT;
    const VkAccessFlags2 transfer_write = VK_ACCESS_2_TRANSFER_WRITE_BIT;
    switch (scope) {
    case RP_SCOPE_NONE: break;
    case RP_SCOPE_COMPUTE_R:
        return (scope_masks){compute, VK_ACCESS_2_SHADER_STORAGE_READ_BIT, storage_write, compute};
    case RP_SCOPE_COMPUTE_W: return (scope_masks){compute, storage_write, storage_write, compute};
    case RP_SCOPE_COMPUTE_U:
        return (scope_masks){compute, VK_ACCESS_2_UNIFORM_READ_BIT, storage_write, compute};
    case RP_SCOPE_TRANSFER_R:
        return (scope_masks){transfer, VK_ACCESS_2_TRANSFER_READ_BIT, transfer_write, transfer};
    case RP_SCOPE_TRANSFER_W:
        return (scope_masks){transfer, transfer_write, transfer_write, transfer};
    case RP_SCOPE_INDIRECT_R: /* has no write of its own; the dispatch it belongs to has */
        return (scope_masks){VK_PIPELINE_STAGE_2_DRAW_INDIRECT_BIT,
                             VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT, storage_write, compute};
    case RP_SCOPE_HOST_R:
        return (scope_masks){VK_PIPELINE_STAGE_2_HOST_BIT, VK_ACCESS_2_HOST_READ_BIT, 0, 0};
    }
    return (scope_masks){0};
}

bool rp_barrier_lower(uint32_t src, uint32_t dst, uint32_t quirks, bool host,
                      VkMemoryBarrier2 *out) {
    if (!host) dst &= ~(uint32_t)RP_SCOPE_HOST_R;
    *out = (VkMemoryBarrier2){.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2};
    if (src == 0 || dst == 0) return false;
    const VkAccessFlags2 writes =
        VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT | VK_ACCESS_2_TRANSFER_WRITE_BIT;
    for (uint32_t bit = 1; bit <= RP_SCOPE_HOST_R; bit <<= 1) {
        if (src & bit) {
            scope_masks masks = masks_of((rp_scope)bit);
            out->srcStageMask |= masks.stage;
            /* Reads have nothing to make available: in a source scope they only name the stage. */
            out->srcAccessMask |= masks.access & writes;
            if (quirks & RP_QUIRK_WIDEN_WAR) {
                out->srcStageMask |= masks.write_stage;
                out->srcAccessMask |= masks.write;
            }
        }
        if (dst & bit) {
            scope_masks masks = masks_of((rp_scope)bit);
            out->dstStageMask |= masks.stage;
            out->dstAccessMask |= masks.access;
        }
    }
    return true;
}
