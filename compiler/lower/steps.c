/* Steps of rows members: reductions along rows of length C.
 *
 * The order of a sum depends on the rows and the target (rp_op_row_threads), never on what else the
 * kernel does, so that a kernel which needs a row's statistics again computes the same bits:
 *   1 thread   in order of the index: short rows, and on a processor all but a few rows
 *   256        as many partial sums, t of elements t, t + 256, ...; then a fixed tree over them
 * A part of a row, however short, is summed as a long row is.
 * The tree is in kernels/include/reduce.glsl. It costs two barriers, whatever the subgroup's size.
 *
 * Steps that do not depend on one another share a pass over the row. */
#include "lower/internal.h"

static uint64_t length_of(const rp_emit *e, uint32_t member) {
    return rp_sym(&e->members[member].call, 'C');
}

/* Whether one thread sums it. */
static bool is_brief(const rp_emit *e, uint32_t member) {
    return rp_op_row_threads(&e->members[member].call, rp_graph_target(e->graph)) == 1;
}

/* ---- Passes over a row ----------------------------------------------------------------------- */

typedef struct row_pass {
    uint32_t member, first, count; /* steps */
    const char *calls[RP_OP_MAX_STEPS];
    const char **functions;
    rp_emit_args *args;
} row_pass;

/* What an accumulator starts with, and how an element joins it. */
static void put_start(rp_emit *e, const rp_op_step *step, const char *indent) {
    const char *start = step->reduce == RP_REDUCE_SUM ? "0.0"
                        : step->reduce == RP_REDUCE_MIN || step->reduce == RP_REDUCE_ARGMIN
                            ? "uintBitsToFloat(0x7f800000u)"
                            : "uintBitsToFloat(0xff800000u)";
    rp_text_format(&e->functions, "%s%sfloat %s = %s;\n", indent, rp_emit_precise(e),
                   rp_emit_word(e, step->name), start);
    if (rp_emit_is_index_step(step))
        rp_text_format(&e->functions, "%suint %s_at = 0xffffffffu;\n", indent, step->name);
}

static void put_join(rp_emit *e, const rp_op_step *step, const char *value, const char *place,
                     const char *indent, rp_text *to) {
    const char *name = rp_emit_word(e, step->name);
    switch ((rp_reduce)step->reduce) {
    case RP_REDUCE_SUM: rp_text_format(to, "%s%s += %s;\n", indent, name, value); return;
    case RP_REDUCE_MIN:
        rp_text_format(to, "%s%s = f_min(%s, %s);\n", indent, name, name, value);
        return;
    case RP_REDUCE_MAX:
        rp_text_format(to, "%s%s = f_max(%s, %s);\n", indent, name, name, value);
        return;
    case RP_REDUCE_ARGMIN:
        rp_text_format(to, "%sreduce_least(%s, %s_at, %s, %s);\n", indent, name, step->name, value,
                       place);
        return;
    case RP_REDUCE_ARGMAX:
        rp_text_format(to, "%sreduce_most(%s, %s_at, %s, %s);\n", indent, name, step->name, value,
                       place);
        return;
    case RP_REDUCE_NONE: return;
    }
}

/* Where an element of an ARGMIN or ARGMAX is. */
static const char *put_place(rp_eval *eval, uint32_t member, const rp_op_step *step) {
    const rp_op *op = eval->e->members[member].call.op;
    if (!step->at) return "c";
    rp_emit_args args = {.count = 1};
    args.names[0] = (uint8_t)rp_op_operand_index(op, step->at, strlen(step->at));
    return rp_eval_call(eval, member, "", &args, false);
}

/* The loop over elements from `first` in steps of `stride`. */
static void put_loop(rp_emit *e, const row_pass *pass, const char *first, const char *stride,
                     const char *indent) {
    const char *c = rp_emit_symbol(e, pass->member, 'C');
    bool parts = e->members[pass->member].call.op->parts;
    const char *inner = rp_emit_name(e, "%s    ", indent);
    const rp_op_step *steps = e->members[pass->member].call.op->steps;
    rp_text body;
    rp_text_init(&body, &e->allocator);
    rp_eval eval;
    if (rp_eval_open(&eval, e, &body, "i", inner,
                     rp_sym(&e->members[pass->member].call, 'R') * length_of(e, pass->member)) ==
        RP_OK) {
        eval.own_steps = pass->member;
        for (uint32_t i = 0; i < pass->count; i++) {
            uint32_t step = pass->first + i;
            const char *value =
                rp_eval_call(&eval, pass->member, pass->functions[step], &pass->args[step], false);
            put_join(e, &steps[step], value, put_place(&eval, pass->member, &steps[step]), inner,
                     &body);
        }
        rp_eval_close(&eval);
    }
    if (body.failed) rp_emit_no_memory(e);
    rp_text_format(&e->functions,
                   "%sfor (uint c = %s%s; c < %s; c += %s) {\n%suint i = %s * %s + c;\n%s%s}\n",
                   indent, parts ? "begin + " : "", first, parts ? "end" : c, stride, inner,
                   parts ? "whole" : "row", c, body.data ? body.data : "", indent);
    rp_text_free(&body);
}

