/* The composites of family signal: Fourier transforms along any axis, convolutions by them, and spectrograms.
 *
 * transform.c makes the ops; here are the shapes of NumPy's functions. Complex numbers are a last dimension of
 * 2, as in ONNX's DFT. */
#include "composite/transform.h"

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
static rp_status see_axis(rp_expansion *x, rp_transform *t, uint32_t rank, uint32_t axis,
                          double length, rp_tensor *wanted) {
    const rp_tensor *from = &t->x->argument.tensor;
    t->samples = from->dims[axis];
    t->stride = 1;
    for (uint32_t i = axis + 1; i < rank; i++) t->stride *= from->dims[i];
    t->length = length > 0                     ? (uint64_t)length
                : t->from == RP_TRANSFORM_HALF ? 2 * (t->samples - 1)
                                               : t->samples;
    if (t->length == 0)
        return rp_apply_error(
            x->application, RP_BLAME_OP, 0,
            "%s: a spectrum of one element is that of a signal of none, or of one: "
            "give its length",
            x->composite->info.name);
    bool half = t->from == RP_TRANSFORM_REAL && !t->to_real;
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

static rp_status along_axis(rp_expansion *x, rp_transform_source from, bool to_real,
                            bool backward) {
    enum { X, OUT };
    enum { AXIS, LENGTH };
    rp_transform t = {.x = x->operands[X],
                      .out = x->operands[OUT],
                      .from = from,
                      .to_real = to_real,
                      .backward = backward,
                      .temp = "columns"};
    uint32_t rank;
    rp_tensor wanted;
    RP_TRY(signal_rank(x, from != RP_TRANSFORM_REAL, 1, &rank));
    double axis = x->attrs[AXIS] + (x->attrs[AXIS] < 0 ? rank : 0);
    if (axis < 0 || axis >= rank)
        return rp_apply_error(x->application, RP_BLAME_OP, 0,
                              "%s: axis is %g, expected -%u to %u%s", x->composite->info.name,
                              x->attrs[AXIS], rank, rank - 1,
                              from != RP_TRANSFORM_REAL ? ", that of the pairs not counted" : "");
    RP_TRY(see_axis(x, &t, rank, (uint32_t)axis, x->attrs[LENGTH], &wanted));
    RP_TRY(shape_out(x, t.out, &wanted));
    return rp_transform_apply(x, &t);
}

static rp_status expand_fft(rp_expansion *x) {
    return along_axis(x, RP_TRANSFORM_COMPLEX, false, false);
}

static rp_status expand_ifft(rp_expansion *x) {
    return along_axis(x, RP_TRANSFORM_COMPLEX, false, true);
}

static rp_status expand_rfft(rp_expansion *x) {
    return along_axis(x, RP_TRANSFORM_REAL, false, false);
}

static rp_status expand_irfft(rp_expansion *x) {
    return along_axis(x, RP_TRANSFORM_HALF, true, true);
}

/* ---- Two dimensions -------------------------------------------------------------------------- */

/* Along one of the last two dimensions, then along the other. */
static rp_status both_axes(rp_expansion *x, rp_transform first, rp_transform second,
                           bool rows_first) {
    enum { X, OUT };
    rp_given_operand between;
    rp_tensor wanted;
    uint32_t rank;
    RP_TRY(signal_rank(x, first.from != RP_TRANSFORM_REAL, 2, &rank));
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
    RP_TRY(rp_transform_apply(x, &first));
    return rp_transform_apply(x, &second);
}

static rp_status expand_fft2(rp_expansion *x) {
    return both_axes(x, (rp_transform){.from = RP_TRANSFORM_COMPLEX},
                     (rp_transform){.from = RP_TRANSFORM_COMPLEX}, true);
}

static rp_status expand_ifft2(rp_expansion *x) {
    const rp_transform back = {.from = RP_TRANSFORM_COMPLEX, .backward = true};
    return both_axes(x, back, back, true);
}

static rp_status expand_rfft2(rp_expansion *x) {
    return both_axes(x, (rp_transform){.from = RP_TRANSFORM_REAL},
                     (rp_transform){.from = RP_TRANSFORM_COMPLEX}, true);
}

static rp_status expand_irfft2(rp_expansion *x) {
    return both_axes(x, (rp_transform){.from = RP_TRANSFORM_COMPLEX, .backward = true},
                     (rp_transform){.from = RP_TRANSFORM_HALF, .to_real = true, .backward = true},
                     false);
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
    rp_transform t = {.x = o[A],
                      .out = &left,
                      .samples = n,
                      .stride = 1,
                      .length = length,
                      .kept = length / 2 + 1,
                      .from = RP_TRANSFORM_REAL,
                      .temp = "a_columns"};
    left.argument.tensor.dtype = right.argument.tensor.dtype = RP_F32;
    RP_TRY(rp_transform_apply(x, &t));
    t.x = o[B];
    t.out = &right;
    t.samples = k;
    t.temp = "b_columns";
    RP_TRY(rp_transform_apply(x, &t));
    RP_TRY(rp_expand_op(x, "complex_multiply",
                        RP_PARTS({"a", &left}, {"b", &right}, {"out", &product}), RP_NO_ATTRS));
    t = (rp_transform){.x = &product,
                       .out = whole,
                       .samples = length / 2 + 1,
                       .stride = 1,
                       .length = length,
                       .kept = n + k - 1,
                       .from = RP_TRANSFORM_HALF,
                       .to_real = true,
                       .backward = true,
                       .temp = "product_columns"};
    return rp_transform_apply(x, &t);
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
    uint64_t length =
        n < RP_TRANSFORM_MOST && k < RP_TRANSFORM_MOST ? rp_transform_length(n + k - 1) : 0;
    if (!length)
        return rp_apply_error(
            x->application, RP_BLAME_OP, 0,
            "fft_convolve: a and b have %llu and %llu elements, expected up to %d together",
            (unsigned long long)n, (unsigned long long)k, RP_TRANSFORM_MOST);
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

/* ---- Frames ---------------------------------------------------------------------------------- */

/* How long a frame is: as said, or as the window. */
static rp_status frame_length(rp_expansion *x, uint64_t *out) {
    enum { X, WINDOW };
    enum { LENGTH };
    uint64_t window = 0;
    if (x->operands[WINDOW]) RP_TRY(rp_expand_dim(x, WINDOW, 0, &window));
    *out = x->attrs[LENGTH] > 0 ? (uint64_t)x->attrs[LENGTH] : window;
    if (*out == 0)
        return rp_apply_error(x->application, RP_BLAME_OP, 0,
                              "stft: how long is a frame? Give its length, or a window");
    if (window == 0 || window == *out) return RP_OK;
    return rp_apply_error(x->application, RP_BLAME_OP, 0,
                          "stft: window has %llu elements, expected %llu, the length",
                          (unsigned long long)window, (unsigned long long)*out);
}

/* Frames that overlap are what windows of a grid of one row see; the transform reads them as they are made. */
static rp_status expand_stft(rp_expansion *x) {
    enum { X, WINDOW, OUT };
    enum { LENGTH, STEP };
    rp_given_operand **o = x->operands, frames, windowed;
    uint64_t n, length, step = (uint64_t)x->attrs[STEP], rows = rp_expand_rows(o[X], 1);
    RP_TRY(rp_expand_dim(x, X, 0, &n));
    RP_TRY(frame_length(x, &length));
    if (n < length)
        return rp_apply_error(x->application, RP_BLAME_OP, 0,
                              "stft: x has %llu elements, less than a frame of %llu",
                              (unsigned long long)n, (unsigned long long)length);
    rp_tensor wanted = o[X]->argument.tensor;
    if (wanted.rank + 2 > RP_MAX_RANK)
        return rp_apply_error(x->application, RP_BLAME_OP, 0,
                              "stft: x has %u dimensions, expected up to %d", wanted.rank,
                              RP_MAX_RANK - 2);
    uint64_t count = (n - length) / step + 1, bins = length / 2 + 1;
    memcpy(wanted.dims + wanted.rank - 1, (const uint64_t[]){count, bins, 2}, 3 * sizeof count);
    wanted.rank += 2;
    RP_TRY(shape_out(x, o[OUT], &wanted));
    RP_TRY(rp_expand_temp(x, "frames", &frames));
    rp_given_operand grid = rp_expand_seen(o[X], 5, (const uint64_t[]){rows, 1, 1, n, 1});
    const rp_attribute attrs[] = {{.name = "kernel_w", .number = (double)length},
                                  {.name = "stride_w", .number = (double)step},
                                  {.name = "channels_last", .number = 1}};
    RP_TRY(rp_expand_op(x, "unfold", RP_PARTS({"x", &grid}, {"out", &frames}), attrs, 3));
    rp_transform t = {.x = &frames,
                      .out = o[OUT],
                      .samples = length,
                      .stride = 1,
                      .length = length,
                      .kept = bins,
                      .from = RP_TRANSFORM_REAL,
                      .temp = "columns"};
    if (o[WINDOW]) {
        RP_TRY(rp_expand_temp(x, "windowed", &windowed));
        windowed.argument.tensor.dtype = RP_F32;
        RP_TRY(rp_expand_op(
            x, "mul", RP_PARTS({"a", &frames}, {"b", o[WINDOW]}, {"out", &windowed}), RP_NO_ATTRS));
        t.x = &windowed;
    }
    return rp_transform_apply(x, &t);
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
               .high = RP_TRANSFORM_MOST}}
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
                  {"b", "as many, or one for all", "*S K", .access = RP_READ},
                  {"out", "the results", "*R L", .access = RP_WRITE}},
     .attrs = {{.name = "mode",
                .brief = "which part of the result",
                .kind = RP_ATTR_CHOICE,
                .choices = "full|same|valid"}},
     .expand = expand_fft_convolve},
    {.info.name = "stft",
     .info.family = "signal",
     .info.brief = "Fourier transforms of frames of a signal, which may overlap: a spectrogram",
     .notes =
         "Frame f is elements f * step to f * step + length of x, times the window; there are (N "
         "- length) / step + 1, rounded down, and of each the first half of the spectrum. As "
         "ONNX's STFT, onesided. `pad` x in front of it to centre frames, as librosa and "
         "PyTorch do. `unfold`, a `mul` with a window, and what `rfft` stands for; they fuse.",
     .operand_count = 3,
     .attr_count = 2,
     .operands = {{"x", "signals", "*R N", .access = RP_READ},
                  {"window", "multiplies each frame", "W", .access = RP_READ, .optional = true},
                  {"out", "for each frame length / 2 + 1 pairs", "*R F B P", .access = RP_WRITE}},
     .attrs = {{.name = "length",
                .brief = "elements of a frame; 0: as many as the window has",
                .kind = RP_ATTR_INTEGER,
                .high = RP_TRANSFORM_MOST},
               {.name = "step",
                .brief = "from a frame to the next",
                .kind = RP_ATTR_INTEGER,
                .required = true,
                .low = 1,
                .high = 1 << 30}},
     .expand = expand_stft},
};

const uint32_t rp_composites_signal_count =
    sizeof rp_composites_signal / sizeof *rp_composites_signal;
