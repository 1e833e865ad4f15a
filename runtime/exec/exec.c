/* Execs: creation from top to bottom.
 *
 * Everything a replay needs is decided, allocated and recorded here, once; submit.c then fills in
 * numbers. An exec can take over from another (rp_exec_update) or from itself (rp_exec_bind) what
 * stays as it is. */
#include "exec/copies.h"
#include "exec/runs.h"

#include <stdio.h>
#include <time.h>
#include "base/scope.h"
#include "base/given.h"
#include "base/sized.h"
#include "driver/barrier.h"

static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* ---- Parts ----------------------------------------------------------------------------------- */

static rp_status take_params(rp_exec *exec, const rp_exec_params *given, rp_diags *diags) {
    const rp_exec_params defaults = {.size = sizeof defaults};
    const rp_allocator *a = &exec->device->allocator;
    rp_exec_params *params = &exec->params;
    if (!rp_sized_take(given ? given : &defaults, params, sizeof *params))
        return rp_sized_refuse(diags, "rp_exec_params");
    RP_TRY(rp_memory_check_priority(params->memory_priority, "an exec", diags));
    if (!rp_array_given(params->bindings, params->binding_count, "rp_exec_params.bindings",
                        diags) ||
        !rp_array_given(params->kernels, params->kernel_count, "rp_exec_params.kernels", diags) ||
        !rp_array_given(params->switches, params->switch_count, "rp_exec_params.switches", diags))
        return RP_ERROR_USAGE;
    exec->slots_count = params->slots ? params->slots : 1;
    if (exec->slots_count > RP_MAX_SLOTS) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "an exec has at most %d slots, %u were asked for",
                     RP_MAX_SLOTS, params->slots);
        return RP_ERROR_USAGE;
    }
    RP_TRY(rp_switches_take(&exec->switches, a, params->switches, params->switch_count, diags));
    params->switches = (const char *const *)exec->switches.names;
    if (!params->cache_path) return RP_OK;
    exec->cache_path = rp_dup(a, params->cache_path, strlen(params->cache_path) + 1);
    params->cache_path = exec->cache_path;
    return exec->cache_path ? RP_OK : RP_ERROR_NO_MEMORY;
}

static rp_status collect_scopes(rp_exec *exec) {
    const rp_plan *plan = exec->plan;
    uint32_t buffers = rp_plan_count(plan, RP_SECTION_BUFFERS);
    exec->scopes = rp_alloc_zero(&exec->device->allocator, buffers, sizeof *exec->scopes);
    if (!exec->scopes) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_NODES); i++) {
        const rp_plan_node *node = &rp_plan_nodes(plan)[i];
        for (uint32_t j = 0; j < node->use_count; j++) {
            const rp_plan_use *use = &rp_plan_uses(plan)[node->first_use + j];
            exec->scopes[use->buffer] |=
                rp_scope_of_read(node->kind == RP_RUN, use->indirect, use->access) |
                rp_scope_of_write(node->kind == RP_RUN, use->indirect, use->access);
        }
        /* A node whose uses are not known may touch whatever the application sees. */
        for (uint32_t j = 0; (node->flags & RP_NODE_UNKNOWN) && j < buffers; j++)
            exec->scopes[j] |= RP_SCOPE_ANY;
    }
    return RP_OK;
}

static rp_status create_pipelines(rp_exec *exec, rp_diags *diags) {
    rp_device *device = exec->device;
    uint64_t start = now_ns();
    const rp_prepare_params prepare = {.cache_path = exec->params.cache_path,
                                       .priority = exec->params.priority,
                                       .kernels = exec->params.kernels,
                                       .kernel_count = exec->params.kernel_count};
    RP_TRY(rp_prepare_plan(device, exec->plan, &prepare, diags, &exec->pipelines));
    for (uint32_t i = 0; i < exec->part_count; i++) exec->parts[i]->pipelines = exec->pipelines;
    RP_TRY(rp_prepared_wait(exec->pipelines, RP_UNSET, RP_PIPELINE_NORMAL, UINT64_MAX, diags));
    rp_exec_count(exec, RP_COUNT_pipeline_ns, now_ns() - start);
    return RP_OK;
}

