/* Rule 2: a barrier covers every pair of conflicting accesses, on physical bytes.
 *
 * The plan is walked twice in a row. For every byte the walk knows the last write and, for each way
 * of reading, the latest read since. Each access is held against the last write, each write against
 * those reads as well: between the two must stand one boundary whose source scope covers the
 * earlier access and whose destination scope covers the later one. Earlier accesses need no look:
 * they are ordered before the last write by the same rule, and order is transitive (docs/checker.md
 * says why that holds for memory, too). Of several reads in the same way the latest is the hardest
 * to order: a boundary behind it lies behind the others.
 *
 * Which boundary covers a pair of scope bits last is kept in a table while walking, so a pair of
 * accesses costs one comparison.
 *
 * States of bytes are cells that never change, so pieces of a range that was cut share them. Memory
 * that nothing writes has no conflicts and is left out. Cost: O(uses log pieces); 20 bytes for each
 * write, and for each read in another group than the last one. */
#include "check/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/interval_map.h"

enum { BITS = 7, READS = 4 };

/* The ways of reading that a cell tells apart. */
static const uint8_t read_bits[READS] = {
    RP_SCOPE_COMPUTE_R,
    RP_SCOPE_COMPUTE_U,
    RP_SCOPE_TRANSFER_R,
    RP_SCOPE_INDIRECT_R,
};

/* An event is replay * node count + node index; RP_NONE for none. */
typedef struct cell {
    uint32_t write;
    uint32_t reads[READS];
} cell;

/* A use that is being looked at. */
typedef struct access {
    uint32_t buffer, space;
    uint64_t lo, hi;      /* in the space */
    uint64_t in_buffer;   /* lo's offset in the buffer */
    uint32_t read, write; /* scope bits, 0 for none */
} access;

typedef struct races {
    rp_check_run *run;
    const rp_graph *g;
    rp_interval_map *maps; /* per space */
    bool *written;         /* per space */
    bool *in_place;        /* per node: some of its uses share bytes, and one writes */
    RP_ARRAY(cell, cells);
    uint32_t latest[BITS][BITS]; /* the latest boundary that covers source bit, destination bit */
    uint32_t replay, node;
    uint32_t position; /* of the current node */
    access now;
    uint32_t old_cell, new_cell; /* what the last piece of this read became */
    bool judged;                 /* the writes of this node were judged already */
    bool failed;
} races;

/* ---- Scopes ---------------------------------------------------------------------------------- */

static uint32_t read_bit(const rp_graph_node *n, const rp_graph_use *u) {
    if (u->indirect) return RP_SCOPE_INDIRECT_R;
    if (u->access == RP_WRITE) return RP_SCOPE_NONE; /* whatever the grid: only writes are issued */
    if (n->kind != RP_RUN) return RP_SCOPE_TRANSFER_R;
    return u->access == RP_UNIFORM ? RP_SCOPE_COMPUTE_U : RP_SCOPE_COMPUTE_R;
}

static uint32_t write_bit(const rp_graph_node *n) {
    return n->kind == RP_RUN ? RP_SCOPE_COMPUTE_W : RP_SCOPE_TRANSFER_W;
}

/* Writes must be made available; of reads only the execution must be over, for which any access of
 * their stage will do. */
static bool source_covers(uint32_t src, uint32_t bit) {
    const uint32_t compute = RP_SCOPE_COMPUTE_R | RP_SCOPE_COMPUTE_U | RP_SCOPE_COMPUTE_W;
    const uint32_t transfer = RP_SCOPE_TRANSFER_R | RP_SCOPE_TRANSFER_W;
    if (bit == RP_SCOPE_COMPUTE_R || bit == RP_SCOPE_COMPUTE_U) return src & compute;
    if (bit == RP_SCOPE_TRANSFER_R) return src & transfer;
    return src & bit;
}

static void pass_boundary(races *r, uint32_t index) {
    const rp_graph_barrier *b = &r->g->barriers[index];
    uint32_t at = r->replay * (r->g->group_count + 1) + index;
    for (uint32_t s = 0; s < BITS; s++)
        if (source_covers(b->src, 1u << s))
            for (uint32_t dst = b->dst & ((1u << BITS) - 1); dst; dst &= dst - 1)
                r->latest[s][__builtin_ctz(dst)] = at;
}

static bool covered(const races *r, uint32_t position, uint32_t src, uint32_t dst) {
    return r->latest[__builtin_ctz(src)][__builtin_ctz(dst)] > position;
}

/* ---- Findings -------------------------------------------------------------------------------- */

static const rp_graph_node *event_node(const races *r, uint32_t event) {
    return &r->g->nodes[event % r->g->nodes_count];
}

static uint32_t event_position(const races *r, uint32_t event) {
    return rp_check_position(r->g, event_node(r, event), event / r->g->nodes_count);
}

