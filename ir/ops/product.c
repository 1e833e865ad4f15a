/* Matrix products: the ways in which one is computed, how long each takes, about, and when k is cut
 * into parts.
 *
 * A variant's tiles are those of which the device is done first, by an estimate: how long the
 * multiprocessor with the most tiles is at them. Where tiles are few and k is deep, that multiprocessor
 * waits for its own loads and barriers most of the time; then workgroups for parts of k are faster,
 * although their sums have to be added afterwards. All of it is a question of shapes, dtypes and the
 * target alone. */
#include "ops/product.h"

#include "ops/matrices.h"

enum {
    COLUMN_LANES = 8, /* of a subgroup, in kernels/matmul/columns.glsl */
    PART_STEPS = 32,
};

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

void rp_product_bind_steps(rp_op_call *call, uint64_t parts) {
    if (parts > 1)
        rp_op_bind_count(call, 'O', "K", parts * PART_STEPS, PART_STEPS);
    else
        rp_op_bind_count(call, 'O', "K", 1, 1);
}

uint64_t rp_product_count(const rp_op_call *call) {
    return rp_sym(call, 'A') ? rp_sym(call, 'A') : 1;
}

/* What four results take, in barriers of a workgroup: on an H200 0.19 us, by tiles of all sizes. */
double rp_product_end_time(const rp_target *target, double results) {
    enum { FOUR_SYNCS = 6 };
    return results / 4 * FOUR_SYNCS * (double)target->sync_ns;
}

/* ---- Tiles ----------------------------------------------------------------------------------- */

/* A way to cut a product into tiles, for kernels/matmul/tiles.glsl: what a thread and what 32 of
 * them have, and so on. And which part of the arithmetic of a multiprocessor it reaches, in per cent,
 * when that has 1, 2, 3, 4 such tiles or more: measured on a large GPU, for small tiles with the time
 * that loads take in it (docs/benchmarks.md). Of one tile alone a few subgroups wait most of the time;
 * where two are at work at a time, three take as long as four. */
enum { FEW_TILES = 5 };

typedef struct tiling {
    uint8_t rows, columns;      /* of a thread */
    uint8_t down;               /* threads of 32 along rows, the others along columns */
    uint8_t blocks_y, blocks_x; /* of 32 threads, along rows and columns */
    uint8_t parts;              /* of k, each with such blocks */
    uint8_t depth;              /* k in a step */
    uint8_t reached[FEW_TILES];
} tiling;

static const tiling tilings[] = {
    {8, 8, 8, 2, 4, 1, 8, {70, 70, 70, 70, 70}},    /* 128 x 128 */
    {8, 4, 8, 1, 4, 1, 16, {39, 60, 46, 61, 59}},   /* 64 x 64 */
    {8, 4, 8, 1, 4, 1, 8, {28, 47, 58, 58, 54}},    /* the same in shorter steps */
    {4, 4, 8, 2, 3, 1, 32, {44, 44, 44, 45, 44}},   /* 64 x 48 */
    {4, 4, 8, 2, 2, 1, 32, {48, 42, 43, 42, 41}},   /* 64 x 32 */
    {4, 4, 8, 1, 2, 2, 32, {40, 34, 35, 36, 34}},   /* 32 x 32 */
    {4, 4, 8, 1, 1, 4, 16, {30, 31, 24, 23, 24}},   /* 32 x 16 */
    {2, 4, 8, 1, 1, 4, 16, {17, 20, 17, 19, 20}},   /* 16 x 16 */
    {1, 4, 16, 1, 1, 12, 16, {11, 11, 11, 11, 10}}, /* 16 x 8 */
    {1, 4, 16, 1, 1, 4, 16, {11, 14, 15, 15, 15}},  /* 16 x 8 in less memory */
};

enum { TILINGS = sizeof tilings / sizeof *tilings, TILE_LANES = 32, DOT = 4 };

