/* Which calls are tried first: few that have every kind of call among them.
 *
 * Cases are products: a line of a table, times dtypes, times the variants that fit on some target. A
 * driver that compiles for a processor takes from a hundredth of a second to three for each, so that a
 * fresh machine has no time for all of them, and those it has time for must not be left to chance. What
 * a call is made of are its kinds:
 *
 *   the line of the table that it comes from, whatever computes it;
 *   for each variant of the op, and each of its operands: every dtype, rank, and sort of contents, being
 *   there and being left out; every choice of an attribute, and each number given; and the least size;
 *   for ops without kernels of their own, which cost little, all dtypes together, as each conversion
 *   counts, and all attributes.
 *
 * A processor compiles the longest texts, those of attention, for three to ten seconds each: there what these are made of
 * counts once for the op, whichever variant shows it, their lines do not count, and each variant has its own dtypes.
 *
 * Calls are chosen that have the most kinds not yet among the chosen, until none is left: the greedy
 * cover, at most ln(kinds of a call) times the smallest. Another seed breaks ties in another way, so
 * that other calls stand for the rest. Quadratic in the calls, which are some thousands: a tenth of a
 * second. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "ops_trial.h"

enum { MOST = 3 * RP_OP_MAX_OPERANDS + RP_OP_MAX_ATTRS + 5, LONG_TEXT = 1000 };

/* The kinds of one call: hashes at first, then places among all of them. */
typedef struct kinds {
    uint64_t of[MOST];
    uint32_t count;
} kinds;

static bool is_long(const trial *t) {
    return ops.on_processor && t->variant && t->variant->text >= LONG_TEXT;
}

static void add_of(kinds *k, const char *what, const trial *t, const char *variant,
                   uint64_t operand, const char *value) {
    char text[1024];
    int n = snprintf(text, sizeof text, "%s|%s|%s|%llu|%s", what, rp_op_name(t->line.call.op),
                     variant, (unsigned long long)operand, value);
    if (n >= (int)sizeof text || k->count == MOST) abort();
    k->of[k->count++] = rp_hash(text, (size_t)n);
}

static void add(kinds *k, const char *what, const trial *t, uint64_t operand, const char *value) {
    add_of(k, what, t, t->variant && !is_long(t) ? t->variant->name : "", operand, value);
}

/* Operands of a formula count alike. */
static uint32_t place_of(const rp_op_call *call, uint32_t operand) {
    return !call->formula ? operand : operand + 1 < call->operand_count ? 0 : 1;
}

static bool add_operands(kinds *k, const trial *t, char dtypes[256]) {
    const rp_op_call *call = &t->line.call;
    uint64_t most = 0, block = 1;
    for (uint32_t i = 0; i < call->operand_count; i++) {
        const rp_tensor *tensor = &call->operands[i];
        uint32_t place = place_of(call, i);
        const char *dtype = tensor->absent ? "-" : rp_dtype_name((rp_dtype)tensor->dtype);
        char fill[32], rank[16];
        snprintf(dtypes + strlen(dtypes), 256 - strlen(dtypes), " %s", dtype);
        add(k, "dtype", t, place, dtype);
        if (tensor->absent) continue;
        snprintf(fill, sizeof fill, "%.*s", (int)strcspn(t->line.fill[i], "="), t->line.fill[i]);
        snprintf(rank, sizeof rank, "%u", tensor->rank);
        add(k, "contents", t, place, fill);
        add(k, "rank", t, place, rank);
        if (rp_tensor_elements(tensor) > most) most = rp_tensor_elements(tensor);
        if (rp_dtype_block((rp_dtype)tensor->dtype) > block)
            block = rp_dtype_block((rp_dtype)tensor->dtype);
    }
    return most <= 2 * block;
}

/* Every choice; of numbers, that they are given. */
static void add_attributes(kinds *k, const trial *t) {
    const rp_op *op = t->line.call.op;
    for (uint32_t i = 0; i < op->attr_count; i++) {
        char choice[32] = "given";
        if (op->attrs[i].kind == RP_ATTR_CHOICE)
            snprintf(choice, sizeof choice, "%u", (uint32_t)t->line.call.attrs[i]);
        else if (!strstr(t->attrs, op->attrs[i].name))
            continue;
        add(k, op->attrs[i].name, t, i, choice);
    }
}

static void find_kinds(kinds *k, const trial *t) {
    const rp_op_call *call = &t->line.call;
    const op_case *from = t->from;
    char line[1024], dtypes[256] = "";
    snprintf(line, sizeof line, "%s|%s|%s", from->op, from->operands,
             from->attrs ? from->attrs : "");
    if (is_long(t))
        add_of(k, "own", t, t->variant->name, 0, rp_dtype_name((rp_dtype)call->operands[1].dtype));
    else
        k->of[k->count++] = rp_hash(line, strlen(line));
    if (add_operands(k, t, dtypes)) add(k, "least", t, 0, "");
    if (call->op->form == RP_OP_KERNEL) {
        add_attributes(k, t);
    } else {
        add(k, "attributes", t, 0, t->attrs);
        add(k, "dtypes", t, 0, dtypes);
    }
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Hashes become places among the different ones; how many there are. */
static uint32_t number(kinds *all, uint32_t count) {
    uint64_t *values = need(calloc((size_t)count * MOST + 1, sizeof *values));
    uint32_t length = 0, different = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < all[i].count; j++) values[length++] = all[i].of[j];
    qsort(values, length, sizeof *values, by_value);
    for (uint32_t i = 0; i < length; i++)
        if (i == 0 || values[i] != values[i - 1]) values[different++] = values[i];
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < all[i].count; j++) {
            const uint64_t *at =
                bsearch(&all[i].of[j], values, different, sizeof *values, by_value);
            all[i].of[j] = (uint64_t)(at - values);
        }
    free(values);
    return different;
}

static uint32_t fresh_kinds(const kinds *k, const bool *seen) {
    uint32_t fresh = 0;
    for (uint32_t j = 0; j < k->count; j++) fresh += !seen[k->of[j]];
    return fresh;
}

uint32_t ops_choose(bool *chosen) {
    uint32_t count = ops.count, chosen_count = 0;
    kinds *all = need(calloc(count + 1, sizeof *all));
    for (uint32_t i = 0; i < count; i++) find_kinds(&all[i], &ops.trials[i]);
    bool *seen = need(calloc(number(all, count) + 1, sizeof *seen));
    memset(chosen, 0, count * sizeof *chosen);
    for (;; chosen_count++) {
        uint32_t best = 0, most = 0;
        uint64_t luck = 0;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t fresh = chosen[i] ? 0 : fresh_kinds(&all[i], seen);
            uint64_t own = rp_hash_mix(ops.seed, &i, sizeof i);
            if (fresh > most || (fresh == most && fresh && own > luck))
                best = i, most = fresh, luck = own;
        }
        if (most == 0) break;
        chosen[best] = true;
        for (uint32_t j = 0; j < all[best].count; j++) seen[all[best].of[j]] = true;
    }
    free(seen);
    free(all);
    return chosen_count;
}
