/* Whether a plan fits a device, before anything is created: a driver given too much crashes or
 * lies, and its message names nothing of ours. All that does not fit is reported at once. */
#include "exec.h"

typedef struct checker {
    const rp_adapter *adapter;
    const VkPhysicalDeviceLimits *limits;
    const rp_plan *plan;
    rp_diags *diags;
    uint32_t errors;
} checker;

/* Adds an error that ends with the device's name. */
#define FAIL(c, format, ...)                                                                       \
    ((c)->errors++, rp_diags_add((c)->diags, RP_ERROR, NULL, 0, 0, format "; device %s",           \
                                 __VA_ARGS__, (c)->adapter->info.name))

/* What pass lower asks for on its own account, and lower=fast does not. */
#define EXACT (RP_NEED_EXACT16 | RP_NEED_EXACT32)

static void check_needs(checker *c) {
    uint64_t missing = c->plan->header->needs & ~c->adapter->needs;
#define RP_X(symbol, bit, name)                                                                    \
    if (missing & symbol)                                                                          \
        FAIL(c,                                                                                    \
             "the plan's kernels need %s, which the device does not have: compile %s or choose "   \
             "another device",                                                                     \
             name, (symbol)&EXACT ? "with the pass lower=fast," : "kernels that do without,");
    RP_PLAN_NEED_LIST(RP_X)
#undef RP_X
}

static void check_bindings(checker *c, const rp_plan_kernel *kernel, const char *name) {
    const rp_plan_param *params = rp_plan_params(c->plan) + kernel->first_param;
    const VkPhysicalDeviceLimits *limits = c->limits;
    uint32_t sets = limits->maxBoundDescriptorSets;
    if (sets > RP_MAX_SETS) sets = RP_MAX_SETS;
    uint32_t storage = 0, uniform = 0;
    for (uint32_t i = 0; i < kernel->param_count; i++) {
        if (params[i].access == RP_UNIFORM)
            uniform++;
        else
            storage++;
        if (params[i].set >= sets)
            FAIL(c, "kernel @%s uses descriptor set %u, sets 0 to %u can be bound", name,
                 params[i].set, sets - 1);
    }
    if (storage > limits->maxPerStageDescriptorStorageBuffers ||
        storage > limits->maxDescriptorSetStorageBuffers)
        FAIL(c, "kernel @%s binds %u storage buffers, at most %u can be bound", name, storage,
             limits->maxPerStageDescriptorStorageBuffers);
    if (uniform > limits->maxPerStageDescriptorUniformBuffers ||
        uniform > limits->maxDescriptorSetUniformBuffers)
        FAIL(c, "kernel @%s binds %u uniform buffers, at most %u can be bound", name, uniform,
             limits->maxPerStageDescriptorUniformBuffers);
}

static void check_kernel(checker *c, uint32_t node_id, const rp_plan_kernel *kernel) {
    const VkPhysicalDeviceLimits *limits = c->limits;
    const char *name = rp_plan_string(c->plan, kernel->name);
    if (kernel->word_count == 0)
        FAIL(c,
             "n%u runs kernel @%s, which is abstract (no SPIR-V): give it a body and compile again",
             node_id, name);
    uint64_t invocations = 1;
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t local = kernel->local[i], most = limits->maxComputeWorkGroupSize[i];
        if (local > most)
            FAIL(c,
                 "kernel @%s has a workgroup of %u in %c, at most %u fit: use a smaller local size",
                 name, local, "xyz"[i], most);
        if (invocations <= UINT32_MAX) invocations *= local;
    }
    if (invocations > limits->maxComputeWorkGroupInvocations)
        FAIL(c,
             "kernel @%s has workgroups of %llu invocations, at most %u fit: use a smaller local "
             "size",
             name, (unsigned long long)invocations, limits->maxComputeWorkGroupInvocations);
    if (kernel->shared_bytes > limits->maxComputeSharedMemorySize)
        FAIL(c, "kernel @%s uses %u bytes of shared memory, at most %u fit", name,
             kernel->shared_bytes, limits->maxComputeSharedMemorySize);
    if (kernel->push_bytes > limits->maxPushConstantsSize)
        FAIL(c,
             "kernel @%s has %u bytes of push constants, at most %u fit: move some to a uniform "
             "buffer",
             name, kernel->push_bytes, limits->maxPushConstantsSize);
    check_bindings(c, kernel, name);
}

