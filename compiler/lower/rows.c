/* Rows: reductions along rows, and what comes before, between and after them.
 *
 * A row has a thread, a team of threads, or a workgroup (rp_op_row_threads); a part of a row has a
 * workgroup. All steps of all members come first, one member after the other; then the outputs,
 * element by element and row by row. A team holds the few elements of a row that each thread has from pass to
 * pass. Else only the results of the steps are kept: elements are computed again, from memory that the caches
 * hold. */
#include "lower/internal.h"

enum {
    SHORT_THREADS = 64,
    LEAST_THREADS = 32, /* of include/reduce.glsl */
    TEAM_THREADS = 256, /* of a workgroup of teams */
    WELL_SPREAD = 4,    /* workgroups for a multiprocessor, before they are made so large */
};

static bool has_outputs(const rp_emit *e, uint64_t elements) {
    for (uint32_t i = 0; i < e->value_count; i++)
        if (e->values[i].use != RP_NONE && rp_emit_elements(e, i) == elements) return true;
    return false;
}

/* The outputs of each element, by a team: fours of a thread are stored at once where that is
 * possible, made of what it holds. */
static void put_team_elements(rp_emit *e, uint64_t elements, const char *length, uint32_t team) {
    rp_text body;
    rp_text_init(&body, &e->allocator);
    uint32_t first = e->shape.first;
    bool fours = rp_emit_rows_by_fours(e, rp_sym_extent(&e->members[first].call, 'C')) &&
                 rp_emit_outputs_4(e, &body, NULL, "        ", elements);
    if (fours) {
        if (rp_emit_has_held(e))
            rp_emit_slot_loop(e, &e->main, first, "    ");
        else
            rp_text_format(&e->main,
                           "    for (uint four = row_lane * 4u; four < %s; four += %uu) {\n",
                           length, 4 * team);
        rp_text_format(&e->main, "        uint i = row * %s + four;\n", length);
        rp_emit_move(e, &e->main, &body);
        rp_text_string(&e->main, "    }\n");
        return;
    }
    rp_text_free(&body);
    rp_text_format(&e->main,
                   "    for (uint four = row_lane * 4u; four < %s; four += %uu)\n"
                   "        for (uint c = four; c < min(four + 4u, %s); c++) {\n"
                   "            uint i = row * %s + c;\n",
                   length, 4 * team, length, length);
    rp_emit_outputs(e, &e->main, "i", "            ", elements, NULL);
    rp_text_string(&e->main, "        }\n");
}

/* Steps of all members. */
static void put_steps(rp_emit *e) {
    for (uint32_t m = 0; m < e->member_count && e->status == RP_OK; m++)
        if (e->members[m].call.op->form == RP_OP_ROWS && e->members[m].call.op->step_count)
            rp_text_format(&e->main, "    %s(row);\n", rp_emit_steps(e, m));
}

/* The outputs behind them: those of each element, where rows are whole, and those of each row or part.
 * `threads` share a row. */
