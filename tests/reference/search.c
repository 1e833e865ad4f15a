/* References of family search. */
#include <math.h>
#include <stdlib.h>

#include "reference/reference.h"

/* ---- Distances ------------------------------------------------------------------------------- */

/* Rows q and n of the first two operands, and where their distance goes. */
typedef struct pair {
    const double *query, *row;
    uint64_t length;
    double *out, *scale;
} pair;

static void each_pair(const rp_op_call *call, rp_op_data *data, uint64_t length,
                      void (*distance)(const rp_op_call *call, const pair *pair)) {
    uint64_t queries = rp_sym(call, 'Q'), rows = rp_sym(call, 'N');
    uint32_t out = call->operand_count - 1;
    for (uint64_t q = 0; q < queries; q++)
        for (uint64_t n = 0; n < rows; n++) {
            uint64_t at = q * rows + n;
            pair p = {data->operands[0] + q * length, data->operands[1] + n * length, length,
                      data->operands[out] + at, data->scale ? data->scale + at : NULL};
            distance(call, &p);
        }
}

static void set_scale(const pair *p, double scale) {
    if (p->scale) *p->scale = scale;
}

static void l2_pair(const rp_op_call *call, const pair *p) {
    double sum = 0;
    for (uint64_t d = 0; d < p->length; d++)
        sum += (p->query[d] - p->row[d]) * (p->query[d] - p->row[d]);
    *p->out = call->attrs[0] != 0 ? sum : sqrt(sum);
    set_scale(p, *p->out);
}

static void dot_pair(const rp_op_call *call, const pair *p) {
    double sum = 0, size = 0;
    (void)call;
    for (uint64_t d = 0; d < p->length; d++) {
        sum += p->query[d] * p->row[d];
        size += fabs(p->query[d] * p->row[d]);
    }
    *p->out = sum;
    set_scale(p, size);
}

static void cosine_pair(const rp_op_call *call, const pair *p) {
    double both = 0, left = 0, right = 0, size = 0;
    (void)call;
    for (uint64_t d = 0; d < p->length; d++) {
        both += p->query[d] * p->row[d];
        size += fabs(p->query[d] * p->row[d]);
        left += p->query[d] * p->query[d];
        right += p->row[d] * p->row[d];
    }
    if (left < 1e-30 || right < 1e-30) {
        *p->out = 1;
        return;
    }
    double norms = sqrt(left) * sqrt(right);
    *p->out = 1 - both / norms;
    set_scale(p, 1 + size / norms);
}

static void manhattan_pair(const rp_op_call *call, const pair *p) {
    double sum = 0;
    (void)call;
    for (uint64_t d = 0; d < p->length; d++) sum += fabs(p->query[d] - p->row[d]);
    *p->out = sum;
    set_scale(p, sum);
}

static void chebyshev_pair(const rp_op_call *call, const pair *p) {
    double most = 0;
    (void)call;
    for (uint64_t d = 0; d < p->length; d++) {
        double delta = fabs(p->query[d] - p->row[d]);
        if (isnan(delta) || delta > most) most = delta;
    }
    *p->out = most;
    set_scale(p, most);
}

static void minkowski_pair(const rp_op_call *call, const pair *p) {
    double most = 0, sum = 0, power = call->attrs[0];
    chebyshev_pair(call, p);
    most = *p->out;
    if (most == 0 || !isfinite(most)) return;
    for (uint64_t d = 0; d < p->length; d++)
        sum += pow(fabs(p->query[d] - p->row[d]) / most, power);
    *p->out = most * pow(sum, 1 / power);
    set_scale(p, *p->out);
}

static void jaccard_pair(const rp_op_call *call, const pair *p) {
    double common = 0, whole = 0;
    (void)call;
    for (uint64_t d = 0; d < p->length; d++) {
        double u = p->query[d], v = p->row[d];
        bool unordered = isnan(u) || isnan(v);
        common += unordered ? NAN : u < v ? u : v;
        whole += unordered ? NAN : u < v ? v : u;
    }
    *p->out = whole == 0 ? 0 : 1 - common / whole;
    set_scale(p, whole == 0 ? 0 : 1 + fabs(common / whole));
}

