/* Values: reading operands, wherever they come from.
 *
 * A value is asked for in two ways. At the index at hand: then all that is computed at this very
 * index is computed once, in order, into variables (rp_eval). At any other index: then through a
 * function `vN(uint i)`, whose body is such an evaluation. So text and work grow with the number of
 * members, not with the number of paths between them, as they would if each member's function
 * called those of its operands. */
#include "lower/internal.h"

#include <stdio.h>

/* ---- Readers --------------------------------------------------------------------------------- */

static const char *absent_reader(rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_op_call *call = &e->members[member].call;
    const char *name = rp_emit_name(e, "m%u_no_%s", member, rp_op_operand_name(call, operand));
    if (!rp_emit_add_function(e, name)) return name;
    const char *value = rp_op_operand_of(call, operand)->absent;
    if (rp_emit_absent_is_uint(e, member, operand)) { /* an integer, which no formula names */
        rp_text_format(&e->functions, "uint %s(uint i) {\n    return %s;\n}\n\n", name, value);
        return name;
    }
    const char *function = rp_emit_name(e, "%s_value", name);
    rp_emit_args args;
    rp_emit_formula(e, member, value ? value : "0.0", function, RP_F32, &args);
    rp_text_format(&e->functions, "float %s(uint i) {\n    return %s();\n}\n\n", name, function);
    return name;
}

bool rp_emit_is_plain(const rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    return o->absent || o->value == RP_NONE;
}

const char *rp_emit_reader(rp_emit *e, uint32_t member, uint32_t operand) {
    if (e->status != RP_OK) return "";
    const rp_graph_operand *o = &e->members[member].operands[operand];
    if (o->absent) return absent_reader(e, member, operand);
    if (o->value != RP_NONE && !rp_emit_is_output(e, member, operand))
        return rp_emit_value_function(e, o->value);
    return rp_emit_memory(e, member, operand);
}

bool rp_emit_has_own_rows(const rp_emit *e, uint32_t member) {
    const rp_op_call *call = &e->members[member].call;
    bool all = rp_op_row_threads(call, rp_graph_target(e->graph)) >= RP_OP_ROW_THREADS;
    return e->row_mode == RP_EMIT_ROW_ONE || (all && e->row_count == 1);
}

static const char *step_result(rp_emit *e, uint32_t member, uint32_t step, bool own,
                               const char *row) {
    const char *name =
        rp_emit_name(e, "m%u_%s", member, e->members[member].call.op->steps[step].name);
    if (own || rp_emit_has_own_rows(e, member)) return name;
    return rp_emit_name(e, "%s_rows[%s]", name, row);
}

/* ---- As memory has them ---------------------------------------------------------------------- */

bool rp_emit_only_stored(const rp_emit *e, uint32_t value) {
    for (uint32_t m = 0; m < e->member_count; m++)
        for (uint32_t k = 0; k < e->members[m].call.operand_count; k++) {
            const rp_graph_operand *o = &e->members[m].operands[k];
            if (!o->absent && o->value == value && !rp_emit_is_output(e, m, k)) return false;
        }
    return e->values[value].use != RP_NONE;
}

uint8_t rp_emit_kept(const rp_emit *e, uint32_t value) {
    const rp_emit_value *v = &e->values[value];
    bool half = v->dtype == RP_F16 || v->dtype == RP_BF16;
    /* What 64 bits become is rounded from more than an f32 has. */
    bool wide = rp_op_has_wide(&e->members[v->member].call);
    return half && !wide && rp_emit_only_stored(e, value) ? RP_F32 : v->dtype;
}

/* ---- Evaluation at an index ------------------------------------------------------------------ */

rp_status rp_eval_open(rp_eval *v, rp_emit *e, rp_text *to, const char *index, const char *indent,
                       uint64_t elements) {
    *v = (rp_eval){.e = e,
                   .to = to,
                   .index = index,
                   .indent = indent,
                   .elements = elements,
                   .own_steps = RP_NONE};
    v->locals = rp_alloc_zero(&e->allocator, e->value_count, sizeof *v->locals);
    return v->locals ? RP_OK : rp_emit_no_memory(e);
}

