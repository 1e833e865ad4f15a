/* Cooperative matrices between their two extensions of SPIR-V.
 *
 * Drivers take SPV_KHR_cooperative_matrix. Compilers of before 2023 write SPV_NV_cooperative_matrix,
 * and SPIRV-Tools of that age knows nothing else. The two are the same five instructions with other
 * numbers and three differences:
 *   - a type of KHR says what its matrices are in a product: the left one (A), the right one (B), or
 *     the sums
 *   - the layout in memory is an integer, not a boolean
 *   - a product of KHR says which of its integers have a sign, where in NV the types do
 * So what a compiler wrote is validated as NV and becomes KHR at once: all that looks at a module
 * later, and every plan, sees KHR alone. When such a module must be validated again it is written
 * back into NV for the validator, and what NV cannot say is checked here.
 *
 * What the matrices of an NV type are follows from the products that they go into, and through
 * conversions from other types. A type for both sides has no translation: its author gives each side
 * types of its own, by specialisation constants (docs/c-api.md).
 *
 * And such a module is not optimised: the optimiser of that age takes every type that is computed with
 * for one of numbers and crashes on others. Drivers optimise what they get; only names go.
 *
 * Cost: a few walks over the words. */
#include "kernel/spirv.h"

#include <spirv/unified1/spirv.h>
#include <stdio.h>

/* The numbers of SPV_KHR_cooperative_matrix, which SPIRV-Headers of that age do not have. */
enum {
    CAPABILITY_KHR = 6022,
    TYPE_KHR = 4456,
    LOAD_KHR,
    STORE_KHR,
    MUL_ADD_KHR,
    LENGTH_KHR,
    A_SIGNED = 1,
    B_SIGNED = 2,
    C_SIGNED = 4,
    RESULT_SIGNED = 8
};

/* What the matrices of a type are, as a type of KHR says it. */
enum { USE_A, USE_B, USE_SUMS, USES, NOT_USED = USES };

typedef struct matrix_id {
    uint32_t at;   /* of what defines it outside functions, 0 = none */
    uint32_t type; /* of a constant, and of a matrix */
    uint32_t layout;
    uint8_t use; /* of a matrix type */
} matrix_id;

typedef struct translation {
    const rp_allocator *a;
    const uint32_t *from;
    uint32_t count, bound; /* bound: grows with the ids that are made */
    uint32_t known;        /* ids of the module itself */
    matrix_id *ids;
    uint32_t first_type, first_function; /* words; 0 = none */
    uint32_t instructions;               /* of cooperative matrices */
    uint32_t constant_type;
    uint32_t numbers[USES]; /* ids of the constants 0, 1 and 2 */
    uint32_t *to, written;
} translation;

static uint32_t op_at(const translation *t, uint32_t at) {
    return t->from[at] & 0xffff;
}

static uint32_t length_at(const translation *t, uint32_t at) {
    return t->from[at] >> 16;
}

/* An id's entry; one that the module may not have is the empty entry 0. */
static matrix_id *entry(const translation *t, uint32_t id) {
    return &t->ids[id < t->known ? id : 0];
}

/* The opcode that defined an id outside functions. */
static uint32_t definition(const translation *t, uint32_t id) {
    const matrix_id *e = entry(t, id);
    return e->at ? op_at(t, e->at) : SpvOpNop;
}

static bool is_type(uint32_t op) {
    return op == SpvOpTypeCooperativeMatrixNV || op == TYPE_KHR;
}

static bool is_constant(uint32_t op) {
    return op >= SpvOpConstantTrue && op <= SpvOpSpecConstantOp;
}

static bool is_conversion(uint32_t op) {
    return (op >= SpvOpConvertFToU && op <= SpvOpFConvert) || op == SpvOpBitcast;
}

