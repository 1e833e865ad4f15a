/* Slots: where each buffer of a plan lies for each replay that may be in flight.
 *
 * First the application's bindings are entered, then the rest is allocated in one go, then what
 * lies where is looked at as a whole: no two names may share bytes that are written, since the
 * plan's barriers were proven for buffers that are apart. What slots share on purpose (weights,
 * state, one range bound for several slots) is one name on one range. */
#include "exec/runs.h"

#include <stdlib.h>

#include "base/checked.h"

bool rp_slots_share(const rp_exec *exec, const rp_plan_buffer *buffer) {
    return buffer->kind == RP_WEIGHT || (buffer->kind == RP_INOUT && !exec->params.state_per_slot);
}

static bool is_written(const rp_plan_buffer *buffer) {
    return buffer->kind != RP_IN && buffer->kind != RP_WEIGHT;
}

/* ---- Allocating ------------------------------------------------------------------------------ */

/* What is to be allocated, and whose place it becomes. */
typedef struct request {
    uint32_t slot, buffer; /* RP_UNSET: the arena, or the live block */
} request;

typedef struct requests {
    const rp_allocator *a;
    rp_storage_wish *wishes;
    request *of; /* by wish */
    uint32_t count, wishes_capacity, of_capacity;
    float priority;
} requests;

static bool ask(requests *r, const rp_storage_wish *wish, uint32_t slot, uint32_t buffer) {
    if (!RP_RESERVE(r->a, r->wishes, r->count, r->wishes_capacity, 1) ||
        !RP_RESERVE(r->a, r->of, r->count, r->of_capacity, 1))
        return false;
    r->wishes[r->count] = *wish;
    r->wishes[r->count].priority = r->priority;
    r->of[r->count++] = (request){slot, buffer};
    return true;
}

/* Images of an alias set share memory within a slot, unless each transient is to be seen by itself. */
static rp_storage_wish wish_of(const rp_exec *exec, uint32_t slot, uint32_t index) {
    const rp_plan_buffer *buffer = &rp_plan_buffers(exec->plan)[index];
    uint64_t sets = rp_plan_count(exec->plan, RP_SECTION_BUFFERS);
    bool shares = exec->wants[index].taken_over && !exec->params.separate_buffers;
    return (rp_storage_wish){
        .purpose = rp_plan_is_image(buffer) ? RP_PURPOSE_IMAGES
                   : buffer->kind == RP_TMP ? RP_PURPOSE_ARENA
                                            : RP_PURPOSE_BUFFERS,
        .usage = exec->wants[index].usage | (rp_plan_is_image(buffer) ? 0 : exec->runs.usage),
        .size = rp_plan_footprint(buffer, buffer->size),
        .name = rp_plan_string(exec->plan, buffer->name),
        .shape = rp_plan_image(buffer),
        .alias = shares ? 1 + slot * sets + buffer->offset : 0,
    };
}

static VkFlags live_usage(const rp_exec *exec) {
    VkFlags usage = 0;
    for (uint32_t i = 0; i < exec->plan->external_count; i++)
        if (rp_plan_buffers(exec->plan)[i].kind == RP_LIVE) usage |= exec->wants[i].usage;
    return usage;
}

static bool ask_for_slot(const rp_exec *exec, const rp_slot *slots, uint32_t s, requests *r) {
    const rp_plan *plan = exec->plan;
    const rp_plan_buffer *buffers = rp_plan_buffers(plan);
    const rp_slot *slot = &slots[s];
    if (exec->arena_bytes && !exec->params.separate_buffers && !slot->arena.storage &&
        !ask(r,
             &(rp_storage_wish){.purpose = RP_PURPOSE_ARENA,
                                .usage = rp_arena_usage(exec) | exec->runs.usage,
                                .size = exec->arena_bytes,
                                .name = "the arena"},
             s, RP_UNSET))
        return false;
    if (exec->live.size && !slot->live_block.storage &&
        !ask(r,
             &(rp_storage_wish){.purpose = RP_PURPOSE_LIVE,
                                .usage = live_usage(exec) | exec->runs.usage,
                                .size = exec->live.size,
                                .name = "the live block"},
             s, RP_UNSET))
        return false;
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_BUFFERS); i++) {
        bool wanted = buffers[i].kind != RP_LIVE && !slot->places[i].storage &&
                      (s == 0 || !rp_slots_share(exec, &buffers[i]));
        if (!wanted || (rp_plan_in_arena(&buffers[i]) && !exec->params.separate_buffers)) continue;
        const rp_storage_wish wish = wish_of(exec, s, i);
        if (!ask(r, &wish, s, i)) return false;
    }
    return true;
}

