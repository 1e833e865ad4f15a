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

/* The cache of one sequence, and what its tokens see of it. */
typedef struct sequence {
    const rp_op_call *call;
    const double *mask, *table;
    uint32_t mask_operand;
    uint64_t number, rows; /* of the sequence; that its cache has room for */
    uint64_t first;        /* row of all caches that its first one is */
    uint64_t past;         /* rows in front of its first token's */
    uint64_t begin, end;   /* the rows that there are */
    bool causal, ring;
    uint64_t window;
} sequence;

static double attention_scale(double attr, uint64_t size) {
    return attr != 0 ? (double)(float)attr : 1 / sqrt((double)size);
}

/* A number of a sequence, among those of all or the only one. */
static uint64_t number_of(const rp_op_call *call, const rp_op_data *data, uint32_t operand,
                          uint64_t which) {
    if (rp_tensor_elements(&call->operands[operand]) == 1) which = 0;
    return (uint64_t)fmax(data->operands[operand][which], 0);
}

/* The rows that there are of a sequence of `total`. */
static void set_rows(sequence *s, uint64_t total) {
    s->begin = s->ring && total > s->rows ? total - s->rows : 0;
    s->end = !s->ring && total > s->rows ? s->rows : total;
}

static bool sees(const sequence *s, uint64_t token, uint64_t row) {
    uint64_t own = s->past + token;
    if (row < s->begin || row >= s->end || (s->causal && row > own)) return false;
    return s->window == 0 || (row > own ? row - own : own - row) < s->window;
}

/* Where a row lies among those of all caches; false: it is in a page that is not there. */
static bool find_row(const sequence *s, uint64_t row, uint64_t *at) {
    uint64_t slot = s->ring ? row % s->rows : row;
    *at = s->first + slot;
    if (!s->table) return true;
    uint64_t each = rp_sym(s->call, 'X');
    double page = s->table[s->number * (s->rows / each) + slot / each];
    *at = (uint64_t)page * each + slot % each;
    return page >= 0 && page < (double)rp_sym(s->call, 'V');
}

/* What the mask adds to a score. */
static double added(const sequence *s, uint64_t token, uint64_t head, uint64_t row) {
    if (!s->mask) return 0;
    const rp_tensor *t = &s->call->operands[s->mask_operand];
    uint64_t slot = s->ring ? row % s->rows : row, line = s->number;
    if (t->rank == 4)
        line = ((t->dims[0] == 1 ? 0 : s->number) * t->dims[1] + (t->dims[1] == 1 ? 0 : head)) *
                   t->dims[2] +
               (t->dims[2] == 1 ? 0 : token);
    return rp_reference_mask(s->call, s->mask_operand, s->mask[line * s->rows + slot]);
}

/* One query of a token over some rows of one head of the cache. */
typedef struct attention {
    const sequence *of;
    uint64_t token, head;
    const double *q, *k, *v; /* k and v: row 0 of this head, of all caches */
    uint64_t size, stride;   /* elements of a head; of a row of the cache */
    double scale, cap;
    double most, sum, condition; /* the greatest score, the weights' sum, see below */
    double *out, *magnitude;     /* of size; the weighted rows of v, not divided by the sum */
} attention;

/* The score of a row, -inf where it is not seen; `condition` is what its rounding errors are relative
 * to. */
static double score(attention *a, uint64_t row, uint64_t *at) {
    double dot = 0, magnitude = 0;
    if (!sees(a->of, a->token, row) || !find_row(a->of, row, at)) return -INFINITY;
    double more = added(a->of, a->token, a->head, row);
    if (more == -INFINITY) return more;
    for (uint64_t d = 0; d < a->size; d++) {
        double term = a->q[d] * a->k[*at * a->stride + d];
        dot += term;
        magnitude += fabs(term);
    }
    a->condition = fmax(a->condition, magnitude * fabs(a->scale) + fabs(a->cap) + fabs(more));
    dot *= a->scale;
    return (a->cap != 0 ? a->cap * tanh(dot / a->cap) : dot) + more;
}

