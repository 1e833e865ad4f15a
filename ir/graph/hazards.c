/* Hazards of a scheduled graph on physical bytes; see hazards.h.
 *
 * The walk keeps, for every byte, the last write and an immutable list of the reads since then.
 * Steps count accesses over two replays: step = replay * nodes + index. Hazards of one node are
 * gathered and merged before they are reported. Each reader knows the latest reader of each kind
 * from there to the list's end: after a few reports only those are named, since the latest of a
 * kind is the hardest to order.
 *
 * A range in many pieces that is read as a whole is folded. For a fold the latest write of each
 * kind stands for all writes, likewise for reads; so thousands of readers of thousands of pieces
 * cost one report each.
 *
 * In the second replay only what meets the first is of interest: bytes that were overwritten are
 * done, and reads are not remembered. Cost: O(uses log pieces) plus the reports. */
#include "graph/hazards.h"

#include "base/fold.h"

enum { READERS_REPORTED = 8, MERGE_WINDOW = 8, READ_KINDS = 4, WRITE_KINDS = 2 };

static const uint8_t read_kinds[READ_KINDS] = {RP_SCOPE_COMPUTE_R, RP_SCOPE_COMPUTE_U,
                                               RP_SCOPE_TRANSFER_R, RP_SCOPE_INDIRECT_R};

typedef struct reader {
    uint32_t step, buffer, scope, next;
    uint32_t latest[READ_KINDS]; /* from here to the list's end */
} reader;

typedef struct cell {
    uint32_t writer, buffer; /* step and buffer of the last write; RP_NONE: none */
    uint32_t scope;
    uint32_t readers;
} cell;

/* Of a fold: its latest write of each kind, with the bytes it wrote there; the latest read of each
 * kind among its pieces; and a list of those who read the whole since it was made. */
typedef struct whole {
    struct {
        cell by;
        uint64_t lo, hi;
    } writes[WRITE_KINDS];
    uint32_t old[READ_KINDS];
    uint32_t readers;
} whole;

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
    rp_folds folds;
    RP_ARRAY(whole, wholes); /* per fold */
    RP_ARRAY(rp_hazard, found);
    uint32_t replay, index; /* the node being walked */
    access access;
    uint32_t seen_cell, seen_result;
    uint32_t pieces, piece_limit; /* of the range being read */
    bool touched;                 /* some of it read by the current node, in another use */
    uint32_t fresh;               /* the cell of the write */
    uint32_t done;                /* the cell of bytes written in the second replay */
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

/* Notes a hazard between `step` and the current access, unless the current node did both. */
static void found(walk *w, rp_hazard_kind kind, uint32_t step, uint32_t buffer, uint32_t src,
                  uint32_t dst, uint64_t lo, uint64_t hi) {
    uint32_t n = w->graph->nodes_count;
    if (step == step_now(w)) return;
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
    if (w->cells_count >= RP_FOLDED ||
        !RP_RESERVE(w->a, w->cells, w->cells_count, w->cells_capacity, 1)) {
        w->failed = true;
        return RP_ABSENT;
    }
    w->cells[w->cells_count] = c;
    return w->cells_count++;
}

static cell cell_of(const walk *w, uint32_t value) {
    return value == RP_ABSENT ? (cell){RP_NONE, RP_NONE, 0, RP_NONE} : w->cells[value];
}

static uint32_t push_reader(walk *w, uint32_t step, uint32_t buffer, uint32_t scope,
                            uint32_t next) {
    if (!RP_RESERVE(w->a, w->readers, w->readers_count, w->readers_capacity, 1)) {
        w->failed = true;
        return RP_NONE;
    }
    reader r = {step, buffer, scope, next, {RP_NONE, RP_NONE, RP_NONE, RP_NONE}};
    for (uint32_t k = 0; k < READ_KINDS; k++) {
        if (next != RP_NONE) r.latest[k] = w->readers[next].latest[k];
        if (read_kinds[k] == scope) r.latest[k] = w->readers_count;
    }
    w->readers[w->readers_count] = r;
    return w->readers_count++;
}

static uint32_t copy_reader(walk *w, uint32_t r, uint32_t next) {
    reader c = w->readers[r];
    return push_reader(w, c.step, c.buffer, c.scope, next);
}

/* ---- Folds ----------------------------------------------------------------------------------- */

static whole *whole_of(const walk *w, uint32_t value) {
    return &w->wholes[value & ~RP_FOLDED];
}

static void latest_write(whole *to, cell c, uint64_t lo, uint64_t hi) {
    if (c.writer == RP_NONE) return;
    uint32_t k = c.scope == RP_SCOPE_TRANSFER_W;
    if (to->writes[k].by.writer != RP_NONE && to->writes[k].by.writer >= c.writer) return;
    to->writes[k].by = c;
    to->writes[k].lo = lo;
    to->writes[k].hi = hi;
}

