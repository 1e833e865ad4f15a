/* Eight elements and sixteen bytes at once, of what lies together, is moved together, or is computed.
 *
 * An op that moves elements keeps some of them neighbours (rp_op.together). Who asks for as many gets
 * them by one load, of what is moved. Halves that stay together by fours make the sixteen bytes of a
 * cooperative matrix from two loads, as they lie: neither needs a conversion. */
#include "lower/internal.h"

const char *rp_emit_reader_8(rp_emit *e, uint32_t member, uint32_t operand) {
    if (e->status != RP_OK) return "";
    const char *four = rp_emit_other_reader_4(e, member, operand);
    if (!four) return rp_emit_memory_8(e, member, operand);
    const char *name = rp_emit_name(e, "%s_8", rp_emit_reader(e, member, operand));
    const char *type = rp_emit_type_4(e, member, operand);
    uint32_t value = e->members[member].operands[operand].value;
    if (!rp_emit_add_function(e, name)) return name;
    if (rp_emit_is_moved(e, member, operand, 8)) {
        const char *from = rp_emit_moved_reader(e, value, rp_emit_reader_8);
        rp_text_format(&e->functions, "void %s(uint i, out %s low, out %s high) {\n", name, type,
                       type);
        rp_emit_put_moved_from(
            e, value,
            rp_emit_name(e, "{\n        low = high = %s(0);\n        return;\n    }", type));
        rp_text_format(&e->functions, "    %s(at, low, high);\n}\n\n", from);
    } else
        rp_emit_put_eight(e, type, name, four);
    return name;
}

/* Of halves in memory that are moved by fours, the function of four as they lie; NULL for others. */
static const char *reader_pair(rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    if (o->absent || o->dtype != RP_F16) return NULL;
    if (!rp_emit_other_reader_4(e, member, operand)) return rp_emit_memory_pair(e, member, operand);
    if (!rp_emit_is_moved(e, member, operand, 4)) return NULL;
    const char *from = rp_emit_moved_reader(e, o->value, reader_pair);
    if (!from) return NULL;
    const char *name = rp_emit_name(e, "%s_pair", rp_emit_reader(e, member, operand));
    if (!rp_emit_add_function(e, name)) return name;
    rp_text_format(&e->functions, "uvec2 %s(uint i) {\n", name);
    rp_emit_put_moved_from(e, o->value, "return uvec2(0u);");
    rp_text_format(&e->functions, "    return %s(at);\n}\n\n", from);
    return name;
}

/* Sixteen bytes of what is moved as many together, or by fours; NULL for others. */
static const char *moved_words(rp_emit *e, uint32_t member, uint32_t operand) {
    uint32_t width = rp_emit_words_width(e, member, operand);
    bool whole = rp_emit_is_moved(e, member, operand, width);
    uint32_t value = e->members[member].operands[operand].value;
    const char *from = whole ? rp_emit_moved_reader(e, value, rp_emit_reader_words)
                             : reader_pair(e, member, operand);
    if (!from) return NULL;
    const char *one = rp_emit_reader(e, member, operand);
    const char *name = rp_emit_words_name(e, member, operand, one);
    if (!rp_emit_add_function(e, name)) return name;
    rp_text_format(&e->functions, "uvec4 %s(uint i) {\n", name);
    if (whole) {
        rp_emit_put_moved_from(e, value, "return uvec4(0u);");
        rp_text_format(&e->functions, "    return %s(at);\n}\n\n", from);
    } else
        rp_text_format(&e->functions, "    return uvec4(%s(i), %s(i + 4u));\n}\n\n", from, from);
    return name;
}

const char *rp_emit_reader_words(rp_emit *e, uint32_t member, uint32_t operand) {
    if (e->status != RP_OK) return "";
    if (!rp_emit_other_reader_4(e, member, operand))
        return rp_emit_memory_words(e, member, operand);
    const char *moved = moved_words(e, member, operand);
    if (moved) return moved;
    const char *one = rp_emit_reader(e, member, operand);
    const char *name = rp_emit_words_name(e, member, operand, one);
    const char *eight = rp_emit_reader_8(e, member, operand);
    if (rp_emit_add_function(e, name)) rp_emit_put_words(e, member, operand, name, eight);
    return name;
}

/* What is computed is so when it is asked for. */
const char *rp_emit_fetch(rp_emit *e, uint32_t member, uint32_t operand) {
    if (e->status != RP_OK) return "";
    bool computed = rp_emit_other_reader_4(e, member, operand) != NULL;
    return computed ? rp_emit_reader_words(e, member, operand)
                    : rp_emit_memory_fetch(e, member, operand);
}

const char *rp_emit_fetched(rp_emit *e, uint32_t member, uint32_t operand) {
    if (e->status != RP_OK) return "";
    if (!rp_emit_other_reader_4(e, member, operand))
        return rp_emit_memory_fetched(e, member, operand);
    const char *name = rp_emit_name(e, "%s_fetched", rp_emit_reader(e, member, operand));
    if (rp_emit_add_function(e, name)) rp_emit_put_fetched(e, name);
    return name;
}