/* The results of the 256 partial ones, which lie in shared memory. */
static void put_reduce(rp_emit *e, uint32_t member, const rp_op_step *step, const char *indent) {
    const char *const functions[] = {
        [RP_REDUCE_SUM] = "reduce_sum()",       [RP_REDUCE_MIN] = "reduce_min()",
        [RP_REDUCE_MAX] = "reduce_max()",       [RP_REDUCE_ARGMIN] = "reduce_argmin()",
        [RP_REDUCE_ARGMAX] = "reduce_argmax()",
    };
    rp_text_format(&e->functions, "%sm%u_%s = %s;\n", indent, member, step->name,
                   functions[step->reduce]);
}

static void put_share(rp_emit *e, const rp_op_step *step, const char *lane, const char *indent) {
    rp_text_format(&e->functions, "%sreduce_values[%s] = %s;\n", indent, lane,
                   rp_emit_word(e, step->name));
    if (rp_emit_is_index_step(step))
        rp_text_format(&e->functions, "%sreduce_places[%s] = %s_at;\n", indent, lane, step->name);
}

static void put_long_pass(rp_emit *e, const row_pass *pass) {
    const rp_op_step *steps = e->members[pass->member].call.op->steps + pass->first;
    rp_text *to = &e->functions;
    if (e->local == RP_EMIT_ROW_THREADS) {
        rp_text_string(to, "    {\n");
        for (uint32_t i = 0; i < pass->count; i++) put_start(e, &steps[i], "        ");
        put_loop(e, pass, "gl_LocalInvocationIndex", "256u", "        ");
        for (uint32_t i = 0; i < pass->count; i++) {
            put_share(e, &steps[i], "gl_LocalInvocationIndex", "        ");
            put_reduce(e, pass->member, &steps[i], "        ");
        }
        rp_text_string(to, "    }\n");
        return;
    }
    /* Fewer threads: each makes several of the partial results, one step at a time. More: some make
     * none. */
    for (uint32_t i = 0; i < pass->count; i++) {
        row_pass one = *pass;
        one.first += i, one.count = 1;
        rp_text_format(to,
                       "    for (uint lane = gl_LocalInvocationIndex; lane < 256u; lane += "
                       "%uu) {\n",
                       e->local);
        put_start(e, &steps[i], "        ");
        put_loop(e, &one, "lane", "256u", "        ");
        put_share(e, &steps[i], "lane", "        ");
        rp_text_string(to, "    }\n");
        put_reduce(e, pass->member, &steps[i], "    ");
    }
}

static void put_short_pass(rp_emit *e, const row_pass *pass) {
    const rp_op_step *steps = e->members[pass->member].call.op->steps + pass->first;
    rp_text_string(&e->functions, "    {\n");
    for (uint32_t i = 0; i < pass->count; i++) put_start(e, &steps[i], "        ");
    put_loop(e, pass, "0u", "1u", "        ");
    for (uint32_t i = 0; i < pass->count; i++)
        rp_text_format(&e->functions, "        m%u_%s = %s%s;\n", pass->member, steps[i].name,
                       rp_emit_is_index_step(&steps[i]) ? steps[i].name
                                                        : rp_emit_word(e, steps[i].name),
                       rp_emit_is_index_step(&steps[i]) ? "_at" : "");
    rp_text_string(&e->functions, "    }\n");
}

/* Whether a step's formula names one of the steps from `first` on. */
static bool needs_step(const rp_emit_args *args, uint32_t first) {
    for (uint32_t i = 0; i < args->count; i++)
        if (args->names[i] >= RP_NAME_STEP + first) return true;
    return false;
}

/* ---- Steps of a member ----------------------------------------------------------------------- */

/* Whatever the loops read must be in the text before them. */
static void put_readers(rp_emit *e, uint32_t member, const rp_emit_args *args, uint32_t count) {
    rp_text drop;
    rp_text_init(&drop, &e->allocator);
    rp_eval eval;
    uint64_t elements = rp_sym(&e->members[member].call, 'R') * length_of(e, member);
    if (rp_eval_open(&eval, e, &drop, "i", "", elements) == RP_OK) {
        eval.own_steps = member;
        for (uint32_t i = 0; i < count; i++) {
            rp_eval_call(&eval, member, "", &args[i], false);
            put_place(&eval, member, &e->members[member].call.op->steps[i]);
        }
        rp_eval_close(&eval);
    }
    rp_text_free(&drop);
}

/* What is made of earlier steps, once for each row. */
static void put_number(rp_emit *e, uint32_t member, uint32_t step, const char *function,
                       const rp_emit_args *args) {
    const rp_op_step *steps = e->members[member].call.op->steps;
    rp_text_format(&e->functions, "    m%u_%s = %s(", member, steps[step].name, function);
    for (uint32_t i = 0; i < args->count; i++)
        rp_text_format(&e->functions, "%sm%u_%s", i ? ", " : "", member,
                       steps[args->names[i] - RP_NAME_STEP].name);
    rp_text_string(&e->functions, ");\n");
}

