/* Internal: the device memory of one exec. */
#ifndef RP_RUNTIME_MEMORY_H
#define RP_RUNTIME_MEMORY_H

#include "device/device.h"

/* What a buffer is for: symbol, name in messages. It decides the memory type and the usage. */
#define RP_PURPOSE_LIST(X)                                                                         \
    X(RP_PURPOSE_ARENA, "arena")      /* transients: the GPU alone */                              \
    X(RP_PURPOSE_EXTERNAL, "buffers") /* in, out, inout, weight */                                 \
    X(RP_PURPOSE_LIVE, "live block")  /* mapped, written between replays */                        \
    X(RP_PURPOSE_STAGING, "staging")  /* mapped, copied from and to */

typedef enum rp_purpose {
#define RP_X(symbol, name) symbol,
    RP_PURPOSE_LIST(RP_X)
#undef RP_X
        RP_PURPOSE_COUNT
} rp_purpose;

typedef struct rp_memory_buffer {
    VkBuffer handle;
    const char *name;       /* not owned */
    uint8_t *mapped;        /* NULL when the host cannot see it */
    uint64_t size;          /* as asked */
    uint64_t bytes, offset; /* of its memory, in its block */
    rp_purpose purpose;
    uint32_t type, block;
} rp_memory_buffer;

typedef struct rp_memory_block {
    VkDeviceMemory handle;
    uint8_t *mapped;
    uint64_t size;
    uint32_t type;
} rp_memory_block;

typedef struct rp_memory {
    rp_device *device;
    rp_memory_buffer *buffers;
    uint32_t buffers_count, buffers_capacity;
    rp_memory_block *blocks;
    uint32_t blocks_count, blocks_capacity;
    uint64_t bytes[RP_PURPOSE_COUNT]; /* of memory, by purpose */
} rp_memory;

/* Fills are whole words: a buffer is created with so many bytes for `size`, which the plan knows.
 */
static inline uint64_t rp_memory_fill_bytes(uint64_t size) {
    return (size + 3) / 4 * 4;
}

/* Creates a buffer without memory; `*out_index` stays its name. `name` must outlive the memory. */
rp_status rp_memory_add(rp_memory *memory, rp_purpose purpose, uint64_t size, const char *name,
                        rp_diags *diags, uint32_t *out_index);
/* Allocates memory for all buffers added, maps what the host can see, and binds. Called once. */
rp_status rp_memory_allocate(rp_memory *memory, rp_diags *diags);
/* Fills arena and external buffers with zeros, and waits for that: clear.c. */
rp_status rp_memory_clear(const rp_memory *memory, rp_diags *diags);
void rp_memory_free(rp_memory *memory);

#endif
