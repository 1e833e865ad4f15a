/* Execs: creation from top to bottom, and the replay path.
 *
 * Everything a replay needs is decided and allocated here, once. Submitting fills in one number and
 * calls vkQueueSubmit2; waiting is one vkWaitSemaphores. A timeline semaphore counts finished
 * replays, so that "is it idle" and "how many are done" are one read of a counter. */
#include "exec/exec.h"

#include <stdio.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* ---- Creation -------------------------------------------------------------------------------- */

/* Creates the buffers of a plan, and notes in places[].memory which is whose. */
static rp_status add_buffers(rp_exec *exec, const rp_exec_params *params, rp_diags *diags) {
    const rp_plan *plan = exec->plan;
    const rp_plan_graph *graph = rp_plan_records(plan, RP_SECTION_GRAPH);
    const rp_plan_buffer *buffers = rp_plan_buffers(plan);
    rp_memory *memory = &exec->memory;
    memory->device = exec->device;
    uint32_t arena = RP_UNSET;
    if (graph->arena_bytes && !params->separate_buffers)
        RP_TRY(rp_memory_add(memory, RP_PURPOSE_ARENA, graph->arena_bytes, "the arena", diags,
                             &arena));
    if (exec->live.size)
        RP_TRY(rp_memory_add(memory, RP_PURPOSE_LIVE, exec->live.size, "the live block", diags,
                             &exec->live.buffer));
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_BUFFERS); i++) {
        const char *name = rp_plan_string(plan, buffers[i].name);
        rp_place *place = &exec->places[i];
        switch ((rp_buffer_kind)buffers[i].kind) {
        case RP_IN:
        case RP_OUT:
        case RP_INOUT:
        case RP_WEIGHT:
            RP_TRY(rp_memory_add(memory, RP_PURPOSE_EXTERNAL, buffers[i].size, name, diags,
                                 &place->memory));
            break;
        case RP_LIVE:
            place->memory = exec->live.buffer;
            place->offset = exec->live.offsets[i];
            break;
        case RP_TMP:
            if (params->separate_buffers)
                RP_TRY(rp_memory_add(memory, RP_PURPOSE_ARENA, buffers[i].size, name, diags,
                                     &place->memory));
            else {
                place->memory = arena;
                place->offset = buffers[i].offset;
            }
            break;
        }
    }
    return RP_OK;
}

static rp_status create_memory(rp_exec *exec, const rp_exec_params *params, rp_diags *diags) {
    rp_device *device = exec->device;
    const rp_plan *plan = exec->plan;
    uint32_t count = rp_plan_count(plan, RP_SECTION_BUFFERS);
    RP_TRY(rp_live_plan(&exec->live, device, plan));
    exec->places = rp_alloc_zero(&device->allocator, count, sizeof *exec->places);
    if (!exec->places) return RP_ERROR_NO_MEMORY;
    RP_TRY(add_buffers(exec, params, diags));
    RP_TRY(rp_memory_allocate(&exec->memory, diags));

    uint64_t largest_unmapped = 0;
    for (uint32_t i = 0; i < count; i++) {
        const rp_plan_buffer *buffer = &rp_plan_buffers(plan)[i];
        const rp_memory_buffer *where = &exec->memory.buffers[exec->places[i].memory];
        exec->places[i].handle = where->handle;
        if (where->purpose != RP_PURPOSE_EXTERNAL) continue;
        bool result = buffer->kind == RP_OUT || buffer->kind == RP_INOUT;
        if (where->mapped && result) exec->results_mapped = true;
        if (!where->mapped && buffer->size > largest_unmapped) largest_unmapped = buffer->size;
    }
    if (largest_unmapped)
        RP_TRY(rp_staging_create(&exec->staging, device, largest_unmapped, diags));
    exec->stats.arena_bytes = exec->memory.bytes[RP_PURPOSE_ARENA];
    exec->stats.external_bytes =
        exec->memory.bytes[RP_PURPOSE_EXTERNAL] + exec->memory.bytes[RP_PURPOSE_LIVE];
    exec->stats.staging_bytes = exec->staging.memory.bytes[RP_PURPOSE_STAGING];
    if (exec->live.buffer == RP_UNSET) return RP_OK;
    return rp_live_init(&exec->live, exec->memory.buffers[exec->live.buffer].mapped, diags);
}

