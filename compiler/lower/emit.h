/* Internal: composing the GLSL of one op node.
 *
 * An rp_emit collects pieces of text: specialisation constants, buffers, functions, main(). A node
 * is one kernel, whatever its members; who composes it (map.c, rows.c, kernel.c, matvec.c) decides
 * where elements are computed, and asks this interface for everything that does not depend on that:
 *
 *   readers    of an input operand, a function of the flat element index, wherever the elements
 *              come from: a buffer, a constant, or other members, whose formulas it evaluates
 *   epilogues  from results that the kernel has just computed to everything downstream of them
 *   row steps  the reductions of rows members, for a row or for a few rows
 *
 * Every value is a function float|int|uint of its index; f16, bf16 and f32 are float, i8 and i32
 * int, u8 and u32 uint. A value is always what a store and a load would make of it: f16 and bf16 are
 * rounded, narrow integers are saturated, in memory or not. So fused and unfused results are equal
 * to the bit.
 *
 * Numbers (shapes, attributes) are specialisation constants, so that the text depends on the
 * structure of the node alone.
 *
 * Errors stick: after the first one `status` says what it was, functions that return a name return
 * "" and nothing else happens. Check once, at the end. All names live as long as the rp_emit. */
#ifndef RP_LOWER_EMIT_H
#define RP_LOWER_EMIT_H

#include "graph/graph.h"
#include "ops/formula.h"
#include "kernel_shape.h"

enum {
    RP_EMIT_MAX_MEMBERS = RP_SHAPE_MEMBERS,
    RP_EMIT_ROW_THREADS = RP_OP_ROW_THREADS, /* that share one long row, in every kernel */
    RP_EMIT_MAP_THREADS = 256,
};

typedef struct rp_emit_set { /* of members */
    uint64_t bits[RP_EMIT_MAX_MEMBERS / 64];
} rp_emit_set;

static inline bool rp_emit_has(const rp_emit_set *set, uint32_t member) {
    return set->bits[member / 64] >> (member % 64) & 1;
}

static inline void rp_emit_add(rp_emit_set *set, uint32_t member) {
    set->bits[member / 64] |= UINT64_C(1) << (member % 64);
}

/* The arguments of a formula's function, in order: numbers of operands and steps. */
typedef struct rp_emit_args {
    uint8_t names[RP_OP_MAX_OPERANDS + RP_OP_MAX_STEPS + RP_FORMULA_PLACES];
    uint32_t count;
} rp_emit_args;

/* A member's output; indexed by the value numbers of the node's operands. */
typedef struct rp_emit_value {
    uint32_t member, operand;
    uint8_t dtype;
    uint64_t elements;
    uint32_t use;   /* RP_NONE: not in memory */
    uint8_t window; /* > 0: computed by the kernel, so many elements at a time: rp_emit_core() */
    bool function;  /* its function vN(uint i) is in the text */
    const char *formula;   /* its function of operands' values, once that is in the text */
    rp_emit_args args;     /* which that takes */
    const char *formula_4; /* the same for four at once: "" where there is none */
    const char *store;     /* the function that takes its elements in text of kernels/, once made */
} rp_emit_value;

typedef struct rp_emit_member {
    rp_op_call call; /* checked: symbols are bound */
    const rp_graph_operand *operands;
    rp_emit_set upstream; /* members whose values it needs, directly or not; without itself */
    bool is_prepared;     /* a RP_AT_PAIR op: NAME_prepare(i) comes before elements i and pair(i) */
    uint32_t held; /* bits of a rows member's inputs of which threads hold their elements already */
} rp_emit_member;

/* A buffer block in the text. */
typedef struct rp_emit_array_type {
    uint32_t use;
    const char *type, *name;
    const char *first; /* constant: the element that the use begins with; NULL = 0 */
} rp_emit_array_type;

/* A use whose elements, f32, are read from an array of vec4 in shared memory, from its vector `first`
 * on; or whose only element is in a variable. */
