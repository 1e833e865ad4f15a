/* The function of a joined kernel that calls those of its parts:
 *
 *     if (tag == 0) probe();
 *     else
 *         for each phase, one written behind the other:
 *             for (g = workgroup; g < count of workgroups in the phase; g += workgroups) {
 *                 set the position in the phase;
 *                 call the part;
 *                 barrier();  // the next finds shared memory that nobody uses any more
 *             }
 */
#include "spirv/joiner.h"

enum {
    DONT_UNROLL = 2,
    ACQUIRE_RELEASE_SHARED = 0x108,
    PROBE_SPINS = 1 << 14, /* some ten milliseconds */
    PROBE_CAME = 0,
    PROBE_FAILED = 1
};

/* Types and constants that are in use all over. */
typedef struct builder {
    rp_joiner *j;
    uint32_t uint_type, bool_type, uint3_type, void_type;
    uint32_t zero, one;
} builder;

static void put_label(builder *b, uint32_t label) {
    rp_join_put(b->j, &b->j->code, OP_LABEL, 1, label);
}

static void branch(builder *b, uint32_t to) {
    rp_join_put(b->j, &b->j->code, OP_BRANCH, 1, to);
}

static void branch_if(builder *b, uint32_t condition, uint32_t yes, uint32_t no) {
    rp_join_put(b->j, &b->j->code, OP_BRANCH_CONDITIONAL, 3, condition, yes, no);
}

static void merge(builder *b, uint32_t at) {
    rp_join_put(b->j, &b->j->code, OP_SELECTION_MERGE, 2, at, 0u);
}

static uint32_t compute(builder *b, uint32_t op, uint32_t type, uint32_t x, uint32_t y) {
    uint32_t id = rp_join_new_id(b->j);
    rp_join_put(b->j, &b->j->code, op, 4, type, id, x, y);
    return id;
}

static uint32_t load(builder *b, uint32_t type, uint32_t pointer) {
    uint32_t id = rp_join_new_id(b->j);
    rp_join_put(b->j, &b->j->code, OP_LOAD, 3, type, id, pointer);
    return id;
}

static void store(builder *b, uint32_t pointer, uint32_t value) {
    rp_join_put(b->j, &b->j->code, OP_STORE, 2, pointer, value);
}

static uint32_t element_of(builder *b, uint32_t vector, uint32_t element) {
    uint32_t id = rp_join_new_id(b->j);
    rp_join_put(b->j, &b->j->code, OP_COMPOSITE_EXTRACT, 4, b->uint_type, id, vector, element);
    return id;
}

static uint32_t vector_of(builder *b, uint32_t x, uint32_t y, uint32_t z) {
    uint32_t id = rp_join_new_id(b->j);
    rp_join_put(b->j, &b->j->code, OP_COMPOSITE_CONSTRUCT, 5, b->uint3_type, id, x, y, z);
    return id;
}

static uint32_t pointer_into(builder *b, uint32_t storage_class, uint32_t variable,
                             uint32_t index) {
    uint32_t type = rp_join_pointer(b->j, storage_class, b->uint_type), id = rp_join_new_id(b->j);
    rp_join_put(b->j, &b->j->code, OP_ACCESS_CHAIN, 4, type, id, variable, index);
    return id;
}

/* ---- The probe ------------------------------------------------------------------------------- */

static uint32_t probe_word(builder *b, uint32_t word) {
    return pointer_into(b, CLASS_STORAGE_BUFFER, b->j->probe, rp_join_uint(b->j, word));
}

/* The Vulkan memory model knows that scope by another name where a module does not ask for the device's. */
static uint32_t probe_scope(builder *b) {
    enum { VULKAN = 3, QUEUE_FAMILY = 5 };
    return b->j->model[2] == VULKAN ? rp_join_uint(b->j, QUEUE_FAMILY) : b->one;
}

static uint32_t came(builder *b, uint32_t word) {
    uint32_t id = rp_join_new_id(b->j);
    rp_join_put(b->j, &b->j->code, OP_ATOMIC_LOAD, 5, b->uint_type, id, word, probe_scope(b),
                b->zero);
    return id;
}

/* A block that says of the probe that it failed. */
static void put_failed(builder *b, uint32_t label, uint32_t next) {
    put_label(b, label);
    rp_join_put(b->j, &b->j->code, OP_ATOMIC_STORE, 4, probe_word(b, PROBE_FAILED), probe_scope(b),
                b->zero, b->one);
    branch(b, next);
}

