/* The shapes of instructions, from the tables of the SPIR-V specification. An instruction that is not here is
 * not copied, which costs a kernel its place in a joined one and nothing else. */
#include "spirv/operands.h"

#include <stddef.h>
#include <string.h>

#include "spirv/opcodes.h"

/* By opcode, what its words are behind the first: `i` an id, `l` a literal; at the end `*` any number of ids,
 * `.` of literals, `m` memory operands, `c` the cases of a switch over 32 bits. */
static const struct {
    uint16_t first, last;
    char shape[8];
} shapes[] = {
    {OP_UNDEF, OP_UNDEF, "ii"},
    {OP_EXT_INST, OP_EXT_INST, "iiil*"},
    {OP_TYPE_VOID, OP_TYPE_BOOL, "i"},
    {OP_TYPE_INT, OP_TYPE_FLOAT, "i."},
    {OP_TYPE_VECTOR, OP_TYPE_MATRIX, "iil"},
    {OP_TYPE_ARRAY, OP_TYPE_STRUCT, "i*"},
    {OP_TYPE_POINTER, OP_TYPE_POINTER, "ili"},
    {OP_TYPE_FUNCTION, OP_TYPE_FUNCTION, "i*"},
    {OP_CONSTANT_TRUE, OP_CONSTANT_FALSE, "ii"},
    {OP_CONSTANT, OP_CONSTANT, "ii."},
    {OP_CONSTANT_COMPOSITE, OP_CONSTANT_COMPOSITE, "ii*"},
    {OP_CONSTANT_NULL, OP_CONSTANT_NULL, "ii"},
    {OP_SPEC_CONSTANT_OP, OP_SPEC_CONSTANT_OP, "iil*"},
    {OP_FUNCTION, OP_FUNCTION, "iili"},
    {OP_FUNCTION_PARAMETER, OP_FUNCTION_PARAMETER, "ii"},
    {OP_FUNCTION_END, OP_FUNCTION_END, ""},
    {OP_FUNCTION_CALL, OP_FUNCTION_CALL, "iii*"},
    {OP_VARIABLE, OP_VARIABLE, "iil*"},
    {OP_LOAD, OP_LOAD, "iiim"},
    {OP_STORE, OP_STORE, "iim"},
    {OP_ACCESS_CHAIN, OP_IN_BOUNDS_ACCESS_CHAIN, "iii*"},
    {OP_ARRAY_LENGTH, OP_ARRAY_LENGTH, "iiil"},
    {77, 78, "ii*"}, /* VectorExtractDynamic, VectorInsertDynamic */
    {OP_VECTOR_SHUFFLE, OP_VECTOR_SHUFFLE, "iiii."},
    {OP_COMPOSITE_CONSTRUCT, OP_COMPOSITE_CONSTRUCT, "ii*"},
    {OP_COMPOSITE_EXTRACT, OP_COMPOSITE_EXTRACT, "iii."},
    {OP_COMPOSITE_INSERT, OP_COMPOSITE_INSERT, "iiii."},
    {OP_COPY_OBJECT, 84, "iii"}, /* and Transpose */
    {109, 117, "iii"},           /* conversions */
    {OP_BITCAST, OP_BITCAST, "iii"},
    {OP_SNEGATE, 157, "ii*"}, /* arithmetic, Any, All, IsNan, IsInf */
    {OP_LOGICAL_EQUAL, 191, "ii*"},
    {OP_SHIFT_RIGHT_LOGICAL, 205, "ii*"}, /* bits */
    {224, 225, "*"},                      /* ControlBarrier, MemoryBarrier */
    {OP_ATOMIC_LOAD, OP_ATOMIC_LOAD, "ii*"},
    {OP_ATOMIC_STORE, OP_ATOMIC_STORE, "*"},
    {229, OP_ATOMIC_XOR, "ii*"},
    {OP_PHI, OP_PHI, "ii*"},
    {OP_LOOP_MERGE, OP_LOOP_MERGE, "ii."},
    {OP_SELECTION_MERGE, OP_SELECTION_MERGE, "il"},
    {OP_LABEL, OP_BRANCH, "i"},
    {OP_BRANCH_CONDITIONAL, OP_BRANCH_CONDITIONAL, "iii."},
    {OP_SWITCH, OP_SWITCH, "iic"},
    {OP_RETURN, OP_RETURN, ""},
    {254, 254, "i"}, /* ReturnValue */
    {255, 255, ""},  /* Unreachable */
    {OP_GROUP_NON_UNIFORM_FIRST, 341, "ii*"},
    {342, 342, "iiil*"}, /* BallotBitCount */
    {343, 348, "ii*"},   /* FindLSB to ShuffleDown */
    {349, 364, "iiil*"}, /* those with a GroupOperation */
    {365, OP_GROUP_NON_UNIFORM_LAST, "ii*"},
    {400, 400, "iii"}, /* CopyLogical */
    {OP_GROUP_NON_UNIFORM_ROTATE, OP_GROUP_NON_UNIFORM_ROTATE, "ii*"},
    {OP_DOT_FIRST, 4452, "iiii."},
    {4453, OP_DOT_LAST, "iiiii."},
    {OP_ATOMIC_FMIN, OP_ATOMIC_FMAX, "ii*"},
    {OP_ATOMIC_FADD, OP_ATOMIC_FADD, "ii*"},
};

typedef struct mapping {
    const uint32_t *in, *map;
    uint32_t *out;
    uint32_t length, bound;
} mapping;

static bool map_id(const mapping *m, uint32_t i) {
    if (i >= m->length || m->in[i] >= m->bound || !m->map[m->in[i]]) return false;
    m->out[i] = m->map[m->in[i]];
    return true;
}

static bool map_literal(const mapping *m, uint32_t i) {
    if (i >= m->length) return false;
    m->out[i] = m->in[i];
    return true;
}

/* A mask, then what its bits bring: an alignment, and scopes that memory is made available to and visible in. */
static bool map_memory(const mapping *m, uint32_t i) {
    enum { ALIGNED = 2, AVAILABLE = 8, VISIBLE = 16 };
    if (i == m->length) return true;
    uint32_t mask = m->in[i];
    if (!map_literal(m, i++)) return false;
    if ((mask & ALIGNED) && !map_literal(m, i++)) return false;
    if ((mask & AVAILABLE) && !map_id(m, i++)) return false;
    if ((mask & VISIBLE) && !map_id(m, i++)) return false;
    return i == m->length;
}

static bool map_rest(const mapping *m, char kind, uint32_t i) {
    if (kind == 'm') return map_memory(m, i);
    for (uint32_t first = i; i < m->length; i++) {
        bool literal = kind == '.' || (kind == 'c' && (i - first) % 2 == 0);
        if (literal ? !map_literal(m, i) : !map_id(m, i)) return false;
    }
    return true;
}

bool rp_spirv_map_ids(const uint32_t *instruction, const uint32_t *map, uint32_t bound,
                      uint32_t *out) {
    const mapping m = {instruction, map, out, instruction[0] >> 16, bound};
    uint32_t op = instruction[0] & 0xffff, i = 1;
    const char *shape = NULL;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes && !shape; s++)
        if (op >= shapes[s].first && op <= shapes[s].last) shape = shapes[s].shape;
    if (!shape) return false;
    out[0] = instruction[0];
    for (; *shape; shape++) {
        if (strchr("*.mc", *shape)) return map_rest(&m, *shape, i);
        if (*shape == 'i' ? !map_id(&m, i) : !map_literal(&m, i)) return false;
        i++;
    }
    return i == m.length;
}