typedef struct rp_emit_copy {
    uint32_t use;
    uint8_t dtype;
    bool single;
    const char *name;
    uint64_t first;
} rp_emit_copy;

/* Where the results of rows members' steps are. */
typedef enum rp_emit_rows {
    RP_EMIT_ROW_ONE, /* in private variables, for the row at hand */
    RP_EMIT_ROW_FEW, /* in shared arrays, for rows 0 to row_count - 1, at most 8; of one row for which all
                      * threads work, in private variables */
} rp_emit_rows;

typedef struct rp_emit_constant {
    const char *name;
    uint32_t bits;
} rp_emit_constant;

/* A number that follows live sizes: a variable of main()'s first lines. */
typedef struct rp_emit_extent_name {
    const char *name;
    rp_extent extent;
    const char
        *count; /* what it is counted of, an expression over those before it; NULL: a product */
} rp_emit_extent_name;

/* Who reads operands for text of kernels/ (internal.h). */
typedef struct rp_emit_names rp_emit_names;

typedef struct rp_emit {
    rp_allocator allocator;
    const rp_graph *graph;
    const rp_graph_node *node;
    rp_diags *diags;
    rp_status status;
    bool fast;        /* a * b + c may be contracted: nothing is `precise` */
    bool keeps_order; /* what is read is not declared `readonly`, or loads pass fences */

    rp_emit_member *members;
    uint32_t member_count;
    rp_emit_value *values;
    uint32_t value_count;
    rp_shape shape; /* found before a composer is called */
    const rp_emit_names
        *readers; /* that text of one element asks: set with that, by rp_emit_node() */

    RP_ARRAY(rp_emit_constant, constants);  /* constant_id = index */
    RP_ARRAY(rp_emit_extent_name, extents); /* rp_emit_extent() */
    RP_ARRAY(const char *,
             varying);       /* constants of texts that are made of them, by their names there */
    RP_ARRAY(char *, names); /* owns every name it gave out */
    RP_ARRAY(rp_emit_array_type, arrays);
    RP_ARRAY(rp_emit_copy, copies); /* rp_emit_read_copy() */
    RP_ARRAY(uint32_t, asked);      /* uses: rp_emit_ask_ahead() */
    bool looks_for_x; /* products make x in a loop that ends when `looks_again` says so */
    RP_ARRAY(const char *, known); /* functions: rp_emit_add_function() */
    uint32_t extensions;           /* RP_EMIT_8BIT ... */
    rp_text buffers;               /* declarations of buffer blocks */
    rp_text globals;               /* private and shared variables */
    rp_text functions;             /* in an order in which each is known to its callers */
    rp_text main;                  /* void main() { ... } and what only it needs; last */

    uint32_t row_fours; /* that a thread of a team can hold; 0: none. Set by the composer */
    uint8_t row_mode;   /* rp_emit_rows; set it before the first reader is asked for */
    uint32_t row_count; /* RP_EMIT_ROW_FEW: 1 to 8 */
    uint32_t local;     /* threads of a workgroup: set by the composer, before rp_emit_row_steps */
    uint32_t subgroup;  /* invocations of a subgroup that the text relies on; 0: any */
    uint32_t grid[3];   /* workgroups: set by the composer; at the largest live sizes */
    rp_expr grid_code[3]; /* of those that follow sizes; count 0: grid[i] */
    char *glsl;           /* the whole text, once rp_emit_assemble() was called; owned */
} rp_emit;

enum {
    RP_EMIT_8BIT = 1,              /* 8-bit and */
    RP_EMIT_16BIT = 2,             /* 16-bit elements in buffers */
    RP_EMIT_SUBGROUP = 4,          /* GL_KHR_shader_subgroup_basic, _arithmetic and _shuffle */
    RP_EMIT_MATRICES = 8,          /* cooperative matrices */
    RP_EMIT_INTEGER_MATRICES = 32, /* of integers */
    RP_EMIT_DOTS = 64,             /* kernels/include/dots.glsl */
    RP_EMIT_UNROLL = 16,           /* GL_EXT_control_flow_attributes: [[unroll]] */
    RP_EMIT_TAGS = 128,            /* 64-bit words of tagged buffers, as atomics */
    RP_EMIT_INT64 = 256,           /* numbers of 64 bits */
};