/* From `begin` on; ends in a branch to `end`. One invocation of a workgroup counts it, and looks for the others. */
static void put_probe(builder *b, uint32_t begin, uint32_t end, uint32_t workgroups) {
    rp_joiner *j = b->j;
    uint32_t one = rp_join_new_id(j), loop = rp_join_new_id(j), body = rp_join_new_id(j);
    uint32_t next = rp_join_new_id(j), out = rp_join_new_id(j), failed = rp_join_new_id(j);
    uint32_t all = rp_join_new_id(j), done = rp_join_new_id(j);
    uint32_t spins = rp_join_new_id(j), more = rp_join_new_id(j), ignored = rp_join_new_id(j);
    put_label(b, begin);
    uint32_t index =
        load(b, b->uint_type, rp_join_built_in(j, BUILT_IN_LOCAL_INVOCATION_INDEX, b->uint_type));
    uint32_t first = compute(b, OP_IEQUAL, b->bool_type, index, b->zero);
    merge(b, done);
    branch_if(b, first, one, done);
    put_label(b, one);
    uint32_t word = probe_word(b, PROBE_CAME);
    rp_join_put(j, &j->code, OP_ATOMIC_IADD, 6, b->uint_type, ignored, word, probe_scope(b),
                b->zero, b->one);
    branch(b, loop);
    put_label(b, loop);
    rp_join_put(j, &j->code, OP_PHI, 6, b->uint_type, spins, b->zero, one, more, next);
    rp_join_put(j, &j->code, OP_LOOP_MERGE, 3, out, next, (uint32_t)DONT_UNROLL);
    branch(b, body);
    put_label(b, body);
    uint32_t here = came(b, word);
    uint32_t waiting = compute(b, OP_ULESS_THAN, b->bool_type, here, workgroups);
    uint32_t patient = compute(b, OP_ULESS_THAN, b->bool_type, spins, rp_join_uint(j, PROBE_SPINS));
    branch_if(b, compute(b, OP_LOGICAL_AND, b->bool_type, waiting, patient), next, out);
    put_label(b, next);
    rp_join_put(j, &j->code, OP_IADD, 4, b->uint_type, more, spins, b->one);
    branch(b, loop);
    put_label(b, out);
    merge(b, all);
    branch_if(b, waiting, failed, all);
    put_failed(b, failed, all);
    put_label(b, all);
    branch(b, done);
    put_label(b, done);
    branch(b, end);
}

/* ---- Phases ---------------------------------------------------------------------------------- */

uint32_t rp_join_row(rp_joiner *j, uint32_t phase, uint32_t row) {
    uint32_t uint_type = rp_join_uint_type(j), vector = rp_join_uint4_type(j);
    uint32_t pointer = rp_join_pointer(j, CLASS_UNIFORM, vector);
    uint32_t first = rp_join_new_id(j), at = rp_join_new_id(j), chain = rp_join_new_id(j);
    uint32_t value = rp_join_new_id(j), zero = rp_join_uint(j, 0), more = rp_join_uint(j, row);
    rp_join_put(j, &j->code, OP_IMUL, 4, uint_type, first, phase, j->rows_constant);
    rp_join_put(j, &j->code, OP_IADD, 4, uint_type, at, first, more);
    rp_join_put(j, &j->code, OP_ACCESS_CHAIN, 5, pointer, chain, j->table, zero, at);
    rp_join_put(j, &j->code, OP_LOAD, 3, vector, value, chain);
    return value;
}

static void set_position(builder *b, uint32_t built_in, uint32_t value) {
    if (b->j->positions[built_in]) store(b, b->j->positions[built_in], value);
}

static void place_invocation(builder *b, uint32_t workgroup) {
    rp_joiner *j = b->j;
    if (!j->positions[BUILT_IN_GLOBAL_INVOCATION_ID]) return;
    uint32_t size = vector_of(b, rp_join_uint(j, j->local[0]), rp_join_uint(j, j->local[1]),
                              rp_join_uint(j, j->local[2]));
    uint32_t inside =
        load(b, b->uint3_type, rp_join_built_in(j, BUILT_IN_LOCAL_INVOCATION_ID, b->uint3_type));
    uint32_t begin = compute(b, OP_IMUL, b->uint3_type, workgroup, size);
    set_position(b, BUILT_IN_GLOBAL_INVOCATION_ID,
                 compute(b, OP_IADD, b->uint3_type, begin, inside));
}

/* Where workgroup `number` of a phase is in its grid. */
static uint32_t place_workgroup(builder *b, uint32_t number, uint32_t width, uint32_t height) {
    uint32_t x = compute(b, OP_UMOD, b->uint_type, number, width);
    uint32_t row = compute(b, OP_UDIV, b->uint_type, number, width);
    uint32_t y = compute(b, OP_UMOD, b->uint_type, row, height);
    uint32_t z = compute(b, OP_UDIV, b->uint_type, row, height);
    uint32_t at = vector_of(b, x, y, z);
    set_position(b, BUILT_IN_WORKGROUP_ID, at);
    return at;
}

