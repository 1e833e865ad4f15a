/* The walk over scheduled nodes; see walk.h.
 *
 * Steps of the tracker count accesses over two replays: step = replay * nodes + index. Hazards of
 * one node are gathered and merged before they are reported. In the second replay only what meets
 * the first is of interest. Cost: O(uses log pieces) plus the reports. */
#include "hazard/walk.h"

enum { NAMED_READERS = 8, MERGE_WINDOW = 8 };

#define NONE UINT32_MAX /* no node, no buffer */

typedef struct walk {
    const rp_walk_source *source;
    rp_tracker tracker;
    rp_hazard *found;
    uint32_t found_count, found_capacity;
    uint32_t replay, index; /* the node being walked */
    uint64_t base;          /* of the buffer that it uses */
    bool failed;
} walk;

static void add(walk *w, const rp_hazard *h) {
    if (!RP_RESERVE(w->source->allocator, w->found, w->found_count, w->found_capacity, 1))
        w->failed = true;
    else
        w->found[w->found_count++] = *h;
}

/* Notes a hazard of the current node, joined with one of the bytes before. */
static void on_conflict(void *context, const rp_touch *touch, rp_hazard_kind kind,
                        const rp_touched *earlier, uint32_t dst, uint64_t lo, uint64_t hi) {
    walk *w = context;
    rp_hazard h = {.kind = (uint8_t)kind,
                   .next_replay = w->replay != 0,
                   .from = earlier->step % w->source->node_count,
                   .to = w->index,
                   .from_buffer = earlier->tag,
                   .to_buffer = touch->tag,
                   .offset = lo - w->base,
                   .size = hi - lo,
                   .src = (uint16_t)earlier->scope,
                   .dst = (uint16_t)dst};
    uint32_t first = w->found_count > MERGE_WINDOW ? w->found_count - MERGE_WINDOW : 0;
    for (uint32_t i = w->found_count; i-- > first;) {
        rp_hazard *other = &w->found[i];
        if (other->kind == h.kind && other->from == h.from && other->to_buffer == h.to_buffer &&
            other->from_buffer == h.from_buffer && other->dst == h.dst && other->src == h.src &&
            other->offset + other->size == h.offset) {
            other->size += h.size;
            return;
        }
    }
    add(w, &h);
}

static bool on_use(void *context, const rp_walk_use *use) {
    walk *w = context;
    rp_walk_buffer b = w->source->buffer(w->source->program, use->buffer);
    const rp_touch touch = {.space = b.space,
                            .tag = use->buffer,
                            .lo = b.base + use->offset,
                            .hi = b.base + use->offset + use->size,
                            .read = use->read,
                            .write = use->write};
    w->base = b.base;
    return rp_tracker_touch(&w->tracker, &touch);
}

/* One ORDER hazard between neighbours in plan order is enough: groups only ascend. */
static void order(walk *w, uint32_t from, bool next_replay) {
    const rp_hazard h = {.kind = RP_ORDER,
                         .next_replay = next_replay,
                         .from = from,
                         .to = w->index,
                         .from_buffer = NONE,
                         .to_buffer = NONE,
                         .src = (uint16_t)rp_scope_normalise_src(RP_SCOPE_ANY),
                         .dst = RP_SCOPE_ANY};
    add(w, &h);
}

static rp_status report(walk *w, rp_hazard_visit *visit, void *context) {
    rp_status status = w->failed ? RP_ERROR_NO_MEMORY : RP_OK;
    for (uint32_t i = 0; i < w->found_count && status == RP_OK; i++)
        status = visit(context, &w->found[i]);
    w->found_count = 0;
    return status;
}

static bool any_unknown(const rp_walk_source *s) {
    for (uint32_t i = 0; i < s->node_count; i++)
        if (s->kind(s->program, i) == RP_STEP_UNKNOWN) return true;
    return false;
}

