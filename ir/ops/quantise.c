/* Family quantise: numbers as small codes, and distances to what the codes stand for.
 *
 *   scalar   i8 or u8 codes and a scale for each row: rows ops, so that they fuse with what made
 *            the row; their reverse is pointwise, so that it fuses into what reads it
 *   blocks   q8_0 and q4_0, as in GGML files
 *   binary   a bit for each element, packed into words
 *   product  a row in M parts, each named by the nearest of K entries of the part's codebook
 *
 * Codes are integers and tests compare integers exactly, but GPUs may be off in the last bits of a
 * quotient, which near a tie is the difference between two codes. So codes are defined by
 * comparisons of products and differences, which every device rounds alike; the quotient is but a
 * first guess, corrected by one if need be. */
#include <float.h>

#include "ops/tables.h"

/* ---- Rules ----------------------------------------------------------------------------------- */

static bool rule_blocks(rp_op_call *call) {
    uint64_t c = rp_sym(call, 'C');
    if (c % 32 == 0) return true;
    return rp_op_fail(call, "rows of x have %llu elements, which is not a multiple of 32",
                      (unsigned long long)c);
}

static bool rule_binary(rp_op_call *call) {
    rp_op_bind_count(call, 'W', "C", 32, 1);
    return true;
}

/* `rows` of D elements against codebooks of M parts. */
static bool rule_parts(rp_op_call *call) {
    uint64_t d = rp_sym(call, 'D'), m = rp_sym(call, 'M'), s = rp_sym(call, 'S');
    uint64_t k = rp_sym(call, 'K');
    if (m ? m > d || d % m != 0 || d / m != s : d != 0)
        return rp_op_fail(call,
                          "rows of %s have %llu elements, expected %llu parts of %llu as in "
                          "codebooks",
                          rp_op_operand_name(call, 0), (unsigned long long)d, (unsigned long long)m,
                          (unsigned long long)s);
    if (k <= 256) return true;
    return rp_op_fail(call, "codebooks have %llu entries; codes of 8 bits name at most 256",
                      (unsigned long long)k);
}

static bool rule_pq_distance(rp_op_call *call) {
    uint64_t k = rp_sym(call, 'K');
    if (k <= 256) return true;
    return rp_op_fail(call, "tables have %llu entries; codes of 8 bits name at most 256",
                      (unsigned long long)k);
}

/* ---- The ops --------------------------------------------------------------------------------- */

/* Codes next to the guess: `steps` / `parts` and 1 / `parts` are exact, and the division by parts,
 * a power of 2 above steps, keeps large numbers from overflowing. */
#define NEAREST(OFFSET, SPAN, STEPS, STEPS_BY_PARTS, ONE_BY_PARTS)                                 \
    GUESS(OFFSET, SPAN, STEPS)                                                                     \
    " + ((" OFFSET ") * " STEPS_BY_PARTS                                                           \
    " >= (" GUESS(OFFSET, SPAN, STEPS) " + 0.5) * " ONE_BY_PARTS " * " SPAN " ? 1.0 : (" OFFSET    \
                                       ") * " STEPS_BY_PARTS                                       \
                                       " < (" GUESS(OFFSET, SPAN, STEPS) " - 0.5) * " ONE_BY_PARTS \
                                                                         " * " SPAN                \
                                                                         " ? -1.0 : 0.0)"
#define GUESS(OFFSET, SPAN, STEPS) "round((" OFFSET ") / " SPAN " * " STEPS ")"

#define ROWS_OF(BRIEF)                                                                             \
    { .name = "x", .brief = BRIEF, .shape = "*R C", .dtypes = RP_DT_FLOAT, .at = RP_AT_ROW }

#define CODEBOOKS(READS)                                                                           \
    {                                                                                              \
        .name = "codebooks",                                                                       \
        .brief = "K entries for each of the M parts of a row, each of S elements",                 \
        .shape = "M K S", .dtypes = RP_DT_FLOAT, .reads = READS                                    \
    }

#define QUERIES(READS, SITES)                                                                      \
    {                                                                                              \
        .name = "queries", .brief = "one vector a row, as it is", .shape = "Q D",                  \
        .dtypes = RP_DT_FLOAT, .sites = SITES, .reads = READS                                      \
    }

