/* Motifs of family attention. They draw all that the ops take: sequences with a cache each or over one,
 * masks that are written or computed, heads that share a head of the cache, each dtype, scales of
 * either sign, caps, rows before the tokens, and what is computed in front and behind. */
#include <stdio.h>
#include <string.h>

#include "support/random_ops_parts.h"

static rp_dtype any_float(rops_maker *m) {
    return rops_percent(m, 40) ? RP_F16 : rops_percent(m, 50) ? RP_F32 : RP_BF16;
}

/* Elements of a head, for each variant of the kernels. */
static uint64_t head(rops_maker *m) {
    static const uint64_t sizes[] = {5, 8, 16, 32, 48, 64, 96, 128};
    return sizes[rops_below(m, sizeof sizes / sizeof *sizes)];
}

/* A number of heads' rows, tokens or sequences; of a graph that follows sizes one that does not do so by chance. */
static uint64_t count(rops_maker *m, uint32_t most) {
    uint64_t n = 1 + rops_below(m, most);
    return m->sized && (n % RP_SIZED_ROWS == 0 || n % RP_SIZED_COLUMNS == 0) ? n + 1 : n;
}

/* Where rows vary, a number that does, half of the time. */
static uint64_t varying(rops_maker *m, uint32_t most) {
    return m->sized && rops_percent(m, 50) ? m->rows : count(m, most);
}

static void scale_and_cap(rops_maker *m, char *attrs, size_t size) {
    static const char *const all[] = {"", " scale=0.25", " scale=-0.5", " softcap=3",
                                      " softcap=2 scale=-0.3"};
    size_t at = strlen(attrs);
    snprintf(attrs + at, size - at, "%s", all[rops_percent(m, 50) ? 0 : rops_below(m, 5)]);
}

/* In the dtype, as a model has it that computes queries in another one. */
static rops_value cast_to(rops_maker *m, rops_value v, rp_dtype dtype) {
    rops_value out;
    const rops_call cast = {.op = "cast", .inputs = {v}, .input_count = 1, .dtype = dtype};
    if (v.buffer == RP_NONE || v.tensor.dtype == dtype || !rops_add(m, &cast, &out, 1)) return v;
    return out;
}

/* Behind the result, if anything. */
static void behind(rops_maker *m, rops_value out) {
    switch (rops_below(m, 4)) {
    case 0: rops_apply1(m, "silu", out, NULL); break;
    case 1: {
        rops_value other = rops_pick(m, out.tensor.rank, out.tensor.dims);
        const rops_call call = {
            .op = "map", .attrs = "expr=a + b", .inputs = {out, other}, .input_count = 2};
        rops_add(m, &call, NULL, 0);
        break;
    }
    default: break;
    }
}

/* The cache of a call: caches of sequences, or pages of a table, each of which is a sequence's. */
typedef struct cache {
    uint64_t sequences, rows; /* of each */
    rp_dtype dtype;
    rops_value k, v, table;
} cache;

static cache make_cache(rops_maker *m, uint64_t sequences, uint64_t rows, uint64_t groups,
                        uint64_t dim, const char *values) {
    cache c = {.sequences = sequences,
               .rows = rows,
               .dtype = dim % 32 == 0 && rops_percent(m, 30) ? RP_Q8_0 : any_float(m),
               .table = ROPS_NOTHING};
    uint64_t dims[4] = {sequences, rows, groups, dim};
    if (rops_percent(m, 25)) {
        uint64_t page = count(m, 8), width = varying(m, 6);
        uint64_t pages = sequences * width;
        char fill[24];
        c.rows = page * width;
        dims[0] = pages - (pages > 1 && rops_percent(m, 30)); /* one of the table is not there */
        dims[1] = page;
        snprintf(fill, sizeof fill, "each=%u", (uint32_t)pages);
        c.table = rops_new_input(m, rops_percent(m, 50) ? RP_U32 : RP_I32, 2,
                                 ROPS_DIMS(sequences, width), fill);
    }
    c.k = rops_new_input(m, c.dtype, 4, dims, NULL);
    c.v = rops_new_input(m, c.dtype, 4, dims, values);
    return c;
}

