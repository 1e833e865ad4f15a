/* The rules of members: that each is a correct call of its op, and that together they mean the same
 * run one after the other as they do in one kernel.
 *
 * Within a node nothing orders one member's memory against another's. So what passes between
 * members passes as values, and the bytes that a member writes are touched by no other. An op may
 * work in place only alone in its node, and where it reads each element before it writes it and
 * needs it no more.
 *
 * Everything is judged by what the node's uses say and none of it by names. Cost: each operand is
 * compared with the uses of its node, of which there are at most RP_MAX_PARAMS. */
#include "graph/verify.h"

#include <math.h>
#include <stdio.h>

#include "base/checked.h"
#include "base/shape.h"
#include "base/table.h"
#include "graph/keywords.h"
#include "graph/members.h"
#include "ops/tables.h"

typedef struct value {
    const rp_graph_member *member; /* that computes it */
    const rp_graph_operand *operand;
} value;

typedef struct members {
    rp_verifier *v;
    const rp_graph_node *n;
    value *values;
    uint32_t value_count;
    uint32_t use_count; /* uses that were met so far: they are numbered as they are met */
    bool ok;
} members;

/* "n3: ", for a member of a node of several "n3 in n6: ". */
#define MEMBER_ERROR(s, m, format, ...)                                                            \
    member_error((s), (m), "n%u%s: " format, (m)->id, within((char[24]){0}, (s)->n, (m)),          \
                 __VA_ARGS__)

static const char *within(char text[24], const rp_graph_node *n, const rp_graph_member *m) {
    if (n->id != m->id) snprintf(text, 24, " in n%u", n->id);
    return text;
}

RP_PRINTF(3, 4)
static void member_error(members *s, const rp_graph_member *m, const char *format, ...) {
    char message[480];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    rp_verify_error(s->v, m->pos, "%s", message);
    s->ok = false;
}

/* ---- Attributes ------------------------------------------------------------------------------ */

static void verify_attr(members *s, const rp_graph_member *m, uint32_t index) {
    const rp_graph *g = s->v->graph;
    const rp_graph_attr *attrs = g->attrs + m->first_attr, *attr = &attrs[index];
    const char *name = rp_graph_string(g, attr->name);
    uint32_t place = rp_op_attr_index(m->op, name, strlen(name));
    for (uint32_t i = 0; i < index; i++)
        if (attrs[i].name == attr->name)
            MEMBER_ERROR(s, m, "%s: %s is given twice", m->op->name, name);
    bool formula = m->op == rp_op_map && strcmp(name, "expr") == 0;
    if (place == RP_OP_MISSING && !formula) {
        MEMBER_ERROR(s, m, "%s has no attribute '%.60s'", m->op->name, name);
        return;
    }
    bool wants_text = formula || m->op->attrs[place].kind == RP_ATTR_CHOICE;
    bool has_text = attr->text != RP_NONE;
    if (formula && !has_text)
        MEMBER_ERROR(s, m, "%s: %s is a formula, a string", m->op->name, name);
    else if (wants_text != has_text ||
             (!has_text && isnan(attr->number) && !rp_op_attr_takes_nan(&m->op->attrs[place])))
        MEMBER_ERROR(s, m, "%s: %s is %s%s", m->op->name, name, wants_text ? "one of " : "a number",
                     wants_text ? m->op->attrs[place].choices : "");
    else if (!formula && has_text &&
             rp_choice_find(m->op->attrs[place].choices, rp_graph_string(g, attr->text)) == RP_NONE)
        MEMBER_ERROR(s, m, "%s: %s is one of %s, not '%.60s'", m->op->name, name,
                     m->op->attrs[place].choices, rp_graph_string(g, attr->text));
}

/* ---- Operands -------------------------------------------------------------------------------- */

