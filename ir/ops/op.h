/* Internal: what an op is.
 *
 * An op is a name for a computation on tensors: `rms_norm`, `matvec`, `l2_distance`. Its one
 * definition, an rp_op in a table of ir/ops/<family>.c, gives its operands, attributes, shape rule,
 * access and documentation; everything else (the verifier, the YAML and C front ends, `reprise
 * kernels`, the reference page, fusion, lowering, the tests) reads that definition. What runs on
 * the GPU is GLSL in kernels/, found by the op's name.
 *
 * Four forms of op:
 *   pointwise  every element of the one output is a function of its flat index, computed from any
 *              elements of the inputs. Given by `expression` (a map over the inputs, broadcast to
 *              the output: ops/formula.h), or by kernels/pointwise/NAME.glsl.
 *   rows       reductions along the last dimension, then outputs per element or per row: `steps`
 *              and the outputs' `expression`, formulas too. One generated kernel serves them all.
 *   scatter    each element of the first input goes to one place of the one output, which is `rw`:
 *              kernels/scatter/NAME.glsl gives that place, `uint VALUE(uint i)`, 0xffffffff for
 *              nowhere. No two elements go to the same place.
 *   kernel     a kernel of its own with hooks on its operands, in one or several variants:
 *              kernels/NAME/VARIANT.glsl.
 *
 * Shapes are strings of dimension symbols: "*R C" has a last dimension C and any leading ones
 * whose product is R; "N D" is a matrix; "" a single element. A symbol is one capital letter and
 * stands for the same number everywhere in the op. Leading dimensions count by their product alone,
 * and elements are always dense and row-major, so [1,2048], [2048] and [32,64] are the same to
 * "*R". A symbol that an input's shape, an attribute or rule() gives a value is bound; outputs must
 * then agree with it, and their shapes can be inferred from it.
 */
#ifndef RP_OPS_OP_H
#define RP_OPS_OP_H

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "ops/sizes.h"
#include "reprise/ops.h"
#include "target/target.h"
#include "reprise/types.h"

enum {
    RP_OP_MAX_OPERANDS = 28,   /* of one op; a map over many inputs has the most */
    RP_OP_MAP_INPUTS = 26,     /* of a map: a to z */
    RP_OP_FIXED_OPERANDS = 12, /* of one that is not a map */
    RP_OP_MAX_ATTRS = 20,
    RP_OP_MAX_STEPS = 8,
};
/* Of a matrix-vector product: vectors that it takes at most, and rows of the matrix that one
 * workgroup multiplies with one look at them. */
enum { RP_OP_PRODUCT_VECTORS = 8, RP_OP_PRODUCT_ROWS = 32 };
/* Of one operand: kernels count elements with 32 bits, and threads past the end must not wrap. */
#define RP_OP_MAX_ELEMENTS UINT64_C(0xff000000)

/* One operand of one use of an op. */
typedef struct rp_tensor {
    uint8_t dtype, rank;           /* rank 0: a single element */
    bool absent;                   /* an optional operand that was left out */
    uint64_t dims[RP_MAX_RANK];    /* at the largest live sizes */
    rp_powers powers[RP_MAX_RANK]; /* of the sizes that each follows */
} rp_tensor;

/* A number that is made of symbols and is no product of them: that of `of`, "GH", over `per`, rounded up,
 * times `each`, and `more` besides. Where the symbols follow live sizes so does it, and kernels and grids
 * compute it. */
typedef struct rp_op_counted {
    const char *of; /* NULL: the symbol is none */
    uint64_t per, each;
    char more; /* a symbol; 0: none */
} rp_op_counted;

