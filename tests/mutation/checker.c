/* The checker on plans written by hand: what must be proven, and what must be found, with the
 * message that names the rule, the nodes, the buffer and the bytes. */
#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"
#include "reprise/check.h"
#include "support/failing_alloc.h"
#include "support/unit.h"

static rp_graph *parse(const rp_allocator *a, const char *text) {
    rp_graph *g = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    if (rp_graph_parse(a, text, strlen(text), "case", diags, &g) != RP_OK) {
        for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
            rp_diag d = rp_diags_get(diags, i);
            fprintf(stderr, "\n%u:%u: %s", d.line, d.column, d.message);
        }
        fprintf(stderr, "\n%s", text);
    }
    rp_diags_destroy(diags);
    CU_ASSERT_FATAL(g != NULL);
    return g;
}

/* Expects the finding `wanted` among the diagnostics; NULL: expects the proof. */
static void expect(const char *compiled, const char *source, const char *wanted) {
    rp_graph *g = parse(NULL, compiled), *s = source ? parse(NULL, source) : NULL;
    rp_diags *diags = rp_diags_create(NULL);
    rp_certificate c;
    rp_status status = rp_check(g, s, "plan.rpir", diags, &c);
    bool found = !wanted && rp_diags_count(diags) == 0;
    for (uint32_t i = 0; wanted && i < rp_diags_count(diags); i++)
        found |= strstr(rp_diags_get(diags, i).message, wanted) != NULL;
    CU_ASSERT(found);
    CU_ASSERT_EQUAL(status, wanted ? RP_ERROR_UNPROVEN : RP_OK);
    CU_ASSERT_EQUAL(c.verdict, wanted ? 0u : source ? 1u : 2u);
    if (!found) {
        fprintf(stderr, "\nwanted: %s\n", wanted ? wanted : "a proof");
        for (uint32_t i = 0; i < rp_diags_count(diags); i++)
            fprintf(stderr, "  %s\n", rp_diags_get(diags, i).message);
    }
    rp_diags_destroy(diags);
    rp_graph_destroy(g);
    rp_graph_destroy(s);
}

/* `text` with the first `from` replaced by `to`. The caller frees it. */
static char *edit(const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    if (!at) fprintf(stderr, "\nno '%s'", from);
    CU_ASSERT_FATAL(at != NULL);
    char *out = calloc(1, strlen(text) + strlen(to) + 1);
    CU_ASSERT_FATAL(out != NULL);
    memcpy(out, text, (size_t)(at - text));
    strcat(out, to);
    strcat(out, at + strlen(from));
    return out;
}

static void expect_edit(const char *compiled, const char *source, const char *from, const char *to,
                        const char *wanted) {
    char *text = edit(compiled, from, to);
    expect(text, source, wanted);
    free(text);
}

/* ---- The example of the design --------------------------------------------------------------- */

#define MLP_HEAD                                                                                   \
    "  buf $x   in     f32[4096]\n"                                                                \
    "  buf $w   weight f32[3145728]\n"                                                             \
    "  buf $y   out    f32[4096]\n"
#define MLP_KERNELS                                                                                \
    "  kern @norm spirv 9f2c1ab0 local 256 1 1 push 8 (r, w)\n"                                    \
    "  kern @gemv spirv 77d0e1c4 local 64 1 1 push 8 (r, r, w)\n"                                  \
    "  kern @gate spirv 0b5e93aa local 256 1 1 push 4 (r, r, w)\n"
#define MLP_N0 "  n0 = run @norm grid 1 1 1 push 00100000 acc52737 (r $x, w %n)\n"
#define MLP_N1                                                                                     \
    "  n1 = run @gemv grid 256 1 1 push 00100000 00400000 (r $w[0+4194304], r %n, w %g)\n"
#define MLP_N2                                                                                     \
    "  n2 = run @gemv grid 256 1 1 push 00100000 00400000 (r $w[4194304+4194304], r %n, w %u)\n"
#define MLP_N3 "  n3 = run @gate grid 64 1 1 push 00400000 (r %g, r %u, w %h)\n"
#define MLP_N5                                                                                     \
    "  n5 = run @gemv grid 64 1 1 push 00400000 00100000 (r $w[8388608+4194304], r %h, w $y)\n"

