/* A pipeline of a kernel, created by the driver. The shader module lives only meanwhile. The driver
 * says whether it came out of the cache, where it can. Nothing is allocated here: it runs on any
 * thread. */
#include "pipeline/store.h"

static VkResult create(rp_device *device, rp_shared_pipeline *p, VkShaderModule module,
                       VkPipelineCache cache) {
    const VkSpecializationInfo spec = {
        .mapEntryCount = p->spec_count,
        .pMapEntries = p->spec_entries,
        .dataSize = p->spec_count * sizeof *p->specs,
        .pData = p->specs,
    };
    VkPipelineCreationFeedback whole = {0}, stage = {0};
    const VkPipelineCreationFeedbackCreateInfo feedback = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_CREATION_FEEDBACK_CREATE_INFO,
        .pPipelineCreationFeedback = &whole,
        .pipelineStageCreationFeedbackCount = 1,
        .pPipelineStageCreationFeedbacks = &stage,
    };
    VkPipelineShaderStageRequiredSubgroupSizeCreateInfo subgroup = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
        .requiredSubgroupSize = rp_spirv_subgroup(p->words, p->word_count),
    };
    const rp_device_info *sizes = &device->adapter.info;
    bool asks = subgroup.requiredSubgroupSize && sizes->subgroup_least < sizes->subgroup_most;
    const VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .pNext = device->adapter.vulkan_1_3 ? &feedback : NULL,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .pNext = asks ? &subgroup : NULL,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = p->entry,
                  .pSpecializationInfo = p->spec_count ? &spec : NULL},
        .layout = p->layout->handle,
    };
    VkPipeline handle = VK_NULL_HANDLE;
    VkResult result =
        device->vk.CreateComputePipelines(device->handle, cache, 1, &info, NULL, &handle);
    if (result < 0) return result;
    const VkPipelineCreationFeedbackFlags hit =
        VK_PIPELINE_CREATION_FEEDBACK_VALID_BIT |
        VK_PIPELINE_CREATION_FEEDBACK_APPLICATION_PIPELINE_CACHE_HIT_BIT;
    p->from_cache = (whole.flags & hit) == hit;
    p->handle = handle;
    rp_count(&device->counts, RP_COUNT_pipelines, 1);
    rp_count(&device->counts, RP_COUNT_pipelines_created, 1);
    rp_count(&device->counts, RP_COUNT_pipelines_cached, p->from_cache);
    rp_device_name(device, VK_OBJECT_TYPE_PIPELINE, (uint64_t)handle, p->name);
    return VK_SUCCESS;
}

void rp_pipeline_create(rp_device *device, rp_shared_pipeline *pipeline, VkPipelineCache cache) {
    const VkShaderModuleCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
        .codeSize = (size_t)pipeline->word_count * sizeof *pipeline->words,
        .pCode = pipeline->words,
    };
    VkShaderModule module = VK_NULL_HANDLE;
    pipeline->call = "CreateShaderModule()";
    pipeline->result = device->vk.CreateShaderModule(device->handle, &info, NULL, &module);
    if (pipeline->result < 0) return;
    pipeline->call = "CreateComputePipelines()";
    pipeline->result = create(device, pipeline, module, cache);
    device->vk.DestroyShaderModule(device->handle, module, NULL);
}
