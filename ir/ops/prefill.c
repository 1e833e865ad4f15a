/* attention_prefill: attention of many tokens, and the ways to compute it.
 *
 * Prefill has many queries; its kernels go over the cache tile by tile with an online softmax, and
 * differ in where a tile, its scores and the sums are kept. What fits is a question of shapes and the
 * target. */
#include "ops/prefill.h"

#include "ops/matrices.h"

enum {
    MAX_HEAD = 256, /* elements of a head: kernels keep a head in shared memory */
    K = 1,          /* operand */
};

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

/* ---- What calls must be ---------------------------------------------------------------------- */

bool rp_op_check_heads(rp_op_call *call, uint32_t k) {
    uint64_t heads = rp_sym(call, 'H'), groups = rp_sym(call, 'G'), size = rp_sym(call, 'D');
    if (size > MAX_HEAD)
        return rp_op_fail(call, "heads have %llu elements; at most %d are possible",
                          (unsigned long long)size, MAX_HEAD);
    if (heads % groups != 0)
        return rp_op_fail(call, "q has %llu heads, expected a multiple of the %llu of k and v",
                          (unsigned long long)heads, (unsigned long long)groups);
    if (heads > RP_OP_MAX_GRID)
        return rp_op_fail(call, "q has %llu heads; at most %d are possible",
                          (unsigned long long)heads, RP_OP_MAX_GRID);
    if (call->operands[k].dtype != call->operands[k + 1].dtype)
        return rp_op_fail(call, "k is %s and v is %s; they must be the same",
                          rp_dtype_name(call->operands[k].dtype),
                          rp_dtype_name(call->operands[k + 1].dtype));
    rp_op_bind(call, 'L', heads / groups);
    return true;
}

/* Of a workgroup, so that they fill 16 KiB. */
static uint64_t queries_of(const rp_op_call *call) {
    return rp_sym(call, 'D') <= MAX_HEAD / 2 ? 32 : 16;
}

/* Binds T, the tokens of a sequence: where there is one cache, all tokens are of one sequence. A are
 * the caches, and the sequences. */
bool rp_op_prefill_rule(rp_op_call *call) {
    if (!rp_op_check_heads(call, K)) return false;
    uint64_t caches = rp_sym(call, 'A'), batches = rp_sym(call, 'B'), tokens = rp_sym(call, 'W');
    if (caches != 1 && caches != batches)
        return rp_op_fail(call, "q has %llu sequences and k %llu caches, expected 1 or as many",
                          (unsigned long long)batches, (unsigned long long)caches);
    if (caches == 1) tokens *= batches;
    uint64_t queries = queries_of(call);
    if (ceil_div(tokens, queries) > RP_OP_MAX_GRID)
        return rp_op_fail(call, "q has %llu tokens; at most %llu are possible",
                          (unsigned long long)tokens,
                          (unsigned long long)(queries * RP_OP_MAX_GRID));
    if (caches > RP_OP_MAX_GRID)
        return rp_op_fail(call, "there are %llu sequences; at most %d are possible",
                          (unsigned long long)caches, RP_OP_MAX_GRID);
    rp_op_bind(call, 'T', tokens);
    return true;
}

/* Binds X, the queries of a workgroup, and N, the workgroups for all. */
static void bind_prefill(rp_op_call *call, const rp_target *target) {
    (void)target;
    rp_op_bind(call, 'X', queries_of(call));
    rp_op_bind(call, 'N', ceil_div(rp_sym(call, 'T'), queries_of(call)));
}

/* For 32 rows of the cache: 64 columns of k at a time, then the rows of v. */
static double prefill_turns(const rp_op_call *call) {
    uint64_t tiles = ceil_div(rp_sym(call, 'S'), 32), slices = ceil_div(rp_sym(call, 'D'), 64);
    return (double)tiles * (66 * (double)slices + 48);
}

/* How a workgroup of kernels/attention_prefill/registers.glsl is made: rows of sums that a thread
 * has, and teams of threads. */
typedef struct prefill {
    uint32_t rows, teams;
} prefill;

