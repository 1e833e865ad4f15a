/* What a plan's uses ask of its images and buffers: usage flags and alignment; what they ask of formats
 * is in formats.c. An image is created with what is asked for and nothing else, since each flag may cost a driver one of
 * its ways to lay out texels. */
#include "device/images.h"

typedef struct wants {
    const rp_plan *plan;
    const VkPhysicalDeviceLimits *limits;
    rp_want *of;
} wants;

enum { TEXEL_BYTES = 16 }; /* of the largest texel: where packed bytes begin, for a copy */

VkDescriptorType rp_param_descriptor_type(const rp_plan_param *p) {
    bool sampled = p->access == RP_SAMPLED;
    switch ((rp_resource)p->resource) {
    case RP_RESOURCE_BUFFER:
    case RP_RESOURCE_STALL: break;
    case RP_RESOURCE_IMAGE:
        return sampled ? VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE : VK_DESCRIPTOR_TYPE_STORAGE_IMAGE;
    case RP_RESOURCE_COMBINED: return VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER;
    case RP_RESOURCE_SAMPLER: return VK_DESCRIPTOR_TYPE_SAMPLER;
    case RP_RESOURCE_TEXELS:
        return sampled ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER
                       : VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER;
    }
    return p->access == RP_UNIFORM ? VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER
                                   : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
}

static void ask(rp_want *want, VkFlags usage, uint64_t alignment) {
    want->usage |= usage;
    if (alignment > want->alignment) want->alignment = (uint32_t)alignment;
}

static void ask_binding(const wants *w, const rp_plan_node *n, const rp_plan_param *p,
                        const rp_descriptor *d) {
    const rp_plan_use *use = &rp_plan_uses(w->plan)[n->first_use + d->first_use];
    uint64_t texels = w->limits->minTexelBufferOffsetAlignment;
    rp_want *want = &w->of[use->buffer];
    switch (rp_param_descriptor_type(p)) {
    case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE: ask(want, VK_IMAGE_USAGE_STORAGE_BIT, 0); break;
    case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
    case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE: ask(want, VK_IMAGE_USAGE_SAMPLED_BIT, 0); break;
    case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
        ask(want, VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT, texels);
        break;
    case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
        ask(want, VK_BUFFER_USAGE_STORAGE_TEXEL_BUFFER_BIT, texels);
        break;
    default: break; /* storage and uniform buffers: every buffer is made for these */
    }
}

static void ask_run(const wants *w, const rp_plan_node *n) {
    const rp_plan_kernel *kernel = &rp_plan_kernels(w->plan)[n->kernel];
    const rp_plan_param *params = rp_plan_params(w->plan) + kernel->first_param;
    const rp_descriptor_source source = rp_plan_descriptors(
        n, rp_plan_kernels(w->plan), rp_plan_params(w->plan), rp_plan_uses(w->plan));
    for (rp_descriptor d = {0}; rp_descriptor_step(&source, &d);)
        if (d.use_count) ask_binding(w, n, &params[d.param], &d);
}

/* Copies, blits and clears. Where one side is a buffer, packed bytes begin there at a texel. */
static void ask_transfer(const wants *w, const rp_plan_node *n) {
    const rp_plan_buffer *buffers = rp_plan_buffers(w->plan);
    bool any = false;
    for (uint32_t i = 0; i < n->use_count; i++)
        any |= rp_plan_is_image(&buffers[rp_plan_uses(w->plan)[n->first_use + i].buffer]);
    for (uint32_t i = 0; i < n->use_count && any; i++) {
        const rp_plan_use *use = &rp_plan_uses(w->plan)[n->first_use + i];
        bool to = i + 1 == n->use_count;
        rp_want *want = &w->of[use->buffer];
        if (rp_plan_is_image(&buffers[use->buffer]))
            ask(want, to ? VK_IMAGE_USAGE_TRANSFER_DST_BIT : VK_IMAGE_USAGE_TRANSFER_SRC_BIT, 0);
        else
            ask(want, 0, TEXEL_BYTES);
    }
}

/* Images that keep what they hold are cleared once; and the host reads and writes those that it sees.
 */
static void ask_kind(const wants *w, uint32_t index, const uint32_t *set_sizes) {
    const rp_plan_buffer *b = &rp_plan_buffers(w->plan)[index];
    rp_want *want = &w->of[index];
    want->taken_over = b->kind == RP_TMP && set_sizes[b->offset] > 1;
    if (!want->taken_over) ask(want, VK_IMAGE_USAGE_TRANSFER_DST_BIT, 0);
    if (b->kind == RP_OUT || b->kind == RP_INOUT) ask(want, VK_IMAGE_USAGE_TRANSFER_SRC_BIT, 0);
}

rp_status rp_wants_create(const rp_allocator *a, const rp_plan *plan,
                          const VkPhysicalDeviceLimits *limits, rp_want **out) {
    uint32_t count = rp_plan_count(plan, RP_SECTION_BUFFERS);
    const rp_plan_buffer *buffers = rp_plan_buffers(plan);
    wants w = {plan, limits, rp_alloc_zero(a, count, sizeof *w.of)};
    uint32_t *set_sizes = rp_alloc_zero(a, count, sizeof *set_sizes); /* by alias set */
    *out = w.of;
    if (!w.of || !set_sizes) {
        rp_release(a, w.of);
        rp_release(a, set_sizes);
        *out = NULL;
        return RP_ERROR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++)
        if (rp_plan_is_image(&buffers[i]) && buffers[i].kind == RP_TMP)
            set_sizes[buffers[i].offset]++;
    for (uint32_t i = 0; i < count; i++)
        if (rp_plan_is_image(&buffers[i])) ask_kind(&w, i, set_sizes);
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_NODES); i++) {
        const rp_plan_node *n = &rp_plan_nodes(plan)[i];
        for (uint32_t u = 0; u < n->use_count; u++) {
            const rp_plan_use *use = &rp_plan_uses(plan)[n->first_use + u];
            if (use->step == RP_USE_ADDRESSED)
                ask(&w.of[use->buffer], VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT, 0);
        }
        if (n->kind == RP_RUN)
            ask_run(&w, n);
        else
            ask_transfer(&w, n);
    }
    rp_release(a, set_sizes);
    return RP_OK;
}
