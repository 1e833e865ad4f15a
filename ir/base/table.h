/* Internal: a hash table from 32-bit keys to 32-bit values, for whatever must not be searched one
 * by one. Nothing is ever removed.
 *
 * A key may have several values. What is known by a number (a node's id, an interned name) is its
 * own key and has one. What is known by its content (a name, a record) has a hash of it as key: the
 * table gives the numbers of the caller's entries that may be meant, and the caller compares.
 *
 *     for (uint32_t at = 0, i; rp_table_next(&table, rp_table_key(text, length), &at, &i);)
 *         if (same_text(&items[i], text, length)) return &items[i];
 */
#ifndef RP_BASE_TABLE_H
#define RP_BASE_TABLE_H

#include "base/alloc.h"

typedef struct rp_table_slot {
    uint32_t key, value; /* value UINT32_MAX: free */
} rp_table_slot;

/* Zero-initialised is an empty table. */
typedef struct rp_table {
    rp_table_slot *slots;
    uint32_t size, count; /* size is 0 or a power of two */
} rp_table;

void rp_table_free(const rp_allocator *a, rp_table *table);
/* A copy, into a table that is empty. False without memory. */
bool rp_table_copy(const rp_allocator *a, const rp_table *table, rp_table *out);

/* Makes room for `count` values in all, so that as many are added without failing. */
bool rp_table_reserve(const rp_allocator *a, rp_table *table, uint32_t count);
/* Adds a value, which is not UINT32_MAX, beside those that the key has. False without memory: the
 * table is as before. */
bool rp_table_add(const rp_allocator *a, rp_table *table, uint32_t key, uint32_t value);

/* The same for a key with at most one value: takes its place. */
bool rp_table_set(const rp_allocator *a, rp_table *table, uint32_t key, uint32_t value);

/* The value that was added first to a key; false when there is none. */
bool rp_table_find(const rp_table *table, uint32_t key, uint32_t *out);
/* One value of the key after the other; `*at` starts as 0. False behind the last. */
bool rp_table_next(const rp_table *table, uint32_t key, uint32_t *at, uint32_t *out);

/* The key of bytes, of numbers that were hashed already. */
uint32_t rp_table_key(const void *data, size_t size);

#endif