/* The latest reader of a kind in a list, apart from the current node. */
static uint32_t latest_other(const walk *w, uint32_t list, uint32_t kind) {
    uint32_t r = list == RP_NONE ? RP_NONE : w->readers[list].latest[kind];
    while (r != RP_NONE && w->readers[r].step == step_now(w)) {
        uint32_t next = w->readers[r].next;
        r = next == RP_NONE ? RP_NONE : w->readers[next].latest[kind];
    }
    return r;
}

static void latest_read(const walk *w, uint32_t *to, uint32_t r) {
    if (r != RP_NONE && (*to == RP_NONE || w->readers[r].step > w->readers[*to].step)) *to = r;
}

static bool fold_made(void *context, const rp_interval *pieces, uint32_t count) {
    walk *w = context;
    if (!RP_RESERVE(w->a, w->wholes, w->wholes_count, w->wholes_capacity, 1)) return false;
    const cell none = {RP_NONE, RP_NONE, 0, RP_NONE};
    whole made = {{{none, 0, 0}, {none, 0, 0}}, {RP_NONE, RP_NONE, RP_NONE, RP_NONE}, RP_NONE};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t value = pieces[i].value;
        const whole *c = rp_is_fold(value) ? whole_of(w, value) : NULL;
        uint32_t readers = c ? c->readers : cell_of(w, value).readers;
        for (uint32_t k = 0; c && k < WRITE_KINDS; k++)
            latest_write(&made, c->writes[k].by, c->writes[k].lo, c->writes[k].hi);
        if (!c) latest_write(&made, cell_of(w, value), pieces[i].lo, pieces[i].hi);
        for (uint32_t k = 0; k < READ_KINDS; k++) {
            if (c) latest_read(w, &made.old[k], c->old[k]);
            latest_read(w, &made.old[k], latest_other(w, readers, k));
        }
    }
    w->wholes[w->wholes_count++] = made;
    return true;
}

/* Whoever read the whole read its pieces: of each kind the latest is kept, in the order in which
 * they came, and the current node last. */
static bool fold_opened(void *context, uint32_t parent, uint32_t *child) {
    walk *w = context;
    uint32_t from = whole_of(w, parent)->readers, latest[READ_KINDS];
    if (from == RP_NONE) return true;
    cell c = {RP_NONE, RP_NONE, 0, RP_NONE};
    if (rp_is_fold(*child))
        c.readers = whole_of(w, *child)->readers;
    else
        c = cell_of(w, *child);
    for (uint32_t k = 0; k < READ_KINDS; k++) latest[k] = latest_other(w, from, k);
    for (uint32_t n = 0; n < READ_KINDS; n++) {
        uint32_t oldest = 0;
        for (uint32_t k = 1; k < READ_KINDS; k++)
            if (latest[oldest] == RP_NONE ||
                (latest[k] != RP_NONE &&
                 w->readers[latest[k]].step < w->readers[latest[oldest]].step))
                oldest = k;
        if (latest[oldest] == RP_NONE) break;
        c.readers = copy_reader(w, latest[oldest], c.readers);
        latest[oldest] = RP_NONE;
    }
    for (uint32_t k = 0; k < READ_KINDS; k++) {
        uint32_t r = w->readers[from].latest[k];
        if (r != RP_NONE && w->readers[r].step == step_now(w))
            c.readers = copy_reader(w, r, c.readers);
    }
    if (rp_is_fold(*child))
        whole_of(w, *child)->readers = c.readers;
    else
        *child = push_cell(w, c);
    return !w->failed;
}

/* ---- Uses ------------------------------------------------------------------------------------ */

static bool read_now(const walk *w, cell c) {
    return c.readers != RP_NONE && w->readers[c.readers].step == step_now(w);
}

static uint32_t read_fold(walk *w, uint32_t value) {
    whole *f = whole_of(w, value);
    for (uint32_t k = 0; k < WRITE_KINDS; k++)
        if (f->writes[k].by.writer != RP_NONE)
            found(w, RP_RAW_HAZARD, f->writes[k].by.writer, f->writes[k].by.buffer,
                  f->writes[k].by.scope, w->access.read, f->writes[k].lo, f->writes[k].hi);
    if (!w->access.write && w->replay == 0)
        f->readers = push_reader(w, step_now(w), w->access.buffer, w->access.read, f->readers);
    return value;
}

static uint32_t on_read(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    walk *w = context;
    cell c = {RP_NONE, RP_NONE, 0, RP_NONE};
    if (rp_is_fold(value))
        c.readers = whole_of(w, value)->readers;
    else
        c = cell_of(w, value);
    w->touched |= read_now(w, c);
    if (w->pieces++ >= w->piece_limit) return value; /* will be folded */
    if (rp_is_fold(value)) return read_fold(w, value);
    if (c.writer != RP_NONE)
        found(w, RP_RAW_HAZARD, c.writer, c.buffer, c.scope, w->access.read, lo, hi);
    if (w->access.write || w->replay) return value; /* nobody will ask for this read */
    if (value == w->seen_cell && w->seen_result != RP_ABSENT) return w->seen_result;
    c.readers = push_reader(w, step_now(w), w->access.buffer, w->access.read, c.readers);
    w->seen_cell = value;
    return w->seen_result = push_cell(w, c);
}

