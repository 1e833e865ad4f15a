/* Compiling without memory: passes, checker, plans. */
#include "fault.h"
#include "reprise/compiler.h"
#include "reprise/inspect.h"
#include "samples.h"
#include "support/plan_info.h"

#include <string.h>
#include <unistd.h>

static rp_status parse(const rp_allocator *allocator, const char *text, rp_graph **out) {
    return rp_graph_parse(allocator, text, strlen(text), "f", NULL, out);
}

static rp_status run_passes(const rp_allocator *allocator, void *context) {
    rp_graph *source = NULL, *compiled = NULL;
    rp_pass_reports *reports = NULL;
    rp_certificate certificate;
    rp_status status = parse(allocator, sample_source_text, &source);
    if (status == RP_OK)
        status = rp_passes_run(source, context, NULL, &compiled, &certificate, &reports);
    CU_ASSERT_EQUAL(compiled != NULL, status == RP_OK);
    rp_pass_reports_destroy(reports);
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
    return status;
}

static void test_passes(void) {
    fault_each(run_passes,
               &(rp_pass_options){.size = sizeof(rp_pass_options), .pipeline = rp_pass_level(0)});
    fault_each(run_passes, &(rp_pass_options){.size = sizeof(rp_pass_options)});
    fault_each(run_passes,
               &(rp_pass_options){.size = sizeof(rp_pass_options), .arena_limit = 1024});
    fault_each(run_passes, &(rp_pass_options){.size = sizeof(rp_pass_options), .verify_each = 1});
}

static rp_status compile(const rp_allocator *allocator, void *context) {
    rp_graph *source = NULL;
    rp_plan *plan = NULL;
    rp_status status = parse(allocator, sample_source_text, &source);
    if (status == RP_OK) status = rp_compile(source, NULL, NULL, &plan, NULL);
    CU_ASSERT_EQUAL(plan != NULL, status == RP_OK);
    if (status == RP_OK && context) status = rp_plan_save(plan, context, NULL);
    rp_plan_destroy(plan);
    rp_graph_destroy(source);
    return status;
}

static void test_compile(void) {
    fault_each(compile, NULL);
}

/* An object of JSON so large that its page is packed. */
static const char *large_profile(void) {
    static char text[300 * 1024] = "{\"x\":\"";
    for (size_t i = 6; i < sizeof text - 3; i++) text[i] = (char)('a' + i * i / 7 % 26);
    memcpy(text + sizeof text - 3, "\"}", 3);
    return text;
}

/* An inspection of all passes, and its page. */
static rp_status inspect(const rp_allocator *allocator, void *context) {
    const rp_inspection_params params = {
        .size = sizeof params, .file = "f", .text = context, .text_size = strlen(context)};
    rp_inspection *inspection = NULL;
    rp_graph *source = NULL, *compiled = NULL;
    rp_status status = parse(allocator, context, &source);
    if (status == RP_OK) status = rp_inspection_create(allocator, &params, NULL, &inspection);
    const rp_pass_options options = {
        .size = sizeof options, .observer = rp_inspection_observe, .observer_user = inspection};
    if (status == RP_OK) status = rp_passes_run(source, &options, NULL, &compiled, NULL, NULL);
    if (status == RP_OK) status = rp_inspection_compare(inspection, "source", source);
    const char *profile = large_profile();
    if (status == RP_OK) status = rp_inspection_profile(inspection, profile, strlen(profile));
    char *page = NULL;
    if (status == RP_OK)
        status = rp_inspection_print(inspection, RP_INSPECTION_PAGE, NULL, &page, NULL);
    CU_ASSERT_EQUAL(page != NULL, status == RP_OK);
    rp_inspection_release(inspection, page);
    rp_inspection_destroy(inspection);
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
    return status;
}

static void test_inspect(void) {
    fault_each(inspect, (void *)sample_source_text);
}

static rp_plan *make_plan(void) {
    rp_graph *source = NULL;
    rp_plan *plan = NULL;
    CU_ASSERT_EQUAL_FATAL(parse(NULL, sample_source_text, &source), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_compile(source, NULL, NULL, &plan, NULL), RP_OK);
    rp_graph_destroy(source);
    return plan;
}

