/* Reading a module, step by step, each one walk over its words:
 *
 *   check      the header, the length of every instruction, and that it has its fixed operands:
 *              from here on nobody looks at lengths again, but for lists
 *   define     where types, constants, variables and functions are; the entry point
 *   decorate   what is said about them, directly or through groups
 *   evaluate   values, sizes and resources: everything is made of what came before it, so the order
 *              of the module is the order to compute in, without recursion
 *   code.c     the functions that the entry point reaches, each once
 *
 * Ids index a table that is used again for the next module: an entry counts only when it carries
 * the stamp of this read, so nothing is cleared. About 120 bytes per id. */
#include "spirv/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include "plan/format.h"

enum {
    SPIRV_MAGIC = 0x07230203,
    SPIRV_VERSION_1_6 = 0x00010600 /* the latest: what Vulkan 1.3 accepts */
};

void rp_spirv_reader_init(rp_spirv_reader *reader, const rp_allocator *allocator) {
    *reader = (rp_spirv_reader){.allocator = rp_allocator_or_default(allocator)};
}

void rp_spirv_reader_free(rp_spirv_reader *reader) {
    const rp_allocator *a = &reader->allocator;
    rp_release(a, reader->resources);
    rp_release(a, reader->constants);
    rp_release(a, reader->ids);
    rp_release(a, reader->layouts);
    rp_release(a, reader->todo);
    rp_release(a, reader->products);
    rp_release(a, reader->pairs);
    *reader = (rp_spirv_reader){0};
}

rp_status rp_spirv_damaged(char why[128], const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(why, 128, format, args);
    va_end(args);
    return RP_ERROR_DAMAGED;
}

/* ---- Check ----------------------------------------------------------------------------------- */

/* Words up to the last operand that somebody looks at. */
static uint32_t least_length(uint32_t op) {
    switch (op) {
    case OP_CAPABILITY:
    case OP_TYPE_VOID:
    case OP_TYPE_BOOL:
    case OP_TYPE_SAMPLER:
    case OP_TYPE_STRUCT:
    case OP_TYPE_ACCELERATION_STRUCTURE:
    case OP_DECORATION_GROUP:
    case OP_GROUP_DECORATE:
    case OP_GROUP_MEMBER_DECORATE:
    case OP_ATOMIC_FLAG_CLEAR: return 2;
    case OP_NAME:
    case OP_EXECUTION_MODE:
    case OP_EXECUTION_MODE_ID:
    case OP_TYPE_FLOAT:
    case OP_TYPE_SAMPLED_IMAGE:
    case OP_TYPE_RUNTIME_ARRAY:
    case OP_TYPE_FORWARD_POINTER:
    case OP_CONSTANT_TRUE:
    case OP_CONSTANT_FALSE:
    case OP_CONSTANT_COMPOSITE:
    case OP_CONSTANT_NULL:
    case OP_SPEC_CONSTANT_TRUE:
    case OP_SPEC_CONSTANT_FALSE:
    case OP_SPEC_CONSTANT_COMPOSITE:
    case OP_DECORATE:
    case OP_STORE:
    case OP_COPY_MEMORY:
    case OP_COPY_MEMORY_SIZED: return 3;
    case OP_ENTRY_POINT:
    case OP_MEMBER_NAME:
    case OP_TYPE_INT:
    case OP_TYPE_VECTOR:
    case OP_TYPE_MATRIX:
    case OP_TYPE_ARRAY:
    case OP_TYPE_POINTER:
    case OP_CONSTANT:
    case OP_SPEC_CONSTANT:
    case OP_SPEC_CONSTANT_OP:
    case OP_FUNCTION_CALL:
    case OP_VARIABLE:
    case OP_LOAD:
    case OP_ACCESS_CHAIN:
    case OP_IN_BOUNDS_ACCESS_CHAIN:
    case OP_PTR_ACCESS_CHAIN:
    case OP_IN_BOUNDS_PTR_ACCESS_CHAIN:
    case OP_ARRAY_LENGTH:
    case OP_IMAGE_TEXEL_POINTER:
    case OP_IMAGE_WRITE:
    case OP_IMAGE:
    case OP_MEMBER_DECORATE:
    case OP_COPY_OBJECT:
    case OP_ATOMIC_FLAG_TEST_AND_SET:
    case OP_READ_CLOCK:
    case OP_ATOMIC_FMIN:
    case OP_ATOMIC_FMAX:
    case OP_ATOMIC_FADD:
    case OP_COOPERATIVE_MATRIX_STORE:
    case OP_COOPERATIVE_MATRIX_LENGTH:
    case OP_GROUP_NON_UNIFORM_ROTATE: return 4;
    case OP_FUNCTION:
    case OP_SAMPLED_IMAGE:
    case OP_COOPERATIVE_MATRIX_LOAD: return 5;
    case OP_COOPERATIVE_MATRIX_MUL_ADD: return 6;
    case OP_TYPE_COOPERATIVE_MATRIX: return 7;
    case OP_TYPE_IMAGE: return 9;
    }
    bool subgroup = op >= OP_GROUP_NON_UNIFORM_FIRST && op <= OP_GROUP_NON_UNIFORM_LAST;
    bool image = op >= OP_IMAGE_SAMPLE_FIRST && op <= OP_IMAGE_QUERY_LAST;
    return subgroup || image || (op >= OP_ATOMIC_LOAD && op <= OP_ATOMIC_XOR) ? 4 : 1;
}

