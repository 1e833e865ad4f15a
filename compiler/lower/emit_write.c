/* Writing: from values to memory, and from a kernel's own results to everything behind them.
 *
 * What is stored at an index is computed first, all of it, and then stored: an output may lie over
 * an input (in place), which another output may need, too. */
#include "lower/internal.h"

#include <stdio.h>

const char *rp_emit_rounding(uint8_t dtype) {
    switch ((rp_dtype)dtype) {
    case RP_F16: return "round_f16";
    case RP_I8: return "to_i8";
    case RP_U8: return "to_u8";
    case RP_RAW:
    case RP_F32:
    case RP_I32:
    case RP_U32:
    case RP_Q8_0:
    case RP_Q4_0: break;
    }
    return "";
}

/* Whether a value is the output of a scatter: its elements go where the op's text says. */
static bool is_scatter(const rp_emit *e, uint32_t value) {
    return e->members[e->values[value].member].call.op->form == RP_OP_SCATTER;
}

void rp_emit_store(rp_emit *e, rp_text *to, uint32_t value, const char *index, const char *indent,
                   const char *variable) {
    const rp_emit_value *out = &e->values[value];
    const char *array = rp_emit_array(e, out->member, out->operand, NULL);
    const char *before = "", *behind = "";
    switch ((rp_dtype)out->dtype) {
    case RP_F16: before = "uint16_t(f32_to_f16(", behind = "))"; break;
    case RP_I8: before = "int8_t(", behind = ")"; break;
    case RP_RAW:
    case RP_U8: before = "uint8_t(", behind = ")"; break;
    case RP_F32:
    case RP_I32:
    case RP_U32: break;
    case RP_Q8_0:
    case RP_Q4_0: rp_emit_fail(e, "blocks are written whole, not by element"); return;
    }
    rp_text_format(to, "%s%s[%s] = %s%s%s;\n", indent, array, index, before, variable, behind);
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
    for (uint32_t i = 0; i < e->readers_count; i++)
        if (strcmp(e->readers[i], name) == 0) return name;
    if (!RP_RESERVE(&e->allocator, e->readers, e->readers_count, e->readers_capacity, 1)) {
        rp_emit_no_memory(e);
        return name;
    }
    e->readers[e->readers_count++] = name;
    rp_text text;
    rp_text_init(&text, &e->allocator);
    rp_emit_text(e, &text, member, source, name);
    rp_text_append(&e->functions, text.data ? text.data : "", text.size);
    rp_text_char(&e->functions, '\n');
    rp_text_free(&text);
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

/* How many elements a value has where it is computed: a scatter's are those of its source. */
static uint64_t elements_of(const rp_emit *e, uint32_t value) {
    const rp_emit_value *out = &e->values[value];
    return is_scatter(e, value) ? rp_tensor_elements(&e->members[out->member].call.operands[0])
                                : out->elements;
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
        if (out->use == RP_NONE || elements_of(e, i) != elements) continue;
        if (among && !rp_emit_has(among, out->member)) continue;
        put_output(&eval, i, &outputs[count++]);
    }
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

/* ---- Epilogues ------------------------------------------------------------------------------- */

void rp_emit_core(rp_emit *e, uint32_t value, uint32_t window) {
    rp_emit_value *out = &e->values[value];
    if (e->status != RP_OK || out->window) return;
    const char *type = rp_emit_class(out->dtype);
    out->window = (uint8_t)window;
    rp_text_format(&e->globals, "%s c%u;\n", type, value);
    if (window == 2)
        rp_text_format(&e->globals, "uint c%u_at;\n%s c%u_other;\n", value, type, value);
}

rp_emit_set rp_emit_downstream(const rp_emit *e, const uint32_t *cores, uint32_t core_count) {
    rp_emit_set set = {0};
    for (uint32_t i = 0; i < core_count; i++) {
        uint32_t core = e->values[cores[i]].member;
        rp_emit_add(&set, core);
        for (uint32_t m = 0; m < e->member_count; m++)
            if (rp_emit_has(&e->members[m].upstream, core)) rp_emit_add(&set, m);
    }
    return set;
}

/* Members that need one of the cores' very values: a kernel may have several outputs. */
static rp_emit_set readers_of(const rp_emit *e, const uint32_t *cores, uint32_t core_count) {
    rp_emit_set set = {0};
    for (uint32_t m = 0; m < e->member_count; m++)
        for (uint32_t k = 0; k < e->members[m].call.operand_count; k++) {
            const rp_graph_operand *o = &e->members[m].operands[k];
            if (o->absent || o->value == RP_NONE || rp_emit_is_output(e, m, k)) continue;
            bool reads = rp_emit_has(&set, e->values[o->value].member);
            for (uint32_t i = 0; i < core_count; i++) reads |= cores[i] == o->value;
            if (reads) rp_emit_add(&set, m);
        }
    return set;
}

/* Whoever is behind the cores has as many elements, or the epilogue would miss some. */
static void check_downstream(rp_emit *e, const rp_emit_set *set, uint64_t elements) {
    for (uint32_t i = 0; i < e->value_count; i++) {
        const rp_emit_value *out = &e->values[i];
        if (out->window || !rp_emit_has(set, out->member) || elements_of(e, i) == elements)
            continue;
        rp_emit_fail(e, "%s does not follow element by element",
                     e->members[out->member].call.op->name);
    }
}

/* Whoever is behind the cores must not need what the kernel computes at another place. */
static void check_cores(rp_emit *e, const rp_emit_set *set, const uint32_t *cores,
                        uint32_t core_count) {
    for (uint32_t m = 0; m < e->member_count; m++) {
        for (uint32_t k = 0; rp_emit_has(set, m) && k < e->members[m].call.operand_count; k++) {
            const rp_graph_operand *o = &e->members[m].operands[k];
            if (o->absent || o->value == RP_NONE || rp_emit_is_output(e, m, k)) continue;
            bool known = !e->values[o->value].window;
            for (uint32_t i = 0; i < core_count; i++) known |= cores[i] == o->value;
            if (!known)
                rp_emit_fail(e, "%s needs results that are not computed together",
                             e->members[m].call.op->name);
        }
    }
}

/* `c5 = to_i8(core0);` */
static void put_core(rp_emit *e, uint32_t value, const char *variable, const char *from) {
    const char *rounding = rp_emit_rounding(e->values[value].dtype);
    rp_text_format(&e->functions, "    %s = %s%s%s%s;\n", variable, rounding, *rounding ? "(" : "",
                   from, *rounding ? ")" : "");
}

static void put_stores(rp_emit *e, const uint32_t *cores, uint32_t core_count,
                       const rp_emit_set *set, const char *index, const char *indent, rp_text *to) {
    uint64_t elements = e->values[cores[0]].elements;
    rp_emit_set among = *set;
    /* The cores themselves; other outputs of the same member have their own epilogues. */
    for (uint32_t i = 0; i < core_count; i++) {
        const rp_emit_value *core = &e->values[cores[i]];
        const char *from =
            core->window == 2
                ? rp_emit_name(e, "%s(%s)", rp_emit_value_function(e, cores[i]), index)
                : rp_emit_name(e, "c%u", cores[i]);
        if (core->use != RP_NONE) rp_emit_store(e, to, cores[i], index, indent, from);
    }
    rp_emit_outputs(e, to, index, indent, elements, &among);
}

const char *rp_emit_epilogue(rp_emit *e, const uint32_t *cores, uint32_t core_count) {
    const char *name = rp_emit_name(e, "epilogue%u", cores[0]);
    if (e->status != RP_OK) return name;
    const rp_emit_value *first = &e->values[cores[0]];
    rp_emit_set set = readers_of(e, cores, core_count);
    check_downstream(e, &set, first->elements);
    check_cores(e, &set, cores, core_count);
    bool two = first->window == 2;
    /* The bodies first: they bring the functions that they call. */
    rp_text body;
    rp_text_init(&body, &e->allocator);
    put_stores(e, cores, core_count, &set, "i", "    ", &body);
    if (two) {
        rp_text_string(&body, "    if (j == i) return;\n    {\n");
        put_stores(e, cores, core_count, &set, "j", "        ", &body);
        rp_text_string(&body, "    }\n");
    }
    rp_text *to = &e->functions;
    rp_text_format(to, "void %s(uint i%s", name, two ? ", uint j" : "");
    for (uint32_t k = 0; k < core_count; k++) {
        const char *type = rp_emit_class(e->values[cores[k]].dtype);
        rp_text_format(to, ", %s core%u%s", type, k, two ? "_i" : "");
        if (two) rp_text_format(to, ", %s core%u_j", type, k);
    }
    rp_text_string(to, ") {\n");
    for (uint32_t k = 0; k < core_count; k++) {
        put_core(e, cores[k], rp_emit_name(e, "c%u", cores[k]),
                 rp_emit_name(e, "core%u%s", k, two ? "_i" : ""));
        if (!two) continue;
        rp_text_format(to, "    c%u_at = i;\n", cores[k]);
        put_core(e, cores[k], rp_emit_name(e, "c%u_other", cores[k]),
                 rp_emit_name(e, "core%u_j", k));
    }
    rp_text_format(to, "%s}\n\n", body.data ? body.data : "");
    if (body.failed) rp_emit_no_memory(e);
    rp_text_free(&body);
    return name;
}

/* ---- Pairs ----------------------------------------------------------------------------------- */

static bool is_paired(const rp_emit *e, uint32_t member) {
    const rp_op_call *call = &e->members[member].call;
    if (call->op->form != RP_OP_POINTWISE || rp_op_formula(call)) return false;
    for (uint32_t k = 0; k < call->operand_count; k++)
        if (rp_op_operand_of(call, k)->at == RP_AT_PAIR && !call->operands[k].absent) return true;
    return false;
}

uint32_t rp_emit_pair_member(const rp_emit *e, const uint32_t *cores, uint32_t core_count) {
    rp_emit_set set = rp_emit_downstream(e, cores, core_count);
    for (uint32_t m = 0; m < e->member_count; m++)
        if (rp_emit_has(&set, m) && is_paired(e, m)) return m;
    return RP_NONE;
}

const char *rp_emit_pair(rp_emit *e, uint32_t member) {
    for (uint32_t i = 0; i < e->value_count; i++) {
        const rp_emit_value *out = &e->values[i];
        if (out->member != member) continue;
        bool rounds = *rp_emit_rounding(out->dtype) != '\0';
        return rp_emit_name(e, "%s%s_pair", rp_emit_value_function(e, i), rounds ? "_exact" : "");
    }
    return "";
}
