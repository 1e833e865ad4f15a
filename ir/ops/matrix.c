/* Family matrix: products with matrices.
 *
 * matvec is for few vectors: it reads each weight once, and what counts is how fast that goes. Its
 * kernel is made by compiler/lower/matvec.c, since siblings over one input share a dispatch.
 * matmul is for many rows: tiles, with their sums in registers (kernels/matmul).
 *
 * Either adds up in f32 with fma, in an order that depends on shapes, dtypes and the target alone;
 * products of i8 in i32, in any order. */
#include "base/checked.h"
#include "ops/matrices.h"
#include "ops/tables.h"
#include "target/target.h"

enum {
    DT_WEIGHT = RP_DT_FLOAT | RP_DT_BLOCK,
    COLUMN_LANES = 8, /* of a subgroup, in kernels/matmul/columns.glsl */
    PART_STEPS = 32,
    MOST_PARTS = 64,
};

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

static void bind(rp_op_call *call, char symbol, uint64_t value) {
    call->symbols[symbol - 'A'] = value;
}

/* ---- matvec ---------------------------------------------------------------------------------- */

static bool rule_matvec(rp_op_call *call) {
    uint64_t vectors = rp_sym(call, 'B');
    if (vectors > RP_OP_PRODUCT_VECTORS)
        return rp_op_fail(call, "x has %llu vectors; at most %d are possible, matmul takes more",
                          (unsigned long long)vectors, RP_OP_PRODUCT_VECTORS);
    bind(call, 'W', ceil_div(rp_sym(call, 'M'), RP_OP_PRODUCT_ROWS));
    return true;
}

/* By where x comes from and how weights lie in memory; a sum's order depends on the second alone.
 * compiler/lower/matvec.c chooses. */
static const rp_op_variant matvec_variants[] = {
    {.name = "direct",
     .when = "x is f32 in memory, 16 bytes aligned like all rows, and does not fit workgroup "
             "memory, or "
             "that is no faster than caches",
     .why = "reads x through the caches: no barrier"},
    {.name = "staged",
     .when = "all of x fits workgroup memory as f32",
     .why =
         "brings or computes x once for a workgroup, into shared memory, while the first weights "
         "are loaded; workgroups are as many as multiprocessors"},
    {.name = "tiled",
     .when = "x is computed in the kernel, f16 or bf16, and does not fit",
     .why = "computes x in parts of at least 512 columns, with two barriers each"},
    {.name = "words",
     .when = "a weight of q8_0 or q4_0 whose rows start at multiples of 16 bytes, as with a K that "
             "is a multiple of 256, where all of x fits shared memory",
     .why = "loads 16 bytes of blocks at once, wherever blocks begin; x lies in shared memory as "
            "they meet it; 16 lanes have a row, or 32 where rows are few"},
    {.name = "narrow",
     .when = "a weight of f32, f16 or bf16 whose rows do not start at multiples of 16 bytes",
     .why = "loads one weight at a time; give weights a K that is a multiple of 8 to avoid it"},
    {0},
};

/* ---- matmul ---------------------------------------------------------------------------------- */

/* Floats with floats, or i8 with i8 into i32; an output of RP_RAW is about to be inferred. */
static bool check_classes(rp_op_call *call) {
    uint8_t a = call->operands[0].dtype, b = call->operands[1].dtype, out = call->operands[2].dtype;
    if ((a == RP_I8) != (b == RP_I8))
        return rp_op_fail(call, "a is %s and b is %s; i8 is multiplied with i8", rp_dtype_name(a),
                          rp_dtype_name(b));
    if (a == RP_I8 && (RP_DT(out) & RP_DT_FLOAT))
        return rp_op_fail(call, "out is %s; products of i8 are i32", rp_dtype_name(out));
    if (a != RP_I8 && out == RP_I32)
        return rp_op_fail(call, "out is i32, and a is %s; only products of i8 are i32",
                          rp_dtype_name(a));
    return true;
}

