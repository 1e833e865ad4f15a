/* Ops on cooperative matrices: compiled for a target that has them, proven, and on a device that has
 * them run: against sums in double precision, and fused against one dispatch for each op, equal to
 * the bit. A device without them must refuse each plan by name. */
#include <math.h>
#include <stdlib.h>

#include "gpu.h"
#include "plan/format.h"
#include "support/cases.h"
#include "support/op_values.h"

enum { MAX_BUFFERS = 8, DRAWN = 24 };

static struct {
    rp_device *device;
    rp_device_info info;
    const rp_target *target;
    bool able;
    uint32_t run, fused;
    uint64_t seed;    /* RP_SEED; of what buffers hold, and of shapes that are drawn */
    uint32_t past;    /* what the buffer of that name holds */
    uint32_t odd_row; /* of each v: that begins with NaN and an infinity; UINT32_MAX: none */
    const char *mask; /* how the buffer of that name is filled */
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
    rp_random random = {4710 + T.seed};
    for (const char *c = name; *c; c++) random.state = random.state * 31 + (uint8_t)*c;
    rp_tensor t = tensor_of(g, buffer);
    const char *how = strcmp(name, "mask") == 0 ? T.mask : "finite=2";
    rp_values_fill(&random, &t, RP_DT(t.dtype) & RP_DT_FLOAT ? how : "", bytes);
    if (strcmp(name, "past") == 0) memcpy(bytes, &T.past, sizeof T.past);
    if (strcmp(name, "v") != 0 || T.odd_row == UINT32_MAX) return;
    const uint16_t odd[2] = {0x7e00, 0xfc00};
    uint64_t row = t.dims[2] * t.dims[3] * 2;
    for (uint64_t i = 0; i < t.dims[0]; i++)
        memcpy(bytes + (i * t.dims[1] + T.odd_row) * row, odd, sizeof odd);
}

/* ---- Compiling ------------------------------------------------------------------------------- */

