/* The symbolic memory; see simulate.h.
 *
 * Accesses are events: each read of a use and each write of a use is one, and a node's reads come
 * before its writes. The adversary takes any event whose predecessors are done. An event precedes
 * another when a boundary between their groups waits for the stage of the first and holds back the
 * stage of the second, or a chain of boundaries does, each of which waits for a stage that the one
 * before holds back, whether anything runs in between or not; nothing else orders anything. Visibility is tracked by word: who wrote it,
 * when, and whether a boundary since then carried it to the reader's way of access.
 *
 * What the source leaves undefined is poison, and all that is computed from it: it is not compared.
 * A node without declared uses reads and writes all words that the source has defined by then.
 *
 * Images are memory of their own, by bytes. Those of one alias set may lie anywhere in the same memory:
 * a write to one of them makes the others garbage. In front of the first group of a replay that uses
 * one, it is taken over: it becomes garbage, and the others with it, behind all accesses before to any of the set
 * and in front of its own; that is what the runtime promises, and nothing else. */
#include "support/simulate.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"

#define POISON 0xdeadull
#define UNWRITTEN                                                                                  \
    0xbeefull /* of an out buffer, by this replay: poison to nodes, but not to the host */

enum { STAGES = 4, BITS = RP_SCOPE_BITS };
#define TAKE_OVER (RP_NONE - 1) /* a `use`; `node` is the image then */

typedef struct word {
    uint64_t tag;
    uint32_t position; /* of the last write; 0 with `scope` 0: none */
    uint32_t scope;    /* bit of the last write */
    uint32_t step;     /* node and replay of the last write */
} word;

/* Memory: a space for each buffer, and the arena behind them. */
typedef struct memory {
    const rp_graph *g;
    word **spaces;
} memory;

typedef struct event {
    uint32_t node, replay, use; /* use RP_NONE: everything; or TAKE_OVER */
    uint32_t position, stage, scope;
    uint32_t waits; /* predecessors that are not done */
    bool write, done;
} event;

typedef struct simulation {
    memory m;
    rp_random r;
    uint32_t replays;
    uint64_t absent;
    event *events;
    uint32_t event_count;
    uint64_t *acc;           /* per node and replay: hash of what it read */
    uint8_t (*held)[STAGES]; /* by two boundaries: bits of the stages that the later one, or one
                              * before it, holds back for a stage in front of the first */
    uint32_t (*avail)[BITS]; /* by boundary: the latest up to it that makes a write available */
    const event *asked_by;   /* the last question about visibility, and its answer */
    uint32_t asked_step, asked_scope;
    bool answer;
    /* Per node without declared uses and replay, in id order: which words the source defined. */
    uint8_t **defined;
} simulation;

static void *need(void *block) {
    if (!block) abort();
    return block;
}

static bool is_poison(uint64_t tag) {
    return tag == POISON || tag == UNWRITTEN;
}

