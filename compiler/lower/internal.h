/* Internal to compiler/lower: what its files share beside emit.h. Each calls only those before it:
 *
 *   emit      the state of one kernel in the making: members, values, names, constants, buffers
 *   sizes     numbers that follow live sizes, and grids
 *   helpers   functions of kernels/include that a text mentions
 *   tags      storing elements of tagged buffers, and waiting for them
 *   arrays    buffers as arrays of elements
 *   memory    functions that load from memory: an element, four, or eight
 *   text      text of kernels/, made a member's own
 *   convert   from what is computed to what a dtype keeps
 *   formula   formulas as functions of operands' values
 *   index     which element of an operand an element of its member needs
 *   values    reading: functions of an index, and evaluation at the index at hand
 *   fours     the same of eight elements, and of sixteen bytes
 *   text_values  what text of kernels/ reads operands with
 *   steps     reductions along rows
 *   store     writing what was computed at an index; scatters
 *   epilogue  from a kernel's own results to everything behind them
 *   map, rows, kernel    three ways to compose a node, and the fourth:
 *   matvec_pieces, matvec_columns, matvec_early, matvec_text, matvec    from pieces of text to the whole
 *   assemble  the pieces, put together
 *   node      the choice among the four
 *   exact     what a module must say for its arithmetic to be exact
 *   lower     all op nodes of a graph: texts, compiled once each, into kernels and run nodes
 *   check     whether the kernels of a compiled graph are those that its ops make
 */
#ifndef RP_LOWER_INTERNAL_H
#define RP_LOWER_INTERNAL_H

#include "lower/emit.h"
#include "ops/formula.h"

rp_status rp_emit_no_memory(rp_emit *e);
/* Appends a text that was written apart, since what it goes behind was not known yet, and frees it. */
void rp_emit_move(rp_emit *e, rp_text *to, rp_text *from);
bool rp_emit_is_output(const rp_emit *e, uint32_t member, uint32_t operand);

/* Bytes of a GLSL type of raw elements: a scalar, or a vector of 32-bit ones. */
uint32_t rp_emit_type_bytes(const char *type);

/* ---- sizes.c --------------------------------------------------------------------------------- */

/* Puts the variables of rp_emit_extent() in front of all that main() does. */
void rp_emit_sizes(rp_emit *e);

/* ---- helpers.c ------------------------------------------------------------------------------- */

/* Whether the target's devices convert halves exactly, as kernels for it ask them to. */
bool rp_emit_has_halves(const rp_emit *e);
/* Appends the helper functions of kernels/include that `body` mentions. */
void rp_emit_helpers(rp_emit *e, const rp_text *body, rp_text *to);

/* ---- tags.c ---------------------------------------------------------------------------------- */

/* Appends a statement, for all invocations, that waits for some word of a tagged use before everybody asks
 * for elements: one where a workgroup's share lies, were they all shared out evenly. The use's array is
 * there. */
void rp_emit_await(rp_emit *e, rp_text *to, uint32_t use, const char *indent);
/* The name of a function that does so for a tagged operand and a given element. */
const char *rp_emit_await_function(rp_emit *e, uint32_t member, uint32_t operand);
/* Whether the text asks for the use's elements when other loads are on their way, in a loop that ends when
 * all were there, wherever it does. */
bool rp_emit_is_late(const rp_emit *e, uint32_t use);
/* Of a tagged use whose elements are waited for one by one: each invocation asks ahead for the one that it needs
 * first. To be said before anything is read of it; then the function's name, which takes the element, and
 * whose word is on its way until the element is needed. */
void rp_emit_ask_ahead(rp_emit *e, uint32_t use);
const char *rp_emit_ask_function(rp_emit *e, uint32_t use);
/* Whether all that an invocation computes is computed again, in a loop over `spins`, until `all_stored`
 * says that every word that was looked at was there. */
bool rp_emit_looks_again(const rp_emit *e);
/* The array of a tagged use, with the functions that read or store its elements. */
rp_emit_array_type rp_emit_tagged_array(rp_emit *e, uint32_t use);
/* Its element at the index, or the four of that index as `type`. */
const char *rp_emit_tagged_element(rp_emit *e, const rp_emit_array_type *array, uint8_t dtype,
                                   const char *type, const char *index);

