/* Memory from the application's allocator: one call for each buffer or image, whose answer is looked at before
 * anything is bound to it. A wrong one would be found by the GPU, in somebody else's bytes. */
#include "memory/storage.h"

#include <stdio.h>
#include "base/checked.h"

static rp_status refuse(const rp_device *device, const rp_memory_request *asked, VkResult result,
                        rp_diags *diags) {
    rp_status status = result == VK_ERROR_OUT_OF_HOST_MEMORY ? RP_ERROR_NO_MEMORY
                       : result == VK_ERROR_DEVICE_LOST      ? RP_ERROR_DEVICE_LOST
                                                             : RP_ERROR_DEVICE_MEMORY;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "%s%s: the application's allocator gives no %llu bytes for %s (%s)",
                 status == RP_ERROR_DEVICE_MEMORY ? "out of device memory on " : "",
                 device->adapter.info.name, (unsigned long long)asked->bytes, asked->name,
                 rp_vk_result_name(result));
    return status;
}

static rp_status check(const rp_device *device, const rp_memory_request *asked,
                       const rp_memory *given, rp_diags *diags) {
    const VkPhysicalDeviceMemoryProperties *memory = &device->adapter.memory;
    char what[128] = "";
    uint64_t end, heap = 0;
    if (given->type < memory->memoryTypeCount)
        heap = memory->memoryHeaps[memory->memoryTypes[given->type].heapIndex].size;
    if (!given->memory)
        snprintf(what, sizeof what, "no VkDeviceMemory, and VK_SUCCESS");
    else if (given->type >= 32 || !(asked->type_bits >> given->type & 1))
        snprintf(what, sizeof what, "memory type %u; those that will do are the bits of %#x",
                 given->type, asked->type_bits);
    else if (given->offset % asked->alignment)
        snprintf(what, sizeof what, "an offset of %llu, which is no multiple of %llu",
                 (unsigned long long)given->offset, (unsigned long long)asked->alignment);
    else if (!rp_add_u64(given->offset, asked->bytes, &end) || end > heap) /* no memory is larger */
        snprintf(what, sizeof what, "an offset of %llu, past the end of a heap of %llu bytes",
                 (unsigned long long)given->offset, (unsigned long long)heap);
    else if (asked->requires_dedicated && given->offset)
        snprintf(what, sizeof what, "an offset of %llu, where dedicated memory is required",
                 (unsigned long long)given->offset);
    else if (!given->mapped && (asked->required_flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT))
        snprintf(what, sizeof what, "no mapped pointer, where the host is to see the memory");
    if (!*what) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "asked for %llu bytes for %s on %s, the application's allocator gives %s",
                 (unsigned long long)asked->bytes, asked->name, device->adapter.info.name, what);
    return RP_ERROR_USAGE;
}

rp_status rp_hook_allocate(rp_device *device, const rp_storage *storage,
                           const rp_storage_wish *wish, const rp_buffer_needs *needs,
                           rp_diags *diags, rp_block *block) {
    rp_memory_request asked = {
        .size = sizeof asked,
        .name = storage->name,
        .purpose = wish->purpose,
        .buffer = storage->image ? VK_NULL_HANDLE : storage->handle,
        .image = storage->image,
        .bytes = needs->memory.size,
        .alignment = needs->memory.alignment,
        .priority = wish->priority,
        .device_address = (wish->usage & VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT) != 0,
        .prefers_dedicated = needs->prefers_dedicated,
        .requires_dedicated = needs->requires_dedicated,
    };
    rp_memory_flags(&device->adapter, wish->purpose, &asked.required_flags, &asked.wanted_flags);
    asked.type_bits =
        needs->memory.memoryTypeBits & rp_memory_types(&device->adapter, asked.required_flags);
    rp_memory given = {.size = sizeof given};
    VkResult result = (VkResult)device->allocate_memory(device->memory_allocator, &asked, &given);
    if (result != VK_SUCCESS) return refuse(device, &asked, result, diags);
    given.size = sizeof given;
    rp_status status = check(device, &asked, &given, diags);
    if (status != RP_OK) {
        device->release_memory(device->memory_allocator, &given);
        return status;
    }
    const VkMemoryPropertyFlags visible =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    VkMemoryPropertyFlags flags = device->adapter.memory.memoryTypes[given.type].propertyFlags;
    block->given = given;
    block->handle = given.memory;
    block->offset = given.offset;
    block->type = given.type;
    /* What is not coherent would want flushes: it is as if the host did not see it. */
    if ((flags & visible) == visible) block->mapped = given.mapped;
    block->counted = true;
    rp_count_memory(&device->counts, block->size);
    return RP_OK;
}
