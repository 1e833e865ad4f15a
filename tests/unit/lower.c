/* Lowering: the text that op nodes become, and the kernels that are made of it. That the kernels
 * compute what the ops mean is for tests/gpu; here is what no result shows: that text depends on
 * structure alone, that equal nodes share a kernel, that everything exact is decorated so, that
 * caches repair themselves, and that what no kernel can compute is refused with its reason. */
#include "support/unit.h"
#include "support/failing_alloc.h"

#include <spirv/unified1/GLSL.std.450.h>
#include <spirv/unified1/spirv.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "graph/graph.h"
#include "kernel/cache.h"
#include "lower/internal.h"
#include "pass.h"
#include "reprise/compiler.h"

static char cache_folder[] = "/tmp/reprise-test-lower-XXXXXX";

static rp_graph *parse_with(const rp_allocator *allocator, const char *text) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *graph = NULL;
    rp_status status = rp_graph_parse(allocator, text, strlen(text), "test", diags, &graph);
    for (uint32_t i = 0; status == RP_ERROR_INVALID && i < rp_diags_count(diags); i++)
        printf("%u: %s\n", rp_diags_get(diags, i).line, rp_diags_get(diags, i).message);
    rp_diags_destroy(diags);
    return graph;
}

static rp_graph *parse(const char *text) {
    rp_graph *graph = parse_with(NULL, text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(graph);
    return graph;
}

/* The text of a node, to be released with rp_text_release. */
static char *glsl(const rp_graph *graph, uint32_t node, int fast) {
    char *text = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_node_glsl(graph, node, fast, NULL, &text), RP_OK);
    return text;
}

static rp_graph *lower(const rp_graph *source, const char *pipeline) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_pass_options options = {.size = sizeof options,
                               .pipeline = pipeline,
                               .lowering = rp_lowering_default(),
                               .verify_each = 1};
    rp_graph *out = NULL;
    rp_passes_run(source, &options, diags, &out, NULL, NULL);
    for (uint32_t i = 0; !out && i < rp_diags_count(diags); i++)
        printf("%s\n", rp_diags_get(diags, i).message);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    rp_diags_destroy(diags);
    return out;
}

/* ---- Text ------------------------------------------------------------------------------------ */

/* The same ops over other sizes, and one that broadcasts. */
static const char maps_text[] = "reprise 1\n"
                                "graph maps {\n"
                                "  buf $x in f32[6,40]\n"
                                "  buf $z in f32[5,3]\n"
                                "  buf $g in f32[40]\n"
                                "  buf $a out f32[6,40]\n"
                                "  buf $b out f32[5,3]\n"
                                "  buf $c out f32[6,40]\n"
                                "  n0 = op add (r $x:f32[6,40], r $x:f32[6,40], w $a:f32[6,40])\n"
                                "  n1 = op add (r $z:f32[5,3], r $z:f32[5,3], w $b:f32[5,3])\n"
                                "  n2 = op add (r $x:f32[6,40], r $g:f32[40], w $c:f32[6,40])\n"
                                "}\n";

static void test_structure(void) {
    rp_graph *graph = parse(maps_text);
    char *a = glsl(graph, 0, 0), *b = glsl(graph, 1, 0), *c = glsl(graph, 2, 0);
    CU_ASSERT_STRING_EQUAL(a, b);
    CU_ASSERT_STRING_NOT_EQUAL(a, c);
    CU_ASSERT_PTR_NOT_NULL(strstr(c, "i % m0_b_size1"));
    CU_ASSERT_PTR_NULL(strstr(a, " % "));
    CU_ASSERT_PTR_NOT_NULL(strstr(a, "precise"));
    CU_ASSERT_PTR_NULL(strstr(a, "40")); /* sizes are constants */
    char *fast = glsl(graph, 0, 1);
    CU_ASSERT_PTR_NULL(strstr(fast, "precise float r"));
    rp_text_release(graph, a);
    rp_text_release(graph, b);
    rp_text_release(graph, c);
    rp_text_release(graph, fast);
    rp_graph_destroy(graph);
}

