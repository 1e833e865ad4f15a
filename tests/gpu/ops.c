/* Every op against its reference in double precision, on the device at hand.
 *
 * The cases of ops_cases.c are packed into graphs of many op nodes, compiled at -O0 and at -O1 (on a
 * processor, every fourth graph: their nodes have nothing to do with each other, so -O1 compiles the
 * same texts once more), run, and read back. Integers must be exact. A float g may differ from the reference r by
 *
 *   absolute + (2 + rounding steps) * 2^-23 * max(|r|, sum of the magnitudes added up)
 *
 * where a sum in index order takes as many steps as it has terms, and one by 256 threads and a tree
 * its terms / 256 + 10; functions add what op_bounds says. A result of f16 may be off half a unit
 * more. Denormals may be flushed to zero, as Vulkan lets devices do. Where the reference is NaN or
 * infinite the result must be, too.
 *
 * Nothing may be left untested: each op needs a case for every dtype of every operand, with and
 * without each optional operand, for every choice of an attribute, and one of the least size. Each
 * case is run by every variant of its op that fits it on a built-in target, as far as the device at
 * hand can pass for that, and each variant needs a case. Calls that have all this among them, and every
 * line of the tables, come first (ops_kinds.c) and are always tried, on a processor every third of them and
 * at least one of each variant; then the others while there is time. A processor compiles kernels of the first
 * ones for longer than that, and comes to none of the others before RP_SECONDS lets it, or its driver has kept
 * what it compiled.
 *
 *   test_ops [PART PARTS]   every PARTS-th batch of cases, beginning with PART (from 0): as a
 *                           driver compiles one pipeline after the other, several processes share
 *                           the work
 *   RP_TAGGED=n             every n-th case, another one with each seed, is run with its operands tagged,
 *                           too: their words are stored and waited for. 8 without, 24 on a processor; 0: none
 *   RP_OP=name              tries this op alone, and prints the worst error of each case
 *   RP_SEED=n               other values, and other calls that come first
 *   RP_ALL=1                all of the first ones on a processor, too
 *   RP_SECONDS=n            none of the others are begun then, 20 without; those that are left are counted
 */
#include "ops_trial.h"

#include <unistd.h>

#include "base/hash.h"
#include "ops/formula.h"
#include "support/cases.h"

enum { MAX_CASES = 4096, TAGGED = 8, TOGETHER = 4, SECONDS = 20 };

ops_tests ops;

/* ---- Cases ----------------------------------------------------------------------------------- */

/* T and U replaced. */
static void expand(char *out, size_t size, const char *from, const char *const with[2]) {
    size_t at = 0;
    for (const char *c = from ? from : ""; *c && at + 40 < size; c++) {
        if (*c == 'T' || *c == 'U') {
            size_t length = strcspn(with[*c == 'U'], " ");
            memcpy(out + at, with[*c == 'U'], length);
            at += length;
        } else {
            out[at++] = *c;
        }
    }
    out[at] = '\0';
}

static void choose(trial *t, const rp_target *target, uint32_t skip) {
    rp_op_call call = t->line.call;
    rp_op_choose_after(&call, target, skip);
    t->target = target;
    t->skip = skip;
    t->variant = call.variant;
    snprintf(t->name, sizeof t->name, "%s%s%s", rp_op_name(call.op), t->variant ? "/" : "",
             t->variant ? t->variant->name : "");
}

static void add_trial(const op_case *from, const char *type, const char *more) {
    const char *const with[2] = {type, more};
    CU_ASSERT_FATAL(ops.count < MAX_CASES);
    trial *t = &ops.trials[ops.count];
    memset(t, 0, sizeof *t);
    t->from = from;
    expand(t->operands, sizeof t->operands, from->operands, with);
    expand(t->attrs, sizeof t->attrs, from->attrs, with);
    bool ok = rp_op_line_parse(&t->line, from->op, t->attrs, t->operands);
    if (!ok)
        fprintf(stderr, "\n  case %s {%s} (%s): %s", from->op, t->attrs, t->operands,
                t->line.call.error);
    CU_ASSERT(ok);
    if (ok) choose(t, NULL, 0);
    ops.count += ok;
}

static bool is_tried(const trial *t, uint32_t first) {
    for (uint32_t i = first; i < ops.count; i++)
        if (ops.trials[i].variant == t->variant && ops.trials[i].from == t->from &&
            strcmp(ops.trials[i].operands, t->operands) == 0 &&
            strcmp(ops.trials[i].attrs, t->attrs) == 0)
            return true;
    return false;
}

