/* Every op against its reference in double precision, on the device at hand.
 *
 * The cases of ops_cases.c are packed into graphs of many op nodes, compiled at -O0 and at -O1,
 * run, and read back. Integers must be exact. A float g may differ from the reference r by
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
 * hand can pass for that, and each variant needs a case.
 *
 *   test_ops [PART PARTS]   every PARTS-th batch of cases, beginning with PART (from 0): as a
 *                           driver compiles one pipeline after the other, several processes share
 *                           the work
 *   RP_OP=name              tries this op alone, and prints the worst error of each case
 *   RP_SEED=n               other values
 *   RP_SECONDS=n            no more batches are begun then, 60 without: those that a fresh machine
 *                           leaves out are of all kinds, and counted */
#include "ops.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "gpu.h"
#include "ops/formula.h"
#include "reference/reference.h"
#include "support/op_calls.h"
#include "support/same_values.h"

enum { BATCH = 48, MAX_CASES = 4096, SHOWN = 12, SECONDS = 60, TURNS = 8 };

typedef struct trial {
    const op_case *from;
    rp_op_line line;
    const rp_target *target;      /* that the variant is chosen for; NULL: `portable` */
    uint32_t skip;                /* variants that would fit and are passed over */
    const rp_op_variant *variant; /* which is left; NULL: the op has none */
    char name[64], operands[256], attrs[256];
    uint8_t *bytes[RP_OP_MAX_OPERANDS];      /* before the run */
    uint8_t *results[2][RP_OP_MAX_OPERANDS]; /* of -O0 and -O1 */
    uint32_t buffers[RP_OP_MAX_OPERANDS];
} trial;

static struct {
    rp_device *device;
    const char *only;
    uint64_t seed;
    uint32_t part, parts; /* of the batches, which are done here */
    trial *trials;
    uint32_t count;
    uint32_t shown; /* messages about wrong results, that they stay readable */
    char cache[64];
} T;

static void *need(void *block) {
    if (!block) abort();
    return block;
}

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
    CU_ASSERT_FATAL(T.count < MAX_CASES);
    trial *t = &T.trials[T.count];
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
    T.count += ok;
}

static bool is_tried(const trial *t, uint32_t first) {
    for (uint32_t i = first; i < T.count; i++)
        if (T.trials[i].variant == t->variant && T.trials[i].from == t->from &&
            strcmp(T.trials[i].operands, t->operands) == 0 &&
            strcmp(T.trials[i].attrs, t->attrs) == 0)
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
            trial next = T.trials[i];
            if (!next.variant || skip >= rp_op_fitting(&next.line.call, target)) continue;
            more = true;
            choose(&next, target, skip);
            if (is_tried(&next, i)) continue;
            CU_ASSERT_FATAL(T.count < MAX_CASES);
            T.trials[T.count++] = next;
        }
    }
}

static void add_targets(void) {
    static rp_target targets[8];
    uint32_t cases = T.count, count = 0;
    CU_ASSERT_EQUAL_FATAL(rp_target_list(sizeof targets / sizeof *targets), NULL);
    for (const rp_target *t; (t = rp_target_list(count)); count++)
        add_variants(gpu_target_like(T.device, t, &targets[count]), cases);
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
        if (!T.only || strcmp(T.only, cases[i].op) == 0) add_trial(&cases[i], "", "");
}

static void add_trials(const op_case *cases, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const op_case *c = &cases[i];
        if (T.only && strcmp(T.only, c->op) != 0) continue;
        const char *type = c->types ? c->types : "T", *more = c->more ? c->more : "U";
        for (const char *a = type; *a; a += strcspn(a, " "), a += strspn(a, " "))
            for (const char *b = more; *b; b += strcspn(b, " "), b += strspn(b, " "))
                add_trial(c, a, b);
    }
}