/* The buffer through which a node touches a byte of the space of the current access. */
static uint32_t buffer_at(const races *r, const rp_graph_node *n, uint64_t at) {
    for (uint32_t i = 0; i < n->use_count; i++) {
        const rp_graph_use *u = &rp_node_uses(r->g, n)[i];
        uint64_t base = rp_check_base(r->g, u);
        if (rp_check_space(r->g, u->buffer) == r->now.space && base <= at && at < base + u->size)
            return u->buffer;
    }
    return r->now.buffer;
}

static void report(races *r, uint32_t event, uint32_t src, uint32_t dst, rp_hazard_kind kind,
                   uint64_t lo, uint64_t hi) {
    static const char *const verbs[][2] = {
        [RP_RAW_HAZARD] = {"reads", "wrote"},
        [RP_WAR_HAZARD] = {"overwrites", "read"},
        [RP_WAW_HAZARD] = {"overwrites", "wrote"},
    };
    const rp_graph_node *from = event_node(r, event), *to = &r->g->nodes[r->node];
    uint32_t other = buffer_at(r, from, lo);
    char range[RP_CHECK_RANGE], as[RP_CHECK_RANGE + 8] = "", s[RP_CHECK_RANGE], d[RP_CHECK_RANGE];
    rp_check_range(range, r->g, r->now.buffer, r->now.in_buffer + (lo - r->now.lo), hi - lo);
    if (other != r->now.buffer)
        snprintf(as, sizeof as, " in the bytes of %%%.80s",
                 rp_graph_string(r->g, r->g->buffers[other].name));
    bool across = event / r->g->nodes_count != r->replay;
    const char *next = across ? " of the next replay" : "";
    if (event_position(r, event) == r->position)
        rp_check_fail(r->run, to,
                      "rule 2: n%u %s what n%u %s (%s%s, %s): both are in group %u, which has no "
                      "order",
                      to->id, verbs[kind][0], from->id, verbs[kind][1], range, as,
                      rp_hazard_name(kind), to->group);
    else
        rp_check_fail(r->run, to,
                      "rule 2: n%u%s %s what n%u %s (%s%s, %s): no barrier between group %u and "
                      "group %u%s covers %s -> %s",
                      to->id, next, verbs[kind][0], from->id, verbs[kind][1], range, as,
                      rp_hazard_name(kind), from->group, to->group, next, rp_check_bit(s, src),
                      rp_check_bit(d, dst));
}

/* Two accesses of the second replay were judged as accesses of the first. A node is in no conflict
 * with itself, but it is with itself in the next replay. */
static void require(races *r, uint32_t event, uint32_t src, uint32_t dst, rp_hazard_kind kind,
                    uint64_t lo, uint64_t hi) {
    if (event == RP_NONE || (r->replay == 1 && event >= r->g->nodes_count)) return;
    if (event == r->node && r->replay == 0) return;
    r->run->conflicts_proven++;
    if (!covered(r, event_position(r, event), src, dst) && !rp_check_stop(r->run))
        report(r, event, src, dst, kind, lo, hi);
}

/* ---- Accesses -------------------------------------------------------------------------------- */

static access place(const rp_graph *g, const rp_graph_node *n, const rp_graph_use *u) {
    uint64_t base = rp_check_base(g, u);
    return (access){.buffer = u->buffer,
                    .space = rp_check_space(g, u->buffer),
                    .lo = base,
                    .hi = base + u->size,
                    .in_buffer = u->offset,
                    .read = read_bit(n, u),
                    .write = rp_check_writes(u) ? write_bit(n) : RP_SCOPE_NONE};
}

static uint32_t add_cell(races *r, const cell *c) {
    if (!RP_RESERVE(r->run->a, r->cells, r->cells_count, r->cells_capacity, 1)) {
        r->failed = true;
        return RP_ABSENT;
    }
    r->cells[r->cells_count] = *c;
    return r->cells_count++;
}

/* Holds the current access against what a piece of memory saw last. */
static uint32_t on_judge(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    races *r = context;
    if (value == RP_ABSENT) return value;
    cell c = r->cells[value];
    if (c.write != RP_NONE) {
        uint32_t src = write_bit(event_node(r, c.write));
        if (r->now.read) require(r, c.write, src, r->now.read, RP_RAW_HAZARD, lo, hi);
        if (r->now.write) require(r, c.write, src, r->now.write, RP_WAW_HAZARD, lo, hi);
    }
    for (uint32_t i = 0; r->now.write && i < READS; i++)
        require(r, c.reads[i], read_bits[i], r->now.write, RP_WAR_HAZARD, lo, hi);
    return value;
}