/* The first `cases` trials again by the variants that they have on a target: by the first that
 * fits, then by the second, and so on, where none has tried that. */
static void add_variants(const rp_target *target, uint32_t cases) {
    bool more = true;
    for (uint32_t skip = 0; more; skip++) {
        more = false;
        for (uint32_t i = 0; i < cases; i++) {
            trial next = ops.trials[i];
            if (!next.variant || skip >= rp_op_fitting(&next.line.call, target)) continue;
            more = true;
            choose(&next, target, skip);
            if (is_tried(&next, i)) continue;
            CU_ASSERT_FATAL(ops.count < MAX_CASES);
            ops.trials[ops.count++] = next;
        }
    }
}

static void add_targets(void) {
    static rp_target targets[8];
    uint32_t cases = ops.count, count = 0;
    CU_ASSERT_EQUAL_FATAL(rp_target_list(sizeof targets / sizeof *targets), NULL);
    for (const rp_target *t; (t = rp_target_list(count)); count++)
        add_variants(gpu_target_like(ops.device, t, &targets[count]), cases);
}

/* Every pointwise op of one input, and every function of formulas of one argument, over all
 * magnitudes: 2^120 may be divided by everywhere. */
static void add_wide_trials(void) {
    static const struct {
        const char *name, *expr;
        uint32_t arity, floats;
    } functions[] = {
#define RP_X(name, arity, floats) {#name, "expr=" #name "(a)", arity, floats},
        RP_FORMULA_FUNCTIONS(RP_X)
#undef RP_X
    };
    static const char *const operands[] = {"f32[211]:spread=120 f32?", "f32[211]:spread=10 f32?",
                                           "f32[61]:special f32?"};
    static op_case cases[3 * (128 + sizeof functions / sizeof *functions)];
    uint32_t count = 0;
    for (uint32_t i = 0; i < rp_op_count(); i++) {
        const rp_op *op = rp_op_at(i);
        bool plain = op->form == RP_OP_POINTWISE && op->expression && op->operand_count == 2 &&
                     (op->operands[0].dtypes & RP_DT(RP_F32));
        for (uint32_t a = 0; a < op->attr_count; a++) plain &= !op->attrs[a].required;
        if (!plain || strcmp(op->name, "cast") == 0) continue;
        for (uint32_t f = 0; f < 3; f++) cases[count++] = (op_case){op->name, operands[f]};
    }
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (functions[i].arity != 1 || !functions[i].floats) continue;
        for (uint32_t f = 0; f < 3; f++)
            cases[count++] = (op_case){"map", operands[f], functions[i].expr};
    }
    for (uint32_t i = 0; i < count; i++)
        if (!ops.only || strcmp(ops.only, cases[i].op) == 0) add_trial(&cases[i], "", "");
}

static void add_trials(const op_case *cases, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const op_case *c = &cases[i];
        if (ops.only && strcmp(ops.only, c->op) != 0) continue;
        const char *type = c->types ? c->types : "T", *more = c->more ? c->more : "U";
        for (const char *a = type; *a; a += strcspn(a, " "), a += strspn(a, " "))
            for (const char *b = more; *b; b += strcspn(b, " "), b += strspn(b, " "))
                add_trial(c, a, b);
    }
}

/* When a call is tried. */
typedef enum turn { FIRST, COVERING, OTHER } turn;

/* A processor tries every third of those that were chosen, and one of each op and variant. */
static turn turn_of(const bool *chosen, uint32_t i) {
    if (!chosen[i]) return OTHER;
    bool alone = true;
    for (uint32_t j = 0; j < i && alone; j++)
        alone = !chosen[j] || strcmp(ops.trials[j].name, ops.trials[i].name) != 0;
    uint32_t luck = (uint32_t)(rp_hash_mix(ops.seed, &i, sizeof i) >> 32);
    return alone || ops.only || gpu_tries(ops.device, luck, 3) ? FIRST : COVERING;
}

/* By their turns, and in those in their order, in which neighbours fit into one graph. */
static void sort_trials(void) {
    trial *sorted = need(calloc(MAX_CASES, sizeof *sorted));
    bool *chosen = need(calloc(MAX_CASES, sizeof *chosen));
    uint32_t count = 0;
    ops.covering = ops_choose(chosen);
    for (turn now = FIRST; now <= OTHER; now++) {
        for (uint32_t i = 0; i < ops.count; i++) {
            if (turn_of(chosen, i) != now) continue;
            trial *t = &sorted[count++];
            *t = ops.trials[i];
            if (t->line.call.formula) t->line.call.formula = t->line.expr;
        }
        if (now == FIRST) ops.first = count;
    }
    free(chosen);
    free(ops.trials);
    ops.trials = sorted;
}

