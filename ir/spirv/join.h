/* Internal: dispatches of kernels made one kernel, whose buffers are reached by address.
 *
 * A dispatch becomes a *phase* of the joined kernel: a module, a grid, and where its buffers lie. Each workgroup goes
 * through the phases in order, and does of each the workgroups whose number is its own, and its own plus
 * their number, and so on. Nothing else orders phases: what one reads of another must carry its own
 * proof, as tagged buffers do (docs/checker.md), and all workgroups must be on the device at once, or some wait
 * for others that never come. One phase alone needs neither; it is the same kernel, by address.
 *
 * What the joined module binds, all in set 0:
 *
 *   binding 0        a uniform buffer, `rows` vectors of four u32 for each phase, one behind the other: its
 *                    workgroups in all and along x, y and z; those along x, y and z once more; then
 *                    the address of what is at binding 0, 1, ..., two in a row
 *   binding 1        a storage buffer of two u32, for the probe: how many workgroups came, and whether
 *                    some gave up waiting for others
 *   push constants   one u32, the tag of the replay; 0 is the probe
 *
 * The probe is the same code with no phase in it: workgroups count themselves and wait for a while for the
 * others. It takes the registers and the memory that the phases do, so whether it ends well says whether all
 * of them are on the device together.
 *
 * Why by address: with arrays of descriptors an NVIDIA driver kept what it needs of each in registers. Why
 * phases behind each other and not a loop over them, with a choice of the module: it computed what all modules
 * have in common in front of the loop, and had no registers left. Both took the step of a language model from 0.9 ms
 * to 2.4.
 *
 * Where a workgroup is in its phase is computed from one copy of the grid, and what code sees as the number of workgroups is
 * the other: who knew the two to be equal would know that no place is equal to that number, which is what kernels hide
 * numbers from compilers by (kernels/include/hidden.glsl).
 *
 * Constants are specialised for good. Memory that workgroups share is there once for all modules, for elements
 * of each type as much as the module takes that takes most.
 *
 * Modules that cannot be joined are refused, with the reason; a module may be anything that rp_spirv_read
 * takes. What is made of valid modules is valid. */
#ifndef RP_SPIRV_JOIN_H
#define RP_SPIRV_JOIN_H

#include "spirv/spirv.h"

/* The rows of a phase in front of its addresses. */
enum { RP_SPIRV_JOIN_ADDRESSES = 2 };

typedef struct rp_spirv_part {
    const uint32_t *words;
    uint32_t word_count;
    const char *entry;
    const rp_spirv_spec *specs; /* ascending id */
    uint32_t spec_count;
} rp_spirv_part;

typedef struct rp_spirv_joined {
    uint32_t *words; /* freed with the allocator; its entry point is "main" */
    uint32_t word_count;
    uint32_t rows;         /* of the uniform buffer, for a phase */
    uint64_t shared_bytes; /* memory of a workgroup */
} rp_spirv_joined;

/* `part_of`: the part of each phase. RP_ERROR_UNSUPPORTED with the reason in `why` for modules that cannot be joined,
 * RP_ERROR_DAMAGED or RP_ERROR_NO_MEMORY; then `out` is empty. */
rp_status rp_spirv_join(const rp_allocator *allocator, const rp_spirv_part *parts,
                        uint32_t part_count, const uint32_t *part_of, uint32_t phase_count,
                        rp_spirv_joined *out, char why[128]);
/* Fills in what a phase has in front of its addresses. A grid has less than 2^32 workgroups. */
void rp_spirv_join_grid(const uint32_t grid[3], uint32_t rows[4 * RP_SPIRV_JOIN_ADDRESSES]);

#endif
