/* Whether a plan fits a device, before anything is created: a driver given too much crashes or
 * lies, and its message names nothing of ours. All that does not fit is reported at once, in the
 * words of plan/fit.c, which a compile for a target uses too. */
#include "base/sized.h"
#include "device/images.h"
#include "driver/quirks.h"
#include "pipeline/pipeline.h"
#include "plan/fit.h"

typedef struct checker {
    const rp_plan *plan;
    const char *device;
    rp_diags *diags;
    rp_fit fit;
} checker;

/* Adds an error that ends with the device's name. */
static void say(void *user, const char *message) {
    const checker *c = user;
    rp_diags_add(c->diags, RP_ERROR, NULL, 0, 0, "%s; device %s", message, c->device);
}

#define FAIL(c, format, ...)                                                                       \
    ((c)->fit.errors++, rp_diags_add((c)->diags, RP_ERROR, NULL, 0, 0, format "; device %s",       \
                                     __VA_ARGS__, (c)->device))

/* The bit of a product in RP_MATRIX_SHAPE_LIST; 0 for one that is not there. */
static uint64_t shape_bit(const rp_spirv_product *product) {
    char name[RP_SPIRV_PRODUCT_TEXT];
    rp_spirv_print_product(product, name);
#define RP_X(symbol, bit, text, m, n, k, factor, sum)                                              \
    if (strcmp(name, text) == 0) return symbol;
    RP_MATRIX_SHAPE_LIST(RP_X)
#undef RP_X
    return 0;
}

/* What things cost there, where that is known: of the devices that were measured, and of processors,
 * which are all alike next to a GPU. */
static const rp_target *known_costs(const rp_device_info *info) {
    if (info->is_cpu) return rp_target_builtin("lavapipe");
    return strstr(info->name, "NVIDIA H200") ? rp_target_builtin("h200") : NULL;
}

static void describe(const rp_adapter *adapter, rp_target *out) {
    const VkPhysicalDeviceLimits *l = &adapter->properties.limits;
#define LEAST(a, b) ((a) < (b) ? (a) : (b))
    *out = (rp_target){
        .size = sizeof *out,
        .storage_buffers =
            LEAST(l->maxPerStageDescriptorStorageBuffers, l->maxDescriptorSetStorageBuffers),
        .uniform_buffers =
            LEAST(l->maxPerStageDescriptorUniformBuffers, l->maxDescriptorSetUniformBuffers),
        .descriptor_sets = LEAST(l->maxBoundDescriptorSets, RP_MAX_SETS),
        .storage_alignment = l->minStorageBufferOffsetAlignment,
        .uniform_alignment = l->minUniformBufferOffsetAlignment,
        .storage_range = l->maxStorageBufferRange,
        .uniform_range = l->maxUniformBufferRange,
        .push_bytes = l->maxPushConstantsSize,
        .shared_bytes = l->maxComputeSharedMemorySize,
        .workgroup_x = l->maxComputeWorkGroupSize[0],
        .workgroup_y = l->maxComputeWorkGroupSize[1],
        .workgroup_z = l->maxComputeWorkGroupSize[2],
        .invocations = l->maxComputeWorkGroupInvocations,
        .groups_x = l->maxComputeWorkGroupCount[0],
        .groups_y = l->maxComputeWorkGroupCount[1],
        .groups_z = l->maxComputeWorkGroupCount[2],
        .subgroup = adapter->info.subgroup_size,
        .subgroup_least = adapter->info.subgroup_least,
        .subgroup_most = adapter->info.subgroup_most,
        .needs = adapter->needs | RP_NEED_IMAGE_EXTRAS, /* of which each kernel asks a part */
    };
#undef LEAST
    for (uint32_t i = 0; i < adapter->product_count; i++)
        out->matrix_shapes |= shape_bit(&adapter->products[i]);
    rp_target known;
    rp_target_take(known_costs(&adapter->info), &known);
    for (uint32_t key = RP_TARGET_KEY_multiprocessors; key < RP_TARGET_KEYS; key++)
        *rp_target_figure_of(out, key) = *rp_target_figure_of(&known, key);
    out->resources = l->maxPerStageResources;
    out->ordered_starts = (rp_quirks_of(adapter->driver) & RP_QUIRK_ORDERED_STARTS) != 0;
    memcpy(out->name, adapter->info.name, sizeof out->name);
}

