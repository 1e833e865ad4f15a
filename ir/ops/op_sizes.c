/* Calls whose shapes follow live sizes: whether they are right at every size, and which numbers of
 * them follow which sizes.
 *
 * A rule of an op is C: it compares, divides and binds symbols as it likes, and knows numbers alone.
 * So it is asked at several sizes, and what it says is held against each other. Of a number that is
 * a constant times a product of sizes, the power of each size shows where that size alone is 1. That
 * it is such a number shows at sizes that nobody has thought of; where it is none, as of tiles, it has
 * no powers, and who needs it for a kernel is refused. Two shapes that agree only where two sizes
 * happen to be equal are found in the same way: they are refused with the sizes at which they differ.
 *
 * Not symbols in place of numbers: every rule of every op would be written in another arithmetic, for
 * the few calls that need it. Cost: a check for each size that the call has, and three more. */
#include <stdio.h>

#include "ops/op_sizes.h"

enum { SPREAD = 3 }; /* checks at sizes that differ from each other */

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

/* ---- Sizes to ask at ------------------------------------------------------------------------- */

typedef struct question {
    uint64_t at[RP_SIZES];
    uint32_t
        alone; /* the size that is 1, where the others are as large as they get; RP_SIZES: none */
} question;

static uint32_t sizes_of(const rp_op_call *call) {
    uint32_t all = 0;
    for (uint32_t i = 0; i < call->operand_count; i++) {
        const rp_tensor *t = &call->operands[i];
        for (uint32_t d = 0; !t->absent && d < t->rank && d < RP_MAX_RANK; d++)
            for (uint32_t s = 0; t->powers[d] && s < RP_SIZES; s++)
                all |= (uint32_t)(rp_power_of(t->powers[d], s) != 0) << s;
    }
    return all;
}

/* The next question about live values; `*next` counts from 0. The first ones have one of them at 1;
 * then all are, then they are as different as they can be. */
static bool ask(const rp_sizes *sizes, uint32_t values, uint32_t *next, question *out) {
    while (*next < RP_SIZES && !(values >> *next & 1)) ++*next;
    if (*next == RP_SIZES + SPREAD) return false;
    uint32_t turn = (*next)++;
    out->alone = turn < RP_SIZES ? turn : RP_SIZES;
    for (uint32_t i = 0; i < sizes->count; i++) {
        uint64_t most = sizes->most[i];
        if (turn < RP_SIZES)
            out->at[i] = i == turn ? 1 : most;
        else if (turn == RP_SIZES)
            out->at[i] = 1;
        else
            out->at[i] = 2 + (UINT64_C(0x9e3779b9) * (i + 1) + 7 * turn) % (most - 1);
    }
    rp_sizes_compute(sizes, out->at);
    return true;
}

/* "where tokens is 1, batch is 4: ": what the values are of which the call was asked. */
static void say_where(rp_op_call *call, uint32_t values, const question *q, const char *error) {
    char text[sizeof call->error];
    size_t used = 0;
    const char *rest = strchr(error, ' '); /* behind "op: " */
    for (uint32_t i = 0; i < call->sizes->count && used < sizeof text; i++)
        if (values >> i & 1) {
            int n = snprintf(text + used, sizeof text - used, "%s%s is %llu", used ? ", " : "",
                             call->sizes->text[i], (unsigned long long)q->at[i]);
            used += n > 0 ? (size_t)n : 0;
        }
    rp_op_fail(call, "where %s:%s", text, rest ? rest : error);
}

/* ---- Powers ---------------------------------------------------------------------------------- */

/* What is known so far of a number's powers. Each guess is held against every answer. */
typedef struct guess {
    rp_powers shown;   /* those of the dimensions that it was bound by; RP_POWERS_NONE: wrong */
    rp_powers found;   /* of live values, by what each does alone */
    uint32_t computed; /* sizes that it may be itself, a bit each */
} guess;

static guess begin(const rp_sizes *sizes, uint64_t most, rp_powers shown) {
    guess g = {.shown = shown};
    for (uint32_t i = 0; i < sizes->count; i++)
        if (sizes->step_count[i] && sizes->most[i] == most) g.computed |= 1u << i;
    return g;
}

/* The power of the one value that is 1. */
static void learn_power(const rp_sizes *sizes, uint32_t alone, uint64_t most, uint64_t there,
                        rp_powers *powers) {
    uint64_t left = most;
    uint32_t power = 0;
    while (left != there && left % sizes->most[alone] == 0 && left &&
           power + 1 < 1u << RP_SIZE_BITS) {
        left /= sizes->most[alone];
        power++;
    }
    *powers = left == there ? *powers | rp_powers_of(alone, power) : RP_POWERS_NONE;
}