static void make_trials(void) {
    ops.trials = need(calloc(MAX_CASES, sizeof *ops.trials));
    add_wide_trials();
    add_trials(op_cases, op_case_count);
    add_trials(op_attention_cases, op_attention_case_count);
    add_trials(op_axes_cases, op_axes_case_count);
    add_trials(op_byte_cases, op_byte_case_count);
    add_trials(op_random_cases, op_random_case_count);
    add_trials(op_signal_cases, op_signal_case_count);
    add_trials(op_experts_cases, op_experts_case_count);
    add_trials(op_type_cases, op_type_case_count);
    add_trials(op_spatial_cases, op_spatial_case_count);
    add_targets();
    CU_ASSERT(ops.count > 0);
    sort_trials();
}

/* ---- Completeness ---------------------------------------------------------------------------- */

typedef struct coverage {
    uint32_t dtypes[RP_OP_MAX_OPERANDS], present[RP_OP_MAX_OPERANDS], absent[RP_OP_MAX_OPERANDS];
    uint32_t choices[RP_OP_MAX_ATTRS];
    bool least, any;
} coverage;

static void cover(coverage *c, const rp_op_call *call) {
    uint64_t most = 0, block = 1;
    for (uint32_t i = 0; i < call->operand_count; i++) {
        const rp_tensor *t = &call->operands[i];
        if (!t->absent && rp_dtype_block((rp_dtype)t->dtype) > block)
            block = rp_dtype_block((rp_dtype)t->dtype);
        /* The pattern of a map's operands: all inputs count as the first, the output as the last.
         */
        uint32_t as = !call->formula ? i : i + 1 < call->operand_count ? 0 : 1;
        if (t->absent) {
            c->absent[as]++;
            continue;
        }
        c->present[as]++;
        c->dtypes[as] |= RP_DT(t->dtype);
        bool digits = call->op->operands[i].shape && strstr(call->op->operands[i].shape, "D P");
        if (!digits && rp_tensor_elements(t) > most) most = rp_tensor_elements(t); /* 256 of them */
    }
    for (uint32_t i = 0; i < call->op->attr_count; i++)
        if (call->op->attrs[i].kind == RP_ATTR_CHOICE)
            c->choices[i] |= 1u << (uint32_t)call->attrs[i];
    c->least |= most <= 2 * block; /* two: pairs, two halves to join */
    c->any = true;
}

static bool missing(const rp_op *op, const char *what, const char *which) {
    fprintf(stderr, "\n  %s: no case with %s %s", rp_op_name(op), which, what);
    return true;
}

static bool lacks(const rp_op *op, const coverage *c) {
    bool lacks = !c->any && missing(op, "at all", "anything");
    for (uint32_t i = 0; i < op->operand_count && c->any; i++) {
        const rp_op_operand *o = &op->operands[i];
        for (uint32_t d = RP_F32; rp_dtype_name((rp_dtype)d); d++)
            if ((o->dtypes & RP_DT(d)) && !(c->dtypes[i] & RP_DT(d)))
                lacks |= missing(op, rp_dtype_name((rp_dtype)d), o->name);
        if (o->optional && !c->absent[i]) lacks |= missing(op, "left out", o->name);
        if (o->optional && !c->present[i]) lacks |= missing(op, "given", o->name);
    }
    for (uint32_t i = 0; i < op->attr_count && c->any; i++) {
        if (op->attrs[i].kind != RP_ATTR_CHOICE) continue;
        uint32_t count = 1;
        for (const char *at = op->attrs[i].choices; *at; at++) count += *at == '|';
        if (c->choices[i] != (1u << count) - 1)
            lacks |= missing(op, op->attrs[i].choices, op->attrs[i].name);
    }
    if (c->any && !c->least) lacks |= missing(op, "element or two", "one");
    return lacks;
}

/* Whether a case reaches a variant on a target with other subgroups than the device's, so that it is
 * tried on other devices. */
static bool is_for_others(const rp_op *op, const rp_op_variant *variant) {
    rp_target own = RP_TARGET_INIT;
    CU_ASSERT_EQUAL_FATAL(rp_device_target(ops.device, &own), RP_OK);
    const rp_target *target;
    for (uint32_t i = 0; (target = rp_target_list(i)); i++)
        for (uint32_t k = 0; k < ops.count && target->subgroup != own.subgroup; k++) {
            const rp_op_call *given = &ops.trials[k].line.call;
            uint32_t fitting = given->op == op ? rp_op_fitting(given, target) : 0;
            for (uint32_t skip = 0; skip < fitting; skip++) {
                rp_op_call call = *given;
                rp_op_choose_after(&call, target, skip);
                if (call.variant == variant) return true;
            }
        }
    return false;
}