static void check_matrices(checker *c, const rp_adapter *adapter, const char *kernel,
                           const rp_spirv_reader *module) {
    const rp_spirv_product *missing = rp_adapter_missing_product(adapter, module);
    if (!missing || !(adapter->needs & RP_NEED_COOPERATIVE_MATRIX)) return;
    char text[RP_SPIRV_PRODUCT_TEXT];
    rp_spirv_print_product(missing, text);
    FAIL(c, "kernel @%s multiplies cooperative matrices of %s, which is none of: %s", kernel, text,
         adapter->info.matrix_products);
}

static void check_subgroup(checker *c, const rp_adapter *adapter, const char *kernel,
                           const rp_spirv_reader *module) {
    if (rp_adapter_has_subgroup(adapter, module->subgroup)) return;
    FAIL(c, "kernel @%s is made for subgroups of %u invocations, %u to %u are possible", kernel,
         module->subgroup, adapter->info.subgroup_least, adapter->info.subgroup_most);
}

/* What no bit says: products of cooperative matrices that the device does not list, which are
 * undefined on it, and sizes of subgroups. Modules are read again for that, of plans that have any.
 */
static rp_status check_modules(checker *c, const rp_device *device) {
    const uint64_t needs = RP_NEED_COOPERATIVE_MATRIX | RP_NEED_SUBGROUP_SIZE;
    if (!(c->plan->header->needs & device->adapter.needs & needs)) return RP_OK;
    const rp_spirv_spec *specs = (const rp_spirv_spec *)rp_plan_records(c->plan, RP_SECTION_SPECS);
    const uint32_t *words = (const uint32_t *)rp_plan_records(c->plan, RP_SECTION_WORDS);
    rp_status status = RP_OK;
    rp_spirv_reader module;
    char why[128];
    rp_spirv_reader_init(&module, &device->allocator);
    for (uint32_t i = 0; i < rp_plan_count(c->plan, RP_SECTION_KERNELS) && status == RP_OK; i++) {
        const rp_plan_kernel *k = &rp_plan_kernels(c->plan)[i];
        if (k->word_count == 0) continue;
        status = rp_spirv_read(&module, words + k->first_word, k->word_count,
                               rp_plan_string(c->plan, k->entry), specs + k->first_spec,
                               k->spec_count, why);
        if (status != RP_OK) break;
        check_matrices(c, &device->adapter, rp_plan_string(c->plan, k->name), &module);
        check_subgroup(c, &device->adapter, rp_plan_string(c->plan, k->name), &module);
    }
    rp_spirv_reader_free(&module);
    return status;
}

static void check_kernel(checker *c, uint32_t node_id, const rp_plan_kernel *kernel) {
    const rp_plan_param *params = rp_plan_params(c->plan) + kernel->first_param;
    rp_fit_kernel facts = {.name = rp_plan_string(c->plan, kernel->name),
                           .local = kernel->local,
                           .shared_bytes = kernel->shared_bytes,
                           .push_bytes = kernel->push_bytes};
    if (kernel->word_count == 0)
        FAIL(c,
             "n%u runs kernel @%s, which is abstract (no SPIR-V): give it a body and compile again",
             node_id, facts.name);
    for (uint32_t i = 0; i < kernel->param_count; i++) {
        uint32_t count = params[i].elements ? params[i].elements : 1;
        if (params[i].resource == RP_RESOURCE_BUFFER || params[i].resource == RP_RESOURCE_STALL)
            *(params[i].access == RP_UNIFORM ? &facts.uniform : &facts.storage) += count;
        if (params[i].set > facts.set) facts.set = params[i].set;
    }
    rp_fit_check_kernel(&c->fit, &facts);
}

