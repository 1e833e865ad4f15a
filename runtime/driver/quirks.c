/* The driver table: one row per driver of which something is known, each with where that is known from.
 *
 * A driver that is not listed gets RP_QUIRKS_UNKNOWN. Widening WAR is on for all: the specification
 * says that an execution dependency is enough before an overwrite, but two drivers emit nothing for
 * a barrier without a write in its source scope, and nothing but wrong results tells. The extra
 * access bit costs nothing measurable where a barrier waits anyway. */
#include "driver/quirks.h"

enum { RP_QUIRKS_UNKNOWN = RP_QUIRK_WIDEN_WAR };

/* Drivers of Mesa that make timelines out of something else, always or on some systems. Newer ones
 * count who uses a timeline; which version a driver has is not looked at, since waiting for a queue
 * is cheap beside what destroying an exec costs anyway. */
#define EMULATED_TIMELINES(driver)                                                                 \
    {                                                                                              \
        driver, RP_QUIRK_WIDEN_WAR | RP_QUIRK_LATE_RELEASE,                                        \
            "Mesa, vk_queue.c: behind its signals, the thread of a queue locks each timeline "     \
            "that the "                                                                            \
            "batch waited for"                                                                     \
    }

static const struct {
    VkDriverId driver;
    uint32_t quirks;
    const char *source;
} table[] = {
    {VK_DRIVER_ID_QUALCOMM_PROPRIETARY, RP_QUIRK_WIDEN_WAR,
     "pytorch/executorch pull request 20915: Adreno drops execution-only WAR barriers"},
    {VK_DRIVER_ID_MESA_NVK, RP_QUIRK_WIDEN_WAR,
     "Mesa, nvk_cmd_buffer.c: compute waits for idle only when the source access has a storage "
     "write"},
    {VK_DRIVER_ID_NVIDIA_PROPRIETARY,
     RP_QUIRK_WIDEN_WAR | RP_QUIRK_ORDERED_STARTS | RP_QUIRK_CHECKED_LOADS,
     "measured: 81 dispatches that wait for each other's words, driver 580 on an H200; scans with "
     "decoupled look-back rely on it. By address the step of a language model in q8_0 that waits "
     "for words took 4 to 10 % less time"},
    {VK_DRIVER_ID_MESA_LLVMPIPE,
     RP_QUIRK_WIDEN_WAR | RP_QUIRK_LATE_RELEASE | RP_QUIRK_ORDERED_STARTS | RP_QUIRK_SHORT_LOOPS,
     "Mesa, vk_queue.c: behind its signals, the thread of a queue locks each timeline that the "
     "batch "
     "waited for; lp_rast.c: a dispatch ends before the next begins; lp_bld_limits.h: 65535 turns "
     "of all loops"},
    EMULATED_TIMELINES(VK_DRIVER_ID_MESA_V3DV),
    EMULATED_TIMELINES(VK_DRIVER_ID_MESA_PANVK),
    EMULATED_TIMELINES(VK_DRIVER_ID_MESA_TURNIP),
    EMULATED_TIMELINES(VK_DRIVER_ID_IMAGINATION_OPEN_SOURCE_MESA),
    EMULATED_TIMELINES(VK_DRIVER_ID_INTEL_OPEN_SOURCE_MESA),
};

uint32_t rp_quirks_of(VkDriverId driver) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].driver == driver) return table[i].quirks;
    return RP_QUIRKS_UNKNOWN;
}
