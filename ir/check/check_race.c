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
 * Of the second replay only what meets the first is looked at: two of its accesses stand to each
 * other as they did in the first.
 *
 * States of bytes are cells that never change, so pieces of a range that was cut share them. A
 * range in many pieces that is read as a whole is folded, and the latest event of each kind stands
 * for all of its pieces; they are looked at one by one only when it is not covered. Memory that
 * nothing writes has no conflicts and is left out. Cost: O(uses log pieces); 20 bytes for each
 * write, and for each read in another group than the last one. */
#include "check/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fold.h"

enum { BITS = RP_SCOPE_BITS, READS = 5, WRITES = 2 };

/* The ways of reading that a cell tells apart. */
static const uint8_t read_bits[READS] = {
    RP_SCOPE_COMPUTE_R,  RP_SCOPE_COMPUTE_U, RP_SCOPE_TRANSFER_R,
    RP_SCOPE_INDIRECT_R, RP_SCOPE_COMPUTE_S,
};

/* An event is a node of the first replay, by its index; RP_NONE for none. */
typedef struct cell {
    uint32_t write;
    uint32_t reads[READS];
} cell;

/* Of a fold: the latest event of each kind among its pieces, and the latest reads of the whole. */
typedef struct whole {
    uint32_t writes[WRITES], reads[READS], since[READS];
} whole;

static const uint8_t write_bits[WRITES] = {RP_SCOPE_COMPUTE_W, RP_SCOPE_TRANSFER_W};

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
    rp_folds folds;
    RP_ARRAY(whole, wholes);     /* per fold */
    uint32_t latest[BITS][BITS]; /* the latest boundary that covers source bit, destination bit */
    uint32_t replay, node;
    uint32_t position; /* of the current node */
    access now;
    uint32_t old_cell, new_cell; /* what the last piece of this read became */
    uint32_t pieces, limit;      /* of the range being read */
    bool found;                  /* something was wrong with its first pieces: enough said */
    uint32_t settled;            /* the cell of what the second replay wrote */
    uint32_t *keys;              /* per node: group * 2, and 1 when it writes as a transfer */
    bool judged;                 /* the writes of this node were judged already */
    bool failed;
} races;

/* ---- Scopes ---------------------------------------------------------------------------------- */

static uint32_t read_bit(const rp_graph_node *n, const rp_graph_use *u) {
    if (u->indirect) return RP_SCOPE_INDIRECT_R;
    if (u->access == RP_WRITE) return RP_SCOPE_NONE; /* whatever the grid: only writes are issued */
    if (n->kind != RP_RUN && n->kind != RP_OP) return RP_SCOPE_TRANSFER_R;
    if (u->access == RP_SAMPLED) return RP_SCOPE_COMPUTE_S;
    return u->access == RP_UNIFORM ? RP_SCOPE_COMPUTE_U : RP_SCOPE_COMPUTE_R;
}

static uint32_t write_bit(const rp_graph_node *n) {
    return n->kind == RP_RUN || n->kind == RP_OP ? RP_SCOPE_COMPUTE_W : RP_SCOPE_TRANSFER_W;
}

/* Writes must be made available; of reads only the execution must be over, for which any access of
 * their stage will do. */
static bool source_covers(uint32_t src, uint32_t bit) {
    return bit & rp_scope_writes() ? src & bit : src & rp_scope_stage(bit);
}

