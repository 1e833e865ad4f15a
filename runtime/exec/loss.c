/* A lost device: what is known of where.
 *
 * Vulkan tells that the device is gone, not where it was. Three sources know more. With markers
 * (rp_exec_params.markers) the GPU notes how far each slot's replay came: by the driver's own
 * checkpoints or markers where the device has them, which let nodes overlap as without; or else by
 * a small transfer in front of each node between two full barriers, which do not. And
 * VK_EXT_device_fault has words of the driver's.
 *
 * How far is two numbers: the nodes of the plan, in its order, that had begun, and those that had
 * ended. They stay from one replay of a slot to the next, and begin anew with its first node. Where
 * nodes overlap, each has words of its own for the two: two writes to one word would have to be
 * ordered. */
#include "exec/exec.h"

#include <stdarg.h>
#include <stdio.h>
#include "driver/barrier.h"

/* ---- Markers --------------------------------------------------------------------------------- */

typedef struct progress {
    uint32_t begun, ended;
} progress;

static bool has_checkpoints(const rp_device *device) {
    return device->adapter.extensions & RP_EXTENSION_CHECKPOINTS && device->vk.CmdSetCheckpointNV &&
           device->vk.GetQueueCheckpointData2NV;
}

static bool has_buffer_markers(const rp_device *device) {
    return device->adapter.extensions & RP_EXTENSION_BUFFER_MARKER &&
           device->vk.CmdWriteBufferMarkerAMD;
}

static uint32_t node_count(const rp_exec *exec) {
    return rp_plan_count(exec->plan, RP_SECTION_NODES);
}

rp_status rp_marks_create(const rp_exec *exec, rp_slot *slot, rp_diags *diags) {
    rp_device *device = exec->device;
    if (has_checkpoints(device)) {
        /* Only the addresses are used: one before each node, and one behind the last. */
        slot->marks.checkpoints = rp_alloc(&device->allocator, (size_t)node_count(exec) + 1, 1);
        return slot->marks.checkpoints ? RP_OK : RP_ERROR_NO_MEMORY;
    }
    /* Memory of the host's own: what the device had is not to be relied on when it is gone. */
    uint64_t size = has_buffer_markers(device) ? (uint64_t)node_count(exec) * sizeof(progress)
                                               : sizeof(progress);
    const rp_storage_wish wish = {
        .purpose = RP_PURPOSE_STAGING, .size = size ? size : sizeof(progress), .name = "markers"};
    RP_TRY(rp_storage_allocate(device, &wish, 1, diags, &slot->marks.storage));
    memset(slot->marks.storage->mapped, 0, wish.size);
    return RP_OK;
}

void rp_marks_free(const rp_exec *exec, rp_slot *slot) {
    rp_storage_drop(slot->marks.storage);
    rp_release(&exec->device->allocator, slot->marks.checkpoints);
    slot->marks = (rp_marks){0};
}

/* Writes both numbers, with everything before it done and nothing behind it begun. */
static void write_progress(const rp_vk *vk, const rp_storage *storage, VkCommandBuffer commands,
                           progress now) {
    rp_barrier_full(vk, commands);
    vk->CmdUpdateBuffer(commands, storage->handle, storage->offset, sizeof now, &now);
    rp_barrier_full(vk, commands);
}

/* The words of all nodes are zero when the first begins. */
static void clear_markers(const rp_vk *vk, const rp_storage *storage, VkCommandBuffer commands) {
    rp_barrier_full(vk, commands);
    vk->CmdFillBuffer(commands, storage->handle, storage->offset, storage->size, 0);
    rp_barrier_full(vk, commands);
}

static void write_marker(const rp_vk *vk, const rp_storage *storage, VkCommandBuffer commands,
                         VkPipelineStageFlagBits stage, size_t member, uint32_t node) {
    vk->CmdWriteBufferMarkerAMD(commands, stage, storage->handle,
                                storage->offset + node * sizeof(progress) + member, 1);
}

void rp_marks_begin(const rp_exec *exec, const rp_slot *slot, VkCommandBuffer commands,
                    uint32_t node) {
    const rp_vk *vk = &exec->device->vk;
    const rp_marks *marks = &slot->marks;
    if (marks->checkpoints)
        vk->CmdSetCheckpointNV(commands, marks->checkpoints + node);
    else if (marks->storage && has_buffer_markers(exec->device)) {
        if (node == 0) clear_markers(vk, marks->storage, commands);
        write_marker(vk, marks->storage, commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT,
                     offsetof(progress, begun), node);
    } else if (marks->storage)
        write_progress(vk, marks->storage, commands, (progress){node + 1, node});
}

