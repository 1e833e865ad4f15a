#include "plain.h"

#include <dlfcn.h>
#include <string.h>

struct plain_functions vk;

/* ---- The device ------------------------------------------------------------------------------ */

static int open_instance(plain *p) {
    void *library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    const VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                           .apiVersion = VK_API_VERSION_1_3};
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                       .pApplicationInfo = &application};
    if (!library) {
        fprintf(stderr, "libvulkan.so.1 is not there\n");
        return -1;
    }
    *(void **)&vk.GetInstanceProcAddr = dlsym(library, "vkGetInstanceProcAddr");
    *(void **)&vk.CreateInstance = (void *)vk.GetInstanceProcAddr(NULL, "vkCreateInstance");
    TRY(vk.CreateInstance(&info, NULL, &p->instance));
#define X(name) *(void **)&vk.name = (void *)vk.GetInstanceProcAddr(p->instance, "vk" #name);
    PLAIN_FUNCTIONS(X)
#undef X
    return 0;
}

static int choose_device(plain *p) {
    enum { MOST = 16 };
    VkPhysicalDevice devices[MOST];
    VkQueueFamilyProperties families[MOST];
    uint32_t count = MOST, family_count = MOST;
    VkResult listed = vk.EnumeratePhysicalDevices(p->instance, &count, devices);
    if ((listed != VK_SUCCESS && listed != VK_INCOMPLETE) || count == 0) {
        fprintf(stderr, "there is no Vulkan device\n");
        return -1;
    }
    p->physical = devices[0];
    for (uint32_t i = count; i--;) {
        vk.GetPhysicalDeviceProperties(devices[i], &p->properties);
        if (p->properties.deviceType != VK_PHYSICAL_DEVICE_TYPE_CPU) p->physical = devices[i];
    }
    vk.GetPhysicalDeviceProperties(p->physical, &p->properties);
    vk.GetPhysicalDeviceQueueFamilyProperties(p->physical, &family_count, families);
    for (p->family = 0; p->family < family_count; p->family++)
        if (families[p->family].queueFlags & VK_QUEUE_COMPUTE_BIT) return 0;
    return -1;
}

/* What is enabled; a static, since the import names it too. */
static VkPhysicalDeviceVulkan13Features features13 = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES, .synchronization2 = VK_TRUE};
static VkPhysicalDeviceVulkan12Features features12 = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
    .pNext = &features13,
    .timelineSemaphore = VK_TRUE};

/* What an application enables whose device may have it: uploads on a software driver use it. */
static const char *const wanted_extensions[] = {VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME};
enum { WANTED_EXTENSIONS = sizeof wanted_extensions / sizeof *wanted_extensions };
static const char *enabled_extensions[WANTED_EXTENSIONS];
static uint32_t enabled_count;

static int choose_extensions(const plain *p) {
    enum { MOST = 512 };
    static VkExtensionProperties there[MOST];
    uint32_t count = MOST;
    VkResult listed = vk.EnumerateDeviceExtensionProperties(p->physical, NULL, &count, there);
    if (listed != VK_SUCCESS && listed != VK_INCOMPLETE) return -1;
    enabled_count = 0;
    for (uint32_t w = 0; w < WANTED_EXTENSIONS; w++)
        for (uint32_t i = 0; i < count; i++)
            if (strcmp(there[i].extensionName, wanted_extensions[w]) == 0)
                enabled_extensions[enabled_count++] = wanted_extensions[w];
    return 0;
}

int plain_open(plain *p) {
    *p = (plain){0};
    if (open_instance(p) || choose_device(p) || choose_extensions(p)) return -1;
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueFamilyIndex = p->family,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    const VkDeviceCreateInfo device = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                       .pNext = &features12,
                                       .queueCreateInfoCount = 1,
                                       .pQueueCreateInfos = &queue,
                                       .enabledExtensionCount = enabled_count,
                                       .ppEnabledExtensionNames = enabled_extensions};
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
                                          .queueFamilyIndex = p->family};
    const VkDescriptorPoolSize sizes[] = {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 16384},
                                          {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC, 64}};
    const VkDescriptorPoolCreateInfo sets = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .maxSets = 8192,
                                             .poolSizeCount = 2,
                                             .pPoolSizes = sizes};
    TRY(vk.CreateDevice(p->physical, &device, NULL, &p->device));
    vk.GetDeviceQueue(p->device, p->family, 0, &p->queue);
    TRY(vk.CreateCommandPool(p->device, &pool, NULL, &p->pool));
    TRY(vk.CreateDescriptorPool(p->device, &sets, NULL, &p->sets));
    return 0;
}