/* An op applied to operands of known types: what rules, costs and lowering see. */
typedef struct rp_op_call {
    const rp_op *op;
    uint32_t operand_count; /* op->operand_count, except for `map`: inputs, then the output */
    rp_tensor operands[RP_OP_MAX_OPERANDS];
    double attrs[RP_OP_MAX_ATTRS];       /* numbers, and indices into an attribute's choices */
    double rests[RP_OP_MAX_ATTRS];       /* of integers that a double does not hold: number.h */
    const char *formula;                 /* `map`: its expression; NULL otherwise */
    const struct rp_op_variant *variant; /* rp_op_choose(); NULL before, and for other forms */
    uint64_t symbols['Z' - 'A' + 1];     /* at the largest live sizes; 0 where not bound */
    uint32_t bound;                      /* which symbols are, a bit each: some to 0 */
    rp_powers powers['Z' - 'A' + 1];     /* of the sizes that each symbol follows */
    rp_op_counted counts['Z' - 'A' + 1]; /* rp_op_bind_count() */
    const rp_sizes *sizes;               /* of the graph; NULL: operands follow none */
    bool
        asked; /* it is one of several sizes: what attributes choose is for the largest, and may be more
                 * than there is, as parts of a row */
    char error[256]; /* what the last check found wrong: "x is [4,8], weight is [9]: ..." */
} rp_op_call;

static inline uint64_t rp_sym(const rp_op_call *call, char symbol) {
    return call->symbols[symbol - 'A'];
}

static inline rp_extent rp_sym_extent(const rp_op_call *call, char symbol) {
    return (rp_extent){call->symbols[symbol - 'A'], call->powers[symbol - 'A']};
}

/* Whether a symbol has a value, and giving it one, for rules and variants. */
static inline bool rp_op_is_bound(const rp_op_call *call, char symbol) {
    return call->bound >> (symbol - 'A') & 1;
}
static inline void rp_op_bind(rp_op_call *call, char symbol, uint64_t value) {
    call->symbols[symbol - 'A'] = value;
    call->bound |= UINT32_C(1) << (symbol - 'A');
}

/* Binds a symbol to a number made of others, for rules and variants: of tiles, of what is rounded up. What
 * a variant binds in any other way is a choice: where sizes vary it is made for the largest of them. */
void rp_op_bind_count(rp_op_call *call, char symbol, const char *of, uint64_t per, uint64_t each);
/* Adds another symbol to one that is bound so. */
void rp_op_count_more(rp_op_call *call, char symbol, char more);

/* Binds a symbol to dimension `dim` of an operand where nothing has bound it: for an attribute that was left to an
 * output's shape. False with call->error where that is not given either. */
bool rp_op_bind_shown(rp_op_call *call, char symbol, uint32_t operand, uint32_t dim);

/* Whether the shape of some operand follows live sizes. */
bool rp_op_is_sized(const rp_op_call *call);
/* The same call at other sizes, not checked: nothing of it follows sizes. */
void rp_op_call_at(const rp_op_call *call, const uint64_t *at, rp_op_call *out);
/* Gives a tensor the rank and dimensions of another. */
static inline void rp_tensor_reshape(rp_tensor *tensor, const rp_tensor *like) {
    tensor->rank = like->rank;
    memcpy(tensor->dims, like->dims, sizeof tensor->dims);
    memcpy(tensor->powers, like->powers, sizeof tensor->powers);
}
/* Elements of a tensor at any sizes. */
rp_extent rp_tensor_extent(const rp_tensor *tensor);

/* Elements of a tensor, and the bytes that it takes: RP_EMPTY_BYTES where there are none. */
uint64_t rp_tensor_elements(const rp_tensor *tensor);
uint64_t rp_tensor_bytes(const rp_tensor *tensor);
/* Whether two tensors have one shape, leading dimensions of 1 aside, as for ops that broadcast. */
bool rp_tensor_is_shaped(const rp_tensor *a, const rp_tensor *b);
/* "f32[4,2048]", "f32" for a single element; "-" when absent. */
void rp_tensor_print(rp_text *text, const rp_tensor *tensor);
/* The same in `text`, for messages: cut off where a damaged shape is absurdly long. */
enum { RP_TENSOR_TEXT = 256 };
const char *rp_tensor_text(char text[RP_TENSOR_TEXT], const rp_tensor *tensor);
/* "second dimension", "last dimension", "only dimension": of dimension `at` of so many. Static text. */
const char *rp_dimension_name(uint32_t at, uint32_t rank);
/* What stands between such a name, "elements" or "leading dimensions", and a number: "is", "are", "make". */
const char *rp_part_verb(const char *part);

