/* Waiting for pipelines, and how far they are.
 *
 * Who waits for ever does not sleep while something that it waits for is not begun: it creates that
 * itself, so that what is urgent does not queue behind what is not, and so that there need be no
 * threads. */
#include "pipeline/store.h"

#include <errno.h>
#include <time.h>
#include "base/sized.h"

const rp_layout *rp_prepared_layout(const rp_preparation *preparation, uint32_t kernel) {
    const rp_shared_pipeline *pipeline = preparation->kernels[kernel].pipeline;
    return pipeline ? pipeline->layout : NULL;
}

VkPipeline rp_prepared_pipeline(const rp_preparation *preparation, uint32_t kernel) {
    const rp_shared_pipeline *pipeline = preparation->kernels[kernel].pipeline;
    return pipeline ? pipeline->handle : VK_NULL_HANDLE;
}

/* What a wait is for, and how it stands. */
typedef struct awaited {
    const rp_preparation *preparation;
    uint32_t kernel;  /* RP_UNSET: all of at least this priority, or of the name */
    const char *name; /* of all that are waited for: each form of a plan may have one; NULL: any */
    rp_pipeline_priority least;
    bool everything;                /* it is for all that there is */
    bool pending;                   /* something is not there */
    const rp_prepared *failed;      /* one that could not be created, NULL: none */
    rp_shared_pipeline *next_to_do; /* the first that nobody has begun, NULL: none */
} awaited;

static bool concerns(const awaited *w, uint32_t index) {
    const rp_prepared *prepared = &w->preparation->kernels[index];
    if (!prepared->pipeline) return false;
    if (w->name) return strcmp(prepared->name, w->name) == 0;
    return w->kernel == RP_UNSET ? prepared->priority >= w->least : index == w->kernel;
}

static void look(awaited *w) {
    const rp_preparation *preparation = w->preparation;
    w->everything = true;
    w->pending = false;
    w->failed = NULL;
    w->next_to_do = NULL;
    for (uint32_t i = 0; i < preparation->count; i++) {
        uint32_t index = preparation->order[i];
        rp_prepared *prepared = &preparation->kernels[index];
        if (!concerns(w, index)) {
            w->everything &= !prepared->pipeline;
            continue;
        }
        rp_creation state = prepared->pipeline->state;
        if (state == RP_CREATION_FAILED && !w->failed) w->failed = prepared;
        if (state == RP_CREATION_QUEUED && !w->next_to_do) w->next_to_do = prepared->pipeline;
        if (state != RP_CREATION_READY) w->pending = true;
    }
}

/* Who waits for everything, waits for the cache to be written too. */
static bool is_over(const awaited *w) {
    return !w->pending && (!w->everything || w->preparation->account == RP_ACCOUNT_CLOSED);
}

static void make_critical(const awaited *w) {
    const rp_preparation *preparation = w->preparation;
    for (uint32_t i = 0; i < preparation->count; i++)
        if (concerns(w, preparation->order[i]))
            rp_jobs_raise(preparation->store, preparation->kernels[preparation->order[i]].pipeline,
                          RP_PIPELINE_CRITICAL);
}

static struct timespec after(uint64_t timeout_ns) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + timeout_ns % 1000000000;
    until.tv_sec += (time_t)(timeout_ns / 1000000000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    return until;
}

static bool is_past(const struct timespec *until) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > until->tv_sec ||
           (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec);
}

static rp_status wait_until_over(awaited *w, uint64_t timeout_ns) {
    rp_store *store = w->preparation->store;
    bool for_ever = timeout_ns == UINT64_MAX;
    struct timespec until = {0};
    if (!for_ever) until = after(timeout_ns);
    if (timeout_ns) make_critical(w);
    for (;;) {
        look(w);
        if (w->failed || is_over(w)) return RP_OK;
        if (w->preparation->cancelled && w->pending) return RP_ERROR_CANCELLED;
        if (timeout_ns == 0) return RP_ERROR_TIMEOUT;
        if (w->next_to_do && (for_ever || store->thread_count == 0)) {
            rp_jobs_run(store, w->next_to_do);
            if (for_ever || !is_past(&until)) continue;
        }
        if (for_ever)
            pthread_cond_wait(&store->done, &store->mutex);
        else if (pthread_cond_timedwait(&store->done, &store->mutex, &until) == ETIMEDOUT)
            timeout_ns = 0; /* one more look */
    }
}

static rp_status report(const rp_prepared *prepared, rp_diags *diags) {
    const rp_shared_pipeline *pipeline = prepared->pipeline;
    rp_status status = rp_vk_result(pipeline->result, pipeline->call, diags);
    rp_diags_add(diags, RP_NOTE, NULL, 0, 0, "this was for kernel @%s", prepared->name);
    return status;
}

static rp_status await(awaited *w, uint64_t timeout_ns, rp_diags *diags) {
    const rp_preparation *preparation = w->preparation;
    rp_store *store = preparation->store;
    pthread_mutex_lock(&store->mutex);
    rp_status status = wait_until_over(w, timeout_ns);
    if (status == RP_OK && w->failed) status = report(w->failed, diags);
    const rp_cache *cache = &preparation->cache;
    if (status == RP_OK && preparation->account == RP_ACCOUNT_CLOSED && cache->error &&
        cache->asked)
        rp_diags_add(diags, RP_WARNING, cache->path, 0, 0,
                     "the pipeline cache cannot be written: %s", strerror(cache->error));
    pthread_mutex_unlock(&store->mutex);
    return status;
}

rp_status rp_prepared_wait(const rp_preparation *preparation, uint32_t kernel,
                           rp_pipeline_priority least, uint64_t timeout_ns, rp_diags *diags) {
    awaited w = {.preparation = preparation, .kernel = kernel, .least = least};
    return await(&w, timeout_ns, diags);
}

static rp_status find_kernel(const rp_preparation *preparation, const char *name, rp_diags *diags) {
    for (uint32_t i = 0; i < preparation->count; i++)
        if (strcmp(preparation->kernels[i].name, name) == 0) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "the plan has no kernel @%s", name);
    return RP_ERROR_NOT_FOUND;
}

rp_status rp_preparation_wait(const rp_preparation *preparation, const char *kernel,
                              uint64_t timeout_ns, rp_diags *diags) {
    if (!preparation) return RP_ERROR_USAGE;
    if (kernel) RP_TRY(find_kernel(preparation, kernel, diags));
    awaited w = {
        .preparation = preparation, .kernel = RP_UNSET, .least = RP_PIPELINE_RARE, .name = kernel};
    return await(&w, timeout_ns, diags);
}

rp_status rp_preparation_get_progress(const rp_preparation *preparation,
                                      rp_preparation_progress *progress) {
    if (!preparation || !progress) return RP_ERROR_USAGE;
    rp_preparation_progress own = {0};
    pthread_mutex_lock(&preparation->store->mutex);
    own.cancelled = preparation->cancelled;
    for (uint32_t i = 0; i < preparation->count; i++) {
        const rp_prepared *prepared = &preparation->kernels[i];
        if (!prepared->pipeline) continue;
        bool ready = prepared->pipeline->state == RP_CREATION_READY;
        bool created = ready && prepared->asked_first;
        own.total++;
        own.ready += ready;
        own.failed += prepared->pipeline->state == RP_CREATION_FAILED;
        own.created += created;
        own.from_cache += created && prepared->pipeline->from_cache;
    }
    pthread_mutex_unlock(&preparation->store->mutex);
    return rp_sized_give(&own, sizeof own, progress) ? RP_OK : RP_ERROR_USAGE;
}