static rp_place *place_of(rp_slot *slots, const requests *r, uint32_t i) {
    rp_slot *slot = &slots[r->of[i].slot];
    if (r->of[i].buffer != RP_UNSET) return &slot->places[r->of[i].buffer];
    return r->wishes[i].purpose == RP_PURPOSE_LIVE ? &slot->live_block : &slot->arena;
}

/* What the GPU clears: not live blocks, whose host does, nor images that begin anew in each replay. */
static bool is_cleared(const rp_exec *exec, const requests *r, uint32_t i) {
    if (r->wishes[i].purpose == RP_PURPOSE_LIVE) return false;
    return r->of[i].buffer == RP_UNSET || !exec->wants[r->of[i].buffer].taken_over;
}

/* Allocates, clears, and hands the storages over. */
static rp_status serve(rp_exec *exec, rp_slot *slots, const requests *r, rp_diags *diags) {
    rp_device *device = exec->device;
    rp_storage **storages = rp_alloc_zero(r->a, r->count, sizeof *storages);
    rp_storage **cleared = rp_alloc_zero(r->a, r->count, sizeof *cleared);
    rp_status status = storages && cleared
                           ? rp_storage_allocate(device, r->wishes, r->count, diags, storages)
                           : RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < r->count && status == RP_OK; i++)
        cleared[i] = is_cleared(exec, r, i) ? storages[i] : NULL;
    if (status == RP_OK) status = rp_storage_clear(device, cleared, r->count, diags);
    for (uint32_t i = 0; i < r->count && status == RP_OK; i++) {
        if (r->wishes[i].purpose == RP_PURPOSE_LIVE)
            memset(storages[i]->mapped, 0, storages[i]->size);
        rp_place *place = place_of(slots, r, i);
        rp_place_hold(place, storages[i], 0, storages[i]->size);
        place->own = true;
    }
    for (uint32_t i = 0; storages && i < r->count; i++) rp_storage_drop(storages[i]);
    rp_release(r->a, storages);
    rp_release(r->a, cleared);
    return status;
}

static rp_status allocate(rp_exec *exec, rp_slot *slots, rp_diags *diags) {
    requests r = {.a = &exec->device->allocator, .priority = exec->params.memory_priority};
    rp_status status = RP_OK;
    for (uint32_t s = 0; s < exec->slots_count && status == RP_OK; s++)
        if (!ask_for_slot(exec, slots, s, &r)) status = RP_ERROR_NO_MEMORY;
    if (status == RP_OK && r.count) status = serve(exec, slots, &r, diags);
    rp_release(r.a, r.wishes);
    rp_release(r.a, r.of);
    return status;
}

/* Gives the places that follow from others: what slots share, transients in the arena, live buffers
 * in the live block. */
static void follow(const rp_exec *exec, rp_slot *slots, uint32_t s) {
    const rp_plan_buffer *buffers = rp_plan_buffers(exec->plan);
    rp_slot *slot = &slots[s];
    slot->live.grids = slot->live_block.mapped;
    for (uint32_t i = 0; i < rp_plan_count(exec->plan, RP_SECTION_BUFFERS); i++) {
        rp_place *place = &slot->places[i];
        bool result = buffers[i].kind == RP_OUT || buffers[i].kind == RP_INOUT;
        const rp_place *in = NULL;
        uint64_t offset = 0;
        if (rp_plan_in_arena(&buffers[i])) {
            in = &slot->arena;
            offset = buffers[i].offset;
        } else if (buffers[i].kind == RP_LIVE) {
            in = &slot->live_block;
            offset = exec->live.offsets[i];
        } else if (rp_slots_share(exec, &buffers[i])) {
            in = &slots[0].places[i];
        }
        if (!place->storage && in) {
            *place = *in;
            rp_storage_hold(place->storage);
            place->own = false;
            place->bytes = rp_plan_footprint(&buffers[i], buffers[i].size);
            place->offset += offset;
            if (place->mapped) place->mapped += offset;
        }
        if (buffers[i].kind == RP_LIVE) slot->live.mapped[i] = place->mapped;
        if (result && place->mapped) slot->results_mapped = true;
    }
}

