/* Nodes: which kernel a node's members become. Their shape says it, as it does to fusion. */
#include "lower/internal.h"

static void fill_member(const rp_emit *e, uint32_t i, rp_shape_member *to) {
    const rp_emit_member *m = &e->members[i];
    to->id = rp_node_members(e->graph, e->node)[i].id;
    to->call = &m->call;
    to->x = m->operands[0].use;
    rp_op_size_of(&m->call, &to->size);
    for (uint32_t k = 0; k < m->call.operand_count; k++) {
        const rp_graph_operand *o = &m->operands[k];
        to->source[k] = RP_NONE;
        if (o->absent) continue;
        if (rp_emit_is_output(e, i, k)) {
            if (o->use != RP_NONE) to->stored |= UINT32_C(1) << k;
        } else if (o->value != RP_NONE) {
            to->source[k] = e->values[o->value].member;
            to->output[k] = (uint8_t)e->values[o->value].operand;
        }
    }
}

static rp_status find_shape(rp_emit *e) {
    rp_shape *s = &e->shape;
    s->count = e->member_count;
    s->members = rp_alloc_zero(&e->allocator, s->count, sizeof *s->members);
    if (!s->members) return rp_emit_no_memory(e);
    for (uint32_t i = 0; i < s->count; i++) fill_member(e, i, &s->members[i]);
    if (!rp_shape_find(s)) return rp_emit_fail(e, "%s", s->reason);
    if (s->count > 1 && s->size > RP_SHAPE_LARGEST_SIZE)
        return rp_emit_fail(e, "it would have about %.0f instructions; at most %d are compiled",
                            s->size, RP_SHAPE_LARGEST_SIZE);
    return RP_OK;
}

rp_status rp_emit_node(rp_emit *e) {
    RP_TRY(find_shape(e));
    e->readers = &rp_emit_text_readers;
    switch (e->shape.kind) {
    case RP_SHAPE_MAP: return rp_emit_map(e);
    case RP_SHAPE_ROWS: return rp_emit_row_kernel(e);
    case RP_SHAPE_KERNEL: return rp_emit_kernel(e);
    case RP_SHAPE_MATVEC: return rp_emit_matvec(e);
    }
    return RP_ERROR_INVALID;
}