/* Judges a read and remembers it. A read in the same way and the same group stands for this one. */
static uint32_t on_read(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    races *r = context;
    on_judge(r, lo, hi, value);
    if (value == r->old_cell && r->new_cell != RP_ABSENT) return r->new_cell;
    cell c = {RP_NONE, {RP_NONE, RP_NONE, RP_NONE, RP_NONE}};
    if (value != RP_ABSENT) c = r->cells[value];
    for (uint32_t i = 0; i < READS; i++) {
        if (read_bits[i] != r->now.read) continue;
        if (c.reads[i] != RP_NONE && event_position(r, c.reads[i]) == r->position) return value;
        c.reads[i] = r->replay * r->g->nodes_count + r->node;
    }
    r->old_cell = value;
    return r->new_cell = add_cell(r, &c);
}

static void walk_read(races *r, access now) {
    r->now = now;
    r->old_cell = r->new_cell = RP_ABSENT;
    if (r->written[now.space] &&
        !rp_interval_map_update(r->run->a, &r->maps[now.space], now.lo, now.hi, on_read, r))
        r->failed = true;
}

static uint32_t on_write(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    races *r = context;
    if (!r->judged) on_judge(r, lo, hi, value);
    return r->new_cell;
}

static void walk_write(races *r, access now) {
    const cell c = {r->replay * r->g->nodes_count + r->node, {RP_NONE, RP_NONE, RP_NONE, RP_NONE}};
    r->now = now;
    r->new_cell = add_cell(r, &c);
    if (!rp_interval_map_update(r->run->a, &r->maps[now.space], now.lo, now.hi, on_write, r))
        r->failed = true;
}

/* Reads come before writes, but a node that works in place must not hide older reads behind its
 * own: its writes are judged before its reads are remembered. */
static void walk_node(races *r, const rp_graph_node *n) {
    const rp_graph_use *uses = rp_node_uses(r->g, n);
    r->judged = r->in_place[r->node];
    for (uint32_t i = 0; r->judged && i < n->use_count; i++) {
        if (!rp_check_writes(&uses[i])) continue;
        r->now = place(r->g, n, &uses[i]);
        rp_interval_map_each(&r->maps[r->now.space], r->now.lo, r->now.hi, on_judge, r);
    }
    for (uint32_t i = 0; i < n->use_count; i++)
        if (!rp_check_writes(&uses[i])) walk_read(r, place(r->g, n, &uses[i]));
    for (uint32_t i = 0; i < n->use_count; i++)
        if (rp_check_writes(&uses[i])) walk_write(r, place(r->g, n, &uses[i]));
}

/* ---- Within one node ------------------------------------------------------------------------- */

/* Two uses of a node that share bytes, one of them writing: the kernel was written for that only if
 * the source says so, byte for byte. Without a source, in-place work on one range is trusted. */
static void check_overlap(races *r, const rp_graph_node *n, uint32_t i, uint32_t k) {
    const rp_graph_use *u = &rp_node_uses(r->g, n)[i], *v = &rp_node_uses(r->g, n)[k];
    uint64_t a = rp_check_base(r->g, u), b = rp_check_base(r->g, v);
    bool same = a == b && u->size == v->size && u->buffer == v->buffer;
    r->in_place[r->node] = true;
    if (r->run->source) {
        if (!r->run->source_of) return;
        uint32_t index = r->run->source_of[r->node];
        if (index == RP_NONE) return; /* found already, by rule 0 */
        const rp_graph_node *m = &r->run->source->nodes[index];
        if (m->use_count != n->use_count) return;
        const rp_graph_use *p = &rp_node_uses(r->run->source, m)[i],
                           *q = &rp_node_uses(r->run->source, m)[k];
        same = p->buffer == q->buffer && p->offset - q->offset == a - b;
    }
    if (same) return;
    char one[RP_CHECK_RANGE], two[RP_CHECK_RANGE];
    rp_check_fail(r->run, n, "rule 2: %s and %s of n%u share bytes, and one is written",
                  rp_check_range(one, r->g, u->buffer, u->offset, u->size),
                  rp_check_range(two, r->g, v->buffer, v->offset, v->size), n->id);
}

static int compare_access(const void *a, const void *b) {
    const access *x = a, *y = b;
    if (x->space != y->space) return x->space < y->space ? -1 : 1;
    return (x->lo > y->lo) - (x->lo < y->lo);
}

