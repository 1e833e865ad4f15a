/* Internal: a block that is given values, of which some are addresses of buffers.
 *
 * Addresses are known when a replay is recorded, and differ from slot to slot, so no buffer can hold
 * them beforehand; push data can. A node with such a block runs a copy of its kernel in which the block
 * is the push data, `name-block0.2-32` in dumps. To everybody behind the front ends it is a kernel with
 * push data and addresses, like others. */
#ifndef RP_KERNEL_BLOCK_PUSH_H
#define RP_KERNEL_BLOCK_PUSH_H

#include "kernel/kernel.h"

/* Which block, and how many bytes of it are given: a multiple of 4. */
typedef struct rp_block_push {
    uint32_t set, binding, size;
} rp_block_push;

/* The copy of a kernel without push data of its own for such a block; made once. RP_ERROR_INVALID, with
 * the reason in `why`, where the block cannot be push data. */
rp_status rp_block_push_kernel(rp_graph *graph, uint32_t kernel, const rp_block_push *block,
                               char why[512], uint32_t *out_kernel);

#endif