static rp_status check_header(const uint32_t *words, uint32_t count, char why[128]) {
    if (count < RP_SPIRV_HEADER)
        return rp_spirv_damaged(why, "%u words are fewer than the 5 of a SPIR-V header", count);
    if (words[0] != SPIRV_MAGIC)
        return rp_spirv_damaged(why, "the first word is %08x, SPIR-V starts with 07230203",
                                words[0]);
    if (words[1] < 0x00010000 || words[1] > SPIRV_VERSION_1_6)
        return rp_spirv_damaged(why, "SPIR-V version word %08x, 1.0 to 1.6 are allowed", words[1]);
    if (words[3] == 0 || words[3] > RP_SPIRV_MAX_ID_BOUND)
        return rp_spirv_damaged(why, "the SPIR-V claims ids below %u, 1 to %d are allowed",
                                words[3], RP_SPIRV_MAX_ID_BOUND);
    return RP_OK;
}

static rp_status check_words(const uint32_t *words, uint32_t count, char why[128]) {
    for (uint32_t at = RP_SPIRV_HEADER; at < count;) {
        uint32_t length = words[at] >> 16, op = words[at] & 0xffff;
        if (length == 0 || length > count - at)
            return rp_spirv_damaged(why,
                                    "SPIR-V word %u: an instruction of %u words where %u are left",
                                    at, length, count - at);
        if (length < least_length(op))
            return rp_spirv_damaged(why,
                                    "SPIR-V word %u: instruction %u has %u words, at least %u are "
                                    "expected",
                                    at, op, length, least_length(op));
        at += length;
    }
    return RP_OK;
}

/* ---- Define ---------------------------------------------------------------------------------- */

/* Whether an OpEntryPoint is the compute entry point `entry`. */
static bool is_entry(const rp_spirv_reader *r, uint32_t at, const char *entry) {
    if (r->words[at + 1] != MODEL_GL_COMPUTE) return false;
    size_t name = strlen(entry) + 1; /* the terminator must be there too */
    return name <= (size_t)(rp_spirv_length(r, at) - 3) * 4 &&
           memcmp(r->words + at + 3, entry, name) == 0;
}

/* Marks what the entry point lists: everything it names, from SPIR-V 1.4 on. */
static void list_interface(rp_spirv_reader *r, const char *entry) {
    uint32_t first = 3 + (uint32_t)(strlen(entry) / 4) + 1;
    for (uint32_t i = first; i < rp_spirv_length(r, r->entry_at); i++)
        rp_spirv_entry(r, r->words[r->entry_at + i])->decorations |= RP_IN_INTERFACE;
}

static void note_mode(rp_spirv_reader *r, uint32_t at) {
    const uint32_t *w = r->words + at;
    bool size = (w[2] == MODE_LOCAL_SIZE && rp_spirv_op(r, at) == OP_EXECUTION_MODE) ||
                (w[2] == MODE_LOCAL_SIZE_ID && rp_spirv_op(r, at) == OP_EXECUTION_MODE_ID);
    if (size && rp_spirv_length(r, at) >= 6 && r->entry_at && w[1] == r->words[r->entry_at + 2])
        r->mode_at = at;
}

