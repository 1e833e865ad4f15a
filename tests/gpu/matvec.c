/* Matrix-vector products on the device at hand: every dtype, odd and small shapes against sums in
 * double precision; and everything that a kernel may hold around products, fused by hand here,
 * against the same ops one dispatch each: equal to the bit.
 *
 * For larger GPUs a program is compiled for one with many multiprocessors, the next for one with two, and
 * so on; then each for the other one. A processor tries each program either for any device or for one of these,
 * every second shape of a product, and every third program for lanes of 64 columns.
 *
 * Programs are .rpir text. The fused form is made from the plain one: all its ops in one node, its
 * transients values without memory. */
#include <math.h>
#include <stdlib.h>

#include "matvec.h"
#include "support/op_values.h"

/* ---- Products against sums ------------------------------------------------------------------- */

static void check_product(const rp_graph *g, const contents *c, uint32_t node) {
    const rp_graph_member *m = rp_node_members(g, &g->nodes[node]);
    const rp_graph_operand *operands = rp_member_operands(g, m);
    double *values[3];
    rp_tensor tensors[3];
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t buffer = rp_node_uses(g, &g->nodes[node])[operands[i].use].buffer;
        tensors[i] = tensor_of(g, buffer);
        values[i] = need(calloc(rp_tensor_elements(&tensors[i]) + 1, sizeof(double)));
        rp_values_decode(&tensors[i], c->bytes[buffer], values[i]);
    }
    uint64_t rows = tensors[1].dims[0], k = tensors[1].dims[1];
    uint64_t b = rp_tensor_elements(&tensors[0]) / k;
    double worst = 0;
    for (uint64_t i = 0; i < b * rows; i++) {
        double sum = 0, size = 0;
        for (uint64_t j = 0; j < k; j++) {
            double term = values[0][i / rows * k + j] * values[1][i % rows * k + j];
            sum += term;
            size += fabs(term);
        }
        /* As many roundings as one lane of eight does, then a tree. */
        double allowed = ((double)k / 8 + 16) * 0x1p-24 * size + 1e-30;
        if (tensors[2].dtype == RP_F16) allowed += fabs(sum) * 0x1p-11 + 0x1p-25;
        if (tensors[2].dtype == RP_BF16) allowed += fabs(sum) * 0x1p-8;
        double error = fabs(values[2][i] - sum) / allowed;
        if (!(error <= worst)) worst = error;
    }
    CU_ASSERT(worst <= 1);
    if (!(worst <= 1)) {
        fprintf(stderr, "\n  %s[%llu,%llu] times %llu x %s gives %s: off %.3g times the bound",
                rp_dtype_name(tensors[1].dtype), (unsigned long long)rows, (unsigned long long)k,
                (unsigned long long)b, rp_dtype_name(tensors[0].dtype),
                rp_dtype_name(tensors[2].dtype), worst);
    }
    for (uint32_t i = 0; i < 3; i++) free(values[i]);
}

typedef struct shape {
    uint32_t b, m, k;
} shape;

static void add_product(char **buffers, char **nodes, uint32_t id, const char *x,
                        const char *weight, const char *out, shape s) {
    *buffers += sprintf(*buffers,
                        "  buf $x%u in %s[%u,%u]\n  buf $w%u weight %s[%u,%u]\n"
                        "  buf $y%u out %s[%u,%u]\n",
                        id, x, s.b, s.k, id, weight, s.m, s.k, id, out, s.b, s.m);
    *nodes += sprintf(*nodes,
                      "  n%u = op matvec (r $x%u:%s[%u,%u], r $w%u:%s[%u,%u], w $y%u:%s[%u,%u])\n",
                      id, id, x, s.b, s.k, id, weight, s.m, s.k, id, out, s.b, s.m);
}

static void check_products(const char *x, const char *weight, const char *out, const shape *shapes,
                           uint32_t count) {
    static char buffers[16384], nodes[16384], text[40000];
    char *b = buffers, *n = nodes;
    uint32_t first = T.products++, tried = 0;
    for (uint32_t i = 0; i < count; i++)
        if (gpu_tries(T.device, first + i, 2))
            add_product(&b, &n, tried++, x, weight, out, shapes[i]);
    snprintf(text, sizeof text, "reprise 1\ngraph products {\n%s%s}\n", buffers, nodes);
    rp_graph *g = parse(text);
    contents c;
    run(g, 0, &c);
    for (uint32_t i = 0; i < tried; i++) check_product(g, &c, i);
    release(&c);
    rp_graph_destroy(g);
}

