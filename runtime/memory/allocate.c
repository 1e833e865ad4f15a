/* Allocating storages: those of an exec are known before any memory is allocated, so one block per
 * memory type is laid out by adding up sizes, and no general allocator is needed. A block goes with
 * the last storage in it. One that is larger than the driver allows is split between buffers. */
#include "memory/storage.h"

#include <stdio.h>
#include "base/checked.h"
#include "plan/format.h"

static VkBufferUsageFlags usage_of(rp_purpose purpose) {
    const VkBufferUsageFlags transfer =
        VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    if (purpose == RP_PURPOSE_STAGING) return transfer;
    return transfer | VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT |
           VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT;
}

/* An allocation under way. */
typedef struct allocation {
    rp_device *device;
    rp_storage **storages;
    uint32_t count;
    rp_block **blocks;
    uint32_t blocks_count, blocks_capacity;
    uint64_t *offsets;  /* by storage: in its block */
    uint32_t *block_of; /* by storage */
    uint64_t bytes[RP_PURPOSE_COUNT];
} allocation;

static rp_status create_buffer(allocation *all, const rp_storage_wish *wish, rp_diags *diags,
                               rp_storage **out) {
    rp_device *device = all->device;
    const rp_adapter *adapter = &device->adapter;
    const rp_allocator *a = &device->allocator;
    if (rp_storage_fill_bytes(wish->size) > adapter->max_buffer_size) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s has %llu bytes, more than the %llu that one buffer may have on %s",
                     wish->name, (unsigned long long)wish->size,
                     (unsigned long long)adapter->max_buffer_size, adapter->info.name);
        return RP_ERROR_UNSUPPORTED;
    }
    if ((wish->usage & VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT) &&
        !(adapter->needs & RP_NEED_DEVICE_ADDRESS)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s is wanted with a device address; device %s has none (bufferDeviceAddress)",
                     wish->name, adapter->info.name);
        return RP_ERROR_UNSUPPORTED;
    }
    rp_storage *storage = rp_alloc_zero(a, 1, sizeof *storage);
    if (!storage) return RP_ERROR_NO_MEMORY;
    *out = storage; /* from here on the allocation's to release */
    storage->serial = rp_storage_next_serial();
    storage->device = device;
    storage->purpose = wish->purpose;
    storage->size = wish->size;
    atomic_init(&storage->holders, 1);
    storage->name = rp_dup(a, wish->name, strlen(wish->name) + 1);
    if (!storage->name) return RP_ERROR_NO_MEMORY;
    uint32_t families[2], family_count = rp_device_families(device, families);
    const VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .size = rp_storage_fill_bytes(wish->size),
        .usage = usage_of(wish->purpose) | wish->usage,
        .sharingMode = family_count > 1 ? VK_SHARING_MODE_CONCURRENT : VK_SHARING_MODE_EXCLUSIVE,
        .queueFamilyIndexCount = family_count > 1 ? family_count : 0,
        .pQueueFamilyIndices = families,
    };
    RP_TRY(RP_VK(diags, device->vk.CreateBuffer(device->handle, &info, NULL, &storage->handle)));
    rp_device_name(device, VK_OBJECT_TYPE_BUFFER, (uint64_t)storage->handle, storage->name);
    return RP_OK;
}

static rp_status add_block(allocation *all, uint32_t type, float priority) {
    const rp_allocator *a = &all->device->allocator;
    if (!RP_RESERVE(a, all->blocks, all->blocks_count, all->blocks_capacity, 1))
        return RP_ERROR_NO_MEMORY;
    rp_block *block = rp_alloc_zero(a, 1, sizeof *block);
    if (!block) return RP_ERROR_NO_MEMORY;
    block->type = type;
    block->priority = priority;
    atomic_init(&block->holders, 1); /* the allocation's own, until it is done */
    all->blocks[all->blocks_count++] = block;
    return RP_OK;
}