static void pass_boundary(races *r, uint32_t index) {
    rp_form form = r->replay == 0 ? r->run->form : r->run->next_form;
    const rp_graph_barrier *b = &rp_graph_form(r->g, form)[index];
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

/* Nodes are large and events lie all over the plan: what is asked of each is kept apart. */
static uint32_t event_position(const races *r, uint32_t event) {
    return r->keys[event] / 2;
}

static uint32_t event_write_bit(const races *r, uint32_t event) {
    return r->keys[event] & 1 ? RP_SCOPE_TRANSFER_W : RP_SCOPE_COMPUTE_W;
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
    const rp_graph_node *from = &r->g->nodes[event], *to = &r->g->nodes[r->node];
    uint32_t other = buffer_at(r, from, lo);
    char range[RP_CHECK_RANGE], as[RP_CHECK_RANGE + 8] = "", s[RP_CHECK_RANGE], d[RP_CHECK_RANGE];
    rp_check_range(range, r->g, r->now.buffer, r->now.in_buffer + (lo - r->now.lo), hi - lo);
    if (other != r->now.buffer)
        snprintf(as, sizeof as, " in the bytes of %%%.80s",
                 rp_graph_string(r->g, r->g->buffers[other].name));
    const char *next = r->replay == 1 ? " of the next replay" : "";
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

/* A node against itself: nothing within one replay; the next replay is another matter. */
static bool is_self(const races *r, uint32_t event) {
    return event == r->node && r->replay == 0;
}

static bool is_covered(races *r, uint32_t event, uint32_t src, uint32_t dst) {
    if (event == RP_NONE) return true;
    r->run->conflicts_proven++;
    return !is_self(r, event) && covered(r, event_position(r, event), src, dst);
}

static void require(races *r, uint32_t event, uint32_t src, uint32_t dst, rp_hazard_kind kind,
                    uint64_t lo, uint64_t hi) {
    if (event == RP_NONE || is_self(r, event)) return;
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
    if (r->cells_count >= RP_FOLDED ||
        !RP_RESERVE(r->run->a, r->cells, r->cells_count, r->cells_capacity, 1)) {
        r->failed = true;
        return RP_ABSENT;
    }
    r->cells[r->cells_count] = *c;
    return r->cells_count++;
}

/* Nothing has read since. */
static cell written_by(uint32_t event) {
    cell c;
    memset(&c, 0xff, sizeof c); /* RP_NONE */
    c.write = event;
    return c;
}

static cell cell_of(const races *r, uint32_t value) {
    return value == RP_ABSENT ? written_by(RP_NONE) : r->cells[value];
}

static uint32_t on_judge(void *context, uint64_t lo, uint64_t hi, uint32_t value);

/* The hardest events of a fold's pieces first: when those are covered, all are. Otherwise each
 * piece is looked at, to say which one is not. */
static void judge_fold(races *r, uint64_t lo, uint64_t hi, uint32_t value) {
    const whole w = r->wholes[value & ~RP_FOLDED];
    bool all = true;
    for (uint32_t k = 0; k < WRITES; k++) {
        if (r->now.read) all &= is_covered(r, w.writes[k], write_bits[k], r->now.read);
        if (r->now.write) all &= is_covered(r, w.writes[k], write_bits[k], r->now.write);
    }
    for (uint32_t k = 0; r->now.write && k < READS; k++)
        all &= is_covered(r, w.reads[k], read_bits[k], r->now.write);
    const rp_interval *pieces = rp_fold_pieces(&r->folds, value);
    for (uint32_t i = 0; !all && i < rp_fold_count(&r->folds, value); i++)
        on_judge(r, pieces[i].lo, pieces[i].hi, pieces[i].value);
    for (uint32_t k = 0; r->now.write && k < READS; k++)
        require(r, w.since[k], read_bits[k], r->now.write, RP_WAR_HAZARD, lo, hi);
}

/* Whether the current access waits for what it reads: who wrote it in this replay is known, once, and
 * stands before it (check_tags.c). */
static bool waits(const races *r) {
    return r->run->form == RP_FORM_TAGGED && r->replay == 0 && r->g->buffers[r->now.buffer].tagged;
}

/* Holds the current access against what a piece of memory saw last. */
static uint32_t on_judge(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    races *r = context;
    if (rp_is_fold(value)) judge_fold(r, lo, hi, value);
    if (rp_is_fold(value) || value == RP_ABSENT) return value;
    cell c = r->cells[value];
    if (c.write != RP_NONE) {
        uint32_t src = event_write_bit(r, c.write);
        if (r->now.read && !waits(r)) require(r, c.write, src, r->now.read, RP_RAW_HAZARD, lo, hi);
        if (r->now.write) require(r, c.write, src, r->now.write, RP_WAW_HAZARD, lo, hi);
    }
    for (uint32_t i = 0; r->now.write && i < READS; i++)
        require(r, c.reads[i], read_bits[i], r->now.write, RP_WAR_HAZARD, lo, hi);
    return value;
}

/* Judges a read and remembers it. A read in the same way and the same group stands for this one. In
 * the second replay nobody asks: who meets this read there met it in the first. */
static uint32_t on_read(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    races *r = context;
    if (r->pieces++ >= r->limit) return value; /* will be folded */
    if (!r->found) on_judge(r, lo, hi, value);
    if (r->replay == 1) return value;
    if (value == r->old_cell && r->new_cell != RP_ABSENT) return r->new_cell;
    cell c = rp_is_fold(value) ? (cell){0} : cell_of(r, value);
    uint32_t *reads = rp_is_fold(value) ? r->wholes[value & ~RP_FOLDED].since : c.reads;
    for (uint32_t i = 0; i < READS; i++) {
        if (read_bits[i] != r->now.read) continue;
        if (reads[i] != RP_NONE && event_position(r, reads[i]) == r->position) return value;
        reads[i] = r->node;
    }
    if (rp_is_fold(value)) return value;
    r->old_cell = value;
    return r->new_cell = add_cell(r, &c);
}

/* ---- Folds ----------------------------------------------------------------------------------- */

static void take_later(uint32_t *event, uint32_t other) {
    if (other != RP_NONE && (*event == RP_NONE || other > *event)) *event = other;
}

static bool fold_made(void *context, const rp_interval *pieces, uint32_t count) {
    races *r = context;
    if (!RP_RESERVE(r->run->a, r->wholes, r->wholes_count, r->wholes_capacity, 1)) return false;
    whole made;
    memset(&made, 0xff, sizeof made); /* RP_NONE */
    for (uint32_t i = 0; i < count; i++) {
        if (rp_is_fold(pieces[i].value)) {
            const whole *w = &r->wholes[pieces[i].value & ~RP_FOLDED];
            for (uint32_t k = 0; k < WRITES; k++) take_later(&made.writes[k], w->writes[k]);
            for (uint32_t k = 0; k < READS; k++) take_later(&made.reads[k], w->reads[k]);
            for (uint32_t k = 0; k < READS; k++) take_later(&made.reads[k], w->since[k]);
            continue;
        }
        cell c = cell_of(r, pieces[i].value);
        for (uint32_t k = 0; k < WRITES && c.write != RP_NONE; k++)
            if (event_write_bit(r, c.write) == write_bits[k]) take_later(&made.writes[k], c.write);
        for (uint32_t k = 0; k < READS; k++) take_later(&made.reads[k], c.reads[k]);
    }
    r->wholes[r->wholes_count++] = made;
    return true;
}

/* Whoever read the whole read its pieces. */
static bool fold_opened(void *context, uint32_t parent, uint32_t *child) {
    races *r = context;
    const whole w = r->wholes[parent & ~RP_FOLDED];
    cell c = rp_is_fold(*child) ? (cell){0} : cell_of(r, *child);
    uint32_t *reads = rp_is_fold(*child) ? r->wholes[*child & ~RP_FOLDED].since : c.reads;
    for (uint32_t k = 0; k < READS; k++) take_later(&reads[k], w.since[k]);
    if (!rp_is_fold(*child)) *child = add_cell(r, &c);
    return !r->failed;
}

static bool cut(races *r) {
    const rp_fold_owner owner = {r, fold_made, fold_opened};
    return rp_fold_cut(r->run->a, &r->folds, &r->maps[r->now.space], r->now.lo, r->now.hi, &owner);
}

/* ---- Walking --------------------------------------------------------------------------------- */

static bool read_range(races *r) {
    const rp_fold_owner owner = {r, fold_made, fold_opened};
    rp_interval_map *map = &r->maps[r->now.space];
    r->old_cell = r->new_cell = RP_ABSENT;
    r->pieces = 0;
    r->limit = RP_FOLD_WIDTH;
    r->found = false;
    uint32_t errors = r->run->errors;
    if (!rp_interval_map_update(r->run->a, map, r->now.lo, r->now.hi, on_read, r)) return false;
    if (r->pieces <= RP_FOLD_WIDTH) return true;
    if (!rp_fold_range(r->run->a, &r->folds, map, r->now.lo, r->now.hi, &owner)) return false;
    r->old_cell = r->new_cell = RP_ABSENT;
    r->limit = UINT32_MAX;
    r->found = r->run->errors > errors;
    return rp_interval_map_update(r->run->a, map, r->now.lo, r->now.hi, on_read, r);
}

static void walk_read(races *r, access now) {
    r->now = now;
    if (r->written[now.space] && !(cut(r) && read_range(r))) r->failed = true;
}

static uint32_t on_write(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    races *r = context;
    if (!r->judged) on_judge(r, lo, hi, value);
    return r->new_cell;
}

/* Bytes that the second replay has written are settled: who meets that write there met it in the
 * first. */
static void walk_write(races *r, access now) {
    const cell c = written_by(r->node);
    r->now = now;
    r->new_cell = r->replay == 0 ? add_cell(r, &c) : r->settled;
    if (!cut(r) ||
        !rp_interval_map_update(r->run->a, &r->maps[now.space], now.lo, now.hi, on_write, r))
        r->failed = true;
}

/* A use that writes is held against what was before it for its reading, too. */
static void walk_use(void *context, const rp_graph_node *n, uint32_t k, bool writes) {
    races *r = context;
    const rp_graph_use *u = &rp_node_uses(r->g, n)[k];
    if (writes)
        walk_write(r, place(r->g, n, u));
    else if (!rp_check_writes(u))
        walk_read(r, place(r->g, n, u));
}

/* A node that works in place must not hide older reads behind its own: its writes are judged before
 * its reads are remembered. */
static void walk_node(races *r, const rp_graph_node *n) {
    const rp_graph_use *uses = rp_node_uses(r->g, n);
    r->judged = r->in_place[r->node];
    for (uint32_t i = 0; r->judged && i < n->use_count; i++) {
        if (!rp_check_writes(&uses[i])) continue;
        r->now = place(r->g, n, &uses[i]);
        if (!cut(r))
            r->failed = true;
        else
            rp_interval_map_each(&r->maps[r->now.space], r->now.lo, r->now.hi, on_judge, r);
    }
    rp_check_visit_uses(r->g, n, walk_use, r);
}

/* ---- Within one node ------------------------------------------------------------------------- */

/* The member that alone holds use i of a fused node, as one of its operands: *operand. RP_NONE when
 * several members do. */
static uint32_t only_member(const rp_graph *g, const rp_graph_node *n, uint32_t i,
                            uint32_t *operand) {
    uint32_t found = RP_NONE;
    for (uint32_t m = 0; m < n->member_count; m++) {
        const rp_graph_member *member = &g->members[n->first_member + m];
        for (uint32_t k = 0; k < member->operand_count; k++) {
            const rp_graph_operand *o = &g->operands[member->first_operand + k];
            if (o->absent || o->use != i) continue;
            if (found != RP_NONE && found != m) return RP_NONE;
            found = m;
            *operand = member->first_operand + k;
        }
    }
    return found;
}

/* In a fused node only a member by itself may work in place, where its source node does: others
 * would read before or behind its writes. */
static bool fused_in_place(const races *r, const rp_graph_node *n, uint32_t i, uint32_t k,
                           uint64_t distance) {
    uint32_t one = 0, two = 0, member = only_member(r->g, n, i, &one);
    if (member == RP_NONE || member != only_member(r->g, n, k, &two)) return false;
    uint32_t a = r->run->source_use[one], b = r->run->source_use[two];
    if (a == RP_NONE || b == RP_NONE) return false;
    const rp_graph_use *p = &r->run->source->uses[a], *q = &r->run->source->uses[b];
    return p->buffer == q->buffer && p->offset - q->offset == distance;
}

/* Whether one of the replays at hand takes the tagged form. */
static bool has_tagged_form(const races *r) {
    return r->run->form == RP_FORM_TAGGED || r->run->next_form == RP_FORM_TAGGED;
}

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
        if (index == RP_NONE) {
            same = n->member_count && fused_in_place(r, n, i, k, a - b);
        } else {
            const rp_graph_node *m = &r->run->source->nodes[index];
            if (m->use_count != n->use_count) return; /* found already, by rule 0 */
            const rp_graph_use *p = &rp_node_uses(r->run->source, m)[i],
                               *q = &rp_node_uses(r->run->source, m)[k];
            same = p->buffer == q->buffer && p->offset - q->offset == a - b;
        }
    }
    if (same || has_tagged_form(r)) return; /* forms have the same nodes: the first says it */
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
    if (rp_is_fold(value)) {
        const rp_interval *pieces = rp_fold_pieces(&r->folds, value);
        for (uint32_t i = 0; i < rp_fold_count(&r->folds, value); i++)
            on_result(r, pieces[i].lo, pieces[i].hi, pieces[i].value);
        return value;
    }
    if (value == RP_ABSENT || r->cells[value].write == RP_NONE || rp_check_stop(r->run))
        return value;
    uint32_t event = r->cells[value].write, src = event_write_bit(r, event);
    r->run->conflicts_proven++;
    if (covered(r, event_position(r, event), src, RP_SCOPE_HOST_R)) return value;
    const rp_graph_node *n = &r->g->nodes[event];
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
    r.keys = rp_alloc(run->a, g->nodes_count, sizeof *r.keys);
    r.failed = !r.maps || !r.written || !r.in_place || !r.keys;
    for (uint32_t i = 0; i < g->nodes_count && !r.failed; i++)
        r.keys[i] = g->nodes[i].group * 2 + (write_bit(&g->nodes[i]) == RP_SCOPE_TRANSFER_W);
    const cell settled = written_by(RP_NONE);
    if (!r.failed) r.settled = add_cell(&r, &settled);
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
    rp_release(run->a, r.wholes);
    rp_release(run->a, r.keys);
    rp_folds_free(run->a, &r.folds);
    return r.failed ? RP_ERROR_NO_MEMORY : RP_OK;
}
