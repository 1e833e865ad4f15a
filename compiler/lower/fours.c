/* Four, eight and sixteen bytes of elements at once, where they lie together, are moved together, or are computed.
 *
 * An op that moves elements keeps some of them neighbours (rp_op.together). Who asks for as many gets
 * them by one load, of what is moved. Halves that stay together by fours make the sixteen bytes of a
 * cooperative matrix from two loads, as they lie: neither needs a conversion. */
#include "lower/internal.h"

#include <stdio.h>

/* ---- What is moved, and what makes four ------------------------------------------------------- */

/* Whether an op moves elements as they are, `count` of which, from a multiple of it on, come from as many
 * neighbours. */
static bool moves(const rp_emit *e, uint32_t value, uint32_t count) {
    const rp_emit_value *v = &e->values[value];
    const rp_op_call *call = &e->members[v->member].call;
    return call->op->form == RP_OP_POINTWISE && call->op->together && !v->window &&
           rp_emit_each(e, rp_sym_extent(call, call->op->together)) % count == 0 &&
           call->operands[0].dtype == v->dtype;
}

/* Whether an op of kernels/pointwise says itself how to compute four elements at once. */
static bool makes_four(const rp_emit *e, uint32_t value) {
    const rp_emit_value *v = &e->values[value];
    const rp_op_call *call = &e->members[v->member].call;
    if (v->window || call->op->form != RP_OP_POINTWISE || rp_op_formula(call) ||
        rp_op_is_wide(v->dtype))
        return false;
    char name[64];
    snprintf(name, sizeof name, "pointwise/%s", call->op->name);
    const char *source = rp_kernel_source(name);
    return source && strstr(source, " VALUE_4(");
}

bool rp_emit_has_four(const rp_emit *e, uint32_t value) {
    return moves(e, value, 4) || makes_four(e, value);
}

/* Begins the body of a function of what is moved: element i comes from `at`. `nothing` is a statement for
 * those that come from nowhere and are 0. */
static void put_moved_from(rp_emit *e, uint32_t value, const char *nothing) {
    const rp_op_call *call = &e->members[e->values[value].member].call;
    bool outside = call->op->outside || rp_op_is_sized(call); /* of nothing nothing can be moved */
    rp_text_format(&e->functions, "    uint at = %s_from(i);\n", rp_emit_exact_name(e, value));
    if (outside) rp_text_format(&e->functions, "    if (at == 0xffffffffu) %s\n", nothing);
}

/* The function that reads what is moved, behind that which says where it comes from. */
static const char *moved_reader(rp_emit *e, uint32_t value,
                                const char *(*reader)(rp_emit *e, uint32_t, uint32_t)) {
    rp_emit_value_function(e, value);
    return reader(e, e->values[value].member, 0);
}

const char *rp_emit_four_function(rp_emit *e, uint32_t value) {
    bool moved = moves(e, value, 4), own = makes_four(e, value);
    if (!moved && !own) return NULL;
    const rp_emit_value *v = &e->values[value];
    const char *one = rp_emit_value_function(e, value),
               *type = rp_emit_four_of(rp_emit_class(v->dtype));
    /* What is moved may have an own function for four, too, which has that name. */
    const char *name = rp_emit_name(e, moved && own ? "%s_moved_4" : "%s_4", one);
    if (!moved && !rp_emit_is_rounded(e, value)) return name;
    if (!rp_emit_add_function(e, name)) return name;
    const char *from = moved ? moved_reader(e, value, rp_emit_reader_4) : "";
    rp_text_format(&e->functions, "%s %s(uint i) {\n", type, name);
    if (moved) {
        put_moved_from(e, value, rp_emit_name(e, "return %s(0);", type));
        rp_text_format(&e->functions, "    return %s(at);\n}\n\n", from);
    } else {
        const char *x = moves(e, value, 1) ? "x" : rp_emit_round_4(e, v->dtype, type, "x");
        rp_text_format(&e->functions, "    %s x = %s_4(i);\n    return %s;\n}\n\n", type,
                       rp_emit_exact_name(e, value), x);
    }
    return name;
}

/* ---- Four and eight at once ------------------------------------------------------------------ */

/* Four elements of a value that members compute, from what they read four at a time, too. */
static void put_computed(rp_emit *e, const char *type, const char *name, uint32_t value) {
    rp_text loads, body;
    rp_eval eval;
    rp_text_init(&loads, &e->allocator);
    rp_text_init(&body, &e->allocator);
    if (rp_eval_open(&eval, e, &body, "i", "    ", e->values[value].elements) == RP_OK) {
        eval.loads = &loads;
        const char *local = rp_eval_value(&eval, value);
        rp_text_format(&e->functions, "%s %s(uint i) {\n", type, name);
        rp_emit_move(e, &e->functions, &loads);
        rp_emit_move(e, &e->functions, &body);
        rp_text_format(&e->functions, "    return %s;\n}\n\n", local);
        rp_eval_close(&eval);
    }
    rp_text_free(&loads);
    rp_text_free(&body);
}

/* Whether an input is what another member moves. */
static bool is_moved(const rp_emit *e, uint32_t member, uint32_t operand, uint32_t count) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    return !o->absent && o->value != RP_NONE && moves(e, o->value, count);
}

