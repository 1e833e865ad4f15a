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

static const char *step_result(rp_emit *e, uint32_t member, uint32_t step, bool own,
                               const char *row) {
    const char *name =
        rp_emit_name(e, "m%u_%s", member, e->members[member].call.op->steps[step].name);
    if (own || e->row_mode == RP_EMIT_ROW_ONE) return name;
    return rp_emit_name(e, "%s_rows[%s]", name, row);
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

/* The component of a variable of four that holds an input's element at v->index: "q_r0_f16_4.x". */
static const char *eval_quad(rp_eval *v, uint32_t member, uint32_t operand) {
    rp_emit *e = v->e;
    const char *four = rp_emit_memory_4(e, member, operand);
    const char *name = rp_emit_name(e, "q_%s", four);
    const char *type = rp_emit_type_4(e, member, operand);
    const char *load = rp_emit_name(e, "    %s %s = %s(i);\n", type, name, four);
    if (!v->quads->data || !strstr(v->quads->data, load)) rp_text_string(v->quads, load);
    return rp_emit_name(e, "%s.%c", name, "xyzw"[v->component]);
}

/* An input's element for element v->index of its member. */
static const char *eval_input(rp_eval *v, uint32_t member, uint32_t operand, bool per_row) {
    rp_emit *e = v->e;
    const rp_graph_operand *o = &e->members[member].operands[operand];
    const char *index = rp_emit_index(e, member, operand, v->index, per_row);
    if (index == v->index && !o->absent && o->value != RP_NONE &&
        e->values[o->value].elements == v->elements)
        return rp_eval_value(v, o->value);
    if (v->quads && index == v->index && rp_emit_is_plain(e, member, operand))
        return eval_quad(v, member, operand);
    return rp_emit_name(e, "%s(%s)", rp_emit_reader(e, member, operand), index);
}

const char *rp_eval_call(rp_eval *v, uint32_t member, const char *name, const rp_emit_args *args,
                         bool per_row) {
    rp_emit *e = v->e;
    const char *list = "";
    for (uint32_t i = 0; i < args->count && e->status == RP_OK; i++) {
        uint32_t arg = args->names[i];
        const char *text;
        if (arg < RP_NAME_ATTR) {
            text = eval_input(v, member, arg, per_row);
        } else {
            const char *row = v->index;
            if (!per_row) row = rp_emit_name(e, "%s / %s", row, rp_emit_symbol(e, member, 'C'));
            text = step_result(e, member, arg - RP_NAME_STEP, v->own_steps == member, row);
        }
        list = rp_emit_name(e, "%s%s%s", list, i ? ", " : "", text);
    }
    return rp_emit_name(e, "%s(%s)", name, list);
}

/* The function of a member's output, made when it is first asked for; NULL for ops of kernels/. */
static const char *output_function(rp_emit *e, uint32_t value, rp_emit_args *args) {
    rp_emit_value *out = &e->values[value];
    const rp_op_call *call = &e->members[out->member].call;
    const char *text = call->op->form == RP_OP_ROWS
                           ? rp_op_operand_of(call, out->operand)->expression
                           : rp_op_formula(call);
    if (!text) return NULL;
    if (!out->formula) {
        out->formula =
            rp_emit_name(e, "m%u_%s", out->member, rp_op_operand_name(call, out->operand));
        rp_emit_formula(e, out->member, text, out->formula, out->dtype, &out->args);
    }
    *args = out->args;
    return out->formula;
}

const char *rp_eval_value(rp_eval *v, uint32_t value) {
    rp_emit *e = v->e;
    const rp_emit_value *out = &e->values[value];
    if (e->status != RP_OK) return "";
    if (v->locals[value]) return v->locals[value];
    const rp_emit_member *m = &e->members[out->member];
    const char *text = NULL;
    rp_emit_args args;
    if (out->window == 1) return v->locals[value] = rp_emit_name(e, "c%u", value);
    const char *function = out->window ? NULL : output_function(e, value, &args);
    if (function && (m->call.op->form == RP_OP_POINTWISE || m->call.op->form == RP_OP_ROWS))
        text = rp_eval_call(v, out->member, function, &args,
                            rp_emit_is_per_row(e, out->member, out->operand));
    else
        text = rp_emit_name(e, "%s(%s)", rp_emit_value_function(e, value), v->index);
    if (e->status != RP_OK) return "";
    v->locals[value] = rp_emit_name(e, "e%u", value);
    rp_text_format(v->to, "%s%s e%u = %s;\n", v->indent, rp_emit_class(out->dtype), value, text);
    return v->locals[value];
}

/* ---- Functions of an index ------------------------------------------------------------------- */

void rp_emit_element_text(rp_emit *e, rp_text *to, uint32_t member, const char *source,
                          const char *value) {
    static const rp_emit_names names = {
        rp_emit_reader, rp_emit_reader_4, rp_emit_reader_8, rp_emit_reader_halves, NULL, NULL};
    rp_emit_text(e, to, member, source, value, &names);
}

/* What memory holds is rounded: so is what a function returns. */
static bool is_rounded(const rp_emit *e, uint32_t value) {
    uint8_t dtype = e->values[value].dtype;
    return *rp_emit_rounding(dtype) != '\0';
}

/* The function before that. */
static const char *exact_name(rp_emit *e, uint32_t value) {
    return rp_emit_name(e, is_rounded(e, value) ? "v%u_exact" : "v%u", value);
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
    rp_text_append(&e->functions, text.data ? text.data : "", text.size);
    rp_text_char(&e->functions, '\n');
    rp_text_free(&text);
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
        rp_text_format(&e->functions, "%s %s(uint i) {\n%s    return %s;\n}\n\n",
                       rp_emit_class(out->dtype), name, body.data ? body.data : "", local);
        rp_eval_close(&eval);
    }
    if (body.failed) rp_emit_no_memory(e);
    rp_text_free(&body);
    return name;
}

