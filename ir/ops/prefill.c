/* attention_prefill: attention of many tokens, and the ways to compute it.
 *
 * Prefill has many queries; its kernels go over the cache tile by tile with an online softmax, and
 * differ in where a tile, its scores and the sums are kept. What fits is a question of shapes and the
 * target. */
#include "ops/attention.h"

#include "base/checked.h"
#include "ops/matrices.h"

enum {
    MAX_HEAD = 256, /* elements of a head: kernels keep a head in shared memory */
};

/* Operands of attention_prefill. */
enum { K = 1, PAST = 3, MASK, LENGTH, TABLE = 7, Q_OFFSETS, K_OFFSETS };

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

/* ---- What calls must be ---------------------------------------------------------------------- */

bool rp_op_check_heads(rp_op_call *call, uint32_t k) {
    uint64_t heads = rp_sym(call, 'H'), groups = rp_sym(call, 'G'), size = rp_sym(call, 'D');
    if (size > MAX_HEAD)
        return rp_op_fail(call, "heads have %llu elements; at most %d are possible",
                          (unsigned long long)size, MAX_HEAD);
    if (groups ? heads % groups != 0 : heads != 0)
        return rp_op_fail(call, "q has %llu heads, expected a multiple of the %llu of k and v",
                          (unsigned long long)heads, (unsigned long long)groups);
    if (heads > RP_OP_MAX_GRID)
        return rp_op_fail(call, "q has %llu heads; at most %d are possible",
                          (unsigned long long)heads, RP_OP_MAX_GRID);
    if (call->operands[k].dtype != call->operands[k + 1].dtype)
        return rp_op_fail(call, "k is %s and v is %s; they must be the same",
                          rp_dtype_name(call->operands[k].dtype),
                          rp_dtype_name(call->operands[k + 1].dtype));
    rp_op_bind(call, 'L', groups ? heads / groups : 1);
    return true;
}

/* Of a workgroup, so that they fill 16 KiB. */
static uint64_t queries_of(const rp_op_call *call) {
    return rp_sym(call, 'D') <= MAX_HEAD / 2 ? 32 : 16;
}

/* ---- What calls of many tokens must be ------------------------------------------------------- */

static bool is_given(const rp_op_call *call, uint32_t operand) {
    return !call->operands[operand].absent;
}

bool rp_op_attention_numbers(rp_op_call *call, uint32_t operand, char symbol) {
    uint64_t count = rp_sym(call, symbol), sequences = rp_sym(call, 'A');
    if (!is_given(call, operand) || count == 1 || count == sequences) return true;
    return rp_op_fail(call, "%s has %llu elements, expected 1 or as many as sequences, %llu",
                      rp_op_operand_name(call, operand), (unsigned long long)count,
                      (unsigned long long)sequences);
}

bool rp_op_attention_pages(rp_op_call *call, uint32_t k, uint32_t table) {
    if (!is_given(call, table)) return true;
    if (call->operands[k].rank != 4)
        return rp_op_fail(call,
                          "k has %u dimensions, expected [pages, rows, heads, elements], for "
                          "there is a table of pages",
                          call->operands[k].rank);
    uint64_t lines = rp_sym(call, 'V'), width = rp_sym(call, 'X'), each = rp_sym(call, 'S'), rows;
    if (!rp_mul_u64(each, width, &rows) || rows > INT32_MAX)
        return rp_op_fail(call,
                          "a line of table has %llu pages of %llu rows; at most 2147483647 "
                          "rows are possible",
                          (unsigned long long)width, (unsigned long long)each);
    rp_op_bind(call, 'V', rp_sym(call, 'A'));
    rp_op_bind(call, 'X', each);
    rp_op_bind(call, 'A', lines);
    rp_op_bind(call, 'S', rows);
    return true;
}