/* Which elements the part is: those from `begin` to `end` of row `whole`. The last parts may have
 * none. */
static void put_part(rp_emit *e, uint32_t member) {
    const rp_op_call *call = &e->members[member].call;
    const char *parts = rp_emit_symbol(e, member, 'P'), *c = rp_emit_symbol(e, member, 'C');
    const char *part = rp_emit_uint(e, rp_emit_name(e, "m%u_part", member), rp_op_part(call));
    rp_text_format(&e->functions,
                   "    uint whole = row / %s;\n"
                   "    uint begin = min(row %% %s * %s, %s);\n"
                   "    uint end = min(begin + %s, %s);\n"
                   "    m%u_n = end - begin;\n",
                   parts, parts, part, c, part, c, member);
}

const char *rp_emit_steps(rp_emit *e, uint32_t member) {
    const rp_op *op = e->members[member].call.op;
    const char *functions[RP_OP_MAX_STEPS];
    rp_emit_args args[RP_OP_MAX_STEPS];
    const char *name = rp_emit_name(e, "m%u_steps", member);
    for (uint32_t i = 0; i < op->step_count; i++) {
        functions[i] = rp_emit_name(e, "m%u_%s_of", member, op->steps[i].name);
        rp_emit_formula(e, member, op->steps[i].expression, functions[i], RP_F32, &args[i]);
        rp_text_format(&e->globals, "%s m%u_%s;\n",
                       rp_emit_is_index_step(&op->steps[i]) ? "uint" : "float", member,
                       op->steps[i].name);
    }
    put_readers(e, member, args, op->step_count);
    if (op->parts) rp_text_format(&e->globals, "uint m%u_n;\n", member);
    rp_text_format(&e->functions, "void %s(uint row) {\n", name);
    if (op->parts) put_part(e, member);
    for (uint32_t i = 0; i < op->step_count && e->status == RP_OK;) {
        row_pass pass = {.member = member, .first = i, .functions = functions, .args = args};
        if (op->steps[i].reduce == RP_REDUCE_NONE) {
            put_number(e, member, i, functions[i], &args[i]);
            i++;
            continue;
        }
        while (i < op->step_count && op->steps[i].reduce != RP_REDUCE_NONE &&
               (i == pass.first || !needs_step(&args[i], pass.first)))
            i++;
        pass.count = i - pass.first;
        if (is_brief(e, member))
            put_short_pass(e, &pass);
        else
            put_long_pass(e, &pass);
    }
    rp_text_string(&e->functions, "}\n\n");
    return name;
}

/* ---- A few rows ------------------------------------------------------------------------------ */

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

static void put_member_rows(rp_emit *e, uint32_t member, rp_text *to) {
    const rp_op *op = e->members[member].call.op;
    /* The arrays first: functions of values downstream read them. */
    for (uint32_t i = 0; i < op->step_count; i++)
        rp_text_format(&e->globals, "shared %s m%u_%s_rows[%u];\n",
                       rp_emit_is_index_step(&op->steps[i]) ? "uint" : "float", member,
                       op->steps[i].name, e->row_count);
    const char *steps = rp_emit_steps(e, member);
    bool brief = is_brief(e, member);
    if (brief)
        rp_text_format(to,
                       "    if (gl_LocalInvocationIndex < %uu) {\n"
                       "        uint row = gl_LocalInvocationIndex;\n"
                       "        %s(row);\n",
                       e->row_count, steps);
    else
        rp_text_format(to,
                       "    for (uint row = 0u; row < %uu; row++) {\n"
                       "        %s(row);\n"
                       "        if (gl_LocalInvocationIndex == 0u) {\n",
                       e->row_count, steps);
    for (uint32_t i = 0; i < op->step_count; i++)
        rp_text_format(to, "%s        m%u_%s_rows[row] = m%u_%s;\n", brief ? "" : "    ", member,
                       op->steps[i].name, member, op->steps[i].name);
    rp_text_format(to, "%s    }\n    barrier();\n", brief ? "" : "        }\n");
}

const char *rp_emit_row_steps(rp_emit *e, uint32_t member, uint32_t operand) {
    if (e->status != RP_OK || !rp_emit_has_rows(e, member, operand)) return NULL;
    uint32_t source = e->values[e->members[member].operands[operand].value].member;
    rp_text body;
    rp_text_init(&body, &e->allocator);
    for (uint32_t i = 0; i <= source; i++) {
        if (i != source && !rp_emit_has(&e->members[source].upstream, i)) continue;
        if (e->members[i].call.op->form != RP_OP_ROWS) continue;
        if (rp_sym(&e->members[i].call, 'R') != e->row_count)
            rp_emit_fail(e, "%s has another number of rows", e->members[i].call.op->name);
        put_member_rows(e, i, &body);
    }
    rp_text_format(&e->functions, "void row_steps() {\n%s}\n\n", body.data ? body.data : "");
    if (body.failed) rp_emit_no_memory(e);
    rp_text_free(&body);
    return "row_steps";
}
