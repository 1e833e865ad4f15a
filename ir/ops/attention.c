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

/* Binds T, the tokens of a sequence: where there is one cache, all tokens are of one sequence. A are
 * the caches, and the sequences. */
static bool rule_prefill(rp_op_call *call) {
    if (!check_heads(call)) return false;
    uint64_t caches = rp_sym(call, 'A'), batches = rp_sym(call, 'B'), tokens = rp_sym(call, 'W');
    if (caches != 1 && caches != batches)
        return rp_op_fail(call, "q has %llu sequences and k %llu caches, expected 1 or as many",
                          (unsigned long long)batches, (unsigned long long)caches);
    if (caches == 1) tokens *= batches;
    uint64_t queries = queries_of(call);
    if (ceil_div(tokens, queries) > MAX_GRID)
        return rp_op_fail(call, "q has %llu tokens; at most %llu are possible",
                          (unsigned long long)tokens, (unsigned long long)(queries * MAX_GRID));
    if (caches > MAX_GRID)
        return rp_op_fail(call, "there are %llu sequences; at most %d are possible",
                          (unsigned long long)caches, MAX_GRID);
    bind(call, 'T', tokens);
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

/* How a workgroup of kernels/attention_prefill/registers.glsl is made: rows of sums that a thread
 * has, and teams of threads. */
typedef struct prefill {
    uint32_t rows, teams;
} prefill;

/* Tokens of a workgroup from 128 down to 16: those that share what it loads of the cache. With short
 * heads 256 threads of 4 tokens have room in shared memory, and in registers for more subgroups. */
static const prefill prefills[] = {{4, 32}, {8, 16}, {8, 8}, {4, 8}, {2, 8}};

enum {
    PREFILLS = sizeof prefills / sizeof *prefills,
    TEAM_LANES = 8,
    TILE_KEYS = 32,
    PIECE_DEPTH = 32,
    MOST_SUMS = 64,  /* of a thread */
    WELL_SPREAD = 2, /* workgroups for a multiprocessor, before they are made larger */
};

/* Elements of a head, and zeros to the end of a piece. */
static uint64_t padded_head(const rp_op_call *call) {
    return ceil_div(rp_sym(call, 'D'), PIECE_DEPTH) * PIECE_DEPTH;
}

static uint64_t prefill_groups(const rp_op_call *call, const prefill *p) {
    return rp_sym(call, 'A') * rp_sym(call, 'H') *
           ceil_div(rp_sym(call, 'T'), (uint64_t)p->rows * p->teams);
}

static bool prefill_fits(const rp_op_call *call, const rp_target *target, const prefill *p) {
    uint64_t head = padded_head(call), tokens = (uint64_t)p->rows * p->teams;
    uint64_t words = head / 4 * (tokens + 1) + 2 * (PIECE_DEPTH / 4) * (TILE_KEYS + 1) +
                     p->teams * (TILE_KEYS * (uint64_t)p->rows / 4 + 2);
    return words * 16 + 16 <= target->shared_bytes && p->rows * head / TEAM_LANES <= MOST_SUMS;
}

/* The largest that are enough to go round, and whose tokens are not for the most part beyond the last
 * one; where none are, the smallest. */
static const prefill *choose_prefill(const rp_op_call *call, const rp_target *target) {
    const prefill *best = NULL;
    for (uint32_t i = 0; i < PREFILLS; i++) {
        const prefill *p = &prefills[i];
        bool full = (uint64_t)p->rows * p->teams < 2 * rp_sym(call, 'T');
        if (!prefill_fits(call, target, p)) continue;
        best = p;
        if (full && prefill_groups(call, p) >= WELL_SPREAD * target->multiprocessors) break;
    }
    return best;
}

static bool fits_registers(const rp_op_call *call, const rp_target *target) {
    uint64_t size = target->subgroup;
    bool known = size >= TEAM_LANES && size <= 64 && (size & (size - 1)) == 0;
    return known && choose_prefill(call, target);
}

static void bind_registers(rp_op_call *call, const rp_target *target) {
    const prefill *p = choose_prefill(call, target);
    uint64_t head = padded_head(call);
    bind(call, 'U', p->rows);
    bind(call, 'P', p->teams);
    bind(call, 'C', head);
    bind(call, 'R', head <= 32 ? 32 : head <= 64 ? 16 : head <= 128 ? 8 : 4);
    bind(call, 'N', ceil_div(rp_sym(call, 'T'), (uint64_t)p->rows * p->teams));
}

/* Looking for the rows that count; then for 32 of them the pieces of k, eight turns each, and v. */
static double registers_turns(const rp_op_call *call) {
    uint64_t rows = rp_sym(call, 'S'), pieces = padded_head(call) / PIECE_DEPTH;
    return (double)ceil_div(rows, TEAM_LANES) + 64 +
           (double)ceil_div(rows, TILE_KEYS) * (double)(1 + 9 * pieces + TILE_KEYS + 8);
}

static void explain_registers(const rp_op_call *call, const rp_target *target, rp_text *text) {
    const prefill *p = choose_prefill(call, target);
    rp_text_format(text, "%llu workgroups of %u tokens, %u a thread",
                   (unsigned long long)prefill_groups(call, p), p->rows * p->teams, p->rows);
}

/* Whether a subgroup is the vector of a processor's core: then staging gains nothing. */
static bool fits_lanes(const rp_op_call *call, const rp_target *target) {
    (void)call;
    return target->subgroup == TEAM_LANES && !rp_target_stages(target);
}

/* Rows of the cache that a lane has: no more than there are for all, and few where heads are long, for
 * the text of the sums grows with both. */
static uint64_t rows_of_lane(const rp_op_call *call) {
    uint64_t columns = padded_head(call) / PIECE_DEPTH, each = 4;
    while (each > 1 && (each * columns > 4 || each / 2 * TEAM_LANES >= rp_sym(call, 'S')))
        each /= 2;
    return each;
}

static double lanes_turns(const rp_op_call *call) {
    uint64_t tiles = ceil_div(rp_sym(call, 'S'), TEAM_LANES * rows_of_lane(call));
    return (double)tiles * (double)(1 + ceil_div(rp_sym(call, 'D'), 4)) +
           (double)(TEAM_LANES * (1 + padded_head(call) / PIECE_DEPTH));
}

static void bind_lanes(rp_op_call *call, const rp_target *target) {
    (void)target;
    bind(call, 'V', rows_of_lane(call));
    bind(call, 'C', padded_head(call) / PIECE_DEPTH);
    bind(call, 'N', ceil_div(rp_sym(call, 'T'), TEAM_LANES));
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
        .groups = "NHA",
        .needs = RP_OP_MATRIX_NEEDS | RP_NEED_SUBGROUP_SHUFFLE | RP_NEED_SUBGROUP_VOTE,
        .sites = {9, 9, 12, [4] = 4, [5] = 8},
        .reads = {[1] = "NHASD", [2] = "NHASD"},
        .fits = rp_op_prefill_matrices_fit,
        .bind = rp_op_prefill_matrices_bind,
        .explain = rp_op_prefill_matrices_explain,
    },
    {
        .name = "lanes",
        .when = "subgroups of 8 lanes, and shared memory that is no faster than caches: a "
                "processor's vectors",
        .why =
            "no barrier, few loads: eight tokens at a time, and what all lanes need comes from the "
            "one that loaded it",
        .text = 1400,
        .threads = TEAM_LANES,
        .groups = "NHA",
        .needs = RP_NEED_SUBGROUP_BASIC | RP_NEED_SUBGROUP_SHUFFLE | RP_NEED_SUBGROUP_BALLOT,
        .sites = {5, 5, 5, [5] = 5},
        .reads = {[1] = "NHASD", [2] = "NHASD"},
        .turns = lanes_turns,
        .fits = fits_lanes,
        .bind = bind_lanes,
    },
    {
        .name = "registers",
        .when = "subgroups of a known size, 8 to 64",
        .why = "scores and sums in registers, 2 to 8 tokens a thread; rows at the ends that a mask "
               "leaves out are not read",
        .text = 1400,
        .threads = 64,
        .groups = "NHA",
        .needs = RP_NEED_SUBGROUP_BASIC | RP_NEED_SUBGROUP_SHUFFLE,
        .sites = {5, 5, 5, [4] = 3, [5] = 5},
        .reads = {[1] = "NHASD", [2] = "NHASD"},
        .turns = registers_turns,
        .fits = fits_registers,
        .bind = bind_registers,
        .explain = explain_registers,
    },
    {
        .name = "tiles",
        .when = "always",
        .why = "16 or 32 queries in shared memory while the cache goes by",
        .text = 1200,
        .groups = "NHA",
        .reads = {[1] = "NHASD", [2] = "NHASD"},
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
        .variants = prefill_variants,
        .flops = 4,
        .rule = rule_prefill,
    },
};

const uint32_t rp_ops_attention_count = sizeof rp_ops_attention / sizeof *rp_ops_attention;
