/* The composites: one table entry and one short function each.
 *
 * They exist where several ops are one thing in everybody's mind, and where the choice between ops
 * depends on shapes: how many parts a long row is split into, whether a product is a matrix-vector
 * one. They add no kernels: what they expand to is fused like any other ops. */
#include "composite/axes.h"
#include "composite/wider.h"
#include "ops/nearest.h"

#define R .access = RP_READ
#define W .access = RP_WRITE
#define INTEGER(name_, fallback_, low_, high_, brief_)                                             \
    {                                                                                              \
        .name = name_, .brief = brief_, .kind = RP_ATTR_INTEGER, .fallback = fallback_,            \
        .low = low_, .high = high_                                                                 \
    }
#define NUMBER(name_, fallback_, low_, high_, brief_)                                              \
    {                                                                                              \
        .name = name_, .brief = brief_, .kind = RP_ATTR_NUMBER, .fallback = fallback_,             \
        .low = low_, .high = high_                                                                 \
    }
#define REQUIRED_INTEGER(name_, low_, high_, brief_)                                               \
    {                                                                                              \
        .name = name_, .brief = brief_, .kind = RP_ATTR_INTEGER, .required = true, .low = low_,    \
        .high = high_                                                                              \
    }

double rp_expand_parts(uint64_t n, uint64_t step, uint64_t most) {
    uint64_t parts = n / step + (n % step != 0);
    return (double)(parts < 1 ? 1 : parts > most ? most : parts);
}

/* ---- Matrices -------------------------------------------------------------------------------- */

rp_status rp_expand_product(rp_expansion *x, rp_given_operand *rows, rp_given_operand *weight,
                            rp_given_operand *out) {
    if (rp_choose(x->application, (double)rp_expand_rows(rows, 1)) <= RP_OP_PRODUCT_VECTORS)
        return rp_expand_op(x, "matvec", RP_PARTS({"x", rows}, {"weight", weight}, {"out", out}),
                            RP_NO_ATTRS);
    const rp_attribute transposed = {.name = "transpose_b", .number = 1};
    return rp_expand_op(x, "matmul", RP_PARTS({"a", rows}, {"b", weight}, {"out", out}),
                        &transposed, 1);
}

static rp_status expand_linear(rp_expansion *x) {
    enum { X, WEIGHT, BIAS, OUT };
    static const rp_attribute sum = {.name = "expr", .text = "product + bias"};
    rp_given_operand **o = x->operands, temp;
    if (!o[BIAS]) return rp_expand_product(x, o[X], o[WEIGHT], o[OUT]);
    RP_TRY(rp_expand_temp(x, "product", &temp));
    RP_TRY(rp_expand_product(x, o[X], o[WEIGHT], &temp));
    return rp_expand_op(x, "map", RP_PARTS({"product", &temp}, {"bias", o[BIAS]}, {"out", o[OUT]}),
                        &sum, 1);
}

static rp_status expand_swiglu_ffn(rp_expansion *x) {
    enum { X, GATE, UP, DOWN, RESIDUAL, OUT };
    static const rp_attribute gated = {.name = "expr", .text = "silu(gate) * up"};
    static const rp_attribute sum = {.name = "expr", .text = "residual + down"};
    rp_given_operand **o = x->operands, gate, up, hidden, down;
    RP_TRY(rp_expand_temp(x, "gate", &gate));
    RP_TRY(rp_expand_temp(x, "up", &up));
    RP_TRY(rp_expand_temp(x, "hidden", &hidden));
    RP_TRY(rp_expand_temp(x, "down", &down));
    RP_TRY(rp_expand_product(x, o[X], o[GATE], &gate));
    RP_TRY(rp_expand_product(x, o[X], o[UP], &up));
    RP_TRY(rp_expand_op(x, "map", RP_PARTS({"gate", &gate}, {"up", &up}, {"out", &hidden}), &gated,
                        1));
    if (!o[RESIDUAL]) return rp_expand_product(x, &hidden, o[DOWN], o[OUT]);
    RP_TRY(rp_expand_product(x, &hidden, o[DOWN], &down));
    return rp_expand_op(
        x, "map", RP_PARTS({"residual", o[RESIDUAL]}, {"down", &down}, {"out", o[OUT]}), &sum, 1);
}

