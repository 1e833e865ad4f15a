/* Layouts: which descriptor is at which binding of which set.
 *
 * Kernels with equal interfaces share their layouts, and all pipeline layouts share one
 * push-constant range, because a bound set survives a change of pipeline only as long as the
 * layouts are the same up to it: sharing is what lets the recorder skip binds. Kernels are few, so
 * equal layouts are found by comparing. */
#include "pipeline/pipeline.h"

#include <stdlib.h>

static int by_binding(const void *a, const void *b) {
    const VkDescriptorSetLayoutBinding *x = a, *y = b;
    return (x->binding > y->binding) - (x->binding < y->binding);
}

/* Appends the bindings of one set of a kernel, ascending, without making them part of a layout. */
static rp_status collect(rp_layouts *layouts, const rp_plan *plan, const rp_plan_kernel *kernel,
                         uint32_t set, rp_set_layout *out) {
    const rp_plan_param *params = rp_plan_params(plan) + kernel->first_param;
    *out = (rp_set_layout){.first_binding = layouts->bindings_count};
    if (!RP_RESERVE(&layouts->device->allocator, layouts->bindings, layouts->bindings_count,
                    layouts->bindings_capacity, kernel->param_count))
        return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < kernel->param_count; i++) {
        if (params[i].set != set) continue;
        bool uniform = params[i].access == RP_UNIFORM;
        layouts->bindings[out->first_binding + out->binding_count++] =
            (VkDescriptorSetLayoutBinding){
                .binding = params[i].binding,
                .descriptorType =
                    uniform ? VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                .descriptorCount = 1,
                .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
            };
        out->uniform_count += uniform;
    }
    if (out->binding_count)
        qsort(layouts->bindings + out->first_binding, out->binding_count, sizeof *layouts->bindings,
              by_binding);
    return RP_OK;
}

static bool equal_sets(const rp_layouts *layouts, const rp_set_layout *a, const rp_set_layout *b) {
    if (a->binding_count != b->binding_count) return false;
    for (uint32_t i = 0; i < a->binding_count; i++) {
        const VkDescriptorSetLayoutBinding *x = &layouts->bindings[a->first_binding + i];
        const VkDescriptorSetLayoutBinding *y = &layouts->bindings[b->first_binding + i];
        if (x->binding != y->binding || x->descriptorType != y->descriptorType) return false;
    }
    return true;
}

static rp_status find_set(rp_layouts *layouts, const rp_plan *plan, const rp_plan_kernel *kernel,
                          uint32_t set, rp_diags *diags, uint32_t *out) {
    rp_device *device = layouts->device;
    rp_set_layout wanted;
    RP_TRY(collect(layouts, plan, kernel, set, &wanted));
    for (*out = 0; *out < layouts->sets_count; (*out)++)
        if (equal_sets(layouts, &layouts->sets[*out], &wanted)) return RP_OK;
    if (!RP_RESERVE(&device->allocator, layouts->sets, layouts->sets_count, layouts->sets_capacity,
                    1))
        return RP_ERROR_NO_MEMORY;
    const VkDescriptorSetLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = wanted.binding_count,
        .pBindings = layouts->bindings + wanted.first_binding,
    };
    RP_TRY(RP_VK(
        diags, device->vk.CreateDescriptorSetLayout(device->handle, &info, NULL, &wanted.handle)));
    layouts->bindings_count += wanted.binding_count;
    layouts->sets[layouts->sets_count++] = wanted;
    return RP_OK;
}

static rp_status create_layout(rp_layouts *layouts, rp_layout *layout, rp_diags *diags) {
    rp_device *device = layouts->device;
    VkDescriptorSetLayout sets[RP_MAX_SETS];
    for (uint32_t i = 0; i < layout->set_count; i++)
        sets[i] = layouts->sets[layout->sets[i]].handle;
    const VkPushConstantRange range = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
                                       .size = layouts->push_bytes};
    const VkPipelineLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
        .setLayoutCount = layout->set_count,
        .pSetLayouts = sets,
        .pushConstantRangeCount = layouts->push_bytes ? 1 : 0,
        .pPushConstantRanges = &range,
    };
    return RP_VK(diags,
                 device->vk.CreatePipelineLayout(device->handle, &info, NULL, &layout->handle));
}

