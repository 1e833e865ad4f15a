/* The device's clock beside the host's: one moment on both, for who draws both on one line.
 *
 * A driver with VK_EXT_calibrated_timestamps reads the two clocks next to each other and says how far apart at most.
 * Asked before and behind what is measured, two such moments also tell how the clocks drift. Where there is no such
 * thing nothing here guesses: RP_ERROR_UNSUPPORTED, and the caller has to line up what it saw on either side. */
#include "device/device.h"

#include "base/sized.h"

enum { MOST_DOMAINS = 16 };

/* Whether the device can tell both clocks. */
static bool has_domains(const rp_device *device) {
    VkTimeDomainEXT domains[MOST_DOMAINS];
    uint32_t count = MOST_DOMAINS, found = 0;
    PFN_vkGetPhysicalDeviceCalibrateableTimeDomainsEXT list =
        device->vk.GetPhysicalDeviceCalibrateableTimeDomainsEXT;
    if (!(device->adapter.extensions & RP_EXTENSION_CALIBRATED) || !list ||
        !device->vk.GetCalibratedTimestampsEXT)
        return false;
    VkResult result = list(device->adapter.handle, &count, domains);
    if (result != VK_SUCCESS && result != VK_INCOMPLETE) return false;
    for (uint32_t i = 0; i < count; i++)
        found |= domains[i] == VK_TIME_DOMAIN_DEVICE_EXT            ? 1
                 : domains[i] == VK_TIME_DOMAIN_CLOCK_MONOTONIC_EXT ? 2
                                                                    : 0;
    return found == 3;
}

rp_status rp_device_calibrate(rp_device *device, rp_calibration *out) {
    const VkCalibratedTimestampInfoEXT infos[2] = {
        {.sType = VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_EXT,
         .timeDomain = VK_TIME_DOMAIN_DEVICE_EXT},
        {.sType = VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_EXT,
         .timeDomain = VK_TIME_DOMAIN_CLOCK_MONOTONIC_EXT}};
    uint64_t times[2] = {0}, deviation = 0;
    rp_calibration own = {0};
    if (!device || !out || !rp_sized_give(&own, sizeof own, out)) return RP_ERROR_USAGE;
    if (device->adapter.timestamp_bits == 0 || !has_domains(device)) return RP_ERROR_UNSUPPORTED;
    VkResult result =
        device->vk.GetCalibratedTimestampsEXT(device->handle, 2, infos, times, &deviation);
    if (result == VK_ERROR_OUT_OF_HOST_MEMORY) return RP_ERROR_NO_MEMORY;
    if (result != VK_SUCCESS) return RP_ERROR_UNSUPPORTED;
    own.host_ns = times[1];
    own.gpu_ns = (double)rp_device_ticks(device, times[0]) *
                 (double)device->adapter.properties.limits.timestampPeriod;
    own.deviation_ns = deviation;
    return rp_sized_give(&own, sizeof own, out) ? RP_OK : RP_ERROR_USAGE;
}
