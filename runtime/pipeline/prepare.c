/* Preparations: the pipelines that somebody asked for, to wait for and to call off.
 *
 * A preparation holds its pipelines: what it has asked for stays in the store as long as it lives.
 * Those that it was the first to ask for are on its account: they are created with its pipeline
 * cache, which is opened by the first thread that needs it and written when the last is settled.
 * The account may outlive its owner, when another preparation still wants what is on it. */
#include "pipeline/store.h"

#include "base/given.h"
#include "base/sized.h"

/* ---- The account ----------------------------------------------------------------------------- */

VkPipelineCache rp_preparation_open_cache(rp_preparation *payer) {
    rp_store *store = payer->store;
    while (payer->account == RP_ACCOUNT_OPENING) pthread_cond_wait(&store->done, &store->mutex);
    if (payer->account == RP_ACCOUNT_NEW) {
        payer->account = RP_ACCOUNT_OPENING;
        pthread_mutex_unlock(&store->mutex);
        rp_cache_open(&payer->cache);
        pthread_mutex_lock(&store->mutex);
        payer->account = RP_ACCOUNT_OPEN;
        pthread_cond_broadcast(&store->done);
    }
    return payer->cache.handle;
}

static void release(rp_preparation *preparation) {
    const rp_allocator *a = &preparation->store->device->allocator;
    rp_cache_free(&preparation->cache);
    rp_release(a, preparation->kernels);
    rp_release(a, preparation->order);
    rp_release(a, preparation->names);
    rp_release(a, preparation);
}

void rp_preparation_settle(rp_preparation *payer, bool created) {
    rp_store *store = payer->store;
    payer->created_any |= created;
    if (--payer->unsettled) return;
    if (payer->account == RP_ACCOUNT_OPEN) {
        payer->account = RP_ACCOUNT_CLOSING;
        pthread_mutex_unlock(&store->mutex);
        rp_cache_close(&payer->cache, payer->created_any);
        pthread_mutex_lock(&store->mutex);
    }
    payer->account = RP_ACCOUNT_CLOSED;
    pthread_cond_broadcast(&store->done);
    if (!payer->owned) release(payer);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

/* Everything that pipelines of these kernels depend on: two sets of equal kernels have one file. */
static uint64_t hash_kernels(const rp_kernel_desc *kernels, const rp_hash128 *hashes,
                             uint32_t count) {
    uint64_t hash = 0;
    for (uint32_t i = 0; i < count; i++) {
        const rp_kernel_desc *k = &kernels[i];
        if (!k->words) continue;
        const uint64_t parts[] = {hashes[i].low, hashes[i].high, k->param_count, k->spec_count};
        hash = rp_hash_mix(hash, parts, sizeof parts);
        hash = rp_hash_mix(hash, k->entry, strlen(k->entry));
        for (uint32_t p = 0; p < k->param_count; p++) {
            const rp_plan_param *param = &k->params[p];
            const uint8_t bytes[] = {param->set, param->binding, param->access == RP_UNIFORM,
                                     param->access == RP_SAMPLED, param->resource};
            hash = rp_hash_mix(hash, bytes, sizeof bytes);
            hash = rp_hash_mix(hash, &param->elements, sizeof param->elements);
        }
        hash = rp_hash_mix(hash, k->specs, k->spec_count * sizeof *k->specs);
    }
    return hash;
}

/* Adds one kernel's pipeline, and has it created when it is not there. */
static rp_status ask(rp_preparation *preparation, uint32_t index, const rp_kernel_desc *kernel,
                     rp_hash128 hash, rp_diags *diags) {
    rp_store *store = preparation->store;
    rp_prepared *prepared = &preparation->kernels[index];
    RP_TRY(rp_store_find(store, kernel, hash, diags, &prepared->pipeline));
    rp_shared_pipeline *pipeline = prepared->pipeline;
    rp_status status = RP_OK;
    pthread_mutex_lock(&store->mutex);
    if (pipeline->state == RP_CREATION_ABSENT || pipeline->state == RP_CREATION_FAILED) {
        uint32_t *words = rp_dup(&store->device->allocator, kernel->words,
                                 kernel->word_count * sizeof *kernel->words);
        if (words)
            rp_jobs_add(store, pipeline, preparation, words, prepared->priority);
        else
            status = RP_ERROR_NO_MEMORY;
        prepared->asked_first = true;
    } else {
        rp_jobs_raise(store, pipeline, prepared->priority);
    }
    pthread_mutex_unlock(&store->mutex);
    return status;
}

static rp_status ask_all(rp_preparation *preparation, const rp_kernel_desc *kernels,
                         const char *cache_path, rp_diags *diags) {
    rp_store *store = preparation->store;
    rp_device *device = store->device;
    uint32_t count = preparation->count;
    rp_hash128 *hashes = rp_alloc(&device->allocator, count, sizeof *hashes);
    if (!hashes) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        if (kernels[i].words)
            hashes[i] =
                rp_hash_wide(kernels[i].words, kernels[i].word_count * sizeof *kernels[i].words);
    rp_status status = rp_cache_plan(&preparation->cache, device,
                                     hash_kernels(kernels, hashes, count), cache_path);
    for (uint32_t i = 0; status == RP_OK && i < count; i++) {
        uint32_t index = preparation->order[i];
        if (kernels[index].words)
            status = ask(preparation, index, &kernels[index], hashes[index], diags);
    }
    rp_release(&device->allocator, hashes);
    return status;
}

/* Copies the names, and puts the kernels in the order of their priorities. */
static bool describe(rp_preparation *preparation, const rp_kernel_desc *kernels,
                     const rp_pipeline_priority *priorities) {
    const rp_allocator *a = &preparation->store->device->allocator;
    uint32_t count = preparation->count, placed = 0;
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++) size += strlen(kernels[i].name) + 1;
    preparation->kernels = rp_alloc_zero(a, count, sizeof *preparation->kernels);
    preparation->order = rp_alloc(a, count, sizeof *preparation->order);
    preparation->names = rp_alloc(a, size, 1);
    if (!preparation->kernels || !preparation->order || !preparation->names) return false;
    char *name = preparation->names;
    for (uint32_t i = 0; i < count; i++) {
        preparation->kernels[i].priority = priorities ? priorities[i] : RP_PIPELINE_NORMAL;
        preparation->kernels[i].name = strcpy(name, kernels[i].name);
        name += strlen(name) + 1;
    }
    for (int priority = RP_PIPELINE_CRITICAL; priority >= RP_PIPELINE_RARE; priority--)
        for (uint32_t i = 0; i < count; i++)
            if (preparation->kernels[i].priority == (rp_pipeline_priority)priority)
                preparation->order[placed++] = i;
    return true;
}