/* ---- memory.c -------------------------------------------------------------------------------- */

/* "vec4", "ivec4", "uvec4": four elements of an operand. */
const char *rp_emit_type_4(const rp_emit *e, uint32_t member, uint32_t operand);
/* The type with which `width` elements of an operand in memory are one access, beginning at a
 * multiple of `width`; NULL where there is none. */
const char *rp_emit_load_type(const rp_emit *e, uint32_t member, uint32_t operand, uint32_t width);
/* Whether what stands for an operand that was left out is an integer, which no formula names. */
bool rp_emit_absent_is_uint(const rp_emit *e, uint32_t member, uint32_t operand);

/* The functions of an operand in memory: `float NAME(uint i)`, `vec4 NAME(uint i)` for i a multiple
 * of 4, `void NAME(uint i, out vec4 low, out vec4 high)` for one of 8; or of int and uint. */
const char *rp_emit_memory(rp_emit *e, uint32_t member, uint32_t operand);
const char *rp_emit_memory_4(rp_emit *e, uint32_t member, uint32_t operand);
/* The floats or integers of four elements in `words`, as rp_emit_load_type() loads them. */
const char *rp_emit_unpack_4(rp_emit *e, uint8_t dtype, const char *words);
const char *rp_emit_memory_8(rp_emit *e, uint32_t member, uint32_t operand);
/* Appends one of four elements, `type`, that calls `one` four times. */
void rp_emit_put_four(rp_emit *e, const char *type, const char *name, const char *one);
/* Appends one of the last kind that calls `four` twice. */
void rp_emit_put_eight(rp_emit *e, const char *type, const char *name, const char *four);
/* How many elements of an operand are sixteen bytes, as cooperative matrices take them: sixteen of i8
 * and u8, eight of all others, as f16. What the function of them is called, beside that of one. */
uint32_t rp_emit_words_width(const rp_emit *e, uint32_t member, uint32_t operand);
const char *rp_emit_words_name(rp_emit *e, uint32_t member, uint32_t operand, const char *one);
/* `uvec4 NAME(uint i)` for i a multiple of that: those elements, as they lie in memory. Floats become the
 * nearest f16, blocks are unpacked in f16; what is f16 or bytes there is one load. */
const char *rp_emit_memory_words(rp_emit *e, uint32_t member, uint32_t operand);
/* Of f16 the function of elements i to i + 3, i a multiple of 4, as they lie in two words; NULL where they
 * cannot be loaded at once. */
const char *rp_emit_memory_pair(rp_emit *e, uint32_t member, uint32_t operand);
/* Appends one that makes them of what `eight`, a function for eight, gives. */
void rp_emit_put_words(rp_emit *e, uint32_t member, uint32_t operand, const char *name,
                       const char *eight);
/* The same in two steps, so that who loads ahead need not wait: `uvec4 NAME(uint i)` loads, and
 * `uvec4 NAME(uint i, uvec4 words)` makes the elements of it. Blocks alone are left as they lie. */
const char *rp_emit_memory_fetch(rp_emit *e, uint32_t member, uint32_t operand);
const char *rp_emit_memory_fetched(rp_emit *e, uint32_t member, uint32_t operand);
/* Appends one that has nothing left to do. */
void rp_emit_put_fetched(rp_emit *e, const char *name);

/* ---- text.c: text of kernels/ ---------------------------------------------------------------- */

/* Who makes a function of an operand that text of kernels/ calls; returns its name. */
typedef const char *rp_emit_function(rp_emit *e, uint32_t member, uint32_t operand);
/* Of an input's elements, one, four or eight at a time, or sixteen bytes, at once or in two steps; and
 * to take an output's (NULL: the text has none). */
struct rp_emit_names {
    rp_emit_function *reader, *reader_4, *reader_8, *reader_words, *fetch, *fetched;
    rp_emit_function *store, *store_4;
    rp_emit_function *ahead_type, *ahead, *store_ahead; /* what is behind four, loaded ahead */
};

/* What an operand's elements are in text of kernels/: their class, or int64_t and uint64_t (rp_op_is_long). */
const char *rp_emit_text_class(const rp_emit *e, uint32_t member, uint32_t operand);

