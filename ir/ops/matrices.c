/* Cooperative matrices: when variants that are made of them fit, and how large their tiles are.
 *
 * Some multiply f16 and add up in f32: those are for operands of f16 or of blocks, whose products are
 * then no less exact than f16 is, and f32 is left to other variants. Some multiply i8 and add up in
 * i32, exactly as every other variant does, so that only speed decides. Which shapes of matrices
 * there are, how many invocations make a subgroup, and what everything costs is in the target. */
#include "ops/matrices.h"
#include "ops/attention.h"
#include "ops/product.h"

enum { MATMUL_LEAST = 16 };

/* A shape of matrices: m x k times k x n. */
typedef struct matrix {
    uint64_t bit; /* of rp_target.matrix_shapes */
    uint32_t m, n, k;
    rp_dtype factor, sum;
} matrix;

/* In the order in which they are taken: large ones need fewer instructions. */
static const matrix shapes[] = {
#define RP_X(symbol, bit, name, m, n, k, factor, sum) {symbol, m, n, k, factor, sum},
    RP_MATRIX_SHAPE_LIST(RP_X)
#undef RP_X
};

uint32_t rp_op_matrix_subgroup(const rp_target *t) {
    bool known = t->subgroup && (t->subgroup & (t->subgroup - 1)) == 0 && t->subgroup <= 64;
    return known && rp_target_has_subgroup(t, (uint32_t)t->subgroup) ? (uint32_t)t->subgroup : 0;
}

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

/* ---- matmul ---------------------------------------------------------------------------------- */

/* What matrices of one kind are made of, and how many steps of k are in a tile, 128 bytes of them. A
 * side of i8 is cut into sixteens, so a matrix has that many rows and columns. */
typedef struct kind {
    rp_dtype factor, sum;
    uint32_t bytes, depth;
    uint32_t side; /* rows and columns of a matrix; 0: any */
} kind;

static const kind halves = {RP_F16, RP_F32, 2, 64, 0};
static const kind bytes = {RP_I8, RP_I32, 1, 128, 16};

static const kind *kind_of(const rp_op_call *call) {
    return call->operands[0].dtype == RP_I8 ? &bytes : &halves;
}

/* NULL where the target has none. */
static const matrix *find_matrix(const rp_target *t, const kind *of) {
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const matrix *m = &shapes[i];
        bool sides = !of->side || (m->m == of->side && m->n == of->side);
        if ((t->matrix_shapes & m->bit) && m->factor == of->factor && m->sum == of->sum && sides)
            return m;
    }
    return NULL;
}

/* A tile of 2 * each x 2 * each matrices. */
typedef struct tiling {
    const matrix *matrix;
    uint64_t each, across, down, count; /* tiles along columns and rows, and in all */
    double time;                        /* nanoseconds, about */
} tiling;

/* Subgroups along columns; there are two along rows. A large tile has eight in all, of 4 x 2 matrices
 * each: four of 4 x 4 use more of what they load, but there are too few of them to hide what blocks
 * cost that are unpacked, and what is computed behind. */
static uint64_t subgroups_across(uint64_t each) {
    return each == 4 ? 4 : 2;
}

/* Each thread loads as many words of 16 bytes of a side as any other. */
static bool fits_threads(const rp_target *t, const kind *of, const tiling *tile, uint64_t threads) {
    uint64_t words = 2 * tile->each * of->depth * of->bytes / 16;
    return threads <= t->invocations && words * tile->matrix->m % threads == 0 &&
           words * tile->matrix->n % threads == 0;
}

static bool fits_memory(const rp_target *t, const kind *of, const tiling *tile, uint64_t threads) {
    uint64_t rows = 2 * tile->each * tile->matrix->m, columns = 2 * tile->each * tile->matrix->n;
    /* Either side may lie by its lines or by those of k; each line is 16 bytes longer. */
    uint64_t by_rows = (rows + columns) * (of->depth * of->bytes + 16);
    uint64_t by_k = of->depth * ((rows + columns) * of->bytes + 32);
    uint64_t sums = rows * columns / threads;
    uint64_t next = (rows + columns) * of->depth * of->bytes / 4 / threads;
    return by_rows <= t->shared_bytes && by_k <= t->shared_bytes &&
           sums + next + 48 <= t->register_words;
}

/* Operations a microsecond; where that is not known, eight times those without matrices. */
static double rate_of(const rp_target *t, const kind *of) {
    if (of == &halves)
        return t->matrix_f16_rate ? (double)t->matrix_f16_rate : 8 * (double)t->f32_rate;
    return t->matrix_i8_rate ? (double)t->matrix_i8_rate : 8 * (double)t->i8_rate;
}

