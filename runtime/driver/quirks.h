/* Internal: what drivers are known to get wrong, or to promise beyond the specification, as bits. */
#ifndef RP_RUNTIME_QUIRKS_H
#define RP_RUNTIME_QUIRKS_H

#include "driver/vulkan.h"

/* Symbol, bit, name, what the runtime then does. */
#define RP_QUIRK_LIST(X)                                                                           \
    X(RP_QUIRK_WIDEN_WAR, 0, "widen-war",                                                          \
      "a source scope that only reads also names a write of its stage: execution-only "            \
      "dependencies are dropped")                                                                  \
    X(RP_QUIRK_LATE_RELEASE, 1, "late-release",                                                    \
      "queues are idle before a timeline semaphore is destroyed: they still use those that a "     \
      "finished batch waited for")                                                                 \
    X(RP_QUIRK_ORDERED_STARTS, 2, "ordered-starts",                                                \
      "dispatches of a queue and their workgroups start in order, so plans with tagged buffers "   \
      "leave out barriers (exec/stalls.c)")                                                        \
    X(RP_QUIRK_CHECKED_LOADS, 3, "checked-loads",                                                  \
      "each load through a descriptor is checked, so kernels that read blocks and wait for words " \
      "reach their buffers by address (exec/runs.c)")                                              \
    X(RP_QUIRK_SHORT_LOOPS, 4, "short-loops",                                                      \
      "loops end after some turns, whatever they compute, so there are no persistent kernels: in " \
      "those an invocation does the work of many")

typedef enum rp_quirk {
#define RP_X(symbol, bit, name, what) symbol = 1 << bit,
    RP_QUIRK_LIST(RP_X)
#undef RP_X
} rp_quirk;

/* The quirk bits of a driver. */
uint32_t rp_quirks_of(VkDriverId driver);

#endif
