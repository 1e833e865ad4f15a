/* Lowering: every op node becomes a run node with a generated kernel.
 *
 * Text comes first, for all nodes: it is cheap, and equal text is compiled once. What differs
 * between the layers of a model is mostly the buffers, so a graph of hundreds of nodes has a
 * handful of texts. Those that no cache knows are compiled in parallel. Kernels are told apart by
 * text and specialisation constants.
 *
 * What a compiled kernel looks like from outside is known before it is compiled: its parameters are
 * the node's uses, in order. Reflection is held against that when a text is compiled, never again.
 */
#include <stdio.h>
#include "base/hash.h"
#include "base/table.h"
#include "kernel/cache.h"
#include "kernel/spirv.h"
#include "lower/internal.h"
#include "pass.h"

/* A text, and what it was compiled to. */
typedef struct unit {
    char *glsl;
    uint64_t hash;
    rp_kernel_key key;
    uint32_t *words;
    uint32_t count;
    uint32_t node;       /* the first one with it */
    uint32_t first_word; /* of the graph, once a kernel has it; RP_NONE */
    uint32_t subgroup;   /* size that the text relies on, which its head says too; 0: any */
    bool compiled;       /* now, rather than found */
} unit;

/* What a node was made into. */
typedef struct plan_node {
    uint32_t node, unit;
    uint32_t first_spec, spec_count;
    uint32_t local, grid[3];
    uint8_t live_mask; /* grid[i] is an expression of the graph */
    uint32_t kernel;   /* of the graph; RP_NONE until it is added */
} plan_node;

typedef struct lowering {
    rp_allocator a;
    rp_graph *graph;
    const rp_pass_options *options; /* may be NULL */
    rp_diags *diags;
    bool fast;
    RP_ARRAY(unit, units);
    RP_ARRAY(plan_node, nodes);
    RP_ARRAY(rp_graph_spec, specs);
    rp_table unit_of;     /* a text's hash -> units */
    rp_table kernel_of;   /* a text's and its constants' hash -> nodes with a kernel of their own */
    rp_table names;       /* of kernels, as strings of the graph -> 0 */
    rp_table last_number; /* of names that end in .vN, by what is before that */
    uint32_t kernels;
} lowering;

/* ---- Text ------------------------------------------------------------------------------------ */

static uint32_t find_unit(lowering *l, char **glsl, uint32_t node) {
    uint64_t hash = rp_hash(*glsl, strlen(*glsl));
    uint32_t key = (uint32_t)hash;
    for (uint32_t at = 0, i; rp_table_next(&l->unit_of, key, &at, &i);)
        if (l->units[i].hash == hash && strcmp(l->units[i].glsl, *glsl) == 0) return i;
    if (!RP_RESERVE(&l->a, l->units, l->units_count, l->units_capacity, 1) ||
        !rp_table_add(&l->a, &l->unit_of, key, l->units_count))
        return RP_NONE;
    l->units[l->units_count] = (unit){.glsl = *glsl,
                                      .hash = hash,
                                      .key = rp_kernel_key_of(*glsl, l->fast ? "fast" : "exact"),
                                      .node = node,
                                      .first_word = RP_NONE};
    *glsl = NULL;
    return l->units_count++;
}

static rp_status keep_node(lowering *l, rp_emit *e, uint32_t node) {
    uint32_t index = find_unit(l, &e->glsl, node);
    if (index == RP_NONE || !RP_RESERVE(&l->a, l->nodes, l->nodes_count, l->nodes_capacity, 1) ||
        !RP_RESERVE(&l->a, l->specs, l->specs_count, l->specs_capacity, e->constants_count))
        return RP_ERROR_NO_MEMORY;
    l->units[index].subgroup = e->subgroup;
    plan_node *n = &l->nodes[l->nodes_count++];
    *n = (plan_node){.node = node,
                     .unit = index,
                     .first_spec = l->specs_count,
                     .spec_count = e->constants_count,
                     .local = e->local,
                     .kernel = RP_NONE};
    memcpy(n->grid, e->grid, sizeof n->grid);
    for (uint32_t i = 0; i < 3; i++) {
        if (!e->grid_code[i].count) continue;
        n->live_mask |= (uint8_t)(1u << i);
        n->grid[i] = rp_graph_add_expr(l->graph, e->grid_code[i].ops, e->grid_code[i].count);
        if (n->grid[i] == RP_NONE) return RP_ERROR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < e->constants_count; i++)
        l->specs[l->specs_count++] = (rp_graph_spec){i, 4, e->constants[i].bits};
    return RP_OK;
}

