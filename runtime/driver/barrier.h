/* Internal: a plan's barrier as a Vulkan barrier. */
#ifndef RP_RUNTIME_BARRIER_H
#define RP_RUNTIME_BARRIER_H

#include "driver/quirks.h"
#include "driver/vulkan.h"
#include "reprise/types.h"

/* Lowers scopes (rp_scope bits) to one global memory barrier. `host` tells whether the host reads
 * results through mapped memory; without, host scopes fall away. Returns false when nothing is left
 * to order. */
bool rp_barrier_lower(uint32_t src, uint32_t dst, uint32_t quirks, bool host,
                      VkMemoryBarrier2 *out);

/* Records it. */
void rp_barrier_record(const rp_vk *vk, VkCommandBuffer commands, const VkMemoryBarrier2 *barrier);

/* Records a barrier against everything: all before it is done and visible to all behind it, and to
 * the host. */
void rp_barrier_full(const rp_vk *vk, VkCommandBuffer commands);

#endif
