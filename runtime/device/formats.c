/* What formats are good for differs from device to device: whether images of one may be stored to,
 * filtered, compared, scaled, read where the shader declares none. Each use of a plan is held against
 * what the device says of the format there, and the message names the first node, what it does and what
 * else could be done. What Vulkan promises of a format on every device needs no entry: atomics, which
 * SPIR-V has on r32i and r32ui alone.
 *
 * What a shader does beyond what its parameters say is looked up in its module: which image of its own
 * is put together with which sampler, and whether texels without a declared format are read, written or
 * both. Only kernels that have such parameters are read again. */
#include "device/images.h"

#include <stdio.h>
#include <stdlib.h>
#include "memory/image.h"
#include "spirv/spirv.h"

#define READ_UNDECLARED VK_FORMAT_FEATURE_2_STORAGE_READ_WITHOUT_FORMAT_BIT
#define WRITE_UNDECLARED VK_FORMAT_FEATURE_2_STORAGE_WRITE_WITHOUT_FORMAT_BIT
#define FILTERED VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_FILTER_LINEAR_BIT
#define COMPARED VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_DEPTH_COMPARISON_BIT

/* Images first, then what else the code of a kernel asks; the order of messages. */
static const struct {
    VkFormatFeatureFlags2 feature;
    const char *what, *advice;
} features[] = {
    {VK_FORMAT_FEATURE_2_STORAGE_IMAGE_BIT, "storage images",
     "take another format, as rgba8, rgba16f and r32f are for that everywhere"},
    {VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_BIT, "sampled images",
     "take another format, as rgba8, rgba16f and r32f are for that everywhere"},
    {READ_UNDECLARED, "being read where the shader declares no format", "declare it in the shader"},
    {WRITE_UNDECLARED, "being written where the shader declares no format",
     "declare it in the shader"},
    {FILTERED, "linear filters",
     "take nearest ones, or another format, as rgba8 and rgba16f are for that everywhere"},
    {COMPARED, "samplers that compare",
     "take d32f, or compare in the shader what a sampler without 'compare' reads"},
    {VK_FORMAT_FEATURE_2_BLIT_SRC_BIT, "being blitted from", "scale it in a kernel"},
    {VK_FORMAT_FEATURE_2_BLIT_DST_BIT, "being blitted to", "scale it in a kernel"},
    {VK_FORMAT_FEATURE_2_TRANSFER_SRC_BIT, "being copied from", "take another format"},
    {VK_FORMAT_FEATURE_2_TRANSFER_DST_BIT, "being copied to", "take another format"},
    {VK_FORMAT_FEATURE_2_UNIFORM_TEXEL_BUFFER_BIT, "uniform texel buffers",
     "take another format, as rgba8, rgba16f and r32f are for that everywhere"},
    {VK_FORMAT_FEATURE_2_STORAGE_TEXEL_BUFFER_BIT, "storage texel buffers",
     "take another format, as rgba8, rgba16f and r32f are for that everywhere"},
};

/* Parameters of one kernel that its code puts together. */
typedef struct joined {
    uint32_t kernel, image, sampler;
} joined;

typedef struct checker {
    const rp_device *device;
    const rp_plan *plan;
    rp_diags *diags;
    uint32_t errors;
    uint8_t *wrong;                /* by buffer: 1 where something was said */
    VkFormatFeatureFlags2 *said;   /* by buffer: not twice */
    VkFormatFeatureFlags2 *beyond; /* by parameter: what its code asks of undeclared formats */
    joined *pairs;                 /* by kernel, ascending */
    uint32_t pairs_count, pairs_capacity;
} checker;

/* ---- What there is --------------------------------------------------------------------------- */

/* Where Vulkan does not say it by format, it has said it of a list of formats, which these are not on. */
static bool is_listed(uint32_t format) {
    return format != RP_IMAGE_RGBA8_SRGB && format != RP_IMAGE_BGRA8 &&
           format != RP_IMAGE_BGRA8_SRGB && !rp_image_is_depth(format);
}

