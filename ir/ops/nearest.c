/* nearest_partial: the search of a base in one op, and how it is computed.
 *
 * A distance op and top_k_partial are the same search, fused; here distance and selection know of
 * each other. The results are the same to the bit, whatever the variant: a distance is what the
 * metric's op gives.
 *
 * Few queries are bound by reading the base: variant `stream` reads it once for all queries of a
 * workgroup. For many, arithmetic is what counts: the others filter by products, and compute the
 * distances of what is left. Where matrices multiply, `strips` reads the base as fast as `stream` does for
 * one query; `matrices` is for vectors too long to be kept, and for long lists. */
#include "ops/nearest.h"

#include "ops/matrices.h"
#include "ops/op_formula.h"
#include "target/target.h"

enum { QUERIES, BASE, EXCLUDED, VALUES }; /* operands */
enum { ATTR_METRIC };

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

bool rp_nearest_rule(rp_op_call *call) {
    uint64_t n = rp_sym(call, 'N'), words = rp_sym(call, 'W'), parts = rp_sym(call, 'P');
    bool bits = call->attrs[ATTR_METRIC] == RP_NEAREST_HAMMING;
    const rp_tensor *values = &call->operands[VALUES];
    if (rp_sym(call, 'D') == 0) return rp_op_fail(call, "vectors have no elements to be compared");
    if (parts > n && !call->asked)
        return rp_op_fail(call, "splits is %llu, but base has %llu rows", (unsigned long long)parts,
                          (unsigned long long)n);
    if (!call->operands[EXCLUDED].absent && words < ceil_div(n, 32))
        return rp_op_fail(call, "excluded has %llu words of 32 bits, but base has %llu rows",
                          (unsigned long long)words, (unsigned long long)n);
    for (uint32_t i = QUERIES; i <= BASE; i++)
        if ((call->operands[i].dtype == RP_U32) != bits)
            return rp_op_fail(
                call, "%s is %s, but metric %s compares %s", rp_op_operand_name(call, i),
                rp_dtype_name((rp_dtype)call->operands[i].dtype),
                bits ? "hamming" : "other than hamming", bits ? "words of u32" : "floats");
    if (!values->absent && values->dtype != RP_RAW && (values->dtype == RP_U32) != bits)
        return rp_op_fail(call, "values is %s; distances of this metric are %s",
                          rp_dtype_name((rp_dtype)values->dtype), bits ? "u32" : "floats");
    return true;
}

/* What variants are chosen by. */
typedef struct search {
    uint64_t queries, length, k;
    uint32_t metric;
} search;

static search search_of(const rp_op_call *call) {
    return (search){rp_sym(call, 'Q'), rp_sym(call, 'D'), rp_sym(call, 'K'),
                    (uint32_t)call->attrs[ATTR_METRIC]};
}

/* Whether products of rows and queries can say which rows are not among the nearest. */
static bool has_products(uint32_t metric) {
    return metric == RP_NEAREST_L2 || metric == RP_NEAREST_COSINE || metric == RP_NEAREST_DOT;
}

/* ---- stream ---------------------------------------------------------------------------------- */

/* Threads and registers for the queries of a workgroup: 4 sums each of `rows` rows at once, or a
 * few more; of those rows `flight` times 16 elements are on their way. More on its way hides more of
 * memory's latency, as far as registers go; fewer rows are read more of a piece. With few queries a
 * workgroup looks at its lists only every `turns` turns. Measured on one large GPU. */
typedef struct stream_shape {
    uint8_t queries; /* up to so many */
    uint8_t rows, flight, turns;
    uint16_t threads;
    uint16_t registers; /* that it takes */
    bool own;           /* subgroups have lists of their own */
} stream_shape;

static const stream_shape stream_shapes[] = {
    {2, 1, 8, 1, 512, 128, true},   /* one or two queries */
    {4, 4, 16, 2, 256, 186, false}, /* up to four */
    {10, 4, 8, 1, 512, 128, false}, /* and so on */
    {8, 4, 4, 1, 256, 96, false},   /* where registers are few, or unknown */
};
enum { STREAM_SHAPES = sizeof stream_shapes / sizeof *stream_shapes };

enum { LIST = 64, FEW_BYTES = 1024, SMALL_SUBGROUP = 8, LARGE_SUBGROUP = 32 };

