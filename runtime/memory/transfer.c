/* Transfers: host bytes to and from ranges of storages.
 *
 * What the host sees is copied by the host. Everything else goes through pieces of the device's
 * ring: a list of ranges is one stream of bytes that is cut into blocks as large as a piece,
 * wherever ranges end, and each block is a submission. Many small ranges are therefore one
 * submission, and a large one is many that overlap: while the GPU copies a block, the host fills
 * the next. One host thread copies slower than a bus moves bytes, so that several take blocks from
 * a large stream, unless the application's own allocator says that it watches over what we do.
 *
 * Uploads go through the queue that a device may have for them, beside replays in the other. Where
 * the GPU can copy from the host's own memory at no price (host.c), bytes do not pass through.
 *
 * The caller has made sure that nothing in flight uses the ranges, so no barrier waits for what is
 * earlier in the queue: work on other memory goes on. What was written is yet to become visible,
 * which takes a barrier without a first scope. Uploads are made visible to all that comes later, once,
 * behind the last block. */
#include "memory/transfer.h"

#include <unistd.h>
#include "base/checked.h"
#include "driver/barrier.h"
#include "memory/ring.h"

enum {
    PART_ALIGNMENT = 64,    /* of the parts in a piece */
    THREAD_BYTES = 8 << 20, /* fewer are not worth another thread */
    MAX_THREADS = 8,
    ALONE_PIECES = 4,       /* that one thread keeps in flight */
    LARGE_BYTES = 256 << 20 /* in one go, where bytes do not pass through: enough for a memcpy that
                             * leaves caches alone */
};

typedef enum job_kind { DIRECT_UPLOAD, DIRECT_DOWNLOAD, STAGED_UPLOAD, STAGED_DOWNLOAD } job_kind;

/* A place in the stream: a byte of a copy; behind the last byte {count, 0}. */
typedef struct cursor {
    uint32_t copy;
    uint64_t offset;
} cursor;

/* Some of the stream. Its parts lie in a piece from `base` on. */
typedef struct block {
    cursor begin, end;
    uint64_t base, top;
    uint64_t bytes;
    bool last; /* the stream ends with it */
} block;

/* What of a block is in one copy. */
typedef struct part {
    const rp_copy *copy;
    uint64_t offset, size; /* in the copy */
    uint64_t at;           /* in the piece */
} part;

typedef struct job {
    rp_device *device;
    rp_ring *ring; /* NULL for a direct one */
    bool beside;   /* through the queue for uploads */
    job_kind kind;
    const rp_copy *copies;
    uint32_t count;
    uint32_t threads, share; /* share: of the pieces, for each thread */
    uint64_t room;           /* of a block: a piece, or what the host copies in one go */
    const rp_copies *whole;  /* for progress */
    uint64_t before, total;  /* bytes of the whole call: of jobs before this one, of all */
    pthread_mutex_t mutex;   /* around what follows */
    cursor next;
    uint64_t moved, last; /* bytes that are done with, and the latest value of the timeline */
    rp_status status;     /* the first failure, and the call that failed or NULL */
    VkResult result;
    const char *call;
} job;

/* ---- The stream ------------------------------------------------------------------------------ */

/* The next part from a cursor on that there is room for; false when there is none. */
static bool next_part(const job *j, cursor *c, uint64_t *at, part *out) {
    uint64_t begin = (*at + PART_ALIGNMENT - 1) / PART_ALIGNMENT * PART_ALIGNMENT;
    if (c->copy == j->count || begin >= j->room) return false;
    const rp_copy *copy = &j->copies[c->copy];
    bool passes = !copy->seen.buffer;
    uint64_t left = copy->size - c->offset;
    uint64_t room = passes ? j->room - begin : LARGE_BYTES;
    if (copy->storage->image) { /* rows are not cut: a piece has room for any */
        left = rp_image_rows(&copy->storage->shape, copy->offset - RP_IMAGE_ORIGIN + c->offset,
                             left < room ? left : room);
        if (left == 0) return false;
    }
    *out = (part){copy, c->offset, left < room ? left : room, begin};
    *at = passes ? begin + out->size : j->room; /* the block ends */
    c->offset += out->size;
    if (c->offset == copy->size) *c = (cursor){c->copy + 1, 0};
    return true;
}

