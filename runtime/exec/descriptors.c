/* Descriptor sets: what each node binds.
 *
 * A set is a list of byte ranges. Nodes that bind the same ranges through the same layout share one
 * set (a kernel that runs twice over the same buffers with other push data, for example), so the
 * pool is sized by counting what is really different. Sets are found by hash; the whole is linear
 * in the number of uses. */
#include "exec/exec.h"

#include "base/hash.h"
#include "base/table.h"

/* While building: the sets found so far. */
typedef struct builder {
    rp_descriptors *out;
    const rp_plan *plan;
    const rp_preparation *pipelines;
    const rp_place *places;
    const rp_allocator *a;
    VkDescriptorBufferInfo *infos;
    uint32_t infos_count, infos_capacity;
    uint32_t sets_capacity, firsts_capacity, node_sets_count, node_sets_capacity;
    rp_table sets; /* hash of the layout and the ranges -> set */
} builder;

/* Appends the ranges that a node binds to one set, in the order of the layout's bindings. */
static bool collect(builder *b, const rp_plan_node *node, uint32_t set,
                    const rp_set_layout *layout) {
    const rp_plan_kernel *kernel = &rp_plan_kernels(b->plan)[node->kernel];
    const rp_plan_param *params = rp_plan_params(b->plan) + kernel->first_param;
    const rp_plan_use *uses = rp_plan_uses(b->plan) + node->first_use;
    if (!RP_RESERVE(b->a, b->infos, b->infos_count, b->infos_capacity, layout->binding_count))
        return false;
    VkDescriptorBufferInfo *infos = b->infos + b->infos_count;
    const VkDescriptorSetLayoutBinding *bindings = layout->bindings;
    for (uint32_t i = 0; i < kernel->param_count; i++) {
        if (params[i].set != set) continue;
        uint32_t lo = 0, hi = layout->binding_count; /* bindings ascend */
        while (hi - lo > 1) {
            uint32_t middle = lo + (hi - lo) / 2;
            if (bindings[middle].binding <= params[i].binding)
                lo = middle;
            else
                hi = middle;
        }
        const rp_place *place = &b->places[uses[i].buffer];
        infos[lo] =
            (VkDescriptorBufferInfo){.buffer = place->handle,
                                     .offset = place->offset + uses[i].offset - params[i].skip,
                                     .range = uses[i].size + params[i].skip};
    }
    return true;
}

/* The set that binds what `node` binds to `set`; made when there is none. False without memory. */
static bool find(builder *b, const rp_plan_node *node, uint32_t set, const rp_set_layout *layout,
                 uint32_t *out) {
    rp_descriptors *d = b->out;
    if (!collect(b, node, set, layout)) return false;
    const VkDescriptorBufferInfo *infos = b->infos + b->infos_count;
    size_t bytes = layout->binding_count * sizeof *infos;
    uint32_t key = (uint32_t)rp_hash_mix((uintptr_t)layout, infos, bytes);
    for (uint32_t at = 0, found; rp_table_next(&b->sets, key, &at, &found);) {
        if (d->layout_of[found] != layout ||
            memcmp(b->infos + d->first_info[found], infos, bytes) != 0)
            continue;
        *out = found;
        return true;
    }
    if (!RP_RESERVE(b->a, d->layout_of, d->count, b->sets_capacity, 1) ||
        !RP_RESERVE(b->a, d->first_info, d->count, b->firsts_capacity, 1) ||
        !rp_table_add(b->a, &b->sets, key, d->count))
        return false;
    d->layout_of[d->count] = layout;
    d->first_info[d->count] = b->infos_count;
    b->infos_count += layout->binding_count;
    *out = d->count++;
    return true;
}

static bool add_node(builder *b, uint32_t index) {
    const rp_plan_node *node = &rp_plan_nodes(b->plan)[index];
    rp_descriptors *d = b->out;
    d->of_node[index] = b->node_sets_count;
    if (node->kind != RP_RUN) return true;
    const rp_layout *layout = rp_prepared_layout(b->pipelines, node->kernel);
    if (!RP_RESERVE(b->a, d->node_sets, b->node_sets_count, b->node_sets_capacity,
                    layout->set_count))
        return false;
    for (uint32_t set = 0; set < layout->set_count; set++) {
        uint32_t *entry = &d->node_sets[b->node_sets_count++];
        *entry = RP_UNSET;
        if (layout->sets[set]->binding_count && !find(b, node, set, layout->sets[set], entry))
            return false;
    }
    return true;
}