/* How an input is read by an op whose output keeps its place: what decides whether the op can be
 * computed where its input was just computed. */
typedef enum rp_op_place {
    RP_AT_ANY = 0, /* any elements, any number of times */
    RP_AT_SAME,    /* output element i needs input element i alone; by broadcasting: some of it */
    RP_AT_PAIR,    /* output element i needs input elements i and pair(i), and so does pair(i):
                    * rope. The kernel says VALUE_pair */
    RP_AT_ROW,     /* output element i needs the elements of its own row of length C */
} rp_op_place;

#define RP_DT(dtype) (1u << (dtype))
enum {
    RP_DT_HALF = RP_DT(RP_F16) | RP_DT(RP_BF16),
    RP_DT_FLOAT = RP_DT(RP_F32) | RP_DT_HALF,
    RP_DT_BYTE = RP_DT(RP_I8) | RP_DT(RP_U8) | RP_DT(RP_BOOL),
    RP_DT_SHORT = RP_DT(RP_I16) | RP_DT(RP_U16),
    RP_DT_INDEX = RP_DT(RP_U32) | RP_DT(RP_I32),
    RP_DT_LONG = RP_DT(RP_I64) | RP_DT(RP_U64),
    RP_DT_WIDE = RP_DT_LONG | RP_DT(RP_F64),
    RP_DT_ID =
        RP_DT_INDEX | RP_DT_SHORT | RP_DT_LONG | RP_DT(RP_I8) | RP_DT(RP_U8), /* numbers of rows */
    RP_DT_COUNT = RP_DT_ID & ~RP_DT_INDEX,   /* of counts: what becomes i32 or u32 */
    RP_DT_GIVEN = RP_DT_ID & ~RP_DT(RP_U32), /* what becomes of places that are u32 */
    RP_DT_BLOCK = RP_DT(RP_Q8_0) | RP_DT(RP_Q4_0),
    RP_DT_WORD =
        RP_DT_FLOAT | RP_DT_BYTE | RP_DT_SHORT | RP_DT_INDEX, /* computed with in 32 bits */
    RP_DT_NUMBER = RP_DT_WORD | RP_DT_LONG,                   /* computed with */
    RP_DT_INTEGER = RP_DT_NUMBER & ~RP_DT_FLOAT,
    RP_DT_SIGNED = RP_DT(RP_I8) | RP_DT(RP_I16) | RP_DT(RP_I32) | RP_DT(RP_I64),
    RP_DT_ANY = RP_DT_NUMBER | RP_DT_WIDE, /* f64 is moved and converted, no more */
};

/* Whether a dtype is one of a set; one that is not known is in none. */
static inline bool rp_op_is_in(uint8_t dtype, uint32_t set) {
    return dtype < 32 && (set >> dtype & 1) != 0;
}
/* Whether elements of a dtype have 64 bits: kernels move them as two words. */
static inline bool rp_op_is_wide(uint8_t dtype) {
    return rp_op_is_in(dtype, RP_DT_WIDE);
}
/* Whether some operand of a call has such. */
static inline bool rp_op_has_wide(const rp_op_call *call) {
    for (uint32_t i = 0; i < call->operand_count; i++)
        if (!call->operands[i].absent && rp_op_is_wide(call->operands[i].dtype)) return true;
    return false;
}

