/* Family attention: rotary positions, and scaled dot-product attention over a cache.
 *
 * Decoding has one query a head and a long cache. What costs is reading the cache, so its rows are
 * split over workgroups (attention_partial), each with its own maximum, and the parts are joined
 * afterwards (attention_combine, which is pointwise and so computed where it is needed). Prefill
 * has many queries; its kernel goes over the cache tile by tile with an online softmax.
 *
 * How many rows of the cache are filled is read from a buffer, usually a live value: one recorded
 * graph serves every step. */
#include <math.h>

#include "ops/tables.h"

enum {
    MAX_HEAD = 256, /* elements of a head: kernels keep a head in shared memory */
    MAX_SHARED = 8, /* query heads that a workgroup computes over one head of the cache */
    PART_ROWS = 32, /* a part's rows are a multiple; kernels/attention_partial.glsl has the same */
    MAX_GRID = 65535,
};

static void bind(rp_op_call *call, char symbol, uint64_t value) {
    call->symbols[symbol - 'A'] = value;
}

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

/* ---- rope ------------------------------------------------------------------------------------ */

enum { ROPE_BASE, ROPE_LAYOUT, ROPE_DIMS };

/* Binds R, the elements at the front of each head that turn. */
static bool rule_rope(rp_op_call *call) {
    uint64_t head = rp_sym(call, 'D'), turning = (uint64_t)call->attrs[ROPE_DIMS];
    if (turning == 0) turning = head;
    if (turning > head || turning % 2 != 0)
        return rp_op_fail(call,
                          "dims is %llu, expected an even number up to %llu, the last "
                          "dimension of x",
                          (unsigned long long)turning, (unsigned long long)head);
    if (!call->operands[2].absent && rp_sym(call, 'F') != turning / 2)
        return rp_op_fail(call, "frequencies has %llu elements, expected %llu, one for each pair",
                          (unsigned long long)rp_sym(call, 'F'), (unsigned long long)(turning / 2));
    bind(call, 'R', turning);
    return true;
}

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

/* ---- Attention: what the kernels share ------------------------------------------------------- */

/* Heads that fit, and H / G as L. */
static bool check_heads(rp_op_call *call) {
    uint64_t heads = rp_sym(call, 'H'), groups = rp_sym(call, 'G'), size = rp_sym(call, 'D');
    if (size > MAX_HEAD)
        return rp_op_fail(call, "heads have %llu elements; at most %d are possible",
                          (unsigned long long)size, MAX_HEAD);
    if (heads % groups != 0)
        return rp_op_fail(call, "q has %llu heads, expected a multiple of the %llu of k and v",
                          (unsigned long long)heads, (unsigned long long)groups);
    if (heads > MAX_GRID)
        return rp_op_fail(call, "q has %llu heads; at most %d are possible",
                          (unsigned long long)heads, MAX_GRID);
    if (call->operands[1].dtype != call->operands[2].dtype)
        return rp_op_fail(call, "k is %s and v is %s; they must be the same",
                          rp_dtype_name(call->operands[1].dtype),
                          rp_dtype_name(call->operands[2].dtype));
    bind(call, 'L', heads / groups);
    return true;
}