static rp_status allocate(builder *b, rp_diags *diags) {
    rp_descriptors *d = b->out;
    rp_device *device = d->device;
    uint32_t uniform = 0;
    for (uint32_t i = 0; i < d->count; i++) uniform += d->layout_of[i]->uniform_count;
    const VkDescriptorPoolSize sizes[2] = {
        {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, b->infos_count - uniform},
        {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, uniform}};
    uint32_t first = sizes[0].descriptorCount ? 0 : 1; /* counts of zero are not allowed */
    const VkDescriptorPoolCreateInfo pool = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
        .maxSets = d->count,
        .poolSizeCount = (uniform ? 2 : 1) - first,
        .pPoolSizes = sizes + first,
    };
    RP_TRY(RP_VK(diags, device->vk.CreateDescriptorPool(device->handle, &pool, NULL, &d->pool)));
    d->handles = rp_alloc(b->a, d->count, sizeof *d->handles);
    VkDescriptorSetLayout *layouts = rp_alloc(b->a, d->count, sizeof *layouts);
    rp_status status = d->handles && layouts ? RP_OK : RP_ERROR_NO_MEMORY;
    if (status == RP_OK) {
        for (uint32_t i = 0; i < d->count; i++) layouts[i] = d->layout_of[i]->handle;
        const VkDescriptorSetAllocateInfo info = {
            .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
            .descriptorPool = d->pool,
            .descriptorSetCount = d->count,
            .pSetLayouts = layouts,
        };
        status = RP_VK(diags, device->vk.AllocateDescriptorSets(device->handle, &info, d->handles));
    }
    rp_release(b->a, layouts);
    return status;
}

enum { WRITE_BATCH = 128 };

static void write_all(const builder *b) {
    const rp_descriptors *d = b->out;
    rp_device *device = d->device;
    VkWriteDescriptorSet writes[WRITE_BATCH];
    uint32_t count = 0;
    for (uint32_t i = 0; i < d->count; i++) {
        const rp_set_layout *layout = d->layout_of[i];
        for (uint32_t j = 0; j < layout->binding_count; j++) {
            const VkDescriptorSetLayoutBinding *binding = &layout->bindings[j];
            writes[count++] = (VkWriteDescriptorSet){
                .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                .dstSet = d->handles[i],
                .dstBinding = binding->binding,
                .descriptorCount = 1,
                .descriptorType = binding->descriptorType,
                .pBufferInfo = &b->infos[d->first_info[i] + j],
            };
            if (count < WRITE_BATCH) continue;
            device->vk.UpdateDescriptorSets(device->handle, count, writes, 0, NULL);
            count = 0;
        }
    }
    if (count) device->vk.UpdateDescriptorSets(device->handle, count, writes, 0, NULL);
}

rp_status rp_descriptors_create(rp_descriptors *descriptors, rp_device *device, const rp_plan *plan,
                                const rp_preparation *pipelines, const rp_place *places,
                                rp_diags *diags) {
    builder b = {.out = descriptors,
                 .plan = plan,
                 .pipelines = pipelines,
                 .places = places,
                 .a = &device->allocator};
    uint32_t node_count = rp_plan_count(plan, RP_SECTION_NODES);
    descriptors->device = device;
    descriptors->of_node = rp_alloc(b.a, node_count, sizeof *descriptors->of_node);
    rp_status status = descriptors->of_node ? RP_OK : RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; status == RP_OK && i < node_count; i++)
        if (!add_node(&b, i)) status = RP_ERROR_NO_MEMORY;
    if (status == RP_OK && descriptors->count) {
        status = allocate(&b, diags);
        if (status == RP_OK) write_all(&b);
    }
    rp_release(b.a, b.infos);
    rp_table_free(b.a, &b.sets);
    return status;
}

void rp_descriptors_free(rp_descriptors *descriptors) {
    rp_device *device = descriptors->device;
    if (!device) return;
    device->vk.DestroyDescriptorPool(device->handle, descriptors->pool, NULL);
    const rp_allocator *a = &device->allocator;
    rp_release(a, descriptors->handles);
    rp_release(a, descriptors->layout_of);
    rp_release(a, descriptors->first_info);
    rp_release(a, descriptors->of_node);
    rp_release(a, descriptors->node_sets);
    memset(descriptors, 0, sizeof *descriptors);
}
