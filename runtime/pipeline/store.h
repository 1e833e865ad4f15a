/* Internal: the store of a device: what kernels become on it, one of each content, for all who ask.
 *
 * Nothing here knows of plans: whoever runs a kernel describes it, be it one of a plan or SPIR-V with
 * a list of parameters. What is equal is found instead of created again; what nobody uses any more
 * stays, because the next exec of the same plan is likely to want it, until rp_device_trim or the
 * end of the device.
 *
 * Threads: every function may be called by any thread. Handles and bindings do not change as long
 * as the object has a user. */
#ifndef RP_RUNTIME_STORE_H
#define RP_RUNTIME_STORE_H

#include "device/device.h"
#include "plan_records.h"

/* Descriptor sets a kernel may use; devices offer 4 to 32. */
enum { RP_MAX_SETS = 32 };

/* A kernel, as far as its layout and its pipeline depend on it. Everything is copied as needed. */
typedef struct rp_kernel_desc {
    const char *name; /* for messages and debug tools; the first to ask names the pipeline */
    const char *entry;
    const uint32_t *words; /* SPIR-V; NULL: nobody runs it, it is left out */
    uint32_t word_count;
    uint32_t push_bytes; /* the most that any kernel pushes which is recorded beside it: layouts
                          * stay compatible only with one size for all */
    const rp_plan_param *params;
    uint32_t param_count;
    const rp_plan_spec *specs;
    uint32_t spec_count;
} rp_kernel_desc;

/* ---- layouts.c ------------------------------------------------------------------------------- */

/* Equal lists of bindings are one object. */
typedef struct rp_set_layout {
    VkDescriptorSetLayout handle;
    uint32_t users;
    struct rp_set_layout *next;
    uint32_t binding_count, uniform_count;
    VkDescriptorSetLayoutBinding bindings[]; /* ascending */
} rp_set_layout;

/* Equal sets and push constants are one object, so comparing pointers tells what stays bound. */
typedef struct rp_layout {
    VkPipelineLayout handle;
    uint32_t users;
    struct rp_layout *next;
    uint32_t push_bytes, set_count;
    rp_set_layout *sets[RP_MAX_SETS];
} rp_layout;

/* The layout of a kernel, with one user more. */
rp_status rp_layout_get(rp_store *store, const rp_kernel_desc *kernel, rp_diags *diags,
                        rp_layout **out);
/* One user less; NULL is fine. */
void rp_layout_put(rp_store *store, rp_layout *layout);

/* ---- store.c --------------------------------------------------------------------------------- */

struct rp_store {
    rp_device *device;
    pthread_mutex_t mutex; /* around everything below */
    rp_set_layout *sets;
    rp_layout *layouts;
};

/* NULL without memory. */
rp_store *rp_store_create(rp_device *device);
/* Nothing of the store has a user any more. NULL is fine. */
void rp_store_destroy(rp_store *store);

/* layouts.c; with the mutex held. Frees what has no user, or with `all` everything. */
void rp_layouts_trim(rp_store *store, bool all);

#endif