static const char mlp_source[] =
    "reprise 1\n"
    "graph mlp {\n" MLP_HEAD
    "  buf %n tmp 16384\n  buf %g tmp 65536\n  buf %u tmp 65536\n  buf %h tmp 65536\n"
    "  buf %dbg tmp 4096\n" MLP_KERNELS MLP_N0 MLP_N1 MLP_N2 MLP_N3
    "  n4 = run @norm grid 1 1 1 push 00400000 acc52737 (r %h, w %dbg)\n" MLP_N5 "}\n";

/* %n and %h share bytes. */
static const char mlp_plan[] =
    "reprise 1\n"
    "graph mlp scheduled placed synced arena 196608 {\n" MLP_HEAD
    "  buf %n tmp 16384 at 131072\n  buf %g tmp 65536 at 0\n  buf %u tmp 65536 at 65536\n"
    "  buf %h tmp 65536 at 131072\n" MLP_KERNELS "  barrier compute:w -> compute:w\n"
    "  group 0\n" MLP_N0 "  barrier compute:w -> compute:r\n"
    "  group 1\n" MLP_N1 MLP_N2 "  barrier compute:w -> compute:rw\n"
    "  group 2\n" MLP_N3 "  barrier compute:w -> compute:r\n"
    "  group 3\n" MLP_N5 "  barrier compute:w -> host:r\n"
    "}\n";

static void test_mlp(void) {
    expect(mlp_plan, mlp_source, NULL);
    expect(mlp_plan, NULL, NULL);
    expect_edit(mlp_plan, mlp_source, "  barrier compute:w -> compute:w\n  group 0\n",
                "  group 0\n", "n0 of the next replay overwrites what n3 wrote");
    expect_edit(mlp_plan, mlp_source, "barrier compute:w -> compute:r\n  group 1",
                "barrier compute:r -> compute:r\n  group 1",
                "rule 2: n1 reads what n0 wrote (%n[0+16384], raw): no barrier between group 0 "
                "and group 1 covers compute:w -> compute:r");
    expect_edit(mlp_plan, mlp_source, "compute:w -> compute:rw", "compute:w -> compute:r",
                "rule 2: n3 overwrites what n1 read (%h[0+16384] in the bytes of %n, war): no "
                "barrier between group 1 and group 2 covers compute:r -> compute:w");
    expect_edit(mlp_plan, mlp_source, "host:r", "transfer:r",
                "rule 2: the host reads what n5 wrote ($y[0+16384], raw): no barrier behind group "
                "3 covers compute:w -> host:r");
    expect_edit(mlp_plan, mlp_source, "buf %g tmp 65536 at 0", "buf %g tmp 65536 at 131072",
                "share bytes, and one is written");
    expect_edit(mlp_plan, mlp_source, "buf %u tmp 65536 at 65536", "buf %u tmp 65536 at 32768",
                "rule 2: n2 overwrites what n1 wrote (%u[0+32768] in the bytes of %g, waw): both "
                "are in group 1, which has no order");
    expect_edit(
        mlp_plan, mlp_source, "  group 2\n" MLP_N3 "  barrier compute:w -> compute:r\n  group 3\n",
        "  group 2\n",
        "rule 1: n5 reads %h[0+16384]: expected the bytes n3 wrote, finds the bytes n0 wrote");
    expect_edit(mlp_plan, mlp_source, "(r $x, w %n)", "(r $y[0+16384], w %n)",
                "rule 0: n0 uses r $y[0+16384], in the source r $x[0+16384]: another buffer");
    expect_edit(mlp_plan, mlp_source, "(r $w[8388608+4194304]", "(r $w[8388604+4194304]",
                "another place");
    expect_edit(mlp_plan, mlp_source, "push 00400000 (r %g", "push 00400001 (r %g",
                "rule 0: n3 has other data than in the source");
    expect_edit(mlp_plan, mlp_source, "grid 64 1 1 push 00400000 (r %g",
                "grid 64 1 2 push 00400000 (r %g", "has another grid");
    expect_edit(mlp_plan, mlp_source, "9f2c1ab0", "9f2c1ab1", "kernel @norm is not the same");
    expect_edit(mlp_plan, mlp_source, "n5 = run", "n7 = run", "n7 is not a node of the source");
    expect_edit(mlp_plan, mlp_source, "in     f32[4096]", "in     f32[64,64]",
                "$x is not the same as in the source");
}

/* ---- Scopes ---------------------------------------------------------------------------------- */