/* ---- Four and eight at once ------------------------------------------------------------------ */

/* Four elements of a value that members compute: what they read at the elements' own indices comes
 * four at a time, too. */
static void put_computed(rp_emit *e, const char *type, const char *name, uint32_t value) {
    static const char *const indices[] = {"i", "(i + 1u)", "(i + 2u)", "(i + 3u)"};
    rp_text quads, body;
    rp_text_init(&quads, &e->allocator);
    rp_text_init(&body, &e->allocator);
    for (uint32_t c = 0; c < 4; c++) {
        rp_eval eval;
        if (rp_eval_open(&eval, e, &body, indices[c], "        ", e->values[value].elements) !=
            RP_OK)
            break;
        eval.quads = &quads;
        eval.component = c;
        rp_text_string(&body, "    {\n");
        rp_text_format(&body, "        r.%c = %s;\n    }\n", "xyzw"[c],
                       rp_eval_value(&eval, value));
        rp_eval_close(&eval);
    }
    rp_text_format(&e->functions, "%s %s(uint i) {\n%s    %s r;\n%s    return r;\n}\n\n", type,
                   name, quads.data ? quads.data : "", type, body.data ? body.data : "");
    if (quads.failed || body.failed) rp_emit_no_memory(e);
    rp_text_free(&quads);
    rp_text_free(&body);
}

/* The member that makes an input by moving elements as they are, `count` of which, from a multiple
 * of it on, come from as many neighbours; RP_NONE for any other input. */
static uint32_t mover_of(const rp_emit *e, uint32_t member, uint32_t operand, uint32_t count) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    if (o->absent || o->value == RP_NONE) return RP_NONE;
    const rp_emit_value *value = &e->values[o->value];
    const rp_op_call *call = &e->members[value->member].call;
    bool together = call->op->form == RP_OP_POINTWISE && call->op->together && !value->window &&
                    rp_sym(call, call->op->together) % count == 0 &&
                    call->operands[0].dtype == value->dtype;
    return together ? value->member : RP_NONE;
}

/* Where element i of what was moved comes from: a call of a function that its text has. */
static const char *moved_from(rp_emit *e, uint32_t member, uint32_t operand) {
    uint32_t value = e->members[member].operands[operand].value;
    rp_emit_value_function(e, value);
    return rp_emit_name(e, "%s_from(i)", exact_name(e, value));
}

/* Four elements of what is absent, or computed; NULL for what is in memory. */
static const char *other_reader_4(rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    bool computed = o->value != RP_NONE && !rp_emit_is_output(e, member, operand);
    if (!o->absent && !computed) return NULL;
    const char *one = rp_emit_reader(e, member, operand);
    const char *name = rp_emit_name(e, "%s_4", one);
    const char *type = rp_emit_type_4(e, member, operand);
    if (!rp_emit_add_function(e, name)) return name;
    uint32_t mover = computed ? mover_of(e, member, operand, 4) : RP_NONE;
    if (mover != RP_NONE)
        rp_text_format(&e->functions, "%s %s(uint i) {\n    return %s(%s);\n}\n\n", type, name,
                       rp_emit_reader_4(e, mover, 0), moved_from(e, member, operand));
    else if (computed)
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
    uint32_t mover = mover_of(e, member, operand, 8);
    if (!rp_emit_add_function(e, name)) return name;
    if (mover != RP_NONE)
        rp_text_format(&e->functions,
                       "void %s(uint i, out %s low, out %s high) {\n    %s(%s, low, high);\n}\n\n",
                       name, type, type, rp_emit_reader_8(e, mover, 0),
                       moved_from(e, member, operand));
    else
        rp_emit_put_eight(e, type, name, four);
    return name;
}

const char *rp_emit_reader_halves(rp_emit *e, uint32_t member, uint32_t operand) {
    if (e->status != RP_OK) return "";
    if (!other_reader_4(e, member, operand)) return rp_emit_memory_halves(e, member, operand);
    const char *name = rp_emit_name(e, "%s_halves", rp_emit_reader(e, member, operand));
    const char *eight = rp_emit_reader_8(e, member, operand);
    uint32_t mover = mover_of(e, member, operand, 8);
    if (!rp_emit_add_function(e, name)) return name;
    if (mover != RP_NONE)
        rp_text_format(&e->functions, "uvec4 %s(uint i) {\n    return %s(%s);\n}\n\n", name,
                       rp_emit_reader_halves(e, mover, 0), moved_from(e, member, operand));
    else
        rp_emit_put_halves(e, name, eight);
    return name;
}
