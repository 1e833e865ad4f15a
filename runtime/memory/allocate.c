/* Allocating storages: those of an exec are known before any memory is allocated, so one block per
 * memory type is laid out by adding up sizes, and no general allocator is needed. A block goes with
 * the last storage in it. One that is larger than the driver allows is split between buffers.
 *
 * Some storages have a block of their own: where an application's allocator gives the memory
 * (hook.c), it does the laying out, and memory that other devices see (external.c) is seen whole. */
#include "memory/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "base/checked.h"
#include "plan/format.h"

static VkBufferUsageFlags usage_of(rp_memory_purpose purpose) {
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

static rp_status create_storage(allocation *all, const rp_storage_wish *wish, VkFlags usage,
                                rp_storage **out) {
    RP_TRY(rp_storage_new(all->device, wish->name, out));
    rp_storage *storage = *out; /* the allocation's to release */
    storage->purpose = wish->purpose;
    storage->size = wish->size;
    storage->usage = usage;
    storage->shape = wish->shape;
    storage->before = storage->after = VK_IMAGE_LAYOUT_GENERAL;
    return RP_OK;
}

static bool is_image(const rp_storage_wish *wish) {
    return wish->shape.format != RP_IMAGE_NONE;
}

static rp_status create_image(allocation *all, const rp_storage_wish *wish, rp_diags *diags,
                              rp_storage **out) {
    RP_TRY(create_storage(all, wish, wish->usage, out));
    RP_TRY(rp_image_create(all->device, *out, diags));
    (*out)->handle = (VkBuffer)(*out)->image;
    (*out)->offset = RP_IMAGE_ORIGIN;
    return RP_OK;
}

static rp_status create_buffer(allocation *all, const rp_storage_wish *wish, rp_diags *diags,
                               rp_storage **out) {
    rp_device *device = all->device;
    const rp_adapter *adapter = &device->adapter;
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
    const VkBufferUsageFlags usage = usage_of(wish->purpose) | wish->usage;
    const VkExternalMemoryBufferCreateInfo external = {
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
        .handleTypes = wish->fd ? wish->fd->type : wish->exportable,
    };
    if (external.handleTypes) RP_TRY(rp_external_check(device, wish, usage, diags));
    RP_TRY(create_storage(all, wish, usage, out));
    rp_storage *storage = *out;
    uint32_t families[2], family_count = rp_device_families(device, families);
    const VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .pNext = external.handleTypes ? &external : NULL,
        .size = rp_storage_fill_bytes(wish->size),
        .usage = usage,
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

static rp_buffer_needs needs_of(rp_device *device, const rp_storage *storage) {
    VkMemoryDedicatedRequirements dedicated = {.sType =
                                                   VK_STRUCTURE_TYPE_MEMORY_DEDICATED_REQUIREMENTS};
    VkMemoryRequirements2 needs = {.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2,
                                   .pNext = &dedicated};
    const VkBufferMemoryRequirementsInfo2 asked = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_REQUIREMENTS_INFO_2, .buffer = storage->handle};
    const VkImageMemoryRequirementsInfo2 asked_image = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2, .image = storage->image};
    if (storage->image)
        device->vk.GetImageMemoryRequirements2(device->handle, &asked_image, &needs);
    else
        device->vk.GetBufferMemoryRequirements2(device->handle, &asked, &needs);
    return (rp_buffer_needs){
        .memory = needs.memoryRequirements,
        .prefers_dedicated = dedicated.prefersDedicatedAllocation != 0,
        .requires_dedicated = dedicated.requiresDedicatedAllocation != 0,
    };
}

/* What all images of an alias set want of memory that they share, from the first one on; *out_count:
 * how many they are. */
static rp_buffer_needs needs_of_set(allocation *all, uint32_t first, const rp_storage_wish *wishes,
                                    uint32_t *out_count) {
    rp_buffer_needs sum = {.memory = {.alignment = 1, .memoryTypeBits = UINT32_MAX}};
    *out_count = 0;
    for (uint32_t i = first; i < all->count; i++) {
        if (wishes[i].alias != wishes[first].alias) continue;
        const rp_buffer_needs needs = needs_of(all->device, all->storages[i]);
        if (needs.memory.size > sum.memory.size) sum.memory.size = needs.memory.size;
        if (needs.memory.alignment > sum.memory.alignment) /* powers of two */
            sum.memory.alignment = needs.memory.alignment;
        sum.memory.memoryTypeBits &= needs.memory.memoryTypeBits;
        sum.requires_dedicated |= needs.requires_dedicated;
        ++*out_count;
    }
    return sum;
}

