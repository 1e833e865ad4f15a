/* The size of kernels: what fusion makes of long chains. A kernel has a bounded number of
 * instructions and a graph a bounded number for each op, whatever its length and whatever the ops:
 * counted, not timed. And what fusion estimates is held against what compilers make of it, and
 * against the text of kernels/. */
#include "support/cases.h"
#include "support/unit.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "graph/graph.h"
#include "lower/internal.h"
#include "pass.h"
#include "reprise/compiler.h"
#include "reprise/needs.h"

static char cache_folder[] = "/tmp/reprise-test-size-XXXXXX";

/* ---- Chains ---------------------------------------------------------------------------------- */

typedef struct builder {
    rp_text buffers, nodes;
    uint32_t count, buffer_count;
} builder;

static void put(rp_text *text, const char *format, ...) {
    va_list args;
    va_start(args, format);
    rp_text_vformat(text, format, args);
    va_end(args);
}

/* "%t3", or what a chain begins with. */
static const char *name(char text[16], uint32_t value) {
    if (value == 0) return "$x";
    snprintf(text, 16, "%%t%u", value);
    return text;
}

/* One op of a chain: reads value `from` and others of a format, and writes the next. In the format
 * # is the value before, @ the one before that, and ! the value written. */
static void step(builder *b, const char *tensor, const char *op) {
    char last[16], before[16], next[16];
    put(&b->buffers, "buf %%t%u tmp %s\n", b->count + 1, tensor);
    put(&b->nodes, "n%u = op ", b->count);
    for (const char *c = op; *c; c++) {
        if (*c == '#')
            rp_text_string(&b->nodes, name(last, b->count));
        else if (*c == '@')
            rp_text_string(&b->nodes, name(before, b->count ? b->count - 1 : 0));
        else if (*c == '!')
            rp_text_string(&b->nodes, name(next, b->count + 1));
        else
            rp_text_char(&b->nodes, *c);
    }
    rp_text_char(&b->nodes, '\n');
    b->count++;
}

typedef struct chain {
    const char *what, *tensor;
    const char *ops[3]; /* in turn */
    const char *end;    /* one more op over the last value; NULL */
    const char *result; /* its tensor */
} chain;

#define ROWS "f32[4,64]"
#define LONG "f32[4,300]"
#define SQUARE "f32[32,32]"
#define HEADS "f32[8,2,16]"
#define VECTOR "f32[1,64]"

