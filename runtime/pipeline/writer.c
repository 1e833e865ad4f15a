/* Descriptor sets are written in batches, one descriptor a write: elements of an array need not be of one
 * buffer or image, and some may stay unbound. */
#include "pipeline/writer.h"

void rp_set_writer_flush(rp_set_writer *w) {
    if (w->count)
        w->device->vk.UpdateDescriptorSets(w->device->handle, w->count, w->writes, 0, NULL);
    w->count = 0;
}

/* Elements that are left unbound are written by nobody. */
static bool is_bound(VkDescriptorType type, const rp_named *named) {
    static const rp_named nothing;
    return type == VK_DESCRIPTOR_TYPE_SAMPLER ? named->image.sampler != VK_NULL_HANDLE
                                              : memcmp(named, &nothing, sizeof nothing) != 0;
}

void rp_set_writer_add(rp_set_writer *w, const rp_set_layout *layout, VkDescriptorSet set,
                       const rp_named *named) {
    for (uint32_t b = 0; b < layout->binding_count; b++) {
        const VkDescriptorSetLayoutBinding *binding = &layout->bindings[b];
        for (uint32_t i = 0; i < binding->descriptorCount; i++, named++) {
            if (!is_bound(binding->descriptorType, named)) continue;
            w->writes[w->count++] = (VkWriteDescriptorSet){
                .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                .dstSet = set,
                .dstBinding = binding->binding,
                .dstArrayElement = i,
                .descriptorCount = 1,
                .descriptorType = binding->descriptorType,
                .pBufferInfo = &named->buffer, /* Vulkan looks at the one that the type is of */
                .pImageInfo = &named->image,
                .pTexelBufferView = &named->texels,
            };
            if (w->count == RP_WRITE_BATCH) rp_set_writer_flush(w);
        }
    }
}

uint32_t rp_pool_sizes(const uint32_t counts[RP_DESCRIPTOR_TYPES],
                       VkDescriptorPoolSize sizes[RP_DESCRIPTOR_TYPES]) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < RP_DESCRIPTOR_TYPES; i++) /* counts of zero are not allowed */
        if (counts[i]) sizes[count++] = (VkDescriptorPoolSize){(VkDescriptorType)i, counts[i]};
    return count;
}