static uint32_t count_bits(uint32_t word) {
    uint32_t count = 0;
    for (; word; word &= word - 1) count++;
    return count;
}

static void hamming_pair(const rp_op_call *call, const pair *p) {
    uint32_t bits = 0;
    (void)call;
    for (uint64_t w = 0; w < p->length; w++)
        bits += count_bits((uint32_t)p->query[w] ^ (uint32_t)p->row[w]);
    *p->out = bits;
}

static void jaccard_bits_pair(const rp_op_call *call, const pair *p) {
    uint32_t common = 0, either = 0;
    (void)call;
    for (uint64_t w = 0; w < p->length; w++) {
        common += count_bits((uint32_t)p->query[w] & (uint32_t)p->row[w]);
        either += count_bits((uint32_t)p->query[w] | (uint32_t)p->row[w]);
    }
    *p->out = either == 0 ? 0 : (double)(either - common) / either;
    set_scale(p, *p->out);
}

#define RP_X(name, symbol)                                                                         \
    static void reference_##name(const rp_op_call *call, rp_op_data *data) {                       \
        each_pair(call, data, rp_sym(call, symbol), name##_pair);                                  \
    }
RP_X(l2, 'D')
RP_X(dot, 'D')
RP_X(cosine, 'D')
RP_X(manhattan, 'D')
RP_X(chebyshev, 'D')
RP_X(minkowski, 'D')
RP_X(jaccard, 'D')
RP_X(hamming, 'W')
RP_X(jaccard_bits, 'W')
#undef RP_X

/* ---- Selection ------------------------------------------------------------------------------- */

/* What no entry holds: the value that comes after all others, as far as the dtype goes. */
static const double no_index = 4294967295.0;

static double no_value(uint8_t dtype, bool largest) {
    return rp_reference_store(dtype, largest ? -INFINITY : INFINITY);
}

/* Candidates in the order in which they were offered. */
typedef struct candidates {
    const double *values;
    const double *indices; /* NULL: begin, begin + 1, ...; no_index is a gap */
    const double *mask;    /* bits of what is excluded; may be NULL */
    const double *offsets; /* one for each `list` candidates; may be NULL */
    uint64_t begin, count, list;
    bool largest;
} candidates;

static double index_of(const candidates *c, uint64_t at) {
    uint64_t n = c->begin + at;
    if (c->mask && ((uint32_t)c->mask[n / 32] >> (n % 32) & 1)) return no_index;
    if (!c->indices) return (double)n;
    if (c->indices[at] == no_index || !c->offsets) return c->indices[at];
    return (double)(uint32_t)(c->indices[at] + c->offsets[at / c->list]);
}

static bool is_before(const candidates *c, uint64_t a, uint64_t b) {
    double va = c->values[a], vb = c->values[b], ia = index_of(c, a), ib = index_of(c, b);
    if (isnan(va) != isnan(vb)) return isnan(vb);
    if (!isnan(va) && va != vb) return c->largest ? va > vb : va < vb;
    return ia != ib ? ia < ib : a < b;
}

/* The first k, each found by looking at all: slow, and without memory or cleverness. */
static void select_first(const candidates *c, uint64_t k, uint8_t dtype, double *values,
                         double *indices) {
    uint64_t last = UINT64_MAX;
    bool done = false;
    for (uint64_t i = 0; i < k; i++) {
        uint64_t best = UINT64_MAX;
        for (uint64_t at = 0; at < c->count && !done; at++) {
            if (index_of(c, at) == no_index) continue;
            if (last != UINT64_MAX && !is_before(c, last, at)) continue;
            if (best == UINT64_MAX || is_before(c, at, best)) best = at;
        }
        done = best == UINT64_MAX;
        last = best;
        if (values)
            values[i] =
                done ? no_value(dtype, c->largest) : rp_reference_store(dtype, c->values[best]);
        indices[i] = done ? no_index : index_of(c, best);
    }
}