static const chain chains[] = {
    {"norms",
     ROWS,
     {"rms_norm (r #:" ROWS ", -, w !:" ROWS ")", "softmax (r #:" ROWS ", -, w !:" ROWS ")"}},
    {"long norms",
     LONG,
     {"softmax (r #:" LONG ", -, w !:" LONG ")", "layer_norm (r #:" LONG ", -, -, w !:" LONG ")"}},
    {"norms and maps",
     ROWS,
     {"rms_norm (r #:" ROWS ", -, w !:" ROWS ")", "gelu (r #:" ROWS ", w !:" ROWS ")",
      "add (r #:" ROWS ", r @:" ROWS ", w !:" ROWS ")"}},
    {"doubling", ROWS, {"add (r #:" ROWS ", r #:" ROWS ", w !:" ROWS ")"}},
    {"sums of two", ROWS, {"add (r #:" ROWS ", r @:" ROWS ", w !:" ROWS ")"}},
    {"powers",
     ROWS,
     {"pow (r #:" ROWS ", r @:" ROWS ", w !:" ROWS ")", "gelu (r #:" ROWS ", w !:" ROWS ")"}},
    {"sines", ROWS, {"map {expr=\"a * 2 + sin(a)\"} (r #:" ROWS ", w !:" ROWS ")"}},
    {"cosines and sums",
     ROWS,
     {"map {expr=\"cos(a)\"} (r #:" ROWS ", w !:" ROWS ")",
      "add (r #:" ROWS ", r @:" ROWS ", w !:" ROWS ")"}},
    {"transposed",
     SQUARE,
     {"transpose (r #:" SQUARE ", w !:" SQUARE ")",
      "add (r #:" SQUARE ", r @:" SQUARE ", w !:" SQUARE ")"}},
    {"transposed powers",
     SQUARE,
     {"transpose (r #:" SQUARE ", w !:" SQUARE ")",
      "pow (r #:" SQUARE ", r @:" SQUARE ", w !:" SQUARE ")"}},
    {"pairs", HEADS, {"rope (r #:" HEADS ", r $p:u32[8], -, w !:" HEADS ")"}},
    {"pairs and maps",
     HEADS,
     {"rope (r #:" HEADS ", r $p:u32[8], -, w !:" HEADS ")",
      "add (r #:" HEADS ", r @:" HEADS ", w !:" HEADS ")"}},
    {"distances", SQUARE, {"l2_distance (r #:" SQUARE ", r $w:" SQUARE ", w !:" SQUARE ")"}},
    {"distances of both",
     SQUARE,
     {"cosine_distance (r #:" SQUARE ", r #:" SQUARE ", w !:" SQUARE ")"}},
    {"maps, then top_k",
     SQUARE,
     {"gelu (r #:" SQUARE ", w !:" SQUARE ")", "transpose (r #:" SQUARE ", w !:" SQUARE ")"},
     "top_k {k=2} (r #:" SQUARE ", -, w $y:f32[32,2], w $i:u32[32,2])",
     "f32[32,2]"},
    {"maps, then matmul",
     SQUARE,
     {"transpose (r #:" SQUARE ", w !:" SQUARE ")",
      "add (r #:" SQUARE ", r @:" SQUARE ", w !:" SQUARE ")"},
     "matmul (r #:" SQUARE ", r #:" SQUARE ", w $y:" SQUARE ")",
     SQUARE},
    {"norms, then a product",
     VECTOR,
     {"rms_norm (r #:" VECTOR ", -, w !:" VECTOR ")",
      "softmax (r #:" VECTOR ", -, w !:" VECTOR ")"},
     "matvec (r #:" VECTOR ", r $m:f32[48,64], w $y:f32[1,48])",
     "f32[1,48]"},
    {"products",
     VECTOR,
     {"matvec (r #:" VECTOR ", r $q:f32[64,64], w !:" VECTOR ")",
      "silu (r #:" VECTOR ", w !:" VECTOR ")"}},
    {"matmuls",
     SQUARE,
     {"matmul (r #:" SQUARE ", r $w:" SQUARE ", w !:" SQUARE ")",
      "gelu (r #:" SQUARE ", w !:" SQUARE ")"}},
};

static rp_graph *parse(rp_text *text) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *graph = NULL;
    CU_ASSERT_FALSE_FATAL(text->failed);
    rp_graph_parse(NULL, text->data, text->size, "test", diags, &graph);
    for (uint32_t i = 0; !graph && i < rp_diags_count(diags); i++)
        printf("%u: %s\n", rp_diags_get(diags, i).line, rp_diags_get(diags, i).message);
    rp_diags_destroy(diags);
    rp_text_free(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(graph);
    return graph;
}

