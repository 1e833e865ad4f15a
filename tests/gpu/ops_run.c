/* Running the trials of the op tests, and holding the results against the references. */
#include "ops_trial.h"

#include <float.h>
#include <math.h>

#include "reference/reference.h"
#include "support/plan_info.h"
#include "support/same_values.h"

enum { SHOWN = 12 };

/* ---- Running --------------------------------------------------------------------------------- */

static void buffer_name(char name[64], uint32_t index, const trial *t, uint32_t operand) {
    snprintf(name, 64, "c%u.%s", index, rp_op_operand_name(&t->line.call, operand));
}

static rp_graph *begin_graph(const trial *t) {
    rp_graph *g = need(rp_graph_create(NULL, "ops"));
    g->skip_variants = t->skip;
    if (t->target) rp_graph_set_target(g, t->target);
    return g;
}

static rp_buffer_kind kind_of(const rp_op_call *call, uint32_t operand) {
    uint8_t access = rp_op_operand_of(call, operand)->access;
    return access == RP_WRITE ? RP_OUT : access == RP_READ_WRITE ? RP_INOUT : RP_IN;
}

static rp_graph *make_graph(uint32_t first, uint32_t count) {
    rp_graph *g = begin_graph(&ops.trials[first]);
    for (uint32_t i = first; i < first + count; i++) {
        trial *t = &ops.trials[i];
        const rp_op_call *call = &t->line.call;
        rp_op_argument arguments[RP_OP_MAX_OPERANDS] = {0};
        rp_random random = {ops.seed * 1000003 + i};
        for (uint32_t k = 0; k < call->operand_count; k++) {
            char name[64];
            arguments[k].tensor = call->operands[k];
            if (call->operands[k].absent) continue;
            uint64_t size = rp_tensor_bytes(&call->operands[k]);
            t->bytes[k] = need(calloc(size + 4, 1));
            rp_values_fill(&random, &call->operands[k], t->line.fill[k], t->bytes[k]);
            buffer_name(name, i, t, k);
            arguments[k].buffer =
                rp_add_tensor_buffer(g, name, kind_of(call, k), &call->operands[k]);
        }
        rp_op_line_add(g, &t->line, i - first, arguments);
    }
    return g;
}

static void transfer(rp_exec *exec, uint32_t index, ops_run run, bool write) {
    trial *t = &ops.trials[index];
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
        t->results[run][k] = need(calloc(size + 4, 1));
        CU_ASSERT_EQUAL(rp_exec_read(exec, 0, name, 0, t->results[run][k], size, NULL), RP_OK);
    }
}

/* A run behind a first one with the same inputs: in plans with tagged buffers that waits. */
static void run_plan(const rp_plan *plan, const uint32_t *trials, uint32_t count, ops_run run) {
    /* All levels have kernels in common: the later ones find the pipelines of the first. */
    const rp_exec_params params = {.size = sizeof params, .cache_path = ops.cache};
    rp_exec *exec = gpu_exec(ops.device, plan, &params);
    for (uint32_t replay = 0; replay < (run == OPS_TAGGED ? 2 : 1); replay++) {
        for (uint32_t i = 0; i < count; i++) transfer(exec, trials[i], run, true);
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    }
    for (uint32_t i = 0; i < count; i++) transfer(exec, trials[i], run, false);
    rp_exec_destroy(exec);
}

