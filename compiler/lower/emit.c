/* The state of one kernel in the making: members and values found in the node, names, constants,
 * buffers.
 *
 * Value numbers come from the graph: each output of a member has one, inputs that read it name it.
 * Dataflow is kept as a set of members for each member, since all questions are of the kind "does
 * this depend on that", and nodes have few members. */
#include "lower/emit.h"

#include <math.h>
#include <stdio.h>
#include "base/checked.h"
#include "lower/internal.h"

/* ---- Errors and names ------------------------------------------------------------------------ */

rp_status rp_emit_fail(rp_emit *e, const char *format, ...) {
    if (e->status != RP_OK) return e->status;
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    rp_diags_add(e->diags, RP_ERROR, NULL, e->node->pos.line, e->node->pos.column,
                 "n%u (%s): no kernel can be made: %s", e->node->id,
                 e->member_count ? e->members[0].call.op->name : "op", message);
    return e->status = RP_ERROR_INVALID;
}

rp_status rp_emit_no_memory(rp_emit *e) {
    if (e->status == RP_OK) e->status = RP_ERROR_NO_MEMORY;
    return e->status;
}

void rp_emit_move(rp_emit *e, rp_text *to, rp_text *from) {
    if (from->size) rp_text_append(to, from->data, from->size);
    if (from->failed) rp_emit_no_memory(e);
    rp_text_free(from);
}

const char *rp_emit_name(rp_emit *e, const char *format, ...) {
    rp_text text;
    rp_text_init(&text, &e->allocator);
    va_list args;
    va_start(args, format);
    rp_text_vformat(&text, format, args);
    va_end(args);
    char *name = NULL;
    if (!RP_RESERVE(&e->allocator, e->names, e->names_count, e->names_capacity, 1) ||
        rp_text_take(&text, &name, NULL) != RP_OK) {
        rp_text_free(&text);
        rp_emit_no_memory(e);
        return "";
    }
    return e->names[e->names_count++] = name;
}

bool rp_emit_add_function(rp_emit *e, const char *name) {
    for (uint32_t i = 0; i < e->known_count; i++)
        if (strcmp(e->known[i], name) == 0) return false;
    if (!RP_RESERVE(&e->allocator, e->known, e->known_count, e->known_capacity, 1)) {
        rp_emit_no_memory(e);
        return false;
    }
    e->known[e->known_count++] = name;
    return true;
}

/* ---- Constants ------------------------------------------------------------------------------- */

static const char *add_constant(rp_emit *e, const char *name, uint32_t bits) {
    for (uint32_t i = 0; i < e->constants_count; i++) {
        if (strcmp(e->constants[i].name, name) != 0) continue;
        if (e->constants[i].bits != bits) rp_emit_fail(e, "constant %s has two values", name);
        return e->constants[i].name;
    }
    if (e->constants_count >= RP_MAX_PARAMS) /* a kernel has no more: as a literal, then */
        return rp_emit_name(e, "%uu", bits);
    const char *own = rp_emit_name(e, "%s", name);
    if (!RP_RESERVE(&e->allocator, e->constants, e->constants_count, e->constants_capacity, 1)) {
        rp_emit_no_memory(e);
        return "";
    }
    e->constants[e->constants_count++] = (rp_emit_constant){own, bits};
    return own;
}

const char *rp_emit_uint(rp_emit *e, const char *name, uint64_t value) {
    if (value > UINT32_MAX) {
        rp_emit_fail(e, "%s is %llu; kernels count with 32 bits", name, (unsigned long long)value);
        return "";
    }
    return add_constant(e, name, (uint32_t)value);
}

uint64_t rp_emit_each(const rp_emit *e, rp_extent extent) {
    if (extent.powers == RP_POWERS_NONE) return 1;
    return extent.powers ? rp_extent_each(&e->graph->sizes, extent) : extent.most;
}

static const char *add_extent(rp_emit *e, const char *name, rp_extent extent, const char *count) {
    for (uint32_t i = 0; i < e->extents_count; i++) {
        if (strcmp(e->extents[i].name, name) != 0) continue;
        if (!rp_extent_same(e->extents[i].extent, extent))
            rp_emit_fail(e, "number %s has two values", name);
        return e->extents[i].name;
    }
    const char *own = rp_emit_name(e, "%s", name);
    if (!RP_RESERVE(&e->allocator, e->extents, e->extents_count, e->extents_capacity, 1)) {
        rp_emit_no_memory(e);
        return "";
    }
    e->extents[e->extents_count++] = (rp_emit_extent_name){own, extent, count};
    return own;
}