void rp_marks_end(const rp_exec *exec, const rp_slot *slot, VkCommandBuffer commands,
                  uint32_t node) {
    const rp_vk *vk = &exec->device->vk;
    const rp_marks *marks = &slot->marks;
    bool last = node + 1 == node_count(exec);
    if (marks->checkpoints && last)
        vk->CmdSetCheckpointNV(commands, marks->checkpoints + node + 1);
    else if (marks->storage && has_buffer_markers(exec->device))
        write_marker(vk, marks->storage, commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT,
                     offsetof(progress, ended), node);
    else if (marks->storage && last)
        write_progress(vk, marks->storage, commands, (progress){node + 1, node + 1});
}

/* ---- Reading them ---------------------------------------------------------------------------- */

enum { MAX_CHECKPOINTS = 16 };

/* The last checkpoint that a replay passed on its way in says what had begun, the last one on its
 * way out what had ended before it. False when the queue was at none of this slot's. */
static bool read_checkpoints(const rp_exec *exec, const rp_slot *slot, progress *out) {
    rp_device *device = exec->device;
    VkCheckpointData2NV data[MAX_CHECKPOINTS];
    for (uint32_t i = 0; i < MAX_CHECKPOINTS; i++)
        data[i] = (VkCheckpointData2NV){.sType = VK_STRUCTURE_TYPE_CHECKPOINT_DATA_2_NV};
    uint32_t count = MAX_CHECKPOINTS;
    device->vk.GetQueueCheckpointData2NV(device->queue, &count, data);
    bool found = false;
    for (uint32_t i = 0; i < count; i++) {
        uintptr_t at = (uintptr_t)data[i].pCheckpointMarker, first;
        first = (uintptr_t)slot->marks.checkpoints;
        if (at < first || at - first > node_count(exec)) continue;
        uint32_t node = (uint32_t)(at - first);
        found = true;
        if (data[i].stage == VK_PIPELINE_STAGE_2_BOTTOM_OF_PIPE_BIT)
            out->ended = node;
        else if (data[i].stage == VK_PIPELINE_STAGE_2_TOP_OF_PIPE_BIT)
            out->begun = node < node_count(exec) ? node + 1 : node;
    }
    return found;
}

/* The last node that had begun, and the first that had not ended. */
static void read_markers(const rp_exec *exec, const rp_slot *slot, progress *out) {
    uint32_t count = node_count(exec);
    for (uint32_t i = 0; i < count; i++) {
        progress node;
        memcpy(&node, slot->marks.storage->mapped + i * sizeof node, sizeof node);
        if (node.begun) out->begun = i + 1;
        if (node.ended && out->ended == i) out->ended = i + 1;
    }
}

/* How far the slot's replay came. False when nothing tells. */
static bool read_progress(const rp_exec *exec, const rp_slot *slot, progress *out) {
    *out = (progress){0};
    if (slot->marks.checkpoints) {
        if (!read_checkpoints(exec, slot, out)) return false;
    } else if (slot->marks.storage && has_buffer_markers(exec->device)) {
        read_markers(exec, slot, out);
    } else if (slot->marks.storage) {
        memcpy(out, slot->marks.storage->mapped, sizeof *out);
    } else {
        return false;
    }
    if (out->begun > node_count(exec) || out->ended > node_count(exec)) return false;
    if (out->ended > out->begun) out->ended = 0; /* of the replay before */
    return true;
}

/* ---- Words ----------------------------------------------------------------------------------- */

typedef struct words {
    char *text;
    size_t size, at;
} words;

RP_PRINTF(2, 3)
static void add(words *w, const char *format, ...) {
    va_list args;
    if (w->at >= w->size) return;
    va_start(args, format);
    w->at += (size_t)vsnprintf(w->text + w->at, w->size - w->at, format, args);
    va_end(args);
}

/* "n12 (run @scale, label a/b)" */
static void add_node(words *w, const rp_exec *exec, uint32_t index) {
    const rp_plan *plan = exec->plan;
    const rp_plan_node *node = &rp_plan_nodes(plan)[index];
    add(w, "n%u (%s", node->id, rp_node_kind_name((rp_node_kind)node->kind));
    if (node->kind == RP_RUN)
        add(w, " @%.60s", rp_plan_string(plan, rp_plan_kernels(plan)[node->kernel].name));
    if (node->label != UINT32_MAX) add(w, ", label %.60s", rp_plan_string(plan, node->label));
    add(w, ")");
}

static void add_slot(words *w, const rp_exec *exec, uint32_t index) {
    progress p;
    add(w, "; ");
    if (exec->slots_count > 1) add(w, "slot %u: ", index);
    const rp_slot *slot = &exec->slots[index];
    exec = rp_form_exec(exec, slot->ran);
    if (!read_progress(exec, &exec->slots[index], &p)) {
        add(w, "the markers do not say at which node");
    } else if (p.ended == p.begun && (p.begun == 0 || p.begun == node_count(exec))) {
        add(w, "none of its nodes had begun, or all had ended");
    } else if (p.ended == p.begun) {
        add_node(w, exec, p.ended - 1);
        add(w, " had ended, the next had not begun");
    } else {
        add_node(w, exec, p.ended);
        if (p.begun - p.ended > 1) {
            add(w, " to ");
            add_node(w, exec, p.begun - 1);
        }
        add(w, " had begun and not ended");
    }
}

