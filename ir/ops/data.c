/* Family data: ops that move elements and compute nothing.
 *
 * All but one are pointwise: an output element is one input element, found by arithmetic on
 * indices. Written as functions of the output's index they can be evaluated wherever they are
 * needed, so a transpose or a slice in front of another op costs no kernel and no memory at all;
 * alone, a transpose reads in strides, which caches soften. scatter_rows is the opposite: where its
 * input was just computed, it says where in memory to put it.
 *
 * What is contiguous already needs none of these: a range of a buffer seen with another shape does
 * it for nothing. */
#include <math.h>

#include "base/checked.h"
#include "ops/moves.h"
#include "ops/op_formula.h"
#include "ops/tables.h"

#define COUNT(array) ((uint8_t)(sizeof(array) / sizeof *(array)))

enum {
    DT_ALL = RP_DT_ANY | RP_DT_BLOCK,
    COUNTED = RP_DT_NUMBER & ~(uint32_t)RP_DT(RP_BOOL),
};

/* ---- Rules ----------------------------------------------------------------------------------- */

bool rp_op_same_class(rp_op_call *call, uint32_t from, uint32_t to) {
    uint8_t a = call->operands[from].dtype, b = call->operands[to].dtype;
    bool both_float = rp_op_is_in(a, RP_DT_FLOAT | RP_DT_BLOCK) && rp_op_is_in(b, RP_DT_FLOAT);
    if (a == b || both_float || !rp_op_is_in(b, RP_DT_ANY)) return true;
    return rp_op_fail(call, "%s is %s and %s is %s; they must be the same, or both floats",
                      rp_op_operand_name(call, from), rp_dtype_name(a),
                      rp_op_operand_name(call, to), rp_dtype_name(b));
}

static bool rule_moved(rp_op_call *call) {
    return rp_op_same_class(call, 0, call->operand_count - 1);
}

static bool rule_repeat(rp_op_call *call) {
    return rp_op_bind_shown(call, 'T', 1, call->operands[1].rank - 2u) && rule_moved(call);
}

static bool rule_exact(rp_op_call *call) {
    uint8_t a = call->operands[0].dtype, b = call->operands[1].dtype;
    if (a == b || !rp_op_is_in(b, RP_DT_ANY)) return true;
    return rp_op_fail(call, "x is %s and out is %s; use cast to convert", rp_dtype_name(a),
                      rp_dtype_name(b));
}

/* No neighbours stay neighbours: they are rows now. */
static bool rule_transpose(rp_op_call *call) {
    rp_op_bind(call, 'G', 1);
    rp_op_bind(call, 'L', rp_sym(call, 'C'));
    rp_op_bind(call, 'M', 1);
    return rule_moved(call);
}

static const char permute_orders[] = "abcd|abdc|acbd|acdb|adbc|adcb|bacd|badc|bcad|bcda|bdac|bdca|"
                                     "cabd|cadb|cbad|cbda|cdab|cdba|dabc|dacb|dbac|dbca|dcab|dcba";

/* The input's dimension, 0 to 3, that is number `place` in the output. */
static uint32_t permuted(const rp_op_call *call, uint32_t place) {
    return (uint32_t)(permute_orders[5 * (uint32_t)call->attrs[0] + place] - 'a');
}

/* Binds W X Y Z, the output's dimensions, and S T U V, what a step along each of them is in the
 * input; G, the elements that stay neighbours; and where none do, L, the dimension along which they lie
 * now, and M, all between it and Z. */
static bool rule_permute(rp_op_call *call) {
    uint64_t dims[4] = {rp_sym(call, 'A'), rp_sym(call, 'B'), rp_sym(call, 'C'), rp_sym(call, 'D')};
    uint64_t strides[4] = {0, 0, dims[3], 1};
    if (!rp_mul_u64(dims[3], dims[2], &strides[1]) || !rp_mul_u64(strides[1], dims[1], &strides[0]))
        return rp_op_fail(call, "x has too many elements");
    for (uint32_t i = 0; i < 4; i++) {
        rp_op_bind(call, "WXYZ"[i], dims[permuted(call, i)]);
        rp_op_bind(call, "STUV"[i], strides[permuted(call, i)]);
    }
    uint64_t along = 0, between = 1;
    for (uint32_t i = 3; i-- > 0 && permuted(call, i + 1) != 3;) {
        along = dims[permuted(call, i)];
        if (permuted(call, i) != 3) between *= along;
    }
    bool stay = permuted(call, 3) == 3;
    rp_op_bind(call, 'G', stay ? dims[3] : 1);
    rp_op_bind(call, 'L', stay ? 1 : along);
    rp_op_bind(call, 'M', between);
    return rp_op_same_class(call, 0, 1);
}