const char *rp_emit_extent(rp_emit *e, const char *name, rp_extent extent) {
    if (extent.powers == 0) return rp_emit_uint(e, name, extent.most);
    if (extent.powers == RP_POWERS_NONE) {
        rp_emit_fail(
            e,
            "%s follows live sizes in a way that no kernel of the op is made for: it is no "
            "product of them",
            name);
        return "";
    }
    if (extent.most > UINT32_MAX) {
        rp_emit_fail(e, "%s is up to %llu; kernels count with 32 bits", name,
                     (unsigned long long)extent.most);
        return "";
    }
    return add_extent(e, name, extent, NULL);
}

const char *rp_emit_number(rp_emit *e, const char *bits) {
    return rp_emit_name(e, "%s(%s)", e->fast ? "uintBitsToFloat" : "f_number", bits);
}

/* An attribute that is a number: its bits are the constant. */
static const char *emit_float(rp_emit *e, const char *name, double value) {
    float narrow = (float)value;
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    return rp_emit_number(e, add_constant(e, name, bits));
}

/* The same of one that is an integer, of 64 bits as two words. */
static const char *emit_value(rp_emit *e, const char *name, uint8_t type, double value,
                              uint64_t bits) {
    const char *low = type == RP_TYPE_F32 ? "" : add_constant(e, name, (uint32_t)bits);
    if (type == RP_TYPE_I32) return rp_emit_name(e, "int(%s)", low);
    if (type == RP_TYPE_U32) return low;
    if (type == RP_TYPE_F32) return emit_float(e, name, value);
    return rp_emit_name(e, "uvec2(%s, %s)", low,
                        add_constant(e, rp_emit_name(e, "%s_high", name), (uint32_t)(bits >> 32)));
}

/* A symbol that is counted of others, which may be counted themselves. */
static const char *emit_count(rp_emit *e, uint32_t member, char symbol, const char *name) {
    const rp_op_call *call = &e->members[member].call;
    const rp_op_counted *count = &call->counts[symbol - 'A'];
    const char *all = "", *made;
    uint64_t most = 1;
    for (const char *c = count->of; *c && e->status == RP_OK; c++) {
        all = rp_emit_name(e, "%s%s%s", all, *all ? " * " : "", rp_emit_symbol(e, member, *c));
        if (!rp_mul_u64(most, rp_sym(call, *c), &most)) most = UINT64_MAX;
    }
    made = all;
    if (most > UINT32_MAX || rp_sym(call, symbol) > UINT32_MAX)
        rp_emit_fail(e, "%s is made of up to %llu; kernels count with 32 bits", name,
                     (unsigned long long)most);
    else if (count->per > 1) { /* without a sum, which could be too large */
        const char *per = rp_emit_uint(e, rp_emit_name(e, "%s_per", name), count->per);
        made = rp_emit_name(e, "(%s) / %s + uint((%s) %% %s != 0u)", all, per, all, per);
    }
    if (count->each > 1)
        made = rp_emit_name(e, "(%s) * %s", made,
                            rp_emit_uint(e, rp_emit_name(e, "%s_each", name), count->each));
    if (count->more)
        made = rp_emit_name(e, "%s + %s", made, rp_emit_symbol(e, member, count->more));
    return add_extent(e, name, rp_sym_extent(call, symbol), made);
}

const char *rp_emit_symbol(rp_emit *e, uint32_t member, char symbol) {
    rp_extent value = rp_sym_extent(&e->members[member].call, symbol);
    if (value.most == 0) {
        rp_emit_fail(e, "%s has no dimension %c", e->members[member].call.op->name, symbol);
        return "";
    }
    char name[32];
    snprintf(name, sizeof name, "m%u_%c", member, symbol);
    if (value.powers == RP_POWERS_NONE && e->members[member].call.counts[symbol - 'A'].of)
        return emit_count(e, member, symbol, name);
    return rp_emit_extent(e, name, value);
}