/* Says which block a storage lies in and where; the last block of a kind is the open one. */
static rp_status lay_out(allocation *all, uint32_t index, const rp_storage_wish *wish,
                         rp_diags *diags) {
    rp_device *device = all->device;
    const rp_adapter *adapter = &device->adapter;
    rp_storage *storage = all->storages[index];
    VkMemoryRequirements needs;
    uint32_t type;
    device->vk.GetBufferMemoryRequirements(device->handle, storage->handle, &needs);
    storage->memory_bytes = needs.size;
    all->bytes[storage->purpose] += needs.size;
    if (!rp_memory_choose_type(adapter, storage->purpose, needs.memoryTypeBits, &type)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s has no memory type that %s can use",
                     adapter->info.name, storage->name);
        return RP_ERROR_UNSUPPORTED;
    }
    uint64_t end = UINT64_MAX, offset = 0;
    uint32_t b = 0;
    for (; b < all->blocks_count; b++) {
        const rp_block *block = all->blocks[b];
        if (block->type == type && block->priority == wish->priority &&
            rp_align_u64(block->size, needs.alignment, &offset) &&
            rp_add_u64(offset, needs.size, &end) && end <= adapter->max_allocation_size)
            break;
    }
    if (b == all->blocks_count) {
        RP_TRY(add_block(all, type, wish->priority));
        offset = 0;
        end = needs.size;
    }
    all->offsets[index] = offset;
    all->block_of[index] = b;
    all->blocks[b]->size = end;
    return RP_OK;
}

/* "the arena 4096, buffers 512", or the name of what is alone. */
static void list_parts(const allocation *all, char *text, size_t size) {
    static const char *const names[] = {
#define RP_X(symbol, name) name,
        RP_PURPOSE_LIST(RP_X)
#undef RP_X
    };
    size_t at = 0;
    if (all->count == 1)
        snprintf(text, size, "%s %llu", all->storages[0]->name,
                 (unsigned long long)all->storages[0]->memory_bytes);
    for (uint32_t i = 0; i < RP_PURPOSE_COUNT && all->count > 1; i++)
        if (all->bytes[i] && at < size)
            at += (size_t)snprintf(text + at, size - at, "%s%s %llu", at ? ", " : "", names[i],
                                   (unsigned long long)all->bytes[i]);
}

static rp_status out_of_memory(const allocation *all, uint32_t type, rp_diags *diags) {
    const rp_adapter *adapter = &all->device->adapter;
    uint32_t heap = adapter->memory.memoryTypes[type].heapIndex;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < all->blocks_count; i++)
        if (adapter->memory.memoryTypes[all->blocks[i]->type].heapIndex == heap)
            sum += all->blocks[i]->size;
    char parts[256] = "", budget_text[96] = "";
    uint64_t budget, used;
    list_parts(all, parts, sizeof parts);
    if (rp_memory_budget(all->device, heap, &budget, &used))
        snprintf(budget_text, sizeof budget_text,
                 ", of which this process may use %llu and uses %llu", (unsigned long long)budget,
                 (unsigned long long)used);
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "out of device memory on %s: asked for %llu bytes of heap %u, which has %llu in "
                 "all%s (needed for %s); compile with a smaller --arena-limit, use smaller "
                 "buffers, or free other memory",
                 adapter->info.name, (unsigned long long)sum, heap,
                 (unsigned long long)adapter->memory.memoryHeaps[heap].size, budget_text, parts);
    return RP_ERROR_DEVICE_MEMORY;
}

/* Whether a heap then holds more than the system grants this process: the driver may still find a
 * place, and things get slow. */
static void check_budget(const allocation *all, uint32_t heap, uint64_t bytes, rp_diags *diags) {
    uint64_t budget, used;
    if (bytes == 0 || !rp_memory_budget(all->device, heap, &budget, &used) ||
        (used <= budget && bytes <= budget - used))
        return;
    char parts[256] = "";
    list_parts(all, parts, sizeof parts);
    rp_diags_add(diags, RP_WARNING, NULL, 0, 0,
                 "%llu bytes more of heap %u of %s are over the budget: this process may use %llu "
                 "and uses %llu (needed for %s)",
                 (unsigned long long)bytes, heap, all->device->adapter.info.name,
                 (unsigned long long)budget, (unsigned long long)used, parts);
}

/* Asking a driver for more than its heap has may succeed and fail later: refuse at once. */
static rp_status check_heaps(const allocation *all, rp_diags *diags) {
    const VkPhysicalDeviceMemoryProperties *facts = &all->device->adapter.memory;
    uint64_t sums[VK_MAX_MEMORY_HEAPS] = {0};
    for (uint32_t i = 0; i < all->blocks_count; i++) {
        uint32_t heap = facts->memoryTypes[all->blocks[i]->type].heapIndex;
        if (!rp_add_u64(sums[heap], all->blocks[i]->size, &sums[heap]) ||
            sums[heap] > facts->memoryHeaps[heap].size)
            return out_of_memory(all, all->blocks[i]->type, diags);
    }
    for (uint32_t i = 0; i < facts->memoryHeapCount; i++) check_budget(all, i, sums[i], diags);
    return RP_OK;
}

