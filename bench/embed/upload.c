/* Uploading: how near to memcpy's speed, and to that of the same by hand. */
#include <stdlib.h>
#include <string.h>

#include "embed.h"

enum { SLOTS = 4 }; /* of the staging buffer */
static const uint64_t SLOT_BYTES = 16 << 20;

typedef struct upload_state {
    uint64_t bytes;
    uint8_t *source, *copy;
    plain_buffer target, staging;
    VkCommandBuffer commands[SLOTS];
    VkSemaphore timeline;
    uint64_t value, used_until[SLOTS];
    rp_storage *own, *unseen; /* unseen: `target`, as if the host could not see it */
} upload_state;

static int run_memcpy(bench *b, void *state) {
    upload_state *s = state;
    (void)b;
    memcpy(s->copy, s->source, s->bytes);
    return 0;
}

/* Piece by piece through the staging buffer; without a source, whatever lies there. */
static int stage(bench *b, upload_state *s, const uint8_t *source) {
    for (uint64_t done = 0, piece, i = 0; done < s->bytes; done += piece, i++) {
        uint32_t slot = i % SLOTS;
        piece = s->bytes - done < SLOT_BYTES ? s->bytes - done : SLOT_BYTES;
        TRY(plain_wait(&b->plain, s->timeline, s->used_until[slot]));
        if (source) memcpy(s->staging.mapped + slot * SLOT_BYTES, source + done, piece);
        const VkBufferCopy region = {
            .srcOffset = slot * SLOT_BYTES, .dstOffset = done, .size = piece};
        TRY(plain_begin(s->commands[slot], VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT));
        vk.CmdCopyBuffer(s->commands[slot], s->staging.handle, s->target.handle, 1, &region);
        TRY(vk.EndCommandBuffer(s->commands[slot]));
        TRY(plain_submit(&b->plain, s->commands[slot], s->timeline, ++s->value));
        s->used_until[slot] = s->value;
    }
    return plain_wait(&b->plain, s->timeline, s->value);
}

static int run_staging(bench *b, void *state) {
    return stage(b, state, ((upload_state *)state)->source);
}
static int run_copies(bench *b, void *state) {
    return stage(b, state, NULL);
}
static int run_storage(bench *b, void *state) {
    upload_state *s = state;
    return rp_storage_write(s->own, 0, s->source, s->bytes, b->diags);
}
static int run_unseen(bench *b, void *state) {
    upload_state *s = state;
    return rp_storage_write(s->unseen, 0, s->source, s->bytes, b->diags);
}

static int open_upload(bench *b, upload_state *s) {
    const plain *p = &b->plain;
    *s = (upload_state){.bytes = b->upload_bytes};
    s->source = malloc(s->bytes);
    s->copy = malloc(s->bytes);
    if (!s->source || !s->copy) return -1;
    for (uint64_t i = 0; i < s->bytes; i++) s->source[i] = (uint8_t)(i * 7 + i / 4096);
    memset(s->copy, 1, s->bytes); /* the pages are there */
    TRY(plain_buffer_create(p, s->bytes, PLAIN_DEVICE, &s->target));
    TRY(plain_buffer_create(p, SLOTS * SLOT_BYTES, PLAIN_UPLOAD, &s->staging));
    for (uint32_t i = 0; i < SLOTS; i++) TRY(plain_commands(p, &s->commands[i]));
    TRY(plain_timeline(p, &s->timeline));
    TRY(plain_storage(b->device, &s->target, false, b->diags, &s->unseen));
    const rp_storage_params params = {.size = sizeof params, .bytes = s->bytes};
    TRY(rp_storage_create(b->device, &params, b->diags, &s->own));
    return 0;
}

static int check_upload(bench *b, upload_state *s) {
    rp_storage *const storages[] = {s->own, s->unseen};
    for (uint32_t i = 0; i < 2; i++) {
        memset(s->copy, 0, s->bytes);
        TRY(rp_storage_read(storages[i], 0, s->copy, s->bytes, b->diags));
        if (memcmp(s->copy, s->source, s->bytes) != 0) {
            fprintf(stderr, "what was uploaded is not what is there\n");
            return -1;
        }
    }
    return 0;
}

int bench_upload(bench *b) {
    static const way ways[] = {
        {"memcpy", run_memcpy, NULL, 0},
        {"by hand: memcpy and copies, 4 x 16 MiB", run_staging, NULL, 0},
        {"the copies alone", run_copies, NULL, 0},
        {"rp_storage_write", run_storage, NULL, 0},
        {"rp_storage_write, not mapped", run_unseen, NULL, 1},
    };
    upload_state s;
    TRY(open_upload(b, &s));
    const comparison c = {"upload", ways, 5, &s, .rounds = b->rounds / 40 + 3, .bytes = s.bytes};
    TRY(compare(b, &c));
    TRY(check_upload(b, &s));
    rp_storage_release(s.own);
    rp_storage_release(s.unseen);
    plain_buffer_destroy(&b->plain, &s.target);
    plain_buffer_destroy(&b->plain, &s.staging);
    vk.DestroySemaphore(b->plain.device, s.timeline, NULL);
    free(s.source);
    free(s.copy);
    return 0;
}