void rp_eval_close(rp_eval *v) {
    rp_release(&v->e->allocator, v->locals);
}

const char *const rp_emit_fours[4] = {"i", "(i + 1u)", "(i + 2u)", "(i + 3u)"};

/* A variable declared once in `to`. */
static const char *put_variable(rp_eval *v, rp_text *to, const char *type, const char *name,
                                const char *value) {
    const char *begin = rp_emit_name(v->e, "%s%s %s = ", v->indent, type, name);
    if (!to->data || !strstr(to->data, begin)) rp_text_format(to, "%s%s;\n", begin, value);
    return name;
}

/* A variable in front of all else. */
static const char *put_load(rp_eval *v, const char *type, const char *name, const char *value) {
    return put_variable(v, v->loads, type, name, value);
}

/* Whether an input is loaded ahead, into a member of the struct that `name` is taken out of. */
static bool put_ahead(rp_eval *v, uint32_t member, uint32_t operand, const char *name,
                      const char *index) {
    rp_emit *e = v->e;
    uint8_t dtype = e->members[member].operands[operand].dtype;
    const char *type = v->members ? rp_emit_load_type(e, member, operand, 4) : NULL;
    if (!type) return false;
    const char *field = rp_emit_name(e, "    %s %s;\n", type, name);
    if (v->members->data && strstr(v->members->data, field)) return true;
    rp_text_string(v->members, field);
    const char *fours = strcmp(index, "i") == 0 ? "i / 4u" : rp_emit_name(e, "(%s) / 4u", index);
    rp_text_format(v->values, "%s%s", v->values->size ? ", " : "",
                   rp_emit_element(e, member, operand, type, fours));
    put_load(v, rp_emit_type_4(e, member, operand), name,
             rp_emit_unpack_4(e, dtype, rp_emit_name(e, "ahead.%s", name)));
    return true;
}

const char *rp_emit_held_input(rp_emit *e, uint32_t member, uint32_t operand) {
    return rp_emit_name(e, "m%u_held_%s[slot]", member,
                        rp_op_operand_name(&e->members[member].call, operand));
}

bool rp_emit_has_held(const rp_emit *e) {
    for (uint32_t m = 0; m < e->member_count; m++)
        if (e->members[m].held) return true;
    return false;
}

static bool is_held(const rp_eval *v, uint32_t member, uint32_t operand) {
    return v->slot && v->loads && (v->e->members[member].held >> operand & 1);
}

/* Four elements of a value that threads hold for a rows member; NULL: they do not. */
static const char *held_value(const rp_eval *v, uint32_t value) {
    for (uint32_t i = 0; i < v->e->member_count && v->slot; i++) {
        const rp_emit_member *m = &v->e->members[i];
        for (uint32_t k = 0; m->held >> k; k++)
            if (is_held(v, i, k) && m->operands[k].value == value)
                return rp_emit_held_input(v->e, i, k);
    }
    return NULL;
}

