/* Family order: passes of a sort by digits (radix sort, least digit first).
 *
 * An element's key is an unsigned number in the order of the values (kernels/include/select.glsl). A
 * pass counts a digit of 8 bits, block by block (radix_count); a scan of the counts says where each
 * block's elements of each digit begin; and radix_place moves them there, equal ones in their order.
 * Four passes sort 32 bits, each of which reads elements twice and writes them once. Merging sorted
 * tiles instead would go through memory once for each doubling, sixteen times for 10^8 elements.
 *
 * The composites (compiler/composite/order.c) put passes together; rows that fit a workgroup are
 * sorted by top_k. */
#include "ops/matrices.h"
#include "ops/moves.h"
#include "ops/tables.h"

enum { TILE = 2048, DIGITS = 256, THREADS = 256, LEAST_SUBGROUP = 16, MOST_SUBGROUP = 32 };

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

/* D, the digits; E, elements of a block, a multiple of what a workgroup takes at once. */
static bool rule_radix(rp_op_call *call) {
    uint64_t blocks = rp_sym(call, 'P'), length = rp_sym(call, 'N'),
             shift = (uint64_t)call->attrs[0];
    if (shift % 8 != 0)
        return rp_op_fail(call, "shift is %llu; expected 0, 8, 16 or 24",
                          (unsigned long long)shift);
    if (blocks > length && blocks > 1 && !call->asked)
        return rp_op_fail(call, "blocks is %llu; expected at most %llu, the length of a row",
                          (unsigned long long)blocks, (unsigned long long)length);
    rp_op_bind(call, 'D', DIGITS);
    rp_op_bind_count(call, 'E', "N", blocks * TILE, TILE);
    return true;
}

static void bind_groups(rp_op_call *call, const rp_target *target) {
    (void)target;
    rp_op_bind_count(call, 'G', "RP", 1, 1);
}

/* A ballot of a subgroup is a word, and its counts of digits are in shared memory. */
static bool has_ballots(const rp_op_call *call, const rp_target *target) {
    (void)call;
    uint32_t subgroup = rp_op_matrix_subgroup(target);
    return subgroup >= LEAST_SUBGROUP && subgroup <= MOST_SUBGROUP &&
           target->invocations >= THREADS && target->shared_bytes >= 8 * TILE + 3 * 1024 &&
           rp_target_has(target, RP_NEED_SUBGROUP_SIZE);
}

static void bind_subgroups(rp_op_call *call, const rp_target *target) {
    bind_groups(call, target);
    rp_op_bind(call, 'Z', rp_op_matrix_subgroup(target));
}

static double count_turns(const rp_op_call *call) {
    return (double)ceil_div(rp_sym(call, 'E'), DIGITS) + 16;
}

static double place_turns(const rp_op_call *call) {
    return (double)ceil_div(rp_sym(call, 'E'), TILE) * 200 + 16;
}

static const rp_op_variant count_variants[] = {
    {
        .name = "blocks",
        .when = "always",
        .why = "a workgroup for each block counts in shared memory",
        .text = 80,
        .groups = "G",
        .sized = "*",
        .bind = bind_groups,
        .turns = count_turns,
    },
    {0},
};

static const rp_op_variant place_variants[] = {
    {
        .name = "subgroups",
        .sized = "*",
        .when = "subgroups of 16 or 32 invocations",
        .why = "as `blocks`; elements with equal digits find each other by ballots, so that an "
               "element is read once and few barriers stand between a tile's steps",
        .text = 500,
        .groups = "G",
        .needs = RP_NEED_SUBGROUP_BALLOT | RP_NEED_SUBGROUP_ARITHMETIC,
        .fits = has_ballots,
        .bind = bind_subgroups,
        .turns = place_turns,
    },
    {
        .name = "blocks",
        .when = "always",
        .why = "a workgroup for each block puts tiles of 2048 in order in shared memory",
        .text = 400,
        .groups = "G",
        .sized = "*",
        .bind = bind_groups,
        .turns = place_turns,
    },
    {0},
};

/* All three are computed as one: f32, or integers of one width and sign. */
static bool rule_fold_at(rp_op_call *call) {
    enum { DATA, UPDATES = 3, OUT };
    return rp_op_joins(call, DATA, UPDATES) && rp_op_joins(call, DATA, OUT);
}

static void bind_elements(rp_op_call *call, const rp_target *target) {
    (void)target;
    rp_op_bind_count(call, 'B', "NC", 256, 1);
}

/* Where all updates are for one slice. */
static double fold_turns(const rp_op_call *call) {
    return (double)rp_sym(call, 'M') + 40;
}

static const rp_op_variant fold_variants[] = {
    {
        .name = "sorted",
        .when = "always",
        .why = "a thread for each element of the result finds its updates by bisection",
        .text = 80,
        .groups = "B",
        .sized = "*",
        .bind = bind_elements,
        .turns = fold_turns,
    },
    {0},
};

#define SHIFT                                                                                      \
    {                                                                                              \
        .name = "shift", .brief = "the digit's lowest bit: 0, 8, 16 or 24",                        \
        .kind = RP_ATTR_INTEGER, .low = 0, .high = 24                                              \
    }
#define ORDER(name_, brief_)                                                                       \
    { .name = name_, .brief = brief_, .kind = RP_ATTR_CHOICE, .choices = "ascending|descending" }
