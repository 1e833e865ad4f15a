/* Which use each address is of: the first that covers its byte. A node has a handful of either. */
#include "kernel/addresses.h"

#include <stdlib.h>

static int by_place(const void *a, const void *b) {
    const rp_pushed_address *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

/* The use, counted from the node's first, that covers a byte of a buffer; RP_NONE. */
static uint32_t find_use(const rp_graph_use *uses, uint32_t from, uint32_t count,
                         const rp_pushed_address *address) {
    for (uint32_t i = from; i < count; i++)
        if (uses[i].buffer == address->buffer && address->offset >= uses[i].offset &&
            address->offset - uses[i].offset < uses[i].size)
            return i;
    return RP_NONE;
}

/* All of the buffer: what is done to it is not known, and neither is what else is reached. */
static rp_graph_use whole(const rp_graph *graph, uint32_t buffer) {
    const rp_graph_buffer *b = &graph->buffers[buffer];
    return (rp_graph_use){.buffer = buffer,
                          .access = rp_buffer_can_change(b) ? RP_READ_WRITE : RP_READ,
                          .addressed = true,
                          .size = b->size};
}

rp_status rp_addresses_apply(rp_graph *g, rp_push_addresses *addresses, bool declared,
                             rp_graph_node *node, rp_graph_use *uses, uint32_t bound,
                             uint32_t *out_lost) {
    node->unknown = !declared;
    node->first_address = g->addresses_count;
    if (addresses->count)
        qsort(addresses->items, addresses->count, sizeof *addresses->items, by_place);
    if (!RP_RESERVE(&g->allocator, g->addresses, g->addresses_count, g->addresses_capacity,
                    addresses->count))
        return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < addresses->count; i++) {
        const rp_pushed_address *a = &addresses->items[i];
        uint32_t use = find_use(uses, bound, node->use_count, a);
        if (use == RP_NONE && !declared) {
            use = node->use_count++;
            uses[use] = whole(g, a->buffer);
        }
        *out_lost = i;
        if (use == RP_NONE) return RP_ERROR_INVALID;
        g->addresses[node->first_address + i] =
            (rp_graph_address){.at = a->at, .use = use, .offset = a->offset - uses[use].offset};
    }
    node->address_count = addresses->count;
    g->addresses_count += addresses->count;
    return RP_OK;
}