static uint64_t tile_rows(const tiling *t) {
    return (uint64_t)t->blocks_y * t->down * t->rows;
}

static uint64_t tile_columns(const tiling *t) {
    return (uint64_t)t->blocks_x * (TILE_LANES / t->down) * t->columns;
}

static uint64_t tile_threads(const tiling *t) {
    return (uint64_t)TILE_LANES * t->blocks_y * t->blocks_x * t->parts;
}

/* Shared memory in words of 16 bytes: two halves for a and for b, with room behind each four k; or
 * the results of a round. */
static uint64_t tile_words(const tiling *t) {
    uint64_t rows = tile_rows(t), columns = tile_columns(t), room = 128u / t->depth;
    uint64_t half = t->depth / 4u * (4 * (rows + columns) + 2 * room) / 4;
    uint64_t round = rows / t->rows * (t->rows < 4 ? t->rows : 4) * columns / 4;
    return t->parts * (2 * half > round ? 2 * half : round);
}

static uint64_t count_tiles(const rp_op_call *call, const tiling *t) {
    return rp_product_count(call) * rp_sym(call, 'G') * ceil_div(rp_sym(call, 'H'), tile_rows(t)) *
           ceil_div(rp_sym(call, 'N'), tile_columns(t));
}

static bool has_dots(const rp_op_call *call) {
    return call->variant && (call->variant->needs & RP_NEED_INT_DOT);
}

/* Operations a microsecond. */
static double rate_of(const rp_op_call *call, const rp_target *target) {
    return (double)(has_dots(call) ? target->i8_rate : target->f32_rate);
}

/* How long the multiprocessor with the most tiles is at them, in nanoseconds. */
static double tiling_time(const rp_op_call *call, const rp_target *target, const tiling *t) {
    uint64_t each = ceil_div(count_tiles(call, t), target->multiprocessors);
    uint64_t turn = 2u * t->depth * t->parts, width = has_dots(call) ? DOT : 1;
    double steps = (double)(ceil_div(rp_sym(call, 'O'), turn * width) * turn * width);
    double work = 2 * (double)tile_rows(t) * (double)tile_columns(t) * steps;
    double reached = t->reached[each < FEW_TILES ? each - 1 : FEW_TILES - 1] / 100.0;
    double rate = rate_of(call, target) / (double)target->multiprocessors * reached;
    double results = (double)t->rows * t->columns / t->parts;
    return (double)each * (work / rate * 1000 + rp_product_end_time(target, results));
}

static const tiling *choose_tiling(const rp_op_call *call, const rp_target *target) {
    const tiling *best = &tilings[TILINGS - 1];
    for (uint32_t i = TILINGS - 1; i--;) {
        const tiling *t = &tilings[i];
        if (tile_threads(t) > target->invocations || tile_words(t) * 16 > target->shared_bytes)
            continue;
        if (tiling_time(call, target, t) < tiling_time(call, target, best)) best = t;
    }
    return best;
}

static double time_tiles(const rp_op_call *call, const rp_target *target) {
    return tiling_time(call, target, choose_tiling(call, target));
}

void rp_product_bind_grid(rp_op_call *call, uint64_t rows, uint64_t columns) {
    rp_op_bind_count(call, 'X', "N", columns, 1);
    rp_op_bind_count(call, 'Y', "H", rows, 1);
    rp_op_bind_count(call, 'W', rp_sym(call, 'A') ? "AGXY" : "GXY", 1, 1);
}

static void bind_tiles(rp_op_call *call, const rp_target *target) {
    const tiling *t = choose_tiling(call, target);
    rp_op_bind(call, 'U', t->rows);
    rp_op_bind(call, 'V', t->columns);
    rp_op_bind(call, 'L', t->down);
    rp_op_bind(call, 'I', t->blocks_y);
    rp_op_bind(call, 'J', t->blocks_x);
    rp_op_bind(call, 'C', t->parts);
    rp_op_bind(call, 'D', t->depth);
    rp_op_bind(call, 'T', tile_words(t));
    rp_product_bind_grid(call, tile_rows(t), tile_columns(t));
}

