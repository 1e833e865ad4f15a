#include "spirv/join.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "spirv/joiner.h"

enum {
    MAGIC = 0x07230203,
    MOST_PHASES = 256 /* each has its copy of the code */
};

rp_status rp_join_refuse(rp_joiner *j, const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(j->why, 128, format, values);
    va_end(values);
    return RP_ERROR_UNSUPPORTED;
}

/* ---- What all have in common ----------------------------------------------------------------- */

static rp_status begin(rp_joiner *j, uint32_t phase_count, uint32_t part_count) {
    static const char addresses[] = "SPV_KHR_physical_storage_buffer";
    uint32_t words[1 + sizeof addresses / 4] = {0};
    if (part_count == 0 || phase_count == 0 || phase_count > MOST_PHASES)
        return rp_join_refuse(j, "%u phases", phase_count);
    j->functions = rp_alloc_zero(j->a, part_count + 1, sizeof *j->functions);
    if (!j->functions) return RP_ERROR_NO_MEMORY;
    words[0] = (uint32_t)(sizeof words / sizeof *words) << 16 | OP_EXTENSION;
    memcpy(words + 1, addresses, sizeof addresses);
    rp_join_append(j, &j->extensions, words, sizeof words / sizeof *words);
    rp_join_put(j, &j->capabilities, OP_CAPABILITY, 1, (uint32_t)CAPABILITY_ADDRESSES);
    rp_join_put(j, &j->capabilities, OP_CAPABILITY, 1, (uint32_t)CAPABILITY_INT64);
    j->bound = 1;
    j->phase = rp_join_variable(j, CLASS_PRIVATE, rp_join_uint_type(j));
    /* How many rows a phase has is known when all bindings are: its constant is put behind the rest. */
    j->rows_constant = rp_join_new_id(j);
    j->table = rp_join_new_id(j);
    rp_join_append(j, &j->interface, &j->table, 1);
    return RP_OK;
}

/* A block of `count` words, for buffers and push constants. */
static uint32_t make_block(rp_joiner *j, uint32_t count) {
    uint32_t number = rp_join_uint_type(j);
    uint32_t type = count == 1 ? rp_join_make_type(j, OP_TYPE_STRUCT, 1, number)
                               : rp_join_make_type(j, OP_TYPE_STRUCT, 2, number, number);
    rp_join_put(j, &j->decorations, OP_DECORATE, 2, type, (uint32_t)DECORATION_BLOCK);
    for (uint32_t i = 0; i < count; i++)
        rp_join_put(j, &j->decorations, OP_MEMBER_DECORATE, 4, type, i, (uint32_t)DECORATION_OFFSET,
                    4 * i);
    return type;
}

static void bind(rp_joiner *j, uint32_t variable, uint32_t binding) {
    rp_join_put(j, &j->decorations, OP_DECORATE, 3, variable, (uint32_t)DECORATION_DESCRIPTOR_SET,
                0u);
    rp_join_put(j, &j->decorations, OP_DECORATE, 3, variable, (uint32_t)DECORATION_BINDING,
                binding);
}

/* The rows of all phases. */
static void make_table(rp_joiner *j, uint32_t rows) {
    uint32_t uint_type = rp_join_uint_type(j);
    rp_join_put(j, &j->globals, OP_CONSTANT, 3, uint_type, j->rows_constant, rows);
    uint32_t array = rp_join_make_type(j, OP_TYPE_ARRAY, 2, rp_join_uint4_type(j),
                                       rp_join_uint(j, rows * j->phase_count));
    uint32_t type = rp_join_make_type(j, OP_TYPE_STRUCT, 1, array);
    uint32_t pointer = rp_join_pointer(j, CLASS_UNIFORM, type);
    rp_join_put(j, &j->decorations, OP_DECORATE, 3, array, (uint32_t)DECORATION_ARRAY_STRIDE, 16u);
    rp_join_put(j, &j->decorations, OP_DECORATE, 2, type, (uint32_t)DECORATION_BLOCK);
    rp_join_put(j, &j->decorations, OP_MEMBER_DECORATE, 4, type, 0u, (uint32_t)DECORATION_OFFSET,
                0u);
    rp_join_put(j, &j->globals, OP_VARIABLE, 3, pointer, j->table, (uint32_t)CLASS_UNIFORM);
    bind(j, j->table, 0);
}

