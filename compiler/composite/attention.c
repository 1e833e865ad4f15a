/* The composite `attention`: one contract for decoding and prefill, for caches, rings and pages, for
 * sequences side by side or packed (docs/decisions/0020-attention.md).
 *
 * One token a sequence is attention in parts of the cache, which has a workgroup for each part and head;
 * more tokens are attention_prefill, which shares what it loads of a cache among them. New rows of one
 * token are stored by the kernel that attends to them; those of several tokens by ops in front. */
#include <math.h>
#include <stdio.h>

#include "composite/apply.h"
#include "composite/composite.h"

enum { Q, K, V, LENGTH, KEY, VALUE, POSITION, MASK, SINKS, TABLE, Q_OFFSETS, K_OFFSETS, OUT };
enum { SPLITS, SCALE, SOFTCAP, CAUSAL, WINDOW, RING };

/* What a call is about. */
typedef struct shapes {
    uint64_t sequences, tokens, heads, size; /* tokens of each, or of all packed ones */
    uint64_t count, rows;                    /* caches or pages, and rows of each */
    bool one_token;                          /* given without a dimension of tokens */
} shapes;

static const rp_tensor *tensor_of(const rp_expansion *x, uint32_t operand) {
    return &x->operands[operand]->argument.tensor;
}

static rp_status wrong(rp_expansion *x, const char *what) {
    return rp_apply_error(x->application, RP_BLAME_OP, 0, "attention: %s", what);
}

static rp_status wrong_shape(rp_expansion *x, uint32_t operand, const char *expected) {
    const rp_tensor *t = tensor_of(x, operand);
    if (t->rank == RP_OP_INFER) return wrong(x, "an operand that is read has no shape");
    return rp_apply_error(x->application, RP_BLAME_OP, 0,
                          "attention: %s has %u dimensions, expected %s",
                          x->composite->operands[operand].name, t->rank, expected);
}

static rp_status find_shapes(rp_expansion *x, shapes *out) {
    const rp_tensor *q = tensor_of(x, Q), *k = tensor_of(x, K);
    bool packed = x->operands[Q_OFFSETS];
    if (packed && q->rank != 3) return wrong_shape(x, Q, "[tokens, H, D], for there are q_offsets");
    if (q->rank < 2 || q->rank > 4) return wrong_shape(x, Q, "[H, D], [T, H, D] or [B, T, H, D]");
    if (k->rank < 3 || k->rank > 4) return wrong_shape(x, K, "[S, G, D] or [B, S, G, D]");
    *out = (shapes){.sequences = q->rank == 4 ? q->dims[0] : 1,
                    .tokens = q->rank > 2 ? q->dims[q->rank - 3] : 1,
                    .heads = q->dims[q->rank - 2],
                    .size = q->dims[q->rank - 1],
                    .count = k->rank == 4 ? k->dims[0] : 1,
                    .rows = k->dims[k->rank - 3],
                    .one_token = q->rank == 2};
    if (out->sequences > 1 && !x->operands[TABLE] && out->count != out->sequences)
        return rp_apply_error(x->application, RP_BLAME_OP, 0,
                              "attention: q has %llu sequences and k %llu caches, expected as many",
                              (unsigned long long)out->sequences, (unsigned long long)out->count);
    return RP_OK;
}

static rp_status check_given(rp_expansion *x) {
    rp_given_operand **o = x->operands;
    if (!o[KEY] != !o[VALUE] || (o[KEY] && !o[POSITION]))
        return wrong(x, "key, value and position come together: rows to put into the cache");
    if (o[KEY] && o[K_OFFSETS]) return wrong(x, "rows are not put into packed ones, of k_offsets");
    return RP_OK;
}

/* ---- One token a sequence -------------------------------------------------------------------- */

/* The fewest rows of the cache that are worth a workgroup, of which there is one for each part and query head,
 * where a multiprocessor has one; and where it has as many as keep it busy. More parts are read sooner, but
 * whoever joins them reads all of theirs, in each of its workgroups. Measured: docs/benchmarks.md. */
enum { ATTENTION_ROWS = 32, LONG_ROWS = 256, ATTENTION_GROUP = 256, MOST_PARTS = 256 };