/* The subgroup of which each has lists, an entry an invocation; 0: its size is not known. */
static uint64_t list_subgroup(const rp_target *target) {
    uint32_t size = rp_op_matrix_subgroup(target);
    bool fits = size >= SMALL_SUBGROUP && size <= LARGE_SUBGROUP;
    return fits && rp_target_has(target, RP_NEED_SUBGROUP_SIZE) ? size : 0;
}

typedef struct stream_plan {
    const stream_shape *shape;
    uint64_t groups, queries, list, staged;
} stream_plan;

/* Places of a list: twice what is wanted, or where the lists of all subgroups come together. */
static uint64_t list_of(uint64_t k, const stream_shape *shape, const rp_target *target) {
    uint64_t least = shape->own ? shape->threads / list_subgroup(target) * k : 2 * k;
    uint64_t places = LIST;
    while (places < least) places *= 2;
    return places;
}

static stream_plan plan_stream(uint64_t queries, uint64_t length, uint64_t k,
                               const rp_target *target) {
    stream_plan p = {0};
    uint64_t room = target->shared_bytes - FEW_BYTES, row = (length + 15) / 16 * 64;
    for (uint32_t i = 0; i < STREAM_SHAPES; i++) {
        p.shape = &stream_shapes[i];
        bool fits = p.shape->registers <= target->register_words &&
                    p.shape->threads <= target->invocations && !rp_target_is_software(target) &&
                    (!p.shape->own || k <= list_subgroup(target));
        if (fits && queries <= p.shape->queries) break;
        if (i + 2 == STREAM_SHAPES && fits) break; /* the largest, several times */
    }
    p.list = list_of(k, p.shape, target);
    uint64_t most = p.shape->queries;
    while (most > 1 && most * (row + 8 * p.list) > room) most--;
    p.groups = ceil_div(queries, most);
    p.queries = ceil_div(queries, p.groups);
    p.staged = p.queries * (row + 8 * p.list) <= room;
    return p;
}

static void bind_stream(rp_op_call *call, const rp_target *target) {
    stream_plan p = plan_stream(rp_sym(call, 'Q'), rp_sym(call, 'D'), rp_sym(call, 'K'), target);
    uint64_t steps = rp_sym(call, 'D') / 16, ahead = p.shape->flight / p.shape->rows;
    while (ahead > 1 && steps % ahead != 0) ahead /= 2;
    rp_op_bind_count(call, 'B', "Q", p.queries, 1);
    rp_op_bind(call, 'C', p.list);
    rp_op_bind(call, 'G', p.queries);
    rp_op_bind(call, 'H', ahead);
    rp_op_bind(call, 'R', p.shape->turns);
    rp_op_bind(call, 'S', p.staged && steps ? p.queries * steps * 4 : 1);
    rp_op_bind(call, 'T', p.shape->threads);
    rp_op_bind(call, 'U', least(p.shape->flight / ahead, 4));
    rp_op_bind(call, 'L', p.shape->own ? 1 : 2);
    rp_op_bind(call, 'Z', p.shape->own ? list_subgroup(target) : 1);
}

static void explain_stream(const rp_op_call *call, const rp_target *target, rp_text *text) {
    (void)target;
    rp_text_format(text, "%llu queries a workgroup of %llu threads",
                   (unsigned long long)rp_sym(call, 'G'), (unsigned long long)rp_sym(call, 'T'));
}

/* ---- tiles ----------------------------------------------------------------------------------- */

/* Subgroups along the queries, and places of a list: what shared memory has room for beside the
 * tiles of 256 rows. Measured on one large GPU: below so many queries, and where the bound of the
 * filter's error is wide beside what distances differ by, streaming the base is faster. */
enum { TILE_QUERIES = 256, TILE_LENGTH = 256, TILE_ROWS = 256, TILE_K = 12, TILE_SUMS = 8 };
enum { TILE_REGISTERS = 128, TILE_SUBGROUP = 32, SUBGROUPS_ACROSS = 4 };

typedef struct tile_shape {
    uint64_t along, places;
} tile_shape;

static const tile_shape tile_shapes[] = {{4, 19}, {2, 24}, {1, 30}};