/* Words of four i8 are what tiles of them are made of. */
static bool fits_dots(const rp_op_call *call, const rp_target *target) {
    (void)target;
    return call->operands[0].dtype == RP_I8;
}

static void explain_tiles(const rp_op_call *call, const rp_target *target, rp_text *text) {
    const tiling *t = choose_tiling(call, target);
    rp_text_format(text, "%llu tiles of %llu x %llu for %llu multiprocessors",
                   (unsigned long long)count_tiles(call, t), (unsigned long long)tile_rows(t),
                   (unsigned long long)tile_columns(t),
                   (unsigned long long)target->multiprocessors);
    if (t->parts > 1) rp_text_format(text, ", k in %u parts", t->parts);
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

/* For kernels/matmul/blocks.glsl: threads along rows, what a thread has of rows and columns, and blocks of k
 * in shared memory at a time. A few rows have all threads along the columns. */
enum { BLOCK_THREADS = 128, BLOCK_ROWS = 8, BLOCK_DOWN = 8, BLOCK_COLUMNS = 4, BLOCK_DEPTH = 4 };

static bool fits_blocks(const rp_op_call *call, const rp_target *target) {
    enum { TRANSPOSE_A, TRANSPOSE_B };
    (void)target;
    return call->operands[0].dtype == RP_Q8_0 && call->operands[1].dtype == RP_Q8_0 &&
           call->attrs[TRANSPOSE_A] == 0 && call->attrs[TRANSPOSE_B] != 0;
}

static void bind_blocks(rp_op_call *call, const rp_target *target) {
    uint64_t rows = rp_sym(call, 'H'), each = 1;
    bool few = rows <= BLOCK_ROWS;
    (void)target;
    while (each < BLOCK_ROWS && each < rows) each *= 2;
    uint64_t down = few ? 1 : BLOCK_DOWN, across = few ? 1 : BLOCK_COLUMNS;
    rp_op_bind(call, 'L', down);
    rp_op_bind(call, 'U', each);
    rp_op_bind(call, 'V', across);
    rp_op_bind(call, 'D', BLOCK_DEPTH);
    rp_product_bind_grid(call, down * each, BLOCK_THREADS / down * across);
}

/* What the loads of a turn, and the products of a block, take in loops. */
static double block_turns(const rp_op_call *call) {
    return (double)rp_sym(call, 'K') / 32 * (8 * 32 + 2 * 32 + 20) + 64;
}

/* ---- Columns --------------------------------------------------------------------------------- */

/* Whether a subgroup is the vector of a processor's core: then staging gains nothing. */
static bool fits_columns(const rp_op_call *call, const rp_target *target) {
    (void)call;
    return target->subgroup == COLUMN_LANES && !rp_target_stages(target);
}

/* Four k a turn, then the stores of at most 16 x 8 sums. */
static double column_turns(const rp_op_call *call) {
    return (double)rp_sym(call, 'K') / 4 + 160;
}

/* 16 rows at a time unless 8 are fewer in all, of which one costs a fifth more; 8 columns a lane
 * unless that leaves cores idle. */
static void bind_columns(rp_op_call *call, const rp_target *target) {
    uint64_t rows = rp_sym(call, 'H'), few = ceil_div(rows, 8) * 8, many = ceil_div(rows, 16) * 16;
    uint64_t u = 6 * few < 5 * many ? 8 : 16, v = 8;
    rp_product_bind_grid(call, u, v * COLUMN_LANES);
    if (rp_sym(call, 'W') < target->multiprocessors)
        rp_product_bind_grid(call, u, (v = 4) * COLUMN_LANES);
    rp_op_bind(call, 'U', u);
    rp_op_bind(call, 'V', v);
}

static void explain_columns(const rp_op_call *call, const rp_target *target, rp_text *text) {
    (void)target;
    rp_text_format(text, "%llu tiles of %llu x %llu", (unsigned long long)rp_sym(call, 'W'),
                   (unsigned long long)rp_sym(call, 'U'),
                   (unsigned long long)rp_sym(call, 'V') * COLUMN_LANES);
}

/* ---- Variants -------------------------------------------------------------------------------- */

/* What both ops have. A variant of theirs reads all of a for each column of tiles, all of b for each
 * row. */
#define PRODUCT(name_, text_, sites_, out_)                                                        \
    .name = name_, .text = text_, .groups = "W", .sized = "*", .sites = {sites_, sites_, out_},    \
    .reads = {"BPQX", "GRSY"}
#define MATRICES(needs_, fits_)                                                                    \
    .source = "matmul/matrices", .needs = needs_, .fits = fits_,                                   \
    .why = "tiles through shared memory, multiplied by cooperative matrices",                      \
    .bind = rp_op_matmul_matrices_bind, .time = rp_op_matmul_matrices_time,                        \
    .explain = rp_op_matmul_matrices_explain
#define HALF_MATRICES                                                                              \
    {                                                                                              \
        PRODUCT("matrices", 900, 18, 5), MATRICES(RP_OP_MATRIX_NEEDS, rp_op_matmul_matrices_fit),  \
            .when = "a of f16, b of f16 or blocks, rows for two matrices, 16 columns and steps "   \
                    "or more, on a target with cooperative matrices of f16 and sums of f32"        \
    }
#define BYTE_MATRICES                                                                              \
    {                                                                                              \
        PRODUCT("matrices_i8", 900, 34, 5),                                                        \
            MATRICES(RP_OP_BYTE_MATRIX_NEEDS, rp_op_matmul_bytes_fit),                             \
            .when = "a and b of i8, 16 rows, columns and steps or more, on a target with "         \
                    "cooperative matrices of 16 x 16 sums in i32"                                  \
    }
#define TILES                                                                                      \
    .source = "matmul/tiles", .bind = bind_tiles, .time = time_tiles, .explain = explain_tiles
#define DOTS                                                                                       \
    {                                                                                              \
        PRODUCT("dots", 900, 44, 5), TILES, .needs = RP_NEED_INT_DOT | RP_NEED_STORAGE8,           \
                                            .fits = fits_dots,                                     \
                                            .when = "a and b of i8, on a target with integer dot " \
                                                    "products",                                    \
                                            .why = "as tiles, of words of four i8 along k"         \
    }

#define BLOCKS(name_, needs_, when_)                                                               \
    {                                                                                              \
        PRODUCT(name_, 500, 1, 1), .source = "matmul/blocks", .needs = needs_,                     \
                                   .threads = BLOCK_THREADS, .fits = fits_blocks,                  \
                                   .turns = block_turns, .bind = bind_blocks, .when = when_,       \
                                   .why = "the products of two blocks are added up as integers"    \
    }

const rp_op_variant rp_product_variants[] = {
    BLOCKS(
        "block_dots", RP_NEED_INT_DOT,
        "a and b of q8_0, with transpose_b and without transpose_a, on a target with integer dot "
        "products"),
    BLOCKS("blocks", 0, "a and b of q8_0, with transpose_b and without transpose_a"),
    HALF_MATRICES,
    BYTE_MATRICES,
    {
        PRODUCT("columns", 700, 5, 1),
        .when = "subgroups of 8 lanes, and shared memory that is no faster than caches: a "
                "processor's vectors",
        .why = "no barrier, few loads: a lane has some columns of 8 or 16 rows, and what all lanes "
               "need comes from the one that loaded it",
        .threads = COLUMN_LANES,
        .fits = fits_columns,
        .turns = column_turns,
        .bind = bind_columns,
        .explain = explain_columns,
    },
    DOTS,
    {
        PRODUCT("tiles", 700, 10, 5),
        TILES,
        .when = "always",
        .why = "tiles through shared memory, up to 8 x 8 sums a thread in registers; 16 x 8 to 128 "
               "x 128 by what keeps all multiprocessors busy, with k in parts where tiles are few",
    },
    {0},
};

const rp_op_variant rp_product_partial_variants[] = {
    HALF_MATRICES,
    BYTE_MATRICES,
    DOTS,
    {
        PRODUCT("tiles", 700, 10, 5),
        TILES,
        .when = "always",
        .why = "as matmul, with tiles for each part of k",
    },
    {0},
};

/* ---- Parts ----------------------------------------------------------------------------------- */

/* The call of matmul over so many parts of k, its kernel chosen; `call` may be in parts itself. */
static rp_op_call in_parts(const rp_op_call *call, const rp_target *t, uint64_t parts) {
    rp_op_call out = *call;
    const char *op = parts > 1 ? "matmul_partial" : "matmul";
    out.op = rp_op_find(op, strlen(op));
    out.bound &= ~(UINT32_C(1) << ('A' - 'A')); /* matmul has none */
    out.symbols['A' - 'A'] = 0;
    if (parts > 1) rp_op_bind(&out, 'A', parts);
    rp_product_bind_steps(&out, parts);
    rp_op_choose(&out, t);
    return out;
}

/* What a barrier and the start of the sum take on an H200, in barriers of dispatches that do nothing: 2.1
 * to 3.6 us in all. */
static const double SUM_BARRIERS = 1.25;

/* Nanoseconds until the sums of all parts are there; 0: nobody knows. */
static double time_in_parts(const rp_op_call *call, const rp_target *t, uint64_t parts) {
    const rp_op_call one = in_parts(call, t, parts);
    if (!one.variant->time) return 0;
    double time = one.variant->time(&one, t);
    if (parts == 1) return time;
    double elements = rp_op_product(call, "BMN");
    double sum = elements * 4 * (double)(parts + 1) / (double)t->cache_rate * 1000;
    return time + SUM_BARRIERS * (double)t->barrier_ns + sum;
}

static bool allows_parts(const rp_op_call *call, uint64_t parts) {
    enum { LEAST_STEPS = 128 };
    return parts <= RP_PRODUCT_MOST_PARTS && parts * LEAST_STEPS <= rp_sym(call, 'K') &&
           rp_op_product(call, "BMN") * (double)parts <= (double)UINT32_MAX;
}

/* More parts have to be worth it: figures are not as good as to tell apart what is nearly the same. */
static const double WORTH = 0.97;

uint64_t rp_product_parts(const rp_op_call *call, const rp_target *t) {
    uint64_t best = 1;
    /* Of a device of which not even the subgroup is known, one kernel is right everywhere. */
    if (strcmp(call->op->name, "matmul") != 0 || !t->subgroup) return 1;
    double least = time_in_parts(call, t, 1);
    for (uint64_t parts = 2; least > 0 && allows_parts(call, parts); parts *= 2) {
        double time = time_in_parts(call, t, parts);
        if (time >= least * WORTH) continue;
        least = time;
        best = parts;
    }
    return best;
}

bool rp_product_explain_parts(const rp_op_call *call, const rp_target *t, const char *before,
                              rp_text *text) {
    bool product = strcmp(call->op->name, "matmul") == 0, part = !product;
    if (part && strcmp(call->op->name, "matmul_partial") != 0) return false;
    if (!t->subgroup || time_in_parts(call, t, 1) <= 0 || !allows_parts(call, 2)) return false;
    rp_text_string(text, before);
    rp_text_format(text, "whole about %.1f us; in parts of k, with their sum",
                   time_in_parts(call, t, 1) / 1000);
    for (uint64_t parts = 2; allows_parts(call, parts); parts *= 2)
        rp_text_format(text, "%s %llu: %.1f us", parts > 2 ? "," : "", (unsigned long long)parts,
                       time_in_parts(call, t, parts) / 1000);
    return true;
}