#define CODED_ROWS                                                                                 \
    QUERIES("QND", 6),                                                                             \
        {.name = "codes",                                                                          \
         .brief = "the base, as quantize_i8 makes it",                                             \
         .shape = "N D",                                                                           \
         .dtypes = RP_DT(RP_I8),                                                                   \
         .sites = 6,                                                                               \
         .reads = "QND"},                                                                          \
        {.name = "scale",                                                                          \
         .brief = "what a code of 1 stands for, for each row",                                     \
         .shape = "N",                                                                             \
         .dtypes = RP_DT_FLOAT},                                                                   \
    {                                                                                              \
        .name = "out", .brief = "from query q to row n", .shape = "Q N", .dtypes = RP_DT_FLOAT,    \
        .access = RP_WRITE                                                                         \
    }

static const rp_op_variant block_variants[] = {
    {
        .name = "blocks",
        .sized = "R",
        .when = "always",
        .why = "a thread for each block",
        .text = 400,
        .threads = 64,
    },
    {0},
};

#define PACKED(NAME, DTYPE, BRIEF, NOTES)                                                          \
    {                                                                                              \
        .name = NAME, .family = "quantise", .brief = BRIEF, .notes = NOTES, .form = RP_OP_KERNEL,  \
        .variants = block_variants, .operand_count = 2,                                            \
        .operands = {{.name = "x",                                                                 \
                      .brief = "the rows, whole blocks of 32",                                     \
                      .shape = "*R C",                                                             \
                      .dtypes = RP_DT_FLOAT,                                                       \
                      .hook = true},                                                               \
                     {.name = "out",                                                               \
                      .brief = "the blocks",                                                       \
                      .shape = "*R C",                                                             \
                      .dtypes = RP_DT(DTYPE),                                                      \
                      .access = RP_WRITE}},                                                        \
        .flops = 5, .rule = rule_blocks                                                            \
    }

#define NOT_FINITE                                                                                 \
    "A NaN counts as 0 and gets the code of 0. A block whose scale is beyond f16 has an infinite " \
    "one, and unpacks to infinities and NaN. "