VkFormatFeatureFlags2 rp_format_features(const rp_device *device, uint32_t format, bool texels) {
    bool younger = device->adapter.extensions & RP_EXTENSION_FORMAT_FEATURES;
    uint64_t enabled = device->adapter.features;
    VkFormatProperties3 wide = {.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_3};
    VkFormatProperties2 plain = {.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2,
                                 .pNext = younger ? &wide : NULL};
    device->vk.GetPhysicalDeviceFormatProperties2(device->adapter.handle,
                                                  rp_image_vulkan_format(format), &plain);
    if (younger) return texels ? wide.bufferFeatures : wide.optimalTilingFeatures;
    VkFormatFeatureFlags2 has = texels ? plain.formatProperties.bufferFeatures
                                       : plain.formatProperties.optimalTilingFeatures;
    if (rp_image_is_depth(format) && (has & VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_BIT)) has |= COMPARED;
    if (is_listed(format) && (enabled & RP_FEATURE_IMAGE_READ_UNFORMATTED)) has |= READ_UNDECLARED;
    if (is_listed(format) && (enabled & RP_FEATURE_IMAGE_WRITE_UNFORMATTED))
        has |= WRITE_UNDECLARED;
    return has;
}

/* A sampler of linear filters averages texels, unless it compares them. */
VkFormatFeatureFlags2 rp_sampler_wants(const rp_sampler_info *s) {
    if (s->compare != RP_COMPARE_OFF) return COMPARED;
    return s->mag == RP_FILTER_LINEAR || s->min == RP_FILTER_LINEAR || s->mip == RP_FILTER_LINEAR
               ? FILTERED
               : 0;
}

VkFormatFeatureFlags2 rp_undeclared_wants(bool reads, bool writes) {
    return (reads ? READ_UNDECLARED : 0) | (writes ? WRITE_UNDECLARED : 0);
}

VkFlags rp_image_usage(const rp_device *device, uint32_t format) {
    static const struct {
        VkFormatFeatureFlags2 feature;
        VkFlags usage;
    } uses[] = {{VK_FORMAT_FEATURE_2_STORAGE_IMAGE_BIT, VK_IMAGE_USAGE_STORAGE_BIT},
                {VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_BIT, VK_IMAGE_USAGE_SAMPLED_BIT},
                {VK_FORMAT_FEATURE_2_TRANSFER_SRC_BIT, VK_IMAGE_USAGE_TRANSFER_SRC_BIT},
                {VK_FORMAT_FEATURE_2_TRANSFER_DST_BIT, VK_IMAGE_USAGE_TRANSFER_DST_BIT}};
    VkFormatFeatureFlags2 has = rp_format_features(device, format, false);
    VkFlags usage = 0;
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
        if (has & uses[i].feature) usage |= uses[i].usage;
    return usage;
}

/* Says what is missing; how many messages. */
static uint32_t say_missing(const rp_device *device, const rp_format_asked *a,
                            VkFormatFeatureFlags2 missing, rp_diags *diags) {
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        if (!(missing & features[i].feature)) continue;
        bool by = a->sampler && (features[i].feature & (FILTERED | COMPARED));
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s%s%s is of format %s, which is not for %s%s%s: %s; device %s", a->place,
                     a->name, a->texels ? " there" : "",
                     rp_image_format_name((rp_image_format)a->format), features[i].what,
                     by ? " as those of @" : "", by ? a->sampler : "", features[i].advice,
                     device->adapter.info.name);
        count++;
    }
    return count;
}

/* What is missing, without what goes without saying. */
static VkFormatFeatureFlags2 find_missing(const rp_device *device, const rp_format_asked *a) {
    VkFormatFeatureFlags2 missing = a->wanted & ~rp_format_features(device, a->format, a->texels);
    if (missing &
        (VK_FORMAT_FEATURE_2_STORAGE_IMAGE_BIT | VK_FORMAT_FEATURE_2_STORAGE_TEXEL_BUFFER_BIT))
        missing &= ~(READ_UNDECLARED | WRITE_UNDECLARED); /* whatever the shader declares */
    return missing;
}

uint32_t rp_format_check(const rp_device *device, const rp_format_asked *asked, rp_diags *diags) {
    return say_missing(device, asked, find_missing(device, asked), diags);
}

/* ---- What is asked --------------------------------------------------------------------------- */