static rp_status define(rp_spirv_reader *r, uint32_t id, uint32_t at, char why[128]) {
    if (id == 0 || id >= r->bound)
        return rp_spirv_damaged(why, "SPIR-V word %u: id %u, ids lie below %u", at, id, r->bound);
    rp_spirv_id *entry = rp_spirv_entry(r, id);
    if (entry->at) return rp_spirv_damaged(why, "SPIR-V word %u: id %u is defined twice", at, id);
    entry->at = at;
    entry->base = id;
    return RP_OK;
}

static rp_status define_struct(rp_spirv_reader *r, uint32_t at, char why[128]) {
    uint32_t members = rp_spirv_length(r, at) - 2;
    RP_TRY(define(r, r->words[at + 1], at, why));
    if (!RP_RESERVE(&r->allocator, r->layouts, r->layout_count, r->layout_capacity, members))
        return RP_ERROR_NO_MEMORY;
    if (members) memset(r->layouts + r->layout_count, 0, (size_t)members * sizeof *r->layouts);
    rp_spirv_entry(r, r->words[at + 1])->first_layout = r->layout_count;
    r->layout_count += members;
    return RP_OK;
}

static bool is_type(uint32_t op) {
    return (op >= OP_TYPE_VOID && op <= OP_TYPE_LAST) || op == OP_TYPE_ACCELERATION_STRUCTURE ||
           op == OP_TYPE_COOPERATIVE_MATRIX;
}

static bool is_constant(uint32_t op) {
    return op >= OP_CONSTANT_TRUE && op <= OP_SPEC_CONSTANT_OP;
}

static rp_status define_all(rp_spirv_reader *r, const char *name, char why[128]) {
    bool in_code = false;
    for (uint32_t at = RP_SPIRV_HEADER; at < r->count; at += rp_spirv_length(r, at)) {
        const uint32_t *w = r->words + at;
        uint32_t op = rp_spirv_op(r, at);
        if (op == OP_CAPABILITY) rp_spirv_note_capability(r, w[1]);
        if (op == OP_EXECUTION_MODE && rp_spirv_length(r, at) == 4)
            rp_spirv_note_float_mode(r, w[2], w[3]);
        if (op == OP_MODULE_PROCESSED && rp_spirv_subgroup_at(w)) {
            r->subgroup = rp_spirv_subgroup_at(w);
            r->needs |= RP_NEED_SUBGROUP_SIZE;
        }
        if (op == OP_FUNCTION) in_code = true;
        if (op == OP_FUNCTION || (!in_code && (is_constant(op) || op == OP_VARIABLE)))
            RP_TRY(define(r, w[2], at, why));
        if (in_code) continue;
        if (op == OP_TYPE_STRUCT)
            RP_TRY(define_struct(r, at, why));
        else if (is_type(op) && rp_spirv_length(r, at) > 1)
            RP_TRY(define(r, w[1], at, why));
        else if (op == OP_NAME)
            rp_spirv_entry(r, w[1])->name = at;
        else if (op == OP_ENTRY_POINT && !r->entry_at && is_entry(r, at, name))
            r->entry_at = at;
        else if (op == OP_EXECUTION_MODE || op == OP_EXECUTION_MODE_ID)
            note_mode(r, at);
    }
    if (!r->entry_at) return rp_spirv_damaged(why, "there is no compute entry point '%.64s'", name);
    list_interface(r, name);
    return RP_OK;
}

/* ---- Decorate -------------------------------------------------------------------------------- */

static uint32_t decoration_bit(uint32_t decoration) {
    switch (decoration) {
    case DECORATION_BLOCK: return RP_IS_BLOCK;
    case DECORATION_BUFFER_BLOCK: return RP_IS_BUFFER_BLOCK;
    case DECORATION_NON_WRITABLE: return RP_IS_NON_WRITABLE;
    case DECORATION_NON_READABLE: return RP_IS_NON_READABLE;
    case DECORATION_ROW_MAJOR: return RP_IS_ROW_MAJOR;
    }
    return 0;
}