static void test_wrong_calls(void) {
    rp_graph *graph = parse("reprise 1\ngraph g {\n  buf $x in 64\n  buf $y out 64\n"
                            "  n0 = copy (r $x, w $y)\n}\n");
    char *text = "";
    CU_ASSERT_EQUAL(rp_node_glsl(NULL, 0, 0, NULL, &text), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(text);
    CU_ASSERT_EQUAL(rp_node_glsl(graph, 1, 0, NULL, &text), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_node_glsl(graph, 0, 0, NULL, NULL), RP_ERROR_USAGE);
    text = glsl(graph, 0, 0); /* neither an op nor made of one */
    CU_ASSERT_STRING_EQUAL(text, "");
    rp_text_release(graph, text);
    rp_graph_destroy(graph);
}

/* What comes of a node of a hand-written graph that no kernel computes. */
static void refuse(const char *text, const char *reason) {
    rp_graph *graph = parse(text);
    rp_diags *diags = rp_diags_create(NULL);
    char *out = NULL;
    CU_ASSERT_EQUAL(rp_node_glsl(graph, 0, 0, diags, &out), RP_ERROR_INVALID);
    CU_ASSERT_PTR_NULL(out);
    CU_ASSERT_EQUAL_FATAL(rp_diags_count(diags), 1);
    const char *message = rp_diags_get(diags, 0).message;
    if (!strstr(message, reason)) printf("%s\n", message);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, reason));
    rp_diags_destroy(diags);
    rp_graph_destroy(graph);
}

static void test_refused(void) {
    refuse("reprise 1\ngraph g {\n  buf $x in f32[6,4]\n  buf $y out f32[6]\n  buf $z out f32[4]\n"
           "  n1 = fused {\n"
           "    n0 = row_sum (r $x:f32[6,4], w $y:f32[6])\n"
           "    n1 = row_sum (r $x:f32[4,6], w $z:f32[4])\n  }\n}\n",
           "n1 row_sum goes over 4 rows of 6, n0 row_sum over 6 of 4");
    refuse("reprise 1\ngraph g {\n  buf $x in f32[6]\n  buf $y out f32[6]\n  buf $z out f32[4]\n"
           "  buf $w in f32[4]\n"
           "  n1 = fused {\n"
           "    n0 = neg (r $x:f32[6], w $y:f32[6])\n"
           "    n1 = neg (r $w:f32[4], w $z:f32[4])\n  }\n}\n",
           "6 and 4 elements go to memory");
    refuse("reprise 1\ngraph g {\n  buf $x in f32[6,4]\n  buf $y out f32[4,6]\n"
           "  n1 = fused {\n"
           "    n0 = softmax (r $x:f32[6,4], -, w ^p:f32[6,4])\n"
           "    n1 = transpose (r ^p:f32[6,4], w $y:f32[4,6])\n  }\n}\n",
           "n1 transpose asks n0 softmax for more than its own element");
    refuse("reprise 1\ngraph g {\n  buf $x in f32[6,4]\n  buf $v out f32[6,2]\n"
           "  buf $i out u32[6,2]\n  buf $s out f32[6,4]\n"
           "  n1 = fused {\n"
           "    n0 = neg (r $x:f32[6,4], w $s:f32[6,4])\n"
           "    n1 = top_k {k=2} (r $s:f32[6,4], -, w $v:f32[6,2], w $i:u32[6,2])\n  }\n}\n",
           "n0 neg goes to memory, but is not what n1 top_k goes over");
    refuse("reprise 1\ngraph g {\n  buf $x in f32[6,4]\n  buf $y out f32[6,2]\n"
           "  n1 = fused {\n"
           "    n0 = top_k {k=2} (r $x:f32[6,4], -, w ^v:f32[6,2], w ^i:u32[6,2])\n"
           "    n1 = mul (r ^v:f32[6,2], r ^i:u32[6,2], w $y:f32[6,2])\n  }\n}\n",
           "n1 mul needs two results of n0 top_k at once");
    refuse("reprise 1\ngraph g {\n  buf $x in f32[4,4]\n  buf $y out f32[4,4]\n"
           "  n1 = fused {\n"
           "    n0 = row_sum (r $x:f32[4,4], w ^s:f32[4])\n"
           "    n1 = add (r $x:f32[4,4], r ^s:f32[4], w $y:f32[4,4])\n  }\n}\n",
           "n1 add asks n0 row_sum for more than its own element"); /* a number of each row,
                                                                       repeated across the rows */
}

