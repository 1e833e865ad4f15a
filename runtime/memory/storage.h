/* Internal: storages, and how several are allocated at once. */
#ifndef RP_RUNTIME_STORAGE_H
#define RP_RUNTIME_STORAGE_H

#include <stdatomic.h>

#include "device/device.h"
#include "reprise/storage.h"

/* What a storage is for: symbol, name in messages. It decides the memory type and the usage. */
#define RP_PURPOSE_LIST(X)                                                                         \
    X(RP_PURPOSE_ARENA, "the arena")  /* transients: the GPU alone */                              \
    X(RP_PURPOSE_EXTERNAL, "buffers") /* in, out, inout, weight, and the application's own */      \
    X(RP_PURPOSE_VISIBLE, "host-visible buffers") /* the same, mapped */                           \
    X(RP_PURPOSE_LIVE, "live block")              /* mapped, written between replays */            \
    X(RP_PURPOSE_STAGING, "staging")              /* mapped, copied from and to */

typedef enum rp_purpose {
#define RP_X(symbol, name) symbol,
    RP_PURPOSE_LIST(RP_X)
#undef RP_X
        RP_PURPOSE_COUNT
} rp_purpose;

/* Device memory that several storages lie in. */
typedef struct rp_block {
    atomic_uint holders;
    VkDeviceMemory handle;
    uint8_t *mapped;
    uint64_t size;
    uint32_t type;
    float priority;
    bool addressed; /* shaders reach a buffer in it by device address */
} rp_block;

struct rp_storage {
    atomic_uint holders;
    uint64_t serial; /* its own for ever: handles and addresses of dead ones come back */
    rp_device *device;
    char *name;
    VkBuffer handle;
    uint64_t offset, size; /* in the VkBuffer, as asked */
    uint64_t memory_bytes; /* of the block; 0 when imported */
    rp_purpose purpose;
    uint8_t *mapped; /* of the first byte; NULL when the host cannot see it */
    rp_block *block; /* NULL when imported */
    bool imported;   /* the VkBuffer is the application's */
    bool known;      /* the application has the storage: not an exec alone knows who uses it */
};

/* What is asked for. */
typedef struct rp_storage_wish {
    rp_purpose purpose;
    VkBufferUsageFlags usage; /* beside that of the purpose */
    uint64_t size;
    const char *name;
    float priority; /* 0: the usual one */
} rp_storage_wish;

/* Which memory of a device purposes want. types.c. */
bool rp_memory_choose_type(const rp_adapter *adapter, rp_purpose purpose, uint32_t allowed,
                           uint32_t *out);
/* 0 stands for the usual priority; RP_ERROR_USAGE outside of 0 to 1. */
rp_status rp_memory_check_priority(float priority, const char *name, rp_diags *diags);

/* What the system lets this process use of a heap, and what it uses; false where nobody says. */
bool rp_memory_budget(const rp_device *device, uint32_t heap, uint64_t *out_budget,
                      uint64_t *out_used);

/* Fills are whole words: a buffer is created with so many bytes for `size`, which the plan knows.
 */
static inline uint64_t rp_storage_fill_bytes(uint64_t size) {
    return (size + 3) / 4 * 4;
}

/* The serial number of a new storage. */
uint64_t rp_storage_next_serial(void);

/* A holder more and one less within the library: of an exec, which keeps the device alive itself. The
 * application's holds (rp_storage_retain) are counted by the device. */
rp_storage *rp_storage_hold(rp_storage *storage);
void rp_storage_drop(rp_storage *storage);

/* Allocates out[0..count), all or none, one block of memory for each memory type that is needed,
 * and maps what the host can see. */
rp_status rp_storage_allocate(rp_device *device, const rp_storage_wish *wishes, uint32_t count,
                              rp_diags *diags, rp_storage **out);

/* Fills storages with zeros, and waits for that; NULL ones are passed over. clear.c. */
rp_status rp_storage_clear(rp_device *device, rp_storage *const *storages, uint32_t count,
                           rp_diags *diags);

#endif
