/* Stores: from values to memory.
 *
 * What is stored at an index is computed first, all of it, and then stored: an output may lie over
 * an input (in place), which another output may need, too. */
#include "lower/internal.h"

#include <stdio.h>

/* Whether a value is the output of a scatter: its elements go where the op's text says. */
static bool is_scatter(const rp_emit *e, uint32_t value) {
    return e->members[e->values[value].member].call.op->form == RP_OP_SCATTER;
}

void rp_emit_store(rp_emit *e, rp_text *to, uint32_t value, const char *index, const char *indent,
                   const char *variable) {
    const rp_emit_value *out = &e->values[value];
    if (rp_emit_is_tagged(e, out->member, out->operand)) {
        rp_text_format(to, "%s%s;\n", indent,
                       rp_emit_tagged_store(e, out->member, out->operand, index, variable));
        return;
    }
    const char *element = rp_emit_element(e, out->member, out->operand, NULL, index);
    const char *before = "", *behind = "";
    switch ((rp_dtype)out->dtype) {
    case RP_F16: before = "uint16_t(f32_to_f16(", behind = "))"; break;
    case RP_BF16: before = "uint16_t(f32_to_bf16(", behind = "))"; break;
    case RP_I8: before = "int8_t(", behind = ")"; break;
    case RP_I16: before = "int16_t(", behind = ")"; break;
    case RP_U16: before = "uint16_t(", behind = ")"; break;
    case RP_RAW:
    case RP_BOOL:
    case RP_U8: before = "uint8_t(", behind = ")"; break;
    case RP_F64:
    case RP_I64:
    case RP_U64:
    case RP_F32:
    case RP_I32:
    case RP_U32: break;
    case RP_Q8_0:
    case RP_Q4_0: rp_emit_fail(e, "blocks are written whole, not by element"); return;
    }
    rp_text_format(to, "%s%s = %s%s%s;\n", indent, element, before, variable, behind);
}

/* ---- Scatters -------------------------------------------------------------------------------- */

/* The name of the function that says where element i goes. */
static const char *scatter_function(rp_emit *e, uint32_t member) {
    const rp_op *op = e->members[member].call.op;
    const char *name = rp_emit_name(e, "m%u_place", member);
    const char *source = rp_kernel_source(rp_emit_name(e, "scatter/%s", op->name));
    if (!source) {
        rp_emit_fail(e, "kernels/scatter has no text for %s", op->name);
        return name;
    }
    if (!rp_emit_add_function(e, name)) return name;
    rp_text text;
    rp_text_init(&text, &e->allocator);
    rp_emit_element_text(e, &text, member, source, name);
    rp_emit_move(e, &e->functions, &text);
    rp_text_char(&e->functions, '\n');
    return name;
}

/* The elements of the member's first input at the index, converted to the output's dtype. */
static const char *scatter_source(rp_eval *v, uint32_t value) {
    rp_emit *e = v->e;
    const rp_emit_value *out = &e->values[value];
    const rp_graph_operand *from = &e->members[out->member].operands[0];
    const char *text = from->value != RP_NONE && e->values[from->value].elements == v->elements
                           ? rp_eval_value(v, from->value)
                           : rp_emit_name(e, "%s(%s)", rp_emit_reader(e, out->member, 0), v->index);
    const char *own = rp_emit_class(from->dtype), *wanted = rp_emit_class(out->dtype);
    if (strcmp(own, wanted) != 0) {
        const char *converter = *wanted == 'f' ? "float" : *wanted == 'i' ? "to_i32" : "to_u32";
        text = rp_emit_name(e, "%s(%s)", converter, text);
    }
    return from->dtype == out->dtype
               ? text
               : rp_emit_name(e, "%s(%s)", rp_emit_rounding(out->dtype), text);
}

/* ---- Outputs at an index --------------------------------------------------------------------- */

uint64_t rp_emit_elements(const rp_emit *e, uint32_t value) {
    const rp_emit_value *out = &e->values[value];
    return is_scatter(e, value) ? rp_tensor_elements(&e->members[out->member].call.operands[0])
                                : out->elements;
}

rp_extent rp_emit_elements_extent(const rp_emit *e, uint64_t elements) {
    for (uint32_t i = 0; i < e->value_count; i++) {
        const rp_emit_value *v = &e->values[i];
        const rp_tensor *operands = e->members[v->member].call.operands;
        if (v->use != RP_NONE && rp_emit_elements(e, i) == elements)
            return rp_tensor_extent(&operands[is_scatter(e, i) ? 0 : v->operand]);
    }
    return rp_extent_fixed(elements);
}

typedef struct output {
    uint32_t value;
    const char *variable, *index;
} output;

