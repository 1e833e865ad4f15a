/* Nodes around one op of form kernel: its text from kernels/, with readers that may compute what
 * they read and stores that may go on with what they store. */
#include <stdio.h>
#include "lower/internal.h"

/* ---- Pragmas --------------------------------------------------------------------------------- */

/* A symbol that follows live sizes stands in an expression as the live buffer of its letter, whose
 * element is this, until its own code takes that place. */
enum { SYMBOL = UINT16_MAX };

typedef struct pragma_names {
    const rp_op_call *call;
    bool sized; /* some name follows live sizes */
} pragma_names;

static bool resolve(void *context, const char *name, size_t length, uint32_t element,
                    rp_expr_op *out) {
    pragma_names *names = context;
    const rp_op_call *call = names->call;
    uint64_t value = 0;
    if (element != 0) return false;
    uint32_t attr = rp_op_attr_index(call->op, name, length);
    bool symbol = length == 1 && *name >= 'A' && *name <= 'Z';
    if (symbol && rp_sym_extent(call, *name).powers) {
        *out = (rp_expr_op){.code = RP_EXPR_LIVE, .element = SYMBOL, .buffer = (uint8_t)*name};
        names->sized = true;
        return true;
    }
    if (symbol)
        value = rp_sym(call, *name);
    else if (attr != RP_OP_MISSING && call->op->attrs[attr].kind != RP_ATTR_NUMBER)
        value = (uint64_t)call->attrs[attr];
    else
        return false;
    *out = (rp_expr_op){.code = RP_EXPR_CONST, .value = (int64_t)value};
    return value <= INT64_MAX;
}

/* What a symbol is at the largest sizes. */
static bool largest(void *context, uint32_t buffer, uint32_t element, int64_t *out) {
    const pragma_names *names = context;
    (void)element;
    *out = (int64_t)rp_sym(names->call, (char)buffer);
    return true;
}

static void put_step(rp_emit *e, rp_expr *to, rp_expr_op op) {
    if (!RP_RESERVE(&e->graph->allocator, to->ops, to->count, to->capacity, 1))
        rp_emit_no_memory(e);
    else
        to->ops[to->count++] = op;
}

static void put_operation(rp_emit *e, rp_expr *to, rp_expr_code code, uint64_t value) {
    put_step(e, to, (rp_expr_op){.code = RP_EXPR_CONST, .value = (int64_t)value});
    put_step(e, to, (rp_expr_op){.code = (uint16_t)code});
}

/* A symbol's steps over live values: those of a product, or of what it is counted of. */
static void put_symbol(rp_emit *e, const rp_op_call *call, char symbol, rp_expr *to) {
    rp_extent value = rp_sym_extent(call, symbol);
    const rp_op_counted *count = &call->counts[symbol - 'A'];
    if (value.powers != RP_POWERS_NONE) {
        if (rp_graph_size_code(e->graph, value, to) != RP_OK) rp_emit_no_memory(e);
        return;
    }
    if (!count->of)
        rp_emit_fail(e,
                     "its workgroups follow live sizes in a way that no kernel of the op is "
                     "made for: %c is no product of them",
                     symbol);
    for (const char *c = count->of; c && *c && e->status == RP_OK; c++) {
        put_symbol(e, call, *c, to);
        if (c > count->of) put_step(e, to, (rp_expr_op){.code = RP_EXPR_MUL});
    }
    if (count->per > 1) put_operation(e, to, RP_EXPR_CEIL_DIV, count->per);
    if (count->each > 1) put_operation(e, to, RP_EXPR_MUL, count->each);
    if (!count->more || e->status != RP_OK) return;
    put_symbol(e, call, count->more, to);
    put_step(e, to, (rp_expr_op){.code = RP_EXPR_ADD});
}

/* The steps over live values in place of those over symbols. */
static bool put_sizes(rp_emit *e, const rp_op_call *call, const rp_expr *from, rp_expr *to) {
    for (uint32_t i = 0; i < from->count && e->status == RP_OK; i++) {
        const rp_expr_op *op = &from->ops[i];
        if (op->code == RP_EXPR_LIVE)
            put_symbol(e, call, (char)op->buffer, to);
        else
            put_step(e, to, *op);
    }
    return e->status == RP_OK;
}