/* ---- Search ---------------------------------------------------------------------------------- */

/* Rows of a part, one for each thread at least; workgroups for each multiprocessor, one for each
 * part: with fewer, computing distances where they are compared would not pay; and how many
 * candidates the one workgroup that merges the parts of a row is given. None depends on the length
 * beyond that, so neither does the memory for the parts. */
enum { PART_ROWS = 256, ENOUGH_WORKGROUPS = 8, MERGED = 65536, MOST_SPLITS = 1024 };

/* Parts that a workgroup gets to the end of whatever the data are, where an invocation's loops end
 * after some number of turns. For each element that it looks at it makes so many at worst, by sorting
 * what it keeps again and again: top_k_partial a third of one, nearest_partial less than three. */
enum { SELECT_TURNS = 1, NEAREST_TURNS = 4 };

static double least_splits(const rp_target *target, uint64_t n, uint64_t turns) {
    if (!target->loop_turns) return 1;
    return ceil((double)n * (double)turns / (double)target->loop_turns);
}

/* A workgroup has this many entries at once; what takes it more turns is worth another dispatch. */
enum { MERGED_AT_ONCE = 1024, MERGED_TURNS = 8 };

/* Into how many groups lists are merged first, side by side; 1: all at once. */
static uint64_t merge_groups(uint64_t lists, uint64_t k) {
    if (lists * k <= MERGED_AT_ONCE * MERGED_TURNS) return 1;
    uint64_t groups = 1; /* a divisor near the root, or nothing is gained */
    for (uint64_t d = 2; d * d <= lists; d++)
        if (lists % d == 0) groups = d;
    return groups;
}

/* As many parts at least, and a number that can be merged in two steps where that is needed. */
static double mergeable(double parts, double k) {
    enum { TRIED = 16 };
    uint64_t best = (uint64_t)parts;
    if (!(parts * k > MERGED_AT_ONCE * MERGED_TURNS)) return parts;
    for (uint64_t p = best, most = 0; p < (uint64_t)parts + TRIED; p++) {
        uint64_t groups = merge_groups(p, (uint64_t)k);
        if (groups > most) most = groups, best = p;
    }
    return (double)best;
}

double rp_expand_splits(const rp_expansion *x, double given, uint64_t lists, uint64_t n, double k) {
    if (given > 0) return given;
    uint64_t most = lists ? ENOUGH_WORKGROUPS * rp_expand_target(x)->multiprocessors / lists : 1;
    if (most > MOST_SPLITS) most = MOST_SPLITS;
    uint64_t merged = k >= 1 ? (uint64_t)(MERGED / k) : 1; /* k itself is checked by the op */
    if (most > merged) most = merged;
    double parts = fmax(rp_expand_parts(n, PART_ROWS, most < 1 ? 1 : most),
                        least_splits(rp_expand_target(x), n, SELECT_TURNS));
    return rp_choose(x->application, mergeable(parts, k));
}

/* The same lists, `groups` of them for each row. */
static rp_given_operand grouped(const rp_given_operand *lists, uint64_t groups) {
    rp_given_operand out = *lists;
    rp_tensor *t = &out.argument.tensor;
    uint32_t last = t->rank++;
    t->dims[last] = t->dims[last - 1];
    t->dims[last - 1] = t->dims[last - 2] / groups;
    t->dims[last - 2] = groups;
    return out;
}

