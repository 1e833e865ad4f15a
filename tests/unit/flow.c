/* Pass flow: what it tags and why not; tagged buffers in the text form, and what verification says of them. */
#include <string.h>

#include "reprise/graph.h"
#include "reprise/passes.h"
#include "support/abstract_lowering.h"
#include "support/cases.h"
#include "support/random_ops.h"
#include "support/said.h"
#include "support/unit.h"
#include "../../ir/graph/graph.h"

static rp_diags *diags;

static rp_graph *parse(const char *text, rp_status wanted) {
    rp_graph *g = NULL;
    rp_diags_clear(diags);
    rp_status status = rp_graph_parse(NULL, text, strlen(text), NULL, diags, &g);
    if (status == RP_OK) status = rp_graph_verify(g, NULL, diags);
    CU_ASSERT_EQUAL(status, wanted);
    return g;
}

/* Two products in a row and one beside them; `dtype` of the weights, `columns` of the value between. */
static rp_graph *products(const char *dtype, uint32_t columns, const char *more) {
    char text[2048];
    snprintf(text, sizeof text,
             "reprise 1\ngraph g {\n  buf $x in f32[1,256]\n  buf $v weight %s[%u,256]\n"
             "  buf $w weight %s[256,%u]\n  buf %%a tmp f32[1,%u]\n  buf $y out f32[1,256]\n"
             "  buf $z out f32[1,%u]\n  buf %%t tmp f32[1,%u]\n"
             "  n0 = op matvec (r $x:f32[1,256], r $v:%s[%u,256], w %%a:f32[1,%u])\n"
             "  n1 = op matvec (r %%a:f32[1,%u], r $w:%s[256,%u], w $y:f32[1,256])\n%s}\n",
             dtype, columns, dtype, columns, columns, columns, columns, dtype, columns, columns,
             columns, dtype, columns, more);
    return parse(text, RP_OK);
}

/* The decisions of pass flow, as lines; how many buffers it tagged. */
static uint32_t flow(rp_graph *source, const char *target, const char *mode, char *details,
                     size_t size) {
    char pipeline[128];
    snprintf(pipeline, sizeof pipeline, "schedule,%s,lower,place,sync", mode);
    const rp_pass_options options = {.size = sizeof options,
                                     .pipeline = pipeline,
                                     .verify_each = 1,
                                     .lowering = abstract_lowering()};
    rp_graph *compiled = NULL;
    rp_pass_reports *reports = NULL;
    CU_ASSERT_EQUAL(rp_graph_set_target(source, rp_target_builtin(target)), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(source, &options, diags, &compiled, NULL, &reports), RP_OK);
    const rp_pass_report *r = rp_pass_reports_get(reports, 1);
    snprintf(details, size, "%s\n%s", r->summary, r->details);
    uint32_t tagged = 0;
    for (uint32_t i = 0; i < compiled->buffers_count; i++) tagged += compiled->buffers[i].tagged;
    rp_graph_stats stats = {.size = sizeof stats};
    CU_ASSERT_EQUAL(rp_graph_get_stats(compiled, &stats), RP_OK);
    CU_ASSERT_EQUAL(stats.tagged, tagged);
    if (tagged) CU_ASSERT(stats.tagged_barriers < stats.barriers);
    rp_pass_reports_destroy(reports);
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
    return tagged;
}

static void test_decisions(void) {
    static const char beside[] = "  n2 = op silu (r %a:f32[1,2048], w %t:f32[1,2048])\n"
                                 "  n3 = op silu (r %t:f32[1,2048], w $z:f32[1,2048])\n";
    char said_of[4096];
    CU_ASSERT_EQUAL(flow(products("f16", 2048, ""), "h200", "flow", said_of, sizeof said_of), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(said_of, "tagged %a of n0 for group 1"));
    CU_ASSERT_EQUAL(flow(products("f16", 2048, ""), "portable", "flow", said_of, sizeof said_of),
                    0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said_of, "no 64-bit atomics"));
    CU_ASSERT_EQUAL(flow(products("f16", 2048, ""), "lavapipe", "flow", said_of, sizeof said_of),
                    0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said_of, "not known to start in order"));
    CU_ASSERT_EQUAL(flow(products("q8_0", 2048, ""), "h200", "flow", said_of, sizeof said_of), 1);
    CU_ASSERT_EQUAL(flow(products("q8_0", 2048, ""), "h200", "flow=all", said_of, sizeof said_of),
                    1);
    CU_ASSERT_EQUAL(
        flow(products("f16", 2048, ""), "portable", "flow=all", said_of, sizeof said_of), 1);
    /* Words of so many elements, for each workgroup, take longer than a barrier. */
    CU_ASSERT_EQUAL(flow(products("f16", 32768, ""), "h200", "flow", said_of, sizeof said_of), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said_of, "left %a"));
    CU_ASSERT_PTR_NOT_NULL(strstr(said_of, "barrier_ns"));
    /* A reader that is no product keeps the barrier, and with it what the product waits for. */
    CU_ASSERT_EQUAL(flow(products("f16", 2048, beside), "h200", "flow", said_of, sizeof said_of),
                    0);
}