/* Whether a transient lies where the plan puts it in the arena. */
static bool in_arena(const rp_slot *slot, const rp_plan_buffer *buffer, const rp_place *place) {
    return rp_plan_in_arena(buffer) && slot->arena.storage &&
           place->storage == slot->arena.storage &&
           place->offset == slot->arena.offset + buffer->offset;
}

static bool in_live_block(const rp_live *live, const rp_slot *slot, uint32_t index,
                          const rp_plan_buffer *buffer, const rp_place *place) {
    return buffer->kind == RP_LIVE && place->storage == slot->live_block.storage &&
           place->offset == slot->live_block.offset + live->offsets[index];
}

/* ---- Inheriting ------------------------------------------------------------------------------ */

static const rp_place *same_buffer(const rp_exec *from, const rp_slot *slot, const char *name,
                                   const rp_plan_buffer *buffer) {
    const rp_plan_buffer *buffers = rp_plan_buffers(from->plan);
    for (uint32_t i = 0; i < rp_plan_count(from->plan, RP_SECTION_BUFFERS); i++) {
        const rp_image_shape shape = rp_plan_image(buffer), has = rp_plan_image(&buffers[i]);
        if (buffers[i].kind != buffer->kind || buffers[i].size != buffer->size ||
            rp_plan_footprint(&buffers[i], buffer->size) <
                rp_plan_footprint(buffer, buffer->size) ||
            !rp_image_same(&shape, &has) ||
            strcmp(rp_plan_string(from->plan, buffers[i].name), name) != 0)
            continue;
        const rp_place *place = &slot->places[i];
        bool follows = in_arena(slot, &buffers[i], place) ||
                       in_live_block(&from->live, slot, i, &buffers[i], place);
        return follows ? NULL : place;
    }
    return NULL;
}

/* Which images share memory is a plan's own: those of another plan are made anew. */
static bool is_renewed(const rp_exec *exec, const rp_exec *from, uint32_t buffer) {
    const rp_plan_buffer *b = &rp_plan_buffers(exec->plan)[buffer];
    return b->kind == RP_TMP && rp_plan_is_image(b) && exec->plan != from->plan;
}

static void take_over(rp_place *place, const rp_place *from) {
    *place = *from;
    rp_storage_hold(place->storage);
}

rp_status rp_slots_inherit(const rp_exec *exec, rp_slot *slots, const rp_exec *from,
                           rp_diags *diags) {
    const rp_plan_buffer *buffers = rp_plan_buffers(exec->plan);
    uint32_t count = rp_plan_count(exec->plan, RP_SECTION_BUFFERS);
    bool arenas = exec->arena_bytes != 0; /* those of all slots are large enough, or none is kept */
    for (uint32_t s = 0; s < exec->slots_count; s++)
        arenas &= from->slots[s].arena.bytes >= exec->arena_bytes &&
                  !rp_storage_lacks_usage(from->slots[s].arena.storage, rp_arena_usage(exec));
    for (uint32_t s = 0; s < exec->slots_count; s++) {
        rp_slot *slot = &slots[s];
        const rp_slot *old = &from->slots[s];
        if (!slot->arena.storage && arenas) take_over(&slot->arena, &old->arena);
        if (!slot->live_block.storage && exec->live.size &&
            old->live_block.bytes >= exec->live.size &&
            !rp_storage_lacks_usage(old->live_block.storage, live_usage(exec)))
            take_over(&slot->live_block, &old->live_block);
        for (uint32_t i = 0; i < count; i++) {
            if (slot->places[i].storage || is_renewed(exec, from, i)) continue;
            const char *name = rp_plan_string(exec->plan, buffers[i].name);
            const rp_place *place = same_buffer(from, old, name, &buffers[i]);
            if (!place) continue;
            RP_TRY(rp_place_check_alignment(exec, i, place, diags));
            RP_TRY(rp_image_check_storage(exec, i, place->storage, diags));
            take_over(&slot->places[i], place);
        }
    }
    return RP_OK;
}

