/* Internal: execs, and the parts they are made of. Each part is created by the file of its name, in
 * the order of the members below, and each create function expects zeroed memory; on failure the
 * exec is destroyed as far as it came, so every free function accepts what is half made. */
#ifndef RP_RUNTIME_EXEC_H
#define RP_RUNTIME_EXEC_H

#include "base/scope.h"
#include "base/table.h"
#include "device/images.h"
#include "memory/image.h"
#include "pipeline/pipeline.h"
#include "pipeline/writer.h"

/* ---- switches.c: nodes that the host may leave out ------------------------------------------- */

typedef struct rp_switches {
    char **names;
    uint32_t count;
    rp_table by_name; /* hash of a name -> its number */
} rp_switches;

/* By node: the switches that name it, items[first[node]] to items[first[node + 1]]. */
typedef struct rp_switch_map {
    uint32_t *first, *items;
    uint32_t items_count, items_capacity;
} rp_switch_map;

/* Copies the names. */
rp_status rp_switches_take(rp_switches *switches, const rp_allocator *a, const char *const *names,
                           uint32_t count, rp_diags *diags);
void rp_switches_free(rp_switches *switches, const rp_allocator *a);
/* Fails for a switch that names no node of the plan, and for one that names a node which the plan
 * counts on. */
rp_status rp_switch_map_create(rp_switch_map *map, const rp_switches *switches,
                               const rp_allocator *a, const rp_plan *plan, rp_diags *diags);
void rp_switch_map_free(rp_switch_map *map, const rp_allocator *a);

/* ---- live.c: live values and the grids made from them ---------------------------------------- */

/* A grid that can change: made of live values, or of a node that can be left out. Three u32 in the
 * live block, read by an indirect dispatch. */
typedef struct rp_live_grid {
    uint32_t node;    /* the first node with this grid and its switches */
    uint32_t grid[3]; /* as in the plan's node */
    uint8_t live_mask;
    uint64_t offset; /* of its place in the live block */
} rp_live_grid;

/* That a grid follows from one element of a live buffer, or with RP_UNSET from a switch. */
typedef struct rp_live_read {
    uint32_t buffer, element, grid;
} rp_live_read;

/* Bytes of a live buffer that are a copy of bytes of another. */
typedef struct rp_live_follow {
    uint32_t source, from, target, to, size; /* plan buffers, bytes in them */
} rp_live_follow;

typedef struct rp_live_result {
    uint32_t grid[3];
    uint64_t round; /* the round that it was last computed in */
} rp_live_result;

/* What follows from what: the same for every slot. */
typedef struct rp_live {
    rp_device *device;
    const rp_plan *plan;
    uint64_t size;         /* bytes of a live block */
    uint64_t values_size;  /* of it: the live buffers, which come first */
    uint64_t stall_offset; /* of its word of stalls, where the plan has tagged buffers */
    uint32_t stall_size;   /* 0 without */
    uint64_t *offsets;     /* by plan buffer: of a live buffer in the live block */
    rp_live_grid *grids;
    uint32_t grids_count;
    uint32_t *of_node; /* grids[] by node; RP_UNSET for other nodes */
    rp_switch_map switches;
    uint32_t switches_count;
    rp_live_read *reads; /* which grid follows from what: by buffer, element and grid */
    uint32_t reads_count;
    rp_live_follow *follows; /* by source and its byte */
    uint32_t follows_count;
    rp_live_result *results; /* scratch for rp_live_set, by grid */
    uint64_t round;          /* grows with each set of values that is tried */
} rp_live;

/* The values of one slot. */
typedef struct rp_live_values {
    uint8_t *copy;    /* of the live block: mapped memory may be slow to read */
    uint8_t **mapped; /* by plan buffer: where the GPU reads a live buffer */
    uint8_t *grids;   /* the mapped live block */
    bool *off;        /* by switch: its nodes are left out */
} rp_live_values;

rp_status rp_live_plan(rp_live *live, rp_device *device, const rp_plan *plan,
                       const rp_switches *switches, rp_diags *diags);