static void test_floats(void) {
    static const shape shapes[] = {{1, 1, 1},     {1, 3, 7},    {2, 33, 100}, {1, 130, 256},
                                   {8, 17, 64},   {3, 65, 129}, {1, 5, 4097}, {5, 9, 2048},
                                   {8, 40, 1003}, {1, 2500, 8}};
    enum { COUNT = sizeof shapes / sizeof *shapes };
    check_products("f32", "f32", "f32", shapes, COUNT);
    check_products("f32", "f16", "f32", shapes, COUNT);
    check_products("f16", "f16", "f16", shapes, COUNT);
    check_products("f32", "bf16", "f32", shapes, COUNT);
    check_products("bf16", "bf16", "bf16", shapes, COUNT);
}

static void test_blocks(void) {
    /* A K that is a multiple of 256: 16 bytes at a time, while x fits shared memory. */
    static const shape shapes[] = {{1, 1, 32},    {1, 3, 96},   {2, 33, 256}, {8, 17, 64},
                                   {1, 37, 4128}, {3, 600, 32}, {1, 9, 768},  {1, 70, 4096},
                                   {3, 21, 1280}, {8, 10, 512}, {1, 4, 8192}, {2, 300, 512}};
    enum { COUNT = sizeof shapes / sizeof *shapes };
    check_products("f32", "q8_0", "f32", shapes, COUNT);
    check_products("f16", "q8_0", "f32", shapes, COUNT);
    check_products("f32", "q4_0", "f32", shapes, COUNT);
    check_products("f16", "q4_0", "f16", shapes, COUNT);
}

/* x in parts: more rows and columns than shared memory holds. */
static void test_tiles(void) {
    static const shape shapes[] = {{8, 12, 3000}, {2, 9, 9001}, {1, 3, 20000}};
    check_products("f16", "f16", "f32", shapes, 3);
    check_products("f16", "f32", "f32", shapes, 3);
    check_products("bf16", "bf16", "f32", shapes, 3);
}

/* ---- Fused against plain --------------------------------------------------------------------- */

/* The text with `values` of the nodes fused: `%name` becomes `^name`, "op " goes, their buffers go.
 */
static void fuse_text(const char *buffers, const char *nodes, char *out, size_t size) {
    size_t n = (size_t)snprintf(out, size, "reprise 1\ngraph program {\n");
    for (const char *line = buffers; *line;) {
        size_t length = strcspn(line, "\n") + 1;
        if (!strstr(line, "%") || strcspn(line, "%") > length)
            n += (size_t)snprintf(out + n, size - n, "%.*s", (int)length, line);
        line += length;
    }
    uint32_t last = 0;
    for (const char *c = nodes; *c; c++) last += *c == '\n';
    n += (size_t)snprintf(out + n, size - n, "  n%u = fused {\n", last - 1);
    for (const char *c = nodes; *c; c++) {
        if (strncmp(c, "= op ", 5) == 0) {
            n += (size_t)snprintf(out + n, size - n, "= ");
            c += 4;
        } else {
            out[n++] = *c == '%' ? '^' : *c;
        }
        if (n + 64 > size) abort();
    }
    snprintf(out + n, size - n, "  }\n}\n");
}

/* Those that a processor does not try for any device it tries for a large one. */
static bool is_tried(uint32_t program) {
    switch (T.turn) {
    case ALL: return gpu_tries_middle(T.device, program);
    case EVEN: return program % 2 == 0 && gpu_tries_middle(T.device, program + 2);
    case ODD: return program % 2 == 1 && gpu_tries_middle(T.device, program + 2);
    case COLUMNS: break;
    }
    return gpu_tries(T.device, program + 2, 3);
}

