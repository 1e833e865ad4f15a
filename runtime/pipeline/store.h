/* Internal to this folder: the store of a device, and who creates what it lacks.
 *
 *   store.c    pipelines by content     layouts.c  layouts by content
 *   jobs.c     queues and threads       create.c   one pipeline, by the driver
 *   prepare.c  asking and calling off   wait.c     waiting and progress
 *   cache.c    the disk                 kernels.c  the kernels of a plan
 */
#ifndef RP_RUNTIME_STORE_H
#define RP_RUNTIME_STORE_H

#include "base/hash.h"
#include "pipeline/pipeline.h"

/* ---- cache.c: the pipeline cache of one preparation ------------------------------------------ */

typedef struct rp_cache {
    rp_device *device;
    VkPipelineCache handle; /* null: none */
    char *path;             /* NULL: nothing is kept on the disk */
    bool asked; /* the folder was named by the application: failing to write is worth a word */
    int error;  /* an errno of writing; 0: none */
    uint64_t kernels_hash, loaded_hash; /* loaded_hash: of the driver's bytes; 0 = none loaded */
} rp_cache;

/* Chooses the file for kernels of this hash, or the application's own cache. Fails without memory
 * only. */
rp_status rp_cache_plan(rp_cache *cache, rp_device *device, uint64_t kernels_hash,
                        const char *folder);
/* Reads the file and creates the object. Without either, pipelines are created all the same. */
void rp_cache_open(rp_cache *cache);
/* With `save`, writes the file when there is anything new. Destroys the object. */
void rp_cache_close(rp_cache *cache, bool save);
void rp_cache_free(rp_cache *cache);

/* ---- Pipelines ------------------------------------------------------------------------------- */

typedef enum rp_creation {
    RP_CREATION_ABSENT, /* not there, and nobody waits for it */
    RP_CREATION_QUEUED,
    RP_CREATION_RUNNING, /* some thread is at it */
    RP_CREATION_READY,
    RP_CREATION_FAILED, /* as good as absent: who asks again, tries again */
} rp_creation;

/* A pipeline of the device. What identifies it does not change; `handle` does not once it is ready;
 * the rest belongs to the mutex, and while it is created to the thread that does. */
typedef struct rp_shared_pipeline {
    struct rp_shared_pipeline *chain; /* the next of its bucket */
    rp_hash128 words_hash;
    uint32_t word_count, spec_count;
    rp_layout *layout; /* as one of its users */
    const rp_plan_spec *specs;
    const VkSpecializationMapEntry *spec_entries;
    const char *entry, *name;

    VkPipeline handle;
    rp_creation state;
    rp_pipeline_priority priority;            /* of a queued one */
    struct rp_shared_pipeline *before, *next; /* in its queue */
    uint32_t users;                           /* preparations that hold it: it stays */
    uint32_t wanted;       /* those of them that are not cancelled: it is to be created */
    rp_preparation *payer; /* on whose account it is created; NULL unless it is to be */
    uint32_t *words;       /* the same */
    bool from_cache;
    VkResult result; /* of `call`, once it was tried */
    const char *call;
} rp_shared_pipeline;

/* The pipeline of a kernel, with one user more that wants it, created or not. */
rp_status rp_store_find(rp_store *store, const rp_kernel_desc *kernel, rp_hash128 words_hash,
                        rp_diags *diags, rp_shared_pipeline **out);

/* Creates a pipeline that is RP_CREATION_RUNNING, without the mutex. What became of it is in
 * `handle`, `result` and `call`. */
void rp_pipeline_create(rp_device *device, rp_shared_pipeline *pipeline, VkPipelineCache cache);

/* ---- Layouts --------------------------------------------------------------------------------- */

/* The layout of a kernel, with one user more. With the mutex held, as what follows. */
rp_status rp_layout_find(rp_store *store, const rp_kernel_desc *kernel, rp_diags *diags,
                         rp_layout **out);
/* Destroys those without a user. */
void rp_layouts_trim(rp_store *store);

/* ---- Jobs ------------------------------------------------------------------------------------ */

/* Has a pipeline created that is not there, on somebody's account; takes the words. */
void rp_jobs_add(rp_store *store, rp_shared_pipeline *pipeline, rp_preparation *payer,
                 uint32_t *words, rp_pipeline_priority priority);
/* A queued one is asked for more urgently; others stay as they are. */
void rp_jobs_raise(rp_store *store, rp_shared_pipeline *pipeline, rp_pipeline_priority priority);
/* Takes a queued one back. May leave the mutex for a while. */
void rp_jobs_drop(rp_store *store, rp_shared_pipeline *pipeline);
/* Creates a queued one on this thread, and leaves the mutex meanwhile. */
void rp_jobs_run(rp_store *store, rp_shared_pipeline *pipeline);
/* Ends the threads. Called without the mutex. */
void rp_jobs_stop(rp_store *store);

/* ---- Preparations ---------------------------------------------------------------------------- */

/* A kernel of a preparation. */
typedef struct rp_prepared {
    rp_shared_pipeline *pipeline; /* NULL: nobody runs the kernel */
    const char *name;
    rp_pipeline_priority priority;
    bool asked_first; /* it was not there, and nobody else had asked for it */
} rp_prepared;

typedef enum rp_account {
    RP_ACCOUNT_NEW,
    RP_ACCOUNT_OPENING, /* some thread reads the cache */
    RP_ACCOUNT_OPEN,
    RP_ACCOUNT_CLOSING, /* some thread writes it */
    RP_ACCOUNT_CLOSED,
} rp_account;

struct rp_preparation {
    rp_store *store;
    uint32_t count;
    rp_prepared *kernels;
    uint32_t *order; /* kernels[] by priority */
    char *names;
    bool owned;   /* not destroyed yet */
    bool counted; /* among the device's objects: it is the application's */
    bool cancelled;

    /* What it was the first to ask for. */
    rp_account account;
    uint32_t unsettled; /* neither created nor dropped yet; one more while it still asks */
    bool created_any;
    rp_cache cache;
};

/* For jobs.c, with the mutex held, which they may leave for a while: the cache to create pipelines
 * with; and one pipeline less on the account, created or not, after which it may be gone. */
VkPipelineCache rp_preparation_open_cache(rp_preparation *payer);
void rp_preparation_settle(rp_preparation *payer, bool created);

/* ---- kernels.c ------------------------------------------------------------------------------- */

/* One entry per kernel of the plan, of its forms one behind the other, to be released by the caller; strings and arrays are the
 * plan's. */
rp_status rp_kernels_describe(const rp_allocator *a, const rp_plan *plan, rp_kernel_desc **out,
                              uint32_t *out_count);

/* ---- The store ------------------------------------------------------------------------------- */

enum { RP_PRIORITIES = 3, RP_PIPELINE_BUCKETS = 256, RP_MAX_PIPELINE_THREADS = 16 };

typedef struct rp_pipeline_queue {
    rp_shared_pipeline *first, *last;
} rp_pipeline_queue;

struct rp_store {
    rp_device *device;
    pthread_mutex_t mutex; /* around everything below, and all preparations */
    rp_set_layout *sets;
    rp_layout *layouts;
    rp_shared_pipeline *buckets[RP_PIPELINE_BUCKETS];
    rp_pipeline_queue queues[RP_PRIORITIES]; /* rare ones first */
    uint32_t queued;
    pthread_cond_t work, done; /* for idle threads; for those who wait for pipelines */
    pthread_t threads[RP_MAX_PIPELINE_THREADS];
    uint32_t thread_limit, thread_count, idle_threads;
    bool stopping;
};

#endif
