/* Hazards of a scheduled graph on physical bytes; see hazards.h.
 *
 * The walk keeps, for every byte, the last write and an immutable list of the reads since then.
 * Steps count accesses over two replays: step = replay * nodes + index. Hazards of one node are
 * gathered and merged before they are reported. Each reader cell knows which scope bits occur in
 * the rest of its list, so that reporting can stop once every kind of reader has been named: the
 * latest reader of a kind is the hardest to order. Cost: O(uses log pieces) plus the reports. */
#include "graph/hazards.h"

#include "base/interval_map.h"

enum { READERS_REPORTED = 8, MERGE_WINDOW = 8 };

typedef struct reader {
    uint32_t step, buffer, next;
    uint32_t scope, scopes; /* its own bit; all bits from here to the list's end */
} reader;

typedef struct cell {
    uint32_t writer, buffer; /* step and buffer of the last write; RP_NONE: none */
    uint32_t scope;
    uint32_t readers;
} cell;

/* A use, placed in memory: space `space`, bytes [lo, hi). */
typedef struct access {
    uint32_t space, buffer;
    uint64_t lo, hi;
    uint32_t read, write; /* scope bits */
} access;

typedef struct walk {
    const rp_allocator *a;
    const rp_graph *graph;
    rp_interval_map *maps; /* one per buffer, and one for the arena at [buffers_count] */
    RP_ARRAY(reader, readers);
    RP_ARRAY(cell, cells);
    RP_ARRAY(rp_hazard, found);
    uint32_t replay, index; /* the node being walked */
    access access;
    uint32_t seen_cell, seen_result;
    bool failed;
} walk;

static uint64_t arena_base(const rp_graph_buffer *b) {
    return b->kind == RP_TMP && b->offset != RP_NOT_PLACED ? b->offset : 0;
}

static access place(const rp_graph *g, const rp_graph_node *node, const rp_graph_use *use) {
    const rp_graph_buffer *b = &g->buffers[use->buffer];
    bool in_arena = b->kind == RP_TMP && b->offset != RP_NOT_PLACED;
    uint64_t lo = arena_base(b) + use->offset;
    return (access){.space = in_arena ? g->buffers_count : use->buffer,
                    .buffer = use->buffer,
                    .lo = lo,
                    .hi = lo + use->size,
                    .read = rp_use_read_scope(node, use),
                    .write = rp_use_write_scope(node, use)};
}

static uint32_t step_now(const walk *w) {
    return w->replay * w->graph->nodes_count + w->index;
}

/* Notes a hazard between `step` and the current access, unless both lie in the second replay: those
 * repeat the first. */
static void found(walk *w, rp_hazard_kind kind, uint32_t step, uint32_t buffer, uint32_t src,
                  uint32_t dst, uint64_t lo, uint64_t hi) {
    uint32_t n = w->graph->nodes_count;
    if (step == step_now(w) || (w->replay && step >= n)) return;
    const rp_graph_buffer *to = &w->graph->buffers[w->access.buffer];
    rp_hazard h = {.kind = kind,
                   .next_replay = w->replay != 0,
                   .from = step % n,
                   .to = w->index,
                   .from_buffer = buffer,
                   .to_buffer = w->access.buffer,
                   .offset = lo - arena_base(to),
                   .size = hi - lo,
                   .src = src,
                   .dst = dst};
    uint32_t first = w->found_count > MERGE_WINDOW ? w->found_count - MERGE_WINDOW : 0;
    for (uint32_t i = w->found_count; i-- > first;) {
        rp_hazard *other = &w->found[i];
        if (other->kind == kind && other->from == h.from && other->to_buffer == h.to_buffer &&
            other->from_buffer == buffer && other->dst == dst && other->src == src &&
            other->offset + other->size == h.offset) {
            other->size += h.size;
            return;
        }
    }
    if (!RP_RESERVE(w->a, w->found, w->found_count, w->found_capacity, 1))
        w->failed = true;
    else
        w->found[w->found_count++] = h;
}

