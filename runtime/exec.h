/* Internal: execs, and the parts they are made of. Each part is created by the file of its name, in
 * the order of the members below, and each create function expects zeroed memory; on failure the
 * exec is destroyed as far as it came, so every free function accepts what is half made. */
#ifndef RP_RUNTIME_EXEC_H
#define RP_RUNTIME_EXEC_H

#include "memory.h"
#include "plan/format.h"

/* Descriptor sets a kernel may use; devices offer 4 to 32. */
enum { RP_MAX_SETS = 32 };

#define RP_UNSET UINT32_MAX

/* ---- limits.c: whether a plan fits a device -------------------------------------------------- */

/* Names every kernel, node or buffer that does not fit. */
rp_status rp_limits_check(const rp_device *device, const rp_plan *plan, rp_diags *diags);

/* ---- layouts.c: descriptor set layouts and pipeline layouts ---------------------------------- */

/* Bindings of one set, ascending. Equal lists share one layout. */
typedef struct rp_set_layout {
    VkDescriptorSetLayout handle;
    uint32_t first_binding, binding_count; /* in bindings[] */
    uint32_t uniform_count;
} rp_set_layout;

typedef struct rp_layout {
    VkPipelineLayout handle;
    uint32_t set_count;
    uint32_t sets[RP_MAX_SETS]; /* set_layouts[] */
} rp_layout;

typedef struct rp_layouts {
    rp_device *device;
    rp_set_layout *sets;
    uint32_t sets_count, sets_capacity;
    VkDescriptorSetLayoutBinding *bindings;
    uint32_t bindings_count, bindings_capacity;
    rp_layout *layouts;
    uint32_t layouts_count, layouts_capacity;
    uint32_t *of_kernel; /* layouts[] by plan kernel; RP_UNSET for a kernel no node runs */
    uint32_t push_bytes; /* one push-constant range for all layouts, so that they stay compatible */
} rp_layouts;

rp_status rp_layouts_create(rp_layouts *layouts, rp_device *device, const rp_plan *plan,
                            rp_diags *diags);
void rp_layouts_free(rp_layouts *layouts);

/* ---- cache.c: the pipeline cache on disk ----------------------------------------------------- */

typedef struct rp_cache {
    rp_device *device;
    VkPipelineCache handle;
    char *path; /* NULL: no disk cache */
    bool asked; /* the folder was named by the application: failing to write is worth a word */
    uint64_t kernels_hash, loaded_hash; /* loaded_hash: of the driver's bytes; 0 = none loaded */
} rp_cache;

rp_status rp_cache_create(rp_cache *cache, rp_device *device, const rp_plan *plan,
                          const char *folder, rp_diags *diags);
/* Writes the cache back when it holds anything new. A failure to write is not the exec's. */
void rp_cache_save(rp_cache *cache, rp_diags *diags);
void rp_cache_free(rp_cache *cache);

/* ---- pipelines.c ----------------------------------------------------------------------------- */

typedef struct rp_pipelines {
    rp_device *device;
    VkPipeline *handles; /* by plan kernel; null for a kernel no node runs */
    uint32_t count, created, from_cache;
} rp_pipelines;

rp_status rp_pipelines_create(rp_pipelines *pipelines, rp_device *device, const rp_plan *plan,
                              const rp_layouts *layouts, VkPipelineCache cache, rp_diags *diags);
void rp_pipelines_free(rp_pipelines *pipelines);

/* ---- live.c: live values and the grids made from them ---------------------------------------- */

/* A grid made of live values: three u32 in the live block, read by an indirect dispatch. */
typedef struct rp_live_grid {
    uint32_t node;    /* the first node with this grid, for messages */
    uint32_t grid[3]; /* as in the plan's node */
    uint8_t live_mask;
    uint64_t offset; /* of its slot in the live block */
} rp_live_grid;

typedef struct rp_live_result {
    uint32_t grid[3];
    bool changed;
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
    uint32_t *of_node;       /* grids[] by node; RP_UNSET for other nodes */
    rp_live_result *results; /* scratch for rp_live_set, by grid */
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
    uint32_t *layout_of;  /* set_layouts[] by set */
    uint32_t *first_info; /* infos[] by set */
    uint32_t count;
    uint32_t *of_node;   /* first entry in node_sets[] by node */
    uint32_t *node_sets; /* handles[] for each set of a node's layout; RP_UNSET for an empty one */
} rp_descriptors;

rp_status rp_descriptors_create(rp_descriptors *descriptors, rp_device *device, const rp_plan *plan,
                                const rp_layouts *layouts, const rp_place *places, rp_diags *diags);
void rp_descriptors_free(rp_descriptors *descriptors);

/* ---- staging.c: bytes between the host and memory it cannot see ------------------------------ */

enum { RP_STAGING_SLOTS = 2 };

typedef struct rp_staging {
    rp_device *device;
    rp_memory memory; /* one buffer, in RP_STAGING_SLOTS equal parts */
    uint64_t slot_bytes;
    VkCommandPool pool;
    VkCommandBuffer commands[RP_STAGING_SLOTS];
    VkSemaphore timeline;
    uint64_t submitted;                    /* value of the timeline after the last submission */
    uint64_t used_until[RP_STAGING_SLOTS]; /* timeline value at which the slot is free */
} rp_staging;

/* For buffers of at most `largest` bytes. Writing and reading take any size, in pieces. */
rp_status rp_staging_create(rp_staging *staging, rp_device *device, uint64_t largest,
                            rp_diags *diags);
rp_status rp_staging_write(rp_staging *staging, VkBuffer target, uint64_t offset, const void *data,
                           uint64_t size, rp_diags *diags);
rp_status rp_staging_read(rp_staging *staging, VkBuffer source, uint64_t offset, void *data,
                          uint64_t size, rp_diags *diags);
void rp_staging_free(rp_staging *staging);

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

/* Typed sections of a plan. */
static inline const rp_plan_buffer *rp_plan_buffers(const rp_plan *plan) {
    return rp_plan_records(plan, RP_SECTION_BUFFERS);
}
static inline const rp_plan_kernel *rp_plan_kernels(const rp_plan *plan) {
    return rp_plan_records(plan, RP_SECTION_KERNELS);
}
static inline const rp_plan_param *rp_plan_params(const rp_plan *plan) {
    return rp_plan_records(plan, RP_SECTION_PARAMS);
}
static inline const rp_plan_node *rp_plan_nodes(const rp_plan *plan) {
    return rp_plan_records(plan, RP_SECTION_NODES);
}
static inline const rp_plan_use *rp_plan_uses(const rp_plan *plan) {
    return rp_plan_records(plan, RP_SECTION_USES);
}

#endif