static void check_run(checker *c, const rp_plan_node *node, uint8_t *kernel_seen) {
    const rp_plan_kernel *kernel = &rp_plan_kernels(c->plan)[node->kernel];
    if (!kernel_seen[node->kernel]) check_kernel(c, node->id, kernel);
    kernel_seen[node->kernel] = 1;
    if (node->flags & RP_NODE_UNKNOWN && kernel->param_count &&
        rp_plan_bound(&rp_plan_uses(c->plan)[node->first_use], node) == 0)
        FAIL(c,
             "n%u runs @%s without declared uses, so there is nothing to bind: declare them and "
             "compile again",
             node->id, rp_plan_string(c->plan, kernel->name));
    for (uint32_t i = 0; i < 3 && node->grid_kind != RP_GRID_INDIRECT; i++)
        if (!(node->live_mask >> i & 1)) rp_fit_check_grid(&c->fit, node->id, i, node->grid[i]);
    const rp_descriptor_source source = rp_plan_descriptors(
        node, rp_plan_kernels(c->plan), rp_plan_params(c->plan), rp_plan_uses(c->plan));
    for (rp_descriptor d = {0}; rp_descriptor_step(&source, &d);) {
        const rp_plan_param *param = &rp_plan_params(c->plan)[kernel->first_param + d.param];
        const rp_plan_use *use = &rp_plan_uses(c->plan)[node->first_use + d.first_use];
        if (param->resource != RP_RESOURCE_BUFFER) continue; /* rp_images_check */
        const rp_plan_buffer *buffer = &rp_plan_buffers(c->plan)[use->buffer];
        const rp_fit_binding binding = {
            .node = node->id,
            .buffer = rp_plan_string(c->plan, buffer->name),
            .offset = use->offset,
            .size = rp_plan_footprint(buffer, use->size),
            .skip = param->skip,
            .uniform = use->access == RP_UNIFORM,
        };
        rp_fit_check_binding(&c->fit, &binding);
    }
}

/* What the device has, but an application created it without. */
static void check_enabled(checker *c, uint64_t needs) {
    for (; needs; needs &= needs - 1)
        FAIL(c,
             "the plan's kernels need %s, which the device has but is not enabled: see "
             "rp_needs_enable, and say it in rp_device_import.features",
             rp_plan_need_name(needs & (0 - needs)));
}

static rp_status check_form(const rp_device *device, const rp_plan *plan, rp_diags *diags) {
    rp_target target;
    describe(&device->adapter, &target);
    checker c = {.plan = plan, .device = target.name, .diags = diags};
    c.fit = (rp_fit){.target = &target, .say = say, .user = &c};
    const rp_allocator *a = &device->allocator;
    uint8_t *kernel_seen = rp_alloc_zero(a, rp_plan_count(plan, RP_SECTION_KERNELS), 1);
    if (!kernel_seen) return RP_ERROR_NO_MEMORY;
    uint64_t needs = plan->header->needs & ~RP_NEED_IMAGE_EXTRAS; /* rp_extras_check */
    check_enabled(&c, device->adapter.needs_able & ~device->adapter.needs & needs);
    rp_fit_check_needs(&c.fit, "the plan's kernels",
                       needs & (device->adapter.needs | ~device->adapter.needs_able));
    rp_extras_check(device, plan, diags, &c.fit.errors);
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_NODES); i++)
        if (rp_plan_nodes(plan)[i].kind == RP_RUN)
            check_run(&c, &rp_plan_nodes(plan)[i], kernel_seen);
    rp_release(a, kernel_seen);
    RP_TRY(rp_images_check(device, plan, diags, &c.fit.errors));
    RP_TRY(check_modules(&c, device));
    return c.fit.errors ? RP_ERROR_UNSUPPORTED : RP_OK;
}

rp_status rp_limits_check(const rp_device *device, const rp_plan *plan, rp_diags *diags) {
    for (uint32_t i = 0; i < rp_plan_form_count(plan); i++)
        RP_TRY(check_form(device, rp_plan_form(plan, i), diags));
    return RP_OK;
}

rp_status rp_device_target(const rp_device *device, rp_target *target) {
    rp_target own;
    if (!device || !target) return RP_ERROR_USAGE;
    describe(&device->adapter, &own);
    return rp_sized_give(&own, sizeof own, target) ? RP_OK : RP_ERROR_USAGE;
}
