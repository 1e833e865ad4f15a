/* Composites on shapes that follow live sizes; see sized.h.
 *
 * Not dimensions with sizes in every function that expands: each would do its arithmetic in another way,
 * for what a comparison finds out. What cannot follow sizes is found by it, too: an attribute that would
 * be another number for each size, and ops that only some sizes lead to. Cost: an expansion for each size that the operands have, and a few
 * more. */
#include "composite/sized.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/number.h"
#include "graph/members.h"
#include "ops/tables.h"

/* ---- Choices --------------------------------------------------------------------------------- */

double rp_choose(rp_application *x, double best) {
    rp_choices *c = x->choices;
    if (!c) return best;
    if (c->made) return c->next < c->count ? c->numbers[c->next++] : best;
    if (c->count < RP_CHOICES) c->numbers[c->count++] = best;
    return best;
}

bool rp_choose_special(rp_application *x, bool best) {
    rp_choices *c = x->choices;
    bool taken = rp_choose(x, best && !(c && c->general)) != 0;
    if (c) c->special |= taken;
    return taken;
}

bool rp_application_is_sized(const rp_application *x) {
    for (uint32_t i = 0; i < x->operand_count; i++) {
        const rp_tensor *t = &x->operands[i].argument.tensor;
        for (uint32_t d = 0; d < t->rank && d < RP_MAX_RANK; d++)
            if (t->powers[d]) return true;
    }
    return false;
}

/* ---- Applying -------------------------------------------------------------------------------- */

/* Attributes of the nodes made that are left to shapes, which follow sizes. */
enum { SHOWN = 64 };
typedef struct shown_attr {
    uint32_t node, attr;
} shown_attr;

/* An application on numbers, onto a graph of its own. */
typedef struct trial {
    rp_graph *graph;
    uint32_t first_buffer, first_dim; /* of what was made */
} trial;

typedef struct asked {
    rp_application *x;
    rp_applying *apply;
    const void *what;
    rp_choices choices;
    uint32_t values;   /* that the operands follow, a bit each */
    trial largest;     /* with which all others are compared */
    rp_guess *guesses; /* of its dimensions */
    rp_formula_numbers numbers;
    shown_attr shown[SHOWN];
    uint32_t shown_count;
} asked;

static uint32_t sizes_of(const rp_application *x) {
    uint32_t all = 0;
    for (uint32_t i = 0; i < x->operand_count; i++) {
        const rp_tensor *t = &x->operands[i].argument.tensor;
        for (uint32_t d = 0; d < t->rank && d < RP_MAX_RANK; d++)
            all |= rp_powers_sizes(t->powers[d]);
    }
    return all;
}

/* A buffer of the trial's graph for an operand as it is there. */
static rp_status give(rp_graph *other, const rp_graph *g, rp_given_operand *operand) {
    rp_tensor shape = operand->argument.tensor;
    if (operand->fresh != RP_NONE) {
        const char *name = rp_graph_string(g, operand->fresh);
        operand->fresh = rp_graph_intern(other, name, strlen(name));
        return operand->fresh == RP_NONE ? RP_ERROR_NO_MEMORY : RP_OK;
    }
    if (shape.rank == 0) shape.dims[shape.rank++] = 1;
    rp_graph_buffer buffer = g->buffers[operand->argument.buffer];
    const char *name = rp_graph_string(g, buffer.name);
    buffer.name = rp_graph_intern(other, name, strlen(name));
    buffer.dtype = shape.dtype;
    buffer.rank = shape.rank;
    buffer.size = operand->argument.offset + rp_tensor_bytes(&shape);
    buffer.first_default = RP_NONE;
    if (buffer.name == RP_NONE) return RP_ERROR_NO_MEMORY;
    operand->argument.buffer = rp_graph_add_buffer(other, &buffer, shape.dims);
    return operand->argument.buffer == RP_NONE ? RP_ERROR_NO_MEMORY : RP_OK;
}

