/* Products on cooperative matrices for shapes that are drawn, with whatever may be fused in front of
 * them and behind, whole and in parts of k: compiled for targets that no device at hand is, with every
 * shape of matrices and size of subgroups that there may be. Each kernel has to be valid SPIR-V, the
 * plan proven, and its results those of the variants that were asked for. What the kernels compute,
 * tests/gpu/matrices.c sees on a device that has such matrices. RP_SEED draws others. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"
#include "plan/format.h"
#include "reprise/compiler.h"
#include "support/cases.h"
#include "support/random_graph.h"
#include "support/unit.h"

enum { DRAWN = RP_PART > 1 ? 24 : 72, TEXT = 4096 };

static struct {
    uint64_t seed;
    uint32_t compiled, fused, parts;
} T;

/* ---- Targets --------------------------------------------------------------------------------- */

typedef struct kind {
    uint64_t shapes;
    uint32_t subgroup;
    bool bytes;
} kind;

static const kind kinds[] = {
    {RP_MATRIX_16_16_16_F16_F32, 32, false}, {RP_MATRIX_16_8_16_F16_F32, 32, false},
    {RP_MATRIX_16_8_8_F16_F32, 16, false},   {RP_MATRIX_8_16_16_F16_F32, 8, false},
    {RP_MATRIX_8_8_16_F16_F32, 64, false},   {RP_MATRIX_16_16_16_F16_F32, 64, false},
    {RP_MATRIX_16_16_32_I8_I32, 32, true},   {RP_MATRIX_16_16_16_I8_I32, 16, true},
    {RP_MATRIX_16_16_32_I8_I32, 64, true},
};

static rp_target target_of(const kind *k) {
    rp_target t = *rp_target_builtin("h200");
    strcpy(t.name, "drawn");
    t.matrix_shapes = k->shapes;
    t.subgroup = t.subgroup_least = t.subgroup_most = k->subgroup;
    return t;
}

/* ---- Graphs ---------------------------------------------------------------------------------- */

typedef struct product {
    uint32_t batches, m, n, k, parts;
    bool turn_a, turn_b, one_b, bytes;
    const char *b, *out;
    uint32_t before, behind;
} product;

static void put(char text[TEXT], const char *format, ...) {
    size_t at = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + at, TEXT - at, format, args);
    va_end(args);
}

/* What may be in front of a product: nothing, a formula, rows that are gathered. */
enum { FRONTS = 3, BEHINDS = 7 };

static const char *put_front(char nodes[TEXT], char buffers[TEXT], const product *p, const char *a,
                             uint32_t elements) {
    const char *dtype = p->bytes ? "i8" : "f16";
    if (p->before == 0) return "$a";
    put(buffers, "  buf %%h tmp %s\n", a);
    if (p->before == 1)
        put(nodes, "  n0 = op map {expr=\"%s\"} (r $a:%s, w %%h:%s)\n",
            p->bytes ? "max(a, -127)" : "a * 0.5 + 0.25", a, a);
    else {
        put(buffers, "  buf $ids in u32[%u]\n", elements);
        put(nodes, "  n0 = op gather_rows (r $a:%s[%u,1], r $ids:u32[%u], w %%h:%s[%u,1])\n", dtype,
            elements, elements, dtype, elements);
    }
    return "%h";
}

/* What may be behind: nothing, a bias, an activation and a residual, another dtype, two results, places
 * of their own for rows, a number for each row. `p` is the product. */