static double attention_parts(const rp_target *t, uint64_t rows, uint64_t heads) {
    uint64_t units = t->multiprocessors, busy = t->busy_invocations / ATTENTION_GROUP;
    uint64_t one = heads && heads < units ? units / heads : 1;
    uint64_t several = busy > 1 && heads && heads < busy * units ? busy * units / heads : one;
    if (one > MOST_PARTS) one = MOST_PARTS;
    if (several > MOST_PARTS) several = MOST_PARTS;
    return fmax(rp_expand_parts(rows, ATTENTION_ROWS, one),
                rp_expand_parts(rows, LONG_ROWS, several));
}

/* Rows that a sequence has room for, of which a window leaves so many at most. */
static uint64_t rows_seen(const rp_expansion *x, const shapes *s) {
    uint64_t rows = s->rows, window = (uint64_t)x->attrs[WINDOW];
    const rp_tensor *table = x->operands[TABLE] ? tensor_of(x, TABLE) : NULL;
    if (table && table->rank && table->rank != RP_OP_INFER) rows *= table->dims[table->rank - 1];
    return window && window < rows ? window : rows;
}

/* The length where none is given: up to the token's own row, or all that there is room for, which is computed
 * where it varies. */
static rp_status make_length(rp_expansion *x, const shapes *s, rp_given_operand *out) {
    static const rp_attribute next = {.name = "expr", .text = "a + 1"};
    const rp_attribute all = {.name = "value", .number = (double)s->rows};
    char rows[40];
    RP_TRY(rp_expand_temp(x, "length", out));
    out->argument.tensor.dtype = RP_U32;
    if (x->operands[POSITION]) {
        out->argument.tensor.dtype = tensor_of(x, POSITION)->dtype;
        return rp_expand_op(x, "map", RP_PARTS({"a", x->operands[POSITION]}, {"out", out}), &next,
                            1);
    }
    out->argument.tensor.rank = 1;
    out->argument.tensor.dims[0] = 1;
    if (rp_choose_special(x->application, true))
        return rp_expand_op(x, "fill", RP_PARTS({"out", out}), &all, 1);
    snprintf(rows, sizeof rows, "u32(index) + %llu", (unsigned long long)s->rows);
    const rp_attribute varying = {.name = "expr", .text = rows};
    return rp_expand_op(x, "map", RP_PARTS({"out", out}), &varying, 1);
}

static rp_status expand_one_token(rp_expansion *x, const shapes *s) {
    rp_given_operand **o = x->operands, partial, maxima, sums, made, *length = o[LENGTH];
    if (!length) {
        if (!o[POSITION] && o[TABLE])
            return wrong(x, "over pages length or position must be given");
        RP_TRY(make_length(x, s, &made));
        length = &made;
    }
    double splits = x->attrs[SPLITS];
    if (splits <= 0)
        splits = rp_choose(x->application, attention_parts(rp_expand_target(x), rows_seen(x, s),
                                                           s->sequences * s->heads));
    const rp_attribute attrs[] = {{.name = "splits", .number = splits},
                                  {.name = "scale", .number = x->attrs[SCALE]},
                                  {.name = "softcap", .number = x->attrs[SOFTCAP]},
                                  {.name = "causal", .number = s->one_token ? 0 : x->attrs[CAUSAL]},
                                  {.name = "window", .number = x->attrs[WINDOW]},
                                  {.name = "ring", .number = x->attrs[RING]}};
    RP_TRY(rp_expand_temp(x, "partial", &partial));
    RP_TRY(rp_expand_temp(x, "maxima", &maxima));
    RP_TRY(rp_expand_temp(x, "sums", &sums));
    if (o[KEY])
        RP_TRY(
            rp_expand_op(x, "attention_append",
                         RP_PARTS({"q", o[Q]}, {"key", o[KEY]}, {"value", o[VALUE]},
                                  {"position", o[POSITION]}, {"length", length}, {"mask", o[MASK]},
                                  {"table", o[TABLE]}, {"partial", &partial}, {"maxima", &maxima},
                                  {"sums", &sums}, {"k", o[K]}, {"v", o[V]}),
                         attrs, 6));
    else
        RP_TRY(
            rp_expand_op(x, "attention_partial",
                         RP_PARTS({"q", o[Q]}, {"k", o[K]}, {"v", o[V]}, {"length", length},
                                  {"position", o[POSITION]}, {"mask", o[MASK]}, {"table", o[TABLE]},
                                  {"partial", &partial}, {"maxima", &maxima}, {"sums", &sums}),
                         attrs, 6));
    return rp_expand_op(x, "attention_combine",
                        RP_PARTS({"partial", &partial}, {"maxima", &maxima}, {"sums", &sums},
                                 {"sinks", o[SINKS]}, {"out", o[OUT]}),
                        RP_NO_ATTRS);
}

