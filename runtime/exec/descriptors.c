/* Descriptor sets: what each node binds.
 *
 * A set is a list of byte ranges. Nodes that bind the same ranges through the same layout share one
 * set (a kernel that runs twice over the same buffers with other push data, for example), so the
 * pool is sized by counting what is really different. Sets are found by hash; the whole is linear
 * in the number of uses.
 *
 * A set is never written again, so a slot that is prepared anew (another plan, other memory) takes
 * over those of before that bind the same, and with them a hold on their pools. A pool goes with the
 * last slot that has a set of it. */
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
    const rp_descriptors *old; /* NULL: there is nothing to take over */
    uint32_t infos_capacity, sets_capacity, node_sets_count, node_sets_capacity;
    uint32_t fresh, fresh_infos, fresh_uniform; /* of sets that have to be allocated */
} builder;

/* Appends the ranges that a node binds to one set, in the order of the layout's bindings. */
static bool collect(builder *b, const rp_plan_node *node, uint32_t set,
                    const rp_set_layout *layout) {
    const rp_plan_kernel *kernel = &rp_plan_kernels(b->plan)[node->kernel];
    const rp_plan_param *params = rp_plan_params(b->plan) + kernel->first_param;
    const rp_plan_use *uses = rp_plan_uses(b->plan) + node->first_use;
    rp_descriptors *d = b->out;
    if (!RP_RESERVE(b->a, d->infos, d->infos_count, b->infos_capacity, layout->binding_count))
        return false;
    VkDescriptorBufferInfo *infos = d->infos + d->infos_count;
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

/* The set of that content; RP_UNSET when there is none. */
static uint32_t lookup(const rp_descriptors *d, uint32_t key, const rp_set_layout *layout,
                       const VkDescriptorBufferInfo *infos) {
    size_t bytes = layout->binding_count * sizeof *infos;
    for (uint32_t at = 0, found; rp_table_next(&d->by_content, key, &at, &found);) {
        const rp_set *set = &d->sets[found];
        if (set->layout == layout && memcmp(d->infos + set->first_info, infos, bytes) == 0)
            return found;
    }
    return RP_UNSET;
}

/* The set that binds what `node` binds to `set`; made when there is none. False without memory. */
static bool find(builder *b, const rp_plan_node *node, uint32_t set, const rp_set_layout *layout,
                 uint32_t *out) {
    rp_descriptors *d = b->out;
    if (!collect(b, node, set, layout)) return false;
    const VkDescriptorBufferInfo *infos = d->infos + d->infos_count;
    size_t bytes = layout->binding_count * sizeof *infos;
    uint32_t key = (uint32_t)rp_hash_mix((uintptr_t)layout, infos, bytes);
    *out = lookup(d, key, layout, infos);
    if (*out != RP_UNSET) return true;
    if (!RP_RESERVE(b->a, d->sets, d->count, b->sets_capacity, 1) ||
        !rp_table_add(b->a, &d->by_content, key, d->count))
        return false;
    uint32_t before = b->old ? lookup(b->old, key, layout, infos) : RP_UNSET;
    rp_set *made = &d->sets[d->count];
    *made = (rp_set){.layout = layout, .first_info = d->infos_count};
    if (before != RP_UNSET) {
        made->handle = b->old->sets[before].handle;
        made->pool = b->old->sets[before].pool;
        made->pool->holders++;
        d->kept++;
    } else {
        b->fresh++;
        b->fresh_infos += layout->binding_count;
        b->fresh_uniform += layout->uniform_count;
    }
    d->infos_count += layout->binding_count;
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

static rp_status create_pool(builder *b, rp_diags *diags, rp_set_pool **out) {
    rp_device *device = b->out->device;
    uint32_t uniform = b->fresh_uniform;
    const VkDescriptorPoolSize sizes[2] = {
        {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, b->fresh_infos - uniform},
        {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, uniform}};
    uint32_t first = sizes[0].descriptorCount ? 0 : 1; /* counts of zero are not allowed */
    const VkDescriptorPoolCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
        .maxSets = b->fresh,
        .poolSizeCount = (uniform ? 2 : 1) - first,
        .pPoolSizes = sizes + first,
    };
    rp_set_pool *pool = rp_alloc_zero(b->a, 1, sizeof *pool);
    if (!pool) return RP_ERROR_NO_MEMORY;
    rp_status status =
        RP_VK(diags, device->vk.CreateDescriptorPool(device->handle, &info, NULL, &pool->handle));
    if (status == RP_OK)
        *out = pool;
    else
        rp_release(b->a, pool);
    return status;
}

/* Allocates from a pool of their own the sets that are not there yet. */
static rp_status allocate(builder *b, rp_diags *diags) {
    rp_descriptors *d = b->out;
    rp_device *device = d->device;
    rp_set_pool *pool;
    RP_TRY(create_pool(b, diags, &pool));
    VkDescriptorSetLayout *layouts = rp_alloc(b->a, b->fresh, sizeof *layouts);
    VkDescriptorSet *handles = rp_alloc(b->a, b->fresh, sizeof *handles);
    rp_status status = layouts && handles ? RP_OK : RP_ERROR_NO_MEMORY;
    if (status == RP_OK) {
        for (uint32_t i = 0, n = 0; i < d->count; i++)
            if (!d->sets[i].pool) layouts[n++] = d->sets[i].layout->handle;
        const VkDescriptorSetAllocateInfo info = {
            .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
            .descriptorPool = pool->handle,
            .descriptorSetCount = b->fresh,
            .pSetLayouts = layouts,
        };
        status = RP_VK(diags, device->vk.AllocateDescriptorSets(device->handle, &info, handles));
    }
    if (status == RP_OK) {
        pool->holders = b->fresh; /* each set holds its pool */
        for (uint32_t i = 0, n = 0; i < d->count; i++) {
            if (d->sets[i].pool) continue;
            d->sets[i].pool = pool;
            d->sets[i].fresh = true;
            d->sets[i].handle = handles[n++];
        }
    } else {
        device->vk.DestroyDescriptorPool(device->handle, pool->handle, NULL);
        rp_release(b->a, pool);
    }
    rp_release(b->a, layouts);
    rp_release(b->a, handles);
    return status;
}

enum { WRITE_BATCH = 128 };

static void write_all(const builder *b) {
    const rp_descriptors *d = b->out;
    rp_device *device = d->device;
    VkWriteDescriptorSet writes[WRITE_BATCH];
    uint32_t count = 0;
    for (uint32_t i = 0; i < d->count; i++) {
        const rp_set_layout *layout = d->sets[i].layout;
        if (!d->sets[i].fresh) continue;
        for (uint32_t j = 0; j < layout->binding_count; j++) {
            const VkDescriptorSetLayoutBinding *binding = &layout->bindings[j];
            writes[count++] = (VkWriteDescriptorSet){
                .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                .dstSet = d->sets[i].handle,
                .dstBinding = binding->binding,
                .descriptorCount = 1,
                .descriptorType = binding->descriptorType,
                .pBufferInfo = &d->infos[d->sets[i].first_info + j],
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
                                const rp_descriptors *old, rp_diags *diags) {
    builder b = {.out = descriptors,
                 .plan = plan,
                 .pipelines = pipelines,
                 .places = places,
                 .a = &device->allocator,
                 .old = old};
    uint32_t node_count = rp_plan_count(plan, RP_SECTION_NODES);
    descriptors->device = device;
    descriptors->of_node = rp_alloc(b.a, node_count, sizeof *descriptors->of_node);
    if (!descriptors->of_node) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < node_count; i++)
        if (!add_node(&b, i)) return RP_ERROR_NO_MEMORY;
    if (b.fresh == 0) return RP_OK;
    RP_TRY(allocate(&b, diags));
    write_all(&b);
    return RP_OK;
}

void rp_descriptors_free(rp_descriptors *descriptors) {
    rp_device *device = descriptors->device;
    if (!device) return;
    const rp_allocator *a = &device->allocator;
    for (uint32_t i = 0; i < descriptors->count; i++) {
        rp_set_pool *pool = descriptors->sets[i].pool;
        if (!pool || --pool->holders) continue;
        device->vk.DestroyDescriptorPool(device->handle, pool->handle, NULL);
        rp_release(a, pool);
    }
    rp_release(a, descriptors->sets);
    rp_release(a, descriptors->infos);
    rp_release(a, descriptors->of_node);
    rp_release(a, descriptors->node_sets);
    rp_table_free(a, &descriptors->by_content);
    memset(descriptors, 0, sizeof *descriptors);
}