rp_status rp_expand_fewer_lists(rp_expansion *x, rp_given_operand *values,
                                rp_given_operand *indices, const rp_attribute *order) {
    static const char *const names[][2] = {{"some_values", "some_indices"},
                                           {"fewer_values", "fewer_indices"}};
    for (uint32_t step = 0; step < sizeof names / sizeof *names; step++) {
        const rp_tensor *t = &values->argument.tensor;
        uint64_t groups = merge_groups(t->dims[t->rank - 2], t->dims[t->rank - 1]);
        if (groups == 1 || t->rank == RP_MAX_RANK) break;
        rp_given_operand all_values = grouped(values, groups);
        rp_given_operand all_indices = grouped(indices, groups);
        RP_TRY(rp_expand_temp(x, names[step][0], values));
        RP_TRY(rp_expand_temp(x, names[step][1], indices));
        RP_TRY(rp_expand_op(x, "top_k_merge",
                            RP_PARTS({"list_values", &all_values}, {"list_indices", &all_indices},
                                     {"values", values}, {"indices", indices}),
                            order, 1));
    }
    return RP_OK;
}

/* One list of each row's. */
static rp_status merge_lists(rp_expansion *x, const rp_given_operand *list_values,
                             const rp_given_operand *list_indices, rp_given_operand *values,
                             rp_given_operand *indices, const rp_attribute *order) {
    rp_given_operand from_values = *list_values, from_indices = *list_indices;
    RP_TRY(rp_expand_fewer_lists(x, &from_values, &from_indices, order));
    return rp_expand_op(x, "top_k_merge",
                        RP_PARTS({"list_values", &from_values}, {"list_indices", &from_indices},
                                 {"values", values}, {"indices", indices}),
                        order, 1);
}

/* The k best of each row of `in`, in one step or in parts that are merged. */
static rp_status select_best(rp_expansion *x, rp_given_operand *in, rp_given_operand *mask,
                             rp_given_operand *values, rp_given_operand *indices, double k,
                             const char *order, double splits) {
    const rp_attribute attrs[] = {{.name = "k", .number = k},
                                  {.name = "order", .text = order},
                                  {.name = "splits", .number = splits}};
    if (splits <= 1)
        return rp_expand_op(
            x, "top_k",
            RP_PARTS({"x", in}, {"excluded", mask}, {"values", values}, {"indices", indices}),
            attrs, 2);
    rp_given_operand part_values, part_indices;
    RP_TRY(rp_expand_temp(x, "part_values", &part_values));
    RP_TRY(rp_expand_temp(x, "part_indices", &part_indices));
    RP_TRY(rp_expand_op(x, "top_k_partial",
                        RP_PARTS({"x", in}, {"excluded", mask}, {"values", &part_values},
                                 {"indices", &part_indices}),
                        attrs, 3));
    return merge_lists(x, &part_values, &part_indices, values, indices, &attrs[1]);
}

/* How many are wanted: by attribute K, or where it is left out by the last dimension of what is written. */
enum { K };
static rp_status read_wanted(rp_expansion *x, rp_given_operand *const *outputs) {
    for (uint32_t i = 0; i < 2 && x->attrs[K] < 1; i++) {
        if (!outputs[i] || outputs[i]->argument.tensor.rank == RP_OP_INFER) continue;
        const rp_tensor shape = rp_axes_shape(outputs[i]);
        x->attrs[K] = (double)shape.dims[shape.rank - 1];
        return RP_OK;
    }
    return x->attrs[K] >= 1 ? RP_OK
                            : rp_axes_wrong(x, K,
                                            "neither it nor the shape of an output says how "
                                            "many are wanted");
}

/* A search for as many as are wanted. Where that varies the most are searched for, of which the first are taken:
 * lists that are merged have one length. */
