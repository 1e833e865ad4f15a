/* What validation layers say, kept as diagnostics until somebody asks. Layers call from whatever
 * thread is inside Vulkan, so the list has a lock of its own. */
#include "device/device.h"

static VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                                 VkDebugUtilsMessageTypeFlagsEXT types,
                                                 const VkDebugUtilsMessengerCallbackDataEXT *data,
                                                 void *user) {
    (void)types;
    rp_messages *messages = user;
    pthread_mutex_lock(&messages->mutex);
    messages->count++;
    rp_diags_add(messages->kept,
                 severity >= VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT ? RP_ERROR : RP_WARNING,
                 NULL, 0, 0, "%s", data->pMessage ? data->pMessage : "(no text)");
    pthread_mutex_unlock(&messages->mutex);
    return VK_FALSE;
}

rp_status rp_messages_open(rp_messages *messages, const rp_instance *instance,
                           const rp_allocator *a, rp_diags *diags) {
    messages->kept = rp_diags_create(a);
    if (!messages->kept) return RP_ERROR_NO_MEMORY;
    if (pthread_mutex_init(&messages->mutex, NULL) != 0) {
        rp_diags_destroy(messages->kept);
        messages->kept = NULL;
        return RP_ERROR_NO_MEMORY;
    }
    const VkDebugUtilsMessengerCreateInfoEXT info = {
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
        .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                           VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
        /* GENERAL is the loader talking about its search paths. */
        .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
        .pfnUserCallback = on_message,
        .pUserData = messages,
    };
    const rp_vk *vk = &instance->vk;
    rp_status status = RP_ERROR_UNSUPPORTED;
    if (vk->CreateDebugUtilsMessengerEXT && vk->DestroyDebugUtilsMessengerEXT)
        status = RP_VK(diags, vk->CreateDebugUtilsMessengerEXT(instance->handle, &info, NULL,
                                                               &messages->messenger));
    else
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "the Vulkan loader has no VK_EXT_debug_utils");
    if (status != RP_OK) rp_messages_close(messages, instance);
    return status;
}

void rp_messages_close(rp_messages *messages, const rp_instance *instance) {
    if (!messages->kept) return;
    if (messages->messenger)
        instance->vk.DestroyDebugUtilsMessengerEXT(instance->handle, messages->messenger, NULL);
    pthread_mutex_destroy(&messages->mutex);
    rp_diags_destroy(messages->kept);
    memset(messages, 0, sizeof *messages);
}

uint32_t rp_device_messages(rp_device *device, rp_diags *diags) {
    if (!device || !device->validation) return 0;
    rp_messages *messages = &device->messages;
    pthread_mutex_lock(&messages->mutex);
    uint32_t count = messages->count;
    for (uint32_t i = 0; i < rp_diags_count(messages->kept); i++) {
        rp_diag diag = rp_diags_get(messages->kept, i);
        rp_diags_add(diags, diag.severity, NULL, 0, 0, "%s", diag.message);
    }
    rp_diags_clear(messages->kept);
    pthread_mutex_unlock(&messages->mutex);
    return count;
}