void rp_live_free(rp_live *live);
/* Makes values[], zeroed; `mapped` and `grids` are filled in before they are begun with. */
rp_status rp_live_values_create(const rp_live *live, rp_live_values *values);
void rp_live_values_free(const rp_live *live, rp_live_values *values);
/* Sets the copy to the plan's defaults; brings what follows others up to date, and writes the whole
 * copy, and the grids that follow from it, to where the GPU reads it, and that nothing has stalled. */
void rp_live_defaults(const rp_live *live, rp_live_values *values);
rp_status rp_live_refresh(rp_live *live, rp_live_values *values, rp_diags *diags);
/* Whether the copy may be written: no value is above its maximum, and every grid is possible. */
rp_status rp_live_check(rp_live *live, const rp_live_values *values, rp_diags *diags);
/* The shape of an external buffer that is no image. */
bool rp_live_shape(const rp_live *live, const rp_live_values *values, uint32_t buffer,
                   uint64_t shape[RP_MAX_RANK], uint64_t *out_bytes);
rp_status rp_live_set(rp_live *live, rp_live_values *values, uint32_t buffer, uint32_t first,
                      const void *elements, uint32_t count, rp_diags *diags);
rp_status rp_live_switch(rp_live *live, rp_live_values *values, uint32_t which, bool on,
                         rp_diags *diags);

/* ---- descriptors.c --------------------------------------------------------------------------- */

/* Where a plan buffer lies, in one slot. */
typedef struct rp_place {
    rp_storage *storage; /* held */
    VkBuffer handle;
    uint64_t offset; /* of its first byte in the VkBuffer */
    uint64_t bytes;  /* that are the exec's from there on */
    uint8_t *mapped; /* that byte; NULL when the host cannot see it */
    bool own;        /* allocated by the exec for this place */
} rp_place;

/* A descriptor pool, held by each of its sets that is in use. */
typedef struct rp_set_pool {
    VkDescriptorPool handle;
    uint32_t holders;
} rp_set_pool;

typedef struct rp_set {
    VkDescriptorSet handle;
    rp_set_pool *pool; /* NULL until the set is allocated */
    const rp_set_layout *layout;
    uint32_t first_info; /* infos[], as many as the layout has descriptors */
    bool fresh;          /* allocated for these descriptors, not taken over */
} rp_set;

typedef struct rp_descriptors {
    rp_device *device;
    rp_set *sets;
    uint32_t count, kept; /* kept: of them taken over */
    rp_named *infos;
    uint32_t infos_count;
    rp_view_object **views; /* held, for infos[] */
    uint32_t views_count, views_capacity;
    rp_sampler_object **samplers; /* the same */
    uint32_t samplers_count, samplers_capacity;
    rp_table by_content; /* hash of layout and what it names -> set */
    uint32_t *of_node;   /* first entry in node_sets[] by node */
    uint32_t *node_sets; /* sets[] for each set of a node's layout; RP_UNSET for an empty one */
} rp_descriptors;

/* `first_kernel`: the number in `pipelines` of the plan's first one. `old` (may be NULL): those that a slot had before, of which the ones that bind the same are taken
 * over. */
rp_status rp_descriptors_create(rp_descriptors *descriptors, rp_device *device, const rp_plan *plan,
                                const rp_preparation *pipelines, uint32_t first_kernel,
                                const rp_place *places, const rp_place *stall,
                                const rp_descriptors *old, rp_diags *diags);
void rp_descriptors_free(rp_descriptors *descriptors);

/* ---- stalls.c: plans with tagged buffers ------------------------------------------------------- */

/* The ways in which such a plan is recorded; any other plan in the first alone. */
typedef enum rp_recording {
    RP_RECORD_BARRIERS, /* with all barriers */
    RP_RECORD_ODD,
    RP_RECORD_EVEN, /* with those of the tagged form, and one tag or another */
    RP_RECORDINGS
} rp_recording;

/* The tag that elements are stored and waited for with. */
uint32_t rp_recording_tag(rp_recording recording);

/* Whether some of what the node uses is tagged: the tag comes first in what is pushed. */
bool rp_node_is_tagged(const rp_plan *plan, const rp_plan_node *node);

