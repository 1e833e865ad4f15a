/* fuse, dataflow: which op's output each op's input finds, decided by bytes.
 *
 * The nodes are walked in id order over a map from bytes to the last writer. An input that finds
 * one op's output, all of it and nothing else, as the same type, reads that output's value; shapes
 * may differ, since elements are dense. Everything else that looks at those bytes (a slice, another
 * type, a shader of the user's own) makes the output escape: it must be in memory. So does a buffer
 * that outlives the replay. */
#include "fuse.h"

#include "base/interval_map.h"

/* Map values below this are operands; others are OTHER | node. */
#define OTHER UINT32_C(0x80000000)

typedef struct walk {
    const rp_graph *g;
    rp_fuse_values *v;
    rp_interval_map *maps;
    uint32_t *last_reader; /* output -> the end of its list of readers */
    uint32_t node;         /* that reads */
    uint32_t pieces, found;
    bool spread; /* the read goes beyond one whole output */
} walk;

static const rp_graph_use *use_of(const rp_graph *g, const rp_fuse_values *v, uint32_t operand) {
    return &rp_node_uses(g, &g->nodes[v->node[operand]])[g->operands[operand].use];
}

static uint32_t on_piece(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    walk *w = context;
    (void)lo, (void)hi;
    w->pieces++;
    w->found = value;
    return value;
}

static uint32_t on_escape(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    walk *w = context;
    (void)lo, (void)hi;
    if (value == RP_ABSENT || value & OTHER || w->v->escape[value]) return value;
    w->v->escape[value] = RP_FUSE_IS_SHARED;
    w->v->other[value] = w->node;
    return value;
}

static void read_bytes(walk *w, const rp_graph_use *u) {
    rp_interval_map_each(&w->maps[u->buffer], u->offset, u->offset + u->size, on_escape, w);
}

/* The same dtype, and as many elements at all live sizes. */
static bool same_type(const rp_graph *g, uint32_t a, uint32_t b) {
    const rp_graph_operand *x = &g->operands[a], *y = &g->operands[b];
    return x->dtype == y->dtype &&
           rp_dims_powers(g, x->first_dim, x->rank) == rp_dims_powers(g, y->first_dim, y->rank);
}

/* An input of an op node: linked to the output it finds whole, or a reader like any other. */
static void read_operand(walk *w, uint32_t operand) {
    const rp_graph *g = w->g;
    const rp_graph_use *u = use_of(g, w->v, operand);
    w->pieces = 0;
    rp_interval_map_each(&w->maps[u->buffer], u->offset, u->offset + u->size, on_piece, w);
    uint32_t output = w->pieces == 1 ? w->found : RP_ABSENT;
    const rp_graph_use *o = output == RP_ABSENT || output & OTHER ? NULL : use_of(g, w->v, output);
    bool whole = o && o->offset == u->offset && o->size == u->size && u->access == RP_READ &&
                 o->access == RP_WRITE && same_type(g, operand, output);
    if (!whole) {
        read_bytes(w, u);
        return;
    }
    w->v->writer[operand] = output;
    uint32_t last = w->last_reader[output];
    *(last == RP_NONE ? &w->v->first_reader[output] : &w->v->next_reader[last]) = operand;
    w->last_reader[output] = operand;
}

static bool write_bytes(walk *w, const rp_graph_use *u, uint32_t value) {
    return rp_interval_map_set(&w->g->allocator, &w->maps[u->buffer], u->offset,
                               u->offset + u->size, value);
}

static bool walk_use(void *context, const rp_graph_node *node, uint32_t use) {
    walk *w = context;
    const rp_graph_use *u = &w->g->uses[use];
    if (!rp_use_overwrites(node, u)) read_bytes(w, u);
    return !rp_access_writes(u->access) || write_bytes(w, u, OTHER | w->node);
}

static bool walk_node(walk *w, uint32_t index) {
    const rp_graph *g = w->g;
    const rp_graph_node *n = &g->nodes[index];
    w->node = index;
    if (!rp_fuse_is_single(n)) return rp_node_visit_uses(g, n, walk_use, w);
    const rp_graph_member *m = rp_node_members(g, n);
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t k = m->first_operand; k < m->first_operand + m->operand_count; k++) {
            const rp_graph_operand *o = &g->operands[k];
            if (o->absent || o->use == RP_NONE) continue;
            const rp_graph_use *u = &rp_node_uses(g, n)[o->use];
            w->v->node[k] = index;
            if (pass == 0 && u->access != RP_WRITE) read_operand(w, k);
            if (pass == 0 && u->access == RP_WRITE && !rp_use_overwrites(n, u)) read_bytes(w, u);
            if (pass == 0 || !rp_access_writes(u->access)) continue;
            if (g->buffers[u->buffer].kind != RP_TMP) w->v->escape[k] = RP_FUSE_IS_RESULT;
            if (!write_bytes(w, u, u->access == RP_WRITE ? k : OTHER | index)) return false;
        }
    return true;
}

rp_status rp_fuse_values_build(const rp_graph *g, rp_fuse_values *out) {
    const rp_allocator *a = &g->allocator;
    uint32_t count = g->operands_count;
    *out = (rp_fuse_values){
        .node = rp_alloc(a, count, sizeof *out->node),
        .writer = rp_alloc(a, count, sizeof *out->writer),
        .first_reader = rp_alloc(a, count, sizeof *out->first_reader),
        .next_reader = rp_alloc(a, count, sizeof *out->next_reader),
        .escape = rp_alloc_zero(a, count, sizeof *out->escape),
        .other = rp_alloc(a, count, sizeof *out->other),
    };
    walk w = {.g = g, .v = out};
    w.maps = rp_alloc_zero(a, g->buffers_count, sizeof *w.maps);
    w.last_reader = rp_alloc(a, count, sizeof *w.last_reader);
    bool ok = out->node && out->writer && out->first_reader && out->next_reader && out->escape &&
              out->other && w.maps && w.last_reader && count < OTHER && g->nodes_count < OTHER;
    for (uint32_t i = 0; ok && i < count; i++)
        out->node[i] = out->writer[i] = out->first_reader[i] = out->next_reader[i] = out->other[i] =
            w.last_reader[i] = RP_NONE;
    for (uint32_t i = 0; ok && i < g->nodes_count; i++) ok = walk_node(&w, i);
    for (uint32_t i = 0; w.maps && i < g->buffers_count; i++) rp_interval_map_free(a, &w.maps[i]);
    rp_release(a, w.maps);
    rp_release(a, w.last_reader);
    return ok ? RP_OK : RP_ERROR_NO_MEMORY;
}

void rp_fuse_values_free(const rp_graph *g, rp_fuse_values *v) {
    const rp_allocator *a = &g->allocator;
    rp_release(a, v->node);
    rp_release(a, v->writer);
    rp_release(a, v->first_reader);
    rp_release(a, v->next_reader);
    rp_release(a, v->escape);
    rp_release(a, v->other);
}