/* The access, type and shape of an operand for itself. */
static void verify_type(members *s, const rp_op_call *call, const rp_graph_member *m,
                        uint32_t index) {
    const rp_graph *g = s->v->graph;
    const rp_graph_operand *o = &rp_member_operands(g, m)[index];
    const char *op = m->op->name, *name = rp_op_operand_name(call, index);
    uint8_t access = rp_op_operand_of(call, index)->access;
    if (o->access != access)
        MEMBER_ERROR(s, m, "%s: %s is %s, as an operand %s", op, name,
                     rp_access_name((rp_access)access),
                     rp_access_name((rp_access)o->access) ? rp_access_name((rp_access)o->access)
                                                          : "of no access");
    if (o->absent) {
        if (o->use != RP_NONE || o->value != RP_NONE || o->name != RP_NONE)
            MEMBER_ERROR(s, m, "%s: %s is absent, and is said to be somewhere", op, name);
        return;
    }
    uint64_t bytes;
    const uint64_t *dims = g->dims + o->first_dim;
    if (o->dtype == RP_RAW || !rp_dtype_name((rp_dtype)o->dtype) || o->rank > RP_MAX_RANK ||
        !rp_range_inside(o->first_dim, o->rank, g->dims_count))
        MEMBER_ERROR(s, m, "%s: %s has a type or rank that does not exist", op, name);
    else if (!rp_shape_has_blocks((rp_dtype)o->dtype, o->rank, dims))
        MEMBER_ERROR(s, m, "%s: the last dimension of %s, which is %s, is a multiple of %u", op,
                     name, rp_dtype_name((rp_dtype)o->dtype), rp_dtype_block((rp_dtype)o->dtype));
    else if (!rp_shape_bytes((rp_dtype)o->dtype, o->rank, dims, &bytes))
        MEMBER_ERROR(s, m, "%s: %s is larger than 64 bits can count", op, name);
}

/* An operand in memory: its use is of this access and size. Uses are numbered as operands need
 * them, so that the text form can leave them out. */
static void verify_use(members *s, const rp_op_call *call, const rp_graph_member *m,
                       uint32_t index) {
    const rp_graph *g = s->v->graph;
    const rp_graph_operand *o = &rp_member_operands(g, m)[index];
    const char *op = m->op->name, *name = rp_op_operand_name(call, index);
    bool again = o->access == RP_READ && o->use < s->use_count;
    if (o->use >= s->n->use_count || (!again && o->use != s->use_count)) {
        MEMBER_ERROR(s, m, "%s: %s has the use %u, the next one is %u", op, name, o->use,
                     s->use_count);
        return;
    }
    const rp_graph_use *uses = rp_node_uses(g, s->n), *u = &uses[o->use];
    uint64_t bytes = rp_tensor_bytes(&call->operands[index]);
    if (u->access != o->access || u->indirect || u->addressed)
        MEMBER_ERROR(s, m, "%s: %s is %s, its use is %s", op, name,
                     rp_access_name((rp_access)o->access), rp_show_use(g, u).text);
    if (u->size != bytes) {
        rp_text text;
        rp_text_init(&text, &g->allocator);
        rp_tensor_print(&text, &call->operands[index]);
        if (!text.failed)
            MEMBER_ERROR(s, m, "%s: %s is %.120s, which takes %llu bytes, but %s has %llu", op,
                         name, text.data, (unsigned long long)bytes, rp_show_use(g, u).text,
                         (unsigned long long)u->size);
        else
            s->v->status = RP_ERROR_NO_MEMORY;
        rp_text_free(&text);
    }
    if (u->offset % rp_dtype_alignment((rp_dtype)o->dtype))
        MEMBER_ERROR(s, m, "%s: %s is %s: an element of %s begins at a multiple of %u", op, name,
                     rp_show_use(g, u).text, rp_dtype_name((rp_dtype)o->dtype),
                     rp_dtype_alignment((rp_dtype)o->dtype));
    for (uint32_t i = 0; !again && o->access == RP_READ && i < o->use; i++)
        if (uses[i].access == RP_READ && uses[i].buffer == u->buffer &&
            uses[i].offset == u->offset && uses[i].size == u->size)
            MEMBER_ERROR(s, m, "%s: %s has a use of its own for what use %u reads", op, name, i);
    s->use_count += !again;
}