static void attend(attention *a, uint64_t first, uint64_t end) {
    uint64_t at = 0;
    a->most = -INFINITY;
    a->sum = a->condition = 0;
    for (uint64_t d = 0; d < a->size; d++) a->out[d] = a->magnitude[d] = 0;
    for (uint64_t row = first; row < end; row++) {
        double s = score(a, row, &at);
        if (s > a->most) a->most = s;
    }
    for (uint64_t row = first; row < end; row++) {
        double s = score(a, row, &at);
        if (s == -INFINITY) continue;
        double weight = exp(s - a->most);
        a->sum += weight;
        for (uint64_t d = 0; d < a->size; d++) {
            a->out[d] += weight * a->v[at * a->stride + d];
            a->magnitude[d] += fabs(weight * a->v[at * a->stride + d]);
        }
    }
    for (uint64_t d = 0; d < a->size; d++) a->magnitude[d] *= 1 + a->condition;
}

/* What is the weighted mean beside a sink; NULL: there is none. */
static void finish(attention *a, const double *sink) {
    if (a->sum == 0) return;
    double high = sink ? fmax(a->most, *sink) : a->most, keep = exp(a->most - high);
    double all = a->sum * keep + (sink ? exp(*sink - high) : 0);
    for (uint64_t d = 0; d < a->size; d++) {
        a->out[d] *= keep / all;
        a->magnitude[d] *= keep / all;
    }
}

enum { PARTIAL_SCALE = 1, PARTIAL_CAP, PARTIAL_CAUSAL, PARTIAL_WINDOW, PARTIAL_RING };

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

/* Where attention_partial and attention_append have their operands. */
typedef struct partial_operands {
    uint32_t length, position, mask, table, k, v, partial, maxima, sums;
} partial_operands;
static const partial_operands partial_has = {3, 4, 5, 6, 1, 2, 7, 8, 9};
static const partial_operands append_has = {4, 3, 5, 6, 10, 11, 7, 8, 9};

static sequence sequence_of_one_token(const rp_op_call *call, const rp_op_data *data,
                                      const partial_operands *o, uint64_t number) {
    sequence s = {.call = call,
                  .mask = data->operands[o->mask],
                  .table = data->operands[o->table],
                  .mask_operand = o->mask,
                  .number = number,
                  .rows = rp_sym(call, 'S'),
                  .first = number * rp_sym(call, 'S'),
                  .causal = call->attrs[PARTIAL_CAUSAL] > 0,
                  .ring = call->attrs[PARTIAL_RING] > 0,
                  .window = (uint64_t)call->attrs[PARTIAL_WINDOW]};
    uint64_t total = number_of(call, data, o->length, number);
    s.past = data->operands[o->position] ? number_of(call, data, o->position, number)
             : total                     ? total - 1
                                         : 0;
    set_rows(&s, total);
    return s;
}

/* A part's rows are a multiple of 32. */
static void attend_parts(const rp_op_call *call, rp_op_data *data, const partial_operands *o) {
    uint64_t heads = rp_sym(call, 'H'), size = rp_sym(call, 'D'), groups = rp_sym(call, 'G');
    uint64_t parts = rp_sym(call, 'P'), all = rp_sym(call, 'O');
    for (uint64_t i = 0; i < parts * all; i++) {
        uint64_t p = i / all, number = i % all / heads, h = i % heads;
        sequence s = sequence_of_one_token(call, data, o, number);
        uint64_t low = s.begin, high = s.end;
        while (low < high && !sees(&s, 0, low)) low++;
        while (high > low && !sees(&s, 0, high - 1)) high--;
        uint64_t rows = high - low, chunk = ceil_div(ceil_div(rows, parts), 32) * 32;
        uint64_t first = p * chunk < rows ? p * chunk : rows;
        uint64_t end = rows - first < chunk ? rows : first + chunk;
        uint64_t group = h / (heads / groups);
        attention a = {.of = &s,
                       .head = h,
                       .q = data->operands[0] + i % all * size,
                       .k = data->operands[o->k] + group * size,
                       .v = data->operands[o->v] + group * size,
                       .size = size,
                       .stride = groups * size,
                       .scale = attention_scale(call->attrs[PARTIAL_SCALE], size),
                       .cap = (double)(float)call->attrs[PARTIAL_CAP],
                       .out = data->operands[o->partial] + i * size,
                       .magnitude = data->scale + i * size};
        attend(&a, low + first, low + end);
        data->operands[o->maxima][i] = a.most;
        data->operands[o->sums][i] = a.sum;
    }
}

