/* Family signal: Fourier transforms, products of spectra, windows.
 *
 * A transform of up to 4096 elements is one workgroup's: it stays in shared memory from the first
 * step to the last. A longer one is a matrix of B columns and N rows: `fft_pass` transforms the
 * columns, which lie interleaved, turns each result by a root of the whole length and leaves it
 * transposed; then `fft_pass` transforms the other dimension. That is two dispatches and one barrier up to
 * 2^24, with memory read and written twice; composites (compiler/composite/signal.c) choose the two
 * lengths. Transforms along any axis are the same kernel, for which signals lie side by side.
 *
 * Not chosen: a dispatch for each step of radix 8, which has seven barriers at 2^20; a table of roots in
 * memory, which costs a buffer to be filled and read, where a root takes thirty instructions. */
#include <math.h>

#include "base/checked.h"
#include "ops/tables.h"

enum { MOST_AT_ONCE = 4096, MOST_IN_ALL = 1 << 24, MOST_CHIRPED = 1 << 22, THREADS = 256 };

/* ---- Transforms ------------------------------------------------------------------------------ */

enum { SAMPLES, STRIDE, LENGTH, PARTS, DIRECTION, SOURCE, RESULT, KEPT };

static bool check_lengths(rp_op_call *call, uint64_t n, uint64_t parts) {
    if (n > MOST_AT_ONCE)
        return rp_op_fail(call, "length is %llu; one pass transforms up to %d elements",
                          (unsigned long long)n, MOST_AT_ONCE);
    if (n * parts > MOST_IN_ALL)
        return rp_op_fail(call, "length times parts is %llu, expected up to %d",
                          (unsigned long long)(n * parts), MOST_IN_ALL);
    return true;
}

/* Binds N, K and H, the lengths in elements; A, the signals; L, the numbers that come out. */
static bool rule_pass(rp_op_call *call) {
    uint64_t m = (uint64_t)call->attrs[SAMPLES], s = (uint64_t)call->attrs[STRIDE];
    uint64_t parts = (uint64_t)call->attrs[PARTS], n = (uint64_t)call->attrs[LENGTH];
    uint64_t each = call->attrs[SOURCE] == 1 ? 1 : 2, all = rp_sym(call, 'X');
    if (n == 0) n = m / parts + (m % parts != 0);
    if (!check_lengths(call, n, parts)) return false;
    uint64_t kept = (uint64_t)call->attrs[KEPT], whole = m * s * each; /* below 2^58 */
    if (all % whole != 0)
        return rp_op_fail(call, "x has %llu numbers, which are no whole signals of %llu",
                          (unsigned long long)all, (unsigned long long)whole);
    if (kept > n * parts * s)
        return rp_op_fail(call, "kept is %llu; a transform has %llu elements",
                          (unsigned long long)kept, (unsigned long long)(n * parts * s));
    if (kept == 0) kept = n * parts * s;
    uint64_t signals = all / whole;
    rp_op_bind(call, 'N', n);
    rp_op_bind(call, 'K', kept);
    rp_op_bind(call, 'H', n * parts);
    rp_op_bind(call, 'A', signals * parts * s);
    uint64_t numbers;
    if (!rp_mul_u64(signals, kept * (call->attrs[RESULT] == 1 ? 1 : 2), &numbers) ||
        numbers > RP_OP_MAX_ELEMENTS || signals * parts * s > RP_OP_MAX_ELEMENTS)
        return rp_op_fail(call, "out would have more than %llu numbers",
                          (unsigned long long)RP_OP_MAX_ELEMENTS);
    rp_op_bind(call, 'L', numbers);
    return true;
}

/* P, Q and R, radices of up to 16 that make the power of two in a length: as few as there need be, and
 * as equal as they can be. */