/* Around kernels with a shape of their own. */
static void test_refused_behind(void) {
    refuse("reprise 1\ngraph g {\n  buf $x in f32[4,8]\n  buf $w in f32[8,4]\n"
           "  buf $y out f32[4,4]\n"
           "  n1 = fused {\n"
           "    n0 = matmul (r $x:f32[4,8], r $w:f32[8,4], w ^p:f32[4,4])\n"
           "    n1 = transpose (r ^p:f32[4,4], w $y:f32[4,4])\n  }\n}\n",
           "n1 transpose asks n0 matmul for more than its own element");
    refuse("reprise 1\ngraph g {\n  buf $x in f32[4,8]\n  buf $w in f32[8,4]\n"
           "  buf $p in u32[4]\n  buf $y out f32[4,4]\n"
           "  n1 = fused {\n"
           "    n0 = matmul (r $x:f32[4,8], r $w:f32[8,4], w ^p:f32[4,4])\n"
           "    n1 = rope (r ^p:f32[4,1,4], r $p:u32[4], -, w $y:f32[4,1,4])\n  }\n}\n",
           "n1 rope asks n0 matmul for more than its own element");
    refuse("reprise 1\ngraph g {\n  buf $x in f32[1,8]\n  buf $w in f32[16,8]\n"
           "  buf $y out f32[4,4]\n"
           "  n1 = fused {\n"
           "    n0 = matvec (r $x:f32[1,8], r $w:f32[16,8], w ^p:f32[1,16])\n"
           "    n1 = transpose (r ^p:f32[4,4], w $y:f32[4,4])\n  }\n}\n",
           "n1 transpose asks n0 matvec for more than its own element");
    refuse("reprise 1\ngraph g {\n  buf $x in f32[1,8]\n  buf $w in f32[16,8]\n"
           "  buf $y out f32[1,16]\n  buf $z out f32[8]\n"
           "  n1 = fused {\n"
           "    n0 = matvec (r $x:f32[1,8], r $w:f32[16,8], w $y:f32[1,16])\n"
           "    n1 = neg (r $x:f32[8], w $z:f32[8])\n  }\n}\n",
           "n1 neg goes to memory, but is not what n0 matvec goes over");
    refuse("reprise 1\ngraph g {\n  buf $x in f32[1,8]\n  buf $w in f32[8,8]\n"
           "  buf $y out f32[1,8]\n  buf $z out f32[8,8]\n"
           "  n1 = fused {\n"
           "    n0 = matvec (r $x:f32[1,8], r $w:f32[8,8], w $y:f32[1,8])\n"
           "    n1 = matmul (r $w:f32[8,8], r $w:f32[8,8], w $z:f32[8,8])\n  }\n}\n",
           "n1 matmul and n0 matvec go over their data in different ways");
}

/* ---- Kernels --------------------------------------------------------------------------------- */

static const char layers_text[] =
    "reprise 1\n"
    "graph layers {\n"
    "  buf $x in f32[3,200]\n"
    "  buf $g weight f32[200]\n"
    "  buf $h weight f32[200]\n"
    "  buf $y out f32[3,200]\n"
    "  buf $big in f32[80000000]\n"
    "  buf $out out f16[80000000]\n"
    "  buf $few in f32[2,100]\n"
    "  buf $sum out f32[2]\n"
    "  buf %a tmp f32[3,200]\n"
    "  n0 = op rms_norm {eps=0.5} (r $x:f32[3,200], r $g:f32[200], w %a:f32[3,200])\n"
    "  n1 = op rms_norm {eps=0.5} (r %a:f32[3,200], r $h:f32[200], w %a:f32[3,200])\n"
    "  n2 = op rms_norm {eps=0.25} (r %a:f32[3,200], r $h:f32[200], w $y:f32[3,200])\n"
    "  n3 = op cast (r $big:f32[80000000], w $out:f16[80000000])\n"
    "  n4 = op row_sum (r $few:f32[2,100], w $sum:f32[2])\n"
    "}\n";

