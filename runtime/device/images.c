/* Whether images, texels, samplers and arrays of a plan are possible on a device, asked before any is
 * made. What formats are good for is asked in formats.c. */
#include "device/images.h"

#include <stdio.h>

#include "base/text.h"
#include "memory/image.h"

typedef struct checker {
    const rp_device *device;
    const rp_plan *plan;
    const rp_want *wants;
    rp_diags *diags;
    uint32_t errors;
} checker;

#define FAIL(c, format, ...)                                                                       \
    ((c)->errors++, rp_diags_add((c)->diags, RP_ERROR, NULL, 0, 0, format "; device %s",           \
                                 __VA_ARGS__, (c)->device->adapter.info.name))

static const VkPhysicalDeviceLimits *limits_of(const checker *c) {
    return &c->device->adapter.properties.limits;
}

/* ---- Images ---------------------------------------------------------------------------------- */

uint32_t rp_image_check(const rp_device *device, const char *name, const rp_image_shape *s,
                        VkFlags usage, rp_diags *diags) {
    checker own = {.device = device, .diags = diags}, *c = &own;
    VkImageFormatProperties can;
    VkResult result = device->vk.GetPhysicalDeviceImageFormatProperties(
        device->adapter.handle, rp_image_vulkan_format(s->format), rp_image_type(s),
        VK_IMAGE_TILING_OPTIMAL, usage, rp_image_flags(s), &can);
    if (result != VK_SUCCESS) {
        FAIL(c, "%s: there are no %s images of format %s for what it is used as", name,
             rp_image_dim_name((rp_image_dim)s->dim),
             rp_image_format_name((rp_image_format)s->format));
        return c->errors;
    }
    uint64_t bytes = rp_image_bytes(s);
    if (rp_image_is_depth(s->format) && !device->adapter.info.queue_draws)
        FAIL(c,
             "%s is of format %s, and the queue of family %u only computes: depth is filled and "
             "copied in one that draws",
             name, rp_image_format_name((rp_image_format)s->format), device->adapter.queue_family);
    if (s->width > can.maxExtent.width || s->height > can.maxExtent.height ||
        s->depth > can.maxExtent.depth)
        FAIL(c, "%s has %u x %u x %u texels, more than %u x %u x %u", name, s->width, s->height,
             s->depth, can.maxExtent.width, can.maxExtent.height, can.maxExtent.depth);
    if (s->layers > can.maxArrayLayers)
        FAIL(c, "%s has %u layers, more than %u", name, s->layers, can.maxArrayLayers);
    if (s->mips > can.maxMipLevels)
        FAIL(c, "%s has %u mips, more than %u", name, s->mips, can.maxMipLevels);
    if (bytes > can.maxResourceSize)
        FAIL(c, "%s has %llu bytes, more than %llu", name, (unsigned long long)bytes,
             (unsigned long long)can.maxResourceSize);
    return c->errors;
}

static void check_image(checker *c, uint32_t index) {
    const rp_plan_buffer *b = &rp_plan_buffers(c->plan)[index];
    const rp_image_shape shape = rp_plan_image(b);
    c->errors += rp_image_check(c->device, rp_plan_string(c->plan, b->name), &shape,
                                c->wants[index].usage, c->diags);
}

/* ---- Samplers -------------------------------------------------------------------------------- */

uint32_t rp_sampler_check(const rp_device *device, const char *name, const rp_sampler_info *s,
                          rp_diags *diags) {
    checker own = {.device = device, .diags = diags}, *c = &own;
    const VkPhysicalDeviceLimits *limits = limits_of(c);
    if (s->anisotropy >= 1 && !(device->adapter.features & RP_FEATURE_ANISOTROPY))
        FAIL(c, "sampler @%s is anisotropic, which needs samplerAnisotropy", name);
    else if (s->anisotropy > limits->maxSamplerAnisotropy && s->anisotropy >= 1)
        FAIL(c, "sampler @%s takes up to %g samples, more than %g", name, (double)s->anisotropy,
             (double)limits->maxSamplerAnisotropy);
    if (s->bias > limits->maxSamplerLodBias || s->bias < -limits->maxSamplerLodBias)
        FAIL(c, "sampler @%s has a bias of %g, more than %g", name, (double)s->bias,
             (double)limits->maxSamplerLodBias);
    bool mirrored = s->u == RP_ADDRESS_MIRROR_CLAMP_TO_EDGE ||
                    s->v == RP_ADDRESS_MIRROR_CLAMP_TO_EDGE ||
                    s->w == RP_ADDRESS_MIRROR_CLAMP_TO_EDGE;
    if (mirrored && !device->adapter.mirror_clamp)
        FAIL(
            c,
            "sampler @%s clamps its mirror, which needs samplerMirrorClampToEdge, on a device that "
            "the runtime created",
            name);
    return c->errors;
}

