/* Random source graphs; see random_graph.h.
 *
 * Nodes are made one after the other. A read mostly takes bytes that an earlier node wrote: the
 * same range, a part of it, or a range around it; a write takes a whole buffer or a slice. Uses of
 * one node must not overlap when one of them writes, unless they are the very same range: unfit
 * choices are dropped. Uses stand in any order: it means nothing. */
#include "support/cases.h"
#include "support/random_graph_build.h"

enum { MAX_FAILURES = 3, BURST_SLICES = 20, BURST_NODES = BURST_SLICES + 12 };

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
    s.images = rp_random_percent(&r, 50) ? 0 : 10 + rp_random_below(&r, 80);
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
    rp_image_shape shapes[2]; /* of all its images, so that some can be copied */
} maker;

static bool is_image(const maker *m, uint32_t buffer) {
    return m->g->buffers[buffer].image.format != RP_IMAGE_NONE;
}

static void add_buffer(maker *m, uint8_t kind, uint32_t words) {
    spec_buffer *b = &m->g->buffers[m->g->buffer_count++];
    *b = (spec_buffer){.kind = kind, .words = words};
    if (kind != RP_LIVE && m->shape.images && rp_random_percent(&m->r, m->shape.images))
        b->image = m->shapes[rp_random_below(&m->r, 2)];
}

static rp_image_shape random_image(maker *m) {
    static const uint32_t most[] = {24, 9, 5, 4}; /* extents by dim */
    enum { FORMATS = RP_IMAGE_BGRA8_SRGB };       /* all but depth, which no kernel writes */
    uint32_t dim = rp_random_below(&m->r, 4), extents[3];
    for (uint32_t i = 0; i < 3; i++) extents[i] = 1 + rp_random_below(&m->r, most[dim]);
    rp_image_shape s = {.format = (uint8_t)(1 + rp_random_below(&m->r, FORMATS)),
                        .dim = (uint8_t)dim,
                        .width = extents[0],
                        .height = extents[1],
                        .depth = dim == RP_IMAGE_3D ? extents[2] : 1,
                        .layers = 1 + rp_random_below(&m->r, 3)};
    if (dim == RP_IMAGE_1D) s.height = 1;
    if (dim == RP_IMAGE_3D) s.layers = 1;
    if (dim == RP_IMAGE_CUBE) s.height = s.width, s.layers = rp_random_percent(&m->r, 80) ? 6 : 12;
    uint32_t mips = rp_image_max_mips(s.width, s.height, s.depth);
    s.mips = (uint16_t)(1 + rp_random_below(&m->r, mips < 3 ? mips : 3));
    return s;
}

static uint32_t random_words(maker *m) {
    uint32_t limit = m->shape.max_words;
    for (uint32_t i = rp_random_below(&m->r, 4); i > 0 && limit > 1; i--) limit /= 2;
    return rp_random_percent(&m->r, 40) ? limit : 1 + rp_random_below(&m->r, limit);
}

