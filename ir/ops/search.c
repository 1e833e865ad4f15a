/* Family search: distances between all rows of two tables, and the best of many.
 *
 * A distance is a pointwise op: element (q, n) of its output is a loop over the elements of query q
 * and of row n. So top_k can evaluate it where it would have read it, each element once, and no
 * matrix of distances exists; a pipeline that does need the matrix gets it from the same text.
 *
 * top_k selects with a workgroup for each row. A few long rows leave most of a GPU idle, so
 * top_k_partial does it part by part and top_k_merge puts the parts together; merging is also what
 * searching a sharded base ends with. The order is total (value, then index), so every way of
 * splitting gives the same list. */
#include <math.h>

#include "ops/reference.h"
#include "ops/tables.h"

/* ---- Distances: references ------------------------------------------------------------------- */

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

/* ---- Selection: rules ------------------------------------------------------------------------ */

/* Float, signed or unsigned. */
static uint32_t class_of(uint8_t dtype) {
    return rp_reference_type(dtype);
}

static bool same_class(rp_op_call *call, uint32_t from, uint32_t to) {
    const rp_tensor *a = call->operands + from, *b = call->operands + to;
    if (b->absent || b->dtype == RP_RAW || class_of(a->dtype) == class_of(b->dtype)) return true;
    return rp_op_fail(call,
                      "%s is %s and %s is %s; they must be both floats, both signed or both "
                      "unsigned",
                      rp_op_operand_name(call, from), rp_dtype_name((rp_dtype)a->dtype),
                      rp_op_operand_name(call, to), rp_dtype_name((rp_dtype)b->dtype));
}

/* Both: x, excluded, values, indices. */
static bool rule_top_k(rp_op_call *call) {
    uint64_t n = rp_sym(call, 'N'), k = rp_sym(call, 'K'), words = rp_sym(call, 'W');
    if (k > n)
        return rp_op_fail(call, "k is %llu, but rows of x have %llu elements",
                          (unsigned long long)k, (unsigned long long)n);
    if (!call->operands[1].absent && words < n / 32 + (n % 32 != 0))
        return rp_op_fail(call,
                          "excluded has %llu words of 32 bits, but rows of x have %llu "
                          "elements",
                          (unsigned long long)words, (unsigned long long)n);
    return same_class(call, 0, 2);
}

static bool rule_top_k_partial(rp_op_call *call) {
    uint64_t n = rp_sym(call, 'N'), parts = rp_sym(call, 'P');
    if (parts > n)
        return rp_op_fail(call, "splits is %llu, but rows of x have %llu elements",
                          (unsigned long long)parts, (unsigned long long)n);
    return rule_top_k(call);
}

/* list_values, list_indices, offsets, values, indices. */
static bool rule_top_k_merge(rp_op_call *call) {
    uint64_t k = rp_sym(call, 'K');
    if (k > 1024)
        return rp_op_fail(call, "the lists have %llu entries; at most 1024 are possible",
                          (unsigned long long)k);
    return same_class(call, 0, 3);
}

/* ---- Selection: references ------------------------------------------------------------------- */

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

/* ---- The ops --------------------------------------------------------------------------------- */

#define SUMS                                                                                       \
    "Sums are f32, by differences (no |a|^2 - 2ab + |b|^2), so equal vectors are exactly 0 apart." \
    " A NaN in either vector gives NaN; denormals may count as 0. "

#define TABLES(SYMBOL, DTYPES)                                                                     \
    {.name = "queries",                                                                            \
     .brief = "one vector a row",                                                                  \
     .shape = "Q " SYMBOL,                                                                         \
     .dtypes = DTYPES,                                                                             \
     .reads = "QN" SYMBOL},                                                                        \
    {                                                                                              \
        .name = "base", .brief = "the vectors to compare with, one a row", .shape = "N " SYMBOL,   \
        .dtypes = DTYPES, .reads = "QN" SYMBOL                                                     \
    }

#define MATRIX(BRIEF, DTYPES)                                                                      \
    { .name = "out", .brief = BRIEF, .shape = "Q N", .dtypes = DTYPES, .access = RP_WRITE }