/* A variable with an input's elements for the four from the index on. */
static const char *eval_input_4(rp_eval *v, uint32_t member, uint32_t operand, bool per_row) {
    rp_emit *e = v->e;
    if (is_held(v, member, operand) && !per_row) return rp_emit_held_input(e, member, operand);
    const rp_graph_operand *o = &e->members[member].operands[operand];
    const char *type = rp_emit_type_4(e, member, operand);
    rp_emit_run run = o->absent ? RP_RUN_SAME : RP_RUN_NONE;
    if (!o->absent && rp_emit_is_plain(e, member, operand))
        run = rp_emit_run_of(e, member, operand, 4, per_row);
    const char *index = rp_emit_index(e, member, operand, "i", per_row);
    const char *name =
        rp_emit_name(e, "q_m%u_%s%s", member, rp_op_operand_name(&e->members[member].call, operand),
                     per_row ? "_row" : "");
    if (run == RP_RUN_TOGETHER) {
        const char *four = rp_emit_memory_4(e, member, operand);
        if (strcmp(index, "i") == 0) name = rp_emit_name(e, "q_%s", four); /* others have it too */
        if (put_ahead(v, member, operand, name, index)) return name;
        return put_variable(v, v->early ? v->early : v->loads, type, name,
                            rp_emit_name(e, "%s(%s)", four, index));
    }
    const char *one = rp_emit_reader(e, member, operand);
    if (run == RP_RUN_SAME)
        return put_load(v, type, name, rp_emit_name(e, "%s(%s(%s))", type, one, index));
    const char *list = "";
    for (uint32_t c = 0; c < 4; c++)
        list = rp_emit_name(e, "%s%s%s(%s)", list, c ? ", " : "", one,
                            rp_emit_index(e, member, operand, rp_emit_fours[c], per_row));
    return put_load(v, type, name, rp_emit_name(e, "%s(%s)", type, list));
}

/* An input's element for element v->index of its member, or those of four. */
static const char *eval_input(rp_eval *v, uint32_t member, uint32_t operand, bool per_row) {
    rp_emit *e = v->e;
    const rp_graph_operand *o = &e->members[member].operands[operand];
    const char *index = rp_emit_index(e, member, operand, v->index, per_row);
    if (index == v->index && !o->absent && o->value != RP_NONE &&
        e->values[o->value].elements == v->elements)
        return rp_eval_value(v, o->value);
    if (v->loads) return eval_input_4(v, member, operand, per_row);
    return rp_emit_name(e, "%s(%s)", rp_emit_reader(e, member, operand), index);
}

const char *rp_eval_input(rp_eval *v, uint32_t member, uint32_t operand) {
    return eval_input(v, member, operand, false);
}

static const char *eval_step(rp_eval *v, uint32_t member, uint32_t step, bool per_row) {
    rp_emit *e = v->e;
    bool own = v->own_steps == member;
    const char *list = "", *length = rp_emit_symbol(e, member, 'C');
    for (uint32_t c = 0; c < (v->loads ? 4 : 1); c++) {
        const char *row = v->loads ? rp_emit_fours[c] : v->index;
        if (!per_row) row = rp_emit_name(e, "%s / %s", row, length);
        list =
            rp_emit_name(e, "%s%s%s", list, c ? ", " : "", step_result(e, member, step, own, row));
    }
    if (!v->loads) return list;
    bool index = rp_emit_is_index_step(&e->members[member].call.op->steps[step]);
    const char *name = rp_emit_name(e, "q_m%u_step%u%s", member, step, per_row ? "_row" : "");
    const char *type = index ? "uvec4" : "vec4";
    return put_load(v, type, name, rp_emit_name(e, "%s(%s)", type, list));
}

/* The element's place along a dimension of its member's output, or among all elements. */
static const char *eval_place(rp_eval *v, uint32_t member, uint32_t place) {
    rp_emit *e = v->e;
    if (!v->loads) return rp_emit_place(e, member, place, v->index);
    const char *list = "";
    for (uint32_t c = 0; c < 4; c++)
        list = rp_emit_name(e, "%s%s%s", list, c ? ", " : "",
                            rp_emit_place(e, member, place, rp_emit_fours[c]));
    return put_load(v, "ivec4", rp_emit_name(e, "q_m%u_place%u", member, place),
                    rp_emit_name(e, "ivec4(%s)", list));
}

/* NAME of the arguments' component, one of "xyzw", or with 0 of them as they are. */
static const char *put_call(rp_emit *e, const char *name, const char *const *args, uint32_t count,
                            char component) {
    const char *list = "";
    for (uint32_t i = 0; i < count; i++)
        list = component ? rp_emit_name(e, "%s%s%s.%c", list, i ? ", " : "", args[i], component)
                         : rp_emit_name(e, "%s%s%s", list, i ? ", " : "", args[i]);
    return rp_emit_name(e, "%s(%s)", name, list);
}