const rp_op rp_ops_quantise[] = {
    {
        .name = "quantize_i8",
        .family = "quantise",
        .brief = "rows as signed bytes, -127 to 127, and a scale: symmetric",
        .notes = "scale is the largest magnitude of the row / 127. A code is the largest c with "
                 "(c - 1/2) * largest <= 127 * x, compared in f32: the nearest, the same on every "
                 "device. Rows with nothing above 1e-35 are zeros with scale 0. NaN counts as 0. A "
                 "row with an infinity has an infinite scale and codes 0.",
        .form = RP_OP_ROWS,
        .operand_count = 3,
        .operands = {ROWS_OF("the rows"),
                     {.name = "codes",
                      .brief = "x / scale, rounded",
                      .shape = "*R C",
                      .dtypes = RP_DT(RP_I8),
                      .access = RP_WRITE,
                      .expression = "most >= 1e-35 ? " NEAREST("x", "most", "127.0", "0.49609375",
                                                               "0.00390625") " : 0.0"},
                     {.name = "scale",
                      .brief = "what a code of 1 stands for, for each row",
                      .shape = "*R",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE,
                      .expression = "most >= 1e-35 ? most / 127.0 : 0.0"}},
        .step_count = 1,
        .steps = {{"most", RP_REDUCE_MAX, "isnan(x) ? 0.0 : abs(x)"}},
    },
    {
        .name = "quantize_u8",
        .family = "quantise",
        .brief = "rows as bytes, 0 to 255, a scale and what 0 stands for: asymmetric",
        .notes = "zero is the smallest element of the row, scale the span from there to the "
                 "largest / 255. A code is the largest c with (c - 1/2) * span <= 255 * (x - "
                 "zero), compared in f32: the nearest, the same on every device. Rows whose span "
                 "is below 2e-35 have scale 0 and codes 0. NaN is left out of both and has code 0. "
                 "Where the span is infinite so is the scale, and codes are 0.",
        .form = RP_OP_ROWS,
        .operand_count = 4,
        .operands = {ROWS_OF("the rows"),
                     {.name = "codes",
                      .brief = "(x - zero) / scale, rounded",
                      .shape = "*R C",
                      .dtypes = RP_DT(RP_U8),
                      .access = RP_WRITE,
                      .expression = "most - least >= 2e-35 ? " NEAREST(
                          "x - least", "(most - least)", "255.0", "0.498046875",
                          "0.001953125") " : 0.0"},
                     {.name = "scale",
                      .brief = "how far two neighbouring codes are apart, for each row",
                      .shape = "*R",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE,
                      .expression = "most - least >= 2e-35 ? (most - least) / 255.0 : 0.0"},
                     {.name = "zero",
                      .brief = "what code 0 stands for, for each row",
                      .shape = "*R",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE,
                      .expression = "least <= most ? least : 0.0"}},
        .step_count = 2,
        .steps = {{"least", RP_REDUCE_MIN, "isnan(x) ? inf : x"},
                  {"most", RP_REDUCE_MAX, "isnan(x) ? -inf : x"}},
    },
    {
        .name = "dequantize_i8",
        .family = "quantise",
        .brief = "codes of quantize_i8 back to numbers",
        .notes = "codes * scale, a rounding of f32.",
        .form = RP_OP_POINTWISE,
        .operand_count = 3,
        .operands = {{.name = "codes",
                      .brief = "rows of codes",
                      .shape = "*R C",
                      .dtypes = RP_DT(RP_I8),
                      .at = RP_AT_SAME},
                     {.name = "scale",
                      .brief = "what a code of 1 stands for, for each row",
                      .shape = "*R",
                      .dtypes = RP_DT_FLOAT},
                     {.name = "out",
                      .brief = "the numbers",
                      .shape = "*R C",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE}},
        .flops = 1,
    },
    {
        .name = "dequantize_u8",
        .family = "quantise",
        .brief = "codes of quantize_u8 back to numbers",
        .notes = "codes * scale + zero, in one rounding of f32 or two.",
        .form = RP_OP_POINTWISE,
        .operand_count = 4,
        .operands = {{.name = "codes",
                      .brief = "rows of codes",
                      .shape = "*R C",
                      .dtypes = RP_DT(RP_U8),
                      .at = RP_AT_SAME},
                     {.name = "scale",
                      .brief = "how far two neighbouring codes are apart, for each row",
                      .shape = "*R",
                      .dtypes = RP_DT_FLOAT},
                     {.name = "zero",
                      .brief = "what code 0 stands for, for each row",
                      .shape = "*R",
                      .dtypes = RP_DT_FLOAT},
                     {.name = "out",
                      .brief = "the numbers",
                      .shape = "*R C",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE}},
        .flops = 2,
    },
    PACKED("quantize_q8_0", RP_Q8_0, "rows as blocks of 32 signed bytes with an f16 scale",
           "The codes that ggml's reference code gives, on every device: the largest magnitude / "
           "127 in f32, reciprocal, product, halves away from zero. " NOT_FINITE),
    PACKED("quantize_q4_0", RP_Q4_0, "rows as blocks of 32 4-bit codes with an f16 scale",
           "The codes that ggml's reference code gives, on every device: the first number of the "
           "largest magnitude / -8 in f32, reciprocal, product + 8.5, truncated, at most "
           "15. " NOT_FINITE),
    {
        .name = "scatter_rows_q8_0",
        .family = "quantise",
        .brief = "puts rows into a table of q8_0, by their numbers: appending to a quantised cache",
        .notes = "The same as scatter_rows of quantize_q8_0, block for block. " NOT_FINITE,
        .form = RP_OP_KERNEL,
        .operand_count = 3,
        .operands = {{.name = "src",
                      .brief = "the rows to put",
                      .shape = "*R C",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .hook = true},
                     {.name = "index",
                      .brief = "where row r goes",
                      .shape = "*R",
                      .dtypes = RP_DT_INDEX,
                      .taken = RP_DT_COUNT,
                      .at = RP_AT_ANY,
                      .hook = true},
                     {.name = "dst",
                      .brief = "the table",
                      .shape = "*N C",
                      .dtypes = RP_DT(RP_Q8_0),
                      .access = RP_READ_WRITE}},
        .variants = block_variants,
        .flops = 4,
    },
    {
        .name = "dequantize",
        .family = "quantise",
        .brief = "blocks of q8_0 or q4_0, or f16 or bf16, back to numbers",
        .notes = "code * scale, a rounding of f32 and none for f16 and bf16.",
        .form = RP_OP_POINTWISE,
        .operand_count = 2,
        .expression = "x",
        .operands =
            {{.name = "x", .brief = "the rows", .dtypes = RP_DT_BLOCK | RP_DT_HALF},
             {.name = "out", .brief = "the numbers", .dtypes = RP_DT_FLOAT, .access = RP_WRITE}},
    },
    {
        .name = "binary_quantize",
        .family = "quantise",
        .brief = "a bit for each element, packed into words, for hamming and jaccard_bits",
        .notes = "Exact. A bit is 1 where x >= threshold, so for -0 too, and not for NaN. Element "
                 "c of a row is bit c % 32 of word c / 32; bits past the row's end are 0.",
        .form = RP_OP_POINTWISE,
        .operand_count = 2,
        .operands = {{.name = "x",
                      .brief = "the rows",
                      .shape = "*R C",
                      .dtypes = RP_DT_FLOAT,
                      .taken = RP_DT_INTEGER,
                      .reads = "RC"},
                     {.name = "out",
                      .brief = "ceil(C / 32) words for each row",
                      .shape = "*R W",
                      .dtypes = RP_DT(RP_U32),
                      .access = RP_WRITE}},
        .attr_count = 1,
        .attrs = {{.name = "threshold",
                   .brief = "the smallest number with bit 1",
                   .kind = RP_ATTR_NUMBER,
                   .low = -FLT_MAX,
                   .high = FLT_MAX}},
        .flops = 64,
        .rule = rule_binary,
    },
    {
        .name = "l2_distance_i8",
        .family = "quantise",
        .brief = "Euclidean distance of every query to every row of i8 codes",
        .notes = "The base's rows are codes * scale, rounded to f32; queries stay as they are. "
                 "Sums are f32. NaN in a query or a scale gives NaN.",
        .form = RP_OP_POINTWISE,
        .operand_count = 4,
        .operands = {CODED_ROWS},
        .attr_count = 1,
        .attrs = {{.name = "squared",
                   .brief = "1: leave the square root out, which keeps the order",
                   .kind = RP_ATTR_INTEGER,
                   .fallback = 1,
                   .high = 1}},
        .length = "D",
        .turns = 5.0 / 16,
        .flops = 4,
    },
    {
        .name = "dot_product_i8",
        .family = "quantise",
        .brief = "dot product of every query and every row of i8 codes",
        .notes =
            "The sum of query * code in f32, then * scale. Infinities and NaN follow IEEE 754.",
        .form = RP_OP_POINTWISE,
        .operand_count = 4,
        .operands = {CODED_ROWS},
        .length = "D",
        .turns = 5.0 / 16,
        .flops = 2,
    },
    {
        .name = "pq_encode",
        .family = "quantise",
        .brief = "rows as M codes: of each part, the nearest entry of its codebook",
        .notes = "Squared Euclidean distances, summed in f32 in the order of the elements; the "
                 "lowest code of equally near entries. Entries at a distance that is NaN or inf "
                 "are never chosen; code 0 where all are.",
        .form = RP_OP_POINTWISE,
        .operand_count = 3,
        .operands = {{.name = "x",
                      .brief = "the rows, M parts of S elements",
                      .shape = "N D",
                      .dtypes = RP_DT_FLOAT,
                      .reads = "NDK"},
                     CODEBOOKS("NMKS"),
                     {.name = "codes",
                      .brief = "a code for each part",
                      .shape = "N M",
                      .dtypes = RP_DT(RP_U8),
                      .access = RP_WRITE}},
        .length = "KS",
        .flops = 3,
        .rule = rule_parts,
    },
    {
        .name = "pq_tables",
        .family = "quantise",
        .brief = "how far the parts of each query are from each entry of their codebooks",
        .notes = "Sums are f32, in the order of the elements. Infinities and NaN follow IEEE 754.",
        .form = RP_OP_POINTWISE,
        .operand_count = 3,
        .operands = {QUERIES("QDK", 5),
                     CODEBOOKS("QMKS"),
                     {.name = "tables",
                      .brief = "for each query and part, a number for each entry",
                      .shape = "Q M K",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE}},
        .attr_count = 1,
        .attrs = {{.name = "metric",
                   .brief = "squared Euclidean distance, or dot product",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "l2|dot"}},
        .length = "S",
        .flops = 3,
        .rule = rule_parts,
    },
    {
        .name = "pq_distance",
        .family = "quantise",
        .brief = "distance of every query to every row of codes, by the queries' tables",
        .notes = "A sum of M numbers in f32, in order. A code past the tables' last entry counts "
                 "as the last. NaN follows IEEE 754.",
        .form = RP_OP_POINTWISE,
        .operand_count = 3,
        .operands = {{.name = "codes",
                      .brief = "the base, as pq_encode makes it",
                      .shape = "N M",
                      .dtypes = RP_DT(RP_U8),
                      .reads = "QNM"},
                     {.name = "tables",
                      .brief = "as pq_tables makes them",
                      .shape = "Q M K",
                      .dtypes = RP_DT_FLOAT,
                      .reads = "QNM"},
                     {.name = "out",
                      .brief = "from query q to row n",
                      .shape = "Q N",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE}},
        .length = "M",
        .flops = 1,
        .rule = rule_pq_distance,
    },
};

const uint32_t rp_ops_quantise_count = sizeof rp_ops_quantise / sizeof *rp_ops_quantise;