static rp_status allocate_block(const allocation *all, rp_block *block, rp_diags *diags) {
    rp_device *device = all->device;
    const rp_vk *vk = &device->vk;
    const VkMemoryPriorityAllocateInfoEXT priority = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_PRIORITY_ALLOCATE_INFO_EXT,
        .priority = block->priority,
    };
    bool prior =
        block->priority != 0 && (device->adapter.features & RP_FEATURE_MEMORY_PRIORITY) != 0;
    const VkMemoryAllocateFlagsInfo addressed = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
        .pNext = prior ? &priority : NULL,
        .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT,
    };
    const VkMemoryAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .pNext = block->addressed ? (const void *)&addressed : addressed.pNext,
        .allocationSize = block->size,
        .memoryTypeIndex = block->type,
    };
    VkResult result = vk->AllocateMemory(device->handle, &info, NULL, &block->handle);
    if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY) return out_of_memory(all, block->type, diags);
    RP_TRY(rp_vk_result(result, "vk->AllocateMemory", diags));
    rp_count_memory(&device->counts, block->size);
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

static void release_block(rp_device *device, rp_block *block) {
    if (!block || atomic_fetch_sub_explicit(&block->holders, 1, memory_order_acq_rel) != 1) return;
    if (block->handle) rp_uncount_memory(&device->counts, block->size);
    device->vk.FreeMemory(device->handle, block->handle, NULL); /* unmaps, too */
    rp_release(&device->allocator, block);
}

static rp_status allocate(allocation *all, const rp_storage_wish *wishes, rp_diags *diags) {
    rp_device *device = all->device;
    for (uint32_t i = 0; i < all->count; i++)
        RP_TRY(create_buffer(all, &wishes[i], diags, &all->storages[i]));
    for (uint32_t i = 0; i < all->count; i++) {
        RP_TRY(lay_out(all, i, &wishes[i], diags));
        all->blocks[all->block_of[i]]->addressed |=
            (wishes[i].usage & VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT) != 0;
    }
    RP_TRY(check_heaps(all, diags));
    for (uint32_t i = 0; i < all->blocks_count; i++)
        RP_TRY(allocate_block(all, all->blocks[i], diags));
    for (uint32_t i = 0; i < all->count; i++) {
        rp_storage *storage = all->storages[i];
        rp_block *block = all->blocks[all->block_of[i]];
        RP_TRY(RP_VK(diags, device->vk.BindBufferMemory(device->handle, storage->handle,
                                                        block->handle, all->offsets[i])));
        atomic_fetch_add_explicit(&block->holders, 1, memory_order_relaxed);
        storage->block = block;
        if (block->mapped && storage->purpose != RP_PURPOSE_ARENA)
            storage->mapped = block->mapped + all->offsets[i];
    }
    return RP_OK;
}

rp_status rp_storage_allocate(rp_device *device, const rp_storage_wish *wishes, uint32_t count,
                              rp_diags *diags, rp_storage **out) {
    const rp_allocator *a = &device->allocator;
    allocation all = {.device = device, .storages = out, .count = count};
    for (uint32_t i = 0; i < count; i++) out[i] = NULL;
    all.offsets = rp_alloc(a, count, sizeof *all.offsets);
    all.block_of = rp_alloc(a, count, sizeof *all.block_of);
    rp_status status =
        all.offsets && all.block_of ? allocate(&all, wishes, diags) : RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < count && status != RP_OK; i++) {
        rp_storage_drop(out[i]);
        out[i] = NULL;
    }
    for (uint32_t i = 0; i < all.blocks_count; i++) release_block(device, all.blocks[i]);
    rp_release(a, all.blocks);
    rp_release(a, all.offsets);
    rp_release(a, all.block_of);
    return status;
}

uint64_t rp_storage_next_serial(void) {
    static atomic_uint_fast64_t latest;
    return atomic_fetch_add_explicit(&latest, 1, memory_order_relaxed) + 1;
}

rp_storage *rp_storage_hold(rp_storage *storage) {
    if (storage) atomic_fetch_add_explicit(&storage->holders, 1, memory_order_relaxed);
    return storage;
}

void rp_storage_drop(rp_storage *storage) {
    if (!storage || atomic_fetch_sub_explicit(&storage->holders, 1, memory_order_acq_rel) != 1)
        return;
    rp_device *device = storage->device;
    if (!storage->imported) device->vk.DestroyBuffer(device->handle, storage->handle, NULL);
    release_block(device, storage->block);
    rp_release(&device->allocator, storage->name);
    rp_release(&device->allocator, storage);
}
