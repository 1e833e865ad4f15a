/* attention_partial and attention_append: attention of one token of each sequence, in parts of its cache.
 *
 * What costs is reading the caches, so their rows are split over workgroups, each of which has one head
 * of a cache and the query heads that read it. */
#include "base/checked.h"
#include "ops/attention.h"

enum { MAX_SHARED = 8 }; /* query heads that a workgroup computes over one head of the cache */

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

/* ---- What calls must be ---------------------------------------------------------------------- */

/* Where the two have what they share. */
typedef struct one_token {
    uint32_t k, length, position, mask, table;
} one_token;
static const one_token partial = {1, 3, 4, 5, 6}, append = {10, 4, 3, 5, 6};
enum { APPEND_KEY = 1, APPEND_VALUE };

/* Workgroups that share a part and the L query heads that read one head of the cache: as few as have room,
 * or as many as multiprocessors are left for. */
static uint64_t sharing_groups(const rp_op_call *call, const rp_target *target) {
    uint64_t heads = rp_sym(call, 'L'), least = ceil_div(heads, MAX_SHARED);
    uint64_t left =
        target->multiprocessors / (rp_sym(call, 'A') * rp_sym(call, 'G') * rp_sym(call, 'P'));
    uint64_t each = ceil_div(heads, left < least ? least : left > heads ? heads : left);
    return ceil_div(heads, each);
}

/* Binds A, the sequences, with a cache each, H, the heads of one, and O, those of all. */
static bool rule_one_token(rp_op_call *call, const one_token *o) {
    uint64_t batches = rp_sym(call, 'B'), heads = rp_sym(call, 'H');
    if (!rp_op_attention_pages(call, o->k, o->table)) return false;
    uint64_t caches = rp_sym(call, 'A');
    if (caches != 1 && caches != batches)
        return rp_op_fail(call, "q has %llu sequences and there are %llu caches",
                          (unsigned long long)batches, (unsigned long long)caches);
    if (caches == 1) rp_op_bind(call, 'H', heads * batches); /* all of one token */
    if (!rp_op_check_heads(call, o->k)) return false;
    if (caches > RP_OP_MAX_GRID)
        return rp_op_fail(call, "there are %llu sequences; at most %d are possible",
                          (unsigned long long)caches, RP_OP_MAX_GRID);
    rp_op_bind(call, 'O', heads * batches);
    return rp_op_attention_numbers(call, o->length, 'K') &&
           rp_op_attention_numbers(call, o->position, 'N') &&
           rp_op_attention_mask(call, o->mask, 'M', 'Y', 1);
}

bool rp_op_partial_rule(rp_op_call *call) {
    return rule_one_token(call, &partial);
}

/* Binds A and S, the caches and the rows of each, which are outputs here. */
static bool bind_caches(rp_op_call *call) {
    const rp_tensor *k = &call->operands[append.k];
    uint64_t caches = 1;
    if (k->rank < 3 || k->rank > RP_MAX_RANK)
        return rp_op_fail(call, "k has %u dimensions, expected [..., rows, heads, elements]",
                          k->rank);
    for (uint32_t i = 0; i + 3 < k->rank; i++)
        if (!rp_mul_u64(caches, k->dims[i], &caches) || caches > RP_OP_MAX_ELEMENTS)
            return rp_op_fail(call, "k has too many elements");
    rp_op_bind(call, 'A', caches);
    rp_op_bind(call, 'S', k->dims[k->rank - 3]);
    return true;
}

/* Each sequence has a new row. */
bool rp_op_append_rule(rp_op_call *call) {
    if (!bind_caches(call) || !rule_one_token(call, &append)) return false;
    static const struct {
        uint32_t operand;
        char symbol;
    } fresh[] = {{APPEND_KEY, 'C'}, {APPEND_VALUE, 'E'}};
    for (uint32_t i = 0; i < 2; i++)
        if (rp_sym(call, fresh[i].symbol) != rp_sym(call, 'A'))
            return rp_op_fail(call, "%s is of %llu sequences, expected %llu",
                              rp_op_operand_name(call, fresh[i].operand),
                              (unsigned long long)rp_sym(call, fresh[i].symbol),
                              (unsigned long long)rp_sym(call, 'A'));
    return true;
}

/* ---- The ways to compute it ------------------------------------------------------------------ */

/* L query heads read one head of the cache; binds Z, the workgroups that share them, and J, the
 * heads of each. */
static void bind_partial(rp_op_call *call, const rp_target *target) {
    uint64_t sharing = sharing_groups(call, target);
    rp_op_bind(call, 'Z', sharing);
    rp_op_bind(call, 'J', ceil_div(rp_sym(call, 'L'), sharing));
}

/* All but the elements of a head may follow live sizes. */
#define VARYING "BASKNMYVXOQRCEHGL"

const rp_op_variant rp_op_partial_variants[] = {
    {
        .name = "tiles",
        .when = "always",
        .why = "a workgroup reads a part of the cache once, for up to 8 heads",
        .text = 1500,
        .groups = "AGPZ",
        .sized = VARYING,
        .sites = {[1] = 6, [2] = 6},
        .reads = {[1] = "ASGDZ", [2] = "ASGDZ"},
        .bind = bind_partial,
    },
    {0},
};

const rp_op_variant rp_op_append_variants[] = {
    {
        .name = "tiles",
        .source = "attention_partial/tiles",
        .when = "always",
        .why =
            "as attention_partial; the new row goes from its part to the cache and is not waited "
            "for in memory",
        .text = 1700,
        .groups = "AGPZ",
        .sized = VARYING,
        .sites = {[10] = 6, [11] = 6},
        .reads = {[1] = "AGDZ", [2] = "AGDZ", [10] = "ASGDZ", [11] = "ASGDZ"},
        .bind = bind_partial,
    },
    {0},
};