static bool lacks_variant(const rp_op *op) {
    bool lacks = false;
    if (op->product) return false;
    for (const rp_op_variant *v = op->variants; v && v->name; v++) {
        bool found = v->needs != 0; /* not of this target: tests/gpu/matrices.c */
        for (uint32_t k = 0; k < ops.covering; k++) found |= ops.trials[k].variant == v;
        if (!found && !is_for_others(op, v)) lacks |= missing(op, "that it fits", v->name);
    }
    return lacks;
}

/* Of those that are always tried. They were chosen by what calls are made of; here what ops are declared
 * with is counted off. */
static void test_complete(void) {
    CU_ASSERT(rp_op_count() > 60);
    for (uint32_t i = 0; i < rp_op_count(); i++) {
        const rp_op *op = rp_op_at(i);
        coverage c = {0};
        if (ops.only && strcmp(ops.only, rp_op_name(op)) != 0) continue;
        for (uint32_t k = 0; k < ops.covering; k++)
            if (ops.trials[k].line.call.op == op) cover(&c, &ops.trials[k].line.call);
        CU_ASSERT_FALSE(lacks(op, &c));
        CU_ASSERT_FALSE(lacks_variant(op));
    }
}

/* ---- Tagged ---------------------------------------------------------------------------------- */

/* What is never tagged though its elements have words: the text of the kernel reads or stores it as it
 * lies in memory. */
static const char *const untagged[] = {
    "matvec weight",
    "attention_partial k",
    "attention_partial v",
    "attention_partial length",
    "attention_partial position",
    "attention_partial mask",
    "attention_partial table",
    "attention_append position",
    "attention_append length",
    "attention_append mask",
    "attention_append table",
    "attention_append k",
    "attention_append v",
    "attention_prefill k",
    "attention_prefill v",
    "attention_prefill past",
    "attention_prefill mask",
    "attention_prefill length",
    "attention_prefill sinks",
    "attention_prefill table",
    "attention_prefill q_offsets",
    "attention_prefill k_offsets",
    "kmeans_accumulate assignment",
    "fold_at places",
    "fold_at order",
};

typedef struct words {
    bool can[RP_OP_MAX_OPERANDS], is[RP_OP_MAX_OPERANDS];
} words;

static uint32_t index_of(const rp_op *op) {
    uint32_t i = 0;
    while (rp_op_at(i) != op) i++;
    return i;
}

/* Which operands pass flow tags of a batch. */
static void find_words(const uint32_t *trials, uint32_t count, words *by_op) {
    static uint32_t buffers[OPS_BATCH][RP_OP_MAX_OPERANDS];
    const rp_pass_options options = {.size = sizeof options, .pipeline = "schedule,flow=all"};
    rp_graph *g = ops_tagged_graph(trials, count, buffers[0]), *tagged = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(g, &options, NULL, &tagged, NULL, NULL), RP_OK);
    for (uint32_t i = 0; i < count; i++) {
        const rp_op_call *call = &ops.trials[trials[i]].line.call;
        words *w = &by_op[index_of(call->op)];
        for (uint32_t k = 0; k < call->operand_count; k++) {
            if (buffers[i][k] == RP_NONE) continue;
            uint32_t as = !call->formula ? k : k + 1 < call->operand_count ? 0 : 1;
            w->can[as] = true;
            w->is[as] |= tagged->buffers[buffers[i][k]].tagged;
        }
    }
    rp_graph_destroy(g);
    rp_graph_destroy(tagged);
}

static bool is_untagged(const rp_op *op, uint32_t operand) {
    char name[128];
    snprintf(name, sizeof name, "%s %s", rp_op_name(op), op->operands[operand].name);
    bool found = false;
    for (uint32_t i = 0; i < sizeof untagged / sizeof *untagged; i++)
        found |= strcmp(untagged[i], name) == 0;
    return found;
}