static void compare_fused(const char *buffers, const char *nodes) {
    static char text[32768];
    snprintf(text, sizeof text, "reprise 1\ngraph program {\n%s%s}\n", buffers, nodes);
    rp_graph *plain = parse(text);
    fuse_text(buffers, nodes, text, sizeof text);
    rp_graph *fused = parse(text);
    contents a, b;
    run(plain, 0, &a);
    run(fused, 0, &b);
    CU_ASSERT_EQUAL(fused->nodes_count, 1);
    compare(plain, &a, fused, &b);
    release(&a);
    release(&b);
    rp_graph_destroy(plain);
    rp_graph_destroy(fused);
}

static void check_fused(const char *buffers, const char *nodes) {
    if (is_tried(T.programs++)) compare_fused(buffers, nodes);
}

/* norm, then q, k and v of different sizes and dtypes, rope on two of them, k and v as f16 into
 * caches of 8 positions. `rope` is the attributes; heads have 16 columns. With `frequencies` for so many
 * pairs, else 0, they are given. */
static void check_qkv(uint32_t b, uint32_t k, uint32_t heads, uint32_t groups, const char *types[3],
                      const char *rope, uint32_t frequencies) {
    static char buffers[4096], nodes[8192];
    uint32_t m = heads * 16, g = groups * 16;
    char more[48] = "", given[32] = "-";
    if (frequencies) {
        snprintf(more, sizeof more, "  buf $freq in f32[%u]\n", frequencies);
        snprintf(given, sizeof given, "r $freq:f32[%u]", frequencies);
    }
    snprintf(buffers, sizeof buffers,
             "  buf $x in f32[%u,%u]\n  buf $g weight f32[%u]\n"
             "  buf $wq weight %s[%u,%u]\n  buf $wk weight %s[%u,%u]\n  buf $wv weight %s[%u,%u]\n"
             "  buf $pos in u32[%u]\n  buf $q out f32[%u,%u]\n"
             "  buf $kc inout f16[8,%u]\n  buf $vc inout f16[8,%u]\n"
             "  buf %%n tmp f32[%u,%u]\n  buf %%a tmp f32[%u,%u]\n  buf %%b tmp f32[%u,%u]\n"
             "  buf %%c tmp f32[%u,%u]\n  buf %%d tmp f32[%u,%u]\n  buf %%e tmp f16[%u,%u]\n"
             "  buf %%f tmp f16[%u,%u]\n%s",
             b, k, k, types[0], m, k, types[1], g, k, types[2], g, k, b, b, m, g, g, b, k, b, m, b,
             g, b, g, b, g, b, g, b, g, more);
    snprintf(nodes, sizeof nodes,
             "  n0 = op rms_norm (r $x:f32[%u,%u], r $g:f32[%u], w %%n:f32[%u,%u])\n"
             "  n1 = op matvec (r %%n:f32[%u,%u], r $wq:%s[%u,%u], w %%a:f32[%u,%u])\n"
             "  n2 = op matvec (r %%n:f32[%u,%u], r $wk:%s[%u,%u], w %%b:f32[%u,%u])\n"
             "  n3 = op matvec (r %%n:f32[%u,%u], r $wv:%s[%u,%u], w %%c:f32[%u,%u])\n"
             "  n4 = op rope %s (r %%a:f32[%u,%u,16], r $pos:u32[%u], %s, w $q:f32[%u,%u,16])\n"
             "  n5 = op rope %s (r %%b:f32[%u,%u,16], r $pos:u32[%u], %s, w %%d:f32[%u,%u,16])\n"
             "  n6 = op cast (r %%d:f32[%u,%u], w %%e:f16[%u,%u])\n"
             "  n7 = op cast (r %%c:f32[%u,%u], w %%f:f16[%u,%u])\n"
             "  n8 = op scatter_rows (r %%e:f16[%u,%u], r $pos:u32[%u], rw $kc:f16[8,%u])\n"
             "  n9 = op scatter_rows (r %%f:f16[%u,%u], r $pos:u32[%u], rw $vc:f16[8,%u])\n",
             b, k, k, b, k, b, k, types[0], m, k, b, m, b, k, types[1], g, k, b, g, b, k, types[2],
             g, k, b, g, rope, b, heads, b, given, b, heads, rope, b, groups, b, given, b, groups,
             b, g, b, g, b, g, b, g, b, g, b, g, b, g, b, g);
    check_fused(buffers, nodes);
}

