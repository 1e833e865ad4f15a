/* Internal: addresses of buffers in the push data of a node.
 *
 * Where a buffer lies is known when a plan is replayed: a node says at which bytes of its push data
 * which byte of which buffer is pointed to, and what its kernel does with the memory that it reaches
 * so: uses that are bound to no parameter. A node that does not say so may do anything. */
#ifndef RP_KERNEL_ADDRESSES_H
#define RP_KERNEL_ADDRESSES_H

#include "kernel/kernel.h"

enum { RP_MAX_PUSH_ADDRESSES = RP_MAX_PUSH_BYTES / 8 };

/* One of them, as a front end has read it. */
typedef struct rp_pushed_address {
    uint32_t at, buffer; /* byte of the push data; in the graph */
    uint64_t offset;     /* byte of the buffer, inside it */
    const void *node;    /* of the front end, for messages */
} rp_pushed_address;

typedef struct rp_push_addresses {
    rp_pushed_address items[RP_MAX_PUSH_ADDRESSES];
    uint32_t count;
} rp_push_addresses;

/* Gives a run node its addresses. Its uses are complete but for an indirect grid's: those of `bound`
 * params, and behind them what is reached through addresses, where that is declared. Where it is not,
 * the node becomes unknown, and gets a use of each buffer that is pointed to; `uses` has room for
 * them. RP_ERROR_INVALID, with the address in *out_lost, for one that no declared use covers. */
rp_status rp_addresses_apply(rp_graph *graph, rp_push_addresses *addresses, bool declared,
                             rp_graph_node *node, rp_graph_use *uses, uint32_t bound,
                             uint32_t *out_lost);

#endif