typedef struct rp_op_operand {
    const char *name;  /* what YAML, C and the kernel call it */
    const char *brief; /* one line */
    const char *shape; /* symbols, see above; NULL: broadcasts to the first output's shape (NumPy's
                         * rules); on an output: the shape that the inputs broadcast to */
    uint32_t dtypes;   /* RP_DT() bits */
    uint32_t taken; /* what front ends take beside these, and make others of, or of an output give
                         * (compiler/composite/wider.c) */
    bool words;     /* what is taken is seen as words of 32 bits, as it lies */
    uint8_t access; /* rp_access: r; w (writes all); rw (writes some) */
    uint8_t at;     /* rp_op_place, for inputs of pointwise and kernel ops */
    bool optional;  /* inputs and outputs; an absent output is not computed */
    bool mask;      /* is added to scores: one of bool adds 0 where it is not 0, else -inf, and
                         * is asked for as f32 */
    bool hook;      /* kernel form: read through its value function, or written through the
                         * epilogue, so that other ops can be fused here; else bound directly */
    bool late;      /* kernel form: its text asks for the elements when loads of all that is
                         * long are on their way, in a loop that ends when `looks_again` says so:
                         * who waits for them waits for nothing else (kernels/README.md) */
    uint8_t sites;  /* at how many places of a kernel's or an op's text the input's elements are
                         * asked for, or the output's are handed on, helpers counted as often as
                         * they are called, and four elements at once as four; 0: one. A variant may
                         * say otherwise */
    const char *absent; /* GLSL and formula value of an optional input left out: "0.0", "1.0" */
    const char *
        like; /* an output: the default dtype is that of this input, if it can be; NULL: `fallback` */
    uint8_t fallback;  /* an output: the default dtype otherwise; 0: the lowest bit of `dtypes` */
    const char *reads; /* how many times all its elements together are loaded in one run, as a
                         * product of symbols, "QND"; NULL: once each output element (pointwise),
                         * once each element and step (rows), once (kernel). A variant may say
                         * otherwise */
    const char *expression; /* rows form, outputs: formula over inputs, steps and attributes */
} rp_op_operand;

/* A list is of 1 to RP_ATTR_LIST_MOST integers, or numbers: composites have them and texts, ops do not. */
typedef enum rp_op_attr_kind {
    RP_ATTR_NUMBER,
    RP_ATTR_INTEGER,
    RP_ATTR_CHOICE,
    RP_ATTR_LIST,
    RP_ATTR_NUMBERS,
    RP_ATTR_TEXT,
} rp_op_attr_kind;
enum { RP_ATTR_LIST_MOST = 2 * RP_MAX_RANK };

typedef struct rp_op_attr {
    const char *name, *brief;
    uint8_t kind;        /* rp_op_attr_kind */
    char symbol;         /* an integer that binds this symbol; 0 = none */
    bool required;       /* no default */
    bool shown;          /* its least value leaves it to shapes, which may follow sizes */
    double fallback;     /* default; for a choice the index */
    double low, high;    /* range, both ends included; of a list that of each; a choice has none */
    const char *choices; /* "neox|interleaved"; of a list: what it is when left out, for people */
    /* A number like an element of the operand of this name: where those are integers it is one that
     * they can be, exactly. NULL: taken as f32. One that `saturates` may be beyond them, and is the
     * nearest then. One that may have `fractions` need not be one of 32 bits: where any such of the op
     * is none, all are f32. */
    const char *like;
    bool saturates, fractions;
} rp_op_attr;

/* The type in which kernels have an attribute: f32, u32 of what is no number, and where it is an integer that an
 * f32 may not hold, like elements of 32 or 64 bits, theirs. Of one like those its bits. */
uint8_t rp_op_attr_type(const rp_op_call *call, uint32_t attr);
uint64_t rp_op_attr_bits(const rp_op_call *call, uint32_t attr);
/* Whether those like integers are such; false with call->error. Dtypes of outputs must be known. */
bool rp_op_check_values(rp_op_call *call);
/* How an attribute of a call is shown. */
enum { RP_ATTR_SHOWN = 40 };
const char *rp_op_attr_text(char text[RP_ATTR_SHOWN], double number, double rest);

