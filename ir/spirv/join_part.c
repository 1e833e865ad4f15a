/* One module of a joined one. Its ids get numbers behind all that were given, but for what modules have in
 * common: types, the tag, builtins. Buffers become blocks at addresses that the phase has; what a workgroup
 * shares becomes a part of an array that all modules have for elements of that type. */
#include <string.h>

#include "reprise/needs.h"
#include "spirv/joiner.h"
#include "spirv/operands.h"

enum {
    VERSION_1_4 = 0x00010400 /* from there on an entry point lists what it uses */
};

/* ---- Instructions ---------------------------------------------------------------------------- */

/* The least words of what is looked at here; the reader has seen that each instruction ends within the module. */
static uint32_t least_words(uint32_t op) {
    switch (op) {
    case OP_CAPABILITY:
    case OP_EXTENSION: return 2;
    case OP_EXT_INST_IMPORT:
    case OP_MEMORY_MODEL:
    case OP_EXECUTION_MODE:
    case OP_EXECUTION_MODE_ID:
    case OP_DECORATE:
    case OP_STORE: return 3;
    case OP_MEMBER_DECORATE:
    case OP_SPEC_CONSTANT:
    case OP_SPEC_CONSTANT_OP:
    case OP_VARIABLE:
    case OP_TYPE_POINTER:
    case OP_LOAD:
    case OP_ACCESS_CHAIN:
    case OP_IN_BOUNDS_ACCESS_CHAIN: return 4;
    }
    if (op >= OP_CONSTANT_TRUE && op <= OP_SPEC_CONSTANT_OP) return 3;
    return op >= OP_TYPE_VOID && op <= OP_TYPE_FORWARD_POINTER ? 2 : 1;
}

static rp_status check_lengths(rp_joiner *j) {
    const rp_spirv_reader *r = &j->reader;
    for (uint32_t at = RP_SPIRV_HEADER; at < r->count; at += rp_spirv_length(r, at))
        if (rp_spirv_length(r, at) < least_words(rp_spirv_op(r, at)))
            return rp_join_refuse(j, "instruction %u of %u words", rp_spirv_op(r, at),
                                  rp_spirv_length(r, at));
    return RP_OK;
}

/* ---- What modules say of themselves ---------------------------------------------------------- */

static rp_status take_mode(rp_joiner *j, const uint32_t *w) {
    uint32_t mode = w[2], length = w[0] >> 16;
    if (mode == MODE_LOCAL_SIZE || mode == MODE_LOCAL_SIZE_ID) return RP_OK;
    if (length != 4) return rp_join_refuse(j, "execution mode %u", mode);
    for (uint32_t i = 0; i < j->mode_count; i++)
        if (j->modes_of[i].mode == mode && j->modes_of[i].width == w[3]) return RP_OK;
    if (j->mode_count == RP_JOIN_MODES) return rp_join_refuse(j, "too many execution modes");
    j->modes_of[j->mode_count++] = (rp_join_mode){mode, w[3]};
    return RP_OK;
}

static rp_status take_model(rp_joiner *j, const uint32_t *w) {
    const uint32_t logical = 0;
    if (w[1] != logical) return rp_join_refuse(j, "a module with addresses of its own");
    if (j->model[0] && memcmp(j->model, w, sizeof j->model) != 0)
        return rp_join_refuse(j, "memory models differ");
    memcpy(j->model, w, sizeof j->model);
    return RP_OK;
}