const char *rp_emit_attr(rp_emit *e, uint32_t member, uint32_t attr) {
    const rp_op_call *call = &e->members[member].call;
    const rp_op_attr *a = &call->op->attrs[attr];
    double value = call->attrs[attr];
    const char *name = rp_emit_name(e, "m%u_%s", member, a->name);
    if (a->kind == RP_ATTR_NUMBER)
        return emit_value(e, name, rp_op_attr_type(call, attr), value, rp_op_attr_bits(call, attr));
    if (!(value >= INT32_MIN && value <= UINT32_MAX)) {
        rp_emit_fail(e, "attribute %s is %g; kernels count with 32 bits", a->name, value);
        return "";
    }
    return rp_emit_uint(e, name, (uint32_t)(int64_t)value);
}

const char *rp_emit_attr_number(rp_emit *e, uint32_t member, uint32_t attr) {
    const char *word = rp_emit_attr(e, member, attr);
    uint8_t type = rp_op_attr_type(&e->members[member].call, attr);
    if (!rp_formula_is_wide(type)) return word;
    return rp_emit_name(e, "%s(%s)", type == RP_TYPE_I64 ? "long_of" : "ulong_of", word);
}

const char *rp_emit_class(uint8_t dtype) {
    switch ((rp_dtype)dtype) {
    case RP_I8:
    case RP_I16:
    case RP_I32: return "int";
    case RP_U8:
    case RP_BOOL:
    case RP_U16:
    case RP_U32: return "uint";
    case RP_F64:
    case RP_I64:
    case RP_U64: return "uvec2";
    case RP_RAW:
    case RP_F32:
    case RP_F16:
    case RP_BF16:
    case RP_Q8_0:
    case RP_Q4_0: break;
    }
    return "float";
}

const char *rp_emit_precise(const rp_emit *e) {
    return e->fast ? "" : "precise ";
}

/* ---- Opening --------------------------------------------------------------------------------- */

enum { MAX_ELEMENTS = 0xff000000 }; /* indices of the threads past the end must not wrap */

static rp_status check_operand(rp_emit *e, const rp_graph_operand *o, const rp_tensor *tensor,
                               const char *name) {
    if (o->absent) return RP_OK;
    if (rp_tensor_elements(tensor) > MAX_ELEMENTS &&
        rp_tensor_extent(tensor).powers != RP_POWERS_EMPTY)
        return rp_emit_fail(e, "operand %s has more than %u elements", name, MAX_ELEMENTS);
    if (o->use != RP_NONE && o->use >= e->node->use_count)
        return rp_emit_fail(e, "operand %s has no use", name);
    return RP_OK;
}

/* Notes the output behind a value number. */
static rp_status add_value(rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    const rp_tensor *tensor = &e->members[member].call.operands[operand];
    if (o->value >= e->value_count || e->values[o->value].elements)
        return rp_emit_fail(e, "value %u is out of order", o->value);
    e->values[o->value] = (rp_emit_value){.member = member,
                                          .operand = operand,
                                          .dtype = o->dtype,
                                          .elements = rp_tensor_elements(tensor),
                                          .use = o->use};
    return RP_OK;
}

static rp_status add_source(rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    if (o->absent || o->value == RP_NONE) return RP_OK;
    if (o->value >= e->value_count || !e->values[o->value].elements)
        return rp_emit_fail(e, "value %u is read before it is computed", o->value);
    const rp_emit_value *value = &e->values[o->value];
    if (value->dtype != o->dtype ||
        value->elements != rp_tensor_elements(&e->members[member].call.operands[operand]))
        return rp_emit_fail(e, "value %u is read as something else", o->value);
    rp_emit_set *up = &e->members[member].upstream;
    rp_emit_add(up, value->member);
    for (uint32_t i = 0; i < RP_EMIT_MAX_MEMBERS / 64; i++)
        up->bits[i] |= e->members[value->member].upstream.bits[i];
    return RP_OK;
}