/* Going through the parts of a block. */
typedef struct walk {
    cursor next;
    uint64_t at;
    part part;
} walk;

static walk walk_of(const block *b) {
    return (walk){.next = b->begin, .at = b->base};
}

static bool step(const job *j, const block *b, walk *w) {
    if (w->next.copy == b->end.copy && w->next.offset == b->end.offset) return false;
    return next_part(j, &w->next, &w->at, &w->part);
}

/* Takes the next block off the stream; false when nothing is left, or something has failed. */
static bool take_block(job *j, uint64_t base, block *out) {
    pthread_mutex_lock(&j->mutex);
    *out = (block){.begin = j->next, .base = base, .top = base};
    part p;
    while (j->status == RP_OK && next_part(j, &j->next, &out->top, &p)) out->bytes += p.size;
    out->end = j->next;
    out->last = j->next.copy == j->count;
    pthread_mutex_unlock(&j->mutex);
    return out->bytes > 0;
}

static void settle(job *j, const block *b) {
    bool upload = j->kind == DIRECT_UPLOAD || j->kind == STAGED_UPLOAD;
    rp_count(&j->device->counts, upload ? RP_COUNT_bytes_up : RP_COUNT_bytes_down, b->bytes);
    pthread_mutex_lock(&j->mutex);
    j->moved += b->bytes;
    pthread_mutex_unlock(&j->mutex);
}

/* ---- Failing --------------------------------------------------------------------------------- */

/* Helpers have no diagnostics: they leave what failed to the calling thread. */
static bool check(job *j, VkResult result, const char *call) {
    if (result >= 0) return true;
    pthread_mutex_lock(&j->mutex);
    if (j->status == RP_OK) {
        j->status = rp_vk_status(result);
        j->result = result;
        j->call = call;
    }
    pthread_mutex_unlock(&j->mutex);
    return false;
}

/* Asks whether to go on; the calling thread alone. */
static bool tell(job *j) {
    if (!j->whole->progress) return true;
    pthread_mutex_lock(&j->mutex);
    uint64_t done = j->before + j->moved;
    pthread_mutex_unlock(&j->mutex);
    if (done == j->total || j->whole->progress(j->whole->user, done, j->total) == 0) return true;
    pthread_mutex_lock(&j->mutex);
    if (j->status == RP_OK) j->status = RP_ERROR_CANCELLED;
    pthread_mutex_unlock(&j->mutex);
    return false;
}

/* ---- Recording ------------------------------------------------------------------------------- */

static void barrier(job *j, const rp_piece *piece, VkPipelineStageFlags2 src_stages,
                    VkAccessFlags2 src, VkPipelineStageFlags2 dst_stages, VkAccessFlags2 dst) {
    const VkMemoryBarrier2 memory = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
        .srcStageMask = src_stages,
        .srcAccessMask = src,
        .dstStageMask = dst_stages,
        .dstAccessMask = dst,
    };
    rp_barrier_record(&j->device->vk, piece->commands, &memory);
}

/* What is known to be done is made visible: what was written to the ranges, and to the piece. */
static bool begin(job *j, const rp_piece *piece) {
    const VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                           .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    if (!check(j, j->device->vk.BeginCommandBuffer(piece->commands, &info), "vkBeginCommandBuffer"))
        return false;
    barrier(j, piece, VK_PIPELINE_STAGE_2_NONE, VK_ACCESS_2_NONE,
            VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,
            VK_ACCESS_2_TRANSFER_READ_BIT | VK_ACCESS_2_TRANSFER_WRITE_BIT);
    return true;
}

