#include "passes.h"

/* SPIR-V of shaders/, written by the build. */
#include "curve_frag.h"
#include "curve_vert.h"
#include "wave_comp.h"

static VkShaderModule shader(const vulkan *vk, const uint32_t *words, size_t bytes) {
    const VkShaderModuleCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = bytes, .pCode = words};
    VkShaderModule module;
    VK(vkCreateShaderModule(vk->device, &info, NULL, &module));
    return module;
}

static VkPipelineShaderStageCreateInfo stage(VkShaderStageFlagBits bit, VkShaderModule module) {
    return (VkPipelineShaderStageCreateInfo){
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
        .stage = bit,
        .module = module,
        .pName = "main"};
}

/* ---- The compute pass ------------------------------------------------------------------------ */

static void create_set(passes *p, const vulkan *vk, VkBuffer frames, VkDeviceSize curve_bytes) {
    const VkDescriptorType type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC;
    const VkDescriptorSetLayoutBinding binding = {
        .descriptorType = type, .descriptorCount = 1, .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    const VkDescriptorSetLayoutCreateInfo layout = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 1,
        .pBindings = &binding};
    const VkDescriptorPoolSize size = {type, 1};
    const VkDescriptorPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .maxSets = 1,
                                             .poolSizeCount = 1,
                                             .pPoolSizes = &size};
    VK(vkCreateDescriptorSetLayout(vk->device, &layout, NULL, &p->set_layout));
    VK(vkCreateDescriptorPool(vk->device, &pool, NULL, &p->sets));
    const VkDescriptorSetAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
        .descriptorPool = p->sets,
        .descriptorSetCount = 1,
        .pSetLayouts = &p->set_layout};
    VK(vkAllocateDescriptorSets(vk->device, &allocate, &p->set));
    const VkDescriptorBufferInfo range = {frames, 0, curve_bytes};
    const VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                        .dstSet = p->set,
                                        .descriptorCount = 1,
                                        .descriptorType = type,
                                        .pBufferInfo = &range};
    vkUpdateDescriptorSets(vk->device, 1, &write, 0, NULL);
}

static void create_wave(passes *p, const vulkan *vk) {
    const VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 4};
    const VkPipelineLayoutCreateInfo layout = {.sType =
                                                   VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                               .setLayoutCount = 1,
                                               .pSetLayouts = &p->set_layout,
                                               .pushConstantRangeCount = 1,
                                               .pPushConstantRanges = &push};
    VK(vkCreatePipelineLayout(vk->device, &layout, NULL, &p->wave_layout));
    VkShaderModule module = shader(vk, wave_comp, sizeof wave_comp);
    const VkComputePipelineCreateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
                                              .stage = stage(VK_SHADER_STAGE_COMPUTE_BIT, module),
                                              .layout = p->wave_layout};
    VK(vkCreateComputePipelines(vk->device, VK_NULL_HANDLE, 1, &info, NULL, &p->wave));
    vkDestroyShaderModule(vk->device, module, NULL);
}

/* ---- The graphics pass ----------------------------------------------------------------------- */

static void create_image(passes *p, const vulkan *vk) {
    const VkImageCreateInfo info = {.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                                    .imageType = VK_IMAGE_TYPE_2D,
                                    .format = VK_FORMAT_R8_UNORM,
                                    .extent = {WIDTH, HEIGHT, 1},
                                    .mipLevels = 1,
                                    .arrayLayers = 1,
                                    .samples = VK_SAMPLE_COUNT_1_BIT,
                                    .usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT |
                                             VK_IMAGE_USAGE_TRANSFER_SRC_BIT};
    VK(vkCreateImage(vk->device, &info, NULL, &p->image));
    VkMemoryRequirements needs;
    vkGetImageMemoryRequirements(vk->device, p->image, &needs);
    const VkMemoryAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .allocationSize = needs.size,
        .memoryTypeIndex =
            vulkan_memory_type(vk, needs.memoryTypeBits, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT)};
    VK(vkAllocateMemory(vk->device, &allocate, NULL, &p->image_memory));
    VK(vkBindImageMemory(vk->device, p->image, p->image_memory, 0));
    const VkImageViewCreateInfo view = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
        .image = p->image,
        .viewType = VK_IMAGE_VIEW_TYPE_2D,
        .format = info.format,
        .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
    VK(vkCreateImageView(vk->device, &view, NULL, &p->view));
}

