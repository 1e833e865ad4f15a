/* The plan that the plan tests work on: small, and with one of everything. */
#ifndef RP_TESTS_PLAN_SAMPLE_H
#define RP_TESTS_PLAN_SAMPLE_H

#include "base/hash.h"
#include "graph/graph.h"
#include "reprise/compiler.h"
#include "reprise/passes.h"
#include "reprise/plan_build.h"
#include "support/unit.h"

static const char sample_text[] =
    "reprise 1\n"
    "graph sample {\n"
    "  buf %a tmp 256\n"
    "  buf $x in f32[8,8]\n"
    "  buf $w weight 256\n"
    "  buf $n live u32[2] = 40000000 01000000 max 64\n"
    "  buf $y out f32[64]\n"
    "  buf $z out 256\n"
    "  buf $p live 16 = 07000000 00000000 00000000 00000000 follows $n[4+4] at 4, $n at 8\n"
    "  buf %b tmp 256\n"
    "  buf %dead tmp 512\n"
    "  buf %grid tmp 12\n"
    "  kern @scale spirv - local 64 1 1 push 4 (r, rw)\n"
    "  kern @unused spirv - local 1 1 1 (w)\n"
    "  kern @add spirv - local 8 8 1 shared 1024 spec 7=3f800000 3=00000010 (u, r 0.4, w 1.0)\n"
    "  kern @touch spirv - local 1 1 1 ()\n"
    "  n0 = fill 00000000 (w %a) label \"layer 0\"\n"
    "  n1 = run @scale grid {ceil_div($n, 64)} {$n[1] * 2} 3 push 0000803f (r $x, rw %a) "
    "label \"layer 0\" op scale\n"
    "  n2 = update 01000000 01000000 01000000 (w %grid)\n"
    "  n3 = run @add grid indirect %grid (u $w, r %a, w %b)\n"
    "  n4 = fill ffffffff (w %dead)\n"
    "  n5 = copy (r %b, w $z)\n"
    "  n6 = run @add grid 4 4 1 (u $n, r %b, w $y)\n"
    "}\n";

/* SPIR-V with all that a plan looks at: Shader, Int64, one entry point, the workgroup size of
 * @scale and the constants of @add. Its code does nothing. */
enum { SAMPLE_LOCAL = 20 }; /* word of the workgroup size */
static const uint32_t sample_words[] = {
    0x07230203,
    0x00010000,
    0,
    10,
    0, /* header: ids below 10 */
    2 << 16 | 17,
    1, /* Shader */
    2 << 16 | 17,
    11, /* Int64 */
    3 << 16 | 14,
    0,
    1, /* Logical GLSL450 */
    5 << 16 | 15,
    5,
    1,
    0x6e69616d,
    0, /* GLCompute %1 "main" */
    6 << 16 | 16,
    1,
    17,
    64,
    1,
    1, /* LocalSize of %1 */
    4 << 16 | 71,
    6,
    1,
    3, /* SpecId 3 of %6 */
    4 << 16 | 71,
    7,
    1,
    7, /* SpecId 7 of %7 */
    2 << 16 | 19,
    2, /* %2 void */
    3 << 16 | 33,
    3,
    2, /* %3 its function */
    4 << 16 | 21,
    4,
    32,
    0, /* %4 u32 */
    3 << 16 | 22,
    5,
    32, /* %5 f32 */
    4 << 16 | 50,
    4,
    6,
    1, /* %6 */
    4 << 16 | 50,
    5,
    7,
    0, /* %7 */
    5 << 16 | 54,
    2,
    1,
    0,
    3, /* %1 */
    2 << 16 | 248,
    8,
    1 << 16 | 253,
    1 << 16 | 56 /* label, return, end */
};

/* Gives every kernel a body. */
static inline void sample_add_words(rp_graph *g) {
    uint32_t count = sizeof sample_words / sizeof *sample_words;
    for (uint32_t i = 0; i < g->kernels_count; i++) {
        CU_ASSERT_TRUE_FATAL(
            RP_RESERVE(&g->allocator, g->words, g->words_count, g->words_capacity, count));
        memcpy(g->words + g->words_count, sample_words, sizeof sample_words);
        g->kernels[i].first_word = g->words_count;
        g->kernels[i].word_count = count;
        memcpy(g->words + g->words_count + SAMPLE_LOCAL, g->kernels[i].local,
               sizeof g->kernels[i].local);
        g->kernels[i].hash = rp_hash(g->words + g->words_count, sizeof sample_words);
        g->words_count += count;
    }
}

static inline rp_graph *sample_source(const char *text) {
    rp_graph *g = NULL;
    rp_status status = rp_graph_parse(NULL, text, strlen(text), "sample.rpir", NULL, &g);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    sample_add_words(g);
    return g;
}

typedef struct sample {
    rp_graph *source, *compiled;
    rp_certificate certificate;
    rp_plan *plan;
} sample;

/* Three ops that become one kernel. Each is followed by what else is to stand there. */
#define SAMPLE_FUSED(first, second, third)                                                         \
    "reprise 1\ngraph fused {\n  buf $x in f32[64]\n  buf %a tmp f32[64]\n  buf %b tmp f32[64]\n"  \
    "  buf $y out f32[64]\n"                                                                       \
    "  n0 = op silu (r $x:f32[64], w %a:f32[64])" first "\n"                                       \
    "  n1 = op sigmoid (r %a:f32[64], w %b:f32[64])" second "\n"                                   \
    "  n2 = op silu (r %b:f32[64], w $y:f32[64])" third "\n}\n"

/* Compiled all the way, ops too. */
static inline rp_plan *sample_compile(const char *text) {
    rp_graph *g = NULL;
    rp_plan *plan = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, strlen(text), "sample.rpir", NULL, &g), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_compile(g, NULL, NULL, &plan, NULL), RP_OK);
    rp_graph_destroy(g);
    return plan;
}

static inline sample sample_make(const char *text) {
    sample s = {.source = sample_source(text)};
    rp_status status = rp_passes_run(s.source, NULL, NULL, &s.compiled, &s.certificate, NULL);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    status = rp_plan_build(s.compiled, s.source, &s.certificate, NULL, &s.plan);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    return s;
}

static inline void sample_free(sample *s) {
    rp_plan_destroy(s->plan);
    rp_graph_destroy(s->compiled);
    rp_graph_destroy(s->source);
}

/* The text of the one message in `diags`, valid until the next call. */
static inline const char *one_message(const rp_diags *diags) {
    static char text[1024];
    CU_ASSERT_EQUAL(rp_diags_count(diags), 1);
    rp_diag diag = rp_diags_get(diags, 0);
    rp_diag_format(&diag, text, sizeof text);
    return text;
}

/* Whether the one message contains `expected`; shows it when not. */
static inline int message_has(const rp_diags *diags, const char *expected) {
    const char *text = one_message(diags);
    if (strstr(text, expected)) return 1;
    fprintf(stderr, "\nexpected: %s\nmessage:  %s\n", expected, text);
    return 0;
}

#endif
