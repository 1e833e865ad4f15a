/* The reason of each barrier of a plan: as written down for a small plan, as the text of the graph
 * says for all the others, as its scopes tell, and without memory. */
#include "support/failing_alloc.h"
#include "support/random_graph.h"
#include "support/read_file.h"
#include "support/unit.h"

#include <dirent.h>
#include <stdlib.h>
#include "graph/graph.h"
#include "graph/reasons.h"
#include "plan/reasons.h"
#include "reprise/passes.h"
#include "reprise/plan_build.h"

enum { CASES = 200 };

static rp_plan *plan_of(const rp_graph *graph) {
    const rp_certificate certificate = {.checker_version = RP_CHECKER_VERSION,
                                        .verdict = 2,
                                        .source_hash = rp_graph_hash(graph),
                                        .compiled_hash = rp_graph_hash(graph)};
    rp_plan *plan = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_plan_build(graph, graph, &certificate, NULL, &plan), RP_OK);
    return plan;
}

static const char by_hand[] =
    "reprise 1\n"
    "graph hand scheduled placed synced arena 512 {\n"
    "  buf $y out 256\n"
    "  buf %a tmp 256 at 0\n"
    "  buf %b tmp 256 at 256\n"
    "  kern @k spirv - local 64 1 1 (r, w)\n"
    "  barrier compute:r -> transfer:w\n" /* n6 reads %b, the next n0 writes it */
    "  group 0\n"
    "    n0 = fill 00000000 (w %b)\n"
    "    n1 = fill 00000000 (w %a[0+128])\n"
    "  barrier transfer:w -> transfer:w\n"
    "  group 1\n"
    "    n2 = fill 00000001 (w %a)\n"
    "  barrier transfer:w -> compute:r\n"
    "  group 2\n"
    "    n3 = run @k grid 1 1 1 (r %a, w $y[0+128])\n"
    "  barrier compute:r -> transfer:w\n"
    "  group 3\n"
    "    n4 = update 00000000 (w %a[0+4])\n"
    "  barrier compute:w,transfer:w,indirect:r -> compute:rwus,transfer:rw,indirect:r\n"
    "  group 4\n"
    "    n5 = fence\n"
    "    n6 = run @k grid 1 1 1 (r %b, w $y[128+128])\n"
    "  barrier compute:w -> host:r\n"
    "}\n";

static void test_by_hand(void) {
    static const uint8_t expected[] = {RP_WAR_HAZARD, RP_WAW_HAZARD, RP_RAW_HAZARD,
                                       RP_WAR_HAZARD, RP_ORDER,      RP_RAW_HAZARD};
    rp_graph *graph = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    rp_status status = rp_graph_parse(NULL, by_hand, strlen(by_hand), "by_hand", diags, &graph);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        printf("\n  said: %s", rp_diags_get(diags, i).message);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    rp_plan *plan = plan_of(graph);
    uint8_t reasons[sizeof expected] = {0};
    CU_ASSERT_EQUAL(rp_plan_barrier_reasons(plan, reasons), RP_OK);
    for (size_t i = 0; i < sizeof expected; i++) {
        if (reasons[i] != expected[i])
            printf("\n  barrier %zu: %u, expected %u", i, reasons[i], expected[i]);
        CU_ASSERT_EQUAL(reasons[i], expected[i]);
    }
    rp_plan_destroy(plan);
    rp_graph_destroy(graph);
    rp_diags_destroy(diags);
}

/* What the text of a graph would name. */
static uint8_t printed_reason(const rp_graph *g, const rp_reasons *reasons, uint32_t barrier) {
    if (!g->barriers[barrier].src || !g->barriers[barrier].dst) return RP_NO_BARRIER;
    bool named[RP_HAZARD_KINDS] = {0};
    for (uint32_t i = reasons->forms[0].first[barrier]; i < reasons->forms[0].first[barrier + 1];
         i++)
        named[reasons->forms[0].reasons[i].hazard.kind] = true;
    return named[RP_RAW_HAZARD]   ? RP_RAW_HAZARD
           : named[RP_WAW_HAZARD] ? RP_WAW_HAZARD
           : named[RP_WAR_HAZARD] ? RP_WAR_HAZARD
                                  : RP_ORDER;
}

static uint32_t total[RP_HAZARD_KINDS];

