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

static void scale_and_cap(rops_maker *m, char *attrs, size_t size) {
    static const char *const all[] = {"", " scale=0.25", " scale=-0.5", " softcap=3",
                                      " softcap=2 scale=-0.3"};
    size_t at = strlen(attrs);
    snprintf(attrs + at, size - at, "%s", all[rops_percent(m, 50) ? 0 : rops_below(m, 5)]);
}

static rops_value number(rops_maker *m, const char *how, uint64_t value) {
    char fill[24];
    snprintf(fill, sizeof fill, "%s=%u", how, (uint32_t)value);
    rops_value v = rops_new_input(m, RP_U32, 1, ROPS_DIMS(1), fill);
    v.tensor.rank = 0;
    return v;
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

void rops_attention(rops_maker *m) {
    uint64_t dim = head(m), groups = 1 + rops_below(m, 3);
    uint64_t heads = groups * (1 + rops_below(m, rops_percent(m, 20) ? 10 : 3));
    uint64_t rows = 1 + rops_below(m, 90), n = m->rows * m->columns;
    if (rops_percent(m, 50) && n % dim == 0) {
        heads = n / dim;
        if (heads % groups != 0) groups = 1;
    }
    rops_value q = rops_pick(m, 2, ROPS_DIMS(heads, dim)), out[3], mean;
    rp_dtype dtype = any_float(m);
    rops_value k = rops_new_input(m, dtype, 3, ROPS_DIMS(rows, groups, dim), NULL);
    rops_value v = rops_new_input(m, dtype, 3, ROPS_DIMS(rows, groups, dim), NULL);
    char attrs[64];
    snprintf(attrs, sizeof attrs, "splits=%u", 1 + rops_below(m, 5));
    scale_and_cap(m, attrs, sizeof attrs);
    rops_value length = number(m, "value", rops_below(m, 100));
    const rops_call partial = {
        .op = "attention_partial", .attrs = attrs, .inputs = {q, k, v, length}, .input_count = 4};
    rops_call call = partial;
    if (rops_percent(m, 50)) {
        rops_value key = rops_pick(m, 2, ROPS_DIMS(groups, dim));
        rops_value value = rops_pick(m, 2, ROPS_DIMS(groups, dim));
        rops_value position = number(m, "value", rops_below(m, rows + 3));
        call = (rops_call){.op = "attention_append",
                           .attrs = attrs,
                           .inputs = {q, key, value, position, length},
                           .input_count = 5,
                           .kept = {k, v},
                           .kept_count = 2};
        if (k.buffer == RP_NONE || v.buffer == RP_NONE) return;
    }
    if (!rops_add(m, &call, out, 3)) return;
    const rops_call combine = {.op = "attention_combine",
                               .inputs = {out[0], out[1], out[2]},
                               .input_count = 3,
                               .dtype = rops_percent(m, 60) ? RP_F32 : rops_half(m)};
    if (rops_add(m, &combine, &mean, 1)) behind(m, mean);
}

/* Of all rows of all caches: as it is given, or as a model makes it of the tokens that there are. */
static rops_value mask(rops_maker *m, uint64_t caches, uint64_t rows) {
    static const char *const fills[] = {"masks", "finite=3", "special", "value=-3e38"};
    if (rops_percent(m, 40)) return ROPS_NOTHING;
    if (rops_percent(m, 70))
        return rops_new_input(m, any_float(m), 2, ROPS_DIMS(caches, rows),
                              fills[rops_percent(m, 60) ? 0 : rops_below(m, 4)]);
    rops_value there = rops_pick(m, 2, ROPS_DIMS(caches, rows)), out;
    const rops_call call = {
        .op = "map", .attrs = "expr=a > 0.0 ? 0.0 : -inf", .inputs = {there}, .input_count = 1};
    return rops_add(m, &call, &out, 1) ? out : ROPS_NOTHING;
}

void rops_prefill(rops_maker *m) {
    uint64_t dim = head(m), groups = 1 + rops_below(m, 3), heads = groups * (1 + rops_below(m, 3));
    uint64_t batches = 1 + rops_below(m, 3),
             tokens = 1 + rops_below(m, rops_percent(m, 20) ? 70 : 9);
    uint64_t rows = 1 + rops_below(m, rops_percent(m, 30) ? 150 : 30);
    if (rops_percent(m, 60) && m->columns % dim == 0) { /* something that is computed */
        batches = rops_percent(m, 50) ? m->rows : 1;
        tokens = m->rows / batches;
        heads = m->columns / dim;
        if (heads % groups != 0) groups = 1;
    }
    uint64_t caches = rops_percent(m, 75) ? batches : 1;
    rops_value q = rops_pick(m, 4, ROPS_DIMS(batches, tokens, heads, dim)), out;
    if (rops_percent(m, 40)) q = cast_to(m, q, any_float(m));
    rp_dtype dtype = any_float(m);
    rops_value k = rops_new_input(m, dtype, 4, ROPS_DIMS(caches, rows, groups, dim), NULL);
    rops_value v = rops_new_input(m, dtype, 4, ROPS_DIMS(caches, rows, groups, dim),
                                  rops_percent(m, 20) ? "rows=1" : NULL);
    rops_value past = ROPS_NOTHING;
    if (rops_percent(m, 70)) past = number(m, "below", rows + 3);
    char attrs[64];
    snprintf(attrs, sizeof attrs, "causal=%u", rops_below(m, 2));
    scale_and_cap(m, attrs, sizeof attrs);
    const rops_call call = {.op = "attention_prefill",
                            .attrs = attrs,
                            .inputs = {q, k, v, past, mask(m, caches, rows)},
                            .input_count = 5,
                            .dtype = rops_percent(m, 70) ? RP_RAW : any_float(m)};
    if (rops_add(m, &call, &out, 1)) behind(m, out);
}