static rp_status search_wanted(rp_expansion *x, uint32_t values,
                               rp_status (*search)(rp_expansion *x)) {
    static const char *const names[] = {"best_values", "best_indices"};
    rp_given_operand **o = x->operands + values, *results[2] = {o[0], o[1]}, most[2];
    RP_TRY(read_wanted(x, o));
    const rp_attribute attrs[] = {{.name = "axis", .number = -1},
                                  {.name = "count", .number = x->attrs[K]}};
    if (rp_choose_special(x->application, true)) return search(x);
    x->attrs[K] = rp_choose(x->application, x->attrs[K]);
    for (uint32_t i = 0; i < 2; i++) {
        if (!results[i]) continue;
        RP_TRY(rp_expand_temp(x, names[i], &most[i]));
        most[i].argument.tensor.dtype = results[i]->argument.tensor.dtype;
        o[i] = &most[i];
    }
    RP_TRY(search(x));
    for (uint32_t i = 0; i < 2; i++)
        if (results[i])
            RP_TRY(rp_expand_op(x, "take_range", RP_PARTS({"x", &most[i]}, {"out", results[i]}),
                                attrs, 2));
    return RP_OK;
}

/* What the kernels that select keep at most. */
enum { KEPT = 1024 };

static rp_status search_rows(rp_expansion *x) {
    enum { X, EXCLUDED, VALUES, INDICES };
    enum { ORDER = K + 1, SPLITS };
    rp_given_operand **o = x->operands;
    uint64_t n;
    RP_TRY(rp_expand_dim(x, X, 0, &n));
    uint8_t dtype = o[X]->argument.tensor.dtype; /* keys of what selects have 32 bits */
    if (x->attrs[K] > KEPT || dtype == RP_I64 || dtype == RP_U64) {
        return rp_order_best(x, o[X], o[EXCLUDED], x->attrs[ORDER] < 1, x->attrs[K], o[VALUES],
                             o[INDICES]);
    }
    double splits = rp_expand_splits(x, x->attrs[SPLITS], rp_expand_rows(o[X], 1), n, x->attrs[K]);
    return select_best(x, o[X], o[EXCLUDED], o[VALUES], o[INDICES], x->attrs[K],
                       x->attrs[ORDER] > 0 ? "smallest" : "largest", splits);
}

static rp_status expand_top_k_large(rp_expansion *x) {
    return search_wanted(x, 2, search_rows);
}

static const char *const metric_ops[] = {"l2_distance", "cosine_distance", "dot_product",
                                         "manhattan",   "chebyshev",       "minkowski",
                                         "hamming",     "jaccard",         "jaccard_bits"};
#define METRICS "l2|cosine|dot|manhattan|chebyshev|minkowski|hamming|jaccard|jaccard_bits"
enum { METRIC_DOT = 2, METRIC_MINKOWSKI = 5 };

/* The same of nearest_partial's metrics; NULL: it has none such. */
static const char *const nearest_metrics[] = {"l2", "cosine",  "dot", "manhattan", "chebyshev",
                                              NULL, "hamming", NULL,  NULL};

/* Shorter bases are not worth two dispatches. */
enum { LONG_BASE = 4096 };

/* Distance and selection in one op, and the parts merged. */
static rp_status search_parts(rp_expansion *x, rp_given_operand **o, const char *metric, double k,
                              double splits, bool largest) {
    enum { QUERIES, BASE, EXCLUDED, VALUES, INDICES };
    const rp_attribute attrs[] = {{.name = "metric", .text = metric},
                                  {.name = "k", .number = k},
                                  {.name = "splits", .number = splits}};
    const rp_attribute order = {.name = "order", .text = largest ? "largest" : "smallest"};
    rp_given_operand part_values, part_indices;
    RP_TRY(rp_expand_temp(x, "part_values", &part_values));
    RP_TRY(rp_expand_temp(x, "part_indices", &part_indices));
    if (o[QUERIES]->argument.tensor.dtype == RP_U32) part_values.argument.tensor.dtype = RP_U32;
    RP_TRY(
        rp_expand_op(x, "nearest_partial",
                     RP_PARTS({"queries", o[QUERIES]}, {"base", o[BASE]}, {"excluded", o[EXCLUDED]},
                              {"values", &part_values}, {"indices", &part_indices}),
                     attrs, 3));
    return merge_lists(x, &part_values, &part_indices, o[VALUES], o[INDICES], &order);
}