#define KERNELS                                                                                    \
    "  kern @w spirv - local 1 1 1 (w)\n  kern @r spirv - local 1 1 1 (r)\n"                       \
    "  kern @b spirv - local 1 1 1 (rw)\n  kern @rw spirv - local 1 1 1 (r, w)\n"                  \
    "  kern @uw spirv - local 1 1 1 (u, w)\n  kern @ub spirv - local 1 1 1 (u, rw)\n"
#define SOURCE(buffers, nodes) "reprise 1\ngraph g {\n" buffers KERNELS nodes "}\n"
#define PLAN(buffers, nodes) "reprise 1\ngraph g scheduled synced {\n" buffers KERNELS nodes "}\n"

static void test_stages(void) {
#define BUFFERS "  buf $x in 64\n  buf $y out 64\n  buf %t tmp 64\n"
    static const char source[] =
        SOURCE(BUFFERS, "  n0 = copy (r $x, w %t)\n"
                        "  n1 = run @rw grid indirect %t[0+12] (r %t, w $y)\n");
    static const char plan[] =
        PLAN(BUFFERS, "  barrier indirect:r,compute:rw -> compute:w,transfer:w\n"
                      "  group 0\n"
                      "    n0 = copy (r $x, w %t)\n"
                      "  barrier transfer:w -> compute:r,indirect:r\n"
                      "  group 1\n"
                      "    n1 = run @rw grid indirect %t[0+12] (r %t, w $y)\n"
                      "  barrier compute:w -> host:r\n");
    /* That n0 of the next replay waits for n1, which waited for n0, is not enough: each write is
     * held against the write before it. */
    expect(plan, source, "n0 of the next replay overwrites what n0 wrote (%t[0+12], waw)");
    char *right = edit(plan, "indirect:r,compute:rw ->", "indirect:r,compute:rw,transfer:w ->");
    expect(right, source, NULL);
    expect_edit(right, source, "-> compute:r,indirect:r", "-> compute:r",
                "rule 2: n1 reads what n0 wrote (%t[0+12], raw): no barrier between group 0 and "
                "group 1 covers transfer:w -> indirect:r");
    expect_edit(right, source, "-> compute:r,indirect:r", "-> compute:u,indirect:r",
                "transfer:w -> compute:r");
    expect_edit(right, source, "barrier indirect:r,compute:rw", "barrier compute:rw",
                "n0 of the next replay overwrites what n1 read (%t[0+12], war): no barrier between "
                "group 1 and group 0 of the next replay covers indirect:r -> transfer:w");
    free(right);
#undef BUFFERS
}

/* One barrier must cover both sides; two halves are not enough. */
static void test_one_boundary(void) {
#define BUFFERS "  buf $x in 64\n  buf $z out 64\n  buf $y out 64\n  buf %t tmp 64\n"
#define N0 "  n0 = run @rw grid 1 1 1 (r $x, w %t)\n"
#define N1 "  n1 = copy (r $x, w $z)\n"
#define N2 "  n2 = run @rw grid 1 1 1 (r %t, w $y)\n"
    static const char source[] = SOURCE(BUFFERS, N0 N1 N2);
    static const char plan[] =
        PLAN(BUFFERS, "  barrier compute:w,transfer:w -> compute:w,transfer:w\n"
                      "  group 0\n" N0 "  barrier compute:w -> transfer:rw\n"
                      "  group 1\n" N1 "  barrier transfer:rw -> compute:rw\n"
                      "  group 2\n" N2 "  barrier compute:w,transfer:w -> host:r\n");
    expect(plan, source,
           "n2 reads what n0 wrote (%t[0+64], raw): no barrier between group 0 and group 2");
    expect_edit(plan, source, "compute:w -> transfer:rw", "compute:w -> compute:r", NULL);
#undef N0
#undef N1
#undef N2
#undef BUFFERS
}