/* Tokens of a workgroup from 128 down to 16: those that share what it loads of the cache. With short
 * heads 256 threads of 4 tokens have room in shared memory, and in registers for more subgroups. */
static const prefill prefills[] = {{4, 32}, {8, 16}, {8, 8}, {4, 8}, {2, 8}};

enum {
    PREFILLS = sizeof prefills / sizeof *prefills,
    TEAM_LANES = 8,
    TILE_KEYS = 32,
    PIECE_DEPTH = 32,
    MOST_SUMS = 64,  /* of a thread */
    WELL_SPREAD = 2, /* workgroups for a multiprocessor, before they are made larger */
};

/* Elements of a head, and zeros to the end of a piece. */
static uint64_t padded_head(const rp_op_call *call) {
    return ceil_div(rp_sym(call, 'D'), PIECE_DEPTH) * PIECE_DEPTH;
}

static uint64_t prefill_groups(const rp_op_call *call, const prefill *p) {
    return rp_sym(call, 'A') * rp_sym(call, 'H') *
           ceil_div(rp_sym(call, 'T'), (uint64_t)p->rows * p->teams);
}

static bool prefill_fits(const rp_op_call *call, const rp_target *target, const prefill *p) {
    uint64_t head = padded_head(call), tokens = (uint64_t)p->rows * p->teams;
    uint64_t words = head / 4 * (tokens + 1) + 2 * (PIECE_DEPTH / 4) * (TILE_KEYS + 1) +
                     p->teams * (TILE_KEYS * (uint64_t)p->rows / 4 + 2);
    return words * 16 + 16 <= target->shared_bytes && p->rows * head / TEAM_LANES <= MOST_SUMS;
}

/* The largest that are enough to go round, and whose tokens are not for the most part beyond the last
 * one; where none are, the smallest. */
static const prefill *choose_prefill(const rp_op_call *call, const rp_target *target) {
    const prefill *best = NULL;
    for (uint32_t i = 0; i < PREFILLS; i++) {
        const prefill *p = &prefills[i];
        bool full = (uint64_t)p->rows * p->teams < 2 * rp_sym(call, 'T');
        if (!prefill_fits(call, target, p)) continue;
        best = p;
        if (full && prefill_groups(call, p) >= WELL_SPREAD * target->multiprocessors) break;
    }
    return best;
}

static bool fits_registers(const rp_op_call *call, const rp_target *target) {
    uint64_t size = target->subgroup;
    bool known = size >= TEAM_LANES && size <= 64 && (size & (size - 1)) == 0;
    return known && choose_prefill(call, target);
}

static void bind_registers(rp_op_call *call, const rp_target *target) {
    const prefill *p = choose_prefill(call, target);
    uint64_t head = padded_head(call);
    rp_op_bind(call, 'U', p->rows);
    rp_op_bind(call, 'P', p->teams);
    rp_op_bind(call, 'C', head);
    rp_op_bind(call, 'R', head <= 32 ? 32 : head <= 64 ? 16 : head <= 128 ? 8 : 4);
    rp_op_bind(call, 'N', ceil_div(rp_sym(call, 'T'), (uint64_t)p->rows * p->teams));
}

/* Looking for the rows that count; then for 32 of them the pieces of k, eight turns each, and v. */
static double registers_turns(const rp_op_call *call) {
    uint64_t rows = rp_sym(call, 'S'), pieces = padded_head(call) / PIECE_DEPTH;
    return (double)ceil_div(rows, TEAM_LANES) + 64 +
           (double)ceil_div(rows, TILE_KEYS) * (double)(1 + 9 * pieces + TILE_KEYS + 8);
}

static void explain_registers(const rp_op_call *call, const rp_target *target, rp_text *text) {
    const prefill *p = choose_prefill(call, target);
    rp_text_format(text, "%llu workgroups of %u tokens, %u a thread",
                   (unsigned long long)prefill_groups(call, p), p->rows * p->teams, p->rows);
}

