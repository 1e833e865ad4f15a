/* Rule 0 for nodes that were made of ops: the members of a compiled node are the source's op nodes.
 *
 * A node whose members are those of one source node is compared with it like any other node. A
 * fused node stands for several source nodes of one op each: every member must be one of them, with
 * the same op, attributes, and operand types. Each operand in memory then stands for one use of the
 * source, which rule 1 follows; an operand that is a value inside the node names the member that
 * computes it, and rule 1 asks that in the source the read found just that member's bytes. */
#include "check/check.h"

/* ---- Members side by side -------------------------------------------------------------------- */

static bool same_text(const rp_graph *g, uint32_t a, const rp_graph *s, uint32_t b) {
    if ((a == RP_NONE) != (b == RP_NONE)) return false;
    return a == RP_NONE || strcmp(rp_graph_string(g, a), rp_graph_string(s, b)) == 0;
}

static bool same_attr(const rp_graph *g, const rp_graph_attr *a, const rp_graph *s,
                      const rp_graph_attr *b) {
    return same_text(g, a->name, s, b->name) && same_text(g, a->text, s, b->text) &&
           (a->text != RP_NONE || (memcmp(&a->number, &b->number, sizeof a->number) == 0 &&
                                   memcmp(&a->rest, &b->rest, sizeof a->rest) == 0));
}

static bool same_type(const rp_graph *g, const rp_graph_operand *o, const rp_graph *s,
                      const rp_graph_operand *p) {
    if (o->absent || p->absent) return o->absent == p->absent;
    return o->access == p->access && o->dtype == p->dtype && o->rank == p->rank &&
           rp_graph_same_dims(g, o->first_dim, s, p->first_dim, o->rank);
}

/* What differs between a member and a source member, but for where its operands are. */
static const char *member_difference(const rp_check_run *run, const rp_graph_member *m,
                                     const rp_graph_member *o) {
    const rp_graph *g = run->compiled, *s = run->source;
    if (m->op != o->op) return "computes another op";
    if (m->attr_count != o->attr_count) return "has other attributes";
    for (uint32_t i = 0; i < m->attr_count; i++)
        if (!same_attr(g, &g->attrs[m->first_attr + i], s, &s->attrs[o->first_attr + i]))
            return "has other attributes";
    if (m->operand_count != o->operand_count) return "has another number of operands";
    for (uint32_t i = 0; i < m->operand_count; i++)
        if (!same_type(g, &g->operands[m->first_operand + i], s,
                       &s->operands[o->first_operand + i]))
            return "has operands of other types";
    return NULL;
}

const char *rp_check_members_difference(const rp_check_run *run, const rp_graph_node *n,
                                        const rp_graph_node *m) {
    const rp_graph *g = run->compiled, *s = run->source;
    if (n->member_count != m->member_count) return "has other members";
    for (uint32_t i = 0; i < n->member_count; i++) {
        const rp_graph_member *a = &g->members[n->first_member + i];
        const rp_graph_member *b = &s->members[m->first_member + i];
        if (a->id != b->id) return "has other members";
        const char *what = member_difference(run, a, b);
        if (what) return what;
        for (uint32_t k = 0; k < a->operand_count; k++) {
            const rp_graph_operand *o = &g->operands[a->first_operand + k];
            const rp_graph_operand *p = &s->operands[b->first_operand + k];
            if (!o->absent && (o->use != p->use || o->value != p->value))
                return "connects its members in another way";
        }
    }
    return NULL;
}

/* ---- Fused nodes ----------------------------------------------------------------------------- */

bool rp_check_grid_is_known(const rp_graph *g, const rp_graph_node *n) {
    if (n->kind != RP_RUN || n->grid_kind == RP_GRID_DIRECT) return true;
    return n->grid_kind == RP_GRID_LIVE && n->member_count && rp_node_powers(g, n) &&
           rp_node_has_size_uses(g, n);
}

bool rp_check_is_fused(const rp_check_run *run, const rp_graph_node *n) {
    if (n->member_count == 0) return false;
    uint32_t other = rp_check_find_id(run, n->id);
    return other == RP_NONE || run->source->nodes[other].member_count != n->member_count;
}

uint32_t rp_check_value_writer(const rp_graph *g, const rp_graph_node *n, uint32_t reader) {
    uint32_t value = g->operands[reader].value, found = RP_NONE;
    for (uint32_t i = 0; i < n->member_count; i++) {
        const rp_graph_member *m = &g->members[n->first_member + i];
        if (reader >= m->first_operand && reader - m->first_operand < m->operand_count) break;
        for (uint32_t k = m->first_operand; k < m->first_operand + m->operand_count; k++) {
            const rp_graph_operand *o = &g->operands[k];
            if (o->absent || !rp_access_writes(o->access) || o->value != value) continue;
            if (found != RP_NONE) return RP_NONE;
            found = k;
        }
    }
    return found;
}

/* An output may stay a value; an input may be one that an earlier member computes, seen as the same
 * type: bytes would be reinterpreted, a value is not. */
static bool value_is_sound(const rp_graph *g, const rp_graph_node *n, uint32_t operand) {
    const rp_graph_operand *o = &g->operands[operand];
    if (o->access == RP_WRITE) return true;
    uint32_t writer = o->access == RP_READ ? rp_check_value_writer(g, n, operand) : RP_NONE;
    return writer != RP_NONE && g->operands[writer].dtype == o->dtype;
}

