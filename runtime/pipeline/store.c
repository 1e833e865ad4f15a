/* The store: created with its device, emptied by rp_device_trim, gone with the device.
 *
 * Two pipelines are one when all that the driver is given is equal: the SPIR-V, taken as equal by
 * its size and 128 bits of hash, since keeping all words of all kernels would cost more memory than
 * most drivers' pipelines; entry, specialisation and layout, which are compared. What nobody uses
 * stays: an application that goes from plan to plan and back would pay for it again, and an idle
 * pipeline is some kilobytes. */
#include "pipeline/store.h"

#include <time.h>
#include <unistd.h>

/* ---- Finding --------------------------------------------------------------------------------- */

static bool is_of(const rp_shared_pipeline *p, const rp_kernel_desc *kernel, rp_hash128 words_hash,
                  const rp_layout *layout) {
    return p->words_hash.low == words_hash.low && p->words_hash.high == words_hash.high &&
           p->word_count == kernel->word_count && p->layout == layout &&
           p->spec_count == kernel->spec_count &&
           (p->spec_count == 0 ||
            memcmp(p->specs, kernel->specs, p->spec_count * sizeof *p->specs) == 0) &&
           strcmp(p->entry, kernel->entry) == 0;
}

/* One block with everything that it needs to be created but the words. NULL without memory. */
static rp_shared_pipeline *describe(const rp_allocator *a, const rp_kernel_desc *kernel,
                                    rp_hash128 words_hash, rp_layout *layout) {
    size_t entry_size = strlen(kernel->entry) + 1, name_size = strlen(kernel->name) + 1;
    rp_shared_pipeline *p;
    VkSpecializationMapEntry *entries;
    rp_plan_spec *specs;
    size_t spec_bytes = kernel->spec_count * (sizeof *entries + sizeof *specs);
    p = rp_alloc_zero(a, 1, sizeof *p + spec_bytes + entry_size + name_size);
    if (!p) return NULL;
    entries = (VkSpecializationMapEntry *)(p + 1);
    specs = (rp_plan_spec *)(entries + kernel->spec_count);
    char *entry = (char *)(specs + kernel->spec_count), *name = entry + entry_size;
    for (uint32_t i = 0; i < kernel->spec_count; i++) {
        specs[i] = kernel->specs[i];
        entries[i] = (VkSpecializationMapEntry){
            .constantID = specs[i].id,
            .offset = (uint32_t)(i * sizeof *specs + offsetof(rp_plan_spec, value)),
            .size = specs[i].bytes, /* the low ones come first */
        };
    }
    memcpy(entry, kernel->entry, entry_size);
    memcpy(name, kernel->name, name_size);
    p->words_hash = words_hash;
    p->word_count = kernel->word_count;
    p->spec_count = kernel->spec_count;
    p->layout = layout;
    p->spec_entries = entries;
    p->specs = specs;
    p->entry = entry;
    p->name = name;
    return p;
}

rp_status rp_store_find(rp_store *store, const rp_kernel_desc *kernel, rp_hash128 words_hash,
                        rp_diags *diags, rp_shared_pipeline **out) {
    rp_layout *layout;
    *out = NULL;
    pthread_mutex_lock(&store->mutex);
    rp_status status = rp_layout_find(store, kernel, diags, &layout);
    if (status == RP_OK) {
        rp_shared_pipeline **bucket = &store->buckets[words_hash.low % RP_PIPELINE_BUCKETS];
        rp_shared_pipeline *p = *bucket;
        while (p && !is_of(p, kernel, words_hash, layout)) p = p->chain;
        if (p) {
            layout->users--; /* as a user of it the pipeline is counted already */
        } else if ((p = describe(&store->device->allocator, kernel, words_hash, layout))) {
            p->chain = *bucket;
            *bucket = p;
        } else {
            layout->users--;
            status = RP_ERROR_NO_MEMORY;
        }
        if (p) p->users++, p->wanted++;
        *out = p;
    }
    pthread_mutex_unlock(&store->mutex);
    return status;
}

/* ---- Life ------------------------------------------------------------------------------------ */

/* How many threads the device may start. The thread that waits for pipelines creates some too. An
 * application's own allocator is called on its own threads only, unless it says otherwise. */
static uint32_t limit_threads(const rp_allocator *a, int32_t wanted) {
    if (wanted < 0 || (wanted == 0 && !rp_allocator_is_default(a))) return 0;
    long count = wanted ? wanted : sysconf(_SC_NPROCESSORS_ONLN) - 1;
    if (count < 1) count = 1;
    return count > RP_MAX_PIPELINE_THREADS ? RP_MAX_PIPELINE_THREADS : (uint32_t)count;
}

static bool init_done(pthread_cond_t *done) {
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) return false;
    bool good = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(done, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return good;
}

rp_store *rp_store_create(rp_device *device, int32_t threads) {
    rp_store *store = rp_alloc_zero(&device->allocator, 1, sizeof *store);
    if (!store) return NULL;
    store->device = device;
    store->thread_limit = limit_threads(&device->allocator, threads);
    bool mutex = pthread_mutex_init(&store->mutex, NULL) == 0;
    bool work = pthread_cond_init(&store->work, NULL) == 0, done = init_done(&store->done);
    if (mutex && work && done) return store;
    if (mutex) pthread_mutex_destroy(&store->mutex);
    if (work) pthread_cond_destroy(&store->work);
    if (done) pthread_cond_destroy(&store->done);
    rp_release(&device->allocator, store);
    return NULL;
}

static void trim(rp_store *store) {
    rp_device *device = store->device;
    for (uint32_t i = 0; i < RP_PIPELINE_BUCKETS; i++)
        for (rp_shared_pipeline **at = &store->buckets[i]; *at;) {
            rp_shared_pipeline *p = *at;
            if (p->users || p->state == RP_CREATION_RUNNING) {
                at = &p->chain;
                continue;
            }
            device->vk.DestroyPipeline(device->handle, p->handle, NULL);
            p->layout->users--;
            *at = p->chain;
            rp_release(&device->allocator, p);
        }
    rp_layouts_trim(store);
}

void rp_store_destroy(rp_store *store) {
    if (!store) return;
    rp_device *device = store->device;
    rp_jobs_stop(store);
    trim(store);
    pthread_cond_destroy(&store->work);
    pthread_cond_destroy(&store->done);
    pthread_mutex_destroy(&store->mutex);
    rp_release(&device->allocator, store);
}

void rp_device_trim(rp_device *device) {
    if (!device) return;
    rp_store *store = device->store;
    pthread_mutex_lock(&store->mutex);
    trim(store);
    pthread_mutex_unlock(&store->mutex);
}
