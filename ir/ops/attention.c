/* Family attention: rotary positions, and scaled dot-product attention over a cache.
 *
 * Decoding has one query a head and a long cache. What costs is reading the cache, so its rows are
 * split over workgroups (attention_partial), each with its own maximum, and the parts are joined
 * afterwards (attention_combine, which is pointwise and so computed where it is needed). Prefill
 * has many queries; its kernel goes over the cache tile by tile with an online softmax.
 *
 * What a row of a cache is, and which of them a token sees, is one text for all: kernels/attention/rows.glsl.
 *
 * How many rows of the cache are filled is read from a buffer, usually a live value: one recorded
 * graph serves every step. */

#include "ops/attention.h"
#include "ops/tables.h"

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

/* ---- attention_combine ----------------------------------------------------------------------- */

static bool rule_combine(rp_op_call *call) {
    enum { SINKS = 3 };
    uint64_t heads = rp_sym(call, 'H'), sinks = rp_sym(call, 'S');
    if (call->operands[SINKS].absent || (sinks ? heads % sinks == 0 : heads == 0)) return true;
    return rp_op_fail(call, "sinks has %llu elements, expected a divisor of the %llu heads",
                      (unsigned long long)sinks, (unsigned long long)heads);
}

/* ---- cache_slots ----------------------------------------------------------------------------- */

/* How many tokens there are is said by attributes, or by the shape of what is written, which may vary. */
enum { SLOTS_TABLE = 1, SLOTS_OFFSETS, SLOTS_CACHE, SLOTS_OUT };
static bool bind_tokens(rp_op_call *call) {
    return rp_op_bind_shown(call, 'A', SLOTS_OUT, 0) && rp_op_bind_shown(call, 'T', SLOTS_OUT, 1);
}

/* How many rows a cache or page has, and how many of these there are, is said by attributes, or by the shape of
 * the caches, which may vary. */
static bool bind_rows(rp_op_call *call) {
    const rp_tensor *cache = &call->operands[SLOTS_CACHE];
    uint64_t count = 1;
    if (cache->absent)
        return rp_op_is_bound(call, 'S') ||
               rp_op_fail(call, "neither attribute rows nor the shape of cache says how many "
                                "there are");
    if (cache->rank < 3)
        return rp_op_fail(call, "cache has %u dimensions, expected [..., rows, heads, elements]",
                          cache->rank);
    for (uint32_t i = 0; i + 3 < cache->rank; i++)
        count *= cache->dims[i]; /* of a checked tensor */
    const uint64_t found[] = {cache->dims[cache->rank - 3], count};
    for (uint32_t i = 0; i < 2; i++) {
        if (rp_op_is_bound(call, "SN"[i]) && rp_sym(call, "SN"[i]) != found[i])
            return rp_op_fail(call, "attribute %s is %llu, and cache has %llu",
                              i ? "count" : "rows", (unsigned long long)rp_sym(call, "SN"[i]),
                              (unsigned long long)found[i]);
        rp_op_bind(call, "SN"[i], found[i]);
    }
    return true;
}

/* Numbers of sequences, and lines of a table, are one for all or one for each; rows of all caches or pages
 * are numbers of 32 bits. Binds B, the sequences. */
