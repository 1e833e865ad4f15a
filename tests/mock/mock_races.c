/* Looking for races among the commands that were submitted, in the plainest way: every access is kept
 * with what has been ordered behind it since, until its bytes are overwritten, and compared with every
 * access that comes. It knows nothing of plans: ranges are bytes of memory, and what a barrier says is
 * taken from the masks. */
#include "mock_objects.h"

#include <stdio.h>
#include <stdlib.h>

uint32_t mock_barriers, mock_skip_barrier;

/* Stage and access of each scope. */
static const struct {
    uint32_t scope;
    uint64_t stage, access;
} scopes[] = {
    {MOCK_INDIRECT_R, VK_PIPELINE_STAGE_2_DRAW_INDIRECT_BIT, VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT},
    {MOCK_COMPUTE_U, VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT, VK_ACCESS_2_UNIFORM_READ_BIT},
    {MOCK_COMPUTE_R, VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT, VK_ACCESS_2_SHADER_STORAGE_READ_BIT},
    {MOCK_COMPUTE_W, VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT, VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT},
    {MOCK_TRANSFER_R, VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT, VK_ACCESS_2_TRANSFER_READ_BIT},
    {MOCK_TRANSFER_W, VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT, VK_ACCESS_2_TRANSFER_WRITE_BIT},
    {MOCK_HOST_R, VK_PIPELINE_STAGE_2_HOST_BIT, VK_ACCESS_2_HOST_READ_BIT},
};
enum { SCOPES = sizeof scopes / sizeof *scopes, WRITES = MOCK_COMPUTE_W | MOCK_TRANSFER_W };

static uint32_t of_stages(uint64_t stages) {
    uint32_t found = 0;
    if (stages & VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT) found = MOCK_HOST_R - 1;
    for (uint32_t i = 0; i < SCOPES; i++)
        if (stages & scopes[i].stage) found |= scopes[i].scope;
    return found;
}

/* The scopes of those stages whose access is named. */
static uint32_t of_masks(uint64_t stages, uint64_t access) {
    uint32_t found = 0, all = of_stages(stages);
    for (uint32_t i = 0; i < SCOPES; i++) {
        uint64_t any =
            scopes[i].scope & WRITES ? VK_ACCESS_2_MEMORY_WRITE_BIT : VK_ACCESS_2_MEMORY_READ_BIT;
        if (access & (scopes[i].access | any)) found |= scopes[i].scope & all;
    }
    return found;
}

/* ---- What was accessed ----------------------------------------------------------------------- */

typedef struct seen {
    const mock_memory *memory;
    uint64_t lo, hi;
    uint32_t scope; /* one bit */
    uint32_t after; /* scopes that execute behind it */
    uint32_t chain; /* those of them that have, so that what is ordered behind them is behind it */
    bool available; /* a write: to the device, from where barriers make it visible */
    uint32_t visible; /* scopes that it is visible to */
    uint64_t batch, command;
} seen;

static seen *list;
static uint32_t count, capacity;

void mock_race_forget(const mock_memory *memory) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count && memory; i++)
        if (list[i].memory != memory) list[kept++] = list[i];
    count = kept;
    if (memory) return;
    free(list);
    list = NULL;
    capacity = 0;
}

/* The scopes of the stages of a set of scopes. */
static uint32_t whole_stages(uint32_t some) {
    uint64_t stages = 0;
    for (uint32_t i = 0; i < SCOPES; i++)
        if (some & scopes[i].scope) stages |= scopes[i].stage;
    return of_stages(stages);
}

/* Scopes `after` execute behind what batches did in the stages of `src`; what they wrote in scopes
 * `available` becomes available, and with what is already, visible to `visible`. */
static void pass(uint64_t until_batch, uint32_t src, uint32_t available, uint32_t after,
                 uint32_t visible) {
    for (uint32_t i = 0; i < count; i++) {
        if (list[i].batch > until_batch || !((list[i].scope | list[i].chain) & src)) continue;
        list[i].after |= after;
        list[i].available |= (list[i].scope & available) != 0;
        if (list[i].available) list[i].visible |= visible;
    }
}

