/* Rule 1: every read finds what the same node wrote as in the source.
 *
 * A byte's value is named by who wrote it: a use of a source node, the replay, and the place within
 * that use. The source is walked in id order, on the bytes the graph names; what each read finds is
 * recorded as a list of pieces. The compiled graph is walked in plan order, on physical bytes,
 * where transients share memory and keep the garbage of whoever was there; what each read finds is
 * compared with the record. At the end of the plan every result is read. When all reads of all
 * nodes find the same values, all nodes write the same values, by induction in plan order.
 *
 * Two replays in a row, so that what a buffer keeps from one replay to the next is proven as well.
 * Only external buffers keep anything: a transient is undefined at the start of a replay, so what
 * it holds at a defined read was written in the same replay by nodes that the first walk compared.
 * The second walk therefore looks at external buffers alone.
 *
 * A node without declared uses reads everything: in front of it, all that was written since the
 * last such node must be in place. What it writes need not be followed: rule 0 keeps every buffer
 * in its place and check_order.c every node on its side, so each byte meets it in the same state.
 *
 * A fused node does what its members do. What stays a value inside it was, in the source, a write
 * that one read found whole; the value is then the same by the same induction, and the bytes that
 * are not written any more hold what others would find, which is compared as everywhere.
 *
 * A piece holds no address: both walks know where each use begins, so that two equal names at equal
 * distances are the same bytes. A range in many pieces that is read again before somebody writes
 * into it is not recorded and not compared again. Cost: O(uses log pieces); 4 bytes a use and 16 a
 * piece. Readers of thousands of pieces with a write between each two of them cost all pieces,
 * each. */
#include "check/check.h"

#include <stdio.h>

#include "base/interval_map.h"

/* What a read of the source found up to `end`, counted from the start of its range. The value is
 * replay * use count + use index, or RP_ABSENT where nothing wrote. */
typedef struct piece {
    uint64_t end;
    uint32_t value;
} piece;

/* A range that was found in many pieces, and its record: good for whoever reads the same range
 * next, until somebody writes into it. */
typedef struct recent {
    uint64_t lo, hi;
    uint32_t first;
    uint32_t next; /* in the list of its map, RP_NONE at the end */
} recent;

enum { RECENT_PIECES = 16, RECENT_MAX = 8 }; /* kept from that many on; so many for each map */

typedef struct flow {
    rp_check_run *run;
    const rp_graph *source, *compiled;
    rp_interval_map *maps; /* per buffer of the source, then per space of the compiled graph */
    uint32_t map_count;
    bool *written; /* per map: whether anything ever writes it */
    RP_ARRAY(piece, pieces);
    RP_ARRAY(recent, recents);
    uint32_t *recent; /* per map: the first of its list */
    uint32_t *first;  /* per slot: its first piece; RP_NONE: one piece, nothing wrote */
    uint32_t slots;   /* per replay */
    uint64_t *base;   /* per source use: where the compiled graph put it in its space */
    uint32_t replay;
    bool failed;
} flow;

/* Slots of one replay: uses, then results by buffer, then uses as a node without declared uses
 * finds them. */
static uint32_t use_slot(const flow *f, uint32_t use) {
    return f->replay * f->slots + use;
}

static uint32_t result_slot(const flow *f, uint32_t buffer) {
    return f->replay * f->slots + f->source->uses_count + buffer;
}

static uint32_t state_slot(const flow *f, uint32_t use) {
    return f->replay * f->slots + f->source->uses_count + f->source->buffers_count + use;
}

/* ---- Ranges that are read again -------------------------------------------------------------- */

/* RP_NONE when the range was not read since it was written. */
static uint32_t find_recent(const flow *f, uint32_t map, uint64_t lo, uint64_t hi) {
    uint32_t i = f->recent[map];
    while (i != RP_NONE && (f->recents[i].lo != lo || f->recents[i].hi != hi))
        i = f->recents[i].next;
    return i;
}

