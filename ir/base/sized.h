/* Internal: public structs that begin with their size, so that they can grow.
 *
 * A caller sets `size` to the sizeof that it was compiled with; later versions only add fields
 * behind. Taking fills what an older caller does not have with zeros, which is the default
 * everywhere; giving writes no more than the caller has room for. */
#ifndef RP_BASE_SIZED_H
#define RP_BASE_SIZED_H

#include <stdbool.h>
#include <string.h>

#include "reprise/status.h"

/* Copies the caller's struct into `own`. False when its size says that nobody set it. */
static inline bool rp_sized_take(const void *given, void *own, size_t own_size) {
    size_t size;
    memcpy(&size, given, sizeof size);
    if (size < sizeof size || size > 65536) return false; /* not set */
    size_t common = size < own_size ? size : own_size;
    memset(own, 0, own_size);
    memcpy(own, given, common);
    return true;
}

/* Copies `own` into the caller's struct, whose size stays, and zeroes what the caller knows and we
 * do not. False when its size says that nobody set it. */
static inline bool rp_sized_give(const void *own, size_t own_size, void *given) {
    size_t size;
    memcpy(&size, given, sizeof size);
    if (size < sizeof size || size > 65536) return false; /* not set */
    memset((char *)given + sizeof size, 0, size - sizeof size);
    size_t common = size < own_size ? size : own_size;
    memcpy((char *)given + sizeof size, (const char *)own + sizeof size, common - sizeof size);
    return true;
}

/* Copies an array of the caller's structs, which lie as far apart as the first one's size says, into
 * `own` with room for `count`. False when one of them does not say the same. */
static inline bool rp_sized_take_all(const void *given, uint32_t count, void *own,
                                     size_t own_size) {
    size_t first = 0, size;
    if (count) memcpy(&first, given, sizeof first);
    for (uint32_t i = 0; i < count; i++) {
        const char *at = (const char *)given + i * first;
        memcpy(&size, at, sizeof size);
        if (size != first || !rp_sized_take(at, (char *)own + i * own_size, own_size)) return false;
    }
    return true;
}

/* What to answer when nobody set it; `type` is the struct's name. */
static inline rp_status rp_sized_refuse(rp_diags *diags, const char *type) {
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "set the member size to sizeof(%s)", type);
    return RP_ERROR_USAGE;
}

#endif