static rp_status emit_text(rp_emit *e) {
    RP_TRY(rp_emit_node(e));
    return rp_emit_assemble(e);
}

static rp_status emit_all(lowering *l) {
    for (uint32_t i = 0; i < l->graph->nodes_count; i++) {
        if (l->graph->nodes[i].kind != RP_OP) continue;
        RP_TRY(rp_node_add_size_uses(l->graph, &l->graph->nodes[i]));
        rp_emit e;
        RP_TRY(rp_emit_open(&e, &l->a, l->graph, &l->graph->nodes[i], l->fast, l->diags));
        rp_status status = emit_text(&e);
        if (status == RP_OK) status = keep_node(l, &e, i);
        rp_emit_close(&e);
        RP_TRY(status);
    }
    return RP_OK;
}

/* ---- Names ----------------------------------------------------------------------------------- */

enum { MAX_NAME = 64 };

/* "rms_norm.matvec3.rope2": the ops in order, with how many of one follow each other. */
static void join_ops(const rp_graph *graph, const rp_graph_node *node, char name[MAX_NAME]) {
    const rp_graph_member *members = rp_node_members(graph, node);
    size_t used = 0;
    name[0] = '\0';
    for (uint32_t i = 0, run; i < node->member_count; i += run) {
        for (run = 1; i + run < node->member_count && members[i + run].op == members[i].op;) run++;
        char part[MAX_NAME];
        const char *op = rp_op_name(members[i].op), *dot = used ? "." : "";
        int size = run > 1 ? snprintf(part, sizeof part, "%s%s%u", dot, op, run)
                           : snprintf(part, sizeof part, "%s%s", dot, op);
        if (size < 0 || used + (size_t)size + 6 > MAX_NAME) {
            memcpy(name + used, ".etc", 5);
            return;
        }
        memcpy(name + used, part, (size_t)size + 1);
        used += (size_t)size;
    }
}

static rp_status note_name(lowering *l, uint32_t name) {
    return name != RP_NONE && rp_table_set(&l->a, &l->names, name, 0) ? RP_OK : RP_ERROR_NO_MEMORY;
}

/* Those of kernels that were dropped too: the source still has them. */
static rp_status note_names(lowering *l) {
    for (uint32_t i = 0; i < l->graph->kernels_count; i++)
        RP_TRY(note_name(l, l->graph->kernels[i].name));
    return RP_OK;
}

/* The name, or one with a number where it is taken: ever larger ones, so that none is tried twice.
 * RP_NONE without memory. */
static uint32_t free_name(lowering *l, const char *base) {
    uint32_t first = rp_graph_intern(l->graph, base, strlen(base)), name = first, taken;
    uint32_t number;
    if (!rp_table_find(&l->last_number, first, &number)) number = 1;
    while (name != RP_NONE && rp_table_find(&l->names, name, &taken)) {
        char text[MAX_NAME + 16];
        int size = snprintf(text, sizeof text, "%s.v%u", base, ++number);
        name = rp_graph_intern(l->graph, text, (size_t)size);
    }
    if (name == RP_NONE || note_name(l, name) != RP_OK ||
        !rp_table_set(&l->a, &l->last_number, first, number))
        return RP_NONE;
    return name;
}

/* ---- Compiling ------------------------------------------------------------------------------- */

/* What the shader says of its blocks must be what the node says of its uses. */
static rp_status check_interface(const lowering *l, const unit *u, const rp_kernel_module *m) {
    const rp_graph_node *node = &l->graph->nodes[u->node];
    const rp_graph_use *uses = rp_node_uses(l->graph, node);
    uint32_t wanted = node->use_count + rp_node_waits(l->graph, node);
    const char *wrong = m->binding_count != wanted ? "another number of blocks" : NULL;
    for (uint32_t i = 0; !wrong && i < node->use_count; i++)
        wrong = m->bindings[i].binding != i
                    ? "blocks in another order"
                    : rp_kernel_access_error(&m->bindings[i], (rp_access)uses[i].access);
    if (!wrong) return RP_OK;
    rp_diags_add(l->diags, RP_ERROR, NULL, node->pos.line, node->pos.column,
                 "n%u: its generated kernel has other uses than the node: %s", node->id, wrong);
    return RP_ERROR_INVALID;
}

