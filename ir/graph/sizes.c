/* Live sizes of a graph: from expressions over live values to what a dimension follows, and back.
 *
 * A dimension is a constant times a product of sizes (ops/sizes.h). An expression is cut at its
 * products: each factor that is a live value is a size, and so is each that is something else over
 * live values, a sum or a maximum, taken as a whole. So `past + tokens` is one size, the same wherever
 * it is written in these words, and `2 * tokens` is a constant and a size.
 *
 * A size grows with the live values in it, so that it is largest where they are: memory, grids and
 * limits are those of that one case. That is why nothing is subtracted. */
#include <stdio.h>

#include "base/checked.h"
#include "graph/graph.h"

/* ---- What an expression is ------------------------------------------------------------------- */

/* A value of the stack: a number that follows sizes, made by the steps from `first` on. */
typedef struct factor {
    rp_extent extent;
    uint32_t first;
    bool fixed; /* no live value is in it */
} factor;

typedef struct cutter {
    rp_graph *graph;
    const rp_expr_op *ops;
    factor stack[RP_EXPR_STACK];
    uint32_t depth;
    char *error;
} cutter;

static rp_status refuse(cutter *c, const char *format, ...) RP_PRINTF(2, 3);
static rp_status refuse(cutter *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(c->error, RP_SIZE_ERROR, format, args);
    va_end(args);
    return RP_ERROR_INVALID;
}

/* The largest value of a live buffer's element. */
static bool largest(void *context, uint32_t buffer, uint32_t element, int64_t *out) {
    const rp_graph *g = context;
    (void)element;
    *out = buffer < g->buffers_count ? g->buffers[buffer].max_value : 0;
    return true;
}

static bool same_steps(const rp_expr_op *a, const rp_expr_op *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (a[i].code != b[i].code || a[i].element != b[i].element || a[i].buffer != b[i].buffer ||
            a[i].value != b[i].value)
            return false;
    return true;
}

static const char *live_name(void *context, uint32_t buffer) {
    const rp_graph *g = context;
    return rp_graph_string(g, g->buffers[buffer].name);
}

/* Its text without the '$' of live names. */
static rp_status name_size(rp_graph *g, const rp_expr_op *ops, uint32_t count, char *out) {
    rp_text text;
    rp_text_init(&text, &g->allocator);
    rp_expr_print(&text, ops, count, live_name, g);
    uint32_t used = 0;
    for (const char *c = text.data; !text.failed && c && *c && used + 1 < RP_SIZE_TEXT; c++)
        if (*c != '$') out[used++] = *c;
    out[used] = '\0';
    bool good = !text.failed;
    rp_text_free(&text);
    return good ? RP_OK : RP_ERROR_NO_MEMORY;
}

/* The size that is this live value: it was met before. */
static uint32_t value_of(const rp_graph *g, const rp_expr_op *op) {
    uint32_t i = 0;
    for (; i < g->sizes.count; i++) {
        const rp_graph_expr *e = &g->exprs[g->size_exprs[i]];
        const rp_expr_op *own = &g->expr_ops[e->first_op];
        if (e->op_count == 1 && own->buffer == op->buffer && own->element == op->element) break;
    }
    return i;
}

/* Kernels compute a size in 32 bits: so no number on the way to it may be larger than these hold, also
 * where min or a quotient would make it small again. */
static rp_status fits_kernels(cutter *c, const rp_expr_op *ops, uint32_t count, const char *name) {
    const char *why;
    int64_t most;
    for (uint32_t end = 1; end <= count; end++) {
        uint32_t first = end, needed = 1; /* the operand that ends here */
        while (needed > 0) {
            uint16_t code = ops[--first].code;
            needed += code == RP_EXPR_CONST || code == RP_EXPR_LIVE ? -1u : 1u;
        }
        if (!rp_expr_eval(ops + first, end - first, largest, c->graph, &most, &why))
            return refuse(c, "%s: %s at its largest", name, why);
        if (most > UINT32_MAX)
            return refuse(c, "%s has a number of up to %lld on its way; there are 32 bits for it",
                          name, (long long)most);
    }
    return RP_OK;
}

static rp_status refuse_most(cutter *c, const char *name, int64_t most) {
    return refuse(c,
                  "%s is at most %lld; a size that varies may be %d at least and 2^32 - 1 at most",
                  name, (long long)most, RP_SIZE_LEAST);
}

