/* What the mock tests share: a device on the fake driver, and expectations about diagnostics. */
#ifndef RP_MOCK_SUPPORT_H
#define RP_MOCK_SUPPORT_H

#include <stdlib.h>
#include <string.h>
#include "mock_vulkan.h"
#include "plan.h"
#include "reprise/runtime.h"
#include "support/unit.h"
#include "support/said.h"

static inline rp_device *mock_open(const rp_allocator *allocator, rp_diags *diags) {
    const rp_device_params params = {.size = sizeof params, .get_instance_proc_addr = mock_entry()};
    rp_device *device = NULL;
    rp_device_create(allocator, &params, diags, &device);
    return device;
}

/* What an application's device has enabled for the runtime alone. */
static inline const void *mock_base_features(void) {
    static VkPhysicalDeviceVulkan13Features v13 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
        .synchronization2 = VK_TRUE};
    static const VkPhysicalDeviceVulkan12Features v12 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
        .pNext = &v13,
        .timelineSemaphore = VK_TRUE};
    return &v12;
}

/* No disk cache, unless a test is about it. */
static const rp_exec_params mock_params = {.size = sizeof mock_params, .cache_path = ""};

static inline rp_counters mock_counters(rp_exec *exec) {
    rp_counters counters = {.size = sizeof counters};
    CU_ASSERT_EQUAL(rp_exec_get_counters(exec, &counters), RP_OK);
    return counters;
}

/* The application's own calls do not fail. */
#define mock_spared(call)                                                                          \
    do {                                                                                           \
        uint32_t at = mock.fail_at;                                                                \
        mock.fail_at = 0;                                                                          \
        if ((call) != VK_SUCCESS) abort();                                                         \
        mock.fail_at = at;                                                                         \
    } while (0)

/* The end of every test: nothing is left, and no rule of Vulkan was broken. */
static inline void mock_done(void) {
    CU_ASSERT_EQUAL(mock.objects, 0);
    if (mock.mistake) printf("\n  mistake: %s\n", mock.mistake);
    CU_ASSERT_PTR_NULL(mock.mistake);
}

#endif
