/* Family search: distances between all rows of two tables, and the best of many.
 *
 * A distance is a pointwise op: element (q, n) of its output is a loop over the elements of query q
 * and of row n. So top_k can evaluate it where it would have read it, each element once, and no
 * matrix of distances exists; a pipeline that does need the matrix gets it from the same text.
 *
 * top_k selects with a workgroup for each row. A few long rows leave most of a GPU idle, so
 * top_k_partial does it part by part and top_k_merge puts the parts together; merging is also what
 * searching a sharded base ends with. The order is total (value, then index), so every way of
 * splitting gives the same list. */
#include "ops/matrices.h"
#include "ops/nearest.h"
#include "ops/op_formula.h"
#include "ops/tables.h"
#include "target/target.h"

#include <math.h>

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

/* ---- Rules ----------------------------------------------------------------------------------- */

/* Float, signed or unsigned. */
static uint32_t class_of(uint8_t dtype) {
    return rp_op_formula_type(dtype);
}

static bool same_class(rp_op_call *call, uint32_t from, uint32_t to) {
    const rp_tensor *a = call->operands + from, *b = call->operands + to;
    if (b->absent || b->dtype == RP_RAW || class_of(a->dtype) == class_of(b->dtype)) return true;
    return rp_op_fail(call,
                      "%s is %s and %s is %s; they must be both floats, both signed or both "
                      "unsigned",
                      rp_op_operand_name(call, from), rp_dtype_name((rp_dtype)a->dtype),
                      rp_op_operand_name(call, to), rp_dtype_name((rp_dtype)b->dtype));
}

/* How many are kept, where no attribute says so: as many as the first output with a shape has. */
enum { MOST_KEPT = 1024 };
static bool bind_kept(rp_op_call *call, uint32_t values, uint32_t indices) {
    const rp_tensor *v = &call->operands[values], *i = &call->operands[indices];
    bool shown = !v->absent && v->rank != RP_OP_INFER && v->rank > 0;
    if (!rp_op_bind_shown(call, 'K', shown ? values : indices, (shown ? v : i)->rank - 1u))
        return false;
    return rp_sym(call, 'K') <= MOST_KEPT ||
           rp_op_fail(call, "%llu elements are to be kept; at most %d are possible",
                      (unsigned long long)rp_sym(call, 'K'), MOST_KEPT);
}

/* Both: x, excluded, values, indices. */
static bool rule_top_k(rp_op_call *call) {
    if (!bind_kept(call, 2, 3)) return false;
    uint64_t n = rp_sym(call, 'N'), k = rp_sym(call, 'K'), words = rp_sym(call, 'W');
    if (k > n && !call->asked)
        return rp_op_fail(call, "k is %llu, but rows of x have %llu elements",
                          (unsigned long long)k, (unsigned long long)n);
    if (!call->operands[1].absent && words < n / 32 + (n % 32 != 0))
        return rp_op_fail(call,
                          "excluded has %llu words of 32 bits, but rows of x have %llu "
                          "elements",
                          (unsigned long long)words, (unsigned long long)n);
    return same_class(call, 0, 2);
}

static bool rule_top_k_partial(rp_op_call *call) {
    uint64_t n = rp_sym(call, 'N'), parts = rp_sym(call, 'P');
    if (parts > n && !call->asked)
        return rp_op_fail(call, "splits is %llu, but rows of x have %llu elements",
                          (unsigned long long)parts, (unsigned long long)n);
    return rule_top_k(call);
}

/* list_values, list_indices, offsets, values, indices. */
static bool rule_top_k_merge(rp_op_call *call) {
    uint64_t k = rp_sym(call, 'K');
    if (k > MOST_KEPT)
        return rp_op_fail(call, "the lists have %llu entries; at most %d are possible",
                          (unsigned long long)k, MOST_KEPT);
    return same_class(call, 0, 3);
}

/* ---- The ops --------------------------------------------------------------------------------- */

#define SUMS                                                                                       \
    "Sums are f32, by differences (no |a|^2 - 2ab + |b|^2), so equal vectors are exactly 0 apart." \
    " A NaN in either vector gives NaN; denormals may count as 0. "

/* Of integers, but for u32, whose bits are vectors elsewhere. */
enum {
    VECTOR = RP_DT_INTEGER & ~RP_DT(RP_U32),
    BITS_OF = VECTOR & ~RP_DT(RP_BOOL),
};

