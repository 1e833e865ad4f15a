/* Family experts: products with some of many matrices, as mixtures of experts have them.
 *
 * Which matrix a vector meets is known on the GPU alone. So nothing is sorted or counted on the host: for a
 * few vectors each goes to its matrix; for many each matrix looks for its vectors. */
#include "ops/tables.h"

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

/* ---- Products -------------------------------------------------------------------------------- */

static bool rule_experts(rp_op_call *call) {
    uint64_t vectors = rp_sym(call, 'X'), choices = rp_sym(call, 'T'), block;
    if (vectors ? choices % vectors != 0 : choices != 0)
        return rp_op_fail(call,
                          "x has %llu vectors and ids are %llu, expected as many or a multiple",
                          (unsigned long long)vectors, (unsigned long long)choices);
    block = rp_dtype_block((rp_dtype)call->operands[1].dtype);
    if (rp_sym(call, 'K') % block != 0)
        return rp_op_fail(call,
                          "rows of weight have %llu elements, which is not a multiple of %llu",
                          (unsigned long long)rp_sym(call, 'K'), (unsigned long long)block);
    rp_op_bind(call, 'Y', vectors ? choices / vectors : 1);
    return true;
}

enum { TEAM_ELEMENTS = 256, TEAM_ROWS = 32, TILE_VECTORS = 32, TILE_ROWS = 64, LOOKED_AT = 256 };

static double rows_turns(const rp_op_call *call) {
    return (double)ceil_div(rp_sym(call, 'K'), TEAM_ELEMENTS) * 80 + 20;
}

static void bind_rows(rp_op_call *call, const rp_target *target) {
    (void)target;
    rp_op_bind_count(call, 'C', "M", TEAM_ROWS, 1);
}

/* At worst all have chosen one. */
static double grouped_turns(const rp_op_call *call) {
    double tiles = (double)ceil_div(rp_sym(call, 'T'), TILE_VECTORS);
    double looks = (double)ceil_div(rp_sym(call, 'T'), LOOKED_AT);
    return tiles * ((double)rp_sym(call, 'K') * 2 + 40) + looks * (TILE_ROWS + 4) + 20;
}

/* Where a matrix is chosen several times, on average. */
static bool is_grouped(const rp_op_call *call, const rp_target *target) {
    enum { OFTEN = 2 };
    bool ends = target->loop_turns && grouped_turns(call) > (double)target->loop_turns;
    return rp_sym(call, 'T') >= OFTEN * rp_sym(call, 'E') && rp_sym(call, 'T') > 8 && !ends;
}

static void bind_grouped(rp_op_call *call, const rp_target *target) {
    (void)target;
    rp_op_bind_count(call, 'C', "M", TILE_ROWS, 1);
}

static const rp_op_variant expert_variants[] = {
    {
        .name = "grouped",
        .sized = "TXM",
        .when = "at least twice as many choices as experts, and more than 8",
        .why = "each expert's workgroups look for the vectors that chose it: weights are read once "
               "for 32 of them",
        .text = 700,
        .sites = {18, 18, 1, 2},
        .fits = is_grouped,
        .bind = bind_grouped,
        .turns = grouped_turns,
    },
    {
        .name = "rows",
        .sized = "*",
        .when = "always",
        .why = "a team of 32 threads for four results: weights are read once for each choice",
        .text = 400,
        .sites = {18, 18, 1, 1},
        .bind = bind_rows,
        .turns = rows_turns,
    },
    {0},
};

/* ---- The ops --------------------------------------------------------------------------------- */

const rp_op rp_ops_experts[] = {
    {
        .name = "matvec_experts",
        .family = "experts",
        .brief = "products of vectors with the matrices that they chose, of many",
        .notes =
            "out[t, m] = sum over k of x[t / (T / X), k] * weight[ids[t], m, k]: X vectors have "
            "made T "
            "choices, of which each vector's follow one another. An id that no matrix has gives "
            "zeros. Only "
            "matrices that were chosen are read. Added up in f32, in an order that depends on K, "
            "and on whether there are many choices; within K units of the sum of magnitudes. "
            "Infinities and NaN "
            "as in any sum. Blocks of q8_0 and q4_0 are unpacked exactly.",
        .form = RP_OP_KERNEL,
        .operand_count = 4,
        .operands = {{.name = "x",
                      .brief = "the vectors",
                      .shape = "*X K",
                      .dtypes = RP_DT_FLOAT,
                      .hook = true,
                      .sites = 18,
                      .reads = "TK"},
                     {.name = "weight",
                      .brief = "the matrices, a row for each element of a result",
                      .shape = "E M K",
                      .dtypes = RP_DT_FLOAT | RP_DT_BLOCK,
                      .hook = true,
                      .sites = 18,
                      .reads = "TMK"},
                     {.name = "ids",
                      .brief = "the choices, numbers of matrices",
                      .shape = "*T",
                      .dtypes = RP_DT_ID,
                      .hook = true,
                      .reads = "T"},
                     {.name = "out",
                      .brief = "the products",
                      .shape = "*T M",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE,
                      .hook = true,
                      .sites = 2,
                      .like = "x"}},
        .length = "K",
        .variants = expert_variants,
        .flops = 2,
        .rule = rule_experts,
    },
    {
        .name = "combine_experts",
        .family = "experts",
        .brief = "adds up what a vector's experts gave, each times its gate",
        .notes =
            "out[n, m] = sum over p of gates[n, p] * x[n, p, m], fused in f32 in the order of p. "
            "Infinities and NaN as in any sum.",
        .form = RP_OP_POINTWISE,
        .operand_count = 3,
        .operands = {{.name = "x",
                      .brief = "results of P experts for each vector",
                      .shape = "*N P M",
                      .dtypes = RP_DT_FLOAT,
                      .reads = "NPM"},
                     {.name = "gates",
                      .brief = "a number for each of them",
                      .shape = "*N P",
                      .dtypes = RP_DT_FLOAT,
                      .reads = "NPM"},
                     {.name = "out",
                      .brief = "the sums",
                      .shape = "*N M",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE,
                      .like = "x"}},
        .length = "P",
        .flops = 2,
    },
};

const uint32_t rp_ops_experts_count = sizeof rp_ops_experts / sizeof *rp_ops_experts;