/* An earlier reader stays in sight although the overwriting node reads in place. */
static void test_in_place(void) {
#define BUFFERS "  buf $x in 64\n  buf $z out 64\n  buf $y out 64\n  buf %t tmp 64\n"
#define N0 "  n0 = run @rw grid 1 1 1 (r $x, w %t)\n"
#define N1 "  n1 = run @rw grid 1 1 1 (r %t, w $z)\n"
#define N2 "  n2 = run @rw grid 1 1 1 (r %t, w %t)\n"
#define N3 "  n3 = run @rw grid 1 1 1 (r %t, w $y)\n"
    static const char source[] = SOURCE(BUFFERS, N0 N1 N2 N3);
    static const char plan[] = PLAN(BUFFERS, "  barrier compute:w -> compute:w\n"
                                             "  group 0\n" N0 "  barrier compute:w -> compute:rw\n"
                                             "  group 1\n" N1 "  barrier indirect:r -> compute:w\n"
                                             "  group 2\n" N2 "  barrier compute:w -> compute:r\n"
                                             "  group 3\n" N3 "  barrier compute:w -> host:r\n");
    expect(plan, source, "n2 overwrites what n1 read (%t[0+64], war): no barrier between group 1");
    expect_edit(plan, source, "indirect:r -> compute:w", "compute:r -> compute:w", NULL);
#undef N0
#undef N1
#undef N2
#undef N3
#undef BUFFERS
}

/* ---- Replays --------------------------------------------------------------------------------- */

static void test_replays(void) {
#define BUFFERS "  buf $s inout 64\n"
    static const char source[] = SOURCE(BUFFERS, "  n0 = run @b grid 1 1 1 (rw $s)\n");
    static const char plan[] = PLAN(BUFFERS, "  barrier compute:w -> compute:rw\n"
                                             "  group 0\n    n0 = run @b grid 1 1 1 (rw $s)\n"
                                             "  barrier compute:w -> host:r\n");
    expect(plan, source, NULL);
    expect_edit(plan, source, "-> compute:rw", "-> compute:w",
                "rule 2: n0 of the next replay reads what n0 wrote ($s[0+64], raw): no barrier "
                "between group 0 and group 0 of the next replay covers compute:w -> compute:r");
    /* The barrier toward the host may serve the next replay as well. */
    expect_edit(plan, source,
                "  barrier compute:w -> compute:rw\n  group 0\n    n0 = run @b grid 1 1 1 (rw $s)\n"
                "  barrier compute:w -> host:r\n",
                "  group 0\n    n0 = run @b grid 1 1 1 (rw $s)\n"
                "  barrier compute:w -> host:r,compute:rw\n",
                NULL);
#undef BUFFERS
}

/* What an inout buffer brings from the replay before must be found in its place. */
static void test_kept_bytes(void) {
#define BUFFERS "  buf $s inout 64\n  buf $y out 64\n"
#define N0 "  n0 = run @rw grid 1 1 1 (r $s, w $y)\n"
#define N1 "  n1 = run @w grid 1 1 1 (w $s)\n"
    static const char source[] = SOURCE(BUFFERS, N0 N1);
    static const char plan[] = PLAN(BUFFERS, "  barrier compute:w -> compute:rw\n  group 0\n" N0
                                             "  barrier compute:r -> compute:w\n  group 1\n" N1
                                             "  barrier compute:w -> host:r\n");
    static const char wrong[] = PLAN(BUFFERS, "  barrier compute:w -> compute:rw\n  group 0\n" N1
                                              "  barrier compute:w -> compute:r\n  group 1\n" N0
                                              "  barrier compute:w -> host:r\n");
    expect(plan, source, NULL);
    expect(wrong, source,
           "rule 1: n0 reads $s[0+64]: expected its contents from before the first replay, finds "
           "the bytes n1 wrote");
    expect(wrong, NULL, NULL); /* without its source the order is as good as any */
#undef N0
#undef N1
#undef BUFFERS
}

/* ---- Renaming -------------------------------------------------------------------------------- */

static void test_renaming(void) {
#define N2 "  n2 = run @w grid 1 1 1 (w $y)\n"
    static const char source[] =
        SOURCE("  buf $z out 64\n  buf $y out 64\n", "  n0 = run @w grid 1 1 1 (w $y)\n"
                                                     "  n1 = run @rw grid 1 1 1 (r $y, w $z)\n" N2);
    /* The first value of $y lives in a transient. */
    static const char plan[] = PLAN("  buf $z out 64\n  buf $y out 64\n  buf %v tmp 128\n",
                                    "  barrier compute:w -> compute:w\n"
                                    "  group 0\n    n0 = run @w grid 1 1 1 (w %v[32+64])\n" N2
                                    "  barrier compute:w -> compute:r\n"
                                    "  group 1\n    n1 = run @rw grid 1 1 1 (r %v[32+64], w $z)\n"
                                    "  barrier compute:w -> host:r\n");
    expect(plan, source, NULL);
    expect_edit(plan, source, "(r %v[32+64]", "(r %v[28+64]",
                "rule 1: n1 reads %v[28+4]: expected the bytes n0 wrote, finds bytes that nothing");
    expect_edit(plan, source, "(r %v[32+64]", "(r %v[36+60]", "another size");
    expect_edit(plan, source, "(w $y)", "(w %v[32+64])",
                "rule 1: the end of the plan reads $y[0+64]");
    expect_edit(plan, source, "(r %v[32+64]", "(r $y",
                "rule 1: n1 reads $y[0+64]: expected the bytes n0 wrote, finds the bytes n2 wrote");
#undef N2
}

