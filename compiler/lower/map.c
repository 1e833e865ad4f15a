/* Maps: a thread for each element. Every member is pointwise, or a scatter at the end; all outputs
 * that are in memory have the same number of elements. What members need at other indices they
 * compute again, through functions of the index. */
#include "lower/internal.h"

rp_status rp_emit_map(rp_emit *e) {
    uint64_t elements = e->shape.elements;
    rp_extent all = rp_emit_elements_extent(e, elements);
    e->local = RP_EMIT_MAP_THREADS;
    rp_emit_groups(e, all, RP_EMIT_MAP_THREADS);
    rp_text_format(&e->main,
                   "void main() {\n"
                   "    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;\n"
                   "    uint i = group * %uu + gl_LocalInvocationIndex;\n"
                   "    if (i >= %s) return;\n",
                   e->local, rp_emit_extent(e, "ELEMENTS", all));
    if (!rp_emit_looks_again(e)) {
        rp_emit_outputs(e, &e->main, "i", "    ", elements, NULL);
    } else {
        rp_text_string(&e->main, "    for (uint spins = 0u;;) {\n");
        rp_emit_outputs(e, &e->main, "i", "        ", elements, NULL);
        rp_text_string(&e->main, "        return;\n    }\n");
    }
    rp_text_string(&e->main, "}\n");
    return e->status;
}