bool rp_op_attention_mask(rp_op_call *call, uint32_t mask, char lines, char columns,
                          uint64_t tokens) {
    const rp_tensor *t = &call->operands[mask];
    uint64_t sequences = rp_sym(call, 'A'), heads = rp_sym(call, 'H'), rows = rp_sym(call, 'S');
    if (t->absent) return true;
    if (rp_sym(call, columns) != rows)
        return rp_op_fail(call,
                          "mask has %llu elements in a line, expected %llu, the rows of a cache",
                          (unsigned long long)rp_sym(call, columns), (unsigned long long)rows);
    if (t->rank != 4) {
        if (rp_sym(call, lines) == sequences) return true;
        return rp_op_fail(call,
                          "mask has %llu lines, expected one for each sequence, %llu, or the shape "
                          "[%llu or 1, %llu or 1, %llu or 1, %llu]",
                          (unsigned long long)rp_sym(call, lines), (unsigned long long)sequences,
                          (unsigned long long)sequences, (unsigned long long)heads,
                          (unsigned long long)tokens, (unsigned long long)rows);
    }
    const uint64_t most[] = {sequences, heads, tokens};
    static const char *const what[] = {"sequences", "heads", "tokens"};
    for (uint32_t i = 0; i < 3; i++)
        if (t->dims[i] != 1 && t->dims[i] != most[i])
            return rp_op_fail(call, "mask is for %llu %s, expected 1 or %llu",
                              (unsigned long long)t->dims[i], what[i], (unsigned long long)most[i]);
    return true;
}

/* Binds A, the sequences, and T, their tokens, of which packed ones have all in common. */
static bool bind_packed(rp_op_call *call, uint64_t tokens) {
    uint64_t sequences = rp_sym(call, 'Z') - 1;
    if (sequences == 0)
        return rp_op_fail(call, "q_offsets has 1 element, expected one more than sequences");
    if (!is_given(call, K_OFFSETS)) {
        if (rp_sym(call, 'A') != sequences)
            return rp_op_fail(call, "q_offsets is of %llu sequences, and there are %llu caches",
                              (unsigned long long)sequences, (unsigned long long)rp_sym(call, 'A'));
    } else if (rp_sym(call, 'M') != rp_sym(call, 'Z')) {
        return rp_op_fail(call, "k_offsets has %llu elements, expected %llu, as q_offsets has",
                          (unsigned long long)rp_sym(call, 'M'),
                          (unsigned long long)rp_sym(call, 'Z'));
    } else if (rp_sym(call, 'A') != 1) {
        return rp_op_fail(call,
                          "k is of %llu caches, expected one of all sequences' rows, for "
                          "there are k_offsets",
                          (unsigned long long)rp_sym(call, 'A'));
    }
    rp_op_bind(call, 'A', sequences);
    rp_op_bind(call, 'T', tokens);
    return true;
}

/* The same of sequences side by side: where there is one cache, all tokens are of one sequence. */
static bool bind_side_by_side(rp_op_call *call, uint64_t batches, uint64_t tokens) {
    uint64_t caches = rp_sym(call, 'A');
    if (caches != 1 && caches != batches)
        return rp_op_fail(call, "q has %llu sequences and k %llu caches, expected 1 or as many",
                          (unsigned long long)batches, (unsigned long long)caches);
    rp_op_bind(call, 'T', caches == 1 ? tokens * batches : tokens);
    return true;
}

static bool check_k_offsets(rp_op_call *call) {
    enum { RING = 4 };
    const char *other = !is_given(call, Q_OFFSETS) ? "without q_offsets"
                        : is_given(call, TABLE)    ? "with a table"
                        : is_given(call, MASK)     ? "with a mask"
                        : call->attrs[RING] > 0    ? "in a ring"
                                                   : NULL;
    if (!is_given(call, K_OFFSETS) || !other) return true;
    return rp_op_fail(call, "k_offsets are not possible %s", other);
}

/* Of packed sequences each may leave a tile unfilled: those of one begin behind as many as its first token has
 * in front of it, and one for each sequence before it. */
uint64_t rp_op_prefill_tiles(const rp_op_call *call, uint64_t each) {
    uint64_t tiles = ceil_div(rp_sym(call, 'T'), each);
    return is_given(call, Q_OFFSETS) ? tiles + rp_sym(call, 'A') : tiles;
}

void rp_op_prefill_bind_tiles(rp_op_call *call, uint64_t each) {
    rp_op_bind_count(call, 'N', "T", each, 1);
    if (is_given(call, Q_OFFSETS)) rp_op_count_more(call, 'N', 'A');
}

