/* What text of kernels/ reads its operands with, where that is not what memory or another member has: masks of
 * bool are what they add to scores, and integers of 64 bits, elsewhere two words, are numbers. */
#include "lower/internal.h"

const char *rp_emit_text_reader(rp_emit *e, uint32_t member, uint32_t operand) {
    const char *one = rp_emit_reader(e, member, operand);
    const rp_op_call *call = &e->members[member].call;
    bool number = rp_op_is_long(call, operand);
    if (e->status != RP_OK || (!number && !rp_op_is_bool_mask(call, operand))) return one;
    if (number) {
        const char *own = rp_emit_name(e, "%s_number", one);
        bool negative = call->operands[operand].dtype == RP_I64;
        if (rp_emit_add_function(e, own))
            rp_text_format(&e->functions, "%s %s(uint i) {\n    return %s(%s(i));\n}\n\n",
                           rp_emit_text_class(e, member, operand), own,
                           negative ? "long_of" : "ulong_of", one);
        return own;
    }
    const char *name = rp_emit_name(e, "%s_mask", one);
    if (rp_emit_add_function(e, name))
        rp_text_format(&e->functions, "float %s(uint i) {\n    return to_mask(%s(i));\n}\n\n", name,
                       one);
    return name;
}

const char *rp_emit_text_reader_4(rp_emit *e, uint32_t member, uint32_t operand) {
    if (!rp_op_is_long(&e->members[member].call, operand))
        return rp_emit_reader_4(e, member, operand);
    const char *one = rp_emit_text_reader(e, member, operand);
    const char *name = rp_emit_name(e, "%s_4", one);
    if (e->status == RP_OK && rp_emit_add_function(e, name))
        rp_emit_put_four(e, rp_emit_type_4(e, member, operand), name, one);
    return name;
}

const rp_emit_names rp_emit_text_readers = {rp_emit_text_reader, rp_emit_text_reader_4,
                                            rp_emit_reader_8,    rp_emit_reader_words,
                                            rp_emit_fetch,       rp_emit_fetched};
