/* Random source graphs; see random_graph.h.
 *
 * Nodes are made one after the other. A read mostly takes bytes that an earlier node wrote: the
 * same range, a part of it, or a range around it; a write takes a whole buffer or a slice. Uses of
 * one node must not overlap when one of them writes, unless they are the very same range: unfit
 * choices are dropped. Uses stand in any order: it means nothing. */
#include "support/cases.h"
#include "support/random_graph.h"

#include <stdio.h>
#include <stdlib.h>

enum { FOLLOWER_WORDS = 3, ADDRESSED_BYTES = 12 };
enum { MAX_USES = 6, MAX_FAILURES = 3, BURST_SLICES = 20, BURST_NODES = BURST_SLICES + 12 };

typedef struct spec_buffer {
    uint8_t kind;
    uint32_t words;
} spec_buffer;

typedef struct spec_node {
    uint8_t kind, grid_kind;
    bool unknown, optional;
    uint32_t grid, number; /* number: in push data, so that no two nodes compute the same */
    uint32_t use_count;
    rp_graph_use uses[MAX_USES]; /* an indirect grid comes last */
} spec_node;

struct rp_random_graph {
    uint64_t seed;
    spec_buffer *buffers;
    uint32_t buffer_count;
    spec_node *nodes;
    uint32_t node_count;
};

/* ---- Numbers --------------------------------------------------------------------------------- */

