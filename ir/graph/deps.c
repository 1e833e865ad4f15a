/* Dependences of source order; see deps.h.
 *
 * The nodes are walked once in source order. For every byte the map knows the last writer and the
 * readers since then, as an immutable list: pieces of a range that was cut share the list. A list
 * that would grow beyond LIST_MAX is replaced by a join of its members, so that whoever overwrites
 * the bytes adds at most LIST_MAX + 1 edges. A range that was written in many pieces and is read as
 * a whole is folded: its writers get a join that all further readers of the whole range depend on,
 * while those who touch a part find the pieces again. Comparing each node with all before it, or
 * each writer with all readers, would be quadratic in wide graphs. Cost: O(uses log pieces +
 * edges), and edges are linear in uses and in pieces seen for the first time. */
#include "graph/deps.h"

#include "base/fold.h"
#include "base/sort.h"

enum { LIST_MAX = 16 };

/* A cell of a reader list. */
typedef struct reader {
    uint32_t vertex, next, length;
} reader;

/* What is known of some bytes. */
typedef struct cell {
    uint32_t writer, readers; /* vertex and list, RP_NONE for none */
} cell;

/* What is known of a fold: a vertex behind all its writers, and who read the whole since it was
 * made. What its pieces knew of readers stays with them. */
typedef struct whole {
    uint32_t writer, readers;
    uint32_t last; /* the latest reader, not in the list yet */
} whole;

typedef struct builder {
    const rp_allocator *a;
    const rp_graph *graph;
    rp_deps *deps;
    rp_interval_map *maps; /* per buffer */
    RP_ARRAY(reader, readers);
    RP_ARRAY(cell, cells);
    rp_folds folds;
    RP_ARRAY(whole, wholes);  /* per fold */
    RP_ARRAY(uint32_t, from); /* edges */
    RP_ARRAY(uint32_t, to);
    RP_ARRAY(uint32_t, order);
    RP_ARRAY(uint32_t, mark);        /* per vertex: the last vertex an edge of it goes to, plus 1 */
    RP_ARRAY(uint32_t, depth);       /* per vertex, in place of edges; NULL: edges are wanted */
    uint32_t current;                /* the vertex being added */
    uint32_t order_vertex;           /* the last fence or node without uses */
    uint32_t since_order;            /* first vertex behind it */
    uint32_t read_cell, read_result; /* the last cell that was read, and what became of it */
    uint32_t read_pieces, read_limit; /* of the use being looked at */
    uint32_t fresh;                   /* the cell of what it writes */
    bool failed;
} builder;

/* Fences and joins weigh nothing. */
static bool weight_of(const builder *b, uint32_t vertex) {
    return vertex < b->deps->node_count && b->graph->nodes[b->deps->node[vertex]].kind != RP_FENCE;
}

/* To a vertex whose own edges are not followed yet, from one that has all of its. */
static void add_edge(builder *b, uint32_t from, uint32_t to) {
    if (from == RP_NONE || from == to || b->mark[from] == to + 1 || b->failed) return;
    if (b->depth) {
        uint32_t depth = b->depth[from] + weight_of(b, to);
        if (depth > b->depth[to]) b->depth[to] = depth;
        b->mark[from] = to + 1;
        return;
    }
    if (!RP_RESERVE(b->a, b->from, b->from_count, b->from_capacity, 1) ||
        !RP_RESERVE(b->a, b->to, b->to_count, b->to_capacity, 1)) {
        b->failed = true;
        return;
    }
    b->mark[from] = to + 1;
    b->from[b->from_count++] = from;
    b->to[b->to_count++] = to;
}

/* A new join vertex, numbered behind all nodes. */
static uint32_t new_join(builder *b) {
    if (!RP_RESERVE(b->a, b->mark, b->mark_count, b->mark_capacity, 1) ||
        !RP_RESERVE(b->a, b->order, b->order_count, b->order_capacity, 1)) {
        b->failed = true;
        return RP_NONE;
    }
    if (b->depth && !RP_RESERVE(b->a, b->depth, b->depth_count, b->depth_capacity, 1)) {
        b->failed = true;
        return RP_NONE;
    }
    uint32_t vertex = b->deps->vertex_count++;
    b->mark[b->mark_count++] = 0;
    if (b->depth) b->depth[b->depth_count++] = 0;
    b->order[b->order_count++] = vertex;
    return vertex;
}