/* Reports the latest readers of a list, and the latest of each kind that is not among them. */
static void found_readers(walk *w, uint32_t list, const uint32_t *old, uint64_t lo, uint64_t hi) {
    uint32_t reported = 0, named = 0;
    for (uint32_t r = list; r != RP_NONE && reported < READERS_REPORTED; r = w->readers[r].next) {
        const reader *cur = &w->readers[r];
        if (cur->step == step_now(w)) continue;
        found(w, RP_WAR_HAZARD, cur->step, cur->buffer, cur->scope, w->access.write, lo, hi);
        named |= cur->scope;
        reported++;
    }
    for (uint32_t k = 0; k < READ_KINDS; k++) {
        if (named & read_kinds[k]) continue;
        uint32_t r = latest_other(w, list, k);
        if (r == RP_NONE && old) r = old[k];
        if (r == RP_NONE) continue;
        const reader *cur = &w->readers[r];
        found(w, RP_WAR_HAZARD, cur->step, cur->buffer, cur->scope, w->access.write, lo, hi);
    }
}

static uint32_t on_write(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    walk *w = context;
    if (value == RP_ABSENT) return w->fresh;
    if (rp_is_fold(value)) {
        const whole *f = whole_of(w, value);
        for (uint32_t k = 0; k < WRITE_KINDS; k++)
            if (f->writes[k].by.writer != RP_NONE)
                found(w, RP_WAW_HAZARD, f->writes[k].by.writer, f->writes[k].by.buffer,
                      f->writes[k].by.scope, w->access.write, f->writes[k].lo, f->writes[k].hi);
        found_readers(w, f->readers, f->old, lo, hi);
        return w->fresh;
    }
    cell c = w->cells[value];
    if (c.writer != RP_NONE)
        found(w, RP_WAW_HAZARD, c.writer, c.buffer, c.scope, w->access.write, lo, hi);
    if (c.readers != RP_NONE) found_readers(w, c.readers, NULL, lo, hi);
    return w->fresh;
}

static bool walk_read(walk *w, rp_interval_map *map, const rp_fold_owner *owner) {
    uint64_t lo = w->access.lo, hi = w->access.hi;
    w->seen_cell = w->seen_result = RP_ABSENT;
    w->pieces = 0;
    w->piece_limit = RP_FOLD_WIDTH;
    w->touched = false;
    if (!rp_interval_map_update(w->a, map, lo, hi, on_read, w)) return false;
    if (w->pieces <= RP_FOLD_WIDTH) return true;
    /* Of a fold only the latest access is known: it must not be the reader's own. */
    if (!w->touched && !rp_fold_range(w->a, &w->folds, map, lo, hi, owner)) return false;
    w->seen_cell = w->seen_result = RP_ABSENT;
    w->piece_limit = UINT32_MAX;
    return rp_interval_map_update(w->a, map, lo, hi, on_read, w);
}

static bool walk_write(walk *w, rp_interval_map *map) {
    uint64_t lo = w->access.lo, hi = w->access.hi;
    w->piece_limit = UINT32_MAX;
    if (w->access.read) rp_interval_map_each(map, lo, hi, on_read, w);
    w->fresh = w->replay
                   ? w->done
                   : push_cell(w, (cell){step_now(w), w->access.buffer, w->access.write, RP_NONE});
    return !w->failed && rp_interval_map_update(w->a, map, lo, hi, on_write, w);
}

static bool walk_use(void *context, const rp_graph_node *node, uint32_t use) {
    walk *w = context;
    const rp_fold_owner owner = {w, fold_made, fold_opened};
    access acc = w->access = place(w->graph, node, &w->graph->uses[use]);
    rp_interval_map *map = &w->maps[acc.space];
    return rp_fold_cut(w->a, &w->folds, map, acc.lo, acc.hi, &owner) &&
           (acc.write ? walk_write(w, map) : walk_read(w, map, &owner));
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
    w->done = push_cell(w, (cell){RP_NONE, RP_NONE, 0, RP_NONE});
    for (uint32_t i = 0; i < g->nodes_count; i++) unknown |= g->nodes[i].unknown;
    for (w->index = 0; w->index < g->nodes_count; w->index++) {
        const rp_graph_node *node = &g->nodes[w->index];
        if (node->kind == RP_FENCE) {
            ordered = true;
            continue;
        }
        if (replay == 0 && before != RP_NONE && (ordered || node->unknown)) order(w, before, false);
        if (replay == 1 && before == RP_NONE && unknown) order(w, g->nodes_count - 1, true);
        if (!rp_node_visit_uses(g, node, walk_use, w)) w->failed = true;
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
    if (rp_is_fold(value)) {
        const rp_interval *pieces = rp_fold_pieces(&r->w->folds, value);
        for (uint32_t i = 0; i < rp_fold_count(&r->w->folds, value); i++)
            on_result(r, pieces[i].lo, pieces[i].hi, pieces[i].value);
        return value;
    }
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
    rp_release(a, w.wholes);
    rp_folds_free(a, &w.folds);
    rp_release(a, w.found);
    rp_release(a, host.hazards);
    return status;
}