/* Four elements of what is absent, or computed; NULL for what is in memory. */
static const char *other_reader_4(rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    bool computed = o->value != RP_NONE && !rp_emit_is_output(e, member, operand);
    if (!o->absent && !computed) return NULL;
    const char *four = computed ? rp_emit_four_function(e, o->value) : NULL;
    if (four) return four;
    const char *one = rp_emit_reader(e, member, operand);
    const char *type = rp_emit_type_4(e, member, operand);
    const char *name = rp_emit_name(e, "%s_4", one);
    if (!rp_emit_add_function(e, name)) return name;
    if (computed)
        put_computed(e, type, name, o->value);
    else
        rp_text_format(&e->functions, "%s %s(uint i) {\n    return %s(%s(i));\n}\n\n", type, name,
                       type, one);
    return name;
}

const char *rp_emit_reader_4(rp_emit *e, uint32_t member, uint32_t operand) {
    if (e->status != RP_OK) return "";
    const char *name = other_reader_4(e, member, operand);
    return name ? name : rp_emit_memory_4(e, member, operand);
}

const char *rp_emit_reader_8(rp_emit *e, uint32_t member, uint32_t operand) {
    if (e->status != RP_OK) return "";
    const char *four = other_reader_4(e, member, operand);
    if (!four) return rp_emit_memory_8(e, member, operand);
    const char *name = rp_emit_name(e, "%s_8", rp_emit_reader(e, member, operand));
    const char *type = rp_emit_type_4(e, member, operand);
    uint32_t value = e->members[member].operands[operand].value;
    if (!rp_emit_add_function(e, name)) return name;
    if (is_moved(e, member, operand, 8)) {
        const char *from = moved_reader(e, value, rp_emit_reader_8);
        rp_text_format(&e->functions, "void %s(uint i, out %s low, out %s high) {\n", name, type,
                       type);
        put_moved_from(
            e, value,
            rp_emit_name(e, "{\n        low = high = %s(0);\n        return;\n    }", type));
        rp_text_format(&e->functions, "    %s(at, low, high);\n}\n\n", from);
    } else
        rp_emit_put_eight(e, type, name, four);
    return name;
}

/* Of halves in memory that are moved by fours, the function of four as they lie; NULL for others. */
static const char *reader_pair(rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    if (o->absent || o->dtype != RP_F16) return NULL;
    if (!other_reader_4(e, member, operand)) return rp_emit_memory_pair(e, member, operand);
    if (!is_moved(e, member, operand, 4)) return NULL;
    const char *from = moved_reader(e, o->value, reader_pair);
    if (!from) return NULL;
    const char *name = rp_emit_name(e, "%s_pair", rp_emit_reader(e, member, operand));
    if (!rp_emit_add_function(e, name)) return name;
    rp_text_format(&e->functions, "uvec2 %s(uint i) {\n", name);
    put_moved_from(e, o->value, "return uvec2(0u);");
    rp_text_format(&e->functions, "    return %s(at);\n}\n\n", from);
    return name;
}

/* Sixteen bytes of what is moved as many together, or by fours; NULL for others. */
static const char *moved_words(rp_emit *e, uint32_t member, uint32_t operand) {
    uint32_t width = rp_emit_words_width(e, member, operand);
    bool whole = is_moved(e, member, operand, width);
    uint32_t value = e->members[member].operands[operand].value;
    const char *from =
        whole ? moved_reader(e, value, rp_emit_reader_words) : reader_pair(e, member, operand);
    if (!from) return NULL;
    const char *one = rp_emit_reader(e, member, operand);
    const char *name = rp_emit_words_name(e, member, operand, one);
    if (!rp_emit_add_function(e, name)) return name;
    rp_text_format(&e->functions, "uvec4 %s(uint i) {\n", name);
    if (whole) {
        put_moved_from(e, value, "return uvec4(0u);");
        rp_text_format(&e->functions, "    return %s(at);\n}\n\n", from);
    } else
        rp_text_format(&e->functions, "    return uvec4(%s(i), %s(i + 4u));\n}\n\n", from, from);
    return name;
}

const char *rp_emit_reader_words(rp_emit *e, uint32_t member, uint32_t operand) {
    if (e->status != RP_OK) return "";
    if (!other_reader_4(e, member, operand)) return rp_emit_memory_words(e, member, operand);
    const char *moved = moved_words(e, member, operand);
    if (moved) return moved;
    const char *one = rp_emit_reader(e, member, operand);
    const char *name = rp_emit_words_name(e, member, operand, one);
    const char *eight = rp_emit_reader_8(e, member, operand);
    if (rp_emit_add_function(e, name)) rp_emit_put_words(e, member, operand, name, eight);
    return name;
}

/* What is computed is so when it is asked for. */
const char *rp_emit_fetch(rp_emit *e, uint32_t member, uint32_t operand) {
    if (e->status != RP_OK) return "";
    bool computed = other_reader_4(e, member, operand) != NULL;
    return computed ? rp_emit_reader_words(e, member, operand)
                    : rp_emit_memory_fetch(e, member, operand);
}

const char *rp_emit_fetched(rp_emit *e, uint32_t member, uint32_t operand) {
    if (e->status != RP_OK) return "";
    if (!other_reader_4(e, member, operand)) return rp_emit_memory_fetched(e, member, operand);
    const char *name = rp_emit_name(e, "%s_fetched", rp_emit_reader(e, member, operand));
    if (rp_emit_add_function(e, name)) rp_emit_put_fetched(e, name);
    return name;
}
