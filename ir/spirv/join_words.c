/* The joined module as it grows: sections of words, and types and constants that are there once. */
#include <stdarg.h>
#include <string.h>

#include "spirv/joiner.h"

enum { MOST_OPERANDS = 16 };

void rp_join_append(rp_joiner *j, rp_join_words *to, const uint32_t *words, uint32_t count) {
    if (j->no_memory || !RP_RESERVE(j->a, to->at, to->count, to->capacity, count)) {
        j->no_memory = true;
        return;
    }
    memcpy(to->at + to->count, words, count * sizeof *words);
    to->count += count;
}

void rp_join_append_once(rp_joiner *j, rp_join_words *to, const uint32_t *words, uint32_t count) {
    for (uint32_t at = 0; at < to->count; at += to->at[at] >> 16)
        if (to->at[at] >> 16 == count && memcmp(to->at + at, words, count * sizeof *words) == 0)
            return;
    rp_join_append(j, to, words, count);
}

/* The first word of an instruction of so many words. */
static uint32_t head(uint32_t op, uint32_t length) {
    return length << 16 | op;
}

void rp_join_put(rp_joiner *j, rp_join_words *to, uint32_t op, uint32_t count, ...) {
    uint32_t words[1 + MOST_OPERANDS] = {head(op, count + 1)};
    va_list operands;
    va_start(operands, count);
    for (uint32_t i = 0; i < count; i++) words[1 + i] = va_arg(operands, uint32_t);
    va_end(operands);
    rp_join_append(j, to, words, count + 1);
}

uint32_t rp_join_new_id(rp_joiner *j) {
    return j->bound++;
}

/* Of numbers, vectors, pointers and functions there is one type of a kind; arrays and structs differ by what
 * decorates them. */
static bool is_unique(uint32_t op) {
    return op != OP_TYPE_ARRAY && op != OP_TYPE_RUNTIME_ARRAY && op != OP_TYPE_STRUCT;
}

uint32_t rp_join_type(rp_joiner *j, const uint32_t *instruction) {
    uint32_t length = instruction[0] >> 16, found;
    bool unique = is_unique(instruction[0] & 0xffff);
    size_t operands = (length - 2) * sizeof *instruction;
    uint32_t key = (uint32_t)rp_hash_mix(instruction[0], instruction + 2, operands);
    for (uint32_t at = 0; unique && rp_table_next(&j->types, key, &at, &found);) {
        const uint32_t *type = j->globals.at + found;
        if (type[0] == instruction[0] && memcmp(type + 2, instruction + 2, operands) == 0)
            return type[1];
    }
    uint32_t place = j->globals.count, id = rp_join_new_id(j);
    rp_join_append(j, &j->globals, instruction, length);
    if (j->no_memory) return id;
    j->globals.at[place + 1] = id;
    if (unique && !rp_table_add(j->a, &j->types, key, place)) j->no_memory = true;
    return id;
}

uint32_t rp_join_make_type(rp_joiner *j, uint32_t op, uint32_t count, ...) {
    uint32_t words[2 + MOST_OPERANDS] = {head(op, count + 2)};
    va_list operands;
    va_start(operands, count);
    for (uint32_t i = 0; i < count; i++) words[2 + i] = va_arg(operands, uint32_t);
    va_end(operands);
    return rp_join_type(j, words);
}

uint32_t rp_join_pointer(rp_joiner *j, uint32_t storage_class, uint32_t to) {
    return rp_join_make_type(j, OP_TYPE_POINTER, 2, storage_class, to);
}

uint32_t rp_join_uint_type(rp_joiner *j) {
    return rp_join_make_type(j, OP_TYPE_INT, 2, 32u, 0u);
}

uint32_t rp_join_uint3_type(rp_joiner *j) {
    return rp_join_make_type(j, OP_TYPE_VECTOR, 2, rp_join_uint_type(j), 3u);
}

uint32_t rp_join_uint4_type(rp_joiner *j) {
    return rp_join_make_type(j, OP_TYPE_VECTOR, 2, rp_join_uint_type(j), 4u);
}

uint32_t rp_join_uint(rp_joiner *j, uint32_t value) {
    uint32_t id;
    if (rp_table_find(&j->uints, value, &id)) return id;
    uint32_t type = rp_join_uint_type(j);
    id = rp_join_new_id(j);
    rp_join_put(j, &j->globals, OP_CONSTANT, 3, type, id, value);
    if (!rp_table_add(j->a, &j->uints, value, id)) j->no_memory = true;
    return id;
}

uint32_t rp_join_variable(rp_joiner *j, uint32_t storage_class, uint32_t type) {
    uint32_t pointer = rp_join_pointer(j, storage_class, type), id = rp_join_new_id(j);
    rp_join_put(j, &j->globals, OP_VARIABLE, 3, pointer, id, storage_class);
    rp_join_append(j, &j->interface, &id, 1);
    return id;
}

uint32_t rp_join_built_in(rp_joiner *j, uint32_t built_in, uint32_t type) {
    if (!j->built_ins[built_in]) {
        uint32_t id = j->built_ins[built_in] = rp_join_variable(j, CLASS_INPUT, type);
        rp_join_put(j, &j->decorations, OP_DECORATE, 3, id, (uint32_t)DECORATION_BUILT_IN,
                    built_in);
    }
    return j->built_ins[built_in];
}