/* Whether a subgroup is the vector of a processor's core: then staging gains nothing. */
static bool fits_lanes(const rp_op_call *call, const rp_target *target) {
    (void)call;
    return target->subgroup == TEAM_LANES && !rp_target_stages(target);
}

/* Rows of the cache that a lane has: no more than there are for all, and few where heads are long, for
 * the text of the sums grows with both. */
static uint64_t rows_of_lane(const rp_op_call *call) {
    uint64_t columns = padded_head(call) / PIECE_DEPTH, each = 4;
    while (each > 1 && (each * columns > 4 || each / 2 * TEAM_LANES >= rp_sym(call, 'S')))
        each /= 2;
    return each;
}

static double lanes_turns(const rp_op_call *call) {
    uint64_t tiles = ceil_div(rp_sym(call, 'S'), TEAM_LANES * rows_of_lane(call));
    return (double)tiles * (double)(1 + ceil_div(rp_sym(call, 'D'), 4)) +
           (double)(TEAM_LANES * (1 + padded_head(call) / PIECE_DEPTH));
}

static void bind_lanes(rp_op_call *call, const rp_target *target) {
    (void)target;
    rp_op_bind(call, 'V', rows_of_lane(call));
    rp_op_bind(call, 'C', padded_head(call) / PIECE_DEPTH);
    rp_op_bind(call, 'N', ceil_div(rp_sym(call, 'T'), TEAM_LANES));
}

const rp_op_variant rp_op_prefill_variants[] = {
    {
        .name = "matrices",
        .when = "q, k and v of f16, heads of a multiple of 16 up to 128, on a target with "
                "cooperative matrices of f16 and sums of f32 whose layout is known",
        .why = "scores and sums in registers, multiplied by cooperative matrices; weights are "
               "rounded to f16",
        .text = 2500,
        .threads = 128,
        .groups = "NHA",
        .needs = RP_OP_MATRIX_NEEDS | RP_NEED_SUBGROUP_SHUFFLE | RP_NEED_SUBGROUP_VOTE,
        .sites = {9, 9, 12, [4] = 4, [5] = 8},
        .reads = {[1] = "NHASD", [2] = "NHASD"},
        .fits = rp_op_prefill_matrices_fit,
        .bind = rp_op_prefill_matrices_bind,
        .explain = rp_op_prefill_matrices_explain,
    },
    {
        .name = "lanes",
        .when = "subgroups of 8 lanes, and shared memory that is no faster than caches: a "
                "processor's vectors",
        .why =
            "no barrier, few loads: eight tokens at a time, and what all lanes need comes from the "
            "one that loaded it",
        .text = 1400,
        .threads = TEAM_LANES,
        .groups = "NHA",
        .needs = RP_NEED_SUBGROUP_BASIC | RP_NEED_SUBGROUP_SHUFFLE | RP_NEED_SUBGROUP_BALLOT,
        .sites = {5, 5, 5, [5] = 5},
        .reads = {[1] = "NHASD", [2] = "NHASD"},
        .turns = lanes_turns,
        .fits = fits_lanes,
        .bind = bind_lanes,
    },
    {
        .name = "registers",
        .when = "subgroups of a known size, 8 to 64",
        .why = "scores and sums in registers, 2 to 8 tokens a thread; rows at the ends that a mask "
               "leaves out are not read",
        .text = 1400,
        .threads = 64,
        .groups = "NHA",
        .needs = RP_NEED_SUBGROUP_BASIC | RP_NEED_SUBGROUP_SHUFFLE,
        .sites = {5, 5, 5, [4] = 3, [5] = 5},
        .reads = {[1] = "NHASD", [2] = "NHASD"},
        .turns = registers_turns,
        .fits = fits_registers,
        .bind = bind_registers,
        .explain = explain_registers,
    },
    {
        .name = "tiles",
        .when = "always",
        .why = "16 or 32 queries in shared memory while the cache goes by",
        .text = 1200,
        .groups = "NHA",
        .reads = {[1] = "NHASD", [2] = "NHASD"},
        .bind = bind_prefill,
        .turns = prefill_turns,
    },
    {0},
};