/* The operands at the sizes of a question; NULL: at the largest. */
static void put_sizes(const asked *a, const rp_question *q, rp_given_operand *operands) {
    for (uint32_t i = 0; i < a->x->operand_count; i++) {
        rp_tensor *t = &operands[i].argument.tensor;
        for (uint32_t d = 0; t->rank != RP_OP_INFER && d < t->rank; d++) {
            rp_extent extent = {t->dims[d], t->powers[d]};
            if (q) t->dims[d] = rp_extent_at(&a->x->graph->sizes, extent, q->at);
            t->powers[d] = 0;
        }
    }
}

static rp_status try_at(asked *a, const rp_question *q, trial *out) {
    const rp_graph *g = a->x->graph;
    rp_given_operand operands[RP_APPLY_MAX_OPERANDS];
    rp_application there = *a->x;
    *out = (trial){.graph = rp_graph_create(&g->allocator, "asked")};
    if (!out->graph) return RP_ERROR_NO_MEMORY;
    RP_TRY(rp_graph_set_target(out->graph, rp_graph_target(g)));
    memcpy(operands, a->x->operands, a->x->operand_count * sizeof *operands);
    put_sizes(a, q, operands);
    there.graph = out->graph;
    there.operands = operands;
    there.node = (rp_graph_node){.kernel = RP_NONE, .label = RP_NONE, .op = RP_NONE};
    there.choices = &a->choices;
    a->choices.next = 0;
    for (uint32_t i = 0; i < there.operand_count; i++) RP_TRY(give(out->graph, g, &operands[i]));
    out->first_buffer = out->graph->buffers_count;
    out->first_dim = out->graph->dims_count;
    rp_status status = a->apply(&there, a->what);
    if (status != RP_ERROR_INVALID) return status;
    char where[160];
    const char *rest = q ? strchr(there.error, ' ') : NULL;
    if (!rest) return rp_apply_error(a->x, there.blame, there.blame_index, "%s", there.error);
    rp_question_print(&g->sizes, a->values, q, where, sizeof where);
    return rp_apply_error(a->x, there.blame, there.blame_index, "where %s:%s", where, rest);
}

/* ---- Comparing ------------------------------------------------------------------------------- */

static rp_status differs(asked *a, const rp_question *q, const char *format, ...) RP_PRINTF(3, 4);
static rp_status differs(asked *a, const rp_question *q, const char *format, ...) {
    char where[160], message[256];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    rp_question_print(&a->x->graph->sizes, a->values, q, where, sizeof where);
    return rp_apply_error(a->x, RP_BLAME_OP, 0, "%s: where %s %s", a->x->op, where, message);
}

static void learn(asked *a, const rp_question *q, const trial *there, uint32_t dim, uint32_t other,
                  uint32_t rank) {
    for (uint32_t d = 0; d < rank; d++)
        rp_guess_learn(&a->guesses[dim + d - a->largest.first_dim], &a->x->graph->sizes, q,
                       a->largest.graph->dims[dim + d], there->graph->dims[other + d]);
}

/* Whether an attribute that would be another number can be left to shapes. */
static bool leave_to_shapes(asked *a, uint32_t node, const rp_op *op, uint32_t attr) {
    if (!op->attrs[attr].shown) return false;
    for (uint32_t i = 0; i < a->shown_count; i++)
        if (a->shown[i].node == node && a->shown[i].attr == attr) return true;
    if (a->shown_count == SHOWN) return false;
    a->shown[a->shown_count++] = (shown_attr){node, attr};
    return true;
}

static rp_status compare_attrs(asked *a, const rp_question *q, const trial *there, uint32_t node) {
    const rp_graph *g = a->largest.graph, *h = there->graph;
    rp_op_call x, y;
    rp_member_call(g, rp_node_members(g, &g->nodes[node]), &x);
    rp_member_call(h, rp_node_members(h, &h->nodes[node]), &y);
    if (x.formula &&
        !rp_formula_numbers_learn(&a->numbers, a->x->graph, q, node, x.formula, y.formula))
        return differs(a, q, "attribute expr of map would be another: it cannot follow sizes");
    for (uint32_t i = 0; i < x.op->attr_count; i++)
        if ((!rp_number_same(x.attrs[i], y.attrs[i]) || x.rests[i] != y.rests[i]) &&
            !leave_to_shapes(a, node, x.op, i))
            return differs(a, q, "attribute %s of %s would be another: it cannot follow sizes",
                           x.op->attrs[i].name, x.op->name);
    return RP_OK;
}