static void test_qkv(void) {
    T.programs = 0;
    const char *halves[3] = {"f16", "f16", "f16"}, *mixed[3] = {"q8_0", "f32", "q4_0"};
    check_qkv(1, 96, 4, 2, halves, "", 8);
    check_qkv(2, 256, 3, 1, mixed, "{layout=interleaved}", 8);
    check_qkv(3, 64, 2, 2, mixed, "{dims=8}", 0);
    check_qkv(1, 256, 4, 2, halves, "{layout=interleaved, dims=8}", 4);
    check_qkv(1, 101, 5, 1, halves, "{layout=interleaved, dims=10}", 0); /* K is odd: narrow */
    check_qkv(4, 2048, 2, 1, halves, "", 0);                             /* tiled */
}

/* norm, gate and up, silu(g) * u: one section with two weights. */
static void check_gate(uint32_t b, uint32_t k, uint32_t m, const char *gate, const char *up,
                       const char *out) {
    static char buffers[2048], nodes[4096];
    snprintf(buffers, sizeof buffers,
             "  buf $x in f32[%u,%u]\n  buf $g weight f32[%u]\n  buf $h weight f32[%u]\n"
             "  buf $wg weight %s[%u,%u]\n  buf $wu weight %s[%u,%u]\n  buf $y out %s[%u,%u]\n"
             "  buf %%n tmp f32[%u,%u]\n  buf %%a tmp f32[%u,%u]\n  buf %%b tmp f32[%u,%u]\n",
             b, k, k, k, gate, m, k, up, m, k, out, b, m, b, k, b, m, b, m);
    snprintf(
        nodes, sizeof nodes,
        "  n0 = op layer_norm (r $x:f32[%u,%u], r $g:f32[%u], r $h:f32[%u], w %%n:f32[%u,%u])\n"
        "  n1 = op matvec (r %%n:f32[%u,%u], r $wg:%s[%u,%u], w %%a:f32[%u,%u])\n"
        "  n2 = op matvec (r %%n:f32[%u,%u], r $wu:%s[%u,%u], w %%b:f32[%u,%u])\n"
        "  n3 = op map {expr=\"silu(a) * b\"} (r %%a:f32[%u,%u], r %%b:f32[%u,%u], w "
        "$y:%s[%u,%u])\n",
        b, k, k, k, b, k, b, k, gate, m, k, b, m, b, k, up, m, k, b, m, b, m, b, m, out, b, m);
    check_fused(buffers, nodes);
}

static void test_gate(void) {
    T.programs = 0;
    check_gate(1, 64, 200, "f16", "f16", "f32");
    check_gate(2, 1000, 33, "f32", "f16", "f16");
    check_gate(8, 1024, 70, "q8_0", "q4_0", "f32"); /* tiled */
    check_gate(1, 99, 3, "f16", "f32", "f32");
    check_gate(1, 512, 50, "q8_0", "q4_0", "f32"); /* x lies in one way after the other */
    check_gate(2, 256, 41, "f16", "q8_0", "f32");
    check_gate(1, 4096, 30, "q4_0", "q8_0", "f16");
    check_gate(2, 512, 35, "bf16", "q8_0", "bf16");
}

/* A product, a bias, a residual. x itself is computed from two inputs, or read from memory. */
static void check_residual(uint32_t b, uint32_t k, uint32_t m, const char *weight, bool produced) {
    static char buffers[2048], nodes[4096];
    int n = snprintf(buffers, sizeof buffers,
                     "  buf $x in f32[%u,%u]\n  buf $z in f16[%u,%u]\n  buf $w weight %s[%u,%u]\n"
                     "  buf $bias weight f32[%u]\n  buf $h in f32[%u,%u]\n"
                     "  buf $y out f32[%u,%u]\n  buf %%a tmp f32[%u,%u]\n",
                     b, k, b, k, weight, m, k, m, b, m, b, m, b, m);
    if (produced)
        snprintf(buffers + n, sizeof buffers - (size_t)n, "  buf %%p tmp f16[%u,%u]\n", b, k);
    n = 0;
    if (produced)
        n = snprintf(
            nodes, sizeof nodes,
            "  n0 = op map {expr=\"tanh(a) * b + 0.125\"} (r $x:f32[%u,%u], r $z:f16[%u,%u], "
            "w %%p:f16[%u,%u])\n",
            b, k, b, k, b, k);
    snprintf(nodes + n, sizeof nodes - (size_t)n,
             "  n%u = op matvec (r %s:%s[%u,%u], r $w:%s[%u,%u], w %%a:f32[%u,%u])\n"
             "  n%u = op map {expr=\"c + (a + b)\"} (r %%a:f32[%u,%u], r $bias:f32[%u], "
             "r $h:f32[%u,%u], w $y:f32[%u,%u])\n",
             produced, produced ? "%p" : "$x", produced ? "f16" : "f32", b, k, weight, m, k, b, m,
             produced + 1, b, m, m, b, m, b, m);
    if (T.turn == COLUMNS)
        check_fused(buffers, nodes);
    else
        compare_fused(buffers, nodes);
}

