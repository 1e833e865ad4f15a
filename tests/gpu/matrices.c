/* Ops on cooperative matrices: compiled for a target that has them, proven, and on a device that has
 * them run: against sums in double precision, and fused against one dispatch for each op, equal to
 * the bit. A device without them must refuse each plan by name. */
#include <math.h>
#include <stdlib.h>

#include "gpu.h"
#include "plan/format.h"
#include "support/op_values.h"

enum { MAX_BUFFERS = 8 };

static struct {
    rp_device *device;
    rp_device_info info;
    const rp_target *target;
    bool able;
    uint32_t run, fused;
} T;

static void *need(void *block) {
    if (!block) abort();
    return block;
}

static rp_tensor tensor_of(const rp_graph *g, uint32_t buffer) {
    const rp_graph_buffer *b = &g->buffers[buffer];
    rp_tensor t = {.dtype = b->dtype, .rank = b->rank};
    for (uint32_t i = 0; i < b->rank; i++) t.dims[i] = g->dims[b->first_dim + i];
    return t;
}

/* The same bytes for a buffer of the same name. */
static void fill(const rp_graph *g, uint32_t buffer, uint8_t *bytes) {
    const char *name = rp_graph_string(g, g->buffers[buffer].name);
    rp_random random = {4711};
    for (const char *c = name; *c; c++) random.state = random.state * 31 + (uint8_t)*c;
    rp_tensor t = tensor_of(g, buffer);
    rp_values_fill(&random, &t, t.dtype == RP_F32 || t.dtype == RP_F16 ? "finite=2" : "", bytes);
}

/* ---- Compiling ------------------------------------------------------------------------------- */

static rp_graph *parse(const char *text) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *g = NULL;
    CU_ASSERT_EQUAL(rp_graph_parse(NULL, text, strlen(text), "program", diags, &g), RP_OK);
    if (!g) {
        gpu_report(diags);
        fprintf(stderr, "\n%s\n", text);
    }
    rp_diags_destroy(diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(g);
    return g;
}

