/* Family attention: rotary positions, and scaled dot-product attention over a cache.
 *
 * Decoding has one query a head and a long cache. What costs is reading the cache, so its rows are
 * split over workgroups (attention_partial), each with its own maximum, and the parts are joined
 * afterwards (attention_combine, which is pointwise and so computed where it is needed). Prefill
 * has many queries; its kernel goes over the cache tile by tile with an online softmax.
 *
 * How many rows of the cache are filled is read from a buffer, usually a live value: one recorded
 * graph serves every step. */

#include "ops/matrices.h"
#include "ops/tables.h"

enum {
    MAX_HEAD = 256, /* elements of a head: kernels keep a head in shared memory */
    MAX_SHARED = 8, /* query heads that a workgroup computes over one head of the cache */
    MAX_GRID = 65535,
};

static void bind(rp_op_call *call, char symbol, uint64_t value) {
    call->symbols[symbol - 'A'] = value;
}

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
    bind(call, 'R', turning);
    return true;
}

/* ---- Attention: what the kernels share ------------------------------------------------------- */

/* Heads that fit, and H / G as L. */
static bool check_heads(rp_op_call *call) {
    uint64_t heads = rp_sym(call, 'H'), groups = rp_sym(call, 'G'), size = rp_sym(call, 'D');
    if (size > MAX_HEAD)
        return rp_op_fail(call, "heads have %llu elements; at most %d are possible",
                          (unsigned long long)size, MAX_HEAD);
    if (heads % groups != 0)
        return rp_op_fail(call, "q has %llu heads, expected a multiple of the %llu of k and v",
                          (unsigned long long)heads, (unsigned long long)groups);
    if (heads > MAX_GRID)
        return rp_op_fail(call, "q has %llu heads; at most %d are possible",
                          (unsigned long long)heads, MAX_GRID);
    if (call->operands[1].dtype != call->operands[2].dtype)
        return rp_op_fail(call, "k is %s and v is %s; they must be the same",
                          rp_dtype_name(call->operands[1].dtype),
                          rp_dtype_name(call->operands[2].dtype));
    bind(call, 'L', heads / groups);
    return true;
}

/* ---- attention_partial ----------------------------------------------------------------------- */

enum { PARTIAL_SPLITS, PARTIAL_SCALE, PARTIAL_CAP };

static uint64_t sharing_groups(const rp_op_call *call) {
    return ceil_div(rp_sym(call, 'L'), MAX_SHARED);
}

static bool rule_partial(rp_op_call *call) {
    if (!check_heads(call)) return false;
    if (rp_sym(call, 'G') * sharing_groups(call) > MAX_GRID)
        return rp_op_fail(call, "there are too many heads");
    return true;
}

/* L query heads read one head of the cache; binds Z, the workgroups that share them, and J, the
 * heads of each. */
static void bind_partial(rp_op_call *call, const rp_target *target) {
    (void)target;
    bind(call, 'Z', sharing_groups(call));
    bind(call, 'J', ceil_div(rp_sym(call, 'L'), sharing_groups(call)));
}

static const rp_op_variant partial_variants[] = {
    {
        .name = "tiles",
        .when = "always",
        .why = "a workgroup reads a part of the cache once, for up to 8 heads",
        .text = 1500,
        .groups = "GPZ",
        .reads = {[1] = "SGDZ", [2] = "SGDZ"},
        .bind = bind_partial,
    },
    {0},
};

/* ---- attention_combine ----------------------------------------------------------------------- */

/* ---- attention_prefill ----------------------------------------------------------------------- */

enum { PREFILL_CAUSAL, PREFILL_SCALE, PREFILL_CAP };

/* Of a workgroup, so that they fill 16 KiB. */
static uint64_t queries_of(const rp_op_call *call) {
    return rp_sym(call, 'D') <= MAX_HEAD / 2 ? 32 : 16;
}

static bool rule_prefill(rp_op_call *call) {
    if (!check_heads(call)) return false;
    uint64_t queries = queries_of(call);
    if (ceil_div(rp_sym(call, 'T'), queries) > MAX_GRID)
        return rp_op_fail(call, "q has %llu tokens; at most %llu are possible",
                          (unsigned long long)rp_sym(call, 'T'),
                          (unsigned long long)(queries * MAX_GRID));
    return true;
}