/* A barrier that other hazards need anyway makes a tag useless. */
static void test_useless(void) {
    static const char text[] =
        "reprise 1\ngraph g {\n  buf $x in f32[1,256]\n  buf $v weight f16[256,256]\n"
        "  buf $w weight f16[256,256]\n  buf %a tmp f32[1,256]\n  buf %b tmp f16[1,256]\n"
        "  buf $y out f32[1,256]\n  buf $z out f16[1,256]\n"
        "  n0 = op matvec (r $x:f32[1,256], r $v:f16[256,256], w %a:f32[1,256])\n"
        "  n1 = op cast (r $x:f32[1,256], w %b:f16[1,256])\n"
        "  n2 = op matvec (r %a:f32[1,256], r $w:f16[256,256], w $y:f32[1,256])\n"
        "  n3 = op silu (r %b:f16[1,256], w $z:f16[1,256])\n}\n";
    char said_of[4096];
    CU_ASSERT_EQUAL(flow(parse(text, RP_OK), "h200", "flow", said_of, sizeof said_of), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said_of, "a barrier stands there for other hazards"));
}

/* ---- Text and verification ------------------------------------------------------------------- */

#define NODES                                                                                      \
    "  n0 = op silu (r $x:f32[64], w %a:f32[64])\n  n1 = op silu (r %a:f32[64], w "                \
    "$y:f32[64])\n}\n"
#define HEAD(stages, a)                                                                            \
    "reprise 1\ngraph g" stages " {\n  buf $x in f32[64]\n  buf $y out f32[64]\n  buf %a tmp " a   \
    "\n"

static void test_text(void) {
    char *text = NULL;
    rp_graph *g = parse(HEAD("", "f32[64] tagged") NODES, RP_OK);
    CU_ASSERT_EQUAL(rp_graph_print(g, RP_FORMAT_TEXT, &text, NULL), RP_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "buf %a tmp f32[64] tagged\n"));
    rp_text_release(g, text);
    rp_graph_destroy(g);

    g = parse(HEAD(" scheduled placed synced arena 512",
                   "f32[64] tagged at 0") "  barrier compute:w -> compute:w\n  group 0\n"
                                          "  n0 = op silu (r $x:f32[64], w %a:f32[64])\n"
                                          "  barrier compute:w -> compute:r tagged none -> none\n  "
                                          "group 1\n"
                                          "  n1 = op silu (r %a:f32[64], w $y:f32[64])\n  barrier "
                                          "compute:w -> host:r\n}\n",
              RP_OK);
    CU_ASSERT_EQUAL_FATAL(g->tagged_barriers_count, 3);
    CU_ASSERT_EQUAL(g->barriers[1].dst, RP_SCOPE_COMPUTE_R);
    CU_ASSERT_EQUAL(g->tagged_barriers[1].dst, 0);
    CU_ASSERT_EQUAL(g->tagged_barriers[2].dst, RP_SCOPE_HOST_R);
    CU_ASSERT_EQUAL(rp_graph_print(g, RP_FORMAT_TEXT, &text, NULL), RP_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "barrier compute:w -> compute:r tagged none -> none"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "raw %a n0->n1; not needed: n1 waits for all words of %a (n0)"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "barriers 1 (bound 1), 0 with 1 buffers tagged (512 bytes of words)"));
    rp_text_release(g, text);
    CU_ASSERT_EQUAL(rp_graph_print(g, RP_FORMAT_JSON, &text, NULL), RP_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"tagged\":true"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"tagged_dst\":\"none\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"waits\":true"));
    rp_text_release(g, text);
    rp_graph_destroy(g);
}

static void test_mistakes(void) {
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"reprise 1\ngraph g {\n  buf $y out f32[64] tagged\n  n0 = fill 00000000 (w $y)\n}\n",
         "only transient buffers are tagged"},
        {HEAD("", "f16[64] tagged") "  n0 = op silu (r $x:f32[64], w %a:f16[64])\n"
                                    "  n1 = op silu (r %a:f16[64], w $y:f32[64])\n}\n",
         "elements with a tag have 4 bytes"},
        {HEAD("", "f32[64] tagged") "  n0 = fill 00000000 (w %a)\n"
                                    "  n1 = op silu (r %a:f32[64], w $y:f32[64])\n}\n",
         "only kernels made of ops know of tags"},
        {HEAD("", "f32[64] tagged") "  n1 = op silu (r $x:f32[64], w $y:f32[64])\n}\n",
         "nobody writes it"},
        {HEAD("", "f32[64] tagged") "  n0 = op silu (r $x:f32[64], w %a:f32[64])\n"
                                    "  n2 = op relu (r $x:f32[64], w %a:f32[64])\n"
                                    "  n3 = op silu (r %a:f32[64], w $y:f32[64])\n}\n",
         "one node writes it, once"},
        {HEAD("",
              "f32[64] tagged") "  n0 = op silu (r $x:f32[64], w %a:f32[64])\n"
                                "  n3 = op silu (r %a[0+128]:f32[32], w $y[0+128]:f32[32])\n}\n",
         "it is used as a whole"},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_graph_destroy(parse(cases[i].text, RP_ERROR_INVALID));
        CU_ASSERT_TRUE(rp_test_said(diags, cases[i].words));
    }
    rp_graph *g = NULL;
    static const char forms[] =
        HEAD(" scheduled synced", "f32[64]") "  barrier compute:w -> "
                                             "compute:r tagged none -> none\n  group 0\n" NODES;
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_graph_parse(NULL, forms, strlen(forms), NULL, diags, &g), RP_ERROR_INVALID);
    CU_ASSERT_TRUE(rp_test_said(diags, "there is no tagged buffer"));
    rp_graph_destroy(g);
}