/* Words that an instruction of either form has at least; 0 for all others. */
static uint32_t least_length(uint32_t op) {
    switch (op) {
    case SpvOpTypeCooperativeMatrixNV:
    case SpvOpCooperativeMatrixLoadNV:
    case SpvOpCooperativeMatrixMulAddNV:
    case LOAD_KHR:
    case MUL_ADD_KHR: return 6;
    case TYPE_KHR: return 7;
    case SpvOpCooperativeMatrixStoreNV:
    case STORE_KHR: return 5;
    case SpvOpCooperativeMatrixLengthNV:
    case LENGTH_KHR: return 4;
    }
    return 0;
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* Whether the words are instructions one behind the other, with capability `wanted`. */
static bool has_capability(const uint32_t *words, uint32_t count, uint32_t wanted) {
    bool found = false;
    if (count < RP_SPIRV_HEADER) return false;
    for (uint32_t at = RP_SPIRV_HEADER; at < count;) {
        uint32_t length = words[at] >> 16, op = words[at] & 0xffff;
        if (length == 0 || length > count - at || length < least_length(op)) return false;
        found |= op == SpvOpCapability && length == 2 && words[at + 1] == wanted;
        at += length;
    }
    return found && words[3] > 0 && words[3] <= RP_SPIRV_MAX_ID_BOUND;
}

static void index_one(translation *t, uint32_t at) {
    const uint32_t *w = t->from + at;
    uint32_t op = op_at(t, at), length = length_at(t, at);
    t->instructions += least_length(op) > 0;
    if (op == SpvOpFunction && !t->first_function) t->first_function = at;
    if (length < 3) return;
    if (!t->first_function && is_constant(op)) {
        if (op == SpvOpConstant && length < 4) return;
        entry(t, w[2])->at = at;
        entry(t, w[2])->type = w[1];
    } else if (!t->first_function && op == SpvOpUndef) {
        entry(t, w[2])->at = at;
    } else if (op == SpvOpTypeInt || is_type(op)) {
        entry(t, w[1])->at = at;
        if (is_type(op) && !t->first_type) t->first_type = at;
    } else if (t->first_function && is_type(definition(t, w[1]))) {
        entry(t, w[2])->type = w[1]; /* whatever has a matrix type here is a result of it */
    }
}

static rp_status open(translation *t, const rp_allocator *a, const uint32_t *words,
                      uint32_t count) {
    *t = (translation){.a = a, .from = words, .count = count, .bound = words[3], .known = words[3]};
    t->ids = rp_alloc_zero(a, t->known, sizeof *t->ids);
    if (!t->ids) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < t->known; i++) t->ids[i].use = NOT_USED;
    for (uint32_t at = RP_SPIRV_HEADER; at < count; at += length_at(t, at)) {
        index_one(t, at);
        t->ids[0] = (matrix_id){.use = NOT_USED};
    }
    /* Three constants and a boolean, and what goes with each instruction at most. */
    uint64_t room = (uint64_t)count + 24 + 8 * (uint64_t)t->instructions;
    t->to = room <= UINT32_MAX ? rp_alloc(a, room, sizeof *t->to) : NULL;
    return t->to ? RP_OK : RP_ERROR_NO_MEMORY;
}