/* ---- runs.c: dispatches of joined kernels ------------------------------------------------------- */

typedef struct rp_runs {
    struct rp_run *items; /* in the order of the plan; runs.h */
    uint32_t count;
    uint32_t *of_node; /* items[] by the first node; RP_UNSET for other nodes; NULL without runs */
    VkFlags usage;     /* of buffers that the exec allocates: what runs ask of them */
    rp_preparation *pipelines; /* by run; NULL until a slot needs them */
    rp_storage *probe;
} rp_runs;

/* What a slot has for them. */
typedef struct rp_run_sets {
    VkDescriptorPool pool;
    VkDescriptorSet *of; /* by run; null where something that it binds has no address here */
    rp_storage *tables;  /* of all runs */
} rp_run_sets;

/* ---- slots.c: where the buffers of each slot lie --------------------------------------------- */

/* What is no buffer of the plan: the arena as a whole, and grids in the live block. */
#define RP_TOUCH_ARENA UINT32_MAX
#define RP_TOUCH_GRIDS (UINT32_MAX - 1)

/* Memory that a replay touches. */
typedef struct rp_touch {
    VkBuffer handle;
    uint64_t lo, hi;
    uint32_t buffer; /* of the plan, or one of those above */
    uint32_t scopes; /* rp_scope bits of all uses */
} rp_touch;

/* What one replay counts for. */
typedef struct rp_replay_weight {
    uint64_t counts[RP_COUNTERS];
} rp_replay_weight;

/* Where the GPU notes how far a replay came: loss.c. */
typedef struct rp_marks {
    rp_storage *storage; /* NULL with checkpoints, and without markers */
    char *checkpoints;
} rp_marks;

typedef struct rp_slot {
    rp_place *places;    /* by plan buffer */
    rp_place arena;      /* storage NULL without */
    rp_place live_block; /* the same */
    rp_live_values live;
    rp_descriptors descriptors;
    rp_run_sets run_sets;
    rp_touch *touches; /* by VkBuffer and first byte */
    uint32_t touches_count;
    VkCommandPool pool;
    VkCommandBuffer *commands; /* by rp_recording and piece; NULL until they are recorded */
    VkCommandBuffer given;     /* of a plan of several forms: the first piece for the application */
    uint32_t recordings;       /* how many there are */
    uint32_t form;             /* of the plan, that the live values ask for */
    uint32_t ran;              /* that the latest replay took */
    rp_recording recording;    /* that the latest replay took */
    bool settled;              /* all words of tagged buffers have tags of whole replays */
    VkQueryPool queries;       /* null without timestamps */
    rp_marks marks;
    bool results_mapped; /* the host reads some result through a mapping */
    uint64_t recorded;   /* replays of the exec before the commands were recorded */
    uint64_t replay;     /* number of the latest; 0 without */
    bool reserved;       /* that one is the application's to submit */
    uint32_t left_off;   /* the pieces of that one behind so many were cancelled; 0: none */
    uint64_t wait_for;   /* the replay that the next one waits for by semaphore; 0: none */
    rp_replay_weight weights[RP_RECORDINGS];
} rp_slot;

/* The exec's number of slots, with no place filled in; NULL without memory. */
rp_slot *rp_slots_create(const rp_exec *exec);
void rp_slots_free(const rp_exec *exec, rp_slot *slots);
/* binding.c. Resolves bindings into the empty places of slots; the rest is left empty. */
rp_status rp_slots_bind(const rp_exec *exec, rp_slot *slots, const rp_binding *bindings,
                        uint32_t count, rp_diags *diags);
/* Refuses what is bound in some slots and not in others. */
rp_status rp_slots_check_whole(const rp_exec *exec, const rp_slot *slots, rp_diags *diags);
void rp_place_hold(rp_place *place, rp_storage *storage, uint64_t offset, uint64_t bytes);
/* Whether the plan can use a buffer where it lies in its VkBuffer. */
rp_status rp_place_check_alignment(const rp_exec *exec, uint32_t buffer, const rp_place *place,
                                   rp_diags *diags);
