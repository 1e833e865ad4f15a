/* Who creates pipelines, and when: three queues, threads that take the most urgent one, and whoever
 * waits for one that nobody has begun, who does it.
 *
 * Threads are started when there is more to do than idle ones, and stay until the device goes.
 * Without threads all is done by those who wait. What a thread needs of a pipeline is its own
 * (store.h), so that neither the plan nor the one who asked has to stay; the one who asked first
 * pays for it: with his pipeline cache, which is written when the last on his account is settled. */
#include "pipeline/store.h"

static rp_pipeline_queue *queue_of(rp_store *store, const rp_shared_pipeline *pipeline) {
    return &store->queues[pipeline->priority - RP_PIPELINE_RARE];
}

static void enqueue(rp_store *store, rp_shared_pipeline *pipeline) {
    rp_pipeline_queue *queue = queue_of(store, pipeline);
    pipeline->before = queue->last;
    pipeline->next = NULL;
    *(queue->last ? &queue->last->next : &queue->first) = pipeline;
    queue->last = pipeline;
    store->queued++;
}

static void dequeue(rp_store *store, rp_shared_pipeline *pipeline) {
    rp_pipeline_queue *queue = queue_of(store, pipeline);
    *(pipeline->before ? &pipeline->before->next : &queue->first) = pipeline->next;
    *(pipeline->next ? &pipeline->next->before : &queue->last) = pipeline->before;
    store->queued--;
}

static rp_shared_pipeline *most_urgent(const rp_store *store) {
    for (uint32_t i = RP_PRIORITIES; i--;)
        if (store->queues[i].first) return store->queues[i].first;
    return NULL;
}

/* ---- Threads --------------------------------------------------------------------------------- */

static void *work(void *data) {
    rp_store *store = data;
    pthread_mutex_lock(&store->mutex);
    while (!store->stopping) {
        rp_shared_pipeline *pipeline = most_urgent(store);
        if (pipeline) {
            rp_jobs_run(store, pipeline);
            continue;
        }
        store->idle_threads++;
        pthread_cond_wait(&store->work, &store->mutex);
        store->idle_threads--;
    }
    pthread_mutex_unlock(&store->mutex);
    return NULL;
}

/* That a thread cannot be started is no failure: others do its work, or those who wait. */
static void call_thread(rp_store *store) {
    if (store->idle_threads) pthread_cond_signal(&store->work);
    if (store->idle_threads >= store->queued || store->thread_count == store->thread_limit) return;
    if (pthread_create(&store->threads[store->thread_count], NULL, work, store) == 0)
        store->thread_count++;
}

void rp_jobs_stop(rp_store *store) {
    pthread_mutex_lock(&store->mutex);
    store->stopping = true;
    pthread_cond_broadcast(&store->work);
    pthread_mutex_unlock(&store->mutex);
    for (uint32_t i = 0; i < store->thread_count; i++) pthread_join(store->threads[i], NULL);
}

/* ---- Pipelines ------------------------------------------------------------------------------- */

void rp_jobs_add(rp_store *store, rp_shared_pipeline *pipeline, rp_preparation *payer,
                 uint32_t *words, rp_pipeline_priority priority) {
    pipeline->state = RP_CREATION_QUEUED;
    pipeline->priority = priority;
    pipeline->payer = payer;
    pipeline->words = words;
    payer->unsettled++;
    enqueue(store, pipeline);
    call_thread(store);
}

void rp_jobs_raise(rp_store *store, rp_shared_pipeline *pipeline, rp_pipeline_priority priority) {
    if (pipeline->state != RP_CREATION_QUEUED || pipeline->priority >= priority) return;
    dequeue(store, pipeline);
    pipeline->priority = priority;
    enqueue(store, pipeline);
}

/* Ends what is done or dropped. */
static void settle(rp_store *store, rp_shared_pipeline *pipeline, rp_creation state) {
    rp_preparation *payer = pipeline->payer;
    rp_release(&store->device->allocator, pipeline->words);
    pipeline->words = NULL;
    pipeline->payer = NULL;
    pipeline->state = state;
    pthread_cond_broadcast(&store->done);
    rp_preparation_settle(payer, state == RP_CREATION_READY);
}

void rp_jobs_drop(rp_store *store, rp_shared_pipeline *pipeline) {
    dequeue(store, pipeline);
    settle(store, pipeline, RP_CREATION_ABSENT);
}

void rp_jobs_run(rp_store *store, rp_shared_pipeline *pipeline) {
    dequeue(store, pipeline);
    pipeline->state = RP_CREATION_RUNNING;
    VkPipelineCache cache = rp_preparation_open_cache(pipeline->payer);
    pthread_mutex_unlock(&store->mutex);
    rp_pipeline_create(store->device, pipeline, cache);
    pthread_mutex_lock(&store->mutex);
    settle(store, pipeline, pipeline->result < 0 ? RP_CREATION_FAILED : RP_CREATION_READY);
}