static void create_draw(passes *p, const vulkan *vk) {
    const VkPipelineLayoutCreateInfo layout = {.sType =
                                                   VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
    VK(vkCreatePipelineLayout(vk->device, &layout, NULL, &p->draw_layout));
    VkShaderModule vert = shader(vk, curve_vert, sizeof curve_vert);
    VkShaderModule frag = shader(vk, curve_frag, sizeof curve_frag);
    const VkPipelineShaderStageCreateInfo stages[] = {stage(VK_SHADER_STAGE_VERTEX_BIT, vert),
                                                      stage(VK_SHADER_STAGE_FRAGMENT_BIT, frag)};
    const VkVertexInputBindingDescription binding = {.stride = 2 * sizeof(float)};
    const VkVertexInputAttributeDescription position = {.format = VK_FORMAT_R32G32_SFLOAT};
    const VkPipelineVertexInputStateCreateInfo vertices = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO,
        .vertexBindingDescriptionCount = 1,
        .pVertexBindingDescriptions = &binding,
        .vertexAttributeDescriptionCount = 1,
        .pVertexAttributeDescriptions = &position};
    const VkPipelineInputAssemblyStateCreateInfo assembly = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO,
        .topology = VK_PRIMITIVE_TOPOLOGY_POINT_LIST};
    const VkPipelineViewportStateCreateInfo viewport = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO,
        .viewportCount = 1,
        .pViewports = &(VkViewport){0, 0, WIDTH, HEIGHT, 0, 1},
        .scissorCount = 1,
        .pScissors = &(VkRect2D){{0, 0}, {WIDTH, HEIGHT}}};
    const VkPipelineRasterizationStateCreateInfo raster = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO, .lineWidth = 1};
    const VkPipelineMultisampleStateCreateInfo samples = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO,
        .rasterizationSamples = VK_SAMPLE_COUNT_1_BIT};
    const VkPipelineColorBlendAttachmentState write = {.colorWriteMask = VK_COLOR_COMPONENT_R_BIT};
    const VkPipelineColorBlendStateCreateInfo blend = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO,
        .attachmentCount = 1,
        .pAttachments = &write};
    const VkPipelineRenderingCreateInfo target = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_RENDERING_CREATE_INFO,
        .colorAttachmentCount = 1,
        .pColorAttachmentFormats = &(VkFormat){VK_FORMAT_R8_UNORM}};
    const VkGraphicsPipelineCreateInfo info = {.sType =
                                                   VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
                                               .pNext = &target,
                                               .stageCount = 2,
                                               .pStages = stages,
                                               .pVertexInputState = &vertices,
                                               .pInputAssemblyState = &assembly,
                                               .pViewportState = &viewport,
                                               .pRasterizationState = &raster,
                                               .pMultisampleState = &samples,
                                               .pColorBlendState = &blend,
                                               .layout = p->draw_layout};
    VK(vkCreateGraphicsPipelines(vk->device, VK_NULL_HANDLE, 1, &info, NULL, &p->draw));
    vkDestroyShaderModule(vk->device, vert, NULL);
    vkDestroyShaderModule(vk->device, frag, NULL);
}

/* ---- Recording ------------------------------------------------------------------------------- */

static void begin(VkCommandBuffer commands) {
    const VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                           .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    VK(vkBeginCommandBuffer(commands, &info));
}

VkCommandBuffer passes_wave(const passes *p, uint32_t slot, uint32_t frame,
                            VkDeviceSize curve_offset) {
    VkCommandBuffer commands = p->wave_commands[slot];
    const uint32_t offset = (uint32_t)curve_offset;
    begin(commands);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, p->wave);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, p->wave_layout, 0, 1, &p->set,
                            1, &offset);
    vkCmdPushConstants(commands, p->wave_layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 4, &frame);
    vkCmdDispatch(commands, POINTS / 64, 1, 1);
    VK(vkEndCommandBuffer(commands));
    return commands;
}

/* Hands the image from one use to the next. */
static void image_barrier(const passes *p, VkCommandBuffer commands, VkPipelineStageFlags2 from,
                          VkAccessFlags2 written, VkImageLayout layout, VkPipelineStageFlags2 to,
                          VkAccessFlags2 used, VkImageLayout next_layout) {
    const VkImageMemoryBarrier2 barrier = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER_2,
        .srcStageMask = from,
        .srcAccessMask = written,
        .dstStageMask = to,
        .dstAccessMask = used,
        .oldLayout = layout,
        .newLayout = next_layout,
        .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .image = p->image,
        .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
    vkCmdPipelineBarrier2(commands, &(VkDependencyInfo){.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                                        .imageMemoryBarrierCount = 1,
                                                        .pImageMemoryBarriers = &barrier});
}

