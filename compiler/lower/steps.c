/* Steps of rows members: reductions along rows of length C.
 *
 * The order of a sum depends on the rows and the target (rp_op_row_threads), never on what else the
 * kernel does, so that a kernel which needs a row's statistics again computes the same bits:
 *   1 thread   in order of the index: short rows, and on a processor all but a few rows
 *   a team     of n threads in a subgroup, thread t sums fours t, t + n, ... of elements, in their order;
 *              then they are joined in pairs. No barrier
 *   256        as many partial sums, t of elements t, t + 256, ...; then a fixed tree over them
 * A part of a row, however short, has 256 partial sums, too, t of its fours t, t + 256, ...
 * Teams and the tree are in kernels/include/reduce.glsl. The tree costs two barriers, whatever the
 * subgroup's size.
 *
 * Steps that do not depend on one another share a pass over the row. */
#include "lower/internal.h"

static uint64_t length_of(const rp_emit *e, uint32_t member) {
    return rp_sym(&e->members[member].call, 'C');
}

static rp_extent length_extent(const rp_emit *e, uint32_t member) {
    return rp_sym_extent(&e->members[member].call, 'C');
}

uint32_t rp_emit_row_threads(const rp_emit *e, uint32_t member) {
    return rp_op_row_threads(&e->members[member].call, rp_graph_target(e->graph));
}

/* Whether one thread sums it. */
static bool is_brief(const rp_emit *e, uint32_t member) {
    return rp_emit_row_threads(e, member) == 1;
}

/* The threads of its team; 0 where it has none. */
static uint32_t team_of(const rp_emit *e, uint32_t member) {
    uint32_t threads = rp_emit_row_threads(e, member);
    return threads > 1 && threads < RP_OP_ROW_THREADS ? threads : 0;
}

bool rp_emit_rows_by_fours(const rp_emit *e, rp_extent length) {
    return rp_emit_each(e, length) % 4 == 0 && e->member_count <= RP_SHAPE_FEW;
}

/* Whether a step's result goes into an output that there is, or into another step. */
static bool is_wanted(const rp_emit *e, uint32_t member, uint32_t step) {
    const rp_op_call *call = &e->members[member].call;
    const char *name = call->op->steps[step].name;
    for (uint32_t i = step + 1; i < call->op->step_count; i++)
        if (strstr(call->op->steps[i].expression, name)) return true;
    for (uint32_t k = 0; k < call->operand_count; k++)
        if (!call->operands[k].absent && call->op->operands[k].expression &&
            strstr(call->op->operands[k].expression, name))
            return true;
    return false;
}

/* Whether an extreme is that of the next step, which finds where it is: then the two are one
 * reduction. */
static bool has_place(const rp_emit *e, uint32_t member, uint32_t step) {
    const rp_op *op = e->members[member].call.op;
    if (step + 1 >= op->step_count || !is_wanted(e, member, step + 1)) return false;
    const rp_op_step *a = &op->steps[step], *b = a + 1;
    bool alike = (a->reduce == RP_REDUCE_MIN && b->reduce == RP_REDUCE_ARGMIN) ||
                 (a->reduce == RP_REDUCE_MAX && b->reduce == RP_REDUCE_ARGMAX);
    return alike && !b->at && strcmp(a->expression, b->expression) == 0;
}

/* ---- Passes over a row ----------------------------------------------------------------------- */