/* ---- Slots ----------------------------------------------------------------------------------- */

static rp_status create_queries(const rp_exec *exec, rp_slot *slot, rp_diags *diags) {
    rp_device *device = exec->device;
    if (device->adapter.timestamp_bits == 0) {
        if (slot == exec->slots)
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
    return RP_VK(diags, device->vk.CreateQueryPool(device->handle, &info, NULL, &slot->queries));
}

static rp_status create_commands(const rp_exec *exec, rp_slot *slot, rp_diags *diags) {
    rp_device *device = exec->device;
    slot->recordings = rp_slot_recordings(exec, slot);
    uint32_t count = slot->recordings * exec->pieces + exec->of_forms;
    slot->commands = rp_alloc(&device->allocator, count, sizeof *slot->commands);
    if (!slot->commands) return RP_ERROR_NO_MEMORY;
    RP_TRY(rp_commands_create(device, device->adapter.queue_family, 0, count, diags, &slot->pool,
                              slot->commands));
    if (exec->of_forms) slot->given = slot->commands[count - 1];
    return RP_OK;
}

/* A recording is good for every replay, and may be submitted again while it is in flight. The first piece that the
 * application is given waits for whatever form ran before, as replays that are submitted here do where it was another.
 * Of several forms one may have fewer groups than there are pieces: its last ones are empty. */
static rp_status record_piece(const rp_exec *exec, const rp_slot *slot, rp_recording recording,
                              uint32_t piece, VkCommandBuffer commands, rp_diags *diags) {
    const rp_vk *vk = &exec->device->vk;
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT};
    bool follows = !rp_exec_overlaps(exec);
    RP_TRY(RP_VK(diags, vk->BeginCommandBuffer(commands, &begin)));
    if (commands == slot->given && follows) rp_barrier_full(vk, commands);
    if (piece == 0 || exec->cuts[piece] < exec->cuts[piece + 1])
        rp_record(exec, slot, recording, exec->cuts[piece], exec->cuts[piece + 1], follows,
                  slot->queries, commands);
    return RP_VK(diags, vk->EndCommandBuffer(commands));
}

static rp_status record_pieces(const rp_exec *exec, const rp_slot *slot, rp_diags *diags) {
    for (uint32_t i = 0; i < slot->recordings * exec->pieces; i++)
        RP_TRY(record_piece(exec, slot, (rp_recording)(i / exec->pieces), i % exec->pieces,
                            slot->commands[i], diags));
    return slot->given ? record_piece(exec, slot, RP_RECORD_BARRIERS, 0, slot->given, diags)
                       : RP_OK;
}

rp_status rp_slot_record(rp_exec *exec, rp_slot *slot, rp_diags *diags) {
    if (slot->commands) return RP_OK;
    rp_device *device = exec->device;
    uint64_t start = now_ns();
    RP_TRY(rp_prepared_wait(exec->pipelines, RP_UNSET, RP_PIPELINE_RARE, UINT64_MAX, diags));
    uint64_t waited = now_ns();
    rp_exec_count(exec, RP_COUNT_pipeline_ns, waited - start);
    rp_status status = rp_runs_prepare(exec, slot, diags);
    if (status == RP_OK) status = create_commands(exec, slot, diags);
    if (status == RP_OK) status = record_pieces(exec, slot, diags);
    if (status == RP_OK) {
        rp_replay_weigh(exec, slot);
        rp_exec_count(exec, RP_COUNT_recordings, 1);
        rp_exec_count(exec, RP_COUNT_record_ns, now_ns() - waited);
        return RP_OK;
    }
    rp_runs_free_slot(exec, slot);
    device->vk.DestroyCommandPool(device->handle, slot->pool, NULL);
    rp_release(&device->allocator, slot->commands);
    slot->pool = VK_NULL_HANDLE;
    slot->commands = NULL;
    slot->given = VK_NULL_HANDLE;
    return status;
}