static uint32_t push_cell(walk *w, cell c) {
    if (!RP_RESERVE(w->a, w->cells, w->cells_count, w->cells_capacity, 1)) {
        w->failed = true;
        return RP_ABSENT;
    }
    w->cells[w->cells_count] = c;
    return w->cells_count++;
}

static uint32_t on_read(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    walk *w = context;
    cell c = value == RP_ABSENT ? (cell){RP_NONE, RP_NONE, 0, RP_NONE} : w->cells[value];
    if (c.writer != RP_NONE)
        found(w, RP_RAW_HAZARD, c.writer, c.buffer, c.scope, w->access.read, lo, hi);
    if (w->access.write) return value; /* the write that follows takes the bytes over */
    if (value == w->seen_cell && w->seen_result != RP_ABSENT) return w->seen_result;
    if (!RP_RESERVE(w->a, w->readers, w->readers_count, w->readers_capacity, 1)) {
        w->failed = true;
        return value;
    }
    uint32_t rest = c.readers == RP_NONE ? 0 : w->readers[c.readers].scopes;
    w->readers[w->readers_count] =
        (reader){step_now(w), w->access.buffer, c.readers, w->access.read, rest | w->access.read};
    c.readers = w->readers_count++;
    w->seen_cell = value;
    return w->seen_result = push_cell(w, c);
}

static uint32_t on_write(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    walk *w = context;
    if (value == RP_ABSENT) return value;
    cell c = w->cells[value];
    if (c.writer != RP_NONE)
        found(w, RP_WAW_HAZARD, c.writer, c.buffer, c.scope, w->access.write, lo, hi);
    uint32_t reported = 0, named = 0;
    for (uint32_t r = c.readers; r != RP_NONE; r = w->readers[r].next) {
        const reader *cur = &w->readers[r];
        if (reported >= READERS_REPORTED && (cur->scopes & ~named) == 0) break;
        if (reported >= READERS_REPORTED && (cur->scope & ~named) == 0) continue;
        found(w, RP_WAR_HAZARD, cur->step, cur->buffer, cur->scope, w->access.write, lo, hi);
        named |= cur->scope;
        reported++;
    }
    return value;
}

static void walk_use(walk *w, access acc) {
    rp_interval_map *map = &w->maps[acc.space];
    w->access = acc;
    w->seen_cell = w->seen_result = RP_ABSENT;
    if (acc.read && !acc.write && !rp_interval_map_update(w->a, map, acc.lo, acc.hi, on_read, w))
        w->failed = true;
    if (!acc.write || w->failed) return;
    if (acc.read) rp_interval_map_each(map, acc.lo, acc.hi, on_read, w);
    rp_interval_map_each(map, acc.lo, acc.hi, on_write, w);
    uint32_t fresh = push_cell(w, (cell){step_now(w), acc.buffer, acc.write, RP_NONE});
    if (!w->failed && !rp_interval_map_set(w->a, map, acc.lo, acc.hi, fresh)) w->failed = true;
}

/* One ORDER hazard between neighbours in plan order is enough: groups only ascend. */
static void order(walk *w, uint32_t from, bool next_replay) {
    rp_hazard h = {.kind = RP_ORDER,
                   .next_replay = next_replay,
                   .from = from,
                   .to = w->index,
                   .from_buffer = RP_NONE,
                   .to_buffer = RP_NONE,
                   .src = rp_scope_normalise_src(RP_SCOPE_ANY),
                   .dst = RP_SCOPE_ANY};
    if (!RP_RESERVE(w->a, w->found, w->found_count, w->found_capacity, 1))
        w->failed = true;
    else
        w->found[w->found_count++] = h;
}

static rp_status report(walk *w, rp_hazard_visit *visit, void *context) {
    rp_status status = w->failed ? RP_ERROR_NO_MEMORY : RP_OK;
    for (uint32_t i = 0; i < w->found_count && status == RP_OK; i++)
        status = visit(context, &w->found[i]);
    w->found_count = 0;
    return status;
}

