/* Fourier transforms of any length along any axis, as ops.
 *
 * All are `fft_pass`, once for up to 4096 elements, twice for up to 2^24, the length being a product of two
 * such. Other lengths are a convolution with a chirp (Bluestein, 1970): three transforms of lengths that have
 * small factors. */
#include <stdio.h>

#include "composite/transform.h"

static const char *const source_names[] = {"complex", "real", "half"};

/* ---- Lengths --------------------------------------------------------------------------------- */

/* The number of parts of a transform: 1, or the factor next to the root that leaves both short enough; 0 where
 * there is none. */
static uint64_t parts_of(uint64_t length) {
    if (length <= RP_TRANSFORM_AT_ONCE) return 1;
    if (length > RP_TRANSFORM_MOST) return 0;
    for (uint64_t low = RP_TRANSFORM_AT_ONCE; low > 1; low--)
        if (low * low <= length && length % low == 0)
            return length / low <= RP_TRANSFORM_AT_ONCE ? low : 0;
    return 0;
}

/* The least length from `least` on that is a product of 2, 3 and 5 and can be transformed; 0 for none. */
uint64_t rp_transform_length(uint64_t least) {
    for (uint64_t n = least; n <= RP_TRANSFORM_MOST; n++) {
        uint64_t rest = n;
        while (rest % 2 == 0) rest /= 2;
        while (rest % 3 == 0) rest /= 3;
        while (rest % 5 == 0) rest /= 5;
        if (rest == 1 && parts_of(n)) return n;
    }
    return 0;
}

/* ---- Passes ---------------------------------------------------------------------------------- */

static rp_status pass(rp_expansion *x, const rp_transform *t, uint64_t parts) {
    const rp_attribute attrs[] = {
        {.name = "samples", .number = (double)t->samples},
        {.name = "stride", .number = (double)t->stride},
        {.name = "length", .number = (double)t->length},
        {.name = "parts", .number = (double)parts},
        {.name = "direction", .text = t->backward ? "backward" : "forward"},
        {.name = "source", .text = source_names[t->from]},
        {.name = "result", .text = t->to_real ? "real" : "complex"},
        {.name = "kept", .number = (double)(t->kept * t->stride)}};
    return rp_expand_op(x, "fft_pass", RP_PARTS({"x", t->x}, {"out", t->out}), attrs,
                        sizeof attrs / sizeof *attrs);
}

/* One or two of them, for a length that is short enough or has two such factors. */
static rp_status in_passes(rp_expansion *x, const rp_transform *t) {
    uint64_t parts = parts_of(t->length);
    if (parts == 1) return pass(x, t, 1);
    rp_given_operand between;
    RP_TRY(rp_expand_temp(x, t->temp, &between));
    between.argument.tensor.dtype = RP_F32;
    rp_transform columns = *t, rows = *t;
    columns.out = &between;
    columns.length = t->length / parts;
    columns.kept = 0;
    columns.to_real = false;
    RP_TRY(pass(x, &columns, parts));
    rows.x = &between;
    rows.samples = rows.length = parts;
    rows.stride = t->stride * columns.length;
    rows.from = RP_TRANSFORM_COMPLEX;
    rows.kept = 0;
    /* `kept` counts elements of the whole result, of which a row of this pass has several. */
    const rp_attribute attrs[] = {
        {.name = "samples", .number = (double)parts},
        {.name = "stride", .number = (double)rows.stride},
        {.name = "direction", .text = t->backward ? "backward" : "forward"},
        {.name = "result", .text = t->to_real ? "real" : "complex"},
        {.name = "kept", .number = (double)(t->kept * t->stride)}};
    return rp_expand_op(x, "fft_pass", RP_PARTS({"x", rows.x}, {"out", rows.out}), attrs,
                        sizeof attrs / sizeof *attrs);
}

/* ---- Any length ------------------------------------------------------------------------------ */

/* With a larger prime factor each result would be a sum of more than so many terms. */
enum { MOST_TERMS = 127, MOST_CHIRPED = 1 << 22 };

static bool is_smooth(uint64_t length) {
    for (uint64_t p = 2; p <= MOST_TERMS; p++)
        while (length % p == 0) length /= p;
    return length == 1;
}