typedef struct row_pass {
    uint32_t member, first, count; /* steps */
    bool skip[RP_OP_MAX_STEPS];    /* those that others find, or that nobody wants */
    const char **functions;
    rp_emit_args *args;
    uint32_t holds; /* inputs of which elements are held, once they are there */
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

/* The same of four, where it is not their own indices that the array has already. */
static void put_places(rp_eval *eval, uint32_t member, const rp_op_step *step, const char *out[4]) {
    const rp_op *op = eval->e->members[member].call.op;
    if (!step->at) return;
    rp_emit_args args = {.count = 1};
    args.names[0] = (uint8_t)rp_op_operand_index(op, step->at, strlen(step->at));
    rp_eval_call_4(eval, member, "", &args, out);
}

/* The element at `i` of the row joins the accumulators. */
static void put_element(rp_emit *e, const row_pass *pass, const char *indent, rp_text *to) {
    const rp_op_step *steps = e->members[pass->member].call.op->steps;
    rp_eval eval;
    if (rp_eval_open(&eval, e, to, "i", indent,
                     rp_sym(&e->members[pass->member].call, 'R') * length_of(e, pass->member)) !=
        RP_OK)
        return;
    eval.own_steps = pass->member;
    for (uint32_t i = 0; i < pass->count; i++) {
        uint32_t step = pass->first + i;
        if (pass->skip[step]) continue;
        const char *value =
            rp_eval_call(&eval, pass->member, pass->functions[step], &pass->args[step], false);
        put_join(e, &steps[step], value, put_place(&eval, pass->member, &steps[step]), indent, to);
    }
    rp_eval_close(&eval);
}

static const char *fours_of(rp_emit *e) {
    return rp_emit_uint(e, "row_fours", e->row_fours);
}

void rp_emit_slot_loop(rp_emit *e, rp_text *to, uint32_t member, const char *indent) {
    e->extensions |= RP_EMIT_UNROLL;
    rp_text_format(to,
                   "%s[[unroll]] for (uint slot = 0u; slot < %s; slot++) {\n"
                   "%s    uint four = (row_lane + slot * %uu) * 4u;\n"
                   "%s    if (four >= %s) break;\n",
                   indent, fours_of(e), indent, team_of(e, member), indent,
                   rp_emit_symbol(e, member, 'C'));
}

/* Whether a team's pass holds elements from now on, or finds some that are held. */
static bool has_slots(const rp_emit *e, const row_pass *pass) {
    return e->row_fours && (pass->holds || rp_emit_has_held(e));
}

/* Those inputs of `holds` that the pass is the first to read. */
static uint32_t first_read(const rp_emit *e, const row_pass *pass) {
    uint32_t read = 0;
    for (uint32_t step = pass->first; step < pass->first + pass->count; step++)
        for (uint32_t i = 0; i < pass->args[step].count && !pass->skip[step]; i++)
            if (pass->args[step].names[i] < RP_NAME_ATTR)
                read |= UINT32_C(1) << pass->args[step].names[i];
    return read & pass->holds & ~e->members[pass->member].held;
}

static void hold_four(rp_eval *eval, const row_pass *pass, const char *indent, rp_text *to) {
    uint32_t read = first_read(eval->e, pass);
    for (uint32_t k = 0; read >> k; k++)
        if (read >> k & 1)
            rp_text_format(to, "%s%s = %s;\n", indent, rp_emit_held_input(eval->e, pass->member, k),
                           rp_eval_input(eval, pass->member, k));
}

/* Four of them, one after the other. */
static void put_four(rp_emit *e, const row_pass *pass, const char *indent, rp_text *to) {
    const rp_op_step *steps = e->members[pass->member].call.op->steps;
    rp_text loads, body, joins;
    rp_eval eval;
    rp_text_init(&loads, &e->allocator);
    rp_text_init(&body, &e->allocator);
    rp_text_init(&joins, &e->allocator);
    if (rp_eval_open(&eval, e, &body, "i", indent,
                     rp_sym(&e->members[pass->member].call, 'R') * length_of(e, pass->member)) ==
        RP_OK) {
        eval.own_steps = pass->member;
        eval.loads = &loads;
        eval.slot = has_slots(e, pass);
        for (uint32_t i = 0; i < pass->count; i++) {
            uint32_t step = pass->first + i;
            if (pass->skip[step]) continue;
            const char *values[4], *places[4] = {"four", "four + 1u", "four + 2u", "four + 3u"};
            rp_eval_call_4(&eval, pass->member, pass->functions[step], &pass->args[step], values);
            put_places(&eval, pass->member, &steps[step], places);
            for (uint32_t c = 0; c < 4; c++)
                put_join(e, &steps[step], values[c], places[c], indent, &joins);
        }
        hold_four(&eval, pass, indent, &joins);
        rp_eval_close(&eval);
    }
    rp_emit_move(e, to, &loads);
    rp_emit_move(e, to, &body);
    rp_emit_move(e, to, &joins);
}

/* The loop over what thread `lane` of RP_EMIT_ROW_THREADS has of a long row, every so manieth element. */
static void put_loop(rp_emit *e, const row_pass *pass, const char *lane, const char *indent) {
    const char *c = rp_emit_symbol(e, pass->member, 'C');
    rp_text body;
    rp_text_init(&body, &e->allocator);
    put_element(e, pass, rp_emit_name(e, "%s    ", indent), &body);
    rp_text_format(&e->functions,
                   "%sfor (uint c = %s; c < %s; c += %uu) {\n%s    uint i = row * %s + c;\n",
                   indent, lane, c, RP_EMIT_ROW_THREADS, indent, c);
    rp_emit_move(e, &e->functions, &body);
    rp_text_format(&e->functions, "%s}\n", indent);
}

/* Fours of neighbours, from `begin` to `end` of `row`, all expressions: every `threads`th. They are
 * evaluated at once where rows begin at multiples of four; their elements join in the same order where
 * they do not. */
static void put_four_loop(rp_emit *e, const row_pass *pass, const char *begin, const char *end,
                          const char *row, uint32_t threads, const char *indent) {
    const char *c = rp_emit_symbol(e, pass->member, 'C');
    const char *inner = rp_emit_name(e, "%s    ", indent);
    bool fours = rp_emit_rows_by_fours(e, length_extent(e, pass->member));
    rp_text body;
    rp_text_init(&body, &e->allocator);
    if (fours)
        put_four(e, pass, inner, &body);
    else
        put_element(e, pass, rp_emit_name(e, "%s    ", inner), &body);
    if (has_slots(e, pass))
        rp_emit_slot_loop(e, &e->functions, pass->member, indent);
    else
        rp_text_format(&e->functions, "%sfor (uint four = %s; four < %s; four += %uu)%s\n", indent,
                       begin, end, 4 * threads, fours ? " {" : "");
    if (fours)
        rp_text_format(&e->functions, "%suint i = %s * %s + four;\n", inner, row, c);
    else
        rp_text_format(&e->functions,
                       "%sfor (uint c = four; c < min(four + 4u, %s); c++) {\n"
                       "%s    uint i = %s * %s + c;\n",
                       inner, end, inner, row, c);
    rp_emit_move(e, &e->functions, &body);
    rp_text_format(&e->functions, "%s}\n", fours ? indent : inner);
}

/* What thread `lane` of RP_EMIT_ROW_THREADS has of a row, or of a part of one. */
static void put_long_loop(rp_emit *e, const row_pass *pass, const char *lane, const char *indent) {
    if (e->members[pass->member].call.op->parts)
        put_four_loop(e, pass, rp_emit_name(e, "begin + %s * 4u", lane), "end", "whole",
                      RP_EMIT_ROW_THREADS, indent);
    else
        put_loop(e, pass, lane, indent);
}

/* The loop of a thread that has all of a short row. */
static void put_short_loop(rp_emit *e, const row_pass *pass) {
    const char *c = rp_emit_symbol(e, pass->member, 'C');
    rp_text body;
    rp_text_init(&body, &e->allocator);
    put_element(e, pass, "            ", &body);
    rp_text_format(&e->functions,
                   "        for (uint c = 0u; c < %s; c++) {\n            uint i = row * %s + c;\n",
                   c, c);
    rp_emit_move(e, &e->functions, &body);
    rp_text_string(&e->functions, "        }\n");
}

/* The results of the 256 partial ones, which lie in shared memory. Places come with what is there. */
static void put_reduce(rp_emit *e, const row_pass *pass, uint32_t step, const char *indent) {
    const char *const functions[] = {
        [RP_REDUCE_SUM] = "reduce_sum",       [RP_REDUCE_MIN] = "reduce_min",
        [RP_REDUCE_MAX] = "reduce_max",       [RP_REDUCE_ARGMIN] = "reduce_argmin",
        [RP_REDUCE_ARGMAX] = "reduce_argmax",
    };
    const rp_op_step *steps = e->members[pass->member].call.op->steps;
    const char *best = "";
    if (rp_emit_is_index_step(&steps[step])) {
        best = rp_emit_name(e, "%s_best", steps[step].name);
        if (step > 0 && has_place(e, pass->member, step - 1))
            best = rp_emit_name(e, "m%u_%s", pass->member, steps[step - 1].name);
        else
            rp_text_format(&e->functions, "%sfloat %s;\n", indent, best);
    }
    rp_text_format(&e->functions, "%sm%u_%s = %s(%s);\n", indent, pass->member, steps[step].name,
                   functions[steps[step].reduce], best);
}

static void put_share(rp_emit *e, const rp_op_step *step, const char *lane, const char *indent) {
    rp_text_format(&e->functions, "%sreduce_values[%s] = %s;\n", indent, lane,
                   rp_emit_word(e, step->name));
    if (rp_emit_is_index_step(step))
        rp_text_format(&e->functions, "%sreduce_places[%s] = %s_at;\n", indent, lane, step->name);
}

static void put_long_pass(rp_emit *e, row_pass *pass) {
    const rp_op_step *steps = e->members[pass->member].call.op->steps;
    rp_text *to = &e->functions;
    uint32_t end = pass->first + pass->count;
    for (uint32_t i = pass->first; i < end; i++)
        pass->skip[i] = has_place(e, pass->member, i) || !is_wanted(e, pass->member, i);
    if (e->local == RP_EMIT_ROW_THREADS) {
        rp_text_string(to, "    {\n");
        for (uint32_t i = pass->first; i < end; i++)
            if (!pass->skip[i]) put_start(e, &steps[i], "        ");
        put_long_loop(e, pass, "gl_LocalInvocationIndex", "        ");
        for (uint32_t i = pass->first; i < end; i++) {
            if (pass->skip[i]) continue;
            put_share(e, &steps[i], "gl_LocalInvocationIndex", "        ");
            put_reduce(e, pass, i, "        ");
        }
        rp_text_string(to, "    }\n");
        return;
    }
    /* Fewer threads: each makes several of the partial results, one step at a time. More: some make
     * none. */
    for (uint32_t i = pass->first; i < end; i++) {
        if (pass->skip[i]) continue;
        row_pass one = *pass;
        one.first = i, one.count = 1;
        rp_text_format(to,
                       "    {\n        for (uint lane = gl_LocalInvocationIndex; lane < 256u; "
                       "lane += %uu) {\n",
                       e->local);
        put_start(e, &steps[i], "            ");
        put_long_loop(e, &one, "lane", "            ");
        put_share(e, &steps[i], "lane", "            ");
        rp_text_string(to, "        }\n");
        put_reduce(e, pass, i, "        ");
        rp_text_string(to, "    }\n");
    }
}

static void put_short_pass(rp_emit *e, const row_pass *pass) {
    const rp_op_step *steps = e->members[pass->member].call.op->steps + pass->first;
    rp_text_string(&e->functions, "    {\n");
    for (uint32_t i = 0; i < pass->count; i++) put_start(e, &steps[i], "        ");
    put_short_loop(e, pass);
    for (uint32_t i = 0; i < pass->count; i++)
        rp_text_format(&e->functions, "        m%u_%s = %s%s;\n", pass->member, steps[i].name,
                       rp_emit_is_index_step(&steps[i]) ? steps[i].name
                                                        : rp_emit_word(e, steps[i].name),
                       rp_emit_is_index_step(&steps[i]) ? "_at" : "");
    rp_text_string(&e->functions, "    }\n");
}

static void put_team_pass(rp_emit *e, const row_pass *pass, uint32_t team) {
    static const char *const functions[] = {
        [RP_REDUCE_SUM] = "team_sum",       [RP_REDUCE_MIN] = "team_min",
        [RP_REDUCE_MAX] = "team_max",       [RP_REDUCE_ARGMIN] = "team_argmin",
        [RP_REDUCE_ARGMAX] = "team_argmax",
    };
    const rp_op_step *steps = e->members[pass->member].call.op->steps + pass->first;
    rp_text_string(&e->functions, "    {\n");
    for (uint32_t i = 0; i < pass->count; i++) put_start(e, &steps[i], "        ");
    put_four_loop(e, pass, "row_lane * 4u", rp_emit_symbol(e, pass->member, 'C'), "row", team,
                  "        ");
    e->members[pass->member].held |= first_read(e, pass);
    for (uint32_t i = 0; i < pass->count; i++) {
        const char *at = "";
        if (rp_emit_is_index_step(&steps[i])) at = rp_emit_name(e, ", %s_at", steps[i].name);
        rp_text_format(&e->functions, "        m%u_%s = %s(%s%s, %uu);\n", pass->member,
                       steps[i].name, functions[steps[i].reduce], rp_emit_word(e, steps[i].name),
                       at, team);
    }
    rp_text_string(&e->functions, "    }\n");
}

/* Whether a step's formula names one of the steps from `first` on. */
static bool needs_step(const rp_emit_args *args, uint32_t first) {
    for (uint32_t i = 0; i < args->count; i++)
        if (args->names[i] >= RP_NAME_STEP + first) return true;
    return false;
}

/* ---- Steps of a member ----------------------------------------------------------------------- */

/* Whatever the loops read must be in the text before them: one element at a time, or four. */
static void put_readers(rp_emit *e, uint32_t member, const rp_emit_args *args, uint32_t count) {
    rp_text drop, loads;
    rp_text_init(&drop, &e->allocator);
    rp_text_init(&loads, &e->allocator);
    uint64_t length = length_of(e, member);
    bool fours = (team_of(e, member) || e->members[member].call.op->parts) &&
                 rp_emit_rows_by_fours(e, length_extent(e, member));
    rp_eval eval;
    if (rp_eval_open(&eval, e, &drop, "i", "", rp_sym(&e->members[member].call, 'R') * length) ==
        RP_OK) {
        eval.own_steps = member;
        eval.loads = fours ? &loads : NULL;
        for (uint32_t i = 0; i < count; i++) {
            rp_eval_call(&eval, member, "", &args[i], false);
            put_place(&eval, member, &e->members[member].call.op->steps[i]);
        }
        rp_eval_close(&eval);
    }
    rp_text_free(&drop);
    rp_text_free(&loads);
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
    if (call->powers['C' - 'A'] || call->powers['P' - 'A'])
        rp_emit_fail(e, "parts of rows whose length follows live sizes");
    rp_text_format(&e->functions,
                   "    uint whole = row / %s;\n"
                   "    uint begin = min(row %% %s * %s, %s);\n"
                   "    uint end = min(begin + %s, %s);\n"
                   "    m%u_n = end - begin;\n",
                   parts, parts, part, c, part, c, member);
}

/* Whether the value that a member reads is held for an earlier member, or input. */
static bool is_held_before(const rp_emit *e, uint32_t member, uint32_t operand, uint32_t own) {
    uint32_t value = e->members[member].operands[operand].value;
    for (uint32_t m = 0; m <= member && value != RP_NONE; m++) {
        uint32_t held = m == member ? own : e->members[m].held;
        for (uint32_t k = 0; held >> k; k++)
            if ((held >> k & 1) && e->members[m].operands[k].value == value) return true;
    }
    return false;
}

/* Arrays for those inputs whose elements threads hold from pass to pass, and for the outputs: bits of them. */
static uint32_t put_held(rp_emit *e, uint32_t member) {
    const rp_op_call *call = &e->members[member].call;
    const rp_target *target = rp_graph_target(e->graph);
    uint32_t holds = 0;
    rp_op_cost cost;
    if (!e->row_fours) return 0;
    rp_op_cost_of(call, &cost);
    for (uint32_t k = 0; k < call->operand_count; k++) {
        if (!rp_op_row_keeps(call, k, &cost, target) || is_held_before(e, member, k, holds))
            continue;
        holds |= UINT32_C(1) << k;
        rp_text_format(&e->globals, "vec4 m%u_held_%s[%s];\n", member, rp_op_operand_name(call, k),
                       fours_of(e));
    }
    return holds;
}

const char *rp_emit_steps(rp_emit *e, uint32_t member) {
    const rp_op *op = e->members[member].call.op;
    const char *functions[RP_OP_MAX_STEPS];
    rp_emit_args args[RP_OP_MAX_STEPS];
    const char *name = rp_emit_name(e, "m%u_steps", member);
    uint32_t subgroup = rp_op_row_subgroup(team_of(e, member), rp_graph_target(e->graph));
    if (subgroup) e->subgroup = subgroup;
    if (team_of(e, member) && rp_emit_add_function(e, "row_lane")) {
        rp_text_string(&e->globals, "uint row_lane; // of a team that shares a row\n");
        e->extensions |= RP_EMIT_SUBGROUP;
    }
    for (uint32_t i = 0; i < op->step_count; i++) {
        functions[i] = rp_emit_name(e, "m%u_%s_of", member, op->steps[i].name);
        rp_emit_formula(e, member, op->steps[i].expression, functions[i], RP_F32, &args[i]);
        rp_text_format(&e->globals, "%s m%u_%s;\n",
                       rp_emit_is_index_step(&op->steps[i]) ? "uint" : "float", member,
                       op->steps[i].name);
    }
    uint32_t holds = put_held(e, member);
    put_readers(e, member, args, op->step_count);
    if (op->parts) rp_text_format(&e->globals, "uint m%u_n;\n", member);
    rp_text_format(&e->functions, "void %s(uint row) {\n", name);
    if (op->parts) put_part(e, member);
    for (uint32_t i = 0; i < op->step_count && e->status == RP_OK;) {
        row_pass pass = {
            .member = member, .first = i, .functions = functions, .args = args, .holds = holds};
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
        else if (team_of(e, member))
            put_team_pass(e, &pass, team_of(e, member));
        else
            put_long_pass(e, &pass);
    }
    rp_text_string(&e->functions, "}\n\n");
    return name;
}

/* ---- A few rows ------------------------------------------------------------------------------ */

/* The one row of which every thread has the results: they need not be anywhere else. */
static void put_member_row(rp_emit *e, uint32_t member, rp_text *to) {
    rp_text_format(to, "    %s(0u);\n", rp_emit_steps(e, member));
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
    uint32_t team = team_of(e, member);
    const char *result; /* which thread of several keeps the results */
    if (brief) {
        rp_text_format(to,
                       "    if (gl_LocalInvocationIndex < %uu) {\n"
                       "        uint row = gl_LocalInvocationIndex;\n",
                       e->row_count);
        result = NULL;
    } else if (team) {
        rp_text_format(to,
                       "    row_lane = gl_SubgroupInvocationID %% %uu;\n"
                       "    for (uint row = (gl_SubgroupID * gl_SubgroupSize + "
                       "gl_SubgroupInvocationID) / %uu; row < %uu; row += %uu) {\n",
                       team, team, e->row_count, e->local / team);
        result = "row_lane == 0u";
    } else {
        rp_text_format(to, "    for (uint row = 0u; row < %uu; row++) {\n", e->row_count);
        result = "gl_LocalInvocationIndex == 0u";
    }
    rp_text_format(to, "        %s(row);\n", steps);
    if (result) rp_text_format(to, "        if (%s) {\n", result);
    for (uint32_t i = 0; i < op->step_count; i++)
        rp_text_format(to, "%s        m%u_%s_rows[row] = m%u_%s;\n", result ? "    " : "", member,
                       op->steps[i].name, member, op->steps[i].name);
    rp_text_format(to, "%s    }\n    barrier();\n", result ? "        }\n" : "");
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
        if (rp_emit_has_own_rows(e, i))
            put_member_row(e, i, &body);
        else
            put_member_rows(e, i, &body);
    }
    rp_text_string(&e->functions, "void row_steps() {\n");
    rp_emit_move(e, &e->functions, &body);
    rp_text_string(&e->functions, "}\n\n");
    return "row_steps";
}