static rp_status walk_replay(walk *w, uint32_t replay, rp_hazard_visit *visit, void *context) {
    const rp_walk_source *s = w->source;
    uint32_t before = NONE; /* the last node that works */
    bool ordered = false;   /* a fence or a node that may touch anything came since */
    bool unknown = any_unknown(s);
    w->replay = replay;
    for (w->index = 0; w->index < s->node_count; w->index++) {
        rp_step_kind kind = s->kind(s->program, w->index);
        if (kind == RP_STEP_FENCE) {
            ordered = true;
            continue;
        }
        if (replay == 0 && before != NONE && (ordered || kind == RP_STEP_UNKNOWN))
            order(w, before, false);
        if (replay == 1 && before == NONE && unknown) order(w, s->node_count - 1, true);
        rp_tracker_step(&w->tracker, replay * s->node_count + w->index);
        if (!s->uses(s->program, w->index, on_use, w)) w->failed = true;
        RP_TRY(report(w, visit, context));
        before = w->index;
        ordered = kind == RP_STEP_UNKNOWN;
    }
    return RP_OK;
}

/* ---- What the host reads --------------------------------------------------------------------- */

typedef struct results {
    walk *w;
    uint32_t buffer;
    uint64_t base;
} results;

static void add_result(walk *w, uint32_t from, uint32_t from_buffer, uint32_t src, uint32_t buffer,
                       uint64_t offset, uint64_t size) {
    const rp_hazard h = {.kind = RP_RAW_HAZARD,
                         .from = from,
                         .to = RP_HAZARD_HOST,
                         .from_buffer = from_buffer,
                         .to_buffer = buffer,
                         .offset = offset,
                         .size = size,
                         .src = (uint16_t)src,
                         .dst = RP_SCOPE_HOST_R};
    add(w, &h);
}

static void on_result(void *context, uint64_t lo, uint64_t hi, const rp_touched *by) {
    results *r = context;
    walk *w = r->w;
    rp_hazard *last = w->found_count ? &w->found[w->found_count - 1] : NULL;
    if (last && last->from == by->step && last->to_buffer == r->buffer)
        last->size = hi - r->base - last->offset;
    else
        add_result(w, by->step, by->tag, by->scope, r->buffer, lo - r->base, hi - lo);
}

/* What the first replay leaves for the host, in w->found. A node that may touch anything may write
 * any result; the last such node waits for the others. */
static void gather_results(walk *w) {
    const rp_walk_source *s = w->source;
    uint32_t unknown = NONE;
    for (uint32_t i = 0; i < s->node_count; i++)
        if (s->kind(s->program, i) == RP_STEP_UNKNOWN) unknown = i;
    for (uint32_t i = 0; i < s->buffer_count; i++) {
        rp_walk_buffer b = s->buffer(s->program, i);
        if (!b.result) continue;
        results r = {w, i, b.base};
        rp_tracker_written(&w->tracker, b.space, b.base, b.base + b.size, on_result, &r);
        if (unknown != NONE) add_result(w, unknown, i, RP_SCOPE_COMPUTE_W, i, 0, b.size);
    }
}

/* ---- The walk -------------------------------------------------------------------------------- */

static rp_status walk_both(walk *w, rp_hazard_visit *visit, void *context) {
    const rp_allocator *a = w->source->allocator;
    if (!rp_tracker_spaces(&w->tracker, w->source->space_count)) return RP_ERROR_NO_MEMORY;
    RP_TRY(walk_replay(w, 0, visit, context));
    gather_results(w);
    /* The host's hazards come last: kept aside while the second replay is walked. */
    rp_hazard *host = w->found;
    uint32_t host_count = w->found_count;
    w->found = NULL;
    w->found_count = w->found_capacity = 0;
    rp_status status = RP_ERROR_NO_MEMORY;
    if (!w->failed && rp_tracker_fade(&w->tracker)) status = walk_replay(w, 1, visit, context);
    for (uint32_t i = 0; i < host_count && status == RP_OK; i++) status = visit(context, &host[i]);
    rp_release(a, host);
    return status;
}

rp_status rp_walk_hazards(const rp_walk_source *source, rp_hazard_visit *visit, void *context) {
    walk w = {.source = source};
    rp_tracker_init(&w.tracker, source->allocator, NAMED_READERS, on_conflict, &w);
    rp_status status = walk_both(&w, visit, context);
    rp_tracker_free(&w.tracker);
    rp_release(source->allocator, w.found);
    return status;
}