#define SQUARED                                                                                    \
    {                                                                                              \
        .name = "squared", .brief = "1: leave the square root out, which keeps the order",         \
        .kind = RP_ATTR_INTEGER, .fallback = 1, .high = 1                                          \
    }

#define DISTANCE(NAME, BRIEF, NOTES, FLOPS, REFERENCE)                                             \
    .name = NAME, .family = "search", .brief = BRIEF, .notes = NOTES, .form = RP_OP_POINTWISE,     \
    .operand_count = 3,                                                                            \
    .operands = {TABLES("D", RP_DT_FLOAT), MATRIX("from query q to row n", RP_DT_FLOAT)},          \
    .length = "D", .flops = FLOPS, .reference = REFERENCE

#define BITS(NAME, BRIEF, NOTES, DTYPES, REFERENCE)                                                \
    .name = NAME, .family = "search", .brief = BRIEF, .notes = NOTES, .form = RP_OP_POINTWISE,     \
    .operand_count = 3,                                                                            \
    .operands = {TABLES("W", RP_DT(RP_U32)), MATRIX("from query q to row n", DTYPES)},             \
    .length = "W", .flops = 4, .reference = REFERENCE

#define ORDER                                                                                      \
    {                                                                                              \
        .name = "order", .brief = "which elements come first", .kind = RP_ATTR_CHOICE,             \
        .choices = "largest|smallest"                                                              \
    }

#define COUNT_K                                                                                    \
    {                                                                                              \
        .name = "k", .brief = "how many", .kind = RP_ATTR_INTEGER, .symbol = 'K',                  \
        .required = true, .low = 1, .high = 1024                                                   \
    }

#define EXCLUDED                                                                                   \
    {                                                                                              \
        .name = "excluded",                                                                        \
        .brief = "bit i % 32 of word i / 32 is 1 where element i of a row is to be left out",      \
        .shape = "W", .dtypes = RP_DT(RP_U32), .optional = true, .hook = true, .absent = "0",      \
        .reads = "RN"                                                                              \
    }
#define SELECTED(SHAPE, LIKE, OPTIONAL)                                                            \
    {.name = "values",                                                                             \
     .brief = "the elements, in order",                                                            \
     .shape = SHAPE,                                                                               \
     .dtypes = RP_DT_NUMBER,                                                                       \
     .access = RP_WRITE,                                                                           \
     .optional = OPTIONAL,                                                                         \
     .hook = true,                                                                                 \
     .like = LIKE},                                                                                \
    {                                                                                              \
        .name = "indices", .brief = "where in the row they are", .shape = SHAPE,                   \
        .dtypes = RP_DT(RP_U32), .access = RP_WRITE, .hook = true                                  \
    }

#define STABLE                                                                                     \
    "Exact. Equal elements come in the order of their indices; -0 and 0 are equal (and come out "  \
    "as 0), NaN comes last in either order. Where too few elements are left, indices are "         \
    "0xffffffff and values what comes last: inf or -inf, or the largest or smallest integer."

