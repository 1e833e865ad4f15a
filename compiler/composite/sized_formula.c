/* Numbers in formulas that follow live sizes: those of elements, mostly, by which a sum is divided.
 *
 * A composite writes them into the text of a map. Where they vary the map reads live values instead, and
 * computes the number of them; integers in 32 bits, so it is the same number. */
#include <stdio.h>

#include "base/number.h"
#include "composite/formula.h"
#include "composite/sized.h"
#include "graph/members.h"
#include "ops/tables.h"

/* ---- Text ------------------------------------------------------------------------------------ */

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* The next number from `at` on; its bytes, 0 where there is none. */
static uint32_t next_number(const char *text, uint32_t *at) {
    uint32_t i = *at;
    while (text[i] && !is_digit(text[i]) && text[i] != '.') {
        if (!is_letter(text[i])) {
            i++;
            continue;
        }
        while (is_letter(text[i]) || is_digit(text[i])) i++;
    }
    *at = i;
    return text[i] ? (uint32_t)(rp_formula_number_end(text, i) - i) : 0;
}

static bool is_integer(const char *text, uint32_t length, uint64_t *out) {
    double value;
    if (!rp_number_parse(text, length, &value) || value != floor(value) || value > UINT32_MAX)
        return false;
    *out = (uint64_t)value;
    return true;
}

rp_status rp_formula_numbers_find(rp_formula_numbers *numbers, const rp_graph *g, uint32_t node,
                                  const char *text) {
    uint32_t at = 0, length;
    for (; (length = next_number(text, &at)) > 0; at += length) {
        uint64_t value;
        if (!is_integer(text + at, length, &value)) continue;
        if (!RP_RESERVE(&g->allocator, numbers->list, numbers->list_count, numbers->list_capacity,
                        1))
            return RP_ERROR_NO_MEMORY;
        numbers->list[numbers->list_count++] = (rp_formula_number){
            node, at, length, value, rp_guess_begin(&g->sizes, value, RP_POWERS_NONE)};
    }
    return RP_OK;
}

static rp_formula_number *number_at(rp_formula_numbers *numbers, uint32_t node, uint32_t at) {
    for (uint32_t i = 0; i < numbers->list_count; i++)
        if (numbers->list[i].node == node && numbers->list[i].at == at) return &numbers->list[i];
    return NULL;
}

bool rp_formula_numbers_learn(rp_formula_numbers *numbers, const rp_graph *g, const rp_question *q,
                              uint32_t node, const char *text, const char *there) {
    for (uint32_t begin = 0, other = 0;;) {
        uint32_t at = begin, length = next_number(text, &at), to = other;
        uint32_t size = next_number(there, &to);
        uint64_t value;
        if (at - begin != to - other || memcmp(text + begin, there + other, at - begin) != 0 ||
            (length == 0) != (size == 0))
            return false;
        if (length == 0) return true;
        rp_formula_number *number = number_at(numbers, node, at);
        bool same = length == size && memcmp(text + at, there + to, size) == 0;
        if (number && is_integer(there + to, size, &value))
            rp_guess_learn(&number->guess, &g->sizes, q, number->most, value);
        else if (!same)
            return false;
        begin = at + length;
        other = to + size;
    }
}

/* ---- Live values in their place -------------------------------------------------------------- */

typedef struct rewriting {
    rp_graph *graph;
    rp_op_argument arguments[RP_OP_MAX_OPERANDS]; /* inputs, and behind them live values */
    uint32_t count;
    rp_status status;
    rp_text text;
} rewriting;

/* The input that is a live value. */
static uint32_t input_of(rewriting *r, const rp_expr_op *op) {
    uint64_t offset = 4 * (uint64_t)op->element;
    uint32_t i = 0;
    for (; i < r->count; i++)
        if (r->arguments[i].buffer == op->buffer && r->arguments[i].offset == offset) return i;
    if (i == RP_OP_MAP_INPUTS) {
        r->status = RP_ERROR_INVALID;
        return 0;
    }
    r->arguments[r->count++] = (rp_op_argument){.tensor = {.dtype = RP_U32, .rank = 1, .dims = {1}},
                                                .buffer = op->buffer,
                                                .offset = offset};
    return i;
}

static const char *letter(void *context, uint32_t input) {
    static const char letters[RP_OP_MAP_INPUTS][2] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
                                                      "j", "k", "l", "m", "n", "o", "p", "q", "r",
                                                      "s", "t", "u", "v", "w", "x", "y", "z"};
    (void)context;
    return letters[input];
}

/* The steps of an extent over inputs in place of live values. Formulas have no ceil_div: by a constant c
 * it is one of what is c - 1 more, which sizes leave room for. */