/* What differs between a member and its source node, NULL when nothing does. Besides an op node of
 * one member that is a copy or a fill of words, which op `copy` or `fill_words` stands for: their
 * operands are the source's uses, in order. */
static const char *source_difference(const rp_check_run *run, const rp_graph_member *a,
                                     const rp_graph_node *m) {
    const rp_graph *g = run->compiled;
    if (m->kind == RP_OP && m->member_count == 1)
        return member_difference(run, a, rp_node_members(run->source, m));
    bool copy = m->kind == RP_COPY && a->op->transfer == RP_OP_COPIES;
    bool fill = m->kind == RP_FILL && a->op->transfer == RP_OP_FILLS;
    if ((!copy && !fill) || a->operand_count != m->use_count) return "is an op, unlike";
    for (uint32_t k = 0; k < a->operand_count; k++) {
        const rp_graph_operand *o = &g->operands[a->first_operand + k];
        if (o->absent || o->dtype != RP_U32) return "is a copy or a fill of other things";
    }
    rp_op_call call;
    rp_member_call(g, a, &call);
    return fill && call.attrs[0] != (double)m->pattern ? "fills with another word" : NULL;
}

static void match_operands(rp_check_run *run, const rp_graph_node *n, const rp_graph_member *a,
                           const rp_graph_node *m) {
    const rp_graph *g = run->compiled, *s = run->source;
    for (uint32_t k = 0; k < a->operand_count; k++) {
        uint32_t operand = a->first_operand + k;
        const rp_graph_operand *o = &g->operands[operand];
        if (o->absent) continue;
        uint32_t use = k;
        if (m->kind == RP_OP) use = s->operands[rp_node_members(s, m)->first_operand + k].use;
        if (use == RP_NONE) {
            rp_check_fail(run, n, "rule 0: source n%u has an operand that is not in memory", m->id);
            return;
        }
        run->source_use[operand] = m->first_use + use;
        if (o->use == RP_NONE) {
            if (!value_is_sound(g, n, operand))
                rp_check_fail(run, n,
                              "rule 0: n%u in n%u: operand %u is neither in memory nor the value "
                              "of one earlier member",
                              a->id, n->id, k);
            continue;
        }
        const rp_graph_use *u = &rp_node_uses(g, n)[o->use], *v = &s->uses[m->first_use + use];
        const char *what = u->access != o->access ? "another access than the operand's"
                                                  : rp_check_use_difference(run, u, v);
        if (what) rp_check_fail_use(run, n, u, v, what);
    }
}

/* Every use must be some operand's, or nobody would look at it. */
static void match_uses(rp_check_run *run, const rp_graph_node *n) {
    const rp_graph *g = run->compiled;
    uint32_t own =
        n->kind == RP_RUN && rp_node_has_size_uses(g, n) ? rp_node_member_uses(g, n) : n->use_count;
    for (uint32_t use = 0; use < own && !rp_check_stop(run); use++) {
        bool found = false;
        for (uint32_t i = 0; i < n->member_count && !found; i++) {
            const rp_graph_member *m = &g->members[n->first_member + i];
            for (uint32_t k = 0; k < m->operand_count && !found; k++) {
                const rp_graph_operand *o = &g->operands[m->first_operand + k];
                found = !o->absent && o->use == use;
            }
        }
        if (!found)
            rp_check_fail(run, n, "rule 0: use %u of n%u belongs to none of its members", use,
                          n->id);
    }
}

void rp_check_match_fused(rp_check_run *run, uint32_t index) {
    const rp_graph *g = run->compiled, *s = run->source;
    const rp_graph_node *n = &g->nodes[index];
    if (run->has_unknown) {
        rp_check_fail(run, n, "rule 0: n%u is fused beside a node without declared uses", n->id);
        return;
    }
    bool lists_itself = false;
    for (uint32_t i = 0; i < n->member_count && !rp_check_stop(run); i++) {
        const rp_graph_member *a = &g->members[n->first_member + i];
        uint32_t other = rp_check_find_id(run, a->id);
        lists_itself |= a->id == n->id;
        if (other == RP_NONE) {
            rp_check_fail(run, n, "rule 0: n%u in n%u is not a node of the source", a->id, n->id);
            continue;
        }
        if (run->plan_of[other] != RP_NONE) {
            rp_check_fail(run, n, "rule 0: n%u occurs twice", a->id);
            continue;
        }
        run->plan_of[other] = index;
        const rp_graph_node *m = &s->nodes[other];
        const char *what = source_difference(run, a, m);
        if (what)
            rp_check_fail(run, n, "rule 0: n%u in n%u %s in the source", a->id, n->id, what);
        else if (!rp_check_same_switch(run, n, m))
            rp_check_fail(run, n,
                          "rule 0: n%u in n%u can be left out in other cases than in the source",
                          a->id, n->id);
        else
            match_operands(run, n, a, m);
    }
    if (!rp_check_grid_is_known(g, n))
        rp_check_fail(run, n, "rule 0: n%u is fused and has a grid that is not known", n->id);
    if (!lists_itself) rp_check_fail(run, n, "rule 0: n%u is not among its own members", n->id);
    match_uses(run, n);
}
