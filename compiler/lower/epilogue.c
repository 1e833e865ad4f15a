/* Epilogues: from results that a kernel has just computed to everything behind them; and the text
 * of such kernels, which reads its inputs and hands on its outputs. */
#include "lower/internal.h"

#include <stdio.h>

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
    rp_emit_move(e, to, &body);
    rp_text_string(to, "}\n\n");
    return name;
}

/* ---- Text of cores --------------------------------------------------------------------------- */

/* The name of the function that takes elements of an output: its epilogue, or for an output that
 * is absent one that drops them. */
static const char *store_function(rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    if (o->absent) {
        const char *name = rp_emit_name(e, "drop%u", operand);
        if (rp_emit_add_function(e, name))
            rp_text_format(&e->functions, "void %s(uint i, float value) {}\n", name);
        return name;
    }
    rp_emit_value *value = &e->values[o->value];
    if (!value->store) {
        if (!value->window) rp_emit_core(e, o->value, 1);
        value->store = rp_emit_epilogue(e, &o->value, 1);
    }
    if (rp_op_is_long(&e->members[member].call, operand)) {
        const char *name = rp_emit_name(e, "%s_number", value->store);
        if (e->status == RP_OK && rp_emit_add_function(e, name))
            rp_text_format(&e->functions,
                           "void %s(uint i, %s value) {\n    %s(i, to_words(value));\n}\n\n", name,
                           rp_emit_text_class(e, member, operand), value->store);
        return name;
    }
    return value->store;
}

/* Whether all that is behind a core is formulas at the same indices: no element goes to a place of its
 * own, and nothing asks for the core by a function. */
static bool is_formulas(const rp_emit *e, const rp_emit_set *set) {
    for (uint32_t m = 0; m < e->member_count; m++) {
        const rp_op_call *call = &e->members[m].call;
        if (rp_emit_has(set, m) && (call->op->form != RP_OP_POINTWISE || !rp_op_formula(call)))
            return false;
    }
    return true;
}

/* The struct of what is loaded ahead, and the function that loads it; GLSL knows no empty one. */
static void put_ahead(rp_emit *e, const char *name, const char *members, const char *values) {
    rp_text_format(&e->functions,
                   "struct %s_AHEAD {\n%s};\n\n%s_AHEAD %s_ahead(uint i) {\n"
                   "    return %s_AHEAD(%s);\n}\n\n",
                   name, members ? members : "    uint nothing;\n", name, name, name,
                   values ? values : "0u");
}

/* A function of four elements of a core, and of everything downstream of it that is in memory: what
 * that reads comes before all else, four at a time, is computed and goes so. With `ahead` it is loaded
 * by a function of its own, NAME_ahead, which gives a NAME_AHEAD. False, with nothing put, where
 * elements go to places of their own. */
static bool put_epilogue_4(rp_emit *e, const char *name, const char *type, uint32_t value,
                           bool ahead) {
    rp_emit_set set = readers_of(e, &value, 1);
    uint64_t elements = e->values[value].elements;
    if (!is_formulas(e, &set)) return false;
    rp_text loads, body, stores, members, values;
    rp_eval eval;
    rp_text_init(&loads, &e->allocator);
    rp_text_init(&body, &e->allocator);
    rp_text_init(&stores, &e->allocator);
    rp_text_init(&members, &e->allocator);
    rp_text_init(&values, &e->allocator);
    if (rp_eval_open(&eval, e, &body, "i", "    ", elements) == RP_OK) {
        eval.loads = &loads;
        eval.members = ahead ? &members : NULL;
        eval.values = &values;
        eval.locals[value] = "core";
        for (uint32_t v = 0; v < e->value_count && e->status == RP_OK; v++) {
            const rp_emit_value *out = &e->values[v];
            bool stored = v == value ||
                          (rp_emit_has(&set, out->member) && rp_emit_elements(e, v) == elements);
            if (out->use != RP_NONE && stored)
                rp_emit_store_4(e, &stores, v, "    ", rp_eval_value(&eval, v));
        }
        rp_eval_close(&eval);
    }
    if (ahead) put_ahead(e, name, members.data, values.data);
    rp_text_format(&e->functions,
                   ahead ? "void %s(uint i, %s value, %s_AHEAD ahead) {\n"
                         : "void %s(uint i, %s value) {\n",
                   name, type, name);
    rp_emit_move(e, &e->functions, &loads);
    rp_text_format(&e->functions, "    %s core = %s;\n", type,
                   rp_emit_round_4(e, e->values[value].dtype, type, "value"));
    rp_emit_move(e, &e->functions, &body);
    rp_emit_move(e, &e->functions, &stores);
    rp_text_string(&e->functions, "}\n\n");
    if (members.failed || values.failed) rp_emit_no_memory(e);
    rp_text_free(&members);
    rp_text_free(&values);
    return true;
}