/* ---- What fuse makes of it ------------------------------------------------------------------- */

static rp_graph *fused(const rp_graph *source, const char *mode, const char *target) {
    char pipeline[64];
    snprintf(pipeline, sizeof pipeline, "dce,rename,transfers,%s", mode);
    const rp_pass_options options = {.size = sizeof options,
                                     .pipeline = pipeline,
                                     .verify_each = 1,
                                     .target = rp_target_builtin(target)};
    rp_graph *g = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(source, &options, diags, &g, NULL, NULL), RP_OK);
    return g;
}

/* Where nothing is tagged, nothing is reckoned with. */
static void test_fuse_elsewhere(void) {
    uint64_t cases = rp_cases(60, 20), seed = rp_environment("RP_SEED", 1);
    for (uint64_t i = 0; i < 2 * cases; i++) {
        rp_random_ops *ops = rp_random_ops_create(seed + i / 2);
        rp_graph *source = rp_random_ops_build(&ops, 1);
        const char *target = i % 2 ? "portable" : "lavapipe";
        rp_graph *a = fused(source, "fuse", target), *b = fused(source, "fuse=tags", target);
        CU_ASSERT_EQUAL(rp_graph_hash(a), rp_graph_hash(b));
        rp_graph_destroy(a);
        rp_graph_destroy(b);
        rp_graph_destroy(source);
        rp_random_ops_destroy(ops);
    }
}

/* So many parts of an attention that are joined in front of a product; `between` is what is read of the
 * value between beside the product. */
static uint32_t joined(uint32_t parts, const char *mode, const char *between) {
    char text[2048];
    snprintf(
        text, sizeof text,
        "reprise 1\ngraph g {\n  buf $p in f32[%u,32,64]\n  buf $m in f32[%u,32]\n"
        "  buf $s in f32[%u,32]\n  buf $w weight f16[2048,2048]\n  buf %%n tmp f32[32,64]\n"
        "  buf $o out f32[1,2048]\n  buf $z out f32[32,64]\n"
        "  n0 = op attention_combine (r $p:f32[%u,32,64], r $m:f32[%u,32], r $s:f32[%u,32], -, "
        "w %%n:f32[32,64])\n"
        "  n1 = op matvec (r %%n:f32[1,2048], r $w:f16[2048,2048], w $o:f32[1,2048])\n%s}\n",
        parts, parts, parts, parts, parts, parts, between);
    rp_graph *source = parse(text, RP_OK), *g = fused(source, mode, "h200");
    uint32_t nodes = g->nodes_count;
    rp_graph_destroy(g);
    rp_graph_destroy(source);
    return nodes;
}

/* Both join few parts and keep many apart, and the one that reckons with tags begins earlier. */
static void test_fuse(void) {
    uint32_t most[2] = {0, 0};
    for (uint32_t parts = 1; parts <= 64; parts++)
        for (uint32_t mode = 0; mode < 2; mode++) {
            bool one = joined(parts, mode ? "fuse=tags" : "fuse", "") == 1;
            if (one) CU_ASSERT_EQUAL(most[mode], parts - 1);
            if (one) most[mode] = parts;
        }
    CU_ASSERT(most[1] > 0 && most[1] < most[0] && most[0] < 64);
    /* A reader without weights does not wait, so the barrier stays, and with it what is worthwhile. */
    static const char reader[] = "  n2 = op softmax (r %n:f32[32,64], -, w $z:f32[32,64])\n";
    for (uint32_t parts = 1; parts <= 64; parts += 3)
        CU_ASSERT_EQUAL(joined(parts, "fuse", reader), joined(parts, "fuse=tags", reader));
}

int main(void) {
    static const rp_test tests[] = {{"what is tagged", test_decisions},
                                    {"what is of no use", test_useless},
                                    {"text", test_text},
                                    {"mistakes", test_mistakes},
                                    {"fuse where nothing is tagged", test_fuse_elsewhere},
                                    {"fuse where a barrier made it worthwhile", test_fuse},
                                    {NULL, NULL}};
    diags = rp_diags_create(NULL);
    int status = rp_run_tests("flow", tests);
    rp_diags_destroy(diags);
    return status;
}