static rp_status from_memory(const rp_allocator *allocator, void *context) {
    size_t size;
    const void *data = rp_plan_data(context, &size);
    rp_plan *plan = NULL;
    rp_status status = rp_plan_from_memory(allocator, data, size, "f", NULL, &plan);
    CU_ASSERT_EQUAL(plan != NULL, status == RP_OK);
    rp_plan_destroy(plan);
    return status;
}

/* Opens a plan, checks it again, and saves it. */
static rp_status open_check_save(const rp_allocator *allocator, void *context) {
    rp_plan *plan = NULL;
    rp_graph *compiled = NULL, *source = NULL;
    rp_status status = rp_plan_open(allocator, context, NULL, &plan);
    if (status == RP_OK) status = rp_plan_graphs(plan, NULL, &compiled, &source);
    CU_ASSERT_EQUAL(compiled && source, status == RP_OK);
    if (status == RP_OK) status = rp_check(compiled, source, NULL, NULL, NULL);
    if (status == RP_OK) status = rp_plan_save(plan, context, NULL);
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
    rp_plan_destroy(plan);
    return status;
}

/* Opens a plan with generated kernels and proves it, the kernels too. */
static rp_status open_prove(const rp_allocator *allocator, void *context) {
    size_t size;
    const void *data = rp_plan_data(context, &size);
    rp_plan *plan = NULL;
    rp_certificate found = {.verdict = 9};
    rp_status status = rp_plan_from_memory(allocator, data, size, "f", NULL, &plan);
    if (status == RP_OK) status = rp_plan_check(plan, NULL, NULL, &found);
    CU_ASSERT(found.verdict == (status == RP_OK ? 1 : plan ? 0 : 9));
    rp_plan_destroy(plan);
    return status;
}

static void test_proof(void) {
    static const char text[] = "reprise 1\n"
                               "graph g {\n"
                               "  buf $x in f32[4,8]\n"
                               "  buf $y out f32[4,8]\n"
                               "  n0 = op softmax (r $x:f32[4,8], -, w $y:f32[4,8])\n"
                               "}\n";
    rp_graph *source = NULL;
    rp_plan *plan = NULL;
    CU_ASSERT_EQUAL_FATAL(parse(NULL, text, &source), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_compile(source, NULL, NULL, &plan, NULL), RP_OK);
    fault_each(open_prove, plan);
    rp_plan_destroy(plan);
    rp_graph_destroy(source);
}

static void test_plan(void) {
    char path[] = "/tmp/reprise-fault-XXXXXX";
    int file = mkstemp(path);
    CU_ASSERT_TRUE_FATAL(file >= 0);
    close(file);
    rp_plan *plan = make_plan();
    CU_ASSERT_EQUAL(rp_plan_save(plan, path, NULL), RP_OK);
    fault_each(from_memory, plan);
    fault_each(open_check_save, path);
    /* what was there is still whole after all the failures */
    rp_plan *again = NULL;
    CU_ASSERT_EQUAL(rp_plan_open(NULL, path, NULL, &again), RP_OK);
    CU_ASSERT_EQUAL(plan_info(again).content_hash, plan_info(plan).content_hash);
    rp_plan_destroy(again);
    rp_plan_destroy(plan);
    unlink(path);
}

/* A compile that fails for want of memory leaves no file. */
static void test_no_file(void) {
    char folder[] = "/tmp/reprise-fault-XXXXXX", path[64];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.rplan", folder);
    for (uint64_t n = 1;; n++) {
        failing_alloc state = {.fail_at = n, .stay = true};
        rp_allocator allocator = failing_allocator(&state);
        rp_status status = compile(&allocator, path);
        if (status == RP_OK) break;
        CU_ASSERT_EQUAL(access(path, F_OK), -1);
    }
    unlink(path);
    CU_ASSERT_EQUAL(rmdir(folder), 0); /* no temporary file either */
}

int main(void) {
    static const rp_test tests[] = {{"passes", test_passes},
                                    {"compile", test_compile},
                                    {"inspect", test_inspect},
                                    {"plan", test_plan},
                                    {"proof", test_proof},
                                    {"no file", test_no_file},
                                    {0}};
    return rp_run_tests("compiling without memory", tests);
}
