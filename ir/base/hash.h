/* Internal: XXH3 of bytes. Used for content identity, never for security. */
#ifndef RP_BASE_HASH_H
#define RP_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct rp_hash128 {
    uint64_t low, high;
} rp_hash128;

/* 128 bits, for what is taken as equal without being compared. */
rp_hash128 rp_hash_wide(const void *data, size_t size);

uint64_t rp_hash(const void *data, size_t size);
uint64_t rp_hash_mix(uint64_t seed, const void *data, size_t size);

#endif