/* What the source leaves undefined may be anything. */
static void test_undefined(void) {
    expect(PLAN("  buf $y out 64\n  buf %q tmp 64\n",
                "  barrier compute:w -> compute:w\n"
                "  group 0\n    n0 = run @rw grid 1 1 1 (r %q, w $y)\n"
                "  barrier compute:w -> host:r\n"),
           SOURCE("  buf $y out 64\n  buf %t tmp 64\n", "  n0 = run @rw grid 1 1 1 (r %t, w $y)\n"),
           NULL);
}

/* A node whose grid is not known may write only a part: what was there before is still needed. */
static void test_partial_write(void) {
#define BUFFERS "  buf $l live u32[1]\n  buf $y out 64\n"
#define N0 "  n0 = fill 00000000 (w $y)\n"
#define N1 "  n1 = run @w grid {$l} 1 1 (w $y)\n"
    static const char source[] = SOURCE(BUFFERS, N0 N1);
    static const char plan[] = PLAN(BUFFERS, "  barrier compute:w -> transfer:w\n  group 0\n" N0
                                             "  barrier transfer:w -> compute:w\n  group 1\n" N1
                                             "  barrier compute:w -> host:r\n");
    expect(plan, source, NULL);
    expect(PLAN(BUFFERS, "  barrier compute:w -> compute:w\n  group 0\n" N1
                         "  barrier compute:w -> host:r\n"),
           source, "rule 1: n1 reads $y[0+64]: expected the bytes n0 wrote");
    expect_edit(plan, source, "{$l}", "{$l + 1}", "has another grid");
#undef N0
#undef N1
#undef BUFFERS
}

/* ---- Fences and nodes without declared uses -------------------------------------------------- */

#define ALL "compute:w,transfer:w,indirect:r -> compute:rwus,transfer:rw,indirect:r"

static void test_fence(void) {
#define BUFFERS "  buf $y out 64\n  buf $z out 64\n"
#define N0 "  n0 = run @w grid 1 1 1 (w $y)\n"
#define N3 "  n3 = run @w grid 1 1 1 (w $z)\n"
    static const char fenced[] =
        SOURCE(BUFFERS, N0 "  n1 = fence\n  n2 = fence\n" N3 "  n4 = fence\n");
    static const char plan[] = PLAN(BUFFERS, "  barrier compute:w -> compute:w\n"
                                             "  group 0\n" N0 "  barrier " ALL "\n"
                                             "  group 1\n" N3 "  barrier compute:w -> host:r\n");
    expect(plan, fenced, NULL); /* the fences themselves may go */
    expect_edit(plan, fenced, ALL, "compute:w -> compute:rw",
                "rule 2: n3 in group 1 must wait for n0 in group 0 because of the fence n1");
    expect_edit(plan, fenced, "  barrier " ALL "\n  group 1\n", "", "because of the fence n2");
#undef N0
#undef N3
#undef BUFFERS
}

/* What an optional node would have written keeps what was there, which must be what the source has
 * there. Who is left out together says the source. */