static rp_status take_import(rp_joiner *j, const uint32_t *w) {
    uint32_t length = w[0] >> 16;
    static const char said[] = "NonSemantic.";
    if (!rp_join_mapped(j, w[1])) return rp_join_refuse(j, "an id that is not there");
    if ((length - 2) * sizeof *w >= sizeof said && memcmp(w + 2, said, sizeof said - 1) == 0) {
        if (memcmp(w + 2, "NonSemantic.DebugPrintf", 20) == 0)
            return rp_join_refuse(j,
                                  "prints"); /* what is printed is text, which is not taken over */
        j->ids[w[1]].role = RP_JOIN_REMARKS;
        return RP_OK;
    }
    for (uint32_t at = 0; at < j->imports.count; at += j->imports.at[at] >> 16) {
        const uint32_t *is = j->imports.at + at;
        if (is[0] == w[0] && memcmp(is + 2, w + 2, (length - 2) * sizeof *w) == 0) {
            j->map[w[1]] = is[1];
            return RP_OK;
        }
    }
    uint32_t place = j->imports.count;
    rp_join_append(j, &j->imports, w, length);
    if (!j->no_memory) j->imports.at[place + 1] = j->map[w[1]];
    return RP_OK;
}

/* Those of all parts are for the whole. So no part may compute with floats of a width for which another has
 * a mode that it has not; join.c looks at that when all are known. */
static rp_status take_preamble(rp_joiner *j, uint32_t at) {
    const uint32_t *w = j->reader.words + at;
    uint32_t length = w[0] >> 16;
    switch (w[0] & 0xffff) {
    case OP_CAPABILITY:
        if (w[1] == CAPABILITY_VARIABLE_POINTERS || w[1] == CAPABILITY_VARIABLE_POINTERS_BUFFER)
            return rp_join_refuse(j, "variable pointers");
        rp_join_append_once(j, &j->capabilities, w, length);
        break;
    case OP_EXTENSION: rp_join_append_once(j, &j->extensions, w, length); break;
    case OP_EXT_INST_IMPORT: return take_import(j, w);
    case OP_MEMORY_MODEL: return take_model(j, w);
    case OP_EXECUTION_MODE: return take_mode(j, w);
    case OP_EXECUTION_MODE_ID:
        if (w[2] != MODE_LOCAL_SIZE_ID) return rp_join_refuse(j, "an execution mode of ids");
        break;
    }
    return RP_OK;
}

/* ---- Types and constants --------------------------------------------------------------------- */

static rp_status take_type(rp_joiner *j, const uint32_t *w) {
    j->type.count = 0;
    RP_TRY(rp_join_copy(j, &j->type, w));
    j->map[w[1]] = rp_join_type(j, j->type.at);
    return RP_OK;
}

/* A specialisation constant becomes what it is specialised to. */
static rp_status take_constant(rp_joiner *j, uint32_t at) {
    const uint32_t *w = j->reader.words + at;
    rp_join_note_integer(j, w);
    const rp_spirv_id *is = rp_spirv_entry(&j->reader, w[2]);
    uint32_t op = w[0] & 0xffff, type = rp_join_mapped(j, w[1]), id = rp_join_mapped(j, w[2]);
    if (!type || !id) return rp_join_refuse_instruction(j, w);
    bool is_bool = rp_spirv_entry(&j->reader, w[1])->scalar == RP_SCALAR_BOOL;
    switch (op) {
    case OP_SPEC_CONSTANT_TRUE:
    case OP_SPEC_CONSTANT_FALSE:
        rp_join_put(j, &j->globals, is->value ? OP_CONSTANT_TRUE : OP_CONSTANT_FALSE, 2, type, id);
        return RP_OK;
    case OP_SPEC_CONSTANT:
        if (w[0] >> 16 != 4) return rp_join_refuse(j, "a specialisation constant of 64 bits");
        rp_join_put(j, &j->globals, OP_CONSTANT, 3, type, id, is->value);
        return RP_OK;
    case OP_SPEC_CONSTANT_OP:
        if (is->known && is_bool)
            rp_join_put(j, &j->globals, is->value ? OP_CONSTANT_TRUE : OP_CONSTANT_FALSE, 2, type,
                        id);
        else if (is->known)
            rp_join_put(j, &j->globals, OP_CONSTANT, 3, type, id, is->value);
        else if (w[3] == OP_COMPOSITE_EXTRACT || w[3] == OP_COMPOSITE_INSERT ||
                 w[3] == OP_VECTOR_SHUFFLE)
            return rp_join_refuse(j, "a constant out of a composite");
        else
            return rp_join_copy(j, &j->globals, w);
        return RP_OK;
    case OP_SPEC_CONSTANT_COMPOSITE: {
        uint32_t place = j->globals.count;
        uint32_t plain = w[0] >> 16 << 16 | OP_CONSTANT_COMPOSITE;
        for (uint32_t i = 1; i < w[0] >> 16; i++)
            if (!rp_join_mapped(j, w[i])) return rp_join_refuse_instruction(j, w);
        rp_join_append(j, &j->globals, w, w[0] >> 16);
        if (j->no_memory) return RP_OK;
        j->globals.at[place] = plain;
        for (uint32_t i = 1; i < w[0] >> 16; i++) j->globals.at[place + i] = j->map[w[i]];
        return RP_OK;
    }
    }
    return rp_join_copy(j, &j->globals, w);
}