/* The size that these steps are, added when it is new. */
static rp_status find_size(cutter *c, const rp_expr_op *ops, uint32_t count, rp_extent *out) {
    rp_graph *g = c->graph;
    int64_t most = 0;
    const char *why = NULL;
    for (uint32_t i = 0; i < g->sizes.count; i++) {
        const rp_graph_expr *e = &g->exprs[g->size_exprs[i]];
        if (e->op_count != count || !same_steps(g->expr_ops + e->first_op, ops, count)) continue;
        *out = (rp_extent){g->sizes.most[i], rp_powers_of(i, 1)};
        return RP_OK;
    }
    char name[RP_SIZE_TEXT];
    RP_TRY(name_size(g, ops, count, name));
    if (!rp_expr_eval(ops, count, largest, g, &most, &why))
        return refuse(c, "%s: %s at its largest", name, why);
    if (most < 1 || most > UINT32_MAX) return refuse_most(c, name, most);
    if (g->sizes.count == RP_SIZES)
        return refuse(c, "%s is the %uth size of the graph; there are at most %d", name,
                      RP_SIZES + 1, RP_SIZES);
    if (count > RP_SIZE_STEPS)
        return refuse(c, "%s has %u steps; a sum of live values in a dimension has at most %d",
                      name, count, RP_SIZE_STEPS);
    RP_TRY(fits_kernels(c, ops, count, name));
    uint32_t expr = rp_graph_add_expr(g, ops, count), index = g->sizes.count;
    if (expr == RP_NONE) return RP_ERROR_NO_MEMORY;
    g->sizes.step_count[index] = count > 1 ? (uint8_t)count : 0;
    for (uint32_t i = 0; count > 1 && i < count; i++) {
        g->sizes.steps[index][i] = ops[i];
        if (ops[i].code == RP_EXPR_LIVE) g->sizes.steps[index][i].buffer = value_of(g, &ops[i]);
    }
    g->size_exprs[index] = expr;
    g->sizes.most[index] = (uint64_t)most;
    memcpy(g->sizes.text[index], name, sizeof name);
    g->sizes.count++;
    *out = (rp_extent){(uint64_t)most, rp_powers_of(index, 1)};
    return RP_OK;
}

static rp_status push_live(cutter *c, uint32_t step) {
    rp_graph *g = c->graph;
    const rp_expr_op *op = &c->ops[step];
    const rp_graph_buffer *b = op->buffer < g->buffers_count ? &g->buffers[op->buffer] : NULL;
    const char *name = b ? rp_graph_string(g, b->name) : "?";
    if (!b || b->kind != RP_LIVE || b->dtype != RP_U32 || b->follow_count)
        return refuse(c, "%.60s is no live value of u32, which a dimension follows", name);
    if (op->element >= b->size / 4)
        return refuse(c, "%.60s has %llu elements, and no [%u]", name,
                      (unsigned long long)(b->size / 4), op->element);
    if (b->max_value == UINT32_MAX)
        return refuse(
            c, "%.60s has no max of up to 4294967294, which a dimension that follows it needs",
            name);
    factor *f = &c->stack[c->depth++];
    *f = (factor){.first = step};
    return find_size(c, op, 1, &f->extent);
}

/* What an operation with a constant leaves as the product that it is: a quotient without a remainder, the sum with 0. */
static bool stays_product(const cutter *c, uint16_t code, const factor *a, const factor *b,
                          rp_extent *out) {
    const rp_sizes *sizes = &c->graph->sizes;
    uint64_t by = b->fixed ? b->extent.most : 0;
    *out = b->fixed ? a->extent : b->extent;
    if (code == RP_EXPR_ADD) return (a->fixed ? a : b)->extent.most == 0;
    if ((code != RP_EXPR_DIV && code != RP_EXPR_CEIL_DIV) || by == 0) return false;
    if (out->powers == RP_POWERS_NONE || rp_extent_each(sizes, *out) % by != 0) return false;
    out->most /= by;
    return true;
}

