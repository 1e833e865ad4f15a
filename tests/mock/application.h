/* An application on the fake driver: its chain of features, and the import that tells of it. */
#ifndef RP_MOCK_APPLICATION_H
#define RP_MOCK_APPLICATION_H

#include "device/device.h"
#include "support.h"

/* The objects are any addresses. */
typedef struct application {
    VkPhysicalDeviceFeatures2 core;
    VkPhysicalDeviceVulkan11Features v11;
    VkPhysicalDeviceVulkan12Features v12;
    VkPhysicalDeviceVulkan13Features v13;
    rp_device_import import;
    rp_device_params params;
} application;

static application app;

static inline void begin(void) {
    static int object;
    mock_reset();
    app = (application){
        .core = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &app.v11, {0}},
        .v11 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, .pNext = &app.v12},
        .v12 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, .pNext = &app.v13},
        .v13 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES},
        .import = {.size = sizeof app.import,
                   .get_instance_proc_addr = mock_entry(),
                   .instance = &object,
                   .api_version = VK_API_VERSION_1_3,
                   .physical_device = &object,
                   .device = &object,
                   .features = &app.core,
                   .queue = &object,
                   .queue_family = 1},
        .params = {.size = sizeof app.params, .import = &app.import},
    };
    CU_ASSERT_EQUAL(rp_needs_enable(0, VK_API_VERSION_1_3, &app.core, NULL), RP_OK);
}

#endif
