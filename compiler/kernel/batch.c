/* Several kernels at once: the modules of a pipeline do not depend on each other, and shaderc takes
 * most of the time that reading a pipeline takes.
 *
 * Threads take the next job until none is left. Each job has its own diagnostics, which the caller
 * reads in the order of the jobs, so that neither modules nor messages depend on what ran when. Who
 * wants to be told how far it is, is told in time however long one kernel takes: the calling thread
 * then only watches. An application's own allocator is only called on the thread that called the
 * library, hence one thread; so it is where no more can be started. */
#include "kernel/kernel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { MAX_THREADS = 16, TELL_NANOSECONDS = 200 * 1000 * 1000 };

typedef struct batch {
    const rp_allocator *allocator;
    rp_kernel_job *jobs;
    uint32_t count;
    atomic_uint next;
    rp_kernel_tell *tell; /* on the calling thread alone */
    void *user;
    pthread_mutex_t mutex; /* guards `done` */
    pthread_cond_t finished;
    uint32_t done;
} batch;

static void do_jobs(batch *b, rp_kernel_tell *tell) {
    for (uint32_t i; (i = atomic_fetch_add(&b->next, 1)) < b->count;) {
        rp_kernel_job *job = &b->jobs[i];
        if (job->status == RP_OK)
            job->status = rp_kernel_build(b->allocator, &job->params, job->diags, job->place.file,
                                          job->place.line, job->place.column, &job->module);
        pthread_mutex_lock(&b->mutex);
        uint32_t done = ++b->done;
        pthread_cond_signal(&b->finished);
        pthread_mutex_unlock(&b->mutex);
        if (tell) tell(b->user, done, b->count);
    }
}

static void *help(void *data) {
    do_jobs(data, NULL);
    return NULL;
}

/* Tells until all is done: whenever a job ends, and now and then. */
static void watch(batch *b) {
    pthread_mutex_lock(&b->mutex);
    for (uint32_t done = 0; done < b->count; done = b->done) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += TELL_NANOSECONDS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&b->finished, &b->mutex, &until);
        uint32_t now = b->done;
        pthread_mutex_unlock(&b->mutex);
        b->tell(b->user, now, b->count);
        pthread_mutex_lock(&b->mutex);
    }
    pthread_mutex_unlock(&b->mutex);
}

/* How many threads to start beside the calling one, which works too unless it watches. */
static uint32_t count_helpers(const batch *b) {
    if (!rp_allocator_is_default(b->allocator) || b->count == 0) return 0;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t threads = cores < 1 ? 1 : cores > MAX_THREADS ? MAX_THREADS : (uint32_t)cores;
    if (threads > b->count) threads = b->count;
    return b->tell ? threads : threads - 1;
}

void rp_kernel_build_all(const rp_allocator *allocator, rp_kernel_job *jobs, uint32_t count,
                         rp_kernel_tell *tell, void *user) {
    batch b = {.allocator = allocator,
               .jobs = jobs,
               .count = count,
               .tell = tell,
               .user = user,
               .mutex = PTHREAD_MUTEX_INITIALIZER,
               .finished = PTHREAD_COND_INITIALIZER};
    pthread_t threads[MAX_THREADS];
    uint32_t wanted = count_helpers(&b), started = 0;
    while (started < wanted && pthread_create(&threads[started], NULL, help, &b) == 0) started++;
    if (tell && started)
        watch(&b);
    else
        do_jobs(&b, tell);
    for (uint32_t i = 0; i < started; i++) pthread_join(threads[i], NULL);
    pthread_cond_destroy(&b.finished);
    pthread_mutex_destroy(&b.mutex);
}