/* Where the bytes of a part are for the GPU: in the piece, or in the host's memory. */
static VkBuffer outside(const rp_piece *piece, const part *p, uint64_t *out_offset) {
    bool passes = !p->copy->seen.buffer;
    *out_offset = passes ? p->at : p->copy->seen.offset + p->offset;
    return passes ? piece->buffer->handle : p->copy->seen.buffer;
}

static void record_uploads(job *j, const rp_piece *piece, const block *b) {
    for (walk w = walk_of(b); step(j, b, &w);) {
        const part p = w.part;
        rp_copy_part record = {.copy = p.copy, .offset = p.offset, .size = p.size, .upload = true};
        record.buffer = outside(piece, &p, &record.at);
        if (!p.copy->seen.buffer)
            memcpy(piece->buffer->mapped + p.at, p.copy->host + p.offset, p.size);
        rp_copy_record(&j->device->vk, piece->commands, &record);
    }
}

/* Makes what was uploaded visible to all that comes later. */
static void close_uploads(job *j, const rp_piece *piece) {
    barrier(j, piece, VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT, VK_ACCESS_2_TRANSFER_WRITE_BIT,
            VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
            VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT);
}

static void record_downloads(job *j, const rp_piece *piece, const block *b) {
    for (walk w = walk_of(b); step(j, b, &w);) {
        const part p = w.part;
        rp_copy_part record = {.copy = p.copy, .offset = p.offset, .size = p.size};
        record.buffer = outside(piece, &p, &record.at);
        rp_copy_record(&j->device->vk, piece->commands, &record);
    }
    barrier(j, piece, VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT, VK_ACCESS_2_TRANSFER_WRITE_BIT,
            VK_PIPELINE_STAGE_2_HOST_BIT, VK_ACCESS_2_HOST_READ_BIT);
}

static bool submit(job *j, rp_piece *piece, uint64_t *out_value) {
    if (!check(j, j->device->vk.EndCommandBuffer(piece->commands), "vkEndCommandBuffer") ||
        !check(j, rp_ring_submit(j->ring, piece, out_value), "vkQueueSubmit2"))
        return false;
    pthread_mutex_lock(&j->mutex);
    if (*out_value > j->last) j->last = *out_value;
    pthread_mutex_unlock(&j->mutex);
    return true;
}

static void fetch(job *j, const rp_piece *piece, const block *b) {
    for (walk w = walk_of(b); step(j, b, &w);)
        if (!w.part.copy->seen.buffer)
            memcpy(w.part.copy->host + w.part.offset, piece->buffer->mapped + w.part.at,
                   w.part.size);
}

/* ---- Working --------------------------------------------------------------------------------- */

static bool upload_block(job *j, const block *b) {
    rp_piece *piece;
    uint64_t value = 0;
    if (!check(j, rp_ring_take(j->ring, RP_RING_WAIT, &piece), "vkWaitSemaphores")) return false;
    bool done = begin(j, piece);
    if (done) {
        record_uploads(j, piece, b);
        if (b->last && j->threads == 1) close_uploads(j, piece);
        done = submit(j, piece, &value);
    }
    rp_ring_give(j->ring, piece);
    if (done) settle(j, b);
    return done;
}

/* A block on its way to the host. */
typedef struct on_its_way {
    rp_piece *piece;
    block block;
    uint64_t value;
} on_its_way;

static bool fetch_block(job *j, const on_its_way *h) {
    bool done = check(j, rp_ring_wait(j->ring, h->value), "vkWaitSemaphores");
    if (done) {
        fetch(j, h->piece, &h->block);
        settle(j, &h->block);
    }
    rp_ring_give(j->ring, h->piece);
    return done;
}

static bool start_block(job *j, on_its_way *h) {
    if (begin(j, h->piece)) {
        record_downloads(j, h->piece, &h->block);
        if (submit(j, h->piece, &h->value)) return true;
    }
    rp_ring_give(j->ring, h->piece);
    return false;
}

/* Starts blocks as long as there are pieces, and fetches the oldest otherwise. Who holds a piece
 * never waits for another, so that two threads cannot wait for each other. */
