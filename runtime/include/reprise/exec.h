/* Execs: a plan on a device, ready to be replayed.
 *
 * An exec has one or more slots. A slot is all that one replay touches and another must not touch
 * at the same time: inputs, outputs, live values, the arena, and the recorded commands. Weights and
 * pipelines belong to the exec and are there once. With N slots N replays are in flight, and the
 * host fills the next slot while the GPU works on the others. Most programs that wait for each
 * result need one slot, number 0.
 *
 * Every buffer lies in a range of a storage (reprise/storage.h): the application's, where it bound
 * one, or the exec's own.
 *
 * Submitting is one call of vkQueueSubmit2 with recorded commands. A replay has a number, counted
 * from 1 by exec, which is the value that the exec's timeline semaphore reaches when it is done.
 *
 * Order. Replays of one slot follow each other. Replays of different slots may overlap, unless they
 * write to common memory (state that is carried from one to the next, or one range bound for
 * several slots): then they follow each other in the order of their numbers. Execs that share
 * storage are ordered within one rp_device_submit; across calls the application orders them with
 * semaphores: waiting on the host alone does not make visible to one what the other wrote.
 *
 * Threads: an exec may be used by several threads at once, and is locked for the time of a call but
 * not while one waits for a replay or copies. What two threads do to one slot, and one of them to
 * what slots share, is theirs to order. Creating needs nothing;
 * destroying needs that no other thread uses the exec any more.
 */
#ifndef REPRISE_EXEC_H
#define REPRISE_EXEC_H

#include "reprise/counters.h"
#include "reprise/pipelines.h"
#include "reprise/storage.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_exec rp_exec;

/* ---- Creating -------------------------------------------------------------------------------- */

enum { RP_MAX_SLOTS = 64 };
#define RP_ALL_SLOTS UINT32_MAX

/* Puts a buffer of the plan, of any kind, at a range of a storage: `offset` and as many bytes as the
 * buffer has, twice as many for a tagged transient. `offset` is a multiple of the device's storage alignment (256 always fits), and of
 * its uniform alignment for what is read as a uniform buffer. A live buffer needs a mapped storage
 * and a range that no other slot or exec writes: its bytes are set by rp_exec_set_live alone.
 * The arena is bound with a `buffer` of NULL: execs that never run at the same time can share one,
 * as large as the largest asks (rp_plan_info.arena_bytes).
 * A buffer, or the arena, is bound in every slot of an exec or in none: RP_ERROR_USAGE otherwise, so
 * that no slot gets memory of its own unnoticed. An image is bound to a storage that is one, of the same
 * shape (rp_storage_params.image, rp_storage_import_image), with an offset of 0; transient images are the exec's own. */
typedef struct rp_binding {
    const char *buffer;
    rp_storage *storage; /* the exec holds on to it */
    uint64_t offset;
    uint32_t slot;        /* of this slot alone, or RP_ALL_SLOTS. What slots share (weights, state)
                           * takes any slot's number for all */
    uint64_t slot_stride; /* with RP_ALL_SLOTS: slot s lies at offset + s * slot_stride; 0: all
                           * slots in the same range */
} rp_binding;

/* Whether replays of a plan with tagged buffers (compiled at -O2) leave out the barriers that waiting
 * for elements makes needless. That needs a driver that starts dispatches of a queue, and the workgroups
 * of each, in the order in which they come: Vulkan does not promise it. On one that does not, a replay
 * could wait in vain; it then gives up after about a second: its results, and those of all replays submitted
 * by then, are not to be used, and bytes of inout buffers may be anything. The exec goes on with all
 * barriers. The counters say how often which form was taken.
 *
 * Such a replay counts as done: rp_exec_completed and the exec's timeline pass its number. What says
 * RP_ERROR_STALLED is
 * - rp_exec_wait and rp_exec_wait_pieces of it, always. With a timeout of 0 they do not wait, so whoever
 *   polls, or has waited for a semaphore, asks there before the results are used;
 * - rp_exec_read and downloads of rp_exec_transfer, while such a replay is the last one of the slots that
 *   have the buffer there. Writing is allowed: it brings the buffers back;
 * - and if none of these has said it by then, the next rp_exec_submit, rp_device_submit or rp_exec_reserve,
 *   which submits nothing; the call after it does.
 * What other execs made of such results is wrong, too, and nobody says so of theirs. */
