/* Whether the nodes that were made of ops run the kernels that their ops make.
 *
 * The generator is deterministic, so it is asked again: in a copy of the graph those nodes become
 * ops once more, are lowered, and must come out as they were: SPIR-V by its hash, entry point,
 * workgroup, bindings, specialisation constants, shared memory, grid. A plan does not say whether
 * it was lowered exactly or fast; a node may be either. Nodes with abstract kernels are left alone:
 * nothing can run them.
 *
 * Costs one lowering, the texts of which are in the cache of kernels where the plan was compiled on
 * this machine. */
#include <stdio.h>
#include "graph/graph.h"
#include "pass.h"
#include "reprise/compiler.h"

enum { WHAT = 256 };

static bool is_generated(const rp_graph *g, const rp_graph_node *n) {
    return n->kind == RP_RUN && n->member_count && g->kernels[n->kernel].hash;
}

/* Lowers the nodes that `open` names anew, in a copy. */
static rp_status derive(const rp_graph *g, const bool *open, bool fast, rp_diags *diags,
                        rp_graph **out_derived) {
    const rp_lowering *generator = rp_lowering_default();
    RP_TRY(rp_graph_clone(g, out_derived));
    for (uint32_t i = 0; i < g->nodes_count; i++)
        if (open[i]) {
            rp_graph_node *n = &(*out_derived)->nodes[i];
            n->kind = RP_OP;
            n->use_count = rp_node_member_uses(g, n);
        }
    return generator->lower(generator->user, *out_derived, fast, NULL, diags, NULL);
}

/* ---- Comparing ------------------------------------------------------------------------------- */

/* Each says in `what` how the first differs from the second, and returns whether it does. */

static bool bindings_differ(const rp_graph *g, const rp_graph_kernel *k, const rp_graph *d,
                            const rp_graph_kernel *l, char what[WHAT]) {
    bool differ = k->param_count != l->param_count;
    for (uint32_t i = 0; i < k->param_count && !differ; i++) {
        const rp_graph_param *p = &g->params[k->first_param + i];
        const rp_graph_param *q = &d->params[l->first_param + i];
        differ = p->access != q->access || p->set != q->set || p->binding != q->binding;
    }
    if (differ) snprintf(what, WHAT, "it binds other things than its ops make");
    return differ;
}

static bool constants_differ(const rp_graph *g, const rp_graph_kernel *k, const rp_graph *d,
                             const rp_graph_kernel *l, char what[WHAT]) {
    if (k->spec_count != l->spec_count) {
        snprintf(what, WHAT, "it has %u specialisation constants, its ops make %u", k->spec_count,
                 l->spec_count);
        return true;
    }
    for (uint32_t i = 0; i < k->spec_count; i++) {
        const rp_graph_spec *p = &g->specs[k->first_spec + i], *q = &d->specs[l->first_spec + i];
        if (p->id == q->id && p->bytes == q->bytes && p->value == q->value) continue;
        snprintf(what, WHAT,
                 "specialisation constant %u is %08llx, its ops make constant %u %08llx", p->id,
                 (unsigned long long)p->value, q->id, (unsigned long long)q->value);
        return true;
    }
    return false;
}

static bool kernel_differs(const rp_graph *g, const rp_graph_kernel *k, const rp_graph *d,
                           const rp_graph_kernel *l, char what[WHAT]) {
    const char *entry = rp_graph_string(g, k->entry), *made = rp_graph_string(d, l->entry);
    if (k->hash != l->hash)
        snprintf(what, WHAT, "its SPIR-V is not what this version of Reprise makes of its ops");
    else if (strcmp(entry, made) != 0)
        snprintf(what, WHAT, "its entry point is \"%.60s\", its ops make \"%.60s\"", entry, made);
    else if (memcmp(k->local, l->local, sizeof k->local) != 0)
        snprintf(what, WHAT, "its workgroup is %u x %u x %u, its ops make %u x %u x %u",
                 k->local[0], k->local[1], k->local[2], l->local[0], l->local[1], l->local[2]);
    else if (k->shared_bytes != l->shared_bytes)
        snprintf(what, WHAT, "it has %u bytes of shared memory, its ops make %u", k->shared_bytes,
                 l->shared_bytes);
    else if (k->push_bytes != l->push_bytes)
        snprintf(what, WHAT, "it has %u bytes of push constants, its ops make %u", k->push_bytes,
                 l->push_bytes);
    else
        return bindings_differ(g, k, d, l, what) || constants_differ(g, k, d, l, what);
    return true;
}