/* One query over some rows of one head of the cache. */
typedef struct attention {
    const double *q, *k, *v; /* k and v: row 0 of this head */
    uint64_t size, stride;   /* elements of a head; of a row of the cache */
    double scale, cap;
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
    a->condition = fmax(a->condition, magnitude * fabs(a->scale) + fabs(a->cap));
    dot *= a->scale;
    return a->cap != 0 ? a->cap * tanh(dot / a->cap) : dot;
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

/* ---- attention_partial ----------------------------------------------------------------------- */

enum { PARTIAL_SPLITS, PARTIAL_SCALE, PARTIAL_CAP };

/* Binds L, the query heads over one head of the cache; Z workgroups share them, J each. */
static bool rule_partial(rp_op_call *call) {
    if (!check_heads(call)) return false;
    uint64_t sharing = rp_sym(call, 'L'), turns = ceil_div(sharing, MAX_SHARED);
    bind(call, 'J', ceil_div(sharing, turns));
    bind(call, 'Z', turns);
    if (rp_sym(call, 'G') * turns > MAX_GRID) return rp_op_fail(call, "there are too many heads");
    return true;
}

static void reference_partial(const rp_op_call *call, rp_op_data *data) {
    uint64_t heads = rp_sym(call, 'H'), size = rp_sym(call, 'D'), groups = rp_sym(call, 'G');
    uint64_t parts = rp_sym(call, 'P'), rows = rp_sym(call, 'S');
    if (data->operands[3][0] < (double)rows) rows = (uint64_t)data->operands[3][0];
    uint64_t chunk = ceil_div(ceil_div(rows, parts), PART_ROWS) * PART_ROWS;
    for (uint64_t p = 0; p < parts; p++)
        for (uint64_t h = 0; h < heads; h++) {
            uint64_t first = p * chunk < rows ? p * chunk : rows;
            uint64_t end = rows - first < chunk ? rows : first + chunk;
            uint64_t group = h / (heads / groups), at = p * heads + h;
            attention a = {.q = data->operands[0] + h * size,
                           .k = data->operands[1] + group * size,
                           .v = data->operands[2] + group * size,
                           .size = size,
                           .stride = groups * size,
                           .scale = attention_scale(call->attrs[PARTIAL_SCALE], size),
                           .cap = (double)(float)call->attrs[PARTIAL_CAP],
                           .out = data->operands[4] + at * size,
                           .magnitude = data->scale + at * size};
            attend(&a, first, end);
            data->operands[5][at] = a.most;
            data->operands[6][at] = a.sum;
        }
}

/* ---- attention_combine ----------------------------------------------------------------------- */

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

/* ---- attention_prefill ----------------------------------------------------------------------- */

enum { PREFILL_CAUSAL, PREFILL_SCALE, PREFILL_CAP };

/* Binds X, the queries of a workgroup, so that they fill 16 KiB; N, the workgroups for all. */
static bool rule_prefill(rp_op_call *call) {
    if (!check_heads(call)) return false;
    uint64_t queries = rp_sym(call, 'D') <= MAX_HEAD / 2 ? 32 : 16;
    uint64_t tiles = ceil_div(rp_sym(call, 'T'), queries);
    if (tiles > MAX_GRID)
        return rp_op_fail(call, "q has %llu tokens; at most %llu are possible",
                          (unsigned long long)rp_sym(call, 'T'),
                          (unsigned long long)(queries * MAX_GRID));
    bind(call, 'X', queries);
    bind(call, 'N', tiles);
    return true;
}

static void reference_prefill(const rp_op_call *call, rp_op_data *data) {
    uint64_t tokens = rp_sym(call, 'T'), heads = rp_sym(call, 'H'), size = rp_sym(call, 'D');
    uint64_t groups = rp_sym(call, 'G'), rows = rp_sym(call, 'S'), past = rows;
    if (data->operands[3][0] < (double)rows) past = (uint64_t)data->operands[3][0];
    for (uint64_t t = 0; t < tokens; t++)
        for (uint64_t h = 0; h < heads; h++) {
            uint64_t seen = call->attrs[PREFILL_CAUSAL] != 0 ? t + 1 : tokens;
            uint64_t group = h / (heads / groups), at = (t * heads + h) * size;
            attention a = {.q = data->operands[0] + at,
                           .k = data->operands[1] + group * size,
                           .v = data->operands[2] + group * size,
                           .size = size,
                           .stride = groups * size,
                           .scale = attention_scale(call->attrs[PREFILL_SCALE], size),
                           .cap = (double)(float)call->attrs[PREFILL_CAP],
                           .out = data->operands[4] + at,
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

#define SOFTMAX                                                                                    \
    "Scores and sums are f32. A score of -inf has no weight; where no row has weight the result "  \
    "is zeros. A score of +inf, or NaN anywhere in a row that takes part, gives NaN."

#define SCALE_AND_CAP                                                                              \
    {.name = "scale",                                                                              \
     .brief = "factor of the scores; 0: 1 / sqrt(D)",                                              \
     .kind = RP_ATTR_NUMBER,                                                                       \
     .low = -1e30,                                                                                 \
     .high = 1e30},                                                                                \
    {                                                                                              \
        .name = "softcap", .brief = "scores become softcap * tanh(score / softcap); 0: not",       \
        .kind = RP_ATTR_NUMBER, .low = 0, .high = 1e30                                             \
    }

const rp_op rp_ops_attention[] = {
    {
        .name = "rope",
        .family = "attention",
        .brief = "rotary position embedding: turns pairs of elements by the token's position",
        .notes = "Pair j of a head turns by position * base^(-2j / dims), or by position * "
                 "frequencies[j]. Angles are reduced exactly, whatever the position: the relative "
                 "error of an angle is that of its frequency, at most 2^-21, and sine and cosine "
                 "add 2^-22. Elements past `dims` stay as they are. An infinity in a pair makes "
                 "infinities or NaN of both; position 0 changes nothing but for that.",
        .form = RP_OP_POINTWISE,
        .operand_count = 4,
        .attr_count = 3,
        .operands =
            {{.name = "x",
              .brief = "tokens, heads, elements",
              .shape = "*T H D",
              .dtypes = RP_DT_FLOAT,
              .at = RP_AT_PAIR},
             {.name = "positions", .brief = "of the tokens", .shape = "*T", .dtypes = RP_DT_INDEX},
             {.name = "frequencies",
              .brief = "radians for each position, below 2 pi, for each pair; else by `base`",
              .shape = "F",
              .dtypes = RP_DT(RP_F32),
              .optional = true,
              .absent = "1.0"},
             {.name = "out",
              .brief = "the same, turned",
              .shape = "*T H D",
              .dtypes = RP_DT_FLOAT,
              .access = RP_WRITE,
              .like = "x"}},
        .attrs = {{.name = "base",
                   .brief = "the slowest pair turns about so many times slower than the first",
                   .kind = RP_ATTR_NUMBER,
                   .fallback = 10000,
                   .low = 1,
                   .high = 1e12},
                  {.name = "layout",
                   .brief = "pairs: j and j + dims / 2 (neox), or 2j and 2j + 1 (interleaved)",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "neox|interleaved"},
                  {.name = "dims",
                   .brief = "elements at the front of each head that turn; 0: all",
                   .kind = RP_ATTR_INTEGER,
                   .high = UINT32_MAX}},
        .flops = 60,
        .rule = rule_rope,
        .reference = reference_rope,
    },
    {
        .name = "attention_partial",
        .family = "attention",
        .brief = "decoding: attention of one token over parts of a cache",
        .notes = "Part p takes rows [p * c, (p + 1) * c) of the first `length` ones, where c is "
                 "length / P, rounded up to a multiple of 32. Its results are relative to its "
                 "greatest score; attention_combine joins the parts. A part without rows has sum "
                 "0 and maximum -inf. Query head h reads head h / (H / G) of the cache. " SOFTMAX,
        .form = RP_OP_KERNEL,
        .operand_count = 7,
        .attr_count = 3,
        .operands = {{.name = "q",
                      .brief = "the token's queries",
                      .shape = "*H D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .hook = true,
                      .reads = "HDP"},
                     {.name = "k",
                      .brief = "keys in the cache",
                      .shape = "S G D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .reads = "SGDZ"},
                     {.name = "v",
                      .brief = "values in the cache",
                      .shape = "S G D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .reads = "SGDZ"},
                     {.name = "length",
                      .brief = "rows of the cache that take part, the first ones; S at most",
                      .shape = "",
                      .dtypes = RP_DT(RP_U32),
                      .at = RP_AT_ANY},
                     {.name = "partial",
                      .brief = "each part's values, weighted and added up",
                      .shape = "P H D",
                      .dtypes = RP_DT(RP_F32),
                      .access = RP_WRITE},
                     {.name = "maxima",
                      .brief = "each part's greatest score",
                      .shape = "P H",
                      .dtypes = RP_DT(RP_F32),
                      .access = RP_WRITE},
                     {.name = "sums",
                      .brief = "the sum of each part's weights",
                      .shape = "P H",
                      .dtypes = RP_DT(RP_F32),
                      .access = RP_WRITE}},
        .attrs = {{.name = "splits",
                   .brief = "parts, P",
                   .kind = RP_ATTR_INTEGER,
                   .symbol = 'P',
                   .fallback = 8,
                   .low = 1,
                   .high = 256},
                  SCALE_AND_CAP},
        .length = "S",
        .groups = "GPZ",
        .flops = 4,
        .rule = rule_partial,
        .reference = reference_partial,
    },
    {
        .name = "attention_combine",
        .family = "attention",
        .brief = "decoding: joins the parts of attention_partial",
        .notes = "Parts whose sum is 0 do not count; without any other the result is zeros. NaN in "
                 "a part that counts gives NaN.",
        .form = RP_OP_POINTWISE,
        .operand_count = 4,
        .operands = {{.name = "partial",
                      .brief = "each part's values",
                      .shape = "P H D",
                      .dtypes = RP_DT(RP_F32),
                      .reads = "PHD"},
                     {.name = "maxima",
                      .brief = "its greatest score",
                      .shape = "P H",
                      .dtypes = RP_DT(RP_F32),
                      .reads = "PHD"},
                     {.name = "sums",
                      .brief = "its weights' sum",
                      .shape = "P H",
                      .dtypes = RP_DT(RP_F32),
                      .reads = "PHD"},
                     {.name = "out",
                      .brief = "the weighted mean of the values",
                      .shape = "*H D",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE}},
        .length = "P",
        .flops = 12,
        .reference = reference_combine,
    },
    {
        .name = "attention_prefill",
        .family = "attention",
        .brief = "attention of many tokens over a cache that holds them already",
        .notes = "Row past + t of the cache is that of token t. A causal token sees rows up to its "
                 "own, others see all of past + T; rows beyond S do not exist. Query head h reads "
                 "head h / (H / G) of the cache. " SOFTMAX,
        .form = RP_OP_KERNEL,
        .operand_count = 5,
        .attr_count = 3,
        .operands = {{.name = "q",
                      .brief = "the tokens' queries",
                      .shape = "*T H D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .hook = true,
                      .reads = "THD"},
                     {.name = "k",
                      .brief = "keys in the cache",
                      .shape = "S G D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .reads = "NHSD"},
                     {.name = "v",
                      .brief = "values in the cache",
                      .shape = "S G D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .reads = "NHSD"},
                     {.name = "past",
                      .brief = "rows of the cache before these tokens",
                      .shape = "",
                      .dtypes = RP_DT(RP_U32),
                      .at = RP_AT_ANY},
                     {.name = "out",
                      .brief = "for each token and head, the weighted mean of the values",
                      .shape = "*T H D",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE,
                      .hook = true,
                      .like = "q"}},
        .attrs = {{.name = "causal",
                   .brief = "1: tokens do not see later ones",
                   .kind = RP_ATTR_INTEGER,
                   .fallback = 1,
                   .high = 1},
                  SCALE_AND_CAP},
        .length = "S",
        .groups = "NH",
        .flops = 4,
        .rule = rule_prefill,
        .reference = reference_prefill,
    },
};

const uint32_t rp_ops_attention_count = sizeof rp_ops_attention / sizeof *rp_ops_attention;