static void test_residual(void) {
    check_residual(1, 128, 129, "f16", false);
    check_residual(3, 64, 40, "q4_0", true);
    check_residual(1, 4104, 20, "f32", false);
    check_residual(2, 77, 19, "f16", true);
    check_residual(2, 77, 19, "bf16", true);
    check_residual(1, 4104, 20, "bf16", false);
    check_residual(8, 2048, 11, "q8_0", true);
    check_residual(1, 512, 300, "q4_0", true);
    check_residual(4, 768, 37, "q8_0", false);
}

/* The product itself is wanted as well as what is made of it. */
static void test_stored_product(void) {
    compare_fused("  buf $x in f32[2,40]\n  buf $w weight f16[24,40]\n  buf $y out f32[2,24]\n"
                  "  buf $z out f16[2,24]\n  buf $p in u32[2]\n  buf $r out f32[2,24]\n",
                  "  n0 = op matvec (r $x:f32[2,40], r $w:f16[24,40], w $y:f32[2,24])\n"
                  "  n1 = op rope (r $y:f32[2,3,8], r $p:u32[2], -, w $r:f32[2,3,8])\n"
                  "  n2 = op gelu (r $y:f32[2,24], w $z:f16[2,24])\n");
    CU_ASSERT(T.fused >= 15);
}

/* Parts of an attention joined in front of a product, a residual behind it: four elements at once,
 * or one where heads have other sizes. */
static void check_joined(uint32_t parts, uint32_t heads, uint32_t d, uint32_t m,
                         const char *weight) {
    static char buffers[2048], nodes[4096];
    uint32_t k = heads * d;
    snprintf(buffers, sizeof buffers,
             "  buf $p in f32[%u,%u,%u]\n  buf $m in f32[%u,%u]\n  buf $s in f32[%u,%u]\n"
             "  buf $w weight %s[%u,%u]\n  buf $h in f32[%u]\n  buf $y out f32[1,%u]\n"
             "  buf %%a tmp f32[%u,%u]\n  buf %%d tmp f32[1,%u]\n",
             parts, heads, d, parts, heads, parts, heads, weight, m, k, m, m, heads, d, m);
    snprintf(
        nodes, sizeof nodes,
        "  n0 = op attention_combine (r $p:f32[%u,%u,%u], r $m:f32[%u,%u], r $s:f32[%u,%u], -, "
        "w %%a:f32[%u,%u])\n"
        "  n1 = op matvec (r %%a:f32[1,%u], r $w:%s[%u,%u], w %%d:f32[1,%u])\n"
        "  n2 = op add (r %%d:f32[1,%u], r $h:f32[%u], w $y:f32[1,%u])\n",
        parts, heads, d, parts, heads, parts, heads, heads, d, k, weight, m, k, m, m, m, m);
    check_fused(buffers, nodes);
}

/* A norm that is added to its product: what x is made of is read behind it, too. */
static void check_square(uint32_t k, const char *weight) {
    static char buffers[1024], nodes[2048];
    snprintf(buffers, sizeof buffers,
             "  buf $x in f32[1,%u]\n  buf $g weight f32[%u]\n  buf $w weight %s[%u,%u]\n"
             "  buf $y out f32[1,%u]\n  buf %%n tmp f32[1,%u]\n  buf %%a tmp f32[1,%u]\n",
             k, k, weight, k, k, k, k, k);
    snprintf(nodes, sizeof nodes,
             "  n0 = op rms_norm (r $x:f32[1,%u], r $g:f32[%u], w %%n:f32[1,%u])\n"
             "  n1 = op matvec (r %%n:f32[1,%u], r $w:%s[%u,%u], w %%a:f32[1,%u])\n"
             "  n2 = op map {expr=\"a + b * c\"} (r %%a:f32[1,%u], r $x:f32[1,%u], r $g:f32[%u], "
             "w $y:f32[1,%u])\n",
             k, k, k, k, weight, k, k, k, k, k, k, k);
    check_fused(buffers, nodes);
}