rp_status rp_slot_prepare(rp_exec *exec, rp_slot *slot, const rp_slot *old, rp_diags *diags) {
    uint64_t start = now_ns();
    rp_place stall = slot->live_block;
    stall.offset += exec->live.stall_offset;
    RP_TRY(rp_descriptors_create(&slot->descriptors, exec->device, exec->plan, exec->pipelines,
                                 exec->first_kernel, slot->places, &stall,
                                 old ? &old->descriptors : NULL, diags));
    rp_exec_count(exec, RP_COUNT_descriptor_sets, slot->descriptors.count - slot->descriptors.kept);
    rp_exec_count(exec, RP_COUNT_record_ns, now_ns() - start);
    if (exec->params.timestamps) RP_TRY(create_queries(exec, slot, diags));
    if (exec->params.markers) RP_TRY(rp_marks_create(exec, slot, diags));
    if (rp_prepared_wait(exec->pipelines, RP_UNSET, RP_PIPELINE_RARE, 0, NULL) != RP_OK)
        return RP_OK; /* some are rare: who submits first, records */
    return rp_slot_record(exec, slot, diags);
}

/* Live values that the exec before had, where the plan still has the buffer. What follows others
 * is the plan's own. Switches are the params', which are the same. */
static void inherit_values(const rp_exec *exec, const rp_exec *from) {
    const rp_plan_buffer *buffers = rp_plan_buffers(exec->plan);
    const rp_plan_buffer *old = rp_plan_buffers(from->plan);
    for (uint32_t s = 0; s < exec->slots_count; s++)
        memcpy(exec->slots[s].live.off, from->slots[s].live.off,
               exec->switches.count * sizeof(bool));
    for (uint32_t i = 0; i < exec->plan->external_count; i++) {
        uint32_t j;
        if (buffers[i].kind != RP_LIVE || buffers[i].follow_count) continue;
        const char *name = rp_plan_string(exec->plan, buffers[i].name);
        if (rp_exec_look_up(from, name, &j) != RP_OK || old[j].kind != RP_LIVE ||
            old[j].follow_count || old[j].size != buffers[i].size ||
            old[j].dtype != buffers[i].dtype)
            continue;
        for (uint32_t s = 0; s < exec->slots_count; s++)
            memcpy(exec->slots[s].live.copy + exec->live.offsets[i],
                   from->slots[s].live.copy + from->live.offsets[j], buffers[i].size);
    }
}

static rp_status place_parts(rp_exec *exec, rp_diags *diags) {
    rp_slot *made[RP_MAX_FORMS];
    rp_status status = rp_parts_place(exec, exec->slots, false, made, diags);
    for (uint32_t i = 0; i < exec->part_count; i++) exec->parts[i]->slots = made[i];
    return status;
}

/* By part, as functions for slots that are not there yet take them. */
static void list_parts(const rp_exec *exec, rp_slot **out) {
    for (uint32_t i = 0; i < exec->part_count; i++) out[i] = exec->parts[i]->slots;
}

static rp_status create_slots(rp_exec *exec, const rp_exec *from, rp_diags *diags) {
    exec->slots = rp_slots_create(exec);
    if (!exec->slots) return RP_ERROR_NO_MEMORY;
    RP_TRY(
        rp_slots_bind(exec, exec->slots, exec->params.bindings, exec->params.binding_count, diags));
    if (from) RP_TRY(rp_slots_inherit(exec, exec->slots, from, diags));
    bool ordered;
    RP_TRY(rp_slots_place(exec, exec->slots, diags, &ordered));
    RP_TRY(place_parts(exec, diags));
    rp_exec_set_ordered(exec, ordered);
    for (uint32_t s = 0; s < exec->slots_count; s++)
        rp_live_defaults(&exec->live, &exec->slots[s].live);
    if (from) inherit_values(exec, from);
    for (uint32_t s = 0; s < exec->slots_count; s++)
        RP_TRY(rp_live_check(&exec->live, &exec->slots[s].live, diags));
    return RP_OK;
}

