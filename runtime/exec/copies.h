/* Internal: copies that a submission brings along, before and after its replay. All with the exec's
 * lock held, which is not let go of but by rp_copies_deliver: others may be held, too. */
#ifndef RP_RUNTIME_COPIES_H
#define RP_RUNTIME_COPIES_H

#include "exec/exec.h"
#include "memory/transfer.h"

typedef enum rp_downloads {
    RP_DOWNLOADS_DONE,      /* or there are none */
    RP_DOWNLOADS_PENDING,   /* they have not arrived */
    RP_DOWNLOADS_DELIVERING /* a thread is at it, without the exec's lock */
} rp_downloads;

/* The copies of one replay, uploads first. */
typedef struct rp_replay_copies {
    struct rp_replay_copies *next;
    uint64_t replay; /* 0: free */
    uint32_t slot;
    bool sealed;           /* its last piece was submitted */
    atomic_uint downloads; /* rp_downloads */

    rp_copy *list; /* `mapped`: the host copies by itself; else `at` says where the GPU does */
    uint32_t upload_count, count, capacity;
    rp_touch *touches; /* what the GPU copies, by VkBuffer and first byte */
    uint32_t touches_count, touches_capacity;

    rp_storage *up, *down; /* mapped, for what the GPU copies; NULL until needed */
    VkCommandPool pool;
    VkCommandBuffer commands[2]; /* before the replay, and after it */
    bool used[2], recorded[2];   /* recorded: what list[] says */
    rp_barrier barriers[2][2];   /* in front of the copies, and behind them; zeros: none */
    uint64_t round;              /* of the exec's memory when they were recorded */
    VkSemaphore late;            /* counts downloads that were submitted behind the replay */
    uint64_t late_value;         /* 0: none was */
} rp_replay_copies;

enum { RP_BEFORE, RP_AFTER };

/* Prepares the copies of a submission to a slot; *out is NULL when it has none. What is prepared is
 * the exec's, and released with the replay that it is for. */
rp_status rp_copies_prepare(rp_exec *exec, const rp_submit_params *params, rp_diags *diags,
                            rp_replay_copies **out);
/* Takes prepared copies back. */
void rp_copies_forget(rp_replay_copies *copies);
/* Makes the uploads that the host does by itself, at the last moment. */
void rp_copies_write(const rp_replay_copies *copies);
/* After the first piece was submitted, */
void rp_copies_settle(rp_exec *exec, rp_replay_copies *copies);
/* and after the last one. */
void rp_copies_seal(rp_exec *exec, rp_replay_copies *copies);
/* The pieces behind which they would come were left off. */
void rp_copies_drop_downloads(rp_replay_copies *copies);

/* Gives the downloads of replays up to `replay`, which are done, to the host. */
rp_status rp_copies_deliver(rp_exec *exec, uint64_t replay, rp_diags *diags);
/* Before a submission may overwrite what the host is still to read for downloads of a slot, or of
 * RP_ALL_SLOTS: reads it when its replay is done, and lets the GPU copy it aside otherwise. */
rp_status rp_copies_secure(rp_exec *exec, uint32_t slot, rp_diags *diags);
/* The same before the host or a change of the exec may, to slots that are idle. */
rp_status rp_copies_fetch(rp_exec *exec, uint32_t slot, rp_diags *diags);
/* Nothing is in flight any more. */
void rp_copies_free(rp_exec *exec);

#endif
