/* Internal: pieces of mapped memory that bytes pass through between the host and memory that it
 * cannot see. One ring for each queue of a device, made when it is first needed; any thread. */
#ifndef RP_RUNTIME_RING_H
#define RP_RUNTIME_RING_H

#include "memory/storage.h"

enum { RP_PIECE_BYTES = 4 << 20, RP_MAX_PIECES = 16 };

/* A piece belongs to the thread that has taken it, until it is given back. It has a command pool of
 * its own, so that threads record side by side. */
typedef struct rp_piece {
    rp_storage *buffer;
    VkCommandPool pool;
    VkCommandBuffer commands;
    uint64_t until; /* value of the ring's timeline behind which nothing in flight uses it */
    bool taken;
} rp_piece;

typedef struct rp_ring rp_ring;

/* The ring of a queue of the device, with at least so many pieces, or as many as there can be.
 * `beside`: of the queue for uploads, where that is another than the one of replays. */
rp_status rp_ring_open(rp_device *device, bool beside, uint32_t pieces, rp_diags *diags,
                       rp_ring **out);

/* Takes the piece that is free soonest, and waits until nothing in flight uses it. With
 * RP_RING_TRY it waits for nothing, and *out is NULL where it would. */
typedef enum rp_ring_mode { RP_RING_WAIT, RP_RING_TRY } rp_ring_mode;
VkResult rp_ring_take(rp_ring *ring, rp_ring_mode mode, rp_piece **out);
void rp_ring_give(rp_ring *ring, rp_piece *piece);

/* Submits what is recorded in a piece; *out_value is what the timeline reaches when it is done. */
VkResult rp_ring_submit(rp_ring *ring, rp_piece *piece, uint64_t *out_value);
VkResult rp_ring_wait(rp_ring *ring, uint64_t value);
/* Makes what the queue for uploads has written until then visible to all that is submitted later to
 * the queue of replays. Behind a wait of the host it holds nothing up. */
VkResult rp_ring_join(rp_ring *ring, uint64_t value);

void rp_ring_free(rp_device *device);

#endif
