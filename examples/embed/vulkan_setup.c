#define VOLK_IMPLEMENTATION
#include "vulkan_setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void vulkan_check(VkResult result, const char *call) {
    if (result == VK_SUCCESS) return;
    fprintf(stderr, "embed: %s: result %d\n", call, (int)result);
    exit(1);
}

/* ---- The instance ---------------------------------------------------------------------------- */

static VkBool32 VKAPI_PTR on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                     VkDebugUtilsMessageTypeFlagsEXT types,
                                     const VkDebugUtilsMessengerCallbackDataEXT *data, void *user) {
    (void)severity, (void)types;
    ((vulkan *)user)->messages++;
    fprintf(stderr, "%s\n", data->pMessage);
    return VK_FALSE;
}

static void create_instance(vulkan *vk) {
    const VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                           .pApplicationName = "embed",
                                           .apiVersion = VK_API_VERSION_1_3};
    const VkDebugUtilsMessengerCreateInfoEXT messenger = {
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
        .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                           VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
        .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
        .pfnUserCallback = on_message,
        .pUserData = vk};
    const VkValidationFeatureEnableEXT checks =
        VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT;
    const VkValidationFeaturesEXT validation = {.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
                                                .pNext = &messenger,
                                                .enabledValidationFeatureCount = 1,
                                                .pEnabledValidationFeatures = &checks};
    const char *layer = "VK_LAYER_KHRONOS_validation";
    const char *extension = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                       .pNext = &validation,
                                       .pApplicationInfo = &application,
                                       .enabledLayerCount = 1,
                                       .ppEnabledLayerNames = &layer,
                                       .enabledExtensionCount = 1,
                                       .ppEnabledExtensionNames = &extension};
    VK(volkInitialize());
    VK(vkCreateInstance(&info, NULL, &vk->instance));
    volkLoadInstance(vk->instance);
    VK(vkCreateDebugUtilsMessengerEXT(vk->instance, &messenger, NULL, &vk->messenger));
}

/* ---- The device ------------------------------------------------------------------------------ */

/* A family that draws and computes; false when the device has none, or is too old. */
static bool find_family(VkPhysicalDevice physical, uint32_t *out) {
    VkQueueFamilyProperties families[16];
    uint32_t count = 16;
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties(physical, &properties);
    vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, families);
    for (*out = 0; *out < count; (*out)++)
        if (families[*out].queueFlags & VK_QUEUE_GRAPHICS_BIT &&
            families[*out].queueFlags & VK_QUEUE_COMPUTE_BIT)
            return properties.apiVersion >= VK_API_VERSION_1_3;
    return false;
}

/* The first device that can do it, GPUs before software. */
static void choose_device(vulkan *vk) {
    VkPhysicalDevice devices[16];
    uint32_t count = 16, family;
    bool software = true;
    VK(vkEnumeratePhysicalDevices(vk->instance, &count, devices));
    for (uint32_t i = 0; i < count; i++) {
        VkPhysicalDeviceProperties properties;
        vkGetPhysicalDeviceProperties(devices[i], &properties);
        if (!software || !find_family(devices[i], &family)) continue;
        bool cpu = properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
        if (cpu && vk->physical) continue;
        vk->physical = devices[i];
        vk->family = family;
        software = cpu;
    }
    if (vk->physical) return;
    fprintf(stderr, "embed: no device with Vulkan 1.3 and a queue for graphics and compute\n");
    exit(1);
}

/* What this program itself uses. */
static void choose_features(vulkan *vk) {
    vk->features = (VkPhysicalDeviceFeatures2){
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &vk->features11};
    vk->features11 = (VkPhysicalDeviceVulkan11Features){
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, .pNext = &vk->features12};
    vk->features12 = (VkPhysicalDeviceVulkan12Features){
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
        .pNext = &vk->features13,
        .timelineSemaphore = VK_TRUE};
    vk->features13 = (VkPhysicalDeviceVulkan13Features){
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
        .synchronization2 = VK_TRUE,
        .dynamicRendering = VK_TRUE};
}

bool vulkan_enable(vulkan *vk, const char *extension) {
    VkExtensionProperties all[512];
    uint32_t count = 512;
    VkResult result = vkEnumerateDeviceExtensionProperties(vk->physical, NULL, &count, all);
    if (result != VK_INCOMPLETE) VK(result);
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(all[i].extensionName, extension) == 0) {
            vk->extensions[vk->extension_count++] = extension;
            return true;
        }
    return false;
}

