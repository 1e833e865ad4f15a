/* Op nodes in .rpir text: `n3 = op rms_norm {eps=1e-06} (r $x:f32[8], r $g:f32[8], w %n:f32[8])`,
 * `n6 = fused { ... }` and `n6 = run @k ... (...) for { ... }`.
 *
 * A block of members spans lines. A wrong member is reported and dropped like a wrong statement,
 * and the node with it; what else stands in the block is read, so that its errors are told, too. */
#include "text/parse.h"

#include <stdio.h>

#include "base/number.h"
#include "base/spelling.h"
#include "graph/keywords.h"
#include "graph/members.h"
#include "graph/verify.h"
#include "ops/tables.h"

/* What is collected of one node. */
typedef struct block {
    rp_node_builder builder;
    rp_table values; /* name of an output that is not in memory -> its value */
    bool wrong;      /* a member was dropped: what it computes is not missed */
} block;

/* ---- The op's name --------------------------------------------------------------------------- */

enum { NEAR = 2 };

/* Keeps the candidate in *out where it is the nearest so far and near enough to be meant. */
static void consider(const rp_token *t, const char *candidate, uint32_t *best, const char **out) {
    uint32_t d = rp_edit_distance(t->text, t->length, candidate, strlen(candidate));
    if (d > (t->length > 3 ? NEAR : 1) || d >= t->length || d >= *best) return;
    *best = d;
    *out = candidate;
}

static bool unknown_op(rp_parser *p, const rp_token *t) {
    uint32_t best = RP_NONE;
    const char *near = NULL;
    for (uint32_t i = 0; i < rp_op_count(); i++) consider(t, rp_op_name(rp_op_at(i)), &best, &near);
    if (near)
        return RP_FAIL(p, t, "there is no op %s; did you mean %s?", rp_parse_show(t).text, near);
    return RP_FAIL(p, t, "there is no op %s; `reprise kernels` lists them", rp_parse_show(t).text);
}

/* ---- Attributes ------------------------------------------------------------------------------ */

static bool unknown_attr(rp_parser *p, const rp_op *op, const rp_token *t) {
    char known[256] = "";
    size_t length = 0;
    uint32_t best = RP_NONE;
    const char *near = op == rp_op_map ? "expr" : NULL;
    for (uint32_t i = 0; i < op->attr_count; i++) {
        consider(t, op->attrs[i].name, &best, &near);
        int n = snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "",
                         op->attrs[i].name);
        if (n > 0 && (size_t)n < sizeof known - length) length += (size_t)n;
    }
    if (near)
        return RP_FAIL(p, t, "%s has no attribute %s; did you mean %s?", op->name,
                       rp_parse_show(t).text, near);
    if (length == 0)
        return RP_FAIL(p, t, "%s has no attribute %s: it has none", op->name,
                       rp_parse_show(t).text);
    return RP_FAIL(p, t, "%s has no attribute %s; it has %s", op->name, rp_parse_show(t).text,
                   known);
}

/* A word, or a string for one that is none. */
static bool parse_choice(rp_parser *p, rp_graph_attr *attr) {
    rp_token t = p->lx.token;
    if (t.kind != RP_TOKEN_WORD) return rp_parse_string(p, "a choice", &attr->text);
    attr->text = rp_graph_intern(p->g, t.text, t.length);
    rp_lex_next(&p->lx);
    return attr->text != RP_NONE || rp_parse_no_memory(p);
}

