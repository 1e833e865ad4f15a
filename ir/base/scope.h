/* Internal: what there is to know about the bits of a barrier's scope, all of it from RP_SCOPE_LIST
 * in reprise/types.h. */
#ifndef RP_BASE_SCOPE_H
#define RP_BASE_SCOPE_H

#include <stdint.h>
#include <string.h>

#include "reprise/types.h"

enum {
#define RP_X(...) +1
    RP_SCOPE_BITS = 0 RP_SCOPE_LIST(RP_X),
#undef RP_X
    RP_SCOPE_ALL = (1 << RP_SCOPE_BITS) - 1,
    /* What a fence or a node without declared uses may touch: all but the host. */
    RP_SCOPE_ANY = RP_SCOPE_ALL & ~RP_SCOPE_HOST_R,
};

/* The bits that write. */
static inline uint32_t rp_scope_writes(void) {
#define RP_X(symbol, bit, stage, access, ...) | (access[0] == 'w' ? (uint32_t)symbol : 0)
    return 0 RP_SCOPE_LIST(RP_X);
#undef RP_X
}

/* All bits of the stage to which a bit belongs. */
static inline uint32_t rp_scope_stage(uint32_t scope_bit) {
    const char *name = "";
    uint32_t all = 0;
#define RP_X(symbol, bit, stage, ...)                                                              \
    if (scope_bit == symbol) name = stage;
    RP_SCOPE_LIST(RP_X)
#undef RP_X
#define RP_X(symbol, bit, stage, ...)                                                              \
    if (strcmp(name, stage) == 0) all |= symbol;
    RP_SCOPE_LIST(RP_X)
#undef RP_X
    return all;
}

#endif
