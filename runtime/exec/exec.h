/* Internal: execs, and the parts they are made of. Each part is created by the file of its name, in
 * the order of the members below, and each create function expects zeroed memory; on failure the
 * exec is destroyed as far as it came, so every free function accepts what is half made. */
#ifndef RP_RUNTIME_EXEC_H
#define RP_RUNTIME_EXEC_H

#include "memory/staging.h"
#include "pipeline/pipeline.h"

/* ---- live.c: live values and the grids made from them ---------------------------------------- */

/* A grid made of live values: three u32 in the live block, read by an indirect dispatch. */
typedef struct rp_live_grid {
    uint32_t node;    /* the first node with this grid, for messages */
    uint32_t grid[3]; /* as in the plan's node */
    uint8_t live_mask;
    uint64_t offset; /* of its slot in the live block */
} rp_live_grid;

/* That a grid follows from one element of a live buffer. */
typedef struct rp_live_read {
    uint32_t buffer, element, grid;
} rp_live_read;

typedef struct rp_live_result {
    uint32_t grid[3];
    uint64_t round; /* the round that it was last computed in */
} rp_live_result;

typedef struct rp_live {
    rp_device *device;
    const rp_plan *plan;
    uint32_t buffer;   /* of the live block in memory; RP_UNSET without */
    uint64_t size;     /* bytes of the live block */
    uint64_t *offsets; /* by plan buffer: of a live buffer in the live block */
    uint8_t *values;   /* a copy of the live block: mapped memory may be slow to read */
    rp_live_grid *grids;
    uint32_t grids_count;
    uint32_t *of_node;   /* grids[] by node; RP_UNSET for other nodes */
    rp_live_read *reads; /* which grid follows from what: by buffer, element and grid */
    uint32_t reads_count;
    rp_live_result *results; /* scratch for rp_live_set, by grid */
    uint64_t round;          /* grows with each set of values that is tried */
} rp_live;

/* First half: sizes the block. Second half, once memory is mapped: writes the initial values. */
rp_status rp_live_plan(rp_live *live, rp_device *device, const rp_plan *plan);
rp_status rp_live_init(rp_live *live, uint8_t *mapped, rp_diags *diags);
rp_status rp_live_set(rp_live *live, uint8_t *mapped, uint32_t buffer, uint32_t first,
                      const void *values, uint32_t count, rp_diags *diags);
void rp_live_free(rp_live *live);

/* ---- descriptors.c --------------------------------------------------------------------------- */

/* Where a plan buffer lies. */
typedef struct rp_place {
    VkBuffer handle;
    uint64_t offset;
    uint32_t memory; /* buffers[] of rp_memory */
} rp_place;

typedef struct rp_descriptors {
    rp_device *device;
    VkDescriptorPool pool;
    VkDescriptorSet *handles;
    const rp_set_layout **layout_of; /* by set */
    uint32_t *first_info;            /* infos[] by set */
    uint32_t count;
    uint32_t *of_node;   /* first entry in node_sets[] by node */
    uint32_t *node_sets; /* handles[] for each set of a node's layout; RP_UNSET for an empty one */
} rp_descriptors;

rp_status rp_descriptors_create(rp_descriptors *descriptors, rp_device *device, const rp_plan *plan,
                                const rp_layouts *layouts, const rp_place *places, rp_diags *diags);
void rp_descriptors_free(rp_descriptors *descriptors);

/* ---- exec.c ---------------------------------------------------------------------------------- */

struct rp_exec {
    rp_device *device;
    const rp_plan *plan;
    rp_layouts layouts;
    rp_cache cache;
    rp_pipelines pipelines;
    rp_live live;
    rp_memory memory;
    rp_place *places; /* by plan buffer */
    rp_descriptors descriptors;
    rp_staging staging;  /* device NULL when every external buffer is mapped */
    bool results_mapped; /* the host reads some result through a mapping */

    VkCommandPool pool;
    VkCommandBuffer commands;
    VkQueryPool queries;  /* null without timestamps */
    VkSemaphore timeline; /* counts completed replays */

    /* What a submission needs, built once; only signal.value changes. */
    VkCommandBufferSubmitInfo submit_commands;
    VkSemaphoreSubmitInfo signal;
    VkSubmitInfo2 submit;
    uint64_t submitted, completed; /* replays; completed: as far as known */
    bool lost;
    char lost_text[256];
    rp_exec_stats stats;
};

/* record.c: records the replay into exec->commands. */
rp_status rp_record(rp_exec *exec, rp_diags *diags);

#endif
