/* Rows: reductions along rows, and what comes before, between and after them.
 *
 * A long row has a workgroup, a short one a thread. All steps of all members come first, one member
 * after the other; then the outputs, element by element and row by row. Nothing of a row is kept
 * between the passes but the results of the steps: elements are computed again, from memory that
 * the caches hold. */
#include "lower/internal.h"

enum { SHORT_THREADS = 64 };

/* The first member over rows says what the rows are; the others must agree. */
static uint32_t find_rows(rp_emit *e, uint64_t *out_r, uint64_t *out_c) {
    uint32_t first = RP_NONE;
    for (uint32_t i = 0; i < e->member_count; i++) {
        const rp_op_call *call = &e->members[i].call;
        if (call->op->form != RP_OP_ROWS) continue;
        if (first == RP_NONE) {
            first = i;
            *out_r = rp_sym(call, 'R');
            *out_c = rp_sym(call, 'C');
        } else if (rp_sym(call, 'R') != *out_r || rp_sym(call, 'C') != *out_c) {
            rp_emit_fail(e, "%s is over other rows", call->op->name);
        }
    }
    return first;
}

/* Whether a number for each row is repeated along the columns, and not across the rows. */
static bool is_column(const rp_op_call *call, uint32_t operand, uint64_t r, uint64_t c) {
    const rp_tensor *t = &call->operands[operand], *o = &call->operands[call->operand_count - 1];
    if (rp_tensor_elements(t) != r || rp_tensor_elements(o) != r * c) return false;
    if (r == 1) return true;
    if (t->rank != o->rank || t->dims[t->rank - 1] != 1) return false;
    for (uint32_t d = 0; d + 1 < t->rank; d++)
        if (t->dims[d] != o->dims[d]) return false;
    return true;
}

/* Only the row at hand is known, so what follows a reduction stays within it: its own element, its
 * row's number, or its pair. */
static void check_readers(rp_emit *e, uint64_t r, uint64_t c) {
    for (uint32_t m = 0; m < e->member_count; m++) {
        const rp_op_call *call = &e->members[m].call;
        for (uint32_t k = 0; k < call->operand_count; k++) {
            if (call->op->form == RP_OP_ROWS || rp_emit_is_output(e, m, k) ||
                !rp_emit_has_rows(e, m, k))
                continue;
            const rp_tensor *t = &call->operands[k];
            uint64_t elements = rp_tensor_elements(t);
            rp_op_place at = rp_op_reads_at(call, k);
            uint64_t last = t->rank ? t->dims[t->rank - 1] : 1;
            bool own = at == RP_AT_SAME && (elements == r * c || elements == r);
            bool pair = at == RP_AT_PAIR && last && c % last == 0;
            bool broadcast = at == RP_AT_ANY && rp_op_formula(call) && is_column(call, k, r, c);
            if (!own && !pair && !broadcast)
                rp_emit_fail(e, "%s looks beyond the row", call->op->name);
        }
    }
}

static bool has_outputs(const rp_emit *e, uint64_t elements) {
    for (uint32_t i = 0; i < e->value_count; i++) {
        const rp_op_call *call = &e->members[e->values[i].member].call;
        uint64_t own = call->op->form == RP_OP_SCATTER ? rp_tensor_elements(&call->operands[0])
                                                       : e->values[i].elements;
        if (e->values[i].use != RP_NONE && own == elements) return true;
    }
    return false;
}

static void check_outputs(rp_emit *e, uint64_t r, uint64_t c) {
    for (uint32_t i = 0; i < e->value_count; i++) {
        const rp_op_call *call = &e->members[e->values[i].member].call;
        uint64_t own = call->op->form == RP_OP_SCATTER ? rp_tensor_elements(&call->operands[0])
                                                       : e->values[i].elements;
        if (e->values[i].use != RP_NONE && own != r && own != r * c)
            rp_emit_fail(e, "an output of %s has no place in the rows", call->op->name);
    }
}

/* Steps of all members, then the outputs. */
static void put_rows(rp_emit *e, uint32_t first, uint64_t r, uint64_t c, bool brief) {
    const char *length = rp_emit_symbol(e, first, 'C');
    for (uint32_t m = 0; m < e->member_count && e->status == RP_OK; m++)
        if (e->members[m].call.op->form == RP_OP_ROWS && e->members[m].call.op->step_count)
            rp_text_format(&e->main, "    %s(row);\n", rp_emit_steps(e, m));
    if (has_outputs(e, r * c)) {
        rp_text_format(&e->main,
                       "    for (uint c = %s; c < %s; c += %s) {\n"
                       "        uint i = row * %s + c;\n",
                       brief ? "0u" : "gl_LocalInvocationIndex", length, brief ? "1u" : "256u",
                       length);
        rp_emit_outputs(e, &e->main, "i", "        ", r * c, NULL);
        rp_text_string(&e->main, "    }\n");
    }
    if (c > 1 && has_outputs(e, r)) {
        if (!brief) rp_text_string(&e->main, "    if (gl_LocalInvocationIndex != 0u) return;\n");
        rp_emit_outputs(e, &e->main, "row", "    ", r, NULL);
    }
}

rp_status rp_emit_row_kernel(rp_emit *e) {
    uint64_t r = 0, c = 0;
    uint32_t first = find_rows(e, &r, &c);
    if (first == RP_NONE) return rp_emit_fail(e, "it reduces nothing");
    check_readers(e, r, c);
    check_outputs(e, r, c);
    if (e->status != RP_OK) return e->status;
    bool brief = c <= RP_EMIT_SHORT_ROW;
    e->row_mode = RP_EMIT_ROW_ONE;
    e->local = brief ? SHORT_THREADS : RP_EMIT_ROW_THREADS;
    e->variant = brief ? "rows.short" : "rows.long";
    rp_emit_grid(e, brief ? (r + SHORT_THREADS - 1) / SHORT_THREADS : r);
    rp_text_string(&e->main,
                   "void main() {\n"
                   "    uint row = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;\n");
    if (brief)
        rp_text_format(&e->main, "    row = row * %uu + gl_LocalInvocationIndex;\n", e->local);
    rp_text_format(&e->main, "    if (row >= %s) return;\n", rp_emit_symbol(e, first, 'R'));
    put_rows(e, first, r, c, brief);
    rp_text_string(&e->main, "}\n");
    return e->status;
}
