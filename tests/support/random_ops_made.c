/* Random graphs of ops: the motifs of families random, signal and experts. */
#include <stdio.h>

#include "support/random_ops_parts.h"

/* Numbers that are functions of their place, computed where they are asked for. */
static void drawn(rops_maker *m) {
    static const char *const ops[] = {"random_uniform", "random_normal", "dropout", "bernoulli"};
    static const char *const streams[] = {"stream=0", "stream=1", "stream=4294967295"};
    uint64_t words = 1 + rops_below(m, 2);
    uint32_t which = rops_below(m, 4);
    rops_value seed = rops_new_input(m, RP_U32, 1, &words, NULL), out;
    rops_value x = rops_pick(m, 2, ROPS_DIMS(m->rows, m->columns));
    rops_value offset =
        rops_percent(m, 50) ? ROPS_NOTHING : rops_new_input(m, RP_U32, 1, &words, NULL);
    rops_call call = {.op = ops[which], .attrs = streams[rops_below(m, 3)]};
    if (which >= 2) call.inputs[call.input_count++] = x;
    call.inputs[call.input_count++] = seed;
    call.inputs[call.input_count++] = offset;
    call.has_into = true;
    call.into.tensor =
        rops_shape(rops_percent(m, 70) ? RP_F32 : rops_half(m), 2, ROPS_DIMS(m->rows, m->columns));
    call.into.buffer = rops_new_buffer(m, &call.into.tensor, NULL);
    if (call.into.buffer == RP_NONE || !rops_add(m, &call, &out, 1)) return;
    if (rops_percent(m, 60)) rops_apply(m, "mul", NULL, out, x, ROPS_NOTHING, 2, &out);
    if (rops_percent(m, 40)) rops_apply1(m, "row_sum", out, NULL);
}

/* A transform of pairs, perhaps of products of them, perhaps back again: what is in front of it is asked for
 * at its hooks, and what is behind it computed where it stores. */
static void transformed(rops_maker *m) {
    char attrs[96];
    uint64_t pairs = m->columns / 2;
    bool backward = rops_percent(m, 40), aside = rops_percent(m, 30);
    rops_value x = rops_pick(m, 3, ROPS_DIMS(m->rows, pairs, 2)), out;
    if (rops_percent(m, 40) &&
        !rops_apply(m, "complex_multiply", NULL, x,
                    rops_pick(m, 3, ROPS_DIMS(rops_percent(m, 50) ? 1 : m->rows, pairs, 2)),
                    ROPS_NOTHING, 2, &x))
        return;
    snprintf(attrs, sizeof attrs, "samples=%u length=%u scale=0.7", (uint32_t)pairs,
             (uint32_t)pairs);
    if (rops_percent(m, 30) &&
        !rops_apply(m, "chirp_multiply", attrs, x, ROPS_NOTHING, ROPS_NOTHING, 1, &x))
        return;
    snprintf(attrs, sizeof attrs, "samples=%u stride=%u direction=%s",
             (uint32_t)(aside ? m->rows : pairs), (uint32_t)(aside ? pairs : 1),
             backward ? "backward" : "forward");
    if (!rops_apply(m, "fft_pass", attrs, x, ROPS_NOTHING, ROPS_NOTHING, 1, &out)) return;
    if (rops_percent(m, 50))
        rops_apply(m, rops_percent(m, 50) ? "mul" : "add", NULL, out,
                   rops_pick(m, 1, ROPS_DIMS(2 * m->rows * pairs)), ROPS_NOTHING, 2, NULL);
}

/* Scores that something is made of in front of a draw from them. */
static void sampled(rops_maker *m) {
    static const char *const attrs[] = {"temperature=0.7 top_p=0.9",
                                        "min_p=0.1 order=temperature_last", "temperature=0"};
    uint64_t words = 1;
    rops_value x = rops_pick(m, 3, ROPS_DIMS(m->rows, 2, m->columns / 2)), out;
    rops_call call = {.op = "sample_merge", .attrs = attrs[rops_below(m, 3)], .input_count = 3};
    if (rops_percent(m, 60) && !rops_apply1(m, "neg", x, &x)) return;
    call.inputs[0] = x;
    call.inputs[1] =
        rops_new_input(m, RP_U32, 3, ROPS_DIMS(m->rows, 2, m->columns / 2), "each=9999");
    call.inputs[2] = rops_new_input(m, RP_U32, 1, &words, NULL);
    rops_add(m, &call, &out, 1);
}

/* Products with chosen matrices, of which some choose none that there is. */
static void chosen(rops_maker *m) {
    const uint64_t each = 1 + rops_below(m, 3), rows = 1 + rops_below(m, 40);
    rops_value x = rops_pick(m, 2, ROPS_DIMS(m->rows, m->columns)), out, gates;
    rops_value weight = rops_new_input(m, rops_percent(m, 60) ? RP_F32 : rops_half(m), 3,
                                       ROPS_DIMS(3, rows, m->columns), NULL);
    rops_value ids = rops_new_input(m, RP_U32, 2, ROPS_DIMS(m->rows, each), "below=4");
    if (rops_percent(m, 40) && !rops_apply1(m, "neg", x, &x)) return;
    if (!rops_apply(m, "matvec_experts", NULL, x, weight, ids, 3, &out)) return;
    if (rops_percent(m, 40)) rops_apply1(m, "silu", out, &out);
    if (out.buffer == RP_NONE || rops_percent(m, 40)) return;
    out.tensor = rops_shape((rp_dtype)out.tensor.dtype, 3, ROPS_DIMS(m->rows, each, rows));
    gates = rops_pick(m, 2, ROPS_DIMS(m->rows, each));
    rops_apply(m, "combine_experts", NULL, out, gates, ROPS_NOTHING, 2, NULL);
}

void rops_made(rops_maker *m) {
    static void (*const motifs[])(rops_maker * m) = {drawn, drawn, transformed, sampled, chosen};
    motifs[rops_below(m, sizeof motifs / sizeof *motifs)](m);
}