/* Operands' shapes are given as they lie in memory; here M, K and N get their meaning. */
static bool rule_matmul(rp_op_call *call) {
    if (!check_classes(call)) return false;
    bool turn_a = call->attrs[0] != 0, turn_b = call->attrs[1] != 0;
    uint64_t batches = rp_sym(call, 'B'), shared = rp_sym(call, 'E'), elements;
    uint64_t m = rp_sym(call, turn_a ? 'Q' : 'P'), k = rp_sym(call, turn_a ? 'P' : 'Q');
    uint64_t n = rp_sym(call, turn_b ? 'R' : 'S'), k_b = rp_sym(call, turn_b ? 'S' : 'R');
    if (k != k_b)
        return rp_op_fail(call,
                          "a has matrices of %llu x %llu%s and b of %llu x %llu%s: %llu columns "
                          "cannot meet %llu rows",
                          (unsigned long long)m, (unsigned long long)k,
                          turn_a ? " (transposed)" : "", (unsigned long long)k_b,
                          (unsigned long long)n, turn_b ? " (transposed)" : "",
                          (unsigned long long)k, (unsigned long long)k_b);
    if (shared != 1 && shared != batches)
        return rp_op_fail(call, "a has %llu matrices and b has %llu, expected 1 or as many",
                          (unsigned long long)batches, (unsigned long long)shared);
    if (!rp_mul_u64(batches, m, &elements) || !rp_mul_u64(elements, n, &elements) ||
        elements > UINT32_MAX)
        return rp_op_fail(call, "out would have more than 2^32 elements");
    bind(call, 'M', m);
    bind(call, 'K', k);
    bind(call, 'N', n);
    /* Where all of a meets one b, it is one tall matrix. */
    bool tall = shared == 1 && !turn_a;
    bind(call, 'G', tall ? 1 : batches);
    bind(call, 'H', tall ? batches * m : m);
    bind(call, 'O', k);
    return true;
}

/* Steps of k are multiples of 32, which all loads are whole in. */
static uint64_t part_steps(uint64_t k, uint64_t parts) {
    return ceil_div(ceil_div(k, parts), PART_STEPS) * PART_STEPS;
}

/* Binds O, the steps of k of a part. */
static bool rule_matmul_partial(rp_op_call *call) {
    uint64_t elements, parts = rp_sym(call, 'A');
    if (!rule_matmul(call)) return false;
    bind(call, 'O', part_steps(rp_sym(call, 'K'), parts));
    if (rp_mul_u64(rp_sym(call, 'B') * rp_sym(call, 'M'), rp_sym(call, 'N') * parts, &elements) &&
        elements <= UINT32_MAX)
        return true;
    return rp_op_fail(call, "out would have more than 2^32 elements");
}

/* A way to cut a product into tiles, for kernels/matmul/tiles.glsl: what a thread and what 32 of
 * them have, and so on. And which part of the arithmetic of a multiprocessor it reaches, in per
 * cent, where that has one workgroup at a time and where it has many: measured on large GPUs, for
 * small tiles with the time that loads take in it (docs/benchmarks.md). */
typedef struct tiling {
    uint8_t rows, columns;       /* of a thread */
    uint8_t down;                /* threads of 32 along rows, the others along columns */
    uint8_t blocks_y, blocks_x;  /* of 32 threads, along rows and columns */
    uint8_t parts;               /* of k, each with such blocks */
    uint8_t depth;               /* k in a step */
    uint8_t rate_few, rate_many; /* with up to 4 tiles for each multiprocessor, and more */
} tiling;

static const tiling tilings[] = {
    {8, 8, 8, 2, 4, 1, 8, 74, 74},    /* 128 x 128 */
    {8, 4, 8, 1, 4, 1, 16, 53, 64},   /* 64 x 64 */
    {8, 4, 8, 1, 4, 1, 8, 58, 54},    /* the same in shorter steps */
    {4, 4, 8, 2, 3, 1, 32, 45, 45},   /* 64 x 48 */
    {4, 4, 8, 2, 2, 1, 32, 48, 48},   /* 64 x 32 */
    {4, 4, 8, 1, 2, 2, 32, 41, 41},   /* 32 x 32 */
    {4, 4, 8, 1, 1, 4, 16, 30, 30},   /* 32 x 16 */
    {2, 4, 8, 1, 1, 4, 16, 16, 16},   /* 16 x 16 */
    {1, 4, 16, 1, 1, 12, 16, 11, 11}, /* 16 x 8 */
    {1, 4, 16, 1, 1, 4, 16, 10, 10},  /* 16 x 8 in less memory */
};

enum { TILINGS = sizeof tilings / sizeof *tilings, TILE_LANES = 32, FEW_TILES = 4 };

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

/* Products, each over a part of k. */
static uint64_t count_parts(const rp_op_call *call) {
    return rp_sym(call, 'A') ? rp_sym(call, 'A') : 1;
}

static uint64_t count_tiles(const rp_op_call *call, const tiling *t) {
    return count_parts(call) * rp_sym(call, 'G') * ceil_div(rp_sym(call, 'H'), tile_rows(t)) *
           ceil_div(rp_sym(call, 'N'), tile_columns(t));
}

