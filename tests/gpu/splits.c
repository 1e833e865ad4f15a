/* Products in parts of k, where a target asks for them, on the device at hand: the bits are the same
 * at -O0 and at -O1, sums are as near to those of one kernel as their orders allow, and what stands
 * behind a product is computed where the parts are added. */
#include <math.h>
#include <stdlib.h>

#include "composite/signature.h"
#include "gpu.h"
#include "support/op_values.h"
#include "support/plan_info.h"

static rp_device *device;

static void *need(void *pointer) {
    if (!pointer) abort();
    return pointer;
}

typedef struct trial {
    const char *op; /* matmul, or linear with a bias */
    rp_dtype a, b, out;
    uint32_t batches, m, n, k;
    bool turn_a, turn_b;
} trial;

/* ---- Running --------------------------------------------------------------------------------- */

static rp_given_operand buffer_of(rp_graph *g, const char *name, const char *in_graph,
                                  rp_buffer_kind kind, rp_dtype dtype, uint32_t rank,
                                  const uint64_t *dims) {
    rp_tensor t = {.dtype = (uint8_t)dtype, .rank = (uint8_t)rank};
    memcpy(t.dims, dims, rank * sizeof *dims);
    return gpu_operand(g, name, in_graph, kind, &t);
}

static rp_graph *graph_of(const trial *t, const rp_target *target) {
    rp_graph *g = rp_graph_create(NULL, "splits");
    CU_ASSERT_FATAL(g != NULL);
    rp_graph_set_target(g, target);
    bool linear = strcmp(t->op, "linear") == 0;
    uint64_t a[3] = {t->batches, t->turn_a ? t->k : t->m, t->turn_a ? t->m : t->k};
    uint64_t b[2] = {t->turn_b || linear ? t->n : t->k, t->turn_b || linear ? t->k : t->n};
    uint64_t out[3] = {t->batches, t->m, t->n}, bias[1] = {t->n};
    rp_given_operand operands[] = {
        buffer_of(g, linear ? "x" : "a", "a", RP_IN, t->a, 3, a),
        buffer_of(g, linear ? "weight" : "b", "b", RP_IN, t->b, 2, b),
        buffer_of(g, "out", "y", RP_OUT, t->out, 3, out),
        buffer_of(g, "bias", "c", RP_IN, RP_F32, 1, bias),
    };
    const rp_attribute attrs[] = {{.name = "transpose_a", .number = t->turn_a},
                                  {.name = "transpose_b", .number = t->turn_b}};
    rp_application x = {.graph = g,
                        .op = t->op,
                        .node = {.kernel = RP_NONE, .label = RP_NONE, .op = RP_NONE},
                        .operands = operands,
                        .attrs = attrs,
                        .operand_count = linear ? 4 : 3,
                        .attr_count = linear ? 0 : 2};
    rp_status status = rp_apply_to_graph(&x);
    if (status != RP_OK) fprintf(stderr, "\n  %s", x.error);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    return g;
}

/* The bytes of y, and how many dispatches they took. */
static uint8_t *run(const trial *t, int level, const rp_target *target, uint32_t *dispatches) {
    rp_graph *g = graph_of(t, target);
    rp_plan *plan = gpu_compile_ops(g, level, NULL);
    *dispatches = plan_info(plan).dispatches;
    rp_exec *exec = gpu_exec(device, plan, NULL);
    uint8_t *results = NULL;
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        const rp_graph_buffer *b = &g->buffers[i];
        const char *name = rp_graph_string(g, b->name);
        uint8_t *bytes = need(calloc(b->size, 1));
        if (b->kind == RP_IN) {
            rp_random random = {4711 + (uint64_t)*name};
            rp_tensor tensor = {.dtype = b->dtype, .rank = b->rank};
            memcpy(tensor.dims, g->dims + b->first_dim, b->rank * sizeof *tensor.dims);
            rp_values_fill(&random, &tensor, b->dtype == RP_I8 ? "" : "finite=2", bytes);
            CU_ASSERT_EQUAL(rp_exec_write(exec, 0, name, 0, bytes, b->size, NULL), RP_OK);
            free(bytes);
        } else if (b->kind == RP_OUT) {
            results = bytes;
        } else {
            free(bytes);
        }
    }
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    uint64_t size = (uint64_t)t->batches * t->m * t->n * rp_dtype_size(t->out);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, results, size, NULL), RP_OK);
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    rp_graph_destroy(g);
    return results;
}

/* ---- Comparing ------------------------------------------------------------------------------- */