/* Makes text a member's own and appends it: rp_emit_core_text() and rp_emit_element_text(). */
void rp_emit_text(rp_emit *e, rp_text *to, uint32_t member, const char *source, const char *value,
                  const rp_emit_names *names);
/* The text behind a line `// NAME: ...`; NULL when there is none. */
const char *rp_emit_pragma(const char *source, const char *name, size_t *out_length);
/* The text of a member of form kernel, in the variant that was chosen; NULL after a failure. */
const char *rp_emit_kernel_source(rp_emit *e, uint32_t member);
/* The element type that the op's kernel asks for (`// bind: w uvec4`), or NULL. */
const char *rp_emit_bind(rp_emit *e, uint32_t member, uint32_t operand);

/* ---- convert.c ------------------------------------------------------------------------------- */

/* The helper that makes a value of an operand's class what memory of the dtype would hold:
 * "round_f16", "round_bf16", "to_i8", "to_u8"; "" for others. */
const char *rp_emit_rounding(uint8_t dtype);
/* Four elements, a variable of a vector type, as memory of the dtype would hold them. */
const char *rp_emit_round_4(rp_emit *e, uint8_t dtype, const char *type, const char *value);
/* An element of 64 bits, or of fewer, as an output of the other width has it: helpers of
 * kernels/include/wide.glsl. What 16 bits keep of it is rounded once, by way of an f32 that still
 * tells what it lost. */
const char *rp_emit_converted_64(rp_emit *e, uint8_t from, uint8_t to, const char *x);
/* The dtype that has all numbers of a formula's type. */
uint8_t rp_emit_dtype_of(uint8_t type);
/* The end of a function of a formula, behind the statement that makes `r` of that type. */
void rp_emit_put_result(rp_emit *e, uint8_t dtype, uint8_t type);

/* ---- formula.c ------------------------------------------------------------------------------- */

/* What a formula of a member may name: operands by their index, attributes and steps behind. */
enum {
    RP_NAME_ATTR = 64,
    RP_NAME_STEP = RP_NAME_ATTR + RP_OP_MAX_ATTRS,
    RP_NAME_LENGTH = RP_NAME_STEP + RP_OP_MAX_STEPS, /* `n` of rows: C, or a part's */
    RP_NAME_PLACE,                                   /* of the element: rp_formula_place() */
    RP_NAME_COUNT = RP_NAME_PLACE + RP_FORMULA_PLACES,
};

bool rp_emit_is_index_step(const rp_op_step *step); /* argmin, argmax: a uint */
/* A name of an operand or a step as a variable: `index_`. */
const char *rp_emit_word(rp_emit *e, const char *name);

/* Emits `NAME(...)`, the formula converted to `dtype`, or for RP_RAW a float as it is. Fills in
 * which arguments it takes. */
void rp_emit_formula(rp_emit *e, uint32_t member, const char *text, const char *name, uint8_t dtype,
                     rp_emit_args *out);

/* Emits the same for four of each argument, as vec4; false, and nothing, where not all of it is of
 * floats, or of functions that kernels/include/math4.glsl has. */
bool rp_emit_formula_4(rp_emit *e, uint32_t member, const char *text, const char *name,
                       uint8_t dtype);

/* ---- index.c --------------------------------------------------------------------------------- */

/* Whether an output of a rows member has an element for each row, not for each element. */
bool rp_emit_is_per_row(const rp_emit *e, uint32_t member, uint32_t operand);
/* The expression of the operand's index for element `index` of its member's elements: those of the
 * first output; of rows members R * C, or R with `per_row`. `index` itself when it is the same. */
const char *rp_emit_index(rp_emit *e, uint32_t member, uint32_t operand, const char *index,
                          bool per_row);
/* The expression of where element `index` of a member's output is: rp_formula_place(). */
const char *rp_emit_place(rp_emit *e, uint32_t member, uint32_t place, const char *index);

/* What `width` neighbouring elements, the first at a multiple of it, need of an operand. */
typedef enum rp_emit_run {
    RP_RUN_NONE,     /* elements here and there */
    RP_RUN_TOGETHER, /* as many neighbours, the first at a multiple of `width` */
    RP_RUN_SAME,     /* one element */
} rp_emit_run;
rp_emit_run rp_emit_run_of(rp_emit *e, uint32_t member, uint32_t operand, uint32_t width,
                           bool per_row);