/* "eps=1e-06" */
static bool parse_attr(rp_parser *p, const rp_op *op, rp_graph_attr *attr) {
    rp_token name = rp_parse_take(p);
    if (name.kind != RP_TOKEN_WORD)
        return RP_FAIL(p, &name, "expected an attribute's name, found %s",
                       rp_parse_show(&name).text);
    uint32_t index = rp_op_attr_index(op, name.text, name.length);
    bool formula = op == rp_op_map && rp_parse_word_is(&name, "expr");
    if (index == RP_OP_MISSING && !formula) return unknown_attr(p, op, &name);
    *attr = (rp_graph_attr){.name = rp_graph_intern(p->g, name.text, name.length), .text = RP_NONE};
    if (attr->name == RP_NONE) return rp_parse_no_memory(p);
    if (!rp_parse_expect(p, '=', "behind the attribute's name")) return false;
    rp_token t = p->lx.token;
    if (formula) return rp_parse_string(p, "the formula as a string", &attr->text);
    if (op->attrs[index].kind == RP_ATTR_CHOICE) {
        if (!parse_choice(p, attr)) return false;
        if (rp_choice_find(op->attrs[index].choices, rp_graph_string(p->g, attr->text)) != RP_NONE)
            return true;
        return RP_FAIL(p, &t, "%s: %s is one of %s, not %s", op->name, op->attrs[index].name,
                       op->attrs[index].choices, rp_parse_show(&t).text);
    }
    if (t.kind != RP_TOKEN_WORD ||
        !(op->attrs[index].like
              ? rp_number_parse_exact(t.text, t.length, &attr->number, &attr->rest)
              : rp_number_parse(t.text, t.length, &attr->number)))
        return RP_FAIL(p, &t, "expected a number for %s, found %s", op->attrs[index].name,
                       rp_parse_show(&t).text);
    rp_lex_next(&p->lx);
    return true;
}

/* "{eps=1e-06, scale=2}", or nothing. */
static bool parse_attrs(rp_parser *p, const rp_op *op, rp_graph_attr *attrs, uint32_t *out_count) {
    *out_count = 0;
    if (!rp_parse_accept(p, '{')) return true;
    do {
        rp_token t = p->lx.token;
        if (*out_count > RP_OP_MAX_ATTRS)
            return RP_FAIL(p, &t, "an op has at most %d attributes", RP_OP_MAX_ATTRS);
        if (!parse_attr(p, op, &attrs[*out_count])) return false;
        for (uint32_t i = 0; i < *out_count; i++)
            if (attrs[i].name == attrs[*out_count].name)
                return RP_FAIL(p, &t, "the attribute %s is given twice", rp_parse_show(&t).text);
        ++*out_count;
    } while (rp_parse_accept(p, ','));
    return rp_parse_expect(p, '}', "behind the attributes");
}

/* ---- Operands -------------------------------------------------------------------------------- */

/* "^name": a new value, or one that an earlier member computes. */
static bool parse_value(rp_parser *p, block *b, const rp_token *t, rp_graph_operand *operand) {
    uint32_t known = RP_NONE;
    if (!rp_parse_name(p, t, &operand->name)) return false;
    bool found = rp_table_find(&b->values, operand->name, &known);
    if (operand->access == RP_READ) {
        operand->value = known;
        if (found || b->wrong) return found;
        return RP_FAIL(p, t, "no member before this one computes %s", rp_parse_show(t).text);
    }
    if (operand->access != RP_WRITE)
        return RP_FAIL(p, t, "a value is read or computed; %s cannot be written in part",
                       rp_parse_show(t).text);
    if (found) return RP_FAIL(p, t, "there is another %s in this node", rp_parse_show(t).text);
    return true;
}

