/* Members of nodes: how they are built and read; see members.h.
 *
 * One place decides which operands share a use and which are values, for graphs from text as for
 * graphs from C, so that the printed form, which leaves both out, is read back to the same graph.
 * Cost: each operand is compared with the uses of its node. */
#include "graph/members.h"

#include <stdio.h>

#include "base/number.h"

#include "ops/tables.h"

/* ---- Attributes ------------------------------------------------------------------------------ */

uint32_t rp_choice_find(const char *choices, const char *text) {
    size_t length = strlen(text);
    for (uint32_t i = 0; choices && length; i++) {
        size_t part = strcspn(choices, "|");
        if (part == length && memcmp(choices, text, length) == 0) return i;
        if (!choices[part]) break;
        choices += part + 1;
    }
    return RP_NONE;
}

static bool is_default(const rp_graph *g, const rp_op_attr *a, const rp_graph_attr *given) {
    if (a->required) return false;
    if (a->kind != RP_ATTR_CHOICE)
        return given->text == RP_NONE && rp_number_same(given->number, a->fallback) &&
               given->rest == 0;
    return given->text != RP_NONE &&
           rp_choice_find(a->choices, rp_graph_string(g, given->text)) == a->fallback;
}

/* Place of an attribute in the canonical order: the op's, then whatever it does not have. */
static uint32_t attr_place(const rp_graph *g, const rp_op *op, const rp_graph_attr *attr) {
    const char *name = rp_graph_string(g, attr->name);
    uint32_t index = rp_op_attr_index(op, name, strlen(name));
    return index == RP_OP_MISSING ? op->attr_count : index;
}

bool rp_node_end_member(rp_node_builder *b, const rp_graph_attr *attrs, uint32_t count) {
    rp_graph *g = b->graph;
    rp_graph_member *m = &b->member;
    /* They may be attributes of another member, whose array moves when it grows. */
    uintptr_t begin = (uintptr_t)g->attrs, from = (uintptr_t)attrs;
    bool inside = count && from >= begin && from < begin + g->attrs_count * sizeof *attrs;
    size_t first = inside ? (size_t)(attrs - g->attrs) : 0;
    if (!RP_RESERVE(&g->allocator, g->attrs, g->attrs_count, g->attrs_capacity, count) ||
        !RP_RESERVE(&g->allocator, g->members, g->members_count, g->members_capacity, 1))
        return false;
    if (inside) attrs = g->attrs + first;
    m->first_attr = g->attrs_count;
    for (uint32_t place = 0; place <= m->op->attr_count; place++)
        for (uint32_t i = 0; i < count; i++) {
            if (attr_place(g, m->op, &attrs[i]) != place) continue;
            if (place < m->op->attr_count && is_default(g, &m->op->attrs[place], &attrs[i]))
                continue;
            g->attrs[g->attrs_count++] = attrs[i];
        }
    m->attr_count = g->attrs_count - m->first_attr;
    g->members[g->members_count++] = *m;
    b->node->member_count++;
    return true;
}

/* ---- Operands -------------------------------------------------------------------------------- */

rp_node_builder rp_node_build(rp_graph *graph, rp_graph_node *node) {
    node->first_member = graph->members_count;
    node->member_count = 0;
    return (rp_node_builder){.graph = graph, .node = node};
}

void rp_node_begin_member(rp_node_builder *b, uint32_t id, const rp_op *op, rp_source_pos pos) {
    b->member = (rp_graph_member){
        .id = id, .op = op, .first_operand = b->graph->operands_count, .pos = pos};
}

/* The use by which an input can be served that is there already; RP_NONE without. What the member
 * itself writes is no value yet: it reads what was there before. */
static uint32_t find_use(const rp_node_builder *b, const rp_graph_use *wanted) {
    const rp_graph_use *uses = rp_node_uses(b->graph, b->node);
    uint32_t shared = RP_NONE, known = b->node->use_count;
    if (known > RP_MAX_PARAMS) known = RP_MAX_PARAMS;
    for (uint32_t i = 0; i < known; i++) {
        const rp_graph_use *u = &uses[i];
        if (u->buffer != wanted->buffer || u->offset != wanted->offset || u->size != wanted->size)
            continue;
        if (b->value[i] != RP_NONE && b->writer[i] != b->node->member_count) return i;
        if (u->access == RP_READ) shared = i;
    }
    return shared;
}

