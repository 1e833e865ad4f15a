/* Internal: what a command buffer has bound for compute, so that nothing is bound again which is
 * still there. Pipelines, descriptor sets and push constants are compared with what was recorded
 * last, under Vulkan's rules for what survives a change of layout. */
#ifndef RP_RUNTIME_BOUND_H
#define RP_RUNTIME_BOUND_H

#include "pipeline/pipeline.h"
#include "reprise/types.h"

typedef struct rp_bound {
    const rp_vk *vk;
    VkCommandBuffer commands;
    VkPipeline pipeline;     /* null: none yet */
    const rp_layout *layout; /* of the latest pipeline; NULL */
    uint32_t set_count;      /* the sets behind are not bound */
    VkDescriptorSet sets[RP_MAX_SETS];
    uint32_t push_size; /* bytes of push[] that the command buffer holds */
    uint8_t push[RP_MAX_PUSH_BYTES];
} rp_bound;

/* Nothing is bound. */
static inline void rp_bound_begin(rp_bound *b, const rp_vk *vk, VkCommandBuffer commands) {
    b->vk = vk;
    b->commands = commands;
    b->pipeline = VK_NULL_HANDLE;
    b->layout = NULL;
    b->set_count = b->push_size = 0;
}

static inline void rp_bind_pipeline(rp_bound *b, VkPipeline pipeline, const rp_layout *layout) {
    if (pipeline == b->pipeline) return;
    b->vk->CmdBindPipeline(b->commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    b->pipeline = pipeline;
    if (layout == b->layout) return;
    /* Sets stay bound as long as both layouts are the same up to them. */
    uint32_t same = 0;
    while (b->layout && same < b->set_count && same < layout->set_count &&
           layout->sets[same] == b->layout->sets[same])
        same++;
    b->set_count = same;
    b->layout = layout;
}

/* `set` counts up from 0 for each pipeline; empty ones may be left out. */
static inline void rp_bind_set(rp_bound *b, uint32_t set, VkDescriptorSet handle) {
    while (b->set_count <= set) b->sets[b->set_count++] = VK_NULL_HANDLE;
    if (b->sets[set] == handle) return;
    b->vk->CmdBindDescriptorSets(b->commands, VK_PIPELINE_BIND_POINT_COMPUTE, b->layout->handle,
                                 set, 1, &handle, 0, NULL);
    b->sets[set] = handle;
}

/* The whole block of a kernel is pushed: what an earlier one left there must not show. All layouts
 * of a command buffer have the same range, so it survives. */
static inline void rp_bind_push(rp_bound *b, const void *data, uint32_t size) {
    if (size == 0 || (size <= b->push_size && memcmp(data, b->push, size) == 0)) return;
    b->vk->CmdPushConstants(b->commands, b->layout->handle, VK_SHADER_STAGE_COMPUTE_BIT, 0, size,
                            data);
    memcpy(b->push, data, size);
    if (size > b->push_size) b->push_size = size;
}

/* The same for a caller who has one block for all kernels, and knows which bytes of it have changed
 * since they were pushed: none from byte *end on. What changed and is not pushed now, because it lies
 * behind `size`, is then not known to be in the command buffer. Not beside rp_bind_push. */
static inline void rp_bind_push_block(rp_bound *b, const void *data, uint32_t size, uint32_t *end) {
    if (size == 0 || (*end == 0 && size <= b->push_size)) return;
    b->vk->CmdPushConstants(b->commands, b->layout->handle, VK_SHADER_STAGE_COMPUTE_BIT, 0, size,
                            data);
    if (size > b->push_size || *end > size) b->push_size = size;
    *end = 0;
}

#endif
