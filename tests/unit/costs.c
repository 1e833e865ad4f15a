/* Costs of nodes: bytes and operations against numbers counted by hand, ceilings against the target,
 * and that what is expected of a node is what fusion had said. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "reprise/compiler.h"
#include "support/unit.h"

static rp_graph *parse(const char *text) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *graph = NULL;
    rp_graph_parse(NULL, text, strlen(text), "costs", diags, &graph);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        printf("\n  %s", rp_diags_get(diags, i).message);
    rp_diags_destroy(diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(graph);
    return graph;
}

/* The node that computes member or is node `id`, of a graph compiled by a pipeline. */
typedef struct compiled {
    rp_graph *source, *graph;
    rp_costs *costs;
} compiled;

static compiled make(const char *text, const char *pipeline, const rp_target *target) {
    compiled c = {.source = parse(text)};
    const rp_pass_options options = {
        .size = sizeof options, .pipeline = pipeline, .lowering = rp_lowering_default()};
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(c.source, &options, NULL, &c.graph, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_costs_create(c.graph, c.source, target, NULL, &c.costs), RP_OK);
    return c;
}

static void destroy(compiled *c) {
    rp_graph_destroy(c->source);
    rp_graph_destroy(c->graph);
    rp_costs_destroy(c->costs);
}

static rp_node_cost cost_of(const compiled *c, uint32_t id) {
    rp_costs_info info = {.size = sizeof info};
    rp_node_cost cost = {.size = sizeof cost};
    CU_ASSERT_EQUAL(rp_costs_get_info(c->costs, &info), RP_OK);
    for (uint32_t i = 0; i < info.count; i++) {
        CU_ASSERT_EQUAL(rp_costs_get(c->costs, i, &cost), RP_OK);
        if (cost.id == id) return cost;
    }
    CU_FAIL("no such node");
    return cost;
}

static const char source_order[] = "lower,schedule=source,place=separate,sync=full";

/* ---- Counted by hand ------------------------------------------------------------------------- */

static const char kinds[] =
    "reprise 1\n"
    "graph kinds {\n"
    "  buf $x in f32[1024]\n"
    "  buf $y inout f32[1024]\n"
    "  buf $table weight f16[1000,64]\n"
    "  buf $ids in u32[8]\n"
    "  buf $rows out f32[8,64]\n"
    "  kern @k spirv - local 64 1 1 (r, r, rw)\n"
    "  n0 = run @k grid 16 1 1 (r $x[0+2048], r $x[1024+2048], rw $y[0+256])\n"
    "  n1 = copy (r $x[0+400], w $y[0+400])\n"
    "  n2 = fill 00000000 (w $y[0+100])\n"
    "  n3 = fence\n"
    "  n4 = op gather_rows (r $table:f16[1000,64], r $ids:u32[8], "
    "w $rows:f32[8,64])\n"
    "}\n";

static void test_kinds(void) {
    compiled c = make(kinds, source_order, NULL);
    rp_node_cost cost = cost_of(&c, 0);
    CU_ASSERT_EQUAL(cost.bytes_read, 1024 + 2048 + 256); /* what overlaps is read once */
    CU_ASSERT_EQUAL(cost.bytes_written, 256);
    CU_ASSERT_TRUE(cost.operations < 0 && cost.arithmetic_ns < 0);
    CU_ASSERT_PTR_NULL(cost.ops);
    CU_ASSERT_PTR_NULL(cost.ceiling);
    cost = cost_of(&c, 1);
    CU_ASSERT_EQUAL(cost.bytes_read, 400);
    CU_ASSERT_EQUAL(cost.bytes_written, 400);
    CU_ASSERT_EQUAL(cost.operations, 0);
    cost = cost_of(&c, 2);
    CU_ASSERT_EQUAL(cost.bytes_read, 0);
    CU_ASSERT_EQUAL(cost.bytes_written, 100);
    cost = cost_of(&c, 3);
    CU_ASSERT_EQUAL(cost.bytes_read + cost.bytes_written, 0);
    CU_ASSERT_TRUE(cost.expected_ns < 0);
    /* Of the table 8 rows are read, whatever is bound. */
    cost = cost_of(&c, 4);
    CU_ASSERT_EQUAL(cost.bytes_read, 8 * 64 * 2 + 8 * 4);
    CU_ASSERT_EQUAL(cost.bytes_written, 8 * 64 * 4);
    CU_ASSERT_STRING_EQUAL(cost.ops, "gather_rows");
    destroy(&c);
}

