/* Family parts: what reduces rows in two kernels where one would leave most of a device idle.
 *
 * A row has a workgroup (compiler/lower/rows.c), so a few long rows keep a few multiprocessors busy.
 * Here each row is cut into parts, with a workgroup each; what they come to is small, and is joined
 * by other ops: row_sum, row_max, maps, and the two below. The front ends put them in the place of
 * an op over rows where the target asks for it (compiler/composite/rows.c); they are ops like any
 * other, so fusion sees them, and the checker.
 *
 * A part without elements, behind the end of its row, comes to what changes nothing when joined. */
#include "ops/tables.h"

enum { SMALL = RP_DT_FLOAT | RP_DT_BYTE | RP_DT_SHORT };

#define PARTS(name_, brief_, notes_)                                                               \
    .name = name_, .family = "parts", .brief = brief_,                                             \
    .notes = "Part p of a row is elements p * c to (p + 1) * c of it, where c is C / P, rounded "  \
             "up to a multiple of 4; the last ones may be shorter or empty. " notes_,              \
    .form = RP_OP_ROWS, .parts = true, .length = "C", .attr_count = 1, .attrs = {SPLITS},          \
    .rule = rule_parts
#define SPLITS                                                                                     \
    {                                                                                              \
        .name = "splits", .brief = "parts of a row, P", .kind = RP_ATTR_INTEGER, .symbol = 'P',    \
        .required = true, .low = 1, .high = 1024                                                   \
    }
#define ROWS_IN                                                                                    \
    {                                                                                              \
        .name = "x", .brief = "the rows", .shape = "*R C", .dtypes = SMALL, .access = RP_READ,     \
        .at = RP_AT_ROW                                                                            \
    }
#define PER_PART(name_, brief_, formula_)                                                          \
    {                                                                                              \
        .name = name_, .brief = brief_, .shape = "*R P", .dtypes = RP_DT(RP_F32),                  \
        .access = RP_WRITE, .expression = formula_                                                 \
    }
#define PLACES                                                                                     \
    {                                                                                              \
        .name = "places", .brief = "its index in the row, 0xffffffff where all is NaN or nothing", \
        .shape = "*R P", .dtypes = RP_DT(RP_U32), .access = RP_WRITE, .optional = true,            \
        .expression = "place"                                                                      \
    }
#define OF_PARTS(name_, brief_)                                                                    \
    {                                                                                              \
        .name = name_, .brief = brief_, .shape = "*R C", .dtypes = RP_DT(RP_F32),                  \
        .access = RP_READ, .at = RP_AT_ROW                                                         \
    }
#define CANDIDATES                                                                                 \
    OF_PARTS("values", "what is compared"), {                                                      \
        .name = "places", .brief = "what is given for it", .shape = "*R C",                        \
        .dtypes = RP_DT(RP_U32), .access = RP_READ, .at = RP_AT_ROW                                \
    }
#define OF_ROW(name_, brief_, formula_)                                                            \
    {                                                                                              \
        .name = name_, .brief = brief_, .shape = "*R", .dtypes = RP_DT(RP_F32),                    \
        .access = RP_WRITE, .optional = true, .expression = formula_                               \
    }
#define MERGE(name_, brief_, notes_)                                                               \
    .name = name_, .family = "parts", .brief = brief_, .notes = notes_, .form = RP_OP_ROWS,        \
    .length = "C"
#define WINNER                                                                                     \
    {                                                                                              \
        .name = "out", .brief = "a place for each row", .shape = "*R", .dtypes = RP_DT(RP_U32),    \
        .access = RP_WRITE, .expression = "place == 4294967295 ? 0 : place"                        \
    }

/* The distance from the part's mean, whose own error is the mean of the distances from it. */
#define FROM_MEAN "(x - mean - more)"

/* A part's mean from the row's: their difference is exact where they are near. */
#define FROM_ALL "(means - center + rests - more)"

#define BEST_NOTES                                                                                 \
    "The lowest index among equals; -0 equals 0. NaN is skipped; a part of NaN alone, or of "      \
    "nothing, gives "
#define MERGE_NOTES                                                                                \
    "The least place among equal values; -0 equals 0. NaN is skipped; a row of NaN alone, or "     \
    "whose best place is 0xffffffff, gives 0."

static bool rule_parts(rp_op_call *call) {
    uint64_t parts = rp_sym(call, 'P'), length = rp_sym(call, 'C');
    if (parts <= length) return true;
    return rp_op_fail(call, "splits is %llu; expected at most %llu, the length of a row of x",
                      (unsigned long long)parts, (unsigned long long)length);
}