static void reference_partial(const rp_op_call *call, rp_op_data *data) {
    attend_parts(call, data, &partial_has);
}

static double rounded(double x, uint8_t dtype) {
    return dtype == RP_F16    ? rp_reference_f16(x)
           : dtype == RP_BF16 ? rp_reference_bf16(x)
                              : (double)(float)x;
}

/* A new row as it is stored. */
static void put_row(const double *from, uint8_t dtype, uint64_t count, double *to) {
    for (uint64_t i = 0; i < count; i++) to[i] = rounded(from[i], dtype);
    for (uint64_t i = 0; dtype == RP_Q8_0 && i < count; i += 32)
        rp_reference_pack_q8_0(from + i, to + i);
}

static void reference_append(const rp_op_call *call, rp_op_data *data) {
    enum { KEY = 1, K = 10 };
    uint64_t row = rp_sym(call, 'G') * rp_sym(call, 'D');
    for (uint64_t b = 0; b < rp_sym(call, 'A'); b++) {
        sequence s = sequence_of_one_token(call, data, &append_has, b);
        uint64_t at;
        bool there = s.ring ? s.past >= s.begin && s.past < s.end : s.past < s.rows;
        if (!there || !find_row(&s, s.past, &at)) continue;
        for (uint32_t side = 0; side < 2; side++)
            put_row(data->operands[KEY + side] + b * row, call->operands[K].dtype, row,
                    data->operands[K + side] + at * row);
    }
    attend_parts(call, data, &append_has);
}

static void reference_combine(const rp_op_call *call, rp_op_data *data) {
    uint64_t parts = rp_sym(call, 'P'), heads = rp_sym(call, 'H'), size = rp_sym(call, 'D');
    const double *partial = data->operands[0], *maxima = data->operands[1];
    const double *sums = data->operands[2];
    for (uint64_t h = 0; h < heads; h++) {
        double most = -INFINITY, total = 0;
        const double *sink = data->operands[3];
        if (sink) sink += h % rp_sym(call, 'S');
        for (uint64_t p = 0; p < parts; p++)
            if (sums[p * heads + h] != 0) most = fmax(most, maxima[p * heads + h]);
        if (sink) most = fmax(most, *sink);
        for (uint64_t p = 0; p < parts; p++)
            if (sums[p * heads + h] != 0)
                total += sums[p * heads + h] * exp(maxima[p * heads + h] - most);
        if (sink) total += exp(*sink - most);
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
            data->operands[4][h * size + d] = sum;
            data->scale[h * size + d] = magnitude * (2 + condition);
        }
    }
}

enum { PREFILL_CAUSAL, PREFILL_SCALE, PREFILL_CAP, PREFILL_WINDOW, PREFILL_RING, PREFILL_WHOLE };
enum { PAST = 3, MASK, LENGTH, SINKS, TABLE, Q_OFFSETS, K_OFFSETS, OUT };

/* An offset, within what there is to be cut. */
static uint64_t offset_of(const rp_op_data *data, uint32_t operand, uint64_t which, uint64_t most) {
    return which == 0 ? 0 : (uint64_t)fmin(fmax(data->operands[operand][which], 0), (double)most);
}

/* A sequence of so many tokens. */
static sequence sequence_of_tokens(const rp_op_call *call, const rp_op_data *data, uint64_t number,
                                   uint64_t tokens) {
    sequence s = {.call = call,
                  .mask = data->operands[MASK],
                  .table = data->operands[TABLE],
                  .mask_operand = MASK,
                  .number = number,
                  .rows = rp_sym(call, 'S'),
                  .first = number * rp_sym(call, 'S'),
                  .causal = call->attrs[PREFILL_CAUSAL] > 0,
                  .ring = call->attrs[PREFILL_RING] > 0,
                  .window = (uint64_t)call->attrs[PREFILL_WINDOW]};
    bool known = true;
    uint64_t total = s.rows;
    if (data->operands[K_OFFSETS]) {
        s.first = offset_of(data, K_OFFSETS, number, s.rows);
        total = s.rows = offset_of(data, K_OFFSETS, number + 1, s.rows) - s.first;
        if (data->operands[LENGTH])
            total = (uint64_t)fmin((double)number_of(call, data, LENGTH, number), (double)total);
    } else if (data->operands[LENGTH]) {
        total = number_of(call, data, LENGTH, number);
    } else {
        known = call->attrs[PREFILL_WHOLE] > 0;
    }
    if (data->operands[PAST])
        s.past = number_of(call, data, PAST, number);
    else
        s.past = known && total > tokens ? total - tokens : 0;
    set_rows(&s, known ? total : s.past + tokens);
    return s;
}