static rp_status add_member(rp_emit *e, uint32_t index) {
    const rp_graph_member *from = rp_node_members(e->graph, e->node) + index;
    rp_emit_member *m = &e->members[index];
    m->operands = rp_member_operands(e->graph, from);
    rp_member_call(e->graph, from, &m->call);
    e->member_count = index + 1;
    if (!rp_member_choose(e->graph, &m->call)) return rp_emit_fail(e, "%s", m->call.error);
    for (uint32_t i = 0; i < m->call.operand_count; i++)
        RP_TRY(check_operand(e, &m->operands[i], &m->call.operands[i],
                             rp_op_operand_name(&m->call, i)));
    /* An op may be written with outputs before inputs: inputs are looked up first. */
    for (uint32_t i = 0; i < m->call.operand_count; i++)
        if (!rp_emit_is_output(e, index, i)) RP_TRY(add_source(e, index, i));
    for (uint32_t i = 0; i < m->call.operand_count; i++)
        if (rp_emit_is_output(e, index, i) && !m->operands[i].absent)
            RP_TRY(add_value(e, index, i));
    return RP_OK;
}

bool rp_emit_is_output(const rp_emit *e, uint32_t member, uint32_t operand) {
    return rp_access_writes(e->members[member].operands[operand].access);
}

bool rp_emit_has_rows(const rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    if (o->absent || o->value == RP_NONE) return false;
    uint32_t source = e->values[o->value].member;
    for (uint32_t i = 0; i < e->member_count; i++)
        if ((i == source || rp_emit_has(&e->members[source].upstream, i)) &&
            e->members[i].call.op->form == RP_OP_ROWS)
            return true;
    return false;
}

bool rp_emit_is_tagged(const rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    return !o->absent && o->use != RP_NONE &&
           e->graph->buffers[rp_node_uses(e->graph, e->node)[o->use].buffer].tagged;
}

static uint32_t count_values(const rp_graph *graph, const rp_graph_node *node) {
    uint32_t count = 0;
    const rp_graph_member *members = rp_node_members(graph, node);
    for (uint32_t i = 0; i < node->member_count; i++) {
        const rp_graph_operand *operands = rp_member_operands(graph, &members[i]);
        for (uint32_t k = 0; k < members[i].operand_count; k++)
            count += !operands[k].absent && rp_access_writes(operands[k].access);
    }
    return count;
}

static rp_status open_members(rp_emit *e) {
    if (e->node->member_count == 0) return rp_emit_fail(e, "it has no members");
    if (e->node->member_count > RP_EMIT_MAX_MEMBERS)
        return rp_emit_fail(e, "it has %u members; at most %d can be one kernel",
                            e->node->member_count, RP_EMIT_MAX_MEMBERS);
    e->value_count = count_values(e->graph, e->node);
    e->members = rp_alloc_zero(&e->allocator, e->node->member_count, sizeof *e->members);
    e->values = rp_alloc_zero(&e->allocator, e->value_count, sizeof *e->values);
    if (!e->members || !e->values) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < e->node->member_count; i++) RP_TRY(add_member(e, i));
    return RP_OK;
}

rp_status rp_emit_open(rp_emit *e, const rp_allocator *allocator, const rp_graph *graph,
                       const rp_graph_node *node, bool fast, rp_diags *diags) {
    *e = (rp_emit){.allocator = rp_allocator_or_default(allocator),
                   .graph = graph,
                   .node = node,
                   .diags = diags,
                   .fast = fast,
                   .grid = {1, 1, 1}};
    rp_text *const texts[] = {&e->buffers, &e->globals, &e->functions, &e->main};
    for (uint32_t i = 0; i < 4; i++) rp_text_init(texts[i], &e->allocator);
    rp_status status = open_members(e);
    if (status != RP_OK) rp_emit_close(e);
    return status;
}

void rp_emit_close(rp_emit *e) {
    const rp_allocator *a = &e->allocator;
    for (uint32_t i = 0; i < e->names_count; i++) rp_release(a, e->names[i]);
    rp_release(a, e->names);
    rp_release(a, e->constants);
    rp_release(a, e->extents);
    rp_release(a, e->varying);
    for (uint32_t i = 0; i < 3; i++) rp_expr_free(&e->graph->allocator, &e->grid_code[i]);
    rp_release(a, e->arrays);
    rp_release(a, e->known);
    rp_release(a, e->copies);
    rp_release(a, e->asked);
    rp_release(a, e->members);
    rp_release(a, e->shape.members);
    rp_release(a, e->values);
    rp_release(a, e->glsl);
    rp_text *const texts[] = {&e->buffers, &e->globals, &e->functions, &e->main};
    for (uint32_t i = 0; i < 4; i++) rp_text_free(texts[i]);
    *e = (rp_emit){.status = e->status};
}