static bool run_level(const rp_graph *g, const uint32_t *trials, uint32_t count, int level) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = gpu_try_compile_ops(g, level, NULL, diags);
    if (!plan && count == 1) gpu_report(diags);
    rp_diags_destroy(diags);
    if (!plan) return false;
    run_plan(plan, trials, count, level == 0 ? OPS_O0 : OPS_O1);
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
    if (ops.shown++ > SHOWN && !ops.only) return;
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
    for (uint32_t run = OPS_O1; run < OPS_RUNS; run++) {
        const uint8_t *other = t->results[run][operand];
        if (!other ||
            rp_first_difference(tensor->dtype, t->results[0][operand], other, size) == UINT64_MAX)
            continue;
        fprintf(stderr, "\n  %s {%s} (%s): %s differs from -O0", t->name, t->attrs, t->operands,
                run == OPS_O1 ? "-O1" : "what is tagged");
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
    if (ops.only && w.wrong == 0)
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
/* ---- Tagged ---------------------------------------------------------------------------------- */

/* A node of its own that copies a tensor's elements, in a row. */
static void add_copy(rp_graph *g, const rp_tensor *t, uint32_t from, uint32_t to) {
    rp_op_line line;
    char operands[64];
    snprintf(operands, sizeof operands, "%s[%llu]", rp_dtype_name((rp_dtype)t->dtype),
             (unsigned long long)rp_tensor_elements(t));
    CU_ASSERT_FATAL(rp_op_line_parse(&line, "copy", "", operands));
    const rp_op_argument arguments[] = {{.tensor = line.call.operands[0], .buffer = from},
                                        {.tensor = line.call.operands[1], .buffer = to}};
    rp_op_line_add(g, &line, g->nodes_count, arguments);
}

static bool has_words(const rp_op_call *call, uint32_t k) {
    const rp_tensor *t = &call->operands[k];
    return !t->absent && RP_DT(t->dtype) & (RP_DT(RP_F32) | RP_DT(RP_I32) | RP_DT(RP_U32)) &&
           kind_of(call, k) != RP_INOUT;
}

rp_graph *ops_tagged_graph(const uint32_t *trials, uint32_t count, uint32_t *out_operands) {
    rp_graph *g = begin_graph(&ops.trials[trials[0]]);
    for (uint32_t i = 0; i < count; i++) {
        trial *t = &ops.trials[trials[i]];
        const rp_op_call *call = &t->line.call;
        rp_op_argument arguments[RP_OP_MAX_OPERANDS] = {0};
        uint32_t outside[RP_OP_MAX_OPERANDS];
        for (uint32_t k = 0; k < RP_OP_MAX_OPERANDS && out_operands; k++)
            out_operands[i * RP_OP_MAX_OPERANDS + k] = RP_NONE;
        for (uint32_t k = 0; k < call->operand_count; k++) {
            char name[64];
            const rp_tensor *tensor = &call->operands[k];
            arguments[k].tensor = *tensor;
            if (tensor->absent) continue;
            buffer_name(name, trials[i], t, k);
            outside[k] = rp_add_tensor_buffer(g, name, kind_of(call, k), tensor);
            arguments[k].buffer = outside[k];
            if (!has_words(call, k)) continue;
            strcat(name, ".t");
            arguments[k].buffer = rp_add_tensor_buffer(g, name, RP_TMP, tensor);
            if (out_operands) out_operands[i * RP_OP_MAX_OPERANDS + k] = arguments[k].buffer;
            if (kind_of(call, k) == RP_IN) add_copy(g, tensor, outside[k], arguments[k].buffer);
        }
        rp_op_line_add(g, &t->line, g->nodes_count, arguments);
        for (uint32_t k = 0; k < call->operand_count; k++)
            if (has_words(call, k) && kind_of(call, k) == RP_OUT)
                add_copy(g, &call->operands[k], arguments[k].buffer, outside[k]);
    }
    return g;
}

/* Without the passes that would have the copies away. */
static bool run_tagged(const uint32_t *trials, uint32_t count) {
    const rp_pass_options options = {.size = sizeof options,
                                     .pipeline = "schedule,flow=all,lower,place,sync",
                                     .lowering = rp_lowering_default()};
    rp_graph *g = ops_tagged_graph(trials, count, NULL);
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = NULL;
    (void)rp_compile(g, &options, diags, &plan, NULL);
    if (!plan && count == 1) gpu_report(diags);
    rp_diags_destroy(diags);
    rp_graph_destroy(g);
    if (!plan) return false;
    run_plan(plan, trials, count, OPS_TAGGED);
    ops.words += plan_info(plan).tagged;
    rp_plan_destroy(plan);
    return true;
}

/* As ops_try(): a batch that does not compile is halved. How many did not. */
static uint32_t try_tagged(const uint32_t *trials, uint32_t count) {
    if (count == 0 || run_tagged(trials, count)) return 0;
    if (count > 1)
        return try_tagged(trials, count / 2) + try_tagged(trials + count / 2, count - count / 2);
    tell(&ops.trials[trials[0]], 0, &(worst){0}, "to compile with tags");
    return 1;
}

/* Of a batch those whose turn it is with this seed. */
static uint32_t try_some_tagged(uint32_t first, uint32_t count) {
    uint32_t trials[OPS_BATCH], chosen = 0;
    for (uint32_t i = first; i < first + count; i++)
        if (ops.tagged && (i * 2654435761u >> 16) % ops.tagged == ops.seed % ops.tagged)
            trials[chosen++] = i;
    return try_tagged(trials, chosen);
}

/* ---- One batch ------------------------------------------------------------------------------- */

static void release(trial *t) {
    for (uint32_t k = 0; k < RP_OP_MAX_OPERANDS; k++) {
        free(t->bytes[k]);
        t->bytes[k] = NULL;
        for (uint32_t run = 0; run < OPS_RUNS; run++) {
            free(t->results[run][k]);
            t->results[run][k] = NULL;
        }
    }
}

/* A batch that does not compile is halved until the cases to blame are alone; one for several
 * targets, or that passes over variants in different ways, is parted. */
uint32_t ops_try(uint32_t first, uint32_t count) {
    uint32_t wrong = 0, alike = 1;
    while (alike < count && ops.trials[first + alike].skip == ops.trials[first].skip &&
           ops.trials[first + alike].target == ops.trials[first].target)
        alike++;
    if (alike < count) return ops_try(first, alike) + ops_try(first + alike, count - alike);
    uint32_t trials[OPS_BATCH];
    for (uint32_t i = 0; i < OPS_BATCH; i++) trials[i] = first + i;
    rp_graph *g = make_graph(first, count);
    bool together = first / (OPS_BATCH * ops.parts) % ops.together == 0;
    bool ran = run_level(g, trials, count, 0) && (!together || run_level(g, trials, count, 1));
    if (ran) wrong += try_some_tagged(first, count);
    for (uint32_t i = first; i < first + count; i++) {
        if (ran) wrong += !compare(&ops.trials[i]);
        release(&ops.trials[i]);
    }
    rp_graph_destroy(g);
    if (ran) return wrong;
    if (count > 1) return ops_try(first, count / 2) + ops_try(first + count / 2, count - count / 2);
    tell(&ops.trials[first], 0, &(worst){0}, "to compile");
    return 1;
}