const rp_op rp_ops_parts[] = {
    {PARTS("row_sum_partial", "sums of parts of rows",
           "Added up in f32 in an order that depends on C and P alone."),
     .operand_count = 2, .step_count = 1,
     .operands = {ROWS_IN, PER_PART("totals", "of each part", "total")},
     .steps = {{"total", RP_REDUCE_SUM, "x", NULL}}},
    {PARTS("argmin_partial", "minima of parts of rows, and where they are",
           BEST_NOTES "inf and 0xffffffff."),
     .operand_count = 3, .step_count = 2,
     .operands = {ROWS_IN, PER_PART("values", "the minimum of each part", "best"), PLACES},
     .steps = {{"best", RP_REDUCE_MIN, "x", NULL}, {"place", RP_REDUCE_ARGMIN, "x", NULL}}},
    {PARTS("argmax_partial", "maxima of parts of rows, and where they are",
           BEST_NOTES "-inf and 0xffffffff."),
     .operand_count = 3, .step_count = 2,
     .operands = {ROWS_IN, PER_PART("values", "the maximum of each part", "best"), PLACES},
     .steps = {{"best", RP_REDUCE_MAX, "x", NULL}, {"place", RP_REDUCE_ARGMAX, "x", NULL}}},
    {PARTS("softmax_partial", "sums of exp(x) of parts of rows, each relative to its maximum",
           "A part of -inf alone has the sum of ones, relative to -inf; where there are +inf, the "
           "sum is their number; a NaN makes the sum NaN; of nothing it is 0."),
     .operand_count = 3, .step_count = 2,
     .operands = {ROWS_IN, PER_PART("tops", "the maximum of each part", "top"),
                  PER_PART("totals", "the sum of exp(x - top)", "total")},
     .steps = {{"top", RP_REDUCE_MAX, "x", NULL},
               {"total", RP_REDUCE_SUM, "x == top ? 1.0 : exp(x - top)", NULL}}},
    {PARTS("variance_partial", "means of parts of rows, and square distances from them",
           "The mean is corrected by what rounding took of it, as in `variance`. Parts are joined "
           "without loss: what a part has from the mean of all is (mean - all) + rest. Of nothing "
           "all is 0."),
     .operand_count = 5, .step_count = 5,
     .operands = {ROWS_IN, PER_PART("counts", "elements of each part", "n"),
                  PER_PART("means", "of each part, rounded", "mean"),
                  PER_PART("rests", "what rounding took of it", "more"),
                  PER_PART("spreads", "sums of square distances from mean + rest", "spread")},
     .steps = {{"total", RP_REDUCE_SUM, "x", NULL},
               {"mean", RP_REDUCE_NONE, "n == 0.0 ? 0.0 : total / n", NULL},
               {"rest", RP_REDUCE_SUM, "x - mean", NULL},
               {"more", RP_REDUCE_NONE, "n == 0.0 ? 0.0 : rest / n", NULL},
               {"spread", RP_REDUCE_SUM, FROM_MEAN " * " FROM_MEAN, NULL}}},

    {MERGE("argmin_merge", "the place of the least of each row's values", MERGE_NOTES),
     .operand_count = 3, .step_count = 1, .operands = {CANDIDATES, WINNER},
     .steps = {{"place", RP_REDUCE_ARGMIN, "values", "places"}}},
    {MERGE("argmax_merge", "the place of the largest of each row's values", MERGE_NOTES),
     .operand_count = 3, .step_count = 1, .operands = {CANDIDATES, WINNER},
     .steps = {{"place", RP_REDUCE_ARGMAX, "values", "places"}}},
    {MERGE("softmax_merge", "joins the parts of softmax_partial",
           "As if the row had been summed at once: -inf, +inf and NaN as there. Parts with the "
           "row's maximum keep their sum as it is."),
     .operand_count = 4, .step_count = 2,
     .operands = {OF_PARTS("tops", "the maximum of each part"),
                  OF_PARTS("totals", "the sum of exp(x - top)"),
                  OF_ROW("top", "the maximum of each row", "most"),
                  OF_ROW("total", "the sum of exp(x - top) of each row", "sum")},
     .steps = {{"most", RP_REDUCE_MAX, "tops", NULL},
               {"sum", RP_REDUCE_SUM, "tops == most ? totals : totals * exp(tops - most)", NULL}}},
    {MERGE(
         "variance_merge", "joins the parts of variance_partial",
         "The mean of a row is mean + rest. As exact as `variance`; infinities and NaN give NaN."),
     .operand_count = 7, .attr_count = 1, .step_count = 5,
     .operands = {OF_PARTS("counts", "elements of each part"),
                  OF_PARTS("means", "of each part, rounded"),
                  OF_PARTS("rests", "what rounding took of it"),
                  OF_PARTS("spreads", "sums of square distances from mean + rest"),
                  OF_ROW("mean", "of each row, rounded", "center"),
                  OF_ROW("rest", "what rounding took of it", "more"),
                  OF_ROW("variance", "the mean square distance", "spread / f32(length)")},
     .attrs = {{.name = "length",
                .brief = "elements of a row",
                .kind = RP_ATTR_INTEGER,
                .required = true,
                .low = 1,
                .high = UINT32_MAX}},
     .steps = {{"total", RP_REDUCE_SUM, "counts * means", NULL},
               {"center", RP_REDUCE_NONE, "total / f32(length)", NULL},
               {"lack", RP_REDUCE_SUM, "counts * (means - center + rests)", NULL},
               {"more", RP_REDUCE_NONE, "lack / f32(length)", NULL},
               {"spread", RP_REDUCE_SUM, "spreads + counts * " FROM_ALL " * " FROM_ALL, NULL}}},
};

const uint32_t rp_ops_parts_count = sizeof rp_ops_parts / sizeof *rp_ops_parts;
