/* rename: gives every full overwrite of a transient its own buffer, so that reused scratch memory
 * orders nothing. Place lets them share bytes again where their lifetimes allow it.
 *
 * The unit is a web: the writes and reads of bytes that are connected by values, as in register
 * allocation. Each write of a range begins a web; a read joins the webs of all pieces it sees,
 * since one use must find its bytes side by side; a partial write (rw) joins what it leaves in
 * place. Webs that stay apart need not share memory. Versioning whole buffers instead would miss a
 * buffer that is used as two halves, and would tear apart one that is filled piece by piece.
 *
 * Bytes of an out or inout buffer are fixed to it when they hold its value from before the graph or
 * at its end; webs of such a buffer that do neither are scratch as well and move to transients. A
 * part of an image is no image: webs that do not span all of it are joined. A graph with a node
 * whose uses are unknown is left alone: that node may address any buffer. Cost: O(uses log pieces),
 * union-find on top.
 */
#include "pass.h"

#include "base/interval_map.h"

/* A write, or a use that reads: an element of the union-find forest. */
typedef struct web {
    uint32_t parent;
    uint32_t buffer; /* the buffer it comes from */
    uint32_t target; /* of a root: the buffer it gets, RP_NONE until decided */
    bool fixed;      /* of a root: stays in its buffer at its place */
    uint64_t lo, hi; /* of a root: the bytes it spans in `buffer` */
} web;

typedef struct state {
    rp_graph *graph;
    rp_interval_map *maps; /* per buffer: the web that wrote the bytes */
    RP_ARRAY(web, webs);
    uint32_t *web_of_use;     /* per use: its web, RP_NONE for uses that are not renamed */
    uint32_t current, pieces; /* of the use being looked at */
    uint32_t renamed, trimmed;
    bool failed;
} state;

static uint32_t find(state *s, uint32_t w) {
    while (s->webs[w].parent != w) {
        s->webs[w].parent = s->webs[s->webs[w].parent].parent;
        w = s->webs[w].parent;
    }
    return w;
}

/* The older root stays: the first web of a buffer is then the one found first. */
static void join(state *s, uint32_t left, uint32_t right) {
    uint32_t a = find(s, left), b = find(s, right);
    if (a == b) return;
    if (b < a) {
        uint32_t swap = a;
        a = b;
        b = swap;
    }
    s->webs[b].parent = a;
    s->webs[a].fixed |= s->webs[b].fixed;
    if (s->webs[b].lo < s->webs[a].lo) s->webs[a].lo = s->webs[b].lo;
    if (s->webs[b].hi > s->webs[a].hi) s->webs[a].hi = s->webs[b].hi;
}

static uint32_t new_web(state *s, uint32_t buffer, uint64_t lo, uint64_t hi, bool fixed) {
    if (!RP_RESERVE(&s->graph->allocator, s->webs, s->webs_count, s->webs_capacity, 1)) {
        s->failed = true;
        return RP_NONE;
    }
    s->webs[s->webs_count] = (web){s->webs_count, buffer, RP_NONE, fixed, lo, hi};
    return s->webs_count++;
}

static uint32_t join_piece(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    state *s = context;
    (void)lo, (void)hi;
    s->pieces++;
    if (value != RP_ABSENT) join(s, value, s->current);
    return value;
}

static uint32_t become_one(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    (void)lo, (void)hi;
    return value == RP_ABSENT ? value : *(uint32_t *)context;
}

/* Joins the webs of a range, and lets the map forget that they were several: whoever reads the
 * range next finds one piece. */
static bool join_range(state *s, rp_interval_map *map, uint64_t lo, uint64_t hi) {
    s->pieces = 0;
    rp_interval_map_each(map, lo, hi, join_piece, s);
    if (s->pieces <= 1) return true;
    uint32_t root = find(s, s->current);
    return rp_interval_map_update(&s->graph->allocator, map, lo, hi, become_one, &root);
}

static bool walk_use(void *context, const rp_graph_node *node, uint32_t use_index) {
    state *s = context;
    const rp_graph_use *u = &s->graph->uses[use_index];
    if (!rp_buffer_can_change(&s->graph->buffers[u->buffer])) return true;
    rp_interval_map *map = &s->maps[u->buffer];
    uint64_t end = u->offset + u->size;
    s->current = s->web_of_use[use_index] = new_web(s, u->buffer, u->offset, end, false);
    if (s->failed) return false;
    if (!rp_use_overwrites(node, u) && !join_range(s, map, u->offset, end)) return false;
    return !rp_access_writes(u->access) ||
           rp_interval_map_set(&s->graph->allocator, map, u->offset, end, s->current);
}