static void put_behind(char nodes[TEXT], char buffers[TEXT], const product *p, const char *shape) {
    static const char *const floats[BEHINDS] = {
        "", "max(a + b, 0)", "a / (1 + exp(-a)) + b", "a", "a * 2", "", "a * b"};
    static const char *const bytes[BEHINDS] = {"", "max(a + b, 0)", "a * 3 + b", "a >> 8", "a >> 2",
                                               "", "a * b"};
    const char *formula = p->bytes ? bytes[p->behind] : floats[p->behind];
    const char *out = p->bytes ? (p->behind == 3 ? "i8" : "i32") : p->behind == 3 ? "bf16" : p->out;
    const char *other = p->bytes ? "i32" : "f32";
    uint32_t rows = p->batches * p->m;
    char more[64] = "";
    if (p->behind == 0) return;
    if (p->behind == 5) {
        put(buffers, "  buf $where in u32[%u]\n  buf $table inout %s[%u,%u]\n", rows, p->out, rows,
            p->n);
        put(nodes,
            "  n4 = op scatter_rows (r %%p:%s[%u,%u], r $where:u32[%u], rw $table:%s[%u,%u])\n",
            p->out, rows, p->n, rows, p->out, rows, p->n);
        return;
    }
    if (p->behind == 1) snprintf(more, sizeof more, "%s[%u]", other, p->n);
    if (p->behind == 2) snprintf(more, sizeof more, "%s%s", p->out, shape);
    if (p->behind == 6) snprintf(more, sizeof more, "%s[%u,%u,1]", other, p->batches, p->m);
    if (*more) put(buffers, "  buf $c in %s\n", more);
    put(buffers, "  buf $y out %s%s\n", out, shape);
    put(nodes, "  n4 = op map {expr=\"%s\"} (r %%p:%s%s%s%s, w $y:%s%s)\n", formula, p->out, shape,
        *more ? ", r $c:" : "", more, out, shape);
    if (p->behind != 4) return;
    put(buffers, "  buf $z out %s%s\n", out, shape);
    put(nodes, "  n5 = op map {expr=\"a + 1\"} (r %%p:%s%s, w $z:%s%s)\n", p->out, shape, out,
        shape);
}

static void write_graph(const product *p, char text[TEXT]) {
    char buffers[TEXT] = "", nodes[TEXT] = "", a[64], b[64], shape[48];
    uint32_t rows_a = p->turn_a ? p->k : p->m, columns_a = p->turn_a ? p->m : p->k;
    uint32_t rows_b = p->turn_b ? p->n : p->k, columns_b = p->turn_b ? p->k : p->n;
    const char *result = p->behind ? "%p" : "$p", *sums = p->bytes ? "i32" : "f32";
    snprintf(a, sizeof a, "%s[%u,%u,%u]", p->bytes ? "i8" : "f16", p->batches, rows_a, columns_a);
    snprintf(b, sizeof b, "%s[%u,%u,%u]", p->b, p->one_b ? 1 : p->batches, rows_b, columns_b);
    snprintf(shape, sizeof shape, "[%u,%u,%u]", p->batches, p->m, p->n);
    put(buffers, "  buf $a in %s\n  buf $b weight %s\n  buf %s %s %s%s\n", a, b, result,
        p->behind ? "tmp" : "out", p->out, shape);
    const char *left = put_front(nodes, buffers, p, a, p->batches * rows_a * columns_a);
    if (p->parts == 1) {
        put(nodes,
            "  n1 = op matmul {transpose_a=%d, transpose_b=%d} (r %s:%s, r $b:%s, w %s:%s%s)\n",
            p->turn_a, p->turn_b, left, a, b, result, p->out, shape);
    } else {
        char parts[64];
        snprintf(parts, sizeof parts, "%s[%u,%u,%u,%u]", sums, p->parts, p->batches, p->m, p->n);
        put(buffers, "  buf %%s tmp %s\n", parts);
        put(nodes,
            "  n1 = op matmul_partial {transpose_a=%d, transpose_b=%d, splits=%u} (r %s:%s, r "
            "$b:%s, "
            "w %%s:%s)\n  n2 = op matmul_merge (r %%s:%s, w %s:%s%s)\n",
            p->turn_a, p->turn_b, p->parts, left, a, b, parts, parts, result, p->out, shape);
    }
    put_behind(nodes, buffers, p, shape);
    if (snprintf(text, TEXT, "reprise 1\ngraph g {\n%s%s}\n", buffers, nodes) >= TEXT) abort();
}