/* The two values on top become one: `step` is the operation. */
static rp_status join(cutter *c, uint32_t step) {
    factor *a = &c->stack[c->depth - 2], *b = &c->stack[c->depth - 1];
    uint16_t code = c->ops[step].code;
    bool divides = code == RP_EXPR_DIV || code == RP_EXPR_CEIL_DIV;
    c->depth--;
    if (a->fixed && b->fixed) {
        int64_t value = 0;
        const char *why = NULL;
        if (!rp_expr_eval(c->ops + a->first, step + 1 - a->first, NULL, NULL, &value, &why))
            return refuse(c, "%s", why);
        if (value < 0) return refuse(c, "%lld in a dimension is less than 0", (long long)value);
        a->extent = rp_extent_fixed((uint64_t)value);
        return RP_OK;
    }
    if (code == RP_EXPR_SUB || code == RP_EXPR_MOD || (divides && !b->fixed))
        return refuse(c, "a dimension grows with the live values in it: +, *, min, max, and / and "
                         "ceil_div by a constant are possible");
    if (divides && b->extent.most == 0) return refuse(c, "division by zero");
    bool fixed = a->fixed && b->fixed;
    if (code != RP_EXPR_MUL) {
        rp_extent product;
        if ((a->fixed || b->fixed) && stays_product(c, code, a, b, &product)) {
            a->extent = product;
            a->fixed = false;
            return RP_OK;
        }
        RP_TRY(find_size(c, c->ops + a->first, step + 1 - a->first, &a->extent));
        a->fixed = false;
        return RP_OK;
    }
    a->extent = rp_extent_product(a->extent, b->extent);
    a->fixed = fixed;
    return RP_OK;
}

rp_status rp_graph_size(rp_graph *graph, const rp_expr_op *ops, uint32_t count, rp_extent *out,
                        char error[RP_SIZE_ERROR]) {
    cutter c = {.graph = graph, .ops = ops, .error = error};
    for (uint32_t i = 0; i < count; i++) {
        switch ((rp_expr_code)ops[i].code) {
        case RP_EXPR_CONST:
            if (ops[i].value < 0)
                return refuse(&c, "%lld in a dimension is less than 0", (long long)ops[i].value);
            c.stack[c.depth++] = (factor){rp_extent_fixed((uint64_t)ops[i].value), i, true};
            break;
        case RP_EXPR_LIVE: RP_TRY(push_live(&c, i)); break;
        case RP_EXPR_NEG: return refuse(&c, "a dimension is not negative");
        case RP_EXPR_ADD:
        case RP_EXPR_SUB:
        case RP_EXPR_MUL:
        case RP_EXPR_DIV:
        case RP_EXPR_MOD:
        case RP_EXPR_MIN:
        case RP_EXPR_MAX:
        case RP_EXPR_CEIL_DIV: RP_TRY(join(&c, i)); break;
        }
    }
    *out = c.stack[0].extent;
    out->powers = rp_graph_varying(graph, out->powers);
    if (out->most == 0) return refuse(&c, "a dimension is 1 at least");
    if (out->most == UINT64_MAX) return refuse(&c, "the dimension is more than 64 bits can count");
    if (out->powers == RP_POWERS_NONE)
        return refuse(&c, "a live value stands in one dimension more than %d times",
                      (1 << RP_SIZE_BITS) - 1);
    for (uint32_t i = 0; i < graph->sizes.count; i++) {
        const char *name = graph->sizes.text[i];
        if (rp_power_of(out->powers, i) && graph->sizes.most[i] < RP_SIZE_LEAST)
            return refuse_most(&c, name, (int64_t)graph->sizes.most[i]);
    }
    return RP_OK;
}

static bool is_number(const rp_graph *g, uint32_t size) {
    const rp_graph_expr *e = &g->exprs[g->size_exprs[size]];
    for (uint32_t i = 0; i < e->op_count; i++) {
        const rp_expr_op *op = &g->expr_ops[e->first_op + i];
        if (op->code == RP_EXPR_LIVE && !g->buffers[op->buffer].exact) return false;
    }
    return true;
}

rp_powers rp_graph_varying(const rp_graph *g, rp_powers powers) {
    if (powers == RP_POWERS_NONE || powers == RP_POWERS_EMPTY) return powers;
    for (uint32_t i = 0; powers && i < g->sizes.count; i++)
        if (rp_power_of(powers, i) && is_number(g, i))
            powers &= ~rp_powers_of(i, (1u << RP_SIZE_BITS) - 1);
    return powers;
}

/* ---- And back -------------------------------------------------------------------------------- */

static bool put_step(const rp_allocator *a, rp_expr *out, rp_expr_op op) {
    if (!RP_RESERVE(a, out->ops, out->count, out->capacity, 1)) return false;
    out->ops[out->count++] = op;
    return true;
}