static void test_joined(void) {
    T.programs = 0;
    check_joined(3, 4, 16, 52, "f16");
    check_joined(11, 8, 32, 20, "q8_0");
    check_joined(9, 4, 64, 44, "q4_0");
    check_joined(5, 4, 6, 12, "f32");
}

/* One vector with blocks where a lane has 64 columns: parts that are full and one that is not, rows that
 * stand alone or in pairs, products that meet, in one way or one after the other, and what makes x read
 * behind the product as well. */
static void check_columns(uint32_t part) {
    static const char *blocks[3] = {"q8_0", "q4_0", "q8_0"}, *mixed[3] = {"f16", "q8_0", "q4_0"};
    uint32_t more = part + part / 2;
    T.turn = COLUMNS;
    T.programs = 0;
    check_qkv(1, part, 5, 2, blocks, "", 8);
    check_qkv(1, more, 3, 1, mixed, "{layout=interleaved, dims=10}", 0);
    check_gate(1, part, 50, "q8_0", "q8_0", "f32");
    check_gate(1, more, 333, "q4_0", "q4_0", "f16");
    check_gate(1, 2 * part, 41, "q8_0", "q4_0", "f32");
    check_gate(1, part, 30, "f32", "q8_0", "f32");
    check_gate(1, 2 * part, 70, "q4_0", "f16", "f32");
    check_gate(1, more, 45, "q8_0", "bf16", "f32");
    check_residual(1, more, 300, "q4_0", true);
    check_residual(1, 4 * part, 75, "q8_0", false);
    check_joined(9, part / 64, 64, 44, "q4_0");
    check_square(more, "q8_0");
    check_square(part, "q4_0");
    T.turn = ALL;
}

/* An infinity, two that meet in a block, one and a NaN: results are infinite or not a number as sums in
 * double precision are. */
static void check_infinities(uint32_t k, const char *weight) {
    enum { ROWS = 67 };
    static const struct {
        uint32_t at[2];
        float x[2];
    } cases[] = {{{5, 5}, {INFINITY, INFINITY}},
                 {{37, 37}, {-INFINITY, -INFINITY}},
                 {{64, 79}, {INFINITY, -INFINITY}},
                 {{130, 250}, {INFINITY, INFINITY}},
                 {{9, 200}, {INFINITY, NAN}}};
    char text[512];
    snprintf(text, sizeof text,
             "reprise 1\ngraph products {\n  buf $x in f32[1,%u]\n  buf $w weight %s[%u,%u]\n"
             "  buf $y out f32[1,%u]\n"
             "  n0 = op matvec (r $x:f32[1,%u], r $w:%s[%u,%u], w $y:f32[1,%u])\n}\n",
             k, weight, ROWS, k, ROWS, k, weight, ROWS, k, ROWS);
    rp_graph *g = parse(text);
    rp_plan *plan = gpu_compile_ops(g, 0, NULL);
    rp_exec *exec = gpu_exec(T.device, plan, NULL);
    rp_tensor weights = tensor_of(g, 1);
    uint64_t size = g->buffers[1].size;
    uint8_t *bytes = need(calloc(size + 4, 1));
    float *x = need(calloc(k, sizeof *x)), y[ROWS];
    double *decoded = need(calloc((size_t)ROWS * k, sizeof *decoded));
    fill(g, 1, bytes);
    rp_values_decode(&weights, bytes, decoded);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "w", 0, bytes, size, NULL), RP_OK);
    uint32_t infinite = 0, numbers = 0;
    for (uint32_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        fill(g, 0, (uint8_t *)x);
        for (uint32_t i = 0; i < 2; i++) x[cases[c].at[i]] = cases[c].x[i];
        CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, x, k * sizeof *x, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, y, sizeof y, NULL), RP_OK);
        for (uint32_t r = 0; r < ROWS; r++) {
            double sum = 0;
            for (uint32_t i = 0; i < k; i++) sum += (double)x[i] * decoded[r * k + i];
            CU_ASSERT(isnan(sum) ? isnan(y[r]) : (double)y[r] == sum);
            infinite += !isnan(sum);
            numbers += isnan(sum) != 0;
        }
    }
    CU_ASSERT(infinite > 0 && numbers > 0);
    free(decoded);
    free(x);
    free(bytes);
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    rp_graph_destroy(g);
}

