/* Buffers in the text of a kernel: an array for each use and type of its elements, and how an element of an
 * operand is named. What is tagged lies in words of its own: tags.c. */
#include "lower/internal.h"

#include <string.h>

/* The GLSL type of raw elements. Scales of blocks lie at odd multiples of 2 bytes. */
static const char *raw_type(uint8_t dtype) {
    switch ((rp_dtype)dtype) {
    case RP_F32: return "float";
    case RP_I32: return "int";
    case RP_U32: return "uint";
    case RP_I16: return "int16_t";
    case RP_U16:
    case RP_F16:
    case RP_BF16:
    case RP_Q8_0:
    case RP_Q4_0: return "uint16_t";
    case RP_F64:
    case RP_I64:
    case RP_U64: return "uvec2";
    case RP_I8: return "int8_t";
    case RP_U8:
    case RP_BOOL:
    case RP_RAW: break;
    }
    return "uint8_t";
}

static const char *qualifier(const rp_emit *e, uint8_t access) {
    switch ((rp_access)access) {
    case RP_READ:
    case RP_SAMPLED:
    case RP_UNIFORM: return e->keeps_order ? "" : "readonly ";
    case RP_WRITE: return "writeonly ";
    case RP_READ_WRITE: break;
    }
    return "";
}

uint32_t rp_emit_type_bytes(const char *type) {
    if (strstr(type, "vec")) return 4 * (uint32_t)(type[strlen(type) - 1] - '0');
    return strstr(type, "16_t") ? 2 : strstr(type, "8_t") ? 1 : 4;
}

/* The constant, in elements of `type`, that a use begins with; NULL where none is needed. */
static const char *first_element(rp_emit *e, uint32_t use, const char *type, const char *name) {
    uint32_t skip = rp_use_skip(&rp_node_uses(e->graph, e->node)[use]);
    if (skip % rp_emit_type_bytes(type)) rp_emit_fail(e, "use %u begins inside a %s", use, type);
    return skip
               ? rp_emit_uint(e, rp_emit_name(e, "%s_first", name), skip / rp_emit_type_bytes(type))
               : NULL;
}

/* The array of a use as elements of `type`. Several types share a binding. */
static rp_emit_array_type use_array(rp_emit *e, uint32_t use, const char *type) {
    bool only = true;
    for (uint32_t i = 0; i < e->arrays_count; i++) {
        if (e->arrays[i].use != use) continue;
        if (strcmp(e->arrays[i].type, type) == 0) return e->arrays[i];
        only = false;
    }
    const char *name = only ? rp_emit_name(e, "b%u", use) : rp_emit_name(e, "b%u_%s", use, type);
    rp_emit_array_type array = {use, rp_emit_name(e, "%s", type), name,
                                first_element(e, use, type, name)};
    if (!RP_RESERVE(&e->allocator, e->arrays, e->arrays_count, e->arrays_capacity, 1)) {
        rp_emit_no_memory(e);
        return array;
    }
    e->arrays[e->arrays_count++] = array;
    if (strstr(type, "16_t")) e->extensions |= RP_EMIT_16BIT;
    if (strstr(type, "8_t")) e->extensions |= RP_EMIT_8BIT;
    rp_text_format(&e->buffers, "layout(binding = %u) %sbuffer Block_%s { %s %s[]; };\n", use,
                   qualifier(e, rp_node_uses(e->graph, e->node)[use].access), name, type, name);
    return array;
}

rp_emit_array_type rp_emit_array(rp_emit *e, uint32_t member, uint32_t operand, const char *type) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    if (o->absent || o->use == RP_NONE) {
        rp_emit_fail(e, "operand %s of %s is not in memory",
                     rp_op_operand_name(&e->members[member].call, operand),
                     e->members[member].call.op->name);
        return (rp_emit_array_type){RP_NONE, "", "", NULL};
    }
    if (rp_emit_is_tagged(e, member, operand)) return rp_emit_tagged_array(e, o->use);
    return use_array(e, o->use, type ? type : raw_type(o->dtype));
}

const char *rp_emit_element(rp_emit *e, uint32_t member, uint32_t operand, const char *type,
                            const char *index) {
    rp_emit_array_type array = rp_emit_array(e, member, operand, type);
    if (array.use != RP_NONE && rp_emit_is_tagged(e, member, operand))
        return rp_emit_tagged_element(e, &array, e->members[member].operands[operand].dtype, type,
                                      index);
    return array.first ? rp_emit_name(e, "%s[%s + %s]", array.name, array.first, index)
                       : rp_emit_name(e, "%s[%s]", array.name, index);
}
