/* Values of constants, with specialisation, and what follows from them: array lengths and the
 * workgroup size, which may be a composite of expressions over specialisation constants.
 *
 * Only 32-bit integers and booleans are evaluated. A size that depends on anything else is not
 * known, which is better than a guess. */
#include "spirv/reader.h"

#include <stdlib.h>

static uint32_t shift(uint32_t op, uint32_t a, uint32_t b) {
    if (b >= 32) return op == OP_SHIFT_RIGHT_ARITHMETIC && (int32_t)a < 0 ? UINT32_MAX : 0;
    if (op == OP_SHIFT_LEFT_LOGICAL) return a << b;
    if (op == OP_SHIFT_RIGHT_LOGICAL || (int32_t)a >= 0) return a >> b;
    return ~(~a >> b);
}

/* a / b and a % b; false where SPIR-V leaves the result undefined. */
static bool divide(uint32_t op, uint32_t a, uint32_t b, uint32_t *out) {
    if (b == 0) return false;
    if (op == OP_UDIV) return *out = a / b, true;
    if (op == OP_UMOD) return *out = a % b, true;
    int64_t x = (int32_t)a, y = (int32_t)b;
    if (op == OP_SDIV) return *out = (uint32_t)(x / y), true;
    int64_t rest = x % y; /* has the sign of x, as SRem wants; SMod wants that of y */
    if (op == OP_SMOD && rest != 0 && (rest < 0) != (y < 0)) rest += y;
    *out = (uint32_t)rest;
    return true;
}

static bool evaluate2(uint32_t op, uint32_t a, uint32_t b, uint32_t *out) {
    switch (op) {
    case OP_IADD: return *out = a + b, true;
    case OP_ISUB: return *out = a - b, true;
    case OP_IMUL: return *out = a * b, true;
    case OP_UDIV:
    case OP_SDIV:
    case OP_UMOD:
    case OP_SREM:
    case OP_SMOD: return divide(op, a, b, out);
    case OP_SHIFT_LEFT_LOGICAL:
    case OP_SHIFT_RIGHT_LOGICAL:
    case OP_SHIFT_RIGHT_ARITHMETIC: return *out = shift(op, a, b), true;
    case OP_BITWISE_AND:
    case OP_LOGICAL_AND: return *out = a & b, true;
    case OP_BITWISE_OR:
    case OP_LOGICAL_OR: return *out = a | b, true;
    case OP_BITWISE_XOR: return *out = a ^ b, true;
    case OP_IEQUAL:
    case OP_LOGICAL_EQUAL: return *out = a == b, true;
    case OP_INOT_EQUAL:
    case OP_LOGICAL_NOT_EQUAL: return *out = a != b, true;
    case OP_ULESS_THAN: return *out = a < b, true;
    case OP_ULESS_THAN_EQUAL: return *out = a <= b, true;
    case OP_UGREATER_THAN: return *out = a > b, true;
    case OP_UGREATER_THAN_EQUAL: return *out = a >= b, true;
    case OP_SLESS_THAN: return *out = (int32_t)a < (int32_t)b, true;
    case OP_SLESS_THAN_EQUAL: return *out = (int32_t)a <= (int32_t)b, true;
    case OP_SGREATER_THAN: return *out = (int32_t)a > (int32_t)b, true;
    case OP_SGREATER_THAN_EQUAL: return *out = (int32_t)a >= (int32_t)b, true;
    }
    return false;
}

/* OpSpecConstantOp: [op|length] type result opcode operand... */
static bool evaluate(rp_spirv_reader *r, uint32_t at, uint32_t *out) {
    const uint32_t *w = r->words + at;
    uint32_t length = rp_spirv_length(r, at), op = w[3], v[3] = {0};
    if (length < 5 || length > 7) return false;
    for (uint32_t i = 4; i < length; i++) {
        const rp_spirv_id *operand = rp_spirv_before(r, w[i], at);
        if (!operand->known) return false;
        v[i - 4] = operand->value;
    }
    if (length == 5 && op == OP_SNEGATE) return *out = 0 - v[0], true;
    if (length == 5 && op == OP_NOT) return *out = ~v[0], true;
    if (length == 5 && op == OP_LOGICAL_NOT) return *out = !v[0], true;
    if (length == 7 && op == OP_SELECT) return *out = v[0] ? v[1] : v[2], true;
    return length == 6 && evaluate2(op, v[0], v[1], out);
}

/* The parts of a composite of constants; 0 of them for anything else. */
static const uint32_t *parts_of(rp_spirv_reader *r, const rp_spirv_id *composite, uint32_t *count) {
    uint32_t op = rp_spirv_defined_by(r, composite);
    *count = 0;
    if (op != OP_CONSTANT_COMPOSITE && op != OP_SPEC_CONSTANT_COMPOSITE) return NULL;
    *count = rp_spirv_length(r, composite->at) - 3;
    return r->words + composite->at + 3;
}

/* OpSpecConstantOp CompositeExtract of a composite of constants, one level deep. */
static bool extract(rp_spirv_reader *r, uint32_t at, uint32_t *out) {
    const uint32_t *w = r->words + at;
    if (rp_spirv_length(r, at) != 6 || w[3] != OP_COMPOSITE_EXTRACT) return false;
    uint32_t count;
    const uint32_t *parts = parts_of(r, rp_spirv_before(r, w[4], at), &count);
    if (w[5] >= count) return false;
    const rp_spirv_id *part = rp_spirv_before(r, parts[w[5]], at);
    *out = part->value;
    return part->known;
}