static void bind_radices(rp_op_call *call) {
    enum { MOST_BITS = 4 };
    uint64_t n = rp_sym(call, 'N');
    uint32_t bits = 0;
    while (n % 2 == 0 && n > 0) n /= 2, bits++;
    for (char symbol = 'P'; symbol <= 'R'; symbol++) {
        uint32_t steps = (bits + MOST_BITS - 1) / MOST_BITS;
        uint32_t own = steps ? bits / steps : 0; /* then Q and R are 8 or 16 */
        rp_op_bind(call, symbol, UINT64_C(1) << own);
        bits -= own;
    }
}

/* U and V: complex numbers that are loaded, and stored, at once: two that lie side by side from an even
 * one on, or one. */
static void bind_pairs(rp_op_call *call) {
    uint64_t s = rp_sym(call, 'S'), b = rp_sym(call, 'B'), n = rp_sym(call, 'N');
    bool even_group = rp_sym(call, 'G') % 2 == 0, across = s % 2 == 0 && even_group;
    bool columns = s == 1 && b % 2 == 0 && even_group, rows = s == 1 && n % 2 == 0;
    bool samples = rp_sym(call, 'M') % 2 == 0 && (columns || (b == 1 && rows));
    bool kept = rp_sym(call, 'K') % 2 == 0;
    rp_op_bind(call, 'U', call->attrs[SOURCE] == 0 && (across || samples) ? 2 : 1);
    rp_op_bind(call, 'V', call->attrs[RESULT] == 0 && kept && (across || rows) ? 2 : 1);
}

/* Signals of a workgroup: as many as keep all multiprocessors busy twice, but four where they lie side by
 * side, which are a sector of memory. */
static void bind_stockham(rp_op_call *call, const rp_target *target) {
    uint64_t n = rp_sym(call, 'N'), signals = rp_sym(call, 'A'), most = MOST_AT_ONCE / n;
    uint64_t busy = 2 * (uint64_t)target->multiprocessors;
    uint64_t group = signals / (busy ? busy : 1),
             least = rp_sym(call, 'B') * rp_sym(call, 'S') > 1 ? 4 : 1;
    if (group < least) group = least;
    if (group > most) group = most;
    if (group > signals) group = signals;
    rp_op_bind(call, 'G', group);
    rp_op_bind_count(call, 'C', "A", group, 1);
    bind_radices(call);
    bind_pairs(call);
}

/* The largest prime factor of a length, at least 5. */
static uint64_t largest_factor(uint64_t n) {
    uint64_t largest = 5;
    for (uint64_t p = 2; n > 1; p++)
        for (; n % p == 0; n /= p)
            if (p > largest) largest = p;
    return largest;
}

static double stockham_turns(const rp_op_call *call) {
    uint64_t factor = largest_factor(rp_sym(call, 'N'));
    double each = (double)MOST_AT_ONCE / THREADS;
    return 6 * each + 200 + (factor > 5 ? each * (double)factor * 1.2 + (double)factor : 0);
}

static const rp_op_variant pass_variants[] = {
    {
        .name = "stockham",
        .sized = "XAL",
        .when = "always",
        .why = "a workgroup transforms some signals in shared memory, by radices of 16, 8, 4, 2, "
               "3, 5, "
               "others",
        .text = 2500,
        .sites = {7, 7},
        .bind = bind_stockham,
        .groups = "C",
        .turns = stockham_turns,
    },
    {0},
};

/* ---- Chirps ---------------------------------------------------------------------------------- */