/* Of each of four. */
static const char *put_calls(rp_emit *e, const char *type, const char *name,
                             const char *const *args, uint32_t count) {
    const char *list = "";
    for (uint32_t c = 0; c < 4; c++)
        list = rp_emit_name(e, "%s%s%s", list, c ? ", " : "",
                            put_call(e, name, args, count, "xyzw"[c]));
    return rp_emit_name(e, "%s(%s)", type, list);
}

static void eval_args(rp_eval *v, uint32_t member, const rp_emit_args *args, bool per_row,
                      const char **out) {
    for (uint32_t i = 0; i < args->count; i++) {
        uint32_t arg = args->names[i];
        out[i] = arg < RP_NAME_ATTR    ? eval_input(v, member, arg, per_row)
                 : arg < RP_NAME_PLACE ? eval_step(v, member, arg - RP_NAME_STEP, per_row)
                                       : eval_place(v, member, arg - RP_NAME_PLACE);
        if (arg < RP_NAME_ATTR && rp_op_is_bool_mask(&v->e->members[member].call, arg))
            out[i] = rp_emit_name(v->e, "to_mask(%s)", out[i]);
    }
}

const char *rp_eval_call(rp_eval *v, uint32_t member, const char *name, const rp_emit_args *args,
                         bool per_row) {
    const char *values[RP_NAME_COUNT];
    eval_args(v, member, args, per_row, values);
    return v->e->status == RP_OK ? put_call(v->e, name, values, args->count, 0) : "";
}

void rp_eval_call_4(rp_eval *v, uint32_t member, const char *name, const rp_emit_args *args,
                    const char *out[4]) {
    const char *values[RP_NAME_COUNT];
    eval_args(v, member, args, false, values);
    for (uint32_t c = 0; c < 4; c++)
        out[c] = v->e->status == RP_OK ? put_call(v->e, name, values, args->count, "xyzw"[c]) : "";
}

static const char *output_formula(const rp_emit *e, const rp_emit_value *out) {
    const rp_op_call *call = &e->members[out->member].call;
    return call->op->form == RP_OP_ROWS ? rp_op_operand_of(call, out->operand)->expression
                                        : rp_op_formula(call);
}

/* The function of a member's output, made when it is first asked for; NULL for ops of kernels/. */
static const char *output_function(rp_emit *e, uint32_t value, rp_emit_args *args) {
    rp_emit_value *out = &e->values[value];
    const rp_op_call *call = &e->members[out->member].call;
    const char *text = output_formula(e, out);
    if (!text) return NULL;
    if (!out->formula) {
        out->formula =
            rp_emit_name(e, "m%u_%s", out->member, rp_op_operand_name(call, out->operand));
        rp_emit_formula(e, out->member, text, out->formula, rp_emit_kept(e, value), &out->args);
    }
    *args = out->args;
    return out->formula;
}

/* The four elements of a member's output: by its formula for four, or by that for one, four times. */
static const char *eval_output_4(rp_eval *v, uint32_t value, const char *function,
                                 const rp_emit_args *args, bool per_row) {
    rp_emit *e = v->e;
    rp_emit_value *out = &e->values[value];
    const char *values[RP_NAME_COUNT], *type = rp_emit_four_of(rp_emit_class(out->dtype));
    eval_args(v, out->member, args, per_row, values);
    if (e->status != RP_OK) return "";
    if (!out->formula_4) {
        const char *name = rp_emit_name(e, "%s_4", function);
        bool made =
            rp_emit_formula_4(e, out->member, output_formula(e, out), name, rp_emit_kept(e, value));
        out->formula_4 = made ? name : "";
    }
    if (*out->formula_4) return put_call(e, out->formula_4, values, args->count, 0);
    return put_calls(e, type, function, values, args->count);
}

static bool is_rounded(const rp_emit *e, uint32_t value) {
    return *rp_emit_rounding(rp_emit_kept(e, value)) != '\0';
}

