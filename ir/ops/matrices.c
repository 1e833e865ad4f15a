/* Cooperative matrices: when variants that are made of them fit, and how large their tiles are.
 *
 * They multiply f16 and add up in f32. So they are for operands of f16 or of blocks, whose products
 * are then no less exact than f16 is; f32 is left to other variants. Which shapes of matrices there
 * are, how many invocations make a subgroup, and what everything costs is in the target. */
#include "ops/matrices.h"

enum { MATMUL_DEPTH = 64, MATMUL_LEAST = 16 };

/* In the order in which they are taken: large ones need fewer instructions. */
static const rp_op_matrix shapes[] = {
#define RP_X(symbol, bit, name, m, n, k, factor, sum) {symbol, m, n, k, factor, sum},
    RP_MATRIX_SHAPE_LIST(RP_X)
#undef RP_X
};

const rp_op_matrix *rp_op_find_matrix(const rp_target *t) {
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if ((t->matrix_shapes & shapes[i].bit) && shapes[i].factor == RP_F16 &&
            shapes[i].sum == RP_F32)
            return &shapes[i];
    return NULL;
}

uint32_t rp_op_matrix_subgroup(const rp_target *t) {
    bool known = t->subgroup && (t->subgroup & (t->subgroup - 1)) == 0 && t->subgroup <= 64;
    return known && rp_target_has_subgroup(t, (uint32_t)t->subgroup) ? (uint32_t)t->subgroup : 0;
}

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

/* ---- matmul ---------------------------------------------------------------------------------- */

/* A tile of 2 x 2 subgroups with `each` x `each` matrices. */
typedef struct tiling {
    uint64_t each, across, down, count; /* tiles along columns and rows, and in all */
    double time;                        /* nanoseconds, about */
} tiling;

static bool fits_threads(const rp_op_matrix *m, uint64_t each, uint64_t threads) {
    uint64_t eights = MATMUL_DEPTH / 8;
    return 2 * each * m->m * eights % threads == 0 && 2 * each * m->n * eights % threads == 0;
}

static bool fits_memory(const rp_target *t, const rp_op_matrix *m, uint64_t each,
                        uint32_t subgroup) {
    uint64_t rows = 2 * each * m->m, columns = 2 * each * m->n;
    /* Either side may lie by its lines or by those of k; each line is 16 bytes longer. */
    uint64_t by_rows = (rows + columns) * (MATMUL_DEPTH * 2 + 16);
    uint64_t by_k = MATMUL_DEPTH * ((rows + columns) * 2 + 32);
    uint64_t sums = each * each * m->m * m->n / subgroup;
    uint64_t next = (rows + columns) * MATMUL_DEPTH / 2 / (4 * subgroup);
    return by_rows <= t->shared_bytes && by_k <= t->shared_bytes &&
           sums + next + 48 <= t->register_words;
}

/* A step of k costs its matrices, what comes out of the caches, and two barriers; a multiprocessor
 * that has one tile alone waits for all of them, one with several does the others meanwhile. */
static double time_of(const rp_target *t, const rp_op_matrix *m, const tiling *tile, uint64_t k) {
    double rate = t->matrix_f16_rate ? (double)t->matrix_f16_rate : 8 * (double)t->f32_rate;
    double units = (double)t->multiprocessors, each = (double)tile->each;
    double rows = 2 * each * m->m, columns = 2 * each * m->n;
    double sync = 2 * (double)t->sync_ns / 1000;
    double step = 2 * rows * columns * MATMUL_DEPTH / (rate / units) +
                  (rows + columns) * MATMUL_DEPTH * 2 / ((double)t->cache_rate / units) + sync;
    double alone = step + 3 * sync;
    double all = (double)ceil_div(tile->count, t->multiprocessors) * step;
    return (double)ceil_div(k, MATMUL_DEPTH) * (all > alone ? all : alone) * 1000;
}

static bool choose_tiling(const rp_op_call *call, const rp_target *t, tiling *out) {
    const rp_op_matrix *m = rp_op_find_matrix(t);
    uint32_t subgroup = rp_op_matrix_subgroup(t);
    bool found = false;
    if (!m || !subgroup) return false;
    for (uint64_t each = 1; each <= 4; each *= 2) {
        if (!fits_threads(m, each, 4 * subgroup) || !fits_memory(t, m, each, subgroup)) continue;
        tiling tile = {.each = each,
                       .across = ceil_div(rp_sym(call, 'N'), 2 * each * m->n),
                       .down = ceil_div(rp_sym(call, 'H'), 2 * each * m->m)};
        tile.count = rp_sym(call, 'G') * tile.across * tile.down;
        tile.time = time_of(t, m, &tile, rp_sym(call, 'K'));
        if (found && tile.time >= out->time) continue;
        *out = tile;
        found = true;
    }
    return found;
}

bool rp_op_matmul_matrices_fit(const rp_op_call *call, const rp_target *t) {
    const uint32_t blocks = RP_DT(RP_F16) | RP_DT_BLOCK;
    tiling tile;
    return call->operands[0].dtype == RP_F16 && (RP_DT(call->operands[1].dtype) & blocks) &&
           rp_sym(call, 'H') >= MATMUL_LEAST && rp_sym(call, 'N') >= MATMUL_LEAST &&
           rp_sym(call, 'K') >= MATMUL_LEAST && 4 * t->subgroup <= t->invocations &&
           choose_tiling(call, t, &tile);
}

static void bind(rp_op_call *call, char symbol, uint64_t value) {
    call->symbols[symbol - 'A'] = value;
}

void rp_op_matmul_matrices_bind(rp_op_call *call, const rp_target *t) {
    const rp_op_matrix *m = rp_op_find_matrix(t);
    tiling tile;
    if (!choose_tiling(call, t, &tile)) return;
    bind(call, 'C', m->m);
    bind(call, 'D', m->n);
    bind(call, 'F', m->k);
    bind(call, 'I', m->k);
    bind(call, 'U', tile.each);
    bind(call, 'X', tile.across);
    bind(call, 'Y', tile.down);
    bind(call, 'W', tile.count);
    bind(call, 'Z', rp_op_matrix_subgroup(t));
}

void rp_op_matmul_matrices_explain(const rp_op_call *call, const rp_target *t, rp_text *text) {
    tiling tile;
    if (!choose_tiling(call, t, &tile)) return;
    rp_text_format(text, "%llu tiles of %llu x %llu, %.2f us", (unsigned long long)tile.count,
                   (unsigned long long)(2 * tile.each * rp_sym(call, 'C')),
                   (unsigned long long)(2 * tile.each * rp_sym(call, 'D')), tile.time / 1000);
}