static uint32_t push_reader(builder *b, uint32_t vertex, uint32_t next) {
    uint32_t length = next == RP_NONE ? 1 : b->readers[next].length + 1;
    if (length > LIST_MAX) {
        uint32_t join = new_join(b);
        if (join == RP_NONE) return RP_NONE;
        for (uint32_t r = next; r != RP_NONE; r = b->readers[r].next)
            add_edge(b, b->readers[r].vertex, join);
        next = push_reader(b, join, RP_NONE);
        if (next == RP_NONE) return RP_NONE;
        length = 2;
    }
    if (!RP_RESERVE(b->a, b->readers, b->readers_count, b->readers_capacity, 1)) {
        b->failed = true;
        return RP_NONE;
    }
    b->readers[b->readers_count] = (reader){vertex, next, length};
    return b->readers_count++;
}

static uint32_t push_cell(builder *b, cell c) {
    if (b->cells_count >= RP_FOLDED ||
        !RP_RESERVE(b->a, b->cells, b->cells_count, b->cells_capacity, 1)) {
        b->failed = true;
        return RP_ABSENT;
    }
    b->cells[b->cells_count] = c;
    return b->cells_count++;
}

static cell cell_of(const builder *b, uint32_t value) {
    return value == RP_ABSENT ? (cell){RP_NONE, RP_NONE} : b->cells[value];
}

/* ---- Folds ----------------------------------------------------------------------------------- */

static uint32_t writer_of(const builder *b, uint32_t value) {
    return rp_is_fold(value) ? b->wholes[value & ~RP_FOLDED].writer : cell_of(b, value).writer;
}

/* The one writer of all pieces, or a join of them. */
static bool fold_made(void *context, const rp_interval *pieces, uint32_t count) {
    builder *b = context;
    if (!RP_RESERVE(b->a, b->wholes, b->wholes_count, b->wholes_capacity, 1)) return false;
    uint32_t writer = RP_NONE;
    bool several = false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t w = writer_of(b, pieces[i].value);
        several |= w != RP_NONE && writer != RP_NONE && w != writer;
        if (w != RP_NONE) writer = w;
    }
    if (several) {
        writer = new_join(b);
        for (uint32_t i = 0; i < count && !b->failed; i++)
            add_edge(b, writer_of(b, pieces[i].value), writer);
    }
    b->wholes[b->wholes_count++] = (whole){writer, RP_NONE, RP_NONE};
    return !b->failed;
}

static void add_whole_reader(builder *b, whole *w, uint32_t vertex) {
    if (w->last == vertex) return;
    if (w->last != RP_NONE) w->readers = push_reader(b, w->last, w->readers);
    w->last = vertex;
}

/* Joins those who read the whole, so that opening costs one vertex a piece, not one a reader. The
 * current node stays apart: it may go on to write a piece, and must not wait for itself. */
static void join_readers(builder *b, whole *w) {
    if (w->last != b->current) add_whole_reader(b, w, RP_NONE);
    if (w->readers == RP_NONE || b->readers[w->readers].length == 1) return;
    uint32_t join = new_join(b);
    for (uint32_t r = w->readers; r != RP_NONE && !b->failed; r = b->readers[r].next)
        add_edge(b, b->readers[r].vertex, join);
    if (!b->failed) w->readers = push_reader(b, join, RP_NONE);
}