/* Binds X, the queries of a workgroup, and N, the workgroups for all. */
static void bind_prefill(rp_op_call *call, const rp_target *target) {
    (void)target;
    bind(call, 'X', queries_of(call));
    bind(call, 'N', ceil_div(rp_sym(call, 'T'), queries_of(call)));
}

/* For 32 rows of the cache: 64 columns of k at a time, then the rows of v. */
static double prefill_turns(const rp_op_call *call) {
    uint64_t tiles = ceil_div(rp_sym(call, 'S'), 32), slices = ceil_div(rp_sym(call, 'D'), 64);
    return (double)tiles * (66 * (double)slices + 48);
}

static const rp_op_variant prefill_variants[] = {
    {
        .name = "matrices",
        .when = "q, k and v of f16, heads of a multiple of 16 up to 128, on a target with "
                "cooperative matrices of f16 and sums of f32 whose layout is known",
        .why = "scores and sums in registers, multiplied by cooperative matrices; weights are "
               "rounded to f16",
        .text = 2500,
        .threads = 128,
        .groups = "NH",
        .needs = RP_OP_MATRIX_NEEDS | RP_NEED_SUBGROUP_SHUFFLE | RP_NEED_SUBGROUP_VOTE,
        .sites = {9, 9, 12, [4] = 8},
        .reads = {[1] = "NHSD", [2] = "NHSD"},
        .fits = rp_op_prefill_matrices_fit,
        .bind = rp_op_prefill_matrices_bind,
        .explain = rp_op_prefill_matrices_explain,
    },
    {
        .name = "tiles",
        .when = "always",
        .why = "16 or 32 queries in shared memory while the cache goes by",
        .text = 1200,
        .groups = "NH",
        .reads = {[1] = "NHSD", [2] = "NHSD"},
        .bind = bind_prefill,
        .turns = prefill_turns,
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

const rp_op rp_ops_attention[] = {
    {
        .name = "rope",
        .family = "attention",
        .brief = "rotary position embedding: turns pairs of elements by the token's position",
        .notes = "Pair j of a head turns by position * base^(-2j / dims), or by position * "
                 "frequencies[j]. Angles are reduced exactly, whatever the position: the relative "
                 "error of an angle is that of its frequency, at most 2^-21, and sine and cosine "
                 "add 2^-22. Elements past `dims` stay as they are. An infinity in a pair makes "
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
                      .dtypes = RP_DT_INDEX},
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
                     {.name = "partial",
                      .brief = "each part's values, weighted and added up",
                      .shape = "P H D",
                      .dtypes = RP_DT(RP_F32),
                      .access = RP_WRITE},
                     {.name = "maxima",
                      .brief = "each part's greatest score",
                      .shape = "P H",
                      .dtypes = RP_DT(RP_F32),
                      .access = RP_WRITE},
                     {.name = "sums",
                      .brief = "the sum of each part's weights",
                      .shape = "P H",
                      .dtypes = RP_DT(RP_F32),
                      .access = RP_WRITE}},
        .attrs = {{.name = "splits",
                   .brief = "parts, P",
                   .kind = RP_ATTR_INTEGER,
                   .symbol = 'P',
                   .fallback = 8,
                   .low = 1,
                   .high = 256},
                  SCALE_AND_CAP},
        .length = "S",
        .variants = partial_variants,
        .flops = 4,
        .rule = rule_partial,
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
        .notes = "Row past + t of the cache is that of token t. A causal token sees rows up to its "
                 "own, others see all of past + T; rows beyond S do not exist. Query head h reads "
                 "head h / (H / G) of the cache. " SOFTMAX " With cooperative matrices weights are "
                 "rounded to f16, each by up to 2^-11 of itself.",
        .form = RP_OP_KERNEL,
        .operand_count = 5,
        .attr_count = 3,
        .operands = {{.name = "q",
                      .brief = "the tokens' queries",
                      .shape = "*T H D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .hook = true,
                      .reads = "THD"},
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
                     {.name = "past",
                      .brief = "rows of the cache before these tokens",
                      .shape = "",
                      .dtypes = RP_DT(RP_U32),
                      .at = RP_AT_ANY},
                     {.name = "out",
                      .brief = "for each token and head, the weighted mean of the values",
                      .shape = "*T H D",
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
        .variants = prefill_variants,
        .flops = 4,
        .rule = rule_prefill,
    },
};

const uint32_t rp_ops_attention_count = sizeof rp_ops_attention / sizeof *rp_ops_attention;