/* ---- The whole ------------------------------------------------------------------------------- */

rp_status rp_exec_plan(rp_exec *exec, rp_diags *diags) {
    rp_device *device = exec->device;
    const rp_plan_graph *graph = rp_plan_records(exec->plan, RP_SECTION_GRAPH);
    exec->arena_bytes = graph->arena_bytes;
    RP_TRY(rp_stalls_plan(exec, diags));
    RP_TRY(collect_scopes(exec));
    RP_TRY(rp_wants_create(&device->allocator, exec->plan, &device->adapter.properties.limits,
                           &exec->wants));
    RP_TRY(rp_takeovers_plan(exec));
    RP_TRY(rp_pieces_plan(exec));
    RP_TRY(rp_live_plan(&exec->live, device, exec->plan, &exec->switches, diags));
    return rp_runs_plan(exec, diags);
}

void rp_exec_free_plan(rp_exec *exec) {
    const rp_allocator *a = &exec->device->allocator;
    rp_runs_free(exec);
    rp_live_free(&exec->live);
    rp_release(a, exec->scopes);
    rp_release(a, exec->wants);
    rp_release(a, exec->takeovers);
    rp_release(a, exec->image_barriers);
    rp_release(a, exec->cuts);
}

static rp_status create(rp_exec *exec, const rp_exec_params *params, const rp_exec *from,
                        rp_diags *diags) {
    rp_device *device = exec->device;
    rp_slot *parts[RP_MAX_FORMS];
    RP_TRY(take_params(exec, params, diags));
    RP_TRY(rp_limits_check(device, exec->plan, diags));
    RP_TRY(rp_exec_plan(exec, diags));
    RP_TRY(rp_parts_plan(exec, diags));
    RP_TRY(create_slots(exec, from, diags)); /* before pipelines: it fails fast */
    RP_TRY(create_pipelines(exec, diags));
    RP_TRY(rp_timeline_create(device, diags, &exec->timeline));
    if (exec->pieces > 1) RP_TRY(rp_timeline_create(device, diags, &exec->pieces_timeline));
    list_parts(exec, parts);
    for (uint32_t s = 0; s < exec->slots_count; s++) {
        RP_TRY(rp_slot_prepare(exec, &exec->slots[s], from ? &from->slots[s] : NULL, diags));
        RP_TRY(rp_parts_prepare(exec, parts, s, false, diags));
    }
    uint64_t bytes;
    RP_TRY(rp_slots_memory(exec, exec->slots, parts, &bytes));
    rp_exec_count_memory(exec, bytes);
    /* Last, and certain to succeed: an exec that takes over writes to the other's memory. */
    for (uint32_t s = 0; s < exec->slots_count; s++) {
        RP_TRY(rp_live_refresh(&exec->live, &exec->slots[s].live, diags));
        RP_TRY(rp_forms_choose(exec, &exec->slots[s], s, parts, diags));
    }
    exec->params.bindings = NULL; /* the caller's, like the names of kernels */
    exec->params.binding_count = 0;
    exec->params.kernels = NULL;
    exec->params.kernel_count = 0;
    return RP_OK;
}

static bool init_locks(rp_exec *exec) {
    if (pthread_mutex_init(&exec->mutex, NULL) != 0) return false;
    if (pthread_mutex_init(&exec->delivery, NULL) == 0) {
        if (pthread_cond_init(&exec->delivered, NULL) == 0) return true;
        pthread_mutex_destroy(&exec->delivery);
    }
    pthread_mutex_destroy(&exec->mutex);
    return false;
}