/* "r $x[0+64]:f32[16]", "w ^n:f32[8]", or "-" for an operand that is absent. */
static bool parse_operand(rp_parser *p, block *b) {
    rp_graph_operand operand = {.use = RP_NONE, .value = RP_NONE, .name = RP_NONE};
    rp_graph_use use = {0};
    rp_parsed_type type;
    rp_token t = p->lx.token;
    rp_node_builder *to = &b->builder;
    if (rp_parse_accept_word(p, "-")) {
        operand.absent = true;
        return rp_node_add_operand(to, operand, NULL, NULL) || rp_parse_no_memory(p);
    }
    if (t.kind != RP_TOKEN_WORD || !rp_access_parse(t.text, t.length, &operand.access) ||
        operand.access == RP_UNIFORM)
        return rp_parse_expected(p, "r, w or rw and an operand, or '-' for one that is absent");
    rp_lex_next(&p->lx);
    use.access = operand.access;
    rp_token place = p->lx.token;
    bool memory = place.kind != RP_TOKEN_VALUE;
    if (memory && !rp_parse_range(p, &use)) return false;
    if (!memory) rp_lex_next(&p->lx);
    if (!memory && !parse_value(p, b, &place, &operand)) return false;
    if (!rp_parse_expect(p, ':', "and the operand's type") ||
        !rp_parse_type(p, "a type like f32[64]", &type))
        return false;
    operand.dtype = type.dtype;
    operand.rank = type.rank;
    operand.first_dim = type.first_dim;
    uint32_t value = to->value_count;
    if (!rp_node_add_operand(to, operand, NULL, memory ? &use : NULL)) return rp_parse_no_memory(p);
    if (to->node->use_count > RP_MAX_PARAMS)
        return RP_FAIL(p, &place, "a node uses at most %d ranges", RP_MAX_PARAMS);
    bool named = !memory && operand.access == RP_WRITE;
    return !named || rp_table_add(p->a, &b->values, operand.name, value) || rp_parse_no_memory(p);
}

static bool wrong_count(rp_parser *p, const rp_token *name, const rp_op *op, uint32_t count) {
    char list[256] = "up to 26 inputs, out";
    size_t length = 0;
    for (uint32_t i = 0; i < op->operand_count && op != rp_op_map; i++) {
        int n = snprintf(list + length, sizeof list - length, "%s%s%s", i ? ", " : "",
                         op->operands[i].name, op->operands[i].optional ? " (or '-')" : "");
        if (n > 0 && (size_t)n < sizeof list - length) length += (size_t)n;
    }
    return RP_FAIL(p, name, "%s takes (%s), found %u operand%s", op->name, list, count,
                   count == 1 ? "" : "s");
}

/* Operands against the op: their number, and how each is accessed. */
static bool match_operands(rp_parser *p, const rp_token *name, const rp_graph_member *m,
                           const uint32_t *columns) {
    bool map = m->op == rp_op_map;
    if (map ? m->operand_count == 0 : m->operand_count != m->op->operand_count)
        return wrong_count(p, name, m->op, m->operand_count);
    rp_op_call call = {.op = m->op, .operand_count = m->operand_count};
    for (uint32_t i = 0; i < m->operand_count; i++) {
        rp_graph_operand *o = &p->g->operands[m->first_operand + i];
        uint8_t access = rp_op_operand_of(&call, i)->access;
        if (o->absent) o->access = access;
        if (o->access != access)
            return rp_parse_fail(p, name->line, columns[i], "%s: the operand %s is '%s', not '%s'",
                                 m->op->name, rp_op_operand_name(&call, i),
                                 rp_access_name((rp_access)access),
                                 rp_access_name((rp_access)o->access));
    }
    return true;
}

/* ---- Members --------------------------------------------------------------------------------- */

/* "rms_norm {eps=1e-06} (r $x:f32[8], ...)" */
static bool parse_member(rp_parser *p, block *b, uint32_t id, rp_source_pos pos) {
    rp_graph_attr attrs[RP_OP_MAX_ATTRS + 1];
    uint32_t columns[RP_OP_MAX_OPERANDS], attr_count;
    rp_token name = rp_parse_take(p);
    if (name.kind != RP_TOKEN_WORD)
        return RP_FAIL(p, &name, "expected the op's name, found %s", rp_parse_show(&name).text);
    const rp_op *op = rp_op_find(name.text, name.length);
    if (!op) return unknown_op(p, &name);
    if (b->builder.node->member_count == RP_MAX_MEMBERS)
        return RP_FAIL(p, &name, "a node has at most %d members", RP_MAX_MEMBERS);
    if (!parse_attrs(p, op, attrs, &attr_count) || !rp_parse_expect(p, '(', "and the operands"))
        return false;
    rp_node_begin_member(&b->builder, id, op, pos);
    rp_graph_member *m = &b->builder.member;
    if (!rp_parse_accept(p, ')')) {
        do {
            rp_token t = p->lx.token;
            if (m->operand_count == RP_OP_MAX_OPERANDS)
                return RP_FAIL(p, &t, "an op has at most %d operands", RP_OP_MAX_OPERANDS);
            columns[m->operand_count] = t.column;
            if (!parse_operand(p, b)) return false;
        } while (rp_parse_accept(p, ','));
        if (!rp_parse_expect(p, ')', "behind the operands")) return false;
    }
    if (!match_operands(p, &name, m, columns)) return false;
    return rp_node_end_member(&b->builder, attrs, attr_count) || rp_parse_no_memory(p);
}