static void make_own_blocks(rp_joiner *j) {
    if (!j->push) j->push = rp_join_variable(j, CLASS_PUSH_CONSTANT, make_block(j, 1));
    j->probe = rp_join_variable(j, CLASS_STORAGE_BUFFER, make_block(j, 2));
    bind(j, j->probe, 1);
}

/* Their lengths are known when all parts are there. */
static uint64_t make_pools(rp_joiner *j) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < j->pool_count; i++) {
        const rp_join_pool *pool = &j->pools[i];
        uint32_t array =
            rp_join_make_type(j, OP_TYPE_ARRAY, 2, pool->type, rp_join_uint(j, pool->most));
        uint32_t pointer = rp_join_pointer(j, CLASS_WORKGROUP, array);
        rp_join_put(j, &j->globals, OP_VARIABLE, 3, pointer, pool->variable,
                    (uint32_t)CLASS_WORKGROUP);
        bytes = (bytes + 15) / 16 * 16 + (uint64_t)pool->most * pool->bytes;
    }
    return bytes;
}

/* A mode of floats that a part does not state may change what it computes. That zeros, infinities and what is no number are
 * preserved changes nothing where there are no such floats; how a conversion of halves rounds may, without their type. */
static rp_status check_modes(rp_joiner *j, const rp_spirv_part *part) {
    enum { SIGNED_ZERO_INF_NAN_PRESERVE = 4461 };
    for (uint32_t i = 0; i < j->mode_count; i++) {
        bool stated = false, computes = j->modes_of[i].mode != SIGNED_ZERO_INF_NAN_PRESERVE;
        for (uint32_t at = RP_SPIRV_HEADER; at < part->word_count; at += part->words[at] >> 16) {
            const uint32_t *w = part->words + at;
            uint32_t op = w[0] & 0xffff;
            stated |= op == OP_EXECUTION_MODE && w[0] >> 16 == 4 && w[2] == j->modes_of[i].mode &&
                      w[3] == j->modes_of[i].width;
            computes |= op == OP_TYPE_FLOAT && w[2] == j->modes_of[i].width;
        }
        if (computes && !stated)
            return rp_join_refuse(j, "execution mode %u, which not all state", j->modes_of[i].mode);
    }
    return RP_OK;
}

/* ---- The module ------------------------------------------------------------------------------ */

static void put_entry(rp_joiner *j, rp_join_words *to, uint32_t function) {
    const char *main = "main\0\0\0"; /* and its end, to whole words */
    uint32_t name[2];
    memcpy(name, main, sizeof name);
    const uint32_t head[] = {(5 + j->interface.count) << 16 | OP_ENTRY_POINT, MODEL_GL_COMPUTE,
                             function, name[0], name[1]};
    rp_join_append(j, to, head, 5);
    if (j->interface.count) rp_join_append(j, to, j->interface.at, j->interface.count);
    rp_join_put(j, to, OP_EXECUTION_MODE, 5, function, (uint32_t)MODE_LOCAL_SIZE, j->local[0],
                j->local[1], j->local[2]);
    for (uint32_t i = 0; i < j->mode_count; i++)
        rp_join_put(j, to, OP_EXECUTION_MODE, 3, function, j->modes_of[i].mode,
                    j->modes_of[i].width);
}

/* That all parts rely on subgroups of some size. */
static void put_subgroup(rp_joiner *j, rp_join_words *to) {
    char text[64] = {0};
    uint32_t words[1 + sizeof text / 4];
    if (!j->subgroup) return;
    int length = snprintf(text, sizeof text, RP_SPIRV_SUBGROUP "%u", j->subgroup);
    uint32_t count = 1 + (uint32_t)(length + 4) / 4;
    words[0] = count << 16 | OP_MODULE_PROCESSED;
    memcpy(words + 1, text, sizeof text);
    rp_join_append(j, to, words, count);
}

