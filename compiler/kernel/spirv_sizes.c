/* Workgroup size and workgroup memory, with specialisation constants as they stand in the words.
 *
 * SPIRV-Cross reports neither once specialisation constants are involved: a workgroup size may be a
 * composite of constants, an array's length an expression over them. Everything that matters comes
 * before the first function and is defined before it is used, so one walk evaluates constants and
 * lays out types as it meets them: no recursion, whatever a module nests.
 *
 * Only 32-bit integers and booleans are evaluated. A size that depends on anything else is an
 * error, not a guess. Types are laid out by the std430 rules, which Vulkan prescribes for workgroup
 * memory without explicit layout. */
#include "kernel/spirv.h"

#include <spirv/unified1/spirv.h>
#include "base/checked.h"

typedef struct id_info {
    uint32_t def;   /* word offset of the type or constant; 0 = none */
    uint32_t value; /* constants: their bits */
    uint64_t size;  /* types: bytes; UINT64_MAX = too large or unknown */
    uint8_t align;
    bool known; /* `value` is */
} id_info;

typedef struct sizes {
    const uint32_t *words;
    uint32_t count, bound;
    id_info *ids;
    uint32_t entry_at;      /* word offset of the OpEntryPoint */
    uint32_t size_constant; /* id decorated BuiltIn WorkgroupSize, 0 = none */
    uint32_t local[3];
    bool local_known;
    uint64_t shared;
} sizes;

static uint32_t shift(uint32_t op, uint32_t a, uint32_t b) {
    if (b >= 32) return op == SpvOpShiftRightArithmetic && (int32_t)a < 0 ? UINT32_MAX : 0;
    if (op == SpvOpShiftLeftLogical) return a << b;
    if (op == SpvOpShiftRightLogical || (int32_t)a >= 0) return a >> b;
    return ~(~a >> b);
}

/* a / b and a % b; false where SPIR-V leaves the result undefined. */
static bool divide(uint32_t op, uint32_t a, uint32_t b, uint32_t *out) {
    if (b == 0) return false;
    if (op == SpvOpUDiv) return *out = a / b, true;
    if (op == SpvOpUMod) return *out = a % b, true;
    int64_t x = (int32_t)a, y = (int32_t)b;
    if (op == SpvOpSDiv) return *out = (uint32_t)(x / y), true;
    int64_t rest = x % y; /* has the sign of x, as SRem wants; SMod wants that of y */
    if (op == SpvOpSMod && rest != 0 && (rest < 0) != (y < 0)) rest += y;
    *out = (uint32_t)rest;
    return true;
}

static bool evaluate2(uint32_t op, uint32_t a, uint32_t b, uint32_t *out) {
    switch (op) {
    case SpvOpIAdd: return *out = a + b, true;
    case SpvOpISub: return *out = a - b, true;
    case SpvOpIMul: return *out = a * b, true;
    case SpvOpUDiv:
    case SpvOpSDiv:
    case SpvOpUMod:
    case SpvOpSRem:
    case SpvOpSMod: return divide(op, a, b, out);
    case SpvOpShiftLeftLogical:
    case SpvOpShiftRightLogical:
    case SpvOpShiftRightArithmetic: return *out = shift(op, a, b), true;
    case SpvOpBitwiseAnd:
    case SpvOpLogicalAnd: return *out = a & b, true;
    case SpvOpBitwiseOr:
    case SpvOpLogicalOr: return *out = a | b, true;
    case SpvOpBitwiseXor: return *out = a ^ b, true;
    case SpvOpIEqual:
    case SpvOpLogicalEqual: return *out = a == b, true;
    case SpvOpINotEqual:
    case SpvOpLogicalNotEqual: return *out = a != b, true;
    case SpvOpULessThan: return *out = a < b, true;
    case SpvOpULessThanEqual: return *out = a <= b, true;
    case SpvOpUGreaterThan: return *out = a > b, true;
    case SpvOpUGreaterThanEqual: return *out = a >= b, true;
    case SpvOpSLessThan: return *out = (int32_t)a < (int32_t)b, true;
    case SpvOpSLessThanEqual: return *out = (int32_t)a <= (int32_t)b, true;
    case SpvOpSGreaterThan: return *out = (int32_t)a > (int32_t)b, true;
    case SpvOpSGreaterThanEqual: return *out = (int32_t)a >= (int32_t)b, true;
    }
    return false;
}

/* OpSpecConstantOp: [op|length] type result opcode operand... */
static bool evaluate(const sizes *s, const uint32_t *w, uint32_t length, uint32_t *out) {
    if (length < 5 || length > 7) return false;
    uint32_t v[3] = {0};
    for (uint32_t i = 4; i < length; i++) {
        if (!s->ids[w[i]].known) return false;
        v[i - 4] = s->ids[w[i]].value;
    }
    uint32_t op = w[3];
    if (length == 5 && op == SpvOpSNegate) return *out = 0 - v[0], true;
    if (length == 5 && op == SpvOpNot) return *out = ~v[0], true;
    if (length == 5 && op == SpvOpLogicalNot) return *out = !v[0], true;
    if (length == 7 && op == SpvOpSelect) return *out = v[0] ? v[1] : v[2], true;
    return length == 6 && evaluate2(op, v[0], v[1], out);
}