/* Kernels take numbers as f32, where one that is too large would become infinite. */
static inline bool rp_op_attr_overflows(const rp_op_attr *attr, double value) {
    return attr->kind == RP_ATTR_NUMBER && isfinite(value) && isinf((float)value);
}

/* NaN is a number like any other where every number is allowed and none must be given: a call says
 * by NaN that a required one is missing. */
static inline bool rp_op_attr_takes_nan(const rp_op_attr *attr) {
    return attr->kind == RP_ATTR_NUMBER && !attr->required && isinf(attr->low) && isinf(attr->high);
}

/* A reduction along the last dimension; its result is a number per row, named for later formulas:
 * an f32, or for ARGMIN and ARGMAX the u32 index, the lowest one on ties. MIN, MAX and these two
 * skip NaN; of NaN alone they give inf, -inf and 0xffffffff. What ARGMIN and ARGMAX give may be an
 * operand's element at that index instead; then the least of these among equals. */
typedef enum rp_reduce {
    RP_REDUCE_SUM,
    RP_REDUCE_MIN,
    RP_REDUCE_MAX,
    RP_REDUCE_ARGMIN,
    RP_REDUCE_ARGMAX,
    RP_REDUCE_NONE, /* nothing is reduced: a number made once for each row of those before it */
} rp_reduce;
typedef struct rp_op_step {
    const char *name;
    uint8_t reduce;         /* rp_reduce */
    const char *expression; /* formula of what is reduced */
    const char *at; /* ARGMIN, ARGMAX: a u32 operand of the rows' shape; NULL: the index itself */
} rp_op_step;

/* One way to compute an op of form kernel; its text is kernels/OP/NAME.glsl. A call takes the first
 * of the op's variants that fits, so the fastest come first and the last fits always, on every
 * device. What fits is a question of shapes, dtypes and the target, never of what is fused around
 * the op: so a graph has the same bits at every level of optimisation. */
typedef struct rp_op_variant {
    const char *name; /* "tiles" */
    const char
        *source; /* its text, where that is another op's: "matmul/tiles"; NULL: kernels/OP/NAME */
    const char *when;   /* for people: the calls and targets that it is for */
    const char *why;    /* and what it does for them */
    uint16_t text;      /* instructions of its text, about */
    uint16_t threads;   /* of a workgroup, about, for estimates; 0: 256 */
    const char *groups; /* product of symbols, about how many workgroups one run has; NULL: enough
                         * to fill a GPU */
    uint64_t needs;     /* RP_NEED_ bits of its kernel that not every device has */
    uint8_t sites[RP_OP_FIXED_OPERANDS];     /* in place of the operands'; 0: as they say */
    const char *reads[RP_OP_FIXED_OPERANDS]; /* in place of the operands'; NULL: as they say */
    /* Whether it can compute the call on the target, and should; NULL: always. The target is never
     * NULL, and has what `needs` says. */
    bool (*fits)(const rp_op_call *call, const rp_target *target);
    const char
        *sized; /* symbols that may follow live sizes, down to 0, with all that is chosen being for
                        * the largest: "RN"; "*": any. NULL: its text is for fixed shapes */
    /* Binds the symbols that its text has beside those of the op: sizes of tiles, grids. NULL:
     * none. */
    void (*bind)(rp_op_call *call, const rp_target *target);
    /* About how many turns all loops of one invocation make at the most, whatever the data, where a
     * long operand makes it many; from the op's own symbols. NULL: few. */
    double (*turns)(const rp_op_call *call);
    /* About how many nanoseconds a call takes that it was chosen for, apart from the barrier in front
     * of it. NULL: nobody knows. */
    double (*time)(const rp_op_call *call, const rp_target *target);
    /* Appends what decided, with figures: "96 tiles of 64 x 64"; for dumps. NULL: nothing. */
    void (*explain)(const rp_op_call *call, const rp_target *target, rp_text *text);
} rp_op_variant;