static bool add_use(rp_node_builder *b, const rp_graph_use *use, uint32_t value) {
    rp_graph *g = b->graph;
    uint32_t index = b->node->use_count++;
    if (index >= RP_MAX_PARAMS) return true;
    if (!RP_RESERVE(&g->allocator, g->uses, g->uses_count, g->uses_capacity, 1)) return false;
    g->uses[g->uses_count++] = *use;
    b->value[index] = value;
    b->writer[index] = b->node->member_count;
    return true;
}

/* Fills in use and value. */
static bool resolve(rp_node_builder *b, rp_graph_operand *o, const rp_graph_use *use) {
    bool output = o->access != RP_READ && !o->absent;
    o->use = RP_NONE;
    if (output) o->value = b->value_count++;
    if (!use) return true;
    uint32_t found = output ? RP_NONE : find_use(b, use);
    if (found != RP_NONE && b->value[found] != RP_NONE) {
        o->value = b->value[found];
        return true;
    }
    o->use = found == RP_NONE ? b->node->use_count : found;
    /* Bytes that an output leaves in place are part of no value. */
    uint32_t value = output && o->access == RP_WRITE ? o->value : RP_NONE;
    return found != RP_NONE || add_use(b, use, value);
}

bool rp_node_add_operand(rp_node_builder *b, rp_graph_operand operand, const rp_tensor *shape,
                         const rp_graph_use *use) {
    rp_graph *g = b->graph;
    bool value_read = operand.access == RP_READ && !use && !operand.absent;
    if (!value_read) operand.value = RP_NONE;
    if (use || value_read || operand.absent) operand.name = RP_NONE;
    if (operand.absent) operand.dtype = operand.rank = 0, operand.first_dim = 0;
    if (!RP_RESERVE(&g->allocator, g->operands, g->operands_count, g->operands_capacity, 1))
        return false;
    if (shape && !operand.absent) {
        operand.first_dim = rp_graph_add_dims(g, shape->dims, shape->powers, operand.rank);
        if (operand.first_dim == RP_NONE) return false;
    }
    if (!resolve(b, &operand, use)) return false;
    g->operands[g->operands_count++] = operand;
    b->member.operand_count++;
    return true;
}

/* ---- A node from C --------------------------------------------------------------------------- */

/* A view without elements is no part of its buffer: it is all of one that has none. */
static bool place_empty(rp_graph *g, const rp_tensor *t, rp_graph_use *use) {
    char name[32];
    rp_tensor shape = {.dtype = t->dtype, .rank = 1};
    rp_graph_buffer buffer = {.kind = RP_TMP,
                              .dtype = t->dtype,
                              .rank = 1,
                              .size = rp_tensor_bytes(t),
                              .offset = RP_NOT_PLACED,
                              .first_default = RP_NONE,
                              .max_value = UINT32_MAX};
    if (rp_tensor_elements(t)) return true;
    use->offset = 0;
    if (rp_buffer_is_empty(g, &g->buffers[use->buffer])) return true;
    snprintf(name, sizeof name, "nothing-%u", g->buffers_count); /* no name that a user can give */
    buffer.name = rp_graph_intern(g, name, strlen(name));
    if (buffer.name == RP_NONE) return false;
    use->buffer = rp_graph_add_shaped(g, &buffer, &shape);
    return use->buffer != RP_NONE;
}

static bool add_argument(rp_node_builder *b, const rp_op_call *call, uint32_t index,
                         const rp_op_argument *argument) {
    const rp_tensor *t = &argument->tensor;
    bool known = call->op == rp_op_map || index < call->op->operand_count;
    rp_graph_operand operand = {.access = known ? rp_op_operand_of(call, index)->access : RP_READ,
                                .dtype = t->dtype,
                                .rank = t->rank,
                                .absent = t->absent};
    rp_graph_use use = {.buffer = argument->buffer,
                        .access = operand.access,
                        .offset = argument->offset,
                        .size = rp_tensor_bytes(t)};
    if (!t->absent && !place_empty(b->graph, t, &use)) return false;
    return rp_node_add_operand(b, operand, t, t->absent ? NULL : &use);
}

