/* Maps: a thread for each element. Every member is pointwise, or a scatter at the end; all outputs
 * that are in memory have the same number of elements. What members need at other indices they
 * compute again, through functions of the index. */
#include "lower/internal.h"

/* Elements of the node's domain: of its outputs, for a scatter those of its source. */
static uint64_t domain_of(rp_emit *e) {
    uint64_t elements = 0;
    for (uint32_t i = 0; i < e->value_count; i++) {
        const rp_emit_value *out = &e->values[i];
        const rp_op_call *call = &e->members[out->member].call;
        if (out->use == RP_NONE) continue;
        uint64_t own = call->op->form == RP_OP_SCATTER ? rp_tensor_elements(&call->operands[0])
                                                       : out->elements;
        if (elements && own != elements)
            rp_emit_fail(e, "its outputs have different numbers of elements");
        elements = own;
    }
    if (elements == 0) rp_emit_fail(e, "it writes nothing");
    return elements;
}

rp_status rp_emit_map(rp_emit *e) {
    uint64_t elements = domain_of(e);
    if (e->status != RP_OK) return e->status;
    e->local = RP_EMIT_MAP_THREADS;
    rp_emit_grid(e, (elements + RP_EMIT_MAP_THREADS - 1) / RP_EMIT_MAP_THREADS);
    rp_text_format(&e->main,
                   "void main() {\n"
                   "    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;\n"
                   "    uint i = group * %uu + gl_LocalInvocationIndex;\n"
                   "    if (i >= %s) return;\n",
                   e->local, rp_emit_uint(e, "ELEMENTS", elements));
    rp_emit_outputs(e, &e->main, "i", "    ", elements, NULL);
    rp_text_string(&e->main, "}\n");
    return e->status;
}
