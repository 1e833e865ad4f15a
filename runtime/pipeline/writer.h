/* Internal: writing descriptor sets. */
#ifndef RP_RUNTIME_WRITER_H
#define RP_RUNTIME_WRITER_H

#include "pipeline/pipeline.h"

/* What a descriptor names: a member for each of the three pointers of VkWriteDescriptorSet. All zeros
 * where an array's element is left unbound. */
typedef union rp_named {
    VkDescriptorBufferInfo buffer;
    VkDescriptorImageInfo image;
    VkBufferView texels;
} rp_named;

enum { RP_WRITE_BATCH = 128 };

/* Writes that are handed to Vulkan together. */
typedef struct rp_set_writer {
    rp_device *device;
    uint32_t count;
    VkWriteDescriptorSet writes[RP_WRITE_BATCH];
} rp_set_writer;

static inline void rp_set_writer_begin(rp_set_writer *w, rp_device *device) {
    w->device = device;
    w->count = 0;
}
/* `named`, one for each descriptor of the layout in the order of its bindings, stays until the writer is
 * flushed. */
void rp_set_writer_add(rp_set_writer *w, const rp_set_layout *layout, VkDescriptorSet set,
                       const rp_named *named);
void rp_set_writer_flush(rp_set_writer *w);

/* The sizes of a pool for sets with so many descriptors of each type; how many. */
uint32_t rp_pool_sizes(const uint32_t counts[RP_DESCRIPTOR_TYPES],
                       VkDescriptorPoolSize sizes[RP_DESCRIPTOR_TYPES]);

#endif