uint32_t rp_graph_add_op(rp_graph *graph, const rp_graph_node *node, const rp_op *op,
                         const rp_op_argument *arguments, uint32_t argument_count,
                         const rp_graph_attr *attrs, uint32_t attr_count) {
    rp_graph_node n = *node;
    uint32_t before[] = {graph->uses_count, graph->dims_count, graph->operands_count,
                         graph->attrs_count, graph->members_count};
    rp_op_call call;
    n.kind = RP_OP;
    n.kernel = RP_NONE;
    n.first_use = graph->uses_count;
    n.use_count = 0;
    n.byte_count = 0;
    rp_op_call_init(&call, op, argument_count);
    rp_node_builder b = rp_node_build(graph, &n);
    rp_node_begin_member(&b, n.id, op, n.pos);
    bool ok = argument_count <= RP_OP_MAX_OPERANDS;
    for (uint32_t i = 0; ok && i < argument_count; i++)
        ok = add_argument(&b, &call, i, &arguments[i]);
    uint32_t index = RP_NONE;
    if (ok && rp_node_end_member(&b, attrs, attr_count))
        index = rp_graph_add_node(graph, &n, NULL, NULL);
    if (index == RP_NONE) {
        graph->uses_count = before[0];
        graph->dims_count = graph->dim_powers_count = before[1];
        graph->operands_count = before[2];
        graph->attrs_count = before[3];
        graph->members_count = before[4];
    }
    return index;
}

/* ---- Reading --------------------------------------------------------------------------------- */

static void call_attr(const rp_graph *g, const rp_graph_attr *attr, rp_op_call *out) {
    const char *name = rp_graph_string(g, attr->name);
    const char *text = attr->text == RP_NONE ? NULL : rp_graph_string(g, attr->text);
    uint32_t index = rp_op_attr_index(out->op, name, strlen(name));
    if (index == RP_OP_MISSING) {
        if (text && out->op == rp_op_map && strcmp(name, "expr") == 0) out->formula = text;
        return;
    }
    const rp_op_attr *a = &out->op->attrs[index];
    if (a->kind == RP_ATTR_CHOICE)
        out->attrs[index] = text ? (double)rp_choice_find(a->choices, text) : (double)RP_NONE;
    else
        out->attrs[index] = attr->number, out->rests[index] = attr->rest;
}

void rp_member_call(const rp_graph *graph, const rp_graph_member *member, rp_op_call *out) {
    uint32_t count = member->operand_count;
    if (count > RP_OP_MAX_OPERANDS) count = RP_OP_MAX_OPERANDS;
    rp_op_call_init(out, member->op, count);
    for (uint32_t i = 0; i < count; i++) {
        const rp_graph_operand *o = &rp_member_operands(graph, member)[i];
        rp_tensor *t = &out->operands[i];
        *t = (rp_tensor){.dtype = o->dtype, .rank = o->rank, .absent = o->absent};
        rp_graph_shape(graph, o->first_dim, o->rank, t);
    }
    out->sizes = graph->sizes.count ? &graph->sizes : NULL;
    for (uint32_t i = 0; i < member->attr_count; i++)
        call_attr(graph, &graph->attrs[member->first_attr + i], out);
}

void rp_member_clear(rp_graph *graph, uint32_t member, uint32_t attr) {
    rp_graph_member *m = &graph->members[member];
    rp_graph_attr *attrs = &graph->attrs[m->first_attr];
    for (uint32_t i = 0; i < m->attr_count; i++) {
        if (attr_place(graph, m->op, &attrs[i]) != attr) continue;
        attrs[i].number = m->op->attrs[attr].low;
        if (!is_default(graph, &m->op->attrs[attr], &attrs[i])) return;
        m->attr_count--;
        memmove(attrs + i, attrs + i + 1, (m->attr_count - i) * sizeof *attrs);
        return;
    }
}

static bool is_idle(const rp_graph *g, const rp_graph_node *n) {
    bool idle = n->kind == RP_COPY || n->kind == RP_FILL || (n->kind == RP_OP && n->member_count);
    for (uint32_t i = 0; idle && i < n->member_count; i++) {
        rp_op_call call;
        rp_member_call(g, &rp_node_members(g, n)[i], &call);
        idle = rp_op_is_idle(&call);
    }
    for (uint32_t i = 0; idle && n->kind != RP_OP && i < n->use_count; i++)
        idle = rp_buffer_is_empty(g, &g->buffers[rp_node_uses(g, n)[i].buffer]);
    return idle;
}

void rp_graph_drop_idle(rp_graph *graph) {
    uint32_t kept = 0;
    if (graph->stages || !rp_shape_is_empty(graph->dims_count, graph->dims)) return;
    for (uint32_t i = 0; i < graph->nodes_count; i++)
        if (!is_idle(graph, &graph->nodes[i])) graph->nodes[kept++] = graph->nodes[i];
    graph->nodes_count = kept;
}

bool rp_member_choose(const rp_graph *graph, rp_op_call *call) {
    if (!rp_op_check(call)) return false;
    rp_op_choose_after(call, rp_graph_target(graph), graph->skip_variants);
    return true;
}