/* Binds K, as in a pass, and L. */
static bool rule_chirps(rp_op_call *call) {
    enum { OF_SAMPLES, OF_STRIDE, OF_LENGTH, OF_DIRECTION, OF_SOURCE, OF_RESULT, OF_KEPT };
    uint64_t m = (uint64_t)call->attrs[OF_SAMPLES], s = (uint64_t)call->attrs[OF_STRIDE];
    uint64_t n = (uint64_t)call->attrs[OF_LENGTH], kept = (uint64_t)call->attrs[OF_KEPT];
    uint64_t whole = m * s * (call->attrs[OF_SOURCE] == 1 ? 1 : 2), all = rp_sym(call, 'X'),
             numbers;
    if (all % whole != 0)
        return rp_op_fail(call, "x has %llu numbers, which are no whole signals of %llu",
                          (unsigned long long)all, (unsigned long long)whole);
    if (kept > n * s)
        return rp_op_fail(call, "kept is %llu; a signal has %llu elements",
                          (unsigned long long)kept, (unsigned long long)(n * s));
    if (kept == 0) kept = n * s;
    if (!rp_mul_u64(all / whole, kept * (call->attrs[OF_RESULT] == 1 ? 1 : 2), &numbers) ||
        numbers > RP_OP_MAX_ELEMENTS)
        return rp_op_fail(call, "out would have more than %llu numbers",
                          (unsigned long long)RP_OP_MAX_ELEMENTS);
    rp_op_bind(call, 'K', kept);
    rp_op_bind(call, 'L', numbers);
    return true;
}

static bool rule_chirp(rp_op_call *call) {
    uint64_t numbers = rp_tensor_elements(&call->operands[0]), n = rp_sym(call, 'N');
    if (call->operands[0].rank == RP_OP_INFER || (numbers % 2 == 0 && numbers / 2 >= 2 * n - 1))
        return true;
    return rp_op_fail(call, "out has %llu numbers, expected pairs, at least %llu of them",
                      (unsigned long long)numbers, (unsigned long long)(2 * n - 1));
}

/* ---- Products of spectra --------------------------------------------------------------------- */

static bool rule_product(rp_op_call *call) {
    uint64_t stride = rp_sym(call, 'S'), a = rp_sym(call, 'A'), b = rp_sym(call, 'B');
    if (a % 2 != 0)
        return rp_op_fail(call, "a has %llu numbers, expected pairs", (unsigned long long)a);
    if (b % 2 == 0 && a % stride == 0 && (b ? a / stride % b == 0 : a == 0)) return true;
    return rp_op_fail(call,
                      "b has %llu numbers, expected as many as a, %llu, or pairs that make a if "
                      "repeated",
                      (unsigned long long)b, (unsigned long long)a);
}

/* ---- The ops --------------------------------------------------------------------------------- */

#define INTEGER(NAME, BRIEF, SYMBOL, FALLBACK, LOW, HIGH)                                          \
    {                                                                                              \
        .name = NAME, .brief = BRIEF, .kind = RP_ATTR_INTEGER, .symbol = SYMBOL,                   \
        .fallback = FALLBACK, .low = LOW, .high = HIGH                                             \
    }

#define WINDOW(NAME, BRIEF, NOTES, ...)                                                            \
    {                                                                                              \
        .name = NAME, .family = "signal", .brief = BRIEF, .form = RP_OP_POINTWISE, .text = 90,     \
        .notes =                                                                                   \
            NOTES " p is N, or N - 1 where it is not periodic; a window of one element is 1. "     \
                  "Within 2^-21.",                                                                 \
        .operand_count = 1,                                                                        \
        .operands = {{.name = "out",                                                               \
                      .brief = "the window",                                                       \
                      .shape = "N",                                                                \
                      .dtypes = RP_DT_FLOAT,                                                       \
                      .access = RP_WRITE}},                                                        \
        .flops = 60, __VA_ARGS__                                                                   \
    }
#define PERIODIC                                                                                   \
    INTEGER("periodic", "1: for spectra, as if it went on; 0: symmetric, for filters", 0, 1, 0, 1)