/* "4 x {8 * $tokens} x 1" */
static void print_grid(const rp_graph *g, const rp_graph_node *n, char text[WHAT / 2]) {
    rp_text out;
    rp_text_init(&out, &g->allocator);
    rp_graph_print_grid(&out, g, n);
    snprintf(text, WHAT / 2, "%s", out.failed || !out.data ? "?" : out.data);
    rp_text_free(&out);
}

/* A graph that is well formed gives nodes of ops no push data and no indirect grid. */
static bool node_differs(const rp_graph *g, const rp_graph *d, uint32_t index, char what[WHAT]) {
    const rp_graph_node *n = &g->nodes[index], *m = &d->nodes[index];
    if (kernel_differs(g, &g->kernels[n->kernel], d, &d->kernels[m->kernel], what)) return true;
    if (n->grid_kind == RP_GRID_DIRECT && m->grid_kind == RP_GRID_DIRECT &&
        memcmp(n->grid, m->grid, sizeof n->grid) == 0)
        return false;
    char mine[WHAT / 2], made[WHAT / 2];
    print_grid(g, n, mine);
    print_grid(d, m, made);
    if (strcmp(mine, made) == 0) return false;
    snprintf(what, WHAT, "its grid is %.110s, its ops make %.110s", mine, made);
    return true;
}

/* ---- All nodes ------------------------------------------------------------------------------- */

static uint32_t count_open(const rp_graph *g, const bool *open) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < g->nodes_count; i++) count += open[i];
    return count;
}

/* Closes the nodes that are as `derived` has them. */
static void close_equal(const rp_graph *g, const rp_graph *derived, bool *open) {
    char what[WHAT];
    for (uint32_t i = 0; i < g->nodes_count; i++)
        if (open[i]) open[i] = node_differs(g, derived, i, what);
}

static uint64_t hash_of(const rp_graph *g, uint32_t node) {
    return g->kernels[g->nodes[node].kernel].hash;
}

/* Of what is still open, says how it differs from the way of lowering that it looks like. */
static void report(const rp_graph *g, const rp_graph *exact, const rp_graph *fast, const bool *open,
                   const char *file, rp_diags *diags) {
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        if (!open[i]) continue;
        bool is_fast = hash_of(g, i) != hash_of(exact, i) && hash_of(g, i) == hash_of(fast, i);
        const rp_graph_node *n = &g->nodes[i];
        char what[WHAT] = "";
        node_differs(g, is_fast ? fast : exact, i, what);
        rp_diags_add(diags, RP_ERROR, file, n->pos.line, n->pos.column,
                     "n%u runs @%s, which was made of ops, but %s: compile it again", n->id,
                     rp_graph_string(g, g->kernels[n->kernel].name), what);
    }
}

rp_status rp_check_kernels(const rp_graph *compiled, const char *file, rp_diags *diags) {
    if (!compiled) return RP_ERROR_USAGE;
    const rp_graph *g = compiled;
    rp_graph *exact = NULL, *fast = NULL;
    bool *open = rp_alloc_zero(&g->allocator, g->nodes_count, sizeof *open);
    if (!open) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < g->nodes_count; i++) open[i] = is_generated(g, &g->nodes[i]);
    rp_status status = RP_OK;
    if (count_open(g, open)) status = derive(g, open, false, diags, &exact);
    if (status == RP_OK && exact) close_equal(g, exact, open);
    if (status == RP_OK && count_open(g, open)) status = derive(g, open, true, diags, &fast);
    if (status == RP_OK && fast) close_equal(g, fast, open);
    if (status == RP_OK && count_open(g, open)) {
        report(g, exact, fast, open, file, diags);
        status = RP_ERROR_UNPROVEN;
    }
    rp_graph_destroy(exact);
    rp_graph_destroy(fast);
    rp_release(&g->allocator, open);
    return status;
}