/* How long the multiprocessor with the most tiles is at them, in no unit. */
static double tiling_time(const rp_op_call *call, const rp_target *target, const tiling *t) {
    uint64_t each = ceil_div(count_tiles(call, t), target->multiprocessors);
    uint64_t turn = 2u * t->depth * t->parts;
    double work = (double)tile_rows(t) * (double)tile_columns(t) *
                  (double)(ceil_div(rp_sym(call, 'O'), turn) * turn);
    return (double)each * work / (each > FEW_TILES ? t->rate_many : t->rate_few);
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

/* Binds X and Y, the tiles along columns and rows, and W, all of them. */
static void bind_grid(rp_op_call *call, uint64_t rows, uint64_t columns) {
    uint64_t x = ceil_div(rp_sym(call, 'N'), columns), y = ceil_div(rp_sym(call, 'H'), rows);
    bind(call, 'X', x);
    bind(call, 'Y', y);
    bind(call, 'W', count_parts(call) * rp_sym(call, 'G') * x * y);
}

static void bind_tiling(rp_op_call *call, const tiling *t) {
    bind(call, 'U', t->rows);
    bind(call, 'V', t->columns);
    bind(call, 'L', t->down);
    bind(call, 'I', t->blocks_y);
    bind(call, 'J', t->blocks_x);
    bind(call, 'C', t->parts);
    bind(call, 'D', t->depth);
    bind(call, 'T', tile_words(t));
    bind_grid(call, tile_rows(t), tile_columns(t));
}

static void bind_tiles(rp_op_call *call, const rp_target *target) {
    if (!rp_sym(call, 'A')) bind(call, 'O', rp_sym(call, 'K'));
    bind_tiling(call, choose_tiling(call, target));
}

static void bind_dots(rp_op_call *call, const rp_target *target) {
    bind(call, 'O', ceil_div(rp_sym(call, 'K'), 4));
    bind_tiling(call, choose_tiling(call, target));
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

/* Products of few rows with a deep k, in parts of k that are added afterwards: where there are so few
 * tiles of middle size that each part has one for each multiprocessor, and all its parts are deep.
 * Adding costs a barrier, and 2 us on an H200, unless it is done where the next op reads. There four
 * parts took 60 to 98 % of the time for 16 to 256 rows, 384 to 1024 columns and 1536 to 4096 steps;
 * outside of that 68 to 146 % (docs/benchmarks.md). Of a device of which not even the subgroup is
 * known, one kernel is right everywhere. */
uint64_t rp_op_matmul_parts(const rp_op_call *call, const rp_target *t) {
    enum { PARTS = 4, STEPS = 384, ROWS = 64, COLUMNS = 48 };
    rp_op_call whole = *call;
    if (strcmp(call->op->name, "matmul") != 0 || call->operands[0].dtype == RP_I8) return 1;
    rp_op_choose(&whole, t);
    if (strcmp(whole.variant->name, "tiles") != 0 || !t->subgroup) return 1;
    uint64_t tiles = rp_sym(call, 'G') * ceil_div(rp_sym(call, 'H'), ROWS) *
                     ceil_div(rp_sym(call, 'N'), COLUMNS);
    bool few = PARTS * tiles <= t->multiprocessors, deep = rp_sym(call, 'K') >= PARTS * STEPS;
    return few && deep ? PARTS : 1;
}

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
    bind_grid(call, u, v * COLUMN_LANES);
    if (rp_sym(call, 'W') < target->multiprocessors) bind_grid(call, u, (v = 4) * COLUMN_LANES);
    bind(call, 'U', u);
    bind(call, 'V', v);
}

static void explain_columns(const rp_op_call *call, const rp_target *target, rp_text *text) {
    (void)target;
    rp_text_format(text, "%llu tiles of %llu x %llu", (unsigned long long)rp_sym(call, 'W'),
                   (unsigned long long)rp_sym(call, 'U'),
                   (unsigned long long)rp_sym(call, 'V') * COLUMN_LANES);
}

static const rp_op_variant matmul_variants[] = {
    {
        .name = "matrices",
        .when =
            "a of f16, b of f16 or blocks, rows for two matrices, 16 columns and steps or more, "
            "on a target with cooperative matrices of f16 and sums of f32",
        .why = "tiles through shared memory, multiplied by cooperative matrices",
        .text = 900,
        .groups = "W",
        .needs = RP_OP_MATRIX_NEEDS,
        .sites = {18, 18, 5},
        .reads = {"BPQX", "GRSY"},
        .fits = rp_op_matmul_matrices_fit,
        .bind = rp_op_matmul_matrices_bind,
        .explain = rp_op_matmul_matrices_explain,
    },
    {
        .name = "matrices_i8",
        .when = "a and b of i8, 16 rows, columns and steps or more, on a target with cooperative "
                "matrices of 16 x 16 sums in i32",
        .why = "tiles through shared memory, multiplied by cooperative matrices; exact, as all are",
        .text = 900,
        .threads = 128,
        .groups = "W",
        .needs = RP_OP_BYTE_MATRIX_NEEDS,
        .sites = {34, 34, 5},
        .reads = {"BPQX", "GRSY"},
        .fits = rp_op_matmul_bytes_fit,
        .bind = rp_op_matmul_bytes_bind,
        .explain = rp_op_matmul_bytes_explain,
    },
    {
        .name = "columns",
        .when = "subgroups of 8 lanes, and shared memory that is no faster than caches: a "
                "processor's vectors",
        .why = "no barrier, few loads: a lane has some columns of 8 or 16 rows, and what all lanes "
               "need comes from the one that loaded it",
        .text = 700,
        .threads = COLUMN_LANES,
        .groups = "W",
        .sites = {5, 5, 1},
        .reads = {"BPQX", "GRSY"},
        .fits = fits_columns,
        .turns = column_turns,
        .bind = bind_columns,
        .explain = explain_columns,
    },
    {
        .name = "dots",
        .source = "matmul/tiles",
        .when = "a and b of i8, on a target with integer dot products",
        .why = "as tiles, of words of four i8 along k",
        .text = 900,
        .groups = "W",
        .needs = RP_NEED_INT_DOT | RP_NEED_STORAGE8,
        .sites = {44, 44, 5},
        .reads = {"BPQX", "GRSY"},
        .fits = fits_dots,
        .bind = bind_dots,
        .explain = explain_tiles,
    },
    {
        .name = "tiles",
        .when = "always",
        .why = "tiles through shared memory, up to 8 x 8 sums a thread in registers; 16 x 8 to 128 "
               "x 128 by what keeps all multiprocessors busy, with k in parts where tiles are few",
        .text = 700,
        .groups = "W",
        .sites = {10, 10, 5},
        .reads = {"BPQX", "GRSY"},
        .bind = bind_tiles,
        .explain = explain_tiles,
    },
    {0},
};

static const rp_op_variant partial_variants[] = {
    {
        .name = "tiles",
        .source = "matmul/tiles",
        .when = "always",
        .why = "as matmul, with tiles for each part of k",
        .text = 700,
        .groups = "W",
        .sites = {10, 10, 5},
        .reads = {"BPQX", "GRSY"},
        .bind = bind_tiles,
        .explain = explain_tiles,
    },
    {0},
};

/* ---- The table ------------------------------------------------------------------------------- */

#define SUMS                                                                                       \
    "Products are added up in f32 with fma, which a device may round once or twice. Infinities "   \
    "and NaN spread as in IEEE 754; a device may take denormals of f32 as zeros. Blocks of q8_0 "  \
    "and q4_0 are unpacked exactly."

const rp_op rp_ops_matrix[] = {
    {
        .name = "matvec",
        .family = "matrix",
        .brief = "a matrix times a vector, or up to 8 vectors",
        .notes = "out[b, m] is the sum over k of x[b, k] * weight[m, k]. " SUMS
                 " The order of the sum depends on M and K, on the weight's dtype, on whether the "
                 "weight begins at a multiple of 16 bytes, on the target's multiprocessors and "
                 "shared memory, and on the device's subgroup size.",
        .form = RP_OP_KERNEL,
        .product = true,
        .operand_count = 3,
        .operands = {{.name = "x",
                      .brief = "the vectors",
                      .shape = "*B K",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .hook = true,
                      .reads = "BKW"},
                     {.name = "weight",
                      .brief = "the matrix, a row for each element of the result",
                      .shape = "M K",
                      .dtypes = DT_WEIGHT,
                      .at = RP_AT_ANY,
                      .reads = "MK"},
                     {.name = "out",
                      .brief = "the products",
                      .shape = "*B M",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE,
                      .hook = true,
                      .like = "x"}},
        .length = "K",
        .variants = matvec_variants,
        .flops = 2,
        .rule = rule_matvec,
    },
    {
        .name = "matmul",
        .family = "matrix",
        .brief = "matrix products, batched, of operands as they are or transposed",
        .notes =
            "out[b, m, n] is the sum over k of a[b, m, k] * b[b, k, n], in the order of k, "
            "or in parts of k that are added in their order: shapes and the target decide. "
            "With `transpose_a` a is [B, K, M], with `transpose_b` b is [B, N, K], as weights "
            "usually are. b may be one matrix for all of a's. " SUMS
            " With cooperative matrices the order is the device's, which may cut off what it "
            "aligns away, and blocks are unpacked to the nearest f16, so that each product may be "
            "off by 2^-11 of itself; they multiply f16, so bf16 is computed in f32 as f32 is. "
            "Products of i8 are i32: exact, modulo 2^32, as a sum may wrap where K is more than "
            "2^17.",
        .form = RP_OP_KERNEL,
        .operand_count = 3,
        .attr_count = 2,
        .operands = {{.name = "a",
                      .brief = "the left matrices",
                      .shape = "*B P Q",
                      .dtypes = RP_DT_FLOAT | RP_DT(RP_I8),
                      .at = RP_AT_ANY,
                      .hook = true},
                     {.name = "b",
                      .brief = "the right ones, as many, or one",
                      .shape = "*E R S",
                      .dtypes = DT_WEIGHT | RP_DT(RP_I8),
                      .at = RP_AT_ANY,
                      .hook = true},
                     {.name = "out",
                      .brief = "the products",
                      .shape = "*B M N",
                      .dtypes = RP_DT_FLOAT | RP_DT(RP_I32),
                      .access = RP_WRITE,
                      .hook = true,
                      .like = "a"}},
        .attrs = {{.name = "transpose_a",
                   .brief = "1: a holds columns first",
                   .kind = RP_ATTR_INTEGER,
                   .high = 1},
                  {.name = "transpose_b",
                   .brief = "1: b holds columns first",
                   .kind = RP_ATTR_INTEGER,
                   .high = 1}},
        .length = "K",
        .variants = matmul_variants,
        .flops = 2,
        .rule = rule_matmul,
    },
    {
        .name = "matmul_partial",
        .family = "matrix",
        .brief = "matrix products over parts of k: what matmul is where its tiles are few",
        .notes = "Part p takes steps p * c to (p + 1) * c of k, where c is K / A, rounded up to a "
                 "multiple of 32; the last ones may be shorter or empty. matmul_merge adds the "
                 "parts. " SUMS,
        .form = RP_OP_KERNEL,
        .operand_count = 3,
        .attr_count = 3,
        .operands = {{.name = "a",
                      .brief = "the left matrices",
                      .shape = "*B P Q",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .hook = true},
                     {.name = "b",
                      .brief = "the right ones, as many, or one",
                      .shape = "*E R S",
                      .dtypes = DT_WEIGHT,
                      .at = RP_AT_ANY,
                      .hook = true},
                     {.name = "out",
                      .brief = "each part's products",
                      .shape = "A B M N",
                      .dtypes = RP_DT(RP_F32),
                      .access = RP_WRITE,
                      .hook = true}},
        .attrs = {{.name = "transpose_a",
                   .brief = "1: a holds columns first",
                   .kind = RP_ATTR_INTEGER,
                   .high = 1},
                  {.name = "transpose_b",
                   .brief = "1: b holds columns first",
                   .kind = RP_ATTR_INTEGER,
                   .high = 1},
                  {.name = "splits",
                   .brief = "parts, A",
                   .kind = RP_ATTR_INTEGER,
                   .symbol = 'A',
                   .required = true,
                   .low = 1,
                   .high = MOST_PARTS}},
        .length = "O",
        .variants = partial_variants,
        .flops = 2,
        .rule = rule_matmul_partial,
    },
    {
        .name = "matmul_merge",
        .family = "matrix",
        .brief = "the parts of matmul_partial, added up",
        .notes = "Added in the order of k, in f32.",
        .form = RP_OP_POINTWISE,
        .text = 60,
        .operand_count = 2,
        .operands = {{.name = "partial",
                      .brief = "each part's products",
                      .shape = "A B M N",
                      .dtypes = RP_DT(RP_F32),
                      .reads = "ABMN"},
                     {.name = "out",
                      .brief = "the products",
                      .shape = "*B M N",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE}},
        .length = "A",
        .flops = 1,
    },
};

const uint32_t rp_ops_matrix_count = sizeof rp_ops_matrix / sizeof *rp_ops_matrix;