static bool agrees(const rp_sizes *sizes, const question *q, uint64_t most, uint64_t there,
                   rp_powers powers) {
    return rp_extent_at(sizes, (rp_extent){most, powers}, q->at) == there;
}

/* What a number is at the sizes of a question. */
static void learn(const rp_sizes *sizes, const question *q, uint64_t most, uint64_t there,
                  guess *g) {
    if (g->shown != RP_POWERS_NONE && !agrees(sizes, q, most, there, g->shown))
        g->shown = RP_POWERS_NONE;
    if (g->found != RP_POWERS_NONE && q->alone < RP_SIZES)
        learn_power(sizes, q->alone, most, there, &g->found);
    else if (g->found != RP_POWERS_NONE && !agrees(sizes, q, most, there, g->found))
        g->found = RP_POWERS_NONE;
    for (uint32_t i = 0; i < sizes->count; i++)
        if (q->at[i] != there) g->computed &= ~(1u << i);
}

static rp_powers conclude(const guess *g) {
    if (g->shown != RP_POWERS_NONE) return g->shown;
    if (g->found != RP_POWERS_NONE) return g->found;
    for (uint32_t i = 0; i < RP_SIZES; i++)
        if (g->computed >> i & 1) return rp_powers_of(i, 1);
    return RP_POWERS_NONE;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

enum { SYMBOLS = 'Z' - 'A' + 1 };

typedef struct guesses {
    guess symbols[SYMBOLS];
    guess shapes[RP_OP_MAX_OPERANDS][RP_MAX_RANK]; /* of what was inferred */
} guesses;

static bool is_inferred(const rp_op_call *given, uint32_t operand) {
    return !given->operands[operand].absent && given->operands[operand].rank == RP_OP_INFER;
}

static void begin_all(const rp_op_call *call, const rp_op_call *given, guesses *g) {
    for (uint32_t s = 0; s < SYMBOLS; s++)
        g->symbols[s] = begin(call->sizes, call->symbols[s], call->powers[s]);
    for (uint32_t i = 0; i < call->operand_count; i++)
        for (uint32_t d = 0; is_inferred(given, i) && d < call->operands[i].rank; d++)
            g->shapes[i][d] =
                begin(call->sizes, call->operands[i].dims[d], call->operands[i].powers[d]);
}

static bool learn_all(const rp_op_call *call, const rp_op_call *given, const question *q,
                      const rp_op_call *there, guesses *g) {
    for (uint32_t s = 0; s < SYMBOLS; s++)
        learn(call->sizes, q, call->symbols[s], there->symbols[s], &g->symbols[s]);
    for (uint32_t i = 0; i < call->operand_count; i++) {
        const rp_tensor *t = &call->operands[i];
        if (!is_inferred(given, i)) continue;
        if (t->rank != there->operands[i].rank) return false;
        for (uint32_t d = 0; d < t->rank; d++)
            learn(call->sizes, q, t->dims[d], there->operands[i].dims[d], &g->shapes[i][d]);
    }
    return true;
}

static bool conclude_all(rp_op_call *call, const rp_op_call *given, const guesses *g) {
    for (uint32_t s = 0; s < SYMBOLS; s++) call->powers[s] = conclude(&g->symbols[s]);
    for (uint32_t i = 0; i < call->operand_count; i++)
        for (uint32_t d = 0; is_inferred(given, i) && d < call->operands[i].rank; d++) {
            call->operands[i].powers[d] = conclude(&g->shapes[i][d]);
            if (call->operands[i].powers[d] == RP_POWERS_NONE) return false;
        }
    return true;
}

bool rp_op_check_sizes(rp_op_call *call, const rp_op_call *given, bool infer) {
    guesses g;
    question q;
    if (!call->sizes) return rp_op_fail(call, "its shapes follow sizes that are not known");
    uint32_t values = rp_sizes_values(call->sizes, sizes_of(given));
    begin_all(call, given, &g);
    bool same_rank = true;
    for (uint32_t next = 0; ask(call->sizes, values, &next, &q);) {
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

void rp_op_bind_sizes(rp_op_call *call, const rp_target *target) {
    uint32_t values = rp_sizes_values(call->sizes, sizes_of(call));
    guesses g;
    question q;
    begin_all(call, call, &g);
    for (uint32_t next = 0; ask(call->sizes, values, &next, &q);) {
        rp_op_call there;
        rp_op_call_at(call, q.at, &there);
        bool good = rp_op_check_fixed(&there, false);
        there.variant = call->variant;
        if (good) there.variant->bind(&there, target);
        learn_all(call, call, &q, &there, &g);
    }
    conclude_all(call, call, &g);
}
