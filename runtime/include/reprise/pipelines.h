/* Pipelines: what the kernels of plans become on a device. Shared, and created ahead of need.
 *
 * A pipeline is a kernel compiled by the driver: a millisecond to a second each, most of what
 * creating an exec takes. A device has one of each content (SPIR-V, entry, specialisation, layout),
 * whichever plans and execs it is for. It stays when the last exec that used it is gone, since the
 * next one is likely to want it: until rp_device_trim, or the end of the device.
 *
 * Pipelines are created by threads of the device, the most urgent first, and by whoever waits for
 * them. rp_exec_create asks for those of its plan and waits; rp_device_prepare asks and does not
 * wait, so that an exec created later finds them. A program that ends while pipelines are created
 * destroys the device first: drivers expect no threads inside when a process exits.
 *
 * Threads: all calls may be made from any thread at once; who destroys a preparation is the last
 * to use it.
 */
#ifndef REPRISE_PIPELINES_H
#define REPRISE_PIPELINES_H

#include "reprise/device.h"
#include "reprise/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is created first. A pipeline that several ask for has the highest of what they say; one that
 * is waited for is critical. */
typedef enum rp_pipeline_priority {
    RP_PIPELINE_RARE = -1, /* the last; rp_exec_create does not wait for it */
    RP_PIPELINE_NORMAL = 0,
    RP_PIPELINE_CRITICAL = 1
} rp_pipeline_priority;

typedef struct rp_kernel_priority {
    const char *kernel; /* its name in the plan */
    rp_pipeline_priority priority;
} rp_kernel_priority;

/* Zero is the default everywhere but in `size`. */
typedef struct rp_prepare_params {
    size_t size;                       /* sizeof(rp_prepare_params) */
    const char *cache_path;            /* as in rp_exec_params */
    rp_pipeline_priority priority;     /* of the kernels that are not listed */
    const rp_kernel_priority *kernels; /* RP_ERROR_NOT_FOUND for a name that the plan has not */
    uint32_t kernel_count;
} rp_prepare_params;

/* The pipelines of one plan on one device, asked for. */
typedef struct rp_preparation rp_preparation;

/* Checks the plan against the device as rp_exec_create does, asks for the pipelines that it needs
 * and the device has not, and returns. The plan need not outlive the call, the device outlives the
 * preparation. Without threads (rp_device_params.pipeline_threads) nothing is created until
 * somebody waits. params may be NULL. */
RP_API rp_status rp_device_prepare(rp_device *device, const rp_plan *plan,
                                   const rp_prepare_params *params, rp_diags *diags,
                                   rp_preparation **out_preparation);
/* Gives the pipelines up: as rp_preparation_cancel; what is created stays in the device. */
RP_API void rp_preparation_destroy(rp_preparation *preparation);

typedef struct rp_preparation_progress {
    size_t size;      /* sizeof(rp_preparation_progress) of the caller, before any use */
    uint32_t total;   /* kernels of the plan that some node runs */
    uint32_t ready;   /* whose pipeline is there */
    uint32_t failed;  /* whose pipeline could not be created: waiting says why */
    uint32_t created; /* of the ready ones: created for this preparation, the others were found in
                          * the device or are shared with another that asked first */
    uint32_t from_cache; /* of the created ones: known to the driver from the pipeline cache; 0
                          * where the driver does not tell (before Vulkan 1.3) */
    int cancelled;
} rp_preparation_progress;
/* How far it is. The caller has set progress->size; RP_ERROR_USAGE otherwise, and for NULL. */
RP_API rp_status rp_preparation_get_progress(const rp_preparation *preparation,
                                             rp_preparation_progress *progress);

/* Waits for the pipeline of one kernel of the plan, NULL: for all. The first that could not be
 * created is said, with the kernel's name. A thread that waits for ever (UINT64_MAX), or on a device
 * without threads, creates pipelines itself: what is awaited is begun at once, and a timeout is then
 * only looked at between two pipelines. 0 asks whether it is there. RP_ERROR_TIMEOUT,
 * RP_ERROR_CANCELLED, RP_ERROR_NOT_FOUND for a name that the plan has not, or what the driver gave.
 */
RP_API rp_status rp_preparation_wait(const rp_preparation *preparation, const char *kernel,
                                     uint64_t timeout_ns, rp_diags *diags);

/* Calls off what is not begun and nobody else asks for; what the driver is compiling is finished in
 * the background. Does not wait. */
RP_API void rp_preparation_cancel(rp_preparation *preparation);

/* Destroys the pipelines and layouts of the device that nobody uses and nobody waits for: for an
 * application that is done with its plans and wants the memory back. */
RP_API void rp_device_trim(rp_device *device);

#ifdef __cplusplus
}
#endif

#endif
