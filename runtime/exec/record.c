/* Recording: the plan, group by group, as one command buffer.
 *
 * What is already bound is not bound again (pipeline/bound.h). Everything that changes between
 * replays is read from memory by the GPU, so a recorded buffer is good for every replay; it may be
 * submitted again while it is still in flight, and the plan's first barrier then orders the two. */
#include "exec/exec.h"

#include "driver/barrier.h"
#include "exec/copies.h"
#include "exec/runs.h"
#include "pipeline/bound.h"

typedef struct recorder {
    const rp_exec *exec;
    const rp_slot *slot;
    const rp_plan *plan;
    const rp_vk *vk;
    VkCommandBuffer commands;
    rp_recording recording;
    rp_bound bound;
    uint32_t label; /* string of the open label; UINT32_MAX */
} recorder;

/* The barrier of a boundary, and those of the images there, in one command. `orders`: with the plan's
 * barrier; there may be none to record, and images all the same. */
static void record_barrier(recorder *r, uint32_t index, bool orders) {
    bool tagged = r->recording != RP_RECORD_BARRIERS;
    const rp_plan_barrier *barriers =
        rp_plan_records(r->plan, tagged ? RP_SECTION_TAGGED_BARRIERS : RP_SECTION_BARRIERS);
    rp_barrier b = barriers[index];
    /* The host reads the word of stalls. */
    bool last = tagged && index == rp_plan_count(r->plan, RP_SECTION_GROUPS);
    if (last) b = (rp_barrier){b.src | RP_SCOPE_COMPUTE_W, b.dst | RP_SCOPE_HOST_R};
    VkMemoryBarrier2 barrier;
    (void)rp_barrier_lower(orders ? b.src : 0, b.dst, r->exec->device->quirks,
                           last || r->slot->results_mapped, &barrier);
    uint32_t images = rp_boundary_images(r->exec, r->slot, index, &barrier);
    const VkDependencyInfo info = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                   .memoryBarrierCount = barrier.srcStageMask != 0,
                                   .pMemoryBarriers = &barrier,
                                   .imageMemoryBarrierCount = images,
                                   .pImageMemoryBarriers = r->exec->image_barriers};
    if (info.memoryBarrierCount || images) r->vk->CmdPipelineBarrier2(r->commands, &info);
}

/* A label spans neighbouring nodes that carry it: nodes have moved since the scopes were opened. */
static void record_label(recorder *r, uint32_t label) {
    if (!r->exec->device->instance.debug_utils || !r->vk->CmdBeginDebugUtilsLabelEXT ||
        !r->vk->CmdEndDebugUtilsLabelEXT || label == r->label)
        return;
    if (r->label != UINT32_MAX) r->vk->CmdEndDebugUtilsLabelEXT(r->commands);
    r->label = label;
    if (label == UINT32_MAX) return;
    const VkDebugUtilsLabelEXT info = {.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_LABEL_EXT,
                                       .pLabelName = rp_plan_string(r->plan, label)};
    r->vk->CmdBeginDebugUtilsLabelEXT(r->commands, &info);
}

static void bind_sets(recorder *r, uint32_t node_index) {
    const rp_descriptors *descriptors = &r->slot->descriptors;
    const uint32_t *wanted = descriptors->node_sets + descriptors->of_node[node_index];
    for (uint32_t set = 0; set < r->bound.layout->set_count; set++)
        if (wanted[set] != RP_UNSET)
            rp_bind_set(&r->bound, set, descriptors->sets[wanted[set]].handle);
}

