/* Internal: the one place for checked integer arithmetic. Each function returns false on overflow
 * and then leaves *out alone. */
#ifndef RP_BASE_CHECKED_H
#define RP_BASE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

static inline bool rp_add_u64(uint64_t a, uint64_t b, uint64_t *out) {
    if (a > UINT64_MAX - b) return false;
    *out = a + b;
    return true;
}

static inline bool rp_mul_u64(uint64_t a, uint64_t b, uint64_t *out) {
    if (b != 0 && a > UINT64_MAX / b) return false;
    *out = a * b;
    return true;
}

/* `alignment` is a power of two. */
static inline bool rp_align_u64(uint64_t value, uint64_t alignment, uint64_t *out) {
    uint64_t sum;
    if (!rp_add_u64(value, alignment - 1, &sum)) return false;
    *out = sum & ~(alignment - 1);
    return true;
}

/* Whether [offset, offset + size) lies inside [0, limit). */
static inline bool rp_range_inside(uint64_t offset, uint64_t size, uint64_t limit) {
    return offset <= limit && size <= limit - offset;
}

static inline bool rp_ranges_overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size) {
    return a < b + b_size && b < a + a_size;
}

#endif