rp_status rp_graph_size_code(const rp_graph *g, rp_extent extent, rp_expr *out) {
    uint64_t each = rp_extent_each(&g->sizes, extent);
    bool good = true, first = true;
    if (extent.powers == RP_POWERS_EMPTY)
        return put_step(&g->allocator, out, (rp_expr_op){.code = RP_EXPR_CONST})
                   ? RP_OK
                   : RP_ERROR_NO_MEMORY;
    if (each != 1 || extent.powers == 0) {
        good = put_step(&g->allocator, out,
                        (rp_expr_op){.code = RP_EXPR_CONST, .value = (int64_t)each});
        first = false;
    }
    for (uint32_t i = 0; i < g->sizes.count; i++)
        for (uint32_t k = rp_power_of(extent.powers, i); good && k > 0; k--) {
            const rp_graph_expr *e = &g->exprs[g->size_exprs[i]];
            for (uint32_t s = 0; good && s < e->op_count; s++)
                good = put_step(&g->allocator, out, g->expr_ops[e->first_op + s]);
            if (good && !first)
                good = put_step(&g->allocator, out, (rp_expr_op){.code = RP_EXPR_MUL});
            first = false;
        }
    return good ? RP_OK : RP_ERROR_NO_MEMORY;
}

void rp_graph_print_size(rp_text *text, const rp_graph *g, uint32_t dim) {
    rp_graph_print_extent(text, g, (rp_extent){g->dims[dim], g->dim_powers[dim]});
}

void rp_graph_print_extent(rp_text *text, const rp_graph *g, rp_extent extent) {
    rp_expr code = {0};
    if (rp_graph_size_code(g, extent, &code) == RP_OK)
        rp_expr_print(text, code.ops, code.count, live_name, (void *)g);
    else
        text->failed = true;
    rp_expr_free(&g->allocator, &code);
}

void rp_graph_print_dim(rp_text *text, const rp_graph *g, uint32_t dim) {
    if (!g->dim_powers[dim]) {
        rp_text_u64(text, g->dims[dim]);
        return;
    }
    rp_text_char(text, '{');
    rp_graph_print_size(text, g, dim);
    rp_text_char(text, '}');
}

void rp_graph_print_grid(rp_text *text, const rp_graph *g, const rp_graph_node *n) {
    for (uint32_t i = 0; i < 3; i++) {
        if (i) rp_text_string(text, " x ");
        if (n->grid_kind == RP_GRID_LIVE && n->live_mask >> i & 1) {
            const rp_graph_expr *e = &g->exprs[n->grid[i]];
            rp_text_char(text, '{');
            rp_expr_print(text, g->expr_ops + e->first_op, e->op_count, live_name, (void *)g);
            rp_text_char(text, '}');
        } else {
            rp_text_u64(text, n->grid[i]);
        }
    }
}

/* ---- Comparing ------------------------------------------------------------------------------- */

static bool same_size(const rp_graph *g, uint32_t i, const rp_graph *h, uint32_t j) {
    const rp_graph_expr *e = &g->exprs[g->size_exprs[i]], *f = &h->exprs[h->size_exprs[j]];
    if (g->sizes.most[i] != h->sizes.most[j] || e->op_count != f->op_count) return false;
    for (uint32_t s = 0; s < e->op_count; s++) {
        const rp_expr_op *a = &g->expr_ops[e->first_op + s], *b = &h->expr_ops[f->first_op + s];
        if (a->code != b->code || a->element != b->element || a->value != b->value) return false;
        if (a->code == RP_EXPR_LIVE &&
            strcmp(live_name((void *)g, a->buffer), live_name((void *)h, b->buffer)) != 0)
            return false;
    }
    return true;
}

static bool same_powers(const rp_graph *g, rp_powers a, const rp_graph *h, rp_powers b) {
    if (a == 0 || b == 0) return a == b;
    for (uint32_t i = 0; i < g->sizes.count; i++) {
        uint32_t power = rp_power_of(a, i), j = 0;
        while (power && j < h->sizes.count &&
               !(rp_power_of(b, j) == power && same_size(g, i, h, j)))
            j++;
        if (power && j == h->sizes.count) return false;
        if (power) b &= ~rp_powers_of(j, (1u << RP_SIZE_BITS) - 1);
    }
    return b == 0;
}

bool rp_graph_same_dims(const rp_graph *g, uint32_t first, const rp_graph *h, uint32_t other,
                        uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (g->dims[first + i] != h->dims[other + i] ||
            !same_powers(g, g->dim_powers[first + i], h, h->dim_powers[other + i]))
            return false;
    return true;
}

/* ---- What follows which ---------------------------------------------------------------------- */

void rp_graph_shape(const rp_graph *graph, uint32_t first_dim, uint8_t rank, rp_tensor *out) {
    out->rank = rank;
    for (uint32_t i = 0; i < rank && i < RP_MAX_RANK; i++) {
        out->dims[i] = graph->dims[first_dim + i];
        out->powers[i] = graph->dim_powers[first_dim + i];
    }
}