/* The oldest of a full list makes room. */
static void keep_recent(flow *f, uint32_t map, uint64_t lo, uint64_t hi, uint32_t first) {
    uint32_t *link = &f->recent[map];
    for (uint32_t n = 1; *link != RP_NONE && n < RECENT_MAX; n++) link = &f->recents[*link].next;
    uint32_t at = *link;
    *link = RP_NONE;
    if (at == RP_NONE) {
        if (!RP_RESERVE(f->run->a, f->recents, f->recents_count, f->recents_capacity, 1)) {
            f->failed = true;
            return;
        }
        at = f->recents_count++;
    }
    f->recents[at] = (recent){lo, hi, first, f->recent[map]};
    f->recent[map] = at;
}

static void forget_recent(flow *f, uint32_t map, uint64_t lo, uint64_t hi) {
    for (uint32_t *link = &f->recent[map]; *link != RP_NONE;) {
        recent *r = &f->recents[*link];
        if (r->lo < hi && lo < r->hi)
            *link = r->next;
        else
            link = &r->next;
    }
}

static void forget_all(flow *f) {
    f->recents_count = 0;
    memset(f->recent, 0xff, f->map_count * sizeof *f->recent); /* RP_NONE */
}

/* ---- The source ------------------------------------------------------------------------------ */

typedef struct recorder {
    flow *f;
    uint64_t start;
} recorder;

static uint32_t on_record(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    recorder *r = context;
    flow *f = r->f;
    (void)lo;
    if (!RP_RESERVE(f->run->a, f->pieces, f->pieces_count, f->pieces_capacity, 1))
        f->failed = true;
    else
        f->pieces[f->pieces_count++] = (piece){hi - r->start, value};
    return value;
}

static void record(flow *f, uint32_t slot, uint32_t buffer, uint64_t offset, uint64_t size) {
    if (!f->written[buffer]) return;
    recorder r = {f, offset};
    uint32_t known = find_recent(f, buffer, offset, offset + size);
    f->first[slot] = known == RP_NONE ? f->pieces_count : f->recents[known].first;
    if (known != RP_NONE) return;
    rp_interval_map_each(&f->maps[buffer], offset, offset + size, on_record, &r);
    if (f->pieces_count - f->first[slot] > RECENT_PIECES)
        keep_recent(f, buffer, offset, offset + size, f->first[slot]);
}

static void write_map(flow *f, uint32_t map, uint64_t lo, uint64_t size, uint32_t use) {
    uint32_t value = f->replay * f->source->uses_count + use;
    forget_recent(f, map, lo, lo + size);
    if (!rp_interval_map_set(f->run->a, &f->maps[map], lo, lo + size, value)) f->failed = true;
}

/* In the second replay transients are not looked at. */
static bool skips(const flow *f, const rp_graph *g, uint32_t buffer) {
    return f->replay == 1 && !rp_check_external(&g->buffers[buffer]);
}

static void record_state(flow *f, uint32_t from, uint32_t to) {
    const rp_graph *s = f->source;
    for (uint32_t i = from; i < to; i++) {
        const rp_graph_node *n = &s->nodes[f->run->by_id[i]];
        for (uint32_t k = n->first_use; k < n->first_use + n->use_count; k++) {
            const rp_graph_use *u = &s->uses[k];
            if (rp_check_writes(u) && !skips(f, s, u->buffer))
                record(f, state_slot(f, k), u->buffer, u->offset, u->size);
        }
    }
}

static void record_use(void *context, const rp_graph_node *n, uint32_t k, bool writes) {
    flow *f = context;
    uint32_t use = n->first_use + k;
    const rp_graph_use *u = &f->source->uses[use];
    if (skips(f, f->source, u->buffer)) return;
    if (writes)
        write_map(f, u->buffer, u->offset, u->size, use);
    else
        record(f, use_slot(f, use), u->buffer, u->offset, u->size);
}