static rp_status take_module(lowering *l, unit *u, rp_kernel_module *m) {
    RP_TRY(check_interface(l, u, m));
    if (!l->fast) RP_TRY(rp_make_exact(&l->a, &m->words, &m->word_count));
    if (u->subgroup) RP_TRY(rp_say_subgroup(&l->a, u->subgroup, &m->words, &m->word_count));
    rp_kernel_where where = {&l->a, l->diags, m->name, {NULL, 0, 0}};
    if (!l->fast || u->subgroup) RP_TRY(rp_spirv_validate(&where, m->words, m->word_count, "main"));
    u->words = m->words;
    u->count = m->word_count;
    u->compiled = true;
    m->words = NULL;
    rp_kernel_cache_keep(u->key, u->words, u->count);
    return RP_OK;
}

static void report(const lowering *l, const unit *u, const rp_diags *diags) {
    const rp_graph_node *node = &l->graph->nodes[u->node];
    char name[MAX_NAME];
    join_ops(l->graph, node, name);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        rp_diag d = rp_diags_get(diags, i);
        rp_diags_add(l->diags, d.severity, NULL, node->pos.line, node->pos.column,
                     "n%u: generated kernel %s, line %u: %s", node->id, name, d.line, d.message);
    }
}

static void tell(void *user, uint32_t done, uint32_t total) {
    const rp_pass_options *options = user;
    options->progress(options->progress_user, "kernels compiled", done, total);
}

/* Compiles the units that have no words; jobs[i] belongs to missing[i]. */
static rp_status compile_missing(lowering *l, const uint32_t *missing, rp_kernel_job *jobs,
                                 uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        jobs[i].params = (rp_kernel_params){.size = sizeof(rp_kernel_params),
                                            .name = "generated",
                                            .glsl = l->units[missing[i]].glsl,
                                            .glsl_file = "generated"};
        jobs[i].diags = rp_diags_create(&l->a);
        if (!jobs[i].diags) return RP_ERROR_NO_MEMORY;
    }
    bool watched = l->options && l->options->progress;
    rp_kernel_build_all(&l->a, jobs, count, watched ? tell : NULL, (void *)l->options);
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < count; i++) {
        unit *u = &l->units[missing[i]];
        if (jobs[i].status == RP_OK) jobs[i].status = take_module(l, u, &jobs[i].module);
        if (jobs[i].status == RP_OK) continue;
        report(l, u, jobs[i].diags);
        if (status == RP_OK) status = jobs[i].status;
    }
    return status;
}

static rp_status find_words(lowering *l) {
    uint32_t *missing = rp_alloc(&l->a, l->units_count, sizeof *missing), count = 0;
    rp_status status = missing ? RP_OK : RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; status == RP_OK && i < l->units_count; i++) {
        unit *u = &l->units[i];
        status = rp_kernel_cache_find(&l->a, u->key, &u->words, &u->count);
        if (status == RP_OK && !u->words) missing[count++] = i;
    }
    rp_kernel_job *jobs = NULL;
    if (status == RP_OK && count) {
        jobs = rp_alloc_zero(&l->a, count, sizeof *jobs);
        status = jobs ? compile_missing(l, missing, jobs, count) : RP_ERROR_NO_MEMORY;
    }
    for (uint32_t i = 0; jobs && i < count; i++) {
        rp_kernel_free(&jobs[i].module);
        rp_diags_destroy(jobs[i].diags);
    }
    rp_release(&l->a, jobs);
    rp_release(&l->a, missing);
    return status;
}

/* ---- Into the graph -------------------------------------------------------------------------- */

/* Workgroup memory with the constants as they are. */
static rp_status find_shared(const lowering *l, const plan_node *n, uint32_t *out) {
    const unit *u = &l->units[n->unit];
    rp_spirv_spec *specs = rp_alloc(&l->a, n->spec_count, sizeof *specs);
    if (!specs) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < n->spec_count; i++) specs[i] = l->specs[n->first_spec + i];
    rp_spirv_reader reader;
    rp_spirv_reader_init(&reader, &l->a);
    char why[128];
    rp_status status =
        rp_spirv_read(&reader, u->words, u->count, "main", specs, n->spec_count, why);
    if (status == RP_OK && reader.shared_bytes > UINT32_MAX) status = RP_ERROR_DAMAGED;
    *out = (uint32_t)reader.shared_bytes;
    rp_spirv_reader_free(&reader);
    rp_release(&l->a, specs);
    return status;
}

