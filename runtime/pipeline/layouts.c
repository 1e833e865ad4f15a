/* Layouts: which descriptor is at which binding of which set.
 *
 * A bound set survives a change of pipeline only as long as the layouts are the same up to it, and
 * pushed bytes only as long as both have the same range for them. So equal layouts are one object,
 * and nearly all have one range: the 128 bytes that every device has, whatever a kernel pushes.
 * Layouts are few, equal ones are found by comparing. */
#include "device/images.h"
#include "pipeline/store.h"

#include <stdlib.h>

enum { COMMON_PUSH_BYTES = 128 }; /* the least that Vulkan allows a device to have */

static int by_binding(const void *a, const void *b) {
    const VkDescriptorSetLayoutBinding *x = a, *y = b;
    return (x->binding > y->binding) - (x->binding < y->binding);
}

/* The bindings of one set of a kernel, ascending, not yet on the device. NULL without memory. */
static rp_set_layout *collect(const rp_allocator *a, const rp_kernel_desc *kernel, uint32_t set) {
    rp_set_layout *out =
        rp_alloc_zero(a, 1, sizeof *out + kernel->param_count * sizeof *out->bindings);
    for (uint32_t i = 0; out && i < kernel->param_count; i++) {
        const rp_plan_param *param = &kernel->params[i];
        if (param->set != set) continue;
        const VkDescriptorSetLayoutBinding binding = {
            .binding = param->binding,
            .descriptorType = rp_param_descriptor_type(param),
            .descriptorCount = param->elements ? param->elements : 1,
            .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
        };
        out->bindings[out->binding_count++] = binding;
        out->descriptor_count += binding.descriptorCount;
        out->type_counts[binding.descriptorType] += binding.descriptorCount;
    }
    if (out && out->binding_count)
        qsort(out->bindings, out->binding_count, sizeof *out->bindings, by_binding);
    return out;
}

static bool equal_sets(const rp_set_layout *a, const rp_set_layout *b) {
    if (a->binding_count != b->binding_count) return false;
    for (uint32_t i = 0; i < a->binding_count; i++)
        if (a->bindings[i].binding != b->bindings[i].binding ||
            a->bindings[i].descriptorType != b->bindings[i].descriptorType ||
            a->bindings[i].descriptorCount != b->bindings[i].descriptorCount)
            return false;
    return true;
}

/* Of arrays elements may stay unbound, where the device can do that. */
static rp_status create_set(rp_device *device, rp_set_layout *set, rp_diags *diags) {
    const rp_allocator *a = &device->allocator;
    bool partial = (device->adapter.features & RP_FEATURE_PARTIALLY_BOUND) &&
                   set->descriptor_count > set->binding_count;
    VkDescriptorBindingFlags *flags =
        partial ? rp_alloc_zero(a, set->binding_count, sizeof *flags) : NULL;
    if (partial && !flags) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; flags && i < set->binding_count; i++)
        if (set->bindings[i].descriptorCount > 1)
            flags[i] = VK_DESCRIPTOR_BINDING_PARTIALLY_BOUND_BIT;
    const VkDescriptorSetLayoutBindingFlagsCreateInfo with_flags = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_BINDING_FLAGS_CREATE_INFO,
        .bindingCount = set->binding_count,
        .pBindingFlags = flags,
    };
    const VkDescriptorSetLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .pNext = flags ? &with_flags : NULL,
        .bindingCount = set->binding_count,
        .pBindings = set->bindings,
    };
    rp_status status = RP_VK(
        diags, device->vk.CreateDescriptorSetLayout(device->handle, &info, NULL, &set->handle));
    rp_release(a, flags);
    return status;
}