#define TABLES(SYMBOL, DTYPES)                                                                     \
    {.name = "queries",                                                                            \
     .brief = "one vector a row",                                                                  \
     .shape = "Q " SYMBOL,                                                                         \
     .dtypes = DTYPES,                                                                             \
     .taken = (uint32_t)(DTYPES) == RP_DT_FLOAT ? VECTOR : BITS_OF,                                \
     .words = (uint32_t)(DTYPES) != RP_DT_FLOAT,                                                   \
     .sites = 5,                                                                                   \
     .reads = "QN" SYMBOL},                                                                        \
    {                                                                                              \
        .name = "base", .brief = "the vectors to compare with, one a row", .shape = "N " SYMBOL,   \
        .dtypes = DTYPES, .taken = (uint32_t)(DTYPES) == RP_DT_FLOAT ? VECTOR : BITS_OF,           \
        .words = (uint32_t)(DTYPES) != RP_DT_FLOAT, .sites = 5, .reads = "QN" SYMBOL               \
    }

#define MATRIX(BRIEF, DTYPES)                                                                      \
    { .name = "out", .brief = BRIEF, .shape = "Q N", .dtypes = DTYPES, .access = RP_WRITE }

#define SQUARED                                                                                    \
    {                                                                                              \
        .name = "squared", .brief = "1: leave the square root out, which keeps the order",         \
        .kind = RP_ATTR_INTEGER, .fallback = 1, .high = 1                                          \
    }

#define DISTANCE(NAME, BRIEF, NOTES, FLOPS)                                                        \
    .name = NAME, .family = "search", .brief = BRIEF, .notes = NOTES, .form = RP_OP_POINTWISE,     \
    .operand_count = 3,                                                                            \
    .operands = {TABLES("D", RP_DT_FLOAT), MATRIX("from query q to row n", RP_DT_FLOAT)},          \
    .length = "D", .flops = FLOPS

/* Sixteen elements a turn, in four of an inner loop; and eight in two. */
#define BY_16 .turns = 5.0 / 16
#define BY_8 .turns = 3.0 / 8

#define BITS(NAME, BRIEF, NOTES, DTYPES)                                                           \
    .name = NAME, .family = "search", .brief = BRIEF, .notes = NOTES, .form = RP_OP_POINTWISE,     \
    .operand_count = 3,                                                                            \
    .operands = {TABLES("W", RP_DT(RP_U32)), MATRIX("from query q to row n", DTYPES)},             \
    .length = "W", .flops = 4

#define ORDER                                                                                      \
    {                                                                                              \
        .name = "order", .brief = "which elements come first", .kind = RP_ATTR_CHOICE,             \
        .choices = "largest|smallest"                                                              \
    }

#define COUNT_K                                                                                    \
    {                                                                                              \
        .name = "k", .brief = "how many; 0: as outputs have", .kind = RP_ATTR_INTEGER,             \
        .symbol = 'K', .shown = true, .high = MOST_KEPT                                            \
    }

#define EXCLUDED                                                                                   \
    {                                                                                              \
        .name = "excluded",                                                                        \
        .brief = "bit i % 32 of word i / 32 is 1 where element i of a row is to be left out",      \
        .shape = "W", .dtypes = RP_DT(RP_U32), .taken = RP_DT(RP_BOOL), .optional = true,          \
        .hook = true, .absent = "0", .reads = "RN"                                                 \
    }
#define SELECTED(SHAPE, LIKE, OPTIONAL)                                                            \
    {.name = "values",                                                                             \
     .brief = "the elements, in order",                                                            \
     .shape = SHAPE,                                                                               \
     .dtypes = RP_DT_WORD,                                                                         \
     .access = RP_WRITE,                                                                           \
     .optional = OPTIONAL,                                                                         \
     .hook = true,                                                                                 \
     .sites = 3,                                                                                   \
     .like = LIKE},                                                                                \
    {                                                                                              \
        .name = "indices", .brief = "where in the row they are", .shape = SHAPE,                   \
        .dtypes = RP_DT(RP_U32), .taken = RP_DT_GIVEN, .access = RP_WRITE, .hook = true            \
    }

#define STABLE                                                                                     \
    "Exact. Equal elements come in the order of their indices; -0 and 0 are equal (and come out "  \
    "as 0), NaN comes last in either order. Where too few elements are left, indices are "         \
    "0xffffffff and values what comes last: inf or -inf, or the largest or smallest integer."

