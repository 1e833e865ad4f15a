/* What the ops over rows become where a target asks for it, on the device at hand: few long rows
 * are cut into parts, short ones have a team of threads, and on a processor a row has a thread. At
 * -O0 and at -O1 the bits are the same; what is found by comparing is what one kernel finds; sums
 * are as near as the op's notes allow. Rows have ties, NaN, infinities and -inf alone, and lengths
 * that no number of parts divides. */
#include <math.h>
#include <stdlib.h>

#include "composite/signature.h"
#include "gpu.h"
#include "support/plan_info.h"

static rp_device *device;

enum { MOST = 3 * 20011 };

/* ---- Rows ------------------------------------------------------------------------------------ */

typedef enum filling { RANDOM, FAR, TIES, EQUAL, NOTHING, HOLES, ENDLESS, FILLINGS } filling;

static float element(filling f, uint32_t row, uint32_t c, uint32_t length) {
    uint32_t n = (row * 7919 + c) * 2654435761u;
    n ^= n >> 15, n *= 0x2c1b3c6du, n ^= n >> 12;
    float value = (float)(n >> 8) / 8388608.0f - 1.0f;
    switch (f) {
    case RANDOM: return 4 * value;
    case FAR: return 3000 + value;
    case TIES: return (float)(n % 5);
    case EQUAL: return 0.75f;
    case NOTHING: return row == 1 ? NAN : -INFINITY;
    case HOLES: return n % 11 == 0 ? NAN : n % 7 == 0 ? -INFINITY : value;
    case ENDLESS: return c == length / 2 || c == length - 1 ? INFINITY : value;
    case FILLINGS: break;
    }
    return 0;
}

/* ---- Running --------------------------------------------------------------------------------- */

typedef struct trial {
    const char *op;
    const char *with[2]; /* operands more */
    rp_attribute attr;
    bool per_row;
    bool exact;      /* found by comparing */
    float tolerance; /* of the largest result, else */
} trial;

static rp_given_operand buffer_of(rp_graph *g, const char *operand, const char *name,
                                  rp_buffer_kind kind, rp_dtype dtype, uint64_t rows,
                                  uint64_t length) {
    rp_tensor t = {.dtype = (uint8_t)dtype};
    if (rows) t.dims[t.rank++] = rows;
    if (length) t.dims[t.rank++] = length;
    return gpu_operand(g, operand, name, kind, &t);
}

/* The op's operands are x; y and what the trial names as w, or as a transient to be made. */
static rp_graph *graph_of(const trial *t, uint64_t rows, uint64_t length, const rp_target *target) {
    rp_graph *g = rp_graph_create(NULL, "rows");
    CU_ASSERT_FATAL(g != NULL);
    rp_graph_set_target(g, target);
    rp_dtype dtype = strncmp(t->op, "arg", 3) ? RP_F32 : RP_U32;
    rp_given_operand operands[5] = {
        buffer_of(g, "x", "x", RP_IN, RP_F32, rows, length),
        buffer_of(g, "out", "y", RP_OUT, dtype, rows, t->per_row ? 0 : length)};
    rp_given_operand w = buffer_of(g, "w", "w", RP_IN, RP_F32, 0, length);
    uint32_t count = 2;
    for (uint32_t i = 0; i < 2 && t->with[i]; i++) {
        operands[count] = w;
        if (strcmp(t->with[i], "norms") == 0) {
            operands[count].fresh = rp_graph_intern(g, "norms", 5);
            operands[count].argument =
                (rp_op_argument){.tensor = {.rank = RP_OP_INFER}, .buffer = RP_NONE};
        }
        operands[count++].name = t->with[i];
    }
    rp_application x = {.graph = g,
                        .op = t->op,
                        .node = {.kernel = RP_NONE, .label = RP_NONE, .op = RP_NONE},
                        .operands = operands,
                        .attrs = &t->attr,
                        .operand_count = count,
                        .attr_count = t->attr.name != NULL};
    rp_status status = rp_apply_to_graph(&x);
    if (status != RP_OK) fprintf(stderr, "\n  %s", x.error);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    return g;
}