static bool fold_opened(void *context, uint32_t parent, uint32_t *child) {
    builder *b = context;
    whole *p = &b->wholes[parent & ~RP_FOLDED];
    join_readers(b, p);
    if (b->failed || (p->readers == RP_NONE && p->last == RP_NONE)) return !b->failed;
    uint32_t earlier = p->readers == RP_NONE ? RP_NONE : b->readers[p->readers].vertex;
    if (rp_is_fold(*child)) {
        whole *w = &b->wholes[*child & ~RP_FOLDED];
        bool current = p->last == b->current || w->last == b->current;
        if (w->last == b->current) w->last = RP_NONE;
        if (earlier != RP_NONE) add_whole_reader(b, w, earlier);
        if (current) add_whole_reader(b, w, b->current);
        return !b->failed;
    }
    cell c = cell_of(b, *child);
    bool top = c.readers != RP_NONE && b->readers[c.readers].vertex == b->current;
    if (top) c.readers = b->readers[c.readers].next;
    if (earlier != RP_NONE) c.readers = push_reader(b, earlier, c.readers);
    if (top || p->last == b->current) c.readers = push_reader(b, b->current, c.readers);
    *child = push_cell(b, c);
    return !b->failed;
}

static rp_fold_owner owner(builder *b) {
    return (rp_fold_owner){b, fold_made, fold_opened};
}

/* ---- Uses ------------------------------------------------------------------------------------ */

static void add_readers(builder *b, uint32_t readers) {
    for (uint32_t r = readers; r != RP_NONE; r = b->readers[r].next)
        add_edge(b, b->readers[r].vertex, b->current);
}

static uint32_t read_fold(builder *b, uint32_t value) {
    whole *w = &b->wholes[value & ~RP_FOLDED];
    add_edge(b, w->writer, b->current);
    add_whole_reader(b, w, b->current);
    return value;
}

static uint32_t on_read(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    builder *b = context;
    (void)lo, (void)hi;
    if (b->read_pieces++ >= b->read_limit) return value; /* will be folded */
    if (rp_is_fold(value)) return read_fold(b, value);
    if (value == b->read_cell && b->read_result != RP_ABSENT) return b->read_result;
    cell c = cell_of(b, value);
    add_edge(b, c.writer, b->current);
    if (c.readers != RP_NONE && b->readers[c.readers].vertex == b->current) return value;
    b->read_cell = value;
    c.readers = push_reader(b, b->current, c.readers);
    return b->read_result = push_cell(b, c);
}

static uint32_t on_write(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    builder *b = context;
    if (value == RP_ABSENT) return b->fresh;
    if (!rp_is_fold(value)) {
        add_edge(b, b->cells[value].writer, b->current);
        add_readers(b, b->cells[value].readers);
        return b->fresh;
    }
    /* The fold ends here: what its pieces know counts as well. */
    const whole *w = &b->wholes[value & ~RP_FOLDED];
    add_edge(b, w->writer, b->current);
    add_edge(b, w->last, b->current);
    add_readers(b, w->readers);
    const rp_interval *pieces = rp_fold_pieces(&b->folds, value);
    for (uint32_t i = 0; i < rp_fold_count(&b->folds, value); i++) {
        uint32_t child = pieces[i].value;
        if (rp_is_fold(child))
            on_write(b, lo, hi, child);
        else if (child != RP_ABSENT)
            add_readers(b, b->cells[child].readers);
    }
    return b->fresh;
}

static bool add_write(builder *b, rp_interval_map *map, uint64_t lo, uint64_t hi) {
    b->fresh = push_cell(b, (cell){b->current, RP_NONE});
    return !b->failed && rp_interval_map_update(b->a, map, lo, hi, on_write, b) && !b->failed;
}

static bool add_read(builder *b, rp_interval_map *map, uint64_t lo, uint64_t hi) {
    const rp_fold_owner own = owner(b);
    b->read_cell = b->read_result = RP_ABSENT;
    b->read_pieces = 0;
    b->read_limit = RP_FOLD_WIDTH;
    if (!rp_interval_map_update(b->a, map, lo, hi, on_read, b)) return false;
    if (b->read_pieces <= RP_FOLD_WIDTH) return true;
    if (!rp_fold_range(b->a, &b->folds, map, lo, hi, &own)) return false;
    b->read_cell = b->read_result = RP_ABSENT;
    b->read_limit = UINT32_MAX;
    return rp_interval_map_update(b->a, map, lo, hi, on_read, b);
}