/* ---- values.c -------------------------------------------------------------------------------- */

/* Whether each thread has what a rows member's steps result in, of the row at hand or of the only one. */
bool rp_emit_has_own_rows(const rp_emit *e, uint32_t member);
/* The evaluation of values at one element, as statements. Values that several others need are
 * computed once. */
typedef struct rp_eval {
    rp_emit *e;
    rp_text *to;
    const char *index; /* "i" */
    const char *indent;
    uint64_t elements;   /* of the values that are computed at this very index */
    uint32_t own_steps;  /* a rows member whose steps are at hand in private variables; RP_NONE */
    bool slot;           /* a slot loop is around: turn `slot` of what threads hold is at hand */
    const char **locals; /* for each value; NULL = not yet */
    /* For the four elements from the index on, a multiple of 4: where their loads go, in front of all
     * else. Variables then are of four, and by name. NULL: one element. */
    rp_text *loads;
    rp_text *early; /* where those of neighbours in memory go instead; NULL: they do not */
    /* What they load from memory can be loaded ahead: `loads` then takes it out of a struct `ahead`
     * with these members of these values. NULL: it cannot. */
    rp_text *members, *values;
} rp_eval;

rp_status rp_eval_open(rp_eval *v, rp_emit *e, rp_text *to, const char *index, const char *indent,
                       uint64_t elements);
void rp_eval_close(rp_eval *v);
/* The name of a variable that holds the value at the index. */
const char *rp_eval_value(rp_eval *v, uint32_t value);
/* An expression of an input's element there. */
const char *rp_eval_input(rp_eval *v, uint32_t member, uint32_t operand);
/* Whether threads hold elements of a row for some rows member by now. */
bool rp_emit_has_held(const rp_emit *e);
/* Where a thread holds turn `slot` of a rows member's input: four elements. */
const char *rp_emit_held_input(rp_emit *e, uint32_t member, uint32_t operand);
/* An expression of the formula function NAME for its arguments at the index. */
const char *rp_eval_call(rp_eval *v, uint32_t member, const char *name, const rp_emit_args *args,
                         bool per_row);

/* The same of each of four, with v->loads. */
void rp_eval_call_4(rp_eval *v, uint32_t member, const char *name, const rp_emit_args *args,
                    const char *out[4]);
/* The indices of four elements from `i` on. */
extern const char *const rp_emit_fours[4];

/* Ensures that the function vN(uint i) of a value exists; returns its name. */
const char *rp_emit_value_function(rp_emit *e, uint32_t value);
/* Whether a value goes to memory as it is: nobody in the kernel reads it. */
bool rp_emit_only_stored(const rp_emit *e, uint32_t value);
/* The dtype as which the function of a value returns it: its own, as memory would have it, since who reads it must
 * find that; or f32 of halves that are only stored, which rounds them once more. */
uint8_t rp_emit_kept(const rp_emit *e, uint32_t value);
/* Text of kernels/ that computes one element: it reads inputs, and stores nothing. */
void rp_emit_element_text(rp_emit *e, rp_text *to, uint32_t member, const char *source,
                          const char *value);

/* Whether the op that makes a value moves four neighbours at once, or computes them at once. */
bool rp_emit_has_four(const rp_emit *e, uint32_t value);
/* "vec4" of "float". */
static inline const char *rp_emit_four_of(const char *type) {
    return *type == 'f' ? "vec4" : *type == 'i' ? "ivec4" : "uvec4";
}
/* As rp_emit_reader, four at a time: what is computed in the kernel, too. The other is for that and for what is
 * absent; NULL for what is in memory. */
const char *rp_emit_reader_4(rp_emit *e, uint32_t member, uint32_t operand);
const char *rp_emit_other_reader_4(rp_emit *e, uint32_t member, uint32_t operand);
/* Whether an input is what another member moves, `count` elements together. */
bool rp_emit_is_moved(const rp_emit *e, uint32_t member, uint32_t operand, uint32_t count);
/* Of such a value: the function that reads what is moved, behind that which says where it comes from; and the
 * beginning of a body, in which element i comes from `at`. `nothing` is a statement for elements that come from
 * nowhere and are 0. */
