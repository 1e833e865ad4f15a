/* References of family signal: sums over all elements, in double precision. */
#include <math.h>
#include <stdlib.h>

#include "reference/reference.h"

typedef struct number {
    double re, im;
} number;

static const double whole_turn = 6.283185307179586476925287;

static number times(number a, number b) {
    return (number){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/* exp(i times so much of a whole turn). */
static number root(double turn) {
    return (number){cos(whole_turn * turn), sin(whole_turn * turn)};
}

static double attr(const rp_op_call *call, const char *name) {
    return call->attrs[rp_op_attr_index(call->op, name, strlen(name))];
}

/* Element n of signal r, of those `side` by side. */
static number element(const rp_op_call *call, const double *x, uint64_t r, uint64_t n,
                      uint64_t side) {
    uint64_t m = (uint64_t)attr(call, "samples"), s = (uint64_t)attr(call, "stride");
    bool parted = rp_op_attr_index(call->op, "parts", 5) != RP_OP_MISSING;
    uint64_t whole = rp_sym(call, 'N') * (parted ? (uint64_t)attr(call, "parts") : 1);
    double source = attr(call, "source");
    bool other = source == 2 && n > whole / 2;
    if (other) n = whole - n;
    if (n >= m) return (number){0, 0};
    uint64_t at = (r * m + n) * s + side;
    if (source == 1) return (number){x[at], 0};
    return (number){x[2 * at], other ? -x[2 * at + 1] : x[2 * at + 1]};
}

static void reference_pass(const rp_op_call *call, rp_op_data *data) {
    uint64_t n = rp_sym(call, 'N'), parts = (uint64_t)attr(call, "parts");
    uint64_t s = (uint64_t)attr(call, "stride"), signals = rp_sym(call, 'A') / (parts * s);
    uint64_t kept = (uint64_t)attr(call, "kept"), whole = n * parts;
    if (!kept) kept = whole * s;
    bool backward = attr(call, "direction") == 1, real = attr(call, "result") == 1;
    double sign = backward ? 1 : -1, share = backward ? 1.0 / (double)n : 1;
    number *signal = calloc(2 * n, sizeof *signal), *roots = signal + n;
    if (!signal) abort();
    for (uint64_t j = 0; j < n; j++) roots[j] = root(sign * (double)j / (double)n);
    for (uint64_t i = 0; i < signals * parts * s; i++) {
        uint64_t side = i % s, part = i / s % parts, r = i / s / parts;
        double squares = 0;
        for (uint64_t j = 0; j < n; j++) {
            signal[j] = element(call, data->operands[0], r, j * parts + part, side);
            squares += signal[j].re * signal[j].re + signal[j].im * signal[j].im;
        }
        for (uint64_t k = 0; k < n; k++) {
            uint64_t place = (part * n + k) * s + side, to = r * kept + place;
            number sum = {0, 0};
            if (place >= kept) continue;
            for (uint64_t j = 0; j < n; j++) {
                number a = times(signal[j], roots[j * k % n]);
                sum.re += a.re;
                sum.im += a.im;
            }
            if (parts > 1) sum = times(sum, root(sign * (double)(part * k) / (double)whole));
            for (uint64_t half = 0; half < (real ? 1 : 2); half++) {
                uint64_t at = real ? to : 2 * to + half;
                data->operands[1][at] = (half ? sum.im : sum.re) * share;
                data->scale[at] = sqrt(squares) * share;
            }
        }
    }
    free(signal);
}

/* exp(i pi m m / n), or of -i. */
static number chirp_of(uint64_t m, uint64_t n, bool negative) {
    return root((negative ? -0.5 : 0.5) * (double)(m * m % (2 * n)) / (double)n);
}

static void reference_chirp(const rp_op_call *call, rp_op_data *data) {
    uint64_t pairs = rp_tensor_elements(&call->operands[0]) / 2, n = (uint64_t)attr(call, "length");
    for (uint64_t j = 0; j < pairs; j++) {
        uint64_t m = j < pairs - j ? j : pairs - j;
        number value = m < n ? chirp_of(m, n, attr(call, "direction") == 1) : (number){0, 0};
        data->operands[0][2 * j] = value.re;
        data->operands[0][2 * j + 1] = value.im;
        data->scale[2 * j] = data->scale[2 * j + 1] = m < n;
    }
}

static void reference_chirped(const rp_op_call *call, rp_op_data *data) {
    uint64_t n = (uint64_t)attr(call, "length"), s = (uint64_t)attr(call, "stride");
    uint64_t kept = attr(call, "kept") > 0 ? (uint64_t)attr(call, "kept") : n * s;
    bool real = attr(call, "result") == 1;
    double scale = (float)attr(call, "scale");
    uint64_t pairs = rp_sym(call, 'L') / (real ? 1 : 2);
    for (uint64_t i = 0; i < pairs; i++) {
        uint64_t k = i % kept / s;
        number a = element(call, data->operands[0], i / kept, k, i % kept % s);
        number b = times(a, chirp_of(k, n, attr(call, "direction") == 0));
        for (uint64_t half = 0; half < (real ? 1 : 2); half++) {
            uint64_t at = real ? i : 2 * i + half;
            data->operands[1][at] = (half ? b.im : b.re) * scale;
            data->scale[at] = (fabs(a.re) + fabs(a.im)) * fabs(scale);
        }
    }
}

static void reference_product(const rp_op_call *call, rp_op_data *data) {
    const double *a = data->operands[0], *b = data->operands[1];
    uint64_t count = rp_sym(call, 'A'), repeats = rp_sym(call, 'B');
    uint64_t stride = (uint64_t)attr(call, "stride");
    for (uint64_t i = 0; i < count; i += 2) {
        uint64_t k = i / 2 / stride * 2 % repeats;
        data->operands[2][i] = a[i] * b[k] - a[i + 1] * b[k + 1];
        data->operands[2][i + 1] = a[i] * b[k + 1] + a[i + 1] * b[k];
        data->scale[i] = fabs(a[i] * b[k]) + fabs(a[i + 1] * b[k + 1]);
        data->scale[i + 1] = fabs(a[i] * b[k + 1]) + fabs(a[i + 1] * b[k]);
    }
}

static void window(const rp_op_call *call, rp_op_data *data, double a, double b, double c) {
    uint64_t n = rp_sym(call, 'N'), period = n - 1 + (uint64_t)attr(call, "periodic");
    for (uint64_t i = 0; i < n; i++) {
        double turn = whole_turn * (double)i / (double)period;
        data->operands[0][i] = n == 1 ? 1 : a - b * cos(turn) + c * cos(2 * turn);
        data->scale[i] = 1;
    }
}

static void reference_hann(const rp_op_call *call, rp_op_data *data) {
    window(call, data, 0.5, 0.5, 0);
}

static void reference_hamming(const rp_op_call *call, rp_op_data *data) {
    double alpha = (float)attr(call, "alpha");
    window(call, data, alpha, 1 - alpha, 0);
}

static void reference_blackman(const rp_op_call *call, rp_op_data *data) {
    window(call, data, 0.42, 0.5, 0.08);
}

/* ---- The table ------------------------------------------------------------------------------- */

static const rp_reference_entry entries[] = {
    {"fft_pass", reference_pass},
    {"complex_multiply", reference_product},
    {"chirp", reference_chirp},
    {"chirp_multiply", reference_chirped},
    {"hann_window", reference_hann},
    {"hamming_window", reference_hamming},
    {"blackman_window", reference_blackman},
};

rp_reference *rp_reference_of_signal(const char *name) {
    return rp_reference_among(entries, sizeof entries / sizeof *entries, name);
}