/* Whether a storage lies where an earlier one of its alias set does, or is the first of a set that
 * shares memory, which then is what *needs is about. They share where they can: without an allocator
 * of the application's, which is asked for each, and where some memory is good for all of them. */
static bool join_set(allocation *all, uint32_t index, const rp_storage_wish *wishes,
                     rp_buffer_needs *needs) {
    uint32_t first = 0, count, type;
    if (!wishes[index].alias || all->device->allocate_memory) return false;
    while (wishes[first].alias != wishes[index].alias) first++;
    if (first == index) {
        const rp_buffer_needs sum = needs_of_set(all, index, wishes, &count);
        if (count < 2 || sum.requires_dedicated ||
            !rp_memory_choose_type(&all->device->adapter, RP_PURPOSE_IMAGES,
                                   sum.memory.memoryTypeBits, &type))
            return false;
        all->storages[index]->shares = true;
        *needs = sum;
        return false;
    }
    if (!all->storages[first]->shares) return false;
    all->storages[index]->shares = true;
    all->offsets[index] = all->offsets[first];
    all->block_of[index] = all->block_of[first];
    return true;
}

/* A block for one storage alone. */
static rp_status lay_out_alone(allocation *all, uint32_t index, const rp_storage_wish *wish,
                               const rp_buffer_needs *needs, uint32_t type, rp_diags *diags) {
    rp_device *device = all->device;
    const rp_storage *storage = all->storages[index];
    all->offsets[index] = 0;
    all->block_of[index] = all->blocks_count;
    RP_TRY(add_block(all, type, wish->priority));
    rp_block *block = all->blocks[all->blocks_count - 1];
    block->alone = true;
    block->images = is_image(wish);
    block->size = needs->memory.size;
    block->exportable = wish->exportable;
    if (wish->fd) {
        block->fd = wish->fd;
        return rp_external_lay_out(device, storage, needs, diags, block);
    }
    if (device->allocate_memory && !wish->exportable)
        return rp_hook_allocate(device, storage, wish, needs, diags, block);
    if (storage->image)
        block->dedicated_image = storage->image;
    else if (needs->prefers_dedicated || needs->requires_dedicated)
        block->dedicated = storage->handle;
    return RP_OK;
}

/* Says which block a storage lies in and where; the last block of a kind is the open one. */
static rp_status lay_out(allocation *all, uint32_t index, const rp_storage_wish *wishes,
                         rp_diags *diags) {
    const rp_storage_wish *wish = &wishes[index];
    rp_device *device = all->device;
    const rp_adapter *adapter = &device->adapter;
    rp_storage *storage = all->storages[index];
    rp_buffer_needs needs = needs_of(device, storage);
    uint32_t type;
    if (join_set(all, index, wishes, &needs)) return RP_OK; /* the first of the set has the bytes */
    storage->memory_bytes = needs.memory.size;
    all->bytes[storage->purpose] += needs.memory.size;
    if (!rp_memory_choose_type(adapter, storage->purpose, needs.memory.memoryTypeBits, &type)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s has no memory type that %s can use",
                     adapter->info.name, storage->name);
        return RP_ERROR_UNSUPPORTED;
    }
    if (device->allocate_memory || wish->exportable || wish->fd ||
        (is_image(wish) && needs.requires_dedicated))
        return lay_out_alone(all, index, wish, &needs, type, diags);
    uint64_t end = UINT64_MAX, offset = 0;
    uint32_t b = 0;
    for (; b < all->blocks_count; b++) {
        const rp_block *block = all->blocks[b];
        if (!block->alone && block->type == type && block->priority == wish->priority &&
            block->images == is_image(wish) &&
            rp_align_u64(block->size, needs.memory.alignment, &offset) &&
            rp_add_u64(offset, needs.memory.size, &end) && end <= adapter->max_allocation_size)
            break;
    }
    if (b == all->blocks_count) {
        RP_TRY(add_block(all, type, wish->priority));
        all->blocks[b]->images = is_image(wish);
        offset = 0;
        end = needs.memory.size;
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
        RP_MEMORY_PURPOSE_LIST(RP_X)
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

/* To be allocated here. */
static bool is_new(const rp_block *block) {
    return !block->given.size && !block->fd;
}

static rp_status out_of_memory(const allocation *all, uint32_t type, rp_diags *diags) {
    const rp_adapter *adapter = &all->device->adapter;
    uint32_t heap = adapter->memory.memoryTypes[type].heapIndex;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < all->blocks_count; i++)
        if (is_new(all->blocks[i]) &&
            adapter->memory.memoryTypes[all->blocks[i]->type].heapIndex == heap)
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
        if (!is_new(all->blocks[i])) continue;
        if (!rp_add_u64(sums[heap], all->blocks[i]->size, &sums[heap]) ||
            sums[heap] > facts->memoryHeaps[heap].size)
            return out_of_memory(all, all->blocks[i]->type, diags);
    }
    for (uint32_t i = 0; i < facts->memoryHeapCount; i++) check_budget(all, i, sums[i], diags);
    return RP_OK;
}