typedef enum rp_tags {
    RP_TAGS_AUTO, /* where the driver is known to keep the order; not with validation, whose layer sees
                   * barriers alone */
    RP_TAGS_OFF, /* all barriers, always */
    RP_TAGS_ON,  /* whatever the driver */
} rp_tags;

/* Which dispatches are of kernels that reach their buffers by address, and not through descriptors, through which a driver may
 * check each load. Results are the same to the bit. Of a plan whose replays wait for elements (rp_tags) the kernels that read
 * blocks (q8_0, q4_0) gain by it: on an H200 the step of a language model took 4 to 10 % less time in q8_0, 1 to 6 % in q4_0
 * (docs/benchmarks.md).
 *
 * The device has bufferDeviceAddress and shaderInt64, and all that such a dispatch binds has an address. What the exec
 * allocates has, and so have storages of rp_storage_create on drivers that check, elsewhere those with
 * VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT in their usage. Of an imported VkBuffer nobody knows: a dispatch that binds one
 * goes through descriptors.
 *
 * Dispatches between which the tagged form of a plan (rp_tags) has no barrier can also be one: a persistent kernel, whose
 * workgroups stay and go on to the next dispatch's work. All workgroups must be on the device at once: whether they are is
 * tried when a slot is first recorded, with the kernel itself; what does not fit, or cannot be one kernel, is dispatched as
 * without. Dispatches of one workgroup size go together, at most 16 of them. Should a workgroup wait in vain all the same, it
 * gives up as rp_tags says. On an H200 it takes between 1 % less and 4 % more time than single dispatches by address
 * (docs/benchmarks.md): there the next dispatch's workgroups start beside those that are not done yet. */
typedef enum rp_joining {
    RP_JOINING_AUTO, /* such kernels, one by one, on drivers that check loads */
    RP_JOINING_OFF,  /* all through descriptors */
    RP_JOINING_PERSISTENT, /* and persistent kernels wherever they can be, whatever the driver, but llvmpipe: it ends loops
                            * of an invocation that does the work of many */
} rp_joining;

/* Zero is the default everywhere but in `size`. */
typedef struct rp_exec_params {
    size_t size;            /* sizeof(rp_exec_params) */
    const char *cache_path; /* folder of the pipeline cache; NULL: $XDG_CACHE_HOME/reprise or
                             * ~/.cache/reprise; "" disables the disk cache. Files are keyed by
                             * the plan's kernels and the driver, so plans of the same kernels
                             * share one; a damaged file is ignored and replaced. Files are
                             * never deleted: the folder may be emptied at any time */
    int timestamps;         /* record two timestamps around the replay (rp_exec_gpu_seconds) */
    int separate_buffers;   /* debugging: every transient gets a VkBuffer of its own at its own
                             * memory, so that validation layers see each one; costs memory */
    uint32_t slots;         /* 1 to RP_MAX_SLOTS; 0: 1 */
    int state_per_slot;     /* each slot has inout buffers of its own; else there is one set of
                             * them, and replays follow each other */
    const rp_binding *bindings;
    uint32_t binding_count;
    uint32_t pieces;      /* cut the recording into at most so many command buffers of about the
                           * same weight; 0: 1 */
    uint64_t piece_bytes; /* and into more, so that the nodes of each touch at most so many bytes,
                           * as far as groups allow: the bytes that the device moves in the time
                           * that a piece may take; 0: no limit */
    rp_pipeline_priority priority; /* of the pipelines of kernels that are not listed. The exec is
                                    * created without the rare ones; the first call that needs
                                    * recorded commands (rp_exec_submit and its like,
                                    * rp_exec_record, rp_exec_command_buffer) waits for them, and
                                    * other calls for it. Before, buffers can be written and bound.
                                    * What rp_exec_update brings is all of this priority */
    const rp_kernel_priority *kernels; /* RP_ERROR_NOT_FOUND for a name that the plan has not */
    uint32_t kernel_count;
    int markers; /* debugging: the device notes which node it is at, for rp_exec_lost_node; each
                  * replay is slower. Where it has VK_NV_device_diagnostic_checkpoints or
                  * VK_AMD_buffer_marker nodes overlap as without, else they run one by one */
    const char *const *switches; /* nodes that rp_exec_enable leaves out and puts back: a label, for
                                  * those at it and below it ("mlp": "mlp/up" too), or n and the
                                  * number of a node in the plan ("n7"). No name twice */
    uint32_t switch_count;
    float memory_priority; /* of what the exec allocates: rp_storage_params.priority */
    rp_tags tags;          /* of a plan with tagged buffers */
    rp_joining joining;    /* which kernels reach their buffers by address */
} rp_exec_params;