/* ---- What lies where ------------------------------------------------------------------------- */

static int by_place(const void *left, const void *right) {
    const rp_touch *a = left, *b = right;
    if (a->handle != b->handle) return (uintptr_t)a->handle < (uintptr_t)b->handle ? -1 : 1;
    if (a->lo != b->lo) return a->lo < b->lo ? -1 : 1;
    if (a->hi != b->hi) return a->hi < b->hi ? -1 : 1;
    return (a->buffer > b->buffer) - (a->buffer < b->buffer);
}

void rp_touches_sort(rp_touch *touches, uint32_t count) {
    qsort(touches, count, sizeof *touches, by_place);
}

static void add_touch(rp_slot *slot, const rp_place *place, uint64_t offset, uint64_t bytes,
                      uint32_t buffer, uint32_t scopes) {
    uint64_t lo = place->offset + offset;
    slot->touches[slot->touches_count++] =
        (rp_touch){place->handle, lo, lo + bytes, buffer, scopes};
}

/* Lists the memory that a slot's replay touches: buffers, the arena as a whole, and the grids. */
static rp_status list_touches(const rp_exec *exec, rp_slot *slot) {
    const rp_plan *plan = exec->plan;
    const rp_plan_buffer *buffers = rp_plan_buffers(plan);
    uint32_t count = rp_plan_count(plan, RP_SECTION_BUFFERS), arena_scopes = 0;
    for (uint32_t i = 0; i < exec->part_count; i++) arena_scopes |= rp_arena_scopes(exec->parts[i]);
    rp_release(&exec->device->allocator, slot->touches);
    slot->touches = rp_alloc(&exec->device->allocator, count + 2, sizeof *slot->touches);
    if (!slot->touches) return RP_ERROR_NO_MEMORY;
    slot->touches_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const rp_place *place = &slot->places[i];
        if (in_arena(slot, &buffers[i], place))
            arena_scopes |= exec->scopes[i];
        else
            add_touch(slot, place, 0, rp_plan_footprint(&buffers[i], buffers[i].size), i,
                      exec->scopes[i]);
    }
    if (slot->arena.storage)
        add_touch(slot, &slot->arena, 0, exec->arena_bytes, RP_TOUCH_ARENA, arena_scopes);
    if (exec->live.grids_count) {
        uint64_t grids = exec->live.grids->offset; /* behind the live buffers */
        add_touch(slot, &slot->live_block, grids, exec->live.size - grids, RP_TOUCH_GRIDS,
                  RP_SCOPE_INDIRECT_R);
    }
    rp_touches_sort(slot->touches, slot->touches_count);
    return RP_OK;
}

static bool is_buffer(const rp_touch *touch) {
    return touch->buffer < RP_TOUCH_GRIDS;
}

static const char *touch_name(const rp_exec *exec, const rp_touch *touch) {
    if (touch->buffer == RP_TOUCH_ARENA) return "the arena";
    if (touch->buffer == RP_TOUCH_GRIDS) return "the exec's grids";
    return rp_plan_string(exec->plan, rp_plan_buffers(exec->plan)[touch->buffer].name);
}

/* By the GPU, or by the host between replays. */
static bool touch_writes(const rp_exec *exec, const rp_touch *touch) {
    return !is_buffer(touch) || is_written(&rp_plan_buffers(exec->plan)[touch->buffer]);
}

/* Whether the touch is of the same bytes in another slot, as the application wanted it. Live values
 * are each slot's own: the host writes those of one while the GPU reads those of another. */
static bool is_again(const rp_exec *exec, const rp_touch *touch, const rp_touch *before) {
    return by_place(touch, before) == 0 &&
           (!is_buffer(touch) || rp_plan_buffers(exec->plan)[touch->buffer].kind != RP_LIVE);
}