static void test_kernels(void) {
    rp_graph *source = parse(layers_text), *g = lower(source, "lower");
    CU_ASSERT_EQUAL_FATAL(g->nodes_count, 5);
    const rp_graph_node *n = g->nodes;
    for (uint32_t i = 0; i < 5; i++) {
        const rp_graph_kernel *k = &g->kernels[n[i].kernel];
        CU_ASSERT_EQUAL(n[i].kind, RP_RUN);
        CU_ASSERT_EQUAL(n[i].member_count, 1);
        CU_ASSERT_EQUAL_FATAL(k->param_count, n[i].use_count);
        for (uint32_t u = 0; u < k->param_count; u++)
            CU_ASSERT_EQUAL(g->params[k->first_param + u].access, rp_node_uses(g, &n[i])[u].access);
    }
    /* The same text and constants: one kernel. Another eps: another kernel of the same words. */
    CU_ASSERT_EQUAL(n[0].kernel, n[1].kernel);
    CU_ASSERT_NOT_EQUAL(n[0].kernel, n[2].kernel);
    CU_ASSERT_EQUAL(g->kernels[n[0].kernel].hash, g->kernels[n[2].kernel].hash);
    CU_ASSERT_EQUAL(g->kernels[n[0].kernel].first_word, g->kernels[n[2].kernel].first_word);
    CU_ASSERT_STRING_EQUAL(rp_graph_string(g, g->kernels[n[0].kernel].name), "rms_norm");
    CU_ASSERT_STRING_EQUAL(rp_graph_string(g, g->kernels[n[2].kernel].name), "rms_norm.v2");
    /* A workgroup for each long row, a thread for each short one, 256 elements of a map, four times as many
     * of a large one; more workgroups than one dimension holds go over two. */
    CU_ASSERT_EQUAL(n[0].grid[0], 3);
    CU_ASSERT_EQUAL(n[4].grid[0], 1);
    CU_ASSERT_EQUAL(g->kernels[n[4].kernel].shared_bytes, 0);
    CU_ASSERT_TRUE(g->kernels[n[0].kernel].shared_bytes >= 1024);
    CU_ASSERT_EQUAL(n[3].grid[1], 2);
    CU_ASSERT_TRUE(n[3].grid[0] <= 65535);
    uint64_t groups = (uint64_t)n[3].grid[0] * n[3].grid[1];
    CU_ASSERT_TRUE(groups * 1024 >= 80000000 && groups * 512 < 80000000);
    rp_graph_destroy(g);
    rp_graph_destroy(source);
}

static void test_fused_name(void) {
    rp_graph *source = parse("reprise 1\ngraph g {\n  buf $x in f32[6,4]\n  buf $y out f32[6,4]\n"
                             "  n3 = fused {\n"
                             "    n0 = neg (r $x:f32[6,4], w ^a:f32[6,4])\n"
                             "    n1 = neg (r ^a:f32[6,4], w ^b:f32[6,4])\n"
                             "    n2 = softmax (r ^b:f32[6,4], -, w ^c:f32[6,4])\n"
                             "    n3 = exp (r ^c:f32[6,4], w $y:f32[6,4])\n  }\n}\n");
    rp_graph *g = lower(source, "lower");
    CU_ASSERT_STRING_EQUAL(rp_graph_string(g, g->kernels[g->nodes[0].kernel].name),
                           "neg2.softmax.exp");
    rp_graph_destroy(g);
    rp_graph_destroy(source);
}

/* ---- Exactness ------------------------------------------------------------------------------- */

static bool is_float_arithmetic(uint32_t op) {
    return op == SpvOpFAdd || op == SpvOpFSub || op == SpvOpFMul || op == SpvOpFDiv ||
           op == SpvOpFNegate || op == SpvOpVectorTimesScalar || op == SpvOpDot;
}

/* Counts float operations, and those among them that may not be contracted. */
static void count_exact(const rp_graph *g, uint32_t kernel, uint32_t *all, uint32_t *exact) {
    const uint32_t *words = g->words + g->kernels[kernel].first_word;
    uint32_t count = g->kernels[kernel].word_count;
    bool *decorated = calloc(words[3], 1);
    *all = *exact = 0;
    for (uint32_t at = 5; at < count; at += words[at] >> 16) {
        uint32_t op = words[at] & 0xffff;
        if (op == SpvOpDecorate && words[at + 2] == SpvDecorationNoContraction)
            decorated[words[at + 1]] = true;
        if (!is_float_arithmetic(op)) continue;
        ++*all;
        *exact += decorated[words[at + 2]];
    }
    free(decorated);
}