static void walk_source(flow *f) {
    const rp_graph *s = f->source;
    uint32_t since = 0; /* the last node without declared uses */
    for (uint32_t i = 0; i < s->nodes_count && !f->failed; i++) {
        const rp_graph_node *n = &s->nodes[f->run->by_id[i]];
        if (n->unknown) record_state(f, since, i);
        if (n->unknown) since = i;
        rp_check_visit_uses(s, n, record_use, f);
    }
    for (uint32_t i = 0; i < s->buffers_count; i++) {
        if (!s->buffers[i].removed && rp_buffer_has_result(&s->buffers[i]))
            record(f, result_slot(f, i), i, 0, s->buffers[i].size);
        if (rp_check_external(&s->buffers[i])) continue;
        rp_interval_map_free(f->run->a, &f->maps[i]);
        f->recent[i] = RP_NONE;
    }
}

/* ---- Findings -------------------------------------------------------------------------------- */

/* One read, in both graphs. */
typedef struct reader {
    flow *f;
    const rp_graph_node *node; /* of the compiled graph; NULL: the end of the plan */
    bool state;                /* the node has no declared uses and reads everything */
    uint32_t buffer, source_buffer;
    uint64_t offset, source_offset; /* within the buffer */
    uint64_t start;                 /* within the space */
    uint64_t size;
    const piece *next; /* NULL: nothing wrote any of it in the source */
    uint64_t done;     /* bytes before *next */
    bool wrong;        /* one finding for a read is enough */
} reader;

static const rp_graph_node *writer_of(const flow *f, uint32_t value) {
    uint32_t use = value % f->source->uses_count;
    for (uint32_t i = 0; i < f->source->nodes_count; i++) {
        const rp_graph_node *n = &f->source->nodes[i];
        if (use >= n->first_use && use - n->first_use < n->use_count) return n;
    }
    return NULL;
}

static void describe(const reader *r, char text[RP_CHECK_RANGE], uint32_t value, bool external) {
    const flow *f = r->f;
    const rp_graph_node *n = value == RP_ABSENT ? NULL : writer_of(f, value);
    if (!n) {
        snprintf(text, RP_CHECK_RANGE, "%s",
                 external ? "its contents from before the first replay"
                          : "bytes that nothing wrote");
        return;
    }
    bool earlier = value / f->source->uses_count < f->replay;
    snprintf(text, RP_CHECK_RANGE, "the bytes n%u wrote%s", n->id,
             earlier ? " in the replay before" : "");
}

static void report(reader *r, uint64_t lo, uint64_t hi, uint32_t expected, uint32_t found) {
    flow *f = r->f;
    char who[RP_CHECK_RANGE], what[RP_CHECK_RANGE], want[RP_CHECK_RANGE], have[RP_CHECK_RANGE];
    r->wrong = true;
    if (r->node)
        snprintf(who, sizeof who, "n%u reads", r->node->id);
    else
        snprintf(who, sizeof who, "the end of the plan reads");
    rp_check_range(what, f->compiled, r->buffer, r->offset + lo, hi - lo);
    describe(r, want, expected, rp_check_external(&f->source->buffers[r->source_buffer]));
    describe(r, have, found, rp_check_external(&f->compiled->buffers[r->buffer]));
    rp_check_fail(f->run, r->node, "rule 1: %s %s%s: expected %s, finds %s%s", who, what,
                  r->state ? " (it has no declared uses)" : "", want,
                  expected == found && expected != RP_ABSENT ? "others of " : "", have);
}

/* ---- The compiled graph ---------------------------------------------------------------------- */

/* Whether the source leaves undefined what a node finds: bytes of a transient or of an out buffer
 * that no node wrote in this replay. A node without declared uses may have written them, so with
 * one in the graph nothing counts as undefined. The host, at the end, sees what an out buffer
 * really holds. */
static bool undefined(const reader *r, uint32_t expected) {
    const flow *f = r->f;
    uint8_t kind = f->source->buffers[r->source_buffer].kind;
    if (f->run->has_unknown || (kind != RP_TMP && (kind != RP_OUT || !r->node))) return false;
    return expected == RP_ABSENT || expected / f->source->uses_count < f->replay;
}

static bool agrees(const reader *r, uint32_t expected, uint32_t found) {
    const flow *f = r->f;
    if (undefined(r, expected)) return true;
    if (expected == RP_ABSENT) {
        bool external = rp_check_external(&f->source->buffers[r->source_buffer]);
        return found == RP_ABSENT &&
               rp_check_external(&f->compiled->buffers[r->buffer]) == external;
    }
    uint32_t use = expected % f->source->uses_count;
    return expected == found &&
           r->source_offset - f->source->uses[use].offset == r->start - f->base[use];
}