/* The loop over the workgroups of the phase that are this one's; begins and ends in blocks of its own. */
static void put_workgroups(builder *b, uint32_t from, uint32_t phase, uint32_t part, uint32_t own,
                           uint32_t workgroups, uint32_t end) {
    rp_joiner *j = b->j;
    uint32_t loop = rp_join_new_id(j), body = rp_join_new_id(j), next = rp_join_new_id(j);
    uint32_t number = rp_join_new_id(j), more = rp_join_new_id(j);
    uint32_t row = rp_join_row(j, phase, 0), count = element_of(b, row, 0);
    uint32_t width = element_of(b, row, 1), height = element_of(b, row, 2);
    if (j->positions[BUILT_IN_NUM_WORKGROUPS]) {
        uint32_t again = rp_join_row(j, phase, 1);
        set_position(b, BUILT_IN_NUM_WORKGROUPS,
                     vector_of(b, element_of(b, again, 0), element_of(b, again, 1),
                               element_of(b, again, 2)));
    }
    branch(b, loop);
    put_label(b, loop);
    rp_join_put(j, &j->code, OP_PHI, 6, b->uint_type, number, own, from, more, next);
    uint32_t there = compute(b, OP_ULESS_THAN, b->bool_type, number, count);
    rp_join_put(j, &j->code, OP_LOOP_MERGE, 3, end, next, (uint32_t)DONT_UNROLL);
    branch_if(b, there, body, end);
    put_label(b, body);
    place_invocation(b, place_workgroup(b, number, width, height));
    uint32_t nothing = rp_join_new_id(j);
    rp_join_put(j, &j->code, OP_FUNCTION_CALL, 3, b->void_type, nothing, j->functions[part]);
    rp_join_put(j, &j->code, OP_CONTROL_BARRIER, 3, rp_join_uint(j, SCOPE_WORKGROUP),
                rp_join_uint(j, SCOPE_WORKGROUP), rp_join_uint(j, ACQUIRE_RELEASE_SHARED));
    branch(b, next);
    put_label(b, next);
    rp_join_put(j, &j->code, OP_IADD, 4, b->uint_type, more, number, workgroups);
    branch(b, loop);
}

static void put_phases(builder *b, uint32_t begin, uint32_t end, uint32_t own,
                       uint32_t workgroups) {
    rp_joiner *j = b->j;
    put_label(b, begin);
    for (uint32_t i = 0, from = begin; i < j->phase_count; i++) {
        uint32_t phase = rp_join_uint(j, i), next = rp_join_new_id(j);
        store(b, j->phase, phase);
        put_workgroups(b, from, phase, j->parts[i], own, workgroups, next);
        put_label(b, next);
        from = next;
    }
    branch(b, end);
}

/* Asks for all of the table at once, so that no later phase waits for what is its own: it lies in a cache then. What was read
 * goes where it harms nobody, and hardly ever. */
static void touch_table(builder *b, uint32_t from, uint32_t to) {
    enum { ROWS_OF_A_LINE = 4, UNLIKELY = 0x1e3779b9 };
    rp_joiner *j = b->j;
    uint32_t seen = b->zero, odd = rp_join_new_id(j);
    put_label(b, from);
    for (uint32_t row = 0; row < rp_join_rows(j) * j->phase_count; row += ROWS_OF_A_LINE)
        seen = compute(b, OP_BITWISE_XOR, b->uint_type, seen,
                       element_of(b, rp_join_row(j, b->zero, row), 0));
    uint32_t is_odd = compute(b, OP_IEQUAL, b->bool_type, seen, rp_join_uint(j, UNLIKELY));
    merge(b, to);
    branch_if(b, is_odd, odd, to);
    put_failed(b, odd, to);
}

void rp_join_main(rp_joiner *j, uint32_t part_count) {
    builder b = {.j = j,
                 .uint_type = rp_join_uint_type(j),
                 .bool_type = rp_join_make_type(j, OP_TYPE_BOOL, 0),
                 .uint3_type = rp_join_uint3_type(j),
                 .void_type = rp_join_make_type(j, OP_TYPE_VOID, 0),
                 .zero = rp_join_uint(j, 0),
                 .one = rp_join_uint(j, 1)};
    uint32_t type = rp_join_make_type(j, OP_TYPE_FUNCTION, 1, b.void_type);
    uint32_t probe = rp_join_new_id(j), run = rp_join_new_id(j), end = rp_join_new_id(j);
    uint32_t id_variable = rp_join_built_in(j, BUILT_IN_WORKGROUP_ID, b.uint3_type);
    uint32_t count_variable = rp_join_built_in(j, BUILT_IN_NUM_WORKGROUPS, b.uint3_type);
    j->functions[part_count] = rp_join_new_id(j);
    rp_join_put(j, &j->code, OP_FUNCTION, 4, b.void_type, j->functions[part_count], 0u, type);
    put_label(&b, rp_join_new_id(j));
    uint32_t own = element_of(&b, load(&b, b.uint3_type, id_variable), 0);
    uint32_t workgroups = element_of(&b, load(&b, b.uint3_type, count_variable), 0);
    uint32_t tag = load(&b, b.uint_type, pointer_into(&b, CLASS_PUSH_CONSTANT, j->push, b.zero));
    uint32_t probing = compute(&b, OP_IEQUAL, b.bool_type, tag, b.zero);
    merge(&b, end);
    branch_if(&b, probing, probe, run);
    put_probe(&b, probe, end, workgroups);
    uint32_t phases = j->phase_count > 1 ? rp_join_new_id(j) : run;
    if (phases != run) touch_table(&b, run, phases);
    put_phases(&b, phases, end, own, workgroups);
    put_label(&b, end);
    rp_join_put(j, &j->code, OP_RETURN, 0);
    rp_join_put(j, &j->code, OP_FUNCTION_END, 0);
}
