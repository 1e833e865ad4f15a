/* Family matrix: products with matrices.
 *
 * matvec is for few vectors: it reads each weight once, and what counts is how fast that goes. Its
 * kernel is made by compiler/lower/matvec.c, since siblings over one input share a dispatch.
 * matmul is for many rows: tiles in shared memory, sums in registers (kernels/matmul).
 *
 * Either adds up in f32 with fma, in an order that depends on shapes and dtypes alone. */
#include "base/checked.h"
#include "ops/matrices.h"
#include "ops/tables.h"

enum {
    DT_WEIGHT = RP_DT_FLOAT | RP_DT_BLOCK,
    MATMUL_THREADS = 16, /* a workgroup is so many threads squared */
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
     .when = "x is f32 in memory, 16 bytes aligned like all rows, with more than 2048 elements",
     .why = "reads x through the caches: no barrier"},
    {.name = "staged",
     .when = "x is computed in the kernel, f16 or small; as f32 it fits about 28 KiB",
     .why = "computes x once for a workgroup, into shared memory, while the first weights are "
            "loaded"},
    {.name = "tiled",
     .when = "as staged, with a larger B * K",
     .why = "computes x in parts of at least 512 columns, with two barriers each"},
    {.name = "narrow",
     .when = "a weight of f32 or f16 whose rows do not start at multiples of 16 bytes",
     .why = "loads one weight at a time; give weights a K that is a multiple of 8 to avoid it"},
    {0},
};

/* ---- matmul ---------------------------------------------------------------------------------- */

/* Operands' shapes are given as they lie in memory; here M, K and N get their meaning. */
static bool rule_matmul(rp_op_call *call) {
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
    return true;
}

/* Tiles of U * 16 rows and columns: the largest that still make workgroups for three multiprocessors
 * of four and are not mostly padding. Binds U; X and Y, the tiles along columns and rows; W, all of them. */
static void bind_tiles(rp_op_call *call, const rp_target *target) {
    uint64_t enough = target->multiprocessors - target->multiprocessors / 4;
    uint64_t batches = rp_sym(call, 'G'), rows = rp_sym(call, 'H'), columns = rp_sym(call, 'N');
    uint64_t u = 8;
    for (; u > 1; u /= 2) {
        uint64_t edge = u * MATMUL_THREADS;
        bool fits = rows > edge / 2 && columns > edge / 2;
        if (fits && batches * ceil_div(rows, edge) * ceil_div(columns, edge) >= enough) break;
    }
    uint64_t x = ceil_div(columns, u * MATMUL_THREADS), y = ceil_div(rows, u * MATMUL_THREADS);
    bind(call, 'U', u);
    bind(call, 'X', x);
    bind(call, 'Y', y);
    bind(call, 'W', batches * x * y);
}

static void explain_tiles(const rp_op_call *call, const rp_target *target, rp_text *text) {
    unsigned long long edge = rp_sym(call, 'U') * MATMUL_THREADS;
    rp_text_format(text, "%llu tiles of %llu x %llu for %llu multiprocessors",
                   (unsigned long long)rp_sym(call, 'W'), edge, edge,
                   (unsigned long long)target->multiprocessors);
}

static const rp_op_variant matmul_variants[] = {
    {
        .name = "matrices",
        .when =
            "a of f16, b of f16 or blocks, at least 16 rows, columns and steps, on a target with "
            "cooperative matrices of f16 and sums of f32",
        .why = "tiles through shared memory, multiplied by cooperative matrices",
        .text = 900,
        .threads = 128,
        .groups = "W",
        .needs = RP_OP_MATRIX_NEEDS,
        .sites = {18, 18, 5},
        .reads = {"BPQX", "GRSY"},
        .fits = rp_op_matmul_matrices_fit,
        .bind = rp_op_matmul_matrices_bind,
        .explain = rp_op_matmul_matrices_explain,
    },
    {
        .name = "tiles",
        .when = "always",
        .why = "square tiles through shared memory, up to 8 x 8 sums a thread in registers",
        .text = 500,
        .groups = "W",
        .sites = {2, 2},
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
                 " The order of the sum depends on K, on the weight's dtype, on whether a weight "
                 "of f32 or f16 begins at a multiple of 16 bytes, and on the device's subgroup "
                 "size.",
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
        .notes = "out[b, m, n] is the sum over k of a[b, m, k] * b[b, k, n], in the order of k. "
                 "With `transpose_a` a is [B, K, M], with `transpose_b` b is [B, N, K], as weights "
                 "usually are. b may be one matrix for all of a's. " SUMS
                 " With cooperative matrices the order is the device's, and blocks are unpacked to "
                 "the nearest f16.",
        .form = RP_OP_KERNEL,
        .operand_count = 3,
        .attr_count = 2,
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
                      .brief = "the products",
                      .shape = "*B M N",
                      .dtypes = RP_DT_FLOAT,
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
};

const uint32_t rp_ops_matrix_count = sizeof rp_ops_matrix / sizeof *rp_ops_matrix;