static uint32_t fix_piece(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    state *s = context;
    (void)lo, (void)hi;
    if (value != RP_ABSENT) s->webs[find(s, value)].fixed = true;
    return value;
}

/* Two uses of one node on the very same bytes work in place: they must stay on the same bytes. An
 * op does not care: its kernel is generated for wherever its operands are. */
static void join_in_place(state *s, const rp_graph_node *node) {
    if (node->kind == RP_OP) return;
    for (uint32_t i = 0; i < node->use_count; i++)
        for (uint32_t j = i + 1; j < node->use_count; j++) {
            const rp_graph_use *a = &s->graph->uses[node->first_use + i], *b = a + (j - i);
            uint32_t wa = s->web_of_use[node->first_use + i];
            uint32_t wb = s->web_of_use[node->first_use + j];
            if (wa != RP_NONE && wb != RP_NONE && a->buffer == b->buffer &&
                a->offset < b->offset + b->size && b->offset < a->offset + a->size &&
                (rp_access_writes(a->access) || rp_access_writes(b->access)))
                join(s, wa, wb);
        }
}

/* One descriptor finds all of its pieces in one image. */
static void join_pieces(state *s, const rp_graph_node *node) {
    for (uint32_t u = node->first_use; u < node->first_use + node->use_count; u++)
        if (s->graph->uses[u].step == RP_USE_PIECE && s->web_of_use[u] != RP_NONE)
            join(s, s->web_of_use[u - 1], s->web_of_use[u]);
}

/* Of each image, the webs that span a part of it become one, which spans it all. */
static bool join_parts(state *s) {
    const rp_graph *g = s->graph;
    uint32_t *part = rp_alloc(&g->allocator, g->buffers_count, sizeof *part);
    if (!part) return false;
    for (uint32_t i = 0; i < g->buffers_count; i++) part[i] = RP_NONE;
    for (uint32_t w = 0; w < s->webs_count; w++) {
        uint32_t root = find(s, w), buffer = s->webs[root].buffer;
        if (!rp_buffer_is_image(&g->buffers[buffer]) ||
            s->webs[root].hi - s->webs[root].lo == g->buffers[buffer].size)
            continue;
        if (part[buffer] == RP_NONE)
            part[buffer] = root;
        else
            join(s, part[buffer], root);
    }
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        if (part[i] == RP_NONE) continue;
        web *w = &s->webs[find(s, part[i])];
        w->lo = 0;
        w->hi = g->buffers[i].size;
    }
    rp_release(&g->allocator, part);
    return true;
}

static bool build_webs(state *s) {
    rp_graph *g = s->graph;
    for (uint32_t i = 0; i < g->buffers_count && !s->failed; i++) {
        if (g->buffers[i].kind != RP_INOUT) continue;
        uint32_t w = new_web(s, i, 0, g->buffers[i].size, true); /* what the last replay left */
        if (!s->failed)
            s->failed = !rp_interval_map_set(&g->allocator, &s->maps[i], 0, g->buffers[i].size, w);
    }
    for (uint32_t i = 0; i < g->nodes_count && !s->failed; i++) {
        const rp_graph_node *n = &g->nodes[i];
        s->failed = !rp_node_visit_uses(g, n, walk_use, s);
        if (!s->failed) join_in_place(s, n);
        if (!s->failed) join_pieces(s, n);
    }
    for (uint32_t i = 0; i < g->buffers_count && !s->failed; i++)
        if (rp_buffer_has_result(&g->buffers[i]))
            rp_interval_map_each(&s->maps[i], 0, g->buffers[i].size, fix_piece, s);
    return !s->failed && join_parts(s);
}

/* What new names are made of. */
typedef struct names {
    uint32_t *numbers; /* per buffer: the last one that was tried */
    uint8_t *taken;    /* per string: whether a buffer has it */
    uint32_t taken_size;
    rp_text text; /* the name being made */
} names;

/* A name that no buffer has: NAME.1, NAME.2, ... */
static uint32_t fresh_name(rp_graph *g, names *n, uint32_t buffer) {
    for (;;) {
        n->text.size = 0;
        rp_text_string(&n->text, rp_graph_string(g, g->buffers[buffer].name));
        rp_text_char(&n->text, '.');
        rp_text_u64(&n->text, ++n->numbers[buffer]);
        uint32_t id = n->text.failed ? RP_NONE : rp_graph_intern(g, n->text.data, n->text.size);
        if (id == RP_NONE) return RP_NONE;
        if (id >= n->taken_size) {
            uint32_t old = n->taken_size;
            if (!RP_RESERVE(&g->allocator, n->taken, old, n->taken_size, id + 1 - old))
                return RP_NONE;
            memset(n->taken + old, 0, n->taken_size - old);
        }
        if (!n->taken[id]) {
            n->taken[id] = 1;
            return id;
        }
    }
}