const rp_op rp_ops_signal[] = {
    {
        .name = "fft_pass",
        .family = "signal",
        .brief = "discrete Fourier transforms of up to 4096 elements, or half of longer ones",
        .notes =
            "X[k] = sum of x[n] exp(-2 pi i n k / N), n and k from 0 to N - 1; backward with i in "
            "the place of -i, divided by N (NumPy's norm \"backward\", ONNX's DFT). Complex "
            "numbers "
            "are pairs, real part first. Element n of signal r is at (r samples + n) stride + j, "
            "of "
            "which j from 0 to stride - 1 are signals side by side; elements from `samples` on are "
            "0. With parts B, elements p, p + B, ... are a signal each, results are multiplied by "
            "exp(-2 pi i k p / (B N)) and lie at (p N + k) stride + j: a pass over B elements with "
            "stride N times as large makes them a transform of B N elements. `fft` and its "
            "relatives choose all that. Within 8 + 4 log2(N) units of the root of the sum of "
            "squares. Radices of 16, 8, 4, 2, 3 and 5, and sums for larger prime factors, which "
            "take "
            "as many steps for each element.",
        .form = RP_OP_KERNEL,
        .operand_count = 2,
        .operands = {{.name = "x",
                      .brief = "signals",
                      .shape = "*X",
                      .dtypes = RP_DT_FLOAT,
                      .taken = RP_DT_INTEGER,
                      .hook = true,
                      .sites = 3},
                     {.name = "out",
                      .brief = "their transforms",
                      .shape = "*L",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE,
                      .hook = true,
                      .sites = 3}},
        .attr_count = 8,
        .attrs = {{.name = "samples",
                   .brief = "elements of a signal in x",
                   .kind = RP_ATTR_INTEGER,
                   .symbol = 'M',
                   .required = true,
                   .low = 1,
                   .high = MOST_IN_ALL},
                  INTEGER("stride", "signals side by side", 'S', 1, 1, UINT32_MAX),
                  INTEGER("length", "elements that are transformed; 0: samples / parts", 0, 0, 0,
                          MOST_AT_ONCE),
                  INTEGER("parts", "interleaved signals that are one", 'B', 1, 1, MOST_IN_ALL),
                  {.name = "direction",
                   .brief = "the sign of i, and whether results are divided by N",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "forward|backward"},
                  {.name = "source",
                   .brief =
                       "what x is; half: the first half of a spectrum and the element behind it, "
                       "the rest being their conjugates",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "complex|real|half"},
                  {.name = "result",
                   .brief = "what out is; real: the imaginary parts are dropped",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "complex|real"},
                  INTEGER("kept",
                          "so many elements, with those side by side, of each transform; 0: all", 0,
                          0, 0, UINT32_MAX)},
        .variants = pass_variants,
        .flops = 60,
        .rule = rule_pass,
    },
    {
        .name = "complex_multiply",
        .family = "signal",
        .brief = "products of complex numbers",
        .notes = "out = (a.re b.re - a.im b.im, a.re b.im + a.im b.re) of pairs, real part first, "
                 "each operation rounded to f32. Pair j of a meets pair j / stride of b, which is "
                 "repeated where it is shorter.",
        .form = RP_OP_POINTWISE,
        .operand_count = 3,
        .operands =
            {{.name = "a", .brief = "pairs", .shape = "*A", .dtypes = RP_DT_FLOAT, .sites = 2},
             {.name = "b", .brief = "pairs", .shape = "*B", .dtypes = RP_DT_FLOAT, .sites = 2},
             {.name = "out",
              .brief = "their products",
              .shape = "*A",
              .dtypes = RP_DT_FLOAT,
              .access = RP_WRITE,
              .like = "a"}},
        .attr_count = 1,
        .attrs = {INTEGER("stride", "pairs of a, side by side, that meet the same of b", 'S', 1, 1,
                          UINT32_MAX)},
        .flops = 4,
        .rule = rule_product,
    },
    {
        .name = "chirp",
        .family = "signal",
        .brief = "the chirp that a transform of any length is a convolution with",
        .notes =
            "out[j] = exp(i pi m m / N), pairs, with m the smaller of j and its distance to the "
            "end, 0 where m >= N; -i where backward. At least 2 N - 1 pairs.",
        .form = RP_OP_POINTWISE,
        .text = 90,
        .operand_count = 1,
        .operands = {{.name = "out",
                      .brief = "the chirp",
                      .shape = "*L",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE}},
        .attr_count = 2,
        .attrs = {{.name = "length",
                   .brief = "of the transform",
                   .kind = RP_ATTR_INTEGER,
                   .symbol = 'N',
                   .required = true,
                   .low = 1,
                   .high = MOST_CHIRPED},
                  {.name = "direction",
                   .brief = "of the transform",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "forward|backward"}},
        .flops = 60,
        .rule = rule_chirp,
    },
    {
        .name = "chirp_multiply",
        .family = "signal",
        .brief = "signals, or transforms, times a chirp",
        .notes =
            "out[n] = scale * x[n] exp(-i pi n n / N), n from 0 to N - 1, i where backward; "
            "signals lie as "
            "those of fft_pass, and samples, stride, source, result and kept mean the same. In "
            "front of a "
            "convolution with `chirp`, and again behind it, it makes a transform of any length of "
            "it (Bluestein, 1970).",
        .form = RP_OP_POINTWISE,
        .text = 130,
        .operand_count = 2,
        .operands = {{.name = "x",
                      .brief = "signals",
                      .shape = "*X",
                      .dtypes = RP_DT_FLOAT,
                      .taken = RP_DT_INTEGER,
                      .sites = 3},
                     {.name = "out",
                      .brief = "their products",
                      .shape = "*L",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE}},
        .attr_count = 8,
        .attrs = {{.name = "samples",
                   .brief = "elements of a signal in x",
                   .kind = RP_ATTR_INTEGER,
                   .symbol = 'M',
                   .required = true,
                   .low = 1,
                   .high = MOST_IN_ALL},
                  INTEGER("stride", "signals side by side", 'S', 1, 1, UINT32_MAX),
                  {.name = "length",
                   .brief = "of the transform",
                   .kind = RP_ATTR_INTEGER,
                   .symbol = 'N',
                   .required = true,
                   .low = 1,
                   .high = MOST_CHIRPED},
                  {.name = "direction",
                   .brief = "of the transform",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "forward|backward"},
                  {.name = "source",
                   .brief = "what x is",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "complex|real|half"},
                  {.name = "result",
                   .brief = "what out is",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "complex|real"},
                  INTEGER("kept", "so many elements, with those side by side, of each; 0: all", 0,
                          0, 0, UINT32_MAX),
                  {.name = "scale",
                   .brief = "multiplies",
                   .kind = RP_ATTR_NUMBER,
                   .fallback = 1,
                   .low = -1e30,
                   .high = 1e30}},
        .flops = 70,
        .rule = rule_chirps,
    },
    WINDOW("hann_window", "Hann's window",
           "out[i] = 0.5 - 0.5 cos(2 pi i / p), as NumPy's hanning and "
           "ONNX's HannWindow.",
           .attr_count = 1, .attrs = {PERIODIC}),
    WINDOW("hamming_window", "Hamming's window",
           "out[i] = alpha - (1 - alpha) cos(2 pi i / p), as NumPy's "
           "hamming; ONNX's HammingWindow has an alpha of 25 / 46.",
           .attr_count = 2,
           .attrs = {PERIODIC,
                     {.name = "alpha",
                      .brief = "the mean",
                      .kind = RP_ATTR_NUMBER,
                      .fallback = 0.54,
                      .low = 0,
                      .high = 1}}),
    WINDOW("blackman_window", "Blackman's window",
           "out[i] = 0.42 - 0.5 cos(2 pi i / p) + 0.08 cos(4 pi i / "
           "p), as NumPy's blackman and ONNX's BlackmanWindow.",
           .attr_count = 1, .attrs = {PERIODIC}),
};

const uint32_t rp_ops_signal_count = sizeof rp_ops_signal / sizeof *rp_ops_signal;
