/* fuse, legality: may a set of nodes become one kernel? What the ops are together is decided by
 * their shape (kernel_shape.h); here is what concerns nodes: who reads whom, which outputs have to
 * be in memory, and how many buffers and numbers one kernel may be given.
 *
 * Sets are asked about again and again with few nodes changed, so what is known of a node's op is
 * kept: a formula is parsed once, not in each set that its node is tried in. */
#include "fuse.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/checked.h"

static uint32_t id_of(const rp_fuse_set *s, uint32_t i) {
    return rp_fuse_member(s, i)->id;
}

static bool refuse(rp_fuse_set *s, const char *format, ...) RP_PRINTF(2, 3);
static bool refuse(rp_fuse_set *s, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(s->reason, sizeof s->reason, format, args);
    va_end(args);
    return false;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

bool rp_fuse_set_open(const rp_graph *graph, const rp_fuse_values *values, rp_fuse_set *set) {
    const rp_allocator *a = &graph->allocator;
    *set = (rp_fuse_set){.graph = graph, .values = values, .most_uses = RP_FUSE_USES};
    set->recent = rp_alloc(a, RP_FUSE_RECENT, sizeof *set->recent);
    set->own = rp_alloc(a, RP_FUSE_MEMBERS, sizeof *set->own);
    for (uint32_t i = 0; set->recent && i < RP_FUSE_RECENT; i++) {
        set->recent[i].node = RP_NONE;
        set->recent[i].used = 0;
    }
    return set->recent && set->own;
}

void rp_fuse_set_close(rp_fuse_set *set) {
    if (!set->graph) return;
    rp_release(&set->graph->allocator, set->recent);
    rp_release(&set->graph->allocator, set->own);
}

/* The call of the set's node i; its error is told where it is wrong. */
static bool find_call(rp_fuse_set *s, uint32_t i) {
    rp_fuse_call *c = &s->recent[s->nodes[i] % RP_FUSE_RECENT];
    if (c->used == s->number && c->node != s->nodes[i]) c = &s->own[i];
    s->calls[i] = c;
    bool known = c != &s->own[i] && c->node == s->nodes[i];
    c->used = s->number;
    c->node = s->nodes[i];
    if (known) return true;
    rp_member_call(s->graph, rp_fuse_member(s, i), &c->call);
    if (!rp_member_choose(s->graph, &c->call)) {
        c->node = RP_NONE;
        return refuse(s, "n%u: %.200s", s->graph->nodes[s->nodes[i]].id, c->call.error);
    }
    rp_op_cost_of(&c->call, &c->cost);
    rp_op_size_of(&c->call, &c->size);
    return true;
}

bool rp_fuse_set_calls(rp_fuse_set *set) {
    set->number++;
    for (uint32_t i = 0; i < set->count; i++)
        if (!find_call(set, i)) return false;
    return true;
}

/* ---- Dataflow within the set ----------------------------------------------------------------- */

uint32_t rp_fuse_place(const rp_fuse_set *set, uint32_t node) {
    uint32_t low = 0, high = set->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (set->nodes[mid] < node)
            low = mid + 1;
        else
            high = mid;
    }
    return low < set->count && set->nodes[low] == node ? low : RP_NONE;
}

uint32_t rp_fuse_producer(const rp_fuse_set *set, uint32_t input, uint32_t *out_operand) {
    uint32_t output = set->values->writer[input];
    if (output == RP_NONE) return RP_NONE;
    uint32_t i = rp_fuse_place(set, set->values->node[output]);
    if (i != RP_NONE) *out_operand = output - rp_fuse_member(set, i)->first_operand;
    return i;
}

bool rp_fuse_is_stored(const rp_fuse_set *set, uint32_t output) {
    const rp_fuse_values *v = set->values;
    if (v->escape[output] != RP_FUSE_STAYS_INSIDE || v->first_reader[output] == RP_NONE)
        return true;
    for (uint32_t r = v->first_reader[output]; r != RP_NONE; r = v->next_reader[r])
        if (rp_fuse_place(set, v->node[r]) == RP_NONE) return true;
    return false;
}