/* OpSpecConstantOp CompositeExtract of a composite of constants, one level deep. */
static bool extract(const sizes *s, const uint32_t *w, uint32_t length, uint32_t *out) {
    if (length != 6 || w[3] != SpvOpCompositeExtract || !s->ids[w[4]].def) return false;
    const uint32_t *composite = s->words + s->ids[w[4]].def;
    uint32_t op = composite[0] & 0xffff;
    if (op != SpvOpConstantComposite && op != SpvOpSpecConstantComposite) return false;
    if (w[5] + 3 >= composite[0] >> 16) return false;
    const id_info *part = &s->ids[composite[3 + w[5]]];
    *out = part->value;
    return part->known;
}

/* Whether a type is a 32-bit integer or a boolean. */
static bool is_plain(const sizes *s, uint32_t type) {
    const uint32_t *w = s->words + s->ids[type].def;
    return (w[0] & 0xffff) == SpvOpTypeBool || ((w[0] & 0xffff) == SpvOpTypeInt && w[2] == 32);
}

static void visit_constant(sizes *s, uint32_t at, uint32_t op, uint32_t length) {
    const uint32_t *w = s->words + at;
    id_info *info = &s->ids[w[2]];
    info->def = at;
    if (!is_plain(s, w[1])) return;
    switch (op) {
    case SpvOpConstantTrue:
    case SpvOpSpecConstantTrue: info->value = 1, info->known = true; return;
    case SpvOpConstantFalse:
    case SpvOpSpecConstantFalse:
    case SpvOpConstantNull: info->known = true; return;
    case SpvOpConstant:
    case SpvOpSpecConstant: info->value = w[3], info->known = true; return;
    case SpvOpSpecConstantOp:
        info->known = extract(s, w, length, &info->value) || evaluate(s, w, length, &info->value);
        return;
    }
}

/* count elements of a type, each rounded up to its alignment. */
static uint64_t array_bytes(const id_info *element, uint64_t count) {
    uint64_t stride, bytes;
    if (element->size == UINT64_MAX || !rp_align_u64(element->size, element->align, &stride) ||
        !rp_mul_u64(stride, count, &bytes))
        return UINT64_MAX;
    return bytes;
}

static void visit_struct(sizes *s, const uint32_t *w, uint32_t length, id_info *info) {
    uint64_t size = 0;
    uint8_t align = 4;
    for (uint32_t i = 2; i < length; i++) {
        const id_info *member = &s->ids[w[i]];
        uint8_t wants = member->align ? member->align : 1;
        if (wants > align) align = wants;
        if (member->size == UINT64_MAX || !rp_align_u64(size, wants, &size) ||
            !rp_add_u64(size, member->size, &size)) {
            size = UINT64_MAX;
            break;
        }
    }
    if (!rp_align_u64(size, align, &info->size)) info->size = UINT64_MAX;
    info->align = align;
}

static void visit_type(sizes *s, uint32_t at, uint32_t op, uint32_t length) {
    const uint32_t *w = s->words + at;
    id_info *info = &s->ids[w[1]];
    *info = (id_info){.def = at, .size = UINT64_MAX, .align = 1};
    switch (op) {
    case SpvOpTypeBool: info->size = 4, info->align = 4; return;
    case SpvOpTypeInt:
    case SpvOpTypeFloat: info->size = w[2] / 8, info->align = (uint8_t)(w[2] / 8); return;
    case SpvOpTypeVector: /* three elements align as four */
        info->size = array_bytes(&s->ids[w[2]], w[3]);
        info->align = (uint8_t)(s->ids[w[2]].align * (w[3] == 3 ? 4 : w[3]));
        return;
    case SpvOpTypeMatrix:
        info->size = array_bytes(&s->ids[w[2]], w[3]);
        info->align = s->ids[w[2]].align;
        return;
    case SpvOpTypeArray:
        if (s->ids[w[3]].known) info->size = array_bytes(&s->ids[w[2]], s->ids[w[3]].value);
        info->align = s->ids[w[2]].align;
        return;
    case SpvOpTypeStruct: visit_struct(s, w, length, info); return;
    }
}

/* Whether the entry point's interface lists a variable. Before SPIR-V 1.4 it lists inputs and
 * outputs only; then every variable counts. */
static bool in_interface(const sizes *s, uint32_t id) {
    if (s->words[1] < 0x00010400) return true;
    const uint32_t *w = s->words + s->entry_at;
    uint32_t length = w[0] >> 16;
    uint32_t first = 3 + (uint32_t)strlen((const char *)(w + 3)) / 4 + 1;
    for (uint32_t i = first; i < length; i++)
        if (w[i] == id) return true;
    return false;
}