/* Compares what one piece of the compiled walk holds with the record of the source. */
static uint32_t on_compare(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    reader *r = context;
    lo -= r->start;
    hi -= r->start;
    while (lo < hi && !r->wrong) {
        uint64_t end = r->next ? r->next->end : r->size;
        uint32_t expected = r->next ? r->next->value : RP_ABSENT;
        uint64_t stop = end < hi ? end : hi;
        r->f->run->reads_proven++;
        if (!agrees(r, expected, value)) report(r, lo, stop, expected, value);
        if (r->next && stop == end) r->next++;
        lo = stop;
    }
    return value;
}

static void compare(flow *f, uint32_t slot, reader r) {
    uint32_t map = f->source->buffers_count + rp_check_space(f->compiled, r.buffer);
    uint32_t first = f->first[slot];
    if (rp_check_stop(f->run) || skips(f, f->compiled, r.buffer)) return;
    if (first == RP_NONE && !f->written[map] &&
        f->run->source_buffer[r.buffer] == r.source_buffer) { /* weights and inputs */
        f->run->reads_proven++;
        return;
    }
    /* The same bytes held against the same record, and not written since: proven already. What the
     * host may find undefined differs from what a node may. */
    uint32_t known = r.node ? find_recent(f, map, r.start, r.start + r.size) : RP_NONE;
    if (known != RP_NONE && first != RP_NONE && f->recents[known].first == first) {
        f->run->reads_proven++;
        return;
    }
    uint64_t before = f->run->reads_proven;
    r.f = f;
    r.next = first == RP_NONE ? NULL : &f->pieces[first];
    rp_interval_map_each(&f->maps[map], r.start, r.start + r.size, on_compare, &r);
    if (r.node && !r.wrong && first != RP_NONE && f->run->reads_proven - before > RECENT_PIECES)
        keep_recent(f, map, r.start, r.start + r.size, first);
}

/* Compares use `k` of the source, as node `at` finds it in the compiled graph. */
static void compare_use(flow *f, uint32_t slot, const rp_graph_node *at, bool state,
                        const rp_graph_use *u, const rp_graph_use *v) {
    compare(f, slot,
            (reader){.node = at,
                     .state = state,
                     .buffer = u->buffer,
                     .source_buffer = v->buffer,
                     .offset = u->offset,
                     .source_offset = v->offset,
                     .start = rp_check_base(f->compiled, u),
                     .size = u->size});
}

/* A node that was dropped: fine when others have overwritten all it wrote; they are compared. */
static void compare_dropped(flow *f, const rp_graph_node *at, const rp_graph_node *m) {
    const rp_graph *s = f->source;
    for (uint32_t k = m->first_use; k < m->first_use + m->use_count; k++) {
        const rp_graph_use *v = &s->uses[k];
        if (!rp_check_writes(v) || skips(f, s, v->buffer)) continue;
        uint64_t done = 0;
        for (const piece *p = &f->pieces[f->first[state_slot(f, k)]]; done < v->size; p++) {
            char range[RP_CHECK_RANGE];
            if (p->value == f->replay * s->uses_count + k && !rp_check_stop(f->run))
                rp_check_fail(f->run, at,
                              "rule 1: n%u has no declared uses and may read what n%u wrote (%s), "
                              "which is missing",
                              at->id, m->id,
                              rp_check_range(range, s, v->buffer, v->offset + done, p->end - done));
            done = p->end;
        }
    }
}

static void compare_state(flow *f, const rp_graph_node *at, uint32_t from, uint32_t to) {
    const rp_graph *s = f->source, *g = f->compiled;
    for (uint32_t i = from; i < to; i++) {
        const rp_graph_node *m = &s->nodes[f->run->by_id[i]];
        uint32_t plan = f->run->plan_of[f->run->by_id[i]];
        if (plan == RP_NONE) {
            compare_dropped(f, at, m);
            continue;
        }
        const rp_graph_node *n = &g->nodes[plan];
        for (uint32_t k = 0; k < m->use_count; k++) {
            const rp_graph_use *v = &rp_node_uses(s, m)[k];
            if (rp_check_writes(v) && !skips(f, s, v->buffer))
                compare_use(f, state_slot(f, m->first_use + k), at, true, &rp_node_uses(g, n)[k],
                            v);
        }
    }
}