void plain_close(plain *p) {
    if (!p->instance) return;
    if (p->device) {
        vk.DestroyDescriptorPool(p->device, p->sets, NULL);
        vk.DestroyCommandPool(p->device, p->pool, NULL);
        vk.DestroyDevice(p->device, NULL);
    }
    vk.DestroyInstance(p->instance, NULL);
}

int plain_import(const plain *p, rp_diags *diags, rp_device **out_device) {
    const rp_device_import import = {.size = sizeof import,
                                     .get_instance_proc_addr = (void *)vk.GetInstanceProcAddr,
                                     .instance = p->instance,
                                     .api_version = VK_API_VERSION_1_3,
                                     .physical_device = p->physical,
                                     .device = p->device,
                                     .features = &features12,
                                     .extensions = enabled_extensions,
                                     .extension_count = enabled_count,
                                     .queue = p->queue,
                                     .queue_family = p->family};
    const rp_device_params params = {.size = sizeof params, .import = &import};
    TRY(rp_device_create(NULL, &params, diags, out_device));
    return 0;
}

/* ---- Buffers --------------------------------------------------------------------------------- */

static bool find_memory(const plain *p, uint32_t allowed, VkMemoryPropertyFlags wanted,
                        uint32_t *out) {
    VkPhysicalDeviceMemoryProperties memory;
    vk.GetPhysicalDeviceMemoryProperties(p->physical, &memory);
    for (*out = 0; *out < memory.memoryTypeCount; (*out)++)
        if (allowed >> *out & 1 && (memory.memoryTypes[*out].propertyFlags & wanted) == wanted)
            return true;
    return false;
}

int plain_buffer_create(const plain *p, uint64_t bytes, plain_memory where, plain_buffer *out) {
    const VkMemoryPropertyFlags visible =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    const VkMemoryPropertyFlags wanted[] = {[PLAIN_DEVICE] = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
                                            [PLAIN_UPLOAD] = visible,
                                            [PLAIN_READBACK] =
                                                visible | VK_MEMORY_PROPERTY_HOST_CACHED_BIT};
    const VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .size = bytes,
        .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT |
                 VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    VkMemoryRequirements needs;
    uint32_t type;
    *out = (plain_buffer){.bytes = bytes};
    TRY(vk.CreateBuffer(p->device, &info, NULL, &out->handle));
    vk.GetBufferMemoryRequirements(p->device, out->handle, &needs);
    if (!find_memory(p, needs.memoryTypeBits, wanted[where], &type) &&
        !find_memory(p, needs.memoryTypeBits, visible, &type))
        return -1;
    const VkMemoryAllocateInfo allocate = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                           .allocationSize = needs.size,
                                           .memoryTypeIndex = type};
    TRY(vk.AllocateMemory(p->device, &allocate, NULL, &out->memory));
    TRY(vk.BindBufferMemory(p->device, out->handle, out->memory, 0));
    if (where != PLAIN_DEVICE)
        TRY(vk.MapMemory(p->device, out->memory, 0, VK_WHOLE_SIZE, 0, (void **)&out->mapped));
    return 0;
}

void plain_buffer_destroy(const plain *p, plain_buffer *b) {
    vk.DestroyBuffer(p->device, b->handle, NULL);
    vk.FreeMemory(p->device, b->memory, NULL);
    *b = (plain_buffer){0};
}

int plain_storage(rp_device *device, const plain_buffer *b, bool mapped, rp_diags *diags,
                  rp_storage **out_storage) {
    const rp_storage_import import = {.size = sizeof import,
                                      .buffer = b->handle,
                                      .bytes = b->bytes,
                                      .mapped = mapped ? b->mapped : NULL};
    TRY(rp_storage_import_buffer(device, &import, diags, out_storage));
    return 0;
}

/* ---- Kernels --------------------------------------------------------------------------------- */