rp_status rp_prepare_kernels(rp_device *device, const rp_kernel_desc *kernels, uint32_t count,
                             const rp_pipeline_priority *priorities, const char *cache_path,
                             rp_diags *diags, rp_preparation **out) {
    rp_store *store = device->store;
    rp_preparation *preparation = rp_alloc_zero(&device->allocator, 1, sizeof *preparation);
    *out = NULL;
    if (!preparation) return RP_ERROR_NO_MEMORY;
    preparation->store = store;
    preparation->count = count;
    preparation->owned = true;
    preparation->unsettled = 1; /* or the account might close between two kernels */
    rp_status status = RP_ERROR_NO_MEMORY;
    if (describe(preparation, kernels, priorities))
        status = ask_all(preparation, kernels, cache_path, diags);
    pthread_mutex_lock(&store->mutex);
    rp_preparation_settle(preparation, false);
    pthread_mutex_unlock(&store->mutex);
    if (status == RP_OK)
        *out = preparation;
    else
        rp_preparation_destroy(preparation);
    return status;
}

/* The priorities of a plan's kernels as a list, from the names that the caller gave. */
static rp_status list_priorities(const rp_prepare_params *params, const rp_kernel_desc *kernels,
                                 uint32_t count, rp_diags *diags, rp_pipeline_priority *out) {
    for (uint32_t i = 0; i < count; i++) out[i] = params->priority;
    for (uint32_t i = 0; i < params->kernel_count; i++) {
        const rp_kernel_priority *given = &params->kernels[i];
        bool found = false;
        for (uint32_t k = 0; k < count && given->kernel; k++) {
            if (strcmp(kernels[k].name, given->kernel) != 0) continue;
            out[k] = given->priority; /* several forms may have one of that name */
            found = true;
        }
        if (!found) {
            rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                         "a priority is given for @%s, but the plan has no such kernel",
                         given->kernel ? given->kernel : "(NULL)");
            return RP_ERROR_NOT_FOUND;
        }
    }
    for (uint32_t i = 0; i < count; i++)
        if (out[i] < RP_PIPELINE_RARE || out[i] > RP_PIPELINE_CRITICAL) {
            rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                         "kernel @%s has priority %d, which is none of rp_pipeline_priority",
                         kernels[i].name, (int)out[i]);
            return RP_ERROR_USAGE;
        }
    return RP_OK;
}