static void download_blocks(job *j, bool caller) {
    on_its_way held[RP_MAX_PIECES], next;
    uint32_t first = 0, count = 0;
    bool more = take_block(j, 0, &next.block), going = true;
    while (going && (more || count)) {
        next.piece = NULL;
        if (more && count < j->share)
            going = check(j, rp_ring_take(j->ring, count ? RP_RING_TRY : RP_RING_WAIT, &next.piece),
                          "vkWaitSemaphores");
        if (next.piece) {
            going = start_block(j, &next);
            if (going) held[(first + count++) % RP_MAX_PIECES] = next;
            more = going && take_block(j, 0, &next.block);
        } else if (count && going) {
            going = fetch_block(j, &held[first]) && (!caller || tell(j));
            first = (first + 1) % RP_MAX_PIECES;
            count--;
        }
    }
    for (; count; count--, first = (first + 1) % RP_MAX_PIECES)
        rp_ring_give(j->ring, held[first].piece); /* free again when the GPU is done with it */
}

/* By the host alone. */
static void copy_block(const job *j, const block *b) {
    for (walk w = walk_of(b); step(j, b, &w);) {
        uint8_t *mapped = w.part.copy->mapped + w.part.offset;
        uint8_t *host = w.part.copy->host + w.part.offset;
        if (j->kind == DIRECT_UPLOAD)
            memcpy(mapped, host, w.part.size);
        else
            memcpy(host, mapped, w.part.size);
    }
}

static void work(job *j, bool caller) {
    block b;
    if (j->kind == STAGED_DOWNLOAD) {
        download_blocks(j, caller);
        return;
    }
    while (take_block(j, 0, &b)) {
        if (j->kind == STAGED_UPLOAD) {
            if (!upload_block(j, &b)) return;
        } else {
            copy_block(j, &b);
            settle(j, &b);
        }
        if (caller && !tell(j)) return;
    }
}

static void *help(void *user) {
    work(user, false);
    return NULL;
}

/* How many threads copy, the calling one among them. A software driver copies with the same cores.
 */
static uint32_t count_threads(const job *j, uint64_t bytes) {
    bool staged = j->kind == STAGED_UPLOAD || j->kind == STAGED_DOWNLOAD;
    if (!rp_allocator_is_default(&j->device->allocator) ||
        (staged && j->device->adapter.info.is_cpu))
        return 1;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t threads = cores < 1 ? 1 : (uint64_t)cores;
    if (threads > MAX_THREADS) threads = MAX_THREADS;
    if (threads > bytes / THREAD_BYTES) threads = bytes / THREAD_BYTES;
    return threads ? (uint32_t)threads : 1;
}

/* Several threads leave open which block is submitted last. */
static void close_behind_threads(job *j) {
    rp_piece *piece;
    uint64_t value = 0;
    if (!check(j, rp_ring_take(j->ring, RP_RING_WAIT, &piece), "vkWaitSemaphores")) return;
    if (begin(j, piece)) {
        close_uploads(j, piece);
        (void)submit(j, piece, &value);
    }
    rp_ring_give(j->ring, piece);
}

static uint64_t bytes_of(const rp_copy *copies, uint32_t count) {
    uint64_t bytes = 0; /* ranges of memory: their sum is far from 2^64 */
    for (uint32_t i = 0; i < count; i++) bytes += copies[i].size;
    return bytes;
}

static rp_status open_ring(job *j, uint64_t bytes, rp_diags *diags) {
    uint64_t blocks = bytes / RP_PIECE_BYTES + 1;
    uint32_t most = j->threads > 1 ? 2 * j->threads : ALONE_PIECES;
    uint32_t pieces = blocks < most ? (uint32_t)blocks : most;
    j->share = pieces / j->threads;
    return rp_ring_open(j->device, j->beside, pieces, diags, &j->ring);
}

