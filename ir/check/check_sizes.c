/* Rule 4: what is proven of the largest sizes holds at every size.
 *
 * In a replay a buffer whose shape follows live sizes has the first bytes of its memory, as many as its
 * shape then has; what lies behind them is nobody's. Rules 1 and 2 look at ranges where sizes are
 * largest. At smaller ones each operand that follows sizes is the first part of its range. Nothing new
 * can conflict, then, and every dependency is still there: who runs no workgroup is ordered like an
 * optional node. And each read still finds what it was proven to find, if nobody who is read wrote less
 * than the reader takes. That is asked here, of the source, whose operands the plan has:
 *   - an operand in a buffer that follows sizes is the whole buffer, with as many elements at all sizes;
 *   - an operand that follows sizes overwrites no buffer that does not: its first part would be new,
 *     and the rest what it was;
 *   - a value inside a kernel has as many elements for who reads it as for who computes it;
 *   - a kernel of no ops, or a transfer, takes such a buffer whole, and copies of one go to its like.
 * docs/checker.md says why that is enough. O(operands). */
#include "check/check.h"

static rp_powers powers_of(const rp_graph *g, const rp_graph_operand *o) {
    return rp_dims_powers(g, o->first_dim, o->rank);
}

static bool is_whole(const rp_graph *g, const rp_graph_use *u) {
    return u->offset == 0 && u->size == g->buffers[u->buffer].size;
}

static void check_operand(rp_check_run *run, const rp_graph_node *m, const rp_graph_operand *o) {
    const rp_graph *s = run->source;
    const rp_graph_use *u = &rp_node_uses(s, m)[o->use];
    rp_powers own = powers_of(s, o), there = rp_buffer_powers(s, &s->buffers[u->buffer]);
    char range[RP_CHECK_RANGE];
    rp_check_range(range, s, u->buffer, u->offset, u->size);
    if (there && (own != there || !is_whole(s, u)))
        rp_check_fail(run, m, "rule 4: n%u takes a part of %s, which follows live sizes", m->id,
                      range);
    else if (own && !there && o->access == RP_WRITE)
        rp_check_fail(run, m,
                      "rule 4: n%u overwrites %s up to a live size, which it does not follow",
                      m->id, range);
}

static void check_source(rp_check_run *run, const rp_graph_node *m) {
    const rp_graph *s = run->source;
    const rp_graph_use *uses = rp_node_uses(s, m);
    for (uint32_t i = 0; i < m->member_count; i++) {
        const rp_graph_member *member = &s->members[m->first_member + i];
        for (uint32_t k = 0; k < member->operand_count; k++) {
            const rp_graph_operand *o = &s->operands[member->first_operand + k];
            if (!o->absent && o->use != RP_NONE) check_operand(run, m, o);
        }
    }
    for (uint32_t k = 0; k < m->use_count && !m->member_count; k++) {
        rp_powers there = rp_buffer_powers(s, &s->buffers[uses[k].buffer]);
        bool same = m->kind != RP_COPY || k > 0 ||
                    there == rp_buffer_powers(s, &s->buffers[uses[1].buffer]);
        char range[RP_CHECK_RANGE];
        if (there && (!is_whole(s, &uses[k]) || !same))
            rp_check_fail(run, m, "rule 4: n%u takes %s of %s, which follows live sizes", m->id,
                          same ? "a part" : "more than there is",
                          rp_check_range(range, s, uses[k].buffer, uses[k].offset, uses[k].size));
    }
}

/* Values inside the nodes of the plan. */
static void check_values(rp_check_run *run, const rp_graph_node *n) {
    const rp_graph *g = run->compiled;
    for (uint32_t i = 0; i < n->member_count; i++) {
        const rp_graph_member *m = &g->members[n->first_member + i];
        for (uint32_t k = m->first_operand; k < m->first_operand + m->operand_count; k++) {
            const rp_graph_operand *o = &g->operands[k];
            if (o->absent || o->use != RP_NONE || o->access != RP_READ) continue;
            uint32_t writer = rp_check_value_writer(g, n, k);
            if (writer != RP_NONE && powers_of(g, &g->operands[writer]) != powers_of(g, o))
                rp_check_fail(run, n,
                              "rule 4: n%u in n%u reads a value as another number of elements at "
                              "some live sizes",
                              m->id, n->id);
        }
    }
}

void rp_check_sizes(rp_check_run *run) {
    const rp_graph *g = run->compiled, *s = run->source;
    for (uint32_t i = 0; s->sizes.count && i < s->nodes_count && !rp_check_stop(run); i++)
        check_source(run, &s->nodes[i]);
    for (uint32_t i = 0; g->sizes.count && i < g->nodes_count && !rp_check_stop(run); i++)
        check_values(run, &g->nodes[i]);
}