/* Checks the plan's needs against the device (workgroup size, shared memory, push bytes, binding
 * ranges, grids, SPIR-V capabilities) and names the kernel or node that does not fit; then
 * allocates and records. Buffers that are not bound begin as zeros, live ones with their defaults: a
 * submission that creation waits for, and with it for all that is in the queue.
 * Bound ranges may overlap where all of them are only read (in, weight); otherwise two names on one
 * memory are refused. The exec keeps the plan: rp_plan_destroy may be called at any time. `params` is
 * read during the call, and may be NULL. RP_ERROR_UNSUPPORTED for a plan that does not fit the device,
 * RP_ERROR_DEVICE_MEMORY where there is no room for its buffers, RP_ERROR_USAGE for wrong bindings,
 * RP_ERROR_NOT_FOUND for a name that the plan has not; each with a message. */
RP_API rp_status rp_exec_create(rp_device *device, const rp_plan *plan,
                                const rp_exec_params *params, rp_diags *diags, rp_exec **out_exec);
/* The exec's own preparation, to ask and to wait for its pipelines, rare ones above all. It belongs
 * to the exec, until that is updated or destroyed. */
RP_API const rp_preparation *rp_exec_get_preparation(const rp_exec *exec);
/* Which form of the plan (rp_plan_form) the next replay of a slot runs, by the live values that it has now; 0 for a plan
 * of one form, and for what is no exec and no slot. */
RP_API uint32_t rp_exec_get_form(const rp_exec *exec, uint32_t slot);
/* Waits for what is in flight, then frees everything. NULL is fine. */
RP_API void rp_exec_destroy(rp_exec *exec);

/* Moves buffers of an idle exec to other ranges: writes descriptor sets and records anew, which
 * costs 0.2 ms for a plan of 1000 nodes and each slot concerned. All bindings or none. Bytes are
 * not moved: a buffer has those that lie at its new place, and the next replay sees what the exec's
 * replays before wrote there. RP_ERROR_BUSY while a replay is in flight in a slot concerned; of all
 * slots when they come to share what is written, or no longer do. */
RP_API rp_status rp_exec_bind(rp_exec *exec, const rp_binding *bindings, uint32_t count,
                              rp_diags *diags);

/* What came of an update: symbol, value, what is said of a buffer or of the plan. */
#define RP_UPDATE_RESULT_LIST(X)                                                                   \
    X(RP_UPDATE_DONE, 0, "is updated")                                                             \
    X(RP_UPDATE_BUFFER_ADDED, 1, "is not a buffer of the plan before")                             \
    X(RP_UPDATE_BUFFER_REMOVED, 2, "is no buffer of the plan any more")                            \
    X(RP_UPDATE_BUFFER_KIND, 3, "is of another kind")                                              \
    X(RP_UPDATE_BUFFER_SIZE, 4, "has another size or type")                                        \
    X(RP_UPDATE_FAILED, 5, "could not be instantiated")

typedef enum rp_update_result {
#define RP_X(symbol, value, ...) symbol = value,
    RP_UPDATE_RESULT_LIST(RP_X)
#undef RP_X
} rp_update_result;
RP_API const char *rp_update_result_name(rp_update_result result);

typedef struct rp_update_report {
    size_t size; /* sizeof(rp_update_report) of the caller */
    rp_update_result result;
    uint32_t buffers, buffers_kept; /* that the application sees; stay at their memory */
    uint32_t arena_kept;            /* the old arena is large enough */
    uint32_t descriptor_sets, descriptor_sets_kept; /* of all slots; bind the same as before */
    uint32_t pipelines;                             /* of kernels that the new plan runs */
    uint32_t pipelines_created;                     /* of them: not found in the device */
    uint64_t record_ns, pipeline_ns;
} rp_update_report;

