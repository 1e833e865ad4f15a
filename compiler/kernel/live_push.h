/* Internal: push constants that follow live values.
 *
 * Push constants are written into a recording, so what changes between replays cannot be one. A node
 * whose push data follows live values runs a copy of its kernel instead, whose block is a read-only
 * storage buffer, bound to a live buffer that is that block: the node's constants, and bytes that
 * follow other live buffers. To everybody behind the front ends it is a kernel, a buffer and a use
 * like others. Equal blocks are one buffer; the copy of a kernel is made once. */
#ifndef RP_KERNEL_LIVE_PUSH_H
#define RP_KERNEL_LIVE_PUSH_H

#include "base/table.h"
#include "kernel/kernel.h"

enum { RP_MAX_PUSH_WORDS = RP_MAX_PUSH_BYTES / 4 };

/* Which words of a node's push data follow live buffers of the graph, and which bytes of them. */
typedef struct rp_live_push {
    bool always;    /* through a buffer even where no word follows: the push data is wanted for
                     * something else */
    uint64_t words; /* bit i: word i follows */
    uint32_t buffer[RP_MAX_PUSH_WORDS], offset[RP_MAX_PUSH_WORDS];
} rp_live_push;

/* The live buffers that were made for blocks of one graph. Zero is empty. */
typedef struct rp_push_blocks {
    rp_table table; /* hash of a block -> its buffer */
    uint32_t count;
} rp_push_blocks;

/* A block as a live buffer holds it: constants, zeros where others are followed, and the pieces. */
typedef struct rp_block_bytes {
    const char *name; /* "push": the buffer is called "push-1" */
    const uint8_t *bytes;
    const rp_graph_follow *pieces;
    uint32_t size, piece_count; /* the size a multiple of 4 */
} rp_block_bytes;
/* The buffer of a block, which is made when there is no equal one. */
rp_status rp_block_buffer(rp_graph *graph, rp_push_blocks *blocks, const rp_block_bytes *block,
                          rp_source_pos pos, uint32_t *out_buffer);

/* Makes a node that runs `module` one whose push data follows: its kernel (which was the module's
 * own), one more use behind those that are bound, and no push data. `uses` has room for it.
 * RP_ERROR_INVALID, with the reason in `why`, where the kernel's block cannot be a buffer. */
rp_status rp_live_push_apply(rp_graph *graph, rp_push_blocks *blocks,
                             const rp_kernel_module *module, const rp_live_push *live,
                             const uint8_t *push, rp_graph_node *node, rp_graph_use *uses,
                             char why[512]);

/* A copy of valid SPIR-V in which all push-constant blocks are one read-only storage block at this
 * binding; allocated. The offsets of members stay as they are. */
rp_status rp_spirv_push_to_buffer(const rp_allocator *allocator, const uint32_t *words,
                                  uint32_t count, uint32_t set, uint32_t binding,
                                  uint32_t **out_words, uint32_t *out_count);

#endif