static void make_trials(void) {
    T.trials = need(calloc(MAX_CASES, sizeof *T.trials));
    add_wide_trials();
    add_trials(op_cases, op_case_count);
    add_trials(op_attention_cases, op_attention_case_count);
    add_trials(op_byte_cases, op_byte_case_count);
    add_trials(op_random_cases, op_random_case_count);
    add_trials(op_type_cases, op_type_case_count);
    add_targets();
    CU_ASSERT(T.count > 0);
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
        if (rp_tensor_elements(t) > most) most = rp_tensor_elements(t);
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
    CU_ASSERT_EQUAL_FATAL(rp_device_target(T.device, &own), RP_OK);
    const rp_target *target;
    for (uint32_t i = 0; (target = rp_target_list(i)); i++)
        for (uint32_t k = 0; k < T.count && target->subgroup != own.subgroup; k++) {
            const rp_op_call *given = &T.trials[k].line.call;
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
        for (uint32_t k = 0; k < T.count; k++) found |= T.trials[k].variant == v;
        if (!found && !is_for_others(op, v)) lacks |= missing(op, "that it fits", v->name);
    }
    return lacks;
}

static void test_complete(void) {
    CU_ASSERT(rp_op_count() > 60);
    for (uint32_t i = 0; i < rp_op_count(); i++) {
        const rp_op *op = rp_op_at(i);
        coverage c = {0};
        if (T.only && strcmp(T.only, rp_op_name(op)) != 0) continue;
        for (uint32_t k = 0; k < T.count; k++)
            if (T.trials[k].line.call.op == op) cover(&c, &T.trials[k].line.call);
        CU_ASSERT_FALSE(lacks(op, &c));
        CU_ASSERT_FALSE(lacks_variant(op));
    }
}

/* ---- Running --------------------------------------------------------------------------------- */

static void buffer_name(char name[64], uint32_t index, const trial *t, uint32_t operand) {
    snprintf(name, 64, "c%u.%s", index, rp_op_operand_name(&t->line.call, operand));
}

static rp_graph *make_graph(uint32_t first, uint32_t count) {
    rp_graph *g = need(rp_graph_create(NULL, "ops"));
    g->skip_variants = T.trials[first].skip;
    if (T.trials[first].target) rp_graph_set_target(g, T.trials[first].target);
    for (uint32_t i = first; i < first + count; i++) {
        trial *t = &T.trials[i];
        const rp_op_call *call = &t->line.call;
        rp_op_argument arguments[RP_OP_MAX_OPERANDS] = {0};
        rp_random random = {T.seed * 1000003 + i};
        for (uint32_t k = 0; k < call->operand_count; k++) {
            char name[64];
            arguments[k].tensor = call->operands[k];
            if (call->operands[k].absent) continue;
            uint64_t size = rp_tensor_bytes(&call->operands[k]);
            uint8_t access = rp_op_operand_of(call, k)->access;
            t->bytes[k] = need(calloc(size + 4, 1));
            rp_values_fill(&random, &call->operands[k], t->line.fill[k], t->bytes[k]);
            buffer_name(name, i, t, k);
            arguments[k].buffer = rp_add_tensor_buffer(g, name,
                                                       access == RP_WRITE        ? RP_OUT
                                                       : access == RP_READ_WRITE ? RP_INOUT
                                                                                 : RP_IN,
                                                       &call->operands[k]);
        }
        rp_op_line_add(g, &t->line, i - first, arguments);
    }
    return g;
}

static rp_plan *compile(const rp_graph *g, int level, bool quiet) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = gpu_try_compile_ops(g, level, NULL, diags);
    if (!plan && !quiet) gpu_report(diags);
    rp_diags_destroy(diags);
    return plan;
}