bool rp_parse_op_node(rp_parser *p, rp_graph_node *n) {
    block b = {.builder = rp_node_build(p->g, n)};
    bool ok = parse_member(p, &b, n->id, n->pos);
    rp_table_free(p->a, &b.values);
    return ok;
}

/* One line of a block. */
static bool parse_member_line(rp_parser *p, block *b) {
    rp_token first = rp_parse_take(p);
    uint32_t id;
    if (!rp_parse_node_id(&first, &id))
        return RP_FAIL(p, &first, "expected a member like 'n3 = rms_norm ...' or '}', found %s",
                       rp_parse_show(&first).text);
    return rp_parse_expect(p, '=', "behind the member's id") &&
           parse_member(p, b, id, (rp_source_pos){first.line, first.column}) &&
           rp_parse_line_end(p);
}

/* Whether a line cannot belong to a block: then its '}' is missing, and is not looked for further.
 */
static bool is_statement(const rp_token *t) {
    return t->kind == RP_TOKEN_END || rp_parse_word_is(t, "buf") || rp_parse_word_is(t, "kern") ||
           rp_parse_word_is(t, "samp") || rp_parse_word_is(t, "group") ||
           rp_parse_word_is(t, "barrier");
}

static bool parse_block(rp_parser *p, rp_graph_node *n) {
    block b = {.builder = rp_node_build(p->g, n)};
    bool ok = rp_parse_expect(p, '{', "and the members") && rp_parse_line_end(p);
    for (bool inside = ok; inside;) {
        while (p->lx.token.kind == RP_TOKEN_NEWLINE) rp_lex_next(&p->lx);
        if (rp_parse_accept(p, '}')) break;
        if (is_statement(&p->lx.token)) {
            ok = inside = rp_parse_expected(p, "'}' behind the members");
            break;
        }
        if (!parse_member_line(p, &b)) b.wrong = true;
        inside = p->status != RP_ERROR_NO_MEMORY;
        rp_lex_skip_line(&p->lx);
    }
    rp_table_free(p->a, &b.values);
    return ok && !b.wrong;
}

bool rp_parse_fused(rp_parser *p, rp_graph_node *n) {
    n->kind = RP_OP;
    return parse_block(p, n);
}

bool rp_parse_for(rp_parser *p, rp_graph_node *n) {
    /* The members' uses are built behind those that the node lists, and must turn out the same. */
    rp_graph *g = p->g;
    rp_graph_node built = *n;
    built.first_use = g->uses_count;
    built.use_count = 0;
    if (!parse_block(p, &built)) return false;
    n->first_member = built.first_member;
    n->member_count = built.member_count;
    const rp_graph_use *listed = rp_node_uses(g, n), *needed = rp_node_uses(g, &built);
    rp_token at = {.line = n->pos.line, .column = n->pos.column};
    for (uint32_t i = 0; i < n->use_count && i < built.use_count; i++) {
        const rp_graph_use *u = &listed[i], *v = &needed[i];
        if (u->buffer != v->buffer || u->access != v->access || u->offset != v->offset ||
            u->size != v->size)
            return RP_FAIL(p, &at, "use %u is %s, but the members have %s there", i,
                           rp_show_use(g, u).text, rp_show_use(g, v).text);
    }
    /* What stands behind them, verification judges: live sizes that members follow. */
    if (n->use_count < built.use_count || (n->use_count > built.use_count && !rp_node_powers(g, n)))
        return RP_FAIL(p, &at, "the node lists %u uses, its members have %u", n->use_count,
                       built.use_count);
    g->uses_count = built.first_use;
    return true;
}
