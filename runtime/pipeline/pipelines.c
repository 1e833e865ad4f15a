/* One compute pipeline per kernel that a node runs. Shader modules live only while their pipeline
 * is made. The driver says for each pipeline whether it came out of the cache, where it can. */
#include "pipeline/pipeline.h"

static rp_status create_module(rp_device *device, const rp_plan *plan, const rp_plan_kernel *kernel,
                               rp_diags *diags, VkShaderModule *out) {
    const uint32_t *words = rp_plan_records(plan, RP_SECTION_WORDS);
    const VkShaderModuleCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
        .codeSize = (size_t)kernel->word_count * sizeof *words,
        .pCode = words + kernel->first_word,
    };
    return RP_VK(diags, device->vk.CreateShaderModule(device->handle, &info, NULL, out));
}

static rp_status create_pipeline(rp_pipelines *pipelines, const rp_plan *plan, uint32_t index,
                                 VkShaderModule module, const VkSpecializationInfo *spec,
                                 VkPipelineLayout layout, VkPipelineCache cache, rp_diags *diags) {
    rp_device *device = pipelines->device;
    const rp_plan_kernel *kernel = &rp_plan_kernels(plan)[index];
    VkPipelineCreationFeedback whole = {0}, stage = {0};
    const VkPipelineCreationFeedbackCreateInfo feedback = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_CREATION_FEEDBACK_CREATE_INFO,
        .pPipelineCreationFeedback = &whole,
        .pipelineStageCreationFeedbackCount = 1,
        .pPipelineStageCreationFeedbacks = &stage,
    };
    const VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .pNext = device->adapter.vulkan_1_3 ? &feedback : NULL,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = rp_plan_string(plan, kernel->entry),
                  .pSpecializationInfo = spec},
        .layout = layout,
    };
    RP_TRY(RP_VK(diags, device->vk.CreateComputePipelines(device->handle, cache, 1, &info, NULL,
                                                          &pipelines->handles[index])));
    const VkPipelineCreationFeedbackFlags hit =
        VK_PIPELINE_CREATION_FEEDBACK_VALID_BIT |
        VK_PIPELINE_CREATION_FEEDBACK_APPLICATION_PIPELINE_CACHE_HIT_BIT;
    pipelines->created++;
    pipelines->from_cache += (whole.flags & hit) == hit;
    rp_device_name(device, VK_OBJECT_TYPE_PIPELINE, (uint64_t)pipelines->handles[index],
                   rp_plan_string(plan, kernel->name));
    return RP_OK;
}

static rp_status add_kernel(rp_pipelines *pipelines, const rp_plan *plan, uint32_t index,
                            VkPipelineLayout layout, VkPipelineCache cache, rp_diags *diags) {
    rp_device *device = pipelines->device;
    const rp_plan_kernel *kernel = &rp_plan_kernels(plan)[index];
    const rp_plan_spec *specs =
        (const rp_plan_spec *)rp_plan_records(plan, RP_SECTION_SPECS) + kernel->first_spec;
    VkSpecializationMapEntry *entries =
        rp_alloc(&device->allocator, kernel->spec_count, sizeof *entries);
    if (!entries) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < kernel->spec_count; i++)
        entries[i] = (VkSpecializationMapEntry){
            .constantID = specs[i].id,
            .offset = (uint32_t)(i * sizeof *specs + offsetof(rp_plan_spec, value)),
            .size = sizeof specs->value,
        };
    const VkSpecializationInfo spec = {
        .mapEntryCount = kernel->spec_count,
        .pMapEntries = entries,
        .dataSize = kernel->spec_count * sizeof *specs,
        .pData = specs,
    };
    VkShaderModule module = VK_NULL_HANDLE;
    rp_status status = create_module(device, plan, kernel, diags, &module);
    if (status == RP_OK) {
        status = create_pipeline(pipelines, plan, index, module, kernel->spec_count ? &spec : NULL,
                                 layout, cache, diags);
        device->vk.DestroyShaderModule(device->handle, module, NULL);
    }
    rp_release(&device->allocator, entries);
    if (status != RP_OK)
        rp_diags_add(diags, RP_NOTE, NULL, 0, 0, "this was for kernel @%s",
                     rp_plan_string(plan, kernel->name));
    return status;
}

rp_status rp_pipelines_create(rp_pipelines *pipelines, rp_device *device, const rp_plan *plan,
                              const rp_layouts *layouts, VkPipelineCache cache, rp_diags *diags) {
    pipelines->device = device;
    uint32_t count = rp_plan_count(plan, RP_SECTION_KERNELS);
    pipelines->handles = rp_alloc_zero(&device->allocator, count, sizeof *pipelines->handles);
    if (!pipelines->handles) return RP_ERROR_NO_MEMORY;
    pipelines->count = count;
    for (uint32_t i = 0; i < count; i++)
        if (layouts->of_kernel[i])
            RP_TRY(add_kernel(pipelines, plan, i, layouts->of_kernel[i]->handle, cache, diags));
    return RP_OK;
}

void rp_pipelines_free(rp_pipelines *pipelines) {
    rp_device *device = pipelines->device;
    if (!device) return;
    for (uint32_t i = 0; i < pipelines->count; i++)
        device->vk.DestroyPipeline(device->handle, pipelines->handles[i], NULL);
    rp_release(&device->allocator, pipelines->handles);
    memset(pipelines, 0, sizeof *pipelines);
}