const rp_op rp_ops_search[] = {
    {DISTANCE("l2_distance", "Euclidean distance of every query to every row",
              SUMS "Squares overflow to inf beyond about 1.8e19.", 3, reference_l2),
     .attr_count = 1, .attrs = {SQUARED}},
    {DISTANCE(
        "cosine_distance", "1 - cosine of the angle between every query and every row",
        "From 0 to 2, by sums in f32. Vectors shorter than 1e-15 have no direction: they are at "
        "distance 1 from everything. Vectors longer than 1.8e19 overflow: their distances "
        "are 1 or NaN. Otherwise a NaN in either vector gives NaN.",
        6, reference_cosine)},
    {DISTANCE("dot_product", "dot product of every query and every row",
              "A sum in f32; the largest is the most similar. Infinities and NaN follow IEEE 754.",
              2, reference_dot)},
    {DISTANCE("manhattan", "sum of absolute differences (L1) of every query and every row", SUMS, 3,
              reference_manhattan)},
    {DISTANCE("chebyshev", "largest absolute difference of every query and every row",
              "Exact but for the rounding of the difference. A NaN in either vector gives NaN.", 3,
              reference_chebyshev)},
    {DISTANCE("minkowski", "(sum of |difference|^p)^(1/p) of every query and every row",
              "Differences are divided by the largest one first, so that no power overflows. "
              "Powers have the accuracy that the device gives pow. An infinite difference gives "
              "inf, a NaN in either vector NaN. p = 1 and p = 2 are manhattan and l2_distance, "
              "which are faster; p -> inf is chebyshev.",
              20, reference_minkowski),
     .attr_count = 1,
     .attrs = {{.name = "p",
                .brief = "the power",
                .kind = RP_ATTR_NUMBER,
                .fallback = 3,
                .low = 0.125,
                .high = 128}}},
    {DISTANCE("jaccard", "1 - (sum of minima) / (sum of maxima) of every query and every row",
              "For vectors without negative elements: from 0 to 1. Two vectors of zeros are at "
              "distance 0. A NaN in either vector gives NaN.",
              4, reference_jaccard)},
    {BITS("hamming", "number of different bits of every query and every row",
          "Exact. Vectors are packed into words, as binary_quantize makes them; unused bits must "
          "be equal.",
          RP_DT(RP_U32), reference_hamming)},
    {BITS("jaccard_bits", "1 - (bits in both) / (bits in either) of every query and every row",
          "Sets packed into words. Counts are exact; two empty sets are at distance 0.",
          RP_DT_FLOAT, reference_jaccard_bits)},
    {
        .name = "top_k",
        .family = "search",
        .brief = "the k largest or smallest elements of each row, in order",
        .notes = STABLE,
        .form = RP_OP_KERNEL,
        .operand_count = 4,
        .operands = {{.name = "x",
                      .brief = "the rows; each element is read once",
                      .shape = "*R N",
                      .dtypes = RP_DT_NUMBER,
                      .hook = true},
                     EXCLUDED,
                     SELECTED("*R K", "x", true)},
        .attr_count = 2,
        .attrs = {ORDER, COUNT_K},
        .groups = "R",
        .flops = 1,
        .rule = rule_top_k,
        .reference = reference_top_k,
    },
    {
        .name = "top_k_partial",
        .family = "search",
        .brief = "the k largest or smallest elements of each of several parts of each row",
        .notes = "For few long rows, with top_k_merge after it. Part p is the elements from "
                 "p * ceil(N / splits) on. " STABLE,
        .form = RP_OP_KERNEL,
        .operand_count = 4,
        .operands = {{.name = "x",
                      .brief = "the rows; each element is read once",
                      .shape = "*R N",
                      .dtypes = RP_DT_NUMBER,
                      .hook = true},
                     EXCLUDED,
                     SELECTED("*R P K", "x", false)},
        .attr_count = 3,
        .attrs = {ORDER,
                  COUNT_K,
                  {.name = "splits",
                   .brief = "parts of a row",
                   .kind = RP_ATTR_INTEGER,
                   .symbol = 'P',
                   .required = true,
                   .low = 1,
                   .high = 4096}},
        .groups = "RP",
        .flops = 1,
        .rule = rule_top_k_partial,
        .reference = reference_top_k,
    },
    {
        .name = "top_k_merge",
        .family = "search",
        .brief = "the k first elements of several lists of k",
        .notes = "Gaps, index 0xffffffff, are skipped. Lists need not be sorted. " STABLE,
        .form = RP_OP_KERNEL,
        .operand_count = 5,
        .operands = {{.name = "list_values",
                      .brief = "what was found in each part",
                      .shape = "*R L K",
                      .dtypes = RP_DT_NUMBER,
                      .hook = true},
                     {.name = "list_indices",
                      .brief = "and where",
                      .shape = "*R L K",
                      .dtypes = RP_DT(RP_U32),
                      .hook = true},
                     {.name = "offsets",
                      .brief = "added to the indices of each list",
                      .shape = "L",
                      .dtypes = RP_DT(RP_U32),
                      .optional = true,
                      .hook = true,
                      .absent = "0",
                      .reads = "RLK"},
                     SELECTED("*R K", "list_values", true)},
        .attr_count = 1,
        .attrs = {ORDER},
        .groups = "R",
        .flops = 1,
        .rule = rule_top_k_merge,
        .reference = reference_top_k_merge,
    },
};

const uint32_t rp_ops_search_count = sizeof rp_ops_search / sizeof *rp_ops_search;