/* `node` NULL: what the host does with the buffer. */
static void ask(checker *c, const rp_plan_node *node, uint32_t buffer, uint32_t format, bool texels,
                VkFormatFeatureFlags2 wanted, const char *sampler) {
    const char *label = node ? rp_plan_string(c->plan, node->label) : NULL;
    char place[96] = "";
    const rp_format_asked asked = {
        .place = place,
        .name = rp_plan_string(c->plan, rp_plan_buffers(c->plan)[buffer].name),
        .format = format,
        .texels = texels,
        .wanted = wanted & ~c->said[buffer],
        .sampler = sampler};
    VkFormatFeatureFlags2 missing = find_missing(c->device, &asked);
    if (!missing) return;
    if (node)
        snprintf(place, sizeof place, "n%u%s%.60s%s: ", node->id, label ? " (" : "",
                 label ? label : "", label ? ")" : "");
    c->errors += say_missing(c->device, &asked, missing, c->diags);
    c->said[buffer] |= missing;
    c->wrong[buffer] = 1;
}

static void ask_image(checker *c, const rp_plan_node *node, uint32_t buffer,
                      VkFormatFeatureFlags2 wanted, const char *sampler) {
    ask(c, node, buffer, rp_plan_buffers(c->plan)[buffer].format, false, wanted, sampler);
}

/* The image of a descriptor is read through the n-th sampler of a node. */
static void ask_sampled(checker *c, const rp_plan_node *n, uint32_t buffer, uint32_t sampler) {
    const uint32_t *refs = rp_plan_records(c->plan, RP_SECTION_SAMPLER_REFS);
    const rp_plan_sampler *samplers = rp_plan_records(c->plan, RP_SECTION_SAMPLERS);
    const rp_plan_sampler *s = &samplers[refs[n->first_sampler + sampler]];
    const rp_sampler_info info = rp_plan_sampler_info(s);
    ask_image(c, n, buffer, rp_sampler_wants(&info), rp_plan_string(c->plan, s->name));
}

static void ask_descriptor(checker *c, const rp_plan_node *n, uint32_t param,
                           const rp_descriptor *d) {
    const rp_plan_use *use = &rp_plan_uses(c->plan)[n->first_use + d->first_use];
    switch (rp_param_descriptor_type(&rp_plan_params(c->plan)[param])) {
    case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
        ask_image(c, n, use->buffer, VK_FORMAT_FEATURE_2_STORAGE_IMAGE_BIT | c->beyond[param],
                  NULL);
        break;
    case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
        ask_image(c, n, use->buffer, VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_BIT, NULL);
        ask_sampled(c, n, use->buffer, d->sampler);
        break;
    case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
        ask_image(c, n, use->buffer, VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_BIT, NULL);
        break;
    case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
        ask(c, n, use->buffer, use->format, true, VK_FORMAT_FEATURE_2_UNIFORM_TEXEL_BUFFER_BIT,
            NULL);
        break;
    case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
        ask(c, n, use->buffer, use->format, true,
            VK_FORMAT_FEATURE_2_STORAGE_TEXEL_BUFFER_BIT | c->beyond[param], NULL);
        break;
    default: break; /* buffers have no format, and samplers none of their own */
    }
}

/* Every image that is bound to one parameter with every sampler that is bound to another: which
 * elements of arrays meet, no module says. */
static void ask_joined(checker *c, const rp_plan_node *n, const rp_descriptor_source *source,
                       const joined *pair) {
    for (rp_descriptor image = {0}; rp_descriptor_step(source, &image);) {
        if (image.param != pair->image || image.use_count == 0) continue;
        const rp_plan_use *use = &rp_plan_uses(c->plan)[n->first_use + image.first_use];
        for (rp_descriptor s = {0}; rp_descriptor_step(source, &s);)
            if (s.param == pair->sampler) ask_sampled(c, n, use->buffer, s.sampler);
    }
}

