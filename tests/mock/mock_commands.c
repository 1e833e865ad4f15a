/* The fake driver's command buffers: text for the tests, and the transfers among the commands. */
#include "mock_recording.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *mock_commands(const void *command_buffer) {
    return ((const mock_command_buffer *)command_buffer)->text.bytes;
}

const char *mock_effects(const void *command_buffer) {
    const char *bytes = ((const mock_command_buffer *)command_buffer)->effects.bytes;
    return bytes ? bytes : "";
}

bool mock_only_barrier(const void *command_buffer, VkMemoryBarrier2 *out) {
    const mock_command_buffer *commands = command_buffer;
    if (commands->ops_count != 1 || commands->ops[0].buffer) return false;
    *out = commands->ops[0].barrier;
    return true;
}

static void add_text(mock_text *text, const char *format, va_list args) {
    char line[2048];
    int length = vsnprintf(line, sizeof line, format, args);
    if (length >= (int)sizeof line) abort();
    if (text->size + (size_t)length + 1 > text->capacity) {
        text->capacity = (text->capacity + (size_t)length + 1) * 2;
        text->bytes = realloc(text->bytes, text->capacity);
        if (!text->bytes) abort();
    }
    memcpy(text->bytes + text->size, line, (size_t)length + 1);
    text->size += (size_t)length;
}

static void append(VkCommandBuffer handle, const char *format, ...) {
    mock_command_buffer *commands = (mock_command_buffer *)handle;
    if (!commands->recording) mock_wrong("a command outside of recording");
    va_list args;
    va_start(args, format);
    add_text(&commands->text, format, args);
    va_end(args);
}

/* What has an effect of its own; the rest is part of a later one. */
void mock_append_effect(VkCommandBuffer handle, const char *format, ...) {
    mock_command_buffer *commands = (mock_command_buffer *)handle;
    if (!commands->recording) mock_wrong("a command outside of recording");
    va_list args;
    va_start(args, format);
    add_text(&commands->text, format, args);
    va_end(args);
    va_start(args, format);
    add_text(&commands->effects, format, args);
    va_end(args);
}

static void add_effect(mock_command_buffer *commands, const char *format, ...) {
    va_list args;
    va_start(args, format);
    add_text(&commands->effects, format, args);
    va_end(args);
}

static void clear(mock_command_buffer *commands) {
    for (uint32_t i = 0; i < commands->count; i++) free(commands->transfers[i].data);
    commands->count = commands->ops_count = commands->commands = 0;
    commands->pipeline = NULL;
    memset(commands->sets, 0, sizeof commands->sets);
    commands->push_size = 0;
    commands->text.size = commands->effects.size = 0;
    if (commands->text.bytes) *commands->text.bytes = '\0';
    if (commands->effects.bytes) *commands->effects.bytes = '\0';
}

void mock_add_op(VkCommandBuffer handle, mock_op op) {
    mock_command_buffer *commands = (mock_command_buffer *)handle;
    if (commands->ops_count == commands->ops_capacity) {
        commands->ops_capacity = commands->ops_capacity * 2 + 16;
        commands->ops = realloc(commands->ops, commands->ops_capacity * sizeof op);
        if (!commands->ops) abort();
    }
    op.command = commands->commands;
    commands->ops[commands->ops_count++] = op;
}

/* A range that the command that is being recorded uses by itself. */
void mock_add_range(VkCommandBuffer handle, VkBuffer buffer, uint64_t lo, uint64_t size,
                    uint32_t scopes) {
    mock_add_op(
        handle,
        (mock_op){.buffer = (mock_buffer *)buffer, .lo = lo, .hi = lo + size, .scopes = scopes});
}