static uint64_t mix(uint64_t a, uint64_t b) {
    rp_random r = {a ^ (b * 0x9e3779b97f4a7c15u + 0x1234567)};
    uint64_t tag = rp_random_next(&r);
    return is_poison(tag) ? 1 : tag;
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static bool in_arena(const rp_graph *g, uint32_t buffer) {
    return rp_buffer_in_arena(&g->buffers[buffer]) && g->buffers[buffer].offset != RP_NOT_PLACED;
}

/* Bytes of what is told apart. */
static uint32_t unit(const rp_graph *g, uint32_t buffer) {
    return rp_buffer_is_image(&g->buffers[buffer]) ? 1 : 4;
}

static uint64_t units(const rp_graph *g, uint32_t buffer) {
    return g->buffers[buffer].size / unit(g, buffer);
}

/* Whether another image may lie in the memory of this one. */
static bool share(const rp_graph *g, uint32_t a, uint32_t b) {
    const rp_graph_buffer *x = &g->buffers[a], *y = &g->buffers[b];
    return a != b && rp_buffer_is_image(x) && rp_buffer_is_image(y) && x->kind == RP_TMP &&
           y->kind == RP_TMP && !x->removed && !y->removed && x->offset != RP_NOT_PLACED &&
           x->offset == y->offset;
}

static bool shares(const rp_graph *g, uint32_t image) {
    bool any = false;
    for (uint32_t i = 0; i < g->buffers_count; i++) any |= share(g, image, i);
    return any;
}

static uint64_t name_tag(const rp_graph *g, uint32_t buffer) {
    const char *name = rp_graph_string(g, g->buffers[buffer].name);
    return rp_hash(name, strlen(name));
}

static word *words_of(memory *m, uint32_t buffer, uint64_t offset) {
    if (!in_arena(m->g, buffer)) return m->spaces[buffer] + offset / unit(m->g, buffer);
    return m->spaces[m->g->buffers_count] + (m->g->buffers[buffer].offset + offset) / 4;
}

static void memory_init(memory *m, const rp_graph *g, uint64_t garbage) {
    m->g = g;
    m->spaces = need(calloc((size_t)g->buffers_count + 1, sizeof *m->spaces));
    for (uint32_t i = 0; i <= g->buffers_count; i++) {
        uint64_t count = i < g->buffers_count ? units(g, i) : g->arena_bytes / 4;
        m->spaces[i] = need(calloc(count + 1, sizeof **m->spaces));
        bool external = i < g->buffers_count && g->buffers[i].kind != RP_TMP;
        uint64_t tag = external ? name_tag(g, i) : garbage;
        for (uint64_t w = 0; w < count; w++) m->spaces[i][w].tag = mix(tag, w);
    }
}

static void memory_free(memory *m) {
    for (uint32_t i = 0; i <= m->g->buffers_count; i++) free(m->spaces[i]);
    free(m->spaces);
}

/* ---- What a node computes -------------------------------------------------------------------- */

/* The hash of a node without what it reads. */
static uint64_t node_seed(const rp_graph *g, const rp_graph_node *n) {
    uint64_t tag = mix(n->kind, n->pattern);
    if (n->kind == RP_RUN) {
        const char *name = rp_graph_string(g, g->kernels[n->kernel].name);
        tag = mix(tag, rp_hash(name, strlen(name)));
        for (uint32_t i = 0; i < 3; i++)
            tag = mix(tag, n->grid_kind == RP_GRID_DIRECT ? n->grid[i] : n->grid_kind);
    }
    for (uint32_t i = 0; i < n->sampler_count; i++) {
        const rp_graph_sampler *s = &g->samplers[g->sampler_refs[n->first_sampler + i]];
        tag = mix(tag, rp_hash(&s->info, sizeof s->info));
    }
    return n->byte_count ? mix(tag, rp_hash(g->bytes + n->first_byte, n->byte_count)) : tag;
}

/* A node whose grid is not known leaves some words as they were. */
static bool writes_word(const rp_graph_node *n, const rp_graph_use *u, uint64_t acc, uint64_t w) {
    return (u->access == RP_WRITE && n->grid_kind == RP_GRID_DIRECT) || (mix(acc, w) & 1);
}

/* Whether the host may leave the node out, as the runtime has it (runtime/exec/switches.c). */
static bool is_loose(const rp_graph *g, const rp_graph_node *n) {
    if (n->kind != RP_RUN || n->grid_kind == RP_GRID_INDIRECT) return false;
    if (n->optional || n->grid_kind == RP_GRID_LIVE) return true;
    bool overwrites = n->unknown;
    for (uint32_t i = 0; i < n->use_count; i++)
        overwrites |= rp_node_uses(g, n)[i].access == RP_WRITE;
    return !overwrites;
}

/* Whether a replay leaves the node out; see simulate.h. */
static bool is_absent(const rp_graph *source, uint64_t absent, uint32_t replay,
                      const rp_graph_node *n) {
    uint32_t rank = 0;
    bool loose = false;
    for (uint32_t i = 0; i < source->nodes_count; i++) {
        const rp_graph_node *m = &source->nodes[i];
        if (m->id > n->id || !is_loose(source, m)) continue;
        loose |= m->id == n->id;
        rank += m->id < n->id;
    }
    return loose && ((replay ? ~absent : absent) >> rank % 64 & 1);
}

/* ---- The source ------------------------------------------------------------------------------ */

static uint64_t total_words(const rp_graph *g) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < g->buffers_count; i++) total += units(g, i);
    return total;
}

