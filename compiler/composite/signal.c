/* The composites of family signal: Fourier transforms of any length along any axis, and convolutions by them.
 *
 * All are `fft_pass`, once for up to 4096 elements, twice for up to 2^24, the length being a product of two
 * such; and what a pass cannot say by itself, the shapes of NumPy's functions. Complex numbers are a last
 * dimension of 2, as in ONNX's DFT. */
#include <stdio.h>

#include "composite/composite.h"

enum { MOST_AT_ONCE = 4096, MOST_IN_ALL = 1 << 24 };

typedef enum source { COMPLEX, REAL, HALF } source;

static const char *const source_names[] = {"complex", "real", "half"};

/* One transform of all signals of x. */
typedef struct transform {
    rp_given_operand *x, *out;
    uint64_t samples, stride, length;
    uint64_t kept; /* elements of each result, the first ones */
    source from;
    bool to_real, backward;
    const char *temp; /* the name of what is between two passes */
} transform;

/* ---- Lengths --------------------------------------------------------------------------------- */

/* The number of parts of a transform: 1, or the factor next to the root that leaves both short enough; 0 where
 * there is none. */
static uint64_t parts_of(uint64_t length) {
    if (length <= MOST_AT_ONCE) return 1;
    if (length > MOST_IN_ALL) return 0;
    for (uint64_t low = MOST_AT_ONCE; low > 1; low--)
        if (low * low <= length && length % low == 0) return length / low <= MOST_AT_ONCE ? low : 0;
    return 0;
}

/* The least length from `least` on that is a product of 2, 3 and 5 and can be transformed; 0 for none. */
static uint64_t next_length(uint64_t least) {
    for (uint64_t n = least; n <= MOST_IN_ALL; n++) {
        uint64_t rest = n;
        while (rest % 2 == 0) rest /= 2;
        while (rest % 3 == 0) rest /= 3;
        while (rest % 5 == 0) rest /= 5;
        if (rest == 1 && parts_of(n)) return n;
    }
    return 0;
}

/* ---- Passes ---------------------------------------------------------------------------------- */

