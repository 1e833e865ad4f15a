/* Internal: a hash table from 32-bit keys to 32-bit values, for name and id lookups that must not
 * be linear. Keys are string indices (interning made equal names equal numbers) or node ids; no key
 * is UINT32_MAX. Nothing is ever removed. */
#ifndef RP_GRAPH_INDEX_H
#define RP_GRAPH_INDEX_H

#include "base/alloc.h"

typedef struct rp_index_slot {
    uint32_t key, value; /* key UINT32_MAX: free */
} rp_index_slot;

/* Zero-initialised is an empty table. */
typedef struct rp_index {
    rp_index_slot *slots;
    uint32_t size, count; /* size is 0 or a power of two */
} rp_index;

static inline void rp_index_free(const rp_allocator *a, rp_index *index) {
    rp_release(a, index->slots);
    *index = (rp_index){0};
}

/* The slot that holds `key`, or the free one where it belongs. */
static inline rp_index_slot *rp_index_probe(const rp_index *index, uint32_t key) {
    uint32_t mask = index->size - 1, at = (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
    while (index->slots[at & mask].key != key && index->slots[at & mask].key != UINT32_MAX) at++;
    return &index->slots[at & mask];
}

/* The value of a key in *out; false when it is not there. */
static inline bool rp_index_find(const rp_index *index, uint32_t key, uint32_t *out) {
    if (index->size == 0) return false;
    const rp_index_slot *slot = rp_index_probe(index, key);
    if (slot->key != key) return false;
    *out = slot->value;
    return true;
}

/* Makes room for `count` keys in all. */
static inline bool rp_index_reserve(const rp_allocator *a, rp_index *index, uint32_t count) {
    uint32_t size = 64;
    while (size / 2 < count && size < UINT32_C(1) << 31) size *= 2;
    if (size <= index->size) return true;
    rp_index grown = {.slots = rp_alloc(a, size, sizeof *grown.slots), .size = size};
    if (!grown.slots) return false;
    memset(grown.slots, 0xff, size * sizeof *grown.slots);
    for (uint32_t i = 0; i < index->size; i++)
        if (index->slots[i].key != UINT32_MAX)
            *rp_index_probe(&grown, index->slots[i].key) = index->slots[i];
    grown.count = index->count;
    rp_release(a, index->slots);
    *index = grown;
    return true;
}

/* Sets the value of a key; false without memory. */
static inline bool rp_index_set(const rp_allocator *a, rp_index *index, uint32_t key,
                                uint32_t value) {
    if (!rp_index_reserve(a, index, index->count + 1)) return false;
    rp_index_slot *slot = rp_index_probe(index, key);
    index->count += slot->key != key;
    *slot = (rp_index_slot){key, value};
    return true;
}

#endif