/* Two buffers 8 deep of queries and of rows, with gaps; lists, norms, bounds and counts. */
static uint64_t tile_bytes(const tile_shape *s) {
    uint64_t queries = s->along * 4 * TILE_SUMS;
    uint64_t tiles = 4 * (4 * queries + 16 + 4 * TILE_ROWS + 16) * 4;
    return tiles + queries * (s->places * 8 + 12) + TILE_ROWS * 8 + queries / 8 + 64;
}

/* NULL: the variant does not fit. */
static const tile_shape *find_tiles(search q, const rp_target *target) {
    if (!has_products(q.metric) || q.queries < TILE_QUERIES || q.length % 16 != 0 ||
        q.length > TILE_LENGTH || q.k > TILE_K || target->register_words < TILE_REGISTERS ||
        rp_target_is_software(target))
        return NULL;
    for (uint32_t i = 0; i < sizeof tile_shapes / sizeof *tile_shapes; i++) {
        const tile_shape *s = &tile_shapes[i];
        if (tile_bytes(s) <= target->shared_bytes &&
            s->along * SUBGROUPS_ACROSS * TILE_SUBGROUP <= target->invocations)
            return s;
    }
    return NULL;
}

static bool fits_tiles(const rp_op_call *call, const rp_target *target) {
    return find_tiles(search_of(call), target) != NULL;
}

static void bind_tiles(rp_op_call *call, const rp_target *target) {
    const tile_shape *s = find_tiles(search_of(call), target);
    uint64_t queries = s->along * 4 * TILE_SUMS;
    rp_op_bind_count(call, 'B', "Q", queries, 1);
    rp_op_bind(call, 'C', s->places);
    rp_op_bind(call, 'G', queries);
    rp_op_bind(call, 'J', s->along);
    rp_op_bind(call, 'T', s->along * SUBGROUPS_ACROSS * TILE_SUBGROUP);
    rp_op_bind(call, 'U', TILE_SUMS);
}

static void explain_tiles(const rp_op_call *call, const rp_target *target, rp_text *text) {
    (void)target;
    rp_text_format(text, "tiles of %llu queries and %d rows", (unsigned long long)rp_sym(call, 'G'),
                   TILE_ROWS);
}

/* ---- matrices -------------------------------------------------------------------------------- */

/* Subgroups along queries and rows; matrices of sums that each has; elements of a step; workgroups
 * that a multiprocessor has registers for. Measured on one large GPU. */
typedef struct matrix_shape {
    uint8_t along, across, down, right, depth, resident;
} matrix_shape;

static const matrix_shape matrix_shapes[] = {
    {4, 4, 2, 2, 32, 1}, /* 128 queries, 128 rows */
    {2, 4, 2, 2, 32, 2}, /* 64, 128 */
    {1, 8, 2, 2, 32, 2}, /* 32, 256 */
    {1, 8, 1, 2, 64, 2}, /* 16, 256 */
    {1, 8, 1, 2, 32, 2}, /* the same, with room for long lists */
};
enum { MATRIX_SHAPES = sizeof matrix_shapes / sizeof *matrix_shapes };
enum { MATRIX_EDGE = 16, MATRIX_SUBGROUP = 32, MATRIX_REGISTERS = 128 };
enum { MATRIX_LENGTH = 4096 }; /* that the bound of its error is for */
enum { FILTER_LIST = 32 };     /* places of a list, if no more are needed */

#define FILTER_NEEDS                                                                               \
    ((RP_OP_MATRIX_NEEDS & ~RP_NEED_STORAGE16) | RP_NEED_SUBGROUP_SHUFFLE |                        \
     RP_NEED_SUBGROUP_BALLOT | RP_NEED_SUBGROUP_ARITHMETIC)

enum { STREAM_QUERIES = 10, LONG_ROW = 256 };

/* Few queries take as long as reading the base by stream; half as many where rows are long. */
static bool are_few(uint64_t queries, uint64_t length) {
    return queries * (length < LONG_ROW ? 1 : 2) <= STREAM_QUERIES;
}

static uint64_t matrix_queries(const matrix_shape *s) {
    return (uint64_t)s->along * s->down * MATRIX_EDGE;
}

static uint64_t matrix_rows(const matrix_shape *s) {
    return (uint64_t)s->across * s->right * MATRIX_EDGE;
}

static uint64_t matrix_threads(const matrix_shape *s) {
    return (uint64_t)s->along * s->across * MATRIX_SUBGROUP;
}