static rp_status pass(rp_expansion *x, const transform *t, uint64_t parts) {
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
static rp_status in_passes(rp_expansion *x, const transform *t) {
    uint64_t parts = parts_of(t->length);
    if (parts == 1) return pass(x, t, 1);
    rp_given_operand between;
    RP_TRY(rp_expand_temp(x, t->temp, &between));
    between.argument.tensor.dtype = RP_F32;
    transform columns = *t, rows = *t;
    columns.out = &between;
    columns.length = t->length / parts;
    columns.kept = 0;
    columns.to_real = false;
    RP_TRY(pass(x, &columns, parts));
    rows.x = &between;
    rows.samples = rows.length = parts;
    rows.stride = t->stride * columns.length;
    rows.from = COMPLEX;
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

static rp_status multiply_chirp(rp_expansion *x, const transform *t, double scale) {
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
static rp_status by_chirps(rp_expansion *x, const transform *t, uint64_t length) {
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
    transform front = *t, back = *t;
    front.out = &temps[FRONT];
    front.to_real = false;
    front.kept = t->length;
    RP_TRY(multiply_chirp(x, &front, 1));
    RP_TRY(in_passes(x, &(transform){.x = &temps[FRONT],
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
    RP_TRY(in_passes(x, &(transform){.x = &temps[CHIRP],
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
    RP_TRY(in_passes(x, &(transform){.x = &temps[PRODUCT],
                                     .out = &temps[WHOLE],
                                     .samples = length,
                                     .stride = t->stride,
                                     .length = length,
                                     .kept = t->length,
                                     .backward = true,
                                     .temp = names[TEMPS + 2]}));
    back.x = &temps[WHOLE];
    back.samples = t->length;
    back.from = COMPLEX;
    return multiply_chirp(x, &back, t->backward ? 1 / (double)t->length : 1);
}

static rp_status apply_transform(rp_expansion *x, const transform *t) {
    if (parts_of(t->length) && is_smooth(t->length)) return in_passes(x, t);
    uint64_t length = t->length <= MOST_CHIRPED ? next_length(2 * t->length - 1) : 0;
    if (length) return by_chirps(x, t, length);
    return rp_apply_error(
        x->application, RP_BLAME_OP, 0,
        "%s: a length of %llu, above %d, is no product of two numbers up to %d with "
        "prime factors up to %d; the next that is one of 2, 3 and 5 is %llu",
        x->composite->info.name, (unsigned long long)t->length, MOST_CHIRPED, MOST_AT_ONCE,
        MOST_TERMS, (unsigned long long)next_length(t->length));
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

/* Makes `out` of that shape, or finds that it is. */
static rp_status shape_out(rp_expansion *x, rp_given_operand *out, const rp_tensor *wanted) {
    rp_tensor *t = &out->argument.tensor;
    if (t->rank == RP_OP_INFER) {
        uint8_t dtype = t->dtype == RP_RAW ? (uint8_t)RP_F32 : t->dtype;
        *t = *wanted;
        t->dtype = dtype;
        return RP_OK;
    }
    if (t->rank == wanted->rank && memcmp(t->dims, wanted->dims, t->rank * sizeof *t->dims) == 0)
        return RP_OK;
    rp_text own, other;
    rp_text_init(&own, &x->application->graph->allocator);
    rp_text_init(&other, &x->application->graph->allocator);
    rp_tensor shape = *wanted;
    shape.dtype = t->dtype;
    rp_tensor_print(&own, t);
    rp_tensor_print(&other, &shape);
    rp_status status =
        own.failed || other.failed
            ? RP_ERROR_NO_MEMORY
            : rp_apply_error(x->application, RP_BLAME_OP, 0, "%s: out is %s, expected %s",
                             x->composite->info.name, own.data, other.data);
    rp_text_free(&own);
    rp_text_free(&other);
    return status;
}

/* Sees x as signals along dimension `axis` of its first `rank`, and its result's shape in *wanted. */
static rp_status see_axis(rp_expansion *x, transform *t, uint32_t rank, uint32_t axis,
                          double length, rp_tensor *wanted) {
    const rp_tensor *from = &t->x->argument.tensor;
    t->samples = from->dims[axis];
    t->stride = 1;
    for (uint32_t i = axis + 1; i < rank; i++) t->stride *= from->dims[i];
    t->length = length > 0 ? (uint64_t)length : t->from == HALF ? 2 * (t->samples - 1) : t->samples;
    if (t->length == 0)
        return rp_apply_error(
            x->application, RP_BLAME_OP, 0,
            "%s: a spectrum of one element is that of a signal of none, or of one: "
            "give its length",
            x->composite->info.name);
    bool half = t->from == REAL && !t->to_real;
    t->kept = half ? t->length / 2 + 1 : t->length;
    *wanted = (rp_tensor){.dtype = RP_F32, .rank = (uint8_t)(rank + !t->to_real)};
    memcpy(wanted->dims, from->dims, rank * sizeof *wanted->dims);
    wanted->dims[axis] = t->kept;
    if (!t->to_real) wanted->dims[rank] = 2;
    return RP_OK;
}

/* How many dimensions x has beside that of its pairs; at least `least`. */
static rp_status signal_rank(rp_expansion *x, bool pairs, uint32_t least, uint32_t *out) {
    const rp_tensor *t = &x->operands[0]->argument.tensor;
    bool fits = t->rank <= RP_MAX_RANK && t->rank >= least + pairs &&
                (pairs || t->rank < RP_MAX_RANK) && (!pairs || t->dims[t->rank - 1] == 2);
    *out = t->rank - (uint32_t)pairs;
    if (fits) return RP_OK;
    rp_text text;
    rp_text_init(&text, &x->application->graph->allocator);
    rp_tensor_print(&text, t);
    rp_status status =
        text.failed ? RP_ERROR_NO_MEMORY
                    : rp_apply_error(x->application, RP_BLAME_OP, 0, "%s: x is %s, expected %s",
                                     x->composite->info.name, text.data,
                                     pairs       ? least > 1 ? "matrices of pairs, [..., 2]"
                                                             : "signals of pairs, [..., 2]"
                                     : least > 1 ? "matrices"
                                                 : "signals");
    rp_text_free(&text);
    return status;
}

/* ---- One dimension --------------------------------------------------------------------------- */

static rp_status along_axis(rp_expansion *x, source from, bool to_real, bool backward) {
    enum { X, OUT };
    enum { AXIS, LENGTH };
    transform t = {.x = x->operands[X],
                   .out = x->operands[OUT],
                   .from = from,
                   .to_real = to_real,
                   .backward = backward,
                   .temp = "columns"};
    uint32_t rank;
    rp_tensor wanted;
    RP_TRY(signal_rank(x, from != REAL, 1, &rank));
    double axis = x->attrs[AXIS] + (x->attrs[AXIS] < 0 ? rank : 0);
    if (axis < 0 || axis >= rank)
        return rp_apply_error(x->application, RP_BLAME_OP, 0,
                              "%s: axis is %g, expected -%u to %u%s", x->composite->info.name,
                              x->attrs[AXIS], rank, rank - 1,
                              from != REAL ? ", that of the pairs not counted" : "");
    RP_TRY(see_axis(x, &t, rank, (uint32_t)axis, x->attrs[LENGTH], &wanted));
    RP_TRY(shape_out(x, t.out, &wanted));
    return apply_transform(x, &t);
}

static rp_status expand_fft(rp_expansion *x) {
    return along_axis(x, COMPLEX, false, false);
}

static rp_status expand_ifft(rp_expansion *x) {
    return along_axis(x, COMPLEX, false, true);
}

static rp_status expand_rfft(rp_expansion *x) {
    return along_axis(x, REAL, false, false);
}

static rp_status expand_irfft(rp_expansion *x) {
    return along_axis(x, HALF, true, true);
}

/* ---- Two dimensions -------------------------------------------------------------------------- */

/* Along one of the last two dimensions, then along the other. */
static rp_status both_axes(rp_expansion *x, transform first, transform second, bool rows_first) {
    enum { X, OUT };
    rp_given_operand between;
    rp_tensor wanted;
    uint32_t rank;
    RP_TRY(signal_rank(x, first.from != REAL, 2, &rank));
    RP_TRY(rp_expand_temp(x, "between", &between));
    first.x = x->operands[X];
    first.out = &between;
    first.temp = "columns";
    RP_TRY(see_axis(x, &first, rank, rank - (rows_first ? 1 : 2), 0, &wanted));
    RP_TRY(shape_out(x, &between, &wanted));
    second.x = &between;
    second.out = x->operands[OUT];
    second.temp = "more_columns";
    RP_TRY(see_axis(x, &second, rank, rank - (rows_first ? 2 : 1), 0, &wanted));
    RP_TRY(shape_out(x, second.out, &wanted));
    RP_TRY(apply_transform(x, &first));
    return apply_transform(x, &second);
}

static rp_status expand_fft2(rp_expansion *x) {
    return both_axes(x, (transform){.from = COMPLEX}, (transform){.from = COMPLEX}, true);
}

static rp_status expand_ifft2(rp_expansion *x) {
    const transform back = {.from = COMPLEX, .backward = true};
    return both_axes(x, back, back, true);
}

static rp_status expand_rfft2(rp_expansion *x) {
    return both_axes(x, (transform){.from = REAL}, (transform){.from = COMPLEX}, true);
}

static rp_status expand_irfft2(rp_expansion *x) {
    return both_axes(x, (transform){.from = COMPLEX, .backward = true},
                     (transform){.from = HALF, .to_real = true, .backward = true}, false);
}

/* ---- Convolution ----------------------------------------------------------------------------- */

enum { FULL, SAME, VALID };

/* What of the whole result comes out, from `start` on. */
static rp_status convolved(rp_expansion *x, uint64_t n, uint64_t k, uint64_t *start,
                           uint64_t *count) {
    uint32_t mode = (uint32_t)x->attrs[0];
    *start = mode == FULL ? 0 : mode == SAME ? (k - 1) / 2 : k - 1;
    *count = mode == FULL ? n + k - 1 : n;
    if (mode != VALID) return RP_OK;
    if (n < k)
        return rp_apply_error(
            x->application, RP_BLAME_OP, 0,
            "fft_convolve: b is longer than a, %llu elements against %llu; no result "
            "is made of all of it",
            (unsigned long long)k, (unsigned long long)n);
    *count = n - k + 1;
    return RP_OK;
}

/* The spectra, their product backward, and of the result what is asked for. */
static rp_status multiply_spectra(rp_expansion *x, uint64_t n, uint64_t k, uint64_t length,
                                  rp_given_operand *whole) {
    enum { A, B };
    rp_given_operand **o = x->operands, left, right, product;
    RP_TRY(rp_expand_temp(x, "a_spectrum", &left));
    RP_TRY(rp_expand_temp(x, "b_spectrum", &right));
    RP_TRY(rp_expand_temp(x, "product", &product));
    transform t = {.x = o[A],
                   .out = &left,
                   .samples = n,
                   .stride = 1,
                   .length = length,
                   .kept = length / 2 + 1,
                   .from = REAL,
                   .temp = "a_columns"};
    left.argument.tensor.dtype = right.argument.tensor.dtype = RP_F32;
    RP_TRY(apply_transform(x, &t));
    t.x = o[B];
    t.out = &right;
    t.samples = k;
    t.temp = "b_columns";
    RP_TRY(apply_transform(x, &t));
    RP_TRY(rp_expand_op(x, "complex_multiply",
                        RP_PARTS({"a", &left}, {"b", &right}, {"out", &product}), RP_NO_ATTRS));
    t = (transform){.x = &product,
                    .out = whole,
                    .samples = length / 2 + 1,
                    .stride = 1,
                    .length = length,
                    .kept = n + k - 1,
                    .from = HALF,
                    .to_real = true,
                    .backward = true,
                    .temp = "product_columns"};
    return apply_transform(x, &t);
}

static rp_status expand_fft_convolve(rp_expansion *x) {
    enum { A, B, OUT };
    rp_given_operand **o = x->operands, whole;
    uint64_t n, k, start, count;
    RP_TRY(rp_expand_dim(x, A, 0, &n));
    RP_TRY(rp_expand_dim(x, B, 0, &k));
    uint64_t rows = rp_expand_rows(o[A], 1), others = rp_expand_rows(o[B], 1);
    if (others != 1 && others != rows)
        return rp_apply_error(x->application, RP_BLAME_OP, 0,
                              "fft_convolve: a has %llu rows and b %llu; b has as many, or one",
                              (unsigned long long)rows, (unsigned long long)others);
    RP_TRY(convolved(x, n, k, &start, &count));
    uint64_t length = n < MOST_IN_ALL && k < MOST_IN_ALL ? next_length(n + k - 1) : 0;
    if (!length)
        return rp_apply_error(
            x->application, RP_BLAME_OP, 0,
            "fft_convolve: a and b have %llu and %llu elements, expected up to %d together",
            (unsigned long long)n, (unsigned long long)k, MOST_IN_ALL);
    rp_tensor wanted = o[A]->argument.tensor;
    wanted.dims[wanted.rank - 1] = count;
    RP_TRY(shape_out(x, o[OUT], &wanted));
    if (count == n + k - 1) return multiply_spectra(x, n, k, length, o[OUT]);
    RP_TRY(rp_expand_temp(x, "whole", &whole));
    wanted.dims[wanted.rank - 1] = n + k - 1;
    wanted.dtype = RP_F32;
    RP_TRY(shape_out(x, &whole, &wanted));
    RP_TRY(multiply_spectra(x, n, k, length, &whole));
    rp_given_operand flat = whole; /* any rank, as a matrix */
    const rp_attribute attrs[] = {{.name = "column", .number = (double)start},
                                  {.name = "columns", .number = (double)count}};
    if (flat.argument.tensor.rank == 1) {
        flat.argument.tensor.rank = 2;
        flat.argument.tensor.dims[1] = flat.argument.tensor.dims[0];
        flat.argument.tensor.dims[0] = 1;
    }
    return rp_expand_op(x, "slice", RP_PARTS({"x", &flat}, {"out", o[OUT]}), attrs, 2);
}

/* ---- The table ------------------------------------------------------------------------------- */

#define ALONG                                                                                      \
    .attr_count = 2,                                                                               \
    .attrs = {{.name = "axis",                                                                     \
               .brief = "the dimension, from the first on, or from -1, the last, down; that of "   \
                        "the pairs not counted",                                                   \
               .kind = RP_ATTR_INTEGER,                                                            \
               .fallback = -1,                                                                     \
               .low = -RP_MAX_RANK,                                                                \
               .high = RP_MAX_RANK - 1},                                                           \
              {.name = "length",                                                                   \
               .brief = "of the signal, which is cut off or filled with zeros; 0: as it is",       \
               .kind = RP_ATTR_INTEGER,                                                            \
               .high = MOST_IN_ALL}}
#define TRANSFORM(NAME, BRIEF, NOTES, FROM, TO, EXPAND, ...)                                       \
    {                                                                                              \
        .info.name = NAME, .info.family = "signal", .info.brief = BRIEF, .notes = NOTES,           \
        .operand_count = 2,                                                                        \
        .operands = {{"x", FROM, "...", .access = RP_READ},                                        \
                     {"out", TO, "...", .access = RP_WRITE}},                                      \
        .expand = EXPAND, __VA_ARGS__                                                              \
    }
#define PAIRS "complex numbers, pairs in a last dimension of 2"
#define HALVES "the first half of a spectrum, length / 2 + 1 pairs"
#define AS(NUMPY) "As NumPy's `" NUMPY "`. "
#define PASSES                                                                                     \
    "One `fft_pass` for up to 4096 elements, two for up to 2^24. Lengths with a prime factor "     \
    "above 127, "                                                                                  \
    "and those that are no product of two numbers up to 4096, go up to 2^22 and take `chirp`, "    \
    "`chirp_multiply` "                                                                            \
    "and three transforms of twice the length."

const rp_composite rp_composites_signal[] = {
    TRANSFORM("fft", "discrete Fourier transform along one dimension", AS("fft.fft") PASSES, PAIRS,
              PAIRS, expand_fft, ALONG),
    TRANSFORM("ifft", "inverse Fourier transform along one dimension", AS("fft.ifft") PASSES, PAIRS,
              PAIRS, expand_ifft, ALONG),
    TRANSFORM("rfft", "Fourier transform of real numbers along one dimension",
              AS("fft.rfft") PASSES, "real numbers", HALVES, expand_rfft, ALONG),
    TRANSFORM("irfft", "inverse Fourier transform to real numbers along one dimension",
              AS("fft.irfft") PASSES, HALVES, "real numbers", expand_irfft, ALONG),
    TRANSFORM("fft2", "Fourier transform along the last two dimensions", AS("fft.fft2") PASSES,
              PAIRS, PAIRS, expand_fft2, .attr_count = 0),
    TRANSFORM("ifft2", "inverse Fourier transform along the last two dimensions",
              AS("fft.ifft2") PASSES, PAIRS, PAIRS, expand_ifft2, .attr_count = 0),
    TRANSFORM("rfft2", "Fourier transform of real numbers along the last two dimensions",
              AS("fft.rfft2") PASSES, "real numbers", HALVES, expand_rfft2, .attr_count = 0),
    TRANSFORM("irfft2", "inverse Fourier transform to real numbers along the last two dimensions",
              AS("fft.irfft2") "Rows of the result are of even length. " PASSES, HALVES,
              "real numbers", expand_irfft2, .attr_count = 0),
    {.info.name = "fft_convolve",
     .info.family = "signal",
     .info.brief = "convolution along the last dimension, by Fourier transforms",
     .notes = "out[i] = sum of a[j] b[i - j], of which `full` is all, `same` the middle as long as "
              "a, `valid` what is made of all of b. As SciPy's `signal.fftconvolve`. Two `rfft`, a "
              "`complex_multiply` and an `irfft`, over the next length of factors 2, 3 and 5; a "
              "`slice` unless `full`.",
     .operand_count = 3,
     .attr_count = 1,
     .operands = {{"a", "signals", "*R N", .access = RP_READ},
                  {"b", "as many, or one for all", "*R K", .access = RP_READ},
                  {"out", "the results", "*R L", .access = RP_WRITE}},
     .attrs = {{.name = "mode",
                .brief = "which part of the result",
                .kind = RP_ATTR_CHOICE,
                .choices = "full|same|valid"}},
     .expand = expand_fft_convolve},
};

const uint32_t rp_composites_signal_count =
    sizeof rp_composites_signal / sizeof *rp_composites_signal;