static rp_status refuse_overlap(const rp_exec *exec, const rp_touch *a, const rp_touch *b,
                                rp_diags *diags) {
    if (b->lo >= RP_IMAGE_ORIGIN) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s and %s%s are one VkImage, and not both only read: bind them to two",
                     touch_name(exec, a), touch_name(exec, b),
                     a->buffer == b->buffer ? " of another slot" : "");
        return RP_ERROR_USAGE;
    }
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "%s and %s%s lie on the same memory, bytes %llu to %llu of one VkBuffer, and are "
                 "not both only read: bind them to ranges that are apart",
                 touch_name(exec, a), touch_name(exec, b),
                 a->buffer == b->buffer ? " of another slot" : "", (unsigned long long)b->lo,
                 (unsigned long long)(a->hi < b->hi ? a->hi : b->hi) - 1);
    return RP_ERROR_USAGE;
}

/* Goes through all touches of all slots in the order of memory, and remembers the ends of what was
 * there before. One name on one range in several slots is what the application wanted. */
static rp_status check_overlaps(const rp_exec *exec, const rp_touch *all, uint32_t count,
                                rp_diags *diags, bool *out_ordered) {
    const rp_touch *last = NULL, *last_writer = NULL; /* those that end last */
    *out_ordered = false;
    for (uint32_t i = 0; i < count; i++) {
        const rp_touch *touch = &all[i];
        bool writes = touch_writes(exec, touch);
        if (i > 0 && is_again(exec, touch, touch - 1)) {
            *out_ordered |= writes;
            continue;
        }
        if (last && last->handle != touch->handle) last = last_writer = NULL;
        if (writes && last && last->hi > touch->lo) return refuse_overlap(exec, last, touch, diags);
        if (last_writer && last_writer->hi > touch->lo)
            return refuse_overlap(exec, last_writer, touch, diags);
        if (!last || touch->hi > last->hi) last = touch;
        if (writes && (!last_writer || touch->hi > last_writer->hi)) last_writer = touch;
    }
    return RP_OK;
}

static rp_status look_at_all(const rp_exec *exec, rp_slot *slots, rp_diags *diags,
                             bool *out_ordered) {
    const rp_allocator *a = &exec->device->allocator;
    size_t count = 0;
    for (uint32_t s = 0; s < exec->slots_count; s++) {
        RP_TRY(list_touches(exec, &slots[s]));
        count += slots[s].touches_count;
    }
    rp_touch *all = rp_alloc(a, count, sizeof *all);
    if (!all || count > UINT32_MAX) {
        rp_release(a, all);
        return RP_ERROR_NO_MEMORY;
    }
    count = 0;
    for (uint32_t s = 0; s < exec->slots_count; s++) {
        memcpy(all + count, slots[s].touches, slots[s].touches_count * sizeof *all);
        count += slots[s].touches_count;
    }
    qsort(all, count, sizeof *all, by_place);
    rp_status status = check_overlaps(exec, all, (uint32_t)count, diags, out_ordered);
    rp_release(a, all);
    return status;
}

rp_status rp_slots_place(rp_exec *exec, rp_slot *slots, rp_diags *diags, bool *out_ordered) {
    RP_TRY(rp_slots_check_whole(exec, slots, diags));
    RP_TRY(allocate(exec, slots, diags));
    for (uint32_t s = 0; s < exec->slots_count; s++) follow(exec, slots, s);
    return look_at_all(exec, slots, diags, out_ordered);
}

/* ---- What follows from where it lies --------------------------------------------------------- */

/* Whether another slot (or the same one) has some of a buffer where this one has it. */
static bool have_in_common(const rp_exec *exec, uint32_t slot, uint32_t other, uint32_t buffer) {
    const rp_plan_buffer *record = &rp_plan_buffers(exec->plan)[buffer];
    const rp_place *a = &exec->slots[slot].places[buffer];
    const rp_place *b = &exec->slots[other].places[buffer];
    return a->handle == b->handle &&
           rp_ranges_overlap(b->offset, record->size, a->offset, record->size);
}

