/* Fences and nodes without declared uses: everything before them by id is done before anything
 * after them by id begins.
 *
 * A boundary that orders everything ("full") has every stage and access in its scopes. A fence is
 * no work: it needs one full boundary between the last group of the nodes before it and the first
 * group of the nodes after it. A node without declared uses needs one on either side. The source
 * says where they stand; a compiled graph that lost its fence node must still keep the order. Pairs
 * need not be looked at: the latest node before and the earliest one after are the hardest. Cost:
 * linear. */
#include "check/check.h"

typedef struct order {
    rp_check_run *run;
    uint32_t *full;     /* per group: the latest full boundary at or before it, 0 for none */
    uint32_t *earliest; /* per rank in id order: the compiled node with the smallest group from
                         * there on; RP_NONE when there is none */
    const rp_graph *judge;
} order;

/* The compiled node at a rank of the id order, RP_NONE for fences and for nodes that were dropped.
 */
static uint32_t at_rank(const order *o, uint32_t rank) {
    uint32_t index = o->run->by_id[rank];
    if (o->judge->nodes[index].kind == RP_FENCE) return RP_NONE;
    return o->run->source ? o->run->plan_of[index] : index;
}

static uint32_t group_of(const order *o, uint32_t node) {
    return o->run->compiled->nodes[node].group;
}

/* A full boundary must stand between two compiled nodes, because of node `why`. */
static void require(order *o, uint32_t before, uint32_t after, const rp_graph_node *why) {
    if (before == RP_NONE || after == RP_NONE) return;
    const rp_graph_node *nodes = o->run->compiled->nodes;
    o->run->conflicts_proven++;
    if (o->full[nodes[after].group] > nodes[before].group) return;
    rp_check_fail(o->run, &nodes[after],
                  "rule 2: n%u in group %u must wait for n%u in group %u because of %s n%u: no "
                  "barrier between them covers everything",
                  nodes[after].id, nodes[after].group, nodes[before].id, nodes[before].group,
                  why->kind == RP_FENCE ? "the fence" : "undeclared uses of", why->id);
}

static void fill_tables(order *o) {
    const rp_graph *g = o->run->compiled;
    const rp_graph_barrier *barriers = rp_graph_form(g, o->run->form);
    uint32_t latest = 0;
    for (uint32_t i = 0; i < g->group_count; i++) {
        if (i > 0 && rp_check_full(&barriers[i])) latest = i;
        o->full[i] = latest;
    }
    o->earliest[o->judge->nodes_count] = RP_NONE;
    for (uint32_t rank = o->judge->nodes_count; rank-- > 0;) {
        uint32_t node = at_rank(o, rank), rest = o->earliest[rank + 1];
        bool sooner = node != RP_NONE && (rest == RP_NONE || group_of(o, node) < group_of(o, rest));
        o->earliest[rank] = sooner ? node : rest;
    }
}

static void sweep(order *o) {
    uint32_t latest = RP_NONE; /* the node with the largest group so far */
    for (uint32_t rank = 0; rank < o->judge->nodes_count && !rp_check_stop(o->run); rank++) {
        const rp_graph_node *n = &o->judge->nodes[o->run->by_id[rank]];
        uint32_t node = at_rank(o, rank);
        if (n->kind == RP_FENCE) require(o, latest, o->earliest[rank + 1], n);
        if (n->unknown) {
            require(o, latest, node, n);
            require(o, node, o->earliest[rank + 1], n);
        }
        if (node != RP_NONE && (latest == RP_NONE || group_of(o, node) > group_of(o, latest)))
            latest = node;
    }
}

/* What such a node does is unknown to the next replay and to the host as well. */
static void check_ends(rp_check_run *run) {
    const rp_graph *g = run->compiled;
    const rp_graph_barrier *barriers = rp_graph_form(g, run->form);
    const rp_graph_node *last = NULL;
    bool results = false;
    for (uint32_t i = 0; i < g->nodes_count; i++)
        if (g->nodes[i].unknown) last = &g->nodes[i];
    if (!last) return;
    run->conflicts_proven++;
    if (!rp_check_full(&barriers[0]) && !rp_check_full(&barriers[g->group_count]))
        rp_check_fail(run, last,
                      "rule 2: n%u has no declared uses: no barrier between two replays covers "
                      "everything",
                      last->id);
    for (uint32_t i = 0; i < g->buffers_count; i++)
        results |= !g->buffers[i].removed && rp_buffer_has_result(&g->buffers[i]);
    for (uint32_t b = last->group + 1; results && b <= g->group_count; b++)
        if ((barriers[b].src & RP_SCOPE_COMPUTE_W) && (barriers[b].dst & RP_SCOPE_HOST_R))
            results = false;
    if (results)
        rp_check_fail(run, last,
                      "rule 2: n%u has no declared uses and may write results: no barrier behind "
                      "group %u covers compute:w -> host:r",
                      last->id, last->group);
}

rp_status rp_check_orders(rp_check_run *run) {
    order o = {.run = run, .judge = run->source ? run->source : run->compiled};
    bool any = false;
    for (uint32_t i = 0; i < o.judge->nodes_count; i++)
        any |= o.judge->nodes[i].unknown || o.judge->nodes[i].kind == RP_FENCE;
    if (!any) return RP_OK;
    o.full = rp_alloc(run->a, run->compiled->group_count, sizeof *o.full);
    o.earliest = rp_alloc(run->a, (size_t)o.judge->nodes_count + 1, sizeof *o.earliest);
    bool ok = o.full && o.earliest;
    if (ok) {
        fill_tables(&o);
        sweep(&o);
        check_ends(run);
    }
    rp_release(run->a, o.full);
    rp_release(run->a, o.earliest);
    return ok ? RP_OK : RP_ERROR_NO_MEMORY;
}