/* ---- Variables ------------------------------------------------------------------------------- */

static rp_status take_buffer(rp_joiner *j, const uint32_t *w) {
    rp_join_id *id = &j->ids[w[2]];
    uint32_t block = rp_join_pointee(j, w[1]);
    const rp_spirv_id *type = rp_spirv_entry(&j->reader, block);
    const rp_spirv_id *variable = rp_spirv_entry(&j->reader, w[2]);
    if (rp_spirv_defined_by(&j->reader, type) != OP_TYPE_STRUCT)
        return rp_join_refuse(j, "an array of buffers");
    if (variable->binding > UINT8_MAX) return rp_join_refuse(j, "binding %u", variable->binding);
    if (variable->set != 0) return rp_join_refuse(j, "descriptor set %u", variable->set);
    id->role = RP_JOIN_BUFFER;
    id->variable = rp_join_new_id(j);
    id->pointer = rp_join_pointer(j, CLASS_PHYSICAL_STORAGE_BUFFER, j->map[block]);
    id->first = variable->binding;
    j->map[w[2]] = 0;
    rp_join_append(j, &j->buffers, &w[2], 1);
    if (variable->binding >= j->slots) j->slots = variable->binding + 1;
    return RP_OK;
}

/* The array that all parts have elements of a type in. */
static rp_join_pool *find_pool(rp_joiner *j, uint32_t type, uint32_t bytes) {
    for (uint32_t i = 0; i < j->pool_count; i++)
        if (j->pools[i].type == type) return &j->pools[i];
    if (j->pool_count == RP_JOIN_POOLS) return NULL;
    rp_join_pool *pool = &j->pools[j->pool_count++];
    *pool = (rp_join_pool){.type = type, .bytes = bytes, .variable = rp_join_new_id(j)};
    rp_join_append(j, &j->interface, &pool->variable, 1);
    return pool;
}

/* What is shared becomes a part of a pool: a number, a vector, or an array of those. */
static rp_status take_shared(rp_joiner *j, const uint32_t *w) {
    rp_spirv_reader *r = &j->reader;
    uint32_t type = rp_join_pointee(j, w[1]);
    const rp_spirv_id *is = rp_spirv_entry(r, type);
    uint64_t count = 1;
    bool array = rp_spirv_defined_by(r, is) == OP_TYPE_ARRAY;
    if (array) {
        count = rp_spirv_array_elements(r, rp_spirv_entry(r, r->words[is->at + 3]));
        type = r->words[is->at + 2];
        is = rp_spirv_entry(r, type);
    }
    if (!is->component || !rp_join_mapped(j, type) || count == 0 || count > UINT32_MAX / 16)
        return rp_join_refuse(j, "shared memory of structs, or of a size that is not known");
    rp_join_pool *pool =
        find_pool(j, j->map[type], ((uint32_t)is->size + is->align - 1) / is->align * is->align);
    if (!pool) return rp_join_refuse(j, "shared memory of many types");
    rp_join_id *id = &j->ids[w[2]];
    id->role = RP_JOIN_SHARED;
    id->variable = pool->variable;
    id->first = pool->used;
    id->pointer = array ? 0 : j->map[w[1]];
    j->map[w[2]] = 0;
    pool->used += (uint32_t)count;
    if (pool->used > UINT32_MAX / 16) return rp_join_refuse(j, "too much shared memory");
    if (pool->used > pool->most) pool->most = pool->used;
    return RP_OK;
}