/* A node without declared uses: reads and writes every word that is defined. */
static uint8_t *run_unknown(memory *m, const rp_graph_node *n) {
    const rp_graph *g = m->g;
    uint8_t *defined = need(calloc(total_words(g) + 1, 1));
    uint64_t acc = node_seed(g, n), at = 0;
    for (uint32_t i = 0; i < g->buffers_count; i++)
        for (uint64_t w = 0; w < units(g, i); w++, at++) {
            defined[at] = !is_poison(m->spaces[i][w].tag);
            if (defined[at]) acc = mix(acc, m->spaces[i][w].tag);
        }
    at = 0;
    for (uint32_t i = 0; i < g->buffers_count; i++)
        for (uint64_t w = 0; w < units(g, i); w++, at++) {
            uint8_t kind = g->buffers[i].kind;
            if (defined[at] && (kind == RP_TMP || kind == RP_OUT || kind == RP_INOUT))
                m->spaces[i][w].tag = mix(mix(acc, name_tag(g, i)), w);
        }
    return defined;
}

static void run_node(memory *m, const rp_graph_node *n) {
    const rp_graph_use *uses = rp_node_uses(m->g, n);
    uint64_t acc = node_seed(m->g, n);
    bool poison = false;
    for (uint32_t i = 0; i < n->use_count; i++) {
        if (!rp_access_reads(uses[i].access)) continue;
        const word *at = words_of(m, uses[i].buffer, uses[i].offset);
        uint64_t read = i;
        for (uint64_t w = 0; w < uses[i].size / unit(m->g, uses[i].buffer); w++) {
            poison |= is_poison(at[w].tag);
            read = mix(read, at[w].tag);
        }
        acc += read; /* reads happen in any order */
    }
    for (uint32_t i = 0; i < n->use_count; i++) {
        if (!rp_access_writes(uses[i].access)) continue;
        word *at = words_of(m, uses[i].buffer, uses[i].offset);
        for (uint64_t w = 0; w < uses[i].size / unit(m->g, uses[i].buffer); w++)
            if (poison)
                at[w].tag = POISON;
            else if (writes_word(n, &uses[i], acc, w))
                at[w].tag = mix(mix(acc, i), w);
    }
}

/* Whether a buffer is undefined when a replay begins. */
static bool starts_undefined(const rp_graph_buffer *b, bool has_unknown) {
    return b->kind == RP_TMP || (b->kind == RP_OUT && !has_unknown);
}

static void run_source(memory *m, uint32_t replays, uint64_t absent, uint8_t **defined) {
    const rp_graph *g = m->g;
    uint32_t unknowns = 0;
    bool has_unknown = false;
    for (uint32_t i = 0; i < g->nodes_count; i++) has_unknown |= g->nodes[i].unknown;
    for (uint32_t r = 0; r < replays; r++) {
        memory before; /* what out buffers hold; a copy is simple, and these graphs are small */
        memory_init(&before, g, 0);
        for (uint32_t i = 0; i < g->buffers_count; i++) {
            memcpy(before.spaces[i], m->spaces[i], units(g, i) * sizeof(word));
            for (uint64_t w = 0; w < units(g, i); w++)
                if (starts_undefined(&g->buffers[i], has_unknown))
                    m->spaces[i][w].tag = g->buffers[i].kind == RP_TMP ? POISON : UNWRITTEN;
        }
        for (uint32_t i = 0; i < g->nodes_count; i++) {
            bool gone = is_absent(g, absent, r, &g->nodes[i]);
            if (g->nodes[i].unknown)
                defined[unknowns++] = gone ? NULL : run_unknown(m, &g->nodes[i]);
            if (!gone) run_node(m, &g->nodes[i]);
        }
        for (uint32_t i = 0; i < g->buffers_count; i++)
            for (uint64_t w = 0; w < units(g, i); w++)
                if (m->spaces[i][w].tag == UNWRITTEN) m->spaces[i][w].tag = before.spaces[i][w].tag;
        memory_free(&before);
    }
}

