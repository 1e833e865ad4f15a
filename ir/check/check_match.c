/* Rule 0: the compiled graph is made of the source's nodes, unchanged but for order and memory.
 *
 * Every compiled node must be a node of the source: the same kind, kernel, grid, data and accesses.
 * External buffers are the application's, so a use of one stays where it was. A transient may
 * become any other transient, and what the source kept in an out or inout buffer may live in a
 * transient: whether that is right, rule 1 decides. Nodes may be missing; rule 1 decides that, too.
 *
 * A node that was lowered from ops may run any kernel: its members are compared instead of kernel,
 * grid and push data, so that the plan says the same computations of the same values. That a
 * generated kernel computes what its members say is not proven here; the tests of lowering show it.
 *
 * A node without declared uses may touch anything at any time. Before it nothing may be
 * dropped, and nowhere may a buffer be renamed or share memory: it must find the memory that the
 * source describes.
 *
 * Names are compared as text: the two graphs have string tables of their own. */
#include "check/check.h"

#include <stdlib.h>

#include "base/checked.h"
#include "base/image.h"
#include "base/table.h"

/* ---- Finding the source's buffers and kernels by name ---------------------------------------- */

static const char *buffer_name(const rp_graph *g, uint32_t buffer) {
    return rp_graph_string(g, g->buffers[buffer].name);
}

static const char *kernel_name(const rp_graph *g, uint32_t kernel) {
    return rp_graph_string(g, g->kernels[kernel].name);
}

static uint32_t find_buffer(const rp_table *table, const rp_graph *g, const char *name) {
    uint32_t key = rp_table_key(name, strlen(name));
    for (uint32_t at = 0, found; rp_table_next(table, key, &at, &found);)
        if (strcmp(buffer_name(g, found), name) == 0) return found;
    return RP_NONE;
}

static uint32_t find_kernel(const rp_table *table, const rp_graph *g, const char *name) {
    uint32_t key = rp_table_key(name, strlen(name));
    for (uint32_t at = 0, found; rp_table_next(table, key, &at, &found);)
        if (strcmp(kernel_name(g, found), name) == 0) return found;
    return RP_NONE;
}

/* ---- Buffers --------------------------------------------------------------------------------- */

/* The bytes that are copies of other live buffers, which go by their names. */
static bool same_follows(const rp_graph *g, const rp_graph_buffer *b, const rp_graph *h,
                         const rp_graph_buffer *c) {
    if (b->follow_count != c->follow_count) return false;
    if (b->follow_count == 0) return true;
    if (!rp_range_inside(b->first_follow, b->follow_count, g->follows_count) ||
        !rp_range_inside(c->first_follow, c->follow_count, h->follows_count))
        return false;
    for (uint32_t i = 0; i < b->follow_count; i++) {
        const rp_graph_follow *f = &g->follows[b->first_follow + i];
        const rp_graph_follow *e = &h->follows[c->first_follow + i];
        if (f->from != e->from || f->to != e->to || f->size != e->size ||
            f->buffer >= g->buffers_count || e->buffer >= h->buffers_count ||
            strcmp(buffer_name(g, f->buffer), buffer_name(h, e->buffer)) != 0)
            return false;
    }
    return true;
}

static bool same_buffer(const rp_graph *g, const rp_graph_buffer *b, const rp_graph *h,
                        const rp_graph_buffer *c) {
    if (b->kind != c->kind || b->size != c->size || b->dtype != c->dtype || b->rank != c->rank ||
        !rp_image_same(&b->image, &c->image) || b->max_value != c->max_value ||
        !same_follows(g, b, h, c) || (b->first_default == RP_NONE) != (c->first_default == RP_NONE))
        return false;
    if (!rp_graph_same_dims(g, b->first_dim, h, c->first_dim, b->rank)) return false;
    return b->first_default == RP_NONE ||
           memcmp(g->bytes + b->first_default, h->bytes + c->first_default, b->size) == 0;
}

/* Fills in source_buffer; every external buffer of the plan must be one of the source, and every
 * result of the source must be one of the plan. `taken` has a flag for each buffer of the source.
 */
