/* Several kernels at once: the modules of a pipeline do not depend on each other, and shaderc takes
 * most of the time that reading a pipeline takes.
 *
 * Threads take the next job until none is left. Each job has its own diagnostics, which the caller
 * reads in the order of the jobs, so that neither modules nor messages depend on what ran when. An
 * application's own allocator is only called on the thread that called the library, hence one
 * thread; so it is where no more can be started. */
#include "kernel/kernel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { MAX_THREADS = 16 };

typedef struct batch {
    const rp_allocator *allocator;
    rp_kernel_job *jobs;
    uint32_t count;
    atomic_uint next, done;
    rp_kernel_tell *tell; /* on the calling thread alone */
    void *user;
} batch;

static void do_jobs(batch *b, bool calling_thread) {
    for (uint32_t i; (i = atomic_fetch_add(&b->next, 1)) < b->count;) {
        rp_kernel_job *job = &b->jobs[i];
        if (job->status == RP_OK)
            job->status = rp_kernel_build(b->allocator, &job->params, job->diags, job->place.file,
                                          job->place.line, job->place.column, &job->module);
        uint32_t done = atomic_fetch_add(&b->done, 1) + 1;
        if (calling_thread && b->tell) b->tell(b->user, done, b->count);
    }
}

static void *help(void *data) {
    do_jobs(data, false);
    return NULL;
}

/* How many threads to start beside the calling one. */
static uint32_t count_helpers(const batch *b) {
    if (!rp_allocator_is_default(b->allocator) || b->count < 2) return 0;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t threads = cores < 1 ? 1 : cores > MAX_THREADS ? MAX_THREADS : (uint32_t)cores;
    return (threads < b->count ? threads : b->count) - 1;
}

void rp_kernel_build_all(const rp_allocator *allocator, rp_kernel_job *jobs, uint32_t count,
                         rp_kernel_tell *tell, void *user) {
    batch b = {.allocator = allocator, .jobs = jobs, .count = count, .tell = tell, .user = user};
    pthread_t threads[MAX_THREADS];
    uint32_t wanted = count_helpers(&b), started = 0;
    while (started < wanted && pthread_create(&threads[started], NULL, help, &b) == 0) started++;
    do_jobs(&b, true);
    for (uint32_t i = 0; i < started; i++) pthread_join(threads[i], NULL);
}