static void take_inputs(rewriting *r, const rp_expr *from, rp_expr *to) {
    const rp_allocator *a = &r->graph->allocator;
    for (uint32_t i = 0; i < from->count && r->status == RP_OK; i++) {
        rp_expr_op op = from->ops[i];
        if (!RP_RESERVE(a, to->ops, to->count, to->capacity, 3)) {
            r->status = RP_ERROR_NO_MEMORY;
            return;
        }
        if (op.code == RP_EXPR_LIVE)
            op = (rp_expr_op){.code = RP_EXPR_LIVE, .buffer = input_of(r, &op)};
        if (op.code == RP_EXPR_CEIL_DIV) {
            rp_expr_op by = to->ops[to->count - 1];
            to->ops[to->count - 1].value--;
            to->ops[to->count++] = (rp_expr_op){.code = RP_EXPR_ADD};
            to->ops[to->count++] = by;
            op.code = RP_EXPR_DIV;
        }
        to->ops[to->count++] = op;
    }
}

/* An extent as a formula of inputs. */
static void put_extent(rewriting *r, rp_extent extent, bool is_float) {
    rp_expr live = {0}, code = {0};
    rp_text text;
    rp_text_init(&text, &r->graph->allocator);
    if (rp_graph_size_code(r->graph, extent, &live) != RP_OK) r->status = RP_ERROR_NO_MEMORY;
    take_inputs(r, &live, &code);
    if (r->status == RP_OK) rp_expr_print(&text, code.ops, code.count, letter, NULL);
    rp_text_string(&r->text, is_float ? "f32(" : "(");
    for (const char *c = text.data; c && *c; c++)
        if (*c != '$') rp_text_char(&r->text, *c);
    rp_text_char(&r->text, ')');
    if (text.failed) r->status = RP_ERROR_NO_MEMORY;
    rp_text_free(&text);
    rp_expr_free(&r->graph->allocator, &live);
    rp_expr_free(&r->graph->allocator, &code);
}

static void put_text(rewriting *r, const rp_formula_numbers *numbers, uint32_t node,
                     const char *text) {
    uint32_t begin = 0;
    for (uint32_t i = 0; i < numbers->list_count && r->status == RP_OK; i++) {
        const rp_formula_number *n = &numbers->list[i];
        rp_extent extent = {n->most, rp_guess_conclude(&n->guess)};
        if (n->node != node || !extent.powers) continue;
        if (extent.powers == RP_POWERS_NONE) {
            r->status = RP_ERROR_INVALID;
            return;
        }
        rp_text_append(&r->text, text + begin, n->at - begin);
        put_extent(r, extent, memchr(text + n->at, '.', n->length) != NULL);
        begin = n->at + n->length;
    }
    rp_text_string(&r->text, text + begin);
    if (r->text.failed) r->status = RP_ERROR_NO_MEMORY;
}

/* The node again, with more inputs, in its place. */
static rp_status replace(rewriting *r, uint32_t index, const rp_op_argument *out) {
    rp_graph *g = r->graph;
    rp_graph_node node = g->nodes[index];
    rp_graph_attr attr = g->attrs[rp_node_members(g, &node)->first_attr];
    attr.text = rp_graph_intern(g, r->text.data, r->text.size);
    if (attr.text == RP_NONE) return RP_ERROR_NO_MEMORY;
    r->arguments[r->count] = *out;
    uint32_t made = rp_graph_add_op(g, &node, rp_op_map, r->arguments, r->count + 1, &attr, 1);
    if (made == RP_NONE) return RP_ERROR_NO_MEMORY;
    g->nodes[index] = g->nodes[made];
    g->nodes_count--;
    return RP_OK;
}

static bool has_varying(const rp_formula_numbers *numbers, uint32_t node) {
    for (uint32_t i = 0; i < numbers->list_count; i++)
        if (numbers->list[i].node == node && rp_guess_conclude(&numbers->list[i].guess))
            return true;
    return false;
}

rp_status rp_formula_numbers_put(const rp_formula_numbers *numbers, rp_graph *g, uint32_t first,
                                 uint32_t node) {
    const rp_graph_node *n = &g->nodes[first + node];
    const rp_graph_member *m = rp_node_members(g, n);
    rewriting r = {.graph = g};
    rp_op_argument out = {0};
    rp_op_call call;
    if (!has_varying(numbers, node)) return RP_OK;
    rp_text_init(&r.text, &g->allocator);
    rp_member_call(g, m, &call);
    for (uint32_t k = 0; k < m->operand_count; k++) {
        const rp_graph_use *use = &rp_node_uses(g, n)[rp_member_operands(g, m)[k].use];
        rp_op_argument argument = {call.operands[k], use->buffer, use->offset};
        if (k + 1 == m->operand_count)
            out = argument;
        else
            r.arguments[r.count++] = argument;
    }
    put_text(&r, numbers, node, call.formula);
    if (r.status == RP_OK) r.status = replace(&r, first + node, &out);
    rp_text_free(&r.text);
    return r.status;
}