/* Gives an idle exec another plan. Buffers that the application sees must be the same by name, kind,
 * type and size: they keep their memory, their bytes and what is bound, and live values stay, which
 * the plan must allow (maxima and grids). So do switches, each of which the plan must have. Kernels,
 * nodes, transients, barriers may all differ. The arena is kept when it is large enough: the exec's
 * own, or the bytes that were bound; else the exec allocates one. Pipelines of kernels that were
 * there are found again; commands are recorded anew. A plan that is no update, and one that cannot
 * be instantiated, leaves the exec as it was.
 * `out_report` may be NULL. RP_ERROR_INVALID for a plan that is no update, RP_ERROR_BUSY in flight. */
RP_API rp_status rp_exec_update(rp_exec *exec, const rp_plan *plan, rp_update_report *out_report,
                                rp_diags *diags);

/* Where a buffer lies; `buffer` NULL: the arena. out_range->size is set by the caller. The storage
 * lives as long as the buffer stays there: retain it to keep it longer. */
typedef struct rp_range_info {
    size_t size; /* sizeof(rp_range_info) of the caller */
    rp_storage *storage;
    uint64_t offset, bytes;
} rp_range_info;
RP_API rp_status rp_exec_get_range(rp_exec *exec, uint32_t slot, const char *buffer,
                                   rp_diags *diags, rp_range_info *out_range);

/* ---- The host's access ----------------------------------------------------------------------- */

/* Host bytes for a range of a buffer of kind in, inout or weight. Of an image they are its packed bytes,
 * of whole layers of a mip or of whole mips (rp_image_range). */
typedef struct rp_upload {
    const char *buffer;    /* NULL: that of `index` */
    uint32_t index;        /* as rp_exec_find gives it */
    uint64_t offset, size; /* in the buffer */
    const void *data;
} rp_upload;

/* The bytes of a range of a buffer of kind out or inout for the host; of an image as above. */
typedef struct rp_download {
    const char *buffer;    /* NULL: that of `index` */
    uint32_t index;        /* as rp_exec_find gives it */
    uint64_t offset, size; /* in the buffer */
    void *data;
} rp_download;

/* Copies all uploads into buffers of a slot, then all downloads out of them, and waits until that is
 * done, as rp_device_transfer does. The slot must be idle, and so must all others that have a buffer
 * at the same memory (RP_ERROR_BUSY otherwise). RP_ERROR_STALLED, and no copy, for the download of a buffer
 * whose last replay gave up (rp_tags). The exec is not locked while bytes are copied. */
RP_API rp_status rp_exec_transfer(rp_exec *exec, uint32_t slot, const rp_upload *uploads,
                                  uint32_t upload_count, const rp_download *downloads,
                                  uint32_t download_count, rp_diags *diags);

/* The same for one range. */
RP_API rp_status rp_exec_write(rp_exec *exec, uint32_t slot, const char *buffer, uint64_t offset,
                               const void *data, uint64_t size, rp_diags *diags);
RP_API rp_status rp_exec_read(rp_exec *exec, uint32_t slot, const char *buffer, uint64_t offset,
                              void *data, uint64_t size, rp_diags *diags);

/* A pointer to a buffer's bytes, for hosts that want to avoid the copy. RP_ERROR_UNSUPPORTED when
 * the buffer is not host-visible or is an image, RP_ERROR_USAGE for a live one. It is good until the buffer is bound
 * elsewhere, or the exec updated or destroyed. Reading and writing through it follows the same rule:
 * only while the slot is idle; and what is read is a result where rp_exec_wait said RP_OK. */
RP_API rp_status rp_exec_map(rp_exec *exec, uint32_t slot, const char *buffer, rp_diags *diags,
                             void **out_data, uint64_t *out_size);

/* Sets elements of a live buffer and recomputes the grids that depend on it: a memcpy into mapped
 * memory, nothing is re-recorded. A value above the buffer's declared maximum, and a grid that is
 * negative or larger than the device allows, is refused and changes nothing: RP_ERROR_INVALID.
 * RP_ERROR_BUSY while the slot is in flight, RP_ERROR_NOT_FOUND for a name that the plan has not,
 * RP_ERROR_USAGE for a buffer of another kind and for elements that it has not. */