static void put_whole_rows(rp_emit *e, uint32_t first, uint64_t r, uint64_t c, uint32_t threads) {
    const char *length = rp_emit_symbol(e, first, 'C');
    bool whole = !e->shape.parts, team = threads > 1 && threads < RP_OP_ROW_THREADS;
    if (whole && has_outputs(e, r * c) && team) {
        put_team_elements(e, r * c, length, threads);
    } else if (whole && has_outputs(e, r * c)) {
        rp_text_format(&e->main,
                       "    for (uint c = %s; c < %s; c += %uu) {\n"
                       "        uint i = row * %s + c;\n",
                       threads == 1 ? "0u" : "gl_LocalInvocationIndex", length,
                       threads == 1 ? 1 : e->local, length);
        rp_emit_outputs(e, &e->main, "i", "        ", r * c, NULL);
        rp_text_string(&e->main, "    }\n");
    }
    if ((c > 1 || !whole) && has_outputs(e, r)) {
        if (threads > 1)
            rp_text_format(&e->main, "    if (%s != 0u) return;\n",
                           team ? "row_lane" : "gl_LocalInvocationIndex");
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

/* Of a workgroup of teams: large ones where there are enough of them, for each takes time to start. */
static uint32_t all_teams_threads(const rp_emit *e, uint64_t rows, uint32_t team) {
    uint64_t enough = WELL_SPREAD * rp_graph_target(e->graph)->multiprocessors;
    return rows * team / TEAM_THREADS >= enough ? TEAM_THREADS : SHORT_THREADS;
}

/* ---- Wide rows ------------------------------------------------------------------------------- */

/* The elements of a wide row that a workgroup has, from `first` on: fours of a thread at once where rows
 * begin at multiples of four. Then what they load is on its way while the steps are computed, of the
 * last four by threads that have none. */
static void put_wide_fours(rp_emit *e, const char *length, rp_text *early, rp_text *fours) {
    rp_text_format(&e->main,
                   "    uint four = first + gl_LocalInvocationIndex * 4u;\n"
                   "    uint i = row * %s + min(four, %s - 4u);\n",
                   length, length);
    rp_emit_move(e, &e->main, early);
    put_steps(e);
    rp_text_format(&e->main, "    if (four < %s) {\n", length);
    rp_emit_move(e, &e->main, fours);
    rp_text_string(&e->main, "    }\n");
}

/* The length of wide rows, and rows, as they follow live sizes. */
static rp_extent rows_extent(const rp_emit *e) {
    const rp_op_call *call = &e->members[e->shape.first].call;
    rp_extent rows = rp_sym_extent(call, 'R');
    return call->op->parts ? rp_extent_product(rows, rp_sym_extent(call, 'P')) : rows;
}

static rp_extent wide_extent(rp_emit *e) {
    rp_extent all = rp_emit_elements_extent(e, e->shape.wide), rows = rows_extent(e);
    rp_extent length = {e->shape.wide / e->shape.rows, 0};
    for (uint32_t i = 0; i < RP_SIZES; i++) {
        uint32_t there = rp_power_of(all.powers, i), taken = rp_power_of(rows.powers, i);
        if (taken > there)
            rp_emit_fail(e, "rows follow live sizes, and what is made of them does not");
        else
            length.powers |= rp_powers_of(i, there - taken);
    }
    if (length.powers) rp_emit_fail(e, "several workgroups have a row, whose length varies");
    return length;
}

static void put_wide_elements(rp_emit *e, const char *length) {
    rp_extent width = wide_extent(e);
    rp_text early, fours;
    rp_text_init(&early, &e->allocator);
    rp_text_init(&fours, &e->allocator);
    if (rp_emit_rows_by_fours(e, width) &&
        rp_emit_outputs_4(e, &fours, &early, "    ", e->shape.wide)) {
        put_wide_fours(e, length, &early, &fours);
        return;
    }
    rp_text_free(&early);
    rp_text_free(&fours);
    put_steps(e);
    rp_text_format(&e->main,
                   "    for (uint c = first + gl_LocalInvocationIndex; c < min(first + %uu, %s);"
                   " c += %uu) {\n"
                   "        uint i = row * %s + c;\n",
                   RP_SHAPE_WIDE_GROUP, length, e->local, length);
    rp_emit_outputs(e, &e->main, "i", "        ", e->shape.wide, NULL);
    rp_text_string(&e->main, "    }\n");
}

/* Several workgroups have a row: each goes over its reductions, which are short, and makes a few of the
 * elements that need them. The first of them has the other outputs. */
static rp_status emit_wide(rp_emit *e, uint32_t threads) {
    uint64_t r = e->shape.rows, c = e->shape.columns, groups = rp_shape_wide_groups(&e->shape);
    const char *share = rp_emit_uint(e, "wide_groups", groups);
    const char *length = rp_emit_extent(e, "wide_length", wide_extent(e));
    e->local = RP_EMIT_ROW_THREADS;
    rp_emit_groups(e, rp_extent_product(rows_extent(e), rp_extent_fixed(groups)), 1);
    rp_text_format(&e->main, "    uint first = row %% %s * %uu;\n    row /= %s;\n", share,
                   RP_SHAPE_WIDE_GROUP, share);
    if (threads > 1 && threads < RP_OP_ROW_THREADS)
        rp_text_format(&e->main, "    row_lane = gl_SubgroupInvocationID %% %uu;\n", threads);
    rp_text_format(&e->main, "    if (row >= %s) return;\n",
                   rp_emit_symbol(e, e->shape.first, 'R'));
    put_wide_elements(e, length);
    if (has_outputs(e, r * c) || has_outputs(e, r)) {
        rp_text_string(&e->main, "    if (first != 0u) return;\n");
        put_whole_rows(e, e->shape.first, r, c, RP_OP_ROW_THREADS);
    }
    rp_text_string(&e->main, "}\n");
    return e->status;
}

rp_status rp_emit_row_kernel(rp_emit *e) {
    uint64_t r = e->shape.rows, c = e->shape.columns;
    uint32_t first = e->shape.first;
    uint32_t threads = rp_emit_row_threads(e, first), rows = 1; /* of a workgroup */
    e->row_mode = RP_EMIT_ROW_ONE;
    rp_text_string(&e->main,
                   "void main() {\n"
                   "    uint row = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;\n");
    if (e->shape.wide) return emit_wide(e, threads);
    if (threads == 1) {
        rows = e->local = short_threads(e, r);
        rp_text_format(&e->main, "    row = row * %uu + gl_LocalInvocationIndex;\n", rows);
    } else if (threads < RP_OP_ROW_THREADS) {
        e->local = all_teams_threads(e, r, threads);
        if (rp_emit_rows_by_fours(e, rp_sym_extent(&e->members[first].call, 'C')))
            e->row_fours = rp_op_row_fours(&e->members[first].call, rp_graph_target(e->graph));
        rows = e->local / threads;
        rp_text_format(
            &e->main,
            "    uint thread = gl_SubgroupID * gl_SubgroupSize + gl_SubgroupInvocationID;\n"
            "    row = row * %uu + thread / %uu;\n"
            "    row_lane = thread %% %uu;\n",
            rows, threads, threads);
    } else {
        e->local = long_row_threads(e);
    }
    rp_emit_groups(e, rows_extent(e), rows);
    rp_text_format(&e->main, "    if (row >= %s) return;\n",
                   e->shape.parts ? rp_emit_extent(e, "rows", rows_extent(e))
                                  : rp_emit_symbol(e, first, 'R'));
    put_steps(e);
    put_whole_rows(e, first, r, c, threads);
    rp_text_string(&e->main, "}\n");
    return e->status;
}