static void transfer(rp_exec *exec, uint32_t index, int level, bool write) {
    trial *t = &T.trials[index];
    const rp_op_call *call = &t->line.call;
    for (uint32_t k = 0; k < call->operand_count; k++) {
        char name[64];
        if (call->operands[k].absent) continue;
        uint8_t access = rp_op_operand_of(call, k)->access;
        uint64_t size = rp_tensor_bytes(&call->operands[k]);
        buffer_name(name, index, t, k);
        if (write && access != RP_WRITE)
            CU_ASSERT_EQUAL(rp_exec_write(exec, 0, name, 0, t->bytes[k], size, NULL), RP_OK);
        if (write || !rp_access_writes(access)) continue;
        t->results[level][k] = need(calloc(size + 4, 1));
        CU_ASSERT_EQUAL(rp_exec_read(exec, 0, name, 0, t->results[level][k], size, NULL), RP_OK);
    }
}

static bool run_level(const rp_graph *g, uint32_t first, uint32_t count, int level) {
    rp_plan *plan = compile(g, level, count > 1);
    if (!plan) return false;
    /* Both levels have the same kernels: the second finds the pipelines of the first. */
    const rp_exec_params params = {.size = sizeof params, .cache_path = T.cache};
    rp_exec *exec = gpu_exec(T.device, plan, &params);
    for (uint32_t i = first; i < first + count; i++) transfer(exec, i, level, true);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    for (uint32_t i = first; i < first + count; i++) transfer(exec, i, level, false);
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    return true;
}

/* ---- Comparing ------------------------------------------------------------------------------- */

static bool has_blocks(const rp_op_call *call) {
    for (uint32_t i = 0; i < call->operand_count; i++)
        if (!call->operands[i].absent && (RP_DT(call->operands[i].dtype) & RP_DT_BLOCK))
            return true;
    return false;
}

static const op_bound *bound_of(const trial *t) {
    static const op_bound none = {"", 2, 0, "", false};
    const rp_op_call *call = &t->line.call;
    for (uint32_t i = 0; i < op_bound_count; i++) {
        const op_bound *b = &op_bounds[i];
        bool same = strcmp(b->op, t->name) == 0 || strcmp(b->op, rp_op_name(call->op)) == 0;
        if (same && (!b->blocks || has_blocks(call))) return b;
    }
    return &none;
}

/* Cooperative matrices add some products at once, then as many to what there is, to the end. */
static double rounding_steps(const trial *t) {
    const rp_op_call *call = &t->line.call;
    double terms = rp_op_product(call, call->op->length);
    bool serial = call->op->form == RP_OP_POINTWISE || call->op->form == RP_OP_SCATTER ||
                  (t->variant && (t->variant->needs & RP_NEED_COOPERATIVE_MATRIX));
    return serial || terms <= 128 ? terms : terms / 256 + 128;
}

typedef struct worst {
    double ratio, got, expected;
    uint64_t at, wrong;
} worst;

static bool is_float(const rp_tensor *t) {
    return RP_DT(t->dtype) & RP_DT_FLOAT;
}

static double error_ratio(const trial *t, const rp_tensor *tensor, double got, double expected,
                          double scale) {
    const op_bound *bound = bound_of(t);
    bool exact = !is_float(tensor); /* f64 is moved and converted alone */
    if (exact && !isnan(expected)) return got == expected ? 0 : INFINITY;
    if (isnan(expected)) return isnan(got) ? 0 : INFINITY;
    bool half = tensor->dtype == RP_F16, brief = tensor->dtype == RP_BF16;
    double size = fabs(expected), most = half ? 65504 : brief ? 0x1.fep127 : FLT_MAX;
    double rest = most * (half ? 0x1p-12 : brief ? 0x1p-9 : 0x1p-25);
    if (isinf(expected)) return got == expected ? 0 : INFINITY;
    double relative = (rounding_steps(t) + 2 + bound->ulps) * 0x1p-23;
    double allowed = bound->absolute + relative * fmax(size, scale) + FLT_MIN;
    if (half) allowed += size * 0x1p-11 + 0x1p-25;
    if (brief) allowed += size * 0x1p-8;
    if (isinf(got) && size + allowed >= most + rest && signbit(got) == signbit(expected)) return 0;
    if (size >= most + rest && isinf(got)) return 0;
    double ratio = fabs(got - expected) / allowed;
    return isnan(ratio) ? INFINITY : ratio;
}