static void make_buffers(maker *m) {
    for (uint32_t i = 0; m->shape.images && i < 2; i++) m->shapes[i] = random_image(m);
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

/* Some layers of one mip, or whole mips where `mips` allows several. */
static rp_graph_use image_range(maker *m, uint32_t buffer, uint8_t access, bool several) {
    const rp_image_shape *s = &m->g->buffers[buffer].image;
    uint32_t mip = rp_random_below(&m->r, s->mips), mips = 1;
    uint32_t layer = 0, layers = s->layers;
    if (several && rp_random_percent(&m->r, 50)) {
        mip = rp_random_percent(&m->r, 60) ? 0 : mip;
        mips = mip ? 1 + rp_random_below(&m->r, s->mips - mip) : s->mips;
    } else if (rp_random_percent(&m->r, 20 + m->shape.slices)) {
        layer = rp_random_below(&m->r, layers);
        layers = 1 + rp_random_below(&m->r, layers - layer);
    }
    rp_graph_use u = {.buffer = buffer, .access = access};
    if (rp_image_range(s, mip, mips, layer, layers, &u.offset, &u.size) != RP_OK) abort();
    return u;
}

static uint32_t mips_of(const maker *m, const rp_graph_use *u) {
    rp_subresources s = {0};
    if (!rp_image_subresources(&m->g->buffers[u->buffer].image, u->offset, u->size, &s)) abort();
    return s.mips;
}

/* How a kernel reads a range: images mostly sampled, storage images one mip, a few buffers as texels. */
static void read_as(maker *m, rp_graph_use *u) {
    u->step = RP_USE_PARAM;
    u->format = RP_IMAGE_NONE;
    if (is_image(m, u->buffer))
        u->access = mips_of(m, u) > 1 || rp_random_percent(&m->r, 70) ? RP_SAMPLED : RP_READ;
    else if (m->shape.images && u->access == RP_READ && rp_random_percent(&m->r, 10))
        u->access = RP_SAMPLED, u->format = RP_IMAGE_R32UI;
}

static rp_graph_use slice(maker *m, uint32_t buffer, uint8_t access) {
    if (is_image(m, buffer)) return image_range(m, buffer, access, !rp_access_writes(access));
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

static rp_graph_use random_range(maker *m) {
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
    u.step = RP_USE_PARAM;
    u.format = RP_IMAGE_NONE;
    if (is_image(m, u.buffer)) {
        if (rp_random_percent(&m->r, m->shape.slices)) u = slice(m, u.buffer, RP_READ);
    } else if (rp_random_percent(&m->r, m->shape.slices / 2) && u.size >= 8) {
        uint64_t half = u.size / 8 * 4;
        if (rp_random_percent(&m->r, 50)) u.offset += half;
        u.size = half;
    } else if (m->shape.undefined && rp_random_percent(&m->r, 20)) {
        u.offset = 0;
        u.size = m->g->buffers[u.buffer].words * 4u;
    }
    return u;
}

static rp_graph_use random_read(maker *m) {
    rp_graph_use u = random_range(m);
    read_as(m, &u);
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
                        v->access != RP_UNIFORM && u->access != RP_SAMPLED &&
                        v->access != RP_SAMPLED && writes(u) != writes(v);
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
    read.step = RP_USE_PARAM;
    read.format = RP_IMAGE_NONE;
    read.access = RP_READ;
    if (is_image(m, read.buffer) && mips_of(m, &read) > 1) return;
    rp_graph_use write = read;
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

/* Some layers of several mips, or several elements of an array: more uses of one parameter. */
static void add_pieces(maker *m, spec_node *n) {
    rp_graph_use first = random_read(m);
    if (!is_image(m, first.buffer)) return;
    const rp_image_shape *s = &m->g->buffers[first.buffer].image;
    uint32_t layers = 1 + rp_random_below(&m->r, s->layers), room = s->layers - layers;
    uint32_t layer = rp_random_below(&m->r, room + 1), before = n->use_count;
    uint8_t step =
        layers < s->layers && rp_random_percent(&m->r, 60) ? RP_USE_PIECE : RP_USE_ELEMENT;
    for (uint32_t mip = rp_random_below(&m->r, s->mips); mip < s->mips; mip++) {
        rp_graph_use u = {.buffer = first.buffer, .access = RP_SAMPLED};
        if (n->use_count > before) u.step = step;
        if (rp_image_range(s, mip, 1, layer, layers, &u.offset, &u.size) != RP_OK) abort();
        if (n->use_count == MAX_USES || !fits(n, &u)) return;
        n->uses[n->use_count++] = u;
    }
}

/* What an image is given: texels of one value, those of a buffer, those of an image. */
static void fill_image(maker *m, spec_node *n, rp_graph_use to) {
    rp_graph_use from = random_range(m);
    const rp_image_shape *s = &m->g->buffers[to.buffer].image;
    from.access = RP_READ;
    n->kind = RP_CLEAR;
    if (is_image(m, from.buffer)) {
        const rp_image_shape *t = &m->g->buffers[from.buffer].image;
        rp_subresources a, b;
        if (!rp_image_subresources(t, from.offset, from.size, &a) ||
            !rp_image_subresources(s, to.offset, to.size, &b))
            abort();
        if (rp_image_copies(t, &a, s, &b))
            n->kind = RP_COPY;
        else if (!rp_image_blit_wrong(t, &a, s, &b, RP_FILTER_NEAREST))
            n->kind = RP_BLIT;
    } else if (from.size >= to.size) {
        from.offset = from.offset / 16 * 16;
        from.size = to.size;
        n->kind = RP_COPY;
    }
    if (n->kind != RP_CLEAR) n->uses[n->use_count++] = from;
    if (!fits(n, &to)) n->kind = RP_CLEAR, n->use_count = 0;
    n->uses[n->use_count++] = to;
}

static void make_transfer(maker *m, spec_node *n) {
    rp_graph_use to = random_write(m), from = random_range(m);
    to.access = RP_WRITE;
    from.access = RP_READ;
    if (is_image(m, to.buffer)) {
        if (rp_random_percent(&m->r, 40)) to = image_range(m, to.buffer, RP_WRITE, true);
        fill_image(m, n, to);
        return;
    }
    if (is_image(m, from.buffer)) {
        bool room = from.size <= to.size;
        n->kind = room ? RP_COPY : RP_FILL;
        if (room) to.offset = to.offset / 16 * 16, to.size = from.size;
        if (room) n->uses[n->use_count++] = from;
        n->uses[n->use_count++] = to;
        return;
    }
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
static void address_last(const maker *m, spec_node *n) {
    rp_graph_use *last = &n->uses[n->use_count - 1];
    if (last->step || last->access == RP_SAMPLED || is_image(m, last->buffer)) return;
    last->addressed = true;
    if (last->access == RP_UNIFORM) last->access = RP_READ;
}

static void make_run(maker *m, spec_node *n) {
    n->kind = RP_RUN;
    n->grid = 1 + rp_random_below(&m->r, 100);
    if (rp_random_percent(&m->r, m->shape.live)) n->grid_kind = RP_GRID_LIVE;
    rp_graph_use grid = random_range(m);
    grid.access = RP_READ;
    grid.indirect = true;
    bool indirect =
        rp_random_percent(&m->r, m->shape.indirect) && grid.size >= 12 && !is_image(m, grid.buffer);
    grid.size = 12;
    if (rp_random_percent(&m->r, m->shape.in_place)) add_in_place(m, n);
    for (uint32_t i = rp_random_below(&m->r, 4); i > 0; i--) add_use(n, random_read(m));
    for (uint32_t i = 1 + rp_random_below(&m->r, 10) / 8; i > 0; i--) add_use(n, random_write(m));
    shuffle_uses(m, n);
    if (m->shape.images && rp_random_percent(&m->r, 30)) add_pieces(m, n);
    if (m->shape.addressed && n->use_count > 0 && rp_random_percent(&m->r, m->shape.addressed))
        address_last(m, n);
    if (indirect && n->use_count < MAX_USES && fits(n, &grid)) {
        n->grid_kind = RP_GRID_INDIRECT;
        n->uses[n->use_count++] = grid;
    }
    if (n->use_count == 0) n->uses[n->use_count++] = random_read(m);
}

/* Later nodes may read it; of a buffer whole words, also where an image was copied to fewer bytes. */
static void note_write(maker *m, rp_graph_use u) {
    if (!is_image(m, u.buffer)) u.size = (u.size + 3) / 4 * 4;
    u.addressed = false;
    m->writes[m->write_count++] = u;
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
    for (uint32_t i = 0; i < n->use_count; i++)
        if (writes(&n->uses[i])) note_write(m, n->uses[i]);
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
    read_as(m, &before);
    add_use(n, range);
    if (rp_random_percent(&m->r, 65)) add_use(n, before);
    add_use(n, random_write(m));
    for (uint32_t i = 0; i < n->use_count; i++)
        if (writes(&n->uses[i])) note_write(m, n->uses[i]);
}

/* A transient written slice by slice, by so many nodes that who reads it as a whole reads a fold
 * (base/fold.h). Nodes that read slices, then all of it, form a chain, so that the last comes late;
 * then a node writes all of it again, and must wait for each of them. */
static void make_burst(maker *m) {
    uint32_t buffer = m->first_transient + rp_random_below(&m->r, m->shape.transients);
    uint32_t slices = BURST_SLICES - rp_random_below(&m->r, 4);
    uint64_t size = m->g->buffers[buffer].words / slices * 4;
    if (size == 0 || is_image(m, buffer) || m->shape.nodes - m->g->node_count < BURST_NODES) return;
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
    uint32_t end =
        use + 1; /* an image goes with its pieces, and the next element begins the array */
    while (end < n->use_count && n->uses[end].step == RP_USE_PIECE) end++;
    if (n->uses[use].step == RP_USE_PIECE || end - use == n->use_count) return false;
    if (n->uses[use].indirect) n->grid_kind = RP_GRID_DIRECT, n->grid = 1;
    if (end < n->use_count && n->uses[end].step) n->uses[end].step = n->uses[use].step;
    memmove(n->uses + use, n->uses + end, (n->use_count - end) * sizeof *n->uses);
    n->use_count -= end - use;
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
