/* Descriptor sets: what each node binds.
 *
 * A set is a list of byte ranges, and of views and samplers (memory/views.c) that it holds while it is
 * there. Nodes that bind the same through the same layout share one
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
    uint32_t first_kernel;
    const rp_place *places;
    const rp_place *stall;
    const rp_allocator *a;
    const rp_descriptors *old; /* NULL: there is nothing to take over */
    uint32_t infos_capacity, sets_capacity, node_sets_count, node_sets_capacity;
    uint32_t fresh, fresh_of[RP_DESCRIPTOR_TYPES]; /* sets that have to be allocated, descriptors */
} builder;

/* What a use shows of its storage. */
static rp_view_key key_of(const builder *b, const rp_plan_param *param, const rp_plan_use *uses,
                          const rp_descriptor *d) {
    const rp_plan_use *use = &uses[d->first_use];
    const rp_place *place = &b->places[use->buffer];
    if (param->resource == RP_RESOURCE_TEXELS)
        return rp_view_key_texels(use->format, place->offset + use->offset, use->size);
    rp_subresources part = rp_image_part_of(place->storage, use->offset, use->size);
    part.mips += d->use_count - 1; /* the same layers of the mips that follow */
    return rp_view_key_image(place->storage, param->view, &part);
}

static rp_status name_view(builder *b, rp_storage *storage, const rp_view_key *key, rp_diags *diags,
                           rp_view_object **out) {
    rp_descriptors *d = b->out;
    if (!RP_RESERVE(b->a, d->views, d->views_count, d->views_capacity, 1))
        return RP_ERROR_NO_MEMORY;
    RP_TRY(rp_view_open(storage, key, diags, out));
    d->views[d->views_count++] = *out;
    return RP_OK;
}

static rp_status name_sampler(builder *b, const rp_plan_node *node, const rp_descriptor *at,
                              rp_diags *diags, VkSampler *out) {
    const rp_plan_sampler *samplers = rp_plan_records(b->plan, RP_SECTION_SAMPLERS);
    const uint32_t *refs = rp_plan_records(b->plan, RP_SECTION_SAMPLER_REFS);
    const rp_sampler_info info =
        rp_plan_sampler_info(&samplers[refs[node->first_sampler + at->sampler]]);
    rp_descriptors *d = b->out;
    rp_sampler_object *sampler;
    if (!RP_RESERVE(b->a, d->samplers, d->samplers_count, d->samplers_capacity, 1))
        return RP_ERROR_NO_MEMORY;
    RP_TRY(rp_sampler_open(d->device, &info, diags, &sampler));
    d->samplers[d->samplers_count++] = sampler;
    *out = sampler->handle;
    return RP_OK;
}

/* What one descriptor of a node names. Bytes between members stay zero: they are compared. */
static rp_status name(builder *b, const rp_plan_node *node, const rp_plan_param *param,
                      const rp_descriptor *d, rp_diags *diags, rp_named *out) {
    const rp_plan_use *uses = rp_plan_uses(b->plan) + node->first_use;
    const rp_place *place = d->use_count ? &b->places[uses[d->first_use].buffer] : NULL;
    if (param->resource == RP_RESOURCE_STALL) {
        out->buffer.buffer = b->stall->handle;
        out->buffer.offset = b->stall->offset;
        out->buffer.range = RP_TAG_BYTES;
        return RP_OK;
    }
    if (place && param->resource == RP_RESOURCE_BUFFER) {
        const rp_plan_use *use = &uses[d->first_use];
        const rp_plan_buffer *buffer = &rp_plan_buffers(b->plan)[use->buffer];
        out->buffer.buffer = place->handle;
        out->buffer.offset = place->offset + use->offset - param->skip;
        out->buffer.range = rp_plan_footprint(buffer, use->size) + param->skip;
        return RP_OK;
    }
    if (d->sampler != UINT32_MAX) RP_TRY(name_sampler(b, node, d, diags, &out->image.sampler));
    if (!place) return RP_OK;
    rp_view_object *view;
    const rp_view_key key = key_of(b, param, uses, d);
    RP_TRY(name_view(b, place->storage, &key, diags, &view));
    if (param->resource == RP_RESOURCE_TEXELS) {
        out->texels = view->texels;
    } else {
        out->image.imageView = view->image;
        out->image.imageLayout = VK_IMAGE_LAYOUT_GENERAL;
    }
    return RP_OK;
}

/* The first descriptor of a binding among those of its set. */
static uint32_t first_of(const rp_set_layout *layout, uint8_t binding) {
    const VkDescriptorSetLayoutBinding *bindings = layout->bindings;
    uint32_t lo = 0, hi = layout->binding_count, first = 0; /* bindings ascend */
    while (hi - lo > 1) {
        uint32_t middle = lo + (hi - lo) / 2;
        if (bindings[middle].binding <= binding)
            lo = middle;
        else
            hi = middle;
    }
    if (layout->descriptor_count == layout->binding_count) return lo;
    for (uint32_t i = 0; i < lo; i++) first += bindings[i].descriptorCount;
    return first;
}

/* Appends what a node binds to one set, in the order of the layout's bindings. */
static rp_status collect(builder *b, const rp_plan_node *node, uint32_t set,
                         const rp_set_layout *layout, rp_diags *diags) {
    const rp_plan_param *params =
        rp_plan_params(b->plan) + rp_plan_kernels(b->plan)[node->kernel].first_param;
    const rp_descriptor_source source = rp_plan_descriptors(
        node, rp_plan_kernels(b->plan), rp_plan_params(b->plan), rp_plan_uses(b->plan));
    rp_descriptors *d = b->out;
    if (!RP_RESERVE(b->a, d->infos, d->infos_count, b->infos_capacity, layout->descriptor_count))
        return RP_ERROR_NO_MEMORY;
    rp_named *infos = d->infos + d->infos_count;
    memset(infos, 0, layout->descriptor_count * sizeof *infos);
    for (rp_descriptor at = {0}; rp_descriptor_step(&source, &at);) {
        const rp_plan_param *param = &params[at.param];
        if (param->set != set) continue;
        RP_TRY(name(b, node, param, &at, diags,
                    &infos[first_of(layout, param->binding) + at.element]));
    }
    return RP_OK;
}