static bool add_use(void *context, const rp_graph_node *node, uint32_t use) {
    builder *b = context;
    const rp_graph_use *u = &b->graph->uses[use];
    if (!rp_buffer_can_change(&b->graph->buffers[u->buffer])) return true;
    const rp_fold_owner own = owner(b);
    rp_interval_map *map = &b->maps[u->buffer];
    uint64_t lo = u->offset, hi = lo + u->size;
    (void)node;
    return rp_fold_cut(b->a, &b->folds, map, lo, hi, &own) &&
           (rp_access_writes(u->access) ? add_write : add_read)(b, map, lo, hi);
}

bool rp_source_order(const rp_graph *g, uint32_t *order) {
    bool sorted = true;
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        order[i] = i;
        if (i && g->nodes[i].id < g->nodes[i - 1].id) sorted = false;
    }
    if (sorted) return true;
    rp_sort_item *keys = rp_alloc(&g->allocator, g->nodes_count, sizeof *keys);
    if (!keys) return false;
    for (uint32_t i = 0; i < g->nodes_count; i++) keys[i] = (rp_sort_item){g->nodes[i].id, i};
    bool ok = rp_sort(&g->allocator, keys, g->nodes_count);
    for (uint32_t i = 0; ok && i < g->nodes_count; i++) order[i] = keys[i].value;
    rp_release(&g->allocator, keys);
    return ok;
}

static void add_vertices(builder *b) {
    for (uint32_t v = 0; v < b->deps->node_count && !b->failed; v++) {
        const rp_graph_node *node = &b->graph->nodes[b->deps->node[v]];
        b->current = v;
        add_edge(b, b->order_vertex, v);
        if (rp_node_orders_all(node)) {
            for (uint32_t i = b->since_order; i < v; i++) add_edge(b, i, v);
            b->order_vertex = v;
            b->since_order = v + 1;
        }
        if (!rp_node_visit_uses(b->graph, node, add_use, b) ||
            !RP_RESERVE(b->a, b->order, b->order_count, b->order_capacity, 1))
            b->failed = true;
        else
            b->order[b->order_count++] = v;
    }
}

/* Sorts the edges by their end `key` into rows: first[v] .. first[v + 1]. */
static bool to_rows(const rp_allocator *a, uint32_t vertices, uint32_t edges, const uint32_t *key,
                    const uint32_t *other, uint32_t **out_first, uint32_t **out_list) {
    uint32_t *first = rp_alloc_zero(a, (size_t)vertices + 1, sizeof *first);
    uint32_t *list = rp_alloc(a, edges, sizeof *list);
    *out_first = first;
    *out_list = list;
    if (!first || !list) return false;
    for (uint32_t e = 0; e < edges; e++) first[key[e] + 1]++;
    for (uint32_t v = 0; v < vertices; v++) first[v + 1] += first[v];
    for (uint32_t e = edges; e--;) list[--first[key[e] + 1]] = other[e];
    /* Filling from behind moved every start to where its row begins: shift them back. */
    for (uint32_t v = 0; v < vertices; v++) first[v] = first[v + 1];
    first[vertices] = edges;
    return true;
}

static bool finish(builder *b) {
    rp_deps *d = b->deps;
    d->edge_count = b->from_count;
    d->order = b->order;
    b->order = NULL;
    d->weight = rp_alloc_zero(b->a, d->vertex_count, 1);
    if (!d->weight) return false;
    for (uint32_t v = 0; v < d->node_count; v++) d->weight[v] = weight_of(b, v);
    return to_rows(b->a, d->vertex_count, d->edge_count, b->to, b->from, &d->first_pred,
                   &d->pred) &&
           to_rows(b->a, d->vertex_count, d->edge_count, b->from, b->to, &d->first_succ, &d->succ);
}

