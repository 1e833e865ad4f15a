/* Live sizes in a kernel: numbers that are known when it runs, and grids that follow them.
 *
 * A number that follows no sizes is a specialisation constant. One that does is a variable, which the
 * first lines of main() compute: a specialisation constant times the sizes, which they read from the
 * live block. So the text is the same for all numbers of one structure, as without sizes, and what is
 * computed with a number does not know which of the two it is. Live values are bound behind everything
 * else; what is read is the same for all invocations, once.
 *
 * Not chosen: numbers computed by the host, in a block for each node: a change of size would write
 * megabytes of a large plan in place of a word. */
#include "lower/internal.h"

/* ---- Grids ----------------------------------------------------------------------------------- */

void rp_emit_grid(rp_emit *e, uint64_t groups) {
    const rp_target *t = rp_graph_target(e->graph);
    uint64_t columns = t->groups_x < UINT32_MAX ? t->groups_x : UINT32_MAX;
    uint64_t rows = groups / columns + (groups % columns != 0);
    if (rows == 0) rows = 1;
    if (rows > t->groups_y || rows > UINT32_MAX) {
        rp_emit_fail(e, "%llu workgroups are too many", (unsigned long long)groups);
        return;
    }
    e->grid[0] = (uint32_t)((groups + rows - 1) / rows);
    if (e->grid[0] == 0) e->grid[0] = 1;
    e->grid[1] = (uint32_t)rows;
    e->grid[2] = 1;
}

void rp_emit_groups(rp_emit *e, rp_extent things, uint64_t per) {
    rp_emit_grid(e, things.most / per + (things.most % per != 0));
    if (things.powers == 0 || things.powers == RP_POWERS_EMPTY || e->status != RP_OK) return;
    rp_expr *code = &e->grid_code[0];
    if (things.powers == RP_POWERS_NONE) {
        rp_emit_fail(e, "its workgroups follow live sizes, and are no product of them");
        return;
    }
    const rp_expr_op divide[] = {
        {.code = RP_EXPR_CONST, .value = (int64_t)(per * e->grid[1])},
        {.code = RP_EXPR_CEIL_DIV},
    };
    if (rp_graph_size_code(e->graph, things, code) != RP_OK ||
        !RP_RESERVE(&e->graph->allocator, code->ops, code->count, code->capacity, 2)) {
        rp_emit_no_memory(e);
        return;
    }
    memcpy(code->ops + code->count, divide, sizeof divide);
    code->count += 2;
}

/* ---- Reading sizes --------------------------------------------------------------------------- */

typedef struct live_list {
    rp_emit *e;
    rp_text *to;
    uint32_t buffers[RP_MAX_PARAMS];
    uint32_t count;
} live_list;

static bool declare(void *context, uint32_t buffer) {
    live_list *l = context;
    if (l->count == RP_MAX_PARAMS) return false;
    rp_text_format(l->to, "layout(binding = %u) readonly buffer Live%u { uint live%u[]; };\n",
                   rp_node_member_uses(l->e->graph, l->e->node) + l->count, l->count, l->count);
    l->buffers[l->count++] = buffer;
    return true;
}

static const char *live_name(rp_emit *e, const live_list *l, const rp_expr_op *op) {
    for (uint32_t i = 0; i < l->count; i++)
        if (l->buffers[i] == op->buffer) return rp_emit_name(e, "live%u[%u]", i, op->element);
    return "0u";
}

