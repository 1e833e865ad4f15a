/* Device memory: all buffers of an exec are known before any memory is allocated, so one block per
 * memory type is laid out by adding up sizes. No general allocator is needed: nothing is freed
 * before the exec is. A block larger than the driver allows is split between buffers. */
#include "memory/memory.h"

#include "base/checked.h"

typedef struct type_wish {
    VkMemoryPropertyFlags with, without;
} type_wish;

enum { MAX_WISHES = 4 };

/* Memory types to try, best first. */
static void wishes_of(const rp_adapter *adapter, rp_purpose purpose, type_wish out[MAX_WISHES]) {
    const VkMemoryPropertyFlags local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
    const VkMemoryPropertyFlags visible =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    const VkMemoryPropertyFlags cached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    const type_wish unmapped[MAX_WISHES] = {
        {local, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT}, {local, 0}, {0, 0}, {0, 0}};
    const type_wish unified[MAX_WISHES] = {
        {local | visible | cached, 0}, {local | visible, 0}, {local, 0}, {0, 0}};
    const type_wish live[MAX_WISHES] = {
        {local | visible, 0}, {visible, 0}, {visible, 0}, {visible, 0}};
    const type_wish staging[MAX_WISHES] = {
        {visible | cached, 0}, {visible, 0}, {visible, 0}, {visible, 0}};
    const type_wish *chosen = unmapped;
    switch (purpose) {
    case RP_PURPOSE_ARENA: break;
    case RP_PURPOSE_EXTERNAL: {
        VkPhysicalDeviceType type = adapter->properties.deviceType;
        if (type == VK_PHYSICAL_DEVICE_TYPE_CPU || type == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU)
            chosen = unified;
        break;
    }
    case RP_PURPOSE_LIVE: chosen = live; break;
    case RP_PURPOSE_STAGING: chosen = staging; break;
    case RP_PURPOSE_COUNT: break;
    }
    memcpy(out, chosen, sizeof(type_wish) * MAX_WISHES);
}

static bool choose_type(const rp_adapter *adapter, rp_purpose purpose, uint32_t allowed,
                        uint32_t *out) {
    /* Protected, lazily allocated, device-coherent and RDMA memory need features of their own. */
    const VkMemoryPropertyFlags plain =
        VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
        VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    type_wish wishes[MAX_WISHES];
    wishes_of(adapter, purpose, wishes);
    for (uint32_t w = 0; w < MAX_WISHES; w++)
        for (uint32_t i = 0; i < adapter->memory.memoryTypeCount; i++) {
            VkMemoryPropertyFlags flags = adapter->memory.memoryTypes[i].propertyFlags;
            if (!(allowed >> i & 1) || (flags & ~plain)) continue;
            if ((flags & wishes[w].with) != wishes[w].with || (flags & wishes[w].without)) continue;
            *out = i;
            return true;
        }
    return false;
}

static VkBufferUsageFlags usage_of(rp_purpose purpose) {
    const VkBufferUsageFlags transfer =
        VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    if (purpose == RP_PURPOSE_STAGING) return transfer;
    return transfer | VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT |
           VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT;
}

rp_status rp_memory_add(rp_memory *memory, rp_purpose purpose, uint64_t size, const char *name,
                        rp_diags *diags, uint32_t *out_index) {
    rp_device *device = memory->device;
    const rp_adapter *adapter = &device->adapter;
    const rp_vk *vk = &device->vk;
    if (size > adapter->max_buffer_size) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s has %llu bytes, more than the %llu that one buffer may have on %s", name,
                     (unsigned long long)size, (unsigned long long)adapter->max_buffer_size,
                     adapter->info.name);
        return RP_ERROR_UNSUPPORTED;
    }
    if (!RP_RESERVE(&device->allocator, memory->buffers, memory->buffers_count,
                    memory->buffers_capacity, 1))
        return RP_ERROR_NO_MEMORY;
    rp_memory_buffer *buffer = &memory->buffers[memory->buffers_count];
    *buffer = (rp_memory_buffer){.name = name, .size = size, .purpose = purpose};
    const VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .size = rp_memory_fill_bytes(size),
        .usage = usage_of(purpose),
        .sharingMode = VK_SHARING_MODE_EXCLUSIVE,
    };
    RP_TRY(RP_VK(diags, vk->CreateBuffer(device->handle, &info, NULL, &buffer->handle)));
    *out_index = memory->buffers_count++;
    rp_device_name(device, VK_OBJECT_TYPE_BUFFER, (uint64_t)buffer->handle, name);
    return RP_OK;
}

/* Adds up: says which block each buffer lies in and where, and how large the blocks are. */
static rp_status lay_out(rp_memory *memory, rp_diags *diags) {
    rp_device *device = memory->device;
    const rp_adapter *adapter = &device->adapter;
    for (uint32_t i = 0; i < memory->buffers_count; i++) {
        rp_memory_buffer *buffer = &memory->buffers[i];
        VkMemoryRequirements needs;
        device->vk.GetBufferMemoryRequirements(device->handle, buffer->handle, &needs);
        buffer->bytes = needs.size;
        memory->bytes[buffer->purpose] += needs.size;
        if (!choose_type(adapter, buffer->purpose, needs.memoryTypeBits, &buffer->type)) {
            rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s has no memory type that %s can use",
                         adapter->info.name, buffer->name);
            return RP_ERROR_UNSUPPORTED;
        }
        uint64_t end = UINT64_MAX;
        uint32_t b = 0;
        for (; b < memory->blocks_count; b++) { /* the last block of the type is the open one */
            const rp_memory_block *block = &memory->blocks[b];
            if (block->type != buffer->type) continue;
            if (rp_align_u64(block->size, needs.alignment, &buffer->offset) &&
                rp_add_u64(buffer->offset, needs.size, &end) && end <= adapter->max_allocation_size)
                break;
        }
        if (b == memory->blocks_count) {
            if (!RP_RESERVE(&device->allocator, memory->blocks, memory->blocks_count,
                            memory->blocks_capacity, 1))
                return RP_ERROR_NO_MEMORY;
            memory->blocks[memory->blocks_count++] = (rp_memory_block){.type = buffer->type};
            buffer->offset = 0;
            end = needs.size;
        }
        buffer->block = b;
        memory->blocks[b].size = end;
    }
    return RP_OK;
}