static void test_optional(void) {
#define BUFFERS "  buf $x in 64\n  buf $y out 64\n  buf %t tmp 64\n  buf %u tmp 64\n"
#define N0 "  n0 = run @w grid 1 1 1 (w %t)\n"
#define N1 "  n1 = run @w grid 1 1 1 (w %t) optional label \"a\"\n"
#define N2 "  n2 = run @rw grid 1 1 1 (r %t, w $y)\n"
#define WAIT "  barrier compute:w -> compute:rw\n"
    static const char source[] = SOURCE(BUFFERS, N0 N1 N2);
    static const char plan[] =
        PLAN(BUFFERS, "  barrier compute:rw -> compute:w\n  group 0\n" N0 WAIT "  group 1\n" N1 WAIT
                      "  group 2\n" N2 "  barrier compute:w -> host:r\n");
    expect(plan, source, NULL);
    expect_edit(plan, source, "  group 0\n" N0 WAIT "  group 1\n" N1 WAIT "  group 2\n",
                "  group 0\n" N1 WAIT "  group 1\n",
                "rule 1: n1 reads %t[0+64]: expected the bytes n0 wrote, finds bytes that nothing");
    expect_edit(plan, source, "(w %t)\n", "(w %u)\n",
                "rule 1: n1 reads %t[0+64]: expected the bytes n0 wrote, finds bytes that nothing");
    expect_edit(plan, source, " optional", "",
                "rule 0: n1 can be left out in other cases than in the source");
    expect_edit(plan, source, "label \"a\"", "label \"b\"", "n1 can be left out in other cases");
    expect_edit(plan, source, " label \"a\"", "", "n1 can be left out in other cases");
    expect_edit(plan, source, "(w %t)\n", "(w %t) optional\n", "n0 can be left out in other cases");
#undef N0
#undef N1
#undef N2
#undef WAIT
#undef BUFFERS
}

static void test_unknown(void) {
#define BUFFERS "  buf $y out 64\n  buf %t tmp 64\n  buf %v tmp 64\n"
#define N0 "  n0 = run @w grid 1 1 1 (w %t)\n"
#define N1 "  n1 = run @r grid 1 1 1\n"
#define N2 "  n2 = run @rw grid 1 1 1 (r %t, w $y)\n"
    static const char source[] = SOURCE(BUFFERS, N0 N1 N2);
    static const char plan[] =
        PLAN(BUFFERS, "  barrier " ALL "\n  group 0\n" N0 "  barrier " ALL "\n  group 1\n" N1
                      "  barrier " ALL "\n  group 2\n" N2 "  barrier compute:w -> host:r\n");
    expect(plan, source, NULL);
    expect(plan, NULL, NULL);
    expect_edit(
        plan, source, "barrier " ALL "\n  group 0", "barrier compute:w -> compute:w\n  group 0",
        "rule 2: n1 has no declared uses: no barrier between two replays covers everything");
    expect_edit(
        plan, source, "  barrier " ALL "\n  group 2", "  barrier compute:w -> compute:r\n  group 2",
        "rule 2: n2 in group 2 must wait for n1 in group 1 because of undeclared uses of n1");
    expect_edit(plan, source, "compute:w -> host:r", "transfer:w -> host:r",
                "rule 2: n1 has no declared uses and may write results");
    expect_edit(plan, source,
                "  group 0\n" N0 "  barrier " ALL "\n  group 1\n" N1 "  barrier " ALL
                "\n  group 2\n",
                "  group 0\n" N1 "  barrier " ALL "\n  group 1\n",
                "rule 1: n1 has no declared uses and may read what n0 wrote (%t[0+64]), which is "
                "missing");
    expect_edit(plan, source, "  group 1\n" N1 "  barrier " ALL "\n  group 2\n", "  group 1\n",
                "rule 0: n1 has no declared uses and is missing");
    expect_edit(plan, source, "(w %t)", "(w %v)", "renamed beside a node without declared uses");
    static const char moved[] =
        PLAN(BUFFERS, "  barrier " ALL "\n  group 0\n" N1 "  barrier " ALL "\n  group 1\n" N0
                      "  barrier " ALL "\n  group 2\n" N2 "  barrier compute:w -> host:r\n");
    expect(moved, source, "must wait for n0");
#undef N0
#undef N1
#undef N2
#undef BUFFERS
}

/* ---- What cannot be judged ------------------------------------------------------------------- */

static void test_misuse(void) {
    CU_ASSERT_EQUAL(rp_check(NULL, NULL, NULL, NULL, NULL), RP_ERROR_USAGE);
    expect(mlp_source, mlp_source, "the graph is not scheduled");

    rp_graph *g = parse(NULL, mlp_plan), *s = parse(NULL, mlp_source);
    CU_ASSERT_EQUAL(rp_check(g, s, NULL, NULL, NULL), RP_OK);
    g->uses[3].buffer = 99; /* what no text can say, a pass could do */
    CU_ASSERT_EQUAL(rp_check(g, s, NULL, NULL, NULL), RP_ERROR_UNPROVEN);
    g->uses[3].buffer = 0;
    g->uses[3].offset = UINT64_MAX - 4;
    CU_ASSERT_EQUAL(rp_check(g, s, NULL, NULL, NULL), RP_ERROR_UNPROVEN);
    rp_graph_destroy(g);
    g = parse(NULL, mlp_plan);
    g->barriers_count--;
    CU_ASSERT_EQUAL(rp_check(g, s, NULL, NULL, NULL), RP_ERROR_UNPROVEN);
    g->barriers_count++;
    g->arena_bytes = 1024;
    CU_ASSERT_EQUAL(rp_check(g, s, NULL, NULL, NULL), RP_ERROR_UNPROVEN);
    rp_graph_destroy(g);
    rp_graph_destroy(s);
}