VkCommandBuffer passes_draw(const passes *p, uint32_t slot, VkBuffer vertices,
                            VkDeviceSize vertices_offset, VkBuffer pictures,
                            VkDeviceSize picture_offset) {
    VkCommandBuffer commands = p->draw_commands[slot];
    const VkRenderingAttachmentInfo target = {.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
                                              .imageView = p->view,
                                              .imageLayout =
                                                  VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
                                              .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
                                              .storeOp = VK_ATTACHMENT_STORE_OP_STORE};
    const VkRenderingInfo rendering = {.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
                                       .renderArea = {{0, 0}, {WIDTH, HEIGHT}},
                                       .layerCount = 1,
                                       .colorAttachmentCount = 1,
                                       .pColorAttachments = &target};
    begin(commands);
    image_barrier(p, commands, VK_PIPELINE_STAGE_2_COPY_BIT, 0, VK_IMAGE_LAYOUT_UNDEFINED,
                  VK_PIPELINE_STAGE_2_COLOR_ATTACHMENT_OUTPUT_BIT,
                  VK_ACCESS_2_COLOR_ATTACHMENT_WRITE_BIT, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
    vkCmdBeginRendering(commands, &rendering);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, p->draw);
    vkCmdBindVertexBuffers(commands, 0, 1, &vertices, &vertices_offset);
    vkCmdDraw(commands, POINTS, 1, 0, 0);
    vkCmdEndRendering(commands);
    image_barrier(p, commands, VK_PIPELINE_STAGE_2_COLOR_ATTACHMENT_OUTPUT_BIT,
                  VK_ACCESS_2_COLOR_ATTACHMENT_WRITE_BIT, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
                  VK_PIPELINE_STAGE_2_COPY_BIT, VK_ACCESS_2_TRANSFER_READ_BIT,
                  VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
    const VkBufferImageCopy region = {.bufferOffset = picture_offset,
                                      .imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                                      .imageExtent = {WIDTH, HEIGHT, 1}};
    vkCmdCopyImageToBuffer(commands, p->image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, pictures, 1,
                           &region);
    const VkMemoryBarrier2 to_host = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
                                      .srcStageMask = VK_PIPELINE_STAGE_2_COPY_BIT,
                                      .srcAccessMask = VK_ACCESS_2_TRANSFER_WRITE_BIT,
                                      .dstStageMask = VK_PIPELINE_STAGE_2_HOST_BIT,
                                      .dstAccessMask = VK_ACCESS_2_HOST_READ_BIT};
    vkCmdPipelineBarrier2(commands, &(VkDependencyInfo){.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                                        .memoryBarrierCount = 1,
                                                        .pMemoryBarriers = &to_host});
    VK(vkEndCommandBuffer(commands));
    return commands;
}

/* ---- Both ------------------------------------------------------------------------------------ */

void passes_create(passes *p, const vulkan *vk, VkBuffer frames, VkDeviceSize curve_bytes) {
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
                                          .queueFamilyIndex = vk->family};
    create_set(p, vk, frames, curve_bytes);
    create_wave(p, vk);
    create_image(p, vk);
    create_draw(p, vk);
    VK(vkCreateCommandPool(vk->device, &pool, NULL, &p->pool));
    const VkCommandBufferAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = p->pool,
        .commandBufferCount = SLOTS};
    VK(vkAllocateCommandBuffers(vk->device, &allocate, p->wave_commands));
    VK(vkAllocateCommandBuffers(vk->device, &allocate, p->draw_commands));
}

void passes_destroy(passes *p, const vulkan *vk) {
    vkDestroyCommandPool(vk->device, p->pool, NULL);
    vkDestroyPipeline(vk->device, p->draw, NULL);
    vkDestroyPipeline(vk->device, p->wave, NULL);
    vkDestroyPipelineLayout(vk->device, p->draw_layout, NULL);
    vkDestroyPipelineLayout(vk->device, p->wave_layout, NULL);
    vkDestroyImageView(vk->device, p->view, NULL);
    vkDestroyImage(vk->device, p->image, NULL);
    vkFreeMemory(vk->device, p->image_memory, NULL);
    vkDestroyDescriptorPool(vk->device, p->sets, NULL);
    vkDestroyDescriptorSetLayout(vk->device, p->set_layout, NULL);
}
