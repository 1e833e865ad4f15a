/* Internal: allocation through an rp_allocator, and growable arrays.
 *
 * Every container in the library is a pointer with a count and a capacity beside it; rp_grow()
 * doubles the capacity. All sizes are computed with overflow checks. */
#ifndef RP_BASE_ALLOC_H
#define RP_BASE_ALLOC_H

#include <stdbool.h>
#include <string.h>
#include "reprise/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The allocator to use for `given`: a copy of it, or the malloc family for NULL. */
rp_allocator rp_allocator_or_default(const rp_allocator *given);
bool rp_allocator_is_default(const rp_allocator *allocator);

/* Uninitialised and zeroed blocks of count * size bytes; NULL without memory or on overflow. A zero
 * request yields a block of one byte, so NULL always means failure. */
void *rp_alloc(const rp_allocator *a, size_t count, size_t size);
void *rp_alloc_zero(const rp_allocator *a, size_t count, size_t size);
void *rp_dup(const rp_allocator *a, const void *data, size_t size);
void rp_release(const rp_allocator *a, void *block);

/* Makes room for `extra` more elements behind `count`; updates block and capacity, or returns false
 * and changes nothing. */
bool rp_grow(const rp_allocator *a, void **block, uint32_t *capacity, uint32_t count,
             uint32_t extra, size_t element_size);

/* RP_RESERVE(a, array, count, capacity, extra): the typed form; evaluates to bool. */
#define RP_RESERVE(a, array, count, capacity, extra)                                               \
    ((uint64_t)(count) + (extra) <= (capacity)                                                     \
         ? true                                                                                    \
         : rp_grow((a), (void **)&(array), &(capacity), (count), (extra), sizeof *(array)))

/* The one macro that hides control flow: returns a failed status to the caller. */
#define RP_TRY(expression)                                                                         \
    do {                                                                                           \
        rp_status rp_try_status = (expression);                                                    \
        if (rp_try_status != RP_OK) return rp_try_status;                                          \
    } while (0)

#ifdef __cplusplus
}
#endif

#endif