static void close(translation *t) {
    rp_release(t->a, t->ids);
    rp_release(t->a, t->to);
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void put(translation *t, const uint32_t *words, uint32_t count) {
    memcpy(t->to + t->written, words, (size_t)count * sizeof *words);
    t->written += count;
}

#define PUT(t, op, ...)                                                                            \
    do {                                                                                           \
        const uint32_t rest[] = {__VA_ARGS__};                                                     \
        const uint32_t head = (uint32_t)(sizeof rest / 4 + 1) << 16 | (op);                        \
        put(t, &head, 1);                                                                          \
        put(t, rest, sizeof rest / 4);                                                             \
    } while (0)

/* The instruction with another number, and one operand replaced (0: none). */
static void put_as(translation *t, uint32_t at, uint32_t op, uint32_t operand, uint32_t value) {
    uint32_t *to = t->to + t->written;
    put(t, t->from + at, length_at(t, at));
    to[0] = length_at(t, at) << 16 | op;
    if (operand) to[operand] = value;
}

/* Whether an instruction is the constant expression of a matrix type's length. */
static bool is_length(const translation *t, uint32_t at, uint32_t op) {
    return op_at(t, at) == SpvOpSpecConstantOp && length_at(t, at) == 5 && t->from[at + 3] == op;
}

/* A capability, the extension's name, or an expression over a matrix type's length, in the other
 * form; false for all others. */
static bool put_common(translation *t, uint32_t at, bool khr) {
    static const char names[2][28] = {"SPV_NV_cooperative_matrix", "SPV_KHR_cooperative_matrix"};
    const uint32_t *w = t->from + at;
    const uint32_t capabilities[2] = {SpvCapabilityCooperativeMatrixNV, CAPABILITY_KHR};
    const uint32_t lengths[2] = {SpvOpCooperativeMatrixLengthNV, LENGTH_KHR};
    uint32_t op = op_at(t, at), words = length_at(t, at);
    if (op == SpvOpCapability && words == 2 && w[1] == capabilities[!khr]) {
        PUT(t, op, capabilities[khr]);
    } else if (op == SpvOpExtension && words == 8 && memcmp(w + 1, names[!khr], 26) == 0) {
        put_as(t, at, op, 0, 0); /* both names take seven words */
        memcpy(t->to + t->written - 7, names[khr], 28);
    } else if (op == lengths[!khr]) {
        put_as(t, at, lengths[khr], 0, 0);
    } else if (is_length(t, at, lengths[!khr])) {
        put_as(t, at, op, 3, lengths[khr]);
    } else {
        return false;
    }
    return true;
}

static void finish(translation *t) {
    memcpy(t->to, t->from, RP_SPIRV_HEADER * sizeof *t->to);
    t->to[3] = t->bound;
}

/* ---- To KHR ---------------------------------------------------------------------------------- */

/* Notes what the matrices of a type are; false where they are something else too. */
static bool note_use(translation *t, uint32_t type, uint32_t use, bool *changed) {
    matrix_id *e = entry(t, type);
    if (use == NOT_USED || !is_type(definition(t, type)) || e->use == use) return true;
    if (e->use != NOT_USED) return false;
    e->use = (uint8_t)use;
    *changed = true;
    return true;
}

/* From the products, then from one side of conversions to the other until nothing is new. */
static bool find_uses(translation *t) {
    bool good = true;
    for (bool changed = true; changed && good;) {
        changed = false;
        for (uint32_t at = RP_SPIRV_HEADER; at < t->count && good; at += length_at(t, at)) {
            const uint32_t *w = t->from + at;
            uint32_t op = op_at(t, at);
            if (op == SpvOpCooperativeMatrixMulAddNV) {
                good = note_use(t, w[1], USE_SUMS, &changed) &&
                       note_use(t, entry(t, w[3])->type, USE_A, &changed) &&
                       note_use(t, entry(t, w[4])->type, USE_B, &changed) &&
                       note_use(t, entry(t, w[5])->type, USE_SUMS, &changed);
            } else if (is_conversion(op) && length_at(t, at) == 4) {
                uint32_t operand = entry(t, w[3])->type;
                good = note_use(t, w[1], entry(t, operand)->use, &changed) &&
                       note_use(t, operand, entry(t, w[1])->use, &changed);
            }
        }
    }
    return good;
}

/* The integer for a boolean that says whether columns are contiguous. One that can be specialised
 * becomes an expression, which stands behind all constants. */
static uint32_t layout_of(translation *t, uint32_t column_major) {
    matrix_id *e = entry(t, column_major);
    uint32_t op = definition(t, column_major);
    if (op == SpvOpConstantTrue) return t->numbers[1];
    if (op == SpvOpConstantFalse || op == SpvOpConstantNull || op == SpvOpUndef)
        return t->numbers[0];
    if (!e->layout) e->layout = t->bound++;
    return e->layout;
}

/* Before the first function: those expressions. */
static void put_layouts(translation *t) {
    uint32_t bound = t->bound; /* layout_of() makes more of it */
    for (uint32_t at = t->first_function; at < t->count; at += length_at(t, at)) {
        uint32_t op = op_at(t, at), id = 0;
        if (op == SpvOpCooperativeMatrixLoadNV) id = t->from[at + 5];
        if (op == SpvOpCooperativeMatrixStoreNV) id = t->from[at + 4];
        if (!id) continue;
        uint32_t layout = layout_of(t, id);
        if (t->bound == bound) continue;
        PUT(t, SpvOpSpecConstantOp, t->constant_type, layout, SpvOpSelect, id, t->numbers[1],
            t->numbers[0]);
        bound = t->bound;
    }
}

static bool has_sign(const translation *t, uint32_t matrix_type) {
    if (!is_type(definition(t, matrix_type))) return false;
    uint32_t component = t->from[entry(t, matrix_type)->at + 2];
    return definition(t, component) == SpvOpTypeInt && t->from[entry(t, component)->at + 3];
}

static void put_product(translation *t, uint32_t at) {
    const uint32_t *w = t->from + at;
    uint32_t signs = (has_sign(t, entry(t, w[3])->type) ? A_SIGNED : 0) |
                     (has_sign(t, entry(t, w[4])->type) ? B_SIGNED : 0) |
                     (has_sign(t, entry(t, w[5])->type) ? C_SIGNED : 0) |
                     (has_sign(t, w[1]) ? RESULT_SIGNED : 0);
    if (signs)
        PUT(t, MUL_ADD_KHR, w[1], w[2], w[3], w[4], w[5], signs);
    else
        put_as(t, at, MUL_ADD_KHR, 0, 0);
}

static void put_khr(translation *t, uint32_t at) {
    const uint32_t *w = t->from + at;
    switch (op_at(t, at)) {
    case SpvOpTypeCooperativeMatrixNV: {
        uint32_t use = entry(t, w[1])->use; /* one that is in no product: like sums */
        PUT(t, TYPE_KHR, w[1], w[2], w[3], w[4], w[5],
            t->numbers[use == NOT_USED ? USE_SUMS : use]);
        return;
    }
    case SpvOpCooperativeMatrixLoadNV: /* the layout comes before the stride */
        put_as(t, at, LOAD_KHR, 4, layout_of(t, w[5]));
        t->to[t->written - length_at(t, at) + 5] = w[4];
        return;
    case SpvOpCooperativeMatrixStoreNV:
        put_as(t, at, STORE_KHR, 3, layout_of(t, w[4]));
        t->to[t->written - length_at(t, at) + 4] = w[3];
        return;
    case SpvOpCooperativeMatrixMulAddNV: put_product(t, at); return;
    }
    if (!put_common(t, at, true)) put_as(t, at, op_at(t, at), 0, 0);
}

static bool has_length(const translation *t) {
    for (uint32_t at = RP_SPIRV_HEADER; at < t->count; at += length_at(t, at))
        if (is_length(t, at, SpvOpCooperativeMatrixLengthNV)) return true;
    return false;
}

static void translate_to_khr(translation *t) {
    uint32_t int_at = 0;
    if (t->first_type) { /* the constants are of the type that scopes have, and stand behind it */
        t->constant_type = entry(t, t->from[t->first_type + 3])->type;
        int_at = entry(t, t->constant_type)->at;
        for (uint32_t i = 0; i < USES; i++) t->numbers[i] = t->bound++;
    }
    t->written = RP_SPIRV_HEADER;
    for (uint32_t at = RP_SPIRV_HEADER; at < t->count; at += length_at(t, at)) {
        if (at == t->first_function) put_layouts(t);
        put_khr(t, at);
        for (uint32_t i = 0; i < USES && int_at && at == int_at; i++)
            PUT(t, SpvOpConstant, t->constant_type, t->numbers[i], i);
    }
    finish(t);
}

rp_status rp_matrices_to_khr(const rp_kernel_where *where, uint32_t **words, uint32_t *count) {
    if (!has_capability(*words, *count, SpvCapabilityCooperativeMatrixNV)) return RP_OK;
    translation t;
    rp_status status = open(&t, where->allocator, *words, *count);
    if (status == RP_OK && !find_uses(&t))
        status = rp_kernel_error(where, "cooperative matrices of one type are two of: left in a "
                                        "product (A), right (B), and sums; give the rows and "
                                        "columns of each a specialisation constant of its own, so "
                                        "that they are types of their own");
    if (status == RP_OK && has_length(&t))
        status =
            rp_kernel_error(where, "the length() of a cooperative matrix as a constant crashes "
                                   "drivers: an invocation has rows * columns / "
                                   "gl_SubgroupSize elements of one");
    if (status == RP_OK) {
        translate_to_khr(&t);
        rp_release(where->allocator, *words);
        *words = t.to;
        *count = t.written;
        t.to = NULL;
    }
    close(&t);
    return status;
}

/* ---- To NV, for the validator ---------------------------------------------------------------- */

static rp_status wrong(char why[512], uint32_t at, const char *what) {
    snprintf(why, 512, "word %u: %s", at, what);
    return RP_ERROR_INVALID;
}

/* The value of a constant; UINT32_MAX where it is not known before specialisation. */
static uint32_t value_of(const translation *t, uint32_t id) {
    return definition(t, id) == SpvOpConstant ? t->from[entry(t, id)->at + 3] : UINT32_MAX;
}

static uint32_t use_of(const translation *t, uint32_t type) {
    return definition(t, type) == TYPE_KHR ? value_of(t, t->from[entry(t, type)->at + 6])
                                           : UINT32_MAX;
}

/* What the form of NV does not have. */
static rp_status check_khr(const translation *t, uint32_t at, char why[512]) {
    const uint32_t *w = t->from + at;
    uint32_t op = op_at(t, at);
    if (op == TYPE_KHR && use_of(t, w[1]) >= USES)
        return wrong(why, at, "a cooperative matrix type's use is a constant 0, 1 or 2");
    if (op == MUL_ADD_KHR) {
        bool fit = use_of(t, entry(t, w[3])->type) == USE_A &&
                   use_of(t, entry(t, w[4])->type) == USE_B &&
                   use_of(t, entry(t, w[5])->type) == USE_SUMS && use_of(t, w[1]) == USE_SUMS;
        if (!fit) return wrong(why, at, "a product takes matrices of use A, B and accumulator");
    }
    uint32_t layout = op == LOAD_KHR ? w[4] : op == STORE_KHR ? w[3] : 0;
    if (!layout) return RP_OK;
    if (!is_constant(definition(t, layout)) ||
        (definition(t, layout) == SpvOpConstant && value_of(t, layout) > 1))
        return wrong(why, at,
                     "a cooperative matrix's layout is a constant 0 (rows) or 1 (columns)");
    return RP_OK;
}

/* Types that differ in their use alone would be one type: the later one gets columns of its own. */
static void put_nv_type(translation *t, uint32_t at) {
    const uint32_t *w = t->from + at;
    uint32_t columns = w[5];
    bool same = false;
    for (uint32_t i = t->first_type; i < at && !same; i += length_at(t, i))
        same = op_at(t, i) == TYPE_KHR && memcmp(t->from + i + 2, w + 2, 16) == 0;
    if (same) {
        uint32_t value = value_of(t, columns);
        columns = t->bound++;
        PUT(t, SpvOpConstant, entry(t, w[5])->type, columns, value == UINT32_MAX ? 1 : value);
    }
    PUT(t, SpvOpTypeCooperativeMatrixNV, w[1], w[2], w[3], w[4], columns);
}

/* Before the first function: a boolean, which stands for all layouts. Returns its id. */
static uint32_t put_boolean(translation *t) {
    uint32_t type = 0, id = t->bound++;
    for (uint32_t at = RP_SPIRV_HEADER; at < t->first_function; at += length_at(t, at))
        if (op_at(t, at) == SpvOpTypeBool && length_at(t, at) == 2) type = t->from[at + 1];
    if (!type) {
        type = t->bound++;
        PUT(t, SpvOpTypeBool, type);
    }
    PUT(t, SpvOpConstantFalse, type, id);
    return id;
}

static rp_status translate_to_nv(translation *t, char why[512]) {
    uint32_t boolean = 0;
    t->written = RP_SPIRV_HEADER;
    for (uint32_t at = RP_SPIRV_HEADER; at < t->count; at += length_at(t, at)) {
        const uint32_t *w = t->from + at;
        uint32_t op = op_at(t, at);
        RP_TRY(check_khr(t, at, why));
        if (at == t->first_function) boolean = put_boolean(t);
        if (op == TYPE_KHR) {
            put_nv_type(t, at);
        } else if (op == LOAD_KHR) {
            put_as(t, at, SpvOpCooperativeMatrixLoadNV, 5, boolean);
            t->to[t->written - length_at(t, at) + 4] = w[5];
        } else if (op == STORE_KHR) {
            put_as(t, at, SpvOpCooperativeMatrixStoreNV, 4, boolean);
            t->to[t->written - length_at(t, at) + 3] = w[4];
        } else if (op == MUL_ADD_KHR) {
            PUT(t, SpvOpCooperativeMatrixMulAddNV, w[1], w[2], w[3], w[4], w[5]);
        } else if (!put_common(t, at, false)) {
            put_as(t, at, op, 0, 0);
        }
    }
    finish(t);
    return RP_OK;
}

rp_status rp_matrices_to_nv(const rp_allocator *a, const uint32_t *words, uint32_t count,
                            uint32_t **out_words, uint32_t *out_count, char why[512]) {
    *out_words = NULL;
    *out_count = 0;
    if (!has_capability(words, count, CAPABILITY_KHR)) return RP_OK;
    translation t;
    rp_status status = open(&t, a, words, count);
    if (status == RP_OK) status = translate_to_nv(&t, why);
    if (status == RP_OK) {
        *out_words = t.to;
        *out_count = t.written;
        t.to = NULL;
    }
    close(&t);
    return status;
}

/* ---- Words for drivers ----------------------------------------------------------------------- */

/* Names, sources and lines. */
static bool is_debug(uint32_t op) {
    return (op >= SpvOpSourceContinued && op <= SpvOpLine) || op == SpvOpNoLine ||
           op == SpvOpModuleProcessed;
}

rp_status rp_spirv_without_names(const rp_allocator *a, const uint32_t *words, uint32_t count,
                                 uint32_t **out_words, uint32_t *out_count) {
    uint32_t *to = rp_alloc(a, count, sizeof *to), written = RP_SPIRV_HEADER;
    if (!to) return RP_ERROR_NO_MEMORY;
    memcpy(to, words, RP_SPIRV_HEADER * sizeof *to);
    for (uint32_t at = RP_SPIRV_HEADER, length; at < count; at += length) {
        length = words[at] >> 16;
        if (is_debug(words[at] & 0xffff)) continue;
        memcpy(to + written, words + at, length * sizeof *to);
        written += length;
    }
    *out_words = to;
    *out_count = written;
    return RP_OK;
}

rp_status rp_matrices_words(const rp_allocator *a, const uint32_t *words, uint32_t count,
                            uint32_t **out_words, uint32_t *out_count) {
    *out_words = NULL;
    *out_count = 0;
    if (!has_capability(words, count, CAPABILITY_KHR)) return RP_OK;
    return rp_spirv_without_names(a, words, count, out_words, out_count);
}