static void tell(const trial *t, uint32_t operand, const worst *w, const char *how) {
    if (T.shown++ > SHOWN && !T.only) return;
    fprintf(stderr, "\n  %s {%s} (%s) %s: %llu wrong %s, worst at %llu: %.9g, expected %.9g",
            t->name, t->attrs, t->operands, rp_op_operand_name(&t->line.call, operand),
            (unsigned long long)w->wrong, how, (unsigned long long)w->at, w->got, w->expected);
}

/* `flushed`: what is expected of a device that takes denormal inputs for zeros of their sign. */
static bool compare_output(const trial *t, uint32_t operand, const double *expected,
                           const double *flushed, const double *scale) {
    const rp_tensor *tensor = &t->line.call.operands[operand];
    uint64_t count = rp_tensor_elements(tensor), size = rp_tensor_bytes(tensor);
    double *got = need(malloc((count + 1) * sizeof *got));
    worst w = {0};
    if (rp_first_difference(tensor->dtype, t->results[0][operand], t->results[1][operand], size) !=
        UINT64_MAX) {
        fprintf(stderr, "\n  %s (%s): -O1 differs from -O0", t->name, t->operands);
        w.wrong++;
    }
    rp_values_decode(tensor, t->results[0][operand], got);
    for (uint64_t i = 0; i < count; i++) {
        double added = scale ? scale[i] : 0;
        double ratio = error_ratio(t, tensor, got[i], expected[i], added);
        if (ratio > 1 && error_ratio(t, tensor, got[i], flushed[i], added) <= 1) ratio = 1;
        w.wrong += ratio > 1;
        if (ratio > w.ratio) w = (worst){ratio, got[i], expected[i], i, w.wrong};
    }
    if (w.wrong > 0) tell(t, operand, &w, "");
    if (T.only && w.wrong == 0)
        fprintf(stderr, "\n  %s {%s} (%s): worst error is %.3f of what is allowed", t->name,
                t->attrs, t->operands, w.ratio);
    free(got);
    return w.wrong == 0;
}

/* The reference's results. It works on f32 and f16 values as stored; what it leaves alone keeps its
 * bytes. */