/* The first member whose first input is the same bytes, with the same value. */
static uint32_t find_x(const rp_fuse_set *s, uint32_t i) {
    const rp_graph *g = s->graph;
    uint32_t x = rp_fuse_member(s, i)->first_operand;
    const rp_graph_use *u = &rp_node_uses(g, &g->nodes[s->nodes[i]])[g->operands[x].use];
    for (uint32_t j = 0; j < i; j++) {
        if (!s->calls[j]->call.op->product) continue;
        uint32_t y = rp_fuse_member(s, j)->first_operand;
        const rp_graph_use *v = &rp_node_uses(g, &g->nodes[s->nodes[j]])[g->operands[y].use];
        if (u->buffer == v->buffer && u->offset == v->offset && u->size == v->size &&
            s->values->writer[x] == s->values->writer[y])
            return s->members[j].x;
    }
    return i;
}

/* What the shape is found from. */
static void fill_member(rp_fuse_set *s, uint32_t i) {
    const rp_graph_member *m = rp_fuse_member(s, i);
    const rp_op_call *c = &s->calls[i]->call;
    rp_shape_member *to = &s->members[i];
    to->id = m->id;
    to->call = c;
    to->size = s->calls[i]->size;
    to->stored = 0;
    for (uint32_t k = 0; k < m->operand_count; k++) {
        uint32_t from = 0;
        bool writes = rp_access_writes(rp_op_operand_of(c, k)->access);
        to->source[k] = c->operands[k].absent || writes
                            ? RP_NONE
                            : rp_fuse_producer(s, m->first_operand + k, &from);
        to->output[k] = (uint8_t)from;
        if (writes && !c->operands[k].absent &&
            (c->op->form == RP_OP_SCATTER || rp_fuse_is_stored(s, m->first_operand + k)))
            to->stored |= UINT32_C(1) << k;
    }
    to->x = c->op->product ? find_x(s, i) : 0;
}

/* ---- Memory ---------------------------------------------------------------------------------- */

typedef struct bytes {
    rp_graph_use use;
    uint32_t member;
} bytes;

/* No member may write what another one touches, and the buffers must not be too many. */
static bool check_memory(rp_fuse_set *s) {
    const rp_graph *g = s->graph;
    bytes all[RP_FUSE_USES + 1];
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        const rp_graph_node *n = &g->nodes[s->nodes[i]];
        const rp_graph_member *m = rp_fuse_member(s, i);
        for (uint32_t k = 0; k < m->operand_count; k++) {
            uint32_t from, operand = m->first_operand + k;
            const rp_graph_operand *o = &g->operands[operand];
            if (o->absent || o->use == RP_NONE) continue;
            if (o->access == RP_READ && rp_fuse_producer(s, operand, &from) != RP_NONE) continue;
            if (o->access == RP_WRITE && !rp_fuse_is_stored(s, operand)) continue;
            const rp_graph_use *u = &rp_node_uses(g, n)[o->use];
            bool shared = false;
            for (uint32_t b = 0; b < count; b++) {
                const rp_graph_use *v = &all[b].use;
                if (v->buffer != u->buffer ||
                    !rp_ranges_overlap(u->offset, u->size, v->offset, v->size))
                    continue;
                bool writes = rp_access_writes(u->access) || rp_access_writes(v->access);
                if (writes && all[b].member != i)
                    return refuse(s, "n%u and n%u touch the same bytes of %s, and one writes",
                                  id_of(s, all[b].member), id_of(s, i),
                                  rp_graph_string(g, g->buffers[u->buffer].name));
                if (!writes && u->offset == v->offset && u->size == v->size) shared = true;
                if (writes && s->count > 1) return refuse(s, "n%u works in place", id_of(s, i));
            }
            if (shared) continue;
            if (count >= s->most_uses)
                return refuse(s, "more than %u buffers would be bound", s->most_uses);
            all[count++] = (bytes){*u, i};
            s->views += rp_use_skip(u) != 0;
        }
    }
    return true;
}

/* ---- Constants ------------------------------------------------------------------------------- */

