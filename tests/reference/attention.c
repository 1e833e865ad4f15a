/* References of family attention: softmax over every row of the cache, one query at a time. */
#include <math.h>

#include "reference/reference.h"

/* ---- rope ------------------------------------------------------------------------------------ */

enum { ROPE_BASE, ROPE_LAYOUT };

/* Angles are condition numbers here: a relative error of the frequency is an error of the angle. */
static void reference_rope(const rp_op_call *call, rp_op_data *data) {
    uint64_t heads = rp_sym(call, 'H'), size = rp_sym(call, 'D'), turning = rp_sym(call, 'R');
    bool halves = call->attrs[ROPE_LAYOUT] == 0;
    for (uint64_t t = 0; t < rp_sym(call, 'T'); t++)
        for (uint64_t h = 0; h < heads; h++) {
            uint64_t at = (t * heads + h) * size;
            const double *x = data->operands[0] + at;
            double *out = data->operands[3] + at;
            for (uint64_t d = turning; d < size; d++) out[d] = x[d];
            for (uint64_t j = 0; j < turning / 2; j++) {
                uint64_t one = halves ? j : 2 * j, two = halves ? j + turning / 2 : 2 * j + 1;
                double frequency = data->operands[2] ? data->operands[2][j]
                                                     : pow((double)(float)call->attrs[ROPE_BASE],
                                                           -2.0 * (double)j / (double)turning);
                double angle = data->operands[1][t] * frequency;
                out[one] = x[one] * cos(angle) - x[two] * sin(angle);
                out[two] = x[two] * cos(angle) + x[one] * sin(angle);
                data->scale[at + one] = data->scale[at + two] =
                    (fabs(x[one]) + fabs(x[two])) * (1 + 2 * fabs(angle));
            }
        }
}

/* ---- attention ------------------------------------------------------------------------------- */

/* One query over some rows of one head of the cache. */
typedef struct attention {
    const double *q, *k, *v; /* k and v: row 0 of this head */
    uint64_t size, stride;   /* elements of a head; of a row of the cache */
    double scale, cap;
    const rp_op_call *call;
    const double *mask;          /* added to the rows' scores; NULL: nothing */
    double most, sum, condition; /* the greatest score, the weights' sum, see below */
    double *out, *magnitude;     /* of size; the weighted rows of v, not divided by the sum */
} attention;

static double attention_scale(double attr, uint64_t size) {
    return attr != 0 ? (double)(float)attr : 1 / sqrt((double)size);
}

/* The score of a row; `condition` is what its rounding errors are relative to. */
static double score(attention *a, uint64_t row) {
    double dot = 0, magnitude = 0;
    for (uint64_t d = 0; d < a->size; d++) {
        double term = a->q[d] * a->k[row * a->stride + d];
        dot += term;
        magnitude += fabs(term);
    }
    double more = a->mask ? rp_reference_mask(a->call, 4, a->mask[row]) : 0;
    if (more == -INFINITY) return more;
    a->condition = fmax(a->condition, magnitude * fabs(a->scale) + fabs(a->cap) + fabs(more));
    dot *= a->scale;
    return (a->cap != 0 ? a->cap * tanh(dot / a->cap) : dot) + more;
}

static void attend(attention *a, uint64_t first, uint64_t end) {
    a->most = -INFINITY;
    a->sum = a->condition = 0;
    for (uint64_t d = 0; d < a->size; d++) a->out[d] = a->magnitude[d] = 0;
    for (uint64_t row = first; row < end; row++) {
        double s = score(a, row);
        if (s > a->most) a->most = s;
    }
    for (uint64_t row = first; row < end; row++) {
        double s = score(a, row);
        if (s == -INFINITY) continue;
        double weight = exp(s - a->most);
        a->sum += weight;
        for (uint64_t d = 0; d < a->size; d++) {
            a->out[d] += weight * a->v[row * a->stride + d];
            a->magnitude[d] += fabs(weight * a->v[row * a->stride + d]);
        }
    }
    for (uint64_t d = 0; d < a->size; d++) a->magnitude[d] *= 1 + a->condition;
}

enum { PARTIAL_SCALE = 1, PARTIAL_CAP };

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

/* Where attention_partial and attention_append have their operands. */
typedef struct partial_operands {
    uint32_t length, k, v, partial, maxima, sums;
} partial_operands;

/* A part's rows are a multiple of 32. */
static void attend_parts(const rp_op_call *call, rp_op_data *data, const partial_operands *o) {
    uint64_t heads = rp_sym(call, 'H'), size = rp_sym(call, 'D'), groups = rp_sym(call, 'G');
    uint64_t parts = rp_sym(call, 'P'), rows = rp_sym(call, 'S');
    if (data->operands[o->length][0] < (double)rows) rows = (uint64_t)data->operands[o->length][0];
    uint64_t chunk = ceil_div(ceil_div(rows, parts), 32) * 32;
    for (uint64_t p = 0; p < parts; p++)
        for (uint64_t h = 0; h < heads; h++) {
            uint64_t first = p * chunk < rows ? p * chunk : rows;
            uint64_t end = rows - first < chunk ? rows : first + chunk;
            uint64_t group = h / (heads / groups), at = p * heads + h;
            attention a = {.q = data->operands[0] + h * size,
                           .k = data->operands[o->k] + group * size,
                           .v = data->operands[o->v] + group * size,
                           .size = size,
                           .stride = groups * size,
                           .scale = attention_scale(call->attrs[PARTIAL_SCALE], size),
                           .cap = (double)(float)call->attrs[PARTIAL_CAP],
                           .out = data->operands[o->partial] + at * size,
                           .magnitude = data->scale + at * size};
            attend(&a, first, end);
            data->operands[o->maxima][at] = a.most;
            data->operands[o->sums][at] = a.sum;
        }
}

