/* One op onto the graph: names to operands, checks, transients, the node.
 *
 * The op's definition does the judging (rp_op_check, rp_op_infer); this file only knows names. It
 * says of each mistake what it is about, because only the front end knows where that stands: a line
 * and column of YAML, or the number of a call. */
#include "composite/apply.h"

#include <stdio.h>
#include "base/number.h"
#include "composite/formula.h"
#include "composite/rows.h"
#include "composite/sized.h"
#include "composite/split.h"
#include "composite/wider.h"
#include "ops/product.h"
#include "ops/tables.h"

/* ---- Operands -------------------------------------------------------------------------------- */

/* What is known of one op while it is made. */
typedef struct maker {
    rp_application *x;
    rp_op_call call;
    rp_given_operand *given[RP_OP_MAX_OPERANDS]; /* in the op's order; NULL: absent */
    rp_graph_attr attrs[RP_OP_MAX_ATTRS];
    uint32_t attr_count;
} maker;

static rp_status unknown_operand(maker *m, uint32_t index) {
    char known[256] = "";
    size_t length = 0;
    for (uint32_t i = 0; i < m->call.op->operand_count && length < sizeof known; i++)
        length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "",
                                   m->call.op->operands[i].name);
    return rp_apply_error(m->x, RP_BLAME_OPERAND, index, "%s has no operand '%.60s' (it has %s)",
                          m->call.op->name, m->x->operands[index].name, known);
}

static rp_status place_operand(maker *m, uint32_t index, uint32_t place) {
    rp_given_operand *given = &m->x->operands[index];
    if (m->given[place])
        return rp_apply_error(m->x, RP_BLAME_OPERAND, index, "operand '%.60s' of %s is given twice",
                              given->name, m->call.op->name);
    bool input = rp_op_operand_of(&m->call, place)->access != RP_WRITE;
    if (given->fresh != RP_NONE && input)
        return rp_apply_error(m->x, RP_BLAME_OPERAND, index,
                              "operand '%.60s' of %s is read: '%.60s' must be made before",
                              given->name, m->call.op->name,
                              rp_graph_string(m->x->graph, given->fresh));
    m->given[place] = given;
    m->call.operands[place] = given->argument.tensor;
    return RP_OK;
}

/* Operands of any op but `map`, by name. */
static rp_status place_operands(maker *m) {
    const rp_op *op = m->call.op;
    for (uint32_t i = 0; i < m->x->operand_count; i++) {
        const char *name = m->x->operands[i].name;
        uint32_t place = rp_op_operand_index(op, name, strlen(name));
        if (place >= op->operand_count) return unknown_operand(m, i);
        RP_TRY(place_operand(m, i, place));
    }
    for (uint32_t i = 0; i < op->operand_count; i++) {
        if (m->given[i]) continue;
        if (!op->operands[i].optional)
            return rp_apply_error(m->x, RP_BLAME_OP, 0, "operand '%s' of %s is missing",
                                  op->operands[i].name, op->name);
        m->call.operands[i] = (rp_tensor){.absent = true};
    }
    return RP_OK;
}

/* ---- Attributes ------------------------------------------------------------------------------ */

static bool intern(rp_graph *graph, const char *text, uint32_t *out) {
    *out = rp_graph_intern(graph, text, strlen(text));
    return *out != RP_NONE;
}

static rp_status take_attr(maker *m, uint32_t index) {
    rp_application *x = m->x;
    const rp_op *op = m->call.op;
    const rp_attribute *given = &x->attrs[index];
    const char *name = given->name ? given->name : "";
    uint32_t place = rp_op_attr_index(op, name, strlen(name));
    if (place >= op->attr_count) return rp_attribute_unknown(x, op->name, index);
    const rp_op_attr *attr = &op->attrs[place];
    for (uint32_t i = 0; i < index; i++)
        if (strcmp(x->attrs[i].name, name) == 0)
            return rp_apply_error(x, RP_BLAME_ATTR, index, "attribute '%s' of %s is given twice",
                                  name, op->name);
    double value, rest;
    RP_TRY(rp_attribute_value(x, op->name, attr, index, &value, &rest));
    m->call.attrs[place] = value;
    m->call.rests[place] = rest;
    if (!attr->required && rp_number_same(value, attr->fallback) && rest == 0) return RP_OK;
    bool choice = attr->kind == RP_ATTR_CHOICE;
    rp_graph_attr *out = &m->attrs[m->attr_count++];
    *out = (rp_graph_attr){.text = RP_NONE, .number = choice ? 0 : value, .rest = rest};
    if (!intern(x->graph, name, &out->name) ||
        (choice && !intern(x->graph, given->text, &out->text)))
        return RP_ERROR_NO_MEMORY;
    return RP_OK;
}

