/* Random bindings of random plans: several execs of one device whose buffers lie in common storages. */
#ifndef RP_MOCK_SHARED_H
#define RP_MOCK_SHARED_H

#include "base/scope.h"
#include "mock_objects.h"
#include "random_plan.h"

enum { SHARED_BUFFERS = 40, SHARED_STORAGES = 2, SHARED_BYTES = 6144, SHARED_CELL = 64 };

/* Where a buffer is bound; of index RP_UNSET: the arena. */
typedef struct shared_place {
    uint32_t buffer;
    uint32_t storage; /* RP_UNSET: it is the exec's own */
    uint64_t offset, bytes;
    uint32_t scopes; /* rp_scope bits of all its uses */
    bool written;    /* by its kind */
} shared_place;

typedef struct shared_exec {
    rp_plan *plan;
    rp_exec *exec;
    shared_place places[SHARED_BUFFERS];
    uint32_t count;
} shared_exec;

typedef struct shared_device {
    rp_device *device;
    rp_storage *storages[SHARED_STORAGES];
    rp_diags *diags;
    mock_allocator memory;
} shared_device;

/* What a plan does with a buffer, found use by use. */
static inline uint32_t shared_scopes(const rp_plan *plan, uint32_t buffer) {
    uint32_t scopes = 0;
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_NODES); i++) {
        const rp_plan_node *node = &rp_plan_nodes(plan)[i];
        bool run = node->kind == RP_RUN;
        for (uint32_t j = 0; j < node->use_count; j++) {
            const rp_plan_use *use = &rp_plan_uses(plan)[node->first_use + j];
            if (use->buffer != buffer) continue;
            if (use->indirect) {
                scopes |= RP_SCOPE_INDIRECT_R;
                continue;
            }
            if (use->access == RP_UNIFORM) scopes |= RP_SCOPE_COMPUTE_U;
            if (use->access == RP_READ || use->access == RP_READ_WRITE)
                scopes |= run ? RP_SCOPE_COMPUTE_R : RP_SCOPE_TRANSFER_R;
            if (use->access == RP_WRITE || use->access == RP_READ_WRITE)
                scopes |= run ? RP_SCOPE_COMPUTE_W : RP_SCOPE_TRANSFER_W;
        }
    }
    return scopes;
}

/* The fake driver as the test wants it, after mock_reset. */
static inline void shared_open_on(shared_device *d, bool visible) {
    mock_fine_offsets();
    mock_allocator_init(&d->memory);
    d->diags = rp_diags_create(NULL);
    d->device = mock_open(&d->memory.allocator, d->diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(d->device);
    const rp_storage_params params = {
        .size = sizeof params, .bytes = SHARED_BYTES, .host_visible = visible};
    for (uint32_t i = 0; i < SHARED_STORAGES; i++)
        CU_ASSERT_EQUAL_FATAL(rp_storage_create(d->device, &params, d->diags, &d->storages[i]),
                              RP_OK);
}

static inline void shared_open(shared_device *d, bool visible) {
    mock_reset();
    shared_open_on(d, visible);
}

static inline void shared_close(shared_device *d) {
    for (uint32_t i = 0; i < SHARED_STORAGES; i++) rp_storage_release(d->storages[i]);
    CU_ASSERT_EQUAL(rp_device_destroy(d->device, d->diags), RP_OK);
    rp_diags_destroy(d->diags);
    CU_ASSERT_EQUAL(d->memory.alive, 0);
    mock_done();
}

static inline bool shared_overlap(const shared_place *a, const shared_place *b) {
    return a->storage != RP_UNSET && a->storage == b->storage && a->offset < b->offset + b->bytes &&
           b->offset < a->offset + a->bytes;
}

/* All buffers and the arena, with a random place for some; live ones only where the host sees them. */
static inline void shared_list(shared_exec *e, rp_random *r, bool visible, uint32_t percent) {
    const rp_plan_graph *graph = rp_plan_records(e->plan, RP_SECTION_GRAPH);
    uint32_t count = rp_plan_count(e->plan, RP_SECTION_BUFFERS);
    CU_ASSERT_FATAL(count < SHARED_BUFFERS);
    e->count = 0;
    for (uint32_t i = 0; i <= count; i++) {
        const rp_plan_buffer *buffer = i < count ? &rp_plan_buffers(e->plan)[i] : NULL;
        shared_place place = {.buffer = i < count ? i : RP_UNSET,
                              .storage = RP_UNSET,
                              .bytes = buffer ? buffer->size : graph->arena_bytes,
                              .scopes = buffer ? shared_scopes(e->plan, i) : 0};
        if (!buffer && graph->arena_bytes == 0) break;
        place.written = !buffer || (buffer->kind != RP_IN && buffer->kind != RP_WEIGHT);
        bool possible = visible || !buffer || buffer->kind != RP_LIVE;
        if (possible && place.bytes <= SHARED_BYTES && rp_random_percent(r, percent)) {
            uint64_t cells = (SHARED_BYTES - place.bytes) / SHARED_CELL + 1;
            /* What is only read may overlap: let it. */
            if (!place.written && cells > 6 && rp_random_percent(r, 60)) cells = 6;
            place.storage = rp_random_below(r, SHARED_STORAGES);
            place.offset = rp_random_below(r, (uint32_t)cells) * SHARED_CELL;
        }
        e->places[e->count++] = place;
    }
}

/* The arena is touched by the transients that lie in it. */
static inline void shared_arena_scopes(shared_exec *e) {
    shared_place *last = &e->places[e->count - 1];
    if (last->buffer != RP_UNSET) return;
    for (uint32_t i = 0; i + 1 < e->count; i++)
        if (rp_plan_buffers(e->plan)[e->places[i].buffer].kind == RP_TMP &&
            e->places[i].storage == RP_UNSET)
            last->scopes |= e->places[i].scopes;
}

static inline uint32_t shared_bindings(const shared_device *d, const shared_exec *e, uint32_t slot,
                                       rp_binding *out) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < e->count; i++) {
        const shared_place *p = &e->places[i];
        if (p->storage == RP_UNSET) continue;
        out[count++] = (rp_binding){
            .buffer = p->buffer == RP_UNSET
                          ? NULL
                          : rp_plan_string(e->plan, rp_plan_buffers(e->plan)[p->buffer].name),
            .storage = d->storages[p->storage],
            .offset = p->offset,
            .slot = slot};
    }
    return count;
}

/* Makes an exec of a random plan whose own buffers do not overlap, unless both are only read. */
static inline void shared_create(const shared_device *d, shared_exec *e, uint64_t seed,
                                 rp_random *r, rp_exec_params params, bool visible) {
    e->plan = mock_random_plan(seed, NULL);
    /* Live values are each slot's own. */
    shared_list(e, r, visible && params.slots < 2, 20 + rp_random_below(r, 60));
    for (uint32_t i = 0; i < e->count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (shared_overlap(&e->places[i], &e->places[k]) &&
                (e->places[i].written || e->places[k].written)) {
                e->places[i].storage = RP_UNSET;
                break;
            }
    shared_arena_scopes(e);
    rp_binding bindings[SHARED_BUFFERS];
    params.size = sizeof params;
    params.cache_path = "";
    params.bindings = bindings;
    params.binding_count = shared_bindings(d, e, RP_ALL_SLOTS, bindings);
    e->exec = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(d->device, e->plan, &params, d->diags, &e->exec), RP_OK);
}

static inline void shared_destroy(shared_exec *e) {
    rp_exec_destroy(e->exec);
    rp_plan_destroy(e->plan);
}

#endif
