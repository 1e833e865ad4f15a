/* Holds a graph against the limits of the target that it is compiled for, with the line of each
 * node: first the source, whose own kernels and single ops no pass will make smaller, then what the
 * passes made of it. Linear in nodes and uses; each kernel is looked at once. */
#include "target.h"

#include <stdio.h>

#include "plan/fit.h"
#include "spirv/spirv.h"

typedef struct checker {
    const rp_graph *graph;
    const rp_target *target;
    const rp_graph_node *node; /* at whose line messages stand */
    rp_diags *diags;
} checker;

static void say(void *user, const char *message) {
    const checker *c = user;
    rp_diags_add(c->diags, RP_ERROR, NULL, c->node->pos.line, c->node->pos.column, "%s; target %s",
                 message, *c->target->name ? c->target->name : "given");
}

static rp_status check_kernel(rp_fit *fit, rp_spirv_reader *spirv, const rp_graph *g,
                              const rp_graph_kernel *k) {
    rp_fit_kernel facts = {.name = rp_graph_string(g, k->name),
                           .local = k->local,
                           .shared_bytes = k->shared_bytes,
                           .push_bytes = k->push_bytes};
    for (uint32_t i = 0; i < k->param_count; i++) {
        const rp_graph_param *p = &g->params[k->first_param + i];
        if (p->resource == RP_RESOURCE_BUFFER)
            *(p->access == RP_UNIFORM ? &facts.uniform : &facts.storage) +=
                p->elements ? p->elements : 1;
        if (p->set > facts.set) facts.set = p->set;
    }
    rp_fit_check_kernel(fit, &facts);
    if (k->word_count == 0) return RP_OK;
    char why[128];
    rp_status status = rp_spirv_read(spirv, g->words + k->first_word, k->word_count,
                                     rp_graph_string(g, k->entry), NULL, 0, why);
    if (status == RP_OK) rp_fit_check_needs(fit, "the plan's kernels", spirv->needs);
    return status == RP_ERROR_NO_MEMORY ? status : RP_OK; /* a damaged one the plan refuses */
}

static void check_run(rp_fit *fit, const rp_graph *g, const rp_graph_node *n) {
    const rp_graph_kernel *k = &g->kernels[n->kernel];
    for (uint32_t i = 0; i < 3 && n->grid_kind != RP_GRID_INDIRECT; i++)
        if (!(n->live_mask >> i & 1)) rp_fit_check_grid(fit, n->id, i, n->grid[i]);
    const rp_descriptor_source source = rp_node_descriptors(g, n);
    for (rp_descriptor d = {0}; rp_descriptor_step(&source, &d);) {
        const rp_graph_param *p = &g->params[k->first_param + d.param];
        const rp_graph_use *u = &rp_node_uses(g, n)[d.first_use];
        if (p->resource != RP_RESOURCE_BUFFER) continue; /* what images may be a device says */
        const rp_fit_binding binding = {.node = n->id,
                                        .buffer = rp_graph_string(g, g->buffers[u->buffer].name),
                                        .offset = u->offset,
                                        .size =
                                            g->buffers[u->buffer].tagged ? 2 * u->size : u->size,
                                        .skip = p->skip,
                                        .uniform = u->access == RP_UNIFORM};
        rp_fit_check_binding(fit, &binding);
    }
}

/* Loops that the device would end before they are done. Of ops that are kernels of their own the data
 * may ask for less. */
static void check_turns(rp_fit *fit, checker *c) {
    const rp_graph_node *n = c->node;
    const rp_graph_member *members = rp_node_members(c->graph, n);
    for (uint32_t i = 0; c->target->loop_turns && i < n->member_count; i++) {
        rp_op_call call;
        rp_member_call(c->graph, &members[i], &call);
        if (!rp_member_choose(c->graph, &call)) continue; /* said by others */
        double turns = rp_op_turns(&call, c->target);
        if (rp_target_turns(c->target, turns)) continue;
        bool certain = call.op->form != RP_OP_KERNEL;
        rp_diags_add(c->diags, certain ? RP_ERROR : RP_WARNING, NULL, n->pos.line, n->pos.column,
                     "n%u (%s) %s about %.0f turns of loops in one invocation, and after %llu they "
                     "end, with what has been computed by then: split it into parts; target %s",
                     n->id, rp_op_name(call.op), certain ? "makes" : "may make", turns,
                     (unsigned long long)c->target->loop_turns,
                     *c->target->name ? c->target->name : "given");
        fit->errors += certain;
    }
}

/* An op alone needs as many bindings as it has operands, whatever is fused. */
static void check_op(rp_fit *fit, checker *c) {
    const rp_graph_node *n = c->node;
    check_turns(fit, c);
    if (!c->target->storage_buffers || n->use_count <= c->target->storage_buffers) return;
    char message[160];
    snprintf(message, sizeof message,
             "n%u (%s) binds %u storage buffers, at most %llu can be bound: split it into ops of "
             "fewer operands",
             n->id, rp_op_name(rp_node_members(c->graph, n)->op), n->use_count,
             (unsigned long long)c->target->storage_buffers);
    fit->errors++;
    say(c, message);
}

rp_status rp_target_check(const rp_graph *graph, const rp_target *given, rp_diags *diags) {
    rp_target target;
    rp_target_take(given, &target);
    checker c = {.graph = graph, .target = &target, .diags = diags};
    rp_fit fit = {.target = &target, .say = say, .user = &c};
    uint8_t *seen = rp_alloc_zero(&graph->allocator, graph->kernels_count + 1, 1);
    if (!seen) return RP_ERROR_NO_MEMORY;
    rp_spirv_reader spirv;
    rp_spirv_reader_init(&spirv, &graph->allocator);
    rp_status status = RP_OK;
    for (uint32_t i = 0; status == RP_OK && i < graph->nodes_count; i++) {
        c.node = &graph->nodes[i];
        if (c.node->kind == RP_OP) check_op(&fit, &c);
        if (c.node->kind != RP_RUN) continue;
        if (!seen[c.node->kernel])
            status = check_kernel(&fit, &spirv, graph, &graph->kernels[c.node->kernel]);
        seen[c.node->kernel] = 1;
        check_run(&fit, graph, c.node);
    }
    rp_spirv_reader_free(&spirv);
    rp_release(&graph->allocator, seen);
    RP_TRY(status);
    return fit.errors ? RP_ERROR_UNSUPPORTED : RP_OK;
}
