/* The driver table: one row per driver whose faults are known, each with where that is known from.
 *
 * A driver that is not listed gets RP_QUIRKS_UNKNOWN. Widening WAR is on for all: the specification
 * says that an execution dependency is enough before an overwrite, but two drivers emit nothing for
 * a barrier without a write in its source scope, and nothing but wrong results tells. The extra
 * access bit costs nothing measurable where a barrier waits anyway. */
#include "driver/quirks.h"

enum { RP_QUIRKS_UNKNOWN = RP_QUIRK_WIDEN_WAR };

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
};

uint32_t rp_quirks_of(VkDriverId driver) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].driver == driver) return table[i].quirks;
    return RP_QUIRKS_UNKNOWN;
}