static void test_certificate(void) {
    rp_graph *g = parse(NULL, mlp_plan), *s = parse(NULL, mlp_source);
    rp_certificate c;
    CU_ASSERT_EQUAL(rp_check(g, s, NULL, NULL, &c), RP_OK);
    CU_ASSERT_EQUAL(c.checker_version, RP_CHECKER_VERSION);
    CU_ASSERT_EQUAL(c.source_hash, rp_graph_hash(s));
    CU_ASSERT_EQUAL(c.compiled_hash, rp_graph_hash(g));
    CU_ASSERT(c.reads_proven >= 9);
    CU_ASSERT(c.conflicts_proven >= 8);
    CU_ASSERT_EQUAL(rp_check(g, NULL, NULL, NULL, &c), RP_OK);
    CU_ASSERT_EQUAL(c.source_hash, 0);
    rp_graph_destroy(g);
    rp_graph_destroy(s);
}

/* Each allocation fails in turn: the status says so, and nothing is lost. */
static void test_no_memory(void) {
    failing_alloc memory = {0};
    rp_allocator a = failing_allocator(&memory);
    rp_graph *g = parse(&a, mlp_plan), *s = parse(&a, mlp_source);
    int64_t live = memory.live;
    rp_status status = RP_ERROR_NO_MEMORY;
    uint64_t n = 1;
    for (; n < 1000 && status != RP_OK; n++) {
        memory.requests = 0;
        memory.fail_at = n;
        rp_certificate c;
        status = rp_check(g, s, NULL, NULL, &c);
        CU_ASSERT(status == RP_OK || (status == RP_ERROR_NO_MEMORY && c.verdict == 0));
        CU_ASSERT_EQUAL(memory.live, live);
    }
    CU_ASSERT(n > 20 && n < 1000);
    memory.fail_at = 0;
    rp_graph_destroy(g);
    rp_graph_destroy(s);
}

/* A plan with more faults than a list holds still ends, and counts no proof. */
static void test_many_findings(void) {
    enum { NODES = 300 };
    char *text = calloc(NODES + 20, 64);
    CU_ASSERT_FATAL(text != NULL);
    size_t at = (size_t)sprintf(
        text, "reprise 1\ngraph g scheduled synced {\n  buf $y out 4\n" KERNELS "  group 0\n");
    for (uint32_t i = 0; i < NODES; i++)
        at += (size_t)sprintf(text + at, "    n%u = run @w grid 1 1 1 (w $y)\n", i);
    strcpy(text + at, "}\n");
    rp_graph *g = parse(NULL, text);
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(rp_check(g, NULL, NULL, diags, NULL), RP_ERROR_UNPROVEN);
    CU_ASSERT_EQUAL(rp_diags_count(diags), 100);
    rp_diags_destroy(diags);
    rp_graph_destroy(g);
    free(text);
}

int main(void) {
    static const rp_test tests[] = {
        {"mlp, right and broken in many ways", test_mlp},
        {"stages and ways of access", test_stages},
        {"one boundary covers both sides", test_one_boundary},
        {"in-place work hides no reader", test_in_place},
        {"the barrier between replays", test_replays},
        {"bytes kept between replays", test_kept_bytes},
        {"renaming", test_renaming},
        {"undefined bytes", test_undefined},
        {"partial writes", test_partial_write},
        {"fences", test_fence},
        {"optional nodes", test_optional},
        {"nodes without declared uses", test_unknown},
        {"graphs that cannot be judged", test_misuse},
        {"certificate", test_certificate},
        {"no memory", test_no_memory},
        {"more findings than fit", test_many_findings},
        {NULL, NULL},
    };
    return rp_run_tests("checker", tests);
}