/* A plan on the device, and how many dispatches it has. */
typedef struct ready {
    rp_exec *exec;
    rp_plan *plan;
    uint32_t dispatches;
} ready;

static ready prepare(const trial *t, uint32_t rows, uint32_t length, int level,
                     const rp_target *target) {
    ready r;
    rp_graph *graph = graph_of(t, rows, length, target);
    r.plan = gpu_compile_ops(graph, level, NULL);
    r.dispatches = plan_info(r.plan).dispatches;
    r.exec = gpu_exec(device, r.plan, NULL);
    rp_graph_destroy(graph);
    return r;
}

static void drop(ready *r) {
    rp_exec_destroy(r->exec);
    rp_plan_destroy(r->plan);
}

static void run(const trial *t, const ready *r, uint32_t rows, uint32_t length, filling f,
                float *out) {
    static float x[MOST], w[MOST];
    uint32_t results = t->per_row ? rows : rows * length;
    for (uint32_t i = 0; i < rows * length; i++) x[i] = element(f, i / length, i % length, length);
    for (uint32_t i = 0; i < length; i++) w[i] = element(RANDOM, 99, i, length);
    uint64_t size = rows * length * sizeof *x;
    CU_ASSERT_EQUAL(rp_exec_write(r->exec, 0, "x", 0, x, size, NULL), RP_OK);
    if (t->with[0] && strcmp(t->with[0], "norms"))
        CU_ASSERT_EQUAL(rp_exec_write(r->exec, 0, "w", 0, w, length * sizeof *w, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(r->exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(r->exec, 0, UINT64_MAX, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_read(r->exec, 0, "y", 0, out, results * sizeof *out, NULL), RP_OK);
}

/* ---- Comparing ------------------------------------------------------------------------------- */

static bool near(float a, float b, float scale, const trial *t) {
    if (t->exact) return memcmp(&a, &b, sizeof a) == 0 || a == b;
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
    if (isinf(a) || isinf(b)) return a == b;
    return fabsf(a - b) <= t->tolerance * scale;
}

/* The three: in one kernel, in parts at -O0, and in parts at -O1. */
static void compare(const trial *t, const ready ways[3], uint32_t rows, uint32_t length,
                    filling f) {
    static float whole[MOST], plain[MOST], fused[MOST];
    uint32_t count = t->per_row ? rows : rows * length;
    run(t, &ways[0], rows, length, f, whole);
    run(t, &ways[1], rows, length, f, plain);
    run(t, &ways[2], rows, length, f, fused);
    float scale = 0;
    for (uint32_t i = 0; i < count; i++)
        if (isfinite(whole[i]) && fabsf(whole[i]) > scale) scale = fabsf(whole[i]);
    uint32_t unlike = 0, wrong = 0, at = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool nans = isnan(plain[i]) && isnan(fused[i]) && strncmp(t->op, "arg", 3);
        unlike += memcmp(&plain[i], &fused[i], 4) != 0 && !nans;
        bool right = near(fused[i], whole[i], scale, t);
        if (!right) at = i;
        wrong += !right;
    }
    if (unlike || wrong)
        printf("\n  %s of %u x %u, filling %d: %u unlike -O0, %u wrong: %u is %.9g, expected %.9g",
               t->op, rows, length, f, unlike, wrong, at, fused[at], whole[at]);
    CU_ASSERT_EQUAL(unlike, 0);
    CU_ASSERT_EQUAL(wrong, 0);
}

static const trial trials[] = {
    {.op = "row_sum", .per_row = true, .tolerance = 1e-4f},
    {.op = "row_mean", .per_row = true, .tolerance = 1e-4f},
    {.op = "row_min", .per_row = true, .exact = true},
    {.op = "row_max", .per_row = true, .exact = true},
    {.op = "argmin", .per_row = true, .exact = true},
    {.op = "argmax", .per_row = true, .exact = true},
    {.op = "l2_norm", .per_row = true, .tolerance = 1e-6f},
    {.op = "logsumexp", .per_row = true, .tolerance = 1e-6f},
    {.op = "variance", .per_row = true, .tolerance = 4e-6f},
    {.op = "rms_norm", .tolerance = 1e-6f},
    {.op = "rms_norm",
     .with = {"weight"},
     .attr = {.name = "eps", .number = 0.001},
     .tolerance = 1e-6f},
    {.op = "l2_normalize", .tolerance = 1e-6f},
    {.op = "l2_normalize", .with = {"norms"}, .tolerance = 1e-6f},
    {.op = "softmax", .tolerance = 4e-6f},
    {.op = "softmax",
     .with = {"mask"},
     .attr = {.name = "scale", .number = 0.5},
     .tolerance = 1e-6f},
    {.op = "layer_norm", .tolerance = 1e-5f},
    {.op = "layer_norm", .with = {"weight", "bias"}, .tolerance = 1e-5f},
};

/* `dispatches`: what the op is at -O1 for the target. */
static void try_shape(const trial *t, uint32_t rows, uint32_t length, const rp_target *target,
                      uint32_t dispatches) {
    ready ways[3] = {prepare(t, rows, length, 1, NULL), prepare(t, rows, length, 0, target),
                     prepare(t, rows, length, 1, target)};
    if (ways[2].dispatches != dispatches)
        printf("\n  %s of %u x %u: %u dispatches", t->op, rows, length, ways[2].dispatches);
    CU_ASSERT_EQUAL(ways[0].dispatches, 1);
    CU_ASSERT(ways[1].dispatches >= dispatches);
    CU_ASSERT_EQUAL(ways[2].dispatches, dispatches);
    for (filling f = 0; f < FILLINGS; f++) compare(t, ways, rows, length, f);
    for (uint32_t i = 0; i < 3; i++) drop(&ways[i]);
}

/* Two dispatches at -O1, whether there is a number of each row or elements that need one. */
static void test_parts(void) {
    static const uint32_t shapes[3][2] = {{1, 30011}, {3, 20011}, {2, 20012}};
    rp_target own;
    const rp_target *h200 = gpu_target_like(device, rp_target_builtin("h200"), &own);
    for (uint32_t i = 0; i < sizeof trials / sizeof *trials; i++)
        for (uint32_t k = 0; k < 3; k++)
            if (gpu_tries(device, i + k, 3))
                try_shape(&trials[i], shapes[k][0], shapes[k][1], h200, 2);
}

/* A thread for each row, where there are enough for a subgroup. */
static void test_side_by_side(void) {
    const rp_target *lavapipe = rp_target_builtin("lavapipe");
    for (uint32_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        if (gpu_tries(device, i, 2)) try_shape(&trials[i], 8, 401, lavapipe, 1);
        if (gpu_tries(device, i + 1, 2)) try_shape(&trials[i], 37, 401, lavapipe, 1);
    }
}

/* Teams of each size that the device has, with rows that begin at multiples of four elements, which they hold
 * in registers, and with others; a workgroup that is not full. With small subgroups long rows have none. */
static void test_teams(void) {
    static const uint32_t lengths[] = {1024, 5, 8, 31, 64, 140, 256, 700};
    rp_target own;
    const rp_target *target = gpu_target_like(device, rp_target_builtin("h200"), &own);
    for (uint32_t i = 0; i < sizeof trials / sizeof *trials; i++)
        for (uint32_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
            if (((i + k) % 2 == 0 || lengths[k] == 64) && gpu_tries(device, (i + k) / 2, 3))
                try_shape(&trials[i], 7 + 11 * k, lengths[k], target, 1);
}

int main(void) {
    static const rp_test tests[] = {{"few long rows in parts", test_parts},
                                    {"a thread for each row", test_side_by_side},
                                    {"a team for each row", test_teams},
                                    {NULL, NULL}};
    rp_diags *diags = rp_diags_create(NULL);
    if (rp_device_create(NULL, NULL, diags, &device) != RP_OK) {
        gpu_report(diags);
        return 99;
    }
    rp_diags_destroy(diags);
    int failures = rp_run_tests("rows", tests);
    rp_device_destroy(device, NULL);
    return failures;
}
