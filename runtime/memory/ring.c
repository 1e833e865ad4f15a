/* The ring: pieces of mapped memory, and a timeline that says which of them the GPU is done with.
 *
 * While the GPU copies from some pieces, host threads fill others; how many are in flight is what a
 * transfer can use, and they are made when a transfer asks for that many, so that a program which
 * moves a few bytes pays for one. A piece is a few megabytes: large enough that a submission costs
 * little beside its copy, small enough that the first copy begins soon.
 *
 * Values of the timeline are given out and submitted under one lock, so that it only grows. */
#include "memory/ring.h"

struct rp_ring {
    rp_device *device;
    bool beside; /* of the queue for uploads */
    pthread_mutex_t mutex;
    pthread_cond_t given; /* a piece came back */
    rp_piece pieces[RP_MAX_PIECES];
    uint32_t count;
    VkSemaphore timeline;
    uint64_t submitted, done; /* values of the timeline; done: as far as known */
    VkSemaphore joins;        /* counts joins that are done; null unless beside */
    uint64_t joined;
};

static VkResult wait_for(rp_device *device, VkSemaphore timeline, uint64_t value) {
    const VkSemaphoreWaitInfo info = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
        .semaphoreCount = 1,
        .pSemaphores = &timeline,
        .pValues = &value,
    };
    rp_count(&device->counts, RP_COUNT_waits, 1);
    return device->vk.WaitSemaphores(device->handle, &info, UINT64_MAX);
}

static rp_status create_piece(const rp_ring *ring, rp_piece *piece, rp_diags *diags) {
    rp_device *device = ring->device;
    const rp_storage_wish wish = {
        .purpose = RP_PURPOSE_STAGING, .size = RP_PIECE_BYTES, .name = "staging"};
    RP_TRY(rp_storage_allocate(device, &wish, 1, diags, &piece->buffer));
    uint32_t family = ring->beside ? device->transfer_family : device->adapter.queue_family;
    return rp_commands_create(device, family, VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT, 1,
                              diags, &piece->pool, &piece->commands);
}

static void destroy_piece(rp_device *device, rp_piece *piece) {
    device->vk.DestroyCommandPool(device->handle, piece->pool, NULL);
    rp_storage_drop(piece->buffer);
    *piece = (rp_piece){0};
}

static void destroy(rp_device *device, rp_ring *ring) {
    if (!ring) return;
    /* Nobody waits for joins. */
    if (ring->joined) (void)wait_for(device, ring->joins, ring->joined);
    for (uint32_t i = 0; i < ring->count; i++) destroy_piece(device, &ring->pieces[i]);
    device->vk.DestroySemaphore(device->handle, ring->timeline, NULL);
    device->vk.DestroySemaphore(device->handle, ring->joins, NULL);
    pthread_cond_destroy(&ring->given);
    pthread_mutex_destroy(&ring->mutex);
    rp_release(&device->allocator, ring);
}

static rp_status create(rp_device *device, bool beside, rp_diags *diags) {
    const rp_allocator *a = &device->allocator;
    rp_ring *ring = rp_alloc_zero(a, 1, sizeof *ring);
    bool locked = ring && pthread_mutex_init(&ring->mutex, NULL) == 0;
    if (!locked || pthread_cond_init(&ring->given, NULL) != 0) {
        if (locked) pthread_mutex_destroy(&ring->mutex);
        rp_release(a, ring);
        return RP_ERROR_NO_MEMORY;
    }
    ring->device = device;
    ring->beside = beside;
    rp_status status = rp_timeline_create(device, diags, &ring->timeline);
    if (status == RP_OK && beside) status = rp_timeline_create(device, diags, &ring->joins);
    if (status == RP_OK)
        device->rings[beside] = ring;
    else
        destroy(device, ring);
    return status;
}

rp_status rp_ring_open(rp_device *device, bool beside, uint32_t pieces, rp_diags *diags,
                       rp_ring **out) {
    pthread_mutex_lock(&device->ring_mutex);
    rp_status status = device->rings[beside] ? RP_OK : create(device, beside, diags);
    rp_ring *ring = *out = device->rings[beside];
    pthread_mutex_unlock(&device->ring_mutex);
    RP_TRY(status);
    if (pieces > RP_MAX_PIECES) pieces = RP_MAX_PIECES;
    pthread_mutex_lock(&ring->mutex);
    while (status == RP_OK && ring->count < pieces) {
        rp_piece *piece = &ring->pieces[ring->count];
        status = create_piece(ring, piece, diags);
        if (status == RP_OK)
            ring->count++;
        else
            destroy_piece(device, piece);
    }
    pthread_mutex_unlock(&ring->mutex);
    return status;
}

