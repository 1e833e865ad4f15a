/* Internal: what becomes a part of a vkQueueSubmit2. */
#ifndef RP_RUNTIME_BATCH_H
#define RP_RUNTIME_BATCH_H

#include "exec/copies.h"
#include "exec/exec.h"

enum { RP_NEAR_PIECES = 4, RP_NEAR_SEMAPHORES = 12 }; /* that lie in the call's own memory */
enum { RP_BESIDE_PIECES = 5 }; /* command buffers: two in front, one behind, copies */

/* Some pieces of one replay, each a VkSubmitInfo2 of its own: drivers join command buffers of one
 * into one piece of work, and the pieces' timeline is signalled behind each. */
typedef struct rp_batch {
    rp_exec *exec;
    rp_slot *slot;
    rp_submit_params params;
    uint64_t replay;
    uint64_t wait_for; /* an earlier replay, by semaphore; 0: none */
    uint32_t first_piece, end_piece;
    bool join;                /* asked to be part of the batch before */
    VkCommandBuffer turn;     /* in front of all, where another form ran before; null without */
    VkCommandBuffer link;     /* in front; null without */
    rp_barrier link_barrier;  /* that it has */
    VkCommandBuffer twin;     /* in place of all pieces; null: the recorded ones */
    VkCommandBuffer behind;   /* behind the last piece; null without */
    rp_replay_copies *copies; /* NULL: none */

    /* What the slot and the exec had before, to take the replay back. */
    uint64_t slot_replay, slot_wait_for, exec_wait_for;
    uint32_t slot_left_off, slot_ran, exec_last_form;
    rp_recording slot_recording;
    bool slot_reserved, slot_settled;

    VkSubmitInfo2 *infos;
    VkCommandBufferSubmitInfo *commands;
    VkSemaphoreSubmitInfo *semaphores;

    /* Written before they are read: a batch is zeroed up to here. */
    VkSubmitInfo2 near_infos[RP_NEAR_PIECES];
    VkCommandBufferSubmitInfo near_commands[RP_NEAR_PIECES + RP_BESIDE_PIECES];
    VkSemaphoreSubmitInfo near_semaphores[RP_NEAR_SEMAPHORES];
} rp_batch;

static inline void rp_batch_zero(rp_batch *batch) {
    memset(batch, 0, offsetof(rp_batch, near_infos));
}

static inline uint32_t rp_batch_pieces(const rp_batch *batch) {
    return batch->end_piece - batch->first_piece;
}

static inline VkCommandBufferSubmitInfo rp_command_info(VkCommandBuffer commands) {
    return (VkCommandBufferSubmitInfo){.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
                                       .commandBuffer = commands};
}

/* All with the exec's lock held, but for rp_batch_release. */

/* Takes the next number for a replay of the exec, and prepares its batch (rp_batch_zero). */
rp_status rp_batch_begin(rp_batch *batch, rp_exec *exec, const rp_submit_params *given,
                         rp_diags *diags);
/* Makes room for what a batch is filled with; rp_batch_begin has done so. */
rp_status rp_batch_reserve(rp_batch *batch);
/* Fills in infos[], one for each piece. */
void rp_batch_fill(const rp_batch *batch);
/* After it was submitted. */
void rp_batch_settle(const rp_batch *batch);
/* Undoes what rp_batch_begin has counted, of batches from the last to the first. */
void rp_batch_take_back(rp_batch *batch);
void rp_batch_release(rp_batch *batch);

#endif
