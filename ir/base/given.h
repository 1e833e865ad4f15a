/* Internal: arrays that a caller gives beside their count. */
#ifndef RP_BASE_GIVEN_H
#define RP_BASE_GIVEN_H

#include <stdbool.h>

#include "reprise/status.h"

/* Whether an array is there where its count says so; otherwise says which one is not. */
static inline bool rp_array_given(const void *array, uint32_t count, const char *name,
                                  rp_diags *diags) {
    if (array || count == 0) return true;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s is NULL: expected as many as its count says, %u",
                 name, count);
    return false;
}

#endif