VkResult rp_ring_wait(rp_ring *ring, uint64_t value) {
    rp_device *device = ring->device;
    pthread_mutex_lock(&ring->mutex);
    bool done = value <= ring->done;
    pthread_mutex_unlock(&ring->mutex);
    if (done) return VK_SUCCESS;
    VkResult result = wait_for(device, ring->timeline, value);
    pthread_mutex_lock(&ring->mutex);
    if (result == VK_SUCCESS && ring->done < value) ring->done = value;
    pthread_mutex_unlock(&ring->mutex);
    return result;
}

/* The free piece that the GPU is done with first; NULL when all are taken. */
static rp_piece *soonest(rp_ring *ring) {
    rp_piece *best = NULL;
    for (uint32_t i = 0; i < ring->count; i++) {
        rp_piece *piece = &ring->pieces[i];
        if (!piece->taken && (!best || piece->until < best->until)) best = piece;
    }
    return best;
}

VkResult rp_ring_take(rp_ring *ring, rp_ring_mode mode, rp_piece **out) {
    rp_device *device = ring->device;
    VkResult result = VK_SUCCESS;
    *out = NULL;
    pthread_mutex_lock(&ring->mutex);
    rp_piece *piece = soonest(ring);
    for (; !piece && mode == RP_RING_WAIT; piece = soonest(ring))
        pthread_cond_wait(&ring->given, &ring->mutex);
    if (piece && piece->until > ring->done && mode == RP_RING_TRY) {
        uint64_t value;
        result = device->vk.GetSemaphoreCounterValue(device->handle, ring->timeline, &value);
        /* A lost device may report any value. */
        if (result == VK_SUCCESS && value > ring->done && value <= ring->submitted)
            ring->done = value;
        if (result != VK_SUCCESS || piece->until > ring->done) piece = NULL;
    }
    if (piece) piece->taken = true;
    uint64_t until = piece ? piece->until : 0;
    pthread_mutex_unlock(&ring->mutex);
    if (piece) result = rp_ring_wait(ring, until);
    if (piece && result != VK_SUCCESS) {
        rp_ring_give(ring, piece);
        piece = NULL;
    }
    *out = piece;
    return result;
}

void rp_ring_give(rp_ring *ring, rp_piece *piece) {
    pthread_mutex_lock(&ring->mutex);
    piece->taken = false;
    pthread_cond_signal(&ring->given);
    pthread_mutex_unlock(&ring->mutex);
}

VkResult rp_ring_submit(rp_ring *ring, rp_piece *piece, uint64_t *out_value) {
    pthread_mutex_lock(&ring->mutex);
    VkResult result = rp_commands_submit(ring->device, ring->beside, piece->commands,
                                         ring->timeline, ring->submitted + 1);
    if (result == VK_SUCCESS) {
        *out_value = piece->until = ++ring->submitted;
        rp_count(&ring->device->counts, RP_COUNT_submissions, 1);
    }
    pthread_mutex_unlock(&ring->mutex);
    return result;
}

VkResult rp_ring_join(rp_ring *ring, uint64_t value) {
    /* A wait's second scope is all that comes later in the queue, not its own batch alone. */
    const VkSemaphoreSubmitInfo wait = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
        .semaphore = ring->timeline,
        .value = value,
        .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
    };
    pthread_mutex_lock(&ring->mutex);
    const VkSemaphoreSubmitInfo signal = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
        .semaphore = ring->joins,
        .value = ring->joined + 1,
        .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
    };
    const VkSubmitInfo2 submit = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
        .waitSemaphoreInfoCount = 1,
        .pWaitSemaphoreInfos = &wait,
        .signalSemaphoreInfoCount = 1,
        .pSignalSemaphoreInfos = &signal,
    };
    VkResult result = rp_queue_submit(ring->device, 1, &submit);
    if (result == VK_SUCCESS) {
        ring->joined++;
        rp_count(&ring->device->counts, RP_COUNT_submissions, 1);
    }
    pthread_mutex_unlock(&ring->mutex);
    return result;
}

void rp_ring_free(rp_device *device) {
    if (device->rings[0] || device->rings[1]) rp_queues_settle(device);
    for (uint32_t i = 0; i < 2; i++) {
        destroy(device, device->rings[i]);
        device->rings[i] = NULL;
    }
}
