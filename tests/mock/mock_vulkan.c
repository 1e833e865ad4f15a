/* The fake driver's objects and memory. Its device side is in mock_device.c, its commands in
 * mock_commands.c, its queue in mock_queue.c. */
#include "mock_objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

mock_state mock;

void mock_wrong(const char *rule) {
    const char *none = NULL;
    __atomic_compare_exchange_n(&mock.mistake, &none, rule, false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
}

uint32_t mock_count(uint32_t *counter) {
    return __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

uint32_t mock_calls(void) {
    return __atomic_load_n(&mock.calls, __ATOMIC_RELAXED);
}

bool mock_fails(const char *call) {
    const char *name = __atomic_load_n(&mock.fail_call, __ATOMIC_RELAXED);
    bool fails = mock_count(&mock.calls) + 1 == mock.fail_at;
    if (name && strcmp(call, name) == 0)
        fails |= __atomic_exchange_n(&mock.fail_call, NULL, __ATOMIC_RELAXED) != NULL;
    if (fails) __atomic_store_n(&mock.failed, call, __ATOMIC_RELAXED);
    return fails;
}

static void count_object(int change) {
    __atomic_fetch_add(&mock.objects, change, __ATOMIC_RELAXED);
}

void *mock_new(mock_kind kind, size_t size) {
    mock_object *object = calloc(1, size);
    if (!object) abort();
    object->kind = kind;
    count_object(1);
    return object;
}

void mock_delete(void *handle, mock_kind kind) {
    mock_object *object = handle;
    if (!object) return;
    if (object->kind != kind) mock_wrong("an object is destroyed as one of another kind");
    object->kind = MOCK_DEAD;
    count_object(-1);
    free(object);
}

const void *mock_find(const void *chain, VkStructureType type) {
    for (const VkBaseInStructure *s = chain; s; s = s->pNext)
        if (s->sType == type) return s;
    return NULL;
}

VkResult VKAPI_CALL mock_GetMemoryHostPointerPropertiesEXT(VkDevice device,
                                                           VkExternalMemoryHandleTypeFlagBits type,
                                                           const void *pointer,
                                                           VkMemoryHostPointerPropertiesEXT *out) {
    (void)device, (void)type;
    if (mock_fails("vkGetMemoryHostPointerPropertiesEXT")) return mock.fail_with;
    if ((uintptr_t)pointer % MOCK_PAGE) mock_wrong("host memory is asked about that is no page");
    out->memoryTypeBits = 0;
    for (uint32_t i = 0; i < mock.memory.memoryTypeCount; i++)
        if (mock.memory.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)
            out->memoryTypeBits |= 1u << i;
    return VK_SUCCESS;
}

/* ---- Memory and buffers ---------------------------------------------------------------------- */

VkResult VKAPI_CALL mock_AllocateMemory(VkDevice device, const VkMemoryAllocateInfo *info,
                                        const VkAllocationCallbacks *a, VkDeviceMemory *out) {
    (void)device, (void)a;
    if (mock_fails("vkAllocateMemory")) return mock.fail_with;
    if (info->allocationSize > mock.max_allocation_size) mock_wrong("an allocation is too large");
    mock_memory *memory = mock_new(MOCK_MEMORY, sizeof *memory);
    memory->size = info->allocationSize;
    const VkImportMemoryHostPointerInfoEXT *host =
        mock_find(info->pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT);
    const VkMemoryPriorityAllocateInfoEXT *priority =
        mock_find(info->pNext, VK_STRUCTURE_TYPE_MEMORY_PRIORITY_ALLOCATE_INFO_EXT);
    if (!mock.quiet) mock.priority = priority ? priority->priority : -1;
    if (priority && !mock.memory_priority)
        mock_wrong("a priority of memory is given without the feature");
    memory->foreign = host != NULL;
    memory->type = info->memoryTypeIndex;
    const VkMemoryDedicatedAllocateInfo *dedicated =
        mock_find(info->pNext, VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO);
    if (dedicated) {
        VkMemoryRequirements2 needs = {0};
        const VkImageMemoryRequirementsInfo2 image = {.image = dedicated->image};
        if (dedicated->image)
            mock_GetImageMemoryRequirements2(device, &image, &needs);
        else
            mock_GetBufferMemoryRequirements(device, dedicated->buffer, &needs.memoryRequirements);
        memory->dedicated =
            dedicated->image ? (const void *)dedicated->image : (const void *)dedicated->buffer;
        if (needs.memoryRequirements.size != memory->size)
            mock_wrong("dedicated memory is not as large as its buffer");
    }
    if (host) {
        if ((uintptr_t)host->pHostPointer % MOCK_PAGE || memory->size % MOCK_PAGE)
            mock_wrong("host memory is imported that is no pages");
        memory->data = host->pHostPointer;
        mock_count(&mock.host_imports);
    } else if (mock_find(info->pNext, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO) ||
               mock_find(info->pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR)) {
        VkResult result = mock_external_allocate(memory, info);
        if (result != VK_SUCCESS) {
            mock_delete(memory, MOCK_MEMORY);
            return result;
        }
    } else {
        memory->data = malloc(memory->size);
        if (!memory->data) abort();
        memset(memory->data, 0xa5, memory->size); /* as somebody left it */
    }
    memory->visible = (mock.memory.memoryTypes[info->memoryTypeIndex].propertyFlags &
                       VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) != 0;
    for (const VkBaseInStructure *s = info->pNext; s; s = s->pNext)
        if (s->sType == VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO)
            memory->addressed = ((const VkMemoryAllocateFlagsInfo *)s)->flags &
                                VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT;
    mock_count(&mock.memory_allocations);
    *out = (VkDeviceMemory)memory;
    return VK_SUCCESS;
}

void VKAPI_CALL mock_FreeMemory(VkDevice device, VkDeviceMemory handle,
                                const VkAllocationCallbacks *a) {
    (void)device, (void)a;
    mock_memory *memory = (mock_memory *)handle;
    if (memory) {
        if (mock.races) mock_race_forget(memory);
        if (memory->handle_types)
            mock_external_free(memory);
        else if (!memory->foreign)
            free(memory->data);
    }
    mock_delete(memory, MOCK_MEMORY);
}

VkResult VKAPI_CALL mock_MapMemory(VkDevice device, VkDeviceMemory handle, VkDeviceSize offset,
                                   VkDeviceSize size, VkMemoryMapFlags flags, void **out) {
    (void)device, (void)size, (void)flags;
    if (mock_fails("vkMapMemory")) return mock.fail_with;
    mock_memory *memory = (mock_memory *)handle;
    if (!memory->visible) mock_wrong("memory is mapped that the host cannot see");
    *out = memory->data + offset;
    return VK_SUCCESS;
}

enum { MAX_KNOWN = 64 };
static mock_buffer *known_buffers[MAX_KNOWN];

const unsigned char *mock_image_bytes(uint32_t number, uint64_t *out_offset) {
    const mock_image *image = mock_image_of(number);
    if (out_offset) *out_offset = image ? image->memory.offset : 0;
    return image ? image->memory.memory->data + image->memory.offset : NULL;
}

VkImageLayout mock_image_layout(uint32_t number) {
    const mock_image *image = mock_image_of(number);
    return image ? image->layout : VK_IMAGE_LAYOUT_MAX_ENUM;
}

const unsigned char *mock_buffer_bytes(uint32_t number) {
    const mock_buffer *buffer = known_buffers[number];
    return buffer->memory->data + buffer->offset;
}

VkResult VKAPI_CALL mock_CreateBuffer(VkDevice device, const VkBufferCreateInfo *info,
                                      const VkAllocationCallbacks *a, VkBuffer *out) {
    (void)device, (void)a;
    if (mock_fails("vkCreateBuffer")) return mock.fail_with;
    if (info->size == 0) mock_wrong("a buffer has no bytes");
    mock_buffer *buffer = mock_new(MOCK_BUFFER, sizeof *buffer);
    buffer->size = info->size;
    buffer->usage = info->usage;
    const VkExternalMemoryBufferCreateInfo *external =
        mock_find(info->pNext, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO);
    if (external) buffer->handle_types = external->handleTypes;
    __atomic_store_n(&mock.buffer_usage, info->usage, __ATOMIC_RELAXED);
    buffer->staging = !(info->usage & VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
    buffer->concurrent = info->sharingMode == VK_SHARING_MODE_CONCURRENT;
    if (buffer->concurrent && info->queueFamilyIndexCount < 2)
        mock_wrong("a buffer is shared between too few families");
    buffer->number = mock_count(&mock_numbers.buffers);
    if (buffer->number < MAX_KNOWN)
        __atomic_store_n(&known_buffers[buffer->number], buffer, __ATOMIC_RELAXED);
    *out = (VkBuffer)buffer;
    return VK_SUCCESS;
}

void VKAPI_CALL mock_DestroyBuffer(VkDevice device, VkBuffer buffer,
                                   const VkAllocationCallbacks *a) {
    (void)device, (void)a;
    if (buffer && mock_in_flight(((mock_buffer *)buffer)->use))
        mock_wrong("a buffer is destroyed while a submission uses it");
    mock_delete((void *)buffer, MOCK_BUFFER);
}

void VKAPI_CALL mock_GetBufferMemoryRequirements(VkDevice device, VkBuffer handle,
                                                 VkMemoryRequirements *out) {
    (void)device;
    const mock_buffer *buffer = (const mock_buffer *)handle;
    *out = (VkMemoryRequirements){.size = (buffer->size + 15) / 16 * 16,
                                  .alignment = 64,
                                  .memoryTypeBits = (1u << mock.memory.memoryTypeCount) - 1};
}

void VKAPI_CALL mock_GetBufferMemoryRequirements2(VkDevice device,
                                                  const VkBufferMemoryRequirementsInfo2 *info,
                                                  VkMemoryRequirements2 *out) {
    mock_GetBufferMemoryRequirements(device, info->buffer, &out->memoryRequirements);
    VkMemoryDedicatedRequirements *dedicated = out->pNext;
    if (!dedicated) return;
    const mock_buffer *buffer = (const mock_buffer *)info->buffer;
    dedicated->requiresDedicatedAllocation =
        buffer->handle_types && (mock.fd_features & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT);
    dedicated->prefersDedicatedAllocation =
        mock.prefers_dedicated || dedicated->requiresDedicatedAllocation;
}

VkDeviceAddress VKAPI_CALL mock_GetBufferDeviceAddress(VkDevice device,
                                                       const VkBufferDeviceAddressInfo *info) {
    (void)device;
    const mock_buffer *buffer = (const mock_buffer *)info->buffer;
    if (!mock.device_address || !(buffer->usage & VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT))
        mock_wrong("a buffer without a device address is asked for one");
    return (VkDeviceAddress)(uintptr_t)buffer;
}

VkResult VKAPI_CALL mock_BindBufferMemory(VkDevice device, VkBuffer handle, VkDeviceMemory memory,
                                          VkDeviceSize offset) {
    (void)device;
    if (mock_fails("vkBindBufferMemory")) return mock.fail_with;
    mock_buffer *buffer = (mock_buffer *)handle;
    buffer->memory = (mock_memory *)memory;
    if ((buffer->usage & VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT) && !buffer->memory->addressed)
        mock_wrong("a buffer with a device address is bound to memory without");
    buffer->offset = offset;
    const mock_memory *m = buffer->memory;
    if (m->dedicated && (m->dedicated != buffer || offset))
        mock_wrong(
            "memory that is dedicated to a buffer is bound to another, or not from its start");
    if (m->handle_types & ~buffer->handle_types)
        mock_wrong("a buffer is bound to external memory of a kind that it was created without");
    if (offset % 64 || offset + buffer->size > buffer->memory->size)
        mock_wrong("a buffer is bound misaligned or outside its memory");
    return VK_SUCCESS;
}

/* ---- Descriptors ----------------------------------------------------------------------------- */

VkResult VKAPI_CALL mock_CreateDescriptorPool(VkDevice device,
                                              const VkDescriptorPoolCreateInfo *info,
                                              const VkAllocationCallbacks *a,
                                              VkDescriptorPool *out) {
    (void)device, (void)a;
    if (mock_fails("vkCreateDescriptorPool")) return mock.fail_with;
    mock_pool *pool = mock_new(MOCK_DESCRIPTOR_POOL, sizeof *pool);
    pool->sets_left = info->maxSets;
    for (uint32_t i = 0; i < info->poolSizeCount; i++) {
        if (info->pPoolSizes[i].descriptorCount == 0) mock_wrong("a pool size is zero");
        pool->left[info->pPoolSizes[i].type] += info->pPoolSizes[i].descriptorCount;
    }
    *out = (VkDescriptorPool)pool;
    return VK_SUCCESS;
}

void VKAPI_CALL mock_DestroyDescriptorPool(VkDevice device, VkDescriptorPool handle,
                                           const VkAllocationCallbacks *a) {
    (void)device, (void)a;
    mock_pool *pool = (mock_pool *)handle;
    for (uint32_t i = 0; pool && i < pool->count; i++) {
        if (mock_in_flight(((mock_set *)pool->children[i])->use))
            mock_wrong("a descriptor set is freed while a submission uses it");
        mock_delete(pool->children[i], MOCK_DESCRIPTOR_SET);
    }
    if (pool) free(pool->children);
    mock_delete(pool, MOCK_DESCRIPTOR_POOL);
}

VkResult VKAPI_CALL mock_AllocateDescriptorSets(VkDevice device,
                                                const VkDescriptorSetAllocateInfo *info,
                                                VkDescriptorSet *out) {
    (void)device;
    if (mock_fails("vkAllocateDescriptorSets")) return mock.fail_with;
    mock_pool *pool = (mock_pool *)info->descriptorPool;
    pool->children = calloc(info->descriptorSetCount, sizeof *pool->children);
    for (uint32_t i = 0; i < info->descriptorSetCount; i++) {
        mock_set *set = mock_new(MOCK_DESCRIPTOR_SET, sizeof *set);
        set->number = mock_count(&mock_numbers.sets);
        const mock_set_layout *layout = (const mock_set_layout *)info->pSetLayouts[i];
        if (pool->sets_left == 0) mock_wrong("a descriptor pool is too small");
        pool->sets_left--;
        for (uint32_t k = 0; k < MOCK_TYPES; k++) {
            if (layout->of[k] > pool->left[k]) mock_wrong("a descriptor pool is too small");
            pool->left[k] -= layout->of[k];
        }
        pool->children[pool->count++] = set;
        out[i] = (VkDescriptorSet)set;
    }
    for (uint32_t k = 0; k < MOCK_TYPES; k++)
        if (pool->sets_left || pool->left[k]) mock_wrong("a descriptor pool is too large");
    return VK_SUCCESS;
}

/* "s0.1[2] sampled v3 layout 1 sampler 0" */
static void write_view(const VkWriteDescriptorSet *w) {
    static const char *const names[] = {"sampler", "combined",       "sampled",
                                        "image",   "uniform texels", "storage texels"};
    bool texels = w->descriptorType == VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER ||
                  w->descriptorType == VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER;
    bool sampler = w->descriptorType <= VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER;
    const VkDescriptorImageInfo none = {0};
    const VkDescriptorImageInfo *image = texels ? &none : w->pImageInfo;
    mock_view *view = texels ? (mock_view *)*w->pTexelBufferView : (mock_view *)image->imageView;
    mock_set *set = (mock_set *)w->dstSet;
    if (w->descriptorType == VK_DESCRIPTOR_TYPE_SAMPLER) view = NULL;
    if (mock_in_flight(set->use))
        mock_wrong("a descriptor set is written while a submission uses it");
    if (view && view->kind != MOCK_VIEW) mock_wrong("a descriptor of a view that is none");
    if (view && view->image && image->imageLayout != VK_IMAGE_LAYOUT_GENERAL)
        mock_wrong("a descriptor of an image in another layout");
    if (sampler && !image->sampler) mock_wrong("a descriptor without its sampler");
    if (w->dstBinding < MOCK_BINDINGS && !w->dstArrayElement) set->views[w->dstBinding] = view;
    if (mock.quiet) return;
    size_t length = strlen(mock.descriptors);
    length += (size_t)snprintf(mock.descriptors + length, sizeof mock.descriptors - length,
                               "s%u.%u", set->number, w->dstBinding);
    if (w->dstArrayElement)
        length += (size_t)snprintf(mock.descriptors + length, sizeof mock.descriptors - length,
                                   "[%u]", w->dstArrayElement);
    length += (size_t)snprintf(mock.descriptors + length, sizeof mock.descriptors - length, " %s",
                               names[w->descriptorType]);
    if (view)
        length += (size_t)snprintf(mock.descriptors + length, sizeof mock.descriptors - length,
                                   " %s%u+%llu %llu", view->image ? "i" : "b", view->of->number,
                                   (unsigned long long)view->lo,
                                   (unsigned long long)(view->hi - view->lo));
    if (sampler)
        length += (size_t)snprintf(mock.descriptors + length, sizeof mock.descriptors - length,
                                   " sampler %u", ((const mock_object *)image->sampler)->number);
    snprintf(mock.descriptors + length, sizeof mock.descriptors - length, "\n");
}

void VKAPI_CALL mock_UpdateDescriptorSets(VkDevice device, uint32_t count,
                                          const VkWriteDescriptorSet *writes, uint32_t copy_count,
                                          const VkCopyDescriptorSet *copies) {
    (void)device, (void)copy_count, (void)copies;
    for (uint32_t i = 0; i < count; i++) {
        if (writes[i].descriptorType < VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER) {
            write_view(&writes[i]);
            continue;
        }
        const VkDescriptorBufferInfo *info = writes[i].pBufferInfo;
        const mock_buffer *buffer = (const mock_buffer *)info->buffer;
        if (info->offset + info->range > buffer->size || info->range == 0)
            mock_wrong("a descriptor is outside its buffer");
        const VkPhysicalDeviceLimits *limits = &mock.properties.limits;
        bool uniform = writes[i].descriptorType == VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER;
        if (info->offset % (uniform ? limits->minUniformBufferOffsetAlignment
                                    : limits->minStorageBufferOffsetAlignment))
            mock_wrong("a descriptor begins at an offset that the device does not allow");
        mock_set *set = (mock_set *)writes[i].dstSet;
        if (mock_in_flight(set->use))
            mock_wrong("a descriptor set is written while a submission uses it");
        if (writes[i].dstBinding < MOCK_BINDINGS && !writes[i].dstArrayElement)
            set->bindings[writes[i].dstBinding] = *info;
        if (mock.quiet) continue;
        size_t length = strlen(mock.descriptors);
        snprintf(mock.descriptors + length, sizeof mock.descriptors - length,
                 "s%u.%u %s b%u+%llu %llu\n", set->number, writes[i].dstBinding,
                 uniform ? "uniform" : "storage", buffer->number, (unsigned long long)info->offset,
                 (unsigned long long)info->range);
    }
}

VkResult VKAPI_CALL mock_CreateDescriptorSetLayout(VkDevice device,
                                                   const VkDescriptorSetLayoutCreateInfo *info,
                                                   const VkAllocationCallbacks *a,
                                                   VkDescriptorSetLayout *out) {
    (void)device, (void)a;
    if (mock_fails("vkCreateDescriptorSetLayout")) return mock.fail_with;
    mock_set_layout *layout = mock_new(MOCK_SET_LAYOUT, sizeof *layout);
    for (uint32_t i = 0; i < info->bindingCount; i++)
        layout->of[info->pBindings[i].descriptorType] += info->pBindings[i].descriptorCount;
    if (mock_find(info->pNext, VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_BINDING_FLAGS_CREATE_INFO) &&
        !mock.partially_bound)
        mock_wrong("bindings are partially bound without the feature");
    mock_count(&mock.set_layouts);
    *out = (VkDescriptorSetLayout)layout;
    return VK_SUCCESS;
}

/* ---- Objects without content ----------------------------------------------------------------- */

#define PLAIN_OBJECT(Name, Type, KIND, counter)                                                    \
    VkResult VKAPI_CALL mock_Create##Name(VkDevice device, const Type##CreateInfo *info,           \
                                          const VkAllocationCallbacks *a, Type *out) {             \
        (void)device, (void)info, (void)a;                                                         \
        if (mock_fails("vkCreate" #Name)) return mock.fail_with;                                   \
        mock_object *object = mock_new(KIND, sizeof *object);                                      \
        object->number = mock_count(&counter);                                                     \
        *out = (Type)object;                                                                       \
        return VK_SUCCESS;                                                                         \
    }                                                                                              \
    PLAIN_DESTROY(Name, Type, KIND)
#define PLAIN_DESTROY(Name, Type, KIND)                                                            \
    void VKAPI_CALL mock_Destroy##Name(VkDevice device, Type handle,                               \
                                       const VkAllocationCallbacks *a) {                           \
        (void)device, (void)a;                                                                     \
        mock_delete((void *)handle, KIND);                                                         \
    }
PLAIN_OBJECT(PipelineLayout, VkPipelineLayout, MOCK_LAYOUT, mock.layouts)
PLAIN_OBJECT(QueryPool, VkQueryPool, MOCK_QUERY_POOL, mock_numbers.other)
PLAIN_DESTROY(PipelineCache, VkPipelineCache, MOCK_CACHE)
PLAIN_DESTROY(Pipeline, VkPipeline, MOCK_PIPELINE)
PLAIN_DESTROY(ShaderModule, VkShaderModule, MOCK_MODULE)
PLAIN_DESTROY(DescriptorSetLayout, VkDescriptorSetLayout, MOCK_SET_LAYOUT)

VkResult VKAPI_CALL mock_CreateShaderModule(VkDevice device, const VkShaderModuleCreateInfo *info,
                                            const VkAllocationCallbacks *a, VkShaderModule *out) {
    (void)device, (void)a;
    if (mock_fails("vkCreateShaderModule")) return mock.fail_with;
    mock_module *module = mock_new(MOCK_MODULE, sizeof *module);
    size_t count = info->codeSize / sizeof *info->pCode;
    module->number = info->pCode[count - 1];
    for (size_t at = 5; at < count && info->pCode[at] >> 16; at += info->pCode[at] >> 16) {
        if ((info->pCode[at] & 0xffff) != MOCK_PARAMS_OPCODE) continue;
        for (uint32_t i = 2; i < info->pCode[at] >> 16 && module->param_count < MOCK_PARAMS; i++) {
            uint32_t word = info->pCode[at + i];
            module->params[module->param_count++] =
                (mock_param){(uint8_t)(word >> 16), (uint8_t)(word >> 8), (uint8_t)word};
        }
    }
    *out = (VkShaderModule)module;
    return VK_SUCCESS;
}

VkResult VKAPI_CALL mock_CreateComputePipelines(VkDevice device, VkPipelineCache cache,
                                                uint32_t count,
                                                const VkComputePipelineCreateInfo *infos,
                                                const VkAllocationCallbacks *a, VkPipeline *out) {
    (void)device, (void)a;
    for (uint32_t i = 0; i < count; i++) out[i] = VK_NULL_HANDLE;
    if (mock_fails("vkCreateComputePipelines")) return mock.fail_with;
    for (uint32_t i = 0; i < count; i++) {
        if (mock.on_pipeline) mock.on_pipeline(((mock_object *)infos[i].stage.module)->number);
        mock_pipeline *pipeline = mock_new(MOCK_PIPELINE, sizeof *pipeline);
        memcpy(pipeline, (const void *)infos[i].stage.module, sizeof *pipeline);
        pipeline->kind = MOCK_PIPELINE;
        pipeline->number = mock_count(&mock_numbers.pipelines);
        mock_count(&mock.pipelines);
        out[i] = (VkPipeline)pipeline;
        const VkPipelineCreationFeedbackCreateInfo *feedback = infos[i].pNext;
        const VkPipelineShaderStageRequiredSubgroupSizeCreateInfo *asks = infos[i].stage.pNext;
        uint32_t size = asks ? asks->requiredSubgroupSize : 0;
        if (asks && (size < mock.subgroup_least || size > mock.subgroup_most))
            mock_wrong("a size of subgroups that the device does not have");
        __atomic_store_n(&mock.pipeline_subgroup, size, __ATOMIC_RELAXED);
        if (feedback && mock_version() < VK_API_VERSION_1_3)
            mock_wrong("a structure of Vulkan 1.3 is chained");
        __atomic_store_n(&mock.pipeline_cache, (const void *)cache, __ATOMIC_RELAXED);
        if (feedback)
            feedback->pPipelineCreationFeedback->flags =
                VK_PIPELINE_CREATION_FEEDBACK_VALID_BIT |
                (mock.cache_hits ? VK_PIPELINE_CREATION_FEEDBACK_APPLICATION_PIPELINE_CACHE_HIT_BIT
                                 : 0);
    }
    return VK_SUCCESS;
}

VkResult VKAPI_CALL mock_CreatePipelineCache(VkDevice device, const VkPipelineCacheCreateInfo *info,
                                             const VkAllocationCallbacks *a, VkPipelineCache *out) {
    (void)device, (void)a;
    if (mock_fails("vkCreatePipelineCache")) return mock.fail_with;
    __atomic_store_n(&mock.initial_cache_bytes, info->initialDataSize, __ATOMIC_RELAXED);
    mock_count(&mock.caches);
    *out = (VkPipelineCache)mock_new(MOCK_CACHE, sizeof(mock_object));
    return VK_SUCCESS;
}

VkResult VKAPI_CALL mock_GetPipelineCacheData(VkDevice device, VkPipelineCache cache, size_t *size,
                                              void *data) {
    (void)device, (void)cache;
    if (mock_fails("vkGetPipelineCacheData")) return mock.fail_with;
    struct {
        VkPipelineCacheHeaderVersionOne header;
        char content[32];
    } bytes = {{.headerSize = sizeof bytes.header,
                .headerVersion = VK_PIPELINE_CACHE_HEADER_VERSION_ONE,
                .vendorID = mock.properties.vendorID,
                .deviceID = mock.properties.deviceID},
               "compiled pipelines"};
    memcpy(bytes.header.pipelineCacheUUID, mock.properties.pipelineCacheUUID, VK_UUID_SIZE);
    if (data) memcpy(data, &bytes, sizeof bytes);
    *size = sizeof bytes;
    return VK_SUCCESS;
}
/* ---- Queries --------------------------------------------------------------------------------- */

VkResult VKAPI_CALL mock_GetQueryPoolResults(VkDevice device, VkQueryPool pool, uint32_t first,
                                             uint32_t count, size_t size, void *data,
                                             VkDeviceSize stride, VkQueryResultFlags flags) {
    (void)device, (void)pool, (void)size, (void)stride, (void)flags;
    if (mock_fails("vkGetQueryPoolResults")) return mock.fail_with;
    for (uint32_t i = 0; i < count; i++)
        ((uint64_t *)data)[i] = mock.ticks ? mock.ticks(count, first + i) : 1000 + 500 * i;
    return VK_SUCCESS;
}
