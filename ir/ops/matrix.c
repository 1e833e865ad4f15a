/* Family matrix: products with matrices.
 *
 * matvec is for few vectors: it reads each weight once, and what counts is how fast that goes. Its
 * kernel is made by compiler/lower/matvec.c, since siblings over one input share a dispatch.
 * matmul is for many rows: tiles, with their sums in registers (ops/product.c, kernels/matmul).
 *
 * Either adds up in f32 with fma, in an order that depends on shapes, dtypes and the target alone;
 * products of i8 in i32, in any order. */
#include "base/checked.h"
#include "ops/product.h"
#include "reprise/needs.h"
#include "ops/tables.h"

enum { DT_WEIGHT = RP_DT_FLOAT | RP_DT_BLOCK };

/* ---- matvec ---------------------------------------------------------------------------------- */

static bool rule_matvec(rp_op_call *call) {
    uint64_t vectors = rp_sym(call, 'B');
    if (vectors > RP_OP_PRODUCT_VECTORS)
        return rp_op_fail(call, "x has %llu vectors; at most %d are possible, matmul takes more",
                          (unsigned long long)vectors, RP_OP_PRODUCT_VECTORS);
    rp_op_bind_count(call, 'W', "M", RP_OP_PRODUCT_ROWS, 1);
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
    {.name = "columns",
     .when = "one vector and a weight of q8_0 or q4_0 as for words, on a target with integer dot "
             "products, where columns fill three of four lanes of subgroups with 64 each",
     .why = "x is in digits of 8 bits, which meet codes as they are, in registers: a lane has the "
            "same "
            "columns of all rows, which come to it through shared memory; several subgroups share "
            "a wide row",
     .needs = RP_NEED_INT_DOT},
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
    rp_op_bind(call, 'M', m);
    rp_op_bind(call, 'K', k);
    rp_op_bind(call, 'N', n);
    /* Where all of a meets one b, it is one tall matrix. */
    bool tall = shared == 1 && !turn_a;
    rp_op_bind(call, 'G', tall ? 1 : batches);
    rp_op_bind(call, 'H', tall ? batches * m : m);
    rp_product_bind_steps(call, 1);
    return true;
}

/* Binds O, the steps of k of a part. */
static bool rule_matmul_partial(rp_op_call *call) {
    uint64_t elements, parts = rp_sym(call, 'A');
    if (!rule_matmul(call)) return false;
    rp_product_bind_steps(call, parts);
    if (rp_mul_u64(rp_sym(call, 'B') * rp_sym(call, 'M'), rp_sym(call, 'N') * parts, &elements) &&
        elements <= UINT32_MAX)
        return true;
    return rp_op_fail(call, "out would have more than 2^32 elements");
}