static void write_compiled(flow *f, const rp_graph_use *u, uint32_t source_use) {
    const rp_graph *g = f->compiled;
    if (skips(f, g, u->buffer)) return;
    uint64_t base = f->base[source_use] = rp_check_base(g, u);
    write_map(f, f->source->buffers_count + rp_check_space(g, u->buffer), base, u->size,
              source_use);
}

/* A node of the compiled graph that is one of the source. */
typedef struct pair {
    flow *f;
    const rp_graph_node *source;
} pair;

static void compare_pair(void *context, const rp_graph_node *n, uint32_t k, bool writes) {
    const pair *p = context;
    flow *f = p->f;
    if (k >= p->source->use_count) return; /* live sizes, which the host alone writes */
    uint32_t use = p->source->first_use + k;
    const rp_graph_use *u = &rp_node_uses(f->compiled, n)[k];
    if (writes)
        write_compiled(f, u, use);
    else
        compare_use(f, use_slot(f, use), n, false, u, &f->source->uses[use]);
}

/* A value inside a fused node: in the source the read must have found just what the member wrote
 * that computes the value here, all of it. */
static void compare_value(flow *f, const rp_graph_node *n, uint32_t operand) {
    const rp_graph *s = f->source;
    uint32_t writer = rp_check_value_writer(f->compiled, n, operand);
    uint32_t read = f->run->source_use[operand];
    uint32_t write = writer == RP_NONE ? RP_NONE : f->run->source_use[writer];
    if (read == RP_NONE || write == RP_NONE || rp_check_stop(f->run)) return; /* rule 0 said so */
    const rp_graph_use *u = &s->uses[read], *v = &s->uses[write];
    if (skips(f, s, u->buffer)) return;
    uint32_t first = f->first[use_slot(f, read)];
    const piece *p = first == RP_NONE ? NULL : &f->pieces[first];
    f->run->reads_proven++;
    if (p && p->end == u->size && p->value == f->replay * s->uses_count + write &&
        u->offset == v->offset && u->size == v->size)
        return;
    char range[RP_CHECK_RANGE];
    rp_check_fail(f->run, n,
                  "rule 1: n%u takes for %s a value of its own, which is not what the source reads "
                  "there",
                  n->id, rp_check_range(range, s, u->buffer, u->offset, u->size));
}

/* The members of a fused node read before any of them writes: check_race.c sees to it that what
 * they write is read by none. */
static void compare_fused(flow *f, const rp_graph_node *n) {
    const rp_graph *s = f->source, *g = f->compiled;
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < n->member_count; i++) {
            const rp_graph_member *m = &g->members[n->first_member + i];
            for (uint32_t k = m->first_operand; k < m->first_operand + m->operand_count; k++) {
                const rp_graph_operand *o = &g->operands[k];
                if (o->absent || f->run->source_use[k] == RP_NONE) continue;
                uint32_t use = f->run->source_use[k];
                if (o->use == RP_NONE) {
                    if (pass == 0 && o->access == RP_READ) compare_value(f, n, k);
                    continue;
                }
                const rp_graph_use *u = &rp_node_uses(g, n)[o->use];
                if (pass == 0 && rp_check_reads(n, u))
                    compare_use(f, use_slot(f, use), n, false, u, &s->uses[use]);
                if (pass == 1 && rp_check_writes(u)) write_compiled(f, u, use);
            }
        }
}