rp_status rp_prepare_plan(rp_device *device, const rp_plan *plan, const rp_prepare_params *params,
                          rp_diags *diags, rp_preparation **out) {
    const rp_allocator *a = &device->allocator;
    uint32_t count;
    rp_kernel_desc *kernels;
    *out = NULL;
    RP_TRY(rp_kernels_describe(a, plan, &kernels, &count));
    rp_pipeline_priority *priorities = rp_alloc(a, count, sizeof *priorities);
    rp_status status = priorities ? list_priorities(params, kernels, count, diags, priorities)
                                  : RP_ERROR_NO_MEMORY;
    if (status == RP_OK)
        status =
            rp_prepare_kernels(device, kernels, count, priorities, params->cache_path, diags, out);
    rp_release(a, priorities);
    rp_release(a, kernels);
    return status;
}

rp_status rp_device_prepare(rp_device *device, const rp_plan *plan, const rp_prepare_params *params,
                            rp_diags *diags, rp_preparation **out_preparation) {
    if (!out_preparation) return RP_ERROR_USAGE;
    *out_preparation = NULL;
    rp_prepare_params own = {0};
    if (!device || !plan) return RP_ERROR_USAGE;
    if (params && !rp_sized_take(params, &own, sizeof own))
        return rp_sized_refuse(diags, "rp_prepare_params");
    if (!rp_array_given(own.kernels, own.kernel_count, "rp_prepare_params.kernels", diags))
        return RP_ERROR_USAGE;
    RP_TRY(rp_limits_check(device, plan, diags));
    RP_TRY(rp_prepare_plan(device, plan, &own, diags, out_preparation));
    (*out_preparation)->counted = true;
    rp_device_retain(device, RP_OBJECT_PREPARATION);
    return RP_OK;
}

/* ---- Calling off ----------------------------------------------------------------------------- */

/* With the mutex held. */
static void cancel(rp_preparation *preparation) {
    if (preparation->cancelled) return;
    preparation->cancelled = true;
    for (uint32_t i = 0; preparation->kernels && i < preparation->count; i++) {
        rp_shared_pipeline *pipeline = preparation->kernels[i].pipeline;
        if (pipeline && --pipeline->wanted == 0 && pipeline->state == RP_CREATION_QUEUED)
            rp_jobs_drop(preparation->store, pipeline);
    }
    pthread_cond_broadcast(&preparation->store->done);
}

void rp_preparation_cancel(rp_preparation *preparation) {
    if (!preparation) return;
    pthread_mutex_lock(&preparation->store->mutex);
    cancel(preparation);
    pthread_mutex_unlock(&preparation->store->mutex);
}

void rp_preparation_destroy(rp_preparation *preparation) {
    if (!preparation) return;
    rp_store *store = preparation->store;
    pthread_mutex_lock(&store->mutex);
    cancel(preparation);
    for (uint32_t i = 0; preparation->kernels && i < preparation->count; i++)
        if (preparation->kernels[i].pipeline) preparation->kernels[i].pipeline->users--;
    bool counted = preparation->counted;
    preparation->owned = false;
    if (preparation->account == RP_ACCOUNT_CLOSED) release(preparation);
    pthread_mutex_unlock(&store->mutex);
    if (counted) rp_device_release(store->device, RP_OBJECT_PREPARATION);
}