/* Nanoseconds. A step of k costs its matrices, what comes out of the caches or out of shared memory, and
 * two barriers; a multiprocessor that has one tile alone waits for all of them, one with several does the
 * others meanwhile. Of 230 ways to compute 24 products, tiles and parts of k, it leads to those that take
 * 1.02 times what the fastest do on an H200 (docs/benchmarks.md). */
static double time_of(const rp_target *t, const kind *of, const tiling *tile, uint64_t k) {
    double units = (double)t->multiprocessors, each = (double)tile->each;
    double rows = 2 * each * tile->matrix->m, columns = 2 * each * tile->matrix->n;
    double line = (double)of->depth * of->bytes, sync = (double)t->sync_ns / 1000;
    double across = (double)subgroups_across(tile->each);
    double cached = (rows + columns) * line / ((double)t->cache_rate / units);
    /* Each row of subgroups reads all columns, each column all rows; filling is one more. */
    double shared = (rows * (across + 1) + columns * 3) * line / ((double)t->shared_rate / units);
    double step = 2 * rows * columns * of->depth / (rate_of(t, of) / units) +
                  (cached > shared ? cached : shared) + 2 * sync;
    double alone = step + 3 * sync, most = (double)ceil_div(tile->count, t->multiprocessors);
    double threads = 2 * across * rp_op_matrix_subgroup(t);
    double all = most * step > alone ? most * step : alone;
    return (double)ceil_div(k, of->depth) * all * 1000 +
           most * rp_product_end_time(t, rows * columns / threads);
}

static bool choose_tiling(const rp_op_call *call, const rp_target *t, tiling *out) {
    const kind *of = kind_of(call);
    const matrix *m = find_matrix(t, of);
    uint32_t subgroup = rp_op_matrix_subgroup(t);
    bool found = false;
    if (!m || !subgroup) return false;
    for (uint64_t each = 1; each <= 4; each *= 2) {
        tiling tile = {.matrix = m,
                       .each = each,
                       .across = ceil_div(rp_sym(call, 'N'), 2 * each * m->n),
                       .down = ceil_div(rp_sym(call, 'H'), 2 * each * m->m)};
        uint64_t threads = 2 * subgroups_across(each) * subgroup;
        if (!fits_threads(t, of, &tile, threads) || !fits_memory(t, of, &tile, threads)) continue;
        tile.count = rp_product_count(call) * rp_sym(call, 'G') * tile.across * tile.down;
        tile.time = time_of(t, of, &tile, rp_sym(call, 'O'));
        if (found && tile.time >= out->time) continue;
        *out = tile;
        found = true;
    }
    return found;
}

void rp_op_matmul_matrices_bind(rp_op_call *call, const rp_target *t) {
    tiling tile;
    if (!choose_tiling(call, t, &tile)) return;
    uint64_t across = subgroups_across(tile.each);
    rp_op_bind(call, 'C', tile.matrix->m);
    rp_op_bind(call, 'D', tile.matrix->n);
    rp_op_bind(call, 'F', tile.matrix->k);
    rp_op_bind(call, 'I', tile.matrix->k);
    rp_op_bind(call, 'T', across);
    rp_op_bind(call, 'U', tile.each);
    rp_op_bind(call, 'V', 2 * tile.each / across);
    rp_product_bind_grid(call, 2 * tile.each * tile.matrix->m, 2 * tile.each * tile.matrix->n);
    rp_op_bind(call, 'Z', rp_op_matrix_subgroup(t));
}

double rp_op_matmul_matrices_time(const rp_op_call *call, const rp_target *t) {
    tiling tile;
    return choose_tiling(call, t, &tile) ? tile.time : 0;
}

void rp_op_matmul_matrices_explain(const rp_op_call *call, const rp_target *t, rp_text *text) {
    tiling tile;
    if (!choose_tiling(call, t, &tile)) return;
    rp_text_format(text, "%llu tiles of %llu x %llu", (unsigned long long)tile.count,
                   (unsigned long long)(2 * tile.each * tile.matrix->m),
                   (unsigned long long)(2 * tile.each * tile.matrix->n));
}

static bool has_least(const rp_op_call *call, uint64_t rows) {
    return rp_sym(call, 'H') >= rows && rp_sym(call, 'N') >= MATMUL_LEAST &&
           rp_sym(call, 'O') >= MATMUL_LEAST;
}

/* Rows fill the smallest tile at least. Of 16 rows half a tile would be padding, and there would be
 * few tiles, one step of k after the other in each: on an H200 16 x 384 x 1536 took 14.3 us by
 * matrices, and 8.6 us in f32 by tiles that have k in parts. */
bool rp_op_matmul_matrices_fit(const rp_op_call *call, const rp_target *t) {
    const uint32_t weights = RP_DT(RP_F16) | RP_DT_BLOCK;
    tiling tile;
    return call->operands[0].dtype == RP_F16 && (RP_DT(call->operands[1].dtype) & weights) &&
           choose_tiling(call, t, &tile) && has_least(call, 2 * tile.matrix->m);
}