static void try(const trial *t, const rp_target *target, uint32_t dispatches) {
    uint32_t one, plain, fused;
    uint8_t *whole = run(t, 1, NULL, &one), *first = run(t, 0, target, &plain);
    uint8_t *second = run(t, 1, target, &fused);
    rp_tensor tensor = {.dtype = (uint8_t)t->out, .rank = 1, .dims = {t->batches * t->m * t->n}};
    uint64_t count = tensor.dims[0], wrong = 0;
    CU_ASSERT_EQUAL(one, 1);
    CU_ASSERT_EQUAL(fused, dispatches);
    CU_ASSERT(plain >= dispatches);
    CU_ASSERT_EQUAL(memcmp(first, second, count * rp_dtype_size(t->out)), 0);
    double *a = need(calloc(count, sizeof *a)), *b = need(calloc(count, sizeof *b));
    rp_values_decode(&tensor, whole, a);
    rp_values_decode(&tensor, second, b);
    double unit = t->out == RP_F16 ? 0x1p-10 : t->out == RP_BF16 ? 0x1p-7 : 0;
    /* Terms are 4 at most; matrices cut off more than they round, and make f16 of blocks. Sums of i8 are
     * exact, of which this leaves room for nothing else. */
    double each = t->a != RP_F16              ? 4 * 0x1p-23
                  : RP_DT(t->b) & RP_DT_BLOCK ? 4 * 0x1p-15
                                              : 4 * 0x1p-19;
    for (uint64_t i = 0; i < count; i++)
        wrong += !(fabs(a[i] - b[i]) <= t->k * each + fabs(a[i]) * unit);
    if (wrong || fused != dispatches)
        fprintf(stderr, "\n  %s %u x %u x %u x %u: %llu wrong, %u dispatches", t->op, t->batches,
                t->m, t->n, t->k, (unsigned long long)wrong, fused);
    CU_ASSERT_EQUAL(wrong, 0);
    free(a), free(b), free(whole), free(first), free(second);
}

static void test_parts(void) {
    static const trial trials[] = {
        {"matmul", RP_F32, RP_F32, RP_F32, 1, 16, 24, 2560, false, true},
        {"matmul", RP_F32, RP_F32, RP_F32, 1, 12, 21, 2563, true, false},
        {"matmul", RP_F32, RP_BF16, RP_BF16, 3, 5, 24, 2560, false, false},
        {"matmul", RP_F32, RP_Q8_0, RP_F16, 1, 9, 24, 2560, false, true},
        {"linear", RP_F32, RP_F32, RP_F32, 1, 17, 24, 2560, false, false},
        {"linear", RP_BF16, RP_F16, RP_F32, 2, 7, 20, 2560, false, false},
        {"matmul", RP_F16, RP_F16, RP_F16, 1, 40, 64, 2560, false, true},
        {"matmul", RP_F16, RP_F16, RP_F32, 1, 37, 45, 2563, true, false},
        {"matmul", RP_F16, RP_Q4_0, RP_F32, 1, 64, 32, 2560, false, true},
        {"matmul", RP_I8, RP_I8, RP_I32, 1, 33, 40, 2560, false, true},
        {"matmul", RP_I8, RP_I8, RP_I32, 2, 24, 35, 2563, true, false},
    };
    rp_target large = *rp_target_builtin("h200"), own = RP_TARGET_INIT;
    large.shared_bytes = 32768; /* what every device has */
    CU_ASSERT_EQUAL(rp_device_target(device, &own), RP_OK);
    large.matrix_shapes &= own.matrix_shapes;
    large.needs &= own.needs;
    for (uint32_t i = 0; i < sizeof trials / sizeof *trials; i++)
        if (gpu_tries(device, i, 2)) try(&trials[i], &large, 2);
}

/* Enough tiles, a short k, a processor: one kernel. */
static void test_whole(void) {
    static const trial little = {"matmul", RP_F32, RP_F32, RP_F32, 1, 16, 24, 256, false, true};
    static const trial deep = {"linear", RP_F32, RP_F32, RP_F32, 1, 16, 24, 2560, false, false};
    rp_target own;
    try(&little, gpu_target_like(device, rp_target_builtin("h200"), &own), 1);
    try(&deep, rp_target_builtin("lavapipe"), 1);
}

int main(void) {
    static const rp_test tests[] = {
        {"in parts of k", test_parts}, {"in one kernel", test_whole}, {NULL, NULL}};
    rp_diags *diags = rp_diags_create(NULL);
    if (rp_device_create(NULL, NULL, diags, &device) != RP_OK) {
        gpu_report(diags);
        return 99;
    }
    int failures = rp_run_tests("splits", tests);
    rp_device_destroy(device, NULL);
    rp_diags_destroy(diags);
    return failures;
}
