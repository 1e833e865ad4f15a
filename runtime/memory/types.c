/* Which memory of a device to use for what, and how much of it there is. */
#include "memory/storage.h"

#include "base/sized.h"

typedef struct type_wish {
    VkMemoryPropertyFlags with, without;
} type_wish;

enum { MAX_WISHES = 4 };

/* Memory types to try, best first. */
static void wishes_of(const rp_adapter *adapter, rp_memory_purpose purpose,
                      type_wish out[MAX_WISHES]) {
    const VkMemoryPropertyFlags local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
    const VkMemoryPropertyFlags visible =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    const VkMemoryPropertyFlags cached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    const type_wish unmapped[MAX_WISHES] = {
        {local, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT}, {local, 0}, {0, 0}, {0, 0}};
    const type_wish unified[MAX_WISHES] = {
        {local | visible | cached, 0}, {local | visible, 0}, {local, 0}, {0, 0}};
    const type_wish mapped[MAX_WISHES] = {
        {local | visible | cached, 0}, {local | visible, 0}, {visible | cached, 0}, {visible, 0}};
    const type_wish live[MAX_WISHES] = {
        {local | visible, 0}, {visible, 0}, {visible, 0}, {visible, 0}};
    const type_wish staging[MAX_WISHES] = {
        {visible | cached, 0}, {visible, 0}, {visible, 0}, {visible, 0}};
    const type_wish *chosen = unmapped;
    switch (purpose) {
    case RP_PURPOSE_ARENA:
    case RP_PURPOSE_IMAGES: break;
    case RP_PURPOSE_BUFFERS: {
        VkPhysicalDeviceType type = adapter->properties.deviceType;
        if (type == VK_PHYSICAL_DEVICE_TYPE_CPU || type == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU)
            chosen = unified;
        break;
    }
    case RP_PURPOSE_VISIBLE: chosen = mapped; break;
    case RP_PURPOSE_LIVE: chosen = live; break;
    case RP_PURPOSE_STAGING: chosen = staging; break;
    }
    memcpy(out, chosen, sizeof(type_wish) * MAX_WISHES);
}

uint32_t rp_memory_types(const rp_adapter *adapter, VkMemoryPropertyFlags required) {
    /* Protected, lazily allocated, device-coherent and RDMA memory need features of their own. */
    const VkMemoryPropertyFlags plain =
        VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
        VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    uint32_t found = 0;
    for (uint32_t i = 0; i < adapter->memory.memoryTypeCount; i++) {
        VkMemoryPropertyFlags flags = adapter->memory.memoryTypes[i].propertyFlags;
        if (!(flags & ~plain) && (flags & required) == required) found |= 1u << i;
    }
    return found;
}

void rp_memory_flags(const rp_adapter *adapter, rp_memory_purpose purpose,
                     VkMemoryPropertyFlags *out_required, VkMemoryPropertyFlags *out_wanted) {
    type_wish wishes[MAX_WISHES];
    wishes_of(adapter, purpose, wishes);
    *out_required = wishes[MAX_WISHES - 1].with;
    *out_wanted = wishes[0].with;
}

bool rp_memory_choose_type(const rp_adapter *adapter, rp_memory_purpose purpose, uint32_t allowed,
                           uint32_t *out) {
    type_wish wishes[MAX_WISHES];
    wishes_of(adapter, purpose, wishes);
    for (uint32_t w = 0; w < MAX_WISHES; w++) {
        uint32_t fit = allowed & rp_memory_types(adapter, wishes[w].with);
        for (uint32_t i = 0; i < adapter->memory.memoryTypeCount; i++) {
            if (!(fit >> i & 1)) continue;
            if (adapter->memory.memoryTypes[i].propertyFlags & wishes[w].without) continue;
            *out = i;
            return true;
        }
    }
    return false;
}

rp_status rp_memory_check_priority(float priority, const char *name, rp_diags *diags) {
    if (priority >= 0 && priority <= 1) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "%s cannot have a memory priority of %g: above 0 and up to 1 are possible, and 0 "
                 "for the usual one",
                 name, (double)priority);
    return RP_ERROR_USAGE;
}

bool rp_memory_budget(const rp_device *device, uint32_t heap, uint64_t *out_budget,
                      uint64_t *out_used) {
    const rp_adapter *adapter = &device->adapter;
    if (!(adapter->extensions & RP_EXTENSION_MEMORY_BUDGET)) return false;
    VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
    VkPhysicalDeviceMemoryProperties2 properties = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, .pNext = &budget};
    device->vk.GetPhysicalDeviceMemoryProperties2(adapter->handle, &properties);
    *out_budget = budget.heapBudget[heap];
    *out_used = budget.heapUsage[heap];
    return true;
}

rp_status rp_device_get_memory(rp_device *device, rp_device_memory *memory) {
    if (!device || !memory) return RP_ERROR_USAGE;
    const rp_adapter *adapter = &device->adapter;
    rp_device_memory own = {0};
    uint32_t type;
    if (rp_memory_choose_type(adapter, RP_PURPOSE_BUFFERS, UINT32_MAX, &type)) {
        uint32_t heap = adapter->memory.memoryTypes[type].heapIndex;
        own.heap_bytes = own.budget_bytes = adapter->memory.memoryHeaps[heap].size;
        own.known = rp_memory_budget(device, heap, &own.budget_bytes, &own.used_bytes);
    }
    if (!own.known) own.used_bytes = rp_counts_read(&device->counts).memory_bytes;
    return rp_sized_give(&own, sizeof own, memory) ? RP_OK : RP_ERROR_USAGE;
}
