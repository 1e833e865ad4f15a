/* When two results are the same: element by element, bit for bit, but for NaN, which equals any
 * NaN. Which sign and payload one has is up to the device. */
#ifndef RP_TESTS_SAME_VALUES_H
#define RP_TESTS_SAME_VALUES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "reprise/types.h"

static inline bool rp_is_nan_at(uint8_t dtype, const void *bytes, uint64_t i) {
    if (dtype == RP_F16) return (((const uint16_t *)bytes)[i] & 0x7fff) > 0x7c00;
    if (dtype == RP_BF16) return (((const uint16_t *)bytes)[i] & 0x7fff) > 0x7f80;
    if (dtype == RP_F64)
        return (((const uint64_t *)bytes)[i] & UINT64_C(0x7fffffffffffffff)) >
               UINT64_C(0x7ff0000000000000);
    return dtype == RP_F32 && (((const uint32_t *)bytes)[i] & 0x7fffffff) > 0x7f800000;
}

/* The first element of `size` bytes that differs (for blocks: the first byte); UINT64_MAX: none. */
static inline uint64_t rp_first_difference(uint8_t dtype, const void *a, const void *b,
                                           uint64_t size) {
    uint64_t width = rp_dtype_block((rp_dtype)dtype) == 1 ? rp_dtype_size((rp_dtype)dtype) : 1;
    if (memcmp(a, b, size) == 0) return UINT64_MAX;
    for (uint64_t i = 0; i < size / width; i++)
        if (memcmp((const char *)a + i * width, (const char *)b + i * width, width) != 0 &&
            !(rp_is_nan_at(dtype, a, i) && rp_is_nan_at(dtype, b, i)))
            return i;
    return UINT64_MAX;
}

#endif