static rp_status take_attrs(maker *m) {
    const rp_op *op = m->call.op;
    for (uint32_t i = 0; i < m->x->attr_count; i++) RP_TRY(take_attr(m, i));
    for (uint32_t i = 0; i < op->attr_count; i++) {
        bool given = !op->attrs[i].required;
        for (uint32_t k = 0; !given && k < m->x->attr_count; k++)
            given = strcmp(m->x->attrs[k].name, op->attrs[i].name) == 0;
        if (!given)
            return rp_apply_error(m->x, RP_BLAME_OP, 0, "attribute '%s' of %s is missing",
                                  op->attrs[i].name, op->name);
    }
    return RP_OK;
}

/* ---- The map --------------------------------------------------------------------------------- */

/* Names of the formula become a, b, c ... in the order in which they are met. */
static rp_status place_map(maker *m, rp_map_formula *formula) {
    rp_application *x = m->x;
    RP_TRY(rp_map_rewrite(x, formula));
    uint32_t count = formula->input_count + 1;
    rp_op_call_init(&m->call, rp_op_map, count);
    m->call.formula = formula->text;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = i < formula->input_count ? formula->inputs[i] : formula->output;
        RP_TRY(place_operand(m, index, i));
    }
    rp_tensor *out = &m->call.operands[count - 1];
    if (out->dtype == RP_RAW) out->dtype = formula->dtype;
    rp_graph_attr *attr = &m->attrs[m->attr_count++];
    *attr = (rp_graph_attr){0};
    if (!intern(x->graph, "expr", &attr->name) || !intern(x->graph, formula->text, &attr->text))
        return RP_ERROR_NO_MEMORY;
    return RP_OK;
}

/* ---- The node -------------------------------------------------------------------------------- */

static rp_status judge(maker *m) {
    bool infer = false;
    for (uint32_t i = 0; i < m->call.operand_count; i++)
        infer |= m->given[i] && (m->given[i]->argument.tensor.rank == RP_OP_INFER ||
                                 m->given[i]->argument.tensor.dtype == RP_RAW);
    if (infer ? rp_op_infer(&m->call) : rp_op_check(&m->call)) return RP_OK;
    char names[160] = "";
    for (uint32_t i = 0, used = 0; m->call.formula && i + 1 < m->call.operand_count; i++) {
        const char *name = m->given[i]->name;
        if (used + strlen(name) + 12 > sizeof names) break;
        used += (uint32_t)snprintf(names + used, sizeof names - used, "%s%c is %s", i ? ", " : " (",
                                   'a' + (char)i, name);
        if (i + 2 == m->call.operand_count) snprintf(names + used, sizeof names - used, ")");
    }
    return rp_apply_error(m->x, RP_BLAME_OP, 0, "%s%s", m->call.error, names);
}

rp_status rp_apply_fresh(rp_application *x, const char *op, rp_given_operand *given) {
    rp_graph *g = x->graph;
    rp_tensor shape = given->argument.tensor;
    if (shape.rank == 0) { /* a buffer of one element has one dimension */
        shape.rank = 1;
        shape.dims[0] = 1;
        shape.powers[0] = 0;
    }
    rp_graph_buffer buffer = {.name = given->fresh,
                              .kind = RP_TMP,
                              .dtype = shape.dtype,
                              .rank = shape.rank,
                              .size = rp_tensor_bytes(&shape),
                              .offset = RP_NOT_PLACED,
                              .first_default = RP_NONE,
                              .max_value = UINT32_MAX,
                              .pos = x->node.pos};
    if (buffer.size == 0 || buffer.size > RP_MAX_BUFFER_BYTES)
        return rp_apply_error(x, RP_BLAME_OP, 0, "%s: its output '%.60s' would be too large", op,
                              rp_graph_string(g, given->fresh));
    given->argument.buffer = rp_graph_add_shaped(g, &buffer, &shape);
    given->argument.offset = 0;
    given->fresh = RP_NONE;
    return given->argument.buffer == RP_NONE ? RP_ERROR_NO_MEMORY : RP_OK;
}