/* The function before that. */
static const char *exact_name(rp_emit *e, uint32_t value) {
    return rp_emit_name(e, is_rounded(e, value) ? "v%u_exact" : "v%u", value);
}

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

void rp_emit_put_moved_from(rp_emit *e, uint32_t value, const char *nothing) {
    const rp_op_call *call = &e->members[e->values[value].member].call;
    bool outside = call->op->outside || rp_op_is_sized(call); /* of nothing nothing can be moved */
    rp_text_format(&e->functions, "    uint at = %s_from(i);\n", exact_name(e, value));
    if (outside) rp_text_format(&e->functions, "    if (at == 0xffffffffu) %s\n", nothing);
}

const char *rp_emit_moved_reader(rp_emit *e, uint32_t value,
                                 const char *(*reader)(rp_emit *e, uint32_t, uint32_t)) {
    rp_emit_value_function(e, value);
    return reader(e, e->values[value].member, 0);
}

/* The function of four elements that are moved, or that the op makes at once; NULL for others. */
static const char *four_function(rp_emit *e, uint32_t value) {
    bool moved = moves(e, value, 4), own = makes_four(e, value);
    if (!moved && !own) return NULL;
    const rp_emit_value *v = &e->values[value];
    const char *one = rp_emit_value_function(e, value),
               *type = rp_emit_four_of(rp_emit_class(v->dtype));
    /* What is moved may have an own function for four, too, which has that name. */
    const char *name = rp_emit_name(e, moved && own ? "%s_moved_4" : "%s_4", one);
    if (!moved && !is_rounded(e, value)) return name;
    if (!rp_emit_add_function(e, name)) return name;
    const char *from = moved ? rp_emit_moved_reader(e, value, rp_emit_reader_4) : "";
    rp_text_format(&e->functions, "%s %s(uint i) {\n", type, name);
    if (moved) {
        rp_emit_put_moved_from(e, value, rp_emit_name(e, "return %s(0);", type));
        rp_text_format(&e->functions, "    return %s(at);\n}\n\n", from);
    } else {
        const char *x = moves(e, value, 1) ? "x" : rp_emit_round_4(e, v->dtype, type, "x");
        rp_text_format(&e->functions, "    %s x = %s_4(i);\n    return %s;\n}\n\n", type,
                       exact_name(e, value), x);
    }
    return name;
}

const char *rp_eval_value(rp_eval *v, uint32_t value) {
    rp_emit *e = v->e;
    const rp_emit_value *out = &e->values[value];
    if (e->status != RP_OK) return "";
    if (v->locals[value]) return v->locals[value];
    const char *held = held_value(v, value);
    if (held) return v->locals[value] = held;
    const rp_emit_member *m = &e->members[out->member];
    const char *text, *four, *type = rp_emit_class(out->dtype);
    rp_emit_args args;
    if (out->window == 1) return v->locals[value] = rp_emit_name(e, "c%u", value);
    const char *function = out->window ? NULL : output_function(e, value, &args);
    bool per_row = rp_emit_is_per_row(e, out->member, out->operand);
    if (m->call.op->form != RP_OP_POINTWISE && m->call.op->form != RP_OP_ROWS) function = NULL;
    if (function && v->loads) {
        text = eval_output_4(v, value, function, &args, per_row);
    } else if (function) {
        text = rp_eval_call(v, out->member, function, &args, per_row);
    } else if (v->loads && (four = four_function(e, value))) {
        text = rp_emit_name(e, "%s(i)", four);
    } else if (v->loads) { /* "at": the four indices */
        const char *const at[] = {put_load(v, "uvec4", "at", "uvec4(i, i + 1u, i + 2u, i + 3u)")};
        text = put_calls(e, rp_emit_four_of(type), rp_emit_value_function(e, value), at, 1);
    } else {
        text = rp_emit_name(e, "%s(%s)", rp_emit_value_function(e, value), v->index);
    }
    if (e->status != RP_OK) return "";
    if (v->loads) type = rp_emit_four_of(type);
    v->locals[value] = rp_emit_name(e, "e%u", value);
    rp_text_format(v->to, "%s%s e%u = %s;\n", v->indent, type, value, text);
    return v->locals[value];
}