/* `w` is the decoration and its operand, if it has one. */
static void decorate(rp_spirv_reader *r, uint32_t id, const uint32_t *w, uint32_t length) {
    rp_spirv_id *entry = rp_spirv_entry(r, id);
    entry->decorations |= decoration_bit(w[0]);
    if (length < 2) return;
    switch (w[0]) {
    case DECORATION_SPEC_ID:
        entry->spec_id = w[1];
        entry->decorations |= RP_HAS_SPEC_ID;
        break;
    case DECORATION_DESCRIPTOR_SET: entry->set = w[1]; break;
    case DECORATION_BINDING: entry->binding = w[1]; break;
    case DECORATION_ARRAY_STRIDE: entry->array_stride = w[1]; break;
    case DECORATION_OFFSET: entry->offset = w[1]; break;
    case DECORATION_MATRIX_STRIDE: entry->matrix_stride = w[1]; break;
    case DECORATION_BUILT_IN:
        if (w[1] == BUILT_IN_WORKGROUP_SIZE) r->size_constant = id;
        break;
    }
}

/* Where the layout of a member is kept; NULL when there is no such member. */
static rp_spirv_layout *find_layout(rp_spirv_reader *r, uint32_t type, uint32_t member) {
    const rp_spirv_id *entry = rp_spirv_entry(r, type);
    if (rp_spirv_defined_by(r, entry) != OP_TYPE_STRUCT) return NULL;
    if (member >= rp_spirv_length(r, entry->at) - 2) return NULL;
    return &r->layouts[entry->first_layout + member];
}

static void decorate_member(rp_spirv_reader *r, const uint32_t *w, uint32_t length) {
    rp_spirv_layout *layout = find_layout(r, w[1], w[2]);
    if (!layout) return;
    layout->decorations |= decoration_bit(w[3]);
    if (length > 4 && w[3] == DECORATION_OFFSET) layout->offset = w[4];
    if (length > 4 && w[3] == DECORATION_MATRIX_STRIDE) layout->matrix_stride = w[4];
}

/* Copies what a group says to an id. Groups name no two different values for one id. */
static void apply_group(rp_spirv_reader *r, uint32_t group, uint32_t id) {
    rp_spirv_id from = *rp_spirv_entry(r, group), *to = rp_spirv_entry(r, id);
    to->decorations |= from.decorations & ~(uint32_t)RP_IN_INTERFACE;
    if (from.set) to->set = from.set;
    if (from.binding) to->binding = from.binding;
    if (from.array_stride) to->array_stride = from.array_stride;
    if (from.decorations & RP_HAS_SPEC_ID) to->spec_id = from.spec_id;
    if (r->size_constant == group) r->size_constant = id;
}

static void apply_group_to_member(rp_spirv_reader *r, uint32_t group, uint32_t type,
                                  uint32_t member) {
    rp_spirv_layout *layout = find_layout(r, type, member);
    if (!layout) return;
    const rp_spirv_id *from = rp_spirv_entry(r, group);
    layout->decorations |= from->decorations;
    if (from->offset) layout->offset = from->offset;
    if (from->matrix_stride) layout->matrix_stride = from->matrix_stride;
}

/* The word of the first function, or the end: what comes before it is not code. */
static uint32_t find_code(const rp_spirv_reader *r) {
    uint32_t at = RP_SPIRV_HEADER;
    while (at < r->count && rp_spirv_op(r, at) != OP_FUNCTION) at += rp_spirv_length(r, at);
    return at;
}

static void decorate_all(rp_spirv_reader *r, uint32_t end) {
    for (uint32_t at = RP_SPIRV_HEADER; at < end; at += rp_spirv_length(r, at)) {
        const uint32_t *w = r->words + at;
        uint32_t op = rp_spirv_op(r, at), length = rp_spirv_length(r, at);
        if (op == OP_DECORATE) {
            decorate(r, w[1], w + 2, length - 2);
        } else if (op == OP_MEMBER_DECORATE) {
            decorate_member(r, w, length);
        } else if (op == OP_GROUP_DECORATE) {
            for (uint32_t i = 2; i < length; i++) apply_group(r, w[1], w[i]);
        } else if (op == OP_GROUP_MEMBER_DECORATE) {
            for (uint32_t i = 2; i + 1 < length; i += 2)
                apply_group_to_member(r, w[1], w[i], w[i + 1]);
        }
    }
}

/* ---- Evaluate -------------------------------------------------------------------------------- */