rp_status rp_slots_require_idle(rp_exec *exec, uint32_t slot, uint32_t buffer, rp_diags *diags) {
    for (uint32_t s = 0; s < exec->slots_count; s++)
        if (have_in_common(exec, slot, s, buffer)) RP_TRY(rp_exec_require_idle(exec, s, diags));
    return RP_OK;
}

rp_status rp_slots_require_results(rp_exec *exec, uint32_t slot, uint32_t buffer, rp_diags *diags) {
    uint64_t last = 0;
    for (uint32_t s = 0; s < exec->slots_count; s++)
        if (have_in_common(exec, slot, s, buffer) && exec->slots[s].replay > last)
            last = exec->slots[s].replay;
    return rp_exec_report_stall(exec, last, diags);
}

uint32_t rp_slots_scopes_at(const rp_exec *exec, uint32_t slot, VkBuffer buffer, uint64_t lo,
                            uint64_t hi, bool *out_shared) {
    uint32_t scopes = RP_SCOPE_NONE;
    *out_shared = false;
    for (uint32_t s = 0; s < exec->slots_count; s++)
        for (uint32_t i = 0; i < exec->slots[s].touches_count; i++) {
            const rp_touch *touch = &exec->slots[s].touches[i];
            if (touch->handle != buffer || touch->hi <= lo || touch->lo >= hi) continue;
            *out_shared |= s != slot;
            scopes |= touch->scopes;
        }
    return scopes;
}

uint32_t rp_slots_scopes(const rp_exec *exec) {
    const rp_plan_buffer *buffers = rp_plan_buffers(exec->plan);
    uint32_t scopes = 0;
    for (uint32_t s = 0; s < exec->slots_count; s++) {
        const rp_slot *slot = &exec->slots[s];
        for (uint32_t i = 0; i < slot->touches_count; i++) {
            const rp_touch *touch = &slot->touches[i];
            bool own = touch->buffer == RP_TOUCH_GRIDS;
            if (touch->buffer == RP_TOUCH_ARENA) own = slot->arena.own;
            if (is_buffer(touch))
                own = buffers[touch->buffer].kind == RP_TMP && slot->places[touch->buffer].own;
            if (!own) scopes |= touch->scopes;
        }
    }
    return scopes;
}

/* ---- The whole ------------------------------------------------------------------------------- */

rp_slot *rp_slots_create(const rp_exec *exec) {
    const rp_allocator *a = &exec->device->allocator;
    uint32_t buffers = rp_plan_count(exec->plan, RP_SECTION_BUFFERS);
    rp_slot *slots = rp_alloc_zero(a, exec->slots_count, sizeof *slots);
    bool complete = slots != NULL;
    for (uint32_t s = 0; complete && s < exec->slots_count; s++) {
        slots[s].places = rp_alloc_zero(a, buffers, sizeof *slots[s].places);
        complete = slots[s].places && rp_live_values_create(&exec->live, &slots[s].live) == RP_OK;
    }
    if (complete) return slots;
    rp_slots_free(exec, slots);
    return NULL;
}

void rp_slots_free(const rp_exec *exec, rp_slot *slots) {
    rp_device *device = exec->device;
    const rp_allocator *a = &device->allocator;
    uint32_t buffers = rp_plan_count(exec->plan, RP_SECTION_BUFFERS);
    for (uint32_t s = 0; slots && s < exec->slots_count; s++) {
        rp_slot *slot = &slots[s];
        device->vk.DestroyCommandPool(device->handle, slot->pool, NULL);
        device->vk.DestroyQueryPool(device->handle, slot->queries, NULL);
        rp_marks_free(exec, slot);
        rp_runs_free_slot(exec, slot);
        rp_descriptors_free(&slot->descriptors);
        rp_live_values_free(&exec->live, &slot->live);
        for (uint32_t i = 0; slot->places && i < buffers; i++)
            rp_storage_drop(slot->places[i].storage);
        rp_storage_drop(slot->arena.storage);
        rp_storage_drop(slot->live_block.storage);
        rp_release(a, slot->places);
        rp_release(a, slot->touches);
        rp_release(a, slot->commands);
    }
    rp_release(a, slots);
}