/* Numbers of sequences: one for all, or one for each. */
static rops_value numbers(rops_maker *m, const char *how, uint64_t value, uint64_t sequences) {
    char fill[24];
    uint64_t count = rops_percent(m, 60) ? sequences : 1;
    snprintf(fill, sizeof fill, "%s=%u", how, (uint32_t)value);
    rp_dtype dtype = rops_percent(m, 60) ? RP_U32 : RP_I32;
    return rops_new_input(m, dtype, 1, ROPS_DIMS(count), fill);
}

/* What is added to scores: for each row as it is given, or as a model makes it of the tokens that there are; or
 * for heads and tokens. */
static rops_value mask(rops_maker *m, const cache *c, uint64_t heads, uint64_t tokens) {
    static const char *const fills[] = {"masks", "finite=3", "special", "value=-3e38"};
    if (rops_percent(m, 40)) return ROPS_NOTHING;
    if (rops_percent(m, 30)) {
        uint64_t dims[] = {rops_percent(m, 50) ? c->sequences : 1, rops_percent(m, 50) ? heads : 1,
                           rops_percent(m, 60) ? tokens : 1, c->rows};
        return rops_new_input(m, rops_percent(m, 20) ? RP_BOOL : any_float(m), 4, dims,
                              rops_percent(m, 70) ? "masks" : NULL);
    }
    if (rops_percent(m, 70))
        return rops_new_input(m, any_float(m), 2, ROPS_DIMS(c->sequences, c->rows),
                              fills[rops_percent(m, 60) ? 0 : rops_below(m, 4)]);
    rops_value there = rops_pick(m, 2, ROPS_DIMS(c->sequences, c->rows)), out;
    const rops_call call = {
        .op = "map", .attrs = "expr=a > 0.0 ? 0.0 : -inf", .inputs = {there}, .input_count = 1};
    return rops_add(m, &call, &out, 1) ? out : ROPS_NOTHING;
}

static void window_and_ring(rops_maker *m, char *attrs, size_t size) {
    size_t at = strlen(attrs);
    if (rops_percent(m, 30)) snprintf(attrs + at, size - at, " window=%u", 1 + rops_below(m, 40));
    at = strlen(attrs);
    if (rops_percent(m, 25)) snprintf(attrs + at, size - at, " ring=1");
}

static rops_value sinks(rops_maker *m, uint64_t heads) {
    return rops_percent(m, 75) ? ROPS_NOTHING
                               : rops_new_input(m, any_float(m), 1, ROPS_DIMS(heads), NULL);
}

void rops_attention(rops_maker *m) {
    uint64_t dim = head(m), groups = 1 + rops_below(m, 3);
    uint64_t heads = groups * (1 + rops_below(m, rops_percent(m, 20) ? 10 : 3));
    uint64_t sequences = rops_percent(m, 60) ? 1 : varying(m, 4);
    uint64_t n = m->rows * m->columns;
    if (!m->sized && rops_percent(m, 50) && n % dim == 0) {
        heads = n / dim;
        sequences = heads % 2 == 0 && rops_percent(m, 40) ? 2 : 1;
        heads /= sequences;
        if (heads % groups != 0) groups = 1;
    }
    cache c = make_cache(m, sequences, varying(m, 90), groups, dim, NULL);
    rops_value q = rops_pick(m, 3, ROPS_DIMS(sequences, heads, dim)), out[3], mean;
    char attrs[96];
    snprintf(attrs, sizeof attrs, "splits=%u causal=%u", 1 + rops_below(m, 5), rops_percent(m, 30));
    scale_and_cap(m, attrs, sizeof attrs);
    window_and_ring(m, attrs, sizeof attrs);
    rops_value length =
        numbers(m, rops_percent(m, 50) ? "value" : "below", 1 + rops_below(m, 100), sequences);
    rops_value position = numbers(m, "below", c.rows + 3, sequences);
    rops_value masked = mask(m, &c, heads, 1);
    rops_call call = {.op = "attention_partial",
                      .attrs = attrs,
                      .inputs = {q, c.k, c.v, length, rops_percent(m, 30) ? position : ROPS_NOTHING,
                                 masked, c.table},
                      .input_count = 7};
    if (rops_percent(m, 50)) {
        rops_value key = rops_pick(m, 3, ROPS_DIMS(sequences, groups, dim));
        rops_value value = rops_pick(m, 3, ROPS_DIMS(sequences, groups, dim));
        call = (rops_call){.op = "attention_append",
                           .attrs = attrs,
                           .inputs = {q, key, value, position, length, masked, c.table},
                           .input_count = 7,
                           .kept = {c.k, c.v},
                           .kept_count = 2};
        if (c.k.buffer == RP_NONE || c.v.buffer == RP_NONE) return;
    }
    if (!rops_add(m, &call, out, 3)) return;
    const rops_call combine = {.op = "attention_combine",
                               .inputs = {out[0], out[1], out[2], sinks(m, heads)},
                               .input_count = 4,
                               .dtype = rops_percent(m, 60) ? RP_F32 : rops_half(m)};
    if (rops_add(m, &combine, &mean, 1)) behind(m, mean);
}