static rp_status compare_node(asked *a, const rp_question *q, const trial *there, uint32_t node) {
    const rp_graph *g = a->largest.graph, *h = there->graph;
    const rp_graph_member *m = rp_node_members(g, &g->nodes[node]);
    const rp_graph_member *n = rp_node_members(h, &h->nodes[node]);
    if (m->op != n->op || m->operand_count != n->operand_count)
        return differs(a, q, "it would be made of %s, and not of %s", n->op->name, m->op->name);
    for (uint32_t k = 0; k < m->operand_count; k++) {
        const rp_graph_operand *x = &rp_member_operands(g, m)[k];
        const rp_graph_operand *y = &rp_member_operands(h, n)[k];
        if (x->absent != y->absent || x->rank != y->rank || x->dtype != y->dtype)
            return differs(a, q, "an operand of %s would be of another type", m->op->name);
        if (!x->absent) learn(a, q, there, x->first_dim, y->first_dim, x->rank);
    }
    return compare_attrs(a, q, there, node);
}

static rp_status compare(asked *a, const rp_question *q, const trial *there) {
    const rp_graph *g = a->largest.graph, *h = there->graph;
    uint32_t made = g->buffers_count - a->largest.first_buffer;
    for (uint32_t i = 0; i < g->nodes_count && i < h->nodes_count; i++)
        RP_TRY(compare_node(a, q, there, i));
    if (h->nodes_count != g->nodes_count || h->buffers_count - there->first_buffer != made)
        return differs(a, q, "it would be made of %u ops, and not of %u", h->nodes_count,
                       g->nodes_count);
    for (uint32_t i = 0; i < made; i++) {
        const rp_graph_buffer *x = &g->buffers[a->largest.first_buffer + i];
        const rp_graph_buffer *y = &h->buffers[there->first_buffer + i];
        if (x->rank != y->rank)
            return differs(a, q, "%s would have another number of dimensions",
                           rp_graph_string(g, x->name));
        learn(a, q, there, x->first_dim, y->first_dim, x->rank);
    }
    return RP_OK;
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static rp_status begin(asked *a) {
    const rp_graph *g = a->largest.graph;
    uint32_t count = g->dims_count - a->largest.first_dim;
    a->guesses = rp_alloc(&g->allocator, count ? count : 1, sizeof *a->guesses);
    if (!a->guesses) return RP_ERROR_NO_MEMORY;
    for (uint32_t d = 0; d < count; d++)
        a->guesses[d] =
            rp_guess_begin(&a->x->graph->sizes, g->dims[a->largest.first_dim + d], RP_POWERS_NONE);
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        rp_op_call call;
        rp_member_call(g, rp_node_members(g, &g->nodes[i]), &call);
        if (call.formula)
            RP_TRY(rp_formula_numbers_find(&a->numbers, a->x->graph, i, call.formula));
    }
    return RP_OK;
}

static rp_status ask_all(asked *a) {
    rp_question q;
    for (uint32_t next = 0; rp_ask(&a->x->graph->sizes, a->values, &next, &q);) {
        trial there;
        rp_status status = try_at(a, &q, &there);
        if (status == RP_OK) status = compare(a, &q, &there);
        rp_graph_destroy(there.graph);
        RP_TRY(status);
    }
    return RP_OK;
}

/* What is known behind it: the choices, and which dimensions and numbers follow sizes. */
static rp_status ask(asked *a, bool general) {
    const rp_allocator *allocator = &a->x->graph->allocator;
    rp_graph_destroy(a->largest.graph);
    rp_release(allocator, a->guesses);
    a->guesses = NULL;
    a->numbers.list_count = 0;
    a->shown_count = 0;
    a->choices = (rp_choices){.general = general};
    RP_TRY(try_at(a, NULL, &a->largest));
    a->choices.made = true;
    RP_TRY(begin(a));
    return ask_all(a);
}

/* ---- Into the graph -------------------------------------------------------------------------- */