/* The transfer node that the op can stand for: its operands are the node's uses, in order. */
typedef enum rp_op_transfer { RP_OP_NO_TRANSFER, RP_OP_COPIES, RP_OP_FILLS } rp_op_transfer;

typedef enum rp_op_form { RP_OP_POINTWISE, RP_OP_ROWS, RP_OP_SCATTER, RP_OP_KERNEL } rp_op_form;

struct rp_op {
    const char *name, *family, *brief;
    const char *notes; /* numerics: exactness, zeros, denormals, infinities, NaN, ties */
    uint8_t form;      /* rp_op_form */
    uint16_t text;     /* instructions of its text in kernels/, about; 0: few, or it has none;
                        * kernel form: its variants say */
    bool product;      /* kernel form: multiplies the rows of its first input with a matrix; several
                        * over one input can be one kernel */
    bool parts;        /* rows form: each row is cut into P parts of equal length, the last ones
                        * shorter; a part is reduced as a row is, and `n` is its length. Outputs
                        * are numbers of parts, "*R P" */
    /* The composite, of the same operands and attributes, that front ends take where the first operand has
     * a dtype of `taken`; of rows a reduction along the last axis. NULL, and for other operands: the op
     * itself, behind conversions. */
    const char *taken_as;
    uint8_t transfer; /* rp_op_transfer */
    char together; /* pointwise form, a symbol: as many elements of the output, from a multiple of
                        * it on, are neighbours in input 0, too, from a multiple of it on. Their text
                        * says where by VALUE_from. 0: nothing is known */
    bool
        across; /* pointwise form: the op binds L and M. Of its output seen as [.., L, M, C] neighbours
                    * along L are neighbours in input 0, those along C are not; L 1: they are */
    bool outside; /* VALUE_from gives 0xffffffff for elements that are 0 and not in input 0 */
    uint8_t operand_count, attr_count, step_count;
    const char *expression; /* pointwise: formula over the inputs' and attributes' names; NULL:
                             * kernels/pointwise/NAME.glsl, or the node's own (`map`) */
    rp_op_operand operands[RP_OP_FIXED_OPERANDS]; /* inputs first */
    rp_op_attr attrs[RP_OP_MAX_ATTRS];
    rp_op_step steps[RP_OP_MAX_STEPS];
    const char *length; /* product of symbols: terms added up for one output element, for the
                         * tolerance; NULL = 1 */
    const rp_op_variant *variants; /* kernel form: best first, ended by one without a name */
    double turns; /* pointwise form with a text: turns of its loops for a term of `length`; 0: 1 */
    double flops; /* arithmetic for one output element and one term of `length`; 0: counted
                         * in the formulas */
    /* Checks what shapes and ranges cannot say and binds symbols that inputs do not; false with
     * call->error filled in. Called with inputs and attributes bound, before outputs. May be NULL.
     */
    bool (*rule)(rp_op_call *call);
};

/* ---- Using ops ------------------------------------------------------------------------------- */

/* Checks operands' number, presence, dtypes and shapes, attributes' ranges and the op's own rule,
 * and binds the symbols. `call` comes with op, operand_count, operands, attrs and formula filled
 * in. False with call->error, which names operands and shapes. */
bool rp_op_check(rp_op_call *call);

/* The same with the outputs' shapes unknown (rank RP_OP_INFER): fills them in, with their default
 * dtype where dtype is RP_RAW. */
enum { RP_OP_INFER = 255 };
bool rp_op_infer(rp_op_call *call);