/* The first address of a node, or of one behind it: they are in order of nodes. */
static uint32_t first_address(const rp_plan *plan, uint32_t node) {
    const rp_plan_address *addresses = rp_plan_records(plan, RP_SECTION_ADDRESSES);
    uint32_t low = 0, high = rp_plan_count(plan, RP_SECTION_ADDRESSES);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (addresses[middle].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Addresses are known where buffers lie: what is recorded holds for these places alone. */
static void put_addresses(const recorder *r, const rp_plan_node *node, uint32_t index,
                          uint8_t *data) {
    const rp_plan_address *addresses = rp_plan_records(r->plan, RP_SECTION_ADDRESSES);
    uint32_t count = rp_plan_count(r->plan, RP_SECTION_ADDRESSES);
    for (uint32_t i = first_address(r->plan, index); i < count && addresses[i].node == index; i++) {
        const rp_plan_use *use = &rp_plan_uses(r->plan)[node->first_use + addresses[i].use];
        const rp_place *place = &r->slot->places[use->buffer];
        const VkBufferDeviceAddressInfo info = {
            .sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO, .buffer = place->handle};
        uint64_t address = r->vk->GetBufferDeviceAddress(r->exec->device->handle, &info) +
                           place->offset + use->offset + addresses[i].offset;
        memcpy(data + addresses[i].at, &address, sizeof address);
    }
}

/* Zeros behind the node's bytes. */
static void push_constants(recorder *r, const rp_plan_node *node, uint32_t index) {
    uint8_t data[RP_MAX_PUSH_BYTES] = {0};
    const uint8_t *bytes = rp_plan_records(r->plan, RP_SECTION_BYTES);
    memcpy(data, bytes + node->first_byte, node->byte_count);
    put_addresses(r, node, index, data);
    uint32_t tag = rp_recording_tag(r->recording);
    if (rp_node_is_tagged(r->plan, node)) memcpy(data, &tag, sizeof tag);
    rp_bind_push(&r->bound, data, rp_plan_kernels(r->plan)[node->kernel].push_bytes);
}

/* What a run is pushed is the tag alone, which is never 0. */
static void record_joined(recorder *r, const rp_run *run) {
    const rp_preparation *pipelines = r->exec->runs.pipelines;
    uint32_t tag = rp_recording_tag(r->recording);
    rp_bind_pipeline(&r->bound, rp_prepared_pipeline(pipelines, run->kernel),
                     rp_prepared_layout(pipelines, run->kernel));
    rp_bind_set(&r->bound, 0, r->slot->run_sets.of[run - r->exec->runs.items]);
    rp_bind_push(&r->bound, &tag, sizeof tag);
    r->vk->CmdDispatch(r->commands, run->workgroups, 1, 1);
}

static void record_run(recorder *r, const rp_plan_node *node, uint32_t index) {
    const rp_run *run = rp_run_at(r->exec, r->slot, r->recording, index);
    if (run && run->phases == 1) {
        record_joined(r, run);
        return;
    }
    const rp_preparation *pipelines = r->exec->pipelines;
    uint32_t kernel = r->exec->first_kernel + node->kernel;
    rp_bind_pipeline(&r->bound, rp_prepared_pipeline(pipelines, kernel),
                     rp_prepared_layout(pipelines, kernel));
    bind_sets(r, index);
    push_constants(r, node, index);
    const rp_live *live = &r->exec->live;
    if (live->of_node[index] != RP_UNSET) {
        const rp_place *block = &r->slot->live_block;
        r->vk->CmdDispatchIndirect(r->commands, block->handle,
                                   block->offset + live->grids[live->of_node[index]].offset);
    } else if (node->grid_kind == RP_GRID_INDIRECT) {
        const rp_plan_use *use = &rp_plan_uses(r->plan)[node->first_use + node->use_count - 1];
        const rp_place *place = &r->slot->places[use->buffer];
        r->vk->CmdDispatchIndirect(r->commands, place->handle, place->offset + use->offset);
    } else {
        r->vk->CmdDispatch(r->commands, node->grid[0], node->grid[1], node->grid[2]);
    }
}

static bool has_image(const recorder *r, const rp_plan_node *node) {
    for (uint32_t i = 0; i < node->use_count; i++)
        if (rp_plan_is_image(
                &rp_plan_buffers(r->plan)[rp_plan_uses(r->plan)[node->first_use + i].buffer]))
            return true;
    return false;
}

static void record_transfer(recorder *r, const rp_plan_node *node) {
    const rp_plan_use *uses = rp_plan_uses(r->plan) + node->first_use;
    const rp_plan_use *to_use = &uses[node->use_count - 1];
    if (has_image(r, node)) {
        rp_record_image_node(r->exec, r->slot, node, r->commands);
        return;
    }
    const rp_place *to = &r->slot->places[to_use->buffer];
    uint64_t offset = to->offset + to_use->offset;
    if (node->kind == RP_FILL) {
        r->vk->CmdFillBuffer(r->commands, to->handle, offset, to_use->size, node->pattern);
    } else if (node->kind == RP_UPDATE) {
        const uint8_t *bytes = rp_plan_records(r->plan, RP_SECTION_BYTES);
        r->vk->CmdUpdateBuffer(r->commands, to->handle, offset, to_use->size,
                               bytes + node->first_byte);
    } else {
        const rp_place *from = &r->slot->places[uses[0].buffer];
        const VkBufferCopy region = {
            .srcOffset = from->offset + uses[0].offset, .dstOffset = offset, .size = to_use->size};
        r->vk->CmdCopyBuffer(r->commands, from->handle, to->handle, 1, &region);
    }
}

static void record_node(recorder *r, uint32_t index) {
    const rp_plan_node *node = &rp_plan_nodes(r->plan)[index];
    record_label(r, node->label);
    rp_marks_begin(r->exec, r->slot, r->commands, index);
    switch ((rp_node_kind)node->kind) {
    case RP_RUN: record_run(r, node, index); break;
    case RP_COPY:
    case RP_FILL:
    case RP_UPDATE:
    case RP_BLIT:
    case RP_CLEAR: record_transfer(r, node); break;
    case RP_FENCE: break; /* its order is in the barriers */
    case RP_OP: break;    /* no plan holds one */
    }
    rp_marks_end(r->exec, r->slot, r->commands, index);
}

/* Records groups [first, end). A boundary's barrier opens the group behind it, so that in a piece
 * of its own it stands in front; its first scope is everything earlier in submission order, of the
 * pieces before too. */
static void record_groups(recorder *r, uint32_t first, uint32_t end, bool follows,
                          VkQueryPool queries) {
    const rp_plan_group *groups = rp_plan_records(r->plan, RP_SECTION_GROUPS);
    uint32_t group_count = rp_plan_count(r->plan, RP_SECTION_GROUPS);
    /* Both timestamps wait for what came before: the first for the previous replay. Where replays may overlap it
     * is written when the queue comes to it, and keeps nothing waiting. */
    const VkPipelineStageFlags2 all = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT;
    if (queries && first == 0) {
        r->vk->CmdResetQueryPool(r->commands, queries, 0, 2);
        r->vk->CmdWriteTimestamp2(r->commands, follows ? all : VK_PIPELINE_STAGE_2_TOP_OF_PIPE_BIT,
                                  queries, 0);
    }
    for (uint32_t g = first; g < end; g++) {
        record_barrier(r, g, g > 0 || follows);
        const rp_run *run = rp_run_at(r->exec, r->slot, r->recording, groups[g].first_node);
        if (run && run->phases > 1) {
            record_label(r, rp_plan_nodes(r->plan)[run->first_node].label);
            record_joined(r, run);
            g = run->end_group - 1;
            continue;
        }
        for (uint32_t i = 0; i < groups[g].node_count; i++)
            record_node(r, groups[g].first_node + i);
    }
    record_label(r, UINT32_MAX);
    if (end < group_count) return;
    record_barrier(r, group_count, true);
    if (queries) r->vk->CmdWriteTimestamp2(r->commands, all, queries, 1);
}

static recorder recorder_of(const rp_exec *exec, const rp_slot *slot, rp_recording recording,
                            VkCommandBuffer commands) {
    return (recorder){.exec = exec,
                      .recording = recording,
                      .slot = slot,
                      .plan = exec->plan,
                      .vk = &exec->device->vk,
                      .commands = commands,
                      .label = UINT32_MAX};
}

void rp_record(const rp_exec *exec, const rp_slot *slot, rp_recording recording, uint32_t first,
               uint32_t end, bool follows, VkQueryPool queries, VkCommandBuffer commands) {
    recorder r = recorder_of(exec, slot, recording, commands);
    rp_bound_begin(&r.bound, r.vk, commands);
    record_groups(&r, first, end, follows, queries);
}

/* ---- Twins ----------------------------------------------------------------------------------- */

/* The same commands with timestamps among them, for profile.c. They begin and end with a full
 * barrier, whatever the plan leaves to semaphores. */
typedef struct stamper {
    recorder r;
    VkQueryPool queries;
    uint32_t next;
} stamper;

/* Written when everything before it is done. */
static void stamp(stamper *s) {
    s->r.vk->CmdWriteTimestamp2(s->r.commands, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, s->queries,
                                s->next++);
}

uint32_t rp_twin_stamps(const rp_exec *exec, rp_twin twin) {
    uint32_t groups = rp_plan_count(exec->plan, RP_SECTION_GROUPS);
    if (twin == RP_TWIN_GROUPS) return groups + 2;
    if (twin == RP_TWIN_BARRIERS) return 2 * (groups + 1);
    return 2 * (rp_plan_count(exec->plan, RP_SECTION_NODES) + 1);
}

/* Two timestamps in front, then one behind each group and its barrier; `both`: and one between the two. */
static void record_group_twin(stamper *s, bool both) {
    const rp_plan_group *groups = rp_plan_records(s->r.plan, RP_SECTION_GROUPS);
    uint32_t count = rp_plan_count(s->r.plan, RP_SECTION_GROUPS);
    record_barrier(&s->r, 0, false); /* a full one stands in front */
    stamp(s);
    stamp(s);
    for (uint32_t g = 0; g < count; g++) {
        for (uint32_t i = 0; i < groups[g].node_count; i++)
            record_node(&s->r, groups[g].first_node + i);
        if (both) stamp(s);
        record_barrier(&s->r, g + 1, true);
        stamp(s);
    }
}

/* Two timestamps with nothing between, then two around each node. */
static void record_node_twin(stamper *s) {
    const rp_plan_group *groups = rp_plan_records(s->r.plan, RP_SECTION_GROUPS);
    uint32_t count = rp_plan_count(s->r.plan, RP_SECTION_GROUPS);
    stamp(s);
    stamp(s);
    for (uint32_t g = 0; g < count; g++) {
        record_barrier(&s->r, g, false);
        for (uint32_t i = 0; i < groups[g].node_count; i++) {
            rp_barrier_full(s->r.vk, s->r.commands);
            stamp(s);
            record_node(&s->r, groups[g].first_node + i);
            stamp(s);
        }
    }
    record_barrier(&s->r, count, false);
}

void rp_record_twin(const rp_exec *exec, const rp_slot *slot, rp_twin twin, VkQueryPool queries,
                    VkCommandBuffer commands) {
    stamper s = {.r = recorder_of(exec, slot, RP_RECORD_BARRIERS, commands), .queries = queries};
    rp_bound_begin(&s.r.bound, s.r.vk, commands);
    rp_barrier_full(s.r.vk, commands);
    s.r.vk->CmdResetQueryPool(commands, queries, 0, rp_twin_stamps(exec, twin));
    if (twin == RP_TWIN_NODES)
        record_node_twin(&s);
    else
        record_group_twin(&s, twin == RP_TWIN_BARRIERS);
    record_label(&s.r, UINT32_MAX);
    rp_barrier_full(s.r.vk, commands);
}

/* ---- For the application -------------------------------------------------------------------- */

/* From now on there may be replays that only the application knows of: what moves between the host
 * and the buffers goes through the queue. */
static rp_status give_commands(rp_exec *exec, rp_diags *diags) {
    RP_TRY(rp_copies_secure(exec, RP_ALL_SLOTS, diags));
    exec->commands_given = true;
    return RP_OK;
}

/* All of the form that the slot's live values ask for. What ran before may have been another. */
static void record_form(const rp_exec *exec, const rp_slot *slot, VkCommandBuffer commands) {
    const rp_exec *form = rp_form_exec(exec, slot->form);
    if (form->of_forms) rp_barrier_full(&exec->device->vk, commands);
    rp_record(form, rp_form_slot(exec, slot, slot->form), RP_RECORD_BARRIERS, 0,
              form->cuts[form->pieces], true, VK_NULL_HANDLE, commands);
}

rp_status rp_exec_record(rp_exec *exec, uint32_t slot, void *command_buffer, rp_diags *diags) {
    if (!exec || !command_buffer) return RP_ERROR_USAGE;
    if (slot >= exec->slots_count) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "the exec has %u slots, there is no slot %u",
                     exec->slots_count, slot);
        return RP_ERROR_USAGE;
    }
    rp_exec_lock(exec);
    rp_status status =
        rp_prepared_wait(exec->pipelines, RP_UNSET, RP_PIPELINE_RARE, UINT64_MAX, diags);
    if (status == RP_OK) status = give_commands(exec, diags);
    if (status == RP_OK) record_form(exec, &exec->slots[slot], command_buffer);
    rp_exec_unlock(exec);
    return status;
}

void *rp_exec_command_buffer(rp_exec *exec, uint32_t slot, uint32_t piece) {
    if (!exec) return NULL;
    rp_exec_lock(exec);
    bool inside = slot < exec->slots_count && piece < exec->pieces;
    rp_slot *own = NULL;
    if (inside) own = rp_form_slot(exec, &exec->slots[slot], exec->slots[slot].form);
    bool recorded =
        inside &&
        rp_slot_record((rp_exec *)rp_form_exec(exec, exec->slots[slot].form), own, NULL) == RP_OK &&
        give_commands(exec, NULL) == RP_OK;
    void *commands = recorded ? own->commands[piece] : NULL;
    if (recorded && piece == 0 && own->given) commands = own->given;
    rp_exec_unlock(exec);
    return commands;
}