static rp_status search_seen(rp_expansion *x) {
    enum { QUERIES, BASE, EXCLUDED, VALUES, INDICES };
    enum { METRIC = K + 1, P, SPLITS };
    rp_given_operand **o = x->operands, distances;
    uint32_t metric = (uint32_t)x->attrs[METRIC];
    const rp_attribute power = {.name = "p", .number = x->attrs[P]};
    uint64_t n, length, queries = rp_expand_rows(o[QUERIES], 1);
    RP_TRY(rp_expand_dim(x, BASE, 1, &n));
    RP_TRY(rp_expand_dim(x, BASE, 0, &length));
    double k = x->attrs[K], given = x->attrs[SPLITS];
    const rp_target *target = rp_graph_target(x->application->graph);
    bool is_long = rp_choose(x->application, (double)n) >= LONG_BASE;
    if (nearest_metrics[metric] && is_long && k >= 1 && k <= 1024 && given != 1) {
        double parts = (double)rp_nearest_parts(queries, n, length, (uint64_t)k, metric, target);
        parts = fmax(parts, least_splits(target, n, NEAREST_TURNS));
        return search_parts(x, o, nearest_metrics[metric], k,
                            given > 0 ? given : rp_choose(x->application, parts),
                            metric == METRIC_DOT);
    }
    double splits = rp_expand_splits(x, given, queries, n, k);
    RP_TRY(rp_expand_temp(x, "distances", &distances));
    RP_TRY(rp_expand_op(x, metric_ops[metric],
                        RP_PARTS({"queries", o[QUERIES]}, {"base", o[BASE]}, {"out", &distances}),
                        &power, metric == METRIC_MINKOWSKI));
    return select_best(x, &distances, o[EXCLUDED], o[VALUES], o[INDICES], k,
                       metric == METRIC_DOT ? "largest" : "smallest", splits);
}

/* Sets may lie in integers of any size. */
static rp_status search_base(rp_expansion *x) {
    enum { METRIC = K + 1, SIDES = 2 };
    const char *metric = metric_ops[(uint32_t)x->attrs[METRIC]];
    rp_given_operand words[SIDES], *given[SIDES] = {x->operands[0], x->operands[1]};
    rp_status status = RP_OK;
    bool bits = strcmp(metric, "hamming") == 0 || strcmp(metric, "jaccard_bits") == 0;
    for (uint32_t i = 0; i < SIDES && bits && status == RP_OK; i++) {
        if (!rp_op_is_in(given[i]->argument.tensor.dtype, RP_DT_ID)) continue;
        status = rp_wider_view(x, given[i], &words[i]);
        x->operands[i] = &words[i];
    }
    if (status == RP_OK) status = search_seen(x);
    for (uint32_t i = 0; i < SIDES; i++) x->operands[i] = given[i];
    return status;
}

static rp_status expand_knn(rp_expansion *x) {
    return search_wanted(x, 3, search_base);
}

static rp_status search_codes(rp_expansion *x) {
    enum { QUERIES, CODEBOOKS, CODES, EXCLUDED, VALUES, INDICES };
    enum { METRIC = K + 1, SPLITS };
    rp_given_operand **o = x->operands, tables, distances;
    const bool dot = x->attrs[METRIC] > 0;
    const rp_attribute metric = {.name = "metric", .text = dot ? "dot" : "l2"};
    uint64_t n;
    RP_TRY(rp_expand_dim(x, CODES, 1, &n));
    double splits =
        rp_expand_splits(x, x->attrs[SPLITS], rp_expand_rows(o[QUERIES], 1), n, x->attrs[K]);
    RP_TRY(rp_expand_temp(x, "tables", &tables));
    RP_TRY(rp_expand_temp(x, "distances", &distances));
    RP_TRY(rp_expand_op(
        x, "pq_tables",
        RP_PARTS({"queries", o[QUERIES]}, {"codebooks", o[CODEBOOKS]}, {"tables", &tables}),
        &metric, 1));
    RP_TRY(rp_expand_op(x, "pq_distance",
                        RP_PARTS({"codes", o[CODES]}, {"tables", &tables}, {"out", &distances}),
                        RP_NO_ATTRS));
    return select_best(x, &distances, o[EXCLUDED], o[VALUES], o[INDICES], x->attrs[K],
                       dot ? "largest" : "smallest", splits);
}