RP_API rp_status rp_exec_set_live(rp_exec *exec, uint32_t slot, const char *buffer,
                                  uint32_t first_element, const void *values, uint32_t count,
                                  rp_diags *diags);

/* The shape of a buffer at the slot's live values, where it follows such (rp_plan_buffer_info.sized): its
 * extents into `shape`, which has room for RP_MAX_RANK, as many as its rank, and the bytes that there
 * are of it, the first ones of its memory (out_bytes may be NULL). The host writes so many before a
 * replay and finds so many behind it; the others are of no meaning. An extent may be 0. Of any other
 * buffer it is the plan's. RP_ERROR_NOT_FOUND for a name that the plan has not. */
RP_API rp_status rp_exec_get_shape(rp_exec *exec, uint32_t slot, const char *buffer,
                                   uint64_t *shape, uint64_t *out_bytes, rp_diags *diags);

/* Leaves the nodes of a switch (rp_exec_params.switches) out of the slot's replays from the next one
 * on, or with `on` puts them back: a memcpy, nothing is re-recorded. Everything is on at first, and
 * stays as it is when the exec is bound anew or updated. What a node that is left out would have
 * written is what it was before; a node of two switches runs when both are on. RP_ERROR_BUSY while
 * the slot is in flight, RP_ERROR_NOT_FOUND for what is no switch.
 *
 * The plan is proven without a node too when the node is optional (rp_optional_begin, or `optional`
 * in YAML), its grid is made of live values, or each of its uses that writes is `rw`. Creating an
 * exec with a switch for another is RP_ERROR_INVALID and says which and why: a `w`, an indirect
 * grid, uses that are not declared, a copy, fill or update, and a kernel that was fused of nodes of
 * which the switch names a part. Optional ones are fused with their like alone.
 *
 * The price: a node with a switch is recorded as an indirect dispatch, for which the device reads
 * its grid from memory; it costs that also while it is left out, and barriers stay. Grids must be
 * possible also while a node is out. */
RP_API rp_status rp_exec_enable(rp_exec *exec, uint32_t slot, const char *name, int on,
                                rp_diags *diags);

/* The index of a buffer for calls that then find it without comparing names. Good until the exec is
 * updated. RP_ERROR_NOT_FOUND for a name that the plan has not. */
RP_API rp_status rp_exec_find(const rp_exec *exec, const char *buffer, uint32_t *out_index);
RP_API rp_status rp_exec_set_live_at(rp_exec *exec, uint32_t slot, uint32_t index,
                                     uint32_t first_element, const void *values, uint32_t count,
                                     rp_diags *diags);

/* ---- Replaying ------------------------------------------------------------------------------- */

/* A VkSemaphore to wait for or to signal. */
typedef struct rp_semaphore {
    void *handle;   /* VkSemaphore, binary or timeline */
    uint64_t value; /* of a timeline; ignored for a binary one. The exec's own timeline is signalled
                      * anyway, and waited for up to the last replay */
    uint64_t stages; /* VkPipelineStageFlags2 that wait, or that have to be done; 0: all commands */
} rp_semaphore;

/* Zero is the default everywhere but in `size`. Arrays are read during the call. */
typedef struct rp_submit_params {
    size_t size; /* sizeof(rp_submit_params) */
    uint32_t slot;
    const rp_semaphore *waits; /* before the replay */
    uint32_t wait_count;
    const rp_semaphore *signals; /* after it, beside the exec's timeline */
    uint32_t signal_count;
    uint32_t pieces; /* submit the first so many pieces of the recording, and the rest with
                      * rp_exec_continue; 0: all */

    const rp_upload *uploads; /* before the replay, in the same submission. Two do not overlap */
    uint32_t upload_count;
    const rp_download *downloads; /* after it. The bytes arrive until rp_exec_wait of this replay or
                                   * a later one returns, by that call or another one, and the host
                                   * memory stays valid until then */
    uint32_t download_count;
} rp_submit_params;