/* ---- What barriers allow --------------------------------------------------------------------- */

static uint32_t stage_of(uint32_t scope) {
    if (scope & rp_scope_stage(RP_SCOPE_COMPUTE_R)) return 0;
    if (scope & (RP_SCOPE_TRANSFER_R | RP_SCOPE_TRANSFER_W)) return 1;
    return scope & RP_SCOPE_INDIRECT_R ? 2 : 3;
}

static bool has_stage(uint32_t scopes, uint32_t stage) {
    for (uint32_t bit = 1; bit < 1u << BITS; bit *= 2)
        if ((scopes & bit) && stage_of(bit) == stage) return true;
    return false;
}

static uint32_t boundary_count(const simulation *s) {
    return s->replays * (s->m.g->group_count + 1);
}

static uint32_t stages_of(uint32_t scopes) {
    uint32_t stages = 0;
    for (uint32_t i = 0; i < STAGES; i++)
        if (has_stage(scopes, i)) stages |= 1u << i;
    return stages;
}

static rp_graph_barrier boundary(const simulation *s, uint32_t b) {
    return s->m.g->barriers[b % (s->m.g->group_count + 1)];
}

/* What each boundary makes available, and what each holds back for whom. */
static void tabulate(simulation *s) {
    uint32_t count = boundary_count(s);
    s->held = need(calloc((size_t)count * count, sizeof *s->held));
    s->avail = need(calloc(count, sizeof *s->avail));
    for (uint32_t b = 0; b < count; b++) {
        if (b > 0) memcpy(s->avail[b], s->avail[b - 1], sizeof s->avail[b]);
        for (uint32_t i = 0; i < BITS; i++)
            if (boundary(s, b).src & 1u << i) s->avail[b][i] = b;
    }
    for (uint32_t first = 0; first < count; first++)
        for (uint32_t stage = 0; stage < STAGES; stage++) {
            uint32_t held = 0;
            for (uint32_t b = first; b < count; b++) {
                if (stages_of(boundary(s, b).src) & (1u << stage | held))
                    held |= stages_of(boundary(s, b).dst);
                s->held[(size_t)first * count + b][stage] = (uint8_t)held;
            }
        }
}

/* Whether a write at `from` is visible to an access at `to`: a boundary makes it available, and
 * that boundary, or one that waits for it, directly or through others, makes what is available
 * visible. */
static bool visible(const simulation *s, uint32_t from, uint32_t src, uint32_t to, uint32_t dst) {
    uint32_t held = 0; /* stages that wait for the write */
    for (uint32_t b = from + 1; b <= to; b++) {
        rp_graph_barrier bar = boundary(s, b);
        if (!(bar.src & src) && !(held & stages_of(bar.src))) continue;
        if (bar.dst & dst) return true;
        held |= stages_of(bar.dst);
    }
    return false;
}

static bool touches(const rp_graph *g, const event *e, uint32_t image) {
    return e->use == RP_NONE || rp_node_uses(g, &g->nodes[e->node])[e->use].buffer == image;
}

/* Whether an event touches an image of the set of `image`, which is taken over. */
static bool touches_set(const rp_graph *g, const event *e, uint32_t image) {
    if (e->use == TAKE_OVER) return share(g, e->node, image) || e->node == image;
    if (e->use == RP_NONE) return true;
    uint32_t buffer = rp_node_uses(g, &g->nodes[e->node])[e->use].buffer;
    return buffer == image || share(g, buffer, image);
}