/* top_k is the case of one part. */
static void reference_top_k(const rp_op_call *call, rp_op_data *data) {
    uint64_t rows = rp_sym(call, 'R'), n = rp_sym(call, 'N'), k = rp_sym(call, 'K');
    uint64_t parts = rp_sym(call, 'P') ? rp_sym(call, 'P') : 1, size = (n + parts - 1) / parts;
    uint32_t order = rp_op_attr_index(call->op, "order", 5);
    for (uint64_t r = 0; r < rows; r++)
        for (uint64_t p = 0; p < parts; p++) {
            uint64_t begin = p * size < n ? p * size : n, out = (r * parts + p) * k;
            candidates c = {.values = data->operands[0] + r * n + begin,
                            .mask = data->operands[1],
                            .begin = begin,
                            .count = n - begin < size ? n - begin : size,
                            .largest = call->attrs[order] == 0};
            select_first(&c, k, call->operands[2].dtype,
                         data->operands[2] ? data->operands[2] + out : NULL,
                         data->operands[3] + out);
        }
}

static void reference_top_k_merge(const rp_op_call *call, rp_op_data *data) {
    uint64_t rows = rp_sym(call, 'R'), k = rp_sym(call, 'K'), entries = rp_sym(call, 'L') * k;
    for (uint64_t r = 0; r < rows; r++) {
        candidates c = {.values = data->operands[0] + r * entries,
                        .indices = data->operands[1] + r * entries,
                        .offsets = data->operands[2],
                        .count = entries,
                        .list = k,
                        .largest = call->attrs[0] == 0};
        select_first(&c, k, call->operands[3].dtype,
                     data->operands[3] ? data->operands[3] + r * k : NULL,
                     data->operands[4] + r * k);
    }
}

/* queries, base, excluded, values, indices: all distances, then the first of each part. */
static void reference_nearest_partial(const rp_op_call *call, rp_op_data *data) {
    static void (*const pairs[])(const rp_op_call *call, const pair *pair) = {
        l2_pair, cosine_pair, dot_pair, manhattan_pair, chebyshev_pair, hamming_pair};
    enum { METRIC_DOT = 2 };
    uint64_t queries = rp_sym(call, 'Q'), n = rp_sym(call, 'N'), length = rp_sym(call, 'D');
    uint64_t parts = rp_sym(call, 'P'), k = rp_sym(call, 'K'), size = (n + parts - 1) / parts;
    uint32_t metric = (uint32_t)call->attrs[0];
    rp_op_call squared = *call; /* whose first attribute is l2_distance's */
    squared.attrs[0] = 1;
    double *distances = malloc(n * sizeof *distances);
    if (!distances) abort();
    for (uint64_t q = 0; q < queries; q++) {
        for (uint64_t r = 0; r < n; r++)
            pairs[metric](&squared,
                          &(pair){data->operands[0] + q * length, data->operands[1] + r * length,
                                  length, &distances[r], NULL});
        for (uint64_t p = 0; p < parts; p++) {
            uint64_t begin = p * size < n ? p * size : n, out = (q * parts + p) * k;
            candidates c = {.values = distances + begin,
                            .mask = data->operands[2],
                            .begin = begin,
                            .count = n - begin < size ? n - begin : size,
                            .largest = metric == METRIC_DOT};
            select_first(&c, k, call->operands[3].dtype, data->operands[3] + out,
                         data->operands[4] + out);
        }
    }
    free(distances);
}

/* ---- The table ------------------------------------------------------------------------------- */

static const rp_reference_entry entries[] = {
    {"l2_distance", reference_l2},
    {"cosine_distance", reference_cosine},
    {"dot_product", reference_dot},
    {"manhattan", reference_manhattan},
    {"chebyshev", reference_chebyshev},
    {"minkowski", reference_minkowski},
    {"jaccard", reference_jaccard},
    {"hamming", reference_hamming},
    {"jaccard_bits", reference_jaccard_bits},
    {"top_k", reference_top_k},
    {"top_k_partial", reference_top_k},
    {"top_k_merge", reference_top_k_merge},
    {"nearest_partial", reference_nearest_partial},
};

rp_reference *rp_reference_of_search(const char *name) {
    return rp_reference_among(entries, sizeof entries / sizeof *entries, name);
}