static rp_graph *build(const chain *c, uint32_t length) {
    builder b = {.count = 0};
    rp_text_init(&b.buffers, NULL);
    rp_text_init(&b.nodes, NULL);
    uint32_t turns = 1 + (c->ops[1] != NULL) + (c->ops[2] != NULL);
    for (uint32_t i = 0; i < length; i++) step(&b, c->tensor, c->ops[i % turns]);
    const char *end = c->end ? c->end : "copy (r #:%s, w $y:%s)";
    char last[512];
    snprintf(last, sizeof last, end, c->tensor, c->tensor);
    rp_text text;
    rp_text_init(&text, NULL);
    put(&text, "reprise 1\ngraph g {\nbuf $x in %s\nbuf $p in u32[8]\nbuf $w in " SQUARE "\n",
        c->tensor);
    put(&text, "buf $m in f32[48,64]\nbuf $q in f32[64,64]\nbuf $i out u32[32,2]\nbuf $y out %s\n",
        c->end ? c->result : c->tensor);
    step(&b, "f32[1]", last);
    rp_text_append(&text, b.buffers.data, b.buffers.size);
    rp_text_append(&text, b.nodes.data, b.nodes.size);
    rp_text_string(&text, "}\n");
    rp_text_free(&b.buffers);
    rp_text_free(&b.nodes);
    return parse(&text);
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

static rp_graph *run(const rp_graph *source, const char *pipeline) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_pass_options options = {
        .size = sizeof options, .pipeline = pipeline, .lowering = rp_lowering_default()};
    rp_graph *out = NULL;
    rp_passes_run(source, &options, diags, &out, NULL, NULL);
    for (uint32_t i = 0; !out && i < rp_diags_count(diags); i++)
        printf("%s\n", rp_diags_get(diags, i).message);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    rp_diags_destroy(diags);
    return out;
}

static uint32_t instructions(const rp_graph *g, const rp_graph_node *n) {
    const rp_graph_kernel *k = &g->kernels[n->kernel];
    const uint32_t *words = g->words + k->first_word;
    uint32_t count = 0;
    for (uint32_t at = 5; at < k->word_count; at += words[at] >> 16) count++;
    return count;
}

static double estimate(const rp_graph *g, const rp_graph_node *n) {
    rp_emit e;
    CU_ASSERT_EQUAL_FATAL(rp_emit_open(&e, NULL, g, n, false, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_emit_node(&e), RP_OK);
    double size = e.shape.size;
    rp_emit_close(&e);
    return size;
}

enum {
    LARGEST = 12000, /* instructions of a kernel that fusion made */
    LENGTHS = 3,
};

typedef struct measure {
    uint32_t length, all, most;
} measure;

static measure measure_chain(const chain *c, uint32_t length) {
    rp_graph *source = build(c, length), *g = run(source, "fuse,lower");
    measure m = {.length = length};
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        uint32_t size = instructions(g, &g->nodes[i]);
        double ratio = estimate(g, &g->nodes[i]) / size;
        m.all += size;
        if (size > m.most) m.most = size;
        /* What is small may be estimated badly. */
        if (size < 1000 || (ratio > 0.3 && ratio < 3)) continue;
        printf("%s, %u ops, n%u: %u instructions, estimated %.2f times as many\n", c->what, length,
               g->nodes[i].id, size, ratio);
        CU_FAIL("estimate");
    }
    rp_graph_destroy(g);
    rp_graph_destroy(source);
    return m;
}

static void test_chains(void) {
    static const uint32_t lengths[LENGTHS] = {12, 36, 108};
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i += RP_PART) {
        measure m[LENGTHS];
        for (uint32_t k = 0; k < LENGTHS; k++) {
            m[k] = measure_chain(&chains[i], lengths[k]);
            if (m[k].most > LARGEST)
                printf("%s, %u ops: %u instructions\n", chains[i].what, lengths[k], m[k].most);
            CU_ASSERT_TRUE(m[k].most <= LARGEST);
        }
        double one = (double)m[1].all / m[1].length, two = (double)m[2].all / m[2].length;
        if (two > 1.25 * one) printf("%s: %.0f, then %.0f an op\n", chains[i].what, one, two);
        CU_ASSERT_TRUE(two <= 1.25 * one);
    }
}

/* ---- Functions of formulas ------------------------------------------------------------------- */

typedef struct weight {
    uint32_t real;
    double estimated;
} weight;

