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
    {MOCK_COMPUTE_S, VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT, VK_ACCESS_2_SHADER_SAMPLED_READ_BIT},
    {MOCK_COMPUTE_W, VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT, VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT},
    {MOCK_TRANSFER_R, VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT, VK_ACCESS_2_TRANSFER_READ_BIT},
    {MOCK_TRANSFER_W, VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT, VK_ACCESS_2_TRANSFER_WRITE_BIT},
    {MOCK_HOST_R, VK_PIPELINE_STAGE_2_HOST_BIT, VK_ACCESS_2_HOST_READ_BIT},
};
enum { SCOPES = sizeof scopes / sizeof *scopes, WRITES = MOCK_COMPUTE_W | MOCK_TRANSFER_W };

static uint32_t of_stages(uint64_t stages) {
    uint32_t found = 0;
    if (stages & VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT) found = (MOCK_HOST_R - 1) | MOCK_COMPUTE_S;
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

enum { QUEUES = 4 };

/* What is ordered behind an access in one queue. */
typedef struct order {
    uint32_t after; /* scopes that execute behind it */
    uint32_t chain; /* those of them that have, so that what is ordered behind them is behind it */
    uint32_t visible; /* scopes that it is visible to */
} order;

typedef struct seen {
    const mock_memory *memory;
    uint64_t lo, hi;
    uint32_t scope; /* one bit */
    uint32_t queue;
    uint64_t batch, command;
    order in[QUEUES];
    bool available; /* a write: to the device, from where it is made visible */
    bool done;      /* the host knows, so what is submitted since executes behind it */
    bool staging;
} seen;

static const void *queues[QUEUES]; /* by number */

static uint32_t number_of(const void *queue) {
    uint32_t i = 0;
    while (i + 1 < QUEUES && queues[i] && queues[i] != queue) i++;
    queues[i] = queue;
    return i;
}

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
    for (uint32_t i = 0; i < QUEUES; i++) queues[i] = NULL;
}

/* The scopes of the stages of a set of scopes. */
static uint32_t whole_stages(uint32_t some) {
    uint64_t stages = 0;
    for (uint32_t i = 0; i < SCOPES; i++)
        if (some & scopes[i].scope) stages |= scopes[i].stage;
    return of_stages(stages);
}

/* Scopes `after` of a queue execute behind an access; it is visible to `visible`, when available. */
static void put_behind(seen *s, uint32_t queue, uint32_t after, uint32_t visible) {
    s->in[queue].after |= after;
    if (s->available) s->in[queue].visible |= visible;
}

/* A barrier orders what is in its own queue, or behind which something in its own queue is; and what
 * the host has seen end is in front of everything. */
static void pass_barrier(const VkMemoryBarrier2 *b, uint32_t queue) {
    uint32_t src = of_stages(b->srcStageMask), dst = of_stages(b->dstStageMask);
    uint32_t available = of_masks(b->srcStageMask, b->srcAccessMask);
    for (uint32_t i = 0; i < count; i++) {
        bool own = list[i].queue == queue && (list[i].scope & src);
        if (!own && !list[i].done && !(list[i].in[queue].chain & src)) continue;
        list[i].available |= own && (list[i].scope & available);
        put_behind(&list[i], queue, dst, of_masks(b->dstStageMask, b->dstAccessMask));
    }
}

/* A semaphore orders what came before its signal in that queue, and makes it available. */
void mock_race_wait(const mock_race_signal *signal, uint64_t wait_stages, const void *wait_queue) {
    uint32_t src = of_stages(signal->stages), dst = of_stages(wait_stages);
    uint32_t from = number_of(signal->queue), to = number_of(wait_queue);
    for (uint32_t i = 0; i < count; i++) {
        bool own = list[i].queue == from && list[i].batch <= signal->batch && (list[i].scope & src);
        if (!own && !(list[i].in[from].after & src)) continue;
        list[i].available |= own;
        put_behind(&list[i], to, dst, dst);
    }
}

/* A command of that scope has come. */
static void chain(uint32_t scope, uint32_t queue) {
    uint32_t stage = whole_stages(scope);
    for (uint32_t i = 0; i < count; i++) list[i].in[queue].chain |= list[i].in[queue].after & stage;
}

void mock_race_done(uint64_t batch, const void *queue) {
    uint32_t from = number_of(queue);
    for (uint32_t i = 0; i < count; i++)
        if (list[i].queue == from ? list[i].batch <= batch : list[i].in[from].after != 0)
            list[i].done = list[i].available = true;
}

/* Whether an access behind another has to be, and is: what is overwritten has to be over, what is
 * read has to be visible. */
static bool is_ordered(const seen *a, const seen *b) {
    bool wrote = (a->scope & WRITES) != 0, writes = (b->scope & WRITES) != 0;
    if (!wrote && !writes) return true;
    if (a->done && (writes || a->staging)) return true;
    const order *in = &a->in[b->queue];
    return ((wrote ? in->visible : in->after) & b->scope) != 0;
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
        if (!is_ordered(&a, b)) complain(&a, b);
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

/* A change of layout writes to all of its image, between the two halves of its barrier: behind what the
 * first one names, and in front of what the second does. */
static void transition(const mock_op *op, uint64_t batch, uint64_t command, uint32_t queue) {
    const VkMemoryBarrier2 *b = &op->barrier;
    uint32_t src = of_stages(b->srcStageMask),
             available = of_masks(b->srcStageMask, b->srcAccessMask);
    seen write = {.memory = op->buffer->memory,
                  .lo = op->buffer->offset + op->lo,
                  .hi = op->buffer->offset + op->hi,
                  .scope = MOCK_TRANSFER_W,
                  .queue = queue,
                  .batch = batch,
                  .command = command | UINT64_C(1) << 63,
                  .available = true};
    for (uint32_t i = 0; i < count; i++) {
        seen *a = &list[i];
        if (a->memory != write.memory || a->lo >= write.hi || write.lo >= a->hi) continue;
        bool own = a->queue == queue && (a->scope & src);
        bool over = own && (!(a->scope & WRITES) || (a->scope & available));
        if (over || a->done || (a->in[queue].chain & src))
            put_behind(a, queue, MOCK_TRANSFER_W, MOCK_TRANSFER_W),
                a->in[queue].visible |= MOCK_TRANSFER_W;
    }
    write.in[queue].after = write.in[queue].chain = of_stages(b->dstStageMask);
    write.in[queue].visible = of_masks(b->dstStageMask, b->dstAccessMask);
    add(&write);
    tidy();
}

void mock_race_op(const mock_op *op, uint64_t batch, uint64_t command, const void *queue) {
    uint32_t number = number_of(queue);
    if (op->transition) {
        transition(op, batch, command, number);
        return;
    }
    if (!op->buffer) {
        if (++mock_barriers != mock_skip_barrier) pass_barrier(&op->barrier, number);
        return;
    }
    for (uint32_t i = 0; i < SCOPES; i++) {
        if (!(op->scopes & scopes[i].scope)) continue;
        const seen access = {.memory = op->buffer->memory,
                             .lo = op->buffer->offset + op->lo,
                             .hi = op->buffer->offset + op->hi,
                             .scope = scopes[i].scope,
                             .queue = number,
                             .batch = batch,
                             .command = command,
                             .staging = op->buffer->staging};
        chain(scopes[i].scope, number);
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
            !(list[i].in[list[i].queue].visible & MOCK_HOST_R))
            return false;
    }
    return true;
}