static rp_plan *compile(const rp_graph *g, int level) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = NULL;
    const rp_pass_options options = {
        .pipeline = rp_pass_level(level), .lowering = rp_lowering_default(), .target = T.target};
    CU_ASSERT_EQUAL(rp_compile(g, &options, diags, &plan, NULL), RP_OK);
    if (!plan) gpu_report(diags);
    rp_diags_destroy(diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL(rp_plan_check(plan, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_TRUE((rp_plan_needs(plan) & RP_NEED_COOPERATIVE_MATRIX) != 0);
    return plan;
}

static void expect_refusal(const rp_plan *plan) {
    rp_diags *diags = rp_diags_create(NULL);
    const rp_exec_params params = {.size = sizeof params};
    rp_exec *exec = NULL;
    bool said = false;
    CU_ASSERT_EQUAL(rp_exec_create(T.device, plan, &params, diags, &exec), RP_ERROR_UNSUPPORTED);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        said |= strstr(rp_diags_get(diags, i).message, "cooperative matrices") != NULL;
    CU_ASSERT_TRUE(said);
    rp_exec_destroy(exec);
    rp_diags_destroy(diags);
}

/* What the buffers hold after a run, by index in the graph. */
static void run(const rp_graph *g, const rp_plan *plan, uint8_t *bytes[MAX_BUFFERS]) {
    rp_exec *exec = gpu_exec(T.device, plan, NULL);
    CU_ASSERT_FATAL(g->buffers_count <= MAX_BUFFERS);
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        const rp_graph_buffer *b = &g->buffers[i];
        if (b->kind == RP_TMP) continue;
        bytes[i] = need(calloc(b->size + 4, 1));
        if (b->kind == RP_OUT) continue;
        fill(g, i, bytes[i]);
        CU_ASSERT_EQUAL(
            rp_exec_write(exec, 0, rp_graph_string(g, b->name), 0, bytes[i], b->size, NULL), RP_OK);
    }
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    for (uint32_t i = 0; i < g->buffers_count; i++)
        if (g->buffers[i].kind == RP_OUT)
            CU_ASSERT_EQUAL(rp_exec_read(exec, 0, rp_graph_string(g, g->buffers[i].name), 0,
                                         bytes[i], g->buffers[i].size, NULL),
                            RP_OK);
    rp_exec_destroy(exec);
    T.run++;
}

/* Compiles and runs at all levels; the results of -O0 are left in `bytes`. */
static void try_levels(const rp_graph *g, const char *what, uint8_t *bytes[MAX_BUFFERS]) {
    uint32_t nodes = 0;
    for (int level = 0; level <= 2; level++) {
        uint8_t *others[MAX_BUFFERS] = {0};
        rp_plan *plan = compile(g, level);
        uint32_t count = rp_plan_count(plan, RP_SECTION_NODES);
        if (level == 0) nodes = count;
        if (level == 1) T.fused += count < nodes;
        if (!T.able)
            expect_refusal(plan);
        else
            run(g, plan, level ? others : bytes);
        for (uint32_t i = 0; level && T.able && i < g->buffers_count; i++) {
            if (g->buffers[i].kind != RP_OUT) continue;
            bool same = memcmp(bytes[i], others[i], g->buffers[i].size) == 0;
            CU_ASSERT(same);
            if (!same) fprintf(stderr, "\n  %s: other bits at -O%d", what, level);
        }
        for (uint32_t i = 0; i < MAX_BUFFERS; i++) free(others[i]);
        rp_plan_destroy(plan);
    }
}

static double *decode(const rp_graph *g, uint32_t buffer, uint8_t *const bytes[MAX_BUFFERS]) {
    rp_tensor t = tensor_of(g, buffer);
    double *values = need(calloc(rp_tensor_elements(&t) + 1, sizeof *values));
    rp_values_decode(&t, bytes[buffer], values);
    return values;
}

/* ---- matmul ---------------------------------------------------------------------------------- */

typedef struct product {
    uint32_t batches, m, n, k;
    bool turn_a, turn_b, one_b; /* one matrix for all of a's */
    const char *b, *out;
} product;

static void describe(const product *p, char text[128]) {
    snprintf(text, 128, "%u x %u x %u x %u, %s%s%s of %s into %s", p->batches, p->m, p->n, p->k,
             p->turn_a ? "a turned, " : "", p->turn_b ? "b turned, " : "",
             p->one_b ? "one b" : "b's", p->b, p->out);
}

/* Results against sums; `bytes` has a, b and out first. */
static void check_product(const rp_graph *g, const product *p, uint8_t *const bytes[MAX_BUFFERS]) {
    double *a = decode(g, 0, bytes), *b = decode(g, 1, bytes), *out = decode(g, 2, bytes);
    bool blocks = *p->b == 'q', half = strcmp(p->out, "f16") == 0;
    double worst = 0;
    for (uint64_t i = 0; i < (uint64_t)p->batches * p->m * p->n; i++) {
        uint64_t batch = i / p->n / p->m, row = i / p->n % p->m, column = i % p->n;
        const double *from = a + batch * p->m * p->k;
        const double *with = b + (p->one_b ? 0 : batch * p->n * p->k);
        double sum = 0, size = 0;
        for (uint64_t k = 0; k < p->k; k++) {
            double term = from[p->turn_a ? k * p->m + row : row * p->k + k] *
                          with[p->turn_b ? column * p->k + k : k * p->n + column];
            sum += term;
            size += fabs(term);
        }
        /* Hardware adds in f32, cutting off what it aligns away; blocks become f16 before. */
        double allowed = size * ((p->k + 16) * 0x1p-23 + (blocks ? 0x1p-11 : 0)) + 1e-30;
        if (half) allowed += fabs(sum) * 0x1p-11 + 0x1p-25;
        double error = fabs(out[i] - sum) / allowed;
        if (!(error <= worst)) worst = error;
    }
    CU_ASSERT(worst <= 1);
    if (!(worst <= 1)) {
        char text[128];
        describe(p, text);
        fprintf(stderr, "\n  %s: off %.3g times the bound", text, worst);
    }
    free(a);
    free(b);
    free(out);
}

/* A product by itself; and with what is computed of its operand and its result. */
static void try_product(const product *p) {
    char text[2048], what[128], a[48], b[48], out[48];
    uint32_t rows_a = p->turn_a ? p->k : p->m, columns_a = p->turn_a ? p->m : p->k;
    uint32_t rows_b = p->turn_b ? p->n : p->k, columns_b = p->turn_b ? p->k : p->n;
    snprintf(a, sizeof a, "f16[%u,%u,%u]", p->batches, rows_a, columns_a);
    snprintf(b, sizeof b, "%s[%u,%u,%u]", p->b, p->one_b ? 1 : p->batches, rows_b, columns_b);
    snprintf(out, sizeof out, "[%u,%u,%u]", p->batches, p->m, p->n);
    describe(p, what);
    snprintf(text, sizeof text,
             "reprise 1\ngraph g {\n  buf $a in %s\n  buf $b weight %s\n  buf $y out %s%s\n"
             "  n0 = op matmul {transpose_a=%d, transpose_b=%d} (r $a:%s, r $b:%s, w $y:%s%s)\n}\n",
             a, b, p->out, out, p->turn_a, p->turn_b, a, b, p->out, out);
    uint8_t *bytes[MAX_BUFFERS] = {0};
    rp_graph *g = parse(text);
    try_levels(g, what, bytes);
    if (T.able) check_product(g, p, bytes);
    for (uint32_t i = 0; i < MAX_BUFFERS; i++) free(bytes[i]);
    rp_graph_destroy(g);

    snprintf(text, sizeof text,
             "reprise 1\ngraph g {\n  buf $a in %s\n  buf $b weight %s\n  buf $y out %s%s\n"
             "  buf $bias weight f32[%u]\n  buf %%h tmp %s\n  buf %%p tmp %s%s\n"
             "  n0 = op map {expr=\"a * 0.5 + 0.25\"} (r $a:%s, w %%h:%s)\n"
             "  n1 = op matmul {transpose_a=%d, transpose_b=%d} (r %%h:%s, r $b:%s, w %%p:%s%s)\n"
             "  n2 = op map {expr=\"max(a + b, 0)\"} (r %%p:%s%s, r $bias:f32[%u], w $y:%s%s)\n}\n",
             a, b, p->out, out, p->n, a, p->out, out, a, a, p->turn_a, p->turn_b, a, b, p->out, out,
             p->out, out, p->n, p->out, out);
    uint8_t *more[MAX_BUFFERS] = {0};
    g = parse(text);
    try_levels(g, what, more);
    for (uint32_t i = 0; i < MAX_BUFFERS; i++) free(more[i]);
    rp_graph_destroy(g);
}

static void test_products(void) {
    static const product products[] = {
        {1, 128, 128, 64, false, true, true, "f16", "f32"},
        {1, 16, 16, 16, false, true, true, "f16", "f16"},
        {1, 300, 520, 200, false, true, true, "f16", "f16"},
        {1, 300, 520, 200, false, false, true, "f16", "f32"},
        {1, 304, 520, 200, true, true, true, "f16", "f16"},
        {1, 304, 520, 200, true, false, true, "f16", "f32"},
        {1, 97, 35, 77, false, true, true, "f16", "f16"}, /* lines of odd lengths */
        {1, 97, 35, 77, false, false, true, "f16", "f16"},
        {1, 97, 35, 77, true, true, true, "f16", "f32"},
        {3, 70, 66, 80, false, true, false, "f16", "f16"},
        {3, 72, 64, 80, true, false, false, "f16", "f32"},
        {2, 40, 48, 96, true, true, true, "f16", "f16"},
        {5, 33, 48, 40, false, false, true, "f16", "f16"}, /* one tall matrix */
        {1, 130, 72, 256, false, true, true, "q8_0", "f32"},
        {1, 64, 128, 96, false, true, true, "q4_0", "f16"},
        {1, 64, 96, 48, false, false, true, "q8_0", "f16"},
        {1, 50, 96, 48, false, false, true, "q4_0", "f32"},
    };
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        if (!gpu_has_time()) return;
        try_product(&products[i]);
    }
    CU_ASSERT(T.fused > 0);
    /* Tiles of every size. */
    const product large = {1, 2048, 2048, 128, false, true, true, "f16", "f16"};
    if (T.able) try_product(&large);
}

int main(void) {
    static const rp_test tests[] = {{"products", test_products}, {0}};
    rp_diags *diags = rp_diags_create(NULL);
    if (rp_device_create(NULL, NULL, diags, &T.device) != RP_OK) {
        gpu_report(diags);
        return 99;
    }
    T.info.size = sizeof T.info;
    rp_device_get_info(T.device, &T.info);
    T.able = strstr(T.info.matrix_products, "16x16x16 f16 f32") && T.info.subgroup_size == 32;
    T.target = rp_target_builtin("h200");
    printf("cooperative matrices on %s\n", T.info.name);
    if (!T.able) printf("not run: it has none of 16x16x16 f16 f32 in subgroups of 32\n");
    int failures = rp_run_tests("cooperative matrices in ops", tests);
    if (T.able) printf("%u plans were run\n", T.run);
    rp_device_destroy(T.device, NULL);
    rp_diags_destroy(diags);
    return failures;
}