rp_status rp_exec_make(rp_device *device, const rp_plan *plan, const rp_exec_params *params,
                       const rp_exec *from, rp_diags *diags, rp_exec **out_exec) {
    rp_exec *exec = rp_alloc_zero(&device->allocator, 1, sizeof *exec);
    if (!exec) return RP_ERROR_NO_MEMORY;
    if (!init_locks(exec)) {
        rp_release(&device->allocator, exec);
        return RP_ERROR_NO_MEMORY;
    }
    rp_device_retain(device, RP_OBJECT_EXEC);
    exec->device = device;
    exec->plan = rp_plan_retain(plan);
    exec->last_form = RP_UNSET;
    rp_execs_add(exec);
    rp_status status = create(exec, params, from, diags);
    if (status != RP_OK) {
        rp_exec_destroy(exec);
        return status;
    }
    *out_exec = exec;
    return RP_OK;
}

rp_status rp_exec_create(rp_device *device, const rp_plan *plan, const rp_exec_params *params,
                         rp_diags *diags, rp_exec **out_exec) {
    if (!out_exec) return RP_ERROR_USAGE;
    *out_exec = NULL;
    if (!device || !plan) return RP_ERROR_USAGE;
    return rp_exec_make(device, plan, params, NULL, diags, out_exec);
}

void rp_exec_destroy(rp_exec *exec) {
    if (!exec) return;
    rp_device *device = exec->device;
    const rp_vk *vk = &device->vk;
    /* On a lost device nothing is in flight. */
    if (exec->begun.replay && rp_exec_cancel(exec, NULL) != RP_OK)
        (void)rp_exec_wait_pieces(exec, exec->begun.replay, exec->begun.next_piece, UINT64_MAX,
                                  NULL);
    (void)rp_exec_wait_done(exec, &(uint64_t){0}, UINT64_MAX, NULL);
    if (exec->submitted) rp_queues_settle(device);
    rp_copies_free(exec);
    vk->DestroySemaphore(device->handle, exec->timeline, NULL);
    vk->DestroySemaphore(device->handle, exec->pieces_timeline, NULL);
    rp_parts_free(exec);
    rp_slots_free(exec, exec->slots);
    rp_preparation_destroy(exec->pipelines);
    rp_allocator a = device->allocator;
    rp_exec_free_plan(exec);
    rp_release(&a, exec->ranged);
    rp_release(&a, exec->before_set);
    rp_release(&a, exec->begun.signals);
    rp_release(&a, exec->cache_path);
    rp_switches_free(&exec->switches, &a);
    rp_plan_destroy((rp_plan *)exec->plan);
    pthread_cond_destroy(&exec->delivered);
    pthread_mutex_destroy(&exec->delivery);
    pthread_mutex_destroy(&exec->mutex);
    rp_execs_remove(exec);
    rp_device_release(device, RP_OBJECT_EXEC);
    rp_release(&a, exec);
}

rp_status rp_exec_get_scopes(const rp_exec *exec, rp_scopes *out_scopes) {
    rp_scopes own = {0};
    if (!out_scopes || !rp_sized_give(&own, sizeof own, out_scopes) || !exec) return RP_ERROR_USAGE;
    rp_exec_lock(exec);
    uint32_t scopes = rp_slots_scopes(exec);
    rp_exec_unlock(exec);
    VkMemoryBarrier2 barrier;
    if (!rp_barrier_lower(scopes, scopes, 0, false, &barrier)) return RP_OK;
    own.stages = barrier.srcStageMask;
    own.writes = barrier.srcAccessMask; /* a source scope names accesses that write only */
    own.reads = barrier.dstAccessMask & ~barrier.srcAccessMask;
    (void)rp_sized_give(&own, sizeof own, out_scopes);
    return RP_OK;
}

const rp_preparation *rp_exec_get_preparation(const rp_exec *exec) {
    if (!exec) return NULL;
    rp_exec_lock(exec);
    const rp_preparation *preparation = exec->pipelines;
    rp_exec_unlock(exec);
    return preparation;
}
