/* Internal: the bytes of a shape. Elements are dense and row-major; those of a block-quantised
 * dtype lie in blocks along the last dimension, which is therefore a multiple of the block. */
#ifndef RP_BASE_SHAPE_H
#define RP_BASE_SHAPE_H

#include "base/checked.h"
#include "reprise/types.h"

/* Whether the last dimension holds whole blocks: always, but for q8_0 and q4_0. */
static inline bool rp_shape_has_blocks(rp_dtype dtype, uint32_t rank, const uint64_t *dims) {
    uint32_t block = rp_dtype_block(dtype);
    return block == 1 || (block > 1 && rank > 0 && dims[rank - 1] % block == 0);
}

/* Where an element, or a block, may begin: at multiples of the widest number inside it. */
static inline uint32_t rp_dtype_alignment(rp_dtype dtype) {
    return rp_dtype_block(dtype) > 1 ? 2 : rp_dtype_size(dtype); /* blocks begin with an f16 */
}

/* Bytes that a shape without elements takes, for there is no Vulkan buffer of 0 bytes, and no range of
 * one that is bound. They are of no meaning: nobody writes them, and nobody looks at them. */
enum { RP_EMPTY_BYTES = 16 };

static inline bool rp_shape_is_empty(uint32_t rank, const uint64_t *dims) {
    for (uint32_t i = 0; i < rank; i++)
        if (dims[i] == 0) return true;
    return false;
}

/* The bytes that a shape takes. False when 64 bits cannot count them, when the blocks do not fit, and
 * for a dtype outside the set. */
static inline bool rp_shape_bytes(rp_dtype dtype, uint32_t rank, const uint64_t *dims,
                                  uint64_t *out) {
    uint64_t bytes = rp_dtype_size(dtype);
    if (bytes == 0 || !rp_shape_has_blocks(dtype, rank, dims)) return false;
    if (rp_shape_is_empty(rank, dims)) {
        *out = RP_EMPTY_BYTES;
        return true;
    }
    for (uint32_t i = 0; i < rank; i++) {
        uint64_t extent = i + 1 < rank ? dims[i] : dims[i] / rp_dtype_block(dtype);
        if (!rp_mul_u64(bytes, extent, &bytes)) return false;
    }
    *out = bytes;
    return true;
}

/* Whether a specialisation constant of so many bytes can have the value. */
static inline bool rp_constant_fits(uint32_t bytes, uint64_t value) {
    return bytes == 8 || ((bytes == 1 || bytes == 2 || bytes == 4) && value >> 8 * bytes == 0);
}

#endif