/* Lets go of the views and samplers that were named last. */
static void unname(rp_descriptors *d, uint32_t views, uint32_t samplers) {
    while (d->views_count > views) rp_view_close(d->views[--d->views_count]);
    while (d->samplers_count > samplers)
        rp_sampler_close(d->device, d->samplers[--d->samplers_count]);
}

/* The set of that content; RP_UNSET when there is none. */
static uint32_t lookup(const rp_descriptors *d, uint32_t key, const rp_set_layout *layout,
                       const rp_named *infos) {
    size_t bytes = layout->descriptor_count * sizeof *infos;
    for (uint32_t at = 0, found; rp_table_next(&d->by_content, key, &at, &found);) {
        const rp_set *set = &d->sets[found];
        if (set->layout == layout && memcmp(d->infos + set->first_info, infos, bytes) == 0)
            return found;
    }
    return RP_UNSET;
}

/* The set that binds what `node` binds to `set`; made when there is none. */
static rp_status find(builder *b, const rp_plan_node *node, uint32_t set,
                      const rp_set_layout *layout, rp_diags *diags, uint32_t *out) {
    rp_descriptors *d = b->out;
    uint32_t views = d->views_count, samplers = d->samplers_count;
    RP_TRY(collect(b, node, set, layout, diags));
    const rp_named *infos = d->infos + d->infos_count;
    size_t bytes = layout->descriptor_count * sizeof *infos;
    uint32_t key = (uint32_t)rp_hash_mix((uintptr_t)layout, infos, bytes);
    *out = lookup(d, key, layout, infos);
    if (*out != RP_UNSET) {
        unname(d, views, samplers);
        return RP_OK;
    }
    if (!RP_RESERVE(b->a, d->sets, d->count, b->sets_capacity, 1) ||
        !rp_table_add(b->a, &d->by_content, key, d->count))
        return RP_ERROR_NO_MEMORY;
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
        for (uint32_t i = 0; i < RP_DESCRIPTOR_TYPES; i++) b->fresh_of[i] += layout->type_counts[i];
    }
    d->infos_count += layout->descriptor_count;
    *out = d->count++;
    return RP_OK;
}

static rp_status add_node(builder *b, uint32_t index, rp_diags *diags) {
    const rp_plan_node *node = &rp_plan_nodes(b->plan)[index];
    rp_descriptors *d = b->out;
    d->of_node[index] = b->node_sets_count;
    if (node->kind != RP_RUN) return RP_OK;
    const rp_layout *layout = rp_prepared_layout(b->pipelines, b->first_kernel + node->kernel);
    if (!RP_RESERVE(b->a, d->node_sets, b->node_sets_count, b->node_sets_capacity,
                    layout->set_count))
        return RP_ERROR_NO_MEMORY;
    for (uint32_t set = 0; set < layout->set_count; set++) {
        uint32_t *entry = &d->node_sets[b->node_sets_count++];
        *entry = RP_UNSET;
        if (layout->sets[set]->binding_count)
            RP_TRY(find(b, node, set, layout->sets[set], diags, entry));
    }
    return RP_OK;
}

static rp_status create_pool(builder *b, rp_diags *diags, rp_set_pool **out) {
    rp_device *device = b->out->device;
    VkDescriptorPoolSize sizes[RP_DESCRIPTOR_TYPES];
    uint32_t count = rp_pool_sizes(b->fresh_of, sizes);
    const VkDescriptorPoolCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
        .maxSets = b->fresh,
        .poolSizeCount = count,
        .pPoolSizes = sizes,
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

static void write_all(const builder *b) {
    const rp_descriptors *d = b->out;
    rp_set_writer w;
    rp_set_writer_begin(&w, d->device);
    for (uint32_t i = 0; i < d->count; i++)
        if (d->sets[i].fresh)
            rp_set_writer_add(&w, d->sets[i].layout, d->sets[i].handle,
                              d->infos + d->sets[i].first_info);
    rp_set_writer_flush(&w);
}

rp_status rp_descriptors_create(rp_descriptors *descriptors, rp_device *device, const rp_plan *plan,
                                const rp_preparation *pipelines, uint32_t first_kernel,
                                const rp_place *places, const rp_place *stall,
                                const rp_descriptors *old, rp_diags *diags) {
    builder b = {.out = descriptors,
                 .plan = plan,
                 .pipelines = pipelines,
                 .first_kernel = first_kernel,
                 .places = places,
                 .stall = stall,
                 .a = &device->allocator,
                 .old = old};
    uint32_t node_count = rp_plan_count(plan, RP_SECTION_NODES);
    descriptors->device = device;
    descriptors->of_node = rp_alloc(b.a, node_count, sizeof *descriptors->of_node);
    if (!descriptors->of_node) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < node_count; i++) RP_TRY(add_node(&b, i, diags));
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
    unname(descriptors, 0, 0);
    rp_release(a, descriptors->views);
    rp_release(a, descriptors->samplers);
    rp_release(a, descriptors->sets);
    rp_release(a, descriptors->infos);
    rp_release(a, descriptors->of_node);
    rp_release(a, descriptors->node_sets);
    rp_table_free(a, &descriptors->by_content);
    memset(descriptors, 0, sizeof *descriptors);
}