/* All others are, in some case. */
static void test_tagged(void) {
    words *by_op = need(calloc(rp_op_count(), sizeof *by_op));
    uint32_t trials[OPS_BATCH], count = 0, tagged = 0;
    for (uint32_t i = 0; i < ops.count; i++) {
        const trial *t = &ops.trials[i], *next = i + 1 < ops.count ? t + 1 : NULL;
        trials[count++] = i;
        if (next && count < OPS_BATCH && next->skip == t->skip && next->target == t->target)
            continue;
        find_words(trials, count, by_op);
        count = 0;
    }
    for (uint32_t i = 0; i < rp_op_count(); i++)
        for (uint32_t k = 0; k < rp_op_at(i)->operand_count; k++) {
            if (!by_op[i].can[k]) continue;
            tagged += by_op[i].is[k];
            bool as_said = by_op[i].is[k] == !is_untagged(rp_op_at(i), k);
            CU_ASSERT(as_said);
            if (!as_said)
                fprintf(
                    stderr, "\n  %s %s: %s", rp_op_name(rp_op_at(i)), rp_op_at(i)->operands[k].name,
                    by_op[i].is[k] ? "tagged, though untagged[] has it"
                                   : "never tagged: its kernel has no hook for it, or else add it "
                                     "to untagged[]");
        }
    printf("%u operands of %u ops ... ", tagged, rp_op_count());
    free(by_op);
}

/* ---- Values ----------------------------------------------------------------------------------- */

/* Batches of this part from `begin` to `end`, all or while there is time. */
static uint32_t try_part(uint32_t begin, uint32_t end, bool always, uint32_t *done,
                         uint32_t *left) {
    uint32_t wrong = 0;
    for (uint32_t first = begin + ops.part * OPS_BATCH; first < end;
         first += ops.parts * OPS_BATCH) {
        uint32_t count = end - first < OPS_BATCH ? end - first : OPS_BATCH;
        bool time = gpu_has_seconds(SECONDS) || always;
        if (time) wrong += ops_try(first, count);
        *(time ? done : left) += count;
    }
    return wrong;
}

static void test_values(void) {
    uint32_t done = 0, left = 0;
    uint32_t wrong = try_part(0, ops.first, true, &done, &left);
    wrong += try_part(ops.first, ops.count, false, &done, &left);
    printf("%u of %u calls of %u ops, of which %u have every kind, %u operands tagged, %u wrong, "
           "%u left "
           "for which there was no time ... ",
           done, ops.count, rp_op_count(), ops.covering, ops.words, wrong, left);
    if (ops.tagged == 1) CU_ASSERT(ops.words > 0);
    CU_ASSERT(done > 0);
    CU_ASSERT_EQUAL(wrong, 0);
}

/* ---- The suite ------------------------------------------------------------------------------- */

static void remove_cache(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", ops.cache);
    if (system(command) != 0) fprintf(stderr, "%s is left behind\n", ops.cache);
}

int main(int argc, char **argv) {
    static const rp_test tests[] = {{"the cases are well formed", make_trials},
                                    {"no op, dtype or choice without a case", test_complete},
                                    {"operands that are tagged", test_tagged},
                                    {"values against the references", test_values},
                                    {NULL, NULL}};
    rp_diags *diags = rp_diags_create(NULL);
    const char *seed = getenv("RP_SEED");
    ops.only = getenv("RP_OP");
    ops.part = argc == 3 ? (uint32_t)atoi(argv[1]) : 0;
    ops.parts = argc == 3 ? (uint32_t)atoi(argv[2]) : 1;
    if (ops.part >= ops.parts) {
        fprintf(stderr, "usage: test_ops [PART PARTS], with PART below PARTS\n");
        return 2;
    }
    ops.seed = seed && *seed ? strtoull(seed, NULL, 0) : 1;
    strcpy(ops.cache, "/tmp/reprise-ops-XXXXXX");
    if (!mkdtemp(ops.cache) || rp_device_create(NULL, NULL, diags, &ops.device) != RP_OK) {
        gpu_report(diags);
        return 99;
    }
    rp_target own = RP_TARGET_INIT;
    if (rp_device_target(ops.device, &own) != RP_OK) abort();
    ops.on_processor = rp_target_is_software(&own);
    ops.tagged =
        (uint32_t)rp_environment("RP_TAGGED", gpu_tries(ops.device, 1, 2) ? TAGGED : 3 * TAGGED);
    ops.together = ops.on_processor && !ops.only ? TOGETHER : 1;
    rp_device_info info = {.size = sizeof info};
    rp_device_get_info(ops.device, &info);
    printf("ops on %s, seed %llu\n", info.name, (unsigned long long)ops.seed);
    int failures = rp_run_tests("ops", tests);
    rp_device_destroy(ops.device, NULL);
    remove_cache();
    free(ops.trials);
    rp_diags_destroy(diags);
    return failures;
}