/* What the arena is used as beside what every buffer is; whether a storage was created without some
 * usage, or is no buffer. */
VkFlags rp_arena_usage(const rp_exec *exec);
uint32_t rp_arena_scopes(const rp_exec *exec);
bool rp_storage_lacks_usage(const rp_storage *storage, VkFlags usage);
#define RP_WITHOUT_ADDRESS                                                                         \
    "nodes reach it through its address: create the storage with "                                 \
    "VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT in its usage"
/* Fills empty places with those that the same buffers have in another exec of as many slots, or in
 * this one as it is. Fails where the exec's plan cannot use a buffer at its offset. */
rp_status rp_slots_inherit(const rp_exec *exec, rp_slot *slots, const rp_exec *from,
                           rp_diags *diags);
/* Allocates what is still empty, and clears it; fills in what follows; refuses what overlaps. Says
 * whether slots write to common memory, so that their replays follow each other. */
rp_status rp_slots_place(rp_exec *exec, rp_slot *slots, rp_diags *diags, bool *out_ordered);
/* The scope bits with which replays of any slot touch a range that a slot has; says whether other
 * slots have some of it. */
uint32_t rp_slots_scopes_at(const rp_exec *exec, uint32_t slot, VkBuffer buffer, uint64_t lo,
                            uint64_t hi, bool *out_shared);
/* By VkBuffer and first byte. */
void rp_touches_sort(rp_touch *touches, uint32_t count);
/* Whether slots share the buffer. */
bool rp_slots_share(const rp_exec *exec, const rp_plan_buffer *buffer);
/* RP_OK when every slot is idle that has the buffer where this slot has it. */
rp_status rp_slots_require_idle(rp_exec *exec, uint32_t slot, uint32_t buffer, rp_diags *diags);
/* Of an idle buffer: RP_OK unless the last replay of those slots gave up, or may have. */
rp_status rp_slots_require_results(rp_exec *exec, uint32_t slot, uint32_t buffer, rp_diags *diags);
/* The scope bits with which replays touch memory that is not the exec's alone. */
uint32_t rp_slots_scopes(const rp_exec *exec);

/* ---- exec.c ---------------------------------------------------------------------------------- */

/* A replay of which some pieces are not submitted yet. */
typedef struct rp_begun {
    uint64_t replay; /* 0: none */
    uint32_t slot, next_piece;
    VkCommandBuffer
        barrier; /* orders the pieces that ran with whatever comes, when it is cancelled */
    rp_semaphore *signals;
    uint32_t signals_count, signals_capacity;
    struct rp_replay_copies *copies; /* NULL: none */
} rp_begun;

struct rp_exec {
    pthread_mutex_t mutex;
    rp_device *device;
    const rp_plan *plan;   /* held */
    rp_exec_params params; /* cache_path and switches our own copies; no bindings */
    char *cache_path;
    rp_switches switches;
    rp_preparation *pipelines;
    rp_runs runs;
    rp_live live;
    uint32_t *scopes;              /* by plan buffer: rp_scope bits of all uses */
    rp_want *wants;                /* by plan buffer */
    struct rp_takeover *takeovers; /* by group */
    uint32_t takeovers_count;
    VkImageMemoryBarrier2 *image_barriers; /* room for those of one boundary; while recording */
    rp_slot *slots;
    uint32_t slots_count;
    bool ordered;      /* replays follow each other, whatever their slots */
    bool waits;        /* replays may take the tagged form */
    uint64_t stalled,  /* replays up to this one gave up, or may have, */
        unstalled;     /* but for those up to this one */
    bool stall_untold; /* no call has said so yet */
    uint32_t *cuts;    /* by piece: its first group; and behind the last one the number of groups */
    uint32_t pieces;

    /* forms.c. Of a plan of several forms the exec is that of the last one, and the others are parts. */
    rp_exec **parts; /* by form */
    uint32_t part_count;
    bool of_forms;         /* has parts, or is one */
    uint32_t first_kernel; /* the number in `pipelines` of its plan's first one */
    uint64_t arena_bytes;  /* of the form that needs the largest arena */
    uint32_t *ranged;      /* live buffers whose largest value is not the same in all forms */
    uint32_t ranged_count;
    uint8_t *before_set; /* room for the elements of a live buffer */
    uint32_t last_form;  /* that the latest replay took, of whichever slot; RP_UNSET: not known */