static void match_buffers(rp_check_run *run, const rp_table *by_name, bool *taken) {
    const rp_graph *g = run->compiled, *s = run->source;
    for (uint32_t i = 0; i < g->buffers_count && !rp_check_stop(run); i++) {
        const rp_graph_buffer *b = &g->buffers[i];
        run->source_buffer[i] = RP_NONE;
        if (b->removed || !rp_check_external(b)) continue;
        uint32_t other = find_buffer(by_name, s, buffer_name(g, i));
        const char *what = other == RP_NONE ? "is not a buffer of"
                           : taken[other]   ? "stands twice for the one in"
                           : !same_buffer(g, b, s, &s->buffers[other]) ? "is not the same as in"
                                                                       : NULL;
        if (what) {
            rp_check_fail(run, NULL, "rule 0: $%s %s the source", buffer_name(g, i), what);
            continue;
        }
        run->source_buffer[i] = other;
        taken[other] = true;
    }
    for (uint32_t i = 0; i < s->buffers_count && !rp_check_stop(run); i++)
        if (!s->buffers[i].removed && rp_buffer_has_result(&s->buffers[i]) && !taken[i])
            rp_check_fail(run, NULL, "rule 0: the result $%s is missing", buffer_name(s, i));
}

/* ---- Kernels --------------------------------------------------------------------------------- */

static bool same_kernel(const rp_graph *g, const rp_graph_kernel *k, const rp_graph *h,
                        const rp_graph_kernel *l) {
    if (k->hash != l->hash || k->push_bytes != l->push_bytes ||
        k->shared_bytes != l->shared_bytes || k->param_count != l->param_count ||
        k->spec_count != l->spec_count || memcmp(k->local, l->local, sizeof k->local) != 0 ||
        strcmp(rp_graph_string(g, k->entry), rp_graph_string(h, l->entry)) != 0)
        return false;
    for (uint32_t i = 0; i < k->param_count; i++) {
        const rp_graph_param *p = &g->params[k->first_param + i],
                             *q = &h->params[l->first_param + i];
        if (p->access != q->access || p->set != q->set || p->binding != q->binding ||
            p->skip != q->skip || p->resource != q->resource || p->view != q->view ||
            p->format != q->format || p->texel != q->texel || p->elements != q->elements)
            return false;
    }
    for (uint32_t i = 0; i < k->spec_count; i++) {
        const rp_graph_spec *p = &g->specs[k->first_spec + i], *q = &h->specs[l->first_spec + i];
        if (p->id != q->id || p->bytes != q->bytes || p->value != q->value) return false;
    }
    /* Bodies may be left out of a text; where both are at hand, they must be the same. */
    return k->word_count == 0 || l->word_count == 0 ||
           (k->word_count == l->word_count &&
            memcmp(g->words + k->first_word, h->words + l->first_word,
                   (size_t)k->word_count * sizeof *g->words) == 0);
}

/* `generated`: the kernels that only nodes with members run. They are the compiler's own. */
static void match_kernels(rp_check_run *run, const rp_table *by_name, const bool *generated,
                          uint32_t *source_kernel) {
    const rp_graph *g = run->compiled, *s = run->source;
    for (uint32_t i = 0; i < g->kernels_count && !rp_check_stop(run); i++) {
        const rp_graph_kernel *k = &g->kernels[i];
        source_kernel[i] = RP_NONE;
        if (k->removed) continue;
        const char *name = rp_graph_string(g, k->name);
        uint32_t other = find_kernel(by_name, s, name);
        if (other == RP_NONE && generated[i]) continue;
        if (other == RP_NONE || !same_kernel(g, k, s, &s->kernels[other]))
            rp_check_fail(run, NULL, "rule 0: kernel @%s is not %s the source", name,
                          other == RP_NONE ? "one of" : "the same as in");
        else
            source_kernel[i] = other;
    }
}

