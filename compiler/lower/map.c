/* Maps: a thread for each element, or for four neighbours. Every member is pointwise, or a scatter at the
 * end; all outputs that are in memory have the same number of elements. What members need at other
 * indices they compute again, through functions of the index.
 *
 * A GPU moves most bytes where each thread moves 16. So maps that have enough elements for all threads it can
 * hold have four a thread, unless a member's text would have to stand there four times. */
#include "lower/internal.h"

#include "target/target.h"

/* Whether four elements of a value cost no more text than one. */
static bool is_brief(const rp_emit *e, uint32_t value) {
    const rp_op_call *call = &e->members[e->values[value].member].call;
    return rp_op_formula(call) || rp_emit_has_four(e, value);
}

static bool is_by_fours(const rp_emit *e, rp_extent all) {
    const rp_target *t = rp_graph_target(e->graph);
    uint64_t threads = (uint64_t)t->multiprocessors * t->resident_invocations;
    if (rp_target_is_software(t) || all.most / 4 < threads || rp_emit_each(e, all) % 4 != 0)
        return false;
    for (uint32_t i = 0; i < e->value_count; i++)
        if (!is_brief(e, i)) return false;
    return !rp_emit_looks_again(e);
}

rp_status rp_emit_map(rp_emit *e) {
    uint64_t elements = e->shape.elements;
    rp_extent all = rp_emit_elements_extent(e, elements);
    bool fours = is_by_fours(e, all);
    e->local = RP_EMIT_MAP_THREADS;
    rp_emit_groups(e, all, fours ? 4 * RP_EMIT_MAP_THREADS : RP_EMIT_MAP_THREADS);
    rp_text_format(&e->main,
                   "void main() {\n"
                   "    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;\n"
                   "    uint i = %sgroup * %uu + gl_LocalInvocationIndex%s;\n"
                   "    if (i >= %s) return;\n",
                   fours ? "4u * (" : "", e->local, fours ? ")" : "",
                   rp_emit_extent(e, "ELEMENTS", all));
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