/* Places of a list where there is room for so many: a third more than what is wanted at least, and 32 or
 * twice as many where that is possible. 0: too few. */
static uint64_t filter_places(uint64_t room, uint64_t k) {
    uint64_t places = least(room, 2 * k < FILTER_LIST ? FILTER_LIST : 2 * k);
    return places >= k + k / 3 + 6 ? places : 0;
}

/* Those of `matrices`; 0: it does not fit. A list and a tile's rows come together where the tiles were. */
static uint64_t matrix_places(const matrix_shape *s, uint64_t k, const rp_target *target) {
    uint64_t queries = matrix_queries(s), rows = matrix_rows(s);
    uint64_t line = (uint64_t)s->depth / 8 + 1; /* vectors of 16 bytes of a row */
    uint64_t fixed = (queries + rows) * line * 16 + rows * 8 + queries * 20 + queries / 4 + 64;
    if (fixed > target->shared_bytes) return 0;
    uint64_t room = (target->shared_bytes - fixed) / (8 * queries);
    return filter_places(least(room, (queries + rows) * line - rows), k);
}

/* Whether those of f16 can: kernels/nearest/filter.glsl. */
static bool has_matrix_products(search q, const rp_target *target) {
    return has_products(q.metric) && q.length % MATRIX_EDGE == 0 && q.length <= MATRIX_LENGTH &&
           target->register_words >= MATRIX_REGISTERS && target->matrix_quads == 1 &&
           rp_op_matrix_subgroup(target) == MATRIX_SUBGROUP;
}

/* NULL: the variant does not fit. */
static const matrix_shape *find_matrices(search q, const rp_target *target) {
    if (!has_matrix_products(q, target) || are_few(q.queries, q.length) ||
        !(target->matrix_shapes & RP_MATRIX_16_16_16_F16_F32))
        return NULL;
    for (uint32_t i = 0; i < MATRIX_SHAPES; i++) {
        const matrix_shape *s = &matrix_shapes[i];
        bool half_empty = s->down * s->along > 1 && 2 * q.queries <= matrix_queries(s);
        if (!half_empty && matrix_threads(s) <= target->invocations &&
            matrix_places(s, q.k, target))
            return s;
    }
    return NULL;
}

static bool fits_matrices(const rp_op_call *call, const rp_target *target) {
    return find_matrices(search_of(call), target) != NULL;
}

static void bind_matrices(rp_op_call *call, const rp_target *target) {
    const matrix_shape *s = find_matrices(search_of(call), target);
    rp_op_bind_count(call, 'B', "Q", matrix_queries(s), 1);
    rp_op_bind(call, 'C', matrix_places(s, rp_sym(call, 'K'), target));
    rp_op_bind(call, 'E', MATRIX_EDGE);
    rp_op_bind(call, 'F', MATRIX_EDGE);
    rp_op_bind(call, 'G', matrix_queries(s));
    rp_op_bind(call, 'H', s->depth);
    rp_op_bind(call, 'I', MATRIX_EDGE);
    rp_op_bind(call, 'J', s->along);
    rp_op_bind(call, 'L', s->across);
    rp_op_bind(call, 'M', MATRIX_EDGE);
    rp_op_bind(call, 'R', matrix_rows(s));
    rp_op_bind(call, 'T', matrix_threads(s));
    rp_op_bind(call, 'U', s->down);
    rp_op_bind(call, 'V', s->right);
    rp_op_bind(call, 'Z', MATRIX_SUBGROUP);
}

static void explain_matrices(const rp_op_call *call, const rp_target *target, rp_text *text) {
    (void)target;
    rp_text_format(text, "tiles of %llu queries and %llu rows, lists of %llu",
                   (unsigned long long)rp_sym(call, 'G'), (unsigned long long)rp_sym(call, 'R'),
                   (unsigned long long)rp_sym(call, 'C'));
}

/* ---- strips ---------------------------------------------------------------------------------- */

/* Measured on one large GPU: from three queries on, and however many they are, as long as those of a
 * workgroup are in shared memory all the time. The first bounds come from STRIP_GROUPS groups of rows, two
 * of which lie in a place of a list; twice what is wanted at least. */