static bool reads_live(const rp_expr *code) {
    for (uint32_t i = 0; i < code->count; i++)
        if (code->ops[i].code == RP_EXPR_LIVE) return true;
    return false;
}

/* The value of one expression over symbols and integer attributes, at the largest sizes; `code` (may be
 * NULL) gets its steps where it follows them. */
static bool evaluate(rp_emit *e, const rp_op_call *call, const char *text, size_t length,
                     uint32_t *out, rp_expr *code) {
    pragma_names names = {.call = call};
    rp_expr expr = {0};
    char error[128];
    size_t at;
    int64_t value = 0;
    const char *why = NULL;
    rp_status status =
        rp_expr_parse(&e->allocator, text, length, resolve, &names, &expr, error, &at);
    bool good =
        status == RP_OK && rp_expr_eval(expr.ops, expr.count, largest, &names, &value, &why);
    if (status == RP_ERROR_NO_MEMORY)
        rp_emit_no_memory(e);
    else if (!good)
        rp_emit_fail(e, "'%.*s': %s", (int)length, text, status != RP_OK ? error : why);
    else if (value < 1 || value > 65535)
        rp_emit_fail(e, "'%.*s' is %lld; expected 1 to 65535", (int)length, text, (long long)value);
    else if (names.sized && !code)
        rp_emit_fail(e, "'%.*s' follows live sizes, and is fixed in a kernel", (int)length, text);
    else if (names.sized && put_sizes(e, call, &expr, code) && !reads_live(code))
        code->count = 0; /* of what has no elements: as many as for one */
    rp_expr_free(&e->allocator, &expr);
    if (e->status != RP_OK) return false;
    *out = (uint32_t)value;
    return true;
}

/* The end of an expression: a comma outside brackets. */
static size_t expression_length(const char *text, size_t length) {
    uint32_t depth = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '(') depth++;
        if (text[i] == ')' && depth) depth--;
        if (text[i] == ',' && depth == 0) return i;
    }
    return length;
}

static void read_pragmas(rp_emit *e, const rp_op_call *call, const char *source) {
    size_t length;
    const char *op = call->op->name, *name = call->variant->name;
    const char *text = rp_emit_pragma(source, "local", &length);
    if (!text || !evaluate(e, call, text, length, &e->local, NULL)) {
        rp_emit_fail(e, "kernels/%s/%s.glsl has no line '// local: ...'", op, name);
        return;
    }
    text = rp_emit_pragma(source, "subgroup", &length);
    if (text) evaluate(e, call, text, length, &e->subgroup, NULL);
    if (e->subgroup == 1) e->subgroup = 0; /* any */
    text = rp_emit_pragma(source, "grid", &length);
    if (!text) rp_emit_fail(e, "kernels/%s/%s.glsl has no line '// grid: ...'", op, name);
    for (uint32_t i = 0; i < 3; i++) e->grid[i] = 1;
    for (uint32_t i = 0; i < 3 && text && length && e->status == RP_OK; i++) {
        size_t size = expression_length(text, length);
        evaluate(e, call, text, size, &e->grid[i], &e->grid_code[i]);
        size += size < length;
        text += size, length -= size;
    }
    e->keeps_order = rp_emit_pragma(source, "order", &length) != NULL;
}

/* ---- Kernels --------------------------------------------------------------------------------- */

rp_status rp_emit_kernel(rp_emit *e) {
    uint32_t core = e->shape.first;
    const rp_op_call *call = &e->members[core].call;
    char fixed = call->variant ? rp_op_fixed_symbol(call->variant, call) : 0;
    if (fixed)
        return rp_emit_fail(
            e, "%c of %s follows live sizes, and its kernels are made for fixed numbers of it",
            fixed, call->op->name);
    const char *source = rp_emit_kernel_source(e, core);
    if (!source) return e->status;
    read_pragmas(e, call, source);
    if (e->status != RP_OK) return e->status;
    for (uint32_t k = 0; k < call->operand_count; k++)
        if (rp_emit_is_output(e, core, k) && !call->operands[k].absent &&
            rp_op_operand_of(call, k)->hook)
            rp_emit_core(e, e->members[core].operands[k].value, 1);
    rp_emit_core_text(e, &e->main, core, source, NULL);
    return e->status;
}