/* Of unsigned numbers of 32 bits, as the joined kernel's own are. */
static bool is_uint(const rp_spirv_id *type) {
    return type->component && type->scalar == RP_SCALAR_U32;
}

static rp_status take_push(rp_joiner *j, const uint32_t *w) {
    const rp_spirv_id *block = rp_spirv_entry(&j->reader, rp_join_pointee(j, w[1]));
    bool one = rp_spirv_defined_by(&j->reader, block) == OP_TYPE_STRUCT &&
               rp_spirv_length(&j->reader, block->at) == 3;
    const rp_spirv_id *member =
        rp_spirv_entry(&j->reader, one ? j->reader.words[block->at + 2] : 0);
    if (block->extent != 4 || !is_uint(member))
        return rp_join_refuse(j, "push constants beside the tag");
    if (!j->push) {
        j->push = rp_join_new_id(j);
        rp_join_put(j, &j->globals, OP_VARIABLE, 3, j->map[w[1]], j->push,
                    (uint32_t)CLASS_PUSH_CONSTANT);
        rp_join_append(j, &j->interface, &j->push, 1);
    }
    j->map[w[2]] = j->push;
    return RP_OK;
}

static rp_status take_input(rp_joiner *j, const uint32_t *w) {
    rp_join_id *id = &j->ids[w[2]];
    if (id->builtin >= RP_JOIN_BUILT_INS) return rp_join_refuse(j, "builtin %u", id->builtin);
    if (!is_uint(rp_spirv_entry(&j->reader, rp_join_pointee(j, w[1]))))
        return rp_join_refuse(j, "builtin %u of another type", id->builtin);
    if (rp_join_is_position(id->builtin)) {
        uint32_t *position = &j->positions[id->builtin], type = j->map[rp_join_pointee(j, w[1])];
        if (!*position) *position = rp_join_variable(j, CLASS_PRIVATE, type);
        id->role = RP_JOIN_POSITION;
        id->variable = *position;
        j->map[w[2]] = 0;
        return RP_OK;
    }
    j->map[w[2]] = rp_join_built_in(j, id->builtin, j->map[rp_join_pointee(j, w[1])]);
    return RP_OK;
}

static rp_status take_variable(rp_joiner *j, const uint32_t *w) {
    if (rp_join_pointee(j, w[1]) == 0 || !rp_join_mapped(j, w[1]) || !rp_join_mapped(j, w[2]))
        return rp_join_refuse(j, "a variable of no pointer");
    /* It is given once, and not to each workgroup that an invocation goes through. */
    if (w[0] >> 16 > 4) return rp_join_refuse(j, "a variable with a value to begin with");
    switch (w[3]) {
    case CLASS_STORAGE_BUFFER: return take_buffer(j, w);
    case CLASS_WORKGROUP: return take_shared(j, w);
    case CLASS_PUSH_CONSTANT: return take_push(j, w);
    case CLASS_INPUT: return take_input(j, w);
    case CLASS_PRIVATE:
        RP_TRY(rp_join_copy(j, &j->globals, w));
        rp_join_append(j, &j->interface, &j->map[w[2]], 1);
        return RP_OK;
    }
    return rp_join_refuse(j, "a variable of class %u", w[3]);
}