static bool rule_slots(rp_op_call *call) {
    if (!bind_tokens(call) || !bind_rows(call)) return false;
    uint64_t sequences = rp_sym(call, 'A'), count = rp_sym(call, 'N'), rows = rp_sym(call, 'S');
    if (!call->operands[SLOTS_OFFSETS].absent) {
        if (sequences != 1 || rp_sym(call, 'Z') < 2)
            return rp_op_fail(call,
                              "packed tokens are of %llu sequences of their offsets, expected "
                              "sequences to be 1 and an offset more than sequences",
                              (unsigned long long)rp_sym(call, 'Z') - 1);
        sequences = rp_sym(call, 'Z') - 1;
    }
    bool paged = !call->operands[SLOTS_TABLE].absent;
    bool counted = rp_op_is_bound(call, 'N');
    if (paged && !counted)
        return rp_op_fail(call,
                          "neither attribute count nor the shape of cache says how many pages "
                          "there are");
    if (!counted) count = sequences;
    if (rp_sym(call, 'K') != 1 && rp_sym(call, 'K') != sequences)
        return rp_op_fail(call,
                          "position has %llu elements, expected 1 or as many as sequences, %llu",
                          (unsigned long long)rp_sym(call, 'K'), (unsigned long long)sequences);
    if ((paged ? rp_sym(call, 'V') : count) != sequences)
        return rp_op_fail(call, "there are %llu caches, expected one for each sequence, %llu",
                          (unsigned long long)(paged ? rp_sym(call, 'V') : count),
                          (unsigned long long)sequences);
    uint64_t room = paged ? rp_sym(call, 'X') : 1;
    if (count * rows > INT32_MAX || room > INT32_MAX || room * rows > INT32_MAX)
        return rp_op_fail(call, "caches have more than 2147483647 rows");
    rp_op_bind(call, 'B', sequences);
    rp_op_bind(call, 'N', count);
    return true;
}

/* ---- The table ------------------------------------------------------------------------------- */

enum { CACHE = RP_DT_FLOAT | RP_DT(RP_Q8_0) };

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

#define WINDOW_AND_RING                                                                            \
    {.name = "window",                                                                             \
     .brief = "rows that a token sees up to its own, and as many from there; 0: all",              \
     .kind = RP_ATTR_INTEGER,                                                                      \
     .high = UINT32_MAX},                                                                          \
    {                                                                                              \
        .name = "ring", .brief = "1: row r lies in slot r % S of the cache",                       \
        .kind = RP_ATTR_INTEGER, .high = 1                                                         \
    }

#define CAUSAL                                                                                     \
    {                                                                                              \
        .name = "causal", .brief = "1: the token does not see rows behind its own",                \
        .kind = RP_ATTR_INTEGER, .high = 1                                                         \
    }

/* Queries of one token of each sequence. */
#define QUERIES                                                                                    \
    {                                                                                              \
        .name = "q", .brief = "the tokens' queries", .shape = "*B H D", .dtypes = RP_DT_FLOAT,     \
        .at = RP_AT_ANY, .hook = true, .late = true, .reads = "ODP"                                \
    }

#define LENGTH                                                                                     \
    {                                                                                              \
        .name = "length", .brief = "rows of the cache that take part, the first ones",             \
        .shape = "*K", .dtypes = RP_DT_INDEX, .taken = RP_DT_COUNT, .at = RP_AT_ANY                \
    }

#define MASK(shape_)                                                                               \
    {                                                                                              \
        .name = "mask",                                                                            \
        .brief = "is added to scores, -inf to leave a row out; of bool, 0 leaves it out",          \
        .shape = shape_, .dtypes = RP_DT_FLOAT | RP_DT(RP_BOOL), .mask = true, .at = RP_AT_ANY,    \
        .optional = true, .absent = "0.0"                                                          \
    }

#define TABLE                                                                                      \
    {                                                                                              \
        .name = "table", .brief = "the pages of each sequence, where k and v are pages",           \
        .shape = "*V X", .dtypes = RP_DT_INDEX, .taken = RP_DT_COUNT, .at = RP_AT_ANY,             \
        .optional = true, .absent = "0u"                                                           \
    }

#define COUNT(name_, brief_, symbol_)                                                              \
    {                                                                                              \
        .name = name_, .brief = brief_, .kind = RP_ATTR_INTEGER, .symbol = symbol_,                \
        .high = UINT32_MAX                                                                         \
    }