/* What a dispatch does with what is bound; its own line comes behind. */
static void add_bindings(VkCommandBuffer handle) {
    static const uint32_t scopes[] = {[RP_READ] = MOCK_COMPUTE_R,
                                      [RP_WRITE] = MOCK_COMPUTE_W,
                                      [RP_READ_WRITE] = MOCK_COMPUTE_R | MOCK_COMPUTE_W,
                                      [RP_UNIFORM] = MOCK_COMPUTE_U,
                                      [RP_SAMPLED] = MOCK_COMPUTE_S};
    mock_command_buffer *commands = (mock_command_buffer *)handle;
    const mock_pipeline *pipeline = commands->pipeline;
    if (!pipeline) mock_wrong("a dispatch without a pipeline");
    if (pipeline) add_effect(commands, "p%u push ", pipeline->number);
    for (uint32_t i = 0; i < commands->push_size; i++)
        add_effect(commands, "%02x", commands->push[i]);
    for (uint32_t i = 0; pipeline && i < pipeline->param_count; i++) {
        const mock_param *param = &pipeline->params[i];
        mock_set *set = param->set < 32 ? commands->sets[param->set] : NULL;
        if (!set) {
            mock_wrong("a dispatch without a set that its kernel uses");
            continue;
        }
        if (param->binding >= MOCK_BINDINGS) continue;
        const VkDescriptorBufferInfo *info = &set->bindings[param->binding];
        mock_view *view = set->views[param->binding];
        if (view) {
            add_effect(commands, " %u.%u %s%u+%llu %llu ", param->set, param->binding,
                       view->image ? "i" : "b", view->of->number, (unsigned long long)view->lo,
                       (unsigned long long)(view->hi - view->lo));
            mock_add_op(handle, (mock_op){.buffer = view->of,
                                          .set = set,
                                          .view = view,
                                          .lo = view->lo,
                                          .hi = view->hi,
                                          .scopes = scopes[param->access]});
            if (view->image) mock_add_transfer(handle)->image = view->image;
            continue;
        }
        if (param->access == RP_SAMPLED) continue; /* a sampler */
        if (!info->buffer) {
            mock_wrong("a dispatch reads a binding that was not written");
            continue;
        }
        mock_buffer *buffer = (mock_buffer *)info->buffer;
        add_effect(commands, " %u.%u b%u+%llu %llu ", param->set, param->binding, buffer->number,
                   (unsigned long long)info->offset, (unsigned long long)info->range);
        mock_add_op(handle, (mock_op){.buffer = buffer,
                                      .set = set,
                                      .lo = info->offset,
                                      .hi = info->offset + info->range,
                                      .scopes = scopes[param->access]});
    }
}

mock_transfer *mock_add_transfer(VkCommandBuffer handle) {
    mock_command_buffer *commands = (mock_command_buffer *)handle;
    commands->transfers =
        realloc(commands->transfers, (commands->count + 1) * sizeof *commands->transfers);
    if (!commands->transfers) abort();
    mock_transfer *t = &commands->transfers[commands->count++];
    *t = (mock_transfer){0};
    return t;
}

/* One that is not shared belongs to the family that used it first. */
static void use_buffer(mock_buffer *buffer, uint32_t family, mock_use use) {
    if (buffer->family && buffer->family != family + 1 && !buffer->concurrent)
        mock_wrong("two queue families use a buffer that is not shared");
    buffer->family = family + 1;
    buffer->use = use;
}

/* Notes what the commands use, and until when. */
static void watch(mock_command_buffer *commands, VkQueue queue, mock_use use) {
    for (uint32_t i = 0; i < mock.family_count; i++)
        if (queue == mock_queue(i) && i != commands->family)
            mock_wrong("commands are submitted to a queue of another family than their pool's");
    if (!commands->simultaneous && mock_in_flight(commands->use))
        mock_wrong("a command buffer is submitted while it is in flight");
    commands->use = use;
    static uint64_t before; /* commands of all that was submitted before */
    for (uint32_t i = 0; i < commands->ops_count; i++) {
        const mock_op *op = &commands->ops[i];
        if (op->buffer) use_buffer(op->buffer, commands->family, use);
        if (op->set) op->set->use = use;
        if (op->view) op->view->use = use;
        if (mock.races) mock_race_op(op, use, before + op->command, queue);
    }
    before += commands->commands + 1;
}