static rp_status put_powers(asked *a, uint32_t first_dim) {
    rp_graph *g = a->x->graph;
    for (uint32_t d = first_dim; d < g->dims_count; d++) {
        g->dim_powers[d] = rp_guess_conclude(&a->guesses[d - first_dim]);
        if (g->dim_powers[d] == RP_POWERS_NONE)
            return rp_apply_error(a->x, RP_BLAME_OP, 0,
                                  "%s: a dimension in it that is up to %llu is no product of live "
                                  "sizes",
                                  a->x->op, (unsigned long long)g->dims[d]);
    }
    return RP_OK;
}

static rp_status put_numbers(asked *a, uint32_t first_node) {
    rp_graph *g = a->x->graph;
    for (uint32_t i = 0; first_node + i < g->nodes_count; i++) {
        rp_status status = rp_formula_numbers_put(&a->numbers, g, first_node, i);
        if (status == RP_ERROR_INVALID)
            return rp_apply_error(a->x, RP_BLAME_OP, 0,
                                  "%s: a number in a formula of it is no product of live sizes",
                                  a->x->op);
        RP_TRY(status);
    }
    return RP_OK;
}

static void put_shown(const asked *a, uint32_t first_node) {
    rp_graph *g = a->x->graph;
    for (uint32_t i = 0; i < a->shown_count; i++)
        rp_member_clear(g, g->nodes[first_node + a->shown[i].node].first_member, a->shown[i].attr);
}

/* The operands as they were given, and those that were made as they are. */
static void put_operands(rp_application *x, const rp_given_operand *given) {
    rp_graph *g = x->graph;
    for (uint32_t i = 0; i < x->operand_count; i++) {
        rp_op_argument *made = &x->operands[i].argument;
        const rp_tensor *as = &given[i].argument.tensor;
        if (as->rank != RP_OP_INFER) {
            rp_tensor_reshape(&made->tensor, as);
        } else if (made->buffer < g->buffers_count) {
            const rp_graph_buffer *b = &g->buffers[made->buffer];
            rp_graph_shape(g, b->first_dim, b->rank, &made->tensor);
        }
    }
}

static rp_status check_calls(asked *a, uint32_t first_node) {
    rp_graph *g = a->x->graph;
    for (uint32_t i = first_node; i < g->nodes_count; i++) {
        rp_op_call call;
        rp_member_call(g, rp_node_members(g, &g->nodes[i]), &call);
        if (!rp_op_check(&call))
            return rp_apply_error(a->x, RP_BLAME_OP, 0, "%s: %s", a->x->op, call.error);
    }
    return RP_OK;
}

/* For the graph itself: as at the largest sizes, and then what follows which. */
static rp_status put(asked *a) {
    rp_application *x = a->x;
    uint32_t node = x->graph->nodes_count, dim = x->graph->dims_count;
    rp_given_operand given[RP_APPLY_MAX_OPERANDS];
    memcpy(given, x->operands, x->operand_count * sizeof *given);
    put_sizes(a, NULL, x->operands);
    x->choices = &a->choices;
    a->choices.next = 0;
    rp_status status = a->apply(x, a->what);
    x->choices = NULL;
    if (status == RP_OK) status = put_powers(a, dim);
    if (status == RP_OK) status = put_numbers(a, node);
    if (status == RP_OK) put_shown(a, node);
    if (status == RP_OK) put_operands(x, given);
    return status == RP_OK ? check_calls(a, node) : status;
}

rp_status rp_apply_sized(rp_application *x, rp_applying *apply, const void *what) {
    asked a = {.x = x, .apply = apply, .what = what};
    if (x->operand_count > RP_APPLY_MAX_OPERANDS)
        return rp_apply_error(x, RP_BLAME_OP, 0, "%s: more than %d operands", x->op,
                              RP_APPLY_MAX_OPERANDS);
    a.values = rp_sizes_values(&x->graph->sizes, sizes_of(x));
    /* Which lengths vary shows behind it alone. */
    rp_status status = ask(&a, false);
    if (status == RP_ERROR_INVALID && a.choices.special) status = ask(&a, true);
    if (status == RP_OK) status = put(&a);
    rp_graph_destroy(a.largest.graph);
    rp_release(&x->graph->allocator, a.guesses);
    rp_release(&x->graph->allocator, a.numbers.list);
    return status;
}