enum { STRIP_ROWS = 8, STRIP_THREADS = 512, STRIP_FLIGHT = 8, STRIP_QUERIES = 3 };
enum { STRIP_GROUPS = STRIP_THREADS / MATRIX_SUBGROUP * 4, STRIP_K = STRIP_GROUPS / 2 };

/* Matrices of queries of a workgroup; strips of a subgroup between two looks at the lists, as far as
 * registers go. */
typedef struct strip_shape {
    uint8_t matrices, strips;
} strip_shape;

static const strip_shape strip_shapes[] = {{1, 2}, {2, 2}, {4, 1}};
enum { STRIP_SHAPES = sizeof strip_shapes / sizeof *strip_shapes };

/* Steps that a thread has on its way: a divisor of all, or the most, where the last ones are empty. */
static uint64_t strip_flight(uint64_t steps) {
    if (steps <= STRIP_FLIGHT) return steps;
    for (uint64_t flight = STRIP_FLIGHT; flight >= STRIP_FLIGHT / 2; flight--)
        if (steps % flight == 0) return flight;
    return STRIP_FLIGHT;
}

/* Places of a list; 0: too few, or there is no room for the first bounds. */
static uint64_t strip_places(uint64_t queries, uint64_t length, uint64_t k,
                             const rp_target *target) {
    uint64_t flight = strip_flight(length / MATRIX_EDGE);
    uint64_t padded = ceil_div(length / MATRIX_EDGE, flight) * flight * MATRIX_EDGE;
    uint64_t fixed = queries * (padded * 2 + 16) + padded * 4 + queries * 20 + queries / 8 + 64;
    if (fixed > target->shared_bytes) return 0;
    uint64_t places = filter_places((target->shared_bytes - fixed) / (8 * queries), k);
    return places >= STRIP_GROUPS / 2 ? places : 0;
}

/* NULL: the variant does not fit. */
static const strip_shape *find_strips(search q, const rp_target *target) {
    if (!has_matrix_products(q, target) || q.queries < STRIP_QUERIES || q.k > STRIP_K ||
        STRIP_THREADS > target->invocations || !(target->matrix_shapes & RP_MATRIX_16_8_16_F16_F32))
        return NULL;
    uint32_t i = 0;
    while (i + 1 < STRIP_SHAPES && strip_shapes[i].matrices * MATRIX_EDGE < q.queries) i++;
    const strip_shape *s = &strip_shapes[i];
    return strip_places(s->matrices * MATRIX_EDGE, q.length, q.k, target) ? s : NULL;
}

static bool fits_strips(const rp_op_call *call, const rp_target *target) {
    return find_strips(search_of(call), target) != NULL;
}

static void bind_strips(rp_op_call *call, const rp_target *target) {
    const strip_shape *s = find_strips(search_of(call), target);
    uint64_t queries = s->matrices * MATRIX_EDGE, length = rp_sym(call, 'D');
    rp_op_bind_count(call, 'B', "Q", queries, 1);
    rp_op_bind(call, 'C', strip_places(queries, length, rp_sym(call, 'K'), target));
    rp_op_bind(call, 'E', STRIP_ROWS);
    rp_op_bind(call, 'F', MATRIX_EDGE);
    rp_op_bind(call, 'G', queries);
    rp_op_bind(call, 'H', strip_flight(length / MATRIX_EDGE));
    rp_op_bind(call, 'I', MATRIX_EDGE);
    rp_op_bind(call, 'M', MATRIX_EDGE);
    rp_op_bind(call, 'R', s->strips);
    rp_op_bind(call, 'T', STRIP_THREADS);
    rp_op_bind(call, 'U', s->matrices);
    rp_op_bind(call, 'Z', MATRIX_SUBGROUP);
}

static void explain_strips(const rp_op_call *call, const rp_target *target, rp_text *text) {
    (void)target;
    rp_text_format(text, "%llu queries a workgroup of %d threads, lists of %llu",
                   (unsigned long long)rp_sym(call, 'G'), STRIP_THREADS,
                   (unsigned long long)rp_sym(call, 'C'));
}

/* ---- The table ------------------------------------------------------------------------------- */