static bool is_spec(uint32_t op) {
    return op == OP_SPEC_CONSTANT || op == OP_SPEC_CONSTANT_TRUE || op == OP_SPEC_CONSTANT_FALSE;
}

static int by_spec_id(const void *a, const void *b) {
    const rp_spirv_spec *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* A value without the bits that its type does not have. */
static uint64_t masked(rp_scalar scalar, uint64_t value) {
    uint32_t bytes = rp_scalar_bytes(scalar);
    return bytes == 0 || bytes == 8 ? value : value & ((UINT64_C(1) << 8 * bytes) - 1);
}

uint64_t rp_scalar_literal(rp_scalar scalar, uint64_t value) {
    value = masked(scalar, value);
    if (scalar == RP_SCALAR_I8 && value > INT8_MAX) return value | 0xffffff00;
    if (scalar == RP_SCALAR_I16 && value > INT16_MAX) return value | 0xffff0000;
    return value;
}

/* What the words say of a number, or what has been evaluated of anything else. */
static uint64_t literal_of(rp_spirv_reader *r, const rp_spirv_id *c, rp_scalar scalar) {
    const uint32_t *w = r->words + c->at;
    bool wide = rp_spirv_op(r, c->at) == OP_SPEC_CONSTANT && rp_spirv_length(r, c->at) > 4;
    return masked(scalar, wide ? (uint64_t)w[4] << 32 | w[3] : c->value);
}

/* Gives a constant the value that it is specialised to, and lists it. */
static rp_status specialise(rp_spirv_reader *r, rp_spirv_id *c, uint32_t name, rp_scalar scalar) {
    rp_spirv_spec key = {.id = c->spec_id}, *given = NULL;
    if (r->spec_count) given = bsearch(&key, r->specs, r->spec_count, sizeof *r->specs, by_spec_id);
    uint64_t value = literal_of(r, c, scalar);
    if (given && scalar != RP_SCALAR_OTHER) {
        value = scalar == RP_SCALAR_BOOL ? given->value != 0 : masked(scalar, given->value);
        c->value = (uint32_t)rp_scalar_literal(scalar, value);
    }
    if (!RP_RESERVE(&r->allocator, r->constants, r->constant_count, r->constant_capacity, 1))
        return RP_ERROR_NO_MEMORY;
    r->constants[r->constant_count++] =
        (rp_spirv_constant){.id = c->spec_id, .name = name, .scalar = scalar, .value = value};
    return RP_OK;
}

rp_status rp_spirv_constant_at(rp_spirv_reader *r, uint32_t at) {
    const uint32_t *w = r->words + at;
    const rp_spirv_id *type = rp_spirv_before(r, w[1], at);
    bool number = type->component && type->vector == type->component;
    rp_scalar scalar = number ? (rp_scalar)type->scalar : RP_SCALAR_OTHER;
    rp_spirv_id *c = rp_spirv_entry(r, w[2]);
    bool plain = scalar == RP_SCALAR_U32 || scalar == RP_SCALAR_I32 || scalar == RP_SCALAR_BOOL;
    switch (rp_spirv_op(r, at)) {
    case OP_CONSTANT_TRUE:
    case OP_SPEC_CONSTANT_TRUE: c->value = 1, c->known = plain; break;
    case OP_CONSTANT_FALSE:
    case OP_SPEC_CONSTANT_FALSE:
    case OP_CONSTANT_NULL: c->known = plain; break;
    case OP_CONSTANT:
    case OP_SPEC_CONSTANT: c->value = w[3], c->known = plain; break;
    case OP_SPEC_CONSTANT_OP:
        c->known = plain && (extract(r, at, &c->value) || evaluate(r, at, &c->value));
        break;
    }
    if (!is_spec(rp_spirv_op(r, at)) || !(c->decorations & RP_HAS_SPEC_ID)) return RP_OK;
    return specialise(r, c, w[2], scalar);
}

static int by_id(const void *a, const void *b) {
    const rp_spirv_constant *x = a, *y = b;
    if (x->id != y->id) return x->id < y->id ? -1 : 1;
    return (x->name > y->name) - (x->name < y->name);
}

void rp_spirv_sort_constants(rp_spirv_reader *r) {
    if (r->constant_count) qsort(r->constants, r->constant_count, sizeof *r->constants, by_id);
}

const rp_spirv_constant *rp_spirv_find_constant(const rp_spirv_reader *r, uint32_t id) {
    uint32_t low = 0, high = r->constant_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (r->constants[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < r->constant_count && r->constants[low].id == id ? &r->constants[low] : NULL;
}

/* A constant decorated WorkgroupSize stands before the execution mode. */
void rp_spirv_find_local(rp_spirv_reader *r) {
    const rp_spirv_id *constant = rp_spirv_entry(r, r->size_constant);
    uint32_t count = 0;
    const uint32_t *parts = parts_of(r, constant, &count);
    bool ids = true;
    if (!rp_spirv_defined_by(r, constant) && r->mode_at) {
        parts = r->words + r->mode_at + 3;
        count = 3;
        ids = rp_spirv_op(r, r->mode_at) == OP_EXECUTION_MODE_ID;
    }
    r->local_known = count == 3;
    for (uint32_t i = 0; i < 3 && r->local_known; i++) {
        const rp_spirv_id *part = rp_spirv_entry(r, ids ? parts[i] : 0);
        r->local[i] = ids ? part->value : parts[i];
        r->local_known = !ids || part->known;
    }
}