static rp_status take_global(rp_joiner *j, uint32_t at) {
    const uint32_t *w = j->reader.words + at;
    uint32_t op = w[0] & 0xffff;
    if (op == OP_VARIABLE) return take_variable(j, w);
    if (op >= OP_CONSTANT_TRUE && op <= OP_SPEC_CONSTANT_OP) return take_constant(j, at);
    if (op >= OP_TYPE_VOID && op <= OP_TYPE_FUNCTION) return take_type(j, w);
    if (op == OP_UNDEF) return rp_join_copy(j, &j->globals, w);
    bool makes_type = (op > OP_TYPE_FUNCTION && op <= OP_TYPE_FORWARD_POINTER) ||
                      op == OP_TYPE_COOPERATIVE_MATRIX || op == OP_TYPE_ACCELERATION_STRUCTURE;
    return makes_type ? rp_join_refuse_instruction(j, w)
                      : RP_OK; /* the rest says something of ids */
}

/* ---- Decorations ----------------------------------------------------------------------------- */

/* Whether a member that is a vector lies where no vector of its size must: Vulkan allows all multiples of a component's size as long
 * as no 16 bytes are crossed, and with scalar layout those too. */
static bool is_loose(rp_joiner *j, const rp_spirv_id *block, uint32_t member, uint32_t offset) {
    rp_spirv_reader *r = &j->reader;
    if (rp_spirv_defined_by(r, block) != OP_TYPE_STRUCT ||
        member >= rp_spirv_length(r, block->at) - 2)
        return false;
    const rp_spirv_id *type = rp_spirv_entry(r, r->words[block->at + 2 + member]);
    return type->vector && offset % type->vector != 0;
}

static rp_status take_decoration(rp_joiner *j, const uint32_t *w) {
    uint32_t op = w[0] & 0xffff, length = w[0] >> 16, place = j->decorations.count;
    if (op == OP_GROUP_DECORATE || op == OP_GROUP_MEMBER_DECORATE || op == OP_DECORATION_GROUP)
        return rp_join_refuse(j, "decorations of groups");
    if (op != OP_DECORATE && op != OP_MEMBER_DECORATE) return RP_OK;
    uint32_t what = op == OP_DECORATE ? w[2] : w[3];
    if (what == DECORATION_SPEC_ID || what == DECORATION_BUILT_IN) return RP_OK;
    if (w[1] >= j->reader.bound) return rp_join_refuse(j, "an id without a definition");
    const rp_spirv_id *is = rp_spirv_entry(&j->reader, w[1]);
    if (rp_spirv_defined_by(&j->reader, is) == OP_TYPE_POINTER)
        return rp_join_refuse(j, "a pointer with a stride");
    if (op == OP_MEMBER_DECORATE && what == DECORATION_OFFSET && length > 4)
        j->loose |= is_loose(j, is, w[2], w[4]);
    rp_join_role role = (rp_join_role)j->ids[w[1]].role;
    if (role == RP_JOIN_BUFFER && (what == DECORATION_COHERENT || what == DECORATION_VOLATILE))
        return rp_join_refuse(j, "a buffer that is coherent or volatile as a whole");
    if (role != RP_JOIN_PLAIN) return RP_OK; /* it is no variable any more */
    rp_join_append(j, &j->decorations, w, length);
    if (!j->no_memory) j->decorations.at[place + 1] = j->map[w[1]];
    return RP_OK;
}

/* ---- The whole ------------------------------------------------------------------------------- */

/* One function has the addresses. Compilers leave one, with all others in it. */
static rp_status count_functions(rp_joiner *j, uint32_t code) {
    const rp_spirv_reader *r = &j->reader;
    uint32_t count = 0;
    for (uint32_t at = code; at < r->count; at += rp_spirv_length(r, at))
        count += rp_spirv_op(r, at) == OP_FUNCTION;
    return count == 1 ? RP_OK : rp_join_refuse(j, "%u functions", count);
}