/* Sums of floats become any float; of i32 nothing else. */
static bool rule_matmul_merge(rp_op_call *call) {
    uint8_t parts = call->operands[0].dtype, out = call->operands[1].dtype;
    if (out == RP_RAW || (parts == RP_I32) == (out == RP_I32)) return true;
    return rp_op_fail(call, "partial is %s and out is %s, expected %s", rp_dtype_name(parts),
                      rp_dtype_name(out), parts == RP_I32 ? "i32" : "f32, f16 or bf16");
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
        .notes =
            "out[b, m] is the sum over k of x[b, k] * weight[m, k]. " SUMS
            " The order of the sum depends on B, M and K, on the weight's dtype, on whether the "
            "weight begins at a multiple of 16 bytes, on the target's multiprocessors and "
            "shared memory, and on the device's subgroup size. By `columns` x is rounded "
            "before it is multiplied, to within 2^-22 of the largest of the 32 that meet a "
            "block; the products with a block are added up as integers. Vectors that are blocks "
            "themselves are multiplied by matmul, as are those that `linear` is given.",
        .form = RP_OP_KERNEL,
        .taken_as = "einsum",
        .product = true,
        .operand_count = 3,
        .operands = {{.name = "x",
                      .brief = "the vectors",
                      .shape = "*B K",
                      .dtypes = RP_DT_FLOAT,
                      .taken = RP_DT_INTEGER,
                      .at = RP_AT_ANY,
                      .hook = true,
                      .reads = "BKW"},
                     {.name = "weight",
                      .brief = "the matrix, a row for each element of the result",
                      .shape = "M K",
                      .dtypes = DT_WEIGHT,
                      .taken = RP_DT_INTEGER,
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
            "2^17. Of two blocks of q8_0 that lie along k (with `transpose_b`, without "
            "`transpose_a`) the 32 products are added up as integers, exactly, and that times the "
            "product of their scales, exact too, is added with fma: block by block in the order of "
            "k. Other blocks on both sides are unpacked, and multiplied as f32.",
        .form = RP_OP_KERNEL,
        .taken_as = "einsum",
        .operand_count = 3,
        .attr_count = 2,
        .operands = {{.name = "a",
                      .brief = "the left matrices",
                      .shape = "*B P Q",
                      .dtypes = DT_WEIGHT | RP_DT(RP_I8),
                      .taken = RP_DT_INTEGER & ~(uint32_t)RP_DT(RP_I8),
                      .at = RP_AT_ANY,
                      .hook = true},
                     {.name = "b",
                      .brief = "the right ones, as many, or one",
                      .shape = "*E R S",
                      .dtypes = DT_WEIGHT | RP_DT(RP_I8),
                      .taken = RP_DT_INTEGER & ~(uint32_t)RP_DT(RP_I8),
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
        .variants = rp_product_variants,
        .flops = 2,
        .rule = rule_matmul,
    },
    {
        .name = "matmul_partial",
        .family = "matrix",
        .brief = "matrix products over parts of k: what matmul is where its tiles are few",
        .notes = "Part p takes steps p * c to (p + 1) * c of k, where c is K / A, rounded up to a "
                 "multiple of 32; the last ones may be shorter or empty. matmul_merge adds the "
                 "parts. A part is computed as matmul is. " SUMS " Parts of i8 are i32.",
        .form = RP_OP_KERNEL,
        .operand_count = 3,
        .attr_count = 3,
        .operands = {{.name = "a",
                      .brief = "the left matrices",
                      .shape = "*B P Q",
                      .dtypes = DT_WEIGHT | RP_DT(RP_I8),
                      .at = RP_AT_ANY,
                      .hook = true},
                     {.name = "b",
                      .brief = "the right ones, as many, or one",
                      .shape = "*E R S",
                      .dtypes = DT_WEIGHT | RP_DT(RP_I8),
                      .at = RP_AT_ANY,
                      .hook = true},
                     {.name = "out",
                      .brief = "each part's products",
                      .shape = "A B M N",
                      .dtypes = RP_DT(RP_F32) | RP_DT(RP_I32),
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
                   .high = 1},
                  {.name = "splits",
                   .brief = "parts, A",
                   .kind = RP_ATTR_INTEGER,
                   .symbol = 'A',
                   .required = true,
                   .low = 1,
                   .high = RP_PRODUCT_MOST_PARTS}},
        .length = "O",
        .variants = rp_product_partial_variants,
        .flops = 2,
        .rule = rule_matmul_partial,
    },
    {
        .name = "matmul_merge",
        .family = "matrix",
        .brief = "the parts of matmul_partial, added up",
        .notes = "Added in the order of k, in f32; parts of i32 modulo 2^32, into i32.",
        .form = RP_OP_POINTWISE,
        .text = 60,
        .operand_count = 2,
        .operands = {{.name = "partial",
                      .brief = "each part's products",
                      .shape = "A B M N",
                      .dtypes = RP_DT(RP_F32) | RP_DT(RP_I32),
                      .reads = "ABMN"},
                     {.name = "out",
                      .brief = "the products",
                      .shape = "*B M N",
                      .dtypes = RP_DT_FLOAT | RP_DT(RP_I32),
                      .access = RP_WRITE,
                      .like = "partial"}},
        .length = "A",
        .flops = 1,
        .rule = rule_matmul_merge,
    },
};

const uint32_t rp_ops_matrix_count = sizeof rp_ops_matrix / sizeof *rp_ops_matrix;
