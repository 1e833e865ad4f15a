/* Internal: what kernels become on a device: layouts, the pipeline cache on disk, pipelines. */
#ifndef RP_RUNTIME_PIPELINE_H
#define RP_RUNTIME_PIPELINE_H

#include "device/device.h"
#include "plan_records.h"

/* Descriptor sets a kernel may use; devices offer 4 to 32. */
enum { RP_MAX_SETS = 32 };

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

#endif
