/* XXH3 from libxxhash, inlined, so that the runtime gains no dependency. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/hash.h"

uint64_t rp_hash(const void *data, size_t size) {
    return XXH3_64bits(data, size);
}

uint64_t rp_hash_mix(uint64_t seed, const void *data, size_t size) {
    return XXH3_64bits_withSeed(data, size, seed);
}

rp_hash128 rp_hash_wide(const void *data, size_t size) {
    XXH128_hash_t hash = XXH3_128bits(data, size);
    return (rp_hash128){hash.low64, hash.high64};
}
