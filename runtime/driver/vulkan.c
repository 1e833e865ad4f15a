/* Finding Vulkan, and its function tables.
 *
 * The loader is opened when a device is asked for, so a program that links the runtime starts on a
 * machine without Vulkan and gets a message. Functions are fetched once per device through
 * vkGetDeviceProcAddr, which skips the loader's dispatch on every call. The list of functions is
 * one X-macro; a generated loader of a thousand functions would serve no one here. */
#include "driver/vulkan.h"

#include <ctype.h>
#include <dlfcn.h>

rp_status rp_vk_open(rp_vk *vk, void *entry, rp_diags *diags, void **out_library) {
    *out_library = NULL;
    void *library = NULL;
    if (!entry) {
        /* NODELETE: drivers leave threads and exit handlers behind that must not lose their code.
         */
        library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (!library) {
            rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                         "no Vulkan loader: %s; install libvulkan1 and a driver "
                         "(mesa-vulkan-drivers has a software one)",
                         dlerror());
            return RP_ERROR_NO_DEVICE;
        }
        entry = dlsym(library, "vkGetInstanceProcAddr");
    }
    memset(vk, 0, sizeof *vk);
    memcpy(&vk->GetInstanceProcAddr, &entry, sizeof entry);
    bool complete = entry != NULL;
#define RP_VK_GLOBAL(name)                                                                         \
    if (complete) {                                                                                \
        vk->name = (PFN_vk##name)vk->GetInstanceProcAddr(NULL, "vk" #name);                        \
        complete = vk->name != NULL;                                                               \
    }
#include "driver/functions.def"
    if (!complete) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "the Vulkan loader is older than Vulkan 1.1; install a newer libvulkan1");
        rp_vk_close(library);
        return RP_ERROR_NO_DEVICE;
    }
    *out_library = library;
    return RP_OK;
}

void rp_vk_close(void *library) {
    if (library) dlclose(library);
}

static rp_status missing_function(const char *name, rp_diags *diags) {
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "the Vulkan driver has no vk%s; Vulkan 1.2 with synchronization2 is needed", name);
    return RP_ERROR_UNSUPPORTED;
}

rp_status rp_vk_load_instance(rp_vk *vk, VkInstance instance, rp_diags *diags) {
#define RP_VK_INSTANCE_OPTIONAL(name)                                                              \
    vk->name = (PFN_vk##name)vk->GetInstanceProcAddr(instance, "vk" #name);
#define RP_VK_INSTANCE(name)                                                                       \
    vk->name = (PFN_vk##name)vk->GetInstanceProcAddr(instance, "vk" #name);                        \
    if (!vk->name) return missing_function(#name, diags);
#include "driver/functions.def"
    return RP_OK;
}

rp_status rp_vk_load_device(rp_vk *vk, VkDevice device, bool vulkan_1_3, rp_diags *diags) {
#define RP_VK_DEVICE_OPTIONAL(name)                                                                \
    vk->name = (PFN_vk##name)vk->GetDeviceProcAddr(device, "vk" #name);
#define RP_VK_DEVICE(name)                                                                         \
    vk->name = (PFN_vk##name)vk->GetDeviceProcAddr(device, "vk" #name);                            \
    if (!vk->name) return missing_function(#name, diags);
    /* A layer may hand out the core name on a 1.2 device, with nothing behind it. */
#define RP_VK_DEVICE_KHR(name)                                                                     \
    vk->name =                                                                                     \
        (PFN_vk##name)vk->GetDeviceProcAddr(device, vulkan_1_3 ? "vk" #name : "vk" #name "KHR");   \
    if (!vk->name)                                                                                 \
        vk->name = (PFN_vk##name)vk->GetDeviceProcAddr(device, vulkan_1_3 ? "vk" #name "KHR"       \
                                                                          : "vk" #name);           \
    if (!vk->name) return missing_function(#name, diags);
#include "driver/functions.def"
    return RP_OK;
}

const char *rp_vk_result_name(VkResult result) {
    static const struct {
        VkResult result;
        const char *name;
    } names[] = {
#define RP_X(name) {name, #name}
        RP_X(VK_SUCCESS),
        RP_X(VK_NOT_READY),
        RP_X(VK_TIMEOUT),
        RP_X(VK_INCOMPLETE),
        RP_X(VK_ERROR_OUT_OF_HOST_MEMORY),
        RP_X(VK_ERROR_OUT_OF_DEVICE_MEMORY),
        RP_X(VK_ERROR_INITIALIZATION_FAILED),
        RP_X(VK_ERROR_DEVICE_LOST),
        RP_X(VK_ERROR_MEMORY_MAP_FAILED),
        RP_X(VK_ERROR_LAYER_NOT_PRESENT),
        RP_X(VK_ERROR_EXTENSION_NOT_PRESENT),
        RP_X(VK_ERROR_FEATURE_NOT_PRESENT),
        RP_X(VK_ERROR_INCOMPATIBLE_DRIVER),
        RP_X(VK_ERROR_TOO_MANY_OBJECTS),
        RP_X(VK_ERROR_FRAGMENTED_POOL),
        RP_X(VK_ERROR_OUT_OF_POOL_MEMORY),
        RP_X(VK_ERROR_INVALID_EXTERNAL_HANDLE),
        RP_X(VK_ERROR_INVALID_SHADER_NV),
        RP_X(VK_ERROR_UNKNOWN),
#undef RP_X
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].result == result) return names[i].name;
    return "an unknown VkResult";
}

rp_status rp_vk_status(VkResult result) {
    if (result >= 0) return RP_OK;
    if (result == VK_ERROR_OUT_OF_HOST_MEMORY) return RP_ERROR_NO_MEMORY;
    if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_POOL_MEMORY ||
        result == VK_ERROR_FRAGMENTED_POOL)
        return RP_ERROR_DEVICE_MEMORY;
    if (result == VK_ERROR_DEVICE_LOST) return RP_ERROR_DEVICE_LOST;
    if (result == VK_ERROR_INCOMPATIBLE_DRIVER) return RP_ERROR_NO_DEVICE;
    if (result == VK_ERROR_INVALID_EXTERNAL_HANDLE) return RP_ERROR_USAGE;
    if (result == VK_ERROR_EXTENSION_NOT_PRESENT || result == VK_ERROR_FEATURE_NOT_PRESENT ||
        result == VK_ERROR_LAYER_NOT_PRESENT)
        return RP_ERROR_UNSUPPORTED;
    return RP_ERROR_DRIVER;
}

rp_status rp_vk_result(VkResult result, const char *call, rp_diags *diags) {
    if (result >= 0) return RP_OK;
    /* "device->vk.CreateBuffer(device->handle, ...)" reads as "vkCreateBuffer" in a message. */
    size_t end = strcspn(call, "("), start = end;
    while (start > 0 && isalnum((unsigned char)call[start - 1])) start--;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "vk%.*s failed: %s", (int)(end - start), call + start,
                 rp_vk_result_name(result));
    return rp_vk_status(result);
}