static void check_sampler(checker *c, const rp_plan_sampler *s) {
    const rp_sampler_info info = rp_plan_sampler_info(s);
    c->errors += rp_sampler_check(c->device, rp_plan_string(c->plan, s->name), &info, c->diags);
}

/* ---- Kernels and nodes ----------------------------------------------------------------------- */

/* How many descriptors of each type a kernel has, against how many a stage may see. */
uint32_t rp_bindings_check(const rp_device *device, const char *name, const rp_plan_param *params,
                           uint32_t count, rp_diags *diags) {
    checker own = {.device = device, .diags = diags}, *c = &own;
    const VkPhysicalDeviceLimits *l = limits_of(c);
    uint64_t of[VK_DESCRIPTOR_TYPE_STORAGE_BUFFER + 1] = {0}, all = 0;
    bool plain = true;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t elements = params[i].elements ? params[i].elements : 1;
        of[rp_param_descriptor_type(&params[i])] += elements;
        all += elements;
        plain &= params[i].resource == RP_RESOURCE_BUFFER && elements == 1;
    }
    if (plain) return 0; /* rp_fit_check_kernel says it all */
    const struct {
        const char *what;
        uint64_t has;
        uint32_t most;
    } checks[] = {
        {"storage buffers", of[VK_DESCRIPTOR_TYPE_STORAGE_BUFFER],
         l->maxPerStageDescriptorStorageBuffers},
        {"uniform buffers", of[VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER],
         l->maxPerStageDescriptorUniformBuffers},
        {"storage images and storage texel buffers",
         of[VK_DESCRIPTOR_TYPE_STORAGE_IMAGE] + of[VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER],
         l->maxPerStageDescriptorStorageImages},
        {"sampled images and uniform texel buffers",
         of[VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE] + of[VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER] +
             of[VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER],
         l->maxPerStageDescriptorSampledImages},
        {"samplers", of[VK_DESCRIPTOR_TYPE_SAMPLER] + of[VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER],
         l->maxPerStageDescriptorSamplers},
        {"bindings of all kinds", all, l->maxPerStageResources},
    };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (checks[i].has > checks[i].most)
            FAIL(c, "kernel @%s has %llu %s, more than %u", name, (unsigned long long)checks[i].has,
                 checks[i].what, checks[i].most);
    return c->errors;
}

static void check_kernel(checker *c, const rp_plan_kernel *k) {
    c->errors +=
        rp_bindings_check(c->device, rp_plan_string(c->plan, k->name),
                          rp_plan_params(c->plan) + k->first_param, k->param_count, c->diags);
}

uint32_t rp_texels_check(const rp_device *device, const rp_texels_asked *a, rp_diags *diags) {
    checker own = {.device = device, .diags = diags}, *c = &own;
    const VkPhysicalDeviceLimits *l = limits_of(c);
    uint64_t texels = a->size / rp_image_format_get((rp_image_format)a->format).bytes;
    if (texels > l->maxTexelBufferElements)
        FAIL(c, "%s %s as %llu texels, more than %u", a->what, a->name, (unsigned long long)texels,
             l->maxTexelBufferElements);
    if (l->minTexelBufferOffsetAlignment && a->offset % l->minTexelBufferOffsetAlignment)
        FAIL(c, "%s %s as texels from byte %llu on, no multiple of %llu", a->what, a->name,
             (unsigned long long)a->offset, (unsigned long long)l->minTexelBufferOffsetAlignment);
    return c->errors;
}

