/* Internal: what the files of the SPIR-V reader share. See spirv.h.
 *
 *   read.c       the steps: instructions, definitions, decorations, then the others in order
 *   needs.c      capabilities
 *   constants.c  values of constants, workgroup size
 *   types.c      sizes and layout of types
 *   resources.c  variables
 *   code.c       what the entry point's functions do
 *   products.c   their products of cooperative matrices
 */
#ifndef RP_SPIRV_READER_H
#define RP_SPIRV_READER_H

#include "spirv/opcodes.h"
#include "spirv/spirv.h"

/* Decorations, of an id or of a member. */
enum {
    RP_IS_BLOCK = 1,
    RP_IS_BUFFER_BLOCK = 2,
    RP_IS_NON_WRITABLE = 4, /* on a struct: every member is */
    RP_IS_NON_READABLE = 8,
    RP_IS_ROW_MAJOR = 16,
    RP_HAS_SPEC_ID = 32,
    RP_IN_INTERFACE = 64, /* listed by the entry point */
};

/* Layout rules that a type does not keep. */
enum { RP_BREAKS_STD140 = 1, RP_BREAKS_STD430 = 2 };

/* What is done to a variable; a function is only `used`. */
enum { RP_USED = 1, RP_READS = 2, RP_WRITES = 4 };

/* A member's explicit layout. */
struct rp_spirv_layout {
    uint32_t decorations, offset, matrix_stride;
};

/* An id. Only what its kind has means something. */
struct rp_spirv_id {
    uint32_t stamp; /* of the read that filled it in; else it counts as zeroed */
    uint32_t at;    /* word of a definition outside functions, or of a function; 0 = none */
    uint32_t name;  /* word of its OpName */
    uint32_t decorations, set, binding, spec_id;
    uint32_t array_stride, offset, matrix_stride; /* the last two: of a group, for members */
    /* types */
    uint32_t base; /* behind arrays */
    uint32_t first_layout;
    uint32_t align140, align430, align; /* `align`: in workgroup memory */
    uint32_t component, vector;         /* bytes of a number; of it or of a vector of it; else 0 */
    uint8_t columns, rows;              /* of a matrix */
    uint8_t scalar, breaks;             /* rp_scalar of the numbers in it */
    bool forward;    /* a pointer that is said to come: structs may hold it before it does */
    uint64_t size;   /* bytes by the std430 rules, as in workgroup memory; UINT64_MAX = unknown */
    uint64_t extent; /* bytes by the explicit layout */
    /* constants */
    uint32_t value; /* first word */
    bool known;     /* an integer of 32 bits or a boolean, whose value is `value` */
    /* pointers */
    uint32_t root; /* the variable outside functions that it points into, 0 = none */
    uint32_t type; /* of a pointer or a cooperative matrix in a function */
    uint8_t use;
};

/* An id's entry. One that the module may not have is an empty entry, whatever was written there. */
static inline rp_spirv_id *rp_spirv_entry(rp_spirv_reader *r, uint32_t id) {
    if (id >= r->bound) id = 0;
    rp_spirv_id *entry = &r->ids[id];
    if (id == 0 || entry->stamp != r->stamp)
        *entry = (rp_spirv_id){.stamp = r->stamp,
                               .align140 = 1,
                               .align430 = 1,
                               .align = 1,
                               .scalar = RP_SCALAR_OTHER,
                               .size = UINT64_MAX,
                               .extent = UINT64_MAX};
    return entry;
}

/* The entry of something that must have been defined before word `at`; empty where it was not: no
 * type and no constant is made of itself. */
static inline rp_spirv_id *rp_spirv_before(rp_spirv_reader *r, uint32_t id, uint32_t at) {
    rp_spirv_id *entry = rp_spirv_entry(r, id);
    return entry->at && entry->at < at ? entry : rp_spirv_entry(r, 0);
}

static inline uint32_t rp_spirv_op(const rp_spirv_reader *r, uint32_t at) {
    return r->words[at] & 0xffff;
}

static inline uint32_t rp_spirv_length(const rp_spirv_reader *r, uint32_t at) {
    return r->words[at] >> 16;
}

/* The opcode that defined an entry; 0 for none. */
static inline uint32_t rp_spirv_defined_by(const rp_spirv_reader *r, const rp_spirv_id *entry) {
    return entry->at ? rp_spirv_op(r, entry->at) : 0;
}

/* The type of a value that is a pointer, a matrix or made outside functions; 0 for others. */
static inline uint32_t rp_spirv_type_of(rp_spirv_reader *r, uint32_t value) {
    const rp_spirv_id *entry = rp_spirv_entry(r, value);
    return entry->at && rp_spirv_length(r, entry->at) > 2 ? r->words[entry->at + 1] : entry->type;
}

rp_status rp_spirv_damaged(char why[128], const char *format, ...) RP_PRINTF(2, 3);

void rp_spirv_note_capability(rp_spirv_reader *r, uint32_t capability);
void rp_spirv_note_float_mode(rp_spirv_reader *r, uint32_t mode, uint32_t width);
uint32_t rp_spirv_subgroup_at(const uint32_t *instruction);
void rp_spirv_note_subgroup(rp_spirv_reader *r, uint32_t op, uint32_t result_type);
void rp_spirv_note_clock(rp_spirv_reader *r, uint32_t scope);
void rp_spirv_note_atomic(rp_spirv_reader *r, uint32_t op, uint32_t pointer);
/* When the code has been walked: what was stated and not found in it. */
void rp_spirv_note_stated(rp_spirv_reader *r);
rp_status rp_spirv_note_product(rp_spirv_reader *r, uint32_t at);

/* The elements of an array type whose length is a constant; UINT64_MAX when that is not known. */
uint64_t rp_spirv_array_elements(const rp_spirv_reader *r, const rp_spirv_id *length);

/* Each of these takes the instruction at word `at`, in the order of the module, when all
 * decorations are known. */
void rp_spirv_type(rp_spirv_reader *r, uint32_t at);
rp_status rp_spirv_constant_at(rp_spirv_reader *r, uint32_t at);
rp_status rp_spirv_variable(rp_spirv_reader *r, uint32_t at);

/* When everything before the first function is known. */
void rp_spirv_sort_constants(rp_spirv_reader *r);
void rp_spirv_find_local(rp_spirv_reader *r);
rp_status rp_spirv_walk_code(rp_spirv_reader *r, char why[128]);
void rp_spirv_note_uses(rp_spirv_reader *r);

#endif