static rp_status make_fresh(maker *m, uint32_t index) {
    m->given[index]->argument.tensor = m->call.operands[index];
    return rp_apply_fresh(m->x, m->call.op->name, m->given[index]);
}

static rp_status add_node(maker *m) {
    rp_application *x = m->x;
    rp_op_argument arguments[RP_OP_MAX_OPERANDS];
    for (uint32_t i = 0; i < m->call.operand_count; i++) {
        arguments[i] = (rp_op_argument){.tensor = {.absent = true}};
        if (!m->given[i]) continue;
        if (m->given[i]->fresh != RP_NONE) RP_TRY(make_fresh(m, i));
        arguments[i] = m->given[i]->argument;
    }
    rp_graph_node node = x->node;
    node.id = x->graph->nodes_count;
    uint32_t index = rp_graph_add_op(x->graph, &node, m->call.op, arguments, m->call.operand_count,
                                     m->attrs, m->attr_count);
    return index == RP_NONE ? RP_ERROR_NO_MEMORY : RP_OK;
}

/* Few long rows, or tiles: several ops, of which the outputs are seen as they were asked for. */
static rp_status split_node(maker *m, rp_splitting *split, uint64_t parts) {
    for (uint32_t i = 0; i < m->call.operand_count; i++)
        if (m->given[i] && m->given[i]->fresh != RP_NONE) RP_TRY(make_fresh(m, i));
    return split(m->x, &m->call, m->given, parts);
}

/* Numbers of parts and lengths stand in attributes. */
static uint64_t rows_parts(rp_application *x, const rp_op_call *call, const rp_target *target) {
    uint64_t parts = (uint64_t)rp_choose(x, (double)rp_rows_parts(call, target));
    return rp_choose_special(x, parts > 1) ? parts : 1;
}

/* Vectors of blocks are rows of a matrix: kernels of matvec are made for numbers. */
static bool has_blocks(const rp_op_call *call) {
    return call->op->product && rp_dtype_block(call->operands[0].dtype) > 1;
}

static bool is_empty(const rp_op_call *call) {
    bool empty = false;
    for (uint32_t i = 0; i < call->operand_count; i++)
        empty |= !call->operands[i].absent && rp_tensor_elements(&call->operands[i]) == 0;
    return empty;
}

static rp_status apply(rp_application *x, const void *what) {
    const rp_op *op = what;
    maker m = {.x = x};
    rp_map_formula formula;
    if (x->operand_count > RP_APPLY_MAX_OPERANDS)
        return rp_apply_error(x, RP_BLAME_OP, 0, "%s: more than %d operands", op->name,
                              RP_APPLY_MAX_OPERANDS);
    if (op == rp_op_map) {
        RP_TRY(place_map(&m, &formula));
    } else {
        rp_op_call_init(&m.call, op, op->operand_count);
        RP_TRY(place_operands(&m));
        RP_TRY(take_attrs(&m));
    }
    m.call.sizes = x->graph->sizes.count ? &x->graph->sizes : NULL;
    m.call.asked = rp_application_is_asked(x);
    if (has_blocks(&m.call)) {
        m.call.operands[0].dtype = RP_F32; /* all else is as of numbers */
        RP_TRY(judge(&m));
        return split_node(&m, rp_product_of_many, 1);
    }
    RP_TRY(judge(&m));
    const rp_target *target = rp_graph_target(x->graph);
    uint64_t rows = rows_parts(x, &m.call, target);
    uint64_t k = (uint64_t)rp_choose(x, (double)rp_product_parts(&m.call, target));
    /* A kernel of matvec is made for a number of vectors, and for rows that are there; matmul's take any. */
    bool sized = rp_op_is_sized(&m.call),
         vectors = m.call.op->product && (sized || x->choices || is_empty(&m.call));
    if (sized && (rows > 1 || k > 1 || vectors)) return rp_apply_sized(x, apply, op);
    if (rows > 1) return split_node(&m, rp_rows_split, rows);
    if (k > 1) return split_node(&m, rp_product_split, k);
    return vectors ? split_node(&m, rp_product_of_many, 1) : add_node(&m);
}

rp_status rp_apply_op(rp_application *x, const rp_op *op) {
    const rp_signature signature = {.op = op};
    if (rp_wider_gives(x, &signature)) return rp_wider_give(x, &signature);
    return rp_wider_takes(x, op) ? rp_wider_apply(x, op) : apply(x, op);
}