void mock_execute(VkCommandBuffer handle, VkQueue queue, mock_use use) {
    mock_command_buffer *commands = (mock_command_buffer *)handle;
    if (commands->recording) mock_wrong("a command buffer is submitted while it is recorded");
    if (!mock.quiet) watch(commands, queue, use);
    for (uint32_t i = 0; i < commands->count && !mock.lost; i++) {
        const mock_transfer *t = &commands->transfers[i];
        if (mock.lose_after) mock.lost = --mock.lose_after == 0;
        if (t->checkpoint) {
            mock.checkpoints[0] = t->checkpoint;
            if (!mock.lost) mock.checkpoints[1] = t->checkpoint; /* the queue went on behind it */
            continue;
        }
        if (t->transition) mock_image_transition(t->image, t->before, t->after);
        if (t->image && !t->transition) mock_image_use(t->image);
        if (!t->to) continue;
        if (t->to_offset + t->size > t->to->size ||
            (t->from && t->from_offset + t->size > t->from->size)) {
            mock_wrong("a transfer is outside its buffers");
            continue;
        }
        unsigned char *to = t->to->memory->data + t->to->offset + t->to_offset;
        if (t->from)
            memmove(to, t->from->memory->data + t->from->offset + t->from_offset, t->size);
        else if (t->data)
            memcpy(to, t->data, t->size);
        else
            for (uint64_t j = 0; j < t->size; j += 4) memcpy(to + j, &t->pattern, 4);
    }
}

/* ---- Pools and recording --------------------------------------------------------------------- */

VkResult VKAPI_CALL mock_CreateCommandPool(VkDevice device, const VkCommandPoolCreateInfo *info,
                                           const VkAllocationCallbacks *a, VkCommandPool *out) {
    (void)device, (void)a;
    if (mock_fails("vkCreateCommandPool")) return mock.fail_with;
    mock_pool *pool = mock_new(MOCK_COMMAND_POOL, sizeof *pool);
    pool->family = info->queueFamilyIndex;
    *out = (VkCommandPool)pool;
    return VK_SUCCESS;
}

void VKAPI_CALL mock_DestroyCommandPool(VkDevice device, VkCommandPool handle,
                                        const VkAllocationCallbacks *a) {
    (void)device, (void)a;
    mock_pool *pool = (mock_pool *)handle;
    for (uint32_t i = 0; pool && i < pool->count; i++) {
        mock_command_buffer *commands = pool->children[i];
        if (mock_in_flight(commands->use))
            mock_wrong("a command buffer is freed while it is in flight");
        clear(commands);
        free(commands->text.bytes);
        free(commands->effects.bytes);
        free(commands->transfers);
        free(commands->ops);
        mock_delete(commands, MOCK_COMMAND_BUFFER);
    }
    if (pool) free(pool->children);
    mock_delete(pool, MOCK_COMMAND_POOL);
}

VkResult VKAPI_CALL mock_AllocateCommandBuffers(VkDevice device,
                                                const VkCommandBufferAllocateInfo *info,
                                                VkCommandBuffer *out) {
    (void)device;
    if (mock_fails("vkAllocateCommandBuffers")) return mock.fail_with;
    mock_pool *pool = (mock_pool *)info->commandPool;
    pool->children =
        realloc(pool->children, (pool->count + info->commandBufferCount) * sizeof *pool->children);
    if (!pool->children) abort();
    for (uint32_t i = 0; i < info->commandBufferCount; i++) {
        mock_command_buffer *commands = mock_new(MOCK_COMMAND_BUFFER, sizeof *commands);
        commands->family = pool->family;
        pool->children[pool->count++] = commands;
        out[i] = (VkCommandBuffer)commands;
    }
    return VK_SUCCESS;
}

VkResult VKAPI_CALL mock_BeginCommandBuffer(VkCommandBuffer handle,
                                            const VkCommandBufferBeginInfo *info) {
    if (mock_fails("vkBeginCommandBuffer")) return mock.fail_with;
    mock_count(&mock.begins);
    mock_command_buffer *commands = (mock_command_buffer *)handle;
    if (mock_in_flight(commands->use))
        mock_wrong("a command buffer is recorded while it is in flight");
    clear(commands);
    commands->recording = true;
    commands->simultaneous = info->flags & VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT;
    if (commands->simultaneous) append(handle, "simultaneous\n");
    return VK_SUCCESS;
}

VkResult VKAPI_CALL mock_EndCommandBuffer(VkCommandBuffer handle) {
    if (mock_fails("vkEndCommandBuffer")) return mock.fail_with;
    ((mock_command_buffer *)handle)->recording = false;
    return VK_SUCCESS;
}

/* ---- Commands -------------------------------------------------------------------------------- */