/* Whether signed zeros, infinities and NaN of 32-bit floats are to be kept. */
static bool keeps_specials(const rp_graph *g, uint32_t kernel) {
    const uint32_t *words = g->words + g->kernels[kernel].first_word;
    bool mode = false, capability = false;
    for (uint32_t at = 5; at < g->kernels[kernel].word_count; at += words[at] >> 16) {
        uint32_t op = words[at] & 0xffff;
        if (op == SpvOpCapability && words[at + 1] == SpvCapabilitySignedZeroInfNanPreserve)
            capability = true;
        if (op == SpvOpExecutionMode && words[at + 2] == SpvExecutionModeSignedZeroInfNanPreserve)
            mode = words[at + 3] == 32;
    }
    CU_ASSERT_EQUAL(mode, capability);
    return mode;
}

static uint32_t count_fma(const rp_graph *g, uint32_t kernel) {
    const uint32_t *words = g->words + g->kernels[kernel].first_word;
    uint32_t found = 0;
    for (uint32_t at = 5; at < g->kernels[kernel].word_count; at += words[at] >> 16)
        found += (words[at] & 0xffff) == SpvOpExtInst && words[at + 4] == GLSLstd450Fma;
    return found;
}

/* A product and a sum behind a result that is handed on in a loop which an optimiser unrolls: it drops what is
 * said of the copies, and then made one operation of both. */
static void test_unrolled(void) {
    rp_graph *source =
        parse("reprise 1\ngraph g {\n  buf $x in f32[6,32,2]\n  buf $b in f32[6,64]\n"
              "  buf %s tmp f32[6,32,2]\n  buf $y out f32[6,64]\n"
              "  n0 = op scan {exclusive=1, reverse=1, splits=2} (r $x:f32[6,32,2], -, w "
              "%s:f32[6,32,2])\n"
              "  n1 = op map {expr=\"(a - b) * (a - b) + a * b\"} (r %s:f32[6,64], r $b:f32[6,64], "
              "w $y:f32[6,64])\n}\n");
    for (int fast = 0; fast < 2; fast++) {
        rp_graph *g = lower(source, fast ? "fuse,lower=fast" : "fuse,lower");
        CU_ASSERT_EQUAL_FATAL(g->nodes_count, 1);
        CU_ASSERT_EQUAL(count_fma(g, g->nodes[0].kernel) > 0, fast);
        rp_graph_destroy(g);
    }
    rp_graph_destroy(source);
}

static void test_exact(void) {
    rp_graph *source = parse(
        "reprise 1\ngraph g {\n  buf $x in f32[4,32]\n  buf $w in f32[5,32]\n"
        "  buf $y out f32[4,5]\n  buf $z out f32[4,32]\n"
        "  n0 = op cosine_distance (r $x:f32[4,32], r $w:f32[5,32], w $y:f32[4,5])\n"
        "  n1 = op map {expr=\"(a + 1.5) * (b + 2.5) - 3.5 * a\"} (r $x:f32[4,32], r $x:f32[4,32], "
        "w $z:f32[4,32])\n}\n");
    for (int fast = 0; fast < 2; fast++) {
        rp_graph *g = lower(source, fast ? "lower=fast" : "lower");
        for (uint32_t i = 0; i < 2; i++) {
            uint32_t all, exact;
            count_exact(g, g->nodes[i].kernel, &all, &exact);
            CU_ASSERT_TRUE(all > 1);
            CU_ASSERT_EQUAL(keeps_specials(g, g->nodes[i].kernel), !fast);
            if (!fast) CU_ASSERT_EQUAL(exact, all);
            /* Text of kernels/ may insist; formulas do not. */
            if (fast && i == 1) CU_ASSERT_TRUE(exact < all);
        }
        rp_graph_destroy(g);
    }
    rp_graph_destroy(source);
}