/* ---- Functions of an index ------------------------------------------------------------------- */

void rp_emit_element_text(rp_emit *e, rp_text *to, uint32_t member, const char *source,
                          const char *value) {
    rp_emit_text(e, to, member, source, value, e->readers);
}

/* A pointwise op of kernels/pointwise: its text is the function. */
static void file_function(rp_emit *e, uint32_t value, const char *name) {
    const rp_emit_value *out = &e->values[value];
    const rp_op_call *call = &e->members[out->member].call;
    const char *source = rp_kernel_source(rp_emit_name(e, "pointwise/%s", call->op->name));
    if (!source || call->op->form != RP_OP_POINTWISE) {
        rp_emit_fail(e, "%s cannot be computed element by element", call->op->name);
        return;
    }
    rp_text text;
    rp_text_init(&text, &e->allocator);
    const char *own = exact_name(e, value);
    rp_emit_element_text(e, &text, out->member, source, own);
    rp_emit_move(e, &e->functions, &text);
    rp_text_char(&e->functions, '\n');
    if (is_rounded(e, value))
        rp_text_format(&e->functions, "%s %s(uint i) {\n    return %s(%s(i));\n}\n\n",
                       rp_emit_class(out->dtype), name, rp_emit_rounding(out->dtype), own);
}

static void core_function(rp_emit *e, uint32_t value, const char *name) {
    const rp_emit_value *out = &e->values[value];
    const char *text = out->window == 1
                           ? rp_emit_name(e, "c%u", value)
                           : rp_emit_name(e, "i == c%u_at ? c%u : c%u_other", value, value, value);
    rp_text_format(&e->functions, "%s %s(uint i) {\n    return %s;\n}\n\n",
                   rp_emit_class(out->dtype), name, text);
}

/* Values come before their readers, so the recursion ends, at most RP_EMIT_MAX_MEMBERS deep. */
const char *rp_emit_value_function(rp_emit *e, uint32_t value) {
    rp_emit_value *out = &e->values[value];
    const char *name = rp_emit_name(e, "v%u", value);
    if (out->function || e->status != RP_OK) return name;
    out->function = true;
    const rp_op_call *call = &e->members[out->member].call;
    if (out->window) {
        core_function(e, value, name);
        return name;
    }
    if (call->op->form != RP_OP_ROWS && !rp_op_formula(call)) {
        file_function(e, value, name);
        return name;
    }
    rp_text body;
    rp_text_init(&body, &e->allocator);
    rp_eval eval;
    if (rp_eval_open(&eval, e, &body, "i", "    ", out->elements) == RP_OK) {
        const char *local = rp_eval_value(&eval, value);
        rp_text_format(&e->functions, "%s %s(uint i) {\n", rp_emit_class(out->dtype), name);
        rp_emit_move(e, &e->functions, &body);
        rp_text_format(&e->functions, "    return %s;\n}\n\n", local);
        rp_eval_close(&eval);
    }
    rp_text_free(&body);
    return name;
}

/* ---- Four at once ---------------------------------------------------------------------------- */

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

bool rp_emit_is_moved(const rp_emit *e, uint32_t member, uint32_t operand, uint32_t count) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    return !o->absent && o->value != RP_NONE && moves(e, o->value, count);
}

const char *rp_emit_other_reader_4(rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    bool computed = o->value != RP_NONE && !rp_emit_is_output(e, member, operand);
    if (!o->absent && !computed) return NULL;
    const char *four = computed ? four_function(e, o->value) : NULL;
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
    const char *name = rp_emit_other_reader_4(e, member, operand);
    return name ? name : rp_emit_memory_4(e, member, operand);
}