static void reference_partial(const rp_op_call *call, rp_op_data *data) {
    attend_parts(call, data, &(partial_operands){3, 1, 2, 4, 5, 6});
}

static double rounded(double x, uint8_t dtype) {
    return dtype == RP_F16    ? rp_reference_f16(x)
           : dtype == RP_BF16 ? rp_reference_bf16(x)
                              : (double)(float)x;
}

static void reference_append(const rp_op_call *call, rp_op_data *data) {
    enum { KEY = 1, POSITION = 3, K = 8 };
    uint64_t row = rp_sym(call, 'G') * rp_sym(call, 'D');
    double position = data->operands[POSITION][0];
    for (uint32_t side = 0; side < 2 && position < (double)rp_sym(call, 'S'); side++)
        for (uint64_t i = 0; i < row; i++)
            data->operands[K + side][(uint64_t)position * row + i] =
                rounded(data->operands[KEY + side][i], call->operands[K].dtype);
    attend_parts(call, data, &(partial_operands){4, K, K + 1, 5, 6, 7});
}

static void reference_combine(const rp_op_call *call, rp_op_data *data) {
    uint64_t parts = rp_sym(call, 'P'), heads = rp_sym(call, 'H'), size = rp_sym(call, 'D');
    const double *partial = data->operands[0], *maxima = data->operands[1];
    const double *sums = data->operands[2];
    for (uint64_t h = 0; h < heads; h++) {
        double most = -INFINITY, total = 0;
        for (uint64_t p = 0; p < parts; p++)
            if (sums[p * heads + h] != 0) most = fmax(most, maxima[p * heads + h]);
        for (uint64_t p = 0; p < parts; p++)
            if (sums[p * heads + h] != 0)
                total += sums[p * heads + h] * exp(maxima[p * heads + h] - most);
        for (uint64_t d = 0; d < size; d++) {
            double sum = 0, magnitude = 0, condition = 0;
            for (uint64_t p = 0; p < parts; p++) {
                if (sums[p * heads + h] == 0) continue;
                double below = maxima[p * heads + h] - most;
                double term = partial[(p * heads + h) * size + d] * exp(below) / total;
                sum += term;
                magnitude += fabs(term);
                condition = fmax(condition, exp(below) * fabs(below));
            }
            data->operands[3][h * size + d] = sum;
            data->scale[h * size + d] = magnitude * (2 + condition);
        }
    }
}

enum { PREFILL_CAUSAL, PREFILL_SCALE, PREFILL_CAP };

static void reference_prefill(const rp_op_call *call, rp_op_data *data) {
    uint64_t tokens = rp_sym(call, 'T'), heads = rp_sym(call, 'H'), size = rp_sym(call, 'D');
    uint64_t groups = rp_sym(call, 'G'), rows = rp_sym(call, 'S'), past = 0;
    const double *mask = data->operands[4];
    if (data->operands[3]) past = (uint64_t)fmin(data->operands[3][0], (double)rows);
    for (uint64_t i = 0; i < rp_sym(call, 'A') * tokens; i++)
        for (uint64_t h = 0; h < heads; h++) {
            uint64_t batch = i / tokens, seen = i % tokens + 1;
            if (call->attrs[PREFILL_CAUSAL] == 0) seen = tokens;
            uint64_t group = h / (heads / groups), at = (i * heads + h) * size;
            uint64_t cache = (batch * rows * groups + group) * size;
            attention a = {.q = data->operands[0] + at,
                           .k = data->operands[1] + cache,
                           .v = data->operands[2] + cache,
                           .size = size,
                           .stride = groups * size,
                           .scale = attention_scale(call->attrs[PREFILL_SCALE], size),
                           .cap = (double)(float)call->attrs[PREFILL_CAP],
                           .call = call,
                           .mask = mask ? mask + batch * rows : NULL,
                           .out = data->operands[5] + at,
                           .magnitude = data->scale + at};
            attend(&a, 0, rows - past < seen ? rows : past + seen);
            if (a.sum == 0) continue;
            for (uint64_t d = 0; d < size; d++) {
                a.out[d] /= a.sum;
                a.magnitude[d] /= a.sum;
            }
        }
}

/* ---- The table ------------------------------------------------------------------------------- */

static const rp_reference_entry entries[] = {
    {"rope", reference_rope},
    {"attention_partial", reference_partial},
    {"attention_append", reference_append},
    {"attention_combine", reference_combine},
    {"attention_prefill", reference_prefill},
};

rp_reference *rp_reference_of_attention(const char *name) {
    return rp_reference_among(entries, sizeof entries / sizeof *entries, name);
}