/* What each part gives. */
#define PARTS                                                                                      \
    {.name = "partial",                                                                            \
     .brief = "each part's values, weighted and added up",                                         \
     .shape = "P O D",                                                                             \
     .dtypes = RP_DT(RP_F32),                                                                      \
     .access = RP_WRITE},                                                                          \
        {.name = "maxima",                                                                         \
         .brief = "each part's greatest score",                                                    \
         .shape = "P O",                                                                           \
         .dtypes = RP_DT(RP_F32),                                                                  \
         .access = RP_WRITE},                                                                      \
    {                                                                                              \
        .name = "sums", .brief = "the sum of each part's weights", .shape = "P O",                 \
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
        .brief = "decoding: attention of one token of each sequence over parts of its cache",
        .notes = "The rows that the token sees, the first `length` ones as far as causality and a "
                 "window leave them, are cut into P parts of c each, where c is their number / P, "
                 "rounded up to a multiple of 32. A part's results are relative to its "
                 "greatest score; attention_combine joins the parts. A part without rows has sum "
                 "0 and maximum -inf. The token's own row is `position`; without, the last of "
                 "the length. Over one cache all heads of q are those of one token. Masks, rings, "
                 "tables of pages and numbers of sequences are as in attention_prefill, of T = "
                 "1. " SOFTMAX,
        .form = RP_OP_KERNEL,
        .operand_count = 10,
        .attr_count = 6,
        .operands = {QUERIES,
                     {.name = "k",
                      .brief = "keys in the cache",
                      .shape = "*A S G D",
                      .dtypes = CACHE,
                      .at = RP_AT_ANY},
                     {.name = "v",
                      .brief = "values in the cache",
                      .shape = "*A S G D",
                      .dtypes = CACHE,
                      .at = RP_AT_ANY},
                     LENGTH,
                     {.name = "position",
                      .brief = "the token's own row, for causality and a window",
                      .shape = "*N",
                      .dtypes = RP_DT_INDEX,
                      .taken = RP_DT_COUNT,
                      .at = RP_AT_ANY,
                      .optional = true,
                      .absent = "0u"},
                     MASK("*M Y"),
                     TABLE,
                     PARTS},
        .attrs = {SPLITS, SCALE_AND_CAP, CAUSAL, WINDOW_AND_RING},
        .length = "S",
        .variants = rp_op_partial_variants,
        .flops = 4,
        .rule = rp_op_partial_rule,
    },
    {
        .name = "attention_append",
        .family = "attention",
        .brief = "decoding: puts a token's key and value into a cache and attends to parts of it",
        .notes =
            "The same as storing key and value, rounded to the cache's dtype, in row `position` "
            "of k and v, and attention_partial over the cache then. One op, so that whoever "
            "reads the cache need not wait for the new row to be in memory. Blocks of q8_0 are "
            "those of quantize_q8_0. A position of S or more is stored nowhere, nor one in a page "
            "that is not there; one from `length` on is stored and takes no part. In a ring one "
            "that is not of the last S of `length` rows is stored nowhere. No two sequences may "
            "have a row in common that is stored. " SOFTMAX,
        .form = RP_OP_KERNEL,
        .operand_count = 12,
        .attr_count = 6,
        .operands = {QUERIES,
                     {.name = "key",
                      .brief = "its key, for each head of the cache",
                      .shape = "*C G D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .hook = true,
                      .late = true},
                     {.name = "value",
                      .brief = "its value",
                      .shape = "*E G D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .hook = true,
                      .late = true},
                     {.name = "position",
                      .brief = "the row of the cache that they become",
                      .shape = "*N",
                      .dtypes = RP_DT_INDEX,
                      .taken = RP_DT_COUNT,
                      .at = RP_AT_ANY},
                     LENGTH,
                     MASK("*M Y"),
                     TABLE,
                     PARTS,
                     {.name = "k",
                      .brief = "keys in the cache",
                      .shape = "*Q R G D",
                      .dtypes = CACHE,
                      .access = RP_READ_WRITE},
                     {.name = "v",
                      .brief = "values in the cache",
                      .shape = "*Q R G D",
                      .dtypes = CACHE,
                      .access = RP_READ_WRITE}},
        .attrs = {SPLITS, SCALE_AND_CAP, CAUSAL, WINDOW_AND_RING},
        .length = "S",
        .variants = rp_op_append_variants,
        .flops = 4,
        .rule = rp_op_append_rule,
    },
    {
        .name = "attention_combine",
        .family = "attention",
        .brief = "decoding: joins the parts of attention_partial",
        .notes = "Parts whose sum is 0 do not count; without any other the result is zeros. NaN in "
                 "a part that counts gives NaN. `sinks` are as in attention_prefill, of each "
                 "sequence's heads, whose number divides H.",
        .form = RP_OP_POINTWISE,
        .text = 150,
        .operand_count = 5,
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
                     {.name = "sinks",
                      .sites = 2,
                      .brief = "a score of each head that takes weight and gives no value",
                      .shape = "S",
                      .dtypes = RP_DT_FLOAT,
                      .optional = true,
                      .absent = "0.0"},
                     {.name = "out",
                      .brief = "the weighted mean of the values",
                      .shape = "*H D",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE}},
        .length = "P",
        .flops = 12,
        .rule = rule_combine,
    },
    {
        .name = "attention_prefill",
        .family = "attention",
        .brief = "attention of many tokens over a cache that holds them already",
        .notes =
            "Row past + t of a sequence is that of its token t. A token sees the first `length` "
            "rows, of these as a causal one those up to its own, and with a window W those less "
            "than W rows away. Without `length` they are past + T, or all that the cache has "
            "(`whole`); without `past` a sequence's tokens are the last of its `length` rows, or "
            "row 0 on. Rows beyond S do not exist; in a ring row r lies in slot r % S, and the "
            "last S of `length` rows exist. Query head h reads head h / (H / G) of the cache. "
            "Several sequences have a cache each; over one cache all tokens are one sequence. "
            "Numbers of sequences are one for all or one for each; those below 0 count as 0.\n\n"
            "`mask` has a number for each row of the cache, as it lies there: [A, S], or [A or 1, "
            "H or 1, T or 1, S] where it differs by head or token. It is added to scores, behind "
            "`softcap`. `sinks` has one score a head that no value belongs to: it is as it is, "
            "neither scaled nor capped.\n\n"
            "With `table` k and v are pages, [pages, rows, G, D]: row r lies in row r % rows of "
            "page table[b, r / rows], and S is what a line of the table has room for. Rows of a "
            "page that is not there are seen by nobody. With `q_offsets` q is packed: tokens "
            "q_offsets[b] to q_offsets[b + 1] are those of sequence b, and the results of tokens "
            "behind the last one's are zeros. The first offset is 0, and none is less than the "
            "one before it: else results mean nothing. With `k_offsets` k and v are packed as "
            "well, and a sequence has the rows between its offsets. " SOFTMAX
            " With cooperative matrices weights are rounded to f16, each by up to 2^-11 of itself.",
        .form = RP_OP_KERNEL,
        .operand_count = 11,
        .attr_count = 6,
        .operands = {{.name = "q",
                      .brief = "the tokens' queries",
                      .shape = "*B W H D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .hook = true,
                      .reads = "BWHD"},
                     {.name = "k",
                      .brief = "keys in the caches, or pages of them",
                      .shape = "*A S G D",
                      .dtypes = CACHE,
                      .at = RP_AT_ANY},
                     {.name = "v",
                      .brief = "values in the caches",
                      .shape = "*A S G D",
                      .dtypes = CACHE,
                      .at = RP_AT_ANY},
                     {.name = "past",
                      .brief = "rows of the cache before these tokens",
                      .shape = "*K",
                      .dtypes = RP_DT_INDEX,
                      .taken = RP_DT_COUNT,
                      .at = RP_AT_ANY,
                      .optional = true,
                      .absent = "0u"},
                     MASK("*J Y"),
                     {.name = "length",
                      .brief = "rows that take part, the first ones",
                      .shape = "*O",
                      .dtypes = RP_DT_INDEX,
                      .taken = RP_DT_COUNT,
                      .at = RP_AT_ANY,
                      .optional = true,
                      .absent = "0u"},
                     {.name = "sinks",
                      .brief = "a score of each head that takes weight and gives no value",
                      .shape = "H",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .optional = true,
                      .absent = "0.0"},
                     TABLE,
                     {.name = "q_offsets",
                      .brief = "where each sequence's tokens begin, and where the last one's end",
                      .shape = "Z",
                      .dtypes = RP_DT_INDEX,
                      .taken = RP_DT_COUNT,
                      .at = RP_AT_ANY,
                      .optional = true,
                      .absent = "0u"},
                     {.name = "k_offsets",
                      .brief = "the same of rows of k and v",
                      .shape = "M",
                      .dtypes = RP_DT_INDEX,
                      .taken = RP_DT_COUNT,
                      .at = RP_AT_ANY,
                      .optional = true,
                      .absent = "0u"},
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
                  SCALE_AND_CAP,
                  WINDOW_AND_RING,
                  {.name = "whole",
                   .brief = "1: where no length is given, all rows take part",
                   .kind = RP_ATTR_INTEGER,
                   .high = 1}},
        .length = "S",
        .variants = rp_op_prefill_variants,
        .flops = 4,
        .rule = rp_op_prefill_rule,
    },
    {
        .name = "cache_slots",
        .family = "attention",
        .brief = "where tokens' rows go in caches: numbers of rows for scatter_rows",
        .notes =
            "Token t of sequence b has row position + t; 0xffffffff, which is nowhere, where its "
            "cache has no such row, or its page is not there. In a ring row r goes to slot r % S, "
            "and of more than S tokens the last S go somewhere. Tables, offsets and numbers of "
            "sequences are as in attention_prefill. Rows of cache b are b * S and those behind it, "
            "those of page p p * S. Exact.",
        .form = RP_OP_POINTWISE,
        .operand_count = 5,
        .attr_count = 5,
        .operands =
            {{.name = "position",
              .brief = "the row of each sequence's first token",
              .shape = "*K",
              .dtypes = RP_DT_INDEX,
              .taken = RP_DT_COUNT},
             {.name = "table",
              .brief = "the pages of each sequence, where caches are pages",
              .shape = "*V X",
              .dtypes = RP_DT_INDEX,
              .taken = RP_DT_COUNT,
              .optional = true,
              .absent = "0u"},
             {.name = "q_offsets",
              .brief = "where each sequence's tokens begin, and where the last one's end",
              .shape = "Z",
              .dtypes = RP_DT_INDEX,
              .taken = RP_DT_COUNT,
              .sites = 2,
              .optional = true,
              .absent = "0u"},
             {.name = "cache",
              .brief =
                  "the caches or pages, [..., rows, heads, elements], of which the shape alone "
                  "is looked at",
              .shape = "*C",
              .dtypes = RP_DT_FLOAT | RP_DT(RP_Q8_0),
              .reads = "",
              .optional = true,
              .absent = "0.0"},
             {.name = "out",
              .brief = "a row for each token",
              .shape = "A T",
              .dtypes = RP_DT(RP_U32),
              .access = RP_WRITE}},
        .attrs = {COUNT("sequences", "of T tokens each; 1 where they are packed; 0: as out says",
                        'A'),
                  COUNT("tokens", "of each sequence, or all where they are packed; 0: as out says",
                        'T'),
                  COUNT("rows", "of each cache or page; 0: as cache says", 'S'),
                  COUNT("count",
                        "of the caches or pages; 0: as cache says, or one for each sequence", 'N'),
                  {.name = "ring",
                   .brief = "1: row r goes to slot r % S",
                   .kind = RP_ATTR_INTEGER,
                   .high = 1}},
        .flops = 8,
        .rule = rule_slots,
    },
};

const uint32_t rp_ops_attention_count = sizeof rp_ops_attention / sizeof *rp_ops_attention;