static product draw(rp_random *r, bool bytes) {
    static const char *const weights[] = {"f16", "q8_0", "q4_0"};
    product p = {.batches = 1 + rp_random_below(r, 3),
                 .m = 32 + rp_random_below(r, 300),
                 .n = 16 + rp_random_below(r, rp_random_percent(r, 30) ? 6000 : 300),
                 .k = 16 + rp_random_below(r, rp_random_percent(r, 30) ? 3000 : 300),
                 .parts = rp_random_percent(r, 40) ? 2 + rp_random_below(r, 9) : 1,
                 .turn_a = rp_random_percent(r, 30),
                 .turn_b = rp_random_percent(r, 60),
                 .one_b = rp_random_percent(r, 60),
                 .bytes = bytes,
                 .b = bytes ? "i8" : weights[rp_random_below(r, 3)],
                 .out = bytes                      ? "i32"
                        : rp_random_percent(r, 50) ? "f16"
                                                   : "f32",
                 .before = rp_random_below(r, FRONTS),
                 .behind = rp_random_below(r, BEHINDS)};
    if (*p.b == 'q' && p.turn_b) p.k = (p.k + 31) / 32 * 32;
    if (*p.b == 'q' && !p.turn_b) p.n = (p.n + 31) / 32 * 32;
    return p;
}

/* ---- Compiling ------------------------------------------------------------------------------- */

static rp_plan *compile(const char *text, const rp_target *target, int level) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *g = NULL;
    rp_plan *plan = NULL;
    const rp_pass_options options = {.size = sizeof options,
                                     .pipeline = rp_pass_level(level),
                                     .lowering = rp_lowering_default(),
                                     .target = target};
    rp_status status = rp_graph_parse(NULL, text, strlen(text), "drawn", diags, &g);
    if (status == RP_OK) status = rp_compile(g, &options, diags, &plan, NULL);
    CU_ASSERT_EQUAL(status, RP_OK);
    for (uint32_t i = 0; status != RP_OK && i < rp_diags_count(diags); i++)
        fprintf(stderr, "\n  %s\n%s", rp_diags_get(diags, i).message, i ? "" : text);
    rp_graph_destroy(g);
    rp_diags_destroy(diags);
    return plan;
}

static void test_drawn(void) {
    rp_random random = {T.seed};
    for (uint32_t i = 0; i < DRAWN; i++) {
        const kind *k = &kinds[i % (sizeof kinds / sizeof *kinds)];
        rp_target target = target_of(k);
        product p = draw(&random, k->bytes);
        char text[TEXT];
        write_graph(&p, text);
        rp_plan *plain = compile(text, &target, 0), *fused = compile(text, &target, 1);
        CU_ASSERT_FATAL(plain && fused);
        uint64_t both = rp_plan_needs(plain) & rp_plan_needs(fused);
        CU_ASSERT((both & RP_NEED_COOPERATIVE_MATRIX) != 0);
        if (!(both & RP_NEED_COOPERATIVE_MATRIX)) fprintf(stderr, "\n  no matrices in\n%s", text);
        T.compiled += 2;
        T.parts += p.parts > 1;
        T.fused += rp_plan_count(fused, RP_SECTION_NODES) < rp_plan_count(plain, RP_SECTION_NODES);
        rp_plan_destroy(plain);
        rp_plan_destroy(fused);
    }
    printf("%u compiled, %u in parts, %u fused ... ", T.compiled, T.parts, T.fused);
    CU_ASSERT(T.parts > 0 && T.fused > DRAWN / 2);
}

int main(void) {
    static const rp_test tests[] = {{"drawn products compile", test_drawn}, {0}};
    const char *seed = getenv("RP_SEED");
    T.seed = seed ? strtoull(seed, NULL, 0) : 1;
    return rp_run_tests("products on matrices", tests);
}