uint64_t rp_random_next(rp_random *r) { /* splitmix64 */
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t rp_random_below(rp_random *r, uint32_t limit) {
    return limit ? (uint32_t)(rp_random_next(r) % limit) : 0;
}

bool rp_random_percent(rp_random *r, uint32_t percent) {
    return rp_random_below(r, 100) < percent;
}

rp_random_shape rp_random_shape_of(uint64_t seed) {
    rp_random r = {seed ^ 0x5eed};
    static const uint32_t reaches[] = {1, 2, 4, 16, 64};
    static const uint32_t sizes[] = {1, 16, 64, 256, 1024, 16384};
    rp_random_shape s = {
        .nodes = 2 + rp_random_below(&r, rp_random_percent(&r, 30) ? 60 : 24),
        .transients = 1 + rp_random_below(&r, 12),
        .reach = reaches[rp_random_below(&r, 5)],
        .max_words = sizes[rp_random_below(&r, rp_random_percent(&r, 10) ? 6 : 5)],
        .slices = rp_random_percent(&r, 30) ? 0 : rp_random_below(&r, 70),
        .partial = rp_random_below(&r, 30),
        .in_place = rp_random_percent(&r, 50) ? 0 : rp_random_below(&r, 60),
        .transfers = rp_random_percent(&r, 40) ? 0 : rp_random_below(&r, 40),
        .results = 5 + rp_random_below(&r, 30),
        .undefined = rp_random_percent(&r, 60) ? 0 : 5,
        .fences = rp_random_percent(&r, 70) ? 0 : 8,
        .unknown = rp_random_percent(&r, 90) ? 0 : 6,
        .live = rp_random_percent(&r, 60) ? 0 : 15,
        .indirect = rp_random_percent(&r, 60) ? 0 : 15,
    };
    s.bursts = rp_random_percent(&r, 65) ? 0 : 20;
    s.optional = rp_random_percent(&r, 60) ? 0 : 1 + rp_random_below(&r, 40);
    s.addressed = rp_random_percent(&r, 70) ? 0 : 1 + rp_random_below(&r, 50);
    if (s.bursts) s.nodes += 2 * BURST_NODES;
    return s;
}

/* ---- Making nodes ---------------------------------------------------------------------------- */

/* Where the buffers of each kind begin: in, weight, live, inout, out, then transients. */
typedef struct maker {
    rp_random r;
    rp_random_shape shape;
    rp_random_graph *g;
    rp_graph_use *writes; /* all writes so far */
    uint32_t write_count;
    uint32_t first_result, first_transient;
} maker;

static uint32_t live_buffer(const rp_random_graph *g) {
    uint32_t i = 0;
    while (g->buffers[i].kind != RP_LIVE) i++;
    return i;
}

static void add_buffer(maker *m, uint8_t kind, uint32_t words) {
    m->g->buffers[m->g->buffer_count++] = (spec_buffer){kind, words};
}

static uint32_t random_words(maker *m) {
    uint32_t limit = m->shape.max_words;
    for (uint32_t i = rp_random_below(&m->r, 4); i > 0 && limit > 1; i--) limit /= 2;
    return rp_random_percent(&m->r, 40) ? limit : 1 + rp_random_below(&m->r, limit);
}

static void make_buffers(maker *m) {
    for (uint32_t i = 1 + rp_random_below(&m->r, 3); i > 0; i--)
        add_buffer(m, RP_IN, random_words(m));
    for (uint32_t i = rp_random_below(&m->r, 3); i > 0; i--)
        add_buffer(m, RP_WEIGHT, random_words(m));
    add_buffer(m, RP_LIVE, 4);
    if (m->g->seed % 3 == 0) add_buffer(m, RP_LIVE, FOLLOWER_WORDS); /* follows the one before */
    m->first_result = m->g->buffer_count;
    for (uint32_t i = rp_random_below(&m->r, 3); i > 0; i--)
        add_buffer(m, RP_INOUT, random_words(m));
    for (uint32_t i = 1 + rp_random_below(&m->r, 2); i > 0; i--)
        add_buffer(m, RP_OUT, random_words(m));
    m->first_transient = m->g->buffer_count;
    for (uint32_t i = 0; i < m->shape.transients; i++) add_buffer(m, RP_TMP, random_words(m));
}

static rp_graph_use slice(maker *m, uint32_t buffer, uint8_t access) {
    uint32_t words = m->g->buffers[buffer].words;
    rp_graph_use u = {.buffer = buffer, .access = access, .size = words * 4u};
    if (!rp_random_percent(&m->r, m->shape.slices)) return u;
    /* Halves and quarters often meet exactly; other cuts seldom do. */
    uint32_t unit = rp_random_percent(&m->r, 70) && words >= 4 ? words / 4 : 1;
    uint32_t units = words / unit, from = rp_random_below(&m->r, units);
    u.offset = (uint64_t)from * unit * 4;
    u.size = (1 + rp_random_below(&m->r, units - from)) * (uint64_t)unit * 4;
    return u;
}

static rp_graph_use random_read(maker *m) {
    uint32_t any = rp_random_below(&m->r, 100);
    if (m->write_count == 0 || any < 20) { /* inputs and weights */
        uint32_t buffer = rp_random_below(&m->r, m->first_result);
        bool uniform = m->g->buffers[buffer].kind == RP_LIVE || rp_random_percent(&m->r, 10);
        return slice(m, buffer, uniform ? RP_UNIFORM : RP_READ);
    }
    if (any < 20 + m->shape.undefined || any < 23)
        return slice(m,
                     any < 23 ? m->first_result +
                                    rp_random_below(&m->r, m->first_transient - m->first_result)
                              : rp_random_below(&m->r, m->g->buffer_count),
                     RP_READ);
    uint32_t reach = m->shape.reach < m->write_count ? m->shape.reach : m->write_count;
    rp_graph_use u = m->writes[m->write_count - 1 - rp_random_below(&m->r, reach)];
    u.access = rp_random_percent(&m->r, 8) ? RP_UNIFORM : RP_READ;
    if (rp_random_percent(&m->r, m->shape.slices / 2) && u.size >= 8) {
        uint64_t half = u.size / 8 * 4;
        if (rp_random_percent(&m->r, 50)) u.offset += half;
        u.size = half;
    } else if (m->shape.undefined && rp_random_percent(&m->r, 20)) {
        u.offset = 0;
        u.size = m->g->buffers[u.buffer].words * 4u;
    }
    return u;
}

static rp_graph_use random_write(maker *m) {
    uint32_t buffer = m->first_transient + rp_random_below(&m->r, m->shape.transients);
    if (rp_random_percent(&m->r, m->shape.results))
        buffer = m->first_result + rp_random_below(&m->r, m->first_transient - m->first_result);
    return slice(m, buffer, rp_random_percent(&m->r, m->shape.partial) ? RP_READ_WRITE : RP_WRITE);
}

static bool writes(const rp_graph_use *u) {
    return rp_access_writes(u->access);
}

/* Whether a use fits beside those the node has. */
static bool fits(const spec_node *n, const rp_graph_use *u) {
    for (uint32_t i = 0; i < n->use_count; i++) {
        const rp_graph_use *v = &n->uses[i];
        if (u->buffer != v->buffer || (!writes(u) && !writes(v))) continue;
        if (u->offset >= v->offset + v->size || v->offset >= u->offset + u->size) continue;
        bool in_place = u->offset == v->offset && u->size == v->size && !u->indirect &&
                        !v->indirect && n->kind == RP_RUN && u->access != RP_UNIFORM &&
                        v->access != RP_UNIFORM && writes(u) != writes(v);
        if (!in_place) return false;
    }
    return true;
}

static void add_use(spec_node *n, rp_graph_use u) {
    if (n->use_count < MAX_USES && fits(n, &u)) n->uses[n->use_count++] = u;
}

/* A range to be read and written through two uses: mostly bytes that earlier nodes wrote. */
static void add_in_place(maker *m, spec_node *n) {
    rp_graph_use read = rp_random_percent(&m->r, 70) ? random_read(m) : random_write(m);
    rp_graph_use write = read;
    read.access = RP_READ;
    write.access = rp_random_percent(&m->r, m->shape.partial) ? RP_READ_WRITE : RP_WRITE;
    if (read.buffer < m->first_result || !fits(n, &read) || !fits(n, &write)) return;
    add_use(n, read);
    add_use(n, write);
}

static void shuffle_uses(maker *m, spec_node *n) {
    for (uint32_t i = n->use_count; i > 1; i--) {
        uint32_t k = rp_random_below(&m->r, i);
        rp_graph_use swap = n->uses[i - 1];
        n->uses[i - 1] = n->uses[k];
        n->uses[k] = swap;
    }
}

static void make_transfer(maker *m, spec_node *n) {
    rp_graph_use to = random_write(m), from = random_read(m);
    to.access = RP_WRITE;
    from.access = RP_READ;
    n->kind = rp_random_percent(&m->r, 60)   ? RP_COPY
              : rp_random_percent(&m->r, 50) ? RP_FILL
                                             : RP_UPDATE;
    if (n->kind == RP_UPDATE && to.size > 256) to.size = 256;
    if (n->kind == RP_COPY) {
        to.size = from.size = to.size < from.size ? to.size : from.size;
        n->uses[n->use_count++] = from;
        if (!fits(n, &to)) {
            n->kind = RP_FILL;
            n->use_count = 0;
        }
    }
    n->uses[n->use_count++] = to;
}

/* Through an address memory is read or written, never read as a uniform is. */
static void address_last(spec_node *n) {
    rp_graph_use *last = &n->uses[n->use_count - 1];
    last->addressed = true;
    if (last->access == RP_UNIFORM) last->access = RP_READ;
}

static void make_run(maker *m, spec_node *n) {
    n->kind = RP_RUN;
    n->grid = 1 + rp_random_below(&m->r, 100);
    if (rp_random_percent(&m->r, m->shape.live)) n->grid_kind = RP_GRID_LIVE;
    rp_graph_use grid = random_read(m);
    grid.access = RP_READ;
    grid.indirect = true;
    bool indirect = rp_random_percent(&m->r, m->shape.indirect) && grid.size >= 12;
    grid.size = 12;
    if (rp_random_percent(&m->r, m->shape.in_place)) add_in_place(m, n);
    for (uint32_t i = rp_random_below(&m->r, 4); i > 0; i--) add_use(n, random_read(m));
    for (uint32_t i = 1 + rp_random_below(&m->r, 10) / 8; i > 0; i--) add_use(n, random_write(m));
    shuffle_uses(m, n);
    if (m->shape.addressed && n->use_count > 0 && rp_random_percent(&m->r, m->shape.addressed))
        address_last(n);
    if (indirect && n->use_count < MAX_USES && fits(n, &grid)) {
        n->grid_kind = RP_GRID_INDIRECT;
        n->uses[n->use_count++] = grid;
    }
    if (n->use_count == 0) n->uses[n->use_count++] = random_read(m);
}

static void add_writes(maker *m, const spec_node *n) {
    for (uint32_t i = 0; i < n->use_count; i++) {
        if (!writes(&n->uses[i])) continue;
        m->writes[m->write_count] = n->uses[i];
        m->writes[m->write_count++].addressed = false;
    }
}

static void make_node(maker *m, spec_node *n) {
    uint32_t number = m->g->node_count;
    *n = (spec_node){.number = number};
    if (rp_random_percent(&m->r, m->shape.fences))
        n->kind = RP_FENCE;
    else if (rp_random_percent(&m->r, m->shape.unknown))
        n->unknown = true, n->grid = 1;
    else if (rp_random_percent(&m->r, m->shape.transfers))
        make_transfer(m, n);
    else
        make_run(m, n);
    add_writes(m, n);
    n->optional = m->shape.optional && n->kind == RP_RUN && n->grid_kind != RP_GRID_INDIRECT &&
                  rp_random_percent(&m->r, m->shape.optional);
    m->g->node_count++;
}

static spec_node *begin_run(maker *m) {
    spec_node *n = &m->g->nodes[m->g->node_count];
    *n = (spec_node){.kind = RP_RUN, .grid = 1, .number = m->g->node_count++};
    return n;
}

/* A node that reads the range and mostly what the latest node wrote, so that it comes late. */
static void read_behind(maker *m, rp_graph_use range) {
    spec_node *n = begin_run(m);
    rp_graph_use before = m->writes[m->write_count - 1];
    before.access = RP_READ;
    add_use(n, range);
    if (rp_random_percent(&m->r, 65)) add_use(n, before);
    add_use(n, random_write(m));
    add_writes(m, n);
}

/* A transient written slice by slice, by so many nodes that who reads it as a whole reads a fold
 * (base/fold.h). Nodes that read slices, then all of it, form a chain, so that the last comes late;
 * then a node writes all of it again, and must wait for each of them. */
static void make_burst(maker *m) {
    uint32_t buffer = m->first_transient + rp_random_below(&m->r, m->shape.transients);
    uint32_t slices = BURST_SLICES - rp_random_below(&m->r, 4);
    uint64_t size = m->g->buffers[buffer].words / slices * 4;
    if (size == 0 || m->shape.nodes - m->g->node_count < BURST_NODES) return;
    rp_graph_use whole = {.buffer = buffer, .access = RP_READ, .size = slices * size}, part = whole;
    part.size = size;
    for (uint32_t i = 0; i < slices; i++) {
        spec_node *n = begin_run(m);
        part.access = RP_WRITE;
        part.offset = i * size;
        add_use(n, part);
        add_use(n, random_read(m));
        m->writes[m->write_count++] = part;
    }
    part.access = RP_READ;
    for (uint32_t i = 2 + rp_random_below(&m->r, 3); i > 0; i--) {
        part.offset = rp_random_below(&m->r, slices) * size;
        read_behind(m, part);
    }
    for (uint32_t i = 1 + rp_random_below(&m->r, 3); i > 0; i--) {
        read_behind(m, whole);
        part.offset = rp_random_below(&m->r, slices) * size;
        if (rp_random_percent(&m->r, 30)) read_behind(m, part);
    }
    spec_node *n = begin_run(m);
    whole.access = RP_WRITE;
    add_use(n, whole);
    m->writes[m->write_count++] = whole;
}

static void *need(void *block) { /* tests have no use for going on without memory */
    if (!block) abort();
    return block;
}

rp_random_graph *rp_random_graph_create(uint64_t seed, const rp_random_shape *shape) {
    rp_random_graph *g = need(calloc(1, sizeof *g));
    g->seed = seed;
    g->buffers = need(calloc(shape->transients + 16, sizeof *g->buffers));
    g->nodes = need(calloc(shape->nodes + 1, sizeof *g->nodes));
    maker m = {.r = {seed}, .shape = *shape, .g = g};
    m.writes = need(calloc((size_t)shape->nodes * MAX_USES + 1, sizeof *m.writes));
    make_buffers(&m);
    while (g->node_count < shape->nodes) {
        if (shape->bursts && rp_random_percent(&m.r, shape->bursts)) make_burst(&m);
        if (g->node_count < shape->nodes) make_node(&m, &g->nodes[g->node_count]);
    }
    free(m.writes);
    return g;
}

void rp_random_graph_destroy(rp_random_graph *random) {
    if (!random) return;
    free(random->buffers);
    free(random->nodes);
    free(random);
}

/* ---- Building -------------------------------------------------------------------------------- */

static uint32_t intern(rp_graph *g, const char *text) {
    uint32_t string = rp_graph_intern(g, text, strlen(text));
    if (string == RP_NONE) abort();
    return string;
}

/* Two words of the live buffer `other`, with a constant between them. */
static void follow(rp_graph *g, rp_graph_buffer *item, uint32_t other) {
    if (!RP_RESERVE(&g->allocator, g->follows, g->follows_count, g->follows_capacity, 2)) abort();
    item->first_follow = g->follows_count;
    item->follow_count = 2;
    g->follows[g->follows_count++] = (rp_graph_follow){other, 4, 0, 4};
    g->follows[g->follows_count++] = (rp_graph_follow){other, 12, 8, 4};
}

static void build_buffer(rp_graph *g, const spec_buffer *b, uint32_t index) {
    static const char letters[] = {'x', 'y', 's', 'w', 't', 'l'}; /* by kind */
    char name[32];
    snprintf(name, sizeof name, "%c%u", letters[b->kind], index);
    uint64_t dim = b->words;
    bool typed = b->kind == RP_LIVE;
    rp_graph_buffer item = {.name = intern(g, name),
                            .kind = b->kind,
                            .dtype = typed ? RP_U32 : RP_RAW,
                            .rank = typed,
                            .size = b->words * 4u,
                            .offset = RP_NOT_PLACED,
                            .first_default = RP_NONE,
                            .max_value = UINT32_MAX};
    if (b->kind == RP_LIVE) {
        if (!RP_RESERVE(&g->allocator, g->bytes, g->bytes_count, g->bytes_capacity, item.size))
            abort();
        item.first_default = g->bytes_count;
        if (b->words == FOLLOWER_WORDS)
            follow(g, &item, index - 1);
        else
            item.max_value = 100;
        for (uint32_t i = 0; i < item.size; i++) g->bytes[g->bytes_count++] = i % 4 ? 0 : i + 1;
    }
    if (rp_graph_add_buffer(g, &item, &dim) == RP_NONE) abort();
}

/* One kernel for each list of accesses, named after it: "k_rrw"; "k_rrwa" is pushed an address. */
static uint32_t build_kernel(rp_graph *g, const spec_node *n, uint32_t params, bool addressed) {
    static const char letters[] = {'r', 'w', 'b', 'u'}; /* by access */
    char name[MAX_USES + 8] = "k_";
    rp_graph_param list[MAX_USES];
    for (uint32_t i = 0; i < params; i++) {
        name[2 + i] = letters[n->uses[i].access];
        list[i] =
            (rp_graph_param){.access = n->uses[i].access, .binding = (uint8_t)i, .name = RP_NONE};
    }
    if (addressed) name[2 + params] = 'a';
    uint32_t found = rp_graph_find_kernel(g, n->unknown ? "unknown" : name);
    if (found != RP_NONE) return found;
    rp_graph_kernel item = {.name = intern(g, n->unknown ? "unknown" : name),
                            .entry = intern(g, "main"),
                            .local = {64, 1, 1},
                            .param_count = params,
                            .spec_count = 4};
    const rp_graph_spec specs[] = {{7, 4, params}, {3, 4, 0x3f800000}, {9, 8, params}, {1, 2, 7}};
    found = rp_graph_add_kernel(g, &item, list, specs, NULL);
    if (found == RP_NONE) abort();
    return found;
}

/* Behind the number in the push data. */
static void add_address(rp_graph *g, rp_graph_node *item, uint32_t use) {
    if (!RP_RESERVE(&g->allocator, g->addresses, g->addresses_count, g->addresses_capacity, 1))
        abort();
    item->first_address = g->addresses_count;
    item->address_count = 1;
    item->byte_count = ADDRESSED_BYTES;
    g->addresses[g->addresses_count++] = (rp_graph_address){4, use, 0};
}

static void build_node(rp_graph *g, const rp_random_graph *random, const spec_node *n) {
    uint8_t data[256];
    rp_graph_node item = {.id = n->number,
                          .kind = n->kind,
                          .grid_kind = n->grid_kind,
                          .unknown = n->unknown,
                          .optional = n->optional,
                          .kernel = RP_NONE,
                          .use_count = n->use_count,
                          .label = RP_NONE,
                          .op = RP_NONE};
    if (n->kind == RP_RUN) {
        uint32_t params = 0;
        while (params < n->use_count && !n->uses[params].indirect && !n->uses[params].addressed)
            params++;
        bool addressed = params < n->use_count && n->uses[params].addressed;
        item.kernel = build_kernel(g, n, params, addressed);
        item.byte_count = 4;
        if (addressed) add_address(g, &item, params);
        for (uint32_t i = 0; i < 3; i++) item.grid[i] = i == 0 ? n->grid : 1;
        if (n->grid_kind == RP_GRID_INDIRECT) memset(item.grid, 0, sizeof item.grid);
    }
    if (n->grid_kind == RP_GRID_LIVE) {
        rp_expr_op op = {.code = RP_EXPR_LIVE,
                         .element = (uint16_t)(n->number % 4),
                         .buffer = live_buffer(random)};
        item.live_mask = 1;
        item.grid[0] = rp_graph_add_expr(g, &op, 1);
        if (item.grid[0] == RP_NONE) abort();
    }
    if (n->kind == RP_FILL) item.pattern = n->number;
    if (n->kind == RP_UPDATE) item.byte_count = (uint32_t)n->uses[0].size;
    for (uint32_t i = 0; i < item.byte_count; i++) data[i] = (uint8_t)(n->number >> (i % 4 * 8));
    if (item.address_count) memset(data + 4, 0, ADDRESSED_BYTES - 4);
    if (rp_graph_add_node(g, &item, n->uses, data) == RP_NONE) abort();
}

rp_graph *rp_random_graph_build(const rp_random_graph *random) {
    char name[32];
    snprintf(name, sizeof name, "random_%llu", (unsigned long long)random->seed);
    rp_graph *g = need(rp_graph_create(NULL, name));
    for (uint32_t i = 0; i < random->buffer_count; i++) build_buffer(g, &random->buffers[i], i);
    for (uint32_t i = 0; i < random->node_count; i++) build_node(g, random, &random->nodes[i]);
    return g;
}

/* ---- Shrinking ------------------------------------------------------------------------------- */

static bool holds(const rp_random_graph *random, rp_property *property, void *context,
                  char why[RP_WHY]) {
    rp_graph *g = rp_random_graph_build(random);
    why[0] = 0;
    rp_diags *diags = rp_diags_create(NULL);
    bool ok;
    if (rp_graph_verify(g, NULL, diags) != RP_OK) {
        ok = false; /* the generator made a graph that is not well formed: a failure of its own */
        rp_why_diags(why, "the random graph is not well formed", diags);
    } else {
        ok = property(context, random->seed, g, why);
    }
    rp_diags_destroy(diags);
    rp_graph_destroy(g);
    return ok;
}

static bool drop_nodes(rp_random_graph *g, uint32_t at, uint32_t count, rp_property *property,
                       void *context) {
    char why[RP_WHY];
    spec_node *before = need(calloc(g->node_count, sizeof *before));
    uint32_t old = g->node_count;
    memcpy(before, g->nodes, old * sizeof *before);
    memmove(g->nodes + at, g->nodes + at + count, (old - at - count) * sizeof *before);
    g->node_count -= count;
    bool still = !holds(g, property, context, why);
    if (!still) {
        memcpy(g->nodes, before, old * sizeof *before);
        g->node_count = old;
    }
    free(before);
    return still;
}

static bool drop_use(rp_random_graph *g, uint32_t node, uint32_t use, rp_property *property,
                     void *context) {
    char why[RP_WHY];
    spec_node *n = &g->nodes[node], before = *n;
    if (n->kind != RP_RUN || n->use_count < 2) return false;
    if (n->uses[use].indirect) n->grid_kind = RP_GRID_DIRECT, n->grid = 1;
    memmove(n->uses + use, n->uses + use + 1, (n->use_count - use - 1) * sizeof *n->uses);
    n->use_count--;
    bool still = !holds(g, property, context, why);
    if (!still) *n = before;
    return still;
}

void rp_random_graph_shrink(rp_random_graph *random, rp_property *property, void *context) {
    for (bool again = true; again;) {
        again = false;
        for (uint32_t count = random->node_count / 2; count > 0; count /= 2)
            for (uint32_t at = 0; at + count <= random->node_count;)
                if (drop_nodes(random, at, count, property, context))
                    again = true;
                else
                    at += count;
        for (uint32_t i = 0; i < random->node_count; i++)
            for (uint32_t u = 0; u < random->nodes[i].use_count;)
                if (drop_use(random, i, u, property, context))
                    again = true;
                else
                    u++;
    }
}

/* ---- A suite --------------------------------------------------------------------------------- */

void rp_why_diags(char why[RP_WHY], const char *prefix, const rp_diags *diags) {
    size_t at = (size_t)snprintf(why, RP_WHY, "%s", prefix);
    for (uint32_t i = 0; i < rp_diags_count(diags) && at + 1 < RP_WHY; i++) {
        rp_diag d = rp_diags_get(diags, i);
        if (d.severity == RP_ERROR)
            at += (size_t)snprintf(why + at, RP_WHY - at, "\n    %s", d.message);
    }
}

static void print_failure(const char *name, const rp_random_graph *random, const char *why) {
    char *text = NULL;
    rp_graph *g = rp_random_graph_build(random);
    fprintf(stderr, "\n%s fails: RP_SEED=%llu RP_CASES=1\n  %s\n  smallest graph:\n", name,
            (unsigned long long)random->seed, why);
    if (rp_graph_print(g, RP_FORMAT_TEXT, &text, NULL) == RP_OK) fputs(text, stderr);
    rp_text_release(g, text);
    rp_graph_destroy(g);
}

uint32_t rp_random_suite(const char *name, uint32_t cases, rp_property *property, void *context) {
    uint64_t seed = rp_environment("RP_SEED", 1);
    uint64_t count = rp_cases(cases, 10);
    uint32_t failures = 0;
    for (uint64_t i = 0; i < count && failures < MAX_FAILURES; i++) {
        char why[RP_WHY];
        rp_random_shape shape = rp_random_shape_of(seed + i);
        rp_random_graph *random = rp_random_graph_create(seed + i, &shape);
        if (!holds(random, property, context, why)) {
            failures++;
            rp_random_graph_shrink(random, property, context);
            holds(random, property, context, why);
            print_failure(name, random, why);
        }
        rp_random_graph_destroy(random);
    }
    return failures;
}