static uint32_t number_of(const void *handle) {
    return ((const mock_object *)handle)->number;
}

const char *mock_mask_text(uint64_t stages, uint64_t access, char text[160]) {
    static const struct {
        uint64_t bit;
        const char *name;
    } stage_names[] = {{VK_PIPELINE_STAGE_2_TOP_OF_PIPE_BIT, "top"},
                       {VK_PIPELINE_STAGE_2_DRAW_INDIRECT_BIT, "indirect"},
                       {VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT, "compute"},
                       {VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT, "transfer"},
                       {VK_PIPELINE_STAGE_2_HOST_BIT, "host"},
                       {VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, "all"}},
      access_names[] = {{VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT, "IR"},
                        {VK_ACCESS_2_UNIFORM_READ_BIT, "UR"},
                        {VK_ACCESS_2_TRANSFER_READ_BIT, "TR"},
                        {VK_ACCESS_2_TRANSFER_WRITE_BIT, "TW"},
                        {VK_ACCESS_2_HOST_READ_BIT, "HR"},
                        {VK_ACCESS_2_MEMORY_READ_BIT, "MR"},
                        {VK_ACCESS_2_MEMORY_WRITE_BIT, "MW"},
                        {VK_ACCESS_2_SHADER_STORAGE_READ_BIT, "SR"},
                        {VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT, "SW"},
                        {VK_ACCESS_2_SHADER_SAMPLED_READ_BIT, "SS"}};
    *text = '\0';
    for (size_t i = 0; i < sizeof stage_names / sizeof *stage_names; i++) {
        if (!(stages & stage_names[i].bit)) continue;
        strcat(strcat(text, *text ? "|" : ""), stage_names[i].name);
        stages &= ~stage_names[i].bit;
    }
    for (size_t i = 0; i < sizeof access_names / sizeof *access_names; i++) {
        if (!(access & access_names[i].bit)) continue;
        strcat(strcat(text, ":"), access_names[i].name);
        access &= ~access_names[i].bit;
    }
    if (stages || access) strcat(text, "?");
    return text;
}

/* Ownership of external memory, to or from somebody else. */
static void change_owner(VkCommandBuffer commands, const VkBufferMemoryBarrier2 *barrier) {
    const mock_buffer *buffer = (const mock_buffer *)barrier->buffer;
    uint32_t from = barrier->srcQueueFamilyIndex, to = barrier->dstQueueFamilyIndex;
    bool over = to == VK_QUEUE_FAMILY_EXTERNAL || to == VK_QUEUE_FAMILY_FOREIGN_EXT;
    uint32_t own = over ? from : to, other = over ? to : from;
    if (other != VK_QUEUE_FAMILY_EXTERNAL && other != VK_QUEUE_FAMILY_FOREIGN_EXT)
        mock_wrong("one global barrier at a time is expected");
    if (other == VK_QUEUE_FAMILY_FOREIGN_EXT &&
        !mock_has_extension(VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME))
        mock_wrong("a foreign queue family is named without its extension");
    if (!buffer->handle_types) mock_wrong("a buffer is handed over that nobody else sees");
    if (own != (buffer->concurrent ? VK_QUEUE_FAMILY_IGNORED : mock.queue_family))
        mock_wrong("a buffer is handed over by a queue family that does not own it");
    mock_count(over ? &mock.handed_over : &mock.taken_over);
    mock.other_family = other;
    const VkMemoryBarrier2 scopes = {.srcStageMask = barrier->srcStageMask,
                                     .srcAccessMask = barrier->srcAccessMask,
                                     .dstStageMask = barrier->dstStageMask,
                                     .dstAccessMask = barrier->dstAccessMask};
    mock_add_op(commands, (mock_op){.barrier = scopes});
}