/* Gives the web its buffer. The first movable web of a transient keeps it; others get new ones.
 * Bases are rounded down to the arena's alignment, so that offsets keep theirs. */
static bool decide(state *s, uint32_t root, bool *claimed, names *n) {
    rp_graph *g = s->graph;
    web *w = &s->webs[root];
    uint32_t from = w->buffer;
    w->lo &= ~(uint64_t)(RP_ARENA_ALIGNMENT - 1);
    if (w->fixed) {
        w->lo = 0;
        w->target = from;
        return true;
    }
    if (g->buffers[from].kind == RP_TMP && !claimed[from]) {
        claimed[from] = true;
        w->target = from;
        if (w->hi - w->lo == g->buffers[from].size) return true;
        s->trimmed++;
        g->buffers[from].size = w->hi - w->lo;
        g->buffers[from].dtype = RP_RAW;
        g->buffers[from].rank = 0;
        return true;
    }
    bool whole = w->hi - w->lo == g->buffers[from].size;
    rp_graph_buffer fresh = g->buffers[from];
    fresh.name = fresh_name(g, n, from);
    if (fresh.name == RP_NONE) return false;
    fresh.kind = RP_TMP;
    fresh.size = w->hi - w->lo;
    fresh.offset = RP_NOT_PLACED;
    if (!whole) fresh.dtype = RP_RAW, fresh.rank = 0;
    rp_tensor shape; /* a copy: the arrays it is in grow */
    rp_graph_shape(g, fresh.first_dim, fresh.rank, &shape);
    w->target = rp_graph_add_shaped(g, &fresh, &shape);
    s->renamed++;
    return w->target != RP_NONE;
}

static bool rewrite(state *s) {
    rp_graph *g = s->graph;
    const rp_allocator *a = &g->allocator;
    uint32_t buffers = g->buffers_count;
    bool *claimed = rp_alloc_zero(a, buffers, sizeof *claimed);
    names n = {.taken_size = g->strings_count};
    n.numbers = rp_alloc_zero(a, buffers, sizeof *n.numbers);
    n.taken = rp_alloc_zero(a, n.taken_size, 1);
    rp_text_init(&n.text, a);
    bool ok = claimed && n.numbers && n.taken;
    for (uint32_t i = 0; ok && i < buffers; i++) n.taken[g->buffers[i].name] = 1;
    for (uint32_t w = 0; ok && w < s->webs_count; w++)
        if (find(s, w) == w) ok = decide(s, w, claimed, &n);
    for (uint32_t u = 0; ok && u < g->uses_count; u++) {
        if (s->web_of_use[u] == RP_NONE) continue;
        const web *w = &s->webs[find(s, s->web_of_use[u])];
        g->uses[u].buffer = w->target;
        g->uses[u].offset -= w->lo;
    }
    rp_release(a, claimed);
    rp_release(a, n.numbers);
    rp_release(a, n.taken);
    rp_text_free(&n.text);
    return ok;
}

rp_status rp_pass_rename(rp_graph *graph, rp_pass_context *context, bool *out_changed) {
    const rp_allocator *a = &graph->allocator;
    if (graph->stages) {
        rp_diags_add(context->diags, RP_ERROR, NULL, 0, 0,
                     "pass rename needs nodes in source order: run it before schedule");
        return RP_ERROR_INVALID;
    }
    for (uint32_t i = 0; i < graph->nodes_count; i++)
        if (graph->nodes[i].unknown) {
            rp_text_format(context->summary, "left alone: n%u may address any buffer",
                           graph->nodes[i].id);
            return RP_OK;
        }

    uint32_t buffers = graph->buffers_count;
    state s = {.graph = graph};
    s.maps = rp_alloc_zero(a, buffers, sizeof *s.maps);
    s.web_of_use = rp_alloc(a, graph->uses_count, sizeof *s.web_of_use);
    bool ok = s.maps && s.web_of_use;
    for (uint32_t u = 0; ok && u < graph->uses_count; u++) s.web_of_use[u] = RP_NONE;
    ok = ok && build_webs(&s) && rewrite(&s);
    for (uint32_t i = 0; s.maps && i < buffers; i++) rp_interval_map_free(a, &s.maps[i]);
    rp_release(a, s.maps);
    rp_release(a, s.webs);
    rp_release(a, s.web_of_use);
    if (!ok) return RP_ERROR_NO_MEMORY;

    *out_changed = s.renamed || s.trimmed;
    rp_text_format(context->summary, "%u overwrites got a buffer of their own, %u buffers trimmed",
                   s.renamed, s.trimmed);
    return RP_OK;
}