bool rp_op_matmul_bytes_fit(const rp_op_call *call, const rp_target *t) {
    tiling tile;
    return call->operands[0].dtype == RP_I8 && has_least(call, MATMUL_LEAST) &&
           choose_tiling(call, t, &tile);
}

/* ---- attention_prefill ----------------------------------------------------------------------- */

/* A workgroup's subgroups have 16 tokens each, with all of their queries in registers; `rows` of the
 * cache go by at a time, 4 KiB of k where heads are short. 32 tokens a subgroup would use twice what comes out of shared memory, but
 * leave a multiprocessor fewer subgroups, and time is that of their waiting: on an H200 260 us
 * instead of 205 with heads of 128, 356 instead of 197 with heads of 64. */
typedef struct prefill {
    uint64_t rows, count;
} prefill;

/* Attributes of the op, and sizes of the variant. */
enum { PREFILL_CAUSAL, PREFILL_SCALE, PREFILL_CAP };
enum {
    PREFILL_EDGE = 16,
    PREFILL_ROWS = 32,
    PREFILL_SHORT = 32,
    PREFILL_SUBGROUP = 32,
    PREFILL_SUBGROUPS = 4
};
enum { PREFILL_GROUP = PREFILL_SUBGROUPS * PREFILL_SUBGROUP };

static bool has_room(const prefill *p, uint64_t size, const rp_target *t) {
    uint64_t line = size * 2 + 16, tokens = PREFILL_SUBGROUPS * PREFILL_EDGE;
    uint64_t tiles = 2 * p->rows * line, queries = tokens * line, out = tokens * (64 + 16);
    uint64_t words = size * 3 / 4 + p->rows * 3 / 4 + p->rows * size / 2 / PREFILL_GROUP;
    if (tiles < queries) tiles = queries;
    if (tiles < out) tiles = out;
    return tiles + 16 <= t->shared_bytes && words + 48 <= t->register_words;
}

static bool choose_prefill(const rp_op_call *call, const rp_target *t, prefill *out) {
    uint64_t rows = rp_sym(call, 'D') <= PREFILL_SHORT ? 2 * PREFILL_ROWS : PREFILL_ROWS;
    *out = (prefill){rows, rp_op_prefill_tiles(call, PREFILL_SUBGROUPS * PREFILL_EDGE)};
    return out->count <= t->groups_x && has_room(out, rp_sym(call, 'D'), t);
}

bool rp_op_prefill_matrices_fit(const rp_op_call *call, const rp_target *t) {
    uint64_t size = rp_sym(call, 'D');
    prefill p;
    return call->operands[0].dtype == RP_F16 && call->operands[1].dtype == RP_F16 &&
           size % PREFILL_EDGE == 0 && size <= 128 && t->matrix_quads == 1 &&
           (t->matrix_shapes & RP_MATRIX_16_16_16_F16_F32) &&
           rp_op_matrix_subgroup(t) == PREFILL_SUBGROUP && PREFILL_GROUP <= t->invocations &&
           choose_prefill(call, t, &p);
}

void rp_op_prefill_matrices_bind(rp_op_call *call, const rp_target *t) {
    prefill p;
    if (!choose_prefill(call, t, &p)) return;
    rp_op_bind(call, 'C', PREFILL_EDGE);
    rp_op_bind(call, 'E', PREFILL_EDGE);
    rp_op_bind(call, 'F', PREFILL_EDGE);
    rp_op_bind(call, 'I', PREFILL_EDGE);
    rp_op_bind(call, 'U', PREFILL_SUBGROUPS);
    rp_op_bind(call, 'Q', 1);
    rp_op_bind(call, 'P', rp_sym(call, 'D') / PREFILL_EDGE + 1);
    rp_op_bind(call, 'R', p.rows);
    rp_op_prefill_bind_tiles(call, PREFILL_SUBGROUPS * PREFILL_EDGE);
    rp_op_bind(call, 'M', call->attrs[PREFILL_SCALE] < 0 || call->attrs[PREFILL_CAP] > 0 ? 2 : 1);
    rp_op_bind(call, 'Z', PREFILL_SUBGROUP);
}

void rp_op_prefill_matrices_explain(const rp_op_call *call, const rp_target *t, rp_text *text) {
    prefill p;
    if (!choose_prefill(call, t, &p)) return;
    rp_text_format(text, "%llu workgroups of %llu tokens a head, %llu rows of the cache at a time",
                   (unsigned long long)p.count,
                   (unsigned long long)(PREFILL_SUBGROUPS * PREFILL_EDGE),
                   (unsigned long long)p.rows);
}