rp_powers rp_dims_powers(const rp_graph *graph, uint32_t first, uint32_t rank) {
    rp_powers all = 0;
    for (uint32_t i = 0; i < rank; i++) all = rp_powers_sum(all, graph->dim_powers[first + i]);
    return all;
}

rp_powers rp_node_powers(const rp_graph *g, const rp_graph_node *n) {
    rp_powers all = 0;
    if (!g->sizes.count) return 0;
    for (uint32_t i = 0; i < n->member_count; i++) {
        const rp_graph_member *m = &rp_node_members(g, n)[i];
        for (uint32_t k = 0; k < m->operand_count; k++) {
            const rp_graph_operand *o = &rp_member_operands(g, m)[k];
            for (uint32_t d = 0; !o->absent && d < o->rank; d++)
                all |= g->dim_powers[o->first_dim + d];
        }
    }
    return all;
}

void rp_graph_visit_sizes(const rp_graph *g, rp_powers powers, rp_size_visit *visit,
                          void *context) {
    uint32_t seen[RP_SIZES * 8], count = 0;
    for (uint32_t i = 0; i < g->sizes.count; i++) {
        if (!rp_power_of(powers, i)) continue;
        const rp_graph_expr *e = &g->exprs[g->size_exprs[i]];
        for (uint32_t s = 0; s < e->op_count; s++) {
            const rp_expr_op *op = &g->expr_ops[e->first_op + s];
            bool again = op->code != RP_EXPR_LIVE;
            for (uint32_t k = 0; !again && k < count; k++) again = seen[k] == op->buffer;
            if (again) continue;
            if (count < sizeof seen / sizeof *seen) seen[count++] = op->buffer;
            if (!visit(context, op->buffer)) return;
        }
    }
}

/* ---- Uses of sizes --------------------------------------------------------------------------- */

uint32_t rp_node_member_uses(const rp_graph *g, const rp_graph_node *n) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < n->member_count; i++) {
        const rp_graph_member *m = &rp_node_members(g, n)[i];
        for (uint32_t k = 0; k < m->operand_count; k++) {
            const rp_graph_operand *o = &rp_member_operands(g, m)[k];
            if (!o->absent && o->use != RP_NONE && o->use >= count) count = o->use + 1;
        }
    }
    return count;
}

typedef struct size_uses {
    const rp_graph *graph;
    const rp_graph_node *node;
    rp_graph_use uses[RP_MAX_PARAMS];
    uint32_t count, at; /* at: of the node's uses that is compared next */
    bool same;
} size_uses;

static bool note_use(void *context, uint32_t buffer) {
    size_uses *s = context;
    if (s->count == RP_MAX_PARAMS) return false;
    s->uses[s->count++] =
        (rp_graph_use){.buffer = buffer, .access = RP_READ, .size = s->graph->buffers[buffer].size};
    return true;
}

static bool compare_use(void *context, uint32_t buffer) {
    size_uses *s = context;
    const rp_graph_use *u = rp_node_uses(s->graph, s->node) + s->at;
    s->same = s->at < s->node->use_count && u->buffer == buffer && u->access == RP_READ &&
              u->offset == 0 && u->size == s->graph->buffers[buffer].size && !u->step &&
              !u->format && !u->indirect && !u->addressed;
    s->at++;
    return s->same;
}

bool rp_node_has_size_uses(const rp_graph *g, const rp_graph_node *n) {
    size_uses s = {.graph = g, .node = n, .at = rp_node_member_uses(g, n), .same = true};
    rp_graph_visit_sizes(g, rp_node_powers(g, n), compare_use, &s);
    return s.same && s.at == n->use_count;
}

rp_status rp_node_add_size_uses(rp_graph *g, rp_graph_node *n) {
    size_uses s = {.graph = g};
    uint32_t own = rp_node_member_uses(g, n);
    rp_graph_visit_sizes(g, rp_node_powers(g, n), note_use, &s);
    if (s.count == 0 || rp_node_has_size_uses(g, n)) return RP_OK;
    if (!RP_RESERVE(&g->allocator, g->uses, g->uses_count, g->uses_capacity, own + s.count))
        return RP_ERROR_NO_MEMORY;
    uint32_t first = g->uses_count;
    memcpy(g->uses + first, g->uses + n->first_use, own * sizeof *g->uses);
    memcpy(g->uses + first + own, s.uses, s.count * sizeof *g->uses);
    g->uses_count += own + s.count;
    n->first_use = first;
    n->use_count = own + s.count;
    return RP_OK;
}