static rp_status find_set(rp_store *store, const rp_kernel_desc *kernel, uint32_t set,
                          rp_diags *diags, rp_set_layout **out) {
    rp_device *device = store->device;
    rp_set_layout *wanted = collect(&device->allocator, kernel, set);
    if (!wanted) return RP_ERROR_NO_MEMORY;
    for (*out = store->sets; *out; *out = (*out)->next)
        if (equal_sets(*out, wanted)) {
            rp_release(&device->allocator, wanted);
            return RP_OK;
        }
    rp_status status = create_set(device, wanted, diags);
    if (status != RP_OK) {
        rp_release(&device->allocator, wanted);
        return status;
    }
    wanted->next = store->sets;
    store->sets = *out = wanted;
    return RP_OK;
}

static rp_status create_handle(rp_store *store, rp_layout *layout, rp_diags *diags) {
    rp_device *device = store->device;
    VkDescriptorSetLayout sets[RP_MAX_SETS];
    for (uint32_t i = 0; i < layout->set_count; i++) sets[i] = layout->sets[i]->handle;
    const VkPushConstantRange range = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
                                       .size = layout->push_bytes};
    const VkPipelineLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
        .setLayoutCount = layout->set_count,
        .pSetLayouts = sets,
        .pushConstantRangeCount = 1,
        .pPushConstantRanges = &range,
    };
    return RP_VK(diags,
                 device->vk.CreatePipelineLayout(device->handle, &info, NULL, &layout->handle));
}

/* Sets found for a layout that fails have no user and stay for the next to ask. */
static rp_status find_layout(rp_store *store, const rp_kernel_desc *kernel, rp_diags *diags,
                             rp_layout **out) {
    rp_device *device = store->device;
    uint32_t most = device->adapter.properties.limits.maxPushConstantsSize;
    uint32_t push = kernel->push_bytes <= COMMON_PUSH_BYTES ? COMMON_PUSH_BYTES : RP_MAX_PUSH_BYTES;
    rp_layout wanted = {.push_bytes = push < most ? push : most / 4 * 4};
    for (uint32_t i = 0; i < kernel->param_count; i++)
        if (kernel->params[i].set >= wanted.set_count)
            wanted.set_count = kernel->params[i].set + 1u;
    for (uint32_t set = 0; set < wanted.set_count; set++)
        RP_TRY(find_set(store, kernel, set, diags, &wanted.sets[set]));
    for (*out = store->layouts; *out; *out = (*out)->next)
        if ((*out)->push_bytes == wanted.push_bytes && (*out)->set_count == wanted.set_count &&
            memcmp((*out)->sets, wanted.sets, sizeof wanted.sets) == 0)
            return RP_OK;
    RP_TRY(create_handle(store, &wanted, diags));
    *out = rp_dup(&device->allocator, &wanted, sizeof wanted);
    if (!*out) {
        device->vk.DestroyPipelineLayout(device->handle, wanted.handle, NULL);
        return RP_ERROR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < wanted.set_count; i++) wanted.sets[i]->users++;
    (*out)->next = store->layouts;
    store->layouts = *out;
    return RP_OK;
}

rp_status rp_layout_find(rp_store *store, const rp_kernel_desc *kernel, rp_diags *diags,
                         rp_layout **out) {
    rp_status status = find_layout(store, kernel, diags, out);
    if (status == RP_OK)
        (*out)->users++;
    else
        *out = NULL;
    return status;
}

void rp_layouts_trim(rp_store *store) {
    rp_device *device = store->device;
    for (rp_layout **at = &store->layouts; *at;) {
        rp_layout *layout = *at;
        if (layout->users) {
            at = &layout->next;
            continue;
        }
        for (uint32_t i = 0; i < layout->set_count; i++) layout->sets[i]->users--;
        device->vk.DestroyPipelineLayout(device->handle, layout->handle, NULL);
        *at = layout->next;
        rp_release(&device->allocator, layout);
    }
    for (rp_set_layout **at = &store->sets; *at;) {
        rp_set_layout *set = *at;
        if (set->users) {
            at = &set->next;
            continue;
        }
        device->vk.DestroyDescriptorSetLayout(device->handle, set->handle, NULL);
        *at = set->next;
        rp_release(&device->allocator, set);
    }
}
