/* Tagged buffers in the text of a kernel: storing elements of one, and waiting for some before all are
 * asked for. How they lie in memory and are loaded is emit.c's. */
#include "lower/internal.h"

const char *rp_emit_tagged_store(rp_emit *e, uint32_t member, uint32_t operand, const char *index,
                                 const char *value) {
    rp_emit_array_type array = rp_emit_array(e, member, operand, NULL);
    uint8_t dtype = e->members[member].operands[operand].dtype;
    const char *bits = dtype == RP_F32 ? "floatBitsToUint" : "uint";
    return rp_emit_name(e, "%s_store(%s, %s(%s))", array.name, index, bits, value);
}

void rp_emit_await(rp_emit *e, rp_text *to, uint32_t use, const char *indent) {
    const rp_graph_use *u = &rp_node_uses(e->graph, e->node)[use];
    const char *name = rp_emit_name(e, "b%u", use);
    const char *words = rp_emit_uint(e, rp_emit_name(e, "%s_WORDS", name), u->size / 4);
    rp_text_format(to,
                   "%s%s_await(uint(uint64_t(%s) * (gl_WorkGroupID.x * gl_NumSubgroups + "
                   "gl_SubgroupID) / (gl_NumWorkGroups.x * gl_NumSubgroups)));\n",
                   indent, name, words);
}