static void put_output(rp_eval *v, uint32_t value, output *out) {
    rp_emit *e = v->e;
    *out = (output){value, "", v->index};
    if (!is_scatter(e, value)) {
        out->variable = rp_eval_value(v, value);
        return;
    }
    const char *text = scatter_source(v, value);
    const char *place = scatter_function(e, e->values[value].member);
    rp_text_format(v->to, "%s%s s%u = %s;\n%suint s%u_at = %s(%s);\n", v->indent,
                   rp_emit_class(e->values[value].dtype), value, text, v->indent, value, place,
                   v->index);
    out->variable = rp_emit_name(e, "s%u", value);
    out->index = rp_emit_name(e, "s%u_at", value);
}

void rp_emit_outputs(rp_emit *e, rp_text *to, const char *index, const char *indent,
                     uint64_t elements, const rp_emit_set *among) {
    output *outputs = rp_alloc(&e->allocator, e->value_count, sizeof *outputs);
    rp_eval eval;
    if (!outputs) rp_emit_no_memory(e);
    if (!outputs || rp_eval_open(&eval, e, to, index, indent, elements) != RP_OK) {
        rp_release(&e->allocator, outputs);
        return;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < e->value_count && e->status == RP_OK; i++) {
        const rp_emit_value *out = &e->values[i];
        if (out->use == RP_NONE || rp_emit_elements(e, i) != elements) continue;
        if (among && !rp_emit_has(among, out->member)) continue;
        put_output(&eval, i, &outputs[count++]);
    }
    if (rp_emit_looks_again(e)) rp_text_format(to, "%sif (looks_again(spins)) continue;\n", indent);
    for (uint32_t i = 0; i < count && e->status == RP_OK; i++) {
        const char *deeper = indent;
        if (is_scatter(e, outputs[i].value)) {
            rp_text_format(to, "%sif (%s != 0xffffffffu)\n", indent, outputs[i].index);
            deeper = rp_emit_name(e, "%s    ", indent);
        }
        rp_emit_store(e, to, outputs[i].value, outputs[i].index, deeper, outputs[i].variable);
    }
    rp_eval_close(&eval);
    rp_release(&e->allocator, outputs);
}

/* ---- Four at once ---------------------------------------------------------------------------- */

/* The helper that makes of four elements of the dtype's class the words that memory holds. */
static const char *pack(uint8_t dtype) {
    switch ((rp_dtype)dtype) {
    case RP_F16: return "f32_to_f16x4";
    case RP_BF16: return "f32_to_bf16x4";
    case RP_I8: return "pack_i8";
    case RP_I16: return "pack_i16";
    case RP_U16: return "pack_u16";
    case RP_BOOL: return "pack_bool";
    case RP_RAW:
    case RP_U8: return "pack_u8";
    case RP_F64:
    case RP_I64:
    case RP_U64:
    case RP_F32:
    case RP_I32:
    case RP_U32:
    case RP_Q8_0:
    case RP_Q4_0: break;
    }
    return "";
}

void rp_emit_store_4(rp_emit *e, rp_text *to, uint32_t value, const char *indent,
                     const char *variable) {
    const rp_emit_value *out = &e->values[value];
    const char *type = rp_emit_load_type(e, out->member, out->operand, 4);
    if (rp_emit_is_tagged(e, out->member, out->operand)) type = NULL;
    if (type)
        rp_text_format(to, "%s%s = %s(%s);\n", indent,
                       rp_emit_element(e, out->member, out->operand, type, "i / 4u"),
                       pack(out->dtype), variable);
    for (uint32_t c = 0; c < 4 && !type; c++)
        rp_emit_store(e, to, value, rp_emit_fours[c], indent,
                      rp_emit_name(e, "%s.%c", variable, "xyzw"[c]));
}

bool rp_emit_outputs_4(rp_emit *e, rp_text *to, rp_text *early, const char *indent,
                       uint64_t elements) {
    for (uint32_t v = 0; v < e->value_count; v++)
        if (is_scatter(e, v)) return false;
    rp_text loads, body, stores;
    rp_eval eval;
    rp_text_init(&loads, &e->allocator);
    rp_text_init(&body, &e->allocator);
    rp_text_init(&stores, &e->allocator);
    if (rp_eval_open(&eval, e, &body, "i", indent, elements) == RP_OK) {
        eval.loads = &loads;
        eval.early = early;
        eval.slot = rp_emit_has_held(e);
        for (uint32_t v = 0; v < e->value_count && e->status == RP_OK; v++)
            if (e->values[v].use != RP_NONE && rp_emit_elements(e, v) == elements)
                rp_emit_store_4(e, &stores, v, indent, rp_eval_value(&eval, v));
        rp_eval_close(&eval);
    }
    rp_emit_move(e, to, &loads);
    rp_emit_move(e, to, &body);
    rp_emit_move(e, to, &stores);
    return true;
}