#define BLOCKS                                                                                     \
    {                                                                                              \
        .name = "blocks", .brief = "of a row, P", .kind = RP_ATTR_INTEGER, .symbol = 'P',          \
        .required = true, .low = 1, .high = 65535                                                  \
    }
#define KEYS                                                                                       \
    "Keys are unsigned numbers of 32 bits in the order of the values, or in reverse order: of "    \
    "u32 "                                                                                         \
    "the number itself; -0 counts as 0, and NaN comes last in either order. Block p of a row is "  \
    "elements p * c to (p + 1) * c, where c is N / P, rounded up to a multiple of 2048. Exact. "

const rp_op rp_ops_order[] = {
    {
        .name = "radix_count",
        .family = "order",
        .brief = "how many elements of each block have each value of 8 bits of their keys",
        .notes = KEYS,
        .form = RP_OP_KERNEL,
        .operand_count = 2,
        .operands =
            {{.name = "x", .brief = "rows", .shape = "*R N", .dtypes = RP_DT_WORD, .hook = true},
             {.name = "counts",
              .brief = "of each of D digits, 256, in each block",
              .shape = "*R D P",
              .dtypes = RP_DT(RP_U32),
              .access = RP_WRITE,
              .hook = true}},
        .attr_count = 3,
        .attrs = {SHIFT, ORDER("order", "of the keys"), BLOCKS},
        .variants = count_variants,
        .flops = 4,
        .rule = rule_radix,
    },
    {
        .name = "radix_place",
        .family = "order",
        .brief = "moves elements to where 8 bits of their keys put them",
        .notes = KEYS "Elements with equal digits stay in their order. `offsets` are the exclusive "
                      "sums of radix_count's counts along each row; the i-th element of a digit "
                      "goes i places behind its offset, and is dropped where that is past the row. "
                      "Values are what keys stand for by the order `decode`: 0 for -0.",
        .form = RP_OP_KERNEL,
        .operand_count = 6,
        .operands = {{.name = "x",
                      .brief = "rows",
                      .shape = "*R N",
                      .dtypes = RP_DT_WORD,
                      .hook = true,
                      .sites = 2},
                     {.name = "places",
                      .brief = "what goes with each element",
                      .shape = "*R N",
                      .dtypes = RP_DT(RP_U32),
                      .optional = true,
                      .hook = true},
                     {.name = "offsets",
                      .brief = "where each digit of each block begins in its row",
                      .shape = "*R D P",
                      .dtypes = RP_DT(RP_U32),
                      .hook = true},
                     {.name = "keys",
                      .brief = "the keys, moved",
                      .shape = "*R N",
                      .dtypes = RP_DT(RP_U32),
                      .access = RP_WRITE,
                      .optional = true,
                      .hook = true},
                     {.name = "indices",
                      .brief = "the places, or without them the index in the row, moved",
                      .shape = "*R N",
                      .dtypes = RP_DT(RP_U32),
                      .access = RP_WRITE,
                      .optional = true,
                      .hook = true},
                     {.name = "values",
                      .brief = "what the keys stand for, moved",
                      .shape = "*R N",
                      .dtypes = RP_DT_WORD,
                      .access = RP_WRITE,
                      .optional = true,
                      .hook = true,
                      .like = "x"}},
        .attr_count = 4,
        .attrs = {SHIFT, ORDER("order", "of the keys"), ORDER("decode", "that values' keys have"),
                  BLOCKS},
        .variants = place_variants,
        .flops = 16,
        .rule = rule_radix,
    },
    {
        .name = "fold_at",
        .family = "order",
        .brief = "joins slices with others that are for them, several for one in their order",
        .notes = "Floats are joined in f32 and rounded once; integers wrap at 32 bits, i64 and u64 "
                 "at 64. One after the "
                 "other, the slice of data first, so the bits are the same on every run. NaN is "
                 "skipped by min and max. Numbers that are no slice are left out; numbers that are "
                 "not in order may be. `scatter_elements` and `scatter_nd` are made of it.",
        .form = RP_OP_KERNEL,
        .operand_count = 5,
        .operands = {{.name = "data",
                      .brief = "slices",
                      .shape = "*N C",
                      .dtypes = RP_DT_NUMBER,
                      .hook = true},
                     {.name = "places",
                      .brief = "the slice that each update is for, in ascending order",
                      .shape = "M",
                      .dtypes = RP_DT(RP_U32)},
                     {.name = "order",
                      .brief = "which update it is",
                      .shape = "M",
                      .dtypes = RP_DT(RP_U32)},
                     {.name = "updates",
                      .brief = "slices",
                      .shape = "M C",
                      .dtypes = RP_DT_NUMBER,
                      .hook = true},
                     {.name = "out",
                      .brief = "slices of data, joined with updates",
                      .shape = "*N C",
                      .dtypes = RP_DT_NUMBER,
                      .access = RP_WRITE,
                      .hook = true,
                      .like = "data"}},
        .attr_count = 1,
        .attrs = {{.name = "by",
                   .brief = "what joins two of them",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "sum|prod|min|max"}},
        .length = "M",
        .variants = fold_variants,
        .flops = 1,
        .rule = rule_fold_at,
    },
};

const uint32_t rp_ops_order_count = sizeof rp_ops_order / sizeof *rp_ops_order;