static bool precedes(const simulation *s, const event *e, const event *f) {
    if (f->use == TAKE_OVER) return e->position < f->position && touches_set(s->m.g, e, f->node);
    if (e->use == TAKE_OVER) return e->position <= f->position && touches(s->m.g, f, e->node);
    if (e->node == f->node && e->replay == f->replay) return !e->write && f->write;
    size_t at = (size_t)(e->position + 1) * boundary_count(s) + f->position;
    return e->position < f->position && (s->held[at][e->stage] >> f->stage & 1);
}

/* ---- The compiled graph ---------------------------------------------------------------------- */

static void add_event(simulation *s, uint32_t replay, uint32_t node, uint32_t use, uint32_t scope,
                      bool write) {
    const rp_graph *g = s->m.g;
    s->events[s->event_count++] =
        (event){.node = node,
                .replay = replay,
                .use = use,
                .position = replay * (g->group_count + 1) + g->nodes[node].group,
                .stage = stage_of(scope),
                .scope = scope,
                .write = write};
}

static void add_events(simulation *s, uint32_t replay, uint32_t node) {
    const rp_graph *g = s->m.g;
    const rp_graph_node *n = &g->nodes[node];
    bool run = n->kind == RP_RUN;
    if (n->unknown) add_event(s, replay, node, RP_NONE, RP_SCOPE_COMPUTE_R, false);
    for (uint32_t i = 0; i < n->use_count; i++) {
        const rp_graph_use *u = &rp_node_uses(g, n)[i];
        uint32_t read = u->indirect               ? RP_SCOPE_INDIRECT_R
                        : !run                    ? RP_SCOPE_TRANSFER_R
                        : u->access == RP_UNIFORM ? RP_SCOPE_COMPUTE_U
                        : u->access == RP_SAMPLED ? RP_SCOPE_COMPUTE_S
                                                  : RP_SCOPE_COMPUTE_R;
        if (rp_access_reads(u->access)) add_event(s, replay, node, i, read, false);
        if (rp_access_writes(u->access))
            add_event(s, replay, node, i, run ? RP_SCOPE_COMPUTE_W : RP_SCOPE_TRANSFER_W, true);
    }
    if (n->unknown) add_event(s, replay, node, RP_NONE, RP_SCOPE_COMPUTE_W, true);
}

static uint32_t step_of(const simulation *s, const event *e) {
    return e->replay * s->m.g->nodes_count + e->node;
}

/* What an access finds in a word: its tag, or garbage when the write was not made visible. Words of
 * one range mostly have one writer, so the last answer is kept. */
static uint64_t read_word(simulation *s, const event *e, const word *w) {
    if (!w->scope || w->step == step_of(s, e)) return w->tag;
    if (s->asked_by != e || s->asked_step != w->step || s->asked_scope != w->scope) {
        s->asked_by = e;
        s->asked_step = w->step;
        s->asked_scope = w->scope;
        s->answer = visible(s, w->position, w->scope, e->position, e->scope);
    }
    return s->answer ? w->tag : rp_random_next(&s->r);
}

/* A write over one that is not available yet may be undone by it later. */
static void write_word(simulation *s, const event *e, word *w, uint64_t tag) {
    if (w->scope && w->step != step_of(s, e) &&
        s->avail[e->position][__builtin_ctz(w->scope)] <= w->position)
        tag = rp_random_next(&s->r);
    *w = (word){tag, e->position, e->scope, step_of(s, e)};
}

static const uint8_t *defined_at(const simulation *s, const event *e, const rp_graph *source) {
    uint32_t rank = 0, unknowns = 0;
    for (uint32_t i = 0; i < source->nodes_count; i++) {
        if (!source->nodes[i].unknown) continue;
        if (source->nodes[i].id < s->m.g->nodes[e->node].id) rank++;
        unknowns++;
    }
    return s->defined[e->replay * unknowns + rank];
}

