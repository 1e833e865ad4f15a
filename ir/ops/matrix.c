/* Family matrix: products with matrices.
 *
 * matvec is for few vectors: it reads each weight once, and what counts is how fast that goes. Its
 * kernel is made by compiler/lower/matvec.c, since siblings over one input share a dispatch.
 * matmul is for many rows: tiles in shared memory, sums in registers (kernels/matmul.glsl).
 *
 * Either adds up in f32 with fma, in an order that depends on shapes and dtypes alone. */
#include "base/checked.h"
#include "ops/tables.h"

enum {
    DT_WEIGHT = RP_DT_FLOAT | RP_DT_BLOCK,
    MATVEC_ROWS = 32, /* weight rows that share one look at x */
    MATVEC_VECTORS = 8,
    MATMUL_THREADS = 16, /* a workgroup is so many threads squared */
    MATMUL_GROUPS = 96,  /* workgroups that keep a large device busy */
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
    if (vectors > MATVEC_VECTORS)
        return rp_op_fail(call, "x has %llu vectors; at most %d are possible, matmul takes more",
                          (unsigned long long)vectors, MATVEC_VECTORS);
    bind(call, 'W', ceil_div(rp_sym(call, 'M'), MATVEC_ROWS));
    return true;
}

/* ---- matmul ---------------------------------------------------------------------------------- */

/* Tiles of U * 16 rows and columns: the largest that still make enough workgroups and are not
 * mostly padding. Binds U; X and Y, the tiles along columns and rows; W, all of them. */
static void choose_tiles(rp_op_call *call) {
    uint64_t batches = rp_sym(call, 'G'), rows = rp_sym(call, 'H'), columns = rp_sym(call, 'N');
    uint64_t u = 8;
    for (; u > 1; u /= 2) {
        uint64_t edge = u * MATMUL_THREADS;
        bool fits = rows > edge / 2 && columns > edge / 2;
        if (fits && batches * ceil_div(rows, edge) * ceil_div(columns, edge) >= MATMUL_GROUPS)
            break;
    }
    uint64_t x = ceil_div(columns, u * MATMUL_THREADS), y = ceil_div(rows, u * MATMUL_THREADS);
    bind(call, 'U', u);
    bind(call, 'X', x);
    bind(call, 'Y', y);
    bind(call, 'W', batches * x * y);
}

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
    choose_tiles(call);
    return true;
}

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
        .flops = 2,
        .rule = rule_matvec,
    },
    {
        .name = "matmul",
        .family = "matrix",
        .brief = "matrix products, batched, of operands as they are or transposed",
        .notes = "out[b, m, n] is the sum over k of a[b, m, k] * b[b, k, n], in the order of k. "
                 "With `transpose_a` a is [B, K, M], with `transpose_b` b is [B, N, K], as weights "
                 "usually are. b may be one matrix for all of a's. " SUMS,
        .form = RP_OP_KERNEL,
        .text = 500,
        .operand_count = 3,
        .attr_count = 2,
        .operands = {{.name = "a",
                      .sites = 2,
                      .brief = "the left matrices",
                      .shape = "*B P Q",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_ANY,
                      .hook = true,
                      .reads = "BPQX"},
                     {.name = "b",
                      .sites = 2,
                      .brief = "the right ones, as many, or one",
                      .shape = "*E R S",
                      .dtypes = DT_WEIGHT,
                      .at = RP_AT_ANY,
                      .hook = true,
                      .reads = "GRSY"},
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
        .groups = "W",
        .flops = 2,
        .rule = rule_matmul,
    },
};

const uint32_t rp_ops_matrix_count = sizeof rp_ops_matrix / sizeof *rp_ops_matrix;