static rp_status walk_replay(walk *w, uint32_t replay, rp_hazard_visit *visit, void *context) {
    const rp_graph *g = w->graph;
    uint32_t before = RP_NONE; /* the last node that works */
    bool ordered = false;      /* a fence or a node without uses came since */
    bool unknown = false;
    w->replay = replay;
    for (uint32_t i = 0; i < g->nodes_count; i++) unknown |= g->nodes[i].unknown;
    for (w->index = 0; w->index < g->nodes_count; w->index++) {
        const rp_graph_node *node = &g->nodes[w->index];
        if (node->kind == RP_FENCE) {
            ordered = true;
            continue;
        }
        if (replay == 0 && before != RP_NONE && (ordered || node->unknown)) order(w, before, false);
        if (replay == 1 && before == RP_NONE && unknown) order(w, g->nodes_count - 1, true);
        for (uint32_t u = 0; u < node->use_count; u++)
            walk_use(w, place(g, node, &rp_node_uses(g, node)[u]));
        RP_TRY(report(w, visit, context));
        before = w->index;
        ordered = node->unknown;
    }
    return RP_OK;
}

typedef struct results {
    walk *w;
    rp_hazard *hazards;
    uint32_t count, capacity, buffer;
} results;

static void add_result(results *r, cell c, uint64_t lo, uint64_t hi) {
    if (!RP_RESERVE(r->w->a, r->hazards, r->count, r->capacity, 1)) {
        r->w->failed = true;
        return;
    }
    r->hazards[r->count++] = (rp_hazard){.kind = RP_RAW_HAZARD,
                                         .from = c.writer,
                                         .to = RP_HAZARD_HOST,
                                         .from_buffer = c.buffer,
                                         .to_buffer = r->buffer,
                                         .offset = lo,
                                         .size = hi - lo,
                                         .src = c.scope,
                                         .dst = RP_SCOPE_HOST_R};
}

static uint32_t on_result(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    results *r = context;
    if (value == RP_ABSENT || r->w->cells[value].writer == RP_NONE) return value;
    cell c = r->w->cells[value];
    rp_hazard *last = r->count ? &r->hazards[r->count - 1] : NULL;
    if (last && last->from == c.writer && last->to_buffer == r->buffer)
        last->size = hi - last->offset;
    else
        add_result(r, c, lo, hi);
    return value;
}

/* What the first replay leaves for the host. A node whose uses are unknown may write any result;
 * the last such node waits for the others. */
static void gather_results(walk *w, results *r) {
    const rp_graph *g = w->graph;
    uint32_t unknown = RP_NONE;
    for (uint32_t i = 0; i < g->nodes_count; i++)
        if (g->nodes[i].unknown) unknown = i;
    for (r->buffer = 0; r->buffer < g->buffers_count; r->buffer++) {
        const rp_graph_buffer *b = &g->buffers[r->buffer];
        if (b->removed || !rp_buffer_has_result(b)) continue;
        rp_interval_map_each(&w->maps[r->buffer], 0, b->size, on_result, r);
        if (unknown != RP_NONE)
            add_result(r, (cell){unknown, r->buffer, RP_SCOPE_COMPUTE_W, RP_NONE}, 0, b->size);
    }
}

rp_status rp_hazards_walk(const rp_graph *graph, rp_hazard_visit *visit, void *context) {
    const rp_allocator *a = &graph->allocator;
    walk w = {.a = a, .graph = graph};
    results host = {.w = &w};
    w.maps = rp_alloc_zero(a, (size_t)graph->buffers_count + 1, sizeof *w.maps);
    rp_status status = w.maps ? walk_replay(&w, 0, visit, context) : RP_ERROR_NO_MEMORY;
    if (status == RP_OK) {
        gather_results(&w, &host);
        status = w.failed ? RP_ERROR_NO_MEMORY : walk_replay(&w, 1, visit, context);
    }
    for (uint32_t i = 0; i < host.count && status == RP_OK; i++)
        status = visit(context, &host.hazards[i]);

    for (uint32_t i = 0; w.maps && i <= graph->buffers_count; i++)
        rp_interval_map_free(a, &w.maps[i]);
    rp_release(a, w.maps);
    rp_release(a, w.readers);
    rp_release(a, w.cells);
    rp_release(a, w.found);
    rp_release(a, host.hazards);
    return status;
}