    VkSemaphore timeline;          /* counts completed replays */
    VkSemaphore pieces_timeline;   /* counts completed pieces; null as long as there was but one */
    uint64_t pieces_replay;        /* the last replay before the plan that is cut as it is now */
    uint64_t pieces_value;         /* of the timeline behind that one */
    uint64_t submitted, completed; /* replays; completed: as far as known */
    uint64_t own;      /* the last one that was submitted here, not by the application */
    uint64_t wait_for; /* the replay that the next one of any slot waits for; 0: none */
    rp_begun begun;
    struct rp_replay_copies *copies; /* of replays, and free ones; exec/copies.c */
    struct rp_copy *copies_wanted;   /* scratch */
    uint32_t copies_capacity;
    pthread_mutex_t delivery; /* around the end of a delivery; taken last */
    pthread_cond_t delivered; /* some downloads have arrived */
    bool copies_downloads;    /* the GPU copies downloads, also where the host could read them */
    bool commands_given;      /* the application has recorded commands, and may submit them */
    uint64_t round;           /* grows when buffers are moved */
    bool lost;
    char lost_text[1024];
    rp_counts counts;
    rp_exec *before, *behind; /* in the device's list */
};

/* Locking an exec that is const in the interface. */
static inline void rp_exec_lock(const rp_exec *exec) {
    pthread_mutex_lock((pthread_mutex_t *)&exec->mutex);
}
static inline void rp_exec_unlock(const rp_exec *exec) {
    pthread_mutex_unlock((pthread_mutex_t *)&exec->mutex);
}

/* Whether replays of different slots overlap: they are recorded without the barrier toward the
 * replay before. */
static inline bool rp_exec_overlaps(const rp_exec *exec) {
    return exec->slots_count > 1 && !exec->ordered;
}

/* forms.c: plans of several forms.
 *
 * A part is an exec within another: it has the kernels, descriptors, grids and recordings of one form of the plan, and its
 * slots lie in the memory of the exec's. Nobody outside sees it, it submits nothing, and what slots know of their replays is in
 * those of the exec. */

/* What the recordings of a form belong to, and the slot of it that goes with a slot of the exec. */
static inline const rp_exec *rp_form_exec(const rp_exec *exec, uint32_t form) {
    return form < exec->part_count ? exec->parts[form] : exec;
}
static inline rp_slot *rp_form_slot(const rp_exec *exec, const rp_slot *slot, uint32_t form) {
    return form < exec->part_count ? &exec->parts[form]->slots[slot - exec->slots]
                                   : (rp_slot *)slot;
}
/* The parts as far as they go without memory, and what of them all together ask of the exec's. */
rp_status rp_parts_plan(rp_exec *exec, rp_diags *diags);
/* Slots for each part, in the memory of `slots` and of what is made anew; `again`: or of what the part has by
 * now. out[] has room for the parts, and is NULL where a failure came first. */
rp_status rp_parts_place(const rp_exec *exec, const rp_slot *slots, bool again, rp_slot **out,
                         rp_diags *diags);
void rp_parts_free_slots(const rp_exec *exec, rp_slot **slots);
/* Descriptors and recordings of one slot in every part; `old` may be NULL. */
rp_status rp_parts_prepare(const rp_exec *exec, rp_slot *const *slots, uint32_t slot, bool again,
                           rp_diags *diags);
void rp_parts_free(rp_exec *exec);
void rp_exec_set_ordered(rp_exec *exec, bool ordered);
/* Which form the live values of a slot ask for, and that its grids are those that they make: after values have been set
 * otherwise than by rp_forms_set. `parts` are slots of the parts, as of rp_parts_place. */
rp_status rp_forms_choose(const rp_exec *exec, rp_slot *slot, uint32_t index, rp_slot *const *parts,
                          rp_diags *diags);