/* What a use is called: as the first op that has it calls its operand. */
static uint32_t name_use(rp_graph *graph, const rp_graph_node *node, uint32_t use) {
    for (uint32_t m = 0; m < node->member_count; m++) {
        const rp_graph_member *member = &graph->members[node->first_member + m];
        rp_op_call call = {.op = member->op, .operand_count = member->operand_count};
        for (uint32_t k = 0; k < member->operand_count; k++) {
            const rp_graph_operand *o = &graph->operands[member->first_operand + k];
            if (o->absent || o->use != use) continue;
            const char *name = rp_op_operand_name(&call, k);
            return rp_graph_intern(graph, name, strlen(name));
        }
    }
    return rp_graph_intern(graph, "size", 4);
}

/* Adds a kernel of the node's text and constants. Those of one text share its words. */
static rp_status add_kernel(lowering *l, plan_node *n) {
    rp_graph *g = l->graph;
    const rp_graph_node *node = &g->nodes[n->node];
    unit *u = &l->units[n->unit];
    bool shared = u->first_word != RP_NONE;
    char name[MAX_NAME];
    join_ops(g, node, name);
    rp_graph_kernel kernel = {.name = free_name(l, name),
                              .entry = rp_graph_intern(g, "main", 4),
                              .hash = rp_hash(u->words, (size_t)u->count * 4),
                              .word_count = u->count,
                              .local = {n->local, 1, 1},
                              .param_count = node->use_count + rp_node_waits(g, node),
                              .push_bytes = rp_node_has_tags(g, node) ? RP_TAG_BYTES : 0,
                              .spec_count = n->spec_count,
                              .pos = node->pos};
    if (kernel.hash == 0) kernel.hash = 1; /* 0 marks abstract kernels */
    RP_TRY(find_shared(l, n, &kernel.shared_bytes));
    if (shared) kernel.first_word = u->first_word;
    rp_graph_param *params = rp_alloc(&l->a, kernel.param_count, sizeof *params);
    bool good = params && kernel.name != RP_NONE && kernel.entry != RP_NONE;
    for (uint32_t i = 0; good && i < node->use_count; i++) {
        params[i] = (rp_graph_param){.access = rp_node_uses(g, node)[i].access,
                                     .binding = (uint8_t)i,
                                     .skip = rp_use_skip(&rp_node_uses(g, node)[i]),
                                     .name = name_use(g, node, i)};
        good = params[i].name != RP_NONE;
    }
    if (good && kernel.param_count > node->use_count)
        params[node->use_count] = rp_stall_param(node);
    if (good) {
        const rp_graph_spec *specs = n->spec_count ? l->specs + n->first_spec : NULL;
        n->kernel = rp_graph_add_kernel(g, &kernel, params, specs, shared ? NULL : u->words);
    }
    rp_release(&l->a, params);
    if (n->kernel == RP_NONE) return RP_ERROR_NO_MEMORY;
    u->first_word = g->kernels[n->kernel].first_word;
    l->kernels++;
    return RP_OK;
}

/* Whether two nodes of one text pass over as many bytes in each binding, also where the text does
 * not look at it. */
static bool same_skips(const lowering *l, const plan_node *a, const plan_node *b) {
    const rp_graph_node *x = &l->graph->nodes[a->node], *y = &l->graph->nodes[b->node];
    for (uint32_t i = 0; i < x->use_count; i++)
        if (rp_use_skip(&rp_node_uses(l->graph, x)[i]) !=
            rp_use_skip(&rp_node_uses(l->graph, y)[i]))
            return false;
    return true;
}

static bool same_specs(const lowering *l, const plan_node *a, const plan_node *b) {
    return a->spec_count == b->spec_count && a->local == b->local &&
           (a->spec_count == 0 || memcmp(l->specs + a->first_spec, l->specs + b->first_spec,
                                         a->spec_count * sizeof *l->specs) == 0);
}