/* Of one kernel: a sum of `uses` calls, in whose pattern # is something that no other use has. */
static weight weigh_sum(const char *pattern, uint32_t uses) {
    rp_text text;
    rp_text_init(&text, NULL);
    rp_text_string(&text, "reprise 1\ngraph g {\nbuf $x in f32[64]\nbuf $y out f32[64]\n"
                          "n0 = op map {expr=\"");
    for (uint32_t i = 0; i < uses; i++) {
        rp_text_string(&text, i ? " + " : "");
        for (const char *c = pattern; *c; c++) {
            if (*c == '#')
                put(&text, "(a + %u.5)", i);
            else
                rp_text_char(&text, *c);
        }
    }
    rp_text_string(&text, "\"} (r $x:f32[64], w $y:f32[64])\n}\n");
    rp_graph *source = parse(&text), *g = run(source, "fuse,lower");
    weight w = {instructions(g, &g->nodes[0]), estimate(g, &g->nodes[0])};
    rp_graph_destroy(g);
    rp_graph_destroy(source);
    return w;
}

/* A use more is as many instructions more as it is taken for: what the bound on a kernel's size
 * rests on. */
static void test_functions(void) {
    static const char *const patterns[] = {
#define RP_X(name, arity, floats)                                                                  \
    (floats) && (arity) == 1 ? #name "(#)" : (floats) ? #name "(#, a)" : NULL,
        RP_FORMULA_FUNCTIONS(RP_X)
#undef RP_X
            "# / a"};
    enum { FEW = 3, MANY = 11 };
    uint32_t found = 0;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i += RP_PART) {
        const char *p = patterns[i];
        if (!p || strncmp(p, "is", 2) == 0) continue;
        weight few = weigh_sum(p, FEW), many = weigh_sum(p, MANY);
        double real = (double)(many.real - few.real) / (MANY - FEW);
        double ratio = (many.estimated - few.estimated) / (MANY - FEW) / real;
        bool right = real < 40 || (ratio > 0.5 && ratio < 2);
        if (!right) printf("%s: %.1f instructions, estimated %.2f times as many\n", p, real, ratio);
        CU_ASSERT_TRUE(right);
        found += real >= 40;
    }
    CU_ASSERT_TRUE(found > 10 / RP_PART);
}

/* ---- What others fused ----------------------------------------------------------------------- */

/* A node that fusion would not make is compiled as long as it is not absurd. */
static void test_by_hand(void) {
    for (uint32_t pairs = 2; pairs <= 16; pairs += 14) {
        rp_text text;
        rp_text_init(&text, NULL);
        put(&text, "reprise 1\ngraph g {\nbuf $x in " SQUARE "\nbuf $y out " SQUARE "\n"
                   "n0 = fused {\n");
        for (uint32_t i = 0; i < pairs; i++) {
            char in[16] = "$x", out[16] = "$y";
            if (i) snprintf(in, sizeof in, "^a%u", i - 1);
            if (i + 1 < pairs) snprintf(out, sizeof out, "^a%u", i);
            put(&text, "n%u = transpose (r %s:" SQUARE ", w ^t%u:" SQUARE ")\n", 2 * i, in, i);
            put(&text, "n%u = add (r %s:" SQUARE ", r ^t%u:" SQUARE ", w %s:" SQUARE ")\n",
                2 * i + 1, in, i, out);
        }
        rp_text_string(&text, "}\n}\n");
        rp_graph *g = parse(&text);
        rp_diags *diags = rp_diags_create(NULL);
        char *glsl = NULL;
        rp_status status = rp_node_glsl(g, 0, 0, diags, &glsl);
        CU_ASSERT_EQUAL(status, pairs == 2 ? RP_OK : RP_ERROR_INVALID);
        CU_ASSERT_EQUAL_FATAL(rp_diags_count(diags), pairs == 2 ? 0 : 1);
        if (pairs > 2)
            CU_ASSERT_PTR_NOT_NULL(strstr(rp_diags_get(diags, 0).message, "instructions"));
        rp_text_release(g, glsl);
        rp_diags_destroy(diags);
        rp_graph_destroy(g);
    }
}

/* ---- What ops say of their text -------------------------------------------------------------- */