static rp_status out_of_memory(const rp_memory *memory, uint32_t type, rp_diags *diags) {
    const rp_adapter *adapter = &memory->device->adapter;
    uint32_t heap = adapter->memory.memoryTypes[type].heapIndex;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < memory->blocks_count; i++)
        if (adapter->memory.memoryTypes[memory->blocks[i].type].heapIndex == heap)
            sum += memory->blocks[i].size;
    rp_diags_add(
        diags, RP_ERROR, NULL, 0, 0,
        "out of device memory on %s: the exec asks %llu bytes of heap %u, which has %llu in "
        "all (needed for the arena %llu, buffers %llu, live block %llu, staging %llu); "
        "compile with a smaller --arena-limit, use smaller buffers, or free other memory",
        adapter->info.name, (unsigned long long)sum, heap,
        (unsigned long long)adapter->memory.memoryHeaps[heap].size,
        (unsigned long long)memory->bytes[RP_PURPOSE_ARENA],
        (unsigned long long)memory->bytes[RP_PURPOSE_EXTERNAL],
        (unsigned long long)memory->bytes[RP_PURPOSE_LIVE],
        (unsigned long long)memory->bytes[RP_PURPOSE_STAGING]);
    return RP_ERROR_DEVICE_MEMORY;
}

/* Asking a driver for more than its heap has may succeed and fail later: refuse at once. */
static rp_status check_heaps(const rp_memory *memory, rp_diags *diags) {
    const VkPhysicalDeviceMemoryProperties *facts = &memory->device->adapter.memory;
    uint64_t sums[VK_MAX_MEMORY_HEAPS] = {0};
    for (uint32_t i = 0; i < memory->blocks_count; i++) {
        uint32_t heap = facts->memoryTypes[memory->blocks[i].type].heapIndex;
        if (!rp_add_u64(sums[heap], memory->blocks[i].size, &sums[heap]) ||
            sums[heap] > facts->memoryHeaps[heap].size)
            return out_of_memory(memory, memory->blocks[i].type, diags);
    }
    return RP_OK;
}

static rp_status allocate_block(rp_memory *memory, rp_memory_block *block, rp_diags *diags) {
    rp_device *device = memory->device;
    const rp_vk *vk = &device->vk;
    const VkMemoryAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .allocationSize = block->size,
        .memoryTypeIndex = block->type,
    };
    VkResult result = vk->AllocateMemory(device->handle, &info, NULL, &block->handle);
    if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY) return out_of_memory(memory, block->type, diags);
    RP_TRY(rp_vk_result(result, "vk->AllocateMemory", diags));
    VkMemoryPropertyFlags flags = device->adapter.memory.memoryTypes[block->type].propertyFlags;
    const VkMemoryPropertyFlags visible =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    if ((flags & visible) != visible) return RP_OK;
    void *mapped = NULL;
    RP_TRY(
        RP_VK(diags, vk->MapMemory(device->handle, block->handle, 0, VK_WHOLE_SIZE, 0, &mapped)));
    block->mapped = mapped;
    return RP_OK;
}

rp_status rp_memory_allocate(rp_memory *memory, rp_diags *diags) {
    rp_device *device = memory->device;
    const rp_vk *vk = &device->vk;
    RP_TRY(lay_out(memory, diags));
    RP_TRY(check_heaps(memory, diags));
    for (uint32_t i = 0; i < memory->blocks_count; i++)
        RP_TRY(allocate_block(memory, &memory->blocks[i], diags));
    for (uint32_t i = 0; i < memory->buffers_count; i++) {
        rp_memory_buffer *buffer = &memory->buffers[i];
        const rp_memory_block *block = &memory->blocks[buffer->block];
        RP_TRY(RP_VK(diags, vk->BindBufferMemory(device->handle, buffer->handle, block->handle,
                                                 buffer->offset)));
        if (block->mapped && buffer->purpose != RP_PURPOSE_ARENA)
            buffer->mapped = block->mapped + buffer->offset;
    }
    return RP_OK;
}

void rp_memory_free(rp_memory *memory) {
    rp_device *device = memory->device;
    if (!device) return;
    for (uint32_t i = 0; i < memory->buffers_count; i++)
        device->vk.DestroyBuffer(device->handle, memory->buffers[i].handle, NULL);
    for (uint32_t i = 0; i < memory->blocks_count; i++) /* unmaps, too */
        device->vk.FreeMemory(device->handle, memory->blocks[i].handle, NULL);
    rp_release(&device->allocator, memory->buffers);
    rp_release(&device->allocator, memory->blocks);
    memset(memory, 0, sizeof *memory);
}