/* The position in id order of each node without declared uses is needed to know what it reads. */
static uint32_t rank_of(const flow *f, uint32_t id) {
    uint32_t low = 0, high = f->source->nodes_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (f->source->nodes[f->run->by_id[mid]].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void walk_compiled(flow *f) {
    const rp_graph *g = f->compiled, *s = f->source;
    uint32_t since = 0;
    for (uint32_t i = 0; i < g->nodes_count && !f->failed && !rp_check_stop(f->run); i++) {
        const rp_graph_node *n = &g->nodes[i];
        if (n->unknown) {
            uint32_t rank = rank_of(f, n->id);
            compare_state(f, n, since, rank);
            since = rank;
        }
        if (f->run->source_of[i] == RP_NONE) {
            compare_fused(f, n);
        } else {
            pair both = {f, &s->nodes[f->run->source_of[i]]};
            rp_check_visit_uses(g, n, compare_pair, &both);
        }
    }
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        const rp_graph_buffer *b = &g->buffers[i];
        if (!b->removed && rp_buffer_has_result(b))
            compare(
                f, result_slot(f, f->run->source_buffer[i]),
                (reader){.buffer = i, .source_buffer = f->run->source_buffer[i], .size = b->size});
    }
}

/* ---- Both ------------------------------------------------------------------------------------ */

static void mark_written(flow *f) {
    const rp_graph *s = f->source, *g = f->compiled;
    for (uint32_t i = 0; i < s->nodes_count; i++)
        for (uint32_t k = 0; k < s->nodes[i].use_count; k++) {
            const rp_graph_use *u = &rp_node_uses(s, &s->nodes[i])[k];
            if (rp_check_writes(u)) f->written[u->buffer] = true;
            if (f->base[s->nodes[i].first_use +
                        k]++) /* a use names its writer: it must be one's own */
                rp_check_fail(f->run, NULL, "source n%u shares its uses with another node",
                              s->nodes[i].id);
        }
    for (uint32_t i = 0; i < g->nodes_count; i++)
        for (uint32_t k = 0; k < g->nodes[i].use_count; k++) {
            const rp_graph_use *u = &rp_node_uses(g, &g->nodes[i])[k];
            if (rp_check_writes(u))
                f->written[s->buffers_count + rp_check_space(g, u->buffer)] = true;
        }
}

static bool allocate(flow *f) {
    const rp_graph *s = f->source;
    const rp_allocator *a = f->run->a;
    uint64_t slots = (uint64_t)s->uses_count * (f->run->has_unknown ? 2 : 1) + s->buffers_count;
    uint64_t maps = (uint64_t)s->buffers_count + f->compiled->buffers_count + 1;
    if (slots > UINT32_MAX / 2 || maps > UINT32_MAX) return false;
    f->slots = (uint32_t)slots;
    f->map_count = (uint32_t)maps;
    f->maps = rp_alloc_zero(a, f->map_count, sizeof *f->maps);
    f->written = rp_alloc_zero(a, f->map_count, sizeof *f->written);
    f->first = rp_alloc(a, (size_t)f->slots * 2, sizeof *f->first);
    f->base = rp_alloc_zero(a, s->uses_count, sizeof *f->base);
    f->recent = rp_alloc(a, f->map_count, sizeof *f->recent);
    if (f->recent) forget_all(f);
    if (f->first) memset(f->first, 0xff, (size_t)f->slots * 2 * sizeof *f->first); /* RP_NONE */
    return f->maps && f->written && f->first && f->base && f->recent;
}

rp_status rp_check_flow(rp_check_run *run) {
    flow f = {.run = run, .source = run->source, .compiled = run->compiled};
    f.failed = !allocate(&f);
    if (!f.failed) mark_written(&f);
    bool sound = run->errors == 0;
    for (f.replay = 0; f.replay < 2 && sound && !f.failed; f.replay++) walk_source(&f);
    for (f.replay = 0; f.replay < 2 && sound && !f.failed; f.replay++) walk_compiled(&f);

    for (uint32_t i = 0; f.maps && i < f.map_count; i++) rp_interval_map_free(run->a, &f.maps[i]);
    rp_release(run->a, f.maps);
    rp_release(run->a, f.written);
    rp_release(run->a, f.pieces);
    rp_release(run->a, f.first);
    rp_release(run->a, f.base);
    rp_release(run->a, f.recent);
    rp_release(run->a, f.recents);
    return f.failed ? RP_ERROR_NO_MEMORY : RP_OK;
}
