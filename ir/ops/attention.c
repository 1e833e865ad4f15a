/* Family attention: rotary positions, and scaled dot-product attention over a cache.
 *
 * Decoding has one query a head and a long cache. What costs is reading the cache, so its rows are
 * split over workgroups (attention_partial), each with its own maximum, and the parts are joined
 * afterwards (attention_combine, which is pointwise and so computed where it is needed). Prefill
 * has many queries; its kernel goes over the cache tile by tile with an online softmax.
 *
 * How many rows of the cache are filled is read from a buffer, usually a live value: one recorded
 * graph serves every step. */

#include "ops/prefill.h"
#include "ops/tables.h"

enum { MAX_SHARED = 8 }; /* query heads that a workgroup computes over one head of the cache */

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

/* ---- rope ------------------------------------------------------------------------------------ */

enum { ROPE_BASE, ROPE_LAYOUT, ROPE_DIMS };

/* Binds R, the elements at the front of each head that turn. */
static bool rule_rope(rp_op_call *call) {
    uint64_t head = rp_sym(call, 'D'), turning = (uint64_t)call->attrs[ROPE_DIMS];
    if (turning == 0) turning = head;
    if (turning > head || turning % 2 != 0)
        return rp_op_fail(call,
                          "dims is %llu, expected an even number up to %llu, the last "
                          "dimension of x",
                          (unsigned long long)turning, (unsigned long long)head);
    if (!call->operands[2].absent && rp_sym(call, 'F') != turning / 2)
        return rp_op_fail(call, "frequencies has %llu elements, expected %llu, one for each pair",
                          (unsigned long long)rp_sym(call, 'F'), (unsigned long long)(turning / 2));
    rp_op_bind(call, 'R', turning);
    return true;
}

/* ---- attention_partial, attention_append ----------------------------------------------------- */

/* The operand with the cache's keys; its values come next. */
enum { PARTIAL_K = 1, APPEND_K = 8 };

/* Workgroups that share a part and the L query heads that read one head of the cache: as few as have room,
 * or as many as multiprocessors are left for. */
static uint64_t sharing_groups(const rp_op_call *call, const rp_target *target) {
    uint64_t heads = rp_sym(call, 'L'), least = ceil_div(heads, MAX_SHARED);
    uint64_t left = target->multiprocessors / (rp_sym(call, 'G') * rp_sym(call, 'P'));
    uint64_t each = ceil_div(heads, left < least ? least : left > heads ? heads : left);
    return ceil_div(heads, each);
}

static bool rule_partial(rp_op_call *call) {
    return rp_op_check_heads(call, PARTIAL_K);
}

static bool rule_append(rp_op_call *call) {
    return rp_op_check_heads(call, APPEND_K);
}

/* L query heads read one head of the cache; binds Z, the workgroups that share them, and J, the
 * heads of each. */
static void bind_partial(rp_op_call *call, const rp_target *target) {
    uint64_t sharing = sharing_groups(call, target);
    rp_op_bind(call, 'Z', sharing);
    rp_op_bind(call, 'J', ceil_div(rp_sym(call, 'L'), sharing));
}

static const rp_op_variant partial_variants[] = {
    {
        .name = "tiles",
        .when = "always",
        .why = "a workgroup reads a part of the cache once, for up to 8 heads",
        .text = 1500,
        .groups = "GPZ",
        .sites = {[1] = 2, [2] = 2},
        .reads = {[1] = "SGDZ", [2] = "SGDZ"},
        .bind = bind_partial,
    },
    {0},
};

static const rp_op_variant append_variants[] = {
    {
        .name = "tiles",
        .source = "attention_partial/tiles",
        .when = "always",
        .why =
            "as attention_partial; the new row goes from its part to the cache and is not waited "
            "for in memory",
        .text = 1700,
        .groups = "GPZ",
        .sites = {[8] = 2, [9] = 2},
        .reads = {[1] = "GDZ", [2] = "GDZ", [8] = "SGDZ", [9] = "SGDZ"},
        .bind = bind_partial,
    },
    {0},
};

/* ---- The table ------------------------------------------------------------------------------- */

#define SOFTMAX                                                                                    \
    "Scores and sums are f32. A score of -inf has no weight; where no row has weight the result "  \
    "is zeros. A score of +inf, or NaN anywhere in a row that takes part, gives NaN."

#define SCALE_AND_CAP                                                                              \
    {.name = "scale",                                                                              \
     .brief = "factor of the scores; 0: 1 / sqrt(D)",                                              \
     .kind = RP_ATTR_NUMBER,                                                                       \
     .low = -1e30,                                                                                 \
     .high = 1e30},                                                                                \
    {                                                                                              \
        .name = "softcap", .brief = "scores become softcap * tanh(score / softcap); 0: not",       \
        .kind = RP_ATTR_NUMBER, .low = 0, .high = 1e30                                             \
    }