static void compare(const rp_graph *source, const char *pipeline) {
    rp_graph *graph = NULL;
    const rp_pass_options options = {.size = sizeof options, .pipeline = pipeline};
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(source, &options, NULL, &graph, NULL, NULL), RP_OK);
    rp_plan *plan = plan_of(graph);
    rp_reasons printed;
    CU_ASSERT_EQUAL_FATAL(rp_reasons_build(graph, &printed), RP_OK);
    uint8_t *reasons = malloc(graph->barriers_count);
    CU_ASSERT_PTR_NOT_NULL_FATAL(reasons);
    CU_ASSERT_EQUAL(rp_plan_barrier_reasons(plan, reasons), RP_OK);
    for (uint32_t i = 0; i < graph->barriers_count; i++) {
        CU_ASSERT_EQUAL(reasons[i], printed_reason(graph, &printed, i));
        const rp_barrier barrier = graph->barriers[i];
        /* -O0 has barriers that order nothing. */
        if (pipeline == rp_pass_level(1) && reasons[i] != RP_NO_BARRIER &&
            rp_scope_reason(barrier) != RP_ORDER)
            CU_ASSERT_EQUAL(rp_scope_reason(barrier), reasons[i]);
        if (reasons[i] != RP_NO_BARRIER) total[reasons[i]]++;
    }
    free(reasons);
    rp_reasons_free(graph, &printed);
    rp_plan_destroy(plan);
    rp_graph_destroy(graph);
}

/* Every graph of the golden tests without ops, at both levels. */
static void test_as_printed(void) {
    static const char folder[] = RP_SOURCE_ROOT "/tests/golden/graphs";
    DIR *dir = opendir(folder);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    uint32_t graphs = 0;
    for (const struct dirent *entry; (entry = readdir(dir));) {
        size_t length = strlen(entry->d_name), size;
        if (length < 5 || strcmp(entry->d_name + length - 5, ".rpir") != 0) continue;
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        char *text = read_file(path, &size);
        rp_graph *source = NULL;
        CU_ASSERT_PTR_NOT_NULL_FATAL(text);
        CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, size, path, NULL, &source), RP_OK);
        compare(source, rp_pass_level(0));
        compare(source, rp_pass_level(1));
        rp_graph_destroy(source);
        free(text);
        graphs++;
    }
    closedir(dir);
    CU_ASSERT_TRUE(graphs >= 15);
}

static void test_random(void) {
    for (uint64_t seed = 1; seed <= CASES; seed++) {
        const rp_random_shape shape = rp_random_shape_of(seed);
        rp_random_graph *random = rp_random_graph_create(seed, &shape);
        CU_ASSERT_PTR_NOT_NULL_FATAL(random);
        rp_graph *source = rp_random_graph_build(random);
        CU_ASSERT_PTR_NOT_NULL_FATAL(source);
        compare(source, rp_pass_level(0));
        compare(source, rp_pass_level(1));
        rp_graph_destroy(source);
        rp_random_graph_destroy(random);
    }
    for (uint32_t i = 0; i < RP_HAZARD_KINDS; i++) CU_ASSERT_TRUE(total[i] > CASES / 10);
}

static void test_no_memory(void) {
    failing_alloc memory = {0};
    rp_allocator a = failing_allocator(&memory);
    rp_graph *graph = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(&a, by_hand, strlen(by_hand), NULL, NULL, &graph), RP_OK);
    rp_plan *plan = plan_of(graph);
    uint8_t reasons[6];
    uint64_t before = memory.requests;
    CU_ASSERT_EQUAL(rp_plan_barrier_reasons(plan, reasons), RP_OK);
    uint64_t requests = memory.requests - before;
    CU_ASSERT_TRUE(requests > 3);
    int64_t live = memory.live;
    for (uint64_t i = 1; i <= requests; i++) {
        memory.fail_at = memory.requests + i;
        CU_ASSERT_EQUAL(rp_plan_barrier_reasons(plan, reasons), RP_ERROR_NO_MEMORY);
        CU_ASSERT_EQUAL(memory.live, live);
    }
    rp_plan_destroy(plan);
    rp_graph_destroy(graph);
    CU_ASSERT_EQUAL(memory.live, 0);
}

int main(void) {
    static const rp_test tests[] = {{"by hand", test_by_hand},
                                    {"as printed", test_as_printed},
                                    {"random graphs", test_random},
                                    {"no memory", test_no_memory},
                                    {0}};
    return rp_run_tests("reasons of barriers", tests);
}