static void check_binding(checker *c, const rp_plan_node *node, const rp_plan_use *use,
                          uint8_t skip) {
    const rp_plan_buffer *buffer = &rp_plan_buffers(c->plan)[use->buffer];
    const VkPhysicalDeviceLimits *limits = c->limits;
    bool uniform = use->access == RP_UNIFORM;
    uint64_t most = uniform ? limits->maxUniformBufferRange : limits->maxStorageBufferRange;
    uint64_t align =
        uniform ? limits->minUniformBufferOffsetAlignment : limits->minStorageBufferOffsetAlignment;
    const char *kind = uniform ? "uniform" : "storage";
    const char *name = rp_plan_string(c->plan, buffer->name);
    if (use->size + skip > most)
        FAIL(c,
             "n%u binds %llu bytes of %s as one %s buffer, at most %llu fit: split the range or "
             "bind a smaller one",
             node->id, (unsigned long long)(use->size + skip), name, kind,
             (unsigned long long)most);
    /* Buffers start aligned, in the arena too; only the offset in the buffer counts. */
    if (align && (use->offset - skip) % align != 0)
        FAIL(c,
             "n%u binds %s at offset %llu, which must be a multiple of %llu for a %s buffer: begin "
             "the part there, or bind from a multiple on and pass the rest as push data",
             node->id, name, (unsigned long long)use->offset, (unsigned long long)align, kind);
}

static void check_run(checker *c, const rp_plan_node *node, uint8_t *kernel_seen) {
    const rp_plan_kernel *kernel = &rp_plan_kernels(c->plan)[node->kernel];
    if (!kernel_seen[node->kernel]) check_kernel(c, node->id, kernel);
    kernel_seen[node->kernel] = 1;
    if (node->unknown && kernel->param_count)
        FAIL(c,
             "n%u runs @%s without declared uses, so there is nothing to bind: declare them and "
             "compile again",
             node->id, rp_plan_string(c->plan, kernel->name));
    if (node->grid_kind != RP_GRID_INDIRECT)
        for (uint32_t i = 0; i < 3; i++)
            if (!(node->live_mask >> i & 1) &&
                node->grid[i] > c->limits->maxComputeWorkGroupCount[i])
                FAIL(c,
                     "n%u has a grid of %u in %c, at most %u fit: loop inside the kernel, or use "
                     "another dimension",
                     node->id, node->grid[i], "xyz"[i], c -> limits -> maxComputeWorkGroupCount[i]);
    uint32_t bound = node->unknown ? 0 : kernel->param_count;
    for (uint32_t i = 0; i < bound; i++)
        check_binding(c, node, &rp_plan_uses(c->plan)[node->first_use + i],
                      rp_plan_params(c->plan)[kernel->first_param + i].skip);
}

rp_status rp_limits_check(const rp_device *device, const rp_plan *plan, rp_diags *diags) {
    checker c = {&device->adapter, &device->adapter.properties.limits, plan, diags, 0};
    const rp_allocator *a = &device->allocator;
    uint8_t *kernel_seen = rp_alloc_zero(a, rp_plan_count(plan, RP_SECTION_KERNELS), 1);
    if (!kernel_seen) return RP_ERROR_NO_MEMORY;
    check_needs(&c);
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_NODES); i++)
        if (rp_plan_nodes(plan)[i].kind == RP_RUN)
            check_run(&c, &rp_plan_nodes(plan)[i], kernel_seen);
    rp_release(a, kernel_seen);
    return c.errors ? RP_ERROR_UNSUPPORTED : RP_OK;
}