/* Submits one replay and returns without waiting. params NULL: slot 0, no semaphores. `out_replay`
 * (may be NULL) gets its number. A slot whose last replay is in flight may be submitted again: the
 * GPU orders the two. Vulkan signals the semaphores of a submission in no given order: who has waited
 * for one of the application's in `signals` calls rp_exec_wait, which then returns at once, before
 * the slot's bytes are touched. RP_ERROR_STALLED when an earlier replay gave up (rp_tags) and no call
 * has said so: nothing is submitted.
 *
 * Uploads and downloads are commands of the stage COPY in front of the replay's and behind them;
 * their bytes pass through mapped memory that the exec keeps, as much as its submissions in flight
 * ask for. They are ordered with replays and copies of this exec, with execs of the same
 * rp_device_submit, and by the semaphores. Where the host sees memory that the exec allocated, an
 * idle slot's uploads are a memcpy in this call, and downloads one in rp_exec_wait. */
RP_API rp_status rp_exec_submit(rp_exec *exec, const rp_submit_params *params, rp_diags *diags,
                                uint64_t *out_replay);

/* Waits until a replay is done, and those of smaller numbers, and puts the bytes of their downloads
 * where they belong; 0: all that were submitted. RP_ERROR_TIMEOUT when that takes longer than so
 * many nanoseconds, UINT64_MAX waits for ever; RP_ERROR_USAGE for a number not given yet;
 * RP_ERROR_CANCELLED when its slot's last replay was cancelled, RP_ERROR_STALLED when it gave up (rp_tags).
 * On RP_ERROR_DEVICE_LOST the message says what is known of where. A timeout of 0 asks without waiting. */
RP_API rp_status rp_exec_wait(rp_exec *exec, uint64_t replay, uint64_t timeout_ns, rp_diags *diags);

/* Several execs in one vkQueueSubmit2, in this order. Where an exec touches memory that one before
 * it in the call writes, or the other way round, a barrier with the scopes of just those accesses
 * stands between them; others may overlap. Each exec's own timeline is signalled as usual. Waiting
 * for the timeline of one at a replay that comes later in the call, or behind it, is RP_ERROR_USAGE.
 * `out_replays` (may be NULL) gets the numbers. All or none. */
typedef struct rp_submission {
    rp_exec *exec;
    const rp_submit_params *params; /* NULL: the defaults; `pieces` is 0 */
    int join; /* one batch with the submission before, where no semaphore and no piece stands between
               * them: nothing but that barrier lies between then, and the GPU signals both when both
               * are done */
} rp_submission;
RP_API rp_status rp_device_submit(rp_device *device, const rp_submission *submissions,
                                  uint32_t count, rp_diags *diags, uint64_t *out_replays);

/* The exec's VkSemaphore: a timeline whose value is the number of the last replay that is done.
 * The application may wait for it anywhere; it signals it only to a number that rp_exec_reserve
 * gave it. A replay that gave up (rp_tags) is done, too: rp_exec_wait says so. */
RP_API void *rp_exec_timeline(const rp_exec *exec);

/* Replays known to be done, asked of the device; no wait. That they are done does not say that their
 * results are good: rp_exec_wait does, with a timeout of 0 at once. */
RP_API uint64_t rp_exec_completed(rp_exec *exec);
/* GPU time of the slot's last replay in seconds, from the two timestamps: from when all that was submitted before is
 * done, or, where replays of different slots may overlap, from when the queue comes to it. Negative without them,
 * before it is done, and for one that was cancelled, reserved, or recorded otherwise than the exec
 * is now. */
RP_API double rp_exec_gpu_seconds(rp_exec *exec, uint32_t slot);
/* When that was, in nanoseconds of the device's own clock: rp_device_calibrate says what those are on the
 * host's. RP_ERROR_NOT_FOUND where the time is not known. */
RP_API rp_status rp_exec_gpu_span(rp_exec *exec, uint32_t slot, double *out_begin_ns,
                                  double *out_end_ns);
/* Text about where the device was lost, or NULL when the exec has not met with that: which replay was
 * in flight, with markers (rp_exec_params.markers) the node, and what the driver says where the
 * device has VK_EXT_device_fault. It stays as it is. */
RP_API const char *rp_exec_lost_node(const rp_exec *exec);