/* ---- The whole ------------------------------------------------------------------------------- */

/* Starts: checks the members' calls and finds the values. On failure nothing is held. */
rp_status rp_emit_open(rp_emit *e, const rp_allocator *allocator, const rp_graph *graph,
                       const rp_graph_node *node, bool fast, rp_diags *diags);
void rp_emit_close(rp_emit *e);

/* Composes the node by the shape that its members have together: calls one of the four below. */
rp_status rp_emit_node(rp_emit *e);
rp_status rp_emit_map(rp_emit *e);
rp_status rp_emit_row_kernel(rp_emit *e);
rp_status rp_emit_kernel(rp_emit *e);
rp_status rp_emit_matvec(rp_emit *e);

/* Puts the pieces and the helpers that they mention together, into e->glsl. */
rp_status rp_emit_assemble(rp_emit *e);

/* Reports "n3 (rms_norm): ..." as an error and sets the status. */
rp_status rp_emit_fail(rp_emit *e, const char *format, ...) RP_PRINTF(2, 3);

/* ---- Names and numbers ----------------------------------------------------------------------- */

/* A formatted name that lives as long as `e`. */
const char *rp_emit_name(rp_emit *e, const char *format, ...) RP_PRINTF(2, 3);
/* Notes that a function of that name is in the text; false when it is there already. */
bool rp_emit_add_function(rp_emit *e, const char *name);

/* A specialisation constant of that name, a uint, made by the first call with the name. The value
 * must fit. */
const char *rp_emit_uint(rp_emit *e, const char *name, uint64_t value);
/* The same of a number that may follow live sizes: then a variable, computed from them. */
const char *rp_emit_extent(rp_emit *e, const char *name, rp_extent extent);
/* What divides a number whatever the sizes are, itself where it follows none. */
uint64_t rp_emit_each(const rp_emit *e, rp_extent extent);
/* The float whose bits `bits`, an expression, gives: one that no compiler knows, unless `fast`. */
const char *rp_emit_number(rp_emit *e, const char *bits);
/* That of a symbol of a member's op, "m0_K", or of one of its attributes, "m0_eps". */
const char *rp_emit_symbol(rp_emit *e, uint32_t member, char symbol);
const char *rp_emit_attr(rp_emit *e, uint32_t member, uint32_t attr);
/* The same as a number: one of 64 bits, elsewhere two words, is made of these. */
const char *rp_emit_attr_number(rp_emit *e, uint32_t member, uint32_t attr);

/* "float", "int", "uint": what elements of a dtype are computed as; "uvec2": those of 64 bits, as they
 * are moved and converted; who computes makes numbers of these (kernels/include/wide_math.glsl). */
const char *rp_emit_class(uint8_t dtype);
/* "precise " or "". */
const char *rp_emit_precise(const rp_emit *e);

/* Grid for `groups` workgroups in a row, over two dimensions where one does not suffice; the flat
 * number of a workgroup is gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x, which may be
 * `groups` or more in the last ones. */
void rp_emit_grid(rp_emit *e, uint64_t groups);
/* The same for a workgroup for each `per` of so many things, which may follow live sizes. */
void rp_emit_groups(rp_emit *e, rp_extent things, uint64_t per);

/* ---- Reading --------------------------------------------------------------------------------- */

/* The array with the raw elements of an operand that is in memory, as GLSL `type`, NULL for its
 * own: float, int, uint, uint16_t (f16, bf16, q8_0, q4_0), int8_t, uint8_t. The operand must begin
 * at a multiple of the type's size. An array begins where every device lets a descriptor begin,
 * which may be before the operand: its elements are found by rp_emit_element, or from `first` on. */
rp_emit_array_type rp_emit_array(rp_emit *e, uint32_t member, uint32_t operand, const char *type);