static rp_status create_pipelines(rp_exec *exec, const rp_exec_params *params, rp_diags *diags) {
    rp_device *device = exec->device;
    double start = now();
    RP_TRY(rp_layouts_create(&exec->layouts, device, exec->plan, diags));
    RP_TRY(rp_cache_create(&exec->cache, device, exec->plan, params->cache_path, diags));
    RP_TRY(rp_pipelines_create(&exec->pipelines, device, exec->plan, &exec->layouts,
                               exec->cache.handle, diags));
    rp_cache_save(&exec->cache, diags);
    exec->stats.pipelines = exec->pipelines.created;
    exec->stats.pipelines_from_cache = exec->pipelines.from_cache;
    exec->stats.pipeline_seconds = now() - start;
    return RP_OK;
}

static rp_status create_queries(rp_exec *exec, rp_diags *diags) {
    rp_device *device = exec->device;
    if (device->adapter.timestamp_bits == 0) {
        rp_diags_add(diags, RP_WARNING, NULL, 0, 0,
                     "%s has no timestamps: the GPU time of replays is not known",
                     device->adapter.info.name);
        return RP_OK;
    }
    const VkQueryPoolCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
        .queryType = VK_QUERY_TYPE_TIMESTAMP,
        .queryCount = 2,
    };
    return RP_VK(diags, device->vk.CreateQueryPool(device->handle, &info, NULL, &exec->queries));
}

static rp_status create_commands(rp_exec *exec, rp_diags *diags) {
    rp_device *device = exec->device;
    const rp_vk *vk = &device->vk;
    const VkCommandPoolCreateInfo pool = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
        .queueFamilyIndex = device->adapter.queue_family,
    };
    RP_TRY(RP_VK(diags, vk->CreateCommandPool(device->handle, &pool, NULL, &exec->pool)));
    const VkCommandBufferAllocateInfo commands = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = exec->pool,
        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = 1,
    };
    RP_TRY(RP_VK(diags, vk->AllocateCommandBuffers(device->handle, &commands, &exec->commands)));
    const VkSemaphoreTypeCreateInfo type = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
        .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
    };
    const VkSemaphoreCreateInfo semaphore = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                             .pNext = &type};
    RP_TRY(RP_VK(diags, vk->CreateSemaphore(device->handle, &semaphore, NULL, &exec->timeline)));
    double start = now();
    RP_TRY(rp_record(exec, diags));
    exec->stats.record_seconds = now() - start;
    return RP_OK;
}

static void prepare_submit(rp_exec *exec) {
    exec->submit_commands = (VkCommandBufferSubmitInfo){
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
        .commandBuffer = exec->commands,
    };
    exec->signal = (VkSemaphoreSubmitInfo){
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
        .semaphore = exec->timeline,
        .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
    };
    exec->submit = (VkSubmitInfo2){
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
        .commandBufferInfoCount = 1,
        .pCommandBufferInfos = &exec->submit_commands,
        .signalSemaphoreInfoCount = 1,
        .pSignalSemaphoreInfos = &exec->signal,
    };
}

static rp_status create(rp_exec *exec, const rp_exec_params *params, rp_diags *diags) {
    rp_device *device = exec->device;
    RP_TRY(rp_limits_check(device, exec->plan, diags));
    RP_TRY(create_memory(exec, params, diags)); /* before pipelines: it fails fast */
    RP_TRY(rp_memory_clear(&exec->memory, diags));
    RP_TRY(create_pipelines(exec, params, diags));
    RP_TRY(rp_descriptors_create(&exec->descriptors, device, exec->plan, &exec->layouts,
                                 exec->places, diags));
    exec->stats.descriptor_sets = exec->descriptors.count;
    if (params->timestamps) RP_TRY(create_queries(exec, diags));
    RP_TRY(create_commands(exec, diags));
    prepare_submit(exec);
    return RP_OK;
}

rp_status rp_exec_create(rp_device *device, const rp_plan *plan, const rp_exec_params *params,
                         rp_diags *diags, rp_exec **out_exec) {
    if (!out_exec) return RP_ERROR_USAGE;
    *out_exec = NULL;
    if (!device || !plan) return RP_ERROR_USAGE;
    const rp_exec_params defaults = {0};
    rp_exec *exec = rp_alloc_zero(&device->allocator, 1, sizeof *exec);
    if (!exec) return RP_ERROR_NO_MEMORY;
    rp_device_retain(device, RP_OBJECT_EXEC);
    exec->device = device;
    exec->plan = plan;
    rp_status status = create(exec, params ? params : &defaults, diags);
    if (status != RP_OK) {
        rp_exec_destroy(exec);
        return status;
    }
    *out_exec = exec;
    return RP_OK;
}