/* The function that takes four elements of an output at once; with `ahead` also what was loaded for
 * them ahead. */
static const char *make_store_4(rp_emit *e, uint32_t member, uint32_t operand, bool ahead) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    const char *one = store_function(e, member, operand);
    const char *name = rp_emit_name(e, ahead ? "%s_late" : "%s_4", one);
    if (e->status != RP_OK || !rp_emit_add_function(e, name)) return name;
    const char *type = rp_emit_type_4(e, member, operand);
    bool number = rp_op_is_long(&e->members[member].call, operand);
    bool plain = o->absent || (!number && rp_emit_only_stored(e, o->value));
    if (!plain && !number && put_epilogue_4(e, name, type, o->value, ahead)) return name;
    if (ahead) put_ahead(e, name, NULL, NULL);
    rp_text_format(&e->functions, "void %s(uint i, %s value", name, type);
    if (ahead) rp_text_format(&e->functions, ", %s_AHEAD ahead", name);
    rp_text_string(&e->functions, ") {\n");
    if (plain && !o->absent) rp_emit_store_4(e, &e->functions, o->value, "    ", "value");
    for (uint32_t c = 0; c < 4 && (!plain || o->absent); c++)
        rp_text_format(&e->functions, "    %s(%s, value.%c);\n", one, rp_emit_fours[c], "xyzw"[c]);
    rp_text_string(&e->functions, "}\n\n");
    return name;
}

static const char *store_function_4(rp_emit *e, uint32_t member, uint32_t operand) {
    return make_store_4(e, member, operand, false);
}

static const char *store_ahead(rp_emit *e, uint32_t member, uint32_t operand) {
    return make_store_4(e, member, operand, true);
}

static const char *ahead_type(rp_emit *e, uint32_t member, uint32_t operand) {
    return rp_emit_name(e, "%s_AHEAD", make_store_4(e, member, operand, true));
}

static const char *ahead_function(rp_emit *e, uint32_t member, uint32_t operand) {
    return rp_emit_name(e, "%s_ahead", make_store_4(e, member, operand, true));
}

void rp_emit_core_text(rp_emit *e, rp_text *to, uint32_t member, const char *source,
                       const char *value) {
    static const rp_emit_names names = {
        rp_emit_text_reader, rp_emit_text_reader_4, rp_emit_reader_8, rp_emit_reader_words,
        rp_emit_fetch,       rp_emit_fetched,       store_function,   store_function_4,
        ahead_type,          ahead_function,        store_ahead};
    rp_emit_text(e, to, member, source, value, &names);
}

/* ---- Pairs ----------------------------------------------------------------------------------- */

const char *rp_emit_pair(rp_emit *e, uint32_t member, const char *which) {
    for (uint32_t i = 0; i < e->value_count; i++) {
        const rp_emit_value *out = &e->values[i];
        if (out->member != member) continue;
        bool rounds = *rp_emit_rounding(rp_emit_kept(e, i)) != '\0';
        return rp_emit_name(e, "%s%s_%s", rp_emit_value_function(e, i), rounds ? "_exact" : "",
                            which);
    }
    return "";
}
