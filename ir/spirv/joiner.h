/* Internal: what the files that join modules share. See join.h.
 *
 *   join.c        the order of things, and what modules have in common
 *   join_words.c  sections of the joined module; types and constants, each once
 *   join_part.c   one module: its types, constants, variables
 *   join_code.c   its code
 *   join_main.c   the function that calls them */
#ifndef RP_SPIRV_JOINER_H
#define RP_SPIRV_JOINER_H

#include "base/hash.h"
#include "base/table.h"
#include "spirv/join.h"
#include "spirv/reader.h"

/* A section of the joined module. */
typedef struct rp_join_words {
    uint32_t *at;
    uint32_t count, capacity;
} rp_join_words;

/* What a module's id became, where that is more than another number. */
typedef enum rp_join_role {
    RP_JOIN_PLAIN,
    RP_JOIN_BUFFER,    /* a block at an address */
    RP_JOIN_ADDRESSED, /* a pointer into one */
    RP_JOIN_SHARED,    /* elements of a pool */
    RP_JOIN_REMARKS,   /* a set of instructions that mean nothing */
    RP_JOIN_POSITION, /* where in its phase an invocation is: a variable that the joined kernel sets */
} rp_join_role;

typedef struct rp_join_id {
    uint8_t role;
    uint8_t integer;   /* bytes of a value that is one, as far as the walk has come; 0: none */
    uint32_t builtin;  /* of a variable; UINT32_MAX: none */
    uint32_t variable; /* that it is in now; of a buffer the pointer to it */
    uint32_t pointer;  /* type of one to all of it, as long as that is not an array */
    uint32_t
        first; /* shared: its place in the pool; buffers: the binding; addressed: the alignment */
} rp_join_id;

enum { RP_JOIN_BUILT_INS = 64 }; /* numbers below are looked at */

/* What the joined kernel sets for each phase. */
static inline bool rp_join_is_position(uint32_t built_in) {
    return built_in == BUILT_IN_NUM_WORKGROUPS || built_in == BUILT_IN_WORKGROUP_ID ||
           built_in == BUILT_IN_GLOBAL_INVOCATION_ID;
}

enum { RP_JOIN_MODES = 32 };

/* An execution mode of floats: DenormPreserve 32. */
typedef struct rp_join_mode {
    uint32_t mode, width;
} rp_join_mode;

enum { RP_JOIN_POOLS = 16 };

/* Shared memory for elements of a type: as much as the part takes that takes most. */
typedef struct rp_join_pool {
    uint32_t type, bytes; /* of an element */
    uint32_t variable, used, most;
} rp_join_pool;

typedef struct rp_joiner {
    const rp_allocator *a;
    char *why;
    bool no_memory; /* once it is, everything is in vain */
    rp_spirv_reader reader;
    const uint32_t *parts; /* by phase */
    uint32_t phase_count;

    rp_join_words capabilities, extensions, imports, decorations, globals, code;
    uint32_t version, model[3]; /* of the memory model */
    uint32_t bound;             /* ids given so far */
    rp_table types;             /* hash of a type -> its word in globals */
    rp_table uints;             /* value -> constant */
    rp_join_mode modes_of[RP_JOIN_MODES];
    uint32_t mode_count;
    uint32_t built_ins[RP_JOIN_BUILT_INS]; /* variables of class Input */
    uint32_t positions[RP_JOIN_BUILT_INS]; /* of class Private, for positions */
    uint32_t phase, push, table,
        probe;           /* variables: number of the phase, the tag, the two bindings */
    uint32_t subgroup;   /* size that parts rely on */
    uint32_t *functions; /* by part */
    rp_join_words interface;
    uint32_t slots, rows_constant; /* addresses of a phase; the constant of its rows */
    uint32_t local[3];             /* workgroup size */
    uint64_t shared_bytes;
    rp_join_pool pools[RP_JOIN_POOLS];
    uint32_t pool_count;

    /* Of the part at hand. */
    uint32_t *map; /* by id; 0 for what has a role */
    rp_join_id *ids;
    uint32_t id_capacity;
    rp_join_words type;    /* room for one */
    rp_join_words buffers; /* variables of the part */
    bool loose;            /* vectors may lie at multiples of their components' size */
    bool in_function;      /* of the code */
    bool in_block;         /* of it, whose variables come first */
} rp_joiner;

rp_status rp_join_refuse(rp_joiner *j, const char *format, ...) RP_PRINTF(2, 3);

/* Rows of the table that a phase has, when all parts are there. */
uint32_t rp_join_rows(const rp_joiner *j);

/* ---- join_words.c ---------------------------------------------------------------------------- */

/* An instruction with `count` operands. */
void rp_join_put(rp_joiner *j, rp_join_words *to, uint32_t op, uint32_t count, ...);
void rp_join_append(rp_joiner *j, rp_join_words *to, const uint32_t *words, uint32_t count);
/* The same, unless one is there that says it. */
void rp_join_append_once(rp_joiner *j, rp_join_words *to, const uint32_t *words, uint32_t count);
uint32_t rp_join_new_id(rp_joiner *j);
/* The type that an instruction makes, its second word not looked at; one for all that are equal. */
uint32_t rp_join_type(rp_joiner *j, const uint32_t *instruction);
uint32_t rp_join_make_type(rp_joiner *j, uint32_t op, uint32_t count, ...);
uint32_t rp_join_pointer(rp_joiner *j, uint32_t storage_class, uint32_t to);
uint32_t rp_join_uint(rp_joiner *j, uint32_t value);
uint32_t rp_join_uint_type(rp_joiner *j);
uint32_t rp_join_uint3_type(rp_joiner *j);
uint32_t rp_join_uint4_type(rp_joiner *j);
/* A variable outside functions. */
uint32_t rp_join_variable(rp_joiner *j, uint32_t storage_class, uint32_t type);
/* The variable of a builtin. */
uint32_t rp_join_built_in(rp_joiner *j, uint32_t built_in, uint32_t type);

/* ---- join_code.c ----------------------------------------------------------------------------- */

/* What an id of the module became; 0 where it is none, or has a role. */
static inline uint32_t rp_join_mapped(const rp_joiner *j, uint32_t id) {
    return id < j->reader.bound ? j->map[id] : 0;
}
/* What a pointer type of the module points to, as the module names it; 0 for none. */
uint32_t rp_join_pointee(rp_joiner *j, uint32_t pointer);
rp_status rp_join_refuse_instruction(rp_joiner *j, const uint32_t *w);
/* A copy with mapped ids. */
rp_status rp_join_copy(rp_joiner *j, rp_join_words *to, const uint32_t *w);
/* Remembers of which width the integer is that an instruction makes. */
void rp_join_note_integer(rp_joiner *j, const uint32_t *w);
/* Takes an instruction behind the first function. */
rp_status rp_join_code(rp_joiner *j, uint32_t at);

/* ---- join_part.c, join_main.c ---------------------------------------------------------------- */

rp_status rp_join_part(rp_joiner *j, uint32_t number, const rp_spirv_part *part);
void rp_join_main(rp_joiner *j, uint32_t part_count);
/* A row of the table: so many behind the phase's first. */
uint32_t rp_join_row(rp_joiner *j, uint32_t phase, uint32_t row);

#endif