static rp_status multiply_chirp(rp_expansion *x, const rp_transform *t, double scale) {
    const rp_attribute attrs[] = {
        {.name = "samples", .number = (double)t->samples},
        {.name = "stride", .number = (double)t->stride},
        {.name = "length", .number = (double)t->length},
        {.name = "direction", .text = t->backward ? "backward" : "forward"},
        {.name = "source", .text = source_names[t->from]},
        {.name = "result", .text = t->to_real ? "real" : "complex"},
        {.name = "kept", .number = (double)(t->kept * t->stride)},
        {.name = "scale", .number = scale}};
    return rp_expand_op(x, "chirp_multiply", RP_PARTS({"x", t->x}, {"out", t->out}), attrs,
                        sizeof attrs / sizeof *attrs);
}

/* By n k = (n n + k k - (k - n) (k - n)) / 2 a transform is a convolution with a chirp, between products with
 * chirps; and that is made by transforms of a length that has small factors. */
static rp_status by_chirps(rp_expansion *x, const rp_transform *t, uint64_t length) {
    enum { FRONT, SPECTRUM, CHIRP, OTHER, PRODUCT, WHOLE, TEMPS };
    static const char *const words[TEMPS] = {"front", "spectrum", "chirp",
                                             "other", "product",  "whole"};
    rp_given_operand temps[TEMPS];
    char names[TEMPS + 3][48];
    for (uint32_t i = 0; i < TEMPS; i++) {
        snprintf(names[i], sizeof names[i], "%s_%s", t->temp, words[i]);
        RP_TRY(rp_expand_temp(x, names[i], &temps[i]));
        temps[i].argument.tensor.dtype = RP_F32;
    }
    for (uint32_t i = 0; i < 3; i++)
        snprintf(names[TEMPS + i], sizeof names[0], "%s_columns%u", t->temp, i);
    temps[CHIRP].argument.tensor = (rp_tensor){.dtype = RP_F32, .rank = 2, .dims = {length, 2}};
    rp_transform front = *t, back = *t;
    front.out = &temps[FRONT];
    front.to_real = false;
    front.kept = t->length;
    RP_TRY(multiply_chirp(x, &front, 1));
    RP_TRY(in_passes(x, &(rp_transform){.x = &temps[FRONT],
                                        .out = &temps[SPECTRUM],
                                        .samples = t->length,
                                        .stride = t->stride,
                                        .length = length,
                                        .kept = length,
                                        .temp = names[TEMPS]}));
    const rp_attribute chirp[] = {
        {.name = "length", .number = (double)t->length},
        {.name = "direction", .text = t->backward ? "backward" : "forward"}};
    RP_TRY(rp_expand_op(x, "chirp", RP_PARTS({"out", &temps[CHIRP]}), chirp, 2));
    RP_TRY(in_passes(x, &(rp_transform){.x = &temps[CHIRP],
                                        .out = &temps[OTHER],
                                        .samples = length,
                                        .stride = 1,
                                        .length = length,
                                        .kept = length,
                                        .temp = names[TEMPS + 1]}));
    const rp_attribute stride = {.name = "stride", .number = (double)t->stride};
    RP_TRY(rp_expand_op(
        x, "complex_multiply",
        RP_PARTS({"a", &temps[SPECTRUM]}, {"b", &temps[OTHER]}, {"out", &temps[PRODUCT]}), &stride,
        1));
    RP_TRY(in_passes(x, &(rp_transform){.x = &temps[PRODUCT],
                                        .out = &temps[WHOLE],
                                        .samples = length,
                                        .stride = t->stride,
                                        .length = length,
                                        .kept = t->length,
                                        .backward = true,
                                        .temp = names[TEMPS + 2]}));
    back.x = &temps[WHOLE];
    back.samples = t->length;
    back.from = RP_TRANSFORM_COMPLEX;
    return multiply_chirp(x, &back, t->backward ? 1 / (double)t->length : 1);
}

rp_status rp_transform_apply(rp_expansion *x, const rp_transform *t) {
    if (parts_of(t->length) && is_smooth(t->length)) return in_passes(x, t);
    uint64_t length = t->length <= MOST_CHIRPED ? rp_transform_length(2 * t->length - 1) : 0;
    if (length) return by_chirps(x, t, length);
    return rp_apply_error(
        x->application, RP_BLAME_OP, 0,
        "%s: a length of %llu, above %d, is no product of two numbers up to %d with "
        "prime factors up to %d; the next that is one of 2, 3 and 5 is %llu",
        x->composite->info.name, (unsigned long long)t->length, MOST_CHIRPED, RP_TRANSFORM_AT_ONCE,
        MOST_TERMS, (unsigned long long)rp_transform_length(t->length));
}
