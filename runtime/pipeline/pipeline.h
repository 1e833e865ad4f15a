/* Internal: what kernels become on a device, for those who run them.
 *
 * Nothing here knows of plans but rp_prepare_plan: whoever runs a kernel describes it, be it one of a
 * plan or SPIR-V with a list of parameters, prepares it, waits for it, and uses its pipeline and its
 * layout as long as the preparation lives. What is equal is one object of the device.
 *
 * Threads: every function may be called by any thread. */
#ifndef RP_RUNTIME_PIPELINE_H
#define RP_RUNTIME_PIPELINE_H

#include "device/device.h"
#include "plan_records.h"

/* Descriptor sets a kernel may use; devices offer 4 to 32. */
enum { RP_MAX_SETS = 32 };

/* A kernel, as far as its layout and its pipeline depend on it. Everything is copied as needed. */
typedef struct rp_kernel_desc {
    const char *name;      /* for messages; the first to ask names the pipeline in debug tools */
    const char *entry;     /* of the shader */
    const uint32_t *words; /* SPIR-V; NULL: nobody runs it, it is left out */
    uint32_t word_count;
    uint32_t push_bytes; /* the most that any kernel pushes which is recorded beside it: layouts
                          * stay compatible only with one size for all */
    const rp_plan_param *params; /* sets are below RP_MAX_SETS */
    uint32_t param_count;
    const rp_plan_spec *specs;
    uint32_t spec_count;
} rp_kernel_desc;

/* Numbers of VkDescriptorType that bindings are of: all there are before dynamic offsets. */
enum { RP_DESCRIPTOR_TYPES = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER + 1 };

/* Equal lists of bindings are one object. */
typedef struct rp_set_layout {
    VkDescriptorSetLayout handle;
    uint32_t users;             /* of the store */
    struct rp_set_layout *next; /* of the store */
    uint32_t binding_count;
    uint32_t descriptor_count;                 /* of all bindings: an array has several */
    uint32_t type_counts[RP_DESCRIPTOR_TYPES]; /* of them, by VkDescriptorType */
    VkDescriptorSetLayoutBinding bindings[];   /* ascending */
} rp_set_layout;

/* Equal sets and push constants are one object, so comparing pointers tells what stays bound. */
typedef struct rp_layout {
    VkPipelineLayout handle;
    uint32_t users;         /* of the store */
    struct rp_layout *next; /* of the store */
    uint32_t push_bytes, set_count;
    rp_set_layout *sets[RP_MAX_SETS];
} rp_layout;

/* ---- The store of a device: store.c ---------------------------------------------------------- */

/* `threads` as in rp_device_params.pipeline_threads. NULL without memory. */
rp_store *rp_store_create(rp_device *device, int32_t threads);
/* No preparation is left. NULL is fine. */
void rp_store_destroy(rp_store *store);

/* ---- Preparations: prepare.c, wait.c --------------------------------------------------------- */

/* Asks for the pipelines of kernels that were checked against the device; rp_preparation_destroy
 * gives them up. `priorities` is by kernel, NULL: all normal. */
rp_status rp_prepare_kernels(rp_device *device, const rp_kernel_desc *kernels, uint32_t count,
                             const rp_pipeline_priority *priorities, const char *cache_path,
                             rp_diags *diags, rp_preparation **out);
/* The same for a plan that was checked. Kernels have the plan's numbers. */
rp_status rp_prepare_plan(rp_device *device, const rp_plan *plan, const rp_prepare_params *params,
                          rp_diags *diags, rp_preparation **out);

/* Waits for one kernel, or with RP_UNSET for all of at least this priority; a timeout of 0 asks. */
rp_status rp_prepared_wait(const rp_preparation *preparation, uint32_t kernel,
                           rp_pipeline_priority least, uint64_t timeout_ns, rp_diags *diags);

/* The layout of a kernel, at once, and its pipeline, once it was waited for; NULL and null for one
 * that nobody runs. */
const rp_layout *rp_prepared_layout(const rp_preparation *preparation, uint32_t kernel);
VkPipeline rp_prepared_pipeline(const rp_preparation *preparation, uint32_t kernel);

#endif