/* Room for a cell, a reader and an edge of each use: what grows is copied again and again. */
static bool begin(builder *b) {
    const rp_graph *g = b->graph;
    b->maps = rp_alloc_zero(b->a, g->buffers_count, sizeof *b->maps);
    b->mark = rp_alloc_zero(b->a, g->nodes_count, sizeof *b->mark);
    b->mark_count = b->mark_capacity = g->nodes_count;
    b->deps->node = rp_alloc(b->a, g->nodes_count, sizeof *b->deps->node);
    return b->maps && b->mark && b->deps->node && rp_source_order(g, b->deps->node) &&
           RP_RESERVE(b->a, b->cells, 0, b->cells_capacity, g->uses_count) &&
           RP_RESERVE(b->a, b->readers, 0, b->readers_capacity, g->uses_count);
}

static bool begin_depth(builder *b) {
    if (!RP_RESERVE(b->a, b->depth, 0, b->depth_capacity, b->graph->nodes_count + 1)) return false;
    b->depth_count = b->graph->nodes_count;
    for (uint32_t v = 0; v < b->depth_count; v++) b->depth[v] = weight_of(b, v);
    return true;
}

static void release(builder *b) {
    for (uint32_t i = 0; b->maps && i < b->graph->buffers_count; i++)
        rp_interval_map_free(b->a, &b->maps[i]);
    rp_release(b->a, b->maps);
    rp_release(b->a, b->mark);
    rp_release(b->a, b->depth);
    rp_release(b->a, b->readers);
    rp_release(b->a, b->cells);
    rp_release(b->a, b->wholes);
    rp_folds_free(b->a, &b->folds);
    rp_release(b->a, b->from);
    rp_release(b->a, b->to);
    rp_release(b->a, b->order);
}

rp_status rp_deps_build(const rp_graph *graph, rp_deps *out) {
    *out = (rp_deps){.node_count = graph->nodes_count, .vertex_count = graph->nodes_count};
    builder b = {.a = &graph->allocator, .graph = graph, .deps = out, .order_vertex = RP_NONE};
    b.failed = !begin(&b) || !RP_RESERVE(b.a, b.from, 0, b.from_capacity, graph->uses_count) ||
               !RP_RESERVE(b.a, b.to, 0, b.to_capacity, graph->uses_count);
    if (!b.failed) add_vertices(&b);
    if (!b.failed) b.failed = !finish(&b);
    release(&b);
    if (!b.failed) return RP_OK;
    rp_deps_free(graph, out);
    return RP_ERROR_NO_MEMORY;
}

rp_status rp_deps_deepest(const rp_graph *graph, uint32_t *out_depth) {
    rp_deps deps = {.node_count = graph->nodes_count, .vertex_count = graph->nodes_count};
    builder b = {.a = &graph->allocator, .graph = graph, .deps = &deps, .order_vertex = RP_NONE};
    *out_depth = 0;
    b.failed = !begin(&b) || !begin_depth(&b);
    if (!b.failed) add_vertices(&b);
    for (uint32_t v = 0; !b.failed && v < b.depth_count; v++)
        if (b.depth[v] > *out_depth) *out_depth = b.depth[v];
    release(&b);
    rp_deps_free(graph, &deps);
    return b.failed ? RP_ERROR_NO_MEMORY : RP_OK;
}

void rp_deps_free(const rp_graph *graph, rp_deps *deps) {
    const rp_allocator *a = &graph->allocator;
    rp_release(a, deps->node);
    rp_release(a, deps->order);
    rp_release(a, deps->first_pred);
    rp_release(a, deps->pred);
    rp_release(a, deps->first_succ);
    rp_release(a, deps->succ);
    rp_release(a, deps->weight);
    *deps = (rp_deps){0};
}

uint32_t rp_deps_depth(const rp_deps *deps, uint32_t *depth) {
    uint32_t deepest = 0;
    for (uint32_t i = 0; i < deps->vertex_count; i++) {
        uint32_t v = deps->order[i], longest = 0;
        for (uint32_t e = deps->first_pred[v]; e < deps->first_pred[v + 1]; e++)
            if (depth[deps->pred[e]] > longest) longest = depth[deps->pred[e]];
        depth[v] = longest + deps->weight[v];
        if (depth[v] > deepest) deepest = depth[v];
    }
    return deepest;
}