/* Everything that the source has defined, through buffers of the same names. */
static void touch_all(simulation *s, const event *e, const rp_graph *source) {
    uint64_t *acc = &s->acc[step_of(s, e)], at = 0;
    const uint8_t *defined = defined_at(s, e, source);
    for (uint32_t i = 0; i < source->buffers_count; i++) {
        const rp_graph_buffer *b = &source->buffers[i];
        uint32_t mine = rp_graph_find_buffer(s->m.g, rp_graph_string(source, b->name));
        for (uint64_t w = 0; w < units(source, i); w++, at++) {
            if (!defined[at] || mine == RP_NONE || s->m.g->buffers[mine].size != b->size) continue;
            word *cell = words_of(&s->m, mine, w * unit(source, i));
            if (!e->write)
                *acc = mix(*acc, read_word(s, e, cell));
            else if (b->kind == RP_TMP || b->kind == RP_OUT || b->kind == RP_INOUT)
                write_word(s, e, cell, mix(mix(*acc, name_tag(source, i)), w));
        }
    }
}

/* Who shares memory with an image that is written finds garbage. */
static void spoil(simulation *s, uint32_t image, bool itself) {
    const rp_graph *g = s->m.g;
    for (uint32_t i = 0; i < g->buffers_count; i++)
        for (uint64_t w = 0; (share(g, image, i) || (itself && i == image)) && w < units(g, i); w++)
            s->m.spaces[i][w] = (word){.tag = rp_random_next(&s->r)};
}

/* In front of the first group of a replay that uses an image of a shared set. */
static void add_take_overs(simulation *s, uint32_t replay) {
    const rp_graph *g = s->m.g;
    for (uint32_t image = 0; image < g->buffers_count; image++) {
        uint32_t first = RP_NONE;
        for (uint32_t i = 0; i < g->nodes_count; i++)
            for (uint32_t u = 0; u < g->nodes[i].use_count; u++)
                if (rp_node_uses(g, &g->nodes[i])[u].buffer == image && g->nodes[i].group < first)
                    first = g->nodes[i].group;
        if (first == RP_NONE || !shares(g, image)) continue;
        s->events[s->event_count++] = (event){.node = image,
                                              .replay = replay,
                                              .use = TAKE_OVER,
                                              .position = replay * (g->group_count + 1) + first,
                                              .write = true};
    }
}

static void run_event(simulation *s, const event *e, const rp_graph *source) {
    if (e->use == TAKE_OVER) {
        spoil(s, e->node, true);
        return;
    }
    uint64_t *acc = &s->acc[step_of(s, e)];
    if (e->use == RP_NONE) {
        touch_all(s, e, source);
        return;
    }
    const rp_graph_node *n = &s->m.g->nodes[e->node];
    const rp_graph_use *u = &rp_node_uses(s->m.g, n)[e->use];
    word *at = words_of(&s->m, u->buffer, u->offset);
    uint64_t read = e->use;
    for (uint64_t w = 0; w < u->size / unit(s->m.g, u->buffer); w++) {
        if (!e->write)
            read = mix(read, read_word(s, e, &at[w]));
        else if (writes_word(n, u, *acc, w))
            write_word(s, e, &at[w], mix(mix(*acc, e->use), w));
    }
    if (!e->write) *acc += read;
    if (e->write && rp_buffer_is_image(&s->m.g->buffers[u->buffer])) spoil(s, u->buffer, false);
}