/* Binds A, the sequences, with a cache each, T, the tokens of one, and Y, how many of them are side by side. */
bool rp_op_prefill_rule(rp_op_call *call) {
    if (!rp_op_check_heads(call, K) || !check_k_offsets(call)) return false;
    if (!rp_op_attention_pages(call, K, TABLE)) return false;
    uint64_t batches = rp_sym(call, 'B'), tokens = rp_sym(call, 'W');
    bool packed = is_given(call, Q_OFFSETS);
    if (packed ? !bind_packed(call, batches * tokens) : !bind_side_by_side(call, batches, tokens))
        return false;
    uint64_t sequences = rp_sym(call, 'A'), queries = queries_of(call);
    if (!rp_op_attention_numbers(call, PAST, 'K') || !rp_op_attention_numbers(call, LENGTH, 'O'))
        return false;
    if (!rp_op_attention_mask(call, MASK, 'J', 'Y', packed ? 1 : rp_sym(call, 'T'))) return false;
    if (rp_op_prefill_tiles(call, queries) > RP_OP_MAX_GRID)
        return rp_op_fail(call, "q has %llu tokens; at most %llu are possible",
                          (unsigned long long)rp_sym(call, 'T'),
                          (unsigned long long)(queries * RP_OP_MAX_GRID));
    if (sequences > RP_OP_MAX_GRID)
        return rp_op_fail(call, "there are %llu sequences; at most %d are possible",
                          (unsigned long long)sequences, RP_OP_MAX_GRID);
    rp_op_bind(call, 'Y', packed ? 1 : sequences);
    return true;
}

/* ---- The ways to compute it ------------------------------------------------------------------ */

/* Binds U, the queries of a workgroup, and N, the workgroups for all. */
static void bind_prefill(rp_op_call *call, const rp_target *target) {
    (void)target;
    rp_op_bind(call, 'U', queries_of(call));
    rp_op_prefill_bind_tiles(call, queries_of(call));
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
    return rp_sym(call, 'Y') * rp_sym(call, 'H') *
           rp_op_prefill_tiles(call, (uint64_t)p->rows * p->teams);
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
    rp_op_prefill_bind_tiles(call, (uint64_t)p->rows * p->teams);
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

/* Whether a subgroup is the vector of a processor's core: then staging gains nothing. Its text loads rows at many
 * places, too long a one where blocks are unpacked at each. */
static bool fits_lanes(const rp_op_call *call, const rp_target *target) {
    bool blocks = RP_DT(call->operands[K].dtype) & RP_DT_BLOCK;
    return !blocks && target->subgroup == TEAM_LANES && !rp_target_stages(target);
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
    rp_op_bind(call, 'R', rows_of_lane(call));
    rp_op_bind(call, 'C', padded_head(call) / PIECE_DEPTH);
    rp_op_prefill_bind_tiles(call, TEAM_LANES);
}

/* All but the elements of a head may follow live sizes. */
#define VARYING "BWTASYKOJZMVXHGL"

const rp_op_variant rp_op_prefill_variants[] = {
    {
        .name = "matrices",
        .when = "q, k and v of f16, heads of a multiple of 16 up to 128, on a target with "
                "cooperative matrices of f16 and sums of f32 whose layout is known",
        .why = "scores and sums in registers, multiplied by cooperative matrices; weights are "
               "rounded to f16",
        .text = 2500,
        .threads = 128,
        .groups = "NHY",
        .sized = VARYING,
        .needs = RP_OP_MATRIX_NEEDS | RP_NEED_SUBGROUP_SHUFFLE | RP_NEED_SUBGROUP_VOTE,
        .sites = {9, 9, 12, [6] = 2, [10] = 8},
        .reads = {[1] = "NHYSD", [2] = "NHYSD"},
        .fits = rp_op_prefill_matrices_fit,
        .bind = rp_op_prefill_matrices_bind,
        .explain = rp_op_prefill_matrices_explain,
    },
    {
        .name = "lanes",
        .when = "caches that are not of q8_0, subgroups of 8 lanes, and shared memory that is no "
                "faster than caches: a processor's vectors",
        .why =
            "no barrier, few loads: eight tokens at a time, and what all lanes need comes from the "
            "one that loaded it",
        .text = 1400,
        .threads = TEAM_LANES,
        .groups = "NHY",
        .sized = VARYING,
        .needs = RP_NEED_SUBGROUP_BASIC | RP_NEED_SUBGROUP_SHUFFLE | RP_NEED_SUBGROUP_BALLOT,
        .sites = {5, 5, 5, [10] = 5},
        .reads = {[1] = "NHYSD", [2] = "NHYSD"},
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
        .groups = "NHY",
        .sized = VARYING,
        .needs = RP_NEED_SUBGROUP_BASIC | RP_NEED_SUBGROUP_SHUFFLE,
        .sites = {5, 5, 5, [10] = 5},
        .reads = {[1] = "NHYSD", [2] = "NHYSD"},
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
        .groups = "NHY",
        .sized = VARYING,
        .reads = {[1] = "NHYSD", [2] = "NHYSD"},
        .bind = bind_prefill,
        .turns = prefill_turns,
    },
    {0},
};