/* Programs, half of them for each number of multiprocessors, then the other half. */
static void check_programs(rp_target *target) {
    static void (*const programs[])(void) = {test_qkv, test_gate, test_joined};
    const uint32_t multiprocessors[2] = {target->multiprocessors, 2};
    for (uint32_t half = 0; half < 2; half++)
        for (uint32_t i = 0; i < 6 && gpu_tries(T.device, half, 2); i++) {
            target->multiprocessors = multiprocessors[i % 2];
            T.turn = i % 2 == half ? EVEN : ODD;
            programs[i / 2]();
        }
    T.turn = ALL;
}

/* The same for a large GPU, as far as the device at hand can pass for one: other workgroups. And for
 * one with few multiprocessors, where each has rows in turn. */
static void test_large(void) {
    static const shape many[] = {
        {1, 33, 256}, {2, 70, 512}, {3, 129, 768}, {1, 300, 4096}, {8, 47, 1280}};
    enum { MANY = sizeof many / sizeof *many };
    rp_target target = *rp_target_builtin("h200"), own = RP_TARGET_INIT;
    CU_ASSERT_EQUAL_FATAL(rp_device_target(T.device, &own), RP_OK);
    if (own.invocations < 512) return;
    target.needs &= own.needs;
    target.matrix_shapes = 0;
    target.subgroup = own.subgroup;
    target.subgroup_least = own.subgroup_least;
    target.subgroup_most = own.subgroup_most;
    if (target.shared_bytes > own.shared_bytes) target.shared_bytes = own.shared_bytes;
    T.target = &target;
    check_programs(&target);
    check_waiting(&target);
    /* Rows are many for it: half a subgroup has one of blocks. */
    check_products("f32", "q8_0", "f32", many, MANY);
    if (gpu_tries(T.device, 1, 2)) check_products("f16", "q4_0", "f32", many, MANY);
    if (rp_target_has(&target, RP_NEED_INT_DOT)) {
        uint32_t part = 64 * (uint32_t)target.subgroup;
        const shape wide[] = {{1, 70, part},         {1, 300, part / 4 * 3}, {1, 5, part},
                              {1, 33, part / 2 * 3}, {1, 129, 4 * part},     {1, 1, 3 * part}};
        if (gpu_tries(T.device, 1, 2)) check_products("f32", "q8_0", "f32", wide, 6);
        check_products("f16", "q4_0", "f16", wide, 6);
        check_infinities(part, "q8_0");
        if (gpu_tries(T.device, 1, 2)) check_infinities(part, "q4_0");
        check_infinities(part / 2 * 3, "q4_0");
        check_columns(part);
    }
    T.target = NULL;
}

int main(void) {
    static const rp_test tests[] = {{"norm, q, k, v, rope, caches", test_qkv},
                                    {"norm, gate and up", test_gate},
                                    {"bias and residual", test_residual},
                                    {"parts of an attention", test_joined},
                                    {"a product that is stored, too", test_stored_product},
                                    {"floats against sums in double precision", test_floats},
                                    {"q8_0 and q4_0", test_blocks},
                                    {"x larger than shared memory", test_tiles},
                                    {"for a large GPU", test_large},
                                    {NULL, NULL}};
    rp_diags *diags = rp_diags_create(NULL);
    if (rp_device_create(NULL, NULL, diags, &T.device) != RP_OK) {
        gpu_report(diags);
        return 99;
    }
    rp_device_info info = {.size = sizeof info};
    rp_device_get_info(T.device, &info);
    printf("matvec on %s\n", info.name);
    int failures = rp_run_tests("matvec", tests);
    rp_device_destroy(T.device, NULL);
    rp_diags_destroy(diags);
    return failures;
}