/* What each part gives. */
#define PARTS                                                                                      \
    {.name = "partial",                                                                            \
     .brief = "each part's values, weighted and added up",                                         \
     .shape = "P H D",                                                                             \
     .dtypes = RP_DT(RP_F32),                                                                      \
     .access = RP_WRITE},                                                                          \
        {.name = "maxima",                                                                         \
         .brief = "each part's greatest score",                                                    \
         .shape = "P H",                                                                           \
         .dtypes = RP_DT(RP_F32),                                                                  \
         .access = RP_WRITE},                                                                      \
    {                                                                                              \
        .name = "sums", .brief = "the sum of each part's weights", .shape = "P H",                 \
        .dtypes = RP_DT(RP_F32), .access = RP_WRITE                                                \
    }

#define SPLITS                                                                                     \
    {                                                                                              \
        .name = "splits", .brief = "parts, P", .kind = RP_ATTR_INTEGER, .symbol = 'P',             \
        .fallback = 8, .low = 1, .high = 256                                                       \
    }

const rp_op rp_ops_attention[] = {
    {
        .name = "rope",
        .family = "attention",
        .brief = "rotary position embedding: turns pairs of elements by the token's position",
        .notes =
            "Pair j of a head turns by position * base^(-2j / dims), or by position * "
            "frequencies[j]. Angles are reduced exactly, whatever the position: the relative "
            "error of an angle is that of its frequency, at most 2^-21, and sine and cosine "
            "add 2^-22. A position of 64 bits that 32 do not hold counts as the nearest that they "
            "do. Elements past `dims` stay as they are. An infinity in a pair makes "
            "infinities or NaN of both; position 0 changes nothing but for that.",
        .form = RP_OP_POINTWISE,
        .text = 350,
        .operand_count = 4,
        .attr_count = 3,
        .operands = {{.name = "x",
                      .sites = 3,
                      .brief = "tokens, heads, elements",
                      .shape = "*T H D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_PAIR},
                     {.name = "positions",
                      .sites = 2,
                      .brief = "of the tokens",
                      .shape = "*T",
                      .dtypes = RP_DT_ID},
                     {.name = "frequencies",
                      .brief =
                          "radians for each position, below 2 pi, for each pair; else by `base`",
                      .shape = "F",
                      .dtypes = RP_DT(RP_F32),
                      .optional = true,
                      .absent = "1.0"},
                     {.name = "out",
                      .brief = "the same, turned",
                      .shape = "*T H D",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE,
                      .like = "x"}},
        .attrs = {{.name = "base",
                   .brief = "the slowest pair turns about so many times slower than the first",
                   .kind = RP_ATTR_NUMBER,
                   .fallback = 10000,
                   .low = 1,
                   .high = 1e12},
                  {.name = "layout",
                   .brief = "pairs: j and j + dims / 2 (neox), or 2j and 2j + 1 (interleaved)",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "neox|interleaved"},
                  {.name = "dims",
                   .brief = "elements at the front of each head that turn; 0: all",
                   .kind = RP_ATTR_INTEGER,
                   .high = UINT32_MAX}},
        .flops = 60,
        .rule = rule_rope,
    },
    {
        .name = "attention_partial",
        .family = "attention",
        .brief = "decoding: attention of one token over parts of a cache",
        .notes = "Part p takes rows [p * c, (p + 1) * c) of the first `length` ones, where c is "
                 "length / P, rounded up to a multiple of 32. Its results are relative to its "
                 "greatest score; attention_combine joins the parts. A part without rows has sum "
                 "0 and maximum -inf. Query head h reads head h / (H / G) of the cache. " SOFTMAX,
        .form = RP_OP_KERNEL,
        .operand_count = 7,
        .attr_count = 3,
        .operands = {{.name = "q",
                      .brief = "the token's queries",
                      .shape = "*H D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .hook = true,
                      .late = true,
                      .reads = "HDP"},
                     {.name = "k",
                      .brief = "keys in the cache",
                      .shape = "S G D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY},
                     {.name = "v",
                      .brief = "values in the cache",
                      .shape = "S G D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY},
                     {.name = "length",
                      .brief = "rows of the cache that take part, the first ones; S at most",
                      .shape = "",
                      .dtypes = RP_DT(RP_U32),
                      .at = RP_AT_ANY},
                     PARTS},
        .attrs = {SPLITS, SCALE_AND_CAP},
        .length = "S",
        .variants = partial_variants,
        .flops = 4,
        .rule = rule_partial,
    },
    {
        .name = "attention_append",
        .family = "attention",
        .brief = "decoding: puts a token's key and value into a cache and attends to parts of it",
        .notes =
            "The same as storing key and value, rounded to the cache's dtype, in row `position` "
            "of k and v, and attention_partial over the cache then. One op, so that whoever "
            "reads the cache need not wait for the new row to be in memory. A position of S or "
            "more is stored nowhere; one from `length` on is stored and takes no part. " SOFTMAX,
        .form = RP_OP_KERNEL,
        .operand_count = 10,
        .attr_count = 3,
        .operands = {{.name = "q",
                      .brief = "the token's queries",
                      .shape = "*H D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .hook = true,
                      .late = true,
                      .reads = "HDP"},
                     {.name = "key",
                      .brief = "its key, for each head of the cache",
                      .shape = "*G D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .hook = true,
                      .late = true},
                     {.name = "value",
                      .brief = "its value",
                      .shape = "*G D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .hook = true,
                      .late = true},
                     {.name = "position",
                      .brief = "the row of the cache that they become",
                      .shape = "",
                      .dtypes = RP_DT(RP_U32),
                      .at = RP_AT_ANY},
                     {.name = "length",
                      .brief = "rows of the cache that take part, the first ones; S at most",
                      .shape = "",
                      .dtypes = RP_DT(RP_U32),
                      .at = RP_AT_ANY},
                     PARTS,
                     {.name = "k",
                      .brief = "keys in the cache",
                      .shape = "S G D",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_READ_WRITE},
                     {.name = "v",
                      .brief = "values in the cache",
                      .shape = "S G D",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_READ_WRITE}},
        .attrs = {SPLITS, SCALE_AND_CAP},
        .length = "S",
        .variants = append_variants,
        .flops = 4,
        .rule = rule_append,
    },
    {
        .name = "attention_combine",
        .family = "attention",
        .brief = "decoding: joins the parts of attention_partial",
        .notes = "Parts whose sum is 0 do not count; without any other the result is zeros. NaN in "
                 "a part that counts gives NaN.",
        .form = RP_OP_POINTWISE,
        .text = 150,
        .operand_count = 4,
        .operands = {{.name = "partial",
                      .sites = 5,
                      .brief = "each part's values",
                      .shape = "P H D",
                      .dtypes = RP_DT(RP_F32),
                      .reads = "PHD"},
                     {.name = "maxima",
                      .sites = 4,
                      .brief = "its greatest score",
                      .shape = "P H",
                      .dtypes = RP_DT(RP_F32),
                      .reads = "PHD"},
                     {.name = "sums",
                      .sites = 4,
                      .brief = "its weights' sum",
                      .shape = "P H",
                      .dtypes = RP_DT(RP_F32),
                      .reads = "PHD"},
                     {.name = "out",
                      .brief = "the weighted mean of the values",
                      .shape = "*H D",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE}},
        .length = "P",
        .flops = 12,
    },
    {
        .name = "attention_prefill",
        .family = "attention",
        .brief = "attention of many tokens over a cache that holds them already",
        .notes =
            "Row past + t of the cache is that of token t. A causal token sees rows up to its "
            "own, others see all of past + T; rows beyond S do not exist. Query head h reads "
            "head h / (H / G) of the cache. Several sequences have a cache each, with the same "
            "`past`; over one cache all tokens are one sequence. `mask` is for sequences that "
            "are filled up to one length: what it gives for a row is added to all scores of "
            "the row, behind `softcap`. " SOFTMAX
            " With cooperative matrices weights are rounded to f16, each by up to 2^-11 of itself.",
        .form = RP_OP_KERNEL,
        .operand_count = 6,
        .attr_count = 3,
        .operands = {{.name = "q",
                      .brief = "the tokens' queries",
                      .shape = "*B W H D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .hook = true,
                      .reads = "BWHD"},
                     {.name = "k",
                      .brief = "keys in the caches",
                      .shape = "*A S G D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY},
                     {.name = "v",
                      .brief = "values in the caches",
                      .shape = "*A S G D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY},
                     {.name = "past",
                      .brief = "rows of the cache before these tokens; without, there are none",
                      .shape = "",
                      .dtypes = RP_DT(RP_U32),
                      .at = RP_AT_ANY,
                      .optional = true,
                      .absent = "0u"},
                     {.name = "mask",
                      .brief = "is added to the scores of each row, -inf to leave it out; of "
                               "bool, 0 leaves it out",
                      .shape = "*A S",
                      .dtypes = RP_DT_FLOAT | RP_DT(RP_BOOL),
                      .mask = true,
                      .at = RP_AT_ANY,
                      .optional = true,
                      .absent = "0.0"},
                     {.name = "out",
                      .brief = "for each token and head, the weighted mean of the values",
                      .shape = "*B W H D",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE,
                      .hook = true,
                      .like = "q"}},
        .attrs = {{.name = "causal",
                   .brief = "1: tokens do not see later ones",
                   .kind = RP_ATTR_INTEGER,
                   .fallback = 1,
                   .high = 1},
                  SCALE_AND_CAP},
        .length = "S",
        .variants = rp_op_prefill_variants,
        .flops = 4,
        .rule = rp_op_prefill_rule,
    },
};

const uint32_t rp_ops_attention_count = sizeof rp_ops_attention / sizeof *rp_ops_attention;
