/* Calls whose shapes follow live sizes: whether they are right at every size, and which numbers of
 * them follow which sizes.
 *
 * A rule of an op is asked at several sizes (ops/ask.h). Of a number that is no product, as of tiles,
 * either it is said what it is counted of (rp_op_bind_count), or it has no powers, and who needs it for a
 * kernel is refused. Two shapes that agree only where two sizes happen to be equal are found in the same
 * way: they are refused with the sizes at which they differ.
 *
 * Not symbols in place of numbers: every rule of every op would be written in another arithmetic, for
 * the few calls that need it. Cost: a check for each size that the call has, and a few more. */
#include "ops/op_sizes.h"

#include "ops/ask.h"

bool rp_op_is_sized(const rp_op_call *call) {
    for (uint32_t i = 0; i < call->operand_count && i < RP_OP_MAX_OPERANDS; i++) {
        const rp_tensor *t = &call->operands[i];
        for (uint32_t d = 0; !t->absent && d < t->rank && d < RP_MAX_RANK; d++)
            if (t->powers[d]) return true;
    }
    return false;
}

rp_extent rp_tensor_extent(const rp_tensor *tensor) {
    rp_extent all = {tensor->absent ? 0 : 1, 0};
    for (uint32_t d = 0; !tensor->absent && d < tensor->rank && d < RP_MAX_RANK; d++)
        all = rp_extent_product(all, (rp_extent){tensor->dims[d], tensor->powers[d]});
    return all;
}

void rp_op_call_at(const rp_op_call *call, const uint64_t *at, rp_op_call *out) {
    *out = *call;
    out->sizes = NULL;
    out->asked = true;
    memset(out->powers, 0, sizeof out->powers);
    for (uint32_t i = 0; i < call->operand_count; i++) {
        rp_tensor *t = &out->operands[i];
        if (t->absent || t->rank == RP_OP_INFER) continue;
        for (uint32_t d = 0; d < t->rank && d < RP_MAX_RANK; d++) {
            t->dims[d] = rp_extent_at(call->sizes, (rp_extent){t->dims[d], t->powers[d]}, at);
            t->powers[d] = 0;
        }
    }
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static uint32_t sizes_of(const rp_op_call *call) {
    uint32_t all = 0;
    for (uint32_t i = 0; i < call->operand_count; i++) {
        const rp_tensor *t = &call->operands[i];
        for (uint32_t d = 0; !t->absent && d < t->rank && d < RP_MAX_RANK; d++)
            all |= rp_powers_sizes(t->powers[d]);
    }
    return all;
}

/* "where tokens is 1, batch is 4: ": what the values are of which the call was asked. */
static void say_where(rp_op_call *call, uint32_t values, const rp_question *q, const char *error) {
    char text[sizeof call->error];
    const char *rest = strchr(error, ' '); /* behind "op: " */
    rp_question_print(call->sizes, values, q, text, sizeof text);
    rp_op_fail(call, "where %s:%s", text, rest ? rest : error);
}

/* ---- Calls ----------------------------------------------------------------------------------- */

enum { SYMBOLS = 'Z' - 'A' + 1 };

typedef struct guesses {
    rp_guess symbols[SYMBOLS];
    rp_guess shapes[RP_OP_MAX_OPERANDS][RP_MAX_RANK]; /* of what was inferred */
} guesses;

static bool is_inferred(const rp_op_call *given, uint32_t operand) {
    return !given->operands[operand].absent && given->operands[operand].rank == RP_OP_INFER;
}

static void begin_all(const rp_op_call *call, const rp_op_call *given, guesses *g) {
    for (uint32_t s = 0; s < SYMBOLS; s++)
        g->symbols[s] = rp_guess_begin(call->sizes, call->symbols[s], call->powers[s]);
    for (uint32_t i = 0; i < call->operand_count; i++)
        for (uint32_t d = 0; is_inferred(given, i) && d < call->operands[i].rank; d++)
            g->shapes[i][d] =
                rp_guess_begin(call->sizes, call->operands[i].dims[d], call->operands[i].powers[d]);
}

static bool learn_all(const rp_op_call *call, const rp_op_call *given, const rp_question *q,
                      const rp_op_call *there, guesses *g) {
    for (uint32_t s = 0; s < SYMBOLS; s++)
        rp_guess_learn(&g->symbols[s], call->sizes, q, call->symbols[s], there->symbols[s]);
    for (uint32_t i = 0; i < call->operand_count; i++) {
        const rp_tensor *t = &call->operands[i];
        if (!is_inferred(given, i)) continue;
        if (t->rank != there->operands[i].rank) return false;
        for (uint32_t d = 0; d < t->rank; d++)
            rp_guess_learn(&g->shapes[i][d], call->sizes, q, t->dims[d],
                           there->operands[i].dims[d]);
    }
    return true;
}

/* Whether a symbol is counted of some that follow sizes. Its own sizes tell nothing, then: up to 64
 * rows are one tile, and none are none. */
static bool follows(const rp_op_call *call, uint32_t symbol) {
    const rp_op_counted *count = &call->counts[symbol];
    for (const char *c = count->of; c && *c; c++)
        if (call->powers[*c - 'A'] || follows(call, (uint32_t)(*c - 'A'))) return true;
    return count->more && call->powers[count->more - 'A'];
}

static bool conclude_all(rp_op_call *call, const rp_op_call *given, const guesses *g) {
    for (uint32_t s = 0; s < SYMBOLS; s++) call->powers[s] = rp_guess_conclude(&g->symbols[s]);
    for (uint32_t s = 0; s < SYMBOLS; s++)
        if (follows(call, s)) call->powers[s] = RP_POWERS_NONE;
    for (uint32_t i = 0; i < call->operand_count; i++)
        for (uint32_t d = 0; is_inferred(given, i) && d < call->operands[i].rank; d++) {
            call->operands[i].powers[d] = rp_guess_conclude(&g->shapes[i][d]);
            if (call->operands[i].powers[d] == RP_POWERS_NONE) return false;
        }
    return true;
}

bool rp_op_check_sizes(rp_op_call *call, const rp_op_call *given, bool infer) {
    guesses g;
    rp_question q;
    if (!call->sizes) return rp_op_fail(call, "its shapes follow sizes that are not known");
    uint32_t values = rp_sizes_values(call->sizes, sizes_of(given));
    begin_all(call, given, &g);
    bool same_rank = true;
    for (uint32_t next = 0; rp_ask(call->sizes, values, &next, &q);) {
        rp_op_call there;
        rp_op_call_at(given, q.at, &there);
        if (!rp_op_check_fixed(&there, infer)) {
            say_where(call, values, &q, there.error);
            return false;
        }
        same_rank &= learn_all(call, given, &q, &there, &g);
    }
    return (same_rank && conclude_all(call, given, &g)) ||
           rp_op_fail(call, "its result has a dimension that is no product of live sizes, and none "
                            "that stands in a shape: give it one");
}

void rp_op_bind_sizes(rp_op_call *call) {
    for (uint32_t s = 0; s < SYMBOLS; s++) {
        if (follows(call, s))
            call->powers[s] = RP_POWERS_NONE;
        else if (rp_op_is_bound(call, (char)('A' + s)))
            call->powers[s] = 0;
    }
}