static const char product[] =
    "reprise 1\n"
    "graph product {\n"
    "  buf $a in f32[64,128]\n"
    "  buf $b weight f32[128,256]\n"
    "  buf $y out f32[64,256]\n"
    "  buf %p tmp f32[64,256]\n"
    "  n0 = op matmul (r $a:f32[64,128], r $b:f32[128,256], w %p:f32[64,256])\n"
    "  n1 = op map {expr=\"a + 1\"} (r %p:f32[64,256], w $y:f32[64,256])\n"
    "}\n";

static void test_operations(void) {
    rp_target target = *rp_target_builtin("portable");
    target.memory_rate = 1000; /* bytes a microsecond: a nanosecond each */
    target.f32_rate = 2000;
    target.cache_bytes = 1000;
    compiled c = make(product, source_order, &target);
    rp_node_cost cost = cost_of(&c, 0);
    double bytes = 4 * (64 * 128 + 128 * 256 + 64 * 256), operations = 2.0 * 64 * 128 * 256;
    CU_ASSERT_EQUAL(cost.bytes_read + cost.bytes_written, bytes);
    CU_ASSERT_EQUAL(cost.operations, operations);
    CU_ASSERT_STRING_EQUAL(cost.ops, "matmul");
    CU_ASSERT_STRING_EQUAL(cost.ceiling, "f32_rate");
    CU_ASSERT_PTR_NOT_NULL(cost.variant);
    CU_ASSERT_DOUBLE_EQUAL(cost.memory_ns, bytes, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(cost.arithmetic_ns, operations / 2, 1e-6);
    CU_ASSERT_EQUAL(cost_of(&c, 1).operations, 64 * 256);
    rp_costs_info info = {.size = sizeof info};
    CU_ASSERT_EQUAL(rp_costs_get_info(c.costs, &info), RP_OK);
    CU_ASSERT_FALSE(info.cached);
    CU_ASSERT_EQUAL(info.target->f32_rate, 2000);
    destroy(&c);

    /* What fits the caches stays there. */
    target.cache_bytes = 100 << 20;
    target.cache_rate = 4000;
    c = make(product, source_order, &target);
    CU_ASSERT_EQUAL(rp_costs_get_info(c.costs, &info), RP_OK);
    CU_ASSERT_TRUE(info.cached);
    CU_ASSERT_DOUBLE_EQUAL(cost_of(&c, 0).memory_ns, bytes / 4, 1e-6);
    destroy(&c);
}

/* One kernel of both: the value between is in no memory, operations add up. */
static void test_fused(void) {
    compiled c = make(product, "dce,rename,transfers,fuse,lower,schedule,place,sync", NULL);
    rp_node_cost cost = cost_of(&c, 1);
    CU_ASSERT_STRING_EQUAL(cost.ops, "matmul map");
    CU_ASSERT_EQUAL(cost.bytes_read, 4 * (64 * 128 + 128 * 256));
    CU_ASSERT_EQUAL(cost.bytes_written, 4 * 64 * 256);
    CU_ASSERT_EQUAL(cost.operations, 2.0 * 64 * 128 * 256 + 64 * 256);
    compiled apart = make(product, source_order, NULL);
    CU_ASSERT_TRUE(cost.expected_ns > 0);
    CU_ASSERT_TRUE(cost.expected_ns <
                   cost_of(&apart, 0).expected_ns + cost_of(&apart, 1).expected_ns);
    destroy(&apart);
    destroy(&c);
}

/* ---- Expected -------------------------------------------------------------------------------- */

static const char refused[] =
    "reprise 1\n"
    "graph refused {\n"
    "  buf $a in f32[4096]\n"
    "  buf $y out f32[4096]\n"
    "  buf $z out f32[4096]\n"
    "  buf %p tmp f32[4096]\n"
    "  n0 = op rms_norm (r $a:f32[1,4096], r $a:f32[4096], w %p:f32[1,4096])\n"
    "  n1 = copy (r %p[0+16384], w $z[0+16384])\n"
    "  n2 = op map {expr=\"exp(a)\"} (r %p:f32[4096], w $y:f32[4096])\n"
    "}\n";

/* Transfers made ops or not: something is expected of each, more than what its memory takes, and
 * nothing of ops where no source is given. */
static void test_expected(void) {
    static const char *const pipelines[] = {source_order,
                                            "dce,rename,transfers,fuse,lower,schedule,place,sync"};
    for (int i = 0; i < 2; i++) {
        compiled c = make(refused, pipelines[i], NULL);
        rp_costs_info info = {.size = sizeof info};
        CU_ASSERT_EQUAL(rp_costs_get_info(c.costs, &info), RP_OK);
        for (uint32_t k = 0; k < info.count; k++) {
            rp_node_cost cost = {.size = sizeof cost};
            CU_ASSERT_EQUAL(rp_costs_get(c.costs, k, &cost), RP_OK);
            CU_ASSERT_TRUE(cost.expected_ns > cost.memory_ns);
        }
        rp_costs *without = NULL;
        CU_ASSERT_EQUAL(rp_costs_create(c.graph, NULL, NULL, NULL, &without), RP_OK);
        for (uint32_t k = 0; k < info.count; k++) {
            rp_node_cost cost = {.size = sizeof cost};
            CU_ASSERT_EQUAL(rp_costs_get(without, k, &cost), RP_OK);
            CU_ASSERT_EQUAL(cost.expected_ns < 0, cost.ops != NULL);
        }
        rp_costs_destroy(without);
        destroy(&c);
    }
}

/* ---- Bad use, and no memory ------------------------------------------------------------------ */

static void test_bad(void) {
    compiled c = make(product, source_order, NULL);
    rp_costs *costs = (rp_costs *)product;
    CU_ASSERT_EQUAL(rp_costs_create(NULL, NULL, NULL, NULL, &costs), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(costs);
    CU_ASSERT_EQUAL(rp_costs_create(c.graph, NULL, NULL, NULL, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_costs_create(c.graph, NULL, &(rp_target){0}, NULL, &costs), RP_ERROR_USAGE);
    rp_node_cost cost = {.size = 0};
    CU_ASSERT_EQUAL(rp_costs_get(c.costs, 0, &cost), RP_ERROR_USAGE);
    cost.size = sizeof cost;
    CU_ASSERT_EQUAL(rp_costs_get(c.costs, 2, &cost), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_costs_get(NULL, 0, &cost), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_costs_get_info(c.costs, NULL), RP_ERROR_USAGE);
    rp_node_cost shorter = {.size = offsetof(rp_node_cost, ops), .ops = "untouched"};
    CU_ASSERT_EQUAL(rp_costs_get(c.costs, 1, &shorter), RP_OK);
    CU_ASSERT_EQUAL(shorter.id, 1);
    CU_ASSERT_STRING_EQUAL(shorter.ops, "untouched");
    rp_costs_destroy(NULL);
    destroy(&c);
}

typedef struct counting {
    long calls, alive, fail_at;
} counting;

static void *resize(void *user, void *block, size_t size) {
    counting *c = user;
    if (++c->calls == c->fail_at) return NULL;
    void *made = realloc(block, size);
    if (made && !block) c->alive++;
    return made;
}

static void release(void *user, void *block) {
    counting *c = user;
    if (block) c->alive--;
    free(block);
}

static void test_no_memory(void) {
    counting c = {0};
    const rp_allocator a = {resize, release, &c};
    rp_graph *source = NULL, *graph = NULL;
    const rp_pass_options options = {
        .size = sizeof options, .pipeline = source_order, .lowering = rp_lowering_default()};
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(&a, product, strlen(product), "m", NULL, &source), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(source, &options, NULL, &graph, NULL, NULL), RP_OK);
    long alive = c.alive, failures = 0;
    for (bool failed = true; failed; failures++) {
        rp_costs *costs = NULL;
        c.fail_at = c.calls + failures + 1;
        rp_status status = rp_costs_create(graph, source, NULL, NULL, &costs);
        failed = c.calls >= c.fail_at;
        CU_ASSERT_TRUE(status == (failed ? RP_ERROR_NO_MEMORY : RP_OK));
        CU_ASSERT_EQUAL(costs != NULL, status == RP_OK);
        rp_costs_destroy(costs);
        CU_ASSERT_EQUAL(c.alive, alive);
    }
    CU_ASSERT_TRUE(failures > 20);
    rp_graph_destroy(source);
    rp_graph_destroy(graph);
    CU_ASSERT_EQUAL(c.alive, 0);
}

int main(void) {
    static const rp_test tests[] = {{"kinds of nodes", test_kinds},
                                    {"operations", test_operations},
                                    {"fused", test_fused},
                                    {"expected", test_expected},
                                    {"bad use", test_bad},
                                    {"no memory", test_no_memory},
                                    {0}};
    return rp_run_tests("costs", tests);
}