static void mark_generated(const rp_graph *g, bool *generated) {
    for (uint32_t i = 0; i < g->nodes_count; i++)
        if (g->nodes[i].kind == RP_RUN && g->nodes[i].member_count)
            generated[g->nodes[i].kernel] = true;
    for (uint32_t i = 0; i < g->nodes_count; i++)
        if (g->nodes[i].kind == RP_RUN && !g->nodes[i].member_count)
            generated[g->nodes[i].kernel] = false;
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

uint32_t rp_check_find_id(const rp_check_run *run, uint32_t id) {
    const rp_graph *s = run->source;
    uint32_t low = 0, high = s->nodes_count;
    if (id < high && s->nodes[run->by_id[id]].id == id) return run->by_id[id]; /* nearly always */
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (s->nodes[run->by_id[mid]].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    bool found = low < s->nodes_count && s->nodes[run->by_id[low]].id == id;
    return found ? run->by_id[low] : RP_NONE;
}

static bool same_expr(const rp_check_run *run, uint32_t mine, uint32_t theirs) {
    const rp_graph *g = run->compiled, *s = run->source;
    if (mine >= g->exprs_count || theirs >= s->exprs_count) return false;
    rp_graph_expr e = g->exprs[mine], f = s->exprs[theirs];
    if (e.op_count != f.op_count) return false;
    if (!rp_range_inside(e.first_op, e.op_count, g->expr_ops_count) ||
        !rp_range_inside(f.first_op, f.op_count, s->expr_ops_count))
        return false;
    for (uint32_t i = 0; i < e.op_count; i++) {
        const rp_expr_op *p = &g->expr_ops[e.first_op + i], *q = &s->expr_ops[f.first_op + i];
        if (p->code != q->code) return false;
        if (p->code == RP_EXPR_CONST && p->value != q->value) return false;
        if (p->code == RP_EXPR_LIVE && (p->element != q->element || p->buffer >= g->buffers_count ||
                                        run->source_buffer[p->buffer] != q->buffer))
            return false;
    }
    return true;
}

static bool same_grid(const rp_check_run *run, const rp_graph_node *n, const rp_graph_node *m) {
    if (n->grid_kind != m->grid_kind) return false;
    if (n->kind != RP_RUN || n->grid_kind == RP_GRID_INDIRECT) return true;
    uint32_t mask = n->grid_kind == RP_GRID_LIVE ? n->live_mask : 0;
    if (n->grid_kind == RP_GRID_LIVE && mask != m->live_mask) return false;
    for (uint32_t i = 0; i < 3; i++) {
        bool same =
            mask & (1u << i) ? same_expr(run, n->grid[i], m->grid[i]) : n->grid[i] == m->grid[i];
        if (!same) return false;
    }
    return true;
}

bool rp_check_same_switch(const rp_check_run *run, const rp_graph_node *n, const rp_graph_node *m) {
    const rp_graph *g = run->compiled, *s = run->source;
    if (!n->optional || !m->optional) return n->optional == m->optional;
    if (n->label == RP_NONE || m->label == RP_NONE)
        return n->label == m->label && !rp_check_is_fused(run, n);
    return strcmp(rp_graph_string(g, n->label), rp_graph_string(s, m->label)) == 0;
}

/* Samplers go by what they are. */
static bool same_samplers(const rp_check_run *run, const rp_graph_node *n, const rp_graph_node *m) {
    const rp_graph *g = run->compiled, *s = run->source;
    if (n->sampler_count != m->sampler_count) return false;
    for (uint32_t i = 0; i < n->sampler_count; i++) {
        uint32_t x = g->sampler_refs[n->first_sampler + i];
        uint32_t y = s->sampler_refs[m->first_sampler + i];
        if (memcmp(&g->samplers[x].info, &s->samplers[y].info, sizeof g->samplers->info) != 0)
            return false;
    }
    return true;
}

/* The same places of the same uses; where these went is judged use by use. */
static bool same_addresses(const rp_graph *g, const rp_graph_node *n, const rp_graph *s,
                           const rp_graph_node *m) {
    bool same = n->address_count == m->address_count;
    for (uint32_t i = 0; same && i < n->address_count; i++) {
        const rp_graph_address *a = &g->addresses[n->first_address + i];
        const rp_graph_address *b = &s->addresses[m->first_address + i];
        same = a->at == b->at && a->use == b->use && a->offset == b->offset;
    }
    return same;
}

/* What differs in the node itself, NULL when nothing does. */
static const char *node_difference(const rp_check_run *run, const rp_graph_node *n,
                                   const rp_graph_node *m, const uint32_t *source_kernel) {
    const rp_graph *g = run->compiled, *s = run->source;
    bool lowered = n->kind == RP_RUN && m->kind == RP_OP && n->member_count;
    if ((n->kind != m->kind && !lowered) || n->unknown != m->unknown) return "is of another kind";
    if (!rp_check_same_switch(run, n, m)) return "can be left out in other cases";
    const char *members = rp_check_members_difference(run, n, m);
    if (members) return members;
    /* The kernel and the grid of a lowered node are the compiler's, not the source's. */
    if (n->kind == RP_RUN && !lowered && source_kernel[n->kernel] != m->kernel)
        return "runs another kernel";
    if (lowered ? !rp_check_grid_is_known(g, n) : !same_grid(run, n, m)) return "has another grid";
    if (n->kind == RP_FILL && n->pattern != m->pattern) return "fills with another word";
    if (n->kind == RP_BLIT && n->pattern != m->pattern) return "scales with another filter";
    if (!same_samplers(run, n, m)) return "has other samplers";
    if (!lowered && (n->byte_count != m->byte_count ||
                     (n->byte_count &&
                      memcmp(g->bytes + n->first_byte, s->bytes + m->first_byte, n->byte_count))))
        return "has other data";
    /* A lowered node reads the live sizes that its members follow, behind what these use. */
    bool sizes =
        lowered && rp_node_has_size_uses(g, n) && rp_node_member_uses(g, n) == m->use_count;
    if (n->use_count != m->use_count && !sizes) return "has another number of uses";
    if (!same_addresses(g, n, s, m)) return "is pushed other addresses";
    return NULL;
}

/* What is wrong about where a use went, NULL when rule 1 may judge it. */
const char *rp_check_use_difference(const rp_check_run *run, const rp_graph_use *u,
                                    const rp_graph_use *v) {
    const rp_graph *g = run->compiled, *s = run->source;
    const rp_graph_buffer *b = &g->buffers[u->buffer], *c = &s->buffers[v->buffer];
    if (u->access != v->access || u->indirect != v->indirect || u->addressed != v->addressed)
        return "another access";
    if (u->size != v->size) return "another size";
    if (u->step != v->step || u->format != v->format) return "another binding";
    if (!rp_image_same(&b->image, &c->image)) return "another image";
    if (rp_buffer_is_image(b) && u->offset != v->offset) return "another part of an image";
    if (rp_check_external(b)) {
        if (run->source_buffer[u->buffer] != v->buffer) return "another buffer";
        return u->offset != v->offset ? "another place" : NULL;
    }
    if (rp_check_external(c) && !rp_buffer_has_result(c)) return "a transient instead of";
    if (!run->has_unknown) return NULL;
    bool kept = !rp_check_external(c) && b->size == c->size && u->offset == v->offset &&
                strcmp(buffer_name(g, u->buffer), buffer_name(s, v->buffer)) == 0;
    return kept ? NULL : "memory renamed beside a node without declared uses, instead of";
}

void rp_check_fail_use(rp_check_run *run, const rp_graph_node *n, const rp_graph_use *u,
                       const rp_graph_use *v, const char *what) {
    const rp_graph *g = run->compiled, *s = run->source;
    char mine[RP_CHECK_RANGE], theirs[RP_CHECK_RANGE];
    rp_check_fail(run, n, "rule 0: n%u uses %s %s, in the source %s %s: %s", n->id,
                  rp_access_name(u->access), rp_check_range(mine, g, u->buffer, u->offset, u->size),
                  rp_access_name(v->access),
                  rp_check_range(theirs, s, v->buffer, v->offset, v->size), what);
}

static void match_node(rp_check_run *run, uint32_t index, const uint32_t *source_kernel) {
    const rp_graph *g = run->compiled, *s = run->source;
    const rp_graph_node *n = &g->nodes[index];
    if (rp_check_is_fused(run, n)) {
        run->source_of[index] = RP_NONE;
        rp_check_match_fused(run, index);
        return;
    }
    uint32_t other = rp_check_find_id(run, n->id);
    run->source_of[index] = other;
    if (other == RP_NONE) {
        rp_check_fail(run, n, "rule 0: n%u is not a node of the source", n->id);
        return;
    }
    if (run->plan_of[other] != RP_NONE) {
        rp_check_fail(run, n, "rule 0: n%u occurs twice", n->id);
        return;
    }
    run->plan_of[other] = index;
    const rp_graph_node *m = &s->nodes[other];
    const char *what = node_difference(run, n, m, source_kernel);
    if (what) {
        rp_check_fail(run, n, "rule 0: n%u %s than in the source", n->id, what);
        return;
    }
    for (uint32_t i = 0; i < m->use_count; i++) {
        const rp_graph_use *u = &rp_node_uses(g, n)[i], *v = &rp_node_uses(s, m)[i];
        if ((what = rp_check_use_difference(run, u, v))) rp_check_fail_use(run, n, u, v, what);
    }
}

/* ---- Beside nodes without declared uses ------------------------------------------------------ */

typedef struct placed {
    uint64_t lo, hi;
    uint32_t buffer;
} placed;

static int compare_placed(const void *a, const void *b) {
    uint64_t x = ((const placed *)a)->lo, y = ((const placed *)b)->lo;
    return (x > y) - (x < y);
}

static rp_status no_shared_memory(rp_check_run *run) {
    const rp_graph *g = run->compiled;
    placed *all = rp_alloc(run->a, g->buffers_count, sizeof *all);
    if (!all) return RP_ERROR_NO_MEMORY;
    uint32_t count = 0;
    for (uint32_t i = 0; i < g->buffers_count; i++)
        if (!g->buffers[i].removed && rp_check_in_arena(g, i))
            all[count++] =
                (placed){g->buffers[i].offset, g->buffers[i].offset + g->buffers[i].size, i};
    qsort(all, count, sizeof *all, compare_placed);
    for (uint32_t i = 1; i < count && !rp_check_stop(run); i++)
        if (all[i].lo < all[i - 1].hi)
            rp_check_fail(run, NULL,
                          "rule 1: %%%s and %%%s share memory beside a node without declared uses",
                          buffer_name(g, all[i - 1].buffer), buffer_name(g, all[i].buffer));
    rp_release(run->a, all);
    return RP_OK;
}

static void unknown_kept(rp_check_run *run) {
    const rp_graph *s = run->source;
    for (uint32_t i = 0; i < s->nodes_count && !rp_check_stop(run); i++)
        if (s->nodes[i].unknown && run->plan_of[i] == RP_NONE)
            rp_check_fail(run, NULL, "rule 0: n%u has no declared uses and is missing",
                          s->nodes[i].id);
}

/* ---- All of it ------------------------------------------------------------------------------- */

typedef struct match {
    rp_table buffers, kernels; /* of the source: rp_table_key of the name -> index */
    uint32_t *source_kernel;   /* compiled kernel -> source kernel */
    bool *taken;               /* source buffers that were found */
    bool *generated;           /* compiled kernels that lowering made */
} match;

static bool add_name(const rp_check_run *run, rp_table *table, const char *name, uint32_t index) {
    return rp_table_add(run->a, table, rp_table_key(name, strlen(name)), index);
}

static bool name_all(const rp_check_run *run, match *m) {
    const rp_graph *s = run->source;
    bool ok = true;
    for (uint32_t i = 0; ok && i < s->buffers_count; i++)
        if (!s->buffers[i].removed) ok = add_name(run, &m->buffers, buffer_name(s, i), i);
    for (uint32_t i = 0; ok && i < s->kernels_count; i++)
        if (!s->kernels[i].removed) ok = add_name(run, &m->kernels, kernel_name(s, i), i);
    return ok;
}

static bool allocate(rp_check_run *run, match *m) {
    const rp_graph *g = run->compiled, *s = run->source;
    run->plan_of = rp_alloc(run->a, s->nodes_count, sizeof *run->plan_of);
    run->source_of = rp_alloc(run->a, g->nodes_count, sizeof *run->source_of);
    run->source_buffer = rp_alloc(run->a, g->buffers_count, sizeof *run->source_buffer);
    m->source_kernel = rp_alloc(run->a, g->kernels_count, sizeof *m->source_kernel);
    m->taken = rp_alloc_zero(run->a, s->buffers_count, sizeof *m->taken);
    m->generated = rp_alloc_zero(run->a, g->kernels_count, sizeof *m->generated);
    run->source_use = rp_alloc(run->a, g->operands_count, sizeof *run->source_use);
    if (!run->plan_of || !run->source_of || !run->source_buffer || !m->source_kernel || !m->taken ||
        !m->generated || !run->source_use || !name_all(run, m))
        return false;
    memset(run->plan_of, 0xff, s->nodes_count * sizeof *run->plan_of); /* RP_NONE */
    for (uint32_t i = 0; i < g->operands_count; i++) run->source_use[i] = RP_NONE;
    return true;
}

rp_status rp_check_match(rp_check_run *run) {
    match m = {0};
    rp_status status = RP_ERROR_NO_MEMORY;
    if (allocate(run, &m)) {
        match_buffers(run, &m.buffers, m.taken);
        mark_generated(run->compiled, m.generated);
        match_kernels(run, &m.kernels, m.generated, m.source_kernel);
        for (uint32_t i = 0; i < run->compiled->nodes_count && !rp_check_stop(run); i++)
            match_node(run, i, m.source_kernel);
        if (run->has_unknown) unknown_kept(run);
        status = run->has_unknown ? no_shared_memory(run) : RP_OK;
    }
    rp_table_free(run->a, &m.buffers);
    rp_table_free(run->a, &m.kernels);
    rp_release(run->a, m.source_kernel);
    rp_release(run->a, m.taken);
    rp_release(run->a, m.generated);
    return status;
}
