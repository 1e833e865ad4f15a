/* Graphs without memory: parsing, printing, copying, comparing. */
#include "fault.h"
#include "reprise/graph.h"
#include "samples.h"

#include <string.h>

static rp_status parse(const rp_allocator *allocator, void *context) {
    const char *text = context;
    rp_graph *graph = NULL;
    rp_status status = rp_graph_parse(allocator, text, strlen(text), "f", NULL, &graph);
    CU_ASSERT_EQUAL(graph != NULL, status == RP_OK);
    rp_graph_destroy(graph);
    return status;
}

static void test_parse(void) {
    fault_each(parse, (void *)sample_source_text);
    fault_each(parse, (void *)sample_compiled_text);
}

/* Wrong input while memory fails: the graph never appears, and the status is one of the two. */
static void test_parse_wrong(void) {
    uint64_t n = 1;
    for (bool reached = true; reached; n++) {
        failing_alloc state = {.fail_at = n};
        rp_allocator allocator = failing_allocator(&state);
        rp_graph *graph = NULL;
        rp_diags *diags = rp_diags_create(&allocator);
        rp_status status = rp_graph_parse(&allocator, sample_wrong_text, strlen(sample_wrong_text),
                                          "f", diags, &graph);
        CU_ASSERT_TRUE(status == RP_ERROR_INVALID || status == RP_ERROR_NO_MEMORY);
        CU_ASSERT_TRUE(status != RP_ERROR_INVALID || !diags || rp_diags_error_count(diags) > 0);
        CU_ASSERT_PTR_NULL(graph);
        rp_diags_destroy(diags);
        CU_ASSERT_EQUAL(state.live, 0);
        reached = state.requests >= n;
    }
    CU_ASSERT_TRUE(n > 5);
}

static rp_status parse_and_print(const rp_allocator *allocator, rp_format format) {
    rp_graph *graph = NULL;
    char *text = NULL;
    rp_status status = rp_graph_parse(allocator, sample_compiled_text, strlen(sample_compiled_text),
                                      "f", NULL, &graph);
    if (status == RP_OK) status = rp_graph_print(graph, format, &text, NULL);
    CU_ASSERT_EQUAL(text != NULL, status == RP_OK);
    rp_text_release(graph, text);
    rp_graph_destroy(graph);
    return status;
}

static rp_status print(const rp_allocator *allocator, void *context) {
    return parse_and_print(allocator, *(rp_format *)context);
}

static void test_print(void) {
    for (int format = RP_FORMAT_TEXT; format <= RP_FORMAT_DOT; format++)
        fault_each(print, &(rp_format){(rp_format)format});
}

static rp_status copy_and_compare(const rp_allocator *allocator, void *context) {
    (void)context;
    rp_graph *graph = NULL, *copy = NULL, *other = NULL;
    char *text = NULL;
    rp_graph_stats stats = {.size = sizeof stats};
    rp_status status = rp_graph_parse(allocator, sample_compiled_text, strlen(sample_compiled_text),
                                      "f", NULL, &graph);
    if (status == RP_OK) status = rp_graph_clone(graph, &copy);
    if (status == RP_OK) CU_ASSERT_TRUE(rp_graph_equal(graph, copy));
    if (status == RP_OK) status = rp_graph_get_stats(copy, &stats);
    if (status == RP_OK) status = rp_graph_verify(copy, "f", NULL);
    if (status == RP_OK)
        status = rp_graph_parse(allocator, sample_source_text, strlen(sample_source_text), "f",
                                NULL, &other);
    if (status == RP_OK) status = rp_graph_diff(copy, other, &text, NULL);
    rp_text_release(copy, text);
    rp_graph_destroy(graph);
    rp_graph_destroy(copy);
    rp_graph_destroy(other);
    return status;
}

static void test_copy_and_compare(void) {
    fault_each(copy_and_compare, NULL);
}

int main(void) {
    static const rp_test tests[] = {{"parse", test_parse},
                                    {"parse wrong input", test_parse_wrong},
                                    {"print", test_print},
                                    {"copy and compare", test_copy_and_compare},
                                    {0}};
    return rp_run_tests("graphs without memory", tests);
}
