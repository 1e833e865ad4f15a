/* Host memory that the GPU copies from and to by itself (VK_EXT_external_memory_host).
 *
 * A driver that runs on the host's cores takes any page as its own at no cost, and copying through
 * a piece would make it copy twice with the same cores. For others a page has to be pinned first,
 * which takes longer than copying it, so that they are left to the ring. All of this is a
 * shortcut: whatever does not work, works without it. */
#include "memory/transfer.h"

#include "base/checked.h"

enum { LEAST_BYTES = 256 << 10 }; /* fewer are not worth a buffer and its memory */

static bool is_useful(const rp_device *device, uint64_t size) {
    const rp_adapter *adapter = &device->adapter;
    return size >= LEAST_BYTES && adapter->info.is_cpu && adapter->host_alignment &&
           (adapter->extensions & RP_EXTENSION_HOST_MEMORY) &&
           device->vk.GetMemoryHostPointerPropertiesEXT;
}

static bool create_buffer(rp_device *device, uint64_t size, rp_host_memory *out) {
    const VkExternalMemoryBufferCreateInfo external = {
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
        .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT};
    const VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                     .pNext = &external,
                                     .size = size,
                                     .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                              VK_BUFFER_USAGE_TRANSFER_DST_BIT,
                                     .sharingMode = VK_SHARING_MODE_EXCLUSIVE};
    return device->vk.CreateBuffer(device->handle, &info, NULL, &out->buffer) == VK_SUCCESS;
}

/* A coherent type that both the pages and the buffer can have. */
static bool choose_type(rp_device *device, void *pages, uint64_t size, const rp_host_memory *host,
                        uint32_t *out) {
    VkMemoryHostPointerPropertiesEXT able = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT};
    VkMemoryRequirements needs;
    if (device->vk.GetMemoryHostPointerPropertiesEXT(
            device->handle, VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT, pages, &able) !=
        VK_SUCCESS)
        return false;
    device->vk.GetBufferMemoryRequirements(device->handle, host->buffer, &needs);
    const VkPhysicalDeviceMemoryProperties *facts = &device->adapter.memory;
    for (*out = 0; *out < facts->memoryTypeCount; ++*out)
        if ((able.memoryTypeBits & needs.memoryTypeBits) >> *out & 1 && needs.size <= size &&
            (facts->memoryTypes[*out].propertyFlags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT))
            return true;
    return false;
}

static bool bind(rp_device *device, void *pages, uint64_t size, rp_host_memory *out) {
    uint32_t type;
    if (!choose_type(device, pages, size, out, &type)) return false;
    const VkImportMemoryHostPointerInfoEXT import = {
        .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
        .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT,
        .pHostPointer = pages};
    const VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                       .pNext = &import,
                                       .allocationSize = size,
                                       .memoryTypeIndex = type};
    const rp_vk *vk = &device->vk;
    return vk->AllocateMemory(device->handle, &info, NULL, &out->memory) == VK_SUCCESS &&
           vk->BindBufferMemory(device->handle, out->buffer, out->memory, 0) == VK_SUCCESS;
}

rp_host_memory rp_host_memory_open(rp_device *device, const void *host, uint64_t size) {
    rp_host_memory out = {0};
    if (!is_useful(device, size)) return out;
    /* Whole pages, each with bytes that are asked for: they are all there. */
    uint64_t alignment = device->adapter.host_alignment, end;
    uint64_t first = (uint64_t)(uintptr_t)host / alignment * alignment;
    if (!rp_align_u64((uint64_t)(uintptr_t)host + size, alignment, &end)) return out;
    out.offset = (uint64_t)(uintptr_t)host - first;
    if (!create_buffer(device, end - first, &out) ||
        !bind(device, (void *)(uintptr_t)first, end - first, &out))
        rp_host_memory_close(device, &out);
    return out;
}

void rp_host_memory_close(rp_device *device, rp_host_memory *memory) {
    device->vk.DestroyBuffer(device->handle, memory->buffer, NULL);
    device->vk.FreeMemory(device->handle, memory->memory, NULL);
    *memory = (rp_host_memory){0};
}