void vulkan_create_device(vulkan *vk) {
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueFamilyIndex = vk->family,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    const VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                     .pNext = &vk->features,
                                     .queueCreateInfoCount = 1,
                                     .pQueueCreateInfos = &queue,
                                     .enabledExtensionCount = vk->extension_count,
                                     .ppEnabledExtensionNames = vk->extensions};
    VK(vkCreateDevice(vk->physical, &info, NULL, &vk->device));
    volkLoadDevice(vk->device);
    vkGetDeviceQueue(vk->device, vk->family, 0, &vk->queue);
}

void vulkan_open(vulkan *vk) {
    *vk = (vulkan){0};
    create_instance(vk);
    choose_device(vk);
    choose_features(vk);
}

void vulkan_close(vulkan *vk) {
    vkDestroyDevice(vk->device, NULL);
    vkDestroyDebugUtilsMessengerEXT(vk->instance, vk->messenger, NULL);
    vkDestroyInstance(vk->instance, NULL);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

uint32_t vulkan_memory_type(const vulkan *vk, uint32_t allowed, VkMemoryPropertyFlags wanted) {
    VkPhysicalDeviceMemoryProperties memory;
    vkGetPhysicalDeviceMemoryProperties(vk->physical, &memory);
    for (uint32_t i = 0; i < memory.memoryTypeCount; i++)
        if (allowed >> i & 1 && (memory.memoryTypes[i].propertyFlags & wanted) == wanted) return i;
    fprintf(stderr, "embed: no memory type with properties %#x\n", wanted);
    exit(1);
}

buffer vulkan_buffer(const vulkan *vk, VkDeviceSize bytes, VkBufferUsageFlags usage,
                     bool host_visible) {
    const VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = bytes, .usage = usage};
    buffer b = {0};
    VkMemoryRequirements needs;
    VK(vkCreateBuffer(vk->device, &info, NULL, &b.handle));
    vkGetBufferMemoryRequirements(vk->device, b.handle, &needs);
    const VkMemoryPropertyFlags wanted =
        host_visible ? VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT
                     : VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
    const VkMemoryAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .allocationSize = needs.size,
        .memoryTypeIndex = vulkan_memory_type(vk, needs.memoryTypeBits, wanted)};
    VK(vkAllocateMemory(vk->device, &allocate, NULL, &b.memory));
    VK(vkBindBufferMemory(vk->device, b.handle, b.memory, 0));
    if (host_visible) VK(vkMapMemory(vk->device, b.memory, 0, VK_WHOLE_SIZE, 0, &b.mapped));
    return b;
}

void vulkan_buffer_destroy(const vulkan *vk, buffer *b) {
    vkDestroyBuffer(vk->device, b->handle, NULL);
    vkFreeMemory(vk->device, b->memory, NULL);
}

/* ---- Timelines and submissions --------------------------------------------------------------- */

VkSemaphore vulkan_timeline(const vulkan *vk) {
    const VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                            .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                        .pNext = &type};
    VkSemaphore timeline;
    VK(vkCreateSemaphore(vk->device, &info, NULL, &timeline));
    return timeline;
}

void vulkan_wait(const vulkan *vk, VkSemaphore timeline, uint64_t value) {
    const VkSemaphoreWaitInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                      .semaphoreCount = 1,
                                      .pSemaphores = &timeline,
                                      .pValues = &value};
    VK(vkWaitSemaphores(vk->device, &info, UINT64_MAX));
}

static VkSemaphoreSubmitInfo semaphore_info(const moment *m) {
    return (VkSemaphoreSubmitInfo){.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
                                   .semaphore = m->timeline,
                                   .value = m->value,
                                   .stageMask = m->stages};
}

void vulkan_submit(const vulkan *vk, VkCommandBuffer commands, const moment *wait,
                   const moment *signal) {
    const VkCommandBufferSubmitInfo command_info = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, .commandBuffer = commands};
    const VkSemaphoreSubmitInfo wait_info =
        wait ? semaphore_info(wait) : (VkSemaphoreSubmitInfo){0};
    const VkSemaphoreSubmitInfo signal_info = semaphore_info(signal);
    const VkSubmitInfo2 info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                .waitSemaphoreInfoCount = wait != NULL,
                                .pWaitSemaphoreInfos = &wait_info,
                                .commandBufferInfoCount = 1,
                                .pCommandBufferInfos = &command_info,
                                .signalSemaphoreInfoCount = 1,
                                .pSignalSemaphoreInfos = &signal_info};
    VK(vkQueueSubmit2(vk->queue, 1, &info, VK_NULL_HANDLE));
}