void VKAPI_CALL mock_CmdPipelineBarrier2(VkCommandBuffer commands, const VkDependencyInfo *info) {
    char src[160], dst[160];
    if (info->bufferMemoryBarrierCount == 1 && !info->memoryBarrierCount &&
        !info->imageMemoryBarrierCount) {
        change_owner(commands, info->pBufferMemoryBarriers);
        return;
    }
    if (info->memoryBarrierCount > 1 || info->bufferMemoryBarrierCount ||
        info->memoryBarrierCount + info->imageMemoryBarrierCount == 0)
        mock_wrong("one global barrier at a time is expected");
    for (uint32_t i = 0; i < info->imageMemoryBarrierCount; i++)
        mock_change_layout(commands, &info->pImageMemoryBarriers[i]);
    if (info->memoryBarrierCount == 0) return;
    const VkMemoryBarrier2 *barrier = info->pMemoryBarriers;
    mock_add_op(commands, (mock_op){.barrier = *barrier});
    mock_append_effect(commands, "barrier %s -> %s\n",
                       mock_mask_text(barrier->srcStageMask, barrier->srcAccessMask, src),
                       mock_mask_text(barrier->dstStageMask, barrier->dstAccessMask, dst));
}

/* ---- The state ------------------------------------------------------------------------------- */

void VKAPI_CALL mock_CmdBindPipeline(VkCommandBuffer commands, VkPipelineBindPoint point,
                                     VkPipeline pipeline) {
    (void)point;
    ((mock_command_buffer *)commands)->pipeline = (const mock_pipeline *)pipeline;
    append(commands, "pipeline p%u\n", number_of(pipeline));
}

void VKAPI_CALL mock_CmdBindDescriptorSets(VkCommandBuffer commands, VkPipelineBindPoint point,
                                           VkPipelineLayout layout, uint32_t first, uint32_t count,
                                           const VkDescriptorSet *sets, uint32_t offset_count,
                                           const uint32_t *offsets) {
    (void)point, (void)layout, (void)offset_count, (void)offsets;
    for (uint32_t i = 0; i < count; i++) {
        if (first + i < 32)
            ((mock_command_buffer *)commands)->sets[first + i] = (mock_set *)sets[i];
        append(commands, "set %u s%u\n", first + i, number_of(sets[i]));
    }
}

static void hex(char *text, const unsigned char *bytes, uint64_t size) {
    for (uint64_t i = 0; i < size; i++) sprintf(text + 2 * i, "%02x", bytes[i]);
    text[2 * size] = '\0';
}

void VKAPI_CALL mock_CmdPushConstants(VkCommandBuffer commands, VkPipelineLayout layout,
                                      VkShaderStageFlags stages, uint32_t offset, uint32_t size,
                                      const void *values) {
    (void)layout, (void)stages;
    mock_command_buffer *buffer = (mock_command_buffer *)commands;
    memcpy(buffer->push + offset, values, size);
    if (offset + size > buffer->push_size) buffer->push_size = offset + size;
    char text[513] = "";
    hex(text, values, size > 128 ? 128 : size);
    append(commands, "push %u %s\n", offset, text);
}

void VKAPI_CALL mock_CmdDispatch(VkCommandBuffer commands, uint32_t x, uint32_t y, uint32_t z) {
    ((mock_command_buffer *)commands)->commands++;
    add_bindings(commands);
    mock_append_effect(commands, "dispatch %u %u %u\n", x, y, z);
}

void VKAPI_CALL mock_CmdDispatchIndirect(VkCommandBuffer commands, VkBuffer buffer,
                                         VkDeviceSize offset) {
    if (offset % 4 || offset + 12 > ((mock_buffer *)buffer)->size)
        mock_wrong("indirect grid misplaced");
    ((mock_command_buffer *)commands)->commands++;
    add_bindings(commands);
    mock_add_range(commands, buffer, offset, 12, MOCK_INDIRECT_R);
    mock_append_effect(commands, "indirect b%u+%llu\n", ((mock_buffer *)buffer)->number,
                       (unsigned long long)offset);
}

void VKAPI_CALL mock_CmdCopyBuffer(VkCommandBuffer commands, VkBuffer from, VkBuffer to,
                                   uint32_t count, const VkBufferCopy *regions) {
    ((mock_command_buffer *)commands)->commands++;
    for (uint32_t i = 0; i < count; i++) {
        mock_append_effect(commands, "copy b%u+%llu b%u+%llu %llu\n", ((mock_buffer *)from)->number,
                           (unsigned long long)regions[i].srcOffset, ((mock_buffer *)to)->number,
                           (unsigned long long)regions[i].dstOffset,
                           (unsigned long long)regions[i].size);
        mock_add_range(commands, from, regions[i].srcOffset, regions[i].size, MOCK_TRANSFER_R);
        mock_add_range(commands, to, regions[i].dstOffset, regions[i].size, MOCK_TRANSFER_W);
        mock_transfer *t = mock_add_transfer(commands);
        t->from = (mock_buffer *)from;
        t->to = (mock_buffer *)to;
        t->from_offset = regions[i].srcOffset;
        t->to_offset = regions[i].dstOffset;
        t->size = regions[i].size;
    }
}

