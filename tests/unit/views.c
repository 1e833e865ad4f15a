/* JSON, DOT and differences: what golden files cannot show. Every field of a graph is changed in
 * turn, and the difference must see it; every allocation fails in turn; text that is not UTF-8 must
 * still become JSON; long reasons are cut. */
#include "support/unit.h"

#include <stdlib.h>

#include "graph/reasons.h"
#include "views/views.h"

static const char source[] =
    "reprise 1\n"
    "graph g scheduled placed synced arena 1024 {\n"
    "  buf $x in f32[64]\n"
    "  buf $n live u32[1] = 04000000 max 64\n"
    "  buf $y out 256\n"
    "  buf %a tmp 256 at 0\n"
    "  buf %b tmp 256 at 256\n"
    "  buf $p live 8 follows $n at 4\n"
    "  kern @k spirv 00000000000000aa local 64 1 1 shared 16 push 4 spec 1=00000002 (r, w)\n"
    "  kern @m spirv 00000000000000bb local 64 1 1 push 4 (r, rw)\n"
    "  barrier compute:w,transfer:w -> compute:rw,transfer:w\n"
    "  group 0\n"
    "    n0 = run @k grid 1 1 1 push 00000000 (r $x, w %a) label \"one\" op relu\n"
    "    n2 = fill 00000001 (w %b)\n"
    "  barrier compute:w,transfer:w -> compute:rw\n"
    "  group 1\n"
    "    n3 = run @m grid {ceil_div($n, 64)} 1 1 push 00000000 (r %a, rw %b)\n"
    "  barrier compute:w -> transfer:rw\n"
    "  group 2\n"
    "    n4 = copy (r %b, w $y)\n"
    "  barrier transfer:w -> host:r\n"
    "}\n";

static rp_graph *parse(const rp_allocator *allocator, const char *text) {
    rp_graph *graph = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    rp_status status = rp_graph_parse(allocator, text, strlen(text), "test", diags, &graph);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) puts(rp_diags_get(diags, i).message);
    rp_diags_destroy(diags);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    return graph;
}

static rp_graph *clone(const rp_graph *graph) {
    rp_graph *copy;
    CU_ASSERT_EQUAL_FATAL(rp_graph_clone(graph, &copy), RP_OK);
    return copy;
}

static void swap_nodes(rp_graph *g, uint32_t i, uint32_t j) {
    rp_graph_node n = g->nodes[i];
    g->nodes[i] = g->nodes[j];
    g->nodes[j] = n;
}

/* Changes one thing; false past the last. Graphs that result need not be well formed. */
static bool change(rp_graph *g, int which) {
    switch (which) {
    case 0: g->name = rp_graph_intern(g, "other", 5); return true;
    case 1: g->arena_bytes += 256; return true;
    case 2: g->stages &= ~(uint32_t)RP_STAGE_SYNCED; return true;
    case 3: g->buffers[0].name = rp_graph_intern(g, "z", 1); return true;
    case 4: g->buffers[0].kind = RP_WEIGHT; return true;
    case 5: g->buffers[0].dtype = RP_U32; return true;
    case 6: g->dims[g->buffers[0].first_dim] = 32; return true;
    case 7: g->buffers[0].size = 128; return true;
    case 8: g->buffers[3].offset = 512; return true;
    case 9: g->buffers[1].max_value = 65; return true;
    case 10: g->buffers[1].first_default = RP_NONE; return true;
    case 11: g->bytes[g->buffers[1].first_default] = 5; return true;
    case 12: g->kernels[0].name = rp_graph_intern(g, "z", 1); return true;
    case 13: g->kernels[0].hash = 0; return true;
    case 14: g->kernels[0].entry = rp_graph_intern(g, "z", 1); return true;
    case 15: g->kernels[0].local[2] = 2; return true;
    case 16: g->kernels[0].shared_bytes = 0; return true;
    case 17: g->kernels[0].push_bytes = 8; return true;
    case 18: g->params[g->kernels[0].first_param].access = RP_UNIFORM; return true;
    case 19: g->params[g->kernels[0].first_param].set = 1; return true;
    case 20: g->params[g->kernels[0].first_param].binding = 7; return true;
    case 21: g->kernels[0].param_count = 1; return true;
    case 22: g->specs[0].id = 3; return true;
    case 23: g->specs[0].value = 3; return true;
    case 24: g->kernels[0].spec_count = 0; return true;
    case 25: g->nodes[0].id = 1; return true;
    case 26: g->nodes[1].kind = RP_FENCE; return true;
    case 27: g->nodes[0].kernel = 1; return true;
    case 28: g->nodes[0].grid[1] = 2; return true;
    case 29: g->nodes[2].grid[2] = 2; return true;
    case 30: g->nodes[2].grid_kind = RP_GRID_INDIRECT; return true;
    case 31: g->expr_ops[g->exprs[0].first_op + 1].value = 32; return true;
    case 32: g->nodes[0].unknown = true; return true;
    case 33: g->nodes[0].use_count = 1; return true;
    case 34: g->uses[g->nodes[0].first_use].buffer = 3; return true;
    case 35: g->uses[g->nodes[0].first_use].access = RP_UNIFORM; return true;
    case 36: g->uses[g->nodes[0].first_use].offset = 128; return true;
    case 37: g->uses[g->nodes[0].first_use].size = 128; return true;
    case 38: g->uses[g->nodes[0].first_use].indirect = true; return true;
    case 39: g->bytes[g->nodes[0].first_byte] = 1; return true;
    case 40: g->nodes[0].byte_count = 0; return true;
    case 41: g->nodes[1].pattern = 2; return true;
    case 42: g->nodes[0].label = RP_NONE; return true;
    case 43: g->nodes[0].op = rp_graph_intern(g, "z", 1); return true;
    case 44: g->nodes[1].group = 1; return true;
    case 45: swap_nodes(g, 0, 1); return true;
    case 46: g->barriers[1].src = RP_SCOPE_COMPUTE_W; return true;
    case 47: g->barriers[1].dst = RP_SCOPE_COMPUTE_R; return true;
    case 48: g->barriers[0] = (rp_graph_barrier){0}; return true;
    case 49: g->barriers[3] = (rp_graph_barrier){0}; return true;
    case 50: g->buffers[3].removed = true; return true;
    case 51: g->nodes_count--; return true;
    case 52: g->nodes[0].optional = true; return true;
    case 53: g->follows[0].from = 4; return true;
    case 54: g->follows[0].to = 0; return true;
    case 55: g->buffers[5].follow_count = 0; return true;
    default: return false;
    }
}