/* The expression of one of them: "b3[i]", or "b3[b3_first + i]". `index` is an expression in which
 * nothing binds less than +. */
const char *rp_emit_element(rp_emit *e, uint32_t member, uint32_t operand, const char *type,
                            const char *index);

/* Whether the operand is in a tagged buffer. Its elements, one or four of them, are then read by
 * expressions of rp_emit_element alone, which wait for them, and stored by the call that the second
 * function gives. */
bool rp_emit_is_tagged(const rp_emit *e, uint32_t member, uint32_t operand);
const char *rp_emit_tagged_store(rp_emit *e, uint32_t member, uint32_t operand, const char *index,
                                 const char *value);

/* Says that readers of the operand, f32 in memory, find it in the array of that name, of vec4, from the
 * array's vector `first` on. Before any of them is asked for. */
void rp_emit_read_copy(rp_emit *e, uint32_t member, uint32_t operand, const char *name,
                       uint64_t first);
/* The same of one element of 32 bits, in the variable of that name. */
void rp_emit_read_single(rp_emit *e, uint32_t member, uint32_t operand, const char *name);

/* The name of a function of the element index, for an input operand of a member. It may be called
 * anywhere once its row steps are known. */
const char *rp_emit_reader(rp_emit *e, uint32_t member, uint32_t operand);

/* Whether the input comes from memory as it is (or is absent): a reader that costs a load. */
bool rp_emit_is_plain(const rp_emit *e, uint32_t member, uint32_t operand);

/* The text of kernels/NAME.glsl ("matvec/core", "pointwise/rope"); NULL when there is none. */
const char *rp_kernel_source(const char *name);

/* ---- Row steps ------------------------------------------------------------------------------- */

/* Whether a rows member is upstream of an input operand. */
bool rp_emit_has_rows(const rp_emit *e, uint32_t member, uint32_t operand);

/* Emits `void row_steps()`, for row_mode RP_EMIT_ROW_FEW: computes the steps of all rows members
 * upstream of the operand, for rows 0 to e->row_count - 1 of length C, each in the order of the
 * rows kernel. To be called once, by all threads; behind it each has or finds the results. Uses at
 * most 2304 bytes of shared memory and e->local threads (a power of two). Returns "row_steps", or
 * NULL when no rows member is upstream. */
const char *rp_emit_row_steps(rp_emit *e, uint32_t member, uint32_t operand);

/* ---- Writing --------------------------------------------------------------------------------- */

/* Says that the kernel itself computes the value, `window` elements (1 or 2) at a time. Before any
 * reader or epilogue that meets it. */
void rp_emit_core(rp_emit *e, uint32_t value, uint32_t window);

/* Emits a function that takes results of the kernel at one place and does everything downstream of
 * them: stores them where they are in memory, evaluates the members that consume them, stores
 * their results, scatters. All cores have the same number of elements and the same window.
 * Window 1:  void NAME(uint i, float core0, float core1, ...)            at element i
 * Window 2:  void NAME(uint i, uint j, float core0_i, float core0_j, core1_i, ...)   at i and j;
 *            j == i is allowed and then done once.
 * Arguments are of the core's class and not yet rounded to its dtype. Returns NAME. */
const char *rp_emit_epilogue(rp_emit *e, const uint32_t *cores, uint32_t core_count);

/* Makes text of kernels/ a member's own and appends it: replaces symbols, attributes, operand
 * names, for outputs those of their epilogues, and VALUE (by `value`, may be NULL). */
void rp_emit_core_text(rp_emit *e, rp_text *to, uint32_t member, const char *source,
                       const char *value);

/* The name of the functions `uint NAME(uint i)` of an RP_AT_PAIR op: "pair", the other element that i
 * needs, and "first", the first element of the ith pair. And of
 * `void NAME(uint i)`, where the member is_prepared: "prepare". */
const char *rp_emit_pair(rp_emit *e, uint32_t member, const char *which);

#endif