/* Of a thread that selects among so many (include/select.glsl): at worst what was kept is sorted
 * again after each 1024 that are looked at. */
static double select_turns(double elements) {
    return ceil(elements / 1024) * 345 + 600;
}

static double row_turns(const rp_op_call *call) {
    return select_turns((double)rp_sym(call, 'N'));
}

static double part_turns(const rp_op_call *call) {
    return select_turns((double)ceil_div(rp_sym(call, 'N'), rp_sym(call, 'P')));
}

static double merge_turns(const rp_op_call *call) {
    return select_turns((double)rp_sym(call, 'L') * (double)rp_sym(call, 'K'));
}

/* Of rows of x, lists and words: as many as there are. Where they are fewer than k gaps are left. */
#define SELECT_ENTRY(GROUPS, TURNS)                                                                \
    {                                                                                              \
        .sized = "RNWLK", .name = "select", .when = "always",                                      \
        .why = "a workgroup for each row or part keeps the best so far in shared memory",          \
        .text = 600, .groups = GROUPS, .turns = TURNS                                              \
    }
#define SELECT(GROUPS, TURNS)                                                                      \
    {                                                                                              \
        SELECT_ENTRY(GROUPS, TURNS), {                                                             \
            0                                                                                      \
        }                                                                                          \
    }

/* A thread for each row: what it keeps are registers, one after the other looked at for every
 * element. That is much for a GPU, unless rows are tiny; but a processor's subgroups are vectors,
 * for which exchanging anything is what costs. */
enum { LANE_KEPT = 32, TINY_ROW = 16, LANE_THREADS = 64 };

static bool is_for_lanes(const rp_op_call *call, const rp_target *target) {
    uint64_t n = rp_sym(call, 'N'), kept = rp_sym(call, 'K');
    bool many = rp_sym(call, 'R') >= 8 * target->multiprocessors;
    return kept <= LANE_KEPT && (n <= TINY_ROW || (many && rp_target_is_software(target)));
}

static double lane_turns(const rp_op_call *call) {
    return (double)rp_sym(call, 'N');
}

static void bind_lanes(rp_op_call *call, const rp_target *target) {
    (void)target;
    rp_op_bind_count(call, 'B', "R", LANE_THREADS, 1);
}

/* Rows that fit a workgroup of 256 share it: G of them. */
enum { SHORT_ROW = 256 };

static bool is_short(const rp_op_call *call, const rp_target *target) {
    (void)target;
    return rp_sym(call, 'N') <= SHORT_ROW;
}

static void bind_short(rp_op_call *call, const rp_target *target) {
    (void)target;
    uint64_t rows = SHORT_ROW / rp_sym(call, 'N');
    rp_op_bind(call, 'G', rows);
    rp_op_bind_count(call, 'B', "R", rows, 1);
}

static const rp_op_variant top_k_variants[] = {
    {
        .name = "lanes",
        .when = "k of up to 32; rows of up to 16 elements, or many rows on a software device",
        .why = "a thread keeps the best of a row in registers: nothing is exchanged",
        .text = 200,
        .threads = LANE_THREADS,
        .groups = "B",
        .sized = "RNW",
        .fits = is_for_lanes,
        .turns = lane_turns,
        .bind = bind_lanes,
    },
    {
        .name = "short",
        .when = "rows of up to 256 elements",
        .why = "several rows a workgroup; each element counts those before it, which is its place",
        .text = 60,
        .groups = "B",
        .sized = "RWK",
        .fits = is_short,
        .bind = bind_short,
    },
    SELECT_ENTRY("R", row_turns),
    {0},
};
/* Entries that a workgroup has at hand at once, and invocations of a subgroup. */
enum { MERGED_FEW = 4096, LEAST_SUBGROUP = 8, MOST_SUBGROUP = 32 };

static bool is_few(const rp_op_call *call, const rp_target *target) {
    uint64_t k = rp_sym(call, 'K'), subgroup = rp_op_matrix_subgroup(target);
    return rp_sym(call, 'L') * k <= MERGED_FEW && k <= subgroup && subgroup >= LEAST_SUBGROUP &&
           subgroup <= MOST_SUBGROUP && rp_target_has(target, RP_NEED_SUBGROUP_SIZE) &&
           !rp_target_is_software(target);
}