/* An input that an earlier member computed. */
static void verify_value(members *s, const rp_op_call *call, const rp_graph_member *m,
                         uint32_t index) {
    const rp_graph_operand *o = &rp_member_operands(s->v->graph, m)[index];
    const char *op = m->op->name, *name = rp_op_operand_name(call, index);
    const value *from = o->value < s->value_count ? &s->values[o->value] : NULL;
    if (!from || from->member == m || from->operand->access != RP_WRITE || o->use != RP_NONE ||
        o->name != RP_NONE) {
        MEMBER_ERROR(s, m, "%s: %s is the value %u, which no member before it computes", op, name,
                     o->value);
        return;
    }
    const rp_graph *g = s->v->graph;
    rp_tensor there = {.dtype = from->operand->dtype};
    rp_graph_shape(g, from->operand->first_dim, from->operand->rank, &there);
    if (there.dtype == o->dtype &&
        rp_extent_same(rp_tensor_extent(&there), rp_tensor_extent(&call->operands[index])))
        return;
    rp_text text;
    rp_text_init(&text, &g->allocator);
    rp_tensor_print(&text, &call->operands[index]);
    rp_text_format(&text, ", but n%u computes it as ", from->member->id);
    rp_tensor_print(&text, &there);
    if (!text.failed)
        MEMBER_ERROR(s, m, "%s: %s is %.300s", op, name, text.data);
    else
        s->v->status = RP_ERROR_NO_MEMORY;
    rp_text_free(&text);
}

static void verify_output(members *s, const rp_op_call *call, const rp_graph_member *m,
                          uint32_t index) {
    const rp_graph *g = s->v->graph;
    const rp_graph_operand *o = &rp_member_operands(g, m)[index];
    const char *name = rp_graph_string(g, o->name);
    if (o->value != s->value_count)
        MEMBER_ERROR(s, m, "%s: %s is the value %u, the next one is %u", m->op->name,
                     rp_op_operand_name(call, index), o->value, s->value_count);
    if ((o->use == RP_NONE) != (o->name != RP_NONE))
        MEMBER_ERROR(s, m, "%s: %s is either in memory or has a name", m->op->name,
                     rp_op_operand_name(call, index));
    else if (o->use == RP_NONE && o->access != RP_WRITE)
        MEMBER_ERROR(s, m, "%s: %s is written in part and must be in memory", m->op->name,
                     rp_op_operand_name(call, index));
    else if (o->name != RP_NONE && !rp_name_valid(name, strlen(name)))
        MEMBER_ERROR(s, m, "'%.60s' cannot name a value", name);
    s->values[s->value_count++] = (value){m, o};
}

/* ---- In place -------------------------------------------------------------------------------- */

/* Ranges that overlap otherwise were refused with the uses. */
static bool is_same(const rp_graph_use *a, const rp_graph_use *b) {
    return a->buffer == b->buffer && a->offset == b->offset && a->size == b->size;
}

/* Whether each element of the input is read before the output's element of the same place is
 * written, and no other output element needs it. */
static bool keeps_place(const rp_op_call *call, uint32_t input, const rp_graph_operand *output) {
    rp_op_place at = rp_op_reads_at(call, input);
    if (output->access != RP_WRITE) return false;
    /* Rows are reduced as a whole before any of their elements is written. */
    return at == RP_AT_SAME || (call->op->form == RP_OP_ROWS && at == RP_AT_ROW);
}