int plain_kernel_create(const plain *p, const rp_plan_kernel_info *kernel, uint32_t bindings,
                        VkDescriptorType type, VkPipelineCache cache, plain_kernel *out) {
    VkDescriptorSetLayoutBinding list[8];
    for (uint32_t i = 0; i < bindings; i++)
        list[i] = (VkDescriptorSetLayoutBinding){.binding = i,
                                                 .descriptorType = type,
                                                 .descriptorCount = 1,
                                                 .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    const VkDescriptorSetLayoutCreateInfo set_layout = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = bindings,
        .pBindings = list};
    TRY(vk.CreateDescriptorSetLayout(p->device, &set_layout, NULL, &out->set_layout));
    const VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, kernel->push_bytes};
    const VkPipelineLayoutCreateInfo layout = {.sType =
                                                   VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                               .setLayoutCount = 1,
                                               .pSetLayouts = &out->set_layout,
                                               .pushConstantRangeCount = kernel->push_bytes > 0,
                                               .pPushConstantRanges = &push};
    const VkShaderModuleCreateInfo code = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                           .codeSize = kernel->spirv_bytes,
                                           .pCode = kernel->spirv};
    VkShaderModule module;
    TRY(vk.CreatePipelineLayout(p->device, &layout, NULL, &out->layout));
    TRY(vk.CreateShaderModule(p->device, &code, NULL, &module));
    const VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = kernel->entry},
        .layout = out->layout};
    TRY(vk.CreateComputePipelines(p->device, cache, 1, &info, NULL, &out->pipeline));
    vk.DestroyShaderModule(p->device, module, NULL);
    return 0;
}

void plain_kernel_destroy(const plain *p, plain_kernel *k) {
    vk.DestroyPipeline(p->device, k->pipeline, NULL);
    vk.DestroyPipelineLayout(p->device, k->layout, NULL);
    vk.DestroyDescriptorSetLayout(p->device, k->set_layout, NULL);
    *k = (plain_kernel){0};
}

int plain_set(const plain *p, const plain_kernel *k, VkDescriptorType type,
              const VkDescriptorBufferInfo *ranges, uint32_t count, VkDescriptorSet *out) {
    const VkDescriptorSetAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
        .descriptorPool = p->sets,
        .descriptorSetCount = 1,
        .pSetLayouts = &k->set_layout};
    VkWriteDescriptorSet writes[8];
    TRY(vk.AllocateDescriptorSets(p->device, &allocate, out));
    for (uint32_t i = 0; i < count; i++)
        writes[i] = (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                           .dstSet = *out,
                                           .dstBinding = i,
                                           .descriptorCount = 1,
                                           .descriptorType = type,
                                           .pBufferInfo = &ranges[i]};
    vk.UpdateDescriptorSets(p->device, count, writes, 0, NULL);
    return 0;
}

/* ---- Commands -------------------------------------------------------------------------------- */

int plain_commands(const plain *p, VkCommandBuffer *out) {
    const VkCommandBufferAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                              .commandPool = p->pool,
                                              .commandBufferCount = 1};
    TRY(vk.AllocateCommandBuffers(p->device, &info, out));
    return 0;
}

int plain_begin(VkCommandBuffer commands, VkCommandBufferUsageFlags flags) {
    const VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                           .flags = flags};
    TRY(vk.BeginCommandBuffer(commands, &info));
    return 0;
}

void plain_barrier(VkCommandBuffer commands, VkPipelineStageFlags2 src, VkAccessFlags2 written,
                   VkPipelineStageFlags2 dst, VkAccessFlags2 used) {
    const VkMemoryBarrier2 barrier = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
                                      .srcStageMask = src,
                                      .srcAccessMask = written,
                                      .dstStageMask = dst,
                                      .dstAccessMask = used};
    const VkDependencyInfo info = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                   .memoryBarrierCount = 1,
                                   .pMemoryBarriers = &barrier};
    vk.CmdPipelineBarrier2(commands, &info);
}

int plain_timeline(const plain *p, VkSemaphore *out) {
    const VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                            .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                        .pNext = &type};
    TRY(vk.CreateSemaphore(p->device, &info, NULL, out));
    return 0;
}

int plain_wait(const plain *p, VkSemaphore timeline, uint64_t value) {
    const VkSemaphoreWaitInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                      .semaphoreCount = 1,
                                      .pSemaphores = &timeline,
                                      .pValues = &value};
    TRY(vk.WaitSemaphores(p->device, &info, UINT64_MAX));
    return 0;
}

int plain_submit(const plain *p, VkCommandBuffer commands, VkSemaphore timeline, uint64_t value) {
    const VkCommandBufferSubmitInfo buffer = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
                                              .commandBuffer = commands};
    const VkSemaphoreSubmitInfo signal = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
                                          .semaphore = timeline,
                                          .value = value,
                                          .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
    const VkSubmitInfo2 submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                  .commandBufferInfoCount = 1,
                                  .pCommandBufferInfos = &buffer,
                                  .signalSemaphoreInfoCount = 1,
                                  .pSignalSemaphoreInfos = &signal};
    TRY(vk.QueueSubmit2(p->queue, 1, &submit, VK_NULL_HANDLE));
    return 0;
}