/* Whether the last node's text, tagged all that can be, has `there`, and takes no word as it is found. */
static void waits_before(const char *text, const char *there) {
    rp_graph *source = parse(text);
    CU_ASSERT_EQUAL(rp_graph_set_target(source, rp_target_builtin("h200")), RP_OK);
    rp_graph *g = lower(source, "schedule,flow=all");
    rp_diags *diags = rp_diags_create(NULL);
    char *glsl = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_node_glsl(g, g->nodes_count - 1, 0, diags, &glsl), RP_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(glsl, there));
    CU_ASSERT_PTR_NULL(strstr(glsl, "all_stored && is_stored(a);"));
    rp_text_release(g, glsl);
    rp_diags_destroy(diags);
    rp_graph_destroy(g);
    rp_graph_destroy(source);
}

/* A product waits for what it brings to shared memory in front of the loop that computes x again and again: a
 * vector of more than its threads hold, and a single number; and for x where it lies in memory. */
static void test_copies_are_waited_for(void) {
    waits_before(
        "reprise 1\ngraph g {\n  buf $x in f32[1,256]\n  buf $v weight f16[9216,256]\n"
        "  buf $w weight f16[256,9216]\n  buf %a tmp f32[1,9216]\n  buf $y out f32[1,256]\n"
        "  n0 = op matvec (r $x:f32[1,256], r $v:f16[9216,256], w %a:f32[1,9216])\n"
        "  n1 = op matvec (r %a:f32[1,9216], r $w:f16[256,9216], w $y:f32[1,256])\n}\n",
        "at < MATVEC_COPY0; at += gl_WorkGroupSize.x)");
    waits_before("reprise 1\ngraph g {\n  buf $x in f32[1,512]\n  buf $t in f32[1]\n"
                 "  buf $w weight f16[256,512]\n  buf %s tmp f32[1]\n  buf $y out f32[1,256]\n"
                 "  n0 = op map {expr=\"a * 2\"} (r $t:f32[1], w %s:f32[1])\n  n2 = fused {\n"
                 "    n1 = mul (r $x:f32[1,512], r %s:f32[1], w ^m:f32[1,512])\n"
                 "    n2 = matvec (r ^m:f32[1,512], r $w:f16[256,512], w $y:f32[1,256])\n  }\n}\n",
                 "single0 = uintBitsToFloat");
    waits_before(
        "reprise 1\ngraph g {\n  buf $x in f32[1,256]\n  buf $v weight f16[20480,256]\n"
        "  buf $w weight f16[256,20480]\n  buf %a tmp f32[1,20480]\n  buf $y out f32[1,256]\n"
        "  n0 = op matvec (r $x:f32[1,256], r $v:f16[20480,256], w %a:f32[1,20480])\n"
        "  n1 = op matvec (r %a:f32[1,20480], r $w:f16[256,20480], w $y:f32[1,256])\n}\n",
        "vec4 matvec_x(uint i)");
}

/* ---- Transfers ------------------------------------------------------------------------------- */

