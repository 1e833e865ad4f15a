/* Dependences of source order; see deps.h.
 *
 * The nodes are walked once in id order. For every byte the map knows the last writer and the
 * readers since then, as an immutable list: pieces of a range that was cut share the list. A list
 * that would grow beyond LIST_MAX is replaced by a join of its members, so that whoever overwrites
 * the bytes adds at most LIST_MAX + 1 edges. Comparing each node with all before it, or each writer
 * with all readers, would be quadratic in wide graphs. Cost: O(uses log pieces + edges). */
#include "graph/deps.h"

#include <stdlib.h>

#include "base/interval_map.h"

enum { LIST_MAX = 16 };

/* A cell of a reader list. */
typedef struct reader {
    uint32_t vertex, next, length;
} reader;

/* What is known of some bytes. */
typedef struct cell {
    uint32_t writer, readers; /* vertex and list, RP_NONE for none */
} cell;

typedef struct builder {
    const rp_allocator *a;
    const rp_graph *graph;
    rp_deps *deps;
    rp_interval_map *maps; /* per buffer */
    RP_ARRAY(reader, readers);
    RP_ARRAY(cell, cells);
    RP_ARRAY(uint32_t, from); /* edges */
    RP_ARRAY(uint32_t, to);
    RP_ARRAY(uint32_t, order);
    RP_ARRAY(uint32_t, mark);        /* per vertex: the last vertex an edge of it goes to, plus 1 */
    uint32_t current;                /* the vertex being added */
    uint32_t order_vertex;           /* the last fence or node without uses */
    uint32_t since_order;            /* first vertex behind it */
    uint32_t read_cell, read_result; /* the last cell that was read, and what became of it */
    bool failed;
} builder;

static void add_edge(builder *b, uint32_t from, uint32_t to) {
    if (from == RP_NONE || from == to || b->mark[from] == to + 1 || b->failed) return;
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
    uint32_t vertex = b->deps->vertex_count++;
    b->mark[b->mark_count++] = 0;
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
    if (!RP_RESERVE(b->a, b->cells, b->cells_count, b->cells_capacity, 1)) {
        b->failed = true;
        return RP_ABSENT;
    }
    b->cells[b->cells_count] = c;
    return b->cells_count++;
}

static uint32_t on_read(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    builder *b = context;
    (void)lo, (void)hi;
    if (value == b->read_cell && b->read_result != RP_ABSENT) return b->read_result;
    cell c = value == RP_ABSENT ? (cell){RP_NONE, RP_NONE} : b->cells[value];
    add_edge(b, c.writer, b->current);
    if (c.readers != RP_NONE && b->readers[c.readers].vertex == b->current) return value;
    b->read_cell = value;
    c.readers = push_reader(b, b->current, c.readers);
    return b->read_result = push_cell(b, c);
}

static uint32_t on_write(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    builder *b = context;
    (void)lo, (void)hi;
    if (value == RP_ABSENT) return value;
    cell c = b->cells[value];
    add_edge(b, c.writer, b->current);
    for (uint32_t r = c.readers; r != RP_NONE; r = b->readers[r].next)
        add_edge(b, b->readers[r].vertex, b->current);
    return value;
}

static void add_uses(builder *b, const rp_graph_node *node) {
    const rp_graph_use *uses = rp_node_uses(b->graph, node);
    for (uint32_t i = 0; i < node->use_count && !b->failed; i++) {
        const rp_graph_use *u = &uses[i];
        rp_interval_map *map = &b->maps[u->buffer];
        uint64_t end = u->offset + u->size;
        b->read_cell = b->read_result = RP_ABSENT;
        if (rp_access_writes(u->access)) {
            rp_interval_map_each(map, u->offset, end, on_write, b);
            uint32_t fresh = push_cell(b, (cell){b->current, RP_NONE});
            if (!b->failed && !rp_interval_map_set(b->a, map, u->offset, end, fresh))
                b->failed = true;
        } else if (!rp_interval_map_update(b->a, map, u->offset, end, on_read, b)) {
            b->failed = true;
        }
    }
}

static int by_id(const void *left, const void *right) {
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* Fills deps->node: indices of nodes[] in ascending id order. */
static bool sort_nodes(builder *b) {
    uint32_t n = b->graph->nodes_count;
    uint64_t *keys = rp_alloc(b->a, n, sizeof *keys);
    if (!keys) return false;
    bool sorted = true;
    for (uint32_t i = 0; i < n; i++) {
        keys[i] = (uint64_t)b->graph->nodes[i].id << 32 | i;
        if (i && keys[i] < keys[i - 1]) sorted = false;
    }
    if (!sorted) qsort(keys, n, sizeof *keys, by_id);
    for (uint32_t i = 0; i < n; i++) b->deps->node[i] = (uint32_t)keys[i];
    rp_release(b->a, keys);
    return true;
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
        add_uses(b, node);
        if (!RP_RESERVE(b->a, b->order, b->order_count, b->order_capacity, 1))
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
    for (uint32_t v = 0; v < d->node_count; v++)
        d->weight[v] = b->graph->nodes[d->node[v]].kind != RP_FENCE;
    return to_rows(b->a, d->vertex_count, d->edge_count, b->to, b->from, &d->first_pred,
                   &d->pred) &&
           to_rows(b->a, d->vertex_count, d->edge_count, b->from, b->to, &d->first_succ, &d->succ);
}

rp_status rp_deps_build(const rp_graph *graph, rp_deps *out) {
    const rp_allocator *a = &graph->allocator;
    *out = (rp_deps){.node_count = graph->nodes_count, .vertex_count = graph->nodes_count};
    builder b = {.a = a, .graph = graph, .deps = out, .order_vertex = RP_NONE};
    b.maps = rp_alloc_zero(a, graph->buffers_count, sizeof *b.maps);
    b.mark = rp_alloc_zero(a, graph->nodes_count, sizeof *b.mark);
    b.mark_count = b.mark_capacity = graph->nodes_count;
    out->node = rp_alloc(a, graph->nodes_count, sizeof *out->node);
    b.failed = !b.maps || !b.mark || !out->node || !sort_nodes(&b);
    if (!b.failed) add_vertices(&b);
    if (!b.failed) b.failed = !finish(&b);

    for (uint32_t i = 0; b.maps && i < graph->buffers_count; i++)
        rp_interval_map_free(a, &b.maps[i]);
    rp_release(a, b.maps);
    rp_release(a, b.mark);
    rp_release(a, b.readers);
    rp_release(a, b.cells);
    rp_release(a, b.from);
    rp_release(a, b.to);
    rp_release(a, b.order);
    if (!b.failed) return RP_OK;
    rp_deps_free(graph, out);
    return RP_ERROR_NO_MEMORY;
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