const rp_op_variant rp_nearest_variants[] = {
    {
        .name = "strips",
        .when = "l2, cosine and dot, 3 queries and more of as many elements as fit into shared "
                "memory, a multiple of 16; k of up to 32; on a target with cooperative matrices of "
                "f16 and sums of f32 whose layout is known",
        .why = "reads the base once for up to 64 queries, from memory to registers; products of "
               "f16 say which rows cannot be among the nearest, with a bound of their error; the "
               "distances of the others are computed as the metric's op does",
        .text = 3700,
        .threads = STRIP_THREADS,
        .groups = "BP",
        .sized = "QNW",
        .needs = FILTER_NEEDS,
        .sites = {12, 24, 1, 1, 1},
        .reads = {"BPQD", "BND"},
        .fits = fits_strips,
        .bind = bind_strips,
        .explain = explain_strips,
    },
    {
        .name = "matrices",
        .when =
            "l2, cosine and dot, more than 10 queries, or 5 of 256 elements and more; up to 4096 "
            "elements, a multiple of 16; k as far as lists fit into shared memory; on a target "
            "with cooperative matrices of f16 and sums of f32 whose layout is known",
        .why = "products of f16 say which rows cannot be among the nearest, with a bound of their "
               "error; the distances of the others are computed as the metric's op does",
        .text = 4100,
        .threads = 512,
        .groups = "BP",
        .sized = "QNW",
        .needs = FILTER_NEEDS,
        .sites = {26, 18, 2, 1, 1},
        .reads = {"BPQD", "BND"},
        .fits = fits_matrices,
        .bind = bind_matrices,
        .explain = explain_matrices,
    },
    {
        .name = "tiles",
        .when = "l2, cosine and dot, 256 queries and more of up to 256 elements, a multiple of 16; "
                "k of up to 12; 128 registers an invocation",
        .why =
            "products of tiles say which rows cannot be among the nearest, with a bound of their "
            "error; the distances of the others are computed as the metric's op does",
        .text = 3900,
        .threads = 512,
        .groups = "BP",
        .sized = "QNW",
        .sites = {18, 10, 2, 1, 1},
        .reads = {"BPQD", "BND"},
        .fits = fits_tiles,
        .bind = bind_tiles,
        .explain = explain_tiles,
    },
    {
        .name = "stream",
        .when = "always",
        .why = "reads the base once for up to 10 queries; four threads share four rows, whose "
               "elements are on their way long before they are needed",
        .text = 2000,
        .threads = 512,
        .groups = "BP",
        .sized = "QNW",
        .sites = {9, 10, 1, 2, 1},
        .reads = {"BPD", "BND"},
        .bind = bind_stream,
        .explain = explain_stream,
    },
    {0},
};

/* ---- Parts ----------------------------------------------------------------------------------- */

enum { PART_ROWS = 1024, MOST_PARTS = 1024 }; /* rows that are worth a part */

/* As many parts as fill all multiprocessors a whole number of times, nearly. */
static uint64_t fill_waves(uint64_t groups, uint64_t multiprocessors) {
    enum { WAVES = 4 };
    uint64_t best = 1;
    double most = 0;
    for (uint64_t w = 1; w <= WAVES; w++) {
        uint64_t parts = w * multiprocessors / groups, waves;
        if (parts < 1) continue;
        waves = ceil_div(parts * groups, multiprocessors);
        double busy = (double)(parts * groups) / (double)(waves * multiprocessors);
        if (busy > most + 0.02) most = busy, best = parts;
    }
    return best;
}

uint64_t rp_nearest_parts(uint64_t queries, uint64_t rows, uint64_t length, uint64_t k,
                          uint32_t metric, const rp_target *target) {
    const search q = {queries, length, k, metric};
    const strip_shape *strips = find_strips(q, target);
    const matrix_shape *matrices = find_matrices(q, target);
    const tile_shape *tiles = find_tiles(q, target);
    uint64_t places = target->multiprocessors, groups;
    if (strips) {
        groups = ceil_div(queries, strips->matrices * MATRIX_EDGE);
    } else if (matrices) {
        groups = ceil_div(queries, matrix_queries(matrices));
        places *= matrices->resident;
    } else {
        groups = tiles ? ceil_div(queries, tiles->along * 4 * TILE_SUMS)
                       : plan_stream(queries, length, k, target).groups;
    }
    uint64_t parts = fill_waves(groups, places);
    parts = least(least(parts, rows / PART_ROWS), MOST_PARTS);
    return parts < 1 ? 1 : parts;
}