static uint32_t kernel_key(const lowering *l, const plan_node *n) {
    size_t bytes = n->spec_count * sizeof *l->specs;
    uint64_t hash = bytes ? rp_hash(l->specs + n->first_spec, bytes) : 0;
    return (uint32_t)hash ^ (uint32_t)(n->unit * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

/* Gives the node its kernel: that of an earlier node with the same text and constants, or a new
 * one. */
static rp_status place_kernel(lowering *l, uint32_t index) {
    plan_node *n = &l->nodes[index];
    uint32_t key = kernel_key(l, n);
    for (uint32_t at = 0, i; rp_table_next(&l->kernel_of, key, &at, &i);) {
        const plan_node *other = &l->nodes[i];
        if (other->unit != n->unit || !same_specs(l, other, n) || !same_skips(l, other, n))
            continue;
        n->kernel = other->kernel;
        return RP_OK;
    }
    if (!rp_table_add(&l->a, &l->kernel_of, key, index)) return RP_ERROR_NO_MEMORY;
    return add_kernel(l, n);
}

static rp_status rewrite(lowering *l) {
    RP_TRY(note_names(l));
    for (uint32_t i = 0; i < l->nodes_count; i++) {
        RP_TRY(place_kernel(l, i));
        rp_graph_node *node = &l->graph->nodes[l->nodes[i].node];
        node->kind = RP_RUN;
        node->kernel = l->nodes[i].kernel;
        node->live_mask = l->nodes[i].live_mask;
        node->grid_kind = node->live_mask ? RP_GRID_LIVE : RP_GRID_DIRECT;
        memcpy(node->grid, l->nodes[i].grid, sizeof node->grid);
        if (rp_node_has_tags(l->graph, node)) RP_TRY(rp_node_add_tag(l->graph, node));
    }
    return RP_OK;
}

static void summarise(const lowering *l, rp_text *summary) {
    uint32_t compiled = 0;
    for (uint32_t i = 0; i < l->units_count; i++) compiled += l->units[i].compiled;
    if (summary)
        rp_text_format(summary, "%u op nodes became %u kernels of %u shaders, %u compiled now",
                       l->nodes_count, l->kernels, l->units_count, compiled);
}

static rp_status lower_graph(void *user, rp_graph *graph, bool fast, const rp_pass_options *options,
                             rp_diags *diags, rp_text *summary) {
    (void)user;
    lowering l = {
        .a = graph->allocator, .graph = graph, .options = options, .diags = diags, .fast = fast};
    rp_status status = emit_all(&l);
    if (status == RP_OK) status = find_words(&l);
    if (status == RP_OK) status = rewrite(&l);
    if (status == RP_OK) summarise(&l, summary);
    for (uint32_t i = 0; i < l.units_count; i++) {
        rp_release(&l.a, l.units[i].glsl);
        rp_release(&l.a, l.units[i].words);
    }
    rp_release(&l.a, l.units);
    rp_release(&l.a, l.nodes);
    rp_release(&l.a, l.specs);
    rp_table_free(&l.a, &l.unit_of);
    rp_table_free(&l.a, &l.kernel_of);
    rp_table_free(&l.a, &l.names);
    rp_table_free(&l.a, &l.last_number);
    return status;
}

const rp_lowering *rp_lowering_default(void) {
    static const rp_lowering generator = {lower_graph, NULL};
    return &generator;
}

rp_status rp_node_glsl(const rp_graph *graph, uint32_t node, int fast, rp_diags *diags,
                       char **out_text) {
    if (out_text) *out_text = NULL;
    if (!graph || !out_text || node >= graph->nodes_count) return RP_ERROR_USAGE;
    const rp_graph_node *n = &graph->nodes[node];
    if (n->member_count == 0 || (n->kind != RP_OP && n->kind != RP_RUN)) {
        *out_text = rp_dup(&graph->allocator, "", 1);
        return *out_text ? RP_OK : RP_ERROR_NO_MEMORY;
    }
    rp_emit e;
    RP_TRY(rp_emit_open(&e, &graph->allocator, graph, n, fast != 0, diags));
    rp_status status = emit_text(&e);
    if (status == RP_OK) {
        *out_text = e.glsl;
        e.glsl = NULL;
    }
    rp_emit_close(&e);
    return status;
}