static rp_status report(const job *j, rp_diags *diags) {
    return j->call ? rp_vk_result(j->result, j->call, diags) : j->status;
}

/* Runs a job to its end; what was submitted is in flight. */
static rp_status run(job *j, rp_diags *diags) {
    uint64_t bytes = bytes_of(j->copies, j->count);
    bool staged = j->kind == STAGED_UPLOAD || j->kind == STAGED_DOWNLOAD;
    if (bytes == 0) return RP_OK;
    j->threads = count_threads(j, bytes);
    if (staged)
        RP_TRY(open_ring(j, bytes, diags));
    else
        j->room = bytes / j->threads < LARGE_BYTES ? bytes / j->threads + 1 : LARGE_BYTES;
    pthread_t helpers[MAX_THREADS];
    uint32_t started = 0;
    while (started + 1 < j->threads && pthread_create(&helpers[started], NULL, help, j) == 0)
        started++;
    work(j, true);
    for (uint32_t i = 0; i < started; i++) pthread_join(helpers[i], NULL);
    if (j->kind == STAGED_UPLOAD && j->threads > 1 && j->status == RP_OK) close_behind_threads(j);
    return report(j, diags);
}

/* Uploads and downloads that fit into one piece: one submission. False when they do not. */
static bool run_together(job *uploads, job *downloads, rp_diags *diags, rp_status *out_status) {
    block up, down;
    if (!uploads->count || !downloads->count || uploads->beside || !take_block(uploads, 0, &up) ||
        !up.last || !take_block(downloads, up.top, &down) || !down.last) {
        uploads->next = downloads->next = (cursor){0};
        return false;
    }
    uploads->threads = 1;
    *out_status = rp_ring_open(uploads->device, false, 1, diags, &uploads->ring);
    if (*out_status != RP_OK) return true;
    job *j = uploads;
    downloads->ring = j->ring;
    on_its_way h = {.block = down};
    if (check(j, rp_ring_take(j->ring, RP_RING_WAIT, &h.piece), "vkWaitSemaphores")) {
        bool done = begin(j, h.piece);
        if (done) {
            record_uploads(j, h.piece, &up);
            close_uploads(j, h.piece);
            record_downloads(downloads, h.piece, &down);
            done = submit(j, h.piece, &h.value);
        }
        if (done && fetch_block(downloads, &h))
            settle(j, &up);
        else if (!done)
            rp_ring_give(j->ring, h.piece);
    }
    *out_status = report(j, diags);
    if (*out_status == RP_OK) *out_status = report(downloads, diags);
    return true;
}

/* ---- The whole ------------------------------------------------------------------------------- */

/* Puts what the host sees in front; returns how many. */
static uint32_t part_direct(rp_copy *copies, uint32_t count) {
    uint32_t direct = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!copies[i].mapped) continue;
        rp_copy copy = copies[i];
        copies[i] = copies[direct];
        copies[direct++] = copy;
    }
    return direct;
}

/* Waits for uploads in a queue of their own, so that what follows in the other one sees them. */
static rp_status finish_beside(job *j, rp_status status, rp_diags *diags) {
    if (!j->last) return status;
    if (status == RP_OK)
        status = rp_vk_result(rp_ring_wait(j->ring, j->last), "vkWaitSemaphores", diags);
    if (status == RP_OK)
        status = rp_vk_result(rp_ring_join(j->ring, j->last), "vkQueueSubmit2", diags);
    else
        (void)rp_ring_wait(j->ring, j->last);
    j->last = 0;
    return status;
}

/* Whether uploads may go through the queue that is there for them. A VkBuffer of the application's
 * need not be shared between the families of two queues, an image is not, and a queue for copies alone
 * may take none but whole ones. */
static bool goes_beside(const rp_device *device, const rp_copy *copies, uint32_t count) {
    uint32_t families[2];
    bool beside = device->transfer_queue != device->queue;
    bool shared = rp_device_families(device, families) == 1;
    for (uint32_t i = 0; i < count && beside; i++)
        beside = !copies[i].storage->image && (shared || !copies[i].storage->imported);
    return beside && count > 0;
}

