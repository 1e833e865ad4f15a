/* Nodes: which kernel a node's members become, and what stands for all of them. */
#include "lower/internal.h"

/* ---- Behind a core --------------------------------------------------------------------------- */

/* Elements that a member goes over: those of its one output, of a scatter those of its source. */
static uint64_t domain_of(const rp_op_call *call) {
    uint32_t k = call->op->form == RP_OP_SCATTER ? 0 : call->operand_count - 1;
    return rp_tensor_elements(&call->operands[k]);
}

/* What a core, a member of form kernel, has computed is at hand for one element, or for a pair of
 * rows of a product: whoever is behind it must not need others. Nothing else may be stored: nobody
 * says that all its elements are asked for, or that they are asked for once. */
static void check_behind(rp_emit *e, const char *core, bool product) {
    rp_emit_set behind = {0};
    for (uint32_t m = 0; m < e->member_count; m++) {
        const rp_op_call *call = &e->members[m].call;
        bool one = call->op->form == RP_OP_POINTWISE || call->op->form == RP_OP_SCATTER;
        if (call->op->form == RP_OP_KERNEL) rp_emit_add(&behind, m);
        for (uint32_t k = 0; k < call->operand_count; k++) {
            const rp_graph_operand *o = &e->members[m].operands[k];
            if (o->absent || o->value == RP_NONE || rp_emit_is_output(e, m, k)) continue;
            if (!rp_emit_has(&behind, e->values[o->value].member)) continue;
            rp_op_place at = rp_op_reads_at(call, k);
            if (!one || (at != RP_AT_SAME && !(at == RP_AT_PAIR && product)) ||
                rp_tensor_elements(&call->operands[k]) != domain_of(call))
                rp_emit_fail(e, "%s needs more than one element of what %s makes", call->op->name,
                             core);
            rp_emit_add(&behind, m);
        }
    }
    for (uint32_t i = 0; i < e->value_count; i++)
        if (e->values[i].use != RP_NONE && !rp_emit_has(&behind, e->values[i].member))
            rp_emit_fail(e, "%s is stored, but does not follow %s",
                         e->members[e->values[i].member].call.op->name, core);
}

/* ---- The choice ------------------------------------------------------------------------------ */

rp_status rp_emit_node(rp_emit *e) {
    uint32_t kernel = RP_NONE;
    bool rows = false;
    for (uint32_t i = 0; i < e->member_count; i++) {
        const rp_op *op = e->members[i].call.op;
        rows |= op->form == RP_OP_ROWS;
        if (op->form != RP_OP_KERNEL) continue;
        /* Only products can be several. */
        const rp_op *other = kernel == RP_NONE ? NULL : e->members[kernel].call.op;
        if (other && (other != op || !op->product))
            return rp_emit_fail(e, "%s and %s cannot be one kernel", other->name, op->name);
        kernel = i;
    }
    if (kernel == RP_NONE) return rows ? rp_emit_row_kernel(e) : rp_emit_map(e);
    const char *core = e->members[kernel].call.op->name;
    bool product = e->members[kernel].call.op->product;
    check_behind(e, core, product);
    if (e->status != RP_OK) return e->status;
    return product ? rp_emit_matvec(e) : rp_emit_kernel(e, kernel);
}
