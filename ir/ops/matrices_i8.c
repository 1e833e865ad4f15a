/* Cooperative matrices of i8: when matmul/matrices_i8 fits, and how large its tiles are. Sums are
 * exact, so what it computes is what every other variant does; only speed decides. */
#include "ops/matrices.h"

enum { DEPTH = 128, LEAST = 16 };

/* Sides are cut into sixteens of bytes, so a matrix has that many rows and columns. */
static const rp_op_matrix shapes[] = {
#define RP_X(symbol, bit, name, m, n, k, factor, sum) {symbol, m, n, k, factor, sum},
    RP_MATRIX_SHAPE_LIST(RP_X)
#undef RP_X
};

static const rp_op_matrix *find_matrix(const rp_target *t) {
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if ((t->matrix_shapes & shapes[i].bit) && shapes[i].factor == RP_I8 &&
            shapes[i].sum == RP_I32 && shapes[i].m == 16 && shapes[i].n == 16)
            return &shapes[i];
    return NULL;
}

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

/* A tile of 2 x 2 subgroups with `each` x `each` matrices. */
typedef struct tiling {
    uint64_t each, across, down, count; /* tiles along columns and rows, and in all */
    double time;                        /* nanoseconds, about */
} tiling;

static bool has_room(const rp_target *t, const rp_op_matrix *m, uint64_t each, uint64_t subgroup) {
    uint64_t edges = 2 * each * (m->m + m->n);
    uint64_t by_lines = edges * (DEPTH + 16), by_k = DEPTH * (edges + 32); /* of either side */
    uint64_t sums = each * each * m->m * m->n / subgroup;
    uint64_t next = edges * DEPTH / 4 / (4 * subgroup);
    return by_lines <= t->shared_bytes && by_k <= t->shared_bytes &&
           2 * each * m->m * DEPTH / 16 % (4 * subgroup) == 0 &&
           sums + next + 48 <= t->register_words;
}

/* A step of k costs its matrices, what comes out of the caches, and two barriers; a multiprocessor
 * that has one tile alone waits for all of them, one with several does the others meanwhile. */
static double time_of(const rp_target *t, const rp_op_matrix *m, const tiling *tile, uint64_t k) {
    double rate = t->matrix_i8_rate ? (double)t->matrix_i8_rate : 8 * (double)t->i8_rate;
    double units = (double)t->multiprocessors, each = (double)tile->each;
    double rows = 2 * each * m->m, columns = 2 * each * m->n;
    double sync = 2 * (double)t->sync_ns / 1000;
    double step = 2 * rows * columns * DEPTH / (rate / units) +
                  (rows + columns) * DEPTH / ((double)t->cache_rate / units) + sync;
    double alone = step + 3 * sync;
    double all = (double)ceil_div(tile->count, t->multiprocessors) * step;
    return (double)ceil_div(k, DEPTH) * (all > alone ? all : alone) * 1000;
}

static bool choose_tiling(const rp_op_call *call, const rp_target *t, tiling *out) {
    const rp_op_matrix *m = find_matrix(t);
    uint32_t subgroup = rp_op_matrix_subgroup(t);
    bool found = false;
    if (!m || !subgroup) return false;
    for (uint64_t each = 1; each <= 4; each *= 2) {
        if (!has_room(t, m, each, subgroup)) continue;
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

bool rp_op_matmul_bytes_fit(const rp_op_call *call, const rp_target *t) {
    tiling tile;
    return call->operands[0].dtype == RP_I8 && rp_sym(call, 'H') >= LEAST &&
           rp_sym(call, 'N') >= LEAST && rp_sym(call, 'K') >= LEAST &&
           4 * t->subgroup <= t->invocations && choose_tiling(call, t, &tile);
}

static void bind(rp_op_call *call, char symbol, uint64_t value) {
    call->symbols[symbol - 'A'] = value;
}

void rp_op_matmul_bytes_bind(rp_op_call *call, const rp_target *t) {
    const rp_op_matrix *m = find_matrix(t);
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

void rp_op_matmul_bytes_explain(const rp_op_call *call, const rp_target *t, rp_text *text) {
    tiling tile;
    if (!choose_tiling(call, t, &tile)) return;
    rp_text_format(text, "%llu tiles of %llu x %llu, %.2f us", (unsigned long long)tile.count,
                   (unsigned long long)(2 * tile.each * rp_sym(call, 'C')),
                   (unsigned long long)(2 * tile.each * rp_sym(call, 'D')), tile.time / 1000);
}
