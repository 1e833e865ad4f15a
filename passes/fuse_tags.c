/* fuse, profit: what kernels cost apart where values between them can be tagged.
 *
 * A kernel of an estimate pays for a barrier in front of it if it reads what others wrote. Where pass `flow` comes later, and tags what a
 * kernel reads, there is none: the kernel pays for its dispatch, for the words that it loads in place of
 * elements, and for one of them on its way from memory with nothing else to do. On an H200 that is 1.1 us
 * in place of 2.0, and words were measured to take 1.06 (docs/benchmarks.md: 48 values, 51 us). A fusion
 * that the barrier made worthwhile may not be worth it then.
 *
 * What flow will do is known when all is fused and in groups. Here it is taken to tag what it can: a kernel
 * with a product among its ops goes without a barrier when all that others of the graph wrote for it is
 * read whole, element by element, by products' kernels alone. */
#include "flow.h"
#include "fuse.h"

static bool has_product(const rp_fuse_set *set, uint32_t node) {
    return set->tags->product[set->tags->owner[node]];
}

static bool can_wait(const rp_fuse_set *set, uint32_t input) {
    const rp_graph *g = set->graph;
    const rp_fuse_values *v = set->values;
    uint32_t output = v->writer[input];
    if (output == RP_NONE || v->escape[output] != RP_FUSE_STAYS_INSIDE) return false;
    const rp_graph_use *written = rp_fuse_use(set, output), *read = rp_fuse_use(set, input);
    if (rp_tags_wrong_buffer(&g->buffers[written->buffer]) ||
        rp_tags_wrong_use(g, &g->nodes[v->node[output]], written) ||
        rp_tags_wrong_use(g, &g->nodes[v->node[input]], read))
        return false;
    for (uint32_t r = v->first_reader[output]; r != RP_NONE; r = v->next_reader[r])
        if (!has_product(set, v->node[r])) return false;
    return true;
}

/* What member i costs in words, or -1 where it needs a barrier. *out_waits: whether it reads any. */
static double words_of(const rp_fuse_set *set, uint32_t i, bool *out_waits) {
    const rp_op_call *c = &set->calls[i]->call;
    const rp_graph_member *m = rp_fuse_member(set, i);
    uint32_t own = set->tags->owner[set->nodes[i]];
    double ns = 0;
    for (uint32_t k = 0; k < c->operand_count; k++) {
        uint32_t operand = m->first_operand + k, from;
        if (c->operands[k].absent || rp_access_writes(rp_op_operand_of(c, k)->access)) continue;
        uint32_t j = rp_fuse_producer(set, operand, &from);
        if (j != RP_NONE && set->tags->owner[set->nodes[j]] == own) continue;
        if (rp_fuse_is_given(set, operand)) continue;
        if (!can_wait(set, operand) || !rp_flow_is_by_element(c, k) ||
            (j != RP_NONE && !rp_flow_is_by_element(&set->calls[j]->call, from)))
            return -1;
        *out_waits |= j != RP_NONE;
        ns += rp_flow_words_ns(rp_graph_target(set->graph), c, k, true);
    }
    return ns;
}

/* That a load takes with nothing else on its way. */
static double flight_ns(const rp_target *t) {
    return t->memory_rate ? (double)t->flight_bytes / (double)t->memory_rate * 1e3 : 0;
}

double rp_fuse_words_in_place_of_barriers(const rp_fuse_set *set, double *out_barriers) {
    const rp_target *t = rp_graph_target(set->graph);
    double words = 0;
    *out_barriers = 0;
    if (!set->tags || rp_flow_against(t)) return 0;
    for (uint32_t first = 0; first < set->count; first++) {
        uint32_t own = set->tags->owner[set->nodes[first]];
        bool waits = false, seen = false;
        double ns = 0;
        for (uint32_t i = 0; i < first; i++) seen |= set->tags->owner[set->nodes[i]] == own;
        if (seen || !set->tags->product[own]) continue;
        for (uint32_t i = first; i < set->count && ns >= 0; i++) {
            if (set->tags->owner[set->nodes[i]] != own) continue;
            double more = words_of(set, i, &waits);
            ns = more < 0 ? -1 : ns + more;
        }
        double price = ns + flight_ns(t);
        if (ns < 0 || !waits || price >= rp_flow_barrier_ns(t)) continue;
        *out_barriers += rp_flow_barrier_ns(t) * 1e-9;
        words += price * 1e-9;
    }
    return words;
}