/* A command of that scope has come. */
static void chain(uint32_t scope) {
    uint32_t stage = whole_stages(scope);
    for (uint32_t i = 0; i < count; i++)
        if (list[i].after & stage) list[i].chain |= stage;
}

void mock_race_wait(uint64_t signalled, uint64_t signal_stages, uint64_t wait_stages) {
    uint32_t src = of_stages(signal_stages), dst = of_stages(wait_stages);
    pass(signalled, src, src, dst, dst);
}

static void complain(const seen *a, const seen *b) {
    static char text[200];
    if (mock.mistake) return;
    snprintf(
        text, sizeof text,
        "a race: bytes %llu to %llu, by scope %u in command %llu of batch %llu and by scope %u "
        "in command %llu of batch %llu",
        (unsigned long long)(a->lo > b->lo ? a->lo : b->lo),
        (unsigned long long)(a->hi < b->hi ? a->hi : b->hi) - 1, a->scope,
        (unsigned long long)a->command, (unsigned long long)a->batch, b->scope,
        (unsigned long long)b->command, (unsigned long long)b->batch);
    mock_wrong(text);
}

static void keep(seen access) {
    if (count == capacity) {
        capacity = capacity * 2 + 64;
        list = realloc(list, capacity * sizeof *list);
        if (!list) abort();
    }
    list[count++] = access;
}

/* Compares an access with those before, and keeps it. Behind a write nobody has to do with what was
 * there before: it is ordered behind that, and others behind it. */
static void add(const seen *b) {
    uint32_t before = count;
    for (uint32_t i = 0; i < before; i++) {
        seen a = list[i];
        if (a.memory != b->memory || a.lo >= b->hi || b->lo >= a.hi || a.command == b->command)
            continue;
        if (!((a.scope | b->scope) & WRITES)) continue;
        if (!((a.scope & WRITES ? a.visible : a.after) & b->scope)) complain(&a, b);
        if (!(b->scope & WRITES)) continue;
        list[i].hi = a.lo < b->lo ? b->lo : a.lo; /* empty when nothing is left in front */
        if (a.hi <= b->hi) continue;
        a.lo = b->hi;
        if (list[i].lo == list[i].hi)
            list[i] = a;
        else
            keep(a);
    }
    keep(*b);
}

/* Drops what is empty. */
static void tidy(void) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++)
        if (list[i].lo < list[i].hi) list[kept++] = list[i];
    count = kept;
}

void mock_race_op(const mock_op *op, uint64_t batch, uint64_t command) {
    if (!op->buffer) {
        const VkMemoryBarrier2 *b = &op->barrier;
        if (++mock_barriers == mock_skip_barrier) return;
        pass(UINT64_MAX, of_stages(b->srcStageMask), of_masks(b->srcStageMask, b->srcAccessMask),
             of_stages(b->dstStageMask), of_masks(b->dstStageMask, b->dstAccessMask));
        return;
    }
    for (uint32_t i = 0; i < SCOPES; i++) {
        if (!(op->scopes & scopes[i].scope)) continue;
        const seen access = {.memory = op->buffer->memory,
                             .lo = op->buffer->offset + op->lo,
                             .hi = op->buffer->offset + op->hi,
                             .scope = scopes[i].scope,
                             .batch = batch,
                             .command = command};
        chain(scopes[i].scope);
        add(&access);
    }
    tidy();
}

bool mock_host_may_read(const void *bytes, uint64_t size) {
    const unsigned char *from = bytes;
    for (uint32_t i = 0; i < count; i++) {
        const unsigned char *lo = list[i].memory->data + list[i].lo;
        const unsigned char *hi = list[i].memory->data + list[i].hi;
        if ((list[i].scope & WRITES) && lo < from + size && from < hi &&
            !(list[i].visible & MOCK_HOST_R))
            return false;
    }
    return true;
}