/* Small ones of whole words become ops of the same id, place and uses. */
static void test_transfers(void) {
    rp_graph *g = parse("reprise 1\ngraph g {\n  buf $x in 200000\n  buf $y out 200000\n"
                        "  n0 = copy (r $x[256+1024], w $y[512+1024])\n"
                        "  n1 = fill 0000002a (w $y[0+256])\n"
                        "  n2 = fill 00000000 (w $y[2048+65536])\n"
                        "  n3 = copy (r $x[4+16], w $y[256+16])\n"
                        "  n4 = copy (r $x[2+16], w $y[256+16])\n"
                        "  n5 = copy (r $x[0+65540], w $y[0+65540])\n"
                        "  n6 = copy (r $x[0+4], w $y[0+4]) label \"last\"\n}\n");
    const uint8_t kinds[] = {RP_OP, RP_OP, RP_OP, RP_OP, RP_COPY, RP_COPY, RP_OP};
    rp_graph *source = g;
    g = lower(source, "transfers");
    rp_graph_destroy(source);
    CU_ASSERT_EQUAL_FATAL(g->nodes_count, 7);
    CU_ASSERT_EQUAL(rp_graph_verify(g, "test", NULL), RP_OK);
    for (uint32_t i = 0; i < 7; i++) {
        CU_ASSERT_EQUAL(g->nodes[i].kind, kinds[i]);
        CU_ASSERT_EQUAL(g->nodes[i].id, i);
    }
    const rp_graph_use *uses = rp_node_uses(g, &g->nodes[0]);
    CU_ASSERT_EQUAL_FATAL(g->nodes[0].use_count, 2);
    CU_ASSERT_TRUE(uses[0].access == RP_READ && uses[0].offset == 256 && uses[0].size == 1024);
    CU_ASSERT_TRUE(uses[1].access == RP_WRITE && uses[1].offset == 512 && uses[1].size == 1024);
    const rp_graph_member *member = rp_node_members(g, &g->nodes[1]);
    CU_ASSERT_STRING_EQUAL(rp_op_name(member->op), "fill_words");
    CU_ASSERT_EQUAL_FATAL(member->attr_count, 1);
    CU_ASSERT_EQUAL(g->attrs[member->first_attr].number, 42);
    CU_ASSERT_STRING_EQUAL(rp_graph_string(g, g->nodes[6].label), "last");
    rp_graph *lowered = lower(g, "lower");
    CU_ASSERT_EQUAL(lowered->nodes[0].kind, RP_RUN);
    CU_ASSERT_EQUAL(lowered->nodes[4].kind, RP_COPY);
    const rp_graph_kernel *k = &lowered->kernels[lowered->nodes[3].kernel];
    CU_ASSERT_EQUAL(lowered->params[k->first_param].skip, 4);
    CU_ASSERT_EQUAL(lowered->params[k->first_param + 1].skip, 0);
    rp_graph_destroy(lowered);
    rp_graph_destroy(g);
}

/* ---- Progress -------------------------------------------------------------------------------- */

typedef struct told {
    uint32_t calls, done, total;
} told;

static void hear(void *user, const char *what, uint32_t done, uint32_t total) {
    told *t = user;
    CU_ASSERT_STRING_EQUAL(what, "kernels compiled");
    CU_ASSERT_TRUE(done > 0 && done <= total);
    t->calls++;
    t->done = done;
    t->total = total;
}

/* Told for what is compiled, not for what the cache has. */
static void test_progress(void) {
    rp_graph *g =
        parse("reprise 1\ngraph g {\n  buf $x in f32[8]\n  buf $y out f32[8]\n"
              "  n0 = op map {expr=\"a * 17.125 - 3.75\"} (r $x:f32[8], w $y:f32[8])\n}\n");
    for (uint32_t round = 0; round < 2; round++) {
        told t = {0};
        const rp_pass_options options = {.size = sizeof options,
                                         .pipeline = "lower",
                                         .lowering = rp_lowering_default(),
                                         .progress = hear,
                                         .progress_user = &t};
        rp_graph *out = NULL;
        CU_ASSERT_EQUAL(rp_passes_run(g, &options, NULL, &out, NULL, NULL), RP_OK);
        CU_ASSERT_EQUAL(t.calls, 1 - round);
        CU_ASSERT_EQUAL(t.done, t.total);
        rp_graph_destroy(out);
    }
    rp_graph_destroy(g);
}

/* ---- The cache ------------------------------------------------------------------------------- */

static void cache_path(rp_kernel_key key, char *path, size_t size) {
    snprintf(path, size, "%s/reprise/kernels/%016llx%016llx.spv", cache_folder,
             (unsigned long long)key.bits[0], (unsigned long long)key.bits[1]);
}

/* Another process keeps the words, so that this one has them on disk alone. */
static void keep_elsewhere(rp_kernel_key key, const uint32_t *words, uint32_t count) {
    pid_t child = fork();
    CU_ASSERT_TRUE_FATAL(child >= 0);
    if (child == 0) {
        rp_kernel_cache_keep(key, words, count);
        _exit(0);
    }
    CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
}

/* Changes a byte of a file (at >= 0), or cuts it there (at < 0: so many bytes remain). */
static void damage(const char *path, long at) {
    if (at < 0) {
        CU_ASSERT_EQUAL(truncate(path, -at), 0);
        return;
    }
    FILE *file = fopen(path, "r+b");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fseek(file, at, SEEK_SET);
    int c = fgetc(file);
    fseek(file, at, SEEK_SET);
    fputc(c ^ 1, file);
    fclose(file);
}