void rp_exec_destroy(rp_exec *exec) {
    if (!exec) return;
    rp_device *device = exec->device;
    const rp_vk *vk = &device->vk;
    (void)rp_exec_wait(exec, UINT64_MAX); /* on a lost device nothing is in flight any more */
    rp_staging_free(&exec->staging);
    vk->DestroySemaphore(device->handle, exec->timeline, NULL);
    vk->DestroyQueryPool(device->handle, exec->queries, NULL);
    vk->DestroyCommandPool(device->handle, exec->pool, NULL);
    rp_descriptors_free(&exec->descriptors);
    rp_pipelines_free(&exec->pipelines);
    rp_cache_free(&exec->cache);
    rp_layouts_free(&exec->layouts);
    rp_memory_free(&exec->memory);
    rp_live_free(&exec->live);
    rp_release(&device->allocator, exec->places);
    rp_allocator a = device->allocator;
    rp_device_release(device, RP_OBJECT_EXEC);
    rp_release(&a, exec);
}

/* ---- Replay ---------------------------------------------------------------------------------- */

/* Keeps what is known about a loss. Vulkan tells that the device is gone, not where it was. */
static rp_status note_loss(rp_exec *exec, rp_status status) {
    if (status != RP_ERROR_DEVICE_LOST || exec->lost) return status;
    exec->lost = true;
    const rp_plan_graph *graph = rp_plan_records(exec->plan, RP_SECTION_GRAPH);
    snprintf(exec->lost_text, sizeof exec->lost_text,
             "the device was lost with replay %llu of %.100s in flight, %llu replays were known to "
             "be done; the driver does not say at which node",
             (unsigned long long)exec->submitted, rp_plan_string(exec->plan, graph->name),
             (unsigned long long)exec->completed);
    return status;
}

rp_status rp_exec_submit(rp_exec *exec) {
    if (!exec) return RP_ERROR_USAGE;
    if (exec->lost) return RP_ERROR_DEVICE_LOST;
    exec->signal.value = exec->submitted + 1;
    VkResult result = rp_device_submit(exec->device, &exec->submit);
    if (result != VK_SUCCESS) return note_loss(exec, rp_vk_status(result));
    exec->submitted++;
    return RP_OK;
}

rp_status rp_exec_wait(rp_exec *exec, uint64_t timeout_ns) {
    if (!exec) return RP_ERROR_USAGE;
    if (exec->lost) return RP_ERROR_DEVICE_LOST;
    if (exec->completed == exec->submitted) return RP_OK;
    const VkSemaphoreWaitInfo info = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
        .semaphoreCount = 1,
        .pSemaphores = &exec->timeline,
        .pValues = &exec->submitted,
    };
    rp_device *device = exec->device;
    VkResult result = device->vk.WaitSemaphores(device->handle, &info, timeout_ns);
    if (result == VK_TIMEOUT) return RP_ERROR_TIMEOUT;
    if (result != VK_SUCCESS) return note_loss(exec, rp_vk_status(result));
    exec->completed = exec->submitted;
    return RP_OK;
}

/* Brings exec->completed up to date. */
static rp_status refresh(rp_exec *exec) {
    if (exec->lost) return RP_ERROR_DEVICE_LOST;
    if (exec->completed == exec->submitted) return RP_OK;
    rp_device *device = exec->device;
    uint64_t value = 0;
    VkResult result = device->vk.GetSemaphoreCounterValue(device->handle, exec->timeline, &value);
    if (result != VK_SUCCESS) return note_loss(exec, rp_vk_status(result));
    /* A lost device may report any value. */
    if (value > exec->completed && value <= exec->submitted) exec->completed = value;
    return RP_OK;
}

uint64_t rp_exec_completed(rp_exec *exec) {
    if (!exec) return 0;
    (void)refresh(exec);
    return exec->completed;
}

double rp_exec_gpu_seconds(rp_exec *exec) {
    if (!exec || !exec->queries || rp_exec_completed(exec) == 0) return -1;
    rp_device *device = exec->device;
    uint64_t ticks[2];
    if (device->vk.GetQueryPoolResults(device->handle, exec->queries, 0, 2, sizeof ticks, ticks,
                                       sizeof *ticks, VK_QUERY_RESULT_64_BIT) != VK_SUCCESS)
        return -1;
    uint32_t bits = device->adapter.timestamp_bits;
    uint64_t mask = bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
    return (double)((ticks[1] - ticks[0]) & mask) *
           (double)device->adapter.properties.limits.timestampPeriod * 1e-9;
}

const char *rp_exec_lost_node(const rp_exec *exec) {
    return exec && exec->lost ? exec->lost_text : NULL;
}

void *rp_exec_command_buffer(const rp_exec *exec) {
    return exec ? exec->commands : NULL;
}

rp_exec_stats rp_exec_get_stats(const rp_exec *exec) {
    return exec ? exec->stats : (rp_exec_stats){0};
}