static rp_status add_kernel(rp_layouts *layouts, const rp_plan *plan, uint32_t kernel_index,
                            rp_diags *diags) {
    const rp_plan_kernel *kernel = &rp_plan_kernels(plan)[kernel_index];
    const rp_plan_param *params = rp_plan_params(plan) + kernel->first_param;
    rp_layout wanted = {0};
    for (uint32_t i = 0; i < kernel->param_count; i++)
        if (params[i].set >= wanted.set_count) wanted.set_count = params[i].set + 1u;
    for (uint32_t set = 0; set < wanted.set_count; set++)
        RP_TRY(find_set(layouts, plan, kernel, set, diags, &wanted.sets[set]));
    for (uint32_t i = 0; i < layouts->layouts_count; i++) {
        const rp_layout *other = &layouts->layouts[i];
        if (other->set_count != wanted.set_count ||
            memcmp(other->sets, wanted.sets, sizeof wanted.sets) != 0)
            continue;
        layouts->of_kernel[kernel_index] = i;
        return RP_OK;
    }
    if (!RP_RESERVE(&layouts->device->allocator, layouts->layouts, layouts->layouts_count,
                    layouts->layouts_capacity, 1))
        return RP_ERROR_NO_MEMORY;
    RP_TRY(create_layout(layouts, &wanted, diags));
    layouts->of_kernel[kernel_index] = layouts->layouts_count;
    layouts->layouts[layouts->layouts_count++] = wanted;
    return RP_OK;
}

rp_status rp_layouts_create(rp_layouts *layouts, rp_device *device, const rp_plan *plan,
                            rp_diags *diags) {
    uint32_t kernel_count = rp_plan_count(plan, RP_SECTION_KERNELS);
    layouts->device = device;
    layouts->of_kernel = rp_alloc(&device->allocator, kernel_count, sizeof *layouts->of_kernel);
    if (!layouts->of_kernel) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < kernel_count; i++) layouts->of_kernel[i] = RP_UNSET;

    const rp_plan_node *nodes = rp_plan_nodes(plan);
    uint32_t node_count = rp_plan_count(plan, RP_SECTION_NODES);
    for (uint32_t i = 0; i < node_count; i++) {
        if (nodes[i].kind != RP_RUN) continue;
        uint32_t push = rp_plan_kernels(plan)[nodes[i].kernel].push_bytes;
        if (push > layouts->push_bytes) layouts->push_bytes = push;
    }
    for (uint32_t i = 0; i < node_count; i++)
        if (nodes[i].kind == RP_RUN && layouts->of_kernel[nodes[i].kernel] == RP_UNSET)
            RP_TRY(add_kernel(layouts, plan, nodes[i].kernel, diags));
    return RP_OK;
}

void rp_layouts_free(rp_layouts *layouts) {
    rp_device *device = layouts->device;
    if (!device) return;
    for (uint32_t i = 0; i < layouts->layouts_count; i++)
        device->vk.DestroyPipelineLayout(device->handle, layouts->layouts[i].handle, NULL);
    for (uint32_t i = 0; i < layouts->sets_count; i++)
        device->vk.DestroyDescriptorSetLayout(device->handle, layouts->sets[i].handle, NULL);
    rp_release(&device->allocator, layouts->layouts);
    rp_release(&device->allocator, layouts->sets);
    rp_release(&device->allocator, layouts->bindings);
    rp_release(&device->allocator, layouts->of_kernel);
    memset(layouts, 0, sizeof *layouts);
}