static bool finds(rp_kernel_key key, const uint32_t *words, uint32_t count) {
    rp_allocator a = rp_allocator_or_default(NULL);
    uint32_t *found, found_count;
    CU_ASSERT_EQUAL(rp_kernel_cache_find(&a, key, &found, &found_count), RP_OK);
    bool same = found && found_count == count && memcmp(found, words, (size_t)count * 4) == 0;
    CU_ASSERT_TRUE(same || !found);
    rp_release(&a, found);
    return same;
}

static void test_cache(void) {
    const uint32_t words[] = {0x07230203, 1, 2, 3, 4, 5};
    const long places[] = {0, 8, 12, 16, 31, 32, 40, 63, -63, -20, -1};
    rp_kernel_key key = rp_kernel_key_of("text", "exact");
    rp_kernel_key other = rp_kernel_key_of("text", "fast");
    CU_ASSERT_TRUE(key.bits[0] != other.bits[0] && key.bits[1] != other.bits[1]);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char text[32], path[256];
        snprintf(text, sizeof text, "damaged %zu", i);
        key = rp_kernel_key_of(text, "exact");
        cache_path(key, path, sizeof path);
        CU_ASSERT_FALSE(finds(key, words, 6));
        keep_elsewhere(key, words, 6);
        damage(path, places[i]);
        CU_ASSERT_FALSE(finds(key, words, 6)); /* neither the words nor others */
        keep_elsewhere(key, words, 6);         /* replaced by a good one */
        CU_ASSERT_TRUE(finds(key, words, 6));
        damage(path, places[i]);
        CU_ASSERT_TRUE(finds(key, words, 6)); /* now from memory */
    }
}

/* ---- Out of memory --------------------------------------------------------------------------- */

static rp_status compile_with(const rp_allocator *allocator) {
    rp_graph *graph = NULL;
    rp_status status =
        rp_graph_parse(allocator, layers_text, strlen(layers_text), "test", NULL, &graph);
    rp_text summary;
    rp_text_init(&summary, allocator);
    const rp_lowering *lowering = rp_lowering_default();
    if (status == RP_OK)
        status = lowering->lower(lowering->user, graph, false, NULL, NULL, &summary);
    if (status == RP_OK && summary.failed) status = RP_ERROR_NO_MEMORY;
    rp_text_free(&summary);
    rp_graph_destroy(graph);
    return status;
}

static void test_no_memory(void) {
    failing_alloc f = {0};
    rp_allocator a = failing_allocator(&f);
    CU_ASSERT_EQUAL_FATAL(compile_with(&a), RP_OK); /* and the kernels are cached now */
    CU_ASSERT_EQUAL(f.live, 0);
    f = (failing_alloc){0};
    CU_ASSERT_EQUAL_FATAL(compile_with(&a), RP_OK);
    uint64_t requests = f.requests;
    for (uint64_t at = 1; at <= requests; at++) {
        f = (failing_alloc){.fail_at = at, .stay = at % 2 == 0};
        rp_status status = compile_with(&a);
        CU_ASSERT_EQUAL(f.live, 0);
        CU_ASSERT_EQUAL(status, RP_ERROR_NO_MEMORY);
    }
    CU_ASSERT_TRUE(requests > 100);
}

int main(void) {
    if (!mkdtemp(cache_folder)) return 99;
    setenv("XDG_CACHE_HOME", cache_folder, 1);
    int failures = rp_run_tests(
        "lower", (rp_test[]){{"text depends on structure alone", test_structure},
                             {"wrong calls", test_wrong_calls},
                             {"what no kernel computes", test_refused},
                             {"what stands behind a kernel takes one element", test_refused_behind},
                             {"kernels and grids", test_kernels},
                             {"names of fused kernels", test_fused_name},
                             {"exact kernels are decorated", test_exact},
                             {"unrolled copies stay exact", test_unrolled},
                             {"copies are waited for", test_copies_are_waited_for},
                             {"small transfers", test_transfers},
                             {"progress", test_progress},
                             {"damaged cache files", test_cache},
                             {"without memory", test_no_memory},
                             {0}});
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", cache_folder);
    return system(command) == 0 ? failures : 99;
}