/* Shapes and attributes are specialisation constants, of which a kernel has only so many; beyond
 * them its text would hold literals, and be another one for each shape. This
 * counts what the generator may ask for at most: a broadcast takes three for every other dimension,
 * since neighbours that repeat are one, and those that do not as well; a view where it begins, for
 * each of the two types that its array may have. */
static bool check_constants(rp_fuse_set *s) {
    uint32_t count = RP_FUSE_MEMBERS +
                     2 * s->views; /* what a kernel needs for itself, sections of products too */
    for (uint32_t i = 0; i < s->count; i++) {
        const rp_op_call *c = &s->calls[i]->call;
        for (uint32_t k = 0; k < c->op->attr_count; k++) count += c->op->attrs[k].like ? 2 : 1;
        for (uint32_t k = 0; k < 'Z' - 'A' + 1; k++) count += c->symbols[k] != 0;
        for (uint32_t k = 0; k < c->operand_count; k++)
            if (!c->operands[k].absent && !rp_access_writes(rp_op_operand_of(c, k)->access) &&
                rp_tensor_elements(&c->operands[k]) > 1 &&
                rp_tensor_elements(&c->operands[k]) != rp_shape_domain(c))
                count += 3 * ((c->operands[c->operand_count - 1].rank + 1u) / 2);
    }
    if (s->count == 1 || count <= RP_MAX_PARAMS) return true;
    return refuse(s, "about %u numbers would have to be given to one kernel", count);
}

/* What can be left out of a replay goes with what is left out together with it. */
static bool check_switches(rp_fuse_set *s) {
    const rp_graph_node *nodes = s->graph->nodes, *first = &nodes[s->nodes[0]];
    for (uint32_t i = 1; i < s->count; i++) {
        const rp_graph_node *n = &nodes[s->nodes[i]];
        if (rp_node_same_switch(first, n)) continue;
        const rp_graph_node *optional = n->optional ? n : first;
        return refuse(s, "n%u can be left out of a replay without n%u", optional->id,
                      optional == n ? first->id : n->id);
    }
    return true;
}

/* What is made of nothing is a constant, or what else goes in: there is nothing to save. */
static bool check_elements(rp_fuse_set *s) {
    for (uint32_t i = 0; s->count > 1 && i < s->count; i++) {
        const rp_op_call *c = &s->calls[i]->call;
        for (uint32_t k = 0; k < c->operand_count; k++)
            if (rp_tensor_extent(&c->operands[k]).powers == RP_POWERS_EMPTY)
                return refuse(s, "%s of n%u %s has no elements", rp_op_operand_name(c, k),
                              id_of(s, i), c->op->name);
    }
    return true;
}

static bool check_size(rp_fuse_set *s) {
    if (s->count == 1 || s->shape.size <= RP_SHAPE_FUSED_SIZE) return true;
    return refuse(s, "about %.0f instructions would be one kernel", s->shape.size);
}

bool rp_fuse_set_shape(rp_fuse_set *set) {
    set->reason[0] = 0;
    set->shape.members = set->members;
    set->shape.count = set->count;
    set->views = 0;
    if (!check_switches(set) || !check_elements(set)) return false;
    for (uint32_t i = 0; i < set->count; i++) fill_member(set, i);
    if (!rp_shape_find(&set->shape)) {
        memcpy(set->reason, set->shape.reason, sizeof set->reason);
        return false;
    }
    return check_memory(set) && check_constants(set) && check_size(set);
}

bool rp_fuse_is_wanted(const rp_pass_options *options, const rp_fuse_set *set,
                       const uint32_t *owner, const uint32_t *clusters, uint32_t count) {
    uint32_t wanted = 0;
    for (uint32_t c = 0; c < count && options->fused_count; c++) {
        bool has = false;
        for (uint32_t i = 0; i < set->count; i++)
            for (uint32_t k = 0; k < options->fused_count && owner[set->nodes[i]] == clusters[c];
                 k++)
                has |= options->fused[k] == set->graph->nodes[set->nodes[i]].id;
        wanted += has;
    }
    return wanted > 1;
}
