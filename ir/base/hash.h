/* Internal: XXH3 of bytes, 64 bits. Used for content identity, never for security. */
#ifndef RP_BASE_HASH_H
#define RP_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t rp_hash(const void *data, size_t size);
uint64_t rp_hash_mix(uint64_t seed, const void *data, size_t size);

#endif