static void ask_run(checker *c, const rp_plan_node *n) {
    const rp_plan_kernel *k = &rp_plan_kernels(c->plan)[n->kernel];
    const rp_descriptor_source source = rp_plan_descriptors(
        n, rp_plan_kernels(c->plan), rp_plan_params(c->plan), rp_plan_uses(c->plan));
    for (rp_descriptor d = {0}; rp_descriptor_step(&source, &d);)
        if (d.use_count) ask_descriptor(c, n, k->first_param + d.param, &d);
    uint32_t low = 0, high = c->pairs_count; /* the first pair of this kernel or a later one */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (c->pairs[middle].kernel < n->kernel)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < c->pairs_count && c->pairs[low].kernel == n->kernel; low++)
        ask_joined(c, n, &source, &c->pairs[low]);
}

/* Copies, blits and clears. */
static void ask_transfer(checker *c, const rp_plan_node *n) {
    bool linear = n->kind == RP_BLIT && n->pattern == RP_FILTER_LINEAR;
    for (uint32_t i = 0; i < n->use_count; i++) {
        uint32_t buffer = rp_plan_uses(c->plan)[n->first_use + i].buffer;
        bool to = i + 1 == n->use_count;
        if (!rp_plan_is_image(&rp_plan_buffers(c->plan)[buffer])) continue;
        ask_image(c, n, buffer,
                  to ? VK_FORMAT_FEATURE_2_TRANSFER_DST_BIT : VK_FORMAT_FEATURE_2_TRANSFER_SRC_BIT,
                  NULL);
        if (n->kind == RP_BLIT)
            ask_image(c, n, buffer,
                      to ? VK_FORMAT_FEATURE_2_BLIT_DST_BIT : VK_FORMAT_FEATURE_2_BLIT_SRC_BIT,
                      NULL);
        if (linear && !to) ask_image(c, n, buffer, FILTERED, NULL);
    }
}

/* What the host and the runtime do with an image, and no node. */
static void ask_host(checker *c, uint32_t buffer, VkFlags usage) {
    if (usage & VK_IMAGE_USAGE_TRANSFER_SRC_BIT)
        ask_image(c, NULL, buffer, VK_FORMAT_FEATURE_2_TRANSFER_SRC_BIT, NULL);
    if (usage & VK_IMAGE_USAGE_TRANSFER_DST_BIT)
        ask_image(c, NULL, buffer, VK_FORMAT_FEATURE_2_TRANSFER_DST_BIT, NULL);
}

/* ---- What modules do ------------------------------------------------------------------------- */

/* A parameter, and the variable of the module that it is. */
typedef struct bound {
    uint32_t id, param;
} bound;

/* The resource of a module at a parameter's place; NULL where it was optimised away. */
static const rp_spirv_resource *resource_of(const rp_spirv_reader *module, const rp_plan_param *p) {
    for (uint32_t i = 0; i < module->resource_count; i++) {
        const rp_spirv_resource *r = &module->resources[i];
        if (r->kind != RP_SPIRV_PUSH_BLOCK && r->set == p->set && r->binding == p->binding)
            return r;
    }
    return NULL;
}

/* A storage image, or texels, whose format the shader leaves open. */
static bool is_undeclared(const rp_plan_param *p) {
    bool texels = p->resource == RP_RESOURCE_TEXELS, image = p->resource == RP_RESOURCE_IMAGE;
    return (texels || image) && p->access != RP_SAMPLED && p->format == RP_IMAGE_NONE;
}

static bool is_image_alone(const rp_plan_param *p) {
    return p->resource == RP_RESOURCE_IMAGE && p->access == RP_SAMPLED;
}

static bool needs_module(const checker *c, const rp_plan_kernel *k) {
    bool open = false, image = false, sampler = false;
    for (uint32_t i = 0; i < k->param_count; i++) {
        const rp_plan_param *p = &rp_plan_params(c->plan)[k->first_param + i];
        open |= is_undeclared(p);
        image |= is_image_alone(p);
        sampler |= p->resource == RP_RESOURCE_SAMPLER;
    }
    return k->word_count && (open || (image && sampler));
}

static int by_id(const void *left, const void *right) {
    uint32_t a = ((const bound *)left)->id, b = ((const bound *)right)->id;
    return a < b ? -1 : a > b;
}

static const bound *find_bound(const bound *all, uint32_t count, uint32_t id) {
    const bound wanted = {.id = id};
    return count ? bsearch(&wanted, all, count, sizeof *all, by_id) : NULL;
}

