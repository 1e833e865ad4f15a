/* Rows: reductions along rows, and what comes before, between and after them.
 *
 * A long row has a workgroup, and so has a part of a row; a short row has a thread, and on a
 * processor every row has one, where they are as many as its lanes. All steps of all members come
 * first, one member after the other; then the outputs, element by element and row by row. Nothing of
 * a row is kept between the passes but the results of the steps: elements are computed again, from
 * memory that the caches hold. */
#include "lower/internal.h"

enum { SHORT_THREADS = 64, LEAST_THREADS = 32 /* of include/reduce.glsl */ };

static bool has_outputs(const rp_emit *e, uint64_t elements) {
    for (uint32_t i = 0; i < e->value_count; i++)
        if (e->values[i].use != RP_NONE && rp_emit_elements(e, i) == elements) return true;
    return false;
}

/* Steps of all members, then the outputs: those of each element, where rows are whole, and those of
 * each row or part. */
static void put_rows(rp_emit *e, uint32_t first, uint64_t r, uint64_t c, bool brief) {
    const char *length = rp_emit_symbol(e, first, 'C');
    for (uint32_t m = 0; m < e->member_count && e->status == RP_OK; m++)
        if (e->members[m].call.op->form == RP_OP_ROWS && e->members[m].call.op->step_count)
            rp_text_format(&e->main, "    %s(row);\n", rp_emit_steps(e, m));
    bool whole = !e->shape.parts;
    if (whole && has_outputs(e, r * c)) {
        rp_text_format(&e->main,
                       "    for (uint c = %s; c < %s; c += %uu) {\n"
                       "        uint i = row * %s + c;\n",
                       brief ? "0u" : "gl_LocalInvocationIndex", length, brief ? 1 : e->local,
                       length);
        rp_emit_outputs(e, &e->main, "i", "        ", r * c, NULL);
        rp_text_string(&e->main, "    }\n");
    }
    if ((c > 1 || !whole) && has_outputs(e, r)) {
        if (!brief) rp_text_string(&e->main, "    if (gl_LocalInvocationIndex != 0u) return;\n");
        rp_emit_outputs(e, &e->main, "row", "    ", r, NULL);
    }
}

/* Turns of loops of one of so many threads that share each row, with what the steps compute on their
 * way counted once for each of their elements. */
static double row_turns(const rp_emit *e, uint32_t threads) {
    double passes = 0, elements = 1;
    for (uint32_t m = 0; m < e->member_count; m++) {
        const rp_op_call *call = &e->members[m].call;
        if (call->op->form == RP_OP_ROWS) passes += rp_op_row_turns(call, threads);
        if (call->op->form == RP_OP_POINTWISE) elements += rp_op_element_turns(call);
    }
    return passes * elements;
}

/* Threads of a workgroup that has a long row. What they make is the same 256 partial results for
 * any number of them; more than keep a multiprocessor busy only take turns, and on a processor each
 * turn at a barrier costs. */
static uint32_t long_row_threads(const rp_emit *e) {
    const rp_target *target = rp_graph_target(e->graph);
    uint64_t busy = target->busy_invocations;
    uint32_t threads = RP_EMIT_ROW_THREADS;
    while (threads > LEAST_THREADS && threads / 2 >= busy &&
           rp_target_turns(target, row_turns(e, threads / 2)))
        threads /= 2;
    return threads;
}

/* Of a workgroup with a row each: fewer where rows are too few for every core of a processor. */
static uint32_t short_threads(const rp_emit *e, uint64_t rows) {
    const rp_target *t = rp_graph_target(e->graph);
    if (t->resident_groups != 1 || !t->subgroup) return SHORT_THREADS;
    uint64_t cores = t->multiprocessors ? t->multiprocessors : 1;
    uint64_t each = ((rows + cores - 1) / cores + t->subgroup - 1) / t->subgroup * t->subgroup;
    return each < SHORT_THREADS ? (uint32_t)each : SHORT_THREADS;
}

rp_status rp_emit_row_kernel(rp_emit *e) {
    uint64_t r = e->shape.rows, c = e->shape.columns;
    uint32_t first = e->shape.first;
    bool brief = rp_op_row_threads(&e->members[first].call, rp_graph_target(e->graph)) == 1;
    e->row_mode = RP_EMIT_ROW_ONE;
    e->local = brief ? short_threads(e, r) : long_row_threads(e);
    rp_emit_grid(e, brief ? (r + e->local - 1) / e->local : r);
    rp_text_string(&e->main,
                   "void main() {\n"
                   "    uint row = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;\n");
    if (brief)
        rp_text_format(&e->main, "    row = row * %uu + gl_LocalInvocationIndex;\n", e->local);
    rp_text_format(&e->main, "    if (row >= %s) return;\n",
                   e->shape.parts ? rp_emit_uint(e, "rows", r) : rp_emit_symbol(e, first, 'R'));
    put_rows(e, first, r, c, brief);
    rp_text_string(&e->main, "}\n");
    return e->status;
}
