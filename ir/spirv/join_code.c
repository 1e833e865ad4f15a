/* The code of a part. Chains on what became something else begin elsewhere, and loads and stores behind an address say how it
 * is aligned; all else is copied. */
#include <string.h>

#include "spirv/joiner.h"
#include "spirv/operands.h"

rp_status rp_join_refuse_instruction(rp_joiner *j, const uint32_t *w) {
    return rp_join_refuse(j, "instruction %u", w[0] & 0xffff);
}

/* A copy with mapped ids. */
rp_status rp_join_copy(rp_joiner *j, rp_join_words *to, const uint32_t *w) {
    uint32_t length = w[0] >> 16;
    if (j->no_memory || !RP_RESERVE(j->a, to->at, to->count, to->capacity, length))
        return RP_ERROR_NO_MEMORY;
    if (!rp_spirv_map_ids(w, j->map, j->reader.bound, to->at + to->count))
        return rp_join_refuse_instruction(j, w);
    to->count += length;
    return RP_OK;
}

/* What a pointer type of the module points to, as the module names it; 0 for none. */
uint32_t rp_join_pointee(rp_joiner *j, uint32_t pointer) {
    const rp_spirv_id *is = rp_spirv_entry(&j->reader, pointer);
    uint32_t to =
        rp_spirv_defined_by(&j->reader, is) == OP_TYPE_POINTER ? j->reader.words[is->at + 3] : 0;
    return rp_join_mapped(j, to) ? to : 0;
}

/* Of which width an integer is matters where it indexes, and where it is switched by. */
void rp_join_note_integer(rp_joiner *j, const uint32_t *w) {
    if (w[0] >> 16 < 3 || w[2] >= j->reader.bound) return;
    const rp_spirv_id *type = rp_spirv_entry(&j->reader, w[1]);
    if (rp_spirv_defined_by(&j->reader, type) == OP_TYPE_INT)
        j->ids[w[2]].integer = (uint8_t)type->component;
}

static uint32_t integer_bytes(const rp_joiner *j, uint32_t id) {
    return id < j->reader.bound ? j->ids[id].integer : 0;
}

static uint32_t role_of(const rp_joiner *j, uint32_t id) {
    return id < j->reader.bound ? j->ids[id].role : RP_JOIN_PLAIN;
}

/* Where the phase's buffers are: loaded when the function begins, so that it has them in registers. Of two
 * addresses in a row one is the first half. */
static void load_addresses(rp_joiner *j) {
    uint32_t uint_type = rp_join_uint_type(j), phase = rp_join_new_id(j);
    uint32_t pair = rp_join_make_type(j, OP_TYPE_VECTOR, 2, uint_type, 2u);
    uint32_t wide = rp_join_make_type(j, OP_TYPE_INT, 2, 64u, 0u);
    rp_join_put(j, &j->code, OP_LOAD, 3, uint_type, phase, j->phase);
    for (uint32_t i = 0; i < j->buffers.count; i++) {
        const rp_join_id *id = &j->ids[j->buffers.at[i]];
        uint32_t row = rp_join_row(j, phase, RP_SPIRV_JOIN_ADDRESSES + id->first / 2);
        uint32_t half = rp_join_new_id(j), address = rp_join_new_id(j), from = id->first % 2 * 2;
        rp_join_put(j, &j->code, OP_VECTOR_SHUFFLE, 6, pair, half, row, row, from, from + 1);
        rp_join_put(j, &j->code, OP_BITCAST, 3, wide, address, half);
        rp_join_put(j, &j->code, OP_CONVERT_U_TO_PTR, 3, id->pointer, id->variable, address);
    }
}

/* The place of an element among those of the pool. */
static uint32_t place_in_pool(rp_joiner *j, uint32_t first, uint32_t index) {
    uint32_t type = rp_join_uint_type(j), from = rp_join_uint(j, first), id = rp_join_new_id(j);
    rp_join_put(j, &j->code, OP_IADD, 4, type, id, index, from);
    return id;
}

/* A pointer to the whole of what a variable was. */
static rp_status point_to(rp_joiner *j, uint32_t variable, uint32_t *out) {
    const rp_join_id *id = &j->ids[variable];
    *out = id->variable;
    if (id->role == RP_JOIN_POSITION) return RP_OK;
    if (id->role == RP_JOIN_BUFFER) return rp_join_refuse(j, "the length of a buffer");
    if (!id->pointer) return rp_join_refuse(j, "shared memory used as a whole");
    uint32_t index = rp_join_uint(j, id->first);
    *out = rp_join_new_id(j);
    rp_join_put(j, &j->code, OP_ACCESS_CHAIN, 4, id->pointer, *out, id->variable, index);
    return RP_OK;
}

/* A pointer behind an address says of each load how it is aligned: as a number is, or as a vector of two or
 * four. */
static rp_status note_addressed(rp_joiner *j, uint32_t result, uint32_t type) {
    const rp_spirv_id *is = rp_spirv_entry(&j->reader, type);
    bool whole = is->vector && (is->vector & (is->vector - 1)) == 0;
    j->ids[result].role = RP_JOIN_ADDRESSED;
    j->ids[result].variable = j->map[result];
    j->ids[result].first = whole && !j->loose ? is->vector : is->component;
    j->map[result] = 0;
    return RP_OK;
}

/* A buffer is a block at an address; an element of what is shared is one of the pool's; the position is of another
 * class. */