/* An expression of a size's steps. */
static const char *size_text(rp_emit *e, const live_list *l, const rp_graph_expr *expr) {
    const char *stack[RP_EXPR_STACK + 1] = {"0u"};
    uint32_t depth = 0;
    for (uint32_t i = 0; i < expr->op_count; i++) {
        const rp_expr_op *op = &e->graph->expr_ops[expr->first_op + i];
        const char *a = depth > 1 ? stack[depth - 2] : "", *b = depth ? stack[depth - 1] : "";
        const char *made = NULL;
        switch ((rp_expr_code)op->code) {
        case RP_EXPR_CONST:
            stack[depth++] = rp_emit_name(e, "%lluu", (unsigned long long)op->value);
            continue;
        case RP_EXPR_LIVE: stack[depth++] = live_name(e, l, op); continue;
        case RP_EXPR_ADD: made = rp_emit_name(e, "(%s + %s)", a, b); break;
        case RP_EXPR_MUL: made = rp_emit_name(e, "(%s * %s)", a, b); break;
        case RP_EXPR_DIV: made = rp_emit_name(e, "(%s / %s)", a, b); break;
        case RP_EXPR_MIN: made = rp_emit_name(e, "min(%s, %s)", a, b); break;
        case RP_EXPR_MAX: made = rp_emit_name(e, "max(%s, %s)", a, b); break;
        case RP_EXPR_CEIL_DIV: /* without a sum, which could be too large */
            made = rp_emit_name(e, "(%s / %s + uint(%s %% %s != 0u))", a, b, a, b);
            break;
        case RP_EXPR_SUB:
        case RP_EXPR_MOD:
        case RP_EXPR_NEG: rp_emit_fail(e, "a size does not grow with its values"); return "";
        }
        stack[--depth - 1] = made;
    }
    return stack[0];
}

/* "m0_R = m0_R_each * size0 * size1;", or as it is counted */
static void put_extent(rp_emit *e, rp_text *to, const rp_emit_extent_name *x,
                       const uint32_t number[RP_SIZES]) {
    bool first = true;
    rp_text_format(to, "    %s = ", x->name);
    if (x->count) {
        rp_text_format(to, "%s;\n", x->count);
        return;
    }
    /* A compiler that knew of the 0 would leave out what is written nevertheless. */
    bool empty = x->extent.powers == RP_POWERS_EMPTY;
    uint64_t each = empty ? 0 : rp_emit_each(e, x->extent);
    if (each != 1) {
        rp_text_string(to, rp_emit_uint(e, rp_emit_name(e, "%s_each", x->name), each));
        first = false;
    }
    for (uint32_t i = 0; !empty && i < e->graph->sizes.count; i++)
        for (uint32_t k = rp_power_of(x->extent.powers, i); k > 0; k--, first = false)
            rp_text_format(to, "%ssize%u", first ? "" : " * ", number[i]);
    rp_text_string(to, ";\n");
}

/* The sizes that the kernel computes with: those of shapes, and others of the same live values, as a number of
 * sequences that is one less than that of their offsets. A bit each. */
static uint32_t sizes_met(const rp_emit *e, rp_powers of) {
    uint32_t met = rp_powers_sizes(of);
    for (uint32_t i = 0; i < e->extents_count; i++)
        if (!e->extents[i].count) met |= rp_powers_sizes(e->extents[i].extent.powers);
    return met;
}

/* Sizes are numbered as the kernel meets them, so that its text does not depend on the others. */
void rp_emit_sizes(rp_emit *e) {
    static const char begin[] = "void main() {\n";
    rp_powers of = rp_node_powers(e->graph, e->node);
    if ((!of && !e->extents_count) || e->status != RP_OK) return;
    live_list list = {.e = e, .to = &e->buffers};
    uint32_t number[RP_SIZES] = {0}, count = 0;
    rp_text text;
    rp_text_init(&text, &e->allocator);
    const char *at = e->main.data ? strstr(e->main.data, begin) : NULL;
    if (!at) {
        rp_emit_fail(e, "its text has no main() to read sizes in");
        return;
    }
    at += strlen(begin);
    rp_text_append(&text, e->main.data, (size_t)(at - e->main.data));
    rp_graph_visit_sizes(e->graph, of, declare, &list);
    for (uint32_t i = 0, met = sizes_met(e, of); i < e->graph->sizes.count; i++) {
        if (!(met >> i & 1)) continue;
        number[i] = count++;
        rp_text_format(&text, "    uint size%u = %s;\n", number[i],
                       size_text(e, &list, &e->graph->exprs[e->graph->size_exprs[i]]));
    }
    for (uint32_t i = 0; i < e->extents_count; i++) {
        rp_text_format(&e->buffers, "uint %s;\n", e->extents[i].name);
        put_extent(e, &text, &e->extents[i], number);
    }
    rp_text_string(&text, at);
    rp_text_free(&e->main);
    e->main = text;
}