/* ---- Pieces ---------------------------------------------------------------------------------- */

/* A long recording can be cut at group boundaries (rp_exec_params.pieces). Its pieces are command
 * buffers in the same queue, so that each barrier orders across a cut as it does without one: its
 * first scope is everything earlier in submission order. Each is a batch of its own, so that the
 * first starts while the rest is queued, and none is long. Submitted in parts, a replay can be left
 * off between two of them. */
RP_API uint32_t rp_exec_piece_count(const rp_exec *exec);

/* Submits the next `count` pieces of the replay that was begun with rp_submit_params.pieces; 0: all
 * that are left. The signals go with the last one. RP_ERROR_USAGE when no replay is begun. */
RP_API rp_status rp_exec_continue(rp_exec *exec, uint32_t count, rp_diags *diags);

/* Leaves off the pieces that were not submitted: the replay is done when those that were are, its
 * semaphores are signalled, and waiting for it gives RP_ERROR_CANCELLED. Its results hold what the
 * pieces before have left there, and downloads do not arrive. A full barrier stands behind them. */
RP_API rp_status rp_exec_cancel(rp_exec *exec, rp_diags *diags);

/* Waits for the first `count` pieces of a replay. RP_ERROR_CANCELLED when one of them was left off of
 * its slot's last replay, RP_ERROR_STALLED when it is known to have given up (rp_tags): of all pieces
 * that is certain, of some the word may be on its way. */
RP_API rp_status rp_exec_wait_pieces(rp_exec *exec, uint64_t replay, uint32_t count,
                                     uint64_t timeout_ns, rp_diags *diags);

/* ---- The application's own submissions ------------------------------------------------------- */

/* Records the replay of a slot into the application's VkCommandBuffer, primary or secondary, of the
 * device's queue family, which is in the recording state; as often as wanted. Descriptor sets, push
 * constants and the pipeline of the bind point COMPUTE are lost. The recording stays good until the
 * slot is bound anew, the exec updated or destroyed. It begins with the plan's barrier toward the
 * replay before in the same queue, and orders nothing else: rp_exec_get_scopes says what to write
 * before and after it. */
RP_API rp_status rp_exec_record(rp_exec *exec, uint32_t slot, void *command_buffer,
                                rp_diags *diags);

/* The stages and accesses with which replays touch the buffers that the application sees, and what
 * is bound of the arena and transients (VkPipelineStageFlags2, VkAccessFlags2): the scopes of a
 * barrier before a replay and after it. Uploads and downloads are none of its accesses: they are of
 * the stage COPY. */
typedef struct rp_scopes {
    size_t size; /* sizeof(rp_scopes) of the caller */
    uint64_t stages, reads, writes;
} rp_scopes;
/* out_scopes->size is set by the caller. */
RP_API rp_status rp_exec_get_scopes(const rp_exec *exec, rp_scopes *out_scopes);

/* The recorded VkCommandBuffer of a piece of a slot, to be submitted by the application as it is, to
 * the device's queue; NULL out of range. Good as long as a recording, see above. Where replays of
 * different slots may overlap, it begins without a barrier: the submission of a slot's first piece
 * waits for the exec's timeline at the number of the slot's replay before. */
RP_API void *rp_exec_command_buffer(rp_exec *exec, uint32_t slot, uint32_t piece);

/* Takes a number for a replay that the application submits itself: it then counts as in flight.
 * The application signals the exec's timeline to that number when it is done, in the order of the
 * numbers: it submits the replay before a later one of the exec is submitted, to any queue of the
 * device's family. The next replay of the exec waits for it. A number that comes to nothing is
 * signalled by vkSignalSemaphore; without, destroying the exec waits for ever. */
RP_API rp_status rp_exec_reserve(rp_exec *exec, uint32_t slot, rp_diags *diags,
                                 uint64_t *out_replay);

/* ---- Figures --------------------------------------------------------------------------------- */

/* What the exec did since it was created. Its memory is that in which its buffers lie, shared and
 * bound storage included, imported one not. counters->size is set by the caller; any thread. */
RP_API rp_status rp_exec_get_counters(rp_exec *exec, rp_counters *counters);

#ifdef __cplusplus
}
#endif

#endif