static void refer(const trial *t, bool flush, rp_op_data *out) {
    const rp_op_call *call = &t->line.call;
    bool first_output = true;
    for (uint32_t k = 0; k < call->operand_count; k++) {
        if (call->operands[k].absent) continue;
        uint64_t count = rp_tensor_elements(&call->operands[k]);
        double *values = out->operands[k] = need(calloc(count + 1, sizeof(double)));
        rp_values_decode(&call->operands[k], t->bytes[k], values);
        for (uint64_t i = 0; flush && i < count; i++)
            if (fabs(values[i]) < FLT_MIN) values[i] = copysign(0, values[i]);
        if (!rp_op_line_writes(call, k) || !first_output) continue;
        first_output = false;
        out->scale = need(calloc(count + 1, sizeof(double)));
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(rp_reference_of(call->op));
    rp_reference_of(call->op)(call, out);
}

static bool compare(trial *t) {
    const rp_op_call *call = &t->line.call;
    rp_op_data data = {0}, flushed = {0};
    bool same = true, first_output = true;
    refer(t, false, &data);
    refer(t, true, &flushed);
    for (uint32_t k = 0; k < call->operand_count; k++) {
        if (call->operands[k].absent || !rp_op_line_writes(call, k)) continue;
        same &= compare_output(t, k, data.operands[k], flushed.operands[k],
                               first_output ? data.scale : NULL);
        first_output = false;
    }
    for (uint32_t k = 0; k < call->operand_count; k++) {
        free(data.operands[k]);
        free(flushed.operands[k]);
    }
    free(data.scale);
    free(flushed.scale);
    return same;
}

static void release(trial *t) {
    for (uint32_t k = 0; k < RP_OP_MAX_OPERANDS; k++) {
        free(t->bytes[k]);
        free(t->results[0][k]);
        free(t->results[1][k]);
        t->bytes[k] = t->results[0][k] = t->results[1][k] = NULL;
    }
}

/* A batch that does not compile is halved until the cases to blame are alone; one for several
 * targets, or that passes over variants in different ways, is parted. */
static uint32_t try_cases(uint32_t first, uint32_t count) {
    uint32_t wrong = 0, alike = 1;
    while (alike < count && T.trials[first + alike].skip == T.trials[first].skip &&
           T.trials[first + alike].target == T.trials[first].target)
        alike++;
    if (alike < count) return try_cases(first, alike) + try_cases(first + alike, count - alike);
    rp_graph *g = make_graph(first, count);
    bool ran = run_level(g, first, count, 0) && run_level(g, first, count, 1);
    for (uint32_t i = first; i < first + count; i++) {
        if (ran) wrong += !compare(&T.trials[i]);
        release(&T.trials[i]);
    }
    rp_graph_destroy(g);
    if (ran) return wrong;
    if (count > 1)
        return try_cases(first, count / 2) + try_cases(first + count / 2, count - count / 2);
    tell(&T.trials[first], 0, &(worst){0}, "to compile");
    return 1;
}

/* Every TURNS-th batch of the part, then those behind them, and so on. */
static void test_values(void) {
    uint32_t wrong = 0, done = 0, left = 0;
    for (uint32_t turn = 0; turn < TURNS; turn++)
        for (uint32_t first = (turn * T.parts + T.part) * BATCH; first < T.count;
             first += TURNS * T.parts * BATCH) {
            uint32_t count = T.count - first < BATCH ? T.count - first : BATCH;
            bool time = gpu_has_seconds(SECONDS);
            if (time) wrong += try_cases(first, count);
            *(time ? &done : &left) += count;
        }
    printf("%u of %u cases of %u ops, %u wrong, %u left for which there was no time ... ", done,
           T.count, rp_op_count(), wrong, left);
    CU_ASSERT(done > 0);
    CU_ASSERT_EQUAL(wrong, 0);
}

/* ---- The suite ------------------------------------------------------------------------------- */

static void remove_cache(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", T.cache);
    if (system(command) != 0) fprintf(stderr, "%s is left behind\n", T.cache);
}

int main(int argc, char **argv) {
    static const rp_test tests[] = {{"the cases are well formed", make_trials},
                                    {"no op, dtype or choice without a case", test_complete},
                                    {"values against the references", test_values},
                                    {NULL, NULL}};
    rp_diags *diags = rp_diags_create(NULL);
    const char *seed = getenv("RP_SEED");
    T.only = getenv("RP_OP");
    T.part = argc == 3 ? (uint32_t)atoi(argv[1]) : 0;
    T.parts = argc == 3 ? (uint32_t)atoi(argv[2]) : 1;
    if (T.part >= T.parts) {
        fprintf(stderr, "usage: test_ops [PART PARTS], with PART below PARTS\n");
        return 2;
    }
    T.seed = seed && *seed ? strtoull(seed, NULL, 0) : 1;
    strcpy(T.cache, "/tmp/reprise-ops-XXXXXX");
    if (!mkdtemp(T.cache) || rp_device_create(NULL, NULL, diags, &T.device) != RP_OK) {
        gpu_report(diags);
        return 99;
    }
    rp_device_info info = {.size = sizeof info};
    rp_device_get_info(T.device, &info);
    printf("ops on %s, seed %llu\n", info.name, (unsigned long long)T.seed);
    int failures = rp_run_tests("ops", tests);
    rp_device_destroy(T.device, NULL);
    remove_cache();
    free(T.trials);
    rp_diags_destroy(diags);
    return failures;
}