void rops_prefill(rops_maker *m) {
    uint64_t dim = head(m), groups = 1 + rops_below(m, 3), heads = groups * (1 + rops_below(m, 3));
    uint64_t batches = varying(m, 3), tokens = count(m, rops_percent(m, 20) ? 70 : 9);
    uint64_t rows = varying(m, rops_percent(m, 30) ? 150 : 30);
    if (rops_percent(m, 60) && m->columns % dim == 0) { /* something that is computed */
        batches = rops_percent(m, 50) ? m->rows : 1;
        tokens = m->rows / batches;
        heads = m->columns / dim;
        if (heads % groups != 0) groups = 1;
    }
    uint64_t sequences = rops_percent(m, 75) ? batches : 1;
    rops_value q = rops_pick(m, 4, ROPS_DIMS(batches, tokens, heads, dim)), out;
    if (rops_percent(m, 40)) q = cast_to(m, q, any_float(m));
    rops_value q_offsets = ROPS_NOTHING, k_offsets = ROPS_NOTHING;
    bool packed = rops_percent(m, 20), packed_rows = packed && rops_percent(m, 50);
    char fill[24], attrs[96];
    if (packed) {
        sequences = count(m, 4);
        snprintf(fill, sizeof fill, "rising=%u", (uint32_t)(batches * tokens));
        q_offsets = rops_new_input(m, RP_U32, 1, ROPS_DIMS(sequences + 1), fill);
    }
    const char *values = rops_percent(m, 20) ? "rows=1" : NULL;
    cache c = {.table = ROPS_NOTHING};
    if (packed_rows) {
        rp_dtype dtype = any_float(m);
        c.k = rops_new_input(m, dtype, 3, ROPS_DIMS(rows, groups, dim), NULL);
        c.v = rops_new_input(m, dtype, 3, ROPS_DIMS(rows, groups, dim), values);
        snprintf(fill, sizeof fill, "rising=%u", (uint32_t)rows);
        k_offsets = rops_new_input(m, RP_I32, 1, ROPS_DIMS(sequences + 1), fill);
    } else {
        c = make_cache(m, sequences, rows, groups, dim, values);
    }
    uint64_t each = packed ? 1 : sequences == 1 ? batches * tokens : tokens;
    snprintf(attrs, sizeof attrs, "causal=%u whole=%u", rops_below(m, 2), rops_below(m, 2));
    scale_and_cap(m, attrs, sizeof attrs);
    size_t at = strlen(attrs);
    if (!packed_rows)
        window_and_ring(m, attrs, sizeof attrs);
    else if (rops_percent(m, 30))
        snprintf(attrs + at, sizeof attrs - at, " window=7");
    rops_value past = ROPS_NOTHING, length = ROPS_NOTHING;
    if (rops_percent(m, 60)) past = numbers(m, "below", rows + 3, sequences);
    if (rops_percent(m, 40)) length = numbers(m, "below", rows + 30, sequences);
    const rops_call call = {.op = "attention_prefill",
                            .attrs = attrs,
                            .inputs = {q, c.k, c.v, past,
                                       packed_rows ? ROPS_NOTHING : mask(m, &c, heads, each),
                                       length, sinks(m, heads), c.table, q_offsets, k_offsets},
                            .input_count = 10,
                            .dtype = rops_percent(m, 70) ? RP_RAW : any_float(m)};
    if (rops_add(m, &call, &out, 1)) behind(m, out);
}