static bool is_word(char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether a place of a text is for variants that need integer dot products, and this one does not; or
 * the reverse. */
static bool is_left_out(const char *text, const char *place, bool dots) {
    enum { EVERYWHERE, WITH, WITHOUT } where = EVERYWHERE;
    for (const char *line = text; line < place; line += strcspn(line, "\n") + 1) {
        if (strncmp(line, "#if NEEDS_INT_DOT", 17) == 0) where = WITH;
        if (where && strncmp(line, "#el", 3) == 0) where = WITHOUT;
        if (strncmp(line, "#endif", 6) == 0) where = EVERYWHERE;
    }
    return where == (dots ? WITHOUT : WITH);
}

/* At how many places a text calls NAME or NAME_store; NAME_4, NAME_8, NAME_halves and
 * NAME_bytes count as often as they ask. */
static uint32_t count_calls(const char *text, const char *name, bool dots) {
    static const struct {
        const char *tail;
        uint32_t elements;
    } wides[] = {{"_4", 4}, {"_8", 8}, {"_halves", 8}, {"_bytes", 16}, {"", 1}};
    uint32_t count = 0;
    size_t length = strlen(name);
    for (const char *c = text; (c = strstr(c, name)); c += length) {
        const char *end = c + length + (strncmp(c + length, "_store", 6) == 0 ? 6 : 0);
        uint32_t w = 0;
        while (strncmp(end, wides[w].tail, strlen(wides[w].tail)) != 0) w++;
        const char *line = c;
        while (line > text && line[-1] != '\n') line--;
        bool comment = false; /* or for others */
        for (; line < c; line++) comment |= line[0] == '/' && line[1] == '/';
        comment |= is_left_out(text, c, dots);
        if (!comment && (c == text || !is_word(c[-1])) && end[strlen(wides[w].tail)] == '(')
            count += wides[w].elements;
    }
    return count;
}

/* Returns the number of operands that are asked for at more than one place. */
static uint32_t compare_sites(const rp_op_call *call, const char *path) {
    const char *text = rp_kernel_source(path);
    uint32_t found = 0;
    for (uint32_t k = 0; text && k < call->op->operand_count; k++) {
        const char *name = call->op->operands[k].name;
        bool dots = call->variant && (call->variant->needs & RP_NEED_INT_DOT);
        uint32_t calls = count_calls(text, name, dots);
        bool said = calls <= rp_op_sites(call, k);
        if (!said) printf("%s: %u calls of %s\n", path, calls, name);
        CU_ASSERT_TRUE(said);
        found += calls > 1;
    }
    return found;
}

/* Helpers that call an operand and are called several times themselves are counted by hand. */
static void test_sites(void) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < rp_op_count(); i++) {
        rp_op_call call = {.op = rp_op_at(i)};
        char path[96];
        snprintf(path, sizeof path, "pointwise/%s", call.op->name);
        found += compare_sites(&call, path);
        snprintf(path, sizeof path, "scatter/%s", call.op->name);
        found += compare_sites(&call, path);
        if (call.op->product) continue;
        for (const rp_op_variant *v = call.op->variants; v && v->name; v++) {
            snprintf(path, sizeof path, v->source ? "%s" : "%s/%s",
                     v->source ? v->source : call.op->name, v->name);
            call.variant = v;
            CU_ASSERT_PTR_NOT_NULL(rp_kernel_source(path));
            found += compare_sites(&call, path);
        }
    }
    CU_ASSERT_TRUE(found > 10);
}

int main(void) {
    if (!mkdtemp(cache_folder)) return 99;
    setenv("XDG_CACHE_HOME", cache_folder, 1);
    int failures = rp_run_tests("kernel_size", (rp_test[]){{"chains", test_chains},
                                                           {"functions", test_functions},
                                                           {"nodes made by hand", test_by_hand},
                                                           {"sites of operands", test_sites},
                                                           {0}});
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", cache_folder);
    return system(command) == 0 ? failures : 99;
}
