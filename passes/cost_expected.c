/* What fusion had expected of a compiled graph's nodes.
 *
 * Its estimate is of a set of op nodes in the graph that it saw. That graph is made again: the source
 * with transients renamed and transfers as ops, in which nothing is dropped, so that every member of
 * a compiled node is a node of its id. A node whose members were not all ops there (another pipeline
 * of passes) is one of which nothing was expected. */
#include "cost.h"
#include "fuse.h"
#include "pass.h"

/* What the levels run before `fuse`, but for dropping nodes. */
static const char before_fusion[] = "rename,transfers";

typedef struct finder {
    const rp_graph *before; /* nodes in the order of their ids */
    rp_fuse_values values;
    rp_fuse_set set;
} finder;

static uint32_t node_of(const rp_graph *g, uint32_t id) {
    uint32_t low = 0, high = g->nodes_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (g->nodes[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < g->nodes_count && g->nodes[low].id == id ? low : RP_NONE;
}

/* Whether the set is now that of the node's members. */
static bool find_set(finder *f, const rp_graph *g, const rp_graph_node *n) {
    rp_fuse_set *set = &f->set;
    if (n->member_count == 0 || n->member_count > RP_FUSE_MEMBERS) return false;
    set->count = 0;
    for (uint32_t i = 0; i < n->member_count; i++) {
        uint32_t node = node_of(f->before, rp_node_members(g, n)[i].id);
        if (node == RP_NONE || !rp_fuse_is_single(&f->before->nodes[node])) return false;
        uint32_t at = set->count++;
        for (; at > 0 && set->nodes[at - 1] > node; at--) set->nodes[at] = set->nodes[at - 1];
        set->nodes[at] = node;
    }
    return rp_fuse_set_calls(set) && rp_fuse_set_shape(set);
}

static rp_status find_all(finder *f, const rp_graph *g, rp_cost_record *records) {
    RP_TRY(rp_fuse_values_build(f->before, &f->values));
    if (!rp_fuse_set_open(f->before, &f->values, &f->set)) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        if (find_set(f, g, &g->nodes[i]))
            records[i].expected_ns = rp_fuse_seconds(rp_fuse_time(&f->set).parts) * 1e9;
    }
    return RP_OK;
}

rp_status rp_cost_expect(const rp_graph *compiled, const rp_graph *source, rp_diags *diags,
                         rp_cost_record *records) {
    /* `transfers` makes ops where somebody will lower them; here nobody gets to. */
    const rp_lowering lowering = {0};
    const rp_pass_options options = {
        .size = sizeof options, .pipeline = before_fusion, .lowering = &lowering};
    rp_graph *clone = NULL, *before = NULL;
    RP_TRY(rp_graph_clone(source, &clone));
    clone->skip_variants = compiled->skip_variants;
    rp_status status = rp_graph_set_target(clone, &compiled->target);
    if (status == RP_OK) status = rp_passes_run(clone, &options, diags, &before, NULL, NULL);
    rp_graph_destroy(clone);
    finder f = {.before = before};
    if (status == RP_OK) status = find_all(&f, compiled, records);
    if (before) rp_fuse_values_free(before, &f.values);
    rp_fuse_set_close(&f.set);
    rp_graph_destroy(before);
    return status;
}
