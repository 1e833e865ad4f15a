/* Internal: what kernels become on a device: layouts, the pipeline cache on disk,
 * pipelines. */
#ifndef RP_RUNTIME_PIPELINE_H
#define RP_RUNTIME_PIPELINE_H

#include "pipeline/store.h"

/* ---- kernels.c ------------------------------------------------------------------------------- */

/* One entry per kernel of the plan, to be released by the caller; strings and arrays are the plan's.
 */
rp_status rp_kernels_describe(const rp_allocator *a, const rp_plan *plan, rp_kernel_desc **out);

/* ---- layouts.c ------------------------------------------------------------------------------- */

/* The layouts of a plan's kernels, held as long as this. */
typedef struct rp_layouts {
    rp_device *device;
    rp_layout **of_kernel; /* by plan kernel; NULL for a kernel no node runs */
    uint32_t count;
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