uint32_t rp_join_rows(const rp_joiner *j) {
    return RP_SPIRV_JOIN_ADDRESSES + (j->slots + 1) / 2;
}

static void assemble(rp_joiner *j, uint32_t part_count, rp_spirv_joined *out) {
    rp_join_words all = {0};
    const uint32_t header[] = {MAGIC, j->version, 0, j->bound, 0};
    rp_join_append(j, &all, header, 5);
    rp_join_append(j, &all, j->capabilities.at, j->capabilities.count);
    rp_join_append(j, &all, j->extensions.at, j->extensions.count);
    if (j->imports.count) rp_join_append(j, &all, j->imports.at, j->imports.count);
    rp_join_put(j, &all, OP_MEMORY_MODEL, 2, (uint32_t)ADDRESSING_PHYSICAL, j->model[2]);
    put_entry(j, &all, j->functions[part_count]);
    put_subgroup(j, &all);
    rp_join_append(j, &all, j->decorations.at, j->decorations.count);
    rp_join_append(j, &all, j->globals.at, j->globals.count);
    rp_join_append(j, &all, j->code.at, j->code.count);
    *out = (rp_spirv_joined){.words = all.at,
                             .word_count = all.count,
                             .rows = rp_join_rows(j),
                             .shared_bytes = j->shared_bytes};
}

static rp_status join(rp_joiner *j, const rp_spirv_part *parts, uint32_t part_count,
                      rp_spirv_joined *out) {
    for (uint32_t i = 0; i < part_count; i++) RP_TRY(rp_join_part(j, i, &parts[i]));
    for (uint32_t i = 0; i < part_count; i++) RP_TRY(check_modes(j, &parts[i]));
    make_own_blocks(j);
    j->shared_bytes = make_pools(j);
    rp_join_main(j, part_count);
    make_table(j, rp_join_rows(j));
    if (!j->no_memory) assemble(j, part_count, out);
    return j->no_memory ? RP_ERROR_NO_MEMORY : RP_OK;
}

static void free_all(rp_joiner *j) {
    rp_join_words *sections[] = {&j->capabilities, &j->extensions, &j->imports,
                                 &j->type,         &j->buffers,    &j->decorations,
                                 &j->globals,      &j->code,       &j->interface};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        rp_release(j->a, sections[i]->at);
    rp_table_free(j->a, &j->types);
    rp_table_free(j->a, &j->uints);
    rp_spirv_reader_free(&j->reader);
    rp_release(j->a, j->functions);
    rp_release(j->a, j->map);
    rp_release(j->a, j->ids);
}

void rp_spirv_join_grid(const uint32_t grid[3], uint32_t rows[4 * RP_SPIRV_JOIN_ADDRESSES]) {
    rows[0] = grid[0] * grid[1] * grid[2];
    memcpy(rows + 1, grid, 3 * sizeof *grid);
    memcpy(rows + 4, grid, 3 * sizeof *grid);
}

rp_status rp_spirv_join(const rp_allocator *allocator, const rp_spirv_part *parts,
                        uint32_t part_count, const uint32_t *part_of, uint32_t phase_count,
                        rp_spirv_joined *out, char why[128]) {
    rp_joiner j = {.a = allocator, .why = why, .parts = part_of, .phase_count = phase_count};
    *out = (rp_spirv_joined){0};
    rp_spirv_reader_init(&j.reader, allocator);
    rp_status status = begin(&j, phase_count, part_count);
    if (status == RP_OK) status = join(&j, parts, part_count, out);
    if (status != RP_OK) {
        rp_release(allocator, out->words);
        *out = (rp_spirv_joined){0};
    }
    free_all(&j);
    return status;
}