void VKAPI_CALL mock_CmdFillBuffer(VkCommandBuffer commands, VkBuffer to, VkDeviceSize offset,
                                   VkDeviceSize size, uint32_t pattern) {
    ((mock_command_buffer *)commands)->commands++;
    mock_add_range(commands, to, offset, size, MOCK_TRANSFER_W);
    mock_append_effect(commands, "fill b%u+%llu %llu %08x\n", ((mock_buffer *)to)->number,
                       (unsigned long long)offset, (unsigned long long)size, pattern);
    mock_transfer *t = mock_add_transfer(commands);
    t->to = (mock_buffer *)to;
    t->to_offset = offset;
    t->size = size;
    t->pattern = pattern;
}

void VKAPI_CALL mock_CmdUpdateBuffer(VkCommandBuffer commands, VkBuffer to, VkDeviceSize offset,
                                     VkDeviceSize size, const void *data) {
    ((mock_command_buffer *)commands)->commands++;
    mock_add_range(commands, to, offset, size, MOCK_TRANSFER_W);
    char text[129];
    hex(text, data, size > 64 ? 64 : size);
    mock_append_effect(commands, "update b%u+%llu %llu %s\n", ((mock_buffer *)to)->number,
                       (unsigned long long)offset, (unsigned long long)size, text);
    mock_transfer *t = mock_add_transfer(commands);
    t->to = (mock_buffer *)to;
    t->to_offset = offset;
    t->size = size;
    t->data = malloc(size);
    memcpy(t->data, data, size);
}

void VKAPI_CALL mock_CmdSetCheckpointNV(VkCommandBuffer commands, const void *marker) {
    if (!strstr(mock.extensions, VK_NV_DEVICE_DIAGNOSTIC_CHECKPOINTS_EXTENSION_NAME))
        mock_wrong("a checkpoint without its extension");
    append(commands, "checkpoint\n");
    mock_add_transfer(commands)->checkpoint = marker;
}

void VKAPI_CALL mock_CmdWriteBufferMarkerAMD(VkCommandBuffer commands,
                                             VkPipelineStageFlagBits stage, VkBuffer to,
                                             VkDeviceSize offset, uint32_t marker) {
    if (!strstr(mock.extensions, VK_AMD_BUFFER_MARKER_EXTENSION_NAME))
        mock_wrong("a marker without its extension");
    append(commands, "marker %s b%u+%llu %u\n",
           stage == VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT ? "top" : "bottom",
           ((mock_buffer *)to)->number, (unsigned long long)offset, marker);
    mock_transfer *t = mock_add_transfer(commands);
    t->to = (mock_buffer *)to;
    t->to_offset = offset;
    t->size = sizeof marker;
    t->pattern = marker;
}

void VKAPI_CALL mock_CmdResetQueryPool(VkCommandBuffer commands, VkQueryPool pool, uint32_t first,
                                       uint32_t count) {
    (void)pool;
    append(commands, "reset_queries %u %u\n", first, count);
}

void VKAPI_CALL mock_CmdWriteTimestamp2(VkCommandBuffer commands, VkPipelineStageFlags2 stage,
                                        VkQueryPool pool, uint32_t query) {
    (void)pool;
    char text[160];
    append(commands, "timestamp %u %s\n", query, mock_mask_text(stage, 0, text));
}

void VKAPI_CALL mock_CmdBeginDebugUtilsLabelEXT(VkCommandBuffer commands,
                                                const VkDebugUtilsLabelEXT *label) {
    if (!mock.names) mock_wrong("a label without VK_EXT_debug_utils");
    append(commands, "label %s\n", label->pLabelName);
}

void VKAPI_CALL mock_CmdEndDebugUtilsLabelEXT(VkCommandBuffer commands) {
    append(commands, "end_label\n");
}
