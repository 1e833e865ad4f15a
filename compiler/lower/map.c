/* Maps: a thread for each element, or for four neighbours. Every member is pointwise, or a scatter at the
 * end; all outputs that are in memory have the same number of elements. What members need at other
 * indices they compute again, through functions of the index.
 *
 * A GPU moves most bytes where each thread moves 16. So maps that have enough elements for all threads it can
 * hold have four a thread, unless a member's text would have to stand there four times, or what they move has
 * 64 bits, of which two are 16 bytes: GLSL has no four of pairs. Numbers of rows may have them: they are read one by one.
 *
 * Where four neighbours come from places that are far apart, as in a transpose, neighbouring threads take elements
 * that come from neighbours: a subgroup loads whole lines, and the rest of what it stores in one is stored
 * by others meanwhile. */
#include "lower/internal.h"

#include "target/target.h"

/* Whether four elements of a value cost no more text than one. */
static bool is_brief(const rp_emit *e, uint32_t value) {
    const rp_op_call *call = &e->members[e->values[value].member].call;
    return rp_op_formula(call) || rp_emit_has_four(e, value);
}

/* A member whose elements come from far apart, by a fixed number of steps; RP_NONE. */
static uint32_t find_across(const rp_emit *e) {
    for (uint32_t i = 0; i < e->member_count; i++) {
        const rp_op_call *call = &e->members[i].call;
        const rp_tensor *out = &call->operands[call->operand_count - 1];
        uint64_t last = out->rank ? out->dims[out->rank - 1] : 1;
        if (rp_op_moves_across(call) && !rp_op_is_sized(call) && last % 4 == 0 && last > 0 &&
            rp_tensor_elements(out) == e->shape.elements)
            return i;
    }
    return RP_NONE;
}

/* Whether a member would load or store fours of 64 bits. */
static bool has_wide_fours(const rp_op_call *call) {
    for (uint32_t i = 0; i < call->operand_count; i++) {
        bool numbers = !rp_op_formula(call) && rp_op_operand_of(call, i)->dtypes == RP_DT_ID;
        if (!call->operands[i].absent && rp_op_is_wide(call->operands[i].dtype) && !numbers)
            return true;
    }
    return false;
}

static bool is_by_fours(const rp_emit *e, rp_extent all, bool across) {
    const rp_target *t = rp_graph_target(e->graph);
    uint64_t threads = (uint64_t)t->multiprocessors * t->resident_invocations;
    if (across) threads /= 8; /* they load four lines each */
    if (rp_target_is_software(t) || all.most / 4 < threads || rp_emit_each(e, all) % 4 != 0)
        return false;
    for (uint32_t i = 0; i < e->member_count; i++)
        if (has_wide_fours(&e->members[i].call)) return false;
    for (uint32_t i = 0; i < e->value_count; i++)
        if (!is_brief(e, i)) return false;
    return !rp_emit_looks_again(e);
}

/* Neighbouring threads along the dimension whose neighbours come from neighbours, then along the last one. */
static void put_across(rp_emit *e, uint32_t member) {
    const rp_op_call *call = &e->members[member].call;
    const rp_tensor *out = &call->operands[call->operand_count - 1];
    const char *lanes = rp_emit_uint(e, "ACROSS", rp_sym(call, 'L'));
    const char *between = rp_emit_uint(e, "BETWEEN", rp_sym(call, 'M'));
    const char *last = rp_emit_uint(e, "LAST", out->dims[out->rank - 1]);
    rp_text_format(&e->main,
                   "    uint n = i / 4u, rest = n / %s, line = rest / (%s / 4u);\n"
                   "    i = ((line / %s * %s + n %% %s) * %s + line %% %s) * %s +\n"
                   "        rest %% (%s / 4u) * 4u;\n",
                   lanes, last, between, lanes, lanes, between, between, last, last);
}

rp_status rp_emit_map(rp_emit *e) {
    uint64_t elements = e->shape.elements;
    rp_extent all = rp_emit_elements_extent(e, elements);
    uint32_t across = find_across(e);
    bool fours = is_by_fours(e, all, across != RP_NONE);
    e->local = RP_EMIT_MAP_THREADS;
    rp_emit_groups(e, all, fours ? 4 * RP_EMIT_MAP_THREADS : RP_EMIT_MAP_THREADS);
    rp_text_format(&e->main,
                   "void main() {\n"
                   "    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;\n"
                   "    uint i = %sgroup * %uu + gl_LocalInvocationIndex%s;\n"
                   "    if (i >= %s) return;\n",
                   fours ? "4u * (" : "", e->local, fours ? ")" : "",
                   rp_emit_extent(e, "ELEMENTS", all));
    if (fours && across != RP_NONE) put_across(e, across);
    if (fours) {
        (void)rp_emit_outputs_4(e, &e->main, NULL, "    ", elements);
    } else if (!rp_emit_looks_again(e)) {
        rp_emit_outputs(e, &e->main, "i", "    ", elements, NULL);
    } else {
        rp_text_string(&e->main, "    for (uint spins = 0u;;) {\n");
        rp_emit_outputs(e, &e->main, "i", "        ", elements, NULL);
        rp_text_string(&e->main, "        return;\n    }\n");
    }
    rp_text_string(&e->main, "}\n");
    return e->status;
}