/* rp_live_set and rp_live_switch of a slot, in the form that its values then ask for. */
rp_status rp_forms_set(rp_exec *exec, rp_slot *slot, uint32_t buffer, uint32_t first,
                       const void *elements, uint32_t count, rp_diags *diags);
rp_status rp_forms_switch(rp_exec *exec, rp_slot *slot, uint32_t which, bool on, rp_diags *diags);

/* The index of a buffer that the host can reach; with the exec's lock held. */
rp_status rp_exec_look_up(const rp_exec *exec, const char *buffer, uint32_t *out_index);

/* counters.c. Fills in slot->weight; says what memory slots hold, with those of parts; counts for exec and device;
 * counts the memory that the exec holds. */
void rp_replay_weigh(const rp_exec *exec, rp_slot *slot);
rp_status rp_slots_memory(const rp_exec *exec, const rp_slot *slots, rp_slot *const *parts,
                          uint64_t *out_bytes);
void rp_exec_count(rp_exec *exec, rp_counter which, uint64_t more);
/* The exec's alone: the device adds up those of its execs when it is asked. */
void rp_exec_count_replay(rp_exec *exec, const rp_slot *slot);
void rp_exec_count_barrier(rp_exec *exec, rp_barrier barrier); /* zeros: none */
void rp_execs_add(rp_exec *exec);
void rp_execs_remove(rp_exec *exec);
void rp_exec_count_memory(rp_exec *exec, uint64_t bytes);
void rp_counts_sum(rp_counts *all, const rp_exec *exec);

/* Creates an exec that takes over from another what their plans have in common; `from` may be NULL.
 */
rp_status rp_exec_make(rp_device *device, const rp_plan *plan, const rp_exec_params *params,
                       const rp_exec *from, rp_diags *diags, rp_exec **out_exec);
/* What an exec or a part knows of its plan alone, before it has memory. */
rp_status rp_exec_plan(rp_exec *exec, rp_diags *diags);
void rp_exec_free_plan(rp_exec *exec);
/* Descriptors of one slot, from its places, and its recordings when all pipelines are there. `old`
 * (may be NULL) is that slot as it was before. */
rp_status rp_slot_prepare(rp_exec *exec, rp_slot *slot, const rp_slot *old, rp_diags *diags);
/* Its recordings, unless it has them; waits for the pipelines. */
rp_status rp_slot_record(rp_exec *exec, rp_slot *slot, rp_diags *diags);

/* pieces.c: where to cut. */
rp_status rp_pieces_plan(rp_exec *exec);

/* images.c: the plan's images, as far as the layouts and the memory of whole images go. An image that
 * is taken over begins anew in front of the first group that uses it: whoever had the memory before is
 * done, and what it holds is nothing. */
typedef struct rp_takeover {
    uint32_t group, buffer;
    uint32_t src, dst; /* scopes of all images of its alias set; of this one */
} rp_takeover;
rp_status rp_takeovers_plan(rp_exec *exec);
/* The barriers of images at a boundary, for the vkCmdPipelineBarrier2 there: those that are taken over
 * in front of group `boundary`, and those that come from another layout than they rest in (first
 * boundary) or go to one (last). How many of exec->image_barriers were filled in. What has to be added
 * to the boundary's barrier of memory is added to *memory. */
uint32_t rp_boundary_images(const rp_exec *exec, const rp_slot *slot, uint32_t boundary,
                            VkMemoryBarrier2 *memory);
/* Copy and blit nodes with an image, and clears. */
void rp_record_image_node(const rp_exec *exec, const rp_slot *slot, const rp_plan_node *node,
                          VkCommandBuffer commands);
/* Whether a storage is, or is no, image as the plan's buffer wants it. */
rp_status rp_image_check_storage(const rp_exec *exec, uint32_t buffer, const rp_storage *storage,
                                 rp_diags *diags);

/* stalls.c. Whether replays may take the tagged form: by params, plan and driver. */
rp_status rp_stalls_plan(rp_exec *exec, rp_diags *diags);
/* In how many ways a slot is recorded, of an exec or a part. */
uint32_t rp_slot_recordings(const rp_exec *exec, const rp_slot *slot);
/* Which way the next replay of a slot takes; with the exec's lock held, as those below. */
void rp_slot_choose(const rp_exec *exec, rp_slot *slot);
/* Notes whether some replay gave up waiting. Then whether one that is done may have: RP_ERROR_STALLED,
 * with a message. Before a submission for a slot: the same unless some call has said it already. */