/* Input `index` of member m, which is read from memory, against everything that the node writes. */
static void verify_in_place(members *s, const rp_op_call *call, const rp_graph_member *m,
                            uint32_t index) {
    const rp_graph *g = s->v->graph;
    const rp_graph_use *uses = rp_node_uses(g, s->n);
    const rp_graph_operand *o = &rp_member_operands(g, m)[index];
    for (uint32_t i = 0; i < s->value_count; i++) {
        const value *w = &s->values[i];
        if (w->operand->use == RP_NONE || !is_same(&uses[o->use], &uses[w->operand->use])) continue;
        if (w->member != m)
            MEMBER_ERROR(s, m, "%s: %s reads %s, which n%u of the same node writes", m->op->name,
                         rp_op_operand_name(call, index), rp_show_use(g, &uses[o->use]).text,
                         w->member->id);
        else if (s->n->member_count > 1) /* who takes its result may compute it again, later */
            MEMBER_ERROR(s, m, "%s works in place at %s, which only a node of one op may",
                         m->op->name, rp_show_use(g, &uses[o->use]).text);
        else if (!keeps_place(call, index, w->operand))
            MEMBER_ERROR(s, m,
                         "%s cannot work in place: %s reads %s, and other elements of what is "
                         "written there depend on it",
                         m->op->name, rp_op_operand_name(call, index),
                         rp_show_use(g, &uses[o->use]).text);
    }
}

/* ---- Members --------------------------------------------------------------------------------- */

/* Indices that everything else takes for granted. */
static bool is_sound(members *s) {
    const rp_graph *g = s->v->graph;
    const rp_graph_node *n = s->n;
    bool ok = n->member_count <= RP_MAX_MEMBERS && n->use_count <= RP_MAX_PARAMS &&
              rp_range_inside(n->first_member, n->member_count, g->members_count);
    for (uint32_t i = 0; ok && i < n->member_count; i++) {
        const rp_graph_member *m = &rp_node_members(g, n)[i];
        ok = m->op && m->id != RP_NONE && m->operand_count <= RP_OP_MAX_OPERANDS &&
             rp_range_inside(m->first_operand, m->operand_count, g->operands_count) &&
             rp_range_inside(m->first_attr, m->attr_count, g->attrs_count);
    }
    if (!ok)
        rp_verify_error(s->v, n->pos,
                        "n%u: its members are damaged, or more than %d, or have more than %d uses",
                        n->id, RP_MAX_MEMBERS, RP_MAX_PARAMS);
    return ok;
}

static bool count_fits(members *s, const rp_graph_member *m) {
    bool map = m->op == rp_op_map;
    if (map ? m->operand_count >= 1 && m->operand_count <= RP_OP_MAP_INPUTS + 1
            : m->operand_count == m->op->operand_count)
        return true;
    if (map)
        MEMBER_ERROR(s, m, "map takes up to %d inputs and one output, not %u operands",
                     RP_OP_MAP_INPUTS, m->operand_count);
    else
        MEMBER_ERROR(s, m, "%s takes %u operands, not %u", m->op->name, m->op->operand_count,
                     m->operand_count);
    return false;
}

static void verify_member(members *s, const rp_graph_member *m) {
    const rp_graph_operand *operands = rp_member_operands(s->v->graph, m);
    rp_op_call call;
    if (!count_fits(s, m)) return;
    rp_op_call_init(&call, m->op, m->operand_count);
    for (uint32_t i = 0; i < m->attr_count; i++) verify_attr(s, m, i);
    for (uint32_t i = 0; i < m->operand_count; i++) verify_type(s, &call, m, i);
    if (!s->ok) return;
    rp_member_call(s->v->graph, m, &call);
    for (uint32_t i = 0; i < m->operand_count; i++) {
        const rp_graph_operand *o = &operands[i];
        if (o->absent) continue;
        if (o->access != RP_READ) verify_output(s, &call, m, i);
        if (o->access == RP_READ && o->value != RP_NONE)
            verify_value(s, &call, m, i);
        else if (o->use != RP_NONE || o->access == RP_READ)
            verify_use(s, &call, m, i);
    }
    if (s->ok && !rp_op_check(&call)) MEMBER_ERROR(s, m, "%s", call.error);
}

/* The ids of source nodes: those of all members differ, and the node goes by one of them. */
static void verify_ids(members *s) {
    const rp_graph *g = s->v->graph;
    const rp_graph_member *list = rp_node_members(g, s->n);
    bool own = false;
    for (uint32_t i = 0; i < s->n->member_count; i++) {
        own |= list[i].id == s->n->id;
        for (uint32_t j = 0; j < i; j++)
            if (list[i].id == list[j].id)
                MEMBER_ERROR(s, &list[i], "%s stands in the node twice", "it");
    }
    if (!own) rp_verify_error(s->v, s->n->pos, "n%u: none of its members has its id", s->n->id);
}