static void run_compiled(simulation *s, const rp_graph *source) {
    const rp_graph *g = s->m.g;
    uint32_t most = s->replays * (2 * g->uses_count + 2 * g->nodes_count + g->buffers_count);
    s->events = need(calloc(most + 1, sizeof *s->events));
    s->acc = need(calloc((size_t)s->replays * g->nodes_count + 1, sizeof *s->acc));
    tabulate(s);
    for (uint32_t r = 0; r < s->replays; r++) add_take_overs(s, r);
    for (uint32_t r = 0; r < s->replays; r++)
        for (uint32_t i = 0; i < g->nodes_count; i++) {
            s->acc[r * g->nodes_count + i] = node_seed(g, &g->nodes[i]);
            if (!is_absent(source, s->absent, r, &g->nodes[i])) add_events(s, r, i);
        }
    for (uint32_t i = 0; i < s->event_count; i++)
        for (uint32_t k = 0; k < s->event_count; k++)
            s->events[i].waits += k != i && precedes(s, &s->events[k], &s->events[i]);
    for (uint32_t left = s->event_count; left > 0; left--) {
        uint32_t ready = 0, chosen = RP_NONE;
        for (uint32_t i = 0; i < s->event_count; i++) { /* each ready one is as likely */
            event *e = &s->events[i];
            if (!e->done && e->waits == 0 && rp_random_below(&s->r, ++ready) == 0) chosen = i;
        }
        if (chosen == RP_NONE) abort(); /* positions only ascend: there is no cycle */
        event *e = &s->events[chosen];
        e->done = true;
        run_event(s, e, source);
        for (uint32_t i = 0; i < s->event_count; i++)
            s->events[i].waits -= !s->events[i].done && precedes(s, e, &s->events[i]);
    }
}

/* ---- Comparing ------------------------------------------------------------------------------- */

static bool compare_results(simulation *s, memory *source, char why[RP_WHY]) {
    const rp_graph *g = source->g;
    event host = {.position = boundary_count(s) - 1, .scope = RP_SCOPE_HOST_R, .node = RP_NONE};
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        if (g->buffers[i].removed || !rp_buffer_has_result(&g->buffers[i])) continue;
        const char *name = rp_graph_string(g, g->buffers[i].name);
        uint32_t mine = rp_graph_find_buffer(s->m.g, name);
        for (uint64_t w = 0; w < units(g, i); w++) {
            uint64_t expected = source->spaces[i][w].tag;
            if (expected == POISON) continue;
            if (mine != RP_NONE && read_word(s, &host, &s->m.spaces[mine][w]) == expected) continue;
            snprintf(why, RP_WHY, "after %u replays, word %llu of $%s is wrong", s->replays,
                     (unsigned long long)w, name);
            return false;
        }
    }
    return true;
}

bool rp_simulate_some(const rp_graph *source, const rp_graph *compiled, uint64_t seed,
                      char why[RP_WHY]) {
    uint32_t loose = 0;
    rp_random r = {seed};
    for (uint32_t i = 0; i < source->nodes_count; i++) loose += is_loose(source, &source->nodes[i]);
    for (uint32_t k = 0; k < 4; k++) {
        uint64_t absent = loose <= 2 || k == 0 ? k : k == 1 ? UINT64_MAX : rp_random_next(&r);
        if (rp_simulate_same(source, compiled, 1 + k % 2, absent, seed + k, why)) continue;
        size_t end = strlen(why);
        snprintf(why + end, RP_WHY - end, " (nodes left out: %llx)", (unsigned long long)absent);
        return false;
    }
    return true;
}

bool rp_simulate_same(const rp_graph *source, const rp_graph *compiled, uint32_t replays,
                      uint64_t absent, uint64_t seed, char why[RP_WHY]) {
    memory m;
    simulation s = {.r = {seed}, .replays = replays, .absent = absent};
    s.defined = need(calloc((size_t)source->nodes_count * replays + 1, sizeof *s.defined));
    memory_init(&m, source, 0);
    run_source(&m, replays, absent, s.defined);
    memory_init(&s.m, compiled, seed);
    run_compiled(&s, source);
    bool same = compare_results(&s, &m, why);

    for (uint32_t i = 0; i < source->nodes_count * replays; i++) free(s.defined[i]);
    free(s.defined);
    free(s.events);
    free(s.acc);
    free(s.held);
    free(s.avail);
    memory_free(&s.m);
    memory_free(&m);
    return same;
}