static rp_status expand_pq_search(rp_expansion *x) {
    return search_wanted(x, 4, search_codes);
}

/* ---- Clusters and statistics ----------------------------------------------------------------- */

static rp_status assign(rp_expansion *x, rp_given_operand *points, rp_given_operand *centroids,
                        rp_given_operand *nearest, rp_given_operand *distance) {
    rp_given_operand distances;
    RP_TRY(rp_expand_temp(x, "distances", &distances));
    RP_TRY(rp_expand_op(x, "l2_distance",
                        RP_PARTS({"queries", points}, {"base", centroids}, {"out", &distances}),
                        RP_NO_ATTRS));
    RP_TRY(rp_expand_op(x, "argmin", RP_PARTS({"x", &distances}, {"out", nearest}), RP_NO_ATTRS));
    if (!distance) return RP_OK;
    return rp_expand_op(x, "row_min", RP_PARTS({"x", &distances}, {"out", distance}), RP_NO_ATTRS);
}

static rp_status expand_kmeans_assign(rp_expansion *x) {
    enum { X, CENTROIDS, NEAREST, DISTANCE };
    rp_given_operand **o = x->operands;
    return assign(x, o[X], o[CENTROIDS], o[NEAREST], o[DISTANCE]);
}

static rp_status expand_kmeans_step(rp_expansion *x) {
    enum { X, CENTROIDS, NEAREST, OUT };
    rp_given_operand **o = x->operands, temp, sums, counts, *nearest = o[NEAREST];
    if (!nearest) {
        RP_TRY(rp_expand_temp(x, "nearest", &temp));
        nearest = &temp;
    }
    uint64_t clusters;
    RP_TRY(rp_expand_dim(x, CENTROIDS, 1, &clusters));
    RP_TRY(assign(x, o[X], o[CENTROIDS], nearest, NULL));
    RP_TRY(rp_expand_temp(x, "sums", &sums));
    RP_TRY(rp_expand_temp(x, "counts", &counts));
    const rp_attribute attr = {.name = "clusters", .number = (double)clusters};
    RP_TRY(rp_expand_op(
        x, "kmeans_accumulate",
        RP_PARTS({"x", o[X]}, {"assignment", nearest}, {"sums", &sums}, {"counts", &counts}), &attr,
        1));
    return rp_expand_op(x, "kmeans_update",
                        RP_PARTS({"sums", &sums}, {"counts", &counts}, {"centroids", o[CENTROIDS]},
                                 {"out", o[OUT]}),
                        RP_NO_ATTRS);
}

static rp_status expand_histogram_of(rp_expansion *x) {
    enum { X, COUNTS };
    enum { LOW, HIGH, BINS, OUTSIDE };
    rp_given_operand **o = x->operands;
    rp_tensor *tensor = &o[COUNTS]->argument.tensor;
    if (tensor->rank == RP_OP_INFER) {
        tensor->rank = 1;
        tensor->dims[0] = (uint64_t)x->attrs[BINS];
    }
    if (tensor->dtype == RP_RAW) tensor->dtype = RP_U32;
    const rp_attribute zero = {.name = "value", .number = 0};
    const rp_attribute attrs[] = {
        {.name = "low", .text = x->texts[LOW], .number = x->attrs[LOW]},
        {.name = "high", .text = x->texts[HIGH], .number = x->attrs[HIGH]},
        {.name = "bins", .number = x->attrs[BINS]},
        {.name = "outside", .text = x->attrs[OUTSIDE] > 0 ? "clamp" : "skip"}};
    RP_TRY(rp_expand_op(x, "fill", RP_PARTS({"out", o[COUNTS]}), &zero, 1));
    return rp_expand_op(x, "histogram", RP_PARTS({"x", o[X]}, {"counts", o[COUNTS]}), attrs, 4);
}