static VkResult call_allocate(rp_device *device, rp_block *block, int fd) {
    VkMemoryPriorityAllocateInfoEXT priority = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_PRIORITY_ALLOCATE_INFO_EXT,
        .priority = block->priority,
    };
    VkMemoryAllocateFlagsInfo addressed = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
        .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT,
    };
    VkMemoryDedicatedAllocateInfo dedicated = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
        .buffer = block->dedicated,
        .image = block->dedicated_image,
    };
    VkExportMemoryAllocateInfo exported = {
        .sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
        .handleTypes = block->exportable,
    };
    VkImportMemoryFdInfoKHR imported = {
        .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
        .handleType = block->fd ? (VkExternalMemoryHandleTypeFlagBits)block->fd->type : 0,
        .fd = fd,
    };
    VkMemoryAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .allocationSize = block->size,
        .memoryTypeIndex = block->type,
    };
    if (block->priority != 0 && (device->adapter.features & RP_FEATURE_MEMORY_PRIORITY))
        priority.pNext = info.pNext, info.pNext = &priority;
    if (block->addressed) addressed.pNext = info.pNext, info.pNext = &addressed;
    if (block->dedicated || block->dedicated_image)
        dedicated.pNext = info.pNext, info.pNext = &dedicated;
    if (block->exportable) exported.pNext = info.pNext, info.pNext = &exported;
    if (block->fd) imported.pNext = info.pNext, info.pNext = &imported;
    return device->vk.AllocateMemory(device->handle, &info, NULL, &block->handle);
}

/* Vulkan keeps the descriptor that it imports. It gets one of its own, so that the caller's is still
 * the caller's whatever fails later. */
static rp_status import_block(rp_device *device, rp_block *block, rp_diags *diags) {
    int fd = fcntl(block->fd->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "file descriptor %d: %s", block->fd->fd,
                     strerror(errno));
        return errno == EBADF ? RP_ERROR_USAGE : RP_ERROR_IO;
    }
    VkResult result = call_allocate(device, block, fd);
    if (result != VK_SUCCESS) close(fd);
    if (result == VK_ERROR_INVALID_EXTERNAL_HANDLE)
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s does not take file descriptor %d as %llu bytes of memory type %u",
                     device->adapter.info.name, block->fd->fd, (unsigned long long)block->size,
                     block->type);
    return rp_vk_result(result, "vk->AllocateMemory", diags);
}

static rp_status allocate_block(const allocation *all, rp_block *block, rp_diags *diags) {
    rp_device *device = all->device;
    if (block->given.size) return RP_OK;
    if (block->fd) {
        /* The host may see memory of others late, or not at all: it is mapped on request. */
        RP_TRY(import_block(device, block, diags));
        bool mapped = block->fd->host_visible != 0;
        block->fd = NULL;
        if (!mapped) return RP_OK;
    } else {
        VkResult result = call_allocate(device, block, -1);
        if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY) return out_of_memory(all, block->type, diags);
        RP_TRY(rp_vk_result(result, "vk->AllocateMemory", diags));
        block->counted = true;
        rp_count_memory(&device->counts, block->size);
    }
    VkMemoryPropertyFlags flags = device->adapter.memory.memoryTypes[block->type].propertyFlags;
    const VkMemoryPropertyFlags visible =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    if ((flags & visible) != visible) return RP_OK;
    void *mapped = NULL;
    RP_TRY(RP_VK(
        diags, device->vk.MapMemory(device->handle, block->handle, 0, VK_WHOLE_SIZE, 0, &mapped)));
    block->mapped = (uint8_t *)mapped + block->offset;
    return RP_OK;
}