/* One side of the window: `count` of 0 reaches to the end. */
static bool window(rp_op_call *call, const char *what, uint64_t size, double start, double count,
                   char symbol) {
    uint64_t first = (uint64_t)start, length = (uint64_t)count;
    if (first >= size && !(size == 0 && first == 0 && length == 0))
        return rp_op_fail(call, "x has %llu %ss; there is none at %llu", (unsigned long long)size,
                          what, (unsigned long long)first);
    if (length == 0) length = size - first;
    if (length > size - first)
        return rp_op_fail(call, "%ss %llu to %llu are not all in x, which has %llu", what,
                          (unsigned long long)first, (unsigned long long)(first + length - 1),
                          (unsigned long long)size);
    rp_op_bind(call, symbol, length);
    return true;
}

uint64_t rp_common_divisor(uint64_t a, uint64_t b) {
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* G: rows of the input and of the window, and where it begins in them, are multiples of it. */
static bool rule_slice(rp_op_call *call) {
    uint64_t columns = rp_sym(call, 'C');
    if (!window(call, "row", rp_sym(call, 'R'), call->attrs[0], call->attrs[1], 'U') ||
        !window(call, "column", columns, call->attrs[2], call->attrs[3], 'V'))
        return false;
    uint64_t both = rp_common_divisor(columns, rp_sym(call, 'V'));
    rp_op_bind(call, 'G', rp_common_divisor(both, (uint64_t)call->attrs[2]));
    return rp_op_same_class(call, 0, 1);
}

static bool rule_concat(rp_op_call *call) {
    uint8_t a = call->operands[0].dtype, b = call->operands[1].dtype;
    if (a != b)
        return rp_op_fail(call, "a is %s and b is %s; they must be the same", rp_dtype_name(a),
                          rp_dtype_name(b));
    uint64_t both;
    if (!rp_add_u64(rp_sym(call, 'A'), rp_sym(call, 'B'), &both))
        return rp_op_fail(call, "the rows are too long");
    rp_op_bind(call, 'C', both);
    return rp_op_same_class(call, 0, 2);
}

bool rp_op_joins(rp_op_call *call, uint32_t from, uint32_t to) {
    uint8_t x = call->operands[from].dtype, y = call->operands[to].dtype;
    if (call->operands[to].absent || !rp_op_is_in(x, RP_DT_NUMBER) ||
        !rp_op_is_in(y, RP_DT_NUMBER) || rp_op_formula_type(x) == rp_op_formula_type(y))
        return true;
    return rp_op_fail(
        call,
        "%s is %s and %s is %s; expected both to be floats, or integers with or without a sign, of "
        "up to 32 bits or of 64",
        rp_op_operand_name(call, from), rp_dtype_name(x), rp_op_operand_name(call, to),
        rp_dtype_name(y));
}

/* ---- The table ------------------------------------------------------------------------------- */

#define MOVES                                                                                      \
    "Elements are moved as they are: zeros keep their sign, denormals and infinities stay, NaN "   \
    "stays NaN. To f16 and bf16 they are rounded to the nearest even."

const rp_op rp_ops_data[] = {
    {
        .name = "gather_rows",
        .family = "data",
        .brief = "rows of a table, by their numbers: an embedding",
        .notes = "A number past the table's end, or below 0, gives a row of zeros. Blocks of q8_0 "
                 "and q4_0 are unpacked exactly. " MOVES,
        .form = RP_OP_POINTWISE,
        .together = 'C',
        .outside = true,
        .operand_count = 3,
        .operands = {{.name = "table", .brief = "the rows", .shape = "*N C", .dtypes = DT_ALL},
                     {.name = "ids", .brief = "row numbers", .shape = "*R", .dtypes = RP_DT_ID},
                     {.name = "out",
                      .brief = "row ids[r] of the table, for each r",
                      .shape = "*R C",
                      .dtypes = RP_DT_ANY,
                      .access = RP_WRITE,
                      .like = "table"}},
        .rule = rule_moved,
    },
    {
        .name = "scatter_rows",
        .family = "data",
        .brief = "puts rows into a table, by their numbers: appending to a KV cache",
        .notes = "A row whose number is past the table's end, or below 0, is dropped. The numbers "
                 "must be distinct: of two rows with one number either may stay, or parts of both. "
                 "Other rows of the table keep their bytes. " MOVES,
        .form = RP_OP_SCATTER,
        .operand_count = 3,
        .operands =
            {{.name = "src",
              .brief = "the rows to put",
              .shape = "*R C",
              .dtypes = RP_DT_ANY,
              .at = RP_AT_SAME},
             {.name = "index", .brief = "where row r goes", .shape = "*R", .dtypes = RP_DT_ID},
             {.name = "dst",
              .brief = "the table",
              .shape = "*N C",
              .dtypes = RP_DT_ANY,
              .access = RP_READ_WRITE}},
        .rule = rule_moved,
    },
    {
        .name = "transpose",
        .family = "data",
        .brief = "swaps the last two dimensions",
        .notes = MOVES,
        .form = RP_OP_POINTWISE,
        .together = 'G',
        .across = true,
        .operand_count = 2,
        .operands =
            {{.name = "x", .brief = "matrices", .shape = "*B R C", .dtypes = RP_DT_ANY, .sites = 2},
             {.name = "out",
              .brief = "their transposes",
              .shape = "*B C R",
              .dtypes = RP_DT_ANY,
              .access = RP_WRITE,
              .like = "x"}},
        .rule = rule_transpose,
    },
    {
        .name = "permute",
        .family = "data",
        .brief = "reorders four dimensions",
        .notes = "Of more than four dimensions the leading ones count as one; a missing one is 1. "
                 "Fewer dimensions: see the input as [1,1,R,C]. " MOVES,
        .form = RP_OP_POINTWISE,
        .together = 'G',
        .across = true,
        .operand_count = 2,
        .attr_count = 1,
        .operands = {{.name = "x",
                      .brief = "dimensions a, b, c and d",
                      .shape = "*A B C D",
                      .dtypes = RP_DT_ANY,
                      .sites = 2},
                     {.name = "out",
                      .brief = "the same elements, by `order`",
                      .shape = "*W X Y Z",
                      .dtypes = RP_DT_ANY,
                      .access = RP_WRITE,
                      .like = "x"}},
        .attrs = {{.name = "order",
                   .brief = "the input's dimensions, a to d, as they follow in the output",
                   .kind = RP_ATTR_CHOICE,
                   .required = true,
                   .choices = permute_orders}},
        .rule = rule_permute,
    },
    {
        .name = "slice",
        .family = "data",
        .brief = "a window of a matrix",
        .notes = "Whole rows need no op: a range of the buffer is a view of them. " MOVES,
        .form = RP_OP_POINTWISE,
        .together = 'G',
        .operand_count = 2,
        .attr_count = 4,
        .operands = {{.name = "x", .brief = "matrices", .shape = "*B R C", .dtypes = RP_DT_ANY},
                     {.name = "out",
                      .brief = "U rows of V columns of each",
                      .shape = "*B U V",
                      .dtypes = RP_DT_ANY,
                      .access = RP_WRITE,
                      .like = "x"}},
        .attrs =
            {{.name = "row", .brief = "the first row", .kind = RP_ATTR_INTEGER, .high = UINT32_MAX},
             {.name = "rows",
              .brief = "how many; 0: to the last",
              .kind = RP_ATTR_INTEGER,
              .high = UINT32_MAX},
             {.name = "column",
              .brief = "the first column",
              .kind = RP_ATTR_INTEGER,
              .high = UINT32_MAX},
             {.name = "columns",
              .brief = "how many; 0: to the last",
              .kind = RP_ATTR_INTEGER,
              .high = UINT32_MAX}},
        .rule = rule_slice,
    },
    {
        .name = "concat",
        .family = "data",
        .brief = "joins rows end to end",
        .notes =
            "To join along the first dimension, write both into one buffer: that is a view. " MOVES,
        .form = RP_OP_POINTWISE,
        .operand_count = 3,
        .operands =
            {{.name = "a",
              .brief = "the front of each row",
              .shape = "*R A",
              .dtypes = RP_DT_ANY,
              .reads = "RA"},
             {.name = "b", .brief = "its end", .shape = "*R B", .dtypes = RP_DT_ANY, .reads = "RB"},
             {.name = "out",
              .brief = "rows of length C = A + B",
              .shape = "*R C",
              .dtypes = RP_DT_ANY,
              .access = RP_WRITE,
              .like = "a"}},
        .rule = rule_concat,
    },
    {
        .name = "repeat_rows",
        .family = "data",
        .brief = "each row several times over",
        .notes = "Seen as a single row, a tensor is repeated as a whole. " MOVES,
        .form = RP_OP_POINTWISE,
        .text = 12,
        .together = 'C',
        .operand_count = 2,
        .attr_count = 1,
        .operands = {{.name = "x", .brief = "rows", .shape = "*R C", .dtypes = RP_DT_ANY},
                     {.name = "out",
                      .brief = "T copies of the first row, then T of the next",
                      .shape = "*R T C",
                      .dtypes = RP_DT_ANY,
                      .access = RP_WRITE,
                      .like = "x"}},
        .attrs = {{.name = "times",
                   .brief = "copies of each row; 0: as out has",
                   .kind = RP_ATTR_INTEGER,
                   .symbol = 'T',
                   .shown = true,
                   .high = UINT32_MAX}},
        .rule = rule_repeat,
    },
    {
        .name = "copy",
        .family = "data",
        .brief = "the same elements",
        .notes =
            "Zeros, denormals, infinities and NaN stay what they are. As u32, every bit stays.",
        .form = RP_OP_POINTWISE,
        .transfer = RP_OP_COPIES,
        .operand_count = 2,
        .expression = "x",
        .operands = {{.name = "x",
                      .brief = "any elements",
                      .shape = "*N",
                      .dtypes = RP_DT_ANY,
                      .at = RP_AT_SAME},
                     {.name = "out",
                      .brief = "the same",
                      .shape = "*N",
                      .dtypes = RP_DT_ANY,
                      .access = RP_WRITE,
                      .like = "x"}},
        .rule = rule_exact,
    },
    {
        .name = "fill",
        .family = "data",
        .brief = "one number everywhere",
        .notes =
            "The number is taken as f32, and rounded to the nearest even for f16 and bf16. For "
            "integer outputs it must be an integer in range, of up to 64 bits, and is exact.",
        .form = RP_OP_POINTWISE,
        .operand_count = 1,
        .attr_count = 1,
        .expression = "value",
        .operands = {{.name = "out",
                      .brief = "what is filled",
                      .shape = "*N",
                      .dtypes = RP_DT_NUMBER,
                      .access = RP_WRITE}},
        .attrs = {{.name = "value",
                   .brief = "the number",
                   .kind = RP_ATTR_NUMBER,
                   .low = -INFINITY,
                   .high = INFINITY,
                   .like = "out"}},
    },
    {
        .name = "fill_words",
        .family = "data",
        .brief = "one 32-bit word everywhere",
        .notes = "Exact.",
        .form = RP_OP_POINTWISE,
        .transfer = RP_OP_FILLS,
        .operand_count = 1,
        .attr_count = 1,
        .operands = {{.name = "out",
                      .brief = "what is filled",
                      .shape = "*N",
                      .dtypes = RP_DT(RP_U32),
                      .access = RP_WRITE}},
        .attrs =
            {{.name = "pattern", .brief = "the word", .kind = RP_ATTR_INTEGER, .high = UINT32_MAX}},
    },
    {
        .name = "iota",
        .family = "data",
        .brief = "counts: start, start + 1, ...",
        .notes =
            "Integers are exact: they wrap in 32 bits, of i64 and u64 in 64, and saturate when "
            "stored in fewer. Floats are the sum of start and the place, each an f32.",
        .form = RP_OP_POINTWISE,
        .operand_count = 1,
        .attr_count = 1,
        .operands = {{.name = "out",
                      .brief = "the numbers",
                      .shape = "*N",
                      .dtypes = COUNTED,
                      .access = RP_WRITE,
                      .fallback = RP_U32}},
        .attrs = {{.name = "start",
                   .brief = "the first number",
                   .kind = RP_ATTR_NUMBER,
                   .low = -3.4e38,
                   .high = 3.4e38,
                   .like = "out"}},
    },
};

const uint32_t rp_ops_data_count = COUNT(rp_ops_data);