static rp_status make_room(rp_joiner *j) {
    uint32_t bound = j->reader.bound;
    if (bound > j->id_capacity) {
        rp_release(j->a, j->map);
        rp_release(j->a, j->ids);
        j->id_capacity = 0;
        j->map = rp_alloc(j->a, bound, sizeof *j->map);
        j->ids = rp_alloc(j->a, bound, sizeof *j->ids);
        if (!j->map || !j->ids) return RP_ERROR_NO_MEMORY;
        j->id_capacity = bound;
    }
    for (uint32_t i = 0; i < bound; i++) {
        j->map[i] = i ? j->bound + i : 0;
        j->ids[i] = (rp_join_id){.builtin = UINT32_MAX};
    }
    j->bound += bound;
    return j->bound < RP_SPIRV_MAX_ID_BOUND ? RP_OK : rp_join_refuse(j, "too many ids");
}

static void note_built_ins(rp_joiner *j, uint32_t code) {
    const rp_spirv_reader *r = &j->reader;
    for (uint32_t at = RP_SPIRV_HEADER; at < code; at += rp_spirv_length(r, at)) {
        const uint32_t *w = r->words + at;
        if (rp_spirv_op(r, at) == OP_DECORATE && rp_spirv_length(r, at) == 4 &&
            w[2] == DECORATION_BUILT_IN && w[1] < r->bound)
            j->ids[w[1]].builtin = w[3];
    }
}

static rp_status check_part(rp_joiner *j, bool first) {
    const rp_spirv_reader *r = &j->reader;
    if (*r->unsupported) return rp_join_refuse(j, "%s", r->unsupported);
    if (r->words[1] < VERSION_1_4) return rp_join_refuse(j, "SPIR-V before 1.4");
    if (!r->local_known) return rp_join_refuse(j, "a workgroup size that is not known");
    if (first) {
        memcpy(j->local, r->local, sizeof j->local);
        j->subgroup = r->subgroup;
    }
    if (memcmp(j->local, r->local, sizeof j->local) != 0)
        return rp_join_refuse(j, "workgroups of different sizes");
    if (j->subgroup != r->subgroup) return rp_join_refuse(j, "subgroups of different sizes");
    if (r->words[1] > j->version) j->version = r->words[1];
    return RP_OK;
}

rp_status rp_join_part(rp_joiner *j, uint32_t number, const rp_spirv_part *part) {
    rp_spirv_reader *r = &j->reader;
    RP_TRY(rp_spirv_read(r, part->words, part->word_count, part->entry, part->specs,
                         part->spec_count, j->why));
    RP_TRY(check_part(j, number == 0));
    RP_TRY(check_lengths(j));
    RP_TRY(make_room(j));
    for (uint32_t i = 0; i < j->pool_count; i++) j->pools[i].used = 0;
    j->buffers.count = 0;
    j->loose = r->needs & RP_NEED_SCALAR_LAYOUT;
    uint32_t code = RP_SPIRV_HEADER;
    while (code < r->count && rp_spirv_op(r, code) != OP_FUNCTION) code += rp_spirv_length(r, code);
    RP_TRY(count_functions(j, code));
    note_built_ins(j, code);
    for (uint32_t at = RP_SPIRV_HEADER; at < code; at += rp_spirv_length(r, at)) {
        RP_TRY(take_preamble(j, at));
        RP_TRY(take_global(j, at));
    }
    for (uint32_t at = RP_SPIRV_HEADER; at < code; at += rp_spirv_length(r, at))
        RP_TRY(take_decoration(j, r->words + at));
    for (uint32_t at = code; at < r->count; at += rp_spirv_length(r, at))
        RP_TRY(rp_join_code(j, at));
    j->functions[number] = j->map[r->words[r->entry_at + 2]];
    return j->no_memory ? RP_ERROR_NO_MEMORY : RP_OK;
}