static void add_replays(words *w, const rp_exec *exec) {
    const rp_plan_graph *graph = rp_plan_records(exec->plan, RP_SECTION_GRAPH);
    const char *name = rp_plan_string(exec->plan, graph->name);
    bool in_flight = exec->own > exec->completed;
    if (in_flight)
        add(w,
            "the device was lost with replay %llu of %.100s in flight, %llu replays were known to "
            "be done",
            (unsigned long long)exec->own, name, (unsigned long long)exec->completed);
    else
        add(w, "the device was lost with no replay of %.100s in flight", name);
    for (uint32_t s = 0; s < exec->slots_count; s++)
        if (exec->slots[s].reserved && exec->slots[s].replay > exec->completed)
            add(w, "; replay %llu was the application's to submit",
                (unsigned long long)exec->slots[s].replay);
    if (in_flight && !exec->params.markers)
        add(w, "; rp_exec_params.markers has the device note at which node");
    for (uint32_t s = 0; s < exec->slots_count && exec->params.markers; s++)
        if (exec->slots[s].replay > exec->completed) add_slot(w, exec, s);
}

enum { MAX_FAULTS = 4 };

static const char *address_name(VkDeviceFaultAddressTypeEXT type) {
    switch (type) {
    case VK_DEVICE_FAULT_ADDRESS_TYPE_READ_INVALID_EXT: return "read at";
    case VK_DEVICE_FAULT_ADDRESS_TYPE_WRITE_INVALID_EXT: return "write at";
    case VK_DEVICE_FAULT_ADDRESS_TYPE_EXECUTE_INVALID_EXT: return "execution at";
    case VK_DEVICE_FAULT_ADDRESS_TYPE_INSTRUCTION_POINTER_UNKNOWN_EXT:
    case VK_DEVICE_FAULT_ADDRESS_TYPE_INSTRUCTION_POINTER_INVALID_EXT:
    case VK_DEVICE_FAULT_ADDRESS_TYPE_INSTRUCTION_POINTER_FAULT_EXT: return "instruction at";
    default: return "address";
    }
}

/* What the driver itself has to say. */
static void add_fault(words *w, rp_device *device) {
    if (!(device->adapter.features & RP_FEATURE_DEVICE_FAULT) || !device->vk.GetDeviceFaultInfoEXT)
        return;
    VkDeviceFaultCountsEXT counts = {.sType = VK_STRUCTURE_TYPE_DEVICE_FAULT_COUNTS_EXT};
    if (device->vk.GetDeviceFaultInfoEXT(device->handle, &counts, NULL) < 0) return;
    VkDeviceFaultAddressInfoEXT addresses[MAX_FAULTS];
    VkDeviceFaultVendorInfoEXT vendors[MAX_FAULTS];
    VkDeviceFaultInfoEXT info = {.sType = VK_STRUCTURE_TYPE_DEVICE_FAULT_INFO_EXT,
                                 .pAddressInfos = addresses,
                                 .pVendorInfos = vendors};
    if (counts.addressInfoCount > MAX_FAULTS) counts.addressInfoCount = MAX_FAULTS;
    if (counts.vendorInfoCount > MAX_FAULTS) counts.vendorInfoCount = MAX_FAULTS;
    counts.vendorBinarySize = 0;
    if (device->vk.GetDeviceFaultInfoEXT(device->handle, &counts, &info) < 0) return;
    add(w, "; the driver says: %.200s", info.description);
    for (uint32_t i = 0; i < counts.addressInfoCount; i++)
        add(w, ", %s %#llx", address_name(addresses[i].addressType),
            (unsigned long long)addresses[i].reportedAddress);
    for (uint32_t i = 0; i < counts.vendorInfoCount; i++)
        add(w, ", %.100s (code %#llx, %#llx)", vendors[i].description,
            (unsigned long long)vendors[i].vendorFaultCode,
            (unsigned long long)vendors[i].vendorFaultData);
}

rp_status rp_exec_note_loss(rp_exec *exec, rp_status status) {
    if (status != RP_ERROR_DEVICE_LOST || exec->lost) return status;
    words w = {exec->lost_text, sizeof exec->lost_text, 0};
    exec->lost = true;
    add_replays(&w, exec);
    add_fault(&w, exec->device);
    return status;
}

rp_status rp_exec_report_loss(const rp_exec *exec, rp_diags *diags) {
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s", exec->lost_text);
    return RP_ERROR_DEVICE_LOST;
}