/* Lets the GPU see the host's memory where that is of use, or no longer. */
static void see(rp_device *device, rp_copy *copies, uint32_t count, bool open) {
    for (uint32_t i = 0; i < count; i++)
        if (open && !copies[i].storage->image) /* whose texels want an alignment */
            copies[i].seen = rp_host_memory_open(device, copies[i].host, copies[i].size);
        else if (!open && copies[i].seen.buffer)
            rp_host_memory_close(device, &copies[i].seen);
}

static rp_status run_all(job jobs[4], const rp_copies *copies, rp_diags *diags) {
    rp_status status = RP_OK;
    uint64_t done = 0;
    for (uint32_t k = 0; k < 4 && status == RP_OK; k++) {
        jobs[k].before = done;
        done += bytes_of(jobs[k].copies, jobs[k].count);
        if (k == STAGED_UPLOAD &&
            run_together(&jobs[STAGED_UPLOAD], &jobs[STAGED_DOWNLOAD], diags, &status))
            break;
        status = run(&jobs[k], diags);
        if (jobs[k].beside) status = finish_beside(&jobs[k], status, diags);
    }
    /* What has failed is waited for, too: the caller may free the memory. */
    job *uploads = &jobs[STAGED_UPLOAD], *downloads = &jobs[STAGED_DOWNLOAD];
    uint64_t last = uploads->last > downloads->last ? uploads->last : downloads->last;
    rp_ring *ring = downloads->last ? downloads->ring : uploads->ring;
    if (ring && last) {
        if (status == RP_OK)
            status = rp_vk_result(rp_ring_wait(ring, last), "vkWaitSemaphores", diags);
        if (status != RP_OK) (void)rp_ring_wait(ring, last);
    }
    if (status == RP_OK && copies->progress)
        (void)copies->progress(copies->user, jobs->total, jobs->total);
    return status;
}

rp_status rp_transfer(rp_device *device, const rp_copies *copies, rp_diags *diags) {
    uint32_t up = part_direct(copies->uploads, copies->upload_count);
    uint32_t down = part_direct(copies->downloads, copies->download_count);
    const struct {
        const rp_copy *copies;
        uint32_t count;
    } lists[4] = {
        [DIRECT_UPLOAD] = {copies->uploads, up},
        [DIRECT_DOWNLOAD] = {copies->downloads, down},
        [STAGED_UPLOAD] = {copies->uploads + up, copies->upload_count - up},
        [STAGED_DOWNLOAD] = {copies->downloads + down, copies->download_count - down},
    };
    job jobs[4] = {0};
    uint64_t total = bytes_of(copies->uploads, copies->upload_count) +
                     bytes_of(copies->downloads, copies->download_count);
    rp_status status = RP_OK;
    uint32_t k = 0;
    for (; k < 4 && status == RP_OK; k++) {
        jobs[k] = (job){.device = device,
                        .kind = (job_kind)k,
                        .beside = k == STAGED_UPLOAD &&
                                  goes_beside(device, lists[k].copies, lists[k].count),
                        .copies = lists[k].copies,
                        .count = lists[k].count,
                        .room = RP_PIECE_BYTES,
                        .whole = copies,
                        .total = total};
        if (pthread_mutex_init(&jobs[k].mutex, NULL) != 0) status = RP_ERROR_NO_MEMORY;
    }
    uint32_t made = status == RP_OK ? k : k - 1;
    if (status == RP_OK) {
        see(device, copies->uploads + up, copies->upload_count - up, true);
        see(device, copies->downloads + down, copies->download_count - down, true);
        status = run_all(jobs, copies, diags);
        see(device, copies->uploads + up, copies->upload_count - up, false);
        see(device, copies->downloads + down, copies->download_count - down, false);
    }
    for (uint32_t i = 0; i < made; i++) pthread_mutex_destroy(&jobs[i].mutex);
    return status;
}