static rp_status take_chain(rp_joiner *j, const uint32_t *w) {
    uint32_t role = role_of(j, w[3]), length = w[0] >> 16, from = 4, to = rp_join_pointee(j, w[1]);
    if (role == RP_JOIN_PLAIN) return rp_join_copy(j, &j->code, w);
    if (!to || !rp_join_mapped(j, w[1]) || !rp_join_mapped(j, w[2]))
        return rp_join_refuse_instruction(j, w);
    for (uint32_t i = 4; i < length; i++)
        if (!rp_join_mapped(j, w[i])) return rp_join_refuse_instruction(j, w);
    const rp_join_id *id = &j->ids[w[3]];
    uint32_t begin[] = {w[0], j->map[w[1]], j->map[w[2]], id->variable, 0}, count = 4;
    if (role == RP_JOIN_POSITION) begin[1] = rp_join_pointer(j, CLASS_PRIVATE, j->map[to]);
    if (role == RP_JOIN_BUFFER || role == RP_JOIN_ADDRESSED) {
        begin[1] = rp_join_pointer(j, CLASS_PHYSICAL_STORAGE_BUFFER, j->map[to]);
        RP_TRY(note_addressed(j, w[2], to));
    }
    if (role == RP_JOIN_SHARED && id->pointer)
        begin[count++] = rp_join_uint(j, id->first); /* a component of a vector */
    else if (role == RP_JOIN_SHARED && length > 4 && integer_bytes(j, w[4]) != 4)
        return rp_join_refuse(j, "an index of another width");
    else if (role == RP_JOIN_SHARED && length > 4)
        begin[count++] = place_in_pool(j, id->first, j->map[w[from++]]);
    else if (role == RP_JOIN_SHARED)
        return rp_join_refuse(j, "shared memory used as a whole");
    begin[0] = (count + length - from) << 16 | (w[0] & 0xffff);
    rp_join_append(j, &j->code, begin, count);
    for (; from < length; from++) rp_join_append(j, &j->code, &j->map[w[from]], 1);
    return RP_OK;
}

/* A load or store of a pointer behind an address; its memory operands begin with a mask. */
static rp_status copy_aligned(rp_joiner *j, const uint32_t *w, uint32_t alignment) {
    enum { ALIGNED = 2 };
    uint32_t length = w[0] >> 16, place = j->code.count;
    uint32_t mask_at = (w[0] & 0xffff) == OP_LOAD ? 4 : 3, mask = length > mask_at ? w[mask_at] : 0;
    if (!alignment) return rp_join_refuse(j, "a part of a buffer used as a whole");
    RP_TRY(rp_join_copy(j, &j->code, w));
    if (mask & ALIGNED) return RP_OK;
    uint32_t more = length > mask_at ? 1 : 2; /* the alignment, and a mask where there is none */
    rp_join_append(j, &j->code, (const uint32_t[2]){0}, more);
    if (j->no_memory) return RP_OK;
    uint32_t *out = j->code.at + place;
    memmove(out + mask_at + 2, out + mask_at + 1,
            (length > mask_at ? length - mask_at - 1 : 0) * sizeof *out);
    out[0] = (length + more) << 16 | (w[0] & 0xffff);
    out[mask_at] = mask | ALIGNED;
    out[mask_at + 1] = alignment;
    return RP_OK;
}

/* The word of the pointer that an instruction loads from, stores to or measures; 0: none. */
static uint32_t pointer_of(uint32_t op) {
    if (op == OP_STORE || op == OP_ATOMIC_STORE) return 1;
    bool reads = op == OP_LOAD || op == OP_ARRAY_LENGTH ||
                 (op >= OP_ATOMIC_LOAD && op <= OP_ATOMIC_XOR) || op == OP_ATOMIC_FADD ||
                 op == OP_ATOMIC_FMIN || op == OP_ATOMIC_FMAX;
    return reads ? 3 : 0;
}

/* What an instruction does to memory, where that is not as it was. Such variables have no place in the map but for
 * this instruction, so that whoever hands them on is refused. */
static rp_status take_access(rp_joiner *j, const uint32_t *w, uint32_t variable) {
    uint32_t op = w[0] & 0xffff, role = role_of(j, variable), *place = &j->map[variable];
    if (role == RP_JOIN_ADDRESSED)
        *place = j->ids[variable].variable;
    else
        RP_TRY(point_to(j, variable, place));
    rp_status status = role == RP_JOIN_ADDRESSED && (op == OP_LOAD || op == OP_STORE)
                           ? copy_aligned(j, w, j->ids[variable].first)
                           : rp_join_copy(j, &j->code, w);
    *place = 0;
    return status;
}

rp_status rp_join_code(rp_joiner *j, uint32_t at) {
    const uint32_t *w = j->reader.words + at;
    rp_join_note_integer(j, w);
    uint32_t op = w[0] & 0xffff, length = w[0] >> 16, where = pointer_of(op);
    if (op == OP_LINE || op == OP_NO_LINE) return RP_OK;
    if (op == OP_EXT_INST && length > 3 && role_of(j, w[3]) == RP_JOIN_REMARKS) return RP_OK;
    if (op == OP_SWITCH && length > 3 && integer_bytes(j, w[1]) == 8)
        return rp_join_refuse(j, "a switch over 64 bits");
    if (op == OP_FUNCTION) {
        j->in_function = true;
        j->in_block = false;
    }
    if (!j->in_function) return RP_OK;
    if (op == OP_FUNCTION_END) j->in_function = false;
    if (!j->in_block && op != OP_FUNCTION && op != OP_LABEL && op != OP_VARIABLE &&
        op != OP_FUNCTION_PARAMETER) {
        j->in_block = true;
        load_addresses(j);
    }
    if (op == OP_ACCESS_CHAIN || op == OP_IN_BOUNDS_ACCESS_CHAIN) return take_chain(j, w);
    uint32_t variable = where && where < length ? w[where] : 0;
    return role_of(j, variable) == RP_JOIN_PLAIN ? rp_join_copy(j, &j->code, w)
                                                 : take_access(j, w, variable);
}