static rp_status evaluate_all(rp_spirv_reader *r, uint32_t end) {
    for (uint32_t at = RP_SPIRV_HEADER; at < end; at += rp_spirv_length(r, at)) {
        uint32_t op = rp_spirv_op(r, at);
        if ((is_type(op) && rp_spirv_length(r, at) > 1) || op == OP_TYPE_FORWARD_POINTER)
            rp_spirv_type(r, at);
        else if (is_constant(op))
            RP_TRY(rp_spirv_constant_at(r, at));
        else if (op == OP_VARIABLE)
            RP_TRY(rp_spirv_variable(r, at));
    }
    return RP_OK;
}

/* An empty table for the module's ids. */
static rp_status make_room(rp_spirv_reader *r) {
    if (r->bound > r->id_capacity || r->stamp == UINT32_MAX) {
        rp_release(&r->allocator, r->ids);
        r->id_capacity = r->stamp = 0;
        r->ids = rp_alloc_zero(&r->allocator, r->bound, sizeof *r->ids);
        if (!r->ids) return RP_ERROR_NO_MEMORY;
        r->id_capacity = r->bound;
    }
    r->stamp++;
    return RP_OK;
}

rp_status rp_spirv_read(rp_spirv_reader *r, const uint32_t *words, uint32_t count,
                        const char *entry, const rp_spirv_spec *specs, uint32_t spec_count,
                        char why[128]) {
    r->needs = r->stated = r->shared_bytes = 0;
    r->unsupported[0] = '\0';
    r->resource_count = r->constant_count = r->layout_count = r->todo_count = 0;
    r->product_count = r->pair_count = r->subgroup = 0;
    r->local_known = r->empty_array = false;
    r->bound = r->entry_at = r->size_constant = r->mode_at = 0;
    RP_TRY(check_header(words, count, why));
    RP_TRY(check_words(words, count, why));
    if (words[1] >= SPIRV_VERSION_1_6) r->needs |= RP_NEED_SPIRV_1_6;
    r->words = words;
    r->count = count;
    r->bound = words[3];
    r->specs = specs;
    r->spec_count = spec_count;
    RP_TRY(make_room(r));
    RP_TRY(define_all(r, entry, why));
    uint32_t code = find_code(r);
    decorate_all(r, code);
    RP_TRY(evaluate_all(r, code));
    rp_spirv_sort_constants(r);
    rp_spirv_find_local(r);
    RP_TRY(rp_spirv_walk_code(r, why));
    rp_spirv_note_stated(r);
    rp_spirv_note_uses(r);
    return RP_OK;
}

/* ---- Results --------------------------------------------------------------------------------- */

/* The string at the end of an instruction, "" where it is not terminated. */
static const char *string_at(const rp_spirv_reader *r, uint32_t at, uint32_t operand) {
    const char *text = (const char *)(r->words + at + operand);
    size_t most = (size_t)(rp_spirv_length(r, at) - operand) * 4;
    return memchr(text, '\0', most) ? text : "";
}

const char *rp_spirv_name(const rp_spirv_reader *r, uint32_t id) {
    if (id >= r->bound || r->ids[id].stamp != r->stamp || !r->ids[id].name) return "";
    return string_at(r, r->ids[id].name, 2);
}

/* The entry of a struct, NULL for anything else. */
static const rp_spirv_id *find_struct(const rp_spirv_reader *r, uint32_t type) {
    if (type >= r->bound || r->ids[type].stamp != r->stamp) return NULL;
    return rp_spirv_defined_by(r, &r->ids[type]) == OP_TYPE_STRUCT ? &r->ids[type] : NULL;
}

uint32_t rp_spirv_member_count(const rp_spirv_reader *r, uint32_t type) {
    const rp_spirv_id *entry = find_struct(r, type);
    return entry ? rp_spirv_length(r, entry->at) - 2 : 0;
}

const char *rp_spirv_member_name(const rp_spirv_reader *r, uint32_t type, uint32_t index) {
    for (uint32_t at = RP_SPIRV_HEADER; at < r->count; at += rp_spirv_length(r, at)) {
        const uint32_t *w = r->words + at;
        if (rp_spirv_op(r, at) == OP_FUNCTION) break;
        if (rp_spirv_op(r, at) == OP_MEMBER_NAME && w[1] == type && w[2] == index)
            return string_at(r, at, 3);
    }
    return "";
}
