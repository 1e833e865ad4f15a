/* Internal: which words of an instruction are ids, for who copies code from one module into another. */
#ifndef RP_SPIRV_OPERANDS_H
#define RP_SPIRV_OPERANDS_H

#include <stdbool.h>
#include <stdint.h>

/* Copies an instruction with every id in it, results and types too, replaced by map[id]. False, and `out` is
 * not to be used, where an id is not below `bound` or its place in the map is 0, or where the instruction is
 * not one that compute kernels without images are made of. */
bool rp_spirv_map_ids(const uint32_t *instruction, const uint32_t *map, uint32_t bound,
                      uint32_t *out);

#endif
