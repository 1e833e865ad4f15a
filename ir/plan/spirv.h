/* Internal: a look at a SPIR-V module without libraries, for the plan writer and the plan reader.
 */
#ifndef RP_PLAN_SPIRV_H
#define RP_PLAN_SPIRV_H

#include <stdbool.h>
#include <stdint.h>
#include "reprise/status.h"

typedef struct rp_spirv_info {
    uint64_t needs;       /* rp_plan_need bits of its capabilities */
    char unsupported[96]; /* something no plan may need, "images"; empty = none */
} rp_spirv_info;

/* Walks `words`: the header, the length of every instruction, the capabilities, and whether `entry`
 * names a compute entry point. Returns false for a module that is not well formed in this sense,
 * with the reason in `why`. Not a validator: what instructions mean is checked when a kernel is
 * compiled. */
bool rp_spirv_scan(const uint32_t *words, uint32_t count, const char *entry, rp_spirv_info *out,
                   char why[128]);

/* Finds the needs that have no capability, RP_NEED_SCALAR_LAYOUT and RP_NEED_UNIFORM_STD430, in the
 * offsets and strides of the blocks of a module that rp_spirv_scan accepted, and adds them to
 * *needs. Only RP_ERROR_NO_MEMORY is possible. */
rp_status rp_spirv_layout_needs(const rp_allocator *a, const uint32_t *words, uint32_t count,
                                uint64_t *needs);

#endif