/* ---- Several tokens -------------------------------------------------------------------------- */

/* Puts rows of tokens into caches or pages, as many as `slots` has numbers of. */
static rp_status put_rows(rp_expansion *x, const shapes *s, uint32_t rows, uint32_t cache,
                          rp_given_operand *slots) {
    const rp_tensor *from = tensor_of(x, rows), *to = tensor_of(x, cache);
    uint64_t row = to->dims[to->rank - 1] * to->dims[to->rank - 2];
    uint64_t given = rp_expand_rows(x->operands[rows], 0);
    if (from->rank == RP_OP_INFER || given != s->sequences * s->tokens * row ||
        from->dims[from->rank - 1] != to->dims[to->rank - 1])
        return rp_apply_error(
            x->application, RP_BLAME_OP, 0,
            "attention: %s has %llu elements, expected rows of %llu heads of %llu "
            "for %llu tokens",
            x->composite->operands[rows].name, (unsigned long long)given,
            (unsigned long long)to->dims[to->rank - 2], (unsigned long long)to->dims[to->rank - 1],
            (unsigned long long)(s->sequences * s->tokens));
    const uint64_t many[] = {s->sequences * s->tokens, row}, all[] = {s->count * s->rows, row};
    rp_given_operand src = rp_expand_seen(x->operands[rows], 2, many);
    rp_given_operand dst = rp_expand_seen(x->operands[cache], 2, all);
    rp_given_operand index = rp_expand_seen(slots, 1, many);
    return rp_expand_op(x, to->dtype == RP_Q8_0 ? "scatter_rows_q8_0" : "scatter_rows",
                        RP_PARTS({"src", &src}, {"index", &index}, {"dst", &dst}), RP_NO_ATTRS);
}

static rp_status put_new_rows(rp_expansion *x, const shapes *s) {
    rp_given_operand slots;
    const uint64_t each[] = {s->sequences, s->tokens};
    const rp_attribute attrs[] = {{.name = "rows", .number = (double)s->rows},
                                  {.name = "ring", .number = x->attrs[RING]},
                                  {.name = "count", .number = (double)s->count}};
    /* Rows that vary are asked of the caches, whose kernel is no other for it, but that is one buffer more. */
    bool fixed = rp_choose_special(x->application, true);
    RP_TRY(rp_expand_temp(x, "slots", &slots));
    RP_TRY(rp_expand_make(x, &slots, RP_U32, 2, each));
    RP_TRY(rp_expand_op(x, "cache_slots",
                        RP_PARTS({"position", x->operands[POSITION]}, {"table", x->operands[TABLE]},
                                 {"q_offsets", x->operands[Q_OFFSETS]},
                                 {"cache", fixed ? NULL : x->operands[K]}, {"out", &slots}),
                        fixed ? attrs : attrs + 1,
                        !fixed               ? 1
                        : x->operands[TABLE] ? 3
                                             : 2));
    RP_TRY(put_rows(x, s, KEY, K, &slots));
    return put_rows(x, s, VALUE, V, &slots);
}

static rp_status expand_tokens(rp_expansion *x, const shapes *s) {
    rp_given_operand **o = x->operands;
    if (o[KEY]) RP_TRY(put_new_rows(x, s));
    const rp_attribute attrs[] = {{.name = "causal", .number = x->attrs[CAUSAL]},
                                  {.name = "scale", .number = x->attrs[SCALE]},
                                  {.name = "softcap", .number = x->attrs[SOFTCAP]},
                                  {.name = "window", .number = x->attrs[WINDOW]},
                                  {.name = "ring", .number = x->attrs[RING]},
                                  {.name = "whole", .number = !o[LENGTH] && !o[POSITION]}};
    return rp_expand_op(x, "attention_prefill",
                        RP_PARTS({"q", o[Q]}, {"k", o[K]}, {"v", o[V]}, {"past", o[POSITION]},
                                 {"mask", o[MASK]}, {"length", o[LENGTH]}, {"sinks", o[SINKS]},
                                 {"table", o[TABLE]}, {"q_offsets", o[Q_OFFSETS]},
                                 {"k_offsets", o[K_OFFSETS]}, {"out", o[OUT]}),
                        attrs, 6);
}

