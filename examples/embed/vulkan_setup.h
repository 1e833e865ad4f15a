/* What every Vulkan program begins with: an instance, a device, a queue, and short forms for buffers
 * and timelines. Nothing here knows of Reprise. The instance has the validation layer with
 * synchronisation checks, and counts what it says. */
#ifndef EMBED_VULKAN_SETUP_H
#define EMBED_VULKAN_SETUP_H

#include <stdbool.h>
#include <stdint.h>
#include <volk.h>

typedef struct vulkan {
    VkInstance instance;
    VkDebugUtilsMessengerEXT messenger;
    uint32_t messages; /* warnings and errors of the validation layer */
    VkPhysicalDevice physical;
    VkPhysicalDeviceFeatures2 features; /* the chain for vkCreateDevice: the three behind it */
    VkPhysicalDeviceVulkan11Features features11;
    VkPhysicalDeviceVulkan12Features features12;
    VkPhysicalDeviceVulkan13Features features13;
    const char *extensions[4]; /* of the device */
    uint32_t extension_count;
    VkDevice device;
    uint32_t family;
    VkQueue queue;
} vulkan;

typedef struct buffer {
    VkBuffer handle;
    VkDeviceMemory memory;
    void *mapped; /* NULL for memory of the device */
} buffer;

/* What a submission waits for and signals: a value of a timeline. */
typedef struct moment {
    VkSemaphore timeline;
    uint64_t value;
    VkPipelineStageFlags2 stages;
} moment;

/* Ends the program with a message when a call fails. */
#define VK(call) vulkan_check(call, #call)
void vulkan_check(VkResult result, const char *call);

/* The instance and the physical device. What is switched on in the features until then is enabled by
 * vulkan_create_device. */
void vulkan_open(vulkan *vk);
/* Has an extension enabled, when the device is created; false when it has none of that name. */
bool vulkan_enable(vulkan *vk, const char *extension);
void vulkan_create_device(vulkan *vk);
void vulkan_close(vulkan *vk);

uint32_t vulkan_memory_type(const vulkan *vk, uint32_t allowed, VkMemoryPropertyFlags wanted);
buffer vulkan_buffer(const vulkan *vk, VkDeviceSize bytes, VkBufferUsageFlags usage,
                     bool host_visible);
void vulkan_buffer_destroy(const vulkan *vk, buffer *b);

VkSemaphore vulkan_timeline(const vulkan *vk);
void vulkan_wait(const vulkan *vk, VkSemaphore timeline, uint64_t value);
void vulkan_submit(const vulkan *vk, VkCommandBuffer commands, const moment *wait,
                   const moment *signal);

#endif