static void verify_names(members *s) {
    rp_table seen = {0};
    const rp_allocator *a = &s->v->graph->allocator;
    for (uint32_t i = 0; i < s->value_count && s->v->status != RP_ERROR_NO_MEMORY; i++) {
        uint32_t name = s->values[i].operand->name, other;
        if (name == RP_NONE) continue;
        if (rp_table_find(&seen, name, &other))
            MEMBER_ERROR(s, s->values[i].member, "there is another ^%.60s in the node",
                         rp_graph_string(s->v->graph, name));
        else if (!rp_table_add(a, &seen, name, i))
            s->v->status = RP_ERROR_NO_MEMORY;
    }
    rp_table_free(a, &seen);
}

/* Whether the node reads a range that it writes: seldom, so the question costs no second check of
 * every call. */
static bool has_in_place(const members *s) {
    const rp_graph_use *uses = rp_node_uses(s->v->graph, s->n);
    for (uint32_t i = 0; i < s->n->use_count; i++)
        for (uint32_t j = 0; j < i; j++)
            if ((uses[i].access == RP_READ) != (uses[j].access == RP_READ) &&
                is_same(&uses[i], &uses[j]))
                return true;
    return false;
}

static void verify_together(members *s) {
    const rp_graph *g = s->v->graph;
    bool in_place = has_in_place(s);
    verify_names(s);
    for (uint32_t i = 0; i < (in_place ? s->n->member_count : 0); i++) {
        const rp_graph_member *m = &rp_node_members(g, s->n)[i];
        rp_op_call call;
        rp_member_call(g, m, &call);
        if (!rp_op_check(&call)) continue; /* binds what the question of places needs */
        for (uint32_t k = 0; k < m->operand_count; k++) {
            const rp_graph_operand *o = &rp_member_operands(g, m)[k];
            if (o->access == RP_READ && o->use != RP_NONE) verify_in_place(s, &call, m, k);
        }
    }
    bool rest =
        s->n->kind == RP_RUN ? rp_node_has_size_uses(g, s->n) : s->use_count == s->n->use_count;
    if (s->ok && s->use_count < s->n->use_count && s->n->kind == RP_RUN && !rest)
        rp_verify_error(
            s->v, s->n->pos,
            "n%u: behind the uses of its members come the live buffers of the sizes that "
            "they follow, and nothing else",
            s->n->id);
    else if (s->ok && (s->use_count > s->n->use_count || !rest))
        rp_verify_error(s->v, s->n->pos, "n%u: %u uses, but its members need %u", s->n->id,
                        s->n->use_count, s->use_count);
}

void rp_verify_members(rp_verifier *v, const rp_graph_node *n) {
    members s = {.v = v, .n = n, .ok = true};
    const rp_graph *g = v->graph;
    if (!is_sound(&s)) return;
    uint32_t outputs = 0;
    for (uint32_t i = 0; i < n->member_count; i++)
        outputs += rp_node_members(g, n)[i].operand_count;
    s.values = rp_alloc(&g->allocator, outputs, sizeof *s.values);
    if (!s.values) {
        v->status = RP_ERROR_NO_MEMORY;
        return;
    }
    verify_ids(&s);
    /* One wrong member makes the numbering of what follows look wrong: the first one counts. */
    for (uint32_t i = 0; i < n->member_count && s.ok; i++)
        verify_member(&s, &rp_node_members(g, n)[i]);
    if (s.ok) verify_together(&s);
    bool writes = false;
    for (uint32_t i = 0; i < n->use_count; i++)
        writes |= rp_access_writes(rp_node_uses(g, n)[i].access);
    if (s.ok && !writes)
        rp_verify_error(v, n->pos, "n%u: it writes nothing: all its results are values", n->id);
    rp_release(&g->allocator, s.values);
}
