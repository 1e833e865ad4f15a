/* Open addressing with linear probing in a power of two of slots, at most half of them taken.
 *
 * Keys are spread by a multiplication, since numbers given one after the other are common keys.
 * Several values of a key stand along its probe sequence in the order in which they were added;
 * growing walks the old slots from behind a free one, which keeps that order. A slot is 8 bytes. */
#include "base/table.h"

#include "base/hash.h"

void rp_table_free(const rp_allocator *a, rp_table *table) {
    rp_release(a, table->slots);
    *table = (rp_table){0};
}

bool rp_table_copy(const rp_allocator *a, const rp_table *table, rp_table *out) {
    if (table->size == 0) return true;
    rp_table_slot *slots = rp_dup(a, table->slots, (size_t)table->size * sizeof *slots);
    if (!slots) return false;
    *out = (rp_table){slots, table->size, table->count};
    return true;
}

static uint32_t first_slot(const rp_table *table, uint32_t key) {
    return (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (table->size - 1);
}

static void put(rp_table *table, uint32_t key, uint32_t value) {
    uint32_t at = first_slot(table, key);
    while (table->slots[at].value != UINT32_MAX) at = (at + 1) & (table->size - 1);
    table->slots[at] = (rp_table_slot){key, value};
}

bool rp_table_reserve(const rp_allocator *a, rp_table *table, uint32_t count) {
    uint32_t size = 16;
    while (size / 2 < count && size < UINT32_C(1) << 31) size *= 2;
    if (size / 2 < count) return false;
    if (size <= table->size) return true;
    rp_table grown = {rp_alloc(a, size, sizeof *grown.slots), size, table->count};
    if (!grown.slots) return false;
    memset(grown.slots, 0xff, (size_t)size * sizeof *grown.slots);
    uint32_t start = 0; /* a free slot: no probe sequence crosses it */
    while (start < table->size && table->slots[start].value != UINT32_MAX) start++;
    for (uint32_t i = 0; i < table->size; i++) {
        const rp_table_slot *slot = &table->slots[(start + i) & (table->size - 1)];
        if (slot->value != UINT32_MAX) put(&grown, slot->key, slot->value);
    }
    rp_release(a, table->slots);
    *table = grown;
    return true;
}

bool rp_table_add(const rp_allocator *a, rp_table *table, uint32_t key, uint32_t value) {
    if (table->count >= table->size / 2 && !rp_table_reserve(a, table, table->count + 1))
        return false;
    put(table, key, value);
    table->count++;
    return true;
}

bool rp_table_set(const rp_allocator *a, rp_table *table, uint32_t key, uint32_t value) {
    uint32_t at = 0, old;
    if (!rp_table_next(table, key, &at, &old)) return rp_table_add(a, table, key, value);
    table->slots[(first_slot(table, key) + at - 1) & (table->size - 1)].value = value;
    return true;
}

bool rp_table_next(const rp_table *table, uint32_t key, uint32_t *at, uint32_t *out) {
    if (table->size == 0) return false;
    uint32_t first = first_slot(table, key);
    for (; *at < table->size; ++*at) {
        const rp_table_slot *slot = &table->slots[(first + *at) & (table->size - 1)];
        if (slot->value == UINT32_MAX) return false;
        if (slot->key != key) continue;
        ++*at;
        *out = slot->value;
        return true;
    }
    return false;
}

bool rp_table_find(const rp_table *table, uint32_t key, uint32_t *out) {
    uint32_t at = 0;
    return rp_table_next(table, key, &at, out);
}

uint32_t rp_table_key(const void *data, size_t size) {
    return (uint32_t)rp_hash(data, size);
}