static void test_diff_sees_every_change(void) {
    rp_graph *graph = parse(NULL, source);
    rp_graph *other = clone(graph);
    int seen = 0;
    for (; change(other, seen); seen++) {
        char *there = NULL, *back = NULL;
        CU_ASSERT_EQUAL(rp_graph_diff(graph, other, &there, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_graph_diff(other, graph, &back, NULL), RP_OK);
        bool told = there && back && strlen(there) > 10 && strlen(back) > 10;
        CU_ASSERT(told);
        CU_ASSERT(!rp_graph_equal(graph, other));
        if (!told) printf("\n  change %d: \"%s\"", seen, there ? there : "");
        rp_text_release(graph, there);
        rp_text_release(other, back);
        rp_graph_destroy(other);
        other = clone(graph);
    }
    CU_ASSERT_EQUAL(seen, 56);
    rp_graph_destroy(other);
    rp_graph_destroy(graph);
}

static void test_diff_of_equal_graphs_is_empty(void) {
    rp_graph *graph = parse(NULL, source), *copy = clone(graph);
    char *text = NULL;
    size_t size = 1;
    CU_ASSERT_EQUAL(rp_graph_diff(graph, copy, &text, &size), RP_OK);
    CU_ASSERT_EQUAL(size, 0);
    CU_ASSERT_STRING_EQUAL(text, "");
    rp_text_release(graph, text);
    rp_graph_destroy(copy);
    rp_graph_destroy(graph);
}

static void test_json_of_bad_utf8(void) {
    static const char bad[] = "a\xff"
                              "b\xc3\xa4\xe2\x82"
                              "c\xed\xa0\x80\x01\"";
    rp_graph *graph = parse(NULL, source);
    graph->nodes[0].label = rp_graph_intern(graph, bad, strlen(bad));
    char *text = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_graph_print(graph, RP_FORMAT_JSON, &text, NULL), RP_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"label\":\"a\\ufffdb\xc3\xa4\\ufffd\\ufffd"
                                        "c\\ufffd\\ufffd"
                                        "\\ufffd\\u0001\\\"\""));
    rp_text_release(graph, text);
    rp_graph_destroy(graph);
}

/* 40 nodes write, one node of the next group reads everything that they wrote. */
static rp_graph *wide_graph(rp_text *text) {
    rp_text_string(text, "reprise 1\ngraph g scheduled synced {\n  buf $y out 64\n");
    for (int i = 0; i < 40; i++) rp_text_format(text, "  buf %%t%d tmp 64\n", i);
    rp_text_string(text, "  kern @w spirv - local 1 1 1 (w)\n  kern @all spirv - local 1 1 1 (");
    for (int i = 0; i < 40; i++) rp_text_string(text, "r, ");
    rp_text_string(text, "w)\n  barrier compute:w -> compute:w\n  group 0\n");
    for (int i = 0; i < 40; i++)
        rp_text_format(text, "    n%d = run @w grid 1 1 1 (w %%t%d)\n", i, i);
    rp_text_string(text,
                   "  barrier compute:w -> compute:r\n  group 1\n    n40 = run @all grid 1 1 1 (");
    for (int i = 0; i < 40; i++) rp_text_format(text, "r %%t%d, ", i);
    rp_text_string(text, "w $y)\n  barrier compute:w -> host:r\n}\n");
    return parse(NULL, text->data);
}