static void release_block(rp_device *device, rp_block *block) {
    if (!block || atomic_fetch_sub_explicit(&block->holders, 1, memory_order_acq_rel) != 1) return;
    if (block->counted) rp_uncount_memory(&device->counts, block->size);
    if (block->given.size)
        device->release_memory(device->memory_allocator, &block->given);
    else
        device->vk.FreeMemory(device->handle, block->handle, NULL); /* unmaps, too */
    rp_release(&device->allocator, block);
}

static rp_status bind(const rp_storage *storage, const rp_block *block, uint64_t offset,
                      rp_diags *diags) {
    rp_device *device = storage->device;
    if (storage->image)
        return RP_VK(diags, device->vk.BindImageMemory(device->handle, storage->image,
                                                       block->handle, offset));
    return RP_VK(
        diags, device->vk.BindBufferMemory(device->handle, storage->handle, block->handle, offset));
}

static rp_status allocate(allocation *all, const rp_storage_wish *wishes, rp_diags *diags) {
    for (uint32_t i = 0; i < all->count; i++)
        RP_TRY(is_image(&wishes[i]) ? create_image(all, &wishes[i], diags, &all->storages[i])
                                    : create_buffer(all, &wishes[i], diags, &all->storages[i]));
    for (uint32_t i = 0; i < all->count; i++) {
        RP_TRY(lay_out(all, i, wishes, diags));
        all->blocks[all->block_of[i]]->addressed |=
            !is_image(&wishes[i]) && (wishes[i].usage & VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT);
    }
    RP_TRY(check_heaps(all, diags));
    for (uint32_t i = 0; i < all->blocks_count; i++)
        RP_TRY(allocate_block(all, all->blocks[i], diags));
    for (uint32_t i = 0; i < all->count; i++) {
        rp_storage *storage = all->storages[i];
        rp_block *block = all->blocks[all->block_of[i]];
        RP_TRY(bind(storage, block, block->offset + all->offsets[i], diags));
        atomic_fetch_add_explicit(&block->holders, 1, memory_order_relaxed);
        storage->block = block;
        if (block->mapped && storage->purpose != RP_PURPOSE_ARENA && !storage->image)
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

rp_status rp_storage_new(rp_device *device, const char *name, rp_storage **out) {
    static atomic_uint_fast64_t latest;
    const rp_allocator *a = &device->allocator;
    rp_storage *storage = rp_alloc_zero(a, 1, sizeof *storage);
    if (!storage) return RP_ERROR_NO_MEMORY;
    storage->name = rp_dup(a, name, strlen(name) + 1);
    if (!storage->name) {
        rp_release(a, storage);
        return RP_ERROR_NO_MEMORY;
    }
    storage->serial = atomic_fetch_add_explicit(&latest, 1, memory_order_relaxed) + 1;
    storage->device = device;
    atomic_init(&storage->holders, 1);
    *out = storage;
    return RP_OK;
}

rp_storage *rp_storage_hold(rp_storage *storage) {
    if (storage) atomic_fetch_add_explicit(&storage->holders, 1, memory_order_relaxed);
    return storage;
}

void rp_storage_drop(rp_storage *storage) {
    if (!storage || atomic_fetch_sub_explicit(&storage->holders, 1, memory_order_acq_rel) != 1)
        return;
    rp_device *device = storage->device;
    rp_views_free(storage);
    if (!storage->imported && storage->image)
        device->vk.DestroyImage(device->handle, storage->image, NULL);
    else if (!storage->imported)
        device->vk.DestroyBuffer(device->handle, storage->handle, NULL);
    release_block(device, storage->block);
    rp_release(&device->allocator, storage->name);
    rp_release(&device->allocator, storage);
}
