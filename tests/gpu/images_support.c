#include "images.h"

#include "support/glsl_body.h"

rp_plan *images_plan(const char *text, const images_kernel *kernels, int level) {
    rp_graph *graph = gpu_parse(text);
    for (; kernels && kernels->name; kernels++) rp_give_glsl(graph, kernels->name, kernels->glsl);
    rp_plan *plan = gpu_compile(graph, level);
    rp_graph_destroy(graph);
    return plan;
}

rp_device *images_open(void) {
    return gpu_open(1);
}

void images_close(rp_device *device) {
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(rp_device_messages(device, diags), 0);
    gpu_report(diags);
    rp_diags_destroy(diags);
    CU_ASSERT_EQUAL(rp_device_destroy(device, NULL), RP_OK);
}

void images_fill(uint8_t *bytes, uint64_t size, uint32_t seed) {
    for (uint64_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)((i * 2654435761u + seed * 40503u) >> 13 ^ i);
}

void images_replay(rp_exec *exec) {
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    gpu_report(diags);
    rp_diags_destroy(diags);
}

/* ---- Images of the application --------------------------------------------------------------- */

images_own images_make_own(rp_device *device, uint32_t width, uint32_t height,
                           VkImageUsageFlags usage) {
    images_own own = {.width = width, .height = height};
    const rp_vk *vk = &device->vk;
    const VkImageCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
        .imageType = VK_IMAGE_TYPE_2D,
        .format = VK_FORMAT_R32_UINT,
        .extent = {width, height, 1},
        .mipLevels = 1,
        .arrayLayers = 1,
        .samples = VK_SAMPLE_COUNT_1_BIT,
        .tiling = VK_IMAGE_TILING_OPTIMAL,
        .usage = usage,
    };
    CU_ASSERT_EQUAL_FATAL(vk->CreateImage(device->handle, &info, NULL, &own.image), VK_SUCCESS);
    VkMemoryRequirements2 needs = {.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2};
    const VkImageMemoryRequirementsInfo2 asked = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2, .image = own.image};
    vk->GetImageMemoryRequirements2(device->handle, &asked, &needs);
    uint32_t type = 0;
    while (!(needs.memoryRequirements.memoryTypeBits >> type & 1)) type++;
    const VkMemoryAllocateInfo memory = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                         .allocationSize = needs.memoryRequirements.size,
                                         .memoryTypeIndex = type};
    CU_ASSERT_EQUAL_FATAL(vk->AllocateMemory(device->handle, &memory, NULL, &own.memory),
                          VK_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(vk->BindImageMemory(device->handle, own.image, own.memory, 0),
                          VK_SUCCESS);
    return own;
}

rp_storage *images_lend(rp_device *device, const images_own *own, VkImageUsageFlags usage,
                        VkImageLayout before, VkImageLayout after) {
    rp_storage *storage = NULL;
    const rp_storage_image params = {
        .size = sizeof params,
        .image = own->image,
        .shape = {RP_IMAGE_R32UI, RP_IMAGE_2D, 1, own->width, own->height, 1, 1},
        .usage = usage,
        .before = before,
        .after = after,
        .name = "mine"};
    CU_ASSERT_EQUAL_FATAL(rp_storage_import_image(device, &params, NULL, &storage), RP_OK);
    return storage;
}

void images_drop_own(rp_device *device, images_own *own) {
    device->vk.DestroyImage(device->handle, own->image, NULL);
    device->vk.FreeMemory(device->handle, own->memory, NULL);
}