static void visit_variable(sizes *s, const uint32_t *w) {
    if (w[3] != SpvStorageClassWorkgroup || !in_interface(s, w[2])) return;
    const uint32_t *pointer = s->words + s->ids[w[1]].def;
    const id_info *type = &s->ids[pointer[3]];
    if (type->size == UINT64_MAX || s->shared == UINT64_MAX ||
        !rp_align_u64(s->shared, type->align, &s->shared) ||
        !rp_add_u64(s->shared, type->size, &s->shared))
        s->shared = UINT64_MAX;
}

static void visit(sizes *s, uint32_t at, const char *entry) {
    const uint32_t *w = s->words + at;
    uint32_t op = w[0] & 0xffff, length = w[0] >> 16;
    if (op == SpvOpEntryPoint && w[1] == SpvExecutionModelGLCompute &&
        strcmp((const char *)(w + 3), entry) == 0) {
        s->entry_at = at;
    } else if (op == SpvOpExecutionMode && s->entry_at && w[1] == s->words[s->entry_at + 2] &&
               w[2] == SpvExecutionModeLocalSize) {
        for (int i = 0; i < 3; i++) s->local[i] = w[3 + i];
        s->local_known = true;
    } else if (op == SpvOpDecorate && length == 4 && w[2] == SpvDecorationBuiltIn &&
               w[3] == SpvBuiltInWorkgroupSize) {
        s->size_constant = w[1];
    } else if (op >= SpvOpTypeVoid && op < SpvOpTypeForwardPointer) {
        visit_type(s, at, op, length);
    } else if (op >= SpvOpConstantTrue && op <= SpvOpSpecConstantOp) {
        visit_constant(s, at, op, length);
    } else if (op == SpvOpVariable) {
        visit_variable(s, w);
    }
}

/* A constant decorated WorkgroupSize stands before the execution mode. */
static void use_size_constant(sizes *s) {
    if (!s->size_constant || !s->ids[s->size_constant].def) return;
    const uint32_t *w = s->words + s->ids[s->size_constant].def;
    s->local_known = w[0] >> 16 == 6;
    for (int i = 0; i < 3 && s->local_known; i++) {
        s->local[i] = s->ids[w[3 + i]].value;
        s->local_known = s->ids[w[3 + i]].known;
    }
}

rp_status rp_spirv_sizes(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                         const char *entry, uint32_t local[3], uint32_t *shared_bytes) {
    sizes s = {.words = words, .count = count, .bound = words[3]};
    s.ids = rp_alloc_zero(where->allocator, s.bound, sizeof *s.ids);
    if (!s.ids) return RP_ERROR_NO_MEMORY;
    for (uint32_t at = RP_SPIRV_HEADER; at < count && (words[at] & 0xffff) != SpvOpFunction;
         at += words[at] >> 16)
        visit(&s, at, entry);
    use_size_constant(&s);
    rp_release(where->allocator, s.ids);
    if (!s.local_known)
        return rp_kernel_error(where,
                               "the workgroup size cannot be found: it needs LocalSize, or a "
                               "WorkgroupSize of 32-bit integer constants");
    if (s.local[0] == 0 || s.local[1] == 0 || s.local[2] == 0)
        return rp_kernel_error(where, "the workgroup size is %u x %u x %u; each must be at least 1",
                               s.local[0], s.local[1], s.local[2]);
    if (s.shared > UINT32_MAX)
        return rp_kernel_error(where,
                               "the shared variables are larger than 4 GiB, or have a length "
                               "that is not an expression over 32-bit integers");
    memcpy(local, s.local, sizeof s.local);
    *shared_bytes = (uint32_t)s.shared;
    return RP_OK;
}

/* ---- Specialisation -------------------------------------------------------------------------- */

uint32_t rp_spirv_set_constant(uint32_t *words, uint32_t count, uint32_t id, uint32_t value) {
    uint32_t found = 0;
    /* Decorations come before constants, and few constants have ids: a walk per decoration is fine.
     */
    for (uint32_t at = RP_SPIRV_HEADER; at < count; at += words[at] >> 16) {
        const uint32_t *d = words + at;
        if ((d[0] & 0xffff) == SpvOpFunction) break;
        if ((d[0] & 0xffff) != SpvOpDecorate || d[2] != SpvDecorationSpecId || d[3] != id) continue;
        for (uint32_t i = at; i < count; i += words[i] >> 16) {
            uint32_t op = words[i] & 0xffff, length = words[i] >> 16;
            if (op == SpvOpFunction) break;
            bool is_bool = op == SpvOpSpecConstantTrue || op == SpvOpSpecConstantFalse;
            if ((!is_bool && op != SpvOpSpecConstant) || words[i + 2] != d[1]) continue;
            if (is_bool)
                words[i] = length << 16 | (value ? SpvOpSpecConstantTrue : SpvOpSpecConstantFalse);
            else
                words[i + 3] = value;
            found++;
        }
    }
    return found;
}