/* `all` are the kernel's parameters that the module has. */
static rp_status join(checker *c, const rp_spirv_reader *module, uint32_t kernel, bound *all,
                      uint32_t count) {
    const rp_plan_param *params =
        rp_plan_params(c->plan) + rp_plan_kernels(c->plan)[kernel].first_param;
    if (count) qsort(all, count, sizeof *all, by_id);
    for (uint32_t i = 0; i < module->pair_count; i++) {
        const bound *image = find_bound(all, count, module->pairs[i].image);
        const bound *sampler = find_bound(all, count, module->pairs[i].sampler);
        if (!image || !sampler || !is_image_alone(&params[image->param]) ||
            params[sampler->param].resource != RP_RESOURCE_SAMPLER)
            continue;
        if (!RP_RESERVE(&c->device->allocator, c->pairs, c->pairs_count, c->pairs_capacity, 1))
            return RP_ERROR_NO_MEMORY;
        c->pairs[c->pairs_count++] = (joined){kernel, image->param, sampler->param};
    }
    return RP_OK;
}

static rp_status look_into(checker *c, rp_spirv_reader *module, uint32_t kernel) {
    const rp_plan_kernel *k = &rp_plan_kernels(c->plan)[kernel];
    const uint32_t *words = rp_plan_records(c->plan, RP_SECTION_WORDS);
    const rp_spirv_spec *specs = (const rp_spirv_spec *)rp_plan_records(c->plan, RP_SECTION_SPECS);
    char why[128];
    RP_TRY(rp_spirv_read(module, words + k->first_word, k->word_count,
                         rp_plan_string(c->plan, k->entry), specs + k->first_spec, k->spec_count,
                         why));
    bound *all = rp_alloc(&c->device->allocator, k->param_count, sizeof *all);
    uint32_t count = 0;
    if (!all) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < k->param_count; i++) {
        const rp_plan_param *p = &rp_plan_params(c->plan)[k->first_param + i];
        const rp_spirv_resource *r = resource_of(module, p);
        if (!r) continue;
        all[count++] = (bound){r->id, i};
        if (is_undeclared(p))
            c->beyond[k->first_param + i] |= rp_undeclared_wants(r->reads, r->writes);
    }
    rp_status status = join(c, module, kernel, all, count);
    rp_release(&c->device->allocator, all);
    return status;
}

static rp_status look_into_all(checker *c) {
    rp_spirv_reader module;
    rp_status status = RP_OK;
    rp_spirv_reader_init(&module, &c->device->allocator);
    for (uint32_t i = 0; i < rp_plan_count(c->plan, RP_SECTION_KERNELS) && status == RP_OK; i++)
        if (needs_module(c, &rp_plan_kernels(c->plan)[i])) status = look_into(c, &module, i);
    rp_spirv_reader_free(&module);
    return status;
}

/* ---- The whole ------------------------------------------------------------------------------- */

rp_status rp_formats_check(const rp_device *device, const rp_plan *plan, const rp_want *wants,
                           rp_diags *diags, uint8_t *out_wrong, uint32_t *errors) {
    const rp_allocator *a = &device->allocator;
    uint32_t buffers = rp_plan_count(plan, RP_SECTION_BUFFERS);
    checker c = {.device = device, .plan = plan, .diags = diags, .wrong = out_wrong};
    c.said = rp_alloc_zero(a, buffers, sizeof *c.said);
    c.beyond = rp_alloc_zero(a, rp_plan_count(plan, RP_SECTION_PARAMS), sizeof *c.beyond);
    rp_status status = c.said && c.beyond ? look_into_all(&c) : RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; status == RP_OK && i < rp_plan_count(plan, RP_SECTION_NODES); i++) {
        const rp_plan_node *n = &rp_plan_nodes(plan)[i];
        if (n->kind == RP_RUN)
            ask_run(&c, n);
        else
            ask_transfer(&c, n);
    }
    for (uint32_t i = 0; status == RP_OK && i < buffers; i++)
        if (rp_plan_is_image(&rp_plan_buffers(plan)[i])) ask_host(&c, i, wants[i].usage);
    rp_release(a, c.said);
    rp_release(a, c.beyond);
    rp_release(a, c.pairs);
    *errors += c.errors;
    return status;
}