static rp_plan *compile(const rp_graph *g, int level) {
    rp_plan *plan = gpu_compile_ops(g, level, T.target);
    CU_ASSERT_EQUAL(rp_plan_check(plan, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_TRUE((rp_plan_needs(plan) & RP_NEED_COOPERATIVE_MATRIX) != 0);
    CU_ASSERT_TRUE((rp_plan_needs(plan) & RP_NEED_SUBGROUP_SIZE) != 0);
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
    rp_graph *g = gpu_parse(text);
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
    g = gpu_parse(text);
    try_levels(g, what, more);
    for (uint32_t i = 0; i < MAX_BUFFERS; i++) free(more[i]);
    rp_graph_destroy(g);
}

/* A product of any kind that matrices are for: tails of rows, of columns and of k, lines of odd
 * lengths, blocks along either side. */
static product draw_product(rp_random *r) {
    static const char *const weights[] = {"f16", "q8_0", "q4_0"};
    product p = {.batches = 1 + rp_random_below(r, 3),
                 .m = 32 + rp_random_below(r, 200),
                 .n = 16 + rp_random_below(r, rp_random_percent(r, 20) ? 4000 : 300),
                 .k = 16 + rp_random_below(r, 200),
                 .turn_a = rp_random_percent(r, 30),
                 .turn_b = rp_random_percent(r, 70),
                 .one_b = rp_random_percent(r, 60),
                 .b = weights[rp_random_below(r, 3)],
                 .out = rp_random_percent(r, 50) ? "f16" : "f32"};
    if (*p.b == 'q' && p.turn_b) p.k = (p.k + 31) / 32 * 32;
    if (*p.b == 'q' && !p.turn_b) p.n = (p.n + 31) / 32 * 32;
    return p;
}

static void test_drawn_products(void) {
    rp_random random = {T.seed};
    for (uint32_t i = 0; i < (T.able ? DRAWN : 1) && gpu_has_time(); i++) {
        product p = draw_product(&random);
        try_product(&p);
    }
}

static void test_products(void) {
    static const product products[] = {
        {1, 128, 128, 64, false, true, true, "f16", "f32"},
        {1, 32, 16, 16, false, true, true, "f16", "f16"},
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

/* ---- attention_prefill ----------------------------------------------------------------------- */

typedef struct attention {
    uint32_t sequences; /* a cache each */
    uint32_t tokens, heads, groups, rows, size, past;
    bool causal;
    const char *more; /* attributes */
    double scale, softcap;
    const char *out;
    uint32_t odd_row;
    const char *mask; /* how it is filled; NULL: there is none */
} attention;

static double score_of(const attention *p, const double *q, const double *k, double *off) {
    double sum = 0, terms = 0;
    for (uint32_t d = 0; d < p->size; d++) {
        sum += q[d] * k[d];
        terms += fabs(q[d] * k[d]);
    }
    double scale = p->scale == 0 ? 1 / sqrt(p->size) : p->scale;
    *off = fabs(terms * scale) * (p->size + 16) * 0x1p-23;
    sum *= scale;
    return p->softcap == 0 ? sum : p->softcap * tanh(sum / p->softcap);
}

/* One token of one head: the means of v by weights, and how far each may be off. */
static void attend(const attention *p, const double *q, const double *k, const double *v,
                   const double *mask, uint32_t seen, double *means, double *allowed) {
    double *scores = need(calloc(seen + 1, sizeof *scores)), high = -INFINITY, all = 0, off = 0;
    for (uint32_t row = 0; row < seen; row++) {
        double one;
        scores[row] = score_of(p, q, k + (uint64_t)row * p->groups * p->size, &one);
        if (mask) scores[row] = isinf(mask[row]) ? -INFINITY : scores[row] + mask[row];
        if (scores[row] > high) high = scores[row];
        if (one > off) off = one;
    }
    for (uint32_t row = 0; row < seen; row++)
        if (!isinf(scores[row])) all += exp(scores[row] - high);
    for (uint32_t d = 0; d < p->size; d++) {
        double sum = 0, terms = 0;
        for (uint32_t row = 0; row < seen; row++) {
            if (isinf(scores[row])) continue;
            double term = exp(scores[row] - high) * v[(uint64_t)row * p->groups * p->size + d];
            sum += term;
            terms += fabs(term);
        }
        bool any = all > 0 || isnan(all);
        means[d] = any ? sum / all : 0;
        /* Weights are rounded to f16, and are off by what scores are off. */
        allowed[d] = any ? terms / all * (0x1p-10 + 4 * off) + 1e-6 : 1e-6;
    }
    free(scores);
}

static void check_attention(const rp_graph *g, const attention *p,
                            uint8_t *const bytes[MAX_BUFFERS], const char *what) {
    double *q = decode(g, 0, bytes), *k = decode(g, 1, bytes), *v = decode(g, 2, bytes);
    double *mask = p->mask ? decode(g, 5, bytes) : NULL, *out = decode(g, 4, bytes), worst = 0;
    double *means = need(calloc(2 * p->size, sizeof *means)), *allowed = means + p->size;
    uint32_t before = p->past < p->rows ? p->past : p->rows;
    for (uint32_t i = 0; i < p->sequences * p->tokens * p->heads; i++) {
        uint32_t sequence = i / (p->tokens * p->heads), t = i / p->heads % p->tokens;
        uint32_t head = i % p->heads, group = head / (p->heads / p->groups);
        uint32_t seen = before + (p->causal ? t + 1 : p->tokens);
        if (seen > p->rows) seen = p->rows;
        const uint64_t first = ((uint64_t)sequence * p->rows * p->groups + group) * p->size;
        attend(p, q + (uint64_t)i * p->size, k + first, v + first,
               mask ? mask + sequence * p->rows : NULL, seen, means, allowed);
        for (uint32_t d = 0; d < p->size; d++) {
            double given = out[(uint64_t)i * p->size + d];
            if (isnan(means[d]) && isnan(given)) continue;
            if (isinf(means[d]) && means[d] == given) continue;
            double most =
                allowed[d] + (*p->out == 'f' && p->out[1] == '1' ? fabs(means[d]) * 0x1p-11 : 0);
            double error = fabs(given - means[d]) / most;
            if (!(error <= worst)) worst = error;
        }
    }
    CU_ASSERT(worst <= 1);
    if (!(worst <= 1)) fprintf(stderr, "\n  %s: off %.3g times the bound", what, worst);
    free(q);
    free(k);
    free(v);
    free(out);
    free(mask);
    free(means);
}

static void try_attention(const attention *p) {
    char text[2048], what[256], q[48], kv[48], mask[96] = "", attributes[96];
    snprintf(q, sizeof q, "[%u,%u,%u,%u]", p->sequences, p->tokens, p->heads, p->size);
    snprintf(kv, sizeof kv, "f16[%u,%u,%u,%u]", p->sequences, p->rows, p->groups, p->size);
    if (p->mask) snprintf(mask, sizeof mask, "$mask:f32[%u,%u]", p->sequences, p->rows);
    snprintf(attributes, sizeof attributes, "{causal=%d%s%s}", p->causal, *p->more ? ", " : "",
             p->more);
    snprintf(what, sizeof what,
             "attention of %u x %u x %u over %u + %u rows of %u x %u, %s, mask %s", p->sequences,
             p->tokens, p->heads, p->past, p->rows, p->groups, p->size, attributes,
             p->mask ? p->mask : "-");
    T.past = p->past;
    T.mask = p->mask;
    T.odd_row = p->odd_row;
    for (int fused = 0; fused < 2; fused++) {
        int n = snprintf(text, sizeof text,
                         "reprise 1\ngraph g {\n  buf $q in f16%s\n  buf $k in %s\n  buf $v in %s\n"
                         "  buf $past in u32[1]\n  buf $y out %s%s\n",
                         q, kv, kv, p->out, q);
        if (p->mask)
            n += snprintf(text + n, sizeof text - (size_t)n, "  buf $mask in f32[%u,%u]\n",
                          p->sequences, p->rows);
        if (fused)
            n += snprintf(text + n, sizeof text - (size_t)n,
                          "  buf %%h tmp f16%s\n  buf %%p tmp %s%s\n"
                          "  n0 = op map {expr=\"a * 0.5 + 0.25\"} (r $q:f16%s, w %%h:f16%s)\n",
                          q, p->out, q, q, q);
        n += snprintf(text + n, sizeof text - (size_t)n,
                      "  n1 = op attention_prefill %s (r %s:f16%s, r $k:%s, r $v:%s, "
                      "r $past:u32[1], %s%s, -, -, -, -, -, w %s:%s%s)\n",
                      attributes, fused ? "%h" : "$q", q, kv, kv, p->mask ? "r " : "-", mask,
                      fused ? "%p" : "$y", p->out, q);
        if (fused)
            n += snprintf(text + n, sizeof text - (size_t)n,
                          "  n2 = op map {expr=\"a * a + 1\"} (r %%p:%s%s, w $y:%s%s)\n", p->out, q,
                          p->out, q);
        snprintf(text + n, sizeof text - (size_t)n, "}\n");
        uint8_t *bytes[MAX_BUFFERS] = {0};
        rp_graph *g = gpu_parse(text);
        try_levels(g, what, bytes);
        if (T.able && !fused) check_attention(g, p, bytes, what);
        for (uint32_t i = 0; i < MAX_BUFFERS; i++) free(bytes[i]);
        rp_graph_destroy(g);
    }
    T.odd_row = UINT32_MAX;
}

/* Attention of any kind that matrices are for. */
static attention draw_attention(rp_random *r) {
    static const char *const masks[] = {NULL, "masks", "finite=20"};
    attention p = {.sequences = 1 + rp_random_below(r, 4),
                   .tokens = 1 + rp_random_below(r, rp_random_percent(r, 20) ? 1 : 200),
                   .groups = 1 + rp_random_below(r, 3),
                   .rows = 1 + rp_random_below(r, 300),
                   .size = 16 + 16 * rp_random_below(r, 8),
                   .past = rp_random_below(r, 200),
                   .causal = rp_random_percent(r, 50),
                   .more = "",
                   .out = rp_random_percent(r, 50) ? "f16" : "f32",
                   .odd_row = UINT32_MAX,
                   .mask = masks[rp_random_below(r, 3)]};
    p.heads = p.groups * (1 + rp_random_below(r, 3));
    if (rp_random_percent(r, 20)) {
        p.more = "softcap=5";
        p.softcap = 5;
    } else if (rp_random_percent(r, 20)) {
        p.more = "scale=-0.25";
        p.scale = -0.25;
    }
    if (rp_random_percent(r, 20)) p.odd_row = rp_random_below(r, p.rows);
    return p;
}

static void test_drawn_attention(void) {
    rp_random random = {T.seed};
    for (uint32_t i = 0; i < (T.able ? DRAWN : 1) && gpu_has_time(); i++) {
        attention p = draw_attention(&random);
        try_attention(&p);
    }
}

static void test_attention(void) {
    const uint32_t none = UINT32_MAX;
    const char *const no = NULL;
    const attention all[] = {
        {1, 128, 2, 2, 128, 64, 0, true, "", 0, 0, "f16", none, no},
        {1, 100, 4, 2, 300, 64, 150, true, "", 0, 0, "f32", none, no}, /* two heads over one */
        {1, 70, 3, 1, 90, 64, 20, false, "", 0, 0, "f16", none, no},
        {1, 40, 2, 2, 60, 64, 30, true, "", 0, 0, "f16", none,
         no}, /* the last tokens see no more rows */
        {1, 33, 2, 2, 20, 64, 25, false, "", 0, 0, "f32", none, no},
        {1, 1, 4, 4, 65, 64, 64, true, "", 0, 0, "f16", none, no},
        {1, 80, 2, 1, 200, 128, 100, true, "", 0, 0, "f16", none, no},
        {1, 65, 2, 2, 65, 32, 0, true, "", 0, 0, "f16", none, no},
        {1, 50, 2, 2, 64, 80, 10, true, "", 0, 0, "f16", none, no},
        {1, 50, 2, 2, 64, 96, 10, true, "", 0, 0, "f16", none, no},
        {1, 64, 1, 1, 64, 16, 0, false, "", 0, 0, "f16", none, no},
        {1, 96, 2, 2, 96, 64, 0, true, "softcap=5", 0, 5, "f16", none, no},
        {1, 96, 2, 2, 96, 64, 0, true, "scale=-0.25", -0.25, 0, "f16", none, no},
        {1, 96, 2, 2, 96, 64, 0, true, "scale=2", 2, 0, "f16", none,
         no},                                                      /* one weight is nearly all */
        {1, 150, 2, 2, 150, 64, 0, true, "", 0, 0, "f16", 75, no}, /* not for tokens before it */
        {1, 150, 2, 2, 190, 64, 20, false, "", 0, 0, "f16", 75, no},
        /* Sequences, and rows that a mask leaves out. */
        {5, 128, 3, 3, 128, 32, 0, false, "", 0, 0, "f16", none, "masks"},
        {5, 70, 4, 2, 100, 64, 40, true, "", 0, 0, "f16", none, "masks"},
        {3, 65, 2, 1, 65, 96, 0, true, "", 0, 0, "f32", none, no},
        {3, 33, 2, 1, 40, 128, 0, false, "softcap=5", 0, 5, "f16", none, "finite=20"},
        {7, 1, 2, 2, 90, 64, 0, false, "", 0, 0, "f16", none, "masks"},
        {6, 1, 2, 2, 1, 16, 0, true, "scale=-0.25", -0.25, 0, "f32", none, "masks"},
        {5, 150, 2, 2, 150, 64, 0, false, "", 0, 0, "f16", 130,
         "masks"}, /* a NaN that most leave out */
        {5, 150, 2, 2, 150, 64, 0, true, "", 0, 0, "f16", 75, "masks"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!gpu_has_time()) return;
        try_attention(&all[i]);
    }
    /* Two rows of matrices a subgroup. */
    const attention large = {1, 700, 64, 64, 720, 64, 20, true, "", 0, 0, "f16", none, no};
    if (T.able) try_attention(&large);
}

int main(void) {
    static const rp_test tests[] = {{"attention", test_attention},
                                    {"products", test_products},
                                    {"attention as it is drawn", test_drawn_attention},
                                    {"products as they are drawn", test_drawn_products},
                                    {0}};
    T.odd_row = UINT32_MAX;
    T.seed = rp_environment("RP_SEED", 1);
    rp_diags *diags = rp_diags_create(NULL);
    if (rp_device_create(NULL, NULL, diags, &T.device) != RP_OK) {
        gpu_report(diags);
        return 99;
    }
    T.info.size = sizeof T.info;
    rp_device_get_info(T.device, &T.info);
    T.able = strstr(T.info.matrix_products, "16x16x16 f16 f32") && T.info.subgroup_size == 32;
    T.target = rp_target_builtin("h200");
    printf("cooperative matrices on %s, seed %llu\n", T.info.name, (unsigned long long)T.seed);
    if (!T.able) printf("not run: it has none of 16x16x16 f16 f32 in subgroups of 32\n");
    int failures = rp_run_tests("cooperative matrices in ops", tests);
    if (T.able) printf("%u plans were run\n", T.run);
    rp_device_destroy(T.device, NULL);
    rp_diags_destroy(diags);
    return failures;
}