/* Sets call->error by format and returns false, for rules. */
bool rp_op_fail(rp_op_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Index of an operand, an attribute by name; RP_OP_MISSING. `map` names its inputs a, b, c ... and
 * its output out: RP_OP_MAP_OUT stands for the last operand of a map, whatever its number. */
enum { RP_OP_MISSING = 255, RP_OP_MAP_OUT = 254 };
uint32_t rp_op_operand_index(const rp_op *op, const char *name, size_t length);
uint32_t rp_op_attr_index(const rp_op *op, const char *name, size_t length);
/* The definition behind operand `index` of a call: for `map`, those of its pattern. */
const rp_op_operand *rp_op_operand_of(const rp_op_call *call, uint32_t index);
/* Name of operand `index`; "a", "b", ... for a map. Static text. */
const char *rp_op_operand_name(const rp_op_call *call, uint32_t index);
/* A call with the op's defaults and no operands. */
void rp_op_call_init(rp_op_call *call, const rp_op *op, uint32_t operand_count);

/* Of a checked call of form rows: how many rows, or parts of rows, are reduced. */
static inline uint64_t rp_op_reductions(const rp_op_call *call) {
    return rp_sym(call, 'R') * (call->op->parts ? rp_sym(call, 'P') : 1);
}
/* The length of a part, a multiple of four: then parts of rows that begin at fours do so, too. The
 * last ones may be shorter, or empty. A whole row is its only part. */
static inline uint64_t rp_op_part(const rp_op_call *call) {
    uint64_t length = rp_sym(call, 'C');
    if (!call->op->parts) return length;
    uint64_t each = (length + rp_sym(call, 'P') - 1) / rp_sym(call, 'P');
    return each + (4 - each % 4) % 4;
}

/* Threads that share a row, or a part of one, of a checked call of form rows on a target: the order
 * of its sums. 1; RP_OP_ROW_THREADS, a workgroup; or between, a power of two: so many neighbours in a
 * subgroup, a team, each with four neighbouring elements of every 4 times so many. */
enum { RP_OP_ROW_THREADS = 256, RP_OP_SHORT_ROW = 128 };
uint32_t rp_op_row_threads(const rp_op_call *call, const rp_target *target);
/* How many times four neighbouring elements each thread of a team has, and can keep in registers from one pass
 * over the row to the next; 0: a row has no team, or does not begin at a multiple of four. */
uint32_t rp_op_row_fours(const rp_op_call *call, const rp_target *target);
/* The size of subgroups that a kernel with so many threads a row must ask for; 0: any will do. */
uint32_t rp_op_row_subgroup(uint32_t threads, const rp_target *target);

/* Turns that all loops of one invocation make, about, and rather more: of the op alone on a target,
 * and of a pointwise op for one element. Only form kernel may make fewer, as the data are. */
double rp_op_turns(const rp_op_call *call, const rp_target *target);
double rp_op_element_turns(const rp_op_call *call);
/* The same of form rows, a row or part of one being shared by so many threads. */
double rp_op_row_turns(const rp_op_call *call, uint32_t threads);

/* The formula of a pointwise op with one: its own, or the map's; NULL for one with GLSL. */
static inline const char *rp_op_formula(const rp_op_call *call) {
    return call->formula ? call->formula : call->op->expression;
}

/* ---- Variants -------------------------------------------------------------------------------- */

/* Chooses the variant of a checked call of form kernel for a target, and binds its symbols; does
 * nothing for others, and for products, among whose variants lowering chooses, but that dimensions of 0
 * become sizes that are 0 (RP_POWERS_EMPTY), as all that is asked behind it takes them. A call that was
 * checked again has to be chosen for again. `target` NULL: `portable`. */
void rp_op_choose(rp_op_call *call, const rp_target *target);
/* The same, passing over the first `skip` variants that fit, up to the last: for tests, which try
 * all of them. */
void rp_op_choose_after(rp_op_call *call, const rp_target *target, uint32_t skip);
/* Appends `before`, what decided sizes of the chosen variant, and about how long it takes; nothing, and
 * false, where neither is known. */
bool rp_op_explain(const rp_op_call *call, const rp_target *target, const char *before,
                   rp_text *text);
/* The variant of that name; NULL. */
const rp_op_variant *rp_op_variant_find(const rp_op *op, const char *name);
/* Whether a variant takes the call's sizes that vary, where some do. */
bool rp_op_takes_sizes(const rp_op_variant *variant, const rp_op_call *call);
/* A symbol that varies and that the variant is made for fixed numbers of; 0: none. */
char rp_op_fixed_symbol(const rp_op_variant *variant, const rp_op_call *call);
/* How many variants fit. */
uint32_t rp_op_fitting(const rp_op_call *call, const rp_target *target);

/* Whether a pointwise op is known to take `count` elements of its output, from a multiple of it on, from
 * neighbours in input 0. */
bool rp_op_moves_together(const rp_op_call *call, uint64_t count);
/* Whether it is known to take neighbours from places that are far apart. */
bool rp_op_moves_across(const rp_op_call *call);

/* What the operand or, before it, the chosen variant says. */
uint32_t rp_op_sites(const rp_op_call *call, uint32_t index);
const char *rp_op_reads(const rp_op_call *call, uint32_t index);

/* Product of the symbols in "QND"; 1 for NULL. */
double rp_op_product(const rp_op_call *call, const char *symbols);

/* What one run of the op costs, by its definition: arithmetic operations in all, and how often the
 * elements of each operand are loaded or stored. For deciding about fusion, never for claims. */
typedef struct rp_op_cost {
    double flops;
    double loads[RP_OP_MAX_OPERANDS];
} rp_op_cost;
void rp_op_cost_of(const rp_op_call *call, rp_op_cost *out);
/* Whether a team whose threads have fours of a row (rp_op_row_fours) keeps those of input `index`: several passes read
 * them, as the call's cost says. */
bool rp_op_row_keeps(const rp_op_call *call, uint32_t index, const rp_op_cost *cost,
                     const rp_target *target);

/* How large the op's code is, in instructions, about: for deciding about fusion. */
typedef struct rp_op_size {
    double element;  /* one element of all outputs; all of the op's text */
    double steps;    /* what the reductions of a rows op evaluate, in all passes */
    uint32_t passes; /* over a row: steps that do not depend on one another share one */
} rp_op_size;
void rp_op_size_of(const rp_op_call *call, rp_op_size *out);

/* Whether a checked call has nothing to do: all that it writes has no elements, or nothing goes there. */
bool rp_op_is_idle(const rp_op_call *call);

/* How input `index` is read: the operand's `at`, for broadcast operands RP_AT_SAME only when the
 * input has the output's elements one for one. */
rp_op_place rp_op_reads_at(const rp_op_call *call, uint32_t index);

/* Whether an operand of form kernel has integers of 64 bits as numbers in its text, int64_t or uint64_t: one that
 * takes all that is computed with. Ids are integers alone, and what is moved may be f64. */
static inline bool rp_op_is_long(const rp_op_call *call, uint32_t operand) {
    const rp_tensor *t = &call->operands[operand];
    uint32_t dtypes = rp_op_operand_of(call, operand)->dtypes;
    bool computed = (dtypes & (RP_DT(RP_F32) | RP_DT(RP_F64))) == RP_DT(RP_F32);
    return call->op->form == RP_OP_KERNEL && computed && !t->absent &&
           rp_op_is_in(t->dtype, RP_DT_LONG);
}

/* Whether an operand's elements are 0 and 1 that stand for 0 and -inf. */
static inline bool rp_op_is_bool_mask(const rp_op_call *call, uint32_t operand) {
    const rp_tensor *t = &call->operands[operand];
    return !t->absent && t->dtype == RP_BOOL && rp_op_operand_of(call, operand)->mask;
}

#endif