/* ---- The table ------------------------------------------------------------------------------- */

#define K_ATTR(most_)                                                                              \
    {                                                                                              \
        .name = "k", .brief = "how many; 0: as outputs have", .kind = RP_ATTR_INTEGER,             \
        .shown = true, .high = most_                                                               \
    }
#define SPLITS_ATTR                                                                                \
    INTEGER("splits", 0, 0, MOST_SPLITS, "parts of a row; 0: chosen from the shapes and the target")
#define EXCLUDED                                                                                   \
    {                                                                                              \
        "excluded", "u32 words, a bit for each element, or bool: what is set is left out", "W", R, \
            .optional = true                                                                       \
    }
#define BEST(rows)                                                                                 \
    {"values", "the best ones, in order", rows " K", W, .optional = true}, {                       \
        "indices", "where they are", rows " K", W, .counts = true                                  \
    }

const rp_composite rp_composites[] = {
    {.info.name = "linear",
     .info.family = "matrix",
     .info.brief = "x times a weight matrix, with an optional bias",
     .notes =
         "`matvec` for up to 8 rows of x, `matmul` with `transpose_b` for more, and where sizes "
         "vary; with a bias a "
         "`map` "
         "behind it.",
     .operand_count = 4,
     .operands = {{"x", "rows", "*B K", R},
                  {"weight", "a row for each element of the result", "M K", R},
                  {"bias", "added to each row", "M", R, .optional = true},
                  {"out", "the products", "*B M", W}},
     .expand = expand_linear},
    {.info.name = "swiglu_ffn",
     .info.family = "matrix",
     .info.brief = "the gated feed-forward block of language models",
     .notes = "`down * (silu(gate * x) * (up * x))`, with `residual` added where it is given. Each "
              "product is a `matvec` or a `matmul`, as in `linear`.",
     .operand_count = 6,
     .operands = {{"x", "rows", "*B D", R},
                  {"gate", "weight", "F D", R},
                  {"up", "weight", "F D", R},
                  {"down", "weight", "D F", R},
                  {"residual", "added to the result", "*B D", R, .optional = true},
                  {"out", "the result", "*B D", W}},
     .expand = expand_swiglu_ffn},
    {.info.name = "knn",
     .info.family = "search",
     .info.brief = "the k nearest rows of a base, for each query",
     .notes = "`nearest_partial` and `top_k_merge`, the parts chosen by the shapes and the target. "
              "Bases of less than 4096 rows, and minkowski and jaccard, are a distance and a "
              "`top_k` or `top_k_partial`, which fuse. Either way the distances are never in "
              "memory. `dot` takes the largest products, every other metric the smallest "
              "distances; `l2` is the squared distance.",
     .operand_count = 5,
     .attr_count = 4,
     .operands = {{"queries", "rows", "Q D", R}, {"base", "rows", "N D", R}, EXCLUDED, BEST("Q")},
     .attrs =
         {K_ATTR(KEPT),
          {.name = "metric", .brief = "the distance", .kind = RP_ATTR_CHOICE, .choices = METRICS},
          NUMBER("p", 3, 0.125, 128, "of minkowski"),
          SPLITS_ATTR},
     .expand = expand_knn},
    {.info.name = "top_k_large",
     .info.family = "search",
     .info.brief = "the k best elements of each row, of rows of any length",
     .notes =
         "`top_k`, or `top_k_partial` and `top_k_merge` for long rows when there are few. For k "
         "of more than 1024, and of i64 and u64, all of each row is sorted, as by `sort`, and the "
         "first k are taken; what is left out is sorted behind all else, by its bits.",
     .operand_count = 4,
     .attr_count = 3,
     .operands = {{"x", "rows", "*R N", R}, EXCLUDED, BEST("*R")},
     .attrs = {K_ATTR(UINT32_MAX),
               {.name = "order",
                .brief = "which are best",
                .kind = RP_ATTR_CHOICE,
                .choices = "largest|smallest"},
               SPLITS_ATTR},
     .expand = expand_top_k_large},
    {.info.name = "pq_search",
     .info.family = "search",
     .info.brief = "the k nearest rows of a product-quantised base, for each query",
     .notes = "`pq_tables`, `pq_distance` and a `top_k`, split as in `knn`.",
     .operand_count = 6,
     .attr_count = 3,
     .operands = {{"queries", "rows", "Q D", R},
                  {"codebooks", "of each part of a row", "M E S", R},
                  {"codes", "the base", "N M", R},
                  EXCLUDED,
                  BEST("Q")},
     .attrs = {K_ATTR(KEPT),
               {.name = "metric",
                .brief = "squared distance, or dot product",
                .kind = RP_ATTR_CHOICE,
                .choices = "l2|dot"},
               SPLITS_ATTR},
     .expand = expand_pq_search},
    {.info.name = "kmeans_assign",
     .info.family = "cluster",
     .info.brief = "the nearest centroid of each row",
     .notes = "`l2_distance`, `argmin`, and for `distance` a `row_min`; the distances between are "
              "never in memory.",
     .operand_count = 4,
     .operands = {{"x", "rows", "N D", R},
                  {"centroids", "rows", "C D", R},
                  {"nearest", "the centroid's number", "N", W, .counts = true},
                  {"distance", "the squared distance to it", "N", W, .optional = true}},
     .expand = expand_kmeans_assign},
    {.info.name = "kmeans_step",
     .info.family = "cluster",
     .info.brief = "one step of k-means: assign, accumulate, update",
     .notes = "`l2_distance`, `argmin`, `kmeans_accumulate`, `kmeans_update`. A cluster without "
              "rows keeps its centroid.",
     .operand_count = 4,
     .operands = {{"x", "rows", "N D", R},
                  {"centroids", "before the step", "C D", R},
                  {"nearest", "the centroid's number", "N", W, .optional = true, .counts = true},
                  {"out", "centroids after the step", "C D", W}},
     .expand = expand_kmeans_step},
    {.info.name = "histogram_of",
     .info.family = "statistics",
     .info.brief = "a histogram from nothing",
     .notes = "`fill` with zeros and `histogram`.",
     .operand_count = 2,
     .attr_count = 4,
     .operands = {{"x", "values", "*N", R}, {"counts", "of each bin", "B", W, .counts = true}},
     .attrs = {{.name = "low",
                .brief = "where the first bin begins",
                .kind = RP_ATTR_NUMBER,
                .required = true,
                .low = -1e30,
                .high = 1e30,
                .like = "x"},
               {.name = "high",
                .brief = "where the last bin ends",
                .kind = RP_ATTR_NUMBER,
                .required = true,
                .low = -1e30,
                .high = 1e30,
                .like = "x"},
               REQUIRED_INTEGER("bins", 1, 1 << 20, "how many"),
               {.name = "outside",
                .brief = "what is below low or above high",
                .kind = RP_ATTR_CHOICE,
                .choices = "skip|clamp"}},
     .expand = expand_histogram_of},
};

const uint32_t rp_composites_count = sizeof rp_composites / sizeof *rp_composites;

const rp_composite *rp_composite_get(uint32_t index) {
    static const struct {
        const rp_composite *table;
        const uint32_t *count;
    } tables[] = {{rp_composites, &rp_composites_count},
#define RP_X(table) {rp_composites_##table, &rp_composites_##table##_count},
                  RP_COMPOSITE_TABLES(RP_X)
#undef RP_X
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (index < *tables[i].count) return &tables[i].table[index];
        index -= *tables[i].count;
    }
    return NULL;
}