static rp_status expand_attention(rp_expansion *x) {
    shapes s;
    RP_TRY(find_shapes(x, &s));
    RP_TRY(check_given(x));
    /* Where their number varies, as for the most of them: one alone is right by either way. */
    bool several = rp_choose(x->application, s.tokens > 1) != 0;
    if (several || x->operands[Q_OFFSETS] || x->operands[K_OFFSETS]) return expand_tokens(x, &s);
    const rp_tensor *q = tensor_of(x, Q);
    if (!s.one_token) RP_TRY(rp_expand_make(x, x->operands[OUT], RP_F32, q->rank, q->dims));
    return expand_one_token(x, &s);
}

/* ---- The table ------------------------------------------------------------------------------- */

#define R .access = RP_READ
#define O .optional = true

const rp_composite rp_composites_attention[] = {
    {.info.name = "attention",
     .info.family = "attention",
     .info.brief = "attention of new tokens to the rows of a cache",
     .notes =
         "For decoding and prefill: q is [H, D], a token that sees all rows below `length`; [T, "
         "H, D], the tokens of one sequence; [B, T, H, D], those of B sequences, with a cache "
         "each; or with `q_offsets` [tokens, H, D], of packed sequences. k and v are caches [S, "
         "G, D] or [B, S, G, D], with `table` pages [pages, rows, G, D], or with `k_offsets` "
         "packed rows [rows, G, D]; of f32, f16, bf16 or q8_0. `length` and `position` are one "
         "number for all sequences or one for each.\n\n"
         "Token t of a sequence is row position + t; without `position` the tokens are its last "
         "ones. Without `length` rows up to the last token take part, and without both all. With "
         "`key` and `value` the tokens' rows are put into the cache first, at `position`. What "
         "masks, sinks, windows, rings and tables mean is said at `attention_prefill`.\n\n"
         "One token a sequence is `attention_partial` over parts of the cache, or "
         "`attention_append`, and `attention_combine`. Without `splits` there is a part for every "
         "32 rows of the cache, and at most a workgroup and query head for each multiprocessor of "
         "the target; or one for every 256 rows, and at most as many workgroups as keep its "
         "multiprocessors busy, where those are more parts. Several tokens are "
         "`attention_prefill`, behind `cache_slots` and `scatter_rows` or `scatter_rows_q8_0` "
         "where there are new rows.",
     .operand_count = 13,
     .attr_count = 6,
     .operands = {{"q", "queries", "*T H D", R},
                  {"k", "keys; H is a multiple of G. Changed where there is a key", "*B S G D", R},
                  {"v", "values", "*B S G D", R},
                  {"length", "how many rows take part", "*L", R, O},
                  {"key", "the tokens' keys", "*T G D", R, O},
                  {"value", "their values", "*T G D", R, O},
                  {"position", "the row of k and v that a sequence's first token is", "*P", R, O},
                  {"mask", "added to scores: [B, S], or [B or 1, H or 1, T or 1, S]; or bool",
                   "*M C", R, O},
                  {"sinks", "a score of each head that gives no value", "H", R, O},
                  {"table", "the pages of each sequence", "*A N", R, O},
                  {"q_offsets", "where tokens of packed sequences begin, and the last ones end",
                   "O", R, O},
                  {"k_offsets", "where their rows of k and v do", "O", R, O},
                  {"out", "the result", "*T H D", .access = RP_WRITE}},
     .attrs = {{.name = "splits",
                .brief = "parts of the cache, of one token; 0: chosen from S and the target",
                .kind = RP_ATTR_INTEGER,
                .high = MOST_PARTS},
               {.name = "scale",
                .brief = "of the scores; 0: 1/sqrt(D)",
                .kind = RP_ATTR_NUMBER,
                .low = -1e30,
                .high = 1e30},
               {.name = "softcap",
                .brief = "limit of the scores; 0: none",
                .kind = RP_ATTR_NUMBER,
                .high = 1e30},
               {.name = "causal",
                .brief = "1: tokens do not see rows behind their own; not of q [H, D]",
                .kind = RP_ATTR_INTEGER,
                .fallback = 1,
                .high = 1},
               {.name = "window",
                .brief = "rows that a token sees up to its own, and as many from there; 0: all",
                .kind = RP_ATTR_INTEGER,
                .high = UINT32_MAX},
               {.name = "ring",
                .brief = "1: row r lies in slot r % S of the cache",
                .kind = RP_ATTR_INTEGER,
                .high = 1}},
     .expand = expand_attention},
};

const uint32_t rp_composites_attention_count =
    sizeof rp_composites_attention / sizeof *rp_composites_attention;