/* Many uses: sorted, each is compared with the following ones that begin before it ends. */
static void check_many_uses(races *r, const rp_graph_node *n) {
    access *all = rp_alloc(r->run->a, n->use_count, sizeof *all);
    if (!all) {
        r->failed = true;
        return;
    }
    for (uint32_t i = 0; i < n->use_count; i++) {
        all[i] = place(r->g, n, &rp_node_uses(r->g, n)[i]);
        all[i].buffer = i; /* which use it is, from here on */
    }
    qsort(all, n->use_count, sizeof *all, compare_access);
    for (uint32_t i = 0; i < n->use_count; i++)
        for (uint32_t k = i + 1; k < n->use_count && !rp_check_stop(r->run); k++) {
            if (all[k].space != all[i].space || all[k].lo >= all[i].hi) break;
            if (all[i].write || all[k].write) check_overlap(r, n, all[i].buffer, all[k].buffer);
        }
    rp_release(r->run->a, all);
}

static void check_uses(races *r, const rp_graph_node *n) {
    if (n->use_count > 8) {
        check_many_uses(r, n);
        return;
    }
    for (uint32_t i = 0; i < n->use_count; i++)
        for (uint32_t k = i + 1; k < n->use_count; k++) {
            const rp_graph_use *u = &rp_node_uses(r->g, n)[i], *v = &rp_node_uses(r->g, n)[k];
            if (!rp_check_writes(u) && !rp_check_writes(v)) continue;
            if (rp_check_space(r->g, u->buffer) != rp_check_space(r->g, v->buffer)) continue;
            uint64_t a = rp_check_base(r->g, u), b = rp_check_base(r->g, v);
            if (a < b + v->size && b < a + u->size) check_overlap(r, n, i, k);
        }
}

/* ---- The plan, twice ------------------------------------------------------------------------- */

static void walk_plan(races *r) {
    const rp_graph *g = r->g;
    uint32_t boundary = 0; /* the next one to pass */
    for (r->node = 0; r->node < g->nodes_count && !r->failed; r->node++) {
        const rp_graph_node *n = &g->nodes[r->node];
        if (rp_check_stop(r->run)) return;
        for (; boundary <= n->group; boundary++) pass_boundary(r, boundary);
        r->position = rp_check_position(g, n, r->replay);
        if (r->replay == 0) check_uses(r, n);
        walk_node(r, n);
    }
    for (; boundary <= g->group_count; boundary++) pass_boundary(r, boundary);
}

static uint32_t on_result(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    races *r = context;
    if (value == RP_ABSENT || r->cells[value].write == RP_NONE || rp_check_stop(r->run))
        return value;
    uint32_t event = r->cells[value].write, src = write_bit(event_node(r, event));
    r->run->conflicts_proven++;
    if (covered(r, event_position(r, event), src, RP_SCOPE_HOST_R)) return value;
    const rp_graph_node *n = event_node(r, event);
    char range[RP_CHECK_RANGE], bit[RP_CHECK_RANGE];
    rp_check_fail(r->run, n,
                  "rule 2: the host reads what n%u wrote (%s, raw): no barrier behind group %u "
                  "covers %s -> host:r",
                  n->id, rp_check_range(range, r->g, r->now.buffer, lo, hi - lo), n->group,
                  rp_check_bit(bit, src));
    return value;
}

/* The host reads results after every replay; what one replay proves holds for the next. */
static void check_results(races *r) {
    for (uint32_t i = 0; i < r->g->buffers_count && !r->failed; i++) {
        const rp_graph_buffer *b = &r->g->buffers[i];
        r->now.buffer = i;
        if (!b->removed && rp_buffer_has_result(b))
            rp_interval_map_each(&r->maps[i], 0, b->size, on_result, r);
    }
}

rp_status rp_check_races(rp_check_run *run) {
    const rp_graph *g = run->compiled;
    races r = {.run = run, .g = g};
    uint32_t spaces = g->buffers_count + 1;
    r.maps = rp_alloc_zero(run->a, spaces, sizeof *r.maps);
    r.written = rp_alloc_zero(run->a, spaces, sizeof *r.written);
    r.in_place = rp_alloc_zero(run->a, g->nodes_count, sizeof *r.in_place);
    r.failed = !r.maps || !r.written || !r.in_place;
    for (uint32_t i = 0; i < g->nodes_count && !r.failed; i++)
        for (uint32_t k = 0; k < g->nodes[i].use_count; k++) {
            const rp_graph_use *u = &rp_node_uses(g, &g->nodes[i])[k];
            if (rp_check_writes(u)) r.written[rp_check_space(g, u->buffer)] = true;
        }
    for (r.replay = 0; r.replay < 2 && !r.failed; r.replay++) {
        walk_plan(&r);
        if (r.replay == 0) check_results(&r);
    }
    for (uint32_t i = 0; r.maps && i < spaces; i++) rp_interval_map_free(run->a, &r.maps[i]);
    rp_release(run->a, r.maps);
    rp_release(run->a, r.written);
    rp_release(run->a, r.in_place);
    rp_release(run->a, r.cells);
    return r.failed ? RP_ERROR_NO_MEMORY : RP_OK;
}