static void prefill_sequence(const rp_op_call *call, rp_op_data *data, const sequence *s,
                             uint64_t first_token, uint64_t tokens) {
    uint64_t heads = rp_sym(call, 'H'), size = rp_sym(call, 'D'), groups = rp_sym(call, 'G');
    for (uint64_t i = 0; i < tokens * heads; i++) {
        uint64_t h = i % heads, group = h / (heads / groups), at = (first_token * heads + i) * size;
        attention a = {.of = s,
                       .token = i / heads,
                       .head = h,
                       .q = data->operands[0] + at,
                       .k = data->operands[1] + group * size,
                       .v = data->operands[2] + group * size,
                       .size = size,
                       .stride = groups * size,
                       .scale = attention_scale(call->attrs[PREFILL_SCALE], size),
                       .cap = (double)(float)call->attrs[PREFILL_CAP],
                       .out = data->operands[OUT] + at,
                       .magnitude = data->scale + at};
        attend(&a, s->begin, s->end);
        finish(&a, data->operands[SINKS] ? data->operands[SINKS] + h : NULL);
    }
}

static void reference_prefill(const rp_op_call *call, rp_op_data *data) {
    uint64_t sequences = rp_sym(call, 'A'), tokens = rp_sym(call, 'T'), first = 0;
    for (uint64_t b = 0; b < sequences; b++) {
        uint64_t own = tokens;
        if (data->operands[Q_OFFSETS]) own = offset_of(data, Q_OFFSETS, b + 1, tokens) - first;
        sequence s = sequence_of_tokens(call, data, b, own);
        prefill_sequence(call, data, &s, first, own);
        first += own;
    }
    uint64_t each = rp_sym(call, 'H') * rp_sym(call, 'D');
    if (!data->operands[Q_OFFSETS]) return;
    for (uint64_t i = first * each; i < tokens * each; i++)
        data->operands[OUT][i] = data->scale[i] = 0;
}

/* ---- cache_slots ----------------------------------------------------------------------------- */

static void reference_slots(const rp_op_call *call, rp_op_data *data) {
    enum { POSITION, PAGES, OFFSETS, CACHE, SLOTS };
    enum { SLOTS_RING = 4 };
    uint64_t tokens = rp_sym(call, 'T'), rows = rp_sym(call, 'S'), sequences = rp_sym(call, 'B');
    uint64_t room = data->operands[PAGES] ? rows * rp_sym(call, 'X') : rows, at = 0;
    double *out = data->operands[SLOTS];
    for (uint64_t i = 0; i < rp_sym(call, 'A') * tokens; i++) out[i] = UINT32_MAX;
    for (uint64_t b = 0; b < sequences; b++) {
        uint64_t own = tokens;
        if (data->operands[OFFSETS]) own = offset_of(data, OFFSETS, b + 1, tokens) - at;
        for (uint64_t t = 0; t < own; t++, at++) {
            uint64_t slot = number_of(call, data, POSITION, b) + t;
            if (call->attrs[SLOTS_RING] > 0) {
                if (own - t > room) continue;
                slot %= room;
            }
            if (slot >= room) continue;
            out[at] = (double)(b * rows + slot);
            if (!data->operands[PAGES]) continue;
            double page = data->operands[PAGES][b * (room / rows) + slot / rows];
            bool there = page >= 0 && page < (double)rp_sym(call, 'N');
            out[at] = there ? page * (double)rows + (double)(slot % rows) : UINT32_MAX;
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
    {"cache_slots", reference_slots},
};

rp_reference *rp_reference_of_attention(const char *name) {
    return rp_reference_among(entries, sizeof entries / sizeof *entries, name);
}
