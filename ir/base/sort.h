/* Internal: sorting numbers, without comparing them. */
#ifndef RP_BASE_SORT_H
#define RP_BASE_SORT_H

#include "base/alloc.h"

typedef struct rp_sort_item {
    uint64_t key;
    uint32_t value;
} rp_sort_item;

/* Sorts by ascending key; equal keys keep their order. False without memory: nothing was moved.
 * Linear in the count, times the bytes in which keys differ. */
bool rp_sort(const rp_allocator *a, rp_sort_item *items, uint32_t count);

#endif