void rp_exec_look_for_stalls(rp_exec *exec);
rp_status rp_exec_report_stall(rp_exec *exec, uint64_t replay, rp_diags *diags);
rp_status rp_exec_require_told(rp_exec *exec, const rp_slot *slot, rp_diags *diags);

/* record.c: records groups [first, end) of the plan; `end` == the number of groups takes the final
 * barrier with it. `follows`: with the barrier toward the replay before in front of group 0. */
void rp_record(const rp_exec *exec, const rp_slot *slot, rp_recording recording, uint32_t first,
               uint32_t end, bool follows, VkQueryPool queries, VkCommandBuffer commands);

/* The same for profile.c, all of the plan with timestamps: at the ends of groups, on both sides of the barrier behind
 * each group, or around each node alone between full barriers. How many timestamps it writes; the first two have no
 * node between. */
typedef enum rp_twin { RP_TWIN_GROUPS, RP_TWIN_BARRIERS, RP_TWIN_NODES } rp_twin;
void rp_record_twin(const rp_exec *exec, const rp_slot *slot, rp_twin twin, VkQueryPool queries,
                    VkCommandBuffer commands);
uint32_t rp_twin_stamps(const rp_exec *exec, rp_twin twin);

/* transfer.c: what a copy asks for, and where that is. */
typedef struct rp_copy_request {
    const char *buffer; /* NULL: that of `index` */
    uint32_t index;
    uint64_t offset, size;
    const void *host;
    bool upload;
} rp_copy_request;
rp_status rp_exec_resolve_copy(const rp_exec *exec, uint32_t slot, const rp_copy_request *r,
                               rp_diags *diags, struct rp_copy *out);

/* access.c: as rp_exec_find, and a message for what is not there; with the exec's lock held. */
rp_status rp_exec_check_slot(const rp_exec *exec, uint32_t slot, rp_diags *diags);
rp_status rp_exec_find_reachable(const rp_exec *exec, const char *buffer, rp_diags *diags,
                                 uint32_t *out);

/* loss.c. Markers around the recording of each node, when the exec has them. */
rp_status rp_marks_create(const rp_exec *exec, rp_slot *slot, rp_diags *diags);
void rp_marks_free(const rp_exec *exec, rp_slot *slot);
void rp_marks_begin(const rp_exec *exec, const rp_slot *slot, VkCommandBuffer commands,
                    uint32_t node);
void rp_marks_end(const rp_exec *exec, const rp_slot *slot, VkCommandBuffer commands,
                  uint32_t node);
/* Keeps what is known about a loss when the status is one; returns it. Says it of a lost exec. Both
 * with the exec's lock held. */
rp_status rp_exec_note_loss(rp_exec *exec, rp_status status);
rp_status rp_exec_report_loss(const rp_exec *exec, rp_diags *diags);

/* wait.c. All with the exec's lock held. */
rp_status rp_exec_refresh(rp_exec *exec); /* brings exec->completed up to date */
/* RP_OK when the slot, or with RP_ALL_SLOTS every slot, is idle; its downloads are then with the
 * host, as far as it reads them from the buffers. */
rp_status rp_exec_require_idle(rp_exec *exec, uint32_t slot, rp_diags *diags);
/* RP_OK unless a replay was begun of which pieces are not submitted. */
rp_status rp_exec_require_whole(const rp_exec *exec, rp_diags *diags);
/* Waits as rp_exec_wait, and leaves downloads where they are; without the exec's lock. */
rp_status rp_exec_wait_done(rp_exec *exec, uint64_t *replay, uint64_t timeout_ns, rp_diags *diags);
/* What the pieces' timeline counts when so many pieces of a replay are done. */
uint64_t rp_exec_piece_value(const rp_exec *exec, uint64_t replay, uint32_t pieces);

#endif