static void bind_few(rp_op_call *call, const rp_target *target) {
    rp_op_bind(call, 'Z', rp_op_matrix_subgroup(target));
}

static const rp_op_variant top_k_merge_variants[] = {
    {
        .name = "few",
        .when = "up to 4096 entries, and k of up to a subgroup's size, where that is known",
        .why =
            "all entries are at hand at once, and those that may be wanted are told in subgroups",
        .text = 300,
        .groups = "R",
        .sized = "R",
        .needs = RP_NEED_SUBGROUP_SHUFFLE,
        .fits = is_few,
        .bind = bind_few,
    },
    SELECT_ENTRY("R", merge_turns),
    {0},
};
static const rp_op_variant top_k_partial_variants[] = SELECT("RP", part_turns);

const rp_op rp_ops_search[] = {
    {DISTANCE("l2_distance", "Euclidean distance of every query to every row",
              SUMS "Squares overflow to inf beyond about 1.8e19.", 3),
     BY_16, .attr_count = 1, .attrs = {SQUARED}},
    {DISTANCE(
         "cosine_distance", "1 - cosine of the angle between every query and every row",
         "From 0 to 2, by sums in f32. Vectors shorter than 1e-15 have no direction: they are at "
         "distance 1 from everything. Vectors longer than 1.8e19 overflow: their distances "
         "are 1 or NaN. Otherwise a NaN in either vector gives NaN.",
         6),
     BY_8},
    {DISTANCE("dot_product", "dot product of every query and every row",
              "A sum in f32; the largest is the most similar. Infinities and NaN follow IEEE 754.",
              2),
     BY_16},
    {DISTANCE("manhattan", "sum of absolute differences (L1) of every query and every row", SUMS,
              3),
     BY_16},
    {DISTANCE("chebyshev", "largest absolute difference of every query and every row",
              "Exact but for the rounding of the difference. A NaN in either vector gives NaN.",
              3)},
    {DISTANCE("minkowski", "(sum of |difference|^p)^(1/p) of every query and every row",
              "Differences are divided by the largest one first, so that no power overflows. "
              "Powers have the accuracy that the device gives pow. An infinite difference gives "
              "inf, a NaN in either vector NaN. p = 1 and p = 2 are manhattan and l2_distance, "
              "which are faster; p -> inf is chebyshev.",
              20),
     .turns = 2, .attr_count = 1,
     .attrs = {{.name = "p",
                .brief = "the power",
                .kind = RP_ATTR_NUMBER,
                .fallback = 3,
                .low = 0.125,
                .high = 128}}},
    {DISTANCE("jaccard", "1 - (sum of minima) / (sum of maxima) of every query and every row",
              "For vectors without negative elements: from 0 to 1. Two vectors of zeros are at "
              "distance 0. A NaN in either vector gives NaN.",
              4)},
    {BITS("hamming", "number of different bits of every query and every row",
          "Exact. Vectors are packed into words, as binary_quantize makes them; unused bits must "
          "be equal.",
          RP_DT(RP_U32))},
    {BITS("jaccard_bits", "1 - (bits in both) / (bits in either) of every query and every row",
          "Sets packed into words. Counts are exact; two empty sets are at distance 0.",
          RP_DT_FLOAT)},
    {
        .name = "top_k",
        .family = "search",
        .brief = "the k largest or smallest elements of each row, in order",
        .notes =
            "A row is one workgroup's, however long it is: `top_k_large` splits few long ones, and "
            "takes larger k. " STABLE,
        .form = RP_OP_KERNEL,
        .taken_as = "top_k_large",
        .operand_count = 4,
        .operands = {{.name = "x",
                      .brief = "the rows; each element is read once",
                      .shape = "*R N",
                      .dtypes = RP_DT_WORD,
                      .taken = RP_DT_LONG,
                      .hook = true},
                     EXCLUDED,
                     SELECTED("*R K", "x", true)},
        .attr_count = 2,
        .attrs = {ORDER, COUNT_K},
        .variants = top_k_variants,
        .flops = 1,
        .rule = rule_top_k,
    },
    {
        .name = "top_k_partial",
        .family = "search",
        .brief = "the k largest or smallest elements of each of several parts of each row",
        .notes = "For few long rows, with top_k_merge after it. Part p is the elements from "
                 "p * ceil(N / splits) on. " STABLE,
        .form = RP_OP_KERNEL,
        .operand_count = 4,
        .operands = {{.name = "x",
                      .brief = "the rows; each element is read once",
                      .shape = "*R N",
                      .dtypes = RP_DT_WORD,
                      .hook = true},
                     EXCLUDED,
                     SELECTED("*R P K", "x", false)},
        .attr_count = 3,
        .attrs = {ORDER,
                  COUNT_K,
                  {.name = "splits",
                   .brief = "parts of a row",
                   .kind = RP_ATTR_INTEGER,
                   .symbol = 'P',
                   .required = true,
                   .low = 1,
                   .high = 4096}},
        .variants = top_k_partial_variants,
        .flops = 1,
        .rule = rule_top_k_partial,
    },
    {
        .name = "nearest_partial",
        .family = "search",
        .brief = "the k nearest rows of each of several parts of a base, for each query",
        .notes = "A distance and top_k_partial in one: values are what the metric's op gives, l2 "
                 "squared, and dot the largest products. For top_k_merge after it. Part p is the "
                 "rows from "
                 "p * ceil(N / splits) on. " STABLE,
        .form = RP_OP_KERNEL,
        .operand_count = 5,
        .operands = {{.name = "queries",
                      .brief = "one vector a row",
                      .shape = "Q D",
                      .dtypes = RP_DT_FLOAT | RP_DT(RP_U32),
                      .taken = VECTOR,
                      .hook = true},
                     {.name = "base",
                      .brief = "the vectors to compare with, one a row",
                      .shape = "N D",
                      .dtypes = RP_DT_FLOAT | RP_DT(RP_U32),
                      .taken = VECTOR,
                      .hook = true},
                     {.name = "excluded",
                      .brief = "bit i % 32 of word i / 32 is 1 where row i is to be left out",
                      .shape = "W",
                      .dtypes = RP_DT(RP_U32),
                      .taken = RP_DT(RP_BOOL),
                      .optional = true,
                      .hook = true,
                      .absent = "0",
                      .reads = "QN"},
                     {.name = "values",
                      .brief = "the distances, in order",
                      .shape = "Q P K",
                      .dtypes = RP_DT_FLOAT | RP_DT(RP_U32),
                      .access = RP_WRITE,
                      .hook = true},
                     {.name = "indices",
                      .brief = "the rows",
                      .shape = "Q P K",
                      .dtypes = RP_DT(RP_U32),
                      .access = RP_WRITE,
                      .hook = true}},
        .attr_count = 3,
        .attrs = {{.name = "metric",
                   .brief = "the distance",
                   .kind = RP_ATTR_CHOICE,
                   .choices = RP_NEAREST_METRICS},
                  {.name = "k",
                   .brief = "how many",
                   .kind = RP_ATTR_INTEGER,
                   .symbol = 'K',
                   .required = true,
                   .low = 1,
                   .high = MOST_KEPT},
                  {.name = "splits",
                   .brief = "parts of the base",
                   .kind = RP_ATTR_INTEGER,
                   .symbol = 'P',
                   .required = true,
                   .low = 1,
                   .high = 4096}},
        .variants = rp_nearest_variants,
        .length = "D",
        .flops = 3,
        .rule = rp_nearest_rule,
    },
    {
        .name = "top_k_merge",
        .family = "search",
        .brief = "the k first elements of several lists of k",
        .notes = "Gaps, index 0xffffffff, are skipped. Lists need not be sorted. " STABLE,
        .form = RP_OP_KERNEL,
        .operand_count = 5,
        .operands = {{.name = "list_values",
                      .brief = "what was found in each part",
                      .shape = "*R L K",
                      .dtypes = RP_DT_WORD,
                      .hook = true},
                     {.name = "list_indices",
                      .brief = "and where",
                      .shape = "*R L K",
                      .dtypes = RP_DT(RP_U32),
                      .hook = true},
                     {.name = "offsets",
                      .brief = "added to the indices of each list",
                      .shape = "L",
                      .dtypes = RP_DT(RP_U32),
                      .optional = true,
                      .hook = true,
                      .absent = "0",
                      .reads = "RLK"},
                     SELECTED("*R K", "list_values", true)},
        .attr_count = 1,
        .attrs = {ORDER},
        .variants = top_k_merge_variants,
        .flops = 1,
        .rule = rule_top_k_merge,
    },
};

const uint32_t rp_ops_search_count = sizeof rp_ops_search / sizeof *rp_ops_search;