static void check_texels(checker *c, const rp_plan_node *n, const rp_plan_use *use) {
    char what[24];
    snprintf(what, sizeof what, "n%u sees", n->id);
    const rp_texels_asked asked = {
        .what = what,
        .name = rp_plan_string(c->plan, rp_plan_buffers(c->plan)[use->buffer].name),
        .format = use->format,
        .offset = use->offset,
        .size = use->size};
    c->errors += rp_texels_check(c->device, &asked, c->diags);
}

/* Of an array, elements may be left unbound on some devices only. */
static void check_whole(checker *c, const rp_plan_node *n, const rp_plan_kernel *k, uint32_t param,
                        uint32_t bound) {
    const rp_plan_param *p = &rp_plan_params(c->plan)[k->first_param + param];
    if (p->elements <= 1 || bound >= p->elements ||
        (c->device->adapter.features & RP_FEATURE_PARTIALLY_BOUND))
        return;
    FAIL(c,
         "n%u binds %u of the %u elements of @%s's binding %u.%u; all are to be bound without "
         "descriptorBindingPartiallyBound",
         n->id, bound, p->elements, rp_plan_string(c->plan, k->name), p->set, p->binding);
}

static void check_run(checker *c, const rp_plan_node *n) {
    const rp_plan_kernel *k = &rp_plan_kernels(c->plan)[n->kernel];
    const rp_plan_param *params = rp_plan_params(c->plan) + k->first_param;
    const rp_plan_use *uses = rp_plan_uses(c->plan) + n->first_use;
    const rp_descriptor_source source = rp_plan_descriptors(
        n, rp_plan_kernels(c->plan), rp_plan_params(c->plan), rp_plan_uses(c->plan));
    uint32_t param = RP_UNSET, bound = 0;
    for (rp_descriptor d = {0}; rp_descriptor_step(&source, &d); bound = d.element + 1) {
        if (param != RP_UNSET && d.param != param) check_whole(c, n, k, param, bound);
        param = d.param;
        if (params[param].resource == RP_RESOURCE_TEXELS) check_texels(c, n, &uses[d.first_use]);
    }
    if (param != RP_UNSET) check_whole(c, n, k, param, bound);
}

/* Vulkan scales images in queues that draw. */
static void check_node(checker *c, const rp_plan_node *n) {
    if (n->kind == RP_RUN) check_run(c, n);
    if (n->kind == RP_BLIT && !c->device->adapter.info.queue_draws)
        FAIL(c, "n%u blits, which the queue of family %u cannot: it only computes", n->id,
             c->device->adapter.queue_family);
}

/* ---- The whole ------------------------------------------------------------------------------- */

rp_status rp_images_check(const rp_device *device, const rp_plan *plan, rp_diags *diags,
                          uint32_t *errors) {
    const rp_allocator *a = &device->allocator;
    const rp_plan_sampler *samplers = rp_plan_records(plan, RP_SECTION_SAMPLERS);
    uint32_t buffers = rp_plan_count(plan, RP_SECTION_BUFFERS);
    rp_want *wants;
    RP_TRY(rp_wants_create(a, plan, &device->adapter.properties.limits, &wants));
    checker c = {.device = device, .plan = plan, .wants = wants, .diags = diags};
    uint8_t *wrong = rp_alloc_zero(a, buffers, 1); /* formats of which more need not be asked */
    rp_status status =
        wrong ? rp_formats_check(device, plan, wants, diags, wrong, errors) : RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; status == RP_OK && i < buffers; i++)
        if (rp_plan_is_image(&rp_plan_buffers(plan)[i]) && !wrong[i]) check_image(&c, i);
    rp_release(a, wrong);
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_SAMPLERS); i++)
        check_sampler(&c, &samplers[i]);
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_KERNELS); i++)
        check_kernel(&c, &rp_plan_kernels(plan)[i]);
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_NODES); i++)
        check_node(&c, &rp_plan_nodes(plan)[i]);
    rp_release(a, wants);
    *errors += c.errors;
    return status;
}
