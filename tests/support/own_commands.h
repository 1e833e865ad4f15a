/* A command buffer of the application's own, on the fake driver or a real one. */
#ifndef RP_TESTS_OWN_COMMANDS_H
#define RP_TESTS_OWN_COMMANDS_H

#include "memory/storage.h"

typedef struct own_commands {
    VkCommandPool pool;
    VkCommandBuffer handle;
} own_commands;

static inline VkResult own_commands_create(rp_device *device, own_commands *out) {
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
                                          .queueFamilyIndex = device->adapter.queue_family};
    VkResult result = device->vk.CreateCommandPool(device->handle, &pool, NULL, &out->pool);
    if (result != VK_SUCCESS) return result;
    const VkCommandBufferAllocateInfo commands = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = out->pool,
        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = 1};
    return device->vk.AllocateCommandBuffers(device->handle, &commands, &out->handle);
}

static inline VkResult own_commands_begin(rp_device *device, const own_commands *commands) {
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    return device->vk.BeginCommandBuffer(commands->handle, &begin);
}

static inline VkResult own_commands_end(rp_device *device, const own_commands *commands) {
    return device->vk.EndCommandBuffer(commands->handle);
}

static inline void own_commands_destroy(rp_device *device, own_commands *commands) {
    device->vk.DestroyCommandPool(device->handle, commands->pool, NULL);
}

#endif