const char *rp_emit_moved_reader(rp_emit *e, uint32_t value,
                                 const char *(*reader)(rp_emit *e, uint32_t, uint32_t));
void rp_emit_put_moved_from(rp_emit *e, uint32_t value, const char *nothing);

/* ---- fours.c --------------------------------------------------------------------------------- */

/* As rp_emit_reader_4, of eight elements, and of sixteen bytes, at once or in two steps. */
const char *rp_emit_reader_8(rp_emit *e, uint32_t member, uint32_t operand);
const char *rp_emit_reader_words(rp_emit *e, uint32_t member, uint32_t operand);
const char *rp_emit_fetch(rp_emit *e, uint32_t member, uint32_t operand);
const char *rp_emit_fetched(rp_emit *e, uint32_t member, uint32_t operand);

/* ---- steps.c --------------------------------------------------------------------------------- */

/* Emits `void mN_steps(uint row)`; returns its name. Threads of a team have their number in it in
 * `row_lane`, a global that this declares. */
const char *rp_emit_steps(rp_emit *e, uint32_t member);
/* rp_op_row_threads() of a rows member. */
uint32_t rp_emit_row_threads(const rp_emit *e, uint32_t member);
/* Whether the elements of rows of that length are evaluated four at a time: they begin at multiples of
 * four, and what is evaluated is not too long to be in the text four times. */
bool rp_emit_rows_by_fours(const rp_emit *e, rp_extent length);
/* The head of a loop over the fours of the member's row that a thread of a team has, `slot` the turn, where
 * elements are held; its body and end are up to the caller. */
void rp_emit_slot_loop(rp_emit *e, rp_text *to, uint32_t member, const char *indent);

/* ---- store.c --------------------------------------------------------------------------------- */

/* How many elements a value has where it is computed: a scatter's are those of its source. */
uint64_t rp_emit_elements(const rp_emit *e, uint32_t value);
/* The same number of those that are stored and have so many, as it follows live sizes. */
rp_extent rp_emit_elements_extent(const rp_emit *e, uint64_t elements);
/* Appends the statement that stores `value`, already of the dtype, at `index`. */
void rp_emit_store(rp_emit *e, rp_text *to, uint32_t value, const char *index, const char *indent,
                   const char *variable);
/* Computes all outputs that are in memory and have so many elements at the index, for those members
 * in `among` (NULL: all), and then stores them, so that in-place outputs do not disturb others. */
void rp_emit_outputs(rp_emit *e, rp_text *to, const char *index, const char *indent,
                     uint64_t elements, const rp_emit_set *among);

/* The same for four elements from `i` on, a multiple of 4. False, with nothing put, where elements
 * go to places of their own. `early` takes the loads of neighbours in memory; NULL: they stay with the
 * others. What threads hold of rows (rp_emit_has_held) is taken from there: then a slot loop is around. */
bool rp_emit_outputs_4(rp_emit *e, rp_text *to, rp_text *early, const char *indent,
                       uint64_t elements);
/* Appends the stores of four elements from `i` on. */
void rp_emit_store_4(rp_emit *e, rp_text *to, uint32_t value, const char *indent,
                     const char *variable);

/* ---- exact.c --------------------------------------------------------------------------------- */

/* Decorates all float arithmetic of a valid module; replaces *words, which `a` allocated. */
rp_status rp_make_exact(const rp_allocator *a, uint32_t **words, uint32_t *count);
/* Lets a valid module say which subgroup size it relies on; replaces *words. */
rp_status rp_say_subgroup(const rp_allocator *a, uint32_t size, uint32_t **words, uint32_t *count);

/* What a text of kernels/ reads an operand with, and four of its elements: rp_emit_reader, but for masks of bool
 * and numbers of 64 bits. */
const char *rp_emit_text_reader(rp_emit *e, uint32_t member, uint32_t operand);
const char *rp_emit_text_reader_4(rp_emit *e, uint32_t member, uint32_t operand);
/* All ways to read for text of one element. */
extern const rp_emit_names rp_emit_text_readers;

#endif
