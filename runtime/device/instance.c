/* The Vulkan instance: created with names and labels for debug tools where the loader knows them,
 * and at most the validation layer.
 *
 * Validation is a parameter instead of an environment variable, so that a test can ask for it and a
 * silent absence of the layer is an error instead of a pass. */
#include "device/device.h"

#define VALIDATION_LAYER "VK_LAYER_KHRONOS_validation"

enum { MAX_LAYERS = 64, MAX_EXTENSIONS = 64 };

static rp_status require_layer(const rp_vk *vk, rp_diags *diags, uint32_t *out_registry) {
    VkLayerProperties layers[MAX_LAYERS];
    uint32_t count = MAX_LAYERS;
    RP_TRY(RP_VK(diags, vk->EnumerateInstanceLayerProperties(&count, layers)));
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(layers[i].layerName, VALIDATION_LAYER) == 0) {
            *out_registry = layers[i].specVersion;
            return RP_OK;
        }
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "the layer %s is not installed; install the package vulkan-validationlayers, or "
                 "create the device without validation",
                 VALIDATION_LAYER);
    return RP_ERROR_UNSUPPORTED;
}

/* Whether the loader or a driver has VK_EXT_debug_utils. One that lists more than fit is left without
 * names, which are a help and no more. */
static rp_status has_debug_utils(const rp_vk *vk, rp_diags *diags, bool *out) {
    VkExtensionProperties extensions[MAX_EXTENSIONS];
    uint32_t count = MAX_EXTENSIONS;
    VkResult result = vk->EnumerateInstanceExtensionProperties(NULL, &count, extensions);
    if (result == VK_ERROR_INCOMPATIBLE_DRIVER) return RP_OK; /* vkCreateInstance tells it better */
    RP_TRY(rp_vk_result(result, "vk->EnumerateInstanceExtensionProperties", diags));
    for (uint32_t i = 0; i < count; i++)
        *out |= strcmp(extensions[i].extensionName, VK_EXT_DEBUG_UTILS_EXTENSION_NAME) == 0;
    return RP_OK;
}

static rp_status create_instance(rp_instance *instance, bool validation, rp_diags *diags) {
    rp_vk *vk = &instance->vk;
    instance->debug_utils = validation; /* the layer brings it */
    if (validation)
        RP_TRY(require_layer(vk, diags, &instance->registry));
    else
        RP_TRY(has_debug_utils(vk, diags, &instance->debug_utils));

    const VkValidationFeatureEnableEXT enables[] = {
        VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
    const VkValidationFeaturesEXT features = {
        .sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
        .enabledValidationFeatureCount = 1,
        .pEnabledValidationFeatures = enables,
    };
    const char *const layers[] = {VALIDATION_LAYER};
    const char *const extensions[] = {VK_EXT_DEBUG_UTILS_EXTENSION_NAME,
                                      VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME};
    const VkApplicationInfo application = {
        .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
        .pApplicationName = "reprise",
        .pEngineName = "reprise",
        .apiVersion = instance->version,
    };
    const VkInstanceCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
        .pNext = validation ? &features : NULL,
        .pApplicationInfo = &application,
        .enabledLayerCount = validation ? 1 : 0,
        .ppEnabledLayerNames = layers,
        .enabledExtensionCount = validation              ? 2
                                 : instance->debug_utils ? 1
                                                         : 0,
        .ppEnabledExtensionNames = extensions,
    };
    VkResult result = vk->CreateInstance(&info, NULL, &instance->handle);
    if (result == VK_ERROR_INCOMPATIBLE_DRIVER) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "no Vulkan driver is installed; install your GPU's driver, or "
                     "mesa-vulkan-drivers for a software one");
        return RP_ERROR_NO_DEVICE;
    }
    RP_TRY(rp_vk_result(result, "vk->CreateInstance", diags));
    instance->owned = true;
    return rp_vk_load_instance(vk, instance->handle, diags);
}

rp_status rp_instance_open(rp_instance *instance, void *entry, bool validation, rp_diags *diags) {
    memset(instance, 0, sizeof *instance);
    instance->version = VK_API_VERSION_1_3; /* the most we use; devices may have less */
    instance->registry = UINT32_MAX;
    RP_TRY(rp_vk_open(&instance->vk, entry, diags, &instance->library));
    rp_status status = create_instance(instance, validation, diags);
    if (status != RP_OK) rp_instance_close(instance);
    return status;
}

void rp_instance_close(rp_instance *instance) {
    if (instance->owned && instance->handle && instance->vk.DestroyInstance)
        instance->vk.DestroyInstance(instance->handle, NULL);
    rp_vk_close(instance->library);
    memset(instance, 0, sizeof *instance);
}