static void test_long_reasons_are_cut(void) {
    rp_text text, line;
    rp_reasons reasons;
    rp_text_init(&text, NULL);
    rp_text_init(&line, NULL);
    rp_graph *graph = wide_graph(&text);
    CU_ASSERT_EQUAL_FATAL(rp_reasons_build(graph, &reasons), RP_OK);
    CU_ASSERT_EQUAL(reasons.forms[0].first[2] - reasons.forms[0].first[1], 40);
    CU_ASSERT_EQUAL(reasons.unordered, 0);
    rp_reasons_print(&line, graph, &reasons, 1, "");
    CU_ASSERT_PTR_NOT_NULL(strstr(line.data, "raw %t0 n0->n40, raw %t1 n1->n40, "));
    CU_ASSERT_PTR_NOT_NULL(strstr(line.data, ", and 32 more"));
    rp_reasons_free(graph, &reasons);

    graph->barriers[1].dst = RP_SCOPE_COMPUTE_U; /* orders none of them any more */
    CU_ASSERT_EQUAL_FATAL(rp_reasons_build(graph, &reasons), RP_OK);
    CU_ASSERT_EQUAL(reasons.unordered, 40);
    rp_reasons_free(graph, &reasons);
    rp_text_free(&text);
    rp_text_free(&line);
    rp_graph_destroy(graph);
}

/* ---- Without memory -------------------------------------------------------------------------- */

typedef struct budget {
    int left, blocks;
} budget;

static void *limited_resize(void *user, void *block, size_t size) {
    budget *b = user;
    if (b->left == 0) return NULL;
    b->left--;
    b->blocks += block == NULL;
    return realloc(block, size);
}

static void limited_release(void *user, void *block) {
    budget *b = user;
    b->blocks -= block != NULL;
    free(block);
}

typedef rp_status view(const rp_graph *a, const rp_graph *b, char **out);
static rp_status as_text(const rp_graph *a, const rp_graph *b, char **out) {
    return (void)b, rp_graph_print(a, RP_FORMAT_TEXT, out, NULL);
}
static rp_status as_json(const rp_graph *a, const rp_graph *b, char **out) {
    return (void)b, rp_graph_print(a, RP_FORMAT_JSON, out, NULL);
}
static rp_status as_dot(const rp_graph *a, const rp_graph *b, char **out) {
    return (void)b, rp_graph_print(a, RP_FORMAT_DOT, out, NULL);
}
static rp_status as_diff(const rp_graph *a, const rp_graph *b, char **out) {
    return rp_graph_diff(a, b, out, NULL);
}

static void test_every_allocation_may_fail(void) {
    static view *const views[] = {as_text, as_json, as_dot, as_diff};
    budget limit = {.left = -1};
    rp_allocator allocator = {limited_resize, limited_release, &limit};
    rp_graph *graph = parse(&allocator, source), *other = clone(graph);
    change(other, 47);
    change(other, 3);
    for (int v = 0; v < 4; v++) {
        int before = limit.blocks, allowed = 0;
        for (rp_status status = RP_ERROR_NO_MEMORY; status != RP_OK; allowed++) {
            char *text = NULL;
            limit.left = allowed;
            status = views[v](graph, other, &text);
            limit.left = -1;
            CU_ASSERT(status == RP_OK ? text != NULL
                                      : status == RP_ERROR_NO_MEMORY && text == NULL);
            rp_text_release(graph, text);
            CU_ASSERT_EQUAL_FATAL(limit.blocks, before);
            CU_ASSERT_FATAL(allowed < 10000);
        }
        CU_ASSERT(allowed > 5);
    }
    rp_graph_destroy(other);
    rp_graph_destroy(graph);
    CU_ASSERT_EQUAL(limit.blocks, 0);
}

int main(void) {
    static const rp_test tests[] = {
        {"diff sees every change", test_diff_sees_every_change},
        {"diff of equal graphs is empty", test_diff_of_equal_graphs_is_empty},
        {"json of bad utf-8", test_json_of_bad_utf8},
        {"long reasons are cut", test_long_reasons_are_cut},
        {"every allocation may fail", test_every_allocation_may_fail},
        {NULL, NULL},
    };
    return rp_run_tests("views", tests);
}
